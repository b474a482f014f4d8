"""Exhibits of the value section, second half: what service does to value, and what better service would bring. Result in, block out."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.statements import callout, not_computed
from analysis.exhibits.tables import table
from analysis.exhibits.vocabulary import Cell, Column, Row, phrase
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.params.treatments import Treatment
from analysis.results import Fact, Sentence, Value
from analysis.value.effect_results import ServiceEffects, TreatmentEffect
from analysis.value.results import ValueStudy
from analysis.value.scenarios import WhatIf, WhatIfs

EFFECT_OF_SERVICE = Text.of("Effect of service on value")
WHAT_IFS = Text.of("What-ifs")
INTERVAL = Text.of("Interval")
TREATMENT = Text.of("Treatment")
STATUS = {
    "effect": Text.of("effect"),
    "not_shown": Text.of("no effect shown"),
    "association": Text.of("association only"),
}
EFFECTS = ("service_effect_repurchase", "service_effect_retention", "service_effect_margin")
IF_HIDDEN = tuple(f"{effect}_if_hidden" for effect in EFFECTS)
OUTCOME = {
    "repurchase": Text.of("Buys again within the window"),
    "retention": Text.of("Still under contract at its end"),
    "margin": Text.of("Margin of the window"),
}
PLACEBO = {
    "before": Text.of("Year before the treatment"),
    "random_treatment": Text.of("Drawn by lot"),
    "negative_control": Text.of("Negative control"),
}
ZERO = {
    "response_due": Text.of("when the response is due"),
    "landmark": Text.of("24 hours after opening"),
    "resolution": Text.of("resolution"),
    "window_end": Text.of("end of the 30 days"),
    "opening": Text.of("opening"),
}
EVENTS = {
    "first": Text.of("first case"),
    "until_exposed": Text.of("up to the first gone wrong"),
    "all": Text.of("all cases"),
}
STANDING = {
    "effect": Text.of("effect shown"),
    "not_shown": Text.of("partly not shown: not counted"),
    "assumption": Text.of("effect missing: not counted"),
    "not_counted": Text.of("not counted"),
}
GROUPING = {
    "segment": Text.of("Segment"),
    "customer_type": Text.of("Customer type"),
    "value_tier": Text.of("Margin before the case"),
}
GROUP = {
    "b2b": Text.of("business"),
    "b2c": Text.of("consumers"),
    "top": Text.of("top tenth"),
    "middle": Text.of("next forty percent"),
    "low": Text.of("the rest"),
    "key": Text.of("key"),
    "gold": Text.of("gold"),
    "standard": Text.of("standard"),
    "not_stated": Text.of("not stated"),
}
TIER = {
    "top": Text.of("Top tier"),
    "middle": Text.of("Middle tier"),
    "low": Text.of("Low tier"),
    "untraced": Text.of("Not traced to customers"),
    "total": Text.of("Total"),
}


def _source(study: ValueStudy) -> Sentence:
    return Sentence(
        "Source: tickets, orders, contracts and customers with their history up to the end of {month}.",
        {"month": study.month},
    )


def _refused(part: object, name: str, what: Text) -> Block | None:
    if isinstance(part, NotDone) and part.needs:
        return not_computed(part, id=f"value.{name}", what=what)
    if isinstance(part, NotDone) or part is None:
        return callout(
            f"value.{name}",
            tone="info",
            title=Sentence("{what}: not computed", {"what": what}),
            body=Sentence("There are too few cases in these data for an estimate."),
        )
    return None


def _effects(study: ValueStudy) -> ServiceEffects | None:
    return study.effects if isinstance(study.effects, ServiceEffects) and study.effects.effects else None


def _nothing(study: ValueStudy, name: str) -> Block:
    part = (
        study.effects
        if not isinstance(study.effects, ServiceEffects)
        else next((refusal for _, refusal in study.effects.refused.values()), None)
    )
    refused = _refused(part, name, EFFECT_OF_SERVICE)
    assert refused is not None  # an estimate would have made `_effects` hold
    return refused


# -- what is asked -----------------------------------------------------------------------------------------------------


def diagrams_figure(study: ValueStudy) -> Block:
    """What is allowed for, what is done, and what lies between."""
    from analysis.exhibits.value_effect_charts import causal_diagrams
    from analysis.params.treatments import load_treatments
    from analysis.value.diagram import diagrams

    listed = diagrams(load_treatments())
    return figure(
        "value.diagrams",
        title=Sentence(
            "Customers served well are other customers: what drives both is allowed for, what follows is not"
        ),
        subtitle=Sentence(
            "Declared causal diagram by family of treatments; solid: common causes and effect, dashed: lies between and is left out"
        ),
        foot=Sentence("Source: params/treatments.yml. A common cause that nobody recorded is not in it."),
        alt=Sentence(
            "Diagrams: customer, past purchases, contract, past service and the fault point to treatment and outcome; treatment points to outcome, also through what lies between."
        ),
        draw=causal_diagrams(listed),
    )


def definitions_table(study: ValueStudy) -> Block:
    """Each treatment with eligibility, time zero, events and window."""
    part = study.effects
    if not isinstance(part, ServiceEffects):
        return _nothing(study, "effects.definitions")
    columns = [
        Column(key="name", label=TREATMENT, wide=True),
        Column(key="eligible", label=Text.of("Eligible"), wide=True),
        Column(key="zero", label=Text.of("Outcome counts from")),
        Column(key="cases", label=Text.of("Cases"), metric=("service_cases",)),
        Column(key="wrong", label=Text.of("Gone wrong"), metric=("service_cases_exposed",)),
        Column(key="customers", label=Text.of("Customers"), metric=("service_case_customers",)),
    ]
    rows = [
        Row(
            cells={
                "name": one.treatment.name,
                "eligible": one.treatment.eligible,
                "zero": ZERO[one.treatment.time_zero],
                "cases": one.cases,
                "wrong": one.exposed,
                "customers": one.customers,
            }
        )
        for one in part.effects
    ]
    rows += [
        Row(
            cells={
                "name": treatment.name,
                "eligible": _why(treatment, refusal),
                "zero": ZERO[treatment.time_zero],
            },
            tone="muted",
        )
        for treatment, refusal in part.refused.values()
    ]
    return table(
        "value.effects.definitions",
        title=Sentence("Each treatment has a moment from which it is known, and only what follows counts"),
        subtitle=Sentence(
            "Cases whose window of a year has closed by the end of {month}; later ones are left out, not guessed",
            {"month": study.month},
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
        by=("treatment",),
    )


def _why(treatment: Treatment, refusal: NotDone) -> Text:
    needs = ", ".join(refusal.needs)
    return (
        phrase("not computed: needs {needs}", needs=needs)
        if needs
        else Text.of("not computed: too few cases")
    )


# -- effects -----------------------------------------------------------------------------------------------------------


def effect_figure(study: ValueStudy, outcome: str) -> Block:
    """Adjusted effects with intervals, the plain difference beside each."""
    from analysis.exhibits.charts import Item, dot_interval

    part = _effects(study)
    if part is None:
        return _nothing(study, f"effects.{outcome}")
    roles = {"effect": "focus", "not_shown": "actual", "association": "expected"}
    known = [
        (one, found)
        for one in part.effects
        if (found := one.outcome(outcome)) is not None and found.adjusted.value is not None
    ]
    items = [
        Item(name=one.treatment.name, fact=found.adjusted, role=roles[found.status]) for one, found in known
    ]
    if not items:
        return callout(
            f"value.effects.{outcome}",
            tone="info",
            title=Sentence("{what}: not computed", {"what": OUTCOME[outcome]}),
            body=Sentence("There are too few cases in these data for an estimate."),
        )
    return figure(
        f"value.effects.{outcome}",
        title=_effect_title(part.effects, outcome),
        subtitle=Sentence(
            "{outcome}: change in percentage points because of the treatment, with interval; orange: survives the checks, grey ring: the plain difference",
            {"outcome": OUTCOME[outcome]},
        ),
        foot=_source(study),
        alt=Sentence(
            "Dots with intervals by treatment for “{outcome}”, each with the plain difference as a ring on its row.",
            {"outcome": OUTCOME[outcome]},
        ),
        draw=dot_interval(
            items,
            measure=Text.of("Change"),
            by=TREATMENT,
            reference=0.0,
            beside=(Text.of("Plain difference"), [found.naive for _, found in known]),
        ),
    )


def _effect_title(effects: Sequence[TreatmentEffect], outcome: str) -> Sentence:
    claimed = [(one, found) for one in effects for found in one.claimed if found.outcome == outcome]
    if not claimed:
        return Sentence("No effect on “{outcome}” survives the checks", {"outcome": OUTCOME[outcome]})
    one, found = max(claimed, key=lambda pair: abs(float(pair[1].adjusted.value or 0)))
    return Sentence(
        "{treatment}: {effect:signed}, where the plain difference says {naive:signed}",
        {"treatment": one.treatment.name, "effect": found.adjusted, "naive": found.naive},
    )


def effects_table(study: ValueStudy) -> Block:
    """Every treatment and outcome: naive beside adjusted, and what can be said."""
    part = _effects(study)
    if part is None:
        return _nothing(study, "effects.all")
    columns = [
        Column(key="name", label=Text.of("Treatment and outcome"), wide=True),
        Column(key="naive", label=Text.of("Plain difference"), signed=True, metric=EFFECTS),
        Column(key="adjusted", label=Text.of("Adjusted", context="estimate"), signed=True, metric=EFFECTS),
        Column(key="interval", label=INTERVAL, show="interval", metric=EFFECTS),
        Column(key="with", label=Text.of("With"), metric=("service_outcome_share",)),
        Column(key="without", label=Text.of("Without"), metric=("service_outcome_share",)),
        Column(key="status", label=Text.of("Verdict")),
    ]
    rows: list[Row] = []
    for one in part.effects:
        rows.append(Row(cells={"name": one.treatment.name}, role="group"))
        rows += [
            Row(
                cells={
                    "name": OUTCOME[found.outcome],
                    "naive": found.naive,
                    "adjusted": found.adjusted,
                    "interval": found.adjusted if found.adjusted.interval else None,
                    "with": found.with_it,
                    "without": found.without_it,
                    "status": STATUS[found.status],
                }
            )
            for found in one.outcomes
            if found.outcome != "margin"
        ]
    return table(
        "value.effects.all",
        title=Sentence("What the plain difference says, and what is left when like is compared with like"),
        subtitle=Sentence(
            "Effects on the cases service could still change, in percentage points; with and without: share with the outcome"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
        by=("treatment",),
    )


def margin_table(study: ValueStudy) -> Block | None:
    """Margin of the window, for reading."""
    part = _effects(study)
    shown = [
        (one, found) for one in (part.effects if part else ()) if (found := one.outcome("margin")) is not None
    ]
    if not shown:
        return None
    columns = [
        Column(key="name", label=TREATMENT, wide=True),
        Column(
            key="naive", label=Text.of("Plain difference"), signed=True, metric=("service_effect_margin",)
        ),
        Column(
            key="adjusted",
            label=Text.of("Adjusted", context="estimate"),
            signed=True,
            metric=("service_effect_margin",),
        ),
        Column(key="interval", label=INTERVAL, show="interval", metric=("service_effect_margin",)),
    ]
    rows = [
        Row(
            cells={
                "name": one.treatment.name,
                "naive": found.naive,
                "adjusted": found.adjusted,
                "interval": found.adjusted if found.adjusted.interval else None,
            }
        )
        for one, found in shown
    ]
    return table(
        "value.effects.margin",
        title=Sentence("Margin of the year after: a few large orders decide it"),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Difference in margin per customer within the window; for reading, not tested: nothing above rests on it"
        ),
        note=_source(study),
        by=("treatment",),
    )


def worth_table(study: ValueStudy) -> Block:
    """Customer value of one case and of a year's cases gone wrong."""
    part = _effects(study)
    if part is None:
        return _nothing(study, "effects.worth")
    columns = [
        Column(key="name", label=TREATMENT, wide=True),
        Column(key="year", label=Text.of("Gone wrong in 12 months"), metric=("service_cases_year",)),
        Column(
            key="case",
            label=Text.of("Value of one case"),
            scale="exact",
            places=0,
            metric=("service_effect_value",),
        ),
        Column(key="stake", label=Text.of("Value of all of them"), metric=("service_value_at_stake",)),
        Column(key="interval", label=INTERVAL, show="interval", metric=("service_value_at_stake",)),
        Column(key="status", label=Text.of("Verdict")),
    ]
    rows = [
        Row(
            cells={
                "name": one.treatment.name,
                "year": one.exposed_year,
                "case": one.per_case,
                "stake": one.at_stake,
                "interval": one.at_stake if one.at_stake.interval else None,
                "status": STATUS[_verdict(one)],
            },
            tone=None if one.claimed else "muted",
        )
        for one in part.effects
    ]
    return table(
        "value.effects.worth",
        title=_stake_title(part.effects),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Customer value, discounted, if cases gone wrong had gone well: purchases for one year, contracts over the horizon; no service cost in it"
        ),
        note=_source(study),
        by=("treatment",),
    )


def _verdict(one: TreatmentEffect) -> str:
    return "effect" if one.claimed else "not_shown" if one.holds else "association"


def _stake_title(effects: Sequence[TreatmentEffect]) -> Sentence:
    claimed = [one for one in effects if one.claimed and one.at_stake.value is not None]
    if not claimed:
        return Sentence("No treatment has an effect that survives the checks: no value is claimed")
    best = max(claimed, key=lambda one: abs(float(one.at_stake.value or 0)))
    return Sentence(
        "{treatment}: last year's cases gone wrong stand for {stake} of customer value",
        {"treatment": best.treatment.name, "stake": best.at_stake},
    )


# -- doubts ------------------------------------------------------------------------------------------------------------


def overlap_figure(study: ValueStudy) -> Block:
    """Chance of going wrong, by group, for every treatment."""
    from analysis.exhibits.value_effect_charts import overlap_panels

    part = _effects(study)
    if part is None:
        return _nothing(study, "effects.overlap")
    weak = [one for one in part.effects if not one.overlap_holds]
    title = (
        Sentence(
            "{treatment}: the groups hardly overlap, only an association is stated",
            {"treatment": weak[0].treatment.name},
        )
        if weak
        else Sentence("For every treatment there are cases alike on both sides")
    )
    return figure(
        "value.effects.overlap",
        title=title,
        subtitle=Sentence(
            "Share of each group by its estimated chance of going wrong; where one side is empty, nothing can be compared"
        ),
        foot=_source(study),
        alt=Sentence(
            "Small histograms by treatment: cases gone wrong upwards, others downwards, by their chance of going wrong."
        ),
        draw=overlap_panels([(one.treatment.name, one.propensity) for one in part.effects]),
    )


def placebo_table(study: ValueStudy) -> Block:
    """Effects where there can be none."""
    part = _effects(study)
    if part is None:
        return _nothing(study, "effects.placebos")
    columns = [Column(key="name", label=TREATMENT, wide=True)]
    for kind, name in PLACEBO.items():
        columns += [
            Column(key=kind, label=name, signed=True),
            Column(key=f"{kind}_interval", label=INTERVAL, show="interval"),
        ]
    columns += [
        Column(key="trimmed", label=Text.of("Left out"), metric=("service_cases_trimmed",)),
        Column(
            key="balance", label=Text.of("Largest imbalance"), places=2, metric=("service_balance_worst",)
        ),
    ]
    rows = []
    for one in part.effects:
        cells: dict[str, Cell] = {
            "name": one.treatment.name,
            "trimmed": one.trimmed,
            "balance": one.worst_balance,
        }
        for placebo in one.placebos:
            cells |= {
                placebo.kind: placebo.effect,
                f"{placebo.kind}_interval": placebo.effect
                if placebo.effect and placebo.effect.interval
                else None,
            }
        rows.append(Row(cells=cells, tone=None if one.holds else "bad"))
    failed = sum(not placebo.passed for one in part.effects for placebo in one.placebos)
    title = (
        Sentence("Where there can be no effect, one is found: those treatments are read as associations")
        if failed
        else Sentence("Where there can be no effect, none is found")
    )
    return table(
        "value.effects.placebos",
        title=title,
        subtitle=Sentence(
            "Change in purchases of the year before the case, effect of a treatment drawn by lot, and change in something service cannot touch"
        ),
        columns=columns,
        rows=rows,
        note=Sentence(
            "Negative control: whether another machine of the customer fails. Left out: cases without a like on the other side. Imbalance: standard deviations between the groups after weighting."
        ),
        by=("treatment",),
    )


def hidden_table(study: ValueStudy) -> Block | None:
    """How strong a hidden cause would have to be; only for effects that are claimed."""
    part = _effects(study)
    claimed = [(one, found) for one in (part.effects if part else ()) for found in one.claimed]
    if not claimed:
        return None
    columns = [
        Column(key="name", label=Text.of("Effect", context="cause"), wide=True),
        Column(key="effect", label=Text.of("Adjusted", context="estimate"), signed=True, metric=EFFECTS),
        Column(
            key="hidden",
            label=Text.of("With a hidden cause as strong as tier"),
            signed=True,
            metric=IF_HIDDEN,
        ),
        Column(key="enough", label=Text.of("Would that be enough?")),
        Column(key="robust", label=Text.of("Robustness value"), metric=("service_effect_robustness",)),
        Column(key="e", label=Text.of("E-value"), places=2, metric=("service_effect_e_value",)),
    ]
    rows = [
        Row(
            cells={
                "name": _pair(one.treatment.name, OUTCOME[found.outcome]),
                "effect": found.adjusted,
                "hidden": found.if_hidden,
                "enough": Text.of("yes") if found.enough else Text.of("no"),
                "robust": found.robustness,
                "e": found.e_value,
            },
            tone="bad" if found.enough else None,
        )
        for one, found in claimed
    ]
    enough = any(found.enough for _, found in claimed)
    title = (
        Sentence("A hidden cause as strong as customer tier would be enough to explain some of this away")
        if enough
        else Sentence(
            "A hidden cause as strong as customer tier would not be enough to explain these effects away"
        )
    )
    return table(
        "value.effects.hidden",
        title=title,
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Robustness value: share of what is left unexplained in treatment and outcome that a hidden cause would have to explain; E-value: factor by which it would have to raise both"
        ),
        note=Sentence("Both are for the end of the interval nearer to zero."),
        by=("treatment",),
    )


def _pair(first: Text, second: Text) -> Text:
    return Text(en=f"{first.en}: {second.en[:1].lower()}{second.en[1:]}", zh=f"{first.zh}：{second.zh}")


def groups_table(study: ValueStudy) -> Block | None:
    """Effects by segment, customer type and value before the case, for treatments with a claimed effect."""
    part = _effects(study)
    claimed = [(one, found.outcome) for one in (part.effects if part else ()) for found in one.claimed]
    if not claimed:
        return None
    columns = [
        Column(key="name", label=Text.of("Group"), wide=True),
        Column(key="cases", label=Text.of("Cases"), show="n", metric=EFFECTS),
        Column(key="effect", label=Text.of("Adjusted", context="estimate"), signed=True, metric=EFFECTS),
        Column(key="interval", label=INTERVAL, show="interval", metric=EFFECTS),
        Column(key="holds", label=Text.of("After correction")),
    ]
    rows: list[Row] = []
    for one, outcome in claimed:
        rows.append(Row(cells={"name": _pair(one.treatment.name, OUTCOME[outcome])}, role="group"))
        for row in one.groups[one.groups["outcome"] == outcome].to_dict("records"):
            kind, group = str(row["grouping"]), str(row["group"])
            fact: Fact = row["fact"]
            held = Text.of("holds") if row["p_adjusted"] < 0.05 else Text.of("no effect shown")
            rows.append(
                Row(
                    cells={
                        "name": Text(
                            en=f"{GROUPING[kind].en}: {GROUP.get(group, Text.same(group)).en}",
                            zh=f"{GROUPING[kind].zh}：{GROUP.get(group, Text.same(group)).zh}",
                        ),
                        "cases": fact,
                        "effect": fact,
                        "interval": fact,
                        "holds": held,
                    }
                )
            )
    return table(
        "value.effects.groups",
        title=Sentence("For whom the effect is shown"),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Effects by segment, customer type and margin before the case, in percentage points; false discoveries held at one in twenty over all groups (Benjamini and Hochberg)"
        ),
        note=_source(study),
        by=("estimate", "treatment"),
    )


# -- what-ifs ----------------------------------------------------------------------------------------------------------


def _what_ifs(study: ValueStudy) -> WhatIfs | None:
    return study.what_ifs if isinstance(study.what_ifs, WhatIfs) else None


def what_if_table(study: ValueStudy) -> Block:
    """Scenarios side by side: value, saving, cost, present value and what it takes."""
    part = _what_ifs(study)
    if part is None or not (part.results or part.refused):
        refused = _refused(study.what_ifs, "what_ifs", WHAT_IFS)
        return refused or callout(
            "value.what_ifs", tone="info", title=Sentence("No scenario is registered in params/what_ifs.yml.")
        )
    columns = [
        Column(key="name", label=Text.of("Scenario"), wide=True),
        Column(key="clv", label=Text.of("Customer value"), metric=("what_if_clv",)),
        Column(key="saving", label=Text.of("Cost saved"), metric=("what_if_saving",)),
        Column(key="programme", label=Text.of("Programme cost"), metric=("what_if_programme",)),
        Column(
            key="npv",
            label=Text.of("Net present value"),
            signed=True,
            better="higher",
            metric=("what_if_npv",),
        ),
        Column(key="interval", label=INTERVAL, show="interval", metric=("what_if_npv",)),
        Column(key="chance", label=Text.of("Chance of a gain"), metric=("what_if_chance",)),
    ]
    rows = [
        Row(
            cells={
                "name": one.scenario.name,
                "clv": one.clv,
                "saving": one.saving,
                "programme": one.programme,
                "npv": one.npv,
                "interval": one.npv,
                "chance": one.chance,
            }
        )
        for one in part.results
    ]
    rows += [
        Row(
            cells={
                "name": Text(
                    en=f"{scenario.name.en}: {_why_not(refusal).en}",
                    zh=f"{scenario.name.zh}：{_why_not(refusal).zh}",
                )
            },
            tone="muted",
        )
        for scenario, refusal in part.refused.values()
    ]
    return table(
        "value.what_ifs",
        title=_what_if_title(part.results),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Present value within the programme's months; a saving in after-sales cost is never part of customer value"
        ),
        note=Sentence(
            "Effects that are not shown are not counted; what comes after the programme's months is not counted either."
        ),
        by=("scenario",),
    )


def _why_not(refusal: NotDone) -> Text:
    needs = ", ".join(refusal.needs)
    return (
        phrase("not computed: needs {needs}", needs=needs)
        if needs
        else Text.of("not computed: no effect behind it is shown")
    )


def _what_if_title(results: Sequence[WhatIf]) -> Sentence:
    sure = [one for one in results if one.npv.interval is not None and one.npv.interval.low > 0]
    if sure:
        best = max(sure, key=lambda one: float(one.npv.value or 0))
        return Sentence(
            "{scenario} pays: {npv} after its cost", {"scenario": best.scenario.name, "npv": best.npv}
        )
    if not results:
        return Sentence("No scenario rests on an effect that is shown")
    best = max(results, key=lambda one: float(one.npv.value or 0))
    if float(best.npv.value or 0) > 0:
        return Sentence(
            "{scenario} is the most promising ({npv}), but may still lose money",
            {"scenario": best.scenario.name, "npv": best.npv},
        )
    return Sentence("No scenario earns its cost on effects that are shown")


def returns_table(study: ValueStudy) -> Block | None:
    """Return, payback and break-even of each scenario, and what is not counted."""
    part = _what_ifs(study)
    if part is None or not part.results:
        return None
    columns = [
        Column(key="name", label=Text.of("Scenario"), wide=True),
        Column(key="standing", label=Text.of("Rests on")),
        Column(
            key="return", label=Text.of("Return", context="money"), signed=True, metric=("what_if_return",)
        ),
        Column(key="payback", label=Text.of("Payback"), metric=("what_if_payback",)),
        Column(key="paid", label=Text.of("Paid back in time"), metric=("what_if_paid_back",)),
        Column(key="even", label=Text.of("Break-even uptake"), metric=("what_if_break_even",)),
        Column(key="later", label=Text.of("Arrives later"), metric=("what_if_later",)),
        Column(key="unshown", label=Text.of("Not shown, not counted"), metric=("what_if_unshown",)),
    ]
    rows = [
        Row(
            cells={
                "name": one.scenario.name,
                "standing": STANDING[one.standing],
                "return": one.returned,
                "payback": one.payback,
                "paid": one.paid_back,
                "even": one.break_even,
                "later": one.later,
                "unshown": one.unshown,
            }
        )
        for one in part.results
    ]
    return table(
        "value.what_ifs.returns",
        title=Sentence("What it takes for each scenario to pay"),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Break-even: share of the intended change that must be reached; the last two columns are outside the net present value"
        ),
        note=None,
        by=("scenario",),
    )


def levers_table(study: ValueStudy) -> Block | None:
    """Which cases each scenario changes, and what is known of the effect behind it."""
    part = _what_ifs(study)
    if part is None or not part.results:
        return None
    columns = [
        Column(key="name", label=Text.of("Scenario and lever"), wide=True),
        Column(key="cases", label=Text.of("Cases per year"), metric=("what_if_cases",)),
        Column(key="wrong", label=Text.of("Gone wrong"), metric=("what_if_exposed",)),
        Column(key="moved", label=Text.of("Changed"), metric=("what_if_moved",)),
        Column(key="standing", label=Text.of("Effect", context="cause")),
    ]
    lever_standing = STANDING | {"not_shown": Text.of("not shown: not counted")}
    rows: list[Row] = []
    for one in part.results:
        rows.append(Row(cells={"name": one.scenario.name}, role="group"))
        rows += [
            Row(
                cells={
                    "name": lever.name,
                    "cases": lever.cases,
                    "wrong": lever.exposed,
                    "moved": lever.moved,
                    "standing": lever_standing[lever.standing],
                }
            )
            for lever in one.levers
        ]
    return table(
        "value.what_ifs.levers",
        title=Sentence("Which cases of a year each scenario would change"),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Cases of the twelve months to the end of {month}, before uptake", {"month": study.month}
        ),
        note=_source(study),
        by=("lever", "scenario"),
    )


def assumptions_table(study: ValueStudy) -> Block | None:
    """Every uncertain number of every scenario with the range it was drawn from."""
    part = _what_ifs(study)
    if part is None or not part.results:
        return None
    columns = [
        Column(key="name", label=Text.of("Assumption"), wide=True),
        Column(key="value", label=Text.of("Mean"), metric=("what_if_assumed_money", "what_if_assumed_share")),
        Column(
            key="interval",
            label=Text.of("Range"),
            show="interval",
            metric=("what_if_assumed_money", "what_if_assumed_share"),
        ),
    ]
    rows: list[Row] = []
    for one in part.results:
        rows.append(
            Row(
                cells={
                    "name": Text(
                        en=f"{one.scenario.name.en}. {one.scenario.source.en}",
                        zh=f"{one.scenario.name.zh}。{one.scenario.source.zh}",
                    )
                },
                role="group",
            )
        )
        rows += [
            Row(
                cells={
                    "name": assumed.name,
                    "value": assumed.value,
                    "interval": assumed.value if assumed.value.interval else None,
                }
            )
            for assumed in one.assumed
        ]
    return table(
        "value.what_ifs.assumptions",
        title=Sentence("What the scenarios assume"),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Effects relative to a case that goes well; value of customers as a multiple of what is expected; ranges hold the stated share of the draws"
        ),
        note=Sentence("Source: params/what_ifs.yml; effects and value of customers from this report."),
        by=("input", "scenario"),
    )


def scenario_figures(study: ValueStudy, *, most: int = 2) -> list[Block]:
    """Tornado and fan of the scenarios with the largest present value."""
    part = _what_ifs(study)
    if part is None:
        return []
    chosen = sorted(part.results, key=lambda one: -float(one.npv.value or 0))[:most]
    return [
        block
        for one in chosen
        for block in (tornado_figure(study, one), fan_figure(study, one))
        if block is not None
    ]


def tornado_figure(study: ValueStudy, one: WhatIf) -> Block | None:
    from analysis.exhibits.value_effect_charts import tornado

    if not one.swings:
        return None
    values: dict[str, Value] = {"scenario": one.scenario.name, "input": one.swings[0][1], "npv": one.npv}
    return figure(
        f"value.what_ifs.tornado.{one.scenario.id}",
        title=Sentence("{scenario}: {input:lower} decides more than anything else", values),
        subtitle=Sentence(
            "Net present value as one input moves from its tenth to its ninetieth percentile, the others at their means"
        ),
        foot=Sentence(
            "Source: params/what_ifs.yml, effects of this report, value of customers at the end of {month}.",
            {"month": study.month},
        ),
        alt=Sentence("Bars of the net present value by input, the widest first, around {npv}.", values),
        draw=tornado(
            [(name, low, high) for _, name, low, high in one.swings[:8]],
            one.npv,
            measure=Text.of("Net present value"),
            by=Text.of("Input"),
        ),
    )


def fan_figure(study: ValueStudy, one: WhatIf) -> Block:
    from analysis.exhibits.value_effect_charts import cumulated_fan

    values: dict[str, Value] = {"scenario": one.scenario.name, "payback": one.payback, "paid": one.paid_back}
    title = (
        Sentence(
            "{scenario}: paid back after {payback}, within the programme's months with a chance of {paid}",
            values,
        )
        if one.payback.value is not None
        else Sentence("{scenario}: does not pay back within its months", values)
    )
    return figure(
        f"value.what_ifs.fan.{one.scenario.id}",
        title=title,
        subtitle=Sentence(
            "Cumulated present value of customer value, saving and cost, with the range of four draws in five and of nineteen in twenty"
        ),
        foot=Sentence(
            "Source: params/what_ifs.yml, effects of this report, value of customers at the end of {month}.",
            {"month": study.month},
        ),
        alt=Sentence("Fan of the cumulated present value by month of the programme."),
        draw=cumulated_fan(
            one.start, one.curve, first=study.month, measure=Text.of("Cumulated present value")
        ),
    )


def budget_table(study: ValueStudy) -> Block:
    """Next year's service budget by tier, with its range."""
    part = _what_ifs(study)
    if part is None or isinstance(part.budget, NotDone):
        refused = _refused(
            study.what_ifs if part is None else part.budget, "budget", Text.of("Budget proposal")
        )
        assert refused is not None
        return refused
    columns = [
        Column(key="tier", label=Text.of("Tier"), wide=True),
        Column(key="customers", label=Text.of("Customers"), metric=("budget_customers",)),
        Column(key="value", label=Text.of("Value", context="customer"), metric=("budget_value",)),
        Column(key="growth", label=Text.of("Growth"), signed=True, metric=("budget_growth",)),
        Column(key="last", label=Text.of("Last 12 months"), metric=("budget_last",)),
        Column(key="proposed", label=Text.of("Proposed"), metric=("budget_proposed",)),
        Column(key="interval", label=Text.of("Range"), show="interval", metric=("budget_proposed",)),
        Column(key="change", label=Text.of("Change"), signed=True, metric=("budget_change",)),
    ]
    rows = [
        Row(
            cells={
                "tier": TIER[line.tier],
                "customers": line.customers,
                "value": line.value,
                "growth": line.growth,
                "last": line.last,
                "proposed": line.proposed,
                "interval": line.proposed,
                "change": line.change,
            },
            role="total" if line.tier == "total" else "body",
        )
        for line in part.budget.lines
    ]
    total = part.budget.lines[-1]
    return table(
        "value.budget",
        title=Sentence(
            "Serving next year's customers as today takes {proposed} ({proposed:interval})",
            {"proposed": total.proposed},
        ),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Cost of each tier follows the growth of its customers, demand and prices; a programme above is to be added"
        ),
        note=Sentence(
            "Growth: expected to stay plus as many new customers as last year. Prices are taken to rise by {low} to {high}, most likely {price}.",
            part.budget.prices,
        ),
        by=("tier",),
    )
