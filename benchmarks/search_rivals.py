"""The rivals behind the same four words, run by an interpreter of their own: W&B's engine and Optuna.

Usage: `python search_rivals.py wandb|tpe|gp`, then one JSON object per line as in search_engine.py.
"""

from __future__ import annotations

import json
import logging
import math
import random
import sys
import warnings
from typing import Any

Config = dict[str, Any]


class Wandb:
    """W&B's published engine (`sweeps` 0.3.0), `method: bayes`."""

    def __init__(self, params: Config, cond: Config, seed: int) -> None:
        import numpy as np
        import sweeps

        self._sweeps = sweeps
        random.seed(seed)
        np.random.seed(seed)  # the engine has no seed of its own
        self._config = {
            "method": "bayes",
            "metric": {"name": "loss", "goal": "minimize"},
            "parameters": params,
        }
        self._runs: list[Any] = []

    def ask(self) -> tuple[int, Config]:
        """Return the next config with its number."""
        run = self._sweeps.next_run(self._config, self._runs)
        run.state = self._sweeps.RunState.running
        self._runs.append(run)
        return len(self._runs) - 1, {k: v["value"] for k, v in run.config.items()}

    def tell(self, number: int, value: float | None) -> None:
        """Take in how a run ended; None is a failure."""
        run = self._runs[number]
        run.state = self._sweeps.RunState.failed if value is None else self._sweeps.RunState.finished
        if value is not None:
            run.history = [{"loss": value}]
            run.summary_metrics = {"loss": value}

    def load(self, history: list[tuple[Config, float | None]]) -> None:
        """Take in earlier runs; a value of None is a failure."""
        for config, value in history:
            given = {name: {"value": item} for name, item in config.items()}
            self._runs.append(self._sweeps.SweepRun(config=given, state=self._sweeps.RunState.running))
            self.tell(len(self._runs) - 1, value)


class Optuna:
    """Optuna's TPE (multivariate, grouped) or Gaussian process; conditions by definition while running."""

    def __init__(self, params: Config, cond: Config, seed: int, sampler: str) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        make = {
            "tpe": lambda: optuna.samplers.TPESampler(
                multivariate=True, group=True, constant_liar=True, seed=seed
            ),
            "gp": lambda: optuna.samplers.GPSampler(seed=seed),
        }[sampler]
        self._optuna = optuna
        self._study = optuna.create_study(sampler=make())
        self._params, self._cond = params, cond
        self._trials: list[Any] = []

    def ask(self) -> tuple[int, Config]:
        """Return the next config with its number."""
        trial = self._study.ask()
        config: Config = {}
        order = sorted(self._params, key=lambda name: (name in self._cond, name))
        for name in order:
            spec = self._params[name]
            allowed = self._cond.get(name, {})
            on = all(config[o] in (v if isinstance(v, list) else [v]) for o, v in allowed.items())
            config[name] = self._draw(trial, name, spec) if on else _middle(spec)
        self._trials.append(trial)
        return len(self._trials) - 1, config

    def _draw(self, trial: Any, name: str, spec: Config) -> Any:
        if "values" in spec:
            return trial.suggest_categorical(name, spec["values"])
        low, high, log, whole = _range(spec)
        value = (trial.suggest_int if whole else trial.suggest_float)(name, low, high, log=log)
        q = spec.get("q")
        return value // q * q or q if q else value

    def tell(self, number: int, value: float | None) -> None:
        """Take in how a run ended; None is a failure."""
        state = self._optuna.trial.TrialState.FAIL if value is None else None
        self._study.tell(self._trials[number], value, state=state)

    def load(self, history: list[tuple[Config, float | None]]) -> None:
        """Take in earlier runs of a space without conditions; a value of None is a failure."""
        make, states = self._optuna.trial.create_trial, self._optuna.trial.TrialState
        kinds = {name: self._distribution(spec) for name, spec in self._params.items()}
        for config, value in history:
            state = states.FAIL if value is None else states.COMPLETE
            self._study.add_trial(make(params=config, distributions=kinds, value=value, state=state))

    def _distribution(self, spec: Config) -> Any:
        """Return what `_draw` asks of a parameter, in Optuna's words."""
        words = self._optuna.distributions
        if "values" in spec:
            return words.CategoricalDistribution(spec["values"])
        low, high, log, whole = _range(spec)
        return (words.IntDistribution if whole else words.FloatDistribution)(low, high, log=log)


def _range(spec: Config) -> tuple[float, float, bool, bool]:
    """Return the limits of numbers, whether they are logarithmic, and whether they are whole."""
    log = "log_uniform_values" in spec.get("distribution", "")
    return spec["min"], spec["max"], log, isinstance(spec["min"], int)


def _middle(spec: Config) -> Any:
    if "values" in spec:
        return spec["values"][(len(spec["values"]) - 1) // 2]
    return (spec["min"] + spec["max"]) / 2


def main() -> None:
    """Answer one line after the other until the input ends."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    engine: Any = None
    for line in sys.stdin:
        message = json.loads(line)
        answer: Config = {}
        if message["op"] == "init":
            words = (message["params"], message.get("cond") or {}, message["seed"])
            engine = Wandb(*words) if sys.argv[1] == "wandb" else Optuna(*words, sys.argv[1])
        elif message["op"] == "ask":
            number, config = engine.ask()
            answer = {"id": number, "config": config}
        elif message["op"] == "load":
            engine.load(message["history"])
        else:
            value = message["value"]
            engine.tell(message["id"], value if value is not None and math.isfinite(value) else None)
        print(json.dumps(answer, default=float), flush=True)


if __name__ == "__main__":
    main()
