"""A run of months in which one group lies above what it was beside the others: a scan over groups and runs with one false alarm for all.

Each group is held against all others of the same months, so that whatever moves all of them (season, more customers, a price) cancels: a
difference in differences. Of what a month had in all, the share of the group follows its share of the base, its own level, a straight trend
and, with thirty months or more, its own year; a run of months multiplies its odds. Given the months' totals this is a logistic regression with
an offset, and the ratio of odds is the ratio of the two ratios (own rate in the run to own rate outside, over the same of the others).

The largest of all statistics over groups and runs is compared with the largest of simulated companies in which nothing happened, so trying
many groups and runs is paid for. What was found is taken out, and the rest is searched again.

Sources: Kulldorff (1997), *Communications in Statistics* 26, 1481-1496 (scan, maximum by Monte Carlo); Zhang, Assunção and Kulldorff (2010),
*Computational Statistics and Data Analysis* 54, 3219-3231 (found runs are taken out one by one); McCullagh and Nelder (1989), *Generalized
Linear Models*, section 4.5 (counts that spread more than binomial).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from analysis.metrics import traced
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
YEAR = 12
LEAST_BEFORE = 12  # months of its own that a group must have before a run
LEAST_FOR_SEASON = 30
LEAST_EXPECTED = 5.0  # cases that a run must have been expected to bring
MOST_FOUND = 12
SEED = 20_261_130


@dataclass(frozen=True, kw_only=True, eq=False)
class Field(Summarised):
    """What is counted of one kind: ``events`` and ``base`` by month (rows, oldest first) and finest part (columns).

    ``groups`` : by name, which of the parts are of a group; ``counted``: events are counts, and not amounts of money; ``drifts``: a group may
    drift along a straight line of its own, which is no run.
    """

    events: Floats
    base: Floats
    groups: Mapping[str, Flags]
    counted: bool = True
    drifts: bool = True

    def without(self, group: str, run: slice) -> Field:
        """The same with the months of a run taken out of every part of a group."""
        gone = np.zeros(self.events.shape, dtype=bool)
        gone[run] = self.groups[group]
        events, base = (np.where(gone, 0.0, table) for table in (self.events, self.base))
        return replace(self, events=events, base=base)


@dataclass(frozen=True, kw_only=True)
class Run(Summarised):
    """A run of months of one group above (or below) what it was beside the others.

    Attributes
    ----------
    kind, group : of what, and whose.
    start, end : places of its first month and of the month after its last.
    events, others : what the group and all others had in it.
    ratio, low, high : ratio of the two ratios, with limits that take the run as known.
    months : months that were looked at.
    p_value : chance of a run as strong anywhere among all groups and runs.
    """

    kind: str
    group: str
    start: int
    end: int
    events: float
    others: float
    ratio: float
    low: float
    high: float
    months: int
    p_value: float

    @property
    def extra(self) -> tuple[float, float, float]:
        """Events beyond those at a ratio of one, with the limits of the ratio."""
        more, least, most = (self.events * (1 - 1 / each) for each in (self.ratio, self.low, self.high))
        return more, least, most


@dataclass(frozen=True, kw_only=True)
class Scanned(Summarised):
    """What was found, the strongest first; how many groups and how many of their runs were tried."""

    found: tuple[Run, ...]
    groups: int
    runs: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Cell:
    """One group beside all others: its events, all events and the offset of the months that both have a base in."""

    own: Floats
    total: Floats
    base: tuple[Floats, Floats]
    offset: Floats
    usable: Flags
    counted: bool
    drifts: bool

    @classmethod
    def of(cls, field: Field, group: str) -> _Cell:
        mine = field.groups[group]
        own, rest = field.events[:, mine].sum(axis=1), field.events[:, ~mine].sum(axis=1)
        base, others = field.base[:, mine].sum(axis=1), field.base[:, ~mine].sum(axis=1)
        usable = (base > 0) & (others > 0) & (own + rest > 0)
        offset = np.log(np.where(usable, base, 1.0)) - np.log(np.where(usable, others, 1.0))
        return cls(
            own=np.where(usable, own, 0.0),
            total=np.where(usable, own + rest, 0.0),
            base=(np.where(usable, base, 0.0), np.where(usable, others, 0.0)),
            offset=offset,
            usable=usable,
            counted=field.counted,
            drifts=field.drifts,
        )

    @property
    def design(self) -> Floats:
        """Its level, a trend where it may have one and, where there are months enough, its own year."""
        count = len(self.own)
        time = np.arange(count, dtype=np.float64)
        terms = [np.ones(count)]
        if self.drifts:
            terms.append((time - time.mean()) / max(count, 1))
        if self.usable.sum() >= LEAST_FOR_SEASON:
            terms += [np.sin(2 * np.pi * time / YEAR), np.cos(2 * np.pi * time / YEAR)]
        return np.column_stack(terms)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Quiet:
    """A group as it would be without any run: the fitted share of each month, and what the score of each run weighs."""

    cell: _Cell
    share: Floats
    weight: Floats
    scores: Floats
    spread: Floats
    marks: Floats
    tried: Flags

    def statistics(self, own: Floats, *, both: bool) -> tuple[Floats, Floats]:
        """Of each drawn (or the observed) history, by run, the standardised departure; and the dispersion it was divided by."""
        residual = own - self.cell.total * self.share
        score = residual @ self.scores
        raw = np.where(self.tried, self._root(own, score) if self.cell.counted else score, 0.0)
        raw, plain = raw / np.sqrt(self.spread), np.where(self.tried, score, 0.0) / np.sqrt(self.spread)
        best = np.argmax(np.abs(raw) if both else raw, axis=1)
        at_work = self.weight > 0
        squares = (residual**2)[:, at_work] @ (1 / self.weight[at_work])
        # what the run itself explains is no spread (one step of the fit with it)
        explained = np.take_along_axis(plain, best[:, None], axis=1)[:, 0] ** 2
        freedom = max(int(at_work.sum()) - self.cell.design.shape[1] - 1, 1)
        dispersion = np.maximum(squares - explained, 0.0) / freedom
        if self.cell.counted:
            dispersion = np.maximum(dispersion, 1.0)
        return raw / np.sqrt(np.maximum(dispersion, 1e-300))[:, None], dispersion

    def itself(self) -> Flags:
        """By run, whether the group's own rate moved in it, and by more than that of the others: of two sides apart the one that moved."""
        moved = []
        for events, base in zip(
            (self.cell.own, self.cell.total - self.cell.own), self.cell.base, strict=True
        ):
            within, of = events @ self.marks, base @ self.marks
            with np.errstate(divide="ignore", invalid="ignore"):
                moved.append(np.log(within / of) - np.log((events.sum() - within) / (base.sum() - of)))
        return np.asarray(np.abs(moved[0]) > np.abs(moved[1]))

    def _root(self, own: Floats, score: Floats) -> Floats:
        """The signed root of the deviance of each run, on the scale of its score: straighter than the score where few are expected."""
        seen, total = own @ self.marks, self.cell.total @ self.marks
        expected = np.clip(seen - score, 1e-9, np.maximum(total - 1e-9, 2e-9))
        rest = np.maximum(total - seen, 0.0)
        left = np.maximum(total - expected, 1e-9)
        with np.errstate(divide="ignore", invalid="ignore"):
            one = np.where(seen > 0, seen * np.log(seen / expected), 0.0)
            other = np.where(rest > 0, rest * np.log(rest / left), 0.0)
            scale = expected * left / np.maximum(total, 1e-9)
        root = np.sign(score) * np.sqrt(np.maximum(2 * (one + other), 0.0))
        return np.asarray(root * np.sqrt(scale), dtype=np.float64)

    def drawn(self, dispersion: float, draws: int, random: np.random.Generator) -> Floats:
        """Histories of the group in which nothing happened, that spread as the observed one does."""
        mean, shape = self.cell.total * self.share, (draws, len(self.share))
        if not self.cell.counted:
            scale = dispersion * self.weight / np.where(mean > 0, mean, 1.0)
            return random.gamma(
                np.where(scale > 0, mean / np.where(scale > 0, scale, 1.0), 1e-9), scale, shape
            )
        chance = np.broadcast_to(self.share, shape)
        if dispersion > 1.01:
            alike = np.clip((dispersion - 1) / np.maximum(self.cell.total - 1, 1.0), 1e-9, 0.9)
            chance = random.beta(self.share * (1 / alike - 1), (1 - self.share) * (1 / alike - 1), shape)
        return random.binomial(np.round(self.cell.total).astype(np.int64), chance).astype(np.float64)


def fitted(
    own: Floats, total: Floats, offset: Floats, design: Floats
) -> tuple[Floats, Floats, Floats] | None:
    """A logistic regression with an offset: coefficients, shares and the inverse of the information (the first term is the level).

    None where the group has all events or none, or nothing converges.
    """
    beta = np.zeros(design.shape[1])
    if not 0 < own.sum() < total.sum():
        return None
    beta[0] = np.log(own.sum() / (total.sum() - own.sum())) - np.average(offset, weights=total)
    for _ in range(40):
        share = 1 / (1 + np.exp(-np.clip(design @ beta + offset, -30, 30)))
        weight = total * share * (1 - share)
        information = design.T @ (design * weight[:, None])
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, design.T @ (own - total * share))
        beta = beta + np.clip(step, -3, 3)
        if np.abs(step).max() < 1e-9:
            inverse = np.asarray(np.linalg.inv(information), dtype=np.float64)
            return beta, share, inverse
    return None


def _quiet(cell: _Cell, runs: Sequence[tuple[int, int]]) -> _Quiet | None:
    """None where the group cannot be judged: too few months, or all events or none are its own."""
    if cell.usable.sum() < LEAST_BEFORE + 3:
        return None
    found = fitted(cell.own, cell.total, cell.offset, cell.design)
    if found is None:
        return None
    _, share, inverse = found
    weight = cell.total * share * (1 - share)
    months = np.arange(len(share))
    marks = np.array([(months >= start) & (months < end) for start, end in runs], dtype=np.float64).T
    onto = inverse @ (cell.design.T @ (marks * weight[:, None]))
    scores = marks - cell.design @ onto
    spread = (marks * weight[:, None] * scores).sum(axis=0)
    before = np.array([cell.usable[:start].sum() for start, _ in runs])
    whole = np.array([cell.usable[start:end].all() for start, end in runs])
    expected = (cell.total * share) @ marks
    others = (cell.total * (1 - share)) @ marks
    enough = (np.minimum(expected, others) >= LEAST_EXPECTED) if cell.counted else expected > 0
    tried = (
        (before >= LEAST_BEFORE) & whole & enough & (spread > 1e-6 * (marks * weight[:, None]).sum(axis=0))
    )
    return _Quiet(
        cell=cell,
        share=share,
        weight=weight,
        scores=scores,
        spread=np.where(tried, spread, 1.0),
        marks=marks,
        tried=tried,
    )


@traced
def scanned(
    fields: Mapping[str, Field],
    runs: Sequence[tuple[int, int]],
    *,
    level: float,
    confidence: float,
    both: bool = False,
    itself: bool = False,
    draws: int = 999,
    seed: int = SEED,
) -> Scanned:
    """Runs of months in which a group lies apart from what it was beside the others.

    Parameters
    ----------
    fields : by kind, what is counted
    runs : first month and the month after the last of every run that is tried, as places
    level : chance that any run of any group of any kind is named although nothing happened
    confidence : coverage of each interval
    both : runs below are looked for too, and not only those above
    itself : a run is named only of a group whose own rate moved more than that of the others; of two groups, the one that moved
    draws, seed : of the simulated companies

    Returns
    -------
    Scanned
        The strongest first; of what is left when it is taken out, the next.
    """
    random = np.random.default_rng(seed)
    quiet = _all_quiet(fields, runs) if runs else {}
    largest, tried = np.zeros(draws), 0
    for one in quiet.values():
        _, dispersion = one.statistics(one.cell.own[None, :], both=both)
        found, _ = one.statistics(one.drawn(float(dispersion[0]), draws, random), both=both)
        largest = np.maximum(largest, (np.abs(found) if both else found).max(axis=1))
        tried += int(one.tried.sum())
    reference = np.sort(largest)
    named: list[Run] = []
    left, groups = dict(fields), len(quiet)
    while quiet and len(named) < MOST_FOUND:
        best = _strongest(quiet, both=both, itself=itself)
        chance = float((1 + draws - np.searchsorted(reference, best[0], side="left")) / (draws + 1))
        run = (
            _estimated(quiet, runs, best, confidence=confidence, p_value=chance) if chance <= level else None
        )
        if run is None:
            break
        named.append(run)
        left[run.kind] = left[run.kind].without(run.group, slice(run.start, run.end))
        quiet = {key: one for key, one in quiet.items() if key[0] != run.kind} | _all_quiet(
            {run.kind: left[run.kind]}, runs
        )
    return Scanned(found=tuple(named), groups=groups, runs=tried)


def steps(field: Field, run: Run) -> bool:
    """Whether a run fits the group better than a straight line over all its months would (the smaller deviance; both have one number more than the level and the year)."""
    cell = _Cell.of(field, run.group)
    months = np.arange(len(cell.own), dtype=np.float64)
    step = ((months >= run.start) & (months < run.end)).astype(float)
    left = [
        _left_over(cell, np.column_stack([cell.design, term])) for term in (step, months / len(months) - 0.5)
    ]
    return left[0] <= left[1]


def _left_over(cell: _Cell, design: Floats) -> float:
    """What a fit leaves of the shares of months (the deviance of a binomial share, of money up to its scale)."""
    found = fitted(cell.own, cell.total, cell.offset, design)
    if found is None:
        return np.inf
    share, rest = found[1], cell.total - cell.own
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(cell.own > 0, cell.own * np.log(cell.own / (cell.total * share)), 0.0)
        others = np.where(rest > 0, rest * np.log(rest / (cell.total * (1 - share))), 0.0)
    return float(2 * (own + others).sum())


def _all_quiet(fields: Mapping[str, Field], runs: Sequence[tuple[int, int]]) -> dict[tuple[str, str], _Quiet]:
    found = {}
    for kind, field in fields.items():
        for group in field.groups:
            one = _quiet(_Cell.of(field, group), runs)
            if one is not None and one.tried.any():
                found[kind, group] = one
    return found


def _strongest(
    quiet: Mapping[tuple[str, str], _Quiet], *, both: bool, itself: bool
) -> tuple[float, tuple[str, str], int]:
    """The statistic that stands out most, whose it is, and which run; of equals the shorter and the earlier."""
    best: tuple[float, tuple[str, str], int] = (-1.0, ("", ""), 0)
    for key, one in quiet.items():
        values = one.statistics(one.cell.own[None, :], both=both)[0][0]
        open_to = one.tried & one.itself() if itself else one.tried
        values = np.where(open_to, np.abs(values) if both else values, -np.inf)
        at = int(values.argmax())
        if values[at] > best[0]:
            best = float(values[at]), key, at
    return best


def _estimated(
    quiet: Mapping[tuple[str, str], _Quiet],
    runs: Sequence[tuple[int, int]],
    best: tuple[float, tuple[str, str], int],
    *,
    confidence: float,
    p_value: float,
) -> Run | None:
    """The ratio of the two ratios with its limits, the run taken as known; None where the others had nothing in it."""
    _, key, at = best
    one = quiet[key]
    cell, (start, end) = one.cell, runs[at]
    design = np.column_stack([cell.design, one.marks[:, at]])
    found = fitted(cell.own, cell.total, cell.offset, design)
    if found is None:
        return None
    beta, share, inverse = found
    weight = cell.total * share * (1 - share)
    at_work = weight > 0
    freedom = max(int(at_work.sum()) - design.shape[1], 1)
    dispersion = float((((cell.own - cell.total * share) ** 2)[at_work] / weight[at_work]).sum() / freedom)
    error = np.sqrt(inverse[-1, -1] * (max(dispersion, 1.0) if cell.counted else dispersion))
    tail = (1 + confidence) / 2
    reach = error * (
        float(ndtri(tail)) if cell.counted and dispersion <= 1 else float(stdtrit(freedom, tail))
    )
    return Run(
        kind=key[0],
        group=key[1],
        start=start,
        end=end,
        events=float(cell.own[start:end].sum()),
        others=float((cell.total - cell.own)[start:end].sum()),
        ratio=float(np.exp(beta[-1])),
        low=float(np.exp(beta[-1] - reach)),
        high=float(np.exp(beta[-1] + reach)),
        months=int(cell.usable.sum()),
        p_value=p_value,
    )
