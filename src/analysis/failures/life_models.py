"""Which life distribution suits a component: five of them on the same fortnightly counts, and the points of a probability plot.

The choice follows a rule that was fixed before any result was seen: the Weibull of two parameters is used unless another has a Schwarz
criterion lower by more than ten ("very strong", Kass and Raftery 1995, JASA 90, 773-795).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from analysis.errors import FitError
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.metrics.lineage import traced
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from analysis.stats.intervals import Interval

OPEN = Text.of("not computed: its interval is open")
DAYS_PER_MONTH = 30.4375
SPAN_DAYS = 14
SPAN = SPAN_DAYS / DAYS_PER_MONTH
STANDARD, VERY_STRONG = "weibull", 10.0
MODELS = ("exponential", "weibull", "weibull_threshold", "lognormal", "mixture")


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedModel(Summarised):
    """One distribution of one component; ``excess`` is its Schwarz criterion above the lowest. ``b10`` is not done where it has no interval."""

    model: str
    parameters: int
    log_likelihood: float
    bic: float
    excess: float
    b10: Interval | NotDone
    used: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class AgeCounts(Summarised):
    """Failures and machines watched by fortnight of age; ``failures[k]`` and ``machines[k]`` belong to ages from k to k + 1 fortnights."""

    failures: NDArray[np.float64]
    machines: NDArray[np.float64]

    @classmethod
    def of(cls, part: pd.DataFrame, watched: pd.DataFrame) -> AgeCounts:
        """From failures by age in days and machines by the ages between which they were watched; ages are rounded to fortnights."""
        begin = np.rint(watched["begin_days"].to_numpy(dtype=float) / SPAN_DAYS).astype(int)
        end = np.rint(watched["end_days"].to_numpy(dtype=float) / SPAN_DAYS).astype(int)
        held = watched["machines"].to_numpy(dtype=float)
        age = part["age_days"].to_numpy(dtype=int) // SPAN_DAYS
        size = int(max(end.max(initial=0), age.max(initial=0))) + 1
        failed = np.bincount(age, weights=part["failures"].to_numpy(dtype=float), minlength=size)
        machines = np.cumsum(
            np.bincount(begin, weights=held, minlength=size) - np.bincount(end, weights=held, minlength=size)
        )
        # a failure in a fortnight that rounding left without machines had at least itself at risk
        return cls(
            failures=np.asarray(failed, dtype=float), machines=np.maximum(machines, failed).astype(float)
        )

    @property
    def rows(self) -> dict[str, NDArray[np.float64]]:
        """For the fits: failures known to a fortnight, given that the machine was watched at its start; machines that went through one."""
        age_at = np.arange(len(self.failures)) * SPAN
        # a repaired machine is watched on: d log H − n H in all. A failure known to a span gives log(1 − exp(−H)), about log H − H / 2
        through = np.maximum(self.machines - self.failures / 2, 0.0)
        hit, held = self.failures > 0, through > 0
        return {
            "lower": np.r_[age_at[hit], age_at[held] + SPAN],
            "upper": np.r_[age_at[hit] + SPAN, np.full(int(held.sum()), np.inf)],
            "entry": np.r_[age_at[hit], age_at[held]],
            "weights": np.r_[self.failures[hit], through[held]],
        }


@traced
def compared(
    counts: AgeCounts, *, level: float, mixture: bool = True
) -> tuple[tuple[FittedModel, ...], dict[str, NotDone]]:
    """All models that can be fitted, in the order of :data:`MODELS`, the one that is used marked; and why the others cannot.

    A failed component is repaired and its machine goes on ageing, so a model stands for the intensity by age of the machine (minimal repair):
    a failure is a unit watched from the start of its fortnight. ``mixture=False`` leaves out the slow one of the five.
    """
    fits: dict[str, Any] = {}
    not_fitted: dict[str, NotDone] = {}
    for name, fit in _fitters(counts).items():
        if name == "mixture" and not mixture:
            continue
        try:
            fits[name] = fit()
        except FitError as refusal:
            not_fitted[name] = NotDone.because(refusal)
    if STANDARD not in fits:
        return (), not_fitted
    lowest = min(fit.bic for fit in fits.values())
    used = chosen({name: fit.bic for name, fit in fits.items()})
    sizes = {"exponential": 1, "weibull": 2, "weibull_threshold": 3, "lognormal": 2, "mixture": 5}
    models = tuple(
        FittedModel(
            model=name,
            parameters=sizes[name],
            log_likelihood=fits[name].log_likelihood,
            bic=fits[name].bic,
            excess=fits[name].bic - lowest,
            b10=_b10(fits[name], level),
            used=name == used,
        )
        for name in MODELS
        if name in fits
    )
    return models, not_fitted


def chosen(criteria: dict[str, float]) -> str:
    """The Weibull of two parameters, unless the lowest Schwarz criterion lies more than ten below its own."""
    lowest = min(sorted(criteria), key=lambda name: criteria[name])
    return lowest if criteria[STANDARD] - criteria[lowest] > VERY_STRONG else STANDARD


@traced
def _fitters(counts: AgeCounts) -> dict[str, Callable[[], Any]]:
    from analysis import stats

    rows = counts.rows
    middle = np.where(np.isfinite(rows["upper"]), (rows["lower"] + rows["upper"]) / 2, rows["lower"])
    failed = np.isfinite(rows["upper"])
    return {
        "exponential": lambda: stats.fit_exponential(None, **rows),
        "weibull": lambda: stats.fit_weibull(None, **rows),
        "weibull_threshold": lambda: stats.fit_weibull_threshold(
            middle, failed, resolution=SPAN, entry=rows["entry"], weights=rows["weights"]
        ),
        "lognormal": lambda: stats.fit_lognormal(None, **rows),
        "mixture": lambda: stats.fit_weibull_mixture(
            None, entry=rows["entry"], weights=rows["weights"], lower=rows["lower"], upper=rows["upper"]
        ),
    }


def _b10(fit: Any, level: float) -> Interval | NotDone:
    try:
        found: Interval = fit.b_life(0.1, level=level)
    except FitError as refusal:
        return NotDone.because(refusal)
    return found if np.isfinite([found.low, found.high]).all() else NotDone(reason=OPEN)


@dataclass(frozen=True, kw_only=True, eq=False)
class PlotPoints(Summarised):
    """Share failed by age without a model (``age`` in months, ``share`` and its limits), beside the fitted Weibull with its band at ``fit_age``."""

    age: NDArray[np.float64]
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    fit_age: NDArray[np.float64]
    fitted: tuple[Interval, ...]


@traced
def plot_points(counts: AgeCounts, fit: Any, *, level: float, points: int = 24) -> PlotPoints:
    """Nelson–Aalen by fortnight turned into a share failed, at ``points`` ages equally far apart on the log scale."""
    held = np.where(counts.machines > 0, counts.machines, 1.0)
    hazard, variance = np.cumsum(counts.failures / held), np.cumsum(counts.failures / held**2)
    last = int(np.flatnonzero(counts.failures)[-1])
    age_at = np.unique(np.rint(np.geomspace(1, last + 1, points)).astype(int))
    age_at = age_at[hazard[age_at - 1] > 0]
    hazard, variance = hazard[age_at - 1], variance[age_at - 1]
    # limits of the logarithm of the cumulative hazard (Kalbfleisch and Prentice 2002, 1.4): never below zero
    reach = np.exp(ndtri((1 + level) / 2) * np.sqrt(variance) / hazard)
    ages = age_at * SPAN
    at = np.geomspace(ages[0], ages[-1], 9)
    return PlotPoints(
        age=ages,
        share=-np.expm1(-hazard),
        low=-np.expm1(-hazard / reach),
        high=-np.expm1(-hazard * reach),
        fit_age=at,
        fitted=tuple(fit.failure_share(float(age), level=level) for age in at),
    )
