"""The call list: scores of the customers under contract now, and what they may cost."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scipy.special import ndtri

from analysis.errors import MissingData
from analysis.formats import Number
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, cents
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Fact, Interval
from analysis.retention import views
from analysis.retention.scores import RiskScores, level_limits, risk_scores
from analysis.retention.settings import limit, load_settings
from analysis.retention.spells import contracts, felt, late_answers_known, losses_known_until, observed_from
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

    from analysis.metrics.views.selection import Selection

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
# what a page calls the inputs of the score
REASONS = {
    "tenure_months": Text.of("tenure"),
    "contract_value": Text.of("contract value"),
    "days_to_renewal": Text.of("time to renewal"),
    "tickets_12m": Text.of("tickets in 12 months"),
    "complaints_12m": Text.of("complaints in 12 months"),
    "repairs_12m": Text.of("repairs in 12 months"),
    "late_complaint": Text.of("complaint answered late"),
    "score": Text.of("the score itself"),
    "customer_type": Text.of("customer type"),
    "segment": Text.of("segment"),
    "contract_kind": Text.of("contract kind"),
    "region": Text.of("region"),
    "channel": Text.of("channel"),
    "repeat_repair": Text.of("repeat fault"),
    "orders_24m": Text.of("orders in 24 months"),
    "margin_12m": Text.of("margin in 12 months"),
}


def reason_names(features: Sequence[str]) -> Text:
    """The inputs as a page lists them."""
    return Text.joined(REASONS.get(feature, Text.same(feature)) for feature in features)


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
class PastSnapshot(Summarised):
    """One past snapshot, scored by a model learnt only from those before."""

    month: Month
    expected: Fact
    lost: Fact
    auc: Fact
    precision: Fact
    base_rate: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class EarlyWarning(Summarised):
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
    rounds: tuple[PastSnapshot, ...]
    drift_limit: Fact
    expected_rate: Fact
    calibration_limit: Fact


@traced
def early_warning(inputs: StudyInputs) -> EarlyWarning:
    """Scores of all customers under contract on the day after the month, from snapshots one horizon apart.

    Raises
    ------
    MissingData : no contracts, tickets or orders, or too short a history for four snapshots
    FitError : too few losses to learn from
    """
    settings = load_settings()
    horizon = settings.risk_horizon_months
    inputs.engine.require(
        "contracts.starts_on", "contracts.ends_on", "tickets.customer_id", "orders.ordered_at"
    )
    since, after = observed_from(inputs), inputs.month + 1
    # the outcome of a snapshot is known when its horizon is over, and the grace days of what ran out in it
    known = Month.parse(losses_known_until(inputs))
    past = [known - horizon * back for back in range(1, 6)]
    months = [after, *(month for month in past if month.start >= (Month.parse(since) + 6).start)]
    if len(months) < 4:
        raise MissingData(
            message="early warning needs four snapshots one horizon apart; the history is shorter"
        )
    days = sorted(month.start for month in months)
    sql = views.snapshot_rows(contracts(inputs), felt(inputs), inputs.month.end, days, horizon_months=horizon)
    rows = views.snapshots(inputs.engine.materialise("snapshots", sql))
    scores = _scored(inputs, inputs.engine.query(f"{rows} ORDER BY 1, 2"), settings.seed)
    return _stated(inputs, scores, rows, days, horizon)


@traced
def _scored(inputs: StudyInputs, snapshots: pd.DataFrame, seed: int) -> RiskScores:
    """The scores of the customers the team can call, and of all others."""
    amounts = {
        name: snapshots[name].astype("float64").fillna(0.0) for name in ("contract_value", "margin_12m")
    }
    late = late_answers_known(inputs) is None
    return risk_scores(
        snapshots.assign(**amounts),
        features=[name for name in FEATURES if late or name != "late_complaint"],
        capacity=int(limit(inputs, "call_capacity")),
        seed=seed,
        fewest_losses=int(limit(inputs, "score_fewest_losses")),
        drift_limit=limit(inputs, "score_drift_limit"),
        level=inputs.confidence,
    )


def _present(rows: Selection, day: dt.date) -> Selection:
    """Customers of one snapshot."""
    return rows.where(f"snapshot = {literal(day)}")


@traced
def _stated(
    inputs: StudyInputs, scores: RiskScores, rows: Selection, days: list[dt.date], horizon: int
) -> EarlyWarning:
    past = Stating(inputs=inputs, period=Period(Month.parse(days[-2]), inputs.month))
    now = Stating(inputs=inputs)
    precision = past.share("risk_score_precision", scores.hits, scores.capacity)
    base = past.measured("risk_score_base_rate", _present(rows, days[-2]))
    customers = scores.customers.assign(
        margin_at_risk=scores.customers["score"] * scores.customers["margin_12m"].clip(lower=0)
    )
    calls = customers.head(scores.capacity)
    tenths = scores.calibration.to_dict("records")
    level = Level.of(scores, inputs.confidence)
    return EarlyWarning(
        scores=scores,
        horizon=horizon,
        snapshot=days[-1],
        test=days[-2],
        auc=_discrimination(
            past, scores.auc, (scores.auc_low, scores.auc_high), scores.auc_method, scores.tested
        ),
        precision=precision,
        base_rate=base,
        lift=past.derived("risk_score_lift", precision, base, parts=_lift_parts(precision, base)),
        expected=tuple(
            _if_right(
                past, float(row["expected"]), row["scatter"], int(row["customers"]), tenth=str(row["bin"])
            )
            for row in tenths
        ),
        observed=tuple(
            past.share("risk_score_observed", row["lost"], row["customers"], tenth=str(row["bin"]))
            for row in tenths
        ),
        expected_losses=level.widened(
            now, "expected_losses", round(float(customers["score"].sum())), level.losses
        ),
        margin=level.widened(
            now,
            "margin_at_risk",
            cents(float(customers["margin_at_risk"].sum())),
            level.margin,
            customers="all",
        ),
        margin_called=level.widened(
            now,
            "margin_at_risk",
            cents(float(calls["margin_at_risk"].sum())),
            level.called,
            customers="call_list",
        ),
        calls=_listed(calls),
        first_calls=_first_calls(now, calls, level),
        rounds=_rounds(inputs, scores, rows),
        drift_limit=now.assumed("score_drift_limit"),
        expected_rate=_if_right(
            past,
            scores.expected_losses / scores.tested,
            float(scores.calibration["scatter"].pow(2).sum()) ** 0.5,
            scores.tested,
            parts={"numerator": scores.expected_losses, "denominator": scores.tested},
            tenth="all",
        ),
        calibration_limit=now.assumed("score_calibration_limit"),
    )


@dataclass(frozen=True, kw_only=True)
class Level(Summarised):
    """How far the level of the score can be trusted: factors from the test snapshot, for losses, for margin, for that of the call list, and by tenth.

    The tenths are those of the test snapshot; ``edges`` are their lower scores.
    """

    losses: tuple[float, float]
    margin: tuple[float, float]
    called: tuple[float, float]
    tested: int
    edges: tuple[float, ...]
    tenths: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, scores: RiskScores, level: float) -> Level:
        judged = scores.judged
        kept = judged["margin_12m"].astype(float).clip(lower=0)
        first = judged.head(scores.capacity)
        size = max(1, -(-len(judged) // TENTHS))
        parts = [judged.iloc[place : place + size] for place in range(0, len(judged), size)]
        return cls(
            losses=level_limits(judged, level=level),
            margin=level_limits(judged, kept, level=level),
            called=level_limits(first, kept.head(scores.capacity), level=level),
            tested=scores.tested,
            edges=tuple(float(part["score"].min()) for part in parts),
            tenths=tuple(level_limits(part, level=level) for part in parts),
        )

    def of_score(self, score: float) -> tuple[float, float]:
        """The factors of the tenth that a score falls into, riskiest first."""
        place = next((place for place, edge in enumerate(self.edges) if score >= edge), len(self.edges) - 1)
        return self.tenths[place]

    def around(self, score: float) -> tuple[float, float]:
        """Limits of a chance of loss; it is at most one."""
        low, high = (min(1.0, score * factor) for factor in self.of_score(score))
        return low, high

    def widened(
        self, state: Stating, metric: str, value: Number, limits: tuple[float, float], **place: Any
    ) -> Fact:
        """A number that stands on the level of the score, with what the test says of that level."""
        low, high = (float(value) * factor for factor in limits)
        if isinstance(value, int):  # customers are counted whole
            low, high = math.floor(low), math.ceil(high)
        return state.between(metric, value, low, high, method=LEVEL_METHOD, n=self.tested, **place)


def _if_right(state: Stating, rate: float, scatter: float, customers: int, **place: Any) -> Fact:
    """The share that a score expects to leave, between what chance would make of it were the score right; ``scatter`` is of their number."""
    reach = float(ndtri((1 + state.inputs.confidence) / 2)) * float(scatter) / customers
    return state.between(
        "risk_score_expected",
        rate,
        max(0.0, rate - reach),
        min(1.0, rate + reach),
        n=customers,
        method=CHANCE_METHOD,
        **place,
    )


TENTHS = 10
CHANCE_METHOD = "Chance alone, were the score right, normal"
LEVEL_METHOD = "Lost against expected on the test snapshot"


def _discrimination(
    state: Stating, auc: float, limits: tuple[float, float], method: str, n: int, **place: Any
) -> Fact:
    return state.between("risk_score_auc", auc, *limits, method=method, n=n, **place)


def _lift_parts(precision: Fact, base: Fact) -> dict[str, Any]:
    """The interval of the lift: that of the precision, the base rate held."""
    assert precision.interval is not None and base.value  # FitError when nobody was lost
    found, rate = precision.interval, float(base.value)
    interval = Interval(
        low=found.low / rate, high=found.high / rate, level=found.level, method="Wilson, base rate held"
    )
    return {"interval": interval, "n": precision.n}


def _first_calls(state: Stating, calls: pd.DataFrame, level: Level) -> tuple[Call, ...]:
    """The first of the list, as facts."""
    made = []
    for rank, row in enumerate(calls.head(PRINTED).to_dict("records"), start=1):
        names = [str(row[f"reason_{place}"]) for place in (1, 2, 3) if row[f"reason_{place}"]]
        made.append(
            Call(
                rank=rank,
                customer_type=str(row["customer_type"]),
                segment=str(row["segment"]),
                chance=bounded_chance(state, level, float(row["score"]), call=str(rank)),
                margin=level.widened(
                    state,
                    "margin_at_risk",
                    cents(float(row["margin_at_risk"])),
                    level.of_score(float(row["score"])),
                    call=str(rank),
                ),
                reasons=reason_names(names) if names else Text.same("–"),
            )
        )
    return tuple(made)


def bounded_chance(state: Stating, level: Level, score: float, **place: Any) -> Fact:
    """A chance of loss with the limits of its tenth."""
    low, high = level.around(score)
    return state.between("account_loss_score", score, low, high, method=LEVEL_METHOD, n=level.tested, **place)


def _rounds(inputs: StudyInputs, scores: RiskScores, rows: Selection) -> tuple[PastSnapshot, ...]:
    """The last snapshots: what a model learnt by then would have reached."""
    made = []
    for row in scores.stability.to_dict("records"):
        month = Month.parse(str(row["snapshot"])[:10])
        state, place = Stating(inputs=inputs, period=month), dict[str, Any](snapshot=str(month))
        n, among = int(row["customers"]), _present(rows, month.start)
        limits = (float(row["auc_low"]), float(row["auc_high"]))
        made.append(
            PastSnapshot(
                month=month,
                expected=_expected(state, float(row["expected"]), float(row["scatter"]), n, **place),
                lost=state.measured("observed_losses", among, **place),
                auc=_discrimination(state, float(row["auc"]), limits, str(row["auc_method"]), n, **place),
                precision=state.share("risk_score_precision", int(row["hits"]), int(row["called"]), **place),
                base_rate=state.measured("risk_score_base_rate", among, **place),
            )
        )
    return tuple(made)


def _expected(state: Stating, losses: float, scatter: float, customers: int, **place: Any) -> Fact:
    """Losses that a score expected of its snapshot, whole, between what chance would make of them were the score right."""
    reach = float(ndtri((1 + state.inputs.confidence) / 2)) * scatter
    return state.between(
        "expected_losses",
        round(losses),
        math.floor(max(0.0, losses - reach)),
        math.ceil(losses + reach),
        n=customers,
        method=CHANCE_METHOD,
        **place,
    )


LISTED = (
    "customer_id",
    "customer_type",
    "segment",
    "contract_kind",
    "score",
    "margin_at_risk",
    "reason_1",
    "reason_2",
    "reason_3",
)


def _listed(calls: pd.DataFrame) -> pd.DataFrame:
    """The call list: who (by number, never by name), how likely, why, and what is at stake. The PDF prints none of its rows."""
    shown = calls[list(LISTED)].reset_index(drop=True)
    named = {
        column: [REASONS[text].en if text in REASONS else text for text in shown[column]]
        for column in ("reason_1", "reason_2", "reason_3")
    }
    return shown.assign(
        score=shown["score"].round(4),
        margin_at_risk=shown["margin_at_risk"].map(lambda value: cents(float(value))),
        **named,
    )
