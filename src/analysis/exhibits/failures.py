"""Exhibits of the failure section: result in, block out, no arithmetic beyond layout.

Here: key figures, the rate, what is new, fixes, the customer's words. By topic beside it: ``failure_search`` (causes),
``failure_ranking`` (triangle, Pareto, cost), ``failure_life``, ``failure_outlook``, ``failure_trees``.
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.exhibits.estimates import estimate_line, interval_lines
from analysis.exhibits.failure_life import ages_table as ages_table
from analysis.exhibits.failure_life import life_table as life_table
from analysis.exhibits.failure_life import models_table as models_table
from analysis.exhibits.failure_life import probability_plot as probability_plot
from analysis.exhibits.failure_life import repairs_figure as repairs_figure
from analysis.exhibits.failure_life import survival_figure as survival_figure
from analysis.exhibits.failure_outlook import forecast_figure as forecast_figure
from analysis.exhibits.failure_outlook import obligation_table as obligation_table
from analysis.exhibits.failure_outlook import parts_table as parts_table
from analysis.exhibits.failure_ranking import cost_table as cost_table
from analysis.exhibits.failure_ranking import pareto_figure as pareto_figure
from analysis.exhibits.failure_ranking import pareto_table as pareto_table
from analysis.exhibits.failure_ranking import recovery_table as recovery_table
from analysis.exhibits.failure_ranking import triangle_figure as triangle_figure
from analysis.exhibits.failure_search import cause_figures as cause_figures
from analysis.exhibits.failure_search import causes_cost_table as causes_cost_table
from analysis.exhibits.failure_search import causes_table as causes_table
from analysis.exhibits.failure_search import power_table as power_table
from analysis.exhibits.failure_search import ratio_figure as ratio_figure
from analysis.exhibits.failure_search import simulated_tables as simulated_tables
from analysis.exhibits.failure_shared import RATIO
from analysis.exhibits.failure_shared import or_nothing as _or_nothing
from analysis.exhibits.failure_shared import or_said as _or_said
from analysis.exhibits.failure_shared import source as _source
from analysis.exhibits.failure_trees import fault_tree_figures as fault_tree_figures
from analysis.exhibits.failure_use import missed_table as missed_table
from analysis.exhibits.failure_use import planned_table as planned_table
from analysis.exhibits.failure_use import services_table as services_table
from analysis.exhibits.failure_use import use_components_table as use_components_table
from analysis.exhibits.failure_use import use_cost_table as use_cost_table
from analysis.exhibits.failure_use import use_lives_table as use_lives_table
from analysis.exhibits.failure_use import use_slices_table as use_slices_table
from analysis.exhibits.failure_use import use_table as use_table
from analysis.exhibits.figures import figure
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.record import Block
from analysis.exhibits.specification import (
    entry,
    estimate,
    interval,
    label,
    metric,
    registry,
    statement,
    table_of,
    tile,
    words,
)
from analysis.exhibits.statements import callout, not_computed
from analysis.exhibits.style import Drawing
from analysis.exhibits.vocabulary import Tile, phrase
from analysis.failures.fixes_facts import FixFacts
from analysis.failures.forecasting_facts import DIRECT, FULL
from analysis.failures.monitoring_facts import ChartFacts, PhaseFacts
from analysis.failures.result import FailureStudy, NotRated
from analysis.locale import Text
from analysis.metrics import NotDone, Period
from analysis.periods import Month
from analysis.results import Fact, Sentence, Value

RATE, REPEATS = "failure_rate", "repeat_repair_rate_30d"
TERMS_SHOWN, MONTHS_SHOWN = 2, 4


def not_rated(study: FailureStudy | NotRated) -> Block | None:
    """Which data are missing, where failures cannot be rated."""
    return not_computed(study.reason, id="failures.not_rated") if isinstance(study, NotRated) else None


@_or_nothing
def failure_tiles(study: FailureStudy) -> Block:
    """Rate, repeat repairs, what is to come and what it costs; each with its months and its basis."""
    shown = [_rate_tile(study)]
    if study.repeats:
        month, past = Month.parse(study.repeats[-1].period), study.repeats[-13:]
        head = phrase(
            "Repairs of {month} followed by another of the same machine within 30 days", month=month
        )
        last = study.repeats[-1]
        shown.append(tile(REPEATS, last, head=head, history=past, comparisons=interval_lines(REPEATS, last)))
    if study.forecast:
        ahead = study.forecast
        for id, over, whole, part in (
            ("failure_forecast", "Failures expected, {first} to {last}", ahead.total, ahead.under_warranty),
            (DIRECT, "Direct cost expected, {first} to {last}", ahead.cost, ahead.warranty_cost),
            (FULL, "Cost expected with labour, {first} to {last}", ahead.full_cost, ahead.full_warranty_cost),
        ):
            if whole.value is not None:
                under = [estimate_line(id, part, "Same months, under warranty")] if ahead.covered else []
                lines = [*interval_lines(id, whole), *under]
                shown.append(tile(id, whole, head=_over(over, whole), comparisons=lines))
    return tiles("failures.tiles", shown)


def _over(head: str, fact: Fact) -> Text:
    """A heading with the first and the last month of its number."""
    period = Period.parse(fact.period)
    return phrase(head, first=period.first, last=period.last)


def _rate_tile(study: FailureStudy) -> Tile:
    """The rate of twelve months, completed, beside what is reported of them; as reported beside the month where nothing can be completed, and alone where nothing is late."""
    rates, completed = study.rates, "failure_rate_completed"
    if not rates.late and rates.year.value is not None:
        head = _over("Failure rate, {first} to {last}", rates.year)
        return tile(RATE, rates.year, head=head, comparisons=interval_lines(RATE, rates.year))
    if rates.year_completed.value is None:
        month = estimate_line(completed, rates.last, phrase("{month}, completed", month=study.month))
        head = _over("Failure rate as reported, {first} to {last}", rates.year)
        return tile(RATE, rates.year, head=head, comparisons=[*interval_lines(RATE, rates.year), month])
    head = _over("Failure rate completed for late reports, {first} to {last}", rates.year_completed)
    reported = estimate_line(RATE, rates.year, "Same months, as reported")
    lines = [*interval_lines(completed, rates.year_completed), reported]
    return tile(completed, rates.year_completed, head=head, comparisons=lines)


# ---------------------------------------------------------------- rates


def _months(facts: Sequence[Fact]) -> list[tuple[Month, Fact]]:
    return [(Month.parse(fact.period), fact) for fact in facts]


@_or_said
def rate_figure(study: FailureStudy) -> Block:
    """The failure rate by month, as reported and completed for reports still to come."""
    from analysis.exhibits.charts import Series, lines

    last, share = study.rates.completed[-1], study.rates.shares[-1]
    if last.value is None:
        return callout(
            "failures.rate",
            tone="info",
            title=Sentence("No failure rate: nothing was in the field or nothing is reported yet."),
        )
    late = study.rates.late
    values: dict[str, Value] = {"month": study.month, "counted": study.rates.reported[-1]}
    if late:
        values |= {"rate": last, "share": share}
    reported = Series(
        name=Text.of("Reported"), points=_months(study.rates.reported), role="muted" if late else "focus"
    )
    completed = Series(name=Text.of("Completed"), points=_months(study.rates.completed), role="focus")
    return figure(
        "failures.rate",
        title=Sentence(
            "{month}: {rate}{rate:doubt}, once the failures still to be reported are allowed for"
            if late
            else "{month}: {counted}{counted:doubt}",
            values,
        ),
        subtitle=Sentence(
            "Confirmed failures per 1,000 unit-months, by month of failure; the band is the interval"
        ),
        foot=_source(study),
        alt=Sentence(
            "Two lines of the failure rate by month; in {month} {counted} are counted and {rate} expected in the end."
            if late
            else "The failure rate by month; {counted} in {month}.",
            values,
        ),
        draw=lines([completed, reported] if late else [reported], measure=registry()[RATE].name),
    )


# ---------------------------------------------------------------- control charts


_LIMITS = {
    "overdispersed": "Laney u′ chart: the points scatter {times} as much as counts by chance{times:doubt}, and the limits allow for it",
    "not_overdispersed": "u chart: the points are not shown to scatter more than counts by chance, {times}{times:doubt}",
    "too_few_points": "u chart: too few months to judge the scatter",
    "asked_for": "u chart",
}


_LEFT = {True: "; centre and limits leave out {left}", False: ""}


@_or_said
def control_figure(study: FailureStudy) -> Block:
    """The control chart of the failure rate at equal age and season."""
    chart = study.chart
    values: dict[str, Value] = {"months": _named(chart.signals), "month": study.month}
    return figure(
        "failures.control",
        title=Sentence("Out of control at equal age and season: {months}", values)
        if chart.signals
        else Sentence("Under control at equal age and season: no month lies beyond its limits"),
        subtitle=Sentence(
            f"{_LIMITS[chart.choice]}; limits at three sigmas, the last three months judged by those before{_LEFT[bool(chart.left_out)]}",
            {"left": _named(chart.left_out)}
            | ({"times": chart.overdispersion} if chart.overdispersion else {}),
        ),
        foot=_source(study),
        alt=Sentence(
            "Control chart of the failure rate by month with centre and limits up to {month}.", values
        ),
        draw=_control_chart(chart, registry()[RATE].name),
    )


def _control_chart(chart: ChartFacts, measure: Text) -> Drawing:
    from analysis.exhibits.charts import Series, control_chart

    def series(name: Text, facts: Sequence[Fact], role: str = "actual") -> Series:
        return Series(name=name, points=list(zip(chart.months, facts, strict=True)), role=role)

    return control_chart(
        series(measure, chart.values, "focus"),
        centre=series(Text.of("Centre"), chart.centre),
        lower=series(Text.of("Lower limit"), chart.lower),
        upper=series(Text.of("Upper limit"), chart.upper),
        measure=measure,
        signals=chart.signals,
    )


@_or_nothing
def rules_table(study: FailureStudy) -> Block:
    """Every rule by name, the months it signals, and how often it would with nothing wrong."""
    return table_of(
        "failures.rules",
        title=Sentence("What each rule says of the same points"),
        subtitle=Sentence(
            "Only the first raises a finding: each of the others has false alarms of its own, as the last column shows"
        ),
        rows=study.rules,
        by=("rule",),
        columns=[
            words("name", "Rule", key="rule"),
            words("looks_for", "Looks for", key="what", wide=True),
            words(lambda rule: _few(rule.months), "Months signalled", key="months", wide=True),
            estimate("chart_false_alarms", of="false_alarms", key="quiet", head="Quiet charts that signal"),
        ],
        note=Sentence(
            "EWMA and CUSUM find small shifts that last; they use centre and scatter of the chart. Quiet charts: {drawn:n} simulated ones with nothing wrong.",
            {"drawn": study.rules[0].false_alarms},
        ),
    )


def _named(months: Sequence[Month]) -> Text:
    return Text.joined(phrase("{month}", month=month) for month in months)


def _few(months: Sequence[Month]) -> Text:
    """The last months, and how many there were before."""
    if not months:
        return Text.of("none")
    shown, rest = _named(months[-MONTHS_SHOWN:]), len(months) - MONTHS_SHOWN
    return shown if rest <= 0 else phrase("{months} and {number} before", months=shown, number=str(rest))


@_or_nothing
def phase_figures(study: FailureStudy) -> list[Block]:
    """Machines and component of each registered fix, with limits before it and limits since."""
    return [_phase_figure(study, one, number) for number, one in enumerate(study.phases, start=1)]


_LEVELS = {
    True: "{fix}: all machines it is for had {before} the failures of others before it{before:doubt} and {after} since{after:doubt}; ",
    False: "{fix}: failures stood at {before} those expected before it{before:doubt} and at {after} since{after:doubt}; ",
}
_CHANGES = {
    "fell": "a fall beyond chance: {change}{change:doubt}",
    "rose": "a rise beyond chance: {change}{change:doubt}",
    "none": "no change beyond chance: {change}{change:doubt}",
}
# by whether the fix is for some of the machines, and by what chance leaves of the change
PHASES = {
    (some, change): f"{levels}{found}"
    for some, levels in _LEVELS.items()
    for change, found in _CHANGES.items()
}
_MARKED = {
    True: "; marked by a Western Electric rule: {signals}",
    False: "; no month is marked by a Western Electric rule",
}
_PHASE_SUBTITLE = "All failures over all expected, months before the fix and months since, without the allowance for a search that a cause carries; machines made with the fix and those made before it together ({share} of their unit-months since are with it); limits computed anew from {since}"
# by whether a rule marks a month, and whether the centre leaves one out
PHASE_SUBTITLES = {
    (marked, left): f"{_PHASE_SUBTITLE}{what}{without}"
    for marked, what in _MARKED.items()
    for left, without in _LEFT.items()
}


def _phase_figure(study: FailureStudy, one: PhaseFacts, number: int) -> Block:
    """Levels are all failures over all expected of each phase; the chart's centre leaves out the months beyond its limits."""
    values: dict[str, Value] = {
        "fix": one.name,
        "before": one.before,
        "after": one.after,
        "change": one.change,
        "since": one.starts,
        "share": one.made_with,
        "signals": _named(one.chart.signals),
        "left": _named(one.chart.left_out),
    }
    return figure(
        f"failures.phase_{number}",
        title=Sentence(PHASES[bool(one.fix.where), _changed(one.change)], values),
        subtitle=Sentence(PHASE_SUBTITLES[bool(one.chart.signals), bool(one.chart.left_out)], values),
        foot=_source(study),
        alt=Sentence("Control chart in two phases, {before} before and {after} since {since}.", values),
        draw=_control_chart(one.chart, Text.of(RATIO)),
    )


def _changed(change: Fact) -> str:
    """Whether the level since a fix lies beyond chance below or above that before it."""
    found = change.interval
    if change.value is None or found is None or found.holds(1):
        return "none"
    return "fell" if float(change.value) < 1 else "rose"


# ---------------------------------------------------------------- the customer's words


@_or_said
def words_table(study: FailureStudy) -> Block | None:
    """Terms that go with each component, beside what they are elsewhere."""
    if isinstance(study.words, NotDone):
        return not_computed(study.words, id="failures.words", what=Text.of("What customers say"))
    share, odds = "complaint_term_share", "complaint_term_odds"
    rows, last, same = [], "", 0
    for one in study.words.by_component:
        same = same + 1 if one.component.en == last else 0
        if not one.distinct or same >= TERMS_SHOWN:
            continue
        rows.append({"component": one.component, "term": f"“{one.term}”", "facts": one})
        last = one.component.en
    fresh = [Text.same(f"“{term}”") for term, _ in study.words.new]
    return table_of(
        "failures.words",
        title=Sentence("What customers say when it fails"),
        subtitle=Sentence(
            "Terms of {tickets}, as written in the tickets, that stand out by log-odds with an informative prior; numbers and addresses are masked",
            {"tickets": study.words.tickets},
        ),
        rows=rows,
        by=("component", "term"),
        columns=[
            words("component", registry().dimension_name("component")),
            words("term", "Customers say", wide=True),
            metric(share, of="facts.inside", head="Of its failures", slice={"side": "inside"}),
            metric(share, of="facts.outside", head="Of others", slice={"side": "outside"}),
            metric(odds, of="facts.weight", key="odds", head="Log-odds", places=1),
            interval(odds, of="facts.weight", places=1),
        ],
        note=Sentence(
            "Evidence behind a cause, never a cause. New words in the report month: {words}.",
            {"words": Text.joined(fresh, en="; ", zh="；") if fresh else Text.of("none")},
        ),
    )


@_or_nothing
def similar_table(study: FailureStudy) -> Block | None:
    """Texts of orders behind the causes that were named: what many customers say alike, everything else masked."""
    if isinstance(study.words, NotDone):
        return None
    blamed = {cause.cause.component for cause in study.causes}
    alike = [one for one in study.words.similar if one.component in blamed]
    if not alike:
        return None
    return table_of(
        "failures.similar",
        title=Sentence("What customers wrote behind the causes"),
        subtitle=Sentence(
            "The ticket text with the most telling terms, as written, and how many tickets have at least half their terms in common"
        ),
        rows=alike,
        by=("component",),
        columns=[
            label("component", wide=False),
            words(lambda one: f"“{one.text}”", "A typical ticket text", key="text", wide=True),
            metric("complaints_alike", of="tickets", places=0),
        ],
        note=Sentence(
            "Three dots stand for numbers, addresses and whatever fewer than ten tickets of five machines say."
        )
        if any("…" in one.text for one in alike)
        else None,
    )


# ---------------------------------------------------------------- watch, fixes and bad data


@_or_said
def watch_table(study: FailureStudy) -> Block:
    """How good the watch is, with nothing planted and with a doubled rate."""
    watch = study.watch
    if isinstance(watch, NotDone):
        return not_computed(watch, id="failures.watch", what=Text.of("What is new"))
    found = [
        entry(
            "watch_detection",
            fact,
            phrase(_FOUND_AFTER[months == 1], number=str(months)),
            slice={"after_months": str(months)},
        )
        for months, fact in enumerate(watch.detected, start=1)
    ]
    cells: dict[str, Value] = {"cells": watch.cells}
    named = Text.joined((alert.name for alert in watch.alerts), en="; ", zh="；")
    return table_of(
        "failures.watch",
        title=Sentence("New in the last three months: {count} of {cells} cells", cells | {"count": named})
        if watch.alerts
        else Sentence("Nothing new was found in the last three months in {cells} cells", cells),
        subtitle=Sentence(
            "A cell is a component in one model, supplier, plant or region, and an alert allows for all cells that are looked at (Holm); the cell of median size is used for the detection. Shares of {drawn:n} simulated cases each",
            {"drawn": watch.false_alarms},
        ),
        columns=statement(line="What", value="Value", show="estimate"),
        rows=[
            entry("watch_cells", watch.cells),
            entry("watch_false_alarms", watch.false_alarms, "Any alert in a quiet month (simulated)"),
            *found,
        ],
        note=_source(study),
    )


_FOUND_AFTER = {
    True: "Doubled rate found after {number} month",
    False: "Doubled rate found after {number} months",
}
_VERDICTS = {
    "worked": "Worked so far",
    "worse": "Failures rose",
    "no_effect": "No effect to be seen",
    "too_early": "Too early to say",
}


_FIXES = "Actual to expected failures of machines made with the fix, divided by those made before it"


@_or_said
def fix_table(study: FailureStudy) -> Block:
    """Registered fixes and what came of them."""
    if isinstance(study.fixes, NotDone):
        return not_computed(study.fixes, id="failures.fixes", what=Text.of("Fixes"))
    return table_of(
        "failures.fixes",
        title=Sentence("Fixes judged on machines of the same age"),
        subtitle=_fixes_subtitle(study.fixes),
        rows=study.fixes,
        by=("fix",),
        columns=[
            words("name", "Fix", key="fix", wide=True),
            words("fix.starts", "Produced since", key="since"),
            metric("fix_failures", of="failures", head="Failures since"),
            metric("fix_rate_ratio", of="ratio", head="After to before"),
            interval("fix_rate_ratio", of="ratio"),
            words(lambda fix: Text.of(_VERDICTS[fix.verdict]), "Verdict", key="verdict"),
        ],
        note=_source(study),
    )


def _fixes_subtitle(fixes: Sequence[FixFacts]) -> Sentence:
    """What is compared, and at which level: a verdict is wrong more seldom than an interval of the run would let it."""
    known = next((fix.ratio for fix in fixes if fix.ratio.interval is not None), None)
    if known is None:
        return Sentence(_FIXES)
    return Sentence(
        f"{_FIXES}; intervals at {{ratio:level}}, the chance of a wrong verdict being kept small",
        {"ratio": known},
    )


@_or_said
def excluded_table(study: FailureStudy) -> Block:
    """Confirmed failures that no rate holds, by reason."""
    rows = [{"count": fact} for _, fact in study.excluded if fact.value]
    if not rows:
        return callout(
            "failures.excluded",
            tone="info",
            title=Sentence(
                "Every confirmed failure is rated: none lies outside the window or on an impossible day."
            ),
        )
    return table_of(
        "failures.excluded",
        title=Sentence("Confirmed failures that are counted, not rated"),
        subtitle=Sentence(
            "A rate needs a machine that was in the field on that day and a month that was watched"
        ),
        rows=rows,
        by=("verdict",),
        columns=[
            label("verdict", head="Why", key="why"),
            metric("excluded_failures", of="count", head="Failures", places=0),
        ],
        note=_source(study),
    )
