"""Money and verdicts one can check on paper."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.errors import MissingData
from analysis.failures import forecasting, forecasting_facts, lives, money, reporting
from analysis.failures.baseline import Baseline
from analysis.failures.field import Field
from analysis.failures.findings import _outlook
from analysis.failures.fixes import _verdict
from analysis.failures.localising import Cause
from analysis.metrics import StudyInputs

Inputs = Callable[..., StudyInputs]

UNITS = """serial_no,product_id,supplier,region,shipped_on,warranty_end
S1,P1,A,North,2026-01-10,2026-09-15
S2,P1,B,South,2026-01-10,2028-01-10
"""
TICKETS = """ticket_id,serial_no,ticket_type,opened_at,resolved_at,status,fault_code,component,confirmed_failure,in_warranty
T1,S1,repair,2026-09-02T02:00:00,2026-09-03T02:00:00,closed,F20,board,true,true
T2,S1,repair,2026-10-03T02:00:00,2026-10-04T02:00:00,closed,F20,board,true,false
T3,S2,repair,2026-09-02T02:00:00,2026-09-05T02:00:00,closed,F10,pump,true,true
T4,S2,repair,2026-10-05T03:00:00,,open,F10,pump,true,true
"""
CLAIMS = """claim_id,ticket_id,claimed_on,decided_on,amount,approved,recovered
W1,T1,2026-09-05,2026-09-10,100.00,90.00,45.00
W2,T1,2026-09-12,2026-09-20,100.00,90.00,0.00
W3,T2,2026-10-05,2026-10-06,80.00,70.00,0.00
W4,T3,2026-09-09,2026-09-10,50.00,0.00,0.00
"""


@pytest.fixture
def small(company: Path) -> Path:
    for name, text in (("units", UNITS), ("tickets", TICKETS), ("claims", CLAIMS)):
        (company / f"{name}.csv").write_text(text)
    return company


def test_a_claim_paid_twice_and_one_out_of_warranty_are_named(small: Path, inputs_of: Inputs):
    field = Field.of(inputs_of(small))
    twice = field.inputs.engine.query(money.duplicate_claims(field, field.year))
    assert twice[["claim_id", "first_claim_id"]].to_numpy().tolist() == [["W2", "W1"]]
    late = field.inputs.engine.query(money.out_of_warranty_claims(field, field.year))
    assert list(late["claim_id"]) == ["W3"] and late["approved"].iloc[0] == Decimal("70.00")


def test_recovery_is_by_supplier_of_the_failed_machine(small: Path, inputs_of: Inputs):
    found = money.recovery_by_supplier(Field.of(inputs_of(small)))
    assert found[["supplier", "approved", "recovered"]].to_numpy().tolist() == [
        ["A", Decimal("250.00"), Decimal("45.00")]
    ]


def test_a_repair_counts_as_repeated_within_thirty_days_of_resolution_only(small: Path, inputs_of: Inputs):
    """T1 was resolved on 3 September and T2 opened a minute before 30 days were over: inside. T3's follow-up came 30 days later to the minute: outside."""
    near = TICKETS.replace("2026-10-03T02:00:00", "2026-10-03T01:59:00").replace(
        "2026-10-05T03:00:00", "2026-10-05T02:00:00"
    )
    (small / "tickets.csv").write_text(near)
    field = Field.of(inputs_of(small))
    rate = field.state.measured("repeat_repair_rate_30d", lives.followed(field))
    assert (rate.denominator, rate.numerator) == (2, 1)


@pytest.mark.parametrize(
    ("low", "high", "unchanged", "verdict"),
    [
        (0.5, 0.9, 50, "worked"),
        (1.1, 2.0, 50, "worse"),
        (0.8, 1.2, 400, "no_effect"),
        (0.4, 1.9, 10, "too_early"),
    ],
)
def test_a_fix_is_judged_by_its_interval_and_by_what_could_have_been_seen(
    low: float, high: float, unchanged: float, verdict: str
):
    assert _verdict(low, high, unchanged, 1000, 0.3, 0.95) == verdict


def cause(component: str | None = "board", **attributes: str) -> Cause:
    """A cause as the search would name it."""
    return Cause(
        attributes=attributes,
        component=component,
        actual=2.0,
        expected=1.0,
        rate_ratio=2.0,
        low=1.1,
        high=4.0,
        corrected=1.5,
        share=0.1,
        p_familywise=0.01,
        outside=40.0,
        confounded_with=(),
    )


def test_what_a_supplier_owes_is_approved_less_recovered_claim_by_claim(small: Path, inputs_of: Inputs):
    field = Field.of(inputs_of(small))

    def due(one: Cause) -> list[tuple[str, Decimal]]:
        rows = field.inputs.engine.query(money.claims_due(field, one))
        return list(zip(rows["claim_id"], [Decimal(str(v)) for v in rows["due"]], strict=True))

    assert due(cause(supplier="A")) == [
        ("W2", Decimal("90.00")),
        ("W3", Decimal("70.00")),
        ("W1", Decimal("45.00")),
    ]
    assert due(cause("pump", supplier="A")) == []
    assert due(cause(None, supplier="B")) == []  # nothing was approved


def test_a_cause_that_names_a_supplier_makes_a_finding_with_the_exact_amount_and_its_claims(
    small: Path, inputs_of: Inputs
):
    from types import SimpleNamespace

    from analysis.failures.findings import _due
    from analysis.failures.money_facts import due_facts
    from analysis.failures.scale import Scale
    from analysis.locale import Text
    from analysis.metrics.materiality import Materiality
    from analysis.results import Fact

    field = Field.of(inputs_of(small))
    named = [
        SimpleNamespace(cause=one, name=Text(en="Supplier A, board", zh="供应商 A，控制板"))
        for one in (cause(supplier="A"), cause(batch="B1"))
    ]
    # half of what is owed is what counts as material here
    limit = Fact(metric="materiality", period="2026-10", unit="CNY", value=Decimal("102.50"))
    scale = Scale(materiality=Materiality(limit=limit, trivial=limit), least_effect=0.1, least_shape=0.1)
    (finding,) = _due(due_facts(field, tuple(named)), scale)  # type: ignore[arg-type]
    assert finding.severity == "alert" and finding.evidence is not None and len(finding.evidence) == 3
    assert finding.statement.values["amount"].value == Decimal("205.00")  # type: ignore[union-attr]
    assert "205" in finding.statement.plain("en") and "3" in finding.statement.plain("zh")


STAFF = """agent_id,month,team,sourcing,cost,hours_paid,hours_worked
A1,2026-09-01,Own,in_house,600.00,70,60
A1,2026-10-01,Own,in_house,400.00,50,40
P1,2026-09-01,Partner,outsourced,9999.00,100,100
"""
WORK = {"T1": ("Own", "2.0"), "T2": ("Own", "3.0"), "T3": ("Partner", "5.0"), "T4": ("", "")}


def test_a_failure_costs_what_was_posted_to_it_and_in_full_the_hours_of_own_staff_as_well(
    small: Path, inputs_of: Inputs
):
    """An hour of own staff: 1,000 of cost over 100 hours. T1: 100 posted and 2 hours; T2: 3 hours; T3: 220 posted, done by a partner; T4: nothing yet."""
    with_work(small)
    field = Field.of(inputs_of(small))
    assert float(money.hour_rate(field).value or 0) == 10.0
    direct, full = money.prices(field), money.full_prices(field)
    assert isinstance(full, money.Prices)
    assert (direct.all.mean, direct.all.failures) == (pytest.approx(320 / 4), 4)
    assert (full.all.mean, full.all.failures) == (pytest.approx(370 / 4), 4)
    # under warranty: all but T2
    assert direct.covered.mean == pytest.approx(320 / 3) and full.covered.mean == pytest.approx(340 / 3)
    assert full.all.error == pytest.approx(
        (sum(x**2 for x in (120, 30, 220, 0)) / 4 - 92.5**2) ** 0.5 / 4**0.5
    )
    # the excess cost of a cause counts the same hours and postings
    one = cause(supplier="A")
    posted, failures = money.cost_of_cause(field, one)
    assert (float(str(posted)), failures) == (100.0, 2)
    assert money.own_hours(field, money.where_of(one)) == 5.0
    by_supplier = money.cost_by(field, "supplier", hour=10.0).set_index("value")["amount"]
    assert by_supplier["A"] == pytest.approx(100 + 5 * 10)


def test_a_ledger_that_began_after_the_failures_prices_those_it_saw(small: Path, inputs_of: Inputs):
    """T1 and T3 failed in September, before there was a ledger: they are not failures that cost nothing. T2 cost 60, T4 nothing yet."""
    ledger = small / "ledger.csv"
    head = ledger.read_text().splitlines()[0]
    ledger.write_text(head + "\n" + "L1,2026-10-06,parts,60.00,T2,CC1,6601.01.02,incurred," + "\n")
    field = Field.of(inputs_of(small))
    assert money.priced_months(field) == 1
    direct = money.prices(field)
    assert (direct.all.mean, direct.all.failures) == (30.0, 2)
    ledger.write_text(head + "\n" + "L1,2026-09-06,parts,60.00,T2,CC1,6601.01.02,incurred," + "\n")
    field = Field.of(inputs_of(small))
    assert (money.prices(field).all.mean, money.prices(field).all.failures) == (15.0, 4)


def test_failures_are_forecast_without_a_ledger_and_their_cost_is_not(
    planted_inputs: StudyInputs, monkeypatch: pytest.MonkeyPatch
):
    field = Field.of(planted_inputs)
    delay = reporting.delay_of(field.delays, field.horizon)
    fitted, _ = lives.component_lives(field)
    intensity = forecasting.intensity_of(field, Baseline.of(field), delay, fitted)
    made = forecasting.forecast(field, intensity, arrivals=forecasting.nobody())
    priced = forecasting_facts.forecast_facts(field, made, delay)

    def unpriced(*_: object, **__: object) -> money.Prices:
        raise MissingData("ledger.amount", "ledger.ticket_id")

    monkeypatch.setattr(money, "prices", unpriced)
    found = forecasting_facts.forecast_facts(field, made, delay)
    assert found and priced
    assert found.total.value == priced.total.value and found.total.interval is not None
    assert found.obligation_failures.value == priced.obligation_failures.value
    for cost in (found.cost, found.full_cost, found.obligation, found.cover):
        assert cost.value is None and "needs ledger.amount" in cost.reason.en
    (outlook,) = [one for one in _outlook(found, scale=None) if one.id == "failures.outlook"]  # type: ignore[arg-type]
    assert outlook.statement.plain("en").endswith("What they will cost is not known.")


POSTED = """P1,2026-09-06,labour,20.00,T1,CC1,6601.01.01,incurred,
P2,2026-10-06,labour,30.00,T2,CC1,6601.01.01,incurred,
P3,2026-10-06,,7.00,T3,CC1,6601.01.02,incurred,
"""


def with_work(folder: Path) -> None:
    head, *rows = TICKETS.splitlines()
    written = [f"{head},team,handling_hours", *(f"{row},{','.join(WORK[row[:2]])}" for row in rows)]
    (folder / "tickets.csv").write_text("\n".join(written) + "\n")
    (folder / "staff.csv").write_text(STAFF)


def test_wages_that_the_ledger_posts_to_tickets_are_counted_once(
    small: Path, inputs_of: Inputs, tmp_path: Path
):
    """The same company with and without labour on tickets, by category and by account: every question of money has the same answer, and labour stands apart."""
    from analysis.failures.money_facts import money_facts
    from analysis.retention.views import link_cost
    from analysis.value.scenarios import _REPEAT_COST

    with_work(small)
    other = tmp_path / "posted"
    shutil.copytree(small, other)
    ledger = other / "ledger.csv"
    ledger.write_text(ledger.read_text() + POSTED)

    def asked(folder: Path, work: str) -> tuple[list[object], dict[str, object]]:
        field = Field.of(inputs_of(folder, work=tmp_path / work))
        one, full, engine = cause(supplier="A"), money.full_prices(field), field.inputs.engine
        assert isinstance(full, money.Prices)
        facts = money_facts(field, money.cost_by(field, "component"))
        lines = [facts.whole, *(line for _, line in facts.by_component)]
        answers: list[object] = [
            money.prices(field),
            full,
            money.cost_of_cause(field, one),
            money.cost_by(field, "component", hour=10.0).to_dict("records"),
            [{name: fact.value for name, fact in line.items() if name != "labour"} for line in lines],
            engine.query(_REPEAT_COST.format(end="DATE '2026-11-01'")).to_dict("records"),
            engine.query(
                link_cost().replace("s.contacts > 1", "TRUE").replace("s.contacts IS NOT NULL", "TRUE")
            )["total"].tolist(),
        ]
        return answers, {
            str(line["total"].dimensions.get("component", "all")): line["labour"].value
            for line in lines
            if "labour" in line
        }

    (without, none), (posted, labour) = asked(small, "held"), asked(other, "traced")
    assert str(posted) == str(without) and not none
    assert labour == {"all": Decimal("57.00"), "board": Decimal("50.00"), "pump": Decimal("7.00")}


def test_without_staff_the_full_cost_is_not_computed_and_says_what_it_needs(small: Path, inputs_of: Inputs):
    found = money.full_prices(Field.of(inputs_of(small)))
    assert not found and "staff.team" in found.reason.en
