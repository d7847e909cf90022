"""What a sweep is: its configuration as read from a file, and its life in the controller."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from controller.domain.parameters import Space
from controller.domain.states import SweepState, Verb


class Method(StrEnum):
    """How the next configuration is chosen."""

    GRID = "grid"
    RANDOM = "random"
    BAYES = "bayes"


class Goal(StrEnum):
    """Which way the metric is better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


class Metric(Struct, frozen=True, kw_only=True):
    """The number a sweep optimises."""

    name: str
    goal: Goal = Goal.MINIMIZE
    target: float | None = None
    """No new runs once a run reaches it; running ones finish."""

    def better(self, a: float, b: float) -> bool:
        """Say whether `a` is strictly better than `b`."""
        return a < b if self.goal is Goal.MINIMIZE else a > b


class EarlyTermination(Struct, frozen=True, kw_only=True):
    """Hyperband, in either of W&B's two forms."""

    min_iter: int | None = None
    max_iter: int | None = None
    s: float | None = None
    eta: float = 3.0
    strict: bool = False
    on_nan: str = "ignore"
    """(+) What a non-finite metric counts as: `stop`, `worst` or, as in W&B, nothing: `ignore`."""


class Retry(Struct, frozen=True, kw_only=True):
    """(+) Automatic retry of a config whose attempt ended badly."""

    max: int = 0
    """Further attempts per config."""
    on: tuple[str, ...] = ("failed", "crashed")
    """Run states that are retried."""


class SweepConfig(Struct, frozen=True, kw_only=True):
    """A sweep file's content after reading; every default is filled in."""

    method: Method
    parameters: Space
    metric: Metric | None = None
    program: str | None = None
    command: tuple[str, ...] = ("${env}", "${interpreter}", "${program}", "${args}")
    name: str | None = None
    description: str | None = None
    project: str | None = None
    entity: str | None = None
    run_cap: int | None = None
    early_terminate: EarlyTermination | None = None
    seed: int | None = None
    """(+) Makes the order of suggestions repeatable."""
    shuffle: bool = False
    """(+) Grid cells in a seeded random order."""
    retry: Retry = Retry()
    on_lost: str = "keep"
    """(+) `keep`: training goes on through any outage; `fence`: the agent ends it at the lease."""
    capture: tuple[str, ...] = ()
    """(+) Regular expressions that name metrics in lines on stdout."""
    min_time_s: float | None = None
    """(+) An agent starts no run when its job has less time left."""


class Asked(Struct, frozen=True, kw_only=True):
    """Who asked for what and when it was obeyed."""

    verb: Verb
    actor: str
    at: float
    obeyed_at: float | None = None


class Sweep(Struct, frozen=True, kw_only=True):
    """One sweep as it stands now."""

    id: str
    """Eight lower-case letters or digits, unique in the controller."""
    config: SweepConfig
    source: str
    """The YAML text as it was given, byte for byte."""
    directory: str
    """Absolute working directory the sweep was created in; programs start here."""
    project: str
    entity: str
    name: str
    state: SweepState = SweepState.PENDING
    cause: str = ""
    """Why the sweep is in this state, as a sentence fragment."""
    asked: Asked | None = None
    """The last verb an operator gave."""
    size: int | None = None
    """Points of the space; None means unbounded."""
    n_expected: int | None = None
    """Runs the sweep will have when done, capped; None means unbounded."""
    n_suggested: int = 0
    """Suggestions drawn so far; the cursor of grid and random search."""
    exhausted: bool = False
    """Search has nothing further to propose."""
    target_reached: bool = False
    breaker: bool = False
    """The sweep's breaker paused it: nothing but failures so far."""
    since_token: int = 0
    """Attempts up to this token are forgiven: the breaker was reset by a resume."""
    parent: str | None = None
    """(+) The sweep this one was edited from; its runs are priors."""
    prior_runs: tuple[str, ...] = ()
    created_at: float = 0.0
    updated_at: float = 0.0
    ended_at: float | None = None


class Suggestion(Struct, frozen=True, kw_only=True):
    """A config proposed by search, with its reason as data."""

    number: int
    """Running number within the sweep, from 0; for a grid the order of handing out."""
    config: dict[str, Any]
    """Nested, as the run will receive it."""
    index: int | None = None
    """Grid cell index (mixed radix, last parameter fastest), or None where there is no grid."""
    reason: dict[str, Any] = {}
    """For instance predicted mean and deviation, expected improvement; shown in the run's detail."""
