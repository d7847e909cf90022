"""Curves for a screen: a million logged points as the few that can be seen.

`downsample` keeps what a picture of that many columns shows, every peak and every gap; `lttb` keeps a
given number of points that look like the whole. Both return points that were logged, never averages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Points = tuple[list[float], list[float]]
"""Steps and values, equally long."""


def downsample(steps: Sequence[float], values: Sequence[float | None], n_columns: int) -> Points:
    """Return at most four points per column: its first, least, greatest and last, in the order logged.

    Columns divide the range of steps evenly, as a chart does, so an uneven step axis keeps its shape. NaN,
    infinities and None are gaps: one NaN stands where the line has to break, besides the four points.

    Args:
        steps: ascending, shape (n,).
        values: shape (n,).
        n_columns: columns of the chart, at least 1.
    """
    import numpy as np

    if n_columns < 1:
        raise ValueError(f"a chart has at least one column, not {n_columns}")
    x, y = _arrays(steps, values)
    if len(x) <= 4 * n_columns:
        return x.tolist(), y.tolist()
    span = float(x[-1] - x[0])
    column = np.minimum(((x - x[0]) / (span or 1.0) * n_columns).astype(np.int64), n_columns - 1)
    finite = np.isfinite(y)
    kept = np.concatenate([_envelope(column, y, np.flatnonzero(finite)), _gaps(column, finite)])
    kept.sort()
    return x[kept].tolist(), y[kept].tolist()


def lttb(steps: Sequence[float], values: Sequence[float | None], n_points: int) -> Points:
    """Return at most `n_points` points that span the largest triangles, gaps left out.

    Source: Steinarsson, "Downsampling Time Series for Visual Representation" (2013), section 4.2. Buckets
    hold equally many points.

    Raises:
        ValueError: fewer than 3 points are asked for; the first and the last are always kept.
    """
    import numpy as np

    if n_points < 3:
        raise ValueError(f"at least 3 points are needed, not {n_points}")
    x, y = _arrays(steps, values)
    finite = np.isfinite(y)
    x, y = x[finite], y[finite]
    if len(x) <= n_points:
        return x.tolist(), y.tolist()
    edges = np.linspace(1, len(x) - 1, n_points - 1).astype(np.int64)
    n_inside = np.diff(edges)
    mean_x = np.append(np.add.reduceat(x[: edges[-1]], edges[:-1]) / n_inside, x[-1])
    mean_y = np.append(np.add.reduceat(y[: edges[-1]], edges[:-1]) / n_inside, y[-1])
    kept = [0]
    for bucket in range(n_points - 2):
        start, end = int(edges[bucket]), int(edges[bucket + 1])
        before_x, before_y = x[kept[-1]], y[kept[-1]]
        area = np.abs(
            (before_x - mean_x[bucket + 1]) * (y[start:end] - before_y)
            - (before_x - x[start:end]) * (mean_y[bucket + 1] - before_y)
        )
        kept.append(start + int(area.argmax()))
    kept.append(len(x) - 1)
    return x[kept].tolist(), y[kept].tolist()


def _arrays(steps: Sequence[float], values: Sequence[float | None]) -> tuple[Floats, Floats]:
    """Return both as arrays; what is no finite value becomes NaN."""
    import numpy as np

    x = np.asarray(steps, dtype=np.float64)
    try:
        y = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        y = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"{len(x)} steps for {len(y)} values")
    return x, np.where(np.isfinite(y), y, math.nan)


def _envelope(column: NDArray[np.int64], y: Floats, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of each column's first, least, greatest and last finite value, each once."""
    import numpy as np

    if not len(places):
        return places
    of_place = column[places]
    starts = np.flatnonzero(np.diff(of_place, prepend=-1))
    ends = np.append(starts[1:], len(places))
    by_value = np.lexsort((y[places], of_place))
    least, greatest = by_value[starts], by_value[ends - 1]
    kept: NDArray[np.int64] = places[np.unique(np.concatenate([starts, least, greatest, ends - 1]))]
    return kept


def _gaps(column: NDArray[np.int64], finite: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the first gap of each column, and the first of each run of gaps that fills columns."""
    import numpy as np

    places = np.flatnonzero(~finite)
    return places[np.flatnonzero(np.diff(column[places], prepend=-1))]
