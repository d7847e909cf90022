"""What can be asked of the controller beyond the snapshot, and the answers."""

from __future__ import annotations

from msgspec import Struct

from controller.domain.runs import Attempt, Point


class GetHistory(Struct, frozen=True, kw_only=True, tag=True):
    """A run's history rows over all attempts.

    A later attempt's rows replace earlier ones from its first step on.
    """

    run_id: str
    keys: tuple[str, ...] = ()
    """Only these keys; empty: all."""
    after: int = 0
    """Skip that many rows; lets a follower ask for what is new."""
    limit: int = 0
    """At most that many rows; 0: all."""
    first_step: int | None = None
    last_step: int | None = None
    """Only rows between these steps, both included."""


class History(Struct, frozen=True, kw_only=True, tag=True):
    """Rows in their order."""

    run_id: str
    points: tuple[Point, ...]


class GetCurves(Struct, frozen=True, kw_only=True, tag=True):
    """One metric of several runs, thinned to about `n_columns` columns (min and max kept)."""

    run_ids: tuple[str, ...]
    key: str
    n_columns: int = 200


class Curves(Struct, frozen=True, kw_only=True, tag=True):
    """Per run its (step, value) pairs in order of step."""

    key: str
    curves: dict[str, tuple[tuple[float, float], ...]]


class GetLog(Struct, frozen=True, kw_only=True, tag=True):
    """Console lines of a run's latest attempt (or of `attempt`)."""

    run_id: str
    first: int = 0
    """Number of the first line wanted; negative: counted from the end."""
    limit: int = 1000
    attempt: int | None = None


class Log(Struct, frozen=True, kw_only=True, tag=True):
    """Console lines by number."""

    run_id: str
    first: int
    lines: tuple[str, ...]
    n_lines: int
    """Lines there are in all."""


class GetAttempts(Struct, frozen=True, kw_only=True, tag=True):
    """Every attempt of a run."""

    run_id: str


class Attempts(Struct, frozen=True, kw_only=True, tag=True):
    """In their order."""

    attempts: tuple[Attempt, ...]


class GetNotes(Struct, frozen=True, kw_only=True, tag=True):
    """The log of events, newest last."""

    sweep_id: str = ""
    run_id: str = ""
    limit: int = 500


class Note(Struct, frozen=True, kw_only=True):
    """One line of the log of events."""

    id: int
    at: float
    actor: str
    text: str
    sweep_id: str
    run_id: str


class Notes(Struct, frozen=True, kw_only=True, tag=True):
    """In order of time."""

    notes: tuple[Note, ...]


class GetImportance(Struct, frozen=True, kw_only=True, tag=True):
    """Which parameters drive a metric; computed in the process pool."""

    sweep_id: str
    metric: str = ""
    """Empty: the sweep's own metric."""
    of: str = "best"
    """Which value of each run counts: `best`, `last`, `min` or `max`."""


class ImportanceRow(Struct, frozen=True, kw_only=True):
    """One parameter's share, in 0 to 1, with its bootstrap interval."""

    name: str
    importance: float
    importance_low: float
    importance_high: float
    correlation: float | None
    """Signed rank correlation in -1 to 1; None where an order makes no sense."""


class ImportanceTable(Struct, frozen=True, kw_only=True, tag=True):
    """Sorted by importance, largest first."""

    metric: str
    n_runs: int
    parameters: tuple[ImportanceRow, ...]
    note: str = ""
    """A sentence when there is nothing to say."""


class GetBelief(Struct, frozen=True, kw_only=True, tag=True):
    """Which run is best by what all of them say; computed in the process pool."""

    sweep_id: str


class Belief(Struct, frozen=True, kw_only=True, tag=True):
    """The run whose value the model expects to be best, beside the best one observed."""

    run_id: str | None
    """None: there is nothing to say yet."""
    mean: float | None = None
    """Expected value of its metric."""
    low: float | None = None
    high: float | None = None
    """Where the mean is with some 95 % certainty."""


class GetStatus(Struct, frozen=True, kw_only=True, tag=True):
    """The controller itself."""


class Status(Struct, frozen=True, kw_only=True, tag=True):
    """Who owns the home and how it fares."""

    pid: int
    host: str
    home: str
    socket: str
    listen: str
    started_at: float
    n_agents: int
    version: str
    embedded: bool
    cpu_s: float
    """CPU seconds used so far: login nodes ration them."""
    addresses: tuple[str, ...] = ()
    """`host:port` where agents on other hosts may find it."""
    storage: str = "ok"
    """`ok`, or why nothing can be recorded now."""


class NotFound(Struct, frozen=True, kw_only=True, tag=True):
    """There is no such thing."""

    reason: str
    hint: str = ""


Query = GetHistory | GetCurves | GetLog | GetAttempts | GetNotes | GetImportance | GetBelief | GetStatus
Answer = History | Curves | Log | Attempts | Notes | ImportanceTable | Belief | Status | NotFound
