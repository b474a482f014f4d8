"""Which results become findings, all tests of the run together, and which doubts are shown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Literal

from analysis.locale import Text
from analysis.metrics import NotDone, Stating, StudyInputs, materiality
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Sentence, Stake, Value
from analysis.retention.cohorts_facts import Cohorts, step_label
from analysis.retention.components_facts import ChurnBasis
from analysis.retention.drivers import TESTED
from analysis.retention.leavers import LeavingGroup
from analysis.retention.matching_facts import AfterService
from analysis.retention.newcomers import NewcomerMix, NewcomerShare
from analysis.retention.parts import RetentionParts
from analysis.retention.scores_facts import reason_names
from analysis.retention.settings import limit, load_settings
from analysis.retention.spells import YEAR
from analysis.retention.surges import ALL, LossSurge

if TYPE_CHECKING:
    import pandas as pd

_finding = partial(Finding, section="retention")


def _tested_cohorts(parts: RetentionParts) -> dict[str, Cohorts]:
    """Cohorts that may become a finding. Kinds of first product differ by nature: shown, with intervals, and no news."""
    both = {"contract_cohorts": parts.contract_cohorts, "purchase_cohorts": parts.purchase_cohorts}
    return {name: found for name, found in both.items() if not isinstance(found, NotDone)}


def _badly_served(parts: RetentionParts) -> AfterService | None:
    """After bad service, the longest window, every severity."""
    if isinstance(parts.repurchase, NotDone):
        return None
    return next(one for one in parts.repurchase if one.arm == "bad" and one.severity == "all")


def findings(inputs: StudyInputs, parts: RetentionParts) -> tuple[Finding, ...]:
    """What the report stands behind, each alert and watch with the rows or cells that prove it."""
    sure = shown(inputs, parts)
    return (
        *_threshold(parts),
        *_revenue(parts),
        *_groups(inputs, parts, sure),
        *_surges(inputs, parts, sure),
        *_newcomers(inputs, parts, sure),
        *_experience(inputs, parts, sure),
        *_repurchase(inputs, parts, sure),
        *_leaving(inputs, parts, sure),
        *_cohorts(inputs, parts, sure),
        *_segments(inputs, parts, sure),
        *_calls(inputs, parts),
        *_accounts(parts),
    )


def shown(inputs: StudyInputs, parts: RetentionParts) -> frozenset[str]:
    """The tests whose p-value, adjusted for all of them, is below what the run asks for; the pages colour by it as well."""
    return frozenset(
        name for name, value in adjusted_p_values(parts).items() if value < 1 - inputs.confidence
    )


def adjusted_p_values(parts: RetentionParts) -> dict[str, float]:
    """Every test that may become a finding, adjusted together (Holm); the searches, of groups, of months and of newcomers, are a family of their own.

    Cohort tests enter with their smallest p-value already adjusted among the cohorts; so do the searches among what they tried.
    """
    raw: dict[str, float | None] = {}
    if not isinstance(parts.drivers, NotDone):
        raw |= {f"experience.{name}": value for name, value in parts.drivers.p_values.items()}
    if not isinstance(parts.survival, NotDone) and "segment" in parts.survival.p_values:
        raw["segment"] = parts.survival.p_values["segment"]
    if (line := _badly_served(parts)) is not None:
        raw["repurchase"] = line.p_value
    if not isinstance(parts.loss_after_repair, NotDone):
        raw |= {f"leaving.{line.arm}": line.p_value for line in parts.loss_after_repair}
    raw |= {name: found.p_value for name, found in _tested_cohorts(parts).items()}
    searches = {"groups": parts.leavers, "surges": parts.surges, "newcomers": parts.newcomers}
    searched = {name: found.p_value for name, found in searches.items() if not isinstance(found, NotDone)}
    return _together(raw) | _together(searched)


def _together(raw: Mapping[str, float | None]) -> dict[str, float]:
    """A family of tests, those that were made."""
    from analysis import stats

    known = {name: value for name, value in raw.items() if value is not None and value == value}
    if not known:
        return {}
    adjusted = stats.adjust_p_values(list(known.values()), method="holm")
    return dict(zip(known, map(float, adjusted), strict=True))


def _threshold(parts: RetentionParts) -> list[Finding]:
    """Above its limit only when the whole interval lies beyond the line; whether it crossed it is read in the history shown."""
    basis = parts.contractual
    if isinstance(basis, NotDone):
        return []
    churn, line = basis.year.gross_churn, float(parts.limit.value or 0)
    if churn.interval is None or float(churn.value or 0) <= line:
        return []
    above = churn.interval.low > line
    template = "Gross churn of contracts is {churn} ({churn:interval}), above its limit of {limit}, but this could be noise."
    values: dict[str, Value] = {"churn": churn, "limit": parts.limit}
    if above:
        template, values = _above_limit(basis, line, values)
        if float(basis.year.net_loss.value or 0) <= line:
            template += " The net loss rate of {net}{net:doubt} does not show it: new customers are set against the lost."
            values["net"] = basis.year.net_loss
    return [
        _finding(
            id="retention.gross_churn",
            severity="alert" if above else "watch",
            ground="limit" if above else "no_sum",
            statement=Sentence(template, values),
            evidence=basis.lost,
            method="Lost among those present at the start; Wilson interval against the limit",
            rank=float(churn.value or 0),
        )
    ]


_LEFT = "{churn:numerator} of {churn:denominator} customers left within twelve months, {churn} ({churn:interval})."


def _above_limit(basis: ChurnBasis, line: float, values: dict[str, Value]) -> tuple[str, dict[str, Value]]:
    """What the months before say: it rose above the limit, it was above it in all of them, or there are none."""
    earlier = [(month, float(fact.value)) for month, fact in basis.history[:-1] if fact.value is not None]
    below = [month for month, rate in earlier if rate <= line]
    if below:
        crossed: dict[str, Value] = {"since": max(below) + 1}
        return (
            f"Gross churn of contracts crossed its limit of {{limit}} in {{since}}: {_LEFT}",
            values | crossed,
        )
    if earlier:
        first: dict[str, Value] = {"first": earlier[0][0]}
        return (
            f"Gross churn of contracts lies above its limit of {{limit}}, as in every month since {{first}}: {_LEFT}",
            values | first,
        )
    return f"Gross churn of contracts lies above its limit of {{limit}}: {_LEFT}", values


def _revenue(parts: RetentionParts) -> list[Finding]:
    if isinstance(parts.revenue, NotDone) or parts.revenue[0].gross.value is None:
        return []
    whole, accounts = parts.revenue[0], parts.accounts
    evidence = None if isinstance(accounts, NotDone) or accounts.lost.empty else accounts.lost
    grown = float(whole.net.value or 0) > float(whole.gross.value or 0)
    template = (
        "Contracts worth {gross} of the yearly value at the start were kept ({start} at the start); with additional sales to the same customers {net}."
        if grown
        else "Contracts worth {gross} of the yearly value at the start were kept ({start} at the start); the same customers bought nothing in addition."
    )
    values: dict[str, Value] = {"gross": whole.gross, "start": whole.start}
    return [
        _finding(
            id="retention.revenue_retention",
            severity="info",
            evidence=evidence,
            statement=Sentence(template, values | ({"net": whole.net} if grown else {})),
            method="Accounting totals of contract terms; the largest lost business accounts are listed",
            rank=1.0,
        )
    ]


Weight = Literal["matters", "may_matter", "trifle"]


def weight(difference: Fact, least: float) -> Weight:
    """An effect against the smallest that matters, not against zero: with many rows a trifle is certain, and stays a trifle.

    Parameters
    ----------
    difference : in the unit of ``least``, with its interval
    least : the smallest size that anyone would act on (a dated assumption)

    Returns
    -------
    ``matters`` where the whole interval lies beyond it, ``trifle`` where the estimate itself does not reach it, else ``may_matter``
    """
    if difference.value is None or abs(float(difference.value)) < least:
        return "trifle"
    found = difference.interval
    near = 0.0 if found is None or found.holds(0) else min(abs(found.low), abs(found.high))
    return "matters" if near >= least else "may_matter"


_GROUP = "{group}: these customers are lost {ratio} as often as others alike ({ratio:interval}; {ratio:n} losses from {first} to {last}), {rate}{rate:doubt} of them in a month."
# what may change, and where a customer is: to be looked into; what a customer is by nature or has bought: said
_CHANGES = f"{_GROUP} An association: speak with those who are in this group now before their term comes up, and learn what came before it."
_BY_NATURE = f"{_GROUP} What is compared is what a customer is or has bought, so the difference may lie in who chooses it."


def _group_name(inputs: StudyInputs, attribute: str, held: str) -> Text:
    """Attribute and value as the labels name them, as in ``Segment: Gold``; or all customers."""
    if attribute == ALL:
        return Text.of("All customers")
    registry = inputs.engine.registry
    name, value = registry.dimension_name(attribute), registry.value_label(attribute, held)
    return Text(en=f"{name.en}: {value.en}", zh=f"{name.zh}：{value.zh}")


def _groups(inputs: StudyInputs, parts: RetentionParts, sure: frozenset[str]) -> list[Finding]:
    """Who leaves more often than others alike; groups that repeat a stronger one stand in the table alone."""
    found = parts.leavers
    if isinstance(found, NotDone) or "groups" not in sure:
        return []
    least = limit(inputs, "smallest_loss_difference")
    span: dict[str, Value] = {"first": found.months.first, "last": found.months.last}
    return [_group(inputs, one, found.cells, span, least) for one in found.groups if one.told]


def _group(
    inputs: StudyInputs, one: LeavingGroup, cells: pd.DataFrame, span: Mapping[str, Value], least: float
) -> Finding:
    ground = _ground(one, least)
    values: dict[str, Value] = {
        "group": _group_name(inputs, one.attribute, one.held),
        "ratio": one.ratio,
        "rate": one.rate,
        **span,
    }
    return _finding(
        id="retention.group",
        severity="watch" if ground == "no_sum" else "info",
        ground=ground,
        statement=Sentence(_BY_NATURE if one.by_nature else _CHANGES, values),
        evidence=cells[cells["attribute"] == one.attribute],
        subject={"attribute": one.attribute, "held": one.held},
        method="Losses per customer-month against all others within standing of the term, years under contract and, for what may change or is a place, segment, plan and kind of contract; conditional on the losses of each stratum, Holm over all values tried. The strongest only; what repeats it is in the table",
        rank=float(one.ratio.value or 0),
    )


def _ground(one: LeavingGroup, least: float) -> Literal["statement", "small", "no_sum"]:
    """What is by nature is a statement; what comes to less of a year's customers than the smallest difference that matters is small."""
    if one.by_nature:
        return "statement"
    ratio, rate = float(one.ratio.value or 1), float(one.rate.value or 0)
    return "no_sum" if (1 - 1 / ratio) * rate * YEAR >= least else "small"


def _surges(inputs: StudyInputs, parts: RetentionParts, sure: frozenset[str]) -> list[Finding]:
    """Months in which a group lost more than its other months lead one to expect."""
    found = parts.surges
    if isinstance(found, NotDone) or "surges" not in sure:
        return []
    return [_surge(inputs, one) for one in found.groups if one.told]


def _surge(inputs: StudyInputs, one: LossSurge) -> Finding:
    template = "{group}: {losses} were lost in {window}, {ratio} as many as its other months lead one to expect ({ratio:interval}; {ratio:n} losses in all months). Look for what changed for this group then: a price, the terms, a release. The months were found by a search, so the ratio is a little too large."
    return _finding(
        id="retention.surge",
        severity="watch",
        ground="no_sum",
        statement=Sentence(
            template,
            {
                "group": _group_name(inputs, one.attribute, one.held),
                "losses": one.losses,
                "window": one.window if one.window.first != one.window.last else one.window.first,
                "ratio": one.ratio,
            },
        ),
        evidence=one.months_of,
        subject={
            "attribute": one.attribute,
            "held": one.held,
            "months": f"{one.window.first}/{one.window.last}",
        },
        method="Scan over windows of one to three months begun in the last twelve (Kulldorff 1997), with the group's own rate by standing of the term; the largest of all windows by simulation, Holm over groups. Of groups that rose in the same months the strongest",
        rank=float(one.ratio.value or 0),
    )


_NEWCOMERS = "{group}: of the new customers of {last_year} {last} ({last:interval}; {last:numerator} of {last:denominator})"
_BEFORE = f"{_NEWCOMERS}, of those of {{first_year}} {{first}} ({{first:interval}}; {{first:numerator}} of {{first:denominator}}): {{change:signed}} ({{change:interval}})."
_MORE = f"{_BEFORE} Plan prices, terms and the language and hours of service for them, and follow whether they stay and pay as others do."
_FEWER = f"{_BEFORE} Ask whether that was meant, and who no longer comes."
_SINCE = f"{_NEWCOMERS}; of those of {{first_year}} nobody ({{first:denominator}} in all): {{change:signed}} ({{change:interval}}). It was not there before, so the company itself may have begun it; follow whether they stay and pay as others do."


def _newcomers(inputs: StudyInputs, parts: RetentionParts, sure: frozenset[str]) -> list[Finding]:
    """Groups whose share of the new customers moved; what repeats a stronger one stands in the table alone."""
    found = parts.newcomers
    if isinstance(found, NotDone) or "newcomers" not in sure:
        return []
    return [_newcomer(inputs, one, found) for one in found.groups if one.told]


def _newcomer(inputs: StudyInputs, one: NewcomerShare, found: NewcomerMix) -> Finding:
    """Who comes is neither a loss nor a gain: said, whatever its size."""
    grown = _SINCE if one.is_new else _MORE
    values: dict[str, Value] = {
        "group": _group_name(inputs, one.attribute, one.held),
        "first_year": found.years[0],
        "last_year": found.years[-1],
        "first": one.first,
        "last": one.last,
        "change": one.change,
    }
    return _finding(
        id="retention.newcomers",
        severity="info",
        ground="statement",
        statement=Sentence(grown if float(one.change.value or 0) > 0 else _FEWER, values),
        evidence=found.cells[found.cells["attribute"] == one.attribute],
        subject={"attribute": one.attribute, "held": one.held},
        method=_BY_CONTRACT if found.by_contract else _BY_PURCHASE,
        rank=abs(float(one.change.value or 0)),
    )


_TREND = "Trend of the share over whole years (Cochran-Armitage), less sure where months of one year differ more than chance lets them, Holm over all values tried; the difference by Newcombe's interval. The surest value of an attribute only; what repeats it is in the table."
_BY_CONTRACT = f"{_TREND} New: the first contract on record"
_BY_PURCHASE = f"{_TREND} New: the first purchase on record"


_EXPERIENCE = {
    "slow": "Customers whose complaint was answered after {late} left {ratio} as often as comparable customers without a complaint ({ratio:interval}; {ratio:n} losses after it); "
    "within twelve months that goes with {difference:signed} of losses ({difference:interval}). The comparison of those who ever had a late answer with all others says {naive}{naive:doubt}: it forgets that only who stays long enough can have one.",
    "waited": "Customers whose request was answered after {late} left {ratio} as often as comparable customers who were answered sooner ({ratio:interval}; {ratio:n} losses after it); "
    "within twelve months that goes with {difference:signed} of losses ({difference:interval}).",
    "followed": "Customers whose fault took more than one contact left {ratio} as often as comparable customers whose fault took one ({ratio:interval}; {ratio:n} losses after it); "
    "within twelve months that goes with {difference:signed} of losses ({difference:interval}).",
    "repeat": "Customers with a repeat fault within {window} left {ratio} as often as comparable customers ({ratio:interval}; {ratio:n} losses after it); "
    "within twelve months that goes with {difference:signed} of losses ({difference:interval}). It is an association over the first twelve months of a contract; complaints that follow are not held fixed.",
}
_STAKE = "Margin that goes with it: {money} ({money:interval}), the gross margin of the last twelve months' orders of the customers under contract who first had it in that time, times that difference."


def _experience(inputs: StudyInputs, parts: RetentionParts, sure: frozenset[str]) -> list[Finding]:
    found = parts.drivers
    if isinstance(found, NotDone):
        return []
    late: dict[str, Value] = {"late": Stating(inputs=inputs).assumed("late_answer_hours")}
    # what each sentence says besides: the rule that makes an answer late or a repair a repeat, and the naive ratio
    rules: dict[str, dict[str, Value]] = {
        "slow": late | {"naive": found.ratios["slow", "naive"]},
        "waited": late,
        "repeat": {"window": Stating(inputs=inputs).assumed("repeat_repair_days")},
        "followed": {},
    }
    made, least, judge = [], limit(inputs, "smallest_loss_difference"), materiality(inputs)
    for name, model in TESTED:
        if f"experience.{name}" not in sure:
            continue
        ratio, difference = found.ratios[name, model], found.differences[name]
        if ratio.value is None or weight(difference, least) == "trifle":
            continue
        money = found.stakes.get(name)
        values: dict[str, Value] = {"ratio": ratio, "difference": difference} | rules[name]
        text = _EXPERIENCE[name]
        if money is not None and money.value is not None:
            text, values = f"{text} {_STAKE}", values | {"money": money}
        made.append(
            _finding(
                id=f"retention.{name}",
                # an association that no hidden cause was held against: by the rule of the value section never an alert
                severity=judge.severity(money, certain=False) if float(ratio.value) > 1 else "good",
                ground="unasked" if float(ratio.value) > 1 else "good",
                stake=Stake.of(money) if money is not None and float(ratio.value) > 1 else None,
                statement=Sentence(text, values),
                evidence=found.cells[name],
                subject={"exposure": name},
                method="Cox regression within contract kind, customer type and segment; an association, not proof of a cause",
                rank=float(ratio.value),
                checks=("proportional_hazards",),
            )
        )
    return made


def _repurchase(inputs: StudyInputs, parts: RetentionParts, sure: frozenset[str]) -> list[Finding]:
    line = _badly_served(parts)
    if line is None or "repurchase" not in sure or line.difference.value is None:
        return []
    if weight(line.difference, limit(inputs, "smallest_repurchase_difference")) == "trifle":
        return []
    down = float(line.difference.value) < 0
    template = "After a late answer to a complaint or a repeat fault {served} ({served:numerator} of {served:denominator}) bought again within {months} months, against {matched} of matched customers without service: {difference:signed} ({difference:interval}). From quarterly landmarks since {first}, windows closed by the end of {last}."
    return [
        _finding(
            id="retention.repurchase",
            severity="watch" if down else "good",
            ground="no_sum" if down else "good",
            statement=Sentence(
                template,
                {
                    "served": line.served,
                    "matched": line.matched,
                    "difference": line.difference,
                    "months": str(line.window),
                    **line.span,
                },
            ),
            evidence=line.cells,
            method="Exact matching on landmark, type, segment, orders, recency and age; windows that have closed",
            rank=abs(float(line.difference.value)),
        )
    ]


def _leaving(inputs: StudyInputs, parts: RetentionParts, sure: frozenset[str]) -> list[Finding]:
    after = parts.loss_after_repair
    if isinstance(after, NotDone):
        return []
    least = limit(inputs, "smallest_loss_difference")
    templates = {
        "repaired": "Within six months after the quarter of a fault {served} of customers ({served:numerator} of {served:denominator}) left, against {matched} of matched customers who never asked for service: {difference:signed} ({difference:interval}). From quarterly landmarks since {first}, windows closed by the end of {last}.",
        "repeated": "Within six months after the quarter of a repeat fault {served} of customers ({served:numerator} of {served:denominator}) left, against {matched} of matched customers who never asked for service: {difference:signed} ({difference:interval}). From quarterly landmarks since {first}, windows closed by the end of {last}. The comparison is not with other faults.",
    }
    return [
        _finding(
            id=f"retention.left_after_{line.arm}",
            severity="watch" if float(line.difference.value or 0) > 0 else "good",
            ground="no_sum" if float(line.difference.value or 0) > 0 else "good",
            statement=Sentence(
                templates[line.arm],
                {"served": line.served, "matched": line.matched, "difference": line.difference, **line.span},
            ),
            # what the matching calls bought, whatever its outcome, is here who left
            evidence=line.cells.rename(columns={"bought": "left", "bought_control": "left_control"}),
            method="Exact matching on landmark, contract kind, type, segment, months to renewal and tenure; windows that have closed",
            rank=abs(float(line.difference.value or 0)),
        )
        for line in after
        if f"leaving.{line.arm}" in sure and weight(line.difference, least) != "trifle"
    ]


_COHORT_TEXT = {
    "contract_cohorts": "Contracts begun in {cohort} differ from the other cohorts a year on: {gap:signed} ({gap:interval}).",
    "purchase_cohorts": "Buyers first seen in {cohort} differ from the other cohorts a year on: {gap:signed} ({gap:interval}).",
}
# a month or a quarter a year on is the same time of the year again, and each cohort has its own
_SEASONAL_TEXT = "Buyers first seen in {cohort} differ from the other cohorts a year on: {gap:signed} ({gap:interval}). A year on it is the same season again, for each cohort its own: a season in which all buy more may be all that is behind it."


def _cohorts(inputs: StudyInputs, parts: RetentionParts, sure: frozenset[str]) -> list[Finding]:
    made = []
    for name, found in _tested_cohorts(parts).items():
        if name not in sure or found.worst is None or found.worst.value is None:
            continue
        if weight(found.worst, limit(inputs, "smallest_loss_difference")) == "trifle":
            continue
        if name == "contract_cohorts" and _recorded(inputs, parts):
            continue  # where earlier losses are missing, older cohorts look better than they were
        seasonal = name == "purchase_cohorts" and load_settings().cohort_period != "year"
        better = float(found.worst.value) > 0
        made.append(
            _finding(
                id=f"retention.{name}",
                severity="info" if seasonal else "good" if better else "watch",
                ground="statement" if seasonal else "good" if better else "no_sum",
                statement=Sentence(
                    _SEASONAL_TEXT if seasonal else _COHORT_TEXT[name],
                    {"cohort": step_label(found.worst.dimensions["cohort"]), "gap": found.worst},
                ),
                evidence=found.differences,
                method="Each cohort against the others at the same age, Holm over cohorts",
                rank=abs(float(found.worst.value)),
            )
        )
    return made


def _segments(inputs: StudyInputs, parts: RetentionParts, sure: frozenset[str]) -> list[Finding]:
    """The segment furthest from the largest one, when the whole interval of the difference is long enough to matter."""
    stay = parts.survival
    if isinstance(stay, NotDone) or "segment" not in sure or "segment" not in stay.by:
        return []
    least = limit(inputs, "smallest_tenure_difference")
    first, *others = stay.by["segment"]
    apart = [
        (one, one.difference)
        for one in others
        if one.difference is not None and weight(one.difference, least) == "matters"
    ]
    if not apart:
        return []
    group, difference = max(apart, key=lambda pair: abs(float(pair[1].value or 0)))
    template = "Of the first 36 months, {group} customers spend {mean}{mean:doubt} under contract, {difference:signed} ({difference:interval}) against {first} customers, the segment with the most customers."
    return [
        _finding(
            id="retention.segments",
            severity="info",
            statement=Sentence(
                template,
                {"group": group.label, "mean": group.mean, "difference": difference, "first": first.label},
            ),
            method="Log-rank test within contract kind and customer type; area under Kaplan–Meier against the segment with the most customers; segment as it was when the contract began",
            rank=0.5,
        )
    ]


def _calls(inputs: StudyInputs, parts: RetentionParts) -> list[Finding]:
    """The call list, when it was better than calling anyone on a snapshot it never saw."""
    found = parts.early_warning
    if isinstance(found, NotDone) or found.lift.interval is None or found.lift.interval.low <= 1:
        return []
    template = "{losses} under contract ({losses:interval}) are expected to be lost within {months} months, with {margin} ({margin:interval}) of yearly margin at stake. The sums are the score's own; their intervals also hold what the score missed in the last test, so they need not lie around them. Of the {called:n} with the highest scores, {called} ({called:interval}) left in the last test against {base}{base:doubt} of all {base:denominator}."
    return [
        _finding(
            id="retention.call_list",
            # the margin is at risk, not lost
            severity=materiality(inputs).severity(found.margin, certain=False),
            ground="risk",
            stake=Stake.of(found.margin),
            evidence=found.calls,
            statement=Sentence(
                template,
                {
                    "months": str(found.horizon),
                    "losses": found.expected_losses,
                    "margin": found.margin,
                    "called": found.precision,
                    "base": found.base_rate,
                },
            ),
            method="Score chosen on a later snapshot and tested on a still later one",
            rank=2.0,
            checks=("score_calibration", "score_drift"),
        )
    ]


def _accounts(parts: RetentionParts) -> list[Finding]:
    found = parts.accounts
    if isinstance(found, NotDone) or found.top_share.value is None:
        return []
    template = (
        "{number} under contract are businesses, worth {value} a year; the largest tenth of them hold {share} of it. The largest are listed with the end of their term."
        if isinstance(parts.early_warning, NotDone)
        else "{number} under contract are businesses, worth {value} a year; the largest tenth of them hold {share} of it. The largest are listed with the end of their term and their chance of loss."
    )
    return [
        _finding(
            id="retention.accounts",
            severity="info",
            evidence=found.listed,
            statement=Sentence(
                template, {"number": found.number, "value": found.value, "share": found.top_share}
            ),
            method="Running terms at the end of the month; accounting totals",
            rank=0.4,
        )
    ]


# -- checks ----------------------------------------------------------------------------------------------------------


def checks(inputs: StudyInputs, parts: RetentionParts) -> tuple[Check, ...]:
    """The doubts that are shown beside the results."""
    makers = (_three_ways, _followed_from_start, _links, _surveys, _unmatched, _calibrated, _drift)
    error = 1 - inputs.confidence
    return (
        *_identities(parts),
        *_in_grace(inputs, parts),
        *_recorded(inputs, parts),
        *_proportional(parts, error),
        *(check for make in makers for check in make(parts)),
        *_identification(parts, error),
    )


def _judged(id: str, holds: bool, passed: Sentence, failed: Sentence) -> list[Check]:
    """One check, with what is said either way."""
    return [Check(id=id, outcome="passed" if holds else "failed", sentence=passed if holds else failed)]


def _identities(parts: RetentionParts) -> list[Check]:
    """Both bases in one line when they add up; the one that does not, by itself."""
    made: list[Check] = []
    values: dict[str, Value] = {}
    for name, basis in (("contractual", parts.contractual), ("non_contractual", parts.non_contractual)):
        if isinstance(basis, NotDone):
            continue
        whole, by = basis.year.components, [line.components for line in basis.by_type]
        adds = whole.end == whole.start - whole.lost + whole.new + whole.reactivated and all(
            sum(getattr(one, part) for one in by) == getattr(whole, part)
            for part in ("start", "lost", "new", "reactivated", "end")
        )
        values |= {f"{name}_start": basis.year.counts["start"], f"{name}_end": basis.year.counts["end"]}
        if not adds:
            sentence = Sentence("The components of churn do not add up.")
            made.append(Check(id=f"components_{name}", outcome="failed", blocking=True, sentence=sentence))
    if not values or made:
        return made
    both = "Start − lost + new + reactivated = end, and customer types add up to the whole: contracts {contractual_start} to {contractual_end}, purchases {non_contractual_start} to {non_contractual_end}."
    one = "Start − lost + new + reactivated = end, and customer types add up to the whole: {start} became {end}."
    if len(values) == 2:
        start, end = values.values()
        return [
            Check(id="components", outcome="passed", sentence=Sentence(one, {"start": start, "end": end}))
        ]
    return [Check(id="components", outcome="passed", sentence=Sentence(both, values))]


def _in_grace(inputs: StudyInputs, parts: RetentionParts) -> list[Check]:
    """Whose contract ran out within the grace days is neither lost nor renewed yet: how much of the rate is open."""
    basis = parts.contractual
    if isinstance(basis, NotDone) or basis.waiting is None or not basis.waiting.value:
        return []
    text = "{waiting} whose contract ran out within the last {days} count as staying, because a late renewal is still possible; if none of them renews, gross churn is {most} instead of {churn}. Survival, effects and the score are judged up to the day on which the first of these ran out."
    values: dict[str, Value] = {
        "waiting": basis.waiting,
        "days": Stating(inputs=inputs).assumed("contract_grace_days"),
        "most": basis.at_most or basis.year.gross_churn,
        "churn": basis.year.gross_churn,
    }
    return [Check(id="within_grace", outcome="info", sentence=Sentence(text, values))]


def _recorded(inputs: StudyInputs, parts: RetentionParts) -> list[Check]:
    """A source that holds only customers of its last day knows of no earlier losses."""
    basis, first = parts.contractual, parts.first_loss
    if (
        isinstance(basis, NotDone)
        or basis.year.components.start < limit(inputs, "retention_fewest_customers")
        or not isinstance(first, Month)
        or first <= basis.year.period.first
    ):
        return []
    return [
        Check(
            id="losses_recorded",
            outcome="failed",
            sentence=Sentence(
                "No loss before {month} is on record although contracts ran before: customers lost earlier seem to be missing, so churn over twelve months is a lower bound.",
                {"month": first},
            ),
        )
    ]


SURVEYS = "Scores speak for those who answered: {whole}{whole:doubt} of the surveys sent in twelve months ({whole:n} sent)."
SURVEYS_ALIKE = (
    "Scores speak for those who answered: {whole}{whole:doubt} of the surveys sent in twelve months ({whole:n} sent); about complaints answered late {slow} "
    "({slow:interval}; {slow:n} sent), in time {prompt} ({prompt:interval}; {prompt:n} sent): no difference shown. Whether the content and the discontented answer alike is not known."
)
SURVEYS_APART = (
    "Scores speak for those who answered: {whole}{whole:doubt} of the surveys sent in twelve months ({whole:n} sent), and not alike: about complaints answered late "
    "{slow} ({slow:interval}; {slow:n} sent), in time {prompt} ({prompt:interval}; {prompt:n} sent). Mean scores, and links that rest on scores, are shifted by who answers."
)
SURVEYS_ALL = "Every survey on record was answered ({whole:n}): those sent and not answered seem to be missing, so whom the scores speak for is not known."


def _surveys(parts: RetentionParts) -> list[Check]:
    """Non-response: how many of those asked answered, and whether late answers to complaints go with it."""
    found = parts.surveys
    if isinstance(found, NotDone) or found.whole.value is None:
        return []
    values: dict[str, Value] = {"whole": found.whole}
    template = SURVEYS_ALL if found.whole.value == 1 else SURVEYS
    known = [one for one in (found.slow, found.prompt) if one is not None and one.interval is not None]
    if template == SURVEYS and len(known) == 2:
        (slow, prompt), values = known, values | {"slow": known[0], "prompt": known[1]}
        template = SURVEYS_APART if _differ(slow, prompt) else SURVEYS_ALIKE
    return [Check(id="survey_response", outcome="info", sentence=Sentence(template, values))]


def _differ(one: Fact, other: Fact) -> bool:
    """Whether two shares of different surveys differ beyond chance: by the interval of their difference, since intervals that overlap may still differ."""
    from analysis import stats

    assert one.interval is not None and one.numerator is not None and other.numerator is not None
    found = stats.proportion_difference_interval(
        float(one.numerator),
        float(one.denominator or 0),
        float(other.numerator),
        float(other.denominator or 0),
        level=one.interval.level,
    )
    return bool(found.low > 0 or found.high < 0)


def _three_ways(parts: RetentionParts) -> list[Check]:
    """Repeat repair and loss is printed in several places with several numbers: which question each answers."""
    if isinstance(parts.drivers, NotDone) or isinstance(parts.loss_after_repair, NotDone):
        return []
    ratio = parts.drivers.differences.get("repeat")
    line = next(one for one in parts.loss_after_repair if one.arm == "repeated")
    if ratio is None or ratio.value is None or line.difference.value is None:
        return []
    text = "Repeat fault and loss: {year:signed}{year:doubt} is over the first twelve months of a contract, all with a repeat fault from the start against none (later complaints not held fixed); {half:signed}{half:doubt} is over the six months after a landmark, against customers who never asked for service. What the section on customer value says of staying is about one repair that did not hold against one that did, over its own window and with more held fixed. The three answer different questions; none is proof of a cause."
    values: dict[str, Value] = {"year": ratio, "half": line.difference}
    return [Check(id="repeat_repair_windows", outcome="info", sentence=Sentence(text, values))]


def _followed_from_start(parts: RetentionParts) -> list[Check]:
    found = parts.survival
    if isinstance(found, NotDone) or not found.from_start:
        return []
    text = "Without service records nothing says since when losses are on file: contracts are followed from their start, as if all that ever began were known."
    return [Check(id="observed_from", outcome="info", sentence=Sentence(text))]


def _proportional(parts: RetentionParts, error: float) -> list[Check]:
    found = parts.drivers
    if isinstance(found, NotDone) or found.proportional is None:
        return []
    return _judged(
        "proportional_hazards",
        float(found.proportional["p_value"]["GLOBAL"]) >= error,
        Sentence(
            "Proportional hazards: no sign that the hazard ratios change with the age of the contract (Grambsch–Therneau test, all experiences together)."
        ),
        Sentence(
            "Proportional hazards: the hazard ratios change with the age of the contract; one ratio for all ages is a summary at best."
        ),
    )


def _links(parts: RetentionParts) -> list[Check]:
    if isinstance(parts.chain, NotDone) or not parts.chain.links:
        return []
    against = [link for link in parts.chain.links if link.verdict == "reversed"]
    weak = [link for link in parts.chain.links if link.verdict == "not_shown"]
    if against:
        names = Text.joined((link.label for link in [*against, *weak]), en="; ", zh="；")
        text = "Not shown by these data, or found the other way round: {links}."
        return [Check(id="chain_links", outcome="info", sentence=Sentence(text, {"links": names}))]
    if not weak:
        every = Sentence("Every link of the chain that could be tested holds in these data.")
        return [Check(id="chain_links", outcome="passed", sentence=every)]
    names = Text.joined((link.label for link in weak), en="; ", zh="；")
    shown = Sentence("Not shown by these data: {links}.", {"links": names})
    return [Check(id="chain_links", outcome="info", sentence=shown)]


def _unmatched(parts: RetentionParts) -> list[Check]:
    line = _badly_served(parts)
    if line is None or line.matched.value is None:
        return []
    return _judged(
        "matching",
        line.served.n is not None and line.unmatched <= 0.1 * line.served.n,
        Sentence("Nearly every customer with bad service has a match among customers without service."),
        Sentence(
            "More than a tenth of the customers with bad service have no match; the comparison speaks for the others only."
        ),
    )


_OF_ALL = "{all} of all customers were expected to leave, {observed} did ({observed:interval})"
_OF_TENTH = "{expected} of the riskiest tenth were expected to leave, {riskiest} did ({riskiest:interval})"
_MISSED = {
    "both": f"The score's level missed what came by more than chance: {_OF_ALL}; {_OF_TENTH}. The larger miss",
    "all": f"The score's level missed what came of all customers by more than chance: {_OF_ALL}. Of the riskiest tenth chance explains the difference: {_OF_TENTH}. The miss of all",
    "tenth": f"The score's level missed what came of the riskiest tenth by more than chance: {_OF_TENTH}. Of all customers chance explains the difference: {_OF_ALL}. The miss of the tenth",
}
# by the part that was missed, and by whether the larger miss is more than the page can bear
MISSED = {
    (
        which,
        grave,
    ): f"{text} is {size} than {{limit}} of what was expected. Expected losses and margin at risk carry it in their intervals."
    for which, text in _MISSED.items()
    for grave, size in ((True, "larger"), (False, "no larger"))
}


def _calibrated(parts: RetentionParts) -> list[Check]:
    """Whether the score expected what came: of all customers and of the riskiest tenth, who are called first.

    A miss is named where the expected rate lies outside the interval of the observed one; it fails the check where it is also larger than the
    share that the page can bear (``score_calibration_limit``).
    """
    found = parts.early_warning
    if isinstance(found, NotDone) or found.base_rate.interval is None or not found.base_rate.n:
        return []
    riskiest, expected = found.observed[-1], found.expected[-1]
    values: dict[str, Value] = {
        "observed": found.base_rate,
        "all": found.expected_rate,
        "riskiest": riskiest,
        "expected": expected,
        "limit": found.calibration_limit,
    }
    whole, tenth = _missed(found.base_rate, found.expected_rate), _missed(riskiest, expected)
    grave = max(whole, tenth) > float(found.calibration_limit.value or 0)
    if not (whole or tenth):
        text = "The score expected what came: {all} of all customers ({observed} left, {observed:interval}) and {expected} of the riskiest tenth ({riskiest}, {riskiest:interval})."
        values.pop("limit")
        return [Check(id="score_calibration", outcome="passed", sentence=Sentence(text, values))]
    which = "both" if whole and tenth else "all" if whole else "tenth"
    sentence = Sentence(MISSED[which, grave], values)
    return [Check(id="score_calibration", outcome="failed" if grave else "info", sentence=sentence)]


def _missed(observed: Fact, expected: Fact) -> float:
    """By which share of the expected rate the observed one missed it; zero where chance explains it."""
    rate, found = float(expected.value or 0), observed.interval
    if found is None or observed.value is None or not rate or found.low <= rate <= found.high:
        return 0.0
    return abs(float(observed.value) / rate - 1)


def _drift(parts: RetentionParts) -> list[Check]:
    found = parts.early_warning
    if isinstance(found, NotDone):
        return []
    moved = found.scores.drift.loc[found.scores.drift["moved"], "feature"].tolist()
    return _judged(
        "score_drift",
        not moved,
        Sentence(
            "Neither the score nor its inputs drifted (population stability index above {limit}) by more than between earlier snapshots as far apart.",
            {"limit": found.drift_limit},
        ),
        Sentence(
            "Drifted since the score was learnt, beyond what is usual between snapshots as far apart (population stability index above {limit}): {names}.",
            {"names": reason_names(moved), "limit": found.drift_limit},
        ),
    )


def _identification(parts: RetentionParts, error: float) -> list[Check]:
    """What cannot be told apart, and what of the rest these data show."""
    if isinstance(parts.contract_cohorts, NotDone):
        return []
    limit = "Age, calendar time and cohort cannot be fully told apart: cohort plus age is the calendar quarter, so a straight trend may belong to any of the three. Only departures from a straight line can be attributed."
    found = parts.effects
    if isinstance(found, NotDone):
        return [Check(id="age_period_cohort", outcome="info", sentence=Sentence(limit))]
    names = {
        "age": Text.of("age of the contract"),
        "calendar": Text.of("calendar time"),
        "cohort": Text.of("quarter of entry"),
    }
    shown = [names[one.name] for one in found if float(one.p_value.value or 0) < error / len(found)]
    bends = (
        "Age, calendar time and cohort cannot be fully told apart: a straight trend may belong to any of the three. Beyond a straight line, losses vary with: {names}."
        if shown
        else "Age, calendar time and cohort cannot be fully told apart: a straight trend may belong to any of the three. Beyond a straight line, losses vary with none of them."
    )
    values = {"names": Text.joined(shown)} if shown else {}
    return [Check(id="age_period_cohort", outcome="info", sentence=Sentence(bends, values))]
