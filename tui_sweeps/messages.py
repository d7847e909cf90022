"""What screens tell the app, and what the app tells screens. Attributes go down, these go up.

A screen that wants something of the controller posts `Send` or `Ask`; it never waits: what became of it
comes back as facts (the app calls the screen's `model_changed`), as `Replied` or as `Answered`.
"""

from __future__ import annotations

from textual.message import Message
from textual.message_pump import MessagePump

from controller.domain.commands import Command
from controller.domain.queries import Answer, Query
from controller.domain.replies import Reply


class Send(Message):
    """A screen wants this command delivered."""

    def __init__(self, command: Command, marks: tuple[str, ...] = (), mark: str = "") -> None:
        super().__init__()
        self.command = command
        self.marks = marks
        """Ids that show `mark` until a change about them arrives."""
        self.mark = mark


class Ask(Message):
    """A screen wants this query answered; a later one with the same key replaces it."""

    def __init__(self, asker: MessagePump, key: str, query: Query) -> None:
        super().__init__()
        self.asker = asker
        self.key = key
        self.query = query


class WantTails(Message):
    """The earlier metric values of these runs are wanted in the model."""

    def __init__(self, run_ids: tuple[str, ...], metric: str, n_columns: int) -> None:
        super().__init__()
        self.run_ids = run_ids
        self.metric = metric
        self.n_columns = n_columns


class Answered(Message, bubble=False):
    """The answer to an `Ask`; None where the controller could not be met."""

    def __init__(self, key: str, answer: Answer | None, query: Query | None = None) -> None:
        super().__init__()
        self.key = key
        self.answer = answer
        self.query = query
        """What was asked."""


class Replied(Message, bubble=False):
    """The reply to a `Send`, for the screen that was on top."""

    def __init__(self, command: Command, reply: Reply) -> None:
        super().__init__()
        self.command = command
        self.reply = reply


class Copy(Message):
    """Put this text on the terminal's clipboard."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__()
        self.text = text
        self.what = what
