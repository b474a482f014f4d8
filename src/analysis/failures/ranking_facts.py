"""Rankings as facts: each attribute by count, by cost and by failures above those expected, with the ranks that chance leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from analysis.failures import money, ranking
from analysis.failures.comparing import Compared
from analysis.failures.field import Field
from analysis.failures.limits import interval_of
from analysis.failures.localising import Cells
from analysis.failures.ranking import Amounts
from analysis.failures.views import is_value
from analysis.locale import Text
from analysis.metrics import NotDone, Period, traced
from analysis.metrics.views.selection import Selection
from analysis.results import Fact, Interval, Rows
from analysis.summaries import Summarised

RANKED = ("component", "fault_code", "model", "batch", "supplier", "plant", "region")
PARETO_LINES = 15
METRICS = {
    "count": "failure_count",
    "cost": "failure_cost",
    "excess": "excess_failures",
    "past": "excess_over_past",
}
TOO_MANY = Text.of("no interval: more values than rankings are simulated for")
MEASURES = {"count": "failures_counted", "cost": "cost_of_failures"}
EXCESS_METHOD = "exact Poisson count, error of the expectation"


@dataclass(frozen=True, kw_only=True, eq=False)
class ParetoLine(Summarised):
    """One line of a ranking; ``settled`` is false where chance could give it another rank."""

    name: Text
    fact: Fact
    cumulative: Fact
    rank: Fact
    settled: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking(Summarised):
    """A Pareto ranking: its first lines, and how many values make up eighty percent (with the interval that chance leaves).

    ``by`` is count, cost, excess (over all other machines) or past (over its own past); ``left_out`` are failures that have no past to be held against.
    """

    dimension: str
    by: str
    lines: tuple[ParetoLine, ...]
    values: Fact
    vital: Fact
    left_out: Fact | None = None

    @property
    def leads(self) -> bool:
        """Whether chance leaves the first where it is; where there is but one there is nothing to lead."""
        rank = self.lines[0].rank.interval
        return len(self.lines) > 1 and rank is not None and rank.high <= 1

    @property
    def beyond_chance(self) -> tuple[ParetoLine, ...]:
        """The lines whose excess stands out from zero."""
        return tuple(
            line for line in self.lines if line.fact.interval is not None and line.fact.interval.low > 0
        )


@traced
def rankings(
    field: Field,
    cells: Cells,
    costs: object | NotDone,
    own_past: Mapping[str, pd.DataFrame | NotDone],
    *,
    seed: int,
) -> dict[tuple[str, str], Ranking]:
    """Each attribute by count, by cost (where there is a ledger) and by failures above those expected; none where nothing failed.

    Expected is what all other machines of the product line would have had; of a component and a fault code, what its own past had at the same ages.
    """
    found: dict[tuple[str, str], Ranking] = {}
    costed = not isinstance(costs, NotDone)
    for dimension in RANKED:
        rows = money.cost_by(field, dimension) if costed else money.failures_by(field, dimension)
        if not len(rows):
            continue
        found[dimension, "count"] = ranked(field, "count", dimension, _counts(rows), seed=seed)
        if costed:
            found[dimension, "cost"] = ranked(field, "cost", dimension, _costs(rows), seed=seed)
        past = own_past.get(dimension)
        if isinstance(past, pd.DataFrame) and len(past):
            made = ranked(field, "past", dimension, _excess(past), seed=seed)
            left = field.state.exact(
                "failures_without_past", int(past["left_out"].sum()), period=field.year, attribute=dimension
            )
            found[dimension, "past"] = replace(made, left_out=left)
        elif dimension in cells.frame.columns and len(above := _summed(cells, dimension)) > 1:
            found[dimension, "excess"] = ranked(
                field, "excess", dimension, _excess(above), seed=seed, over=field.window
            )
    return found


@traced
def _summed(cells: Cells, dimension: str) -> pd.DataFrame:
    """Failures by ``value`` of one attribute, those that all other machines of its product lines would have had in its place, and the error of that.

    Lines in which there are no others are left out; so is a value that makes up all of its lines.
    """
    sums = cells.frame.groupby([dimension, "product_line"], sort=True)[["failures", "expected"]].sum()
    others = sums.groupby(level="product_line").transform("sum") - sums
    sides = sums.join(others.rename(columns={"failures": "others", "expected": "others_expected"}))
    found = {
        value: Compared.by_line(part.droplevel(dimension)) for value, part in sides.groupby(level=dimension)
    }
    return pd.DataFrame(
        [
            (str(value), one.failures, one.expected, one.error)
            for value, one in found.items()
            if one.lines and one.others > 0
        ],
        columns=["value", "failures", "expected", "error"],
    )


@traced
def _counts(rows: pd.DataFrame) -> Amounts:
    number = [int(v) for v in rows["failures"]]
    return Amounts(values=[str(v) for v in rows["value"]], amounts=number, counts=number)


@traced
def _costs(rows: pd.DataFrame) -> Amounts:
    squares: pd.Series = rows["amount"].astype(float) ** 2 / np.maximum(rows["failures"], 1)
    scatter = np.sqrt(np.maximum(rows["square"].to_numpy(dtype=float) - squares, 0.0))
    return Amounts(
        values=[str(v) for v in rows["value"]],
        amounts=[Decimal(str(v)) for v in rows["amount"]],
        counts=[int(v) for v in rows["failures"]],
        spread=list(scatter),
    )


@traced
def _excess(rows: pd.DataFrame) -> Amounts:
    return Amounts(
        values=[str(v) for v in rows["value"]],
        amounts=[round(float(a - e), 1) for a, e in zip(rows["failures"], rows["expected"], strict=True)],
        counts=[int(v) for v in rows["failures"]],
        subtract=[float(v) for v in rows["expected"]],
        spread=[float(v) for v in rows["error"]],
    )


@traced
def ranked(
    field: Field, by: str, dimension: str, given: Amounts, *, seed: int, over: Period | None = None
) -> Ranking:
    """One ranking: its lines, its ranks with what chance leaves of them, and the values that make eighty percent."""
    metric, period, level = METRICS[by], over or field.year, field.inputs.confidence
    state, order = field.state, given.order
    draws = int(field.assumed("failure_ranking_draws"))
    method = f"{draws:,} simulated rankings"
    chance = ranking.chance_of(given, draws=draws, seed=seed, level=level)
    lines: list[ParetoLine] = []
    for at, k in enumerate(order[:PARETO_LINES]):
        place: dict[str, Any] = {dimension: given.values[k]}
        n = {"n": given.counts[k]}
        listed = _selected(field, by, is_value(dimension, given.values[k]))
        fact = (
            state.measured(metric, listed, period=period, parts=n, **place)
            if listed
            else state.exact(
                metric,
                given.amounts[k],
                period=period,
                parts=n | {"interval": _around(given, k, level)},
                **place,
            )
        )
        place["of"] = metric
        low, high = chance.ranks[at]
        rank = state.derived(
            "failure_rank",
            *(line.fact for line in lines),
            fact,
            period=period,
            parts={"n": given.counts[k], "interval": interval_of(low, high, level, method)},
            **place,
        )
        lines.append(
            ParetoLine(
                name=field.label(dimension, given.values[k]),
                fact=fact,
                cumulative=_cumulative(
                    field, by, dimension, given, at, period, place, chance.held[at], method
                ),
                rank=rank,
                settled=bool(low == high),
            )
        )
    few, few_low, few_high = chance.vital
    limits = interval_of(min(few, few_low), max(few, few_high), level, method)
    about: dict[str, Any] = {"of": metric, "attribute": dimension}
    return Ranking(
        dimension=dimension,
        by=by,
        lines=tuple(lines),
        values=state.exact(
            "ranked_values",
            len(given.values),
            period=period,
            lineage=_distinct(field, by, dimension, over),
            **about,
        ),
        vital=state.exact("vital_few", few, period=period, parts=_known(limits, given), **about),
    )


def _known(limits: Interval | None, given: Amounts) -> dict[str, Any]:
    """The interval of what the simulated rankings say, and the failures behind it; the reason where only the first values were simulated."""
    few = len(given.values) <= ranking.RANKED_AT_MOST
    return {"n": sum(given.counts), **({"interval": limits} if few else {"reason": TOO_MANY})}


def _around(given: Amounts, k: int, level: float) -> Interval | None:
    """Limits of an excess: its count's and its expectation's errors, added in quadrature on either side (Zou and Donner 2008)."""
    from scipy.stats import norm

    from analysis.stats import poisson_interval

    if given.subtract is None or given.spread is None:
        return None
    count, due = float(given.counts[k]), given.subtract[k]
    limits = poisson_interval(count, 1.0, level=level)
    error = float(norm.ppf(0.5 + level / 2)) * given.spread[k]
    low = count - due - float(np.hypot(count - float(limits.low), error))
    high = count - due + float(np.hypot(float(limits.high) - count, error))
    return interval_of(low, high, level, EXCESS_METHOD)


def _selected(field: Field, by: str, where: str = "TRUE") -> Selection | None:
    """The failures or the postings of the last twelve months that meet a condition; None for what a model expects."""
    recent = f"{money.since(field)} AND {where}"
    if by == "cost":
        return money.posted(field, recent)
    return field.rows(recent) if by == "count" else None


def _cumulative(
    field: Field,
    by: str,
    dimension: str,
    given: Amounts,
    at: int,
    period: Period,
    place: dict[str, Any],
    held: tuple[float, float],
    method: str,
) -> Fact:
    """The running share of what lies above zero; of an excess, which is estimated, with what chance leaves of it."""
    positive = [k for k in given.order if given.amounts[k] > 0]
    down_to = [k for k in given.order[: at + 1] if given.amounts[k] > 0]
    running, total = given.total(down_to), given.total(positive)
    share = float(running) / float(total) if total else 0.0
    lineage, known = None, {}
    if by not in ("count", "cost"):
        limits = interval_of(min(share, held[0]), max(share, held[1]), field.inputs.confidence, method)
        known = _known(limits, given)
    if by in ("count", "cost") and total:
        above = _selected(field, by, is_value(dimension, *(given.values[k] for k in down_to)))
        others = [value for k, value in enumerate(given.values) if given.amounts[k] <= 0]
        whole = _selected(field, by, f"NOT ({is_value(dimension, *others)})" if others else "TRUE")
        assert above is not None and whole is not None
        value = field.inputs.engine.registry.measure(MEASURES[by]).value
        lineage = Rows(numerator=above.sql, value=value, denominator=whole.sql, of=value)
    return field.state.exact(
        "failure_share_cumulative",
        share,
        period=period,
        lineage=lineage,
        parts={"numerator": running, "denominator": total, **known},
        **place,
    )


def _distinct(field: Field, by: str, dimension: str, over: Period | None) -> Rows | None:
    """The failures whose values are ranked; None where values without any failure are ranked too."""
    if over is not None:
        return None
    where = "TRUE" if by == "past" else money.since(field)
    value = f"count(DISTINCT coalesce(CAST({dimension} AS VARCHAR), 'not_stated'))"
    return Rows(numerator=field.rows(where).sql, value=value)
