"""The call list: scores of the customers under contract now, and what they may cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from analysis.errors import FitError, MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Fact, Interval
from analysis.retention import views
from analysis.retention.scores import RiskScores, auc_interval, risk_scores
from analysis.retention.settings import load_settings
from analysis.retention.standing import contracts, felt, observed_from
from analysis.retention.stating import Common, estimate, plain, share
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

PRINTED = 4  # customers of the call list that a page shows
FEATURES = (
    "customer_type",
    "segment",
    "contract_kind",
    "region",
    "channel",
    "tenure_months",
    "contract_value",
    "days_to_renewal",
    "tickets_12m",
    "complaints_12m",
    "repairs_12m",
    "late_complaint",
    "repeat_repair",
    "orders_24m",
    "margin_12m",
)
REASONS = {
    "tenure_months": "tenure",
    "contract_value": "contract value",
    "days_to_renewal": "time to renewal",
    "tickets_12m": "tickets in 12 months",
    "complaints_12m": "complaints in 12 months",
    "repairs_12m": "repairs in 12 months",
    "late_complaint": "complaint answered late",
    "score": "the score itself",
    "customer_type": "customer type",
    "segment": "segment",
    "contract_kind": "contract kind",
    "region": "region",
    "channel": "channel",
    "repeat_repair": "repeat repair",
    "orders_24m": "orders in 24 months",
    "margin_12m": "margin in 12 months",
}
REASONS_ZH = {
    "tenure_months": "合同时长",
    "contract_value": "合同额",
    "days_to_renewal": "距续约时间",
    "tickets_12m": "十二个月工单数",
    "complaints_12m": "十二个月投诉数",
    "score": "评分本身",
    "customer_type": "客户类型",
    "segment": "客户分层",
    "contract_kind": "合同种类",
    "region": "区域",
    "channel": "渠道",
    "repairs_12m": "十二个月维修数",
    "late_complaint": "投诉答复迟",
    "repeat_repair": "重复维修",
    "orders_24m": "二十四个月订单数",
    "margin_12m": "十二个月毛利",
}


@dataclass(frozen=True, kw_only=True)
class Call(Summarised):
    """One customer of the call list by rank, without an identifier."""

    rank: int
    customer_type: str
    segment: str
    chance: Fact
    margin: Fact
    reasons: Text


@dataclass(frozen=True, kw_only=True, eq=False)
class Round(Summarised):
    """One past snapshot, scored by a model learnt only from those before."""

    month: Month
    expected: Fact
    lost: Fact
    auc: Fact
    precision: Fact
    base_rate: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Warning_(Summarised):
    """Early warning: how good the score is on data it never saw, and what is at risk now."""

    scores: RiskScores
    horizon: int
    snapshot: dt.date
    test: dt.date
    auc: Fact
    precision: Fact
    base_rate: Fact
    lift: Fact
    expected: tuple[Fact, ...]
    observed: tuple[Fact, ...]
    expected_losses: Fact
    margin: Fact
    margin_called: Fact
    calls: pd.DataFrame
    first_calls: tuple[Call, ...]
    rounds: tuple[Round, ...]


@traced
def warning(inputs: StudyInputs) -> Warning_:
    """Scores of all customers under contract on the day after the month, from snapshots one horizon apart."""
    settings = load_settings()
    horizon, capacity = (
        settings.risk_horizon_months,
        int(inputs.assumptions.value("call_capacity", on=inputs.month.last_day)),
    )
    inputs.engine.require(
        "contracts.starts_on", "contracts.ends_on", "tickets.customer_id", "orders.ordered_at"
    )
    since, after = observed_from(inputs), inputs.month + 1
    months = [
        after - horizon * back
        for back in range(6)
        if (after - horizon * back).start >= (Month.parse(since) + 6).start
    ]
    if len(months) < 4:
        raise MissingData(
            message=f"not computed: {len(months)} snapshots of {horizon} months; early warning needs four"
        )
    days = sorted(month.start for month in months)
    frame = inputs.engine.query(
        views.snapshot_rows(contracts(inputs), felt(inputs), inputs.month.end, days, horizon_months=horizon)
    )
    for column in ("contract_value", "margin_12m"):
        frame[column] = frame[column].astype("float64").fillna(0.0)
    scores = risk_scores(
        frame, features=FEATURES, capacity=capacity, seed=settings.seed, level=inputs.confidence
    )
    return _facts(inputs, scores, days, horizon)


@traced
def _facts(inputs: StudyInputs, scores: RiskScores, days: list[dt.date], horizon: int) -> Warning_:
    test = Month.parse(days[-2])
    past, now = Period(test, inputs.month), Period.of(inputs.month)
    common: Common = {"period": past}
    precision = share(inputs, "risk_score_precision", scores.hits, scores.capacity, dimensions={}, **common)
    base = share(
        inputs, "risk_score_base_rate", scores.observed_losses, scores.tested, dimensions={}, **common
    )
    customers = scores.customers.assign(
        margin_at_risk=scores.customers["score"] * scores.customers["margin_12m"].clip(lower=0)
    )
    calls = customers.head(scores.capacity)
    assert precision.interval is not None and base.value  # FitError when nobody was lost
    lift = inputs.engine.stated(
        "risk_score_lift",
        value=scores.lift,
        dimensions={},
        n=scores.capacity,
        **common,
        interval=Interval(
            low=precision.interval.low / float(base.value),
            high=precision.interval.high / float(base.value),
            level=inputs.confidence,
            method="Wilson, base rate held",
        ),
    )
    tenths = [(str(row["bin"]), row) for row in scores.calibration.to_dict("records")]
    return Warning_(
        scores=scores,
        horizon=horizon,
        snapshot=days[-1],
        test=days[-2],
        auc=estimate(
            inputs,
            "risk_score_auc",
            scores.auc,
            scores.auc_low,
            scores.auc_high,
            method="Hanley–McNeil",
            dimensions={},
            n=scores.tested,
            **common,
        ),
        precision=precision,
        base_rate=base,
        lift=lift,
        expected=tuple(
            plain(
                inputs, "risk_score_expected", float(row["expected"]), dimensions={"tenth": tenth}, **common
            )
            for tenth, row in tenths
        ),
        observed=tuple(
            share(
                inputs,
                "risk_score_observed",
                row["lost"],
                row["customers"],
                dimensions={"tenth": tenth},
                **common,
            )
            for tenth, row in tenths
        ),
        expected_losses=plain(
            inputs, "expected_losses", round(float(customers["score"].sum())), period=now, dimensions={}
        ),
        margin=plain(
            inputs,
            "margin_at_risk",
            _money(customers["margin_at_risk"].sum()),
            period=now,
            dimensions={"customers": "all"},
        ),
        margin_called=plain(
            inputs,
            "margin_at_risk",
            _money(calls["margin_at_risk"].sum()),
            period=now,
            dimensions={"customers": "call_list"},
        ),
        calls=_listed(calls),
        first_calls=_first_calls(inputs, calls),
        rounds=_rounds(inputs, scores),
    )


@traced
def _first_calls(inputs: StudyInputs, calls: pd.DataFrame) -> tuple[Call, ...]:
    """The first of the list, as facts."""
    made = []
    for rank, row in enumerate(calls.head(PRINTED).to_dict("records"), start=1):
        names = [str(row[f"reason_{place}"]) for place in (1, 2, 3) if row[f"reason_{place}"]]
        place = {"call": str(rank)}
        made.append(
            Call(
                rank=rank,
                customer_type=str(row["customer_type"]),
                segment=str(row["segment"]),
                chance=plain(
                    inputs, "account_loss_score", float(row["score"]), period=inputs.month, dimensions=place
                ),
                margin=plain(
                    inputs,
                    "margin_at_risk",
                    _money(row["margin_at_risk"]),
                    period=inputs.month,
                    dimensions=place,
                ),
                reasons=Text(
                    en=", ".join(REASONS.get(name, name) for name in names) or "–",
                    zh="、".join(REASONS_ZH.get(name, name) for name in names) or "–",
                ),
            )
        )
    return tuple(made)


@traced
def _rounds(inputs: StudyInputs, scores: RiskScores) -> tuple[Round, ...]:
    """The last rounds: what a model learnt by then would have reached."""
    made = []
    for row in scores.stability.to_dict("records"):
        month = Month.parse(str(row["snapshot"])[:10])
        place, n = {"snapshot": str(month)}, int(row["customers"])
        low, high = auc_interval(float(row["auc"]), int(row["lost"]), n - int(row["lost"]), inputs.confidence)
        made.append(
            Round(
                month=month,
                expected=plain(
                    inputs, "expected_losses", round(float(row["expected"])), period=month, dimensions=place
                ),
                lost=plain(inputs, "observed_losses", int(row["lost"]), period=month, dimensions=place),
                auc=estimate(
                    inputs,
                    "risk_score_auc",
                    float(row["auc"]),
                    low,
                    high,
                    method="Hanley–McNeil",
                    dimensions=place,
                    n=n,
                    period=month,
                ),
                precision=share(
                    inputs,
                    "risk_score_precision",
                    int(row["hits"]),
                    int(row["called"]),
                    period=month,
                    dimensions=place,
                ),
                base_rate=share(
                    inputs, "risk_score_base_rate", int(row["lost"]), n, period=month, dimensions=place
                ),
            )
        )
    return tuple(made)


@traced
def _listed(calls: pd.DataFrame) -> pd.DataFrame:
    """The call list: who (by number, never by name), how likely, why, and what is at stake. The PDF prints none of its rows."""
    shown = calls[
        [
            "customer_id",
            "customer_type",
            "segment",
            "contract_kind",
            "score",
            "margin_at_risk",
            "reason_1",
            "reason_2",
            "reason_3",
        ]
    ].copy()
    for column in ("reason_1", "reason_2", "reason_3"):
        shown[column] = [REASONS.get(text, text) for text in shown[column]]
    return shown.assign(
        score=shown["score"].round(4), margin_at_risk=shown["margin_at_risk"].map(_money)
    ).reset_index(drop=True)


def _money(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(Decimal("0.01"))


__all__ = ["FitError", "Round", "Warning_", "warning"]
