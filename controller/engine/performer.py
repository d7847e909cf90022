"""What the engine wants of whoever performs its effects."""

from __future__ import annotations

from typing import Protocol

from controller.domain.effects import Effect
from controller.domain.world import World


class Performer(Protocol):
    """Does what decisions ask for; answers come back through `Engine.post`."""

    def perform(self, effect: Effect, world: World) -> None:
        """Start doing it; must not block."""
        ...

    def restarted(self, world: World) -> None:
        """The World was loaded: take up what was under way."""
        ...
