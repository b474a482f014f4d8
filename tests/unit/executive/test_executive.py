from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analysis import executive
from analysis.exhibits.executive import checks_of_sections, headline_table, headline_tiles, tiles_of_sections
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.statements import checks_block
from analysis.exhibits.vocabulary import Tile
from analysis.locale import Text
from analysis.metrics import Parts, StudyInputs, study
from analysis.results import OPERATIONS, Assumed, Check, Derived, Sentence
from analysis.workbook.month_run import MonthRun
from analysis.workbook.record import Record
from analysis.workbook.sections import Section, gathered

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


def test_the_table_holds_each_headline_beside_its_earlier_months(company: Path, inputs_of: Inputs):
    study = executive.study(inputs_of(company))
    block = headline_table(study).payload
    facts = [[cell["fact"] for cell in row["cells"]] for row in block["rows"]]
    assert facts == [
        [None, one.fact.id, one.changes[0].base.id, one.changes[1].base.id, one.changes[1].change.id]
        for one in study.headlines
    ]
    assert [column.get("period") for column in block["columns"]][1:4] == ["2026-10", "2026-09", "2025-10"]


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


def test_questions_that_could_not_be_asked_are_counted_and_listed(
    company: Path, inputs_of: Inputs, tmp_path: Path
):
    inputs = inputs_of(company)
    record = Record(tmp_path, "costs", inputs.engine)
    tested = Check(id="tie", outcome="passed", sentence=Sentence("Every headline could be computed."))
    parts = Parts(section="costs")
    parts.do("claims", lambda: inputs.engine.require("claims"))
    parts.do("surveys", lambda: inputs.engine.require("surveys.score"))
    record.keep(checks_block("costs.checks", [tested, *parts.not_tested({})]))
    checks = record.of("checks")
    own = executive.doubts(inputs, checks, {"Data quality": Text(en="needs tickets", zh="缺少 tickets")})
    count, section = own
    assert "2 questions could not be asked this month" in count.sentence.plain()
    assert section.sentence.plain("zh") == "本摘要不含“数据质量”一章：缺少 tickets。"
    (fact,) = count.sentence.facts()
    assert (fact.metric, fact.value, fact.sources) == ("questions_not_tested", 2, ("findings.json",))
    block = checks_of_sections(checks, record.all_facts(), own).payload
    listed = [check["id"] for check in block["checks"]]
    assert listed[-2:] == ["not_tested.claims", "not_tested.surveys"]
    assert {entry["id"] for entry in block["facts"]} == {fact.id}
    (none,) = executive.doubts(inputs, {}, {})
    assert none.outcome == "passed" and "0 left out" in none.sentence.plain()


def test_changes_are_computed_by_the_operation_of_their_definition(company: Path, inputs_of: Inputs):
    study = executive.study(inputs_of(company))
    for name, metric in (("after_sales_cost", "relative_change"), ("automation_rate", "point_change")):
        change = headline(study, name).changes[0]
        follows = change.change.lineage
        assert isinstance(follows, Derived) and change.change.metric == metric
        assert follows.parents == (headline(study, name).fact, change.base)
        assert change.change.value == OPERATIONS[follows.operation](
            [parent.value for parent in follows.parents if parent.value is not None]
        )
    limit = headline(study, "labour_share").limit
    assert limit is not None and isinstance(limit.lineage, Assumed)


def test_a_section_whose_data_are_absent_is_named(company: Path, inputs_of: Inputs, tmp_path: Path):
    inputs = inputs_of(company)

    @study(section="failures", needs=("claims",))
    def lacks(inputs: StudyInputs) -> executive.ExecutiveStudy:
        raise AssertionError("asked although its table is absent")

    section = Section(id="failures", title="Failure-rate root cause", notebook="", load=lambda: lacks)
    run = MonthRun(
        params=inputs.params, tables=inputs.engine.tables, inputs=inputs, section="executive", folder=tmp_path
    )
    (tmp_path / "faults").mkdir()
    (tmp_path / "faults" / "costs.txt").write_text("a fault", encoding="utf-8")
    broken = Section(id="costs", title="Cost decomposition", notebook="", load=lambda: lacks)
    found = gathered(run, (section, broken))
    assert {title: why.en for title, why in found.not_made.items()} == {
        "Failure-rate root cause": "needs claims",
        "Cost decomposition": "a part of it could not be made",
    }
