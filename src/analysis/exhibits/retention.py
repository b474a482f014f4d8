"""Exhibits of the retention section: result in, block out, no arithmetic beyond layout."""

from __future__ import annotations

from analysis.exhibits.figures import figure
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.record import Block
from analysis.exhibits.statements import callout, not_computed
from analysis.exhibits.tables import table
from analysis.exhibits.vocabulary import Column, Comparison, Row, Tile, phrase
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Fact, Sentence, Value
from analysis.retention.accounts import HORIZON
from analysis.retention.chain import Link
from analysis.retention.cohorts_facts import SHOWN, YEAR, Cohorts
from analysis.retention.components_facts import MOVEMENTS, ChurnBasis
from analysis.retention.drivers import TESTED
from analysis.retention.study import RetentionStudy
from analysis.retention.survival import LIMIT_MONTHS, MARKS

CONTRACTS = Text.of("Contracts")
PURCHASES = Text.of("Purchases", context="basis")
AGE = Text.of("Age of the contract")
_MOVEMENT = {
    "start": Text.of("Present at start"),
    "retained": Text.of("Retained"),
    "lost": Text.of("Lost"),
    "new": Text.of("New, present at end"),
    "reactivated": Text.of("Reactivated, present at end"),
    "end": Text.of("Present at end"),
    "won_and_lost": Text.of("Won and lost within the period"),
}
_RATES = (
    ("gross_churn", Text.of("Gross churn rate")),
    ("retention", Text.of("Customer retention rate")),
    ("net_loss", Text.of("Net loss, (start − end) ÷ start")),
    ("popular_retention", Text.of("Popular retention, (end − new) ÷ start")),
)
_EXPOSURE = {
    "slow": Text.of("Complaint answered after 24 hours"),
    "prompt": Text.of("Complaint answered within 24 hours"),
    "repeat": Text.of("Repeat repair within 30 days"),
    "low": Text.of("Satisfaction score of 1 or 2"),
    "waited": Text.of("First request answered after 24 hours"),
    "asked": Text.of("First request answered within 24 hours"),
    "followed": Text.of("First repair took more than one contact"),
    "repaired": Text.of("First repair took one contact"),
}
_MODEL = {
    "response": Text.of("against answered sooner"),
    "resolution": Text.of("against one contact"),
    "total": Text.of("adjusted"),
    "total_repeat": Text.of("total effect"),
    "mediation": Text.of("satisfaction held fixed (mediation)"),
    "unadjusted": Text.of("not adjusted for segment"),
    "naive": Text.of("naive: ever against never"),
}
_STEP = {
    "week": Text.of("week"),
    "month": Text.of("month"),
    "quarter": Text.of("quarter"),
    "year": Text.of("year"),
}
_STEPS = {
    "week": Text.of("weeks"),
    "month": Text.of("months"),
    "quarter": Text.of("quarters"),
    "year": Text.of("years"),
}
_VERDICT = {"holds": Text.of("holds"), "reversed": Text.of("reversed"), "not_shown": Text.of("not shown")}
_SEVERITY = {
    "all": Text.of("all severities"),
    "minor": Text.of("minor"),
    "major": Text.of("major"),
    "critical": Text.of("critical"),
}
_ARM = {"good": Text.of("Served well"), "bad": Text.of("Served badly")}


def _refused(part: object, name: str, what: Text) -> Block | None:
    """The callout for a part that could not be made; None when it was."""
    if isinstance(part, NotDone) and part.needs:
        return not_computed(part, id=f"retention.{name}", what=what)
    if isinstance(part, NotDone):
        return callout(
            f"retention.{name}",
            tone="info",
            title=Sentence("{what}: not computed", {"what": what}),
            body=Sentence("There are too few customers or losses in these data for an estimate."),
        )
    return None


def _source(
    study: RetentionStudy,
    text: str = "Source: contracts, customers, orders and tickets up to the end of {month}.",
) -> Sentence:
    return Sentence(text, {"month": study.month})


def _pair(first: Text, second: Text) -> Text:
    return Text(en=f"{first.en}: {second.en}", zh=f"{first.zh}：{second.zh}")


# -- definitions and components --------------------------------------------------------------------------------------


def headline_tiles(study: RetentionStudy) -> Block:
    """Gross churn on both bases, revenue retention, and expected losses."""
    shown = []
    for part, label in (
        (study.contractual, Text.of("Gross churn, contracts, 12 months")),
        (study.non_contractual, Text.of("Gross churn, purchases, 12 months")),
    ):
        if isinstance(part, ChurnBasis):
            above = part is study.contractual and any(
                finding.id == "retention.gross_churn" and finding.severity == "alert"
                for finding in study.findings
            )
            shown.append(
                Tile(
                    label=label,
                    fact=part.year.gross_churn,
                    status="alert" if above else None,
                    history=[fact for _, fact in part.history if fact.value is not None][-13:],
                    comparisons=[
                        Comparison(label=Text.of("Net loss rate"), value=part.year.net_loss, signed=False)
                    ],
                )
            )
    if isinstance(study.revenue, tuple):
        shown.append(
            Tile(
                label=Text.of("Gross revenue retention"),
                fact=study.revenue[0].gross,
                comparisons=[
                    Comparison(
                        label=Text.of("Net revenue retention"), value=study.revenue[0].net, signed=False
                    )
                ],
            )
        )
    if not isinstance(study.early_warning, NotDone):
        shown.append(
            Tile(
                label=phrase("Expected losses, {number} months", number=str(study.early_warning.horizon)),
                fact=study.early_warning.expected_losses,
                comparisons=[
                    Comparison(
                        label=Text.of("Margin at risk"), value=study.early_warning.margin, signed=False
                    )
                ],
            )
        )
    return (
        tiles("retention.headlines", shown)
        if shown
        else callout(
            "retention.headlines",
            tone="info",
            title=Sentence("No churn figures: the data hold neither contracts nor repeated orders."),
        )
    )


def components_table(study: RetentionStudy) -> Block:
    """Contracts and purchases side by side: counts that add up, then each formula under its own name."""
    both = [
        (part, label)
        for part, label in ((study.contractual, CONTRACTS), (study.non_contractual, PURCHASES))
        if isinstance(part, ChurnBasis)
    ]
    if not both:
        refused = _refused(study.contractual, "components", Text.of("Churn components"))
        return refused or callout(
            "retention.components",
            tone="info",
            title=Sentence("No churn figures: the data hold neither contracts nor repeated orders."),
        )
    columns = [Column(key="line", label=Text.of("Customers"), wide=True)]
    for part, label in both:
        columns += [
            Column(key=part.basis, label=_pair(label, Text.of("12 months"))),
            Column(key=f"{part.basis}_month", label=_pair(label, Text.of("this month"))),
        ]
    rows = [
        Row(
            cells={"line": _MOVEMENT[name]}
            | {
                k: v
                for part, _ in both
                for k, v in (
                    (part.basis, part.year.counts[name]),
                    (f"{part.basis}_month", part.month.counts[name]),
                )
            },
            role="subtotal" if name == "end" else "body",
        )
        for name in MOVEMENTS
    ]
    lead = both[0][0]
    if not lead.year.components.start:
        title = Sentence("Nobody was present twelve months ago: no yearly churn yet")
    else:
        title = Sentence(
            "{churn:numerator} of {churn:denominator} customers were lost within twelve months; new ones turn {churn} gross into {net} net",
            {"churn": lead.year.gross_churn, "net": lead.year.net_loss},
        )
    return table(
        "retention.components",
        title=title,
        subtitle=Sentence("Start − lost + new + reactivated = end; every customer stands in one line"),
        columns=columns,
        rows=rows,
        note=_source(study),
        by=("movement",),
    )


def rates_table(study: RetentionStudy) -> Block | None:
    """Each formula under its own name, for contracts and purchases."""
    both = [
        (part, label)
        for part, label in ((study.contractual, CONTRACTS), (study.non_contractual, PURCHASES))
        if isinstance(part, ChurnBasis)
    ]
    if not both:
        return None
    columns = [Column(key="line", label=Text.of("Rate"), wide=True)]
    for part, label in both:
        columns += [
            Column(key=part.basis, label=_pair(label, Text.of("12 months"))),
            Column(key=f"{part.basis}_interval", label=Text.of("Interval"), show="interval"),
            Column(key=f"{part.basis}_month", label=_pair(label, Text.of("this month"))),
        ]
    rows = []
    for name, label in _RATES:
        cells: dict[str, Fact | Text | None] = {"line": label}
        for part, _ in both:
            fact = getattr(part.year, name)
            cells |= {
                part.basis: fact,
                f"{part.basis}_interval": fact if fact.interval else None,
                f"{part.basis}_month": getattr(part.month, name),
            }
        rows.append(Row(cells=cells))
    model, purchases = study.model_churn, study.non_contractual
    title = Sentence("Losing and winning apart: the popular formulas hide what gross churn shows")
    if isinstance(model, Fact) and isinstance(purchases, ChurnBasis):
        rows.insert(
            1, Row(cells={"line": Text.of("Gross churn by the purchase model"), purchases.basis: model})
        )
        if model.value is not None and purchases.year.gross_churn.value is not None:
            title = Sentence(
                "Buyers without a contract never say goodbye: {window} left by the window, {model} by the purchase model",
                {"window": purchases.year.gross_churn, "model": model},
            )
    return table(
        "retention.rates",
        title=title,
        subtitle=Sentence(
            "The net loss rate hides losses behind new customers; popular retention counts the reactivated as never gone"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
    )


def by_type_table(study: RetentionStudy) -> Block:
    """Business and consumer customers on both bases, with revenue beside customers."""
    lines = [
        line
        for part in (study.contractual, study.non_contractual)
        if isinstance(part, ChurnBasis)
        for line in part.by_type
    ]
    refused = _refused(study.contractual, "by_type", Text.of("Churn by customer type"))
    if not lines:
        return refused or callout(
            "retention.by_type",
            tone="info",
            title=Sentence("No churn figures: the data hold neither contracts nor repeated orders."),
        )
    money = {line.customer_type: line for line in study.revenue} if isinstance(study.revenue, tuple) else {}
    columns = [
        Column(key="type", label=Text.of("Basis and customer type"), wide=True),
        Column(key="start", label=Text.of("At start"), metric=("customer_movement",)),
        Column(key="lost", label=Text.of("Lost"), metric=("customer_movement",)),
        Column(key="churn", label=Text.of("Gross churn"), metric=("gross_churn_rate",)),
        Column(key="interval", label=Text.of("Interval"), show="interval", metric=("gross_churn_rate",)),
        Column(key="value", label=Text.of("Yearly value at start"), metric=("contract_value",)),
        Column(key="gross", label=Text.of("Gross revenue retention"), metric=("gross_revenue_retention",)),
        Column(key="net", label=Text.of("Net revenue retention"), metric=("net_revenue_retention",)),
    ]
    rows = []
    for line in lines:
        value = money.get(line.customer_type) if line.basis == "contractual" else None
        name = _pair(CONTRACTS if line.basis == "contractual" else PURCHASES, _type(line.customer_type or ""))
        rows.append(
            Row(
                cells={
                    "type": name,
                    "start": line.counts["start"],
                    "lost": line.counts["lost"],
                    "churn": line.gross_churn,
                    "interval": line.gross_churn if line.gross_churn.interval else None,
                    "value": value.start if value else None,
                    "gross": value.gross if value else None,
                    "net": value.net if value else None,
                }
            )
        )
    return table(
        "retention.by_type",
        title=Sentence("Business and consumer customers: gross churn of customers and of contract value"),
        subtitle=Sentence(
            "Twelve months to the end of {month}; contract value is an accounting total, exact",
            {"month": study.month},
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
        by=("customer_type",),
    )


def _type(value: str) -> Text:
    return {
        "b2b": Text.of("business"),
        "b2c": Text.of("consumers"),
        "not_stated": Text.of("type not stated"),
    }.get(value, Text.same(value))


def churn_history_figure(study: RetentionStudy) -> Block:
    """Yearly gross churn month by month against its limit."""
    from analysis.exhibits.charts import Item, Series, lines

    part = study.contractual
    refused = _refused(part, "history", Text.of("Gross churn over time"))
    if refused or not isinstance(part, ChurnBasis) or len(part.history) < 2:
        return refused or callout(
            "retention.history", tone="info", title=Sentence("No history of churn yet.")
        )
    points = [(month, fact) for month, fact in part.history if fact.value is not None]
    values: dict[str, Value] = {"last": part.year.gross_churn, "month": study.month, "limit": study.limit}
    return figure(
        "retention.history",
        title=Sentence(
            "Gross churn of contracts was {last} in the twelve months to {month}; the limit is {limit}",
            values,
        ),
        subtitle=Sentence(
            "Contracts lost within twelve months among those running at their start, share in percent with interval"
        ),
        foot=_source(study),
        alt=Sentence(
            "Line of yearly gross churn by month with its interval; it ends at {last}, the limit is {limit}.",
            values,
        ),
        draw=lines(
            [Series(name=Text.of("Gross churn"), points=points, role="focus")],
            measure=Text.of("Gross churn"),
            reference=Item(name=Text.of("Limit"), fact=study.limit),
        ),
    )


def reasons_figure(study: RetentionStudy) -> Block:
    """Recorded reasons, avoidable ones in the focus colour."""
    from analysis.exhibits.charts import Item, ranked_bars

    refused = _refused(study.reasons, "reasons", Text.of("Reasons of losses"))
    if refused or not isinstance(study.reasons, tuple):
        return refused or callout(
            "retention.reasons", tone="info", title=Sentence("No reasons of losses are recorded.")
        )
    lines, avoidable = study.reasons
    mark = {True: Text.of("avoidable"), False: Text.of("unavoidable"), None: Text.of("not marked")}
    items = [
        Item(name=_pair(_reason(study, reason), mark[kind]), fact=fact, role="focus" if kind else "context")
        for reason, kind, fact in lines
    ]
    return figure(
        "retention.reasons",
        title=Sentence("{avoidable} of the recorded losses were avoidable", {"avoidable": avoidable}),
        subtitle=Sentence(
            "Contracts lost in the twelve months to {month} by recorded reason, share in percent",
            {"month": study.month},
        ),
        foot=_source(study),
        alt=Sentence(
            "Bars of the recorded reasons of losses; {avoidable} are marked avoidable.",
            {"avoidable": avoidable},
        ),
        draw=ranked_bars(items, measure=Text.of("Share of losses"), by=Text.of("Reason")),
    )


_REASONS = {
    "price": Text.of("Price"),
    "competitor": Text.of("Competitor"),
    "moved": Text.of("Moved"),
    "closed business": Text.of("Closed business"),
    "no longer needed": Text.of("No longer needed"),
    "service": Text.of("Service"),
    "not_stated": Text.of("Not stated"),
}


def _reason(study: RetentionStudy, reason: str) -> Text:
    return _REASONS.get(reason, Text.same(reason))


def renewals_figure(study: RetentionStudy) -> Block | None:
    """Contract value that comes up for renewal, month by month."""
    from analysis.exhibits.charts import Series, composition

    if "b2b" not in study.models:
        return None
    refused = _refused(study.renewals, "renewals", Text.of("Renewal calendar"))
    if refused or not isinstance(study.renewals, tuple) or not study.renewals:
        return refused or callout(
            "retention.renewals",
            tone="info",
            title=Sentence("No contract comes up for renewal in the next twelve months."),
        )
    types = sorted({line[1] for line in study.renewals})
    series = [
        Series(
            name=_type(one),
            points=[(month, value) for month, kind, _, value in study.renewals if kind == one],
        )
        for one in types
    ]
    peak = max(study.renewals, key=lambda line: line[3].value or 0)
    return figure(
        "retention.renewals",
        title=Sentence(
            "Most value comes up for renewal in {month}: {value} of {type} contracts",
            {"month": peak[0], "value": peak[3], "type": _type(peak[1])},
        ),
        subtitle=Sentence("Yearly value of running terms by the month in which they end"),
        foot=_source(study),
        alt=Sentence(
            "Stacked bars of contract value up for renewal by month; the largest part is {value} in {month}.",
            {"month": peak[0], "value": peak[3]},
        ),
        draw=composition(series, measure=Text.of("Contract value")),
    )


# -- cohorts -----------------------------------------------------------------------------------------------------------


def cohort_heatmap(study: RetentionStudy, basis: str) -> Block | None:
    """Retention by cohort and age; a cell of a cohort that is too young is blank."""
    from analysis.exhibits.charts import heatmap

    if "b2c" not in study.models:
        return _left_out(study, "b2c", f"cohorts_{basis}") if basis == "contractual" else None
    part = study.contract_cohorts if basis == "contractual" else study.purchase_cohorts
    refused = _refused(part, f"cohorts_{basis}", Text.of("Cohorts"))
    if refused or isinstance(part, NotDone) or not part.cells:
        return refused or callout(
            f"retention.cohorts_{basis}", tone="info", title=Sentence("No cohort is old enough yet.")
        )
    start = 0 if basis == "contractual" else 1
    ages = [age for age in range(start, SHOWN + 1) if any((one, age) in part.cells for one in part.sizes)]
    names = [one for one in part.sizes if any((one, age) in part.cells for age in ages)]
    if not names:
        return callout(
            f"retention.cohorts_{basis}", tone="info", title=Sentence("No cohort is old enough yet.")
        )
    rows = [
        (one, Text(en=f"{one} ({part.sizes[one].value:,})", zh=f"{one}（{part.sizes[one].value:,}）"))
        for one in names
    ]
    cells = {(cohort, str(age)): fact for (cohort, age), fact in part.cells.items() if age in ages}
    year = YEAR[part.period]
    first = part.cells.get((names[0], year)) or part.cells[names[0], ages[0]]
    template = (
        "Of the contracts begun in {cohort}, {rate} were still running a year later"
        if basis == "contractual"
        else "Of the buyers first seen in {cohort}, {rate} ordered in the {step} a year later"
    )
    values: dict[str, Value] = {
        "cohort": names[0],
        "rate": first,
        "step": _STEP[part.period],
        "steps": _STEPS[part.period],
        "running": part.running,
    }
    subtitle = (
        "Rows: {step} of entry (customers). Columns: {steps} since. Share in percent; blank: too young. {running} is not over and counts for no cell"
        if part.running
        else "Rows: {step} of entry (customers). Columns: {steps} since. Share in percent; blank: too young"
    )
    return figure(
        f"retention.cohorts_{basis}",
        title=Sentence(
            template
            if (names[0], year) in part.cells
            else "Few cohorts are old enough to be compared a year on",
            values,
        ),
        subtitle=Sentence(subtitle, values),
        foot=_source(study),
        alt=Sentence("Heatmap of retention by time of entry and age; cells of young cohorts are blank."),
        draw=heatmap(
            rows,
            [(str(age), str(age)) for age in ages],
            cells,
            measure=Text.of("Retention"),
            by=Text.of("Cohort"),
            places=0 if basis == "contractual" else 1,
        ),
    )


def cohort_curves(study: RetentionStudy) -> Block | None:
    """Retention of a few contract cohorts, a year apart."""
    from analysis.exhibits.charts import Curve, survival

    part = study.contract_cohorts
    if "b2c" not in study.models:
        return None
    refused = _refused(part, "cohort_curves", Text.of("Cohort curves"))
    if refused or isinstance(part, NotDone):
        return refused or callout(
            "retention.cohort_curves", tone="info", title=Sentence("No cohort is old enough yet.")
        )
    chosen = (
        list(part.sizes)[:: YEAR[part.period]][:4]
        if len(part.sizes) > YEAR[part.period]
        else list(part.sizes)[::4][:4]
    )
    curves = [
        Curve(
            name=one,
            points=[
                (float(age), part.cells[one, age]) for age in range(SHOWN + 1) if (one, age) in part.cells
            ],
            role=role,
        )
        for one, role in zip(chosen, ("actual", "category-5", "good", "focus"), strict=False)
        if sum((one, age) in part.cells for age in range(SHOWN + 1)) > 1
    ]
    if not curves:
        return callout("retention.cohort_curves", tone="info", title=Sentence("No cohort is old enough yet."))
    return figure(
        "retention.cohort_curves",
        title=Sentence("Cohorts a year apart lose contracts along nearly the same curve")
        if not any(f.id == "retention.contract_cohorts" for f in study.findings)
        else Sentence("Cohorts a year apart lose contracts along different curves"),
        subtitle=Sentence(
            "Share of contracts still running by {steps} since entry, with interval",
            {"steps": _STEPS[part.period]},
        ),
        foot=_source(study),
        alt=Sentence("Curves of retention by age for a few quarters of entry."),
        draw=survival(
            curves,
            measure=Text.of("Still under contract"),
            age=phrase(_SINCE_ENTRY[part.period]),
            age_unit="count",
        ),
    )


def cohort_table(study: RetentionStudy) -> Block | None:
    """What each cohort of buyers brought within a year, by first order, first product and first service."""
    groups = (
        (study.purchase_cohorts, Text.of("By first order")),
        (study.product_cohorts, Text.of("By first product")),
        (study.service_cohorts, Text.of("By first service")),
    )
    made = [(part, head) for part, head in groups if isinstance(part, Cohorts) and part.lines]
    if not made or "b2c" not in study.models:
        return None
    measures = [
        name
        for name in ("orders", "revenue", "margin")
        if any(name in line.per_customer for part, _ in made for line in part.lines)
    ]
    labels = {"orders": Text.of("Orders"), "revenue": Text.of("Revenue"), "margin": Text.of("Margin")}
    columns = [
        Column(key="cohort", label=Text.of("Cohort"), wide=True),
        Column(key="size", label=Text.of("Customers"), metric=("cohort_size",)),
        *(
            Column(key=name, label=labels[name], scale="exact", places=2 if name == "orders" else 0)
            for name in measures
        ),
        Column(key="rate", label=Text.of("Active a year on"), metric=("cohort_retention_rate",)),
        Column(key="interval", label=Text.of("Interval"), show="interval", metric=("cohort_retention_rate",)),
        Column(key="gap", label=Text.of("Against the others"), signed=True, metric=("cohort_gap",)),
        Column(key="gap_interval", label=Text.of("Interval"), show="interval", metric=("cohort_gap",)),
    ]
    rows = []
    for part, head in made:
        rows.append(Row(cells={"cohort": head}, role="group"))
        for line in (
            part.lines[-_COHORT_ROWS:] if part.grouping != "first_product" else part.lines[:_COHORT_ROWS]
        ):
            cells = {
                "cohort": _not_stated(line.cohort),
                "size": line.size,
                "rate": line.rate,
                "interval": line.rate,
                "gap": line.gap,
                "gap_interval": line.gap,
                **line.per_customer,
            }
            rows.append(Row(cells=cells))
    lead = made[0][0].lines[-1]
    return table(
        "retention.cohort_values",
        title=Sentence(
            "Buyers of {cohort} placed {orders} within a year of their first",
            {"cohort": lead.cohort, "orders": lead.per_customer["orders"]},
        ),
        subtitle=Sentence(
            "Whole cohorts only; orders, revenue and margin to date per customer; intervals of the differences hold for all cohorts of a group together"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
        by=("age", "churn_basis", "cohort", "cohort_by"),
    )


_COHORT_ROWS = 3


def _not_stated(value: str) -> Text:
    return Text.of("not stated") if value == "not_stated" else Text.same(value)


def effects_table(study: RetentionStudy) -> Block | None:
    """What age, calendar time and cohort add beyond a straight line."""
    part = study.effects
    if not isinstance(part, tuple) or not part:
        return None
    names = {
        "age": Text.of("Age of the contract"),
        "calendar": Text.of("Calendar time"),
        "cohort": Text.of("Cohort of entry"),
    }
    rows = [
        Row(
            cells={
                "effect": names[one.name],
                "deviance": one.deviance,
                "degrees": one.deviance,
                "p_value": one.p_value,
            }
        )
        for one in part
    ]
    return table(
        "retention.effects",
        title=Sentence("Age, calendar time and cohort: only bends can be told apart, straight lines cannot"),
        subtitle=Sentence(
            "What each adds to the loss of contracts beyond the other two; cohort plus age is calendar time, so a straight trend may belong to any of them"
        ),
        columns=[
            Column(key="effect", label=Text.of("Effect", context="cause"), wide=True),
            Column(
                key="deviance", label=Text.of("Deviance explained"), places=1, metric=("effect_deviance",)
            ),
            Column(key="degrees", label=Text.of("Degrees of freedom"), show="n", metric=("effect_deviance",)),
            Column(key="p_value", label=Text.of("As much by chance"), places=1, metric=("effect_p_value",)),
        ],
        rows=rows,
        note=_source(study),
        by=("effect",),
    )


# -- survival ----------------------------------------------------------------------------------------------------------


def survival_figure(study: RetentionStudy, dimension: str) -> Block:
    """Kaplan-Meier curves by group, with bands."""
    from analysis.exhibits.charts import Curve, survival

    part = study.survival
    refused = _refused(part, f"survival_{dimension}", Text.of("Contract survival"))
    if refused or isinstance(part, NotDone) or dimension not in part.by:
        return refused or callout(
            f"retention.survival_{dimension}",
            tone="info",
            title=Sentence("There are too few groups to compare."),
        )
    lines = part.by[dimension]
    curves = [
        Curve(
            name=line.label,
            points=[(float(age), fact) for age, fact in line.points if fact.value is not None],
            role=role,
        )
        for line, role in zip(lines, ("actual", "focus", "good", "category-5", "category-4"), strict=False)
    ]
    known = [line for line in lines if dict(line.points)[12].value is not None]
    best, worst = (
        max(known, key=lambda line: dict(line.points)[12].value or 0),
        min(known, key=lambda line: dict(line.points)[12].value or 0),
    )
    values: dict[str, Value] = {
        "best": best.label,
        "most": dict(best.points)[12],
        "worst": worst.label,
        "least": dict(worst.points)[12],
    }
    return figure(
        f"retention.survival_{dimension}",
        title=Sentence("After a year {most} of contracts last among {best}, {least} among {worst}", values),
        subtitle=Sentence(
            "Share of contracts that last beyond an age in months (Kaplan–Meier, pointwise intervals)"
        ),
        foot=_source(study),
        alt=Sentence(
            "Survival curves of contracts by group; after a year {most} for {best} and {least} for {worst}.",
            values,
        ),
        draw=survival(curves, measure=Text.of("Contracts that last"), age=AGE, age_unit="months"),
    )


def survival_table(study: RetentionStudy) -> Block | None:
    """Numbers at risk and mean time under contract by group."""
    part = study.survival
    if isinstance(part, NotDone):
        return None
    columns = [Column(key="group", label=Text.of("Group"), wide=True)]
    columns += [Column(key=f"risk{age}", label=phrase("At risk, month {age}", age=str(age))) for age in MARKS]
    columns += [
        Column(
            key="mean",
            label=Text.of("Mean time within 36 months"),
            unit="months",
            metric=("restricted_mean_tenure",),
        ),
        Column(
            key="interval", label=Text.of("Interval"), show="interval", metric=("restricted_mean_tenure",)
        ),
        Column(
            key="difference",
            label=Text.of("Against the first group"),
            signed=True,
            metric=("restricted_mean_tenure_difference",),
        ),
        Column(
            key="difference_interval",
            label=Text.of("Interval"),
            show="interval",
            metric=("restricted_mean_tenure_difference",),
        ),
    ]
    heads = {
        "segment": Text.of("Segment at the start"),
        "customer_type": Text.of("Customer type"),
        "contract_kind": Text.of("Contract"),
    }
    rows = []
    for dimension, lines in part.by.items():
        rows.append(Row(cells={"group": heads[dimension]}, role="group"))
        for line in lines:
            rows.append(
                Row(
                    cells={
                        "group": line.label,
                        **{f"risk{age}": fact for age, fact in line.at_risk},
                        "mean": line.mean,
                        "interval": line.mean if line.mean.interval else None,
                        "difference": line.difference,
                        "difference_interval": line.difference
                        if line.difference is not None and line.difference.interval
                        else None,
                    }
                )
            )
    return table(
        "retention.at_risk",
        title=Sentence("How many contracts stand behind each curve, and how long they last"),
        subtitle=Sentence(
            "Contracts observed at each age; mean months under contract within the first 36 months"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
    )


def incidence_figure(study: RetentionStudy, *, top: int = 4) -> Block | None:
    """Cumulative loss by reason; reasons compete, so the curves add up to the total loss."""
    from analysis.exhibits.charts import Curve, survival

    part = study.survival
    if isinstance(part, NotDone) or not part.incidence:
        return None
    roles = ("focus", "actual", "good", "category-5", "category-4", "category-6")
    shown = part.incidence[:top]
    curves = [
        Curve(name=label, points=[(float(age), fact) for age, fact in points], role=role)
        for (_, label, points), role in zip(shown, roles, strict=False)
    ]
    leading = shown[0]
    return figure(
        "retention.incidence",
        title=Sentence(
            "{reason} takes most contracts: {share} within {months} months",
            {"reason": leading[1], "share": leading[2][-1][1], "months": str(LIMIT_MONTHS)},
        ),
        subtitle=Sentence(
            "Cumulative share of contracts lost by recorded reason and age in months (Aalen–Johansen), the largest reasons"
        ),
        foot=_source(study),
        alt=Sentence(
            "Curves of cumulative loss by reason; the largest is {reason} with {share}.",
            {"reason": leading[1], "share": leading[2][-1][1]},
        ),
        draw=survival(curves, measure=Text.of("Lost for this reason"), age=AGE, age_unit="months"),
    )


# -- drivers -----------------------------------------------------------------------------------------------------------

_SHOWN_RATIOS = (
    ("slow", "total"),
    ("slow", "unadjusted"),
    ("slow", "naive"),
    ("prompt", "total"),
    ("repeat", "total_repeat"),
    ("low", "mediation"),
    ("waited", "response"),
    ("followed", "resolution"),
)


def drivers_figure(study: RetentionStudy) -> Block:
    """Hazard ratios as dots with intervals: the adjusted answers first, the naive one beside them."""
    from analysis.exhibits.charts import Item, dot_interval

    part = study.drivers
    refused = _refused(part, "drivers", Text.of("Service experience and loss"))
    if refused or isinstance(part, NotDone):
        return refused or callout(
            "retention.drivers", tone="info", title=Sentence("No service experience to compare.")
        )
    extra = {("low", "mediation"): Text.of("mediation model")}
    items = [
        Item(
            name=_pair(_EXPOSURE[what], extra.get((what, model), _MODEL[model])),
            fact=part.ratios[what, model],
            role="context" if model in ("naive", "unadjusted", "mediation") else "focus",
        )
        for what, model in _SHOWN_RATIOS
        if part.ratios.get((what, model)) is not None and part.ratios[what, model].value is not None
    ]
    if not items:
        return callout(
            "retention.drivers",
            tone="info",
            title=Sentence("There are too few losses after bad service for an estimate."),
        )
    adjusted, naive = part.ratios["slow", "total"], part.ratios["slow", "naive"]
    if adjusted.value is not None and naive.value is not None:
        title = Sentence(
            "After a late answer to a complaint customers leave {adjusted} as often; the naive comparison says {naive}",
            {"adjusted": adjusted, "naive": naive},
        )
    else:
        title = Sentence("How often customers leave after bad service, against comparable customers")
    return figure(
        "retention.drivers",
        title=title,
        subtitle=Sentence(
            "Hazard ratio of losing the contract, with interval; 1 is no difference. Associations within contract kind, customer type and segment"
        ),
        foot=_source(study),
        alt=Sentence(
            "Dots with intervals of hazard ratios by service experience and model; the line marks no difference."
        ),
        draw=dot_interval(
            items,
            measure=Text.of("Hazard ratio"),
            by=Text.of("Experience and model"),
            reference=1.0,
            log=True,
        ),
    )


def differences_table(study: RetentionStudy) -> Block | None:
    """The same as absolute differences at twelve months."""
    part = study.drivers
    if isinstance(part, NotDone):
        return None
    rows = [
        Row(
            cells={
                "what": _EXPOSURE[what],
                "ratio": part.ratios[what, model],
                "ratio_interval": part.ratios[what, model],
                "difference": part.differences[what],
                "difference_interval": part.differences[what],
                "n": part.ratios[what, model],
                "statistic": part.diagnostics[what][0],
                "constant": part.diagnostics[what][1],
            }
        )
        for what, model in TESTED
        if (what, model) in part.ratios
        and part.ratios[what, model].value is not None
        and part.differences[what].value is not None
    ]
    if not rows:
        return None
    return table(
        "retention.differences",
        title=Sentence("Times as often, and how many more of a hundred"),
        subtitle=Sentence(
            "Total effects; losses within the first twelve months of a contract if all had the experience from the start, minus if none had. Last columns: does the ratio change with age (Schoenfeld residuals; a small chance says it does)"
        ),
        columns=[
            Column(key="what", label=Text.of("Experience"), wide=True),
            Column(key="n", label=Text.of("Losses after it"), show="n", metric=("loss_hazard_ratio",)),
            Column(key="ratio", label=Text.of("Hazard ratio"), metric=("loss_hazard_ratio",)),
            Column(
                key="ratio_interval",
                label=Text.of("Interval"),
                show="interval",
                metric=("loss_hazard_ratio",),
            ),
            Column(
                key="difference",
                label=Text.of("Lost in 12 months"),
                signed=True,
                metric=("loss_risk_difference",),
            ),
            Column(
                key="difference_interval",
                label=Text.of("Interval"),
                show="interval",
                metric=("loss_risk_difference",),
            ),
            Column(
                key="statistic",
                label=Text.of("Change with age"),
                places=1,
                metric=("proportionality_statistic",),
            ),
            Column(
                key="constant",
                label=Text.of("As much by chance"),
                places=0,
                metric=("proportionality_p_value",),
            ),
        ],
        rows=rows,
        note=_source(study),
        by=("exposure",),
    )


def chain_figure(study: RetentionStudy) -> Block:
    """The chain's links with their strengths."""
    from analysis.exhibits.charts import Item, dot_interval

    part = study.chain
    refused = _refused(part, "chain", Text.of("The chain, link by link"))
    if refused or isinstance(part, NotDone) or not part.links:
        return refused or callout(
            "retention.chain",
            tone="info",
            title=Sentence("No link of the chain can be tested with these data."),
        )
    items = [
        Item(
            name=_link_name(link), fact=link.strength, role="focus" if link.verdict == "holds" else "context"
        )
        for link in part.links
    ]
    holding = [link for link in part.links if link.verdict == "holds"]
    if holding:
        strongest = max(holding, key=lambda link: link.strength.value or 0)
        title = Sentence(
            "The strongest link that holds: {link} ({strength}); links in grey are not shown by these data",
            {"link": strongest.label, "strength": strongest.strength},
        )
    else:
        title = Sentence("No link of the chain is shown by these data")
    return figure(
        "retention.chain",
        title=title,
        subtitle=Sentence(
            "Ratio of the later quantity with the earlier one present against absent, with interval; the earlier is measured before the later"
        ),
        foot=_source(study),
        alt=Sentence("Dots with intervals, one a link of the chain; the line marks no difference."),
        draw=dot_interval(items, measure=Text.of("Ratio"), by=Text.of("Link"), reference=1.0, log=True),
    )


def _link_name(link: Link) -> Text:
    verdict = _VERDICT[link.verdict]
    return Text(en=f"{link.label.en} ({verdict.en})", zh=f"{link.label.zh}（{verdict.zh}）")


# -- repurchase --------------------------------------------------------------------------------------------------------


def repurchase_table(study: RetentionStudy) -> Block:
    """Served customers beside their matches."""
    part = study.repurchase
    refused = _refused(part, "repurchase", Text.of("Repurchase after service"))
    if refused or not isinstance(part, tuple):
        return refused or callout(
            "retention.repurchase", tone="info", title=Sentence("No window after service has closed yet.")
        )
    rows = [
        Row(
            cells={
                "group": _pair(_ARM[line.arm], _SEVERITY[line.severity]),
                "window": _months(line.window),
                "n": line.served,
                "served": line.served,
                "matched": line.matched,
                "difference": line.difference,
                "interval": line.difference if line.difference.interval else None,
            }
        )
        for line in part
        if line.window == part[0].window or line.severity == "all"
    ]
    bad = next(line for line in part if line.arm == "bad")
    title = (
        Sentence(
            "After bad service {served} bought again within {months} months, matched customers without service {matched}",
            {"served": bad.served, "matched": bad.matched, "months": str(bad.window)},
        )
        if bad.matched.value is not None
        else Sentence("Repurchase after service")
    )
    return table(
        "retention.repurchase",
        title=title,
        subtitle=Sentence(
            "First service in the three months before a quarterly landmark, windows that have closed; served badly: a late answer to a complaint or a repeat repair"
        ),
        columns=[
            Column(key="group", label=Text.of("Service and worst severity"), wide=True),
            Column(key="window", label=Text.of("Within")),
            Column(key="n", label=Text.of("Customers"), show="n", metric=("repurchase_rate_after_service",)),
            Column(key="served", label=Text.of("Bought again"), metric=("repurchase_rate_after_service",)),
            Column(key="matched", label=Text.of("Matched"), metric=("matched_repurchase_rate",)),
            Column(
                key="difference",
                label=Text.of("Difference"),
                signed=True,
                metric=("matched_repurchase_difference",),
            ),
            Column(
                key="interval",
                label=Text.of("Interval"),
                show="interval",
                metric=("matched_repurchase_difference",),
            ),
        ],
        rows=rows,
        note=_source(study),
        by=("arm", "severity", "window"),
    )


_SINCE_ENTRY = {
    "week": "Weeks since entry",
    "month": "Months since entry",
    "quarter": "Quarters since entry",
    "year": "Years since entry",
}


def _months(number: int) -> Text:
    return phrase("{number} months", number=str(number))


def leaving_table(study: RetentionStudy) -> Block:
    """Losses after a repair beside matched customers who never asked for service."""
    part = study.loss_after_repair
    refused = _refused(part, "leaving", Text.of("Losses after a repair"))
    if refused or not isinstance(part, tuple):
        return refused or callout(
            "retention.leaving", tone="info", title=Sentence("No window after a repair has closed yet.")
        )
    names = {"repaired": Text.of("Repaired, no repeat"), "repeated": Text.of("Repeat repair within 30 days")}
    rows = [
        Row(
            cells={
                "group": names[line.arm],
                "n": line.served,
                "served": line.served,
                "matched": line.matched,
                "difference": line.difference,
                "interval": line.difference if line.difference.interval else None,
            }
        )
        for line in part
    ]
    bad = part[-1]
    title = (
        Sentence(
            "After a repeat repair {served} left within {months} months, matched customers without service {matched}",
            {"served": bad.served, "matched": bad.matched, "months": str(bad.window)},
        )
        if bad.matched.value is not None
        else Sentence("Left after a repair, beside matched customers")
    )
    return table(
        "retention.leaving",
        title=title,
        subtitle=Sentence(
            "Contracts at quarterly landmarks, repaired in the three months before; matched on landmark, contract, type, segment, months to renewal and tenure"
        ),
        columns=[
            Column(key="group", label=Text.of("Service"), wide=True),
            Column(key="n", label=Text.of("Customers"), show="n", metric=("loss_rate_after_repair",)),
            Column(key="served", label=Text.of("Left"), metric=("loss_rate_after_repair",)),
            Column(key="matched", label=Text.of("Matched"), metric=("matched_loss_rate",)),
            Column(
                key="difference",
                label=Text.of("Difference"),
                signed=True,
                metric=("matched_loss_difference",),
            ),
            Column(
                key="interval",
                label=Text.of("Interval"),
                show="interval",
                metric=("matched_loss_difference",),
            ),
        ],
        rows=rows,
        note=_source(study),
        by=("arm", "severity", "window"),
    )


# -- accounts ----------------------------------------------------------------------------------------------------------


def accounts_tiles(study: RetentionStudy) -> Block | None:
    """How many accounts, what they are worth, how concentrated that is, and what comes up."""
    left = _left_out(study, "b2b", "accounts_of")
    part = study.accounts
    if left or isinstance(part, NotDone):
        return left or _refused(study.accounts, "accounts_of", Text.of("Business accounts"))
    months = phrase("Up for renewal within {number} months", number=str(HORIZON))
    return tiles(
        "retention.accounts_of",
        [
            Tile(
                label=Text.of("Business accounts under contract"),
                fact=part.number,
                comparisons=[Comparison(label=Text.of("Yearly value"), value=part.value, signed=False)],
            ),
            Tile(
                label=Text.of("Held by the ten largest"),
                fact=part.ten_share,
                comparisons=[
                    Comparison(label=Text.of("By the largest tenth"), value=part.top_share, signed=False)
                ],
            ),
            Tile(label=Text.of("Equal-sized accounts"), fact=part.equal_accounts),
            Tile(
                label=months,
                fact=part.due_number,
                comparisons=[Comparison(label=Text.of("Yearly value"), value=part.due_value, signed=False)],
            ),
        ],
    )


_KINDS = {"subscription": Text.of("subscription"), "maintenance": Text.of("maintenance")}
_WHERE = (
    Column(key="rank", label=Text.of("Rank")),
    Column(key="segment", label=Text.of("Segment")),
    Column(key="region", label=Text.of("Region")),
)


def largest_accounts_table(study: RetentionStudy) -> Block | None:
    """The largest business accounts by rank, a year ago and now; their numbers stand in the evidence, never on a page."""
    part = study.accounts
    if isinstance(part, NotDone):
        return None
    lost = Text.of("lost")
    rows = [
        Row(
            cells={
                "rank": str(one.rank),
                "segment": _segment(one.segment),
                "region": _not_stated(one.region),
                "kind": _KINDS.get(one.kind, Text.same(one.kind)),
                "before": one.before if one.before.value else None,
                "value": one.value if one.value.value else None,
                "kept": one.kept if one.kept.value is not None else None,
                "due": one.due_on if one.due_on is not None else lost,
                "chance": one.chance,
            }
        )
        for one in part.largest
    ]
    return table(
        "retention.accounts",
        title=Sentence(
            "{number} under contract are businesses; the largest tenth hold {share} of their contract value",
            {"number": part.number, "share": part.top_share},
        ),
        subtitle=Sentence(
            "The largest by yearly contract value a year ago or now; kept: at most the value a year ago. Customer numbers stand in the evidence file"
        ),
        columns=[
            *_WHERE,
            Column(key="kind", label=Text.of("Contract")),
            Column(
                key="before",
                label=Text.of("Value a year ago"),
                scale="exact",
                places=0,
                metric=("account_contract_value",),
            ),
            Column(
                key="value",
                label=Text.of("Value now"),
                scale="exact",
                places=0,
                metric=("account_contract_value",),
            ),
            Column(key="kept", label=Text.of("Kept"), metric=("account_revenue_retention",)),
            Column(key="due", label=Text.of("Term ends")),
            Column(key="chance", label=Text.of("Chance of loss"), metric=("account_loss_score",)),
        ],
        rows=rows,
        note=_source(study),
        by=("rank",),
    )


def due_table(study: RetentionStudy) -> Block | None:
    """Accounts whose term ends soon, the most value at risk first."""
    part = study.accounts
    if isinstance(part, NotDone) or not part.due:
        return None
    rows = [
        Row(
            cells={
                "rank": str(one.rank),
                "segment": _segment(one.segment),
                "region": _not_stated(one.region),
                "due": one.due_on,
                "value": one.value,
                "chance": one.chance,
                "risk": one.at_risk,
            }
        )
        for one in part.due
    ]
    values: dict[str, Value] = {"number": part.due_number, "value": part.due_value, "months": str(HORIZON)}
    title = Sentence("{number} worth {value} a year come up for renewal within {months} months", values)
    if part.due_at_risk is not None:
        title = Sentence(
            "{number} worth {value} a year come up for renewal within {months} months; {risk} of it is at risk by the score",
            {**values, "risk": part.due_at_risk},
        )
    return table(
        "retention.due",
        title=title,
        subtitle=Sentence(
            "Business accounts by the last day of the running term, the most value at risk (value times chance of loss) first"
        ),
        columns=[
            *_WHERE,
            Column(key="due", label=Text.of("Term ends")),
            Column(
                key="value",
                label=Text.of("Yearly value"),
                scale="exact",
                places=0,
                metric=("account_contract_value",),
            ),
            Column(key="chance", label=Text.of("Chance of loss"), metric=("account_loss_score",)),
            Column(
                key="risk",
                label=Text.of("Value at risk"),
                scale="exact",
                places=0,
                metric=("contract_value_at_risk",),
            ),
        ],
        rows=rows,
        note=_source(study),
        by=("due",),
    )


def _left_out(study: RetentionStudy, model: str, name: str) -> Block | None:
    """What stands in place of pages that the business model does not ask for; None where it does."""
    if model in study.models:
        return None
    text = {
        "b2b": "Not shown: this company is read as many small customers, so no account stands alone (business_model in params/retention.yml).",
        "b2c": "Not shown: this company is read as few large accounts, which are listed one by one (business_model in params/retention.yml).",
    }[model]
    return callout(f"retention.{name}", tone="info", title=Sentence(text))


def _segment(value: str) -> Text:
    known = {"standard": Text.of("Standard"), "gold": Text.of("Gold"), "key": Text.of("Key account")}
    return known.get(value, _not_stated(value))


# -- early warning -----------------------------------------------------------------------------------------------------


def score_table(study: RetentionStudy) -> Block:
    """How good the score is on a later snapshot, and what is at stake."""
    part = study.early_warning
    refused = _refused(part, "scores", Text.of("Early warning"))
    if refused or isinstance(part, NotDone):
        return refused or callout(
            "retention.scores", tone="info", title=Sentence("No score can be learnt from these data.")
        )
    chosen = (
        Text.of("gradient boosting") if part.scores.chosen == "boosting" else Text.of("logistic regression")
    )
    lines = (
        (Text.of("Lost among the customers the team can call"), part.precision),
        (Text.of("Lost among all customers"), part.base_rate),
        (Text.of("Lift"), part.lift),
        (Text.of("Discrimination (0.5 is a coin)"), part.auc),
        (
            phrase("Expected losses in the next {number} months", number=str(part.horizon)),
            part.expected_losses,
        ),
        (Text.of("Expected margin at risk, all customers"), part.margin),
        (Text.of("Expected margin at risk, call list"), part.margin_called),
    )
    return table(
        "retention.scores",
        title=Sentence(
            "Calling the {called:n} riskiest customers reaches {lift} as many losses as calling anyone",
            {"called": part.precision, "lift": part.lift},
        ),
        subtitle=Sentence(
            "Chosen on a later snapshot: {model}; tested on the snapshot of {test}, which it never saw",
            {"model": chosen, "test": part.test},
        ),
        columns=[
            Column(key="line", label=Text.of("Early warning"), wide=True),
            Column(key="value", label=Text.of("Value")),
            Column(key="interval", label=Text.of("Interval"), show="interval"),
        ],
        rows=[
            Row(cells={"line": label, "value": fact, "interval": fact if fact.interval else None})
            for label, fact in lines
        ],
        note=_source(study),
    )


def calibration_figure(study: RetentionStudy) -> Block | None:
    """Expected and observed losses by tenth of the score."""
    from analysis.exhibits.charts import Item, dot_interval

    part = study.early_warning
    if isinstance(part, NotDone):
        return None
    tenths = list(range(len(part.expected)))[1::2][::-1]
    items = [
        Item(name=phrase("Tenth {number}", number=str(index + 1)), fact=part.observed[index], role="focus")
        for index in tenths
    ]
    return figure(
        "retention.calibration",
        title=Sentence(
            "In the riskiest tenth {observed} were lost, {expected} were expected",
            {"observed": part.observed[-1], "expected": part.expected[-1]},
        ),
        subtitle=Sentence(
            "Customers of the test snapshot by tenth of the score, every other one: lost within {months} months, share in percent; ring: expected",
            {"months": str(part.horizon)},
        ),
        foot=_source(study),
        alt=Sentence(
            "Dots of observed and expected losses by tenth of the score; the last tenth has {observed} observed and {expected} expected.",
            {"observed": part.observed[-1], "expected": part.expected[-1]},
        ),
        draw=dot_interval(
            items,
            measure=phrase("Lost within {number} months", number=str(part.horizon)),
            by=Text.of("Tenth of the score"),
            beside=(Text.of("Expected"), [part.expected[index] for index in tenths]),
        ),
    )


def rounds_table(study: RetentionStudy) -> Block | None:
    """How the score would have done at each of the last snapshots."""
    part = study.early_warning
    if isinstance(part, NotDone) or not part.rounds:
        return None
    rows = [
        Row(
            cells={
                "month": one.month,
                "expected": one.expected,
                "lost": one.lost,
                "auc": one.auc,
                "auc_interval": one.auc,
                "precision": one.precision,
                "base": one.base_rate,
            }
        )
        for one in part.rounds
    ]
    return table(
        "retention.rounds",
        title=Sentence(
            "Learnt afresh at each snapshot from what was known then: {precision} of those called left in the last round",
            {"precision": part.rounds[-1].precision},
        ),
        subtitle=Sentence(
            "Snapshots on the first day of a month; lost within {months} months of it",
            {"months": str(part.horizon)},
        ),
        columns=[
            Column(key="month", label=Text.of("Snapshot"), wide=True),
            Column(key="expected", label=Text.of("Expected losses"), metric=("expected_losses",)),
            Column(key="lost", label=Text.of("Lost"), metric=("observed_losses",)),
            Column(key="auc", label=Text.of("Discrimination"), metric=("risk_score_auc",)),
            Column(
                key="auc_interval", label=Text.of("Interval"), show="interval", metric=("risk_score_auc",)
            ),
            Column(key="precision", label=Text.of("Lost among called"), metric=("risk_score_precision",)),
            Column(key="base", label=Text.of("Lost among all"), metric=("risk_score_base_rate",)),
        ],
        rows=rows,
        note=_source(study),
        by=("snapshot",),
    )


def calls_table(study: RetentionStudy) -> Block | None:
    """The head of the call list, without identifiers."""
    part = study.early_warning
    if "b2c" not in study.models:
        return _left_out(study, "b2c", "calls")
    if isinstance(part, NotDone) or not part.first_calls:
        return None
    kinds = {"b2b": Text.of("business"), "b2c": Text.of("consumer")}
    rows = [
        Row(
            cells={
                "rank": str(one.rank),
                "type": kinds.get(one.customer_type, _not_stated(one.customer_type)),
                "segment": _segment(one.segment),
                "chance": one.chance,
                "margin": one.margin,
                "reasons": one.reasons,
            }
        )
        for one in part.first_calls
    ]
    return table(
        "retention.calls",
        title=Sentence("The head of the call list: whom to call first, and what to ask about"),
        subtitle=Sentence(
            "By chance of loss within {months} months. Reasons: what raises the score most against its usual value, not a cause. Customer numbers stand in the evidence file",
            {"months": str(part.horizon)},
        ),
        columns=[
            Column(key="rank", label=Text.of("Rank")),
            Column(key="type", label=Text.of("Customer")),
            Column(key="segment", label=Text.of("Segment")),
            Column(key="chance", label=Text.of("Chance of loss"), metric=("account_loss_score",)),
            Column(
                key="margin",
                label=Text.of("Margin at risk"),
                scale="exact",
                places=0,
                metric=("margin_at_risk",),
            ),
            Column(key="reasons", label=Text.of("Raised by"), wide=True),
        ],
        rows=rows,
        note=_source(study),
        by=("call",),
    )
