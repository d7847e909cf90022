"""Importance against closed forms.

Ishigami: Ishigami and Homma (1990). Sobol's g: Saltelli and Sobol' (1995). Total indices as in Saltelli et
al., "Global Sensitivity Analysis: The Primer" (2008).
"""

import math
import pickle

import numpy as np
import pytest

from controller.analysis.importance import ImportanceRequest, importance
from controller.domain.parameters import Distribution, Parameter


def uniform(name, low=0.0, high=1.0):
    return Parameter(path=(name,), distribution=Distribution.UNIFORM, min=low, max=high)


def choice(name, *values, **more):
    return Parameter(path=(name,), distribution=Distribution.CATEGORICAL, values=values, **more)


def explain(space, configs, values, n_bootstrap=12):
    answer = importance(
        ImportanceRequest(
            space=tuple(space),
            configs=tuple(configs),
            values=tuple(values),
            metric="loss",
            n_bootstrap=n_bootstrap,
        )
    )
    return answer, {parameter.name: parameter for parameter in answer.parameters}


def drawn(n_runs, n_parameters, seed=0):
    return np.random.default_rng(seed).random((n_runs, n_parameters))


def configs_of(units):
    return [{f"x{i}": float(u) for i, u in enumerate(row)} for row in units]


def cube(n_parameters):
    return [uniform(f"x{i}") for i in range(n_parameters)]


def ishigami(u):
    x = -math.pi + 2 * math.pi * u
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_shares(n_parameters):
    alone = 0.5 * (1 + 0.1 * math.pi**4 / 5) ** 2
    together = 0.1**2 * math.pi**8 * (1 / 18 - 1 / 50)
    totals = np.array([alone + together, 49 / 8, together] + [0.0] * (n_parameters - 3))
    return totals / totals.sum()


def test_importance_equals_ishigamis_total_indices_on_uniform_runs():
    units = drawn(400, 6)
    _, found = explain(cube(6), configs_of(units), ishigami(units).tolist())
    shares = np.array([found[f"x{i}"].importance for i in range(6)])
    truth = ishigami_shares(6)
    assert np.abs(shares - truth).sum() < 0.05
    assert shares[3:].sum() < 0.01
    assert all(
        found[f"x{i}"].importance_low <= share <= found[f"x{i}"].importance_high
        for i, share in enumerate(truth)
    )


def test_importance_equals_sobols_g_with_dead_parameters():
    a = np.array([0.0, 1.0, 4.5, 9.0])
    units = drawn(300, 6, seed=1)
    values = np.prod((np.abs(4 * units[:, :4] - 2) + a) / (1 + a), axis=1)
    alone = 1 / 3 / (1 + a) ** 2
    totals = np.array([v * np.prod(np.delete(1 + alone, i)) for i, v in enumerate(alone)] + [0.0, 0.0])
    _, found = explain(cube(6), configs_of(units), values.tolist())
    shares = np.array([found[f"x{i}"].importance for i in range(6)])
    assert np.abs(shares - totals / totals.sum()).sum() < 0.1
    assert shares[4:].sum() < 0.01


def test_importance_is_about_the_space_when_runs_crowd_in_a_corner():
    generator = np.random.default_rng(2)
    units = np.vstack([generator.random((60, 4)), 0.1 * generator.random((240, 4))])
    values = 3 * units[:, 0] + 2 * units[:, 1] + units[:, 2]
    _, found = explain(cube(4), configs_of(units), values.tolist())
    shares = [found[f"x{i}"].importance for i in range(4)]
    assert np.abs(np.array(shares) - np.array([9, 4, 1, 0]) / 14).sum() < 0.02


def test_importance_counts_by_decades_where_the_space_is_logarithmic():
    u, v = drawn(120, 2, seed=3).T
    lr = Parameter(path=("lr",), distribution=Distribution.LOG_UNIFORM_VALUES, min=1e-5, max=1e-1)
    runs = [{"lr": float(10 ** (-5 + 4 * a)), "x": float(b)} for a, b in zip(u, v, strict=True)]
    _, found = explain([lr, uniform("x")], runs, (u + v).tolist())
    assert found["lr"].importance == pytest.approx(0.5, abs=0.02)
    assert found["lr"].correlation > 0.5


def test_importance_of_a_list_follows_its_declared_probabilities():
    generator = np.random.default_rng(4)
    parameter = Parameter(
        path=("kind",),
        distribution=Distribution.CATEGORICAL_W_PROBABILITIES,
        values=("a", "b"),
        probabilities=(0.9, 0.1),
    )
    picks, u = generator.integers(2, size=150), generator.random(150)
    runs = [{"kind": "ab"[pick], "x": float(x)} for pick, x in zip(picks, u, strict=True)]
    _, found = explain([parameter, uniform("x")], runs, (picks + u).tolist())
    assert found["kind"].importance == pytest.approx(0.09 / (0.09 + 1 / 12), abs=0.03)
    assert found["kind"].correlation is None


def test_importance_of_a_conditional_parameter_counts_where_it_matters():
    # f = [kind = b] x: Var over x is 1/12 half of the time; Var over kind is x^2/4 in the mean, 1/12.
    generator = np.random.default_rng(5)
    picks, u = generator.integers(2, size=200), generator.random(200)
    runs = [
        {"kind": "ab"[pick], "opt": {"x": float(x)}} if pick else {"kind": "a"}
        for pick, x in zip(picks, u, strict=True)
    ]
    x = Parameter(
        path=("opt", "x"), distribution=Distribution.UNIFORM, min=0.0, max=1.0, when=((("kind",), ("b",)),)
    )
    _, found = explain([choice("kind", "a", "b"), x], runs, (picks * u).tolist())
    truth = (1 / 12) / (1 / 12 + 1 / 24)
    assert found["kind"].importance == pytest.approx(truth, abs=0.03)
    assert found["opt.x"].importance == pytest.approx(1 - truth, abs=0.03)


def test_importance_of_what_never_varied_is_zero():
    units = drawn(80, 1, seed=6)
    runs = [{"x": float(u), "fixed": 3, "stuck": 0.5} for (u,) in units]
    fixed = Parameter(path=("fixed",), distribution=Distribution.CONSTANT, values=(3,))
    answer, found = explain([fixed, uniform("stuck"), uniform("x")], runs, units[:, 0].tolist())
    assert found["fixed"].importance == found["fixed"].importance_high == found["fixed"].forest == 0.0
    assert found["stuck"].importance == 0.0
    assert found["x"].importance == 1.0
    assert answer.note == "Only x has been tried with more than one value, so all importance is its own."


def test_importance_leaves_out_runs_without_a_finite_value():
    units = drawn(60, 2, seed=7)
    values = (2 * units[:, 0] + units[:, 1]).tolist()
    values[:4] = [None, math.nan, math.inf, True]
    answer, found = explain(cube(2), configs_of(units), values)
    assert answer.n_runs == 56
    assert found["x0"].importance == pytest.approx(0.8, abs=0.02)


def test_importance_is_not_moved_by_an_exploded_run():
    units = drawn(100, 2, seed=8)
    values = (2 * units[:, 0] + units[:, 1]).tolist()
    values[10] = 1e30
    _, found = explain(cube(2), configs_of(units), values)
    assert found["x0"].importance > 0.6


def test_importance_bears_runs_that_lack_a_parameter_or_have_a_foreign_value():
    units = drawn(100, 2, seed=9)
    runs = configs_of(units)
    del runs[0]["x1"]
    runs[1]["x0"] = "text"
    runs[2]["x0"] = 55.0
    runs[3] = {}
    answer, found = explain(cube(2), runs, (2 * units[:, 0] + units[:, 1]).tolist())
    assert answer.n_runs == 100
    assert found["x0"].importance > 0.6


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([1.0, 2.0], "Only 2 runs have a value of loss; importance needs at least 6."),
        ([1.0, None], "Only 1 run has a value of loss; importance needs at least 6."),
        ([1.0] * 20, "loss is 1 in all 20 runs, so nothing makes a difference."),
    ],
)
def test_importance_says_why_there_is_nothing_to_say(values, note):
    answer, _ = explain(cube(2), configs_of(drawn(len(values), 2)), values)
    assert answer.note == note
    assert answer.parameters == ()


def test_importance_says_when_the_metric_is_noise():
    generator = np.random.default_rng(10)
    answer, _ = explain(cube(3), configs_of(drawn(150, 3)), generator.standard_normal(150).tolist())
    assert answer.note.startswith("loss looks like noise")


def test_importance_is_sorted_pickles_and_repeats():
    units = drawn(50, 3, seed=11)
    request = ImportanceRequest(
        space=tuple(cube(3)),
        configs=tuple(configs_of(units)),
        values=tuple(ishigami(units).tolist()),
        metric="loss",
        n_bootstrap=6,
    )
    answer = importance(pickle.loads(pickle.dumps(request)))
    assert answer == pickle.loads(pickle.dumps(importance(request)))
    shares = [parameter.importance for parameter in answer.parameters]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1.0)
    assert sum(parameter.forest for parameter in answer.parameters) == pytest.approx(1.0)
