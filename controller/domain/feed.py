"""The feed: committed changes in numbered batches, as every reader gets them."""

from __future__ import annotations

from msgspec import Struct

from controller.domain.changes import Change


class Batch(Struct, frozen=True, kw_only=True, tag=True):
    """One committed transaction's changes."""

    seq: int
    """Grows by one per batch of one controller process."""
    changes: tuple[Change, ...]


class Resync(Struct, frozen=True, kw_only=True, tag=True):
    """The reader was too slow or asked for a batch that is gone: take a snapshot."""

    seq: int


FeedItem = Batch | Resync
