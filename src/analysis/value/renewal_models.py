"""Contracts to be renewed: shifted beta-geometric by kind (and customer type where that fits better), expansion, and discounted residual value."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True, kw_only=True, eq=False)
class RenewalTest(Summarised):
    """One kind: pooled against apart by customer type and by cohort, by likelihood ratio."""

    kind: str
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
    models : by group (``kind`` or ``kind|customer_type``)
    by_type : kinds whose customer types are kept apart
    tests : what was compared
    counts : one row per kind, customer type, cohort, renewals and outcome
    expansion : by kind, amount after a renewal over amount before it, minus one; ``renewals`` behind it, and its standard ``expansion_error``
    unseen : contracts left out of the fit because their first terms are not in the data
    refused : why there is no model of a kind (``kind``), or why it could not be fitted apart (``kind|split``)
    """

    models: Mapping[str, Any]
    by_type: tuple[str, ...]
    tests: tuple[RenewalTest, ...]
    counts: pd.DataFrame
    expansion: Mapping[str, float]
    renewals: Mapping[str, int]
    unseen: int
    refused: Mapping[str, NotDone] = field(default_factory=dict)
    expansion_error: Mapping[str, float] = field(default_factory=dict)

    def group(self, kind: str, customer_type: str) -> str:
        return (
            f"{kind}|{customer_type}"
            if kind in self.by_type and f"{kind}|{customer_type}" in self.models
            else kind
        )


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
def fitted_at(inputs: StudyInputs, cutoff: dt.date, settings: ValueSettings) -> Renewing:
    """Renewal models of every kind of contract with enough losses; an extended warranty runs out and has none."""
    inputs.engine.require(
        "contracts.customer_id", "contracts.starts_on", "contracts.ends_on", "contracts.amount"
    )
    counts = inputs.engine.query(views.renewals(cutoff))
    seen = counts[counts["seen"].astype(bool)]
    models: dict[str, Any] = {}
    fewest, limit = settings.fewest_losses, settings.growth_limit
    by_type, tests = [], []
    refused: dict[str, NotDone] = {}
    for kind in KINDS:
        rows = seen[seen["kind"] == kind]
        renewed = int(rows.loc[rows["renewals"] > 0, "contracts"].sum())
        if int(rows.loc[rows["outcome"] == "lost", "contracts"].sum()) < fewest or renewed < fewest:
            continue
        try:
            models[kind] = _fit(rows)
        except FitError as refusal:
            refused[kind] = NotDone.because(refusal)
            continue
        for split in ("customer_type", "cohort"):
            try:
                found = _split(rows, models[kind], split, kind, fewest)
            except FitError as refusal:
                refused[f"{kind}|{split}"] = NotDone.because(refusal)
                continue
            if found is None:
                continue
            tested, parts = found
            tests.append(tested)
            if split == "customer_type" and tested.bic_gain > 0:
                by_type.append(kind)
                models |= {f"{kind}|{name}": one for name, one in parts.items()}
    grown = inputs.engine.query(views.expansion(cutoff))
    expansion = {
        str(row.kind): max(-limit, min(limit, float(row.after / row.before) - 1)) for row in tuples(grown)
    }
    return Renewing(
        models=models,
        by_type=tuple(by_type),
        tests=tuple(tests),
        counts=counts,
        expansion=expansion,
        renewals={str(row.kind): int(row.renewals) for row in tuples(grown)},
        unseen=int(counts.loc[~counts["seen"].astype(bool), "contracts"].sum()),
        refused=refused,
        expansion_error={str(row.kind): _ratio_error(row) for row in tuples(grown) if row.renewals > 1},
    )


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
    rows: pd.DataFrame, pooled: Any, split: str, kind: str, fewest: int
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
        kind=kind,
        split=split,
        log_ratio=ratio,
        degrees=degrees,
        p_value=float(chi2.sf(max(ratio, 0.0), degrees)),
        bic_gain=ratio - degrees * math.log(number),
    ), parts


def factors(running: pd.DataFrame, renewing: Renewing, *, months: int, rate: float) -> pd.DataFrame:
    """For each (kind, customer_type, renewals, ahead, term_months): discounted terms still to be paid, and what the next year brings.

    Adds ``grp``, ``terms`` (amounts over the horizon in terms of today's), ``e0`` and ``e1`` (derivatives by the logarithms of alpha and beta), ``renew``
    (chance at the next renewal), ``stay_12m`` and ``next_12m`` (amounts of the next year). Without a model nothing is expected.
    """
    import numpy as np

    rows: list[tuple[Any, ...]] = []
    for row in tuples(running):
        grp = renewing.group(str(row.kind), str(row.customer_type))
        model = renewing.models.get(grp)
        if model is None:
            rows.append((grp, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
            continue
        when = np.arange(int(row.ahead), months + 1, int(row.term_months), dtype=float)
        growth = (1 + renewing.expansion.get(str(row.kind), 0.0)) ** np.arange(1, len(when) + 1)
        weights = growth * (1 + rate) ** (-when / 12)
        terms = float(_survival(model.alpha, model.beta, int(row.renewals), len(when)) @ weights)
        step = 1e-4
        slopes = [
            (
                float(_survival(model.alpha * a, model.beta * b, int(row.renewals), len(when)) @ weights)
                - terms
            )
            / step
            for a, b in ((math.exp(step), 1.0), (1.0, math.exp(step)))
        ]
        near = _survival(model.alpha, model.beta, int(row.renewals), max(len(when), 1))
        soon = when < 12
        rows.append(
            (
                grp,
                terms,
                *slopes,
                float(near[0]),
                float(near[soon][-1]) if soon.any() else 1.0,
                float(near[: int(soon.sum())] @ growth[soon]) if soon.any() else 0.0,
            )
        )
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [()] * 7
    names = ("grp", "terms", "e0", "e1", "renew", "stay_12m", "next_12m")
    return running.assign(**{name: list(column) for name, column in zip(names, columns, strict=True)})


def _survival(alpha: float, beta: float, renewals: int, terms: int) -> np.ndarray:
    """Chance of making each of the next renewals, given those made."""
    import numpy as np

    t = renewals + np.arange(1, terms + 1)
    return np.asarray(np.cumprod((beta + t - 1) / (alpha + beta + t - 1)))


def survivors(counts: pd.DataFrame, kind: str) -> Sequence[tuple[int, int, int]]:
    """(renewal, at risk, renewed) of one kind, all cohorts: the observed chance of renewing."""
    rows = counts[(counts["kind"] == kind) & counts["seen"].astype(bool)]
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
