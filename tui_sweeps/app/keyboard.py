"""Takes keys one at a time: what is typed waits until all that was typed before it has had its effect.

A terminal hands over whatever was typed in one read. Textual looks up what a key is for when it takes it,
but screens, focus and fields change by messages and callbacks that may still be on their way then: a key
would act on the screen that was there before. So nothing is taken while anything is on its way. Typing
ahead ends as if it had been typed slowly, and a key meant for a dialog acts on that dialog or on nothing.

On its way is what waits in the queues of the app, of the screen on top and of its widgets, a layout that is
due (the order of focus and the size of a page come from it), the first facts, and work of `LEADING` groups,
which reads a file or asks the controller and then opens or closes a screen. Other answers of the controller
are news, which no key waits for. A change of screens that no key asked for makes the keyboard deaf for a
moment: whoever was typing then meant something else.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from textual import events
from textual.geometry import Size
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.worker import Worker

from tui_sweeps.app.working import LEADING, start_work

if TYPE_CHECKING:
    from textual.app import App

    from tui_sweeps.app.leaving import ExitReason

    Base = App[ExitReason]
else:
    Base = object

TYPED = (events.Key, events.Paste, events.MouseDown, events.MouseUp)
"""What waits; the mouse's moves and its wheel change nothing that a key could miss."""

N_TURNS = 20
"""Of the event loop: enough for most keys. After them it is looked again only now and then."""

N_LAYOUTS = 100
"""A layout that is still due when it was looked for so often is done over and over, as Textual does where a
scrollbar has no room: nothing comes of waiting."""

N_TURNS_LEAST = 200
"""On a host so busy that the dashboard hardly runs, no patience ends before so many turns."""

LOOK_AGAIN_S = 0.002
"""A fraction of the time between two pictures."""


class Keyboard(Base):
    """Holds what is typed back while something is on its way."""

    patience_s: float = 2.0
    """Longer than any screen takes; then what was typed ahead is forgotten rather than taken late."""
    reaction_s: float = 0.4
    """So long after a change of screens that nobody asked for people still type for the screen before."""
    _typed: deque[events.Event]
    """What waits, in the order of typing."""
    _next: events.Event | None = None
    """What was taken out of `_typed` and lies in the app's own queue."""
    _takes_turns = False
    """Something gives what waits back to the app."""
    _is_forced = False
    """Take `_next` whatever is on its way."""
    _deaf_until: float = 0.0
    """On the monotonic clock."""
    _slow: WeakSet[Worker[object]]
    """Work that took too long: it is not waited for any more."""
    _endless: tuple[Screen[Any], Size] | None = None
    """A screen that is laid out over and over at this size."""
    _is_starting = True
    """The first facts have not come, nor taken so long that keys must go to screens with nothing to show."""

    @property
    def has_typed_ahead(self) -> bool:
        """Whether something typed has not been taken yet."""
        return bool(self._typed) or self._next is not None

    def starts(self) -> None:
        """Take keys from now on: the first facts are here, and the place where the dashboard was left."""
        self._is_starting = False

    def surprise(self) -> None:
        """Take no key for a moment: the screen changes, and no key asked for it or waits for it."""
        if not (self._leading() or self._is_starting):
            self._deaf_until = time.monotonic() + self.reaction_s

    async def on_event(self, event: events.Event) -> None:
        """Take what is typed when nothing is on its way, else keep it; nothing when all screens are gone."""
        if not isinstance(event, TYPED) or event.is_forwarded:
            if self.screen_stack or not isinstance(event, events.InputEvent):
                await super().on_event(event)
            return
        is_next = event is self._next
        if is_next:
            self._next = None
        if not self.screen_stack:
            return
        if time.monotonic() < self._deaf_until:
            self.bell()
        elif is_next and self._is_forced:
            await super().on_event(event)
        elif (self.has_typed_ahead and not is_next) or not self.is_at_rest():
            self._put_off(event, first=is_next)
        else:
            await super().on_event(event)

    def _put_off(self, event: events.Event, *, first: bool) -> None:
        (self._typed.appendleft if first else self._typed.append)(event)
        if not self._takes_turns:
            self._takes_turns = True
            start_work(self, self._take_turns, group="typing")

    # ------------------------------------------------------------------ what is on its way

    def is_at_rest(self) -> bool:
        """Say whether everything has happened that was set going."""
        if self._is_starting or not _is_quiet(self) or self._leading():
            return False
        screen = self.screen
        is_laid_out = not screen._layout_required or (screen, self.size) == self._endless
        return is_laid_out and all(map(_is_quiet, screen.walk_children(with_self=True)))

    def _leading(self) -> list[Worker[object]]:
        """Return the work that is under way, leads to another screen, and has not been found to be slow."""
        return [
            one
            for one in self.workers
            if one.group in LEADING and not one.is_finished and one not in self._slow
        ]

    async def _take_turns(self) -> None:
        """Give what waits back to the app, one at a time."""
        try:
            while self.has_typed_ahead:
                is_late = not await self._rest()
                if not self.screen_stack:
                    return
                if is_late and (slow := self._leading()):
                    self._slow.update(slow)
                    self._typed.clear()
                    self.bell()
                elif is_late and self._is_starting:
                    self._is_starting = False
                elif self._typed and self._next is None:
                    self._is_forced = is_late
                    self._next = self._typed.popleft()
                    self.post_message(self._next)
        finally:
            self._takes_turns = False

    async def _rest(self) -> bool:
        """Wait until nothing is on its way; False when that takes too long, or all screens are gone."""
        n_turns, n_laid_out, patience_ends = 0, 0, time.monotonic() + self.patience_s
        while self.screen_stack and (self._next is not None or not self.is_at_rest()):
            n_turns += 1
            await asyncio.sleep(0 if n_turns < N_TURNS else LOOK_AGAIN_S)
            n_laid_out += self._next is None and bool(self.screen_stack) and self.screen._layout_required
            if n_laid_out > N_LAYOUTS:
                self._endless = self.screen, self.size
            if n_turns > N_TURNS_LEAST and time.monotonic() > patience_ends:
                return False
        return bool(self.screen_stack)


def _is_quiet(pump: MessagePump) -> bool:
    """Say whether there is nothing that this app, screen or widget has to do first."""
    if pump._closing or pump._closed:
        return True
    has_messages = pump.message_queue_size or pump._pending_message is not None or pump._next_callbacks
    return pump._is_mounted and not has_messages
