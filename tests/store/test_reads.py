from __future__ import annotations

import math
import threading

import pytest

from controller.domain.changes import NoteAdded
from controller.domain.queries import (
    Attempts,
    Curves,
    GetAttempts,
    GetCurves,
    GetHistory,
    GetLog,
    GetNotes,
    History,
    Log,
    Notes,
    NotFound,
)
from controller.domain.runs import Point
from controller.store import Store, StoreError, rows
from tests.store.scene import Scene, a_scene, console, points, steps

RUN = "run00001"


def kept(store: Store, scene: Scene) -> Store:
    store.commit(scene.delta()).result()
    return store


def history(store: Store, **query: object) -> tuple[Point, ...]:
    answer = store.ask(GetHistory(run_id=RUN, **query))  # type: ignore[arg-type]
    assert isinstance(answer, History)
    return answer.points


def curve(store: Store, key: str = "loss", n_columns: int = 200) -> list[tuple[float, float]]:
    answer = store.ask(GetCurves(run_ids=(RUN,), key=key, n_columns=n_columns))
    assert isinstance(answer, Curves)
    return list(answer.curves[RUN])


def log(store: Store, **query: object) -> Log:
    answer = store.ask(GetLog(run_id=RUN, **query))  # type: ignore[arg-type]
    assert isinstance(answer, Log)
    return answer


def three_attempts() -> Scene:
    """Attempts that went to steps 9, 7 and 11, resuming at 1, 6 and 4."""
    scene = a_scene(n_attempts=3)
    scene.tell(records=[steps(1, 1, 10), steps(2, 6, 8), steps(3, 4, 12)])
    return scene


def test_history_replaces_earlier_rows_from_a_later_attempts_first_step(store: Store) -> None:
    found = [point.values["loss"] for point in history(kept(store, three_attempts()))]
    assert found == [1.1, 2.1, 3.1, *(n + 0.3 for n in range(4, 12))]


@pytest.mark.parametrize("after", range(13))
@pytest.mark.parametrize("limit", [0, 1, 2, 5])
def test_history_in_pieces_is_a_slice_of_the_whole(store: Store, after: int, limit: int) -> None:
    kept(store, three_attempts())
    whole = history(store)
    assert history(store, after=after, limit=limit) == whole[after : after + limit if limit else None]


@pytest.mark.parametrize(("first", "last"), [(None, 5), (3, None), (2, 8), (6, 5), (-5, 2**80)])
def test_history_between_two_steps_is_cut_out_of_the_whole(
    store: Store, first: int | None, last: int | None
) -> None:
    kept(store, three_attempts())
    wanted = range(0 if first is None else first, (12 if last is None else last) + 1)
    cut = tuple(point for point in history(store) if point.step in wanted)
    assert history(store, first_step=first, last_step=last) == cut
    assert history(store, first_step=first, last_step=last, after=1, limit=2) == cut[1:3]


def test_history_keeps_only_the_asked_keys(store: Store) -> None:
    scene = a_scene()
    values = {"a": 1, "b.c": 2, "d": {"e": 3}, "f": None}
    scene.tell(records=[points(1, Point(1, 1, 0.0, values), Point(2, 2, 0.0, {"z": 1}))])
    found = history(kept(store, scene), keys=("b.c", "d.e", "f"))
    assert [point.values for point in found] == [{"b.c": 2, "d.e": 3, "f": None}, {}]


def test_unknown_runs_are_not_found(store: Store) -> None:
    for query in (GetHistory(run_id="x"), GetLog(run_id="x"), GetAttempts(run_id="\ud800")):
        assert isinstance(store.ask(query), NotFound)
    assert store.ask(GetCurves(run_ids=("x",), key="loss")) == Curves(key="loss", curves={"x": ()})


def test_attempts_come_in_their_order(store: Store) -> None:
    answer = kept(store, three_attempts()).ask(GetAttempts(run_id=RUN))
    assert isinstance(answer, Attempts)
    assert [attempt.number for attempt in answer.attempts] == [1, 2, 3]


def test_a_short_curve_is_whole(store: Store) -> None:
    kept(store, three_attempts())
    assert curve(store) == [(float(point.step), point.values["loss"]) for point in history(store)]


def test_a_thinned_curve_keeps_every_spike(store: Store) -> None:
    scene = a_scene()
    spikes = {777: 50.0, 5_000: -50.0, 9_999: 70.0}
    scene.tell(
        records=[points(1, *(Point(n, 2 * n, 0.0, {"loss": spikes.get(n, 1 / n)}) for n in range(1, 10_000)))]
    )
    found = curve(kept(store, scene), n_columns=100)
    assert 100 <= len(found) <= 300
    assert found == sorted(found)
    for n, value in spikes.items():
        assert (2.0 * n, value) in found


def test_a_curve_that_is_followed_equals_one_read_anew(store: Store) -> None:
    """Remembered columns must not differ from what is on disk, while lines and attempts are added."""
    scene = a_scene(n_attempts=2)
    for low in range(1, 3_000, 130):
        scene.tell(records=[steps(1, low, low + 130)])
        followed = curve(kept(store, scene), n_columns=20)
        store._thinner.__init__()  # type: ignore[misc]
        assert curve(store, n_columns=20) == followed
    scene.tell(records=[steps(2, 500, 510)])
    assert max(curve(kept(store, scene), n_columns=20)) == (509.0, 509.2)


@pytest.mark.parametrize("n_columns", [3, 1_000])
@pytest.mark.parametrize("key", ["v.acc", "odd\"'key", "ünï", "loss"])
def test_a_curve_counts_what_is_a_finite_number(store: Store, key: str, n_columns: int) -> None:
    odd = [1, 2.5, math.nan, math.inf, -math.inf, True, "7", None, 10**400, [3], 2**70]
    scene = a_scene()
    nested = [{"v": {"acc": value}, "odd\"'key": value, "ünï": value, "loss": value} for value in odd * 20]
    scene.tell(records=[points(1, *(Point(n, n, 0.0, values) for n, values in enumerate(nested, 1)))])
    assert {value for _, value in curve(kept(store, scene), key, n_columns)} == (
        {1.0, float(2**70)} if n_columns == 3 else {1.0, 2.5, float(2**70)}
    )


def test_a_flat_name_with_a_dot_goes_before_a_nested_one(store: Store) -> None:
    scene = a_scene()
    rows = [
        {"v.acc": 1.0, "v": {"acc": 2.0}},
        {"v.acc": None, "v": {"acc": 3.0}},
        {"v.acc": "x", "v": {"acc": 4.0}},
    ]
    scene.tell(records=[points(1, *(Point(n, n, 0.0, values) for n, values in enumerate(rows, 1)))])
    assert curve(kept(store, scene), "v.acc") == [(1.0, 1.0), (2.0, 3.0)]


def test_console_lines_are_rewritten_by_their_number(store: Store) -> None:
    scene = a_scene()
    scene.tell(records=[console(1, 0, "start", "10 %"), console(1, 1, "20 %", "end")])
    assert log(kept(store, scene)) == Log(run_id=RUN, first=0, lines=("start", "20 %", "end"), n_lines=3)


@pytest.mark.parametrize(
    ("first", "limit", "expected"),
    [(0, 2, (0, "0", "1")), (3, 9, (3, "3", "4")), (-2, 9, (3, "3", "4")), (-99, 1, (0, "0")), (7, 9, (7,))],
)
def test_a_log_is_read_from_either_end(
    store: Store, first: int, limit: int, expected: tuple[object, ...]
) -> None:
    scene = a_scene()
    scene.tell(records=[console(1, 0, *"01234")])
    found = log(kept(store, scene), first=first, limit=limit)
    assert (found.first, *found.lines) == expected
    assert found.n_lines == 5


def test_a_log_is_the_latest_attempts_unless_asked_otherwise(store: Store) -> None:
    scene = a_scene(n_attempts=2)
    scene.tell(records=[console(1, 0, "first"), console(2, 0, "second")])
    kept(store, scene)
    assert log(store).lines == ("second",)
    assert log(store, attempt=1).lines == ("first",)
    assert isinstance(store.ask(GetLog(run_id=RUN, attempt=3)), NotFound)


def test_a_flood_keeps_its_beginning_and_its_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "N_HEAD_LINES", 10)
    monkeypatch.setattr(rows, "N_TAIL_LINES", 20)
    for first in range(0, 100, 25):
        scene = a_scene()
        scene.tell(records=[console(1, first, *map(str, range(first, first + 25)))])
        kept(store, scene)
    assert log(store).lines == tuple(map(str, range(10)))
    assert log(store, first=10) == Log(
        run_id=RUN, first=80, lines=tuple(map(str, range(80, 100))), n_lines=100
    )


def test_notes_are_the_newest_of_what_was_asked_for(store: Store) -> None:
    scene = a_scene()
    scene.tell(*(NoteAdded(at=float(n), actor="me", text=str(n), sweep_id="ab"[n % 2]) for n in range(10)))
    answer = kept(store, scene).ask(GetNotes(sweep_id="b", limit=3))
    assert isinstance(answer, Notes)
    assert [note.text for note in answer.notes] == ["5", "7", "9"]


def test_many_threads_may_ask_while_commits_go_on(store: Store) -> None:
    wrong: list[object] = []
    done = threading.Event()

    def ask() -> None:
        n_seen = 0
        while not done.is_set():
            n_found = len(history(store))
            if n_found < n_seen or n_found % 7:
                wrong.append((n_seen, n_found))
            n_seen = n_found

    kept(store, a_scene())
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(30):
        scene = a_scene()
        scene.tell(records=[steps(1, 1 + 7 * n, 8 + 7 * n)])
        kept(store, scene)
        assert len(history(store)) == 7 * n + 7
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.load()
    assert isinstance(store.commit(a_scene().delta()).exception(), StoreError)
    assert isinstance(store.probe().exception(), StoreError)
