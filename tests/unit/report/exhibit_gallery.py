"""One block of every kind and one chart of every form, on made-up numbers: what tests and eyes look at."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.errors import MissingData
from analysis.exhibits import charts
from analysis.exhibits.charts import Curve, Item, Series
from analysis.exhibits.figures import figure
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.record import Block
from analysis.exhibits.statements import (
    EvidenceFile,
    callout,
    checks_block,
    evidence_block,
    facts_block,
    findings_block,
    not_computed,
)
from analysis.exhibits.style import Drawing
from analysis.exhibits.tables import table
from analysis.exhibits.vocabulary import Column, Comparison, Row, Tile
from analysis.locale import Text
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Interval, Sentence

MONTH = Month(2026, 10)
AS_OF = dt.date(2026, 11, 5)
REGIONS = (
    Text("South", "华南"),
    Text("East", "华东"),
    Text("North", "华北"),
    Text("West", "西部"),
    Text("Central", "华中"),
)
CATEGORIES = (
    Text("Spare parts", "备件"),
    Text("Labour", "人工"),
    Text("Logistics", "物流"),
    Text("Outsourcing", "外包"),
    Text("Compensation", "赔付"),
)
SOURCES = ("tickets", "ledger")


def without_value(
    metric: str, period: str, unit: str, *needs: str, dimensions: Mapping[str, str] | None = None
) -> Fact:
    """A fact that says which table or column it lacks."""
    names = ", ".join(needs)
    reason = Text.filled("not computed: needs {names}", names=names)
    return Fact(
        metric=metric, period=period, unit=unit, value=None, reason=reason, dimensions=dimensions or {}
    )


def money(name: str, value: str | int, period: str = str(MONTH), **dimensions: str) -> Fact:
    return Fact(
        metric=name,
        period=period,
        unit="CNY",
        value=Decimal(value),
        dimensions=dimensions,
        formula="Sum of ledger amounts with basis incurred or recovery",
        sources=SOURCES,
    )


def share(name: str, value: float, *, n: int = 900, period: str = str(MONTH), **dimensions: str) -> Fact:
    half = 1.96 * math.sqrt(value * (1 - value) / n)
    return Fact(
        metric=name,
        period=period,
        unit="share",
        value=value,
        dimensions=dimensions,
        numerator=round(value * n),
        denominator=n,
        n=n,
        interval=Interval(
            low=max(0.0, value - half), high=min(1.0, value + half), level=0.95, method="Wilson score"
        ),
        formula="Complaints ÷ service orders other than complaints and inquiries",
        sources=("tickets",),
    )


def ratio(value: float, **dimensions: str) -> Fact:
    return Fact(
        metric="failure_rate_ratio",
        period=str(MONTH),
        unit="ratio",
        value=value,
        dimensions=dimensions,
        n=400,
        interval=Interval(low=value / 1.3, high=value * 1.35, level=0.95, method="exact Poisson"),
        sources=("tickets", "units"),
    )


def months(count: int, last: Month = MONTH) -> list[Month]:
    return [last - (count - 1 - index) for index in range(count)]


def wave(count: int, level: float, seed: int) -> list[float]:
    noise = random.Random(seed)
    return [level * (1 + 0.12 * math.sin(index / 2) + 0.05 * noise.random()) for index in range(count)]


def cost_series(count: int = 13) -> list[Series]:
    series = []
    for index, name in enumerate(CATEGORIES):
        values = wave(count, 1_900_000 / (index + 1), index)
        points = [
            (month, money("after_sales_cost", round(value), str(month), category=name.en))
            for month, value in zip(months(count), values, strict=True)
        ]
        series.append(Series(name=name, points=points))
    recoveries = [
        (month, money("after_sales_cost", -180_000, str(month), category="recoveries"))
        for month in months(count)
    ]
    return [*series, Series(name=Text("Supplier recoveries", "供应商追偿"), points=recoveries)]


def cost_totals(series: Sequence[Series]) -> Series:
    sums: dict[Month, Decimal] = {}
    for one in series:
        for month, fact in one.points:
            sums[month] = sums.get(month, Decimal(0)) + Decimal(fact.value)  # type: ignore[arg-type]
    return Series(
        name=Text("Total", "合计"),
        points=[(month, money("after_sales_cost", str(total), str(month))) for month, total in sums.items()],
    )


def rate_series(name: Text, level: float, seed: int, *, count: int = 24, role: str = "actual") -> Series:
    points = [
        (month, share("complaint_ticket_rate", value, period=str(month), line=name.en))
        for month, value in zip(months(count), wave(count, level, seed), strict=True)
    ]
    return Series(name=name, points=points, role=role)


def drawings() -> dict[str, Drawing]:
    """A drawing of every chart function."""
    cost = Text("After-sales cost", "售后成本")
    rate = Text("Complaint rate", "投诉率")
    by_region = [
        Item(
            name=name,
            fact=share("complaint_ticket_rate", 0.16 - 0.021 * i, n=180 + 300 * i, region=name.en),
            role="focus" if i == 0 else "actual",
        )
        for i, name in enumerate(REGIONS)
    ]
    lost = without_value(
        "complaint_ticket_rate", str(MONTH), "share", "tickets.kind", dimensions={"region": "Overseas"}
    )
    by_region.append(Item(name=Text("Overseas", "海外"), fact=lost))
    average = Item(
        name=Text("All regions", "全部区域"), fact=share("complaint_ticket_rate", 0.112, n=4000), role="muted"
    )
    steps = [
        ("Volume", "业务量", 214_300),
        ("Mix", "结构", -86_120),
        ("Price of parts", "备件价格", 402_877),
        ("Productivity", "效率", -131_500),
    ]
    start, end = 4_812_345, 4_812_345 + sum(amount for *_, amount in steps)
    bridge = [
        Item(name=Text(en, zh), fact=money("cost_bridge", amount, effect=en)) for en, zh, amount in steps
    ]
    costs = cost_series()
    long = Text(
        "Compressor start relay, second supplier, old revision", "压缩机启动继电器（第二供应商，旧版本）"
    )
    parts = [
        ("Compressor", "压缩机"),
        (long.en, long.zh),
        ("Control board", "控制板"),
        ("Fan motor", "风机电机"),
        ("Door seal", "门封"),
    ]
    amounts = [812_000, 611_000, 402_000, 190_000, 88_000]
    fault_items = [
        Item(name=Text(en, zh), fact=money("cost_by_part", amount, part=en))
        for (en, zh), amount in zip(parts, amounts, strict=True)
    ]
    running = [sum(amounts[: i + 1]) / sum(amounts) for i in range(5)]
    cumulative = [
        Fact(
            metric="cumulative_cost_share",
            period=str(MONTH),
            unit="share",
            value=value,
            dimensions={"rank": str(i + 1)},
        )
        for i, value in enumerate(running)
    ]
    tall = rate_series(Text("Complaint rate", "投诉率"), 0.1, 3)
    levels = {"centre": 0.1, "upper": 0.128, "lower": 0.074}
    limits = {
        key: Series(
            name=name,
            points=[
                (
                    m,
                    Fact(
                        metric=f"control_{key}",
                        period=str(m),
                        unit="share",
                        value=levels[key] + 0.004 * (i % 2),
                    ),
                )
                for i, (m, _) in enumerate(tall.points)
            ],
        )
        for key, name in {
            "centre": Text("Mean", "均值"),
            "upper": Text("Upper limit", "上限"),
            "lower": Text("Lower limit", "下限"),
        }.items()
    }
    history = Series(name=Text("Cost", "成本"), points=cost_totals(cost_series(24)).points)
    ahead = [MONTH + k for k in range(1, 7)]
    forecast = Series(
        name=Text("Forecast", "预测"),
        role="focus",
        points=[
            (
                m,
                Fact(
                    metric="cost_forecast",
                    period=str(m),
                    unit="CNY",
                    value=4_400_000.0 + 60_000 * k,
                    interval=Interval(
                        low=4_400_000.0 - 200_000 * k,
                        high=4_400_000.0 + 330_000 * k,
                        level=0.95,
                        method="simulation",
                    ),
                ),
            )
            for k, m in enumerate(ahead, start=1)
        ],
    )
    narrow = Series(
        name=Text("80% interval", "80% 区间"),
        role="focus",
        points=[
            (
                m,
                Fact(
                    metric="cost_forecast",
                    period=str(m),
                    unit="CNY",
                    value=4_400_000.0 + 60_000 * k,
                    dimensions={"level": "80"},
                    interval=Interval(
                        low=4_400_000.0 - 100_000 * k,
                        high=4_400_000.0 + 200_000 * k,
                        level=0.8,
                        method="simulation",
                    ),
                ),
            )
            for k, m in enumerate(ahead, start=1)
        ],
    )
    ages = list(range(0, 25, 2))
    curves = [
        Curve(
            name=name,
            role=role,
            points=[
                (
                    age,
                    share(
                        "retention",
                        max(0.02, math.exp(-hazard * age)) if age else 0.9999,
                        n=400,
                        age=str(age),
                        tier=name.en,
                    ),
                )
                for age in ages
            ],
        )
        for name, role, hazard in (
            (Text("Key accounts", "重点客户"), "actual", 0.012),
            (Text("Retail", "零售客户"), "focus", 0.03),
            (Text("Online", "线上客户"), "good", 0.031),
        )
    ]
    cohorts = [(str(m), Text(f"{m.year}-{m.number:02d}", f"{m.year}年{m.number}月")) for m in months(8)]
    aged = [(str(k), Text(f"M{k}", f"第{k}月")) for k in range(8)]
    grid = {
        (c, a): Fact(
            metric="retention",
            period=c,
            unit="share",
            value=round(0.97 ** int(a) - 0.01 * i, 4),
            dimensions={"age": a},
            n=300,
        )
        for i, (c, _) in enumerate(cohorts)
        for a, _ in aged
        if i + int(a) < 8
    }
    deviation = {
        (r.en, c.en): Fact(
            metric="cost_gap",
            period=str(MONTH),
            unit="percentage_points",
            value=0.05 * math.sin(3 * i + j),
            dimensions={"r": r.en, "c": c.en},
        )
        for i, r in enumerate(REGIONS)
        for j, c in enumerate(CATEGORIES)
    }
    bins = [
        (
            4.0 * i,
            4.0 * (i + 1),
            Fact(
                metric="tickets_by_cycle_time",
                period=str(MONTH),
                unit="tickets",
                value=round(900 * math.exp(-0.3 * i) * (0.4 + 0.2 * i)),
                dimensions={"class": str(i)},
            ),
        )
        for i in range(12)
    ]
    medians = [
        Item(
            name=Text("Median", "中位数"),
            fact=Fact(metric="repair_cycle_time", period=str(MONTH), unit="hours", value=14.2),
            role="focus",
        ),
        Item(
            name=Text("Promised", "承诺"),
            fact=Fact(metric="repair_promise", period=str(MONTH), unit="hours", value=16),
            role="muted",
        ),
    ]
    ratios = [
        Item(name=f"B-04{i}2 · X{i}00", fact=ratio(v, batch=str(i)), role="focus" if v > 2 else "actual")
        for i, v in enumerate((3.1, 1.4, 1.05, 0.8, 0.55))
    ]
    age_text = Text("Age", "账龄")
    return {
        "ranked_bars": charts.ranked_bars(
            by_region, measure=rate, by=Text("Region", "区域"), reference=average
        ),
        "waterfall": charts.waterfall(
            Item(name=Text("September 2026", "2026年9月"), fact=money("after_sales_cost", start, "2026-09")),
            bridge,
            Item(name=Text("October 2026", "2026年10月"), fact=money("after_sales_cost", end)),
            measure=cost,
            by=Text("Effect", "影响"),
        ),
        "waterfall_from_zero": charts.waterfall(
            Item(name="2026-09", fact=money("budget_gap", 120_000, "2026-09")),
            [
                Item(name="A", fact=money("budget_gap", 300_000, e="a")),
                Item(name="B", fact=money("budget_gap", -520_000, e="b")),
            ],
            Item(name="2026-10", fact=money("budget_gap", -100_000)),
            measure=Text("Gap to budget", "预算差异"),
            by=Text("Effect", "影响"),
        ),
        "composition": charts.composition(costs, measure=cost, totals=cost_totals(costs)),
        "multiples": charts.composition(costs, measure=cost, form="multiples"),
        "lines": charts.lines(
            [
                rate_series(Text("South", "华南"), 0.12, 1, role="focus"),
                rate_series(Text("East", "华东"), 0.115, 2),
                rate_series(Text("North", "华北"), 0.06, 5, role="expected"),
            ],
            measure=rate,
            mark=[MONTH - 10, MONTH - 3],
            reference=Item(
                name=Text("Target", "目标"),
                fact=Fact(metric="complaint_target", period=str(MONTH), unit="share", value=0.1),
                role="muted",
            ),
        ),
        "fan": charts.fan(history, forecast, measure=cost, wider=[narrow]),
        "control_chart": charts.control_chart(tall, measure=rate, signals=[MONTH - 20], **limits),
        "survival": charts.survival(
            curves, measure=Text("Still customers", "留存客户"), age=age_text, age_unit="months"
        ),
        "heatmap": charts.heatmap(cohorts, aged, grid, by=Text("Cohort", "批次")),
        "heatmap_around": charts.heatmap(
            [(r.en, r) for r in REGIONS],
            [(c.en, c) for c in CATEGORIES],
            deviation,
            by=Text("Region", "区域"),
            centre=0.0,
        ),
        "pareto": charts.pareto(fault_items, cumulative, measure=cost, by=Text("Part", "部件")),
        "histogram": charts.histogram(
            bins,
            measure=Text("Tickets", "工单数"),
            across=Text("Repair cycle time", "维修周期"),
            across_unit="hours",
            marks=medians,
        ),
        "dot_interval": charts.dot_interval(
            ratios,
            measure=Text("Failure rate ratio", "失效率比"),
            by=Text("Batch", "批次"),
            reference=1.0,
            log=True,
        ),
    }


def picture(name: str, drawing: Drawing) -> Block:
    return figure(
        f"gallery.{name}",
        title=Sentence(
            "Parts became dearer, and that alone outweighs the better productivity: cost is {cost}.",
            {"cost": money("cost_of_story", 5_211_902)},
        ),
        subtitle=Sentence("After-sales cost, incurred basis, {month}", {"month": MONTH}),
        foot=Sentence("Source: general ledger and service desk; as of {day}.", {"day": AS_OF}),
        alt=Sentence("A chart of the gallery."),
        draw=drawing,
    )


def tile_block() -> Block:
    cost = cost_totals(cost_series())
    rate = rate_series(Text("Complaint rate", "投诉率"), 0.1, 3, count=13)
    lost = without_value("csat_share", str(MONTH), "share", "surveys.score")
    return tiles(
        "summary.tiles",
        [
            Tile(
                label=Text("After-sales cost", "售后成本"),
                fact=cost.points[-1][1],
                status="alert",
                history=cost.facts,
                comparisons=[
                    Comparison(
                        label=Text("Budget", "预算"), value=money("cost_budget", 4_600_000), signed=False
                    ),
                    Comparison(
                        label=Text("Last month", "上月"), value=money("cost_change", 411_300), tone="bad"
                    ),
                    Comparison(
                        label=Text("Year before", "上年同月"),
                        value=money("cost_change_year", -120_000),
                        tone="good",
                    ),
                ],
            ),
            Tile(
                label=Text("Complaint rate", "投诉率"),
                fact=rate.points[-1][1],
                status="watch",
                history=rate.facts,
                comparisons=[
                    Comparison(
                        label=Text("Last month", "上月"),
                        value=Fact(
                            metric="complaint_change",
                            period=str(MONTH),
                            unit="percentage_points",
                            value=0.004,
                        ),
                        tone="bad",
                    )
                ],
            ),
            Tile(
                label=Text("Cost per ticket", "单均成本"),
                fact=Fact(
                    metric="service_unit_cost", period=str(MONTH), unit="CNY/ticket", value=Decimal("212.40")
                ),
            ),
            Tile(label=Text("Satisfied customers", "客户满意率"), fact=lost),
        ],
    )


def table_block() -> Block:
    rows = []
    for index, name in enumerate((*CATEGORIES, Text.same("<script>alert('x')</script>"))):
        cost = money("after_sales_cost", 1_934_512 // (index + 1), category=name.en)
        change = money("cost_change", (-1) ** index * 92_340 * (index + 1), category=name.en)
        rows.append(
            Row(
                cells={
                    "name": name,
                    "cost": cost,
                    "change": change,
                    "rate": share("complaint_ticket_rate", 0.03 * (index + 1), category=name.en),
                    "span": share("complaint_ticket_rate", 0.03 * (index + 1), category=name.en),
                }
            )
        )
    lost = without_value(
        "complaint_ticket_rate", str(MONTH), "share", "tickets.kind", dimensions={"category": "other"}
    )
    return table(
        "costs.table",
        title=Sentence(
            "Spare parts carry {part} of the cost.",
            {"part": Fact(metric="cost_share", period=str(MONTH), unit="share", value=0.413)},
        ),
        subtitle=Sentence("By cost category, {month}", {"month": MONTH}),
        columns=[
            Column(key="name", label=Text("Category", "类别")),
            Column(key="cost", label=Text("Cost", "成本")),
            Column(key="change", label=Text("Change on last month", "环比变动"), signed=True, better="lower"),
            Column(key="rate", label=Text("Complaint rate", "投诉率")),
            Column(key="span", label=Text("95% interval", "95% 区间"), show="interval"),
        ],
        rows=[
            Row(cells={"name": Text("Direct", "直接成本")}, role="group"),
            *rows[:3],
            Row(
                cells={
                    "name": Text("Subtotal", "小计"),
                    "cost": money("after_sales_cost", 3_546_604, group="direct"),
                },
                role="subtotal",
            ),
            Row(cells={"name": Text("Indirect", "间接成本")}, role="group"),
            *rows[3:],
            Row(
                cells={
                    "name": Text("Unallocated", "未分摊"),
                    "cost": money("after_sales_cost", 0, category="other"),
                    "rate": lost,
                }
            ),
            Row(
                cells={
                    "name": Text("Total", "合计"),
                    "cost": money("after_sales_cost", 4_739_552),
                    "change": money("cost_change", 155_000),
                },
                role="total",
            ),
        ],
        note=Sentence("Cost is exact: it ties to the general ledger and has no interval."),
    )


def finding_list() -> list[Finding]:
    rows = pd.DataFrame(
        {
            "ticket_id": [f"T-{i:05d}" for i in range(34)],
            "opened_on": [dt.date(2026, 10, 1 + i % 28) for i in range(34)],
            "model": ["X200"] * 34,
            "cost": [Decimal("412.50") + i for i in range(34)],
            "note": ['=HYPERLINK("http://x")', "<img src=x onerror=alert(1)>", *["换 压缩机"] * 32],
        }
    )
    return [
        Finding(
            id="failures.excess",
            section="failures",
            severity="alert",
            rank=2.0,
            evidence=rows,
            statement=Sentence(
                "{model} of batch {batch} fails {ratio} as often as its peers ({ratio:interval}); the excess costs {cost}.",
                {
                    "model": "X200",
                    "batch": "B-0412",
                    "ratio": ratio(3.1, batch="B-0412"),
                    "cost": money("excess_cost", 412_000, batch="B-0412"),
                },
            ),
            method="Exact comparison of Poisson rates, corrected for the number of batches compared.",
        ),
        Finding(
            id="costs.productivity",
            section="costs",
            severity="good",
            statement=Sentence(
                "Productivity saved {cost:abs}.",
                {"cost": money("cost_bridge", -131_500, effect="Productivity")},
            ),
        ),
        Finding(
            id="costs.compensation",
            section="costs",
            severity="watch",
            statement=Sentence(
                "Compensation is {share} of cost, above its line.",
                {"share": Fact(metric="compensation_share", period=str(MONTH), unit="share", value=0.083)},
            ),
        ),
    ]


def check_list() -> list[Check]:
    """One of each outcome, two of them failed."""
    tied = Check(
        id="tie_out",
        outcome="passed",
        sentence=Sentence(
            "The ledger ties to the general ledger to the cent: {gap:exact} apart.",
            {"gap": money("tie_out_gap", "0.00")},
        ),
    )
    late = Check(
        id="late",
        outcome="failed",
        sentence=Sentence(
            "{n:n} tickets were reported after the as-of day.", {"n": share("late_share", 0.04, n=212)}
        ),
    )
    note = Check(id="note", outcome="info", sentence=Sentence("Open tickets are censored, never dropped."))
    return [tied, late, note]


def all_blocks() -> list[Block]:
    """Every kind of block."""
    return [
        tile_block(),
        findings_block("summary.findings", finding_list()),
        *[picture(name, drawing) for name, drawing in drawings().items()],
        table_block(),
        checks_block("costs.checks", check_list()),
        callout(
            "costs.callout",
            tone="watch",
            title=Sentence("Two months are provisional"),
            body=Sentence("Late postings may still move {month}.", {"month": MONTH}),
        ),
        not_computed(
            MissingData("surveys.score"),
            id="experience.csat",
            what=Text("Customer satisfaction", "客户满意度"),
        ),
        facts_block("costs.facts", [money("hidden_fact", 42)]),
        evidence_block(
            "costs.evidence",
            [
                EvidenceFile(
                    stem="failures.excess-1",
                    title=Sentence("Tickets behind the excess"),
                    sha256="ab" * 32,
                    rows=34,
                )
            ],
        ),
        findings_block("empty.findings", []),
    ]


def cell_of(*blocks: Block, tags: Sequence[str] = ()) -> dict[str, Any]:
    """A code cell that displayed these blocks."""
    outputs = [
        {"output_type": "display_data", "data": block._repr_mimebundle_(), "metadata": {}} for block in blocks
    ]
    return {
        "cell_type": "code",
        "metadata": {"tags": list(tags)},
        "source": "show(...)",
        "execution_count": 1,
        "outputs": outputs,
    }


def prose_cell(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def notebook(cells: Sequence[dict[str, Any]], *, section: str, order: int) -> dict[str, Any]:
    numbered = [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells)]
    return {
        "cells": numbered,
        "metadata": {"after_sales": {"section": section, "order": order}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def cost_notebook() -> dict[str, Any]:
    """A section with every kind of block, prose of every kind, and a cell that papermill would add."""
    blocks = {block.id: block for block in all_blocks()}
    charts_of = [block for id, block in blocks.items() if id.startswith("gallery.")]
    injected = {
        "cell_type": "code",
        "id": "f00dfeed",
        "metadata": {"tags": ["injected-parameters"]},
        "source": "month = '2026-10'",
        "execution_count": 1,
        "outputs": [],
    }
    return notebook(
        [
            prose_cell(
                "# Cost decomposition\n\nWhere does the after-sales cost come from, and why did it move?"
            ),
            injected,
            prose_cell("## Findings"),
            cell_of(blocks["summary.findings"], tags=["finding"]),
            cell_of(blocks["summary.tiles"]),
            prose_cell(
                "## Where does the cost come from?\n\nCost on the *incurred* basis.[^basis] Accounts that the map does not know are shown as **unallocated**, never dropped; see [the quality page](00_data_quality.ipynb).\n\n[^basis]: Postings of basis incurred and recovery."
            ),
            cell_of(blocks["costs.table"], blocks["costs.callout"]),
            *[cell_of(block) for block in charts_of[:7]],
            prose_cell(
                "## How sure are we?\n\n- Totals are exact.\n- Rates have an interval.\n\n> A threshold is crossed only when the interval clears it.\n\n| Word | Meaning |\n|---|--:|\n| exact | no interval |\n\n```\nmake trace ID=...\n```"
            ),
            *[cell_of(block) for block in charts_of[7:]],
            cell_of(
                blocks["experience.csat"],
                blocks["empty.findings"],
                blocks["costs.evidence"],
                blocks["costs.facts"],
            ),
            prose_cell("## What to doubt"),
            cell_of(blocks["costs.checks"], tags=["checks"]),
        ],
        section="costs",
        order=10,
    )


def summary_notebook() -> dict[str, Any]:
    return notebook(
        [
            prose_cell("# Executive summary\n\nThe month in figures, and what needs a decision."),
            cell_of(tile_block()),
            cell_of(findings_block("executive.findings", finding_list())),
        ],
        section="executive",
        order=90,
    )


def pack(status: str = "issued") -> dict[str, Any]:
    """What the report passes to exporters beside the notebooks."""
    entries = {
        "after_sales_cost": (
            "After-sales cost",
            "售后成本",
            "All cost of service, incurred basis.",
            "按发生制计的全部售后成本。",
            "ledger amounts, incurred and recovery",
            "账簿金额（发生与追偿）",
            None,
            None,
        ),
        "complaint_ticket_rate": (
            "Complaint rate",
            "投诉率",
            "Complaints among service orders.",
            "投诉占服务工单之比。",
            "complaints",
            "投诉工单",
            "service orders other than complaints and inquiries",
            "非投诉、非咨询的服务工单",
        ),
    }
    registry = [
        {
            "id": id,
            "name": {"en": en, "zh": zh},
            "description": {"en": about, "zh": about_zh},
            "unit": "share",
            "owner": "Finance",
            "version": "1",
            "numerator": {"en": top, "zh": top_zh},
            "denominator": {"en": below, "zh": below_zh} if below else None,
        }
        for id, (en, zh, about, about_zh, top, top_zh, below, below_zh) in entries.items()
    ]
    check = Check(
        id="tie_out",
        outcome="passed",
        sentence=Sentence(
            "The ledger ties to the general ledger to the cent: {gap:exact} apart.",
            {"gap": money("tie_out_gap", "0.00")},
        ),
    )
    return {
        "month": str(MONTH),
        "as_of": AS_OF.isoformat(),
        "edition": 1,
        "company": {"en": "Northwind Appliances", "zh": "北辰电器"},
        "currency": "CNY",
        "status": status,
        "code_version": "0.1.0",
        "preparer": "",
        "reviewer": "",
        "registry": registry,
        "checks": [check.as_json()],
        "facts": {fact.id: fact.as_json() for fact in check.sentence.facts()},
        "sources": [
            {
                "table": "tickets",
                "file": "tickets.csv",
                "rows_read": 60_012,
                "accepted": 60_000,
                "quarantined": 8,
                "exact_duplicates": 4,
                "sha256": "ab12" * 16,
            }
        ],
        "hashes": {"data": "cd34" * 16},
        "restated": [],
    }


def write_notebooks(folder: Path) -> list[Path]:
    paths = []
    for name, content in (
        ("10_cost_decomposition", cost_notebook()),
        ("90_executive_summary", summary_notebook()),
    ):
        path = folder / f"{name}.ipynb"
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        paths.append(path)
    return paths
