"""The natural chart of a study, or of what a function of a study returns, for a look in JupyterLab: ``study.plot()``.

A study is more than one picture: it draws the one it is about. All its charts, with their facts, are exhibits (`analysis.exhibits`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analysis.errors import ParameterError
from analysis.exhibits.sheets import MOST_ROWS, Draw, Sheet, band, control_lines, estimates
from analysis.exhibits.style import axis_scale, category_roles, colour, one_unit, shown
from analysis.formats import ONE, column_scale, decimal
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.value.scenarios import OUTCOMES

if TYPE_CHECKING:
    from analysis.results import Fact


def _done(part: Any) -> Any:
    """The part that is drawn; what was not done says why instead."""
    if isinstance(part, NotDone):
        raise ParameterError(f"there is nothing to draw: {part.reason.en}")
    return part


def _line(
    sheet: Sheet, periods: Sequence[object], facts: Sequence[Fact], role: str = "focus", label: str = ""
) -> str:
    """Facts over months, with their intervals where they have one; returns the name of their unit."""
    unit = one_unit(facts, "plot")
    scale = axis_scale(facts, unit, sheet.language)
    steps = range(len(facts))
    ends = [
        (fact.interval.low, fact.interval.high) if fact.interval else (fact.value, fact.value)
        for fact in facts
    ]
    low, high = ([shown(end, unit, scale) for end in side] for side in zip(*ends, strict=True))
    sheet.axes.fill_between(steps, low, high, color=colour("context"), alpha=0.4, lw=0)
    values = [shown(fact.value, unit, scale) for fact in facts]
    sheet.axes.plot(steps, values, color=colour(role), marker="o", ms=3, label=label)
    sheet.steps(periods)
    return unit.label(sheet.language, scale)


def _intervals(sheet: Sheet, names: Iterable[object], facts: Sequence[Fact]) -> str:
    unit = one_unit(facts, "plot")
    ends = [abs(end) for fact in facts if fact.interval for end in (fact.interval.low, fact.interval.high)]
    scale = column_scale(decimal(max(ends)), sheet.language) if unit.is_money and ends else ONE
    value = [shown(fact.value, unit, scale) for fact in facts]
    low = [shown(fact.interval.low if fact.interval else fact.value, unit, scale) for fact in facts]
    high = [shown(fact.interval.high if fact.interval else fact.value, unit, scale) for fact in facts]
    estimates(sheet, names, value, low, high, nothing=0)
    return unit.label(sheet.language, scale)


def _bars(sheet: Sheet, names: Sequence[object], parts: Mapping[str, Any], *, stacked: bool = True) -> None:
    """A row each; parts beside or on top of each other, named."""
    names = list(names)[:MOST_ROWS]
    left = [0.0] * len(names)
    height = 0.6 if stacked else 0.8 / len(parts)
    for number, ((label, values), role) in enumerate(
        zip(parts.items(), category_roles(len(parts)), strict=True)
    ):
        widths = [float(value) for value in list(values)[: len(names)]]
        places = [
            place if stacked else place + (number - (len(parts) - 1) / 2) * height
            for place in range(len(names))
        ]
        sheet.axes.barh(
            places, widths, left=left if stacked else None, height=height, color=colour(role), label=label
        )
        left = [a + b for a, b in zip(left, widths, strict=True)]
    sheet.rows(names)
    if len(parts) > 1:
        sheet.legend()


def _names(table: Any, columns: Iterable[str]) -> list[str]:
    columns = list(columns)
    return [", ".join(str(value) for value in row) for row in table[columns].itertuples(index=False)]


# ---------------------------------------------------------------- costs


def _costs(sheet: Sheet, study: Any) -> None:
    unit = _line(sheet, [fact.period for fact in study.monthly], study.monthly)
    sheet.from_zero()
    sheet.named(sheet.say("After-sales cost by month"), y=sheet.say("cost per month ({unit})", unit=unit))


_ESTIMATES = {
    "rise": "cost above what was explained",
    "change": "change of the price",
    "excess_share": "unused share of paid hours beyond the allowed one",
}


def _signals(sheet: Sheet, signals: Any) -> None:
    table = signals.by_subject.head(MOST_ROWS)
    estimate = next(name for name in _ESTIMATES if name in table.columns)
    subject = list(
        table.columns[
            : list(table.columns).index(next(c for c in table.columns if table[c].dtype.kind == "f"))
        ]
    )
    estimates(sheet, _names(table, subject), table[estimate], table["low"], table["high"], nothing=0)
    found = int(table["signal"].sum())
    title = sheet.say("{found} of {tested} subjects stand out", found=found, tested=len(signals.by_subject))
    from matplotlib.ticker import PercentFormatter

    sheet.axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    sheet.named(title, x=sheet.say(_ESTIMATES[estimate]))


def _allocation(sheet: Sheet, allocation: Any) -> None:
    table = allocation.amounts
    target = table.columns[list(table.columns).index("weight") - 1]
    amounts = table.groupby(target, sort=False)["amount"].sum().astype(float)
    _bars(sheet, list(amounts.index), {"": amounts.to_numpy()})
    title = sheet.say("Cost shared out, by {target}", target=target)
    sheet.named(title, x=sheet.in_unit(sheet.say("amount")))


def _sensitivity_of_keys(sheet: Sheet, sensitivity: Any) -> None:
    amounts = sensitivity.amounts.astype(float)
    _bars(sheet, list(amounts.index), {str(key): amounts[key] for key in amounts.columns}, stacked=False)
    sheet.named(sheet.say("The same pools under each key"), x=sheet.in_unit(sheet.say("amount")))


def _capacity(sheet: Sheet, costs: Any) -> None:
    table = costs.capacity.head(MOST_ROWS)
    parts = {sheet.say("used"): table["used_cost"], sheet.say("unused"): table["unused_cost"]}
    own = [c for c in table.columns if c not in _OF_CAPACITY]
    names = _names(table, own) if own else [sheet.say("capacity")]
    _bars(sheet, names, parts)
    sheet.named(sheet.say("Cost of capacity, used and unused"), x=sheet.in_unit(sheet.say("amount")))


_OF_CAPACITY = {"cost", "practical_time", "used_time", "unused_time", "rate"} | {
    "used_cost",
    "unused_cost",
    "utilisation",
}


def _provision(sheet: Sheet, roll: Any) -> None:
    table = roll.total
    steps = range(len(table))
    for column, role in (("accrued", "actual"), ("utilised", "focus"), ("closing", "ink")):
        sheet.axes.plot(
            steps, table[column].astype(float), color=colour(role), label=sheet.say(column), lw=1.4
        )
    sheet.steps(table[table.columns[0]] if "month" not in table else table["month"])
    sheet.from_zero()
    sheet.legend()
    sheet.named(sheet.say("Warranty provision, period by period"), y=sheet.in_unit(sheet.say("amount")))


def _measure(sheet: Sheet, result: Any) -> None:
    interval = result.saving_interval
    estimates(
        sheet,
        [sheet.say("realised")],
        [float(result.saving)],
        [float(interval.low)],
        [float(interval.high)],
        nothing=0,
    )
    sheet.axes.axvline(float(result.expected), color=colour("actual"), ls="--", label=sheet.say("expected"))
    sheet.legend()
    sheet.named(
        sheet.say("What the measure saved, and what was expected"), x=sheet.in_unit(sheet.say("amount"))
    )


def _constant_mix(sheet: Sheet, mix: Any) -> None:
    table = mix.cells.head(MOST_ROWS)
    by = [column for column in table.columns if column not in ("tickets", "before", "after")]
    parts = {sheet.say("before"): table["before"], sheet.say("after"): table["after"]}
    _bars(sheet, _names(table, by), parts, stacked=False)
    sheet.named(
        sheet.say("The same tickets at the cost per ticket of each period"),
        x=sheet.in_unit(sheet.say("amount")),
    )


def _break_even(sheet: Sheet, volume: Any) -> None:
    if volume.tickets is None or volume.interval is None:
        raise ParameterError(f"there is nothing to draw: {volume.reason or 'the two lines do not cross'}")
    estimates(
        sheet,
        [sheet.say("break-even volume")],
        [volume.tickets],
        [volume.interval.low],
        [volume.interval.high],
    )
    sheet.named(sheet.say("Where both options cost the same"), x=sheet.say("tickets per month"))


# ---------------------------------------------------------------- failures


def _failures(sheet: Sheet, study: Any) -> None:
    _chart(sheet, study.chart)


def _chart(sheet: Sheet, chart: Any) -> None:
    points = chart.frame.astype({name: float for name in ("value", "centre", "lower", "upper")})
    control_lines(sheet, points)
    months = list(points["month"])
    every = max(1, len(months) // 12)
    sheet.axes.set_xticks(range(1, len(months) + 1, every), months[::every], rotation=45, ha="right")
    sheet.axes.set_xlim(0, len(months) + 1)
    unit = one_unit(chart.values, "plot").label(sheet.language)
    title = sheet.say("Failure rate by month; months with a signal: {signals}", signals=len(chart.signals))
    sheet.named(title, y=sheet.say("failure rate ({unit})", unit=unit))


def _claims(sheet: Sheet, forecast: Any) -> None:
    table = forecast.rows.groupby("month", sort=True)[["cost"]].sum()
    lines = forecast.rows.groupby("product_line", sort=True)
    steps = range(len(table))
    lines_of = [name for name, _ in lines][:7]
    bottom = [0.0] * len(table)
    for name, role in zip(lines_of, category_roles(len(lines_of)), strict=True):
        rows = forecast.rows[forecast.rows["product_line"] == name]
        cost = rows.groupby("month", sort=True)["cost"].sum().reindex(table.index, fill_value=0.0)
        sheet.axes.bar(steps, cost, bottom=bottom, color=colour(role), width=0.7, label=str(name))
        bottom = [a + b for a, b in zip(bottom, cost, strict=True)]
    sheet.steps(table.index)
    sheet.legend()
    title = sheet.say("Expected cost of failures under warranty, by month")
    sheet.named(title, y=sheet.in_unit(sheet.say("cost")))


def _tree(sheet: Sheet, tree: Any) -> None:
    table = tree.importance().head(MOST_ROWS)
    names = [str(name) for name in (table["event"] if "event" in table.columns else table.index)]
    _bars(sheet, names, {"": table["criticality"]})
    title = sheet.say("Which basic events matter, the most important first")
    sheet.named(title, x=sheet.say("criticality (share of the top event's probability)"))


# ---------------------------------------------------------------- retention


def _retention(sheet: Sheet, study: Any) -> None:
    bases = [part for part in (study.contractual, study.non_contractual) if not isinstance(part, NotDone)]
    if not bases:
        _done(study.contractual)
    names = {"contractual": sheet.say("contracts"), "non_contractual": sheet.say("purchases")}
    unit = ""
    for basis, role in zip(bases, ("focus", "actual"), strict=False):
        months, facts = zip(*basis.history, strict=True)
        unit = _line(sheet, months, facts, role, names.get(basis.basis, basis.basis))
    sheet.from_zero()
    sheet.legend()
    title = sheet.say("Customers lost in twelve months, month by month")
    sheet.named(title, y=sheet.say("churn rate ({unit})", unit=unit))


def _basis(sheet: Sheet, basis: Any) -> None:
    months, facts = zip(*basis.history, strict=True)
    unit = _line(sheet, months, facts)
    sheet.from_zero()
    title = sheet.say("Customers lost in twelve months, month by month")
    sheet.named(title, y=sheet.say("churn rate ({unit})", unit=unit))


def _components(sheet: Sheet, counts: Any) -> None:
    steps = [
        ("at the start", 0, counts.start, "actual"),
        ("lost", counts.start - counts.lost, counts.lost, "bad"),
        ("new", counts.start - counts.lost, counts.new, "good"),
        ("reactivated", counts.start - counts.lost + counts.new, counts.reactivated, "category-5"),
        ("at the end", 0, counts.end, "actual"),
    ]
    for place, (_, bottom, height, role) in enumerate(steps):
        sheet.axes.bar(place, height, bottom=bottom, color=colour(role), width=0.6)
    sheet.axes.set_xticks(range(len(steps)), [sheet.say(name) for name, *_ in steps])
    sheet.named(sheet.say("Customers from the start of the period to its end"), y=sheet.say("customers"))


def _scores(sheet: Sheet, scores: Any) -> None:
    table = scores.calibration
    sheet.axes.vlines(table["expected"], table["low"], table["high"], color=colour("context"), lw=2)
    sheet.axes.plot(table["expected"], table["rate"], "o", color=colour("focus"))
    most = float(max(table["expected"].max(), table["high"].max()))
    sheet.axes.plot([0, most], [0, most], color=colour("muted"), lw=0.8, ls="--")
    sheet.shares(most=most)
    sheet.shares("x", most=most)
    title = sheet.say("Chance of loss as scored, and what became of it")
    sheet.named(title, x=sheet.say("chance of loss, by tenths of the score"), y=sheet.say("share lost"))


# ---------------------------------------------------------------- value


def _value(sheet: Sheet, study: Any) -> None:
    _portfolio(sheet, _done(study.portfolio))


def _portfolio(sheet: Sheet, portfolio: Any) -> None:
    customers = [0.0, *(share for share, _ in portfolio.lorenz), 1.0]
    value = [0.0, *(float(fact.value) for _, fact in portfolio.lorenz), 1.0]
    sheet.axes.plot([0, 1], [0, 1], color=colour("muted"), lw=0.8, ls="--")
    sheet.axes.plot(customers, value, color=colour("focus"))
    sheet.shares("x")
    sheet.shares()
    sheet.axes.set_ylim(bottom=min(0.0, *value))
    title = sheet.say("How customer value is spread: the dashed line is equal value")
    sheet.named(
        title, x=sheet.say("share of customers, the least valuable first"), y=sheet.say("share of value")
    )


def _customer_values(sheet: Sheet, values: Any) -> None:
    import seaborn as sns

    clv = values.table["clv"].astype(float)
    sns.histplot(
        x=clv.clip(upper=float(clv.quantile(0.98))), bins=30, ax=sheet.axes, color=colour("actual"), alpha=1
    )
    sheet.axes.axvline(float(clv.mean()), color=colour("focus"), label=sheet.say("mean"))
    sheet.legend()
    title = sheet.say("Customers by expected value; the highest two in a hundred stand at the right end")
    sheet.named(title, x=sheet.in_unit(sheet.say("customer lifetime value")), y=sheet.say("customers"))


def _service_effects(sheet: Sheet, effects: Any) -> None:
    outcomes = [(one, outcome) for one in effects.effects for outcome in one.outcomes]
    if not outcomes:
        raise ParameterError("there is nothing to draw: no effect of service could be estimated.")
    units = [outcome.adjusted.unit for _, outcome in outcomes]
    unit = max(set(units), key=units.count)
    kept = [(one, outcome) for one, outcome in outcomes if outcome.adjusted.unit == unit]
    names = [
        f"{one.treatment.name[sheet.language]}: {OUTCOMES.get(outcome.outcome, Text.same(outcome.outcome))[sheet.language]}"
        for one, outcome in kept
    ]
    label = _intervals(sheet, names, [outcome.adjusted for _, outcome in kept])
    sheet.named(sheet.say("Effects of service experience"), x=sheet.say("effect ({unit})", unit=label))


def _what_if(sheet: Sheet, scenario: Any) -> None:
    months, middle, wide = zip(*scenario.curve, strict=True)
    unit = one_unit(wide, "plot")
    scale = axis_scale(wide, unit, sheet.language)
    steps = range(len(months))
    for facts in (wide, middle):
        low = [shown(fact.interval.low if fact.interval else fact.value, unit, scale) for fact in facts]
        high = [shown(fact.interval.high if fact.interval else fact.value, unit, scale) for fact in facts]
        band(sheet.axes, {"low": low, "high": high}, steps)
    sheet.axes.plot(steps, [shown(fact.value, unit, scale) for fact in wide], color=colour("focus"))
    sheet.axes.axhline(0, color=colour("muted"), lw=0.8)
    sheet.steps(months)
    name = scenario.scenario.name[sheet.language]
    title = sheet.say("{scenario}: present value, cumulated", scenario=name)
    sheet.named(title, y=sheet.say("present value ({unit})", unit=unit.label(sheet.language, scale)))


def _what_ifs(sheet: Sheet, scenarios: Any) -> None:
    if not scenarios.results:
        raise ParameterError("there is nothing to draw: no scenario could be computed.")
    names = [one.scenario.name[sheet.language] for one in scenarios.results]
    label = _intervals(sheet, names, [one.npv for one in scenarios.results])
    sheet.named(sheet.say("What each scenario is worth"), x=sheet.say("present value ({unit})", unit=label))


# ---------------------------------------------------------------- quality and summary


def _quality(sheet: Sheet, study: Any) -> None:
    tables: dict[str, dict[str, int]] = {}
    for file in study.files:
        counted = tables.setdefault(file.table, {})
        for outcome, number in file.rows.items():
            counted[outcome] = counted.get(outcome, 0) + int(number.value or 0)
    aside = {name: counted["quarantined"] + counted["duplicate"] for name, counted in tables.items()}
    names = sorted((name for name in tables if aside[name]), key=lambda name: -aside[name])
    if not names:
        raise ParameterError("there is nothing to draw: no row was set aside.")
    parts = {
        sheet.say("quarantined"): [tables[name]["quarantined"] for name in names],
        sheet.say("exact duplicates"): [tables[name]["duplicate"] for name in names],
    }
    read = [
        sheet.say("{table} ({read} read)", table=name, read=f"{tables[name]['read']:,}") for name in names
    ]
    _bars(sheet, read, parts)
    sheet.named(sheet.say("Rows that were set aside, by table"), x=sheet.say("rows"))


def _headlines(sheet: Sheet, study: Any) -> None:
    rows = []
    for headline in study.headlines:
        change = next(iter(headline.changes), None)
        if change is not None and change.change.value is not None:
            base, unit = change.base.value, change.change.unit
            rows.append((headline.metric.name[sheet.language], float(change.change.value), unit, base))
    if not rows:
        raise ParameterError("there is nothing to draw: no headline has a month to be held against.")
    sheet.axes.barh(
        range(len(rows)), [value * 100 for _, value, _, _ in rows], color=colour("actual"), height=0.6
    )
    sheet.axes.axvline(0, color=colour("muted"), lw=0.8)
    sheet.rows([name for name, *_ in rows])
    title = sheet.say("Headlines against last month")
    sheet.named(title, x=sheet.say("change (% of last month; percentage points for shares)"))


DRAWN_OF_STUDIES: Mapping[str, Draw] = {
    "costs.activity_costing.ActivityCosts": _capacity,
    "costs.allocation.Allocation": _allocation,
    "costs.allocation.AllocationSensitivity": _sensitivity_of_keys,
    "costs.cost_study.CostStudy": _costs,
    "costs.provision.ProvisionRollForward": _provision,
    "costs.savings.ConstantMix": _constant_mix,
    "costs.savings.MeasureResult": _measure,
    "costs.signals.Signals": _signals,
    "costs.sourcing.BreakEvenVolume": _break_even,
    "executive.study.ExecutiveStudy": _headlines,
    "failures.claims.ClaimsForecast": _claims,
    "failures.fault_tree.FaultTree": _tree,
    "failures.monitoring_facts.ChartFacts": _chart,
    "failures.result.FailureStudy": _failures,
    "quality.study.QualityStudy": _quality,
    "retention.components.ChurnComponents": _components,
    "retention.components_facts.ChurnBasis": _basis,
    "retention.scores.RiskScores": _scores,
    "retention.study.RetentionStudy": _retention,
    "value.effect_results.ServiceEffects": _service_effects,
    "value.lifetime.CustomerValues": _customer_values,
    "value.portfolio.Portfolio": _portfolio,
    "value.results.ValueStudy": _value,
    "value.scenarios.WhatIf": _what_if,
    "value.scenarios.WhatIfs": _what_ifs,
}
