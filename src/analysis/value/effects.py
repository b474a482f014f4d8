"""The effect of service on value: what happens to customers because of how they were served, and when we can only say that it goes together.

Every treatment is estimated for the cases service could still change: the late, the repeated, the compensated too little (effect on the
exposed, ATT), by cross-fitted doubly robust scores against cases alike before treatment. An effect is claimed only where groups overlap, the
placebos find nothing, and it survives Holm's correction over all treatments and outcomes of the run; all else is called an association.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from analysis.errors import FitError, MissingData
from analysis.locale import Text
from analysis.metrics import NotDone, Parts, Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.materiality import materiality
from analysis.params.treatments import Treatment, load_treatments
from analysis.results import Fact, Interval
from analysis.value import effect_cases as cases
from analysis.value import effect_findings, value_at_stake
from analysis.value.base import ValueBase, horizon_of
from analysis.value.effect_cases import cases_of
from analysis.value.effect_results import (
    FEW_CASES,
    SECTION,
    TOO_FEW,
    OutcomeEffect,
    Placebo,
    ServiceEffects,
    TreatmentEffect,
)
from analysis.value.money_bridge import money_bridges
from analysis.value.settings import ValueSettings, settings_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from analysis.stats import DoublyRobust

TESTED = (
    "repurchase",
    "retention",
    "growth",
)  # margin is too heavy-tailed for a test; it is printed beside them
METRIC = {
    "repurchase": "service_effect_repurchase",
    "retention": "service_effect_retention",
    "margin": "service_effect_margin",
    "growth": "service_effect_growth",
}
IF_HIDDEN = {
    "repurchase": "service_effect_repurchase_if_hidden",
    "retention": "service_effect_retention_if_hidden",
    "margin": "service_effect_margin_if_hidden",
    "growth": "service_effect_growth_if_hidden",
}
METHOD = "doubly robust, cross-fitted, errors by customer"
GROUPS = ("segment", "customer_type", "value_tier")
REPEATS = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fitted:
    """Raw estimates of one treatment before anything is judged together."""

    treatment: Treatment
    settings: ValueSettings
    rows: str  # the table of its cases on the engine
    frame: pd.DataFrame
    exposed: np.ndarray
    lacking: tuple[str, ...]
    fits: Mapping[str, DoublyRobust]
    unfitted: Mapping[str, NotDone]
    placebos: Mapping[str, DoublyRobust | NotDone]


@traced
def service_effects(
    inputs: StudyInputs, base: ValueBase | None, *, chosen: tuple[Treatment, ...] | None = None
) -> ServiceEffects:
    """Effects of every treatment in ``params/treatments.yml`` on repurchase, staying under contract, margin and customer value.

    Parameters
    ----------
    inputs : StudyInputs
        One month of one company: ``run.inputs``.
    base : ValueBase, or None
        Without one the effects are stated and their money is not computed.
    chosen : treatments, optional
        Those of the file where left out.

    Returns
    -------
    ServiceEffects
        A treatment that could not be estimated says why.

    Examples
    --------
    >>> from analysis import value
    >>> found = value.service_effects(run.inputs, None, chosen=())  # run = open_run("sample", section="value")
    >>> found.effects
    ()
    """
    settings = settings_of(inputs)
    listed = load_treatments() if chosen is None else chosen
    parts = Parts(section=SECTION)
    tried = [parts.do(treatment.id, _fit, inputs, treatment, settings) for treatment in listed]
    refused = {one.id: (one, parts.skipped[one.id]) for one in listed if one.id in parts.skipped}
    effects = _judged(inputs, base, [one for one in tried if not isinstance(one, NotDone)])
    bridges = money_bridges(inputs, effects)
    horizon = None if base is None else horizon_of(inputs, settings, base.horizon_months)
    return ServiceEffects(
        month=inputs.month,
        effects=effects,
        refused=refused,
        findings=effect_findings.findings(
            effects,
            materiality(inputs),
            settings.least_effect,
            horizon=horizon,
            bridged=frozenset(one.treatment.id for one in bridges),
        ),
        checks=effect_findings.checks(effects, refused),
        bridges=bridges,
    )


# -- estimation --------------------------------------------------------------------------------------------------------


@traced
def _fit(inputs: StudyInputs, treatment: Treatment, settings: ValueSettings) -> _Fitted:
    import numpy as np

    shares = settings.top_share, settings.middle_share
    rows = cases.cohort_table(inputs, treatment, settings.purchase_types, shares)
    frame = cases.cohort(inputs, treatment, settings.purchase_types, shares)
    names, lacking = cases.usable(inputs, treatment)
    exposed = (frame["treated"] != int(treatment.wanted)).to_numpy()
    fewest = settings.fewest_exposed
    if exposed.sum() < fewest or (~exposed).sum() < fewest:
        raise FitError(
            "{exposed} cases gone wrong and {others} others; at least {fewest} each are needed",
            exposed=int(exposed.sum()),
            others=int((~exposed).sum()),
            fewest=fewest,
        )
    frame = frame.assign(margin=np.minimum(frame["margin"], frame["margin"].quantile(settings.margin_cap)))
    tried: dict[str, DoublyRobust | NotDone] = {}
    for outcome in treatment.outcomes:
        if lacks := inputs.engine.tables.missing(cases.OUTCOME_NEEDS[outcome]):
            tried[outcome] = NotDone.because(MissingData(*lacks))
            continue
        repeats = REPEATS if outcome in TESTED else 1
        tried[outcome] = _one(frame, exposed, outcome, names, inputs.confidence, settings, repeats=repeats)
    unfitted = {outcome: one for outcome, one in tried.items() if isinstance(one, NotDone)}
    fits = {outcome: one for outcome, one in tried.items() if not isinstance(one, NotDone)}
    if not fits:
        raise FitError("no outcome has enough cases")
    name = "repurchase" if "repurchase" in fits else next(iter(fits))
    lead, lead_rows = fits[name], frame[frame[name].notna()]
    flipped = np.random.default_rng(settings.seed).random(len(lead.propensity)) < lead.propensity
    earlier = tuple(one for one in names if one not in cases.OF_THE_YEAR_BEFORE)
    placebos = {
        "before": _one(frame, exposed, "bought_before", earlier, inputs.confidence, settings),
        "random_treatment": _one(lead_rows, flipped, name, names, inputs.confidence, settings),
        "negative_control": _one(
            frame, exposed, treatment.negative_control, names, inputs.confidence, settings
        ),
    }
    return _Fitted(
        treatment=treatment,
        settings=settings,
        rows=rows,
        frame=frame,
        exposed=exposed,
        lacking=lacking,
        fits=fits,
        unfitted=unfitted,
        placebos=placebos,
    )


def _one(
    frame: pd.DataFrame,
    exposed: np.ndarray,
    outcome: str,
    names: tuple[str, ...],
    level: float,
    settings: ValueSettings,
    *,
    repeats: int = 1,
) -> DoublyRobust | NotDone:
    """The effect of exposure on one outcome among cases that have it; not done where they are too few, or too unlike, to say anything."""
    from analysis import stats

    rows = frame[outcome].notna().to_numpy()
    y, d = frame.loc[rows, outcome].astype(float), exposed[rows].astype(float)
    if min(d.sum(), (1 - d).sum()) < settings.fewest_exposed or (
        outcome != "margin" and not answers_told(y[d == 1].to_numpy(), y[d == 0].to_numpy(), settings)
    ):
        return NotDone(reason=FEW_CASES)
    varying = [name for name in names if frame.loc[rows, name].nunique() > 1]
    try:
        return stats.doubly_robust(
            y,
            d,
            frame.loc[rows, varying],
            clusters=frame.loc[rows, "customer"],
            estimand="ATT",
            repeats=repeats,
            level=level,
            seed=settings.seed,
        )
    except FitError as refusal:
        return NotDone.because(refusal)


def answers_told(exposed: np.ndarray, others: np.ndarray, settings: ValueSettings) -> bool:
    """Whether a yes or no has both answers often enough, among the exposed by themselves as well: an arm of one answer has no spread to judge it by."""
    yes, no = exposed.sum(), (1 - exposed).sum()
    return bool(
        min(yes + others.sum(), no + (1 - others).sum()) >= settings.fewest_hits
        and min(yes, no) >= settings.fewest_hits_exposed
    )


# -- judging all together ----------------------------------------------------------------------------------------------


def _judged(
    inputs: StudyInputs, base: ValueBase | None, fitted: list[_Fitted]
) -> tuple[TreatmentEffect, ...]:
    from analysis import stats

    keys = [(one.treatment.id, outcome) for one in fitted for outcome in TESTED if outcome in one.fits]
    p_values = [
        next(f for f in fitted if f.treatment.id == name).fits[outcome].p_value for name, outcome in keys
    ]
    adjusted = dict(zip(keys, stats.adjust_p_values(p_values, method="holm"), strict=True)) if keys else {}
    groups = _groups(inputs, fitted)
    return tuple(_stated(inputs, base, one, adjusted, groups.get(one.treatment.id)) for one in fitted)


def _sign(treatment: Treatment) -> int:
    """Fits are of exposure to what the company fears; a wanted treatment is its opposite."""
    return -1 if treatment.wanted else 1


def _estimate(
    inputs: StudyInputs,
    metric: str,
    value: float,
    low: float,
    high: float,
    n: int,
    sign: int = 1,
    **dimensions: Any,
) -> Fact:
    if not all(math.isfinite(number) for number in (value, low, high)):
        return inputs.engine.stated(
            metric, period=inputs.month, value=None, reason=TOO_FEW, dimensions=dimensions
        )
    low, high = (low, high) if sign > 0 else (-high, -low)
    interval = Interval(low=float(low), high=float(high), level=inputs.confidence, method=METHOD)
    return inputs.engine.stated(
        metric,
        period=inputs.month,
        value=float(sign * value),
        interval=interval,
        n=int(n),
        dimensions=dimensions,
    )


def _number(inputs: StudyInputs, metric: str, value: Any, **dimensions: Any) -> Fact:
    if value is None or value != value or (isinstance(value, float) and math.isinf(value)):
        return inputs.engine.stated(
            metric, period=inputs.month, value=None, reason=TOO_FEW, dimensions=dimensions
        )
    return inputs.engine.stated(metric, period=inputs.month, value=value, dimensions=dimensions)


BEYOND_A_SHARE = Text.of("the estimate lies beyond what a share can be")


def _level(
    inputs: StudyInputs, metric: str, value: float | None, error: float, n: int, **dimensions: Any
) -> Fact:
    """A number with the interval of its standard error, which for a level that is no observation is an upper bound."""
    if value is None or not math.isfinite(value) or not math.isfinite(error):
        return _number(inputs, metric, value, **dimensions)
    found = Stating(inputs=inputs).estimate(metric, float(value), error, n=n, method=METHOD, **dimensions)
    return within_a_share(found) if metric == "service_outcome_share" else found


def within_a_share(found: Fact) -> Fact:
    """The weighting may lead beyond what a share can be: limits end there, and an estimate out there is none."""
    if not 0 <= float(found.value or 0) <= 1:
        return replace(found, value=None, interval=None, n=None, reason=BEYOND_A_SHARE)
    limits = found.interval
    if limits is None:
        return found
    return replace(found, interval=replace(limits, low=max(limits.low, 0.0), high=min(limits.high, 1.0)))


def _counts(inputs: StudyInputs, one: _Fitted) -> dict[str, Fact]:
    """Cases, those gone wrong, and customers: counted from the rows of the cohort."""
    place: dict[str, Any] = {"treatment": one.treatment.id}
    facts, cases = Stating(inputs=inputs), cases_of(one.rows, wanted=one.treatment.wanted)
    metrics = {
        "cases": "service_cases",
        "exposed": "service_cases_exposed",
        "customers": "service_case_customers",
        "eligible": "service_case_customers_eligible",
    }
    return {name: facts.measured(metric, cases, **place) for name, metric in metrics.items()}


@traced
def _trimmed(inputs: StudyInputs, one: _Fitted, overlaps: Sequence[Any]) -> Fact:
    share = max(float(overlap.trimmed_share) for overlap in overlaps)
    return _number(inputs, "service_cases_trimmed", share, treatment=one.treatment.id)


@traced
def _worst_balance(inputs: StudyInputs, one: _Fitted, difference: float) -> Fact:
    return _number(inputs, "service_balance_worst", difference, treatment=one.treatment.id)


@traced
def _limits(inputs: StudyInputs, one: _Fitted) -> dict[str, Fact]:
    """What may be left out and how far apart the groups may stay at most; what the statistics judge by."""
    from analysis.stats import causal

    place: dict[str, Any] = {"treatment": one.treatment.id}
    return {
        "most_trimmed": _number(inputs, "service_trimmed_limit", causal.MOST_TRIMMED, **place),
        "balance_limit": _number(inputs, "service_balance_limit", causal.WORST_BALANCE, **place),
    }


@traced
def _histogram(
    inputs: StudyInputs, one: _Fitted, table: pd.DataFrame
) -> tuple[tuple[float, float, Fact, Fact], ...]:
    """By tenth of the estimated chance: the share of each arm's cases in it, so that arms of unlike size can be compared."""
    exposed, others = int(table["treated"].sum()), int(table["untreated"].sum())
    bins = zip(*(table[column].tolist() for column in ("low", "high", "treated", "untreated")), strict=True)
    return tuple(
        (
            low,
            high,
            _share_of_arm(inputs, one, "exposed", low, int(wrong), exposed),
            _share_of_arm(inputs, one, "others", low, int(good), others),
        )
        for low, high, wrong, good in bins
    )


def _share_of_arm(inputs: StudyInputs, one: _Fitted, arm: str, low: float, cases: int, whole: int) -> Fact:
    return inputs.engine.stated(
        "service_case_share_by_propensity",
        period=inputs.month,
        value=cases / whole if whole else None,
        numerator=cases,
        denominator=whole,
        reason=None if whole else TOO_FEW,
        dimensions={"treatment": one.treatment.id, "arm": arm, "bin": f"{low:.1f}"},
    )


@traced
def _stated(
    inputs: StudyInputs,
    base: ValueBase | None,
    one: _Fitted,
    adjusted: Mapping[tuple[str, str], float],
    groups: pd.DataFrame | None,
) -> TreatmentEffect:
    import numpy as np
    import pandas as pd

    name = one.treatment.id
    placebos = _placebos(inputs, one)
    overlaps = [fit.overlap for outcome, fit in one.fits.items() if outcome in TESTED] or [
        fit.overlap for fit in one.fits.values()
    ]
    overlap_holds = all(overlap.adequate for overlap in overlaps)
    holds = overlap_holds and all(placebo.passed for placebo in placebos)
    outcomes = tuple(
        _outcome(inputs, one, outcome, fit, adjusted.get((name, outcome), float("nan")), holds)
        for outcome, fit in one.fits.items()
    )
    lead = next(iter(one.fits.values())).overlap
    worst = max(
        (
            overlap.balance.iloc[int(overlap.balance["after"].abs().to_numpy().argmax())]
            for overlap in overlaps
        ),
        key=lambda row: abs(row["after"]),
    )
    histogram = _histogram(inputs, one, lead.table)
    made = TreatmentEffect(
        treatment=one.treatment,
        outcomes=outcomes,
        placebos=placebos,
        overlap_holds=overlap_holds,
        propensity=histogram,
        lacking=one.lacking,
        unfitted=one.unfitted,
        balance=lead.balance,
        **_counts(inputs, one),
        trimmed=_trimmed(inputs, one, overlaps),
        worst_balance=_worst_balance(inputs, one, abs(float(worst["after"]))),
        worst_covariate=str(worst["covariate"]),
        **_limits(inputs, one),
        groups=groups if groups is not None else pd.DataFrame(),
        **_no_money(inputs, name, base is None),
    )
    if base is None or not np.isfinite(base.relative_error):
        return made
    found = value_at_stake.money(inputs, base, made)
    return replace(
        made,
        per_case=found["per_case"],
        at_stake=found["at_stake"],
        exposed_year=found["exposed_year"],
        stake_repurchase=found.get("stake_repurchase"),
        stake_retention=found.get("stake_retention"),
    )


def _no_money(inputs: StudyInputs, name: str, without_base: bool) -> dict[str, Fact]:
    reason = Text.of("not computed: needs a value of customers") if without_base else TOO_FEW
    metrics = {
        "per_case": "service_effect_value",
        "at_stake": "service_value_at_stake",
        "exposed_year": "service_cases_year",
    }
    return {
        part: inputs.engine.stated(
            metric, period=inputs.month, value=None, reason=reason, dimensions={"treatment": name}
        )
        for part, metric in metrics.items()
    }


@traced
def _outcome(
    inputs: StudyInputs, one: _Fitted, outcome: str, fit: DoublyRobust, p_adjusted: float, holds: bool
) -> OutcomeEffect:
    name, sign = one.treatment.id, _sign(one.treatment)
    place: dict[str, Any] = {"treatment": name, "outcome": outcome}
    tier = fit.sensitivity.benchmarks.set_index("covariate")
    hidden: Any = tier.loc["segment"] if "segment" in tier.index else None
    status = (
        "association"
        if not holds
        else "effect"
        if p_adjusted < one.settings.effect_error_rate
        else "not_shown"
    )
    bad, good = fit.mean_treated, fit.mean_untreated
    with_it, without_it = (good, bad) if one.treatment.wanted else (bad, good)
    naive = fit.naive
    seen = one.frame.loc[one.exposed & one.frame[outcome].notna().to_numpy(), outcome].astype(float)
    observed = float(seen.std()) / math.sqrt(len(seen))
    # of the cases gone wrong: as they went, and as they would have gone, which is that less the effect
    errors = {False: observed, True: math.hypot(observed, fit.std_error)}
    level_metric = "service_outcome_margin" if outcome == "margin" else "service_outcome_share"
    if_hidden = _level(
        inputs,
        IF_HIDDEN[outcome],
        None if hidden is None else float(sign * hidden["effect_if_as_strong"]),
        fit.std_error,
        fit.rows,
        **place,
    )
    return OutcomeEffect(
        outcome=outcome,
        status=status,
        p_value=fit.p_value,
        p_adjusted=float(p_adjusted),
        std_error=fit.std_error,
        adjusted=_estimate(
            inputs,
            METRIC[outcome],
            fit.effect,
            fit.low,
            fit.high,
            fit.rows,
            sign,
            treatment=name,
            estimate="adjusted",
        ),
        naive=_estimate(
            inputs,
            METRIC[outcome],
            naive.value,
            naive.low,
            naive.high,
            fit.rows,
            sign,
            treatment=name,
            estimate="naive",
        ),
        with_it=_level(
            inputs, level_metric, with_it, errors[one.treatment.wanted], fit.rows, **place, arm="with"
        ),
        without_it=_level(
            inputs,
            level_metric,
            without_it,
            errors[not one.treatment.wanted],
            fit.rows,
            **place,
            arm="without",
        ),
        e_value=_number(inputs, "service_effect_e_value", float(fit.sensitivity.e_value_limit), **place),
        robustness=_number(
            inputs, "service_effect_robustness", float(fit.sensitivity.robustness_value_limit), **place
        ),
        if_hidden=if_hidden,
        enough=reaches_zero(if_hidden, sign * fit.effect),
    )


def reaches_zero(if_hidden: Fact, effect: float) -> bool:
    """Whether a hidden cause would take the interval of an effect to zero: what is left may be none, or is of the other sign."""
    limits = if_hidden.interval
    if if_hidden.value is None or limits is None:
        return False
    return limits.low <= 0 if effect > 0 else limits.high >= 0


@traced
def _placebo_effect(inputs: StudyInputs, one: _Fitted, placebo: str, fit: DoublyRobust) -> Fact:
    return _estimate(
        inputs,
        "service_placebo_effect",
        fit.effect,
        fit.low,
        fit.high,
        fit.rows,
        _sign(one.treatment),
        treatment=one.treatment.id,
        placebo=placebo,
    )


def _placebos(inputs: StudyInputs, one: _Fitted) -> tuple[Placebo, ...]:
    """Judged together by Holm's correction: three chances of a false alarm are one in twenty."""
    from analysis import stats

    made = {
        kind: fit
        for kind, fit in one.placebos.items()
        if not isinstance(fit, NotDone) and math.isfinite(fit.p_value)
    }
    adjusted = (
        dict(
            zip(
                made,
                stats.adjust_p_values([fit.p_value for fit in made.values()], method="holm"),
                strict=True,
            )
        )
        if made
        else {}
    )
    found = []
    for kind, tried in one.placebos.items():
        fit = made.get(kind)
        fact = None if fit is None else _placebo_effect(inputs, one, kind, fit)
        refusal = tried if isinstance(tried, NotDone) else NotDone(reason=FEW_CASES)
        p_value = float(adjusted.get(kind, float("nan")))
        found.append(
            Placebo(
                kind=kind,
                effect=fact,
                p_adjusted=p_value,
                passed=not p_value < one.settings.placebo_error_rate,
                refusal=refusal if fit is None else None,
            )
        )
    return tuple(found)


@traced
def _group_effect(inputs: StudyInputs, one: _Fitted, row: Mapping[Any, Any]) -> Fact:
    return _estimate(
        inputs,
        METRIC[row["outcome"]],
        row["effect"],
        row["low"],
        row["high"],
        row["rows"],
        row["sign"],
        treatment=one.treatment.id,
        estimate="adjusted",
        **{row["grouping"]: str(row["group"])},
    )


def _groups(inputs: StudyInputs, fitted: list[_Fitted]) -> dict[str, pd.DataFrame]:
    """Effects by segment, customer type and value before the case; Benjamini and Hochberg over all groups of all treatments and outcomes."""
    import numpy as np
    import pandas as pd

    from analysis import stats

    parts = []
    for one in fitted:
        for outcome in TESTED:
            if outcome not in one.fits:
                continue
            rows = one.frame[one.frame[outcome].notna()]
            exposed = one.exposed[one.frame[outcome].notna().to_numpy()]
            for grouping in GROUPS:
                table = one.fits[outcome].effect_by(rows[grouping].to_numpy())
                cases = rows[exposed].groupby(grouping)[outcome].agg(["size", "sum"])
                hits, of = (table["group"].map(cases[column]) for column in ("sum", "size"))
                parts.append(
                    table.assign(
                        treatment=one.treatment.id,
                        outcome=outcome,
                        grouping=grouping,
                        exposed=of,
                        told=np.minimum(hits, of - hits) >= one.settings.fewest_hits_exposed,
                        sign=_sign(one.treatment),
                    )
                )
    if not parts:
        return {}
    every = pd.concat(parts, ignore_index=True)
    every = every[
        (every["exposed"] >= fitted[0].settings.fewest_hits) & every["told"] & every["p_value"].notna()
    ].reset_index(drop=True)
    every["p_adjusted"] = (
        stats.adjust_p_values(every["p_value"], method="benjamini_hochberg") if len(every) else []
    )
    by_id = {one.treatment.id: one for one in fitted}
    every["shown"] = every["p_adjusted"].astype(float) < fitted[0].settings.effect_error_rate
    facts = [_group_effect(inputs, by_id[row["treatment"]], row) for row in every.to_dict("records")]
    every["fact"] = pd.Series(facts, index=every.index, dtype=object)
    return {str(name): part.reset_index(drop=True) for name, part in every.groupby("treatment", sort=False)}
