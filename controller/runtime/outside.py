"""What listens for other hosts and W&B's client now, kept in step with what was chosen for the home.

`controller start --listen …` writes the choice down and the controller that runs takes it up: nobody has to
end one, and with it a dashboard, to let nodes in.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from controller.api.listener import ListenError
from controller.client.door import Client
from controller.domain.world import World
from controller.runtime.listening import saved
from controller.runtime.reachable import Reachable
from controller.runtime.tcp import Listener, Prepared, open_listener, prepare
from controller.settings import Home

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""How often the choice is looked at: one question to the file system."""


class Outside:
    """One controller's listener, or none."""

    def __init__(
        self,
        home: Home,
        door: Client,
        tasks: asyncio.TaskGroup,
        look: Callable[[], World],
        n_connections: int,
    ) -> None:
        self._home = home
        self._door = door
        self._tasks = tasks
        self._look = look
        self._n_connections = n_connections
        self._listener: Listener | None = None
        self._prepared: Prepared | None = None
        self._mark = self._seen()

    @property
    def url(self) -> str:
        """What `WANDB_BASE_URL` must say; empty: nothing listens."""
        return self._listener.url if self._listener else ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where other hosts may find us."""
        return self._prepared.addresses if self._prepared else ()

    @property
    def authority(self) -> str:
        """Certificate (PEM) by which they know that it is us."""
        return self._prepared.authority if self._prepared else ""

    async def open(self, prepared: Prepared | None) -> None:
        """Serve what was prepared."""
        self._mark, self._prepared = self._seen(), prepared
        if prepared is not None:
            self._listener = await open_listener(
                prepared, self._door, self._tasks, self._look, self._n_connections
            )

    async def follow(self, reachable: Reachable) -> None:
        """Take up every later choice, and say where we are then, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self._seen() == self._mark:
                continue
            chosen = saved(self._home)
            port = self._prepared.port if self._prepared else 0
            await self.close()
            prepared = None
            if chosen is not None:
                try:
                    prepared = await asyncio.to_thread(prepare, self._home, chosen, port)
                except ListenError as error:
                    log.error("%s (%s); nothing listens for other hosts now", error, error.hint)
            await self.open(prepared)
            reachable.announce_outside(self.url, self.addresses, self.authority)
            log.info("listening at %s", ", ".join(self.addresses) or self.url or "the socket only")

    async def close(self) -> None:
        """Accept nothing more; can be repeated."""
        listener, self._listener, self._prepared = self._listener, None, None
        if listener is not None:
            await listener.close()

    def _seen(self) -> tuple[int, int] | None:
        with contextlib.suppress(OSError):
            found = self._home.listen.stat()
            return found.st_mtime_ns, found.st_ino
        return None
