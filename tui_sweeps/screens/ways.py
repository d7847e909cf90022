"""Where a screen wants to go: messages that the app answers by opening and closing screens."""

from __future__ import annotations

from textual.message import Message


class OpenSweep(Message):
    """Show this sweep."""

    def __init__(self, sweep_id: str) -> None:
        super().__init__()
        self.sweep_id = sweep_id


class OpenRun(Message):
    """Show this run."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id


class GoUp(Message):
    """Go up one screen; not `is_asked`: what this one shows is gone."""

    def __init__(self, *, is_asked: bool = True) -> None:
        super().__init__()
        self.is_asked = is_asked
