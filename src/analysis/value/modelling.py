"""What the models of purchases and contracts say of themselves, as facts: fit, holdout, parameters, renewals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import Fact
from analysis.summaries import Summarised
from analysis.value import views
from analysis.value.base import tuples
from analysis.value.buying import NAMES, Choice
from analysis.value.pricing import ALL, Parameters, State
from analysis.value.renewing import Renewing, survivors
from analysis.value.stating import TOO_FEW, Stating

if TYPE_CHECKING:
    from analysis.metrics import Engine

MODEL_NAMES = {
    "bg_nbd": Text.same("BG/NBD"),
    "mbg_nbd": Text.same("MBG/NBD"),
    "pareto_nbd": Text.same("Pareto/NBD"),
    "observed_rates": Text(en="observed rates by class", zh="分组观测复购率"),
}
GROUPING_NAMES = {
    "none": Text(en="all together", zh="全部合并"),
    "customer_type": Text(en="by customer type", zh="按客户类型"),
    "type_channel": Text(en="by type and channel", zh="按类型与渠道"),
    "type_segment": Text(en="by type and segment", zh="按类型与分层"),
}
NO_FIT = Text(
    en="no estimate: the data do not hold what the model describes", zh="无估计：数据不含该模型所描述的结构"
)
GROUP_TOO_SMALL = Text(en="not fitted: a group has too few customers", zh="未拟合：有分组客户过少")


@dataclass(frozen=True, kw_only=True, eq=False)
class Tried(Summarised):
    """One candidate model."""

    model: Text
    grouping: Text
    chosen: bool
    log_likelihood: Fact
    bic: Fact
    predicted: Fact
    error: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassLine(Summarised):
    """A class of repeat purchases in the holdout."""

    name: str
    customers: Fact
    actual: Fact
    predicted: Fact
    miss: Fact
    good: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Group(Summarised):
    """Parameters of one group's model, in the order of the model, and its customers."""

    label: Text
    customers: Fact
    parameters: tuple[tuple[str, Fact], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Spend(Summarised):
    """Spend of a purchase by customer type."""

    label: Text
    mean: Fact
    correlation: Fact
    margin: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Modelling(Summarised):
    """The purchase model: candidates, holdout by class and by week, parameters, spend."""

    model: Text
    grouping: Text
    fallback: bool
    tried: tuple[Tried, ...]
    miss: Fact | None
    good: bool
    classes: tuple[ClassLine, ...]
    weeks: tuple[tuple[int, Fact, Fact], ...]
    groups: tuple[Group, ...]
    names: tuple[str, ...]
    spend: tuple[Spend, ...]
    customers: Fact
    patterns: Fact
    merged: Fact
    holdout_weeks: Fact


@traced
def modelling(
    inputs: StudyInputs, choice: Choice, state: State, parameters: Parameters, *, holdout_weeks: int
) -> Modelling:
    facts = Stating(inputs=inputs)
    merged = inputs.engine.query(views.spend_facts(state.purchases)).iloc[0]["merged"]
    found = choice.holdout
    return Modelling(
        model=MODEL_NAMES[choice.model],
        grouping=GROUPING_NAMES[parameters.buying.grouping()],
        fallback=choice.fallback,
        tried=_tried(facts, choice),
        miss=_miss(facts, found.actual, found.predicted, found.noise, "all") if found else None,
        good=bool(found and found.good),
        classes=tuple(_class(facts, row) for row in tuples(found.classes)) if found else (),
        weeks=_weeks(facts, choice),
        groups=_groups(facts, inputs.engine, parameters),
        names=NAMES.get(choice.model, ()),
        spend=_spend(facts, inputs.engine, parameters),
        customers=facts.exact("model_size", parameters.buying.customers, rows="customers"),
        patterns=facts.exact("model_size", parameters.buying.patterns, rows="patterns"),
        merged=facts.exact("model_size", int(merged or 0), rows="merged"),
        holdout_weeks=facts.exact("model_size", holdout_weeks, rows="holdout_weeks"),
    )


@traced
def _tried(facts: Stating, choice: Choice) -> tuple[Tried, ...]:
    lines = []
    for one in choice.candidates:
        reason = GROUP_TOO_SMALL if "gets no model of its own" in one.problem else NO_FIT
        place: dict[str, Any] = {"model": one.model, "grouping": one.grouping}
        numbers = {
            name: None if one.problem else value
            for name, value in (
                ("log_likelihood", one.log_likelihood),
                ("bic", one.bic),
                ("predicted", one.predicted),
                ("error", one.error),
            )
        }
        stated = {
            name: facts.exact(
                "model_fit",
                value if value is None or math.isfinite(value) else None,
                reason=reason,
                measure=name,
                **place,
            )
            for name, value in numbers.items()
        }
        lines.append(
            Tried(
                model=MODEL_NAMES[one.model],
                grouping=GROUPING_NAMES[one.grouping],
                chosen=one.model == choice.model and one.grouping == choice.grouping,
                **stated,
            )
        )
    return tuple(lines)


@traced
def _miss(facts: Stating, actual: float, predicted: float, noise: float, name: str) -> Fact:
    """The chance is that of the actual count: had it come out higher, the miss would have been smaller."""
    if actual <= 0:
        return facts.exact("holdout_miss", None, reason=TOO_FEW, repeats=name)
    value = predicted / actual - 1
    return facts.estimate(
        "holdout_miss",
        value,
        noise * predicted / actual**2,
        n=int(actual),
        method="normal",
        parts={"numerator": predicted - actual, "denominator": actual},
        repeats=name,
    )


@traced
def _class(facts: Stating, row: Any) -> ClassLine:
    name, actual, predicted = str(row.name), float(row.actual), float(row.predicted)
    return ClassLine(
        name=name,
        customers=facts.exact("listed_customers", int(row.customers), list="holdout", repeats=name),
        actual=facts.exact("holdout_purchases", int(actual), side="actual", repeats=name),
        predicted=facts.exact("holdout_purchases", round(predicted, 1), side="predicted", repeats=name),
        miss=_miss(facts, actual, predicted, float(row.noise), name),
        good=bool(row.good),
    )


@traced
def _weeks(facts: Stating, choice: Choice) -> tuple[tuple[int, Fact, Fact], ...]:
    """Cumulative purchases, actual and predicted, at every week."""
    if choice.holdout is None:
        return ()
    return tuple(
        (
            int(row.week),
            facts.exact("holdout_purchases", int(row.actual), side="actual", week=str(int(row.week))),
            facts.exact(
                "holdout_purchases", round(float(row.predicted), 1), side="predicted", week=str(int(row.week))
            ),
        )
        for row in tuples(choice.holdout.weeks)
    )


@traced
def group_label(engine: Engine, group: str) -> Text:
    """``b2b|key`` as words."""
    if group == ALL:
        return Text(en="All customers", zh="全部客户")
    names = [
        engine.registry.value_label(dimension, part)
        for dimension, part in zip(("customer_type", "segment"), group.split("|"), strict=False)
    ]
    return Text(en=", ".join(name.en for name in names), zh="，".join(name.zh for name in names))


@traced
def _groups(facts: Stating, engine: Engine, parameters: Parameters) -> tuple[Group, ...]:
    if parameters.buying.choice.fallback:
        return ()
    lines = []
    for name, model in parameters.buying.models.items():
        table = model.fit.table(level=facts.inputs.confidence)
        numbers = tuple(
            (
                parameter,
                facts.between(
                    "model_parameter",
                    float(row.estimate),
                    float(row.low),
                    float(row.high),
                    n=int(model.customers),
                    method="Hessian",
                    parameter=str(parameter),
                    group=name,
                ),
            )
            for parameter, row in zip(table.index, tuples(table), strict=True)
        )
        lines.append(
            Group(
                label=group_label(engine, name),
                customers=facts.exact("model_size", int(model.customers), rows="customers", group=name),
                parameters=numbers,
            )
        )
    return tuple(lines)


@traced
def _spend(facts: Stating, engine: Engine, parameters: Parameters) -> tuple[Spend, ...]:
    lines = []
    for name, model in parameters.spend.items():
        if name == ALL and len(parameters.spend) > 1:
            continue
        place: dict[str, Any] = {"customer_type": name}
        correlation, n = float(model.correlation), int(model.customers)
        if math.isfinite(correlation) and n > 3:
            centre, reach = (
                math.atanh(max(-0.999999, min(0.999999, correlation))),
                1.959963984540054 / math.sqrt(n - 3),
            )
            stated = facts.between(
                "spend_independence",
                correlation,
                math.tanh(centre - reach),
                math.tanh(centre + reach),
                n=n,
                method="Fisher",
                **place,
            )
        else:
            stated = facts.exact("spend_independence", None, **place)
        mean = float(model.mean)
        margin = parameters.shares.get(name, parameters.shares.get(ALL))
        lines.append(
            Spend(
                label=group_label(engine, name),
                mean=facts.exact(
                    "expected_spend", round(mean, 2) if math.isfinite(mean) else None, reason=NO_FIT, **place
                ),
                correlation=stated,
                margin=facts.exact(
                    "purchase_margin_share",
                    margin,
                    reason=Text(en="not used: basis is revenue", zh="未使用：口径为收入"),
                    **place,
                ),
            )
        )
    return tuple(lines)


# -- contracts -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind(Summarised):
    """One kind of contract: (renewal, observed rate, rate of the model), expansion, and which differences were tested."""

    id: str
    label: Text
    renewals: tuple[tuple[int, Fact, Fact], ...]
    expansion: Fact
    alike: bool  # one constant chance: customers do not differ
    by_type: bool


@traced
def contracts(inputs: StudyInputs, renewing: Renewing) -> tuple[Kind, ...]:
    facts = Stating(inputs=inputs)
    kinds = []
    for kind in [name for name in renewing.models if "|" not in name]:
        model = renewing.models[kind]
        place: dict[str, Any] = {"contract_kind": kind}
        lines = []
        for renewal, due, renewed in survivors(renewing.counts, kind):
            chance = (model.beta + renewal - 1) / (model.alpha + model.beta + renewal - 1)
            lines.append(
                (
                    renewal,
                    facts.share("renewal_rate", renewed, due, renewal=str(renewal), **place),
                    _model_rate(facts, model, chance, renewal, due, place),
                )
            )
        growth = renewing.expansion.get(kind)
        kinds.append(
            Kind(
                id=kind,
                label=inputs.engine.registry.value_label("contract_kind", kind),
                renewals=tuple(lines),
                by_type=kind in renewing.by_type,
                expansion=facts.exact(
                    "contract_expansion", growth, parts={"n": renewing.renewals.get(kind)}, **place
                ),
                alike=type(model).__name__ == "ConstantRenewal",
            )
        )
    return tuple(kinds)


@traced
def _model_rate(
    facts: Stating, model: Any, chance: float, renewal: int, due: int, place: Mapping[str, Any]
) -> Fact:
    """Delta method: the log odds of renewing are log(beta + t − 1) − log(alpha)."""
    import numpy as np

    alpha, beta = float(model.alpha), float(model.beta)
    slope = np.array([-1.0, beta / (beta + renewal - 1)])
    error = math.sqrt(max(float(slope @ model.fit.log_covariance @ slope), 0.0))
    odds = math.log(beta + renewal - 1) - math.log(alpha)
    low, high = (1 / (1 + math.exp(-(odds + side * 1.959963984540054 * error))) for side in (-1, 1))
    return facts.between(
        "renewal_rate_model", chance, low, high, n=due, method="Hessian", renewal=str(renewal), **place
    )
