from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.api.listener import ListenError
from controller.runtime.endpoint import prepare_socket
from controller.settings import Home


@pytest.fixture
def short() -> Iterator[Path]:
    """Give a directory of a short name: the kernel cuts the paths of sockets at about 100 bytes."""
    with tempfile.TemporaryDirectory(prefix="t-") as directory:
        yield Path(directory)


def test_socket_is_placed_in_the_first_directory_that_can_be_used(short: Path) -> None:
    bad = short / "open"
    bad.mkdir()
    bad.chmod(0o755)
    good = short / "good"
    socket = prepare_socket(Home(short), [short / "missing" / "x", bad, short / ("long" * 30), good])
    assert socket.parent == good
    assert good.stat().st_mode & 0o777 == 0o700


def test_socket_has_no_place_when_every_directory_is_refused(short: Path) -> None:
    (short / "link").symlink_to(short)
    shared = short / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(ListenError) as caught:
        prepare_socket(Home(short), [short / "link", shared / "mine"])
    assert "symlink" in str(caught.value)
    assert "may rename" in str(caught.value)
    assert "XDG_RUNTIME_DIR" in caught.value.hint
