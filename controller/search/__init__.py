"""Search: what to try next, and which run to end early. Pure functions over plain data.

Names are handed on when first used, so that a grid never loads numpy. The door itself is
`controller.search.propose.propose`: a name for both a module and a function here would be neither.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from controller.search.hyperband import Brackets, Verdict, at_bands, bands
    from controller.search.requests import Observation, Proposal, Request
    from controller.search.sizes import count

_HOMES = {
    "Brackets": "hyperband",
    "Observation": "requests",
    "Proposal": "requests",
    "Request": "requests",
    "Verdict": "hyperband",
    "at_bands": "hyperband",
    "bands": "hyperband",
    "count": "sizes",
}

__all__ = [
    "Brackets",
    "Observation",
    "Proposal",
    "Request",
    "Verdict",
    "at_bands",
    "bands",
    "count",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
