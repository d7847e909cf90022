"""The process that does the mathematics ends with its controller, however that ends."""

from __future__ import annotations

import os
import select
import subprocess
import sys

OWNER = """
import os, time
from controller.engine.pool import new_pool

if __name__ == "__main__":
    pool = new_pool()
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


def test_worker_ends_when_its_controller_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE) as owner:
        try:
            assert owner.stdout is not None
            worker = os.pidfd_open(int(owner.stdout.readline()))
        finally:
            owner.kill()
    try:
        gone, _, _ = select.select([worker], [], [], 60.0)
        assert gone
    finally:
        os.close(worker)
