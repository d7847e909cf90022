"""Eight scikit-learn tasks on full grids, so that a search over them costs a look-up."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from search_problems import Problem

Config = dict[str, Any]


def _mlp(c: Config) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        (c["width"],),
        learning_rate_init=c["lr"],
        alpha=c["alpha"],
        activation=c["act"],
        max_iter=12,
        random_state=0,
    )


def _svc(c: Config) -> Any:
    from sklearn.svm import SVC

    return SVC(C=c["C"], gamma=c["gamma"], kernel=c["kernel"], degree=c.get("degree", 3), max_iter=2000)


def _forest(c: Config) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        c["trees"],
        max_depth=c["depth"],
        max_features=c["features"],
        min_samples_leaf=c["leaf"],
        random_state=0,
    )


def _boost(c: Config) -> Any:
    from sklearn.ensemble import GradientBoostingRegressor

    return GradientBoostingRegressor(
        n_estimators=c["trees"],
        learning_rate=c["lr"],
        max_depth=c["depth"],
        subsample=c["sub"],
        random_state=0,
    )


def _knn(c: Config) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(c["k"], weights=c["weights"], p=c["p"], leaf_size=c["leaf"])


def _sgd(c: Config) -> Any:
    from sklearn.linear_model import SGDClassifier

    return SGDClassifier(
        loss=c["loss"], alpha=c["alpha"], penalty=c["penalty"], learning_rate=c["rate"], eta0=c["eta0"],
        max_iter=30, random_state=0,
    )  # fmt: skip


def _svr(c: Config) -> Any:
    from sklearn.svm import SVR

    return SVR(C=c["C"], gamma=c["gamma"], epsilon=c["epsilon"], kernel=c["kernel"], max_iter=3000)


def _tree(c: Config) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(
        max_depth=c["depth"], min_samples_leaf=c["leaf"], criterion=c["criterion"], ccp_alpha=c["ccp"],
        max_features=c["features"], random_state=0,
    )  # fmt: skip


def _lists(**lists: list[Any]) -> dict[str, Any]:
    return {name: {"values": values} for name, values in lists.items()}


_LOGS = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0]

TASKS: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    "mlp-digits": (
        _lists(
            width=[8, 16, 32, 64],
            lr=[0.0003, 0.001, 0.003, 0.01, 0.03, 0.1],
            alpha=[1e-5, 1e-3, 0.1, 1.0],
            act=["relu", "tanh", "logistic"]
        ),
        {}, ("digits", _mlp),
    ),
    "svc-digits": (
        _lists(
            C=[0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0],
            gamma=_LOGS,
            kernel=["rbf", "poly", "sigmoid", "linear"],
            degree=[2, 3, 4]
        ),
        {"degree": {"kernel": "poly"}, "gamma": {"kernel": ["rbf", "poly", "sigmoid"]}}, ("digits", _svc),
    ),
    "forest-wine": (
        _lists(
            trees=[5, 10, 20, 40],
            depth=[1, 2, 3, 5, 8],
            features=[0.1, 0.3, 0.6, 1.0],
            leaf=[1, 2, 4, 8, 16]
        ),
        {}, ("wine", _forest),
    ),
    "boost-diabetes": (
        _lists(
            trees=[10, 20, 40, 80],
            lr=[0.01, 0.03, 0.1, 0.2, 0.4],
            depth=[1, 2, 3, 4, 6],
            sub=[0.3, 0.5, 0.8, 1.0]
        ),
        {}, ("diabetes", _boost),
    ),
    "knn-cancer": (
        _lists(
            k=[1, 2, 3, 5, 7, 9, 13, 17, 21, 31, 41],
            weights=["uniform", "distance"],
            p=[1.0, 1.5, 2.0, 3.0, 5.0],
            leaf=[10, 30]
        ),
        {}, ("cancer", _knn),
    ),
    "sgd-digits": (
        _lists(
            loss=["hinge", "log_loss", "modified_huber", "perceptron"],
            alpha=[1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1],
            penalty=["l2", "l1", "elasticnet"],
            rate=["optimal", "constant", "invscaling", "adaptive"],
            eta0=[0.001, 0.01, 0.1, 1.0]
        ),
        {"eta0": {"rate": ["constant", "invscaling", "adaptive"]}}, ("digits", _sgd),
    ),
    "svr-diabetes": (
        _lists(
            C=[0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0],
            gamma=_LOGS,
            epsilon=[0.01, 0.1, 1.0, 5.0, 20.0],
            kernel=["rbf", "poly", "linear"]
        ),
        {"gamma": {"kernel": ["rbf", "poly"]}}, ("diabetes", _svr),
    ),
    "tree-cancer": (
        _lists(
            depth=[1, 2, 3, 4, 6, 8, 12],
            leaf=[1, 2, 4, 8, 16, 32],
            criterion=["gini", "entropy"],
            ccp=[0.0, 0.001, 0.003, 0.01, 0.03],
            features=[0.1, 0.3, 0.6, 1.0]
        ),
        {}, ("cancer", _tree),
    ),
}  # fmt: skip


def _active(cond: dict[str, Any], config: Config) -> Config:
    return {
        name: value
        for name, value in config.items()
        if all(config[o] in (v if isinstance(v, list) else [v]) for o, v in cond.get(name, {}).items())
    }


def mark(params: dict[str, Any], config: Config) -> str:
    """Return the key of a config in its table."""
    return json.dumps([config[name] for name in sorted(params)])


def tabulate(name: str) -> list[tuple[str, float | None]]:
    """Train every cell of a task's grid."""
    from sklearn import datasets
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    params, cond, (data, build) = TASKS[name]
    loader = {
        "digits": "load_digits",
        "wine": "load_wine",
        "cancer": "load_breast_cancer",
        "diabetes": "load_diabetes",
    }
    x, y = getattr(datasets, loader[data])(return_X_y=True)
    keep = np.random.default_rng(0).permutation(len(y))[:400]
    x, y = x[keep], y[keep]
    scoring = "neg_root_mean_squared_error" if data == "diabetes" else "accuracy"
    names, done, rows = sorted(params), {}, []
    for values in product(*(params[n]["values"] for n in names)):
        config = dict(zip(names, values, strict=True))
        key = json.dumps(_active(cond, config))
        if key not in done:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = make_pipeline(StandardScaler(), build(config))
                score = -float(np.mean(cross_val_score(model, x, y, cv=2, scoring=scoring)))
            done[key] = score if math.isfinite(score) else None
        rows.append((mark(params, config), done[key]))
    return rows


def real(cache: Path) -> list[Problem]:
    """Return the scikit-learn tasks, computing their tables into `cache` when they are missing."""
    problems = []
    for index, (name, (params, cond, _)) in enumerate(TASKS.items()):
        path = cache / f"table-{name}.json"
        if not path.exists():
            path.write_text(json.dumps(tabulate(name)))
        table = {row[0]: row[1] for row in json.loads(path.read_text())}
        known = [v for v in table.values() if v is not None]

        def truth(
            c: Config, table: dict[str, float | None] = table, params: dict[str, Any] = params
        ) -> float:
            found = table[mark(params, c)]
            return math.inf if found is None else found

        def loss(
            c: Config, rng: np.random.Generator, truth: Callable[[Config], float] = truth
        ) -> float | None:
            value = truth(c)
            return value if math.isfinite(value) else None

        family = "check" if index % 2 else "train"
        problems.append(Problem(name, params, loss, truth, min(known), cond, family, "real"))
    return problems
