"""What screens want of the controller, delivered off the message loop; what ends something waits for an undo.

A command that stops or cancels is held for `undo_s` seconds with a countdown on every board. It goes out when
the time is up, on `now`, and before the dashboard is left; a terminal that goes away in between leaves its
words in the desk's file, and the next start says that they were not sent.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from textual.timer import Timer

from controller.domain.queries import Curves, GetCurves
from controller.domain.replies import Accepted, Refused, Reply
from tui_sweeps.app.clipboard import hand_on
from tui_sweeps.app.working import start_work
from tui_sweeps.format import sanitise
from tui_sweeps.keys import key_sign
from tui_sweeps.link import Link
from tui_sweeps.messages import Answered, Ask, Copy, Replied, Send, WantTails
from tui_sweeps.model import Model
from tui_sweeps.screens.board import Setting
from tui_sweeps.views.held import held_line, held_words, is_held

if TYPE_CHECKING:
    from textual.app import App

    from tui_sweeps.app.leaving import ExitReason

    Base = App[ExitReason]
else:
    Base = object

UNDO_S = 5.0
"""Long enough to see what was confirmed by mistake, short enough not to be waited for."""

REDRAW_S = 0.25
"""The countdown shows whole seconds; this keeps it from skipping one."""


@dataclass(slots=True)
class Held:
    """A message that waits."""

    message: Send
    words: str
    due_s: float
    """On the monotonic clock."""


class Delivery(Base):
    """Carries commands and questions to the link and replies back."""

    model: Model
    setting: Setting
    link: Link
    undo_s: float = UNDO_S
    _actor: str
    _path: Path | None
    _held: list[Held]
    _countdown: Timer | None

    def tell_boards(self) -> None:
        """Tell the board on top what the model has new."""
        raise NotImplementedError

    def show_frames(self) -> None:
        """Show what stands around the boards' bodies anew."""
        raise NotImplementedError

    def save_desk(self) -> None:
        """Write down how the dashboard stands."""
        raise NotImplementedError

    # ------------------------------------------------------------------ commands

    async def on_send(self, message: Send) -> None:
        """Deliver a command, or hold it."""
        if self.undo_s > 0 and is_held(message.command):
            words = held_words(self.model.world, message.command)
            self._held.append(Held(message, words, time.monotonic() + self.undo_s))
            if self._countdown is None:
                self._countdown = self.set_interval(REDRAW_S, self._count_down)
            self._held_changed()
            return
        self._start(message)

    def _start(self, message: Send) -> None:
        self.model.wait(message.marks, message.mark)
        self.tell_boards()
        start_work(self, self._deliver, message, group="send")

    async def _deliver(self, message: Send) -> Reply:
        command = msgspec.structs.replace(message.command, actor=self._actor)
        reply = await self.link.send(command)
        if isinstance(reply, Refused):
            self.model.wait(message.marks, "")
            text = f"{reply.reason}. {reply.hint}" if reply.hint else reply.reason
            self.notify(sanitise(text), severity="warning", markup=False)
        elif isinstance(reply, Accepted) and reply.text:
            self.notify(sanitise(reply.text), markup=False)
        self.tell_boards()
        self.screen.post_message(Replied(message.command, reply))
        return reply

    # ------------------------------------------------------------------ what waits

    def _count_down(self) -> None:
        now = time.monotonic()
        for held in [one for one in self._held if one.due_s <= now]:
            self._held.remove(held)
            self._start(held.message)
        self._held_changed()

    def _held_changed(self) -> None:
        words = [one.words for one in self._held]
        left_s = min((one.due_s for one in self._held), default=0.0) - time.monotonic()
        keymap = self.setting.keymap
        line = held_line(words, left_s, key_sign("undo", keymap), key_sign("now", keymap))
        if not words and self._countdown is not None:
            self._countdown.stop()
            self._countdown = None
        if self.setting.desk.unsent != words:
            self.setting.desk.unsent = words
            self.save_desk()
        if line != self.setting.held:
            self.setting.held = line
            self.show_frames()

    def action_undo(self) -> None:
        """Take the latest held act back."""
        if not self._held:
            self.notify("There is nothing to take back.", severity="warning", markup=False)
            return
        held = self._held.pop()
        self._held_changed()
        self.notify(f"Taken back: {held.words}.", markup=False)

    def action_now(self) -> None:
        """Send what is held at once."""
        held, self._held[:] = list(self._held), []
        for one in held:
            self._start(one.message)
        self._held_changed()

    async def send_held(self) -> list[str]:
        """Send what is held and wait for the replies; return what could not be done."""
        held, self._held[:] = list(self._held), []
        undone = []
        for one in held:
            reply = await self._deliver(one.message)
            if isinstance(reply, Refused):
                undone.append(f"{one.words}: {sanitise(reply.reason)}")
        self._held_changed()
        return undone

    # ------------------------------------------------------------------ questions

    async def on_ask(self, message: Ask) -> None:
        """Ask off the message loop; a later question of the same kind takes its place."""
        group = f"ask-{id(message.asker)}-{message.key}"
        start_work(self, self._answer, message, group=group, exclusive=True)

    async def _answer(self, message: Ask) -> None:
        answer = await self.link.ask(message.query)
        message.asker.post_message(Answered(message.key, answer, message.query))

    async def on_want_tails(self, message: WantTails) -> None:
        """Fetch the courses that came before this dashboard."""
        start_work(self, self._fetch_tails, message, group="tails")

    async def _fetch_tails(self, message: WantTails) -> None:
        query = GetCurves(run_ids=message.run_ids, key=message.metric, n_columns=message.n_columns)
        answer = await self.link.ask(query)
        if isinstance(answer, Curves):
            for run_id, points in answer.curves.items():
                if points:
                    self.model.seed_tail(run_id, [value for _, value in points])
            self.tell_boards()

    def on_copy(self, message: Copy) -> None:
        """Put text on the terminal's clipboard, and where it is found when the terminal has none."""
        self.copy_to_clipboard(message.text)
        start_work(self, self._hand_on, message.text, group="copy")
        self.notify(f"Copied the {message.what}.", markup=False)

    async def _hand_on(self, text: str) -> None:
        home = self._path.parent if self._path is not None else None
        await asyncio.to_thread(hand_on, text, os.environ, home)
