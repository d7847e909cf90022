"""Runs and attempts: one configuration, and each time it was executed."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from controller.domain.extremes import Extremes
from controller.domain.states import AttemptState, RunState


class StopAsk(Struct, frozen=True, kw_only=True):
    """Who wants a run to end, and how."""

    actor: str
    at: float
    kill: bool = False
    """True: SIGKILL at once (cancel). False: SIGTERM, 30 s grace, SIGKILL (stop)."""
    cause: str = "stopped"
    """What the run's cause will say: `stopped`, `cancelled` or `early-stopped`."""


class Verdict(Struct, frozen=True, kw_only=True):
    """Why early termination let a run go on or stopped it."""

    stop: bool
    band: int
    """Number of logged metric values at which the run was compared."""
    value: float
    threshold: float | None
    """None: nobody to compare with."""
    n_at_band: int
    at: float = 0.0


class Run(Struct, frozen=True, kw_only=True):
    """One configuration of a sweep as it stands now."""

    id: str
    sweep_id: str
    number: int
    """Running number within the sweep, from 1, in the order of handing out."""
    name: str
    config: dict[str, Any]
    """Nested, exactly as assigned; what a program writes back never changes it."""
    suggestion: int
    """Number of the suggestion it came from."""
    index: int | None = None
    """Grid cell index."""
    reason: dict[str, Any] = {}
    state: RunState = RunState.PENDING
    cause: str = ""
    exit_code: int | None = None
    signal: int | None = None
    actor: str = ""
    """Who ended it, when somebody did."""
    queued: bool = False
    """Waits at the front of the queue to be handed out (again)."""
    attempt: int = 0
    """Number of the latest attempt; 0 before the first."""
    token: int | None = None
    """Fencing token of the latest attempt."""
    agent_id: str | None = None
    host: str = ""
    job: str = ""
    pid: int | None = None
    directory: str = ""
    """The run directory on the agent's host."""
    argv: tuple[str, ...] = ()
    """The exact command that was executed."""
    n_gpus: int = 0
    """GPUs that the latest attempt may use; 0: none, or not known."""
    n_failures: int = 0
    """Attempts that failed by themselves."""
    n_crashes: int = 0
    n_preemptions: int = 0
    """Attempts that the scheduler cut short: preempted, requeued, out of time, or lost with their node."""
    n_stuck: int = 0
    """How many of them in a row were preempted or lost without getting further than those before."""
    n_timeouts: int = 0
    """How many of them in a row ran out of time without getting further."""
    reached_step: int | None = None
    """The furthest step at which one was cut short."""
    kept_for: str = ""
    """The SLURM task (`12345_7`) that had it and comes back: others get it only after a while."""
    failed_on: tuple[str, ...] = ()
    """Agents on which it failed."""
    set_aside: bool = False
    """The config breaker took it out: failed on three agents while others succeed."""
    summary: dict[str, Any] = {}
    """Last value of each logged key, overridden by what the program sets itself."""
    extremes: Extremes = Extremes()
    """Lowest and highest value of each logged number, over all attempts."""
    own_config: dict[str, Any] = {}
    """What the program's config holds besides what was assigned: its own defaults."""
    tags: tuple[str, ...] = ()
    """Words that the program put on it."""
    system: dict[str, Any] = {}
    """Latest value of each system metric: processor, memory, GPUs."""
    n_points: int = 0
    """History rows accepted over all attempts."""
    last_step: int | None = None
    best: float | None = None
    """Best finite value of the sweep's metric ever logged."""
    latest: float | None = None
    """Last value of the sweep's metric."""
    n_metric_values: int = 0
    """How many values of the sweep's metric were logged in the latest attempt; hyperband's iteration."""
    n_log_lines: int = 0
    stop: StopAsk | None = None
    stop_obeyed_at: float | None = None
    """When the agent said that it sent the signal."""
    verdict: Verdict | None = None
    ignored: bool = False
    """(+) An operator told search, the best run and importance to leave it out."""
    deleted: bool = False
    """(+) No longer one of its sweep's; what it logged stays in the store."""
    created_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None


class Attempt(Struct, frozen=True, kw_only=True):
    """One execution of a run's config."""

    token: int
    """Unique and growing over the whole controller; a report with an older one is superseded."""
    run_id: str
    sweep_id: str
    number: int
    agent_id: str
    ask: int
    """The agent's own count of its asks: the same ask gets the same attempt again."""
    resume: bool = False
    """It continues a preempted attempt."""
    state: AttemptState = AttemptState.ASSIGNED
    cause: str = ""
    exit_code: int | None = None
    signal: int | None = None
    host: str = ""
    pid: int | None = None
    last_seq: int = 0
    """Highest contiguous report line recorded; 0 before the first."""
    client_seq: int = 0
    """The same for the lines of W&B's client where an agent of ours reports too: each counts its own."""
    assigned_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None


class Point(Struct, frozen=True, array_like=True):
    """One history row: what one call of `log` said."""

    seq: int
    """Line number in the attempt's report, from 1; the key of exactly-once.

    Once recorded, it counts the lines of everybody who reported to the attempt."""
    step: int
    at: float
    values: dict[str, Any]


class LogLines(Struct, frozen=True, kw_only=True):
    """Console lines by their number, so that a progress bar can rewrite its line."""

    first: int
    """Number of the first line, from 0."""
    lines: tuple[str, ...]


def metric_value(values: dict[str, Any], name: str) -> float | None:
    """Return the number logged under `name`, also through nested mappings (`val.acc`), or None."""
    found: Any = values.get(name)
    if found is None and "." in name:
        found = values
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        return float(found)
    except OverflowError:
        return None
