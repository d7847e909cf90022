from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wandb_api.day import Day
from tests.wandb_api.shop import Tell, within


@pytest.fixture(scope="session")
def day(request: pytest.FixtureRequest) -> Iterator[Day]:
    functions = [getattr(item, "function", None) for item in request.session.items]
    day = Day([function.story for function in functions if hasattr(function, "story")])
    try:
        yield day
    finally:
        day.close()


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    """Tell a story in an open shop."""
    return lambda story: within(tmp_path, story)
