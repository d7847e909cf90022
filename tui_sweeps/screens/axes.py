"""Axes as a chart needs them, made from the views' scales; and the question which axes a plot shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import SelectionList, Static
from textual.widgets.selection_list import Selection

from tui_sweeps.format import number
from tui_sweeps.screens.dialog import Dialog
from tui_sweeps.views.parallel import Placed
from tui_sweeps.views.scales import Scale

if TYPE_CHECKING:
    from tui_sweeps.charts.axes import Axis


class AxesList(SelectionList[str]):
    """The list. Without room for a line it stays where it is: Textual (8.2) fails to turn a page then."""

    def action_page_up(self) -> None:
        """Go up one page."""
        if self.scrollable_content_region:
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        """Go down one page."""
        if self.scrollable_content_region:
            super().action_page_down()  # type: ignore[no-untyped-call]


class AxesScreen(Dialog[list[str] | None]):
    """A list with a check mark per axis."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("enter", "done", show=False, priority=True),
        Binding("j", "walk(1)", show=False),
        Binding("k", "walk(-1)", show=False),
    ]

    DEFAULT_CSS = """
    AxesScreen { align: center middle; }
    AxesScreen > Vertical {
        width: 50; max-width: 100%; height: auto; max-height: 90%; padding: 0 1;
        border: round $accent; background: $surface; }
    AxesScreen SelectionList { height: auto; max-height: 24; border: none; padding: 0; background: $surface; }
    AxesScreen #hint { color: $text-muted; height: 1; }
    """

    def __init__(self, rows: list[tuple[str, str, bool]]) -> None:
        """`rows` are key, title, and whether the axis is shown."""
        super().__init__()
        self._rows = rows

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical():
            yield AxesList(*(Selection(Text(title), key, shown) for key, title, shown in self._rows))
            yield Static("space shows or hides · enter takes it · esc leaves", id="hint", markup=False)

    def action_walk(self, by: int) -> None:
        """Move the cursor."""
        found = self.query_one(AxesList)
        found.action_cursor_down() if by > 0 else found.action_cursor_up()

    def action_done(self) -> None:
        """Take the choice."""
        self.dismiss(list(self.query_one(AxesList).selected))

    def action_cancel(self) -> None:
        """Leave everything as it was."""
        self.dismiss(None)


def value_words(scale: Scale, value: float | None) -> str:
    """Return a number of a column as people read it."""
    if value is None:
        return "none"
    if scale.kind == "categorical":
        return scale.labels[int(value)] if int(value) < len(scale.choices) else "none"
    return number(int(value) if scale.is_whole else value, 9)


def axis_of(placed: Placed) -> Axis:
    """Return the chart's axis."""
    from tui_sweeps.charts.axes import Axis, nice_ticks

    scale = placed.scale
    brush = placed.brush.ends if placed.brush else None
    if scale.kind == "categorical":
        labels = enumerate(scale.labels)
        ticks = tuple((scale.position(float(at)) or 0.0, label) for at, label in labels)
    else:
        is_log = scale.kind == "log"
        values = nice_ticks(scale.low, scale.high, 4, log=is_log)
        ends = [] if scale.low == scale.high else [scale.low, scale.high]
        shown: dict[float, str] = {}
        for value in [*ends, *values]:
            place = scale.position(value)
            if place is not None and all(abs(place - other) >= 0.08 for other in shown):
                shown[place] = number(int(value) if value == int(value) else value, 8)
        ticks = tuple(sorted(shown.items()))
    return Axis(
        scale.title,
        scale.kind,
        ticks,
        placed.is_flipped,
        scale.has_missing,
        brush,
        scale.low,
        scale.high,
    )
