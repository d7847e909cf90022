"""(+) `when: {other: value}`: a parameter that matters only for some values of another.

Names are dotted paths from the top; a name without a match there is looked for among the parameter's own
siblings.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec

from controller.domain.parameters import Distribution, Parameter, Space
from controller.domain.problems import ProblemList
from controller.domain.sweepfile.items import Item, shown
from controller.domain.sweepfile.scalars import nearest

Path = tuple[str, ...]
_Tables = tuple[dict[Path, Parameter], dict[str, Path]]
"""The space by path, and its paths by dotted name."""
_MAX_NEAR = 50
"""Names compared for a "did you mean"; comparing is slow."""
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
    names = {parameter.name: parameter.path for parameter in space}
    resolved: dict[Path, tuple[tuple[Path, tuple[Any, ...]], ...]] = {}
    for path, items in conditions.items():
        if path in known:
            pairs = [pair for item in items for pair in _pairs(path, item, (known, names), problems)]
            resolved[path] = tuple(dict(pairs).items())
    for path in _in_circles(resolved):
        at = conditions[path][0]
        problems.error(at, f"the conditions of {'.'.join(path)} lead back to itself", key=_key(path))
        resolved[path] = ()
    return tuple(msgspec.structs.replace(each, when=resolved.get(each.path, ())) for each in space)


def _key(path: Path) -> str:
    return ".".join(("parameters", *path, "when"))


def _pairs(
    path: Path, item: Item, tables: _Tables, problems: ProblemList
) -> list[tuple[Path, tuple[Any, ...]]]:
    if not item.entries:
        problems.error(
            item,
            f"{path[-1]}: when must be a mapping, not {item.kind}",
            "write when: {other: value}",
            key=_key(path),
        )
        return []
    known, names = tables
    pairs: list[tuple[Path, tuple[Any, ...]]] = []
    for entry in item.entries.values():
        other = _find(entry.key, path, names)
        if other is None or other == path:
            near = nearest(entry.key, [name for name in islice(names, _MAX_NEAR) if names[name] != path])
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


def _find(name: str, path: Path, names: dict[str, Path]) -> Path | None:
    return names.get(name) or names.get(".".join((*path[:-1], name)))


def _in_circles(resolved: dict[Path, tuple[tuple[Path, tuple[Any, ...]], ...]]) -> list[Path]:
    """Return the parameters that wait for themselves or for such: what peeling off the others leaves."""
    waits = {path: {other for other, _ in pairs if other in resolved} for path, pairs in resolved.items()}
    waited_for: dict[Path, list[Path]] = {}
    for path, others in waits.items():
        for other in others:
            waited_for.setdefault(other, []).append(path)
    free = [path for path, others in waits.items() if not others]
    while free:
        done = free.pop()
        del waits[done]
        for path in waited_for.get(done, ()):
            waits[path].discard(done)
            if not waits[path]:
                free.append(path)
    return list(waits)
