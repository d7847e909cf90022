"""A dialog above the boards: it is answered once, however fast keys come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """Closes itself and nothing else.

    Textual's `dismiss` closes whatever is on top. A second key that was typed before the first had closed the
    dialog would close the board below it, and in the end the dashboard.
    """

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Give the answer and close, unless that has happened."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def later(self, work: Callable[[], object]) -> None:
        """Do this after the next repaint, if the dialog is still there then."""
        self.call_after_refresh(lambda: work() if self.is_active else None)
