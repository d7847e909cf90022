"""What one transaction writes: the records that the changes touched, as they are afterwards.

Entities are frozen, so a delta can be handed to the store's writer thread while the World goes on.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from controller.domain.agents import Agent, Job
from controller.domain.changes import (
    AgentAdded,
    AgentSet,
    AttemptAdded,
    Change,
    JobAdded,
    JobSet,
    NoteAdded,
    Record,
    RunAdded,
    SweepAdded,
)
from controller.domain.runs import Attempt, Run
from controller.domain.sweeps import Suggestion, Sweep
from controller.domain.world import World


class Delta(Struct, frozen=True, kw_only=True):
    """Rows to write; a key that exists already is replaced."""

    sweeps: dict[str, Sweep]
    runs: dict[str, Run]
    attempts: dict[int, Attempt]
    agents: dict[str, Agent]
    jobs: dict[str, Job]
    shelves: dict[str, tuple[Suggestion, ...]]
    notes: tuple[NoteAdded, ...]
    records: tuple[Record, ...]
    last_token: int


def collect(world: World, changes: Iterable[Change], records: Iterable[Record]) -> Delta:
    """Return what the changes touched, taken from the World that has already followed them."""
    sweeps: set[str] = set()
    runs: set[str] = set()
    attempts: set[int] = set()
    agents: set[str] = set()
    jobs: set[str] = set()
    notes: list[NoteAdded] = []
    for change in changes:
        match change:
            case SweepAdded(sweep=sweep):
                sweeps.add(sweep.id)
            case RunAdded(run=run):
                runs.add(run.id)
            case AttemptAdded(attempt=attempt):
                attempts.add(attempt.token)
                runs.add(attempt.run_id)
            case AgentAdded(agent=agent) | AgentSet(agent=agent):
                agents.add(agent.id)
            case JobAdded(job=job) | JobSet(job=job):
                jobs.add(job.id)
            case NoteAdded():
                notes.append(change)
            case _:
                if sweep_id := getattr(change, "sweep_id", None):
                    sweeps.add(sweep_id)
                if run_id := getattr(change, "run_id", None):
                    runs.add(run_id)
                if (token := getattr(change, "token", None)) is not None:
                    attempts.add(token)
    present = {token: world.attempts[token] for token in attempts if token in world.attempts}
    runs |= {attempt.run_id for attempt in present.values()}
    sweeps |= {world.runs[run_id].sweep_id for run_id in runs}
    return Delta(
        sweeps={key: world.sweeps[key] for key in sweeps},
        runs={key: world.runs[key] for key in runs},
        attempts=present,
        agents={key: world.agents[key] for key in agents},
        jobs={key: world.jobs[key] for key in jobs},
        shelves={key: world.shelves.get(key, ()) for key in sweeps},
        notes=tuple(notes),
        records=tuple(records),
        last_token=world.last_token,
    )
