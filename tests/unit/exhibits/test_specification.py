"""A right number under a wrong heading is refused: when a table is made, and again over the pack's record."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from analysis.errors import ParameterError
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.record import Block
from analysis.exhibits.shape import misplaced
from analysis.exhibits.specification import (
    Field,
    beside,
    change,
    change_line,
    entry,
    group,
    interval,
    label,
    level_line,
    metric,
    reader,
    registry,
    right_of,
    row_of,
    statement,
    table_of,
    tile,
    words,
)
from analysis.exhibits.vocabulary import Comparison
from analysis.locale import Text
from analysis.results import Fact, Interval, Sentence


def fact(metric: str, value: float, period: str = "2026-10", unit: str = "CNY", **dimensions: str) -> Fact:
    return Fact(metric=metric, period=period, unit=unit, value=Decimal(str(value)), dimensions=dimensions)


def line(name: str, opening: float, closing: float) -> SimpleNamespace:
    amounts = {
        "opening": fact("provision_opening", opening, product_line=name),
        "closing": fact("provision_closing", closing, product_line=name),
    }
    return SimpleNamespace(amounts=amounts)


COLUMNS = (
    label("product_line", key="line"),
    metric("provision_opening", of="amounts.opening", head="Opening"),
    metric("provision_closing", of="amounts.closing", head="Closing"),
)


def provision(lines: Sequence[Any], columns: Sequence[Field] = COLUMNS, **options: Any) -> Block:
    return table_of(
        "costs.provision",
        title=Sentence("The warranty provision over twelve months"),
        rows=lines,
        by=("product_line",),
        columns=columns,
        **options,
    )


def texts(block: Block) -> list[list[str]]:
    return [[cell["text"]["en"] for cell in row["cells"]] for row in block.payload["rows"]]


def test_a_table_is_its_declarations_read_from_the_lines():
    whole = {"amounts": {"closing": fact("provision_closing", 30)}}
    block = provision([line("Air", 1, 10), line("Sea", 2, 20)], total=whole, total_head="All product lines")
    assert texts(block) == [
        ["Air", "1.00", "10.00"],
        ["Sea", "2.00", "20.00"],
        ["All product lines", "", "30.00"],
    ]
    assert [column["label"]["zh"] for column in block.payload["columns"]] == ["产品线", "期初", "期末"]
    assert block.payload["columns"][1]["metric"] == ["provision_opening"]
    assert [row["slice"] for row in block.payload["rows"]] == [
        {"product_line": "Air"},
        {"product_line": "Sea"},
        {"product_line": None},
    ]


def test_the_closing_balance_under_opening_is_refused():
    swapped = line("Air", 1, 10)
    swapped.amounts["opening"] = swapped.amounts["closing"]
    with pytest.raises(ParameterError, match=r"column opening: provision_closing@.* is no provision_opening"):
        provision([swapped])


def test_the_number_of_another_row_is_refused():
    mixed = line("Air", 1, 10)
    mixed.amounts["closing"] = line("Sea", 2, 20).amounts["closing"]
    with pytest.raises(ParameterError, match="is of product_line Sea, not Air"):
        provision([mixed])


def test_a_slice_is_no_total():
    with pytest.raises(ParameterError, match="is of product_line Sea, not over all values"):
        provision([line("Air", 1, 10)], total=line("Sea", 2, 20))
    named_all = line("all", 3, 30)
    assert texts(provision([line("Air", 1, 10)], total=named_all))[-1] == ["Total", "3.00", "30.00"]


def test_a_row_whose_facts_have_no_such_dimension_is_refused():
    bare = SimpleNamespace(amounts={"opening": fact("provision_opening", 1), "closing": None})
    with pytest.raises(ParameterError, match="none of its facts"):
        provision([bare])
    with pytest.raises(ParameterError, match="add the dimension to `by`"):
        row_of(line("Air", 1, 2), COLUMNS)


def test_last_month_under_this_month_is_refused():
    columns = [metric("after_sales_cost", of="cost", head="This month", period="2026-10")]
    rows = [{"cost": fact("after_sales_cost", 5, period="2026-09")}]
    with pytest.raises(ParameterError, match="is of 2026-09, not 2026-10"):
        table_of("costs.x", title=Sentence("Method"), columns=columns, rows=rows)


def test_a_column_knows_name_direction_and_what_it_is_a_change_on():
    field = change("cost_change", of="change", against="year_before")
    assert field.column.label == Text(en="Change on year", zh="同比变动")
    assert field.column.better == "lower" and field.column.signed
    assert field.column.slice == {"against": "year_before"}
    assert metric("complaint_cost_total", of="cost").column.label == registry()["complaint_cost_total"].name
    with pytest.raises(ParameterError, match="is not in the registry"):
        metric("complaint_cost_totl", of="cost")
    wrong = {"change": fact("cost_change", 3, against="previous_month")}
    with pytest.raises(ParameterError, match="is of against previous_month, not year_before"):
        table_of("costs.x", title=Sentence("Method"), columns=[field], rows=[wrong])


def test_an_interval_belongs_to_its_metric_too():
    doubted = Fact(
        metric="automation_rate",
        period="2026-10",
        unit="share",
        value=0.5,
        interval=Interval(low=0.4, high=0.6, level=0.95, method="wilson"),
        n=10,
    )
    columns = [metric("automation_rate", of="rate"), interval("automation_rate", of="rate")]
    block = table_of("costs.x", title=Sentence("Method"), columns=columns, rows=[{"rate": doubted}])
    assert texts(block) == [["50.0", "40.0 – 60.0"]]
    with pytest.raises(ParameterError, match="is no labour_share"):
        table_of(
            "costs.x",
            title=Sentence("Method"),
            columns=[interval("labour_share", of="rate")],
            rows=[{"rate": doubted}],
        )


def test_a_statement_has_a_metric_a_row():
    cost = fact("after_sales_cost", 7)
    rows = [entry("after_sales_cost", cost), entry("after_sales_cost", cost, "Booked so far", role="total")]
    block = table_of("costs.x", title=Sentence("Method"), columns=statement(), rows=rows)
    assert texts(block) == [["After-sales cost", "7.00"], ["Booked so far", "7.00"]]
    with pytest.raises(ParameterError, match="is no after_sales_expense"):
        table_of(
            "costs.x",
            title=Sentence("Method"),
            columns=statement(),
            rows=[entry("after_sales_expense", cost)],
        )


def test_halves_side_by_side_keep_their_own_slices():
    columns = [label("region", key="slice"), metric("after_sales_cost", of="cost")]
    teams = [label("team", key="slice"), metric("after_sales_cost", of="cost")]
    left = [
        group(Text.of("Total"), columns),
        row_of({"cost": fact("after_sales_cost", 1, region="East")}, columns, by=("region",)),
    ]
    right = [row_of({"cost": fact("after_sales_cost", 2, team="Field")}, teams, by=("team",), indent=1)]
    block = table_of(
        "costs.x",
        title=Sentence("Method"),
        columns=[words("slice", "Slice"), columns[1], *right_of([words("slice", "Slice"), columns[1]])],
        rows=beside(left, right),
    )
    assert texts(block) == [["Total", "", "· Field", "2.00"], ["East", "1.00", "", ""]]
    record = block.payload
    record["rows"][1]["cells"][1]["slice"] = {"region": "West"}
    assert list(misplaced(record, by_id(record))) == [
        "row 2, column cost: after_sales_cost@region=East#2026-10:1 is of region East, not West."
    ]


def by_id(record: Any) -> dict[str, Any]:
    return {fact["id"]: fact for fact in record["facts"]}


def test_a_tile_and_its_lines_are_of_what_they_are_called():
    rate = fact("cost_change_rate", -0.015, unit="share", against="previous_month")
    cost = fact("after_sales_cost", 7)
    block = tiles(
        "costs.headlines",
        [
            tile(
                "after_sales_cost",
                cost,
                comparisons=[
                    change_line("cost_change_rate", rate, against="previous_month"),
                    level_line(
                        "after_sales_cost",
                        fact("after_sales_cost", 8, period="2025-10"),
                        against="year_before",
                    ),
                ],
            )
        ],
    )
    (record,) = block.payload["tiles"]
    assert record["label"] == {"en": "After-sales cost", "zh": "售后成本"}
    # a change and a level never carry the same words
    assert [(line["label"]["zh"], line["tone"]) for line in record["comparisons"]] == [
        ("环比变动", "good"),
        ("上年同月", None),
    ]
    with pytest.raises(ParameterError, match="is no labour_share"):
        tiles("costs.headlines", [tile("labour_share", cost)])
    with pytest.raises(ParameterError, match="is of against previous_month, not year_before"):
        tiles(
            "costs.headlines",
            [
                tile(
                    "after_sales_cost",
                    cost,
                    comparisons=[change_line("cost_change_rate", rate, against="year_before")],
                )
            ],
        )
    stray = Comparison(label=Text.of("Total"), value=cost, metric=("labour_share",))
    with pytest.raises(ParameterError, match="line “Total”"):
        tiles("costs.headlines", [tile("after_sales_cost", cost, comparisons=[stray])])


def test_reading_goes_through_attributes_and_mappings():
    assert reader("amounts.opening")(SimpleNamespace(amounts={"opening": 1})) == 1
    assert reader("amounts.opening")({"amounts": None}) is None
    assert reader("amounts.absent")({"amounts": {}}) is None
    with pytest.raises(AttributeError):
        reader("misspelt")(SimpleNamespace())
    with pytest.raises(ParameterError, match="needs a key"):
        words(lambda line: line, "Total")
