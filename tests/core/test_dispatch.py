"""Join, ask, start, report, end: each repeated, lost, late, out of order and from somebody else."""

from __future__ import annotations

import pytest

from controller.domain.changes import (
    AgentSet,
    AttemptAdded,
    AttemptStarted,
    HistoryGrew,
    PointsRecord,
    RunAdded,
    RunStateSet,
)
from controller.domain.commands import PauseSweep, RetryRuns
from controller.domain.events import (
    AgentBeat,
    AgentJoined,
    AgentLeft,
    RunAsked,
    RunReported,
    RunStarted,
    Ticked,
)
from controller.domain.replies import (
    Acked,
    ExitOrder,
    Granted,
    Joined,
    MissingFrom,
    Refused,
    RunOrder,
    Superseded,
    WaitOrder,
    Wish,
)
from controller.domain.runs import LogLines, Point
from controller.domain.states import AttemptState, RunState, SweepState
from controller.domain.sweeps import Metric
from tests.core.shop import Shop


def opened(n_cells: int = 4, *agents: str) -> tuple[Shop, str]:
    shop = Shop(n_cells)
    sweep = shop.create()
    for agent in agents or ("a",):
        shop.join(agent, sweep)
    return shop, sweep


def test_join_tells_the_agent_all_it_needs_and_sets_the_sweep_running() -> None:
    shop = Shop(command=("python", "x.py"), on_lost="fence", capture=("a=(.*)",), min_time_s=9.0)
    sweep = shop.create()
    assert shop.join("a", sweep) == Joined(
        sweep_id=sweep,
        project="uncategorized",
        entity="local",
        sweep_name="s",
        command=("python", "x.py"),
        program=None,
        directory="/",
        heartbeat_s=10.0,
        lease_s=300.0,
        on_lost="fence",
        capture=("a=(.*)",),
        min_time_s=9.0,
    )
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING


def test_join_repeated_gets_the_same_answer_and_adds_nobody() -> None:
    shop, sweep = opened()
    first = shop.join("a", sweep)
    assert shop.join("a", sweep) == first
    assert shop.decisions[-1].changes == ()
    assert len(shop.world.agents) == 1


@pytest.mark.parametrize("name", ["{}", "uncategorized/{}", "anybody/uncategorized/{}"])
def test_sweep_is_found_by_its_names_forms(name: str) -> None:
    shop = Shop()
    assert isinstance(shop.join("a", name.format(shop.create())), Joined)


@pytest.mark.parametrize("name", ["nosuch00", "", "/", "other/{}", "x/other/{}"])
def test_join_is_refused_when_there_is_no_such_sweep(name: str) -> None:
    shop = Shop()
    reply = shop.join("a", name.format(shop.create()))
    assert isinstance(reply, Refused)
    assert reply.code == "unknown"
    assert shop.decisions[-1].changes == ()


def test_heartbeats_are_told_so_that_all_agents_together_send_ten_a_second_at_most() -> None:
    shop, sweep = opened(1, *(f"a{n}" for n in range(200)))
    reply = shop.join("one more", sweep)
    assert isinstance(reply, Joined)
    assert reply.heartbeat_s == pytest.approx(20.1)


def test_ask_makes_run_and_attempt_in_one_decision() -> None:
    shop, sweep = opened()
    order = shop.order("a", 1)
    added, attempt, agent = shop.decisions[-1].changes
    assert isinstance(added, RunAdded)
    assert isinstance(attempt, AttemptAdded)
    assert isinstance(agent, AgentSet)
    assert order == RunOrder(
        run_id=added.run.id, name="s-1", number=1, token=attempt.attempt.token, attempt=1, config={"x": 0}
    )
    assert (added.run.sweep_id, added.run.index, agent.agent.token) == (sweep, 0, order.token)


@pytest.mark.parametrize("after", ["asked", "started", "ended", "restarted"])
def test_ask_repeated_gets_the_same_answer(after: str) -> None:
    shop, _ = opened()
    order = shop.order("a", 1)
    if after in ("started", "ended"):
        shop.start("a", order.token)
    if after == "ended":
        shop.end("a", order.token)
    if after == "restarted":
        shop.world = type(shop.world)(shop.world.facts())
    assert shop.ask("a", 1) == order
    assert shop.decisions[-1].changes == ()
    assert len(shop.world.runs) == 1


def test_an_older_ask_that_arrives_late_takes_nothing_from_the_agent() -> None:
    shop, _ = opened()
    first = shop.run("a", 1)
    shop.end("a", first.token, "killed")
    shop.world.asks.clear()  # as after the killed run was handed to somebody else
    second = shop.order("a", 2)
    assert isinstance(shop.ask("a", 1), WaitOrder)
    assert isinstance(shop.start("a", second.token), Granted)


def test_ask_of_a_stranger_is_refused_with_the_advice_to_join() -> None:
    shop, _ = opened()
    reply = shop.ask("stranger", 1)
    assert isinstance(reply, Refused)
    assert (reply.code, reply.hint) == ("unknown", "join first")


def test_ask_is_refused_while_the_agent_executes_another_run() -> None:
    shop, _ = opened()
    shop.run("a", 1)
    assert isinstance(shop.ask("a", 2), Refused)
    assert shop.decisions[-1].changes == ()


def test_a_new_ask_gives_up_what_was_handed_out_and_never_started() -> None:
    shop, _ = opened()
    lost = shop.order("a", 1)
    again = shop.order("a", 2)
    assert (again.run_id, again.attempt) == (lost.run_id, 2)
    assert again.token > lost.token
    assert isinstance(shop.start("a", lost.token), Superseded)


def test_start_is_granted_again_when_repeated_and_executed_once() -> None:
    shop, _ = opened()
    order = shop.order("a", 1)
    started = RunStarted(agent_id="a", token=order.token, host="n1", directory="/d", argv=("p", "-x"))
    assert shop.tell(started) == Granted()
    assert list(shop.decisions[-1].changes) == [
        AttemptStarted(token=order.token, host="n1", job="", directory="/d", argv=("p", "-x"), at=shop.at),
        RunStateSet(run_id=order.run_id, state=RunState.RUNNING, at=shop.at),
    ]
    assert shop.tell(started) == Granted()
    assert not shop.decisions[-1].changes


@pytest.mark.parametrize("token", [0, -1, 99, 2**80])
def test_start_with_a_foreign_token_is_superseded(token: int) -> None:
    shop, _ = opened()
    assert isinstance(shop.start("a", token), Superseded)


def test_start_by_another_agent_is_superseded() -> None:
    shop, _ = opened(4, "a", "b")
    order = shop.order("a", 1)
    assert isinstance(shop.start("b", order.token), Superseded)
    assert shop.world.runs[order.run_id].state is RunState.PENDING


def test_what_is_not_started_for_a_minute_goes_to_the_front_and_costs_no_retry() -> None:
    shop, _ = opened(4, "a", "b")
    order = shop.order("a", 1)
    shop.wait(60)
    shop.tell(Ticked())
    assert shop.world.attempts[order.token].state is AttemptState.ASSIGNED
    shop.wait(0.5)
    shop.tell(Ticked())
    run = shop.world.runs[order.run_id]
    assert (run.state, run.queued, run.n_failures, run.n_crashes) == (RunState.PENDING, True, 0, 0)
    assert isinstance(shop.start("a", order.token), Superseded)
    assert shop.order("b", 1).run_id == order.run_id


def test_start_after_the_run_went_to_another_agent_is_superseded() -> None:
    shop, _ = opened(1, "a", "b")
    order = shop.order("a", 1)
    shop.wait(61)
    shop.tell(Ticked())
    new = shop.run("b", 1)
    assert new.token > order.token
    assert isinstance(shop.start("a", order.token), Superseded)
    assert isinstance(shop.report("a", order.token, 1, [1.0]), Superseded)
    assert isinstance(shop.end("a", order.token), Superseded)
    assert shop.world.runs[order.run_id].n_points == 0


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
            at=shop.at,
        ),
    )
    assert shop.decisions[-1].records == (
        PointsRecord(run_id=order.run_id, token=order.token, points=points),
    )


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


def test_a_silent_run_that_was_handed_out_again_is_told_to_end_by_a_heartbeat() -> None:
    shop, _ = opened(1, "a", "b")
    order = shop.run("a", 1)
    shop.wait(301)
    shop.tell(Ticked())
    shop.tell(RetryRuns(run_ids=(order.run_id,)))
    shop.join("b", next(iter(shop.world.sweeps)))
    assert shop.run("b", 1).run_id == order.run_id
    told = shop.beat("a", order.token)
    assert (told.wish, told.token) == (Wish.KILL, order.token)


def test_a_replaced_attempt_is_told_its_end_also_when_its_agent_was_handed_another_run() -> None:
    shop, sweep = opened(2, "a", "b")
    old = shop.run("a", 1)
    shop.wait(301)
    shop.tell(Ticked())
    shop.tell(RetryRuns(run_ids=(old.run_id,)))
    shop.join("b", sweep)
    assert shop.run("b", 1).run_id == old.run_id
    new = shop.order("a", 2)
    told = shop.beat("a", old.token)
    assert (told.wish, told.token) == (Wish.KILL, old.token)
    shop.start("a", new.token)
    told = shop.beat("a", new.token)
    assert (told.wish, told.token) == (Wish.GO_ON, new.token)


def test_a_heartbeat_that_names_an_ended_run_speaks_of_the_one_handed_out_since() -> None:
    shop, _ = opened()
    first = shop.run("a", 1)
    shop.end("a", first.token)
    second = shop.run("a", 2)
    told = shop.beat("a", first.token)
    assert (told.wish, told.token) == (Wish.GO_ON, second.token)


def test_heartbeat_of_a_stranger_is_refused_with_the_advice_to_join() -> None:
    reply = Shop().tell(AgentBeat(agent_id="stranger"))
    assert isinstance(reply, Refused)
    assert reply.code == "unknown"


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
