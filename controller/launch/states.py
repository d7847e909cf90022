"""What each of SLURM's states means: the one table, with state, reason and exit code kept as they are.

Measured on SLURM 22.05 (`slurm.md`, section 3). Names are those of squeue's and sacct's long form.
A state belongs to the task, never to a run: an agent that lives through a run's lack of memory leaves
a task that is OUT_OF_MEMORY and a run that reported for itself.
"""

from __future__ import annotations

from msgspec import Struct

from controller.domain.arrays import Fate, TaskState

_STUCK = (
    "PartitionTimeLimit",
    "PartitionConfig",
    "PartitionDown",
    "PartitionInactive",
    "DependencyNeverSatisfied",
    "JobHeldUser",
    "JobHeldAdmin",
    "JobArrayTaskHeld",
    "BadConstraints",
    "AccountNotAllowed",
    "AccountingPolicy",
    "InvalidAccount",
    "InvalidQOS",
    "QOSNotAllowed",
    "QOSMax",
    "QOSGrp",
    "QOSJobLimit",
    "QOSResourceLimit",
    "QOSTimeLimit",
    "QOSUsageThreshold",
    "QOSMin",
    "Assoc",
    "MaxJobsPerAccount",
    "MaxCpuPerAccount",
    "ReservationDeleted",
    "launch_failed_requeued_held",
    "job_requeued_in_held_state",
)
"""Beginnings of the reasons for which a task will not start before somebody acts."""


class Meaning(Struct, frozen=True):
    """What a state means for the task, and for a run whose silent agent was in it."""

    state: TaskState
    fate: Fate = Fate.KEEP
    cause: str = ""


def meaning(raw: str, *, reason: str = "", exit_code: str = "", was_preempted: bool = False) -> Meaning:
    """Return what SLURM's state means; one that is not known concludes nothing."""
    match raw:
        case "PENDING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "SPECIAL_EXIT" | "RESV_DEL_HOLD":
            held = raw not in ("PENDING", "REQUEUED") or is_stuck(reason)
            return Meaning(TaskState.BLOCKED, cause=reason) if held else Meaning(TaskState.QUEUED)
        case "CONFIGURING" | "STAGE_OUT" | "POWER_UP_NODE":
            return Meaning(TaskState.STARTING)
        case "RUNNING" | "RESIZING" | "SIGNALING":
            return Meaning(TaskState.RUNNING)
        case "COMPLETING":
            return Meaning(TaskState.STOPPING)
        case "SUSPENDED" | "STOPPED":
            return Meaning(TaskState.SUSPENDED, cause="suspended by SLURM")
        case "COMPLETED":
            return Meaning(TaskState.FINISHED, Fate.LOST, "its agent left without a report")
        case "FAILED" | "LAUNCH_FAILED" | "RECONFIG_FAIL":
            return _failed(exit_code, reason)
        case "OUT_OF_MEMORY":
            return Meaning(TaskState.FAILED, Fate.LOST, "out of memory")
        case "CANCELLED" | "REVOKED":
            if was_preempted:
                return Meaning(TaskState.PREEMPTED, Fate.PREEMPTED, "preempted by another job")
            return Meaning(TaskState.CANCELLED, Fate.LOST, "job cancelled")
        case "DEADLINE":
            return Meaning(TaskState.CANCELLED, Fate.LOST, "job cancelled: its deadline passed")
        case "TIMEOUT":
            return Meaning(TaskState.TIMED_OUT, Fate.PREEMPTED, "time limit")
        case "PREEMPTED":
            return Meaning(TaskState.PREEMPTED, Fate.PREEMPTED, "preempted by another job")
        case "NODE_FAIL":
            return Meaning(TaskState.LOST, Fate.LOST, "node failed")
        case "BOOT_FAIL":
            return Meaning(TaskState.NEVER_STARTED, Fate.LOST, "the node did not boot")
        case _:
            return Meaning(TaskState.UNKNOWN, cause=f"SLURM says {raw or 'nothing'}")


def _failed(exit_code: str, reason: str) -> Meaning:
    code, _, signal = exit_code.partition(":")
    if signal == "53":
        cause = "the output folder or the working directory is missing on the node"
        return Meaning(TaskState.NEVER_STARTED, Fate.LOST, cause)
    if signal not in ("", "0"):
        return Meaning(TaskState.FAILED, Fate.LOST, f"ended by signal {signal}")
    if code in _CODES:
        return Meaning(TaskState.FAILED, Fate.LOST, _CODES[code])
    told = f"exit code {code}" if code else reason or "failed"
    return Meaning(TaskState.FAILED, Fate.LOST, told)


_CODES = {
    "75": "exit code 75: the agent could not reach the controller",
    "78": "exit code 78: the agent found its credentials or its sweep not in order",
    "126": "exit code 126: the program may not be executed on the node",
    "127": "exit code 127: the program is missing on the node",
}


def is_stuck(reason: str) -> bool:
    """Say whether a waiting task needs a human."""
    told = reason.strip("()").replace(" ", "_")
    return told.startswith(_STUCK)
