"""Slices: the metric against each parameter, as many small plots as fit, the others on further pages."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text

from tui_sweeps.format import fit
from tui_sweeps.screens.axes import axis_of, value_words
from tui_sweeps.screens.board import Setting, bindings
from tui_sweeps.screens.drawing import Work
from tui_sweeps.screens.plots import PlotBoard
from tui_sweeps.views.slices import Spot, page_of, spots

if TYPE_CHECKING:
    from tui_sweeps.charts.axes import Axis
    from tui_sweeps.charts.scatter import Dot, Kept, Panel


class MetricPlot(PlotBoard):
    """A plot whose upward axis is a metric."""

    def __init__(self, setting: Setting, sweep_id: str) -> None:
        super().__init__(setting, sweep_id)
        self._kept: Kept = {}
        """The dots as drawn last; a step of the cursor draws over them."""
        self._up: Axis | None = None
        """The metric's axis; None: there is no metric."""

    def without(self) -> Callable[[], None]:
        """Keep that there is no metric to draw."""

        def keep() -> None:
            self._up = None

        return keep

    def over(self, panels: list[Panel], width: int, height: int) -> list[Text]:
        """Return these panels, which were drawn before, with what is brought out on them."""
        from tui_sweeps.charts.glyphs import glyphs
        from tui_sweeps.charts.scatter import scatter

        if self._up is None:
            return [Text("The sweep names no metric, and no run has logged a number yet.", "dim")]
        return scatter(
            panels,
            self._up,
            width=width,
            height=height,
            glyphs=glyphs(os.environ),
            colours=self.colours,
            kept=self._kept,
        )

    def highlighted(self, panel: Panel, found: dict[str, Spot]) -> Panel:
        """Return a panel with the cursor's run and the marked ones brought out."""
        run = self.cursor_run()
        under = None if run is None else found.get(run.id)
        return replace(
            panel,
            marked=tuple(dot_of(found[one]) for one in self.marks if one in found),
            highlight=None if under is None else dot_of(under),
        )

    def action_metric_log(self) -> None:
        """Switch the metric between linear and logarithmic."""
        if (key := self.plot.colour()) and (reason := self.plot.switch_log(key)):
            self.say(reason, bad=True)
        self.draw_now()

    def metric_words(self) -> Text:
        """Return the metric's name, scale and way."""
        key = self.plot.colour()
        if not key:
            return Text("no metric", "dim")
        scale = self.columns.scale(key, self.plot.log_of(key))
        is_high = self.columns.is_better_high(key)
        way = "" if is_high is None else " ↑ higher is better" if is_high else " ↓ lower is better"
        words = Text(end="")
        words.append(fit(scale.title, 30), "bold")
        words.append(f" {scale.kind}{way}", "dim")
        return words


class SlicesScreen(MetricPlot):
    """The metric against each parameter."""

    VIEW = "slices"
    BINDINGS = bindings("slices")
    N_BELOW = 3

    def __init__(self, setting: Setting, sweep_id: str) -> None:
        super().__init__(setting, sweep_id)
        self._page, self._n_pages = 0, 1
        self._panels: list[tuple[Panel, dict[str, Spot]]] = []

    def keys_drawn(self, width: int, height: int) -> list[str]:
        """Return the page's parameters and the metric."""
        metric = self.plot.colour()
        return [*self._page_keys(width, height), metric] if metric else []

    def _page_keys(self, width: int, height: int) -> list[str]:
        from tui_sweeps.charts.scatter import n_panels

        n_fitting = n_panels(width, height)
        keys, self._page, self._n_pages = page_of(list(self.columns.parameters), self._page, n_fitting)
        return keys

    def plan(self, width: int, height: int) -> Work:
        """Return what draws the page."""
        metric = self.plot.colour()
        if not metric:
            return self.without
        keys = self._page_keys(width, height)
        still = self.plot.still(keys, self.order.ids)
        axes = [axis_of(one) for one in self.plot.placed(keys)]
        up, colours = axis_of(self.plot.placed([metric])[0]), self.colours

        def work() -> Callable[[], None]:
            from tui_sweeps.charts.glyphs import glyphs
            from tui_sweeps.charts.scatter import Panel, scatter

            every = [spots(still, key) for key in keys]
            panels = [Panel(axis, dots_of(found)) for axis, found in zip(axes, every, strict=True)]
            kept: Kept = {}
            size = {"width": width, "height": height}
            scatter(panels, up, **size, glyphs=glyphs(os.environ), colours=colours, kept=kept)
            by_run = [{spot.run_id: spot for spot in found} for found in every]
            return lambda: self._keep(list(zip(panels, by_run, strict=True)), kept, up)

        return work

    def _keep(self, panels: list[tuple[Panel, dict[str, Spot]]], kept: Kept, up: Axis) -> None:
        self._panels, self._kept, self._up = panels, kept, up

    def forget(self) -> None:
        """Let go of the kept picture."""
        self._panels, self._kept = [], {}

    def lines(self, width: int, height: int) -> list[Text]:
        """Bring the cursor's run and the marked ones out on the page."""
        return self.over([self.highlighted(panel, found) for panel, found in self._panels], width, height)

    def below(self, width: int) -> list[Text]:
        """Return the cursor's run with its values, the metric and the page."""
        line = self.metric_words()
        if self._n_pages > 1:
            line.append(f"   page {self._page + 1} of {self._n_pages}", "bold")
        return [self.run_line(width), self._values(), line]

    def _values(self) -> Text:
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        run = self.cursor_run()
        for key in self.columns.parameters if run is not None else ():
            scale = self.columns.scale(key)
            line.append(f"{fit(scale.title, 18)} ", "dim")
            line.append(f"{value_words(scale, self.columns.numbers(key).get(run.id if run else ''))}  ")
        return line

    def action_page_next(self) -> None:
        """Show the next parameters."""
        self._page += 1
        self.draw_now()

    def action_page_back(self) -> None:
        """Show the parameters before."""
        self._page -= 1
        self.draw_now()


def dot_of(spot: Spot) -> Dot:
    """Return the chart's dot."""
    return dots_of((spot,))[0]


def dots_of(spots: Sequence[Spot]) -> tuple[Dot, ...]:
    """Return the chart's dots."""
    from tui_sweeps.charts.scatter import Dot

    return tuple([Dot(x, y, step) for _, x, y, step in spots])
