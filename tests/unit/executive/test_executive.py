from __future__ import annotations

import functools
import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis import executive
from analysis.executive import in_one_order
from analysis.exhibits.executive import (
    checks_of_sections,
    findings_not_shown,
    findings_of_sections,
    headline_table,
    headline_tiles,
    tiles_of_sections,
)
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.statements import checks_block
from analysis.exhibits.vocabulary import Tile
from analysis.locale import Text
from analysis.metrics import Parts, StudyInputs, study
from analysis.results import OPERATIONS, Assumed, Check, Derived, Finding, Sentence, Severity, Stake
from analysis.workbook.month_run import MonthRun
from analysis.workbook.record import Record
from analysis.workbook.sections import Gathered, Section, gathered

Inputs = Callable[..., StudyInputs]
NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"


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


def test_a_headline_whose_table_is_absent_is_named_and_not_printed(company: Path, inputs_of: Inputs):
    (company / "orders.csv").unlink()
    block = headline_tiles(executive.study(inputs_of(company))).payload
    compared = {tile["label"]["en"]: len(tile["comparisons"]) for tile in block["tiles"]}
    assert "After-sales cost to revenue" not in compared
    assert [one["part"]["en"] for one in block["without"]] == ["After-sales cost to revenue"]
    assert compared["After-sales cost"] == 2


def test_a_headline_that_cannot_be_computed_for_another_reason_says_why_once(
    company: Path, inputs_of: Inputs
):
    orders = (company / "orders.csv").read_text("utf-8").splitlines()
    (company / "orders.csv").write_text(orders[0] + "\n", encoding="utf-8")
    tiles = headline_tiles(executive.study(inputs_of(company))).payload["tiles"]
    compared = {tile["label"]["en"]: len(tile["comparisons"]) for tile in tiles}
    assert compared["After-sales cost to revenue"] == 0


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


def of_section(
    section: str, name: str, severity: Severity, *sums: float, months: int = 12, rank: float = 0.0
) -> dict[str, Any]:
    """A recorded finding; ``sums`` are the amount and the ends of its interval."""
    stake = Stake(amount=sums[0], low=sums[1], high=sums[2], months=months) if sums else None
    made = Finding(
        id=f"{section}.{name}",
        section=section,
        severity=severity,
        statement=Sentence("x"),
        stake=stake,
        rank=rank,
    )
    return made.as_json()


def test_findings_of_all_sections_stand_in_one_order():
    recorded = {
        "quality": [of_section("quality", "late", "watch", rank=0.4)],
        "costs": [
            of_section("costs", "surge", "watch", 900.0, -100.0, 1900.0, rank=900),
            of_section("costs", "idle", "watch", 200.0, 150.0, 250.0, rank=200),
            of_section("costs", "moved", "info", 9e9, 9e9, 9e9),
            of_section("costs", "short", "alert", 500.0, 400.0, 600.0, rank=500),
        ],
        "failures": [
            of_section("failures", "excess", "alert", 1500.0, 1290.0, 1600.0, months=36, rank=1500),
            of_section("failures", "wear_out", "watch", rank=2.2),
            of_section("failures", "emerging", "watch", rank=3.1),
        ],
        "retention": [of_section("retention", "gross_churn", "alert", rank=0.14)],
        "value": [
            of_section("value", "at_risk", "watch", 600.0, 480.0, 700.0, months=36, rank=6),
            of_section("value", "change", "good", 9e9, 9e9, 9e9),
        ],
    }
    assert [one["id"] for one in executive.in_one_order(recorded)] == [
        "failures.excess",  # 1,290 of three years are 430 of one
        "costs.short",  # 400
        "retention.gross_churn",  # an alert without a sum, behind those with one
        "value.at_risk",  # 480 of three years are 160
        "costs.idle",  # 150
        "costs.surge",  # 900, but it may be nothing
        "quality.late",
        "failures.emerging",  # inside a section by its own weight
        "failures.wear_out",
    ]
    block = findings_of_sections(recorded, [], top=2).payload
    assert [one["id"] for one in block["findings"]] == ["failures.excess", "costs.short"]
    (left,) = findings_not_shown(recorded, top=2)
    assert "the first 2 of 9 findings" in "".join(piece["t"] for piece in left.payload["title"]["en"])
    assert findings_not_shown(recorded, top=9) == []


def test_the_order_is_said_in_words_and_its_function_where_it_is_defined():
    notebook = json.loads((NOTEBOOKS / "90_executive_summary.ipynb").read_text(encoding="utf-8"))
    texts = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    (said,) = [text for text in texts if "Findings of every section" in text]
    assert "`" not in said  # a page for those who sign names no function
    module, name = re.findall(r":attr:`~(analysis\.\w+)\.([\w.]+)`", in_one_order.__doc__ or "")[0]
    assert functools.reduce(getattr, name.split("."), importlib.import_module(module)) is Stake.per_year
    assert (
        said.index("alerts before things to watch")
        < said.index("money at stake per year")
        < said.index("without a sum")
    )


def test_sections_are_gathered_in_the_order_of_the_report(company: Path, inputs_of: Inputs, tmp_path: Path):
    inputs = inputs_of(company)
    for section in ("value", "costs", "quality", "own"):
        check = Check(id=section, outcome="info", sentence=Sentence("Every headline could be computed."))
        Record(tmp_path, section, inputs.engine).keep(checks_block(f"{section}.checks", [check]))
    found = Gathered(record=Record(tmp_path, "executive", inputs.engine)).of("checks")
    assert list(found) == ["quality", "costs", "value", "own"]


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
    assert none.outcome == "passed" and "had to be left out: 0" in none.sentence.plain()


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
