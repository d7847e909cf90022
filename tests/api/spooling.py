"""A spool that is served in a hurry, and what may be put into it past the client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from controller.api.spool import Pace, SpoolServer
from controller.client import letters
from controller.client.door import Client

QUICK = Pace(busy_s=0.005, idle_s=0.02, trouble_s=0.01, away_s=0.01)
INSTANCE = "0123456789abcdef"


@asynccontextmanager
async def served(door: Client, spool: Path, pace: Pace = QUICK) -> AsyncIterator[SpoolServer]:
    server = SpoolServer(door, spool, pace)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(server.run())
        try:
            yield server
        finally:
            running.cancel()


async def made(spool: Path) -> None:
    """Wait until the server has made its directories."""
    async with asyncio.timeout(20):
        while not (spool / letters.ANSWERS).is_dir():  # noqa: ASYNC110 (another task makes them in a thread)
            await asyncio.sleep(0.001)


def put(spool: Path, name: str, text: bytes) -> Path:
    path = spool / letters.REQUESTS / name
    path.write_bytes(text)
    path.chmod(0o600)
    return path


async def gone(path: Path) -> None:
    async with asyncio.timeout(20):
        while path.exists():  # noqa: ASYNC110, ASYNC240 (a file tells nobody when it goes)
            await asyncio.sleep(0.005)
