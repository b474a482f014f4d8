"""The retention study: who leaves, when, what it goes together with, and what is at risk.

Each part stands alone: what one lacks is said where it is missed and in the checks, and the rest is made. All statistical findings of a run
are judged together (Holm), so that a run in which nothing is going on makes any of them in at most one of twenty. The searches, of groups and of months
that stand out and of where new customers come from, pay for all that they try, and are a second family judged alike.
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
from analysis.retention.leavers import leavers
from analysis.retention.newcomers import newcomer_mix
from analysis.retention.parts import RetentionParts
from analysis.retention.scores_facts import early_warning
from analysis.retention.settings import business_models
from analysis.retention.surges import surges
from analysis.retention.surveys import survey_response
from analysis.retention.survival import survival
from analysis.retention.views import Grouping

# by the kind of customers that a part is about: why it is left out where the company has the other kind
LEFT_OUT = {
    "b2b": Text.of(
        "this company is read as many small customers, by its setting, so no account stands alone"
    ),
    "b2c": Text.of("this company is read as business accounts, by its setting, which are listed one by one"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class RetentionStudy(RetentionParts):
    """What the retention notebook shows: the parts, what was found, and what is to be doubted.

    Attributes
    ----------
    month, models, limit : the report month; which business models the company has; the limit of churn.
    contractual, non_contractual, model_churn, first_loss : churn by contracts and by purchases; as the model has it; the first month with a loss.
    reasons, revenue, renewals, rolling, accounts : why customers left; revenue retention; renewals; terms that come up all the time; accounts by size.
    contract_cohorts, purchase_cohorts, product_cohorts, service_cohorts : cohorts, by what put a customer into them.
    effects, survival, drivers, chain : curvature of effects; survival of contracts; what goes with a loss; the chain from service to loss.
    leavers, surges : who leaves more often than others alike; months in which a group lost more than usual.
    newcomers : where new customers come from, and how that mix moves.
    repurchase, loss_after_repair, early_warning, surveys : after service; who is at risk; and who answers when asked.
    sure, error, findings, checks : tests that hold after all are allowed for; below which chance one does; what stands out, what is to be doubted.

    Examples
    --------
    >>> from analysis import retention
    >>> result = retention.study(run.inputs)  # run = open_run("sample", section="retention")
    >>> str(result.month), len(result.checks) > 0
    ('2026-10', True)
    """

    sure: frozenset[str]
    error: float
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@asked(section="retention")
def study(inputs: StudyInputs) -> RetentionStudy:
    """Retention of one month of one company.

    Parameters
    ----------
    inputs : StudyInputs
        One month of one company: ``run.inputs``.

    Returns
    -------
    RetentionStudy
        What is merely absent leaves its part out, and says so.

    Raises
    ------
    ContractError
        For broken data.
    ParameterError
        For broken parameters.

    Examples
    --------
    >>> from analysis import retention
    >>> result = retention.study(run.inputs)  # run = open_run("sample", section="retention")
    >>> print(result.contractual.reason.en)  # a company without contracts
    needs contracts.customer_id, contracts.starts_on, contracts.ends_on
    """
    parts = Parts(section="retention")
    made = _asked(inputs, parts)
    return RetentionStudy(
        **{part.name: getattr(made, part.name) for part in fields(made)},
        sure=findings.shown(inputs, made),
        error=1 - inputs.confidence,
        findings=findings.findings(inputs, made),
        checks=(*findings.checks(inputs, made), *_not_tested(parts, made)),
    )


def _asked(inputs: StudyInputs, parts: Parts) -> RetentionParts:
    """Every part, or why it was not made."""
    models = business_models(inputs)
    few, many = "b2b" in models, "b2c" in models
    contractual = parts.do("contractual", components_facts.contractual, inputs)
    non_contractual = parts.do("non_contractual", components_facts.non_contractual, inputs)
    leaving = parts.do("drivers", drivers, inputs)
    scored = parts.do("early_warning", early_warning, inputs)
    calendar = (
        parts.do("renewals", revenue.renewal_calendar, inputs)
        if few
        else parts.leave_out("renewals", LEFT_OUT["b2b"])
    )
    cohorts = (
        parts.do("contract_cohorts", cohorts_facts.contract_cohorts, inputs)
        if many
        else parts.leave_out("contract_cohorts", LEFT_OUT["b2c"])
    )
    buyers = {
        name: parts.do(name, purchase_cohorts, inputs, grouping)
        if many
        else parts.leave_out(name, LEFT_OUT["b2c"])
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
        renewals=calendar,
        rolling=None if isinstance(calendar, NotDone) else revenue.rolling(inputs),
        # without scores the accounts stand, without a chance of loss
        accounts=parts.do("accounts", accounts, inputs, None if isinstance(scored, NotDone) else scored)
        if few
        else parts.leave_out("accounts", LEFT_OUT["b2b"]),
        contract_cohorts=cohorts,
        purchase_cohorts=buyers["purchase_cohorts"],
        product_cohorts=buyers["product_cohorts"],
        service_cohorts=buyers["service_cohorts"],
        effects=parts.do("effects", effects, inputs, cohorts)
        if many
        else parts.leave_out("effects", LEFT_OUT["b2c"]),
        survival=parts.do("survival", survival, inputs),
        leavers=parts.do("leavers", leavers, inputs),
        surges=parts.do("surges", surges, inputs),
        newcomers=parts.do("newcomers", newcomer_mix, inputs),
        drivers=leaving,
        chain=parts.do("chain", chain, inputs, None if isinstance(leaving, NotDone) else leaving),
        surveys=parts.do("surveys", survey_response, inputs),
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
    "contractual": Text.of("churn of contracts"),
    "non_contractual": Text.of("churn of purchases"),
    "model_churn": Text.of("churn by the purchase model MBG/NBD"),
    "reasons": Text.of("reasons of losses"),
    "revenue": Text.of("revenue retention"),
    "renewals": Text.of("renewal calendar"),
    "accounts": Text.of("business accounts"),
    "contract_cohorts": Text.of("cohorts of contracts"),
    "purchase_cohorts": Text.of("cohorts by first order"),
    "product_cohorts": Text.of("cohorts by first product"),
    "service_cohorts": Text.of("cohorts by first service"),
    "effects": Text.of("age, calendar time and cohort apart"),
    "survival": Text.of("how long contracts last"),
    "leavers": Text.of("who leaves more often"),
    "surges": Text.of("months of many losses"),
    "newcomers": Text.of("where new customers come from"),
    "drivers": Text.of("service experience and loss"),
    "chain": Text.of("the chain from service to loss"),
    "surveys": Text.of("who answers surveys"),
    "repurchase": Text.of("repurchase after service"),
    "loss_after_repair": Text.of("loss after a fault"),
    "early_warning": Text.of("early warning"),
    "total_model": Text.of("late complaint and loss"),
    "total_repeat_model": Text.of("repeat fault and loss"),
    "mediation_model": Text.of("low score and loss"),
    "unadjusted_model": Text.of("late complaint and loss, unadjusted"),
    "naive_model": Text.of("late complaint and loss, naive"),
    "response_model": Text.of("late first response and loss"),
    "resolution_model": Text.of("several contacts and loss"),
}


def _not_tested(parts: Parts, made: RetentionParts) -> tuple[Check, ...]:
    """What was not made: parts, links of the chain, and models of the drivers."""
    links = {} if isinstance(made.chain, NotDone) else dict(made.chain.not_tested)
    models = {} if isinstance(made.drivers, NotDone) else dict(made.drivers.not_fitted)
    every = Parts(section=parts.section, skipped=parts.skipped | models | links)
    return every.not_tested(TITLES | NAMES)
