"""Runs an agent as a process of its own: guard, event loop, signals, and a door that finds its way back."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import replace

from controller.agent.guard import ORPHANED, guarded
from controller.agent.options import AgentOptions
from controller.agent.post import Sender
from controller.agent.steering import Steering
from controller.agent.worker import work
from controller.client.connection import connect
from controller.client.door import Client, ClientError
from controller.domain.events import AgentEvent
from controller.domain.replies import Reply
from controller.settings import Home


class ReturningClient:
    """Sends through the home's connection, and looks it up again after every failure.

    A controller that was started anew may listen elsewhere.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._client: Client | None = None

    async def send(self, message: AgentEvent) -> Reply:
        """Deliver an agent's event.

        Raises:
            ClientError: no controller can be met.
        """
        client = self._client
        if client is None:
            client = self._client = connect(self._home)
        try:
            return await client.send(message)
        except ClientError:
            if self._client is client:
                self._client = None
            # Others may still wait on it; they fail by themselves and come back through the new one.
            with contextlib.suppress(ClientError):
                await client.close()
            raise

    async def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            await self._client.close()


INTERRUPTED = 130
"""Exit code after Ctrl-C, as a shell has it; a loop around `agent` is not to start the next one."""


def run_agent(home: Home, options: AgentOptions) -> int:
    """Be an agent process until it leaves; return its exit code."""
    options = replace(options, home=home)
    return guarded(lambda: asyncio.run(_live(home, options)), ignore_hangup=options.job_id is not None)


async def _live(home: Home, options: AgentOptions) -> int:
    client = ReturningClient(home)
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
