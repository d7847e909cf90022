"""What our agents add to a SLURM array of runs that do nothing, beside SLURM's own cost of a task.

    python benchmarks/slurm.py [--tasks N]

Needs root and a SLURM that can be started here, as tests/slurm does. Three arrays of N tasks on four made-up
nodes: `/bin/true`; a Python that does nothing; an agent that takes one run of `true`. Then N runs pulled by 8
tasks that stay. Seconds are wall time from `sbatch` to the last end, divided by N.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.slurm.cluster import Cluster, why_not
from tests.slurm.site import Site
from tests.system.test_sweep_life import is_finished


def seconds_of_array(site: Site, n: int, command: str) -> float:
    began = time.perf_counter()
    array = site.cluster.run(
        "sbatch", "--parsable", f"--array=1-{n}", "-o", "/dev/null", f"--wrap=exec {command}"
    ).strip()
    site.cluster.until(lambda: not site.cluster.run("squeue", "-h", "-j", array, "-o", "%i").strip())
    return (time.perf_counter() - began) / n


def seconds_of_agents(site: Site, n_runs: int, n_tasks: int, *options: str) -> float:
    sweep_id = site.register(n_runs, command=["true"])
    began = time.perf_counter()
    site.submit(sweep_id, f"1-{n_tasks}", *options)
    site.until(is_finished(sweep_id))
    return (time.perf_counter() - began) / n_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tasks", type=int, default=200)
    n = parser.parse_args().tasks
    if reason := why_not():
        sys.exit(reason)
    cluster = Cluster()
    site = Site(cluster)
    try:
        cluster.start()
        site.listen()
        site.new_project()
        plain = seconds_of_array(site, n, "/bin/true")
        rows = [
            ("SLURM alone: /bin/true", plain),
            ("a Python that does nothing", seconds_of_array(site, n, f"{sys.executable} -c pass")),
            ("an agent for each run (--count 1)", seconds_of_agents(site, n, n, "--count", "1")),
            ("8 agents that pull runs", seconds_of_agents(site, n, 8)),
        ]
        for name, seconds in rows:
            print(f"{name:36} {1000 * seconds:8.1f} ms a task   {seconds / plain:6.2f} x")
    finally:
        site.close()
        cluster.close()


if __name__ == "__main__":
    main()
