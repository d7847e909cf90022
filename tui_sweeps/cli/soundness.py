"""What `doctor` makes of the records: their invariants, told by the controller, or read when none runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from controller.client.door import Client
from controller.domain.facts import Facts
from controller.domain.invariants import CHECKED, Breach, breaches, miscounted, overlaps
from controller.domain.queries import Attempts, GetAttempts
from controller.domain.runs import Attempt
from controller.settings import Home
from controller.store.errors import StoreError
from controller.store.looking import look
from tui_sweeps.cli.surroundings import Finding, fine, warn, wrong

N_SHOWN = 5
N_ASKED = 200
"""Runs with several attempts whose past a living controller is asked for; a store at rest is read whole."""


async def through_controller(client: Client) -> list[Finding]:
    """Judge what a living controller knows."""
    facts = (await client.snapshot()).facts
    found = list(breaches(facts))
    for run in [run for run in facts.runs if run.attempt > 1][:N_ASKED]:
        answer = await client.ask(GetAttempts(run_id=run.id))
        if isinstance(answer, Attempts):
            found += overlaps(answer.attempts)
    return list(_judged(facts, found))


async def in_store(home: Home) -> list[Finding]:
    """Judge the store of a home that no controller has open."""
    if not home.store.exists():
        return []
    try:
        contents = await asyncio.to_thread(look, home.store)
    except StoreError as error:
        return [warn("records", f"not checked: {error}", error.hint)]
    found = list(breaches(contents.facts))
    found += miscounted(contents.facts, contents.n_points)
    of_run: dict[str, list[Attempt]] = {}
    for attempt in contents.facts.attempts:
        of_run.setdefault(attempt.run_id, []).append(attempt)
    for attempts in of_run.values():
        found += overlaps(attempts)
    return list(_judged(contents.facts, found))


def _judged(facts: Facts, found: list[Breach]) -> Iterator[Finding]:
    if not found:
        yield fine("records", f"{len(facts.sweeps)} sweep(s), {len(facts.runs)} run(s): {CHECKED} hold")
        return
    for breach in found[:N_SHOWN]:
        yield wrong(
            "records", f"{breach.invariant}: {breach.text}", "a defect of this program: please report it"
        )
    if len(found) > N_SHOWN:
        yield wrong(
            "records",
            f"{len(found) - N_SHOWN} more of that kind",
            "the copies in `backups/` may be from before",
        )
