import numpy as np
import pytest

from controller.search.acquisition import doubtful_log_improvement, log_belief, log_improvement
from controller.search.design import design
from controller.search.encoding import OFF_NUMBER, Encoder, encoder
from controller.search.failures import Failures
from controller.search.features import ripples, trends
from controller.search.process import Prior, Process, Shape, fit
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


def test_improvement_is_the_same_without_doubt_and_greater_far_away_with_it():
    mean, deviation = np.array([-1.0, 0.0, 1.0, 4.0, 8.0]), np.array([1.0, 0.5, 1.0, 1.0, 1.0])
    sure = log_improvement(mean, deviation, 0.0)
    assert doubtful_log_improvement(mean, deviation, 0.0, 1e5) == pytest.approx(sure, rel=0.01)
    doubtful = doubtful_log_improvement(mean, deviation, 0.0, 4.0)
    assert doubtful[-1] > sure[-1] + 10
    assert (np.argsort(doubtful) == np.argsort(sure)).all()


def test_improvement_with_doubt_is_what_draws_from_t_give():
    draws = 0.5 + 0.8 * np.sqrt(0.5) * np.random.default_rng(0).standard_t(4.0, size=400_000)
    told = doubtful_log_improvement(np.array([0.5]), np.array([0.8]), 0.0, 4.0)
    assert np.exp(told[0]) == pytest.approx(np.maximum(-draws, 0).mean(), rel=0.02)


def test_belief_falls_from_the_middle_to_the_limits():
    u = np.array([[0.5, 0.5], [0.2, 0.5], [0.0, 0.5], [0.0, 1.0]])
    assert log_belief(u)[0] == pytest.approx(0.0)
    assert (np.diff(log_belief(u)) < 0).all()


def test_encoder_is_kept_for_an_equal_space_only():
    def space(*values):
        return (parameter("x", "uniform", min=0.0, max=1.0), choice("c", *values))

    assert encoder(space(1, 2)) is encoder(space(1, 2))
    assert encoder(space(1, 2)) is not encoder(space(True, 2))
