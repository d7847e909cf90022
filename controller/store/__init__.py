"""Remember: everything the controller must still know after a crash, in one SQLite file.

The room decides nothing. It writes what `domain.delta` gathered, gives back `domain.world.Facts` and
answers the queries that need histories, console lines or old attempts. Entities are rows with a few
key columns for people with a `sqlite3` prompt and a `body` that is the word itself.
"""

from controller.store.errors import StoreDamagedError, StoreError, StoreFullError, StoreNewerError
from controller.store.store import Store

__all__ = ["Store", "StoreError", "StoreFullError", "StoreDamagedError", "StoreNewerError"]
