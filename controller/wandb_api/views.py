"""Sweeps, runs and agents as the client's GraphQL types.

A view is a mapping of field names to values, or to functions where finding the value costs something; the
engine calls a function only when its field is selected.
"""

from __future__ import annotations

from typing import Any

from controller.domain.agents import Agent
from controller.domain.runs import Run
from controller.domain.sweeps import Sweep
from controller.wandb_api import histories
from controller.wandb_api.filters import in_order, read_filter
from controller.wandb_api.mirror import Mirror
from controller.wandb_api.run_views import USER, Asking, RunViews, View, number_of, place
from controller.wandb_api.words import SWEEP_WORDS, moment, number_or_none

FEW = 100
"""Runs told with a sweep when nobody says how many."""


class Views:
    """Makes views of what is in the mirror."""

    def __init__(self, mirror: Mirror, runs: RunViews) -> None:
        self._mirror = mirror
        self._runs_as = runs

    def project(self, entity: str, name: str, asking: Asking) -> View:
        """Return a project; every name is one, since a bare sweep id may come with any."""
        return {
            "id": f"{entity}/{name}",
            "internalId": number_of(entity, name),
            "name": name,
            "entityName": entity,
            "entity": {"id": entity, "name": entity},
            "isBenchmark": False,
            "readOnly": False,
            "user": USER,
            "createdAt": lambda info: moment(
                min((s.created_at for s in self._sweeps(name, asking)), default=None)
            ),
            "totalSweeps": lambda info: len(self._sweeps(name, asking)),
            "sweeps": lambda info, **arguments: histories.page(
                [self.sweep(sweep, asking) for sweep in self._sweeps(name, asking)], arguments
            ),
            "sweep": lambda info, **arguments: self._find_sweep(arguments.get("sweepName"), asking),
            "runCount": lambda info, **arguments: len(self._runs(name, arguments, asking)),
            "runs": lambda info, **arguments: histories.page(
                [self._runs_as.run(run, asking) for run in self._runs(name, arguments, asking)], arguments
            ),
            "run": lambda info, **arguments: self.find_run(arguments.get("name"), asking),
            "bucket": lambda info, **arguments: self._resumable(arguments.get("name"), asking),
        }

    def projects(self, asking: Asking) -> list[View]:
        """Return every project that has a sweep."""
        seen = dict.fromkeys(
            (sweep.entity, sweep.project)
            for sweep in self._mirror.world.sweeps.values()
            if asking.caller.may_see(sweep)
        )
        return [self.project(entity, name, asking) for entity, name in seen]

    def _sweeps(self, project: str, asking: Asking) -> list[Sweep]:
        return [
            sweep
            for sweep in self._mirror.world.sweeps.values()
            if sweep.project == project and asking.caller.may_see(sweep)
        ]

    def _runs(self, project: str, arguments: dict[str, Any], asking: Asking) -> list[Run]:
        world = self._mirror.world
        holds = read_filter(arguments.get("filters"))
        found = [
            world.runs[run_id]
            for sweep in world.sweeps.values()
            if sweep.project == project
            for run_id in world.runs_of[sweep.id]
            if asking.caller.may_see(sweep, world.runs[run_id])
        ]
        return in_order((run for run in found if holds(run)), arguments.get("order"))

    def _find_sweep(self, sweep_id: str | None, asking: Asking) -> View | None:
        """Look a sweep up by its id alone: entity and project are null or guessed when a bare id is used."""
        sweep = self._mirror.world.sweeps.get((sweep_id or "").rpartition("/")[2])
        if sweep is None or not asking.caller.may_see(sweep):
            return None
        return self.sweep(sweep, asking)

    def find_run(self, run_id: str | None, asking: Asking) -> View | None:
        """Return the view of a run; None when it is not there to be seen."""
        run = self._mirror.world.runs.get(run_id or "")
        if run is None or not asking.caller.may_see(self._mirror.world.sweeps[run.sweep_id], run):
            return None
        return self._runs_as.run(run, asking)

    def _resumable(self, run_id: str | None, asking: Asking) -> View | None:
        """Return a run that has something to be resumed; a fresh one counts as not there yet."""
        run = self._mirror.world.runs.get(run_id or "")
        if run is None or run.n_points == 0:
            return None
        return self.find_run(run_id, asking)

    def sweep(self, sweep: Sweep, asking: Asking) -> View:
        """Return the view of a sweep."""
        world = self._mirror.world

        def runs(info: Any, **arguments: Any) -> View:
            # Every agent that starts asks for all of them and looks at none.
            arguments.setdefault("first", FEW)
            found = [world.runs[run_id] for run_id in world.runs_of[sweep.id]]
            ordered = in_order(found, arguments.get("order"))
            return histories.page([self._runs_as.run(run, asking) for run in ordered], arguments)

        best = world.best_of.get(sweep.id)
        return {
            "id": sweep.id,
            "name": sweep.id,
            "displayName": sweep.name,
            "project": place(sweep),
            "method": sweep.config.method.value,
            "state": SWEEP_WORDS[sweep.state],
            "description": sweep.config.description,
            "config": sweep.source,
            "createdAt": moment(sweep.created_at),
            "updatedAt": moment(sweep.updated_at),
            "heartbeatAt": moment(sweep.updated_at),
            "earlyStopJobRunning": False,
            "bestLoss": None if best is None else number_or_none(world.runs[best].best),
            "runCount": len(world.runs_of[sweep.id]),
            "runCountExpected": sweep.n_expected if (sweep.n_expected or 0) < 2**31 else None,
            "runs": runs,
            "agent": lambda info, **arguments: self._find_agent(sweep, arguments.get("agentName"), asking),
            "agents": lambda info: {
                "edges": [
                    {"node": self.agent(agent, asking)}
                    for agent in world.agents.values()
                    if agent.sweep_id == sweep.id
                ]
            },
        }

    def _find_agent(self, sweep: Sweep, agent_id: str | None, asking: Asking) -> View | None:
        agent = self._mirror.world.agents.get(agent_id or "")
        return self.agent(agent, asking) if agent is not None and agent.sweep_id == sweep.id else None

    def agent(self, agent: Agent, asking: Asking) -> View:
        """Return the view of an agent."""

        def runs(info: Any, **arguments: Any) -> View:
            found = [run for run in self._mirror.world.runs.values() if run.agent_id == agent.id]
            return histories.page(
                [self._runs_as.run(run, asking) for run in in_order(found, None)], arguments
            )

        return {
            "id": agent.id,
            "name": agent.id,
            "host": agent.host,
            "state": agent.state.value,
            "totalRuns": agent.n_runs,
            "createdAt": moment(agent.joined_at),
            "heartbeatAt": moment(agent.heard_at),
            "runs": runs,
        }
