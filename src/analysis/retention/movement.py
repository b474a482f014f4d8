"""Who was there, who left and who came: customers and contract value, for contracts and for purchases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from analysis.errors import FitError, MissingData
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.components import ChurnComponents, churn_components
from analysis.retention.standing import contracts, purchases
from analysis.retention.stating import NO_YEAR, TOO_FEW, Common, plain, share
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

YEAR = 12
HISTORY = 25
MOVEMENTS = ("start", "retained", "lost", "new", "reactivated", "end", "won_and_lost")


@dataclass(frozen=True, kw_only=True, eq=False)
class Movement(Summarised):
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
class Basis(Summarised):
    """Churn on one basis: the year, the month, the year by customer type, and the yearly rate month by month."""

    basis: str
    year: Movement
    month: Movement
    by_type: tuple[Movement, ...]
    history: tuple[tuple[Month, Fact], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Revenue(Summarised):
    """Yearly contract value of the customers present at the start, and what of it was kept; by customer type and together (None)."""

    customer_type: str | None
    start: Fact
    end: Fact
    gross: Fact
    net: Fact


@traced
def year_of(inputs: StudyInputs, month: Month | None = None) -> Period:
    month = month or inputs.month
    return Period(month - (YEAR - 1), month)


@traced
def contractual(inputs: StudyInputs) -> Basis:
    """Churn of subscriptions and maintenance contracts."""
    inputs.engine.require("contracts.customer_id", "contracts.starts_on", "contracts.ends_on")
    return _basis(inputs, "contractual", contracts(inputs))


@traced
def non_contractual(inputs: StudyInputs) -> Basis:
    """Churn of customers without such a contract: no order within the stated window."""
    inputs.engine.require("orders.ordered_at", "orders.revenue")
    return _basis(inputs, "non_contractual", purchases(inputs))


@traced
def _basis(inputs: StudyInputs, basis: str, spells: str) -> Basis:
    months = [inputs.month - back for back in range(HISTORY - 1, -1, -1)]
    periods = [(f"year {month}", (month - (YEAR - 1)).start, month.end) for month in months]
    periods.append((f"month {inputs.month}", inputs.month.start, inputs.month.end))
    frame = inputs.engine.query(views.movements(spells, periods))
    if frame.empty:
        raise MissingData(*(["contracts.starts_on"] if basis == "contractual" else ["orders.ordered_at"]))
    first_seen = frame[frame["start"] > 0]["period"].str.removeprefix("year ").min()
    types = sorted(frame["customer_type"].unique())
    history = tuple(
        (
            month,
            movement(
                inputs, basis, _counts(frame, f"year {month}"), period=year_of(inputs, month)
            ).gross_churn,
        )
        for month in months
        if str(month) >= str(first_seen)
    )
    this = f"year {inputs.month}"
    return Basis(
        basis=basis,
        year=movement(inputs, basis, _counts(frame, this), period=year_of(inputs)),
        month=movement(
            inputs, basis, _counts(frame, f"month {inputs.month}"), period=Period.of(inputs.month)
        ),
        by_type=tuple(
            movement(inputs, basis, _counts(frame, this, one), period=year_of(inputs), customer_type=one)
            for one in types
        ),
        history=history,
    )


@traced
def _counts(frame: pd.DataFrame, period: str, customer_type: str | None = None) -> ChurnComponents:
    rows = frame[
        (frame["period"] == period) & ((frame["customer_type"] == customer_type) if customer_type else True)
    ]
    return churn_components(
        **{name: int(rows[name].sum()) for name in ("start", "lost", "new", "reactivated", "won_and_lost")}
    )


@traced
def movement(
    inputs: StudyInputs,
    basis: str,
    found: ChurnComponents,
    *,
    period: Period,
    customer_type: str | None = None,
) -> Movement:
    """Facts of the components; every popular formula under its own name."""
    place = {"churn_basis": basis} | ({"customer_type": customer_type} if customer_type else {})
    common: Common = {"period": period}

    def rate(metric: str, value: float | None, top: int) -> Fact:
        return plain(
            inputs, metric, value, dimensions=place, numerator=top, denominator=found.start, **common
        )

    return Movement(
        basis=basis,
        customer_type=customer_type,
        period=period,
        components=found,
        counts={
            name: plain(
                inputs,
                "customer_movement",
                getattr(found, name),
                dimensions={**place, "movement": name},
                **common,
            )
            for name in MOVEMENTS
        },
        gross_churn=share(inputs, "gross_churn_rate", found.lost, found.start, dimensions=place, **common),
        retention=share(
            inputs, "customer_retention_rate", found.retained, found.start, dimensions=place, **common
        ),
        net_loss=rate("net_customer_loss_rate", found.net_customer_loss_rate, found.start - found.end),
        popular_retention=rate("popular_retention_rate", found.popular_retention_rate, found.end - found.new),
        popular_gap=rate("popular_retention_gap", found.popular_retention_gap, found.reactivated),
    )


@traced
def revenue_retention(inputs: StudyInputs) -> tuple[Revenue, ...]:
    """Gross and net revenue retention of contracts over the year: all, then by customer type."""
    inputs.engine.require("contracts.starts_on", "contracts.ends_on", "contracts.amount")
    period = year_of(inputs)
    frame = inputs.engine.query(
        views.contract_values(contracts(inputs), inputs.month.end, period.first.start)
    )
    if frame.empty:
        raise MissingData("contracts.amount")
    groups: list[str | None] = [None, *frame["customer_type"]]
    return tuple(
        _revenue(inputs, frame if one is None else frame[frame["customer_type"] == one], one, period)
        for one in groups
    )


@traced
def _revenue(inputs: StudyInputs, rows: pd.DataFrame, customer_type: str | None, period: Period) -> Revenue:
    place = {"customer_type": customer_type} if customer_type else {}
    start, end, kept = (sum(rows[name], Decimal(0)) for name in ("start_value", "end_value", "kept_value"))
    common: Common = {"period": period}

    def ratio(metric: str, value: Decimal) -> Fact:
        return plain(
            inputs,
            metric,
            value / start if start else None,
            dimensions=place,
            numerator=value,
            denominator=start,
            **common,
        )

    return Revenue(
        customer_type=customer_type,
        start=plain(inputs, "contract_value", start, dimensions={**place, "moment": "start"}, **common),
        end=plain(inputs, "contract_value", end, dimensions={**place, "moment": "end"}, **common),
        gross=ratio("gross_revenue_retention", kept),
        net=ratio("net_revenue_retention", end),
    )


@traced
def reasons(inputs: StudyInputs) -> tuple[tuple[tuple[str, bool | None, Fact], ...], Fact]:
    """(reason, avoidable, share) of the year's losses, largest first, and the avoidable share."""
    inputs.engine.require("customers.churn_reason")
    period = year_of(inputs)
    frame = inputs.engine.query(views.reasons(contracts(inputs), inputs.month.end, period.first.start))
    if frame.empty:
        raise MissingData("customers.churn_reason")
    total = int(frame["lost"].sum())
    common: Common = {"period": period}
    lines = tuple(
        (
            str(row.reason),
            {"True": True, "False": False}.get(str(row.avoidable)),
            share(
                inputs,
                "loss_reason_share",
                int(str(row.lost)),
                total,
                dimensions={"churn_reason": str(row.reason)},
                **common,
            ),
        )
        for row in frame.groupby("reason", as_index=False)
        .agg(lost=("lost", "sum"), avoidable=("avoidable", "first"))
        .sort_values(["lost", "reason"], ascending=[False, True])
        .itertuples()
    )
    marked = frame[frame["avoidable"].notna()]
    yes = int(marked.loc[marked["avoidable"].astype(bool), "lost"].sum())
    return lines, share(
        inputs, "avoidable_churn_share", yes, int(marked["lost"].sum()), dimensions={}, **common
    )


@traced
def model_churn(inputs: StudyInputs) -> Fact:
    """Churn of the customers without a contract by the purchase model: fall in the expected number of living customers."""
    from analysis import stats

    period = year_of(inputs)
    frames = [
        inputs.engine.query(views.purchase_patterns(inputs.month.end, at, acquired_before=period.first.start))
        for at in (period.first.start, inputs.month.end)
    ]
    if frames[0].empty:
        return plain(inputs, "model_churn_rate", None, reason=NO_YEAR, period=period, dimensions={})
    alive = [0.0, 0.0]
    for customer_type in sorted(set(frames[0]["customer_type"])):
        before, after = (frame[frame["customer_type"] == customer_type] for frame in frames)
        try:
            model = stats.fit_mbgnbd(
                after["frequency"], after["recency"], after["age"], after["customers"], unit="week"
            )
        except FitError:
            return plain(inputs, "model_churn_rate", None, reason=TOO_FEW, period=period, dimensions={})
        for place, rows in enumerate((before, after)):
            alive[place] += float(
                model.probability_alive(rows["frequency"], rows["recency"], rows["age"]) @ rows["customers"]
            )
    if not alive[0]:
        return plain(inputs, "model_churn_rate", None, reason=TOO_FEW, period=period, dimensions={})
    return plain(
        inputs,
        "model_churn_rate",
        1 - alive[1] / alive[0],
        period=period,
        dimensions={},
        numerator=alive[0] - alive[1],
        denominator=alive[0],
    )


@traced
def first_loss(inputs: StudyInputs) -> Month | None:
    """Month of the first loss on record, among all contracts."""
    found = inputs.engine.query(f"WITH {contracts(inputs)} SELECT min(ends) AS first FROM spells")[
        "first"
    ].iloc[0]
    return None if found is None or found != found else Month.parse(str(found)[:7])


@traced
def renewal_calendar(inputs: StudyInputs) -> tuple[tuple[Month, str, Fact, Fact], ...]:
    """(month, customer type, contracts, yearly value) of terms that end in the next twelve months."""
    inputs.engine.require("contracts.ends_on", "contracts.amount")
    frame = inputs.engine.query(
        views.renewals(contracts(inputs), inputs.month.end, (inputs.month + YEAR).end)
    )
    lines = []
    for row in frame.itertuples():
        month, place = Month.parse(str(row.month)[:10]), {"customer_type": str(row.customer_type)}
        common: Common = {"period": month}
        lines.append(
            (
                month,
                str(row.customer_type),
                plain(inputs, "renewal_contracts", int(str(row.contracts)), dimensions=place, **common),
                plain(inputs, "renewal_value", row.yearly, dimensions=place, **common),
            )
        )
    return tuple(lines)
