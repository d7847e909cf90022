"""A Gaussian process over encoded rows: fitted by maximum a posteriori, exact on a few hundred points.

Matern 5/2 over a weighted squared distance: numbers count by their difference, categories by being the
same or not (an exchangeable kernel), each column with its own weight. To it come, as far as the data want
them, a trend and ripples that add up over the columns: few runs tell them in many columns.
Mean and amplitude are solved for; weights and the ratios of noise, trend and ripples are found by L-BFGS
with analytic gradients under log-normal priors.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), eq. 2.40, 4.17, 5.9,
5.12; the prior that grows with the number of columns follows Hvarfner et al. (2024), eq. 6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import get_lapack_funcs
from scipy.optimize import minimize

from controller.search.encoding import Rows
from controller.search.features import ripples, trends

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

JITTER = 1e-8
ROOT5 = math.sqrt(5.0)
_FAINT = 0.01
"""Amplitude of ripples, as a share of the rest's, from which they are worth their cost."""
_potrf, _potri, _trtrs = get_lapack_funcs(("potrf", "potri", "trtrs"), (np.zeros((1, 1)),))


@dataclass(frozen=True, slots=True)
class Prior:
    """Beliefs before data, in natural logarithms."""

    length: float = math.log(0.3)
    """Centre of log length scale on the unit interval for one column; grows by log sqrt(n_columns)."""
    length_growth: float = 0.5
    length_sd: float = 0.9
    category: float = math.log(0.6)
    """Centre of the log weight of "not the same category"."""
    category_sd: float = 1.0
    noise: float = math.log(1e-3)
    noise_sd: float = 2.0
    trend: float | None = math.log(0.3)
    """Centre of the log variance of the trend, as a share of the rest's; None for no trend."""
    trend_sd: float = 1.0
    ripples: float = math.log(0.01)
    """The same of the ripples, which no process without a trend has."""
    ripples_sd: float = 4.0


@dataclass(frozen=True, slots=True)
class Shape:
    """Kernel parameters: log weights of the columns, then the log ratios of noise, trend and ripples."""

    weights: Vector
    noise: float
    trend: float = -math.inf
    ripples: float = -math.inf


def differences(a: Rows, b: Rows, is_category: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return squared differences per column, shape (n_columns, n_a, n_b)."""
    result = (a.T[:, :, None] - b.T[:, None, :]) ** 2
    if is_category.any():
        result[is_category] = result[is_category] > 1e-12
    return np.asarray(result)


def distances(a: Rows, b: Rows, is_category: npt.NDArray[np.bool_], weights: Vector) -> Matrix:
    """Return weighted squared distances, shape (n_a, n_b)."""
    numbers = ~is_category
    scale = np.sqrt(weights[numbers])
    x, y = a[:, numbers] * scale, b[:, numbers] * scale
    squared = (x**2).sum(1)[:, None] + (y**2).sum(1)[None, :] - 2.0 * x @ y.T
    np.maximum(squared, 0.0, out=squared)
    for j in np.flatnonzero(is_category):
        squared += weights[j] * (a[:, j][:, None] != b[:, j][None, :])
    return np.asarray(squared)


def matern(squared: Matrix) -> Matrix:
    """Return the kernel of squared distances."""
    return _matern(squared)[0]


def _matern(squared: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """Return the kernel, 1 + r and e^-r; in place where it can, for most of a suggestion is spent here."""
    r = np.sqrt(squared)
    r *= ROOT5
    e = np.negative(r)
    np.exp(e, out=e)
    r += 1.0
    kernel = (5.0 / 3.0) * squared
    kernel += r
    kernel *= e
    return kernel, r, e


def sloped_matern(squared: Matrix) -> tuple[Matrix, Matrix]:
    """Return the kernel and minus twice its derivative by the squared distance, both from squared ones."""
    kernel, slope, e = _matern(squared)
    slope *= 5.0 / 3.0
    slope *= e
    return kernel, slope


class Process:
    """A fitted process: mean and deviation at any rows."""

    def __init__(
        self,
        rows: Rows,
        y: Vector,
        is_category: npt.NDArray[np.bool_],
        shape: Shape,
        spread: Vector | None = None,
    ) -> None:
        self.rows, self.is_category, self.shape = rows, is_category, shape
        self.weights = np.exp(shape.weights)
        kernel = matern(distances(rows, rows, is_category, self.weights))
        self._features = self._added(rows)
        kernel += self._features @ self._features.T
        noise = math.exp(shape.noise) + JITTER
        kernel[np.diag_indices_from(kernel)] += noise if spread is None else noise * spread
        self._lower = _cholesky(kernel)
        ones = _solve(self._lower, np.ones(len(y)))
        white = _solve(self._lower, y)
        # A little prior weight on mean 0 keeps the mean of very few points sane.
        self.mean = float(ones @ white) / (float(ones @ ones) + 0.1)
        white -= self.mean * ones
        self.amplitude = (float(white @ white) + 1.0) / (len(y) + 1.0)
        self._alpha = _solve(self._lower, white, trans=1)

    def _added(self, rows: Rows) -> Matrix:
        """Return the features of all that adds up over the columns, scaled; shape (n, n_features)."""
        bend, ripple = math.exp(0.5 * self.shape.trend), math.exp(0.5 * self.shape.ripples)
        parts = [np.zeros((len(rows), 0))]
        if bend:
            parts.append(bend * trends(rows, self.is_category))
        if ripple > _FAINT:
            parts.append(ripple * ripples(rows, self.is_category))
        return np.concatenate(parts, axis=1)

    def unforeseen(self) -> Vector:
        """Return how far each target is from what all the others predict, shape (n,)."""
        inverse = _solve(self._lower, np.eye(len(self._lower)))
        return np.asarray(self._alpha / np.einsum("ij,ij->j", inverse, inverse))

    def expect(self, rows: Rows) -> Vector:
        """Return the mean alone, shape (n,); much cheaper than `predict`."""
        kernel = matern(distances(rows, self.rows, self.is_category, self.weights))
        kernel += self._added(rows) @ self._features.T
        return np.asarray(self.mean + kernel @ self._alpha)

    def predict(self, rows: Rows) -> tuple[Vector, Vector]:
        """Return mean and standard deviation of the noiseless function, shapes (n,)."""
        kernel = matern(distances(rows, self.rows, self.is_category, self.weights))
        features = self._added(rows)
        kernel += features @ self._features.T
        mean = self.mean + kernel @ self._alpha
        half = _solve(self._lower, kernel.T)
        variance = np.maximum(
            1.0 + np.einsum("ij,ij->i", features, features) - np.einsum("ij,ij->j", half, half), 1e-10
        )
        return mean, np.sqrt(self.amplitude * variance)


def _solve(lower: Matrix, right: npt.NDArray[np.float64], trans: int = 0) -> npt.NDArray[np.float64]:
    """Return the solution of a lower triangular system; scipy's own door takes longer than small ones."""
    return np.asarray(_trtrs(lower, right, lower=1, trans=trans)[0])


def _cholesky(kernel: Matrix) -> Matrix:
    extra = 0.0
    while True:
        if extra:
            kernel = kernel + extra * np.eye(len(kernel))
        lower, info = _potrf(kernel, lower=1, clean=1)
        if info == 0:
            return np.asarray(lower)
        extra = max(extra * 10.0, 1e-7)


def centres(is_category: npt.NDArray[np.bool_], prior: Prior) -> tuple[Vector, Vector]:
    """Return means and deviations of the log weights and, last, of the log ratios."""
    d = len(is_category)
    length = prior.length + prior.length_growth * math.log(max(d, 1))
    mean = np.where(is_category, prior.category - math.log(max(d, 1)) * prior.length_growth, -2.0 * length)
    sd = np.where(is_category, prior.category_sd, 2.0 * prior.length_sd)
    mean, sd = np.append(mean, prior.noise), np.append(sd, prior.noise_sd)
    if prior.trend is None:
        return mean, sd
    return np.append(mean, (prior.trend, prior.ripples)), np.append(sd, (prior.trend_sd, prior.ripples_sd))


def fit(
    rows: Rows,
    y: Vector,
    is_category: npt.NDArray[np.bool_],
    prior: Prior,
    *,
    steps: int = 30,
    starts: tuple[Vector, ...] = (),
) -> tuple[Shape, float]:
    """Return the most probable kernel parameters for standardised targets `y`, and the loss there."""
    n, d = rows.shape
    mean, sd = centres(is_category, prior)
    squares = differences(rows, rows, is_category).reshape(d, n * n)
    diagonal = np.diag_indices(n)
    added: list[Matrix] = []
    if prior.trend is not None:
        added = [
            features @ features.T for features in (trends(rows, is_category), ripples(rows, is_category))
        ]

    def loss(theta: Vector) -> tuple[float, Vector]:
        weights, noise = np.exp(theta[:d]), math.exp(theta[d])
        kernel, slope = sloped_matern((weights @ squares).reshape(n, n))
        ratios = np.exp(theta[d + 1 :])
        for ratio, gram in zip(ratios, added, strict=True):
            kernel += ratio * gram
        kernel[diagonal] += noise + JITTER
        lower, info = _potrf(kernel, lower=1, clean=1)
        if info:
            return 1e10, np.zeros(len(theta))
        inverse, _ = _potri(lower, lower=1)
        inverse = inverse + inverse.T  # above the diagonal there were zeros
        inverse[diagonal] *= 0.5
        sums = inverse.sum(axis=0)
        m = float(sums @ y) / (float(sums.sum()) + 0.1)
        residual = y - m
        alpha = inverse @ residual
        amplitude = (float(residual @ alpha) + 0.1 * m * m + 1.0) / (n + 1.0)
        value = 0.5 * (n + 1) * math.log(amplitude) + float(np.log(lower.diagonal()).sum())
        outer = inverse - np.outer(alpha, alpha) / amplitude
        by_weight = -0.25 * (squares @ (outer * slope).ravel()) * weights
        by_noise = 0.5 * float(outer.trace()) * noise
        off = (theta - mean) / sd
        by_ratio = [0.5 * r * float(np.vdot(outer, gram)) for r, gram in zip(ratios, added, strict=True)]
        return value + 0.5 * float(off @ off), np.concatenate((by_weight, [by_noise], by_ratio)) + off / sd

    bounds = [(m - 5 * s, m + 5 * s) for m, s in zip(mean, sd, strict=True)]
    bounds[d] = (math.log(1e-6), math.log(3.0))
    best, best_loss = mean, math.inf
    for start in (mean, *starts):
        found = minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": steps, "maxfun": steps + 8},
        )
        if found.fun < best_loss:
            best, best_loss = found.x, float(found.fun)
    return Shape(best[:d], *map(float, best[d:])), best_loss
