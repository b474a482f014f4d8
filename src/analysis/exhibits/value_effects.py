"""Exhibits of the value section, third part: what service does to value, and what speaks against it. Result in, block out."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.specification import (
    Field,
    count,
    estimate,
    group,
    interval,
    metric,
    registry,
    row_of,
    table_of,
    words,
)
from analysis.exhibits.value_shared import absent, cases_source, joined, lowered, or_not_applicable
from analysis.exhibits.vocabulary import Row, paired, phrase
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.params.treatments import Treatment
from analysis.results import Fact, Sentence, Value
from analysis.value.effect_findings import overlap_reading
from analysis.value.effect_results import MoneyBridge, OutcomeEffect, ServiceEffects, TreatmentEffect
from analysis.value.effects import IF_HIDDEN, METRIC, TESTED
from analysis.value.results import ValueStudy
from analysis.value.scenarios import OUTCOMES
from analysis.value.value_at_stake import CASES_YEAR

EFFECTS = tuple(METRIC.values())
ADJUSTED, NAIVE = {"estimate": "adjusted"}, {"estimate": "naive"}
STATUS = {
    "effect": "effect shown",
    "doubtful": "effect shown, unless a hidden cause makes it",
    "not_shown": "no effect shown",
    "association": "association only",
}
ZERO = {
    "response_due": "when the response is due",
    "landmark": "24 hours after opening",
    "resolution": "resolution",
    "window_end": "end of the 30 days",
    "opening": "opening",
}


def _zero(treatment: Treatment) -> Text:
    """From when the outcome of a treatment counts; the end of a window with a limit of its own by that limit."""
    limit = f"{treatment.limit:g}"
    if treatment.rule == "answered_within_hours":
        return phrase("{hours} hours after opening", hours=limit)
    if treatment.rule == "onboarded_within_days":
        return phrase("{days} days after the customer was won", days=limit)
    if treatment.rule == "resolved_within_days":
        return phrase("{days} days after opening", days=limit)
    return Text.of(ZERO[treatment.time_zero])


def _effects(study: ValueStudy) -> ServiceEffects | NotDone:
    """The effects; where not one treatment could be estimated, why the first could not."""
    part = study.effects
    if isinstance(part, NotDone) or part.effects:
        return part
    refusals = (refusal for _, refusal in part.refused.values())
    return next(refusals, NotDone(reason=Text.of("no treatment is declared in the parameters")))


def _absent(name: str, part: NotDone) -> Block:
    return absent(f"effects.{name}", part, "Effect of service on value")


def _outcome_name(outcome: str) -> Text:
    return registry().value_label("outcome", outcome)


def _treatment() -> Field:
    return words("treatment.name", "Treatment", wide=True)


def _adjusted(*ids: str, of: str = "adjusted", key: str = "adjusted") -> list[Field]:
    """The adjusted effect and its interval."""
    head = Text.of("Adjusted", context="estimate")
    return [
        metric(*ids, of=of, head=head, key=key, signed=True, better=None, slice=ADJUSTED),
        interval(*ids, of=of, slice=ADJUSTED),
    ]


def _naive(*ids: str) -> list[Field]:
    """The plain difference and its interval."""
    return [
        metric(*ids, of="naive", head="Plain difference", signed=True, better=None, slice=NAIVE),
        interval(*ids, of="naive", key="naive_interval", slice=NAIVE),
    ]


def _share_with(arm: str, head: str) -> list[Field]:
    """The share with the outcome in one arm, and its interval."""
    stated: dict[str, Any] = {"of": f"{arm}_it", "slice": {"arm": arm}}
    return [
        metric("service_outcome_share", head=head, key=arm, **stated),
        interval("service_outcome_share", key=f"{arm}_interval", **stated),
    ]


# ---------------------------------------------------------------- what is asked


def diagrams_figure(study: ValueStudy) -> Block:  # noqa: ARG001 - exhibits are all asked in one way
    """What is allowed for, what is done, and what lies between."""
    from analysis.exhibits.value_effect_charts import causal_diagrams
    from analysis.params.treatments import load_treatments
    from analysis.value.diagram import diagrams

    return figure(
        "value.diagrams",
        title=Sentence(
            "Customers who are served well may differ from those who are not: common causes are allowed for, what follows is not"
        ),
        subtitle=Sentence(
            "Declared causal diagram by family of treatments; solid: common causes and effect, dashed: lies between and is left out"
        ),
        foot=Sentence(
            "Source: the treatments as declared. A common cause that nobody recorded is not in it."
        ),
        alt=Sentence(
            "Diagrams: customer, past purchases, contract, past service and the fault point to treatment and outcome; treatment points to outcome, also through what lies between."
        ),
        draw=causal_diagrams(diagrams(load_treatments())),
    )


def definitions_table(study: ValueStudy) -> Block:
    """Each treatment with eligibility, time zero, events and window; those that could not be estimated with the reason."""
    part = study.effects
    if isinstance(part, NotDone):
        return _absent("definitions", part)
    columns = [
        _treatment(),
        words("eligible", "Eligible", wide=True),
        words(lambda line: _zero(line["treatment"]), "Outcome counts from", key="zero"),
        metric("service_cases", of="cases", head="Cases"),
        metric("service_cases_exposed", of="wrong", head="Gone wrong"),
        metric("service_case_customers", of="customers", head="Customers"),
    ]
    rows = [
        row_of(
            {
                "treatment": one.treatment,
                "eligible": one.treatment.eligible,
                "cases": one.cases,
                "wrong": one.exposed,
                "customers": one.customers,
            },
            columns,
            by=("treatment",),
        )
        for one in part.effects
    ]
    rows += [
        row_of(
            {"treatment": treatment, "eligible": phrase("not computed: {reason}", reason=refusal.reason)},
            columns,
            tone="muted",
        )
        for treatment, refusal in part.refused.values()
    ]
    return table_of(
        "value.effects.definitions",
        title=Sentence("Each treatment has a moment from which it is known, and only what follows counts"),
        subtitle=Sentence(
            "Cases whose window has closed by the end of {month}; later ones are left out, not guessed",
            {"month": study.month},
        ),
        columns=columns,
        rows=rows,
        note=cases_source(study),
    )


# ---------------------------------------------------------------- effects


def effect_figure(study: ValueStudy, outcome: str) -> Block:
    """Adjusted effects with intervals, the plain difference beside each."""
    from analysis.exhibits.charts import Item, dot_interval

    part, name = _effects(study), _outcome_name(outcome)
    if isinstance(part, NotDone):
        return _absent(outcome, part)
    roles = {"effect": "focus", "doubtful": "bad", "not_shown": "actual", "association": "expected"}
    known = [
        (one, found)
        for one in part.effects
        if (found := one.outcome(outcome)) is not None and found.adjusted.value is not None
    ]
    if not known:
        return absent(f"effects.{outcome}", _unknown(part, outcome), name)
    return figure(
        f"value.effects.{outcome}",
        title=_effect_title(part.effects, outcome),
        subtitle=Sentence(
            "{outcome}: change in percentage points where like is compared with like, with interval. Dots: {marks}. Ring: the plain difference; far from its dot, it credits service with who was served",
            {"outcome": name, "marks": _marks({found.standing for _, found in known})},
        ),
        foot=cases_source(study),
        alt=Sentence(
            "Dots with intervals by treatment for “{outcome}”, each with the plain difference as a ring on its row.",
            {"outcome": name},
        ),
        draw=dot_interval(
            [
                Item(name=one.treatment.name, fact=found.adjusted, role=roles[found.standing])
                for one, found in known
            ],
            measure=Text.of("Change"),
            by=Text.of("Treatment"),
            reference=0.0,
            beside=(Text.of("Plain difference"), [found.naive for _, found in known]),
        ),
    )


# what the colours of the dots say, in this order
_MARKS = {
    "effect": "orange, overlap and placebos hold and beyond chance after correction for all that was asked",
    "doubtful": "red, overlap and placebos hold and beyond chance after correction, but a hidden cause as strong as customer tier would take the interval to zero",
    "not_shown": "blue, may be nothing after correction for all that was asked, also where its own interval excludes zero",
    "association": "pale, association only",
}


def _marks(statuses: set[str]) -> Text:
    """The colours that a figure holds and no other."""
    return joined([Text.of(text) for status, text in _MARKS.items() if status in statuses])


def _unknown(part: ServiceEffects, outcome: str) -> NotDone:
    """Why not one treatment has an effect on the outcome."""
    reasons = [one.unfitted[outcome] for one in part.effects if outcome in one.unfitted]
    return reasons[0] if reasons else NotDone(reason=Text.of("no treatment has this outcome"))


def _effect_title(effects: Sequence[TreatmentEffect], outcome: str) -> Sentence:
    claimed = [(one, found) for one in effects for found in one.claimed if found.outcome == outcome]
    if not claimed:
        return Sentence("No effect on “{outcome}” survives the checks", {"outcome": _outcome_name(outcome)})
    one, found = max(claimed, key=lambda pair: abs(float(pair[1].adjusted.value or 0)))
    return Sentence(
        "{treatment}: estimated effect {effect:signed} ({effect:interval}), plain difference {naive:signed} ({naive:interval})",
        {"treatment": one.treatment.name, "effect": found.adjusted, "naive": found.naive},
    )


def effects_table(study: ValueStudy) -> Block:
    """Every treatment and outcome: naive beside adjusted, and what can be said."""
    part = _effects(study)
    if isinstance(part, NotDone):
        return _absent("all", part)
    columns = [
        words(lambda found: _outcome_name(found.outcome), "Treatment and outcome", key="name", wide=True),
        *_naive(*EFFECTS),
        *_adjusted(*EFFECTS),
        *_share_with("with", "With"),
        *_share_with("without", "Without"),
        words(lambda found: Text.of(STATUS[found.standing]), "Verdict", key="status"),
    ]
    rows: list[Row] = []
    for one in part.effects:
        rows.append(group(one.treatment.name, columns))
        rows += [
            row_of(found, columns, by=("treatment",)) for found in one.outcomes if found.outcome != "margin"
        ]
    return table_of(
        "value.effects.all",
        title=Sentence("What the plain difference says, and what is left when like is compared with like"),
        subtitle=Sentence(
            "Estimated effects, if no unmeasured cause is at work, on the cases service could still change, in percentage points; with and without: share with the outcome. Verdicts allow for all {tested} comparisons together (Holm), the intervals each stand alone: one may exclude zero and no effect be shown",
            {"tested": str(_tested(part.effects))},
        ),
        columns=columns,
        rows=rows,
        note=cases_source(study),
    )


def _tested(effects: Sequence[TreatmentEffect]) -> int:
    """How many comparisons the verdicts allow for."""
    return sum(found.outcome in TESTED for one in effects for found in one.outcomes)


def margin_table(study: ValueStudy) -> Block | None:
    """Margin of the window, for reading."""
    part = _effects(study)
    if isinstance(part, NotDone):
        return None
    lines = [
        {"treatment": one.treatment, "naive": found.naive, "adjusted": found.adjusted}
        for one in part.effects
        if (found := one.outcome("margin")) is not None
    ]
    if not lines:
        return None
    return table_of(
        "value.effects.margin",
        title=_margin_title(lines),
        subtitle=Sentence(
            "Difference in margin per customer within the window, the largest margins cut to one limit; for reading, not tested: nothing above rests on it"
        ),
        rows=lines,
        by=("treatment",),
        columns=[_treatment(), *_naive(METRIC["margin"]), *_adjusted(METRIC["margin"])],
        note=cases_source(study),
    )


def _margin_title(lines: Sequence[dict[str, Any]]) -> Sentence:
    """The treatments whose adjusted interval excludes zero, by name; it is no test."""
    apart = [
        line["treatment"].name
        for line in lines
        if (limits := line["adjusted"].interval) is not None and not limits.holds(0)
    ]
    if not apart:
        return Sentence("Margin of the year after: no adjusted interval excludes zero")
    return Sentence(
        "Margin of the year after: the adjusted interval excludes zero for {names}", {"names": joined(apart)}
    )


def worth_table(study: ValueStudy) -> Block:
    """Customer value of one case and of a year's cases gone wrong."""
    part = _effects(study)
    if isinstance(part, NotDone):
        return _absent("worth", part)
    columns = [
        _treatment(),
        metric(*CASES_YEAR.values(), of="exposed_year", head="Gone wrong in 12 months", key="year"),
        metric(
            "service_effect_value",
            of="per_case",
            head="Value of one case",
            key="case",
            scale="exact",
            places=0,
        ),
        interval("service_effect_value", of="per_case", key="case_interval", scale="exact", places=0),
        metric("service_value_at_stake", of="at_stake", head="Value of all of them", key="stake"),
        interval("service_value_at_stake", of="at_stake"),
        words(_verdicts, "Verdict", key="status", wide=True),
    ]
    return table_of(
        "value.effects.worth",
        title=_stake_title(part.effects),
        subtitle=Sentence(
            "Value of customers, discounted, if cases gone wrong had gone well, by the outcomes with a shown effect and no other: purchases of one year and contract renewals over {horizon}, of the customers of these cases; no service cost in it",
            {"horizon": study.horizon},
        ),
        columns=columns,
        rows=[
            row_of(one, columns, by=("treatment",), tone=None if one.claimed else "muted")
            for one in part.effects
        ],
        note=cases_source(study),
    )


_DIFFERS = {
    "cases": "Counted: customers there, cases here",
    "share": "Share: losses more (association) there, effect of the treatment on staying (estimated) here; fewer staying is more lost",
    "worth": "Money each: a year's margin there, contract renewals over the horizon here",
    "purchases": "Purchases within a year: in the margin there, apart here",
}


def _bridge_rows(one: MoneyBridge, columns: Sequence[Field]) -> Iterator[Row]:
    """A treatment's name, the sum of the churn section, what moves it, and the sum here."""
    sides = {
        "cases": (one.customers, one.cases),
        "share": (one.difference, one.effect),
        "worth": (one.margin, one.renewals),
        "purchases": (None, one.purchases),
    }

    def line(name: str, fact: Fact, there: Fact | None = None, here: Fact | None = None) -> dict[str, Any]:
        kind = "step" if fact.metric == "service_bridge_step" else "sum"
        return {"name": Text.of(name), "there": there, "here": here, kind: fact}

    yield group(one.treatment.name, columns)
    yield row_of(line("Churn section: yearly margin that goes with the losses", one.start), columns)
    for step, fact in one.steps.items():
        yield row_of(line(_DIFFERS[step], fact, *sides[step]), columns)
    yield row_of(line("This section: customer value at stake", one.end), columns, role="total")


def bridge_table(study: ValueStudy) -> Block | None:
    """From the money of the churn section to the customer value at stake, for each treatment that both price."""
    part = _effects(study)
    if isinstance(part, NotDone) or not part.bridges:
        return None
    there = ("service_bridge_customers", "loss_risk_difference", "service_bridge_margin")
    here = (CASES_YEAR[False], *EFFECTS, "service_bridge_renewals", "service_value_at_stake_part")
    sums = ("experience_margin_at_stake", "service_value_at_stake")
    columns = [
        words("name", "What differs", wide=True),
        estimate(*there, of=or_not_applicable("there"), key="there", head="Churn section"),
        estimate(*here, of=or_not_applicable("here"), key="here", head="This section"),
        metric("service_bridge_step", of="step", head="Step", signed=True, better=None),
        estimate(*sums, of="sum", head="Sum"),
    ]
    return table_of(
        "value.effects.bridge",
        title=Sentence("Two sections price the same experience; this leads from one sum to the other"),
        subtitle=Sentence(
            "The churn section: difference in loss times a year's margin of the customers under contract who first had it in twelve months. This section: estimated effect times the value of renewals and purchases, for every case of twelve months"
        ),
        columns=columns,
        rows=[row for one in part.bridges for row in _bridge_rows(one, columns)],
        note=Sentence(
            "In this order each difference moves the sum by its step; in another order the steps would be others, and the ends the same. A step has no interval: it puts one number for another, and what is uncertain stands in the intervals of both. Renewals here are those still to come, over {horizon}, discounted; the margin there is all margin of a year. n/a: a sum has no factor of its own, and the churn section holds no purchases apart.",
            {"horizon": study.horizon},
        ),
    )


def _verdicts(one: TreatmentEffect) -> Text:
    """Outcome by outcome: what is counted in the money beside it, and what is not."""
    if not one.valued:
        return Text.of(STATUS["association"])
    return joined([paired(OUTCOMES[found.outcome], Text.of(STATUS[found.standing])) for found in one.valued])


def _stake_title(effects: Sequence[TreatmentEffect]) -> Sentence:
    claimed = [one for one in effects if one.claimed and one.at_stake.value is not None]
    if not claimed:
        return Sentence("No treatment has an effect that survives the checks: no value is claimed")
    best = max(claimed, key=lambda one: abs(float(one.at_stake.value or 0)))
    values: dict[str, Value] = {"treatment": best.treatment.name, "stake": best.at_stake}
    doubtful, solid = best.worth("doubtful"), best.worth("effect")
    if not doubtful:
        return Sentence(
            "{treatment}: last year's cases gone wrong stand for {stake} of customer value ({stake:interval})",
            values,
        )
    if not solid:
        return Sentence(
            "{treatment}: last year's cases gone wrong stand for {stake} of customer value ({stake:interval}), unless a hidden cause makes the effect",
            values,
        )
    return Sentence(
        "{treatment}: last year's cases gone wrong stand for {stake} of customer value ({stake:interval}): {solid}{solid:doubt} by an effect shown, {doubted}{doubted:doubt} by one that a hidden cause could account for",
        values | {"solid": solid[0][1], "doubted": doubtful[0][1]},
    )


# ---------------------------------------------------------------- doubts


_ONLY_AN_ASSOCIATION = {
    "apart": "{treatment}: the groups hardly overlap, only an association is stated",
    "unlike": "{treatment}: the groups stay unlike after weighting, only an association is stated",
    "few": "{treatment}: a few cases stand for many, only an association is stated",
}


def overlap_figure(study: ValueStudy) -> Block:
    """Chance of going wrong, by group, for every treatment."""
    from analysis.exhibits.value_effect_charts import overlap_panels

    part = _effects(study)
    if isinstance(part, NotDone):
        return _absent("overlap", part)
    weak = [one for one in part.effects if not one.overlap_holds]
    title = (
        Sentence(_ONLY_AN_ASSOCIATION[overlap_reading(weak[0])], {"treatment": weak[0].treatment.name})
        if weak
        else _all_alike(part.effects)
    )
    return figure(
        "value.effects.overlap",
        title=title,
        subtitle=Sentence(
            "Share of each group by its estimated chance of going wrong; cases without a like on the other side are left out"
        ),
        foot=cases_source(study),
        alt=Sentence(
            "Small histograms by treatment: cases gone wrong upwards, others downwards, by their chance of going wrong."
        ),
        draw=overlap_panels([(one.treatment.name, one.propensity) for one in part.effects]),
    )


def _all_alike(effects: Sequence[TreatmentEffect]) -> Sentence:
    """How many cases have no like where that are few."""
    most = max((one.trimmed for one in effects), key=lambda fact: float(fact.value or 0))
    if not most.value:
        return Sentence("For every treatment each of the cases concerned has its like on the other side")
    return Sentence(
        "For every treatment at most {most} of the cases concerned have no like on the other side",
        {"most": most},
    )


_PLACEBOS = ("before", "random_treatment", "negative_control")


def placebo_table(study: ValueStudy) -> Block:
    """Effects where there can be none."""
    part = _effects(study)
    if isinstance(part, NotDone):
        return _absent("placebos", part)
    columns = [_treatment()]
    for kind in _tried(part.effects):
        stated: dict[str, Any] = {"of": kind, "slice": {"placebo": kind}}
        name = registry().value_label("placebo", kind)
        columns.append(metric("service_placebo_effect", head=name, signed=True, better=None, **stated))
        columns.append(interval("service_placebo_effect", key=f"{kind}_interval", **stated))
    columns += [
        metric("service_cases_trimmed", of="trimmed", head="Left out"),
        metric(
            "service_balance_worst", of="worst_balance", head="Largest imbalance", key="balance", places=2
        ),
    ]
    return table_of(
        "value.effects.placebos",
        title=_placebo_title(part.effects),
        subtitle=Sentence(
            "Change in purchases of the year before the case, effect of a treatment drawn by lot, and change in something service cannot touch"
        ),
        columns=columns,
        rows=[_placebo_row(one, columns) for one in part.effects],
        note=Sentence(
            _PLACEBO_NOTE["negative_control" in _tried(part.effects)],
            {
                "controls": _controls(part.effects),
                "most": part.effects[0].most_trimmed,
                "limit": part.effects[0].balance_limit,
            },
        ),
    )


_PLACEBO_NOTE = {
    True: "Negative control: {controls}. Left out: cases without a like on the other side, at most {most}. Imbalance: standard deviations between the groups after weighting, at most {limit}. Beyond either, only an association is stated.",
    False: "Negative control, {controls}: too few such cases for any treatment. Left out: cases without a like on the other side, at most {most}. Imbalance: standard deviations between the groups after weighting, at most {limit}. Beyond either, only an association is stated.",
}


def _tried(effects: Sequence[TreatmentEffect]) -> list[str]:
    """The placebos that at least one treatment allows; what no treatment does takes no column."""
    found = {placebo.kind for one in effects for placebo in one.placebos if placebo.effect}
    return [kind for kind in _PLACEBOS if kind in found]


_CONTROLS = {
    "other_machine_failed": Text.of("whether another machine of the customer fails"),
    "moved": Text.of("whether the customer moves to another region"),
}


def _controls(effects: Sequence[TreatmentEffect]) -> Text:
    """What the treatments cannot change, each once."""
    names = dict.fromkeys(one.treatment.negative_control for one in effects)
    return Text.joined([_CONTROLS[name] for name in names], en="; ", zh="；")


def _placebo_title(effects: Sequence[TreatmentEffect]) -> Sentence:
    if any(not placebo.passed for one in effects for placebo in one.placebos):
        return Sentence(
            "Where there can be no effect, one is found: those treatments are read as associations"
        )
    if any(one.blunt for one in effects):
        return Sentence(
            "Where there can be no effect, none is found; not every placebo could have found one as large as those claimed"
        )
    if any(placebo.effect is None for one in effects for placebo in one.placebos) or any(
        len(one.placebos) < len(_PLACEBOS) for one in effects
    ):
        return Sentence("Where there can be no effect and one could be looked for, none is found")
    return Sentence("Where there can be no effect, none is found")


def _placebo_row(one: TreatmentEffect, columns: Sequence[Field]) -> Row:
    tried = {placebo.kind: placebo.effect or Text.of("not tried") for placebo in one.placebos}
    line = {"treatment": one.treatment, "trimmed": one.trimmed, "worst_balance": one.worst_balance}
    return row_of(line | tried, columns, by=("treatment",), tone=None if one.holds else "bad")


def _claimed(study: ValueStudy) -> list[tuple[TreatmentEffect, OutcomeEffect]]:
    part = _effects(study)
    effects = () if isinstance(part, NotDone) else part.effects
    return [(one, found) for one in effects for found in one.claimed]


def _effect_name(one: TreatmentEffect, outcome: str) -> Text:
    return paired(one.treatment.name, lowered(_outcome_name(outcome)))


def hidden_table(study: ValueStudy) -> Block | None:
    """How strong a hidden cause would have to be; only for effects that are claimed."""
    claimed = _claimed(study)
    if not claimed:
        return None
    columns = [
        words("name", Text.of("Effect", context="cause"), wide=True),
        *_adjusted(*EFFECTS, of="found.adjusted", key="effect"),
        metric(
            *IF_HIDDEN.values(),
            of="found.if_hidden",
            head="With a hidden cause as strong as tier",
            key="hidden",
            signed=True,
            better=None,
        ),
        interval(*IF_HIDDEN.values(), of="found.if_hidden", key="hidden_interval"),
        words(_reaches_zero, "Interval reaches zero?", key="enough"),
        metric("service_effect_robustness", of="found.robustness", key="robust"),
        metric("service_effect_e_value", of="found.e_value", key="e", places=2),
    ]
    return table_of(
        "value.effects.hidden",
        title=_hidden_title(claimed),
        subtitle=Sentence(
            "Robustness value: share of what is left unexplained in treatment and outcome that a hidden cause would have to explain; E-value: factor by which it would have to raise both"
        ),
        columns=columns,
        rows=[
            row_of(
                {"name": _effect_name(one, found.outcome), "found": found},
                columns,
                by=("treatment",),
                tone="bad" if found.enough else None,
            )
            for one, found in claimed
        ],
        note=Sentence(
            "Robustness value and E-value are for the end of the interval nearer to zero. With a hidden cause: the effect that would be left, and its interval."
        ),
    )


def _reaches_zero(line: Mapping[str, Any]) -> Text | None:
    """Whether the interval would reach zero; nothing where what such a cause would do could not be computed."""
    found: OutcomeEffect = line["found"]
    if found.if_hidden.value is None:
        return None
    return Text.of("yes" if found.enough else "no")


def _hidden_title(claimed: Sequence[tuple[TreatmentEffect, OutcomeEffect]]) -> Sentence:
    """Judged by the interval: whether it would reach zero; of an effect where that could not be computed nothing is said."""
    computed = [found for _, found in claimed if found.if_hidden.value is not None]
    if not computed:
        return Sentence("How strong a hidden cause would have to be to take an interval to zero")
    enough = [pair for pair in claimed if pair[1].enough]
    if len(enough) == 1:
        one, found = enough[0]
        return Sentence(
            "A hidden cause as strong as customer tier would take the interval of this effect to zero: {effect}",
            {"effect": _effect_name(one, found.outcome)},
        )
    if enough:
        return Sentence(
            "A hidden cause as strong as customer tier would take the intervals of several effects to zero"
        )
    if any(found.untested for _, found in claimed):
        return Sentence(
            "A hidden cause as strong as customer tier would not take an interval to zero; where tier hardly bears on an effect, that says little"
        )
    if len(computed) < len(claimed):
        return Sentence(
            "A hidden cause as strong as customer tier would take none of the intervals to zero for which that could be computed"
        )
    return Sentence("A hidden cause as strong as customer tier would not take an interval to zero")


def _told_apart(one: TreatmentEffect, found: OutcomeEffect) -> list[dict[Hashable, Any]]:
    """The groups of one outcome; a group that holds every case repeats the effect on all of them and is none."""
    rows: list[dict[Hashable, Any]] = one.groups[one.groups["outcome"] == found.outcome].to_dict("records")
    return [row for row in rows if int(row["rows"]) < int(found.adjusted.n or 0)]


def groups_table(study: ValueStudy) -> Block | None:
    """Effects by segment, customer type and value before the case, for treatments with a claimed effect."""
    claimed = _claimed(study)
    if not claimed:
        return None
    columns = [
        words(
            lambda row: paired(
                registry().dimension_name(row["grouping"]),
                registry().value_label(row["grouping"], str(row["group"])),
            ),
            "Group",
            key="name",
            wide=True,
        ),
        count(*EFFECTS, of="fact", head="Cases", key="cases"),
        *_adjusted(*EFFECTS, of="fact", key="effect"),
        words(
            lambda row: Text.of("holds", context="effect") if row["shown"] else Text.of("no effect shown"),
            "After correction",
            key="holds",
        ),
    ]
    rows: list[Row] = []
    for one, found in claimed:
        of_outcome = _told_apart(one, found)
        if of_outcome:
            rows.append(group(_effect_name(one, found.outcome), columns))
        rows += [row_of(row, columns, by=("estimate", "treatment", row["grouping"])) for row in of_outcome]
    if not rows:
        return None
    return table_of(
        "value.effects.groups",
        title=Sentence("For whom the effect is shown"),
        subtitle=Sentence(
            "Effects by segment, customer type and margin before the case, in percentage points; false discoveries held at one in twenty over all groups (Benjamini and Hochberg). Intervals are each group's own, not widened for the choice among all groups; an effect in one group beside none in another is no difference between them"
        ),
        columns=columns,
        rows=rows,
        note=cases_source(study),
    )
