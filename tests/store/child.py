"""A process that stores and says so, to be killed or traced.

`python -m tests.store.child PATH FIRST N [network|careless]` commits transactions number FIRST.. of one
growing run and prints each number once it is durable.
"""

from __future__ import annotations

import sqlite3
import sys
from collections import deque
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from controller.domain.changes import HistoryGrew
from controller.domain.delta import Delta
from controller.store import Store, schema
from controller.store import store as store_room
from tests.store.scene import a_scene, steps

N_PER_COMMIT = 5
N_IN_FLIGHT = 4


def number_of(store: Store) -> int:
    """Return the number of the last transaction in the store, after checking that it is all there."""
    facts = store.load()
    return facts.attempts[0].last_seq // N_PER_COMMIT if facts.attempts else 0


def transaction(number: int) -> Delta:
    """Return the delta of one transaction: five points and what the World says of them."""
    scene = a_scene()
    first = 1 + (number - 1) * N_PER_COMMIT
    grew = HistoryGrew(
        run_id="run00001",
        token=1,
        last_seq=number * N_PER_COMMIT,
        n_points=number * N_PER_COMMIT,
        last_step=number,
        best=None,
        latest=None,
        n_metric_values=0,
        summary={"number": number},
        at=float(number),
    )
    scene.tell(grew, records=[steps(1, first, first + N_PER_COMMIT)])
    return scene.delta()


def careless(path: Path, *, network: bool, connect: Any = schema.connect) -> sqlite3.Connection:
    """Open without ever syncing: what a check of power losses must find out."""
    connection: sqlite3.Connection = connect(path, network=network)
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def main() -> None:
    path, first, n = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    if "network" in sys.argv:
        store_room.is_network = lambda _: True
    if "careless" in sys.argv:
        schema.connect = careless
    store = Store.open(path)
    waiting: deque[tuple[int, Future[None]]] = deque()
    for number in range(first, first + n):
        waiting.append((number, store.commit(transaction(number))))
        while len(waiting) >= N_IN_FLIGHT or (waiting and number == first + n - 1):
            acknowledged, future = waiting.popleft()
            future.result()
            sys.stdout.write(f"{acknowledged}\n")
            sys.stdout.flush()
    store.close()


if __name__ == "__main__":
    main()
