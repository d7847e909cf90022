"""What `doctor` says of terminals, homes, logins, sockets and controllers."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from controller.client import connection
from controller.runtime import ownership
from controller.settings import Home
from tests.system.lab import Lab
from tui_sweeps.cli import surroundings
from tui_sweeps.cli.cluster import slurm
from tui_sweeps.cli.surroundings import Finding, Level

GOOD_TERMINAL = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}


def by_subject(findings: object) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}  # type: ignore[attr-defined]


def levels(findings: object) -> dict[str, Level]:
    return {subject: finding.level for subject, finding in by_subject(findings).items()}


def test_a_usual_terminal_is_in_order() -> None:
    assert set(levels(surroundings.terminal(GOOD_TERMINAL, True, (80, 24))).values()) == {Level.OK}


@pytest.mark.parametrize(
    ("environ", "is_tty", "size", "subject"),
    [
        (GOOD_TERMINAL, False, (80, 24), "terminal"),
        (GOOD_TERMINAL, True, (79, 24), "terminal"),
        (GOOD_TERMINAL, True, (80, 23), "terminal"),
        ({**GOOD_TERMINAL, "TERM": "dumb"}, True, (80, 24), "terminal"),
        ({"LANG": "C.UTF-8"}, True, (80, 24), "terminal"),
        ({**GOOD_TERMINAL, "LANG": "C"}, True, (80, 24), "characters"),
        ({**GOOD_TERMINAL, "LC_ALL": "POSIX"}, True, (80, 24), "characters"),
    ],
)
def test_what_a_terminal_lacks_is_a_warning_with_a_hint(
    environ: dict[str, str], is_tty: bool, size: tuple[int, int], subject: str
) -> None:
    found = by_subject(surroundings.terminal(environ, is_tty, size))
    assert found[subject].level is Level.WARNING
    assert found[subject].hint


def test_colours_are_never_more_than_a_remark() -> None:
    said = [
        by_subject(surroundings.terminal({**GOOD_TERMINAL, **more}, True, (80, 24)))["colours"]
        for more in ({}, {"NO_COLOR": "1"}, {"TERM": "xterm"}, {"COLORTERM": "truecolor"})
    ]
    assert [finding.level for finding in said] == [Level.OK] * 4
    assert [finding.text.split(";")[0] for finding in said] == ["256", "none", "16", "24 bit"]


def test_an_old_python_is_a_problem() -> None:
    assert surroundings.python((3, 10, 14)).level is Level.PROBLEM
    assert surroundings.python((3, 11, 0)).level is Level.OK


def test_a_home_that_is_not_there_yet_is_fine_and_stays_away(tmp_path: Path) -> None:
    found = by_subject(surroundings.home(tmp_path / "a" / "b", os.getuid()))
    assert found["home"].level is Level.OK
    assert "will be made" in found["home"].text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "level"),
    [(0o700, Level.OK), (0o750, Level.WARNING), (0o770, Level.PROBLEM), (0o702, Level.PROBLEM)],
)
def test_a_home_is_judged_by_its_mode(tmp_path: Path, mode: int, level: Level) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(mode)
    found = by_subject(surroundings.home(home, os.getuid()))["home"]
    assert found.level is level
    assert ("chmod 700" in found.hint) is (level is not Level.OK)


def test_somebody_elses_home_is_a_problem(tmp_path: Path) -> None:
    assert levels(surroundings.home(tmp_path, os.getuid() + 1))["home"] is Level.PROBLEM


def test_a_home_that_is_a_file_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert levels(surroundings.home(path, os.getuid()))["home"] is Level.PROBLEM
    assert levels(surroundings.home(path / "below", os.getuid()))["home"] is Level.PROBLEM


def test_the_fsync_leaves_no_file_behind(tmp_path: Path) -> None:
    found = by_subject(surroundings.home(tmp_path, os.getuid()))
    assert found["fsync"].text.endswith("ms for 4 kB")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fs_type", "level"), [("ext4", Level.OK), ("nfs4", Level.WARNING), ("lustre", Level.WARNING)]
)
def test_a_network_file_system_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fs_type: str, level: Level
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 8:1 / / rw,relatime shared:1 - {fs_type} server:/export rw\n")
    monkeypatch.setattr("controller.store.place.MOUNTS", mounts)
    monkeypatch.setattr(surroundings, "MOUNTS", mounts)
    found = by_subject(surroundings.home(tmp_path, os.getuid()))["file system"]
    assert found.level is level
    assert fs_type in found.text


@pytest.mark.parametrize(
    ("n_free_blocks", "n_free_files", "level"),
    [
        (10**7, 1000, Level.OK),
        (10**5, 1000, Level.WARNING),
        (10**4, 1000, Level.PROBLEM),
        (10**7, 0, Level.PROBLEM),
    ],
)
def test_free_space_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_free_blocks: int, n_free_files: int, level: Level
) -> None:
    values = (4096, 4096, 10**8, n_free_blocks, n_free_blocks, 10**6, n_free_files, n_free_files, 0, 255)
    monkeypatch.setattr(os, "statvfs", lambda _path: os.statvfs_result(values))
    assert levels(surroundings.home(tmp_path, os.getuid()))["space"] is level


def test_a_login_that_ends_processes_is_a_warning_unless_it_lingers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logind.conf").write_text("[Login]\n#KillUserProcesses=no\nKillUserProcesses=yes\n")
    monkeypatch.setattr(surroundings, "LOGIND", tmp_path)
    monkeypatch.setattr(surroundings, "LINGER", tmp_path / "linger")
    assert levels(surroundings.login({}, "ada"))["logout"] is Level.WARNING
    (tmp_path / "linger").mkdir()
    (tmp_path / "linger" / "ada").touch()
    assert levels(surroundings.login({}, "ada"))["logout"] is Level.OK


def test_a_socket_that_goes_with_the_login_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "LOGIND", tmp_path)
    monkeypatch.setattr(surroundings, "LINGER", tmp_path)
    at_risk = {"XDG_RUNTIME_DIR": "/run/user/1000"}
    assert levels(surroundings.login(at_risk, "ada"))["logout"] is Level.WARNING
    assert levels(surroundings.login({}, "ada"))["logout"] is Level.OK


@pytest.fixture
def lab() -> Iterator[Lab]:
    lab = Lab()
    yield lab
    lab.close()


def checks(lab: Lab, *, code: int = 0) -> dict[str, dict[str, str]]:
    document = json.loads(lab.cli("doctor", "--json", code=code))
    assert document["ok"] is (code == 0)
    return {check["subject"]: check for check in document["checks"]}


def test_doctor_starts_nothing_and_makes_no_home(lab: Lab) -> None:
    found = checks(lab)
    assert found["controller"]["text"] == "none runs"
    assert not lab.home.path.exists()
    text = lab.cli("doctor")
    assert text.splitlines()[0].startswith("ok       python")
    assert text.splitlines()[-1].endswith("warning(s)")


def test_doctor_tells_of_the_running_controller(lab: Lab) -> None:
    process = lab.start_controller()
    found = checks(lab)
    assert f"pid {process.pid} on " in found["controller"]["text"]
    assert found["storage"]["level"] == "ok"
    assert "minutes" in found["CPU used"]["text"]


def test_an_owner_that_cannot_be_reached_is_a_problem(lab: Lab) -> None:
    with ownership.acquire(lab.home):
        found = checks(lab, code=1)
    assert found["controller"]["level"] == "problem"
    assert f"pid {os.getpid()}" in found["controller"]["text"]


def test_a_controller_on_another_host_is_a_warning_that_says_where(lab: Lab) -> None:
    other = connection.Machine(host="node07", boot_id="another")
    with ownership.acquire(lab.home, machine=other):
        connection.write(
            lab.home.connection,
            connection.Connection(
                host=other.host, boot_id=other.boot_id, pid=1, socket="/nowhere", instance="i",
                started_at=0.0, version="0.1.0",
            ),
        )  # fmt: skip
        found = checks(lab)
    assert found["controller"]["level"] == "warning"
    assert "ssh node07" in found["controller"]["hint"]


def test_a_home_open_to_others_ends_with_exit_code_1(lab: Lab) -> None:
    Path(lab.home.path).mkdir()
    Path(lab.home.path).chmod(0o777)
    assert checks(lab, code=1)["home"]["level"] == "problem"


def test_a_connection_file_open_to_others_is_a_problem(lab: Lab) -> None:
    home = Home(lab.home.path)
    home.path.mkdir(mode=0o700)
    home.connection.write_text("{}")
    home.connection.chmod(0o644)
    found = checks(lab, code=1)["controller"]
    assert (found["level"], found["hint"]) == ("problem", f"chmod 600 {home.connection}")


def test_a_runtime_directory_open_to_others_is_a_problem(lab: Lab) -> None:
    for parent in (lab.place / "one", lab.place / "two"):
        parent.mkdir()
    (lab.place / "one" / "tui-sweeps").mkdir()
    (lab.place / "one" / "tui-sweeps").chmod(0o777)
    (lab.place / "two" / f"tui-sweeps-{os.getuid()}").mkdir()
    (lab.place / "two" / f"tui-sweeps-{os.getuid()}").chmod(0o777)
    lab.environment |= {"XDG_RUNTIME_DIR": str(lab.place / "one"), "TMPDIR": str(lab.place / "two")}
    found = checks(lab, code=1)["socket"]
    assert found["level"] == "problem"
    assert "open to other users" in found["text"]


def test_records_are_judged_through_the_controller_and_without_one(lab: Lab) -> None:
    lab.start_controller()
    sweep_id = lab.register(2)
    lab.cli("agent", sweep_id)
    assert checks(lab)["records"]["text"] == "1 sweep(s), 2 run(s): I1-I8, I10 hold"
    lab.cli("controller", "stop")
    before = {path.name: path.stat().st_mtime_ns for path in lab.home.path.glob("store*")}
    assert checks(lab)["records"]["text"] == "1 sweep(s), 2 run(s): I1-I8, I10 hold"
    assert {path.name: path.stat().st_mtime_ns for path in lab.home.path.glob("store*")} == before
    with closing(sqlite3.connect(lab.home.store)) as store:
        store.execute("DELETE FROM points WHERE seq = 1")
        store.commit()
    found = checks(lab, code=1)["records"]
    assert found["level"] == "problem"
    assert found["text"].startswith("I5: run ")


def test_a_store_that_is_none_is_said_to_be_unchecked(lab: Lab) -> None:
    lab.home.path.mkdir(mode=0o700)
    lab.home.store.write_bytes(b"not a database, but long enough to look at " * 100)
    found = checks(lab)["records"]
    assert found["level"] == "warning"
    assert found["text"].startswith("not checked: ")


@pytest.mark.parametrize(
    ("ping", "level", "words"),
    [
        ("echo 'Slurmctld(primary) at login is UP'", Level.OK, "slurm-wlm 22.05.8; slurmctld answers"),
        ("echo 'Slurmctld(primary) at login is DOWN'; exit 1", Level.WARNING, "slurmctld does not answer"),
    ],
)
def test_slurm_is_told_with_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ping: str, level: Level, words: str
) -> None:
    for name, text in (
        ("sbatch", "echo slurm-wlm 22.05.8"),
        ("scontrol", ping),
        ("squeue", ""),
        ("scancel", ""),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    (found,) = asyncio.run(slurm(os.environ))
    assert found.level is level
    assert words in found.text


def test_a_host_without_slurm_is_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = asyncio.run(slurm(os.environ))
    assert found.level is Level.OK
    assert "no sbatch here" in found.text
