"""Runs as their programs report them: start, rows, console, end.

A run belongs to the agent it was handed to. What runs under one of our own agents is started, stopped and
ended by that agent, which sees the process itself; of such a program only rows, summary and marks are taken
from here, and its console comes from the agent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from controller.client.door import Client
from controller.domain.events import RunEnded, RunReported, RunStarted
from controller.domain.replies import Refused, Reply
from controller.domain.runs import Attempt, Run
from controller.domain.states import ATTEMPT_OPEN, AttemptState, RunState
from controller.domain.world import World
from controller.wandb_api.faults import busy
from controller.wandb_api.filestream import Post
from controller.wandb_api.mirror import Mirror

log = logging.getLogger(__name__)

_MISSING = object()

AGENT_PREFIX = "wandb-"
"""Agents that came through this room; our own agents' ids hold no hyphen."""


def is_ours(attempt: Attempt) -> bool:
    """Say whether the attempt runs under a wandb agent, whose part this room plays."""
    return attempt.agent_id.startswith(AGENT_PREFIX)


def n_recorded(attempt: Attempt) -> int:
    """Return how many lines of the client's history are recorded: where its next one belongs."""
    return attempt.last_seq if is_ours(attempt) else attempt.client_seq


def checked(reply: Reply) -> Reply:
    """Return a reply; what will pass (a full disk) becomes a reason to come back.

    Raises:
        FaultError: nothing can be recorded now.
    """
    if isinstance(reply, Refused) and reply.code in ("full", "defect"):
        raise busy(reply.reason)
    return reply


def open_attempt(world: World, run: Run) -> Attempt | None:
    """Return the latest attempt of a run, open or not; None before the first."""
    return None if run.token is None else world.attempts.get(run.token)


class Reports:
    """Takes in what programs report."""

    def __init__(self, door: Client, mirror: Mirror, clock: Callable[[], float]) -> None:
        self._door = door
        self._mirror = mirror
        self._clock = clock
        self._heard_s: dict[int, float] = {}
        """When each attempt's program last posted; forgotten by a restart."""

    async def start(self, run: Run, *, host: str, program: str = "") -> None:
        """The program of a run is there: its first word, or its agent's that it lives."""
        attempt = open_attempt(self._mirror.world, run)
        if attempt is None or attempt.state is not AttemptState.ASSIGNED or not is_ours(attempt):
            return
        agent = self._mirror.world.agents.get(attempt.agent_id)
        started = RunStarted(
            agent_id=attempt.agent_id,
            token=attempt.token,
            host=host or (agent.host if agent else ""),
            argv=(program,) if program else (),
        )
        checked(await self._door.send(started))

    async def configure(self, run: Run, config: dict[str, Any], tags: list[str] | None) -> None:
        """The program's config holds more than what was assigned, which it cannot change; and it has tags.

        Tags that are None stay as they are.
        """
        attempt = open_attempt(self._mirror.world, run)
        own = {
            key: value
            for key, value in config.items()
            if key not in run.config and run.own_config.get(key, _MISSING) != value
        }
        words = None if tags is None or tuple(tags) == run.tags else tuple(tags)
        told = own or words is not None
        if attempt is not None and told and attempt.state is not AttemptState.ASSIGNED:
            report = RunReported(agent_id=attempt.agent_id, token=attempt.token, own_config=own, tags=words)
            checked(await self._door.send(report))

    async def take(self, run: Run, post: Post) -> bool:
        """Take in a post; return whether the program is to stop."""
        await self.start(run, host="")
        attempt = open_attempt(self._mirror.world, run)
        if attempt is None:
            return True
        self._heard_s[attempt.token] = self._clock()
        report = self._report(self._mirror.world.runs[run.id], attempt, post)
        if report is not None:
            checked(await self._door.send(report))
        if post.exit_code is not None and is_ours(attempt):
            await self.end(attempt, exit_code=post.exit_code)
        return self._must_stop(run.id, attempt)

    def _report(self, run: Run, attempt: Attempt, post: Post) -> RunReported | None:
        lines = post.lines if is_ours(attempt) else ()
        summary = _changed(run, post)
        system = {key: value for key, value in post.system.items() if run.system.get(key) != value}
        recorded_seq = n_recorded(attempt)
        news = post.last_seq > recorded_seq or summary or lines or system
        if not news and not post.preempting and attempt.state is AttemptState.RUNNING:
            # A sign of life all the same: it keeps the lease full.
            return RunReported(agent_id=attempt.agent_id, token=attempt.token)
        if not news and not post.preempting:
            return None
        return RunReported(
            agent_id=attempt.agent_id,
            token=attempt.token,
            # Never a gap: the client gives up lines it could not send, and would not send them again.
            first_seq=1,
            last_seq=post.last_seq,
            from_client=not is_ours(attempt),
            points=tuple(point for point in post.points if point.seq > recorded_seq),
            lines=lines,
            summary=summary,
            system=system,
            preempting=post.preempting,
        )

    def silent_s(self, attempt: Attempt) -> float:
        """Return for how long a program has posted nothing; the client posts every 30 s at least."""
        now_s = self._clock()
        return now_s - self._heard_s.setdefault(attempt.token, now_s)

    async def end(self, attempt: Attempt, *, exit_code: int | None = None, cause: str = "") -> None:
        """Close an attempt: with the code its program gave, or without a word of it."""
        run = self._mirror.world.runs[attempt.run_id]
        if exit_code == 0:
            state = AttemptState.FINISHED
        elif run.stop is not None:
            state = AttemptState.KILLED
        else:
            state = AttemptState.FAILED
        ended = RunEnded(
            agent_id=attempt.agent_id,
            token=attempt.token,
            state=state,
            last_seq=0,  # all lines that ever come are in: the client sends its end last
            exit_code=exit_code,
            cause=cause,
        )
        reply = checked(await self._door.send(ended))
        self._heard_s.pop(attempt.token, None)
        if isinstance(reply, Refused):
            log.warning("the end of run %s was refused: %s", run.id, reply.reason)

    def _must_stop(self, run_id: str, before: Attempt) -> bool:
        run = self._mirror.world.runs[run_id]
        attempt = open_attempt(self._mirror.world, run)
        if attempt is None or attempt.token != before.token:
            return False
        if attempt.state in ATTEMPT_OPEN:
            return run.stop is not None
        # A process that outlived its agent's child, or one whose start came too late.
        return attempt.state is AttemptState.ABANDONED or run.state is RunState.KILLED


def _changed(run: Run, post: Post) -> dict[str, Any]:
    """Return what the posted summary says beyond what the rows say by themselves."""
    expected = dict(run.summary)
    for point in post.points:
        expected.update(point.values)
    return {key: value for key, value in post.summary.items() if expected.get(key, _MISSING) != value}
