"""A process whose files may not grow past a limit: `python -m tests.store.full_disk PATH ROOM NETWORK`.

It stores until the disk is full, checks what the store says meanwhile, gets its room back, repeats
what was refused, and ends with status 0 when everything is there.
"""

from __future__ import annotations

import resource
import sys
from concurrent.futures import Future
from pathlib import Path

from controller.store import Store, StoreFullError
from controller.store import store as store_room
from tests.store.child import number_of, transaction
from tests.store.test_crashes import whole_up_to


def main() -> None:
    path, room_bytes = Path(sys.argv[1]), int(sys.argv[2])
    network = sys.argv[3] == "network"
    store_room.is_network = lambda _: network
    store = Store.open(path)
    for number in range(1, 4):
        store.commit(transaction(number)).result()
    beside = [path, path.with_name(path.name + "-wal")]
    largest = max(name.stat().st_size for name in beside if name.exists())
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + room_bytes, limit[1]))

    futures: list[Future[None]] = []
    while not futures or futures[-1].exception() is None:
        futures += [store.commit(transaction(4 + len(futures) + n)) for n in range(3)]
    good = [n for n, future in enumerate(futures, 4) if future.exception() is None]
    bad = [n for n, future in enumerate(futures, 4) if future.exception() is not None]
    assert good == list(range(4, 4 + len(good))), "refused in the middle"
    assert all(isinstance(futures[n - 4].exception(), StoreFullError) for n in bad)
    n_recorded = bad[0] - 1
    assert whole_up_to(store) == n_recorded, "readable meanwhile, and not a half transaction"
    probed = store.probe().exception()
    assert probed is None or isinstance(probed, StoreFullError)
    if probed is not None:
        assert isinstance(store.commit(transaction(bad[-1])).exception(), StoreFullError), "out of turn"
        assert number_of(store) == n_recorded

    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    store.probe().result()
    for n in bad:
        store.commit(transaction(n)).result()
    assert whole_up_to(store) == bad[-1]
    store.close()
    store = Store.open(path)
    assert whole_up_to(store) == bad[-1]
    store.close()


if __name__ == "__main__":
    main()
