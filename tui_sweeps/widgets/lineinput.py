"""Where text is typed: an input whose cursor does not blink, for nothing is sent while nothing changes."""

from __future__ import annotations

from typing import Any

from textual.widgets import Input


class LineInput(Input):
    """One line of text without a frame."""

    def __init__(self, value: str | None = None, **arguments: Any) -> None:
        super().__init__(value, compact=True, **arguments)
        self.set_reactive(Input.cursor_blink, False)
