"""The real controller behind every door: the contract of a client holds over the socket and embedded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from controller.client.connection import connect
from controller.client.door import Client
from controller.runtime.embedded import EmbeddedController
from controller.runtime.house import open_house
from controller.settings import Home
from tests.client.contract import ClientContract


class TestHouse(ClientContract):
    n_kept = 32

    @pytest.fixture(autouse=True)
    def _small_and_apart(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        monkeypatch.setattr("controller.engine.feed.KEPT_BATCHES", self.n_kept)

    @asynccontextmanager
    async def opened(self, directory: Path) -> AsyncIterator[Client]:
        home = Home(directory / "home")
        async with open_house(home, embedded=False):
            client = connect(home, timeout_s=60.0)  # a loaded machine takes its time
            try:
                yield client
            finally:
                await client.close()


class TestEmbedded(TestHouse):
    @asynccontextmanager
    async def opened(self, directory: Path) -> AsyncIterator[Client]:
        controller = EmbeddedController(Home(directory / "home"))
        controller.open()
        try:
            yield controller.door()
        finally:
            controller.close()
