from collections.abc import Iterator

import pytest

from tests.wandb_api.day import Day


@pytest.fixture(scope="session")
def day(request: pytest.FixtureRequest) -> Iterator[Day]:
    functions = [getattr(item, "function", None) for item in request.session.items]
    day = Day([function.story for function in functions if hasattr(function, "story")])
    try:
        yield day
    finally:
        day.close()
