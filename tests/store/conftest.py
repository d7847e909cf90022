from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "store.sqlite3"


@pytest.fixture(params=["local", "network"])
def store(path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A young store, once with its own readers and once with everything through the one connection."""
    monkeypatch.setattr("controller.store.store.is_network", lambda _: request.param == "network")
    opened = Store.open(path)
    assert opened.network is (request.param == "network")
    yield opened
    opened.close()
