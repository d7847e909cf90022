from collections.abc import Iterator

import pytest

from tests.system.lab import Lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    lab = Lab()
    try:
        yield lab
    finally:
        lab.close()
