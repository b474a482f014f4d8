"""Failures above what a component's or a fault code's own past leads one to expect, for rankings by excess.

Along model, batch, supplier, plant and region the expected number comes from all other machines of the same product line and age. Along component and fault code
there is no such comparison, so each is compared with itself: its rate by product line and months in service in the whole years before the last twelve
months.
Ages that nobody had reached by then have no rate of their own. A part that wears out fails there more than at all ages before, so failures at
these ages are left out and counted as left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import MissingData
from analysis.failures.reporting import delay_of, share_by_month
from analysis.metrics.lineage import traced
from analysis.metrics.views import NOT_STATED, month_index
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

    from analysis.failures.field import Field

RECENT, YEAR = 12, 12
OWN_PAST = ("component", "fault_code")
RANKED_AT_MOST = 3000
COMPARABLE = 0.1
"""Unit-months at an age in the past, as a part of those of the last twelve months, from which the age has a rate of its own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Amounts(Summarised):
    """What is ranked: values of an attribute with their amounts and numbers of failures.

    spread : scatter of the cost of each value, or error of what is subtracted; subtract : expected failures, where the excess over them is ranked
    """

    values: Sequence[str]
    amounts: Sequence[Any]
    counts: Sequence[int]
    spread: Sequence[float] | None = None
    subtract: Sequence[float] | None = None

    @property
    def order(self) -> list[int]:
        """Positions, the largest amount first; ties by name."""
        # what nobody stated is no value that anything could be done about, however much it holds
        return sorted(
            range(len(self.values)),
            key=lambda k: (self.values[k] == NOT_STATED, -float(self.amounts[k]), self.values[k]),
        )

    def total(self, at: Sequence[int]) -> Any:
        """Sum of the amounts at these positions."""
        zero = Decimal(0) if isinstance(self.amounts[0], Decimal) else 0
        return sum((self.amounts[k] for k in at), zero)


@dataclass(frozen=True, kw_only=True, eq=False)
class Chance(Summarised):
    """What chance leaves: limits of each rank in order, of the share of all that lies above zero held down to it, and how many values make eighty percent with the limits of that."""

    ranks: list[tuple[int, int]]
    held: list[tuple[float, float]]
    vital: tuple[int, int, int]


@traced
def chance_of(given: Amounts, *, draws: int, seed: int, level: float) -> Chance:
    """Rankings simulated from Poisson counts; for costs the mean cost of each value is held and its own scatter added.

    Values are ranked by excess where ``subtract`` is given, of which only what is above zero makes the cumulative share.
    """
    limits = (0.5 - level / 2, 0.5 + level / 2)
    drawn = _drawn(given, given.order[:RANKED_AT_MOST], draws=draws, seed=seed)
    ranks = 1 + np.argsort(np.argsort(-drawn, axis=1, kind="stable"), axis=1, kind="stable")
    low, high = np.quantile(ranks, limits, axis=0, method="inverted_cdf")
    positive = np.array([max(float(given.amounts[k]), 0.0) for k in given.order])
    few = np.quantile(_makers(np.maximum(drawn, 0.0)), limits, method="inverted_cdf")
    return Chance(
        ranks=[(int(a), int(b)) for a, b in zip(low, high, strict=True)],
        held=_held(np.maximum(drawn, 0.0), limits),
        vital=(int(_makers(positive[None, :])[0]), int(few[0]), int(few[1])),
    )


def _drawn(given: Amounts, order: Sequence[int], *, draws: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    number = np.array([max(float(given.counts[k]), 0.0) for k in order])
    if given.subtract is not None:
        due = np.array([given.subtract[k] for k in order])
        above: np.ndarray = np.asarray(generator.poisson(number, (draws, len(order))) - due)
        return above + _scatter(given, order, generator, above.shape)
    each = np.array([float(given.amounts[k]) / max(float(given.counts[k]), 1.0) for k in order])
    drawn: np.ndarray = np.asarray(generator.poisson(number, (draws, len(order))) * each)
    return drawn + _scatter(given, order, generator, drawn.shape)


def _scatter(
    given: Amounts, order: Sequence[int], generator: np.random.Generator, shape: tuple[int, ...]
) -> np.ndarray | float:
    if given.spread is None:
        return 0.0
    return np.asarray(generator.standard_normal(shape) * np.array([given.spread[k] for k in order]))


def _held(amounts: np.ndarray, limits: tuple[float, float]) -> list[tuple[float, float]]:
    """Limits of the running share in the order as it was found."""
    running = np.cumsum(amounts, axis=1)
    shares = running / np.maximum(running[:, -1:], 1e-300)
    low, high = np.quantile(shares, limits, axis=0)
    return [(float(a), float(b)) for a, b in zip(low, high, strict=True)]


def _makers(amounts: np.ndarray) -> np.ndarray:
    """How many of the largest make eighty percent, by row."""
    ordered = np.sort(amounts, axis=1)[:, ::-1]
    reached = np.cumsum(ordered, axis=1) >= 0.8 * ordered.sum(axis=1, keepdims=True)
    return np.asarray(reached.argmax(axis=1) + 1)


@traced
def above_own_past(field: Field, dimension: str) -> pd.DataFrame:
    """One row per value of ``dimension``: ``failures`` of the last twelve months and those ``expected`` from its own past, by product line and months of age.

    The past is the one or two whole years before, so that seasons weigh alike. Expected failures are taken down to the share reported by now;
    their ``error`` comes from the counts of the past. ``left_out`` are failures at ages that the past had not reached.

    Raises
    ------
    MissingData
        Fewer than twelve months before the last twelve.
    """
    import pandas as pd

    years = min((len(field.months) - RECENT) // YEAR, 2)
    if years < 1:
        raise MissingData("tickets.opened_at (24 months)")
    months = [month_index(month) for month in field.months]
    recent, past = months[-RECENT:], months[-RECENT - years * YEAR : -RECENT]
    share = dict(
        zip(
            months,
            share_by_month(delay_of(field.delays, field.horizon), field.months, field.horizon),
            strict=True,
        )
    )
    counts = field.query(
        field.failures,
        select=f"SELECT product_line, month_no, age_months, coalesce({dimension}, 'not_stated') AS value, count(*) AS failures FROM failed GROUP BY ALL ORDER BY ALL",
    )
    size = int(field.by_age["age_months"].max()) + 1
    rows = []
    for line, held in field.by_line.groupby("product_line", sort=True):
        before = _by_age(held[held["month_no"].isin(past)], "unit_months", size)
        now = held[held["month_no"].isin(recent)]
        present = _by_age(now, "unit_months", size)
        due = _by_age(now.assign(weighted=now["unit_months"] * now["month_no"].map(share)), "weighted", size)
        known = (before > 0) & (before >= COMPARABLE * present)
        times = np.divide(due, before, out=np.zeros(size), where=known)
        for value, part in counts[counts["product_line"] == line].groupby("value", sort=True):
            earlier = _by_age(part[part["month_no"].isin(past)], "failures", size)
            failed = _by_age(part[part["month_no"].isin(recent)], "failures", size)
            rows.append(
                (
                    str(value),
                    int(failed[known].sum()),
                    float(times @ earlier),
                    float(times**2 @ earlier),
                    int(failed[~known].sum()),
                )
            )
    columns = ["value", "failures", "expected", "variance", "left_out"]
    found = pd.DataFrame(rows, columns=columns).groupby("value", as_index=False, sort=True).sum()
    return found.assign(error=np.sqrt(found["variance"])).drop(columns="variance")


@traced
def _by_age(frame: pd.DataFrame, value: str, size: int) -> np.ndarray:
    return np.bincount(
        frame["age_months"].to_numpy(dtype=int), weights=frame[value].to_numpy(dtype=float), minlength=size
    )
