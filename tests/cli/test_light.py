"""`--help` and `--version` answer at once: they load nothing of what the commands need."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("textual", "rich", "numpy", "scipy", "sklearn", "aiohttp", "asyncio", "yaml", "msgspec", "sqlite3")

LOOK = """
import sys
from tui_sweeps.__main__ import main
code = 0
try:
    code = main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print("\\nloaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""


def loaded_by(*argv: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *argv], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.rpartition("loaded:")[2].split())


@pytest.mark.parametrize("argv", [("--help",), ("--version",), ("sweep", "--help"), ("doctor", "--help")])
def test_help_and_version_load_nothing_heavy(argv: tuple[str, ...]) -> None:
    loaded = loaded_by(*argv)
    assert "argparse" in loaded
    assert loaded.isdisjoint(HEAVY)
