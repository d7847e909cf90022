"""One parameter's specification: which distribution its keys mean, and whether its numbers make one.

The table says for each distribution which keys it needs and allows, as W&B's schema does; everything else
is checking numbers and finding words for what is wrong.

Source: `sweeps` 0.3.0, schema definitions `param_*` and `fill_parameter`.
"""

from __future__ import annotations

import math
from typing import Any

from msgspec import Struct

from controller.domain.parameters import Distribution, Parameter
from controller.domain.problems import ProblemList
from controller.domain.sweepfile.items import Item, shown
from controller.domain.sweepfile.ranges import numeric
from controller.domain.sweepfile.scalars import is_number, nearest, note_surprises, number

_RANGE = ("min", "max")


class _Form(Struct, frozen=True):
    needs: tuple[str, ...]
    may: tuple[str, ...] = ()


_D = Distribution
_FORMS: dict[Distribution, _Form] = {
    _D.CONSTANT: _Form(("value",)),
    _D.CATEGORICAL: _Form(("values",)),
    _D.CATEGORICAL_W_PROBABILITIES: _Form(("values", "probabilities")),
    _D.INT_UNIFORM: _Form(_RANGE),
    _D.UNIFORM: _Form(_RANGE),
    _D.Q_UNIFORM: _Form(_RANGE, ("q",)),
    _D.LOG_UNIFORM: _Form(_RANGE),
    _D.Q_LOG_UNIFORM: _Form(_RANGE, ("q",)),
    _D.INV_LOG_UNIFORM: _Form(_RANGE),
    _D.LOG_UNIFORM_VALUES: _Form(_RANGE),
    _D.Q_LOG_UNIFORM_VALUES: _Form(_RANGE, ("q",)),
    _D.INV_LOG_UNIFORM_VALUES: _Form(_RANGE),
    _D.NORMAL: _Form((), ("mu", "sigma")),
    _D.Q_NORMAL: _Form((), ("mu", "sigma", "q")),
    _D.LOG_NORMAL: _Form((), ("mu", "sigma")),
    _D.Q_LOG_NORMAL: _Form((), ("mu", "sigma", "q")),
    _D.BETA: _Form((), ("a", "b")),
    _D.Q_BETA: _Form((), ("a", "b", "q")),
}
SPECIFICATION_KEYS = frozenset(
    {"distribution", "parameters", "when"}
    | {key for form in _FORMS.values() for key in form.needs + form.may}
)
_SYNONYMS = {
    "lognormal": "log_normal",
    "loguniform": "log_uniform_values",
    "log": "log_uniform_values",
    "choice": "categorical",
    "int": "int_uniform",
    "float": "uniform",
}


def leaf(path: tuple[str, ...], item: Item, problems: ProblemList) -> Parameter | None:
    """Return the parameter a specification means, or None after noting why it means none."""
    key = ".".join(("parameters", *path))
    distribution = _distribution(item, path[-1], problems, key)
    if distribution is None or not _keys_fit(item, distribution, path[-1], problems, key):
        return None
    form = _FORMS[distribution]
    if form.needs == ("value",):
        value = item.get("value") or Item(None)
        note_surprises(value, path[-1], problems, key=key)
        return Parameter(path=path, distribution=distribution, values=(value.value,))
    if "values" in form.needs:
        return _categorical(path, distribution, item, problems, key)
    return numeric(path, distribution, item, form.needs + form.may, problems)


def _distribution(item: Item, name: str, problems: ProblemList, key: str) -> Distribution | None:
    given = item.get("distribution")
    if given is not None:
        if isinstance(given.value, str) and given.value in set(Distribution):
            return Distribution(given.value)
        word = str(given.value)
        near = _SYNONYMS.get(word.lower()) or nearest(word, Distribution)
        problems.error(
            given,
            f"{name} has no known distribution: {given.kind}",
            f"did you mean {near}?" if near else "for instance uniform, int_uniform or log_uniform_values",
            key=f"{key}.distribution",
        )
        return None
    if item.get("value") is not None:
        return Distribution.CONSTANT
    if item.get("values") is not None:
        return (
            Distribution.CATEGORICAL_W_PROBABILITIES
            if item.get("probabilities")
            else Distribution.CATEGORICAL
        )
    low, high = item.get("min"), item.get("max")
    if low is not None and high is not None:
        whole = type(low.value) is int and type(high.value) is int
        return Distribution.INT_UNIFORM if whole else Distribution.UNIFORM
    if low is not None or high is not None:
        there, missing = ("min", "max") if low is not None else ("max", "min")
        problems.error(item, f"{name} has {there} but no {missing}", f"add {missing}", key=key)
    else:
        _note_no_form(item, name, problems, key)
    return None


def _note_no_form(item: Item, name: str, problems: ProblemList, key: str) -> None:
    entries = item.entries or {}
    if not entries:
        problems.error(
            item, f"{name} says nothing about its values", "give value, values, or min and max", key=key
        )
        return
    first = next(iter(entries.values()))
    if all(entry.item.entries is not None for entry in entries.values()):
        problems.error(
            first,
            f"{name} holds {shown(first.key)}, which is no key of a parameter",
            f"to nest parameters write `parameters:` under {name}",
            key=key,
        )
    else:
        near = nearest(first.key, SPECIFICATION_KEYS)
        hint = f"did you mean {near}?" if near else "give value, values, or min and max"
        problems.error(first, f"{name} has no value, values, or min and max", hint, key=key)


def _keys_fit(item: Item, distribution: Distribution, name: str, problems: ProblemList, key: str) -> bool:
    form = _FORMS[distribution]
    allowed = {"distribution", "when", *form.needs, *form.may}
    fits = True
    for missing in (need for need in form.needs if item.get(need) is None):
        fits = False
        hint = f"add {missing}"
        if missing == "values" and item.get("value") is not None:
            hint = "write values: [...] for a choice, or distribution: constant"
        problems.error(item, f"{name}: {distribution} needs {missing}", hint, key=key)
    for entry in (item.entries or {}).values():
        if entry.key in allowed:
            continue
        fits = False
        problems.error(
            entry,
            f"{name}: {shown(entry.key)} is no key of {distribution}",
            _misplaced(entry.key, entry.item, name, allowed),
            key=f"{key}.{entry.key}",
        )
    return fits


def _misplaced(key: str, item: Item, name: str, allowed: set[str]) -> str:
    if item.entries is not None and key != "parameters":
        return f"is it a parameter of its own, indented too deep under {name}?"
    if key == "probabilities":
        return "write distribution: categorical_w_probabilities"
    if key in SPECIFICATION_KEYS:
        return f"remove it, or choose another distribution (this one takes {', '.join(sorted(allowed))})"
    near = nearest(key, allowed)
    return f"did you mean {near}?" if near else "remove it"


def _categorical(
    path: tuple[str, ...], distribution: Distribution, item: Item, problems: ProblemList, key: str
) -> Parameter | None:
    name, values = path[-1], item.get("values")
    if values is None or values.items is None:
        at = values or item
        plain = at.entries is None and at.value is not None
        hint = f"write value: {at.value} or values: [{at.value}]" if plain else "write values: [a, b, c]"
        problems.error(at, f"{name}: values must be a list, not {at.kind}", hint, key=f"{key}.values")
        return None
    if not values.items:
        problems.error(
            values, f"{name}: values is an empty list", "give at least one value", key=f"{key}.values"
        )
        return None
    note_surprises(values, name, problems, key=f"{key}.values")
    _note_duplicates(values, name, problems, f"{key}.values")
    shares: tuple[float, ...] | None = ()
    if distribution is Distribution.CATEGORICAL_W_PROBABILITIES:
        shares = _probabilities(item.get("probabilities") or item, len(values.items), name, problems, key)
    if shares is None:
        return None
    return Parameter(path=path, distribution=distribution, values=tuple(values.value), probabilities=shares)


def _note_duplicates(values: Item, name: str, problems: ProblemList, key: str) -> None:
    seen: set[str] = set()
    for each in values.items or ():
        same = _identity(each.value)
        if same in seen:
            problems.warning(each, f"{name}: {each.kind} is listed twice", "a grid counts it once", key=key)
        seen.add(same)


def _identity(value: Any) -> str:
    """Return a text equal for equal values: 3 and 3.0 are the same, true and 1 are not."""
    return repr(float(value)) if isinstance(value, int) and is_number(value) else repr(value)


def _probabilities(
    item: Item, n_values: int, name: str, problems: ProblemList, key: str
) -> tuple[float, ...] | None:
    key = f"{key}.probabilities"
    if item.items is None:
        problems.error(item, f"{name}: probabilities must be a list, not {item.kind}", key=key)
        return None
    shares = [number(each, f"{name}: each probability", problems, key=key) for each in item.items]
    if len(shares) != n_values:
        problems.error(item, f"{name} has {n_values} values but {len(shares)} probabilities", key=key)
        return None
    known = [float(share) for share in shares if share is not None]
    if len(known) < len(shares):
        return None
    total = sum(known)
    if min(known) < 0 or total <= 0 or not math.isfinite(total):
        problems.error(item, f"{name}: probabilities must be at least 0 and sum to 1", key=key)
        return None
    if not math.isclose(total, 1.0, rel_tol=1e-8):
        problems.warning(item, f"{name}: probabilities sum to {total:.6g}, not 1; they are scaled", key=key)
        known = [share / total for share in known]
    return tuple(known)
