"""Who leaves more often than others alike: every value of every attribute of a customer or contract, as it held when the month began.

Losses per customer-month of those who held a value are compared with those of all others, within strata of what decides when one can leave (the
standing of the term, years under contract) and, for what may change or is a place, of what customers are by nature (segment, plan, kind of contract). The
ratio is conditional on the losses of each stratum; the family-wise error of all values that are tried is held by Holm's correction.

Source: Breslow and Day (1987), *Statistical Methods in Cancer Research II*, IARC, chapters 3 and 4 (person-time); Holm (1979), *Scand. J. Stat.* 6, 65-70.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analysis.errors import FitError, NothingToCount
from analysis.metrics import Period, Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.views import MOST_VALUES, NOT_STATED, attributes_of_history
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention import month_views
from analysis.retention.month_views import OF_CONTRACTS, OF_CUSTOMERS, ONBOARDING
from analysis.retention.same_groups import other_names
from analysis.retention.settings import limit
from analysis.retention.spells import contracts, losses_known_until
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

    from analysis.stats import CommonRatio

LOOKBACK = 36  # months in which losses are counted
STATE = 0.25  # share of customers who held several values of an attribute: from here on it is a state, below it what they are
MOST_TOLD = 3
TOO_FEW = "too few losses of any group to compare it with the others"
STANDING = ("standing", "tenure")
#: What a customer is by nature, or has bought: said, and no news.
BY_NATURE = frozenset({"customer_type", "segment", "contract_kind", "contract_term"})
PLACES = frozenset({"region", "channel"})


@dataclass(frozen=True, kw_only=True, eq=False)
class CustomerMonths(Summarised):
    """Customer-months as a table of the engine.

    ``attributes`` : columns by attribute; ``by_nature`` those of them that say what a customer is. ``months`` : of which losses are all known.
    """

    table: str
    months: Period
    attributes: dict[str, str]
    by_nature: frozenset[str]

    @property
    def fixed(self) -> dict[str, str]:
        """Attributes that hold for as long as the customer does, by nature or as a place."""
        kept = self.by_nature | PLACES
        return {name: column for name, column in self.attributes.items() if name in kept}


@dataclass(frozen=True, kw_only=True, eq=False)
class LeavingGroup(Summarised):
    """One value of one attribute against all others: share lost in a month, ratio, and whether it holds among all values that were tried.

    ``told`` : a finding of its own; what only repeats a stronger one is in the table alone.
    """

    attribute: str
    held: str
    rate: Fact
    ratio: Fact
    p_value: float
    p_adjusted: float
    by_nature: bool
    told: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Leavers(Summarised):
    """Every value that was tried, the surest first; ``cells`` are what was counted, by attribute and value."""

    groups: tuple[LeavingGroup, ...]
    tried: int
    months: Period
    cells: pd.DataFrame

    @property
    def p_value(self) -> float | None:
        """Of the surest group, adjusted among all of them."""
        return min((one.p_adjusted for one in self.groups), default=None)


# -- what is counted ---------------------------------------------------------------------------------------------------


@traced
def customer_months(inputs: StudyInputs) -> CustomerMonths:
    """Customers under contract month by month, of the months whose losses are all known.

    Raises
    ------
    MissingData : no contracts, or none that was lost in a month that is known
    """
    held = contracts(inputs)
    months = _months(inputs)
    history, moved = _history(inputs)
    sql = month_views.customer_months(
        held, [(month.start, month.end) for month in months], history, served_from=_served_from(inputs)
    )
    table = inputs.engine.materialise("customer_months", sql)
    attributes = {name: name for name in (*OF_CUSTOMERS, *OF_CONTRACTS, ONBOARDING)}
    own = {name: column for column, name in history.items() if name not in OF_CUSTOMERS}
    return CustomerMonths(
        table=table,
        months=Period(months[0], months[-1]),
        attributes=attributes | own,
        by_nature=BY_NATURE | {name for name in own if moved[name] < STATE},
    )


def _months(inputs: StudyInputs) -> list[Month]:
    """The months looked back on whose losses are all known, none before the first loss on record."""
    sql = f"WITH {contracts(inputs)} SELECT min(ends) AS first FROM spells WHERE ends IS NOT NULL"
    first = inputs.engine.query(sql)["first"].iloc[0]
    if first is None or first != first:
        raise NothingToCount("contracts.ends_on")
    begins, known = (
        Month.parse(first.date() if isinstance(first, dt.datetime) else first),
        losses_known_until(inputs),
    )
    looked = [inputs.month - back for back in range(LOOKBACK - 1, -1, -1)]
    found = [month for month in looked if month >= begins and month.end <= known]
    if not found:
        raise NothingToCount("contracts.ends_on")
    return found


@traced
def _history(inputs: StudyInputs) -> tuple[dict[str, str], dict[str, float]]:
    """Attributes of the company's own history by column, and the share of customers who held several values of each."""
    if inputs.engine.tables.missing("customer_history.valid_from", "customer_history.value"):
        return {}, {}
    found = inputs.engine.query(attributes_of_history(inputs.month.end))
    own = found[~found["attribute"].isin([*OF_CONTRACTS, ONBOARDING])]
    names = own["attribute"].tolist()
    moved = dict(zip(names, own["moved"].astype(float), strict=True))
    return {f"held_{place}": name for place, name in enumerate(names)}, moved


def _served_from(inputs: StudyInputs) -> dt.date | None:
    """The first day of service on record, where some of it is installation and the day of acquisition is known."""
    if inputs.engine.tables.missing("tickets.opened_at", "tickets.customer_id", "customers.acquired_on"):
        return None
    sql = "SELECT min(opened_on) AS first, count(*) FILTER (WHERE ticket_type = 'installation') AS installed FROM service_orders"
    row = inputs.engine.query(sql).iloc[0]
    return row["first"] if row["installed"] else None


# -- who leaves more often ---------------------------------------------------------------------------------------------


@traced
def leavers(inputs: StudyInputs) -> Leavers:
    """Every value of every attribute against all others.

    Raises
    ------
    MissingData : no contracts, or nobody is at risk
    FitError : no value has losses enough to be compared
    """
    found = customer_months(inputs)
    repeated = other_names(inputs, found.table, found.attributes)
    tried = [
        (attribute, held, ratio)
        for attribute in found.attributes
        for held, ratio in _ratios(inputs, found, attribute).items()
        if (attribute, held) not in repeated
    ]
    if not tried:
        raise FitError(TOO_FEW)
    groups = _told(inputs, found, _stated(inputs, found, tried))
    return Leavers(groups=groups, tried=len(tried), months=found.months, cells=_cells(inputs, found))


def _strata(found: CustomerMonths, attribute: str, told: Sequence[str] = ()) -> list[str]:
    """Columns within which customers are compared."""
    alike = set() if attribute in found.by_nature else {*found.by_nature, "segment"}
    return [*STANDING, *(found.attributes[name] for name in sorted({*alike, *told}) if name != attribute)]


@traced
def _ratios(
    inputs: StudyInputs, found: CustomerMonths, attribute: str, told: Sequence[str] = ()
) -> dict[str, CommonRatio]:
    """The ratio of each value of an attribute that has losses enough; of two values only the one lost more often."""
    column, fewest = found.attributes[attribute], int(limit(inputs, "retention_fewest_losses"))
    strata = _strata(found, attribute, told)
    cells = inputs.engine.query(month_views.losses_by(found.table, [*strata, column]))
    cells = cells[cells[column] != NOT_STATED]
    values = sorted(cells[column].unique())
    if not 2 <= len(values) <= MOST_VALUES:
        return {}
    ratios = {held: _ratio(cells, strata, column, held, inputs.confidence, fewest) for held in values}
    made = {held: ratio for held, ratio in ratios.items() if ratio is not None}
    if len(values) == 2 and made:
        held = max(made, key=lambda one: made[one].value)
        return {held: made[held]}
    return made


def _ratio(
    cells: pd.DataFrame, strata: Sequence[str], column: str, held: str, level: float, fewest: int
) -> CommonRatio | None:
    """One value against all others within strata; none where both what was seen and what is expected are too few."""
    from analysis import stats

    sums = ["customer_months", "losses"]
    mine = cells[cells[column] == held].groupby(list(strata))[sums].sum()
    others = cells[cells[column] != held].groupby(list(strata))[sums].sum().add_suffix("_others")
    both = mine.join(others, how="inner")
    if both.empty:
        return None
    try:
        ratio = stats.stratified_rate_ratio(
            both["losses"],
            both["customer_months"],
            both["losses_others"],
            both["customer_months_others"],
            level=level,
        )
    except FitError:
        return None
    return ratio if max(ratio.events, ratio.expected) >= fewest else None


@traced
def _stated(
    inputs: StudyInputs, found: CustomerMonths, tried: Sequence[tuple[str, str, CommonRatio]]
) -> tuple[LeavingGroup, ...]:
    """Each value with its facts, the surest first."""
    from analysis import stats

    state = Stating(inputs=inputs, period=found.months)
    adjusted = stats.adjust_p_values([ratio.p_value for *_, ratio in tried], method="holm")
    made = [
        LeavingGroup(
            attribute=attribute,
            held=held,
            rate=_rate(state, found, attribute, held),
            ratio=_ratio_fact(state, attribute, held, ratio),
            p_value=ratio.p_value,
            p_adjusted=float(value),
            by_nature=attribute in found.by_nature,
        )
        for (attribute, held, ratio), value in zip(tried, adjusted, strict=True)
    ]
    return tuple(sorted(made, key=lambda one: (one.p_value, one.attribute, one.held)))


def _rate(state: Stating, found: CustomerMonths, attribute: str, held: str) -> Fact:
    """Share of the customers who held the value that was lost in a month."""
    rows = month_views.months_at_risk(found.table).of(**{found.attributes[attribute]: held})
    return state.measured("group_loss_rate", rows, attribute=attribute, held=held)


@traced
def _ratio_fact(state: Stating, attribute: str, held: str, ratio: CommonRatio) -> Fact:
    return state.between(
        "group_loss_ratio",
        ratio.value,
        ratio.low,
        ratio.high,
        method=ratio.method,
        n=ratio.events,
        attribute=attribute,
        held=held,
    )


@traced
def _told(
    inputs: StudyInputs, found: CustomerMonths, groups: Sequence[LeavingGroup]
) -> tuple[LeavingGroup, ...]:
    """A few that become findings: the surest of each attribute, and only what still holds among customers alike in those told before."""
    error = 1 - inputs.confidence
    told: dict[str, LeavingGroup] = {}
    for one in groups:
        more = one.ratio.value is not None and float(one.ratio.value) > 1
        if len(told) == MOST_TOLD or one.p_adjusted >= error or not more or one.attribute in told:
            continue
        again = _ratios(inputs, found, one.attribute, tuple(told)).get(one.held) if told else None
        if told and (again is None or again.value <= 1 or again.p_value * len(groups) >= error):
            continue
        told[one.attribute] = one
    return tuple(replace(one, told=told.get(one.attribute) is one) for one in groups)


@traced
def _cells(inputs: StudyInputs, found: CustomerMonths) -> pd.DataFrame:
    """What was counted: customer-months and losses by attribute and value."""
    import pandas as pd

    parts = []
    for attribute, column in found.attributes.items():
        counted = inputs.engine.query(month_views.losses_by(found.table, [column]))
        parts.append(counted.rename(columns={column: "held"}).assign(attribute=attribute))
    columns = ["attribute", "held", "customer_months", "losses"]
    return pd.concat(parts, ignore_index=True)[columns]
