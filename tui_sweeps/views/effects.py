"""What an act will do, in numbers, before it is done; and whether it still makes sense.

A dialog is built from ids, and the same function is asked again at the moment of commit: if the object is
gone or the act has become illegal, the answer is a sentence instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from controller.domain.runs import Run
from controller.domain.states import RUN_ACTIVE, RUN_ENDED, VERBS, RunState, SweepState, Verb
from controller.domain.sweeps import Sweep
from controller.domain.world import World
from tui_sweeps.format import counted, duration, sanitise
from tui_sweeps.views.tally import duration_of


@dataclass(frozen=True, slots=True)
class Effect:
    """What a confirm dialog says."""

    title: str
    lines: tuple[str, ...]
    yes: str
    """The word on the button that does it."""
    grave: bool = False
    """Something ends by it: the dialog wears the warning style and stands on No."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """Why an act cannot be done now, and what can."""

    reason: str


def verb_effect(world: World, sweep_id: str, verb: Verb, now: float) -> Effect | Impossible:
    """Return what a verb would do to a sweep."""
    sweep = world.sweeps.get(sweep_id)
    if sweep is None:
        return Impossible(f"sweep {sweep_id} is gone")
    name = sanitise(sweep.name or sweep.id)
    allowed, _ = VERBS[verb]
    active = active_runs(world, sweep_id)
    if sweep.state not in allowed or (
        verb is Verb.CANCEL and sweep.state is SweepState.STOPPED and not active
    ):
        possible = possible_verbs(sweep, len(active))
        hint = f"; possible: {', '.join(possible)}" if possible else ""
        return Impossible(f"{name} is {sweep.state}: it cannot be {_past(verb)}{hint}")
    n_agents = len(world.agents_of[sweep_id])
    if verb is Verb.CANCEL:
        return Effect(
            f"Cancel {name}?",
            (kill_line(active, now), _agents_leave(n_agents), "No program gets a chance to save anything."),
            "Cancel the sweep",
            grave=True,
        )
    if verb is Verb.STOP:
        return Effect(
            f"Stop {name}?",
            (
                "No new runs, for good (a resume is still possible).",
                f"{counted(len(active), 'active run')} {'finishes' if len(active) == 1 else 'finish'} by "
                f"{'itself' if len(active) == 1 else 'themselves'}.",
                _agents_leave(n_agents),
            ),
            "Stop the sweep",
            grave=True,
        )
    if verb is Verb.PAUSE:
        return Effect(
            f"Pause {name}?",
            (
                f"No new runs; {counted(len(active), 'active run')} "
                f"{'goes' if len(active) == 1 else 'go'} on; "
                f"{counted(n_agents, 'agent')} {'waits' if n_agents == 1 else 'wait'}.",
            ),
            "Pause",
        )
    return Effect(f"Resume {name}?", ("New runs again, by the same search.",), "Resume")


def possible_verbs(sweep: Sweep, n_active: int) -> list[Verb]:
    """Return the verbs that change something now."""
    possible = [verb for verb in Verb if sweep.state in VERBS[verb][0]]
    if not n_active and sweep.state is SweepState.STOPPED and Verb.CANCEL in possible:
        possible.remove(Verb.CANCEL)
    return possible


def stop_effect(world: World, run_ids: Iterable[str], now: float) -> Effect | Impossible:
    """Return what a stop of these runs would do."""
    active = [run for run in _known(world, run_ids) if run.state in RUN_ACTIVE]
    if not active:
        return Impossible("nothing to stop: no run chosen is active")
    title = f"Stop run {sanitise(active[0].name)}?" if len(active) == 1 else f"Stop {len(active)} runs?"
    return Effect(
        title,
        (
            kill_line(active, now).replace("Kills", "Ends", 1),
            "SIGTERM to the process tree, 30 s grace, then SIGKILL.",
            "Their agents then take the next configuration.",
        ),
        "Stop",
        grave=True,
    )


def retry_effect(world: World, run_ids: Iterable[str]) -> Effect | Impossible:
    """Return what a retry of these runs would do."""
    chosen = _known(world, run_ids)
    again = retriable(chosen)
    if not again:
        finished = any(run.state is RunState.FINISHED for run in chosen)
        return Impossible(
            "nothing to retry: "
            + ("finished runs are not run again" if finished else "no run chosen has ended")
        )
    title = f"Retry run {sanitise(again[0].name)}?" if len(again) == 1 else f"Retry {len(again)} runs?"
    left_out = len(chosen) - len(again)
    lines = ["The same configuration goes to the front of the queue, as a further attempt."]
    if left_out:
        lines.append(f"{counted(left_out, 'chosen run')} left out (finished, active or queued already).")
    return Effect(title, tuple(lines), "Retry")


def ignore_effect(world: World, run_ids: Iterable[str]) -> Effect | Impossible:
    """Return what leaving these runs out of the search would do; taking them in, when all are left out."""
    chosen = _known(world, run_ids)
    if not chosen:
        return Impossible("no run chosen is there any more")
    changed = ignorable(chosen)
    what = f"run {sanitise(changed[0].name)}" if len(changed) == 1 else counted(len(changed), "run")
    about = "Search, best and importance"
    if changed[0].ignored:
        return Effect(f"Take {what} into the search again?", (f"{about} count it again.",), "Take in")
    lines = (f"{about} go on as if it had not been run.", "The same key takes it in again.")
    return Effect(f"Leave {what} out of the search?", lines, "Leave out")


def ignorable(runs: Iterable[Run]) -> list[Run]:
    """Return those that are to be left out of the search; when all are out, all: they are to be taken in."""
    runs = list(runs)
    return [run for run in runs if not run.ignored] or runs


def delete_effect(world: World, run_ids: Iterable[str]) -> Effect | Impossible:
    """Return what taking these runs out of their sweep would do."""
    chosen = _known(world, run_ids)
    gone = deletable(world, chosen)
    if not gone:
        held = "it is with an agent" if len(chosen) == 1 else "all are with agents"
        return Impossible(f"nothing to delete: {held}; stop first" if chosen else "no run chosen is there")
    title = f"Delete run {sanitise(gone[0].name)}?" if len(gone) == 1 else f"Delete {len(gone)} runs?"
    lines = ["Out of table, search, best and importance, for good. Files of runs stay where they are."]
    if any(world.sweeps[run.sweep_id].size is not None for run in gone):
        lines.append("Points of a finite space are handed out again.")
    if left_out := len(chosen) - len(gone):
        lines.append(f"{counted(left_out, 'chosen run')} left alone: still with an agent.")
    return Effect(title, tuple(lines), "Delete", grave=True)


def deletable(world: World, runs: Iterable[Run]) -> list[Run]:
    """Return those that no agent has."""
    return [run for run in runs if run.token not in world.open_of.get(run.sweep_id, {})]


def retriable(runs: Iterable[Run]) -> list[Run]:
    """Return those runs that ended otherwise than well and wait for nothing."""
    return [
        run
        for run in runs
        if run.state in RUN_ENDED and run.state is not RunState.FINISHED and not run.queued
    ]


def agents_effect(world: World, agent_ids: Iterable[str], stop: bool, now: float) -> Effect | Impossible:
    """Return what draining or stopping these agents would do."""
    agents = [world.agents[key] for key in agent_ids if key in world.agents]
    agents = [agent for agent in agents if agent.id in world.agents_of.get(agent.sweep_id, {})]
    if not agents:
        return Impossible("no agent chosen is alive")
    hosts = ", ".join(sorted({sanitise(agent.host) for agent in agents})[:3])
    what = f"{counted(len(agents), 'agent')} on {hosts}"
    if not stop:
        return Effect(f"Drain {what}?", ("Leaves when its run has ended; takes no new one.",), "Drain")
    tokens = [agent.token for agent in agents if agent.token is not None and agent.token in world.attempts]
    runs = _known(world, (world.attempts[token].run_id for token in tokens))
    return Effect(
        f"Stop {what}?",
        (kill_line(runs, now).replace("Kills", "Ends", 1), "SIGTERM, 30 s grace, SIGKILL; then it leaves."),
        "Stop",
        grave=True,
    )


def active_runs(world: World, sweep_id: str) -> list[Run]:
    """Return the runs of which a process may be alive, and those handed out already."""
    tokens = world.open_of.get(sweep_id, {})
    ids = dict.fromkeys(world.attempts[token].run_id for token in tokens)
    return [world.runs[run_id] for run_id in ids]


def kill_line(runs: list[Run], now: float) -> str:
    """Return the price of killing these runs."""
    if not runs:
        return "Kills no run: none is active."
    spent_s = sum(duration_of(run, now) or 0.0 for run in runs)
    hosts = {run.host for run in runs if run.host}
    where = f", on {counted(len(hosts), 'host')}" if hosts else ""
    gpu_h = sum((duration_of(run, now) or 0.0) * run.n_gpus for run in runs) / 3600
    spent = f"{gpu_h:,.1f} GPU-hours" if gpu_h else f"{duration(spent_s)} of run time"
    return f"Kills {counted(len(runs), 'run')}, {spent} so far{where}."


def _agents_leave(n_agents: int) -> str:
    return f"{counted(n_agents, 'agent')} {'leaves' if n_agents == 1 else 'leave'}."


def _past(verb: Verb) -> str:
    return {
        Verb.PAUSE: "paused",
        Verb.RESUME: "resumed",
        Verb.STOP: "stopped",
        Verb.CANCEL: "cancelled",
    }[verb]


def _known(world: World, run_ids: Iterable[str]) -> list[Run]:
    known = (world.runs[run_id] for run_id in run_ids if run_id in world.runs)
    return [run for run in known if not run.deleted]
