"""What the last edition forecast, held against what came: two months through the public path, and what is said where there is none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis.costs.hindsight import Hindsight, NoHindsight, hindsight_checks, hindsight_of
from analysis.costs.outlook import Outlook, outlook_findings, outlook_of
from analysis.exhibits import costs as exhibits
from analysis.exhibits.statements import facts_block
from analysis.metrics import StudyInputs, materiality
from analysis.params import load_run
from analysis.periods import Month
from analysis.report import manifest
from analysis.sample import make_sample
from analysis.workbook import prepare_run
from analysis.workbook.earlier import VARIABLE, earlier_edition

Inputs = Callable[..., StudyInputs]
PARAMS = Path(__file__).parents[3] / "params"


def issue(reports: Path, month: str, facts: list[dict], *, number: int = 1, **changes: object) -> Path:
    """An issued edition, as far as a later month looks at it."""
    folder = reports / month / f"edition-{number}"
    folder.mkdir(parents=True)
    manifest.write_json(folder / "facts.json", {"facts": facts})
    params = load_run("sample", month=month)
    content = {
        "identity": {"run": params.name},
        "company": params.company.as_json(),
        "currency": params.currency,
        "as_of": params.knowledge_day.isoformat(),
        "seals": manifest.seals(folder),
    }
    manifest.write_json(folder / "manifest.json", content | changes)
    return folder


def record(month: str, value: float, low: float, high: float, **dimensions: str) -> dict:
    interval = {"low": low, "high": high, "level": 0.95, "method": "model"}
    return {
        "metric": "forecast_cost",
        "version": "2",
        "id": f"forecast_cost#{month}:2",
        "period": month,
        "dimensions": dimensions,
        "value": value,
        "unit": "CNY",
        "interval": interval,
        "n": 36,
    }


# The company of conftest.py: October 2026 holds 250.50 + 1200.00 + 80.10 − 30.50 + 99.90 = 1600.00; labour is 1200.00 of it.
OCTOBER = [
    record("2026-10", 1700.0, 1500.0, 1900.0),
    record("2026-10", 1000.0, 900.0, 1100.0, category="labour"),
    record("2026-10", 700.0, 300.0, 1100.0, category="remaining"),
    record("2026-11", 1750.0, 1500.0, 1950.0),
]


def with_earlier(inputs: StudyInputs, reports: Path) -> StudyInputs:
    return replace(inputs, earlier=earlier_edition(inputs.params, reports))


def test_the_last_edition_is_held_against_the_actual(
    company: Path, inputs_of: Inputs, tmp_path: Path
) -> None:
    issue(tmp_path / "reports", "2026-09", OCTOBER)
    found = hindsight_of(with_earlier(inputs_of(company), tmp_path / "reports"))
    assert isinstance(found, Hindsight)
    rows = [
        (
            line.part,
            float(line.forecast.value or 0),
            float(line.actual.value or 0),
            round(float(line.error.value or 0), 4),
            line.inside,
        )
        for line in found.promises
    ]
    assert rows == [
        ("labour", 1000.0, 1200.0, -0.1667, False),
        ("remaining", 700.0, 400.0, 0.75, True),
        ("total", 1700.0, 1600.0, 0.0625, True),
    ]
    assert (found.covered.numerator, found.covered.denominator, found.issued) == (2, 3, Month(2026, 9))
    assert (
        found.promises[0].forecast.interval is not None and found.promises[0].forecast.interval.high == 1100.0
    )


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ([], "holds no forecast of the months since"),
        ([OCTOBER[0] | {"unit": "USD"}], "holds no forecast"),
        (OCTOBER[3:], "holds no forecast"),
    ],
    ids=["nothing", "another currency", "another month"],
)
def test_an_edition_without_a_forecast_of_the_month_says_so(
    company: Path, inputs_of: Inputs, tmp_path: Path, facts: list[dict], words: str
) -> None:
    issue(tmp_path / "reports", "2026-09", facts)
    found = hindsight_of(with_earlier(inputs_of(company), tmp_path / "reports"))
    assert isinstance(found, NoHindsight) and words in str(found.reason) and not hindsight_checks(found)


def test_without_an_earlier_edition_it_says_so(company: Path, inputs_of: Inputs, tmp_path: Path) -> None:
    issue(tmp_path / "reports", "2026-10", OCTOBER)  # the month itself is not earlier
    found = hindsight_of(with_earlier(inputs_of(company), tmp_path / "reports"))
    assert isinstance(found, NoHindsight) and "No edition of an earlier month was issued" in str(found.reason)


@pytest.mark.parametrize("damage", ["facts", "manifest", "gone"])
def test_an_edition_that_was_changed_is_named_and_not_read(
    company: Path, inputs_of: Inputs, tmp_path: Path, damage: str
) -> None:
    folder = issue(tmp_path / "reports", "2026-09", OCTOBER)
    if damage == "facts":
        path = folder / "facts.json"
        path.write_text(path.read_text(encoding="utf-8").replace("1700.0", "1600.0"), encoding="utf-8")
    elif damage == "manifest":
        (folder / "manifest.json").write_text("{", encoding="utf-8")
    else:
        (folder / "facts.json").unlink()
    inputs = with_earlier(inputs_of(company), tmp_path / "reports")
    found = hindsight_of(inputs)
    assert isinstance(found, NoHindsight) and "changed after it was issued" in str(found.reason)
    (check,) = hindsight_checks(found)
    assert check.outcome == "failed"
    assert inputs.earlier is not None and inputs.earlier.facts("forecast_cost") == []


def test_the_newest_edition_of_the_same_company_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, reports = load_run("sample", month="2026-10"), tmp_path / "reports"
    issue(reports, "2026-07", OCTOBER)
    issue(reports, "2026-08", OCTOBER, number=9)
    last = issue(reports, "2026-08", OCTOBER, number=10)
    issue(reports, "2026-09", OCTOBER, company={"en": "Another", "zh": "另一家"})
    issue(reports, "2026-09", OCTOBER, number=2, as_of="2027-01-01")  # made later than this run may know
    issue(reports, "2026-09", OCTOBER, number=3, identity={"run": "another"})
    (reports / "latest").symlink_to(last, target_is_directory=True)
    found = earlier_edition(params, reports)
    assert found is not None and (str(found.month), found.number, found.folder) == ("2026-08", 10, last)
    monkeypatch.setenv(VARIABLE, str(reports / "2026-07" / "edition-1"))
    stated = earlier_edition(params, reports)
    assert stated is not None and str(stated.month) == "2026-07"
    monkeypatch.setenv(VARIABLE, "")
    assert earlier_edition(params, reports) is None


def test_the_edition_before_is_part_of_what_made_a_report(tmp_path: Path) -> None:
    params, reports = load_run("sample", month="2026-10"), tmp_path / "reports"
    issue(reports, "2026-09", OCTOBER)
    before = earlier_edition(params, reports)
    issue(reports, "2026-09", OCTOBER[:1], number=2)
    after = earlier_edition(params, reports)
    assert before is not None and after is not None
    assert manifest.changed_parts({"earlier": before.identity}, {"earlier": after.identity}) == ["earlier"]


def assert_adds_up(outlook: Outlook) -> None:
    """Reconciled: the parts of each month are its total, and the months of a part are its sum, to the cents they are rounded to."""
    for month, total in outlook.total:
        parts = [float(fact.value or 0) for fact in outlook.parts if fact.period == str(month)]
        assert len(parts) == len(outlook.sums) - 1 and sum(parts) == pytest.approx(
            float(total.value or 0), abs=0.01 * len(parts)
        )
        assert (
            total.interval is not None and total.interval.low < float(total.value or 0) < total.interval.high
        )
    for name, whole in outlook.sums.items():
        months = (
            [fact for _, fact in outlook.total]
            if name == "total"
            else [fact for fact in outlook.parts if fact.dimensions["category"] == name]
        )
        assert len(months) == 12 and sum(float(fact.value or 0) for fact in months) == pytest.approx(
            float(whole.value or 0), abs=0.12
        )
        # months hang together less than wholly: the year's interval is narrower than the months' intervals put end to end
        widths = sum(fact.interval.high - fact.interval.low for fact in months if fact.interval)
        assert whole.interval is not None and 0 < whole.interval.high - whole.interval.low < widths


def assert_year_adds_up(outlook: Outlook, inputs: StudyInputs) -> None:
    """Booked so far plus the forecast months of the chart; over the budget as often as its simulated futures are."""
    year = outlook.year
    assert year is not None and year.expected.interval is not None
    months = [
        inputs.engine.fact("after_sales_cost", period=Month(2026, number)).value for number in range(1, 11)
    ]
    assert year.booked.value == sum(months[1:], months[0])  # type: ignore[arg-type, operator]
    booked, low, high = float(year.booked.value or 0), year.expected.interval.low, year.expected.interval.high
    assert booked < low < float(year.expected.value or 0) < high
    ahead = sum(
        (fact.value or Decimal(0) for month, fact in outlook.total if month.year == inputs.month.year),
        Decimal(0),
    )
    assert year.expected.value == year.booked.value + ahead  # type: ignore[operator]
    chance = float(year.chance_over.value or 0)
    assert 0.01 <= chance <= 0.99 and (
        chance > 0.9 if low > float(year.budget.value or 0) else chance <= 0.99
    )
    found = outlook_findings(inputs, outlook)
    limit = float(materiality(inputs).limit.value or 0)
    assert all(one.evidence is not None and len(one.evidence) == 12 for one in found)
    assert len(found) == (chance >= 0.5) and all(
        (one.severity == "alert") == (low - float(year.budget.value or 0) >= limit) for one in found
    )


def test_the_second_month_shows_what_the_first_forecast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """September through the public path, its facts issued; October then prints September's own numbers."""
    (tmp_path / "params").symlink_to(PARAMS, target_is_directory=True)
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path))
    make_sample(tmp_path / "company", seed=30_001, scale=0.1, blemishes=False)
    reports = tmp_path / "reports"

    def run_of(month: str):
        return prepare_run(
            "sample",
            month=month,
            data=str(tmp_path / "company"),
            section="costs",
            folder=tmp_path / month,
            reports=reports,
        )

    september = run_of("2026-09")
    assert september.earlier is None
    first = outlook_of(september.inputs)
    assert isinstance(first, Outlook) and isinstance(first.hindsight, NoHindsight) and first.again is not None
    assert_adds_up(first)
    september.record.keep(facts_block("costs.forecast", [*(fact for _, fact in first.total), *first.parts]))
    issue(reports, "2026-09", september.record.all_facts())

    october = run_of("2026-10")
    second = outlook_of(october.inputs)
    assert isinstance(second, Outlook) and isinstance(second.hindsight, Hindsight) and second.again is None
    promised = {line.part: line.forecast for line in second.hindsight.promises}
    said = {
        fact.dimensions.get("category", "total"): fact
        for fact in (*first.parts, first.total[0][1])
        if fact.period == "2026-10"
    }
    assert {part: fact.value for part, fact in promised.items()} == {
        part: fact.value for part, fact in said.items()
    }
    assert {part: fact.interval for part, fact in promised.items()} == {
        part: fact.interval for part, fact in said.items()
    }
    total = next(line for line in second.hindsight.promises if line.part == "total")
    assert total.actual.value == october.inputs.engine.fact("after_sales_cost", period=Month(2026, 10)).value
    assert_adds_up(second)
    assert_year_adds_up(second, october.inputs)
    block = exhibits.hindsight_table(
        SimpleNamespace(outlook=second, composition={"category": ()}, month=october.month)
    )  # type: ignore[arg-type]
    assert block is not None and "September 2026" in json.dumps(block.payload["title"]["en"])
    shutil.rmtree(tmp_path / "company")
