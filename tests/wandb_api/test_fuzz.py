"""Noise on every path: the right kind of status, nothing changed by strangers, and the controller alive."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from controller.domain.wire import encode
from controller.wandb_api.faults import FaultError
from controller.wandb_api.filestream import read_post
from controller.wandb_api.graphql import read_request
from tests.wandb_api.shop import (
    CREATE_AGENT,
    HEARTBEAT,
    UPSERT_BUCKET,
    UPSERT_SWEEP,
    Shop,
    within,
)

STATUSES = {200, 400, 401, 403, 404, 405, 408, 413}
DOCUMENTS = [
    UPSERT_SWEEP,
    CREATE_AGENT,
    HEARTBEAT,
    UPSERT_BUCKET,
    "{ viewer { id teams { edges { node { name } } } } }",
    '{ project(name: "p") { sweep(sweepName: "x") { runs { edges { node { summaryMetrics } } } } } }',
    "{ __schema { types { name fields { name } } } }",
    'query($f: JSONString) { project(name: "uncategorized") { runs(filters: $f) { totalCount } } }',
]
SCRAPS = [
    "{",
    "}",
    "(",
    ")",
    '"',
    "\\",
    "\0",
    "null",
    "[",
    "$id",
    "...",
    "fragment",
    "ü",
    "\ud800",
    "9" * 400,
]


def noise(dice: random.Random, depth: int = 0) -> Any:
    """Any JSON value, also one no client would send."""
    kind = dice.randrange(8 if depth < 3 else 6)
    match kind:
        case 0:
            return None
        case 1:
            return dice.choice([True, False])
        case 2:
            return dice.choice([0, -1, 2**63, 10**30, dice.randrange(1000)])
        case 3:
            return dice.choice([0.5, float("nan"), float("inf"), -1e308])
        case 4:
            return "".join(dice.choice(SCRAPS) for _ in range(dice.randrange(4)))
        case 5:
            return dice.choice(
                ["local", "uncategorized", "wandb-history.jsonl", '{"x": true}', "RUNNING", "id"]
            )
        case 6:
            return [noise(dice, depth + 1) for _ in range(dice.randrange(4))]
        case _:
            keys = [
                "files",
                "offset",
                "content",
                "complete",
                "exitcode",
                "id",
                "state",
                "config",
                "sweep",
                "x",
            ]
            return {dice.choice(keys): noise(dice, depth + 1) for _ in range(dice.randrange(4))}


def mangled(dice: random.Random, text: str) -> str:
    """A document with a few pieces cut out, doubled or replaced."""
    for _ in range(dice.randrange(1, 4)):
        at = dice.randrange(len(text) + 1)
        end = min(len(text), at + dice.randrange(20))
        text = text[:at] + dice.choice(["", *SCRAPS, text[at:end] * 2]) + text[end:]
    return text


def request(dice: random.Random, known: list[str]) -> tuple[str, bytes]:
    """A path and a body."""
    if dice.random() < 0.5:
        text = dice.choice(DOCUMENTS)
        names = ("id", "config", "sweep", "host", "name", "runState", "state", "projectName", "f")
        variables: Any = {name: noise(dice) for name in names if dice.random() < 0.5}
        for name in ("id", "sweep", "name"):
            if dice.random() < 0.4:
                variables[name] = dice.choice(known)
        body = {"query": mangled(dice, text) if dice.random() < 0.5 else text, "variables": variables}
        path = "/graphql"
    else:
        rows = [json.dumps(noise(dice)) for _ in range(dice.randrange(3))]
        names = ("wandb-history.jsonl", "output.log", "wandb-summary.json", "wandb-events.jsonl")
        files = {name: {"offset": noise(dice), "content": rows} for name in names if dice.random() < 0.5}
        body = dice.choice([{"files": files}, {"files": noise(dice)}, noise(dice)])
        path = f"/files/e/p/{dice.choice([*known, '..', 'x' * 300, '%00'])}/file_stream"
    text = json.dumps(body)
    if dice.random() < 0.1:
        text = mangled(dice, text)
    return path, text.encode("utf-8", "surrogatepass")


async def storm(shop: Shop, n: int, seed: int) -> None:
    dice = random.Random(seed)
    sweep_id = await shop.sweep()
    agent_id, run_id = await shop.started(sweep_id)
    known = [sweep_id, agent_id, run_id, "nosuchid"]
    n_refused = 0
    for _ in range(n // 20):
        sent = [(request(dice, known), dice.random() < 0.2) for _ in range(20)]
        before = encode(shop.world.facts()) if all(bad for _, bad in sent) else None
        answers = await asyncio.gather(
            *[shop.post(path, body, key="0" * 40 if bad else None) for (path, body), bad in sent[:10]],
            *[shop.post(path, body) for (path, body), _ in sent[10:]],
        )
        for ((path, body), bad), (status, _) in zip(sent, answers, strict=True):
            assert status in STATUSES, (path, body, status)
            n_refused += status != 200
            if bad and sent.index(((path, body), bad)) < 10:
                assert status in (401, 404)
        assert before is None or encode(shop.world.facts()) == before
    assert n_refused > n // 4
    assert (await shop.ask("{ viewer { entity } }"))["viewer"]["entity"] == "local"
    fresh = await shop.sweep(2)
    assert (await shop.beat(await shop.agent(fresh)))[0]["type"] == "run"


@pytest.fixture(autouse=True)
def _no_penalty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.wandb_api.guard.PENALTY_S", 0.0)


def test_noise_is_answered_and_ends_nothing(tmp_path: Path) -> None:
    within(tmp_path, lambda shop: storm(shop, 400, 1))


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(10))
def test_ten_thousand_cases_of_noise_are_answered_and_end_nothing(tmp_path: Path, seed: int) -> None:
    within(tmp_path, lambda shop: storm(shop, 1000, seed + 100), limit_s=110)


def test_strangers_change_nothing_whatever_they_send(tmp_path: Path) -> None:
    async def story(shop: Shop) -> None:
        dice = random.Random(7)
        sweep_id = await shop.sweep()
        agent_id, run_id = await shop.started(sweep_id)
        before = encode(shop.world.facts())
        for _ in range(200):
            path, body = request(dice, [sweep_id, agent_id, run_id])
            status, _ = await shop.post(path, body, key=dice.choice(["", "0" * 40, "x"]))
            assert status in (401, 404)
        assert encode(shop.world.facts()) == before

    within(tmp_path, story)


@pytest.mark.parametrize("seed", range(5))
def test_posts_are_read_without_an_error_whatever_they_hold(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(2000):
        names = ("wandb-history.jsonl", "output.log", "wandb-summary.json", "wandb-events.jsonl")
        lines = [dice.choice([json.dumps(noise(dice)), noise(dice)]) for _ in range(3)]
        files = {name: {"offset": noise(dice), "content": lines} for name in names}
        post = read_post({"files": files, "exitcode": noise(dice), "complete": noise(dice)})
        assert all(-(2**63) < point.step < 2**63 for point in post.points)
        encode(post)
    for body in (None, 3, [], {"files": 3}, {"files": {"output.log": 3}}):
        assert read_post(body).points == ()


def test_bodies_that_are_no_requests_are_refused() -> None:
    for body in (None, 3, [], {}, {"query": 3}, {"query": "{x}", "variables": []}):
        with pytest.raises(FaultError):
            read_request(body)
