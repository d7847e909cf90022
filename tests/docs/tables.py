"""The README's tables, made from the code; a drift test that fails prints the one to paste.

python -m tests.docs.tables          # print all of them
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import fields

from controller.domain.agents import Job, JobKind
from controller.domain.changes import SweepAdded
from controller.domain.queries import ImportanceRow, ImportanceTable, Status
from controller.domain.runs import Run
from controller.domain.states import RUN_MOVES, SWEEP_MOVES, VERBS, SweepState, Verb
from controller.domain.sweepfile import read
from controller.domain.sweeps import Sweep
from controller.domain.world import World
from controller.runtime.preview import preview
from tests.docs.meanings import CODE_MEANS, NOT_OURS, ROOMS, RUN_MEANS, SWEEP_MEANS, VERB_MEANS, WORDS
from tui_sweeps import keys
from tui_sweeps.cli import outcomes, shapes, sweeps
from tui_sweeps.cli.outcomes import CommandError
from tui_sweeps.cli.parser import build
from tui_sweeps.cli.surroundings import Finding

ROOT = Path(__file__).parents[2]


def markdown(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def sweep_states() -> str:
    """Return the sweep's states with the moves the code allows."""
    return _states("sweep is", SWEEP_MEANS, SWEEP_MOVES)


def run_states() -> str:
    """Return the run's states with the moves the code allows."""
    return _states("run is", RUN_MEANS, RUN_MOVES)


def _states(title: str, means: dict[Any, str], moves: dict[Any, frozenset[Any]]) -> str:
    rows = [
        (f"`{state}`", means[state], ", ".join(after for after in means if after in moves[state] - {state}))
        for state in type(next(iter(means)))
    ]
    return markdown((title, "means", "can become"), rows)


def verbs() -> str:
    """Return the four verbs with the states they may be given in."""
    rows = []
    for verb in Verb:
        froms, to = VERBS[verb]
        given = ", ".join(state for state in SweepState if state in froms)
        rows.append((f"`{verb}`", given, str(to), *VERB_MEANS[verb]))
    return markdown(("verb", "given when", "becomes", "new runs", "active runs", "agents"), rows)


def key_table() -> str:
    """Return the table of keys."""
    return keys.readme_table()


def exit_codes() -> str:
    """Return the exit codes."""
    codes = NOT_OURS | {kind.exit_code for kind in (CommandError, *_kinds(outcomes))}
    return markdown(("exit code", "means"), [(str(code), CODE_MEANS[code]) for code in sorted(codes)])


def _kinds(module: Any) -> list[type[CommandError]]:
    found = [value for value in vars(module).values() if isinstance(value, type)]
    return [kind for kind in found if issubclass(kind, CommandError)]


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of every command by name."""
    for action in build("0")._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("the command line has no commands")


def commands() -> str:
    """Return every command with its arguments, what it does and its flags."""
    helps = {
        choice.dest: choice.help or ""
        for action in build("0")._actions
        if isinstance(action, argparse._SubParsersAction)
        for choice in action._choices_actions
    }
    rows = [("`tui-sweeps`", "the dashboard", "`--home DIR` (with every command), `--version`")]
    for name, parser in parsers().items():
        shown = [a for a in parser._actions if a.help is not argparse.SUPPRESS and a.dest != "help"]
        words = " ".join(["tui-sweeps", name, *(_positional(a) for a in shown if not a.option_strings)])
        flags = ", ".join(f"`{_flag(action)}`" for action in shown if action.option_strings)
        rows.append((f"`{words}`", helps[name], flags))
    return markdown(("command", "does", "flags"), rows)


def _positional(action: argparse.Action) -> str:
    if action.choices:
        return "/".join(map(str, action.choices))
    name = str(action.metavar or action.dest)
    return {"*": f"[{name}…]", "?": f"[{name}]"}.get(str(action.nargs), name)


def _flag(action: argparse.Action) -> str:
    text = "/".join(action.option_strings)
    return text if action.nargs == 0 else f"{text} {action.metavar or action.dest.upper()}"


def floors() -> str:
    """Return the rooms by floor, as import-linter holds them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    rows = []
    for contract in contracts:
        if contract["type"] != "layers":
            continue
        n_floors = len(contract["layers"])
        for down, layer in enumerate(contract["layers"]):
            for room in re.findall(r"[\w.]+", layer):
                rows.append((f"`{room}`", str(n_floors - down), ROOMS[room.rpartition(".")[2]]))
    return markdown(("room", "floor", "does"), rows)


def words() -> str:
    """Return the words with where the code has them."""
    return markdown(("word", "means", "in the code"), [(w, means, f"`{place}`") for w, place, means in WORDS])


def json_shapes() -> str:
    """Return the fields of what `--json` prints, taken from real documents."""
    source = (ROOT / "examples/digits/sweep_config.yaml").read_bytes()
    reading = read(source)
    config = reading.config
    assert config is not None
    sweep = Sweep(
        id="s", config=config, source="", directory="", project="p", entity="e", name="n", n_expected=24
    )
    world = World()
    world.evolve([SweepAdded(sweep=sweep)])
    run = Run(id="r", sweep_id=sweep.id, number=0, name="n", config={}, suggestion=0)
    job = Job(id="j", kind=JobKind.SLURM, sweep_id=sweep.id)
    checked = sweeps._check_document(True, config, preview(config), [])
    rows: list[tuple[str, str, Iterable[str]]] = [
        ("`sweep`", "one", shapes.sweep_created(sweep)),
        ("`ls`, `watch`, `run`", "list; `run` and `watch SWEEP_ID`: one", shapes.sweep_row(world, sweep)),
        ("`runs`, `show`", "list; `show`: one, with more", shapes.run_row(run, 0.0)),
        ("`best`", "one", ("run_id", "name", "value", "config")),
        ("`history`", "one a line", ("_step", "_timestamp", "and what was logged")),
        ("`importance`", "one", [f.name for f in fields(ImportanceTable)]),
        ("… its `parameters`", "list", [f.name for f in fields(ImportanceRow)]),
        ("`controller status`", "one", [f.name for f in fields(Status)]),
        ("`check`", "one", checked),
        ("`doctor`", "one", ("ok", "checks")),
        ("… its `checks`", "list", [f.name for f in fields(Finding)]),
        ("`submit`, `jobs`", "`jobs`: list; of one job: one, with its `tasks`", shapes.job_row(job, ())),
        ("`stop`, `retry`, `ignore`, `delete`", "one", ("run_ids", "text")),
    ]
    return markdown(
        ("command with `--json`", "prints", "fields"),
        [
            (name, form, " ".join(f"`{f}`" if " " not in f else f for f in names))
            for name, form, names in rows
        ],
    )


TABLES: dict[str, Callable[[], str]] = {
    "sweep states": sweep_states,
    "run states": run_states,
    "verbs": verbs,
    "keys": key_table,
    "commands": commands,
    "exit codes": exit_codes,
    "floors": floors,
    "words": words,
    "JSON shapes": json_shapes,
}
"""Every table that the README must hold word for word."""


def write() -> None:
    """Replace every table of the README by the code's; tables are known by their first line."""
    path = ROOT / "README.md"
    text = path.read_text()
    for name, make in TABLES.items():
        table = make()
        title = re.escape(table.partition("\n")[0])
        text, n_found = re.subn(rf"^{title}\n(?:\|.*\n)+", lambda _, new=table: new, text, flags=re.MULTILINE)
        if n_found != 1:
            print(f"{n_found} tables of {name} in the README, by their first line; paste it:\n\n{table}")
    path.write_text(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        for name, make in TABLES.items():
            print(f"--- {name}\n{make()}")
