"""`env`: what a shell must export so that the real `wandb` client works against this controller."""

from __future__ import annotations

import shlex
from argparse import Namespace

from controller.domain.queries import GetStatus, Status
from controller.domain.wire import WireError
from controller.runtime import tcp
from controller.settings import Home
from tui_sweeps.cli.outcomes import ConfigurationError
from tui_sweeps.cli.output import document
from tui_sweeps.cli.reach import actor, answer, controller_of, find_sweep, world_of

TRANSMIT_S = 2
"""The client's own pace is a post every 15 s, and a killed run loses what it had not sent."""


async def env(options: Namespace, home: Home) -> int:
    """Print the exports, with a new key."""
    async with controller_of(home) as client:
        url = (await answer(client, GetStatus(), Status)).listen
        world = await world_of(client)
    if not url:
        raise ConfigurationError(
            "the controller does not listen for W&B's client",
            "tui-sweeps controller start --listen 127.0.0.1:0 (the one that runs takes it up, and remembers)",
        )
    sweep = find_sweep(world, options.sweep_id) if options.sweep_id else None
    try:
        key = tcp.mint_key(home, sweep, label=actor(), view=options.view)
    except (OSError, WireError) as error:
        raise ConfigurationError(f"{home.keys}: {error}", "look at that file; no key was made") from error
    variables = {"WANDB_BASE_URL": url, "WANDB_API_KEY": key}
    if sweep is not None:
        variables |= {"WANDB_ENTITY": sweep.entity, "WANDB_PROJECT": sweep.project}
    bundle = tcp.bundle_for(home, url)
    if bundle is not None:
        variables |= {"SSL_CERT_FILE": str(bundle), "REQUESTS_CA_BUNDLE": str(bundle)}
    variables |= {"WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": str(TRANSMIT_S), "WANDB_ERROR_REPORTING": "false"}
    if options.json:
        document(variables)
        return 0
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0
