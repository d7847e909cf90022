"""Python's cycle collector, kept away from what is no garbage.

It looks through everything again whenever a quarter more has come to be: with ten thousand runs that stops
the loop for some 50 ms, with a hundred thousand for half a second, and it finds nothing, for facts hold no
cycles. So it rests while a snapshot comes in, and what has come in is put out of its sight.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["resting"]


@contextmanager
def resting() -> Iterator[None]:
    """Let the collector rest, then have it pass over all that is there by now.

    What became garbage a short while ago goes first, else it would stay for good.
    """
    gc.collect(1)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
