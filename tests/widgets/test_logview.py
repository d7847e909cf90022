from __future__ import annotations

from textual.app import App, ComposeResult

from tests.dashboard.screen import lines_of
from tui_sweeps.widgets.logview import LogView


class Owner(App[None]):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines
        self.read: set[int] = set()

    def compose(self) -> ComposeResult:
        yield LogView(lambda: len(self.lines), self.line)

    def line(self, at: int) -> str:
        self.read.add(at)
        return self.lines[at]

    @property
    def log_view(self) -> LogView:
        return self.query_one(LogView)

    def picture(self) -> list[str]:
        return [line.rstrip(" ▁▂▃▄▅▆▇█") for line in lines_of(self)]


async def test_log_shows_its_end_and_follows() -> None:
    app = Owner([f"line {at}" for at in range(100)])
    async with app.run_test(size=(30, 4)) as pilot:
        await pilot.pause()
        assert app.picture() == ["line 96", "line 97", "line 98", "line 99"]
        app.lines.append("newest")
        app.log_view.grow()
        await pilot.pause()
        assert app.picture()[-1] == "newest"


async def test_log_stays_where_the_user_scrolled_to_and_follows_again_at_the_end() -> None:
    app = Owner([f"line {at}" for at in range(100)])
    async with app.run_test(size=(30, 4)) as pilot:
        await pilot.press("pageup")
        assert not app.log_view.following
        app.lines += ["new"] * 50
        app.log_view.grow()
        await pilot.pause()
        assert app.picture()[0] == "line 92"
        await pilot.press("end")
        assert app.log_view.following
        assert app.picture()[-1] == "new"


async def test_log_reads_only_lines_in_sight() -> None:
    app = Owner([f"line {at}" for at in range(100_000)])
    async with app.run_test(size=(30, 4)) as pilot:
        await pilot.press("home")
        assert app.read <= {*range(8), *range(99_980, 100_000)}


async def test_last_line_is_read_again_when_it_grows() -> None:
    app = Owner(["10%"])
    async with app.run_test(size=(30, 4)) as pilot:
        app.lines[0] = "10%\r20%"
        app.log_view.grow()
        await pilot.pause()
        assert app.picture()[0] == "20%"


async def test_search_goes_round_and_shows_the_line() -> None:
    app = Owner([f"step {at} \x1b[31mLoss\x1b[0m" for at in range(60)] + ["[bold]Traceback"])
    async with app.run_test(size=(30, 5)) as pilot:
        await pilot.press("home")
        assert app.log_view.find("traceback") == 60
        await pilot.pause()
        assert "[bold]Traceback" in app.picture()
        assert app.log_view.find("loss") is not None
        assert app.log_view.find("nowhere") is None
        await pilot.press("home")
        assert [app.log_view.find("step 5") for _ in range(3)] == [5, 50, 51]
        assert app.log_view.find("step 5", forward=False) == 50


async def test_log_draws_colours_but_no_control_characters() -> None:
    app = Owner(["\x1b[32mok\x1b[0m \x1b[2J\x1b]0;t\x07[@click=app.quit]x[/]"])
    async with app.run_test(size=(40, 3)):
        assert app.picture()[0] == "ok ␛␛[@click=app.quit]x[/]"


async def test_truncated_log_is_read_anew() -> None:
    app = Owner([f"old {at}" for at in range(50)])
    async with app.run_test(size=(30, 4)) as pilot:
        app.lines[:] = ["fresh"]
        app.log_view.grow()
        await pilot.pause()
        assert app.picture() == ["fresh", "", "", ""]


async def test_empty_log_says_so() -> None:
    app = Owner([])
    async with app.run_test(size=(30, 3)):
        assert app.picture()[0] == " No output yet."
