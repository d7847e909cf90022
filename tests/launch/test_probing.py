"""The probe job: what it finds out, and that nothing of it is left whatever happens."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.client.probe import Probe, probe
from controller.launch import probing
from controller.launch.probing import ProbeError, probe_from_node
from controller.launch.programs import Programs
from controller.runtime.house import open_house
from controller.runtime.listening import Address, Listening
from controller.settings import Home

LOOPBACK = Listening(addresses=(Address("127.0.0.1", 0),))

RUNS = """#!/bin/bash
# Runs the script at once, on a node called n1, and keeps what was said to it.
cat > {place}/script; printf '%s\\n' "$@" > {place}/arguments
for argument in "$@"; do case "$argument" in --output=*) output="${{argument#--output=}}";; esac; done
SLURMD_NODENAME=n1 bash {place}/script < /dev/null > "$output" 2>&1 &
echo 77
"""
KEEPS = "#!/bin/bash\ncat > {place}/script\necho 77\n"
REFUSES = "#!/bin/bash\necho 'sbatch: error: invalid partition specified: nosuch' >&2\nexit 1\n"
PENDING = "#!/bin/bash\necho '77|N/A|77|PENDING|JobHeldUser|0:00|1:00|N/A||name'\n"
FAILED = "#!/bin/bash\necho '77|N/A|77|FAILED|NonZeroExitCode|0:00|1:00|N/A|n1|name'\n"
NOTES = "#!/bin/bash\nprintf '%s\\n' \"$@\" > {place}/cancelled\n"


class Scheduler:
    """Three small programs in SLURM's place."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir()
        self.write("scancel", NOTES)
        self.write("squeue", "#!/bin/bash\n")

    def write(self, name: str, text: str) -> None:
        path = self.place / name
        path.write_text(text.format(place=self.place) if "{place}" in text else text)
        path.chmod(0o700)

    @property
    def programs(self) -> Programs:
        return Programs({**os.environ, "PATH": f"{self.place}{os.pathsep}{os.environ['PATH']}"})

    def said(self, name: str) -> str:
        return (self.place / name).read_text()


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    monkeypatch.setattr(probing, "LOOK_S", 0.02)
    monkeypatch.setattr(probing, "QUEUE_S", 0.1)
    monkeypatch.setattr(probing, "LATE_S", 0.1)
    scheduler = Scheduler(tmp_path / "slurm")
    monkeypatch.setenv("PATH", scheduler.programs._environment["PATH"])
    yield scheduler
    assert "--name=tui-sweeps-probe-" in scheduler.said("cancelled")
    assert list((tmp_path / "home").glob("tui-sweeps-probe-*")) == []


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "home").mkdir(mode=0o700)
    return Home(tmp_path / "home")


def told(home: Home, scheduler: Scheduler, within_s: float = 60.0, *options: str) -> tuple[Probe, list[str]]:
    words: list[str] = []

    async def script() -> Probe:
        return await probe_from_node(home, scheduler.programs, options, within_s=within_s, tell=words.append)

    return asyncio.run(script()), words


def test_the_probe_tells_every_way_from_the_node_and_leaves_nothing(home: Home, scheduler: Scheduler) -> None:
    scheduler.write("sbatch", RUNS)

    async def script() -> Probe:
        async with open_house(home, embedded=False, listen=LOOPBACK):
            return await probe_from_node(
                home, scheduler.programs, ["-p", "short"], within_s=60.0, tell=lambda _: None
            )

    found = asyncio.run(script())
    assert found.node == "n1"
    assert found.error == ""
    assert [tried.error for tried in found.addresses] == [""]
    assert found.socket is not None
    assert found.socket.error == ""
    assert found.spool is not None
    assert found.spool.error == ""
    arguments = scheduler.said("arguments").split()
    assert arguments[-2:] == ["-p", "short"]
    assert "--time=1" in arguments
    secret = home.secret.read_text("ascii").strip()
    assert secret not in scheduler.said("script") + scheduler.said("arguments")


def test_a_job_that_does_not_start_is_given_up_with_slurms_reason(home: Home, scheduler: Scheduler) -> None:
    scheduler.write("sbatch", KEEPS)
    scheduler.write("squeue", PENDING)
    with pytest.raises(ProbeError, match=r"pending \(JobHeldUser\), after 1 s") as caught:
        told(home, scheduler, 1.0)
    assert "partition" in caught.value.hint


def test_a_job_that_failed_is_not_waited_for(home: Home, scheduler: Scheduler) -> None:
    scheduler.write("sbatch", KEEPS)
    scheduler.write("squeue", FAILED)
    with pytest.raises(ProbeError, match=r"no result .*failed on n1"):
        told(home, scheduler)


def test_what_sbatch_says_is_told_when_it_takes_no_job(home: Home, scheduler: Scheduler) -> None:
    scheduler.write("sbatch", REFUSES)
    with pytest.raises(ProbeError, match="invalid partition specified: nosuch"):
        told(home, scheduler)


def test_a_host_without_a_controller_says_so(home: Home) -> None:
    found = asyncio.run(probe(home))
    assert found.error == f"there is no {home.connection} here"
    assert found.addresses == ()
