"""Exhibits of what comes back: each group's work against the same work of all others, and the shares by month."""

from __future__ import annotations

from analysis.costs.comebacks_facts import ComebackLine, Returning
from analysis.costs.cost_study import CostStudy
from analysis.exhibits.record import Block
from analysis.exhibits.specification import Field, count, estimate, group, metric, row_of, table_of, words
from analysis.exhibits.statements import not_computed
from analysis.exhibits.vocabulary import Row
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.periods import Month
from analysis.results import Sentence

WAY_NAMES = {
    "reopened": Text.of("Opened again"),
    "repeated": Text.of("Done again"),
    "complained": Text.of("Followed by a complaint"),
}
_LISTED = 3
MOST_LINES = 6


def comebacks_table(study: CostStudy) -> Block:
    """Every group's work over twenty-four months by way of coming back, against the same work of all others."""
    found = study.returning
    if isinstance(found, NotDone):
        return not_computed(found, id="costs.comebacks", what=Text.of("What comes back, and from whom"))
    columns: list[Field] = [
        words("name", "Whose work", wide=True),
        count("comeback_group_share", of="share", head="Resolved orders"),
        metric("comeback_group_share", of="share", head="Came back", key="share", places=1),
        metric("comeback_expected_share", of="expected", head="At the others' rate", places=1),
        estimate("comeback_ratio", of="ratio", head="Times as often", places=1),
        words("verdict", "Beyond chance"),
    ]
    rows: list[Row] = []
    for way in found.ways:
        if way.lines:
            rows.append(group(WAY_NAMES[way.name], columns))
            rows += [_row(line, columns) for line in sorted(way.lines, key=_furthest)[:MOST_LINES]]
    return table_of(
        "costs.comebacks",
        title=_title(found),
        subtitle=Sentence(
            "Orders resolved from {first} to {last} and followed to their end; each group against all others at the same kind of work, component and twelve months; intervals in brackets",
            {"first": found.period.first, "last": found.period.last},
        ),
        columns=columns,
        rows=rows,
        note=Sentence(
            "Of each way the groups furthest above the others are listed. Only work that others do too is compared, so orders may be fewer than a group has. Said to come back more often only where chance does not explain it over all comparisons together. Source: tickets, staff and, where there are any, parts used."
        ),
    )


def _furthest(line: ComebackLine) -> tuple[bool, float]:
    """What stands apart first, then by the lower limit."""
    limits = line.ratio.interval
    return not line.apart, -limits.low if limits else 0.0


def _row(line: ComebackLine, columns: list[Field]) -> Row:
    verdict = Text.of("comes back more often") if line.apart else None
    cells = {
        "name": line.name,
        "share": line.share,
        "expected": line.expected,
        "ratio": line.ratio,
        "verdict": verdict,
    }
    return row_of(cells, columns, by=tuple(line.place))


def _title(found: Returning) -> Sentence:
    """Whose work stands out, or that nobody's does."""
    names = [line.name for line in found.apart][:_LISTED]
    if names:
        return Sentence(
            "Comes back more often than the same work of others: {names}", {"names": Text.joined(names)}
        )
    return Sentence("No group's work comes back more often than the same work of others, beyond chance")


def comebacks_month_table(study: CostStudy) -> Block | None:
    """What came back by month of resolution; a month whose days of follow-up are not over is blank."""
    found = study.returning
    if isinstance(found, NotDone):
        return None
    columns = [
        words("month", "Month"),
        *(
            estimate(
                "comeback_share",
                of=way.name,
                key=way.name,
                head=WAY_NAMES[way.name],
                slice={"way": way.name},
                places=1,
            )
            for way in found.ways
        ),
    ]
    rows = [
        {
            "month": Month.parse(str(facts[0].period)),
            **{way.name: fact for way, fact in zip(found.ways, facts, strict=True)},
        }
        for facts in zip(*(way.months for way in found.ways), strict=True)
    ]
    return table_of(
        "costs.comebacks_month",
        title=Sentence("What came back, by month of resolution"),
        subtitle=Sentence("Share of the resolved orders of the month, intervals in brackets"),
        columns=columns,
        rows=rows,
    )
