"""The whole cost study: laws on the tiny company, planted truths on the sample, journals that net."""

from __future__ import annotations

import csv
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from analysis.costs.alarms import price_findings, surge_findings
from analysis.costs.capacity import Capacity, capacity_of, idle_findings
from analysis.costs.keys import Allocated, allocated_of
from analysis.costs.measures import measures_of
from analysis.costs.movement import bridge_against, bridge_cells
from analysis.costs.reserve import Provision, provision_of
from analysis.costs.tie_out import ProfitAndLoss, journal_imbalances, profit_and_loss
from analysis.errors import ContractError, MissingData
from analysis.metrics import StudyInputs
from analysis.params.interventions import load_interventions
from analysis.periods import Month
from analysis.sample import make_sample

Inputs = Callable[..., StudyInputs]
XERO = Path(__file__).parents[4] / "shared" / "real" / "xero_gl_fivetran_seeds"


def write(folder: Path, table: str, text: str) -> None:
    (folder / f"{table}.csv").write_text(text, encoding="utf-8")


STAFF = """agent_id,month,team,sourcing,hours_paid,hours_worked,cost
A1,2026-09-01,Field,in_house,100,90,1000.00
A1,2026-10-01,Field,in_house,100,60,1200.00
"""


def with_team(company: Path) -> None:
    write(company, "staff", STAFF)
    path = company / "ledger.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0] + ",team", *(line + (",Field" if ",labour," in line else ",") for line in lines[1:])]) + "\n", encoding="utf-8")
    path = company / "tickets.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0] + ",team", *(line + ",Field" for line in lines[1:])]) + "\n", encoding="utf-8")


def test_an_idle_team_shows_as_utilisation_not_as_dearer_labour(company: Path, inputs_of: Inputs) -> None:
    with_team(company)
    bridge = bridge_against(inputs_of(company), "previous_month", 1)
    assert bridge is not None
    effects = {fact.dimensions["driver"]: fact.value for _, fact in bridge.effects}
    assert sum(effects.values()) == bridge.change.value  # type: ignore[arg-type]
    # paid hours stay at 100 while worked hours fall from 90 to 60: utilisation costs more, the price of a paid hour rose from 10 to 12
    assert effects["utilisation"] > 0 and effects["input_price"] > 0 and effects["intensity"] < 0


def test_cells_hold_the_month_to_the_cent(company: Path, inputs_of: Inputs) -> None:
    inputs = inputs_of(company)
    for month in (Month(2026, 9), Month(2026, 10)):
        assert sum(bridge_cells(inputs, month)["cost"]) == inputs.engine.fact("after_sales_cost", period=month).value


def test_parts_of_the_bridge_add_up_by_category_too(company: Path, inputs_of: Inputs) -> None:
    bridge = bridge_against(inputs_of(company), "previous_month", 1)
    assert bridge is not None
    assert sum(line.effect.value for line in bridge.by_category) == bridge.change.value  # type: ignore[misc]


def test_unused_capacity_is_a_line_of_its_own(company: Path, inputs_of: Inputs) -> None:
    """80 practical hours cost 1,200.00, or 15.00 an hour; October's tickets took 3.6 hours, so 1,146.00 was not used."""
    with_team(company)
    capacity = capacity_of(inputs_of(company))
    assert isinstance(capacity, Capacity)
    hours = Decimal("0.5") + Decimal("0.1") + Decimal("3.0")
    assert capacity.used_cost.value == hours * 15
    assert capacity.unused_cost.value == Decimal("1200.00") - hours * 15
    assert sum(fact.value for _, fact in capacity.by_object["ticket_type"]) == capacity.used_cost.value  # type: ignore[misc]


def test_without_staff_capacity_says_what_it_needs(company: Path, inputs_of: Inputs) -> None:
    missing = capacity_of(inputs_of(company))
    assert isinstance(missing, MissingData) and "staff" in str(missing)


def test_allocation_shares_every_cent_and_keeps_what_has_no_rule(company: Path, inputs_of: Inputs) -> None:
    rows = "".join(f"2026-10-01,product_line,{line},hours,{hours}\n" for line, hours in (("Washers", 3), ("Dryers", 1)))
    write(company, "drivers", "month,cost_object_type,cost_object,driver,quantity\n" + rows)
    shared = allocated_of(inputs_of(company))
    assert isinstance(shared, Allocated) and shared.conserved
    allocated = {line.line.en: line.allocated.value for line in shared.lines}
    assert allocated == {"Washers": Decimal("900.00"), "Dryers": Decimal("300.00")}  # labour of 1,200.00 by hours 3 to 1
    assert shared.unallocated.value == Decimal("80.10")


def test_expense_is_incurred_and_accrued_and_nothing_twice(company: Path, inputs_of: Inputs) -> None:
    statement = profit_and_loss(inputs_of(company))
    assert isinstance(statement, ProfitAndLoss)
    assert statement.incurred.value == Decimal("1600.00")
    assert statement.expense.value == Decimal("2100.00")


def test_a_provision_whose_closing_does_not_follow_is_seen(company: Path, inputs_of: Inputs) -> None:
    head = "month,product_line,opening,accrued,utilised,adjusted,closing\n"
    write(company, "provision", head + "2026-10-01,Washers,100.00,50.00,30.00,0.00,120.00\n")
    good = provision_of(inputs_of(company))
    assert isinstance(good, Provision) and good.rolled.holds and good.total.amounts["closing"].value == Decimal("120.00")
    write(company, "provision", head + "2026-10-01,Washers,100.00,50.00,30.00,0.00,120.01\n")
    bad = provision_of(inputs_of(company))
    assert isinstance(bad, Provision) and not bad.rolled.holds


def test_every_registered_measure_names_what_it_is_compared_with() -> None:
    measures = load_interventions(kind="measure")
    assert measures and all(one.comparison and one.expected_reduction > 0 and one.owner for one in measures)


@pytest.fixture(scope="module")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    make_sample(folder, seed=11, scale=0.3)
    return folder


@pytest.mark.slow
def test_planted_truths_are_named(sample_folder: Path, inputs_of: Inputs) -> None:
    inputs = inputs_of(sample_folder)
    assert [one.subject["team"] for one in idle_findings(inputs)] == ["Field West"]
    assert {one.subject["part_no"] for one in price_findings(inputs)} == {"P-PCB-20", "P-SEN-50"}
    assert [one.subject["account"] for one in surge_findings(inputs)] == ["6601.05.01"]
    verdicts = {one.entry.id: one.result.verdict for one in measures_of(inputs) if one.result}
    assert verdicts["consolidated-freight-north"] in ("not delivered", "could be noise")


def journals() -> pd.DataFrame:
    return pd.DataFrame({
        "journal_id": ["J1", "J1", "J2", "J2", "J2"],
        "amount": [Decimal(text) for text in ("10.00", "-10.00", "5.55", "-5.00", "-0.55")],
    })


def test_whole_journals_net_to_zero() -> None:
    assert journal_imbalances(journals()).empty


def test_a_deleted_line_and_a_moved_cent_are_named() -> None:
    deleted = journal_imbalances(journals().drop(index=3))
    assert deleted.to_dict("records") == [{"journal_id": "J2", "lines": 2, "difference": Decimal("5.00")}]
    moved = journals()
    moved.loc[0, "amount"] = Decimal("10.01")
    assert journal_imbalances(moved).to_dict("records") == [{"journal_id": "J1", "lines": 2, "difference": Decimal("0.01")}]


def test_a_line_without_journal_is_refused() -> None:
    with pytest.raises(ContractError, match="1 lines have no journal_id"):
        journal_imbalances(journals().assign(journal_id=["J1", None, "J2", "J2", "J2"]))


def xero_lines() -> pd.DataFrame:
    """Lines of real journals: id of the journal and net amount; skipped where the extract is absent."""
    for path in sorted(XERO.rglob("xero_journal_line_data.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = set(reader.fieldnames or ())
            if {"journal_id", "net_amount"} <= names:
                rows = list(reader)
                return pd.DataFrame({"journal_id": [row["journal_id"] for row in rows], "amount": [Decimal(row["net_amount"]) for row in rows]})
    pytest.skip("the real Xero ledger is not here (shared/real/xero_gl_fivetran_seeds)")


def test_every_journal_of_a_real_ledger_nets_and_tampering_is_named() -> None:
    lines = xero_lines()
    assert journal_imbalances(lines).empty
    place = int((lines["amount"] != 0).to_numpy().argmax())
    journal = lines.loc[place, "journal_id"]
    assert list(journal_imbalances(lines.drop(index=place))["journal_id"]) == [journal]
    lines.loc[place, "amount"] += Decimal("0.01")
    assert journal_imbalances(lines)[["journal_id", "difference"]].to_dict("records") == [{"journal_id": journal, "difference": Decimal("0.01")}]
