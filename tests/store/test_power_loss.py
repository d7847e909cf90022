"""What was acknowledged survives a power loss: every disk that could be left behind is opened (D1).

The child runs under strace. Writes that were not followed by a sync may be on the disk, in part, or not
at all; for each moment of the trace such disks are built and opened. Killing a process cannot show this:
the system still has what it wrote.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from controller.store import Store, StoreError
from tests.store.child import N_IN_FLIGHT
from tests.store.test_crashes import whole_up_to

N_TRANSACTIONS = 60
N_RANDOM = 2
SECTOR_BYTES = 512
"""What a disk writes whole."""

Write = tuple[int, bytes | None]
"""Offset and bytes; without bytes the file is cut there."""


@dataclass
class File:
    """One file: what is surely on the disk, and what was written since."""

    durable: bytes = b""
    pending: list[Write] = field(default_factory=list)

    def sync(self) -> None:
        self.durable, self.pending = self.after(self.pending), []

    def after(self, writes: list[Write]) -> bytes:
        body = bytearray(self.durable)
        for offset, data in writes:
            if data is None:
                body = body[:offset] + bytes(max(0, offset - len(body)))
            else:
                body += bytes(max(0, offset - len(body)))
                body[offset : offset + len(data)] = data
        return bytes(body)

    def possible(self, dice: random.Random) -> Iterator[bytes]:
        yield self.after([])
        yield self.after(self.pending)
        for _ in range(N_RANDOM):
            yield self.after([write for write in self.pending if dice.random() < 0.5])
        torn = list(self.pending)
        if torn and (data := torn[-1][1]) is not None:
            n_sectors = len(data) // SECTOR_BYTES
            torn[-1] = torn[-1][0], data[: dice.randint(0, n_sectors) * SECTOR_BYTES]
        yield self.after(torn)


def unescaped(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


CALL = re.compile(r'^(\w+)\((?:(\d+)<(.*?)>|"(.*?)")(.*)\) += (-?\d+)')
DATA = re.compile(r'^, "(.*?)", (\d+)(?:, (\d+))?')


def calls(trace: str) -> Iterator[tuple[str, int, str, str, int]]:
    """Yield (call, descriptor, path, further arguments, result) with interrupted calls put together."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        pid, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            begun[pid] = text.removesuffix("<unfinished ...>").rstrip()
            continue
        if resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", text):
            text = begun.pop(pid) + resumed[1]
        if found := CALL.match(text):
            call, descriptor, path, name, rest, result = found.groups()
            place = path if path is not None else name
            if place.startswith("\\x"):
                place = unescaped(place).decode()
            yield call, int(descriptor or -1), place, rest, int(result)


def moments(trace: str, files: dict[str, File]) -> Iterator[int]:
    """Follow the trace; after each event that changed the disk yield what was acknowledged until then."""
    acknowledged = 0
    for call, descriptor, path, rest, result in calls(trace):
        name = Path(path).name
        if call == "write" and descriptor == 1:
            found = DATA.match(rest)
            assert found
            acknowledged = int(unescaped(found[1]))
            continue
        if result < 0 or not name.startswith("store.sqlite3") or name.endswith("-shm"):
            continue
        file = files.setdefault(name, File())
        if call == "pwrite64":
            found = DATA.match(rest)
            assert found
            file.pending.append((int(found[3]), unescaped(found[1])[:result]))
        elif call == "ftruncate":
            file.pending.append((int(rest.strip(", ")), None))
        elif call in {"fsync", "fdatasync"}:
            file.sync()
        elif call in {"unlink", "unlinkat"}:
            del files[name]
        yield acknowledged


def traced(path: Path, place: str) -> str:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed, so writes cannot be recorded")
    out = path.parent.parent / "trace"
    strace = ["strace", "-f", "-y", "-xx", "-s", "1000000", "-o", str(out)]
    watched = "trace=pwrite64,write,ftruncate,fsync,fdatasync,unlink"
    child = [sys.executable, "-m", "tests.store.child", str(path), "1", str(N_TRANSACTIONS), place]
    done = subprocess.run([*strace, "-e", watched, *child], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"strace cannot trace here: {done.stderr[-200:]}")
    return out.read_text()


def disks(path: Path, place: str) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Yield (last acknowledged transaction, files) of every disk that a power loss could leave."""
    Store.open(path).close()
    files = {path.name: File(durable=path.read_bytes())}
    dice = random.Random(1)
    seen: set[int] = set()
    acknowledged = 0
    for acknowledged in moments(traced(path, place), files):
        for bodies in zip(*(file.possible(dice) for file in files.values()), strict=True):
            fingerprint = hash((acknowledged, tuple(files), bodies))
            if fingerprint not in seen:
                seen.add(fingerprint)
                yield acknowledged, dict(zip(files, bodies, strict=True))
    assert acknowledged >= N_TRANSACTIONS - N_IN_FLIGHT


def opened(files: dict[str, bytes], directory: Path) -> int:
    """Return the last transaction a store with these files has, having seen that all before are whole."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for name, body in files.items():
        (directory / name).write_bytes(body)
    store = Store.open(directory / "store.sqlite3")
    try:
        return whole_up_to(store)
    finally:
        store.close()


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("place", ["local", "network"])
def test_nothing_acknowledged_is_lost_by_a_power_loss(
    path: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.store.store.is_network", lambda _: place == "network")
    n_disks = 0
    for acknowledged, files in disks(path, place):
        assert opened(files, tmp_path / "image") >= acknowledged
        n_disks += 1
    print(f"{place}: {n_disks} disks")
    assert n_disks > 10 * N_TRANSACTIONS


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_a_store_that_never_syncs_would_be_found_out(path: Path, tmp_path: Path) -> None:
    n_lost = n_damaged = n_disks = 0
    for acknowledged, files in disks(path, "careless"):
        n_disks += 1
        try:
            n_lost += opened(files, tmp_path / "image") < acknowledged
        except (StoreError, AssertionError):
            n_damaged += 1
    print(f"careless: {n_disks} disks, {n_lost} lose something, {n_damaged} are damaged")
    assert n_lost > N_TRANSACTIONS
