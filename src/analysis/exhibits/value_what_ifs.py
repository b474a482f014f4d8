"""Exhibits of the value section, last part: what better service would bring, and next year's budget. Result in, block out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.specification import (
    Field,
    estimate,
    group,
    interval,
    label,
    metric,
    registry,
    row_of,
    table_of,
    words,
)
from analysis.exhibits.statements import callout
from analysis.exhibits.value_shared import absent, cases_source, joined, or_not_applicable
from analysis.exhibits.vocabulary import Cell, Row, paired, phrase
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Fact, Sentence, Value
from analysis.value.budget import TierBudget
from analysis.value.results import ValueStudy
from analysis.value.scenarios import OUTCOMES, LeverResult, OutcomeVerdict, WhatIf

STANDING = {
    "effect": "effect shown",
    "average": "shown over all cases only, not counted",
    "partly": "partly shown, the rest not counted",
    "not_shown": "not shown, not counted",
    "assumption": "effect missing, not counted",
    "not_counted": "not counted",
}
_DOUBTFUL = {
    "effect": "effect shown, unless a hidden cause makes it",
    "average": "shown over all cases only, unless a hidden cause makes it; not counted",
}

CLEARLY = 1.2  # times as wide as the next: less is not called the most


def _scenario() -> Field:
    return words("scenario.name", "Scenario", wide=True)


def _estimated(id: str, *, of: str, head: str) -> Field:
    """A sum with its interval; a scenario without such a part says so in the same cell."""
    return estimate(id, of=_beside(of), head=head, key=of)


def _results(study: ValueStudy) -> tuple[WhatIf, ...]:
    return () if isinstance(study.what_ifs, NotDone) else study.what_ifs.results


def what_if_table(study: ValueStudy) -> Block:
    """Scenarios side by side: value, saving, cost, present value and what it takes; those that cannot be counted with the reason."""
    part = study.what_ifs
    if isinstance(part, NotDone):
        return absent("what_ifs", part, "What-ifs")
    if not (part.results or part.refused):
        return callout(
            "value.what_ifs", tone="info", title=Sentence("No scenario is stated in the parameters.")
        )
    columns = [
        _scenario(),
        _estimated("what_if_clv", of="clv", head="Customer value"),
        _estimated("what_if_saving", of="saving", head="Cost saved"),
        _estimated("what_if_programme", of="programme", head="Programme cost"),
        metric("what_if_npv", of="npv", signed=True),
        interval("what_if_npv", of="npv"),
        metric("what_if_chance", of="chance"),
    ]
    rows = [row_of(one, columns, by=("scenario",)) for one in part.results]
    for scenario, refusal in part.refused.values():
        why = phrase("{name}: not computed: {reason}", name=scenario.name, reason=refusal.reason)
        rows.append(Row(cells={"name": why}, tone="muted"))
    return table_of(
        "value.what_ifs",
        title=_what_if_title(part.results),
        subtitle=Sentence(
            "Present value within the programme's months; a saving in after-sales cost is never part of customer value"
        ),
        columns=columns,
        rows=rows,
        note=Sentence(
            "Not counted: for the customers concerned no effect is shown or none was estimated, so none enters as zero either; such effects stand in a table below. Cost saved, none: the scenario states no saving. What comes after the programme's months is not counted either. Coloured: a present value whose interval does not hold zero. The chance counts draws in which uptake, cost and saving come from ranges that somebody stated: it is no surer than these."
        ),
    )


def _what_if_title(results: Sequence[WhatIf]) -> Sentence:
    if not results:
        return Sentence("No scenario rests on an effect that is shown")
    sure = [one for one in results if one.pays]
    if sure:
        best = max(sure, key=lambda one: float(one.npv.value or 0))
        return Sentence(
            "{scenario} pays: {npv} after its cost ({npv:interval})",
            {"scenario": best.scenario.name, "npv": best.npv},
        )
    hopeful = [one for one in results if float(one.npv.value or 0) > 0]
    if len(hopeful) == 1:
        return Sentence(
            "{scenario} may pay ({npv}, {npv:interval}); that it does is not shown",
            {"scenario": hopeful[0].scenario.name, "npv": hopeful[0].npv},
        )
    if hopeful:
        return Sentence("Some scenarios may pay; of none is it shown")
    return Sentence("No scenario earns its cost on effects that are shown")


def returns_table(study: ValueStudy) -> Block | None:
    """Return, payback and break-even of each scenario, and what is not counted."""
    results = _results(study)
    if not results:
        return None
    return table_of(
        "value.what_ifs.returns",
        title=Sentence("What it takes for each scenario to pay"),
        subtitle=Sentence(
            "Break-even: share of the intended change that must be reached for the net present value to be zero"
        ),
        note=Sentence(
            "Out of reach: even the low end of the interval is more than the whole intended change; over 100% with a low end below it, the whole change may or may not be enough. A payback has an interval where it comes in nearly all draws; the chance beside it says in how many it does."
        ),
        rows=results,
        by=("scenario",),
        columns=[
            _scenario(),
            words(lambda one: Text.of(STANDING[one.standing]), "Rests on", key="standing"),
            metric(
                "what_if_return",
                of="returned",
                head="Return",
                context="money",
                key="return",
                signed=True,
                better=None,
            ),
            interval("what_if_return", of="returned"),
            metric("what_if_payback", of="payback"),
            interval("what_if_payback", of="payback", key="payback_interval"),
            estimate("what_if_chance", of="chance", head="Paid back in time", key="paid"),
            metric("what_if_break_even", of=_reachable, key="even"),
            interval("what_if_break_even", of="break_even", key="even_interval"),
        ],
    )


def outside_table(study: ValueStudy) -> Block | None:
    """What each scenario may bring beside its net present value: later, or by effects that are not shown for its own customers."""
    results = _results(study)
    if not results:
        return None
    columns = [
        _scenario(),
        _estimated("what_if_later", of="later", head="Arrives later"),
        _estimated("what_if_average", of="average", head="If the average held"),
        _estimated("what_if_unshown", of="unshown", head="Not shown, at its word"),
    ]
    if not any(isinstance(field.read(one), Fact) for one in results for field in columns):
        return None
    return table_of(
        "value.what_ifs.outside",
        title=Sentence("What the net present values leave out"),
        subtitle=Sentence(
            "Customer value over {horizon} after each case, discounted; none of it is counted in the tables above",
            {"horizon": study.horizon},
        ),
        note=Sentence(
            "Not counted: for the scenario's own customers no effect is shown or none was estimated. None: the scenario has no effect of that kind. Arrives later: after the programme's months. If the average held: effects that are shown over all cases and not for the scenario's own customers. Not shown, at its word: estimates that may be chance."
        ),
        rows=[_in_words_or_of(one, columns) for one in results],
        columns=columns,
    )


def _in_words_or_of(one: WhatIf, columns: Sequence[Field]) -> Row:
    """A row of the scenario's facts, or of words alone where it has none of the table."""
    counted = any(isinstance(field.read(one), Fact) for field in columns)
    return row_of(one, columns, by=("scenario",) if counted else ())


def _reachable(one: WhatIf) -> Cell:
    """The uptake at which it would pay; where even the whole change would not be enough, that in words."""
    needed = one.break_even
    if needed.value is None or float(needed.value) <= 1 or (needed.interval and needed.interval.low <= 1):
        return needed
    return Text.of("out of reach")


def _beside(part: str) -> Callable[[WhatIf], Cell]:
    """A part of a scenario's money; where nothing is counted, nothing saved, or there is no such effect, that in words and no zero."""

    def found(one: WhatIf) -> Cell:
        if part in ("clv", "later") and not one.counts_value:
            return Text.of(STANDING["not_counted"])
        if part == "saving" and not one.saves:
            return Text.of("none")
        amount: Fact | None = getattr(one, part)
        return Text.of("none") if amount is None else amount

    return found


def _standing(one: OutcomeVerdict) -> str:
    return (one.doubtful and _DOUBTFUL.get(one.verdict)) or STANDING[one.verdict]


def _verdicts(lever: LeverResult) -> Text:
    """Outcome by outcome, since money follows each."""
    if lever.standing == "not_counted":
        return Text.of(STANDING["not_counted"])
    return joined([paired(OUTCOMES[one.outcome], Text.of(_standing(one))) for one in lever.outcomes])


def levers_table(study: ValueStudy) -> Block | None:
    """Which cases each scenario changes, and what is known of the effect behind it."""
    results = _results(study)
    if not results:
        return None
    columns = [
        words("name", "Scenario and lever", wide=True),
        metric("what_if_cases", of="cases"),
        metric("what_if_exposed", of="exposed", head="Gone wrong", key="wrong"),
        metric("what_if_moved", of="moved", head="Changed", places=0),
        words(_verdicts, Text.of("Effect", context="cause"), key="standing"),
    ]
    rows: list[Row] = []
    for one in results:
        rows.append(group(one.scenario.name, columns))
        rows += [row_of(lever, columns, by=("lever", "scenario")) for lever in one.levers]
    return table_of(
        "value.what_ifs.levers",
        title=Sentence("Which cases of a year each scenario would change"),
        subtitle=Sentence(
            "Cases of the twelve months to the end of {month}, before uptake", {"month": study.month}
        ),
        columns=columns,
        rows=rows,
        note=cases_source(study),
    )


def assumptions_table(study: ValueStudy) -> Block | None:
    """Every uncertain number of every scenario with the range it was drawn from."""
    results = _results(study)
    if not results:
        return None
    assumed = ("what_if_assumed_money", "what_if_assumed_share")
    drawn = next((line.value for one in results for line in one.assumed if line.value.interval), None)
    columns = [
        words("name", "Assumption", wide=True),
        metric(*assumed, of="value", head="Mean"),
        interval(*assumed, of="value", head="Range"),
    ]
    rows: list[Row] = []
    for one in results:
        name, origin = one.scenario.name, one.scenario.source
        rows.append(group(Text(en=f"{name.en}. {origin.en}", zh=f"{name.zh}。{origin.zh}"), columns))
        rows += [row_of(line, columns, by=("input", "scenario")) for line in one.assumed]
    return table_of(
        "value.what_ifs.assumptions",
        title=Sentence("What the scenarios assume"),
        subtitle=Sentence(
            "Effects relative to a case that goes well; value of customers as a multiple of what is expected; a range holds {drawn:level} of the draws",
            {"drawn": drawn},
        )
        if drawn
        else Sentence(
            "Effects relative to a case that goes well; value of customers as a multiple of what is expected"
        ),
        columns=columns,
        rows=rows,
        note=Sentence(
            "Source: the ranges that each scenario states; effects and value of customers from this report."
        ),
    )


def scenario_figures(study: ValueStudy, *, most: int = 2) -> list[Block]:
    """Tornado and fan of the scenarios with the largest present value."""
    chosen = sorted(_results(study), key=lambda one: -float(one.npv.value or 0))[:most]
    return [
        block
        for one in chosen
        for block in (_tornado_figure(study, one), _fan_figure(study, one))
        if block is not None
    ]


def _scenario_figure(study: ValueStudy, id: str, **parts: Any) -> Block:
    foot = Sentence(
        "Source: the ranges that the scenario states, effects of this report, value of customers at the end of {month}.",
        {"month": study.month},
    )
    return figure(f"value.what_ifs.{id}", foot=foot, **parts)


def _tornado_figure(study: ValueStudy, one: WhatIf) -> Block | None:
    from analysis.exhibits.value_effect_charts import tornado

    if not one.swings:
        return None
    values: dict[str, Value] = {"scenario": one.scenario.name, "input": one.swings[0][1], "npv": one.npv}
    widths = [abs(float(high.value or 0) - float(low.value or 0)) for _, _, low, high in one.swings]
    title = "{scenario}: {input:lower} decides more than anything else"
    if len(widths) > 1 and widths[0] < CLEARLY * widths[1]:
        title = "{scenario}: {input:lower} and {other:lower} decide most"
        values |= {"other": one.swings[1][1]}
    return _scenario_figure(
        study,
        f"tornado.{one.scenario.id}",
        title=Sentence(title, values),
        subtitle=Sentence(
            "Net present value as one input moves from its tenth to its ninetieth percentile, the others at their means"
        ),
        alt=Sentence(
            "Bars of the net present value by input, the widest first, around {npv} ({npv:interval}).", values
        ),
        draw=tornado(
            [(name, low, high) for _, name, low, high in one.swings[:8]],
            one.npv,
            measure=registry()["what_if_npv"].name,
            by=Text.of("Input"),
            alike=_amounts(study),
        ),
    )


def _fan_figure(study: ValueStudy, one: WhatIf) -> Block:
    from analysis.exhibits.value_effect_charts import cumulated_fan

    return _scenario_figure(
        study,
        f"fan.{one.scenario.id}",
        title=_fan_title(one),
        subtitle=Sentence(
            "Cumulated present value of customer value, saving and cost, with the range of four draws in five and of nineteen in twenty"
        ),
        alt=Sentence("Fan of the cumulated present value by month of the programme."),
        draw=cumulated_fan(
            one.start,
            one.curve,
            first=study.month,
            measure=registry()["what_if_cumulated"].name,
            alike=_amounts(study),
        ),
    )


def _fan_title(one: WhatIf) -> Sentence:
    """A payback is named with its interval only; where it may never come, its chance is."""
    values: dict[str, Value] = {
        "scenario": one.scenario.name,
        "payback": one.payback,
        "paid": one.chance,
        "npv": one.npv,
        "months": phrase("{months} months", months=str(one.scenario.months)),
    }
    limits = one.npv.interval
    if one.payback.value is not None and one.payback.interval is not None:
        return Sentence("{scenario}: paid back after {payback} ({payback:interval})", values)
    if limits is not None and limits.high < 0:
        return Sentence(
            "{scenario}: within {months} it does not earn its cost ({npv}, {npv:interval})", values
        )
    return Sentence(
        "{scenario}: within {months} it earns its cost with a chance of {paid} ({npv}, {npv:interval})",
        values,
    )


def _amounts(study: ValueStudy) -> list[Fact]:
    """Sums of all scenarios: their tables and charts stand in one unit of money."""
    return [fact for one in _results(study) for fact in (one.clv, one.programme, one.npv)]


def budget_table(study: ValueStudy) -> Block:
    """Next year's service budget by tier, with its range."""
    part = study.what_ifs if isinstance(study.what_ifs, NotDone) else study.what_ifs.budget
    if isinstance(part, NotDone):
        return absent("budget", part, "Budget proposal")
    base = (
        {}
        if isinstance(study.portfolio, NotDone)
        else {one.value: one for one in study.portfolio.by.get("tier", ())}
    )

    def customers(line: TierBudget) -> Fact | None:
        tier = base.get(line.tier)
        return tier.customers if tier else None

    columns = [
        label("tier", head="Tier"),
        metric("value_customers", of=or_not_applicable(customers), head="Customers", key="customers"),
        metric(
            "budget_growth",
            of=or_not_applicable("growth"),
            key="growth",
            head="Customers in a year against today",
            signed=True,
            better=None,
        ),
        interval("budget_growth", of=or_not_applicable("growth"), key="growth_interval"),
        metric("budget_last", of="last", head="Last 12 months"),
        metric("budget_proposed", of="proposed", head="Proposed"),
        interval("budget_proposed", of="proposed", head="Range"),
        metric("budget_change", of="change", head="Change", signed=True),
        interval("budget_change", of="change", key="change_interval"),
    ]
    return table_of(
        "value.budget",
        title=Sentence(
            "Serving next year's customers as today takes {proposed} ({proposed:interval})",
            {"proposed": part.lines[-1].proposed},
        ),
        subtitle=Sentence(_BUDGET_BASIS[not part.prices]),
        columns=columns,
        rows=[
            row_of(line, columns, by=("tier",), role="total" if line.tier == "total" else "body")
            for line in part.lines
        ],
        note=Sentence(_BUDGET_NOTE[not part.prices], part.prices),
    )


# whether the report's projection of cost is divided, or prices and demand are assumed
_BUDGET_BASIS = {
    True: "The forecast of the cost section for the next twelve months, divided by last year's cost of each tier and how many of its customers are expected in a year; a programme above is to be added",
    False: "Cost of each tier follows how many of its customers are expected in a year, demand and prices; a programme above is to be added",
}
_BUDGET_NOTE = {
    True: "Customers in a year against today: those of the base expected still to be customers, plus as many new ones as last year, against the base of today, which also holds those whose chance of still being there is small. So it is another number than the growth of contracts and of active buyers in the churn section. It only divides the forecast among the tiers; the change of the total is that of the forecast, with its prices and demand. n/a: cost that names no customer belongs to no number of them; the total holds it too.",
    False: "Customers in a year against today: those of the base expected still to be customers, plus as many new ones as last year, against the base of today, which also holds those whose chance of still being there is small; so it is another number than the growth of contracts and of active buyers in the churn section. Prices are taken to rise by {low} to {high}, most likely {price}. n/a: cost that names no customer belongs to no number of them; the total holds it too.",
}
