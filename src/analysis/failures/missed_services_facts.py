"""Failures while machines were overdue for planned service as facts: how many times as often, how many more, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.failures import money
from analysis.failures.comparing import BEYOND, NO_OTHERS, RATIO_METHOD, Compared
from analysis.failures.field import Field
from analysis.failures.limits import interval_of, jointly, of_what, whole
from analysis.failures.missed_services import NONE_OVERDUE, ServiceTime
from analysis.failures.use import Meters
from analysis.locale import Text
from analysis.metrics import NotDone, cents, traced
from analysis.results import Fact
from analysis.summaries import Summarised

COST_METHOD = "interval of the rate ratio; mean cost per failure held"


@dataclass(frozen=True, kw_only=True, eq=False)
class OverdueAt(Summarised):
    """Machines of a model (or all): what is usual between services (``gap``, in days; None where services come by use), and their failures while overdue."""

    name: Text
    gap: Fact | None
    share: Fact
    failures: Fact
    expected: Fact
    ratio: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class MissedServices(Summarised):
    """Failures while overdue against those of machines served in time, of the same product line, region and age; ``by_use``: services come by use.

    ``excess`` failures and their ``cost`` are those of the whole window.
    """

    by_use: bool
    whole: OverdueAt
    models: tuple[OverdueAt, ...]
    excess: Fact
    cost: Fact
    evidence: pd.DataFrame


@traced
def missed_services_facts(
    field: Field, meters: Meters | NotDone, costs: pd.DataFrame | NotDone
) -> MissedServices | NotDone:
    """Refused where planned services come neither by use nor by the calendar, or where none was ever overdue."""
    time = ServiceTime.of(field, meters)
    if isinstance(time, NotDone):
        return time
    cells = time.compared()
    if not cells["overdue"].any():
        return NONE_OVERDUE
    found = _compared(cells)
    # models are read side by side: their intervals hold together
    names = sorted(cells.loc[cells["overdue"], "model"].unique())
    level = jointly(field.inputs.confidence, len(names))
    models = tuple(_of_model(field, time, cells[cells["model"] == name], str(name), level) for name in names)
    limits = found.limits(field.inputs.confidence) if found.known else (np.nan, np.nan)
    return MissedServices(
        by_use=time.meters is not None,
        whole=_overdue(field, Text.of("All"), cells, found, limits, None),
        models=models if len(models) > 1 else (),
        excess=_excess(field, found, limits),
        cost=_cost(field, found, limits, costs),
        evidence=time.overdue_failures(),
    )


def _compared(cells: pd.DataFrame) -> Compared:
    return Compared.of(cells[cells["overdue"]], cells[~cells["overdue"]])


def _of_model(field: Field, time: ServiceTime, own: pd.DataFrame, model: str, level: float) -> OverdueAt:
    found, usual = _compared(own), time.intervals[model]
    place: dict[str, Any] = {"model": model}
    gap = None
    if time.meters is None:
        gap = _gap(field, usual.median, (usual.low, usual.high), usual.gaps, place)
    limits = found.limits(level) if found.known else (np.nan, np.nan)
    return _overdue(field, field.label("model", model), own, found, limits, gap, level=level, **place)


@traced
def _gap(field: Field, median: float, limits: tuple[float, float], gaps: int, place: dict[str, Any]) -> Fact:
    return field.state.between("service_gap", median, *limits, n=gaps, method="Kaplan–Meier", **place)


@traced
def _overdue(
    field: Field,
    name: Text,
    cells: pd.DataFrame,
    found: Compared,
    limits: tuple[float, float],
    gap: Fact | None,
    *,
    level: float | None = None,
    **place: Any,
) -> OverdueAt:
    state, level = field.state, level or field.inputs.confidence
    late = float(cells.loc[cells["overdue"], "days"].sum())
    whole_time = float(cells["days"].sum())
    reason = NO_OTHERS if not found.lines else BEYOND
    n = int(found.failures)
    parts = {"n": n, "interval": interval_of(*limits, level, RATIO_METHOD)}
    due = {"n": round(found.others)} | (
        {"interval": interval_of(*(found.failures / one for one in limits), level, RATIO_METHOD)}
        if found.known and limits[0] > 0
        else {}
    )
    told = found.known and limits[0] > 0
    return OverdueAt(
        name=name,
        gap=gap,
        share=state.exact("overdue_time_share", late / whole_time if whole_time else None, **place),
        failures=state.exact("overdue_failures", n, **place),
        expected=state.exact(
            "overdue_failures_expected",
            whole(found.expected) if told else None,
            reason=reason,
            parts=due,
            **place,
        ),
        ratio=state.exact(
            "overdue_failure_ratio",
            found.ratio if told else None,
            reason=reason,
            parts=parts if told else {},
            **place,
        ),
    )


@traced
def _excess(field: Field, found: Compared, limits: tuple[float, float]) -> Fact:
    low, high = (found.failures * (1 - 1 / one) if one > 0 else np.nan for one in limits)
    value = found.failures - found.expected if found.known else np.nan
    return field.state.between(
        "overdue_failures_excess",
        whole(value) if np.isfinite(value) else value,
        low,
        high,
        n=int(found.failures),
        method=RATIO_METHOD,
        reason=BEYOND,
    )


@traced
def _cost(field: Field, found: Compared, limits: tuple[float, float], costs: pd.DataFrame | NotDone) -> Fact:
    """The excess at the mean direct cost of a failure of the last twelve months."""
    if isinstance(costs, NotDone):
        reason = of_what(Text.of("not computed"), costs.reason)
        return field.state.exact("overdue_failures_cost", None, reason=reason)
    unit = money.unit_cost(costs).mean
    low, high = (unit * found.failures * (1 - 1 / one) if one > 0 else np.nan for one in limits)
    value = unit * (found.failures - found.expected) if found.known else np.nan
    return field.state.between(
        "overdue_failures_cost",
        cents(value) if np.isfinite(value) else value,
        low,
        high,
        n=int(found.failures),
        method=COST_METHOD,
        reason=BEYOND,
    )
