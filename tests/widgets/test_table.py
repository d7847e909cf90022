from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region

from tests.dashboard.screen import lines_of
from tui_sweeps.widgets.columns import Geometry, padded
from tui_sweeps.widgets.table import Cell, Column, LineTable

NAME = Column("name", "Run", 10, fixed=True)
METRICS = [Column(f"m{at}", f"metric {at}", 9, "right") for at in range(6)]


class Owner(App[None]):
    """Holds one table and writes down what it says."""

    def __init__(self, n_rows: int = 100, columns: list[Column] | None = None, marks: bool = False) -> None:
        super().__init__()
        self.n_rows = n_rows
        self.asked: list[tuple[int, str]] = []
        self.said: list[tuple[str, int | str]] = []
        self.names: dict[int, str] = {}
        self.marks = {2} if marks else None
        self.columns = columns if columns is not None else [NAME, *METRICS]

    def compose(self) -> ComposeResult:
        marked = (lambda row: row in (self.marks or set())) if self.marks is not None else None
        yield LineTable(self.columns, lambda: self.n_rows, self.cell, marked=marked, empty="No runs yet.")

    def cell(self, row: int, key: str) -> Cell:
        self.asked.append((row, key))
        if key == "name":
            return Cell(self.names.get(row, f"run-{row}"), "bold")
        return Cell(f"{row}.{key}")

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        self.said.append(("highlighted", message.row))

    def on_line_table_row_selected(self, message: LineTable.RowSelected) -> None:
        self.said.append(("selected", message.row))

    def on_line_table_header_selected(self, message: LineTable.HeaderSelected) -> None:
        self.said.append(("header", message.column_key))

    @property
    def table(self) -> LineTable:
        return self.query_one(LineTable)

    def picture(self) -> list[str]:
        return [line.rstrip() for line in lines_of(self)]


async def test_table_shows_header_rows_and_right_aligned_cells() -> None:
    app = Owner(3)
    async with app.run_test(size=(40, 5)):
        assert app.picture() == [
            "Run         metric 0  metric 1 metri… 3→",
            "run-0           0.m0      0.m1      0.m2",
            "run-1           1.m0      1.m1      1.m2",
            "run-2           2.m0      2.m1      2.m2",
            "",
        ]


@pytest.mark.parametrize("n_rows", [100, 10_000, 100_000])
async def test_table_asks_for_the_rows_in_sight_only(n_rows: int) -> None:
    app = Owner(n_rows)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("end", "pageup")
        rows = {row for row, _ in app.asked}
        assert len(rows) <= 36
        assert app.table.cursor_row == n_rows - 10
        assert max(rows) == n_rows - 1


@pytest.mark.parametrize("n_rows", [100, 10_000, 100_000])
async def test_keys_move_the_cursor_and_keep_it_in_sight(n_rows: int) -> None:
    app = Owner(n_rows)
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.press("down", "j", "j", "k", "pagedown")
        assert app.table.cursor_row == 12
        assert any(line.startswith("run-12") for line in app.picture())
        await pilot.press("end")
        assert app.table.cursor_row == n_rows - 1
        assert app.picture()[-1].startswith(f"run-{n_rows - 1}"[:9])
        await pilot.press("home", "up")
        assert app.table.cursor_row == 0
        assert app.picture()[1].startswith("run-0")


async def test_first_column_and_header_stay_while_the_rest_moves() -> None:
    app = Owner(50)
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.press("right", "right", "pagedown")
        lines = app.picture()
        assert lines[0].startswith("Run         metric 2")
        assert lines[1].startswith("run-5           5.m2")
        await pilot.press("left")
        assert app.picture()[0].startswith("Run         metric 1")


async def test_column_cut_by_the_edge_ends_in_an_ellipsis() -> None:
    app = Owner(2)
    async with app.run_test(size=(36, 4)):
        assert app.picture()[0] == "Run         metric 0  metric 1 m… 4→"


async def test_wide_characters_and_marks_keep_columns_in_line() -> None:
    app = Owner(3)
    app.names = {0: "宽宽宽宽宽宽宽", 1: "e\u0301" * 12, 2: "a\x1b[2J\u202e[@click=x]"}
    async with app.run_test(size=(40, 5)):
        lines = app.picture()
        assert [cell_len(line) for line in lines[1:4]] == [40, 40, 40]
        assert lines[1].startswith("宽宽宽宽… ")
        assert lines[3].startswith("a␛\ufffd[@clic…")


async def test_empty_table_says_so_and_has_no_cursor() -> None:
    app = Owner(0)
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.press("down", "enter", "end")
        assert app.table.cursor_row == -1
        assert app.said == []
        assert app.picture()[2] == " No runs yet."


async def test_enter_and_clicks_speak_of_rows_and_headers() -> None:
    app = Owner(20)
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.press("down", "enter")
        await pilot.click(LineTable, offset=(3, 4))
        await pilot.click(LineTable, offset=(3, 5), times=2)
        await pilot.click(LineTable, offset=(25, 0))
        await pilot.pause()
        assert app.said == [
            ("highlighted", 0),
            ("highlighted", 1),
            ("selected", 1),
            ("highlighted", 3),
            ("highlighted", 4),
            ("selected", 4),
            ("header", "m1"),
        ]


async def test_reset_keeps_the_cursor_as_far_as_there_are_rows() -> None:
    app = Owner(50)
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.cursor_row = 30
        app.n_rows = 10
        app.table.reset()
        await pilot.pause()
        assert app.table.cursor_row == 9
        assert app.picture()[-1].startswith("run-9")
        app.table.reset(20, [NAME], keep_cursor=False)
        await pilot.pause()
        assert app.table.cursor_row == 0
        assert app.picture()[:2] == ["Run", "run-0"]


async def test_rows_that_appear_later_get_a_cursor() -> None:
    app = Owner(0)
    async with app.run_test(size=(40, 8)) as pilot:
        app.n_rows = 2
        app.table.reset()
        await pilot.pause()
        assert app.table.cursor_row == 0


async def test_marks_stand_before_the_first_column() -> None:
    app = Owner(4, marks=True)
    async with app.run_test(size=(40, 6)) as pilot:
        assert [line[:7] for line in app.picture()[1:5]] == ["  run-0", "  run-1", "● run-2", "  run-3"]
        assert app.marks is not None
        app.marks.add(1)
        app.table.refresh_rows([1])
        await pilot.pause()
        assert app.picture()[2].startswith("● run-1")


async def test_sort_keys_are_shown_with_direction_and_place() -> None:
    app = Owner(2)
    async with app.run_test(size=(60, 4)) as pilot:
        app.table.set_sort([("m1", True), ("name", False)])
        await pilot.pause()
        assert app.picture()[0].startswith("Run▲2       metric 0 metric…▼1 ")
        app.table.set_sort([("name", True)])
        await pilot.pause()
        assert app.picture()[0].startswith("Run▼ ")


async def test_refreshing_a_cell_touches_its_region_only(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Owner(1000)
    async with app.run_test(size=(40, 8)) as pilot:
        await pilot.pause()
        regions: list[Region] = []
        refresh = LineTable.refresh

        def spy(table: LineTable, *dirty: Region, **how: bool) -> LineTable:
            assert dirty, "the whole table was refreshed"
            regions.extend(dirty)
            return refresh(table, *dirty, **how)

        monkeypatch.setattr(LineTable, "refresh", spy)
        app.table.refresh_cell(2, "m1")
        app.table.refresh_cell(500, "m1")  # out of sight below
        app.table.refresh_cell(2, "m5")  # out of sight at the right
        app.table.refresh_cell(2, "unknown")
        app.table.refresh_rows([3, 900])
        app.table.refresh_rows([])
        monkeypatch.undo()
        assert regions == [Region(21, 3, 9, 1), Region(0, 4, 40, 1)]


widths = st.lists(st.integers(1, 12), min_size=1, max_size=8)


@given(widths, st.integers(0, 3), st.integers(0, 60), st.integers(1, 50))
def test_every_column_in_sight_is_in_the_window(
    sizes: list[int], n_fixed: int, scroll: int, width: int
) -> None:
    columns = [Column(str(at), "t", size, fixed=at < n_fixed) for at, size in enumerate(sizes)]
    geometry = Geometry(columns, marks=False)
    first, end = geometry.in_window(scroll + geometry.fixed_width, scroll + width)
    shown = {column.key for column in geometry.moving[first:end]} | {column.key for column in geometry.fixed}
    for column in columns:
        span = geometry.span(column.key, scroll, width)
        if span is not None:
            assert column.key in shown
            assert 0 <= span[0] < width
            assert span[0] + span[1] <= width


@given(st.text(max_size=20), st.integers(0, 12), st.sampled_from(["left", "right"]))
def test_padded_text_is_exactly_as_wide_as_its_column(text: str, width: int, align: str) -> None:
    assert cell_len(padded(text, width, "left" if align == "left" else "right")) == width + 1
