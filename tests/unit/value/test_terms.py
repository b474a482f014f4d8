"""Terms of several lengths in one company: fitted, grown and valued apart; who has left is no customer of today, and costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from analysis.metrics import StudyInputs
from analysis.value import customer_table, purchase_models, renewal_models, views
from analysis.value.settings import ValueSettings, load_settings, settings_of

Inputs = Callable[..., StudyInputs]
study = import_module("analysis.value.study")  # the package's own name of it is the function
HEAD = "contract_id,term_no,customer_id,kind,starts_on,ends_on,renewed,cancelled_on,amount"


@pytest.fixture
def settings() -> ValueSettings:
    return load_settings()


def renewing(length: int, leave: float, growth: float = 0.0) -> renewal_models.Renewing:
    """A company that sells one length of term, of which a constant share is lost at each renewal."""
    model = renewal_models.ConstantRenewal(
        alpha=leave * 1e7,
        beta=(1 - leave) * 1e7,
        log_likelihood=0.0,
        fit=renewal_models.ConstantFit(log_covariance=np.zeros((2, 2))),
    )
    return renewal_models.Renewing(
        terms={"subscription": renewal_models.Terms(kind="subscription", length=length)},
        models={"subscription": model},
        by_type=(),
        tests=(),
        counts=pd.DataFrame(),
        expansion={},
        renewals={},
        unseen=0,
        growth={"subscription": growth},
    )


def valued(known: renewal_models.Renewing, months: int, rate: float = 0.0, **running: int) -> pd.Series:
    frame = pd.DataFrame({"kind": ["subscription"], "customer_type": "b2b", "renewals": 3} | running)
    return renewal_models.factors(frame, known, months=months, rate=rate).iloc[0]


# -- laws --------------------------------------------------------------------------------------------------------------


@examples(deadline=None)
@given(
    term=st.integers(1, 60),
    sold_for=st.sampled_from([1, 3, 12, 24]),
    horizon=st.integers(3, 72),
    data=st.data(),
)
def test_renewals_bring_no_more_than_the_horizon_holds(
    term: int, sold_for: int, horizon: int, data: st.DataObject
):
    ahead = data.draw(st.integers(0, term - 1))
    sure = valued(renewing(sold_for, 1e-9), horizon, ahead=ahead, term_months=term)
    # all renewed at today's amount: at most a year's contract value for every year, and a year's in the next
    assert sure["terms"] * term / 12 <= horizon / 12 * (1 + 1e-6)
    assert sure["next_12m"] * term / 12 <= 1 + 1e-6
    assert sure["held"] == pytest.approx(horizon / 12, rel=1e-6)
    lossy = valued(renewing(sold_for, 0.2), horizon, 0.08, ahead=ahead, term_months=term)
    assert 0 <= lossy["terms"] <= sure["terms"] and lossy["held"] <= sure["held"] and lossy["held_12m"] <= 1


@examples(deadline=None)
@given(ahead=st.integers(0, 11), growth=st.floats(0, 0.1), leave=st.floats(0.01, 0.5))
def test_a_month_is_a_twelfth_of_a_year(ahead: int, growth: float, leave: float):
    # monthly terms priced by what is known of yearly ones: after twelve renewals they stand where a yearly one stands after one
    yearly = renewing(12, leave, growth)
    month = valued(yearly, 36, ahead=0, term_months=1)
    year = valued(yearly, 36, ahead=ahead, term_months=12)
    assert month["stay_12m"] == pytest.approx(1 - leave, rel=1e-6)
    assert month["renew"] == pytest.approx((1 - leave) ** (1 / 12), rel=1e-6)
    assert month["terms"] / 12 <= sum((1 + growth) ** (k / 12) for k in range(1, 37)) / 12
    assert year["terms"] == pytest.approx(sum(((1 + growth) * (1 - leave)) ** k for k in (1, 2, 3)), rel=1e-6)


def test_growth_beyond_the_limit_of_a_year_is_carried_at_no_length():
    for months in (1, 3, 12, 24):
        assert (1 + renewal_models.carried(0.5, months, 0.1)) ** (12 / months) == pytest.approx(1.1)
        assert (1 + renewal_models.carried(-0.9, months, 0.1)) ** (12 / months) == pytest.approx(0.9)
    assert renewal_models.carried(0.003, 1, 0.1) == 0.003


# -- recovery ----------------------------------------------------------------------------------------------------------


def plant(
    company: Path, monthly: int, yearly: int, *, stay: dict[int, float], rise: dict[int, float]
) -> None:
    """Contracts that began in three years; each is renewed and grows as planted for the length of its terms. One of half a year stands among them."""
    generator, lines, end = np.random.default_rng(7), [HEAD], pd.Timestamp("2026-11-01")
    for number in range(monthly + yearly):
        months = 1 if number < monthly else 12
        starts = pd.Timestamp("2022-01-01") + pd.DateOffset(months=int(generator.integers(0, 40)))
        amount, term = 100.0 * (1 if months == 1 else 10), 1
        while starts < end:
            due = starts + pd.DateOffset(months=months)
            last = (due - pd.Timedelta(days=1)).date()
            lines.append(f"K{number},{term},C{number},subscription,{starts.date()},{last},,,{amount:.2f}")
            if generator.random() > stay[months]:
                break
            starts, amount, term = due, amount * (1 + rise[months]), term + 1
    lines.append("X,1,C0,subscription,2026-06-01,2026-11-30,,,100.00")
    (company / "contracts.csv").write_text("\n".join(lines) + "\n")
    names = "\n".join(f"C{number},b2b,North" for number in range(1, monthly + yearly + 1))
    (company / "customers.csv").write_text(f"customer_id,customer_type,region\nC0,b2b,North\n{names}\n")


def test_planted_rates_of_months_and_years_are_found_apart(
    company: Path, inputs_of: Inputs, settings: ValueSettings
):
    stay, rise = {1: 0.97, 12: 0.80}, {1: 0.002, 12: 0.06}
    plant(company, 400, 600, stay=stay, rise=rise)
    inputs = inputs_of(company)
    found = renewal_models.fitted_at(inputs, inputs.month.end, settings)
    assert set(found.terms) == {"subscription/1", "subscription/12"}
    for months in (1, 12):
        name = f"subscription/{months}"
        model = found.models[name]
        assert model.beta / (model.alpha + model.beta) == pytest.approx(stay[months], abs=0.03)
        assert found.expansion[name] == pytest.approx(rise[months], abs=1e-4)
    # a year of monthly terms is lost by 1 - 0.97^12, not by what a year's renewal loses
    month = valued(replace(found, by_type=()), 36, ahead=0, term_months=1)
    assert month["stay_12m"] == pytest.approx(0.97**12, abs=0.06)


def test_yearly_terms_only_are_named_as_before(company: Path, inputs_of: Inputs, settings: ValueSettings):
    plant(company, 0, 600, stay={12: 0.8}, rise={12: 0.06})
    inputs = inputs_of(company)
    found = renewal_models.fitted_at(inputs, inputs.month.end, settings)
    assert list(found.terms) == ["subscription"] and found.terms["subscription"].length == 12
    # the contract of half a year has too few losses for a model of its own and changes none
    nearest = found.nearest("subscription", 6)
    assert nearest is not None and nearest.length == 12 and found.nearest("maintenance", 12) is None


def test_who_goes_over_to_years_begins_to_renew_years(company: Path, inputs_of: Inputs):
    (company / "contracts.csv").write_text(
        f"""{HEAD}
K1,1,C1,subscription,2025-06-01,2025-06-30,,,10.00
K1,2,C1,subscription,2025-07-01,2025-07-31,,,10.00
K1,3,C1,subscription,2025-08-01,2026-07-31,,,100.00
K1,4,C1,subscription,2026-08-01,2027-07-31,,,110.00
"""
    )
    inputs = inputs_of(company)
    counts = inputs.engine.query(views.renewals(inputs.month.end))
    lines = counts.set_index("length")[["renewals", "outcome", "seen"]].to_dict("index")
    assert lines == {
        1: {"renewals": 2, "outcome": "running", "seen": True},
        12: {"renewals": 1, "outcome": "running", "seen": True},
    }
    grown = inputs.engine.query(views.expansion(inputs.month.end)).set_index("length")
    # 10 to 10 a month and 100 to 110 a year; ten times a month's amount is no growth
    assert grown["renewals"].to_dict() == {1: 1, 12: 1}
    assert (grown["after"].astype(float) / grown["before"].astype(float)).to_dict() == pytest.approx(
        {1: 1.0, 12: 1.1}
    )
    running = inputs.engine.query(views.running_contracts(inputs.month.end)).iloc[0]
    assert (running["renewals"], running["term_months"], running["ahead"]) == (1, 12, 9)


def test_lengths_near_the_one_that_is_sold_count_as_it(inputs_of: Inputs, company: Path):
    values = " UNION ALL ".join(f"SELECT {n} AS term_months" for n in (1, 2, 3, 6, 11, 12, 13, 18, 24, 35))
    inputs = inputs_of(company)
    sql = f"SELECT term_months, {views.term_length('term_months')} AS length FROM ({values}) v ORDER BY 1"
    assert inputs.engine.query(sql)["length"].tolist() == [1, 2, 3, 6, 12, 12, 12, 18, 24, 36]


# -- who is a customer of today ------------------------------------------------------------------------------------------

CUSTOMERS = """customer_id,customer_type,region,acquired_on,churned_on
stays,b2b,North,2023-01-01,
lapsed,b2b,North,2023-01-01,
told,b2b,North,2023-01-01,2026-05-10
back,b2b,North,2023-01-01,2026-05-10
buyer,b2b,North,2023-01-01,
gone,b2b,North,2023-01-01,2026-05-10
"""
LIVES = f"""{HEAD}
K1,1,stays,subscription,2026-01-01,2026-12-31,,,120.00
K2,1,lapsed,subscription,2025-01-01,2025-12-31,false,,120.00
K3,1,told,subscription,2026-01-01,2026-12-31,,,120.00
K4,1,back,subscription,2025-06-01,2026-05-31,,,120.00
"""
BOUGHT = """order_id,line_no,customer_id,product_id,ordered_at,order_type,revenue,gross_margin
A1,1,lapsed,P1,2025-02-01T02:00:00,upgrade,100.00,40.00
A2,1,back,P1,2026-08-01T02:00:00,upgrade,100.00,40.00
A3,1,buyer,P1,2024-02-01T02:00:00,upgrade,100.00,40.00
A4,1,gone,P1,2024-02-01T02:00:00,upgrade,100.00,40.00
"""


@pytest.mark.parametrize("machines", [False, True])
def test_who_has_left_is_a_customer_only_for_what_still_needs_service(
    company: Path, inputs_of: Inputs, settings: ValueSettings, *, machines: bool
):
    for name, text in (("customers", CUSTOMERS), ("contracts", LIVES), ("orders", BOUGHT)):
        (company / f"{name}.csv").write_text(text)
    inputs = inputs_of(company)
    available = replace(customer_table.Available.of(inputs), machines=machines)
    state = customer_table.state_at(inputs, settings, available, inputs.month.end)
    of = {
        name: set(inputs.engine.query(f"SELECT customer_id FROM {table}")["customer_id"])
        for name, table in (("everyone", state.everyone), ("today", state.customers))
    }
    assert of["everyone"] == {"stays", "lapsed", "told", "back", "buyer", "gone"}
    # a contract that ended, and the company's word, end it; a purchase after that begins again; a buyer without either is there with its chance
    assert of["today"] == (of["everyone"] if machines else {"stays", "back", "buyer"})


def test_service_ends_with_the_contract():
    # a year's terms due in six months, half of them lost: six months for sure, then half, then a quarter, over two years
    held = valued(renewing(12, 0.5), 24, ahead=6, term_months=12)
    assert held["held"] == pytest.approx(0.5 + 0.5 + 0.25 / 2) and held["held_12m"] == pytest.approx(
        0.5 + 0.25
    )
    # what has no model is not renewed
    frame = pd.DataFrame(
        {"kind": ["maintenance"], "customer_type": "b2b", "renewals": 0, "ahead": 6, "term_months": 12}
    )
    assert renewal_models.factors(frame, renewing(12, 0.5), months=24, rate=0.0)["held"][0] == pytest.approx(
        0.5
    )


def test_a_buyer_costs_as_long_as_it_is_likely_there():
    from analysis import stats

    x, recency, age = ([0, 1, 2, 6, 12, 1] * 8, [0, 4, 10, 38, 39, 30] * 8, [39] * 48)
    model = stats.fit_bgnbd(x, recency, age, unit="weeks")
    part = [
        np.array([3.0, 3.0]),
        np.array([95.0, 20.0]),
        np.array([100.0, 100.0]),
    ]  # the second is silent since week 20
    held = model.probability_alive(*part) * purchase_models._held(model, part, 36, 0.0)
    assert np.all(held > 0) and np.all(held < 3) and held[0] > held[1]


# -- what is not known is not nothing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"service": False}, "not computed: needs ledger.ticket_id"),
        ({}, "not counted: the basis is before service cost"),
    ],
)
def test_a_cost_that_is_not_counted_is_no_zero_and_parts_nobody(
    sampled: StudyInputs, changes: dict[str, bool], reason: str
):
    settings = replace(load_settings(), basis="gross_margin")
    available = replace(customer_table.Available.of(sampled), **changes)
    known = study.learn(sampled, settings, available)
    priced = study.price(sampled, settings, available, known)
    whole = study._portfolio(sampled, settings, priced)
    assert whole.parts["service"].value is None and str(whole.parts["service"].reason.en) == reason
    assert whole.service_share.value is None and whole.total.value == sum(
        whole.parts[name].value for name in ("purchases", "contract")
    )
    grid = study._investment(sampled, settings, priced)
    assert grid.service_limit.value is None and grid.services == (None,)
    assert {place for _, _, place in grid.cells} == {None} and len(grid.cells) == 6
    assert all(
        cell.cost.value is None and "service" not in cell.value.dimensions for cell in grid.cells.values()
    )
    assert sum(cell.customers.value for cell in grid.cells.values()) == whole.customers.value
    assert sum(cell.value.value for cell in grid.cells.values()) == whole.total.value
    for unknown in (grid.often, grid.below):
        assert unknown.customers.value is None and unknown.rows.empty
    assert grid.at_risk.customers.value and grid.at_risk.cost.value is None


def test_a_limit_of_zero_parts_nobody(sampled: StudyInputs):
    settings = load_settings()
    available = customer_table.Available.of(sampled)
    priced = study.price(sampled, settings, available, study.learn(sampled, settings, available))
    # at the lowest quantile the limit is what the cheapest customer cost: nothing
    free = study._investment(sampled, replace(settings, service_quantile=0.01), priced)
    assert free.service_limit.value == 0 and free.services == (None,)
    usual = study._investment(sampled, settings, priced)
    assert usual.service_limit.value and usual.services == ("high", "low") and len(usual.cells) == 12


def test_contracts_that_are_compared_with_another_month_have_its_models(sampled: StudyInputs):
    """A kind with too few losses has no model of its own month; held against a month that has one it is fitted all the same."""
    settings = settings_of(sampled)
    now = renewal_models.fitted_at(sampled, sampled.month.end, settings)
    assert now.terms
    strict = replace(settings, fewest_losses=10**6)
    assert not renewal_models.fitted_at(sampled, sampled.month.start, strict).terms
    then = renewal_models.fitted_at(sampled, sampled.month.start, strict, tuple(now.terms.values()))
    assert then.terms == now.terms and set(then.models) >= set(now.terms)
