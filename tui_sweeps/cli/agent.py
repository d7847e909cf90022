"""`agent`: work for a sweep in the foreground.

A room of its own: an array starts hundreds of these at once, so it loads what an agent needs and no more.
"""

from __future__ import annotations

import os
from argparse import Namespace

from controller.agent.options import AgentOptions
from controller.agent.runner import run_agent
from controller.client.door import DeniedError
from controller.client.returning import via_of
from controller.domain.batch import job_of_name
from controller.settings import Home
from tui_sweeps.cli.outcomes import ConfigurationError


def agent(options: Namespace, home: Home) -> int:
    """Work for a sweep in the foreground."""
    try:
        via = via_of(options.via)
    except DeniedError as error:
        raise ConfigurationError(str(error), error.hint) from error
    job_id = options.job or job_of_name(os.environ.get("SLURM_JOB_NAME", ""))
    return run_agent(
        home,
        AgentOptions(sweep_id=options.sweep_id, count=options.count, job_id=job_id, via=via),
    )
