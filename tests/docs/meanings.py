"""What the README says of each state, verb, code, room and word; the code has the rest of its tables."""

from __future__ import annotations

from controller.domain.states import RunState, SweepState, Verb

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
    78: "the home, its files or its permissions are not in order; an agent's sweep is not known",
    130: "interrupted by Ctrl-C",
    143: "an agent was terminated, after its run was ended and reported",
}
NOT_OURS = {0, 130, 143}
"""Exit codes that no exception of ours stands for."""

ROOMS = {
    "runtime": "builds the house out of its rooms, opens it, closes it",
    "engine": "takes what happened, has it decided, recorded, published, performed",
    "wandb_api": "W&B's wire, for the unmodified client",
    "api": "our own wire: HTTP and JSON",
    "launch": "starts agents as processes of this machine or as SLURM arrays, and asks SLURM about them",
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
        "what hosts agents: a local process or a SLURM array; never a run",
    ),
    ("Array", "controller.domain.arrays.Array", "what was handed to sbatch, and what SLURM made of it"),
    ("Task", "controller.domain.arrays.Task", "one element of an array, with what SLURM says of it"),
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
