import numpy as np
import pytest

from controller.search.design import design
from controller.search.encoding import OFF_NUMBER, Encoder, encoder
from controller.search.failures import Failures
from controller.search.features import ripples, trends
from controller.search.model import Model
from controller.search.process import Prior, Process, Shape, fit
from controller.search.targets import Warp, least_gain
from tests.search.spaces import choice, parameter

NUMBERS = np.zeros(2, dtype=bool)
SHAPE = Shape(weights=np.array([1.0, 0.5]), noise=-4.0, trend=-1.0)


def points(n, seed=0):
    return np.random.default_rng(seed).random((n, 2))


def test_process_foresees_a_target_as_a_process_without_it_does():
    rows = points(12)
    y = np.sin(5 * rows[:, 0]) + rows[:, 1]
    whole = Process(rows, y, NUMBERS, SHAPE)
    others = Process(rows[1:], y[1:], NUMBERS, SHAPE)
    # Each process has a mean of its own, which leaving one out hardly moves.
    assert whole.unforeseen()[0] == pytest.approx(y[0] - others.expect(rows[:1])[0], abs=0.05)


def test_process_follows_a_slope_beyond_its_points():
    rows = points(20) * np.array([0.5, 1.0])
    y = 4.0 * rows[:, 0]
    beyond = np.array([[1.0, 0.5]])
    told = {}
    for trend in (Prior().trend, None):
        shape, _ = fit(rows, y, NUMBERS, Prior(trend=trend))
        told[trend] = abs(4.0 - Process(rows, y, NUMBERS, shape).expect(beyond)[0])
    assert told[Prior().trend] < 0.5
    assert told[Prior().trend] < told[None]


def test_process_tells_ripples_that_add_up_from_few_runs():
    numbers = np.zeros(3, dtype=bool)
    rows, others = np.random.default_rng(3).random((2, 60, 3))

    def waves(u):
        return np.cos(6 * np.pi * (u - 0.1)).sum(axis=1) + u[:, 0]

    far = {}
    for name, prior in {"with": Prior(), "without": Prior(ripples=-40.0, ripples_sd=0.01)}.items():
        shape, _ = fit(rows, waves(rows), numbers, prior)
        told = Process(rows, waves(rows), numbers, shape).expect(others)
        far[name] = float(np.sqrt(((told - waves(others)) ** 2).mean()))
    assert far["with"] < 0.3 * far["without"]


def test_what_adds_up_is_nothing_where_a_column_does_not_matter():
    off = np.full((1, 2), OFF_NUMBER)
    assert trends(off, NUMBERS) == pytest.approx(0.0)
    assert ripples(off, NUMBERS) == pytest.approx(0.0, abs=1e-12)
    assert np.abs(ripples(points(5), NUMBERS)).max() > 0.1


def test_failures_are_blamed_on_a_region_only_when_they_follow_it():
    rows = points(60)
    region = Failures(rows, rows[:, 0] < 0.75, NUMBERS)
    assert region.trust > 0.8
    inside, outside = region.penalty(np.array([[0.95, 0.5], [0.3, 0.5]]))
    assert inside < outside - 20
    chances = [Failures(rows, np.random.default_rng(s).random(60) < 0.75, NUMBERS) for s in range(9)]
    assert np.median([chance.trust for chance in chances]) < 0.1
    assert np.median([np.ptp(chance.penalty(points(50, 1))) for chance in chances]) < 5


def test_design_stays_inside_the_range_and_shows_every_category_early():
    space = (parameter("x", "uniform", min=0.0, max=1.0), choice("c", "u", "v", "w", "z"))
    encoder = Encoder(space)
    rows = design(encoder, 8, seed=5)
    numbers = rows[:, ~encoder.is_category]
    assert numbers.min() >= 0.2
    assert numbers.max() <= 0.8
    assert {encoder.decode(row)["c"] for row in rows} == {"u", "v", "w", "z"}


def test_a_metric_in_steps_asks_for_half_a_step_more():
    accuracies = -np.array([0.90, 0.9025, 0.9025, 0.905, 0.8, 0.7, 0.905, 0.62])
    warp = Warp(accuracies)
    best, beyond = warp(np.array([-0.905, -0.90625]))
    assert least_gain(accuracies, warp) == pytest.approx(best - beyond, rel=1e-6)
    assert least_gain(accuracies, warp) > 0
    # What a mean over folds adds in the last digit is no step of its own.
    shaken = accuracies + np.array([0, 1e-16, 0, 0, 0, 0, 2e-16, 0])
    assert least_gain(shaken, warp) == pytest.approx(best - beyond, rel=1e-6)
    losses = np.random.default_rng(0).random(30)
    assert least_gain(losses, Warp(losses)) == 0.0
    assert least_gain(np.ones(5), Warp(np.ones(5))) == 0.0
    assert least_gain(np.array([1e308, -1e308, -1e308]), Warp(np.array([1e308, -1e308, -1e308]))) >= 0.0


def test_a_plateau_of_equal_values_is_left_sooner_than_one_that_still_falls():
    space = (parameter("x", "uniform", min=0.0, max=1.0), parameter("y", "uniform", min=0.0, max=1.0))
    rows = np.array([[0.1, 0.1], [0.1, 0.4], [0.4, 0.1], [0.4, 0.4], [0.25, 0.7], [0.7, 0.3], [0.8, 0.7]])
    steps = np.array([0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.3])
    falling = steps + 1e-4 * np.arange(7)
    on_it, off_it = np.array([[0.25, 0.25]]), np.array([[0.1, 0.95]])

    def drawn_away(values):
        none_failed = np.zeros(7, dtype=bool)
        model = Model(Encoder(space), rows, values, none_failed, np.random.default_rng(0))
        return float(model.score(off_it)[0] - model.score(on_it)[0])

    assert drawn_away(steps) > drawn_away(falling) + 0.5


def test_encoder_is_kept_for_an_equal_space_only():
    def space(*values):
        return (parameter("x", "uniform", min=0.0, max=1.0), choice("c", *values))

    assert encoder(space(1, 2)) is encoder(space(1, 2))
    assert encoder(space(1, 2)) is not encoder(space(True, 2))
