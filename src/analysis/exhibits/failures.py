"""Exhibits of the failure section: result in, block out, no arithmetic beyond layout."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.exhibits.failure_life import life_table as life_table
from analysis.exhibits.failure_life import models_table as models_table
from analysis.exhibits.failure_life import probability_plot as probability_plot
from analysis.exhibits.failure_shared import COMPONENT, INTERVAL
from analysis.exhibits.failure_shared import or_nothing as _or_nothing
from analysis.exhibits.failure_shared import or_said as _or_said
from analysis.exhibits.failure_shared import source as _source
from analysis.exhibits.figures import figure
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.record import Block
from analysis.exhibits.specification import registry
from analysis.exhibits.statements import callout, not_computed
from analysis.exhibits.tables import table
from analysis.exhibits.vocabulary import Column, Comparison, Row, Tile, phrase
from analysis.failures.fault_tree_facts import TreeFacts
from analysis.failures.lives_facts import Curve
from analysis.failures.localising_facts import CauseFacts
from analysis.failures.monitoring_facts import WatchFacts
from analysis.failures.result import FailureStudy, NotRated
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.periods import Month
from analysis.results import Fact, Sentence, Value

RATE = Text.of("Failure rate")
RATIO = Text.of("Actual to expected")
RATIOS_SHOWN, TERMS_SHOWN = 2, 2


def not_rated(study: FailureStudy | NotRated) -> Block | None:
    """Which data are missing, where failures cannot be rated."""
    return not_computed(study.reason, id="failures.not_rated") if isinstance(study, NotRated) else None


def _months(facts: Sequence[Fact]) -> list[tuple[Month, Fact]]:
    return [(Month.parse(fact.period), fact) for fact in facts]


@_or_nothing
def failure_tiles(study: FailureStudy) -> Block:
    """Rate, repeat repairs, what is to come and what it costs."""
    shown = [
        Tile(
            label=Text.of("Failure rate, twelve months"),
            fact=study.rates.year,
            comparisons=[
                Comparison(label=Text.of("Report month, completed"), value=study.rates.last, signed=False)
            ],
        )
    ]
    if study.repeats:
        shown.append(
            Tile(
                label=Text.of("Repaired again within 30 days"),
                fact=study.repeats[-1],
                history=study.repeats[-13:],
            )
        )
    if study.forecast:
        shown.append(
            Tile(
                label=Text.of("Failures, next twelve months"),
                fact=study.forecast.total,
                comparisons=[
                    Comparison(
                        label=Text.of("under warranty"), value=study.forecast.under_warranty, signed=False
                    )
                ],
            )
        )
        shown.append(
            Tile(
                label=Text.of("Their direct cost"),
                fact=study.forecast.cost,
                comparisons=[
                    Comparison(
                        label=Text.of("under warranty"), value=study.forecast.warranty_cost, signed=False
                    )
                ],
            )
        )
    return tiles("failures.tiles", shown)


# -- rates -----------------------------------------------------------------------------------------------------------


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
    values: dict[str, Value] = {
        "rate": last,
        "month": study.month,
        "share": share,
        "counted": study.rates.reported[-1],
    }
    return figure(
        "failures.rate",
        title=Sentence("{month}: {rate}, once the failures still to be reported are allowed for", values),
        subtitle=Sentence(
            "Confirmed failures per 1,000 unit-months, by month of failure; the band is the interval"
        ),
        foot=_source(study),
        alt=Sentence(
            "Two lines of the failure rate by month; in {month} {counted} are counted and {rate} expected in the end.",
            values,
        ),
        draw=lines(
            [
                Series(name=Text.of("Completed"), points=_months(study.rates.completed), role="focus"),
                Series(name=Text.of("Reported"), points=_months(study.rates.reported), role="muted"),
            ],
            measure=RATE,
        ),
    )


@_or_nothing
def age_figure(study: FailureStudy) -> Block:
    """The failure rate by months in service."""
    from analysis.exhibits.charts import Item, ranked_bars

    young, old = study.rates.by_age[0][1], study.rates.by_age[-1][1]
    values: dict[str, Value] = {"young": young, "old": old, "age": study.rates.by_age[-1][0]}
    return figure(
        "failures.by_age",
        title=Sentence("New machines fail {young}, those of {age} months {old}", values),
        subtitle=Sentence(
            "Confirmed failures per 1,000 unit-months, by months in service; whiskers are intervals"
        ),
        foot=_source(study),
        alt=Sentence(
            "Bars of the failure rate by months in service, from {young} in the first month to {old} at {age} months.",
            values,
        ),
        draw=ranked_bars(
            [Item(name=name, fact=fact) for name, fact in study.rates.by_age],
            measure=RATE,
            by=Text.of("Months in service"),
            keep_order=True,
        ),
    )


@_or_said
def control_figure(study: FailureStudy) -> Block:
    """The control chart of the failure rate at equal age and season."""
    from analysis.exhibits.charts import Series, control_chart

    chart = study.chart
    reason = {
        "overdispersed": "Laney u′ chart: the points scatter {times} as much as counts by chance, and the limits allow for it",
        "not_overdispersed": "u chart: the points scatter no more than counts by chance ({times})",
        "too_few_points": "u chart: too few months to judge the scatter",
        "asked_for": "u chart",
    }[chart.choice]
    values: dict[str, Value] = {"months": _named(chart.signals), "month": study.month}
    return figure(
        "failures.control",
        title=Sentence("Out of control at equal age and season: {months}", values)
        if chart.signals
        else Sentence("Under control at equal age and season: no month lies beyond its limits"),
        subtitle=Sentence(
            f"{reason}; limits at three sigmas, the last three months judged by those before",
            {"times": chart.overdispersion} if chart.overdispersion else {},
        ),
        foot=_source(study),
        alt=Sentence(
            "Control chart of the failure rate by month with centre and limits up to {month}.", values
        ),
        draw=control_chart(
            Series(name=RATE, points=list(zip(chart.months, chart.values, strict=True)), role="focus"),
            centre=Series(name=Text.of("Centre"), points=list(zip(chart.months, chart.centre, strict=True))),
            lower=Series(
                name=Text.of("Lower limit"), points=list(zip(chart.months, chart.lower, strict=True))
            ),
            upper=Series(
                name=Text.of("Upper limit"), points=list(zip(chart.months, chart.upper, strict=True))
            ),
            measure=RATE,
            signals=chart.signals,
        ),
    )


@_or_nothing
def rules_table(study: FailureStudy) -> Block:
    """Every rule by name, the months it signals, and how often it would with nothing wrong."""
    columns = [
        Column(key="rule", label=Text.of("Rule")),
        Column(key="what", label=Text.of("Looks for"), wide=True),
        Column(key="months", label=Text.of("Months signalled"), wide=True),
        Column(key="quiet", label=Text.of("Quiet charts that signal"), metric=("chart_false_alarms",)),
    ]
    rows = [
        Row(
            cells={
                "rule": one.name,
                "what": one.looks_for,
                "months": _few(one.months),
                "quiet": one.false_alarms,
            }
        )
        for one in study.rules
    ]
    return table(
        "failures.rules",
        title=Sentence("What each rule says of the same points"),
        subtitle=Sentence(
            "Only the first raises a finding: every rule added raises more false alarms, as the last column shows"
        ),
        columns=columns,
        rows=rows,
        note=Sentence(
            "EWMA and CUSUM find small shifts that last; they use centre and scatter of the chart."
        ),
        by=("rule",),
    )


def _few(months: Sequence[Month], most: int = 4) -> Text:
    if not months:
        return Text.of("none")
    shown, rest = _named(months[-most:]), len(months) - most
    return shown if rest <= 0 else phrase("{months} and {number} before", months=shown, number=str(rest))


@_or_nothing
def phase_figures(study: FailureStudy) -> list[Block]:
    """Machines and component of each registered fix, with limits before it and limits since."""
    from analysis.exhibits.charts import Series, control_chart

    blocks: list[Block] = []
    for one in study.phases:
        chart = one.chart
        values: dict[str, Value] = {
            "fix": one.name,
            "before": one.before,
            "after": one.after,
            "since": one.starts,
        }
        blocks.append(
            figure(
                f"failures.phase_{len(blocks) + 1}",
                title=Sentence(
                    "{fix}: the field stood at {before} the expected number before and {after} since", values
                ),
                subtitle=Sentence(
                    "Actual to expected failures of these machines and this component, all ages; limits computed anew from {since}",
                    values,
                ),
                foot=_source(study),
                alt=Sentence(
                    "Control chart in two phases, {before} before and {after} since {since}.", values
                ),
                draw=control_chart(
                    Series(
                        name=RATIO, points=list(zip(chart.months, chart.values, strict=True)), role="focus"
                    ),
                    centre=Series(
                        name=Text.of("Centre"), points=list(zip(chart.months, chart.centre, strict=True))
                    ),
                    lower=Series(
                        name=Text.of("Lower limit"), points=list(zip(chart.months, chart.lower, strict=True))
                    ),
                    upper=Series(
                        name=Text.of("Upper limit"), points=list(zip(chart.months, chart.upper, strict=True))
                    ),
                    measure=RATIO,
                    signals=chart.signals,
                ),
            )
        )
    return blocks


@_or_said
def words_table(study: FailureStudy) -> Block | None:
    """Terms that go with each component, beside what they are elsewhere."""
    if isinstance(study.words, NotDone):
        return not_computed(study.words, id="failures.words")
    columns = [
        Column(key="component", label=COMPONENT),
        Column(key="term", label=Text.of("Customers say"), wide=True),
        Column(key="inside", label=Text.of("Of its failures"), metric=("complaint_term_share",)),
        Column(key="outside", label=Text.of("Of others"), metric=("complaint_term_share",)),
        Column(key="odds", label=Text.of("Log-odds"), places=1, metric=("complaint_term_odds",)),
        Column(key="interval", label=INTERVAL, show="interval", places=1, metric=("complaint_term_odds",)),
    ]
    rows, last, same = [], "", 0
    for one in study.words.by_component:
        same = same + 1 if one.component.en == last else 0
        if not one.distinct or same >= TERMS_SHOWN:
            continue
        rows.append(
            Row(
                cells={
                    "component": one.component if one.component.en != last else None,
                    "term": f"“{one.term}”",
                    "inside": one.inside,
                    "outside": one.outside,
                    "odds": one.weight,
                    "interval": one.weight,
                }
            )
        )
        last = one.component.en
    fresh = Text(
        en="; ".join(f"“{term}”" for term, _ in study.words.new) or "none",
        zh="；".join(f"“{term}”" for term, _ in study.words.new) or "无",
    )
    return table(
        "failures.words",
        title=Sentence("What customers say when it fails"),
        subtitle=Sentence(
            "Terms of {tickets} that stand out by log-odds with an informative prior; numbers and addresses are masked",
            {"tickets": study.words.tickets},
        ),
        columns=columns,
        rows=rows,
        note=Sentence(
            "Evidence behind a cause, never a cause. New words in the report month: {words}.",
            {"words": fresh},
        ),
        by=("component", "term"),
    )


@_or_nothing
def similar_table(study: FailureStudy) -> Block | None:
    """Complaints behind the causes that were named: what many customers say alike, everything else masked."""
    if isinstance(study.words, NotDone):
        return None
    blamed = {cause.cause.component for cause in study.causes}
    rows = [
        Row(cells={"component": one.name, "text": f"“{one.text}”", "tickets": one.tickets})
        for one in study.words.similar
        if one.component in blamed
    ]
    if not rows:
        return None
    columns = [
        Column(key="component", label=COMPONENT),
        Column(key="text", label=Text.of("A typical complaint"), wide=True),
        Column(key="tickets", label=Text.of("Complaints alike"), places=0, metric=("complaints_alike",)),
    ]
    return table(
        "failures.similar",
        title=Sentence("What customers wrote behind the causes"),
        subtitle=Sentence(
            "The complaint with the most telling terms, and those with at least half their terms in common"
        ),
        columns=columns,
        rows=rows,
        note=Sentence(
            "Three dots stand for numbers, addresses and whatever fewer than ten tickets of five machines say."
        ),
        by=("component",),
    )


def _named(months: Sequence[Month]) -> Text:
    from analysis.formats import month_text

    return Text(
        en=", ".join(month_text(month, "en") for month in months),
        zh="、".join(month_text(month, "zh") for month in months),
    )


# -- causes ----------------------------------------------------------------------------------------------------------


@_or_said
def causes_table(study: FailureStudy) -> Block:
    """Ranked causes, or that there is none."""
    if not study.causes:
        return callout(
            "failures.causes",
            tone="info",
            title=Sentence("No root cause found"),
            body=Sentence(
                "None of {candidates} combinations of attributes fails more than chance allows, at a stated chance of {error} of naming any when there is none.",
                {"candidates": study.candidates, "error": study.search_error},
            ),
        )
    columns = [
        Column(key="cause", label=Text.of("Cause"), wide=True),
        Column(key="ratio", label=Text.of("Rate ratio"), metric=("cause_rate_ratio",)),
        Column(key="interval", label=INTERVAL, show="interval", metric=("cause_rate_ratio",)),
        Column(key="shrunken", label=Text.of("Shrunken"), metric=("cause_rate_ratio_shrunken",)),
        Column(key="failures", label=Text.of("Failures"), places=0, metric=("cause_failures",)),
        Column(key="expected", label=Text.of("Expected"), places=0, metric=("cause_expected_failures",)),
        Column(key="share", label=Text.of("Share of all"), metric=("cause_share_explained",)),
        Column(key="cost", label=Text.of("Excess cost"), metric=("cause_excess_cost",)),
        Column(key="first", label=Text.of("Beyond chance since")),
    ]
    rows = [
        Row(
            cells={
                "cause": cause.name,
                "ratio": cause.ratio,
                "interval": cause.ratio,
                "shrunken": cause.shrunken,
                "failures": cause.failures,
                "expected": cause.expected,
                "share": cause.share,
                "cost": cause.cost,
                "first": cause.first_month,
            }
        )
        for cause in study.causes
    ]
    return table(
        "failures.causes",
        title=Sentence(
            "Causes that survive a search over {candidates} combinations", {"candidates": study.candidates}
        ),
        subtitle=Sentence(
            "Compared with machines of the same age in the same months; chance of naming any when there is none: at most {error}",
            {"error": study.search_error},
        ),
        columns=columns,
        rows=rows,
        note=Sentence(
            "Intervals are not corrected for having been selected; the shrunken ratio is. Serials and tickets are in the evidence of each finding."
        ),
        by=("component",),
    )


@_or_nothing
def cause_figures(study: FailureStudy, *, top: int = 2) -> list[Block]:
    """Actual and expected failures of the leading causes, added up over the months."""
    return [_cause_figure(study, cause, position) for position, cause in enumerate(study.causes[:top])]


def _cause_figure(study: FailureStudy, cause: CauseFacts, position: int) -> Block:
    from analysis.exhibits.charts import Series, lines

    def ends(facts: Sequence[Fact]) -> list[tuple[Month, Fact]]:
        return [(study.window.first + k, fact) for k, fact in enumerate(facts)]

    values: dict[str, Value] = {
        "cause": cause.name,
        "failures": cause.failures,
        "expected": cause.expected,
        "first": cause.first_month,
    }
    return figure(
        f"failures.cause_{position + 1}",
        title=Sentence("{cause}: {failures} where {expected} were to be expected", values),
        subtitle=Sentence(
            "Confirmed failures since the start of the window, added up; expected at the same ages and months"
        ),
        foot=_source(study),
        alt=Sentence(
            "Running number of failures of {cause}: {failures} counted, {expected} expected; beyond chance since {first}.",
            values,
        ),
        draw=lines(
            [
                Series(name=Text.of("Counted"), points=ends(cause.actual_by_month), role="focus"),
                Series(name=Text.of("Expected"), points=ends(cause.expected_by_month), role="expected"),
            ],
            measure=Text.of("Failures, running total"),
        ),
    )


@_or_said
def ratio_figure(study: FailureStudy) -> Block:
    """Actual to expected along each attribute by itself."""
    from analysis.exhibits.charts import Item, dot_interval

    names = {
        dimension: registry().dimension_name(dimension)
        for dimension in ("supplier", "model", "plant", "region")
    }
    items = [
        Item(
            name=Text(en=f"{names[dimension].en} {name.en}", zh=f"{names[dimension].zh} {name.zh}"), fact=fact
        )
        for dimension, lines in study.ratios.items()
        if dimension in names
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
    values: dict[str, Value] = {"name": largest.name, "ratio": largest.fact}
    return figure(
        "failures.ratios",
        title=Sentence("One attribute at a time, {name} stands highest: {ratio} the expected number", values),
        subtitle=Sentence(
            "Actual to expected failures at the same ages and months; one is average; the two highest of each attribute"
        ),
        foot=_source(study),
        alt=Sentence(
            "Dots with intervals of actual to expected failures by supplier, model, plant and region; the highest is {name} with {ratio}.",
            values,
        ),
        draw=dot_interval(items, measure=RATIO, by=Text.of("Attribute"), reference=1.0, log=True),
    )


# -- triangle and Pareto ---------------------------------------------------------------------------------------------


@_or_said
def triangle_figure(study: FailureStudy, by: str = "production") -> Block:
    """Cumulative failures by quarter of ``production`` (of start of ``service`` where production is not recorded) and age, and what they develop to."""
    from analysis.exhibits.charts import heatmap

    shown = (
        study.triangle.produced
        if by == "production" and study.triangle.produced and study.triangle.produced.cells
        else study.triangle
    )
    if not shown.cells:
        return callout(
            "failures.triangle",
            tone="info",
            title=Sentence(
                "No warranty triangle: no machine has been watched from its first day for a quarter."
            ),
        )
    age = "12" if any(key[1] == "12" for key in shown.cells) else shown.columns[0][0]
    column = [(name, shown.cells[key, age]) for key, name in shown.rows if (key, age) in shown.cells]
    worst = max(column, key=lambda line: float(line[1].value or 0))
    months = next(name for key, name in shown.columns if key == age)
    values: dict[str, Value] = {"quarter": worst[0], "count": worst[1], "age": months}
    produced = shown.by == "production"
    last = shown.columns[-1][1]
    ends = {(key, "ultimate"): fact for key, fact in shown.ultimate.items()}
    test = study.reporting_test
    tested: dict[str, Value] = {} if not test else {"raw": test.counted, "corrected": test.corrected}
    return figure(
        "failures.triangle",
        title=Sentence(
            "Highest after {age}: machines produced in {quarter}, {count}"
            if produced
            else "Highest after {age}: machines put into service in {quarter}, {count}",
            values,
        ),
        subtitle=Sentence(
            "Confirmed failures per 1,000 machines up to this age in service, by quarter of production; blank where machines are too young; last column: expected at {last}"
            if produced
            else "Confirmed failures per 1,000 machines up to this age in service, by quarter of start of service; blank where machines are too young; last column: expected at {last}",
            {"last": last},
        ),
        foot=Sentence(
            "Completed for late reports: on past months the error was {raw} as counted, {corrected} as completed.",
            tested,
        )
        if tested
        else _source(study),
        alt=Sentence(
            "Grid of cumulative failures by quarter and age; after {age} the highest is {quarter} with {count}.",
            values,
        ),
        draw=heatmap(
            shown.rows,
            [*shown.columns, ("ultimate", Text(en=f"→ {last.en}", zh=f"→ {last.zh}"))],
            {**shown.cells, **ends},
            measure=Text.of("Failures per 1,000 units"),
            by=Text.of("Produced") if produced else Text.of("Put into service"),
            places=0,
        ),
    )


_RANKED_BY = {
    "count": ("{first} leads by count: {fact} in twelve months", Text.of("Confirmed failures")),
    "cost": ("{first} costs most: {fact} in twelve months", Text.of("Direct cost")),
    "excess": (
        "{first} stands highest above its expected number: {fact}",
        Text.of("Failures above the expected"),
    ),
}
_ATTRIBUTES = {
    "component": COMPONENT,
    "fault_code": Text.of("Fault code"),
    "model": Text.of("Model"),
    "batch": Text.of("Batch"),
    "supplier": Text.of("Supplier"),
    "plant": Text.of("Plant"),
    "region": Text.of("Region"),
}


@_or_said
def pareto_figure(study: FailureStudy, measure: str = "count", attribute: str = "component") -> Block | None:
    """One attribute ranked by ``count``, ``cost`` or ``excess``; a bar whose rank is noise is pale."""
    from analysis.exhibits.charts import Item, pareto

    ranking = study.paretos.get((attribute, measure))
    if ranking is None:
        if measure == "cost" and isinstance(study.money, NotDone):
            return not_computed(study.money, id="failures.pareto_cost")
        return None
    lines = [line for line in ranking.lines if measure != "excess" or float(line.fact.value or 0) > 0]
    if not lines:
        return None
    title, name = _RANKED_BY[measure]
    values: dict[str, Value] = {
        "first": lines[0].name,
        "fact": lines[0].fact,
        "attribute": _ATTRIBUTES[attribute],
    }
    return figure(
        f"failures.pareto_{measure}"
        if attribute == "component"
        else f"failures.pareto_{measure}_{attribute}",
        title=Sentence(title, values),
        subtitle=Sentence(
            "By {attribute}; pale bars could hold another rank by chance; the line marks eighty percent",
            values,
        ),
        foot=_source(study),
        alt=Sentence(
            "Ranked bars by {attribute} with their cumulative share; {first} leads with {fact}.", values
        ),
        draw=pareto(
            [
                Item(name=line.name, fact=line.fact, role="actual" if line.settled else "context")
                for line in lines
            ],
            [line.cumulative for line in lines],
            measure=name,
            by=_ATTRIBUTES[attribute],
        ),
    )


@_or_nothing
def pareto_table(study: FailureStudy) -> Block | None:
    """Every attribute by count, cost and excess: who leads, and how many values make eighty percent."""
    if not study.paretos:
        return None
    columns = [
        Column(key="attribute", label=Text.of("Attribute")),
        Column(key="by", label=Text.of("Ranked by")),
        Column(key="first", label=Text.of("First"), wide=True),
        Column(
            key="value",
            label=Text.of("Value"),
            places=0,
            metric=("excess_failures", "failure_cost", "failure_count"),
        ),
        Column(
            key="rank", label=Text.of("Rank by chance"), show="interval", places=0, metric=("failure_rank",)
        ),
        Column(key="vital", label=Text.of("Make 80 %"), places=0, metric=("vital_few",)),
        Column(key="range", label=INTERVAL, show="interval", places=0, metric=("vital_few",)),
        Column(key="all", label=Text.of("Of"), places=0, metric=("ranked_values",)),
    ]
    words = {"count": Text.of("count"), "cost": Text.of("cost"), "excess": Text.of("excess")}
    rows = []
    for (attribute, measure), ranking in study.paretos.items():
        first = ranking.lines[0]
        cells = {
            "attribute": _ATTRIBUTES[attribute] if measure == "count" else None,
            "by": words[measure],
            "first": first.name,
            "value": first.fact,
            "rank": first.rank,
        }
        rows.append(
            Row(cells={**cells, "vital": ranking.vital, "range": ranking.vital, "all": ranking.values})
        )
    without = [
        name
        for key, name in _ATTRIBUTES.items()
        if (key, "count") in study.paretos and (key, "excess") not in study.paretos
    ]
    note = Sentence(
        "Excess of a component or fault code is over its own past at the same ages; of the rest over all machines of the same age."
    )
    if without:
        names = Text(
            en=", ".join(name.en.lower() for name in without), zh="、".join(name.zh for name in without)
        )
        note = Sentence(
            "No excess for {names}: a single value, or fewer than twelve months before the last twelve.",
            {"names": names},
        )
    return table(
        "failures.paretos",
        title=Sentence("Who leads, attribute by attribute"),
        subtitle=Sentence(
            "Count and cost of twelve months; excess over the expected number at the same ages, whole window; intervals are what chance leaves"
        ),
        columns=columns,
        rows=rows,
        note=note,
    )


# -- life ------------------------------------------------------------------------------------------------------------


AGES_SHOWN = (6.0, 12.0, 24.0, 36.0, 60.0)


@_or_nothing
def ages_table(study: FailureStudy) -> Block | None:
    """Machines without any failure and mean failures a machine at a few ages; the curves are :func:`survival_figure` and :func:`repairs_figure`."""
    free, mean = dict(study.survival or ()), dict(study.repairs or ())
    ages = [age for age in AGES_SHOWN if age in free or age in mean]
    if not ages:
        return None
    columns = [
        Column(key="age", label=Text.of("Months in service")),
        Column(key="free", label=Text.of("Without failure"), places=1, metric=("failure_free_share",)),
        Column(
            key="free_interval", label=INTERVAL, show="interval", places=1, metric=("failure_free_share",)
        ),
        Column(key="mean", label=Text.of("Failures per machine"), places=2, metric=("repairs_per_machine",)),
        Column(
            key="mean_interval", label=INTERVAL, show="interval", places=2, metric=("repairs_per_machine",)
        ),
    ]
    rows = [
        Row(
            cells={
                "age": f"{age:g}",
                "free": free.get(age),
                "free_interval": free.get(age),
                "mean": mean.get(age),
                "mean_interval": mean.get(age),
            }
        )
        for age in ages
    ]
    return table(
        "failures.ages",
        title=Sentence("Machines by age: first failure and repeated repairs"),
        subtitle=Sentence(
            "Kaplan–Meier of machines put into service within the window; mean cumulative function of all machines, repeated failures included"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
        by=("by_month",),
    )


@_or_nothing
def survival_figure(study: FailureStudy) -> Block:
    """Machines without any failure by months in service."""
    return _curve_figure(
        study,
        study.survival or (),
        "failures.survival",
        Sentence("After {age} months {value} of machines have had no failure", _at(study.survival or ())),
        Sentence("Kaplan–Meier, machines put into service within the window; band is the pointwise interval"),
        Text.of("Without failure"),
        from_zero=False,
    )


@_or_nothing
def repairs_figure(study: FailureStudy) -> Block:
    """Mean number of failures by months in service."""
    return _curve_figure(
        study,
        study.repairs or (),
        "failures.repairs",
        Sentence("After {age} months the mean is {value}", _at(study.repairs or ())),
        Sentence("Mean cumulative function, repeated failures included; band is the pointwise interval"),
        Text.of("Failures per machine"),
        from_zero=True,
    )


def _at(curve: Curve, age: float = 24.0) -> dict[str, Value]:
    known = [point for point in curve if point[0] <= age]
    return {"age": f"{known[-1][0]:g}", "value": known[-1][1]} if known else {}


def _curve_figure(
    study: FailureStudy,
    curve: Curve,
    id: str,
    title: Sentence,
    subtitle: Sentence,
    measure: Text,
    *,
    from_zero: bool,
) -> Block:
    from analysis.exhibits.charts.lines import Curve as Steps
    from analysis.exhibits.charts.lines import survival

    if len(curve) < 2:
        return callout(
            id, tone="info", title=Sentence("No curve: too little was watched from the first day on.")
        )
    return figure(
        id,
        title=title,
        subtitle=subtitle,
        foot=_source(study),
        alt=title,
        draw=survival(
            [Steps(name=measure, points=list(curve), role="focus")],
            measure=measure,
            age=Text.of("In service"),
            age_unit="months",
            from_zero=from_zero,
        ),
    )


# -- outlook ---------------------------------------------------------------------------------------------------------


@_or_said
def forecast_figure(study: FailureStudy) -> Block:
    """Failures by month and those to come."""
    from analysis.exhibits.charts import Series, fan

    if isinstance(study.forecast, NotDone):
        return not_computed(study.forecast, id="failures.forecast")
    outlook = study.forecast
    values: dict[str, Value] = {
        "total": outlook.total,
        "first": outlook.months[0][0],
        "last": outlook.months[-1][0],
    }
    return figure(
        "failures.forecast",
        title=Sentence("{total} are expected from {first} to {last} ({total:interval})", values),
        subtitle=Sentence(
            "Confirmed failures per month: history completed for reports still to come, then the forecast with its prediction interval"
        ),
        foot=_source(study),
        alt=Sentence("Failures per month and the forecast from {first} to {last}, {total} in all.", values),
        draw=fan(
            Series(name=Text.of("Actual"), points=list(outlook.history), role="actual"),
            Series(name=Text.of("Forecast"), points=list(outlook.months), role="focus"),
            measure=Text.of("Failures per month"),
        ),
    )


@_or_nothing
def obligation_table(study: FailureStudy) -> Block | None:
    """What remaining warranty is expected to cost, beside the provision."""
    if not study.forecast or not study.forecast.obligations:
        return None
    columns = [
        Column(key="line", label=Text.of("Product line"), wide=True),
        Column(key="count", label=Text.of("Failures under warranty"), places=0, metric=("failure_forecast",)),
        Column(key="cost", label=Text.of("Expected direct cost"), metric=("warranty_obligation",)),
        Column(key="interval", label=INTERVAL, show="interval", metric=("warranty_obligation",)),
        Column(key="provision", label=Text.of("Provision"), metric=("provision_balance",)),
    ]
    rows = [
        Row(
            cells={
                "line": one.name,
                "count": one.failures,
                "cost": one.cost,
                "interval": one.cost,
                "provision": one.provision,
            }
        )
        for one in study.forecast.obligations
    ]
    total = study.forecast.obligation
    rows.append(
        Row(
            cells={
                "line": Text.of("All"),
                "cost": total,
                "interval": total,
                "provision": study.forecast.provision,
            },
            role="total",
        )
    )
    return table(
        "failures.obligation",
        title=Sentence(
            "Machines shipped so far are expected to cost {cost} until their warranties end", {"cost": total}
        ),
        subtitle=Sentence(
            "Direct cost, not discounted, labour not included; beside it the warranty provision, which may cover more than direct cost"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
    )


@_or_nothing
def parts_table(study: FailureStudy) -> Block | None:
    """Spare parts for the next three months."""
    if isinstance(study.spare_parts, NotDone):
        return not_computed(study.spare_parts, id="failures.parts")
    if not study.spare_parts:
        return None
    columns = [
        Column(key="part", label=Text.of("Part", context="machine")),
        Column(key="demand", label=Text.of("Expected demand"), places=0, metric=("part_demand",)),
        Column(key="interval", label=INTERVAL, show="interval", places=0, metric=("part_demand",)),
        Column(key="stock", label=Text.of("Stock for 95% service"), places=0, metric=("part_stock",)),
    ]
    rows = [
        Row(cells={"part": one.part, "demand": one.demand, "interval": one.demand, "stock": one.stock})
        for one in study.spare_parts
    ]
    return table(
        "failures.parts",
        title=Sentence("Spare parts for the next three months"),
        subtitle=Sentence("Expected failures by component times parts used per failure"),
        columns=columns,
        rows=rows,
        note=_source(study),
        by=("part_no",),
    )


# -- money -----------------------------------------------------------------------------------------------------------


@_or_nothing
def cost_table(study: FailureStudy) -> Block:
    """Direct cost of failures by component and kind of cost."""
    if isinstance(study.money, NotDone):
        return not_computed(study.money, id="failures.cost")
    kinds = {
        "parts": Text.of("Parts"),
        "logistics": Text.of("Logistics"),
        "outsourcing": Text.of("Outsourcing"),
        "compensation": Text.of("Compensation"),
        "other": Text.of("Other"),
        "recovered": Text.of("Recovered"),
    }
    columns = [
        Column(key="component", label=COMPONENT, wide=True),
        *(Column(key=key, label=name) for key, name in kinds.items()),
    ]
    columns += [
        Column(key="total", label=Text.of("Total"), metric=("failure_cost",)),
        Column(key="unit", label=Text.of("A failure"), metric=("failure_unit_cost",)),
    ]
    rows = [Row(cells={"component": name, **facts}) for name, facts in study.money.by_component]
    rows.append(Row(cells={"component": Text.of("All"), "total": study.money.total}, role="total"))
    return table(
        "failures.cost",
        title=Sentence(
            "Failures of the last twelve months cost {total} in direct cost", {"total": study.money.total}
        ),
        subtitle=Sentence("Incurred and recovery postings traced to tickets of confirmed failures"),
        columns=columns,
        rows=rows,
        note=_source(study),
    )


@_or_said
def recovery_table(study: FailureStudy) -> Block | None:
    """What suppliers gave back of approved claims, the least first."""
    if isinstance(study.recovery, NotDone):
        return not_computed(study.recovery, id="failures.recovery")
    if not study.recovery:
        return None
    lines = sorted(study.recovery, key=lambda line: float(line[1].value or 0))
    columns = [
        Column(key="supplier", label=Text.of("Supplier"), wide=True),
        Column(key="claims", label=Text.of("Claims"), show="n", metric=("supplier_recovery_rate",)),
        Column(key="share", label=Text.of("Share recovered"), metric=("supplier_recovery_rate",)),
    ]
    rows = [Row(cells={"supplier": name, "claims": fact, "share": fact}) for name, fact in lines]
    return table(
        "failures.recovery",
        title=Sentence(
            "Least comes back from {supplier}: {share} of approved claims",
            {"supplier": lines[0][0], "share": lines[0][1]},
        ),
        subtitle=Sentence(
            "Recovered as a share of approved claims on failed machines, by supplier of the key component, last twelve months"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
        by=("supplier",),
    )


# -- watch, fixes and bad data ---------------------------------------------------------------------------------------


@_or_said
def watch_table(study: FailureStudy) -> Block:
    """How good the watch is, with nothing planted and with a doubled rate."""
    if isinstance(study.watch, NotDone):
        return callout(
            "failures.watch",
            tone="info",
            title=Sentence("No watch: fewer than six months, or too few failures expected in every cell."),
        )
    columns = [
        Column(key="what", label=Text.of("What"), wide=True),
        Column(
            key="value",
            label=Text.of("Value"),
            metric=("watch_cells", "watch_detection", "watch_false_alarms"),
        ),
    ]
    rows = [
        Row(cells={"what": Text.of("Cells watched"), "value": study.watch.cells}),
        Row(
            cells={
                "what": Text.of("Any alert in a quiet month (simulated)"),
                "value": study.watch.false_alarms,
            }
        ),
    ]
    for months, fact in enumerate(study.watch.detected, start=1):
        template = (
            "Doubled rate found after {number} month"
            if months == 1
            else "Doubled rate found after {number} months"
        )
        name = phrase(template, number=str(months))
        rows.append(Row(cells={"what": name, "value": fact}))
    return table(
        "failures.watch",
        title=Sentence(
            "New in the last three months: {count} of {cells} cells",
            {"count": _names(study.watch), "cells": study.watch.cells},
        )
        if study.watch.alerts
        else Sentence("Nothing new in the last three months in {cells} cells", {"cells": study.watch.cells}),
        subtitle=Sentence(
            "A cell is a component in one model, supplier, plant or region; the cell of median size is used for the detection"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
    )


def _names(watch: WatchFacts) -> Text:
    return Text(
        en="; ".join(name.en for name in (alert.name for alert in watch.alerts)),
        zh="；".join(name.zh for name in (alert.name for alert in watch.alerts)),
    )


_VERDICTS = {
    "worked": Text.of("Worked so far"),
    "worse": Text.of("Failures rose"),
    "no_effect": Text.of("No effect to be seen"),
    "too_early": Text.of("Too early to say"),
}


@_or_said
def fix_table(study: FailureStudy) -> Block:
    """Registered fixes and what came of them."""
    if not study.fixes:
        return callout(
            "failures.fixes",
            tone="info",
            title=Sentence("No fix is registered, or no machine made with one is in the field yet."),
        )
    columns = [
        Column(key="fix", label=Text.of("Fix"), wide=True),
        Column(key="since", label=Text.of("Produced since")),
        Column(key="failures", label=Text.of("Failures since"), metric=("fix_failures",)),
        Column(key="ratio", label=Text.of("After to before"), metric=("fix_rate_ratio",)),
        Column(key="interval", label=INTERVAL, show="interval", metric=("fix_rate_ratio",)),
        Column(key="verdict", label=Text.of("Verdict")),
    ]
    rows = [
        Row(
            cells={
                "fix": one.name,
                "since": one.fix.starts,
                "failures": one.failures,
                "ratio": one.ratio,
                "interval": one.ratio,
                "verdict": _VERDICTS[one.verdict],
            }
        )
        for one in study.fixes
    ]
    return table(
        "failures.fixes",
        title=Sentence("Fixes judged on machines of the same age"),
        subtitle=Sentence(
            "Actual to expected failures of machines made with the fix, divided by those made before it"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
        by=("fix",),
    )


@_or_said
def excluded_table(study: FailureStudy) -> Block:
    """Confirmed failures that no rate holds, by reason."""
    columns = [
        Column(key="why", label=Text.of("Why"), wide=True),
        Column(key="count", label=Text.of("Failures"), places=0, metric=("excluded_failures",)),
    ]
    rows = [Row(cells={"why": name, "count": fact}) for name, fact in study.excluded if fact.value]
    if not rows:
        return callout(
            "failures.excluded",
            tone="info",
            title=Sentence(
                "Every confirmed failure is rated: none lies outside the window or on an impossible day."
            ),
        )
    return table(
        "failures.excluded",
        title=Sentence("Confirmed failures that are counted, not rated"),
        subtitle=Sentence(
            "A rate needs a machine that was in the field on that day and a month that was watched"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
        by=("verdict",),
    )


# -- fault trees and power -------------------------------------------------------------------------------------------


@_or_said
def power_table(study: FailureStudy) -> Block:
    """What the search can find: chance of detection by size and strength."""
    sizes = sorted({due for due, _ in study.power})
    ratios = sorted({ratio for _, ratio in study.power})
    columns = [Column(key="expected", label=Text.of("Failures expected"))]
    columns += [
        Column(key=f"r{ratio:g}", label=phrase("Rate ratio {ratio}", ratio=f"{ratio:g}")) for ratio in ratios
    ]
    rows = [
        Row(cells={"expected": f"{due:g}", **{f"r{ratio:g}": study.power[due, ratio] for ratio in ratios}})
        for due in sizes
    ]
    return table(
        "failures.power",
        title=Sentence("What the search can find"),
        subtitle=Sentence(
            "Chance that a single attribute value with this rate ratio in one component is named, by the failures expected on its machines"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
        by=("expected",),
    )


@_or_nothing
def simulated_tables(study: FailureStudy) -> list[Block]:
    """How often the study was right, and how often it alarmed, where the truth is known; nothing where no counts are kept."""
    if not study.simulated:
        return []
    right = [one for one in study.simulated if one.ratio > 1]
    ratios = sorted({one.ratio for one in right})
    names = {one.planted: one.name for one in right}
    by = {(one.planted, one.ratio): one.share for one in right}
    columns = [Column(key="planted", label=Text.of("Planted"), wide=True)]
    columns += [
        Column(key=f"r{ratio:g}", label=phrase("Rate ratio {ratio}", ratio=f"{ratio:g}")) for ratio in ratios
    ]
    columns.append(Column(key="interval", label=Text.of("Interval at 2"), show="interval"))
    rows = [
        Row(
            cells={
                "planted": names[name],
                **{f"r{ratio:g}": by.get((name, ratio)) for ratio in ratios},
                "interval": by.get((name, 2.0)),
            }
        )
        for name in names
    ]
    quiet = [
        Row(cells={"planted": one.name, "share": one.share, "interval": one.share, "n": one.share})
        for one in study.simulated
        if one.ratio == 1
    ]
    return [
        table(
            "failures.simulated",
            title=Sentence("How often the planted fault is named first"),
            subtitle=Sentence(
                "Share of simulated fields in which the first cause named is the planted one with its component; 100 failures expected without the fault"
            ),
            columns=columns,
            rows=rows,
            note=_source(study),
        ),
        table(
            "failures.simulated_alarms",
            title=Sentence("How often something is named although nothing is planted"),
            subtitle=Sentence("Share of simulated fields with any finding"),
            columns=[
                Column(key="planted", label=Text.of("Planted"), wide=True),
                Column(key="share", label=Text.of("Alarms")),
                Column(key="interval", label=Text.of("Interval"), show="interval"),
                Column(key="n", label=Text.of("Fields"), show="n"),
            ],
            rows=quiet,
            note=_source(study),
        ),
    ]


@_or_said
def fault_tree_figures(study: FailureStudy) -> list[Block]:
    """Each registered fault tree, drawn, with its events by importance."""
    if not study.trees:
        return [
            callout(
                "failures.trees",
                tone="info",
                title=Sentence("No fault tree is registered, or an event of each lacks its probability."),
            )
        ]
    return [block for tree in study.trees for block in (_tree_figure(study, tree), _tree_table(study, tree))]


def _tree_figure(study: FailureStudy, tree: TreeFacts) -> Block:
    from analysis.exhibits.charts.trees import fault_tree

    values: dict[str, Value] = {"title": tree.title, "top": tree.top, "sets": tree.cut_sets}
    return figure(
        f"failures.tree_{tree.name}",
        title=Sentence("{title}: {top} ({top:interval})", values),
        subtitle=Sentence(
            "Exact probability over {sets} minimal cut sets; events named after a component are estimated from the field",
            values,
        ),
        foot=_source(study),
        alt=Sentence(
            "Fault tree, read from the top event at the left to its causes at the right: {title}, {top}.",
            values,
        ),
        draw=fault_tree(tree.nodes, by=Text.of("Event"), measure=Text.of("Probability")),
    )


def _tree_table(study: FailureStudy, tree: TreeFacts) -> Block:
    columns = [
        Column(key="event", label=Text.of("Basic event"), wide=True),
        Column(key="chance", label=Text.of("Probability"), places=2),
        Column(key="weight", label=Text.of("Fussell–Vesely")),
        Column(key="source", label=Text.of("From")),
    ]
    field, given = Text.of("Field"), Text.of("Given")
    rows = [
        Row(cells={"event": name, "chance": chance, "weight": weight, "source": field if counted else given})
        for name, chance, weight, counted in tree.events
    ]
    return table(
        f"failures.tree_{tree.name}_events",
        title=Sentence("{title}: what matters most", {"title": tree.title}),
        subtitle=Sentence(
            "Fussell–Vesely: share of the top event's probability that involves the event; shares overlap"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
    )
