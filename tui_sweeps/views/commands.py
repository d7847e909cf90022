"""The `:` line: what can be typed on a view, how it is completed, and what it means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controller.domain.world import World
from tui_sweeps.format import sanitise
from tui_sweeps.keys import Key, command_of, keys_of

PLACES = {
    "sweeps": "the start screen, or with words: those sweeps",
    "sweep": "open a sweep by name or id",
    "run": "open a run by number, name or id",
    "runs": "the runs that a filter lets through",
    "sort": "by columns, such as -best,config.lr",
    "theme": "the colours",
    "new": "a sweep from a YAML file",
}
"""Commands that take words of their own."""

N_OFFERED = 8


@dataclass(frozen=True, slots=True)
class Typed:
    """A command with its words."""

    name: str
    rest: str
    key: Key | None = None
    """The row of the table of keys, when the command is one."""


def named(view: str) -> dict[str, Key]:
    """Return the view's keys by command word; the action's id is a word too."""
    keys = [key for key in keys_of(view) if key.id not in ("command", "now")]
    return {key.id.replace("_", "-"): key for key in keys} | {command_of(key): key for key in keys}


def understand(text: str, view: str) -> Typed | str:
    """Return what a line means, or why it means nothing."""
    name, _, rest = text.strip().lstrip(":").partition(" ")
    rest = rest.strip()
    if not name:
        return ""
    if name in PLACES and (rest or name == "sweeps"):
        return Typed(name, rest)
    keys = named(view)
    word = name.replace("_", "-")
    if word not in keys:
        matching = sorted({key.id for one, key in keys.items() if one.startswith(word)})
        if len(matching) != 1:
            close = ", ".join(one.replace("_", "-") for one in matching[:5])
            if name in PLACES:
                return f"{name} needs words: {PLACES[name]}"
            return f"{name} can be {close}" if close else f"there is no command {name} here"
        word = matching[0].replace("_", "-")
    return Typed(word, rest, keys[word])


def complete(text: str, view: str, world: World, themes: Iterable[str], fields: Iterable[str]) -> list[str]:
    """Return whole lines that begin as this one does."""
    name, gap, rest = text.partition(" ")
    if not gap:
        words = sorted({*named(view), *PLACES})
        return [word for word in words if word.startswith(name)][:N_OFFERED]
    head, sep, last = rest.rpartition(" ")
    before = f"{name} {head}{sep}"
    options: Sequence[str] = ()
    if name == "sweep":
        options = [sanitise(sweep.name or sweep.id) for sweep in world.sweeps.values()]
        before, last = f"{name} ", rest
    elif name == "theme":
        options = sorted(themes)
    elif name in ("runs", "sweeps"):
        options = [f"{one}:" for one in fields]
    return [before + one for one in options if one.startswith(last)][:N_OFFERED]


def find_sweep(world: World, words: str) -> str | None:
    """Return the sweep with this id or name, else the latest whose name or id begins so."""
    if words in world.sweeps:
        return words
    found = sorted(world.sweeps.values(), key=lambda sweep: -sweep.created_at)
    exact = [sweep.id for sweep in found if words in (sweep.name, sanitise(sweep.name))]
    begun = [sweep.id for sweep in found if sweep.name.startswith(words) or sweep.id.startswith(words)]
    return next(iter([*exact, *begun]), None)


def find_run(world: World, sweep_id: str | None, words: str) -> str | None:
    """Return the run with this id, or of the open sweep that with this number or name."""
    if words in world.runs:
        return words
    for run_id in world.runs_of.get(sweep_id or "", ()):
        run = world.runs[run_id]
        if words in (str(run.number), run.name):
            return run_id
    return None


def run_fields_offered(names: Iterable[str], limit: int = 40) -> list[str]:
    """Return filter fields without the doubles that have a prefix."""
    return [name for name in names if not name.startswith(("config.", "summary."))][:limit]
