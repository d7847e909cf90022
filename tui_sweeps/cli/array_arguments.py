"""The arguments of the commands about SLURM arrays."""

from __future__ import annotations

from typing import Any

from tui_sweeps.cli.arguments import command, json_flag, positive, verb_flags, whole


def add_arrays(commands: Any) -> None:
    """Add `submit` and `jobs`."""
    submit = command(
        commands,
        "submit",
        "start agents as a SLURM job array",
        "tui-sweeps submit SWEEP_ID --array 1-12%2 --count 1 -- -p gpu --gres=gpu:1 -t 2:00:00",
    )
    submit.add_argument("sweep_id", metavar="SWEEP_ID")
    submit.add_argument(
        "--array", default="1", metavar="1-12%2", help="task numbers, %%: how many at a time (one task)"
    )
    submit.add_argument(
        "--count", type=positive, metavar="N", help="runs per task; without: until the sweep is done"
    )
    submit.add_argument(
        "--script",
        metavar="FILE",
        help="your own batch script; last line: exec tui-sweeps agent SWEEP_ID",
    )
    submit.add_argument("--dry-run", action="store_true", help="print the batch script and submit nothing")
    json_flag(submit)
    submit.add_argument("sbatch_args", nargs="*", metavar="-- SBATCH_ARG", help="sbatch's own arguments")
    jobs = command(
        commands,
        "jobs",
        "list what hosts agents, the tasks of an array, or steer one",
        "tui-sweeps jobs JOB\ntui-sweeps jobs --throttle 4 JOB",
    )
    jobs.add_argument("id", nargs="?", metavar="SWEEP_ID_OR_JOB", help="JOB: our id or SLURM's")
    verbs = verb_flags(
        jobs,
        {
            "cancel": "cancel all its tasks; their runs are stopped",
            "cancel-waiting": "cancel the tasks that have not started",
            "hold": "start no more of its tasks for now",
            "release": "let held tasks start again",
        },
    )
    verbs.add_argument(
        "--throttle", type=whole, metavar="N", help="run N tasks at a time from now on; 0: all at once"
    )
    json_flag(jobs)
