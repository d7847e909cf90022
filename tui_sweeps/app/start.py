"""Shows the dashboard on the real terminal until the user leaves it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from controller.client.door import Client
from controller.settings import Home
from tui_sweeps.app.app import SweepsApp
from tui_sweeps.app.collector import resting
from tui_sweeps.app.leaving import Begin, ExitReason
from tui_sweeps.views.drafts import Foresight

SWITCH_S = 0.001
"""So long at most a turn of the loop waits for a thread that draws; a key takes a dozen turns, and
Python's own 5 ms would be noticed."""


def run_dashboard(
    client: Client,
    home: Home | None = None,
    *,
    begin: Begin | None = None,
    actor: str = "user",
    on_detach: Callable[[], None] | None = None,
    foresight: Foresight | None = None,
) -> ExitReason:
    """Show the dashboard until the user leaves it; say how."""
    from tui_sweeps.driver import DeltaDriver

    class Terminal(DeltaDriver):
        """Tells the app where notifications go."""

        def __init__(self, app: Any, **arguments: Any) -> None:
            super().__init__(app, **arguments)
            app.to_terminal = self.write

    app = SweepsApp(client, home=home, begin=begin, actor=actor, driver_class=Terminal, foresight=foresight)
    app.link.resting = resting
    sys.setswitchinterval(SWITCH_S)
    reason = app.run() or ExitReason.QUIT
    if reason is ExitReason.DETACH and on_detach is not None:
        on_detach()
    return reason
