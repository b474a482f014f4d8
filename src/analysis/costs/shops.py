"""Shops and platforms side by side: what a difference between two rates is worth beyond chance, where customers and days hang together.

A buyer who writes five times is not five buyers, and late answers come on bad days. Counts are therefore divided by the design effect of
their clusters before any interval or test; where every cluster holds one case the effect is one and the textbook's intervals stand.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.results import Interval
from analysis.stats.intervals import poisson_interval, proportion_interval, rate_ratio_p_value
from analysis.stats.multiplicity import adjust_p_values
from analysis.summaries import Summarised

Kind = Literal["rate", "share"]


@dataclass(frozen=True, kw_only=True)
class ClusterSums(Summarised):
    """Hits and bases summed over clusters, with their squares and products.

    Parameters
    ----------
    kind : a ``rate`` counts events on a base (tickets on orders) and may exceed one; a ``share`` counts those among the base
    hits, base : the two counts
    hits_squared, products, base_squared : sums over clusters of hits², hits × base and base²
    at_least : the design effect of all parts together (:func:`common_design_effect`); a small part of few clusters does not know its own
    """

    kind: Kind
    hits: float = 0.0
    base: float = 0.0
    hits_squared: float = 0.0
    products: float = 0.0
    base_squared: float = 0.0
    at_least: float = 1.0

    @property
    def spread(self) -> tuple[float, float]:
        """The squared departures of clusters from the part's own rate, and what they would be of independent cases."""
        if not self.hits or not self.base:
            return 0.0, 0.0
        rate = self.hits / self.base
        squares = self.hits_squared - 2 * rate * self.products + rate**2 * self.base_squared
        return squares, self.hits * (1.0 if self.kind == "rate" else 1 - rate)

    @property
    def design_effect(self) -> float:
        """How many times as wide as of independent cases the variance is; never below one.

        Variance of the ratio estimator over clusters (Cochran 1977, section 6.3) over that of a Poisson count or a binomial share.
        """
        squares, alone = self.spread
        # a share of all has no spread of its own to be multiplied
        return max(1.0, self.at_least, squares / alone if alone > 0 else 1.0)

    @property
    def worth(self) -> tuple[float, float]:
        """Hits and base as independent cases that say as much (Rao and Scott 1992, *Biometrics* 48, 577-585)."""
        return self.hits / self.design_effect, self.base / self.design_effect

    def interval(self, *, level: float, per: int = 1) -> Interval:
        """Garwood's interval of a rate, Wilson's of a share, at the counts' worth; per ``per`` of the base."""
        hits, base = self.worth
        if self.kind == "rate":
            found = poisson_interval(hits, base / per, level=level)
        else:
            found = proportion_interval(hits, base, method="wilson", level=level)
        clustered = ", counts divided by the design effect of clusters" if self.design_effect > 1 else ""
        return Interval(
            low=float(found.low), high=float(found.high), level=level, method=f"{found.method}{clustered}"
        )


@dataclass(frozen=True, kw_only=True)
class Gap(Summarised):
    """A rate less the same rate of the others: its interval, and how likely a gap as wide is by chance."""

    interval: Interval
    p_value: float


def common_design_effect(parts: Iterable[ClusterSums]) -> float:
    """The design effect within parts, over all of them; where they differ in their rates that is no part of it."""
    squares, alone = (sum(side) for side in zip((0.0, 0.0), *(part.spread for part in parts), strict=True))
    return max(1.0, squares / alone) if alone > 0 else 1.0


def gap_between(own: ClusterSums, others: ClusterSums, *, level: float, per: int = 1) -> Gap | None:
    """One part against all others together; None where either has no base.

    The interval squares and adds the reaches of the two intervals: Newcombe (1998), method 10, for shares; Zou and Donner (2008), *Statistics
    in Medicine* 27, 1693-1702, for rates. The p-value is exact given the total: Fisher's test, or Przyborowski and Wilenski's.
    """
    if not own.base or not others.base:
        return None
    first, second = (one.interval(level=level, per=per) for one in (own, others))
    here, there = (one.hits / one.base * per for one in (own, others))
    low = here - there - np.hypot(here - first.low, second.high - there)
    high = here - there + np.hypot(first.high - here, there - second.low)
    name = "Newcombe hybrid score" if own.kind == "share" else "square and add of two Garwood intervals"
    clustered = ", clustered" if max(own.design_effect, others.design_effect) > 1 else ""
    limits = Interval(low=float(low), high=float(high), level=level, method=f"{name}{clustered}")
    return Gap(interval=limits, p_value=_chance(own, others))


def _chance(own: ClusterSums, others: ClusterSums) -> float:
    (hits, base), (their_hits, their_base) = own.worth, others.worth
    if own.kind == "rate":
        return float(rate_ratio_p_value(hits, base, their_hits, their_base))
    from scipy.stats import fisher_exact

    counts = [[hits, base - hits], [their_hits, their_base - their_hits]]
    return float(fisher_exact(np.round(counts).astype(np.int64)).pvalue)


def adjusted(p_values: Mapping[Hashable, float]) -> dict[Hashable, float]:
    """p-values that hold for all comparisons together (Holm 1979, under any dependence)."""
    found = adjust_p_values(list(p_values.values()), method="holm") if p_values else ()
    return dict(zip(p_values, map(float, found), strict=True))
