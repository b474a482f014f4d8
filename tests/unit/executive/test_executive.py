from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analysis import executive
from analysis.exhibits.executive import headline_tiles, tiles_of_sections
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.vocabulary import Tile
from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.workbook.record import Record

Inputs = Callable[..., StudyInputs]


def headline(study: executive.ExecutiveStudy, metric: str) -> executive.Headline:
    return next(line for line in study.headlines if line.metric.id == metric)


def test_a_change_of_an_estimate_that_holds_zero_is_called_noise(company: Path, inputs_of: Inputs):
    line = headline(executive.study(inputs_of(company)), "automation_rate")
    change = line.changes[0]
    # 2 of 3 against 0 of 2 tickets: far apart as figures, nothing at this size
    assert change.change.value == 2 / 3
    assert change.change.interval is not None and change.change.interval.low < 0 < change.change.interval.high
    assert change.reading == "noise"


def test_an_exact_change_reads_by_the_direction_that_is_better(company: Path, inputs_of: Inputs):
    change = headline(executive.study(inputs_of(company)), "after_sales_cost").changes[0]
    assert change.change.interval is None
    assert change.reading == "bad"  # cost rose, and lower is better


def test_headlines_that_lack_their_data_say_so(company: Path, inputs_of: Inputs):
    (company / "orders.csv").unlink()
    study = executive.study(inputs_of(company))
    line = headline(study, "after_sales_cost_rate")
    assert line.fact.value is None and line.fact.reason is not None
    assert "after_sales_cost_rate" in study.checks[0].sentence.plain()


def test_a_headline_without_a_value_says_why_once(company: Path, inputs_of: Inputs):
    (company / "orders.csv").unlink()
    tiles = headline_tiles(executive.study(inputs_of(company))).payload["tiles"]
    compared = {tile["label"]["en"]: len(tile["comparisons"]) for tile in tiles}
    assert compared["After-sales cost to revenue"] == 0
    assert compared["After-sales cost"] == 2


def test_key_figures_of_other_sections_are_gathered_with_their_facts(
    company: Path, inputs_of: Inputs, tmp_path: Path
):
    inputs = inputs_of(company)
    month = inputs.engine.fact("service_rework_rate", period=inputs.month)
    other = inputs.engine.fact("automation_rate", period=inputs.month)
    record = Record(tmp_path, "failures", inputs.engine)
    record.keep(
        tiles(
            "failures.tiles",
            [
                Tile(label=Text(en=name, zh=name), fact=fact)
                for name, fact in (("a", month), ("b", other), ("c", other))
            ],
        )
    )
    Record(tmp_path, "costs", inputs.engine).keep(
        tiles("costs.tiles", [Tile(label=Text(en="d", zh="d"), fact=other)])
    )
    block = tiles_of_sections(record.of("tiles"), record.all_facts(), each=2)
    assert block is not None
    assert [tile["label"]["en"] for tile in block.payload["tiles"]] == [
        "a",
        "b",
    ]  # costs has its headlines already
    assert {fact["id"] for fact in block.payload["facts"]} == {str(month.id), str(other.id)}
    assert tiles_of_sections({}, []) is None
