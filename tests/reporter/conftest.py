from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tui_sweeps


def read(path: Path) -> list[dict[str, Any]]:
    """Return the records of a report file; every line must be whole."""
    records = []
    for line in path.read_bytes().splitlines():
        assert int(line[:8], 16) == zlib.crc32(line[9:])
        records.append(json.loads(line[9:]))
    return records


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """A process as the agent starts it; returns what was reported."""
    path = tmp_path / "report.jsonl"
    (tmp_path / "config.json").write_text('{"lr": 0.5, "net": {"depth": 2}}')
    for name in ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "TUI_SWEEPS_RESUME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TUI_SWEEPS_REPORT", str(path))
    monkeypatch.setenv("TUI_SWEEPS_CONFIG", str(tmp_path / "config.json"))
    monkeypatch.setenv("TUI_SWEEPS_RUN_ID", "run1")
    monkeypatch.setenv("TUI_SWEEPS_RUN_NAME", "brisk-sweep-1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tui_sweeps, "run", None)
    return lambda: read(path)
