"""Where new customers come from, and how that mix moves: their share by every value of every attribute, year by year.

New is who comes under contract for the first time, in a company without contracts who buys for the first time. Attributes count as they stood on that day. A share is held
against the same in the other years by the trend test of Cochran and Armitage; months of one year that differ more than chance lets them make it less sure, and
the family-wise error of all values that are tried is held by Holm's correction.

Source: Armitage (1955), *Biometrics* 11, 375-386; Newcombe (1998), *Statistics in Medicine* 17, 873-890; Holm (1979), *Scand. J. Stat.* 6, 65-70.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analysis.errors import FitError
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs
from analysis.metrics.backend import quoted
from analysis.metrics.lineage import traced
from analysis.metrics.views import MOST_VALUES, NOT_STATED, attributes_of_history
from analysis.periods import Month
from analysis.results import Fact, Interval
from analysis.retention import newcomer_views
from analysis.retention.month_views import OF_CONTRACTS, OF_CUSTOMERS
from analysis.retention.newcomer_views import OF_PURCHASES
from analysis.retention.same_groups import other_names
from analysis.retention.settings import limit, load_settings
from analysis.retention.spells import YEAR, contracts, year_of
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

    from analysis.stats import ShareTrend

YEARS = 3  # looked back on: how the mix moved before is no news
KNOWN = (
    0.8  # share of every year's newcomers whose value is known, below which an attribute says little of them
)
LEAST = 5.0  # newcomers with and without a value expected in every year (Cochran 1954), below which its trend is not normal
MOST_TOLD = 3
TOO_SHORT = "less than two whole years of new customers on record"
TOO_FEW = "too few new customers to tell a change of their mix from chance"
MANY_VALUES = Text.of("too many values to be groups")
NOT_KNOWN = Text.of("not known of many of them")


@dataclass(frozen=True, kw_only=True, eq=False)
class Newcomers(Summarised):
    """Customers by the day on which they came, as a table of the engine.

    ``attributes`` : columns by attribute, as held on that day. ``years`` : whole ones, the last ends with the report month. ``by_contract``: else by first purchase.
    """

    table: str
    years: tuple[Period, ...]
    attributes: dict[str, str]
    by_contract: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class NewcomerShare(Summarised):
    """One value of one attribute: its share of the newcomers of the first and of the last year, and whether the trend holds among all values tried.

    ``change`` : the last share minus the first. ``told`` : a finding of its own; what only repeats a stronger one is in the table alone.
    """

    attribute: str
    held: str
    first: Fact
    last: Fact
    change: Fact
    trend: ShareTrend
    p_adjusted: float
    told: bool = False

    @property
    def is_new(self) -> bool:
        """Nobody of the first year held it."""
        return self.first.numerator == 0


@dataclass(frozen=True, kw_only=True, eq=False)
class NewcomerMix(Summarised):
    """Every value that was tried, the surest first; ``left_out`` are attributes that were not, and why; ``cells`` what was counted."""

    groups: tuple[NewcomerShare, ...]
    years: tuple[Period, ...]
    by_contract: bool
    left_out: Mapping[str, Text]
    cells: pd.DataFrame

    @property
    def p_value(self) -> float | None:
        """Of the surest value, adjusted among all of them."""
        return min((one.p_adjusted for one in self.groups), default=None)


# -- who came, and when ------------------------------------------------------------------------------------------------


@traced
def newcomers(inputs: StudyInputs) -> Newcomers:
    """Customers who came in the last whole years, three at most.

    Raises
    ------
    MissingData : neither contracts nor purchases
    FitError : less than two whole years on record
    """
    by_contract = _by_contract(inputs)
    came = _came(inputs, by_contract=by_contract)
    years = _years(inputs, _recorded_from(inputs, came, by_contract=by_contract))
    history = _history(inputs)
    kept = OF_CONTRACTS if by_contract else OF_PURCHASES
    sql = newcomer_views.newcomers(
        came,
        (years[0].first.start, years[-1].last.end),
        history,
        kept=kept,
        acquired=not by_contract and not inputs.engine.tables.missing("customers.acquired_on"),
    )
    own = {name: column for column, name in history.items() if name not in (*OF_CUSTOMERS, *kept)}
    return Newcomers(
        table=inputs.engine.materialise("newcomers", sql),
        years=years,
        attributes={name: name for name in (*OF_CUSTOMERS, *kept)} | own,
        by_contract=by_contract,
    )


@traced
def _by_contract(inputs: StudyInputs) -> bool:
    """Whether anybody ever held a contract that can be renewed; else customers come by their first purchase."""
    buys = not inputs.engine.tables.missing("orders.ordered_at", "orders.revenue")
    if buys and inputs.engine.tables.missing("contracts.starts_on", "contracts.ends_on"):
        return False
    held = inputs.engine.query(f"WITH {contracts(inputs)} SELECT count(*) AS spells FROM spells")
    return bool(held["spells"].iloc[0]) or not buys


def _came(inputs: StudyInputs, *, by_contract: bool) -> str:
    """CTE ``came``: by customer the day, and what was agreed or bought."""
    if by_contract:
        return newcomer_views.first_contracts(contracts(inputs))
    return newcomer_views.first_purchases(inputs.month.end, types=load_settings().purchase_types)


@traced
def _recorded_from(inputs: StudyInputs, came: str, *, by_contract: bool) -> Month | None:
    """The first month in which who is first seen is new: at the beginning of any record everybody is seen for the first time.

    Of contracts a year must have passed, and the first loss be on record, before which there may stand those alone who stayed; of purchases the months for which
    a customer counts as active.
    """
    first = _first(inputs, f"WITH {came} SELECT min(came_on) AS first FROM came")
    if first is None or not by_contract:
        return first and first + inputs.params.active_window_months
    lost = _first(inputs, f"WITH {contracts(inputs)} SELECT min(ends) AS first FROM spells")
    return max(first + YEAR, lost or first)


def _first(inputs: StudyInputs, sql: str) -> Month | None:
    """The month of a first day, where there is one."""
    day = inputs.engine.query(sql)["first"].iloc[0]
    if day is None or day != day:
        return None
    return Month.parse(day.date() if isinstance(day, dt.datetime) else day)


def _years(inputs: StudyInputs, begins: Month | None) -> tuple[Period, ...]:
    """The whole years that end with the report month, the first first."""
    years = [year_of(inputs, inputs.month - YEAR * back) for back in range(YEARS - 1, -1, -1)]
    whole = tuple(year for year in years if begins is not None and year.first >= begins)
    if len(whole) < 2:
        raise FitError(TOO_SHORT)
    return whole


@traced
def _history(inputs: StudyInputs) -> dict[str, str]:
    """Attributes of the company's own history by column."""
    if inputs.engine.tables.missing("customer_history.valid_from", "customer_history.value"):
        return {}
    found = inputs.engine.query(attributes_of_history(inputs.month.end))
    return {f"held_{place}": name for place, name in enumerate(found["attribute"].tolist())}


# -- how the mix moves -------------------------------------------------------------------------------------------------


@traced
def newcomer_mix(inputs: StudyInputs) -> NewcomerMix:
    """Every value of every attribute: its share of the newcomers of the first and of the last whole year, and its trend.

    Raises
    ------
    MissingData : neither contracts nor purchases
    FitError : less than two whole years on record, or no value that enough newcomers held
    """
    found = newcomers(inputs)
    tried, left_out = [], {}
    repeated = other_names(inputs, found.table, found.attributes, ["customer_id"])
    for attribute, column in found.attributes.items():
        cells = _cells(inputs, found, column)
        why = _why_not(cells, len(found.years))
        if why is not None:
            left_out[attribute] = why
            continue
        tried += [
            (attribute, held, trend)
            for held, trend in _trends(cells).items()
            if (attribute, held) not in repeated
        ]
    if not tried:
        raise FitError(TOO_FEW)
    groups = _told(inputs, found, _stated(inputs, found, tried))
    return NewcomerMix(
        groups=groups,
        years=found.years,
        by_contract=found.by_contract,
        left_out=left_out,
        cells=_counted(inputs, found, sorted({one.attribute for one in groups})),
    )


@traced
def _cells(inputs: StudyInputs, found: Newcomers, *columns: str) -> pd.DataFrame:
    """Newcomers by month and columns; ``held`` is the first column, ``year`` 0 for the first."""
    import pandas as pd

    cells = inputs.engine.query(newcomer_views.come_by(found.table, columns))
    months = [Month.parse(one) for one in pd.to_datetime(cells["month"]).dt.date]
    first = found.years[0].first
    return cells.assign(held=cells[columns[0]], year=[one.months_since(first) // YEAR for one in months])


def _why_not(cells: pd.DataFrame, years: int) -> Text | None:
    """Why an attribute is not tried, where it is not."""
    known = cells[cells["held"] != NOT_STATED]
    if known["held"].nunique() > MOST_VALUES:
        return MANY_VALUES
    every = cells.groupby("year")["customers"].sum()
    share = known.groupby("year")["customers"].sum().reindex(every.index, fill_value=0) / every
    return None if len(share) == years and (share >= KNOWN).all() else NOT_KNOWN


@traced
def _trends(cells: pd.DataFrame) -> dict[str, ShareTrend]:
    """The trend of each value that enough newcomers held; of two values only the one whose share grows."""
    from analysis import stats

    known = cells[cells["held"] != NOT_STATED]
    values = sorted(known["held"].unique())
    trends = {}
    for held in values if len(values) > 1 else []:
        months = _months(known, held)
        if not _enough(months):
            continue
        trends[held] = stats.share_trend(months["hits"], months["customers"], months["year"])
    if len(values) == 2:
        return {held: trend for held, trend in trends.items() if trend.statistic > 0}
    return trends


def _months(known: pd.DataFrame, held: str, *strata: str) -> pd.DataFrame:
    """By stratum, year and month: newcomers whose value is known, and those of them who held one (``hits``)."""
    rows = known.assign(hits=known["customers"].where(known["held"] == held, 0))
    months: pd.DataFrame = rows.groupby([*strata, "year", "month"], as_index=False)[
        ["hits", "customers"]
    ].sum()
    return months


def _enough(months: pd.DataFrame) -> bool:
    """Whether a share that stays would be held, and not be held, by enough newcomers of every year."""
    years = months.groupby("year")["customers"].sum()
    share = months["hits"].sum() / years.sum()
    return bool(years.min() * min(share, 1 - share) >= LEAST)


@traced
def _stated(
    inputs: StudyInputs, found: Newcomers, tried: Sequence[tuple[str, str, ShareTrend]]
) -> tuple[NewcomerShare, ...]:
    """Each value with its facts, the surest first."""
    from analysis import stats

    adjusted = stats.adjust_p_values([trend.p_value for *_, trend in tried], method="holm")
    made = []
    for (attribute, held, trend), value in zip(tried, adjusted, strict=True):
        first, last = (
            _share(inputs, found, attribute, held, year) for year in (found.years[0], found.years[-1])
        )
        change = _change(inputs, first, last, trend, Period(found.years[0].first, found.years[-1].last))
        made.append(
            NewcomerShare(
                attribute=attribute,
                held=held,
                first=first,
                last=last,
                change=change,
                trend=trend,
                p_adjusted=float(value),
            )
        )
    return tuple(sorted(made, key=lambda one: (one.trend.p_value, one.attribute, one.held)))


def _share(inputs: StudyInputs, found: Newcomers, attribute: str, held: str, year: Period) -> Fact:
    """Share of the newcomers of a year who held the value, of those whose value is known."""
    column = found.attributes[attribute]
    rows = newcomer_views.customers_come(found.table).where(
        f"month >= DATE '{year.first.start}' AND month < DATE '{year.last.end}' AND {quoted(column)} IS NOT NULL"
    )
    return Stating(inputs=inputs, period=year).measured(
        "newcomer_share", rows.of(**{column: held}), rows, attribute=attribute, held=held
    )


def _change(inputs: StudyInputs, first: Fact, last: Fact, trend: ShareTrend, span: Period) -> Fact:
    """The last share minus the first; months of a year that differ more than chance lets them widen its interval."""
    from analysis import stats

    counts = (last.numerator, last.denominator, first.numerator, first.denominator)
    less = [float(one or 0) / trend.dispersion for one in counts]
    gap = stats.proportion_difference_interval(*less, level=inputs.confidence)
    interval = Interval.spanning(low=gap.low, high=gap.high, level=gap.level, method=gap.method)
    return Stating(inputs=inputs, period=span).derived(
        "newcomer_share_change",
        last,
        first,
        parts={"interval": interval, "n": int(counts[1] or 0) + int(counts[3] or 0)},
        attribute=last.dimensions["attribute"],
        held=last.dimensions["held"],
    )


@traced
def _told(
    inputs: StudyInputs, found: Newcomers, groups: Sequence[NewcomerShare]
) -> tuple[NewcomerShare, ...]:
    """A few that become findings: the surest of each attribute that is large enough, and only what still holds among newcomers alike in those told before."""
    error, least = 1 - inputs.confidence, limit(inputs, "smallest_newcomer_shift")
    told: dict[str, NewcomerShare] = {}
    for one in groups:
        if len(told) == MOST_TOLD or one.p_adjusted >= error or not moved(one.change, least):
            continue
        if one.attribute in told or not _holds(inputs, found, one, tuple(told), error / len(groups)):
            continue
        told[one.attribute] = one
    return tuple(replace(one, told=told.get(one.attribute) is one) for one in groups)


def moved(change: Fact, least: float) -> bool:
    """Whether a share moved by ``least`` or more, and beyond chance between the two years that are shown."""
    sure = change.interval is not None and not change.interval.holds(0)
    return sure and change.value is not None and abs(float(change.value)) >= least


@traced
def _holds(
    inputs: StudyInputs, found: Newcomers, one: NewcomerShare, told: Sequence[str], error: float
) -> bool:
    """Whether a trend goes the same way among newcomers alike in what was told before."""
    from analysis import stats

    if not told:
        return True
    strata = [found.attributes[name] for name in told]
    cells = _cells(inputs, found, found.attributes[one.attribute], *strata)
    months = _months(cells[cells["held"] != NOT_STATED], one.held, *strata)
    try:
        again = stats.share_trend(
            months["hits"],
            months["customers"],
            months["year"],
            strata=months.groupby(strata).ngroup(),
            dispersion=one.trend.dispersion,
        )
    except FitError:
        return False
    return again.statistic * one.trend.statistic > 0 and again.p_value < error


@traced
def _counted(inputs: StudyInputs, found: Newcomers, attributes: Sequence[str]) -> pd.DataFrame:
    """What was counted: newcomers by attribute, month and value."""
    import pandas as pd

    parts = [
        _cells(inputs, found, found.attributes[attribute]).assign(attribute=attribute)
        for attribute in attributes
    ]
    columns = ["attribute", "held", "month", "customers"]
    return pd.concat(parts, ignore_index=True)[columns]
