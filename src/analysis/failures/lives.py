"""How long parts live: Weibull by component, time to first failure, and repeated repairs of one machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import FitError
from analysis.failures.field import Field

if TYPE_CHECKING:
    import pandas as pd

    from analysis.stats.life import WeibullFit
    from analysis.stats.recurrence import MeanCumulativeFunction
    from analysis.stats.survival import SurvivalCurve

DAYS_PER_MONTH = 30.4375
FEWEST_FAILURES = 20
GAP_ERROR = 0.005


@dataclass(frozen=True, kw_only=True, eq=False)
class ComponentLife:
    """One component's Weibull intensity, and how far the fitted count of failures by age departs from the counted one.

    ``worst_gap`` is the largest share by which a span of ages departs, among those that depart by more than chance; zero where none does.
    """

    component: str
    fit: WeibullFit
    failures: int
    worst_gap: float


def stays(field: Field) -> pd.DataFrame:
    """Machines by the ages between which they were watched: ``begin_days``, ``end_days``, ``machines``."""
    first = f"DATE '{field.first.start}'"
    return field.query(
        field.machines,
        select=f"SELECT greatest(date_diff('day', started, {first}), 0) AS begin_days, date_diff('day', started, ended) AS end_days, count(*) AS machines "
        f"FROM machines WHERE ended > {first} GROUP BY ALL ORDER BY 1, 2",
    )


def failure_ages(field: Field) -> pd.DataFrame:
    """Counted failures by component and age: ``component``, ``age_days``, ``failures``."""
    return field.query(
        field.failures,
        select="SELECT component, date_diff('day', started, event_on) AS age_days, count(*) AS failures FROM failed GROUP BY ALL ORDER BY 1, 2",
    )


def component_lives(field: Field) -> tuple[list[ComponentLife], list[str]]:
    """A Weibull intensity for each component with enough failures, and the names of those without.

    A failed component is replaced in a machine that goes on ageing; its failures are taken to depend on the machine's age alone (minimal repair),
    so a failure at age t adds log h(t) and the time watched takes off H(end) − H(begin). Written as rows for :func:`~analysis.stats.fit_weibull`:
    a failure is a unit that entered at its own age; a machine is a unit that entered at ``begin`` and left alive at ``end``.
    """
    watched, ages = stays(field), failure_ages(field)
    fits, thin = [], []
    for component, part in ages.groupby("component", sort=True):
        if part["failures"].sum() < FEWEST_FAILURES:
            thin.append(str(component))
            continue
        try:
            fits.append(_component_life(str(component), part, watched))
        except FitError:
            thin.append(str(component))
    return fits, thin


def _component_life(component: str, part: pd.DataFrame, watched: pd.DataFrame) -> ComponentLife:
    from scipy.stats import norm

    from analysis.stats import fit_weibull

    # a failure on the first day has age 0; half a day stands for "within the day"
    failed = (part["age_days"].to_numpy(dtype=float) + 0.5) / DAYS_PER_MONTH
    begin = watched["begin_days"].to_numpy(dtype=float) / DAYS_PER_MONTH
    end = watched["end_days"].to_numpy(dtype=float) / DAYS_PER_MONTH
    fit = fit_weibull(
        np.r_[failed, end], np.r_[np.ones(len(failed)), np.zeros(len(end))], entry=np.r_[failed * (1 - 1e-9), begin],
        weights=np.r_[part["failures"].to_numpy(dtype=float), watched["machines"].to_numpy(dtype=float)],
    )  # fmt: skip
    weight = watched["machines"].to_numpy(dtype=float)
    edges = np.array([0.0, 6, 12, 24, 36, 48, 72])
    expected = [
        float(weight @ (fit.cumulative_hazard(np.clip(end, low, high)) - fit.cumulative_hazard(np.clip(begin, low, high)))) for low, high in zip(edges[:-1], edges[1:], strict=True)
    ]
    counted = np.histogram(failed, bins=edges, weights=part["failures"])[0]
    usable = [(float(a), e) for a, e in zip(counted, expected, strict=True) if e >= 50]
    # a span of fifty failures departs by a seventh now and then: only what chance does not do is a gap of the fit
    beyond = norm.isf(GAP_ERROR / 2 / max(len(usable), 1))
    gaps = [abs(a / e - 1) for a, e in usable if abs(2 * (np.sqrt(a + 0.375) - np.sqrt(e + 0.125))) > beyond]
    return ComponentLife(component=component, fit=fit, failures=int(part["failures"].sum()), worst_gap=max(gaps, default=0.0))


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
        str(part): kaplan_meier(rows["days"].to_numpy(dtype=float) / DAYS_PER_MONTH, rows["failed"].to_numpy(dtype=bool), weights=rows["machines"].to_numpy(dtype=float))
        for part, rows in frame.groupby("part", sort=True)
    }


def repairs_per_machine(field: Field, *, level: float) -> MeanCumulativeFunction:
    """Mean number of confirmed failures a machine has had by each age (months); machines without one are one row for each distinct stay."""
    from analysis.stats import mean_cumulative_function

    first = f"DATE '{field.first.start}'"
    begin, end = f"greatest(date_diff('day', started, {first}), 0)", "date_diff('day', started, ended)"
    quiet = field.query(
        field.failures,
        select=f"SELECT {begin} AS b, {end} AS e, count(*) AS machines FROM machines WHERE ended > {first} "
        "AND serial_no NOT IN (SELECT serial_no FROM failed) GROUP BY ALL ORDER BY 1, 2",
    )
    loud = field.query(
        field.failures,
        select=f"SELECT serial_no, {begin} AS b, {end} AS e FROM machines WHERE serial_no IN (SELECT serial_no FROM failed) ORDER BY serial_no",
    )
    events = field.query(
        field.failures, select="SELECT serial_no, date_diff('day', started, event_on) AS age FROM failed ORDER BY serial_no, age"
    )
    position = dict(zip(loud["serial_no"], range(len(loud)), strict=True))
    machines = np.r_[np.ones(len(loud)), quiet["machines"].to_numpy(dtype=float)]
    starts = np.r_[loud["b"].to_numpy(dtype=float), quiet["b"].to_numpy(dtype=float)] / DAYS_PER_MONTH
    ends = np.r_[loud["e"].to_numpy(dtype=float), quiet["e"].to_numpy(dtype=float)] / DAYS_PER_MONTH
    # the tolerance keeps a failure on the first day of watching inside the half-open stay
    ages = (events["age"].to_numpy(dtype=float) + 0.5) / DAYS_PER_MONTH
    return mean_cumulative_function(
        [position[serial] for serial in events["serial_no"]], ages, ends=np.maximum(ends, starts + 0.5 / DAYS_PER_MONTH), starts=starts,
        unit_weights=machines, level=level,
    )  # fmt: skip
