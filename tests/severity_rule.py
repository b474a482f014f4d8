"""The printed rule of severity, written again from its words, and the money read again from the facts of each sentence.

Nothing here calls what grades a finding: a finding is judged by what its sentence says and by the two sums that the rule prints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from analysis.results import Fact, Finding

# The words of the printed rule that stand for each ground a finding may name; what is graded by none of them is no ground.
SAID = {
    "loss": "A loss that stands out from chance is an alert where the least that it may be",
    "risk": "where money is only at risk",
    "unasked": "where an ordinary hidden cause could explain it or was not asked for",
    "limit": "a stated limit broken",
    "data": "data that stop or do not tie",
    "fix": "a fix after which failures rose are alerts",
    "no_sum": "any other finding without a sum is at most to be watched",
    "small": "An effect that does not reach the smallest that matters is information, of a fix to be watched",
    "statement": "what is neither a loss nor a risk is information",
    "good": "What turned out for the better is marked as good",
}

Sum = tuple[float, float, float]


Reader = Callable[[Finding], Sum | None]


def ends(fact: Fact) -> Sum | None:
    if fact.value is None:
        return None
    value = float(fact.value)
    return (value, fact.interval.low, fact.interval.high) if fact.interval else (value, value, value)


def of(*names: str) -> Reader:
    """The first of these that the sentence has."""

    def read(finding: Finding) -> Sum | None:
        values: Mapping[str, Any] = finding.statement.values
        return next((ends(values[name]) for name in names if name in values), None)

    return read


def above(name: str, base: str) -> Reader:
    """An estimate over an exact sum."""

    def read(finding: Finding) -> Sum | None:
        values: Mapping[str, Any] = finding.statement.values
        found, held = ends(values[name]), float(values[base].value)
        return None if found is None else (found[0] - held, found[1] - held, found[2] - held)

    return read


def dearer(finding: Finding) -> Sum | None:
    """Net of the other accounts; where that leaves no loss, what the price of the account rose."""
    net = of("net", "excess")(finding)
    return net if net is None or net[0] > 0 else of("price_part", "net")(finding)


def fell_short(finding: Finding) -> Sum | None:
    """A promise that grows with the saving: where the saving was large, so was what was expected."""
    values: Mapping[str, Any] = finding.statement.values
    expected, saving = ends(values["expected"]), ends(values["saving"])
    assert expected is not None and saving is not None
    short = sorted((expected[2] - saving[2], expected[1] - saving[1]))
    return expected[0] - saving[0], short[0], short[1]


def lost_on_all(finding: Finding) -> Sum | None:
    """What one new customer loses, times how many the rows behind the sentence have."""
    values: Mapping[str, Any] = finding.statement.values
    value, cost, rows = ends(values["value"]), float(values["cost"].value), finding.evidence
    assert value is not None and rows is not None
    customers = int(rows.loc[rows["channel"] == values["channel"].en, "customers"].iloc[0])
    return (cost - value[0]) * customers, (cost - value[2]) * customers, (cost - value[1]) * customers


def nothing(finding: Finding) -> Sum | None:
    return None


# Each finding, by its id or what its id begins with: the grounds it may name, and its money as its sentence has it.
READ: dict[str, tuple[frozenset[str], Reader]] = {
    id: (frozenset(grounds.split()), money)
    for id, grounds, money in (
        ("costs.labour_share", "limit", nothing),
        ("costs.labour_share_of_shop", "limit", nothing),
        ("costs.shop_unit_cost", "unasked", of("excess")),
        ("costs.team_amounts", "unasked", of("excess")),
        ("costs.shop_shift", "unasked good", of("excess")),
        ("costs.demand", "unasked no_sum", of("cost")),
        ("costs.yearly", "unasked no_sum good statement", of("cost")),
        ("costs.over_budget", "loss", of("variance")),
        ("costs.unallocated", "loss", of("cost")),
        ("costs.tie_out", "data", of("difference")),
        ("costs.moved_", "statement", nothing),
        ("costs.provision_short", "loss", of("shortfall")),
        ("costs.input_price", "loss", of("cost")),
        ("costs.surge", "loss", dearer),
        ("costs.rise", "loss", dearer),
        ("costs.year_over_budget", "loss", above("expected", "budget")),
        ("costs.measure", "loss good", fell_short),
        ("costs.idle_team", "loss no_sum", of("cost")),
        ("costs.idle_months", "loss no_sum", of("cost")),
        ("costs.shops", "unasked no_sum small", of("excess")),
        ("costs.comes_back", "unasked no_sum", of("cost")),
        ("failures.not_rated", "no_sum statement", nothing),
        ("failures.excess", "loss small unasked", of("full", "cost")),
        ("failures.no_root_cause", "statement", nothing),
        ("failures.emerging", "no_sum small", nothing),
        ("failures.out_of_control", "no_sum small good", nothing),
        ("failures.wear_out", "no_sum small", nothing),
        ("failures.wear_out_by_use", "no_sum small", nothing),
        ("failures.rate_by_use", "no_sum good", nothing),
        ("failures.planned_cost_by_use", "statement", nothing),
        ("failures.services_late", "no_sum", nothing),
        ("failures.services_due", "statement", nothing),
        ("failures.overdue_services", "unasked", of("cost")),
        ("failures.early_life", "statement", nothing),
        ("failures.early_cause", "no_sum small", nothing),
        ("failures.fix", "fix small no_sum statement good", nothing),
        ("failures.outlook", "statement", nothing),
        ("failures.provision_short", "loss", above("cost", "provision")),
        ("failures.leakage_", "loss", of("amount")),
        ("failures.recovery_due", "loss", of("amount")),
        ("retention.gross_churn", "limit no_sum", nothing),
        ("retention.revenue_retention", "statement", nothing),
        *((f"retention.{name}", "unasked good", of("money")) for name in ("slow", "waited", "followed")),
        ("retention.repeat", "unasked good", of("money")),
        ("retention.group", "no_sum statement small", nothing),
        ("retention.surge", "no_sum", nothing),
        ("retention.newcomers", "statement", nothing),
        ("retention.repurchase", "no_sum good", nothing),
        ("retention.left_after_", "no_sum good", nothing),
        ("retention.contract_cohorts", "no_sum good", nothing),
        ("retention.purchase_cohorts", "no_sum good statement", nothing),
        ("retention.segments", "statement", nothing),
        ("retention.accounts", "statement", nothing),
        ("retention.call_list", "risk", of("margin")),
        ("value.worth", "statement", nothing),
        ("value.break_even", "statement", nothing),
        ("value.concentration", "statement", nothing),
        ("value.often_served", "statement", nothing),
        ("value.what_if", "statement", nothing),
        ("value.model", "no_sum", nothing),
        ("value.costly_group", "loss", of("loss")),
        ("value.change", "loss statement good", of("change")),
        ("value.at_risk", "risk", of("value")),
        ("value.below_cost", "loss", of("value")),
        ("value.service_effect", "loss unasked small", of("stake")),
        ("value.acquisition", "statement loss", lost_on_all),
        ("quality.quarantined", "limit no_sum statement", nothing),
        ("quality.silent.", "data", nothing),
        ("quality.stopped.", "data", nothing),
        ("quality.late.", "no_sum", nothing),
        ("quality.gap.", "no_sum", nothing),
        ("quality.history.", "no_sum", nothing),
        ("quality.near.", "statement", nothing),
    )
}


def read_of(finding: Finding) -> tuple[frozenset[str], Reader] | None:
    found = [id for id in READ if finding.id == id or (id[-1] in "._" and finding.id.startswith(id))]
    return READ[found[0]] if found else None


def nearest(money: Sum) -> float:
    """The least that a sum may be."""
    _, low, high = money
    return 0.0 if low <= 0 <= high else min(abs(low), abs(high))


def by_the_text(finding: Finding, money: Sum | None, *, limit: float, trivial: float) -> set[str]:
    """How grave the rule calls it, as its words go."""
    match finding.ground:
        case "limit" | "data" | "fix":
            return {"alert"}
        case "statement":
            return {"info"}
        case "good":
            return {"good"}
        case "small":
            return {"watch"} if finding.id == "failures.fix" else {"info"}
        case _ if money is None:  # at most to be watched
            return {"watch", "info"}
    if finding.ground == "loss" and nearest(money) >= limit:
        return {"alert"}
    return {"watch"} if abs(money[0]) >= trivial else {"info"}


def beyond(fact: Fact, least: float) -> bool:
    limits = fact.interval
    return limits is not None and (limits.low >= 1 + least or limits.high <= 1 - least)


def reaches(finding: Finding, least: Mapping[str, float]) -> bool | None:
    """Whether an effect reaches the smallest that matters; None where a finding states none."""
    values: Mapping[str, Any] = finding.statement.values
    if finding.id in ("failures.excess", "failures.emerging", "failures.early_cause"):
        return beyond(values["ratio"], least["failure_least_effect"])
    if finding.id == "failures.fix" and finding.ground in ("fix", "small"):
        return beyond(values["ratio"], least["failure_least_effect"])
    if finding.id in ("failures.wear_out", "failures.wear_out_by_use"):
        return beyond(values["shape"], least["failure_least_shape"])
    if finding.id == "costs.shops":
        per = 1000 if values["difference"].unit.endswith("1000_orders") else 1
        return abs(float(values["difference"].value)) / per >= least["shop_least_effect"]
    if finding.id == "value.service_effect":
        effects = [values[name] for name in ("effect", "other") if name in values]
        return max(abs(float(fact.value)) for fact in effects) >= least["value_least_effect"]
    return None


def crossed(finding: Finding) -> bool | None:
    """Whether a stated limit is surely broken, where the sentence has both; None where it has no such pair."""
    values: Mapping[str, Any] = finding.statement.values
    if finding.id in ("costs.labour_share", "costs.labour_share_of_shop"):
        return float(values["share"].value) > float(values["limit"].value)
    if finding.id == "retention.gross_churn":
        return float(values["churn"].interval.low) > float(values["limit"].value)
    return None


def broken(
    finding: Finding, *, limit: float, trivial: float, rule: str, least: Mapping[str, float]
) -> Iterator[str]:
    """What in a finding is not as the printed rule has it."""
    known = read_of(finding)
    if known is None:
        yield f"{finding.id}: say in tests/severity_rule.py by which part of the rule it is graded"
        return
    grounds, read = known
    if finding.ground not in grounds:
        yield f"{finding.id}: graded as {finding.ground}; it may be {sorted(grounds)}"
    if SAID[finding.ground] not in rule:
        yield f"{finding.id}: the printed rule does not name “{SAID[finding.ground]}”"
    if (found := reaches(finding, least)) is not None and found == (finding.ground == "small"):
        yield f"{finding.id}: graded as {finding.ground}, its effect {'reaches' if found else 'does not reach'} the smallest that matters"
    if (over := crossed(finding)) is not None and over != (finding.ground == "limit"):
        yield f"{finding.id}: graded as {finding.ground}, its limit is {'' if over else 'not '}broken"
    money = read(finding) if finding.ground in ("loss", "risk", "unasked", "data") else None
    allowed = by_the_text(finding, money, limit=limit, trivial=trivial)
    if finding.severity not in allowed:
        yield f"{finding.id}: {finding.severity}, by the rule {sorted(allowed)} ({money})"
    carried = None if finding.stake is None else (finding.stake.amount, finding.stake.low, finding.stake.high)
    if not _same(carried, money):
        yield f"{finding.id}: carries {carried}, its sentence says {money}"


def _same(carried: Sum | None, said: Sum | None) -> bool:
    if carried is None or said is None:
        return carried is said
    size = max(1.0, *(abs(one) for one in said))
    return all(abs(one - other) <= 1e-6 * size for one, other in zip(carried, said, strict=True))
