"""A day with the real client: many stories told at once, because most of each is the client's own waiting.

The client looks up every 5 s and takes seconds to start, so stories one after another would take minutes in
which the machine does nothing. They share one controller, which must keep them apart; each has a desk of its
own and is a test of its own, which waits for its story's end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.wandb_api.lab import Desk, WandbLab

N_AT_ONCE = 7
"""More would only wait for a core."""
LIMIT_S = 600.0
"""For one story, with all that is told beside it on a loaded machine; it needs a fifth of it."""

Story = Callable[[Desk], None]


class Day:
    """One controller and the stories that are told on it."""

    def __init__(self, stories: Iterable[Story]) -> None:
        self.lab = WandbLab()
        self.lab.open()
        self._tellers = ThreadPoolExecutor(N_AT_ONCE)
        self._told: dict[Story, Future[None]] = {
            story: self._tellers.submit(self._tell, story, n) for n, story in enumerate(stories)
        }

    def _tell(self, story: Story, n: int) -> None:
        desk = Desk(self.lab, f"desk-{n}")
        try:
            story(desk)
        finally:
            desk.close()

    def wait_for(self, story: Story) -> None:
        """Wait for a story's end; raise what it raised."""
        self._told[story].result(LIMIT_S)

    def close(self) -> None:
        self._tellers.shutdown(wait=False, cancel_futures=True)
        self.lab.close()


def at_once(story: Story) -> Callable[[Day], None]:
    """Make a test of a story that is told at the same time as the others that were chosen."""

    def test(day: Day) -> None:
        day.wait_for(story)

    test.__name__, test.__module__, test.__doc__ = story.__name__, story.__module__, story.__doc__
    test.story = story  # type: ignore[attr-defined]
    marked: Callable[[Day], None] = pytest.mark.timeout(LIMIT_S)(pytest.mark.xdist_group("wandb")(test))
    return marked
