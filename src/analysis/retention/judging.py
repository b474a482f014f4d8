"""Which results become findings, all tests of the run together, and which doubts are shown."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Sentence, Value
from analysis.retention.accounts import Accounts
from analysis.retention.chain import Link
from analysis.retention.drivers import TESTED, Drivers
from analysis.retention.movement import Basis
from analysis.retention.rebuying import Rebuying
from analysis.retention.staying import Staying
from analysis.retention.vintages import Cohorts
from analysis.retention.warning import Warning_

Parts = Mapping[str, object]
SMALLEST_BASE = 50
COHORTS = (
    "contract_cohorts",
    "purchase_cohorts",
)  # kinds of first product differ by nature; they are shown, with intervals, and are no news


def findings(inputs: StudyInputs, parts: Parts, limit: Fact) -> tuple[Finding, ...]:
    adjusted = adjusted_p_values(parts)
    sure = {name for name, value in adjusted.items() if value < 1 - inputs.confidence}
    return (
        *_threshold(parts, limit),
        *_revenue(parts),
        *_experience(parts, sure),
        *_repurchase(parts, sure),
        *_leaving(parts, sure),
        *_cohorts(parts, sure),
        *_segments(parts, sure),
        *_calls(parts),
        *_accounts(parts),
    )


@traced
def adjusted_p_values(parts: Parts) -> dict[str, float]:
    """Every test that may become a finding, adjusted together (Holm).

    Cohort tests enter with their smallest p-value already adjusted among the cohorts.
    """
    from analysis import stats

    raw: dict[str, float | None] = {}
    found, stay, again = parts["drivers"], parts["staying"], parts["rebuying"]
    if isinstance(found, Drivers):
        raw |= {f"experience.{name}": value for name, value in found.p_values.items()}
    if isinstance(stay, Staying) and "segment" in stay.p_values:
        raw["segment"] = stay.p_values["segment"]
    if isinstance(again, tuple):
        raw["repurchase"] = next(
            (line.p_value for line in again if line.arm == "bad" and line.severity == "all"), None
        )
    after = parts["leaving"]
    if isinstance(after, tuple):
        raw |= {f"leaving.{line.arm}": line.p_value for line in after}
    for name in COHORTS:
        cohorts = parts[name]
        if isinstance(cohorts, Cohorts):
            raw[name] = cohorts.p_value
    known = {name: value for name, value in raw.items() if value is not None and value == value}
    return (
        dict(zip(known, map(float, stats.adjust_p_values(list(known.values()), method="holm")), strict=True))
        if known
        else {}
    )


def _threshold(parts: Parts, limit: Fact) -> list[Finding]:
    """Crossed only when the whole interval lies beyond the line."""
    basis = parts["contractual"]
    if (
        not isinstance(basis, Basis)
        or basis.year.gross_churn.value is None
        or basis.year.gross_churn.interval is None
    ):
        return []
    churn, line = basis.year.gross_churn, float(limit.value or 0)
    values = {"churn": churn, "limit": limit, "net": basis.year.net_loss}
    if float(churn.value or 0) <= line:
        return []
    crossed = churn.interval is not None and churn.interval.low > line
    template = (
        "Gross churn of contracts crossed its limit of {limit}: {churn:numerator} of {churn:denominator} customers left within twelve months, {churn} ({churn:interval}). The popular net rate of {net} hides it behind new customers."
        if crossed
        else "Gross churn of contracts is {churn} ({churn:interval}), above its limit of {limit}, but this could be noise."
    )
    return [
        Finding(
            id="retention.gross_churn",
            section="retention",
            severity="alert" if crossed else "watch",
            statement=Sentence(template, values),
            method="Lost among those present at the start; Wilson interval against the limit",
            rank=float(churn.value or 0),
        )
    ]


@traced
def _revenue(parts: Parts) -> list[Finding]:
    lines, accounts = parts["revenue"], parts["accounts"]
    if not isinstance(lines, tuple) or lines[0].gross.value is None:
        return []
    whole = lines[0]
    evidence = accounts.lost if isinstance(accounts, Accounts) and not accounts.lost.empty else None
    template = "Contracts worth {gross} of the yearly value at the start were kept ({start} at the start); with additional sales to the same customers {net}."
    return [
        Finding(
            id="retention.revenue_retention",
            section="retention",
            severity="info",
            evidence=evidence,
            statement=Sentence(template, {"gross": whole.gross, "net": whole.net, "start": whole.start}),
            method="Accounting totals of contract terms; the largest lost business accounts are listed",
            rank=1.0,
        )
    ]


_EXPERIENCE = {
    "slow": "Customers whose complaint was answered after 24 hours left {ratio} as often as comparable customers without a complaint ({ratio:interval}); "
    "within twelve months that goes with {difference:signed} of losses. The naive comparison says {naive}: it forgets that only who stays long enough can complain.",
    "waited": "Customers whose request was answered after 24 hours left {ratio} as often as comparable customers who were answered sooner ({ratio:interval}); "
    "within twelve months that goes with {difference:signed} of losses.",
    "followed": "Customers whose repair took more than one contact left {ratio} as often as comparable customers whose repair took one ({ratio:interval}); "
    "within twelve months that goes with {difference:signed} of losses.",
    "repeat": "Customers with a repeat repair within 30 days left {ratio} as often as comparable customers ({ratio:interval}); "
    "within twelve months that goes with {difference:signed} of losses.",
}


def _experience(parts: Parts, sure: set[str]) -> list[Finding]:
    found = parts["drivers"]
    if not isinstance(found, Drivers):
        return []
    made = []
    for name, model in TESTED:
        if f"experience.{name}" not in sure:
            continue
        ratio, difference = found.ratios[name, model], found.differences[name]
        if ratio.value is None or difference.value is None:
            continue
        values = {"ratio": ratio, "difference": difference} | (
            {"naive": found.ratios["slow", "naive"]} if name == "slow" else {}
        )
        made.append(
            Finding(
                id=f"retention.{name}",
                section="retention",
                severity="alert" if float(ratio.value) > 1 else "good",
                statement=Sentence(_EXPERIENCE[name], values),
                subject={"exposure": name},
                method="Cox regression within contract kind, customer type and segment; an association, not proof of a cause",
                rank=float(ratio.value),
                checks=("proportional_hazards",),
            )
        )
    return made


def _repurchase(parts: Parts, sure: set[str]) -> list[Finding]:
    again = parts["rebuying"]
    if not isinstance(again, tuple) or "repurchase" not in sure:
        return []
    line: Rebuying = next(one for one in again if one.arm == "bad" and one.severity == "all")
    if line.difference.value is None:
        return []
    down = float(line.difference.value) < 0
    template = "After a late answer to a complaint or a repeat repair {served} bought again within twelve months, against {matched} of matched customers without service: {difference:signed} ({difference:interval})."
    return [
        Finding(
            id="retention.repurchase",
            section="retention",
            severity="watch" if down else "good",
            statement=Sentence(
                template, {"served": line.served, "matched": line.matched, "difference": line.difference}
            ),
            method="Exact matching on landmark, type, segment, orders, recency and age; windows that have closed",
            rank=abs(float(line.difference.value)),
        )
    ]


def _leaving(parts: Parts, sure: set[str]) -> list[Finding]:
    after = parts["leaving"]
    if not isinstance(after, tuple):
        return []
    templates = {
        "repaired": "Within six months after a repair {served} of contracts were lost, against {matched} of matched customers who never asked for service: {difference:signed} ({difference:interval}).",
        "repeated": "Within six months after a repeat repair {served} of contracts were lost, against {matched} of matched customers who never asked for service: {difference:signed} ({difference:interval}).",
    }
    return [
        Finding(
            id=f"retention.left_after_{line.arm}",
            section="retention",
            severity="watch" if float(line.difference.value or 0) > 0 else "good",
            statement=Sentence(
                templates[line.arm],
                {"served": line.served, "matched": line.matched, "difference": line.difference},
            ),
            method="Exact matching on landmark, contract kind, type, segment, months to renewal and tenure; windows that have closed",
            rank=abs(float(line.difference.value or 0)),
        )
        for line in after
        if f"leaving.{line.arm}" in sure and line.difference.value is not None
    ]


_COHORT_TEXT = {
    "contract_cohorts": "Contracts begun in {cohort} differ from the other cohorts a year on: {gap:signed} ({gap:interval}).",
    "purchase_cohorts": "Buyers first seen in {cohort} differ from the other cohorts a year on: {gap:signed} ({gap:interval}).",
}


def _cohorts(parts: Parts, sure: set[str]) -> list[Finding]:
    made = []
    for name in COHORTS:
        found = parts[name]
        if (
            not isinstance(found, Cohorts)
            or name not in sure
            or found.worst is None
            or found.worst.value is None
        ):
            continue
        if name == "contract_cohorts" and _recorded(parts):
            continue  # where earlier losses are missing, older cohorts look better than they were
        template = _COHORT_TEXT[name]
        made.append(
            Finding(
                id=f"retention.{name}",
                section="retention",
                severity="watch" if float(found.worst.value) < 0 else "good",
                statement=Sentence(
                    template, {"cohort": found.worst.dimensions["cohort"], "gap": found.worst}
                ),
                evidence=found.differences,
                method="Each cohort against the others at the same age, Holm over cohorts",
                rank=abs(float(found.worst.value)),
            )
        )
    return made


def _segments(parts: Parts, sure: set[str]) -> list[Finding]:
    stay = parts["staying"]
    if not isinstance(stay, Staying) or "segment" not in sure or "segment" not in stay.by:
        return []
    groups = [line for line in stay.by["segment"] if line.mean.value is not None]
    if len(groups) < 2:
        return []
    best, worst = max(groups, key=lambda line: line.mean.value), min(groups, key=lambda line: line.mean.value)  # type: ignore[arg-type,return-value]
    template = "Segments stay differently long: of the first 36 months, {best} customers spend {most} under contract, {worst} customers {least}."
    return [
        Finding(
            id="retention.segments",
            section="retention",
            severity="info",
            statement=Sentence(
                template, {"best": best.label, "most": best.mean, "worst": worst.label, "least": worst.mean}
            ),
            method="Log-rank test within contract kind and customer type; segment as it was when the contract began",
            rank=0.5,
        )
    ]


def _calls(parts: Parts) -> list[Finding]:
    """The call list, when it was better than calling anyone on a snapshot it never saw."""
    found = parts["warning"]
    if not isinstance(found, Warning_) or found.lift.interval is None or found.lift.interval.low <= 1:
        return []
    template = "{losses} are expected to be lost within {months} months, with {margin} of yearly margin at stake. Of the {called:n} with the highest scores, {called} left in the last test against {base} of all."
    return [
        Finding(
            id="retention.call_list",
            section="retention",
            severity="info",
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


def _accounts(parts: Parts) -> list[Finding]:
    found = parts["accounts"]
    models = parts["models"]
    if (
        not isinstance(found, Accounts)
        or not isinstance(models, frozenset)
        or "b2b" not in models
        or found.top_share.value is None
    ):
        return []
    template = "{number} under contract are businesses, worth {value} a year; the largest tenth of them hold {share} of it. The largest are listed with the end of their term and their chance of loss."
    return [
        Finding(
            id="retention.accounts",
            section="retention",
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


def checks(parts: Parts) -> tuple[Check, ...]:
    return tuple(
        check
        for make in (
            _identities,
            _recorded,
            _followed_from_start,
            _proportional,
            _links,
            _unmatched,
            _calibrated,
            _drift,
            _identification,
        )
        for check in make(parts)
    )


def _identities(parts: Parts) -> list[Check]:
    """Both bases in one line when they add up; the one that does not, by itself."""
    made: list[Check] = []
    values: dict[str, Value] = {}
    sound = True
    for name in ("contractual", "non_contractual"):
        basis = parts[name]
        if not isinstance(basis, Basis):
            continue
        whole = basis.year.components
        by = [line.components for line in basis.by_type]
        adds = all(
            sum(getattr(one, part) for one in by) == getattr(whole, part)
            for part in ("start", "lost", "new", "reactivated", "end")
        )
        adds = adds and whole.end == whole.start - whole.lost + whole.new + whole.reactivated
        values |= {f"{name}_start": basis.year.counts["start"], f"{name}_end": basis.year.counts["end"]}
        sound = sound and adds
        if not adds:
            made.append(
                Check(
                    id=f"components_{name}",
                    outcome="failed",
                    blocking=True,
                    sentence=Sentence("The components of churn do not add up."),
                )
            )
    if not values or not sound:
        return made
    both = "Start − lost + new + reactivated = end, and customer types add up to the whole: contracts {contractual_start} to {contractual_end}, purchases {non_contractual_start} to {non_contractual_end}."
    one = "Start − lost + new + reactivated = end, and customer types add up to the whole: {start} became {end}."
    if len(values) == 2:
        start, end = values.values()
        return [
            Check(id="components", outcome="passed", sentence=Sentence(one, {"start": start, "end": end}))
        ]
    return [Check(id="components", outcome="passed", sentence=Sentence(both, values))]


def _recorded(parts: Parts) -> list[Check]:
    """A source that holds only customers of its last day knows of no earlier losses."""
    basis, first = parts["contractual"], parts["first_loss"]
    if (
        not isinstance(basis, Basis)
        or basis.year.components.start < SMALLEST_BASE
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


def _followed_from_start(parts: Parts) -> list[Check]:
    found = parts["staying"]
    if not isinstance(found, Staying) or not found.from_start:
        return []
    text = "Without service records nothing says since when losses are on file: contracts are followed from their start, as if all that ever began were known."
    return [Check(id="observed_from", outcome="info", sentence=Sentence(text))]


def _proportional(parts: Parts) -> list[Check]:
    found = parts["drivers"]
    if not isinstance(found, Drivers) or found.proportional is None:
        return []
    holds = float(found.proportional["p_value"]["GLOBAL"]) >= 0.05
    text = (
        "Proportional hazards: no sign that the hazard ratios change with the age of the contract (Grambsch–Therneau test, all experiences together)."
        if holds
        else "Proportional hazards: the hazard ratios change with the age of the contract; one ratio for all ages is a summary at best."
    )
    return [
        Check(id="proportional_hazards", outcome="passed" if holds else "failed", sentence=Sentence(text))
    ]


def _links(parts: Parts) -> list[Check]:
    links = parts["chain"]
    if not isinstance(links, tuple) or not links:
        return []
    weak = [link for link in links if isinstance(link, Link) and link.verdict != "holds"]
    if not weak:
        return [
            Check(
                id="chain_links",
                outcome="passed",
                sentence=Sentence("Every link of the chain that could be tested holds in these data."),
            )
        ]
    names = Text(en="; ".join(link.label.en for link in weak), zh="；".join(link.label.zh for link in weak))
    return [
        Check(
            id="chain_links",
            outcome="info",
            sentence=Sentence("Not shown by these data: {links}.", {"links": names}),
        )
    ]


def _unmatched(parts: Parts) -> list[Check]:
    again = parts["rebuying"]
    if not isinstance(again, tuple):
        return []
    line = next(one for one in again if one.arm == "bad" and one.severity == "all")
    few = line.served.n is not None and line.unmatched <= 0.1 * line.served.n
    text = (
        "Nearly every customer with bad service has a match among customers without service."
        if few
        else "More than a tenth of the customers with bad service have no match; the comparison speaks for the others only."
    )
    return [Check(id="matching", outcome="passed" if few else "failed", sentence=Sentence(text))]


def _calibrated(parts: Parts) -> list[Check]:
    """Do the expected losses of the test snapshot lie within the interval of the observed rate?"""
    found = parts["warning"]
    if not isinstance(found, Warning_) or found.base_rate.interval is None or not found.base_rate.n:
        return []
    expected = found.scores.expected_losses / found.base_rate.n
    fits = found.base_rate.interval.low <= expected <= found.base_rate.interval.high
    text = (
        "The score expected as many losses on the test snapshot as there were, within its interval ({observed}, {observed:interval})."
        if fits
        else "The score expected another number of losses on the test snapshot than there were ({observed}, {observed:interval}); read its level with care, its order less so."
    )
    return [
        Check(
            id="score_calibration",
            outcome="passed" if fits else "failed",
            sentence=Sentence(text, {"observed": found.base_rate}),
        )
    ]


def _drift(parts: Parts) -> list[Check]:
    found = parts["warning"]
    if not isinstance(found, Warning_):
        return []
    from analysis.retention.warning import REASONS, REASONS_ZH

    moved = found.scores.drift.loc[found.scores.drift["moved"], "feature"].tolist()
    if not moved:
        return [
            Check(
                id="score_drift",
                outcome="passed",
                sentence=Sentence(
                    "Neither the score nor its inputs drifted (population stability index above 0.25) by more than between earlier snapshots as far apart."
                ),
            )
        ]
    names = Text(
        en=", ".join(REASONS.get(name, name) for name in moved),
        zh="、".join(REASONS_ZH.get(name, name) for name in moved),
    )
    return [
        Check(
            id="score_drift",
            outcome="failed",
            sentence=Sentence(
                "Drifted since the score was learnt, beyond what is usual between snapshots as far apart (population stability index above 0.25): {names}.",
                {"names": names},
            ),
        )
    ]


def _identification(parts: Parts) -> list[Check]:
    """What cannot be told apart, and what of the rest these data show."""
    if not isinstance(parts["contract_cohorts"], Cohorts):
        return []
    limit = "Age, calendar time and cohort cannot be fully told apart: cohort plus age is the calendar quarter, so a straight trend may belong to any of the three. Only departures from a straight line can be attributed."
    found = parts["effects"]
    if not isinstance(found, tuple):
        return [Check(id="age_period_cohort", outcome="info", sentence=Sentence(limit))]
    names = {
        "age": Text(en="age of the contract", zh="合同账龄"),
        "calendar": Text(en="calendar time", zh="日历时间"),
        "cohort": Text(en="quarter of entry", zh="进入时间"),
    }
    shown = [names[one.name] for one in found if float(one.p_value.value or 0) < 0.05 / len(found)]
    bends = (
        "Age, calendar time and cohort cannot be fully told apart: a straight trend may belong to any of the three. Beyond a straight line, losses vary with: {names}."
        if shown
        else "Age, calendar time and cohort cannot be fully told apart: a straight trend may belong to any of the three. Beyond a straight line, losses vary with none of them."
    )
    values = {"names": Text(en=", ".join(name.en for name in shown), zh="、".join(name.zh for name in shown))}
    return [Check(id="age_period_cohort", outcome="info", sentence=Sentence(bends, values if shown else {}))]
