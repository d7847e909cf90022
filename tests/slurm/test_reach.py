"""Who can reach the controller of a cluster: agents wherever it goes, and nobody else."""

from __future__ import annotations

from collections import Counter

import pytest

from controller.domain.runkeys import agent_key, owner_key, run_key
from controller.domain.states import RunState
from controller.domain.world import World
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
    world = site.until(lambda world: n_running(world, sweep_id) == 2)
    keys = _keys(site.home.secret.read_text().strip(), world, sweep_id)
    processes = ["sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"]
    own = "".join(site.cluster.run(*processes, where=where, check=False) for where in site.cluster.nodes)
    assert all(key in own for key in keys[-2:])  # the owner sees what the programs report with
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
    assert not any(key in seen for key in keys)
    address = site.json("controller", "status")["listen"]
    for method, path in (("GET", "/v1/snapshot"), ("POST", "/v1/send"), ("POST", "/graphql")):
        asked = ["curl", "-sk", "-X", method, "-w", "%{http_code}", f"{_url(address)}{path}"]
        assert site.cluster.run(*asked, where="n1", uid=STRANGER)[-3:] in ("401", "403")
    site.open_gate()
    site.until(is_finished(sweep_id))


def _keys(secret: str, world: World, sweep_id: str) -> list[str]:
    """The secret and what is derived from it. By value: a commit's hash among CI's processes looks alike."""
    tokens = [attempt.token for attempt in world.attempts.values() if attempt.sweep_id == sweep_id]
    assert len(tokens) == 2
    of_runs = [run_key(secret, world.attempts[token].run_id, token) for token in tokens]
    return [secret, owner_key(secret), agent_key(secret, sweep_id), *of_runs]


def _url(address: str) -> str:
    return address if address.startswith("https://") else f"https://{address}"
