"""The controller's patience: every duration that decides something, in one place."""

from __future__ import annotations

from msgspec import Struct


class Timing(Struct, frozen=True, kw_only=True):
    """The controller's patience; every default has its reason in the design notes."""

    heartbeat_s: float = 10.0
    """Least time between heartbeats; it grows with the number of agents."""
    lease_s: float = 300.0
    """How long an attempt may be silent before it counts as crashed; short leases fail live runs."""
    start_s: float = 60.0
    """How long a handed-out run may wait for its start; nothing was executed yet."""
    crashed_after_s: float = 3600.0
    """How long a sweep whose agents all vanished waits for one to come back."""
    kept_s: float = 300.0
    """How long a preempted run waits for its own SLURM task before anybody else gets it: SLURM itself holds
    a requeued job back for two minutes, and looks at its queue once a minute."""
    poll_s: float = 25.0
    """How long an answer may be held when there is nothing to say."""
    tick_s: float = 1.0
    """How often leases are looked at."""
    grace_s: float = 30.0
    """From SIGTERM to SIGKILL."""
    quick_s: float = 60.0
    """A failure sooner than this counts towards an agent's quarantine."""

    silent_beats: int = 3
    """So many missed heartbeats make silence; who was heard since is not dead, whatever others say."""
    agents_per_beat_s: float = 10.0
    """At most so many heartbeats a second from all agents together."""

    def heartbeat_for(self, n_agents: int) -> float:
        """Return the time between heartbeats that keeps all agents together affordable."""
        return max(self.heartbeat_s, n_agents / self.agents_per_beat_s)

    def silence_for(self, n_agents: int) -> float:
        """Return how long after its last word an agent counts as silent."""
        return self.silent_beats * self.heartbeat_for(n_agents)


TIMING = Timing()
