"""CSV behind blocks: full values, ids that trace, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import exhibit_gallery as gallery
import pytest

from analysis.errors import ParameterError
from analysis.exhibits.listing import harmless, listing_csv
from analysis.exhibits.statements import checks_block
from analysis.exhibits.tables import table
from analysis.exhibits.vocabulary import Column, Row
from analysis.locale import Text
from analysis.results import Fact, Interval, Sentence


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_values_are_full_and_intervals_two_columns() -> None:
    fact = Fact(
        metric="cost",
        period="2026-10",
        unit="CNY",
        value=Decimal("1234567.89"),
        n=12,
        interval=Interval(low=1_000_000.5, high=2_000_000.25, level=0.95, method="bootstrap"),
    )
    block = table(
        "t",
        title=Sentence("Not computed"),
        columns=[
            Column(key="name", label=Text("Name", "名称")),
            Column(key="cost", label=Text("Cost", "成本")),
            Column(key="span", label=Text("Interval", "区间"), show="interval"),
            Column(key="n", label=Text("n", "n"), show="n"),
        ],
        rows=[
            Row(cells={"name": Text("=SUM(A1)", "合计"), "cost": fact, "span": fact, "n": fact}),
            Row(cells={"name": "blank"}, role="total"),
        ],
    )
    first, second = rows_of(listing_csv(block.payload))
    assert (first["name"], first["name_zh"]) == ("'=SUM(A1)", "合计")
    assert (first["cost"], first["cost_unit"], first["cost_fact"]) == ("1234567.89", "CNY", fact.id)
    assert (first["span_low"], first["span_high"], first["n"]) == ("1000000.5", "2000000.25", "12")
    assert (second["row"], second["cost"], second["span_low"]) == ("total", "", "")


def test_the_table_behind_a_chart_is_listed_and_a_callout_has_none() -> None:
    block = gallery.picture("ranked_bars", gallery.drawings()["ranked_bars"])
    assert len(listing_csv(block.payload).splitlines()) == 8  # header, six regions, the average
    with pytest.raises(ParameterError, match="a checks has no table to list"):
        listing_csv(checks_block("c", []).payload)


@pytest.mark.parametrize(
    "text", ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "\nx", "＝1+1", "＋x", "－x", "＠x"]
)
def test_formulas_are_disarmed(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless("x=1") == "x=1"
