import math
import random

import pytest

from controller.domain.sweeps import EarlyTermination
from controller.search import Brackets, at_bands, bands


@pytest.mark.parametrize(
    ("early", "expected"),
    [
        (EarlyTermination(max_iter=27, s=2), (3, 9)),
        (EarlyTermination(max_iter=81, s=10), (1, 3, 9, 27)),
        (EarlyTermination(max_iter=10, s=2, eta=4), (2,)),
        (EarlyTermination(max_iter=27, s=2, min_iter=1), (3, 9)),
    ],
)
def test_bands_count_down_from_the_last_iteration(early, expected):
    assert bands(early) == expected


def test_bands_grow_from_the_first_iteration():
    assert bands(EarlyTermination(min_iter=3))[:4] == (3, 9, 27, 81)
    assert bands(EarlyTermination(min_iter=2, eta=1.5))[:4] == (2, 3, 4, 6)


def brackets(*, strict=False, minimize=True, **more):
    return Brackets(EarlyTermination(min_iter=2, eta=2, strict=strict, **more), minimize=minimize)


def test_first_run_at_a_band_is_never_stopped():
    verdict = brackets().add("a", [9.0, 8.0])
    assert verdict is not None
    assert (verdict.stop, verdict.band, verdict.value, verdict.threshold, verdict.n_at_band) == (
        False, 2, 8.0, 8.0, 1,
    )  # fmt: skip


def test_run_before_its_first_band_has_no_verdict():
    assert brackets().add("a", [9.0]) is None


def test_worse_than_the_threshold_stops_and_a_tie_goes_on():
    judge = brackets()
    for name, value in (("a", 1.0), ("b", 2.0), ("c", 3.0)):
        judge.add(name, [5.0, value])
    assert judge.add("tie", [5.0, 2.0]).stop is False
    worse = judge.add("worse", [5.0, 4.0])
    assert worse.stop
    assert worse.threshold == 2.0
    assert worse.n_at_band == 5


def test_strict_compares_the_value_at_the_band_and_otherwise_the_best_so_far():
    verdicts = {}
    for strict in (True, False):
        judge = brackets(strict=strict)
        judge.add("a", [5.0, 1.0])
        judge.add("b", [5.0, 1.0])
        verdicts[strict] = judge.add("c", [0.5, 4.0])
    assert verdicts[True].stop
    assert not verdicts[False].stop
    assert verdicts[False].value == 0.5


def test_maximised_metric_is_told_in_its_own_direction():
    judge = brackets(minimize=False)
    judge.add("a", [0.1, 0.9])
    judge.add("b", [0.1, 0.8])
    verdict = judge.add("c", [0.1, 0.2])
    assert verdict.stop
    assert (verdict.value, verdict.threshold) == (0.2, 0.8)


@pytest.mark.parametrize(("on_nan", "stop"), [("stop", True), ("worst", True), ("ignore", None)])
def test_value_that_is_no_number_counts_as_asked(on_nan, stop):
    judge = brackets(on_nan=on_nan, strict=True)
    for name in ("a", "b", "c"):
        judge.add(name, [1.0, 1.0])
    verdict = judge.add("d", [math.nan, math.nan])
    assert (None if verdict is None else verdict.stop) == stop


def test_brackets_are_the_same_point_by_point_at_once_and_from_what_was_kept():
    dice = random.Random(4)
    early = EarlyTermination(min_iter=1, eta=3, strict=True)
    curves = {f"r{i}": [dice.gauss(0, 1) for _ in range(dice.randint(1, 40))] for i in range(60)}
    slow, fast, kept = (Brackets(early, minimize=True) for _ in range(3))
    for name, values in curves.items():
        fast.add(name, values)
        kept.load(name, at_bands(values, kept.bands))
    for step in range(40):
        for name, values in curves.items():
            slow.add(name, values[step : step + 1])
    assert slow.thresholds() == fast.thresholds() == kept.thresholds()
    assert (
        [slow.judge(n) for n in curves] == [fast.judge(n) for n in curves] == [kept.judge(n) for n in curves]
    )


def test_removed_run_no_longer_counts():
    judge = brackets()
    judge.add("a", [1.0, 1.0])
    before = judge.thresholds()
    judge.add("b", [0.0, 0.0])
    judge.remove("b")
    assert judge.thresholds() == before
    assert judge.judge("b") is None
