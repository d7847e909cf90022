"""Runs that an operator deletes, or wants left out of the search."""

from __future__ import annotations

from typing import Any

import pytest

from controller.domain.agents import JobState
from controller.domain.commands import DeleteRuns, IgnoreRuns, ResumeSweep, RetryRuns, StopRuns
from controller.domain.effects import ForgetCurves
from controller.domain.events import JobSeen
from controller.domain.replies import Accepted, AgentOrder, Refused, RunOrder, Superseded, Wish
from controller.domain.states import RunState, SweepState
from controller.domain.sweeps import EarlyTermination
from tests.core.shop import Shop
from tests.core.test_leases import launched, silent
from tests.core.test_requeues import at_work


def worked(n_cells: int = 2, losses: tuple[float, ...] = (1.0, 2.0), **config: Any) -> tuple[Shop, str]:
    """Return a shop whose first cells were run by agent `a`."""
    shop = Shop(n_cells, **config)
    sweep_id = shop.create()
    shop.join("a", sweep_id)
    for n, loss in enumerate(losses, 1):
        token = shop.run("a", n).token
        shop.report("a", token, 1, [loss])
        shop.end("a", token, last_seq=1)
    return shop, sweep_id


def test_cell_of_a_deleted_run_is_handed_out_again_as_a_new_run() -> None:
    shop, sweep_id = worked(n_cells=4)
    first = next(iter(shop.world.runs_of[sweep_id]))
    assert isinstance(shop.tell(DeleteRuns(run_ids=(first,))), Accepted)
    order = shop.run("a", 3)
    again = shop.world.runs[order.run_id]
    assert (again.index, again.number) == (0, 3)
    assert again.id != first
    assert shop.world.counts_of[sweep_id]["finished"] == 1


def test_run_with_an_agent_is_not_deleted() -> None:
    shop, _ = worked(n_cells=4)
    order = shop.run("a", 3)
    refused = shop.tell(DeleteRuns(run_ids=(order.run_id,)))
    assert isinstance(refused, Refused)
    assert "still with an agent" in refused.reason
    assert shop.decisions[-1].changes == ()


def test_finished_sweep_says_that_a_deleted_cell_waits_for_its_resume() -> None:
    shop, sweep_id = worked()
    assert shop.world.sweeps[sweep_id].state is SweepState.FINISHED
    reply = shop.tell(DeleteRuns(run_ids=(next(iter(shop.world.runs_of[sweep_id])),)))
    assert isinstance(reply, Accepted)
    assert f"sweep {sweep_id} is finished: resume it" in reply.text
    assert isinstance(shop.tell(ResumeSweep(sweep_id=sweep_id)), Accepted)
    shop.join("b", sweep_id)
    token = shop.run("b", 1).token
    shop.end("b", token)
    assert shop.world.sweeps[sweep_id].state is SweepState.FINISHED


def test_nothing_more_can_be_said_of_or_by_a_deleted_run() -> None:
    shop, sweep_id = worked()
    run_id = next(iter(shop.world.runs_of[sweep_id]))
    token = shop.world.runs[run_id].token
    assert token is not None
    shop.tell(DeleteRuns(run_ids=(run_id,)))
    for command in (StopRuns, RetryRuns, DeleteRuns, IgnoreRuns):
        assert isinstance(shop.tell(command(run_ids=(run_id,))), Refused)
    assert isinstance(shop.report("a", token, 2, [0.1]), Superseded)
    assert isinstance(shop.end("a", token, last_seq=1), Superseded)


@pytest.mark.parametrize("deleted", [False, True])
def test_best_is_found_anew_without_runs_that_do_not_count(deleted: bool) -> None:
    shop, sweep_id = worked()
    first, second = shop.world.runs_of[sweep_id]
    assert shop.world.best_of[sweep_id] == first
    shop.tell(DeleteRuns(run_ids=(first,)) if deleted else IgnoreRuns(run_ids=(first,)))
    assert shop.world.best_of[sweep_id] == second
    if not deleted:
        shop.tell(IgnoreRuns(run_ids=(first,), ignored=False))
        assert shop.world.best_of[sweep_id] == first


def test_early_termination_looks_anew_when_a_run_counts_no_longer() -> None:
    shop, sweep_id = worked(n_cells=4, early_terminate=EarlyTermination(min_iter=1))
    shop.tell(IgnoreRuns(run_ids=(next(iter(shop.world.runs_of[sweep_id])),)))
    assert ForgetCurves(sweep_id=sweep_id) in shop.decisions[-1].effects


def deleted_while_silent() -> tuple[Shop, str, RunOrder]:
    """A run of task 8_1 fell silent, counted as crashed and was deleted; its agent may live on."""
    shop, sweep_id, order = at_work(n_cells=4)
    silent(shop)
    assert isinstance(shop.tell(DeleteRuns(run_ids=(order.run_id,))), Accepted)
    return shop, sweep_id, order


def test_agent_of_a_deleted_run_is_told_to_end_it() -> None:
    shop, _, order = deleted_while_silent()
    assert shop.beat("a", order.token) == AgentOrder(wish=Wish.KILL, token=order.token)
    assert shop.world.runs[order.run_id].state is RunState.CRASHED


def test_restarted_task_does_not_bring_a_deleted_run_back() -> None:
    shop, sweep_id, order = deleted_while_silent()
    shop.join_task("a'", sweep_id, 1, restart=1)
    run = shop.world.runs[order.run_id]
    assert (run.state, run.queued) == (RunState.CRASHED, False)
    assert shop.run("a'", 1).run_id != order.run_id


def test_evidence_of_an_agents_death_does_not_bring_a_deleted_run_back() -> None:
    shop, sweep_id, job_id, order = launched()
    silent(shop)
    shop.tell(DeleteRuns(run_ids=(order.run_id,)))
    shop.tell(JobSeen(job_id=job_id, state=JobState.ENDED, cause="signal 9"))
    run = shop.world.runs[order.run_id]
    assert (run.state, run.queued) == (RunState.CRASHED, False)
    assert not shop.world.queue_of[sweep_id]


def test_run_that_is_deleted_while_kept_for_its_task_is_kept_no_longer() -> None:
    shop, sweep_id, order = at_work(n_cells=4)
    shop.join_task("a'", sweep_id, 1, restart=1)
    assert shop.world.runs[order.run_id].kept_for == "8_1"
    shop.tell(DeleteRuns(run_ids=(order.run_id,)))
    assert shop.world.runs[order.run_id].kept_for == ""
    assert shop.run("a'", 1).run_id != order.run_id
