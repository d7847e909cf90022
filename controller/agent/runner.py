"""Runs an agent as a process of its own: guard, event loop, signals, and a door that finds its way back."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace

from controller.agent.guard import ORPHANED, guarded
from controller.agent.journal import Journal
from controller.agent.options import AgentOptions
from controller.agent.post import Sender
from controller.agent.slurm import shell_above, task_from
from controller.agent.steering import Steering
from controller.agent.worker import work
from controller.client.returning import ReturningClient, via_of
from controller.settings import Home

SLURM_CONNECT_S = 600.0
"""How long a SLURM task looks for the controller: allocations are long in coming, restarts take minutes."""
ENDED_BY: dict[int, int] = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
"""Exit codes after a signal, as a shell has them: a loop around `agent` is not to start the next one. Who
heeds a warning (SIGUSR1) leaves with 0."""


def run_agent(home: Home, options: AgentOptions) -> int:
    """Be an agent process until it leaves; return its exit code."""
    options = replace(options, home=home)
    in_slurm = task_from(os.environ) is not None
    if in_slurm:
        options = replace(options, connect_s=max(options.connect_s, SLURM_CONNECT_S))
    if in_slurm and (shell := shell_above(os.getppid())):
        Journal().say(
            f"started by {shell} inside a SLURM job: on scancel there is no time to save anything; "
            "let the batch script's last line begin with `exec`"
        )
    # Inside SLURM nobody closes a terminal: a hang-up is meant.
    ignore_hangup = options.job_id is not None and not in_slurm
    return guarded(lambda: asyncio.run(_live(home, options)), ignore_hangup=ignore_hangup)


async def _live(home: Home, options: AgentOptions) -> int:
    client = ReturningClient(
        home,
        sweep_id=options.sweep_id.rpartition("/")[2],
        via=via_of(options.via),
        reach=options.reach,
        say=Journal().say,
    )
    try:
        return await work_with_signals(client, options)
    finally:
        await client.close()


async def work_with_signals(client: Sender, options: AgentOptions) -> int:
    """Be an agent that follows this process's signals; return its exit code."""
    loop, steering = asyncio.get_running_loop(), Steering(in_slurm=task_from(os.environ) is not None)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        loop.add_signal_handler(signum, steering.signal, signum)
    loop.add_signal_handler(ORPHANED, steering.orphaned)
    code = await work(client, options, steering)
    return code or ENDED_BY.get(signal.SIGINT if steering.interrupted else steering.signum, 0)
