"""`submit`: agents as a SLURM array."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from pathlib import Path

from controller.client.announced import fault_for_nodes, read
from controller.client.door import Client
from controller.domain.agents import Job, JobState
from controller.domain.arrays import ArrayError
from controller.domain.batch import ends_in_exec, plan, plan_own, sbatch_arguments
from controller.domain.commands import (
    SubmitArray,
)
from controller.domain.feed import Resync
from controller.domain.sweeps import Sweep
from controller.domain.world import World
from controller.settings import Home, program
from tui_sweeps.cli import shapes
from tui_sweeps.cli.outcomes import AwayError, CommandError, UsageError
from tui_sweeps.cli.output import document, say, tell
from tui_sweeps.cli.reach import actor, controller_of, find_sweep, order, world_of

WAIT_S = 75.0
"""How long to wait for SLURM's answer: a little more than sbatch is given."""


async def submit(options: Namespace, home: Home) -> int:
    """Submit agents of a sweep as a SLURM array."""
    async with controller_of(home, start=True) as client:
        sweep = find_sweep(await world_of(client), options.sweep_id)
        command = _command(options, sweep, home)
        if options.script and not ends_in_exec(command.script):
            tell(
                f"{options.script}: its last line is not `exec …`: SLURM's signals will not reach the agent, "
                "which then has no time to save anything when it is cancelled or preempted"
            )
        if options.dry_run:
            _show(command, as_json=options.json)
            return 0
        _warn_if_alone(home)
        job_id = (await order(client, command)).ids[0]
        job = await _until_answered(client, job_id)
    return _tell_outcome(job, as_json=options.json)


def _command(options: Namespace, sweep: Sweep, home: Home) -> SubmitArray:
    common = {"array": options.array, "count": options.count, "actor": actor()}
    try:
        if options.script is None:
            return plan(
                sweep,
                program=program(),
                home=str(home.path),
                options=options.sbatch_args,
                directory=str(Path.cwd()),
                **common,
            )
        path = Path(options.script)
        return plan_own(
            sweep, script=path.read_text(), directory=str(Path.cwd()), options=options.sbatch_args, **common
        )
    except UnicodeDecodeError as error:
        raise UsageError(f"{options.script} is no text file") from error
    except ArrayError as error:
        raise UsageError(str(error), error.hint) from error


def _show(command: SubmitArray, *, as_json: bool) -> None:
    arguments = sbatch_arguments(
        name="tui-sweeps-JOB", array=command.array, throttle=command.throttle, options=command.options
    )
    if as_json:
        document({"script": command.script, "sbatch": ["sbatch", *arguments], "log": command.log})
    else:
        say(command.script.rstrip("\n"))


def _warn_if_alone(home: Home) -> None:
    """Say so when no address leads agents on other hosts to the controller."""
    found = read(home.connection)
    fault = None if found is None else fault_for_nodes(found)
    if fault is not None:
        why, what_to_do = fault
        tell(f"{why}\n  Agents there go through files in {home.spool}, which is slower. To change that:")
        tell(f"  {what_to_do}")


async def _until_answered(client: Client, job_id: str) -> Job:
    """Return the job as SLURM answered, or as it stands when the answer takes too long."""
    snapshot = await client.snapshot()
    world = World(snapshot.facts)
    try:
        async with asyncio.timeout(WAIT_S):
            if world.jobs[job_id].state is JobState.SUBMITTING:
                async for item in client.changes(snapshot.seq):
                    if isinstance(item, Resync):
                        world = await world_of(client)
                    else:
                        world.evolve(item.changes)
                    if world.jobs[job_id].state is not JobState.SUBMITTING:
                        break
    except TimeoutError:
        pass
    return world.jobs[job_id]


def _tell_outcome(job: Job, *, as_json: bool) -> int:
    array = job.array
    assert array is not None
    if as_json:
        document(shapes.job_row(job, ()))
    match job.state:
        case JobState.FAILED:
            raise CommandError(f"SLURM did not take it: {job.cause}", "see `sbatch`'s message above all else")
        case JobState.SUBMITTING:
            raise AwayError(
                f"no answer from sbatch yet{': ' + job.cause if job.cause else ''}",
                f"nothing is submitted twice; see what became of job {job.id} with `tui-sweeps jobs`",
            )
        case _:
            pass
    if not as_json:
        at_a_time = f", {array.throttle} at a time" if array.throttle else ""
        say(f"submitted {array.slurm_id}: {array.n_tasks} task(s){at_a_time}")
        tell(f"logs: {job.log}\nfollow: tui-sweeps jobs {job.id}\ncancel: tui-sweeps jobs --cancel {job.id}")
    return 0
