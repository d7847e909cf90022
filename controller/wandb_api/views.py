"""Sweeps, runs and agents as the client's GraphQL types.

A view is a mapping of field names to values, or to functions where finding the value costs something; the
engine calls a function only when its field is selected.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from controller.client.door import Client
from controller.domain.agents import Agent
from controller.domain.runs import Run
from controller.domain.states import RUN_ACTIVE, RunState
from controller.domain.sweeps import Sweep
from controller.wandb_api import histories
from controller.wandb_api.callers import Caller
from controller.wandb_api.filters import in_order, read_filter
from controller.wandb_api.mirror import Mirror
from controller.wandb_api.sweeps import DEFAULT_ENTITY
from controller.wandb_api.uploads import StoredFile, Uploads
from controller.wandb_api.words import SWEEP_WORDS, as_json, boxed_config, moment, number_or_none

View = dict[str, Any]

USER: View = {
    "id": "user",
    "name": DEFAULT_ENTITY,
    "username": DEFAULT_ENTITY,
    "email": "",
    "entity": DEFAULT_ENTITY,
    "flags": "{}",
    "admin": False,
    "apiKeys": {"edges": []},
    "teams": {"edges": [{"node": {"id": DEFAULT_ENTITY, "name": DEFAULT_ENTITY}}]},
}


class Asking:
    """One request: who asks, and under which address the controller was reached."""

    def __init__(self, caller: Caller, base_url: str) -> None:
        self.caller = caller
        self.base_url = base_url


class Views:
    """Makes views of what is in the mirror."""

    def __init__(self, door: Client, mirror: Mirror, uploads: Uploads) -> None:
        self._door = door
        self._mirror = mirror
        self._uploads = uploads

    def project(self, entity: str, name: str, asking: Asking) -> View:
        """Return a project; every name is one, since a bare sweep id may come with any."""
        return {
            "id": f"{entity}/{name}",
            "internalId": _number_of(entity, name),
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
                [self.run(run, asking) for run in self._runs(name, arguments, asking)], arguments
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
        return self.run(run, asking)

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
            found = [world.runs[run_id] for run_id in world.runs_of[sweep.id]]
            ordered = in_order(found, arguments.get("order"))
            return histories.page([self.run(run, asking) for run in ordered], arguments)

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
            return histories.page([self.run(run, asking) for run in in_order(found, None)], arguments)

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

    def run(self, run: Run, asking: Asking) -> View:
        """Return the view of a run."""
        sweep = self._mirror.world.sweeps[run.sweep_id]
        attempt = None if run.token is None else self._mirror.world.attempts.get(run.token)
        heard_at = run.ended_at or sweep.updated_at
        return {
            "id": run.id,
            "projectId": _number_of(sweep.entity, sweep.project),
            "name": run.id,
            "displayName": run.name,
            "sweepName": sweep.id,
            "project": place(sweep),
            "state": run.state.value,
            "config": lambda info: boxed_config(run.own_config | run.config),
            "wandbConfig": '{"t": {}}' if run.n_points else "{}",
            "tags": [],
            "readOnly": False,
            "createdAt": moment(run.created_at),
            "heartbeatAt": moment(heard_at),
            "host": run.host,
            "user": USER,
            "exitcode": run.exit_code,
            "shouldStop": run.stop is not None,
            "stopped": run.stop is not None,
            "failed": run.state is RunState.FAILED,
            "running": run.state in RUN_ACTIVE,
            "systemMetrics": lambda info: as_json({f"system.{k}": v for k, v in run.system.items()}),
            "summaryMetrics": lambda info: as_json(_summary(run)),
            # Where the present attempt's next line belongs; an earlier attempt's lines are not continued.
            "historyLineCount": 0 if attempt is None else attempt.last_seq,
            "eventsLineCount": 0,
            "logLineCount": run.n_log_lines,
            "eventsTail": "[]",
            "historyKeys": lambda info: histories.keys_of(run),
            "events": [],
            "fileCount": lambda info: len(self._uploads.files_of(run.id)),
            "files": lambda info, **arguments: self._files(run, arguments, asking),
            **self._data(run),
        }

    def _data(self, run: Run) -> dict[str, Callable[..., Awaitable[Any]]]:
        """Return the fields that are read from the store."""
        door = self._door

        async def sampled(info: Any, **arguments: Any) -> list[Any]:
            return [await histories.sampled(door, run, spec) for spec in arguments["specs"][:20]]

        async def parquet(info: Any, **arguments: Any) -> View:
            rows = await histories.rows_of(door, run, keys=tuple(arguments.get("liveKeys") or ()))
            return {"parquetUrls": [], "liveData": rows}

        async def lines(info: Any, **arguments: Any) -> View:
            return await histories.console(door, run, arguments)

        async def history(info: Any, **arguments: Any) -> list[str]:
            return await histories.paged(door, run, arguments)

        async def tail(info: Any) -> str:
            return await histories.tail(door, run)

        return {
            "history": history,
            "historyTail": tail,
            "sampledHistory": sampled,
            "parquetHistory": parquet,
            "logLines": lines,
        }

    def _files(self, run: Run, arguments: dict[str, Any], asking: Asking) -> View:
        files = self._uploads.files_of(run.id)
        names = arguments.get("names")
        if names:
            files = [file for file in files if file.name in names]
        if pattern := arguments.get("pattern"):
            files = [file for file in files if _is_like(file.name, pattern)]
        return histories.page([self._file(run, file, asking) for file in files], arguments)

    def _file(self, run: Run, file: StoredFile, asking: Asking) -> View:
        url = asking.base_url + self._uploads.path_for(run.id, file.name)
        return {
            "id": f"{run.id}/{file.name}",
            "name": file.name,
            "url": lambda info, **arguments: url,
            "directUrl": url,
            "sizeBytes": file.n_bytes,
            "mimetype": file.kind,
            "updatedAt": moment(file.at),
        }


def place(sweep: Sweep) -> View:
    """Return where a sweep and its runs belong."""
    return {
        "id": f"{sweep.entity}/{sweep.project}",
        "name": sweep.project,
        "entity": {"id": sweep.entity, "name": sweep.entity},
    }


def _summary(run: Run) -> dict[str, Any]:
    own: dict[str, Any] = {} if run.last_step is None else {"_step": run.last_step}
    if run.started_at is not None and run.ended_at is not None:
        own["_runtime"] = own_s = max(0.0, run.ended_at - run.started_at)
        own["_wandb"] = {"runtime": int(own_s)}
    return {**run.summary, **own}


def _number_of(entity: str, project: str) -> int:
    """Return a number for a project: the read API wants one and never looks at it."""
    return zlib.crc32(f"{entity}/{project}".encode("utf-8", "surrogatepass"))


def _is_like(name: str, pattern: str) -> bool:
    """Match SQL's LIKE as far as `%` goes."""
    head, *rest = pattern.split("%")
    if not rest:
        return name == pattern
    if not name.startswith(head):
        return False
    at = len(head)
    for part in rest[:-1]:
        found = name.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(name) - at >= len(rest[-1]) and name.endswith(rest[-1])
