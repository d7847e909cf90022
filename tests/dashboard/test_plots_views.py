"""What the plots are made of: scales, brush, colours, stairs."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.domain.parameters import Distribution, Parameter
from controller.domain.runs import Run
from controller.domain.states import RunState
from controller.domain.sweeps import Goal, Method, Metric, SweepConfig
from controller.domain.world import Facts, Snapshot
from tests import plot_scenes
from tests.scenes import NOW, categorical, digits_sweep
from tui_sweeps.model import Model, SweepDesk
from tui_sweeps.views.brush import N_STEPS, best_share, dropped, moved, range_of
from tui_sweeps.views.filter import matches, parse
from tui_sweeps.views.filter.subjects import RunSubject
from tui_sweeps.views.history import history
from tui_sweeps.views.parallel import N_COLOURS, Plot
from tui_sweeps.views.runs import RunRows
from tui_sweeps.views.scales import Columns, Scale

LOG = Scale("config.lr", "lr", "lr", "log", 1e-5, 1e-1)
WHOLE = Scale("config.layers", "layers", "layers", "linear", 1.0, 8.0, is_whole=True)
CHOICES = Scale("config.o", "o", "o", "categorical", 0.0, 2.0, choices=("adam", "sgd", "lion"))


def plot_of(parameters: tuple[Parameter, ...], runs: list[Run], goal: Goal = Goal.MINIMIZE) -> Plot:
    config = SweepConfig(method=Method.RANDOM, parameters=parameters, metric=Metric(name="loss", goal=goal))
    sweep = digits_sweep("s", config=config)
    model = Model()
    model.take(Snapshot(seq=1, facts=Facts(sweeps=(sweep,), runs=tuple(runs))))
    return Plot(Columns(RunRows(model, "s")), SweepDesk())


def run(number: int, best: float | None, ended_at: float | None = None, **config: object) -> Run:
    return Run(
        id=f"r{number}",
        sweep_id="s",
        number=number,
        name="a",
        config=config,
        suggestion=number,
        state=RunState.FINISHED,
        best=best,
        started_at=NOW - 1000,
        ended_at=NOW - 1000 + number if ended_at is None else ended_at,
    )


def test_scale_follows_the_distribution_and_its_declared_limits() -> None:
    parameters = (
        Parameter(path=("a",), distribution=Distribution.LOG_UNIFORM, min=math.log(1e-4), max=0.0),
        Parameter(path=("b",), distribution=Distribution.NORMAL),
        categorical("c", True, False, None, 1, "x"),
    )
    plot = plot_of(parameters, [run(1, 0.5, a=0.01, b=2.0, c=None), run(2, 0.4, a=0.1, b=-1.0)])
    a, b, c, metric = (plot.columns.scale(key) for key in plot.shown_keys())
    assert (a.kind, round(a.low, 9), a.high) == ("log", 1e-4, 1.0)
    assert (b.kind, b.low, b.high) == ("linear", -1.0, 2.0)
    assert c.labels == ("true", "false", "–", "1", "x")  # noqa: RUF001 - null as the table shows it
    assert c.has_missing
    assert not a.has_missing
    assert metric.title == "loss"
    assert plot.columns.positions("config.c") == {"r1": 0.5, "r2": None}


def test_touched_runs_change_their_positions_and_the_scale_when_they_leave_it() -> None:
    plot = plot_of((Parameter(path=("b",), distribution=Distribution.NORMAL),), [run(1, 1.0), run(2, 2.0)])
    columns = plot.columns
    assert columns.positions("best") == {"r1": 0.0, "r2": 1.0}
    world = columns.rows.model.world
    world.runs["r1"] = run(1, 1.5)
    columns.touch(["r1"])
    assert columns.positions("best") == {"r1": 0.0, "r2": 1.0}
    world.runs["r1"] = run(1, 4.0)
    columns.touch(["r1"])
    assert columns.positions("best") == {"r1": 1.0, "r2": 0.0}
    assert columns.scale("best").high == 4.0


@given(st.lists(st.sampled_from(["low+", "low-", "high+", "high-"]), max_size=60))
def test_brush_never_crosses_itself_and_is_read_back_where_it_stands(keys: list[str]) -> None:
    for scale in (LOG, WHOLE, CHOICES):
        text = "newt"
        for key in keys:
            text = moved(text, scale, end=key[:-1], by=1 if key[-1] == "+" else -1)
            low, high = range_of(text, scale).ends
            assert 0.0 <= low <= high <= 1.0
            assert text.startswith("newt")
        assert dropped(text, scale) == "newt"


def test_brush_walks_the_whole_axis_and_back() -> None:
    text = ""
    for _ in range(N_STEPS):
        text = moved(text, LOG, end="low", by=1)
    assert text == "lr>=0.1"
    for _ in range(N_STEPS):
        text = moved(text, LOG, end="low", by=-1)
    assert text == ""
    assert moved("", WHOLE, end="high", by=-1) == "layers<=7"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.booleans())
@example([-100000.99999999988], False)
@example([0.30000000000000004], False)
def test_best_share_lets_its_last_run_pass(numbers: list[float], is_high: bool) -> None:
    scale = Scale("best", "loss", "best", "linear", min(numbers), max(numbers))
    node = parse(best_share("", scale, numbers, 0.25, is_high))
    n_wanted = max(1, round(len(numbers) * 0.25))
    wanted = sorted(numbers, reverse=is_high)[:n_wanted]
    assert all(matches(node, RunSubject(run(1, value), {})) for value in wanted)


def test_colours_go_by_rank_so_that_one_outlier_changes_no_other() -> None:
    values = [float(n) for n in range(16)]
    calm = plot_of((), [run(n, v) for n, v in enumerate(values)]).steps()
    wild = plot_of((), [run(n, v if n < 15 else 1e30) for n, v in enumerate(values)]).steps()
    assert calm == wild
    assert calm["r0"] == N_COLOURS - 1
    assert calm["r15"] == 0
    assert (
        plot_of((), [run(n, v) for n, v in enumerate(values)], Goal.MAXIMIZE).steps()["r15"] == N_COLOURS - 1
    )


@pytest.mark.parametrize("over_time", [False, True])
def test_stairs_only_go_the_better_way(over_time: bool) -> None:
    dice = random.Random(1)
    runs = [run(n, dice.random()) for n in range(1, 60)]
    plot = plot_of((), runs)
    found = history(plot.still((), ()), runs, over_time=over_time, now=NOW)
    ys, xs = [y for _, y in found.stairs], [x for x, _ in found.stairs]
    assert ys == sorted(ys, reverse=True)
    assert xs == sorted(xs)
    assert ys[-1] == 0.0
    best = min(runs, key=lambda one: one.best or 0.0)
    assert found.last_better == best.id
    assert [label for _, label in found.ticks]


def test_runs_without_a_value_are_not_in_the_history() -> None:
    runs = [run(1, None), run(2, 0.5), run(3, math.nan)]
    found = history(plot_of((), runs).still((), ()), runs, over_time=True, now=NOW)
    assert [spot.run_id for spot in found.spots] == ["r2"]


def test_scene_has_every_kind_of_axis() -> None:
    model = Model()
    model.take(plot_scenes.tuned())
    plot = Plot(Columns(RunRows(model, plot_scenes.SWEEP)), SweepDesk())
    kinds = [placed.scale.kind for placed in plot.placed(plot.shown_keys())]
    assert set(kinds) == {"log", "linear", "categorical"}
    assert plot.columns.scale("config.momentum").has_missing
