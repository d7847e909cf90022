"""Steering the SLURM array under the cursor: cancel, throttle, hold; what is under it, the board says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.agents import JOB_OPEN, Job
from controller.domain.commands import CancelJob, HoldJob, ReleaseJob, SetThrottle
from tui_sweeps.format import sanitise
from tui_sweeps.messages import Copy, Send
from tui_sweeps.screens.acts import Acts
from tui_sweeps.screens.number import NumberScreen
from tui_sweeps.views.agents import AgentRows
from tui_sweeps.views.array_effects import cancel_effect, open_array, throttle_of
from tui_sweeps.views.effects import Impossible
from tui_sweeps.views.tasks import cancel_text, jobs_of, log_of

if TYPE_CHECKING:
    from tui_sweeps.screens.board import Board

    class Base(Acts, Board):
        """What it is mixed into."""
else:
    Base = object


class Arrays(Base):
    """Acts on arrays."""

    sweep_id: str
    _rows: AgentRows

    def _under_cursor(self) -> str | None:
        raise NotImplementedError

    def _array(self) -> Job | None:
        """Return the array under the cursor; elsewhere the only one that is open."""
        world = self.model.world
        job = world.jobs.get(self._rows.job_of(self._under_cursor() or ""))
        if job is not None and job.array is not None:
            return job
        open_ones = [one for one in jobs_of(world, self.sweep_id) if one.array and one.state in JOB_OPEN]
        return open_ones[0] if len(open_ones) == 1 else None

    def _array_id(self) -> str | None:
        job = self._array()
        if job is None:
            self.say("there is no SLURM array under the cursor", bad=True)
        return None if job is None else job.id

    def _cancel(self, *, waiting_only: bool) -> None:
        if (job_id := self._array_id()) is not None:
            self.act(
                lambda: cancel_effect(self.model.world, job_id, waiting_only, self.setting.clock()),
                lambda: Send(CancelJob(job_id=job_id, waiting_only=waiting_only), (job_id,), "cancelling"),
            )

    def action_cancel_waiting(self) -> None:
        """Cancel the tasks that have not started."""
        self._cancel(waiting_only=True)

    def action_cancel_array(self) -> None:
        """Cancel all tasks of the array."""
        self._cancel(waiting_only=False)

    def action_throttle(self) -> None:
        """Ask how many tasks may run at a time."""
        if (job_id := self._array_id()) is None:
            return
        job = open_array(self.model.world, job_id)
        if isinstance(job, Impossible) or job.array is None:
            self.say(job.reason if isinstance(job, Impossible) else "", bad=True)
            return

        def take(number: int | None) -> None:
            if number is not None:
                self.post_message(Send(SetThrottle(job_id=job_id, throttle=number)))

        title = f"Tasks of array {sanitise(job.array.slurm_id)} at a time"
        self.app.push_screen(NumberScreen(title, str(job.array.throttle or 0), "0: all", throttle_of), take)

    def action_hold(self) -> None:
        """Hold the waiting tasks, or let them start again."""
        if (job_id := self._array_id()) is None:
            return
        job = open_array(self.model.world, job_id)
        if isinstance(job, Impossible) or job.array is None:
            self.say(job.reason if isinstance(job, Impossible) else "", bad=True)
            return
        self.post_message(Send(ReleaseJob(job_id=job_id) if job.array.held else HoldJob(job_id=job_id)))

    def action_copy_scancel(self) -> None:
        """Copy the command that cancels what is under the cursor, else the agent's id."""
        row = self._under_cursor()
        if row is None:
            return
        agent = self.model.world.agents.get(row)
        text = cancel_text(self.model.world, agent, self._rows.group(row))
        if text or agent is not None:
            self.post_message(Copy(text or row, f"command {text}" if text else "agent's id"))

    def action_copy_log(self) -> None:
        """Copy the path of the log of what is under the cursor."""
        row = self._under_cursor() or ""
        text = log_of(self.model.world, self.model.world.agents.get(row), self._rows.group(row))
        if text:
            self.post_message(Copy(text, "log's path"))
        else:
            self.say("there is no log of its own", bad=True)
