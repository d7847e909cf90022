"""Report, end and heartbeat: repeated, overlapping, late, from somebody else and impossible."""

from __future__ import annotations

import pytest

from controller.core.reports import MAX_TAG, MAX_TAGS
from controller.domain.changes import (
    HistoryGrew,
    PointsRecord,
)
from controller.domain.commands import PauseSweep
from controller.domain.events import (
    AgentJoined,
    AgentLeft,
    RunAsked,
    RunReported,
)
from controller.domain.replies import (
    Acked,
    ExitOrder,
    MissingFrom,
    Refused,
    Superseded,
    WaitOrder,
)
from controller.domain.runs import LogLines, Point
from controller.domain.states import RunState
from controller.domain.sweeps import Metric
from tests.core.shop import Shop
from tests.core.test_dispatch import opened


def test_report_is_recorded_counted_and_summed_up() -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    assert shop.report("a", order.token, 1, [3.0, 1.0, 2.0]) == Acked(last_seq=3)
    points = tuple(
        Point(seq=n, step=n, at=shop.at, values={"loss": v}) for n, v in ((1, 3.0), (2, 1.0), (3, 2.0))
    )
    assert shop.decisions[-1].changes == (
        HistoryGrew(
            run_id=order.run_id,
            token=order.token,
            last_seq=3,
            n_points=3,
            last_step=3,
            best=1.0,
            latest=2.0,
            n_metric_values=3,
            summary={"loss": 2.0},
            extremes={"loss": (1.0, 3.0)},
            at=shop.at,
        ),
    )
    assert shop.decisions[-1].records == (
        PointsRecord(run_id=order.run_id, token=order.token, points=points),
    )


def test_client_beside_the_agents_report_counts_its_own_lines_and_no_row_is_dropped() -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    seqs: list[int] = []

    def recorded() -> None:
        seqs.extend(
            p.seq for r in shop.decisions[-1].records if isinstance(r, PointsRecord) for p in r.points
        )

    assert shop.report("a", order.token, 1, [3.0, 2.0]) == Acked(last_seq=2)
    recorded()
    assert shop.report("a", order.token, 1, [9.0, 8.0, 7.0], from_client=True) == Acked(last_seq=3)
    recorded()
    assert shop.report("a", order.token, 3, [1.0]) == Acked(last_seq=3)
    recorded()
    assert shop.report("a", order.token, 2, [8.0, 7.0, 6.0], from_client=True) == Acked(last_seq=4)
    recorded()
    assert shop.report("a", order.token, 5, [1.0]) == MissingFrom(seq=4)
    assert seqs == [1, 2, 3, 4, 5, 6, 7]
    assert shop.world.runs[order.run_id].n_points == 7
    assert shop.end("a", order.token, last_seq=3) == Acked(last_seq=3)


def test_tags_are_kept_once_each_until_others_come() -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    told = RunReported(agent_id="a", token=order.token, tags=("big", "b" * 999, "", "big"))
    assert shop.tell(told) == Acked(last_seq=0)
    assert shop.world.runs[order.run_id].tags == ("big", "b" * MAX_TAG)
    shop.report("a", order.token, 1, [3.0])
    assert shop.world.runs[order.run_id].tags == ("big", "b" * MAX_TAG)
    many = tuple(map(str, range(2 * MAX_TAGS)))
    shop.tell(RunReported(agent_id="a", token=order.token, tags=many))
    assert shop.world.runs[order.run_id].tags == many[:MAX_TAGS]
    shop.tell(RunReported(agent_id="a", token=order.token, tags=()))
    assert shop.world.runs[order.run_id].tags == ()


def test_report_repeated_inserts_nothing_twice() -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    shop.report("a", order.token, 1, [3.0, 1.0])
    assert shop.report("a", order.token, 1, [3.0, 1.0]) == Acked(last_seq=2)
    assert shop.decisions[-1].changes == ()
    assert shop.decisions[-1].records == ()


def test_report_that_overlaps_adds_only_what_is_new() -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    shop.report("a", order.token, 1, [3.0, 1.0])
    assert shop.report("a", order.token, 2, [1.0, 0.5]) == Acked(last_seq=3)
    (record,) = shop.decisions[-1].records
    assert isinstance(record, PointsRecord)
    assert [point.seq for point in record.points] == [3]
    assert shop.world.runs[order.run_id].n_points == 3


def test_report_with_a_gap_is_told_what_is_missing() -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    assert shop.report("a", order.token, 3, [1.0]) == MissingFrom(seq=1)
    assert shop.decisions[-1].changes == ()


def test_points_beyond_what_the_report_covers_are_not_taken() -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    points = tuple(Point(seq=n, step=n, at=0.0, values={"loss": 1.0}) for n in (1, 2, 7))
    shop.tell(RunReported(agent_id="a", token=order.token, last_seq=2, points=points))
    assert shop.world.runs[order.run_id].n_points == 2


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1, 2**4000], ids=["high", "low", "huge"])
def test_report_of_a_step_that_nothing_can_store_is_refused_alone(step: int) -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    point = Point(seq=1, step=step, at=0.0, values={})
    reply = shop.tell(RunReported(agent_id="a", token=order.token, last_seq=1, points=(point,)))
    assert isinstance(reply, Refused)
    assert "2^63" in reply.hint
    assert shop.world.attempts[order.token].last_seq == 0


@pytest.mark.parametrize("first", [-1, 2**63 - 1])
def test_report_of_a_line_number_that_nothing_can_store_is_refused(first: int) -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    lines = (LogLines(first=first, lines=("x",)),)
    assert isinstance(shop.tell(RunReported(agent_id="a", token=order.token, lines=lines)), Refused)


def test_report_before_the_start_is_refused() -> None:
    shop, _ = opened()
    assert isinstance(shop.report("a", shop.order("a", 1).token, 1, [1.0]), Refused)


def test_report_by_another_agent_is_superseded_and_counts_nothing() -> None:
    shop, _ = opened(4, "a", "b")
    order = shop.run("a", 1)
    assert isinstance(shop.report("b", order.token, 1, [1.0]), Superseded)
    assert shop.decisions[-1].changes == ()


def test_report_that_comes_after_the_end_is_kept() -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    shop.end("a", order.token)
    assert shop.report("a", order.token, 1, [1.0]) == Acked(last_seq=1)
    assert shop.world.runs[order.run_id].state is RunState.FINISHED


def test_end_is_accepted_only_when_every_line_is_in() -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    shop.report("a", order.token, 1, [1.0, 2.0])
    assert shop.end("a", order.token, last_seq=5) == MissingFrom(seq=3)
    assert shop.world.runs[order.run_id].state is RunState.RUNNING
    shop.report("a", order.token, 3, [1.0, 2.0, 3.0])
    assert shop.end("a", order.token, last_seq=5) == Acked(last_seq=5)


def test_end_repeated_gets_the_same_answer_and_the_first_end_stands() -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    first = shop.end("a", order.token, "failed", exit_code=1)
    assert shop.end("a", order.token, "finished") == first
    assert shop.decisions[-1].changes == ()
    assert shop.world.runs[order.run_id].state is RunState.FAILED


def test_goodbye_gives_back_what_was_not_started_and_can_be_repeated() -> None:
    shop, _ = opened()
    order = shop.order("a", 1)
    assert shop.tell(AgentLeft(agent_id="a")) == Acked()
    run = shop.world.runs[order.run_id]
    assert (run.state, run.queued) == (RunState.PENDING, True)
    assert shop.tell(AgentLeft(agent_id="a")) == Acked()
    assert shop.decisions[-1].changes == ()


def test_goodbye_of_a_stranger_is_acknowledged() -> None:
    assert Shop().tell(AgentLeft(agent_id="stranger")) == Acked()


def test_tokens_only_grow_over_runs_and_attempts() -> None:
    shop, _ = opened(2, "a", "b")
    tokens = []
    for n in range(1, 5):
        order = shop.order("a", n)
        tokens.append(order.token)
        shop.tell(AgentLeft(agent_id="a"))
        shop.beat("a")
    assert tokens == sorted(set(tokens))


def test_an_ended_sweep_sends_asking_agents_away() -> None:
    shop, _ = opened(1)
    shop.end("a", shop.run("a", 1).token)
    reply = shop.ask("a", 2)
    assert isinstance(reply, ExitOrder)
    assert "finished" in reply.reason


def test_a_search_that_is_not_ready_lets_the_agent_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shop, "_suggest", lambda self, effect: None)
    shop, _ = opened()
    assert shop.ask("a", 1) == WaitOrder(reason="search is thinking")


def test_a_paused_sweep_is_the_reason_an_agent_is_told_to_wait() -> None:
    shop, sweep = opened()
    shop.tell(PauseSweep(sweep_id=sweep))
    assert shop.tell(RunAsked(agent_id="a", ask=1)) == WaitOrder(reason="the sweep is paused")


def test_an_agent_comes_with_all_it_says_of_itself() -> None:
    shop = Shop()
    sweep = shop.create()
    said = AgentJoined(
        agent_id="a", sweep_id=sweep, host="n1", pid=7, boot_id="b", job_id="j", job="12_3", node="n1"
    )
    shop.tell(said)
    agent = shop.world.agents["a"]
    assert (agent.host, agent.pid, agent.boot_id, agent.job_id) == ("n1", 7, "b", "j")
    assert (agent.job, agent.node, agent.joined_at) == ("12_3", "n1", shop.at)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "text", True, None, [1]])
def test_best_is_the_best_finite_number(value: object) -> None:
    shop = Shop(metric=Metric(name="loss"))
    shop.join("a", shop.create())
    order = shop.run("a", 1)
    points = tuple(
        Point(seq=n, step=n, at=0.0, values={"loss": v}) for n, v in enumerate([2.0, value, 3.0], 1)
    )
    shop.tell(RunReported(agent_id="a", token=order.token, last_seq=3, points=points))
    run = shop.world.runs[order.run_id]
    assert (run.best, run.latest) == (2.0, 3.0)
