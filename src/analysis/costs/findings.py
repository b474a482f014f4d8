"""Which results of the whole month become findings and checks; those of one topic stand with its facts."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.costs.composition import Slice
from analysis.costs.figures import size
from analysis.costs.shops_facts import ShopLine, ShopTable
from analysis.costs.yields import Budget
from analysis.locale.lengths import of_length
from analysis.metrics import NotDone, Stating, StudyInputs, materiality, traced
from analysis.metrics.backend import literal
from analysis.params.cost_tree import UNALLOCATED
from analysis.results import Check, Fact, Finding, Sentence, Stake, Value


@traced
def labour_findings(inputs: StudyInputs, share: Fact) -> list[Finding]:
    """Labour share above (not at) the limit; read with the automation rate."""
    line = Stating(inputs=inputs).assumed("labour_share_limit")
    if share.value is None or line.value is None or share.value <= line.value:
        return []
    automation = inputs.engine.fact("automation_rate", period=inputs.period)
    return [
        Finding(
            id="costs.labour_share",
            section="costs",
            severity="alert",
            ground="limit",
            statement=Sentence(
                "Labour is {share} of after-sales cost, above the limit of {limit}; the automation rate is {automation}.",
                {"share": share, "limit": line, "automation": automation},
            ),
            method="Exact comparison of an accounting ratio with the limit",
            evidence=inputs.engine.aggregate("incurred_cost", by=("category",), period=inputs.period),
            rank=float(share.value),
        )
    ]


@traced
def shop_labour_findings(inputs: StudyInputs, shops: ShopTable, whole: Fact) -> list[Finding]:
    """Shops whose labour share of the last twelve months is above the limit, the dearest first; none where the company is above it as a whole."""
    line = Stating(inputs=inputs).assumed("labour_share_limit", period=shops.period)
    if line.value is None or (whole.value is not None and whole.value > line.value):
        return []
    trivial = materiality(inputs).trivial.value
    found = []
    for group in shops.groups:
        for shop in group.shops:
            share, cost = (shop.facts.get(name) for name in ("labour_share", "after_sales_cost"))
            if share is None or cost is None or share.value is None or share.value <= line.value:
                continue
            if trivial is None or float(cost.value or 0) < float(trivial):
                continue
            found.append(_shop_labour(shop, share, cost, line, shops))
    return sorted(found, key=lambda one: -one.rank)


def _shop_labour(shop: ShopLine, share: Fact, cost: Fact, line: Fact, shops: ShopTable) -> Finding:
    values: dict[str, Value] = {"shop": shop.name, "share": share, "cost": cost, "limit": line}
    return Finding(
        id="costs.labour_share_of_shop",
        section="costs",
        severity="alert",
        ground="limit",
        subject=dict(shop.place),
        statement=Sentence(
            "{shop}: labour is {share} of its after-sales cost of {cost} from {first} to {last}, above the limit of {limit}. See what the other shops leave to a bot or to another shift.",
            values | {"first": shops.period.first, "last": shops.period.last},
        ),
        method="Exact comparison of an accounting ratio with the limit",
        evidence=shops.rows(),
        rank=float(cost.value or 0),
    )


def budget_findings(inputs: StudyInputs, budget: Budget | NotDone) -> list[Finding]:
    """Cost over budget, with the category that contributed most."""
    if isinstance(budget, NotDone) or not budget.variance.value or budget.variance.value <= 0:
        return []
    # a category that was never planned has no overrun of its own
    driver = max(
        (line for line in budget.lines if line.planned and (line.variance.value or 0) > 0),
        key=lambda line: (line.variance.value, line.variance.dimensions["category"]),
        default=None,
    )
    template = "After-sales cost was {variance} over the budget of {budget}."
    values: dict[str, Value] = {"variance": budget.variance, "budget": budget.budget}
    if driver is not None:
        template = "After-sales cost was {variance} over the budget of {budget}; {category:lower} contributed most ({part:signed})."
        values |= {"category": driver.name, "part": driver.variance}
    return [
        Finding(
            id="costs.over_budget",
            section="costs",
            severity=materiality(inputs).severity(budget.variance),
            ground="loss",
            stake=Stake.of(budget.variance),
            statement=Sentence(template, values),
            method=of_length("Cost minus budget of the month", inputs.period.months),
            evidence=budget.rows(),
            rank=float(budget.variance.value),
        )
    ]


@traced
def unallocated_findings(inputs: StudyInputs, categories: Sequence[Slice]) -> list[Finding]:
    """Cost on accounts that the account map does not know, with those accounts."""
    line = _unallocated(categories)
    if line is None:
        return []
    rows = inputs.engine.query(
        f"SELECT account, cost_center, count(*) AS postings, sum(amount) AS amount FROM cost "
        f"WHERE category = {literal(UNALLOCATED)} AND {inputs.period.condition()} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [
        Finding(
            id="costs.unallocated",
            section="costs",
            severity=materiality(inputs).severity(line.cost),
            ground="loss",
            stake=Stake.of(line.cost),
            statement=Sentence(
                "{cost} of after-sales cost ({share}) is on accounts that the account map does not know; it is shown as unallocated.",
                {"cost": line.cost, "share": line.share},
            ),
            method="Postings without a category and without a rule in params/cost_tree.yml",
            evidence=rows,
            rank=size(line.cost),
        )
    ]


def _unallocated(categories: Sequence[Slice]) -> Slice | None:
    return next((line for line in categories if line.value == UNALLOCATED and line.cost.value), None)


def unallocated_check(inputs: StudyInputs, categories: Sequence[Slice]) -> Check:
    """Whether every posting of the month has a category."""
    line = _unallocated(categories)
    if line is None:
        return Check(
            id="cost_categories",
            outcome="passed",
            sentence=Sentence("Every posting of {month} has a cost category.", {"month": inputs.period}),
        )
    return Check(
        id="cost_categories",
        outcome="info",
        sentence=Sentence(
            "{cost:exact} of {month} is unallocated ({share}).",
            {"cost": line.cost, "share": line.share, "month": inputs.period},
        ),
    )
