"""The `parameters` section: names, groups and leaves, in the order in which W&B walks them.

Names are sorted within each group, groups and leaves together; one bad parameter never hides what is wrong
with the next.
"""

from __future__ import annotations

import re

from controller.domain.parameters import Distribution, Parameter, Space
from controller.domain.problems import Placed, ProblemList
from controller.domain.sweepfile.conditions import Path, with_conditions
from controller.domain.sweepfile.distributions import leaf
from controller.domain.sweepfile.items import Entry, Item, shown

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
"""W&B's schema for parameter names; others run, with a warning."""
_FINITE = (Distribution.CONSTANT, Distribution.CATEGORICAL, Distribution.INT_UNIFORM, Distribution.Q_UNIFORM)
"""What a grid can be made of."""
_NOT_A_PARAMETER = frozenset(
    {"method", "metric", "program", "command", "early_terminate", "run_cap", "project"}
)


def space_of(section: Item, problems: ProblemList, *, grid: bool = False) -> Space:
    """Return the readable leaves of a `parameters` section; with `grid`, note what a grid cannot walk."""
    reader = _Reader(problems)
    if not section.entries:
        problems.error(
            section,
            "parameters must be a mapping of at least one name"
            + (f", not {section.kind}" if section.value else "; it is empty"),
            "write for instance lr: {min: 0.001, max: 0.1} under parameters",
            key="parameters",
        )
        return ()
    reader.group(section.entries, (), ())
    reader.note_shared_names()
    if grid:
        reader.note_endless()
    return with_conditions(tuple(reader.leaves), reader.conditions, problems)


class _Reader:
    def __init__(self, problems: ProblemList) -> None:
        self._problems = problems
        self.leaves: list[Parameter] = []
        self.conditions: dict[Path, tuple[Item, ...]] = {}
        self._places: dict[Path, Placed] = {}

    def group(self, entries: dict[str, Entry], path: Path, when: tuple[Item, ...]) -> None:
        """Read one group's names in order."""
        for name in sorted(entries):
            self._named(entries[name], (*path, name), when)

    def _named(self, entry: Entry, path: Path, when: tuple[Item, ...]) -> None:
        key = ".".join(("parameters", *path))
        if not _NAME.fullmatch(entry.key):
            self._problems.warning(
                entry,
                f"{shown(entry.key)} is an odd name: letters, digits, `_`, `.` and `-` are safe everywhere",
                "it runs, if the program takes it",
                key=key,
            )
        item = entry.item
        if item.entries is None:
            self._note_no_specification(entry, key)
            return
        if (condition := item.get("when")) is not None:
            when = (*when, condition)
        inner = item.get("parameters")
        if inner is not None:
            self._nested(entry, inner, path, when)
        elif (parameter := leaf(path, item, self._problems)) is not None:
            self.leaves.append(parameter)
            self._places[path] = entry
            if when:
                self.conditions[path] = when

    def _nested(self, entry: Entry, inner: Item, path: Path, when: tuple[Item, ...]) -> None:
        key = ".".join(("parameters", *path))
        for other in (entry.item.entries or {}).values():
            if other.key not in ("parameters", "when"):
                self._problems.error(
                    other,
                    f"{shown(other.key)} cannot stand beside `parameters` in {entry.key}",
                    "move it under `parameters`, or remove it",
                    key=f"{key}.{other.key}",
                )
        if not inner.entries:
            message = f"parameters of {entry.key} must be a mapping of at least one name"
            self._problems.error(inner, message, "remove the group, or give it parameters", key=key)
        else:
            self.group(inner.entries, path, when)

    def _note_no_specification(self, entry: Entry, key: str) -> None:
        item, name = entry.item, entry.key
        if name in _NOT_A_PARAMETER:
            hint = f"{name} belongs to the left margin, beside parameters"
        elif item.items is not None:
            hint = f"write {name}: {{values: [...]}}"
        elif item.value is None:
            hint = "give value, values, or min and max, indented under the name"
        else:
            hint = f"write {name}: {{value: {item.value}}}"
        at: Placed = entry if item.value is None else item
        self._problems.error(at, f"{name} must say how it varies; it is {item.kind}", hint, key=key)

    def note_shared_names(self) -> None:
        """Warn where a dotted name and a nested group give two parameters one dotted path."""
        seen: dict[str, Path] = {}
        for parameter in self.leaves:
            if parameter.name in seen:
                message = f"two parameters are called {parameter.name}: one dotted, one nested"
                self._problems.warning(self._places[parameter.path], message, "rename one of them")
            seen[parameter.name] = parameter.path

    def note_endless(self) -> None:
        """Note each parameter of a grid that has no list of values."""
        for parameter in self.leaves:
            if parameter.distribution not in _FINITE:
                weighted = parameter.distribution is Distribution.CATEGORICAL_W_PROBABILITIES
                self._problems.error(
                    self._places[parameter.path],
                    f"a grid cannot walk {parameter.name}: {parameter.distribution} "
                    + ("weighs its values" if weighted else "has no finite list of values"),
                    "remove probabilities" if weighted else "give values: [...], or q_uniform with a q",
                    key=".".join(("parameters", *parameter.path)),
                )
