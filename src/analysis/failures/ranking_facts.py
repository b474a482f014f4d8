"""Rankings as facts: each attribute by count, by cost and by failures above those expected, with the ranks that chance leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from analysis.failures import money, ranking
from analysis.failures.field import Field
from analysis.failures.limits import interval_of
from analysis.failures.localising import Cells
from analysis.failures.ranking import Amounts
from analysis.failures.views import is_value
from analysis.locale import Text
from analysis.metrics import NotDone, Period, traced
from analysis.results import Fact, Rows
from analysis.summaries import Summarised

RANKED = ("component", "fault_code", "model", "batch", "supplier", "plant", "region")
PARETO_LINES = 15
METHOD = "simulated rankings"
METRICS = {"count": "failure_count", "cost": "failure_cost", "excess": "excess_failures"}


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
    """A Pareto ranking: its first lines, and how many values make up eighty percent (with the interval that chance leaves)."""

    dimension: str
    by: str
    lines: tuple[ParetoLine, ...]
    values: Fact
    vital: Fact


@traced
def rankings(
    field: Field,
    cells: Cells,
    costs: object | NotDone,
    own_past: Mapping[str, pd.DataFrame | NotDone],
    *,
    seed: int,
) -> dict[tuple[str, str], Ranking]:
    """Each attribute by count, by cost (where there is a ledger) and by failures above those expected; none where nothing failed."""
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
            found[dimension, "excess"] = ranked(field, "excess", dimension, _excess(past), seed=seed)
        elif dimension in cells.frame.columns and cells.frame[dimension].nunique() > 1:
            found[dimension, "excess"] = ranked(
                field, "excess", dimension, _excess(_summed(cells, dimension)), seed=seed, over=field.window
            )
    return found


@traced
def _summed(cells: Cells, dimension: str) -> pd.DataFrame:
    """Failures and expected failures by ``value`` of one attribute."""
    sums = cells.frame.groupby(dimension, sort=True)[["failures", "expected"]].sum()
    return sums.rename_axis("value").reset_index()


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
    )


@traced
def ranked(
    field: Field, by: str, dimension: str, given: Amounts, *, seed: int, over: Period | None = None
) -> Ranking:
    """One ranking: its lines, its ranks with what chance leaves of them, and the values that make eighty percent."""
    metric, period, level = METRICS[by], over or field.year, field.inputs.confidence
    state, order = field.state, given.order
    chance = ranking.chance_of(
        given, draws=int(field.assumed("failure_ranking_draws")), seed=seed, level=level
    )
    lines: list[ParetoLine] = []
    for at, k in enumerate(order[:PARETO_LINES]):
        place: dict[str, Any] = {dimension: given.values[k]}
        fact = state.exact(
            metric,
            given.amounts[k],
            period=period,
            parts={"n": given.counts[k]},
            lineage=_rows(field, by, is_value(dimension, given.values[k])),
            **place,
        )
        place["of"] = metric
        low, high = chance.ranks[at]
        rank = state.derived(
            "failure_rank",
            *(line.fact for line in lines),
            fact,
            period=period,
            parts={"n": given.counts[k], "interval": interval_of(low, high, level, METHOD)},
            **place,
        )
        lines.append(
            ParetoLine(
                name=field.label(dimension, given.values[k]),
                fact=fact,
                cumulative=_cumulative(field, by, dimension, given, at, period, place),
                rank=rank,
                settled=bool(low == high),
            )
        )
    few, few_low, few_high = chance.vital
    limits = interval_of(min(few, few_low), max(few, few_high), level, METHOD)
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
        vital=state.exact(
            "vital_few",
            few,
            period=period,
            parts={"interval": limits if len(order) <= ranking.RANKED_AT_MOST else None},
            **about,
        ),
    )


def _rows(field: Field, by: str, where: str = "TRUE") -> Rows | None:
    """The failures or the postings of the last twelve months that meet a condition; None for what a model expects."""
    recent = f"{money.since(field)} AND {where}"
    if by == "cost":
        return Rows(numerator=money.posted(field, recent), value=money.TOTAL)
    return Rows(numerator=field.rows(recent)) if by == "count" else None


def _cumulative(
    field: Field, by: str, dimension: str, given: Amounts, at: int, period: Period, place: dict[str, Any]
) -> Fact:
    """The running share of what lies above zero."""
    positive = [k for k in given.order if given.amounts[k] > 0]
    down_to = [k for k in given.order[: at + 1] if given.amounts[k] > 0]
    running, total = given.total(down_to), given.total(positive)
    lineage = None
    if by != "excess" and total:
        above = _rows(field, by, is_value(dimension, *(given.values[k] for k in down_to)))
        others = [value for k, value in enumerate(given.values) if given.amounts[k] <= 0]
        whole = _rows(field, by, f"NOT ({is_value(dimension, *others)})" if others else "TRUE")
        assert above is not None and whole is not None
        lineage = Rows(
            numerator=above.numerator, value=above.value, denominator=whole.numerator, of=whole.value
        )
    return field.state.exact(
        "failure_share_cumulative",
        float(running) / float(total) if total else 0.0,
        period=period,
        lineage=lineage,
        parts={"numerator": running, "denominator": total},
        **place,
    )


def _distinct(field: Field, by: str, dimension: str, over: Period | None) -> Rows | None:
    """The failures whose values are ranked; None where values without any failure are ranked too."""
    if over is not None:
        return None
    where = "TRUE" if by == "excess" else money.since(field)
    value = f"count(DISTINCT coalesce(CAST({dimension} AS VARCHAR), 'not_stated'))"
    return Rows(numerator=field.rows(where), value=value)
