"""What the engine wants of whoever performs its effects, and which of them it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from controller.domain.effects import Effect, Suggest
from controller.domain.world import World


class Performer(Protocol):
    """Does what decisions ask for; answers come back through `Engine.post`."""

    def perform(self, effect: Effect, world: World) -> None:
        """Start doing it; must not block."""
        ...

    def restarted(self, world: World) -> None:
        """The World was loaded: take up what was under way."""
        ...


def merged(effects: Sequence[Effect]) -> list[Effect]:
    """Leave out questions to search that are asked again later on: a rush of agents asks once, not each."""
    last = {_kind(effect): effect for effect in effects if isinstance(effect, Suggest)}
    return [effect for effect in effects if not isinstance(effect, Suggest) or last[_kind(effect)] is effect]


def _kind(effect: Suggest) -> tuple[str, bool, bool]:
    return effect.sweep_id, effect.fresh, effect.waiting
