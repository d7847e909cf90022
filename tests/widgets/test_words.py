from __future__ import annotations

from rich.text import Text
from textual.app import App, ComposeResult

from tests.dashboard.screen import lines_of
from tui_sweeps.widgets.words import Words


class Counted(Words):
    n_paints = 0
    n_layouts = 0

    def refresh(self, *regions: object, repaint: bool = True, layout: bool = False, **more: bool) -> Counted:  # type: ignore[override]
        self.n_paints += 1
        self.n_layouts += layout
        return super().refresh(*regions, repaint=repaint, layout=layout, **more)  # type: ignore[arg-type]


class Owner(App[None]):
    CSS = "#line { height: 1; } #page { height: auto; }"

    def compose(self) -> ComposeResult:
        yield Counted(id="line")
        yield Counted(id="page")


async def test_words_are_painted_only_when_they_are_others_and_laid_out_only_when_that_counts() -> None:
    app = Owner()
    async with app.run_test(size=(20, 5)) as pilot:
        line, page = app.query_one("#line", Counted), app.query_one("#page", Counted)
        for words in (line, page):
            words.update(Text("one"))
        await pilot.pause()
        before = (line.n_paints, line.n_layouts, page.n_paints, page.n_layouts)
        for words in (line, page):
            words.update(Text("one"))
        assert (line.n_paints, line.n_layouts, page.n_paints, page.n_layouts) == before
        line.update(Text("two", "bold"))
        page.update(Text("two\nthree"))
        assert (line.n_paints, line.n_layouts) == (before[0] + 1, before[1])
        assert page.n_layouts == before[3] + 1
        await pilot.pause()
        assert [text.rstrip() for text in lines_of(app)][:3] == ["two", "two", "three"]


async def test_words_are_no_markup() -> None:
    app = Owner()
    async with app.run_test(size=(40, 3)) as pilot:
        app.query_one("#line", Counted).update("[bold]x[/] [@click=app.quit]y[/]")
        await pilot.pause()
        assert lines_of(app)[0].rstrip() == "[bold]x[/] [@click=app.quit]y[/]"
