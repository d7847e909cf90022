"""The World: all that is true now, and the one fold that follows changes.

The controller's memory and every client's mirror are Worlds; the database stores the same facts
row by row. What is derived (indexes, counts) is kept up to date here and nowhere else. Histories
and console lines are not in the World: a run knows only its summary and how much there is.

The lease clocks (`heard_s`) are not facts but the controller's own sense of time; they are full
after every restart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec.structs import replace

from controller.domain.agents import AGENT_LIVE, Agent, Job
from controller.domain.arrays import Task
from controller.domain.changes import Change
from controller.domain.facts import Facts, Snapshot
from controller.domain.fold import follow
from controller.domain.runs import Attempt, Run
from controller.domain.states import ATTEMPT_OPEN, RunState
from controller.domain.sweeps import Suggestion, Sweep

__all__ = ["Facts", "Snapshot", "World"]


class World:
    """All that is true now."""

    def __init__(self, facts: Facts | None = None) -> None:
        facts = facts or Facts()
        self.sweeps: dict[str, Sweep] = {}
        self.runs: dict[str, Run] = {}
        self.attempts: dict[int, Attempt] = {}
        """Open attempts and the latest closed one of each run."""
        self.agents: dict[str, Agent] = {}
        self.jobs: dict[str, Job] = {}
        self.tasks_of: dict[str, dict[int, Task]] = {}
        """Tasks of each job by their number; none for a local process."""
        self.shelves: dict[str, tuple[Suggestion, ...]] = {}
        self.last_token = facts.last_token
        self.runs_of: dict[str, dict[str, None]] = {}
        """Run ids of each sweep in the order of their numbers."""
        self.last_run_of: dict[str, int] = {}
        """Number of each sweep's last run, deleted ones included: numbers are given once."""
        self.open_of: dict[str, dict[int, None]] = {}
        """Tokens of each sweep's open attempts."""
        self.queue_of: dict[str, dict[str, None]] = {}
        """Run ids of each sweep that wait to be handed out again, first come first."""
        self.counts_of: dict[str, Counter[RunState]] = {}
        self.best_of: dict[str, str | None] = {}
        """Run id with the best value of the sweep's metric."""
        self.asks: dict[tuple[str, int], int] = {}
        """Token of the attempt that answered an agent's ask."""
        self.agents_of: dict[str, dict[str, None]] = {}
        """Live agents of each sweep."""
        self.heard_s: dict[str, float] = {}
        """Monotonic moment at which each agent was last heard."""
        self.token_heard_s: dict[int, float] = {}
        """Monotonic moment at which each open attempt was last heard of."""
        self.deserted_s: dict[str, float] = {}
        """Monotonic moment at which each sweep lost its last agent with runs open."""
        self.kept_s: dict[str, float] = {}
        """Monotonic moment since which each preempted run is kept for its own SLURM task."""
        for sweep in facts.sweeps:
            self.put_sweep(sweep)
        for run in sorted(facts.runs, key=lambda run: run.number):
            self.put_run(run)
        for attempt in facts.attempts:
            self.put_attempt(attempt)
        for agent in facts.agents:
            self.put_agent(agent)
        for job in facts.jobs:
            self.put_job(job)
        for task in facts.tasks:
            self.tasks_of[task.job_id][task.index] = task
        self.shelves.update(facts.shelves)

    def facts(self) -> Facts:
        """Return the facts in a canonical order, for a snapshot or a comparison."""
        return Facts(
            sweeps=tuple(self.sweeps[key] for key in sorted(self.sweeps)),
            runs=tuple(self.runs[key] for key in sorted(self.runs)),
            attempts=tuple(self.attempts[key] for key in sorted(self.attempts)),
            agents=tuple(self.agents[key] for key in sorted(self.agents)),
            jobs=tuple(self.jobs[key] for key in sorted(self.jobs)),
            tasks=tuple(tasks[n] for _, tasks in sorted(self.tasks_of.items()) for n in sorted(tasks)),
            shelves={key: self.shelves[key] for key in sorted(self.shelves) if self.shelves[key]},
            last_token=self.last_token,
        )

    def evolve(self, changes: Iterable[Change]) -> None:
        """Follow these changes, in their order."""
        for change in changes:
            self.follow(change)

    def follow(self, change: Change) -> None:
        """Follow one change."""
        follow(self, change)

    def put_sweep(self, sweep: Sweep) -> None:
        """Take in a sweep, new or changed."""
        self.sweeps[sweep.id] = sweep
        self.runs_of.setdefault(sweep.id, {})
        self.open_of.setdefault(sweep.id, {})
        self.queue_of.setdefault(sweep.id, {})
        self.agents_of.setdefault(sweep.id, {})
        self.counts_of.setdefault(sweep.id, Counter())
        self.best_of.setdefault(sweep.id, None)

    def put_run(self, run: Run) -> None:
        """Take in a run that is new here."""
        self.runs[run.id] = run
        self.last_run_of[run.sweep_id] = max(self.last_run_of.get(run.sweep_id, 0), run.number)
        if run.deleted:
            return
        self.runs_of[run.sweep_id].setdefault(run.id)
        self.counts_of[run.sweep_id][run.state] += 1
        if run.queued:
            self.queue_of[run.sweep_id].setdefault(run.id)
        if run.best is not None:
            self.consider_best(run)

    def put_attempt(self, attempt: Attempt) -> None:
        """Take in an attempt, new or changed."""
        self.attempts[attempt.token] = attempt
        self.asks[attempt.agent_id, attempt.ask] = attempt.token
        if attempt.state in ATTEMPT_OPEN:
            self.open_of[attempt.sweep_id].setdefault(attempt.token)
        else:
            self.open_of[attempt.sweep_id].pop(attempt.token, None)
            self.token_heard_s.pop(attempt.token, None)

    def put_agent(self, agent: Agent) -> None:
        """Take in an agent, new or changed."""
        self.agents[agent.id] = agent
        if agent.state in AGENT_LIVE:
            self.agents_of[agent.sweep_id].setdefault(agent.id)
        else:
            self.agents_of[agent.sweep_id].pop(agent.id, None)
            self.heard_s.pop(agent.id, None)

    def put_job(self, job: Job) -> None:
        """Take in a job, new or changed."""
        self.jobs[job.id] = job
        self.tasks_of.setdefault(job.id, {})

    def consider_best(self, run: Run) -> None:
        """Make this run the sweep's best if it is."""
        metric = self.sweeps[run.sweep_id].config.metric
        if metric is None or run.best is None or run.ignored or run.deleted:
            return
        holder = self.best_of.get(run.sweep_id)
        old = None if holder is None else self.runs[holder]
        if old is None or old.best is None or metric.better(run.best, old.best):
            self.best_of[run.sweep_id] = run.id
        elif run.best == old.best and run.number < old.number:
            # Who came first cannot be told after a restart; who has the smaller number can.
            self.best_of[run.sweep_id] = run.id

    def look_for_best(self, sweep_id: str) -> None:
        """Find the sweep's best run anew: the one that was may count no longer."""
        self.best_of[sweep_id] = None
        for run_id in self.runs_of[sweep_id]:
            self.consider_best(self.runs[run_id])

    def touch(self, sweep_id: str, at: float) -> None:
        """Remember that something about the sweep changed."""
        sweep = self.sweeps[sweep_id]
        if at > sweep.updated_at:
            self.sweeps[sweep_id] = replace(sweep, updated_at=at)
