"""How values and outside strings become text: the one door to the terminal, and the number formats.

Every string that was not written in this program (names, hosts, values, log lines) passes `sanitise` or
`sanitise_log` before it reaches any output; nothing here reads markup. Knows no widget and no controller.
"""

from tui_sweeps.format.ascii import ascii_only
from tui_sweeps.format.log import sanitise_log
from tui_sweeps.format.numbers import MISSING, ago, clock, count, counted, duration, number, percent
from tui_sweeps.format.terminal import ColourDepth, colour_depth, speaks_unicode
from tui_sweeps.format.text import cell_width, fit, sanitise

__all__ = [
    "sanitise",
    "sanitise_log",
    "fit",
    "cell_width",
    "ascii_only",
    "number",
    "duration",
    "ago",
    "percent",
    "clock",
    "count",
    "counted",
    "MISSING",
    "speaks_unicode",
    "colour_depth",
    "ColourDepth",
]
