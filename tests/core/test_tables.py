"""The tables of moves say what the words mean, no more and no less."""

from __future__ import annotations

from itertools import product

import pytest

from controller.domain.states import (
    RUN_ENDED,
    RUN_MOVES,
    SWEEP_MOVES,
    SWEEP_OPEN,
    VERBS,
    IllegalMoveError,
    RunState,
    SweepState,
    Verb,
    move_run,
    move_sweep,
)

P, R, Z = SweepState.PENDING, SweepState.RUNNING, SweepState.PAUSED
ENDED = {
    SweepState.STOPPED,
    SweepState.CANCELLED,
    SweepState.FINISHED,
    SweepState.FAILED,
    SweepState.CRASHED,
}


def test_verbs_are_allowed_in_the_states_of_the_table() -> None:
    expected = {
        Verb.PAUSE: (frozenset({P, R}), SweepState.PAUSED),
        Verb.RESUME: (frozenset({Z, *ENDED}), SweepState.RUNNING),
        Verb.STOP: (frozenset({P, R, Z}), SweepState.STOPPED),
        Verb.CANCEL: (frozenset({P, R, Z, SweepState.STOPPED}), SweepState.CANCELLED),
    }
    assert expected == VERBS


def test_every_verb_leads_where_the_moves_allow() -> None:
    for froms, to in VERBS.values():
        for state in froms:
            assert move_sweep(state, to) is to


def test_sweeps_are_open_or_ended() -> None:
    assert set(SweepState) == SWEEP_OPEN | ENDED
    assert not SWEEP_OPEN & ENDED


@pytest.mark.parametrize("state", sorted(ENDED))
def test_an_ended_sweep_only_runs_again_and_a_stopped_one_can_be_cancelled(state: SweepState) -> None:
    more = {SweepState.CANCELLED} if state is SweepState.STOPPED else set()
    assert SWEEP_MOVES[state] == {R, *more}


def test_no_sweep_becomes_pending_again() -> None:
    assert all(SweepState.PENDING not in tos for tos in SWEEP_MOVES.values())


def test_runs_move_as_the_words_say() -> None:
    assert RUN_MOVES[RunState.RUNNING] == RUN_ENDED | {RunState.PREEMPTING, RunState.PREEMPTED}
    assert RUN_MOVES[RunState.PREEMPTING] == RUN_ENDED | {RunState.PREEMPTED}
    for ended in (RunState.FINISHED, RunState.FAILED, RunState.KILLED):
        assert RUN_MOVES[ended] == {RunState.PENDING}, "only a retry leads out of an end"
    assert RunState.RUNNING in RUN_MOVES[RunState.CRASHED], "a late word revives"
    assert RunState.RUNNING not in RUN_MOVES[RunState.FAILED]


@pytest.mark.parametrize(("old", "new"), list(product(SweepState, SweepState)))
def test_a_sweep_moves_by_the_table_only(old: SweepState, new: SweepState) -> None:
    if new is old or new in SWEEP_MOVES[old]:
        assert move_sweep(old, new) is new
    else:
        with pytest.raises(IllegalMoveError):
            move_sweep(old, new)


@pytest.mark.parametrize(("old", "new"), list(product(RunState, RunState)))
def test_a_run_moves_by_the_table_only(old: RunState, new: RunState) -> None:
    if new is old or new in RUN_MOVES[old]:
        assert move_run(old, new) is new
    else:
        with pytest.raises(IllegalMoveError):
            move_run(old, new)
