"""Runs as the client's GraphQL type, with their rows, console and files."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from controller.client.door import Client
from controller.domain.runs import Run
from controller.domain.states import RUN_ACTIVE, RunState
from controller.domain.sweeps import Sweep
from controller.domain.wire import strict
from controller.wandb_api import histories
from controller.wandb_api.callers import Caller
from controller.wandb_api.mirror import Mirror
from controller.wandb_api.reports import n_recorded
from controller.wandb_api.sweeps import DEFAULT_ENTITY
from controller.wandb_api.uploads import StoredFile, Uploads
from controller.wandb_api.words import as_json, boxed_config, moment

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


class RunViews:
    """Makes views of runs."""

    def __init__(self, door: Client, mirror: Mirror, uploads: Uploads) -> None:
        self._door = door
        self._mirror = mirror
        self._uploads = uploads

    def run(self, run: Run, asking: Asking) -> View:
        """Return the view of a run."""
        sweep = self._mirror.world.sweeps[run.sweep_id]
        attempt = None if run.token is None else self._mirror.world.attempts.get(run.token)
        heard_at = run.ended_at or sweep.updated_at
        return {
            "id": run.id,
            "projectId": number_of(sweep.entity, sweep.project),
            "name": run.id,
            "displayName": run.name,
            "sweepName": sweep.id,
            "project": place(sweep),
            "state": run.state.value,
            "config": lambda info: boxed_config(run.own_config | run.config),
            "wandbConfig": '{"t": {}}' if run.n_points else "{}",
            "tags": list(run.tags),
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
            "historyLineCount": 0 if attempt is None else n_recorded(attempt),
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
            return {"parquetUrls": [], "liveData": [strict(row) for row in rows]}

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


def number_of(entity: str, project: str) -> int:
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
