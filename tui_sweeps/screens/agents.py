"""The agents of one sweep: where they are, what they do, how they fare; drain and stop."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult

from controller.domain.commands import DrainAgents, StopAgents
from tui_sweeps.format import count
from tui_sweeps.messages import Send
from tui_sweeps.model import Touched
from tui_sweeps.screens.acts import Acts
from tui_sweeps.screens.arrays import Arrays
from tui_sweeps.screens.board import Board, Setting, bindings, line_of
from tui_sweeps.screens.ways import GoUp, OpenRun
from tui_sweeps.views.agents import AgentRows, agent_key, is_silent, run_of
from tui_sweeps.views.cells import Cell
from tui_sweeps.views.effects import agents_effect
from tui_sweeps.views.order import Order
from tui_sweeps.views.tasks import array_lines
from tui_sweeps.widgets.table import Column, LineTable
from tui_sweeps.widgets.words import Words

N_ARRAY_LINES = 4
"""Open arrays that are told of above the table, the latest first."""


class AgentsScreen(Arrays, Acts, Board):
    """The Agents table."""

    VIEW = "agents"
    BINDINGS = bindings("agents")

    DEFAULT_CSS = """
    AgentsScreen #arrays { height: auto; max-height: 4; padding: 0 1; display: none; }
    AgentsScreen.arrays #arrays { display: block; }
    """

    def __init__(self, setting: Setting, sweep_id: str) -> None:
        super().__init__(setting)
        self.sweep_id = sweep_id
        self._rows = AgentRows(self.model, sweep_id)
        self._order = Order()
        self._cursor = ""

    def body(self) -> ComposeResult:
        """Lay out the table."""
        yield Words(id="arrays")
        yield LineTable([], 0, self._cell, empty="No agents yet. Press a to launch some.")

    @property
    def table(self) -> LineTable:
        """The table."""
        return self.query_one(LineTable)

    def crumbs(self) -> list[str]:
        """Return the way to here."""
        sweep = self.model.world.sweeps.get(self.sweep_id)
        return ["Sweeps", (sweep.name or sweep.id) if sweep else self.sweep_id, "agents"]

    def right_crumbs(self, room: int) -> Text:
        """Return how many live and how many are silent."""
        world = self.model.world
        live = world.agents_of.get(self.sweep_id, {})
        n_silent = sum(is_silent(world, world.agents[one], self.now) for one in live)
        n_agents = sum(one in world.agents for one in self._order.ids)
        text = f"{count(len(live))} alive of {count(n_agents)}"
        return Text(f"{text} · {count(n_silent)} silent" if n_silent else text, "dim")

    def show(self, touched: Touched) -> None:
        """Bring the rows up to date."""
        if self.sweep_id not in self.model.world.sweeps:
            if self.model.ready:
                self.post_message(GoUp(is_asked=False))
            return
        if touched.everything or self._rows.hosts(touched.agents):
            self._rows.forget()
            self._order.rebuild(self._rows.ids(), lambda _: True, agent_key(self._rows))
            self._reset()
        elif mine := [one for one in touched.agents if self._rows.owns(one)]:
            self._rows.forget()
            if self._order.update(mine):
                self._reset()
            else:
                self._repaint(mine)

    def _reset(self) -> None:
        row = self._order.row_of(self._cursor)
        columns = [Column(c.key, c.title, c.width, c.align, c.fixed) for c in self._rows.columns()]
        self.table.reset(len(self._order.ids), columns if columns != list(self.table.columns) else None)
        lines = [line_of(cells) for cells in array_lines(self.model.world, self.sweep_id)]
        self.set_class(bool(lines), "arrays")
        self.query_one("#arrays", Words).update(Text("\n").join(lines[:N_ARRAY_LINES]))
        if row is not None:
            self.table.cursor_row = row
        self._show_frame()

    def _repaint(self, agent_ids: Sequence[str]) -> None:
        self.table.refresh_rows(row for one in agent_ids if (row := self._order.row_of(one)) is not None)

    def tick(self) -> None:
        """Show ages."""
        self.table.refresh()

    def _cell(self, row: int, key: str) -> Cell:
        if row >= len(self._order.ids):
            return Cell("")
        return self._rows.cell(self._order.ids[row], key, self.now)

    def _under_cursor(self) -> str | None:
        row = self.table.cursor_row
        return self._order.ids[row] if 0 <= row < len(self._order.ids) else None

    def chosen_sweep(self) -> str | None:
        """Return this sweep."""
        return self.sweep_id

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        """Remember the agent under the cursor by its id."""
        self._cursor = self._under_cursor() or self._cursor

    def on_line_table_row_selected(self, message: LineTable.RowSelected) -> None:
        """Open the agent's run."""
        self.action_open()

    def action_open(self) -> None:
        """Open the run that the agent executes."""
        agent_id = self._under_cursor()
        agent = self.model.world.agents.get(agent_id or "")
        run = None if agent is None else run_of(self.model.world, agent)
        if run is None:
            self.say("there is no run here now", bad=True)
        else:
            self.post_message(OpenRun(run.id))

    def action_back(self) -> None:
        """Go up."""
        self.post_message(GoUp())

    def action_drain(self) -> None:
        """Let the agent leave after its run."""
        self._end(stop=False)

    def action_stop_agent(self) -> None:
        """Let the agent end its run and leave."""
        self._end(stop=True)

    def _end(self, *, stop: bool) -> None:
        agent_id = self._under_cursor()
        if agent_id is None:
            self.say("there is no agent here", bad=True)
            return
        if stop and self._rows.group(agent_id) is not None:
            self.action_cancel_waiting()
            return
        ids = (agent_id,)
        command = StopAgents(agent_ids=ids) if stop else DrainAgents(agent_ids=ids)
        self.act(
            lambda: agents_effect(self.model.world, ids, stop, self.setting.clock()),
            lambda: Send(command, ids, "stopping" if stop else "draining"),
        )
