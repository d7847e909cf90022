from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from controller.api.server import serve
from controller.client.door import Client
from controller.client.http import HttpClient
from controller.client.ways import SocketWay
from tests.client.contract import ClientContract
from tests.client.fake import N_KEPT, FakeDoor


class TestFakeDoor(ClientContract):
    n_kept = N_KEPT

    @asynccontextmanager
    async def opened(self, directory: Path) -> AsyncIterator[Client]:
        yield FakeDoor()


class TestHttpClient(ClientContract):
    n_kept = N_KEPT

    @asynccontextmanager
    async def opened(self, directory: Path) -> AsyncIterator[Client]:
        socket = directory / "private" / "c.sock"
        server = await serve(FakeDoor(), socket)
        client = HttpClient(SocketWay(socket))
        try:
            yield client
        finally:
            await client.close()
            await server.close()
