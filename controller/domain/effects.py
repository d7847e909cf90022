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
    waiting: bool = False
    """An agent stands at the empty shelf; the model is asked already."""


class CheckEarlyTermination(Struct, frozen=True, kw_only=True):
    """Judge a run that logged its metric; the answer is a `Judged`."""

    run_id: str
    token: int
    values: tuple[float, ...]
    """The metric's new values, in their order."""
    last_seq: int = 0
    """How many report lines of the attempt are recorded with them, whoever counted them."""


class ForgetCurves(Struct, frozen=True, kw_only=True):
    """Early termination must look at a sweep's runs anew: some count no longer, or again."""

    sweep_id: str


class StartJob(Struct, frozen=True, kw_only=True):
    """Start an agent; the answer is a `JobSeen`."""

    job: Job


class SubmitJob(Struct, frozen=True, kw_only=True):
    """Hand an array to sbatch; the answer is a `JobSeen`."""

    job: Job


class CancelTasks(Struct, frozen=True, kw_only=True):
    """Have SLURM cancel tasks of an array."""

    job: Job
    waiting_only: bool


class LimitTasks(Struct, frozen=True, kw_only=True):
    """Have SLURM run so many tasks of an array at a time; the answer is a `JobSteered`."""

    job: Job
    throttle: int


class HoldTasks(Struct, frozen=True, kw_only=True):
    """Have SLURM hold an array's waiting tasks, or release them; the answer is a `JobSteered`."""

    job: Job
    hold: bool


ArrayEffect = SubmitJob | CancelTasks | LimitTasks | HoldTasks
Effect = Suggest | CheckEarlyTermination | ForgetCurves | StartJob | ArrayEffect
