"""The four verbs in every state of a sweep: what they do, what they refuse, when they were obeyed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from controller.domain.changes import AskedSet, NoteAdded, StopAskSet, SweepStateSet
from controller.domain.commands import (
    CancelSweep,
    PauseSweep,
    ResumeSweep,
    StopSweep,
    SweepVerb,
)
from controller.domain.events import AgentLeft, Ticked
from controller.domain.replies import (
    Accepted,
    ExitOrder,
    Granted,
    Refused,
    RunOrder,
    Superseded,
    WaitOrder,
    Wish,
)
from controller.domain.runs import StopAsk
from controller.domain.states import RunState, SweepState, Verb
from controller.domain.sweeps import Asked
from tests.core.shop import Shop

S = SweepState
VERB_COMMANDS: dict[Verb, type[SweepVerb]] = {
    Verb.PAUSE: PauseSweep,
    Verb.RESUME: ResumeSweep,
    Verb.STOP: StopSweep,
    Verb.CANCEL: CancelSweep,
}


def pending(shop: Shop) -> str:
    return shop.create()


def running(shop: Shop) -> str:
    sweep = shop.create()
    shop.join("a", sweep)
    return sweep


def paused(shop: Shop) -> str:
    sweep = running(shop)
    shop.tell(PauseSweep(sweep_id=sweep))
    return sweep


def stopped(shop: Shop) -> str:
    sweep = running(shop)
    shop.tell(StopSweep(sweep_id=sweep))
    return sweep


def cancelled(shop: Shop) -> str:
    sweep = running(shop)
    shop.tell(CancelSweep(sweep_id=sweep))
    return sweep


def finished(shop: Shop) -> str:
    sweep = running(shop)
    for n in range(1, shop.n_cells + 1):
        shop.end("a", shop.run("a", n).token)
    return sweep


def failed(shop: Shop) -> str:
    """The breaker pauses the sweep, its only agent goes and nobody resumes it."""
    sweep = running(shop)
    for n in range(1, 4):
        shop.end("a", shop.run("a", n).token, "failed", exit_code=1)
    shop.tell(AgentLeft(agent_id="a"))
    return sweep


def crashed(shop: Shop) -> str:
    sweep = running(shop)
    shop.run("a", 1)
    shop.wait(301)
    shop.tell(Ticked())
    shop.wait(3601)
    shop.tell(Ticked())
    return sweep


WAYS: dict[SweepState, Callable[[Shop], str]] = {
    S.PENDING: pending,
    S.RUNNING: running,
    S.PAUSED: paused,
    S.STOPPED: stopped,
    S.CANCELLED: cancelled,
    S.FINISHED: finished,
    S.FAILED: failed,
    S.CRASHED: crashed,
}

# The state after the verb; None: refused.
OUTCOMES: dict[SweepState, dict[Verb, SweepState | None]] = {
    S.PENDING: {Verb.PAUSE: S.PAUSED, Verb.RESUME: S.PENDING, Verb.STOP: S.STOPPED, Verb.CANCEL: S.CANCELLED},
    S.RUNNING: {Verb.PAUSE: S.PAUSED, Verb.RESUME: S.RUNNING, Verb.STOP: S.STOPPED, Verb.CANCEL: S.CANCELLED},
    S.PAUSED: {Verb.PAUSE: S.PAUSED, Verb.RESUME: S.RUNNING, Verb.STOP: S.STOPPED, Verb.CANCEL: S.CANCELLED},
    S.STOPPED: {Verb.PAUSE: None, Verb.RESUME: S.RUNNING, Verb.STOP: S.STOPPED, Verb.CANCEL: None},
    S.CANCELLED: {Verb.PAUSE: None, Verb.RESUME: S.RUNNING, Verb.STOP: None, Verb.CANCEL: S.CANCELLED},
    S.FINISHED: {Verb.PAUSE: None, Verb.RESUME: None, Verb.STOP: None, Verb.CANCEL: None},
    S.FAILED: {Verb.PAUSE: None, Verb.RESUME: S.RUNNING, Verb.STOP: None, Verb.CANCEL: None},
    S.CRASHED: {Verb.PAUSE: None, Verb.RESUME: S.RUNNING, Verb.STOP: None, Verb.CANCEL: None},
}


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("verb", list(Verb))
def test_verb_is_obeyed_or_refused_as_the_table_says(state: SweepState, verb: Verb) -> None:
    shop = Shop()
    sweep = WAYS[state](shop)
    assert shop.world.sweeps[sweep].state is state
    reply = shop.tell(VERB_COMMANDS[verb](sweep_id=sweep))
    expected = OUTCOMES[state][verb]
    if expected is None:
        assert isinstance(reply, Refused)
        assert str(verb) in reply.reason
        assert state in reply.reason
        assert reply.hint
        assert shop.decisions[-1].changes == ()
        assert shop.world.sweeps[sweep].state is state
    else:
        assert isinstance(reply, Accepted)
        assert reply.ids == (sweep,)
        assert shop.world.sweeps[sweep].state is expected


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("verb", list(Verb))
def test_verb_given_twice_changes_nothing_the_second_time(state: SweepState, verb: Verb) -> None:
    shop = Shop()
    sweep = WAYS[state](shop)
    first = shop.tell(VERB_COMMANDS[verb](sweep_id=sweep))
    facts = shop.world.facts()
    again = shop.tell(VERB_COMMANDS[verb](sweep_id=sweep))
    assert type(again) is type(first)
    assert shop.decisions[-1].changes == ()
    assert shop.world.facts() == facts


@pytest.mark.parametrize("verb", list(Verb))
def test_verb_is_refused_when_there_is_no_such_sweep(verb: Verb) -> None:
    reply = Shop().tell(VERB_COMMANDS[verb](sweep_id="nosuch00"))
    assert isinstance(reply, Refused)
    assert reply.code == "unknown"
    assert "nosuch00" in reply.reason


def test_hint_of_a_refused_verb_names_what_is_possible() -> None:
    shop = Shop()
    reply = shop.tell(PauseSweep(sweep_id=stopped(shop)))
    assert isinstance(reply, Refused)
    assert reply.hint == "possible now: resume, cancel"


def test_pause_says_who_asked_what_and_that_it_was_obeyed_at_once() -> None:
    shop = Shop()
    sweep = running(shop)
    shop.tell(PauseSweep(sweep_id=sweep, actor="eva@login1"))
    asked = Asked(verb=Verb.PAUSE, actor="eva@login1", at=shop.at)
    assert shop.decisions[-1].changes == (
        AskedSet(sweep_id=sweep, asked=asked),
        SweepStateSet(sweep_id=sweep, state=S.PAUSED, cause="paused by eva@login1", at=shop.at),
        NoteAdded(at=shop.at, actor="eva@login1", text="pause", sweep_id=sweep),
        AskedSet(
            sweep_id=sweep,
            asked=Asked(verb=Verb.PAUSE, actor="eva@login1", at=shop.at, obeyed_at=shop.at),
        ),
    )
    assert shop.decisions[-1].effects == ()


def test_pause_gives_no_new_runs_lets_running_ones_end_and_agents_wait() -> None:
    shop = Shop()
    sweep = running(shop)
    order = shop.run("a", 1)
    shop.join("b", sweep)
    shop.tell(PauseSweep(sweep_id=sweep))
    assert isinstance(shop.ask("b", 1), WaitOrder)
    assert shop.beat("a", order.token).wish is Wish.GO_ON
    shop.end("a", order.token)
    assert shop.world.runs[order.run_id].state is RunState.FINISHED
    assert isinstance(shop.ask("a", 2), WaitOrder)
    shop.tell(ResumeSweep(sweep_id=sweep))
    assert isinstance(shop.ask("a", 2), RunOrder)


def test_a_run_handed_out_before_the_pause_may_still_start() -> None:
    shop = Shop()
    sweep = running(shop)
    order = shop.order("a", 1)
    shop.tell(PauseSweep(sweep_id=sweep))
    assert isinstance(shop.start("a", order.token), Granted)


def test_stop_lets_runs_finish_and_agents_leave_after_and_is_obeyed_then() -> None:
    shop = Shop()
    sweep = running(shop)
    order = shop.run("a", 1)
    shop.join("idle", sweep)
    asked_at = shop.at
    shop.tell(StopSweep(sweep_id=sweep))
    assert shop.world.sweeps[sweep].asked == Asked(verb=Verb.STOP, actor="user", at=asked_at)
    assert shop.beat("a", order.token).wish is Wish.LEAVE
    assert isinstance(shop.ask("idle", 1), ExitOrder)
    shop.wait(3)
    shop.end("a", order.token)
    assert shop.world.runs[order.run_id].state is RunState.FINISHED
    asked = shop.world.sweeps[sweep].asked
    assert asked == Asked(verb=Verb.STOP, actor="user", at=asked_at, obeyed_at=asked_at + 3)
    assert isinstance(shop.ask("a", 2), ExitOrder)
    assert shop.world.sweeps[sweep].state is S.STOPPED


def test_cancel_kills_active_runs_at_once_takes_back_what_waits_and_is_obeyed_at_their_end() -> None:
    shop = Shop()
    sweep = running(shop)
    active = shop.run("a", 1)
    shop.join("b", sweep)
    handed_out = shop.order("b", 1)
    shop.tell(CancelSweep(sweep_id=sweep, actor="eva"))
    stop = StopAsk(actor="eva", at=shop.at, kill=True, cause="cancelled")
    assert StopAskSet(run_id=active.run_id, stop=stop) in shop.decisions[-1].changes
    assert shop.beat("a", active.token).wish is Wish.KILL_LEAVE
    taken_back = shop.world.runs[handed_out.run_id]
    assert (taken_back.state, taken_back.cause, taken_back.actor) == (RunState.KILLED, "cancelled", "eva")
    assert isinstance(shop.start("b", handed_out.token), Superseded)
    shop.wait(2)
    shop.end("a", active.token, "killed", signal=9)
    run = shop.world.runs[active.run_id]
    assert (run.state, run.cause, run.actor, run.signal) == (RunState.KILLED, "cancelled", "eva", 9)
    asked = shop.world.sweeps[sweep].asked
    assert asked is not None
    assert asked.obeyed_at == asked.at + 2
    assert isinstance(shop.ask("a", 2), ExitOrder)


def test_cancel_is_possible_after_stop_while_runs_are_active() -> None:
    shop = Shop()
    sweep = running(shop)
    order = shop.run("a", 1)
    shop.tell(StopSweep(sweep_id=sweep))
    assert isinstance(shop.tell(CancelSweep(sweep_id=sweep)), Accepted)
    assert shop.beat("a", order.token).wish is Wish.KILL_LEAVE


def test_an_exit_code_of_a_cancelled_run_is_no_failure() -> None:
    shop = Shop()
    sweep = running(shop)
    order = shop.run("a", 1)
    shop.tell(CancelSweep(sweep_id=sweep))
    shop.end("a", order.token, "failed", exit_code=1)
    assert shop.world.runs[order.run_id].state is RunState.KILLED
    assert shop.world.agents["a"].n_failures == 0
