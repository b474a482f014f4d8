"""The whole cost study: laws on the tiny company, planted truths on the sample, journals that net."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import costs
from analysis.costs import signals_facts
from analysis.costs.activity_costing_facts import capacity_of, idle_findings, standard_times
from analysis.costs.allocation_facts import allocated_of, driver_of
from analysis.costs.bridge_facts import bridge_against, bridge_cells
from analysis.costs.figures import amounts_by
from analysis.costs.provision_facts import provision_of
from analysis.costs.savings_facts import measures_of
from analysis.costs.signals import idle_teams
from analysis.costs.signals_facts import price_findings, surge_findings
from analysis.costs.tie_out import currency_check, journal_imbalances, profit_and_loss, tie_out
from analysis.costs.yields import budget_of, flexed_budget, planned_tickets, profitability_of
from analysis.errors import ContractError, MissingData, ParameterError
from analysis.metrics import Engine, NotDone, Period, StudyInputs
from analysis.params import Assumptions, CostTree
from analysis.params.cost_tree import AccountRule, AllocationRule
from analysis.params.interventions import load_interventions
from analysis.periods import Month
from analysis.results import Fact, Finding
from analysis.sample import make_sample
from analysis.sources import apply_map, load_map
from analysis.tables import contract

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
    path.write_text(
        "\n".join(
            [lines[0] + ",team", *(line + (",Field" if ",labour," in line else ",") for line in lines[1:])]
        )
        + "\n",
        encoding="utf-8",
    )
    path = company / "tickets.csv"
    # hours are known when the work is done: T5 within the month too
    lines = path.read_text(encoding="utf-8").replace("2026-12-01", "2026-10-20").splitlines()
    path.write_text(
        "\n".join([lines[0] + ",team", *(line + ",Field" for line in lines[1:])]) + "\n", encoding="utf-8"
    )


def test_an_idle_team_shows_as_utilisation_not_as_dearer_labour(company: Path, inputs_of: Inputs) -> None:
    with_team(company)
    bridge = bridge_against(inputs_of(company), "previous_month", Period.of("2026-09"))
    effects = {fact.dimensions["driver"]: fact.value for _, fact in bridge.effects}
    assert sum(effects.values()) == bridge.change.value  # type: ignore[arg-type]
    # paid hours stay at 100 while worked hours fall from 90 to 60: utilisation costs more, the price of a paid hour rose from 10 to 12
    assert effects["utilisation"] > 0 and effects["input_price"] > 0 and effects["intensity"] < 0


@pytest.mark.parametrize(
    ("hours", "rate", "driver"),
    [(3.0, 1.0, "intensity"), (1.0, 3.0, "input_price"), ("", 3.0, "unit_cost"), (None, 3.0, "unit_cost")],
    ids=["longer jobs", "a dearer hour", "no hours", "no column of hours"],
)
def test_labour_posted_to_tickets_moves_by_hours_and_by_what_an_hour_costs(
    hours: float | str | None, rate: float, driver: str, company: Path, inputs_of: Inputs
) -> None:
    """A repair a month: an hour at 20.00 before; then three hours at 20.00, or one at 60.00."""
    head = "ticket_id,customer_id,product_id,ticket_type,opened_at,resolved_at,status"
    rows = [
        f"R{month},C1,P1,repair,2026-{month}-06T02:00:00,2026-{month}-07T02:00:00,closed"
        for month in ("09", "10")
    ]
    if hours is not None:
        known = 1.0 if hours else ""
        head, rows = f"{head},handling_hours", [f"{rows[0]},{known}", f"{rows[1]},{hours}"]
    write(company, "tickets", "\n".join([head, *rows]) + "\n")
    paid = 20.0 * rate * float(hours or 1)
    write(
        company,
        "ledger",
        "posting_id,posted_on,category,amount,ticket_id,posting_basis\n"
        "L1,2026-09-20,labour,20.00,R09,incurred\n"
        f"L2,2026-10-20,labour,{paid:.2f},R10,incurred\n",
    )
    bridge = bridge_against(inputs_of(company), "previous_month", Period.of("2026-09"))
    effects = {fact.dimensions["driver"]: fact.value for _, fact in bridge.effects if fact.value}
    assert effects == {driver: Decimal("40.00")}


def test_the_hours_of_a_ticket_are_counted_once_however_its_labour_is_posted(
    company: Path, inputs_of: Inputs
) -> None:
    """Six hours for 120.00, a quarter of it posted in September; a ticket without hours costs what an hour of the others costs."""
    write(
        company,
        "tickets",
        "ticket_id,product_id,ticket_type,opened_at,resolved_at,handling_hours\n"
        "R1,P1,repair,2026-09-06T02:00:00,2026-10-07T02:00:00,6\n"
        "R2,P1,repair,2026-10-06T02:00:00,2026-10-07T02:00:00,\n",
    )
    write(
        company,
        "ledger",
        "posting_id,posted_on,category,amount,ticket_id,posting_basis\n"
        "L1,2026-09-20,labour,30.00,R1,incurred\nL2,2026-10-20,labour,90.00,R1,incurred\nL3,2026-10-20,labour,40.00,R2,incurred\n",
    )
    inputs = inputs_of(company)
    hours = []
    for month in ("2026-09", "2026-10"):
        cells = bridge_cells(inputs, Period.of(month))
        hours.append(float(cells.loc[cells["category"] == "labour", "input_quantity"].sum()))
    assert hours == [1.5, pytest.approx(4.5 * 130 / 90)]


def test_hours_nobody_worked_are_no_dearer_hour_where_tickets_carry_their_labour(
    company: Path, inputs_of: Inputs
) -> None:
    """A team is paid 100 hours at 20.00 in both months and works on other things for 30; its repair takes 50 hours, then 20, posted to the ticket."""
    write(
        company,
        "tickets",
        "ticket_id,product_id,ticket_type,team,opened_at,resolved_at,handling_hours\n"
        "R1,P1,repair,Field,2026-09-06T02:00:00,2026-09-07T02:00:00,50\n"
        "R2,P1,repair,Field,2026-10-06T02:00:00,2026-10-07T02:00:00,20\n",
    )
    write(
        company,
        "ledger",
        "posting_id,posted_on,category,amount,ticket_id,team,posting_basis\n"
        "L1,2026-09-20,labour,1000.00,R1,Field,incurred\nL2,2026-09-20,labour,1000.00,,Field,incurred\n"
        "L3,2026-10-20,labour,400.00,R2,Field,incurred\nL4,2026-10-20,labour,1600.00,,Field,incurred\n",
    )
    write(
        company,
        "staff",
        "month,agent_id,team,hours_paid,hours_worked,cost\n2026-09-01,A1,Field,100,80,2000.00\n2026-10-01,A1,Field,100,50,2000.00\n",
    )
    bridge = bridge_against(inputs_of(company), "previous_month", Period.of("2026-09"))
    effects = {fact.dimensions["driver"]: fact.value for _, fact in bridge.effects if fact.value}
    assert effects == {"intensity": Decimal("-600.00"), "utilisation": Decimal("600.00")}


def test_cells_hold_the_month_to_the_cent(company: Path, inputs_of: Inputs) -> None:
    inputs = inputs_of(company)
    for month in (Period.of("2026-09"), Period.of("2026-10"), Period.parse("2026-09/2026-11")):
        assert (
            sum(bridge_cells(inputs, month)["cost"])
            == inputs.engine.fact("after_sales_cost", period=month).value
        )


def test_parts_of_the_bridge_add_up_by_category_too(company: Path, inputs_of: Inputs) -> None:
    bridge = bridge_against(inputs_of(company), "previous_month", Period.of("2026-09"))
    assert sum(line.effect.value for line in bridge.by_category) == bridge.change.value  # type: ignore[misc]


def test_unused_capacity_is_a_line_of_its_own(company: Path, inputs_of: Inputs) -> None:
    """80 practical hours cost 1,200.00, or 15.00 an hour; October's tickets took 3.6 hours, so 1,146.00 was not used."""
    with_team(company)
    capacity = capacity_of(inputs_of(company))
    hours = Decimal("0.5") + Decimal("0.1") + Decimal("3.0")
    assert capacity.used_cost.value == hours * 15
    assert capacity.unused_cost.value == Decimal("1200.00") - hours * 15
    assert sum(fact.value for _, fact in capacity.by_object["ticket_type"]) == capacity.used_cost.value  # type: ignore[misc]


def test_standard_times_stand_in_where_tickets_record_no_hours(company: Path, inputs_of: Inputs) -> None:
    """October: two repairs at 7.6 hours and an inquiry at 0.7, at 15.00 an hour."""
    with_team(company)
    path = company / "tickets.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.drop(columns="handling_hours").to_csv(path, index=False)
    capacity = capacity_of(inputs_of(company))
    times = standard_times(on=dt.date(2026, 10, 31))
    assert capacity.used_cost.value == (2 * times["repair"] + times["inquiry"]) * 15
    assert "standard times" in capacity.times.en


def test_standard_times_are_dated_and_strict(tmp_path: Path) -> None:
    path = tmp_path / "standard_times.yml"
    entry = "repair:\n  meaning: {en: a, zh: b}\n  unit: hours\n  owner: me\n  values:\n    2025-01-01: {value: 2, source: s}\n    2026-01-01: {value: %s, source: s}\n"
    path.write_text(entry % "3", encoding="utf-8")
    assert standard_times(on=dt.date(2025, 6, 1), path=path) == {"repair": Decimal(2)}
    assert standard_times(on=dt.date(2026, 6, 1), path=path) == {"repair": Decimal(3)}
    with pytest.raises(ParameterError, match="no value holds on 2024-06-01"):
        standard_times(on=dt.date(2024, 6, 1), path=path)
    path.write_text(entry % "-3", encoding="utf-8")
    with pytest.raises(
        ParameterError, match=r"standard_times\.yml: repair, 2026-01-01 \(hours\): '-3' should be at least 0"
    ):
        standard_times(on=dt.date(2026, 6, 1), path=path)
    path.write_text((entry % "3").replace("  owner: me\n", ""), encoding="utf-8")
    with pytest.raises(ParameterError, match="owner"):
        standard_times(on=dt.date(2026, 6, 1), path=path)
    assert standard_times(on=dt.date(2026, 6, 1), path=tmp_path / "none.yml") == {}


def test_without_staff_capacity_says_what_it_needs(company: Path, inputs_of: Inputs) -> None:
    with pytest.raises(MissingData, match="needs staff"):
        capacity_of(inputs_of(company))


def test_allocation_shares_every_cent_and_keeps_what_has_no_rule(company: Path, inputs_of: Inputs) -> None:
    rows = "".join(
        f"2026-10-01,product_line,{line},hours,{hours}\n" for line, hours in (("Washers", 3), ("Dryers", 1))
    )
    write(company, "drivers", "month,cost_object_type,cost_object,driver,quantity\n" + rows)
    shared = allocated_of(inputs_of(company))
    assert shared.conserved
    allocated = {line.line.en: line.allocated.value for line in shared.lines}
    assert allocated == {
        "Washers": Decimal("900.00"),
        "Dryers": Decimal("300.00"),
    }  # labour of 1,200.00 by hours 3 to 1
    assert shared.unallocated.value == Decimal("80.10")


def test_a_pool_whose_driver_is_absent_stays_whole_and_is_named(company: Path, inputs_of: Inputs) -> None:
    write(
        company,
        "drivers",
        "month,cost_object_type,cost_object,driver,quantity\n2026-10-01,product_line,Washers,tickets,3\n",
    )
    shared = allocated_of(inputs_of(company))
    assert shared.conserved
    left = {one.pool.en: (one.amount.value, one.reason.en) for one in shared.left}
    assert left == {
        "Labour of teams": (Decimal("1200.00"), "driver hours is absent in the month"),
        "Postings without a pool": (Decimal("80.10"), "no product line either"),
    }
    assert shared.unallocated.value == Decimal("1280.10")


def test_the_driver_in_force_is_the_latest_that_has_begun() -> None:
    rules = tuple(
        AllocationRule(pool="rent", driver=driver, to="product_line", valid_from=dt.date(year, 7, 1))  # type: ignore[arg-type]
        for driver, year in (("area", 2024), ("hours", 2026))
    )
    tree = CostTree(version=1, categories={}, accounts=(), allocation=rules)
    assert [driver_of(tree, "rent", Month(year, 6)) for year in (2024, 2025, 2026, 2027)] == [
        None,
        "area",
        "area",
        "hours",
    ]
    assert driver_of(tree, "telecom", Month(2026, 6)) is None


def test_a_posting_in_a_currency_without_a_rate_is_refused_and_said(company: Path, inputs_of: Inputs) -> None:
    inputs = inputs_of(company)
    assert currency_check(inputs).outcome == "passed"
    path = company / "ledger.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    foreign = [
        lines[0] + ",currency",
        *(line + (",USD" if line.startswith("L8") else ",") for line in lines[1:]),
    ]
    path.write_text("\n".join(foreign) + "\n", encoding="utf-8")
    check = currency_check(inputs_of(company))
    assert check.outcome == "failed"
    assert check.sentence.plain().startswith("1 postings were refused: their currency has no rate in params")


def test_expense_is_incurred_and_accrued_and_nothing_twice(company: Path, inputs_of: Inputs) -> None:
    statement = profit_and_loss(inputs_of(company))
    assert statement.incurred.value == Decimal("1600.00")
    assert statement.expense.value == Decimal("2100.00")


def test_a_provision_whose_closing_does_not_follow_is_seen(company: Path, inputs_of: Inputs) -> None:
    head = "month,product_line,opening,accrued,utilised,adjusted,closing\n"
    write(company, "provision", head + "2026-10-01,Washers,100.00,50.00,30.00,0.00,120.00\n")
    good = provision_of(inputs_of(company))
    assert good.rolled.holds and good.total.amounts["closing"].value == Decimal("120.00")
    write(company, "provision", head + "2026-10-01,Washers,100.00,50.00,30.00,0.00,120.01\n")
    bad = provision_of(inputs_of(company))
    assert not bad.rolled.holds


def test_every_registered_measure_names_what_it_is_compared_with() -> None:
    measures = load_interventions(kind="measure")
    assert measures and all(one.comparison and one.expected_reduction > 0 and one.owner for one in measures)


@pytest.fixture(scope="module")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    make_sample(folder, seed=30_000, scale=0.15, blemishes=False)
    return folder


def since_it_began(finding: Finding, folder: Path) -> None:
    """The planted first month, and the hours and the money since, straight from the staff table."""
    staff = pd.read_parquet(folder / "staff.parquet")
    own = staff[(staff["sourcing"] == "in_house") & staff["team"].notna()]
    sums = own.assign(cost=own["cost"].astype(float)).groupby(["team", "month"])[
        ["hours_paid", "hours_worked", "cost"]
    ]
    teams = sums.sum()
    unused = (1 - teams["hours_worked"] / teams["hours_paid"]).unstack("team")
    excess = unused["Field West"] - unused.drop(columns="Field West").median(axis=1)
    west = teams.loc["Field West"]
    since = excess[pd.to_datetime(excess.index) >= "2026-05-01"].index
    hours = float((west.loc[since, "hours_paid"] * excess[since]).sum())
    cost = hours * west.loc[since, "cost"].sum() / west.loc[since, "hours_paid"].sum()
    values = finding.statement.values
    assert values["first"] == Month.parse("2026-05") and "2026" in str(finding.statement)
    assert float(values["all_hours"].value) == pytest.approx(hours, rel=1e-9)  # type: ignore[union-attr]
    assert float(values["all_cost"].value) == pytest.approx(cost, abs=0.01)  # type: ignore[union-attr]
    assert values["all_hours"].value > values["hours"].value  # type: ignore[union-attr,operator]


@pytest.mark.parametrize("idle_months", [3, 8])
def test_an_idle_team_began_in_the_month_of_its_step(idle_months: int) -> None:
    months = pd.period_range("2024-11", periods=24, freq="M").astype(str)
    worked = np.where(np.arange(24) < 24 - idle_months, 85.0, 60.0) + np.cos(np.arange(24) * 2)
    table = pd.DataFrame({"month": months, "team": "A", "hours_paid": 100.0, "hours_worked": worked})
    row = idle_teams(table, window=3, allowed_share=0.15, level=0.05).by_subject.iloc[0]
    assert row["since"] == row["begun_first"] == row["begun_last"] == months[24 - idle_months]
    assert row["since_hours"] == pytest.approx((85.0 - worked[24 - idle_months :]).sum())
    assert row["since_low"] < row["since_share"] < row["since_high"]


def test_planted_truths_are_named(sample_folder: Path, inputs_of: Inputs) -> None:
    inputs = inputs_of(sample_folder)
    (idle,) = idle_findings(inputs).findings
    assert idle.subject["team"] == "Field West"
    since_it_began(idle, sample_folder)
    assert {one.subject["part_no"] for one in price_findings(inputs).findings} == {"P-PCB-20", "P-SEN-50"}
    assert [one.subject["account"] for one in surge_findings(inputs).findings] == ["6601.05.01"]
    verdicts = {
        one.entry.id: one.result.verdict for one in measures_of(inputs) if not isinstance(one.result, NotDone)
    }
    assert verdicts["consolidated-freight-north"] in ("not delivered", "could be noise")


def test_profitability_adds_up_in_every_grouping(sample_folder: Path, inputs_of: Inputs) -> None:
    """What names no slice is a line of its own: each grouping holds all service revenue and all cost."""
    inputs = inputs_of(sample_folder)
    *lines, whole = profitability_of(inputs)
    assert whole.cost.value == inputs.engine.fact("after_sales_cost", period=inputs.month).value
    revenue = inputs.engine.query(
        f"SELECT sum(revenue) AS amount FROM orders WHERE {Period.of(inputs.month).condition()} AND order_type NOT IN ('product', 'upgrade')"
    )["amount"].iloc[0]
    assert whole.revenue.value == revenue and whole.profit.value == revenue - Decimal(whole.cost.value or 0)
    for dimension in ("product_line", "customer_type", "region"):
        group = [line for line in lines if dimension in line.revenue.dimensions]
        for part in ("revenue", "cost", "profit"):
            amounts = [Decimal(getattr(line, part).value or 0) for line in group]
            assert sum(amounts) == getattr(whole, part).value
        assert "not_stated" in {line.revenue.dimensions[dimension] for line in group}


def journals() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "journal_id": ["J1", "J1", "J2", "J2", "J2"],
            "amount": [Decimal(text) for text in ("10.00", "-10.00", "5.55", "-5.00", "-0.55")],
        }
    )


def test_whole_journals_net_to_zero() -> None:
    assert journal_imbalances(journals()).empty


def test_a_deleted_line_and_a_moved_cent_are_named() -> None:
    deleted = journal_imbalances(journals().drop(index=3))
    assert deleted.to_dict("records") == [{"journal_id": "J2", "lines": 2, "difference": Decimal("5.00")}]
    moved = journals()
    moved.loc[0, "amount"] = Decimal("10.01")
    assert journal_imbalances(moved).to_dict("records") == [
        {"journal_id": "J1", "lines": 2, "difference": Decimal("0.01")}
    ]


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
                return pd.DataFrame(
                    {
                        "journal_id": [row["journal_id"] for row in rows],
                        "amount": [Decimal(row["net_amount"]) for row in rows],
                    }
                )
    pytest.skip("the real Xero ledger is not here (shared/real/xero_gl_fivetran_seeds)")


def test_every_journal_of_a_real_ledger_nets_and_tampering_is_named() -> None:
    lines = xero_lines()
    assert journal_imbalances(lines).empty
    place = int((lines["amount"] != 0).to_numpy().argmax())
    journal = lines.loc[place, "journal_id"]
    assert list(journal_imbalances(lines.drop(index=place))["journal_id"]) == [journal]
    lines.loc[place, "amount"] += Decimal("0.01")
    assert journal_imbalances(lines)[["journal_id", "difference"]].to_dict("records") == [
        {"journal_id": journal, "difference": Decimal("0.01")}
    ]


@pytest.fixture
def xero_ledger(tmp_path: Path) -> Path:
    """Expense lines of the real journals through the shipped source map, and control totals summed from the raw export apart from it."""
    lines = XERO / "xero_journal_line_data.csv"
    if not lines.is_file():
        pytest.skip("the real Xero ledger is not here (shared/real/xero_gl_fivetran_seeds)")
    target = tmp_path / "mapped"
    source_map = load_map("xero", {name: tuple(table.columns) for name, table in contract().tables.items()})
    apply_map(source_map, XERO, target)
    shutil.rmtree(target / "invoices", ignore_errors=True)  # in pounds; the ledger is in the base currency
    raw = pd.read_csv(lines, dtype=str, keep_default_na=False)
    dates = pd.read_csv(XERO / "xero_journal_data.csv", dtype=str).set_index("journal_id")["journal_date"]
    cost = raw[raw["account_type"].isin(["EXPENSE", "DIRECTCOSTS"])]
    totals: dict[tuple[str, str], Decimal] = {}
    for journal, account, amount in zip(
        cost["journal_id"], cost["account_code"], cost["net_amount"], strict=True
    ):
        for key in ((dates[journal][:7], account), (dates[journal][:7], "all")):
            totals[key] = totals.get(key, Decimal(0)) + Decimal(amount)
    rows = "".join(
        f"{month}-01,after_sales_cost,{account},{amount:.2f}\n"
        for (month, account), amount in sorted(totals.items())
    )
    write(target, "gl_totals", "month,measure,account,amount\n" + rows)
    return target


def busiest_month(folder: Path) -> str:
    totals = pd.read_csv(folder / "gl_totals.csv", dtype=str)
    return str(totals.loc[totals["account"] != "all", "month"].value_counts().index[0])[:7]


def test_a_real_ledger_ties_out_through_its_source_map(xero_ledger: Path, inputs_of: Inputs) -> None:
    inputs = inputs_of(xero_ledger, month=busiest_month(xero_ledger), as_of=dt.date(2026, 11, 10))
    tied = tie_out(inputs, [inputs.month])
    assert tied.status == "tied_out" and tied.ledger[0].value != 0
    assert len(tied.accounts) >= 3 and all(gap.value == 0 for _, _, gap in tied.accounts)


@pytest.mark.parametrize("damage", ["moved cent", "deleted line"])
def test_tampering_with_a_real_ledger_is_named_by_its_account(
    xero_ledger: Path, inputs_of: Inputs, damage: str
) -> None:
    month = busiest_month(xero_ledger)
    (path,) = xero_ledger.glob("ledger/*.csv")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    place = next(index for index, day in enumerate(frame["posted_on"]) if day.startswith(month))
    account, amount = str(frame.loc[place, "account"]), Decimal(str(frame.loc[place, "amount"]))
    if damage == "moved cent":
        gap = Decimal("0.01")
        frame.loc[place, "amount"] = str(amount + gap)
    else:
        gap = -amount
        frame = frame.drop(index=place)
    frame.to_csv(path, index=False)
    inputs = inputs_of(xero_ledger, month=month, as_of=dt.date(2026, 11, 10))
    tied = tie_out(inputs, [inputs.month])
    assert tied.status == "refused" and tied.difference[0].value == gap
    assert [(line.dimensions["account"], line.value) for _, _, line in tied.accounts if line.value] == [
        (account, gap)
    ]


def test_a_ledger_with_a_header_and_no_rows_is_studied_without_a_finding(
    company: Path, inputs_of: Inputs
) -> None:
    path = company / "ledger.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    study = costs.study(inputs_of(company))
    assert study.total.value is None and study.total.reason is not None
    assert not any(study.bridges.values()) and isinstance(study.outlook, NotDone)
    assert {one.id for one in study.findings} <= {"costs.not_tied_out", "costs.tie_out"}


BUDGET = """month,category,amount
2026-10-01,parts,200.00
2026-10-01,compensation,100.00
2026-10-01,labour,1000.00
"""
PLAN = "budget_tickets:\n  meaning: {en: Tickets planned., zh: 预算工单数。}\n  unit: tickets\n  owner: Finance\n  values:\n"


def planned(inputs: StudyInputs, tmp_path: Path, *values: tuple[str, str]) -> StudyInputs:
    path = tmp_path / "assumptions.yml"
    path.write_text(
        PLAN + "".join(f'    {day}: {{value: {tickets}, source: "plan"}}\n' for day, tickets in values),
        encoding="utf-8",
    )
    return replace(
        inputs, assumptions=Assumptions(inputs.assumptions.entries | Assumptions.load(path).entries)
    )


def test_a_budget_with_planned_tickets_is_flexed_by_hand(
    company: Path, inputs_of: Inputs, tmp_path: Path
) -> None:
    """Three tickets came where two were planned: half as much again on parts and compensation (+150.00), nothing on labour."""
    write(company, "budget", BUDGET)
    inputs = inputs_of(company)
    budget = budget_of(inputs, inputs.engine.fact("after_sales_cost", period=inputs.month))
    lines = budget.lines
    flexed = flexed_budget(planned(inputs, tmp_path, ("2026-01-01", "2")), budget)
    assert (flexed.planned.value, flexed.actual.value) == (2, 3)
    assert flexed.volume.value == Decimal("150.00")
    rest = {fact.dimensions["category"]: fact.value for _, fact in flexed.rest}
    # parts cost 250.50 − 30.50 = 220.00 on a budget of 300.00 for three tickets; labour 1,200.00 on 1,000.00
    assert rest["parts"] == Decimal("-80.00") and rest["labour"] == Decimal("200.00")
    variance = sum(Decimal(line.variance.value or 0) for line in lines)
    assert flexed.volume.value + sum(Decimal(value or 0) for value in rest.values()) == variance


def test_tickets_that_are_not_planned_for_the_year_do_not_flex(
    company: Path, inputs_of: Inputs, tmp_path: Path
) -> None:
    write(company, "budget", BUDGET)
    inputs = inputs_of(company)
    budget = budget_of(inputs, inputs.engine.fact("after_sales_cost", period=inputs.month))
    with pytest.raises(MissingData, match="budget_tickets"):
        flexed_budget(inputs, budget)
    assert planned_tickets(planned(inputs, tmp_path, ("2025-12-01", "2"))) is None
    assert planned_tickets(planned(inputs, tmp_path, ("2026-09-01", "7"), ("2026-11-01", "9"))) == 7
    # the year is the company's own: of one that began in July a plan of February is last year's, and one of July still holds in January
    of_july = replace(inputs, params=replace(inputs.params, year_begins=7))
    assert planned_tickets(planned(of_july, tmp_path, ("2026-02-01", "2"))) is None
    january = replace(of_july, month=Month(2027, 1), params=replace(of_july.params, month=Month(2027, 1)))
    assert planned_tickets(planned(january, tmp_path, ("2026-07-01", "5"))) == 5
    with pytest.raises(ParameterError, match="a plan has more than none"):
        planned_tickets(planned(inputs, tmp_path, ("2026-01-01", "0")))


def with_rules(inputs: StudyInputs, tmp_path: Path, *rules: AccountRule) -> StudyInputs:
    """The same company under an account map with more rules."""
    tree = replace(inputs.cost_tree, accounts=(*inputs.cost_tree.accounts, *rules))
    given = inputs.engine
    engine = Engine(
        given.tables,
        given.registry,
        cost_tree=tree,
        as_of=given.as_of,
        time_zone="Asia/Shanghai",
        currency=given.currency,
        confidence=given.confidence,
        cache=tmp_path / "other-cache",
    )
    return replace(inputs, engine=engine, cost_tree=tree)


def test_a_posting_takes_the_category_that_held_on_its_day(
    company: Path, inputs_of: Inputs, tmp_path: Path
) -> None:
    """Spare parts move to logistics on 5 October: September's 100.00 stay parts, October's 250.50 of that very day do not; one cost centre
    may differ from the rest."""
    day = dt.date(2026, 10, 5)
    moved = with_rules(
        inputs_of(company), tmp_path, AccountRule(account="6601.02.01", category="logistics", valid_from=day)
    )
    assert amounts_by(moved, "category", Month(2026, 9))["parts"] == Decimal("100.00")
    october = amounts_by(moved, "category", Month(2026, 10))
    assert october["logistics"] == Decimal("250.50") and october["parts"] == Decimal("-30.50")
    later = with_rules(
        inputs_of(company),
        tmp_path,
        AccountRule(account="6601.02.01", category="logistics", valid_from=day + dt.timedelta(days=1)),
    )
    assert amounts_by(later, "category", Month(2026, 10))["parts"] == Decimal("220.00")
    own = with_rules(
        inputs_of(company), tmp_path, AccountRule(account="6601.02.01", category="other", cost_center="CC1")
    )
    assert amounts_by(own, "category", Month(2026, 9))["other"] == Decimal("100.00")


def test_a_rise_of_the_last_three_months_is_named(
    sample_folder: Path, inputs_of: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Freight half as dear again since August beyond its tickets; the outsourced surge of the sample is over and is not named here."""
    inputs = inputs_of(sample_folder)
    known = signals_facts._account_months(inputs)
    late = (known["account"] == "6601.03.01") & (known["month"] >= "2026-08")
    monkeypatch.setattr(
        signals_facts,
        "_account_months",
        lambda inputs: known.assign(cost=known["cost"].where(~late, known["cost"] * 1.5)),
    )
    (finding,) = signals_facts.rise_findings(inputs).findings
    rise = finding.statement.values["rise"]
    assert (
        finding.subject == {"account": "6601.03.01"} and isinstance(rise, Fact) and rise.interval is not None
    )
    assert rise.interval.low < 0.5 < rise.interval.high and rise.period == "2026-08/2026-11"
