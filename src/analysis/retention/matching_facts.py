"""After service: who bought again and who left, only windows that have closed, beside customers like them without service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import NothingToCount
from analysis.metrics import Period, Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.stating import NOBODY
from analysis.metrics.views.responses import CLOCKS
from analysis.periods import Month
from analysis.results import Fact, Interval
from analysis.retention import views
from analysis.retention.matching import matched
from analysis.retention.settings import limit, load_settings
from analysis.retention.spells import contracts, felt, losses_known_until, observed_from
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

STRATUM = ("landmark", "customer_type", "segment", "orders_band", "recency_band", "age_band")
LEAVER_STRATUM = ("landmark", "kind", "customer_type", "segment", "due_in", "age_band")
LEAVER_WINDOW = 6
LANDMARK_STEP = 3  # months between landmarks
METHOD = "Exact matching, weighted"


@dataclass(frozen=True, kw_only=True, eq=False)
class AfterService(Summarised):
    """One group of served customers beside its matches, within a window of months; ``cells`` are the strata compared."""

    window: int
    arm: str
    severity: str
    served: Fact
    matched: Fact
    difference: Fact
    p_value: float | None
    unmatched: int
    cells: pd.DataFrame

    @property
    def span(self) -> dict[str, Month]:
        """The ``first`` landmark, and the ``last`` month, by whose end the windows had closed: as sentences name them."""
        period = Period.parse(self.served.period)
        return {"first": period.first, "last": period.last}


@dataclass(frozen=True)
class _Compared:
    """What is compared: its metrics, its strata, and whether a customer may be served in several quarters."""

    served: str
    matched: str
    difference: str
    stratum: tuple[str, ...]
    served_again: bool


_REPURCHASE = _Compared(
    "repurchase_rate_after_service",
    "matched_repurchase_rate",
    "matched_repurchase_difference",
    STRATUM,
    served_again=False,
)
_LOSS = _Compared(
    "loss_rate_after_repair",
    "matched_loss_rate",
    "matched_loss_difference",
    LEAVER_STRATUM,
    served_again=True,
)


@traced
def repurchase(inputs: StudyInputs) -> tuple[AfterService, ...]:
    """Served well, served badly (late complaint or repeat repair), and each severity of the former, against matched customers; every stated window.

    Raises
    ------
    MissingData : no orders or tickets, no window that has closed, or stamps that do not tell whether a complaint was answered late
    """
    inputs.engine.require("orders.ordered_at", "orders.revenue", "tickets.resolved_at")
    inputs.engine.require_clock(*CLOCKS)  # who was served badly is who was answered late, among others
    settings, severities = load_settings(), _severities(inputs)
    windows = sorted(settings.repurchase_windows_months, reverse=True)
    until = inputs.month.end
    every = [one.start for one in _landmarks(inputs, windows[-1], until)]
    if not every:
        raise NothingToCount("orders.ordered_at")
    counts = inputs.engine.query(
        views.repurchase_strata(
            felt(inputs),
            inputs.month.end,
            every,
            windows_months=windows,
            types=settings.purchase_types,
            severities=severities,
        )
    )
    groups = [("good", "all"), ("bad", "all"), *(("good", severity) for severity in severities)]
    return tuple(
        _group(inputs, counts, _REPURCHASE, window, arm, severity, landmarks)
        for window in windows
        if (landmarks := _landmarks(inputs, window, until))
        for arm, severity in groups
    )


def _severities(inputs: StudyInputs) -> list[str]:
    """Severities of the company's tickets that ``params/labels.yml`` lists, in its order: from light to grave."""
    if inputs.engine.tables.missing("tickets.severity"):
        return []
    given = set(inputs.engine.query("SELECT DISTINCT severity FROM service_orders")["severity"])
    known = inputs.engine.registry.dimensions.get("severity")
    return [one for one in known.values if one in given] if known else []


@traced
def loss_after_repair(inputs: StudyInputs) -> tuple[AfterService, ...]:
    """Contracts lost within six months of a landmark after a repair, and after a repeat repair, against matched customers who never asked for service.

    Raises
    ------
    MissingData : no contracts or tickets, or no window that has closed
    """
    inputs.engine.require("contracts.starts_on", "contracts.ends_on", "tickets.resolved_at")
    landmarks = _landmarks(inputs, LEAVER_WINDOW, losses_known_until(inputs))
    if not landmarks:
        raise NothingToCount("tickets.resolved_at")
    days = [one.start for one in landmarks]
    counts = inputs.engine.query(
        views.leavers_strata(contracts(inputs), felt(inputs), days, window_months=LEAVER_WINDOW)
    )
    return tuple(
        _group(inputs, counts, _LOSS, LEAVER_WINDOW, arm, "all", landmarks)
        for arm in ("repaired", "repeated")
    )


def _landmarks(inputs: StudyInputs, window: int, until: dt.date) -> list[Month]:
    """Quarterly days whose windows have closed when ``until`` begins, the first a quarter after service records begin."""
    first, last = Month.parse(observed_from(inputs)) + LANDMARK_STEP, Month.parse(until) - window
    return [first + step for step in range(0, max(last.months_since(first), -1) + 1, LANDMARK_STEP)]


def _closed(counts: pd.DataFrame, days: Sequence[dt.date], window: int) -> pd.DataFrame:
    """The rows whose window has closed; the outcome within it is ``bought``."""
    import pandas as pd

    inside = pd.to_datetime(counts["landmark"]).isin([pd.Timestamp(day) for day in days])
    return counts[inside].rename(columns={f"bought_{window}": "bought"})


@traced
def _group(
    inputs: StudyInputs,
    counts: pd.DataFrame,
    compared: _Compared,
    window: int,
    arm: str,
    severity: str,
    landmarks: Sequence[Month],
) -> AfterService:
    from scipy.stats import norm

    frame = _closed(counts, [one.start for one in landmarks], window)
    served = frame[(frame["arm"] == arm) & ((frame["severity"] == severity) if severity != "all" else True)]
    overlap = max(1, window // LANDMARK_STEP)
    found = matched(
        served,
        frame[frame["arm"] == "none"],
        stratum=compared.stratum,
        repeats=overlap,
        served_repeats=overlap if compared.served_again else 1,
    )
    state = Stating(inputs=inputs, period=Period(landmarks[0], inputs.month))
    place: dict[str, Any] = {"arm": arm, "severity": severity, "window": str(window)}
    rate = state.share(compared.served, found.bought, found.served, reason=NOBODY, **place)
    known = found.served >= limit(inputs, "retention_fewest_served") and found.error > 0
    z = float(norm.ppf(0.5 + inputs.confidence / 2))
    if known:
        beside = state.between(
            compared.matched,
            found.rate,
            max(0.0, found.rate - z * found.rate_error),
            min(1.0, found.rate + z * found.rate_error),
            method=METHOD,
            n=found.controls,
            **place,
        )
    else:
        beside = state.exact(compared.matched, None, **place)
    sure: dict[str, Any] = {}
    if known:
        low, high = found.difference - z * found.error, found.difference + z * found.error
        sure = {
            "interval": Interval(low=low, high=high, level=inputs.confidence, method=METHOD),
            "n": found.served,
        }
    return AfterService(
        window=window,
        arm=arm,
        severity=severity,
        served=rate,
        matched=beside,
        difference=state.derived(compared.difference, rate, beside, parts=sure, **place),
        p_value=float(2 * norm.sf(abs(found.difference / found.error))) if known else None,
        unmatched=found.unmatched,
        cells=found.cells,
    )
