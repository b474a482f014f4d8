"""After service: who bought again and who left, only windows that have closed, beside customers like them without service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.errors import MissingData
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.settings import load_settings
from analysis.retention.standing import contracts, felt, observed_from
from analysis.retention.stating import TOO_FEW, estimate, plain, share
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

STRATUM = ("landmark", "customer_type", "segment", "orders_band", "recency_band", "age_band")
LEAVER_STRATUM = ("landmark", "kind", "customer_type", "segment", "due_in", "age_band")
LEAVER_WINDOW = 6
SEVERITIES = ("minor", "major", "critical")
LANDMARK_STEP = 3  # months between landmarks


@dataclass(frozen=True, kw_only=True, eq=False)
class Rebuying(Summarised):
    """One group of served customers beside its matches, within a window of months."""

    window: int
    arm: str
    severity: str
    served: Fact
    matched: Fact
    difference: Fact
    p_value: float | None
    unmatched: int


@traced
def rebuying(inputs: StudyInputs) -> tuple[Rebuying, ...]:
    """Served well, served badly (late complaint or repeat repair), and each severity of the former, against matched customers; every stated window."""
    import pandas as pd

    inputs.engine.require("orders.ordered_at", "orders.revenue", "tickets.resolved_at")
    made: list[Rebuying] = []
    windows = sorted(load_settings().repurchase_windows_months, reverse=True)
    every = [one.start for one in _landmarks(inputs, windows[-1])]
    if not every:
        raise MissingData("orders.ordered_at")
    counts = inputs.engine.query(
        views.repurchase_strata(felt(inputs), inputs.month.end, every, windows_months=windows)
    )
    days = pd.to_datetime(counts["landmark"])
    for window in windows:
        landmarks = _landmarks(inputs, window)
        if not landmarks:
            continue
        frame = counts[days.isin([pd.Timestamp(one.start) for one in landmarks])].rename(
            columns={f"bought_{window}": "bought"}
        )
        groups = [("good", "all"), ("bad", "all"), *(("good", severity) for severity in SEVERITIES)]
        made += [
            _group(inputs, frame, _REBUYING, window, arm, severity, Period(landmarks[0], inputs.month))
            for arm, severity in groups
        ]
    return tuple(made)


@traced
def leaving_after_repair(inputs: StudyInputs) -> tuple[Rebuying, ...]:
    """Contracts lost within six months of a landmark after a repair, and after a repeat repair, against matched customers who never asked for service."""
    inputs.engine.require("contracts.starts_on", "contracts.ends_on", "tickets.resolved_at")
    landmarks = _landmarks(inputs, LEAVER_WINDOW)
    if not landmarks:
        raise MissingData("tickets.resolved_at")
    frame = inputs.engine.query(
        views.leavers_strata(
            contracts(inputs),
            felt(inputs),
            inputs.month.end,
            [one.start for one in landmarks],
            window_months=LEAVER_WINDOW,
        )
    )
    return tuple(
        _group(inputs, frame, _LEAVING, LEAVER_WINDOW, arm, "all", Period(landmarks[0], inputs.month))
        for arm in ("repaired", "repeated")
    )


@traced
def _landmarks(inputs: StudyInputs, window: int) -> list[Month]:
    """Quarterly days whose windows have closed, the first a quarter after service records begin."""
    first, last = Month.parse(observed_from(inputs)) + LANDMARK_STEP, inputs.month - (window - 1)
    return [first + step for step in range(0, max(last.months_since(first), -1) + 1, LANDMARK_STEP)]


@dataclass(frozen=True)
class _Metrics:
    served: str
    matched: str
    difference: str
    stratum: tuple[str, ...]
    served_again: bool  # a customer may be served in several quarters


_REBUYING = _Metrics(
    "repurchase_rate_after_service",
    "matched_repurchase_rate",
    "matched_repurchase_difference",
    STRATUM,
    served_again=False,
)
_LEAVING = _Metrics(
    "loss_rate_after_repair",
    "matched_loss_rate",
    "matched_loss_difference",
    LEAVER_STRATUM,
    served_again=True,
)


@traced
def _group(
    inputs: StudyInputs,
    frame: pd.DataFrame,
    metrics: _Metrics,
    window: int,
    arm: str,
    severity: str,
    period: Period,
) -> Rebuying:
    served = frame[(frame["arm"] == arm) & ((frame["severity"] == severity) if severity != "all" else True)]
    place = {"arm": arm, "severity": severity, "window": str(window)}
    overlap = max(1, window // LANDMARK_STEP)
    found = matched(
        served,
        frame[frame["arm"] == "none"],
        stratum=metrics.stratum,
        repeats=overlap,
        served_repeats=overlap if metrics.served_again else 1,
    )
    rate = share(inputs, metrics.served, found["bought"], found["served"], period=period, dimensions=place)
    if found["served"] < 30 or not found["error"] > 0:
        missing = [
            plain(inputs, metric, None, reason=TOO_FEW, period=period, dimensions=place)
            for metric in (metrics.matched, metrics.difference)
        ]
        return Rebuying(
            window=window,
            arm=arm,
            severity=severity,
            served=rate,
            matched=missing[0],
            difference=missing[1],
            p_value=None,
            unmatched=int(found["unmatched"]),
        )
    from scipy.stats import norm

    z = float(norm.ppf(0.5 + inputs.confidence / 2))
    n, value, error, side = (
        int(found["served"]),
        found["difference"],
        found["error"],
        z * found["matched_error"],
    )
    return Rebuying(
        window=window,
        arm=arm,
        severity=severity,
        served=rate,
        matched=estimate(
            inputs,
            metrics.matched,
            found["matched"],
            max(0.0, found["matched"] - side),
            min(1.0, found["matched"] + side),
            method="Exact matching, weighted",
            period=period,
            dimensions=place,
            n=int(found["controls"]),
        ),
        difference=estimate(
            inputs,
            metrics.difference,
            value,
            value - z * error,
            value + z * error,
            method="Exact matching, weighted",
            period=period,
            dimensions=place,
            n=n,
        ),
        p_value=float(2 * norm.sf(abs(value / error))),
        unmatched=int(found["unmatched"]),
    )


@traced
def matched(
    served: pd.DataFrame,
    controls: pd.DataFrame,
    *,
    stratum: Sequence[str] = STRATUM,
    repeats: int = 1,
    served_repeats: int = 1,
) -> Mapping[str, float]:
    """Served customers against controls of the same stratum, strata weighted by the served.

    Parameters
    ----------
    served, controls : counts by stratum: the columns of ``stratum``, ``customers`` and ``bought`` (the customers with the outcome).
    repeats, served_repeats : how often one control, or one served customer, may be counted with overlapping windows (a window of twelve months at quarterly landmarks: four times).

    Returns
    -------
    ``served`` (customers with a match), ``bought``, ``matched`` (rate of controls so weighted), ``difference``, ``error`` (of the difference; a control may stand in for
    several landmarks, so its part is enlarged ``repeats`` times, at most by the number of landmarks), ``unmatched`` (served without a match, left out).
    """
    import numpy as np

    names = list(stratum)
    one = served.groupby(names, as_index=False)[["customers", "bought"]].sum()
    other = controls.groupby(names, as_index=False)[["customers", "bought"]].sum()
    both = one.merge(other, on=names, suffixes=("", "_control"), how="left", validate="one_to_one")
    found = both[both["customers_control"] > 0]
    n = float(found["customers"].sum())
    result = {
        "served": n,
        "bought": float(found["bought"].sum()),
        "unmatched": float(both["customers"].sum()) - n,
        "controls": float(found["customers_control"].sum()),
    }
    if not n:
        return result | {
            "matched": float("nan"),
            "difference": float("nan"),
            "error": 0.0,
            "matched_error": 0.0,
        }
    weight, controls_n = found["customers"] / n, found["customers_control"]
    rate = found["bought_control"] / controls_n
    base = float((weight * rate).sum())
    # within a stratum by its smoothed rate, so that an empty or full cell does not claim certainty
    smooth = (found["bought_control"] + base) / (controls_n + 1)
    own = (found["bought"] + smooth) / (found["customers"] + 1)
    again = min(controls["landmark"].nunique(), repeats) if "landmark" in names else 1
    matched_error = float(np.sqrt((weight**2 * smooth * (1 - smooth) / controls_n).sum() * again))
    served_error = float(np.sqrt((weight**2 * own * (1 - own) / found["customers"]).sum() * served_repeats))
    return result | {
        "matched": base,
        "difference": result["bought"] / n - base,
        "error": float(np.hypot(matched_error, served_error)),
        "matched_error": matched_error,
    }
