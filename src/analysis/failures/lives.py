"""How long parts live: Weibull by component, time to first failure, and repeated repairs of one machine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.errors import FitError
from analysis.failures.field import Field
from analysis.failures.life_models import DAYS_PER_MONTH, AgeCounts
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.steady import exact_sum
from analysis.metrics.views import month_index, month_number
from analysis.metrics.views.selection import study_view
from analysis.periods import Month
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

    from analysis.failures.localising import Cause
    from analysis.stats.life import WeibullFit
    from analysis.stats.recurrence import MeanCumulativeFunction
    from analysis.stats.survival import SurvivalCurve

Floats = NDArray[np.float64]
FEWEST_FAILURES = 20
GAP_ERROR = 0.005
TOO_FEW = NotDone(reason=Text.of("too few failures"))


@dataclass(frozen=True, kw_only=True, eq=False)
class ComponentLife(Summarised):
    """One component's Weibull intensity, and how far the fitted count of failures by age departs from the counted one.

    ``worst_gap`` is the largest share by which a span of ages departs, among those that depart by more than chance; zero where none does.
    """

    component: str
    fit: WeibullFit
    failures: int
    worst_gap: float
    counts: AgeCounts


@traced
def stays(field: Field, where: str = "TRUE") -> pd.DataFrame:
    """Machines that meet a condition by the ages between which they were watched: ``begin_days``, ``end_days``, ``machines``."""
    first = f"DATE '{field.first.start}'"
    return field.query(
        field.machines,
        select=f"SELECT greatest(date_diff('day', started, {first}), 0) AS begin_days, date_diff('day', started, ended) AS end_days, count(*) AS machines "
        f"FROM machines WHERE ended > {first} AND {where} GROUP BY ALL ORDER BY 1, 2",
    )


@traced
def failure_ages(field: Field, where: str = "TRUE") -> pd.DataFrame:
    """Counted failures that meet a condition by component and age: ``component``, ``age_days``, ``failures``."""
    return field.query(
        field.failures,
        select="SELECT component, date_diff('day', started, event_on) AS age_days, count(*) AS failures "
        f"FROM failed WHERE {where} GROUP BY ALL ORDER BY 1, 2",
    )


@traced
def component_lives(field: Field) -> tuple[list[ComponentLife], dict[str, NotDone]]:
    """A Weibull intensity for each component with enough failures, on the machines that carry it, and why there is none for the others.

    A failed component is replaced in a machine that goes on ageing; its failures are taken to depend on the machine's age alone (minimal repair),
    so a failure at age t adds log h(t) and the time watched takes off H(end) − H(begin). Written as rows for :func:`~analysis.stats.fit_weibull`:
    a failure is a unit that entered at its own age; a machine is a unit that entered at ``begin`` and left alive at ``end``.
    """
    ages = failure_ages(field)
    fits: list[ComponentLife] = []
    without: dict[str, NotDone] = {}
    for component, part in ages.groupby("component", sort=True):
        life = _fitted(str(component), part, stays(field, field.carriers.where(str(component))))
        if isinstance(life, NotDone):
            without[str(component)] = life
        else:
            fits.append(life)
    return fits, without


@dataclass(frozen=True, kw_only=True, eq=False)
class LifeApart(Summarised):
    """The life of a component on the machines that belong together: those of one ``cause``, those outside its causes (``outside``), or all (neither).

    ``life`` is not done where these machines have too few failures or cannot be fitted; ``oldest`` is their highest age in months.
    """

    component: str
    cause: Cause | None
    outside: tuple[Cause, ...]
    life: ComponentLife | NotDone
    oldest: float

    @property
    def machines(self) -> str:
        """The condition that a machine is one of them."""
        if self.cause is not None:
            return inside(self.cause)
        return " AND ".join(f"NOT {inside(cause)}" for cause in self.outside) or "TRUE"


def inside(cause: Cause) -> str:
    """The condition that a machine belongs to a cause."""
    return f"coalesce({cause.machines}, FALSE)"


@traced
def lives_apart(
    field: Field, fitted: Sequence[ComponentLife], causes: Sequence[Cause]
) -> dict[str, tuple[LifeApart, ...]]:
    """What can be said of each component's life, the steepest component first.

    One life of two populations describes neither, so a component whose failures the search explained has a life for the machines of each cause
    and one for all others, whether or not they can be fitted; a life of all machines together is said only of the other components.
    """
    explained = {cause.component for cause in causes if cause.component}
    found: dict[str, tuple[LifeApart, ...]] = {
        life.component: (
            LifeApart(
                component=life.component, cause=None, outside=(), life=life, oldest=_oldest(field, life)
            ),
        )
        for life in fitted
        if life.component not in explained
    }
    for component in sorted(explained):
        own = tuple(cause for cause in causes if cause.component == component)
        groups: list[tuple[Cause | None, tuple[Cause, ...]]] = [*((cause, ()) for cause in own), (None, own)]
        found[component] = tuple(_life_apart(field, component, cause, outside) for cause, outside in groups)
    return dict(sorted(found.items(), key=lambda one: (-_steepest(one[1]), one[0])))


@traced
def _oldest(field: Field, life: ComponentLife) -> float:
    """The highest age in months of a machine that carries the component of a life."""
    carried = field.by_line[
        [
            field.carriers.carries(life.component, str(line), str(model))
            for line, model in zip(field.by_line["product_line"], field.by_line["model"], strict=True)
        ]
    ]
    return float(carried["age_months"].max())


def _steepest(parts: Sequence[LifeApart]) -> float:
    return max((part.life.fit.shape for part in parts if part.life), default=0.0)


@traced
def _life_apart(field: Field, component: str, cause: Cause | None, outside: tuple[Cause, ...]) -> LifeApart:
    part = LifeApart(component=component, cause=cause, outside=outside, life=TOO_FEW, oldest=0.0)
    watched = stays(field, f"{part.machines} AND {field.carriers.where(component)}")
    ages = failure_ages(field, f"{part.machines} AND component = {literal(component)}")
    oldest = float(watched["end_days"].max()) / DAYS_PER_MONTH if len(watched) else 0.0
    return replace(part, life=_fitted(component, ages, watched), oldest=oldest)


@traced
def _fitted(component: str, part: pd.DataFrame, watched: pd.DataFrame) -> ComponentLife | NotDone:
    if part["failures"].sum() < FEWEST_FAILURES:
        return TOO_FEW
    try:
        return _component_life(component, part, watched)
    except FitError as refusal:
        return NotDone.because(refusal)


@traced
def _component_life(component: str, part: pd.DataFrame, watched: pd.DataFrame) -> ComponentLife:
    from scipy.stats import norm

    from analysis.stats import fit_weibull

    # a failure on the first day has age 0; half a day stands for "within the day"
    failed = (part["age_days"].to_numpy(dtype=float) + 0.5) / DAYS_PER_MONTH
    begin = watched["begin_days"].to_numpy(dtype=float) / DAYS_PER_MONTH
    end = watched["end_days"].to_numpy(dtype=float) / DAYS_PER_MONTH
    fit = fit_weibull(
        np.r_[failed, end],
        np.r_[np.ones(len(failed)), np.zeros(len(end))],
        entry=np.r_[failed * (1 - 1e-9), begin],
        weights=np.r_[part["failures"].to_numpy(dtype=float), watched["machines"].to_numpy(dtype=float)],
    )
    weight = watched["machines"].to_numpy(dtype=float)
    edges = np.array([0.0, 6, 12, 24, 36, 48, 72])
    expected = [
        float(
            weight
            @ (
                fit.cumulative_hazard(np.clip(end, low, high))
                - fit.cumulative_hazard(np.clip(begin, low, high))
            )
        )
        for low, high in zip(edges[:-1], edges[1:], strict=True)
    ]
    counted = np.histogram(failed, bins=edges, weights=part["failures"])[0]
    usable = [(float(a), e) for a, e in zip(counted, expected, strict=True) if e >= 50]
    # a span of fifty failures departs by a seventh now and then: only what chance does not do is a gap of the fit
    beyond = norm.isf(GAP_ERROR / 2 / max(len(usable), 1))
    gaps = [abs(a / e - 1) for a, e in usable if abs(2 * (np.sqrt(a + 0.375) - np.sqrt(e + 0.125))) > beyond]
    return ComponentLife(
        component=component,
        fit=fit,
        failures=int(part["failures"].sum()),
        worst_gap=max(gaps, default=0.0),
        counts=AgeCounts.of(part, watched),
    )


@traced
def first_failures(field: Field, *, by: str | None = None) -> dict[str, SurvivalCurve]:
    """Share of machines without any confirmed failure by months in service, of machines that went into service within the window.

    Older machines may have failed before the window, so their first failure is not known.
    """
    from analysis.stats import kaplan_meier

    first = f"DATE '{field.first.start}'"
    group = by or "'all'"
    frame = field.query(
        field.failures,
        "firsts AS (SELECT serial_no, min(event_on) AS failed_on FROM failed GROUP BY ALL)",
        select=f"SELECT {group} AS part, date_diff('day', m.started, coalesce(f.failed_on, m.ended)) AS days, f.failed_on IS NOT NULL AS failed, "
        f"count(*) AS machines FROM machines m LEFT JOIN firsts f USING (serial_no) WHERE m.started >= {first} GROUP BY ALL ORDER BY 1, 2, 3",
    )
    return {
        str(part): kaplan_meier(
            rows["days"].to_numpy(dtype=float) / DAYS_PER_MONTH,
            rows["failed"].to_numpy(dtype=bool),
            weights=rows["machines"].to_numpy(dtype=float),
        )
        for part, rows in frame.groupby("part", sort=True)
    }


@study_view
def followed(field: Field, where: str = "TRUE") -> str:
    """The repairs that were watched for all the days of the rule, with the ``month`` of their resolution."""
    resolved = (
        f"SELECT * REPLACE (CAST(date_trunc('month', resolved_on) AS DATE) AS month), {month_number('resolved_on')} AS month_no "
        "FROM repair_outcomes"
    )
    return f"SELECT * FROM ({resolved}) WHERE window_ends_on <= {literal(field.horizon)} AND {where}"


def last_followed(field: Field) -> int:
    """The last month whose repairs all have their days of follow-up behind them."""
    days = field.inputs.engine.rules.repeat_repair_days
    unfollowed = field.horizon - dt.timedelta(
        days=days - 1
    )  # the first day whose repairs are not followed to their end
    return min(month_index(Month(unfollowed.year, unfollowed.month)) - 1, month_index(field.last))


GRID_MONTHS = 3


@traced
def repairs_per_machine(field: Field, *, level: float) -> MeanCumulativeFunction:
    """Mean number of confirmed failures that a machine has had, at every third month of age.

    The estimate and variance of :func:`~analysis.stats.mean_cumulative_function`, added up in the database: the variance is the sum over machines of
    (A - B) squared, A what a machine's own failures added and B what the mean adds while it is watched; A squared and A times B come as sums by age.
    """
    import pandas as pd
    import pyarrow as pa

    from analysis.stats.recurrence import MeanCumulativeFunction, with_interval

    watched = stays(field)
    begin, end, machines = (
        watched[name].to_numpy(dtype=float) for name in ("begin_days", "end_days", "machines")
    )
    counted = failure_ages(field).groupby("age_days", sort=True)["failures"].sum()
    day, failures = counted.index.to_numpy(dtype=np.int64), counted.to_numpy(dtype=float)
    # a machine of a single day is watched for that day; a failure of day a lies at a + 1/2
    until = np.maximum(end, begin + 1)
    middle: Floats = day.astype(float) + 0.5
    at_risk: Floats = np.subtract(_below(begin, machines, middle), _below(until, machines, middle))
    inverse, pull = 1 / at_risk, failures / at_risk**2
    pulled = np.r_[0.0, np.cumsum(pull)]

    def until_day(days: Floats) -> Floats:
        return np.asarray(pulled[np.searchsorted(middle, days, side="right")])

    months = np.arange(GRID_MONTHS, int(end.max() / DAYS_PER_MONTH) + 1, GRID_MONTHS)
    grid = months * DAYS_PER_MONTH
    days = np.arange(0, int(until.max()) + 1)
    step = np.full(len(days), np.nan)
    step[day] = inverse
    ages = pa.table(
        {
            "day": days,
            "inverse": step,
            "pulled": until_day(days.astype(float)),
            "bucket": np.searchsorted(grid, days + 0.5),
            "passed": np.searchsorted(grid, days.astype(float)),
        }
    )
    name = field.inputs.engine.lend("failures_ages", ages)
    first = f"DATE '{field.first.start}'"
    each = (
        f"each AS (SELECT f.serial_no, a.day, a.inverse, a.bucket, b.pulled AS at_begin, e.pulled AS at_end, e.passed FROM failed f JOIN {name} a ON a.day = date_diff('day', f.started, f.event_on) "
        f"JOIN {name} b ON b.day = greatest(date_diff('day', f.started, {first}), 0) JOIN {name} e ON e.day = greatest(date_diff('day', f.started, f.ended), b.day + 1))"
    )
    mixed = field.query(
        field.failures,
        each,
        select=f"SELECT bucket, passed, {exact_sum('inverse')} AS own, {exact_sum('inverse * at_end')} AS own_end, {exact_sum('inverse * at_begin')} AS own_begin FROM each GROUP BY ALL ORDER BY ALL",
    )
    squared = field.query(
        field.failures,
        each,
        "running AS (SELECT bucket, inverse, sum(inverse) OVER (PARTITION BY serial_no ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS held FROM each)",
        select=f"SELECT bucket, {exact_sum('(2 * held - inverse) * inverse')} AS squared FROM running GROUP BY ALL ORDER BY ALL",
    )
    rows, total = [], np.cumsum(failures * inverse)
    for k, t in enumerate(grid):
        before = mixed[mixed["bucket"] <= k]
        gone = before["passed"] <= k
        product = (
            before.loc[gone, "own_end"].sum()
            + until_day(t) * before.loc[~gone, "own"].sum()
            - before["own_begin"].sum()
        )
        mean = np.maximum(until_day(np.minimum(until, t)) - until_day(begin), 0.0)
        variance = (
            float(squared.loc[squared["bucket"] <= k, "squared"].sum())
            - 2 * float(product)
            + float(machines @ mean**2)
        )
        seen = int(np.searchsorted(middle, t, side="right"))
        rows.append(
            (
                float(months[k]),
                float(failures[:seen].sum()),
                float(total[seen - 1]) if seen else 0.0,
                float(np.sqrt(max(variance, 0.0))),
            )
        )
    table = pd.DataFrame(rows, columns=["age", "events", "mcf", "standard_error"])
    return MeanCumulativeFunction(
        table=with_interval(table[table["mcf"] > 0].reset_index(drop=True), level, "log"),
        units=float(machines.sum()),
        events=float(failures.sum()),
        last_age=float(until.max() / DAYS_PER_MONTH),
        level=level,
        method="Lawless-Nadeau variance, log interval",
    )


@traced
def _below(ages: Floats, weight: Floats, at: Floats) -> Floats:
    """Total weight of the entries strictly below each of ``at``."""
    order = np.argsort(ages, kind="stable")
    running = np.r_[0.0, np.cumsum(weight[order])]
    return np.asarray(running[np.searchsorted(ages[order], at, side="left")])
