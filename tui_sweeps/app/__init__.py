"""The application: puts model, link and screens together, and leaves."""

from tui_sweeps.app.app import ExitReason, SweepsApp, run_dashboard

__all__ = ["ExitReason", "SweepsApp", "run_dashboard"]
