import numpy as np
import pytest

from controller.search.posterior import best_believed
from tests.search.spaces import choice, parameter

SPACE = (parameter("x", "uniform", min=0.0, max=1.0), choice("kind", "a", "b"))


def seen(n, noise, seed=0):
    dice = np.random.default_rng(seed)
    configs = [{"x": float(x), "kind": "ab"[i % 2]} for i, x in enumerate(dice.random(n))]
    truth = [(c["x"] - 0.3) ** 2 + (c["kind"] == "b") for c in configs]
    return configs, truth, [t + noise * float(z) for t, z in zip(truth, dice.standard_normal(n), strict=True)]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_best_believed_is_sounder_than_the_luckiest_run(sign):
    better = 0
    for seed in range(8):
        configs, truth, values = seen(60, 0.15, seed)
        told = tuple(sign * value for value in values)
        found = best_believed(SPACE, tuple(configs), told, minimize=sign > 0)
        assert found.low <= found.mean <= found.high
        better += truth[found.index] <= truth[int(np.argmin(values))]
    assert better >= 7


def test_best_believed_of_a_metric_without_noise_is_the_best_run():
    configs, truth, values = seen(40, 0.0)
    found = best_believed(SPACE, tuple(configs), tuple(values), minimize=True)
    assert truth[found.index] <= sorted(truth)[1]
    assert found.mean == pytest.approx(truth[found.index], abs=0.05)


@pytest.mark.parametrize("values", [(1.0, 2.0, None), (1.0,) * 20, (float("nan"),) * 20])
def test_best_believed_is_none_where_there_is_nothing_to_believe(values):
    configs, _, _ = seen(len(values), 0.0)
    assert best_believed(SPACE, tuple(configs), values, minimize=True) is None
