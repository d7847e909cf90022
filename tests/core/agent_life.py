"""What agents do in a random history, as rules: `test_histories.py` has what else happens."""

from __future__ import annotations

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import rule

from controller.domain.commands import LaunchAgents
from controller.domain.events import AgentLeft
from controller.domain.replies import Accepted, Acked, Granted, MissingFrom, RunOrder, Superseded, Wish
from tests.core.invariants import Invariants

SLOTS = ("a", "b", "c")
PICK = st.integers(0, 10**6)


class AgentLife(Invariants):
    agents: dict[str, str]
    """The present agent of each slot; a new process is a new agent."""
    jobs: dict[str, str]
    restarts: Counter[str]
    told: list[tuple[str, RunOrder]]
    """Every order that was ever given."""
    asks: Counter[str]
    held: dict[str, RunOrder]
    granted: set[int]

    @rule(slot=st.sampled_from(SLOTS))
    def join(self, slot: str) -> None:
        self.shop.join(self.agents[slot], self.sweep, job_id=self.jobs[slot])

    @rule(slot=st.sampled_from(SLOTS))
    def come_anew(self, slot: str) -> None:
        """Another process takes the slot; nothing more is heard of the one before."""
        launched = self.shop.tell(LaunchAgents(sweep_id=self.sweep))
        if isinstance(launched, Accepted):
            self.agents[slot] += "'"
            self.jobs[slot] = launched.ids[0]
            self.join(slot=slot)

    @rule(slot=st.sampled_from(SLOTS))
    def task_comes_back(self, slot: str) -> None:
        """SLURM runs the slot's task again; the instance before may live on, cut off."""
        self.restarts[slot] += 1
        self.agents[slot] += "+"
        self.shop.join_task(self.agents[slot], self.sweep, SLOTS.index(slot), restart=self.restarts[slot])

    @rule(slot=st.sampled_from(SLOTS), again=st.booleans())
    def ask(self, slot: str, again: bool) -> None:
        agent = self.agents[slot]
        if agent in self.held and not again:
            return
        if not again or not self.asks[agent]:
            self.asks[agent] += 1
        reply = self.shop.ask(agent, self.asks[agent])
        if isinstance(reply, RunOrder):
            held = self.held.get(agent)
            if again and held is not None and held.token in self.shop.world.attempts:
                # An answer that was given up and handed to somebody else cannot be given again.
                assert reply == held, "the same ask got another answer"
            self.held[agent] = reply
            self.told.append((agent, reply))

    @rule(slot=st.sampled_from(SLOTS))
    def answer_is_lost(self, slot: str) -> None:
        """The agent never learns what it was handed, and asks under a new number next time."""
        agent = self.agents[slot]
        order = self.held.get(agent)
        if order is not None and order.token not in self.granted:
            self.held.pop(agent)

    @rule(slot=st.sampled_from(SLOTS))
    def start(self, slot: str) -> None:
        agent = self.agents[slot]
        order = self.held.get(agent)
        if order is None:
            return
        reply = self.shop.start(agent, order.token)
        if isinstance(reply, Granted):
            assert order.token in self.shop.world.attempts, "granted though another attempt replaced it"
            if order.token not in self.granted:
                self.witness[order.token] += 1
            self.granted.add(order.token)
        else:
            assert isinstance(reply, Superseded)
            self.held.pop(agent)

    @rule(
        slot=st.sampled_from(SLOTS),
        losses=st.lists(st.floats(-9, 9), max_size=3),
        overlap=st.integers(0, 2),
    )
    def report(self, slot: str, losses: list[float], overlap: int) -> None:
        agent = self.agents[slot]
        order = self.held.get(agent)
        if order is None or order.token not in self.granted:
            return
        known = self.accepted.setdefault(order.token, [])
        back = known[len(known) - min(overlap, len(known)) :] if overlap else []
        first = len(known) - len(back) + 1
        reply = self.shop.report(agent, order.token, first, back + losses)
        if isinstance(reply, Acked):
            known += losses
            assert reply.last_seq == len(known)

    @rule(slot=st.sampled_from(SLOTS), state=st.sampled_from(["finished", "failed", "killed", "preempted"]))
    def end(self, slot: str, state: str) -> None:
        agent = self.agents[slot]
        order = self.held.get(agent)
        if order is None or order.token not in self.granted:
            return
        n_known = len(self.accepted.get(order.token, []))
        ahead = self.shop.end(agent, order.token, state, last_seq=n_known + 1)
        assert isinstance(ahead, MissingFrom | Superseded | Acked)
        reply = self.shop.end(agent, order.token, state, last_seq=n_known)
        assert isinstance(reply, Acked | Superseded)
        assert self.shop.end(agent, order.token, state, last_seq=n_known) == reply
        self.held.pop(agent)

    @rule(slot=st.sampled_from(SLOTS))
    def beat(self, slot: str) -> None:
        agent = self.agents[slot]
        if agent in self.shop.world.agents:
            order = self.held.get(agent)
            self.shop.beat(agent, order.token if order and order.token in self.granted else None)

    @rule(slot=st.sampled_from(SLOTS), state=st.sampled_from(["finished", "finished", "failed", "preempted"]))
    def work(self, slot: str, state: str) -> None:
        """A run from its ask to its end, so that histories get far."""
        self.join(slot=slot)
        self.ask(slot=slot, again=False)
        self.start(slot=slot)
        self.report(slot=slot, losses=[1.0], overlap=0)
        self.end(slot=slot, state=state)

    @rule(pick=PICK, word=st.sampled_from(["start", "beat", "report", "end"]))
    def late_word(self, pick: int, word: str) -> None:
        """Something said long ago arrives, or arrives again."""
        if not self.told:
            return
        agent, order = self.told[pick % len(self.told)]
        world = self.shop.world
        replaced = order.token not in world.attempts
        deleted = world.runs[order.run_id].deleted
        match word:
            case "start":
                reply = self.shop.start(agent, order.token)
                assert not (isinstance(reply, Granted) and replaced)
                if isinstance(reply, Granted):
                    self.witness[order.token] += order.token not in self.granted
                    self.granted.add(order.token)
            case "beat" if agent in self.shop.world.agents:
                told = self.shop.beat(agent, order.token)
                if replaced:
                    assert told.token == order.token
                    assert told.wish in (Wish.KILL, Wish.KILL_LEAVE)
            case "report" if order.token in self.granted:
                reply = self.shop.report(agent, order.token, 1, self.accepted.get(order.token, []))
                assert isinstance(reply, Superseded) is (replaced or deleted)
            case "end" if replaced:
                assert isinstance(self.shop.end(agent, order.token), Superseded)
            case _:
                pass

    @rule(slot=st.sampled_from(SLOTS))
    def leave(self, slot: str) -> None:
        agent = self.agents[slot]
        self.shop.tell(AgentLeft(agent_id=agent))
