"""Limits, rounding and reasons of what a model says, the same in every topic."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Interval

T = TypeVar("T")
LEAST_CORRELATION = 0.2
Floats = NDArray[np.float64]
FEW_MONTHS = Text.of("no interval: fewer than three months")


def interval_of(low: float, high: float, level: float, method: str) -> Interval | None:
    """The interval between two limits, in either order; None where one is not finite (nothing failed outside, or too little is known)."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    return Interval.spanning(low=float(low), high=float(high), level=level, method=method)


def scale_limits(scale: float, *, freedom: float, level: float) -> tuple[float, float]:
    """Limits of a standard deviation estimated with so many degrees of freedom: chi-square."""
    from scipy.stats import chi2

    low, high = chi2.ppf([(1 + level) / 2, (1 - level) / 2], freedom)
    return scale * float(np.sqrt(freedom / low)), scale * float(np.sqrt(freedom / high))


def ratio_limits(above: Floats, below: Floats, *, level: float, method: str) -> dict[str, Any]:
    """The interval of a ratio of two sums over months that are never negative; of fewer than three months, the reason."""
    from analysis.stats import ratio_interval

    if len(above) < 3:
        return {"reason": FEW_MONTHS}
    found = ratio_interval(above, below, level=level, correlation=LEAST_CORRELATION)
    return {"interval": interval_of(max(0.0, float(found.low)), found.high, level, method)}


def jointly(level: float, number: int) -> float:
    """Coverage of each of several intervals that hold together (Bonferroni), up to the next tenth of a percent."""
    return (
        min(float(np.ceil(1000 * (1 - (1 - level) / max(number, 1)) - 1e-9)) / 1000, 0.999)
        if number > 1
        else level
    )


def whole(value: float) -> float:
    """An expected count as it is published: whole failures from a hundred on, one place below."""
    return float(round(value)) if value >= 100 else round(float(value), 1)


def of_what(lead: Text, rest: Text) -> Text:
    """A reason and what it is about, or a name and its reason: ``lead: rest``."""
    return Text.joined((lead, rest), en=": ", zh="：")


def all_reasons(reasons: Iterable[Text]) -> NotDone:
    """Not done for several reasons; each is said once."""
    return NotDone(reason=Text.joined(dict.fromkeys(reasons), en="; ", zh="；"))


def those_made(parts: Iterable[tuple[Text, T | NotDone]], *, none: Text) -> tuple[T, ...] | NotDone:
    """The parts that were made; where none was, the reason of each by its name, and ``none`` where none was asked for."""
    asked = list(parts)
    found = tuple(part for _, part in asked if not isinstance(part, NotDone))
    return found or all_reasons(
        [of_what(name, part.reason) for name, part in asked if isinstance(part, NotDone)] or [none]
    )
