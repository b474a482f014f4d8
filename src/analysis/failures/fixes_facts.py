"""Verdicts on registered fixes as facts."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.failures import fixes
from analysis.failures.baseline import Baseline
from analysis.failures.field import Field
from analysis.failures.fixes import Verdict
from analysis.failures.limits import interval_of
from analysis.locale import Text
from analysis.metrics import NotDone, traced
from analysis.params.interventions import Intervention
from analysis.results import Fact
from analysis.summaries import Summarised

METHOD = "exact conditional (two Poisson rates)"


@dataclass(frozen=True, kw_only=True, eq=False)
class FixFacts(Summarised):
    """A registered fix, the failure ratio of machines made with it, and the failures of these machines."""

    fix: Intervention
    name: Text
    ratio: Fact
    failures: Fact
    verdict: Verdict
    evidence: pd.DataFrame


@traced
def fix_facts(field: Field, baseline: Baseline, fix: Intervention, *, level: float) -> FixFacts | NotDone:
    """The verdict on one fix; not done while there is nothing to compare."""
    result = fixes.judged(field, baseline, fix, level=level)
    if isinstance(result, NotDone):
        return result
    limits = interval_of(result.low, result.high, level, METHOD)
    rows = field.rows(f"{result.condition} AND {fixes.made_with(fix)}")
    return FixFacts(
        fix=fix,
        name=fix.name,
        ratio=field.state.exact(
            "fix_rate_ratio", result.rate_ratio, parts={"n": result.failures, "interval": limits}, fix=fix.id
        ),
        failures=field.state.measured("fix_failures", rows, fix=fix.id),
        verdict=result.verdict,
        evidence=field.inputs.engine.query(f"{rows} ORDER BY event_on DESC, ticket_id"),
    )
