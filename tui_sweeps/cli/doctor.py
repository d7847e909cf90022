"""`doctor`: looks at everything the program stands on, and says per line what to do.

It starts nothing and leaves nothing behind; the one thing it may make is the private directory for the
socket, by the very function the controller uses.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import socket
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from msgspec import to_builtins

from controller.client import connection
from controller.client.door import ClientError, DeniedError
from controller.domain.queries import GetStatus, Status
from controller.runtime.endpoint import ListenError, prepare_socket
from controller.runtime.lockfile import is_alive
from controller.runtime.ownership import read_owner
from controller.settings import VERSION, Home
from tui_sweeps import format as form
from tui_sweeps.cli import soundness, surroundings
from tui_sweeps.cli.cluster import probe_cluster, slurm
from tui_sweeps.cli.outcomes import UsageError
from tui_sweeps.cli.output import document, say
from tui_sweeps.cli.surroundings import Finding, Level, fine, warn, wrong

PATIENCE_S = 5.0
"""How long a controller may take to answer."""
RECORDS_S = 60.0
"""How long the look at everything that is recorded may take."""


async def doctor(options: Namespace, home: Home) -> int:
    """Print the findings; exit code 1 when one of them is a problem."""
    if options.slurm:
        return await probe_cluster(options, home)
    if options.sbatch_args:
        raise UsageError("arguments for sbatch go with --slurm", "tui-sweeps doctor --slurm -- -p PARTITION")
    findings = [*_surroundings(home), *_socket(home), *await slurm(os.environ)]
    async for finding in _controller(home):
        findings.append(finding)
    n_problems = sum(finding.level is Level.PROBLEM for finding in findings)
    if options.json:
        document({"ok": n_problems == 0, "checks": [to_builtins(finding) for finding in findings]})
        return 1 if n_problems else 0
    for finding in findings:
        say(f"{finding.level:7}  {finding.subject:11}  {finding.text}")
        if finding.hint:
            say(f"{'':22}{finding.hint}")
    say()
    say(_verdict(findings, n_problems))
    return 1 if n_problems else 0


def _verdict(findings: list[Finding], n_problems: int) -> str:
    n_warnings = sum(finding.level is Level.WARNING for finding in findings)
    if not n_problems and not n_warnings:
        return "everything is in order"
    return f"{n_problems} problem(s), {n_warnings} warning(s)"


def _surroundings(home: Home) -> Iterator[Finding]:
    yield surroundings.python(sys.version_info[:3])
    is_tty = sys.stdin.isatty() and sys.stdout.isatty()
    size = shutil.get_terminal_size()
    yield from surroundings.terminal(os.environ, is_tty, (size.columns, size.lines))
    yield from surroundings.home(home.path, os.getuid())
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    yield from surroundings.login(os.environ, user)


def _socket(home: Home) -> Iterator[Finding]:
    """Judge the runtime directory by using it as the controller would."""
    try:
        path = prepare_socket(home)
        _try_binding(path.with_name(f".doctor-{os.getpid()}"))
    except ListenError as error:
        yield wrong("socket", str(error), error.hint)
    except OSError as error:
        yield wrong(
            "socket",
            f"no socket can be made in {path.parent}: {error.strerror}",
            "set XDG_RUNTIME_DIR to a directory of yours on a local disk",
        )
    else:
        yield fine("socket", str(path))


def _try_binding(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.bind(os.fspath(path))
        path.unlink()


async def _controller(home: Home) -> AsyncIterator[Finding]:
    try:
        client = connection.connect(home)
    except DeniedError as error:
        yield wrong("controller", str(error), error.hint)
        return
    except ClientError as error:
        async for finding in _alone(home, error):
            yield finding
        return
    try:
        async with asyncio.timeout(PATIENCE_S):
            status = await client.ask(GetStatus())
        if isinstance(status, Status):
            for finding in _judged(status):
                yield finding
            async with asyncio.timeout(RECORDS_S):
                for finding in await soundness.through_controller(client):
                    yield finding
    except TimeoutError:
        yield wrong(
            "controller",
            f"it does not answer within {PATIENCE_S:.0f} s",
            f"see {home.logs / 'controller.log'}; `tui-sweeps controller stop` ends it, agents go on",
        )
    except ClientError as error:
        async for finding in _alone(home, error):
            yield finding
    finally:
        await client.close()


async def _alone(home: Home, error: ClientError) -> AsyncIterator[Finding]:
    """Judge a home whose controller cannot be met, and what is recorded there if none runs at all."""
    found = _absent(home, error)
    yield found
    if found.level is Level.OK:
        for finding in await soundness.in_store(home):
            yield finding


def _absent(home: Home, error: ClientError) -> Finding:
    """Tell a controller that is not wanted from one that is there and cannot be reached."""
    owner = read_owner(home)
    here = owner is not None and connection.this_machine().is_same(owner.host, owner.boot_id)
    if owner is None or (here and not is_alive(owner)):
        return fine("controller", "none runs", "the dashboard, `sweep` and `run` start one")
    if here:
        return wrong(
            "controller",
            f"pid {owner.pid} owns the home and cannot be reached: {error}",
            "wait if it is just starting; else `tui-sweeps controller stop`, agents go on meanwhile",
        )
    return warn("controller", str(error), error.hint)


def _judged(status: Status) -> Iterator[Finding]:
    where = "in a dashboard" if status.embedded else "by itself"
    since = form.clock(status.started_at)
    text = f"pid {status.pid} on {status.host}, {where}, since {since}; {status.n_agents} agent(s)"
    if status.version != VERSION:
        yield warn(
            "controller",
            f"{text}; version {status.version}, this is {VERSION}",
            "`tui-sweeps controller stop`, then start again: agents and sweeps go on",
        )
    else:
        yield fine("controller", text)
    if status.addresses:
        yield fine("listening", f"{', '.join(status.addresses)}; `doctor --slurm` tries them from a node")
    elif status.listen:
        yield fine("listening", f"{status.listen}; other hosts reach it through files only")
    else:
        yield fine("listening", "on its socket only; other hosts reach it through files")
    yield fine("CPU used", f"{status.cpu_s / 60:.1f} minutes by the controller")
    if status.storage != "ok":
        yield wrong("storage", status.storage, "make room or mend the disk; it goes on by itself then")
    else:
        yield fine("storage", "ok")
