"""Parts without content are named in one table and leave no page; nothing else goes, and nothing goes unsaid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from report_stub import code, output, prose

from analysis.errors import MissingData
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.statements import callout, facts_block, not_computed
from analysis.exhibits.tables import table
from analysis.exhibits.vocabulary import Column, Row, Tile
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.report.exhibit_index import exhibit_index
from analysis.report.folding import HEADING, TABLE, folded, left_out, name_left_out
from analysis.results import Fact, Sentence, lacking

PROVISION = not_computed(
    MissingData("provision.opening"), id="costs.provision", what=Text.of("Warranty provision")
)
OUTLOOK = not_computed(NotDone(reason=Text.of("not tried")), id="costs.outlook", what=Text.of("Budget"))
REMARK = callout("costs.remark", tone="info", title=Sentence("Not tied out"))


def shows(*blocks: Any) -> dict[str, Any]:
    return code("run.show(…)", "exhibit") | {
        "execution_count": 1,
        "outputs": [output(dict(block.payload)) for block in blocks],
    }


def notebook(section: str, *cells: dict[str, Any], title: str = "Cost decomposition") -> dict[str, Any]:
    return {
        "cells": [prose(f"# {title}\n\nWhat it is."), *cells],
        "metadata": {"after_sales": {"section": section, "order": 1}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def quality(*cells: dict[str, Any]) -> dict[str, Any]:
    return notebook(
        "quality", shows(REMARK), prose("## What to doubt"), shows(REMARK), *cells, title="Data quality"
    )


def made(folder: Path, **notebooks: dict[str, Any]) -> list[Path]:
    paths = []
    for name, content in notebooks.items():
        paths.append(folder / f"{name}.ipynb")
        paths[-1].write_text(json.dumps(content), encoding="utf-8")
    return paths


def printed(folder: Path, **notebooks: dict[str, Any]) -> dict[str, list[str]]:
    """What a pack prints of each notebook: the texts of its prose, and ``#id`` of its blocks."""
    paths = made(folder, **notebooks)
    name_left_out(paths, folder / "evidence")
    pack = folded([(path.stem, json.loads(path.read_text("utf-8"))) for path in paths])
    return {name: list(map(_told, _pieces(content))) for name, content in pack}


def _pieces(content: dict[str, Any]) -> list[Any]:
    return [
        piece
        for cell in content["cells"]
        for piece in ([cell["source"]] if cell["cell_type"] == "markdown" else cell["outputs"])
    ]


def _told(piece: Any) -> str:
    if isinstance(piece, str):
        return piece
    return "#" + next(record["id"] for name, record in piece["data"].items() if "after-sales" in name)


HEAD = "# Cost decomposition\n\nWhat it is."


def test_a_part_without_content_goes_with_its_heading_and_is_named(tmp_path: Path) -> None:
    costs = notebook(
        "costs",
        prose("## Why?"),
        shows(REMARK),
        prose("## Is the warranty provision enough?\n\nIt is."),
        shows(PROVISION),
        shows(facts_block("costs.hidden", [])),
        prose("## Method"),
    )
    found = printed(tmp_path, q=quality(), c=costs)
    assert found["c"] == [HEAD, "## Why?", "#costs.remark", "## Method"]
    assert found["q"][2].startswith(HEADING)
    assert found["q"][3:5] == [f"#{TABLE}", "## What to doubt"]
    kept = (tmp_path / "evidence" / f"{TABLE}.csv").read_text("utf-8-sig")
    assert "provision.opening,Cost decomposition: Warranty provision" in kept
    # the notebook itself stays whole
    assert "costs.provision" in (tmp_path / "c.ipynb").read_text("utf-8")


def test_only_what_is_empty_of_a_part_goes(tmp_path: Path) -> None:
    costs = notebook(
        "costs",
        prose("## Head\n\nOf the first."),
        shows(PROVISION),
        prose("Of the second."),
        shows(OUTLOOK, REMARK),
        prose("Of the third."),
        shows(OUTLOOK),
    )
    assert printed(tmp_path, q=quality(), c=costs)["c"] == [
        HEAD,
        "## Head",
        "Of the second.",
        "#costs.remark",
    ]


def test_a_section_without_content_is_no_section(tmp_path: Path) -> None:
    found = printed(tmp_path, q=quality(), c=notebook("costs", shows(PROVISION)))
    assert list(found) == ["q"]


def test_a_summary_stays_even_if_it_is_empty(tmp_path: Path) -> None:
    assert "e" in printed(tmp_path, q=quality(), e=notebook("executive", shows(PROVISION)))


def test_nothing_goes_where_no_table_can_say_so(tmp_path: Path) -> None:
    assert printed(tmp_path, c=notebook("costs", shows(PROVISION)))["c"] == [HEAD, "#costs.provision"]


APPLIES_NOT = not_computed(
    NotDone(reason=Text.of("no two shops or platforms are named")),
    id="costs.shops",
    what=Text.of("Shops compared"),
    told=False,
)


@pytest.mark.parametrize("others", [(), (PROVISION,)])
def test_a_part_that_does_not_apply_goes_without_a_word(tmp_path: Path, others: tuple[Any, ...]) -> None:
    costs = notebook(
        "costs",
        prose("## Shops compared\n\nHow."),
        shows(APPLIES_NOT),
        prose("## Why?"),
        shows(REMARK, *others),
    )
    found = printed(tmp_path, q=quality(), c=costs)
    assert found["c"] == [HEAD, "## Why?", "#costs.remark"]
    # it makes no table of what is left out, and no line in one
    assert any(TABLE in piece for piece in found["q"]) == bool(others)
    assert not others or "Shops" not in (tmp_path / "evidence" / f"{TABLE}.csv").read_text("utf-8-sig")


def test_it_goes_where_no_table_can_say_what_else_is_lacking(tmp_path: Path) -> None:
    costs = notebook("costs", shows(PROVISION), prose("## Shops compared"), shows(APPLIES_NOT))
    assert printed(tmp_path, c=costs)["c"] == [HEAD, "#costs.provision"]


def test_nothing_is_added_where_all_has_content(tmp_path: Path) -> None:
    found = printed(tmp_path, q=quality(), c=notebook("costs", shows(REMARK)))
    assert not any(TABLE in piece for piece in found["q"])
    assert not (tmp_path / "evidence").exists()


def test_what_would_add_the_most_comes_first_and_a_part_is_named_once() -> None:
    books = [
        ("c", notebook("costs", shows(OUTLOOK), shows(OUTLOOK))),
        ("d", notebook("value", shows(PROVISION), title="Data quality")),
        ("e", notebook("costs", shows(PROVISION))),
    ]
    lines = left_out(books)
    assert [line.why.en for line in lines] == ["provision.opening", "not tried"]
    assert lines[0].listed == Text(
        en="Data quality: Warranty provision; Cost decomposition: Warranty provision",
        zh="数据质量：产品质量保证准备；成本分解：产品质量保证准备",
    )
    assert lines[1].listed.en == "Cost decomposition: Budget"


def test_exhibits_are_numbered_as_they_are_printed(tmp_path: Path) -> None:
    paths = made(tmp_path, q=quality(), c=notebook("costs", shows(PROVISION)))
    name_left_out(paths, tmp_path / "evidence")
    entries = exhibit_index(folded([(path.stem, json.loads(path.read_text("utf-8"))) for path in paths]))
    assert [(entry["id"], entry["number"]) for entry in entries] == [(TABLE, 1)]


@pytest.mark.parametrize(
    "missing", [MissingData("a.b", "c"), NotDone(reason=Text.of("not tried"), needs=("a.b", "c"))]
)
def test_a_part_says_which_columns_it_lacks(missing: Any) -> None:
    (line,) = left_out([("c", notebook("costs", shows(not_computed(missing, id="costs.x"))))])
    assert line.why == Text(en="a.b, c", zh="a.b, c")


def figure_of(metric: str, value: int | None, *needs: str) -> Fact:
    return Fact(
        metric=metric,
        period="2026-10",
        unit="tickets",
        value=value,
        reason=None if value is not None else lacking(*needs) if needs else Text.of("nothing to compare"),
    )


COUNTED = figure_of("ticket_count", 3)
ABSENT = figure_of("repeat_repair_count", None, "tickets.serial_no")
TOO_FEW = figure_of("ticket_count_change", None)


def rows(**facts: Fact) -> Any:
    return table(
        "costs.rows",
        title=Sentence("Budget"),
        columns=[Column(key="name", label=Text.of("Team")), Column(key="count", label=Text.of("Tickets"))],
        rows=[Row(cells={"name": Text.same(name), "count": fact}) for name, fact in facts.items()],
    )


def test_a_row_whose_columns_are_absent_is_named_and_not_printed() -> None:
    block = rows(served=COUNTED, again=ABSENT, change=TOO_FEW)
    assert (
        len(block.payload["rows"]) == 2
    )  # what a table cannot compute for another reason says so in its place
    (line,) = left_out([("c", notebook("costs", shows(block)))])
    assert (line.why.en, line.listed.en) == ("tickets.serial_no", "Cost decomposition: again")


def test_a_table_of_absent_rows_only_stays_whole() -> None:
    block = rows(again=ABSENT)
    assert len(block.payload["rows"]) == 1
    assert left_out([("c", notebook("costs", shows(block)))]) == []


def key_figure(name: str, fact: Fact) -> Tile:
    return Tile(label=Text.same(name), fact=fact)


def test_a_key_figure_whose_columns_are_absent_is_named_and_not_printed() -> None:
    shown = tiles("costs.tiles", [key_figure("served", COUNTED), key_figure("again", ABSENT)])
    assert len(shown.payload["tiles"]) == 1
    (line,) = left_out([("c", notebook("costs", shows(shown)))])
    assert line.listed.en == "Cost decomposition: again"
    alone = tiles("costs.tiles", [key_figure("again", ABSENT)])
    assert len(alone.payload["tiles"]) == 1


def cost_of(value: str) -> Fact:
    return Fact(
        metric="after_sales_cost", period="2026-10", unit="CNY", value=3, dimensions={"channel": value}
    )


def grouped(*values: str) -> list[Row]:
    head = Row(cells={"name": Text.of("Sales channel")}, role="group")
    lines = [
        Row(cells={"name": Text.same(value), "count": cost_of(value)}, slice={"channel": value})
        for value in values
    ]
    return [head, *lines]


def of_groups(*rows: Row) -> Any:
    total = Row(cells={"name": Text.of("Total"), "count": COUNTED}, role="total")
    return table(
        "costs.groups",
        title=Sentence("Budget"),
        columns=[
            Column(key="name", label=Text.of("Team")),
            Column(key="count", label=Text.of("Tickets")),
            Column(key="range", label=Text.of("Interval"), show="interval"),
            Column(key="words", label=Text.of("Verdict")),
        ],
        rows=[Row(cells={"name": Text.same("served"), "count": COUNTED, "range": None}), *rows, total],
    )


def test_a_group_of_which_nothing_is_stated_is_named_and_not_printed() -> None:
    block = of_groups(*grouped("not_stated"))
    assert [row["role"] for row in block.payload["rows"]] == ["body", "total"]
    (line,) = left_out([("c", notebook("costs", shows(block)))])
    assert (line.why.en, line.listed.en) == ("a stated sales channel", "Cost decomposition: by sales channel")
    # what is stated of some, or is the one value of a group, is content
    for values in (["not_stated", "Online"], ["Online"]):
        shown = of_groups(*grouped(*values)).payload
        assert [row["role"] for row in shown["rows"]] == ["body", "group", *["body"] * len(values), "total"]
        assert "without" not in shown


def test_a_column_that_is_blank_in_every_row_is_not_printed() -> None:
    from dataclasses import replace

    from analysis.results import Interval

    assert [column["key"] for column in of_groups().payload["columns"]] == ["name", "count"]
    known = replace(COUNTED, period="2026-09", interval=Interval(low=1, high=5, level=0.95, method="exact"))
    rows = [Row(cells={"name": Text.same("again"), "range": known, "words": Text.same("better")})]
    shown = of_groups(*rows).payload
    assert [column["key"] for column in shown["columns"]] == ["name", "count", "range", "words"]
    assert all(len(row["cells"]) == 4 for row in shown["rows"])
