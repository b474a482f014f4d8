from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from analysis import costs
from analysis.costs.bridge_facts import Bridge
from analysis.errors import MissingData
from analysis.metrics import StudyInputs

Inputs = Callable[..., StudyInputs]


def changed(folder: Path, table: str, old: str, new: str) -> None:
    path = folder / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def check(study: costs.CostStudy, name: str):
    return next(check for check in study.checks if check.id == name)


def finding(study: costs.CostStudy, name: str):
    return next((finding for finding in study.findings if finding.id == name), None)


def test_a_ledger_that_ties_out_is_said_so_to_the_cent(company: Path, inputs_of: Inputs):
    study = costs.study(inputs_of(company))
    assert study.tie_out.status == "tied_out"
    assert check(study, "ledger_tied_out").outcome == "passed"
    assert "CNY 1,600.00" in check(study, "ledger_tied_out").sentence.plain()


def test_one_moved_cent_is_found_and_named_and_blocks(company: Path, inputs_of: Inputs):
    changed(company, "ledger", "250.50", "250.51")
    study = costs.study(inputs_of(company))
    assert study.tie_out.difference[-1].value == Decimal("0.01")
    assert check(study, "ledger_tied_out").outcome == "failed" and check(study, "ledger_tied_out").blocking
    found = finding(study, "costs.tie_out")
    assert found is not None and found.severity == "alert" and "CNY 0.01" in found.statement.plain()


def test_a_difference_within_the_stated_tolerance_fails_the_check_but_does_not_block(
    company: Path, inputs_of: Inputs
):
    changed(company, "ledger", "250.50", "250.51")
    study = costs.study(inputs_of(company, tie_out_tolerance=Decimal("0.05")))
    assert study.tie_out.status == "within_tolerance"
    assert (
        check(study, "ledger_tied_out").outcome == "failed" and not check(study, "ledger_tied_out").blocking
    )


def test_the_account_that_is_off_is_named_where_control_totals_name_accounts(
    company: Path, inputs_of: Inputs
):
    lines = [
        "6601.02.01,250.50",
        "6601.01.01,1200.00",
        "9999.99,80.10",
        "6601.02.09,-30.50",
        "not_stated,99.90",
    ]
    rows = "".join(f"2026-10-01,after_sales_cost,{line}\n" for line in lines)
    path = company / "gl_totals.csv"
    path.write_text(path.read_text() + rows, encoding="utf-8")
    assert not [line for line in costs.study(inputs_of(company)).tie_out.accounts if line[2].value]
    changed(company, "ledger", "250.50", "250.51")
    found = finding(costs.study(inputs_of(company)), "costs.tie_out")
    assert found is not None and "account 6601.02.01 differs by CNY 0.01" in found.statement.plain()


def test_without_control_totals_the_month_is_not_tied_out(company: Path, inputs_of: Inputs):
    (company / "gl_totals.csv").unlink()
    study = costs.study(inputs_of(company))
    assert study.tie_out.status == "no_control_totals"
    assert check(study, "ledger_tied_out").outcome == "info"


@pytest.mark.parametrize("dimension", ["category", "product_line", "region", "ticket_type", "tracing"])
def test_slices_and_their_changes_add_up(company: Path, inputs_of: Inputs, dimension: str):
    study = costs.study(inputs_of(company))
    slices = study.composition[dimension]
    assert sum(line.cost.value for line in slices) == study.total.value
    assert sum(line.change.value for line in slices) == study.comparisons[0].change.value
    assert sum(line.share.value for line in slices) == pytest.approx(1)


def test_effects_add_up_to_the_change_exactly(company: Path, inputs_of: Inputs):
    study = costs.study(inputs_of(company))
    bridge = study.bridges["previous_month"]
    assert not study.bridges["year_before"]  # there is no October 2025 to compare with
    assert isinstance(bridge, Bridge)
    assert bridge.change.value == Decimal("1600.00") - Decimal("1100.00")
    assert sum(fact.value for _, fact in bridge.effects) == bridge.change.value
    assert check(study, "bridge_adds_up").outcome == "passed"


def test_a_month_that_is_not_there_is_not_taken_for_zero(company: Path, inputs_of: Inputs):
    year_before = costs.study(inputs_of(company)).comparisons[1]
    assert year_before.change.value is None and year_before.rate.reason is not None


def test_unmapped_accounts_are_a_visible_line_with_their_postings(company: Path, inputs_of: Inputs):
    study = costs.study(inputs_of(company))
    found = finding(study, "costs.unallocated")
    assert found is not None and found.evidence is not None
    assert list(found.evidence["account"]) == ["9999.99"]
    assert found.evidence["amount"].iloc[0] == Decimal("80.10")


@pytest.mark.parametrize(("labour", "alerts"), [("1600.00", False), ("1600.01", True)])
def test_labour_share_alerts_above_the_limit_not_at_it(
    company: Path, inputs_of: Inputs, labour: str, alerts: bool
):
    """400.00 of other cost: 1,600.00 of labour is 0.80 exactly."""
    (company / "gl_totals.csv").unlink()
    (company / "ledger.csv").write_text(
        "posting_id,posted_on,category,amount,account,posting_basis\n"
        f"L1,2026-10-31,labour,{labour},6601.01.01,incurred\nL2,2026-10-31,parts,400.00,6601.02.01,incurred\n",
        encoding="utf-8",
    )
    found = finding(costs.study(inputs_of(company)), "costs.labour_share")
    assert (found is not None) is alerts
    if found is not None and found.evidence is not None:
        rows = dict(zip(found.evidence["category"], found.evidence["incurred_cost"], strict=True))
        assert rows == {"labour": Decimal(labour), "parts": Decimal("400.00")}


def test_a_budget_overrun_names_the_category_that_drove_it(company: Path, inputs_of: Inputs):
    (company / "budget.csv").write_text(
        "month,category,amount\n2026-10-01,labour,1190.00\n2026-10-01,parts,100.00\n", encoding="utf-8"
    )
    found = finding(costs.study(inputs_of(company)), "costs.over_budget")
    assert found is not None
    assert (
        found.statement.plain()
        == "After-sales cost was CNY 310 over the budget of CNY 1,290; parts contributed most (+CNY 120)."
    )
    assert found.evidence is not None and sum(found.evidence["variance"]) == Decimal("310.00")


def test_without_a_ledger_there_is_no_study(company: Path, inputs_of: Inputs):
    (company / "ledger.csv").unlink()
    with pytest.raises(MissingData, match="ledger"):
        costs.study(inputs_of(company))


def test_doubling_every_amount_doubles_cost_and_leaves_shares(company: Path, inputs_of: Inputs):
    once = costs.study(inputs_of(company))
    lines = (company / "ledger.csv").read_text().splitlines()
    doubled = [lines[0]]
    for line in lines[1:]:
        cells = line.split(",")
        cells[3] = str(Decimal(cells[3]) * 2)
        doubled.append(",".join(cells))
    (company / "ledger.csv").write_text("\n".join(doubled) + "\n", encoding="utf-8")
    twice = costs.study(inputs_of(company))
    assert twice.total.value == 2 * once.total.value  # type: ignore[operator]
    assert twice.labour_shares[-1].value == once.labour_shares[-1].value
