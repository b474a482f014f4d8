"""How long contracts last: curves by group, tests, mean time, and reasons that compete."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from analysis.errors import FitError, MissingData, NothingToCount
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Fact, Interval
from analysis.retention import views
from analysis.retention.drivers import same_customer
from analysis.retention.settings import limit
from analysis.retention.spells import contracts, observed_from
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from analysis.metrics.views.selection import Selection
    from analysis.stats import SurvivalCurve
    from analysis.stats.survival import Weighting

DAYS_PER_MONTH = 365.25 / 12
LIMIT_MONTHS = 36
POINTS = range(37)
MARKS = (0, 12, 24, 36)
# groups that are compared, and within which strata the test looks
STRATA: Mapping[str, Sequence[str]] = {
    "segment": ("kind", "customer_type"),
    "customer_type": ("kind",),
    "contract_kind": (),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class SurvivalGroup(Summarised):
    """One group's curve: survival by month of age, numbers at risk, restricted mean and its difference to the largest group, which comes first."""

    dimension: str
    value: str
    label: Text
    points: tuple[tuple[int, Fact], ...]
    at_risk: tuple[tuple[int, Fact], ...]
    mean: Fact
    difference: Fact | None


@dataclass(frozen=True, kw_only=True, eq=False)
class ContractSurvival(Summarised):
    """Survival of contracts.

    ``by`` holds the curves by dimension; ``p_values`` a log-rank test within strata of contract kind (and, for the segment, customer type), ``weighted`` the
    same with Peto–Peto weights; ``incidence`` cumulative loss by reason. ``from_start``: nothing says when observation began, so every contract is
    followed from its start, as if all that ever began were on file.
    """

    observed_from: dt.date
    from_start: bool
    by: Mapping[str, tuple[SurvivalGroup, ...]]
    p_values: Mapping[str, float]
    weighted: Mapping[str, float]
    incidence: tuple[tuple[str, Text, tuple[tuple[int, Fact], ...]], ...]
    rows: pd.DataFrame


@traced
def survival(inputs: StudyInputs) -> ContractSurvival:
    """Curves by customer type, segment at the start, and contract kind.

    Raises
    ------
    MissingData : no contracts, or none that was lost
    """
    inputs.engine.require("contracts.customer_id", "contracts.starts_on", "contracts.ends_on")
    since, from_start = _since(inputs)
    lives = views.lifetimes(contracts(inputs), inputs.month.end, observed_from=since)
    lives = replace(lives, sql=f"SELECT * FROM {inputs.engine.materialise('lifetimes', lives.sql)}")
    rows = inputs.engine.query(views.life_patterns(str(lives)))
    if rows.empty or not rows["lost"].any():
        raise NothingToCount("contracts.starts_on")
    period = Period(Month.parse(since), inputs.month)
    by: dict[str, tuple[SurvivalGroup, ...]] = {}
    p_values: dict[str, float] = {}
    weighted: dict[str, float] = {}
    for dimension, strata in STRATA.items():
        column = _column(dimension)
        sizes = rows.groupby(column)["customers"].sum()
        groups = sorted(
            sizes[sizes >= limit(inputs, "retention_fewest_customers")].index,
            key=lambda value: (-sizes[value], value),
        )
        if len(groups) < 2:
            continue
        by[dimension] = _curves(inputs, rows, lives, dimension, groups, period)
        chosen = rows[rows[column].isin(groups)]
        p_values[dimension] = groups_differ(chosen, column, strata, "log_rank")
        weighted[dimension] = groups_differ(chosen, column, strata, "peto_peto")
    return ContractSurvival(
        observed_from=since,
        from_start=from_start,
        by=by,
        p_values=p_values,
        weighted=weighted,
        incidence=_incidence(inputs, rows, period),
        rows=rows,
    )


def _column(dimension: str) -> str:
    return "kind" if dimension == "contract_kind" else dimension


@traced
def _since(inputs: StudyInputs) -> tuple[dt.date, bool]:
    """When observation began: with the first service record, or, where there is none, with the first contract."""
    try:
        return observed_from(inputs), False
    except MissingData:
        first = inputs.engine.query(f"WITH {contracts(inputs)} SELECT min(begins) AS first FROM spells")[
            "first"
        ].iloc[0]
        if first is None or first != first:
            raise NothingToCount("contracts.starts_on") from None
        return (first.date() if isinstance(first, dt.datetime) else first), True


@traced
def groups_differ(rows: pd.DataFrame, column: str, strata: Sequence[str], weighting: Weighting) -> float:
    """Log-rank; where customers have several spells, which are not several customers, the Wald test of a Cox model with errors by customer."""
    from analysis import stats

    labels = rows.groupby(list(strata), sort=True).ngroup().to_numpy() if strata else None
    by_customer = same_customer(rows)
    if by_customer and weighting == "log_rank":
        # a group without a loss has no coefficient; the log-rank test below needs none
        with contextlib.suppress(FitError):
            return _by_customer(rows, column, labels, by_customer)
    return float(
        stats.log_rank(
            rows["duration"],
            rows["lost"],
            rows[column].to_numpy(dtype=str),
            entry=_entry(rows),
            weights=rows["customers"],
            strata=labels,
            weighting=weighting,
        ).p_value
    )


def _by_customer(
    rows: pd.DataFrame, column: str, strata: NDArray[np.integer[Any]] | None, same: Mapping[str, Any]
) -> float:
    import pandas as pd

    from analysis import stats

    largest = rows.groupby(column)["customers"].sum().idxmax()
    groups = pd.get_dummies(rows[column], dtype=float).drop(columns=largest)
    fit = stats.cox(
        groups,
        rows["duration"],
        rows["lost"],
        entry=_entry(rows),
        weights=rows["customers"],
        strata=strata,
        **same,
    )
    return fit.wald[2]


@traced
def _entry(rows: pd.DataFrame) -> pd.Series:
    """A contract seen from its first day enters just before it, so that a loss on the first day counts."""
    return rows["entry"].where(rows["entry"] > 0, -1)


@traced
def curve(rows: pd.DataFrame, *, level: float) -> SurvivalCurve:
    from analysis import stats

    return stats.kaplan_meier(
        rows["duration"], rows["lost"], entry=_entry(rows), weights=rows["customers"], level=level
    )


@traced
def _curves(
    inputs: StudyInputs,
    rows: pd.DataFrame,
    lives: Selection,
    dimension: str,
    groups: Sequence[str],
    period: Period,
) -> tuple[SurvivalGroup, ...]:
    """One curve per group, the largest first; each mean against the first."""
    column = _column(dimension)
    found = {value: curve(rows[rows[column] == value], level=inputs.confidence) for value in groups}
    state = Stating(inputs=inputs, period=period)
    made: list[SurvivalGroup] = []
    first = found[groups[0]]
    for value, one in found.items():
        mean = _mean(state, one, {dimension: value})
        listed = lives.of(**{column: value})
        made.append(
            SurvivalGroup(
                dimension=dimension,
                value=value,
                label=inputs.engine.registry.value_label(dimension, value),
                points=_points(state, one, {dimension: value}),
                at_risk=_at_risk(state, listed, {dimension: value}),
                mean=mean,
                difference=_against(state, (one, mean), (first, made[0].mean), dimension, groups[0])
                if made
                else None,
            )
        )
    return tuple(made)


def _points(state: Stating, one: SurvivalCurve, place: Mapping[str, Any]) -> tuple[tuple[int, Fact], ...]:
    """Survival by month of age."""
    table = one.at([month * DAYS_PER_MONTH for month in POINTS])
    return tuple(
        (
            month,
            state.between(
                "contract_survival",
                float(survival),
                low,
                high,
                method="Kaplan–Meier, log-log",
                n=int(one.subjects),
                age=str(month),
                **place,
            ),
        )
        for month, survival, low, high in zip(
            POINTS, table["survival"], table["low"], table["high"], strict=True
        )
    )


def _at_risk(state: Stating, listed: Selection, place: Mapping[str, Any]) -> tuple[tuple[int, Fact], ...]:
    """Contracts seen at each mark: those that had entered before it and ended or were last seen at it or later, so that groups add up to all."""
    made = []
    for mark in MARKS:
        age = mark * DAYS_PER_MONTH
        # as for the curve, who is seen from the first day was there just before it
        there = listed.where(f"(entry <= 0 OR entry < {age!r})", f"duration >= {age!r}")
        made.append((mark, state.measured("contracts_at_risk", there, age=str(mark), **place)))
    return tuple(made)


MEAN_METHOD = "Area under Kaplan–Meier"
TOO_SHORT = Text.of("not computed: no contract of the group was followed for as long")


def _mean(state: Stating, one: SurvivalCurve, place: Mapping[str, Any]) -> Fact:
    """The restricted mean in months; where follow-up is too short, the reason."""
    try:
        found = one.restricted_mean(LIMIT_MONTHS * DAYS_PER_MONTH)
    except FitError:  # the one reason that a curve made of these rows can have
        return state.exact("restricted_mean_tenure", None, reason=TOO_SHORT, **place)
    value, low, high = (number / DAYS_PER_MONTH for number in (found.value, found.low, found.high))
    return state.between(
        "restricted_mean_tenure", value, low, high, method=MEAN_METHOD, n=int(one.subjects), **place
    )


def _against(
    state: Stating,
    group: tuple[SurvivalCurve, Fact],
    first: tuple[SurvivalCurve, Fact],
    dimension: str,
    against: str,
) -> Fact:
    """The mean of a group minus that of the largest, with the interval of the difference."""
    from analysis import stats

    (one, mean), (other, base) = group, first
    parts: dict[str, Any] = {}
    if mean.value is not None and base.value is not None:
        found = stats.restricted_mean_difference(one, other, limit=LIMIT_MONTHS * DAYS_PER_MONTH)
        parts["interval"] = Interval(
            low=found.low / DAYS_PER_MONTH,
            high=found.high / DAYS_PER_MONTH,
            level=state.inputs.confidence,
            method=MEAN_METHOD,
        )
        parts["n"] = int(one.subjects)
    place: dict[str, Any] = {dimension: mean.dimensions[dimension], "against": against}
    return state.derived("restricted_mean_tenure_difference", mean, base, parts=parts, **place)


@traced
def _incidence(
    inputs: StudyInputs, rows: pd.DataFrame, period: Period
) -> tuple[tuple[str, Text, tuple[tuple[int, Fact], ...]], ...]:
    """Cumulative loss by recorded reason, largest first."""
    from analysis import stats

    found = stats.aalen_johansen(
        rows["duration"],
        rows["reason"].to_numpy(dtype=str),
        entry=_entry(rows),
        weights=rows["customers"],
        level=inputs.confidence,
        censored="",
    )
    state, n, lines = Stating(inputs=inputs, period=period), int(rows["customers"].sum()), []
    table = found.at([month * DAYS_PER_MONTH for month in POINTS])
    for reason, part in table.groupby("cause"):
        points = []
        columns = (part["incidence"], part["low"], part["high"])
        for month, value, low, high in zip(POINTS, *columns, strict=True):
            fact = state.between(
                "loss_incidence",
                float(value),
                low,
                high,
                method="Aalen–Johansen",
                n=n,
                churn_reason=str(reason),
                age=str(month),
            )
            points.append((month, fact))
        label = inputs.engine.registry.value_label("churn_reason", str(reason))
        lines.append((str(reason), label, tuple(points)))
    return tuple(sorted(lines, key=lambda line: (-float(line[2][-1][1].value or 0), line[0])))
