"""Exhibits of the value section, first half: what customers are worth. Result in, block out, no arithmetic beyond layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from analysis.exhibits.figures import figure
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.record import Block
from analysis.exhibits.statements import callout, not_computed
from analysis.exhibits.style import WIDTH, Drawing
from analysis.exhibits.tables import table
from analysis.exhibits.vocabulary import Column, Comparison, Row, Tile, phrase
from analysis.formats import month_text
from analysis.locale import Language, Text
from analysis.metrics import NotDone
from analysis.results import Fact, Sentence
from analysis.value.change import CUSTOMER_STEPS, STEPS, ValueChange
from analysis.value.findings import BASIS_NAMES
from analysis.value.investment import LEVELS, Investment
from analysis.value.model_facts import Modelling
from analysis.value.portfolio import Portfolio
from analysis.value.results import ValueStudy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

VALUE = Text.of("Customer lifetime value")
INTERVAL = Text.of("Interval")
CUSTOMERS = Text.of("Customers")
DIMENSION_NAMES = {
    "tier": Text.of("Value tier"),
    "customer_type": Text.of("Customer type"),
    "segment": Text.of("Segment"),
    "region": Text.of("Region"),
    "channel": Text.of("Channel of acquisition"),
    "product_line": Text.of("Product line"),
    "cohort": Text.of("Year of the first purchase or contract"),
    "kind": Text.of("Bound by"),
}
VALUE_NAMES = {
    "top": Text.of("Top tier"),
    "middle": Text.of("Middle tier"),
    "low": Text.of("Low tier"),
    "contract": Text.of("A running contract"),
    "purchases": Text.of("Purchases only"),
}
STEP_NAMES = {
    "new": Text.of("New customers"),
    "lost": Text.of("Lost customers"),
    "grown": Text.of("Grown customers"),
    "shrunk": Text.of("Shrunk customers"),
    "model": Text.of("Model re-estimated (no growth)"),
    "assumptions": Text.of("Assumptions changed"),
}
LEVEL_NAMES = {"high": Text.of("high"), "low": Text.of("low")}


def _refused(part: object, name: str, what: Text) -> Block | None:
    """The callout for a part that could not be made; None when it was."""
    if isinstance(part, NotDone) and part.needs:
        return not_computed(part, id=f"value.{name}", what=what)
    if isinstance(part, NotDone):
        return callout(
            f"value.{name}",
            tone="info",
            title=Sentence("{what}: not computed", {"what": what}),
            body=Sentence(
                "There are too few customers, purchases or renewals in these data for an estimate."
            ),
        )
    return None


def _source(study: ValueStudy) -> Sentence:
    return Sentence(
        "Source: orders, contracts, ledger, tickets and customers up to the end of {month}.",
        {"month": study.month},
    )


# -- headline --------------------------------------------------------------------------------------------------------------


def headline_tiles(study: ValueStudy) -> Block:
    """What the base is worth, what after-sales must keep to pay for itself, concentration, change."""
    refused = _refused(study.portfolio, "headline", VALUE)
    if refused or not isinstance(study.portfolio, Portfolio):
        return refused or callout(
            "value.headline", tone="info", title=Sentence("There are no customers to value.")
        )
    whole = study.portfolio
    shown = [
        Tile(
            label=Text.of("Value of today's customers"),
            fact=whole.total,
            comparisons=[
                Comparison(label=INTERVAL, value=Sentence("{total:interval}", {"total": whole.total})),
                Comparison(label=Text.of("Per customer"), value=whole.mean, signed=False),
            ],
        )
    ]
    if not isinstance(study.break_even, NotDone):
        shown.append(
            Tile(
                label=Text.of("After-sales pays for itself if it keeps, of expected margin"),
                fact=study.break_even.share,
                comparisons=[
                    Comparison(
                        label=Text.of("After-sales over the horizon"),
                        value=study.break_even.cost,
                        signed=False,
                    )
                ],
            )
        )
    shown.append(Tile(label=Text.of("Share of value held by the top tenth"), fact=whole.top_share))
    if isinstance(study.change, ValueChange):
        moved = study.change.by_customers
        known = moved.interval is not None and not moved.interval.low <= 0 <= moved.interval.high
        shown.append(
            Tile(
                label=Text.of("Moved by customers this month"),
                fact=moved,
                status=("good" if (moved.value or 0) > 0 else "watch") if known else None,
                comparisons=[
                    Comparison(label=Text.of("By re-estimation"), value=study.change.steps["model"])
                ],
            )
        )
    return tiles("value.headline", shown)


# -- the value base --------------------------------------------------------------------------------------------------------


def parts_table(study: ValueStudy) -> Block | None:
    """What the value is made of."""
    whole = study.portfolio
    if not isinstance(whole, Portfolio):
        return None
    names = {
        "purchases": Text.of("Purchases to come, margin"),
        "contract": Text.of("Contract renewals to come, margin"),
        "service": Text.of("Service cost traced to customers"),
    }
    rows = [Row(cells={"part": names[name], "value": fact}) for name, fact in whole.parts.items()]
    rows.append(Row(cells={"part": VALUE, "value": whole.total, "interval": whole.total}, role="total"))
    if not isinstance(study.break_even, NotDone):
        rows.append(
            Row(
                cells={
                    "part": Text.of("For comparison: all after-sales cost over the same horizon"),
                    "value": study.break_even.cost,
                }
            )
        )
    return table(
        "value.parts",
        title=Sentence("Today's customers are worth {total}", {"total": whole.total}),
        subtitle=Sentence(
            "On {basis}, over {horizon}, discounted at {rate} per year",
            {"basis": BASIS_NAMES[study.settings.basis], "horizon": study.horizon, "rate": study.rate},
        ),
        columns=[
            Column(key="part", label=Text.of("Part", context="whole"), wide=True),
            Column(
                key="value",
                label=VALUE,
                signed=False,
                metric=("customer_value", "customer_value_part", "service_cost_over_horizon"),
            ),
            Column(key="interval", label=INTERVAL, show="interval", metric=("customer_value",)),
        ],
        rows=rows,
        note=_source(study),
    )


def slices_table(study: ValueStudy, *dimensions: str) -> Block | None:
    """Slices of the base with value and behaviour."""
    whole = study.portfolio
    if not isinstance(whole, Portfolio):
        return None
    rows = []
    for dimension in dimensions:
        rows.append(Row(cells={"slice": DIMENSION_NAMES[dimension]}, role="group"))
        for line in whole.by[dimension]:
            rows.append(
                Row(
                    cells={
                        "slice": VALUE_NAMES.get(line.value, line.label)
                        if dimension in ("tier", "kind")
                        else line.label,
                        "customers": line.customers,
                        "total": line.total,
                        "mean": line.mean,
                        "interval": line.mean,
                        "revenue": line.revenue,
                        "order": line.order_value,
                        "again": line.repurchase,
                    }
                )
            )
    told = [
        line
        for dimension in dimensions
        if dimension not in ("tier", "cohort", "kind")
        for line in whole.by[dimension]
    ]  # tiers are made by value
    best = max(told, key=lambda line: float(line.mean.value or 0))
    name = best.label
    return table(
        f"value.by_{dimensions[0]}",
        title=Sentence("{slice}: {mean}, the most of all", {"slice": name, "mean": best.mean}),
        subtitle=Sentence(
            "Expected value over {horizon}; revenue, order value and repurchase as observed",
            {"horizon": study.horizon},
        ),
        columns=[
            Column(key="slice", label=Text.of("Slice"), wide=True),
            Column(key="customers", label=CUSTOMERS),
            Column(key="total", label=Text.of("Value", context="customer")),
            Column(key="mean", label=Text.of("Per customer"), places=0),
            Column(key="interval", label=INTERVAL, show="interval", places=0),
            Column(key="revenue", label=Text.of("ARPU"), places=0),
            Column(key="order", label=Text.of("Order value"), places=0),
            Column(key="again", label=Text.of("Bought again in 12 months")),
        ],
        rows=rows,
        note=_source(study),
    )


def lorenz_figure(study: ValueStudy) -> Block | None:
    """Cumulative share of value by share of customers, least valuable first."""
    whole = study.portfolio
    if not isinstance(whole, Portfolio) or not whole.lorenz:
        return None
    points = whole.lorenz

    def draw(figure: Figure, language: Language) -> None:
        from analysis.exhibits.style import annotate, colour, place, shown, value_axis, words
        from analysis.formats import Unit

        axes = figure.add_subplot()
        place(figure, left=36, right=96, top=22, bottom=30)
        unit = Unit.parse("share")
        x = [0.0, *(100 * at for at, _ in points), 100.0]
        y = [0.0, *(shown(fact.value, unit) for _, fact in points), 100.0]
        axes.fill_between(x, y, x, color=colour("context"), alpha=0.25, linewidth=0)
        axes.plot([0, 100], [0, 100], color=colour("muted"), linewidth=0.8, linestyle=(0, (4, 3)))
        axes.plot(x, y, color=colour("focus"), linewidth=1.8)
        axes.set_xlim(0, 100)
        axes.set_ylim(min(0.0, *y), 100)
        value_axis(axes, "y", name=f"{_CUMULATIVE[language]} (%)")
        value_axis(axes, "x", name=f"{_PEOPLE[language]} (%)", grid=False)
        words(axes, 52, 56, "equal shares", language, color=colour("muted"), ha="right", va="bottom")
        tenth = next((fact for at, fact in points if at == 0.9), None)
        if tenth is not None:
            axes.plot([90], [shown(tenth.value, unit)], "o", color=colour("focus"), markersize=5)
            axes.vlines(
                102, shown(tenth.value, unit), 100, color=colour("focus"), linewidth=2.0, clip_on=False
            )
            annotate(
                axes,
                104,
                (shown(tenth.value, unit) + 100) / 2,
                whole.top_share,
                language,
                color=colour("focus"),
                va="center",
                weight="bold",
                clip_on=False,
            )
            words(
                axes,
                104,
                (shown(tenth.value, unit) + 100) / 2 - 13,
                "the top tenth",
                language,
                color=colour("focus"),
                va="center",
                clip_on=False,
            )

    columns = [Column(key="people", label=_PEOPLE), Column(key="value", label=_CUMULATIVE)]
    rows = [Row(cells={"people": _least(round(100 * at)), "value": fact}) for at, fact in points]
    return figure_of(
        study,
        "lorenz",
        Sentence(
            "The most valuable tenth of customers holds {share} of the value", {"share": whole.top_share}
        ),
        Sentence(
            "Cumulative share of expected value by share of customers, the least valuable first (Lorenz curve)"
        ),
        Sentence("Lorenz curve; the most valuable tenth holds {share}.", {"share": whole.top_share}),
        Drawing(draw=draw, data=(columns, rows), size=(WIDTH, 2.1)),
    )


_CUMULATIVE = Text.of("Share of value")
_PEOPLE = Text.of("Share of customers")


def _least(percent: int) -> Text:
    return phrase("the least valuable {number} %", number=str(percent))


def figure_of(
    study: ValueStudy, name: str, title: Sentence, subtitle: Sentence, alt: Sentence, drawing: Drawing
) -> Block:
    return figure(f"value.{name}", title=title, subtitle=subtitle, foot=_source(study), alt=alt, draw=drawing)


# -- change ----------------------------------------------------------------------------------------------------------------


def change_figure(study: ValueStudy) -> Block:
    """The bridge from last month's value to this month's."""
    from analysis.exhibits.charts import Item, waterfall

    found, whole = study.change, study.portfolio
    refused = _refused(found, "change", Text.of("Change of value since last month"))
    if refused or not isinstance(found, ValueChange) or not isinstance(whole, Portfolio):
        return refused or callout(
            "value.change", tone="info", title=Sentence("There is no earlier month to compare with.")
        )
    steps = [Item(name=STEP_NAMES[name], fact=found.steps[name]) for name in STEPS]
    before, after = study.month - 1, study.month
    values = {"change": found.by_customers, "model": found.steps["model"]}
    return figure_of(
        study,
        "change",
        Sentence(
            "Customers {change:word|added|took|moved} {change:abs}; re-estimation of the model moved the value by {model:signed}",
            values,
        ),
        Sentence(
            "Expected value of all customers at the end of each month; the steps add up to the cent and a refit is not growth"
        ),
        Sentence(
            "Waterfall from the value of {before} to the value of {after} by cause.",
            {"before": before, "after": after},
        ),
        waterfall(
            Item(name=Text(en=month_text(before, "en"), zh=month_text(before, "zh")), fact=found.before),
            steps,
            Item(name=Text(en=month_text(after, "en"), zh=month_text(after, "zh")), fact=whole.total),
            measure=VALUE,
            by=Text.of("Cause"),
            better="higher",
        ),
    )


def change_table(study: ValueStudy) -> Block | None:
    """The same with the customers behind each step."""
    found = study.change
    if not isinstance(found, ValueChange):
        return None
    rows = [
        Row(cells={"step": STEP_NAMES[name], "customers": found.customers[name], "change": found.steps[name]})
        for name in CUSTOMER_STEPS
    ]
    rows.append(
        Row(
            cells={
                "step": Text.of("What customers did"),
                "change": found.by_customers,
                "interval": found.by_customers,
            },
            role="subtotal",
        )
    )
    rows += [
        Row(cells={"step": STEP_NAMES[name], "change": found.steps[name]})
        for name in STEPS
        if name not in CUSTOMER_STEPS
    ]
    return table(
        "value.change_steps",
        title=Sentence(
            "What customers did moved the value by {change:signed}", {"change": found.by_customers}
        ),
        subtitle=Sentence("At last month's model and assumptions; then the model, then the assumptions"),
        columns=[
            Column(key="step", label=Text.of("Cause"), wide=True),
            Column(key="customers", label=CUSTOMERS, metric=("value_change_customers",)),
            Column(
                key="change",
                label=Text.of("Change of value"),
                signed=True,
                better="higher",
                metric=("value_change", "value_change_by_customers"),
            ),
            Column(key="interval", label=INTERVAL, show="interval", metric=("value_change_by_customers",)),
        ],
        rows=rows,
        note=Sentence(
            "Lost: a contract ended, or a buyer who was likelier there than not is now likelier gone. Shrunk: mostly silence, a month in which nothing was bought. Unchanged customers are in no line."
        ),
    )


# -- acquisition -----------------------------------------------------------------------------------------------------------


def acquisition_table(study: ValueStudy) -> Block:
    """Value of a new customer against what it cost to win."""
    found = study.acquisition
    refused = _refused(found, "acquisition", Text.of("Value to acquisition cost"))
    if refused or not isinstance(found, tuple):
        return refused or callout(
            "value.acquisition",
            tone="info",
            title=Sentence("There are no new customers to set against marketing."),
        )
    least = min(found, key=lambda one: float(one.ratio.value or 0))
    rows = [
        Row(
            cells={
                "channel": one.label,
                "customers": one.customers,
                "cost": one.cost,
                "value": one.value,
                "ratio": one.ratio,
                "interval": one.ratio,
                "payback": one.payback,
            }
        )
        for one in found
    ]
    return table(
        "value.acquisition",
        title=Sentence(
            "{channel} returns least: {ratio} the cost of winning a customer",
            {"channel": least.label, "ratio": least.ratio},
        ),
        subtitle=Sentence(
            "Customers first seen in the last twelve months; their margin so far plus expected value, against marketing of the channel"
        ),
        columns=[
            Column(key="channel", label=Text.of("Channel"), wide=True),
            Column(key="customers", label=Text.of("New customers"), metric=("listed_customers",)),
            Column(key="cost", label=Text.of("Cost to win"), places=0, metric=("acquisition_cost",)),
            Column(
                key="value",
                label=Text.of("Value", context="customer"),
                places=0,
                metric=("new_customer_value",),
            ),
            Column(key="ratio", label=Text.of("Ratio"), metric=("value_to_acquisition_cost",)),
            Column(key="interval", label=INTERVAL, show="interval", metric=("value_to_acquisition_cost",)),
            Column(key="payback", label=Text.of("Paid back in"), metric=("payback_months",)),
        ],
        rows=rows,
        note=Sentence(
            "All marketing is charged to new customers. Payback: whole months of age at which the mean margin earned, of customers a year older, covers the cost."
        ),
        by=("channel",),
    )


# -- who to invest in ------------------------------------------------------------------------------------------------------


def investment_figure(study: ValueStudy) -> Block:
    """Value by tier, churn risk and service cost."""
    from analysis.exhibits.charts import heatmap

    found = study.investment
    refused = _refused(found, "investment", Text.of("Who to invest in"))
    if refused or not isinstance(found, Investment):
        return refused or callout(
            "value.investment", tone="info", title=Sentence("There are no customers to value.")
        )
    columns = [(f"{risk}|{service}", _corner(risk, service)) for risk in LEVELS for service in LEVELS]
    tiers = [(tier, VALUE_NAMES[tier]) for tier in ("top", "middle", "low")]
    cells = {(tier, f"{risk}|{service}"): cell.value for (tier, risk, service), cell in found.cells.items()}
    return figure_of(
        study,
        "investment",
        Sentence(
            "{value} of the top tier's value stands on customers likely to leave",
            {"value": found.at_risk.value},
        ),
        Sentence(
            "Expected value by tier, churn risk (high: at least {risk} likely to be gone in twelve months) and service cost (high: at least {limit} in twelve months)",
            {"risk": found.risk_limit, "limit": found.service_limit},
        ),
        Sentence("Grid of expected value: three tiers by churn risk and service cost."),
        heatmap(tiers, columns, cells, measure=VALUE, by=DIMENSION_NAMES["tier"], places=1),
    )


def _corner(risk: str, service: str) -> Text:
    return phrase("Risk {risk}, cost {cost}", risk=LEVEL_NAMES[risk], cost=LEVEL_NAMES[service])


_ADVICE = {
    ("top", "high"): Text.of("Win back now, a person calls"),
    ("top", "low"): Text.of("Keep: first in the queue"),
    ("middle", "high"): Text.of("Win back where it is cheap"),
    ("middle", "low"): Text.of("Serve well, offer more"),
    ("low", "high"): Text.of("Self-service; let go"),
    ("low", "low"): Text.of("Self-service; bill what can be billed"),
}


def investment_table(study: ValueStudy) -> Block | None:
    """The matrix in numbers, and what follows."""
    found = study.investment
    if not isinstance(found, Investment):
        return None
    rows = []
    for tier in ("top", "middle", "low"):
        rows.append(Row(cells={"group": VALUE_NAMES[tier]}, role="group"))
        for risk in LEVELS:
            for service in LEVELS:
                cell = found.cells[tier, risk, service]
                rows.append(
                    Row(
                        cells={
                            "group": _corner(risk, service),
                            "customers": cell.customers,
                            "value": cell.value,
                            "cost": cell.cost,
                            "advice": _ADVICE[tier, risk],
                        }
                    )
                )
    return table(
        "value.investment_cells",
        title=Sentence("Whom to keep, whom to win back, whom to serve for less"),
        subtitle=Sentence("Customers, expected value, and traced service cost of the last twelve months"),
        columns=[
            Column(key="group", label=Text.of("Churn risk and service cost"), wide=True),
            Column(key="customers", label=CUSTOMERS, metric=("investment_customers",)),
            Column(key="value", label=Text.of("Value", context="customer"), metric=("investment_value",)),
            Column(key="cost", label=Text.of("Service cost"), metric=("investment_service_cost",)),
            Column(key="advice", label=Text.of("Default stance"), wide=True),
        ],
        rows=rows,
        note=Sentence(
            "The stance is a rule of thumb, not an estimate: whether service changes what these customers do is the question of the sections that follow."
        ),
        by=("risk", "service", "tier"),
    )


def groups_table(study: ValueStudy) -> Block | None:
    """Valuable and often in service, valuable and leaving, and those who cost more than they bring."""
    found = study.investment
    if not isinstance(found, Investment):
        return None
    lines = (
        (Text.of("Top tier, likely to leave"), found.at_risk),
        (Text.of("Top tier, often in service"), found.often),
        (Text.of("Cost more than they bring"), found.below),
    )
    return table(
        "value.groups",
        title=Sentence(
            "{customers} cost more than they bring; {often} of the top tier are often in service",
            {"customers": found.below.customers, "often": found.often.customers},
        ),
        subtitle=Sentence(
            "Expected value over {horizon}; service cost and margin of the last twelve months. Names are in the evidence of the findings",
            {"horizon": study.horizon},
        ),
        columns=[
            Column(key="group", label=Text.of("Group"), wide=True),
            Column(key="customers", label=CUSTOMERS, metric=("listed_customers",)),
            Column(
                key="value", label=VALUE, metric=("below_cost_value", "often_served_value", "value_at_risk")
            ),
            Column(
                key="interval",
                label=INTERVAL,
                show="interval",
                metric=("below_cost_value", "often_served_value", "value_at_risk"),
            ),
            Column(key="cost", label=Text.of("Service cost"), metric=("service_cost_traced",)),
            Column(key="margin", label=Text.of("Margin"), metric=("below_cost_past_margin",)),
        ],
        rows=[
            Row(
                cells={
                    "group": name,
                    "customers": group.customers,
                    "value": group.value,
                    "interval": group.value,
                    "cost": group.cost,
                    "margin": group.margin,
                }
            )
            for name, group in lines
        ],
        note=_source(study),
    )


# -- the models ------------------------------------------------------------------------------------------------------------


def holdout_figure(study: ValueStudy) -> Block:
    """Predicted against actual purchases, week by week."""
    model = study.modelling
    refused = _refused(model, "holdout", Text.of("Forecast against what happened"))
    if refused or not isinstance(model, Modelling):
        return refused or callout(
            "value.holdout", tone="info", title=Sentence("There is no history to judge a forecast by.")
        )
    if not model.weeks or model.miss is None:
        return callout(
            "value.holdout",
            tone="watch",
            title=Sentence("No model of purchases could be fitted; observed rates are used."),
        )
    title = (
        "The forecast of {weeks} unseen weeks is {miss:signed} off: good enough to be used"
        if model.good
        else "The forecast of {weeks} unseen weeks is {miss:signed} off: not good enough, observed rates are used"
    )
    columns = [
        Column(key="week", label=Text.of("Week")),
        Column(key="actual", label=_ACTUAL),
        Column(key="predicted", label=_PREDICTED),
    ]
    rows = [
        Row(cells={"week": str(week), "actual": actual, "predicted": predicted})
        for week, actual, predicted in model.weeks
    ]
    lines = [
        ("actual", _ACTUAL, [(week, fact) for week, fact, _ in model.weeks]),
        ("focus", _PREDICTED, [(week, fact) for week, _, fact in model.weeks]),
    ]
    return figure_of(
        study,
        "holdout",
        Sentence(title, {"weeks": model.holdout_weeks, "miss": model.miss}),
        Sentence(
            "Cumulative purchases of the customers known before, by week after the calibration; the model had not seen these weeks"
        ),
        Sentence(
            "Two lines of cumulative purchases by week, actual and predicted by {model}.",
            {"model": model.model},
        ),
        Drawing(draw=_two_lines(lines, _PURCHASES, Text.of("Week")), data=(columns, rows), size=(WIDTH, 2.1)),
    )


_ACTUAL, _PREDICTED = Text.of("Actual"), Text.of("Predicted")
_PURCHASES = Text.of("Purchases")


def _two_lines(
    lines: Sequence[tuple[str, Text, Sequence[tuple[int, Fact]]]], measure: Text, along: Text
) -> Callable[[Figure, Language], None]:
    def draw(figure: Figure, language: Language) -> None:
        from analysis.exhibits.charts.parts import end_labels, end_margin
        from analysis.exhibits.style import colour, one_unit, place, shown, value_axis
        from analysis.formats import ONE

        axes = figure.add_subplot()
        unit = one_unit([fact for _, _, points in lines for _, fact in points], "holdout")
        ends = [(name, role, shown(points[-1][1].value, unit), points[-1][1]) for role, name, points in lines]
        right = end_margin([(name, fact) for name, _, _, fact in ends], unit, ONE, language, most=90)
        place(figure, left=42, right=right, top=22, bottom=30)
        for role, _, points in lines:
            axes.plot(
                [week for week, _ in points],
                [shown(fact.value, unit) for _, fact in points],
                color=colour(role),
                linewidth=1.7,
            )
        last = lines[0][2][-1][0]
        axes.set_xlim(0, last)
        axes.set_ylim(bottom=0)
        value_axis(axes, "y", name=measure[language])
        value_axis(axes, "x", name=along[language], ticks=8, grid=False)
        end_labels(axes, ends, unit, ONE, language, x=last, most=90)

    return draw


def classes_figure(study: ValueStudy) -> Block | None:
    """The miss of the forecast by class of repeat purchases."""
    from analysis.exhibits.charts import Item, dot_interval

    model = study.modelling
    if not isinstance(model, Modelling) or not model.classes:
        return None
    worst = max(model.classes, key=lambda one: abs(float(one.miss.value or 0)))
    items = [
        Item(
            name=phrase("{number} repeat purchases", number=one.name),
            fact=one.miss,
            role="focus" if one.good else "bad",
        )
        for one in model.classes
    ]
    return figure_of(
        study,
        "classes",
        Sentence("By what customers did before, the largest miss is {miss:signed}", {"miss": worst.miss}),
        Sentence(
            "Predicted over actual purchases in the holdout, minus one, by repeat purchases before it; the interval is chance alone"
        ),
        Sentence("Dots with intervals by class of repeat purchases; the line marks a perfect forecast."),
        dot_interval(items, measure=Text.of("Miss"), by=Text.of("Class"), reference=0.0),
    )


def candidates_table(study: ValueStudy) -> Block | None:
    """Every model that was tried."""
    model = study.modelling
    if not isinstance(model, Modelling):
        return None
    rows = [
        Row(
            cells={
                "model": one.model,
                "grouping": one.grouping,
                "likelihood": one.log_likelihood,
                "bic": one.bic,
                "predicted": one.predicted,
                "error": one.error,
                "chosen": Text.of("in use") if one.chosen else None,
            }
        )
        for one in model.tried
    ]
    return table(
        "value.candidates",
        title=Sentence("In use: {model}, {grouping}", {"model": model.model, "grouping": model.grouping}),
        subtitle=Sentence(
            "Fitted without the holdout, judged on it: {customers} customers in {patterns} distinct histories now, time in weeks",
            {"customers": model.customers, "patterns": model.patterns},
        ),
        columns=[
            Column(key="model", label=Text.of("Model", context="statistics")),
            Column(key="grouping", label=Text.of("Fitted"), wide=True),
            Column(key="likelihood", label=Text.of("Log-likelihood"), places=1, metric=("model_fit",)),
            Column(key="bic", label=Text.same("BIC"), places=0, metric=("model_fit",)),
            Column(key="predicted", label=Text.of("Predicted"), places=0, metric=("model_fit",)),
            Column(key="error", label=Text.of("Error per customer"), places=4, metric=("model_fit",)),
            Column(key="chosen", label=Text.of("Choice")),
        ],
        rows=rows,
        note=Sentence(
            "Of the forecasts within a fifth of a percent of the least error the one with the lowest BIC is used."
        ),
        by=("grouping", "model"),
    )


def parameters_table(study: ValueStudy) -> Block | None:
    """Parameters by group, with intervals, and spend by customer type."""
    model = study.modelling
    if not isinstance(model, Modelling) or not model.groups:
        return None
    columns = [
        Column(key="group", label=Text.of("Group"), wide=True),
        Column(key="customers", label=CUSTOMERS, metric=("model_size",)),
    ]
    for name in model.names:
        columns += [
            Column(key=name, label=Text.same(name), places=2),
            Column(key=f"{name}_interval", label=INTERVAL, show="interval", places=2),
        ]
    rows = [
        Row(
            cells={
                "group": one.label,
                "customers": one.customers,
                **{name: fact for name, fact in one.parameters},
                **{f"{name}_interval": fact for name, fact in one.parameters},
            }
        )
        for one in model.groups
    ]
    return table(
        "value.parameters",
        title=Sentence("Parameters of {model}", {"model": model.model}),
        subtitle=Sentence("Maximum likelihood on all history, time in weeks; intervals from the Hessian"),
        columns=columns,
        rows=rows,
        note=_source(study),
        by=("group",),
    )


def renewals_figure(study: ValueStudy) -> Block:
    """Observed renewal rates with intervals, and the model's."""
    kinds = study.contracts
    refused = _refused(kinds, "renewals", Text.of("Contract renewals"))
    if refused or not isinstance(kinds, tuple) or not kinds:
        return refused or callout(
            "value.renewals",
            tone="info",
            title=Sentence("No kind of contract has enough losses for a model of renewals."),
        )
    first = kinds[0].renewals[0][1]
    columns = [
        Column(key="kind", label=Text.of("Contract")),
        Column(key="renewal", label=_RENEWAL),
        Column(key="observed", label=_OBSERVED),
        Column(key="interval", label=INTERVAL, show="interval"),
        Column(key="n", label=Text.same("n"), show="n"),
        Column(key="model", label=_MODEL),
    ]
    rows = [
        Row(
            cells={
                "kind": kind.label,
                "renewal": str(number),
                "observed": seen,
                "interval": seen,
                "n": seen,
                "model": model,
            }
        )
        for kind in kinds
        for number, seen, model in kind.renewals
    ]

    def draw(figure: Figure, language: Language) -> None:
        from analysis.exhibits.style import annotate, colour, label, place, shown, value_axis
        from analysis.formats import Unit

        unit = Unit.parse("share")
        panels: list[Axes] = list(figure.subplots(1, len(kinds), sharey=True, squeeze=False).ravel())
        place(figure, left=40, right=8, top=24, bottom=30, wspace=0.12)
        least = min(
            (
                shown(fact.interval.low, unit)
                for kind in kinds
                for _, fact, _ in kind.renewals
                if fact.interval
            ),
            default=0.0,
        )
        for index, (axes, kind) in enumerate(zip(panels, kinds, strict=True)):
            x = [number for number, _, _ in kind.renewals]
            axes.plot(
                x,
                [shown(model.value, unit) for _, _, model in kind.renewals],
                color=colour("focus"),
                linewidth=1.5,
            )
            axes.fill_between(
                x,
                [
                    shown(model.interval.low, unit) if model.interval else float("nan")
                    for _, _, model in kind.renewals
                ],
                [
                    shown(model.interval.high, unit) if model.interval else float("nan")
                    for _, _, model in kind.renewals
                ],
                color=colour("focus"),
                alpha=0.16,
                linewidth=0,
            )
            for number, seen, _ in kind.renewals:
                if seen.interval:
                    axes.vlines(
                        number,
                        shown(seen.interval.low, unit),
                        shown(seen.interval.high, unit),
                        color=colour("actual"),
                        linewidth=1.3,
                    )
            axes.plot(
                x,
                [shown(seen.value, unit) for _, seen, _ in kind.renewals],
                "o",
                color=colour("actual"),
                markersize=4.5,
            )
            first_seen = kind.renewals[0][1]
            over = shown(first_seen.interval.high if first_seen.interval else first_seen.value, unit)
            annotate(
                axes, x[0], over + 1.5, first_seen, language, va="bottom", ha="center", color=colour("actual")
            )
            axes.set_xlim(0.6, max(x) + 0.4)
            axes.set_ylim(max(0.0, 10 * (least // 10) - 5), 100)
            label(
                axes,
                1.0,
                1.04,
                kind.label,
                language,
                transform=axes.transAxes,
                weight="bold",
                color=colour("ink"),
                va="bottom",
                ha="right",
            )
            value_axis(axes, "x", name=_RENEWAL[language], grid=False, ticks=min(6, max(x)))
            if index == 0:
                value_axis(axes, "y", name=f"{_RATE[language]} (%)")
            axes.grid(axis="y")

    return figure_of(
        study,
        "renewals",
        Sentence(
            "{rate} of {kind:lower} contracts make their first renewal; the line is the model",
            {"rate": first, "kind": kinds[0].label},
        ),
        Sentence(
            "Share of contracts due that were renewed, by renewal; dots with intervals observed, line the shifted beta-geometric model (flat where customers do not differ)"
        ),
        Sentence(
            "Dots of observed renewal rates by renewal with the model's line, one panel a kind of contract."
        ),
        Drawing(draw=draw, data=(columns, rows), size=(WIDTH, 2.0)),
    )


_RENEWAL, _OBSERVED, _MODEL, _RATE = (
    Text.of("Renewal"),
    Text.of("Observed"),
    Text.of("Model", context="statistics"),
    Text.of("Renewed"),
)


def contracts_table(study: ValueStudy) -> Block | None:
    """Expansion, and what a running contract is still worth."""
    kinds, whole = study.contracts, study.portfolio
    if not isinstance(kinds, tuple) or not kinds or not isinstance(whole, Portfolio):
        return None
    rows = [
        Row(
            cells={
                "kind": kind.label,
                "first": kind.renewals[0][1],
                "interval": kind.renewals[0][1],
                "last": kind.renewals[-1][1],
                "last_interval": kind.renewals[-1][1],
                "expansion": kind.expansion,
                "alike": Text.of("one chance for all")
                if kind.alike
                else Text.of("differs between customers"),
                "type": Text.of("apart by type") if kind.by_type else Text.of("together"),
            }
        )
        for kind in kinds
        if kind.renewals
    ]
    return table(
        "value.contracts",
        title=Sentence("Renewals still to come are worth {value}", {"value": whole.residual_contract}),
        subtitle=Sentence(
            "Observed renewal rates, change of amount at renewal, and how the model treats customers"
        ),
        columns=[
            Column(key="kind", label=Text.of("Contract")),
            Column(key="first", label=Text.of("First renewal"), metric=("renewal_rate",)),
            Column(key="interval", label=INTERVAL, show="interval", metric=("renewal_rate",)),
            Column(key="last", label=Text.of("Latest one"), metric=("renewal_rate",)),
            Column(key="last_interval", label=INTERVAL, show="interval", metric=("renewal_rate",)),
            Column(key="expansion", label=Text.of("Expansion"), signed=True, metric=("contract_expansion",)),
            Column(key="alike", label=Text.of("Chance of renewing"), wide=True),
            Column(key="type", label=Text.of("Fitted")),
        ],
        rows=rows,
        note=_source(study),
        by=("contract_kind",),
    )


def spend_table(study: ValueStudy) -> Block | None:
    """Spend of a purchase, its margin, and whether the model of spend may be used."""
    model = study.modelling
    if not isinstance(model, Modelling) or not model.spend:
        return None
    return table(
        "value.spend",
        title=Sentence("What a purchase brings"),
        subtitle=Sentence("Gamma–Gamma model of spend on all purchase days; margin with refunds taken off"),
        columns=[
            Column(key="group", label=Text.of("Group"), wide=True),
            Column(key="mean", label=Text.of("Mean spend"), places=0, metric=("expected_spend",)),
            Column(key="margin", label=Text.of("Margin rate"), metric=("purchase_margin_share",)),
            Column(
                key="correlation",
                label=Text.of("Correlation of number and spend"),
                places=3,
                metric=("spend_independence",),
            ),
            Column(key="interval", label=INTERVAL, show="interval", places=3, metric=("spend_independence",)),
        ],
        rows=[
            Row(
                cells={
                    "group": one.label,
                    "mean": one.mean,
                    "margin": one.margin,
                    "correlation": one.correlation,
                    "interval": one.correlation,
                }
            )
            for one in model.spend
        ],
        note=_source(study),
        by=("customer_type",),
    )
