"""Starts work beside the message loop; given as a function, so that work cancelled at once leaves nothing."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from textual.dom import DOMNode

LEADING = frozenset({"create", "submit", "read"})
"""Groups of work at whose end a screen is opened or closed: keys wait for it."""


def start_work(
    owner: DOMNode,
    work: Callable[..., Coroutine[Any, Any, Any]],
    *arguments: Any,
    group: str = "default",
    exclusive: bool = False,
    exit_on_error: bool = False,
) -> None:
    """Run `work(*arguments)` as a worker; with `exclusive`, others of its group are cancelled."""
    started: Any = partial(work, *arguments)
    owner.run_worker(started, group=group, exclusive=exclusive, exit_on_error=exit_on_error)
