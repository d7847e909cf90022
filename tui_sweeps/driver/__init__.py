"""The terminal driver: only what changed is sent, by a thread of its own, always the newest state.

Textual repaints the regions its widgets declare and hands them to a queue that blocks the event loop when the
terminal does not read. Here its output is drawn on a grid in memory (`stream` on `grid`), and a writer thread
sends the difference between that grid and what the terminal shows (`delta`), as mosh does.
"""

from tui_sweeps.driver.driver import DeltaDriver

__all__ = ["DeltaDriver"]
