"""What comes back: the work of one group held against the same work of all others, kind by kind.

Cases are compared within strata (the same kind of work in the same span), so a group that is given the harder work does not look worse for it.
Given how many cases of a stratum came back in all, each of them was the group's with a chance that depends on its share of the cases and on how
many times as often its work comes back: their sum is Poisson-binomial, and test and limits are exact without a model of the strata.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from analysis.metrics import traced
from analysis.results import Interval
from analysis.stats.multiplicity import adjust_p_values
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
METHOD = "exact, conditional on what came back in each stratum"
LEAST_EXPECTED = 5.0  # what a group with fewer expected cases, or others with fewer, cannot show is not asked
WIDEST = float(np.log(1e6))  # limits of a ratio are looked for up to a million times
NOTHING = 45.0
FLOOR = 1e-15  # what the sum of so many terms can tell from zero


@dataclass(frozen=True, kw_only=True)
class Standardised(Summarised):
    """The cases of a group that came back, against the rate of all others at the same work.

    Attributes
    ----------
    cases, hits : of the group, in strata where both it and others have cases.
    expected : hits at the rate of the others.
    ratio : hits ÷ expected; not a number where nothing came back.
    interval : of the ratio; None where nothing bounds it.
    p_value : one-sided, that so many or more come back where the group is like the others.
    distance : hits beyond those at par, in standard deviations; it still tells apart what is surer than a p-value can say.
    """

    cases: int
    hits: int
    expected: float
    ratio: float
    interval: Interval | None
    p_value: float
    distance: float


@dataclass(frozen=True, kw_only=True)
class Cell(Summarised):
    """A group, of all its work or of one kind of it, and what came back."""

    way: str
    dimension: str
    value: str
    kind: str = ""
    found: Standardised
    p_adjusted: float = 1.0

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.way, self.dimension, self.value, self.kind


@dataclass(frozen=True, eq=False)
class _Strata:
    """Hits and cases by stratum, of a group and of all others; only strata that tell the two apart."""

    hits: Floats
    cases: Floats
    other_hits: Floats
    other_cases: Floats

    @classmethod
    def telling(cls, *counts: ArrayLike) -> _Strata:
        hits, cases, other_hits, other_cases = (np.asarray(each, dtype=float) for each in counts)
        both = (cases > 0) & (other_cases > 0)
        return cls(hits[both], cases[both], other_hits[both], other_cases[both])

    @property
    def total(self) -> Floats:
        return self.hits + self.other_hits

    def chances(self, log_ratio: float) -> Floats:
        """The chance of each stratum that a case that came back was the group's."""
        weight = np.exp(log_ratio) * self.cases
        return np.asarray(weight / (weight + self.other_cases))

    def mean(self, log_ratio: float) -> float:
        return float(self.total @ self.chances(log_ratio))

    def deviation(self, log_ratio: float) -> float:
        chances = self.chances(log_ratio)
        return float(np.sqrt(self.total @ (chances * (1 - chances))))

    def density(self, log_ratio: float) -> Floats:
        """Chances of 0, 1, 2 … of the cases that came back being the group's, by the discrete Fourier transform (Hong 2013)."""
        size = int(self.total.sum()) + 1
        some = self.total > 0
        total, chances = self.total[some], self.chances(log_ratio)[some]
        angles = 2 * np.pi * np.arange(size // 2 + 1) / size
        # beyond these angles the transform is below exp(-NOTHING) and adds nothing to any chance
        kept = angles[float(total @ (chances * (1 - chances))) * (1 - np.cos(angles)) <= NOTHING]
        turns, logs = np.exp(-1j * kept), np.zeros(kept.size, dtype=complex)
        for count, chance in zip(total, chances, strict=True):
            logs += count * np.log(1 - chance + chance * turns)
        transform = np.concatenate([np.exp(logs), np.zeros(angles.size - kept.size)])
        return np.asarray(np.clip(np.fft.irfft(transform, n=size), 0.0, 1.0))

    def tails(self, log_ratio: float) -> tuple[float, float]:
        """The chances of so few and of so many, both with what was seen."""
        density, seen = self.density(log_ratio), int(self.hits.sum())
        return float(density[: seen + 1].sum()), float(density[seen:].sum())


@traced
def against_others(
    hits: ArrayLike,
    cases: ArrayLike,
    other_hits: ArrayLike,
    other_cases: ArrayLike,
    *,
    level: float,
    spread: float = 1.0,
    limits: bool = True,
) -> Standardised:
    """How many times as often the work of a group comes back as the same work of all others.

    Parameters
    ----------
    hits, cases : (strata,) counts of the group
    other_hits, other_cases : (strata,) counts of all others
    level : coverage of the interval
    spread : variance of the counts against independent cases (design effect of customers), one or more
    limits : whether the interval is asked for

    Notes
    -----
    One ratio over all strata, estimated and bounded given the hits of each stratum (Breslow and Day 1987, *Statistical Methods in Cancer Research* II,
    section 3.6; Martin and Austin 1996, *Epidemiology* 7, 29-33). Counts are taken as Poisson within strata, which is too wide where much comes back.
    With ``spread`` above one, the logarithm's distance to each limit is multiplied, and the normal quantile of the p-value divided, by its root
    (quasi-likelihood: McCullagh and Nelder 1989, section 4.5).

    Examples
    --------
    One stratum, 18 of 100 against 6 of 100: each of 24 was the group's with a chance of one half.

    >>> from analysis.costs.comebacks import against_others
    >>> found = against_others([18], [100], [6], [100], level=0.95)
    >>> round(found.ratio, 6), round(found.expected, 6), round(found.p_value, 4)
    (3.0, 6.0, 0.0113)
    """
    strata = _Strata.telling(hits, cases, other_hits, other_cases)
    seen, total = float(strata.hits.sum()), float(strata.total.sum())
    log_ratio = (
        float(brentq(lambda at: strata.mean(at) - seen, -WIDEST, WIDEST, xtol=1e-9))
        if 0 < seen < total
        else None
    )
    at_par = float(strata.cases @ (strata.other_hits / strata.other_cases))
    expected = at_par if log_ratio is None else seen / float(np.exp(log_ratio))
    chance = strata.tails(0.0)[1] if total else 1.0
    wide = float(np.sqrt(max(spread, 1.0)))
    return Standardised(
        cases=int(strata.cases.sum()),
        hits=int(seen),
        expected=expected,
        ratio=float("nan") if log_ratio is None else float(np.exp(log_ratio)),
        interval=None if log_ratio is None or not limits else _limits(strata, log_ratio, level, wide),
        p_value=float(ndtr(ndtri(min(max(chance, FLOOR), 1.0)) / wide)),
        distance=(seen - strata.mean(0.0)) / max(strata.deviation(0.0), FLOOR) / wide,
    )


def _where(left: Callable[[float], float], start: float, step: float) -> float:
    """Where a chance that falls with the distance from the start has fallen to what the level leaves, to a hundred thousandth of a log ratio."""
    end = start + step
    while left(end) > 0 and abs(end) < WIDEST:
        end += step
    return float(brentq(left, start, end, xtol=1e-5)) if left(end) <= 0 else end


def _limits(strata: _Strata, log_ratio: float, level: float, wide: float) -> Interval | None:
    """Both limits, each where what was seen is as far out as half of what the level leaves."""
    rest = (1 - level) / 2
    step = 4 / strata.deviation(log_ratio)
    low = _where(lambda at: strata.tails(at)[1] - rest, log_ratio, -step)
    high = _where(lambda at: strata.tails(at)[0] - rest, log_ratio, step)
    low, high = (float(np.exp(log_ratio + wide * (end - log_ratio))) for end in (low, high))
    method = METHOD if wide == 1 else f"{METHOD}, widened by the design effect of customers"
    return Interval(low=low, high=high, level=level, method=method)


# -- the search ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Way(Summarised):
    """One way of coming back.

    Attributes
    ----------
    name : of the way
    table : a row per combination of ``stratum``, ``kind`` and the groups' columns, with ``cases`` and ``hits``
    spread : design effect of customers
    """

    name: str
    table: pd.DataFrame
    spread: float = 1.0


@dataclass(frozen=True, eq=False)
class _Side:
    own: NDArray[np.bool_]
    others: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Comebacks(Summarised):
    """Every cell that was asked, and the few that are to be named, the surest first."""

    cells: tuple[Cell, ...]
    named: tuple[Cell, ...]


@traced
def search(
    ways: Sequence[Way],
    *,
    groups: Sequence[str],
    level: float,
    confidence: float,
    least_difference: float,
    most: int,
) -> Comebacks:
    """Groups whose work comes back more often than the same work of all others, over all ways together.

    Parameters
    ----------
    ways : what came back, by way
    groups : columns that tell groups apart, those that name a cause most closely first
    level : chance that any cell is named without cause (Holm 1979, under any dependence)
    confidence : coverage of each interval
    least_difference : share of cases below which (not at which) a cell is not named
    most : cells that are named at most

    Notes
    -----
    A group is asked over all its work and kind by kind. Of cells that hold the same cases the surest is named; the others are asked again without its
    cases, on both sides, and kept only where they still stand out: what is told once is not told again.
    """
    asked = [(way, cell) for way in ways for cell in _cells(way, groups, confidence)]
    adjusted = adjust_p_values([cell.found.p_value for _, cell in asked], method="holm") if asked else ()
    cells = [
        (way, replace(cell, p_adjusted=float(chance)))
        for (way, cell), chance in zip(asked, adjusted, strict=True)
    ]
    order = {name: place for place, name in enumerate(groups)}
    standing = sorted(
        (
            (way, cell)
            for way, cell in cells
            if cell.p_adjusted < level and _matters(cell.found, least_difference)
        ),
        key=lambda one: (-one[1].found.distance, order[one[1].dimension], one[1].kind != "", one[1].key),
    )
    named = _once(standing, level=level / max(len(cells), 1), confidence=confidence)
    return Comebacks(cells=tuple(cell for _, cell in cells), named=tuple(named[:most]))


def _matters(found: Standardised, least: float) -> bool:
    return found.cases > 0 and (found.hits - found.expected) / found.cases >= least


def _cells(way: Way, groups: Sequence[str], confidence: float) -> Iterator[Cell]:
    """Every group of a way, of all its work and by kind; where a group does one kind only the two are one."""
    table = way.table
    for dimension in groups:
        for value in sorted(table[dimension].dropna().unique()):
            kinds = sorted(table.loc[table[dimension] == value, "kind"].unique())
            for kind in ("", *(kinds if len(kinds) > 1 else ())):
                side = _sides(table, dimension, value, kind)
                if _asked(table, side):
                    found = _compared(way, side, confidence=confidence, limits=not kind)
                    yield Cell(way=way.name, dimension=dimension, value=str(value), kind=kind, found=found)


def _sides(table: pd.DataFrame, dimension: str, value: Hashable, kind: str) -> _Side:
    """The rows of a group and those of the others whose group is known."""
    same = (table["kind"] == kind).to_numpy() if kind else np.ones(len(table), dtype=bool)
    own = (table[dimension] == value).to_numpy() & same
    return _Side(own, table[dimension].notna().to_numpy() & ~own & same)


def _strata(table: pd.DataFrame, side: _Side) -> _Strata:
    place = table["stratum"].to_numpy()
    size = int(place.max()) + 1 if len(place) else 0

    def counted(name: str, chosen: NDArray[np.bool_]) -> Floats:
        return np.asarray(
            np.bincount(place[chosen], weights=table[name].to_numpy(float)[chosen], minlength=size)
        )

    return _Strata.telling(
        counted("hits", side.own),
        counted("cases", side.own),
        counted("hits", side.others),
        counted("cases", side.others),
    )


def _asked(table: pd.DataFrame, side: _Side) -> bool:
    """Whether both sides could show anything, by the margins alone: a choice that does not look at who came back."""
    strata = _strata(table, side)
    at_par = strata.mean(0.0)
    return min(at_par, float(strata.total.sum()) - at_par) >= LEAST_EXPECTED


def _compared(way: Way, side: _Side, *, confidence: float, limits: bool = True) -> Standardised:
    strata = _strata(way.table, side)
    return against_others(
        strata.hits,
        strata.cases,
        strata.other_hits,
        strata.other_cases,
        level=confidence,
        spread=way.spread,
        limits=limits,
    )


def _once(standing: Sequence[tuple[Way, Cell]], *, level: float, confidence: float) -> list[Cell]:
    """The cells that stand out by themselves, the surest first; ``level`` is that of one cell among all that were asked."""
    named: list[Cell] = []
    told: dict[str, NDArray[np.bool_]] = {}
    for way, cell in standing:
        side = _sides(way.table, cell.dimension, cell.value, cell.kind)
        known = told.setdefault(way.name, np.zeros(len(way.table), dtype=bool))
        left = _Side(side.own & ~known, side.others & ~known)
        if known.any() and (
            not _asked(way.table, left)
            or _compared(way, left, confidence=confidence, limits=False).p_value >= level
        ):
            continue
        told[way.name] = known | side.own
        named.append(replace(cell, found=_compared(way, side, confidence=confidence)))
    return named


def by_kind(way: Way, cell: Cell) -> pd.DataFrame:
    """The evidence of a cell: cases and what came back by kind of work, of the group and of the others."""
    side = _sides(way.table, cell.dimension, cell.value, cell.kind)
    parts: Mapping[str, pd.DataFrame] = {
        name: way.table[chosen].groupby("kind")[["cases", "hits"]].sum().add_prefix(prefix)
        for name, prefix, chosen in (("own", "", side.own), ("others", "others_", side.others))
    }
    table = parts["own"].join(parts["others"], how="inner")
    return pd.DataFrame(table.reset_index().sort_values("kind", ignore_index=True))
