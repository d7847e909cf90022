"""What every command's arguments are made of."""

from __future__ import annotations

import argparse
from typing import Any


class Parser(argparse.ArgumentParser):
    """An argument parser whose help keeps the example's lines."""

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        if example:
            kwargs["epilog"] = "example:\n  " + example.replace("\n", "\n  ")
        super().__init__(*args, **kwargs)


def command(commands: Any, name: str, text: str, example: str) -> argparse.ArgumentParser:
    """Add a command with its example."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text, example=example)
    # Also behind the command; not set there, the one before it stays.
    parser.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


def json_flag(parser: argparse.ArgumentParser) -> None:
    """Let a command print JSON."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def verb_flags(parser: argparse.ArgumentParser, texts: dict[str, str]) -> Any:
    """Let a command take one verb of several as a flag (`verb`); return their group."""
    verbs = parser.add_mutually_exclusive_group()
    for verb, text in texts.items():
        verbs.add_argument(f"--{verb}", dest="verb", action="store_const", const=verb, help=text)
    return verbs


def whole(text: str) -> int:
    """Return a number of 0 or more."""
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def positive(text: str) -> int:
    """Return a number of 1 or more."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return number
