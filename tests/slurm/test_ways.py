"""The ways from a node to the controller: what `doctor --slurm` says of them, and the one through files."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from controller.domain.states import RunState
from tests.slurm.cluster import Cluster
from tests.slurm.configuration import LOGIN_ADDRESS
from tests.slurm.site import Site
from tests.slurm.test_arrays import n_running, started_cells
from tests.system.lab import WAIT_S
from tests.system.test_sweep_life import is_finished

pytestmark = pytest.mark.timeout(400)

NOBODY = "10.77.0.99"
"""On the nodes' network, and no host has it."""


def test_doctor_tells_which_ways_lead_from_a_node(site: Site) -> None:
    found = json.loads(site.cli("doctor", "--slurm", "--json", "--", "--mem=100"))
    assert found["ok"]
    assert found["node"] in site.cluster.nodes
    assert [way["error"] for way in found["addresses"] if way["address"].startswith(LOGIN_ADDRESS)] == [""]
    assert found["socket"] is None  # it is another machine
    assert found["spool"]["error"] == ""
    assert not list(site.home.path.glob("tui-sweeps-probe-*"))


def test_commands_work_on_a_node(site: Site) -> None:
    sweep_id = site.register(1)
    process = site.spawn("ls", "--json", where=site.cluster.nodes[0])
    out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err.decode()
    assert sweep_id in [row["id"] for row in json.loads(out)]


def test_array_works_through_files_where_no_address_leads_to_the_controller(cluster: Cluster) -> None:
    site = Site(cluster)
    flags = ("--listen", "127.0.0.1:0", "--advertise", NOBODY)
    try:
        first = site.begin(*flags)
        site.new_project()
        site.shut()
        sweep_id = site.register(4)
        array = site.submit(sweep_id, "1-4%2", "--count", "1")
        site.until(lambda world: n_running(world, sweep_id) == 2)
        first.kill()
        first.wait()
        site.open_gate()  # the first two end while no controller runs
        site.begin(*flags)
        world = site.until(is_finished(sweep_id))
        assert world.counts_of[sweep_id][RunState.FINISHED] == 4
        assert started_cells(site) == Counter(map(str, range(4)))
        for run in site.runs(world, sweep_id):
            assert len(site.cli("history", run.id, "--json").splitlines()) == 2
        site.cluster.until(lambda: set(site.cluster.states(array).values()) == {"COMPLETED"})
        logs = "".join(path.read_text() for path in site.project.rglob("*_[0-9].out"))
        assert f"going through {site.home.spool}, which is slower" in logs
        assert NOBODY in logs
    finally:
        site.close()
