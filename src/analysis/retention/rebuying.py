"""Repurchase after service: only customers whose window has closed, beside customers like them without service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.errors import MissingData
from analysis.metrics import Period, StudyInputs
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.standing import felt, observed_from, zone
from analysis.retention.stating import TOO_FEW, estimate, plain, share

if TYPE_CHECKING:
    import pandas as pd

WINDOW = 12
STRATUM = ("landmark", "customer_type", "segment", "orders_band", "recency_band", "age_band")
ARMS = ("good", "bad")
SEVERITIES = ("minor", "major", "critical")
SOURCES = ("orders", "tickets", "customers", "customer_history")


@dataclass(frozen=True, kw_only=True, eq=False)
class Rebuying:
    """One group of served customers beside its matches."""

    arm: str
    severity: str
    served: Fact
    matched: Fact
    difference: Fact
    p_value: float | None
    unmatched: int


def rebuying(inputs: StudyInputs) -> tuple[Rebuying, ...]:
    """Served well, served badly (late complaint or repeat repair), and each severity of the former, against matched customers."""
    inputs.engine.require("orders.ordered_at", "orders.revenue", "tickets.resolved_at")
    first, last = Month.parse(observed_from(inputs)) + 3, inputs.month - (WINDOW - 1)
    landmarks = [first + step for step in range(0, max(last.months_since(first), -1) + 1, 3)]
    if not landmarks:
        raise MissingData("orders.ordered_at")
    frame = inputs.engine.query(
        views.repurchase_strata(felt(inputs), inputs.month.end, [one.start for one in landmarks], window_months=WINDOW, zone=zone(inputs))
    )
    period = Period(landmarks[0], inputs.month)
    groups = [("good", "all"), ("bad", "all"), *(("good", severity) for severity in SEVERITIES)]
    return tuple(_group(inputs, frame, arm, severity, period) for arm, severity in groups)


def _group(inputs: StudyInputs, frame: pd.DataFrame, arm: str, severity: str, period: Period) -> Rebuying:
    served = frame[(frame["arm"] == arm) & ((frame["severity"] == severity) if severity != "all" else True)]
    place = {"arm": arm, "severity": severity}
    found = matched(served, frame[frame["arm"] == "none"])
    rate = share(inputs, "repurchase_rate_after_service", found["bought"], found["served"], period=period, dimensions=place, sources=SOURCES)
    if found["served"] < 30 or not found["error"] > 0:
        missing = [plain(inputs, metric, None, reason=TOO_FEW, period=period, dimensions=place, sources=SOURCES) for metric in ("matched_repurchase_rate", "matched_repurchase_difference")]
        return Rebuying(arm=arm, severity=severity, served=rate, matched=missing[0], difference=missing[1], p_value=None, unmatched=int(found["unmatched"]))
    from scipy.stats import norm

    z = float(norm.ppf(0.5 + inputs.confidence / 2))
    n, value, error, side = int(found["served"]), found["difference"], found["error"], z * found["matched_error"]
    return Rebuying(
        arm=arm, severity=severity, served=rate,
        matched=estimate(inputs, "matched_repurchase_rate", found["matched"], max(0.0, found["matched"] - side), min(1.0, found["matched"] + side), method="Exact matching, weighted", period=period, dimensions=place, n=int(found["controls"]), sources=SOURCES),
        difference=estimate(inputs, "matched_repurchase_difference", value, value - z * error, value + z * error, method="Exact matching, weighted", period=period, dimensions=place, n=n, sources=SOURCES),
        p_value=float(2 * norm.sf(abs(value / error))), unmatched=int(found["unmatched"]),
    )  # fmt: skip


def matched(served: pd.DataFrame, controls: pd.DataFrame, *, stratum: Sequence[str] = STRATUM) -> Mapping[str, float]:
    """Served customers against controls of the same stratum, strata weighted by the served.

    Parameters
    ----------
    served, controls : counts by stratum: the columns of ``stratum``, ``customers`` and ``bought``.

    Returns
    -------
    ``served`` (customers with a match), ``bought``, ``matched`` (rate of controls so weighted), ``difference``, ``error`` (of the difference; a control may stand in for
    several landmarks, so it is enlarged by the share of controls counted again), ``unmatched`` (served without a match, left out).
    """
    import numpy as np

    names = list(stratum)
    one = served.groupby(names, as_index=False)[["customers", "bought"]].sum()
    other = controls.groupby(names, as_index=False)[["customers", "bought"]].sum()
    both = one.merge(other, on=names, suffixes=("", "_control"), how="left", validate="one_to_one")
    found = both[both["customers_control"] > 0]
    n = float(found["customers"].sum())
    result = {"served": n, "bought": float(found["bought"].sum()), "unmatched": float(both["customers"].sum()) - n, "controls": float(found["customers_control"].sum())}
    if not n:
        return result | {"matched": float("nan"), "difference": float("nan"), "error": 0.0, "matched_error": 0.0}
    weight, controls_n = found["customers"] / n, found["customers_control"]
    rate = found["bought_control"] / controls_n
    base = float((weight * rate).sum())
    # within a stratum by its smoothed rate, so that an empty or full cell does not claim certainty
    smooth = (found["bought_control"] + base) / (controls_n + 1)
    own = (found["bought"] + smooth) / (found["customers"] + 1)
    repeats = _repeats(controls, names)
    matched_error = float(np.sqrt((weight**2 * smooth * (1 - smooth) / controls_n).sum() * repeats))
    served_error = float(np.sqrt((weight**2 * own * (1 - own) / found["customers"]).sum()))
    return result | {"matched": base, "difference": result["bought"] / n - base, "error": float(np.hypot(matched_error, served_error)), "matched_error": matched_error}


def _repeats(controls: pd.DataFrame, names: Sequence[str]) -> float:
    """At most how often one control is counted with the same year of outcome: windows of twelve months at quarterly landmarks overlap four times."""
    landmarks = controls["landmark"].nunique() if "landmark" in names else 1
    return float(min(landmarks, WINDOW // 3))
