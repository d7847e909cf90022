"""The roots of the schema: what each query and each mutation does."""

from __future__ import annotations

from typing import Any

from controller.client.door import Client
from controller.domain.commands import DeleteRuns, StopRuns
from controller.domain.replies import Accepted, Refused
from controller.domain.runs import Run
from controller.domain.sweeps import Sweep
from controller.wandb_api import histories, sweeps
from controller.wandb_api.agents import Agents
from controller.wandb_api.faults import FaultError
from controller.wandb_api.mirror import Mirror
from controller.wandb_api.reports import Reports, checked
from controller.wandb_api.run_views import USER, Asking, RunViews, View
from controller.wandb_api.sweeps import DEFAULT_ENTITY, DEFAULT_PROJECT, SizeOf
from controller.wandb_api.uploads import Uploads
from controller.wandb_api.views import Views
from controller.wandb_api.words import as_json, as_mapping, unboxed_config


class Resolvers:
    """Answers the fields of `Query` and `Mutation`; `info.context` is an `Asking`."""

    def __init__(
        self,
        door: Client,
        mirror: Mirror,
        *,
        agents: Agents,
        reports: Reports,
        uploads: Uploads,
        size_of: SizeOf,
    ) -> None:
        self._door = door
        self._mirror = mirror
        self._agents = agents
        self._reports = reports
        self._uploads = uploads
        self._size_of = size_of
        self._runs = RunViews(door, mirror, uploads)
        self._views = Views(mirror, self._runs)

    def root(self) -> dict[str, Any]:
        """Return the resolvers by field; queries and mutations share no name."""
        return {
            "viewer": USER,
            "serverInfo": {"features": [], "cliVersionInfo": {}},
            "entity": lambda info, **arguments: _entity(arguments.get("name")),
            "project": self._project,
            "model": self._project,
            "models": self._projects,
            "upsertSweep": self._upsert_sweep,
            "createAgent": self._create_agent,
            "agentHeartbeat": self._heartbeat,
            "upsertBucket": self._upsert_bucket,
            "createRunFiles": self._create_run_files,
            "stopRun": self._stop_run,
            "deleteRun": self._delete_run,
            "notifyScriptableRunAlert": self._alert,
        }

    def _project(self, info: Any, **arguments: Any) -> View:
        entity = arguments.get("entityName") or DEFAULT_ENTITY
        return self._views.project(entity, arguments.get("name") or DEFAULT_PROJECT, info.context)

    def _projects(self, info: Any, **arguments: Any) -> View:
        return histories.page(self._views.projects(info.context), arguments)

    async def _upsert_sweep(self, info: Any, **arguments: Any) -> View:
        asking: Asking = info.context
        given = arguments["input"]
        asking.caller.may_steer()
        actor = asking.caller.actor
        if not given.get("id"):
            sweep_id, warnings = await sweeps.register(self._door, given, size_of=self._size_of, actor=actor)
            return self._sweep_payload(sweep_id, warnings, asking)
        sweep = self._sweep(given["id"])
        if given.get("config") is not None:
            raise FaultError(
                400,
                f"the config of sweep {sweep.id} cannot be changed; register it anew with -R for its runs",
            )
        if given.get("state"):
            await sweeps.steer(self._door, sweep, given["state"], actor=actor)
        return self._sweep_payload(sweep.id, [], asking)

    def _sweep_payload(self, sweep_id: str, warnings: list[str], asking: Asking) -> View:
        sweep = self._mirror.world.sweeps[sweep_id]
        return {"sweep": self._views.sweep(sweep, asking), "configValidationWarnings": warnings}

    async def _create_agent(self, info: Any, **arguments: Any) -> View:
        given = arguments["input"]
        sweep = self._sweep(given["sweep"])
        info.context.caller.may_work(sweep)
        return {"agent": {"id": await self._agents.join(sweep, given["host"])}}

    async def _heartbeat(self, info: Any, **arguments: Any) -> View:
        given = arguments["input"]
        sweep = self._agents.sweep_of(given["id"])
        if sweep is None:
            raise FaultError(404, f"there is no agent {given['id']} here, and no sweep it could work for")
        info.context.caller.may_work(sweep)
        live = frozenset(run_id for run_id, lives in as_mapping(given.get("runState")).items() if lives)
        commands = await self._agents.beat(given["id"], live)
        return {"agent": {"id": given["id"]}, "commands": as_json(commands)}

    async def _upsert_bucket(self, info: Any, **arguments: Any) -> View:
        asking: Asking = info.context
        given = arguments["input"]
        run = self._run(given.get("name") or given.get("id") or "")
        asking.caller.may_report(run, self._mirror.world.sweeps[run.sweep_id])
        await self._reports.start(run, host=given.get("host") or "", program=given.get("jobProgram") or "")
        await self._reports.configure(run, unboxed_config(given.get("config")), given.get("tags"))
        run = self._mirror.world.runs[run.id]
        return {
            "bucket": self._runs.run(run, asking),
            "inserted": run.n_points == 0,
            "serverSettings": {"serverMessages": []},
        }

    async def _create_run_files(self, info: Any, **arguments: Any) -> View:
        asking: Asking = info.context
        given = arguments["input"]
        run = self._run(given["runName"])
        asking.caller.may_report(run, self._mirror.world.sweeps[run.sweep_id])
        return {
            "runID": run.id,
            "uploadHeaders": [],
            "files": [
                {"name": name, "uploadUrl": asking.base_url + self._uploads.path_for(run.id, name)}
                for name in given["files"]
            ],
        }

    async def _stop_run(self, info: Any, **arguments: Any) -> View:
        asking: Asking = info.context
        run = self._run(arguments["input"]["id"])
        asking.caller.may_work(self._mirror.world.sweeps[run.sweep_id])
        reply = checked(await self._door.send(StopRuns(run_ids=(run.id,), actor=asking.caller.actor)))
        # Asking again, or after the end, has no effect and is no mistake.
        return {"success": isinstance(reply, Accepted | Refused)}

    async def _delete_run(self, info: Any, **arguments: Any) -> View:
        asking: Asking = info.context
        asking.caller.may_steer()
        run = self._run(arguments["input"]["id"])
        reply = checked(await self._door.send(DeleteRuns(run_ids=(run.id,), actor=asking.caller.actor)))
        if isinstance(reply, Refused) and not run.deleted:
            raise FaultError(400, f"{reply.reason}{'; ' + reply.hint if reply.hint else ''}")
        return {"success": True}

    async def _alert(self, info: Any, **arguments: Any) -> View:
        run = self._run(arguments["input"]["runName"])
        info.context.caller.may_report(run, self._mirror.world.sweeps[run.sweep_id])
        return {"success": True}

    def _sweep(self, sweep_id: str) -> Sweep:
        sweep = self._mirror.world.sweeps.get(sweep_id.rpartition("/")[2])
        if sweep is None:
            raise FaultError(400, f"there is no sweep {sweep_id}; list the sweeps with `tui-sweeps ls`")
        return sweep

    def _run(self, run_id: str) -> Run:
        run = self._mirror.world.runs.get(run_id)
        if run is None:
            raise FaultError(
                400,
                f"run {run_id or '(unnamed)'} belongs to no sweep: this controller keeps runs of sweeps; "
                "start the program by an agent, or set WANDB_MODE=offline",
            )
        return run


def _entity(name: str | None) -> View:
    return {"id": name or DEFAULT_ENTITY, "name": name or DEFAULT_ENTITY, "organization": None}
