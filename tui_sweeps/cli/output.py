"""What commands print: plain tables and strict JSON; every string from outside is sanitised."""

from __future__ import annotations

import codecs
import csv
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from controller.domain.wire import strict
from tui_sweeps.format import sanitise


def _is_ascii_only() -> bool:
    """JSON has escapes of its own for what the locale's encoding may not know."""
    return codecs.lookup(sys.stdout.encoding or "ascii").name != "utf-8"


def say(text: str = "") -> None:
    """Print a result line."""
    print(sanitise(text, allow="\n"))


def tell(text: str) -> None:
    """Print a remark for the person at the terminal."""
    print(sanitise(text, allow="\n"), file=sys.stderr, flush=True)


def document(value: Any) -> None:
    """Print one strict JSON document."""
    print(json.dumps(strict(value), indent=2, ensure_ascii=_is_ascii_only()))


def document_line(value: Any) -> None:
    """Print one strict JSON document on one line, at once."""
    print(json.dumps(strict(value), ensure_ascii=_is_ascii_only()), flush=True)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print an aligned table; numbers are expected to come formatted."""
    cells = [list(titles)] + [[sanitise(cell) for cell in row] for row in rows]
    from rich.cells import cell_len

    widths = [max(cell_len(row[i]) for row in cells) for i in range(len(titles))]
    for row in cells:
        padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(padded).rstrip())


def comma_separated(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a CSV document with a header."""
    writer = csv.writer(sys.stdout)
    writer.writerow(titles)
    writer.writerows(rows)
