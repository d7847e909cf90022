"""Launching agents, and telling what SLURM said to an array that was handed to it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from controller.domain.agents import Job, JobState
from controller.domain.commands import LaunchAgents, SubmitArray
from controller.domain.queries import GetStatus, Status
from controller.domain.replies import Accepted, Refused
from controller.domain.sweeps import Sweep
from tui_sweeps.app.navigation import Place
from tui_sweeps.app.working import start_work
from tui_sweeps.format import counted, sanitise
from tui_sweeps.link import Link
from tui_sweeps.messages import Send
from tui_sweeps.model import LaunchDesk, Model
from tui_sweeps.screens.board import Setting
from tui_sweeps.screens.launch import LaunchScreen
from tui_sweeps.views import launching

if TYPE_CHECKING:
    from textual.app import App

    from tui_sweeps.app.leaving import ExitReason

    Base = App[ExitReason]
else:
    Base = object


class Launching(Base):
    """Starts agents."""

    model: Model
    setting: Setting
    link: Link
    place: launching.Place
    """Where agents are started from."""
    has_sbatch: Callable[[], bool] = staticmethod(lambda: shutil.which("sbatch") is not None)
    """Whether arrays can be submitted on this machine."""
    _submitting: set[str]
    """Jobs of which SLURM's answer is awaited."""

    def chosen(self) -> Sweep | None:
        """Return the sweep that the screen on top is about."""
        raise NotImplementedError

    def arrive(self, place: Place, start: Screen[Any] | None = None) -> bool:
        """Go to a sweep's view as work has led there."""
        raise NotImplementedError

    def action_agents(self) -> None:
        """Ask how agents are to be launched, and launch them."""
        sweep = self.chosen()
        if sweep is None:
            self.notify("There is no sweep here.", severity="warning", markup=False)
            return
        launches, project, sweep_id = self.setting.desk.launches, sweep.project, sweep.id
        place = self.place

        def plan(way: str, values: Mapping[str, str]) -> launching.Planned:
            now = self.model.world.sweeps.get(sweep_id)
            if now is None:
                return launching.Planned(None, f"sweep {sweep_id} is gone")
            return launching.planned(self.model.world, now, way, values, place)

        def launch(answer: tuple[LaunchAgents | SubmitArray, LaunchDesk] | None) -> None:
            if answer is None:
                return
            command, launches[project] = answer
            if isinstance(command, LaunchAgents):
                self.post_message(Send(command))
            else:
                start_work(self, self._submit, command, self.screen, group="submit")

        screen = LaunchScreen(sanitise(sweep.name or sweep.id), launches.get(project, LaunchDesk()), plan)
        self.push_screen(screen, launch)
        start_work(self, self._look_for_way, screen, group="look")

    async def _look_for_way(self, screen: LaunchScreen) -> None:
        """Say what stands in the way of an array: no sbatch, or no way from the nodes to the controller."""
        status = await self.link.ask(GetStatus())
        has_sbatch = await asyncio.to_thread(self.has_sbatch)
        if not isinstance(status, Status) or self.screen is not screen:
            return
        if not has_sbatch:
            screen.warn("There is no sbatch on this machine: an array cannot be submitted from here.")
        elif not status.addresses:
            screen.warn(
                "No other host can reach this controller: start it with "
                "`tui-sweeps controller start --listen all:0`."
            )

    async def _submit(self, command: SubmitArray, start: Screen[Any]) -> None:
        self.notify("Handing the array to sbatch …", markup=False)
        reply = await self.link.send(command)
        if isinstance(reply, Accepted):
            self._submitting.update(reply.ids)
            self.arrive(("agents", command.sweep_id), start)
            self.tell_submitted()
        elif isinstance(reply, Refused):
            text = f"{reply.reason}. {reply.hint}" if reply.hint else reply.reason
            self.notify(sanitise(text), severity="warning", markup=False)

    def tell_submitted(self) -> None:
        """Tell what SLURM said to the arrays that wait for its answer."""
        for job_id in tuple(self._submitting):
            job = self.model.world.jobs.get(job_id)
            if job is not None and job.state is not JobState.SUBMITTING:
                self._submitting.discard(job_id)
                self._tell(job)

    def _tell(self, job: Job) -> None:
        array = job.array
        if job.state is JobState.FAILED or array is None:
            self.notify(
                sanitise(f"SLURM did not take the array: {job.cause}"),
                severity="error",
                markup=False,
                timeout=20,
            )
            return
        limit = f", {array.throttle} at a time" if array.throttle else ""
        tasks = counted(array.n_tasks, "task")
        self.notify(sanitise(f"SLURM took array {array.slurm_id}: {tasks}{limit}."), markup=False)
