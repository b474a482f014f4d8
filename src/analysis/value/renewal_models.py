"""Contracts to be renewed: shifted beta-geometric by kind and length of term (and customer type where that fits better), expansion, and discounted residual value."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from analysis.errors import FitError
from analysis.metrics import NotDone, StudyInputs
from analysis.metrics.lineage import traced
from analysis.summaries import Summarised
from analysis.value import views
from analysis.value.base import tuples
from analysis.value.settings import ValueSettings

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

KINDS = ("subscription", "maintenance", "extended_warranty")


@dataclass(frozen=True, kw_only=True)
class Terms(Summarised):
    """Contracts of one kind whose terms are of one length, in months; ``alone`` where the kind has no other.

    A month's renewal is another decision than a year's, and a rise from term to term another rise: they are fitted apart.
    """

    kind: str
    length: int
    alone: bool = True

    @property
    def name(self) -> str:
        """The kind, and the months where it is sold by several lengths: ``subscription/12``."""
        return self.kind if self.alone else f"{self.kind}/{self.length}"


@dataclass(frozen=True, kw_only=True, eq=False)
class RenewalTest(Summarised):
    """One name of :class:`Terms`: pooled against apart by customer type and by cohort, by likelihood ratio."""

    terms: str
    split: str
    log_ratio: float
    degrees: int
    p_value: float
    bic_gain: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Renewing(Summarised):
    """Fitted contracts at one cutoff.

    Attributes
    ----------
    terms : lengths of term with a model, by name
    models : by group (a name of ``terms``, or ``name|customer_type``)
    by_type : names whose customer types are kept apart
    tests : what was compared
    counts : one row per kind, length of term, customer type, cohort, renewals and outcome
    expansion : by name, amount after a renewal over amount before it, minus one; ``renewals`` behind it, and its standard ``expansion_error``
    growth : by name, what of the expansion is carried forward at each renewal: no more than the limit for a year
    unseen : contracts left out of the fit because their first terms are not in the data
    refused : why there is no model (name), or why it could not be fitted apart (``name|split``)
    """

    terms: Mapping[str, Terms]

    models: Mapping[str, Any]
    by_type: tuple[str, ...]
    tests: tuple[RenewalTest, ...]
    counts: pd.DataFrame
    expansion: Mapping[str, float]
    renewals: Mapping[str, int]
    unseen: int
    refused: Mapping[str, NotDone] = field(default_factory=dict)
    expansion_error: Mapping[str, float] = field(default_factory=dict)
    growth: Mapping[str, float] = field(default_factory=dict)

    def nearest(self, kind: str, months: int) -> Terms | None:
        """The terms whose model holds for those of ``months``: of the kind, the nearest in length by ratio, the shorter of two."""
        known = [one for one in self.terms.values() if one.kind == kind]
        return min(known, key=lambda one: (abs(math.log(months / one.length)), one.length), default=None)

    def group(self, name: str, customer_type: str) -> str:
        apart = f"{name}|{customer_type}"
        return apart if name in self.by_type and apart in self.models else name


def histories(counts: pd.DataFrame) -> list[list[float]]:
    """Cohorts as ``fit_sbg`` wants them. Contracts lost at the t-th renewal, and those still running after c, each make one: n, n, …, 0 or n, n, …, n."""
    cohorts = []
    for row in tuples(counts.groupby(["renewals", "outcome"], sort=True)["contracts"].sum().reset_index()):
        number, made = float(row.contracts), int(row.renewals)
        if row.outcome == "lost":
            cohorts.append([number] * (made + 1) + [0.0])
        elif made:
            cohorts.append([number] * (made + 1))
    return cohorts


@traced
def fitted_at(
    inputs: StudyInputs, cutoff: dt.date, settings: ValueSettings, lengths: Sequence[Terms] | None = None
) -> Renewing:
    """Renewal models of every kind of contract with enough losses; an extended warranty runs out and has none.

    ``lengths`` : the terms that are fitted whatever their losses, in place of those with enough: what is compared with another month has its models.
    """
    inputs.engine.require(
        "contracts.customer_id", "contracts.starts_on", "contracts.ends_on", "contracts.amount"
    )
    counts = inputs.engine.query(views.renewals(cutoff))
    seen = counts[counts["seen"].astype(bool)]
    known: dict[str, Terms] = {}
    models: dict[str, Any] = {}
    by_type, tests = [], []
    refused: dict[str, NotDone] = {}
    for terms in _lengths(seen, settings.fewest_losses) if lengths is None else lengths:
        rows = of_terms(seen, terms)
        try:
            models[terms.name] = _fit(rows)
        except FitError as refusal:
            refused[terms.name] = NotDone.because(refusal)
            continue
        known[terms.name] = terms
        for split in ("customer_type", "cohort"):
            try:
                found = _split(rows, models[terms.name], split, terms.name, settings.fewest_losses)
            except FitError as refusal:
                refused[f"{terms.name}|{split}"] = NotDone.because(refusal)
                continue
            if found is None:
                continue
            tested, parts = found
            tests.append(tested)
            if split == "customer_type" and tested.bic_gain > 0:
                by_type.append(terms.name)
                models |= {f"{terms.name}|{name}": one for name, one in parts.items()}
    grown = {
        (str(row.kind), int(row.length)): row for row in tuples(inputs.engine.query(views.expansion(cutoff)))
    }
    rows_of = {
        name: grown[one.kind, one.length] for name, one in known.items() if (one.kind, one.length) in grown
    }
    expansion = {name: float(row.after / row.before) - 1 for name, row in rows_of.items()}
    return Renewing(
        terms=known,
        models=models,
        by_type=tuple(by_type),
        tests=tuple(tests),
        counts=counts,
        expansion=expansion,
        growth={
            name: carried(rise, known[name].length, settings.growth_limit) for name, rise in expansion.items()
        },
        renewals={name: int(row.renewals) for name, row in rows_of.items()},
        unseen=int(counts.loc[~counts["seen"].astype(bool), "contracts"].sum()),
        refused=refused,
        expansion_error={name: _ratio_error(row) for name, row in rows_of.items() if row.renewals > 1},
    )


def carried(rise: float, months: int, limit: float) -> float:
    """The rise of one renewal that is carried forward: within the stated ``limit`` of a year, whatever the length of the term."""
    low, high = (float((1 + side * limit) ** (months / 12)) - 1 for side in (-1, 1))
    return max(low, min(high, rise))


def _lengths(seen: pd.DataFrame, fewest: int) -> list[Terms]:
    """Lengths of term of every kind with as many losses, and renewals, as a model needs, in the order of the kinds, the shortest first."""
    found: list[Terms] = []
    for kind in KINDS:
        every = [
            Terms(kind=kind, length=int(n)) for n in sorted(seen.loc[seen["kind"] == kind, "length"].unique())
        ]
        enough = [one for one in every if _enough(of_terms(seen, one), fewest)]
        found += [replace(one, alone=len(enough) == 1) for one in enough]
    return found


def of_terms(counts: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    """The rows of one kind and length of term."""
    return counts[(counts["kind"] == terms.kind) & (counts["length"] == terms.length)]


def _enough(rows: pd.DataFrame, fewest: int) -> bool:
    """Whether as many were lost, and as many renewed, as a model needs."""
    renewed = int(rows.loc[rows["renewals"] > 0, "contracts"].sum())
    return min(renewed, int(rows.loc[rows["outcome"] == "lost", "contracts"].sum())) >= fewest


def _ratio_error(row: Any) -> float:
    """Standard error of the ratio of two sums over renewals (Cochran 1977, Sampling Techniques, 6.3)."""
    ratio, count = float(row.after / row.before), int(row.renewals)
    squares = float(row.a2) - 2 * ratio * float(row.ab) + ratio**2 * float(row.b2)
    return math.sqrt(max(squares, 0.0) * count / (count - 1)) / float(row.before)


@dataclass(frozen=True, kw_only=True, eq=False)
class ConstantFit(Summarised):
    """Stands where a :class:`~analysis.stats.ContractModel` would: the covariance of its logarithms."""

    log_covariance: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class ConstantRenewal(Summarised):
    """Every customer renews with one and the same chance: the limit of the shifted beta-geometric without differences between customers.

    ``alpha`` and ``beta`` are as of that limit: huge, their ratio is what counts; only alpha is uncertain.
    """

    alpha: float
    beta: float
    log_likelihood: float
    fit: ConstantFit


_HUGE = 1e7


def _fit(rows: pd.DataFrame) -> Any:
    """Shifted beta-geometric; where customers do not differ (it then has no finite estimate), one chance for all."""
    from analysis import stats

    cohorts = histories(rows)
    try:
        return stats.fit_sbg(cohorts)
    except FitError:
        return constant_renewal(cohorts)


def constant_renewal(cohorts: Sequence[Sequence[float]]) -> ConstantRenewal:
    import numpy as np

    lost = sum(cohort[-2] - cohort[-1] for cohort in cohorts)
    due = sum(sum(cohort[:-1]) for cohort in cohorts)
    if not 0 < lost < due:
        raise FitError(
            "{lost} of {due} renewals were missed; a chance of renewing cannot be told",
            lost=f"{lost:g}",
            due=f"{due:g}",
        )
    leave = lost / due
    return ConstantRenewal(
        alpha=leave * _HUGE,
        beta=(1 - leave) * _HUGE,
        log_likelihood=lost * math.log(leave) + (due - lost) * math.log1p(-leave),
        fit=ConstantFit(log_covariance=np.array([[1 / (due * leave * (1 - leave)), 0.0], [0.0, 0.0]])),
    )


def _split(
    rows: pd.DataFrame, pooled: Any, split: str, terms: str, fewest: int
) -> tuple[RenewalTest, dict[str, Any]] | None:
    """Apart by ``split`` against pooled; None where fewer than two parts have the losses for a model of their own.

    Raises
    ------
    FitError
        A part in which everybody leaves.
    """
    from scipy.stats import chi2

    kept = [
        name
        for name, part in rows.groupby(split, sort=True)
        if part.loc[part["outcome"] == "lost", "contracts"].sum() >= fewest
    ]
    inside = rows[rows[split].isin(kept)]
    if len(kept) < 2:
        return None
    whole = pooled if len(inside) == len(rows) else _fit(inside)
    parts = {str(name): _fit(part) for name, part in inside.groupby(split, sort=True)}
    ratio = 2 * (sum(one.log_likelihood for one in parts.values()) - whole.log_likelihood)
    degrees = 2 * (len(parts) - 1)
    number = float(inside["contracts"].sum())
    return RenewalTest(
        terms=terms,
        split=split,
        log_ratio=ratio,
        degrees=degrees,
        p_value=float(chi2.sf(max(ratio, 0.0), degrees)),
        bic_gain=ratio - degrees * math.log(number),
    ), parts


def factors(running: pd.DataFrame, renewing: Renewing, *, months: int, rate: float) -> pd.DataFrame:
    """For each (kind, customer_type, renewals, ahead, term_months): discounted terms still to be paid, and what the next year brings.

    Adds ``grp``, ``terms`` (amounts over the horizon in terms of today's), ``e0`` and ``e1`` (derivatives by the logarithms of alpha and beta), ``renew``
    (chance at the next renewal), ``stay_12m``, ``next_12m`` (amounts of the next year), and ``held`` and ``held_12m`` (discounted years under contract, over
    the horizon and the next year). Renewed terms count up to the length of the horizon, the last by its part; without a model nothing is expected.
    """
    made = [_factors(row, renewing, months, rate) for row in tuples(running)]
    return running.assign(**{name: [one[place] for one in made] for place, name in enumerate(_FACTORS)})


_FACTORS = ("grp", "terms", "e0", "e1", "renew", "stay_12m", "next_12m", "held", "held_12m")


def _factors(row: Any, renewing: Renewing, months: int, rate: float) -> tuple[Any, ...]:
    import numpy as np

    ahead, term = int(row.ahead), int(row.term_months)
    terms = renewing.nearest(str(row.kind), term)
    if terms is None:
        return str(row.kind), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, *_held(ahead, term, np.zeros(0), months, rate)
    grp, pace = renewing.group(terms.name, str(row.customer_type)), term / terms.length
    model = renewing.models[grp]
    when = np.arange(ahead, months, term, dtype=float)
    growth = (1 + renewing.growth.get(terms.name, 0.0)) ** (pace * np.arange(1, len(when) + 1))
    weights = growth * _part(len(when), term, months) * (1 + rate) ** (-when / 12)

    def chances(alpha: float, beta: float, number: int) -> np.ndarray:
        return _survival(alpha, beta, int(row.renewals), number, pace)

    worth = float(chances(model.alpha, model.beta, len(when)) @ weights)
    step = 1e-4
    slopes = [
        (float(chances(model.alpha * a, model.beta * b, len(when)) @ weights) - worth) / step
        for a, b in ((math.exp(step), 1.0), (1.0, math.exp(step)))
    ]
    near = chances(model.alpha, model.beta, max(len(when), 1))
    soon = int((when < 12).sum())
    return (
        grp,
        worth,
        *slopes,
        float(near[0]),
        float(near[soon - 1]) if soon else 1.0,
        float(near[:soon] @ (growth[:soon] * _part(soon, term, 12))),
        *_held(ahead, term, near[: len(when)], months, rate),
    )


def _part(number: int, term: int, months: int) -> np.ndarray:
    """What of each renewed term counts: all of it until ``months`` are reached."""
    import numpy as np

    return np.clip((months - term * np.arange(number)) / term, 0.0, 1.0)


def _held(ahead: int, term: int, near: np.ndarray, months: int, rate: float) -> tuple[float, float]:
    """Discounted years under contract over ``months``, and years under it over the next twelve: month by month, each with its chance."""
    import numpy as np

    month = np.arange(months)
    made = np.where(month < ahead, 0, (month - ahead) // term + 1)
    there = np.concatenate([[1.0], near, np.zeros(months)])[made]
    return float(there @ (1 + rate) ** (-(month + 0.5) / 12)) / 12, float(there[:12].sum()) / 12


def _survival(alpha: float, beta: float, renewals: int, terms: int, pace: float = 1.0) -> np.ndarray:
    """Chance of making each of the next renewals, given those made.

    ``pace`` is the length of the term in those of the model: a month's terms under the model of yearly ones make a year's chance in twelve renewals.
    """
    import numpy as np

    if pace == 1.0:
        t = renewals + np.arange(1, terms + 1)
        return np.asarray(np.cumprod((beta + t - 1) / (alpha + beta + t - 1)))
    reached = pace * (renewals + np.arange(terms + 1))
    t = np.arange(1, math.ceil(reached[-1]) + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log((beta + t - 1) / (alpha + beta + t - 1)))])
    found = np.interp(reached, np.arange(len(logs)), logs)
    return np.asarray(np.exp(found[1:] - found[0]))


def survivors(counts: pd.DataFrame, terms: Terms) -> Sequence[tuple[int, int, int]]:
    """(renewal, at risk, renewed) of one kind and length of term, all cohorts: the observed chance of renewing."""
    rows = of_terms(counts[counts["seen"].astype(bool)], terms)
    most = int(rows["renewals"].max()) if len(rows) else 0
    found = []
    for renewal in range(1, most + 2):
        renewed = int(rows.loc[rows["renewals"] >= renewal, "contracts"].sum())
        lost = int(
            rows.loc[(rows["renewals"] == renewal - 1) & (rows["outcome"] == "lost"), "contracts"].sum()
        )
        if renewed + lost:
            found.append((renewal, renewed + lost, renewed))
    return found
