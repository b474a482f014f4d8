"""Did a registered fix work? Machines made with it against those made before, at the same months in service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.failures import views
from analysis.failures.baseline import Baseline
from analysis.failures.field import Field
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.steady import exact_sum
from analysis.params.interventions import Intervention
from analysis.summaries import Summarised

Verdict = Literal["worked", "worse", "no_effect", "too_early"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FixResult(Summarised):
    """Actual over expected failures after the fix, divided by the same before it; ``condition`` chooses the failures compared."""

    fix: Intervention
    condition: str
    failures: int
    expected: float
    failures_before: int
    expected_before: float
    oldest_months: int
    rate_ratio: float
    low: float
    high: float
    verdict: Verdict


NO_FAILURES = Text.of("nothing failed that it could have changed")
NOT_YET = Text.of("no machine made with it is in the field yet")


def made_with(fix: Intervention) -> str:
    """The condition that a machine was made with the fix."""
    return f"produced_month >= {literal(f'{fix.starts:%Y-%m}')}"


@traced
def judged(field: Field, baseline: Baseline, fix: Intervention, *, level: float) -> FixResult | NotDone:
    """Machines of ``fix.where`` produced from ``fix.starts`` on, against those produced before; not done while there are none in the field.

    Only months in service that the new machines have reached are compared; season and reporting are in the expectation. ``too_early`` when
    the promised reduction would be found in fewer than four of five cases with so few failures.
    """
    from analysis.stats import rate_ratio_interval

    components = [fix.component] if fix.component else list(baseline.components)
    known = [k for k, name in enumerate(baseline.components) if name in components]
    if not known:
        return NotDone(reason=NO_FAILURES)
    where, after_fix = views.condition(fix.where), made_with(fix)
    rate = baseline.rate_of([baseline.components[k] for k in known])
    held = field.query(
        field.machines,
        field.exposure("produced_month", where=where),
        baseline.tables(),
        select=f"SELECT {after_fix} AS after, age_months, {exact_sum(f'g.unit_months * ({rate}) * f.factor')} AS expected FROM grid g "
        "JOIN age_rates a USING (age_months) JOIN month_factors f USING (month_no) WHERE produced_month <> 'not_stated' GROUP BY ALL ORDER BY ALL",
    )
    if not held["after"].any():
        return NotDone(reason=NOT_YET)
    oldest = int(held.loc[held["after"], "age_months"].max())
    listed = ", ".join(literal(baseline.components[k]) for k in known)
    compared_rows = (
        f"{where} AND component IN ({listed}) AND age_months <= {oldest} AND produced_month <> 'not_stated'"
    )
    seen = field.query(
        field.failures,
        select=f"SELECT {after_fix} AS after, count(*) AS failures FROM failed WHERE {compared_rows} GROUP BY ALL ORDER BY ALL",
    ).set_index("after")["failures"]
    compared = held[held["age_months"] <= oldest].groupby("after")["expected"].sum()
    after, before = int(seen.get(True, 0)), int(seen.get(False, 0))
    due, due_before = float(compared.get(True, 0.0)), float(compared.get(False, 0.0))
    if due <= 0 or due_before <= 0 or before == 0:
        return NotDone(reason=NO_FAILURES)
    interval = rate_ratio_interval(after, due, before, due_before, level=level)
    return FixResult(
        fix=fix,
        condition=compared_rows,
        failures=after,
        expected=due,
        failures_before=before,
        expected_before=due_before,
        oldest_months=oldest,
        rate_ratio=float(interval.value),
        low=float(interval.low),
        high=float(interval.high),
        verdict=_verdict(
            float(interval.low),
            float(interval.high),
            due * before / due_before,
            before,
            fix.expected_reduction,
            level,
        ),
    )


def _verdict(
    low: float, high: float, unchanged: float, before: int, promised: float, level: float
) -> Verdict:
    """``unchanged`` is the number of failures after the fix had it changed nothing."""
    from scipy.stats import norm

    if high < 1:
        return "worked"
    if low > 1:
        return "worse"
    error = np.sqrt(1 / max(unchanged * (1 - promised), 1e-9) + 1 / before)
    needed = (norm.ppf(0.5 + level / 2) + norm.ppf(0.8)) * error
    return "no_effect" if -np.log1p(-promised) >= needed else "too_early"
