"""Runs an agent as a process of its own: guard, event loop, signals, and a door that finds its way back."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace

from controller.agent.guard import ORPHANED, guarded
from controller.agent.options import AgentOptions
from controller.agent.post import Sender
from controller.agent.steering import Steering
from controller.agent.worker import work
from controller.client.returning import ReturningClient, via_of
from controller.settings import Home

INTERRUPTED = 130
"""Exit code after Ctrl-C, as a shell has it; a loop around `agent` is not to start the next one."""


def run_agent(home: Home, options: AgentOptions) -> int:
    """Be an agent process until it leaves; return its exit code."""
    options = replace(options, home=home)
    return guarded(lambda: asyncio.run(_live(home, options)), ignore_hangup=options.job_id is not None)


async def _live(home: Home, options: AgentOptions) -> int:
    client = ReturningClient(
        home, sweep_id=options.sweep_id.rpartition("/")[2], via=via_of(options.via), reach=options.reach
    )
    try:
        return await work_with_signals(client, options)
    finally:
        await client.close()


async def work_with_signals(client: Sender, options: AgentOptions) -> int:
    """Be an agent that follows this process's signals; return its exit code."""
    loop, steering = asyncio.get_running_loop(), Steering()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signum, steering.signal, signum)
    loop.add_signal_handler(ORPHANED, steering.orphaned)
    code = await work(client, options, steering)
    return INTERRUPTED if steering.interrupted and not code else code
