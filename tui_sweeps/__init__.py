"""What a training script imports.

::

    import tui_sweeps

    run = tui_sweeps.init(config={"epochs": 10})
    for epoch in range(run.config.epochs):
        tui_sweeps.log({"loss": train(run.config.lr)})

Standard library only, nothing heavy on import, never raises into training. Outside a sweep it works and
records nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from tui_sweeps.reporter import Run, harmless, warn
from tui_sweeps.run_config import Config, load_config

TYPE_CHECKING = False  # importing typing for it would cost more than all the rest
if TYPE_CHECKING:
    from typing import Any

__all__ = ["init", "log", "finish", "mark_preempting", "run", "Run", "Config"]

run: Run | None = None
"""The run of this process, once `init` or `log` was called."""


def init(config: Any = None, **_ignored: Any) -> Run:
    """Return the run of this process; further calls return the same one.

    `project`, `name` and the like are accepted and ignored: the sweep knows them.
    """
    global run
    if run is None:
        try:
            settings = load_config(config, os.environ)
        except Exception as error:
            warn(f"init: {error}; the config is empty")
            settings = Config({})
        run = Run(settings, os.environ)
        settings.watch(run.note_config)
        if "TUI_SWEEPS_REPORT" not in os.environ:
            warn("not started by an agent: what is logged is not recorded")
    elif config is not None:
        try:
            run.config.update({key: config[key] for key in config if key not in run.config})
        except Exception as error:
            warn(f"init: {error}")
    return run


def log(values: Mapping[str, Any], step: int | None = None, **_ignored: Any) -> None:
    """Record one row of the run's history."""
    init().log(values, step)


def finish(exit_code: int | None = None, **_ignored: Any) -> None:
    """Say that the script is done; not needed."""
    if run is not None:
        run.finish(exit_code)


@harmless
def mark_preempting() -> None:
    """Say that the scheduler takes the machine away: a bad exit now means "again", not "failed"."""
    init().mark_preempting()
