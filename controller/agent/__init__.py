"""The worker process: takes runs from the controller, executes them, and tells how they go.

The controller is away for a while? Training never notices: everything a program says is in files of its
run directory first, and is told from there. The agent knows the controller only through its `Client` door.
"""

from controller.agent.options import AgentOptions
from controller.agent.runner import run_agent
from controller.agent.spool import Spool, open_spools, read_spool
from controller.agent.steering import Steering
from controller.agent.worker import work

__all__ = ["AgentOptions", "Spool", "Steering", "open_spools", "read_spool", "run_agent", "work"]
