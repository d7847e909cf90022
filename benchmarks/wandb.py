"""What many real clients cost: posting history at their own rhythm, their agents beating beside them.

The controller is a process of its own (engine, store on disk, TLS), the clients are simulated in this one:
each posts 20 metrics a step every 2 s, as `WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL=2` makes the real one do,
and its agent beats every 5 s. Run: `python benchmarks/wandb.py [N_CLIENTS] [SECONDS]`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from controller.client import connection
from controller.client.connection import connect
from controller.domain.queries import GetStatus, Status
from controller.runtime import tcp
from controller.runtime.standing import wait_until_reachable
from controller.settings import Home

POST_S, BEAT_S = 2.0, 5.0
N_METRICS, STEPS_PER_POST = 20, 20
AIM_MS = 50.0

SWEEP = "mutation U($config: String) { upsertSweep(input: {config: $config}) { sweep { name } } }"
AGENT = 'mutation C($sweep: String!) { createAgent(input: {host: "bench", sweep: $sweep}) { agent { id } } }'
BEAT = (
    "mutation Heartbeat($id: ID!, $runState: JSONString) "
    '{ agentHeartbeat(input: {id: $id, metrics: "{}", runState: $runState}) { agent { id } commands } }'
)
BUCKET = "mutation B($name: String) { upsertBucket(input: {name: $name}) { bucket { id name } inserted } }"


class Wire:
    """One session for all simulated clients, and how long its requests took."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": "Basic " + base64.b64encode(f"api:{key}".encode()).decode()}
        self.took_ms: dict[str, list[float]] = {"Heartbeat": [], "file_stream": []}

    async def post(self, path: str, body: Any, kind: str = "") -> Any:
        """Return the answer to a post; its time is kept under `kind`."""
        started = time.perf_counter()
        async with self._session.post(self._url + path, json=body, headers=self._headers) as answer:
            found = await answer.json()
            assert answer.status == 200, found
        if kind:
            self.took_ms[kind].append((time.perf_counter() - started) * 1e3)
        return found

    async def ask(self, query: str, kind: str = "", **variables: Any) -> Any:
        """Return the data of a GraphQL answer."""
        return (await self.post("/graphql", {"query": query, "variables": variables}, kind))["data"]


async def client(wire: Wire, sweep_id: str, number: int, until: float) -> int:
    """One agent with one run; return the points it logged."""
    dice = random.Random(number)
    agent_id = (await wire.ask(AGENT, sweep=sweep_id))["createAgent"]["agent"]["id"]
    told: list[Any] = []
    while not told:
        told = json.loads((await wire.ask(BEAT, id=agent_id, runState="{}"))["agentHeartbeat"]["commands"])
    run_id = told[0]["run_id"]
    await wire.ask(BUCKET, name=run_id)
    step, beat_at = 0, time.perf_counter() + dice.uniform(0, BEAT_S)
    post_at = time.perf_counter() + dice.uniform(0, POST_S)
    while (now := time.perf_counter()) < until:
        if beat_at <= now:
            await wire.ask(BEAT, kind="Heartbeat", id=agent_id, runState=json.dumps({run_id: True}))
            beat_at += BEAT_S
        if post_at <= now:
            await wire.post(f"/files/e/p/{run_id}/file_stream", body(step, dice), "file_stream")
            step += STEPS_PER_POST
            post_at += POST_S
        await asyncio.sleep(max(0.0, min(beat_at, post_at) - time.perf_counter()))
    return step


def body(first: int, dice: random.Random) -> dict[str, Any]:
    """Return one post: rows, the summary, two console lines."""
    rows = [
        {"_step": step, "_timestamp": time.time(), "_runtime": step * 0.1}
        | {f"metric_{i}": dice.random() for i in range(N_METRICS)}
        for step in range(first, first + STEPS_PER_POST)
    ]
    lines = [f"2026-01-01T00:00:00.000000 step {first + i}" for i in range(2)]
    return {
        "files": {
            "wandb-history.jsonl": {"offset": first, "content": [json.dumps(row) for row in rows]},
            "wandb-summary.json": {"offset": 0, "content": [json.dumps(rows[-1])]},
            "output.log": {"offset": first // 10, "content": lines},
        }
    }


async def measure(home: Home, n_clients: int, seconds: float) -> None:
    door = connect(home)
    status = await door.ask(GetStatus())
    assert isinstance(status, Status)
    trust = ssl.create_default_context(cafile=str(tcp.bundle_for(home, status.listen)))
    connector = aiohttp.TCPConnector(ssl=trust, limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        wire = Wire(session, status.listen, tcp.mint_key(home, None, "benchmark"))
        values = list(range(n_clients * 2))
        config = {"method": "grid", "program": "t.py", "metric": {"name": "metric_0"}}
        config |= {"parameters": {"x": {"values": values}}}
        made = await wire.ask(SWEEP, config=json.dumps(config))
        sweep_id = made["upsertSweep"]["sweep"]["name"]
        until = time.perf_counter() + seconds
        steps = await asyncio.gather(*[client(wire, sweep_id, i, until) for i in range(n_clients)])
    after = await door.ask(GetStatus())
    assert isinstance(after, Status)
    await door.close()
    cpu_share = (after.cpu_s - status.cpu_s) / seconds
    print(f"{n_clients} clients, {seconds:.0f} s, {sum(steps)} steps of {N_METRICS} metrics over TLS")
    print(f"controller: {100 * cpu_share:.0f} % of one core")
    for kind, took in wire.took_ms.items():
        took.sort()
        p50, p99 = (took[int(len(took) * share)] for share in (0.5, 0.99))
        verdict = "within" if p99 <= AIM_MS else "over"
        print(
            f"{kind:12} n {len(took):5}  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  max {took[-1]:6.1f} ms  "
            f"({verdict} the aim of {AIM_MS:.0f} ms)"
        )


def main() -> None:
    n_clients = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0
    with tempfile.TemporaryDirectory(prefix="tsb-") as place:
        home = Home(Path(place) / "home")
        argv = [sys.executable, "-m", "tui_sweeps", "--home", str(home.path)]
        process = subprocess.Popen([*argv, "controller", "run", "--listen", "127.0.0.1:0"])
        try:
            assert wait_until_reachable(home)
            assert connection.read(home.connection) is not None
            asyncio.run(measure(home, n_clients, seconds))
        finally:
            process.terminate()
            process.wait(10)


if __name__ == "__main__":
    main()
