"""The application: puts model, link and screens together, and leaves."""

from tui_sweeps.app.app import SweepsApp
from tui_sweeps.app.leaving import ExitReason
from tui_sweeps.app.start import run_dashboard

__all__ = ["ExitReason", "SweepsApp", "run_dashboard"]
