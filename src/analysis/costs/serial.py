"""Least squares on a monthly series whose errors hang together, with limits that hold at two or three years.

Ordinary limits are too narrow when a month's surprise lasts into the next, and Newey–West limits stay too
narrow at thirty months. Here the lag-one correlation of the errors is estimated from the residuals with its
small-sample bias removed exactly: residuals e = My have E[e'Le] ÷ E[e'e] = tr(MLMΩ) ÷ tr(MΩ), solved for the
correlation in Ω. The variance of the errors and the degrees of freedom (Satterthwaite) follow from the same
traces. The widest of this, Newey–West and ordinary least squares is used.

Sources: Newey and West (1987), Econometrica 55, 703-708; Satterthwaite (1946), Biometrics Bulletin 2,
110-114; Cochrane and Orcutt (1949), JASA 44, 32-61.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from analysis.errors import FitError
from analysis.metrics import traced
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
CORRELATIONS = np.linspace(0.0, 0.9, 19)


@dataclass(frozen=True, eq=False, kw_only=True)
class Contrast(Summarised):
    """A weighted sum of regression coefficients with its standard error, of one series or of many.

    ``correlation`` is the estimated lag-one correlation of the errors (0 to 0.9); ``coefficients`` has the
    terms last. Everything else is a number, or an array with one entry a series.
    """

    estimate: Any
    standard_error: Any
    degrees_of_freedom: Any
    correlation: Any
    coefficients: Floats

    def limits(self, confidence: float) -> tuple[Any, Any]:
        """Two-sided t limits."""
        reach = stdtrit(self.degrees_of_freedom, (1 + confidence) / 2) * self.standard_error
        return self.estimate - reach, self.estimate + reach

    def tail(self, value: Any = 0.0) -> Any:
        """One-sided p-value for a true value of at most ``value``: small when the estimate is far above
        it."""
        return t_tail(self.estimate - value, self.standard_error, self.degrees_of_freedom)


def t_tail(distance: Any, error: Any, freedom: Any) -> Any:
    """P(T > distance ÷ error); with no error at all 0 or 1, and a half when there is no distance either."""
    certain = np.where(np.asarray(distance) == 0, 0.5, np.where(np.asarray(distance) < 0, 1.0, 0.0))
    ratio = np.divide(
        distance, error, out=np.zeros(np.broadcast(distance, error).shape), where=np.asarray(error) > 0
    )
    tail = np.where(np.asarray(error) > 0, stdtr(freedom, -ratio), certain)
    return float(tail) if tail.ndim == 0 else tail


@traced
def contrast(design: Floats, values: Floats, weights: Floats, *, least_correlation: float = 0.0) -> Contrast:
    """Estimate ``weights`` @ coefficients.

    Parameters
    ----------
    design : months × terms, of full rank, in order of time without gaps
    values : months, or series × months for many series on one design
    weights : terms
    least_correlation : what the errors are taken to hang together at least; two or three years cannot show a
        small correlation, and limits far out in the tail need it
    """
    _check(design, values)
    frame = _frame(design.tobytes(), design.shape, weights.tobytes())
    series = np.atleast_2d(values)
    beta = series @ frame.solver.T
    rest = series - beta @ design.T
    squares = np.einsum("ij,ij->i", rest, rest)
    exact = squares <= 1e-24 * np.maximum(np.einsum("ij,ij->i", series, series), 1e-300)
    seen = np.einsum("ij,ij->i", rest[:, 1:], rest[:, :-1]) / np.where(exact, 1.0, squares)
    correlation = np.maximum(np.interp(seen, frame.expected, CORRELATIONS), least_correlation)
    variance = squares / np.interp(correlation, CORRELATIONS, frame.sizes)
    count, terms = design.shape
    options = (
        variance * np.interp(correlation, CORRELATIONS, frame.load_sizes),
        squares / (count - terms) * float(frame.loads @ frame.loads),
        newey_west(rest, frame.loads, terms),
    )
    error = np.sqrt(np.where(exact, 0.0, np.maximum.reduce(options)))
    freedom = np.interp(correlation, CORRELATIONS, frame.freedoms)
    single = values.ndim == 1
    shaped = (lambda array: float(array[0])) if single else (lambda array: array)
    return Contrast(
        estimate=shaped(beta @ weights),
        standard_error=shaped(error),
        degrees_of_freedom=shaped(freedom),
        correlation=shaped(correlation),
        coefficients=beta[0] if single else beta,
    )


@traced
def newey_west(rest: Floats, loads: Floats, terms: int) -> Floats:
    """Variance of ``loads`` @ errors by series: Bartlett weights, 4 (n ÷ 100)^(2/9) lags, n ÷ (n − terms)."""
    count = rest.shape[1]
    lags = max(1, int(4 * (count / 100) ** (2 / 9)))
    scores = rest * loads
    total = np.einsum("ij,ij->i", scores, scores)
    for lag in range(1, lags + 1):
        total = total + 2 * (1 - lag / (lags + 1)) * np.einsum("ij,ij->i", scores[:, lag:], scores[:, :-lag])
    return np.asarray(total * count / (count - terms))


def _check(design: Floats, values: Floats) -> None:
    if not np.isfinite(values).all():
        raise FitError(f"series: {int((~np.isfinite(values)).sum())} months have no value; leave no gaps.")
    if len(design) - design.shape[1] < 4 or np.linalg.matrix_rank(design) < design.shape[1]:
        raise FitError(
            f"series: {len(design)} months are too few, or too alike, for {design.shape[1]} terms."
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Frame:
    """What depends on the design only; arrays run over `CORRELATIONS`."""

    solver: Floats
    loads: Floats
    expected: Floats
    sizes: Floats
    freedoms: Floats
    load_sizes: Floats


@lru_cache(maxsize=256)
def _frame(design_bytes: bytes, shape: tuple[int, int], weight_bytes: bytes) -> _Frame:
    design = np.frombuffer(design_bytes).reshape(shape)
    weights = np.frombuffer(weight_bytes)
    solver = np.linalg.inv(design.T @ design) @ design.T
    residual = np.eye(shape[0]) - design @ solver
    places = np.arange(shape[0])
    distances = np.abs(places[:, None] - places[None, :]).astype(float)
    loads = solver.T @ weights
    expected, sizes, freedoms, load_sizes = [], [], [], []
    for correlation in CORRELATIONS:
        known = correlation**distances
        seen = residual @ known @ residual  # the residuals' own covariance
        size = float(seen.trace())
        expected.append(float(np.diagonal(seen, 1).sum()) / size)
        sizes.append(size)
        freedoms.append(size**2 / float((seen * seen).sum()))
        load_sizes.append(float(loads @ known @ loads))
    return _Frame(
        solver=solver,
        loads=loads,
        expected=np.maximum.accumulate(np.array(expected)),
        sizes=np.array(sizes),
        freedoms=np.array(freedoms),
        load_sizes=np.array(load_sizes),
    )
