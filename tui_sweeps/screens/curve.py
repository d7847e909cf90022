"""Curves, drawn in a thread: plotext is too slow for the event loop."""

from __future__ import annotations

import os

from rich.text import Text
from textual import events, work
from textual.widgets import Static

Points = tuple[tuple[float, float], ...]
"""(step, value) in order of step."""

SMOOTHING = (0.0, 0.6, 0.9)
"""What the smoothing key goes through."""


class CurveView(Static):
    """Curves, and how they are looked at."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, markup=False)
        self._series: dict[str, Points] = {}
        self._title = ""
        self._log_y = False
        self._smooth = 0
        self._n_asked = 0

    def take(self, series: dict[str, Points], title: str = "") -> None:
        """Draw these curves, by name."""
        self._series, self._title = series, title
        self.draw()

    def smooth_more(self) -> None:
        """Go to the next smoothing."""
        self._smooth = (self._smooth + 1) % len(SMOOTHING)
        self.draw()

    def toggle_log(self) -> None:
        """Change between a linear and a logarithmic axis."""
        self._log_y = not self._log_y
        self.draw()

    def draw(self) -> None:
        """Draw anew."""
        size = self.content_size
        if size.width > 0 and size.height > 0:
            self._n_asked += 1
            self._drawn(self._series, size.width, size.height, self._n_asked)

    def on_resize(self, _event: events.Resize) -> None:
        """Use the new room."""
        self.draw()

    @work(thread=True, exclusive=True, group="chart", exit_on_error=False)
    def _drawn(self, series: dict[str, Points], width: int, height: int, number: int) -> None:
        from tui_sweeps.charts.curves import curves
        from tui_sweeps.charts.glyphs import glyphs

        drawn = curves(
            series,
            width=width,
            height=height,
            log_y=self._log_y,
            smoothing=SMOOTHING[self._smooth],
            title=self._title,
            glyphs=glyphs(os.environ),
            colours="NO_COLOR" not in os.environ,
        )
        self.app.call_from_thread(self._show, drawn, number)

    def _show(self, drawn: Text, number: int) -> None:
        # A thread cannot be stopped: one that was overtaken has nothing to show any more.
        if self.is_mounted and number == self._n_asked:
            self.update(drawn)
