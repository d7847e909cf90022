"""The one table of keys: dispatch, footer, help, palette and the README's table all come from it.

A key's `views` are the names of the screens it works on; `ALL` means every one.
"""

from __future__ import annotations

from dataclasses import dataclass

PLOTS = frozenset({"parallel", "slices", "history"})
"""Pictures of one sweep's runs; they share filter, marks and cursor with the table."""

ALL = frozenset({"sweeps", "runs", "run", "importance", "agents", "events"}) | PLOTS
"""Names of the screens with keys of their own; dialogs have theirs on their buttons."""

SWEEP = ALL - {"sweeps", "run"}
"""Screens of one sweep; the digits go from one to the other."""

TABLES = frozenset({"sweeps", "runs"})

PARALLEL = frozenset({"parallel"})

AGENTS = frozenset({"agents"})

METRIC = PLOTS | {"importance"}
"""Screens that are about one value of one metric."""

OF_APP = frozenset(
    {
        *("agents", "undo", "now", "new", "edit", "ring", "go_back", "go_forward", "theme", "read_keys"),
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
    Key("open", "enter", "open", "Open what the cursor is on.", TABLES | PLOTS | AGENTS, 1),
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
    Key(
        "ignore",
        "i",
        "ignore",
        "Leave the run, or all marked ones, out of search and best, or take them in again.",
        PLOTS | {"runs", "run"},
    ),
    Key(
        "delete_run",
        "delete,E",
        "delete run",
        "Take the run, or all marked ones, out of the sweep for good.",
        PLOTS | {"runs", "run"},
        command="delete",
    ),
    Key("agents", "a", "agents", "Launch agents on this machine or as a SLURM array.", SWEEP | {"sweeps"}, 5),
    Key("drain", "D", "drain", "Let the agent leave when its run has ended.", AGENTS, 2),
    Key("stop_agent", "x", "stop agent", "End the agent's run and the agent.", AGENTS, 3),
    Key("cancel_waiting", "w", "cancel waiting", "Cancel the array's tasks that wait.", AGENTS, 4),
    Key("cancel_array", "W", "cancel array", "Cancel all tasks of the array and end their runs.", AGENTS),
    Key("throttle", "t", "throttle", "How many tasks of the array may run at a time.", AGENTS, 4),
    Key("hold", "o", "hold", "Hold the array's waiting tasks, or let them start again.", AGENTS),
    Key("copy_scancel", "y", "copy scancel", "Copy the exact `scancel 12345_7`, or the agent's id.", AGENTS),
    Key("copy_log", "Y", "copy log", "Copy the path of the task's or agent's log.", AGENTS),
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
    Key("value", "v", "value", "Each run's best, last, lowest or highest value.", METRIC, 1),
    Key("again", "c", "compute", "Compute it anew, with the runs ended since.", frozenset({"importance"}), 1),
    Key("over_time", "t", "time", "Over time or over the number of runs.", frozenset({"history"}), 1),
    Key("brush_low_up", "left_square_bracket", "low end", "Raise the brush's low end.", PARALLEL, 1),
    Key("brush_high_down", "right_square_bracket", "high end", "Lower the brush's high end.", PARALLEL, 1),
    Key("brush_low_down", "left_curly_bracket", "low back", "Lower the brush's low end again.", PARALLEL),
    Key("brush_high_up", "right_curly_bracket", "high back", "Raise the brush's high end again.", PARALLEL),
    Key("brush_drop", "minus", "no brush", "Take the brush off the axis.", PARALLEL),
    Key("best_share", "b", "best %", "Only the best 50, 25, 10, 5, 1 %; then all again.", PARALLEL, 1),
    Key("metric", "m", "metric", "The next metric.", METRIC | {"run"}, 2),
    Key("metrics", "M", "metrics", "Choose several metrics to draw.", frozenset({"run"})),
    Key("compare", "c", "compare", "Draw the marked runs too, else the best one.", frozenset({"run"}), 3),
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
    Key("copy_config", "ctrl+y", "copy config", "Copy the config as YAML.", PLOTS | {"runs", "run"}),
    Key("ring", "B", "bell", "Ring and tell of this sweep's news, or not.", SWEEP | {"sweeps"}),
    Key("go_back", "less_than_sign", "back", "Go to the place before, as a browser does.", ALL - PARALLEL),
    Key("go_forward", "greater_than_sign", "forward", "Go to the place after.", ALL - PARALLEL),
    Key("read_keys", "K", "read keys", "Read the file of keys again; it is looked at by itself, too."),
    Key("theme", "T", "theme", "Choose the colours."),
    Key("command", "colon", "command", "Type a command; tab completes."),
    Key("palette", "ctrl+p", "palette", "Find any action of this view by its name."),
    Key("help", "question_mark", "help", "What every key of this view does.", ALL, 8),
    Key("detach", "d", "detach", "Leave; the sweeps go on.", ALL, 9),
    Key("quit", "q,ctrl+c", "quit", "Leave; asks when runs are active.", ALL, 10),
)


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
