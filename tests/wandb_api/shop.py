"""Engine, store and this room in one process, a clock in the hand, and a client of a few lines."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from controller.domain.queries import GetHistory, GetLog, History, Log
from controller.domain.runs import Run
from controller.domain.world import World
from controller.engine.door import EngineDoor
from controller.engine.engine import Engine
from controller.engine.explaining import Explainer
from controller.runtime.house import _performer
from controller.runtime.preview import size_of
from controller.settings import Home
from controller.store import Store
from controller.wandb_api.callers import Scope
from controller.wandb_api.keys import KeyFile
from controller.wandb_api.server import Place, Server, serve

SECRET = "00" * 32

UPSERT_SWEEP = """
mutation UpsertSweep($id: ID, $config: String, $entityName: String, $projectName: String, $state: String,
    $priorRunsFilters: JSONString, $templateVariableValues: JSONString) {
  upsertSweep(input: {id: $id, config: $config, entityName: $entityName, projectName: $projectName,
      state: $state, priorRunsFilters: $priorRunsFilters, templateVariableValues: $templateVariableValues}) {
    sweep { name project { id name entity { id name } } } configValidationWarnings } }
"""
CREATE_AGENT = """
mutation CreateAgent($host: String!, $sweep: String!, $projectName: String, $entityName: String) {
  createAgent(input: {host: $host, sweep: $sweep, projectName: $projectName, entityName: $entityName}) {
    agent { id } } }
"""
HEARTBEAT = """
mutation Heartbeat($id: ID!, $metrics: JSONString, $runState: JSONString) {
  agentHeartbeat(input: {id: $id, metrics: $metrics, runState: $runState}) { agent { id } commands } }
"""
UPSERT_BUCKET = """
mutation UpsertBucket($name: String, $project: String, $entity: String, $host: String, $program: String,
    $config: JSONString, $tags: [String!]) {
  upsertBucket(input: {config: $config, name: $name, modelName: $project, entityName: $entity, host: $host,
      jobProgram: $program, tags: $tags}) {
    bucket { id name displayName sweepName config historyLineCount
             project { id name entity { id name } } } inserted } }
"""


DELETE_RUN = "mutation DeleteRun($id: ID!, ) { deleteRun(input: { id: $id, }) { clientMutationId } }"
"""As `Run.delete` of `wandb.Api` says it."""


def grid(n: int, **more: Any) -> str:
    config = {"method": "grid", "program": "train.py", "metric": {"name": "loss"}} | more
    return json.dumps(config | {"parameters": more.get("parameters", {"x": {"values": list(range(n))}})})


class Shop:
    """A client of the room, and a view behind the counter."""

    def __init__(self, engine: Engine, server: Server, session: aiohttp.ClientSession, home: Home) -> None:
        self.engine = engine
        self.server = server
        self.session = session
        self.home = home
        self.mono_s = 1000.0
        self.key = KeyFile(home.keys).mint(Scope.ADMIN)

    @property
    def world(self) -> World:
        return self.engine.world

    def headers(self, key: str | None = None) -> dict[str, str]:
        text = f"api:{self.key if key is None else key}"
        return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}

    async def post(self, path: str, body: Any, *, key: str | None = None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(
            self.server.url + path, data=io.BytesIO(data), headers=self.headers(key)
        ) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def ask(self, query: str, *, key: str | None = None, status: int = 200, **variables: Any) -> Any:
        found, body = await self.post("/graphql", {"query": query, "variables": variables}, key=key)
        assert found == status, body
        return body["data"] if status == 200 else body["errors"][0]["message"]

    async def sweep(self, n: int = 4, **more: Any) -> str:
        made = await self.ask(UPSERT_SWEEP, config=grid(n, **more), templateVariableValues="null")
        name: str = made["upsertSweep"]["sweep"]["name"]
        return name

    async def steer(self, sweep_id: str, state: str) -> None:
        await self.ask(UPSERT_SWEEP, id=sweep_id, state=state)

    async def agent(self, sweep_id: str) -> str:
        made = await self.ask(CREATE_AGENT, host="node1", sweep=sweep_id)
        agent_id: str = made["createAgent"]["agent"]["id"]
        return agent_id

    async def beat(self, agent_id: str, *live: str) -> list[dict[str, Any]]:
        told = await self.ask(
            HEARTBEAT, id=agent_id, metrics="{}", runState=json.dumps(dict.fromkeys(live, True))
        )
        commands = told["agentHeartbeat"]["commands"]
        assert isinstance(commands, str)
        found: list[dict[str, Any]] = json.loads(commands)
        return found

    async def next_run(self, agent_id: str) -> str:
        (command,) = await self.beat(agent_id)
        assert command["type"] in ("run", "resume"), command
        run_id: str = command["run_id"]
        return run_id

    async def bucket(self, run_id: str, **more: Any) -> dict[str, Any]:
        made = await self.ask(UPSERT_BUCKET, name=run_id, host="node1", program="train.py", **more)
        bucket: dict[str, Any] = made["upsertBucket"]["bucket"]
        return bucket

    async def stream(self, run_id: str, *, status: int = 200, key: str | None = None, **body: Any) -> Any:
        path = f"/files/local/uncategorized/{run_id}/file_stream"
        found, answer = await self.post(path, body, key=key)
        assert found == status, answer
        return answer

    async def log(self, run_id: str, first: int, *losses: float) -> Any:
        rows = [json.dumps({"_step": first + i, "_timestamp": 1e9, "loss": x}) for i, x in enumerate(losses)]
        return await self.stream(run_id, files={"wandb-history.jsonl": {"offset": first, "content": rows}})

    async def started(self, sweep_id: str) -> tuple[str, str]:
        """An agent and the run it executes."""
        agent_id = await self.agent(sweep_id)
        run_id = await self.next_run(agent_id)
        await self.bucket(run_id)
        return agent_id, run_id

    def run(self, run_id: str) -> Run:
        return self.world.runs[run_id]


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Shop]:
    home = Home(directory / "home")
    home.path.mkdir(mode=0o700, exist_ok=True)
    store = Store.open(home.store)
    engine = Engine(store)
    explainer = Explainer()
    shops: list[Shop] = []
    async with asyncio.TaskGroup() as group:
        engine.performer = performer = _performer(home, engine, group)
        working = group.create_task(engine.run())
        door = EngineDoor(engine, explainer, lambda: None)  # type: ignore[arg-type,return-value]
        listening = socket.create_server(("127.0.0.1", 0))
        place = Place(host="127.0.0.1", listening=listening, keys=home.keys, files=home.files, secret=SECRET)
        server = await serve(
            door, place, group, size_of=size_of, clock=lambda: shops[0].mono_s if shops else 0.0
        )
        async with aiohttp.ClientSession() as session:
            shops.append(Shop(engine, server, session, home))
            yield shops[0]
        engine.stop()
        await server.close()
        working.cancel()
        performer.close()
    explainer.close()
    store.close()


def within(directory: Path, work: Callable[[Shop], Awaitable[None]], *, limit_s: float = 30.0) -> None:
    """Run a test's story in an open shop."""

    async def story() -> None:
        async with asyncio.timeout(limit_s), opened(directory) as shop:
            await work(shop)

    asyncio.run(story())


Story = Callable[[Shop], Awaitable[None]]
Tell = Callable[[Story], None]


async def losses(shop: Shop, run_id: str) -> list[float]:
    found = shop.engine.store.ask(GetHistory(run_id=run_id))
    assert isinstance(found, History)
    return [point.values["loss"] for point in found.points]


async def lines(shop: Shop, run_id: str) -> tuple[str, ...]:
    found = shop.engine.store.ask(GetLog(run_id=run_id))
    assert isinstance(found, Log)
    return found.lines


async def stop(shop: Shop, run_id: str) -> None:
    stopped = "mutation StopRun($id: ID!) { stopRun(input: {id: $id}) { success clientMutationId } }"
    assert (await shop.ask(stopped, id=run_id))["stopRun"]["success"] is True
