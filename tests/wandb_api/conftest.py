from collections.abc import Iterator

import pytest

from tests.wandb_api.lab import WandbLab


@pytest.fixture
def lab() -> Iterator[WandbLab]:
    lab = WandbLab()
    try:
        yield lab
    finally:
        lab.close()
