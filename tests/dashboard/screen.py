"""The text of the screen as a test reads it."""

from __future__ import annotations

from textual.app import App
from textual.pilot import Pilot

from tests.fake_client import FakeClient
from tests.scenes import NOW
from tui_sweeps.app import SweepsApp


def text_of(app: App[object]) -> str:
    """Return the lines of the screen on top."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return "\n".join(strip.text[:width] for strip in lines[:height])


def make_app(client: FakeClient, **arguments: object) -> SweepsApp:
    return SweepsApp(client, clock=lambda: NOW, **arguments)  # type: ignore[arg-type]


async def settled(pilot: Pilot[object]) -> None:
    """Wait until the first snapshot is on the screen."""
    for _ in range(50):
        await pilot.pause()
        if pilot.app.model.ready:  # type: ignore[attr-defined]
            await pilot.pause(0.12)
            return
