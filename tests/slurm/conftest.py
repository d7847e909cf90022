import os
from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster, why_not
from tests.slurm.site import Site

REQUIRED = "TUI_SWEEPS_REQUIRE_SLURM"
"""Set where a SLURM was installed for these tests: then leaving them out is a failure."""


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if reason := why_not():
        assert not os.environ.get(REQUIRED), reason
        pytest.skip(reason)
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="module")
def home(cluster: Cluster) -> Iterator[Site]:
    site = Site(cluster)
    try:
        site.listen()
        yield site
    finally:
        site.close()


@pytest.fixture
def site(home: Site) -> Site:
    home.new_project()
    return home


@pytest.fixture
def asking(cluster: Cluster) -> Iterator[Site]:
    """A site whose controller asks SLURM every second."""
    site = Site(cluster)
    site.environment["TUI_SWEEPS_SLURM_POLL"] = "1"
    try:
        site.listen()
        yield site
    finally:
        site.close()
