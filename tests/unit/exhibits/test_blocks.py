"""Blocks: what a record holds, and what its builders refuse."""

from __future__ import annotations

import copy
import json
import re
from decimal import Decimal

import exhibit_gallery as gallery
import pandas as pd
import pytest

from analysis.errors import MissingData, ParameterError
from analysis.exhibits.figures import figure
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.markup import Markup
from analysis.exhibits.record import KINDS, MIME, Block, Blocks, show
from analysis.exhibits.shape import references, validate
from analysis.exhibits.statements import (
    callout,
    checks_block,
    evidence_preview,
    facts_block,
    findings_block,
    not_computed,
    personal_columns,
)
from analysis.exhibits.tables import table
from analysis.exhibits.vocabulary import Column, Row, Tile
from analysis.locale import LANGUAGES, Text
from analysis.metrics import Registry
from analysis.results import Check, Fact, Finding, Interval, Sentence

NAME = Column(key="name", label=Text("Name", "名称"))
TITLE = Sentence(
    "Spare parts carry {part} of the cost.",
    {"part": Fact(metric="cost_share", period="2026-10", unit="share", value=0.4)},
)


def amount(value: str, **dimensions: str) -> Fact:
    return Fact(metric="cost", period="2026-10", unit="CNY", value=Decimal(value), dimensions=dimensions)


def one_column(*values: Fact | str | None, **options: object) -> Block:
    column = Column(key="value", label=Text("Cost", "成本"), **options)  # type: ignore[arg-type]
    return table("t", title=TITLE, columns=[column], rows=[Row(cells={"value": value}) for value in values])


def printed(block: Block, language: str) -> list[str]:
    return [cell["text"][language] for row in block.payload["rows"] for cell in row["cells"]]


def unit(block: Block, language: str) -> str:
    return str(block.payload["columns"][-1]["unit"][language])


def test_a_column_of_money_takes_one_scale_per_language_from_its_largest_amount() -> None:
    block = one_column(amount("1234567.89", r="a"), amount("-50.00", r="b"))
    # 1,234,567.89 is 1,234.6 thousand and 123.5 万; −50 stays −0.1 thousand and −0.0 万 by half up
    assert (unit(block, "en"), printed(block, "en")) == ("CNY thousand", ["1,234.6", "−0.1"])
    assert (unit(block, "zh"), printed(block, "zh")) == ("万元", ["123.5", "0.0"])


def test_a_column_below_a_million_and_an_exact_column_print_cents() -> None:
    assert printed(one_column(amount("999999.99")), "en") == ["999,999.99"]
    exact = one_column(amount("1234567.89"), scale="exact")
    assert (unit(exact, "en"), printed(exact, "en")) == ("CNY", ["1,234,567.89"])
    assert (unit(exact, "zh"), printed(exact, "zh")) == ("元", ["1,234,567.89"])


def test_both_edges_of_an_interval_take_the_columns_scale() -> None:
    interval = Interval(low=900_000.0, high=2_500_000.0, level=0.95, method="bootstrap")
    fact = Fact(metric="cost", period="2026-10", unit="CNY", value=1_000_000.0, interval=interval)
    block = one_column(fact, show="interval")
    assert (printed(block, "en"), printed(block, "zh")) == (["900.0 – 2,500.0"], ["90.0 – 250.0"])


def share(value: float, low: float, high: float, unit: str = "share") -> Fact:
    interval = Interval(low=low, high=high, level=0.95, method="exact")
    return Fact(
        metric="cost_share",
        period="2026-10",
        unit=unit,
        value=value,
        interval=interval,
        dimensions={"of": str(value)},
    )


def test_an_interval_that_the_decimals_would_hide_gets_one_more_in_its_whole_column() -> None:
    block = one_column(share(0.0022, 0.0021, 0.0024), share(0.072, 0.070, 0.073), show="estimate")
    assert printed(block, "en") == ["0.22 (0.21 – 0.24)", "7.20 (7.00 – 7.30)"]
    seen = one_column(share(0.002, 0.001, 0.003), share(0.5, 0.5, 0.5), show="estimate")
    assert printed(seen, "en") == ["0.2 (0.1 – 0.3)", "50.0 (50.0 – 50.0)"]  # the second has no width


def test_the_values_beside_a_hidden_interval_take_its_decimals() -> None:
    fact = share(0.0667, 0.0661, 0.0672, unit="failures/unit")
    heads = [
        Column(key=show, label=Text(show, show), show=show, metric=("cost_share",))  # type: ignore[arg-type]
        for show in ("value", "interval")
    ]
    block = table("t", title=TITLE, columns=heads, rows=[Row(cells={"value": fact, "interval": fact})])
    assert printed(block, "en") == ["0.067", "0.066 – 0.067"]


def test_one_bound_that_holds_value_and_limits_is_printed_once() -> None:
    sure, open_ended = share(1.0, 0.995, 1.0, unit="chance"), share(0.995, 0.98, 1.0, unit="chance")
    inside = share(0.953, 0.951, 0.954, unit="chance")
    assert printed(one_column(sure, open_ended, inside, show="estimate"), "en") == [
        ">99",
        ">99 (98.0 – >99)",
        "95.3 (95.1 – 95.4)",  # in whole per cent the limits would be the chance itself
    ]
    assert printed(one_column(sure, show="interval"), "en") == [">99"]
    mixed = one_column(sure, amount("5"), show="estimate")
    assert (printed(mixed, "en")[0], printed(mixed, "zh")[0]) == ("over 99%", "99% 以上")


def test_a_unit_in_a_chinese_cell_stands_behind_its_number_as_in_a_header() -> None:
    block = one_column(
        Fact(metric="unit_cost", period="2026-10", unit="CNY/ticket", value=Decimal("1733.78")),
        Fact(metric="rate", period="2026-10", unit="failures/1000_unit_months", value=10.4),
        amount("1260000"),
    )
    assert printed(block, "zh") == ["1,733.78 元/张工单", "10.4 次故障/千台月", "126 万元"]
    assert printed(block, "en")[0] == "CNY 1,733.78 per ticket"


def test_blank_is_not_zero() -> None:
    cells = [row["cells"][0] for row in one_column(None, amount("0.00")).payload["rows"]]
    assert [(cell["kind"], cell["text"]["en"]) for cell in cells] == [("empty", ""), ("fact", "0.00")]


def test_a_fact_without_value_is_a_dash_and_its_reason_a_note_once() -> None:
    first = gallery.without_value("csat", "2026-10", "share", "surveys.score")
    second = gallery.without_value("nps", "2026-10", "share", "surveys.nps")
    block = one_column(first, second, Fact(metric="ces", period="2026-10", unit="share", value=0.5))
    assert printed(block, "zh") == ["–", "–*", "50.0"]
    note = "".join(segment["t"] for segment in block.payload["note"]["zh"])
    assert note == "– 未计算：缺少 surveys.score。–* 未计算：缺少 surveys.nps。"
    assert {segment.get("fact") for segment in block.payload["note"]["en"]} == {None, first.id, second.id}


def test_facts_in_different_units_print_their_own() -> None:
    block = one_column(
        amount("1234567"), Fact(metric="rate", period="2026-10", unit="percentage_points", value=0.003)
    )
    assert printed(block, "en") == ["CNY 1.23 million", "0.3 pp"]
    assert printed(block, "zh") == ["123 万元", "0.3 个百分点"]


def test_a_change_is_coloured_by_what_is_better() -> None:
    cost = one_column(amount("5"), amount("-5", r="b"), amount("0", r="c"), better="lower")
    assert [row["cells"][0]["tone"] for row in cost.payload["rows"]] == ["bad", "good", None]


@pytest.mark.parametrize(
    ("value", "low", "high", "tone"),
    [(5.0, 1.0, 9.0, "bad"), (5.0, -1.0, 11.0, None), (-5.0, -9.0, -1.0, "good"), (-5.0, -11.0, 0.0, None)],
)
def test_a_change_that_may_be_noise_has_no_colour(
    value: float, low: float, high: float, tone: str | None
) -> None:
    interval = Interval(low=low, high=high, level=0.95, method="t")
    fact = Fact(metric="cost", period="2026-10", unit="CNY", value=value, interval=interval)
    assert one_column(fact, better="lower", signed=True).payload["rows"][0]["cells"][0]["tone"] == tone


def test_a_change_that_rounds_to_nothing_has_no_colour() -> None:
    block = one_column(amount("2000000"), amount("-20", r="b"), better="lower", signed=True)
    cells = [row["cells"][0] for row in block.payload["rows"]]
    assert [(cell["text"]["en"], cell["tone"]) for cell in cells] == [("+2,000.0", "bad"), ("0.0", None)]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: one_column(12.5), "a bare float .12.5.; make it a fact"),
        (lambda: one_column(amount("1"), unit="share"), "unit share, but a fact is in {'CNY'}"),
        (
            lambda: one_column(amount("1"), amount("2")),
            "two different numbers under one id cost#2026-10:1: 1 and 2",
        ),
        (
            lambda: table("t", title=TITLE, columns=[NAME], rows=[Row(cells={"nmae": "x"})]),
            "no column 'nmae'. Did you mean 'name'?",
        ),
        (lambda: table("t", title=TITLE, columns=[NAME, NAME], rows=[]), "a column key is used twice"),
    ],
)
def test_what_a_table_refuses(build: object, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        build()  # type: ignore[operator]


def test_a_table_of_more_rows_than_a_page_holds_shows_the_first_and_the_total() -> None:
    def of(count: int) -> Block:
        rows = [Row(cells={"value": amount(str(n), r=str(n))}) for n in range(count)]
        whole = Row(cells={"value": amount("9")}, role="total")
        column = Column(key="value", label=Text("Cost", "成本"))
        return table("t", title=TITLE, columns=[column], rows=[*rows, whole], note=Sentence("Not computed"))

    block = of(5000)
    assert len(block.payload["rows"]) == 200 and block.payload["rows"][-1]["role"] == "total"
    assert (
        len(block.payload["facts"]) == 5002
    )  # of every row, the total and the title: what ``facts.json`` holds
    note = "".join(part["t"] for part in block.payload["note"]["en"])
    assert (
        note
        == "Not computed Only the first 200 rows are shown; the figures of all of them are in facts.json."
    )
    assert len(of(199).payload["rows"]) == 200 and len(of(199).payload["note"]["en"]) == 1


@pytest.fixture(scope="module")
def every_block() -> list[Block]:
    return gallery.all_blocks()


def test_every_kind_is_plain_json_and_carries_each_fact_it_prints(every_block: list[Block]) -> None:
    assert {block.kind for block in every_block} == set(KINDS)
    for block in every_block:
        bundle = block._repr_mimebundle_()
        record = json.loads(json.dumps(bundle[MIME], allow_nan=False))
        assert set(references(record)) <= {fact["id"] for fact in record["facts"]}
        assert bundle["text/plain"].startswith(f"[{block.kind} {block.id}]")
        assert bool(bundle["text/html"]) == (block.kind not in ("facts", "evidence"))


def test_a_record_that_names_a_fact_it_lacks_is_refused(every_block: list[Block]) -> None:
    record = copy.deepcopy(dict(next(block for block in every_block if block.kind == "table").payload))
    lost = record["facts"].pop()
    with pytest.raises(ParameterError, match="it does not carry"):
        validate(record)
    record["facts"].append(lost)
    record["rows"][1]["cells"].pop()
    with pytest.raises(ParameterError, match="'row 1' should be 5 cells wide"):
        validate(record)


@pytest.mark.parametrize("part", ["title", "svg", "data", "foot"])
def test_a_figure_without_a_part_is_refused(every_block: list[Block], part: str) -> None:
    record = {
        key: value
        for key, value in next(b for b in every_block if b.kind == "figure").payload.items()
        if key != part
    }
    with pytest.raises(ParameterError, match=f"'{part}' should be"):
        validate(record)


def test_untranslated_names_only_what_the_catalogue_lacks() -> None:
    known = callout("c", tone="info", title=Sentence("Not computed"))
    unknown = callout("c", tone="info", title=Sentence("A wording nobody has translated"))
    again = callout("d", tone="info", title=Sentence("A wording nobody has translated"))
    assert known.payload["untranslated"] == []
    assert (
        unknown.payload["untranslated"]
        == again.payload["untranslated"]
        == ["A wording nobody has translated"]
    )


def test_findings_stand_by_gravity_and_number_their_evidence() -> None:
    rows = pd.DataFrame({"a": [1]})
    make = lambda severity, rank, evidence: Finding(  # noqa: E731
        id="failures.excess",
        section="failures",
        severity=severity,
        statement=TITLE,
        rank=rank,
        evidence=evidence,
    )
    block = findings_block("f", [make("good", 9, rows), make("alert", 1, None), make("alert", 2, rows)])
    listed = [
        (finding["severity"], finding["rank"], finding["evidence"]) for finding in block.payload["findings"]
    ]
    assert listed == [("alert", 2, "failures.excess-1"), ("alert", 1, None), ("good", 9, "failures.excess-2")]


def test_a_failed_check_stands_below_the_finding_that_names_it() -> None:
    finding = Finding(
        id="f", section="costs", severity="alert", statement=Sentence("Alert"), checks=("late", "tied")
    )
    other = Finding(id="g", section="costs", severity="watch", statement=Sentence("Watch"))
    checks = [
        Check(id="late", outcome="failed", sentence=Sentence("Failed")),
        Check(id="tied", outcome="passed", sentence=Sentence("Passed")),
    ]
    block = findings_block("f", [finding, other], checks=checks)
    first, second = block.payload["findings"]
    assert [sentence["en"][0]["t"] for sentence in first["weakened"]] == ["Failed"]
    assert second["weakened"] == []
    page = Markup(language="en").block(block.payload)
    assert (
        page.count('<span class="mark" aria-hidden="true">×</span> Weakened by a failed check: Failed') == 1
    )


def test_the_preview_of_evidence_shows_twenty_rows_and_no_personal_data() -> None:
    rows = pd.DataFrame(
        {
            "customer_name": [f"客户{i}" for i in range(30)],
            "cost": [Decimal("1234.50")] * 30,
            "at": pd.NaT,
            "share": 0.12345,
        }
    )
    preview = evidence_preview(rows.rename(columns={"customer_name": sorted(personal_columns())[0]}))
    assert (len(preview["rows"]), preview["total"]) == (20, 30)
    assert preview["rows"][0] == ["***", "1,234.50", "", "0.1235"]


def test_the_preview_of_evidence_names_values_as_their_labels_say_and_keeps_all_others() -> None:
    rows = pd.DataFrame({"region": ["North", "Nowhere"], "kind": ["maintenance", "lease"], "note": "North"})
    cost = Fact(metric="after_sales_cost", period="2026-10", unit="CNY", value=Decimal("1.00"))
    finding = Finding(
        id="f",
        section="costs",
        severity="alert",
        statement=Sentence("Alert {cost}", {"cost": cost}),
        evidence=rows,
    )
    block = findings_block("f", [finding])
    registry = Registry.load()
    for language in LANGUAGES:
        page = Markup(language=language).block(block.payload)
        cells = re.findall("<td>(.*?)</td>", page)
        labels = [
            registry.value_label(*one)[language]
            for one in (("region", "North"), ("contract_kind", "maintenance"))
        ]
        assert cells == [*labels, "North", "Nowhere", "lease", "North"]


def test_checks_that_failed_come_first() -> None:
    checks = [Check(id=outcome, outcome=outcome, sentence=TITLE) for outcome in ("passed", "info", "failed")]  # type: ignore[arg-type]
    assert [check["id"] for check in checks_block("c", checks).payload["checks"]] == [
        "failed",
        "info",
        "passed",
    ]


def test_not_computed_names_what_is_missing() -> None:
    block = not_computed(MissingData("surveys.score", "surveys.nps"), id="x")
    body = {
        language: "".join(segment["t"] for segment in block.payload["body"][language])
        for language in LANGUAGES
    }
    assert "surveys.score, surveys.nps" in body["en"]
    assert "surveys.score, surveys.nps" in body["zh"]


def test_a_tile_without_history_has_no_spark_and_one_without_value_says_why() -> None:
    lost = gallery.without_value("csat", "2026-10", "share", "surveys.score")
    tile = tiles("t", [Tile(label=Text("Satisfied", "满意"), fact=lost)]).payload["tiles"][0]
    assert tile["spark"] is None
    assert tile["value"]["zh"] == [{"t": "未计算：缺少 surveys.score", "k": "fact", "fact": lost.id}]


def test_a_spark_line_breaks_at_a_missing_value() -> None:
    facts = [Fact(metric="m", period=f"2026-0{i}", unit="share", value=v) for i, v in ((1, 0.1), (2, 0.3))]
    facts += [
        gallery.without_value("m", "2026-03", "share", "tickets"),
        Fact(metric="m", period="2026-04", unit="share", value=0.2),
    ]
    tile = tiles("t", [Tile(label=Text("M", "M"), fact=facts[-1], history=facts)]).payload["tiles"][0]
    # margin 3, width 96 over 3 steps of 30; the lowest value on the bottom (21), the highest on top (3), 0.2 half-way (12)
    assert 'd="M3.0 21.0 L33.0 3.0 M93.0 12.0"' in tile["spark"]["svg"]


def test_show_displays_each_block_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("IPython.display.display", lambda block: seen.append(block.id))
    first, second = facts_block("a", []), facts_block("b", [])
    show(first, None, [second, (first,)])
    Blocks((second,))._ipython_display_()
    assert seen == ["a", "b", "a", "b"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_dollar_signs_in_a_name_are_no_formula_in_jupyterlab(language: str) -> None:
    """MathJax leaves out what stands inside an element of these classes (2: ``tex2jax_ignore``; 3 and 4: ``mathjax_ignore``)."""
    shown = one_column("Plan $5$ or $x_1$, \\(y\\)").html(language)  # type: ignore[arg-type]
    outer = shown[: shown.index(">")]
    assert "tex2jax_ignore" in outer and "mathjax_ignore" in outer
    assert "Plan $5$ or $x_1$, \\(y\\)" in shown


def test_a_heading_that_is_the_name_of_its_unit_stands_once() -> None:
    chance = Fact(metric="chance", period="2026-10", unit="p_value", value=0.04)
    column = Column(key="value", label=Text("As much by chance", "p 值"))
    block = table("t", title=TITLE, columns=[column], rows=[Row(cells={"value": chance})])
    assert (unit(block, "en"), unit(block, "zh")) == ("p", "")


def test_a_chart_says_why_a_value_is_missing_and_not_why_an_interval_is():
    whole = Fact(
        metric="cost", period="2026-10", unit="CNY", value=5.0, reason=Text("no interval: exact", "无区间")
    )
    gone = Fact(metric="cost", period="2026-09", unit="CNY", value=None, reason=Text("no postings", "无过账"))
    columns = [
        NAME,
        Column(key="value", label=Text("Value", "值")),
        Column(key="interval", label=Text("Interval", "区间"), show="interval"),
    ]

    def foot(fact: Fact) -> str:
        row = Row(cells={"name": Text("all", "全部"), "value": fact, "interval": fact})
        block = figure(
            "costs.x",
            title=TITLE,
            subtitle=Sentence("by month"),
            foot=Sentence("Source: ledger"),
            alt=Sentence("bars"),
            draw=lambda axes, language: None,
            data=(columns, [row]),
        )
        return "".join(piece["t"] for piece in block.payload["foot"]["en"])

    assert foot(whole) == "Source: ledger"
    assert foot(gone) == "Source: ledger – no postings. "
