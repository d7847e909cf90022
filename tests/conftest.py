"""What holds for every test: no deadline a loaded machine could miss, one thread for the mathematics."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from hypothesis import settings

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # two workers on two cores; must be set before numpy is loaded

pytest.register_assert_rewrite("tests.client.contract", "tests.core.agent_life")  # tests inherit these

# Hypothesis times single examples; how fast we are is for benchmarks/ to say.
settings.register_profile("tui-sweeps", deadline=None, print_blob=True)
settings.load_profile("tui-sweeps")

LONG = ("tests/wandb_api/test_real", "tests/slurm/test_interruptions")
"""These mostly wait, for W&B's client and SLURM's timers: begun first, they wait beside everything else."""


_crashes: list[str] = []


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Keep how a worker of pytest-xdist ended that was not to end: it tells only that it did."""
    if error:
        code = node.gateway._io.popen.wait(10)
        _crashes.append(f"{node.gateway.id} ended with {code} at {time.strftime('%X')}: {error}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _crashes:
        terminalreporter.write_line(line)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
