"""What companies of templates plan and offer: a budget by category, offers to customers, marketing by channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from analysis.periods import months_between
from analysis.sample import columns
from analysis.sample.service import normal
from analysis.sample.streams import Floats, Identities, Ints, mark, pick
from analysis.sample.timeline import Timeline

FIXED = ("tools_systems", "telecom", "premises_equipment", "training_management", "indirect")


def first_year(
    timeline: Timeline, categories: Sequence[str], day: Ints, category: Ints, cents: Ints
) -> Floats:
    """Cents by category of the postings of the window's first year (or of what there is of it)."""
    early = timeline.window_month_of(day) < 12
    total: Floats = np.bincount(category[early], cents[early].astype(float), len(categories)).astype(
        np.float64
    )
    return total


def budget_table(
    timeline: Timeline, categories: Sequence[str], base: Floats, opened: Floats, noise: Floats
) -> pa.Table:
    """Planned cost by category to the end of the calendar year: the first year's (``base``), moved by planned tickets where it varies with them.

    ``noise``: by planned month, the share by which tickets (``opened``) are planned wrongly.
    """
    size = len(timeline.window_months)
    planned = planned_months(timeline)
    volume = np.bincount(timeline.window_month_of(opened), minlength=size).astype(float)
    expected = volume[np.minimum(np.arange(len(planned)), size - 1)] * (1.0 + noise)
    year = min(12, size)
    fixed = np.isin(categories, FIXED)
    per_month = np.where(fixed, base / year, 0.0)
    per_ticket = np.where(fixed, 0.0, base / max(float(volume[:year].sum()), 1.0))
    cents = np.round((per_month + expected[:, None] * per_ticket) / 10_000).astype(np.int64) * 10_000
    return columns.table(
        {
            "month": columns.date_column(np.repeat(planned, len(categories))),
            "category": columns.words(categories, np.tile(np.arange(len(categories)), planned.size)),
            "cost_center": columns.constant("all", cents.size),
            "amount": columns.money(cents.ravel()),
        }
    )


def planned_months(timeline: Timeline) -> np.ndarray:
    """First days of the months that a budget covers."""
    months = months_between(timeline.first, timeline.last.year_start + 11)
    return np.array([str(each.start) for each in months], dtype="datetime64[D]")


def opportunities_table(
    timeline: Timeline,
    identity: Identities,
    ids: pa.Array,
    *,
    customer: Ints,
    began: Ints,
    left: Floats,
    channel: pa.Array,
    stages: Sequence[str],
    days: tuple[float, float],
    won_share: float,
    amount: tuple[float, float],
    width: int,
) -> pa.Table:
    """Offers to customers while they are there, one an ``identity``.

    ``began``, ``left`` and ``channel`` are those of each offer's customer; ``days`` until it is closed: the least, and the mean beyond; ``stages``:
    four open ones, then won and lost; ``amount``: median in money and spread of its logarithm.
    """
    begin, stop = np.maximum(began, timeline.start), np.minimum(left, timeline.end)
    created = np.floor(begin + mark(identity, "created") * np.maximum(stop - begin, 0))
    closed = created + days[0] + np.floor(-days[1] * np.log1p(-mark(identity, "lasts")))
    still_open = closed >= timeline.end
    won = mark(identity, "won") < won_share
    stage = np.where(still_open, pick(mark(identity, "stage"), (1.0,) * 4), np.where(won, 4, 5))
    chosen = np.flatnonzero(stop > begin)
    chosen = chosen[np.lexsort((identity[chosen], created[chosen]))]
    cents = np.round(amount[0] * np.exp(amount[1] * normal(mark(identity, "amount")))).astype(np.int64) * 100
    return columns.table(
        {
            "opportunity_id": columns.labels("OP-", np.arange(1, chosen.size + 1), width),
            "customer_id": columns.take(ids, customer[chosen]),
            "channel": columns.take(channel, chosen),
            "created_on": columns.date_column(timeline.dates(created[chosen])),
            "stage": columns.words(stages, stage[chosen]),
            "closed_on": columns.date_column(timeline.dates(np.where(still_open, np.nan, closed)[chosen])),
            "won": columns.flags(won[chosen], ~still_open[chosen]),
            "amount": columns.money(cents[chosen]),
        }
    )


def marketing_table(
    timeline: Timeline, channels: Sequence[str], monthly: Sequence[float], random: np.random.Generator
) -> pa.Table:
    """Money a month and channel, a little more or less each month."""
    months = len(timeline.window_months)
    noise = random.standard_normal((months, len(monthly)))
    money = np.round(np.asarray(monthly) * np.exp(0.08 * noise)).astype(np.int64)
    first_days = timeline.dates(timeline.edges[timeline.window : -1])
    return columns.table(
        {
            "month": columns.date_column(np.repeat(first_days, len(monthly))),
            "channel": columns.words(channels, np.tile(np.arange(len(monthly)), months)),
            "amount": columns.money(money.ravel() * 100),
        }
    )
