"""Asks W&B's published engine (`sweeps`); run by an interpreter that has it, one JSON question per line."""

import json
import logging
import sys


def quantiles(question):
    from sweeps.params import HyperParameter

    parameter = HyperParameter("p", question["parameter"])
    return [plain(parameter.ppf(u)) for u in question["at"]]


def plain(value):
    return value.item() if hasattr(value, "item") else value


def grid(question):
    import sweeps

    config = {"method": "grid", "parameters": question["parameters"]}
    runs = sweeps.next_runs(config, [], n=question["n"])
    return [repr(flat(run.config)) for run in runs if run is not None]


def flat(config):
    return {name: bare(entry["value"]) for name, entry in config.items()}


def bare(value):
    """Return a value without numpy's types, which print themselves otherwise."""
    if isinstance(value, dict):
        return {key: bare(inner) for key, inner in value.items()}
    return plain(value)


def whole(question):
    import copy

    import sweeps

    config = question["config"]
    try:
        # Each call on a copy: the engine fills in defaults in place.
        runs = sweeps.next_runs(copy.deepcopy(config), [], n=question["n"])
        if "early_terminate" in config:
            run = sweeps.SweepRun(name="r", state="running", history=[{"loss": 1.0}])
            sweeps.stop_runs(copy.deepcopy(config), [run])
    except Exception:
        return None
    return [repr(flat(run.config)) for run in runs if run is not None]


def hyperband(question):
    import sweeps

    runs = [
        sweeps.SweepRun(
            name=name,
            state="running" if name in question["running"] else "finished",
            history=[{"other": 1} if v is None else {"loss": v} for v in values],
        )
        for name, values in question["curves"].items()
    ]
    config = {
        "method": "random",
        "metric": {"name": "loss", "goal": question["goal"]},
        "early_terminate": {"type": "hyperband", **question["early"]},
        "parameters": {"a": {"values": [1]}},
    }
    return sorted(run.name for run in sweeps.stop_runs(config, runs))


def main():
    logging.disable(logging.CRITICAL)
    answers = {"quantiles": quantiles, "grid": grid, "hyperband": hyperband, "whole": whole}
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(answers[question["ask"]](question)), flush=True)


if __name__ == "__main__":
    main()
