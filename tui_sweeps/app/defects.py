"""Where a defect of the dashboard is written down: a traceback is no answer for a person."""

from __future__ import annotations

import os
import time
import traceback
from pathlib import Path


def write_defect(beside: Path | None) -> str:
    """Append the present exception to `dashboard.log` beside the layout file; return a sentence about it."""
    if beside is None:
        return ""
    path = beside.with_name("dashboard.log")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        text = f"--- {time.strftime('%Y-%m-%d %H:%M:%S')}\n{traceback.format_exc()}"
        os.write(handle, text.encode("utf-8", "backslashreplace"))
        os.close(handle)
    except OSError:
        return ""
    return f"The sweeps go on. What happened is in {path}; please report it."
