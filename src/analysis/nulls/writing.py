"""The page on false findings and coverage, written from records; no number in it is typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from analysis.nulls.counting import (
    PROMISED,
    STANDARD_ERRORS,
    TRUE_HERE,
    Tally,
    at_least,
    at_most,
    covered,
    tallied,
)
from analysis.nulls.running import Record

#: What each kind of finding is looked for in, by study.
TESTED = {
    "costs": "teams paid for unused hours, steps of part prices, surges and rises of accounts, and registered measures said to have delivered",
    "failures": "causes of failures, cells that are new, the report month out of control, components that wear out or fail early, and fixes said to have worked or to have made it worse",
    "retention": "four service experiences against loss, repurchase and leaving after service, cohorts of contracts and of buyers, segments, groups of customers against all others, and months of many losses",
    "value": "every registered treatment against repurchase and staying under contract",
    "quality": "every table and numeric column against its own past, and columns that fell silent",
}
EXEMPT = (
    "Rule-based statements of what is so: tie-out, budget, gross churn above its limit (contracts of the invented company do end more often than its limit), labour share, unallocated postings, "
    "values at risk and call lists.",
    "A registered measure or fix that brought nothing, or that it is too early for: with nothing planted that is the truth, so only “delivered”, “worked” and “made it worse” count.",
    "That repairs with follow-ups cost more (`retention.chain.contacts_to_cost`). Orders that repeat work which did not hold always take a further contact and cost about 4% more, planted or not: a true ratio near 1.01, shown in a few companies, listed and not counted.",
    "The warranty provision of one product line. The invented company accrues one share of sales for all lines while their claims differ, planted or not, so a line that is short is truly short.",
)


GOAL, PLANTED_GOAL = 400, 100
PLANTED_HEADING = "## Intervals against planted truths"


def write_page(
    page: Path, records: Sequence[Record] = (), planted: Sequence[Record] = (), *, scale: float
) -> str:
    """Write the page and return its text.

    Parameters
    ----------
    records, planted : companies with nothing planted, and with truths planted; the part of the page that none are given for stays as it is
    """
    before, heading, after = (
        (page.read_text(encoding="utf-8") if page.is_file() else "").rstrip().partition(PLANTED_HEADING)
    )
    first = "\n".join(_page(records, scale=scale)) if records else before.rstrip()
    last = "\n".join(_coverage(planted)) if planted else heading + after
    text = "\n\n".join(part for part in (first, last) if part) + "\n"
    page.write_text(text, encoding="utf-8")
    return text


def _page(records: Sequence[Record], *, scale: float) -> list[str]:
    alarms, shown = tallied(records, "alarms"), tallied(records, "shown")
    units, customers, orders = (f"{round(size * scale, -2):,.0f}" for size in (120_000, 40_000, 20_000))
    return [
        "# False findings where nothing is planted",
        "",
        f"Written by `make nulls SEEDS={len(records)}` (or `analysis nulls --seeds {len(records)}`); a run that was stopped goes on where it stood.",
        "",
        f"An invented company is made from each seed with nothing planted in it, at {scale:g} times the size of the sample: about {units} machines, {customers} customers and {orders} service orders "
        "per year, three years of records. That is about the smallest company in which the tests have the cases that they ask for (a treatment needs a stated number of cases gone wrong); what a company was too "
        "small for is counted below. Each study then makes all of its tests with its own code, on tables that a unit test holds to what the load makes of the same company.",
        "",
        f"A study may make any finding in at most {PROMISED:.0%} of such companies. With this many companies a rate up to {PROMISED:.0%} plus {STANDARD_ERRORS:g} standard errors is taken for that promise; above it the study fails. "
        "Intervals are Wilson's at 95%.",
        "",
        *_so_far(len(records), GOAL, f"and a rate up to {at_most(GOAL):.1%} would hold"),
        "## Findings to be alarmed by",
        "",
        "Companies with at least one finding of severity alert or watch, by study and by kind.",
        "",
        *_table(alarms),
        "",
        "## Effects declared shown",
        "",
        "Companies with at least one effect that is declared, whatever its size: what survives the correction for many tests and is then too small to be an alarm counts here as well. The links of the chain from service to loss and the effects within "
        "groups of customers are read, not reported as findings; each of the two is corrected for its number by itself.",
        "",
        *_table(shown),
        "",
        "## What is tested",
        "",
        *(f"- {study}: {TESTED[study]}" for study in dict.fromkeys(one.study for one in alarms)),
        "",
        "## What is no false finding",
        "",
        *(f"- {line}" for line in EXEMPT),
        "",
        *_not_tested(records),
    ][:-1]


def _so_far(companies: int, goal: int, then: str) -> list[str]:
    """Said while fewer companies were studied than are asked for."""
    if companies >= goal:
        return []
    return [
        f"**{companies} companies so far.** {goal} are asked for, {then}; with fewer the judgement is coarser, and the same command with SEEDS={goal} goes on.",
        "",
    ]


def _table(tallies: Sequence[Tally]) -> list[str]:
    rows = [
        "| Study | Kind | Companies with one | Companies | Rate | 95% interval | At most | Judgement |",
        "|---|---|---:|---:|---:|---|---:|---|",
    ]
    for one in tallies:
        judged = "holds" if one.holds else "fails"
        if one.kind:
            judged = "true here" if one.kind in TRUE_HERE else ""
        rows.append(
            f"| {'' if one.kind else one.study} | {f'`{one.kind}`' if one.kind else 'any'} | {one.found} | {one.companies} | {one.rate:.1%} | "
            f"{one.low:.1%} to {one.high:.1%} | {'' if one.kind else f'{at_most(one.companies):.1%}'} | {judged} |"
        )
    return rows


def _not_tested(records: Sequence[Record]) -> list[str]:
    """How many companies were too small for a test."""
    left = Counter(
        (study, part)
        for record in records
        for study, answer in record.answers.items()
        for part in answer.not_tested
    )
    if not left:
        return []
    return [
        "## What some companies were too small for",
        "",
        *(
            f"- {study}, {part}: {count} of {len(records)} companies"
            for (study, part), count in sorted(left.items())
        ),
        "",
    ]


def _coverage(planted: Sequence[Record]) -> list[str]:
    """How often the interval of an estimate held the truth."""
    return [
        PLANTED_HEADING,
        "",
        f"Written by `make nulls PLANTED=1 SEEDS={len(planted)}` (or `analysis nulls --planted --seeds {len(planted)}`).",
        "",
        "Companies of the same size with every truth of the sample planted except the bad batch, which multiplies the failures that other machines are compared with. An interval at 95% should hold its truth in 95% of companies; "
        f"a share down to that minus {STANDARD_ERRORS:g} standard errors is taken for it. An estimate that a company was too small for, or whose search found nothing, states nothing; a search states what stood out, which is a little too large where it "
        "was found by its size. The failure ratio of a supplier is one of many intervals that hold together, so each is wider than 95% asks for.",
        "",
        *_so_far(
            len(planted),
            PLANTED_GOAL,
            f"and a share down to {at_least(PLANTED_GOAL, promised=1 - PROMISED):.1%} would hold",
        ),
        "| Study | Estimate | Held | Stated | Companies | Share | 95% interval | At least | Judgement |",
        "|---|---|---:|---:|---:|---:|---|---:|---|",
        *(
            f"| {one.study} | {one.estimate} | {one.held} | {one.stated} | {one.companies} | {one.rate:.1%} | {one.low:.1%} to {one.high:.1%} | {one.limit:.1%} | {'holds' if one.holds else 'fails'} |"
            if one.stated
            else f"| {one.study} | {one.estimate} | 0 | 0 | {one.companies} |  |  |  | not stated |"
            for one in covered(planted)
        ),
    ]
