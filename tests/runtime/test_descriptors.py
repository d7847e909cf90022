"""Open files are many enough for many agents, and connections never take all of them."""

from __future__ import annotations

import asyncio
import logging
import resource

import pytest

from controller.runtime import descriptors
from controller.runtime.descriptors import MOST, RESERVED, complain_seldom, raise_limit, shared_out


@pytest.mark.parametrize(
    ("soft", "hard", "now"),
    [
        (1024, 4096, 4096),
        (1024, 1_000_000, MOST),
        (1024, resource.RLIM_INFINITY, MOST),
        (4096, 4096, 4096),
        (100_000, 1_000_000, 100_000),
    ],
)
def test_soft_limit_is_raised_as_far_as_it_may_go(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, now: int
) -> None:
    limits = [(soft, hard)]
    monkeypatch.setattr(descriptors.resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(descriptors.resource, "setrlimit", lambda _, new: limits.append(new))
    assert raise_limit() == now
    assert limits[-1] == (now, hard)


@pytest.mark.parametrize("n_files", [64, 256, 1024, 65536])
def test_connections_leave_files_for_everything_else(n_files: int) -> None:
    n_socket, n_port = shared_out(n_files)
    assert n_socket > 0
    assert n_port > 0
    assert n_socket + n_port <= max(n_files - RESERVED, 64)


def test_lack_of_files_is_said_once_and_other_faults_always(caplog: pytest.LogCaptureFixture) -> None:
    async def script() -> None:
        loop = asyncio.get_running_loop()
        complain_seldom(loop)
        for _ in range(1000):
            loop.call_exception_handler(
                {"message": "socket.accept() out of system resource", "exception": OSError(24, "too many")}
            )
        for _ in range(2):
            loop.call_exception_handler({"message": "something else"})

    with caplog.at_level(logging.ERROR):
        asyncio.run(script())
    assert caplog.text.count("no more files") == 1
    assert caplog.text.count("something else") == 2
