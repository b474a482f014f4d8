"""Months that fall outside what tickets, trend and season explain, and what drove them.

An individuals chart of each series' deviation from its own regression, on the log scale. Limits are never computed from the months under
suspicion: a robust fit names the first suspects, the regression is fitted anew without them, every month is judged by how far it lies from
what the other unsuspected months predict for it, and this is repeated until the suspects no longer change. The limit pays for looking at
many months of many series (Bonferroni), so that a company where nothing happened shows a month in at most one report in twenty.

Sources: Montgomery, Introduction to Statistical Quality Control, 7th ed. (2013), sections 6.4 (individuals) and 6.2.2 (trial limits, points
under suspicion removed); Cook and Weisberg (1982), Residuals and Influence in Regression, section 2.2 (deleted residuals).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from analysis.metrics import traced
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
ROUNDS = 10
LEAST_MONTHS = 18


@dataclass(frozen=True, kw_only=True)
class UnusualMonth(Summarised):
    """A series outside its limits in one month: places count from the first month; money is in the unit of the series.

    ``error`` is the standard error of the month's logarithm as predicted from the others, with its degrees of ``freedom``.
    """

    series: str
    place: int
    actual: float
    expected: float
    low: float
    high: float
    error: float
    freedom: float

    @property
    def gap(self) -> float:
        return self.actual - self.expected

    def expected_limits(self, confidence: float) -> tuple[float, float]:
        """Limits of what the month would have been had nothing happened, itself alone looked at."""
        reach = float(np.exp(stdtrit(self.freedom, (1 + confidence) / 2) * self.error))
        return self.expected / reach, self.expected * reach


@traced
def unusual_months(
    costs: Mapping[str, Floats], tickets: Floats, *, within: int, level: float
) -> list[UnusualMonth]:
    """Months of the last ``within`` in which a series lies outside its limits.

    Parameters
    ----------
    costs : name of a series → cost by month, oldest first; a series that is not positive in every month is left out
    tickets : tickets of the same months, positive
    level : chance that any month of any series is named although nothing happened (independent errors; a little less holds for errors that
        hang together, see the tests)

    Notes
    -----
    Explained: log tickets, a straight trend and one sine and cosine of the year. Limits are prediction limits for one month.
    """
    series = {
        name: values for name, values in costs.items() if len(values) >= LEAST_MONTHS and (values > 0).all()
    }
    found = []
    for name, values in series.items():
        found += _of_series(name, values, tickets, within=within, level=level / (len(series) * within))
    return sorted(found, key=lambda month: (month.place, month.series))


@traced
def _of_series(
    name: str, values: Floats, tickets: Floats, *, within: int, level: float
) -> list[UnusualMonth]:
    design, logs = _design(tickets), np.log(values)
    count = len(values)
    suspects = np.zeros(count, dtype=bool)
    rest = logs - design @ _robust(design, logs)
    spread = 1.4826 * np.median(np.abs(rest))
    if spread > 0:
        suspects = _worst(np.abs(rest) / spread, beyond=3.0, most=count // 4)
    predicted, error, freedom, reach = logs, np.zeros(count), 1.0, np.zeros(count)
    for _ in range(ROUNDS):
        predicted, error, freedom = _predicted(design, logs, suspects)
        reach = float(stdtrit(freedom, 1 - level / 2)) * error
        outside = np.abs(logs - predicted) > reach
        outside = _worst(
            np.where(outside, np.abs(logs - predicted) / np.maximum(reach, 1e-300), 0.0),
            beyond=1.0,
            most=count // 4,
        )
        if (outside == suspects).all():
            break
        suspects = outside
    return [
        UnusualMonth(
            series=name,
            place=int(place),
            actual=float(values[place]),
            expected=float(np.exp(predicted[place])),
            low=float(np.exp(predicted[place] - reach[place])),
            high=float(np.exp(predicted[place] + reach[place])),
            error=float(error[place]),
            freedom=freedom,
        )
        for place in np.flatnonzero(suspects)
        if place >= count - within and abs(logs[place] - predicted[place]) > reach[place]
    ]


@traced
def elasticity_of(costs: Floats, tickets: Floats, *, kept: NDArray[np.bool_]) -> float:
    """By how many percent a series follows one percent more tickets, between nothing and one; nothing where it cannot be seen."""
    design = _design(tickets)
    if design.shape[1] < 5 or not (costs[kept] > 0).all() or int(kept.sum()) < LEAST_MONTHS:
        return 0.0
    found = np.linalg.lstsq(design[kept], np.log(costs[kept]), rcond=None)[0]
    return float(np.clip(found[-1], 0.0, 1.0))


@traced
def _design(tickets: Floats) -> Floats:
    time = np.arange(len(tickets), dtype=float)
    angle = 2 * np.pi * time / 12
    terms = [np.ones(len(tickets)), (time - time.mean()) / len(time), np.sin(angle), np.cos(angle)]
    if np.ptp(tickets) > 0:
        terms.append(np.log(tickets / tickets.mean()))
    return np.column_stack(terms)


@traced
def _worst(scores: Floats, *, beyond: float, most: int) -> NDArray[np.bool_]:
    """The largest scores beyond a line, at most so many: a chart without a majority in control has no centre."""
    chosen = np.zeros(len(scores), dtype=bool)
    for place in np.argsort(-scores, kind="stable")[:most]:
        chosen[place] = scores[place] > beyond
    return chosen


@traced
def _predicted(design: Floats, logs: Floats, suspects: NDArray[np.bool_]) -> tuple[Floats, Floats, float]:
    """Each month's value as the unsuspected months without itself predict it, the prediction's error, and its degrees of freedom."""
    kept = ~suspects
    inverse = np.linalg.pinv(design[kept].T @ design[kept])
    rest = logs - design @ (inverse @ design[kept].T @ logs[kept])
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    freedom = int(kept.sum()) - design.shape[1] - 1
    squares = float((rest[kept] ** 2).sum())
    # a kept month is taken out of its own prediction (deleted residual); a suspect is not in it anyway
    apart = np.where(kept, rest / np.maximum(1 - leverage, 1e-9), rest)
    variance = np.where(
        kept, (squares - rest**2 / np.maximum(1 - leverage, 1e-9)) / freedom, squares / (freedom + 1)
    )
    widened = np.where(kept, 1 / np.maximum(1 - leverage, 1e-9), 1 + leverage)
    return logs - apart, np.sqrt(np.maximum(variance, 0.0) * widened), float(freedom)


@traced
def _robust(design: Floats, values: Floats) -> Floats:
    """Least absolute deviations by reweighting, so that the month that stands out does not pull its own expectation."""
    weights = np.ones(len(values))
    coefficients: Floats = np.zeros(design.shape[1], dtype=np.float64)
    for _ in range(30):
        root = np.sqrt(weights)[:, None]
        coefficients = np.asarray(
            np.linalg.lstsq(design * root, values * root[:, 0], rcond=None)[0], dtype=np.float64
        )
        weights = 1 / np.maximum(np.abs(values - design @ coefficients), 1e-6 * np.abs(values).max() + 1e-12)
    return np.asarray(coefficients, dtype=np.float64)
