from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.metrics import NotDone, StudyInputs
from analysis.retention import RetentionStudy
from analysis.retention.chain import mean_ratio, risk_ratio
from analysis.retention.components_facts import ChurnBasis
from analysis.retention.drivers import drivers
from analysis.retention.matching import matched
from analysis.retention.survival import groups_differ
from analysis.sample import TRUTHS, make_sample

Inputs = Callable[..., StudyInputs]


def test_components_of_contracts_by_hand(under_contract: RetentionStudy):
    found = under_contract
    assert isinstance(found.contractual, ChurnBasis)
    year = found.contractual.year.components
    # 2025-11-01: C1, C2, C6. Until 2026-11-01: C2 lapsed, C6 ran out and nobody renewed it (its later cancellation is not known yet),
    # C3 came, C4 came back, C5 came and went; an extended warranty is no contract to lose.
    assert (year.start, year.lost, year.new, year.reactivated, year.won_and_lost) == (3, 2, 1, 1, 1)
    assert year.end == 3
    assert found.contractual.year.gross_churn.value == pytest.approx(2 / 3)
    assert found.contractual.year.net_loss.value == 0


def test_revenue_retention_by_hand(under_contract: RetentionStudy):
    found = under_contract
    assert isinstance(found.revenue, tuple)
    whole = found.revenue[0]
    # 1,200 + 2,400 + 1,000 at the start; 600 of it kept by C1
    assert float(whole.start.value) == 4600.0 and float(whole.end.value) == 600.0
    assert float(whole.gross.value) == pytest.approx(600 / 4600) and whole.gross.interval is None


def test_reasons_split_avoidable_losses(under_contract: RetentionStudy):
    found = under_contract
    assert isinstance(found.reasons, tuple)
    lines, avoidable = found.reasons
    assert {reason: fact.numerator for reason, _, fact in lines} == {"price": 1, "not_stated": 1}
    assert avoidable.value == 1.0 and avoidable.n == 1


def test_three_of_few_customers_are_no_alert(under_contract: RetentionStudy):
    finding = next(one for one in under_contract.findings if one.id == "retention.gross_churn")
    low = finding.statement.values["churn"].interval.low  # type: ignore[union-attr]
    assert (finding.severity == "alert") == (low > 0.10)
    assert ("could be noise" in finding.statement.plain()) == (low <= 0.10)


def test_without_contracts_the_rest_is_made_and_the_gap_is_named(contractless: RetentionStudy):
    found = contractless
    assert isinstance(found.contractual, NotDone) and "contracts.customer_id" in found.contractual.needs
    assert isinstance(found.non_contractual, ChurnBasis)
    # an order of 31 October counts: 2026-10-31T16:00 UTC is already November in Shanghai
    assert found.non_contractual.month.components.new == 1


def test_mantel_haenszel_ratio_by_hand():
    rows = [
        ("a", True, True, 10),
        ("a", True, False, 10),
        ("a", False, True, 5),
        ("a", False, False, 15),
        ("b", True, True, 4),
        ("b", True, False, 6),
        ("b", False, True, 6),
        ("b", False, False, 24),
    ]
    frame = pd.DataFrame(rows, columns=["stratum", "exposed", "hit", "n"])
    found = risk_ratio(frame.assign(customers=range(8)))
    # (10·20/40 + 4·30/40) ÷ (5·20/40 + 6·10/40) = 8 ÷ 4
    assert np.exp(found.value) == pytest.approx(2.0)


def test_ratio_of_means_compares_within_strata():
    rows = [
        ("dear", True, 1, 100, 30100.0),
        ("dear", False, 2, 10, 3010.0),
        ("cheap", True, 3, 10, 100.0),
        ("cheap", False, 4, 60, 610.0),
        ("cheap", False, 5, 40, 390.0),
    ]
    found = mean_ratio(pd.DataFrame(rows, columns=["stratum", "exposed", "customers", "n", "total"]))
    assert found.value == pytest.approx(0.0)


def _answers(seed: int, *, customers: int = 120, each: int = 5) -> pd.DataFrame:
    """Several answers of each customer: whoever was served late was so each time, and whoever grumbles does so each time; the two have nothing to do with each other."""
    generator = np.random.default_rng(seed)
    late, grumbles = generator.random(customers) < 0.4, generator.beta(0.6, 1.4, customers)
    customer = np.repeat(np.arange(customers), each)
    return pd.DataFrame(
        {
            "customers": customer,
            "exposed": late[customer],
            "hit": generator.random(customers * each) < grumbles[customer],
            "stratum": np.array(["private", "business"])[customer % 2],
            "n": 1,
        }
    )


def test_the_error_of_a_risk_ratio_is_that_of_a_clustered_regression():
    # one stratum: the log risk ratio of a Poisson regression with errors by customer (statsmodels)
    import statsmodels.api as sm

    rows = _answers(3).assign(stratum="all")
    found = risk_ratio(rows)
    design = sm.add_constant(rows["exposed"].astype(float))
    fit = sm.GLM(rows["hit"].astype(float), design, family=sm.families.Poisson()).fit(
        cov_type="cluster", cov_kwds={"groups": rows["customers"], "use_correction": False}
    )
    assert found.value == pytest.approx(fit.params["exposed"], rel=1e-9)
    assert found.error == pytest.approx(fit.bse["exposed"] * np.sqrt(120 / 119), rel=1e-6)


def test_the_error_of_a_ratio_of_means_is_that_of_a_clustered_regression():
    import statsmodels.api as sm

    rows = _answers(4).assign(stratum="all")
    rows["total"] = 50 + 100 * rows["hit"] + 20 * np.random.default_rng(4).random(len(rows))
    found = mean_ratio(rows)
    design = sm.add_constant(rows["exposed"].astype(float))
    fit = sm.GLM(rows["total"], design, family=sm.families.Poisson()).fit(
        cov_type="cluster", cov_kwds={"groups": rows["customers"], "use_correction": False}
    )
    assert found.value == pytest.approx(fit.params["exposed"], rel=1e-9)
    assert found.error == pytest.approx(fit.bse["exposed"] * np.sqrt(120 / 119), rel=1e-6)


def test_a_customer_with_several_answers_is_not_several_customers():
    alike = [risk_ratio(_answers(seed)).p_value for seed in range(300)]
    apart = [
        risk_ratio(rows.assign(customers=range(len(rows)))).p_value for rows in map(_answers, range(300))
    ]
    # 5 % plus three standard errors of 300 tries are 8.8 %; as if each answer were a customer's only one, a quarter is found
    assert np.mean(np.array(alike) < 0.05) < 0.088
    assert np.mean(np.array(apart) < 0.05) > 0.15


def _spells(seed: int, *, customers: int = 60, each: int = 4) -> pd.DataFrame:
    """Several contracts of each customer, one after the other, of the customer's own segment; some customers are quick to leave, whatever their segment."""
    generator = np.random.default_rng(seed)
    frailty, gold = generator.gamma(1.0, 1.0, customers), generator.random(customers) < 0.5
    customer = np.repeat(np.arange(customers), each)
    life, end = generator.exponential(12 / frailty[customer]), generator.uniform(2, 30, customers * each)
    return pd.DataFrame(
        {
            "kind": "subscription",
            "segment": np.where(gold, "gold", "standard")[customer],
            "entry": 0.0,
            "duration": np.minimum(life, end),
            "lost": life <= end,
            "customers": 1,
            "several": customer.astype(str),
        }
    )


def test_several_contracts_of_a_customer_are_not_several_customers():
    tested = [
        [
            groups_differ(rows.assign(several=several), "segment", ("kind",), "log_rank")
            for several in (rows["several"], None)
        ]
        for rows in map(_spells, range(200))
    ]
    by_customer, by_contract = (np.array(tested) < 0.05).mean(axis=0)
    # 5 % plus three standard errors of 200 tries are 9.6 %
    assert by_customer < 0.096 and by_contract > 0.15


def test_matching_weights_controls_to_the_served():
    served = pd.DataFrame({"s": ["x", "y", "z"], "customers": [10, 30, 5], "bought": [5, 6, 5]})
    controls = pd.DataFrame({"s": ["x", "y"], "customers": [100, 100], "bought": [60, 10]})
    found = matched(served, controls, stratum=["s"])
    assert found.rate == pytest.approx(0.25 * 0.6 + 0.75 * 0.1)
    assert found.difference == pytest.approx(11 / 40 - 0.225) and found.unmatched == 5


# -- recovery on the sample company ------------------------------------------------------------------------------------


def company_with(folder: Path, *, seed: int, scale: float, off: frozenset[str] = frozenset()) -> Path:
    make_sample(folder, seed=seed, scale=scale, off=off, blemishes=False)
    return folder


def test_planted_hazard_ratios_are_recovered_and_the_naive_answer_is_wrong(tmp_path: Path, inputs_of: Inputs):
    found = drivers(inputs_of(company_with(tmp_path / "s", seed=5, scale=0.35)))
    slow, repeat, naive = (
        found.ratios["slow", "total"],
        found.ratios["repeat", "total"],
        found.ratios["slow", "naive"],
    )
    assert slow.interval is not None and repeat.interval is not None and naive.interval is not None
    assert (
        slow.interval.low * 0.9 < 2.0 < slow.interval.high * 1.1
    )  # one seed: a little beyond the interval is not a failure
    assert repeat.interval.low * 0.9 < 1.5 < repeat.interval.high * 1.1
    assert naive.value < 1.3 and naive.interval.high < 2.0  # type: ignore[operator]


@pytest.mark.slow
def test_planted_hazard_ratios_are_covered_over_seeds(tmp_path: Path, inputs_of: Inputs):
    covered, seeds = {"slow": 0, "repeat": 0}, 12
    for seed in range(seeds):
        found = drivers(inputs_of(company_with(tmp_path / str(seed), seed=seed, scale=0.3)))
        for name, truth in (("slow", 2.0), ("repeat", 1.5)):
            interval = found.ratios[name, "total"].interval
            covered[name] += interval is not None and interval.low <= truth <= interval.high
    assert all(count >= 9 for count in covered.values()), covered


@pytest.mark.slow
def test_a_confounded_null_makes_no_finding_of_service(tmp_path: Path, inputs_of: Inputs):
    off, seeds, made = frozenset(TRUTHS) - {"tier_confounding"}, 8, 0
    for seed in range(seeds):
        found = drivers(inputs_of(company_with(tmp_path / str(seed), seed=100 + seed, scale=0.2, off=off)))
        made += any(p < 0.025 for p in found.p_values.values())
    assert made <= 2, made
