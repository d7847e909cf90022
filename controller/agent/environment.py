"""What a program finds in its environment: the agent's own, W&B's names, and those of our reporter."""

from __future__ import annotations

import os
from collections.abc import Mapping

from controller.agent.place import RunPlace
from controller.domain.replies import Joined, RunOrder

RANK_VARIABLES = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")
"""By which a process of a distributed program knows its number; only number 0 reports."""


def run_environment(
    joined: Joined, order: RunOrder, place: RunPlace, own: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of one attempt.

    Rank variables that the agent itself has (`SLURM_PROCID` of its job step) are passed on by name, so that
    the reporter does not take them for ranks within the run.
    """
    env = dict(own)
    for name in ("WANDB_SERVICE", "TUI_SWEEPS_RESUME", "WANDB_SWEEP_PARAM_PATH"):
        env.pop(name, None)
    env.setdefault("PYTHONUNBUFFERED", "1")
    env.setdefault("WANDB_DIR", str(place.directory))
    env |= {
        "WANDB_SWEEP_ID": joined.sweep_id,
        "WANDB_RUN_ID": order.run_id,
        "WANDB_PROJECT": joined.project,
        "WANDB_ENTITY": joined.entity,
        "WANDB_SWEEP_PARAM_PATH": str(place.parameters),
        "TUI_SWEEPS_SWEEP_ID": joined.sweep_id,
        "TUI_SWEEPS_RUN_ID": order.run_id,
        "TUI_SWEEPS_RUN_NAME": order.name.replace("\0", ""),
        "TUI_SWEEPS_ATTEMPT": str(order.attempt),
        "TUI_SWEEPS_CONFIG": str(place.config),
        "TUI_SWEEPS_REPORT": str(place.report),
        "TUI_SWEEPS_CHECKPOINT_DIR": str(place.checkpoints),
        "TUI_SWEEPS_RANKS": " ".join(f"{name}={own[name]}" for name in RANK_VARIABLES if name in own),
    }
    if order.resume:
        env["TUI_SWEEPS_RESUME"] = "1"
    return env


def own_environment() -> dict[str, str]:
    """Return the agent's own environment."""
    return dict(os.environ)
