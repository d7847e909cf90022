import numpy as np
import pytest

from controller.search.acquisition import (
    Effort,
    cross,
    doubtful_log_improvement,
    log_belief,
    log_improvement,
    maximise,
)
from controller.search.encoding import OFF_NUMBER, Encoder
from tests.search.spaces import choice, parameter

WIDE = Encoder(tuple(parameter(f"x{i}", "uniform", min=0.0, max=1.0) for i in range(10)))
LENGTHS = np.full(10, 0.3)


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


@pytest.mark.parametrize("seed", range(3))
def test_a_narrow_top_is_climbed_in_ten_columns(seed):
    dice = np.random.default_rng(seed)
    top, starts = dice.random(10), dice.random((8, 10))

    def score(rows):
        return -((rows - top) ** 2).sum(axis=1)

    _, value = maximise(WIDE, score, starts, LENGTHS, set(), dice, Effort())
    assert value > -0.045  # 0.07 per column; the start next to it is at some -0.7


def test_crosses_join_what_is_right_in_one_place_and_what_is_right_in_another():
    dice = np.random.default_rng(0)
    halves = np.array([[0.2] * 5 + [0.9] * 5, [0.9] * 5 + [0.2] * 5])
    crossed = cross(WIDE, halves, 2000, dice)
    assert np.isin(crossed, (0.2, 0.9)).all()
    whole = (crossed == 0.2).sum(axis=1)
    assert whole.max() >= 9
    assert (whole == 5).mean() >= 0.5  # half are left as they were


def test_crosses_are_configs_where_columns_depend_on_others():
    space = (
        choice("algo", "svm", "knn"),
        parameter("c", "uniform", min=0.0, max=1.0, when=((("algo",), ("svm",)),)),
        parameter("k", "uniform", min=0.0, max=1.0, when=((("algo",), ("knn",)),)),
    )
    encoder = Encoder(space)
    rows = encoder.encode([{"algo": "svm", "c": 0.2}, {"algo": "knn", "k": 0.8}])
    crossed = cross(encoder, rows, 400, np.random.default_rng(0))
    svm = crossed[:, 0] == rows[0, 0]
    assert 100 < svm.sum() < 300
    assert (crossed[svm, 2] == OFF_NUMBER).all()
    assert (crossed[~svm, 1] == OFF_NUMBER).all()
    # What a place never had is drawn for it, or is the middle.
    assert len(np.unique(crossed[svm, 1])) > 10
