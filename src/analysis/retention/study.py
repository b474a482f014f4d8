"""The retention study: who leaves, when, what it goes together with, and what is at risk.

Each part stands alone: what one lacks is said where it is missed and in the checks, and the rest is made. All statistical findings of a run
are judged together (Holm), so that a run in which nothing is going on makes any of them in at most one of twenty.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from analysis.locale import Text
from analysis.metrics import NotDone, Parts, Stating, StudyInputs
from analysis.metrics import study as asked
from analysis.results import Check, Finding
from analysis.retention import cohorts_facts, components_facts, findings, matching_facts, revenue
from analysis.retention.accounts import accounts
from analysis.retention.chain import NAMES, chain
from analysis.retention.cohorts_facts import purchase_cohorts
from analysis.retention.drivers import drivers
from analysis.retention.effects import effects
from analysis.retention.parts import RetentionParts
from analysis.retention.scores_facts import early_warning
from analysis.retention.settings import business_models
from analysis.retention.survival import survival
from analysis.retention.views import Grouping

LEFT_OUT = Text(
    en="left out: the parameter business_model asks for the other kind of pages",
    zh="未展示：参数 business_model 选择了另一类页面",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class RetentionStudy(RetentionParts):
    """What the retention notebook shows: the parts, what was found, and what is to be doubted."""

    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@asked(section="retention")
def study(inputs: StudyInputs) -> RetentionStudy:
    """Retention of one month of one company.

    Raises
    ------
    ContractError, ParameterError : broken data or parameters; what is merely absent leaves its part out
    """
    parts = Parts(section="retention")
    made = _asked(inputs, parts)
    return RetentionStudy(
        **{part.name: getattr(made, part.name) for part in fields(made)},
        findings=findings.findings(inputs, made),
        checks=(*findings.checks(made), *_not_tested(parts, made)),
    )


def _asked(inputs: StudyInputs, parts: Parts) -> RetentionParts:
    """Every part, or why it was not made."""
    models = business_models(inputs)
    few, many = "b2b" in models, "b2c" in models
    contractual = parts.do("contractual", components_facts.contractual, inputs)
    non_contractual = parts.do("non_contractual", components_facts.non_contractual, inputs)
    leaving = parts.do("drivers", drivers, inputs)
    scored = parts.do("early_warning", early_warning, inputs)
    cohorts = (
        parts.do("contract_cohorts", cohorts_facts.contract_cohorts, inputs)
        if many
        else parts.leave_out("contract_cohorts", LEFT_OUT)
    )
    buyers = {
        name: parts.do(name, purchase_cohorts, inputs, grouping) if many else parts.leave_out(name, LEFT_OUT)
        for name, grouping in GROUPINGS.items()
    }
    return RetentionParts(
        month=inputs.month,
        models=models,
        limit=Stating(inputs=inputs).assumed("gross_churn_limit"),
        contractual=contractual,
        non_contractual=non_contractual,
        model_churn=parts.do("model_churn", components_facts.model_churn, inputs, non_contractual),
        first_loss=contractual if isinstance(contractual, NotDone) else components_facts.first_loss(inputs),
        reasons=parts.do("reasons", components_facts.reasons, inputs, contractual),
        revenue=parts.do("revenue", revenue.revenue_retention, inputs),
        renewals=parts.do("renewals", revenue.renewal_calendar, inputs)
        if few
        else parts.leave_out("renewals", LEFT_OUT),
        # without scores the accounts stand, without a chance of loss
        accounts=parts.do("accounts", accounts, inputs, None if isinstance(scored, NotDone) else scored)
        if few
        else parts.leave_out("accounts", LEFT_OUT),
        contract_cohorts=cohorts,
        purchase_cohorts=buyers["purchase_cohorts"],
        product_cohorts=buyers["product_cohorts"],
        service_cohorts=buyers["service_cohorts"],
        effects=parts.do("effects", effects, inputs, cohorts)
        if many
        else parts.leave_out("effects", LEFT_OUT),
        survival=parts.do("survival", survival, inputs),
        drivers=leaving,
        chain=parts.do("chain", chain, inputs, None if isinstance(leaving, NotDone) else leaving),
        repurchase=parts.do("repurchase", matching_facts.repurchase, inputs),
        loss_after_repair=parts.do("loss_after_repair", matching_facts.loss_after_repair, inputs),
        early_warning=scored,
    )


GROUPINGS: dict[str, Grouping] = {
    "purchase_cohorts": "acquisition",
    "product_cohorts": "first_product",
    "service_cohorts": "first_service",
}
# what each part would have shown
TITLES = {
    "contractual": Text(en="churn of contracts", zh="合同流失"),
    "non_contractual": Text(en="churn of purchases", zh="购买型流失"),
    "model_churn": Text(en="churn by the purchase model", zh="购买模型流失率"),
    "reasons": Text(en="reasons of losses", zh="流失原因"),
    "revenue": Text(en="revenue retention", zh="收入留存"),
    "renewals": Text(en="renewal calendar", zh="续约日历"),
    "accounts": Text(en="business accounts", zh="企业客户"),
    "contract_cohorts": Text(en="cohorts of contracts", zh="合同队列"),
    "purchase_cohorts": Text(en="cohorts by first order", zh="首次订单队列"),
    "product_cohorts": Text(en="cohorts by first product", zh="首个产品队列"),
    "service_cohorts": Text(en="cohorts by first service", zh="首次服务队列"),
    "effects": Text(en="age, calendar time and cohort apart", zh="账龄、日历时间与队列的区分"),
    "survival": Text(en="how long contracts last", zh="合同存续时间"),
    "drivers": Text(en="service experience and loss", zh="服务体验与流失"),
    "chain": Text(en="the chain from service to loss", zh="服务至流失的链条"),
    "repurchase": Text(en="repurchase after service", zh="服务后复购"),
    "loss_after_repair": Text(en="loss after a repair", zh="维修后流失"),
    "early_warning": Text(en="early warning", zh="流失预警"),
    "total_model": Text(en="late complaint and loss", zh="投诉答复迟与流失"),
    "total_repeat_model": Text(en="repeat repair and loss", zh="重复维修与流失"),
    "mediation_model": Text(en="low score and loss", zh="低满意度与流失"),
    "unadjusted_model": Text(en="late complaint and loss, unadjusted", zh="投诉答复迟与流失（未调整）"),
    "naive_model": Text(en="late complaint and loss, naive", zh="投诉答复迟与流失（简单比较）"),
    "response_model": Text(en="late first response and loss", zh="首响迟与流失"),
    "resolution_model": Text(en="several contacts and loss", zh="多次联系与流失"),
}


def _not_tested(parts: Parts, made: RetentionParts) -> tuple[Check, ...]:
    """What was not made: parts, links of the chain, and models of the drivers."""
    links = {} if isinstance(made.chain, NotDone) else dict(made.chain.not_tested)
    models = {} if isinstance(made.drivers, NotDone) else dict(made.drivers.not_fitted)
    every = Parts(section=parts.section, skipped=parts.skipped | models | links)
    return every.not_tested(TITLES | NAMES)
