"""The agents of a sweep as rows, live ones first, and between them the array tasks that have none."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from controller.domain.agents import AGENT_LIVE, Agent
from controller.domain.runs import Run
from controller.domain.timing import TIMING
from controller.domain.world import World
from tui_sweeps.format import ago, duration, fit, percent, sanitise
from tui_sweeps.model import Model
from tui_sweeps.views.cells import EMPTY, Cell, Column
from tui_sweeps.views.order import SortKey
from tui_sweeps.views.states import AGENT_LOOK, BAD, QUIET, WARN
from tui_sweeps.views.tasks import COLUMNS as TASK_COLUMNS
from tui_sweeps.views.tasks import Group, agent_cells, group_cells, groups_of, jobs_of

HEAD: tuple[Column, ...] = (
    Column("state", "STATE", 13, fixed=True),
    Column("host", "HOST", 14, fixed=True),
    Column("run", "RUN", 18),
)
TAIL: tuple[Column, ...] = (
    Column("age", "AGE", 7, "right"),
    Column("heard", "HEARD", 14),
    Column("ended", "ENDED", 5, "right"),
    Column("failed", "FAILED", 6, "right"),
    Column("share", "SHARE", 5, "right"),
    Column("pid", "PID", 8, "right"),
    Column("node", "NODE", 10),
    Column("cause", "CAUSE", 40),
    Column("id", "ID", 12),
)

HEARD_WRITTEN_EVERY_S = 60.0
"""The controller records that it heard of an agent this often at most."""

N_MISSED = 3
"""So many missed heartbeats make an agent silent."""


def is_silent(world: World, agent: Agent, now: float) -> bool:
    """Say whether a live agent missed several heartbeats; a mark only, never a state."""
    every_s = TIMING.heartbeat_for(len(world.agents_of.get(agent.sweep_id, ())))
    return agent.state in AGENT_LIVE and now - agent.heard_at > HEARD_WRITTEN_EVERY_S + N_MISSED * every_s


def run_of(world: World, agent: Agent) -> Run | None:
    """Return the run that an agent executes."""
    attempt = world.attempts.get(agent.token) if agent.token is not None else None
    return None if attempt is None else world.runs.get(attempt.run_id)


def agent_key(rows: AgentRows) -> Callable[[str], SortKey]:
    """Return the order: live agents, tasks from which one may come, then the others, the latest first."""
    world = rows.model.world

    def key(row: str) -> SortKey:
        group = rows.group(row)
        if group is not None:
            return ((0, 1 if group.is_open else 2), (0, -group.job.created_at), (1, row))
        agent = world.agents[row]
        live = row in world.agents_of.get(agent.sweep_id, ())
        return ((0, 0 if live else 2), (0, -agent.joined_at), (1, row))

    return key


class AgentRows:
    """Cells of the Agents table."""

    def __init__(self, model: Model, sweep_id: str) -> None:
        self.model = model
        self.sweep_id = sweep_id
        self._row: tuple[str, float, dict[str, Cell]] = ("", 0.0, {})
        self._groups: dict[str, Group] = {}

    def forget(self) -> None:
        """Let go of the row that was made last."""
        self._row = ("", 0.0, {})

    def ids(self) -> list[str]:
        """Return the agents of the sweep, and the tasks without one."""
        world = self.model.world
        self._groups = {one.id: one for one in groups_of(world, self.sweep_id)}
        agents = [one.id for one in world.agents.values() if one.sweep_id == self.sweep_id]
        return [*agents, *(one for one in self._groups if one not in world.agents)]

    def columns(self) -> tuple[Column, ...]:
        """Return the columns; SLURM's where it hosts something of the sweep."""
        return (*HEAD, *(TASK_COLUMNS if self.has_arrays() else ()), *TAIL)

    def has_arrays(self) -> bool:
        """Say whether SLURM hosts, hosted or shall host agents of the sweep."""
        return any(job.array is not None for job in jobs_of(self.model.world, self.sweep_id))

    def group(self, row: str) -> Group | None:
        """Return the tasks that a row is about; None when it is an agent's."""
        return None if row in self.model.world.agents else self._groups.get(row)

    def job_of(self, row: str) -> str:
        """Return the id of the job that hosts what a row is about; empty where there is none."""
        agent, group = self.model.world.agents.get(row), self.group(row)
        return (agent.job_id or "") if agent is not None else "" if group is None else group.job.id

    def hosts(self, touched: Iterable[str]) -> bool:
        """Say whether one of these is a job of the sweep, so that rows may have come or gone."""
        jobs = self.model.world.jobs
        return any(one in jobs and jobs[one].sweep_id == self.sweep_id for one in touched)

    def owns(self, agent_id: str) -> bool:
        """Say whether that is an agent of the sweep."""
        agent = self.model.world.agents.get(agent_id)
        return agent is not None and agent.sweep_id == self.sweep_id

    def cell(self, agent_id: str, key: str, now: float) -> Cell:
        """Return one cell; a row is made at once and kept for its other cells."""
        if self._row[:2] != (agent_id, now):
            self._row = (agent_id, now, self._cells(agent_id, now))
        return self._row[2].get(key, EMPTY)

    def _cells(self, agent_id: str, now: float) -> dict[str, Cell]:
        world = self.model.world
        agent, group = world.agents.get(agent_id), self.group(agent_id)
        if group is not None:
            return group_cells(group, self.model.waiting.get(group.job.id, ""), now)
        if agent is None:
            return {}
        run = run_of(world, agent)
        silent = is_silent(world, agent, now)
        heard = ago(now - agent.heard_at)
        end = now if agent.left_at is None else agent.left_at
        n_failed = agent.n_failures
        return {
            "state": self._state(agent, silent),
            "host": Cell(fit(sanitise(agent.host), 14)),
            "run": EMPTY if run is None else Cell(f"{run.number:>4} {fit(sanitise(run.name), 13)}"),
            "age": Cell(duration(max(0.0, end - agent.joined_at))),
            "heard": Cell(f"silent {heard}" if silent else heard, WARN if silent else QUIET),
            "ended": Cell(str(agent.n_runs)),
            "failed": Cell(str(n_failed), BAD) if n_failed else Cell("0", QUIET),
            "share": EMPTY if not agent.n_runs else Cell(percent(min(1.0, n_failed / agent.n_runs))),
            "pid": Cell(str(agent.pid), QUIET),
            "node": Cell(fit(sanitise(agent.node), 10)) if agent.node else EMPTY,
            "cause": Cell(fit(sanitise(agent.cause), 40), QUIET),
            "id": Cell(fit(sanitise(agent.id), 12), QUIET),
            **agent_cells(world, agent, now),
        }

    def _state(self, agent: Agent, silent: bool) -> Cell:
        mark, style = AGENT_LOOK[agent.state]
        waiting = self.model.waiting.get(agent.id, "")
        if waiting:
            return Cell(f"{mark} {waiting}…", WARN)
        return Cell(f"{'?' if silent else mark} {agent.state}", WARN if silent else style)
