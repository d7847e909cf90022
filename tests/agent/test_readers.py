"""The cursors over a run's files: any content, in any pieces, comes out the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.agent import console_reader, report_reader
from controller.agent.console_reader import CUT_MARK, ConsoleReader
from controller.agent.records import write_line
from controller.agent.report_reader import ReportReader

SHARED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)


def _told(reader: ConsoleReader, lines: dict[int, str]) -> None:
    while (batch := reader.next_batch()) is not None:
        reader.position = batch.after
        for part in batch.lines:
            lines.update({part.first + i: text for i, text in enumerate(part.lines)})


def _shown(data: bytes) -> dict[int, str]:
    """What a terminal without erasing would show, line by line."""
    newest = [row.rstrip(b"\r").rpartition(b"\r")[2] for row in data.split(b"\n")]
    rows = [row[:6].decode(errors="replace") + (CUT_MARK if len(row) > 6 else "") for row in newest]
    return {i: row for i, row in enumerate(rows) if i < len(rows) - 1 or row}


@SHARED
@given(
    parts=st.lists(st.lists(st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\xff"])).map(b"".join), max_size=8)
)
def test_console_comes_out_the_same_however_it_was_written(
    parts: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_reader, "CHUNK_BYTES", 7)
    monkeypatch.setattr(console_reader, "MAX_LINE_BYTES", 6)
    monkeypatch.setattr(console_reader, "BATCH_LINES", 3)
    path = tmp_path / "output.log"
    path.write_bytes(b"")
    reader, lines = ConsoleReader(path), dict[int, str]()
    for part in parts:
        with path.open("ab") as file:
            file.write(part)
        _told(reader, lines)
    data = b"".join(parts)
    # A bar that was wiped by nothing keeps what was told of it.
    assert {i: text for i, text in lines.items() if text} == {i: t for i, t in _shown(data).items() if t}


def test_console_cuts_a_line_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_bytes(b"x" * 1_000_000 + b"\nnext\n" + b"y" * 1_000_000 + b"\rshort\n")
    lines: dict[int, str] = {}
    _told(ConsoleReader(path), lines)
    assert lines[0] == "x" * console_reader.MAX_LINE_BYTES + CUT_MARK
    assert (lines[1], lines[2]) == ("next", "short")


def test_console_that_runs_away_is_told_from_near_its_end_with_the_right_numbers(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    n_lines = 1_500_000
    path.write_bytes(b"".join(b"%07d\n" % i for i in range(n_lines)))
    lines: dict[int, str] = {}
    _told(ConsoleReader(path), lines)
    assert lines[n_lines - 1] == f"{n_lines - 1:07d}"
    assert all(int(text) == number for number, text in lines.items())
    assert 100_000 < len(lines) < 200_000


@SHARED
@given(
    sizes=st.lists(st.integers(0, 400), max_size=40),
    seqs=st.lists(st.integers(1, 41), max_size=5),
    torn=st.booleans(),
)
def test_report_can_be_read_again_from_any_line(
    sizes: list[int], seqs: list[int], torn: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_reader, "BATCH_BYTES", 64)
    monkeypatch.setattr(report_reader, "BATCH_LINES", 3)
    monkeypatch.setattr(report_reader, "MAX_LINE_BYTES", 300)
    lines = [
        write_line({"kind": "log", "step": i, "t": 0, "values": {"v": "x" * size}})
        for i, size in enumerate(sizes)
    ]
    path = tmp_path / "report.jsonl"
    path.write_bytes(b"".join(lines) + (b"12345678 {" if torn else b""))
    reader = ReportReader(path)
    for seq in [1, *seqs]:
        reader.rewind(seq)
        steps = []
        assert reader.position.seq <= seq - 1
        while (batch := reader.next_batch()) is not None:
            assert batch.first_seq == reader.position.seq + 1
            reader.position = batch.after
            steps += [(p.seq, p.step) for p in batch.points]
        assert reader.position.seq == reader.count_lines() == len(lines)
        told = {step for _, step in steps}
        assert all(seq == step + 1 for seq, step in steps)
        assert told >= {i for i, line in enumerate(lines) if i >= seq - 1 and len(line) <= 256}
