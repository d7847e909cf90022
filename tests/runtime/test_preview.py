"""What a sweep would do, said before it does it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from controller.domain.parameters import Distribution, Parameter
from controller.domain.sweeps import EarlyTermination, Method, SweepConfig
from controller.runtime.preview import preview, size_of, working_directory


def choice(name: str, *values: Any) -> Parameter:
    return Parameter(path=(name,), distribution=Distribution.CATEGORICAL, values=values)


def config(method: Method = Method.GRID, **more: Any) -> SweepConfig:
    return SweepConfig(
        method=method, parameters=(choice("x", 1, 2, 3), choice("y", "a", "b")), program="t.py", **more
    )


def test_grid_is_counted_and_its_first_commands_are_exact() -> None:
    found = preview(config(), n_runs=2)
    assert (found.size, found.n_expected, found.problem, found.bands) == (6, 6, "", ())
    assert [argv[-2:] for argv in found.argv] == [("--x=1", "--y=a"), ("--x=1", "--y=b")]
    assert all(sys.executable in argv for argv in found.argv)
    assert all("t.py" in argv for argv in found.argv)


def test_cap_limits_what_is_expected_and_not_the_size() -> None:
    found = preview(config(run_cap=4))
    assert (found.size, found.n_expected) == (6, 4)


def test_a_grid_of_a_trillion_cells_is_counted() -> None:
    axes = tuple(choice(f"p{n}", *range(10)) for n in range(12))
    assert size_of(SweepConfig(method=Method.GRID, parameters=axes)) == 10**12


def test_a_grid_over_a_range_without_end_is_refused() -> None:
    endless = Parameter(path=("lr",), distribution=Distribution.UNIFORM, min=0.0, max=1.0)
    with pytest.raises(ValueError, match="lr"):
        size_of(SweepConfig(method=Method.GRID, parameters=(endless,)))


def test_random_search_over_a_range_has_no_size() -> None:
    endless = Parameter(path=("lr",), distribution=Distribution.UNIFORM, min=0.0, max=1.0)
    found = preview(SweepConfig(method=Method.RANDOM, parameters=(endless,), run_cap=7, program="t.py"))
    assert (found.size, found.n_expected, len(found.argv)) == (None, 7, 3)


def test_bands_of_early_termination_are_said() -> None:
    found = preview(config(early_terminate=EarlyTermination(min_iter=3, eta=3.0)))
    assert found.bands[:3] == (3, 9, 27)


def test_a_command_that_cannot_be_built_is_a_problem_and_no_traceback() -> None:
    bare = SweepConfig(method=Method.GRID, parameters=(choice("x", 1),), program=None)
    found = preview(bare)
    assert found.argv == ()
    assert found.problem


def test_programs_start_here_or_beside_their_file(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    file = there / "sweep.yaml"
    assert working_directory(config(), file, here) == here
    (there / "t.py").touch()
    assert working_directory(config(), file, here) == there
    (here / "t.py").touch()
    assert working_directory(config(), file, here) == here
