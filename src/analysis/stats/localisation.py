"""Which combination of attributes explains an excess: search, parsimony, and a bound on false findings.

Every candidate is a conjunction of attribute values (for ordered attributes also "from this value on"), that
is a set of cells. Causes multiply the expected value of their cells. The search adds, swaps, splits, merges
and drops candidates while the log-likelihood, less a price for having looked at so many candidates, rises.

Our own: the published methods exist as slow scripts of their authors only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, gammainc, gammaincc, ndtr, ndtri, xlogy

from analysis.errors import ParameterError, suggestion
from analysis.stats.arguments import in_words
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]
Noise = Literal["poisson", "relative", "two_counts"]
Direction = Literal["excess", "deficit", "both"]

_DENSE_LIMIT = 4_000_000
_NOTHING_LEFT = 1e-6
"""Factor of a cause that took everything: a factor of zero could never be moved again."""
_EVERYTHING = 1e9
"""Factor of a cause outside which nothing was counted."""
_SETTLED = 3
_ALL_OF_IT = 1e-9
"""Part of a level's expectation outside a candidate below which it holds all of it: there is nothing to compare it with."""
"""Turns of a fit after which the size of a piece is kept."""
_UNTOUCHED = 0.25
"""Part of a cause's effect below which the rest of it counts as not affected."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Localisation(Summarised):
    """What was found.

    Attributes
    ----------
    causes : one row per cause, the one with most evidence first: `cause` (text), `attributes` (dict), `depth`,
        `cells`, `actual`, `expected` (at the baseline and with the other causes as fitted), `rate_ratio` (as counted), `low`,
        `high`, `rate_ratio_corrected` (for having been selected; it lies between `low` and `high`), `excess`, `share_explained` (of the net excess over all cells),
        `gain` (log-likelihood lost without it), `p_familywise`, `q_value`, `confounded_with` (causes that the data cannot tell from it).
    tests : candidates looked at, the number the error rate pays for.
    baseline : fitted factor on the expected values outside all causes.
    noise : standard deviation of a cell's ratio for relative noise, else the dispersion of the counts.
    familywise, level : as asked for.
    cells_of_cause : (cells,) flags for each cause.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> cells = pd.DataFrame({"model": ["X", "X", "Y", "Y"], "region": ["North", "South", "North", "South"]})
    >>> print(stats.localise([10, 12, 9, 11], [10, 10, 10, 10], cells))
    no root cause found among 8 candidates at a familywise error of 5%
    """

    causes: pd.DataFrame
    tests: int
    baseline: float
    noise: float
    familywise: float
    level: float
    cells_of_cause: tuple[Flags, ...] = field(repr=False)

    @property
    def found(self) -> bool:
        """Whether any cause was named."""
        return len(self.causes) > 0

    def __str__(self) -> str:
        if not self.found:
            return f"no root cause found among {self.tests:,} candidates at a familywise error of {self.familywise:.0%}"
        return "; ".join(
            f"{row.cause} (rate ratio {row.rate_ratio:.2f}, {row.low:.2f} to {row.high:.2f})"
            for row in self.causes.itertuples()
        )


@in_words(rows="actual expected", tables="attributes")
def localise(
    actual: ArrayLike,
    expected: ArrayLike,
    attributes: pd.DataFrame,
    *,
    baseline: Literal["estimated", "given"] = "estimated",
    noise: Noise = "poisson",
    direction: Direction = "excess",
    ordered: Sequence[str] = (),
    max_attributes: int = 3,
    max_causes: int = 10,
    dispersion: float = 1.0,
    least_effect: float = 0.0,
    familywise: float = 0.05,
    level: float = 0.95,
    strata: ArrayLike | None = None,
) -> Localisation:
    """Ranked root causes of a difference between actual and expected values of cells.

    Parameters
    ----------
    actual : (cells,) numbers, events or in the unit measured
        Events counted, or a measured amount.
    expected : (cells,) numbers, in the unit of `actual` or of exposure
        What the cell should have had: its exposure, an age-adjusted expectation, or a forecast.
    attributes : (cells, attributes) DataFrame of labels
        One row per cell, one column per attribute; several rows may hold the same combination.
    baseline : str
        ``estimated`` treats `expected` as exposure (its level is fitted, only differences between cells count); ``given`` takes its level as it is (a
        forecast).
    noise : str
        ``poisson`` for counts, with `dispersion` times the variance; ``relative`` for amounts whose error is a share of the expectation (estimated from
        the quieter half of the cells); ``two_counts`` where `expected` was itself counted, in an earlier period as long: both counts scatter, and a cell
        that had none before may have some now. Taking such an expectation as exact names extra causes far more often than promised.
    direction : str
        Look for values above (``excess``), below (``deficit``) or on either side (``both``) of the expectation.
    ordered : names of attributes
        Whose values have an order (months, ages): also tried as "from this value on".
    max_attributes, max_causes : int
        Values a cause may combine; causes named at most.
    dispersion : float, factor on the variance
        Of the counts, above zero.
    least_effect : float, share
        Smallest effect worth naming (0.05: rate ratios between 0.95 and 1.05 are passed over).
    familywise : float, share 0 to 1
        Chance of naming any cause when there is none (a bound, not an approximation, for ``poisson``).
    level : float, share 0 to 1
        Coverage of each rate-ratio interval, which carries the selection (see Notes).
    strata : (cells,) labels, optional
        Cells are compared only with cells of their stratum: each has a fitted level of its own (``poisson`` noise and an ``estimated`` baseline only). A
        candidate that holds all of a stratum is not tested there, and what it holds there is not in its figures.

    Returns
    -------
    Localisation

    Raises
    ------
    ParameterError
        For an unknown option, cells that are negative or missing, columns of different lengths, what is no number, or strata with other noise.

    Notes
    -----
    A candidate is taken only if its gain in log-likelihood beats log(depths x candidates of its depth / familywise);
    by Chernoff's inequality its tail probability is then below its Bonferroni share. The price rises with depth, so
    the simpler of two equal explanations wins: a bad batch shipped mostly to one region is a batch. Cells without
    expectation and without value say nothing and are left out. Of ``two_counts`` the share that fell into the later period is modelled, given what
    both had (Przyborowski and Wilenski 1940): its factors are ratios of rates, and its bound that of Hoeffding (1963, theorem 1) for sums of unlike trials.

    With ``strata`` the count of a candidate is, given the total of each stratum, a sum of binomial counts; the gain maximised over one common factor is the
    exponent of Chernoff's bound for that sum, so that the price bounds the error as before. Limits and tails take the binomial count with its mean and variance.

    A cause is named because its count is large, so its ratio is too large on average, most so just beyond the price. The limit nearer to one is
    that of the count given that it beat the price, and never nearer than the simultaneous limit over all candidates (the hybrid of Andrews,
    Kitagawa and McCloskey); the other limit needs no correction. `rate_ratio_corrected` is the median-unbiased ratio of the same conditional count. Far
    beyond the price all three are what they were without a search.

    Source
    ------
    Own derivation of search and price, tested on the published Squeeze cases and by simulated error rates; Andrews, Kitagawa and McCloskey (2024),
    *Quarterly Journal of Economics* 139, 305-358 (limits after selection).

    Examples
    --------
    Model X fails three times as often as the others, wherever it stands.

    >>> import pandas as pd
    >>> from analysis import stats
    >>> cells = pd.DataFrame({"model": ["X", "X", "Y", "Y", "Z", "Z"], "region": ["North", "South"] * 3})
    >>> found = stats.localise([60, 60, 20, 20, 20, 20], [20, 20, 20, 20, 20, 20], cells)
    >>> found.causes["cause"].tolist(), found.causes["rate_ratio"].round(6).tolist()
    (['model=X'], [3.0])
    """
    problem = _Problem.read(
        actual,
        expected,
        attributes,
        baseline=baseline,
        noise=noise,
        direction=direction,
        ordered=ordered,
        max_attributes=max_attributes,
        dispersion=dispersion,
        least_effect=least_effect,
        familywise=familywise,
        strata=strata,
    )
    terms = _searched(problem, max_causes)
    return _report(problem, terms, familywise=familywise, level=level)


# -- the cells and everything that can be asked of them -------------------------------------------


@dataclass(frozen=True, eq=False)
class _Pairs:
    """The candidates of a cuboid by stratum, as far as there are cells: a cell adds to one pair; of a "from" axis, to all pairs up to its own step."""

    candidate: Codes
    stratum: Codes
    of_cell: Codes
    steps: int  # of the "from" axis, the fastest; one where there is none

    @classmethod
    def of(cls, cuboid: _Cuboid, strata: Codes) -> _Pairs:
        groups = int(strata.max()) + 1
        if cuboid.from_axis is None:
            pair, of_cell = np.unique(cuboid.code * groups + strata, return_inverse=True)
            return cls(pair // groups, pair % groups, of_cell.astype(np.int64), 1)
        along = cuboid.axes.index(cuboid.from_axis)
        place = list(np.unravel_index(cuboid.code, cuboid.shape))
        step, steps = place[along], cuboid.shape[along]
        place[along] = np.zeros_like(step)
        start = np.ravel_multi_index(place, cuboid.shape)
        pair, of_cell = np.unique(start * groups + strata, return_inverse=True)
        stride = int(np.prod(cuboid.shape[along + 1 :], dtype=np.int64))
        candidate = (pair // groups)[:, None] + stride * np.arange(steps)
        return cls(
            candidate.ravel(),
            np.repeat(pair % groups, steps),
            (of_cell * steps + step).astype(np.int64),
            steps,
        )

    def total(self, values: Floats) -> Floats:
        """Sum over the cells of each pair."""
        sums = np.bincount(self.of_cell, weights=values, minlength=len(self.candidate)).astype(float)
        if self.steps > 1:
            sums = np.cumsum(sums.reshape(-1, self.steps)[:, ::-1], axis=1)[:, ::-1].ravel()
        return np.asarray(sums)


@dataclass(frozen=True, eq=False)
class _Cuboid:
    """All combinations of values of some attributes; `from_axis` where one of them means "from this value on"."""

    axes: tuple[int, ...]
    from_axis: int | None
    shape: tuple[int, ...]
    code: Codes
    size: int
    decoded: Codes | None  # for sparse cuboids: distinct dense codes
    pairs: _Pairs | None = None  # by stratum too, where there are several

    @property
    def depth(self) -> int:
        return len(self.axes)

    def total(self, values: Floats) -> Floats:
        """Sum over the cells of each candidate."""
        sums: Floats = np.bincount(self.code, weights=values, minlength=self.size).astype(float)
        if self.from_axis is None:
            return sums
        along = self.axes.index(self.from_axis)
        grid = sums.reshape(self.shape)
        return np.asarray(np.flip(np.cumsum(np.flip(grid, along), axis=along), along).ravel(), dtype=float)

    def values_at(self, key: int) -> tuple[int, ...]:
        dense = key if self.decoded is None else int(self.decoded[key])
        return tuple(int(part) for part in np.unravel_index(dense, self.shape))

    def key_of(self, dense: int) -> int:
        return dense if self.decoded is None else int(np.searchsorted(self.decoded, dense))

    def proper(self) -> Flags | None:
        """For "from" candidates: neither the first value (everything) nor the last (one value)."""
        if self.from_axis is None:
            return None
        along = self.axes.index(self.from_axis)
        step = np.arange(self.shape[along])
        inside = (step > 0) & (step < self.shape[along] - 1)
        view = [1] * len(self.shape)
        view[along] = -1
        return np.broadcast_to(inside.reshape(view), self.shape).ravel()


@dataclass(frozen=True, eq=False)
class _Term:
    cuboid: int
    key: int
    cells: Flags

    def same(self, other: _Term) -> bool:
        return self.cuboid == other.cuboid and self.key == other.key


@dataclass(frozen=True, eq=False)
class _Fit:
    """Expected values under some causes: `mean` a cell, `effects` a factor a cause.

    For relative noise, in ratio to the expectation: `spread` a cell, and `slack`, half a piece, by which a cell of a cause may miss by rounding alone.
    """

    mean: Floats
    base: Floats  # by stratum
    effects: tuple[float, ...]
    spread: Floats
    slack: Floats
    log_likelihood: float


@dataclass(frozen=True, eq=False)
class _Problem:
    actual: Floats
    expected: Floats
    codes: tuple[Codes, ...]
    names: tuple[str, ...]
    values: tuple[pd.Index[Any], ...]
    cuboids: tuple[_Cuboid, ...]
    price: tuple[float, ...]  # by depth, index 0 unused
    tests: int
    estimated: bool
    relative: bool
    direction: Direction
    dispersion: float
    least_effect: float
    spread: float
    familywise: float
    kept: Flags
    counted: bool
    strata: Codes

    @property
    def stratified(self) -> bool:
        return bool(len(self.strata)) and int(self.strata.max()) > 0

    def sums(self, values: Floats, cells: Flags | None = None) -> Floats:
        """Sum of all cells (or of some) by stratum."""
        chosen = values if cells is None else np.where(cells, values, 0.0)
        if not self.stratified:
            return np.array([chosen.sum() if cells is None else values[cells].sum()])
        return np.bincount(self.strata, weights=chosen).astype(float)

    def compared(self, term: _Term) -> Flags:
        """The cells of a candidate whose stratum has others to compare them with."""
        if not self.stratified:
            return term.cells
        others: Flags = self.sums(self.expected, ~term.cells) > _ALL_OF_IT * self.sums(self.expected)
        return np.asarray(term.cells & others[self.strata])

    @property
    def trials(self) -> Floats:
        """What both periods had: the later one has a share of it."""
        return (self.actual + self.expected) / self.dispersion

    @classmethod
    def read(
        cls,
        actual: ArrayLike,
        expected: ArrayLike,
        attributes: pd.DataFrame,
        *,
        baseline: str,
        noise: str,
        direction: Direction,
        ordered: Sequence[str],
        max_attributes: int,
        dispersion: float,
        least_effect: float,
        familywise: float,
        strata: ArrayLike | None = None,
    ) -> _Problem:
        _known(baseline, ("estimated", "given"), "baseline")
        _known(noise, ("poisson", "relative", "two_counts"), "noise")
        _known(direction, ("excess", "deficit", "both"), "direction")
        for name in ordered:
            _known(name, [str(column) for column in attributes.columns], "ordered attribute")
        if not 0 < familywise < 1:
            raise ParameterError(f"familywise is an error rate between 0 and 1, e.g. 0.05; got {familywise}.")
        if not least_effect >= 0:
            raise ParameterError(f"least_effect is a share, zero or more, e.g. 0.05; got {least_effect}.")
        if not dispersion > 0:
            raise ParameterError(f"dispersion is a factor on the variance, above zero; got {dispersion}.")
        seen, due = np.asarray(actual, dtype=float), np.asarray(expected, dtype=float)
        counted = noise == "two_counts"
        _check_cells(seen, due, attributes, relative=noise == "relative", counted=counted)
        kept = (due > 0) | (counted & (seen > 0))
        kept, groups = _strata(strata, kept, seen, noise=noise, baseline=baseline)
        used = [
            column for column in attributes.columns if attributes.loc[kept, column].nunique(dropna=False) > 1
        ]
        codes, values = [], []
        for column in used:
            code, value = pd.factorize(
                attributes.loc[kept, column], sort=column in ordered, use_na_sentinel=False
            )
            codes.append(code.astype(np.int64))
            values.append(pd.Index(value))
        cuboids = tuple(
            _cuboids(codes, [len(v) for v in values], [c in ordered for c in used], max_attributes)
        )
        if groups.max() > 0:
            cuboids = tuple(replace(cuboid, pairs=_Pairs.of(cuboid, groups)) for cuboid in cuboids)
        price, tests = _prices(
            cuboids,
            (due + counted * seen)[kept],
            groups,
            max_attributes,
            familywise,
            two_sided=direction == "both",
        )
        return cls(
            actual=seen[kept],
            expected=due[kept],
            codes=tuple(codes),
            names=tuple(str(column) for column in used),
            values=tuple(values),
            cuboids=cuboids,
            price=price,
            tests=tests,
            estimated=baseline == "estimated",
            relative=noise == "relative",
            direction=direction,
            dispersion=dispersion,
            least_effect=least_effect,
            spread=_quiet_spread(seen[kept], due[kept], baseline == "estimated")
            if noise == "relative"
            else np.nan,
            familywise=familywise,
            kept=kept,
            counted=counted,
            strata=groups,
        )

    def term(self, cuboid: int, key: int) -> _Term:
        shape = self.cuboids[cuboid]
        cells = np.ones(len(self.actual), dtype=bool)
        for axis, value in zip(shape.axes, shape.values_at(key), strict=True):
            code = self.codes[axis]
            cells &= code >= value if axis == shape.from_axis else code == value
        return _Term(cuboid, key, cells)

    def attributes_of(self, term: _Term) -> dict[str, Any]:
        shape = self.cuboids[term.cuboid]
        named = {}
        for axis, value in zip(shape.axes, shape.values_at(term.key), strict=True):
            label = self.values[axis][value]
            named[self.names[axis] + (" from" if axis == shape.from_axis else "")] = label
        return named

    def text_of(self, term: _Term) -> str:
        return " & ".join(
            f"{name[:-5]}>={value}" if name.endswith(" from") else f"{name}={value}"
            for name, value in self.attributes_of(term).items()
        )

    def price_of(self, term: _Term) -> float:
        return self.price[self.cuboids[term.cuboid].depth]


def _known(name: str, known: Sequence[str], what: str) -> None:
    if name not in known:
        raise ParameterError(
            f"unknown {what} {name!r}; known: {', '.join(known)}." + suggestion(str(name), known)
        )


def _strata(
    strata: ArrayLike | None, kept: Flags, seen: Floats, *, noise: str, baseline: str
) -> tuple[Flags, Codes]:
    """The cells that are kept and the stratum of each, by number: all in one where none are given; a stratum without a count says nothing."""
    if strata is None:
        return kept, np.zeros(int(kept.sum()), dtype=np.int64)
    if noise != "poisson" or baseline != "estimated":
        raise ParameterError(
            "strata need noise 'poisson' and baseline 'estimated': each has a level of its own."
        )
    labels = pd.Series(np.asarray(strata))
    if len(labels) != len(kept):
        raise ParameterError(f"strata ({len(labels)}) need one label a cell ({len(kept)}).")
    code = pd.factorize(labels, sort=False, use_na_sentinel=False)[0]
    counted = np.bincount(code[kept], weights=seen[kept], minlength=int(code.max()) + 1) > 0
    kept = kept & counted[code] if counted.any() else kept
    return kept, np.asarray(pd.factorize(code[kept])[0], dtype=np.int64)


def _check_cells(
    actual: Floats, expected: Floats, attributes: pd.DataFrame, *, relative: bool, counted: bool
) -> None:
    if not len(actual) == len(expected) == len(attributes):
        raise ParameterError(
            f"actual ({len(actual)}), expected ({len(expected)}) and attributes ({len(attributes)}) need one row a cell."
        )
    broken = ~np.isfinite(actual) | ~np.isfinite(expected) | (expected < 0) | ((actual < 0) & (not relative))
    if broken.any():
        raise ParameterError(
            f"{int(broken.sum())} of {len(actual)} cells have a value that is missing, infinite or negative, e.g. "
            f"{attributes[broken].iloc[0].to_dict()}."
        )
    orphan = (expected == 0) & (actual != 0) & (not relative) & (not counted)
    if orphan.any():
        raise ParameterError(
            f"{int(orphan.sum())} cells have {actual[orphan].sum():g} events but no exposure, e.g. "
            f"{attributes[orphan].iloc[0].to_dict()}; a rate needs both."
        )
    if not (expected > 0).any():
        raise ParameterError("no cell has any exposure; there is nothing to compare.")


def _cuboids(
    codes: list[Codes], sizes: list[int], ordered: list[bool], max_attributes: int
) -> Iterator[_Cuboid]:
    for depth in range(1, min(max_attributes, len(codes)) + 1):
        for axes in combinations(range(len(codes)), depth):
            shape = tuple(sizes[axis] for axis in axes)
            dense = np.zeros(len(codes[0]), dtype=np.int64)
            for axis, size in zip(axes, shape, strict=True):
                dense = dense * size + codes[axis]
            cells = int(np.prod([float(size) for size in shape]))
            if cells <= _DENSE_LIMIT:
                yield _Cuboid(axes, None, shape, dense, cells, None)
                for axis in axes:
                    if ordered[axis] and sizes[axis] > 2:
                        yield _Cuboid(axes, axis, shape, dense, cells, None)
            else:
                compact, decoded = pd.factorize(dense, sort=True)
                yield _Cuboid(axes, None, shape, compact.astype(np.int64), len(decoded), np.asarray(decoded))


def _prices(
    cuboids: tuple[_Cuboid, ...],
    expected: Floats,
    strata: Codes,
    max_attributes: int,
    familywise: float,
    *,
    two_sided: bool,
) -> tuple[tuple[float, ...], int]:
    """What a candidate of each depth must gain: its Bonferroni share, every depth getting an equal part.

    Of several strata a candidate is paid for where it can be compared in one of them.
    """
    counts = np.zeros(max_attributes + 1)
    whole = np.bincount(strata, weights=expected)
    for cuboid in cuboids:
        if cuboid.pairs is None:
            present = cuboid.total(expected) > 0
        else:
            own = cuboid.pairs.total(expected)
            apart = (own > 0) & (whole[cuboid.pairs.stratum] - own > _ALL_OF_IT * whole[cuboid.pairs.stratum])
            present = np.bincount(cuboid.pairs.candidate, weights=apart, minlength=cuboid.size) > 0
        proper = cuboid.proper()
        counts[cuboid.depth] += int((present if proper is None else present & proper).sum())
    depths = max(1, int((counts > 0).sum()))
    with np.errstate(divide="ignore"):
        price = np.log(depths * counts * (2 if two_sided else 1) / familywise)
    return tuple(float(one) for one in price), int(counts.sum())


def _quiet_spread(actual: Floats, expected: Floats, estimated: bool) -> float:
    """Standard deviation of the ratio among cells that nothing happened to: from the quietest quarter."""
    ratio = actual / expected
    centre = np.median(ratio) if estimated else 1.0
    quarter = float(np.quantile(np.abs(ratio - centre), 0.25))
    return max(quarter / 0.31864, 1e-6)


# -- fitting a set of causes ----------------------------------------------------------------------


def _fitted(problem: _Problem, terms: Sequence[_Term]) -> _Fit:
    """Multiplicative factors by cycling through the causes (iterative proportional fitting)."""
    effects = np.ones(len(terms))
    base = np.ones(1)
    if problem.estimated and not problem.relative:
        base = problem.sums(problem.actual) / problem.sums(problem.expected)
    mean = base[problem.strata if len(base) > 1 else 0] * problem.expected
    odds = np.full(len(mean), float(base[0]))  # of two counts: later over earlier

    def grow(cells: Flags, factor: float) -> None:
        if problem.counted:
            odds[cells] *= factor
            mean[cells] = (problem.actual + problem.expected)[cells] * (odds / (1 + odds))[cells]
        else:
            mean[cells] *= factor

    grow(np.ones(len(mean), dtype=bool), 1.0)
    spread, slack, piece = np.full(len(mean), problem.spread), np.zeros(len(mean)), 0.0
    for turn in range(60):
        largest = 0.0
        for k, term in enumerate(terms):
            # amounts start from sums, that is from the large cells: in small ones whole pieces may all be gone or all be there
            pooled = problem.relative and turn == 0
            best = _pooled_factor if pooled else _level_free if problem.stratified else _best_factor
            factor = max(best(problem, mean, spread, term.cells), _NOTHING_LEFT / effects[k])
            if problem.stratified:
                factor = min(factor, _EVERYTHING / effects[k])
            effects[k] *= factor
            grow(term.cells, factor)
            largest = max(largest, abs(np.log(factor)))
            if problem.stratified:
                levels = problem.sums(problem.actual) / problem.sums(mean)
                base, mean = base * levels, mean * levels[problem.strata]
        if problem.estimated and not problem.stratified:
            outside = np.ones(len(mean), dtype=bool)
            factor = _best_factor(problem, mean, spread, outside)
            base = base * factor
            grow(outside, factor)
            largest = max(largest, abs(np.log(factor)))
        if problem.relative:
            spread, slack, piece = _spread_by_cause(problem, mean, terms, piece if turn >= _SETTLED else None)
        if largest < 1e-8:
            break
    return _Fit(
        mean, base, tuple(float(e) for e in effects), spread, slack, _likelihood(problem, mean, spread)
    )


def _best_factor(problem: _Problem, mean: Floats, spread: Floats, cells: Flags) -> float:
    numerator, denominator = _evidence(problem, mean, spread)
    below = denominator[cells].sum()
    if problem.counted:
        odds = _odds_ratio(numerator[cells].sum(), below, problem.trials[cells].sum())
        return float(np.clip(odds, 1e-6, 1e6))
    return float(max(numerator[cells].sum() / below, 1e-9)) if below > 0 else 1.0


def _level_free(problem: _Problem, mean: Floats, _spread: Floats, cells: Flags) -> float:
    """One step of Newton's method for a factor, the level of each stratum moving with it: a stratum with little outside would hold it back."""
    inside, whole = problem.sums(mean, cells), problem.sums(mean)
    share = np.divide(inside, whole, out=np.zeros(len(whole)), where=whole > 0)
    trials = problem.sums(problem.actual)
    slope = float((trials * share * (1 - share)).sum())
    above = float((problem.sums(problem.actual, cells) - trials * share).sum())
    return float(np.exp(np.clip(above / slope, -1.0, 1.0))) if slope > _ALL_OF_IT * trials.sum() else 1.0


def _odds_ratio(above: Any, below: Any, trials: Any) -> Any:
    """Odds of the later period as they are over those expected; none before or after counts as a thousandth, so that it stays finite."""
    return (
        np.maximum(above, 1e-3)
        / np.maximum(trials - above, 1e-3)
        * np.maximum(trials - below, 1e-12)
        / np.maximum(below, 1e-12)
    )


def _pooled_factor(problem: _Problem, mean: Floats, _spread: Floats, cells: Flags) -> float:
    due = mean[cells].sum()
    return float(max(problem.actual[cells].sum() / due, 1e-9)) if due > 0 else 1.0


def _spread_by_cause(
    problem: _Problem, mean: Floats, terms: Sequence[_Term], known: float | None
) -> tuple[Floats, Floats, float]:
    """Cells of a cause may scatter more than quiet ones: damage differs a little, and what is left comes in whole pieces.

    In ratio to the expectation the variance is a + b / expectation squared: a constant of each cause, never below that of quiet cells, and one b for
    all (the size of a piece belongs to the data, not to a cause). Rounding by up to half a piece has variance b = half a piece squared / 3. Returns
    the spread and half a piece, both in ratio to the expectation, and b (``known``: not estimated again).
    """
    spread, slack = np.full(len(mean), problem.spread), np.zeros(len(mean))
    hit = np.zeros(len(mean), dtype=bool)
    for term in terms:
        hit |= term.cells
    if not hit.any():
        return spread, slack, 0.0
    expected, left = problem.expected[hit], mean[hit] / problem.expected[hit]
    squares = (problem.actual[hit] / expected - left) ** 2
    inside = [term.cells[hit] for term in terms]
    tried = (
        (0.0, *np.unique(np.quantile(squares * expected**2, np.linspace(0.05, 0.95, 13))))
        if known is None
        else (known,)
    )
    best, chosen = -np.inf, 0.0
    for piece in tried:
        # a value rounded away is missed by no more than itself: such cells say nothing about the size of a piece
        rounded = piece * left**2 / (expected**2 * left**2 + piece) if piece > 0 else np.zeros(len(left))
        own = _own_scatter(squares, rounded, inside, problem.spread**2)
        likelihood = -float((squares / (own + rounded) + np.log(own + rounded)).sum())
        if likelihood > best:
            best, chosen = likelihood, float(piece)
            spread[hit], slack[hit] = np.sqrt(own + piece / expected**2), np.sqrt(3 * piece) / expected
    return spread, slack, chosen


def _own_scatter(squares: Floats, rounded: Floats, inside: Sequence[Flags], least: float) -> Floats:
    """Variance of damage in each cause beyond ``rounded``, by weighted least squares of the squares."""
    own = np.full(len(squares), least)
    for _ in range(3):
        weight = (own + rounded) ** -2.0
        own = np.full(len(squares), least)
        for cells in inside:
            if cells.any():
                own[cells] = np.maximum(
                    own[cells],
                    float((weight[cells] * (squares[cells] - rounded[cells])).sum() / weight[cells].sum()),
                )
    return own


def _evidence(
    problem: _Problem, mean: Floats, spread: Floats, slack: Floats | float = 0.0
) -> tuple[Floats, Floats]:
    """Two sums whose ratio is the best factor on a set of cells, and from which its gain follows.

    A difference within ``slack`` says nothing: cells of one size are all rounded alike, so that their errors would add up to a cause.
    """
    if not problem.relative:
        return problem.actual / problem.dispersion, mean / problem.dispersion
    ratio, fitted = problem.actual / problem.expected, mean / problem.expected
    off = ratio - fitted
    ratio = fitted + np.sign(off) * np.maximum(np.abs(off) - slack, 0.0)
    return fitted * ratio / spread**2, fitted**2 / spread**2


def _likelihood(problem: _Problem, mean: Floats, spread: Floats) -> float:
    if problem.counted:
        before = problem.actual + problem.expected - mean
        return (
            float((xlogy(problem.actual, mean) + xlogy(problem.expected, before)).sum()) / problem.dispersion
        )
    if not problem.relative:
        return float((xlogy(problem.actual, mean) - mean).sum()) / problem.dispersion
    off = (problem.actual - mean) / problem.expected
    return float(-0.5 * ((off / spread) ** 2).sum() - np.log(spread).sum())


def _gain(
    problem: _Problem,
    above: Floats,
    below: Floats,
    total_above: float,
    total_below: float,
    trials: Floats | None = None,
) -> Floats:
    """Rise in log-likelihood when the cells of each candidate get their own factor."""
    if trials is not None:
        own = _divergence(above, below, trials)
        if not problem.estimated:
            return own
        whole = float(problem.trials.sum())
        rest = _divergence(total_above - above, total_below - below, whole - trials)
        # the level is fitted: either side's deviation alone bounds the chance of both (sampling without replacement)
        return np.where(whole - trials > 1e-9 * whole, np.maximum(own, rest), 0.0)
    if problem.relative:
        return np.where(below > 0, (above - below) ** 2 / np.maximum(2 * below, 1e-300), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if not problem.estimated:
            gain = xlogy(above, above / below) - (above - below)
            return np.where(below > 0, gain, 0.0)
        rest_above, rest_below = total_above - above, total_below - below
        gain = xlogy(above, above / below) + xlogy(np.maximum(rest_above, 0), rest_above / rest_below)
        gain -= total_above * np.log(total_above / total_below) if total_above > 0 else 0.0
    return np.where((below > 0) & (rest_below > 1e-9 * total_below), gain, 0.0)


@dataclass(frozen=True, eq=False)
class _Compared:
    """Candidates over several strata: the rise in log-likelihood with one common factor, the ratio to the rest, and the count as one binomial.

    ratio : Mantel and Haenszel (1959), above one where the best factor is
    seen, due, whole : what was counted, what was expected, and the total of the binomial count with this mean and its variance
    """

    gain: Floats
    ratio: Floats
    seen: Floats
    due: Floats
    whole: Floats

    @classmethod
    def of(
        cls,
        candidate: Codes,
        pair: tuple[Floats, Floats],
        total: tuple[Floats, Floats],
        size: int,
        *,
        worth: float,
    ) -> _Compared:
        """``pair``: counted and expected of each candidate in a stratum; ``total``: those of the stratum. A gain below ``worth`` may be said too large."""
        (above, below), (all_above, all_below) = pair, total
        rest = all_below - below
        known = (below > 0) & (rest > _ALL_OF_IT * all_below) & (all_above > 0)
        of = candidate[known]
        a, n = above[known], all_above[known]
        share = below[known] / all_below[known]

        def summed(values: Floats) -> Floats:
            return np.bincount(of, weights=values, minlength=size).astype(float)

        left = np.maximum(n - a, 0.0)
        # a factor for each stratum: never less than what one factor for all of them gains
        alone = xlogy(a, a / (n * share)) + xlogy(left, left / (n * (1 - share)))
        gain, parts = summed(alone), np.bincount(of, minlength=size)
        several = (parts > 1) & (gain > worth)
        if several.any():
            own = several[of]
            number = np.cumsum(several) - 1
            gain[several] = _common_gain(number[of[own]], a[own], n[own], share[own], int(several.sum()))
        due = n * share
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = summed(a * (1 - share)) / summed(left * share)
            whole = summed(due) ** 2 / summed(due * share)
        return cls(
            gain=gain,
            ratio=np.where(np.isnan(ratio), 1.0, ratio),
            seen=summed(a),
            due=summed(due),
            whole=np.nan_to_num(whole),
        )


def _common_gain(of: Codes, above: Floats, trials: Floats, share: Floats, size: int) -> Floats:
    """Log-likelihood ratio of one factor for all strata of a candidate, maximised by Newton's method in its logarithm."""

    def summed(values: Floats) -> Floats:
        return np.bincount(of, weights=values, minlength=size).astype(float)

    seen, log_factor = summed(above), np.zeros(size)
    for _ in range(40):
        odds = share * np.exp(log_factor[of])
        part = odds / (1 - share + odds)
        slope = np.maximum(summed(trials * part * (1 - part)), 1e-12)
        step = np.clip((seen - summed(trials * part)) / slope, -1.0, 1.0)
        log_factor = np.clip(log_factor + step, -20.0, 20.0)
        if np.abs(step).max() < 1e-9:
            break
    return np.maximum(seen * log_factor - summed(trials * np.log1p(share * np.expm1(log_factor[of]))), 0.0)


def _compared(problem: _Problem, cuboid: _Cuboid, above: Floats, below: Floats) -> _Compared:
    """Every candidate of a cuboid against the rest of its strata."""
    assert cuboid.pairs is not None
    pairs, all_above, all_below = cuboid.pairs, problem.sums(above), problem.sums(below)
    return _Compared.of(
        pairs.candidate,
        (pairs.total(above), pairs.total(below)),
        (all_above[pairs.stratum], all_below[pairs.stratum]),
        cuboid.size,
        # twenty times less likely than a cause is the least that is asked about
        worth=problem.price[cuboid.depth] - 2 * float(np.log(20)),
    )


def _divergence(above: Floats, below: Floats, trials: Floats) -> Floats:
    """Trials times the divergence of the observed from the expected share of the later period."""
    after, before = np.maximum(above, 0.0), np.maximum(trials - above, 0.0)
    due, due_before = np.maximum(below, 1e-300), np.maximum(trials - below, 1e-300)
    gain = xlogy(after, after / due) + xlogy(before, before / due_before)
    return np.where((trials > 0) & (below > 0), np.maximum(gain, 0.0), 0.0)


# -- the search -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Scan:
    """The best candidates given what is already explained; `score` is gain less price."""

    cuboid: Codes
    key: Codes
    gain: Floats
    score: Floats


def _scan(problem: _Problem, fit: _Fit, terms: Sequence[_Term], *, top: int = 50) -> _Scan:
    above, below = _evidence(problem, fit.mean, fit.spread, fit.slack)
    total_above, total_below = float(above.sum()), float(below.sum())
    banned = _opposed(problem, fit, terms)
    found: list[tuple[Codes, Codes, Floats, Floats]] = []
    for index, cuboid in enumerate(problem.cuboids):
        a, b = cuboid.total(above), cuboid.total(below)
        if problem.stratified:
            compared = _compared(problem, cuboid, above, below)
            gain, ratio = compared.gain, compared.ratio
        else:
            n = cuboid.total(problem.trials) if problem.counted else None
            gain = _gain(problem, a, b, total_above, total_below, n)
            ratio = (
                _ratio_to_rest(problem, a, b, total_above, total_below) if n is None else _odds_ratio(a, b, n)
            )
        high = ratio > 1
        allowed = _allowed(problem, high) & (np.abs(ratio - 1) >= problem.least_effect)
        proper = cuboid.proper()
        if proper is not None:
            allowed &= proper
        for sign, weight in banned:
            against = cuboid.total(below * weight) > 0.5 * b
            allowed &= ~(against & (high if sign > 0 else ~high))
        score = np.where(allowed, gain, 0.0) - problem.price[cuboid.depth]
        best = np.argpartition(-score, min(top, len(score) - 1))[:top]
        best = best[np.lexsort((best, -score[best]))]
        found.append((np.full(len(best), index), best, gain[best], score[best]))
    cuboids, keys, gains, scores = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((keys, cuboids, -np.round(scores, 9)))[:top]
    return _Scan(cuboids[order], keys[order], gains[order], scores[order])


def _ratio_to_rest(
    problem: _Problem, above: Floats, below: Floats, total_above: float, total_below: float
) -> Floats:
    """Rate ratio of each candidate to the baseline, or to all other cells where the baseline is estimated."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if problem.relative or not problem.estimated:
            ratio = above / below
        else:
            ratio = above / below / ((total_above - above) / (total_below - below))
    return np.where(np.isnan(ratio), 1.0, ratio)


def _allowed(problem: _Problem, high: Flags) -> Flags:
    if problem.direction == "both":
        return np.ones(len(high), dtype=bool)
    return high.copy() if problem.direction == "excess" else ~high


def _opposed(problem: _Problem, fit: _Fit, terms: Sequence[_Term]) -> list[tuple[int, Floats]]:
    """Cells inside causes of the other sign: a candidate there would only take back part of a cause."""
    if problem.direction != "both":
        return []
    inside = {1: np.zeros(len(fit.mean)), -1: np.zeros(len(fit.mean))}
    for term, effect in zip(terms, fit.effects, strict=True):
        inside[-1 if effect > 1 else 1][term.cells] = 1.0
    return [(sign, weight) for sign, weight in inside.items() if weight.any()]


def _objective(problem: _Problem, terms: Sequence[_Term]) -> tuple[float, _Fit]:
    fit = _fitted(problem, terms)
    return fit.log_likelihood - sum(problem.price_of(term) for term in terms), fit


def _searched(problem: _Problem, max_causes: int) -> list[_Term]:
    terms: list[_Term] = []
    if not problem.cuboids or (not problem.relative and problem.actual.sum() == 0):
        return terms
    value, fit = _objective(problem, terms)
    for _ in range(4 * max_causes):
        before = value
        scan = _scan(problem, fit, terms, top=1)
        if len(terms) < max_causes and scan.score[0] > 0:
            added = [*terms, problem.term(int(scan.cuboid[0]), int(scan.key[0]))]
            more, better = _objective(problem, added)
            if more > value:
                terms, value, fit = added, more, better
        for move in (_split, _swapped, _merged, _dropped):
            terms, value, fit = move(problem, terms, value, fit, max_causes)
        if value <= before + 1e-9:
            break
    return _worth_naming(problem, _simplified(problem, terms, value, fit, max_causes)[0])


def _worth_naming(problem: _Problem, terms: list[_Term]) -> list[_Term]:
    """Without causes whose effect came out smaller than what matters; the others are fitted again each time."""
    while terms and problem.least_effect > 0:
        small = [abs(effect - 1) for effect in _fitted(problem, terms).effects]
        k = int(np.argmin(small))
        if small[k] >= problem.least_effect:
            break
        terms = terms[:k] + terms[k + 1 :]
    return terms


def _swapped(
    problem: _Problem, terms: list[_Term], value: float, fit: _Fit, _max_causes: int
) -> tuple[list[_Term], float, _Fit]:
    """Each cause in turn against the best candidate when it is taken away."""
    for k in range(len(terms)):
        rest = terms[:k] + terms[k + 1 :]
        scan = _scan(problem, _fitted(problem, rest), rest, top=3)
        for cuboid, key, score in zip(scan.cuboid, scan.key, scan.score, strict=True):
            if score <= 0 or (cuboid == terms[k].cuboid and key == terms[k].key):
                break
            trial = [*rest[:k], problem.term(int(cuboid), int(key)), *rest[k:]]
            more, better = _objective(problem, trial)
            if more > value + 1e-9:
                terms, value, fit = trial, more, better
                break
    return terms, value, fit


def _split(
    problem: _Problem, terms: list[_Term], value: float, fit: _Fit, max_causes: int
) -> tuple[list[_Term], float, _Fit]:
    """Replace a cause by those of its parts that are affected, where another part is not."""
    for k in range(len(terms)):
        rest = terms[:k] + terms[k + 1 :]
        without = _fitted(problem, rest)
        for parts in _affected_parts(problem, terms[k], without, fit):
            if len(rest) + len(parts) > max_causes:
                continue
            trial = [*rest, *parts]
            more, better = _objective(problem, trial)
            if more > value + 1e-9:
                terms, value, fit = trial, more, better
                return _split(problem, terms, value, fit, max_causes)
    return terms, value, fit


def _affected_parts(problem: _Problem, term: _Term, without: _Fit, fitted: _Fit) -> Iterator[list[_Term]]:
    shape = problem.cuboids[term.cuboid]
    if shape.from_axis is not None:
        return
    own = dict(zip(shape.axes, shape.values_at(term.key), strict=True))
    above, below = _evidence(problem, without.mean, without.spread, without.slack)
    inside_above, inside_below = above[term.cells], below[term.cells]
    for index, cuboid in enumerate(problem.cuboids):
        if (
            cuboid.from_axis is not None
            or cuboid.depth != shape.depth + 1
            or not set(shape.axes) <= set(cuboid.axes)
        ):
            continue
        (axis,) = set(cuboid.axes) - set(shape.axes)
        code = problem.codes[axis][term.cells]
        count = len(problem.values[axis])
        a = np.bincount(code, weights=inside_above, minlength=count).astype(float)
        b = np.bincount(code, weights=inside_below, minlength=count).astype(float)
        total = float(above.sum()), float(below.sum())
        n = (
            np.bincount(code, weights=problem.trials[term.cells], minlength=count).astype(float)
            if problem.counted
            else None
        )
        if problem.stratified:
            compared = _of_parts(problem, term, code, (above, below), count, problem.price[cuboid.depth])
            gain, higher, level = compared.gain - problem.price[cuboid.depth], compared.ratio > 1, 1.0
        else:
            gain = _gain(problem, a, b, *total, n) - problem.price[cuboid.depth]
            level = total[0] / total[1] if problem.estimated and not problem.relative else 1.0
            higher = a > b * level
        affected = (gain > 0) & _allowed(problem, higher)
        spared = ~affected & (b > 0)
        if not affected.any() or not spared.any() or affected.sum() > 8:
            continue
        hit = a[affected].sum() / b[affected].sum() - level
        left = a[spared].sum() / b[spared].sum() - level
        if abs(left) > _UNTOUCHED * abs(hit):
            continue
        if problem.relative and not _shown_spared(
            problem, fitted, term.cells & spared[problem.codes[axis]], problem.price[cuboid.depth]
        ):
            continue
        parts = []
        for value in np.flatnonzero(affected):
            dense = np.ravel_multi_index(
                [{**own, axis: int(value)}[one] for one in cuboid.axes], cuboid.shape
            )
            parts.append(problem.term(index, cuboid.key_of(int(dense))))
        yield parts


def _of_parts(
    problem: _Problem, term: _Term, code: Codes, evidence: tuple[Floats, Floats], count: int, price: float
) -> _Compared:
    """The parts of a candidate by the values of one more attribute, each against the rest of its strata."""
    totals = [problem.sums(one) for one in evidence]
    groups = len(totals[0])
    pair = code * groups + problem.strata[term.cells]
    above, below = (
        np.bincount(pair, weights=one[term.cells], minlength=count * groups).astype(float) for one in evidence
    )
    return _Compared.of(
        np.repeat(np.arange(count), groups),
        (above, below),
        (np.tile(totals[0], count), np.tile(totals[1], count)),
        count,
        worth=price,
    )


def _shown_spared(problem: _Problem, fitted: _Fit, cells: Flags, price: float) -> bool:
    """Whether these cells of a cause contradict it by more than pieces too small to show it."""
    above, below = _evidence(problem, fitted.mean, fitted.spread, fitted.slack)
    return float(_gain(problem, above[cells].sum(), below[cells].sum(), 0.0, 0.0)) > price


def _merged(
    problem: _Problem, terms: list[_Term], value: float, fit: _Fit, _max_causes: int
) -> tuple[list[_Term], float, _Fit]:
    """Replace causes by a simpler one that holds them all."""
    if len(terms) < 2:
        return terms, value, fit
    for term in terms:
        for parent in _parents(problem, term):
            held = [one for one in terms if not (one.cells & ~parent.cells).any()]
            if len(held) < 2:
                continue
            trial = [one for one in terms if not any(one is other for other in held)] + [parent]
            more, better = _objective(problem, trial)
            if more > value + 1e-9:
                return trial, more, better
    return terms, value, fit


def _parents(problem: _Problem, term: _Term) -> Iterator[_Term]:
    """The candidates with one attribute less."""
    shape = problem.cuboids[term.cuboid]
    own = dict(zip(shape.axes, shape.values_at(term.key), strict=True))
    for index, cuboid in enumerate(problem.cuboids):
        if cuboid.depth != shape.depth - 1 or not set(cuboid.axes) < set(shape.axes):
            continue
        if cuboid.from_axis == (shape.from_axis if shape.from_axis in cuboid.axes else None):
            dense = int(np.ravel_multi_index([own[axis] for axis in cuboid.axes], cuboid.shape))
            yield problem.term(index, cuboid.key_of(dense))


def _simplified(
    problem: _Problem, terms: list[_Term], value: float, fit: _Fit, max_causes: int
) -> tuple[list[_Term], float, _Fit]:
    """A cause with one attribute less is preferred unless the data make it twenty times less likely (or no cause)."""
    for k in range(len(terms)):
        without = _objective(problem, terms[:k] + terms[k + 1 :])[0]
        for parent in _parents(problem, terms[k]):
            trial = [*terms[:k], parent, *terms[k + 1 :]]
            more, better = _objective(problem, trial)
            if more > max(value - np.log(20), without):
                return _simplified(problem, trial, more, better, max_causes)
    return terms, value, fit


def _dropped(
    problem: _Problem, terms: list[_Term], value: float, fit: _Fit, max_causes: int
) -> tuple[list[_Term], float, _Fit]:
    for k in range(len(terms)):
        trial = terms[:k] + terms[k + 1 :]
        more, better = _objective(problem, trial)
        if more >= value:
            return _dropped(problem, trial, more, better, max_causes)
    return terms, value, fit


# -- what is said about the causes ----------------------------------------------------------------

_COLUMNS = [
    "cause",
    "attributes",
    "depth",
    "cells",
    "actual",
    "expected",
    "rate_ratio",
    "low",
    "high",
    "rate_ratio_corrected",
    "excess",
    "share_explained",
    "gain",
    "p_familywise",
    "q_value",
    "confounded_with",
]


def _report(problem: _Problem, terms: list[_Term], *, familywise: float, level: float) -> Localisation:
    full = _fitted(problem, terms)
    base = full.base[problem.strata if problem.stratified else 0]
    net = float((problem.actual - base * problem.expected).sum())
    rows = [_row(problem, terms, k, full, net, level) for k in range(len(terms))]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    order = np.lexsort((np.arange(len(table)), -table["gain"].to_numpy(dtype=float)))
    membership = []
    for k in order:
        cells = np.zeros(len(problem.kept), dtype=bool)
        cells[problem.kept] = terms[k].cells
        membership.append(cells)
    return Localisation(
        causes=table.iloc[order].reset_index(drop=True),
        tests=problem.tests,
        baseline=float(np.average(full.base, weights=problem.sums(problem.expected)))
        if problem.stratified
        else float(full.base[0]),
        noise=problem.spread if problem.relative else problem.dispersion,
        familywise=familywise,
        level=level,
        cells_of_cause=tuple(membership),
    )


def _row(
    problem: _Problem, terms: list[_Term], k: int, full: _Fit, net: float, level: float
) -> dict[str, Any]:
    term, rest = terms[k], terms[:k] + terms[k + 1 :]
    cells = problem.compared(term)
    without = full.mean[cells] / full.effects[k]
    if problem.counted:
        # earlier count times the level of the later period, as the other causes have it
        without = problem.expected[cells] * _odds(problem, full.mean)[cells] / full.effects[k]
    actual, expected = float(problem.actual[cells].sum()), float(without.sum())
    left_out = _fitted(problem, rest)
    ratio, low, high, corrected = _ratio(problem, term, full, k, level)
    p_value, q_value = _significance(problem, term, rest, left_out)
    return {
        "cause": problem.text_of(term),
        "attributes": problem.attributes_of(term),
        "depth": problem.cuboids[term.cuboid].depth,
        "cells": int(cells.sum()),
        "actual": actual,
        "expected": expected,
        "rate_ratio": ratio,
        "low": low,
        "high": high,
        "rate_ratio_corrected": corrected,
        "excess": actual - expected,
        "share_explained": (actual - expected) / net if net != 0 else np.nan,
        "gain": full.log_likelihood - left_out.log_likelihood,
        "p_familywise": p_value,
        "q_value": q_value,
        "confounded_with": _rivals(problem, term, rest, left_out),
    }


def _odds(problem: _Problem, mean: Floats) -> Floats:
    before = problem.actual + problem.expected - mean
    return np.asarray(np.divide(mean, before, out=np.full(len(mean), np.nan), where=before > 0))


def _ratio(
    problem: _Problem, term: _Term, full: _Fit, k: int, level: float
) -> tuple[float, float, float, float]:
    """Rate ratio as counted, its limits, and the ratio corrected for having been selected."""
    count = _Count.of(problem, term, full, k)
    ratio, low, high, corrected = count.judged(level)
    if problem.counted and problem.estimated:
        low, high = _with_level(problem, term, ratio, low, high, level)
    return ratio, low, high, corrected


def _with_level(
    problem: _Problem, term: _Term, ratio: float, low: float, high: float, level: float
) -> tuple[float, float]:
    """The level outside, where it was fitted, adds its own error in logarithms."""
    others = [
        float(one[~term.cells].sum()) / problem.dispersion for one in (problem.actual, problem.expected)
    ]
    if min(others) <= 0:
        return low, high
    extra = float(ndtri((1 + level) / 2)) ** 2 * (1 / others[0] + 1 / others[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        if low > 0 and np.isfinite(ratio):
            low = ratio * float(np.exp(-np.sqrt(np.log(ratio / low) ** 2 + extra)))
        if np.isfinite(high) and ratio > 0:
            high = ratio * float(np.exp(np.sqrt(np.log(high / ratio) ** 2 + extra)))
    return low, high


@dataclass(frozen=True, eq=False)
class _Count:
    """What was counted in the cells of a cause: its distribution by rate ratio, and how much of it made the search name them.

    Poisson around ``due`` times the ratio; a binomial part of ``total`` where the baseline is estimated from the ``rest``; normal for relative noise.
    """

    seen: float
    due: float
    total: float
    rest: float
    needed: float
    candidates: float
    high: bool
    kind: Literal["poisson", "part", "normal"]

    @classmethod
    def of(cls, problem: _Problem, term: _Term, full: _Fit, k: int) -> _Count:
        above, below = _evidence(problem, full.mean, full.spread)
        cells, price = term.cells, problem.price_of(term)
        candidates = float(np.exp(price)) * problem.familywise
        if problem.relative:
            error, effect = full.effects[k] / float(np.sqrt(below[cells].sum())), full.effects[k]
            reach = error * float(np.sqrt(2 * price))
            needed = min(1 + reach, effect) if effect > 1 else max(1 - reach, effect)
            return cls(effect, error, 0.0, 0.0, needed, candidates, effect > 1, "normal")
        if problem.counted:
            return cls._of_two(problem, term, full, k, candidates)
        if problem.stratified:
            return cls._of_strata(problem, term, full, k, candidates)
        seen, due = float(above[cells].sum()), float(below[cells].sum() / full.effects[k])
        total, rest = float(above.sum()), float(below[~cells].sum())
        part = problem.estimated and rest > 0
        null = due * total / (due + rest) if part else due

        def gain(count: float) -> float:
            totals = (total, due + rest) if part else (0.0, 0.0)
            of = problem if part == problem.estimated else replace(problem, estimated=part)
            return float(_gain(of, np.array([count]), np.array([due]), *totals)[0])

        needed = _crossing(gain, price, null, seen) if gain(seen) > price else seen
        if problem.dispersion == 1:
            needed = (
                min(float(np.ceil(needed - 1e-9)), seen)
                if seen > null
                else max(float(np.floor(needed + 1e-9)), seen)
            )
        return cls(seen, due, total, rest, needed, candidates, seen > null, "part" if part else "poisson")

    @classmethod
    def _of_strata(cls, problem: _Problem, term: _Term, full: _Fit, k: int, candidates: float) -> _Count:
        """A sum of binomial counts over strata, as the one with its mean and variance: others count for as many as tell as much as they do."""
        above, below = _evidence(problem, full.mean, full.spread)
        cells, price = problem.compared(term), problem.price_of(term)
        seen = float(above[cells].sum())
        due, whole = problem.sums(below, cells) / full.effects[k], problem.sums(above)
        expected, apart = float(due.sum()), due > 0
        total = expected**2 / float((due[apart] ** 2 / whole[apart]).sum())
        others = float((problem.sums(below)[apart] - problem.sums(below, cells)[apart]).sum())
        # where nothing was counted among them, what was expected says how much that tells
        rest = total - seen if total - seen > _ALL_OF_IT * seen else others
        total = max(total, seen)

        def gain(count: float) -> float:
            one = problem.strata[:0]
            of = replace(problem, strata=one)
            return float(_gain(of, np.array([count]), np.array([expected]), total, expected + rest)[0])

        null = expected * total / (expected + rest)
        needed = _crossing(gain, price, null, seen) if gain(seen) > price else seen
        return cls(seen, expected, total, rest, needed, candidates, seen > null, "part")

    @classmethod
    def _of_two(cls, problem: _Problem, term: _Term, full: _Fit, k: int, candidates: float) -> _Count:
        """Two counts: the later one is a binomial part of both, at the odds that the other causes leave."""
        cells = term.cells
        odds = _odds(problem, full.mean)[cells] / full.effects[k]
        both = problem.trials[cells]
        share = float(both @ (odds / (1 + odds)) / both.sum())
        seen, total = (
            float(one[cells].sum()) / problem.dispersion for one in (problem.actual, problem.trials)
        )
        null = share * total

        def gain(count: float) -> float:
            one, due, of = (np.array([value]) for value in (count, null, total))
            return float(_divergence(one, due, of)[0])

        price = problem.price_of(term)
        needed = _crossing(gain, price, null, seen) if gain(seen) > price else seen
        return cls(seen, share / (1 - share), total, 1.0, needed, candidates, seen > null, "part")

    def judged(self, level: float) -> tuple[float, float, float, float]:
        """Rate ratio as counted, its limits, and the ratio corrected for having been selected: towards one, never beyond it."""
        missed, conditional = (1 - level) / 2, 0.9
        far = self.limit(missed, far=True)
        simultaneous = self.limit(missed * (1 - conditional) / self.candidates, far=False)
        near = self.given_selected(missed * conditional, simultaneous, far)
        corrected = self.given_selected(0.5, near, far)
        if self.high:
            return self.ratio, near, far, max(corrected, 1.0)
        return self.ratio, far, near, min(corrected, 1.0)

    @property
    def ratio(self) -> float:
        """The rate ratio as counted."""
        if self.kind == "normal":
            return self.seen
        if self.kind == "poisson":
            return self.seen / self.due
        outside = (self.total - self.seen) / self.rest
        return self.seen / self.due / outside if outside > 0 else np.inf

    def tail(self, count: float, ratio: float, *, upper: bool) -> float:
        """Probability of at least (at most) so much at a rate ratio."""
        if self.kind == "normal":
            away = (ratio - count) / self.due
            return float(ndtr(away if upper else -away))
        if self.kind == "poisson":
            if upper:
                return float(gammainc(count, ratio * self.due)) if count > 0 else 1.0
            return float(gammaincc(count + 1, ratio * self.due))
        share, left = ratio * self.due / (ratio * self.due + self.rest), self.total - count
        if upper:
            return float(betainc(count, left + 1, share)) if count > 0 else 1.0
        return float(betainc(left, count + 1, 1 - share)) if left > 0 else 1.0

    def limit(self, missed: float, *, far: bool) -> float:
        """The ratio at which what was seen would be missed so often; ``far`` from one, or on the side of one."""
        upper = self.high != far
        if far and self.high and not np.isfinite(self.ratio):
            return np.inf
        if far and not self.high and self.seen <= 0 and self.kind != "normal":
            return 0.0
        low, high = self._reach()
        below = max(self.ratio, low) if np.isfinite(self.ratio) else high
        span = (low, below) if upper else (below, high)
        return _crossing(lambda ratio: self.tail(self.seen, ratio, upper=upper), missed, *span)

    def given_selected(self, part: float, near: float, far: float) -> float:
        """The ratio at which, of the counts that beat the price, so large a part is as far from one as what was seen; between two limits."""
        far = far if np.isfinite(far) else self._reach()[1]

        def beyond(ratio: float) -> float:
            selected = self.tail(self.needed, ratio, upper=self.high)
            return self.tail(self.seen, ratio, upper=self.high) / selected if selected > 0 else 0.0

        return near if beyond(near) >= part else _crossing(beyond, part, near, far)

    def _reach(self) -> tuple[float, float]:
        """Ratios between which every limit is looked for."""
        if self.kind == "normal":
            return self.seen - 40 * self.due, self.seen + 40 * self.due
        return 1e-9, 1e9


def _crossing(of: Callable[[float], float], wanted: float, start: float, end: float) -> float:
    """Where a monotone function passes a value between two places, by halving (of ratios above zero: of their logarithms)."""
    rising = of(end) > of(start)
    positive = start > 0 and end > 0
    for _ in range(100):
        middle = float(np.sqrt(start * end)) if positive else (start + end) / 2
        if (of(middle) < wanted) == rising:
            start = middle
        else:
            end = middle
    return float(np.sqrt(start * end)) if positive else (start + end) / 2


def _significance(problem: _Problem, term: _Term, rest: list[_Term], left_out: _Fit) -> tuple[float, float]:
    """Familywise p-value (Bonferroni by depth) and q-value (Benjamini-Hochberg over the scan) given the other causes."""
    above, below = _evidence(problem, left_out.mean, left_out.spread, left_out.slack)
    total = float(above.sum()), float(below.sum())
    scan = _scan(problem, left_out, rest, top=500)
    a, b, n, depth = (np.zeros(len(scan.key)) for _ in range(4))
    for index in np.unique(scan.cuboid):
        cuboid, here = problem.cuboids[index], scan.cuboid == index
        keys = scan.key[here]
        depth[here] = cuboid.depth
        if problem.stratified:
            compared = _compared(problem, cuboid, above, below)
            a[here], b[here], n[here] = (one[keys] for one in (compared.seen, compared.due, compared.whole))
        else:
            a[here], b[here] = cuboid.total(above)[keys], cuboid.total(below)[keys]
            n[here] = cuboid.total(problem.trials)[keys]
    tail = _tail(problem, a, b, total, n)
    familywise = np.exp(np.array(problem.price)[depth.astype(int)]) * problem.familywise * tail
    order = np.sort(familywise)
    cells = problem.compared(term)
    own_sums = float(above[cells].sum()), float(below[cells].sum())
    own_trials = np.array([problem.trials[cells].sum()])
    if problem.stratified:
        due, whole = problem.sums(below, cells), problem.sums(below)
        own_trials = np.array([own_sums[1] ** 2 / float((due**2 / whole).sum())])
    own = float(_tail(problem, np.array([own_sums[0]]), np.array([own_sums[1]]), total, own_trials)[0])
    own_familywise = min(1.0, own * float(np.exp(problem.price_of(term))) * problem.familywise)
    rank = np.arange(1, len(order) + 1)
    at = order >= own_familywise * (1 - 1e-9)
    q_value = float(min(1.0, (order[at] / rank[at]).min())) if at.any() else own_familywise
    return own_familywise, min(q_value, own_familywise)


def _tail(
    problem: _Problem, above: Floats, below: Floats, total: tuple[float, float], trials: Floats
) -> Floats:
    """One-sided tail probability of each candidate's value on its own side (doubled prices pay for both sides)."""
    if problem.counted:
        chance = np.clip(below / np.maximum(trials, 1e-300), 0.0, 1.0)
        before = np.maximum(trials - above, 0.0)
        most = np.where(above > 0, betainc(np.maximum(above, 1e-300), before + 1, chance), 1.0)
        least = np.where(before > 0, betainc(np.maximum(before, 1e-300), above + 1, 1 - chance), 1.0)
        return np.asarray(np.where(above > below, most, least))
    if problem.relative:
        return np.asarray(ndtr(-np.abs(above - below) / np.sqrt(np.maximum(below, 1e-300))))
    if not problem.estimated:
        upper = np.where(above > 0, gammainc(np.maximum(above, 1e-300), below), 1.0)
        return np.asarray(np.where(above > below, upper, gammaincc(above + 1, below)))
    share, rest = np.clip(below / total[1], 0.0, 1.0), np.maximum(total[0] - above, 0.0)
    if problem.stratified:
        share, rest = np.clip(below / np.maximum(trials, 1e-300), 0.0, 1.0), np.maximum(trials - above, 0.0)
        return np.asarray(
            np.where(
                above > below,
                np.where(above > 0, betainc(np.maximum(above, 1e-300), rest + 1, share), 1.0),
                np.where(rest > 0, betainc(np.maximum(rest, 1e-300), above + 1, 1 - share), 1.0),
            )
        )
    upper = np.where(above > 0, betainc(np.maximum(above, 1e-300), rest + 1, share), 1.0)
    lower = np.where(rest > 0, betainc(np.maximum(rest, 1e-300), above + 1, 1 - share), 1.0)
    return np.asarray(np.where(above > total[0] * share, upper, lower))


def _rivals(problem: _Problem, term: _Term, rest: list[_Term], left_out: _Fit) -> tuple[str, ...]:
    """Other candidates that would explain this about as well (twenty times less likely at most)."""
    scan = _scan(problem, left_out, rest, top=60)
    own = [
        score
        for cuboid, key, score in zip(scan.cuboid, scan.key, scan.score, strict=True)
        if cuboid == term.cuboid and key == term.key
    ]
    if not own:
        return ()
    mine = problem.attributes_of(term)
    named: list[str] = []
    for cuboid, key, score in zip(scan.cuboid, scan.key, scan.score, strict=True):
        if score < own[0] - np.log(20) or len(named) == 5:
            break
        rival = problem.term(int(cuboid), int(key))
        if rival.same(term) or not (rival.cells & term.cells).any():
            continue
        if mine.items() <= problem.attributes_of(rival).items():  # the cause itself, said at greater length
            continue
        named.append(problem.text_of(rival))
    return tuple(named)
