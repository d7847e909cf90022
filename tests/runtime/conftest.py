import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.settings import Home


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Give a directory of a short name: the kernel cuts the paths of sockets at about 100 bytes."""
    with tempfile.TemporaryDirectory(prefix="t-") as directory:
        yield Path(directory)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return Home(tmp_path / "home")
