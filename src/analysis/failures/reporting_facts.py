"""The failure rate as facts: over a year, by month as reported and as completed, by months in service, per unit shipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.failures import views
from analysis.failures.field import Field
from analysis.failures.limits import interval_of, ratio_limits
from analysis.failures.reporting import Backtest, Delay, share_by_month, share_variance
from analysis.locale import Text
from analysis.metrics import Period, traced
from analysis.metrics.views import month_index
from analysis.periods import Month
from analysis.results import Derived, Fact
from analysis.summaries import Summarised

Labelled = tuple[Text, Fact]
SHARE_METHOD = "Wilson at the variance of the delay distribution"
ERROR_METHOD = "ratio of sums over months, t"
NOTHING_YET = Text.of("not computed: nothing is reported yet")


@dataclass(frozen=True, kw_only=True, eq=False)
class Rates(Summarised):
    """The failure rate: over a year, month by month as reported and as completed, by units shipped.

    ``year_completed`` and ``last`` are the last twelve months and the report month, completed; ``shares`` are what is reported by now of each month, ``counts`` its failures.
    """

    year: Fact
    year_completed: Fact
    last: Fact
    reported: tuple[Fact, ...]
    completed: tuple[Fact, ...]
    shares: tuple[Fact, ...]
    per_unit: Fact
    counts: tuple[Fact, ...]

    @property
    def late(self) -> bool:
        """Whether failures are reported late: of some month not all are expected to be known by now."""
        return any(share.value is not None and float(share.value) < 1 - 1e-9 for share in self.shares)


@traced
def rates(field: Field, delay: Delay) -> Rates:
    """Failures, exposure and rates of every month of the window."""
    rated = field.state.measured_by("failure_rate", field.rows(), field.exposed(), by=("month",))
    counted = field.state.measured_by("failure_count", field.rows(), by=("month",))
    reported = [
        rated.get((str(month),)) or _rate(field, views.within(Period.of(month)), period=month)
        for month in field.months
    ]
    numbers = [
        counted.get((str(month),))
        or field.state.measured("failure_count", field.rows().of(month=str(month)), period=month)
        for month in field.months
    ]
    shares = _shares(field, delay)
    completed = tuple(_completed(field, fact, share) for fact, share in zip(reported, shares, strict=True))
    year = _rate(field, views.within(field.year), period=field.year)
    of_year = slice(-len(_months_of(field.year)), None)
    return Rates(
        year=year,
        year_completed=_completed(field, year, _share_of(field, delay, numbers[of_year], shares[of_year])),
        last=completed[-1],
        reported=tuple(reported),
        completed=completed,
        shares=shares,
        counts=tuple(numbers),
        per_unit=field.state.measured("failures_per_1000_units", field.rows(), field.in_service()),
    )


def _rate(field: Field, where: str, *, period: Month | Period, **place: str) -> Fact:
    extra: dict[str, Any] = dict(place)
    return field.state.measured(
        "failure_rate", field.rows(where), field.exposed(where), period=period, **extra
    )


@traced
def _shares(field: Field, delay: Delay) -> tuple[Fact, ...]:
    shares = share_by_month(delay, field.months, field.horizon)
    return tuple(
        _reported(field, delay, float(share), {month: 1.0}, month)
        for month, share in zip(field.months, shares, strict=True)
    )


def _reported(
    field: Field, delay: Delay, share: float, weights: Mapping[Month, float], period: Month | Period
) -> Fact:
    """A share of several months' failures, the weighted sum of theirs, by Wilson's interval at the count that has its variance."""
    from analysis.stats import proportion_interval

    variance = share_variance(delay, list(weights), field.horizon, np.array(list(weights.values())))
    trials = share * (1 - share) / variance if variance > 0 and 0 < share < 1 else float(delay.failures)
    found = proportion_interval(share * trials, trials, method="wilson", level=field.inputs.confidence)
    return field.state.between(
        "failure_reported_share",
        share,
        float(found.low),
        float(found.high),
        n=delay.failures,
        method=SHARE_METHOD,
        period=period,
    )


def _months_of(period: Period) -> range:
    return range(month_index(period.first), month_index(period.last) + 1)


def _share_of(field: Field, delay: Delay, counts: Sequence[Fact], shares: Sequence[Fact]) -> Fact:
    """What is reported by now of several months together: their failures over those expected in the end."""
    ends = [
        float(count.value or 0) / float(share.value) if share.value else np.inf
        for count, share in zip(counts, shares, strict=True)
    ]
    counted = sum(float(count.value or 0) for count in counts)
    total = float(np.sum(ends))
    share = counted / total if np.isfinite(total) and total > 0 else 0.0
    months = [Month.parse(count.period) for count in counts]
    # a month weighs by what is expected of it in the end, and by how far its own share moves that
    weights = {
        month: end / total * share / float(one.value) if share and one.value else 0.0
        for month, end, one in zip(months, ends, shares, strict=True)
    }
    return _reported(field, delay, share, weights, field.year)


def _completed(field: Field, rate: Fact, share: Fact) -> Fact:
    """The count by its exact interval; the share taken as known (it rests on all failures)."""
    reported = float(share.value or 0)
    if reported <= 0:
        return field.state.exact(
            "failure_rate_completed",
            None,
            reason=rate.reason or NOTHING_YET,
            period=Period.parse(rate.period),
        )
    limits = rate.interval and interval_of(
        rate.interval.low / reported,
        rate.interval.high / reported,
        rate.interval.level,
        "exact Poisson over share reported",
    )
    return field.state.derived(
        "failure_rate_completed",
        rate,
        share,
        period=Period.parse(rate.period),
        parts={"n": rate.n, "interval": limits},
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportingTest(Summarised):
    """How far months were from today's count when they ended: as counted, and as completed."""

    counted: Fact
    corrected: Fact


@traced
def reporting_test(field: Field, tested: Backtest) -> ReportingTest:
    """The errors of a backtest as facts."""
    return ReportingTest(
        counted=_error(field, tested, "known_then", tested.error_raw, "counted"),
        corrected=_error(field, tested, "corrected_then", tested.error_corrected, "corrected"),
    )


def _error(field: Field, tested: Backtest, column: str, error: float, count: str) -> Fact:
    now = tested.rows["known_now"].to_numpy(dtype=float)
    apart = np.abs(tested.rows[column].to_numpy(dtype=float) - now)
    limits = ratio_limits(apart, now, level=field.inputs.confidence, method=ERROR_METHOD)
    parts = {"n": len(now), **limits}
    return field.state.exact("reporting_error", error, parts=parts, count=count)


# Reasons for which a failure is not rated; those of ``EXPECTED`` are no fault of the data.
EXPECTED = ("before_service", "before_the_window", "after_the_month")
IMPOSSIBLE = ("no_serial", "unknown_serial", "before_shipment", "after_retirement", "same_event")


@dataclass(frozen=True, kw_only=True, eq=False)
class Excluded(Summarised):
    """Failures that no rate holds, by reason, and those of them that cannot be as recorded."""

    lines: tuple[Labelled, ...]
    total: Fact


@traced
def excluded_facts(field: Field) -> Excluded:
    """Confirmed failures by the verdict why they do not count."""

    def excluded(verdict: str) -> Fact:
        return field.state.measured("excluded_failures", field.rows(verdict=verdict), verdict=verdict)

    shown = ("no_serial", "unknown_serial", "before_shipment", "before_service", "after_retirement")
    facts = {verdict: excluded(verdict) for verdict in (*shown, "same_event", *EXPECTED[1:])}
    impossible = tuple(facts[verdict] for verdict in IMPOSSIBLE)
    return Excluded(
        lines=tuple((field.label("verdict", verdict), fact) for verdict, fact in facts.items()),
        total=field.state.exact(
            "excluded_failures",
            sum(int(fact.value or 0) for fact in impossible),
            lineage=Derived(operation="sum", parents=impossible),
            verdict="impossible",
        ),
    )
