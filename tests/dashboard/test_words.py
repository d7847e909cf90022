"""Effects, notices, choices, commands, drafts, keys: plain functions of the dashboard."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from controller.domain.changes import RunStateSet, SweepStateSet
from controller.domain.states import RunState, SweepState, Verb
from controller.domain.world import World
from tests import scenes
from tui_sweeps.app.notices import terminal_notification
from tui_sweeps.keys import ALL, KEYS, KeymapError, footer_of, keys_of, read_keymap
from tui_sweeps.model import Model
from tui_sweeps.views.agents import AgentRows, is_silent
from tui_sweeps.views.choice import Choice
from tui_sweeps.views.commands import Typed, complete, find_run, find_sweep, understand
from tui_sweeps.views.drafts import complete_path, diff_text, draft_of, source_of
from tui_sweeps.views.effects import (
    Effect,
    Impossible,
    active_runs,
    agents_effect,
    retry_effect,
    stop_effect,
    verb_effect,
)
from tui_sweeps.views.herald import BURST_N, Herald
from tui_sweeps.views.runs import RunRows
from tui_sweeps.views.tally import Sums
from tui_sweeps.widgets.columns import Column, Geometry

SWEEP = "d1g1ts00"


def world() -> World:
    return World(scenes.digits().facts)


# ---------------------------------------------------------------------- effects


@pytest.mark.parametrize("verb", [Verb.STOP, Verb.CANCEL])
def test_what_ends_a_sweep_stands_on_no(verb: Verb) -> None:
    effect = verb_effect(world(), SWEEP, verb, scenes.NOW)
    assert isinstance(effect, Effect)
    assert effect.grave


def test_cancel_says_its_price_in_numbers() -> None:
    effect = verb_effect(world(), SWEEP, Verb.CANCEL, scenes.NOW)
    assert isinstance(effect, Effect)
    assert effect.lines[0] == "Kills 2 runs, 9s of run time so far, on 2 hosts."


def test_price_and_tally_are_in_gpu_hours_where_runs_have_gpus() -> None:
    seen = world()
    active = active_runs(seen, SWEEP)
    for run in active:
        seen.runs[run.id] = replace(run, n_gpus=4, started_at=scenes.NOW - 1800)
    effect = verb_effect(seen, SWEEP, Verb.CANCEL, scenes.NOW)
    assert isinstance(effect, Effect)
    assert effect.lines[0] == "Kills 2 runs, 4.0 GPU-hours so far, on 2 hosts."
    sums = Sums(seen, SWEEP)
    assert sums.numbers().gpu_s(scenes.NOW) == pytest.approx(4 * 3600)
    seen.runs[active[0].id] = replace(
        seen.runs[active[0].id], state=RunState.FINISHED, ended_at=scenes.NOW - 900
    )
    sums.touch({active[0].id})
    assert sums.numbers().gpu_s(scenes.NOW) == pytest.approx(3 * 3600)


def test_illegal_verb_says_what_is_possible_instead() -> None:
    effect = verb_effect(world(), "bayes001", Verb.PAUSE, scenes.NOW)
    assert isinstance(effect, Impossible)
    assert "possible: resume" in effect.reason


def test_gone_sweep_and_ended_runs_cannot_be_acted_on() -> None:
    assert isinstance(verb_effect(world(), "nobody", Verb.STOP, scenes.NOW), Impossible)
    assert isinstance(stop_effect(world(), ["r0000001"], scenes.NOW), Impossible)
    assert isinstance(retry_effect(world(), ["r0000001"]), Impossible)
    assert isinstance(agents_effect(world(), ["nobody"], True, scenes.NOW), Impossible)


def test_retry_leaves_out_what_finished_and_says_so() -> None:
    effect = retry_effect(world(), ["r0000001", "r0000011", "r0000035"])
    assert isinstance(effect, Effect)
    assert "2 chosen runs left out" in effect.lines[1]


# ---------------------------------------------------------------------- notices


def test_herald_tells_best_end_and_burst_but_not_what_it_meets_first() -> None:
    here, herald = world(), Herald()
    assert herald.hear(here, [SWEEP], 0.0) == []
    best = here.best_of[SWEEP]
    assert best is not None
    here.runs["r0000001"] = replace(here.runs["r0000001"], best=0.999)
    here.best_of[SWEEP] = "r0000001"
    assert [one.text for one in herald.hear(here, [SWEEP], 1.0)] == ["digits-grid: new best 0.999"]
    here.runs["r0000001"] = replace(here.runs["r0000001"], best=0.9999)
    assert herald.hear(here, [SWEEP], 2.0) == [], "a search that improves fast rings once a minute"
    here.counts_of[SWEEP] += Counter({RunState.FAILED: BURST_N})
    assert "failures within a minute" in herald.hear(here, [SWEEP], 3.0)[0].text
    here.evolve([SweepStateSet(sweep_id=SWEEP, state=SweepState.FINISHED, cause="", at=scenes.NOW)])
    assert [one.text for one in herald.hear(here, [SWEEP], 4.0)] == ["digits-grid is finished"]


def test_slow_failures_are_no_burst() -> None:
    here, herald = world(), Herald()
    herald.hear(here, [SWEEP], 0.0)
    for n in range(3 * BURST_N):
        here.counts_of[SWEEP][RunState.FAILED] += 1
        assert herald.hear(here, [SWEEP], 30.0 * n) == []


def test_notification_is_one_sequence_whatever_the_name_holds() -> None:
    sequence = terminal_notification("a\x07b\x1b]52;c;x\x07; best", tmux=False)
    assert sequence.startswith("\x1b]9;")
    assert sequence.count("\x07") == 1
    assert sequence.count("\x1b") == 1


# ---------------------------------------------------------------------- choices


def choice(sort: str = "") -> Choice:
    rows = RunRows(_model(), SWEEP)
    shown = [column.key for column in rows.columns()]
    return Choice(rows.all_columns(), shown, shown, sort)


def _model() -> Model:
    model = Model()
    model.take(scenes.digits())
    return model


def test_choice_turns_moves_and_goes_back_to_the_views_own() -> None:
    one = choice()
    assert one.chosen() == []
    one.turn("summary.val_loss")
    one.move("summary.val_loss", -100)
    assert one.chosen()[:2] == ["run", "summary.val_loss"]
    one.turn("run")
    assert one.chosen()[0] == "run", "the sticky column stays"
    one.reset()
    assert one.chosen() == []


def test_choice_sorts_by_several_columns_each_up_down_not() -> None:
    one = choice("-best")
    one.sort("state")
    assert one.sort_text() == "-best,state"
    one.sort("state")
    one.sort("best")
    assert one.sort_text() == "-state"
    assert one.sort_sign("state") == "▼1"


def test_choice_finds_by_words() -> None:
    assert [column.key for column in choice().find("loss summary")] == ["summary.val_loss"]


def test_geometry_counts_columns_out_of_sight() -> None:
    geometry = Geometry([Column("a", "a", 5, fixed=True), *(Column(n, n, 9) for n in "bcde")], marks=False)
    assert geometry.n_out_of_sight(0, 100) == (0, 0)
    assert geometry.n_out_of_sight(0, 26) == (0, 2)
    assert geometry.n_out_of_sight(10, 26) == (1, 1)


# ---------------------------------------------------------------------- commands


def test_commands_are_understood_by_name_by_beginning_and_by_id() -> None:
    pause = understand("pau", "sweeps")
    assert isinstance(pause, Typed)
    assert pause.key is not None
    assert pause.key.id == "pause"
    assert understand("stop-run", "runs") == understand("stop_run", "runs")
    assert understand(":runs state:failed", "runs") == Typed("runs", "state:failed")
    assert "there is no command xyzzy" in str(understand("xyzzy", "runs"))
    assert "run needs words" in str(understand("run", "sweeps"))


@pytest.mark.parametrize("view", sorted(ALL))
def test_every_action_of_a_view_is_reached_by_its_name(view: str) -> None:
    for key in keys_of(view):
        if key.id not in ("command", "now"):
            typed = understand(key.id, view)
            assert isinstance(typed, Typed), typed
            assert typed.key is not None or typed.name == "sweeps"


def test_completion_offers_names_fields_and_words() -> None:
    here = world()
    assert complete("sweep dig", "sweeps", here, (), ()) == ["sweep digits-grid"]
    assert complete("runs state:failed le", "runs", here, (), ["learning_rate"]) == [
        "runs state:failed learning_rate:"
    ]
    assert "pause" in complete("pa", "sweeps", here, (), ())
    assert find_sweep(here, "digits") == SWEEP
    assert find_run(here, SWEEP, "36") == "r0000036"
    assert find_run(here, None, "36") is None


# ---------------------------------------------------------------------- drafts


def test_draft_says_line_and_column_and_an_unusable_path_says_why(tmp_path: Path) -> None:
    draft = draft_of("program: x.py\nmethod: gird\nparameters: {a: {value: 1}}\n", None)
    assert not draft.is_good
    assert (2, 9) in [(problem.line, problem.column) for problem in draft.problems]
    for path, word in ((tmp_path, "directory"), (tmp_path / "nothing.yaml", "no file")):
        with pytest.raises(ValueError, match=word):
            source_of(path)


def test_paths_are_completed_to_yaml_files_and_directories(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "two.yml").write_text("")
    for name in ("one.yaml", "other.txt", ".hidden.yaml"):
        (tmp_path / name).write_text("")
    assert complete_path("", tmp_path) == ["one.yaml", "deep/"]
    assert complete_path("deep/", tmp_path) == ["deep/two.yml"]
    assert complete_path("nowhere/", tmp_path) == []
    assert complete_path("~nobody-of-this-name/", tmp_path) == []


def test_difference_shows_what_changed() -> None:
    assert "-lr: 1" in diff_text("a: 1\nlr: 1\n", "a: 1\nlr: 2\n").plain


# ---------------------------------------------------------------------- agents and keys


def test_silent_is_a_mark_on_a_live_agent_and_never_a_state() -> None:
    here = world()
    agent = here.agents["agent1"]
    assert not is_silent(here, agent, scenes.NOW)
    assert is_silent(here, agent, scenes.NOW + 600)
    model = _model()
    cell = AgentRows(model, SWEEP).cell("agent1", "state", scenes.NOW + 600)
    assert cell.text == "? active"
    here.evolve([RunStateSet(run_id="r0000035", state=RunState.FINISHED, at=scenes.NOW)])
    assert AgentRows(model, SWEEP).cell("agent1", "share", scenes.NOW).text.strip() == "6%"


@pytest.mark.parametrize("view", sorted(ALL))
def test_no_key_of_a_view_means_two_things(view: str) -> None:
    keys = [one.strip() for key in keys_of(view) if key.id != "now" for one in key.keys.split(",")]
    assert sorted(set(keys)) == sorted(keys)


def test_keys_to_avoid_are_never_the_only_way() -> None:
    for key in KEYS:
        ways = [one.strip() for one in key.keys.split(",")]
        assert not all(one in ("ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q") for one in ways), key
        assert not all(one.startswith(("alt+", "f1")) for one in ways), key


@pytest.mark.parametrize("view", sorted(ALL))
def test_footer_keeps_help_and_the_ways_out(view: str) -> None:
    assert {"help", "detach", "quit"} <= {key.id for key in footer_of(view)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[keys]\nnothing = 'x'\n", "keys.toml:2: there is no action 'nothing'"),
        ("[keys]\n\npause = 3\n", "keys.toml:3: the key of 'pause'"),
        ("[keys]\npause = 'r'\n", "keys.toml:2: r of 'pause' is already"),
        ("pause = 'r'\n", "one table"),
        ("[keys\n", "keys.toml"),
    ],
)
def test_wrong_keymap_names_the_line(text: str, said: str) -> None:
    with pytest.raises(KeymapError) as error:
        read_keymap(text)
    assert said in str(error.value)


def test_keymap_takes_signs_and_several_keys() -> None:
    assert read_keymap('[keys]\nfilter = "/,ctrl+f"\n') == {"filter": "slash,ctrl+f"}
