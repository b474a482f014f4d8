"""Rates of whole years: a steady rise or fall that no month shows, and that the other groups do not share.

The last twelve months are held against the twelve before and against the first twelve of the history, each as a whole year, so that no season
is in it. A change counts where the group's own rate moved and where it moved beside the others too: both tests must reject (an
intersection-union test, Berger 1982, *Technometrics* 24, 295-300), and that over all groups, kinds and comparisons together (Holm 1979).
What a surge brought in some months is told as one and taken out before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtri, ndtr, ndtri, stdtr, stdtrit

from analysis.costs.scan import YEAR, Field, Floats, fitted
from analysis.metrics import traced
from analysis.stats.multiplicity import adjust_p_values
from analysis.summaries import Summarised

LEAST_EVENTS = 30  # of each year, own and others'


@dataclass(frozen=True, kw_only=True)
class YearChange(Summarised):
    """One kind and group: a year against an earlier one.

    Attributes
    ----------
    kind, group : of what, and whose.
    back : months from the last year back to the earlier one.
    events, before : events of both years; base, base_before : what they are of.
    ratio, low, high : own rate over the earlier one, with limits.
    beside : the same ratio over that of the others.
    p_value : of the weaker of the two tests, adjusted over all.
    """

    kind: str
    group: str
    back: int
    events: float
    before: float
    base: float
    base_before: float
    ratio: float
    low: float
    high: float
    beside: float
    p_value: float

    @property
    def more(self) -> tuple[float, float, float]:
        """Events of the last year beyond those at the earlier rate, with the limits of the ratio; below zero: fewer."""
        more, least, most = (self.events * (1 - 1 / each) for each in (self.ratio, self.low, self.high))
        return more, least, most


@traced
def year_changes(
    fields: Mapping[str, Field], *, level: float, confidence: float
) -> tuple[tuple[YearChange, ...], int]:
    """Changes of a group's yearly rate beyond chance and beside the others; of a group the comparison further back first; and how many were tested.

    Parameters
    ----------
    fields : by kind, events and base by month; at least 24 months
    level : chance that any change is named although nothing moved
    confidence : coverage of each interval
    """
    tested = [change for kind, field in fields.items() for change in _of_kind(kind, field, confidence)]
    if not tested:
        return (), 0
    chances = adjust_p_values([one.p_value for one in tested], method="holm")
    named: dict[tuple[str, str], YearChange] = {}
    for one, chance in zip(tested, chances, strict=True):
        if chance <= level:
            named[one.kind, one.group] = replace(one, p_value=float(chance))
    return tuple(sorted(named.values(), key=lambda one: one.p_value)), len(tested)


def _backs(months: int) -> list[int]:
    """How far back the earlier years lie: the year before, and the first whole one."""
    first = months - YEAR
    return sorted({back for back in (YEAR, first) if YEAR <= back <= months - YEAR})


@dataclass(frozen=True, kw_only=True)
class _Moved:
    """A logarithm of a ratio with its error as of plain counts, and how much more than counts the months spread around it."""

    log_ratio: float
    error: float
    spread: float
    freedom: int

    def widened(self, pooled: float) -> tuple[float, _Tail]:
        """The error with the spread of the kind, or with the group's own where that is clearly larger (its chi-square limit at one in a hundred)."""
        own = self.spread > pooled * chdtri(self.freedom, 0.01) / self.freedom
        spread = self.spread if own else pooled
        return self.error * float(np.sqrt(spread)), _Tail(freedom=self.freedom if own else None)


@dataclass(frozen=True, kw_only=True)
class _Tail:
    """t where the spread is the group's own, normal where it is that of all groups of a kind."""

    freedom: int | None

    def chance(self, ratio: float) -> float:
        """Two-sided."""
        return 2 * float(ndtr(-abs(ratio)) if self.freedom is None else stdtr(self.freedom, -abs(ratio)))

    def reach(self, confidence: float) -> float:
        """How many standard errors an interval reaches to either side."""
        tail = (1 + confidence) / 2
        return float(ndtri(tail) if self.freedom is None else stdtrit(self.freedom, tail))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Years:
    """Two years of a group beside the others: events and base of each, the later first."""

    group: str
    back: int
    own: tuple[Floats, Floats]
    base: tuple[Floats, Floats]
    moved: _Moved
    beside: _Moved


def _of_kind(kind: str, field: Field, confidence: float) -> list[YearChange]:
    """Every group of a kind at every distance; the spread of their months is one, because a single group has too few to know it."""
    years = [
        found
        for group in field.groups
        for back in _backs(len(field.events))
        if (found := _years(field, group, back)) is not None
    ]
    if not years:
        return []
    pooled = [
        max(1.0, sum(one.spread * one.freedom for one in some) / sum(one.freedom for one in some))
        for some in ([one.moved for one in years], [one.beside for one in years])
    ]
    return [_change(kind, one, pooled, confidence) for one in years]


def _years(field: Field, group: str, back: int) -> _Years | None:
    """None where a year has too few events, own or others', or a month without a base."""
    count, mine = len(field.events), field.groups[group]
    parts = slice(count - YEAR, count), slice(count - YEAR - back, count - back)
    own, base = (table[:, mine].sum(axis=1) for table in (field.events, field.base))
    rest, others = (table[:, ~mine].sum(axis=1) for table in (field.events, field.base))
    for part in parts:
        if min(own[part].sum(), rest[part].sum()) < LEAST_EVENTS:
            return None
        if not ((base[part] > 0) & (others[part] > 0)).all():
            return None
    beside = _beside([(own[part], base[part], rest[part], others[part]) for part in parts])
    if beside is None:
        return None
    now, then = parts
    return _Years(
        group=group,
        back=back,
        own=(own[now], own[then]),
        base=(base[now], base[then]),
        moved=_own((own[now], base[now]), (own[then], base[then])),
        beside=beside,
    )


def _change(kind: str, years: _Years, pooled: list[float], confidence: float) -> YearChange:
    (error, tail), (error_beside, tail_beside) = (
        years.moved.widened(pooled[0]),
        years.beside.widened(pooled[1]),
    )
    log_ratio, beside = years.moved.log_ratio, years.beside.log_ratio
    chances = tail.chance(log_ratio / error), tail_beside.chance(beside / error_beside)
    reach = tail.reach(confidence) * error
    return YearChange(
        kind=kind,
        group=years.group,
        back=years.back,
        events=float(years.own[0].sum()),
        before=float(years.own[1].sum()),
        base=float(years.base[0].sum()),
        base_before=float(years.base[1].sum()),
        ratio=float(np.exp(log_ratio)),
        low=float(np.exp(log_ratio - reach)),
        high=float(np.exp(log_ratio + reach)),
        beside=float(np.exp(beside)),
        p_value=min(max(chances), 1.0) if (log_ratio > 0) == (beside > 0) else 1.0,
    )


def _own(now: tuple[Floats, Floats], then: tuple[Floats, Floats]) -> _Moved:
    """The ratio of two yearly rates; months of one name share a season, what is left of their differences is spread."""
    (own, base), (own_then, base_then) = now, then
    log_ratio = float(np.log(own.sum() / base.sum()) - np.log(own_then.sum() / base_then.sum()))
    weight = base * np.exp(log_ratio)
    usual = (own + own_then) / (weight + base_then)
    squares = 0.0
    for seen, expected in ((own, weight * usual), (own_then, base_then * usual)):
        at = expected > 0
        squares += float(((seen - expected)[at] ** 2 / expected[at]).sum())
    error = float(np.sqrt(1 / own.sum() + 1 / own_then.sum()))
    return _Moved(log_ratio=log_ratio, error=error, spread=squares / (YEAR - 1), freedom=YEAR - 1)


def _beside(years: list[tuple[Floats, Floats, Floats, Floats]]) -> _Moved | None:
    """The group's ratio over that of the others, by logistic regression on the months' totals; None where it cannot be fitted."""
    own, base, rest, others = (np.concatenate(parts) for parts in zip(*reversed(years), strict=True))
    angle = 2 * np.pi * np.arange(2 * YEAR) / YEAR
    design = np.column_stack([np.ones(2 * YEAR), np.sin(angle), np.cos(angle), np.repeat([0.0, 1.0], YEAR)])
    total = own + rest
    found = fitted(own, total, np.log(base / others), design)
    if found is None:
        return None
    beta, share, inverse = found
    weight = total * share * (1 - share)
    at, freedom = weight > 0, 2 * YEAR - design.shape[1]
    squares = float(((own - total * share)[at] ** 2 / weight[at]).sum())
    return _Moved(
        log_ratio=float(beta[-1]),
        error=float(np.sqrt(inverse[-1, -1])),
        spread=squares / freedom,
        freedom=freedom,
    )
