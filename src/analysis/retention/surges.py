"""When a group lost more than usual: months of the last year in which its losses rose beyond chance against its own other months.

What is usual follows from exposure: of those who may leave on any day, of those whose term comes up in the month, and of all others each with the group's
own rate, so that a month in which many terms come up is no surge. Every window of one to three months is tried and the search is paid for
(:func:`analysis.stats.count_surge`); over groups the family-wise error is held by Holm's correction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analysis.errors import FitError
from analysis.metrics import Period, Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.views import MOST_VALUES, NOT_STATED
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention import month_views
from analysis.retention.leavers import CustomerMonths, customer_months
from analysis.retention.same_groups import other_names
from analysis.retention.settings import limit, load_settings
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

    from analysis.stats import CountSurge

ALL = "all"
NEWS = 12  # months in which a surge may begin: an older one is no news
MOST_TOLD = 3
TOO_FEW = "too few losses, or too few months, to tell a rise of losses from chance"


@dataclass(frozen=True, kw_only=True, eq=False)
class LossSurge(Summarised):
    """The window of one group that stands out most.

    ``attribute``, ``held`` : the group; both ``all`` for all customers. ``told`` : a finding of its own, and not the part of one that is stronger.
    ``months_of`` : the group's months, with customers at risk, losses, and the losses that are usual for them.
    """

    attribute: str
    held: str
    window: Period
    losses: Fact
    ratio: Fact
    p_value: float
    p_adjusted: float
    statistic: float
    months_of: pd.DataFrame
    told: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class LossSurges(Summarised):
    """The surest window of every group that was searched, the surest group first."""

    groups: tuple[LossSurge, ...]
    months: Period

    @property
    def p_value(self) -> float | None:
        """Of the surest group, adjusted among all of them."""
        return min((one.p_adjusted for one in self.groups), default=None)


@traced
def surges(inputs: StudyInputs) -> LossSurges:
    """The months that stand out, of all customers and of every group by what they are or where.

    Raises
    ------
    MissingData : no contracts, or nobody is at risk
    FitError : no group has losses enough, or too few months are known
    """
    found = customer_months(inputs)
    seed, scanned = load_settings().seed, []
    since = inputs.month - (NEWS - 1)
    for attribute, held, months in _groups(inputs, found):
        try:
            surge = _scan(months, since, inputs.confidence, seed)
        except FitError:
            continue
        scanned.append((attribute, held, months, surge))
    if not scanned:
        raise FitError(TOO_FEW)
    return LossSurges(groups=_told(_stated(inputs, found, scanned), inputs.confidence), months=found.months)


def _scan(months: pd.DataFrame, since: Month, level: float, seed: int) -> CountSurge:
    """The window of a group that stands out most of those that begin in the last year."""
    from analysis import stats

    begins = int((months["month"] < since.start).sum())
    return stats.count_surge(months["losses"], months["usual"], since=begins, level=level, seed=seed)


# -- what is usual -----------------------------------------------------------------------------------------------------


@traced
def _groups(inputs: StudyInputs, found: CustomerMonths) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Every group with losses enough: what it is, and its months."""
    fewest = int(limit(inputs, "retention_fewest_losses"))
    repeated = other_names(inputs, found.table, found.fixed)
    for attribute, column in {ALL: "", **found.fixed}.items():
        by = ["month", "standing", *([column] if column else [])]
        cells = inputs.engine.query(month_views.losses_by(found.table, by))
        held = cells[column] if column else cells["month"].map(lambda _: ALL)
        values = sorted(set(held) - {NOT_STATED})
        if attribute != ALL and not 2 <= len(values) <= MOST_VALUES:
            continue
        for value in values:
            if (attribute, value) in repeated:
                continue
            months = usual(cells[held == value])
            if months["losses"].sum() >= fewest:
                yield attribute, value, months


@traced
def usual(cells: pd.DataFrame) -> pd.DataFrame:
    """Months of a group in order: customers at risk, losses, and those that are usual.

    ``cells`` : ``month`` (first day), ``standing``, ``customer_months``, ``losses``. Each standing has the rate of its own losses over all months of the
    group; a month in which nothing is usual is left out.
    """
    import pandas as pd

    sums = cells.groupby("standing")[["losses", "customer_months"]].sum()
    rates = sums["losses"] / sums["customer_months"]
    rows = cells.assign(usual=cells["standing"].map(rates) * cells["customer_months"])
    months = rows.groupby("month", as_index=False)[["customer_months", "losses", "usual"]].sum()
    months["month"] = pd.to_datetime(months["month"]).dt.date
    kept: pd.DataFrame = months[months["usual"] > 0].sort_values("month").reset_index(drop=True)
    return kept


# -- what is said ------------------------------------------------------------------------------------------------------


@traced
def _stated(
    inputs: StudyInputs, found: CustomerMonths, scanned: Sequence[tuple[str, str, pd.DataFrame, CountSurge]]
) -> tuple[LossSurge, ...]:
    from analysis import stats

    adjusted = stats.adjust_p_values([surge.p_value for *_, surge in scanned], method="holm")
    made = [
        _one(inputs, found, attribute, held, months, surge, float(value))
        for (attribute, held, months, surge), value in zip(scanned, adjusted, strict=True)
    ]
    return tuple(sorted(made, key=lambda one: (one.p_value, -one.statistic, one.attribute, one.held)))


def _one(
    inputs: StudyInputs,
    found: CustomerMonths,
    attribute: str,
    held: str,
    months: pd.DataFrame,
    surge: CountSurge,
    p_adjusted: float,
) -> LossSurge:
    first, last = (Month.parse(months["month"].iloc[place]) for place in (surge.start, surge.stop - 1))
    window = Period(first, last)
    return LossSurge(
        attribute=attribute,
        held=held,
        window=window,
        losses=_losses(inputs, found, attribute, held, window),
        ratio=_ratio(inputs, attribute, held, window, surge, int(months["losses"].sum())),
        p_value=surge.p_value,
        p_adjusted=p_adjusted,
        statistic=surge.statistic,
        months_of=months,
    )


def _losses(inputs: StudyInputs, found: CustomerMonths, attribute: str, held: str, window: Period) -> Fact:
    """Customers of the group who were lost in the window."""
    rows = month_views.months_at_risk(found.table).where(
        f"month >= DATE '{window.first.start}' AND month < DATE '{window.last.end}'"
    )
    if attribute != ALL:
        rows = rows.of(**{found.attributes[attribute]: held})
    return Stating(inputs=inputs, period=window).measured(
        "surge_losses", rows, attribute=attribute, held=held
    )


@traced
def _ratio(
    inputs: StudyInputs, attribute: str, held: str, window: Period, surge: CountSurge, losses: int
) -> Fact:
    return Stating(inputs=inputs, period=window).between(
        "surge_loss_ratio",
        surge.ratio,
        surge.low,
        surge.high,
        method="conditional on the losses of all months, chosen by its size",
        n=losses,
        attribute=attribute,
        held=held,
    )


def _told(groups: Sequence[LossSurge], level: float) -> tuple[LossSurge, ...]:
    """A few that become findings; of groups that rose in the same months the one that stands out most, or all customers where the others rose too."""
    whole = next((one for one in groups if one.attribute == ALL), None)
    told: list[LossSurge] = []
    for found in sorted(groups, key=lambda group: -group.statistic):
        if found.p_adjusted >= 1 - level or len(told) == MOST_TOLD:
            continue
        one = found
        if whole is not None and whole.p_adjusted < 1 - level and _others_rose(found, whole, level):
            one = whole
        if all(apart(one, other) for other in told):
            told.append(one)
    return tuple(replace(one, told=any(one is other for other in told)) for one in groups)


def apart(one: LossSurge, other: LossSurge) -> bool:
    """Whether two surges share no month."""
    return one.window.last < other.window.first or other.window.last < one.window.first


@traced
def _others_rose(one: LossSurge, whole: LossSurge, level: float) -> bool:
    """Whether all other customers lost more than usual as well, in the months of a group's surge: then it is no matter of the group."""
    from analysis import stats

    if one is whole or apart(one, whole):
        return False
    group = one.months_of.set_index("month").add_suffix("_of_group")
    both = whole.months_of.set_index("month").join(group).fillna(0)
    losses = both["losses"] - both["losses_of_group"]
    usual_losses = (both["usual"] - both["usual_of_group"]).clip(lower=0)
    within = (both.index >= one.window.first.start) & (both.index <= one.window.last.start)
    counts = [
        float(part.sum())
        for part in (losses[within], usual_losses[within], losses[~within], usual_losses[~within])
    ]
    if min(counts[1], counts[3]) <= 0 or counts[0] * counts[3] <= counts[2] * counts[1]:
        return False
    return bool(stats.rate_ratio_p_value(*counts) < 1 - level)
