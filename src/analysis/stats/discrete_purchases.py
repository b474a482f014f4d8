"""Customers who can buy once per period: donations of a year, seats of a season, visits of a week.

The beta-geometric/beta-Bernoulli model: while alive a customer takes each opportunity with a chance of its own, and before each the customer
may be gone for good. Only `frequency`, the opportunity of the last purchase and the number of opportunities matter, so rows that are alike are one with
a weight.

Our own: the library that has it (lifetimes) is no longer kept. Its likelihood is a sum over the periods in which a silent customer may have left; the derivatives
are numerical, which costs nothing over the few dozen patterns there can be.

Source: Fader, Hardie and Shang (2010), "Customer-base analysis in a discrete-time noncontractual setting", *Marketing Science* 29, 1086-1108.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln

from analysis.errors import FitError, ParameterError
from analysis.stats.arguments import in_words
from analysis.stats.likelihood import Array, LikelihoodFit, Objective, maximise, stated
from analysis.summaries import Summarised

_NAMES = ("alpha", "beta", "gamma", "delta")


@dataclass(frozen=True, kw_only=True, eq=False)
class OpportunityModel(Summarised):
    """A fitted BG/BB model.

    Attributes
    ----------
    alpha, beta : float
        Of the chance to take an opportunity, beta distributed over customers.
    gamma, delta : float
        Of the chance to be gone before the next opportunity, beta distributed over customers.
    log_likelihood, customers : float
        At the estimate; sum of the weights.
    fit : parameters with Hessian and profile intervals

    Examples
    --------
    >>> from analysis import stats
    >>> taken, last = [0, 1, 1, 1, 2, 2, 3], [0, 1, 2, 3, 2, 3, 3]
    >>> model = stats.fit_bgbb(taken, last, [3] * 7, weights=[40, 15, 8, 12, 14, 21, 70])
    >>> model.expected_purchases_of_new([0]).tolist()
    [0.0]
    """

    alpha: float
    beta: float
    gamma: float
    delta: float
    log_likelihood: float
    customers: float
    fit: LikelihoodFit = field(repr=False)

    @classmethod
    @in_words()
    def from_parameters(cls, *, alpha: float, beta: float, gamma: float, delta: float) -> OpportunityModel:
        """The model at stated parameters, such as published ones: it predicts, and has no standard errors, intervals or likelihood.

        Parameters
        ----------
        alpha, beta, gamma, delta : float, pure numbers
            As in the attributes.


        Returns
        -------
        OpportunityModel
            Its `log_likelihood` and `customers` are NaN; `.fit.interval` refuses.

        Raises
        ------
        ParameterError
            For a parameter that is not above zero.

        Source
        ------
        Fader, Hardie and Shang (2010), *Marketing Science* 29, 1086-1108.

        Examples
        --------
        A new donor of their cohort at ten opportunities.

        >>> from analysis import stats
        >>> model = stats.OpportunityModel.from_parameters(alpha=1.204, beta=0.750, gamma=0.657, delta=2.783)
        >>> model.expected_purchases_of_new([10]).round(2).tolist()
        [3.18]
        """
        fit = stated("BG/BB", alpha=alpha, beta=beta, gamma=gamma, delta=delta)
        return cls(
            alpha=alpha,
            beta=beta,
            gamma=gamma,
            delta=delta,
            log_likelihood=fit.log_likelihood,
            customers=float("nan"),
            fit=fit,
        )

    @in_words(rows="frequency recency opportunities")
    def probability_alive(
        self, frequency: ArrayLike, recency: ArrayLike, opportunities: ArrayLike
    ) -> NDArray[np.float64]:
        """Chance that a customer can still take the next opportunity.

        Parameters
        ----------
        frequency, recency, opportunities : (rows,) whole numbers
            As in `fit_bgbb`.

        Returns
        -------
        (rows,) array, shares

        Raises
        ------
        FitError
            For impossible rows.
        ParameterError
            For what is no number.

        Source
        ------
        Fader, Hardie and Shang (2010), equation 11.

        Examples
        --------
        >>> from analysis import stats
        >>> taken, last = [0, 1, 1, 1, 2, 2, 3], [0, 1, 2, 3, 2, 3, 3]
        >>> model = stats.fit_bgbb(taken, last, [3] * 7, weights=[40, 15, 8, 12, 14, 21, 70])
        >>> alive = model.probability_alive([2, 1], [2, 1], [2, 2])
        >>> bool(alive[0] > alive[1])
        True
        """
        x, last, n = _checked(frequency, recency, opportunities)
        there = betaln(self.gamma, self.delta + n + 1) - betaln(self.gamma, self.delta)
        taken = betaln(self.alpha + x, self.beta + n - x) - betaln(self.alpha, self.beta)
        parameters = np.array([self.alpha, self.beta, self.gamma, self.delta])
        return np.asarray(np.exp(there + taken - _log_likelihood(parameters, x, last, n)), dtype=float)

    @in_words(rows="frequency recency opportunities")
    def expected_purchases(
        self, ahead: int, frequency: ArrayLike, recency: ArrayLike, opportunities: ArrayLike
    ) -> NDArray[np.float64]:
        """Purchases expected at the next `ahead` opportunities.

        Parameters
        ----------
        ahead : int
            Opportunities to come.
        frequency, recency, opportunities : (rows,) whole numbers
            As in `fit_bgbb`.

        Returns
        -------
        (rows,) array, purchases

        Raises
        ------
        FitError
            For impossible rows.
        ParameterError
            For what is no number.

        Source
        ------
        Fader, Hardie and Shang (2010), equation 13, summed opportunity by opportunity.

        Examples
        --------
        >>> from analysis import stats
        >>> taken, last = [0, 1, 1, 1, 2, 2, 3], [0, 1, 2, 3, 2, 3, 3]
        >>> model = stats.fit_bgbb(taken, last, [3] * 7, weights=[40, 15, 8, 12, 14, 21, 70])
        >>> model.expected_purchases(0, [2], [2], [2]).tolist()
        [0.0]
        """
        x, last, n = _checked(frequency, recency, opportunities)
        taken = betaln(self.alpha + x + 1, self.beta + n - x) - betaln(self.alpha, self.beta)
        parameters = np.array([self.alpha, self.beta, self.gamma, self.delta])
        seen = _log_likelihood(parameters, x, last, n)
        steps = np.arange(1, int(ahead) + 1)
        there = betaln(self.gamma, self.delta + n[:, None] + steps) - betaln(self.gamma, self.delta)
        return np.asarray(np.exp((taken - seen)[:, None] + there).sum(axis=1), dtype=float)

    @in_words(rows="opportunities")
    def expected_purchases_of_new(self, opportunities: ArrayLike) -> NDArray[np.float64]:
        """Purchases of a new customer expected at the first so many opportunities.

        Parameters
        ----------
        opportunities : (rows,) whole numbers
            Zero or more.

        Returns
        -------
        (rows,) array, purchases

        Raises
        ------
        ParameterError
            For a number that is negative, missing or no whole one.

        Source
        ------
        Fader, Hardie and Shang (2010), equation 8.

        Examples
        --------
        >>> from analysis import stats
        >>> taken, last = [0, 1, 1, 1, 2, 2, 3], [0, 1, 2, 3, 2, 3, 3]
        >>> model = stats.fit_bgbb(taken, last, [3] * 7, weights=[40, 15, 8, 12, 14, 21, 70])
        >>> bool(0 < model.expected_purchases_of_new([1])[0] < model.expected_purchases_of_new([2])[0])
        True
        """
        asked = np.atleast_1d(np.asarray(opportunities, dtype=float))
        if not np.all((asked >= 0) & (asked < np.inf) & (asked == np.round(asked))):
            raise ParameterError("purchases: opportunities are whole numbers, zero or more.")
        wanted = asked.astype(int)
        steps = np.arange(1, max(int(wanted.max()), 1) + 1)
        there = np.exp(betaln(self.gamma, self.delta + steps) - betaln(self.gamma, self.delta))
        sums = np.concatenate([[0.0], np.cumsum(there)]) * self.alpha / (self.alpha + self.beta)
        return np.asarray(sums[wanted], dtype=float)


@in_words(rows="frequency recency opportunities weights")
def fit_bgbb(
    frequency: ArrayLike, recency: ArrayLike, opportunities: ArrayLike, weights: ArrayLike | None = None
) -> OpportunityModel:
    """BG/BB by maximum likelihood.

    Parameters
    ----------
    frequency : (rows,) whole numbers, purchases
        Opportunities taken; the one that made somebody a customer does not count.
    recency : (rows,) whole numbers, opportunities
        Number of the last opportunity taken, zero where none was.
    opportunities : (rows,) whole numbers
        How many there were.
    weights : (rows,) numbers, optional
        Customers a row stands for.

    Returns
    -------
    OpportunityModel

    Raises
    ------
    FitError
        For impossible rows (more purchases than opportunities, a last purchase without any, ...), for a base in which nobody or everybody
        always buys, for fewer than three opportunities (what can happen has fewer free shares than the model parameters), and where the
        likelihood has no maximum.
    ParameterError
        For what is no number.

    Source
    ------
    Fader, Hardie and Shang (2010), *Marketing Science* 29, 1086-1108, equation 7.

    Examples
    --------
    >>> from analysis import stats
    >>> taken, last = [0, 1, 1, 1, 2, 2, 3], [0, 1, 2, 3, 2, 3, 3]
    >>> model = stats.fit_bgbb(taken, last, [3] * 7, weights=[40, 15, 8, 12, 14, 21, 70])
    >>> model.customers
    180.0
    """
    x, last, n = _checked(frequency, recency, opportunities)
    weight = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=float)
    if not (weight >= 0).all() or not weight.sum() > 0:
        raise FitError("purchases: weights are zero or more, and not all zero.")
    if not (x * weight).any() or ((x == n) | (weight == 0)).all():
        raise FitError(
            "purchases: nobody ever bought, or everybody took every opportunity; neither chance can be told."
        )
    # of n opportunities there are n (n + 1) / 2 + 1 different histories, whose shares add up to one
    shares = sum(int(some) * (int(some) + 1) // 2 for some in np.unique(n[weight > 0]))
    if shares < len(_NAMES):
        raise FitError(
            "purchases: {shares} shares of different histories cannot tell {parameters} parameters; give customers of at least three opportunities.",
            shares=str(shares),
            parameters=str(len(_NAMES)),
        )
    fit = maximise(_objective(x, last, n, weight), np.array([1.0, 1.0, 1.0, 3.0]), names=_NAMES, what="BG/BB")
    alpha, beta, gamma, delta = map(float, fit.estimate)
    return OpportunityModel(
        alpha=alpha,
        beta=beta,
        gamma=gamma,
        delta=delta,
        log_likelihood=fit.log_likelihood,
        customers=float(weight.sum()),
        fit=fit,
    )


def _objective(x: Array, last: Array, n: Array, weight: Array) -> Objective:
    from statsmodels.tools.numdiff import approx_fprime, approx_hess3

    def total(parameters: Array) -> float:
        return float(weight @ _log_likelihood(parameters, x, last, n))

    def objective(parameters: Array) -> tuple[float, Array, Array]:
        return (
            total(parameters),
            np.asarray(approx_fprime(parameters, total, centered=True)),
            np.asarray(approx_hess3(parameters, total)),
        )

    return objective


def _log_likelihood(parameters: Array, x: Array, last: Array, n: Array) -> Array:
    """Of each row: alive to the end, or gone before one of the opportunities after the last one taken."""
    alpha, beta, gamma, delta = parameters
    norm = betaln(alpha, beta) + betaln(gamma, delta)
    terms = [betaln(alpha + x, beta + n - x) + betaln(gamma, delta + n) - norm]
    for silent in range(int((n - last).max())):
        gone = last + silent
        term = betaln(alpha + x, beta + gone - x) + betaln(gamma + 1, delta + gone) - norm
        terms.append(np.where(gone < n, term, -np.inf))
    return np.asarray(np.logaddexp.reduce(terms, axis=0), dtype=float)


def _checked(
    frequency: ArrayLike, recency: ArrayLike, opportunities: ArrayLike
) -> tuple[Array, Array, Array]:
    x, last, n = (np.asarray(values, dtype=float) for values in (frequency, recency, opportunities))
    columns = np.stack([x, last, n])
    if not (np.isfinite(columns).all() and (columns == np.floor(columns)).all()):
        raise FitError("purchases: opportunities taken and there are whole numbers.")
    wrong = (x < 0) | (x > last) | (last > n) | ((x == 0) != (last == 0)) | (n < 1)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise FitError(
            f"purchases: {int(wrong.sum())} impossible rows, the first with {x[first]:g} taken, the last at {last[first]:g}, of {n[first]:g}."
        )
    return x, last, n
