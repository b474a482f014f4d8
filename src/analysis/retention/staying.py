"""How long contracts last: curves by group, tests, mean time, and reasons that compete."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from analysis.errors import FitError, MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.standing import contracts, observed_from
from analysis.retention.stating import estimate, plain
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

    from analysis.stats import SurvivalCurve
    from analysis.stats.survival import Weighting

DAYS_PER_MONTH = 365.25 / 12
LIMIT_MONTHS = 36
POINTS = range(37)
MARKS = (0, 12, 24, 36)


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupCurve(Summarised):
    """One group's curve: survival by month of age, numbers at risk, restricted mean and its difference to the largest group, which comes first."""

    dimension: str
    value: str
    label: Text
    points: tuple[tuple[int, Fact], ...]
    at_risk: tuple[tuple[int, Fact], ...]
    mean: Fact
    difference: Fact | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Staying(Summarised):
    """Survival of contracts.

    ``by`` holds the curves by dimension; ``p_values`` a log-rank test within strata of contract kind (and, for the segment, customer type), ``weighted`` the
    same with Peto–Peto weights; ``incidence`` cumulative loss by reason. ``from_start``: nothing says when observation began, so every contract is
    followed from its start, as if all that ever began were on file.
    """

    observed_from: dt.date
    from_start: bool
    by: Mapping[str, tuple[GroupCurve, ...]]
    p_values: Mapping[str, float]
    weighted: Mapping[str, float]
    incidence: tuple[tuple[str, Text, tuple[tuple[int, Fact], ...]], ...]
    rows: pd.DataFrame


@traced
def staying(inputs: StudyInputs) -> Staying:
    """Curves by customer type, segment at the start, and contract kind."""
    inputs.engine.require("contracts.customer_id", "contracts.starts_on", "contracts.ends_on")
    since, from_start = _since(inputs)
    rows = inputs.engine.query(views.lifetimes(contracts(inputs), inputs.month.end, observed_from=since))
    if rows.empty or not rows["lost"].any():
        raise MissingData("contracts.starts_on")
    period = Period(Month.parse(since), inputs.month)
    by: dict[str, tuple[GroupCurve, ...]] = {}
    p_values: dict[str, float] = {}
    weighted: dict[str, float] = {}
    for dimension, strata in (
        ("segment", ["kind", "customer_type"]),
        ("customer_type", ["kind"]),
        ("contract_kind", []),
    ):
        column = "kind" if dimension == "contract_kind" else dimension
        sizes = rows.groupby(column)["customers"].sum()
        groups = sorted(sizes[sizes >= 50].index, key=lambda value: (-sizes[value], value))
        if len(groups) < 2:
            continue
        chosen = rows[rows[column].isin(groups)]
        by[dimension] = _curves(inputs, chosen, dimension, column, groups, period)
        p_values[dimension] = _tested(chosen, column, strata, "log_rank")
        weighted[dimension] = _tested(chosen, column, strata, "peto_peto")
    return Staying(
        observed_from=since,
        from_start=from_start,
        by=by,
        p_values=p_values,
        weighted=weighted,
        incidence=_incidence(inputs, rows, period),
        rows=rows,
    )


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
            raise MissingData("contracts.starts_on") from None
        return (first.date() if isinstance(first, dt.datetime) else first), True


@traced
def _tested(rows: pd.DataFrame, column: str, strata: Sequence[str], weighting: Weighting) -> float:
    from analysis import stats

    labels = rows.groupby(list(strata), sort=True).ngroup().to_numpy() if strata else None
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
    dimension: str,
    column: str,
    groups: Sequence[str],
    period: Period,
) -> tuple[GroupCurve, ...]:
    from analysis import stats

    found = {value: curve(rows[rows[column] == value], level=inputs.confidence) for value in groups}
    first = found[groups[0]]
    lines = []
    for value, one in found.items():
        place, n = {dimension: value}, int(one.subjects)
        table = one.at([month * DAYS_PER_MONTH for month in POINTS])
        points, at_risk = [], []
        for month, row in zip(POINTS, table.to_dict("records"), strict=True):
            spot = {**place, "age": str(month)}
            points.append(
                (
                    month,
                    estimate(
                        inputs,
                        "contract_survival",
                        row["survival"],
                        row["low"],
                        row["high"],
                        method="Kaplan–Meier, log-log",
                        period=period,
                        dimensions=spot,
                        n=n,
                    ),
                )
            )
            if month in MARKS:
                at_risk.append(
                    (
                        month,
                        plain(
                            inputs, "contracts_at_risk", int(row["at_risk"]), period=period, dimensions=spot
                        ),
                    )
                )
        lines.append(
            GroupCurve(
                dimension=dimension,
                value=value,
                label=inputs.engine.registry.value_label(dimension, value),
                points=tuple(points),
                at_risk=tuple(at_risk),
                mean=_months(
                    inputs,
                    "restricted_mean_tenure",
                    partial(one.restricted_mean, LIMIT_MONTHS * DAYS_PER_MONTH),
                    period,
                    place,
                    n,
                ),
                difference=None
                if one is first
                else _months(
                    inputs,
                    "restricted_mean_tenure_difference",
                    partial(
                        stats.restricted_mean_difference, one, first, limit=LIMIT_MONTHS * DAYS_PER_MONTH
                    ),
                    period,
                    {**place, "against": groups[0]},
                    n,
                ),
            )
        )
    return tuple(lines)


def _months(
    inputs: StudyInputs,
    metric: str,
    compute: Callable[[], Any],
    period: Period,
    place: Mapping[str, str],
    n: int,
) -> Fact:
    """A restricted mean in months; where follow-up is too short, the reason."""
    nan = float("nan")
    try:
        found = compute()
        value, low, high = (number / DAYS_PER_MONTH for number in (found.value, found.low, found.high))
    except FitError:
        value = low = high = nan
    return estimate(
        inputs,
        metric,
        value,
        low,
        high,
        method="Area under Kaplan–Meier",
        period=period,
        dimensions=place,
        n=n,
    )


@traced
def _incidence(
    inputs: StudyInputs, rows: pd.DataFrame, period: Period
) -> tuple[tuple[str, Text, tuple[tuple[int, Fact], ...]], ...]:
    """Cumulative loss by recorded reason, largest first."""
    import numpy as np

    from analysis import stats

    table = stats.aalen_johansen(
        rows["duration"],
        rows["reason"].to_numpy(dtype=str),
        entry=_entry(rows),
        weights=rows["customers"],
        level=inputs.confidence,
        censored="",
    )
    n, lines = int(rows["customers"].sum()), []
    for reason, part in table.groupby("cause"):
        times = part["time"].to_numpy()
        points = []
        for month in POINTS:
            at = int(np.searchsorted(times, month * DAYS_PER_MONTH, side="right")) - 1
            value, low, high = part[["incidence", "low", "high"]].iloc[at] if at >= 0 else (0.0, 0.0, 0.0)
            points.append(
                (
                    month,
                    estimate(
                        inputs,
                        "loss_incidence",
                        value,
                        low,
                        high,
                        method="Aalen–Johansen",
                        period=period,
                        dimensions={"churn_reason": str(reason), "age": str(month)},
                        n=n,
                    ),
                )
            )
        lines.append(
            (str(reason), inputs.engine.registry.value_label("churn_reason", str(reason)), tuple(points))
        )
    return tuple(sorted(lines, key=lambda line: (-float(line[2][-1][1].value or 0), line[0])))
