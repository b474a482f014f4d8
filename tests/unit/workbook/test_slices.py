"""A run of a part of a company: its numbers are those of its rows, and with the others and the rest they are the whole company's."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from legal_companies import MONTH, ordinary, write

from analysis import costs, quality
from analysis.errors import ParameterError
from analysis.exhibits import quality as exhibits
from analysis.params import load_run, project_root
from analysis.params.places import shipped_root
from analysis.workbook import MonthRun, prepare_run

pytestmark = pytest.mark.usefixtures("own_project")


@pytest.fixture
def company(tmp_path: Path) -> Path:
    return write(ordinary(), tmp_path / "in" / "company")


def run_of(company: Path, name: str, cut: dict[str, list[str]] | None = None) -> MonthRun:
    content = yaml.safe_load((shipped_root() / "params" / "runs" / "sample.yml").read_text("utf-8"))
    path = project_root() / "params" / "runs" / f"{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content | {"needs": []} | ({"slice": cut} if cut else {})), "utf-8")
    return prepare_run(name, month=MONTH, data=str(company), section="quality")


def total(run: MonthRun) -> Decimal:
    found: Any = run.inputs.engine.fact("after_sales_cost", period=run.inputs.month).value
    return Decimal(found or 0)


def test_regions_and_what_names_none_add_up_to_the_whole_company(company: Path):
    whole = run_of(company, "whole")
    regions = sorted(
        {
            value
            for (value,) in whole.inputs.engine.query(
                "SELECT DISTINCT region FROM tickets WHERE region IS NOT NULL"
            ).itertuples(index=False)
        }
    )
    parts = {region: run_of(company, region.lower(), {"region": [region]}) for region in regions}
    study = {region: quality.study(run.inputs) for region, run in parts.items()}
    ledger = {
        region: next(one for one in found.slices if one.table == "ledger").amounts
        for region, found in study.items()
    }
    inside = sum(Decimal(amounts["inside"].value) for amounts in ledger.values())
    first = ledger[regions[0]]
    assert inside + Decimal(first["not_stated"].value) == Decimal(first["whole"].value)
    assert 0 < sum(map(total, parts.values())) < total(whole), "some postings name no region"


def test_a_part_says_whose_part_it_is_and_has_no_control_totals(company: Path):
    run = run_of(company, "south", {"region": ["South"]})
    assert run.company.en == "Lumen Appliances · South"
    study = quality.study(run.inputs)
    assert "gl_totals" in study.not_sliced
    assert exhibits.slice_table(study) is not None
    assert costs.study(run.inputs).month == run.month
    assert exhibits.slice_table(quality.study(run_of(company, "whole").inputs)) is None


def test_a_run_of_an_unknown_part_is_refused(company: Path):
    with pytest.raises(ParameterError, match="Did you mean 'South'"):
        run_of(company, "soth", {"region": ["Suoth"]})
    with pytest.raises(ParameterError, match="nothing that a company is cut by"):
        run_of(company, "month", {"month": ["2026-10"]})


def test_a_part_has_a_name_that_a_folder_can_have(company: Path):
    run_of(company, "south", {"region": ["South"]})
    assert load_run("south").cut_name == "region-South"
    path = project_root() / "params" / "runs" / "south.yml"
    content = yaml.safe_load(path.read_text("utf-8"))
    for value in ("a/b", "..", "x" * 150, "甲 乙"):
        path.write_text(yaml.safe_dump(content | {"slice": {"region": [value]}}), "utf-8")
        name = load_run("south").cut_name
        assert "/" not in name and ".." not in name and len(name.encode()) <= 90
    assert load_run("south").slice == {"region": ("甲 乙",)}
    names = set()
    for values in (["A", "B"], ["A+B"], ["A-B"], ["A"]):
        path.write_text(yaml.safe_dump(content | {"slice": {"region": values}}), "utf-8")
        names.add(load_run("south").cut_name)
    assert len(names) == 4, "two slices never share a folder"
