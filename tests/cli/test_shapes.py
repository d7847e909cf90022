"""The JSON of one run holds what the program said of itself and its host."""

from __future__ import annotations

from controller.domain.runs import Run
from controller.domain.sweeps import Method, Sweep, SweepConfig
from tui_sweeps.cli.shapes import run_row, run_whole


def test_whole_run_is_its_row_and_more() -> None:
    own, load = {"epochs": 4}, {"cpu": 20.5, "gpu.0.gpu": 99}
    run = Run(
        id="r",
        sweep_id="s",
        number=1,
        name="n",
        config={"x": 1},
        suggestion=0,
        own_config=own,
        system=load,
    )
    config = SweepConfig(method=Method.GRID, parameters=())
    sweep = Sweep(id="s", config=config, source="", directory="/", project="p", entity="e", name="n")
    whole = run_whole(run, sweep, (), 0.0)
    assert (whole["config"], whole["own_config"], whole["system"]) == ({"x": 1}, own, load)
    assert whole.items() >= run_row(run, 0.0).items()
    assert whole["attempts"] == []
