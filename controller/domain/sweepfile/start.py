"""What an agent starts: `program` and `command`."""

from __future__ import annotations

from controller.domain.macros import MACROS, literal_macros, unknown_macros
from controller.domain.problems import ProblemList
from controller.domain.sweepfile.items import Item, shown
from controller.domain.sweepfile.scalars import nearest
from controller.domain.sweeps import SweepConfig

DEFAULT_COMMAND: tuple[str, ...] = (
    "${env}",
    "${interpreter}",
    "${program}",
    "${args}",
)
"""W&B's; the same as the default of `SweepConfig.command`."""


def command_of(item: Item | None, program: str | None, problems: ProblemList) -> tuple[str, ...]:
    """Return the command's words; without one the default command."""
    if item is None or item.value is None:
        return DEFAULT_COMMAND
    if item.items is None:
        note = problems.warning if program else problems.error
        note(
            item,
            f"command must be a list of words, not {item.kind}; W&B ignores it and starts the default",
            "write one `- word` per line",
            key="command",
        )
        return DEFAULT_COMMAND
    if not item.items:
        message = "command is an empty list; the default command is started"
        problems.warning(item, message, "remove it, or list the words", key="command")
        return DEFAULT_COMMAND
    words = tuple(str(each.value) for each in item.items)
    for each, word in zip(item.items, words, strict=True):
        _note_word(each, word, problems)
    return words


def _note_word(item: Item, word: str, problems: ProblemList) -> None:
    if item.entries is not None or item.items is not None or item.value is None:
        problems.warning(
            item, f"command: {item.kind} is passed on as {shown(word)}", "write text", key="command"
        )
    for macro in unknown_macros((word,)):
        near = nearest(macro.strip("${}"), MACROS)
        hint = f"did you mean ${{{near}}}?" if near else "remove it"
        problems.warning(
            item, f"command: {shown(macro)} is no macro; as W&B does, it is dropped", hint, key="command"
        )
    for macro in literal_macros(word):
        message = f"command: {macro} inside a longer word stays as it is; as in W&B it must stand alone"
        problems.warning(item, message, "make it a list item of its own", key="command")


def note_start(config: SweepConfig, at: Item, problems: ProblemList) -> None:
    """Warn when an agent would have nothing to start."""
    if config.program is None and "${program}" in config.command:
        given = config.command != DEFAULT_COMMAND
        what = (
            "command uses ${program}, but there is no program"
            if given
            else "neither program nor command is given"
        )
        problems.warning(at, f"{what}: an agent has nothing to start", "add program: train.py", key="program")
