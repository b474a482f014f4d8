"""What a case that goes wrong costs in customer value: effects joined to the value of the customers concerned.

Only what customers bring counts here (purchases and contracts); what serving them costs is counted in after-sales cost and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analysis.metrics import Stating, StudyInputs, cents
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.views.responses import landmark
from analysis.metrics.views.selection import Selection, study_view
from analysis.params.treatments import Treatment
from analysis.results import Fact, Interval
from analysis.summaries import Summarised
from analysis.value.base import ValueBase
from analysis.value.effect_cases import cases_of_year, needs, of_customers
from analysis.value.effect_results import (
    NO_VALUE,
    NOT_PRICED,
    NOT_SHOWN,
    TOO_FEW,
    VALUED,
    GroupReading,
    TreatmentEffect,
)
from analysis.value.settings import settings_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Draws = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Stake(Summarised):
    """Cases of the last twelve months and what their customers are expected to bring.

    ``cases`` eligible, ``exposed`` gone the feared way, ``moved`` of these the ones a change would reach; ``purchases`` and ``contract`` are the mean
    value of the customers of moved cases (currency, discounted, over the horizon), ``first_year`` the share of it that falls in twelve months.
    """

    cases: int
    exposed: int
    moved: float
    purchases: float
    contract: float
    first_year: float
    listed: Selection  # the cases, ``exposed`` and ``moved`` true or not
    chosen: bool  # whether a model chose the customers: the cases are then no rows that could be listed again


CASES_YEAR = {False: "service_cases_year", True: "service_customers_year"}  # whether a case is a customer


def _top(base: ValueBase) -> str:
    """The most valuable tenth of customers."""
    return f"(SELECT customer_id FROM {base.table} WHERE clv >= (SELECT quantile_cont(clv, 0.9) FROM {base.table}))"


@study_view
def cases_listed(
    inputs: StudyInputs,
    treatment: Treatment,
    *,
    region: str = "",
    faster_hours: float = 0.0,
    within: str = "",
) -> str:
    """SELECT of the cases of the last twelve months with ``exposed`` (gone the feared way) and ``moved`` (that a change would reach).

    Parameters
    ----------
    region : only these
    faster_hours : hours by which answers would come earlier; without it every exposed case can be reached
    within : a table of customers; all where left out
    """
    claims = not inputs.engine.tables.missing("claims.approved")
    rows = cases_of_year(treatment, inputs.month.end, inputs.engine.rules, claims=claims)
    exposed = "treated" if not treatment.wanted else "NOT treated"
    moved = exposed
    if faster_hours:
        limit = (
            "c.response_due_at"
            if treatment.rule == "responded_in_time"
            else landmark("c", literal(inputs.engine.rules.late_answer_hours))
        )
        moved = f"{exposed} AND c.first_response_at <= {limit} + INTERVAL {faster_hours * 60:.0f} MINUTE"
    kept = [f"c.region = {literal(region)}" if region else "", f"c.customer_id IN {within}" if within else ""]
    where = " AND ".join(filter(None, kept))
    return f"SELECT c.*, {exposed} AS exposed, coalesce({moved}, FALSE) AS moved FROM ({rows}) c{f' WHERE {where}' if where else ''}"


@traced
def stake(
    inputs: StudyInputs,
    base: ValueBase,
    treatment: Treatment,
    *,
    region: str = "",
    top_decile: bool = False,
    faster_hours: float = 0.0,
    factor: float = 1.0,
    points: float = 0.0,
) -> Stake:
    """Cases of the last twelve months, in a region or of the most valuable tenth of customers, and those that a change would move.

    ``faster_hours``: the late ones that would be in time; ``points``: so much of all cases; else the share ``factor`` of the feared ones.
    """
    listed = cases_listed(
        inputs, treatment, region=region, faster_hours=faster_hours, within=_top(base) if top_decile else ""
    )
    found = inputs.engine.query(
        f"""SELECT count(*) AS cases, count(*) FILTER (WHERE c.exposed) AS exposed, count(*) FILTER (WHERE c.moved) AS moved,
       coalesce(sum(CAST(b.clv_purchases AS DECIMAL(38, 6))) FILTER (WHERE c.moved), 0) AS purchases, coalesce(sum(CAST(b.clv_contract AS DECIMAL(38, 6))) FILTER (WHERE c.moved), 0) AS contract,
       coalesce(sum(CAST(b.margin_next_12m AS DECIMAL(38, 6))) FILTER (WHERE c.moved), 0) AS next_year
FROM ({listed}) c LEFT JOIN {base.table} b ON b.customer_id = c.customer_id""",
        needs=needs(treatment),
    ).iloc[0]
    count, reached = int(found["exposed"]), int(found["moved"])
    purchases, contract, year = (float(found[name]) for name in ("purchases", "contract", "next_year"))
    first_year = min(max(year / (purchases + contract), 0.0), 1.0) if purchases + contract > 0 else 0.0
    size = (
        float(reached)
        if faster_hours
        else min(points * int(found["cases"]), count)
        if points
        else factor * count
    )
    each = max(reached, 1)
    return Stake(
        listed=listed,
        chosen=top_decile,
        cases=int(found["cases"]),
        exposed=count,
        moved=size,
        purchases=purchases / each,
        contract=contract / each,
        first_year=first_year,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Gain(Summarised):
    """Value of one case that goes well instead of wrong, per draw: ``early`` within twelve months, ``late`` after them. Discounted to the case."""

    early: Draws = field(repr=False)
    late: Draws = field(repr=False)

    @property
    def whole(self) -> Draws:
        return self.early + self.late


def gain(found: Stake, repurchase: Draws, retention: Draws, factor: Draws, carry: Draws) -> Gain:
    """From effects to value, draw by draw.

    ``repurchase`` and ``retention`` are relative changes (gain ÷ what a case that goes well shows); ``factor`` scales the value of customers by what is not known
    of it; ``carry`` is the share of later years' purchases that the effect still reaches. A contract kept is kept: on average half of its
    first year is gained, and what follows.
    """
    first = found.first_year
    early = factor * (repurchase * found.purchases * first + retention * found.contract * first / 2)
    late = factor * (
        carry * repurchase * found.purchases * (1 - first) + retention * found.contract * (1 - first)
    )
    return Gain(early=early, late=late)


@traced
def relative_draws(
    effect: TreatmentEffect,
    random: np.random.Generator,
    size: int,
    readings: Mapping[str, GroupReading] | None = None,
) -> dict[str, Draws]:
    """Draws of the relative change in each outcome that has an estimate and a price, if a feared case goes well.

    Parameters
    ----------
    readings : where only one group is concerned and its own effect is shown, that effect, by outcome, in place of the average over all cases
    """
    out = {}
    for name in VALUED:
        normal = random.standard_normal(size)
        one = effect.outcome(name)
        good = None if one is None else (one.with_it if effect.treatment.wanted else one.without_it).value
        if one is None or one.adjusted.value is None or not good:
            continue
        value, error = float(one.adjusted.value), one.std_error
        if (own := (readings or {}).get(name)) is not None:
            value, error = float(own.effect.value or 0), max(own.std_error, error)
        sign = 1.0 if effect.treatment.wanted else -1.0
        out[name] = (sign * value + error * normal) / float(good)
    return out


@traced
def money(inputs: StudyInputs, base: ValueBase, effect: TreatmentEffect) -> dict[str, Fact]:
    """Value per case and of all cases of the last twelve months, by the outcomes with a shown effect; that on purchases is taken to end with the window."""
    import numpy as np

    place: dict[str, Any] = {"treatment": effect.treatment.id}
    found = stake(inputs, base, effect.treatment)
    year = Stating(inputs=inputs).measured(CASES_YEAR[of_customers(effect.treatment)], found.listed, **place)
    claimed = [one.outcome for one in effect.claimed if one.outcome in VALUED]
    if not claimed or not found.exposed:
        unpriced = bool(effect.claimed) and not claimed
        reason = (
            NO_VALUE if not effect.holds else TOO_FEW if claimed else NOT_PRICED if unpriced else NOT_SHOWN
        )
        return {"exposed_year": year} | {
            part: inputs.engine.stated(
                metric, period=inputs.month, value=None, reason=reason, dimensions=place
            )
            for part, metric in (("per_case", "service_effect_value"), ("at_stake", "service_value_at_stake"))
        }
    settings = settings_of(inputs)
    random, size = np.random.default_rng(settings.seed), settings.effect_draws
    drawn = relative_draws(effect, random, size)
    repurchase, retention = (
        drawn[name] if name in claimed and name in drawn else np.zeros(size) for name in VALUED
    )
    factor = 1 + base.relative_error * random.standard_normal(size)
    middle = gain(
        found, np.array([repurchase.mean()]), np.array([retention.mean()]), np.ones(1), np.zeros(1)
    ).whole[0]
    draws = gain(found, repurchase, retention, factor, np.zeros(size)).whole
    each = amount(inputs, "service_effect_value", float(middle), draws, **place)
    whole = amount(
        inputs, "service_value_at_stake", float(middle) * found.exposed, draws * found.exposed, **place
    )
    return {"per_case": each, "at_stake": whole, "exposed_year": year} | _parts(
        inputs, found, {"repurchase": repurchase, "retention": retention}, factor, claimed, place
    )


def _parts(
    inputs: StudyInputs,
    found: Stake,
    effects: Mapping[str, Draws],
    factor: Draws,
    claimed: Sequence[str],
    place: Mapping[str, str],
) -> dict[str, Fact]:
    """What each claimed outcome is of the sum, as ``stake_repurchase`` and ``stake_retention``."""
    import numpy as np

    made, nothing = {}, np.zeros(len(factor))
    for name in claimed:
        repurchase, retention = (effects[other] if other == name else nothing for other in VALUED)
        at_means = gain(
            found, np.array([repurchase.mean()]), np.array([retention.mean()]), np.ones(1), np.zeros(1)
        )
        middle = at_means.whole[0] * found.exposed
        draws = gain(found, repurchase, retention, factor, nothing).whole * found.exposed
        made[f"stake_{name}"] = amount(
            inputs, "service_value_at_stake_part", float(middle), draws, outcome=name, **place
        )
    return made


def monte_carlo(draws: int) -> str:
    """The method of limits that are quantiles of so many draws."""
    return f"Monte Carlo, {draws:,} draws"


def amount(inputs: StudyInputs, metric: str, value: float, draws: Draws, **dimensions: str) -> Fact:
    """Money with the interval of its draws."""
    import numpy as np

    tail = (1 - inputs.confidence) / 2
    low, high = (float(edge) for edge in np.quantile(draws, [tail, 1 - tail]))
    interval = Interval(
        low=min(low, value), high=max(high, value), level=inputs.confidence, method=monte_carlo(len(draws))
    )
    return inputs.engine.stated(
        metric,
        period=inputs.month,
        value=cents(value),
        interval=interval,
        n=len(draws),
        dimensions=dimensions,
    )
