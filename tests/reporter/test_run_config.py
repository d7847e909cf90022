"""Where a script's config comes from, and which source wins."""

from __future__ import annotations

import copy
import json
import pickle
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tui_sweeps

Report = Callable[[], list[dict[str, Any]]]


def test_config_is_a_mapping_and_has_attributes(report: Report) -> None:
    config = tui_sweeps.init().config
    assert config.lr == config["lr"] == 0.5
    assert config.net.depth == config["net"]["depth"] == 2
    assert dict(config.net) == {"depth": 2}
    assert config.get("missing", 7) == 7
    with pytest.raises(AttributeError, match="no 'missing'"):
        _ = config.missing


def test_config_can_be_written_copied_and_sent_to_another_process(report: Report) -> None:
    config = tui_sweeps.init().config
    plain = {"lr": 0.5, "net": {"depth": 2}}
    assert json.loads(json.dumps(config)) == plain
    assert copy.deepcopy(config) == pickle.loads(pickle.dumps(config)) == plain
    assert {**config} == plain


def test_sweep_value_wins_over_code_and_code_over_file(report: Report, tmp_path: Path) -> None:
    (tmp_path / "config-defaults.yaml").write_text("lr: {value: 9}\nepochs: 3\nbatch:\n  value: 8\n")
    config = tui_sweeps.init(config={"lr": 1, "epochs": 5}).config
    assert (config.lr, config.epochs, config.batch) == (0.5, 5, 8)


def test_code_may_add_and_never_overwrite(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    config = tui_sweeps.init().config
    config.update({"lr": 1, "seed": 3}, allow_val_change=True)
    config.extra = 4
    assert (config.lr, config.seed, config.extra) == (0.5, 3, 4)
    assert "'lr'" in capsys.readouterr().err
    assert [r["values"] for r in report()] == [{"seed": 3}, {"extra": 4}]


def test_config_may_be_a_namespace(report: Report) -> None:
    assert tui_sweeps.init(config=Namespace(epochs=2)).config.epochs == 2


def test_config_of_another_kind_is_a_warning(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    assert tui_sweeps.init(config=3).config.lr == 0.5
    assert "int" in capsys.readouterr().err


def test_param_file_of_wandb_is_read_without_our_agent(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUI_SWEEPS_CONFIG")
    path = tmp_path / "params.yaml"
    path.write_text("wandb_version: 1\nlr: {value: 0.25}\nnet: {value: {depth: 3}}\n")
    monkeypatch.setenv("WANDB_SWEEP_PARAM_PATH", str(path))
    config = tui_sweeps.init().config
    assert config.as_dict() == {"lr": 0.25, "net": {"depth": 3}}


@pytest.mark.parametrize("text", ["[1, 2]", "{", "", "\x00"])
def test_broken_file_is_never_an_error(report: Report, tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    (tmp_path / "config.yaml").write_text(text)
    assert tui_sweeps.init(config={"a": 1}).config.a == 1
