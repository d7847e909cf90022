"""Builds one controller out of its rooms, opens it and closes it in the right order.

The same house is built in the dashboard's process (`embedded.py`) and by `tui-sweeps controller
run` (`standing.py`): own the home, open the store, start the engine, open the door on the socket,
say where it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

from controller.api.connection import Limits
from controller.api.spool import SpoolServer
from controller.client import connection
from controller.domain.agents import Job
from controller.domain.queries import Status
from controller.domain.states import SWEEP_OPEN
from controller.domain.timing import TIMING, Timing
from controller.engine.door import EngineDoor
from controller.engine.engine import Engine
from controller.engine.explaining import Explainer
from controller.engine.judging import Judge
from controller.engine.performing import HousePerformer
from controller.launch.local import LocalLauncher
from controller.launch.poller import Poller
from controller.launch.programs import Programs
from controller.launch.slurm import Slurm
from controller.runtime import descriptors, ownership, tcp
from controller.runtime.listening import Listening
from controller.runtime.outside import Outside
from controller.runtime.reachable import Reachable
from controller.settings import HOME_VARIABLE, VERSION, Home, slurm_poll_s
from controller.store import Store

log = logging.getLogger(__name__)

REFRESH_S = 10.0
"""How often the owner shows that it lives, for those who cannot see its lock from another host."""
BACKUP_S = 900.0
"""How often the store is copied when it has changed."""


class House:
    """A controller that is open."""

    def __init__(self, engine: Engine, door: EngineDoor, connected: connection.Connection) -> None:
        self.engine = engine
        self.door = door
        self.connection = connected

    @property
    def has_open_work(self) -> bool:
        """Say whether a sweep is open or an agent alive."""
        world = self.engine.world
        return any(s.state in SWEEP_OPEN for s in world.sweeps.values()) or any(world.agents_of.values())


@asynccontextmanager
async def open_house(
    home: Home,
    *,
    embedded: bool,
    takeover: bool = False,
    timing: Timing = TIMING,
    listen: Listening | None = None,
) -> AsyncIterator[House]:
    """Open a controller for `home`; it works until the context ends.

    Raises:
        OwnedError: another controller owns the home; the message says who.
        HomeError: the home cannot be made or is not ours alone.
        ListenError: there is no place for the socket, or the address to listen at cannot be used.
        StoreError: the store is damaged, newer than this program, or cannot be written.
    """
    owned = ownership.acquire(home, takeover=takeover)
    async with contextlib.AsyncExitStack() as closing:
        closing.callback(owned.release)
        n_socket, n_port = descriptors.shared_out(descriptors.raise_limit())
        descriptors.complain_seldom(asyncio.get_running_loop())
        store = Store.open(home.store)
        closing.callback(store.close)
        engine = Engine(store, timing=timing)
        explainer = Explainer()
        closing.callback(explainer.close)
        prepared = tcp.prepare(home, listen)
        started_at = time.time()

        def status() -> Status:
            return _status(home, engine, reachable, started_at, embedded=embedded)

        door = EngineDoor(engine, explainer, status)
        reachable = await Reachable.open(home, door, Limits(n_connections=n_socket))
        closing.push_async_callback(reachable.close)
        group = await closing.enter_async_context(asyncio.TaskGroup())
        performer = _performer(home, engine, group)
        engine.performer = performer
        closing.callback(performer.close)
        tasks = [
            group.create_task(engine.run()),
            group.create_task(_stay(owned, store, home, reachable)),
            group.create_task(SpoolServer(door, home.spool).run()),
        ]
        if (every_s := slurm_poll_s()) is not None:
            tasks.append(group.create_task(_poller(engine, every_s).run()))
        outside = Outside(home, door, group, lambda: engine.world, n_port)
        await outside.open(prepared)
        told = connection.Connection(
            host=socket.gethostname(),
            boot_id=connection.this_machine().boot_id,
            pid=os.getpid(),
            socket=str(reachable.path),
            wandb_url=outside.url,
            addresses=outside.addresses,
            authority=outside.authority,
            instance=owned.owner.instance,
            started_at=started_at,
            version=VERSION,
        )
        reachable.announce(told)
        following = group.create_task(outside.follow(reachable))
        try:
            yield House(engine, door, told)
        finally:
            engine.stop()
            following.cancel()
            await outside.close()
            await reachable.close()
            for task in tasks:
                task.cancel()


def _performer(home: Home, engine: Engine, group: asyncio.TaskGroup) -> HousePerformer:
    def spawn(work: Coroutine[None, None, None]) -> None:
        group.create_task(_guarded(work))

    return HousePerformer(
        post=engine.post,
        look=lambda: engine.world,
        judge=Judge(engine.store, engine.post),
        spawn=spawn,
        launcher=LocalLauncher(
            command=lambda job: agent_command(home, job),
            environment={**os.environ, HOME_VARIABLE: str(home.path)},
            logs=home.logs,
        ),
        cluster=Slurm(engine.post, Programs(os.environ)),
    )


def _poller(engine: Engine, every_s: float) -> Poller:
    return Poller(
        post=engine.post,
        look=lambda: engine.world,
        programs=Programs(os.environ),
        clock=engine.clock,
        every_s=every_s,
        timing=engine.timing,
    )


def agent_command(home: Home, job: Job) -> list[str]:
    """Return the argument list that starts the agent of a job."""
    count = [] if job.count is None else ["--count", str(job.count)]
    program = [sys.executable, "-m", "tui_sweeps", "agent", "--home", str(home.path)]
    return [*program, "--job", job.id, *count, job.sweep_id]


async def _guarded(work: Coroutine[None, None, None]) -> None:
    """An effect that fails is logged; it must not end the controller."""
    try:
        await work
    except Exception:
        log.exception("an effect failed")


async def _stay(owned: ownership.Ownership, store: Store, home: Home, reachable: Reachable) -> None:
    """Show that the owner lives and stay reachable; copy the store now and then."""
    copied_s = time.monotonic()
    while True:
        await asyncio.sleep(REFRESH_S)
        try:
            owned.refresh()
        except OSError:
            log.exception("the owner's mark could not be refreshed")
        try:
            await reachable.look()
        except OSError:
            log.exception("the socket could not be made anew")
        if time.monotonic() - copied_s >= BACKUP_S:
            copied_s = time.monotonic()
            try:
                await asyncio.to_thread(store.backup, home.backups)
            except Exception:
                log.exception("the store could not be copied")


def _status(home: Home, engine: Engine, reachable: Reachable, started_at: float, *, embedded: bool) -> Status:
    times = os.times()
    told = reachable.connection
    return Status(
        pid=os.getpid(),
        host=socket.gethostname(),
        home=str(home.path),
        socket=str(reachable.path),
        listen=told.wandb_url if told else "",
        addresses=told.addresses if told else (),
        started_at=started_at,
        n_agents=sum(map(len, engine.world.agents_of.values())),
        version=VERSION,
        embedded=embedded,
        cpu_s=times.user + times.system,
        storage=engine.storage,
    )
