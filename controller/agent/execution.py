"""One attempt from the order to its recorded end.

::

    place the files -> RunStarted -> Granted -> program -> (report, obey) -> gone -> result.json -> RunEnded
                                  -> Superseded: nothing is executed
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from dataclasses import replace
from typing import Any

from controller.agent.capture import Capture
from controller.agent.courier import Courier
from controller.agent.environment import own_environment, run_environment, wandb_environment
from controller.agent.load import LoadMeter
from controller.agent.place import RunPlace, run_place, write_inputs, write_result
from controller.agent.program import Ending, Launch, Program, ProgramError
from controller.agent.supervision import Supervisor
from controller.agent.workplace import Workplace
from controller.domain.events import RunEnded, RunStarted
from controller.domain.macros import MacroError, expand
from controller.domain.replies import Granted, RunOrder
from controller.domain.states import AttemptState

DURABLE_AFTER_S = 1.0
"""An end that the controller has not recorded by then is synced to disk."""


class Execution:
    """Executes one order."""

    def __init__(self, work: Workplace, order: RunOrder) -> None:
        self._work = work
        self._order = order
        self._supervisor = Supervisor(work, order.token)
        self._sync_timer: asyncio.TimerHandle | None = None

    async def run(self) -> Ending | None:
        """Return how the program ended; None if it was not to be executed."""
        work, order = self._work, self._order
        try:
            place = run_place(work.directory, order.run_id, order.attempt, order.token)
            argv = self._write_inputs(place)
        except MacroError as error:
            return await self._fail_early(f"{error.message}; {error.hint}")
        except (OSError, ValueError) as error:
            return await self._fail_early(f"run directory cannot be prepared: {error}")
        started = RunStarted(
            agent_id=work.identity.agent_id,
            token=order.token,
            host=work.identity.host,
            directory=str(place.directory),
            argv=argv,
        )
        reply = await work.post.send(started, lambda: bool(work.steering.signalled))
        if not isinstance(reply, Granted):
            with contextlib.suppress(OSError):
                place.mark_delivered()
            return None
        courier = Courier(
            work.post,
            agent_id=work.identity.agent_id,
            token=order.token,
            place=place,
            give_up=work.give_up,
        )
        environment = run_environment(work.joined, order, place, own_environment())
        environment |= wandb_environment(work.options.home, order, environment, work.options.reach)
        launch = Launch(
            argv=argv, environment=environment, directory=work.joined.directory, output=place.output
        )
        return await self._execute(launch, place, courier)

    def _write_inputs(self, place: RunPlace) -> tuple[str, ...]:
        work, order = self._work, self._order
        attempt: dict[str, Any] = {
            "token": order.token,
            "run_id": order.run_id,
            "sweep_id": work.joined.sweep_id,
            "attempt": order.attempt,
        }
        write_inputs(place, order.config, attempt | work.identity.as_record())
        place.checkpoints.mkdir(mode=0o700, exist_ok=True)
        return expand(
            work.joined.command,
            program=work.joined.program,
            config=order.config,
            interpreter=sys.executable,
            environment=os.environ,
            json_file=str(place.config),
        )

    async def _execute(self, launch: Launch, place: RunPlace, courier: Courier) -> Ending:
        work, steering = self._work, self._work.steering
        work.journal.say(
            f"run {self._order.run_id} ({self._order.name}) started, attempt {self._order.attempt}"
        )
        supervisor = self._supervisor
        steering.watch(supervisor.wake.set)
        try:
            capture = Capture(work.joined.capture, place) if work.joined.capture else None
            program = Program(launch, supervisor.wake.set)
        except (ProgramError, re.error) as error:
            ending = Ending(state=AttemptState.FAILED, cause=str(error))
            self._note(place, courier, ending)
        else:
            meter = LoadMeter(supervisor.members)
            async with asyncio.TaskGroup() as group:
                group.create_task(
                    courier.follow(program.pid, capture, meter, work.options.tick_s, supervisor.superseded)
                )
                try:
                    ending = await self._judged(await supervisor.watch(program, courier), courier)
                    if capture is not None:
                        capture.step(last=True)
                    self._note(place, courier, ending)
                finally:
                    courier.close()
                    await supervisor.clear_away()
        finally:
            steering.unwatch(supervisor.wake.set)
        await self._deliver(place, courier, ending)
        return ending

    async def _judged(self, ending: Ending, courier: Courier) -> Ending:
        """Say what an end means: ours, the scheduler's, or the program's own."""
        demand = self._supervisor.demand
        preempting = ending.exit_code != 0 and courier.says_preempting()
        if demand is not None and demand.by_host:
            departure = await self._work.departure()
            if departure is not None:
                return replace(
                    ending,
                    state=departure.state,
                    cause=departure.cause,
                    comes_back=departure.comes_back,
                    out_of_time=departure.out_of_time,
                )
        if demand is not None and not (preempting and demand.by_host):
            return replace(ending, state=demand.state, cause=demand.cause)
        if preempting and ending.state is not AttemptState.FINISHED:
            return replace(ending, state=AttemptState.PREEMPTED, cause=f"preempted; {ending.cause}")
        return ending

    def _note(self, place: RunPlace, courier: Courier, ending: Ending) -> None:
        record = _record(ending, courier.count_lines())
        self._write_result(place, record, durable=self._work.post.error is not None)
        self._sync_timer = asyncio.get_running_loop().call_later(
            DURABLE_AFTER_S, lambda: self._write_result(place, record, durable=True)
        )

    def _write_result(self, place: RunPlace, record: dict[str, Any], *, durable: bool) -> None:
        try:
            write_result(place, record, durable=durable)
        except OSError as error:
            self._work.journal.say(f"{place.result} cannot be written: {error}")

    async def _deliver(self, place: RunPlace, courier: Courier, ending: Ending) -> None:
        work = self._work
        try:
            delivered = await courier.end(ending)
        finally:
            if self._sync_timer is not None:
                self._sync_timer.cancel()
        with contextlib.suppress(OSError):  # at worst it is told once more, or later
            if delivered:
                place.mark_delivered()
            else:
                place.mark_left()
        end = f"{ending.state.value}{': ' + ending.cause if ending.cause else ''}"
        kept = "" if delivered else f"; not delivered, kept in {place.directory}"
        late = " (superseded: it does not count)" if courier.superseded else ""
        work.journal.say(f"run {self._order.run_id} {end}{late}{kept}")

    async def _fail_early(self, cause: str) -> Ending | None:
        """Report a failure before anything could be executed."""
        work, token = self._work, self._order.token
        work.journal.say(f"run {self._order.run_id} failed: {cause}")
        started = RunStarted(agent_id=work.identity.agent_id, token=token, host=work.identity.host)
        if not isinstance(await work.post.send(started, work.give_up), Granted):
            return None
        ending = Ending(state=AttemptState.FAILED, cause=cause)
        ended = RunEnded(
            agent_id=work.identity.agent_id, token=token, state=ending.state, last_seq=0, cause=cause
        )
        await work.post.send(ended, work.give_up)
        return ending


def _record(ending: Ending, last_seq: int) -> dict[str, Any]:
    return {
        "state": ending.state.value,
        "exit_code": ending.exit_code,
        "signal": ending.signal,
        "cause": ending.cause,
        "comes_back": ending.comes_back,
        "out_of_time": ending.out_of_time,
        "last_seq": last_seq,
    }
