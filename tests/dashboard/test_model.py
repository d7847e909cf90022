from __future__ import annotations

import random
from dataclasses import replace

import pytest

from controller.domain.changes import HistoryGrew, RunStateSet, SweepStateSet
from controller.domain.feed import Batch
from controller.domain.states import RUN_MOVES, RunState, SweepState
from tests import scenes
from tui_sweeps.model import Desk, Model, SweepDesk
from tui_sweeps.model.desk import read_desk, write_desk
from tui_sweeps.views.since import look, since_line
from tui_sweeps.views.tally import Sums, eta, tally

SWEEP = "d1g1ts00"


@pytest.fixture
def dice() -> random.Random:
    return random.Random(8)


def model() -> Model:
    made = Model()
    made.take(scenes.digits())
    made.drain()
    return made


def test_model_tells_exactly_what_a_batch_touched() -> None:
    one = model()
    one.fold(Batch(seq=2, changes=(RunStateSet(run_id="r0000035", state=RunState.FINISHED, at=1.0),)))
    touched = one.drain()
    assert (touched.runs, touched.sweeps, touched.everything) == ({"r0000035"}, {SWEEP}, False)
    assert not one.drain()


def test_model_passes_over_a_batch_it_knows() -> None:
    one = model()
    one.fold(
        Batch(seq=1, changes=(SweepStateSet(sweep_id=SWEEP, state=SweepState.PAUSED, cause="", at=1.0),))
    )
    assert one.world.sweeps[SWEEP].state is SweepState.RUNNING
    assert not one.drain()


def test_waiting_mark_goes_when_a_change_about_it_arrives() -> None:
    one = model()
    one.wait((SWEEP,), "pausing")
    assert one.drain().sweeps == {SWEEP}
    one.fold(
        Batch(seq=2, changes=(SweepStateSet(sweep_id=SWEEP, state=SweepState.PAUSED, cause="", at=1.0),))
    )
    assert one.waiting == {}


def test_tail_keeps_the_latest_values_and_forgets_gone_runs() -> None:
    one = model()
    one.seed_tail("r0000035", [float(n) for n in range(100)])
    one.seed_tail("nobody", [1.0])
    assert list(one.tails["r0000035"])[-1] == 99.0
    assert len(one.tails["r0000035"]) == 24
    assert "nobody" not in one.tails
    one.take(scenes.empty())
    assert one.tails == {}


def test_lost_controller_marks_everything_and_a_snapshot_takes_it_back() -> None:
    one = model()
    one.lose("gone")
    assert one.stale == "gone"
    assert one.drain().everything
    one.take(scenes.digits())
    assert one.stale == ""


def test_tally_adds_up_the_scene() -> None:
    numbers = tally(model().world, SWEEP)
    assert (numbers.n_runs, numbers.n_active, numbers.n_failed, numbers.n_agents) == (36, 2, 2, 3)
    assert numbers.n_ended == 34
    assert numbers.run_s(scenes.NOW) > numbers.ended_s > 0


def test_sums_that_follow_single_runs_are_those_of_a_walk_over_all(dice: random.Random) -> None:
    world = model().world
    sums, runs, at = Sums(world, SWEEP), list(world.runs), scenes.NOW
    for _ in range(60):
        at += 1.0
        ids = dice.sample(runs, 3)
        for one in ids:
            state = dice.choice(sorted(RUN_MOVES[world.runs[one].state]) or [world.runs[one].state])
            world.evolve([RunStateSet(run_id=one, state=state, at=at)])
        sums.touch(ids)
        followed, walked = sums.numbers(), tally(world, SWEEP)
        assert followed.ended_s == pytest.approx(walked.ended_s)
        assert sorted(followed.active_since) == sorted(walked.active_since)
        assert sorted(followed.durations_s) == sorted(walked.durations_s)
        unlike = {"ended_s": 0.0, "active_since": (), "durations_s": ()}
        assert replace(followed, **unlike) == replace(walked, **unlike)


def test_time_left_is_a_range_and_nothing_where_nothing_finished() -> None:
    world = model().world
    left = eta(world.sweeps[SWEEP], tally(world, SWEEP), scenes.NOW)
    assert left is not None
    assert 0 < left.low_s <= left.middle_s <= left.high_s
    assert eta(world.sweeps["open0001"], tally(world, "open0001"), scenes.NOW) is None


def test_since_line_counts_what_happened_and_is_silent_when_nothing_did() -> None:
    one = model()
    desk = Desk(left_at=scenes.NOW, seen=look(one.world))
    assert since_line(one.world, desk) == ""
    assert since_line(one.world, Desk()) == ""
    changes = (
        RunStateSet(run_id="r0000035", state=RunState.FAILED, at=scenes.NOW),
        SweepStateSet(sweep_id=SWEEP, state=SweepState.PAUSED, cause="", at=scenes.NOW),
    )
    one.fold(Batch(seq=2, changes=changes))
    assert since_line(one.world, desk) == "Since you left: digits-grid: +1 run, 1 failed, paused"


def test_desk_survives_a_round_trip_and_damage_gives_a_fresh_one() -> None:
    desk = Desk(screen="sweep", sweep=SWEEP, theme="nord", quiet=[SWEEP], columns={"digits": ["run", "best"]})
    desk.sweeps[SWEEP] = SweepDesk(view="agents", cursor="r1", filter="lr<1", sort="-best")
    assert read_desk(write_desk(desk)) == desk
    for damage in ("", "{", '{"screen": 3}', "[]", "\ud800"):
        assert read_desk(damage) == Desk()


def test_history_changes_reach_the_tail() -> None:
    one = model()
    before = len(one.tails)
    run = one.world.runs["r0000035"]
    grew = HistoryGrew(
        run_id=run.id,
        token=run.token or 0,
        last_seq=1,
        n_points=1,
        last_step=9,
        best=run.best,
        latest=0.5,
        n_metric_values=1,
        summary={},
        at=scenes.NOW,
    )
    one.fold(Batch(seq=2, changes=(grew,)))
    assert len(one.tails) == before + 1
