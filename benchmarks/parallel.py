"""Time to draw parallel coordinates, beside plotext with the same lines on the same canvas.

One random sweep of four parameters and a metric, with 500, 5,000 and 10,000 runs. `cold` is the first drawing
(encoding of all runs, colours, lines, text); braille, block and ascii are later ones after news of a hundred
runs; `cursor` is a step of the cursor, which keeps the lines. CPU time stands beside wall time: they differ
on a busy machine.

    python benchmarks/parallel.py [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from controller.domain.sweeps import Sweep
from tests import extreme_scenes
from tui_sweeps.charts.glyphs import Glyphs
from tui_sweeps.charts.palette import SERIES
from tui_sweeps.charts.parallel import Line, Picture
from tui_sweeps.model import Model, SweepDesk
from tui_sweeps.screens.axes import axis_of
from tui_sweeps.views.parallel import Plot
from tui_sweeps.views.runs import RunRows
from tui_sweeps.views.scales import Columns

WIDTH, HEIGHT = 120, 36
N_TIMES = 7
LIMITS_MS = {500: 50.0, 5_000: 150.0}
"""What the specification asks for."""

Times = dict[str, float]


def timed(work: Callable[[], object], n_times: int = N_TIMES) -> tuple[float, float]:
    """Return the median wall and CPU time of some work, in milliseconds."""
    walls, cpus = [], []
    for _ in range(n_times):
        wall, cpu = time.perf_counter(), time.thread_time()
        work()
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.thread_time() - cpu))
    return statistics.median(walls), statistics.median(cpus)


class Ours:
    """The plot as the dashboard draws it."""

    def __init__(self, n_runs: int, kind: Glyphs) -> None:
        self.model = Model()
        self.model.take(extreme_scenes.big(n_runs))
        self.kind = kind
        self.sweep: Sweep = self.model.world.sweeps["big00000"]
        self.plot = self.fresh()
        self.picture = self.draw(self.plot)
        self.touched = list(self.model.world.runs)[:100]

    def fresh(self) -> Plot:
        """Return a plot that has read nothing."""
        return Plot(Columns(RunRows(self.model, self.sweep.id)), SweepDesk())

    def draw(self, plot: Plot) -> Picture:
        """Draw everything, as the screen does."""
        keys = plot.shown_keys()
        axes = [axis_of(placed) for placed in plot.placed(keys)]
        passing = self.model.world.runs_of[self.sweep.id]
        traces = plot.still(keys, tuple(passing)).traces(keys, others=True)
        lines = [Line(trace.positions, trace.step) for trace in traces]
        self.lines = lines
        picture = Picture(axes, lines, width=WIDTH, height=HEIGHT, glyphs=self.kind)
        picture.rows(lines[0], colours=True)
        return picture

    def after_news(self) -> None:
        """Draw again after a hundred runs changed."""
        self.plot.columns.touch(self.touched)
        self.picture = self.draw(self.plot)

    def cursor(self) -> None:
        """Bring out another run."""
        self.picture.rows(self.lines[7], colours=True)


def plotext_draw(lines: list[Line]) -> None:
    """Draw the same lines with plotext."""
    import plotext

    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.canvas("default")
    figure.plot_size(WIDTH, HEIGHT)
    for line in lines:
        marker = plotext.marker("braille", SERIES[(line.step or 0) % len(SERIES)])
        ys = [0.0 if value is None else value for value in line.values]
        figure.draw(figure.signal(list(range(len(ys))), ys, marker=marker).lines())
    figure.build().string()


def measure(n_runs: int) -> Times:
    """Return the times of one size."""
    out: Times = {"runs": n_runs, "load": os.getloadavg()[0]}
    for kind in Glyphs:
        ours = Ours(n_runs, kind)
        name = kind.value
        if kind is Glyphs.BRAILLE:
            out["cold_ms"], out["cold_cpu_ms"] = timed(lambda ours=ours: ours.draw(ours.fresh()))
            out["cursor_ms"], out["cursor_cpu_ms"] = timed(ours.cursor)
        out[f"{name}_ms"], out[f"{name}_cpu_ms"] = timed(ours.after_news)
    out["plotext_ms"], out["plotext_cpu_ms"] = timed(lambda: plotext_draw(ours.lines), 3)
    return out


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    random.seed(1)
    rows = [measure(n_runs) for n_runs in (500, 5_000, 10_000)]
    keys = ("braille", "block", "ascii", "cold", "cursor", "plotext")
    print("median wall ms (CPU ms)   " + "".join(key.rjust(18) for key in keys))
    for row in rows:
        cells = "".join(f"{row[f'{k}_ms']:8.1f} ({row[f'{k}_cpu_ms']:6.1f})".rjust(18) for k in keys)
        limit = LIMITS_MS.get(int(row["runs"]))
        verdict = (
            ""
            if limit is None
            else f"   {'within' if row['braille_cpu_ms'] <= limit else 'OVER'} {limit:g} ms"
        )
        print(f"{row['runs']:>6,} runs, load {row['load']:4.1f}    {cells}{verdict}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
