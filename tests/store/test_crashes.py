"""What was acknowledged is there after the process dies, at whatever moment (A1 for the store)."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from controller.domain.queries import GetHistory, History
from controller.store import Store
from tests.store.child import N_PER_COMMIT, number_of


def whole_up_to(store: Store) -> int:
    """Return the last transaction's number, having seen that each one before it is there bit-equal."""
    number = number_of(store)
    if number:
        answer = store.ask(GetHistory(run_id="run00001"))
        assert isinstance(answer, History)
        expected = [(n, n, {"loss": n + 0.1}) for n in range(1, number * N_PER_COMMIT + 1)]
        assert [(point.seq, point.step, point.values) for point in answer.points] == expected
        assert store.load().runs[0].summary == {"number": number}
    return number


def die(path: Path, first: int, n_acknowledged: int, more: float) -> int:
    """Run the child, kill it a little after so many acknowledgements, return the last one it said."""
    command = [sys.executable, "-m", "tests.store.child", str(path), str(first), "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(n_acknowledged)]
        for _ in range(int(more * 2_000)):  # a random moment in between, without a clock
            pass
        child.kill()
        said += child.stdout.readlines()
    return int([line for line in said if line.endswith("\n")][-1])


def kill_again_and_again(path: Path, n_kills: int) -> None:
    dice = random.Random(n_kills)
    first = 1
    for _ in range(n_kills):
        acknowledged = die(path, first, dice.randint(1, 30), dice.random())
        store = Store.open(path)
        number = whole_up_to(store)
        store.close()
        assert number >= acknowledged
        first = number + 1


def test_nothing_acknowledged_is_lost_by_kill_9(path: Path) -> None:
    kill_again_and_again(path, 10)


@pytest.mark.torture
@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_by_a_hundred_kills(path: Path) -> None:
    kill_again_and_again(path, 100)


def test_a_store_reopened_after_kill_9_takes_records_again(path: Path) -> None:
    last = die(path, 1, 5, 0.0)
    store = Store.open(path)
    number = whole_up_to(store)
    store.close()
    assert number >= last
    command = [sys.executable, "-m", "tests.store.child", str(path), str(number + 1), "7"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    store = Store.open(path)
    assert whole_up_to(store) == number + 7
    store.close()
