"""Tells the controller what agents before this one on this sweep could not tell.

Replaying twice inserts nothing, so agents that start together need not agree on who does it.
"""

from __future__ import annotations

import time
from pathlib import Path

from controller.agent.courier import Courier
from controller.agent.identity import Identity
from controller.agent.journal import Journal
from controller.agent.post import Post, never
from controller.agent.program import Ending
from controller.agent.spool import Spool, open_spools
from controller.domain.states import AttemptState

AGENT_DIED = Ending(state=AttemptState.CRASHED, cause="its agent died")


async def recover(sweep: Path, identity: Identity, post: Post, journal: Journal) -> None:
    """Deliver every attempt in the directory that is over and was not delivered."""
    for spool in open_spools(sweep):
        if spool.agent_id != identity.agent_id and spool.is_left_behind(identity, time.time()):
            await _replay(spool, post, journal)


async def _replay(spool: Spool, post: Post, journal: Journal) -> None:
    # In the name of the agent whose attempt it was: the token is the authority, the name its history.
    courier = Courier(post, agent_id=spool.agent_id, token=spool.token, place=spool.place, give_up=never)
    if await courier.end(spool.result or AGENT_DIED):
        spool.place.mark_delivered()
        journal.say(f"run {spool.run_id}, attempt {spool.attempt}: delivered what was left behind")
