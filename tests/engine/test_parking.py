"""Answers held back until there is something to say, and no longer than the caller wants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.domain.agents import JobState
from controller.domain.commands import (
    CancelSweep,
    Command,
    DrainAgents,
    LaunchAgents,
    PauseSweep,
    ResumeSweep,
    StopAgents,
    StopRuns,
    StopSweep,
)
from controller.domain.events import (
    AgentBeat,
    AgentJoined,
    AgentLeft,
    JobSeen,
    RunAsked,
    RunEnded,
    RunStarted,
)
from controller.domain.replies import Accepted, AgentOrder, ExitOrder, Granted, RunOrder, WaitOrder, Wish
from controller.domain.states import AttemptState
from controller.engine.engine import Engine
from controller.store import StoreFullError
from tests.engine.bench import HandClock, SlowStore, done, engine_of, opened, real, running, turns, until


def held(engine: Engine) -> int:
    return engine._parking.n_held


async def hold(engine: Engine, message: RunAsked | AgentBeat) -> asyncio.Task[Any]:
    """Send a message whose answer is held."""
    n_before = held(engine)
    task = asyncio.create_task(engine.submit(message))
    await until(lambda: held(engine) == n_before + 1)
    return task


async def begun(engine: Engine, *more: str) -> tuple[str, RunOrder]:
    """Let agent a execute a run; return sweep and run."""
    sweep_id = await opened(engine, "a", *more)
    order = await engine.submit(RunAsked(agent_id="a", ask=1, wait_s=5.0))
    assert isinstance(order, RunOrder)
    assert isinstance(await engine.submit(RunStarted(agent_id="a", token=order.token, host="h")), Granted)
    return sweep_id, order


def test_ask_is_answered_as_soon_as_search_has_something(tmp_path: Path) -> None:
    async def script() -> None:
        async with real(tmp_path) as engine:
            await opened(engine, "a")
            reply = await engine.submit(RunAsked(agent_id="a", ask=1, wait_s=5.0))
            assert isinstance(reply, RunOrder)

    asyncio.run(script())


def test_ask_that_does_not_wait_is_answered_at_once(tmp_path: Path) -> None:
    async def script() -> None:
        async with real(tmp_path) as engine:
            sweep_id = await opened(engine, "a")
            await engine.submit(PauseSweep(sweep_id=sweep_id))
            assert isinstance(await engine.submit(RunAsked(agent_id="a", ask=1)), WaitOrder)

    asyncio.run(script())


@pytest.mark.parametrize(
    ("command", "answer"), [(ResumeSweep, RunOrder), (StopSweep, ExitOrder), (CancelSweep, ExitOrder)]
)
def test_held_ask_is_answered_when_the_sweep_is_steered(
    tmp_path: Path, command: type[Any], answer: type[Any]
) -> None:
    async def script() -> None:
        async with real(tmp_path) as engine:
            sweep_id = await opened(engine, "a")
            await engine.submit(PauseSweep(sweep_id=sweep_id))
            ask = await hold(engine, RunAsked(agent_id="a", ask=1, wait_s=20.0))
            await engine.submit(command(sweep_id=sweep_id))
            assert isinstance(await ask, answer)
            assert held(engine) == 0

    asyncio.run(script())


def test_held_ask_is_answered_when_a_run_comes_back(tmp_path: Path) -> None:
    async def script() -> None:
        async with real(tmp_path) as engine:
            sweep_id = await opened(engine, "a", "b")
            for n in range(1, 8):
                order = await engine.submit(RunAsked(agent_id="a", ask=n, wait_s=5.0))
                assert isinstance(order, RunOrder)
                await engine.submit(RunStarted(agent_id="a", token=order.token, host="h"))
                ended = RunEnded(agent_id="a", token=order.token, state=AttemptState.FINISHED, last_seq=0)
                await engine.submit(ended)
            last = await engine.submit(RunAsked(agent_id="a", ask=8))
            assert isinstance(last, RunOrder)
            ask = await hold(engine, RunAsked(agent_id="b", ask=1, wait_s=20.0))
            await engine.submit(AgentLeft(agent_id="a"))
            got = await ask
            assert isinstance(got, RunOrder)
            assert got.run_id == last.run_id
            assert sweep_id in engine.world.sweeps

    asyncio.run(script())


def test_held_ask_gets_the_ordinary_answer_at_its_deadline(tmp_path: Path) -> None:
    async def script() -> None:
        clock = HandClock()
        async with real(tmp_path, clock) as engine:
            sweep_id = await opened(engine, "a")
            await engine.submit(PauseSweep(sweep_id=sweep_id))
            ask = await hold(engine, RunAsked(agent_id="a", ask=1, wait_s=3.0))
            clock.now_s += 2.9
            await engine.submit(AgentBeat(agent_id="a"))
            await asyncio.sleep(0.005)
            assert not ask.done()
            clock.now_s += 0.2
            assert await ask == WaitOrder(reason="the sweep is paused")

    asyncio.run(script())


def test_patience_has_a_limit_whatever_the_caller_wants(tmp_path: Path) -> None:
    async def script() -> None:
        clock = HandClock()
        async with real(tmp_path, clock) as engine:
            await opened(engine, "a")
            beat = await hold(engine, AgentBeat(agent_id="a", wait_s=1e9, order="go_on"))
            for _ in range(26):
                clock.now_s += 1.0
                await asyncio.sleep(0.002)
            assert (await beat).wish is Wish.GO_ON

    asyncio.run(script())


def test_an_ask_that_is_decided_again_keeps_its_deadline(tmp_path: Path) -> None:
    async def script() -> None:
        clock = HandClock()
        async with real(tmp_path, clock) as engine:
            sweep_id = await opened(engine, "a", "b")
            await engine.submit(PauseSweep(sweep_id=sweep_id))
            ask = await hold(engine, RunAsked(agent_id="a", ask=1, wait_s=3.0))
            for _ in range(4):
                clock.now_s += 0.9
                await engine.submit(AgentLeft(agent_id="b"))
                await engine.submit(RunAsked(agent_id="b", ask=1))
            assert isinstance(await ask, WaitOrder)

    asyncio.run(script())


COMMANDS: dict[str, tuple[Callable[[str, RunOrder], Command], Wish]] = {
    "stop sweep": (lambda sweep_id, order: StopSweep(sweep_id=sweep_id), Wish.LEAVE),
    "cancel sweep": (lambda sweep_id, order: CancelSweep(sweep_id=sweep_id), Wish.KILL_LEAVE),
    "stop run": (lambda sweep_id, order: StopRuns(run_ids=(order.run_id,)), Wish.STOP),
    "drain agent": (lambda sweep_id, order: DrainAgents(agent_ids=("a",)), Wish.LEAVE),
    "stop agent": (lambda sweep_id, order: StopAgents(agent_ids=("a",)), Wish.STOP_LEAVE),
}


@pytest.mark.parametrize("name", list(COMMANDS))
def test_held_beat_is_answered_when_something_is_wanted_of_its_agent(tmp_path: Path, name: str) -> None:
    command, wish = COMMANDS[name]

    async def script() -> None:
        async with real(tmp_path) as engine:
            sweep_id, order = await begun(engine, "b")
            beat = AgentBeat(agent_id="a", token=order.token, wait_s=20.0, order="go_on")
            answer = await hold(engine, beat)
            assert isinstance(await engine.submit(command(sweep_id, order)), Accepted)
            assert await answer == AgentOrder(wish=wish, token=order.token, heartbeat_s=10.0)

    asyncio.run(script())


def test_held_beat_stays_held_when_others_are_concerned(tmp_path: Path) -> None:
    async def script() -> None:
        async with real(tmp_path) as engine:
            _, order = await begun(engine, "b")
            beat = await hold(engine, AgentBeat(agent_id="b", wait_s=20.0, order="go_on"))
            await engine.submit(StopRuns(run_ids=(order.run_id,)))
            await turns()
            assert not beat.done()

    asyncio.run(script())


def test_beat_whose_agent_does_not_know_the_order_yet_is_answered_at_once(tmp_path: Path) -> None:
    async def script() -> None:
        async with real(tmp_path) as engine:
            await opened(engine, "a")
            reply = await engine.submit(AgentBeat(agent_id="a", wait_s=20.0, order=""))
            assert isinstance(reply, AgentOrder)
            assert reply.wish is Wish.GO_ON

    asyncio.run(script())


def test_cancelled_callers_leave_nothing_behind(tmp_path: Path) -> None:
    async def script() -> None:
        clock = HandClock()
        async with real(tmp_path, clock) as engine:
            sweep_id = await opened(engine, "a", "b")
            await engine.submit(PauseSweep(sweep_id=sweep_id))
            ask = await hold(engine, RunAsked(agent_id="a", ask=1, wait_s=20.0))
            beat = await hold(engine, AgentBeat(agent_id="b", wait_s=20.0, order="go_on"))
            ask.cancel()
            beat.cancel()
            await turns()
            await engine.submit(ResumeSweep(sweep_id=sweep_id))
            await until(lambda: held(engine) == 0)
            reply = await engine.submit(RunAsked(agent_id="b", ask=1))
            assert isinstance(reply, RunOrder)
            assert reply.number == 1, "nobody took a run for a caller that had gone"

    asyncio.run(script())


def test_everybody_who_is_held_is_answered_when_the_engine_stops(tmp_path: Path) -> None:
    async def script() -> None:
        async with real(tmp_path) as engine:
            await opened(engine, "a")
            beat = await hold(engine, AgentBeat(agent_id="a", wait_s=20.0, order="go_on"))
            engine.stop()
            assert isinstance(await beat, AgentOrder)

    asyncio.run(script())


def test_everybody_who_is_held_is_answered_when_the_disk_is_full() -> None:
    async def script() -> None:
        store = SlowStore()
        store.on_commit = lambda delta, future: future.set_result(None)
        async with running(engine_of(store)) as engine:
            sweep_id = await opened(engine, "a")
            store.facts = engine.world.facts()
            beat = await hold(engine, AgentBeat(agent_id="a", wait_s=20.0, order="go_on"))
            store.on_commit = lambda delta, future: done(future, StoreFullError("full"))
            await engine.submit(PauseSweep(sweep_id=sweep_id))
            assert isinstance(await beat, AgentOrder)

    asyncio.run(script())


def test_the_death_of_an_agent_hands_its_run_to_one_that_waits(tmp_path: Path) -> None:
    async def script() -> None:
        async with real(tmp_path) as engine:
            sweep_id = await opened(engine, "b")
            launched = await engine.submit(LaunchAgents(sweep_id=sweep_id))
            assert isinstance(launched, Accepted)
            (job_id,) = launched.ids
            joined = AgentJoined(agent_id="a", sweep_id=sweep_id, host="h", pid=1, job_id=job_id)
            await engine.submit(joined)
            order = await engine.submit(RunAsked(agent_id="a", ask=1, wait_s=5.0))
            assert isinstance(order, RunOrder)
            await engine.submit(RunStarted(agent_id="a", token=order.token, host="h"))
            engine.post(JobSeen(job_id=job_id, state=JobState.ENDED))
            again = await engine.submit(RunAsked(agent_id="b", ask=1, wait_s=5.0))
            assert isinstance(again, RunOrder)
            assert (again.run_id, again.attempt) == (order.run_id, 2)

    asyncio.run(script())
