"""How much of a fitted process's variance over the space each parameter has a hand in: total Sobol indices.

Because every kernel has zero mean under its parameter's distribution, the integrals over the space are
products of small sums over nodes and nothing is sampled. Where a parameter matters only for some values of
another (`when`), the space is cut into the states of those others, and the sums run over states as well.

Sources: Sobol', "Global sensitivity indices for nonlinear mathematical models", Math. and Computers in
Simulation 55 (2001), section 3 (total indices); Durrande et al. (see `process.py`), eq. 17-19.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.analysis.encode import Column, value_key
from controller.analysis.process import Settings, leave_one_out, table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_N_BLOCK = 64
"""Runs looked at together; with ten parameters their matrices stay in the processor's cache."""

MAX_STATES = 32
"""Joint values of the parameters that conditions name; with more, conditions count as independent of them."""


@dataclass(frozen=True, slots=True)
class State:
    """One joint value of all gates, the parameters that conditions name."""

    nodes: tuple[int, ...]
    """Node of each gate, in the gates' order."""
    share: float
    """Probability of this state in the space."""
    active: frozenset[int]
    """Indices of the columns that matter here."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns are gates, which depend on them, and the states of the gates."""

    gates: tuple[int, ...]
    gated: tuple[int, ...]
    free: tuple[int, ...]
    states: tuple[State, ...]


def layout(columns: tuple[Column, ...]) -> Layout:
    """Return the columns sorted by their part in conditions; no gates where there are too many states."""
    index_of = {column.parameter.path: index for index, column in enumerate(columns)}
    gates = tuple(
        sorted(
            {
                index_of[path]
                for column in columns
                for path, _ in column.parameter.when
                if path in index_of and columns[index_of[path]].keys
            }
        )
    )
    everything = frozenset(range(len(columns)))
    if math.prod(len(columns[gate].keys) for gate in gates) > MAX_STATES:
        gates = ()
    states = tuple(
        State(
            nodes,
            math.prod(float(columns[gate].weights[node]) for gate, node in zip(gates, nodes, strict=True)),
            frozenset(index for index in everything if _holds(columns, index, gates, nodes, index_of)),
        )
        for nodes in itertools.product(*(range(len(columns[gate].keys)) for gate in gates))
    )
    always = frozenset.intersection(*(state.active for state in states))
    free = tuple(index for index in range(len(columns)) if index in always and index not in gates)
    gated = tuple(index for index in range(len(columns)) if index not in always and index not in gates)
    return Layout(gates, gated, free, states)


def total_variances(columns: tuple[Column, ...], settings: Settings, alphas: Floats) -> Floats:
    """Return the variance each column has a hand in, alone or with others; shape (n_columns, n_draws).

    Args:
        columns: what the process was solved on.
        settings: of the process.
        alphas: weights of the runs, one column per draw, shape (n_runs, n_draws): the process's mean is
            `Σ_j alphas[j] Π_i (1 + θ_i k_i(·, x_j))`.
    """
    import numpy as np

    plan = layout(columns)
    kernels = [
        math.exp(weight) * np.asarray(table(column, length) @ column.rows.T)
        for column, weight, length in zip(columns, settings.log_weights, settings.log_lengths, strict=True)
    ]
    result = np.zeros((len(columns), alphas.shape[1]))
    for start in range(0, len(alphas), _N_BLOCK):
        block = slice(start, start + _N_BLOCK)
        some = [kernel[:, block] for kernel in kernels]
        shared = np.array(
            [
                (left.T * column.weights) @ kernel
                for left, kernel, column in zip(some, kernels, columns, strict=True)
            ]
        )
        sums = _StateSums(plan, some, kernels, shared)
        for index, matrix in _parts(sums, columns):
            result[index] += (alphas[block] * (matrix @ alphas)).sum(axis=0)
    return np.maximum(result, 0.0)


def _parts(sums: _StateSums, columns: tuple[Column, ...]) -> Iterator[tuple[int, Floats]]:
    """Yield each column's index and its second moments between a block of runs and all runs."""
    import numpy as np

    plan, shared = sums.plan, sums.shared
    free, others = leave_one_out(1.0 + shared[list(plan.free)] if plan.free else np.ones_like(shared[:1]))
    every = sums.together() if plan.gates else None
    for index, rest in zip(plan.free, others, strict=False):
        rest *= shared[index]
        yield index, rest if every is None else rest * every
    for index in plan.gated:
        yield index, sums.of_gated(index) * free
    for place, index in enumerate(plan.gates):
        assert every is not None
        yield index, (every - sums.averaged_over(place, columns)) * free


@dataclass(frozen=True, slots=True)
class _StateSums:
    """Second moments over the states of the gates; matrices of shape (n_block, n_runs)."""

    plan: Layout
    some: list[Floats]
    """Kernels between nodes and the runs of the block, shape (n_nodes, n_block)."""
    kernels: list[Floats]
    """The same for all runs, shape (n_nodes, n_runs)."""
    shared: Floats
    """Kernels averaged over the space, shape (n_columns, n_block, n_runs)."""

    def together(self) -> Floats:
        """Return the sum over states of everything that is gated or gates."""
        import numpy as np

        total: Floats = np.zeros_like(self.shared[0])
        for state in self.plan.states:
            total += state.share * self._pair(state, state)
        return total

    def of_gated(self, index: int) -> Floats:
        """Return the part in which one gated column has a hand."""
        import numpy as np

        total: Floats = np.zeros_like(self.shared[0])
        for state in self.plan.states:
            if index in state.active:
                total += state.share * self._pair(state, state, without=index) * self.shared[index]
        return total

    def averaged_over(self, place: int, columns: tuple[Column, ...]) -> Floats:
        """Return what is left when the function is averaged over one gate before it is squared."""
        import numpy as np

        gate = self.plan.gates[place]
        total: Floats = np.zeros_like(self.shared[0])
        for one, two in itertools.product(self.plan.states, repeat=2):
            if all(a == b for at, (a, b) in enumerate(zip(one.nodes, two.nodes, strict=True)) if at != place):
                share = one.share * float(columns[gate].weights[two.nodes[place]])
                total += share * self._pair(one, two)
        return total

    def _pair(self, one: State, two: State, without: int | None = None) -> Floats:
        import numpy as np

        product = np.outer(self._gate_row(one, self.some), self._gate_row(two, self.kernels))
        for index in self.plan.gated:
            if index != without and index in one.active and index in two.active:
                product *= 1.0 + self.shared[index]
        return product

    def _gate_row(self, state: State, kernels: list[Floats]) -> Floats:
        import numpy as np

        row = np.ones(kernels[0].shape[1])
        for gate, node in zip(self.plan.gates, state.nodes, strict=True):
            if gate in state.active:
                row *= 1.0 + kernels[gate][node]
        return row


def _holds(
    columns: tuple[Column, ...],
    index: int,
    gates: tuple[int, ...],
    nodes: tuple[int, ...],
    index_of: dict[tuple[str, ...], int],
) -> bool:
    """Tell whether a column matters in a state; conditions on what is no gate count as met."""
    for path, allowed in columns[index].parameter.when:
        gate = index_of.get(path)
        if gate not in gates:
            continue
        key = columns[gate].keys[nodes[gates.index(gate)]]
        if key not in {value_key(value) for value in allowed}:
            return False
        if not _holds(columns, gate, gates, nodes, index_of):
            return False
    return True
