"""The one table of keys: dispatch, footer, help, palette and the README's table all come from it.

A key's `views` are the names of the screens it works on; `ALL` means every one. The user's own keys are
one TOML table `[keys]` of action to key (or keys separated by commas); a wrong one is named with its line.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

PLOTS = frozenset({"parallel", "slices", "history"})
"""Pictures of one sweep's runs; they share filter, marks and cursor with the table."""

ALL = frozenset({"sweeps", "runs", "run", "importance", "agents", "events"}) | PLOTS
"""Names of the screens with keys of their own; dialogs have theirs on their buttons."""

SWEEP = ALL - {"sweeps", "run"}
"""Screens of one sweep; the digits go from one to the other."""

TABLES = frozenset({"sweeps", "runs"})

PARALLEL = frozenset({"parallel"})


OF_APP = frozenset(
    {
        *("agents", "undo", "now", "new", "edit", "ring", "go_back", "go_forward", "theme"),
        *("command", "palette", "help", "detach", "quit"),
    }
)
"""Actions that the app does itself; the others are the screen's."""


@dataclass(frozen=True, slots=True)
class Key:
    """One row of the table."""

    id: str
    """The action's name, for the keymap and for dispatch (`action_<id>`)."""
    keys: str
    """Textual's key names, separated by commas; the first is the one shown."""
    label: str
    """At most two words, for the footer and the palette."""
    help: str
    """One sentence."""
    views: frozenset[str] = ALL
    footer: int = 0
    """Place in the footer, smaller first; 0: not there."""
    command: str = ""
    """Word in the `:` line, when it differs from the id."""


KEYS: tuple[Key, ...] = (
    Key("open", "enter", "open", "Open what the cursor is on.", TABLES | PLOTS, 1),
    Key("back", "escape", "back", "Take the marks away, drop the filter, or go up one screen."),
    Key("pause", "p", "pause", "Pause the sweep: no new runs, running ones go on.", SWEEP | {"sweeps"}, 2),
    Key("resume", "r", "resume", "Resume a paused or ended sweep.", SWEEP | {"sweeps"}, 3),
    Key(
        "stop",
        "s",
        "stop",
        "Stop the sweep: no new runs for good, running ones finish.",
        SWEEP | {"sweeps"},
        4,
    ),
    Key("cancel", "X", "cancel", "Cancel the sweep: active runs are killed at once.", SWEEP | {"sweeps"}),
    Key(
        "stop_run",
        "x",
        "stop run",
        "Stop the run under the cursor, or all marked ones.",
        PLOTS | {"runs", "run"},
        5,
    ),
    Key(
        "retry",
        "R",
        "retry",
        "Queue the run under the cursor, or all marked ones, for another attempt.",
        PLOTS | {"runs", "run"},
        6,
    ),
    Key("agents", "a", "agents", "Launch agents on this machine.", SWEEP | {"sweeps"}, 5),
    Key("drain", "D", "drain", "Let the agent leave when its run has ended.", frozenset({"agents"}), 2),
    Key("stop_agent", "x", "stop agent", "End the agent's run and the agent.", frozenset({"agents"}), 3),
    Key("undo", "u", "undo", "Take back the stop or cancel that counts down."),
    Key("now", "enter", "now", "Send what counts down at once; only while something does."),
    Key("new", "n", "new sweep", "Create a sweep from a YAML file.", SWEEP | {"sweeps"}, 6),
    Key("edit", "e", "edit", "Edit the sweep's file and create a child sweep.", SWEEP | {"sweeps"}),
    Key("filter", "slash", "filter", "Filter the rows.", PLOTS | {"sweeps", "runs"}, 7),
    Key("sort", "S", "sort", "Sort by one or more columns.", frozenset({"sweeps", "runs"})),
    Key("columns", "C", "columns", "Choose the columns and their order.", frozenset({"runs"})),
    Key("mark", "space", "mark", "Mark the run and go to the next.", PLOTS | {"runs"}),
    Key("mark_range", "V", "range", "Mark everything from the last mark to here.", frozenset({"runs"})),
    Key("mark_all", "asterisk", "mark all", "Mark all rows that the filter shows.", PLOTS | {"runs"}),
    Key("mark_none", "minus", "no marks", "Take all marks away.", frozenset({"runs"})),
    Key("view_runs", "1", "runs", "The runs table.", SWEEP),
    Key("view_parallel", "2", "parallel", "Parallel coordinates: all parameters at once.", SWEEP),
    Key("view_importance", "3", "importance", "Which parameters drive the metric.", SWEEP),
    Key("view_slices", "4", "slices", "The metric against each parameter.", SWEEP),
    Key("view_history", "5", "history", "The best value so far, and every run's.", SWEEP),
    Key("view_agents", "6", "agents", "Agents with host, state and current run.", SWEEP, command="workers"),
    Key("view_events", "7", "events", "Who did what, and what was decided why.", SWEEP, command="log"),
    Key("run_up", "up,k", "better run", "Go to the next better run.", PLOTS),
    Key("run_down", "down,j", "worse run", "Go to the next worse run.", PLOTS),
    Key("run_best", "home", "best run", "Go to the best run.", PLOTS),
    Key("axis_left", "left,h", "axis", "Go to the axis on the left.", PARALLEL, 1),
    Key("axis_right", "right,l", "axis", "Go to the axis on the right.", PARALLEL),
    Key("axis_move_left", "less_than_sign", "move axis", "Move the axis to the left.", PARALLEL, 1),
    Key("axis_move_right", "greater_than_sign", "move axis", "Move the axis to the right.", PARALLEL),
    Key("axis_flip", "f", "flip", "Turn the axis upside down.", PARALLEL, 1),
    Key("axis_log", "g", "log scale", "Logarithmic or linear scale of the axis.", PARALLEL),
    Key("axis_hide", "H", "hide axis", "Take the axis away.", PARALLEL),
    Key("axes", "A", "axes", "Choose which axes are shown; other metrics can be added.", PARALLEL, 1),
    Key("others", "o", "others", "Show or hide the runs that the filter leaves out.", PARALLEL),
    Key("metric_log", "g", "log scale", "Logarithmic or linear metric.", frozenset({"slices", "history"}), 1),
    Key("page_next", "right,pagedown,l", "next page", "The next parameters.", frozenset({"slices"}), 1),
    Key("page_back", "left,pageup,h", "last page", "The parameters before.", frozenset({"slices"}), 1),
    Key(
        "value", "v", "value", "Each run's best, last, lowest or highest value.", frozenset({"importance"}), 1
    ),
    Key("again", "c", "compute", "Compute it anew, with the runs ended since.", frozenset({"importance"}), 1),
    Key("over_time", "t", "time", "Over time or over the number of runs.", frozenset({"history"}), 1),
    Key("brush_low_up", "left_square_bracket", "low end", "Raise the brush's low end.", PARALLEL, 1),
    Key("brush_high_down", "right_square_bracket", "high end", "Lower the brush's high end.", PARALLEL, 1),
    Key("brush_low_down", "left_curly_bracket", "low back", "Lower the brush's low end again.", PARALLEL),
    Key("brush_high_up", "right_curly_bracket", "high back", "Raise the brush's high end again.", PARALLEL),
    Key("brush_drop", "minus", "no brush", "Take the brush off the axis.", PARALLEL),
    Key("best_share", "b", "best %", "Only the best 50, 25, 10, 5, 1 %; then all again.", PARALLEL, 1),
    Key("metric", "m", "metric", "The next metric.", PLOTS | {"run", "importance"}, 2),
    Key("smooth", "o", "smooth", "More smoothing of the curve; then none.", frozenset({"run"}), 3),
    Key("log_scale", "g", "log scale", "Logarithmic or linear scale.", frozenset({"run"}), 4),
    Key("log", "l", "log", "The log in full height, or back.", frozenset({"run"}), 7),
    Key("search_log", "slash", "search", "Search the log.", frozenset({"run"})),
    Key("next_pane", "tab", "next pane", "Go to the next pane.", frozenset({"run"})),
    Key(
        "copy",
        "y",
        "copy id",
        "Copy the id to the terminal's clipboard.",
        PLOTS | {"sweeps", "runs", "run"},
    ),
    Key("copy_more", "Y", "copy command", "Copy the exact command line.", frozenset({"runs", "run"})),
    Key("ring", "B", "bell", "Ring and tell of this sweep's news, or not.", SWEEP | {"sweeps"}),
    Key("go_back", "less_than_sign", "back", "Go to the place before, as a browser does.", ALL - PARALLEL),
    Key("go_forward", "greater_than_sign", "forward", "Go to the place after.", ALL - PARALLEL),
    Key("theme", "T", "theme", "Choose the colours."),
    Key("command", "colon", "command", "Type a command; tab completes."),
    Key("palette", "ctrl+p", "palette", "Find any action of this view by its name."),
    Key("help", "question_mark", "help", "What every key of this view does.", ALL, 8),
    Key("detach", "d", "detach", "Leave; the sweeps go on.", ALL, 9),
    Key("quit", "q,ctrl+c", "quit", "Leave; asks when runs are active.", ALL, 10),
)

SIGNS = {
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "asterisk": "*",
    "minus": "-",
    "space": "space",
    "escape": "esc",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
}
"""How keys are written for people."""

NAMES = {sign: name for name, sign in SIGNS.items() if len(sign) == 1}
"""What a keymap file may say instead of Textual's names."""


def sign(key: str) -> str:
    """Return a key as it is written for people."""
    return SIGNS.get(key, key)


def keys_of(view: str) -> tuple[Key, ...]:
    """Return the rows that work on a view, in the table's order."""
    return tuple(key for key in KEYS if view in key.views)


def footer_of(view: str) -> tuple[Key, ...]:
    """Return the footer's rows of a view in their order."""
    return tuple(sorted((key for key in keys_of(view) if key.footer), key=lambda key: key.footer))


def action_of(key: Key) -> str:
    """Return Textual's name of what a row does: of the app or of the screen on top."""
    if key.id.startswith("view_"):
        return f"app.view({key.id.removeprefix('view_')!r})"
    return f"app.{key.id}" if key.id in OF_APP else key.id


def command_of(key: Key) -> str:
    """Return the word by which a row is called in the `:` line."""
    return key.command or key.id.replace("_", "-")


def shown(key: Key, keymap: dict[str, str]) -> str:
    """Return the key by which a row is reached now, written for people."""
    return " ".join(sign(one.strip()) for one in keymap.get(key.id, key.keys).split(","))


def first_shown(key: Key, keymap: dict[str, str]) -> str:
    """Return the first key only, for the footer."""
    return sign(keymap.get(key.id, key.keys).split(",")[0].strip())


def key_sign(name: str, keymap: dict[str, str]) -> str:
    """Return the key of an action by its id, written for people."""
    return first_shown(next(key for key in KEYS if key.id == name), keymap)


def readme_table() -> str:
    """Return the table as Markdown for the README."""
    lines = ["| key | does | where |", "|---|---|---|"]
    for key in KEYS:
        if key.views == ALL:
            where = "everywhere"
        elif key.views in (SWEEP, SWEEP | {"sweeps"}):
            where = "Sweep" if key.views == SWEEP else "Sweeps, Sweep"
        else:
            where = ", ".join(view.capitalize() for view in sorted(key.views))
        lines.append(f"| `{shown(key, {})}` | {key.help} | {where} |")
    return "\n".join(lines) + "\n"


class KeymapError(ValueError):
    """The keymap file says something wrong; the message names the line."""


def read_keymap(text: str, name: str = "keys.toml") -> dict[str, str]:
    """Return action id to Textual key names from a user's TOML text.

    Raises:
        KeymapError: not TOML, an unknown action, no key, or one key for two actions of a view.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KeymapError(f"{name}: {error}") from error
    known = {key.id for key in KEYS}
    keymap: dict[str, str] = {}
    entries = table.get("keys", {})
    if not isinstance(entries, dict) or set(table) - {"keys"}:
        raise KeymapError(f"{name}:1: keys stand in one table, [keys]")
    for action, value in entries.items():
        line = _line_of(text, action)
        if action not in known:
            raise KeymapError(f"{name}:{line}: there is no action {action!r}; see `?` for their names")
        if not isinstance(value, str) or not value.strip():
            raise KeymapError(f'{name}:{line}: the key of {action!r} must be text such as "p" or "ctrl+p"')
        keymap[action] = ",".join(_name_of(one) for one in _split(value))
    _check_clashes(keymap, text, name)
    return keymap


def _split(value: str) -> list[str]:
    return [value] if value == "," else [one.strip() or one for one in value.split(",")]


def _name_of(one: str) -> str:
    if one == " ":
        return "space"
    return NAMES.get(one, "comma" if one == "," else one)


def _line_of(text: str, action: str) -> int:
    pattern = re.compile(rf"^\s*[\"']?{re.escape(action)}[\"']?\s*=")
    for number, line in enumerate(text.splitlines(), start=1):
        if pattern.match(line):
            return number
    return 1


def _check_clashes(keymap: dict[str, str], text: str, name: str) -> None:
    for action in keymap:
        row = next(key for key in KEYS if key.id == action)
        for other in KEYS:
            if other.id in (action, "now") or action == "now" or not (other.views & row.views):
                continue
            both = set(keymap[action].split(",")) & set(keymap.get(other.id, other.keys).split(","))
            if both:
                taken = sign(sorted(both)[0])
                raise KeymapError(
                    f"{name}:{_line_of(text, action)}: {taken} of {action!r} is already {other.id!r}'s key"
                )
