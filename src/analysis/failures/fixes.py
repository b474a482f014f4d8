"""Did a registered fix work? Machines made with it against those made before, at the same months in service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.failures import views
from analysis.failures.baseline import DUE, Baseline
from analysis.failures.comparing import Compared
from analysis.failures.field import Field
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.params.interventions import Intervention
from analysis.summaries import Summarised

Verdict = Literal["worked", "worse", "no_effect", "too_early"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FixResult(Summarised):
    """Failures of machines made with the fix over those ``expected`` at the level of those before it; ``condition`` chooses the failures compared."""

    fix: Intervention
    condition: str
    failures: int
    expected: float
    failures_before: int
    oldest_months: int
    rate_ratio: float
    low: float
    high: float
    verdict: Verdict


NO_FAILURES = Text.of("nothing failed that it could have changed")
TOO_YOUNG = Text.of("less than one failure was due on machines made with it")
NOT_YET = Text.of("no machine made with it is in the field yet")


def made_with(fix: Intervention) -> str:
    """The condition that a machine was made with the fix."""
    return f"produced_month >= {literal(f'{fix.starts:%Y-%m}')}"


@traced
def judged(field: Field, baseline: Baseline, fix: Intervention, *, level: float) -> FixResult | NotDone:
    """Machines of ``fix.where`` produced from ``fix.starts`` on, against those of their product line produced before; not done while none are in the field.

    Only months in service that the new machines have reached are compared; season and reporting are in the expectation. ``too_early`` when
    the promised reduction would be found in fewer than four of five cases with so few failures.
    """
    import pandas as pd

    components = [fix.component] if fix.component else list(baseline.components)
    known = [k for k, name in enumerate(baseline.components) if name in components]
    if not known:
        return NotDone(reason=NO_FAILURES)
    where, after_fix = views.condition(fix.where), made_with(fix)
    due = baseline.sum_of([baseline.components[k] for k in known])
    held = field.query(
        *baseline.parts(field, "produced_month", where=where),
        select=f"SELECT product_line, {after_fix} AS after, age_months, {due} AS expected FROM {DUE} "
        "WHERE produced_month <> 'not_stated' GROUP BY ALL ORDER BY ALL",
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
        select=f"SELECT product_line, {after_fix} AS after, count(*) AS failures FROM failed WHERE {compared_rows} GROUP BY ALL ORDER BY ALL",
    )
    reached = held[held["age_months"] <= oldest].groupby(["product_line", "after"])["expected"].sum()
    counted = seen.set_index(["product_line", "after"])["failures"].astype(float)
    cells = pd.concat([reached, counted], axis=1).fillna(0.0).reset_index()
    compared = Compared.of(cells[cells["after"]], cells[~cells["after"]])
    before = int(cells.loc[~cells["after"] & cells["product_line"].isin(compared.lines), "failures"].sum())
    if not compared.lines or before == 0:
        return NotDone(reason=NO_FAILURES)
    low, high = compared.limits(level)
    verdict = _verdict(low, high, compared.expected, compared.others, fix.expected_reduction, level)
    if verdict == "too_early" and not compared.known:
        return NotDone(reason=TOO_YOUNG)
    return FixResult(
        fix=fix,
        condition=compared_rows,
        failures=int(compared.failures),
        expected=compared.expected,
        failures_before=before,
        oldest_months=oldest,
        rate_ratio=compared.ratio,
        low=low,
        high=high,
        verdict=verdict,
    )


def _verdict(
    low: float, high: float, unchanged: float, before: float, promised: float, level: float
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
