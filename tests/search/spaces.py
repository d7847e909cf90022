"""Spaces and requests for the tests of search."""

from __future__ import annotations

from hypothesis import strategies as st

from controller.domain.parameters import Distribution, Parameter
from controller.domain.states import RunState
from controller.domain.sweeps import Method, Metric, SweepConfig
from controller.search.propose import Observation, Request, propose


def parameter(name, distribution, **numbers):
    return Parameter(path=tuple(name.split("/")), distribution=Distribution(distribution), **numbers)


def choice(name, *values, **more):
    return parameter(name, "categorical", values=values, **more)


def config(space, method, **more):
    return SweepConfig(method=Method(method), parameters=tuple(space), metric=Metric(name="loss"), **more)


def suggest(sweep, n=1, first=0, seen=(), pending=(), seed=0):
    request = Request(
        config=sweep, n=n, first_number=first, observations=tuple(seen), pending=tuple(pending), seed=seed
    )
    return propose(request)


def finished(point, value):
    return Observation(config=point, value=value, state=RunState.FINISHED)


def failed(point):
    return Observation(config=point, value=None, state=RunState.FAILED)


_LOW = st.integers(-50, 50)
_WIDTH = st.integers(1, 100)
_STEP = st.sampled_from([1, 2, 5, 0.1, 0.25, 0.3])
_EXPONENT = st.floats(-6, 0, allow_nan=False)
_REAL = st.floats(-3, 3, allow_nan=False)
_SPREAD = st.floats(0.1, 2.0)


def _build(distribution, names, *numbers):
    return st.builds(lambda *v: parameter("p", distribution, **dict(zip(names, v, strict=True))), *numbers)


@st.composite
def _between(draw, distribution, low, width, *, q=False, integers=False):
    a = draw(low)
    b = a + draw(width)
    a, b = (a, b) if integers else (float(a), float(b))
    numbers = {"min": a, "max": b} | ({"q": draw(_STEP)} if q else {})
    return parameter("p", distribution, **numbers)


@st.composite
def _positive(draw, distribution, *, q=False):
    low = 10 ** draw(_EXPONENT)
    numbers = {"min": low, "max": low * 10 ** draw(st.floats(0.5, 4))} | ({"q": draw(_STEP)} if q else {})
    return parameter("p", distribution, **numbers)


parameters = st.one_of(
    st.lists(st.sampled_from(["a", "b", 0, 1, 0.5, None, True]), min_size=1, max_size=6).map(
        lambda values: choice("p", *values)
    ),
    _between("int_uniform", _LOW, _WIDTH, integers=True),
    _between("uniform", _LOW, _WIDTH),
    _between("q_uniform", _LOW, _WIDTH, q=True),
    _between("log_uniform", st.integers(-9, 0), st.integers(1, 8)),
    _between("inv_log_uniform", st.integers(-9, 0), st.integers(1, 8)),
    _between("q_log_uniform", st.integers(0, 2), st.integers(1, 5), q=True),
    _positive("log_uniform_values"),
    _positive("inv_log_uniform_values"),
    _positive("q_log_uniform_values", q=True),
    _build("normal", ("mu", "sigma"), _REAL, _SPREAD),
    _build("q_normal", ("mu", "sigma", "q"), _REAL, _SPREAD, _STEP),
    _build("log_normal", ("mu", "sigma"), _REAL, _SPREAD),
    _build("q_log_normal", ("mu", "sigma", "q"), _REAL, _SPREAD, _STEP),
    _build("beta", ("a", "b"), _SPREAD, _SPREAD),
    _build("q_beta", ("a", "b", "q"), _SPREAD, _SPREAD, st.sampled_from([0.1, 0.05])),
    st.just(
        parameter("p", "categorical_w_probabilities", values=("x", 0, False), probabilities=(0.2, 0.5, 0.3))
    ),
)
"""One parameter of any distribution."""
