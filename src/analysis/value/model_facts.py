"""What the models of purchases and contracts say of themselves, as facts: fit, holdout, parameters, renewals."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scipy.special import ndtri

from analysis.locale import Text
from analysis.metrics import NotDone, Stating, StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.stating import TOO_FEW
from analysis.results import Fact, Rows, Sentence, lacking
from analysis.summaries import Summarised
from analysis.value import views
from analysis.value.base import tuples
from analysis.value.customer_table import ALL, AlikeSpend, Parameters, State
from analysis.value.purchase_models import (
    CLASSES,
    NAMES,
    NO_FIT,
    NORMAL_95,
    Buying,
    Choice,
    Holdout,
    holdout_start,
    purchases_at,
)
from analysis.value.renewal_models import Renewing, Terms, survivors
from analysis.value.settings import ValueSettings, settings_of, stated_in

if TYPE_CHECKING:
    from analysis.metrics import Engine
    from analysis.metrics.views.selection import Selection

_UNUSED_MARGIN = Text.of("not used: basis is revenue")
_NO_MARGIN = lacking("orders.gross_margin")
GROUPING_NAMES = {
    "none": Text.of("all together"),
    "customer_type": Text.of("by customer type"),
    "type_channel": Text.of("by type and channel"),
    "type_segment": Text.of("by type and segment"),
}


ONE_RENEWAL = Text.of("no interval: fewer than two renewals")


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

    @property
    def repeats(self) -> Text:
        """The class in words."""
        text = "{number} repeat purchase" if self.name == "1" else "{number} repeat purchases"
        return Sentence(text, {"number": self.name}).text()


@dataclass(frozen=True, kw_only=True, eq=False)
class PurchaseModel(Summarised):
    """Parameters of one group's model, in the order of the model, and its customers."""

    label: Text
    customers: Fact
    parameters: tuple[tuple[str, Fact], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class SpendOfType(Summarised):
    """Spend of a purchase by customer type."""

    label: Text
    mean: Fact
    correlation: Fact
    margin: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Modelling(Summarised):
    """The purchase model: candidates, holdout by class and by week, parameters, spend; ``judged``: whose miss of the holdout is told."""

    model: Text
    judged: Text
    grouping: Text
    fallback: bool
    tried: tuple[Tried, ...]
    miss: Fact | None
    material: bool  # the miss is beyond chance and matters, so that values are corrected for it
    least: Fact  # limit of correction: from which share on a miss beyond chance is corrected for
    use_limit: Fact  # limits of use: from which share on, beyond chance, the forecast is not used, of all purchases and of a class
    class_limit: Fact
    good: bool
    classes: tuple[ClassLine, ...]
    weeks: tuple[tuple[int, Fact, Fact], ...]
    groups: tuple[PurchaseModel, ...]
    names: tuple[str, ...]
    spend: tuple[SpendOfType, ...]
    customers: Fact
    patterns: Fact
    merged: Fact
    holdout_weeks: Fact


@traced
def modelling(
    inputs: StudyInputs,
    settings: ValueSettings,
    choice: Choice,
    state: State,
    parameters: Parameters,
    types: Sequence[str],
) -> Modelling:
    """Facts of the purchase models at one cutoff; ``types`` are the order types that are purchases."""
    facts = Stating(inputs=inputs)
    found = choice.holdout
    known = _HoldoutRows(inputs, settings, state, types)
    bought = parameters.buying
    return Modelling(
        model=_named(facts, choice.model),
        judged=_named(facts, choice.judged or choice.model),
        grouping=GROUPING_NAMES[bought.grouping()],
        fallback=choice.fallback,
        tried=_tried(facts, choice),
        miss=_miss(facts, found, "all") if found else None,
        material=bool(found and found.material and not choice.fallback),
        least=facts.exact(
            "holdout_material_miss", settings.material_miss, lineage=stated_in("material_miss")
        ),
        use_limit=facts.exact("holdout_use_limit", settings.total_miss, lineage=stated_in("total_miss")),
        class_limit=facts.exact(
            "holdout_class_use_limit", settings.class_miss, lineage=stated_in("class_miss")
        ),
        good=bool(found and found.good),
        classes=tuple(_class(facts, found, row, known) for row in tuples(found.classes)) if found else (),
        weeks=_weeks(facts, found, known) if found else (),
        groups=_groups(facts, bought, state),
        names=NAMES.get(choice.model, ()),
        spend=_spend(facts, parameters, state, types),
        customers=facts.measured("model_size", views.model_rows(state.purchases), rows="customers"),
        patterns=facts.measured(
            "model_size",
            views.model_rows(f"({views.patterns(state.purchases, bought.grouping())})"),
            rows="patterns",
        ),
        merged=facts.measured("model_size", views.model_rows(state.purchases, "merged"), rows="merged"),
        holdout_weeks=facts.exact(
            "model_size", settings.holdout_weeks, rows="holdout_weeks", lineage=stated_in("holdout_weeks")
        ),
    )


@dataclass(frozen=True)
class _HoldoutRows:
    """Where customers known before the holdout and their purchases in it stand as rows."""

    inputs: StudyInputs
    settings: ValueSettings
    state: State
    types: Sequence[str]

    @property
    def _end(self) -> dt.date:
        return holdout_start(self.inputs, self.settings)

    def _known(self) -> str:
        return purchases_at(self.inputs, self._end, self.types)

    def customers(self, name: str) -> Selection:
        low, high = _class_limits(name)
        return views.base_customers(self._known()).where(f"x BETWEEN {low} AND {high}")

    def days(self, *, week: int = 0, name: str = "") -> Rows:
        repeats = _class_limits(name) if name else None
        known, cutoff = self._known(), self.state.cutoff
        return Rows(
            numerator=views.holdout_days(known, self._end, cutoff, self.types, week=week, repeats=repeats)
        )


def _class_limits(name: str) -> tuple[int, int]:
    return next((low, high) for known, low, high in CLASSES if known == name)


def _named(facts: Stating, model: str) -> Text:
    return facts.inputs.engine.registry.value_label("purchase_model", model)


@traced
def _tried(facts: Stating, choice: Choice) -> tuple[Tried, ...]:
    lines = []
    for one in choice.candidates:
        place: dict[str, Any] = {"purchase_model": one.model, "grouping": one.grouping}
        numbers = {
            name: value if one.problem is None else None
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
                reason=one.problem or NO_FIT,
                measure=name,
                **place,
            )
            for name, value in numbers.items()
        }
        lines.append(
            Tried(
                model=_named(facts, one.model),
                grouping=GROUPING_NAMES[one.grouping],
                chosen=one.model == choice.model and one.grouping == choice.grouping,
                **stated,
            )
        )
    return tuple(lines)


@traced
def _miss(facts: Stating, found: Holdout, name: str) -> Fact:
    """Forecast over actual, minus one. The chance is that of the actual count: had it come out higher, the miss would have been smaller."""
    from scipy.stats import norm

    actual, predicted, noise = found.of_class(name)
    if actual <= 0:
        return facts.exact("holdout_miss", None, reason=TOO_FEW, repeats=name)
    # classes are looked at together: their intervals hold jointly (Bonferroni)
    looked = 1 if name == "all" else len(found.classes)
    miss = predicted / actual - 1
    reach = float(norm.ppf(1 - (1 - facts.inputs.confidence) / 2 / looked)) * noise * predicted / actual**2
    return facts.between(
        "holdout_miss",
        miss,
        miss - reach,
        miss + reach,
        n=int(actual),
        method="normal" if looked == 1 else "normal, jointly over classes",
        parts={"numerator": predicted - actual, "denominator": actual},
        repeats=name,
    )


def _class(facts: Stating, found: Holdout, row: Any, known: _HoldoutRows) -> ClassLine:
    name = str(row.name)
    actual = _purchases(facts, "actual", int(row.actual), known.days(name=name), repeats=name)
    return ClassLine(
        name=name,
        customers=facts.measured("listed_customers", known.customers(name), list="holdout", repeats=name),
        actual=actual,
        predicted=_predicted(facts, found, repeats=name),
        miss=_miss(facts, found, name),
        good=bool(row.good),
    )


def _purchases(facts: Stating, side: str, number: float, rows: Rows, **place: Any) -> Fact:
    return facts.exact("holdout_purchases", number, side=side, lineage=rows, **place)


@traced
def _predicted(facts: Stating, found: Holdout, *, repeats: str = "", week: int = 0) -> Fact:
    """Purchases forecast for a class of repeat purchases, or up to a week."""
    by_week = found.weeks.set_index("week")["predicted"]
    number = found.of_class(repeats)[1] if repeats else float(by_week[week])
    place: dict[str, Any] = {"repeats": repeats} if repeats else {"week": str(week)}
    # the chance of the purchases in all weeks; of the first of them its part as of independent weeks, the larger share
    noise = found.of_class(repeats or "all")[2]
    if week:
        noise *= math.sqrt(number / found.predicted) if found.predicted > 0 else 0.0
    reach = float(ndtri((1 + facts.inputs.confidence) / 2)) * noise
    return facts.between(
        "holdout_purchases",
        round(number, 1),
        max(0.0, number - reach),
        number + reach,
        n=found.customers,
        method="chance of the purchases, normal",
        side="predicted",
        **place,
    )


def _weeks(facts: Stating, found: Holdout, known: _HoldoutRows) -> tuple[tuple[int, Fact, Fact], ...]:
    """Cumulative purchases, actual and predicted, at every week."""
    lines = []
    for row in tuples(found.weeks):
        week = int(row.week)
        actual = _purchases(facts, "actual", int(row.actual), known.days(week=week), week=str(week))
        lines.append((week, actual, _predicted(facts, found, week=week)))
    return tuple(lines)


def group_label(engine: Engine, group: str) -> Text:
    """``b2b|key`` as words."""
    if group == ALL:
        return Text.of("All customers")
    names = [
        engine.registry.value_label(dimension, part)
        for dimension, part in zip(("customer_type", "segment"), group.split("|"), strict=False)
    ]
    return Text(en=", ".join(name.en for name in names), zh="，".join(name.zh for name in names))


def _groups(facts: Stating, buying: Buying, state: State) -> tuple[PurchaseModel, ...]:
    if buying.choice.fallback:
        return ()
    group = views.group_of(buying.grouping())
    return tuple(
        PurchaseModel(
            label=group_label(facts.inputs.engine, name),
            customers=facts.measured(
                "model_size",
                views.model_rows(state.purchases).where(f"{group} = {literal(name)}"),
                rows="customers",
                group=name,
            ),
            parameters=_parameters(facts, buying, name),
        )
        for name in buying.models
    )


@traced
def _parameters(facts: Stating, buying: Buying, group: str) -> tuple[tuple[str, Fact], ...]:
    model = buying.models[group]
    table = model.fit.table(level=facts.inputs.confidence)
    return tuple(
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
                group=group,
            ),
        )
        for parameter, row in zip(table.index, tuples(table), strict=True)
    )


def _spend(
    facts: Stating, parameters: Parameters, state: State, types: Sequence[str]
) -> tuple[SpendOfType, ...]:
    apart = [name for name in parameters.spend if name != ALL] or [ALL]
    return tuple(
        SpendOfType(
            label=group_label(facts.inputs.engine, name),
            mean=_mean_spend(facts, parameters.spend[name], name),
            correlation=_independence(facts, parameters.spend[name], name),
            margin=_margin(facts, parameters, name, state, types),
        )
        for name in apart
    )


@traced
def _mean_spend(facts: Stating, model: Any, customer_type: str) -> Fact:
    import numpy as np

    mean, q = float(model.mean), float(model.q)
    if not math.isfinite(mean):
        return facts.exact("expected_spend", None, reason=NO_FIT, customer_type=customer_type)
    # delta method: the mean is p v / (q - 1), the covariance that of the logarithms of p, q, v
    slope = mean * np.array([1.0, -q / (q - 1), 1.0])
    error = math.sqrt(max(float(slope @ np.asarray(model.fit.log_covariance) @ slope), 0.0))
    return facts.estimate(
        "expected_spend",
        round(mean, 2),
        error,
        n=int(model.customers),
        method="Hessian",
        customer_type=customer_type,
    )


@traced
def _independence(facts: Stating, model: Any, customer_type: str) -> Fact:
    """Correlation of number and mean of purchases, with Fisher's interval."""
    correlation, n = float(model.correlation), int(model.customers)
    if not math.isfinite(correlation) or n <= 3:
        return facts.exact("spend_independence", None, customer_type=customer_type)
    centre = math.atanh(max(-0.999999, min(0.999999, correlation)))
    reach = NORMAL_95 / math.sqrt(n - 3)
    low, high = math.tanh(centre - reach), math.tanh(centre + reach)
    return facts.between(
        "spend_independence", correlation, low, high, n=n, method="Fisher", customer_type=customer_type
    )


def _margin(
    facts: Stating, parameters: Parameters, customer_type: str, state: State, types: Sequence[str]
) -> Fact:
    """Margin on purchases of the type, or of all where it sold nothing lately."""
    place: dict[str, Any] = {"customer_type": customer_type}
    if not parameters.shares:
        reason = _UNUSED_MARGIN if settings_of(facts.inputs).basis == "revenue" else _NO_MARGIN
        return facts.exact("purchase_margin_share", None, reason=reason, **place)
    of = customer_type if customer_type in parameters.shares and customer_type != ALL else ""
    return facts.measured("purchase_margin_share", views.margin_lines(state.cutoff, types, of), **place)


_RENEWALS = {
    "": "renewals to come of {kind:lower} contracts",
    "customer_type": "whether {kind:lower} contracts renew unlike by customer type",
    "cohort": "whether {kind:lower} contracts renew unlike by the year of their start",
}


def refused_models(inputs: StudyInputs, parameters: Parameters) -> dict[str, tuple[Text, NotDone]]:
    """Models that could not be fitted, where nothing or a simpler one stands in their place: what they would have shown, and why not."""
    engine, renewing = inputs.engine, parameters.renewing
    found: dict[str, tuple[Text, NotDone]] = {}
    for place, refusal in renewing.refused.items() if renewing else ():
        name, _, split = place.partition("|")
        kind, _, length = name.partition("/")
        words = {"kind": terms_label(engine, kind, int(length) if length else None)}
        found[f"renewals.{place}"] = Sentence(_RENEWALS[split], words).text(), refusal
    for group, model in parameters.spend.items():
        if isinstance(model, AlikeSpend):
            words = {"group": group_label(engine, group)}
            what = Sentence("differences between customers in spend, {group:lower}", words).text()
            found[f"spend.{group}"] = what, model.refusal
    return found


# -- contracts -------------------------------------------------------------------------------------------------------------


def terms_label(engine: Engine, kind: str, length: int | None) -> Text:
    """A kind of contract in words, with the length of its terms in months where there are several."""
    name = engine.registry.value_label("contract_kind", kind)
    if length is None:
        return name
    if length == 1:
        return Sentence("Monthly {kind:lower}", {"kind": name}).text()
    if length == 12:
        return Sentence("Yearly {kind:lower}", {"kind": name}).text()
    return Sentence("{months}-month {kind:lower}", {"kind": name, "months": str(length)}).text()


@dataclass(frozen=True, kw_only=True, eq=False)
class ContractKind(Summarised):
    """One kind of contract, of one length of term where there are several: (renewal, observed rate, rate of the model), expansion, and which differences were tested.

    ``term`` : the months of its terms where the kind is sold by several lengths.
    """

    id: str
    label: Text
    term: str | None
    renewals: tuple[tuple[int, Fact, Fact], ...]
    expansion: Fact
    alike: bool  # one constant chance: customers do not differ
    by_type: bool

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What its facts are of."""
        return ("contract_kind",) if self.term is None else ("contract_kind", "term_months")


@traced
def contracts(inputs: StudyInputs, renewing: Renewing, state: State) -> tuple[ContractKind, ...]:
    """Every kind of contract that has a renewal model."""
    facts = Stating(inputs=inputs)
    return tuple(_kind(facts, renewing, terms, state) for terms in renewing.terms.values())


def _place(terms: Terms) -> dict[str, Any]:
    """What a fact of these contracts is of."""
    return {"contract_kind": terms.kind} | ({} if terms.alone else {"term_months": str(terms.length)})


def _kind(facts: Stating, renewing: Renewing, terms: Terms, state: State) -> ContractKind:
    place = _place(terms)
    lines = []
    for renewal, due, _ in survivors(renewing.counts, terms):
        rows = views.renewals_due(state.cutoff, terms.kind, renewal, terms.length)
        observed = facts.measured("renewal_rate", rows, renewal=str(renewal), **place)
        lines.append((renewal, observed, _model_rate(facts, renewing, terms, renewal, due)))
    return ContractKind(
        id=terms.name,
        label=terms_label(facts.inputs.engine, terms.kind, None if terms.alone else terms.length),
        term=None if terms.alone else str(terms.length),
        renewals=tuple(lines),
        by_type=terms.name in renewing.by_type,
        expansion=_expansion(facts, renewing, terms),
        alike=type(renewing.models[terms.name]).__name__ == "ConstantRenewal",
    )


@traced
def _expansion(facts: Stating, renewing: Renewing, terms: Terms) -> Fact:
    place = _place(terms)
    growth, renewals = renewing.expansion.get(terms.name), renewing.renewals.get(terms.name)
    error = renewing.expansion_error.get(terms.name)
    if growth is None or renewals is None or error is None:
        few = {"n": renewals} | ({} if growth is None else {"reason": ONE_RENEWAL})
        return facts.exact("contract_expansion", growth, parts=few, **place)
    method = "ratio of sums over renewals, normal"
    return facts.estimate("contract_expansion", growth, error, n=renewals, method=method, **place)


@traced
def _model_rate(facts: Stating, renewing: Renewing, terms: Terms, renewal: int, due: int) -> Fact:
    """Delta method: the log odds of renewing are log(beta + t − 1) − log(alpha)."""
    import numpy as np

    model = renewing.models[terms.name]
    chance = (model.beta + renewal - 1) / (model.alpha + model.beta + renewal - 1)
    alpha, beta = float(model.alpha), float(model.beta)
    slope = np.array([-1.0, beta / (beta + renewal - 1)])
    error = math.sqrt(max(float(slope @ model.fit.log_covariance @ slope), 0.0))
    odds = math.log(beta + renewal - 1) - math.log(alpha)
    low, high = (1 / (1 + math.exp(-(odds + side * NORMAL_95 * error))) for side in (-1, 1))
    return facts.between(
        "renewal_rate_model",
        chance,
        low,
        high,
        n=due,
        method="Hessian",
        renewal=str(renewal),
        **_place(terms),
    )
