"""Exhibits of the executive summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from analysis.executive import (
    Benchmarked,
    Change,
    ExecutiveStudy,
    Headline,
    SpanLine,
    in_one_order,
    not_tested,
)
from analysis.exhibits.estimates import interval_lines
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.record import Block
from analysis.exhibits.shape import references
from analysis.exhibits.specification import (
    change_label,
    estimate,
    group,
    level_head,
    metric,
    table_of,
    tile,
    words,
)
from analysis.exhibits.statements import callout
from analysis.exhibits.vocabulary import Comparison, Status, Tile, Tone, phrase
from analysis.locale import Text
from analysis.locale.lengths import of_length
from analysis.results import Check, Fact, Sentence

_TONE: dict[str, Tone | None] = {"good": "good", "bad": "bad", "noise": "muted", "neutral": None}


ASKED_APART = ("failures", "retention", "value")
ALWAYS_SHOWN = frozenset({"ledger_tied_out", "rows_conserved"})


def headline_tiles(study: ExecutiveStudy) -> Block:
    """One tile a headline: the figure, its change on the period before and on the year before, and its last periods."""
    return tiles("executive.headlines", [_tile(headline) for headline in study.headlines])


def tiles_of_sections(
    tiles: Mapping[str, list[dict[str, Any]]], facts: Iterable[dict[str, Any]], *, each: int = 1
) -> Block | None:
    """The first key figure of each section whose question the headlines do not answer: failures, churn, customer value."""
    chosen = [tile for section in ASKED_APART for tile in tiles.get(section, [])[:each]]
    if not chosen:
        return None
    used = set(references(chosen))
    return Block(
        {
            "version": 1,
            "kind": "tiles",
            "id": "executive.sections",
            "gathered": True,
            "tiles": chosen,
            "facts": [fact for fact in facts if fact["id"] in used],
            "untranslated": [],
        }
    )


CHANGES = ("point_change", "relative_change")


def _tile(headline: Headline) -> Tile:
    status: Status | None = "alert" if headline.crossed else None
    # a figure that could not be computed says why once, not again for each month it would be compared with
    id, fact = headline.metric.id, headline.fact
    comparisons = (
        []
        if fact.value is None
        else [*interval_lines(id, fact), *(_comparison(change) for change in headline.changes)]
    )
    return tile(id, fact, status=status, comparisons=comparisons, history=headline.history)


def _comparison(change: Change) -> Comparison:
    value: Fact | Sentence = change.change
    if change.reading == "noise":
        value = Sentence("{change:signed}, could be noise", {"change": change.change})
    label = change_label(str(dict(change.change.dimensions)["against"]))
    return Comparison(label=label, value=value, tone=_TONE[change.reading], metric=CHANGES)


def headline_table(study: ExecutiveStudy) -> Block:
    """The headlines with interval and basis, for the reader who signs."""
    ids, period = [headline.metric.id for headline in study.headlines], study.period
    # of a year the year before is the one before
    earlier = [
        estimate(*ids, of=key, head=level_head(against), period=str(one))
        for key, (against, one) in zip(("previous", "before"), period.compared.items(), strict=False)
    ]
    return table_of(
        "executive.table",
        title=Sentence("The headlines of {month}, with their basis", {"month": period}),
        subtitle=_basis([headline.fact for headline in study.headlines]),
        rows=[_line(headline) for headline in study.headlines],
        columns=[
            words("metric", "Metric", wide=True),
            estimate(*ids, of="now", head=of_length("This month", period.months), period=str(period)),
            *earlier,
            estimate(*CHANGES, of="change", head="Change on year before", signed=True),
        ],
    )


def spans_table(study: ExecutiveStudy) -> Block | None:
    """Where the year stands: the headlines over the year so far and over the last twelve months, each against a year earlier."""
    lines = [line for span in study.spans for line in span.lines]
    if not any(line.fact.value is not None for line in lines):
        return None
    ids = list(dict.fromkeys(line.metric.id for line in lines))
    columns = [
        words("metric", "Metric", wide=True),
        estimate(*ids, of="now", head="This span"),
        estimate(*ids, of="before", head="A year earlier"),
        estimate(*CHANGES, of="change", head="Change", signed=True),
        estimate("events_difference", of="events", head="Events", signed=True, places=0),
    ]
    saved = any(line.per_event is not None and line.per_event.value is not None for line in lines)
    if saved:
        columns.append(estimate("saved_per_event", of="per_event", head="Saved per event"))
    rows: list[Any] = []
    for span in study.spans:
        months = {"first": span.period.first, "last": span.period.last}
        rows.append(group(Sentence(SPANS[span.name], months).text(), columns))
        rows += [_span_line(line) for line in span.lines]
    return table_of(
        "executive.years",
        title=Sentence("Where the year stands against the year before"),
        subtitle=Sentence(
            "A change of a rate is tested over the whole span, so it may show what no single month does. Events: those more or fewer than at the earlier rate, among this span's cases."
        ),
        rows=rows,
        columns=columns,
        note=Sentence("Saved per event: only where both fell; the two happened together, no more is said.")
        if saved
        else None,
    )


_STANDING = {"above": "above", "below": "below", "same": "not told apart", "unknown": "not computed"}


def benchmarks_table(study: ExecutiveStudy) -> Block | None:
    """What others published of the same measures, beside ours of the last twelve months; None where nothing is stated."""
    if not study.benchmarks:
        return None
    ids = list(dict.fromkeys(one.metric.id for one in study.benchmarks))
    return table_of(
        "executive.benchmarks",
        title=Sentence("Our figures beside what others published"),
        subtitle=Sentence(
            "Last twelve months here; published values with their population, source and day. Not told apart: our interval holds theirs. What is behind a difference is not said."
        ),
        rows=study.benchmarks,
        columns=[
            words(lambda one: one.metric.name, "Metric", key="metric", wide=True),
            estimate(*ids, of="ours", head="Here"),
            metric("benchmark", of="theirs", head="Published"),
            words(lambda one: Text.of(_STANDING[one.standing]), "Here is", key="standing"),
            words(lambda one: one.stated.population, "Population", key="population", wide=True),
            words(_published, "Source and day", key="source", wide=True),
        ],
    )


def _published(one: Benchmarked) -> Text:
    return phrase("{source}, {day}", source=one.stated.source, day=one.stated.date)


SPANS = {
    "Year to date": "Year to date, {first} to {last}",
    "Last twelve months": "Last twelve months, {first} to {last}",
}


def _span_line(line: SpanLine) -> dict[str, Any]:
    return {
        "metric": line.metric.name,
        "now": line.fact,
        "before": line.change.base,
        "change": line.change.change,
        "events": line.events,
        "per_event": line.per_event,
    }


def _basis(facts: Iterable[Fact]) -> Sentence:
    """Where intervals are to be looked for, and at which level they are unless another is said."""
    known = next((fact for fact in facts if fact.interval is not None), None)
    if known is None:
        return Sentence("Exact accounting figures have no interval.")
    return Sentence(
        "Exact accounting figures have no interval; rates have one, at {known:level} as everywhere in this report where no other level is said.",
        {"known": known},
    )


def _line(headline: Headline) -> dict[str, Any]:
    last, year = headline.changes[0], headline.changes[-1]
    return {
        "metric": headline.metric.name,
        "now": headline.fact,
        "previous": last.base,
        "before": year.base,
        "change": year.change,
    }


def findings_of_sections(
    findings: Mapping[str, list[dict[str, Any]]],
    facts: Iterable[dict[str, Any]],
    *,
    top: int,
    months: int = 1,
) -> Block:
    """Findings the other sections have recorded, as one block: the first ``top`` that need a decision, in one order.

    ``months`` is how many the report is of.
    """
    chosen = in_one_order(findings)[:top]
    used = set(references(chosen))
    empty = Sentence(of_length("No section reports a finding this month.", months))
    return Block(
        {
            "version": 1,
            "kind": "findings",
            "id": "executive.findings",
            "gathered": True,
            "findings": chosen,
            "empty": empty.as_json(),
            "facts": [fact for fact in facts if fact["id"] in used],
            "untranslated": [],
        }
    )


def findings_not_shown(findings: Mapping[str, list[dict[str, Any]]], *, top: int) -> list[Block]:
    """How many findings that need a decision stand after the first ``top``; nothing where all are shown."""
    every = in_one_order(findings)
    if len(every) <= top:
        return []
    return [
        callout(
            "executive.findings_not_shown",
            tone="info",
            title=Sentence(
                "These are the first {shown} of {all} findings that need a decision; the others stand in their sections.",
                {"shown": str(top), "all": str(len(every))},
            ),
        )
    ]


def checks_of_sections(
    checks: Mapping[str, list[dict[str, Any]]], facts: Iterable[dict[str, Any]], own: Iterable[Check] = ()
) -> Block:
    """What the signer must know: the checks that failed, the tie-out, the summary's own, and every question that could not be asked.

    All checks stand in the appendix.
    """
    own = list(own)
    chosen = [
        check
        for section, entries in checks.items()
        if section != "executive"
        for check in entries
        if check["outcome"] == "failed" or check["id"] in ALWAYS_SHOWN
    ]
    chosen += [check.as_json() for check in own]
    chosen.sort(key=lambda check: (check["outcome"] != "failed", check["id"]))
    others = {section: entries for section, entries in checks.items() if section != "executive"}
    chosen += [dict(check) for check in not_tested(others)]
    known = {fact["id"]: fact for fact in facts}
    known |= {fact.id: fact.as_json() for check in own for fact in check.sentence.facts()}
    used = {
        segment.get("fact")
        for check in chosen
        for segments in check["sentence"].values()
        for segment in segments
    }
    return Block(
        {
            "version": 1,
            "kind": "checks",
            "id": "executive.checks",
            "gathered": True,
            "checks": chosen,
            "facts": [fact for fact in known.values() if fact["id"] in used],
            "untranslated": [],
        }
    )
