"""Causes of excess failures as facts: how much more often, since when, at what cost; and what the search can find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import MissingData
from analysis.failures import localising, money, views
from analysis.failures.baseline import Baseline
from analysis.failures.comparing import BEYOND, NO_OTHERS, RATIO_METHOD, Compared
from analysis.failures.field import Field
from analysis.failures.limits import interval_of, jointly, of_what, scale_limits, whole
from analysis.failures.localising import FEWEST_SCATTERED, Cause, Cells, Search, members, scattered
from analysis.failures.reporting_facts import Labelled
from analysis.locale import Text, spaced
from analysis.metrics import NotDone, Period, cents, traced
from analysis.metrics.views import month_index
from analysis.periods import Month
from analysis.results import Fact
from analysis.summaries import Summarised

LATER = Text.of("and later")
FAULT = "fault {code}"
RATED = ("supplier", "model", "plant", "region")
SELECTED_METHOD = "exact conditional, given that the search named it"
COST_METHOD = "interval of the rate ratio; cost per failure held"
EXPECTED_METHOD = "exact Poisson (failures of the other machines)"
SCATTER_METHOD = "chi-square, degrees of freedom of a median"
FEW_SCATTERED = Text.of("taken as chance: fewer than 30 parts of batches expect five failures")
NO_HOURS = Text.of("not computed: no hours of own staff, or no cost traced")


@dataclass(frozen=True, kw_only=True, eq=False)
class CauseFacts(Summarised):
    """A cause that survived, with what it costs, since when, and the rows behind it.

    others : what its machines are compared with
    since : the first month with a machine of it in the field, or a failure: what it costs is the sum of the months from then on
    """

    cause: Cause
    name: Text
    others: Text
    ratio: Fact
    corrected: Fact
    failures: Fact
    expected: Fact
    excess: Fact
    cost: Fact
    labour: Labour | NotDone
    share: Fact
    first_month: Month
    since: Month
    begun: tuple[Month, Month]
    actual_by_month: tuple[Fact, ...]
    expected_by_month: tuple[Fact, ...]
    apart: Apart | None
    evidence: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class Labour(Summarised):
    """Work of own staff in the excess failures of a cause: its hours, what an hour costs, and direct cost and labour together."""

    hours: Fact
    rate: Fact
    full: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Apart(Summarised):
    """A batch told from the region most of it went to: the batch outside the region, and other batches inside it."""

    region: Text
    batch_elsewhere: Fact
    region_without: Fact


def cause_name(field: Field, cause: Cause) -> Text:
    """The attributes and the component of a cause in words."""
    registry, en, zh = field.inputs.engine.registry, [], []
    for name, value in cause.attributes.items():
        dimension, onward = name.removesuffix(" from"), name.endswith(" from")
        words, shown = registry.dimension_name(dimension), field.label(dimension, value)
        en.append(f"{words.en.lower()} {shown.en}" + (f" {LATER.en}" if onward else ""))
        zh.append(
            "".join(spaced([words.zh, " ", shown.zh], own=[False, True, False]))
            + (LATER.zh if onward else "")
        )
    if cause.component:
        shown = field.label("component", cause.component)
        en.append(shown.en.lower())
        zh.append(shown.zh)
    if cause.fault_code:
        shown = Text.filled(FAULT, code=field.label("fault_code", cause.fault_code))
        en.append(shown.en)
        zh.append(shown.zh)
    said = Text(en=", ".join(en)[:1].upper() + ", ".join(en)[1:], zh="，".join(zh))
    if not cause.lines:
        return said
    lines = Text.joined([field.label("product_line", line) for line in cause.lines])
    return Text(en=f"{said.en} ({lines.en})", zh=f"{said.zh}（{lines.zh}）")


def cause_slice(cause: Cause) -> dict[str, Any]:
    """Dimensions of a cause's facts."""
    found = {name.replace(" ", "_"): value for name, value in cause.attributes.items()}
    if cause.fault_code:
        found["fault_code"] = cause.fault_code
    return found | ({"component": cause.component} if cause.component else {})


@traced
def cause_facts(
    field: Field, baseline: Baseline, cells: Cells, cause: Cause, costs: object | NotDone
) -> CauseFacts:
    """The facts of one cause; ``costs`` says why there is no money where there is none."""
    months, actual, expected = _by_month(field, baseline, cause)
    place, state, where = cause_slice(cause), field.state, money.where_of(cause)
    edges = (max(0.0, 1 - 1 / cause.low) if cause.low > 0 else 0.0, 1 - 1 / cause.high)
    limits = interval_of(cause.low, cause.high, field.inputs.confidence, SELECTED_METHOD)

    def ratio(metric: str, value: float) -> Fact:
        if not cause.known:
            return state.exact(metric, None, reason=BEYOND, **place)
        return state.exact(metric, value, parts={"interval": limits} | n, **place)

    beyond = interval_of(
        cause.actual * edges[0], cause.actual * edges[1], field.inputs.confidence, SELECTED_METHOD
    )
    n = {"n": int(cause.actual)}
    of_all = cause.share * cause.actual / cause.excess if cause.excess else 0.0
    cost = _excess_cost(field, cause, edges, costs)
    return CauseFacts(
        cause=cause,
        name=cause_name(field, cause),
        others=field.others(by_use=cells.by_use),
        ratio=ratio("cause_rate_ratio", cause.rate_ratio),
        corrected=ratio("cause_rate_ratio_corrected", cause.corrected),
        failures=state.measured("cause_failures", field.rows(where), **place),
        expected=_expected(field, cause, cause.expected),
        excess=state.exact(
            "cause_excess_failures", whole(cause.excess), parts={"interval": beyond} | n, **place
        ),
        cost=cost,
        labour=_labour(field, cause, edges, cost),
        share=state.exact(
            "cause_share_explained",
            cause.share,
            parts={
                "interval": interval_of(
                    of_all * edges[0], of_all * edges[1], field.inputs.confidence, SELECTED_METHOD
                )
            }
            | n,
            **place,
        ),
        first_month=_first_beyond(months, actual, expected),
        since=months[int(np.flatnonzero(_there(actual, expected))[0])],
        begun=months_begun(months, actual, expected, level=field.inputs.confidence),
        actual_by_month=_running_count(field, cause, months),
        expected_by_month=tuple(
            _expected(field, cause, float(due), period=Period(field.first, month))
            for month, due in zip(months, np.cumsum(expected), strict=True)
        ),
        apart=_apart(field, cells, cause),
        evidence=money.evidence_of_cause(field, cause),
    )


def _expected(field: Field, cause: Cause, due: float, *, period: Period | None = None) -> Fact:
    """What other machines would have had: as uncertain as the count of their failures; beyond the data where the ratio is."""
    from analysis.stats import poisson_interval

    if not cause.known:
        return field.state.exact(
            "cause_expected_failures", None, period=period, reason=BEYOND, **cause_slice(cause)
        )
    level, outside = field.inputs.confidence, max(cause.outside, 0.5)
    rests = poisson_interval(cause.outside, outside, level=level)
    return field.state.exact(
        "cause_expected_failures",
        whole(due),
        period=period,
        parts={
            "interval": interval_of(whole(due * rests.low), whole(due * rests.high), level, EXPECTED_METHOD),
            "n": round(cause.outside),
        },
        **cause_slice(cause),
    )


def _running_count(field: Field, cause: Cause, months: Sequence[Month]) -> tuple[Fact, ...]:
    periods = [Period(field.first, month) for month in months]
    own = money.where_of(cause)
    return tuple(
        field.state.measured(
            "cause_failures",
            field.rows(f"{own} AND {views.within(so_far)}"),
            period=so_far,
            **cause_slice(cause),
        )
        for so_far in periods
    )


@traced
def _excess_cost(field: Field, cause: Cause, edges: tuple[float, float], costs: object | NotDone) -> Fact:
    """The cost traced to the failures of the cause, times the share of them in excess."""
    place = cause_slice(cause)
    if isinstance(costs, NotDone):
        reason = of_what(Text.of("not computed"), costs.reason)
        return field.state.exact("cause_excess_cost", None, reason=reason, **place)
    amount, failures = money.cost_of_cause(field, cause)
    total = float(str(amount))
    limits = interval_of(total * edges[0], total * edges[1], field.inputs.confidence, COST_METHOD)
    return field.state.exact(
        "cause_excess_cost",
        cents(total * (cause.excess / cause.actual)),
        parts={"n": failures, "interval": limits},
        **place,
    )


@traced
def _labour(field: Field, cause: Cause, edges: tuple[float, float], cost: Fact) -> Labour | NotDone:
    """Hours of own teams on the failures of the cause, times the share of them in excess, at the cost of an hour."""
    try:
        rate = money.hour_rate(field)
    except MissingData as absent:
        return NotDone.because(absent)
    place, part = cause_slice(cause), cause.excess / cause.actual
    if rate.value is None or cost.value is None:
        return NotDone(reason=NO_HOURS)
    level, spent = field.inputs.confidence, money.own_hours(field, money.where_of(cause))
    hours = field.state.exact(
        "cause_excess_hours",
        whole(spent * part),
        parts={"n": cost.n, "interval": interval_of(spent * edges[0], spent * edges[1], level, COST_METHOD)},
        **place,
    )
    # direct cost and labour grow with the same share in excess
    total = float(cost.value) / part + spent * float(rate.value) if part else 0.0
    full = field.state.exact(
        "cause_full_cost",
        cents(total * part),
        parts={"n": cost.n, "interval": interval_of(total * edges[0], total * edges[1], level, COST_METHOD)},
        **place,
    )
    return Labour(hours=hours, rate=rate, full=full)


@traced
def _by_month(field: Field, baseline: Baseline, cause: Cause) -> tuple[list[Month], np.ndarray, np.ndarray]:
    """Actual and expected failures of a cause by month, the expectation at the level of machines outside it."""
    named = [cause.component] if cause.component else baseline.components
    due = baseline.by_month(field, cause.machines, named).groupby(level="month_no").sum()
    seen = field.query(
        field.failures,
        select=f"SELECT month_no, count(*) AS failures FROM failed WHERE {money.where_of(cause)} GROUP BY ALL ORDER BY ALL",
    ).set_index("month_no")["failures"]
    number = [month_index(month) for month in field.months]
    expected = np.array([float(due.get(k, 0.0)) for k in number])
    scale = cause.expected / expected.sum() if expected.sum() > 0 else 1.0
    return field.months, np.array([float(seen.get(k, 0)) for k in number]), expected * scale


def _first_beyond(months: Sequence[Month], actual: np.ndarray, expected: np.ndarray) -> Month:
    """First month whose running count lies beyond the 99.9 % limit of the running expectation; else the month of the first failure."""
    from scipy.stats import poisson

    running, due = np.cumsum(actual), np.cumsum(expected)
    beyond = (running > poisson.ppf(0.999, np.maximum(due, 1e-9))) & (running >= 3)
    at = np.flatnonzero(beyond) if beyond.any() else np.flatnonzero(running > 0)
    return months[int(at[0])] if len(at) else months[0]


def months_begun(
    months: Sequence[Month], actual: np.ndarray, expected: np.ndarray, *, level: float
) -> tuple[Month, Month]:
    """The first and the last of the months in which an excess may have begun.

    An excess that begins in a month multiplies what is expected from then on; kept are the months whose likelihood is not too far below that of the likeliest.
    How far that is: the likelihood ratio of the true month exceeds x with chance 1 - (1 - exp(-x/2))² at most (Hansen 2000, *Econometrica* 68, 575-603, theorem 2),
    whose limit is one of small changes and wide for large ones.
    """
    later = np.cumsum(actual[::-1])[::-1].astype(float)
    due = np.maximum(np.cumsum(expected[::-1])[::-1], 1e-12)
    ratio = np.maximum(later / due, 1.0)
    likelihood = later * np.log(ratio) - (ratio - 1) * due
    allowed = -2 * np.log(1 - np.sqrt(level))
    kept = np.flatnonzero((2 * (likelihood.max() - likelihood) <= allowed) & _there(actual, expected))
    return months[int(kept[0])], months[int(kept[-1])]


def _there(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The months in which a cause has a machine in the field: before its first one it has not begun and costs nothing."""
    there: np.ndarray = (expected > 0) | (actual > 0)
    return there


@traced
def _apart(field: Field, cells: Cells, cause: Cause) -> Apart | None:
    """Only a batch of which more than half is in one of several regions can be told from that region."""
    if cause.fault_code or set(cause.attributes) != {"batch"} or cells.unit_months["region"].nunique() < 2:
        return None
    own = cells.unit_months[members(cells.unit_months, cause.attributes)]
    held = own.groupby("region")["unit_months"].sum()
    if len(held) < 2:
        return None
    region = str(held.idxmax())
    if 2 * float(held[region]) <= float(held.sum()):
        return None
    frame = cells.frame[cells.frame["component"] == cause.component] if cause.component else cells.frame
    inside = members(frame, cause.attributes)
    there = frame["region"] == region
    batch = {**cause_slice(cause), "region": "elsewhere", "main_region": region}
    other = {"region": region, "batch": "other", "component": cause.component or "all"}
    return Apart(
        region=field.label("region", region),
        batch_elsewhere=_ratio_fact(field, frame[inside & ~there], frame[~inside], batch),
        region_without=_ratio_fact(field, frame[~inside & there], frame[~inside & ~there], other),
    )


def _ratio_fact(
    field: Field, own: pd.DataFrame, rest: pd.DataFrame, place: dict[str, Any], *, level: float | None = None
) -> Fact:
    """Failures of cells over those that the ``rest`` of the machines of their product lines would have had in their place.

    ``level`` of the interval where it is not the run's.
    """
    level, found = level or field.inputs.confidence, Compared.of(own, rest)
    if not found.lines:
        return field.state.exact("failure_ratio", None, reason=NO_OTHERS, **place)
    if not found.known:
        return field.state.exact("failure_ratio", None, reason=BEYOND, **place)
    parts = {
        "numerator": found.failures,
        "denominator": found.expected,
        "n": int(found.failures),
        "interval": interval_of(*found.limits(level), level, RATIO_METHOD),
    }
    return field.state.exact("failure_ratio", found.ratio, parts=parts, **place)


@traced
def ratios_by(field: Field, cells: Cells) -> dict[str, tuple[Labelled, ...]]:
    """Failures along each attribute by itself over those that all other machines would have had, and the batches that stand out most.

    All intervals of the values compared hold together (Bonferroni): the reader will look at the highest.
    """
    compared = {name: sorted(cells.frame[name].unique()) for name in RATED}
    number = sum(len(values) for values in compared.values() if len(values) > 1)
    level = jointly(field.inputs.confidence, number)

    def lines(dimension: str, values: Sequence[str]) -> list[Labelled]:
        found = []
        for value in values:
            own = cells.frame[dimension] == value
            place: dict[str, Any] = {dimension: value}
            ratio = _ratio_fact(field, cells.frame[own], cells.frame[~own], place, level=level)
            found.append((field.label(dimension, value), ratio))
        return found

    found = {}
    for dimension, values in compared.items():
        if len(values) > 1:
            ordered = sorted(
                lines(dimension, values), key=lambda line: (-float(line[1].value or 0), line[0].en)
            )
            found[dimension] = tuple(ordered)
    top = localising.worst_batches(cells, level=0.95)
    return found | ({"batch": tuple(lines("batch", top))} if top else {})


@traced
def candidates_fact(field: Field, search: Search) -> Fact:
    """How many combinations of attributes the search looked at."""
    return field.state.exact("search_candidates", search.candidates)


@traced
def dispersion_fact(field: Field, search: Search, cells: Cells) -> Fact:
    """How much more batches scatter than counts by chance: never less than they do; of too few batches that is taken for granted."""
    number, level, found = len(scattered(cells.frame)), field.inputs.confidence, search.dispersion
    # a median of squares tells as much as 1 ÷ 2.72 of the squares would: its variance over that of their mean
    low, high = scale_limits(found**0.5, freedom=max(number, 1) / 2.72, level=level)
    limits = interval_of(max(1.0, low**2), high**2, level, SCATTER_METHOD)
    few = number < FEWEST_SCATTERED
    parts = {"n": number} | ({"reason": FEW_SCATTERED} if few else {"interval": limits})
    return field.state.exact("overdispersion", found, period=field.last, parts=parts, of="batches")


POWER_EXPECTED, POWER_RATIOS = (5.0, 10.0, 20.0, 50.0, 100.0), (1.5, 2.0, 3.0)


@traced
def power_facts(field: Field, cells: Cells, *, familywise: float) -> dict[tuple[float, float], Fact]:
    """The chance that the search finds a cause, by failures expected without it and by rate ratio."""
    found = localising.power(cells, familywise=familywise, expected=POWER_EXPECTED, ratios=POWER_RATIOS)
    return {
        (due, ratio): field.state.exact("search_power", share, expected=f"{due:g}", ratio=f"{ratio:g}")
        for (due, ratio), share in found.items()
    }
