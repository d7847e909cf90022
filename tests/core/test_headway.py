"""A run that the scheduler cuts short again and again is given up only when it gets nowhere."""

from __future__ import annotations

import pytest

from controller.core.headway import MAX_STUCK, MAX_TIMEOUTS
from controller.domain.commands import RetryRuns
from controller.domain.replies import Accepted, ExitOrder
from controller.domain.runs import Run
from controller.domain.states import RunState
from tests.core.shop import Shop


class Cluster:
    """One run, cut short as often as a test wants; every attempt is a new task's."""

    def __init__(self) -> None:
        self.shop = Shop(1)
        self.sweep = self.shop.create()
        self.n = 0

    def cut_short(self, *, steps: range = range(0), out_of_time: bool = False) -> Run:
        """Let the run log these steps and then end it."""
        self.n += 1
        agent = f"a{self.n}"
        self.shop.join_task(agent, self.sweep, self.n)
        order = self.shop.run(agent, 1)
        if steps:
            self.shop.report(agent, order.token, 1, [1.0] * len(steps), first_step=steps.start)
        self.shop.end(
            agent,
            order.token,
            "preempted",
            last_seq=len(steps),
            cause="time limit reached" if out_of_time else "preempted",
            out_of_time=out_of_time,
        )
        return self.shop.world.runs[order.run_id]


def test_run_that_keeps_checkpoints_may_run_out_of_time_as_often_as_it_takes() -> None:
    cluster = Cluster()
    for n in range(4 * MAX_TIMEOUTS):
        run = cluster.cut_short(steps=range(n * 10, n * 10 + 10), out_of_time=True)
        assert (run.state, run.queued) == (RunState.PREEMPTED, True)
    assert run.n_preemptions == 4 * MAX_TIMEOUTS


def test_run_that_begins_anew_at_each_time_limit_is_given_up_with_the_step_it_reached() -> None:
    cluster = Cluster()
    reached = iter([100, 102, 99])
    for _ in range(MAX_TIMEOUTS - 1):
        run = cluster.cut_short(steps=range(next(reached)), out_of_time=True)
        assert run.queued
    run = cluster.cut_short(steps=range(next(reached)), out_of_time=True)
    assert (run.state, run.queued) == (RunState.CRASHED, False)
    assert run.cause == "cut short 3 times in a row and never got beyond step 101; time limit reached"
    cluster.shop.join("b", cluster.sweep)
    assert isinstance(cluster.shop.ask("b", 1), ExitOrder)


def test_preempted_run_that_gets_nowhere_has_more_patience() -> None:
    cluster = Cluster()
    for _ in range(MAX_STUCK):
        assert cluster.cut_short().queued
    run = cluster.cut_short()
    assert (run.state, run.cause) == (
        RunState.CRASHED,
        f"cut short {MAX_STUCK + 1} times in a row; preempted",
    )


@pytest.mark.parametrize("out_of_time", [True, False])
def test_retry_by_the_user_begins_to_count_anew(out_of_time: bool) -> None:
    cluster = Cluster()
    while (run := cluster.cut_short(out_of_time=out_of_time)).queued:
        pass
    assert isinstance(cluster.shop.tell(RetryRuns(run_ids=(run.id,))), Accepted)
    run = cluster.shop.world.runs[run.id]
    assert (run.n_preemptions, run.n_stuck, run.n_timeouts, run.reached_step) == (0, 0, 0, None)
    assert cluster.cut_short(out_of_time=out_of_time).queued
