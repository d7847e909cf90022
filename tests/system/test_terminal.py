"""The dashboard in a real terminal: verbs by key, detaching, hanging up, being killed, not being read."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from controller.domain.states import RUN_ACTIVE, RunState, SweepState
from tests.system.lab import Lab, alive
from tests.system.terminal import Terminal
from tests.system.test_outages import histories
from tests.system.test_sweep_life import is_finished, n_waiting

Opening = Callable[..., Terminal]


@pytest.fixture
def dashboard(lab: Lab) -> Iterator[Opening]:
    """Open dashboards that are closed again."""
    opened: list[Terminal] = []

    def opening(*argv: str) -> Terminal:
        terminal = Terminal(lab, *argv)
        opened.append(terminal)
        return terminal

    yield opening
    for terminal in opened:
        terminal.close()


def launch(terminal: Terminal) -> None:
    terminal.press("a")
    terminal.until("agents on this machine")
    terminal.press("enter")


def test_a_sweep_is_steered_by_keys(lab: Lab, dashboard: Opening) -> None:
    terminal = dashboard()
    terminal.until("No sweeps yet")
    lab.make_gate()
    sweep_id = lab.register(6, name="steered")
    terminal.until("steered")
    terminal.press("enter")
    terminal.until("No runs yet")
    launch(terminal)
    world = lab.until(lambda world: n_waiting(world, sweep_id) == 2)
    terminal.until("2 running")

    terminal.press("p")
    terminal.until("Pause steered?")
    terminal.press("y")
    lab.until(lambda world: world.sweeps[sweep_id].state is SweepState.PAUSED)
    terminal.until("paused")

    terminal.press("x")
    terminal.until("steered-2")
    terminal.until(lambda text: "Stop" in text and "No (n)" in text)
    terminal.press("y")
    terminal.until("u undo, enter now")
    terminal.press("enter")
    world = lab.until(lambda world: world.counts_of[sweep_id][RunState.KILLED] == 1)
    terminal.until("killed")
    assert len(world.runs) == 2, "a paused sweep hands nothing out"

    terminal.press("r")
    terminal.until("Resume steered?")
    terminal.press("y")
    world = lab.until(lambda world: n_waiting(world, sweep_id) == 2 and len(world.runs) == 3)

    pids = [run.pid for run in world.runs.values() if run.state in RUN_ACTIVE and run.pid]
    assert len(pids) == 2
    terminal.press("X")
    terminal.until("Cancel steered?")
    terminal.press("y")
    terminal.until("cancelling steered in")
    terminal.press("enter")
    world = lab.until(
        lambda world: world.sweeps[sweep_id].state is SweepState.CANCELLED and not world.agents_of[sweep_id]
    )
    assert not any(map(alive, pids))
    assert {run.state for run in world.runs.values()} == {RunState.KILLED}
    terminal.until("cancelled")

    terminal.press("q")
    assert terminal.until_gone() == 0


def test_detaching_hands_the_controller_over_and_the_next_start_attaches(
    lab: Lab, dashboard: Opening
) -> None:
    terminal = dashboard()
    terminal.until("No sweeps yet")
    lab.make_gate()
    sweep_id = lab.register(3, name="going-on")
    terminal.until("going-on")
    terminal.press("enter")
    terminal.until("No runs yet")
    launch(terminal)
    lab.until(lambda world: n_waiting(world, sweep_id) == 2)
    terminal.press("d")
    assert terminal.until_gone() == 0
    assert "`tui-sweeps` shows them again" in terminal.text
    lab.open_gate()
    world = lab.until(is_finished(sweep_id))
    assert world.counts_of[sweep_id][RunState.FINISHED] == 3
    assert set(histories(lab, sweep_id).values()) == {10}
    assert not lab.json("controller", "status")["embedded"]
    again = dashboard()
    again.until("going-on")
    again.until("3/3")
    again.press("q")
    assert again.until_gone() == 0


def test_whoever_detaches_from_another_home_is_told_how_to_come_back_to_it(lab: Lab) -> None:
    lab.environment["TUI_SWEEPS_HOME"] = str(lab.place / "elsewhere")
    terminal = Terminal(lab, "--home", str(lab.home.path), columns=200)
    try:
        terminal.until("No sweeps yet")
        lab.cli("--home", str(lab.home.path), "sweep", str(lab.sweep_file(1, name="other-home")))
        terminal.until("other-home")
        terminal.press("d")
        assert terminal.until_gone() == 0
        assert f"`tui-sweeps --home {lab.home.path}` shows them again" in terminal.text
        assert "other-home" in lab.cli("--home", str(lab.home.path), "ls")
    finally:
        terminal.close()


def test_hanging_up_hands_the_controller_over(lab: Lab, dashboard: Opening) -> None:
    terminal = dashboard()
    terminal.until("No sweeps yet")
    lab.make_gate()
    sweep_id = lab.register(3)
    lab.spawn("agent", sweep_id)
    lab.until(lambda world: n_waiting(world, sweep_id) == 1)
    assert lab.json("controller", "status")["pid"] == terminal.pid
    assert f"controller {terminal.pid} open" in (lab.home.logs / "controller.log").read_text()
    terminal.hang_up()
    lab.open_gate()
    world = lab.until(is_finished(sweep_id))
    assert world.counts_of[sweep_id][RunState.FINISHED] == 3
    assert {run.attempt for run in world.runs.values()} == {1}
    assert set(histories(lab, sweep_id).values()) == {10}
    assert lab.json("controller", "status")["pid"] != terminal.pid


def test_killing_the_dashboard_loses_and_doubles_nothing(lab: Lab, dashboard: Opening) -> None:
    terminal = dashboard()
    terminal.until("No sweeps yet")
    lab.make_gate()
    sweep_id = lab.register(4)
    agents = [lab.spawn("agent", sweep_id) for _ in range(2)]
    lab.until(lambda world: n_waiting(world, sweep_id) == 2)
    terminal.kill()
    lab.open_gate()
    again = dashboard()
    again.until("4/4")
    assert [agent.wait(60) for agent in agents] == [0, 0]
    world = lab.until(is_finished(sweep_id))
    assert world.counts_of[sweep_id][RunState.FINISHED] == 4
    assert {run.attempt for run in world.runs.values()} == {1}
    assert set(histories(lab, sweep_id).values()) == {10}


def test_a_terminal_that_is_not_read_never_holds_the_controller_up(lab: Lab, dashboard: Opening) -> None:
    terminal = dashboard()
    terminal.until("No sweeps yet")
    lab.write(
        "program.py",
        """
        import tui_sweeps
        tui_sweeps.init()
        for step in range(3000):
            tui_sweeps.log({"loss": float(step % 17)})
        """,
    )
    sweep_id = lab.register(6)
    terminal.press("enter")
    for _ in range(2):
        lab.spawn("agent", sweep_id)
    # From here on nobody reads the terminal; its buffer is soon full, and all of this must happen.
    world = lab.until(is_finished(sweep_id))
    assert {run.n_points for run in world.runs.values()} == {3000}
    terminal.until("6/6")


def test_a_dumb_terminal_is_told_what_to_use(lab: Lab) -> None:
    lab.environment["TERM"] = "dumb"
    lab.cli(code=2)
    assert "tui-sweeps watch" in lab.last_err


def test_killed_controller_leaves_a_banner_and_its_successor_the_truth(lab: Lab) -> None:
    lab.start_controller()
    sweep_id = lab.register(2, name="orphan")
    terminal = Terminal(lab)
    try:
        terminal.until("orphan")
        terminal.press("enter")
        terminal.until("No runs yet")
        os.kill(lab.json("controller", "status")["pid"], signal.SIGKILL)
        terminal.until("Out of touch")
        terminal.press("p")
        terminal.until("Pause orphan?")
        terminal.press("y")
        lab.start_controller()
        terminal.until(lambda text: "Out of touch" not in text)
        assert lab.until(lambda world: sweep_id in world.sweeps).sweeps[sweep_id].state in (
            SweepState.RUNNING,
            SweepState.PENDING,
            SweepState.PAUSED,
        )
        terminal.press("d")
        assert terminal.until_gone() == 0
    finally:
        terminal.close()
