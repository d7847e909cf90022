"""The controller inside the dashboard's process: a thread and an event loop of its own.

A terminal that is not read, a slow repaint or a modal question must never make an agent wait, so
nothing of the dashboard runs on this loop. When the dashboard goes and work is open, the controller is
handed over to a process of its own, which loads the same store: the same code as any start.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from concurrent.futures import Future

from controller.engine.door import ThreadDoor
from controller.runtime import standing
from controller.runtime.house import House, open_house
from controller.settings import Home

log = logging.getLogger(__name__)


class EmbeddedController:
    """A controller on a thread of this process."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._opened: Future[House] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._main, name="controller", daemon=True)

    def open(self) -> None:
        """Start the thread and wait until the controller is open.

        Raises:
            OwnedError: another controller owns the home.
            StoreError: the store cannot be used.
        """
        self._thread.start()
        self._opened.result()

    @property
    def house(self) -> House:
        """The open house."""
        return self._opened.result()

    def door(self) -> ThreadDoor:
        """Return a client for use on any other loop."""
        assert self._loop is not None
        return ThreadDoor(self.house.door, self._loop)

    @property
    def has_open_work(self) -> bool:
        """Say whether a sweep is open or an agent alive."""
        return self.house.has_open_work

    def hand_over(self) -> int:
        """Start a controller process that waits for the home, close this one; return its pid."""
        pid = standing.start_detached(self._home)
        self.close()
        return pid

    def close(self) -> None:
        """Close the controller and wait for its thread."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=10.0)

    def _main(self) -> None:
        asyncio.run(self._live())

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            async with open_house(self._home, embedded=True) as house:
                log.info("controller %s open for %s, inside the dashboard", os.getpid(), self._home.path)
                self._opened.set_result(house)
                await self._stop.wait()
            log.info("controller %s closed", os.getpid())
        except BaseException as error:
            if not self._opened.done():
                self._opened.set_exception(error)
                return
            raise
