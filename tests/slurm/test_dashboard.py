"""An array launched and steered by keys: the dashboard on a terminal of the login node, SLURM a real one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from controller.domain.arrays import Array
from controller.domain.states import RunState
from controller.domain.world import World
from tests.slurm.site import Site
from tests.slurm.test_arrays import n_running, started_cells
from tests.system.terminal import Terminal

pytestmark = pytest.mark.timeout(400)


CURSOR, CHOSEN = "dadada", "005f87"
"""Backgrounds: of the place where is typed, of text that typing replaces."""


@pytest.fixture
def terminal(asking: Site) -> Iterator[Terminal]:
    asking.new_project()
    terminal = Terminal(asking, columns=130, lines=36, program=tuple(asking.command()))
    yield terminal
    terminal.close()


def only_array(world: World) -> Array:
    ((job),) = world.jobs.values()
    assert job.array is not None
    return job.array


def throttle_of(site: Site, array: str) -> str:
    """Return what SLURM itself says; an array's own row has it, the rows of its tasks may not."""
    told = site.cluster.run("scontrol", "--oneliner", "show", "job", array)
    return ",".join(sorted(set(re.findall(r"ArrayTaskThrottle=(\d+)", told))))


def held(site: Site, array: str) -> bool:
    return "JobHeld" in site.cluster.run("squeue", "-h", "-t", "PENDING", "-j", array, "-o", "%r")


def until_marked(terminal: Terminal, field: str, background: str) -> None:
    """Wait until some of a dialog's line has that background."""

    def is_marked(_: str) -> bool:
        rows = [n for n, line in enumerate(terminal.screen.display) if f"│ {field}  " in line]
        return any(cell.bg == background for n in rows for cell in terminal.screen.buffer[n].values())

    terminal.until(is_marked)


def until_seen(terminal: Terminal, *patterns: str) -> None:
    terminal.until(lambda text: all(re.search(pattern, text) for pattern in patterns))


def submit_by_keys(terminal: Terminal) -> None:
    """Fill in the form that the sweep's screen opens, and look at the script before it goes."""
    terminal.press("a")
    until_marked(terminal, "Agents", CHOSEN)
    terminal.press("up")
    terminal.press("l")
    terminal.until("#SBATCH --array=1-4")
    terminal.press("tab")
    until_marked(terminal, "Tasks", CHOSEN)
    terminal.press("1-4%1")
    terminal.until("4 tasks, 1 at a time")
    terminal.press("tab")
    until_marked(terminal, "Runs per task", CURSOR)
    terminal.press("1")
    text = terminal.until("4 tasks, 1 at a time, 4 runs in all")
    assert "#SBATCH --array=1-4%1" in text
    assert re.search(r"exec .* agent --home ", text)
    terminal.press("enter")


def test_array_is_submitted_throttled_held_released_and_cut_short_by_keys(
    asking: Site, terminal: Terminal
) -> None:
    terminal.until("No sweeps yet")
    asking.shut()
    sweep_id = asking.register(4, name="steered")
    terminal.until("steered")
    terminal.press("enter")
    terminal.until("No runs yet")
    submit_by_keys(terminal)
    world = asking.until(lambda world: n_running(world, sweep_id) == 1)
    array = only_array(world).slurm_id
    until_seen(terminal, rf"\bn[1-4]\b.* {array}_1 ", rf" {array}_\[2-4\] ", "3 waiting", "1 running")

    terminal.press("t")
    terminal.until(f"Tasks of array {array} at a time")
    until_marked(terminal, "1", CHOSEN)
    terminal.press("2", "enter")
    terminal.until("1-4, 2 at a time")
    assert throttle_of(asking, array) == "2"
    asking.until(lambda world: n_running(world, sweep_id) == 2)
    until_seen(terminal, "2 waiting", "2 running")

    terminal.press("o")
    until_seen(terminal, rf"array {array} .* held")
    asking.cluster.until(lambda: held(asking, array))
    terminal.press("o")
    terminal.until(lambda text: re.search(rf"array {array} .* held", text) is None)
    asking.cluster.until(lambda: not held(asking, array))

    terminal.press("w")
    until_seen(terminal, "2 tasks will not start; 2 tasks go on", r"\(y\)")
    terminal.press("y")
    terminal.until("u undo, enter now")
    terminal.press("enter")
    terminal.until("0 waiting")
    assert "PENDING" not in asking.cluster.states(array).values()

    asking.open_gate()
    world = asking.until(lambda world: world.counts_of[sweep_id][RunState.FINISHED] == 2)
    assert len(world.runs_of[sweep_id]) == 2
    assert sorted(started_cells(asking).values()) == [1, 1]
    terminal.press("1")
    terminal.until("2/4")
