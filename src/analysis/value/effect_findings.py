"""What is said of service effects: findings that survived, and the doubts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.metrics.materiality import Materiality
from analysis.params.treatments import Treatment
from analysis.results import YEAR, Check, Fact, Finding, Ground, Sentence, Stake, Value
from analysis.value.effect_cases import of_customers
from analysis.value.effect_results import SECTION, OutcomeEffect, TreatmentEffect

if TYPE_CHECKING:
    import pandas as pd

_METHOD = (
    "Cases the company wants to avoid are compared with cases of customers alike before the treatment could begin (cross-fitted doubly robust scores, effect on the exposed, "
    "errors by customer). A finding needs overlap, placebos that find nothing, and Holm's correction over all treatments and outcomes; a cause that was not measured can still stand behind it, so nothing "
    "here is proof. The correction is in the verdict, not in the printed intervals: an interval may exclude zero and no effect be shown. The churn section counts losses of all customers within its own windows and adjusts for less: its ratios are associations and need not equal these effects."
)
_PARTS = {
    "repurchase": "{treatment}: estimated to move the share that buys again within a year by {effect:signed} ({effect:interval}), if no unmeasured cause is at work; the plain difference is {naive:signed} ({naive:interval}).",
    "retention": "{treatment}: estimated to move the share still under contract a year later by {effect:signed} ({effect:interval}), if no unmeasured cause is at work; the plain difference is {naive:signed} ({naive:interval}).",
}
# of a window that is no year
_PARTS_OF_DAYS = {
    "repurchase": "{treatment}: estimated to move the share that buys again within {days} days by {effect:signed} ({effect:interval}), if no unmeasured cause is at work; the plain difference is {naive:signed} ({naive:interval}).",
    "retention": "{treatment}: estimated to move the share still under contract {days} days later by {effect:signed} ({effect:interval}), if no unmeasured cause is at work; the plain difference is {naive:signed} ({naive:interval}).",
    "growth": "{treatment}: estimated to move the share whose yearly contract value grows by a quarter or more within {days} days by {effect:signed} ({effect:interval}), if no unmeasured cause is at work; the plain difference is {naive:signed} ({naive:interval}).",
}
YEAR_DAYS = 365
_BOTH = (
    "{treatment}: estimated to move the share that buys again within a year by {effect:signed} ({effect:interval}) and the share still under contract by {other:signed} "
    "({other:interval}), if no unmeasured cause is at work; the plain differences are {naive:signed} ({naive:interval}) and {other_naive:signed} ({other_naive:interval})."
)
_BOTH_OF_DAYS = (
    "{treatment}: estimated to move the share that buys again within {days} days by {effect:signed} ({effect:interval}) and the share still under contract by {other:signed} "
    "({other:interval}), if no unmeasured cause is at work; the plain differences are {naive:signed} ({naive:interval}) and {other_naive:signed} ({other_naive:interval})."
)
# where a case is a new customer and no ticket
_STAKE_OF_NEW = " By this, {cases} won in the last twelve months who went without stand for {stake} of customer value ({stake:interval}): their contract renewals over {horizon}, discounted."
_STAKE = {
    frozenset(
        {"retention"}
    ): " By this, the {cases} of the last twelve months that went wrong stand for {stake} of customer value ({stake:interval}): the contract renewals of their customers over {horizon}, discounted.",
    frozenset(
        {"repurchase"}
    ): " By this, the {cases} of the last twelve months that went wrong stand for {stake} of customer value ({stake:interval}): the purchases of their customers within a year, discounted.",
    frozenset(
        {"repurchase", "retention"}
    ): " By this, the {cases} of the last twelve months that went wrong stand for {stake} of customer value ({stake:interval}): the purchases of their customers within a year and their contract renewals over {horizon}, discounted.",
}
# what of the sum rests on an effect whose check of hidden causes failed; all of one kind, or one beside another
_SPLIT = " Of that sum {doubted} ({doubted:interval}) rests on the {doubtful}, whose interval a hidden cause as strong as customer tier would take to zero; {solid} ({solid:interval}) on the {standing}, which such a cause is not seen to explain."
_ALL_DOUBTFUL = " All of that sum rests on an effect whose interval a hidden cause as strong as customer tier would take to zero."
_BRIDGED = " It is another sum than that of the churn section, a year's margin that goes with losses; a table in the section on customer value leads from one to the other."


def findings(
    effects: Sequence[TreatmentEffect],
    material: Materiality,
    least: float,
    *,
    horizon: Fact | None = None,
    bridged: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """One finding per treatment with at least one claimed outcome.

    Parameters
    ----------
    least : the smallest effect that matters, as a share; what is smaller is information, however certain it is
    horizon : months over which customer value is counted; none where no customer is valued
    bridged : treatments whose money is led from that of the churn section
    """
    return tuple(
        _finding(one, material, least, horizon, one.treatment.id in bridged) for one in effects if one.claimed
    )


def _ground(one: TreatmentEffect, least: float) -> Ground:
    """An effect too small to matter, one that an ordinary hidden cause would take to zero, which is never an alert, or a loss."""
    if max(abs(float(found.adjusted.value or 0)) for found in one.claimed) < least:
        return "small"
    return "unasked" if any(found.enough for found in one.claimed) else "loss"


def _stake(one: TreatmentEffect, horizon: Fact | None) -> Stake | None:
    """Purchases are those within a year, renewals those over the horizon; of both together each is brought to a year by itself."""
    spans = {"repurchase": YEAR, "retention": int(horizon.value or YEAR) if horizon is not None else YEAR}
    claimed = {found.outcome for found in one.claimed}
    stake = Stake.of(
        one.at_stake, months=max((spans.get(outcome, YEAR) for outcome in claimed), default=YEAR)
    )
    parts = {"repurchase": one.stake_repurchase, "retention": one.stake_retention}
    each = [
        Stake.of(part, months=spans[outcome])
        for outcome, part in parts.items()
        if outcome in claimed and part is not None
    ]
    if stake is None or len(each) < 2:
        return stake
    return replace(stake, yearly=sum(part.per_year for part in each if part is not None))


def _finding(
    one: TreatmentEffect, material: Materiality, least: float, horizon: Fact | None, bridged: bool
) -> Finding:
    claimed = sorted(one.claimed, key=lambda found: found.outcome != "repurchase")
    first = claimed[0]
    values: dict[str, Value] = {
        "treatment": one.treatment.name,
        "effect": first.adjusted,
        "naive": first.naive,
    }
    days = one.treatment.window_days
    if days == YEAR_DAYS and first.outcome in _PARTS:
        template = _PARTS[first.outcome]
    else:
        template, values = _PARTS_OF_DAYS[first.outcome], values | {"days": str(days)}
    if len(claimed) > 1:
        template = _BOTH if days == YEAR_DAYS else _BOTH_OF_DAYS
        values |= {"other": claimed[1].adjusted, "other_naive": claimed[1].naive}
    if one.at_stake.value is not None and horizon is not None:
        split, said = _split(one)
        outcomes = frozenset(found.outcome for found in claimed)
        of_new = of_customers(one.treatment) and outcomes == {"retention"}
        template += (_STAKE_OF_NEW if of_new else _STAKE[outcomes]) + split
        values |= said
        template += _BRIDGED if bridged else ""
        values |= {"cases": one.exposed_year, "stake": one.at_stake, "horizon": horizon}
    weight, ground, stake = float(one.at_stake.value or 0), _ground(one, least), _stake(one, horizon)
    return Finding(
        id="value.service_effect",
        section=SECTION,
        severity="info" if ground == "small" else material.severity(stake, certain=ground == "loss"),
        ground=ground,
        stake=stake,
        statement=Sentence(template, values),
        subject={"treatment": one.treatment.id},
        evidence=evidence(one),
        method=_METHOD,
        checks=tuple(check.id for check in _of_one(one)),
        rank=abs(weight),
    )


def _split(one: TreatmentEffect) -> tuple[str, dict[str, Value]]:
    """Which part of the sum rests on a doubtful effect and which on one that its check leaves standing; nothing where no part is doubtful."""
    doubtful, solid = one.worth("doubtful"), one.worth("effect")
    if not doubtful:
        return "", {}
    if not solid:
        return _ALL_DOUBTFUL, {}
    (weak, doubted), (strong, rest) = doubtful[0], solid[0]
    names = {"doubtful": _OUTCOME_NAMES[weak.outcome], "standing": _OUTCOME_NAMES[strong.outcome]}
    return _SPLIT, {**names, "doubted": doubted, "solid": rest}


def evidence(one: TreatmentEffect) -> pd.DataFrame:
    """Rows behind a finding: outcomes with adjusted and naive effect, then groups."""
    import pandas as pd

    rows = [_row(one, found) for found in one.outcomes]
    for row in one.groups.to_dict("records"):
        fact: Fact = row["fact"]
        low, high = (fact.interval.low, fact.interval.high) if fact.interval else (None, None)
        rows.append(
            {
                "treatment": one.treatment.id,
                "outcome": row["outcome"],
                "group": f"{row['grouping']}: {row['group']}",
                "cases": row["rows"],
                "adjusted": fact.value,
                "low": low,
                "high": high,
                "p_adjusted": row["p_adjusted"],
            }
        )
    return pd.DataFrame(rows)


def _row(one: TreatmentEffect, found: OutcomeEffect) -> dict[str, object]:
    interval = found.adjusted.interval
    return {
        "treatment": one.treatment.id,
        "outcome": found.outcome,
        "group": "all",
        "cases": found.adjusted.n,
        "naive": found.naive.value,
        "adjusted": found.adjusted.value,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "p_adjusted": found.p_adjusted,
        "status": found.standing,
    }


# -- checks ------------------------------------------------------------------------------------------------------------

_PLACEBO_NAMES = {
    "before": Text.of("purchases in the year before the case"),
    "random_treatment": Text.of("treatment drawn at random"),
    "negative_control": Text.of("an outcome that service cannot change"),
}
_OUTCOME_NAMES = {
    "repurchase": Text.of("effect on repurchase"),
    "retention": Text.of("effect on staying"),
    "margin": Text.of("effect on margin"),
    "growth": Text.of("effect on growth of the contract"),
}
_PLACEBO = {
    "before": "{treatment}: it also seems to change what customers bought in the year before it ({effect:signed}), which it cannot; read this as an association only.",
    "random_treatment": "{treatment}: treatment drawn at random also seems to have an effect ({effect:signed}); read this as an association only.",
    "negative_control": "{treatment}: it also seems to change something that service cannot ({effect:signed}); read this as an association only.",
}


def checks(
    effects: Sequence[TreatmentEffect], refused: Mapping[str, tuple[Treatment, NotDone]]
) -> tuple[Check, ...]:
    """Per treatment: overlap, placebos, and how strong a hidden cause would have to be."""
    found = [check for one in effects for check in _of_one(one)]
    for name, (treatment, refusal) in refused.items():
        sentence = Sentence(
            "{treatment}: not computed: {reason}.", {"treatment": treatment.name, "reason": refusal.reason}
        )
        found.append(Check(id=f"value.effects.{name}", outcome="info", sentence=sentence))
    return tuple(found)


def _of_one(one: TreatmentEffect) -> tuple[Check, ...]:
    """Every doubt about one treatment."""
    return (
        *_sample_check(one),
        _overlap_check(one),
        *_placebo_checks(one),
        *_blunt_check(one),
        *_untried_checks(one),
        *_hidden_checks(one),
    )


def _sample_check(one: TreatmentEffect) -> list[Check]:
    if one.customers.value == one.eligible.value:
        return []
    text = "{treatment}: estimated from {customers} of {eligible} with such a case, the same ones from month to month; the intervals are those of this sample."
    values: dict[str, Value] = {
        "treatment": one.treatment.name,
        "customers": one.customers,
        "eligible": one.eligible,
    }
    return [
        Check(id=f"value.effects.{one.treatment.id}.sample", outcome="info", sentence=Sentence(text, values))
    ]


_OVERLAP = {
    "holds": "{treatment}: cases alike are found on both sides. {trimmed} of the cases concerned were left out because none was alike (limit {most}); "
    "the characteristic furthest apart differs by {balance} standard deviations after weighting (limit {limit}).",
    "apart": "{treatment}: the groups hardly overlap; read this as an association only. {trimmed} of the cases concerned have no like on the other side (limit {most}); "
    "the characteristic furthest apart differs by {balance} standard deviations after weighting (limit {limit}).",
    "unlike": "{treatment}: the groups stay unlike after weighting; read this as an association only. The characteristic furthest apart differs by {balance} standard deviations "
    "(limit {limit}); {trimmed} of the cases concerned have no like on the other side (limit {most}).",
    "few": "{treatment}: a few cases stand for many; read this as an association only. {trimmed} of the cases concerned have no like on the other side (limit {most}), "
    "and the characteristic furthest apart differs by {balance} standard deviations after weighting (limit {limit}).",
}


def overlap_reading(one: TreatmentEffect) -> str:
    """Why an effect is an association only: no like cases, cases that stay unlike, or a few that stand for many; else ``holds``."""
    if one.overlap_holds:
        return "holds"
    if float(one.trimmed.value or 0) > float(one.most_trimmed.value or 0):
        return "apart"
    return "unlike" if float(one.worst_balance.value or 0) > float(one.balance_limit.value or 0) else "few"


def _overlap_check(one: TreatmentEffect) -> Check:
    values: dict[str, Value] = {
        "treatment": one.treatment.name,
        "trimmed": one.trimmed,
        "balance": one.worst_balance,
        "cases": one.cases,
        "most": one.most_trimmed,
        "limit": one.balance_limit,
    }
    text = _OVERLAP[overlap_reading(one)]
    return Check(
        id=f"value.effects.{one.treatment.id}",
        outcome="passed" if one.overlap_holds else "failed",
        sentence=Sentence(text, values),
    )


def _placebo_checks(one: TreatmentEffect) -> list[Check]:
    failed = [placebo for placebo in one.placebos if not placebo.passed and placebo.effect is not None]
    return [
        Check(
            id=f"value.effects.{one.treatment.id}.{placebo.kind}",
            outcome="failed",
            sentence=Sentence(
                _PLACEBO[placebo.kind], {"treatment": one.treatment.name, "effect": placebo.effect}
            ),
        )
        for placebo in failed
        if placebo.effect is not None
    ]


def _blunt_check(one: TreatmentEffect) -> list[Check]:
    """A placebo that finds nothing proves little where it could not have found an effect of the size that is claimed."""
    if not one.blunt:
        return []
    widest = max(
        one.blunt,
        key=lambda placebo: (
            placebo.effect.interval.high - placebo.effect.interval.low
            if placebo.effect is not None and placebo.effect.interval is not None
            else 0.0
        ),
    )
    assert widest.effect is not None
    text = "{treatment}: a placebo ({what}) finds nothing, but its interval ({effect:interval}) does not exclude an effect as large as one that is claimed."
    values: dict[str, Value] = {
        "treatment": one.treatment.name,
        "what": _PLACEBO_NAMES[widest.kind],
        "effect": widest.effect,
    }
    return [
        Check(id=f"value.effects.{one.treatment.id}.blunt", outcome="info", sentence=Sentence(text, values))
    ]


def _untried_checks(one: TreatmentEffect) -> list[Check]:
    """Placebos and outcomes that could not be tried: nothing was found there because nothing was asked."""
    untried = [
        (_PLACEBO_NAMES[placebo.kind], placebo.refusal)
        for placebo in one.placebos
        if placebo.refusal is not None
    ]
    untried += [(_OUTCOME_NAMES[name], refusal) for name, refusal in one.unfitted.items()]
    return [
        Check(
            id=f"not_tested.effects.{one.treatment.id}.{place}",
            outcome="info",
            sentence=Sentence(
                "Not tested: {what}; {reason}.",
                {
                    "what": Text(
                        en=f"{what.en}, {one.treatment.name.en}", zh=f"{one.treatment.name.zh}，{what.zh}"
                    ),
                    "reason": refusal.reason,
                },
            ),
        )
        for place, (what, refusal) in enumerate(untried, start=1)
    ]


_HIDDEN = {
    "enough": "{treatment}: a hidden cause as strong as customer tier would be enough to take the interval to zero ({effect:signed}, {effect:interval}, would become {hidden:signed}, {hidden:interval}).",
    "untested": "{treatment}: customer tier hardly bears on this ({effect:signed}, {effect:interval}, would become {hidden:signed}, {hidden:interval}), so it is no measure of what a hidden cause could do; one that explains {share} of what is left "
    "unexplained in both treatment and outcome, or makes both {ratio} as likely, would take the interval to zero.",
    "not_enough": "{treatment}: a hidden cause as strong as customer tier would not be enough to take the interval to zero ({effect:signed}, {effect:interval}, would become {hidden:signed}, {hidden:interval}); it would "
    "have to explain {share} of what is left unexplained in both treatment and outcome, or make both {ratio} as likely.",
}


def _hidden_checks(one: TreatmentEffect) -> list[Check]:
    """In plain words: would a hidden cause as strong as customer tier take the interval to zero?"""
    found = []
    for outcome in one.claimed:
        if outcome.if_hidden.value is None:
            continue
        values: dict[str, Value] = {
            "treatment": one.treatment.name,
            "effect": outcome.adjusted,
            "hidden": outcome.if_hidden,
            "ratio": outcome.e_value,
            "share": outcome.robustness,
        }
        kind = "enough" if outcome.enough else "untested" if outcome.untested else "not_enough"
        text = _HIDDEN[kind]
        found.append(
            Check(
                id=f"value.effects.{one.treatment.id}.hidden.{outcome.outcome}",
                outcome="failed" if outcome.enough else "info",
                sentence=Sentence(text, values),
            )
        )
    return found
