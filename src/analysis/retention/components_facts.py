"""Who was there, who left and who came, for contracts and for purchases: the components of churn as facts."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from analysis.errors import MissingData, NothingToCount
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.stating import NOBODY, TOO_FEW
from analysis.periods import Month
from analysis.results import Derived, Fact, Interval
from analysis.retention import views
from analysis.retention.components import ChurnComponents, churn_components
from analysis.retention.settings import load_settings
from analysis.retention.spells import contracts, purchases, year_of
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

    from analysis.metrics.views.selection import Selection

HISTORY = 25
MOVEMENTS = ("start", "retained", "lost", "new", "reactivated", "end", "won_and_lost")
COMPONENTS = ("start", "lost", "new", "reactivated", "won_and_lost")
NO_YEAR = Text.of("not computed: orders reach back less than a year before the period")


@dataclass(frozen=True, kw_only=True, eq=False)
class ChurnMovement(Summarised):
    """The components of one period and one group, as facts by name."""

    basis: str
    customer_type: str | None
    period: Period
    components: ChurnComponents
    counts: Mapping[str, Fact]
    gross_churn: Fact
    retention: Fact
    net_loss: Fact
    popular_retention: Fact
    popular_gap: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class ChurnBasis(Summarised):
    """Churn on one basis: the year, the month, the year by customer type, and the yearly rate month by month.

    ``lost`` lists the customers behind the year's rate, one row each. ``waiting`` counts those whose contract ran out within the grace days and
    who count as there, ``at_most`` is the year's churn if none of them renews; None on the basis of purchases, whose window has no grace.
    ``window`` : months without an order after which a buyer is lost; None on the basis of contracts.
    """

    basis: str
    year: ChurnMovement
    month: ChurnMovement
    by_type: tuple[ChurnMovement, ...]
    history: tuple[tuple[Month, Fact], ...]
    lost: pd.DataFrame
    waiting: Fact | None = None
    at_most: Fact | None = None
    window: Fact | None = None


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Customers of one basis (and type) in one period, and the rows that list them."""

    basis: str
    period: Period
    rows: Selection
    customer_type: str | None = None

    @property
    def dimensions(self) -> dict[str, Any]:
        return {"churn_basis": self.basis} | (
            {"customer_type": self.customer_type} if self.customer_type else {}
        )

    def customers(self, movement: str) -> Selection:
        """The customers of one movement."""
        return self.rows.where(views.MOVED[movement])


@traced
def contractual(inputs: StudyInputs) -> ChurnBasis:
    """Churn of subscriptions and maintenance contracts.

    Raises
    ------
    MissingData : no contracts, or none of a kind that can be lost
    """
    inputs.engine.require("contracts.customer_id", "contracts.starts_on", "contracts.ends_on")
    found = _basis(inputs, "contractual", contracts(inputs), NothingToCount("contracts.starts_on"))
    waiting, at_most = _waiting(inputs, found)
    return replace(found, waiting=waiting, at_most=at_most)


def _waiting(inputs: StudyInputs, basis: ChurnBasis) -> tuple[Fact, Fact]:
    """Customers whose contract ran out within the grace days, and the year's churn if none of them renews."""
    spells, period = contracts(inputs), basis.year.period
    within = views.in_grace(spells)
    moved = views.customers_moved(spells, [_limits(period)])
    at_most = Stating(inputs=inputs, period=period).measured(
        "gross_churn_at_most",
        views.perhaps_lost(str(moved), str(within)),
        reason=NOBODY,
        churn_basis=basis.basis,
    )
    return Stating(inputs=inputs).measured("customers_in_grace", within), at_most


def _limits(period: Period) -> tuple[str, dt.date, dt.date]:
    """Name, first day and day after the last of a period."""
    return str(period), period.first.start, period.last.end


@traced
def non_contractual(inputs: StudyInputs) -> ChurnBasis:
    """Churn of customers without such a contract: no order within the stated window.

    Raises
    ------
    MissingData : no orders, or none of such customers
    """
    inputs.engine.require("orders.ordered_at", "orders.revenue")
    found = _basis(
        inputs,
        "non_contractual",
        purchases(inputs),
        MissingData(message="nobody without a contract bought in these months"),
    )
    return replace(found, window=_window(inputs))


@traced
def _window(inputs: StudyInputs) -> Fact:
    """Months without an order after which a buyer counts as lost, as the run states them (``active_window_months``)."""
    return Stating(inputs=inputs).exact("active_window", inputs.params.active_window_months)


def _basis(inputs: StudyInputs, basis: str, spells: str, nobody: MissingData) -> ChurnBasis:
    year, month = year_of(inputs), Period.of(inputs.month)
    types = inputs.engine.query(views.customer_types(spells, inputs.month.end))["customer_type"]
    if types.empty:
        raise nobody
    moved = views.customers_moved(spells, [_limits(year), _limits(month)])
    of_year = moved.of(period=str(year))
    group = _Group(basis=basis, period=year, rows=of_year)
    return ChurnBasis(
        basis=basis,
        year=movement(inputs, group),
        month=movement(inputs, _Group(basis=basis, period=month, rows=moved.of(period=str(month)))),
        by_type=tuple(
            movement(
                inputs,
                _Group(basis=basis, period=year, rows=of_year.of(customer_type=one), customer_type=one),
            )
            for one in map(str, types)
        ),
        history=_history(inputs, basis, spells),
        lost=inputs.engine.query(
            f"SELECT {LISTED} FROM ({group.customers('lost')}) AS lost ORDER BY last_ends, customer_id"
        ),
    )


LISTED = "customer_id, customer_type, segment, region, kind, first_begins, last_begins, last_ends"


@traced
def _history(inputs: StudyInputs, basis: str, spells: str) -> tuple[tuple[Month, Fact], ...]:
    """The yearly rate at the end of each month, from the first on whose year began with somebody."""
    months = [inputs.month - back for back in range(HISTORY - 1, -1, -1)]
    years = {str(year): month for month in months for year in (year_of(inputs, month),)}
    moved = views.customers_moved(spells, [_limits(Period.parse(year)) for year in years])
    rates = Stating(inputs=inputs).measured_by(
        "gross_churn_rate", moved.where(views.MOVED["start"]), by=("period",), churn_basis=basis
    )
    return tuple((years[year], rate) for (year,), rate in rates.items())


def movement(inputs: StudyInputs, group: _Group) -> ChurnMovement:
    """Facts of the components; every popular formula under its own name."""
    state, place = Stating(inputs=inputs, period=group.period), group.dimensions
    counts = {
        name: state.measured("customer_movement", group.customers(name), movement=name, **place)
        for name in MOVEMENTS
    }
    start = counts["start"]
    churn = state.measured("gross_churn_rate", group.customers("start"), reason=NOBODY, **place)
    net = state.derived("net_customers_lost", start, counts["end"], **place)
    but_new = state.derived("customers_but_new", counts["end"], counts["new"], **place)
    retention = _of_start(
        state, "customer_retention_rate", counts["retained"], start, place, _mirrored(churn)
    )
    back = _gained(inputs, start, counts["reactivated"])
    gained = _gained(inputs, start, counts["new"], counts["reactivated"])
    return ChurnMovement(
        basis=group.basis,
        customer_type=group.customer_type,
        period=group.period,
        components=churn_components(**{name: int(counts[name].value or 0) for name in COMPONENTS}),
        counts=counts,
        gross_churn=churn,
        retention=retention,
        net_loss=_of_start(state, "net_customer_loss_rate", net, start, place, _together(churn, gained, -1)),
        popular_retention=_of_start(
            state, "popular_retention_rate", but_new, start, place, _together(retention, back, 1)
        ),
        popular_gap=_of_start(
            state,
            "popular_retention_gap",
            counts["reactivated"],
            start,
            place,
            _exactly(inputs, back, churn.n),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Gained:
    """Customers gained per customer at the start, a Poisson count: those who may come are no part of those present."""

    rate: float
    low: float
    high: float


def _gained(inputs: StudyInputs, start: Fact, *gains: Fact) -> _Gained | None:
    from analysis.stats import poisson_interval

    if not start.value:
        return None
    present, count = float(start.value), sum(float(one.value or 0) for one in gains)
    found = poisson_interval(count, present, level=inputs.confidence)
    return _Gained(rate=count / present, low=float(found.low), high=float(found.high))


def _exactly(inputs: StudyInputs, gained: _Gained | None, n: int | None) -> dict[str, Any]:
    """The interval of what was gained, by itself."""
    if gained is None:
        return {}
    limits = Interval(low=gained.low, high=gained.high, level=inputs.confidence, method="exact Poisson count")
    return {"interval": limits, "n": n}


def _together(rate: Fact, gained: _Gained | None, sign: int) -> dict[str, Any]:
    """A share of those present plus (or, with ``sign`` below zero, minus) what was gained, from the intervals of both.

    Square-and-add, "MOVER" (Zou and Donner 2008, Statistics in Medicine 27, 1693-1702): losses and gains are taken as independent.
    """
    if rate.interval is None or gained is None:
        return {}
    share, own = float(rate.value or 0), rate.interval
    fewer, more = gained.rate - gained.low, gained.high - gained.rate
    below, above = (fewer, more) if sign > 0 else (more, fewer)
    value = share + sign * gained.rate
    return {
        "interval": Interval(
            low=value - math.hypot(share - own.low, below),
            high=value + math.hypot(own.high - share, above),
            level=own.level,
            method="Wilson of the share and exact Poisson of the gains, square-and-add",
        ),
        "n": rate.n,
    }


def _of_start(
    state: Stating,
    metric: str,
    top: Fact,
    start: Fact,
    place: Mapping[str, Any],
    parts: Mapping[str, Any] | None = None,
) -> Fact:
    """A number of customers over those present at the start; where nobody was, that is the reason."""
    if not start.value:
        follows = Derived(operation="quotient", parents=(top, start))
        return state.exact(metric, None, reason=NOBODY, lineage=follows, **place)
    return state.derived(metric, top, start, parts=parts, **place)


def _mirrored(churn: Fact) -> dict[str, Any]:
    """The Wilson interval of those who stayed: that of those who left, seen from the other side."""
    if churn.interval is None:
        return {}
    found = churn.interval
    return {
        "interval": Interval(low=1 - found.high, high=1 - found.low, level=found.level, method=found.method),
        "n": churn.n,
    }


@traced
def reasons(inputs: StudyInputs, basis: ChurnBasis) -> tuple[tuple[tuple[str, bool | None, Fact], ...], Fact]:
    """(reason, avoidable, share) of the year's losses of contracts, largest first, and the avoidable share."""
    inputs.engine.require("customers.churn_reason")
    state = Stating(inputs=inputs, period=basis.year.period)
    lost = views.losses(contracts(inputs), basis.year.period.first.start)
    frame = inputs.engine.query(views.reasons(str(lost)))
    if frame.empty:
        raise NothingToCount("customers.churn_reason")
    shares = state.measured_by("loss_reason_share", lost, by=("churn_reason",), of_by=())
    lines = tuple(
        (
            str(row["churn_reason"]),
            {"True": True, "False": False}.get(str(row["avoidable"])),
            shares[str(row["churn_reason"]),],
        )
        for row in frame.to_dict("records")
    )
    return lines, state.measured("avoidable_churn_share", lost, reason=NOBODY)


@traced
def model_churn(inputs: StudyInputs, basis: ChurnBasis) -> Fact:
    """Churn of the customers without a contract by the purchase model: fall in the expected number of living customers.

    Raises
    ------
    FitError : too few purchases for the model
    """
    from analysis import stats

    state, first = Stating(inputs=inputs, period=basis.year.period), basis.year.period.first.start
    types = load_settings().purchase_types
    before, after = (
        inputs.engine.query(views.purchase_patterns(inputs.month.end, at, acquired_before=first, types=types))
        for at in (first, inputs.month.end)
    )
    if before.empty:
        return state.exact("model_churn_rate", None, reason=NO_YEAR)
    alive, found = [0.0, 0.0], []
    for customer_type in sorted(set(before["customer_type"])):
        frames = [frame[frame["customer_type"] == customer_type] for frame in (before, after)]
        last = frames[1]
        model = stats.fit_mbgnbd(
            last["frequency"], last["recency"], last["age"], last["customers"], unit="week"
        )
        found.append((model, frames))
        for moment, rows in enumerate(frames):
            alive[moment] += _alive(model, rows)
    if not alive[0]:
        return state.exact("model_churn_rate", None, reason=TOO_FEW)
    rate = 1 - alive[1] / alive[0]
    error = math.sqrt(sum(_churn_variance(model, frames, rate) for model, frames in found)) / alive[0]
    return state.estimate(
        "model_churn_rate",
        rate,
        error,
        n=int(before["customers"].sum()),
        method="Hessian of the purchase model and chance of the customers, normal",
        parts={"numerator": alive[0] - alive[1], "denominator": alive[0]},
    )


def _alive(model: Any, rows: pd.DataFrame) -> float:
    """Customers that a purchase model takes for alive."""
    return float(model.probability_alive(rows["frequency"], rows["recency"], rows["age"]) @ rows["customers"])


def _churn_variance(model: Any, frames: Sequence[pd.DataFrame], rate: float) -> float:
    """Variance of the customers lost beyond ``rate`` of those alive: by the model's parameters, and by chance given these."""
    import numpy as np

    fit, step = model.fit, 1e-4
    slope = np.zeros(len(fit.names))
    for place, name in enumerate(fit.names):
        for side in (-1, 1):
            moved = replace(model, **{name: getattr(model, name) * math.exp(side * step)})
            start, end = (_alive(moved, rows) for rows in frames)
            slope[place] += side * (start * (1 - rate) - end) / (2 * step)
    last = frames[1]
    chance = model.probability_alive(last["frequency"], last["recency"], last["age"])
    return float(slope @ fit.log_covariance @ slope + (chance * (1 - chance)) @ last["customers"])


@traced
def first_loss(inputs: StudyInputs) -> Month | None:
    """Month of the first loss on record, among all contracts; None where none is."""
    sql = f"WITH {contracts(inputs)} SELECT min(ends) AS first FROM spells"
    found = inputs.engine.query(sql)["first"].iloc[0]
    return None if found is None or found != found else Month.parse(str(found)[:7])
