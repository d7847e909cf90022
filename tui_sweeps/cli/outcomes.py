"""Exit codes, and how a mistake becomes a sentence.

::

    CommandError              exit 1: the thing failed
    ├── UsageError            exit 2: wrong usage
    ├── AwayError             exit 75: controller unreachable, try again
    ├── ConfigurationError    exit 78: configuration or credentials
    └── StoppedError          exit 130: ended by Ctrl-C
"""

from __future__ import annotations

from typing import ClassVar


class CommandError(Exception):
    """What was asked could not be done."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(CommandError):
    """The command line makes no sense."""

    exit_code = 2


class AwayError(CommandError):
    """The controller cannot be reached."""

    exit_code = 75


class ConfigurationError(CommandError):
    """The home, its files or its permissions are not in order."""

    exit_code = 78


class StoppedError(CommandError):
    """The person at the terminal ended it with Ctrl-C."""

    exit_code = 130
