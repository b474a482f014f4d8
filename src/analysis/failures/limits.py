"""Limits and rounding of what a model says, the same in every topic."""

from __future__ import annotations

import numpy as np

from analysis.results import Interval


def interval_of(low: float, high: float, level: float, method: str) -> Interval | None:
    """The interval between two limits; None where one is not finite (nothing failed outside, or too little is known)."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    return Interval(low=float(low), high=float(high), level=level, method=method)


def whole(value: float) -> float:
    """An expected count as it is published: whole failures from a hundred on, one place below."""
    return float(round(value)) if value >= 100 else round(float(value), 1)
