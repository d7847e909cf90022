"""(+) `when: {other: value}`: a parameter that matters only for some values of another.

Names are dotted paths from the top; a name without a match there is looked for among the parameter's own
siblings.
"""

from __future__ import annotations

from typing import Any

import msgspec

from controller.domain.parameters import Distribution, Parameter, Space
from controller.domain.problems import ProblemList
from controller.domain.sweepfile.items import Item, shown
from controller.domain.sweepfile.scalars import nearest

Path = tuple[str, ...]
_DISCRETE = (
    Distribution.CONSTANT,
    Distribution.CATEGORICAL,
    Distribution.CATEGORICAL_W_PROBABILITIES,
    Distribution.INT_UNIFORM,
    Distribution.Q_UNIFORM,
)


def with_conditions(space: Space, conditions: dict[Path, tuple[Item, ...]], problems: ProblemList) -> Space:
    """Return the space with each leaf's `when` resolved to paths of other leaves.

    `conditions` holds the `when` items that stand on a leaf and on the groups around it.
    """
    known = {parameter.path: parameter for parameter in space}
    resolved: dict[Path, tuple[tuple[Path, tuple[Any, ...]], ...]] = {}
    for path, items in conditions.items():
        if path in known:
            pairs = [pair for item in items for pair in _pairs(path, item, known, problems)]
            resolved[path] = tuple(dict(pairs).items())
    for path in resolved:
        if _returns(path, resolved):
            at = conditions[path][0]
            problems.error(at, f"the conditions of {'.'.join(path)} lead back to itself", key=_key(path))
            resolved[path] = ()
    return tuple(msgspec.structs.replace(each, when=resolved.get(each.path, ())) for each in space)


def _key(path: Path) -> str:
    return ".".join(("parameters", *path, "when"))


def _pairs(
    path: Path, item: Item, known: dict[Path, Parameter], problems: ProblemList
) -> list[tuple[Path, tuple[Any, ...]]]:
    if not item.entries:
        problems.error(
            item,
            f"{path[-1]}: when must be a mapping, not {item.kind}",
            "write when: {other: value}",
            key=_key(path),
        )
        return []
    pairs: list[tuple[Path, tuple[Any, ...]]] = []
    for entry in item.entries.values():
        other = _find(entry.key, path, known)
        if other is None or other == path:
            near = nearest(
                entry.key, [parameter.name for parameter in known.values() if parameter.path != path]
            )
            message = f"{path[-1]}: when names {shown(entry.key)}, which is no other parameter"
            problems.error(entry, message, f"did you mean {near}?" if near else "", key=_key(path))
            continue
        values = tuple(entry.item.value) if entry.item.items is not None else (entry.item.value,)
        if _takes(known[other], values, entry.item, path, problems):
            pairs.append((other, values))
    return pairs


def _takes(other: Parameter, values: tuple[Any, ...], at: Item, path: Path, problems: ProblemList) -> bool:
    if other.distribution not in _DISCRETE or not values:
        message = f"{path[-1]}: when needs values of a parameter with a list of values or whole numbers"
        problems.error(at, message, f"{other.name} is {other.distribution}" if values else "", key=_key(path))
        return False
    if other.values:
        never = [value for value in values if not any(_same(value, each) for each in other.values)]
        if never:
            message = f"{path[-1]}: {other.name} never has the value {never[0]!r}"
            problems.warning(at, message, f"its values are {list(other.values)!r:.80}", key=_key(path))
    return True


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def _find(name: str, path: Path, known: dict[Path, Parameter]) -> Path | None:
    by_name = {parameter.name: parameter.path for parameter in known.values()}
    return by_name.get(name) or by_name.get(".".join((*path[:-1], name)))


def _returns(start: Path, resolved: dict[Path, tuple[tuple[Path, tuple[Any, ...]], ...]]) -> bool:
    waiting, seen = [start], set[Path]()
    while waiting:
        for other, _ in resolved.get(waiting.pop(), ()):
            if other == start:
                return True
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return False
