"""Exhibits of the value section, second part: the models of purchases, spend and renewals, and how good they are. Result in, block out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.specification import interval, metric, registry, row_of, table_of, words
from analysis.exhibits.statements import callout
from analysis.exhibits.value_shared import absent, source
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Fact, Sentence
from analysis.value.findings import missed
from analysis.value.model_facts import ClassLine, Modelling
from analysis.value.results import ValueStudy

# ---------------------------------------------------------------- purchases


def holdout_figure(study: ValueStudy) -> Block:
    """Predicted against actual purchases, week by week."""
    from analysis.exhibits.value_charts import holdout_lines

    model = study.modelling
    if isinstance(model, NotDone):
        return absent("holdout", model, "Forecast against what happened")
    if not model.weeks or model.miss is None:
        return callout(
            "value.holdout",
            tone="watch",
            title=Sentence("No model of purchases could be fitted; observed rates are used."),
        )
    return figure(
        "value.holdout",
        title=Sentence(_holdout_title(model), {"weeks": model.holdout_weeks, "miss": model.miss}),
        subtitle=Sentence(
            "Cumulative purchases of the customers known before, by week after the calibration. Beyond chance, a miss over {least} is corrected for (limit of correction) and one over {use} puts the model out of use (limit of use)",
            {"least": model.least, "use": model.use_limit},
        ),
        foot=source(study),
        alt=Sentence(
            "Two lines of cumulative purchases by week, actual and predicted by {model}.",
            {"model": model.model},
        ),
        draw=holdout_lines(model.weeks),
    )


def _holdout_title(model: Modelling) -> str:
    if not model.good:
        return "The forecast of {weeks} unseen weeks is {miss:signed} off ({miss:interval}), or a class of customers worse: beyond the limit of use, observed rates are used"
    if model.material:
        return "The forecast of {weeks} unseen weeks is {miss:signed} off ({miss:interval}): used, and corrected for it"
    if model.miss is not None and missed(model.miss):
        return "The forecast of {weeks} unseen weeks is {miss:signed} off ({miss:interval}): beyond chance, within the limit of correction"
    return "The forecast of {weeks} unseen weeks is {miss:signed} off ({miss:interval}): within chance"


def classes_figure(study: ValueStudy) -> Block | None:
    """The miss of the forecast by class of repeat purchases."""
    from analysis.exhibits.charts import Item, dot_interval

    model = study.modelling
    if isinstance(model, NotDone) or not model.classes:
        return None
    worst = max(model.classes, key=lambda one: abs(float(one.miss.value or 0)))
    items = [
        Item(name=one.repeats, fact=one.miss, role="focus" if one.good else "bad") for one in model.classes
    ]
    return figure(
        "value.classes",
        title=_classes_title([one for one in model.classes if missed(one.miss)], worst.miss),
        subtitle=Sentence(
            "Predicted over actual purchases in the holdout, minus one, by repeat purchases before it; the intervals are chance alone and hold for all classes together. Limit of use of a class: {class}, beyond chance",
            {"class": model.class_limit},
        ),
        foot=source(study),
        alt=Sentence("Dots with intervals by class of repeat purchases; the line marks a perfect forecast."),
        draw=dot_interval(items, measure=Text.of("Miss"), by=Text.of("Class"), reference=0.0),
    )


def _classes_title(missed_: Sequence[ClassLine], largest: Fact) -> Sentence:
    """Which class is missed beyond chance; where several are, how many."""
    if len(missed_) == 1:
        one = missed_[0]
        return Sentence(
            "Customers with {repeats} are missed beyond chance: {miss:signed} ({miss:interval})",
            {"repeats": one.repeats, "miss": one.miss},
        )
    if missed_:
        names = {"en": ", ".join(one.name for one in missed_), "zh": "、".join(one.name for one in missed_)}
        return Sentence(
            "Customers with {names} repeat purchases are missed beyond chance", {"names": Text(**names)}
        )
    return Sentence(
        "With all classes judged together, none is missed beyond chance; by up to {miss:signed}{miss:doubt}",
        {"miss": largest},
    )


def candidates_table(study: ValueStudy) -> Block | None:
    """Every model that was tried."""
    model = study.modelling
    if isinstance(model, NotDone):
        return None

    def measured(measure: str, of: str, head: str | Text, key: str, places: int) -> Any:
        return metric("model_fit", of=of, head=head, key=key, places=places, slice={"measure": measure})

    return table_of(
        "value.candidates",
        title=Sentence("In use: {model}, {grouping}", {"model": model.model, "grouping": model.grouping}),
        subtitle=Sentence(
            "Fitted without the holdout, judged on it: {customers} customers in {patterns} distinct histories now, time in weeks",
            {"customers": model.customers, "patterns": model.patterns},
        ),
        rows=model.tried,
        by=("grouping", "purchase_model"),
        columns=[
            words("model", "Model", context="statistics"),
            words("grouping", "Fitted", wide=True),
            measured("log_likelihood", "log_likelihood", "Log-likelihood", "likelihood", 1),
            measured("bic", "bic", Text.same("BIC"), "bic", 0),
            measured("predicted", "predicted", "Predicted", "predicted", 1),
            measured("error", "error", "Error per customer", "error", 4),
            words(lambda one: Text.of("in use" if one.chosen else "not in use"), "Choice", key="chosen"),
        ],
        note=Sentence(
            "Of the forecasts within a fifth of a percent of the least error the one with the lowest BIC is used. The churn section keeps MBG/NBD whatever is in use here: under BG/NBD whoever bought once counts as living for ever, which is no matter to a forecast of purchases and spoils a rate of loss."
        ),
    )


def parameters_table(study: ValueStudy) -> Block | None:
    """Parameters by group, with intervals."""
    model = study.modelling
    if isinstance(model, NotDone) or not model.groups:
        return None
    columns = [
        words("label", "Group", key="group", wide=True),
        metric("model_size", of="customers", head="Customers", slice={"rows": "customers"}),
    ]
    for name in model.names:
        stated: dict[str, Any] = {"of": name, "slice": {"parameter": name}, "places": 2}
        columns.append(metric("model_parameter", head=Text.same(name), **stated))
        columns.append(interval("model_parameter", key=f"{name}_interval", **stated))
    return table_of(
        "value.parameters",
        title=Sentence("Parameters of {model}", {"model": model.model}),
        subtitle=Sentence("Maximum likelihood on all history, time in weeks; intervals from the Hessian"),
        rows=[
            {"label": one.label, "customers": one.customers, **dict(one.parameters)} for one in model.groups
        ],
        by=("group",),
        columns=columns,
        note=source(study),
    )


def spend_table(study: ValueStudy) -> Block | None:
    """Spend of a purchase, its margin, and whether the model of spend may be used."""
    model = study.modelling
    if isinstance(model, NotDone) or not model.spend:
        return None
    return table_of(
        "value.spend",
        title=Sentence("What a purchase brings"),
        subtitle=Sentence("Gamma–Gamma model of spend on all purchase days; margin with refunds taken off"),
        rows=model.spend,
        by=("customer_type",),
        columns=[
            words("label", "Group", key="group", wide=True),
            metric("expected_spend", of="mean", head="Mean spend", places=0),
            interval("expected_spend", of="mean", key="mean_interval", places=0),
            metric("purchase_margin_share", of="margin", head="Margin rate"),
            metric("spend_independence", of="correlation", head="Correlation of number and spend", places=2),
            interval("spend_independence", of="correlation", places=2),
        ],
        note=source(study),
    )


# ---------------------------------------------------------------- renewals


def renewals_figure(study: ValueStudy) -> Block:
    """Observed renewal rates with intervals, and the model's."""
    from analysis.exhibits.value_charts import renewal_panels

    kinds = study.contracts
    if isinstance(kinds, NotDone):
        return absent("renewals", kinds, "Contract renewals")
    if not kinds:
        return callout(
            "value.renewals",
            tone="info",
            title=Sentence("No kind of contract has enough losses for a model of renewals."),
        )
    return figure(
        "value.renewals",
        title=Sentence(
            "{rate} of {kind:lower} contracts make their first renewal{rate:doubt}; the line is the model",
            {"rate": kinds[0].renewals[0][1], "kind": kinds[0].label},
        ),
        subtitle=Sentence(
            "Share of contracts due that were renewed, by renewal; dots with intervals observed, line the shifted beta-geometric model (flat where customers do not differ)"
        ),
        foot=source(study),
        alt=Sentence(
            "Dots of observed renewal rates by renewal with the model's line, one panel a kind of contract."
        ),
        draw=renewal_panels(kinds),
    )


def contracts_table(study: ValueStudy) -> Block | None:
    """First and latest renewal, expansion, and how the model treats customers."""
    kinds = study.contracts
    if isinstance(kinds, NotDone) or not kinds:
        return None
    columns = [
        words("label", registry().dimension_name("contract_kind"), key="kind"),
        metric("renewal_rate", of=_first, head="First renewal", key="first"),
        interval("renewal_rate", of=_first),
        metric("renewal_rate", of=_last, head="Latest one", key="last"),
        interval("renewal_rate", of=_last, key="last_interval"),
        metric("contract_expansion", of="expansion", head="Expansion", signed=True, better=None),
        interval("contract_expansion", of="expansion", key="expansion_interval"),
        words(
            lambda kind: Text.of("one chance for all" if kind.alike else "differs between customers"),
            "Chance of renewing",
            key="alike",
            wide=True,
        ),
        words(lambda kind: Text.of("apart by type" if kind.by_type else "together"), "Fitted", key="type"),
    ]
    return table_of(
        "value.contracts",
        title=Sentence("How many contracts are renewed, and for how much"),
        subtitle=Sentence(
            "Observed renewal rates, change of amount at renewal, and how the model treats customers"
        ),
        rows=[row_of(kind, columns, by=kind.dimensions) for kind in kinds if kind.renewals],
        columns=columns,
        note=source(study),
    )


def _first(kind: Any) -> Any:
    return kind.renewals[0][1]


def _last(kind: Any) -> Any:
    return kind.renewals[-1][1]
