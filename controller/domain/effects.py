"""What the engine must do after a decision is durable."""

from __future__ import annotations

from msgspec import Struct

from controller.domain.agents import Job


class Suggest(Struct, frozen=True, kw_only=True):
    """Ask search for suggestions; the answer is a `Suggested`."""

    sweep_id: str
    n: int
    fresh: bool = False
    """New results came in: better-informed ones are wanted in front of the shelf."""


class CheckEarlyTermination(Struct, frozen=True, kw_only=True):
    """Judge a run that logged its metric; the answer is a `Judged`."""

    run_id: str
    token: int
    values: tuple[float, ...]
    """The metric's new values, in their order."""
    last_seq: int = 0
    """Sequence of the attempt's last report line that is recorded with them."""


class StartJob(Struct, frozen=True, kw_only=True):
    """Start an agent; the answer is a `JobSeen`."""

    job: Job


Effect = Suggest | CheckEarlyTermination | StartJob
