"""What the dashboard knows: a mirror of the World, and what only the dashboard remembers."""

from tui_sweeps.model.desk import Desk, LaunchDesk, SweepDesk
from tui_sweeps.model.mirror import Model
from tui_sweeps.model.touched import Touched, touched_by

__all__ = ["Desk", "LaunchDesk", "Model", "SweepDesk", "Touched", "touched_by"]
