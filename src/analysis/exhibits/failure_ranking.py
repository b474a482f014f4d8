"""Exhibits of where failures and their cost lie: warranty triangle, Pareto of every attribute, cost by component, recovery by supplier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analysis.exhibits.failure_shared import is_above, or_nothing, or_said, source
from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.specification import (
    Field,
    count,
    estimate,
    interval,
    label,
    metric,
    registry,
    row_of,
    table_of,
    words,
)
from analysis.exhibits.statements import callout, not_computed
from analysis.exhibits.vocabulary import Row
from analysis.failures.money_facts import Recovery
from analysis.failures.ranking_facts import METRICS, RANKED, Ranking
from analysis.failures.result import FailureStudy
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.metrics.registry import NOT_STATED
from analysis.results import Sentence, Value

# ---------------------------------------------------------------- triangle


@or_said
def triangle_figure(study: FailureStudy, by: str = "production") -> Block:
    """Cumulative failures by quarter of ``production`` (of start of ``service`` where production is not recorded) and age, and what they develop to."""
    from analysis.exhibits.charts import heatmap

    shown, produced = study.triangle, study.triangle.produced
    if by == "production" and produced and produced.cells:
        shown = produced
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
    quarter, highest = max(column, key=lambda line: float(line[1].value or 0))
    last = shown.columns[-1][1]
    stands_out = len(column) > 1 and all(fact is highest or is_above(highest, fact) for _, fact in column)
    values: dict[str, Value] = {
        "quarter": quarter,
        "count": highest,
        "least": min((fact for _, fact in column), key=lambda fact: float(fact.value or 0)),
        "age": dict(shown.columns)[age],
        "last": last,
    }
    said, test = _TRIANGLE[shown.by], study.reporting_test
    return figure(
        "failures.triangle",
        title=Sentence(said["title" if stands_out else "range"], values),
        subtitle=Sentence(said["subtitle"], values),
        foot=Sentence(
            "Completed for late reports: on past months the error was {raw}{raw:doubt} as counted, {corrected}{corrected:doubt} as completed.",
            {"raw": test.counted, "corrected": test.corrected},
        )
        if test and study.rates.late
        else source(study),
        alt=Sentence(
            "Grid of cumulative failures by quarter and age, from {least} to {count} after {age}.", values
        ),
        draw=heatmap(
            shown.rows,
            shown.columns,
            shown.cells,
            by=Text.of(said["by"]),
            places=0,
            beside=(Text(en=f"→ {last.en}", zh=f"→ {last.zh}"), shown.ultimate),
        ),
    )


_TRIANGLE = {
    "production": {
        "title": "Highest after {age}: machines produced in {quarter}, {count}{count:doubt}",
        "range": "Quarters of production old enough had {least}{least:doubt} to {count}{count:doubt} after {age}; none is shown to have more than the others",
        "subtitle": "Confirmed failures per 1,000 machines up to this age in service, by quarter of production; blank where machines are too young; last column: expected at {last}, blank where nothing has failed yet",
        "by": "Produced",
    },
    "service": {
        "title": "Highest after {age}: machines put into service in {quarter}, {count}{count:doubt}",
        "range": "Quarters of start of service old enough had {least}{least:doubt} to {count}{count:doubt} after {age}; none is shown to have more than the others",
        "subtitle": "Confirmed failures per 1,000 machines up to this age in service, by quarter of start of service; blank where machines are too young; last column: expected at {last}, blank where nothing has failed yet",
        "by": "Put into service",
    },
}


# ---------------------------------------------------------------- Pareto


_LEADS = {
    "count": "{first} leads by count: {fact} in twelve months",
    "cost": "{first} costs most: {fact} in twelve months",
    "excess": "{first} stands highest above {others}: {fact} ({fact:interval})",
    "past": "{first} stands highest above its own past at the same ages: {fact} ({fact:interval})",
}
_OPEN = {
    "count": "{first} has {fact} in twelve months; chance could put another first",
    "cost": "{first} cost {fact} in twelve months; chance could put another first",
    "excess": "Above {others} by more than chance: {names}; which is first is open",
    "past": "Above its own past at the same ages by more than chance: {names}; which is first is open",
}
_NONE = {
    "excess": "By {attribute:lower} nothing lies above {others} by more than chance",
    "past": "By {attribute:lower} nothing lies above its own past at the same ages by more than chance",
}


def _leader(ranking: Ranking, values: dict[str, Value]) -> Sentence:
    """Who leads, only where chance leaves it there; of excesses only those that stand out from zero are named."""
    if ranking.by in _NONE and not ranking.beyond_chance:
        return Sentence(_NONE[ranking.by], values)
    if ranking.leads and (ranking.by not in _NONE or ranking.lines[0] in ranking.beyond_chance):
        return Sentence(_LEADS[ranking.by], values)
    names = Text.joined(line.name for line in ranking.beyond_chance)
    return Sentence(_OPEN[ranking.by], values | {"names": names})


@or_said
def pareto_figure(study: FailureStudy, measure: str = "count", attribute: str = "component") -> Block | None:
    """One attribute ranked by ``count``, ``cost`` or ``excess``; a bar whose rank is noise is pale."""
    from analysis.exhibits.charts import Item, pareto

    ranking = study.paretos.get((attribute, measure))
    if measure == "excess" and ranking is None:
        ranking = study.paretos.get((attribute, "past"))
    if ranking is None:
        if measure == "cost" and isinstance(study.money, NotDone):
            return not_computed(study.money, id="failures.pareto_cost", what=registry()["failure_cost"].name)
        return None
    lines = [line for line in ranking.lines if measure != "excess" or float(line.fact.value or 0) > 0]
    if not lines:
        return None
    by = registry().dimension_name(attribute)
    values: dict[str, Value] = {
        "first": lines[0].name,
        "fact": lines[0].fact,
        "attribute": by,
        "others": study.others,
    }
    return figure(
        "_".join((f"failures.pareto_{measure}", *([attribute] if attribute != "component" else []))),
        title=_leader(ranking, values),
        subtitle=Sentence(
            "By {attribute:lower}; pale bars could hold another rank by chance; the line marks eighty percent",
            values,
        ),
        foot=source(study, lines[0].fact.period)
        if ranking.left_out is None
        else Sentence(_LEFT_OUT, {"count": ranking.left_out}),
        alt=Sentence(
            "Ranked bars by {attribute:lower} with their cumulative share, from {first} with {fact} down.",
            values,
        ),
        draw=pareto(
            [
                Item(name=line.name, fact=line.fact, role="actual" if line.settled else "context")
                for line in lines
            ],
            [line.cumulative for line in lines],
            measure=registry()[METRICS[ranking.by]].name,
            by=by,
        ),
    )


@or_nothing
def pareto_table(study: FailureStudy) -> Block | None:
    """Every attribute by count, cost and excess: who leads, and how many values make eighty percent."""
    rankings = [ranking for ranking in study.paretos.values() if _states_values(ranking)]
    if not rankings:
        return None
    columns = [
        words("attribute", "Attribute"),
        words("by", "Ranked by"),
        words("lead.name", "First", key="first", wide=True),
        estimate(*METRICS.values(), of="lead.fact", key="value", head="Value", places=0),
        interval("failure_rank", of="lead.rank", key="rank", head="Rank by chance", places=0),
        metric("vital_few", of="ranking.vital", head="How many make 80%", places=0),
        interval("vital_few", of="ranking.vital", key="range", places=0),
        metric("ranked_values", of="ranking.values", key="all", head="Of", places=0),
    ]
    return table_of(
        "failures.paretos",
        title=Sentence("Who stands first, attribute by attribute, and what chance leaves of it"),
        subtitle=Sentence(_RANKED_REPEATED if _codes_repeat(study) else _RANKED, {"others": study.others}),
        columns=columns,
        rows=[_ranking_row(ranking, columns) for ranking in rankings],
        note=_excess_note(study),
    )


def _states_values(ranking: Ranking) -> bool:
    """Whether anything is ranked: an attribute that no failure states has one line, of what is not stated."""
    return len(ranking.lines) > 1 or NOT_STATED not in ranking.lines[0].fact.dimensions.values()


_RANKED = "Count and cost of twelve months; excess over {others}, whole window; a first place is settled where its rank by chance is 1 to 1"
_RANKED_REPEATED = "Count and cost of twelve months; excess over {others}, whole window; a first place is settled where its rank by chance is 1 to 1. Fault codes divide the failures as components do: their lines repeat those of the components"


def _codes_repeat(study: FailureStudy) -> bool:
    """Whether fault codes and components divide the failures alike: the same counts from the first to the last."""
    counts = [
        [line.fact.value for line in ranking.lines]
        for name in ("component", "fault_code")
        if (ranking := study.paretos.get((name, "count"))) is not None
    ]
    return len(counts) == 2 and counts[0] == counts[1]


def _ranking_row(ranking: Ranking, columns: list[Field]) -> Row:
    """The leader of a ranking, whose facts are of its value; the number of values, whose facts are of the attribute."""
    lead, attribute = ranking.lines[0], ranking.dimension
    of = {"of": METRICS[ranking.by]}
    line = {
        "attribute": registry().dimension_name(attribute),
        "by": Text.of(_BY.get(ranking.by, ranking.by)),
        "lead": lead,
        "ranking": ranking,
    }
    value, whole = {attribute: lead.fact.dimensions[attribute]}, of | {"attribute": attribute}
    slices = {"value": value, "rank": value | of, "vital": whole, "range": whole, "all": whole}
    return replace(row_of(line, columns), slices=slices)


def _excess_note(study: FailureStudy) -> Sentence:
    ranked = study.paretos
    without = [
        registry().dimension_name(name)
        for name in RANKED
        if (name, "count") in ranked and (name, "excess") not in ranked and (name, "past") not in ranked
    ]
    if without:
        return Sentence(
            "No excess for {names}: a single value, or fewer than twelve months before the last twelve.",
            {"names": Text.joined(Text(en=name.en.lower(), zh=name.zh) for name in without)},
        )
    left = [one.left_out for one in ranked.values() if one.left_out is not None and one.left_out.value]
    if left:
        return Sentence(_LEFT_OUT, {"count": left[0]})
    return Sentence(
        "Excess over its past: the last twelve months of a component or fault code against the years before, at the same ages."
    )


_BY = {"past": "excess over its past"}
_LEFT_OUT = "Excess over its past: last twelve months against the years before, at the same ages; {count} at ages nobody had reached by then have nothing to be held against and are left out."


# ---------------------------------------------------------------- money


KINDS = {
    "parts": "Parts",
    "logistics": "Logistics",
    "outsourcing": "Outsourcing",
    "compensation": "Compensation",
    "other": "Other",
    "recovered": "Recovered",
}


@or_nothing
def cost_table(study: FailureStudy) -> Block:
    """Direct cost of failures by component and kind of cost."""
    money = study.money
    if isinstance(money, NotDone):
        return not_computed(money, id="failures.cost", what=registry()["failure_cost"].name)
    lines = [facts for _, facts in money.by_component]
    # a kind of cost is a column only where there is any
    kinds = {kind: head for kind, head in KINDS.items() if any(one[kind].value for one in lines)}
    return table_of(
        "failures.cost",
        title=Sentence(
            "Failures of the last twelve months cost {total} in direct cost", {"total": money.total}
        ),
        subtitle=Sentence(
            "Incurred and recovery postings traced to tickets of confirmed failures, labour apart"
        ),
        rows=lines,
        by=("component",),
        columns=[
            label("component"),
            *(metric("failure_cost", of=kind, head=head, slice={"of": kind}) for kind, head in kinds.items()),
            metric("failure_cost", of="total", head="Total", slice={"of": None}),
            metric("failure_unit_cost", of="unit", head="Per failure"),
            *(
                [metric("failure_labour_posted", of="labour", head="Labour posted, not in the total")]
                if money.has_labour
                else []
            ),
        ],
        total=money.whole,
        total_head="All",
        note=source(study, money.total.period),
    )


@or_said
def recovery_table(study: FailureStudy) -> Block | None:
    """What suppliers gave back of approved claims, the least first."""
    rate = "supplier_recovery_rate"
    if isinstance(study.recovery, NotDone):
        return not_computed(study.recovery, id="failures.recovery", what=registry()[rate].name)
    if not study.recovery:
        return None
    lines = sorted(study.recovery, key=lambda line: float(line.share.value or 0))
    known = next((line.share for line in lines if line.share.interval is not None), None)
    return table_of(
        "failures.recovery",
        title=_recovered(lines),
        subtitle=_RECOVERED if known is None else Sentence(_RECOVERED_AT, {"share": known}),
        rows=lines,
        by=("supplier",),
        columns=[
            label("supplier"),
            count(rate, of="share", key="claims", head="Claims"),
            metric("supplier_approved", of="approved", head="Amount approved"),
            metric("supplier_recovered", of="recovered", head="Amount recovered"),
            metric(rate, of="share", head="Share recovered"),
            interval(rate, of="share"),
        ],
        note=source(study, lines[0].share.period),
    )


_RECOVERED = Sentence(
    "Amount recovered as a share of the amount approved in the table of claims, which is not what is charged to the provision; claims on confirmed failures, by supplier of the key component, last twelve months"
)
_RECOVERED_AT = "Amount recovered as a share of the amount approved in the table of claims, which is not what is charged to the provision; claims on confirmed failures, by supplier of the key component, last twelve months; the intervals hold together, each at {share:level}"


def _recovered(lines: Sequence[Recovery]) -> Sentence:
    """Who gave back least, only where its interval lies below those of all others."""
    least, others = lines[0].share, [line.share for line in lines[1:]]
    values: dict[str, Value] = {"supplier": lines[0].supplier, "share": least}
    if not others:
        return Sentence("{supplier} gave back {share}{share:doubt} of the amount of approved claims", values)
    if all(is_above(other, least) for other in others):
        return Sentence(
            "Least comes back from {supplier}: {share} ({share:interval}) of the amount of approved claims",
            values,
        )
    return Sentence(
        "Suppliers gave back {share}{share:doubt} to {most}{most:doubt} of the amount of approved claims; none is shown to give back less than the others",
        {"share": least, "most": others[-1]},
    )
