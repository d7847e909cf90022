"""What an installation without this tree must find beside the modules."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from tests.docs.tables import ROOT

PACKAGES = ("controller", "tui_sweeps")


def test_every_file_beside_the_modules_is_shipped() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    shipped = {
        path
        for package, patterns in declared.items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    needed = {
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert needed
    assert not needed - shipped, "name them in pyproject.toml under [tool.setuptools.package-data]"


def test_the_demo_is_the_example() -> None:
    shipped = files("tui_sweeps").joinpath("digits")
    names = {"config.yaml", "sweep_config.yaml", "train.py"}
    assert names <= {item.name for item in shipped.iterdir()}
    for name in names:
        assert shipped.joinpath(name).read_bytes() == (ROOT / "examples/digits" / name).read_bytes()
