"""The PDF pack: what a reader, a screen reader and an archive find in it."""

from __future__ import annotations

import copy
import io
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from analysis.errors import NotebookFailed, ParameterError, PublicationRefused
from analysis.exhibits.record import MIME
from analysis.exhibits.shape import validate
from analysis.fonts.coverage import printable, unprintable
from analysis.report.pdf import notebook_pdf, write_pdf
from analysis.report.pdf_columns import LANDSCAPE_WIDTH, TEXT_WIDTH, breakable, head_pieces, panels, typeface
from analysis.report.pdf_document import document
from analysis.report.pdf_prose import curly
from analysis.report.pdf_tiles import COVER_ROWS, GAP, cover_strip, tile_strip, value_nodes

Record = dict[str, Any]

# ---------------------------------------------------------------- a small company's pack, written by hand


def text(en: str, zh: str | None = None) -> dict[str, str]:
    return {"en": en, "zh": en if zh is None else zh}


def words(en: str, zh: str | None = None) -> Record:
    return {"en": [{"t": en}], "zh": [{"t": en if zh is None else zh}]}


def fact(metric: str, value: float = 1.0, *, unit: str = "CNY", **dimensions: str) -> Record:
    pairs = ",".join(f"{k}={v}" for k, v in sorted(dimensions.items()))
    return {
        "id": f"{metric}{'@' + pairs if pairs else ''}#2026-10:1",
        "metric": metric,
        "version": "1",
        "period": "2026-10",
        "dimensions": dimensions,
        "value": value,
        "unit": unit,
        "numerator": None,
        "denominator": None,
        "interval": None,
        "n": None,
        "reason": None,
        "formula": "",
        "sources": [],
    }


def number(shown: str, of: Record) -> Record:
    return {"t": shown, "k": "fact", "fact": of["id"]}


COST = fact("after_sales_cost", 3420000)
RATE = fact("after_sales_cost_rate", 0.041, unit="share")
REWORK = fact("service_rework_rate", 0.062, unit="share")
UNIT_COST = fact("service_unit_cost", 213.5, unit="CNY/ticket")


def block(kind: str, id: str, facts: list[Record] | None = None, **parts: Any) -> Record:
    record = {"version": 1, "kind": kind, "id": id, "facts": facts or [], "untranslated": [], **parts}
    validate(record)
    return record


def column(
    key: str,
    en: str,
    zh: str | None = None,
    *,
    unit: dict[str, str] | None = None,
    number: bool = True,
    wide: bool = False,
) -> Record:
    return {
        "key": key,
        "label": text(en, zh),
        "unit": unit or text(""),
        "align": "right" if number else "left",
        "type": "number" if number else "text",
        "wide": wide,
    }


def cell(en: str, zh: str | None = None, *, of: Record | None = None, tone: str | None = None) -> Record:
    kind = "fact" if of else "label" if en else "empty"
    return {"text": text(en, zh), "fact": of["id"] if of else None, "kind": kind, "sort": None, "tone": tone}


def row(*cells: Record, role: str = "body") -> Record:
    return {"role": role, "cells": list(cells)}


def table(
    id: str,
    columns: list[Record],
    rows: list[Record],
    *,
    en: str = "A table",
    zh: str = "一张表",
    note: Record | None = None,
) -> Record:
    return block(
        "table",
        id,
        [COST],
        title=words(en, zh),
        subtitle=words("CNY thousand, incurred basis", "万元，发生制"),
        note=note,
        columns=columns,
        rows=rows,
        csv=id,
    )


def composition() -> Record:
    unit = text("CNY thousand", "万元")
    columns = [
        column("category", "Cost category", "成本类别", number=False),
        column("now", "October 2026", "2026年10月", unit=unit),
        column("before", "September 2026", "2026年9月", unit=unit),
        column("change", "Change", "变动", unit=text("%", "%")),
        column("share", "Share of cost", "占比", unit=text("%", "%")),
    ]

    def line(en: str, zh: str, *figures: str, role: str = "body", tone: str | None = None) -> Record:
        cells = [
            cell(figure, of=COST, tone=tone if index == 2 else None) for index, figure in enumerate(figures)
        ]
        return row(cell(en, zh), *cells, role=role)

    rows = [
        row(cell("Direct service", "直接服务"), *[cell("") for _ in range(4)], role="group"),
        line("Labour", "人工", "1,204.5", "1,180.2", "+2.1", "35.2", tone="bad"),
        line("Spare parts", "备件", "1,010.0", "870.4", "+16.0", "29.5", tone="bad"),
        line("Freight", "运费", "215.7", "230.1", "−6.3", "6.3", tone="good"),
        line("Subtotal", "小计", "2,430.2", "2,280.7", "+6.6", "71.1", role="subtotal"),
        row(cell("Compensation and overhead", "赔付与间接费用"), *[cell("") for _ in range(4)], role="group"),
        line("Compensation to customers", "客户赔付", "612.4", "598.0", "+2.4", "17.9", tone="bad"),
        line("Call centre", "呼叫中心", "377.4", "381.9", "−1.2", "11.0", tone="good"),
        line("After-sales cost", "售后成本", "3,420.0", "3,260.6", "+4.9", "100.0", role="total"),
    ]
    note = words("Exact ledger totals; they have no interval.", "账面精确合计，无置信区间。")
    return table(
        "costs.composition",
        columns,
        rows,
        en="Spare parts drove the month: up a sixth on September",
        zh="备件是本月上升的主因：环比增加六分之一",
        note=note,
    )


def svg(label: str, *, width: float = 453.6, height: float = 200) -> str:
    bars = "".join(
        f'<rect x="{40 + i * 33}" y="{height - 30 - h}" width="20" height="{h}" fill="{"#b45309" if i == 11 else "#14508c"}"/>'
        f'<text x="{50 + i * 33}" y="{height - 14}" text-anchor="middle" style="font: 8.5px \'Noto Sans SC\'; fill: #5c6675">{i + 1}</text>'
        for i, h in enumerate((60, 64, 58, 71, 80, 76, 84, 90, 88, 97, 99, 130))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}">{bars}'
        f'<line x1="34" x2="440" y1="{height - 30}" y2="{height - 30}" stroke="#87919f" stroke-width="0.6"/>'
        f'<text x="416" y="{height - 168}" style="font: bold 8.5px \'Noto Sans SC\'; fill: #b45309" text-anchor="middle">{label}</text></svg>'
    )


def figure(id: str = "costs.trend", *, drawn: str = "", **changes: Any) -> Record:
    parts: Record = {
        "title": words("Cost per order rose faster than orders did", "单均成本的上升快于工单量"),
        "subtitle": words("After-sales cost, CNY thousand a month", "售后成本，每月，万元"),
        "foot": words(
            "Source: posting ledger, incurred basis. Data as of 5 November 2026.",
            "来源：记账明细，发生制。数据截至2026年11月5日。",
        ),
        "alt": text(
            "Twelve bars, the last and highest is October 2026.", "十二根柱，最后一根最高，为2026年10月。"
        ),
        "svg": text(svg(drawn or "spare parts"), svg(drawn or "备件")),
        "width": 453.6,
        "height": 200,
        "data": {"columns": [column("month", "Month", "月份", number=False)], "rows": [row(cell("2026-10"))]},
        "csv": id,
    }
    return block("figure", id, [COST], **(parts | changes))


SPARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 24" width="96" height="24">'
    '<path d="M3 20L20 16L40 17L60 9L80 11L93 4" fill="none" stroke="#14508c" stroke-width="1.5"/>'
    '<circle cx="93" cy="4" r="2.4" fill="#b45309"/></svg>'
)


def tile(
    en: str,
    zh: str,
    of: Record,
    value: dict[str, str],
    status: str | None,
    *lines: tuple[str, str, str, str, str | None],
) -> Record:
    comparisons = [
        {"label": text(a, b), "value": {"en": [number(c, of)], "zh": [number(d, of)]}, "tone": tone}
        for a, b, c, d, tone in lines
    ]
    return {
        "label": text(en, zh),
        "value": {language: [number(value[language], of)] for language in ("en", "zh")},
        "status": status,
        "comparisons": comparisons,
        "spark": {"svg": SPARK, "alt": text(f"{en}, six months", f"{zh}，六个月")},
        "fact": of["id"],
    }


def tiles(id: str = "summary.tiles") -> Record:
    return block(
        "tiles",
        id,
        [COST, RATE, REWORK, UNIT_COST],
        tiles=[
            tile(
                "After-sales cost",
                "售后成本",
                COST,
                text("CNY 3.42 million", "342万元"),
                "alert",
                ("vs. September 2026", "较上月", "+4.9%", "+4.9%", "bad"),
                ("vs. target", "较目标", "+CNY 120,000", "+12万元", "bad"),
            ),
            tile(
                "Cost rate",
                "售后成本率",
                RATE,
                text("4.1%"),
                "watch",
                ("vs. September 2026", "较上月", "+0.2 pp", "+0.2 个百分点", "bad"),
                ("vs. target", "较目标", "+0.1 pp", "+0.1 个百分点", "bad"),
            ),
            tile(
                "Rework rate",
                "返修率",
                REWORK,
                text("6.2%"),
                "good",
                ("vs. September 2026", "较上月", "−0.4 pp", "−0.4 个百分点", "good"),
                ("vs. target", "较目标", "−0.3 pp", "−0.3 个百分点", "good"),
            ),
            tile(
                "Cost per ticket",
                "单均成本",
                UNIT_COST,
                text("CNY 213.50", "213.50元"),
                None,
                ("vs. September 2026", "较上月", "+1.0%", "+1.0%", None),
            ),
        ],
    )


def finding(
    severity: str, en: tuple[str, str, str], zh: tuple[str, str, str], *, weakened: Sequence[Record] = ()
) -> Record:
    segments = {
        language: [{"t": before}, number(shown, COST), {"t": after}]
        for language, (before, shown, after) in (("en", en), ("zh", zh))
    }
    return {
        "id": f"costs.{severity}",
        "section": "costs",
        "severity": severity,
        "subject": {},
        "values": {},
        "statement": {language: "".join(piece["t"] for piece in segments[language]) for language in segments},
        "segments": segments,
        "evidence": f"costs.{severity}-1",
        "method": text("Price and volume effects, Laspeyres order.", "价量分解，先量后价。"),
        "checks": [],
        "rank": 0.0,
        "preview": None,
        "weakened": list(weakened),
    }


def findings() -> Record:
    return block(
        "findings",
        "costs.findings",
        [COST],
        empty=words("No finding survives the checks.", "没有结论经得起检验。"),
        findings=[
            finding(
                "alert",
                ("Spare parts cost rose by ", "CNY 139,600", "; three quarters of it is price."),
                ("备件成本上升 ", "13.96万元", "，其中四分之三来自价格。"),
                weakened=[words("The ledger differs from the postings by one cent.", "明细与总账相差一分。")],
            ),
            finding(
                "watch",
                ("Compensation is ", "17.9%", " of cost and could be noise."),
                ("赔付占成本 ", "17.9%", "，可能只是波动。"),
            ),
            finding(
                "info",
                ("Freight fell by ", "6.3%", " with fewer returns."),
                ("退货减少，运费下降 ", "6.3%", "。"),
            ),
            finding(
                "good",
                ("The call centre cost ", "CNY 377,400", ", below plan."),
                ("呼叫中心成本 ", "37.74万元", "，低于计划。"),
            ),
        ],
    )


def check(id: str, outcome: str, en: str, zh: str) -> Record:
    return {"id": id, "outcome": outcome, "sentence": words(en, zh)}


CHECKS = [
    check("tie_out", "failed", "The ledger differs from the postings by one cent.", "明细与总账相差一分。"),
    check("mature", "info", "Two cohorts are too young to be judged.", "两个批次尚不足以评价。"),
    check(
        "conserved",
        "passed",
        "Effects add up to the change, to the cent.",
        "各项影响之和与变动一致，精确到分。",
    ),
]


def checks() -> Record:
    return block("checks", "costs.checks", checks=CHECKS)


def callout() -> Record:
    return block(
        "callout",
        "experience.missing",
        tone="watch",
        title=words("Not computed: satisfaction", "未计算：满意度"),
        body=words(
            "This part needs surveys.score, which the data of this run do not hold.",
            "此部分需要 surveys.score，本次数据中没有。",
        ),
    )


def markdown(source: str) -> Record:
    return {"cell_type": "markdown", "id": "m", "metadata": {}, "source": source}


def code(*records: Record, tags: tuple[str, ...] = (), source: str = "show(result)") -> Record:
    outputs = [
        {"output_type": "display_data", "metadata": {}, "data": {MIME: record, "text/plain": "[block]"}}
        for record in records
    ]
    return {
        "cell_type": "code",
        "id": "c",
        "execution_count": 1,
        "metadata": {"tags": list(tags)},
        "source": source,
        "outputs": outputs,
    }


def notebook(section: str, order: int, *cells: Record) -> Record:
    cells = tuple({**cell, "id": f"{section}-{index}"} for index, cell in enumerate(cells))
    return {
        "cells": list(cells),
        "metadata": {"after_sales": {"section": section, "order": order}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def costs_notebook() -> Record:
    return notebook(
        "costs",
        10,
        markdown(
            "# Where the cost comes from\n\nWhat did after-sales service cost this month, and why did it move? The answer ties out to the general ledger."
        ),
        code(
            block("callout", "setup.hidden", tone="info", title=words("HIDDEN SETUP"), body=None),
            tags=("setup",),
        ),
        markdown(
            "## The composition of cost\n\nIncurred basis: postings of basis *incurred* and **recovery**.[^1] It's the owner's \"one ledger\", see [the doubt](#how-sure-are-we).\n\n"
            "- Labour without outsourcing\n- Parts at moving average price\n\n1. Read the total first\n2. Then the changes\n\n[^1]: A posting counts in one of the two reconciliations, never in both.\n"
        ),
        code(composition(), tags=("exhibit",)),
        code(figure(), tags=("exhibit",)),
        markdown(
            "### A level too deep is mended\n\n##### Even this one\n\n> Definitions are owned by finance.\n\n| Basis | Meaning |\n|---|---|\n| incurred | when the work was done |\n| `recovery` | money that came back |\n"
        ),
        code(findings(), tags=("finding",)),
        markdown("## How sure are we?"),
        code(checks(), callout(), tags=("checks",)),
        code(block("facts", "costs.facts", [fact("hidden_metric")])),
    )


def summary_notebook() -> Record:
    return notebook("summary", 0, markdown("# Executive summary\n\nThe month on one page."), code(tiles()))


def metric(id: str, en: str, zh: str, **changes: Any) -> Record:
    return {
        "id": id,
        "name": text(en, zh),
        "description": text(f"{en}, as finance owns it.", f"{zh}，由财务负责。"),
        "numerator": text("incurred and recovered postings", "发生额与收回额"),
        "denominator": text("revenue", "收入"),
        "unit": "share",
        "owner": "Group Controlling",
        "version": "1",
        "better": "lower",
        **changes,
    }


def pack(**changes: Any) -> Record:
    sources = [
        {
            "table": "tickets",
            "file": "tickets.csv",
            "rows_read": 20_120,
            "accepted": 20_000,
            "quarantined": 100,
            "exact_duplicates": 20,
            "sha256": "ab" * 32,
        },
        {
            "table": "cost_postings",
            "file": "cost_postings.parquet",
            "rows_read": 61_004,
            "accepted": 61_000,
            "quarantined": 4,
            "exact_duplicates": 0,
            "sha256": "cd" * 32,
        },
    ]
    return {
        "month": "2026-10",
        "as_of": "2026-11-05",
        "edition": 1,
        "company": text("Northwind Appliances", "北风电器"),
        "currency": "CNY",
        "status": "issued",
        "code_version": "0.1.0+g1a2b3c4",
        "preparer": "Li Na",
        "reviewer": "Wang Qiang",
        "sources": sources,
        "registry": [
            metric("after_sales_cost", "After-sales cost", "售后成本", unit="currency", denominator=None),
            metric("after_sales_cost_rate", "After-sales cost rate", "售后成本率"),
            metric("nps", "Net promoter score", "净推荐值", better="higher"),
        ],
        "checks": CHECKS,
        "hashes": {"facts.json": "12" * 32, "findings.json": "34" * 32},
        "restated": [],
        **changes,
    }


def saved(folder: Path, *notebooks: Record) -> list[Path]:
    paths = []
    for content in notebooks:
        path = folder / f"{content['metadata']['after_sales']['section']}.ipynb"
        path.write_text(json.dumps(content), encoding="utf-8")
        paths.append(path)
    return paths


# ---------------------------------------------------------------- what is in the file


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PdfReader]:
    folder = tmp_path_factory.mktemp("issued")
    paths = saved(folder, costs_notebook(), summary_notebook())
    return {
        language: PdfReader(write_pdf(paths, folder / f"pack.{language}.pdf", language=language, pack=pack()))
        for language in ("en", "zh")
    }


def printed(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def squeezed(reader: PdfReader) -> str:
    """All text without blanks: between Chinese and Latin a reader may see a gap or not."""
    return re.sub(r"\s", "", printed(reader))


def outline(reader: PdfReader) -> list[tuple[str, int]]:
    def walk(items: list[Any]) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        for item in items:
            found += (
                walk(item)
                if isinstance(item, list)
                else [(str(item.title), reader.get_destination_page_number(item) + 1)]
            )
        return found

    return walk(reader.outline)


def structure(reader: PdfReader) -> list[tuple[str, Any]]:
    """Every element of the structure tree: its type and the element."""
    found: list[tuple[str, Any]] = []

    def walk(node: Any) -> None:
        node = node.get_object()
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict) and "/S" in node:
            found.append((str(node["/S"]), node))
            if "/K" in node and not isinstance(node["/K"], int):
                walk(node["/K"])

    walk(reader.trailer["/Root"]["/StructTreeRoot"]["/K"])
    return found


def one(*records: Record, source: str = "# Title", language: str = "en", before: str = "") -> PdfReader:
    content = notebook("one", 1, markdown(source), *([markdown(before)] if before else []), code(*records))
    return PdfReader(io.BytesIO(notebook_pdf("one", content, language=language)))


def test_the_pack_reads_in_both_languages(issued: dict[str, PdfReader]) -> None:
    english, chinese = squeezed(issued["en"]), squeezed(issued["zh"])
    for shown in (
        "NorthwindAppliances",
        "October2026",
        "Dataasof5November2026",
        "CNY3.42million",
        "Sparepartscostrose",
        "Sign-off",
    ):
        assert shown in english
    for shown in (
        "北风电器",
        "售后财务报告",
        "2026年10月",
        "数据截至2026年11月5日",
        "342万元",
        "备件成本上升",
        "第2页，共",
        "签署",
    ):
        assert shown in chinese
    assert "HIDDENSETUP" not in english + chinese
    assert "show(result)" not in english + chinese  # code is never printed


def test_captions_carry_number_and_id_the_same_in_both_languages() -> None:
    from exhibit_gallery import all_blocks

    blocks = [dict(block.payload) for block in all_blocks()]
    texts = {language: printed(one(*blocks, language=language)) for language in ("en", "zh")}
    numbers = dict.fromkeys(("table", "figure"), 0)
    for block in blocks:
        if block["kind"] in numbers:
            numbers[block["kind"]] += 1
            for language, names in (("en", ("Table", "Figure")), ("zh", ("表", "图"))):
                label = f"{names[block['kind'] == 'figure']} {numbers[block['kind']]}"
                assert re.search(rf"{label}\s+{re.escape(block['id'])}\s", texts[language])
        named = [block["id"]] if block["kind"] == "tiles" else [f["id"] for f in block.get("findings", ())]
        assert all(id in text for id in named for text in texts.values())
    assert min(numbers.values()) > 0


def test_every_page_but_the_cover_says_where_one_is(issued: dict[str, PdfReader]) -> None:
    reader = issued["en"]
    pages = [page.extract_text() for page in reader.pages]
    assert "Page" not in pages[0]
    for number, page in enumerate(pages[1:], start=2):
        assert f"Page {number} of {len(pages)}" in page
        assert "After-sales finance report" in page.splitlines()[0] + page.splitlines()[1]
    starts = dict(outline(reader))
    continued = pages[starts["2 Where the cost comes from"]]  # the page after the section's first
    assert "Where the cost comes from" in " ".join(continued.splitlines()[:2])


def test_bookmarks_follow_the_sections_and_lead_to_their_pages(issued: dict[str, PdfReader]) -> None:
    reader = issued["en"]
    bookmarks = outline(reader)
    assert [title for title, _ in bookmarks] == [
        "Contents",
        "1 Executive summary",
        "2 Where the cost comes from",
        "The composition of cost",
        "A level too deep is mended",
        "Even this one",
        "How sure are we?",
        "A Definitions",
        "B Data sources and row counts",
        "C Checks",
        "Sign-off",
    ]
    for title, page in bookmarks:
        heading = re.sub(r"^[\dA-D] ", "", title)
        assert heading in reader.pages[page - 1].extract_text()


def test_contents_print_the_page_each_section_starts_on_and_link_to_it(issued: dict[str, PdfReader]) -> None:
    reader = issued["en"]
    contents = reader.pages[1]
    for title, page in outline(reader)[1:4]:
        assert re.search(rf"{re.escape(re.sub(r'^. ', '', title))}\s*{page}\b", contents.extract_text())
    links = [link.get_object() for link in contents["/Annots"]]
    assert len(links) == 8  # six sections and two subsections; deeper headings stay out
    assert all(link["/Subtype"] == "/Link" for link in links)


def test_tagged_for_screen_readers_and_archived(issued: dict[str, PdfReader]) -> None:
    for language, reader in issued.items():
        root = reader.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"]
        assert str(root["/Lang"]) == {"en": "en-GB", "zh": "zh-CN"}[language]
        assert root["/ViewerPreferences"]["/DisplayDocTitle"]
        xmp = root["/Metadata"].get_object().get_data().decode()
        assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
        assert "<pdfaid:part>2</pdfaid:part>" in xmp
        assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp
        tags = [tag for tag, _ in structure(reader)]
        assert {
            "/H1",
            "/H2",
            "/H3",
            "/H4",
            "/P",
            "/L",
            "/LI",
            "/Table",
            "/TH",
            "/TD",
            "/Figure",
            "/Caption",
            "/TOC",
            "/Note",
        } <= set(tags)
        alts = [str(node["/Alt"]) for tag, node in structure(reader) if tag == "/Figure" and "/Alt" in node]
        assert any({"en": "the last and highest", "zh": "最后一根最高"}[language] in alt for alt in alts)


def test_all_fonts_are_embedded_subsets_of_the_shipped_face(issued: dict[str, PdfReader]) -> None:
    for reader in issued.values():
        fonts = {
            str(font["/BaseFont"]): font
            for page in reader.pages
            for font in map(lambda f: f.get_object(), page["/Resources"].get("/Font", {}).values())
        }
        assert {
            name.partition("+")[2].rpartition("-Identity")[0] or name.partition("+")[2] for name in fonts
        } <= {"NotoSansSC-Regular", "NotoSansSC-Bold"}
        for font in fonts.values():
            descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert "/FontFile2" in descriptor or "/FontFile3" in descriptor


def test_same_input_same_bytes_and_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = saved(tmp_path, costs_notebook(), summary_notebook())

    def made(name: str) -> bytes:
        return write_pdf(paths, tmp_path / name, language="zh", pack=pack()).read_bytes()

    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    first = made("a.pdf")
    assert made("b.pdf") == first
    assert len(first) < 2_000_000
    assert PdfReader(io.BytesIO(first)).metadata.creation_date.isoformat() == "2026-11-05T00:00:00+00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    dated = made("c.pdf")
    assert dated == made("d.pdf") != first
    assert PdfReader(io.BytesIO(dated)).metadata.creation_date.isoformat() == "2023-11-14T22:13:20+00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(ParameterError, match="SOURCE_DATE_EPOCH 'yesterday'"):
        made("e.pdf")


# ---------------------------------------------------------------- data are never markup


HOSTILE = [
    "<script>alert(1)</script>",
    "#emph[",
    "*bold*",
    "$x^2$ `raw`",
    "= no heading",
    '"quoted" \\ end',
    "@label <tag>",
    "// comment",
    "{braces} [[",
    "~a_b_c~",
]


def test_labels_are_printed_as_they_stand() -> None:
    rows = [row(cell(label), cell("1", of=COST)) for label in HOSTILE]
    listing = table(
        "labels",
        [column("label", "Label #[x]", number=False), column("n", "$n$")],
        rows,
        en="#strong[title]",
        zh="标题",
    )
    reader = one(
        listing,
        finding_block := block(
            "findings",
            "f",
            [COST],
            findings=[finding("alert", ("#panic() ", "*9*", " </p>"), ("", "", ""))],
            empty=words("-"),
        ),
        source="# Title with #set text(red)",
    )
    assert finding_block["findings"]
    found = squeezed(reader)
    for label in [
        *HOSTILE,
        "Label #[x]",
        "$n$",
        "#strong[title]",
        "#panic() *9* </p>",
        "Title with #set text(red)",
    ]:
        assert re.sub(r"\s", "", label) in found


def test_tabs_and_line_ends_in_labels_become_blanks_and_breaks() -> None:
    listing = table("names", [column("n", "Name", number=False)], [row(cell("Wang\tQiang\r\nSouth"))])
    assert re.search(r"Wang Qiang\s+South", printed(one(listing)))


def test_pictures_keep_their_words_as_text() -> None:
    reader = one(figure(drawn="peak & <b>trough</b>".replace("&", "&amp;").replace("<", "&lt;")))
    assert "peak&<b>trough</b>" in squeezed(reader)


# ---------------------------------------------------------------- tables


def long_table(rows: int = 200) -> Record:
    columns = [
        column("id", "Ticket", number=False),
        column("remark", "Remark", number=False, wide=True),
        column("cost", "Cost", unit=text("CNY")),
    ]
    body = [
        row(cell(f"T-{index:04d}"), cell("repaired in the field"), cell(f"{index},000.00", of=COST))
        for index in range(rows)
    ]
    return table(
        "long", columns, [*body[:-1], row(cell("Total"), cell(""), cell("9,999.00", of=COST), role="total")]
    )


def test_a_long_table_runs_over_pages_and_repeats_its_header() -> None:
    reader = one(long_table())
    pages = [page.extract_text() for page in reader.pages if "T-0" in page.extract_text()]
    assert len(pages) >= 4
    assert all(re.search(r"Ticket\s+Remark\s+Cost", page) and "CNY" in page for page in pages)
    tickets = re.findall(r"T-(\d{4})", "".join(pages))
    assert [int(ticket) for ticket in tickets] == list(
        range(199)
    )  # each once, in order, none lost at a break
    heads = [tag for tag, _ in structure(reader) if tag == "/TH"]
    assert len(heads) == 3  # a repeated header is an artefact, read once


def right_edges(reader: PdfReader) -> list[tuple[float, float]]:
    """For every piece of text on the pages: where it ends, and the width of its page."""
    edges: list[tuple[float, float]] = []
    for page in reader.pages:
        width = float(page.mediabox.width)

        def visit(
            piece: str,
            current: list[float],
            matrix: list[float],
            _font: Any,
            size: float,
            width: float = width,
        ) -> None:
            if piece.strip():
                x = matrix[4] * current[0] + current[4]
                edges.append((x, width))

        page.extract_text(visitor_text=visit)
    return edges


def wide_table(columns: int) -> Record:
    heads = [
        column("region", "Region", number=False),
        *(column(f"m{i}", f"Month {i}", unit=text("CNY thousand")) for i in range(columns - 1)),
    ]
    return table(
        "wide", heads, [row(cell("South"), *(cell(f"{i},234.5", of=COST) for i in range(columns - 1)))]
    )


@pytest.mark.parametrize(("columns", "landscape"), [(5, False), (16, True), (20, True)])
def test_wide_tables_shrink_then_turn_the_page(columns: int, landscape: bool) -> None:
    reader = one(wide_table(columns))
    page = next(page for page in reader.pages if "234.5" in page.extract_text())
    assert (page.mediabox.width > page.mediabox.height) == landscape
    assert all(f"{i},234.5" in page.extract_text() for i in range(columns - 1))
    assert all(30 < x < width - 30 for x, width in right_edges(reader))


def test_a_table_too_wide_for_any_page_is_cut_into_panels() -> None:
    reader = one(wide_table(60))
    page = next(page.extract_text() for page in reader.pages if "234.5" in page.extract_text())
    assert page.count("South") == page.count("Region") == 3
    assert re.findall(r"(\d+),234\.5", page) == [str(i) for i in range(59)]  # every column once, in order
    assert all(30 < x < width - 30 for x, width in right_edges(reader))


def test_wide_tables_share_a_landscape_page_with_what_leads_up_to_them() -> None:
    content = notebook(
        "one",
        1,
        markdown("# Title\n\nLead."),
        code(figure()),
        markdown("## Wide ones\n\nHow to read them."),
        code(wide_table(16), {**wide_table(16), "id": "again"}),
        markdown("Afterwards."),
    )
    pages = [
        (page.mediabox.width > page.mediabox.height, page.extract_text())
        for page in PdfReader(io.BytesIO(notebook_pdf("one", content, language="en"))).pages
    ]
    assert [turned for turned, _ in pages] == [False, True, False]
    assert "How to read them." in pages[1][1]
    assert pages[1][1].count("South") == 2
    assert "Afterwards." in pages[2][1]


def test_a_unit_that_many_columns_share_is_named_once() -> None:
    assert printed(one(wide_table(16))).count("CNY thousand") == 1 + 1  # the subtitle has it as well
    assert printed(one(wide_table(5))).count("CNY thousand") == 1 + 4


def test_no_cell_is_wider_than_its_column() -> None:
    heads = [
        {"label": "Region", "unit": "", "type": "text", "wide": False},
        *({"label": f"2026年{i}月", "unit": "万元", "type": "number", "wide": False} for i in range(1, 13)),
    ]
    rows = [
        {
            "role": "total",
            "cells": [{"text": "华南大区与华东大区"}, *({"text": f"−{i},234.5"} for i in range(12))],
        }
    ]
    (laid,) = panels("t", heads, rows)
    for index, width in enumerate(laid.widths[1:], start=1):
        assert typeface().width(rows[0]["cells"][index]["text"], laid.size, bold=True) <= width
    room = LANDSCAPE_WIDTH if laid.landscape else TEXT_WIDTH
    assert sum(laid.widths) + laid.size * 12 == pytest.approx(room, abs=0.01)


@pytest.mark.parametrize(
    ("heads", "name"),
    [
        (
            ["回收期", "期内回收概率", "盈亏平衡落实程度", "未证实不计入", "预期故障"] * 2,
            "华南响应提前两小时",
        ),
        (
            ["Payback", "Paid back in time", "Break-even uptake", "Not shown, not counted"] * 2,
            "Response two hours faster",
        ),
    ],
)
def test_words_run_over_lines_before_a_page_is_turned(heads: list[str], name: str) -> None:
    columns = [
        {"label": "Scenario", "unit": "", "type": "text", "wide": True},
        {"label": "Rests on", "unit": "", "type": "text", "wide": True},
        *({"label": head, "unit": "%", "type": "number", "wide": False} for head in heads),
    ]
    cells = [
        {"text": name},
        {"text": "partly shown: the rest is not counted"},
        *({"text": "−94.6"} for _ in heads),
    ]
    (laid,) = panels("t", columns, [{"role": "body", "cells": cells}])
    assert not laid.landscape
    # a heading of a few Chinese characters is not set one below the other
    for head, width in zip(heads, laid.widths[2:], strict=True):
        assert width >= min(typeface().width(head, laid.size, bold=True), 4 * laid.size) - 1e-9


@pytest.mark.parametrize(
    ("head", "pieces"),
    [
        ("之后 ÷ 之前", ["之后", " ", "÷", " ", "之前"]),
        ("减少的工单", ["减少", "的工单"]),
        ("合同额", ["合同额"]),
        ("p 值", ["p 值"]),
        ("2026年10月", ["2026年", "10月"]),
        ("单张（元）", ["单张", "（元）"]),
        ("一年后客户（对现有）", ["一年", "后客户", "（对现有）"]),
        ("损失（NPV）", ["损失", "（NPV）"]),
        ("合同客户：12 个月", ["合同", "客户：", "12 个月"]),
        ("量", ["量"]),
        ("Net present value", ["Net", " ", "present", " ", "value"]),
    ],
)
def test_a_heading_never_leaves_one_chinese_character_on_a_line(head: str, pieces: list[str]) -> None:
    assert head_pieces(head) == pieces
    columns = [column(f"c{place}", head, number=True) for place in range(14)]
    for each in columns:
        each["label"]["zh"] = head
    record = table("heads", columns, [row(*(cell("1", of=COST) for _ in columns))])
    lines = {line.strip() for line in printed(one(record, language="zh")).splitlines()}
    assert not [line for line in lines if line != head and len(line) == 1 and line >= "\u4e00"]


@pytest.mark.parametrize("lines", [34, 35])
def test_caption_subtitle_and_first_rows_stand_on_one_page(lines: int) -> None:
    """So many paragraphs before it leave a table room for its caption alone."""
    pages = pages_after(long_table(60), lines)
    assert {first(pages, words) for words in ("A table", "incurred basis", "Remark", "T-0000")} == {1}


def test_the_tag_of_a_strip_stands_on_the_page_of_its_last_tile() -> None:
    for lines in (24, 25, 26):
        pages = pages_after(tiles(), lines)
        assert first(pages, "summary.tiles") == first(pages, "Cost per ticket")


def pages_after(record: Record, lines: int) -> list[str]:
    before = "\n\n".join(f"Filler {line}." for line in range(lines))
    return [page.extract_text() for page in one(record, before=before).pages]


def first(pages: list[str], words: str) -> int:
    return next(number for number, page in enumerate(pages) if words in page)


def test_a_column_that_no_page_holds_is_refused() -> None:
    heads = [column("c", "Name", number=False), column("n", "Number")]
    with pytest.raises(
        PublicationRefused,
        match=r"table huge: a column is wider than a landscape page \(700 points\) even at 6.0",
    ):
        one(table("huge", heads, [row(cell("x"), cell("9" * 250, of=COST))]))


def test_long_words_may_break_and_lose_nothing() -> None:
    path = "extracts/2026-10/service_desk/tickets_full_export.csv/" + "ab" * 32
    assert breakable(path).replace("\u200b", "") == path
    assert "\u200b" in breakable(path)
    assert breakable("South-East region 2026-10") == "South-East region 2026-10"
    # Chinese breaks between any two characters already, and its numbers stay whole
    chinese = "服务台，“新建工单”看板；2026 年 10 月，于2026年11月10日读取自上线以来的全部工单"
    assert breakable(chinese) == chinese
    reader = one(
        table(
            "paths",
            [column("p", "Path", number=False), column("n", "Rows")],
            [row(cell(path), cell("1", of=COST))],
        )
    )
    assert path in squeezed(reader).replace("\u200b", "")


def test_widths_are_those_of_the_font() -> None:
    # Noto Sans SC: digits 0.555 em, a Chinese character one em, a quarter em between the two.
    assert typeface().width("123", 10) == pytest.approx(16.65)
    assert typeface().width("中文", 10) == pytest.approx(20.0)
    assert typeface().width("中1", 10) == pytest.approx(10 + 5.55 + 2.5)


# ---------------------------------------------------------------- tiles


@pytest.mark.parametrize(
    ("language", "shown", "large", "small"),
    [
        ("en", "CNY 3.42 million", "CNY 3.42 million", ""),
        ("en", "−CNY 213.50 per ticket", "−CNY 213.50", " per ticket"),
        ("en", "2,394 tickets", "2,394", " tickets"),
        ("en", "12.3 failures per 1,000 unit-months", "12.3", " failures per 1,000 unit-months"),
        ("en", "not computed: needs surveys.score", "not computed: needs surveys.score", ""),
        ("zh", "每张工单 1,632.00 元", "1,632.00 元", " 每张工单"),
        ("zh", "25.0 亿元", "25.0 亿元", ""),
        ("zh", "391 万美元", "391 万美元", ""),
        ("zh", "14.2 小时", "14.2", " 小时"),
        ("zh", "每千台月 12.3 次故障", "12.3", " 次故障 每千台月"),
        ("zh", "4.1%", "4.1%", ""),
    ],
)
def test_the_number_of_a_tile_is_large_and_its_unit_small(
    language: Any, shown: str, large: str, small: str
) -> None:
    nodes = value_nodes([{"type": "fact", "text": shown}], language)
    assert [node["text"] for node in nodes] == [large, small] if small else [large]


def made_tiles(*values: str) -> list[Record]:
    comparison = {
        "label": "same month a year before",
        "value": [{"type": "fact", "text": "+0.4 pp, could be noise"}],
        "tone": None,
    }
    return [
        {
            "label": "x",
            "value": [{"type": "fact", "text": value}],
            "absent": False,
            "spark": {"path": "p"},
            "comparisons": [comparison],
        }
        for value in values
    ]


@pytest.mark.parametrize("count", range(1, 13))
def test_tiles_fit_their_row_whatever_their_number(count: int) -> None:
    strip = tile_strip(made_tiles(*["CNY 1,632.00 million"] * count))
    room = (TEXT_WIDTH - GAP * (strip["across"] - 1)) / strip["across"]
    assert typeface().width("CNY 1,632.00 million", strip["size"], bold=True) <= room
    assert strip["stacked"] == (room < 190)  # label and value of the comparison need about 180 points
    cover = cover_strip(made_tiles(*["CNY 1,632.00 million"] * count))
    assert cover is not None
    assert len(cover["tiles"]) <= COVER_ROWS * cover["across"]


def test_no_tiles_no_strip_on_the_cover() -> None:
    assert cover_strip([]) is None


# ---------------------------------------------------------------- sign-off, status, appendices


def whole(tmp_path: Path, language: str = "en", **changes: Any) -> PdfReader:
    paths = saved(tmp_path, costs_notebook(), summary_notebook())
    return PdfReader(write_pdf(paths, tmp_path / "pack.pdf", language=language, pack=pack(**changes)))


def test_the_sign_off_page_names_people_checks_and_hashes(issued: dict[str, PdfReader]) -> None:
    page = issued["en"].pages[-1].extract_text()
    for shown in (
        "Li Na",
        "Wang Qiang",
        "Signature",
        "Date",
        "1 passed",
        "1 failed",
        "The ledger differs from the postings by one cent.",
        "12" * 32,
    ):
        assert shown in re.sub(r"[^\S\n]+", " ", page)


@pytest.mark.parametrize(
    ("status", "stamp"),
    [("not tied out", "NOT TIED OUT — not for signature"), ("draft", "DRAFT — not for signature")],
)
def test_what_is_not_issued_cannot_be_signed(tmp_path: Path, status: str, stamp: str) -> None:
    reader = whole(tmp_path, status=status)
    assert stamp in reader.pages[-1].extract_text()
    assert stamp in reader.pages[0].extract_text()
    assert "Signature" not in printed(reader)


def test_only_metrics_with_a_fact_are_defined(issued: dict[str, PdfReader]) -> None:
    start = dict(outline(issued["en"]))["A Definitions"]
    page = issued["en"].pages[start - 1].extract_text()
    assert "after_sales_cost_rate" in page
    assert "incurred and recovered postings" in page
    assert "Unit: CNY" in page
    assert "Net promoter score" not in page


def test_rows_are_accounted_for_or_the_pack_is_refused(issued: dict[str, PdfReader], tmp_path: Path) -> None:
    text_of = printed(issued["en"])
    assert re.search(r"All tables\s+81,124\s+20\s+104\s+81,000", text_of)
    lost = copy.deepcopy(pack()["sources"])
    lost[0]["accepted"] -= 1
    with pytest.raises(PublicationRefused, match=r"tickets.csv: 20120 rows read, 20119 accounted for"):
        whole(tmp_path, sources=lost)


def test_restated_numbers_have_an_appendix_of_their_own(tmp_path: Path) -> None:
    restated = [
        {
            "name": text("After-sales cost"),
            "period": "2026-09",
            "before": "3,260.6",
            "after": "3,255.1",
            "change": "−5.5",
            "cause": text("Late credit note"),
        }
    ]
    reader = whole(tmp_path, restated=restated, restated_count=40)
    titles = [title for title, _ in outline(reader)]
    assert titles[-5:-3] == ["A Restated figures", "B Definitions"]
    assert re.search(
        r"After-sales cost\s+2026-09\s+3,260.6\s+3,255.1\s+−5.5\s+Late credit note", printed(reader)
    )
    assert "1 of 40 are listed here; all of them stand in evidence/restated.csv." in printed(reader)


def test_the_summary_leads_and_its_tiles_stand_on_the_cover(issued: dict[str, PdfReader]) -> None:
    assert "CNY 213.50" in issued["en"].pages[0].extract_text()
    assert [title for title, _ in outline(issued["en"])][
        1
    ] == "1 Executive summary"  # though the notebook was given last


def test_a_failed_check_is_printed_beside_the_finding_it_weakens(issued: dict[str, PdfReader]) -> None:
    shown = re.sub(r"\s+", " ", printed(issued["en"]))
    assert "three quarters of it is price. Weakened by a failed check: The ledger differs" in shown
    assert shown.count("Weakened by") == 1


def test_footnotes_stand_at_the_foot_of_their_page(issued: dict[str, PdfReader]) -> None:
    page = next(
        page.extract_text() for page in issued["en"].pages if "postings of basis" in page.extract_text()
    )
    lines = [line for line in page.splitlines() if line.strip()]
    assert "A posting counts in one of the two reconciliations" in " ".join(lines[-4:])


def test_links_inside_a_section_lead_to_its_heading_and_dead_ones_are_words() -> None:
    source = "# Title\n\nSee [below](#the-doubt) or [nowhere](#gone).\n\n## The doubt\n\nText.\n\n## The doubt\n\nAgain."
    reader = one(source=source)
    links = [link.get_object() for page in reader.pages for link in page.get("/Annots", [])]
    assert len(links) == 1
    assert "See below or nowhere." in printed(reader)


def test_quotation_marks_are_curly_in_english_and_left_alone_in_code() -> None:
    assert (
        curly("It's the owner's \"one ledger\", in the '90s", opening=True)
        == "It’s the owner’s “one ledger”, in the ’90s"
    )
    assert curly('s own ("x")', opening=False) == "s own (“x”)"
    assert 'code "as is"' in printed(one(source='# T\n\nA "word" and `code "as is"`.'))
    assert "A “word” and" in printed(one(source='# T\n\nA "word" and `code`.'))


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Smith 😀 👍", "Smith 😀 👍"),
        ("Łódź Győr İzmir Timișoara", "Łódź Győr İzmir Timișoara"),
        ("Київ Ґданськ Ђорђе", "Київ Ґданськ Ђорђе"),
        ("Ἀθήνα Ήλιος", "Ἀθήνα Ήλιος"),
        ("서울 부산", "서울 부산"),
        ("𠮷野家 𨋢 﨑", "𠮷野家 𨋢 﨑"),
        ("القاهرة", "□□□□□□□"),
        ("a\u200d\ufe0fb", "ab"),
        ("bell \x07 rings", "bell  rings"),
        ("Z\u030c", "Ž"),
        ("𝐁old ㏄ 🅰", "Bold ㏄ □"),
    ],
)
def test_every_name_is_printed_or_has_a_substitute(given: str, shown: str) -> None:
    listing = table("people", [column("name", "Name", number=False)], [row(cell(given))])
    read = json.dumps(
        document(
            [("one", notebook("one", 1, markdown("# T"), code(listing)))], language="en", pack=None
        ).record,
        ensure_ascii=False,
    )
    assert printable(given).replace("\u200d", "").replace("\ufe0f", "") == shown
    assert json.dumps(printable(given), ensure_ascii=False) in read
    assert not unprintable(printable(given))


def test_a_pack_with_strange_letters_in_table_and_drawing_is_typeset() -> None:
    listing = table("people", [column("name", "Name", number=False)], [row(cell("Łódź 서울 Ґ 𠮷 😀 ش"))])
    read = one(listing, figure(drawn="Győr 서울 ش 😀")).pages
    said = "".join(page.extract_text() for page in read)
    assert "Łódź 서울 Ґ" in said and "□" in said and "ش" not in said


def test_what_no_font_draws_is_said_in_a_check() -> None:
    from analysis.report.make import glyph_checks

    assert glyph_checks([{"title": "Łódź 서울 😀"}]) == []
    (check,) = glyph_checks([{"title": "plain", "rows": [{"text": "شركة 12"}]}])
    assert check["outcome"] == "info"
    said = "".join(piece["t"] for piece in check["sentence"]["en"])
    assert "U+0634" in said and "'□□□□ 12'" in said
    assert "随附字体" in "".join(piece["t"] for piece in check["sentence"]["zh"])


def test_names_and_signs_of_a_report_have_glyphs() -> None:
    assert typeface().missing("镕喆堃犇䶮㛃 −–×≤±≈→①€¥«é") == []
    assert typeface().missing("aشb\x07ش") == ["ش", "\x07"]


def test_a_figure_without_alt_text_is_refused() -> None:
    with pytest.raises(PublicationRefused, match=r"figure costs.trend: no alt text in zh"):
        one(figure(alt=text("Bars", " ")), language="zh")
    silent = tiles()
    silent["tiles"][1]["spark"]["alt"]["en"] = ""
    with pytest.raises(
        PublicationRefused, match=r"spark line of 'Cost rate' in summary.tiles: no alt text in en"
    ):
        one(silent)


def test_a_broken_picture_is_refused() -> None:
    with pytest.raises(PublicationRefused, match=r"figure costs.trend \(en\): its SVG cannot be read"):
        one(figure(svg=text("<svg><g></svg>")))


def test_a_notebook_with_an_error_is_refused() -> None:
    cell_ = code()
    cell_["outputs"] = [{"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": []}]
    with pytest.raises(NotebookFailed, match="notebook costs, cell 2: KeyError: 'x'"):
        document([("costs", notebook("costs", 1, markdown("# T"), cell_))], language="en", pack=None)


def test_a_pack_with_a_gap_or_an_unknown_status_is_refused(tmp_path: Path) -> None:
    short = pack()
    short["currrency"] = short.pop("currency")
    with pytest.raises(ParameterError, match="no 'currency'. Did you mean 'currrency'"):
        write_pdf(saved(tmp_path, summary_notebook()), tmp_path / "x.pdf", language="en", pack=short)
    with pytest.raises(ParameterError, match="status 'final'; known: issued"):
        write_pdf(
            saved(tmp_path, summary_notebook()), tmp_path / "x.pdf", language="en", pack=pack(status="final")
        )
    assert not (tmp_path / "x.pdf").exists()


# ---------------------------------------------------------------- one notebook through nbconvert


def test_every_word_of_the_template_has_a_chinese_wording() -> None:
    from analysis.locale import untranslated

    before = set(untranslated())
    document(
        [("s", notebook("executive", 1, markdown("# 摘要"), code(tiles(), findings(), checks())))],
        language="zh",
        pack=pack(restated=[{"name": "x"}]),
    )
    document([("s", notebook("executive", 1, markdown("# 摘要")))], language="zh", pack=pack(status="draft"))
    document(
        [("s", notebook("executive", 1, markdown("# 摘要")))], language="zh", pack=pack(status="not tied out")
    )
    assert set(untranslated()) - before <= {"摘要"}  # prose of this test


def test_one_notebook_alone_has_no_cover() -> None:
    reader = one(tiles(), source="# Costs\n\nLead.")
    assert "Costs" in reader.pages[0].extract_text()
    assert "Page 1 of 1" in reader.pages[0].extract_text()
    assert reader.metadata.title == "Costs"


def test_nbconvert_finds_the_exporter_and_writes_a_pdf(tmp_path: Path) -> None:
    (path,) = saved(tmp_path, costs_notebook())
    command = [
        sys.executable,
        "-m",
        "nbconvert",
        "--to",
        "after_sales_pdf",
        "--AfterSalesPDFExporter.language=zh",
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "备件是本月上升的主因" in squeezed(PdfReader(tmp_path / "costs.pdf"))
