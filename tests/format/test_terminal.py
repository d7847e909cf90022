import subprocess
import sys

import pytest

from tui_sweeps.format import ColourDepth, colour_depth, speaks_unicode


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "POSIX"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),  # what Python makes of LANG=C
        ({"LC_CTYPE": "C.UTF-8"}, True),
        ({"LANG": "C", "LC_ALL": "de_DE.utf8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LANG": "de_DE.UTF-8@euro"}, True),
        ({"LANG": "en_US.UTF-8", "TERM": "dumb"}, False),
        ({}, True),
    ],
)
def test_unicode_is_spoken_where_the_locale_says_so(environ: dict[str, str], expected: bool) -> None:
    assert speaks_unicode(environ) is expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color"}, ColourDepth.EIGHT_BIT),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, ColourDepth.TRUE),
        ({"TERM": "screen"}, ColourDepth.STANDARD),
        ({"TERM": "linux"}, ColourDepth.STANDARD),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, ColourDepth.NONE),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, ColourDepth.NONE),
    ],
)
def test_colour_depth_follows_the_environment(environ: dict[str, str], expected: ColourDepth) -> None:
    assert colour_depth(environ) is expected


def test_format_loads_nothing_heavy() -> None:
    code = (
        "import sys, tui_sweeps.format as f; f.sanitise('é\\x1b[2J', width=3);"
        "sys.exit(bool({'textual', 'numpy', 'rich.console', 'rich.text', 'plotext'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
