"""The README's tables, made from the code; a drift test that fails prints the one to paste.

python -m tests.docs.tables          # print all of them
"""

from __future__ import annotations

import argparse
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import fields

from controller.domain.changes import SweepAdded
from controller.domain.queries import ImportanceRow, ImportanceTable, Status
from controller.domain.runs import Run
from controller.domain.states import RUN_MOVES, SWEEP_MOVES, VERBS, RunState, SweepState, Verb
from controller.domain.sweepfile import read
from controller.domain.sweeps import Sweep
from controller.domain.world import World
from controller.runtime.preview import preview
from tui_sweeps import keys
from tui_sweeps.cli import outcomes, shapes, sweeps
from tui_sweeps.cli.outcomes import CommandError
from tui_sweeps.cli.parser import build
from tui_sweeps.cli.surroundings import Finding

ROOT = Path(__file__).parents[2]

SWEEP_MEANS = {
    SweepState.PENDING: "registered; no agent has taken a run yet",
    SweepState.RUNNING: "hands out runs",
    SweepState.PAUSED: "hands out nothing; active runs go on; also where the sweep's breaker puts it",
    SweepState.STOPPED: "hands out nothing more; active runs finish",
    SweepState.CANCELLED: "hands out nothing more; active runs were killed",
    SweepState.FINISHED: "everything was tried, or `run_cap` or the metric's `target` was reached",
    SweepState.FAILED: "its breaker opened, nobody resumed it and its agents have left",
    SweepState.CRASHED: "runs were lost, all agents vanished and none came back within an hour",
}

RUN_MEANS = {
    RunState.PENDING: "waits to be handed out, or was handed out and has not started",
    RunState.RUNNING: "its process was started",
    RunState.FINISHED: "exit code 0",
    RunState.FAILED: "another exit code, or a signal that we did not send; the cause is kept",
    RunState.CRASHED: "its agent or host vanished: no word for five minutes, or evidence of its death",
    RunState.KILLED: "stopped or cancelled by somebody, or by early termination",
    RunState.PREEMPTING: "said that the machine is being taken away",
    RunState.PREEMPTED: "the machine was taken away; first in the queue, same run id, next attempt",
}

VERB_MEANS = {
    Verb.PAUSE: ("none", "go on to their end", "wait"),
    Verb.RESUME: ("again, by the same search", "go on", "take up work again"),
    Verb.STOP: ("none, for good", "go on to their end", "leave after their run"),
    Verb.CANCEL: ("none, for good", "SIGKILL to the whole process tree", "leave"),
}

CODE_MEANS = {
    0: "done",
    1: "it failed; a sentence on stderr says why and what to do",
    2: "wrong usage",
    75: "the controller cannot be reached; try again",
    78: "the home, its files or its permissions are not in order",
    130: "interrupted by Ctrl-C",
}
NOT_OURS = {0, 130}
"""Exit codes that no exception of ours stands for."""

ROOMS = {
    "runtime": "builds the house out of its rooms, opens it, closes it",
    "engine": "takes what happened, has it decided, recorded, published, performed",
    "api": "our own wire: HTTP and JSON over a Unix socket",
    "launch": "starts agents as processes of this machine",
    "agent": "the worker: asks, starts, watches, reports, obeys",
    "core": "decides; no I/O, no clock, no dice",
    "search": "proposes configs, judges early termination",
    "analysis": "importance, correlation, thinned curves",
    "store": "one SQLite file, one writer",
    "client": "the one door to a controller, and how to find it",
    "domain": "the words: values, states, events, commands, changes",
    "settings": "where things live",
    "cli": "the commands",
    "app": "the Textual application",
    "screens": "one screen each",
    "widgets": "table, log, progress bar, badges",
    "charts": "numbers and a size in, lines of text out",
    "views": "from the model to what is shown; filter and sort",
    "model": "the dashboard's mirror of the World",
    "keys": "the one table of keys",
    "format": "the one door to the terminal for strings from outside",
    "messages": "what travels up from widgets",
}

WORDS = (
    ("Sweep", "controller.domain.sweeps.Sweep", "a search over configurations, as in W&B"),
    ("Run", "controller.domain.runs.Run", "one configuration of a sweep and what came of it"),
    (
        "Attempt",
        "controller.domain.runs.Attempt",
        "one execution of a run's config; a retried run has several",
    ),
    ("Config", "controller.domain.runs.Run.config", "the values a run was given"),
    (
        "Summary",
        "controller.domain.runs.Run.summary",
        "the last value of each metric, and what the script set",
    ),
    ("Metric", "controller.domain.sweeps.Metric", "the number a sweep optimises"),
    ("History", "controller.domain.queries.History", "the rows a run logged"),
    ("Suggestion", "controller.domain.sweeps.Suggestion", "a config that search proposes, with its reason"),
    ("Agent", "controller.domain.agents.Agent", "a worker process; takes one run at a time"),
    (
        "Job",
        "controller.domain.agents.Job",
        "what hosts an agent: a local process or a SLURM task; never a run",
    ),
    ("Event", "controller.domain.events.Event", "something happened outside and has just arrived"),
    ("Command", "controller.domain.commands.Command", "what an operator wants"),
    ("Change", "controller.domain.changes.Change", "what became true"),
    ("Effect", "controller.domain.effects.Effect", "what the engine must now do"),
    (
        "AgentOrder",
        "controller.domain.replies.AgentOrder",
        "what an agent is told in answer to its heartbeat",
    ),
    ("World", "controller.domain.world.World", "all that is true now"),
    ("Feed", "controller.engine.feed.Feed", "the stream of committed changes, in numbered batches"),
)
"""Word, where the code has it, what it means."""


def markdown(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def sweep_states() -> str:
    """Return the sweep's states with the moves the code allows."""
    return _states(SWEEP_MEANS, SWEEP_MOVES)


def run_states() -> str:
    """Return the run's states with the moves the code allows."""
    return _states(RUN_MEANS, RUN_MOVES)


def _states(means: dict[Any, str], moves: dict[Any, frozenset[Any]]) -> str:
    rows = [
        (f"`{state}`", means[state], ", ".join(after for after in means if after in moves[state] - {state}))
        for state in type(next(iter(means)))
    ]
    return markdown(("state", "means", "can become"), rows)


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
        ("`stop`, `retry`", "one", ("run_ids", "text")),
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


if __name__ == "__main__":
    for name, make in TABLES.items():
        print(f"--- {name}\n{make()}")
