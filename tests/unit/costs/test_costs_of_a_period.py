"""A quarter and a year: their amounts are the sums of their months to the cent, their rates those of summed parts, and nothing else moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from analysis.costs import yearly_facts, yields
from analysis.costs.activity_costing_facts import capacity_of
from analysis.costs.allocation_facts import allocated_of
from analysis.costs.bridge_facts import bridge_against
from analysis.costs.composition import composition_by
from analysis.costs.provision_facts import provision_of
from analysis.costs.tie_out import profit_and_loss, tie_out, tie_out_check
from analysis.costs.yearly_facts import YearLine
from analysis.costs.yields import budget_of, profitability_of, unit_costs_of
from analysis.errors import MissingData
from analysis.formats import period_text
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.periods import Month
from analysis.results import Fact, Interval

Inputs = Callable[..., StudyInputs]
LENGTHS = pytest.mark.parametrize(("months", "begins"), [(3, 8), (12, 11)], ids=["quarter", "year"])


def of(inputs: StudyInputs, months: int, begins: int) -> StudyInputs:
    """The period of so many months that ends with the report month."""
    return replace(inputs, params=replace(inputs.params, months=months, year_begins=begins))


def at(inputs: StudyInputs, month: Month) -> StudyInputs:
    return replace(inputs, month=month, params=replace(inputs.params, month=month, months=1))


def monthly(inputs: StudyInputs) -> list[StudyInputs]:
    """The same for each month of a period, one by one."""
    return [at(inputs, month) for month in inputs.period.each()]


def amounts(facts: list[Fact]) -> dict[str, Decimal]:
    """Amounts by what they are of, whatever their period."""
    return {
        f"{fact.metric}{sorted(fact.dimensions.items())}": Decimal(str(fact.value))
        for fact in facts
        if fact.value  # what came to nothing may be no line at all
    }


def summed(each: list[list[Fact]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for facts in each:
        for name, amount in amounts(facts).items():
            found[name] = found.get(name, Decimal(0)) + amount
    return {name: amount for name, amount in found.items() if amount}


def slices(inputs: StudyInputs) -> list[Fact]:
    total = inputs.fact("after_sales_cost")
    return [
        total,
        *(
            line.cost
            for dimension in ("category", "product_line", "team")
            for line in composition_by(inputs, dimension, total)
        ),
    ]


def expense(inputs: StudyInputs) -> list[Fact]:
    found = profit_and_loss(inputs)
    return [
        found.incurred,
        found.accrued,
        found.utilised,
        found.adjusted,
        found.expense,
        found.operating_cost,
    ]


def budget(inputs: StudyInputs) -> list[Fact]:
    found = budget_of(inputs, inputs.fact("after_sales_cost"))
    return [found.budget, found.variance, *(line.variance for line in found.lines)]


def allocated(inputs: StudyInputs) -> list[Fact]:
    found = allocated_of(inputs)
    assert found.conserved
    return [found.pools, found.unallocated, *(line.allocated for line in found.lines), *(line.direct for line in found.lines)]  # fmt: skip


def profits(inputs: StudyInputs) -> list[Fact]:
    return [fact for line in profitability_of(inputs) for fact in (line.revenue, line.cost, line.profit)]


def supplied(inputs: StudyInputs) -> list[Fact]:
    return [fact for team in capacity_of(inputs).teams for fact in (team.cost,)]


@LENGTHS
@pytest.mark.parametrize("part", [slices, expense, budget, allocated, profits, supplied])
def test_amounts_of_a_period_are_the_sums_of_its_months(
    part: Callable[[StudyInputs], list[Fact]], months: int, begins: int, small_inputs: StudyInputs
):
    inputs = of(small_inputs, months, begins)
    whole = amounts(part(inputs))
    assert whole and whole == summed([part(each) for each in monthly(inputs)])
    assert {fact.period for fact in part(inputs)} == {str(inputs.period)}


@LENGTHS
def test_a_rate_of_a_period_is_of_what_its_months_add_up_to(
    months: int, begins: int, small_inputs: StudyInputs
):
    inputs = of(small_inputs, months, begins)
    for metric in ("labour_share", "service_unit_cost", "after_sales_cost_rate", "automation_rate"):
        whole = inputs.fact(metric)
        parts = [each.fact(metric) for each in monthly(inputs)]
        top, bottom = (
            sum(Decimal(str(getattr(part, name))) for part in parts) for name in ("numerator", "denominator")
        )
        assert Decimal(str(whole.numerator)) == top and Decimal(str(whole.denominator)) == bottom
        assert float(whole.value) == pytest.approx(float(top / bottom))  # type: ignore[arg-type]
        assert whole.value not in {part.value for part in parts}


@LENGTHS
def test_the_bridge_of_a_period_adds_up_to_its_change(months: int, begins: int, small_inputs: StudyInputs):
    inputs = of(small_inputs, months, begins)
    for against, before in inputs.period.compared.items():
        bridge = bridge_against(inputs, against, before)
        assert bridge.cost.period == str(inputs.period) and bridge.base.period == str(before)
        assert sum(fact.value for _, fact in bridge.effects) == bridge.change.value  # type: ignore[misc]
        assert bridge.change.value == bridge.cost.value - bridge.base.value  # type: ignore[operator]
        assert {fact.dimensions["against"] for _, fact in bridge.effects} == {against}


@LENGTHS
def test_each_month_of_a_period_ties_out_and_so_does_their_sum(
    months: int, begins: int, small_inputs: StudyInputs
):
    inputs = of(small_inputs, months, begins)
    tied = tie_out(inputs, [inputs.month - back for back in range(12, -1, -1)])
    assert tied.status == "tied_out" and tied.whole is not None
    assert len(tied.judged) == months + 1
    ledger, control, difference = tied.whole
    assert ledger.value == inputs.fact("after_sales_cost").value == control.value and difference.value == 0
    assert period_text(inputs.period, "en") in str(tie_out_check(tied).sentence)


@LENGTHS
def test_the_provision_rolls_from_the_opening_of_the_period_to_its_close(
    months: int, begins: int, small_inputs: StudyInputs
):
    total = provision_of(of(small_inputs, months, begins)).total.amounts
    balance = sum(total[name].value for name in ("opening", "accrued", "utilised", "adjusted"))  # type: ignore[misc]
    assert balance == total["closing"].value
    assert total["accrued"].period == str(of(small_inputs, months, begins).period)


def test_used_hours_of_a_quarter_are_those_of_its_months(small_inputs: StudyInputs):
    inputs = of(small_inputs, 3, 8)
    whole = capacity_of(inputs)
    each = [capacity_of(month) for month in monthly(inputs)]
    assert whole.used_hours.value == sum(one.used_hours.value for one in each)  # type: ignore[misc]
    assert whole.used_cost.value + whole.unused_cost.value == whole.cost.value  # type: ignore[operator]
    for facts in whole.by_object.values():
        assert sum(fact.value for _, fact in facts) == whole.used_cost.value  # type: ignore[misc]


def test_a_period_of_one_month_is_the_month(small_inputs: StudyInputs):
    assert small_inputs.period == Period.of(small_inputs.month)
    assert [fact.id for fact in unit_costs_of(small_inputs)] == [
        fact.id for fact in unit_costs_of(of(small_inputs, 1, 8))
    ]
    assert tie_out(small_inputs, [small_inputs.month]).whole is None


# ---------------------------------------------------------------- on paper


def with_rows(company: Path, table: str, *rows: str) -> None:
    path = company / f"{table}.csv"
    path.write_text(path.read_text(encoding="utf-8") + "".join(f"{row}\n" for row in rows), encoding="utf-8")


@pytest.fixture
def paper(company: Path) -> Path:
    """The company with an August: 40.00 of cost on one ticket, and control totals of all three months."""
    with_rows(company, "ledger", "L0,2026-08-05,labour,40.00,,CC1,6601.01.01,incurred,")
    with_rows(
        company, "tickets", "T0,C1,P1,repair,2026-08-05T02:00:00,2026-08-05T03:00:00,false,1.0,closed,false,"
    )
    with_rows(
        company,
        "gl_totals",
        "2026-08-01,after_sales_cost,all,40.00",
        "2026-09-01,after_sales_cost,all,1100.00",
    )
    return company


def test_a_quarter_on_paper(paper: Path, inputs_of: Inputs):
    inputs = inputs_of(paper, months=3, year_begins=8)
    total = inputs.fact("after_sales_cost")
    assert total.value == Decimal("40.00") + Decimal("1100.00") + Decimal("1600.00")
    assert total.id == "after_sales_cost#2026-08/2026-11:1"
    # 40 + 1,000 + 1,200 of labour in 2,740, and neither the mean of 100%, 90.9% and 75% nor that of the last month
    assert inputs.fact("labour_share").value == Decimal("2240.00") / Decimal("2740.00")
    tied = tie_out(inputs, [inputs.month - back for back in range(12, -1, -1)])
    assert tied.status == "tied_out"
    assert str(tie_out_check(tied).sentence) == (
        "The ledger of the first quarter of 2026 (August to October) ties out to the general ledger to the cent: CNY 2,740.00."
    )
    assert "2026年第一季度（8月至10月）" in tie_out_check(tied).sentence.plain("zh")


def test_months_that_are_off_are_not_hidden_by_their_sum(paper: Path, inputs_of: Inputs):
    path = paper / "gl_totals.csv"
    path.write_text(
        path.read_text(encoding="utf-8")
        .replace("all,40.00", "all,45.00")
        .replace("all,1100.00", "all,1095.00"),
        encoding="utf-8",
    )
    inputs = inputs_of(paper, months=3, year_begins=8)
    tied = tie_out(inputs, [inputs.month - back for back in range(12, -1, -1)])
    assert tied.whole is not None and tied.whole[2].value == 0
    assert tied.status == "refused"
    assert "The ledger of August 2026 does not tie out" in str(tie_out_check(tied).sentence)


def test_a_quarter_without_one_control_total_is_not_tied_out(paper: Path, inputs_of: Inputs):
    path = paper / "gl_totals.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("2026-09-01", "2026-07-01"), encoding="utf-8")
    inputs = inputs_of(paper, months=3, year_begins=8)
    tied = tie_out(inputs, [inputs.month - back for back in range(12, -1, -1)])
    assert tied.status == "no_control_totals"
    assert "for September 2026" in str(tie_out_check(tied).sentence)


def test_half_a_quarter_passes_for_none(company: Path, inputs_of: Inputs):
    """The rows begin in September: what August to October cost is not known, and nothing is compared with May to July."""
    inputs = inputs_of(company, months=3, year_begins=8)
    total = inputs.fact("after_sales_cost")
    assert total.value is None and total.reason is not None
    assert total.reason.en == "not computed: the data begin in September 2026"
    with pytest.raises(MissingData, match="does not cover all of 2026-Q1"):
        bridge_against(inputs, "previous_quarter", inputs.period.compared["previous_quarter"])


def test_a_budget_that_lacks_a_month_of_the_quarter_is_none(paper: Path, inputs_of: Inputs):
    (paper / "budget.csv").write_text(
        "month,category,amount\n2026-08-01,labour,50.00\n2026-10-01,labour,1000.00\n", encoding="utf-8"
    )
    inputs = inputs_of(paper, months=3, year_begins=8)
    with pytest.raises(MissingData, match="no budget in 2026-09"):
        budget_of(inputs, inputs.fact("after_sales_cost"))
    assert (
        budget_of(
            at(inputs, Month(2026, 10)), at(inputs, Month(2026, 10)).fact("after_sales_cost")
        ).budget.value
        == 1000
    )


def test_whoever_asks_for_the_reported_span_gets_the_same_number(paper: Path, inputs_of: Inputs):
    """A study that asks the engine and one that asks for the period would else publish two numbers under one id."""
    (paper / "orders.csv").write_text(
        "order_id,customer_id,product_id,ordered_at,revenue\nO1,C1,P1,2026-09-02T02:00:00,10000.00\n",
        encoding="utf-8",
    )
    inputs = inputs_of(paper, months=3, year_begins=8)
    rate = inputs.fact("after_sales_cost_rate")
    assert (
        rate.value is None
        and rate.reason is not None
        and "the data begin in September 2026" in rate.reason.en
    )
    assert inputs.engine.fact("after_sales_cost_rate", period=inputs.period).value is not None
    inputs.engine.months = 3  # as a run of a quarter makes its engine
    assert inputs.engine.fact("after_sales_cost_rate", period=inputs.period).value is None
    assert inputs.engine.fact("after_sales_cost", period=inputs.period).value == Decimal("2740.00")
    # a year is no quarter: it is counted as in a report of a month
    assert (
        inputs.engine.fact("after_sales_cost_rate", period=Period.parse("2025-11/2026-11")).value is not None
    )


@pytest.mark.parametrize("begins", [1, 4, 7, 10, 11, 12])
def test_the_budget_of_the_year_is_that_of_the_companys_own_year(
    begins: int, company: Path, inputs_of: Inputs
):
    """A budget of 1,000 a month for years ahead; cost is 10 in every month expected, so what is left of the year can be counted on fingers."""
    from types import SimpleNamespace

    from analysis.costs.outlook import _year

    months = [Month(2025, 1) + step for step in range(36)]
    (company / "budget.csv").write_text(
        "month,category,amount\n" + "".join(f"{month.start},labour,1000.00\n" for month in months)
    )
    inputs = inputs_of(company, year_begins=begins)
    ahead = SimpleNamespace(
        draws={"total": np.full((4, 12), 10.0)},
        total=lambda part, span, already: (already + 10.0 * (span.stop - span.start),) * 3,
    )
    found = _year(inputs, ahead, 36)  # type: ignore[arg-type]
    left = (begins - 11) % 12
    if not left:
        assert found is None  # the report month ends the year: nothing is left to expect
        return
    assert found is not None
    first = Month(2026, 10) - (11 - left)
    year = Period(first, first + 11, begins)
    assert first.number == begins and year == inputs.company_year
    assert found.budget.period == found.expected.period == found.chance_over.period == str(year)
    assert found.budget.value == 12_000 and found.booked.period == str(Period(first, Month(2026, 10)))
    assert float(found.expected.value or 0) == pytest.approx(float(found.booked.value or 0) + 10 * left)


def test_nothing_is_stated_per_thousand_of_what_there_were_fewer_of(small_inputs: StudyInputs):
    """Twenty orders have no cost of a thousand."""
    known = {fact.metric: fact for fact in unit_costs_of(small_inputs)}
    orders = known["cost_per_order"].denominator
    assert orders is not None and orders < 1000 and "cost_per_thousand_orders" not in known
    enough = replace(small_inputs.fact("cost_per_thousand_orders"), denominator=1000)
    assert not yields._beyond_its_base(enough)


@pytest.mark.parametrize(
    ("kind", "ratio", "severity"),
    [("repair", 0.6, "good"), ("maintenance", 0.6, "info"), ("installation", 0.6, "info")],
)
def test_less_of_what_the_company_plans_itself_is_no_success(
    small_inputs: StudyInputs, kind: str, ratio: float, severity: str
):
    tickets = small_inputs.fact("service_order_count")
    limits = Interval(low=ratio - 0.1, high=ratio + 0.1, level=0.95, method="t")
    moved = Fact(
        metric="yearly_ratio", period=tickets.period, unit="ratio", value=ratio, interval=limits, n=9
    )
    fewer = Interval(low=-130.0, high=-40.0, level=0.95, method="t")
    line = YearLine(
        kind=kind,
        place={"region": "North"},
        name=Text.same("North"),
        period=small_inputs.period,
        before=small_inputs.period,
        tickets=tickets,
        tickets_before=tickets,
        ratio=moved,
        beside=replace(moved, metric="yearly_ratio_beside"),
        events=Fact(
            metric="yearly_events", period=tickets.period, unit="tickets", value=-81, interval=fewer, n=9
        ),
        cost=None,
    )
    found = yearly_facts._finding(small_inputs, line)
    assert found.severity == severity and "−81 tickets against" in found.statement.plain()
    assert ("whether it was left out" in found.statement.plain()) == (severity == "info")
    assert "数据未能显示" not in found.statement.plain("zh") or severity == "info"
