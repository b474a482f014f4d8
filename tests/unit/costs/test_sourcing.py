"""Full cost of each option, where they break even, and how far that can be trusted."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from analysis.costs.sourcing import (
    CostLine,
    break_even_volume,
    break_evens_with_minimum,
    cost_at_swings,
    cost_line_from_history,
    crossings,
    fieller_interval,
    full_cost,
    peak_staffing,
    turnover_cost,
    within_volumes,
)
from analysis.errors import ContractError, FitError, ParameterError


def test_full_cost_counts_what_the_rate_card_leaves_out():
    parts = pd.DataFrame(
        [
            ("outsourced", "fee", Decimal("9000.00"), 1000),
            ("outsourced", "quality", Decimal("2500.00"), 1000),
            ("in_house", "wages", Decimal("15000.00"), 1500),
            ("in_house", "unused capacity", Decimal("1500.00"), 1500),
        ],
        columns=["option", "component", "cost", "tickets"],
    )
    table = full_cost(parts).set_index(["option", "component"])
    assert table.loc[("in_house", "total"), "cost"] == Decimal("16500.00")
    assert table.loc[("in_house", "total"), "per_ticket"] == 11.0
    assert table.loc[("outsourced", "total"), "per_ticket"] == 11.5
    with pytest.raises(ContractError, match="disagree on its tickets"):
        full_cost(parts.assign(tickets=[1, 2, 3, 3]))


def test_turnover_cost_by_hand():
    # 3 leavers × (8,000 to replace + half of 2 months at 5,000).
    cost = turnover_cost(3, replacement_cost=Decimal(8000), ramp_up_months=2, monthly_wage=Decimal(5000))
    assert cost == Decimal("39000.00")


def history(rng, fixed, rate, *, months=36, noise=300.0):
    tickets = pd.Series(rng.uniform(500, 1500, months))
    return fixed + rate * tickets + rng.normal(0, noise, months), tickets


def test_the_break_even_interval_holds_as_often_as_promised():
    inside = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        ours = cost_line_from_history(*history(rng, 8000.0, 4.0))
        theirs = cost_line_from_history(*history(rng, 1000.0, 11.0))
        found = break_even_volume(ours, theirs, confidence=0.95)
        assert found.cheaper_above == "in_house" and found.interval is not None
        inside.append(found.interval.low <= 1000.0 <= found.interval.high)
    assert np.mean(inside) >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 200)


def test_fieller_limits_are_where_the_test_just_fails():
    low, high = fieller_interval(7.0, 2.0, 0.9, 0.05, 0.1, confidence=0.95)
    for ratio in (low, high):
        assert (7 - ratio * 2) ** 2 == pytest.approx(
            1.959963985**2 * (0.9 - 2 * ratio * 0.1 + ratio**2 * 0.05)
        )
    assert low < 3.5 < high and high - 3.5 > 3.5 - low
    assert fieller_interval(7.0, 0.3, 0.9, 0.05, 0.0, confidence=0.95) is None


def test_an_unclear_difference_gives_no_interval_and_says_so():
    unsure = CostLine(fixed=8000, per_ticket=10.0, covariance=((1e4, 0.0), (0.0, 1.0)))
    found = break_even_volume(unsure, CostLine(fixed=1000, per_ticket=11.0), confidence=0.95)
    assert found.tickets == 7000 and found.interval is None and "no volume is excluded" in found.reason
    never = break_even_volume(
        CostLine(fixed=10, per_ticket=1), CostLine(fixed=20, per_ticket=2), confidence=0.95
    )
    assert never.tickets is None and never.cheaper_above == "in_house"
    assert never.reason == "the lines do not cross"


def test_a_minimum_and_steps_bend_the_line():
    contract = CostLine(fixed=0, per_ticket=10, minimum_tickets=100)
    assert contract.cost([50, 100, 150]).tolist() == [1000, 1000, 1500]
    team = CostLine(fixed=0, per_ticket=0, step_tickets=100, step_cost=900)
    assert team.cost([0, 1, 100, 101]).tolist() == [0, 900, 900, 1800]
    stretches = crossings(team, contract, up_to=300)
    # Team 900 up to 100, 1,800 to 200, 2,700 to 300; contract 1,000, then 10 a ticket.
    assert stretches.to_numpy().tolist() == [
        [0, 100, "in_house"],
        [101, 179, "outsourced"],
        [180, 200, "in_house"],
        [201, 269, "outsourced"],
        [270, 300, "in_house"],
    ]
    with pytest.raises(ParameterError, match="use `crossings`"):
        break_even_volume(team, contract, confidence=0.95)


def test_cost_of_an_option_at_swings_of_its_volume():
    table = cost_at_swings(CostLine(fixed=8000, per_ticket=4), tickets=1000, swings=[-0.3, 0.0, 0.3])
    assert table["tickets"].tolist() == pytest.approx([700, 1000, 1300])
    assert table["cost"].tolist() == pytest.approx([10800, 12000, 13200])
    assert (table["standard_error"] == 0).all()


def test_no_break_even_is_stated_beyond_the_volumes_at_which_both_were_seen():
    evens = (
        break_even_volume(
            CostLine(fixed=8000, per_ticket=4), CostLine(fixed=1000, per_ticket=11), confidence=0.95
        ),
    )
    assert [even.tickets for even in within_volumes(evens, 900, 1100)] == [1000]
    (beyond,) = within_volumes(evens, 200, 600)
    assert beyond.tickets is None and beyond.interval is None
    assert beyond.reason == "the lines cross beyond the volumes at which both were seen"
    (apart,) = within_volumes(evens, 1200, 600)
    assert apart.reason == "the two were never seen at the same volume"
    assert apart.cheaper_above == "in_house"


@pytest.mark.parametrize(
    ("own", "out", "cheaper"),
    [
        (CostLine(fixed=10, per_ticket=1), CostLine(fixed=20, per_ticket=2), "in-house"),
        (CostLine(fixed=20, per_ticket=2), CostLine(fixed=10, per_ticket=1), "outsourced"),
    ],
)
def test_lines_that_do_not_cross_name_the_cheaper_only_where_both_were_seen(
    own: CostLine, out: CostLine, cheaper: str
):
    evens = (break_even_volume(own, out, confidence=0.95),)
    (seen,) = within_volumes(evens, 900, 1100)
    assert seen.reason == f"by the cost lines {cheaper} is cheaper at every volume at which both were seen"
    (apart,) = within_volumes(evens, 981, 372)
    assert apart.tickets is None and apart.reason == "the two were never seen at the same volume"


def test_peak_staffing_by_hand():
    # 100, 100 and 300 hours; a person works 100 hours for 2,000; outside an hour costs 35. Two people: 12,000
    # + 3,500.
    table = peak_staffing(
        {"jan": 100, "feb": 100, "mar": 300},
        hours_per_head=100,
        cost_per_head=2000,
        outsourced_cost_per_hour=35,
    )
    assert table["cost"].tolist() == [17500, 13000, 15500, 18000]
    assert table["unused_hours"].tolist() == [0, 0, 200, 400]
    assert table.loc[table["best"], "headcount"].tolist() == [1]
    with pytest.raises(ParameterError, match="hours_per_head above zero"):
        peak_staffing({"jan": 1}, hours_per_head=0, cost_per_head=1, outsourced_cost_per_hour=1)


def test_history_that_cannot_tell_fixed_from_variable_is_refused():
    flat = pd.Series(np.full(12, 100.0))
    with pytest.raises(FitError, match="every month has the same tickets"):
        cost_line_from_history(flat * 3, flat)
    with pytest.raises(FitError, match="5 months; needs 8"):
        cost_line_from_history(flat[:5], flat[:5])


@pytest.mark.parametrize(
    ("own", "contract", "volumes"),
    [
        # 1,000 + 10 a ticket against 25 a ticket: 1,000 ÷ 15
        (CostLine(fixed=1000, per_ticket=10), CostLine(fixed=0, per_ticket=25), [1000 / 15]),
        # the same contract billing 200 at least costs 5,000 or more: in-house is cheaper at any volume
        (CostLine(fixed=1000, per_ticket=10), CostLine(fixed=0, per_ticket=25, minimum_tickets=200), []),
        # 10 a ticket against 1,000 + 5 a ticket, 100 at least: above the minimum, 1,000 ÷ 5
        (CostLine(fixed=0, per_ticket=10), CostLine(fixed=1000, per_ticket=5, minimum_tickets=100), [200.0]),
        # 400 at least make it 3,000 flat: 3,000 ÷ 10
        (CostLine(fixed=0, per_ticket=10), CostLine(fixed=1000, per_ticket=5, minimum_tickets=400), [300.0]),
        # 2,000 flat up to 200 and 20 a ticket from there: dearer in-house from 100, cheaper again from 300
        (
            CostLine(fixed=1000, per_ticket=10),
            CostLine(fixed=-2000, per_ticket=20, minimum_tickets=200),
            [100.0, 300.0],
        ),
    ],
)
def test_break_evens_of_a_contract_with_a_minimum(
    own: CostLine, contract: CostLine, volumes: list[float]
) -> None:
    found = [
        one.tickets
        for one in break_evens_with_minimum(own, contract, confidence=0.95)
        if one.tickets is not None
    ]
    assert found == pytest.approx(volumes)
    # counted ticket by ticket, the cheaper option changes at the same volumes
    assert [
        float(end) for end in crossings(own, contract, up_to=2000)["to_tickets"].iloc[:-1]
    ] == pytest.approx(volumes, abs=1)


def test_below_the_minimum_its_uncertainty_is_that_of_the_minimum() -> None:
    line = CostLine(fixed=100, per_ticket=5, covariance=((4.0, 0.5), (0.5, 0.25)), minimum_tickets=10)
    assert (
        float(line.cost(3)) == 150
        and float(line.variance(3)) == float(line.variance(10)) == 4 + 2 * 10 * 0.5 + 100 * 0.25
    )


# ---------------------------------------------------------------- who is charged with work that did not hold

# Own resolves A1, Partner resolves A2 and A3; what follows repeats them. A5 names its order, A4 and A6 only the machine, A7 nothing that is known.
TICKETS = """ticket_id,serial_no,ticket_type,opened_at,resolved_at,team,handling_hours,rework,parent_ticket_id
A1,S1,repair,2026-09-01T02:00:00,2026-09-02T02:00:00,Own,10,false,
A2,S2,repair,2026-09-03T02:00:00,2026-09-04T02:00:00,Partner,8,false,
A3,S3,repair,2026-09-03T02:00:00,2026-09-04T02:00:00,Partner,8,false,
A4,S1,repair,2026-10-01T02:00:00,2026-10-02T02:00:00,Own,2,true,
A5,,repair,2026-10-03T02:00:00,2026-10-04T02:00:00,Own,3,,A2
A6,S3,repair,2026-10-05T02:00:00,2026-10-06T02:00:00,Own,5,true,
A7,S9,repair,2026-10-07T02:00:00,2026-10-08T02:00:00,Partner,4,true,
A8,S1,repair,2026-10-20T02:00:00,2026-10-21T02:00:00,Partner,6,true,
"""
LEDGER = """posting_id,posted_on,category,amount,ticket_id,team,posting_basis
L1,2026-10-02,parts,11.00,A4,,incurred
L2,2026-10-04,parts,23.00,A5,,incurred
L3,2026-10-04,labour,500.00,A5,,incurred
L4,2026-10-06,logistics,47.00,A6,,incurred
L5,2026-10-08,parts,95.00,A7,,incurred
L6,2026-10-21,parts,191.00,A8,,incurred
L7,2026-10-21,outsourcing,60.00,A8,,incurred
L8,2026-10-31,outsourcing,40.00,A7,,incurred
"""
STAFF = """agent_id,month,team,sourcing,hours_paid,hours_worked,cost
N1,2026-10-01,Own,in_house,20,10,1000.00
P1,2026-10-01,Partner,outsourced,,,
"""


@pytest.mark.parametrize("hours", [True, False], ids=["hours", "no hours"])
def test_whoever_did_the_work_that_did_not_hold_is_charged_with_repeating_it(hours, company, inputs_of):
    """Own repeats its own A1 and the partner's A2 and A3; the partner repeats own work (A4, the last on S1) and work nobody knows."""
    from analysis.costs.sourcing_facts import field_work
    from analysis.metrics import Period
    from analysis.periods import Month

    tickets = (
        TICKETS
        if hours
        else "\n".join(
            ",".join(cell for place, cell in enumerate(line.split(",")) if place != 6)
            for line in TICKETS.splitlines()
        )
    )
    for name, text in (("tickets", tickets), ("ledger", LEDGER), ("staff", STAFF)):
        (company / f"{name}.csv").write_text(text)
    inputs = inputs_of(company)
    month = Month(2026, 10)
    found = inputs.engine.query(field_work(inputs, Period(month, month))).set_index("sourcing")
    # direct cost: labour and fees apart; A7 stays with who did it
    assert found["quality"].to_dict() == {"in_house": 11 + 191, "outsourced": 23 + 47 + 95}
    # own pay of 1,000 for 10 hours (3 tickets), 8 of them (2) on the partner's work; fees of 100 for 10 hours (2 tickets), 6 of them (1) on own work
    charged = {"in_house": 800.0, "outsourced": 60.0} if hours else {"in_house": 2000 / 3, "outsourced": 50.0}
    assert found["repeats"].to_dict() == pytest.approx(charged)
    assert found["repairs"].sum() == found["tickets"].sum() == 5
