"""Parallel coordinates: an axis per parameter and metric, a line per run, steered by keys.

The brush is the filter: what `[` and `]` choose on an axis stands in the filter line, and the runs table,
bulk actions and the other plots follow it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.text import Text

from tui_sweeps.format import fit, number, percent, speaks_unicode
from tui_sweeps.screens.axes import AxesScreen, axis_of, value_words
from tui_sweeps.screens.board import Setting, bindings
from tui_sweeps.screens.drawing import Work
from tui_sweeps.screens.plots import PlotBoard
from tui_sweeps.views.brush import best_share, dropped, moved, words
from tui_sweeps.views.filter import speakable
from tui_sweeps.views.scales import BEST, Scale

if TYPE_CHECKING:
    from tui_sweeps.charts.parallel import Line, Picture

CELLS_PER_AXIS = 11
"""Least distance of axes; more than fit are reached by moving the cursor."""

SHARES = (0.5, 0.25, 0.1, 0.05, 0.01)
"""Best parts that `b` goes through."""


class ParallelScreen(PlotBoard):
    """Parallel coordinates of one sweep."""

    VIEW = "parallel"
    BINDINGS = bindings("parallel")
    N_BELOW = 3

    def __init__(self, setting: Setting, sweep_id: str) -> None:
        super().__init__(setting, sweep_id)
        self._axis = 0
        """Number of the axis that keys act on, among those shown."""
        self._others = True
        """Runs that do not pass are drawn, without a colour."""
        self._share = -1
        self._shown: dict[str, Line] = {}
        self._picture: Picture | None = None

    # ------------------------------------------------------------------ drawing

    def keys_drawn(self, width: int, height: int) -> list[str]:
        """Return the axes that fit, and the metric that colours."""
        metric = self.plot.colour()
        return [*self._window(width)[0], *([metric] if metric else [])]

    def plan(self, width: int, height: int) -> Work:
        """Return what draws the lines."""
        keys, first = self._window(width)
        still = self.plot.still(keys, self.order.ids)
        axes = [axis_of(one) for one in self.plot.placed(keys)]
        others, cursor = self._others and self.colours, self._axis - first

        def work() -> Callable[[], None]:
            from tui_sweeps.charts.glyphs import glyphs
            from tui_sweeps.charts.parallel import Line, Picture

            traces = still.traces(keys, others=others)
            shown = {trace.run_id: Line(trace.positions, trace.step) for trace in traces}
            kind, lines = glyphs(os.environ), list(shown.values())
            picture = Picture(axes, lines, width=width, height=height, glyphs=kind, cursor=cursor)
            return lambda: self._keep(shown, picture)

        return work

    def _keep(self, shown: dict[str, Line], picture: Picture) -> None:
        self._shown, self._picture = shown, picture

    def forget(self) -> None:
        """Let go of the kept picture."""
        self._shown, self._picture = {}, None

    def lines(self, width: int, height: int) -> list[Text]:
        """Lay the cursor's line and the marked ones over the others."""
        if self._picture is None:
            return []
        run = self.cursor_run()
        marked = [self._shown[one] for one in self.marks if one in self._shown]
        highlight = self._shown.get(run.id) if run is not None else None
        return self._picture.rows(highlight, marked, colours=self.colours)

    def _window(self, width: int) -> tuple[list[str], int]:
        """Return the axes that fit, around the cursor's, and the number of the first."""
        keys = self.plot.shown_keys()
        self._axis = min(max(0, self._axis), max(0, len(keys) - 1))
        n_fitting = max(2, (width - 3) // CELLS_PER_AXIS + 1)
        first = min(max(0, self._axis - n_fitting // 2), max(0, len(keys) - n_fitting))
        return keys[first : first + n_fitting], first

    # ------------------------------------------------------------------ words

    def below(self, width: int) -> list[Text]:
        """Return the cursor's run, its values, and the axis under the cursor beside the colours."""
        return [self.run_line(width), self._values_line(width), self._axis_line(width)]

    def _values_line(self, width: int) -> Text:
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        run = self.cursor_run()
        if run is None:
            return line
        for key in self.plot.shown_keys():
            if key == BEST:
                continue
            scale = self.columns.scale(key, self.plot.log_of(key))
            value = self.columns.numbers(key).get(run.id)
            line.append(f"{fit(scale.title, 18)} ", "dim")
            line.append(f"{value_words(scale, value)}  ", "bold" if key == self._axis_key() else None)
        return line

    def _axis_line(self, width: int) -> Text:
        keys = self.plot.shown_keys()
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        key = self._axis_key()
        if not key:
            return line
        scale = self.columns.scale(key, self.plot.log_of(key))
        line.append(f"axis {self._axis + 1}/{len(keys)} ", "dim")
        line.append(fit(scale.title, 24), "bold")
        line.append(f" {scale.kind}{', flipped' if key in self.place.flipped else ''}", "dim")
        if chosen := words(self.place.filter, scale):
            line.append(f"  {fit(chosen, 40)}", "bold yellow")
        legend = self._legend()
        if line.cell_len + legend.cell_len + 2 <= width:
            line.append(" " * (width - line.cell_len - legend.cell_len))
            line.append_text(legend)
        return line

    def _legend(self) -> Text:
        from tui_sweeps.charts.palette import STEPS

        legend = Text(no_wrap=True, end="")
        key = self.plot.colour()
        if not key:
            return Text("no metric to colour by", "dim")
        found = [n for n in self.columns.numbers(key).values() if n is not None]
        if not found or not self.colours:
            return legend
        low, high = (number(end, 7) for end in (min(found), max(found)))
        ends = (low, high) if self.plot.is_high_bright() else (high, low)
        legend.append(f"{fit(self.columns.title(key), 16)} {ends[0]} ", "dim")
        for step in STEPS:
            legend.append("━" if speaks_unicode(os.environ) else "=", step)
        legend.append(f" {ends[1]}", "dim")
        return legend

    # ------------------------------------------------------------------ axes

    def _axis_key(self) -> str:
        keys = self.plot.shown_keys()
        return keys[min(self._axis, len(keys) - 1)] if keys else ""

    def _step(self, by: int) -> None:
        self._axis = min(max(0, self._axis + by), max(0, len(self.plot.shown_keys()) - 1))
        self.draw_now()

    def action_axis_left(self) -> None:
        """Go to the axis on the left."""
        self._step(-1)

    def action_axis_right(self) -> None:
        """Go to the axis on the right."""
        self._step(1)

    def _with_axis(self, act: Callable[[str], None]) -> None:
        if key := self._axis_key():
            act(key)
            self.draw_now()

    def _move(self, by: int) -> None:
        self._with_axis(lambda key: self.plot.move(key, by))
        self._step(by)

    def action_axis_move_left(self) -> None:
        """Move the axis to the left."""
        self._move(-1)

    def action_axis_move_right(self) -> None:
        """Move the axis to the right."""
        self._move(1)

    def action_axis_hide(self) -> None:
        """Take the axis away."""

        def hide(key: str) -> None:
            if not self.plot.hide(key):
                self.say("the last axis stays", bad=True)

        self._with_axis(hide)

    def action_axis_flip(self) -> None:
        """Turn the axis upside down."""
        self._with_axis(self.plot.flip)

    def action_axis_log(self) -> None:
        """Switch the axis between linear and logarithmic."""

        def switch(key: str) -> None:
            if reason := self.plot.switch_log(key):
                self.say(reason, bad=True)

        self._with_axis(switch)

    def action_axes(self) -> None:
        """Choose which axes are shown."""

        def chosen(keys: list[str] | None) -> None:
            if keys:
                self.plot.show(keys)
                self.draw_now()

        shown = set(self.plot.shown_keys())
        rows = [(key, self.columns.title(key), key in shown) for key in self.plot.all_keys()]
        self.app.push_screen(AxesScreen(rows), chosen)

    def action_others(self) -> None:
        """Show or hide the runs that do not pass the filter."""
        self._others = not self._others
        self.draw_now()

    # ------------------------------------------------------------------ brush

    def _brush(self, change: Callable[[str, Scale], str]) -> None:
        key = self._axis_key()
        if not key:
            return
        scale = self.columns.scale(key, self.plot.log_of(key))
        if not speakable(scale.field):
            self.say(f"{scale.title} cannot be named in a filter", bad=True)
            return
        self.set_filter(change(self.place.filter, scale))

    def action_brush_low_up(self) -> None:
        """Raise the low end of the brush."""
        self._brush(lambda text, scale: moved(text, scale, end="low", by=1))

    def action_brush_low_down(self) -> None:
        """Lower the low end of the brush."""
        self._brush(lambda text, scale: moved(text, scale, end="low", by=-1))

    def action_brush_high_down(self) -> None:
        """Lower the high end of the brush."""
        self._brush(lambda text, scale: moved(text, scale, end="high", by=-1))

    def action_brush_high_up(self) -> None:
        """Raise the high end of the brush."""
        self._brush(lambda text, scale: moved(text, scale, end="high", by=1))

    def action_brush_drop(self) -> None:
        """Take the brush off the axis."""
        self._brush(dropped)

    def action_best_share(self) -> None:
        """Let pass the best half, quarter, tenth, twentieth, hundredth of the runs, then all again."""
        numbers = [n for n in self.columns.numbers(BEST).values() if n is not None]
        is_high = self.columns.is_better_high(BEST)
        if not numbers or is_high is None:
            self.say("no run has a value of the sweep's metric yet", bad=True)
            return
        scale = self.columns.scale(BEST, self.plot.log_of(BEST))
        self._share = self._share + 1 if words(self.place.filter, scale) else 0
        if self._share >= len(SHARES):
            self._share = -1
            self.set_filter(dropped(self.place.filter, scale))
            return
        share = SHARES[self._share]
        self.set_filter(best_share(self.place.filter, scale, numbers, share, is_high))
        self.say(f"The best {percent(share)}: {scale.title} {words(self.place.filter, scale)}")
