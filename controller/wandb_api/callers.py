"""Who asks, and what they may do.

::

    admin    everything, also registering sweeps: the right to execute programs as the user
    agent    take and report runs of one project
    run      report to one run, for as long as its attempt is the latest
    view     look
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from controller.domain.runs import Run
from controller.domain.sweeps import Sweep
from controller.wandb_api.faults import FaultError


class Scope(StrEnum):
    """What a key is good for."""

    ADMIN = "admin"
    AGENT = "agent"
    RUN = "run"
    VIEW = "view"


class Caller(Struct, frozen=True, kw_only=True):
    """One authenticated caller."""

    scope: Scope
    subject: str = ""
    """Project of an agent's key, run id of a run's."""

    @property
    def actor(self) -> str:
        """Name for the log of events."""
        return f"wandb ({self.scope}{' ' + self.subject if self.subject else ''})"

    def may_steer(self) -> None:
        """Refuse unless sweeps may be made and steered."""
        if self.scope is not Scope.ADMIN:
            raise self._refusal("register or steer sweeps", "print an admin key with `tui-sweeps env`")

    def may_work(self, sweep: Sweep) -> None:
        """Refuse unless runs of the sweep may be taken."""
        if self.scope is Scope.ADMIN or (self.scope is Scope.AGENT and self.subject == sweep.project):
            return
        raise self._refusal(f"work for sweep {sweep.id}", f"`tui-sweeps env {sweep.id}` prints one that may")

    def may_report(self, run: Run, sweep: Sweep) -> None:
        """Refuse unless the run may be reported to."""
        if self.scope is Scope.RUN and self.subject == run.id:
            return
        if self.scope is Scope.RUN or self.scope is Scope.VIEW:
            raise self._refusal(f"report to run {run.id}", "")
        self.may_work(sweep)

    def may_see(self, sweep: Sweep, run: Run | None = None) -> bool:
        """Say whether the sweep, or the run of it, is visible."""
        match self.scope:
            case Scope.ADMIN | Scope.VIEW:
                return True
            case Scope.AGENT:
                return self.subject == sweep.project
            case Scope.RUN:
                return run is not None and run.id == self.subject

    def _refusal(self, what: str, hint: str) -> FaultError:
        of = f" of {self.subject}" if self.subject else ""
        return FaultError(403, f"this {self.scope} key{of} may not {what}{'; ' + hint if hint else ''}")
