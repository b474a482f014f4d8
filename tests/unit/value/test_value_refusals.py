"""Models that cannot be fitted: what stands in their place, and the reason that is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import stats, value
from analysis.errors import FitError
from analysis.locale import Text
from analysis.metrics import NotDone, Parts, StudyInputs
from analysis.value import customer_table, effect_findings, effects, findings, model_facts, renewal_models
from analysis.value.effect_results import FEW_CASES, ServiceEffects
from analysis.value.results import ValueStudy
from analysis.value.settings import load_settings

NOBODY_LEFT = "sBG: nobody left; a chance of leaving cannot be told."


def refusal(of: Callable[..., bool], fit: Callable[..., Any]) -> Callable[..., Any]:
    """``fit``, refused where ``of`` its first argument holds."""

    def refused(rows: Any, *more: Any) -> Any:
        if of(rows):
            raise FitError(NOBODY_LEFT)
        return fit(rows, *more)

    return refused


def told(sampled: StudyInputs, renewing: renewal_models.Renewing, **spend: Any) -> dict[str, dict[str, str]]:
    """The checks of what was refused, in both languages by id."""
    learnt: Any = SimpleNamespace(renewing=renewing, spend=spend)
    refused = model_facts.refused_models(sampled, learnt)
    checks = findings.not_tested(Parts(section="value"), refused)
    return {
        check.id: {"en": check.sentence.plain("en"), "zh": check.sentence.plain("zh")} for check in checks
    }


def test_a_kind_of_contract_without_a_model_says_why(sampled: StudyInputs, monkeypatch: pytest.MonkeyPatch):
    settings, month_end = load_settings(), sampled.month.end
    whole = renewal_models.fitted_at(sampled, month_end, settings)
    assert set(whole.models) >= {"subscription", "maintenance"} and not whole.refused
    assert told(sampled, whole) == {}
    no_subscription = refusal(lambda rows: "subscription" in set(rows["kind"]), renewal_models._fit)
    monkeypatch.setattr(renewal_models, "_fit", no_subscription)
    found = renewal_models.fitted_at(sampled, month_end, settings)
    assert "subscription" not in found.models and "maintenance" in found.models
    assert told(sampled, found) == {
        "not_tested.renewals.subscription": {
            "en": "Not tested: renewals to come of subscription contracts; sBG: nobody left; a chance of leaving cannot be told.",
            "zh": "未检验：订阅合同的未来续约；sBG：无人流失，无法得出流失概率。",
        }
    }


def test_a_comparison_of_parts_that_cannot_be_fitted_says_why(
    sampled: StudyInputs, monkeypatch: pytest.MonkeyPatch
):
    of_one_type = refusal(lambda rows: rows["customer_type"].nunique() == 1, renewal_models._fit)
    monkeypatch.setattr(renewal_models, "_fit", of_one_type)
    found = renewal_models.fitted_at(sampled, sampled.month.end, replace(load_settings(), fewest_losses=5))
    assert {one.split for one in found.tests} <= {"cohort"} and not found.by_type
    said = told(sampled, found)["not_tested.renewals.maintenance|customer_type"]
    assert said["en"].startswith("Not tested: whether maintenance contracts renew unlike by customer type; ")
    assert said["zh"].startswith("未检验：维保合同的续约是否因客户类型而异；")


def test_spend_without_a_model_says_why(sampled: StudyInputs, monkeypatch: pytest.MonkeyPatch):
    def refused(*_: Any) -> None:
        raise FitError("Gamma-Gamma: {customers} customers with a repeat purchase and {distinct} distinct values; add history.", customers=9, distinct=2)  # fmt: skip

    monkeypatch.setattr(stats, "fit_gamma_gamma", refused)
    bought = customer_table.purchase_models.purchases_at(sampled, sampled.month.end, ("product",))
    spend = customer_table._spend(sampled, bought, 1)
    assert {type(one).__name__ for one in spend.values()} == {"AlikeSpend"}
    whole = renewal_models.fitted_at(sampled, sampled.month.end, load_settings())
    said = told(sampled, whole, **spend)
    assert set(said) == {"not_tested.spend.all", "not_tested.spend.b2b", "not_tested.spend.b2c"}
    assert said["not_tested.spend.b2c"]["zh"] == (
        "未检验：客户间的消费差异，个人客户；Gamma-Gamma：有复购的客户 9 名，不同取值 2 个；请补充历史。"
    )


def cases(count: int) -> pd.DataFrame:
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "repurchase": (random.random(count) < 0.4).astype(float),
            "segment": random.choice(["key", "gold"], count),
            "customer": np.arange(count),
        }
    )


def test_an_outcome_without_an_estimate_says_why(monkeypatch: pytest.MonkeyPatch):
    settings = load_settings()
    few = cases(settings.fewest_exposed)
    exposed = np.arange(len(few)) % 2 == 0
    found = effects._one(few, exposed, "repurchase", ("segment",), 0.95, settings)
    assert isinstance(found, NotDone) and found.reason == FEW_CASES

    def apart(*_: Any, **__: Any) -> None:
        raise FitError(
            "effect: only {share} of the rows have a propensity that occurs among treated and untreated alike; the groups do not "
            "overlap. No effect can be estimated from them.",
            share="3%",
        )

    monkeypatch.setattr(stats, "doubly_robust", apart)
    many = cases(4 * settings.fewest_exposed + 400)
    exposed = np.arange(len(many)) % 2 == 0
    found = effects._one(many, exposed, "repurchase", ("segment",), 0.95, settings)
    assert isinstance(found, NotDone)
    assert "only 3% of the rows" in found.reason.en and "只有 3% 的行" in found.reason.zh


def test_outcomes_and_placebos_that_could_not_be_tried_are_checks_with_their_reason(studied: ValueStudy):
    assert isinstance(studied.effects, ServiceEffects)
    one = studied.effects.effects[0]
    why = NotDone(reason=Text(en="the moon was full", zh="正值满月"))
    placebo = replace(one.placebos[0], effect=None, refusal=why)
    bare = replace(one, unfitted={"retention": why}, placebos=(placebo,))
    treatment = one.treatment
    checks = effect_findings.checks([bare], {"other": (treatment, why)})
    said = [check.sentence.plain("en") for check in checks if check.outcome == "info"]
    name = treatment.name.en
    assert f"Not tested: purchases in the year before the case, {name}; the moon was full." in said
    assert f"Not tested: effect on staying, {name}; the moon was full." in said
    assert f"{name}: not computed: the moon was full." in said


def test_the_reasons_of_a_company_without_history_read_in_both_languages(
    company: Path, inputs_of: Callable[..., StudyInputs]
):
    study = value.study(inputs_of(company))
    for part in ("base", "portfolio", "modelling", "change", "acquisition"):
        refused = getattr(study, part)
        assert isinstance(refused, NotDone), part
        assert refused.reason.zh != refused.reason.en and "程序说明" not in refused.reason.zh, part
    assert "fewer than 50 repeat purchases" in study.base.reason.en  # type: ignore[union-attr]
