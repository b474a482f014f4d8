"""How much longer or shorter a life is: regression of the logarithm of time, with censoring and delayed entry.

Where a Cox model says how many times as often something happens, this one says how many times as long it takes ("half the hours until the first
answer", "1.4 times the months until a bearing fails"): effects that a reader can take to a calendar, and a curve beyond the last event.

Our own: statsmodels has no parametric survival regression, and the library that has one (lifelines) pins other versions. Checked against published answers of R's ``survreg``.

Source: Kalbfleisch and Prentice (2002), *The Statistical Analysis of Failure Time Data*, 2nd ed., chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import log_expit, log_ndtr, ndtri
from scipy.stats import norm

from analysis.errors import FitError, ParameterError, suggestion
from analysis.stats.arguments import confidence_level, in_words
from analysis.summaries import Summarised

Array = NDArray[np.float64]
Distribution = Literal["weibull", "lognormal", "loglogistic"]
DISTRIBUTIONS: tuple[Distribution, ...] = ("weibull", "lognormal", "loglogistic")
INTERCEPT = "(intercept)"


@dataclass(frozen=True, kw_only=True, eq=False)
class AcceleratedLife(Summarised):
    """A fitted model of log time.

    Attributes
    ----------
    table : DataFrame, one row per column of the design
        `coefficient` (of log time), `error`, `time_ratio` with `low` and `high` (how many times as long per unit of the column), `p_value`.
    scale : float
        Of log time; one over the Weibull shape.
    scale_low, scale_high, level : float
        Its limits, and the share that all limits stand for.
    log_likelihood : float
        With the densities of time (not of log time), so that distributions can be compared.
    rows, events : int
    distribution : str

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> slow = pd.DataFrame({"slow": [0, 0, 0, 0, 1, 1, 1, 1]})
    >>> fit = stats.accelerated_life([1, 2, 3, 4, 2, 4, 6, 8], [1] * 8, slow, distribution="lognormal")
    >>> fit.rows, fit.events, round(float(fit.table.at["slow", "time_ratio"]), 6)
    (8, 8, 2.0)
    """

    distribution: Distribution
    table: pd.DataFrame
    scale: float
    scale_low: float
    scale_high: float
    log_likelihood: float
    rows: int
    events: int
    level: float
    covariance: Array = field(repr=False)

    @in_words(rows="times", numbers="covariates")
    def survival(self, times: ArrayLike, covariates: pd.DataFrame) -> NDArray[np.float64]:
        """Share still going at each time, for each row of covariates.

        Parameters
        ----------
        times : (times,) numbers, in the unit of the durations
            Zero or more.
        covariates : (rows, columns) DataFrame of numbers
            The fitted columns.

        Returns
        -------
        (rows, times) array, shares

        Raises
        ------
        ParameterError
            Where a fitted column or a number is missing, or a time is negative.

        Examples
        --------
        >>> import pandas as pd
        >>> from analysis import stats
        >>> slow = pd.DataFrame({"slow": [0, 0, 0, 0, 1, 1, 1, 1]})
        >>> fit = stats.accelerated_life([1, 2, 3, 4, 2, 4, 6, 8], [1] * 8, slow, distribution="lognormal")
        >>> fit.survival([0.0], slow.head(1)).tolist()
        [[1.0]]
        """
        columns = [name for name in self.table.index if name != INTERCEPT]
        missing = [name for name in columns if name not in covariates]
        if missing:
            raise ParameterError(f"accelerated_life: the fit has a column {missing[0]!r} that is not given.")
        centre = (
            float(self.table["coefficient"][INTERCEPT])
            + covariates[columns].to_numpy(dtype=float) @ self.table.loc[columns, "coefficient"].to_numpy()
        )
        wanted = np.atleast_1d(np.asarray(times, dtype=float))
        if not (np.all((wanted >= 0) & (wanted < np.inf)) and np.isfinite(centre).all()):
            raise ParameterError(
                "accelerated_life: times are finite, zero or more, and no covariate is missing."
            )
        with np.errstate(divide="ignore"):
            z = (np.log(wanted)[None, :] - centre[:, None]) / self.scale
        return np.exp(_log_survival(z, self.distribution))

    def median(self, covariates: pd.DataFrame) -> NDArray[np.float64]:
        """Time by which half are over, for each row of covariates.

        Parameters
        ----------
        covariates : (rows, columns) DataFrame of numbers
            The fitted columns.

        Returns
        -------
        (rows,) array, in the unit of the durations

        Raises
        ------
        ParameterError
            Where a fitted column or a number is missing, or a time is negative.

        Examples
        --------
        >>> import pandas as pd
        >>> from analysis import stats
        >>> slow = pd.DataFrame({"slow": [0, 0, 0, 0, 1, 1, 1, 1]})
        >>> fit = stats.accelerated_life([1, 2, 3, 4, 2, 4, 6, 8], [1] * 8, slow, distribution="lognormal")
        >>> medians = fit.median(pd.DataFrame({"slow": [0, 1]}))
        >>> round(float(medians[1] / medians[0]), 6)
        2.0
        """
        at_one = self.survival([1.0], covariates)[:, 0]
        middle = {"weibull": float(np.log(np.log(2))), "lognormal": 0.0, "loglogistic": 0.0}[
            self.distribution
        ]
        return np.exp(self.scale * (middle - _quantile_of_survival(at_one, self.distribution)))


@in_words(rows="durations events entry weights", tables="covariates", numbers="covariates")
def accelerated_life(
    durations: ArrayLike,
    events: ArrayLike,
    covariates: pd.DataFrame | None = None,
    *,
    distribution: Distribution = "weibull",
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> AcceleratedLife:
    """Regression of the logarithm of time by maximum likelihood.

    Parameters
    ----------
    durations : (rows,) numbers above zero, any unit
        Time until the event or until the row was last seen.
    events : (rows,) 0 or 1
        Whether it ended in the event; else it is censored.
    covariates : (rows, columns) DataFrame of numbers, optional
        Without, the distribution alone.
    distribution : {"weibull", "lognormal", "loglogistic"}
    entry : (rows,) numbers, in the unit of the durations, optional
        Time from which a row was under observation (delayed entry).
    weights : (rows,) numbers, optional
        Cases a row stands for.
    level : float, share 0 to 1
        Coverage of the limits.

    Returns
    -------
    AcceleratedLife

    Raises
    ------
    ParameterError
        For an unknown distribution or an impossible level.
    FitError
        For durations of zero or less, an entry at or after the end, no event at all, covariates that say the same thing twice, and where the
        likelihood has no maximum.

    Source
    ------
    Kalbfleisch and Prentice (2002), *The Statistical Analysis of Failure Time Data*, 2nd ed., chapter 3.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> slow = pd.DataFrame({"slow": [0, 0, 0, 0, 1, 1, 1, 1]})
    >>> fit = stats.accelerated_life([1, 2, 3, 4, 2, 4, 6, 8], [1] * 8, slow)
    >>> round(float(fit.table.at["slow", "time_ratio"]), 6)  # the second group takes twice as long, row by row
    2.0
    """
    if distribution not in DISTRIBUTIONS:
        raise ParameterError(
            f"accelerated_life: unknown distribution {distribution!r}.{suggestion(distribution, DISTRIBUTIONS)}"
        )
    level = confidence_level(level)
    time, ended, start, weight = _checked(durations, events, entry, weights)
    table = pd.DataFrame(index=range(len(time))) if covariates is None else covariates.reset_index(drop=True)
    design = np.column_stack([np.ones(len(time)), table.to_numpy(dtype=float)])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise FitError("accelerated_life: a covariate is constant or follows from the others; leave one out.")
    best, covariance, value = _maximised(time, ended, start, weight, design, distribution)
    return _made(best, covariance, value, [INTERCEPT, *map(str, table.columns)], ended, distribution, level)


def _checked(
    durations: ArrayLike, events: ArrayLike, entry: ArrayLike | None, weights: ArrayLike | None
) -> tuple[Array, Array, Array, Array]:
    time, ended = np.asarray(durations, dtype=float), np.asarray(events, dtype=float)
    start = np.zeros(len(time)) if entry is None else np.asarray(entry, dtype=float)
    weight = np.ones(len(time)) if weights is None else np.asarray(weights, dtype=float)
    if not np.isin(ended, (0, 1)).all():
        raise FitError("accelerated_life: events are 0 or 1.")
    if not (time > 0).all():
        raise FitError(
            f"accelerated_life: {int((~(time > 0)).sum())} durations are zero, negative or missing; a logarithm has none. Record them finer, or leave them out."
        )
    if not ((start >= 0) & (start < time)).all():
        raise FitError("accelerated_life: an entry is zero or more and lies before the end of its row.")
    if not (weight >= 0).all() or not (weight * ended).sum() > 0:
        raise FitError("accelerated_life: no row ended in the event; there is nothing to fit.")
    return time, ended, start, weight


def _maximised(
    time: Array, ended: Array, start: Array, weight: Array, design: Array, distribution: Distribution
) -> tuple[Array, Array, float]:
    from statsmodels.tools.numdiff import approx_fprime, approx_hess3

    log_time = np.log(time)
    late = start > 0
    log_start = np.log(np.where(late, start, 1.0))

    def loss(parameters: Array) -> float:
        scale = np.exp(parameters[-1])
        centre = design @ parameters[:-1]
        z = (log_time - centre) / scale
        value = ended * (_log_density(z, distribution) - parameters[-1] - log_time)
        value += (1 - ended) * _log_survival(z, distribution)
        value -= np.where(late, _log_survival((log_start - centre) / scale, distribution), 0.0)
        return -float(weight @ value)

    first = np.linalg.lstsq(design, log_time, rcond=None)[0]
    spread = float(np.std(log_time - design @ first)) or 1.0
    found = minimize(
        loss,
        np.append(first, np.log(spread)),
        jac=lambda at: approx_fprime(at, loss, centered=True),
        method="BFGS",
        options={"gtol": 1e-6 * float(weight.sum())},
    )
    hessian = np.asarray(approx_hess3(found.x, loss))
    if not (np.isfinite(hessian).all() and np.linalg.eigvalsh(hessian).min() > 0):
        raise FitError(
            "accelerated_life: the likelihood has no maximum; a covariate tells events and others apart, or there are too few events."
        )
    return np.asarray(found.x, dtype=float), np.linalg.inv(hessian), -float(found.fun)


def _made(
    best: Array,
    covariance: Array,
    value: float,
    names: list[str],
    ended: Array,
    distribution: Distribution,
    level: float,
) -> AcceleratedLife:
    error = np.sqrt(np.diag(covariance))
    reach = float(norm.ppf(0.5 + level / 2))
    coefficient, own = best[:-1], error[:-1]
    table = pd.DataFrame(
        {
            "coefficient": coefficient,
            "error": own,
            "time_ratio": np.exp(coefficient),
            "low": np.exp(coefficient - reach * own),
            "high": np.exp(coefficient + reach * own),
            "p_value": 2 * norm.sf(np.abs(coefficient / own)),
        },
        index=pd.Index(names, name="column"),
    )
    return AcceleratedLife(
        distribution=distribution,
        table=table,
        scale=float(np.exp(best[-1])),
        scale_low=float(np.exp(best[-1] - reach * error[-1])),
        scale_high=float(np.exp(best[-1] + reach * error[-1])),
        log_likelihood=value,
        rows=len(ended),
        events=int(ended.sum()),
        level=level,
        covariance=covariance,
    )


def _log_density(z: Array, distribution: Distribution) -> Array:
    if distribution == "weibull":
        return z - np.exp(np.minimum(z, 700.0))
    if distribution == "lognormal":
        return np.asarray(norm.logpdf(z), dtype=float)
    return np.asarray(log_expit(z) + log_expit(-z), dtype=float)


def _log_survival(z: Array, distribution: Distribution) -> Array:
    if distribution == "weibull":
        return -np.exp(np.minimum(z, 700.0))
    if distribution == "lognormal":
        return np.asarray(log_ndtr(-z), dtype=float)
    return np.asarray(log_expit(-z), dtype=float)


def _quantile_of_survival(share: Array, distribution: Distribution) -> Array:
    """The standard value beyond which this share lies."""
    if distribution == "weibull":
        return np.log(-np.log(share))
    if distribution == "lognormal":
        return np.asarray(-ndtri(share), dtype=float)
    return np.log1p(-share) - np.log(share)
