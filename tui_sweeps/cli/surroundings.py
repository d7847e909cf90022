"""What can be seen of this machine, terminal and home without a controller; looks, and changes nothing.

Every function takes what it judges as arguments where a test must be able to choose it, and returns
findings as data; `tui_sweeps.cli.doctor` prints them.
"""

from __future__ import annotations

import os
import resource
import stat
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from controller.store.place import MOUNTS, file_system, is_network
from tui_sweeps import format as form

LEAST_PYTHON = (3, 11)
LEAST_COLUMNS, LEAST_LINES = 80, 24
"""The smallest terminal the screens are drawn for."""
LOW_BYTES, SCARCE_BYTES = 2_000_000_000, 100_000_000
"""Free space that earns a warning, and a problem: a store of 10,000 runs takes about a gigabyte."""
SLOW_FSYNC_S = 0.05
"""Every batch of reports waits for one fsync; slower than this, the screen lags behind the runs."""
N_FSYNCS = 5
LEAST_FILES = 512
"""Open files: a controller keeps about two for each agent."""
LINGER = Path("/var/lib/systemd/linger")
LOGIND = Path("/etc/systemd")


class Level(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(Struct, frozen=True, kw_only=True):
    """One line of the report."""

    subject: str
    level: Level
    text: str
    hint: str = ""
    """What to do; empty where there is nothing to do."""


def fine(subject: str, text: str, hint: str = "") -> Finding:
    """Return a finding that needs no attention."""
    return Finding(subject=subject, level=Level.OK, text=text, hint=hint)


def warn(subject: str, text: str, hint: str) -> Finding:
    """Return a finding to know about."""
    return Finding(subject=subject, level=Level.WARNING, text=text, hint=hint)


def wrong(subject: str, text: str, hint: str) -> Finding:
    """Return a finding that keeps the program from working."""
    return Finding(subject=subject, level=Level.PROBLEM, text=text, hint=hint)


def python(version: tuple[int, ...]) -> Finding:
    """Judge the interpreter: agents started from here run training with it."""
    text = f"{'.'.join(map(str, version))} at {sys.executable}"
    if version < LEAST_PYTHON:
        return wrong("python", text, "tui-sweeps needs Python 3.11 or newer")
    return fine("python", text)


def terminal(environ: Mapping[str, str], is_tty: bool, size: tuple[int, int]) -> Iterator[Finding]:
    """Judge the terminal by what it says of itself; `size` is (columns, lines)."""
    term = environ.get("TERM", "")
    if not is_tty:
        yield warn(
            "terminal", "input or output is no terminal", "the dashboard needs one; elsewhere use `watch`"
        )
    elif term in ("", "dumb", "unknown"):
        yield warn(
            "terminal", f"TERM={term or '(unset)'} cannot draw", "use `watch`, or set TERM=xterm-256color"
        )
    else:
        columns, lines = size
        text = f"TERM={term}, {columns}x{lines}"
        if columns < LEAST_COLUMNS or lines < LEAST_LINES:
            yield warn("terminal", text, f"make it {LEAST_COLUMNS}x{LEAST_LINES} or larger; columns are cut")
        else:
            yield fine("terminal", text)
    if form.speaks_unicode(environ):
        yield fine("characters", "UTF-8")
    else:
        yield warn(
            "characters",
            "ASCII only; charts are coarser",
            "set LANG to a UTF-8 locale, for instance C.UTF-8",
        )
    yield _colours(environ)


def _colours(environ: Mapping[str, str]) -> Finding:
    depth = form.colour_depth(environ)
    if depth is form.ColourDepth.NONE:
        return fine("colours", "none; states are told by marks and words")
    if depth is form.ColourDepth.STANDARD:
        return fine("colours", "16", "if the terminal has more, set TERM=xterm-256color")
    return fine("colours", "24 bit" if depth is form.ColourDepth.TRUE else "256")


def home(path: Path, uid: int) -> Iterator[Finding]:
    """Judge the home's directory, or the place where it would be made."""
    place = _nearest(path)
    if place == path:
        yield _ownership(path, uid)
    elif os.access(place, os.W_OK | os.X_OK) and place.is_dir():
        yield fine("home", f"{path} (not there yet; it will be made)")
    else:
        yield wrong(
            "home", f"{path} cannot be made: {place} is not writable", "choose another with TUI_SWEEPS_HOME"
        )
        return
    yield _space(place)
    yield _file_system(place)
    if os.access(place, os.W_OK):
        yield _fsync(place)


def _nearest(path: Path) -> Path:
    """Return the path itself, or the nearest ancestor that exists."""
    return next(place for place in (path, *path.parents) if place.exists() or place == place.parent)


def _ownership(path: Path, uid: int) -> Finding:
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    text = f"{path} (mode {mode:04o})"
    if not stat.S_ISDIR(found.st_mode):
        return wrong("home", f"{path} is no directory", "choose another with TUI_SWEEPS_HOME")
    if found.st_uid != uid:
        return wrong("home", f"{path} belongs to uid {found.st_uid}", "choose one of yours: TUI_SWEEPS_HOME")
    if mode & 0o022:
        return wrong("home", f"{text}: others may write to it", f"chmod 700 {path}")
    if mode & 0o077:
        return warn("home", f"{text}: others may look into it", f"chmod 700 {path}")
    return fine("home", text)


def _space(place: Path) -> Finding:
    found = os.statvfs(place)
    free = found.f_bavail * found.f_frsize
    text = f"{free / 1e9:,.1f} GB free"
    if found.f_files and not found.f_favail:
        return wrong("space", f"{text}, but no file can be made (inodes used up)", "remove files, or move it")
    if free < SCARCE_BYTES:
        return wrong("space", text, "make room, or choose another home with TUI_SWEEPS_HOME")
    if free < LOW_BYTES:
        return warn(
            "space", text, "when it is full the controller pauses recording; agents keep their spools"
        )
    return fine("space", text)


def _file_system(place: Path) -> Finding:
    try:
        kind = file_system(Path(os.path.realpath(place)), MOUNTS.read_text(errors="surrogateescape"))
    except OSError:
        kind = ""
    if is_network(place):
        return warn(
            "file system",
            f"{kind}, a network file system",
            "it works, more slowly and for one host at a time; a local disk is better: TUI_SWEEPS_HOME",
        )
    return fine("file system", kind or "unknown")


def _fsync(place: Path) -> Finding:
    taken = []
    try:
        # Without a name where the system can do that: nothing is left behind, whatever happens.
        with tempfile.TemporaryFile(dir=place) as file:
            for _ in range(N_FSYNCS):
                file.write(b"\0" * 4096)
                file.flush()
                began_s = time.perf_counter()
                os.fsync(file.fileno())
                taken.append(time.perf_counter() - began_s)
    except OSError as error:
        return wrong("fsync", f"cannot write in {place}: {error.strerror}", "see the lines above")
    middle_s = statistics.median(taken)
    text = f"{1000 * middle_s:.1f} ms for 4 kB"
    if middle_s > SLOW_FSYNC_S:
        return warn("fsync", text, "every batch waits that long; a local disk is better: TUI_SWEEPS_HOME")
    return fine("fsync", text)


def login(environ: Mapping[str, str], user: str) -> Iterator[Finding]:
    """Look for what ends or limits processes that stay behind after a login."""
    seconds = resource.getrlimit(resource.RLIMIT_CPU)[0]
    if seconds != resource.RLIM_INFINITY:
        yield warn(
            "CPU limit",
            f"a process ends after {seconds / 60:,.0f} CPU minutes here",
            "run the controller where there is none; `controller status` says what it has used",
        )
    n_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if n_files != resource.RLIM_INFINITY and n_files < LEAST_FILES:
        yield warn("open files", f"at most {n_files}", f"ulimit -n {LEAST_FILES}, or more for many agents")
    lingers = (LINGER / user).exists()
    if _kills_user_processes(LOGIND) and not lingers:
        yield warn(
            "logout",
            "systemd ends all your processes when you log out (KillUserProcesses)",
            "loginctl enable-linger, or start from a session that stays",
        )
    elif environ.get("XDG_RUNTIME_DIR", "").startswith("/run/user/") and not lingers:
        yield warn(
            "logout",
            f"{environ['XDG_RUNTIME_DIR']} and the socket in it go when your last login ends",
            "loginctl enable-linger, or unset XDG_RUNTIME_DIR before the controller starts",
        )
    else:
        yield fine("logout", "nothing seen that would end a detached controller")


def _kills_user_processes(place: Path) -> bool:
    answer = False
    for path in (place / "logind.conf", *sorted(place.glob("logind.conf.d/*.conf"))):
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, value = line.partition("=")
            if key.strip() == "KillUserProcesses":
                answer = value.strip().lower() in ("yes", "true", "on", "1")
    return answer
