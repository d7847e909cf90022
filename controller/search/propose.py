"""The one door to search: a request in, a proposal out, for every method.

Pure and picklable on both sides, so that the engine may run it in a process pool. What grid and random
search need is loaded here; the model behind `bayes` only when it is asked for.
"""

from __future__ import annotations

from typing import assert_never

from controller.domain.sweeps import Method, Suggestion
from controller.search import draws, grid
from controller.search.cells import key
from controller.search.requests import Observation, Proposal, Request
from controller.search.sizes import count

__all__ = ["Observation", "Proposal", "Request", "propose"]


def propose(request: Request) -> Proposal:
    """Return up to `request.n` new suggestions, numbered from `request.first_number`.

    Raises:
        ValueError: the space does not fit the method; the message says which parameter and what to do.
    """
    match request.config.method:
        case Method.GRID:
            return _grid(request)
        case Method.RANDOM:
            return _random(request)
        case Method.BAYES:
            from controller.search.bayes import propose_bayes

            return propose_bayes(request)
        case _:
            assert_never(request.config.method)


def _grid(request: Request) -> Proposal:
    cells = grid.cells(request.config.parameters)
    size = cells.size
    stop = min(request.first_number + request.n, size)
    place = grid.order(size, request.seed) if request.config.shuffle else None
    suggestions = []
    for number in range(request.first_number, stop):
        index = place(number) if place else number
        reason = {"model": "grid", "index": index, "of": size}
        suggestions.append(Suggestion(number=number, config=cells.cell(index), index=index, reason=reason))
    return Proposal(suggestions=tuple(suggestions), exhausted=stop >= size)


def _random(request: Request) -> Proposal:
    space = request.config.parameters
    size = count(space)
    stop = request.first_number + request.n
    numbers = range(request.first_number, stop)

    def known() -> set[object]:
        configs = [*(o.config for o in request.observations), *request.pending]
        return {key(space, config) for config in configs}

    drawn = draws.sequence(space, request.seed, numbers, known)
    suggestions = tuple(
        Suggestion(number=number, config=config, index=index, reason={"model": "random", "of": size})
        for number, (index, config) in zip(numbers, drawn, strict=False)
    )
    return Proposal(suggestions=suggestions, exhausted=size is not None and stop >= size)
