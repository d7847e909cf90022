from __future__ import annotations

import asyncio

import pytest

from tests.dashboard.fuzz import Fuzz


@pytest.mark.parametrize("seed", [5, 54])
async def test_dashboard_survives_any_keys_and_sizes_while_facts_come_and_the_controller_goes(
    seed: int,
) -> None:
    fuzz = Fuzz(seed)
    await fuzz.go(120)
    assert len(fuzz.screens) > 5


@pytest.mark.torture
@pytest.mark.timeout(3600)  # a minute of the processor, and the machine may have much else to do
@pytest.mark.parametrize("seed", range(100, 200))
def test_dashboard_survives_long_fuzzing(seed: int) -> None:
    fuzz = Fuzz(seed)
    asyncio.run(fuzz.go(2000))
    assert len(fuzz.screens) > 10
