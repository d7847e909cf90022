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
    return [flat(run.config) for run in runs if run is not None]


def flat(config):
    return {name: entry["value"] for name, entry in config.items()}


def hyperband(question):
    import sweeps

    runs = [
        sweeps.SweepRun(name=name, state="running", history=[{"loss": v} for v in values])
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
    answers = {"quantiles": quantiles, "grid": grid, "hyperband": hyperband}
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(answers[question["ask"]](question)), flush=True)


if __name__ == "__main__":
    main()
