"""Is the failure rate under control, and is anything new coming up?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.failures import views
from analysis.failures.baseline import DUE, Baseline
from analysis.failures.field import Field
from analysis.failures.forecasting import Intensity
from analysis.failures.reporting import Delay, share_by_month
from analysis.metrics import Period
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.views import month_index
from analysis.params.interventions import Intervention
from analysis.periods import Month
from analysis.summaries import Summarised

if TYPE_CHECKING:
    from analysis.stats.control import ControlChart

Floats = NDArray[np.float64]
RECENT_MONTHS = 3


def recent(field: Field) -> Period:
    """The months that are judged as new."""
    return Period(field.last - (RECENT_MONTHS - 1), field.last)


LEAST_EXPECTED = 5.0
WATCHED = ("model", "supplier", "plant", "region")


@dataclass(frozen=True, kw_only=True, eq=False)
class RateCharts(Summarised):
    """The same points judged in several ways; ``main`` is the one that is drawn.

    rules : the same chart with every Nelson and Western Electric rule; ewma, cusum : smoothed and summed, for small lasting shifts
    """

    main: ControlChart
    rules: ControlChart
    ewma: ControlChart
    cusum: ControlChart


@traced
def rate_charts(field: Field, baseline: Baseline, intensity: Intensity, delay: Delay) -> RateCharts:
    """The rate chart with its own rule, with all rules, and as EWMA and CUSUM on the base it chose."""
    from analysis.stats import control_chart
    from analysis.stats.control import RULE_SETS

    failures, sizes, suspects = _rate_points(field, baseline, intensity, delay)
    main = control_chart("auto_u", failures, sizes, rules="nelson_1", suspects=suspects)
    every = (*RULE_SETS["nelson"], *RULE_SETS["western_electric"])
    return RateCharts(
        main=main,
        rules=control_chart(main.kind, failures, sizes, rules=every, suspects=suspects),
        ewma=control_chart("ewma", failures, sizes, base=main.kind, suspects=suspects),
        cusum=control_chart("cusum", failures, sizes, base=main.kind, suspects=suspects),
    )


@traced
def phase_chart(field: Field, baseline: Baseline, fix: Intervention) -> ControlChart | None:
    """Actual to expected failures per month of the machines and component a fix is for, limits anew from the month it began.

    Expected is what all other machines would have had in their place (where the fix is for all machines: all of them over the whole window);
    age, season and reporting are in it. None where a month expects less than one failure or a phase is too short.
    """
    from analysis.stats import control_chart

    wanted = [fix.component] if fix.component else list(baseline.components)
    known = [k for k, name in enumerate(baseline.components) if name in wanted]
    starts = month_index(Month(fix.starts.year, fix.starts.month)) - month_index(field.first)
    if not known or not 6 <= starts <= len(field.months) - 4:
        return None
    named, where = [baseline.components[k] for k in known], views.condition(fix.where)
    due = baseline.by_month(field, where, named)
    if due.empty:  # no machine that the fix is for is in the field
        return None
    levels = _levels_elsewhere(field, baseline, fix, named, due)
    leveled = (due * due.index.get_level_values("product_line").map(levels)).groupby(level="month_no").sum()
    listed = ", ".join(map(literal, named))
    seen = field.query(
        field.failures,
        select=f"SELECT month_no, count(*) AS failures FROM failed WHERE {where} AND component IN ({listed}) GROUP BY ALL ORDER BY ALL",
    ).set_index("month_no")["failures"]
    number = [month_index(month) for month in field.months]
    expected = [float(leveled.get(k, 0.0)) for k in number]
    if min(expected) < 1:
        return None
    phases = ["before"] * starts + ["after"] * (len(number) - starts)
    return control_chart(
        "auto_u", [float(seen.get(k, 0)) for k in number], expected, rules="western_electric", phases=phases
    )


@traced
def _levels_elsewhere(
    field: Field, baseline: Baseline, fix: Intervention, named: list[str], due: pd.Series
) -> dict[str, float]:
    """Actual over expected failures of the machines that a fix is not for, by product line; one where there are none."""
    levels = dict.fromkeys(baseline.rates, 1.0)
    if not fix.where:
        return levels
    rest = (
        baseline.by_month(field, "TRUE", named).sub(due, fill_value=0.0).groupby(level="product_line").sum()
    )
    listed = ", ".join(map(literal, named))
    failed = field.query(
        field.failures,
        select="SELECT product_line, count(*) AS failures FROM failed "
        f"WHERE NOT coalesce({views.condition(fix.where)}, FALSE) AND component IN ({listed}) GROUP BY ALL ORDER BY ALL",
    )
    for line, others in zip(failed["product_line"], failed["failures"], strict=True):
        if rest[line] > 1e-6:
            levels[str(line)] = float(others) / float(rest[line])
    return levels


@traced
def _rate_points(
    field: Field, baseline: Baseline, intensity: Intensity, delay: Delay
) -> tuple[list[float], Floats, list[int] | None]:
    """Failures per month over thousand unit-months at equal product line, age and season, the exposure of young months cut to what is reported.

    A season that returns every year is no signal, nor is a field that grows older. The last months are judged by limits from the months before.
    """
    counts = field.failure_counts.groupby("month_no")["failures"].sum()
    first = month_index(field.first)
    failures = [float(counts.get(first + k, 0)) for k in range(len(field.months))]
    weighed = baseline.due_by_month
    mean_rate = float(weighed.sum() / field.by_age["unit_months"].sum())
    season = np.array([intensity.factor(month) for month in field.months]) / float(intensity.season.mean())
    sizes = weighed / mean_rate * season * share_by_month(delay, field.months, field.horizon) / 1000
    suspects = (
        list(range(max(0, len(field.months) - RECENT_MONTHS), len(field.months)))
        if len(field.months) >= 12
        else None
    )
    return failures, np.asarray(sizes, dtype=float), suspects


@dataclass(frozen=True, kw_only=True, eq=False)
class Watch(Summarised):
    """Every watched cell in the last months against its own past, and what survived.

    cells : ``component``, ``dimension``, ``value``, ``failures``, ``expected`` (recent), ``past_failures``, ``past_expected``, ``rate_ratio``, ``low``,
        ``high``, ``p_adjusted``
    false_alarms : share of simulated quiet months with any alert; detected : share of simulations that find a doubled rate in a cell of
        median size after one, two and three months of it
    """

    cells: pd.DataFrame
    familywise: float
    false_alarms: float
    detected: tuple[float, ...]
    simulations: int

    @property
    def alerts(self) -> pd.DataFrame:
        return self.cells[self.cells["p_adjusted"] <= self.familywise].sort_values(
            ["p_adjusted", "component", "dimension", "value"], kind="stable"
        )


@traced
def emerging(
    field: Field, baseline: Baseline, *, familywise: float, level: float, seed: int, simulations: int = 1000
) -> Watch | None:
    """Cells of component by model, supplier, plant or region whose failures of the last months rose against their own past.

    Compared are ratios of actual to expected (age, season and reporting are in the expectation), so that a cell that has always been bad is no
    news. Exact test given the total (Przyborowski and Wilenski 1940), one-sided, Holm over all cells with at least five failures expected.
    """
    cells = judged(_watched(field, baseline), level=level)
    if cells.empty:
        return None
    share = (cells["expected"] / (cells["expected"] + cells["past_expected"])).to_numpy()
    alarms, detected = _performance(cells, share, familywise=familywise, seed=seed, simulations=simulations)
    return Watch(
        cells=cells, familywise=familywise, false_alarms=alarms, detected=detected, simulations=simulations
    )


@traced
def judged(cells: pd.DataFrame, *, level: float) -> pd.DataFrame:
    """Cells that expect enough now and before, with ``rate_ratio``, its interval and ``p_adjusted`` (one-sided, Holm)."""
    from analysis.stats import adjust_p_values, rate_ratio_interval

    cells = cells[
        (cells["expected"] >= LEAST_EXPECTED) & (cells["past_expected"] >= LEAST_EXPECTED)
    ].reset_index(drop=True)
    if cells.empty:
        return cells
    now, then = cells["failures"].to_numpy(dtype=float), cells["past_failures"].to_numpy(dtype=float)
    share = (cells["expected"] / (cells["expected"] + cells["past_expected"])).to_numpy()
    interval = rate_ratio_interval(now, cells["expected"], then, cells["past_expected"], level=level)
    p_value = _upper_tail(now, now + then, share)
    return cells.assign(
        rate_ratio=interval.value,
        low=interval.low,
        high=interval.high,
        p_adjusted=adjust_p_values(p_value, method="holm"),
    )


@traced
def margins(counted: pd.DataFrame) -> pd.DataFrame:
    """One row per component and value of each watched attribute, from rows of all attributes together."""
    values = ["failures", "expected", "past_failures", "past_expected"]
    made = [
        counted.groupby(["component", name], as_index=False, sort=True)[values]
        .sum()
        .rename(columns={name: "value"})
        .assign(dimension=name)
        for name in WATCHED
        if counted[name].nunique() > 1
    ]
    return pd.concat(made, ignore_index=True)


@traced
def _watched(field: Field, baseline: Baseline) -> pd.DataFrame:
    border = month_index(field.last) - RECENT_MONTHS + 1
    names = ", ".join(WATCHED)
    wide = field.query(
        *baseline.parts(field, *WATCHED),
        select=f"SELECT {names}, g.month_no >= {border} AS recent, {baseline.sums()} FROM {DUE} GROUP BY ALL ORDER BY ALL",
    )
    failed = field.query(
        field.failures,
        select=f"SELECT {names}, month_no >= {border} AS recent, component, count(*) AS failures FROM failed GROUP BY ALL ORDER BY ALL",
    )
    rows = []
    for dimension in WATCHED:
        if wide[dimension].nunique() < 2:
            continue
        due = wide.groupby([dimension, "recent"], sort=True)[
            [f"x{k}" for k in range(len(baseline.components))]
        ].sum()
        seen = failed.groupby([dimension, "component", "recent"], sort=True)["failures"].sum()
        for value in sorted(wide[dimension].unique()):
            for k, component in enumerate(baseline.components):
                at: dict[str, Any] = {"component": component, "dimension": dimension, "value": value}
                for recent, prefix in ((True, ""), (False, "past_")):
                    at[f"{prefix}failures"] = float(seen.get((value, component, recent), 0))
                    at[f"{prefix}expected"] = float(due[f"x{k}"].get((value, recent), 0.0))
                rows.append(at)
    columns = ["component", "dimension", "value", "failures", "expected", "past_failures", "past_expected"]
    return pd.DataFrame(rows, columns=columns)


@traced
def _upper_tail(count: Floats, total: Floats, share: Floats) -> Floats:
    """Probability of at least ``count`` of ``total`` when each falls here with ``share``."""
    from scipy.special import betainc

    return np.where(count > 0, betainc(np.maximum(count, 1e-300), total - count + 1, share), 1.0)


@traced
def _performance(
    cells: pd.DataFrame, share: Floats, *, familywise: float, seed: int, simulations: int
) -> tuple[float, tuple[float, ...]]:
    """False alarms with nothing planted and detections of a doubled rate in the cell of median size, by simulation at the cells' own expectations."""
    generator = np.random.default_rng(seed)
    now, then = cells["expected"].to_numpy(), cells["past_expected"].to_numpy()
    past = generator.poisson(then, (simulations, len(then))).astype(float)
    recent = generator.poisson(now, (simulations, len(now))).astype(float)
    p_value = _upper_tail(recent, recent + past, share)
    # Holm's first step decides whether there is any alert at all
    alarms = float((p_value.min(axis=1) * len(now) <= familywise).mean())
    middle = int(np.argsort(now, kind="stable")[len(now) // 2])
    detected = []
    for months in range(1, RECENT_MONTHS + 1):
        counts = generator.poisson(now[middle] * (1 + months / RECENT_MONTHS), simulations).astype(float)
        tail = _upper_tail(counts, counts + past[:, middle], share[middle])
        detected.append(float((tail * len(now) <= familywise).mean()))
    return alarms, tuple(detected)
