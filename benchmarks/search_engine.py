"""Our search behind one JSON object per line, for any harness: the very `propose` the controller uses.

    {"op": "init", "params": {...}, "cond": {...}, "seed": 0, "budget": 120}  ->  {}
    {"op": "ask"}                                          ->  {"id": 7, "config": {...}}
    {"op": "tell", "id": 7, "config": {...}, "value": 0.3, "state": "finished"}  ->  {}
    {"op": "load", "history": [[config, value], ...]}      ->  {}

`params` is the `parameters` section of a W&B sweep file. `cond` names parameters that matter only for
some value of another: {"b": {"a": value or list}} or {"b": ["a", [values]]}. Values are minimised.
Every config answered is complete: a parameter that does not matter there has a fixed middle value.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # this tree, whichever is installed

import msgspec

from controller.domain.parameters import MISSING, Parameter, Space, leaf, nested
from controller.domain.states import RunState
from controller.domain.sweepfile.reading import read_parameters
from controller.domain.sweeps import Method, Metric, SweepConfig
from controller.search.distributions import to_value
from controller.search.propose import Observation, Request, propose

Config = dict[str, Any]


class Engine:
    """One sweep as the controller would run it, without the controller."""

    def __init__(
        self, params: Config, cond: Config | None = None, seed: int = 0, method: Method = Method.BAYES
    ) -> None:
        self.space = conditional(_space(params), cond or {})
        self._config = SweepConfig(method=method, parameters=self.space, metric=Metric(name="loss"))
        self._seed = seed
        self._n = 0
        self._open: dict[int, Config] = {}
        self._seen: list[Observation] = []
        self.reason: dict[str, Any] = {}

    def ask(self) -> tuple[int, Config] | None:
        """Return the next config with its number; None when a finite space is used up."""
        request = Request(
            config=self._config, n=1, first_number=self._n, observations=tuple(self._seen),
            pending=tuple(self._open.values()), seed=self._seed,
        )  # fmt: skip
        suggestions = propose(request).suggestions
        if not suggestions:
            return None
        number = self._n
        self._n += 1
        self._open[number] = suggestions[0].config
        self.reason = suggestions[0].reason
        return number, self._complete(suggestions[0].config)

    def tell(self, number: int | None, config: Config, value: float | None, state: str = "finished") -> None:
        """Take in how a run ended; a run that we did not ask for is a prior one."""
        asked = self._open.pop(number, config) if number is not None else config
        self._seen.append(Observation(config=asked, value=value, state=RunState(state)))

    def load(self, history: list[tuple[Config, float | None]]) -> None:
        """Take in earlier runs; a value of None means that the run failed."""
        for config, value in history:
            self.tell(None, config, value, "failed" if value is None else "finished")

    def _complete(self, config: Config) -> Config:
        chosen = {}
        for p in self.space:
            value = leaf(config, p.path)
            chosen[p.path] = to_value(p, 0.5) if value is MISSING else value
        return nested(chosen)


def conditional(space: Space, cond: Config) -> Space:
    """Return `space` with the conditions of a harness, by dotted names."""
    paths = {p.name: p.path for p in space}

    def test(other: str, values: Any) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        return paths.get(other, (other,)), tuple(values) if isinstance(values, list) else (values,)

    result: list[Parameter] = []
    for p in space:
        given = cond.get(p.name)
        if isinstance(given, dict):
            tests = tuple(test(other, values) for other, values in given.items())
        elif isinstance(given, list) and len(given) == 2:
            tests = (test(given[0], given[1]),)
        else:
            tests = ()
        result.append(msgspec.structs.replace(p, when=p.when + tests))
    return tuple(result)


def _space(params: Config) -> Space:
    space, problems = read_parameters(params)
    for problem in problems:
        print(problem, file=sys.stderr)
    return space


def main() -> None:
    """Answer one line after the other until the input ends."""
    engine: Engine | None = None
    for line in sys.stdin:
        if not line.strip():
            continue
        message = json.loads(line)
        answer: Config = {}
        match message["op"]:
            case "init":
                engine = Engine(message["params"], message.get("cond"), int(message.get("seed") or 0))
            case "ask" if engine:
                asked = engine.ask()
                answer = {"id": asked[0], "config": asked[1]} if asked else {"id": None, "config": None}
            case "tell" if engine:
                state = message.get("state") or "finished"
                engine.tell(message.get("id"), message["config"], message.get("value"), state)
            case "load" if engine:
                engine.load(message["history"])
            case other:
                answer = {"error": f"unknown or too early: {other}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
