"""The verbs as every board does them: effect in numbers, question, a second look by id, command."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.domain.commands import (
    CancelSweep,
    Command,
    DeleteRuns,
    IgnoreRuns,
    PauseSweep,
    ResumeSweep,
    RetryRuns,
    StopRuns,
    StopSweep,
    SweepVerb,
)
from controller.domain.runs import Run
from controller.domain.states import Verb
from tui_sweeps.messages import Send
from tui_sweeps.screens.confirm import confirm
from tui_sweeps.views.effects import (
    Effect,
    Impossible,
    deletable,
    delete_effect,
    ignore_effect,
    retriable,
    retry_effect,
    stop_effect,
    verb_effect,
)

if TYPE_CHECKING:
    from tui_sweeps.screens.board import Board

    Base = Board
else:
    Base = object

COMMANDS: dict[Verb, type[SweepVerb]] = {
    Verb.PAUSE: PauseSweep,
    Verb.RESUME: ResumeSweep,
    Verb.STOP: StopSweep,
    Verb.CANCEL: CancelSweep,
}

MARKS = {
    Verb.PAUSE: "pausing",
    Verb.RESUME: "resuming",
    Verb.STOP: "stopping",
    Verb.CANCEL: "cancelling",
}
"""What stands in the state's place until the change arrives."""


class Acts(Base):
    """Actions on the chosen sweep and on the chosen runs; what is chosen, the board says."""

    def chosen_sweep(self) -> str | None:
        """Return the id of the sweep that the verbs are about."""
        return None

    def chosen_runs(self) -> list[str]:
        """Return the ids of the runs that the verbs are about: the marked ones, else the cursor's."""
        return []

    def act(self, effect: Callable[[], Effect | Impossible], send: Callable[[], Send]) -> None:
        """Ask, look again, send."""
        first = effect()
        if isinstance(first, Impossible):
            self.say(first.reason, bad=True)
            return

        def decided(answer: str | None) -> None:
            if answer != "yes":
                return
            again = effect()
            if isinstance(again, Impossible):
                self.say(again.reason, bad=True)
                return
            self.post_message(send())

        self.app.push_screen(confirm(first), decided)

    def _verb(self, verb: Verb) -> None:
        sweep_id = self.chosen_sweep()
        if sweep_id is None:
            self.say("there is no sweep here", bad=True)
            return
        self.act(
            lambda: verb_effect(self.model.world, sweep_id, verb, self.setting.clock()),
            lambda: Send(COMMANDS[verb](sweep_id=sweep_id), (sweep_id,), MARKS[verb]),
        )

    def action_pause(self) -> None:
        """Pause the chosen sweep."""
        self._verb(Verb.PAUSE)

    def action_resume(self) -> None:
        """Resume the chosen sweep."""
        self._verb(Verb.RESUME)

    def action_stop(self) -> None:
        """Stop the chosen sweep."""
        self._verb(Verb.STOP)

    def action_cancel(self) -> None:
        """Cancel the chosen sweep."""
        self._verb(Verb.CANCEL)

    def action_stop_run(self) -> None:
        """Stop the chosen runs."""
        run_ids = tuple(self.chosen_runs())
        self._act_on(
            run_ids,
            lambda: stop_effect(self.model.world, run_ids, self.setting.clock()),
            lambda runs: [run for run in runs if run.ended_at is None],
            lambda ids: StopRuns(run_ids=ids),
            "stopping",
        )

    def action_retry(self) -> None:
        """Queue the chosen runs for another attempt."""
        run_ids = tuple(self.chosen_runs())
        self._act_on(
            run_ids,
            lambda: retry_effect(self.model.world, run_ids),
            retriable,
            lambda ids: RetryRuns(run_ids=ids),
            "queueing",
        )

    def action_ignore(self) -> None:
        """Leave the chosen runs out of the search, or take them in again when all of them are out."""
        run_ids, world = tuple(self.chosen_runs()), self.model.world
        is_out = all(world.runs[one].ignored for one in run_ids if one in world.runs)
        self._act_on(
            run_ids,
            lambda: ignore_effect(self.model.world, run_ids),
            lambda runs: [run for run in runs if run.ignored is is_out],
            lambda ids: IgnoreRuns(run_ids=ids, ignored=not is_out),
            "taking in" if is_out else "leaving out",
        )

    def action_delete_run(self) -> None:
        """Take the chosen runs out of their sweep."""
        run_ids = tuple(self.chosen_runs())
        self._act_on(
            run_ids,
            lambda: delete_effect(self.model.world, run_ids),
            lambda runs: deletable(self.model.world, runs),
            lambda ids: DeleteRuns(run_ids=ids),
            "deleting",
        )

    def _act_on(
        self,
        run_ids: tuple[str, ...],
        effect: Callable[[], Effect | Impossible],
        fit: Callable[[list[Run]], list[Run]],
        command: Callable[[tuple[str, ...]], Command],
        mark: str,
    ) -> None:
        if not run_ids:
            self.say("there is no run here", bad=True)
            return

        def send() -> Send:
            world = self.model.world
            known = [world.runs[run_id] for run_id in run_ids if run_id in world.runs]
            ids = tuple(run.id for run in fit([run for run in known if not run.deleted]))
            return Send(command(ids), ids, mark)

        self.act(effect, send)
