"""Random histories of everything that can happen: the invariants hold after every single step."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from controller.domain.agents import JobState
from controller.domain.arrays import Fate, TaskState
from controller.domain.commands import (
    CancelSweep,
    DeleteRuns,
    DrainAgents,
    IgnoreRuns,
    LaunchAgents,
    PauseSweep,
    ResumeSweep,
    RetryRuns,
    SetRunCap,
    StopAgents,
    StopRuns,
    StopSweep,
)
from controller.domain.events import JobSeen, Restarted, TaskSeen, TasksSeen, Ticked
from controller.domain.replies import Accepted
from controller.domain.states import SWEEP_OPEN
from controller.domain.sweeps import Metric, Retry
from controller.domain.world import Facts, World
from tests.core.agent_life import PICK, SLOTS, AgentLife
from tests.core.shop import Shop


class Histories(AgentLife):
    def new_shop(self, n_cells: int, **config: Any) -> Shop:
        return Shop(n_cells, **config)

    @initialize(
        n_cells=st.integers(1, 6),
        retries=st.integers(0, 2),
        run_cap=st.none() | st.integers(1, 6),
        on_lost=st.sampled_from(["keep", "fence"]),
        aim=st.none() | st.just(-8.0),
    )
    def begin(self, n_cells: int, retries: int, run_cap: int | None, on_lost: str, aim: float | None) -> None:
        metric = Metric(name="loss", target=aim)
        self.shop = self.new_shop(
            n_cells, retry=Retry(max=retries), run_cap=run_cap, on_lost=on_lost, metric=metric
        )
        self.sweep = self.shop.create()
        launched = self.shop.tell(LaunchAgents(sweep_id=self.sweep, n_agents=len(SLOTS)))
        assert isinstance(launched, Accepted)
        self.agents = dict(zip(SLOTS, SLOTS, strict=True))
        self.jobs = dict(zip(SLOTS, launched.ids, strict=True))
        self.restarts = Counter()
        self.told = []
        self.asks = Counter()
        self.held = {}
        self.granted = set()
        self.witness = Counter()
        self.accepted = {}
        self.max_token = 0
        self.raised_after_end = False
        self.mirror = World(self.shop.world.facts())
        self.n_seen = len(self.shop.decisions)

    # What operators do.

    @rule(verb=st.sampled_from([PauseSweep, ResumeSweep, StopSweep, CancelSweep]))
    def steer(self, verb: type[PauseSweep]) -> None:
        self.shop.tell(verb(sweep_id=self.sweep))

    @rule(pick=PICK, verb=st.sampled_from(["stop", "retry", "force", "delete", "ignore", "mind"]))
    def steer_run(self, pick: int, verb: str) -> None:
        runs = sorted(self.shop.world.runs)
        if not runs:
            return
        chosen = (runs[pick % len(runs)],)
        match verb:
            case "stop":
                self.shop.tell(StopRuns(run_ids=chosen))
            case "retry" | "force":
                self.shop.tell(RetryRuns(run_ids=chosen, force=verb == "force"))
            case "ignore" | "mind":
                self.shop.tell(IgnoreRuns(run_ids=chosen, ignored=verb == "ignore"))
            case _:
                reply = self.shop.tell(DeleteRuns(run_ids=chosen))
                if isinstance(reply, Accepted) and self.shop.world.sweeps[self.sweep].state not in SWEEP_OPEN:
                    self.raised_after_end = True

    @rule(pick=PICK, stop=st.booleans())
    def dismiss(self, pick: int, stop: bool) -> None:
        agents = sorted(self.shop.world.agents)
        if agents:
            chosen = (agents[pick % len(agents)],)
            self.shop.tell(StopAgents(agent_ids=chosen) if stop else DrainAgents(agent_ids=chosen))

    @rule(cap=st.none() | st.integers(1, 7))
    def set_cap(self, cap: int | None) -> None:
        reply = self.shop.tell(SetRunCap(sweep_id=self.sweep, run_cap=cap))
        if isinstance(reply, Accepted) and self.shop.world.sweeps[self.sweep].state not in SWEEP_OPEN:
            # A finished sweep stays finished until it is resumed, though there is more to give now.
            self.raised_after_end = True

    # What happens.

    @rule(seconds=st.sampled_from([1.0, 30.0, 61.0, 301.0, 4000.0]))
    def tick(self, seconds: float) -> None:
        self.shop.wait(seconds)
        self.shop.tell(Ticked())

    @rule(slot=st.sampled_from(SLOTS))
    def job_dies(self, slot: str) -> None:
        self.shop.tell(JobSeen(job_id=self.jobs[slot], state=JobState.ENDED))

    @rule(
        slot=st.sampled_from(SLOTS),
        state=st.sampled_from(TaskState),
        fate=st.sampled_from(Fate),
        restart=st.none() | st.integers(0, 2),
        age_s=st.sampled_from([0.0, 50.0]),
    )
    def slurm_says(self, slot: str, state: TaskState, fate: Fate, restart: int | None, age_s: float) -> None:
        """SLURM tells anything at all of a slot's task: right, late, wrong."""
        index = SLOTS.index(slot)
        seen = TaskSeen(index=index, state=state, fate=fate, restart=restart, ran_s=1.0, cause="said SLURM")
        for job in tuple(self.shop.world.jobs.values()):
            if job.array is not None:
                tasks, asked_at = (seen,), self.shop.at - age_s
                self.shop.tell(TasksSeen(job_id=job.id, tasks=tasks, complete=True, asked_at=asked_at))

    @rule()
    def restart(self) -> None:
        facts = self.shop.world.facts()
        self.shop.world = World(self.recorded())
        assert self.shop.world.facts() == facts
        self.shop.tell(Restarted())

    def recorded(self) -> Facts:
        """Return what a controller that starts now finds."""
        return self.shop.world.facts()


Histories.TestCase.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHistories = Histories.TestCase


class ManyHistories(Histories):
    pass


ManyHistories.TestCase.settings = settings(Histories.TestCase.settings, max_examples=1500)
TestManyHistories = pytest.mark.torture(pytest.mark.timeout(3600)(ManyHistories.TestCase))
