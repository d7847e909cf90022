"""What keys do on a real terminal, with a real controller, real agents and real programs."""

from __future__ import annotations

import base64
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.domain.states import RunState, SweepState
from controller.domain.world import World
from tests.system.lab import Lab
from tests.system.terminal import Terminal
from tests.system.test_sweep_life import n_waiting

Opening = Callable[..., Terminal]


@pytest.fixture(scope="module")
def house() -> Iterator[Lab]:
    """Return a laboratory whose controller stands by itself, for all tests here."""
    lab = Lab()
    try:
        lab.start_controller()
        yield lab
    finally:
        lab.close()


@pytest.fixture
def dashboard(house: Lab) -> Iterator[Opening]:
    """Open dashboards on one sweep; they are closed again."""
    opened: list[Terminal] = []

    def opening(name: str = "") -> Terminal:
        house.home.layout.unlink(missing_ok=True)
        terminal = Terminal(house)
        opened.append(terminal)
        if name:
            terminal.until(name)  # the latest open sweep, so the cursor stands on it
            terminal.press("enter")
            terminal.until(lambda text: is_open(text, name))
        return terminal

    yield opening
    for terminal in opened:
        terminal.close()


def is_open(text: str, name: str) -> bool:
    """Say whether the sweep's own screen is shown."""
    return re.search(rf"Sweeps \S {name}", text) is not None


def states(world: World, sweep_id: str) -> dict[object, RunState]:
    return {world.runs[one].config["x"]: world.runs[one].state for one in world.runs_of[sweep_id]}


def test_failed_run_is_retried_and_the_sweep_stopped_or_not_by_keys(house: Lab, dashboard: Opening) -> None:
    os.mkfifo(house.project / "hold")
    house.write("fails.py", "import sys\nif '--x=0' in sys.argv: sys.exit(3)\nopen('hold').read()\n")
    sweep_id = house.register(5, name="failing", program="fails.py")
    house.spawn("agent", sweep_id)
    house.until(lambda world: world.counts_of[sweep_id][RunState.FAILED] == 1 and len(world.runs) > 1)
    terminal = dashboard("failing")
    terminal.until("failed")
    terminal.press("end", "R")
    terminal.until("Retry run failing-1?")
    terminal.press("y")
    house.until(lambda world: len(world.queue_of[sweep_id]) == 1)
    terminal.until("1 queued")

    terminal.press("s")
    terminal.until("Stop failing?")
    terminal.press("y")
    terminal.until("u undo, enter now")
    terminal.press("u")
    terminal.until("Taken back")
    assert house.until(lambda world: True).sweeps[sweep_id].state is SweepState.RUNNING
    terminal.press("s")
    terminal.until("Stop failing?")
    terminal.press("y")
    terminal.until("u undo, enter now")
    terminal.press("enter")
    house.until(lambda world: world.sweeps[sweep_id].state is SweepState.STOPPED)
    terminal.until("stopped")
    house.cli("sweep", "--cancel", sweep_id)


def test_brush_is_the_filter_by_which_runs_are_marked_and_stopped(house: Lab, dashboard: Opening) -> None:
    house.make_gate()
    sweep_id = house.register(4, name="brushed", parameters={"x": {"values": [0, 1, 2, 3]}})
    for _ in range(4):
        house.spawn("agent", sweep_id)
    house.until(lambda world: n_waiting(world, sweep_id) == 4)
    terminal = dashboard("brushed")
    terminal.until("4 running")
    terminal.press("2")
    terminal.until("axis 1/2 x")
    terminal.press("}", "[", "[")  # the low end of the axis goes up by two of its four values
    terminal.until(lambda text: "2 of 4" in text and "x=" in text)
    terminal.press("1")
    terminal.until(lambda text: "RUN  " in text and "2 of 4 runs" in text)
    terminal.press("*")
    terminal.until("2 marked")
    terminal.press("x")
    terminal.until("Stop 2 runs?")
    terminal.press("y")
    terminal.until("u undo, enter now")
    terminal.press("enter")
    world = house.until(lambda world: world.counts_of[sweep_id][RunState.KILLED] == 2)
    killed = {x for x, state in states(world, sweep_id).items() if state is RunState.KILLED}
    assert killed in ({0, 1}, {2, 3}), "what the brush chose, and nothing else"
    house.open_gate()
    house.until(lambda world: world.counts_of[sweep_id][RunState.FINISHED] == 2)


def test_sweep_is_made_from_a_file_and_a_child_in_an_editor(
    house: Lab, dashboard: Opening, tmp_path: Path
) -> None:
    editor = house.write(
        "editor.py",
        """
        import sys
        path = sys.argv[1]
        text = open(path).read()
        print("the editor has the terminal", flush=True)
        input()
        open(path, "w").write(text.replace("made-here", "made-of-it").replace("[1, 2, 3]", "[1, 2, 3, 4]"))
        """,
    )
    house.environment["EDITOR"] = f"{sys.executable} {editor}"
    house.write(
        "new.yaml",
        """
        name: made-here
        program: program.py
        method: grid
        parameters: {x: {values: [1, 2, 3]}}
        """,
    )
    terminal = dashboard()
    terminal.until("SWEEP")
    terminal.press("n")
    terminal.until("New sweep")
    terminal.press("new.yaml")
    terminal.until(lambda text: "3" in text and "program.py" in text)
    terminal.press("enter")
    terminal.until(lambda text: "made-here" in text and "No runs yet" in text)
    world = house.until(lambda world: any(s.name == "made-here" for s in world.sweeps.values()))
    parent = next(sweep for sweep in world.sweeps.values() if sweep.name == "made-here")
    assert parent.n_expected == 3

    terminal.press("e")
    terminal.until("the editor has the terminal")
    terminal.press("enter")
    terminal.until(lambda text: "made-of-it" in text and "4" in text)
    terminal.press("y")
    world = house.until(lambda world: any(s.name == "made-of-it" for s in world.sweeps.values()))
    child = next(sweep for sweep in world.sweeps.values() if sweep.name == "made-of-it")
    assert child.n_expected == 4
    terminal.until(lambda text: is_open(text, "made-of-it"))


def test_keys_in_one_write_end_as_if_they_were_typed_slowly(house: Lab, dashboard: Opening) -> None:
    sweep_id = house.register(3, name="hasty")
    terminal = dashboard()
    terminal.until("hasty")
    terminal.type_at_once("enter", "a", "up", "l", "down", "37", "down", "2")
    terminal.until(lambda text: "1 task, 2 runs" in text and "--array=37" in text)
    terminal.type_at_once("escape", ":", "sweeps hasty", "enter", "enter", "7", "2", "4", "5", "?")
    terminal.until("Keys of history")
    terminal.type_at_once("escape", "escape", "escape", "/", "nobody", "enter", "n", "no.yaml")
    terminal.until(lambda text: "No sweep matches" in text and "there is no file" in text)
    terminal.type_at_once("escape", "escape", "X", "enter", "p", "escape", "enter", "X", "\x1b", "7")
    terminal.until(lambda text: is_open(text, "hasty") and "events" in text)
    assert house.until(lambda world: True).sweeps[sweep_id].state is SweepState.PENDING


def test_next_start_finds_cursor_filter_and_view_as_they_were_left(house: Lab, dashboard: Opening) -> None:
    sweep_id = house.register(6, name="left-alone")
    terminal = dashboard("left-alone")
    house.cli("agent", sweep_id)
    terminal.until("6/6")
    terminal.press("/", "x<5", "enter")
    terminal.until("5 of 6 runs")
    terminal.press("j", "j", "5")
    terminal.until("improved, last by")
    under = re.findall(r"▸ \d+ left-alone-\d", terminal.until("▸"))
    terminal.press("d")
    assert terminal.until_gone() == 0
    again = Terminal(house)
    try:
        text = again.until("improved, last by")
        assert "5 of 6 runs" in text
        assert "x<5" in text
        assert under
        assert under == re.findall(r"▸ \d+ left-alone-\d", text)
    finally:
        again.close()


def test_id_is_copied_by_osc_52_and_into_a_file(house: Lab, dashboard: Opening) -> None:
    sweep_id = house.register(1, name="copied")
    terminal = dashboard()
    terminal.until("copied")
    terminal.press("y")
    terminal.until("Copied the")
    assert b"\x1b]52;c;" + base64.b64encode(sweep_id.encode()) + b"\x07" in terminal.sent
    file = house.home.path / "copied.txt"
    terminal.until(lambda _: file.exists() and file.read_text() == f"{sweep_id}\n")
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed here")
def test_id_is_copied_through_a_tmux_that_was_told_nothing(house: Lab) -> None:
    sweep_id = house.register(1, name="through")
    house.home.layout.unlink(missing_ok=True)
    server = ("tmux", "-S", str(house.place / "tmux"), "-f", "/dev/null")
    command = shlex.join([sys.executable, "-m", "tui_sweeps"])
    terminal = Terminal(house, program=(*server, "new-session", "-x", "110", "-y", "32", command))
    try:
        terminal.until("through")
        terminal.press("y")
        terminal.until("Copied the")
        wanted = base64.b64encode(sweep_id.encode())
        terminal.until(lambda _: re.search(rb"\x1b\]52;c?;" + wanted, terminal.sent) is not None)
        terminal.press("d")
        assert terminal.until_gone() == 0
    finally:
        subprocess.run([*server, "kill-server"], env=house.environment, capture_output=True, check=False)
        terminal.close()


def test_banner_stands_while_the_controllers_disk_is_full(house: Lab, dashboard: Opening) -> None:
    house.register(1, name="full")
    terminal = dashboard("full")
    pid = house.json("controller", "status")["pid"]
    limit = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, limit[1]))
        terminal.press("p")
        terminal.until("Pause full?")
        terminal.press("y")
        terminal.until("Nothing can be recorded")
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)
    terminal.until(lambda text: "Nothing can be recorded" not in text)
    terminal.press("p")
    terminal.until("Pause full?")
    terminal.press("y")
    terminal.until("paused")


def test_stopped_and_continued_dashboard_gives_the_terminal_back_and_draws_again(
    house: Lab, dashboard: Opening
) -> None:
    house.register(1, name="suspended")
    terminal = dashboard("suspended")
    n_sent = len(terminal.sent)
    os.kill(terminal.pid, signal.SIGTSTP)
    terminal.until(lambda _: b"\x1b[?1049l" in terminal.sent[n_sent:])
    os.waitid(os.P_PID, terminal.pid, os.WSTOPPED | os.WNOWAIT)
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.until(lambda _: b"\x1b[?1049h" in terminal.sent[n_sent:])
    terminal.press("?")
    terminal.until("Keys of runs")
