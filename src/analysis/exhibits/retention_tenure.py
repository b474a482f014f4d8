"""How long customers stay: cohorts by time of entry, what age, calendar time and cohort add, survival of contracts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.retention_shared import absent, remark, source
from analysis.exhibits.specification import (
    Field,
    count,
    group,
    interval,
    label,
    metric,
    registry,
    row_of,
    table_of,
)
from analysis.exhibits.vocabulary import Row, phrase
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Fact, Sentence, Value
from analysis.retention.cohorts_facts import MEASURES, SHOWN, TO_DATE, YEAR, CohortLine, Cohorts, step_label
from analysis.retention.study import RetentionStudy
from analysis.retention.survival import LIMIT_MONTHS, MARKS, SurvivalGroup

AGE = Text.of("Age of the contract")
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
_SINCE_ENTRY = {
    "week": Text.of("Weeks since entry"),
    "month": Text.of("Months since entry"),
    "quarter": Text.of("Quarters since entry"),
    "year": Text.of("Years since entry"),
}
_AFTER_ENTRY = {
    "week": ("{number} week after entry", "{number} weeks after entry"),
    "month": ("{number} month after entry", "{number} months after entry"),
    "quarter": ("{number} quarter after entry", "{number} quarters after entry"),
    "year": ("{number} year after entry", "{number} years after entry"),
}
TOO_YOUNG = Sentence("No cohort is old enough yet.")


# ---------------------------------------------------------------- cohorts


def cohort_heatmap(study: RetentionStudy, basis: str) -> Block | None:
    """Retention by cohort and age; a cell of a cohort that is too young is blank."""
    from analysis.exhibits.charts import heatmap

    contractual, place = basis == "contractual", f"cohorts_{basis}"
    part = study.contract_cohorts if contractual else study.purchase_cohorts
    if isinstance(part, NotDone):
        # left out or not, what both have in common is said once
        return absent(place, part, "Cohorts") if contractual or "b2c" in study.models else None
    ages = [age for age in range(0 if contractual else 1, SHOWN + 1) if _has(part, part.sizes, [age])]
    names = [cohort for cohort in part.sizes if _has(part, [cohort], ages)]
    if not names:
        return remark(place, TOO_YOUNG)
    rows = [
        (one, Text(en=f"{name.en} ({part.sizes[one].value:,})", zh=f"{name.zh}（{part.sizes[one].value:,}）"))
        for one, name in ((one, step_label(one)) for one in names)
    ]
    cells = {(cohort, str(age)): fact for (cohort, age), fact in part.cells.items() if age in ages}
    return figure(
        f"retention.{place}",
        title=_heatmap_title(part, names[0]),
        subtitle=_heatmap_subtitle(part),
        foot=source(study),
        alt=Sentence("Heatmap of retention by time of entry and age; cells of young cohorts are blank."),
        draw=heatmap(
            rows,
            [(str(age), str(age)) for age in ages],
            cells,
            by=registry().dimension_name("cohort"),
            places=0 if contractual else 1,
            in_words={str(age): phrase(_AFTER_ENTRY[part.period][age != 1], number=str(age)) for age in ages},
        ),
    )


def _has(part: Cohorts, cohorts: Iterable[str], ages: Sequence[int]) -> bool:
    return any((cohort, age) in part.cells for cohort in cohorts for age in ages)


def _heatmap_title(part: Cohorts, oldest: str) -> Sentence:
    """The oldest cohort a year on, where it is that old."""
    rate = part.cells.get((oldest, YEAR[part.period]))
    if rate is None:
        return Sentence("Few cohorts are old enough to be compared a year on")
    values: dict[str, Value] = {"cohort": step_label(oldest), "rate": rate, "step": _STEP[part.period]}
    if part.basis == "contractual":
        return Sentence(
            "Of the contracts begun in {cohort}, {rate}{rate:doubt} were still running a year later", values
        )
    return Sentence(
        "Of the buyers first seen in {cohort}, {rate}{rate:doubt} ordered in the {step} a year later", values
    )


def _heatmap_subtitle(part: Cohorts) -> Sentence:
    values: dict[str, Value] = {"step": _STEP[part.period], "steps": _STEPS[part.period]}
    if part.running:
        return Sentence(
            "Rows: {step} of entry (customers). Columns: {steps} since. Share in percent; blank: too young. {running} is not over and counts for no cell",
            values | {"running": step_label(part.running)},
        )
    return Sentence(
        "Rows: {step} of entry (customers). Columns: {steps} since. Share in percent; blank: too young",
        values,
    )


def cohort_curves(study: RetentionStudy) -> Block | None:
    """Retention of a few contract cohorts, a year apart."""
    from analysis.exhibits.charts import Curve, survival
    from analysis.exhibits.charts.parts import as_text

    part = study.contract_cohorts
    if isinstance(part, NotDone):
        return absent("cohort_curves", part, "Cohort curves") if "b2c" in study.models else None
    apart = YEAR[part.period] if len(part.sizes) > YEAR[part.period] else 4
    curves = [
        Curve(
            name=step_label(one),
            points=[
                (float(age), part.cells[one, age]) for age in range(SHOWN + 1) if (one, age) in part.cells
            ],
            role=role,
        )
        for one, role in zip(
            list(part.sizes)[::apart], ("actual", "category-5", "good", "focus"), strict=False
        )
        if sum((one, age) in part.cells for age in range(SHOWN + 1)) > 1
    ]
    if not curves:
        return remark("cohort_curves", TOO_YOUNG)
    differ = any(finding.id == "retention.contract_cohorts" for finding in study.findings)
    return figure(
        "retention.cohort_curves",
        title=Sentence(
            "At least one cohort loses contracts unlike the others, beyond chance"
            if differ
            else "No cohort is shown to lose contracts unlike the others"
        ),
        subtitle=Sentence(
            "Share of contracts still running by {steps} since entry, with interval. Drawn: {names}; the title is of all cohorts, each against the others (Holm)",
            {"steps": _STEPS[part.period], "names": Text.joined(as_text(curve.name) for curve in curves)},
        ),
        foot=source(study),
        alt=Sentence("Curves of retention by age for a few quarters of entry."),
        draw=survival(
            curves,
            measure=Text.of("Still under contract"),
            age=_SINCE_ENTRY[part.period],
            age_unit="count",
            step=_STEP[part.period],
        ),
    )


COHORT_ROWS = 3
_BROUGHT = {"orders": Text.of("Orders"), "revenue": Text.of("Revenue"), "margin": Text.of("Margin")}


def cohort_table(study: RetentionStudy) -> Block | None:
    """What each cohort of buyers brought within a year, by first order, first product and first service."""
    groups = (
        (study.purchase_cohorts, Text.of("By first order")),
        (study.product_cohorts, Text.of("By first product")),
        (study.service_cohorts, Text.of("By first service")),
    )
    made = [(part, head) for part, head in groups if isinstance(part, Cohorts) and part.lines]
    if not made:
        return None
    lines = [line for part, _ in made for line in part.lines]
    columns = [
        label("cohort"),
        metric("cohort_size", of="size", head="Customers"),
        *(
            metric(
                TO_DATE[name],
                of=f"per_customer.{name}",
                head=_BROUGHT[name],
                scale="exact",
                places=2 if name == "orders" else 0,
            )
            for name in MEASURES
            if any(name in line.per_customer for line in lines)
        ),
        metric("cohort_retention_rate", of="rate", head="Active a year on"),
        interval("cohort_retention_rate", of="rate"),
        metric("cohort_gap", of="gap", head="Against the others", signed=True, better=None),
        interval("cohort_gap", of="gap", key="gap_interval"),
    ]
    rows: list[Row] = []
    for part, head in made:
        by = ("age", "churn_basis", "cohort", "cohort_by")
        rows.append(group(head, columns))
        rows += [row_of(line, columns, by=by, head=line.cohort) for line in _shown_lines(part)]
    lead = made[0][0].lines[-1]
    return table_of(
        "retention.cohort_values",
        title=Sentence(
            "Buyers of {cohort} placed {orders} within a year of their first",
            {"cohort": lead.cohort, "orders": lead.per_customer["orders"]},
        ),
        subtitle=Sentence(
            "Whole cohorts only: by time the latest {most}, by product the {most} largest, at most; orders, revenue and margin per customer within a year of the start of the cohort; intervals of the differences hold for all cohorts of a group together",
            {"most": str(COHORT_ROWS)},
        ),
        columns=columns,
        rows=rows,
        note=source(study),
    )


def _shown_lines(part: Cohorts) -> Sequence[CohortLine]:
    """The latest cohorts, or the largest of those by label."""
    return part.lines[:COHORT_ROWS] if part.grouping == "first_product" else part.lines[-COHORT_ROWS:]


def effects_table(study: RetentionStudy) -> Block | None:
    """What age, calendar time and cohort add beyond a straight line."""
    part = study.effects
    if isinstance(part, NotDone) or not part:
        return None
    return table_of(
        "retention.effects",
        title=Sentence("Age, calendar time and cohort: only bends can be told apart, straight lines cannot"),
        subtitle=Sentence(
            "What each adds to the loss of contracts beyond the other two; cohort plus age is calendar time, so a straight trend may belong to any of them"
        ),
        columns=[
            label("effect"),
            metric("effect_deviance", of="deviance", head="Deviance explained", places=1),
            count("effect_deviance", of="deviance", head="Degrees of freedom", key="degrees"),
            metric("effect_p_value", of="p_value", head="As much by chance"),
        ],
        rows=part,
        by=("effect",),
        note=source(study),
    )


# ---------------------------------------------------------------- survival


def survival_figure(study: RetentionStudy, dimension: str) -> Block:
    """Kaplan-Meier curves by group, with bands."""
    from analysis.exhibits.charts import Curve, survival

    part, place = study.survival, f"survival_{dimension}"
    if isinstance(part, NotDone):
        return absent(place, part, "Contract survival")
    groups = part.by.get(dimension, ())
    year = {one.label: fact for one in groups if (fact := dict(one.points)[12]).value is not None}
    if not year:
        return remark(place, Sentence("There are too few groups to compare."))
    curves = [
        Curve(
            name=one.label,
            points=[(float(age), fact) for age, fact in one.points if fact.value is not None],
            role=role,
        )
        for one, role in zip(groups, ("actual", "focus", "good", "category-5", "category-4"), strict=False)
    ]
    best, worst = (pick(year, key=lambda label: year[label].value or 0) for pick in (max, min))
    values: dict[str, Value] = {"best": best, "most": year[best], "worst": worst, "least": year[worst]}
    title, alt = _year_title(year[best], year[worst], values)
    return figure(
        f"retention.{place}",
        title=title,
        subtitle=Sentence(
            "Share of contracts that last beyond an age in months (Kaplan–Meier, pointwise intervals)"
        ),
        foot=source(study),
        alt=alt,
        draw=survival(curves, measure=Text.of("Contracts that last"), age=AGE, age_unit="months"),
    )


def _year_title(most: Fact, least: Fact, values: dict[str, Value]) -> tuple[Sentence, Sentence]:
    """The groups furthest apart after a year, where their intervals are apart; else only that these data settle no order: intervals that overlap do not show groups alike."""
    apart = (
        most.interval is not None and least.interval is not None and least.interval.high < most.interval.low
    )
    if not apart:
        return (
            Sentence("Which group keeps most of its contracts for a year is not settled"),
            Sentence("Survival curves of contracts by group; after a year their intervals overlap."),
        )
    return (
        Sentence(
            "Contracts that last a year: {best} {most}{most:doubt}, {worst} {least}{least:doubt}", values
        ),
        Sentence(
            "Survival curves of contracts by group; after a year {most} for {best} and {least} for {worst}.",
            values,
        ),
    )


def survival_table(study: RetentionStudy) -> Block | None:
    """Numbers at risk and mean time under contract by group."""
    part = study.survival
    if isinstance(part, NotDone):
        return None
    heads = {
        "segment": Text.of("Segment at the start"),
        "customer_type": registry().dimension_name("customer_type"),
        "contract_kind": registry().dimension_name("contract_kind"),
    }
    rows: list[Row] = []
    for dimension, groups in part.by.items():
        columns = _group_columns(dimension)
        rows += [group(heads[dimension], columns), *(row_of(one, columns, by=(dimension,)) for one in groups)]
    return table_of(
        "retention.at_risk",
        title=Sentence("How many contracts stand behind each curve, and how long they last"),
        subtitle=Sentence(
            "Contracts observed at each age; mean months under contract within the first 36 months. Blank: the first group of each part, which the others are held against"
        ),
        columns=_group_columns("segment"),
        rows=rows,
        note=source(study),
    )


def _group_columns(dimension: str) -> list[Field]:
    """The columns of the groups by one dimension; all of them have the same keys and heads."""
    mean, gap = "restricted_mean_tenure", "restricted_mean_tenure_difference"
    return [
        label(dimension, key="group", head="Group"),
        *(_risk_column(age) for age in MARKS),
        metric(mean, of="mean", head="Mean time within 36 months", unit="months"),
        interval(mean, of="mean", blank=True),
        metric(gap, of="difference", head="Against the first group", signed=True, better=None),
        interval(gap, of="difference", key="difference_interval", blank=True),
    ]


def _risk_column(age: int) -> Field:
    def at_risk(one: SurvivalGroup) -> Fact:
        return dict(one.at_risk)[age]

    head = phrase("At risk, month {age}", age=str(age))
    return metric("contracts_at_risk", of=at_risk, key=f"risk{age}", head=head, slice={"age": str(age)})


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
    _, reason, points = shown[0]
    values: dict[str, Value] = {"reason": reason, "share": points[-1][1]}
    return figure(
        "retention.incidence",
        title=_reason_title(shown, values | {"months": str(LIMIT_MONTHS)}),
        subtitle=Sentence(
            "Cumulative share of contracts lost by recorded reason and age in months (Aalen–Johansen), the largest reasons"
        ),
        foot=source(study),
        alt=Sentence("Curves of cumulative loss by reason; the largest is {reason} with {share}.", values),
        draw=survival(curves, measure=Text.of("Lost for this reason"), age=AGE, age_unit="months"),
    )


def _reason_title(
    shown: Sequence[tuple[str, Text, Sequence[tuple[int, Fact]]]], values: dict[str, Value]
) -> Sentence:
    """The first reason, called the largest only where its interval lies above that of the next; else the order is not settled, which is not the same as equal."""
    lead = shown[0][2][-1][1]
    if len(shown) > 1 and _overlap(lead, shown[1][2][-1][1]):
        text = "Which takes more contracts, {reason} or {next}, is not settled: {share}{share:doubt} and {other}{other:doubt} within {months} months"
        return Sentence(text, values | {"next": shown[1][1], "other": shown[1][2][-1][1]})
    return Sentence(
        "{reason} takes most contracts: {share} ({share:interval}) within {months} months", values
    )


def _overlap(larger: Fact, smaller: Fact) -> bool:
    return larger.interval is None or smaller.interval is None or smaller.interval.high >= larger.interval.low
