"""Exhibits of the value section, first part: what customers are worth, why that moved and whom to invest in. Result in, block out.

The models behind it stand in :mod:`~analysis.exhibits.value_models`, what service does to value in :mod:`~analysis.exhibits.value_effects`,
and what better service would bring in :mod:`~analysis.exhibits.value_what_ifs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analysis.exhibits.estimates import estimate_line, interval_lines
from analysis.exhibits.figures import figure
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.record import Block
from analysis.exhibits.specification import (
    entry,
    group,
    interval,
    interval_line,
    label,
    line,
    metric,
    registry,
    row_of,
    statement,
    table_of,
    tile,
    words,
)
from analysis.exhibits.statements import callout
from analysis.exhibits.value_shared import absent, or_not_applicable, source
from analysis.exhibits.vocabulary import Row, Tile, phrase
from analysis.formats import Unit
from analysis.locale import LANGUAGES, Text
from analysis.metrics import NotDone
from analysis.results import Fact, Sentence, Value
from analysis.value.acquisition import AcquisitionChannel
from analysis.value.base import TIERS, standing_out
from analysis.value.change import CUSTOMER_STEPS, STEPS, ValueChange
from analysis.value.findings import BASIS_NAMES
from analysis.value.investment import LEVELS, MOST, Investment
from analysis.value.portfolio import Portfolio
from analysis.value.results import ServiceBreakEven, ValueStudy

# ---------------------------------------------------------------- headline


def headline_tiles(study: ValueStudy) -> Block:
    """What the base is worth, what after-sales must keep to pay for itself, concentration, change."""
    whole = study.portfolio
    if isinstance(whole, NotDone):
        return absent("headline", whole, registry()["customer_value"].name)
    shown = [
        tile(
            "customer_value",
            whole.total,
            head="Value of today's customers, discounted",
            comparisons=[
                line("value_horizon", study.horizon, "Horizon"),
                interval_line("customer_value", whole.total),
                estimate_line("mean_customer_value", whole.mean, "On average"),
            ],
        )
    ]
    if not isinstance(study.break_even, NotDone):
        shown.append(_break_even_tile(study.break_even))
    shown.append(
        tile(
            "top_decile_share",
            whole.top_share,
            comparisons=interval_lines("top_decile_share", whole.top_share),
        )
    )
    if not isinstance(study.change, NotDone):
        shown.append(_moved_tile(study.change))
    if whole.residual_contract.value is not None:
        residual = whole.residual_contract
        head = "Renewals to come over the horizon, per customer under contract, discounted"
        under = interval_lines("residual_contract_value", residual)
        shown.append(tile("residual_contract_value", residual, head=head, comparisons=under))
    return tiles("value.headline", shown)


def _break_even_tile(found: ServiceBreakEven) -> Tile:
    """What after-sales must keep to pay for the part that nobody else pays for; gross alone where that part is not known."""
    gross = estimate_line("break_even_share", found.share, "Gross, of all expected margin")
    cost = estimate_line("service_cost_over_horizon", found.cost, "After-sales over the horizon, discounted")
    if found.net_share.value is None:
        shown = [interval_line("break_even_share", found.share), cost]
        return tile("break_even_share", found.share, comparisons=shown)
    avoidable = estimate_line(
        "avoidable_service_cost", found.avoidable, "Avoidable and unpaid, over the horizon, discounted"
    )
    return tile(
        "break_even_net_share",
        found.net_share,
        head="Share of the margin of purchases that after-sales must keep to pay for itself",
        comparisons=[interval_line("break_even_net_share", found.net_share), avoidable, gross],
    )


def _moved_tile(found: ValueChange) -> Tile:
    moved = found.by_customers
    known = moved.interval is not None and not moved.interval.holds(0)
    refit = line(
        "value_change",
        found.steps["model"],
        "By re-estimation, of the same customers (no interval)",
        signed=True,
        slice={"step": "model"},
    )
    return tile(
        "value_change_by_customers",
        moved,
        head="Moved by customers this month, over the horizon, discounted",
        signed=True,
        status=("good" if (moved.value or 0) > 0 else "watch") if known else None,
        comparisons=[interval_line("value_change_by_customers", moved), refit] if moved.interval else [refit],
    )


# ---------------------------------------------------------------- the value base


def parts_table(study: ValueStudy) -> Block | None:
    """What the value is made of."""
    whole = study.portfolio
    if isinstance(whole, NotDone):
        return None
    heads = {
        "purchases": "Purchases to come, margin",
        "contract": "Contract renewals to come, margin",
        "service": "Service cost traced to customers, net of paid service",
    }
    rows = [
        entry("customer_value_part", fact, heads[part], slice={"part": part}, interval=True)
        for part, fact in whole.parts.items()
        if fact.value or not (part == "contract" and isinstance(study.contracts, NotDone))
    ]
    rows.append(entry("customer_value", whole.total, role="total", interval=True))
    if not isinstance(study.break_even, NotDone):
        found = study.break_even
        rows += [
            _with_interval(entry(metric, fact, head, interval=True), fact)
            for metric, fact, head in (
                (
                    "service_cost_over_horizon",
                    found.cost,
                    "For comparison: all after-sales cost over the same horizon, gross",
                ),
                (
                    "service_revenue_over_horizon",
                    found.revenue,
                    phrase("Paid by {payers:lower}", payers=found.payers),
                ),
                ("service_net_cost_over_horizon", found.net, "After-sales cost net of that"),
                ("warranty_duty_over_horizon", found.duty, "Of which warranty owed for machines sold"),
                ("avoidable_service_cost", found.avoidable, "Net and avoidable"),
            )
            if not (found.no_duty and fact in (found.duty, found.avoidable))
            and not (found.revenue.value is None and fact in (found.net, found.duty, found.avoidable))
        ]
    return table_of(
        "value.parts",
        title=Sentence("Today's customers are worth {total} ({total:interval})", {"total": whole.total}),
        subtitle=Sentence(
            "On {basis}, over {horizon}, discounted at {rate} per year",
            {"basis": BASIS_NAMES[study.settings.basis], "horizon": study.horizon, "rate": study.rate},
        ),
        columns=statement(
            line=Text.of("Part", context="whole"), value=Text.of("Amount, over the horizon"), interval=True
        ),
        rows=rows,
        note=source(study),
    )


_TRACED_STEPS = {
    "left": "Of customers who have left since",
    "paid": "Margin of paid service of the same customers",
    "carried": "Towards the mean of the customer type, as far as a year's cost does not carry over to the next",
    "years": "The other months of the horizon, at that level",
    "discount": "Discounting",
}
_LEAVING = "Discounting, and customers expected to leave on the way"
_TRACED_MEANS = {
    True: "The value deducts what today's customers cost more than their paid service earns, held at the level of a year: without growth of prices, and as if nobody left. The budget is gross: it grows with the forecast of all cost and counts new customers",
    False: "The value deducts what today's customers cost more than their paid service earns, held at the level of a year, without growth of prices, for as long as they are expected to be customers. The budget is gross: it grows with the forecast of all cost and counts new customers",
}


def traced_cost_table(study: ValueStudy) -> Block | None:
    """From the traced cost of the books to the service cost in the value, and next year's budget of the same tiers beside it."""
    whole = study.portfolio
    if isinstance(whole, NotDone) or whole.traced is None:
        return None
    found = whole.traced

    def step(name: str) -> Row:
        head = _LEAVING if name == "discount" and not study.available.machines else _TRACED_STEPS[name]
        return entry("traced_cost_step", found.steps[name], head, slice={"step": name})

    def expected(fact: Fact, over: str, head: str) -> Row:
        place = {"over": over}
        return entry("traced_cost_expected", fact, head, role="total", interval=True, slice=place)

    rows = [
        entry(
            "service_cost_traced", found.booked, "Traced to customers in the last twelve months, as booked"
        ),
        *(step(name) for name in ("left", "paid", "carried") if name in found.steps),
        expected(found.year, "year", "Expected in a year, net of paid service"),
        step("years"),
        step("discount"),
        expected(found.horizon, "horizon", "Deducted in the value, over the horizon"),
    ]
    budget = study.what_ifs if isinstance(study.what_ifs, NotDone) else study.what_ifs.budget
    if not isinstance(budget, NotDone):
        rows.append(
            entry(
                "budget_proposed",
                budget.traced,
                "For comparison: next year's budget of the tiers, gross",
                interval=True,
                slice={"tier": "traced"},
            )
        )
    return table_of(
        "value.traced_cost",
        title=Sentence(
            "Of traced service cost {booked} was booked in twelve months, and {horizon} is deducted in the value over {months}{horizon:doubt}",
            {"booked": found.booked, "horizon": found.horizon, "months": study.horizon},
        ),
        subtitle=Sentence(_TRACED_MEANS[study.available.machines]),
        columns=statement(line="Step", interval=True),
        rows=rows,
        note=Sentence(
            "What is booked is exact; a step puts one number for another and has no interval: what is uncertain stands in those of the two sums."
        ),
    )


def _with_interval(row: Row, fact: Fact) -> Row:
    """A level that is held has no interval of its own; a number that is missing says why in its own cell."""
    if fact.value is None or fact.interval is not None:
        return row
    return replace(row, cells={**row.cells, "interval": Text.of("no interval: held at today's level")})


# what the registry calls shorter than the customers' own table should
_HEADS = {"channel": "Channel of acquisition", "cohort": "Year of the first purchase or contract"}
_OF_VALUE = ("tier", "cohort", "kind")  # cut by value, by age or by contract: no slice to compare


def slices_table(study: ValueStudy, *dimensions: str) -> Block | None:
    """Slices of the base with value and behaviour."""
    whole = study.portfolio
    if isinstance(whole, NotDone):
        return None
    columns = [
        words("label", "Slice", key="slice", wide=True),
        metric("value_customers", of="customers", head="Customers"),
        metric("customer_value", of="total", head="Value", context="customer"),
        interval("customer_value", of="total", key="total_interval"),
        metric("mean_customer_value", of="mean", head="Per customer", places=0),
        interval("mean_customer_value", of="mean", places=0),
        metric(
            "revenue_per_customer",
            of="revenue",
            head="ARPU: revenue per active customer, 12 months",
            places=0,
        ),
        metric(
            "average_order_value", of="order_value", key="order", head="Purchase day, 12 months", places=0
        ),
        metric("repurchase_rate", of="repurchase", key="again", head="Bought again in 12 months"),
        interval("repurchase_rate", of="repurchase", key="again_interval"),
    ]
    rows: list[Row] = []
    for dimension in dimensions:
        if len(whole.by[dimension]) < 2 and rows:  # one slice repeats the whole
            continue
        own = _HEADS.get(dimension)
        rows.append(group(Text.of(own) if own else registry().dimension_name(dimension), columns))
        rows += [row_of(each, columns, by=(dimension,)) for each in whole.by[dimension]]
    return table_of(
        f"value.by_{dimensions[0]}",
        title=_slices_title(whole, [one for one in dimensions if one not in _OF_VALUE]),
        subtitle=Sentence(
            "Expected value over {horizon}, discounted; revenue per active customer, purchase revenue per purchase day and repurchase as observed",
            {"horizon": study.horizon},
        ),
        columns=columns,
        rows=rows,
        note=source(study),
    )


def _slices_title(whole: Portfolio, dimensions: Sequence[str]) -> Sentence:
    """The first slice that is surely worth more per customer than all others of its dimension; else only what is shown."""
    for dimension in dimensions:
        best = standing_out(whole.by[dimension], lambda each: each.mean)
        if best is not None:
            others = [each for each in whole.by[dimension] if each is not best]
            return Sentence(
                "By {dimension:lower}, {slice} is worth more than {other}: {mean} ({mean:interval}) against {less} ({less:interval})"
                if len(others) == 1
                else "By {dimension:lower}, {slice} is worth most, {mean} ({mean:interval})",
                {
                    "dimension": registry().dimension_name(dimension),
                    "slice": best.label,
                    "other": others[0].label,
                    "mean": best.mean,
                    "less": others[0].mean,
                },
            )
    return Sentence(
        "What a customer is worth, slice by slice: {mean} on average ({mean:interval})", {"mean": whole.mean}
    )


def lorenz_figure(study: ValueStudy) -> Block | None:
    """Cumulative share of value by share of customers, least valuable first."""
    from analysis.exhibits.value_charts import lorenz_curve

    whole = study.portfolio
    if isinstance(whole, NotDone) or not whole.lorenz:
        return None
    values = {"share": whole.top_share}
    return figure(
        "value.lorenz",
        title=Sentence(
            "The most valuable tenth of customers holds {share} of the value{share:doubt}", values
        ),
        subtitle=Sentence(
            "Cumulative share of expected value by share of customers, the least valuable first (Lorenz curve)"
        ),
        foot=source(study),
        alt=Sentence("Lorenz curve; the most valuable tenth holds {share}{share:doubt}.", values),
        draw=lorenz_curve(whole.lorenz, whole.top_share),
    )


# ---------------------------------------------------------------- change


def change_figure(study: ValueStudy) -> Block:
    """The bridge from last month's value to this month's."""
    from analysis.exhibits.charts import Item, waterfall

    found, whole = study.change, study.portfolio
    for part in (found, whole):
        if isinstance(part, NotDone):
            return absent("change", part, "Change of value since last month")
    assert not isinstance(found, NotDone) and not isinstance(whole, NotDone)
    before, after = study.month - 1, study.month
    return figure(
        "value.change",
        title=Sentence(
            "What customers did moved the value by {change:signed}{change:doubt}; re-estimation of the model by {model:signed}",
            {"change": found.by_customers, "model": found.steps["model"]},
        ),
        subtitle=Sentence(
            "Expected value of all customers at the end of each month, over {horizon}, discounted; the steps add up to the cent; a refit prices the same customers by another model: it is no growth and has no interval",
            {"horizon": study.horizon},
        ),
        foot=source(study),
        alt=Sentence(
            "Waterfall from the value of {before} to the value of {after} by cause.",
            {"before": before, "after": after},
        ),
        draw=waterfall(
            Item(name=phrase("{month}", month=before), fact=found.before),
            [Item(name=registry().value_label("step", step), fact=found.steps[step]) for step in STEPS],
            Item(name=phrase("{month}", month=after), fact=whole.total),
            measure=registry()["customer_value"].name,
            by=registry().dimension_name("step"),
            better="higher",
        ),
    )


def change_table(study: ValueStudy) -> Block | None:
    """The same with the customers behind each step."""
    found = study.change
    if isinstance(found, NotDone):
        return None
    columns = [
        label("step"),
        metric(
            "value_change_customers", of=or_not_applicable("customers"), key="customers", head="Customers"
        ),
        metric(
            "value_change",
            "value_change_by_customers",
            of="change",
            head="Change of value",
            signed=True,
            better="higher",
        ),
        interval("value_change", "value_change_by_customers", of="change"),
    ]
    steps = {
        step: row_of(
            {"customers": found.customers.get(step), "change": found.steps[step]},
            columns,
            by=("step",),
            # what was computed anew is neither good nor bad news
            tone=None if step in CUSTOMER_STEPS else "muted",
        )
        for step in STEPS
    }
    did = row_of(
        {"customers": None, "change": found.by_customers},
        columns,
        by=("step",),
        role="subtotal",
        over_all=True,
        head=Text.of("What customers did"),
    )
    others = [row for step, row in steps.items() if step not in CUSTOMER_STEPS]
    return table_of(
        "value.change_steps",
        title=Sentence(
            "What customers did moved the value by {change:signed}{change:doubt}",
            {"change": found.by_customers},
        ),
        subtitle=Sentence(
            "Value over {horizon}, discounted, at last month's model and assumptions; then the model, then the assumptions",
            {"horizon": study.horizon},
        ),
        columns=columns,
        rows=[*(steps[step] for step in CUSTOMER_STEPS), did, *others],
        note=Sentence(
            "Worth less: mostly silence, a month in which nothing was bought. A customer whose value stayed the same would be in no line. The churn section counts otherwise (buyers as lost only after a stated time without an order, first contracts apart from first purchases), so its new and lost customers are others. n/a: what is done to all customers has no lines of its own."
        ),
    )


# ---------------------------------------------------------------- acquisition


def acquisition_table(study: ValueStudy) -> Block:
    """Value of a new customer against what it cost to win."""
    found = study.acquisition
    if isinstance(found, NotDone):
        return absent("acquisition", found, registry()["value_to_acquisition_cost"].name)
    if not found:
        return callout(
            "value.acquisition",
            tone="info",
            title=Sentence("There are no new customers to set against marketing."),
        )
    return table_of(
        "value.acquisition",
        title=_acquisition_title(found),
        subtitle=Sentence(
            "Customers first seen in the last twelve months; their margin so far plus expected value over {horizon}, discounted, against marketing of the channel",
            {"horizon": study.horizon},
        ),
        rows=found,
        by=("channel",),
        columns=[
            label("channel"),
            metric("listed_customers", of="customers", head="New customers", slice={"list": "new"}),
            metric("acquisition_cost", of="cost", head="Cost to win", places=0),
            metric("new_customer_value", of="value", head="Value", context="customer", places=0),
            interval("new_customer_value", of="value", key="value_interval", places=0),
            metric("value_to_acquisition_cost", of="ratio", head="Ratio"),
            interval("value_to_acquisition_cost", of="ratio"),
            metric("payback_months", of="payback", head="Paid back in"),
            interval("payback_months", of="payback", key="payback_interval"),
        ],
        note=Sentence(
            "All marketing is charged to new customers. Payback: whole months of age at which the mean margin earned, of customers a year older, covers the cost; without an interval where a year does not show the latest month. The customers of the ratio are new, those of the payback a year older: neither says that marketing won them."
        ),
    )


# ---------------------------------------------------------------- who to invest in


def _acquisition_title(found: Sequence[AcquisitionChannel]) -> Sentence:
    """A channel is named only where its interval lies below those of all others."""
    told = [one for one in found if one.told]
    least = standing_out(told, lambda one: one.ratio, lowest=True)
    if least is None:
        return Sentence("What a new customer brings for what it cost to win, channel by channel")
    return Sentence(
        "Value of a new customer to its acquisition cost is lowest in {channel}: {ratio} ({ratio:interval})",
        {"channel": least.label, "ratio": least.ratio},
    )


def investment_figure(study: ValueStudy) -> Block:
    """Value by tier, churn risk and service cost."""
    from analysis.exhibits.charts import heatmap

    found = study.investment
    if isinstance(found, NotDone):
        return absent("investment", found, "Who to invest in")
    values: dict[str, Value] = {"risk": found.risk_limit, "unit": _unit_of(found), "horizon": study.horizon}
    if found.services == LEVELS:
        values["limit"] = found.service_limit
    return figure(
        "value.investment",
        title=_investment_title(found),
        subtitle=Sentence(_GRID[found.services == LEVELS], values),
        foot=source(study),
        alt=Sentence(_GRID_SEEN[found.services == LEVELS]),
        draw=heatmap(
            [(tier, registry().value_label("tier", tier)) for tier in TIERS],
            [(f"{risk}|{service}", _corner(risk, service)) for risk in LEVELS for service in found.services],
            {(cell.tier, f"{cell.risk}|{cell.service}"): cell.value for cell in found.cells.values()},
            by=registry().dimension_name("tier"),
            places=1,
        ),
    )


def _investment_title(found: Investment) -> Sentence:
    """How much of the top tier is at risk; where nobody is, that."""
    if not found.at_risk.customers.value:
        return Sentence(
            "No customer of the top tier has a chance of leaving of {risk} or more",
            {"risk": found.risk_limit},
        )
    return Sentence(
        "{value} of the top tier's value stands on customers whose chance of leaving is {risk} or more{value:doubt}",
        {"value": found.at_risk.value, "risk": found.risk_limit},
    )


# by whether a limit of service cost tells customers apart
_GRID = {
    True: "Expected value over {horizon}, discounted, by tier, churn risk (high: a chance of at least {risk} of being gone in twelve months) and service cost (high: at least {limit} in twelve months), in {unit}",
    False: "Expected value over {horizon}, discounted, by tier and churn risk (high: a chance of at least {risk} of being gone in twelve months), in {unit}",
}
_GRID_SEEN = {
    True: "Grid of expected value: three tiers by churn risk and service cost.",
    False: "Grid of expected value: three tiers by churn risk.",
}


def _unit_of(found: Investment) -> Text:
    """What the grid is printed in: the unit of its axis, as the drawing scales it."""
    from analysis.exhibits.style import axis_scale

    facts = [cell.value for cell in found.cells.values()]
    unit = Unit.parse(facts[0].unit)
    en, zh = (unit.label(language, axis_scale(facts, unit, language)) for language in LANGUAGES)
    return Text(en=en, zh=zh)


def _corner(risk: str, service: str | None) -> Text:
    if service is None:
        return phrase("Risk {risk}", risk=registry().value_label("risk", risk))
    levels = {
        "risk": registry().value_label("risk", risk),
        "cost": registry().value_label("service", service),
    }
    return phrase("Risk {risk}, cost {cost}", **levels)


_ADVICE = {
    ("top", "high"): "Win back now, a person calls",
    ("top", "low"): "Keep: first in the queue",
    ("middle", "high"): "Win back where it is cheap",
    ("middle", "low"): "Serve well, offer more",
    ("low", "high"): "Standard service; no special effort",
    ("low", "low"): "Standard service; bill what can be billed",
}


def investment_table(study: ValueStudy) -> Block | None:
    """The matrix in numbers, and what follows."""
    found = study.investment
    if isinstance(found, NotDone):
        return None
    known = found.at_risk.cost.value is not None
    columns = [
        words(
            lambda cell: _corner(cell.risk, cell.service),
            "Churn risk and service cost" if found.services == LEVELS else "Churn risk",
            key="group",
            wide=True,
        ),
        metric("investment_customers", of="customers", head="Customers"),
        metric("investment_value", of="value", head="Value", context="customer"),
        interval("investment_value", of="value"),
        *([metric("investment_service_cost", of="cost", head="Service cost")] if known else []),
        words(lambda cell: Text.of(_ADVICE[cell.tier, cell.risk]), "Default stance", key="advice", wide=True),
    ]
    rows: list[Row] = []
    for tier in TIERS:
        held = [found.cells[tier, risk, service] for risk in LEVELS for service in found.services]
        held = [cell for cell in held if cell.customers.value]
        if held:
            rows.append(group(registry().value_label("tier", tier), columns))
        rows += [
            row_of(cell, columns, by=("risk", "service", "tier") if cell.service else ("risk", "tier"))
            for cell in held
        ]
    return table_of(
        "value.investment_cells",
        title=Sentence("Whom to keep, whom to win back, whom to serve for less"),
        subtitle=Sentence(
            "Customers, expected value over {horizon}, discounted, and traced service cost of the last twelve months"
            if known
            else "Customers and expected value over {horizon}, discounted",
            {"horizon": study.horizon},
        ),
        columns=columns,
        rows=rows,
        note=Sentence(
            "Where nobody stands no line is shown. The stance is a rule of thumb, not an estimate: whether service changes what these customers do is asked further on in this section."
        ),
    )


def _groups_title(found: Investment) -> Sentence:
    """What the lists hold; a list on which nobody stands is not named."""
    below, often, at_risk = (one.customers for one in (found.below, found.often, found.at_risk))
    if below.value and often.value:
        return Sentence(
            "{customers} {customers:plural|is|are} expected to cost more than {customers:plural|it brings|they bring}; {often} of the top tier {often:plural|is|are} often in service",
            {"customers": below, "often": often},
        )
    if below.value:
        return Sentence(
            "{customers} {customers:plural|is|are} expected to cost more than {customers:plural|it brings|they bring}",
            {"customers": below},
        )
    if often.value:
        return Sentence("{often} of the top tier {often:plural|is|are} often in service", {"often": often})
    return Sentence(
        "{customers} of the top tier {customers:plural|is|are} at high risk of leaving",
        {"customers": at_risk},
    )


def groups_table(study: ValueStudy) -> Block | None:
    """Valuable and often in service, valuable and leaving, and those who cost more than they bring."""
    found = study.investment
    if isinstance(found, NotDone):
        return None
    worth = ("below_cost_value", "often_served_value", "value_at_risk")
    known = found.at_risk.cost.value is not None
    lists = [one for one in (found.at_risk, found.often, found.below) if one.customers.value]
    if not lists:
        return None
    return table_of(
        "value.groups",
        title=_groups_title(found),
        subtitle=Sentence(
            "Expected value over {horizon}, discounted; service cost and margin of the last twelve months. Customer numbers are in the evidence of the findings, at most {most} of a list"
            if known
            else "Expected value over {horizon}, discounted, and margin of the last twelve months. Customer numbers are in the evidence of the findings, at most {most} of a list",
            {"horizon": study.horizon, "most": str(MOST)},
        ),
        rows=lists,
        columns=[
            words(
                lambda listed: registry().value_label("list", listed.customers.dimensions["list"]),
                registry().dimension_name("list"),
                key="group",
                wide=True,
            ),
            metric("listed_customers", of="customers", head="Customers"),
            metric(*worth, of="value", head=registry()["customer_value"].name),
            interval(*worth, of="value"),
            *([metric("service_cost_traced", of="cost", head="Service cost, 12 months")] if known else []),
            metric("below_cost_past_margin", of="margin", head="Margin, 12 months"),
        ],
        note=source(study),
    )
