"""Who can reach the controller of a cluster: agents wherever it goes, and nobody else."""

from __future__ import annotations

import os
import re
from collections import Counter

import pytest

from controller.domain.states import RunState
from tests.slurm.cluster import Cluster
from tests.slurm.site import Site
from tests.slurm.test_arrays import n_running, started_cells
from tests.system.test_sweep_life import is_finished

pytestmark = pytest.mark.timeout(400)

STRANGER = 65534
"""`nobody`: a second user of the same machines."""


def test_agents_follow_a_controller_that_comes_back_on_another_port(cluster: Cluster) -> None:
    site = Site(cluster)
    try:
        first = site.listen()
        before = site.json("controller", "status")["listen"]
        site.new_project()
        site.shut()
        sweep_id = site.register(6)
        site.submit(sweep_id, "1-6%2", "--count", "1")
        site.until(lambda world: n_running(world, sweep_id) == 2)
        first.kill()
        first.wait()
        site.open_gate()  # the first two end while nobody listens
        site.listen(29_417)
        assert site.json("controller", "status")["listen"] != before
        world = site.until(is_finished(sweep_id))
        assert world.counts_of[sweep_id][RunState.FINISHED] == 6
        assert started_cells(site) == Counter(map(str, range(6)))
        for run in site.runs(world, sweep_id):
            assert len(site.cli("history", run.id, "--json").splitlines()) == 2
    finally:
        site.close()


def test_stranger_on_the_same_machines_finds_no_key_and_is_refused(site: Site) -> None:
    site.shut()
    sweep_id = site.register(2)
    array = site.submit(sweep_id, "1-2", "--count", "1")
    site.until(lambda world: n_running(world, sweep_id) == 2)
    secrets = [path.read_text() for path in site.home.path.glob("*secret*")]
    assert secrets
    seen = "".join(
        site.cluster.run(*argv, where=where, uid=STRANGER, check=False)
        for where in ("login", *site.cluster.nodes)
        for argv in (
            ["scontrol", "-d", "show", "job", array],
            ["scontrol", "write", "batch_script", f"{array}_1", "-"],
            ["squeue", "-a", "-o", "%all"],
            ["sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"],
            ["sh", "-c", f"find {site.place} -type f -readable -exec cat {{}} + 2>/dev/null"],
        )
    )
    assert array in seen  # the stranger does see the job itself
    assert not any(secret.strip() in seen for secret in secrets)
    # What our keys look like. A commit's hash does too, and CI may hand one down in the environment.
    assert not _forty_hex(seen) - _forty_hex("\n".join(os.environ.values()))
    address = site.json("controller", "status")["listen"]
    for method, path in (("GET", "/v1/snapshot"), ("POST", "/v1/send"), ("POST", "/graphql")):
        asked = ["curl", "-sk", "-X", method, "-w", "%{http_code}", f"{_url(address)}{path}"]
        assert site.cluster.run(*asked, where="n1", uid=STRANGER)[-3:] in ("401", "403")
    site.open_gate()
    site.until(is_finished(sweep_id))


def _forty_hex(text: str) -> set[str]:
    return set(re.findall(r"\b[0-9a-f]{40}\b", text))


def _url(address: str) -> str:
    return address if address.startswith("https://") else f"https://{address}"
