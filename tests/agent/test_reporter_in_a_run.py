"""A script that imports `tui_sweeps`, executed by an agent."""

from __future__ import annotations

import sys
from pathlib import Path

from controller.domain.states import AttemptState

from .conftest import Bench

SCRIPT = """
import sys
sys.path.insert(0, {repo!r})
import tui_sweeps
run = tui_sweeps.init(config={{"epochs": 3, "lr": 9}})
for epoch in range(run.config.epochs):
    tui_sweeps.log({{"loss": run.config.lr / (epoch + 1)}})
run.summary["best"] = 7
print(run.id, run.name, run.resumed)
"""


def test_script_gets_its_config_and_its_rows_arrive(bench: Bench) -> None:
    script = bench.directory / "train.py"
    script.write_text(SCRIPT.format(repo=str(Path(__file__).parents[2])))
    bench.run(("${env}", "${interpreter}", "${program}"), configs=[{"lr": 0.5}])
    rows = [(p.step, p.values) for p in bench.attempt.points.values()]
    assert rows == [(0, {"loss": 0.5}), (1, {"loss": 0.25}), (2, {"loss": 0.5 / 3})]
    assert bench.attempt.summary == {"best": 7}
    assert bench.attempt.lines == {0: "run1 brisk-sweep-1 False"}
    assert bench.attempt.ended.state is AttemptState.FINISHED
    assert bench.attempt.started.argv == ("/usr/bin/env", sys.executable, "train.py")
