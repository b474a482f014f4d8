"""Customer lifetime value from plain columns: for an analyst with a frame and no engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import ParameterError, suggestion
from analysis.results import Interval
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike

    from analysis.stats.purchases import GeometricModel, ParetoModel

DAYS_PER_UNIT = {"days": 1.0, "weeks": 7.0, "months": 365.25 / 12}
Model = Literal["bg_nbd", "mbg_nbd", "pareto_nbd"]
STEPS_PER_YEAR = 4  # purchases to come are discounted from the middle of each quarter


@dataclass(frozen=True, kw_only=True, eq=False)
class CustomerValues(Summarised):
    """Expected value of each customer and of all together.

    Attributes
    ----------
    table : one row per customer, in the order given: ``p_alive``, ``expected_purchases`` (over the horizon, not discounted), ``value_per_purchase``
        (spend times ``margin_share``), ``clv`` (discounted).
    total, interval : of all together; the interval holds the parameters of both models, drawn from their Hessians.
    model, unit, horizon, discount_rate : as asked for.
    purchases, spend : the fitted models.

    Examples
    --------
    >>> from analysis import value
    >>> found = value.clv(
    ...     [0, 1, 2, 6, 12, 1] * 8, [0, 4, 10, 38, 39, 30] * 8, [39] * 48, [0, 20, 35, 30, 45, 25] * 8,
    ...     unit="weeks", horizon=52, discount_rate=0.08, draws=10,
    ... )
    >>> bool(abs(found.table["clv"].sum() - found.total) < 1e-6), len(found.table)
    (True, 48)
    """

    table: pd.DataFrame
    total: float
    interval: Interval
    model: str
    unit: str
    horizon: float
    discount_rate: float
    purchases: Any
    spend: Any


def clv(
    frequency: ArrayLike,
    recency: ArrayLike,
    T: ArrayLike,
    monetary: ArrayLike,
    *,
    unit: str,
    horizon: float,
    discount_rate: float | None = None,
    margin_share: float = 1.0,
    model: Model = "bg_nbd",
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> CustomerValues:
    """Discounted value of the purchases still to come.

    Parameters
    ----------
    frequency : (customers,) whole numbers, purchases
        Repeat purchases.
    recency, T : (customers,) numbers, in `unit`
        Time of the last purchase and time observed, both counted from the first purchase.
    monetary : (customers,) numbers, in one currency
        Mean value of the repeat purchases (not read where the frequency is zero); for a margin give ``margin_share``, not a negative value.
    unit : str
        ``days``, ``weeks`` (seven days) or ``months`` (365.25 / 12 days); there is no hidden 30-day month.
    horizon : float, in `unit`
        How far ahead.
    discount_rate : float, share per year; optional in the signature only
        There is no horizon without one (0 is a choice, stated).
    margin_share : float, share of spend
        That is margin; 1 values revenue.
    model : str
        ``bg_nbd``, ``mbg_nbd`` or ``pareto_nbd``.
    level : float, share 0 to 1
        Coverage of the interval of the total.
    draws, seed : int
        Of the parameters, for the interval of the total; its method names how many. A thousand leave 25 beyond each limit of a 95 % interval, and
        another seed moves a limit by about a twelfth of a standard error.

    Returns
    -------
    CustomerValues

    Raises
    ------
    FitError
        From the models, for recency above T, frequency without recency, negative spend, and where a model has no maximum.
    ParameterError
        For a horizon without a discount rate, an unknown model or unit.

    Notes
    -----
    Spend is independent of frequency in the Gamma-Gamma model: look at ``.spend.correlation``.

    Examples
    --------
    >>> from analysis import value
    >>> value.clv([1, 2], [5, 9], [20, 20], [30.0, 40.0], unit="weeks", horizon=52)
    Traceback (most recent call last):
        ...
    analysis.errors.ParameterError: clv: a horizon of 52 weeks without a discount rate; state the yearly rate at which what comes later is worth less (0 if it is not).
    """
    import numpy as np
    import pandas as pd

    from analysis import stats

    if unit not in DAYS_PER_UNIT:
        raise ParameterError(f"clv: unknown unit {unit!r}.{suggestion(unit, DAYS_PER_UNIT)}")
    if discount_rate is None:
        raise ParameterError(
            f"clv: a horizon of {horizon:g} {unit} without a discount rate; state the yearly rate at which what comes later is worth less (0 if it is not)."
        )
    if not horizon > 0 or not discount_rate > -1:
        raise ParameterError(
            f"clv: horizon {horizon:g} should be above zero and discount_rate {discount_rate:g} above -1."
        )
    fit: dict[str, Callable[..., GeometricModel | ParetoModel]] = {
        "bg_nbd": stats.fit_bgnbd,
        "mbg_nbd": stats.fit_mbgnbd,
        "pareto_nbd": stats.fit_pareto_nbd,
    }
    if model not in fit:
        raise ParameterError(f"clv: unknown model {model!r}.{suggestion(model, fit)}")
    x, recent, age = (np.atleast_1d(np.asarray(column, dtype=float)) for column in (frequency, recency, T))
    mean = np.where(x > 0, np.atleast_1d(np.asarray(monetary, dtype=float)), 0.0)
    purchases = fit[model](x, recent, age, unit=unit)
    spend = stats.fit_gamma_gamma(x, mean)
    history = np.column_stack([x, recent, age])
    distinct, place = np.unique(history, axis=0, return_inverse=True)
    place = place.reshape(-1)
    steps = _steps(unit, horizon, discount_rate)
    discounted = _discounted(purchases, distinct, steps)[place]
    worth = spend.expected_value(x, mean) * margin_share
    table = pd.DataFrame(
        {
            "p_alive": purchases.probability_alive(*distinct.T)[place],
            "expected_purchases": purchases.expected_purchases(horizon, *distinct.T)[place],
            "value_per_purchase": worth,
            "clv": discounted * worth,
        }
    )
    total = float(table["clv"].sum())
    drawn = _drawn_totals(purchases, spend, distinct, place, x, mean, steps, margin_share, draws, seed)
    tail = (1 - level) / 2
    low, high = (float(edge) for edge in np.quantile(drawn, [tail, 1 - tail]))
    return CustomerValues(
        table=table,
        total=total,
        interval=Interval(
            low=min(low, total),
            high=max(high, total),
            level=level,
            method=f"{draws:,} draws from the Hessian",
        ),
        model=model,
        unit=unit,
        horizon=float(horizon),
        discount_rate=float(discount_rate),
        purchases=purchases,
        spend=spend,
    )


def _steps(unit: str, horizon: float, rate: float) -> list[tuple[float, float]]:
    """(end of the step in the unit, discount factor at its middle)."""
    import numpy as np

    per_year = 365.25 / DAYS_PER_UNIT[unit]
    edges = np.linspace(0.0, horizon, max(1, int(np.ceil(horizon / per_year * STEPS_PER_YEAR - 1e-9))) + 1)
    return [
        (float(high), float((1 + rate) ** (-(low + high) / 2 / per_year)))
        for low, high in zip(edges[:-1], edges[1:], strict=True)
    ]


def _discounted(model: Any, distinct: np.ndarray, steps: list[tuple[float, float]]) -> np.ndarray:
    import numpy as np

    before, found = np.zeros(len(distinct)), np.zeros(len(distinct))
    for until, factor in steps:
        reached = model.expected_purchases(until, *distinct.T)
        found += (reached - before) * factor
        before = reached
    return found


def _drawn_totals(
    purchases: Any,
    spend: Any,
    distinct: np.ndarray,
    place: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
    steps: list[tuple[float, float]],
    margin_share: float,
    draws: int,
    seed: int,
) -> np.ndarray:
    """Totals at parameters drawn from the normal distribution of their logarithms."""
    from dataclasses import replace

    import numpy as np

    generator = np.random.default_rng(seed)

    def drawn(model: Any) -> list[Any]:
        names, fit = model.fit.names, model.fit
        logs = generator.multivariate_normal(
            np.log(fit.estimate), fit.log_covariance, size=draws, method="cholesky"
        )
        return [replace(model, **dict(zip(names, map(float, np.exp(row)), strict=True))) for row in logs]

    return np.array(
        [
            float(_discounted(one, distinct, steps)[place] @ (two.expected_value(x, mean) * margin_share))
            for one, two in zip(drawn(purchases), drawn(spend), strict=True)
        ]
    )
