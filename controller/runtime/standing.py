"""The controller as a process of its own: `tui-sweeps controller run`, and how others start it."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
import subprocess
import sys
import time

from controller.client import connection
from controller.client.door import UnreachableError
from controller.runtime.house import House, open_house
from controller.runtime.listening import Listening
from controller.runtime.lockfile import Owner, is_alive
from controller.runtime.logfile import log_to, make_logs
from controller.runtime.ownership import OwnedError, make_home, read_owner
from controller.settings import Home

log = logging.getLogger(__name__)

WAIT_S = 20.0
"""How long a starting controller waits for the one before it to let go, and others for it to answer."""
STEP_S = 0.05
N_WORDS_LINES = 12


def run_controller(
    home: Home,
    *,
    takeover: bool = False,
    wait_s: float = 0.0,
    idle_exit_s: float | None = None,
    listen: Listening | None = None,
) -> None:
    """Own the home and work until SIGTERM or SIGINT; a hang-up is ignored.

    `wait_s`: how long to wait for another owner to let go. `idle_exit_s`: end by itself after so long
    without open work. `listen`: where to listen for other hosts and W&B's client; None: where it
    was chosen last.

    Raises:
        OwnedError: another controller owns the home.
        ListenError: the address cannot be used.
        HomeError: the home cannot be made or is not ours alone.
        StoreError: the store cannot be used.
    """
    make_home(home)
    log_to(home.logs / "controller.log")
    asyncio.run(_run(home, takeover=takeover, wait_s=wait_s, idle_exit_s=idle_exit_s, listen=listen))


async def _run(
    home: Home, *, takeover: bool, wait_s: float, idle_exit_s: float | None, listen: Listening | None
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            async with open_house(home, embedded=False, takeover=takeover, listen=listen) as house:
                log.info("controller %s open for %s", os.getpid(), home.path)
                await _until_done(house, stop, idle_exit_s)
            log.info("controller %s closed", os.getpid())
            return
        except OwnedError:
            if time.monotonic() >= deadline or stop.is_set():
                raise
            await asyncio.sleep(STEP_S)


async def _until_done(house: House, stop: asyncio.Event, idle_exit_s: float | None) -> None:
    idle_since = time.monotonic()
    while True:
        try:
            await asyncio.wait_for(stop.wait(), timeout=idle_exit_s and min(30.0, idle_exit_s))
            return
        except TimeoutError:
            pass
        if house.has_open_work:
            idle_since = time.monotonic()
        elif idle_exit_s is not None and time.monotonic() - idle_since >= idle_exit_s:
            log.info("no open work for %.0f s: leaving", idle_exit_s)
            return


def start_detached(home: Home, *, idle_exit_s: float | None = None, wait_s: float = WAIT_S) -> int:
    """Start a controller in a session of its own and return its pid; it waits for the present owner.

    Raises:
        HomeError: the home cannot be made or is not ours alone.
    """
    make_home(home)
    make_logs(home.logs)
    idle = [] if idle_exit_s is None else ["--idle-exit", str(idle_exit_s)]
    argv = [sys.executable, "-m", "tui_sweeps", "controller", "run", "--home", str(home.path)]
    output = os.open(home.logs / "controller.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            [*argv, "--wait", str(wait_s), *idle],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
        )
    finally:
        os.close(output)
    # It outlives us by design; nobody waits for it here.
    process.returncode = 0
    return process.pid


def wait_until_reachable(
    home: Home, *, wait_s: float = WAIT_S, other_than: int | None = None, starting: int | None = None
) -> bool:
    """Wait until a living controller of this machine says where it is; False when that is in vain.

    `other_than`: pid of the controller that is on its way out. `starting`: pid of a child that should
    become the controller; when it ends there is nothing left to wait for.
    """
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        found, owner = connection.read(home.connection), read_owner(home)
        # A killed controller leaves its connection file and its socket behind.
        same = found is not None and owner is not None and owner.instance == found.instance
        if same and found and owner and _is_here(owner) and found.pid != other_than:
            return True
        if starting is not None and _has_ended(starting):
            return False
        time.sleep(STEP_S)
    return False


def ensure_controller(home: Home, *, idle_exit_s: float | None = 900.0) -> bool:
    """Make sure that a controller answers for `home`; return True when one had to be started.

    One on another host is taken at its word when it listens for other hosts: whoever connects finds out.

    Raises:
        UnreachableError: none could be started; the message is the starting controller's own.
    """
    owner = read_owner(home)
    if owner is not None and _is_here(owner) and wait_until_reachable(home):
        return False
    found = connection.read(home.connection)
    if owner and found and found.instance == owner.instance and found.addresses and not _is_near(owner):
        return False
    n_said_bytes = _n_said_bytes(home)
    pid = start_detached(home, idle_exit_s=idle_exit_s, wait_s=0.0)
    if not wait_until_reachable(home, starting=pid):
        raise UnreachableError(
            f"no controller could be started for {home.path}", _words_after(home, n_said_bytes)
        )
    return True


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _n_said_bytes(home: Home) -> int:
    try:
        return (home.logs / "controller.out").stat().st_size
    except OSError:
        return 0


def _words_after(home: Home, n_said_bytes: int) -> str:
    """Return what a controller that did not come up had to say: all of it, the reason stands first."""
    try:
        said = (home.logs / "controller.out").read_bytes()[n_said_bytes:]
    except OSError:
        said = b""
    lines = [line.strip() for line in said.decode("utf-8", "replace").strip().splitlines()]
    return "\n  ".join(lines[:N_WORDS_LINES]) if lines else f"see {home.logs}"


def _is_here(owner: Owner) -> bool:
    # An owner on another host cannot be checked from here; starting one says who it is.
    return _is_near(owner) and is_alive(owner)


def _is_near(owner: Owner) -> bool:
    return connection.this_machine().is_same(owner.host, owner.boot_id)


def stop_controller(pid: int, *, wait_s: float = WAIT_S) -> bool:
    """End a controller of ours by SIGTERM and wait until it is gone."""
    fd = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(fd, signal.SIGTERM)
        # A pidfd is readable once its process has ended, also while nobody has collected it.
        ended, _, _ = select.select([fd], [], [], wait_s)
        return bool(ended)
    finally:
        os.close(fd)
