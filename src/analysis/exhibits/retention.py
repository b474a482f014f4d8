"""Exhibits of the retention section: result in, block out, no arithmetic beyond layout."""

from __future__ import annotations

from analysis.exhibits.blocks import (
    Block,
    Column,
    Comparison,
    Row,
    Tile,
    callout,
    figure,
    not_computed,
    table,
    tiles,
)
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

CONTRACTS = Text(en="Contracts", zh="合同型")
PURCHASES = Text(en="Purchases", zh="非合同型（购买）")
AGE = Text(en="Age of the contract", zh="合同账龄")
_MOVEMENT = {
    "start": Text(en="Present at start", zh="期初客户"),
    "retained": Text(en="Retained", zh="留存"),
    "lost": Text(en="Lost", zh="流失"),
    "new": Text(en="New, present at end", zh="新增（期末在册）"),
    "reactivated": Text(en="Reactivated, present at end", zh="重新激活（期末在册）"),
    "end": Text(en="Present at end", zh="期末客户"),
    "won_and_lost": Text(en="Won and lost within the period", zh="当期得而复失"),
}
_RATES = (
    ("gross_churn", Text(en="Gross churn rate", zh="总流失率")),
    ("retention", Text(en="Customer retention rate", zh="客户留存率")),
    ("net_loss", Text(en="Net loss, (start − end) ÷ start", zh="净减少率（期初 − 期末）÷ 期初")),
    (
        "popular_retention",
        Text(en="Popular retention, (end − new) ÷ start", zh="常用留存率（期末 − 新增）÷ 期初"),
    ),
)
_EXPOSURE = {
    "slow": Text(en="Complaint answered after 24 hours", zh="投诉超过 24 小时才答复"),
    "prompt": Text(en="Complaint answered within 24 hours", zh="投诉在 24 小时内答复"),
    "repeat": Text(en="Repeat repair within 30 days", zh="30 天内重复维修"),
    "low": Text(en="Satisfaction score of 1 or 2", zh="满意度 1–2 分"),
    "waited": Text(en="First request answered after 24 hours", zh="首次求助超过 24 小时才答复"),
    "asked": Text(en="First request answered within 24 hours", zh="首次求助在 24 小时内答复"),
    "followed": Text(en="First repair took more than one contact", zh="首次维修需多次联系"),
    "repaired": Text(en="First repair took one contact", zh="首次维修一次解决"),
}
_MODEL = {
    "response": Text(en="against answered sooner", zh="与及时答复者比"),
    "resolution": Text(en="against one contact", zh="与一次解决者比"),
    "total": Text(en="adjusted", zh="已调整"),
    "total_repeat": Text(en="total effect", zh="总效应"),
    "mediation": Text(en="satisfaction held fixed (mediation)", zh="固定满意度（中介模型）"),
    "unadjusted": Text(en="not adjusted for segment", zh="未按分层调整"),
    "naive": Text(en="naive: ever against never", zh="朴素做法：曾有与从无"),
}
_STEP = {
    "week": Text(en="week", zh="周"),
    "month": Text(en="month", zh="月"),
    "quarter": Text(en="quarter", zh="季度"),
    "year": Text(en="year", zh="年"),
}
_STEPS = {
    "week": Text(en="weeks", zh="周"),
    "month": Text(en="months", zh="月"),
    "quarter": Text(en="quarters", zh="季度"),
    "year": Text(en="years", zh="年"),
}
_VERDICT = {
    "holds": Text(en="holds", zh="成立"),
    "reversed": Text(en="reversed", zh="方向相反"),
    "not_shown": Text(en="not shown", zh="未显示"),
}
_SEVERITY = {
    "all": Text(en="all severities", zh="全部严重程度"),
    "minor": Text(en="minor", zh="轻微"),
    "major": Text(en="major", zh="较重"),
    "critical": Text(en="critical", zh="严重"),
}
_ARM = {"good": Text(en="Served well", zh="服务正常"), "bad": Text(en="Served badly", zh="服务不佳")}


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
        (study.contractual, Text(en="Gross churn, contracts, 12 months", zh="合同总流失率（12 个月）")),
        (study.non_contractual, Text(en="Gross churn, purchases, 12 months", zh="购买型总流失率（12 个月）")),
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
                        Comparison(
                            label=Text(en="Net loss rate", zh="净减少率"),
                            value=part.year.net_loss,
                            signed=False,
                        )
                    ],
                )
            )
    if isinstance(study.revenue, tuple):
        shown.append(
            Tile(
                label=Text(en="Gross revenue retention", zh="总收入留存率"),
                fact=study.revenue[0].gross,
                comparisons=[
                    Comparison(
                        label=Text(en="Net revenue retention", zh="净收入留存率"),
                        value=study.revenue[0].net,
                        signed=False,
                    )
                ],
            )
        )
    if not isinstance(study.early_warning, NotDone):
        shown.append(
            Tile(
                label=Text(
                    en=f"Expected losses, {study.early_warning.horizon} months",
                    zh=f"预期流失（{study.early_warning.horizon} 个月）",
                ),
                fact=study.early_warning.expected_losses,
                comparisons=[
                    Comparison(
                        label=Text(en="Margin at risk", zh="风险毛利"),
                        value=study.early_warning.margin,
                        signed=False,
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
        refused = _refused(study.contractual, "components", Text(en="Churn components", zh="流失构成"))
        return refused or callout(
            "retention.components",
            tone="info",
            title=Sentence("No churn figures: the data hold neither contracts nor repeated orders."),
        )
    columns = [Column(key="line", label=Text(en="Customers", zh="客户"), wide=True)]
    for part, label in both:
        columns += [
            Column(key=part.basis, label=_pair(label, Text(en="12 months", zh="12 个月"))),
            Column(key=f"{part.basis}_month", label=_pair(label, Text(en="this month", zh="本月"))),
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
    columns = [Column(key="line", label=Text(en="Rate", zh="比率"), wide=True)]
    for part, label in both:
        columns += [
            Column(key=part.basis, label=_pair(label, Text(en="12 months", zh="12 个月"))),
            Column(key=f"{part.basis}_interval", label=Text(en="Interval", zh="区间"), show="interval"),
            Column(key=f"{part.basis}_month", label=_pair(label, Text(en="this month", zh="本月"))),
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
        rows.append(Row(cells=cells))  # type: ignore[arg-type]
    model, purchases = study.model_churn, study.non_contractual
    title = Sentence("Losing and winning apart: the popular formulas hide what gross churn shows")
    if isinstance(model, Fact) and isinstance(purchases, ChurnBasis):
        rows.insert(
            1,
            Row(
                cells={
                    "line": Text(en="Gross churn by the purchase model", zh="购买模型估计的总流失率"),
                    purchases.basis: model,
                }
            ),
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
    refused = _refused(study.contractual, "by_type", Text(en="Churn by customer type", zh="按客户类型的流失"))
    if not lines:
        return refused or callout(
            "retention.by_type",
            tone="info",
            title=Sentence("No churn figures: the data hold neither contracts nor repeated orders."),
        )
    money = {line.customer_type: line for line in study.revenue} if isinstance(study.revenue, tuple) else {}
    columns = [
        Column(key="type", label=Text(en="ChurnBasis and customer type", zh="口径与客户类型"), wide=True),
        Column(key="start", label=Text(en="At start", zh="期初")),
        Column(key="lost", label=Text(en="Lost", zh="流失")),
        Column(key="churn", label=Text(en="Gross churn", zh="总流失率")),
        Column(key="interval", label=Text(en="Interval", zh="区间"), show="interval"),
        Column(key="value", label=Text(en="Yearly value at start", zh="期初年度合同额")),
        Column(key="gross", label=Text(en="Gross revenue retention", zh="总收入留存率")),
        Column(key="net", label=Text(en="Net revenue retention", zh="净收入留存率")),
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
    )


def _type(value: str) -> Text:
    return {
        "b2b": Text(en="business", zh="企业客户"),
        "b2c": Text(en="consumers", zh="个人客户"),
        "not_stated": Text(en="type not stated", zh="类型未说明"),
    }.get(value, Text.same(value))


def churn_history_figure(study: RetentionStudy) -> Block:
    """Yearly gross churn month by month against its limit."""
    from analysis.exhibits.charts import Item, Series, lines

    part = study.contractual
    refused = _refused(part, "history", Text(en="Gross churn over time", zh="总流失率走势"))
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
            [Series(name=Text(en="Gross churn", zh="总流失率"), points=points, role="focus")],
            measure=Text(en="Gross churn", zh="总流失率"),
            reference=Item(name=Text(en="Limit", zh="警戒线"), fact=study.limit),
        ),
    )


def reasons_figure(study: RetentionStudy) -> Block:
    """Recorded reasons, avoidable ones in the focus colour."""
    from analysis.exhibits.charts import Item, ranked_bars

    refused = _refused(study.reasons, "reasons", Text(en="Reasons of losses", zh="流失原因"))
    if refused or not isinstance(study.reasons, tuple):
        return refused or callout(
            "retention.reasons", tone="info", title=Sentence("No reasons of losses are recorded.")
        )
    lines, avoidable = study.reasons
    mark = {
        True: Text(en="avoidable", zh="可避免"),
        False: Text(en="unavoidable", zh="不可避免"),
        None: Text(en="not marked", zh="未标记"),
    }
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
        draw=ranked_bars(
            items, measure=Text(en="Share of losses", zh="流失占比"), by=Text(en="Reason", zh="原因")
        ),
    )


_REASONS = {
    "price": Text(en="Price", zh="价格"),
    "competitor": Text(en="Competitor", zh="竞争对手"),
    "moved": Text(en="Moved", zh="搬迁"),
    "closed business": Text(en="Closed business", zh="停业"),
    "no longer needed": Text(en="No longer needed", zh="不再需要"),
    "service": Text(en="Service", zh="服务"),
    "not_stated": Text(en="Not stated", zh="未说明"),
}


def _reason(study: RetentionStudy, reason: str) -> Text:
    return _REASONS.get(reason, Text.same(reason))


def renewals_figure(study: RetentionStudy) -> Block | None:
    """Contract value that comes up for renewal, month by month."""
    from analysis.exhibits.charts import Series, composition

    if "b2b" not in study.models:
        return None
    refused = _refused(study.renewals, "renewals", Text(en="Renewal calendar", zh="续约日历"))
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
        draw=composition(series, measure=Text(en="Contract value", zh="合同额")),
    )


# -- cohorts -----------------------------------------------------------------------------------------------------------


def cohort_heatmap(study: RetentionStudy, basis: str) -> Block | None:
    """Retention by cohort and age; a cell of a cohort that is too young is blank."""
    from analysis.exhibits.charts import heatmap

    if "b2c" not in study.models:
        return _left_out(study, "b2c", f"cohorts_{basis}") if basis == "contractual" else None
    part = study.contract_cohorts if basis == "contractual" else study.purchase_cohorts
    refused = _refused(part, f"cohorts_{basis}", Text(en="Cohorts", zh="队列"))
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
            measure=Text(en="Retention", zh="留存率"),
            by=Text(en="Cohort", zh="队列"),
            places=0 if basis == "contractual" else 1,
        ),
    )


def cohort_curves(study: RetentionStudy) -> Block | None:
    """Retention of a few contract cohorts, a year apart."""
    from analysis.exhibits.charts import Curve, survival

    part = study.contract_cohorts
    if "b2c" not in study.models:
        return None
    refused = _refused(part, "cohort_curves", Text(en="Cohort curves", zh="队列曲线"))
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
            measure=Text(en="Still under contract", zh="仍在合同期"),
            age=Text(
                en=f"{_STEPS[part.period].en.capitalize()} since entry",
                zh=f"进入后{_STEPS[part.period].zh}数",
            ),
            age_unit="count",
        ),
    )


def cohort_table(study: RetentionStudy) -> Block | None:
    """What each cohort of buyers brought within a year, by first order, first product and first service."""
    groups = (
        (study.purchase_cohorts, Text(en="By first order", zh="按首次订单")),
        (study.product_cohorts, Text(en="By first product", zh="按首个产品")),
        (study.service_cohorts, Text(en="By first service", zh="按首次服务")),
    )
    made = [(part, head) for part, head in groups if isinstance(part, Cohorts) and part.lines]
    if not made or "b2c" not in study.models:
        return None
    measures = [
        name
        for name in ("orders", "revenue", "margin")
        if any(name in line.per_customer for part, _ in made for line in part.lines)
    ]
    labels = {
        "orders": Text(en="Orders", zh="订单"),
        "revenue": Text(en="Revenue", zh="收入"),
        "margin": Text(en="Margin", zh="毛利"),
    }
    columns = [
        Column(key="cohort", label=Text(en="Cohort", zh="队列"), wide=True),
        Column(key="size", label=Text(en="Customers", zh="客户")),
        *(
            Column(key=name, label=labels[name], scale="exact", places=2 if name == "orders" else 0)
            for name in measures
        ),
        Column(key="rate", label=Text(en="Active a year on", zh="一年后活跃")),
        Column(key="interval", label=Text(en="Interval", zh="区间"), show="interval"),
        Column(key="gap", label=Text(en="Against the others", zh="与其他队列之差"), signed=True),
        Column(key="gap_interval", label=Text(en="Interval", zh="区间"), show="interval"),
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
            rows.append(Row(cells=cells))  # type: ignore[arg-type]
    lead = made[0][0].lines[-1]
    return table(
        "retention.cohort_values",
        title=Sentence(
            "Buyers of {cohort} placed {orders} within a year of their first",
            {"cohort": lead.cohort, "orders": lead.per_customer["orders"]},
        ),
        subtitle=Sentence(
            "Whole cohorts only; orders, revenue and margin to date a customer; intervals of the differences hold for all cohorts of a group together"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
    )


_COHORT_ROWS = 3


def _not_stated(value: str) -> Text:
    return Text(en="not stated", zh="未说明") if value == "not_stated" else Text.same(value)


def effects_table(study: RetentionStudy) -> Block | None:
    """What age, calendar time and cohort add beyond a straight line."""
    part = study.effects
    if not isinstance(part, tuple) or not part:
        return None
    names = {
        "age": Text(en="Age of the contract", zh="合同账龄"),
        "calendar": Text(en="Calendar time", zh="日历时间"),
        "cohort": Text(en="Cohort of entry", zh="进入队列"),
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
            Column(key="effect", label=Text(en="Effect", zh="效应"), wide=True),
            Column(key="deviance", label=Text(en="Deviance explained", zh="解释的偏差"), places=1),
            Column(key="degrees", label=Text(en="Degrees of freedom", zh="自由度"), show="n"),
            Column(key="p_value", label=Text(en="As much by chance", zh="偶然出现的概率"), places=1),
        ],
        rows=rows,
        note=_source(study),
    )


# -- survival ----------------------------------------------------------------------------------------------------------


def survival_figure(study: RetentionStudy, dimension: str) -> Block:
    """Kaplan-Meier curves by group, with bands."""
    from analysis.exhibits.charts import Curve, survival

    part = study.survival
    refused = _refused(part, f"survival_{dimension}", Text(en="Contract survival", zh="合同存续"))
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
        draw=survival(
            curves, measure=Text(en="Contracts that last", zh="合同存续率"), age=AGE, age_unit="months"
        ),
    )


def survival_table(study: RetentionStudy) -> Block | None:
    """Numbers at risk and mean time under contract by group."""
    part = study.survival
    if isinstance(part, NotDone):
        return None
    columns = [Column(key="group", label=Text(en="Group", zh="分组"), wide=True)]
    columns += [
        Column(key=f"risk{age}", label=Text(en=f"At risk, month {age}", zh=f"第 {age} 月在险"))
        for age in MARKS
    ]
    columns += [
        Column(
            key="mean", label=Text(en="Mean time within 36 months", zh="36 个月内平均时长"), unit="months"
        ),
        Column(key="interval", label=Text(en="Interval", zh="区间"), show="interval"),
        Column(key="difference", label=Text(en="Against the first group", zh="与首组之差"), signed=True),
        Column(key="difference_interval", label=Text(en="Interval", zh="区间"), show="interval"),
    ]
    heads = {
        "segment": Text(en="Segment at the start", zh="期初分层"),
        "customer_type": Text(en="Customer type", zh="客户类型"),
        "contract_kind": Text(en="Contract", zh="合同种类"),
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
        draw=survival(
            curves, measure=Text(en="Lost for this reason", zh="因该原因流失"), age=AGE, age_unit="months"
        ),
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
    refused = _refused(part, "drivers", Text(en="Service experience and loss", zh="服务经历与流失"))
    if refused or isinstance(part, NotDone):
        return refused or callout(
            "retention.drivers", tone="info", title=Sentence("No service experience to compare.")
        )
    extra = {("low", "mediation"): Text(en="mediation model", zh="中介模型")}
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
            measure=Text(en="Hazard ratio", zh="风险比"),
            by=Text(en="Experience and model", zh="经历与模型"),
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
            Column(key="what", label=Text(en="Experience", zh="服务经历"), wide=True),
            Column(key="n", label=Text(en="Losses after it", zh="其后流失"), show="n"),
            Column(key="ratio", label=Text(en="Hazard ratio", zh="风险比")),
            Column(key="ratio_interval", label=Text(en="Interval", zh="区间"), show="interval"),
            Column(key="difference", label=Text(en="Lost in 12 months", zh="12 个月流失差"), signed=True),
            Column(key="difference_interval", label=Text(en="Interval", zh="区间"), show="interval"),
            Column(key="statistic", label=Text(en="Change with age", zh="随账龄变化"), places=1),
            Column(key="constant", label=Text(en="As much by chance", zh="偶然概率"), places=0),
        ],
        rows=rows,
        note=_source(study),
    )


def chain_figure(study: RetentionStudy) -> Block:
    """The chain's links with their strengths."""
    from analysis.exhibits.charts import Item, dot_interval

    part = study.chain
    refused = _refused(part, "chain", Text(en="The chain, link by link", zh="逐环检验"))
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
        draw=dot_interval(
            items, measure=Text(en="Ratio", zh="比值"), by=Text(en="Link", zh="环节"), reference=1.0, log=True
        ),
    )


def _link_name(link: Link) -> Text:
    verdict = _VERDICT[link.verdict]
    return Text(en=f"{link.label.en} ({verdict.en})", zh=f"{link.label.zh}（{verdict.zh}）")


# -- repurchase --------------------------------------------------------------------------------------------------------


def repurchase_table(study: RetentionStudy) -> Block:
    """Served customers beside their matches."""
    part = study.repurchase
    refused = _refused(part, "repurchase", Text(en="Repurchase after service", zh="服务后复购"))
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
            Column(
                key="group", label=Text(en="Service and worst severity", zh="服务与最高严重程度"), wide=True
            ),
            Column(key="window", label=Text(en="Within", zh="窗口")),
            Column(key="n", label=Text(en="Customers", zh="客户"), show="n"),
            Column(key="served", label=Text(en="Bought again", zh="再次购买")),
            Column(key="matched", label=Text(en="Matched", zh="匹配客户")),
            Column(key="difference", label=Text(en="Difference", zh="差异"), signed=True),
            Column(key="interval", label=Text(en="Interval", zh="区间"), show="interval"),
        ],
        rows=rows,
        note=_source(study),
    )


def _months(number: int) -> Text:
    return Text(en=f"{number} months", zh=f"{number} 个月")


def leaving_table(study: RetentionStudy) -> Block:
    """Losses after a repair beside matched customers who never asked for service."""
    part = study.loss_after_repair
    refused = _refused(part, "leaving", Text(en="Losses after a repair", zh="维修后流失"))
    if refused or not isinstance(part, tuple):
        return refused or callout(
            "retention.leaving", tone="info", title=Sentence("No window after a repair has closed yet.")
        )
    names = {
        "repaired": Text(en="Repaired, no repeat", zh="维修，未重复"),
        "repeated": Text(en="Repeat repair within 30 days", zh="30 天内重复维修"),
    }
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
            Column(key="group", label=Text(en="Service", zh="服务"), wide=True),
            Column(key="n", label=Text(en="Customers", zh="客户"), show="n"),
            Column(key="served", label=Text(en="Left", zh="流失")),
            Column(key="matched", label=Text(en="Matched", zh="匹配客户")),
            Column(key="difference", label=Text(en="Difference", zh="差异"), signed=True),
            Column(key="interval", label=Text(en="Interval", zh="区间"), show="interval"),
        ],
        rows=rows,
        note=_source(study),
    )


# -- accounts ----------------------------------------------------------------------------------------------------------


def accounts_tiles(study: RetentionStudy) -> Block | None:
    """How many accounts, what they are worth, how concentrated that is, and what comes up."""
    left = _left_out(study, "b2b", "accounts_of")
    part = study.accounts
    if left or isinstance(part, NotDone):
        return left or _refused(study.accounts, "accounts_of", Text(en="Business accounts", zh="企业客户"))
    months = Text(en=f"Up for renewal within {HORIZON} months", zh=f"{HORIZON} 个月内待续约")
    return tiles(
        "retention.accounts_of",
        [
            Tile(
                label=Text(en="Business accounts under contract", zh="合同期内企业客户"),
                fact=part.number,
                comparisons=[
                    Comparison(label=Text(en="Yearly value", zh="年度合同额"), value=part.value, signed=False)
                ],
            ),
            Tile(
                label=Text(en="Held by the ten largest", zh="十大客户占合同额"),
                fact=part.ten_share,
                comparisons=[
                    Comparison(
                        label=Text(en="By the largest tenth", zh="前十分之一客户"),
                        value=part.top_share,
                        signed=False,
                    )
                ],
            ),
            Tile(label=Text(en="Equal-sized accounts", zh="等效客户数"), fact=part.equal_accounts),
            Tile(
                label=months,
                fact=part.due_number,
                comparisons=[
                    Comparison(
                        label=Text(en="Yearly value", zh="年度合同额"), value=part.due_value, signed=False
                    )
                ],
            ),
        ],
    )


_KINDS = {
    "subscription": Text(en="subscription", zh="订阅"),
    "maintenance": Text(en="maintenance", zh="维保"),
}
_WHERE = (
    Column(key="rank", label=Text(en="Rank", zh="名次")),
    Column(key="segment", label=Text(en="Segment", zh="分层")),
    Column(key="region", label=Text(en="Region", zh="区域")),
)


def largest_accounts_table(study: RetentionStudy) -> Block | None:
    """The largest business accounts by rank, a year ago and now; their numbers stand in the evidence, never on a page."""
    part = study.accounts
    if isinstance(part, NotDone):
        return None
    lost = Text(en="lost", zh="已流失")
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
        )  # type: ignore[dict-item]
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
            Column(key="kind", label=Text(en="Contract", zh="合同")),
            Column(
                key="before", label=Text(en="Value a year ago", zh="一年前合同额"), scale="exact", places=0
            ),
            Column(key="value", label=Text(en="Value now", zh="当前合同额"), scale="exact", places=0),
            Column(key="kept", label=Text(en="Kept", zh="留存")),
            Column(key="due", label=Text(en="Term ends", zh="到期日")),
            Column(key="chance", label=Text(en="Chance of loss", zh="流失概率")),
        ],
        rows=rows,
        note=_source(study),
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
        )  # type: ignore[dict-item]
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
            Column(key="due", label=Text(en="Term ends", zh="到期日")),
            Column(key="value", label=Text(en="Yearly value", zh="年度合同额"), scale="exact", places=0),
            Column(key="chance", label=Text(en="Chance of loss", zh="流失概率")),
            Column(key="risk", label=Text(en="Value at risk", zh="风险合同额"), scale="exact", places=0),
        ],
        rows=rows,
        note=_source(study),
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
    known = {
        "standard": Text(en="Standard", zh="标准"),
        "gold": Text(en="Gold", zh="金牌"),
        "key": Text(en="Key account", zh="重点"),
    }
    return known.get(value, _not_stated(value))


# -- early warning -----------------------------------------------------------------------------------------------------


def score_table(study: RetentionStudy) -> Block:
    """How good the score is on a later snapshot, and what is at stake."""
    part = study.early_warning
    refused = _refused(part, "scores", Text(en="Early warning", zh="流失预警"))
    if refused or isinstance(part, NotDone):
        return refused or callout(
            "retention.scores", tone="info", title=Sentence("No score can be learnt from these data.")
        )
    chosen = (
        Text(en="gradient boosting", zh="梯度提升")
        if part.scores.chosen == "boosting"
        else Text(en="logistic regression", zh="逻辑回归")
    )
    lines = (
        (Text(en="Lost among the customers the team can call", zh="容量内客户中的流失"), part.precision),
        (Text(en="Lost among all customers", zh="全部客户中的流失"), part.base_rate),
        (Text(en="Lift", zh="提升倍数"), part.lift),
        (Text(en="Discrimination (0.5 is a coin)", zh="区分度（0.5 为掷硬币）"), part.auc),
        (
            Text(
                en=f"Expected losses in the next {part.horizon} months",
                zh=f"未来 {part.horizon} 个月预期流失",
            ),
            part.expected_losses,
        ),
        (Text(en="Expected margin at risk, all customers", zh="全部客户的预期风险毛利"), part.margin),
        (Text(en="Expected margin at risk, call list", zh="联系名单的预期风险毛利"), part.margin_called),
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
            Column(key="line", label=Text(en="Early warning", zh="流失预警"), wide=True),
            Column(key="value", label=Text(en="Value", zh="数值")),
            Column(key="interval", label=Text(en="Interval", zh="区间"), show="interval"),
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
        Item(
            name=Text(en=f"Tenth {index + 1}", zh=f"第 {index + 1} 十分位"),
            fact=part.observed[index],
            role="focus",
        )
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
            measure=Text(en=f"Lost within {part.horizon} months", zh=f"{part.horizon} 个月内流失"),
            by=Text(en="Tenth of the score", zh="评分十分位"),
            beside=(Text(en="Expected", zh="预期"), [part.expected[index] for index in tenths]),
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
            Column(key="month", label=Text(en="Snapshot", zh="快照"), wide=True),
            Column(key="expected", label=Text(en="Expected losses", zh="预期流失")),
            Column(key="lost", label=Text(en="Lost", zh="流失")),
            Column(key="auc", label=Text(en="Discrimination", zh="区分度")),
            Column(key="auc_interval", label=Text(en="Interval", zh="区间"), show="interval"),
            Column(key="precision", label=Text(en="Lost among called", zh="联系客户中的流失")),
            Column(key="base", label=Text(en="Lost among all", zh="全部客户中的流失")),
        ],
        rows=rows,
        note=_source(study),
    )


def calls_table(study: RetentionStudy) -> Block | None:
    """The head of the call list, without identifiers."""
    part = study.early_warning
    if "b2c" not in study.models:
        return _left_out(study, "b2c", "calls")
    if isinstance(part, NotDone) or not part.first_calls:
        return None
    kinds = {"b2b": Text(en="business", zh="企业"), "b2c": Text(en="consumer", zh="个人")}
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
            Column(key="rank", label=Text(en="Rank", zh="名次")),
            Column(key="type", label=Text(en="Customer", zh="客户")),
            Column(key="segment", label=Text(en="Segment", zh="分层")),
            Column(key="chance", label=Text(en="Chance of loss", zh="流失概率")),
            Column(key="margin", label=Text(en="Margin at risk", zh="风险毛利"), scale="exact", places=0),
            Column(key="reasons", label=Text(en="Raised by", zh="主要推高因素"), wide=True),
        ],
        rows=rows,
        note=_source(study),
    )
