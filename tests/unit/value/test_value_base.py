from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import value
from analysis.errors import FitError
from analysis.locale import Text
from analysis.metrics import NotDone, StudyInputs
from analysis.results import Check
from analysis.sample import make_sample
from analysis.value import customer_table, model_facts, purchase_models, renewal_models, views
from analysis.value.base import ValueBase
from analysis.value.change import CUSTOMER_STEPS, ValueChange, steps_of
from analysis.value.model_facts import Modelling
from analysis.value.portfolio import Portfolio, top_share
from analysis.value.results import ValueStudy
from analysis.value.settings import ValueSettings, load_settings

Inputs = Callable[..., StudyInputs]


@pytest.fixture
def settings() -> ValueSettings:
    return load_settings()


@pytest.fixture(autouse=True)
def without_the_other_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """Effects and what-ifs have tests of their own; notebook 40 keeps the findings of all of it."""

    def left_out(*_: object) -> None:
        raise FitError("left out")

    monkeypatch.setattr("analysis.value.effects.service_effects", left_out)
    monkeypatch.setattr("analysis.value.scenarios.what_ifs", left_out)


# -- what is read off the tables, by hand ------------------------------------------------------------------------------

ORDERS = """order_id,line_no,customer_id,product_id,ordered_at,order_type,revenue,gross_margin
A1,1,C1,P1,2026-01-01T02:00:00,product,100.00,40.00
A2,1,C1,P1,2026-01-01T10:00:00,upgrade,50.00,20.00
A3,1,C1,P1,2026-01-09T16:00:00,product,300.00,90.00
A3,2,C1,P1,2026-02-01T02:00:00,product,-30.00,-30.00
A4,1,C1,P1,2026-03-01T02:00:00,paid_repair,80.00,10.00
A5,1,C1,P1,2026-03-01T02:00:00,premium_service,500.00,250.00
A6,1,C2,P2,2026-10-31T15:59:00,product,1000.00,350.00
A7,1,C2,P2,2026-10-31T16:00:00,product,99.00,35.00
"""


def test_purchases_by_hand(company: Path, inputs_of: Inputs, settings: ValueSettings):
    (company / "orders.csv").write_text(ORDERS)
    inputs = inputs_of(company)
    found = inputs.engine.query(
        f"SELECT * FROM {purchase_models.purchases_at(inputs, inputs.month.end, settings.purchase_types)} ORDER BY customer_id"
    )
    first, second = found.iloc[0], found.iloc[1]
    # C1: two orders of 1 January are one purchase of 150; the next is 10 January in Shanghai (16:00 UTC on the 9th), nine days later: two weeks, rounded
    # up. A refund, a paid repair and a bill of a contract are no purchases. Until 31 October: 303 days, 44 weeks.
    assert (first["x"], first["recency"], first["age"], first["merged"]) == (1, 2, 44, 1)
    assert (first["mean_spend"], first["first_spend"]) == (225.0, 150.0)
    # C2 bought on the last day of October; the order one minute later is November's.
    assert (second["x"], second["recency"], second["age"], second["mean_spend"]) == (0, 0, 0, 1000.0)
    shares = inputs.engine.query(views.margin_shares(inputs.month.end, settings.purchase_types))
    # 40 + 20 + 90 - 30 of margin on 450 of revenue before the refund
    assert float(shares.set_index("grp").loc["b2c", "margin"]) / float(
        shares.set_index("grp").loc["b2c", "revenue"]
    ) == pytest.approx(120 / 450)


def test_service_cost_by_hand(company: Path, inputs_of: Inputs, settings: ValueSettings):
    (company / "orders.csv").write_text(ORDERS)
    inputs = inputs_of(company)
    found = inputs.engine.query(
        views.service_costs(
            inputs.month.end, (*settings.purchase_types, *settings.contract_types), margin=True
        )
    ).set_index("customer_id")
    # L1 and L8 of C1; L3 and the recovery L6 of C2. Accruals and postings without a ticket are nobody's. The paid repair of C1 brought 10.
    assert (found.loc["C1", "cost_12m"], found.loc["C1", "paid_12m"]) == (pytest.approx(199.9), 10.0)
    assert found.loc["C2", "cost_12m"] == pytest.approx(220.0)
    # T1, T2, T5 of C1; the cancelled T6 is none
    assert (found.loc["C1", "orders_12m"], found.loc["C2", "orders_12m"]) == (3, 2)


CONTRACTS = """contract_id,term_no,customer_id,kind,starts_on,ends_on,renewed,cancelled_on,amount
K1,1,C1,subscription,2023-12-01,2024-11-30,true,,100.00
K1,2,C1,subscription,2024-12-01,2025-11-30,true,,110.00
K1,3,C1,subscription,2025-12-01,2026-11-30,,,121.00
K2,1,C2,subscription,2025-06-01,2026-05-31,false,,100.00
K3,1,C1,subscription,2026-02-01,2027-01-31,,2026-06-30,100.00
K4,2,C2,maintenance,2025-12-01,2026-11-30,,,100.00
K5,1,C2,subscription,2025-11-01,2026-10-31,,,100.00
"""


def test_renewals_by_hand(company: Path, inputs_of: Inputs):
    (company / "contracts.csv").write_text(CONTRACTS)
    inputs = inputs_of(company)
    found = inputs.engine.query(views.renewals(inputs.month.end))
    lines = found.groupby(["kind", "renewals", "outcome", "seen"])["contracts"].sum().to_dict()
    # K1 runs after two renewals; K2 lapsed at the first; K3 was cancelled in a term whose renewal is not due, and K5 ends on the last day: neither is a loss yet;
    # the first term of K4 is not in the data.
    assert lines == {
        ("subscription", 2, "running", True): 1,
        ("subscription", 0, "lost", True): 1,
        ("subscription", 0, "running", True): 2,
        ("maintenance", 1, "running", False): 1,
    }
    running = inputs.engine.query(views.running_contracts(inputs.month.end)).set_index("contract_id")
    assert sorted(running.index) == ["K1", "K4", "K5"]  # a cancelled contract brings nothing more
    assert (
        running.loc["K1", "renewals"],
        running.loc["K1", "ahead"],
        running.loc["K1", "term_months"],
        running.loc["K1", "amount"],
    ) == (2, 1, 12, 121.0)
    grown = inputs.engine.query(views.expansion(inputs.month.end)).set_index("kind")
    assert float(grown.loc["subscription", "after"] / grown.loc["subscription", "before"]) == pytest.approx(
        1.1
    )


# -- contracts ---------------------------------------------------------------------------------------------------------


def test_histories_become_the_counts_of_the_published_model():
    # A cohort of 100: 40 leave at the first renewal, 12 at the second, 48 are still there after two.
    counts = pd.DataFrame(
        [(0, "lost", 40), (1, "lost", 12), (2, "running", 48)], columns=["renewals", "outcome", "contracts"]
    )
    from analysis import stats

    apart, together = stats.fit_sbg(renewal_models.histories(counts)), stats.fit_sbg([100, 60, 48])
    assert (apart.alpha, apart.beta, apart.log_likelihood) == pytest.approx(
        (together.alpha, together.beta, together.log_likelihood)
    )


def test_customers_who_do_not_differ_get_one_chance():
    counts = pd.DataFrame(
        [(0, "lost", 1000), (1, "lost", 800), (2, "lost", 640), (3, "running", 2560)],
        columns=["renewals", "outcome", "contracts"],
    )
    found = renewal_models._fit(counts)
    assert isinstance(found, renewal_models.ConstantRenewal)
    # (1000 + 800 + 640) of (5000 + 4000 + 3200) renewals missed
    assert found.alpha / (found.alpha + found.beta) == pytest.approx(0.2)
    n = 12200
    assert found.fit.log_covariance[0, 0] == pytest.approx(1 / (n * 0.2 * 0.8))


def test_residual_value_of_a_contract_by_hand():
    even = renewal_models.ConstantRenewal(
        alpha=1e7,
        beta=1e7,
        log_likelihood=0.0,
        fit=renewal_models.ConstantFit(log_covariance=np.zeros((2, 2))),
    )
    known = renewal_models.Renewing(
        terms={"subscription": renewal_models.Terms(kind="subscription", length=12)},
        models={"subscription": even},
        by_type=(),
        tests=(),
        counts=pd.DataFrame(),
        expansion={},
        renewals={},
        unseen=0,
    )
    running = pd.DataFrame(
        {
            "kind": ["subscription", "extended_warranty"],
            "customer_type": "b2c",
            "renewals": 1,
            "ahead": 6,
            "term_months": 12,
        }
    )
    found = renewal_models.factors(running, known, months=36, rate=0.0)
    # renewals at 6, 18 and 30 months, each made with chance one half: 1/2 + 1/4 + 1/8; within a year only the first
    assert (
        found["terms"][0] == pytest.approx(0.875)
        and found["next_12m"][0] == pytest.approx(0.5)
        and found["renew"][0] == pytest.approx(0.5)
    )
    assert found["terms"][1] == 0.0  # an extended warranty runs out
    discounted = renewal_models.factors(running, known, months=36, rate=0.1)
    assert discounted["terms"][0] == pytest.approx(
        sum(0.5 ** (k + 1) * 1.1 ** (-(6 + 12 * k) / 12) for k in range(3))
    )
    grown = renewal_models.factors(running, replace(known, growth={"subscription": 0.1}), months=36, rate=0.0)
    assert grown["terms"][0] == pytest.approx(0.5 * 1.1 + 0.25 * 1.21 + 0.125 * 1.331)


@pytest.mark.parametrize("which", ["alpha", "beta"])
def test_slopes_of_residual_value_are_derivatives(which: str):
    from analysis import stats

    model = stats.fit_sbg([1000, 700, 550, 470])
    running = pd.DataFrame(
        {"kind": ["maintenance"], "customer_type": "b2b", "renewals": 1, "ahead": 3, "term_months": 12}
    )

    def terms(one: object) -> pd.DataFrame:
        return renewal_models.factors(
            running,
            renewal_models.Renewing(
                terms={"maintenance": renewal_models.Terms(kind="maintenance", length=12)},
                models={"maintenance": one},
                by_type=(),
                tests=(),
                counts=pd.DataFrame(),
                expansion={},
                renewals={},
                unseen=0,
            ),
            months=48,
            rate=0.05,
        )

    moved = replace(model, **{which: getattr(model, which) * np.exp(0.01)})
    back = replace(model, **{which: getattr(model, which) * np.exp(-0.01)})
    slope = (terms(moved)["terms"][0] - terms(back)["terms"][0]) / 0.02
    assert terms(model)["e0" if which == "alpha" else "e1"][0] == pytest.approx(slope, rel=2e-3)


# -- laws --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_steps_explain_the_whole_change_to_the_cent(seed: int):
    generator = np.random.default_rng(seed)
    before, refitted, after = (
        Decimal(int(cents)) / 100 for cents in generator.integers(-(10**12), 10**12, 3)
    )
    changes = {
        name: Decimal(int(cents)) / 100
        for name, cents in zip(CUSTOMER_STEPS, generator.integers(-(10**10), 10**10, 4), strict=True)
    }
    steps = steps_of(before, changes, refitted, after)
    assert before + sum(steps.values()) == after
    assert {name: steps[name] for name in changes} == changes
    # assumptions that did not change explain nothing, whatever the model came to think
    assert steps_of(before, changes, refitted, refitted)["assumptions"] == 0


def test_top_share_by_hand():
    # Ten customers, the best holds 91 of 100: the top tenth is that one. With twenty, two.
    assert top_share(np.ones(10), np.array([1.0] * 9 + [91.0])) == pytest.approx(0.91)
    assert top_share(np.ones(20), np.array([1.0] * 18 + [41.0, 41.0])) == pytest.approx(0.82)
    assert top_share(np.array([4.0]), np.array([8.0])) == pytest.approx(0.1)  # all alike
    # those who cost more than they bring leave more than everything to the others
    assert top_share(np.ones(10), np.array([-10.0] + [10.0] * 8 + [30.0])) == pytest.approx(0.3)


def test_a_steady_cost_is_discounted_by_the_month():
    assert customer_table.annuity(36, 0.0) == pytest.approx(3.0)
    assert customer_table.annuity(12, 0.1) == pytest.approx(
        sum(1.1 ** (-(m + 0.5) / 12) for m in range(12)) / 12
    )


def test_expected_service_cost_regresses_to_the_mean_by_what_carries_over():
    # Two customers, years (z, y): (0, 2), (4, 4). Slope of y on z 1/2; mean of y 3.
    moments = pd.DataFrame(
        [
            {
                "grp": "b2c",
                "n": 2,
                "y": 6.0,
                "yy": 20.0,
                "n2": 2,
                "y2": 6.0,
                "z2": 4.0,
                "zz2": 16.0,
                "yz2": 16.0,
            }
        ]
    )
    mean, error, carry = customer_table._service(moments)["b2c"]
    assert (mean, carry) == (3.0, 0.5) and error == pytest.approx(np.sqrt(1.0 / 2))


# -- the whole study on a sample ---------------------------------------------------------------------------------------


def test_study_of_a_sample(sampled: StudyInputs, studied: ValueStudy):
    inputs, study = sampled, studied
    assert (
        isinstance(study.base, ValueBase)
        and isinstance(study.portfolio, Portfolio)
        and isinstance(study.change, ValueChange)
    )
    rows = inputs.engine.query(
        f"SELECT count(*) AS n, count(DISTINCT customer_id) AS different, sum(CAST(clv AS DECIMAL(18, 2))) AS clv, count(*) FILTER (WHERE abs(clv - (clv_purchases + clv_contract - clv_service)) > 0.006) AS torn FROM {study.base.table}"
    ).iloc[0]
    assert rows["n"] == rows["different"] == study.base.customers and rows["torn"] == 0
    assert rows["clv"] == study.portfolio.total.value
    # every slice adds up to the whole, and so do the parts, to the cent
    for dimension, lines in study.portfolio.by.items():
        assert sum(Decimal(line.total.value or 0) for line in lines) == study.portfolio.total.value, dimension
    assert (
        sum(Decimal(part.value or 0) for part in study.portfolio.parts.values())
        == study.portfolio.total.value
    )
    assert (
        sum(int(cell.customers.value or 0) for cell in study.investment.cells.values())
        == study.base.customers
    )  # type: ignore[union-attr]
    # last month's value and the steps of its change reach this month's
    reached = Decimal(study.change.before.value or 0) + sum(
        Decimal(step.value or 0) for step in study.change.steps.values()
    )
    assert reached == study.portfolio.total.value
    assert study.change.steps["assumptions"].value == 0  # the rate holds from January to January
    assert {line.value: line.customers.value for line in study.portfolio.by["tier"]}[
        "top"
    ] == study.base.customers // 10
    assert study.portfolio.total.interval is not None and study.base.relative_error > 0


def test_the_same_twice_and_a_changed_discount_rate_is_no_growth(opened: Inputs):
    # The sample's rate falls in January 2026: value rises by assumption alone.
    found, again = (value.study(opened("2026-01")) for _ in range(2))
    change = found.change
    assert isinstance(change, ValueChange) and change.rates == (0.085, 0.078)
    assert float(change.steps["assumptions"].value or 0) > 0
    assert sum(Decimal(change.steps[name].value or 0) for name in CUSTOMER_STEPS) == change.by_customers.value
    # two runs agree to the last digit of every fact of every finding
    assert [fact.as_json() for finding in again.findings for fact in finding.facts()] == [
        fact.as_json() for finding in found.findings for fact in finding.facts()
    ]


def test_a_refit_is_not_growth_and_errors_are_those_of_the_parameters(
    sampled: StudyInputs, settings: ValueSettings
):
    inputs = sampled
    available = customer_table.Available.of(inputs)
    choice = purchase_models.Choice(model="bg_nbd", grouping="customer_type", candidates=(), holdout=None)
    state = customer_table.state_at(inputs, settings, available, inputs.month.end)
    parameters = customer_table.parameters_at(inputs, settings, available, state, choice)

    def table(name: str, given: customer_table.Parameters, **options: bool) -> str:
        return customer_table.priced(
            inputs, settings, state, given, name=name, months=36, rate=0.08, **options
        )

    first = table("first", parameters, derivatives=True)
    compared = views.compared(first, first)
    frame = inputs.engine.query(views.change(str(compared)))
    assert set(frame["step"]) == {"unchanged"} and float(frame["change"].sum()) == 0
    # a tenth more margin is a tenth more value of purchases, for every customer: it is the model's, not the customers'
    richer = table(
        "richer", replace(parameters, shares={name: 1.1 * share for name, share in parameters.shares.items()})
    )
    totals = [
        inputs.engine.query(f"SELECT CAST(sum(clv_purchases) AS DOUBLE) AS v FROM {one}")["v"][0]
        for one in (first, richer)
    ]
    assert totals[1] == pytest.approx(1.1 * totals[0], rel=1e-6)
    # the slopes behind the intervals, against moving one parameter and pricing again
    sums = inputs.engine.query(
        f"SELECT CAST(sum(v1) FILTER (WHERE b_grp = 'b2b') AS DOUBLE) AS alpha, CAST(sum(g1) FILTER (WHERE s_grp = 'b2b') AS DOUBLE) AS q, CAST(sum(clv) AS DOUBLE) AS v FROM {first}"
    ).iloc[0]
    step, model, spend = 0.01, parameters.buying.models["b2b"], parameters.spend["b2b"]
    slower = replace(
        parameters,
        buying=replace(
            parameters.buying,
            models={**parameters.buying.models, "b2b": replace(model, alpha=model.alpha * np.exp(step))},
        ),
    )
    alike = replace(parameters, spend={**parameters.spend, "b2b": replace(spend, q=spend.q * np.exp(step))})
    for name, moved in (("alpha", slower), ("q", alike)):
        after = inputs.engine.query(
            f"SELECT CAST(sum(clv) AS DOUBLE) AS v FROM {table(f'moved_{name}', moved)}"
        )["v"][0]
        assert (after - sums["v"]) / step == pytest.approx(sums[name], rel=0.03)


@pytest.mark.slow
def test_planted_models_are_recovered_and_nothing_alarms(
    inputs_of: Inputs, tmp_path: Path, settings: ValueSettings
):
    truth = make_sample(tmp_path / "null", seed=3, scale=0.2, null=True, blemishes=False)
    inputs = inputs_of(tmp_path / "null")
    sheet = truth.truths["buy_till_you_die"]
    table = purchase_models.purchases_at(inputs, inputs.month.end, ("product",))
    models = purchase_models.fit_groups(
        inputs.engine.query(views.patterns(table, "customer_type")), "bg_nbd", 300
    )
    spend = customer_table._spend(inputs, table, settings.smallest_group)
    for group in ("b2b", "b2c"):
        for fit, names in (
            (models[group].fit, ("r", "alpha", "a", "b")),
            (spend[group].fit, ("p", "q", "v")),
        ):
            for name in names:
                low, high = fit.interval(name, level=0.999)
                assert low <= sheet[group][name] <= high, (group, name)
    contracts = renewal_models.fitted_at(inputs, inputs.month.end, settings).models["maintenance"]
    renewal = truth.truths["contract_renewal"]
    for name in ("alpha", "beta"):
        low, high = contracts.fit.interval(name, level=0.999)
        assert low <= renewal[name] <= high
    study = value.study(inputs)
    assert not [finding for finding in study.findings if finding.severity == "alert"]
    assert (
        isinstance(study.modelling, model_facts.Modelling) and study.modelling.good
    )  # the sample is what the model describes


def test_spend_that_does_not_differ_is_the_mean_of_all():
    generator = np.random.default_rng(5)
    number = generator.integers(1, 6, 800)
    means = np.array(
        [generator.gamma(50.0, 2.0, one).mean() for one in number]
    )  # one mean, 100, for every customer
    frame = pd.DataFrame({"grp": "b2c", "purchases": number, "mean_spend": means, "customers": 1})
    why = NotDone(reason=Text.same("alike"))
    found = customer_table.alike_spend(frame, why)
    assert found.refusal is why
    error = 100 / np.sqrt(50 * number.sum())
    assert found.mean == pytest.approx(100, abs=4 * error) and np.sqrt(
        found.fit.log_covariance[2, 2]
    ) == pytest.approx(error / 100, rel=0.25)
    # the formula of the engine gives everyone the mean
    assert found.p * (found.v + 3 * 500.0) / (found.p * 3 + found.q - 1) == pytest.approx(
        found.mean, rel=1e-6
    )


# -- when the model is not good enough -----------------------------------------------------------------------------------


def bought_until(folder: Path, *, end: str, customers: int, seed: int) -> None:
    """Customers who buy, and leave one by one, until ``end``; then nearly all stop at once: no purchase model can know."""
    generator = np.random.default_rng(seed)
    lines = ["order_id,customer_id,product_id,ordered_at,revenue,gross_margin"]
    span = (pd.Timestamp(end) - pd.Timestamp("2023-01-01")).days
    for one in range(customers):
        first, rate, leaves = (
            int(generator.integers(0, span // 2)),
            generator.gamma(1.0, 0.02),
            generator.beta(1.0, 4.0),
        )
        days, last = [first], float(first)
        while (last := last + generator.exponential(1 / rate)) < span:
            days.append(int(last))
            if generator.random() < leaves:
                break
        for number, day in enumerate(sorted(set(days))):
            stamp = pd.Timestamp("2023-01-01") + pd.Timedelta(days=day)
            lines.append(
                f"O{one}-{number},C{one},P1,{stamp:%Y-%m-%dT02:00:00},{100 + int(generator.integers(0, 50))}.00,40.00"
            )
    for one in range(60):  # a few go on
        lines.append(f"L{one},C{one},P1,2026-0{1 + one % 9}-15T02:00:00,100.00,40.00")
    (folder / "orders.csv").write_text("\n".join(lines) + "\n")
    (folder / "customers.csv").write_text(
        "customer_id,customer_type\n" + "".join(f"C{one},b2c\n" for one in range(customers))
    )


def test_a_model_that_fails_the_holdout_is_not_used(company: Path, inputs_of: Inputs):
    bought_until(company, end="2025-10-01", customers=600, seed=1)
    study = value.study(inputs_of(company))
    assert (
        isinstance(study.modelling, model_facts.Modelling)
        and study.modelling.fallback
        and not study.modelling.good
    )
    assert study.horizon.value == 12  # no year beyond the one that was observed
    finding = next(one for one in study.findings if one.id == "value.model")
    assert "not good enough" in finding.statement.plain() and finding.severity == "watch"
    assert any(check.id == "value.holdout" and check.outcome == "failed" for check in study.checks)
    # what is priced without the model is not weakened by its miss
    assert not any(check.startswith("value.holdout") for one in study.findings for check in one.checks)
    # sixty purchases in the year before, of all customers together, are what the next year is expected to bring
    base = study.base
    assert isinstance(base, ValueBase)
    found = inputs_of(company)
    assert found.month.end.year == 2026 and study.portfolio.total.value > 0  # type: ignore[union-attr, operator]


def test_observed_rates_bring_back_what_was_observed(settings: ValueSettings):
    seen = pd.DataFrame(
        {
            "customer_type": "b2c",
            "channel": "x",
            "segment": "s",
            "x": [0, 0, 3],
            "recency": [0, 0, 50],
            "age": [60, 200, 60],
            "customers": [10, 20, 5],
            "bought": [4, 0, 10],
            "squares": [4, 0, 30],
            "buyers": [4, 0, 4],
        }
    )
    choice = purchase_models.Choice(
        model="observed_rates",
        grouping="none",
        candidates=(),
        holdout=None,
        rates=purchase_models.observed_rates(seen, settings),
    )
    known = purchase_models.Buying(choice=choice, models={}, customers=35, patterns=3)
    found = purchase_models.expectations(seen.assign(grp="b2c"), known, months=12, rate=0.0, derivatives=True)
    per_year = purchase_models.YEAR_WEEKS / settings.holdout_weeks
    assert found["det"].tolist() == pytest.approx([0.4 * per_year, 0.0, 2.0 * per_year])
    assert found["p_alive"].tolist() == pytest.approx([0.4, 0.0, 0.8])


# -- what is absent ------------------------------------------------------------------------------------------------------


def test_without_margin_only_revenue_can_be_valued(company: Path, inputs_of: Inputs, settings: ValueSettings):
    bought_until(company, end="2026-10-01", customers=500, seed=2)
    orders = pd.read_csv(company / "orders.csv").drop(columns="gross_margin")
    orders.to_csv(company / "orders.csv", index=False)
    refused = value.study(inputs_of(company))
    assert isinstance(refused.base, NotDone) and "orders.gross_margin" in refused.base.needs
    # who buys how often, and who is still there, is known without it; what a purchase brings is not
    assert isinstance(refused.modelling, Modelling) and refused.modelling.customers.value == 500
    assert all("orders.gross_margin" in str(one.margin.reason) for one in refused.modelling.spend)
    assert [check.id for check in refused.checks if "what customers are worth" in check.sentence.plain()] == [
        "not_tested.prices"
    ]
    counted = value.study(inputs_of(company), settings=replace(settings, basis="revenue"))
    assert (
        isinstance(counted.base, ValueBase)
        and counted.base.basis == "revenue"
        and not counted.base.has_service
    )
    basis = next(check for check in counted.checks if check.id == "value.basis")
    assert "revenue" in basis.sentence.plain()
    assert any(check.id == "value.contracts" for check in counted.checks)  # no table of contracts: said
    assert isinstance(counted.acquisition, NotDone)


def test_a_company_without_history_is_refused_by_part(company: Path, inputs_of: Inputs):
    study = value.study(inputs_of(company))
    assert isinstance(study.base, NotDone)
    assert not [check for check in study.checks if isinstance(check, Check) and check.outcome == "failed"]


def test_a_grouping_that_divides_nobody_is_no_candidate_of_its_own():
    seen = pd.DataFrame(
        {"customer_type": ["b2c"] * 4, "channel": ["web", "shop", "web", "shop"], "segment": ["s"] * 4}
    )
    assert purchase_models._groupings(seen) == ["none", "type_channel"]
    types = seen.assign(customer_type=["b2b", "b2c", "b2b", "b2c"])
    assert purchase_models._groupings(types) == ["none", "customer_type"]  # the channel tells the same
    tiers = types.assign(segment=["gold", "gold", "none", "none"])
    assert purchase_models._groupings(tiers) == ["none", "customer_type", "type_segment"]
