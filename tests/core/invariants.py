"""What is always true, after every single step of any history."""

from __future__ import annotations

from collections import Counter

from hypothesis.stateful import RuleBasedStateMachine, invariant

from controller.domain.agents import AgentState
from controller.domain.feed import Batch
from controller.domain.invariants import breaches
from controller.domain.replies import (
    Refused,
)
from controller.domain.states import (
    ATTEMPT_OPEN,
    RUN_ACTIVE,
    RUN_ENDED,
    SWEEP_OPEN,
    AttemptState,
    RunState,
    SweepState,
)
from controller.domain.wire import decode, encode
from controller.domain.world import World
from tests.core.shop import Shop


class Invariants(RuleBasedStateMachine):
    shop: Shop
    sweep: str
    n_seen: int
    """Decisions the mirror has followed."""
    mirror: World
    max_token: int
    witness: Counter[int]
    """How often the program of each token was executed, as an onlooker would count."""
    accepted: dict[int, list[float]]
    raised_after_end: bool

    @invariant()
    def nothing_is_found_by_the_doctor(self) -> None:
        assert list(breaches(self.shop.world.facts())) == []

    @invariant()
    def one_open_attempt_per_config(self) -> None:  # I1
        world = self.shop.world
        opened = Counter(a.run_id for a in world.attempts.values() if a.state in ATTEMPT_OPEN)
        assert all(n == 1 for n in opened.values())
        for token in world.open_of[self.sweep]:
            attempt = world.attempts[token]
            assert world.runs[attempt.run_id].token == token

    @invariant()
    def tokens_only_grow(self) -> None:  # I2
        assert self.shop.world.last_token >= self.max_token
        self.max_token = self.shop.world.last_token

    @invariant()
    def nothing_runs_twice(self) -> None:  # I3
        assert all(n == 1 for n in self.witness.values())

    @invariant()
    def accepted_points_are_counted_once(self) -> None:  # I5
        world = self.shop.world
        for token, attempt in world.attempts.items():
            assert attempt.last_seq == len(self.accepted.get(token, [])), attempt

    @invariant()
    def grid_indexes_are_unique(self) -> None:  # I6
        world = self.shop.world
        indexes = [world.runs[run_id].index for run_id in world.runs_of[self.sweep]] + [
            s.index for s in world.shelves.get(self.sweep, ())
        ]
        assert len(indexes) == len(set(indexes))
        assert all(index is not None and index < self.shop.n_cells for index in indexes)
        sweep = world.sweeps[self.sweep]
        whole = sweep.config.run_cap is None and not self.raised_after_end and not sweep.target_reached
        if sweep.state is SweepState.FINISHED and whole:
            assert len(world.runs_of[self.sweep]) == self.shop.n_cells

    @invariant()
    def run_cap_is_kept(self) -> None:  # I7
        cap = self.shop.world.sweeps[self.sweep].config.run_cap
        assert cap is None or len(self.shop.world.runs_of[self.sweep]) <= cap

    @invariant()
    def numbers_are_given_once(self) -> None:
        numbers = [run.number for run in self.shop.world.runs.values()]
        assert len(numbers) == len(set(numbers))

    @invariant()
    def ended_things_say_when_and_why(self) -> None:  # I8
        world = self.shop.world
        for run in world.runs.values():
            if run.state in RUN_ENDED:
                assert run.ended_at is not None
                assert (
                    run.state is RunState.FINISHED
                    or run.cause
                    or run.exit_code
                    or run.state is RunState.FAILED
                )
            if run.state in RUN_ACTIVE:
                assert run.token in world.open_of[self.sweep]
        for token in world.open_of[self.sweep]:
            if world.attempts[token].state is AttemptState.RUNNING:
                assert world.runs[world.attempts[token].run_id].state in RUN_ACTIVE

    @invariant()
    def only_waiting_runs_are_kept_for_a_task(self) -> None:
        for run in self.shop.world.runs.values():
            assert not run.kept_for or (run.state is RunState.PREEMPTED and run.queued)

    @invariant()
    def what_is_deleted_is_at_rest(self) -> None:
        world = self.shop.world
        for run in world.runs.values():
            if run.deleted:
                assert run.token not in world.open_of[self.sweep]
                assert run.id not in world.queue_of[self.sweep]
                assert not run.queued

    @invariant()
    def what_is_superseded_holds_nothing(self) -> None:
        world = self.shop.world
        for token in world.open_of[self.sweep]:
            agent = world.agents.get(world.attempts[token].agent_id)
            assert agent is None or agent.state is not AgentState.SUPERSEDED

    @invariant()
    def what_is_finished_is_at_rest(self) -> None:
        world = self.shop.world
        sweep = world.sweeps[self.sweep]
        if sweep.state is SweepState.FINISHED and not sweep.target_reached:
            assert not world.queue_of[self.sweep]
        if sweep.state not in SWEEP_OPEN:
            assert sweep.ended_at is not None

    @invariant()
    def indexes_agree_with_the_facts(self) -> None:
        world = self.shop.world
        fresh = World(world.facts())
        assert {k: v for k, v in world.counts_of[self.sweep].items() if v} == dict(
            fresh.counts_of[self.sweep]
        )
        assert list(world.open_of[self.sweep]) == list(fresh.open_of[self.sweep]) or set(
            world.open_of[self.sweep]
        ) == set(fresh.open_of[self.sweep])
        assert set(world.queue_of[self.sweep]) == set(fresh.queue_of[self.sweep])
        assert set(world.agents_of[self.sweep]) == set(fresh.agents_of[self.sweep])
        best, again = world.best_of[self.sweep], fresh.best_of[self.sweep]
        assert (best and world.runs[best].best) == (again and world.runs[again].best)

    @invariant()
    def a_refusal_changes_nothing_and_a_mirror_agrees(self) -> None:
        for decision in self.shop.decisions[self.n_seen :]:
            if isinstance(decision.reply, Refused):
                assert decision.changes == ()
                assert decision.effects == ()
        changes = tuple(c for d in self.shop.decisions[self.n_seen :] for c in d.changes)
        self.n_seen = len(self.shop.decisions)
        batch = decode(encode(Batch(seq=1, changes=changes)), Batch)
        self.mirror.evolve(batch.changes)
        assert self.mirror.facts() == self.shop.world.facts()
