"""From a sweep's command and a run's config to the exact words that are executed.

Words, never a shell string: nothing is joined, split or quoted. The forms are W&B's, including their edges:
values are shown as Python prints them, a macro must be a whole word, only `${envvar:NAME}` works inside
one.

Source: wandb 0.31.0, `wandb_agent._command_run` and `sdk/launch/sweeps/utils.create_sweep_command`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_ENVIRONMENT = re.compile(r"\$\{envvar:([A-Z0-9_]*)\}")
_INSIDE = re.compile(r"\$\{[^{}]*\}")
_ENV_PROGRAM = "/usr/bin/env"

_Words = Callable[[Mapping[str, Any]], tuple[str, ...]]


class MacroError(Exception):
    """A command cannot be turned into words that can be executed."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        """What to change in the sweep file."""


def _no_boolean_flags(config: Mapping[str, Any]) -> tuple[str, ...]:
    words = (
        f"--{name}" if value is True else f"--{name}={value}"
        for name, value in config.items()
        if value is not False
    )
    return tuple(words)


def _no_equals(config: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(word for name, value in config.items() for word in (f"--{name}", str(value)))


def _prefixed(prefix: str) -> _Words:
    return lambda config: tuple(f"{prefix}{name}={value}" for name, value in config.items())


_ARGUMENTS: dict[str, _Words] = {
    "args": _prefixed("--"),
    "args_no_hyphens": _prefixed(""),
    "args_no_boolean_flags": _no_boolean_flags,
    "args_no_equals": _no_equals,
    "args_json": lambda config: (json.dumps(dict(config)),),
    "args_append_hydra": _prefixed("+"),
    "args_override_hydra": _prefixed("++"),
}
MACROS: tuple[str, ...] = ("env", "interpreter", "program", *_ARGUMENTS, "args_json_file")
"""The names of all macros but `envvar:NAME`."""


def expand(
    command: tuple[str, ...],
    *,
    program: str | None,
    config: Mapping[str, Any],
    interpreter: str,
    environment: Mapping[str, str],
    json_file: str,
) -> tuple[str, ...]:
    """Return the words to execute.

    `config` is nested, one value per top name; arguments come in its order. `json_file` is where the caller
    writes `json.dumps(config)` when the command holds `${args_json_file}`. An unknown macro that fills a word
    is dropped, and a variable that is not set becomes its own name, both as in W&B.

    Raises:
        MacroError: `${program}` without a program, a NUL byte, or nothing to execute.
    """
    words: list[str] = []
    for item in command:
        word = _ENVIRONMENT.sub(lambda match: environment.get(match[1], match[1]), item)
        if not _is_macro(word):
            words.append(word)
            continue
        name = word[2:-1]
        if name in _ARGUMENTS:
            words.extend(_ARGUMENTS[name](config))
        elif name == "program":
            if program is None:
                raise MacroError(
                    "the command uses ${program}, but the sweep has no program", "add program: train.py"
                )
            words.append(program)
        else:
            single = {"env": _ENV_PROGRAM, "interpreter": interpreter, "args_json_file": json_file}
            words.extend([single[name]] if name in single else [])
    for word in words:
        if "\0" in word:
            raise MacroError(
                f"the word {word[:60]!r} holds a NUL byte", "no program can be given one; change the value"
            )
    if not words:
        raise MacroError("the command has no words left to execute", "name a program in command")
    return tuple(words)


def unknown_macros(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that look like a macro and are none; they vanish from the command."""
    return tuple(
        word
        for word in command
        if _is_macro(word) and word[2:-1] not in MACROS and not _ENVIRONMENT.search(word)
    )


def literal_macros(word: str) -> tuple[str, ...]:
    """Return the macros inside a longer word, where they stay as they are."""
    if _is_macro(word):
        return ()
    return tuple(found for found in _INSIDE.findall(word) if found[2:-1] in MACROS)


def params_yaml_mapping(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the file that `WANDB_SWEEP_PARAM_PATH` names must hold; it fills `wandb.config`."""
    return {"wandb_version": 1} | {name: {"value": value} for name, value in config.items()}


def _is_macro(word: str) -> bool:
    return word.startswith("${") and word.endswith("}")
