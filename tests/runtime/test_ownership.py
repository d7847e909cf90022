from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from controller.client.connection import Machine, this_machine
from controller.domain.wire import encode
from controller.runtime import lockfile
from controller.runtime.ownership import (
    STALE_S,
    HomeError,
    OwnedError,
    Owner,
    acquire,
    read_owner,
)
from controller.settings import Home

HERE = Machine(host="login1", boot_id="boot-1")
OTHER = Machine(host="login2", boot_id="boot-2")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def leave_mark(home: Home, machine: Machine, *, pid: int = 1, age_s: float = 0.0) -> None:
    """Write what an owner that was killed leaves behind."""
    home.path.mkdir(mode=0o700, exist_ok=True)
    owner = Owner(host=machine.host, boot_id=machine.boot_id, pid=pid, started_at=1.0e9, instance="old")
    home.lock.write_text(encode(owner))
    os.utime(home.lock, (time.time() - age_s, time.time() - age_s))


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)


def test_home_and_lock_are_ours_alone_when_made(home: Home) -> None:
    with acquire(home) as owned:
        assert home.path.stat().st_mode & 0o777 == 0o700
        assert home.lock.stat().st_mode & 0o777 == 0o600
        found = read_owner(home)
        assert found == owned.owner
        assert found is not None
        assert (found.host, found.boot_id, found.pid) == (
            this_machine().host,
            this_machine().boot_id,
            os.getpid(),
        )


def test_second_owner_is_told_who_owns_the_home(home: Home) -> None:
    with acquire(home) as owned:
        for takeover in (False, True):
            with pytest.raises(OwnedError) as caught:
                acquire(home, takeover=takeover)
            assert f"pid {os.getpid()} on {this_machine().host} since 20" in str(caught.value)
            assert "controller stop" in caught.value.hint
            assert caught.value.owner == owned.owner
        owned.refresh()


def test_home_is_free_when_released(home: Home) -> None:
    first = acquire(home)
    first.release()
    first.release()
    assert read_owner(home) is None
    with acquire(home) as second:
        assert second.owner.instance != first.owner.instance


def test_reading_the_owner_does_not_let_the_lock_go(home: Home) -> None:
    with acquire(home):
        read_owner(home)
        with pytest.raises(OwnedError):
            acquire(home)


def test_home_is_taken_over_silently_when_the_owner_was_killed(home: Home) -> None:
    script = (
        "import sys; from pathlib import Path; from controller.settings import Home;"
        "from controller.runtime.ownership import acquire;"
        "owned = acquire(Home(Path(sys.argv[1]))); print('owned', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(home.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        assert child.stdout.readline() == b"owned\n"
        with pytest.raises(OwnedError, match=f"pid {child.pid} on"):
            acquire(home)
        child.kill()
        child.wait()
    with acquire(home):
        found = read_owner(home)
        assert found is not None
        assert found.pid == os.getpid()


def test_home_is_taken_over_silently_when_this_host_was_restarted(home: Home) -> None:
    leave_mark(home, Machine(host=HERE.host, boot_id="boot-0"))
    acquire(home, machine=HERE).release()


def test_home_of_another_host_is_refused_while_its_mark_is_fresh(home: Home) -> None:
    leave_mark(home, OTHER)
    for takeover in (False, True):
        with pytest.raises(
            OwnedError, match=r"another host owns this home: pid 1 on login2 since 2001-"
        ) as caught:
            acquire(home, machine=HERE, takeover=takeover)
        assert "ssh login2" in caught.value.hint


def test_home_of_another_host_needs_takeover_when_its_mark_is_old(home: Home) -> None:
    leave_mark(home, OTHER, age_s=STALE_S + 30)
    with pytest.raises(OwnedError, match="no word for 90 s") as caught:
        acquire(home, machine=HERE)
    assert "--takeover" in caught.value.hint
    acquire(home, machine=HERE, takeover=True).release()


def test_home_is_taken_over_when_a_dead_host_still_holds_the_lock(home: Home) -> None:
    lost = acquire(home, machine=OTHER)
    os.utime(home.lock, (1.0e9, 1.0e9))
    with acquire(home, machine=HERE, takeover=True) as taken:
        with pytest.raises(OwnedError, match="took this home over: pid"):
            lost.refresh()
        lost.release()
        taken.refresh()
        assert read_owner(home) == taken.owner


def test_refresh_makes_the_mark_new(home: Home) -> None:
    with acquire(home, machine=OTHER) as owned:
        os.utime(home.lock, (1.0e9, 1.0e9))
        owned.refresh()
        with pytest.raises(OwnedError, match="another host"):
            acquire(home, machine=HERE, takeover=True)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("{")])
def test_owner_repairs_its_mark_when_somebody_spoiled_it(home: Home, spoil: object) -> None:
    with acquire(home) as owned:
        spoil(home.lock)  # type: ignore[operator]
        owned.refresh()
        assert read_owner(home) == owned.owner
        with pytest.raises(OwnedError):
            acquire(home)


@pytest.mark.usefixtures("without_locks")
def test_content_decides_when_there_are_no_locks(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with acquire(home) as owned:
        with pytest.raises(OwnedError, match=f"pid {os.getpid()} on"):
            acquire(home)
        monkeypatch.setattr(lockfile, "is_alive", lambda owner: False)
        with acquire(home), pytest.raises(OwnedError, match="took this home over: pid"):
            owned.refresh()
        with pytest.raises(OwnedError, match="has ended since"):
            owned.refresh()


@pytest.mark.usefixtures("without_locks")
def test_reused_pid_is_not_the_owner_when_there_are_no_locks(home: Home) -> None:
    leave_mark(home, this_machine(), pid=os.getpid())
    acquire(home).release()


@pytest.mark.usefixtures("without_locks")
def test_dead_pid_is_not_the_owner_when_there_are_no_locks(home: Home) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    leave_mark(home, this_machine(), pid=child.pid)
    acquire(home).release()


def test_half_written_mark_is_waited_for_while_it_is_fresh(home: Home) -> None:
    leave_mark(home, OTHER)
    home.lock.write_text('{"host":')
    with pytest.raises(OwnedError, match="just starting"):
        acquire(home, machine=HERE)
    os.utime(home.lock, (1.0e9, 1.0e9))
    acquire(home, machine=HERE).release()


def test_home_is_refused_when_others_may_write_to_it(home: Home) -> None:
    home.path.mkdir()
    home.path.chmod(0o777)
    with pytest.raises(HomeError, match="Others may write") as caught:
        acquire(home)
    assert caught.value.hint == f"chmod go-w {home.path}"


def test_home_is_refused_when_its_lock_is_a_symlink(home: Home, tmp_path: Path) -> None:
    home.path.mkdir(mode=0o700)
    home.lock.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HomeError, match="cannot be opened"):
        acquire(home)
    assert not (tmp_path / "elsewhere").exists()
