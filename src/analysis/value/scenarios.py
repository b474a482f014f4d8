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
from analysis.formats import chance
from analysis.locale import Text
from analysis.metrics import NotDone, Parts, Stating, StudyInputs, cents
from analysis.metrics.lineage import traced
from analysis.params.treatments import load_treatments
from analysis.params.what_ifs import Lever, Range, Scenario, WhatIfPlan, load_what_ifs
from analysis.periods import Month
from analysis.results import Assumed, Check, Derived, Fact, Finding, Interval, Lineage, Sentence, Value
from analysis.summaries import Summarised
from analysis.value.base import ValueBase
from analysis.value.budget import Budget, budget
from analysis.value.effect_results import SECTION, ServiceEffects
from analysis.value.value_at_stake import Stake, gain, relative_draws, stake

if TYPE_CHECKING:
    import numpy as np

    from analysis.value.value_at_stake import Draws

Standing = Literal["effect", "not_shown", "not_counted"]
STEP = 3  # months between the points of the fan
# Parts of a lever's cases and of a scenario's sum of money, with the metric each is published as.
CASES = {"cases": "what_if_cases", "exposed": "what_if_exposed", "moved": "what_if_moved"}
AMOUNTS = {
    "clv": "what_if_clv",
    "saving": "what_if_saving",
    "programme": "what_if_programme",
    "later": "what_if_later",
}
WIDE, NARROW = 0.95, 0.80


@dataclass(frozen=True, kw_only=True, eq=False)
class LeverResult(Summarised):
    """One lever: cases of a year it applies to, those it would change, and what is known of its effect."""

    lever: Lever
    name: Text
    standing: Standing
    cases: Fact
    exposed: Fact
    moved: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class AssumedInput(Summarised):
    """One uncertain number as it entered: ``likely`` with its range as interval."""

    input: str
    name: Text
    value: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class WhatIf(Summarised):
    """A scenario in money. ``clv`` + ``saving`` − ``programme`` = ``npv``; all discounted to the end of the month.

    ``later`` : customer value that arrives after the programme's months, not in ``npv``; ``unshown`` : what levers without a shown effect would bring at their word,
    not in ``npv`` either. ``break_even`` : share of the intended change at which the present value is
    nothing. ``swings`` : input, its name, and the present value at its tenth and ninetieth percentile, widest first. ``curve`` (from ``start``, nothing) : month, cumulated
    present value with its 80 % and its 95 % interval. ``standing`` : ``effect`` when every lever rests on an effect that survived its checks.
    """

    scenario: Scenario
    standing: Literal["effect", "not_shown", "assumption"]
    levers: tuple[LeverResult, ...]
    clv: Fact
    saving: Fact
    programme: Fact
    npv: Fact
    later: Fact
    unshown: Fact | None
    returned: Fact
    payback: Fact
    paid_back: Fact
    break_even: Fact
    chance: Fact
    swings: tuple[tuple[str, Text, Fact, Fact], ...]
    start: Fact
    curve: tuple[tuple[Month, Fact, Fact], ...]
    assumed: tuple[AssumedInput, ...]
    draws: Mapping[str, Draws] = field(repr=False)


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
    """Every scenario of ``params/what_ifs.yml``, and the budget proposal."""
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
        findings=tuple(_finding(one) for one in results if _worth_saying(one)),
        checks=(*(_check(one) for one in results), *parts.not_tested(titles)),
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
    taken as certain. ``count_unshown`` counts the estimates of effects that are not shown as well. Returns money with intervals; see :class:`WhatIf`.

    Raises ParameterError for an unknown scenario or parameter, FitError when none of its levers rests on anything.
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
    counted: frozenset[str]  # levers whose customer value is in the present value
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
    levers, stakes, counted = [], {}, set()
    draws: dict[str, Draws] = {}
    for index, lever in enumerate(scenario.levers):
        effect, key = effects.get(lever.treatment), str(index)
        found, result = _lever(inputs, base, effects, lever, scenario, index)
        levers.append(result)
        if found is None:
            continue
        stakes[key] = found
        if effect is not None and result.standing != "not_counted":
            draws[f"repurchase.{key}"], draws[f"retention.{key}"] = relative_draws(effect, random, plan.draws)
            if result.standing == "effect" or count_unshown:
                counted.add(key)
    saving = _saving(inputs, scenario, random, plan.draws) if stakes else None
    if not counted and saving is None:
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
    standing: Standing = (
        "not_counted" if effect is None or not effect.holds else "effect" if effect.claimed else "not_shown"
    )
    name = effect.treatment.name if effect else refusal[0].name if refusal else Text.same(lever.treatment)
    if refusal is not None and refusal[1].needs:
        blank = {
            part: Stating(inputs=inputs).exact(metric, None, reason=refusal[1].unstated, **place)
            for part, metric in CASES.items()
        }
        return None, LeverResult(lever=lever, name=name, standing="not_counted", **blank)
    found = _stake(inputs, base, effects, lever)
    return found, LeverResult(
        lever=lever, name=name, standing=standing, **_lever_cases(inputs, found, lever, place)
    )


@traced
def _lever_cases(
    inputs: StudyInputs, found: Stake, lever: Lever, place: Mapping[str, Any]
) -> dict[str, Fact]:
    """Cases of a year, those gone wrong, and those a full change would move."""
    facts = Stating(inputs=inputs)
    moved = found.rows("moved") if lever.change == "faster_hours" else None
    return {
        "cases": facts.exact("what_if_cases", found.cases, lineage=found.rows(), **place),
        "exposed": facts.exact("what_if_exposed", found.exposed, lineage=found.rows("exposed"), **place),
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


_REPEAT_COST = """WITH repeats AS (
  SELECT ticket_id FROM repair_outcomes WHERE is_repeat AND month >= {end} - INTERVAL 12 MONTH AND month < {end}
), costs AS (
  SELECT r.ticket_id, coalesce(CAST(sum(c.amount) FILTER (WHERE c.posting_basis IN ('incurred', 'recovery')) AS DOUBLE), 0) AS cost FROM repeats r LEFT JOIN cost c ON c.ticket_id = r.ticket_id GROUP BY 1 ORDER BY 1
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
    """By part, draws × months: ``clv``, ``unshown``, ``saving``, ``programme``, and ``whole`` (draws): all value of the cases begun, however late it arrives."""
    import numpy as np

    weights = _coefficients(setting)
    size = len(draws["uptake"])
    clv, unshown, whole, moved = (
        np.zeros((size, setting.scenario.months)),
        np.zeros((size, setting.scenario.months)),
        np.zeros(size),
        0.0,
    )
    for key, found in setting.stakes.items():
        moved += found.moved
        if f"repurchase.{key}" not in draws:
            continue
        one = gain(
            found,
            draws[f"repurchase.{key}"],
            draws[f"retention.{key}"],
            draws["value"],
            draws["later_purchases"],
        )
        monthly = draws["uptake"] * found.moved / 12
        arriving = (monthly * one.early)[:, None] * weights["early"] + (monthly * one.late)[
            :, None
        ] * weights["late"]
        if key not in setting.counted:
            unshown += arriving
            continue
        clv += arriving
        whole += monthly * one.whole * weights["begun"].sum()
    saving = (
        (draws["uptake"] * moved / 12 * draws["saving_per_case"])[:, None] * weights["case"]
        if "saving_per_case" in draws
        else np.zeros_like(clv)
    )
    yearly = (
        draws["yearly"] + setting.customers * draws["per_customer"]
        if "per_customer" in draws
        else draws["yearly"]
    )
    programme = draws["once"][:, None] * weights["once"] + yearly[:, None] * weights["yearly"]
    return {"clv": clv, "unshown": unshown, "saving": saving, "programme": programme, "whole": whole}


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
    left_out = set(setting.stakes) - setting.counted
    missing = any(f"repurchase.{key}" in draws for key in left_out)
    unshown = (
        _amount(
            inputs,
            "what_if_unshown",
            cents(float(middle["unshown"].sum())),
            parts["unshown"].sum(axis=1),
            scenario=scenario.id,
        )
        if missing
        else None
    )
    cash = np.cumsum(parts["clv"] + parts["saving"] - parts["programme"], axis=1)
    middle_cash = np.cumsum(middle["clv"] + middle["saving"] - middle["programme"], axis=1)[0]
    kinds = {one.standing for one in levers}
    standing: Literal["effect", "not_shown", "assumption"] = (
        "effect" if kinds == {"effect"} else "not_shown" if kinds <= {"effect", "not_shown"} else "assumption"
    )
    return WhatIf(
        scenario=scenario,
        standing=standing,
        levers=levers,
        unshown=unshown,
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
        metric, value, low, high, n=len(draws), method="Monte Carlo", lineage=lineage, **dimensions
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
            interval = Interval(low=edges[0], high=edges[1], level=inputs.confidence, method="Monte Carlo")
        extra = {"reason": reason} if value is None else {"n": len(totals["npv"])}
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
    cost = at["programme"]
    return {
        "returned": fact(
            "what_if_return",
            (at["clv"] + at["saving"] - cost) / cost if cost > 0 else None,
            totals["npv"] / np.maximum(totals["programme"], 1e-9),
            free,
        ),
        "payback": fact("what_if_payback", float(at_middle) if np.isfinite(at_middle) else None, paid, never),
        "paid_back": fact("what_if_paid_back", chance(int(np.isfinite(paid).sum()), len(paid))),
        "break_even": fact(
            "what_if_break_even",
            likely * cost / middle_benefit if middle_benefit > 0 else None,
            needed,
            no_uptake,
        ),
        "chance": fact("what_if_chance", chance(int((totals["npv"] > 0).sum()), len(totals["npv"]))),
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
        if values.std() < 1e-12 or ("." in name and name.partition(".")[2] not in setting.counted):
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
EFFECTS = {"repurchase": Text.of("Effect on repurchase"), "retention": Text.of("Effect on staying")}


def _input_name(scenario: Scenario, name: str) -> Text:
    if name in INPUTS:
        return INPUTS[name]
    kind, _, index = name.partition(".")
    lever = scenario.levers[int(index)]
    return Text(
        en=f"{EFFECTS[kind].en}: {_treatment_name(lever.treatment).en}",
        zh=f"{EFFECTS[kind].zh}：{_treatment_name(lever.treatment).zh}",
    )


def _treatment_name(treatment: str) -> Text:
    return next((one.name for one in load_treatments() if one.id == treatment), Text.same(treatment))


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
    return Stating(inputs=inputs).exact("what_if_cumulated", Decimal(0), scenario=scenario.id, after="0")


def _point(
    inputs: StudyInputs, value: Decimal, draws: Draws, level: float, scenario: str, after: int
) -> Fact:
    low, high = _edges(draws, level, float(value))
    place: dict[str, Any] = {"scenario": scenario, "after": str(after), "coverage": f"{level:g}"}
    return inputs.engine.stated(
        "what_if_cumulated",
        period=inputs.month,
        value=value,
        interval=Interval(low=low, high=high, level=level, method="Monte Carlo"),
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
        if "." in name and name.partition(".")[2] not in setting.counted:
            continue
        kind = metric.get(name) or ("what_if_assumed_share" if "." in name else "what_if_assumed_money")
        value: Any = float(np.mean(values))
        low, high = _edges(values, inputs.confidence, value)
        if kind == "what_if_assumed_money":
            value = cents(value)
        interval = (
            Interval(low=low, high=high, level=inputs.confidence, method="Monte Carlo")
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

_FINDING_METHOD = "Monte Carlo over effects, value of customers, uptake, cost and saving; said only where every effect survived its checks and the interval lies above zero."


def _worth_saying(one: WhatIf) -> bool:
    return one.standing == "effect" and one.npv.interval is not None and one.npv.interval.low > 0


def _finding(one: WhatIf) -> Finding:
    import pandas as pd

    values: dict[str, Value] = {
        "scenario": one.scenario.name,
        "npv": one.npv,
        "programme": one.programme,
        "clv": one.clv,
        "saving": one.saving,
    }
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
        rank=float(one.npv.value or 0),
        statement=Sentence(
            "{scenario}: it would bring {clv} of customer value and save {saving} for {programme}: present value {npv} ({npv:interval}).",
            values,
        ),
    )


def _check(one: WhatIf) -> Check:
    weak = [lever for lever in one.levers if lever.standing != "effect"]
    if not weak:
        sentence = Sentence(
            "{scenario}: rests on effects that survived their checks, and on the ranges printed with it.",
            {"scenario": one.scenario.name},
        )
        return Check(id=f"value.what_if.{one.scenario.id}", outcome="passed", sentence=sentence)
    left_out = [lever for lever in weak if lever.standing == "not_counted"]
    first = (left_out or weak)[0]
    text = (
        "{scenario}: nothing is counted for customers in “{lever}”: that effect did not pass its checks or could not be computed."
        if left_out
        else "{scenario}: no effect of “{lever}” is shown, so nothing is counted for it; what its estimate would say is printed apart."
    )
    return Check(
        id=f"value.what_if.{one.scenario.id}",
        outcome="failed" if left_out else "info",
        sentence=Sentence(text, {"scenario": one.scenario.name, "lever": first.name}),
    )
