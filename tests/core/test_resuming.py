"""Resume: what a sweep still has to give comes again."""

from __future__ import annotations

from controller.domain.commands import (
    CancelSweep,
    PauseSweep,
    ResumeSweep,
    RetryRuns,
    SetRunCap,
    StopSweep,
)
from controller.domain.replies import (
    Accepted,
    Refused,
    WaitOrder,
)
from tests.core.shop import Shop
from tests.core.test_verbs import S, running


def test_resume_of_a_cancelled_sweep_gives_its_killed_cells_again() -> None:
    shop = Shop(2)
    sweep = running(shop)
    order = shop.run("a", 1)
    shop.tell(CancelSweep(sweep_id=sweep))
    shop.end("a", order.token, "killed", signal=9)
    shop.tell(ResumeSweep(sweep_id=sweep))
    again = shop.run("a", 2)
    assert (again.run_id, again.attempt, again.config) == (order.run_id, 2, order.config)
    assert again.token > order.token


def test_resume_right_after_cancel_gives_killed_cells_again_when_they_have_ended() -> None:
    shop = Shop(1)
    sweep = running(shop)
    order = shop.run("a", 1)
    shop.tell(CancelSweep(sweep_id=sweep))
    shop.tell(ResumeSweep(sweep_id=sweep))
    shop.end("a", order.token, "killed", signal=9)
    assert shop.world.sweeps[sweep].state is S.RUNNING
    again = shop.run("a", 2)
    assert again.run_id == order.run_id
    assert shop.world.runs[again.run_id].stop is None
    shop.end("a", again.token)
    assert shop.world.sweeps[sweep].state is S.FINISHED


def test_resume_of_a_stopped_sweep_resumes_what_was_preempted_meanwhile() -> None:
    shop = Shop(1)
    sweep = running(shop)
    order = shop.run("a", 1)
    shop.tell(StopSweep(sweep_id=sweep))
    shop.end("a", order.token, "preempted")
    assert isinstance(shop.tell(ResumeSweep(sweep_id=sweep)), Accepted)
    again = shop.run("a", 2)
    assert (again.run_id, again.resume) == (order.run_id, True)


def test_resume_of_a_finished_sweep_is_possible_when_its_cap_is_raised() -> None:
    shop = Shop(4, run_cap=2)
    sweep = running(shop)
    for n in (1, 2):
        shop.end("a", shop.run("a", n).token)
    assert shop.world.sweeps[sweep].state is S.FINISHED
    refused = shop.tell(ResumeSweep(sweep_id=sweep))
    assert isinstance(refused, Refused)
    assert "run_cap" in refused.hint
    shop.tell(SetRunCap(sweep_id=sweep, run_cap=3))
    assert isinstance(shop.tell(ResumeSweep(sweep_id=sweep)), Accepted)
    third = shop.run("a", 3)
    assert third.config == {"x": 2}
    shop.end("a", third.token)
    assert shop.world.sweeps[sweep].state is S.FINISHED


def test_resume_of_a_stopped_sweep_hands_out_retried_runs() -> None:
    shop = Shop(1)
    sweep = running(shop)
    order = shop.run("a", 1)
    shop.tell(StopSweep(sweep_id=sweep))
    shop.end("a", order.token, "failed", exit_code=1)
    assert isinstance(shop.tell(ResumeSweep(sweep_id=sweep)), Refused)
    reply = shop.tell(RetryRuns(run_ids=(order.run_id,)))
    assert isinstance(reply, Accepted)
    assert "resume it" in reply.text
    assert isinstance(shop.tell(ResumeSweep(sweep_id=sweep)), Accepted)
    assert shop.run("a", 2).run_id == order.run_id


def test_resume_goes_on_with_the_same_search() -> None:
    shop = Shop(4)
    sweep = running(shop)
    shop.end("a", shop.run("a", 1).token)
    shop.tell(StopSweep(sweep_id=sweep))
    shop.tell(ResumeSweep(sweep_id=sweep))
    cells = []
    for n in (2, 3, 4):
        order = shop.run("a", n)
        cells.append(order.config["x"])
        shop.end("a", order.token)
    assert cells == [1, 2, 3]
    assert shop.world.sweeps[sweep].state is S.FINISHED


def test_a_sweep_paused_before_its_first_agent_waits_paused() -> None:
    shop = Shop()
    sweep = shop.create()
    shop.tell(PauseSweep(sweep_id=sweep))
    shop.join("a", sweep)
    assert shop.world.sweeps[sweep].state is S.PAUSED
    assert isinstance(shop.ask("a", 1), WaitOrder)
