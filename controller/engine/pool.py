"""A process beside the controller for mathematics."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor


def new_pool() -> ProcessPoolExecutor:
    """Return a pool of one worker, started when first used and never forked from us.

    A fork would inherit the database's descriptor and half-held locks.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=_be_modest)


def _be_modest() -> None:
    """Use one thread at low priority: a login node is shared, and agents must not wait for mathematics."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.nice(10)
    # A Ctrl-C in the terminal is the dashboard's; the worker ends with its pool.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave when the controller is gone: one that was killed cannot end its pool."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
