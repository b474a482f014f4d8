"""From effect to money: what better service would bring, as draws over everything that is uncertain.

A scenario moves cases from the feared to the wanted side. What that is worth is the effect of the treatment times the value of the customers
concerned; what it saves in after-sales cost is counted apart, and neither contains the other: customer value here is purchases and contracts
before service cost. Counted is what arrives within the months of the programme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import FitError, ParameterError, suggestion
from analysis.locale import Text
from analysis.metrics import NotDone, Parts, Stating, StudyInputs, cents
from analysis.metrics.lineage import traced
from analysis.metrics.views.ledger import DIRECT
from analysis.params.treatments import load_treatments
from analysis.params.what_ifs import Lever, Range, Scenario, WhatIfPlan, load_what_ifs
from analysis.periods import Month
from analysis.results import (
    Assumed,
    Check,
    Derived,
    Fact,
    Finding,
    Interval,
    Lineage,
    Outcome,
    Rows,
    Sentence,
    Value,
)
from analysis.summaries import Summarised
from analysis.value.base import ValueBase
from analysis.value.budget import Budget, budget
from analysis.value.effect_results import SECTION, VALUED, GroupReading, ServiceEffects, TreatmentEffect
from analysis.value.value_at_stake import Stake, gain, monte_carlo, relative_draws, stake

if TYPE_CHECKING:
    import numpy as np

    from analysis.value.value_at_stake import Draws

# Of one outcome of a lever: counted because shown; shown over all cases and not for the lever's own customers, so printed beside; estimated and printed beside; not even that.
Verdict = Literal["effect", "average", "not_shown", "not_counted"]
Standing = Literal["effect", "average", "partly", "not_shown", "not_counted"]
STEP = 3  # months between the points of the fan
# Parts of a lever's cases and of a scenario's sum of money, with the metric each is published as.
CASES = {"cases": "what_if_cases", "exposed": "what_if_exposed", "moved": "what_if_moved"}
AMOUNTS = {
    "clv": "what_if_clv",
    "saving": "what_if_saving",
    "programme": "what_if_programme",
    "later": "what_if_later",
}
# What is not in the present value, by the verdict of the outcome it follows from.
BESIDE = {"average": "what_if_average", "unshown": "what_if_unshown"}
WIDE, NARROW = 0.95, 0.80


@dataclass(frozen=True, kw_only=True, eq=False)
class OutcomeVerdict(Summarised):
    """What is known of one outcome of a lever: of all cases (``average``), and of the group it is confined to (``own``), where it is."""

    outcome: str
    verdict: Verdict
    average: Fact
    group: Text | None = None
    own: GroupReading | None = None
    doubtful: bool = False  # shown, and an ordinary hidden cause would take it to zero


@dataclass(frozen=True, kw_only=True, eq=False)
class LeverResult(Summarised):
    """One lever: cases of a year it applies to, those it would change, and outcome by outcome what is known of its effect."""

    lever: Lever
    name: Text
    outcomes: tuple[OutcomeVerdict, ...]
    cases: Fact
    exposed: Fact
    moved: Fact

    @property
    def standing(self) -> Standing:
        found = {one.verdict for one in self.outcomes}
        if not found or found == {"not_counted"}:
            return "not_counted"
        if found == {"effect"}:
            return "effect"
        if "effect" in found:
            return "partly"
        return "average" if "average" in found else "not_shown"


@dataclass(frozen=True, kw_only=True, eq=False)
class AssumedInput(Summarised):
    """One uncertain number as it entered: ``likely`` with its range as interval."""

    input: str
    name: Text
    value: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class WhatIf(Summarised):
    """A scenario in money. ``clv`` + ``saving`` − ``programme`` = ``npv``; all discounted to the end of the month.

    ``later`` : customer value that arrives after the programme's months, not in ``npv``. Not in ``npv`` either, as money follows the verdict of each outcome: ``average`` , what
    effects that are shown over all cases and not for the lever's own customers would bring if the average held for these; ``unshown`` , what effects that are not shown
    would bring at their word. ``break_even`` : share of the intended change at which the present value is
    nothing. ``swings`` : input, its name, and the present value at its tenth and ninetieth percentile, widest first. ``curve`` (from ``start``, nothing) : month, cumulated
    present value with its 80 % and its 95 % interval. ``standing`` : ``effect`` when every outcome of every lever is
    shown, ``partly`` when some are, ``average`` when none is for the lever's own customers and some over all cases, ``not_shown`` when not even that.
    """

    scenario: Scenario
    standing: Literal["effect", "average", "partly", "not_shown", "assumption"]
    levers: tuple[LeverResult, ...]
    clv: Fact
    saving: Fact
    programme: Fact
    npv: Fact
    later: Fact
    average: Fact | None
    unshown: Fact | None
    returned: Fact
    payback: Fact
    break_even: Fact
    chance: Fact
    swings: tuple[tuple[str, Text, Fact, Fact], ...]
    start: Fact
    curve: tuple[tuple[Month, Fact, Fact], ...]
    assumed: tuple[AssumedInput, ...]
    draws: Mapping[str, Draws] = field(repr=False)

    @property
    def counts_value(self) -> bool:
        """Whether an effect is counted in ``clv``: where none is, its zero is no estimate."""
        shown = any(one.verdict == "effect" for lever in self.levers for one in lever.outcomes)
        return shown or bool(self.clv.value)

    @property
    def saves(self) -> bool:
        """Whether a saving of a case is stated or found: where none is, the zero of ``saving`` is no estimate."""
        return "saving_per_case" in self.draws

    @property
    def pays(self) -> bool:
        """An effect is counted, which is shown for the customers concerned, and the interval lies above zero."""
        found = {one.verdict for lever in self.levers for one in lever.outcomes}
        shown = "effect" in found and self.standing != "assumption"
        return shown and self.npv.interval is not None and self.npv.interval.low > 0


@dataclass(frozen=True, kw_only=True, eq=False)
class WhatIfs(Summarised):
    """All scenarios of the params and next year's budget; what could not be computed says why."""

    month: Month
    results: tuple[WhatIf, ...]
    refused: Mapping[str, tuple[Scenario, NotDone]]
    budget: Budget | NotDone
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@traced
def what_ifs(
    inputs: StudyInputs, base: ValueBase, effects: ServiceEffects, *, plan: WhatIfPlan | None = None
) -> WhatIfs:
    """Every scenario of ``params/what_ifs.yml``, and the budget proposal.

    Parameters
    ----------
    inputs : StudyInputs
        One month of one company: ``run.inputs``.
    base : ValueBase
        Customers and their value.
    effects : ServiceEffects
        As `service_effects` estimates them.
    plan : WhatIfPlan, optional
        That of the file where left out.

    Returns
    -------
    WhatIfs
        What could not be computed says why.

    Examples
    --------
    Without scenarios, and without a traced service cost to budget, nothing is computed, and it says so.

    >>> from dataclasses import replace
    >>> from types import SimpleNamespace
    >>> from analysis import value
    >>> from analysis.params import load_what_ifs
    >>> base = SimpleNamespace(has_service=False)  # stands in for a ValueBase
    >>> found = value.what_ifs(run.inputs, base, None, plan=replace(load_what_ifs(), scenarios=()))
    >>> found.results, found.budget.reason.en
    ((), 'no service cost is traced to customers; a budget by tier has nothing to stand on')
    """
    plan = plan or load_what_ifs()
    parts = Parts(section=SECTION)
    tried = [parts.do(one.id, _computed, inputs, base, effects, one, plan) for one in plan.scenarios]
    results = tuple(one for one in tried if not isinstance(one, NotDone))
    refused = {one.id: (one, parts.skipped[one.id]) for one in plan.scenarios if one.id in parts.skipped}
    proposed = parts.do("budget", budget, inputs, base, plan)
    titles = {one.id: one.name for one in plan.scenarios} | {"budget": BUDGET}
    return WhatIfs(
        month=inputs.month,
        results=results,
        refused=refused,
        budget=proposed,
        findings=tuple(_finding(one) for one in results if one.pays),
        checks=(*(check for one in results for check in _checks(one)), *parts.not_tested(titles)),
    )


@traced
def what_if(
    inputs: StudyInputs,
    base: ValueBase,
    effects: ServiceEffects,
    scenario: str | Scenario,
    *,
    count_unshown: bool = False,
    plan: WhatIfPlan | None = None,
    **changes: Any,
) -> WhatIf:
    """One scenario, by its id or as given, with some of its numbers changed.

    ``what_if(inputs, base, effects, "repeat_repairs_halved", uptake=(0.3, 0.5, 0.8), yearly=300_000)``: a range is (low, likely, high); a single number is
    taken as certain.

    Parameters
    ----------
    inputs : StudyInputs
        One month of one company: ``run.inputs``.
    base : ValueBase
        Customers and their value.
    effects : ServiceEffects
        As `service_effects` estimates them.
    scenario : str or Scenario
        An id of ``params/what_ifs.yml``, or a scenario of one's own.
    count_unshown : bool
        Count the estimates of effects that are not shown as well.
    plan : WhatIfPlan, optional
        That of the file where left out.
    changes : numbers or ranges by name
        Of the scenario's inputs.

    Returns
    -------
    WhatIf
        Money with intervals.

    Raises
    ------
    FitError
        When none of its levers rests on anything.
    ParameterError
        For an unknown scenario or parameter.

    Examples
    --------
    >>> from analysis import value
    >>> value.what_if(run.inputs, None, None, "repeat_repairs_tripled")
    Traceback (most recent call last):
        ...
    analysis.errors.ParameterError: what_if: no scenario 'repeat_repairs_tripled'. Did you mean 'repeat_repairs_halved'? Known: faster_response_south, first_contact_plus_five_points, repeat_repairs_halved, vip_line.
    """
    plan = plan or load_what_ifs()
    if isinstance(scenario, str):
        known = {one.id: one for one in plan.scenarios}
        if scenario not in known:
            raise ParameterError(
                f"what_if: no scenario '{scenario}'.{suggestion(scenario, known)} Known: {', '.join(known)}."
            )
        scenario = known[scenario]
    if changes:
        names = list(Scenario.__dataclass_fields__)
        for name in changes:
            if name not in names:
                raise ParameterError(f"what_if: a scenario has no '{name}'.{suggestion(name, names)}")
        scenario = replace(scenario, **{name: _range(name, value) for name, value in changes.items()})
    if changes or count_unshown:
        scenario = replace(scenario, id=f"{scenario.id}_changed")
    return _computed(inputs, base, effects, scenario, plan, count_unshown=count_unshown)


def _range(name: str, value: Any) -> Any:
    if (
        name not in ("uptake", "later_purchases", "once", "yearly", "per_customer", "saving_per_case")
        or isinstance(value, Range)
        or value is None
    ):
        return value
    if isinstance(value, (int, float, Decimal)):
        return Range.fixed(float(value))
    low, likely, high = value
    return Range(low=float(low), likely=float(likely), high=float(high))


# -- the model ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class _Setting:
    """What does not vary between draws."""

    scenario: Scenario
    stakes: Mapping[str, Stake]  # by lever
    counted: frozenset[str]  # effects (``repurchase.0``) whose customer value is in the present value
    average: frozenset[str]  # those that are shown over all cases, not for the customers concerned
    customers: int  # the most valuable tenth
    growth: float  # discount factor of one month
    horizon: int


def _computed(
    inputs: StudyInputs,
    base: ValueBase,
    effects: ServiceEffects,
    scenario: Scenario,
    plan: WhatIfPlan,
    *,
    count_unshown: bool = False,
) -> WhatIf:
    import numpy as np

    random = np.random.default_rng([plan.seed, *scenario.id.removesuffix("_changed").encode()])
    levers, stakes, counted, average = [], {}, set(), set()
    draws: dict[str, Draws] = {}
    for index, lever in enumerate(scenario.levers):
        effect, key = effects.get(lever.treatment), str(index)
        found, result = _lever(inputs, base, effects, lever, scenario, index)
        levers.append(result)
        if found is None:
            continue
        stakes[key] = found
        if effect is None or result.standing == "not_counted":
            continue
        own = {one.outcome: one.own for one in result.outcomes if one.own is not None and one.own.shown}
        known = {one.outcome: one.verdict for one in result.outcomes}
        for name, values in relative_draws(effect, random, plan.draws, own).items():
            draws[f"{name}.{key}"] = values
            if known[name] == "effect" or count_unshown:
                counted.add(f"{name}.{key}")
            elif known[name] == "average":
                average.add(f"{name}.{key}")
    saving = _saving(inputs, scenario, random, plan.draws) if stakes else None
    if not counted and not average and saving is None:
        raise FitError("no effect behind it is shown and it states no saving; nothing can be counted")
    draws |= {name: _drawn(range_, random, plan.draws) for name, range_ in _ranges(scenario).items()}
    draws["value"] = 1 + base.relative_error * random.standard_normal(plan.draws)
    if saving is not None:
        draws["saving_per_case"] = saving
    top = int(
        inputs.engine.query(
            f"SELECT count(*) AS n FROM {base.table} WHERE clv >= (SELECT quantile_cont(clv, 0.9) FROM {base.table})"
        )["n"].iloc[0]
    )
    setting = _Setting(
        scenario=scenario,
        stakes=stakes,
        counted=frozenset(counted),
        average=frozenset(average),
        customers=top,
        growth=float((1 + base.discount_rate) ** (-1 / 12)),
        horizon=base.horizon_months,
    )
    return _summed_up(inputs, setting, draws, tuple(levers))


def _ranges(scenario: Scenario) -> dict[str, Range]:
    named = {
        "uptake": scenario.uptake,
        "later_purchases": scenario.later_purchases,
        "once": scenario.once,
        "yearly": scenario.yearly,
        "per_customer": scenario.per_customer,
    }
    return {name: one for name, one in named.items() if one is not None}


def _drawn(range_: Range, random: np.random.Generator, size: int) -> Draws:
    import numpy as np

    return (
        random.triangular(range_.low, range_.likely, range_.high, size)
        if range_.uncertain
        else np.full(size, range_.likely)
    )


def _stake(inputs: StudyInputs, base: ValueBase, effects: ServiceEffects, lever: Lever) -> Stake:
    effect = effects.get(lever.treatment)
    registered = {one.id: one for one in load_treatments()}
    treatment = effect.treatment if effect else registered.get(lever.treatment)
    if treatment is None:
        raise ParameterError(
            f"what_ifs.yml: no treatment '{lever.treatment}' in treatments.yml.{suggestion(lever.treatment, registered)}"
        )
    asked = {
        "faster_hours": {"faster_hours": lever.amount},
        "share_points": {"points": lever.amount},
        "reduce_share": {"factor": lever.amount},
    }[lever.change]
    return stake(
        inputs, base, treatment, region=lever.region, top_decile=lever.customers == "top_decile", **asked
    )


def _lever(
    inputs: StudyInputs,
    base: ValueBase,
    effects: ServiceEffects,
    lever: Lever,
    scenario: Scenario,
    index: int,
) -> tuple[Stake | None, LeverResult]:
    place: dict[str, Any] = {"scenario": scenario.id, "lever": str(index + 1)}
    effect, refusal = effects.get(lever.treatment), effects.refused.get(lever.treatment)
    outcomes = () if effect is None else _verdicts(inputs, effect, lever)
    name = effect.treatment.name if effect else refusal[0].name if refusal else Text.same(lever.treatment)
    if refusal is not None and refusal[1].needs:
        blank = {
            part: Stating(inputs=inputs).exact(metric, None, reason=refusal[1].unstated, **place)
            for part, metric in CASES.items()
        }
        return None, LeverResult(lever=lever, name=name, outcomes=(), **blank)
    found = _stake(inputs, base, effects, lever)
    return found, LeverResult(
        lever=lever, name=name, outcomes=outcomes, **_lever_cases(inputs, found, lever, place)
    )


def _verdicts(inputs: StudyInputs, effect: TreatmentEffect, lever: Lever) -> tuple[OutcomeVerdict, ...]:
    """Outcome by outcome; a lever for one group of customers does not borrow the certainty of all."""
    found = []
    grouping, group = confined(lever)
    words = inputs.engine.registry.value_label(grouping, group) if grouping else None
    for one in effect.valued:
        own = effect.reading(one.outcome, grouping, group) if grouping else None
        verdict: Verdict = (
            "not_counted"
            if not effect.holds
            else "not_shown"
            if not one.shown
            else "average"
            if grouping and not (own and own.shown)
            else "effect"
        )
        found.append(
            OutcomeVerdict(
                outcome=one.outcome,
                verdict=verdict,
                average=one.adjusted,
                group=words,
                own=own,
                doubtful=one.standing == "doubtful",
            )
        )
    return tuple(found)


def confined(lever: Lever) -> tuple[str, str]:
    """The grouping and the group that a lever is confined to; empty where it reaches all cases."""
    if lever.customers == "top_decile":
        return "value_tier", "top"
    return ("region", lever.region) if lever.region else ("", "")


@traced
def _lever_cases(
    inputs: StudyInputs, found: Stake, lever: Lever, place: Mapping[str, Any]
) -> dict[str, Fact]:
    """Cases of a year, those gone wrong, and those a full change would move."""
    facts = Stating(inputs=inputs)
    rows = lever.change == "faster_hours" and not found.chosen
    moved = Rows(numerator=str(found.listed.where("moved"))) if rows else None
    return {
        "cases": facts.measured("what_if_cases", found.listed, **place),
        "exposed": facts.measured("what_if_exposed", found.listed, **place),
        "moved": facts.exact("what_if_moved", float(found.moved), lineage=moved, **place),
    }


@traced
def _saving(inputs: StudyInputs, scenario: Scenario, random: np.random.Generator, size: int) -> Draws | None:
    """After-sales cost saved by one case; from the ledger with its sampling error, or from the stated range."""
    if scenario.saving_per_case is not None:
        return _drawn(scenario.saving_per_case, random, size)
    if scenario.saving_from != "traced_repair":
        return None
    found = inputs.engine.query(
        _REPEAT_COST.format(end=f"DATE '{inputs.month.end}'"),
        needs=["ledger.ticket_id", "tickets.serial_no", "tickets.resolved_at"],
    ).iloc[0]
    if not found["tickets"]:
        return None
    return float(found["mean"]) + float(found["error"] or 0.0) * random.standard_normal(size)


# what a repair that is avoided saves: its direct cost; the hours of own staff are capacity that is free, not money
_REPEAT_COST = f"""WITH repeats AS (
  SELECT ticket_id FROM repair_outcomes WHERE is_repeat AND month >= {{end}} - INTERVAL 12 MONTH AND month < {{end}}
), costs AS (
  SELECT r.ticket_id, coalesce(CAST(sum(c.amount) AS DOUBLE), 0) AS cost FROM repeats r LEFT JOIN (SELECT * FROM cost WHERE {DIRECT}) c ON c.ticket_id = r.ticket_id GROUP BY 1 ORDER BY 1
)
SELECT count(*) AS tickets, coalesce(avg(cost), 0) AS mean, coalesce(stddev_samp(cost) / sqrt(count(*)), 0) AS error FROM costs"""


def _coefficients(setting: _Setting) -> dict[str, np.ndarray]:
    """By month of the programme: how much of one monthly case's early and late value arrives, of a case's saving, of the yearly cost."""
    import numpy as np

    months, start = setting.scenario.months, setting.scenario.starts_after
    factor = setting.growth ** np.arange(months)
    begins = np.where(
        np.arange(months) >= start, factor, 0.0
    )  # cases begin, discounted to today; their value is discounted to the case
    early_lag = np.where(np.arange(months) < 12, 1 / 12, 0.0)
    spread = max(setting.horizon - 12, 1)
    late_lag = np.where((np.arange(months) >= 12) & (np.arange(months) < setting.horizon), 1 / spread, 0.0)
    early, late = np.convolve(begins, early_lag)[:months], np.convolve(begins, late_lag)[:months]
    return {
        "early": early,
        "late": late,
        "case": begins,
        "yearly": factor / 12,
        "once": np.where(np.arange(months) == 0, 1.0, 0.0),
        "begun": begins,
    }


def _money(setting: _Setting, draws: Mapping[str, Draws]) -> dict[str, np.ndarray]:
    """By part, draws × months: ``clv``, ``average``, ``unshown``, ``saving``, ``programme``, and ``whole`` (draws): all value of the cases begun, however late it arrives."""
    import numpy as np

    weights = _coefficients(setting)
    size = len(draws["uptake"])
    arriving = {part: np.zeros((size, setting.scenario.months)) for part in ("clv", "average", "unshown")}
    whole, moved = np.zeros(size), 0.0
    nothing = np.zeros(size)
    for key, found in setting.stakes.items():
        moved += found.moved
        monthly = draws["uptake"] * found.moved / 12
        for part in arriving:
            repurchase, retention = (
                draws[name] if name in draws and _part_of(setting, name) == part else nothing
                for name in (f"{outcome}.{key}" for outcome in VALUED)
            )
            one = gain(found, repurchase, retention, draws["value"], draws["later_purchases"])
            arriving[part] += (monthly * one.early)[:, None] * weights["early"] + (monthly * one.late)[
                :, None
            ] * weights["late"]
            if part == "clv":
                whole += monthly * one.whole * weights["begun"].sum()
    saving = (
        (draws["uptake"] * moved / 12 * draws["saving_per_case"])[:, None] * weights["case"]
        if "saving_per_case" in draws
        else np.zeros_like(arriving["clv"])
    )
    yearly = (
        draws["yearly"] + setting.customers * draws["per_customer"]
        if "per_customer" in draws
        else draws["yearly"]
    )
    programme = draws["once"][:, None] * weights["once"] + yearly[:, None] * weights["yearly"]
    return {**arriving, "saving": saving, "programme": programme, "whole": whole}


def _part_of(setting: _Setting, effect: str) -> str:
    """Which sum of money an effect (``repurchase.0``) belongs to."""
    return "clv" if effect in setting.counted else "average" if effect in setting.average else "unshown"


# -- stating -----------------------------------------------------------------------------------------------------------


@traced
def _summed_up(
    inputs: StudyInputs, setting: _Setting, draws: dict[str, Draws], levers: tuple[LeverResult, ...]
) -> WhatIf:
    import numpy as np

    scenario = setting.scenario
    parts = _money(setting, draws)
    centre = {name: np.array([float(np.mean(values))]) for name, values in draws.items()}
    middle = _money(setting, centre)
    totals = {name: parts[name].sum(axis=1) for name in ("clv", "saving", "programme")}
    at = {name: float(middle[name].sum()) for name in ("clv", "saving", "programme")}
    totals["npv"] = totals["clv"] + totals["saving"] - totals["programme"]
    rounded = {name: cents(value) for name, value in at.items()}
    rounded["npv"] = rounded["clv"] + rounded["saving"] - rounded["programme"]
    totals["later"], rounded["later"] = (
        parts["whole"] - totals["clv"],
        cents(float(middle["whole"][0]) - at["clv"]),
    )
    facts = {
        name: _amount(inputs, metric, rounded[name], totals[name], scenario=scenario.id)
        for name, metric in AMOUNTS.items()
    }
    net = Derived(operation="net", parents=(facts["clv"], facts["saving"], facts["programme"]))
    facts["npv"] = _amount(
        inputs, "what_if_npv", rounded["npv"], totals["npv"], lineage=net, scenario=scenario.id
    )
    beside = {
        verdict: _amount(
            inputs,
            metric,
            cents(float(middle[verdict].sum())),
            parts[verdict].sum(axis=1),
            scenario=scenario.id,
        )
        if any("." in name and _part_of(setting, name) == verdict for name in draws)
        else None
        for verdict, metric in BESIDE.items()
    }
    cash = np.cumsum(parts["clv"] + parts["saving"] - parts["programme"], axis=1)
    middle_cash = np.cumsum(middle["clv"] + middle["saving"] - middle["programme"], axis=1)[0]
    standing = _standing(levers)
    return WhatIf(
        scenario=scenario,
        standing=standing,
        levers=levers,
        average=beside["average"],
        unshown=beside["unshown"],
        **facts,
        **_ratios(
            inputs, scenario, totals, at, cash, middle_cash, draws["uptake"], float(centre["uptake"][0])
        ),
        swings=_swings(inputs, setting, draws, centre),
        curve=_curve(inputs, scenario, cash, middle_cash),
        start=_start(inputs, scenario),
        assumed=_assumed(inputs, setting, draws),
        draws={**draws, "npv": totals["npv"]},
    )


def _standing(
    levers: tuple[LeverResult, ...],
) -> Literal["effect", "average", "partly", "not_shown", "assumption"]:
    kinds = {one.standing for one in levers}
    if "not_counted" in kinds:
        return "assumption"
    if kinds == {"not_shown"}:
        return "not_shown"
    if kinds == {"effect"}:
        return "effect"
    return "partly" if kinds & {"effect", "partly"} else "average"


def _edges(draws: Draws, level: float, value: float) -> tuple[float, float]:
    import numpy as np

    low, high = (
        float(edge) for edge in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    )
    return min(low, value), max(high, value)


def _amount(
    inputs: StudyInputs,
    metric: str,
    value: Decimal,
    draws: Draws,
    *,
    lineage: Lineage | None = None,
    **dimensions: Any,
) -> Fact:
    low, high = _edges(draws, inputs.confidence, float(value))
    return Stating(inputs=inputs).between(
        metric, value, low, high, n=len(draws), method=monte_carlo(len(draws)), lineage=lineage, **dimensions
    )


def _ratios(
    inputs: StudyInputs,
    scenario: Scenario,
    totals: Mapping[str, Draws],
    at: Mapping[str, float],
    cash: np.ndarray,
    middle: np.ndarray,
    uptake: Draws,
    likely: float,
) -> dict[str, Fact]:
    """Return, payback, break-even and the chance that it pays."""
    import numpy as np

    place: dict[str, Any] = {"scenario": scenario.id}

    def fact(
        metric: str, value: float | None, draws: Draws | None = None, reason: Text | None = None
    ) -> Fact:
        interval = None
        if (
            value is not None
            and draws is not None
            and np.isfinite(edges := _edges(draws, inputs.confidence, value)).all()
        ):
            interval = Interval(
                low=edges[0], high=edges[1], level=inputs.confidence, method=monte_carlo(len(draws))
            )
        extra: dict[str, Any] = {"reason": reason} if value is None else {"n": len(totals["npv"])}
        if value is not None and interval is None:
            extra["reason"] = OPEN
        return inputs.engine.stated(
            metric, period=inputs.month, value=value, interval=interval, dimensions=place, **extra
        )

    paid = _paid_back(cash)
    at_middle = _paid_back(middle[None, :])[0]
    benefit = totals["clv"] + totals["saving"]
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(benefit > 0, uptake * totals["programme"] / benefit, np.inf)
    middle_benefit = at["clv"] + at["saving"]
    never = Sentence("not within {months} months", {"months": str(scenario.months)}).text()
    no_uptake = Text.of("no uptake is enough")
    free = Text.of("not computed: the programme costs nothing")
    earning = bool(benefit.any()) or middle_benefit != 0
    cost = at["programme"]
    return {
        "returned": fact(
            "what_if_return",
            (at["clv"] + at["saving"] - cost) / cost if cost > 0 and earning else None,
            totals["npv"] / np.maximum(totals["programme"], 1e-9),
            free if earning else NOTHING_COUNTED,
        ),
        "payback": fact("what_if_payback", float(at_middle) if np.isfinite(at_middle) else None, paid, never),
        "break_even": fact(
            "what_if_break_even",
            likely * cost / middle_benefit if middle_benefit > 0 else None,
            needed,
            no_uptake,
        ),
        "chance": Stating(inputs=inputs).chance(
            "what_if_chance", int((totals["npv"] > 0).sum()), len(totals["npv"]), **place
        ),
    }


def _paid_back(cash: np.ndarray) -> Draws:
    """Months after which the cumulated value stays above zero; infinite where it does not."""
    import numpy as np

    below = cash < 0
    last = np.where(below.any(axis=1), cash.shape[1] - np.argmax(below[:, ::-1], axis=1), 0)
    return np.where(last >= cash.shape[1], np.inf, last.astype(float))


def _swings(
    inputs: StudyInputs, setting: _Setting, draws: Mapping[str, Draws], centre: Mapping[str, Draws]
) -> tuple[tuple[str, Text, Fact, Fact], ...]:
    """The present value with one input at its tenth and ninetieth percentile and all others at their means."""
    import numpy as np

    found = []
    for name, values in draws.items():
        if values.std() < 1e-12 or ("." in name and name not in setting.counted):
            continue
        ends = []
        for share in (0.1, 0.9):
            moved = _money(setting, {**centre, name: np.array([float(np.quantile(values, share))])})
            ends.append(float(moved["clv"].sum() + moved["saving"].sum() - moved["programme"].sum()))
        if abs(ends[1] - ends[0]) < 0.005:
            continue
        low, high = (
            inputs.engine.stated(
                "what_if_swing",
                period=inputs.month,
                value=cents(end),
                dimensions={"scenario": setting.scenario.id, "input": name, "end": which},
            )
            for end, which in zip(ends, ("p10", "p90"), strict=True)
        )
        found.append((abs(ends[1] - ends[0]), (name, _input_name(setting.scenario, name), low, high)))
    return tuple(row for _, row in sorted(found, key=lambda pair: (-pair[0], pair[1][0])))


OPEN = Text.of("no interval: one of its ends is open")
NOTHING_COUNTED = Text.of("not computed: no benefit is counted")
AT_START = Text.of("no interval: nothing has come in and nothing been paid")
BUDGET = Text.of("next year's service budget")
INPUTS = {
    "uptake": Text.of("Uptake"),
    "later_purchases": Text.of("Effect on purchases after the first year"),
    "once": Text.of("One-off cost"),
    "yearly": Text.of("Yearly cost"),
    "per_customer": Text.of("Yearly cost per customer"),
    "saving_per_case": Text.of("Saving per case"),
    "value": Text.of("Value of customers"),
}
OUTCOMES = {"repurchase": Text.of("repurchase"), "retention": Text.of("staying under contract")}
# relative to a case that goes well, by whether the treatment is wanted: never the points of the effect itself
EFFECTS = {
    ("repurchase", True): "Relative rise in repurchase if “{treatment}” happens",
    ("repurchase", False): "Relative rise in repurchase if “{treatment}” does not happen",
    ("retention", True): "Relative rise in staying under contract if “{treatment}” happens",
    ("retention", False): "Relative rise in staying under contract if “{treatment}” does not happen",
}


def _input_name(scenario: Scenario, name: str) -> Text:
    if name in INPUTS:
        return INPUTS[name]
    kind, _, index = name.partition(".")
    lever = scenario.levers[int(index)]
    known = next((one for one in load_treatments() if one.id == lever.treatment), None)
    treatment = Text.same(lever.treatment) if known is None else known.name
    wanted = known is not None and known.wanted
    return Sentence(EFFECTS[kind, wanted], {"treatment": treatment}).text()


def _curve(
    inputs: StudyInputs, scenario: Scenario, cash: np.ndarray, middle: np.ndarray
) -> tuple[tuple[Month, Fact, Fact], ...]:
    points = []
    for after in range(STEP, scenario.months + 1, STEP):
        value = cents(float(middle[after - 1]))
        narrow, wide = (
            _point(inputs, value, cash[:, after - 1], level, scenario.id, after) for level in (NARROW, WIDE)
        )
        points.append((inputs.month + after, narrow, wide))
    return tuple(points)


def _start(inputs: StudyInputs, scenario: Scenario) -> Fact:
    """Nothing has come in and nothing been paid at the end of the month."""
    return Stating(inputs=inputs).exact(
        "what_if_cumulated", Decimal(0), parts={"reason": AT_START}, scenario=scenario.id, after="0"
    )


def _point(
    inputs: StudyInputs, value: Decimal, draws: Draws, level: float, scenario: str, after: int
) -> Fact:
    low, high = _edges(draws, level, float(value))
    place: dict[str, Any] = {"scenario": scenario, "after": str(after), "coverage": f"{level:g}"}
    return inputs.engine.stated(
        "what_if_cumulated",
        period=inputs.month,
        value=value,
        interval=Interval(low=low, high=high, level=level, method=monte_carlo(len(draws))),
        n=len(draws),
        dimensions=place,
    )


def _assumed(inputs: StudyInputs, setting: _Setting, draws: Mapping[str, Draws]) -> tuple[AssumedInput, ...]:
    """Every uncertain input with its middle and range, in the order it entered."""
    import numpy as np

    metric = {
        "uptake": "what_if_assumed_share",
        "later_purchases": "what_if_assumed_share",
        "value": "what_if_assumed_share",
    }
    found = []
    for name, values in draws.items():
        if "." in name and name not in setting.counted:
            continue
        kind = metric.get(name) or ("what_if_assumed_share" if "." in name else "what_if_assumed_money")
        value: Any = float(np.mean(values))
        low, high = _edges(values, inputs.confidence, value)
        if kind == "what_if_assumed_money":
            value = cents(value)
        interval = (
            Interval(low=low, high=high, level=inputs.confidence, method=monte_carlo(len(values)))
            if values.std() > 1e-12
            else None
        )
        fact = inputs.engine.stated(
            kind,
            period=inputs.month,
            value=value,
            interval=interval,
            n=len(values) if interval else None,
            dimensions={"scenario": setting.scenario.id, "input": name},
            lineage=_stated_range(setting.scenario, name),
        )
        found.append(AssumedInput(input=name, name=_input_name(setting.scenario, name), value=fact))
    return tuple(found)


def _stated_range(scenario: Scenario, name: str) -> Assumed | None:
    """The range of params an input was drawn from; an effect, the value of customers and a traced saving are estimates."""
    stated = _ranges(scenario) | (
        {"saving_per_case": scenario.saving_per_case} if scenario.saving_per_case else {}
    )
    if name not in stated or scenario.id.endswith("_changed"):
        return None
    return Assumed(source="params/what_ifs.yml", name=f"scenarios.{scenario.id}.{name}")


# -- what is said ------------------------------------------------------------------------------------------------------

_FINDING_METHOD = "Monte Carlo over effects, value of customers, uptake, cost and saving; said only where every effect that is counted is shown for the customers concerned and the interval lies above zero."


def _finding(one: WhatIf) -> Finding:
    import pandas as pd

    values: dict[str, Value] = {
        "scenario": one.scenario.name,
        "npv": one.npv,
        "programme": one.programme,
        "clv": one.clv,
        "months": Sentence("{months} months", {"months": str(one.scenario.months)}).text(),
    }
    text = "{scenario}: it would bring {clv} of customer value for {programme}, all within {months}, discounted: present value {npv} ({npv:interval})."
    if one.saves:
        text = "{scenario}: it would bring {clv} of customer value and save {saving} for {programme}, all within {months}, discounted: present value {npv} ({npv:interval})."
        values["saving"] = one.saving
    rows = pd.DataFrame(
        [
            {"part": name, "value": getattr(one, name).value}
            for name in ("clv", "saving", "programme", "npv", "later")
        ]
    )
    return Finding(
        id="value.what_if",
        section=SECTION,
        severity="info",
        subject={"scenario": one.scenario.id},
        evidence=rows,
        method=_FINDING_METHOD,
        checks=tuple(check.id for check in _checks(one)),
        rank=float(one.npv.value or 0),
        statement=Sentence(text, values),
    )


_NOTHING = "{scenario}: nothing is counted for customers in “{lever}”: that effect did not pass its checks or could not be computed."
_UNSHOWN = "{scenario}: no effect of “{lever}” on “{outcome}” is shown, so nothing is counted for it; what its estimate would say is printed apart."
_DOUBTFUL = "{scenario}: the effect of “{lever}” on “{outcome}” ({average:signed}, {average:interval}) is counted, though a hidden cause as strong as customer tier would take its interval to zero."
_AVERAGE = {
    True: "{scenario}: the effect of “{lever}” on “{outcome}” is shown over all cases ({average:signed}, {average:interval}), not for its own customers ({group}: {own:signed}, {own:interval}), so nothing is counted for it; what it would bring if the average held for them is printed apart.",
    False: "{scenario}: the effect of “{lever}” on “{outcome}” is shown over all cases ({average:signed}, {average:interval}), and not estimated for its own customers ({group}), so nothing is counted for it; what it would bring if the average held for them is printed apart.",
}


def _checks(one: WhatIf) -> list[Check]:
    """What the scenario rests on: one check, or one for every outcome that is not counted or not shown for the customers concerned."""
    place, scenario = f"value.what_if.{one.scenario.id}", one.scenario.name
    found = []
    for index, lever in enumerate(one.levers, start=1):
        words: dict[str, Value] = {"scenario": scenario, "lever": lever.name}
        if lever.standing == "not_counted":
            found.append(Check(id=f"{place}.{index}", outcome="failed", sentence=Sentence(_NOTHING, words)))
            continue
        for each in lever.outcomes:
            values = words | {"outcome": OUTCOMES[each.outcome]}
            outcome: Outcome = "info"
            text = _UNSHOWN if each.verdict == "not_shown" else ""
            if each.verdict == "effect" and each.doubtful:
                text, outcome = _DOUBTFUL, "failed"
                values |= {"average": each.average}
            if each.verdict == "average" and each.group is not None:
                text = _AVERAGE[each.own is not None]
                values |= {"average": each.average, "group": each.group}
                values |= {} if each.own is None else {"own": each.own.effect}
            if text:
                sentence = Sentence(text, values)
                found.append(Check(id=f"{place}.{index}.{each.outcome}", outcome=outcome, sentence=sentence))
    if found:
        return found
    sentence = Sentence(
        "{scenario}: rests on effects that survived their checks, and on the ranges printed with it.",
        {"scenario": scenario},
    )
    return [Check(id=place, outcome="passed", sentence=sentence)]
