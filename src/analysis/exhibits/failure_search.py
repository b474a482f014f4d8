"""Exhibits of the search for causes: what it named, one attribute at a time, and how much it can be trusted to find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.exhibits.failure_shared import RATIO, is_above, or_nothing, or_said, rate_ratios, source
from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.specification import (
    count,
    estimate,
    interval,
    label,
    metric,
    named,
    registry,
    row_of,
    table_of,
    words,
)
from analysis.exhibits.statements import callout
from analysis.exhibits.vocabulary import phrase
from analysis.failures.localising_facts import CauseFacts, cause_slice
from analysis.failures.result import FailureStudy
from analysis.locale import Text
from analysis.periods import Month
from analysis.results import Fact, Sentence, Value

if TYPE_CHECKING:
    from analysis.exhibits.charts import Item

RATIOS_SHOWN = 2
COMPARED = ("supplier", "model", "plant", "region")


@or_said
def causes_table(study: FailureStudy) -> Block:
    """Ranked causes, or that there is none."""
    searched: dict[str, Value] = {
        "candidates": study.candidates,
        "error": study.search_error,
        "others": study.others,
    }
    if not study.causes:
        return callout(
            "failures.causes",
            tone="info",
            title=Sentence("No root cause found"),
            body=Sentence(
                "None of {candidates} combinations of attributes fails more than chance allows, at a stated chance of {error} of naming any when there is none.",
                searched,
            ),
        )
    columns = [
        words("name", "Cause", key="cause", wide=True),
        metric("cause_rate_ratio", of="ratio", head="Rate ratio"),
        interval("cause_rate_ratio", of="ratio"),
        metric("cause_rate_ratio_corrected", of="corrected", head="Corrected"),
        metric("cause_failures", of="failures", head="Failures", places=0),
        metric("cause_expected_failures", of="expected", head="Expected", places=1),
        words("first_month", "Beyond chance since", key="first"),
    ]
    return table_of(
        "failures.causes",
        title=Sentence("Causes that survive a search over {candidates} combinations", searched),
        subtitle=Sentence(
            "Compared with {others} in the same months; chance of naming any when there is none: at most {error}",
            searched,
        ),
        columns=columns,
        rows=[row_of(cause, columns, by=tuple(cause_slice(cause.cause))) for cause in study.causes],
        note=Sentence(
            "Intervals and the corrected ratio allow for the search having chosen the cause because its count was high. Serials and tickets are in the evidence of each finding."
        ),
    )


@or_nothing
def causes_cost_table(study: FailureStudy) -> Block | None:
    """What the failures in excess of each cause are of all failures, and what they cost."""
    if not study.causes:
        return None
    columns = [
        words("name", "Cause", key="cause", wide=True),
        estimate("cause_share_explained", of="share", head="Excess, share of all failures"),
        estimate("cause_excess_cost", of="cost", head="Excess, direct"),
        estimate(
            "cause_full_cost",
            of=lambda cause: cause.labour.full if cause.labour else None,
            key="full",
            head="With labour",
        ),
    ]
    return table_of(
        "failures.causes_cost",
        title=Sentence("What each cause adds to failures and cost"),
        subtitle=Sentence(
            "Failures above those expected, in the whole window; blank: hours of own staff are not known"
        ),
        columns=columns,
        rows=[row_of(cause, columns, by=tuple(cause_slice(cause.cause))) for cause in study.causes],
    )


@or_nothing
def cause_figures(study: FailureStudy, *, top: int = 2) -> list[Block]:
    """Actual and expected failures of the leading causes, added up over the months."""
    return [_cause_figure(study, cause, number) for number, cause in enumerate(study.causes[:top], start=1)]


def _cause_figure(study: FailureStudy, cause: CauseFacts, number: int) -> Block:
    from analysis.exhibits.charts import Series, lines

    def ends(facts: Sequence[Fact]) -> list[tuple[Month, Fact]]:
        return [(study.window.first + k, fact) for k, fact in enumerate(facts)]

    values: dict[str, Value] = {"cause": cause.name, "failures": cause.failures, "first": cause.first_month}
    known = cause.expected.value is not None
    series = [Series(name=Text.of("Counted"), points=ends(cause.actual_by_month), role="focus")]
    if known:
        values["expected"] = cause.expected
        series.append(Series(name=Text.of("Expected"), points=ends(cause.expected_by_month), role="expected"))
    return figure(
        f"failures.cause_{number}",
        title=Sentence(
            "{cause}: {failures} where {expected}{expected:doubt} were to be expected"
            if known
            else "{cause}: {failures}; how many were to be expected is beyond the data",
            values,
        ),
        subtitle=Sentence(
            "Confirmed failures since the start of the window, added up; expected at the same ages and months"
        ),
        foot=source(study),
        alt=Sentence(
            "Running number of failures of {cause}: {failures} counted, {expected} expected; beyond chance since {first}."
            if known
            else "Running number of failures of {cause}: {failures} counted; beyond chance since {first}.",
            values,
        ),
        draw=lines(series, measure=Text.of("Failures, running total")),
    )


@or_said
def ratio_figure(study: FailureStudy) -> Block:
    """Actual to expected along each attribute by itself."""
    from analysis.exhibits.charts import Item, dot_interval

    items = [
        Item(
            name=phrase("{attribute} {value}", attribute=registry().dimension_name(dimension), value=name),
            fact=fact,
        )
        for dimension, lines in study.ratios.items()
        if dimension in COMPARED
        for name, fact in lines[:RATIOS_SHOWN]
        if fact.value is not None
    ]
    if not items:
        return callout(
            "failures.ratios",
            tone="info",
            title=Sentence("The machines differ in no attribute: there is nothing to compare."),
        )
    largest = max(items, key=lambda item: float(item.fact.value or 0))
    attributes = _attributes(study)
    values: dict[str, Value] = {"name": largest.name, "ratio": largest.fact, "attributes": attributes}
    values["others"] = study.others
    return figure(
        "failures.ratios",
        title=_highest(items, attributes),
        subtitle=Sentence(
            "Failures over those that all {others} would have had in the same months; the two highest of each of these attributes, others are not compared here; the intervals hold together, each at {ratio:level}",
            values,
        ),
        foot=source(study),
        alt=Sentence(
            "Dots with intervals of actual to expected failures by {attributes}; the highest is {name} with {ratio}.",
            values,
        ),
        draw=dot_interval(items, measure=Text.of(RATIO), by=Text.of("Attribute"), reference=1.0, log=True),
    )


def _attributes(study: FailureStudy) -> Text:
    """The attributes of the chart: what stands highest does so among their values alone."""
    names = (
        registry().dimension_name(dimension)
        for dimension, lines in study.ratios.items()
        if dimension in COMPARED and any(fact.value is not None for _, fact in lines[:RATIOS_SHOWN])
    )
    return Text.joined(Text(en=name.en.lower(), zh=name.zh) for name in names)


def _highest(items: Sequence[Item], attributes: Text) -> Sentence:
    """A value is called the highest only where its interval lies above those of all others; together the intervals hold."""
    ordered = sorted(items, key=lambda item: -float(item.fact.value or 0))
    first, rest = ordered[0], ordered[1:]
    above = [item for item in ordered if item.fact.interval is not None and item.fact.interval.low > 1]
    if first in above and all(is_above(first.fact, other.fact) for other in rest):
        values: dict[str, Value] = {"name": first.name, "ratio": first.fact, "attributes": attributes}
        return Sentence(
            "By {attributes}, one at a time, {name} stands highest: {ratio} as many as other machines ({ratio:interval})",
            values,
        )
    if above:
        return Sentence(
            "By {attributes}, one at a time, beyond chance above other machines: {names}",
            {"names": Text.joined(named(item.name) for item in above), "attributes": attributes},
        )
    return Sentence(
        "By {attributes}, one at a time, none fails more often than other machines beyond chance",
        {"attributes": attributes},
    )


# ---------------------------------------------------------------- how much it can be trusted to find


@or_said
def power_table(study: FailureStudy) -> Block:
    """What the search can find: chance of detection by size and strength."""
    sizes = sorted({due for due, _ in study.power})
    return table_of(
        "failures.power",
        title=Sentence("What the search can find"),
        subtitle=Sentence(
            "Chance that a single attribute value with this rate ratio in one component is named, by the failures expected on its machines"
        ),
        rows=[{ratio: fact for (due, ratio), fact in study.power.items() if due == size} for size in sizes],
        by=("expected",),
        columns=[
            label("expected", head="Failures expected", wide=False),
            *rate_ratios("search_power", (ratio for _, ratio in study.power)),
        ],
        note=Sentence(
            "Source: worked out for a search over the service orders and installed base of {first} to {last}.",
            {"first": study.window.first, "last": study.window.last},
        ),
    )


_SIMULATED = "Source: simulated fields with a known truth, the same every month; the counts are kept in params/simulated."


@or_nothing
def simulated_tables(study: FailureStudy) -> list[Block]:
    """How often the study was right, and how often it alarmed, where the truth is known; nothing where no counts are kept."""
    if not study.simulated:
        return []
    right: dict[str, dict[float, Fact]] = {}
    for one in study.simulated:
        if one.ratio > 1:
            right.setdefault(one.planted, {})[one.ratio] = one.share
    behind = sorted(
        (fact for shares in right.values() for fact in shares.values()), key=lambda fact: fact.n or 0
    )
    return [
        table_of(
            "failures.simulated",
            title=Sentence("How often the planted fault is named first"),
            subtitle=Sentence(
                "Share of simulated fields in which the first cause named is the planted one with its component; 100 failures expected without the fault; {fewest:n} to {most:n} fields behind each share",
                {"fewest": behind[0], "most": behind[-1]},
            ),
            rows=right.values(),
            by=("planted",),
            columns=[
                label("planted"),
                *rate_ratios("simulated_right", (ratio for shares in right.values() for ratio in shares)),
            ],
            note=Sentence(_SIMULATED),
        ),
        table_of(
            "failures.simulated_alarms",
            title=Sentence("How often something is named although nothing is planted"),
            subtitle=Sentence("Share of simulated fields with any finding"),
            rows=[one for one in study.simulated if one.ratio == 1],
            by=("planted",),
            columns=[
                label("planted"),
                metric("simulated_alarms", of="share", head="Alarms"),
                interval("simulated_alarms", of="share"),
                count("simulated_alarms", of="share", head="Fields"),
            ],
            note=Sentence(_SIMULATED),
        ),
    ]
