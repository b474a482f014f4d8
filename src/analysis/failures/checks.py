"""The doubts of the failure study: what was left out, what was tested against known outcomes, and what could not be tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.failures import lives
from analysis.locale import Text
from analysis.metrics import NotDone, Parts
from analysis.periods import Month
from analysis.results import Check, Sentence

if TYPE_CHECKING:
    from analysis.failures.field import Field
    from analysis.failures.lives_facts import LifeFacts
    from analysis.failures.localising_facts import CauseFacts
    from analysis.failures.study import FailureStudy

TITLES = {
    "cost": Text(en="direct cost of failures", zh="故障直接成本"),
    "own_past_component": Text(en="components against their own past", zh="部件与自身历史的比较"),
    "own_past_fault_code": Text(en="fault codes against their own past", zh="故障代码与自身历史的比较"),
    "shipment_plan": Text(
        en="machines still to be shipped (the forecast holds machines in the field only)",
        zh="待出货机器（预测仅含在役机器）",
    ),
    "provision": Text(en="the warranty provision", zh="质保准备金"),
    "forecast": Text(en="cost of the failures to come", zh="未来故障成本"),
    "forecast_test": Text(en="the forecast of a year ago", zh="一年前的预测"),
    "reporting_test": Text(en="months as they stood at their end", zh="月末时的数量"),
    "words": Text(en="the customer's words", zh="客户原话"),
    "lives": Text(en="lives of components", zh="部件寿命"),
    "survival": Text(en="time to the first failure", zh="首次故障时间"),
    "repairs": Text(en="failures per machine by age", zh="单机故障数（按机龄）"),
    "repeats": Text(en="repeated repairs", zh="重复维修"),
    "watch": Text(en="what is new in the last months", zh="近期新出现的异常"),
    "money": Text(en="cost by component", zh="部件成本"),
    "recovery": Text(en="recovery from suppliers", zh="供应商追偿"),
    "leaks": Text(en="claims paid although nothing was owed", zh="不应支付的索赔"),
    "due": Text(en="claims that suppliers have not paid back", zh="供应商未退回的索赔"),
    "parts": Text(en="parts to hold", zh="备件库存"),
}


def checks(
    field: Field, study: FailureStudy, made: Parts, *, without: Mapping[str, NotDone]
) -> tuple[Check, ...]:
    """Every check of the study; ``without`` says why components have no life distribution."""
    found = [_excluded(study), *_reporting(study), _dispersion(study)]
    found += [_apart(cause) for cause in study.causes if cause.apart is not None]
    found += [_confounded(cause) for cause in study.causes if cause.cause.confounded_with]
    found += _forecast(study, largest=field.assumed("forecast_error_limit"))
    limit = field.assumed("life_gap_limit")
    found += [_life(life) for life in study.lives or () if life.worst_gap > limit]
    found += _thin(field, without)
    found.append(
        Check(
            id="labour_not_traced",
            outcome="info",
            sentence=Sentence(
                "Costs are direct costs traced to tickets; wages and other held capacity are not in them, so each cost is a lower bound."
            ),
        )
    )
    return (*found, *_not_tested(field, study, made, without))


def _not_tested(
    field: Field, study: FailureStudy, made: Parts, without: Mapping[str, NotDone]
) -> tuple[Check, ...]:
    """Every part that could not be made, every distribution that does not fit, every triangle without its dates."""
    skipped, titles = dict(made.skipped), dict(TITLES)

    def add(name: str, reason: NotDone, en: str, zh: str) -> None:
        skipped[name] = reason
        titles[name] = Text(en=en, zh=zh)

    for component, reason in without.items():
        if reason is not lives.TOO_FEW:
            name = field.label("component", component)
            add(f"life_{component}", reason, f"life of {name.en}", f"{name.zh}的寿命")
    for life in study.lives or ():
        for model, reason in life.not_fitted.items():
            word = field.label("life_model", model)
            add(
                f"life_{life.component}_{model}",
                reason,
                f"{word.en} life of {life.name.en}",
                f"{life.name.zh}的{word.zh}寿命",
            )
    if isinstance(study.triangle.produced, NotDone):
        add("triangle", study.triangle.produced, "failures by quarter of production", "按生产季度的故障")
    return replace(made, skipped=skipped).not_tested(titles)


def _excluded(study: FailureStudy) -> Check:
    if not study.impossible.value:
        return Check(
            id="failures_rated",
            outcome="passed",
            sentence=Sentence(
                "Every confirmed failure lies on a machine that was in the field then; none is left out as impossible."
            ),
        )
    return Check(
        id="failures_rated",
        outcome="failed",
        sentence=Sentence(
            "{count} can be counted, not rated: unknown serial, before shipment, after retirement, or a second order for the same event; the table names them.",
            {"count": study.impossible},
        ),
    )


def _reporting(study: FailureStudy) -> list[Check]:
    test, share = study.reporting_test, study.rates.shares[-1]
    if isinstance(test, NotDone):
        return []
    better = float(test.corrected.value or 0) < float(test.counted.value or 0)
    return [
        Check(
            id="reporting_delay",
            outcome="passed" if better else "failed",
            sentence=Sentence(
                "Months as they stood at their end missed today's count by {raw}; completed for reports still to come they missed it by {corrected}.",
                {"raw": test.counted, "corrected": test.corrected},
            ),
        ),
        Check(
            id="reported_share",
            outcome="info",
            sentence=Sentence(
                "Of the failures of {month}, {share} are expected to be reported by now.",
                {"month": Month.parse(share.period), "share": share},
            ),
        ),
    ]


def _dispersion(study: FailureStudy) -> Check:
    return Check(
        id="counts_scatter",
        outcome="info",
        sentence=Sentence(
            "Batches scatter {times} as much as counts by chance; the search allows for it.",
            {"times": study.dispersion},
        ),
    )


def _apart(cause: CauseFacts) -> Check:
    assert cause.apart is not None
    elsewhere, rest = cause.apart.batch_elsewhere, cause.apart.region_without
    clear = (
        elsewhere.interval is not None
        and rest.interval is not None
        and elsewhere.interval.low > 1
        and rest.interval.low < 1.25
    )
    return Check(
        id="cause_told_apart",
        outcome="passed" if clear else "info",
        sentence=Sentence(
            "{cause}: most of it went to {region}. Outside {region} it fails {elsewhere} the expected number; other machines in {region} fail {rest}.",
            {"cause": cause.name, "region": cause.apart.region, "elsewhere": elsewhere, "rest": rest},
        ),
    )


def _confounded(cause: CauseFacts) -> Check:
    return Check(
        id="cause_confounded",
        outcome="failed",
        sentence=Sentence(
            "{cause}: the data cannot tell it from {others}.",
            {"cause": cause.name, "others": "; ".join(cause.cause.confounded_with)},
        ),
    )


def _life(life: LifeFacts) -> Check:
    return Check(
        id="life_fit",
        outcome="failed",
        sentence=Sentence(
            "{component}: failures by age depart from the fitted Weibull; read its shape and B10 life with care.",
            {"component": life.name},
        ),
    )


def _thin(field: Field, without: Mapping[str, NotDone]) -> list[Check]:
    thin = [name for name, reason in without.items() if reason is lives.TOO_FEW]
    if not thin:
        return []
    names = [field.label("component", name) for name in thin]
    shown = Text(en=", ".join(name.en for name in names), zh="、".join(name.zh for name in names))
    return [
        Check(
            id="life_thin",
            outcome="info",
            sentence=Sentence(
                "Too few failures for a life distribution: {components}.", {"components": shown}
            ),
        )
    ]


def _forecast(study: FailureStudy, *, largest: float) -> list[Check]:
    test = study.forecast_test
    if isinstance(test, NotDone):
        return []
    return [
        Check(
            id="forecast_tested",
            outcome="passed" if abs(float(test.total.value or 0)) <= largest else "failed",
            sentence=Sentence(
                "The same forecast made twelve months ago missed the year by {error:signed} and single months by {months} on average; shipments were given to it.",
                {"error": test.total, "months": test.month},
            ),
        )
    ]
