"""A small workshop for core tests: a World, a clock in the hand, and words for what happens."""

from __future__ import annotations

from typing import Any

from controller.core.decide import decide
from controller.core.draft import Decision, Moment
from controller.domain.commands import Command, CreateSweep
from controller.domain.effects import Suggest
from controller.domain.events import (
    AgentBeat,
    AgentJoined,
    Event,
    RunAsked,
    RunEnded,
    RunReported,
    RunStarted,
    Suggested,
)
from controller.domain.parameters import Distribution, Parameter
from controller.domain.replies import Accepted, AgentOrder, Reply, RunOrder
from controller.domain.runs import Point
from controller.domain.states import AttemptState
from controller.domain.sweeps import Method, Metric, Suggestion, SweepConfig
from controller.domain.timing import TIMING
from controller.domain.world import World


class Shop:
    """Drives one World; grid suggestions are answered on the spot, as the engine does."""

    def __init__(self, n_cells: int = 4, **config: Any) -> None:
        self.world = World()
        self.n_cells = n_cells
        self.at = 1_000_000.0
        self.mono_s = 500.0
        self.ids = 0
        self.decisions: list[Decision] = []
        self.config = SweepConfig(
            method=Method.GRID,
            parameters=(
                Parameter(path=("x",), distribution=Distribution.CATEGORICAL, values=tuple(range(n_cells))),
            ),
            metric=config.pop("metric", Metric(name="loss")),
            **config,
        )

    def new_id(self) -> str:
        self.ids += 1
        return f"id{self.ids:06d}"

    def tell(self, message: Command | Event) -> Reply | None:
        moment = Moment(at=self.at, mono_s=self.mono_s, new_id=self.new_id, timing=TIMING)
        decision = decide(self.world, message, moment)
        self.decisions.append(decision)
        for effect in decision.effects:
            if isinstance(effect, Suggest):
                self._suggest(effect)
        return decision.reply

    def _suggest(self, effect: Suggest) -> None:
        sweep = self.world.sweeps[effect.sweep_id]
        first = sweep.n_suggested
        last = min(first + effect.n, self.n_cells)
        suggestions = tuple(
            Suggestion(number=number, index=number, config={"x": number}) for number in range(first, last)
        )
        self.tell(
            Suggested(
                sweep_id=sweep.id,
                suggestions=suggestions,
                exhausted=last >= self.n_cells,
                first_number=first,
            )
        )

    def create(self) -> str:
        reply = self.tell(
            CreateSweep(config=self.config, source="", directory="/", n_expected=self.n_cells, name="s")
        )
        assert isinstance(reply, Accepted)
        return reply.ids[0]

    def join(self, agent_id: str, sweep_id: str, job_id: str | None = None) -> Reply | None:
        return self.tell(AgentJoined(agent_id=agent_id, sweep_id=sweep_id, host="h", pid=1, job_id=job_id))

    def join_task(
        self, agent_id: str, sweep_id: str, task: int, restart: int = 0, **more: Any
    ) -> Reply | None:
        """Let the agent of an array task of SLURM job 8 in."""
        return self.tell(
            AgentJoined(
                agent_id=agent_id,
                sweep_id=sweep_id,
                host=more.pop("host", f"n{task}"),
                pid=1,
                job=f"8_{task}",
                cluster=more.pop("cluster", "lab"),
                array_job="8",
                array_task=str(task),
                slurm_job=str(8 + task),
                restart=restart,
                **more,
            )
        )

    def come_up(self, agent_id: str, sweep_id: str, task: str, **more: Any) -> Reply | None:
        """Let an agent come up in a SLURM task, `77_1`, or in a plain job, `77`."""
        job, _, number = task.partition("_")
        place = {"array_job": job, "array_task": number} if number else {}
        fields: dict[str, Any] = {"job": task, "slurm_job": job, "node": "n1", **place, **more}
        return self.tell(AgentJoined(agent_id=agent_id, sweep_id=sweep_id, host="n1", pid=1, **fields))

    def ask(self, agent_id: str, n: int, **more: Any) -> Reply | None:
        return self.tell(RunAsked(agent_id=agent_id, ask=n, **more))

    def order(self, agent_id: str, n: int) -> RunOrder:
        reply = self.ask(agent_id, n)
        assert isinstance(reply, RunOrder), reply
        return reply

    def start(self, agent_id: str, token: int) -> Reply | None:
        return self.tell(RunStarted(agent_id=agent_id, token=token, host="h"))

    def run(self, agent_id: str, n: int) -> RunOrder:
        order = self.order(agent_id, n)
        self.start(agent_id, order.token)
        return order

    def report(self, agent_id: str, token: int, first: int, losses: list[float], **more: Any) -> Reply | None:
        step: int = more.pop("first_step", first)
        points = tuple(
            Point(seq=first + i, step=step + i, at=self.at, values={"loss": loss})
            for i, loss in enumerate(losses)
        )
        return self.tell(
            RunReported(
                agent_id=agent_id,
                token=token,
                first_seq=first,
                last_seq=first + len(losses) - 1,
                points=points,
                **more,
            )
        )

    def end(
        self, agent_id: str, token: int, state: str = "finished", last_seq: int = 0, **more: Any
    ) -> Reply | None:
        return self.tell(
            RunEnded(agent_id=agent_id, token=token, state=AttemptState(state), last_seq=last_seq, **more)
        )

    def beat(self, agent_id: str, token: int | None = None) -> AgentOrder:
        reply = self.tell(AgentBeat(agent_id=agent_id, token=token))
        assert isinstance(reply, AgentOrder), reply
        return reply

    def wait(self, seconds: float) -> None:
        self.at += seconds
        self.mono_s += seconds
