"""`doctor --slurm`: which address of the controller works from a compute node."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from collections.abc import Iterator, Mapping

from msgspec import to_builtins

from controller.client.addresses import Tried
from controller.client.announced import fault_for_nodes, read
from controller.client.probe import Probe
from controller.domain.arrays import ArrayError
from controller.domain.batch import check_options
from controller.launch.probing import ProbeError, probe_from_node
from controller.launch.programs import Programs, short
from controller.settings import Home
from tui_sweeps.cli.outcomes import AwayError, CommandError, UsageError
from tui_sweeps.cli.output import document, say, table, tell
from tui_sweeps.cli.surroundings import Finding, fine, warn

SLURM_S = 10.0
"""A slurmctld that is down keeps its clients for 9 s."""


async def slurm(environ: Mapping[str, str]) -> list[Finding]:
    """Judge what there is of SLURM on this host: its version, and whether its controller answers."""
    programs = Programs(environ, limits_s=dict.fromkeys(("sbatch", "scontrol"), SLURM_S))
    said = await programs.run("sbatch", "--version")
    if said.missing:
        return [fine("SLURM", "no sbatch here; agents start on this machine")]
    version = said.text.strip() or short(said.complaint)
    missing = [name for name in ("squeue", "scontrol", "scancel") if shutil.which(name) is None]
    if missing:
        return [
            warn("SLURM", f"{version}, without {', '.join(missing)}", "install the rest of SLURM's clients")
        ]
    ping = await programs.run("scontrol", "ping")
    if not ping.ok or "UP" not in ping.text:
        why = short(ping.complaint or ping.text)
        return [
            warn("SLURM", f"{version}; slurmctld does not answer: {why}", "arrays wait; agents here do not")
        ]
    return [fine("SLURM", f"{version}; slurmctld answers")]


async def probe_cluster(options: Namespace, home: Home) -> int:
    """Submit the probe and print what it found; exit code 1 when no address works from the node."""
    try:
        check_options(options.sbatch_args)
    except ArrayError as error:
        raise UsageError(str(error), error.hint) from error
    found = read(home.connection)
    if found is None:
        raise AwayError(f"no controller runs for {home.path}", "tui-sweeps controller start --listen all:0")
    fault = fault_for_nodes(found)
    if fault is not None:
        tell("\n  ".join(fault))
    try:
        probe = await probe_from_node(
            home, Programs(os.environ), options.sbatch_args, within_s=options.wait, tell=tell
        )
    except ProbeError as error:
        raise CommandError(str(error), error.hint) from error
    if probe.error:
        raise CommandError(f"on {probe.node}: {probe.error}")
    works = any(not tried.error for tried in probe.addresses)
    if options.json:
        document({"ok": works, **to_builtins(probe)})
    else:
        table(("WAY", f"FROM {probe.node}", "TIME", "ANSWER"), _rows(probe))
        say()
        say(_verdict(probe, works))
    return 0 if works else 1


def _rows(probe: Probe) -> Iterator[tuple[str, str, str, str]]:
    for tried in probe.addresses:
        yield _row("address", tried)
    if probe.socket is not None:
        yield _row("socket", probe.socket)
    if probe.spool is not None:
        yield _row("spool", probe.spool)


def _row(way: str, tried: Tried) -> tuple[str, str, str, str]:
    return way, tried.address, f"{tried.took_s:.2f} s", tried.error or "works"


def _verdict(probe: Probe, works: bool) -> str:
    if works:
        first = next(tried.address for tried in probe.addresses if not tried.error)
        return f"agents on {probe.node} reach the controller at {first}"
    if probe.spool is not None and not probe.spool.error:
        return (
            f"no address works from {probe.node}; agents there go through the spool, which is slower.\n"
            "  If the host has another name or interface: controller start --listen all:0 --advertise HOST"
        )
    return f"nothing works from {probe.node}; run the controller where nodes reach it, in a job for instance"
