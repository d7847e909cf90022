"""What a program finds in its environment: the agent's own, W&B's names, and those of our reporter."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from controller.agent.place import RunPlace
from controller.client import connection
from controller.client.door import ClientError
from controller.client.private import read_private
from controller.client.returning import Reach
from controller.domain.replies import Joined, RunOrder
from controller.domain.runkeys import run_key
from controller.settings import Home

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


def wandb_environment(
    home: Home | None, order: RunOrder, given: Mapping[str, str], reach: Reach | None = None
) -> dict[str, str]:
    """Return what lets W&B's own client report this attempt to our controller; empty when it does not listen.

    The key is good for this run alone. What the program prints is read by the agent already. Where no address
    leads to the controller the client is told to work offline: it would wait for one, and training with it.
    """
    if home is None:
        return {}
    try:
        found = connection.read(home.connection)
        if found is None or not found.wandb_url:
            return {}
        secret = (read_private(home.secret) or b"").decode("ascii", "replace").strip()
    except (OSError, ClientError):
        return {}
    if not secret:
        return {}
    if reach is not None and reach.is_slow:
        return {} if "WANDB_MODE" in given else {"WANDB_MODE": "offline"}
    url = f"https://{reach.address}" if reach and reach.address else found.wandb_url
    env = {"WANDB_BASE_URL": url, "WANDB_API_KEY": run_key(secret, order.run_id, order.token)}
    for name in (
        "no_proxy",
        "NO_PROXY",
    ):  # a proxy of the site leads out of the cluster, not to its login node
        env[name] = ",".join(filter(None, (given.get(name, ""), urlsplit(url).hostname)))
    if found.wandb_url.startswith("https:"):
        bundle = str(home.tls / "bundle.pem")
        env |= {"SSL_CERT_FILE": bundle, "REQUESTS_CA_BUNDLE": bundle}
    for name, value in _WANDB_DEFAULTS.items():
        env[name] = given.get(name, value)
    return env


_WANDB_DEFAULTS = {
    "WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "2",
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_CONSOLE": "off",
}


def own_environment() -> dict[str, str]:
    """Return the agent's own environment."""
    return dict(os.environ)
