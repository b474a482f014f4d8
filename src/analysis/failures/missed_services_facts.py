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
from analysis.failures.services_due import ServiceInterval
from analysis.failures.services_facts import KAPLAN_MEIER
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
    names = sorted(map(str, cells.loc[cells["overdue"], "model"].unique()))
    if not names:
        return NONE_OVERDUE
    # models are read side by side: their intervals hold together
    joint = jointly(field.inputs.confidence, len(names))
    return MissedServices(
        by_use=time.meters is not None,
        whole=_overdue(field, cells, None, field.inputs.confidence),
        models=tuple(_overdue(field, cells, model, joint, time) for model in names) if len(names) > 1 else (),
        excess=_excess(field, cells),
        cost=_cost(field, cells, costs),
        evidence=time.overdue_failures(),
    )


@traced
def _gap(field: Field, usual: ServiceInterval) -> Fact:
    place: dict[str, Any] = {"model": usual.model}
    return field.state.between(
        "service_gap", usual.median, usual.low, usual.high, n=usual.gaps, method=KAPLAN_MEIER, **place
    )


@dataclass(frozen=True, kw_only=True)
class _Held:
    """Failures while overdue held against those in order, with limits of the ratio; ``told`` where the data say how many times as often."""

    found: Compared
    limits: tuple[float, float]

    @classmethod
    def of(cls, cells: pd.DataFrame, level: float) -> _Held:
        found = Compared.of(cells[cells["overdue"]], cells[~cells["overdue"]])
        return cls(found=found, limits=found.limits(level) if found.known else (np.nan, np.nan))

    @property
    def told(self) -> bool:
        return self.found.known and self.limits[0] > 0

    @property
    def excess(self) -> tuple[float, float, float]:
        """Failures beyond those expected, with limits; not numbers where that is not told."""
        if not self.told:
            return np.nan, np.nan, np.nan
        count = self.found.failures
        low, high = (count * (1 - 1 / one) for one in self.limits)
        return count - self.found.expected, low, high


@traced
def _overdue(
    field: Field, cells: pd.DataFrame, model: str | None, level: float, time: ServiceTime | None = None
) -> OverdueAt:
    state, own = field.state, cells if model is None else cells[cells["model"] == model]
    place: dict[str, Any] = {} if model is None else {"model": model}
    held = _Held.of(own, level)
    found, n = held.found, int(held.found.failures)
    late, days = (float(part["days"].sum()) for part in (own[own["overdue"]], own))
    ratio: dict[str, Any] = {"n": n}
    expected: dict[str, Any] = {"n": round(found.others)}
    if held.told:
        least, most = (whole(found.failures / one) for one in reversed(held.limits))
        ratio["interval"] = interval_of(*held.limits, level, RATIO_METHOD)
        expected["interval"] = interval_of(least, most, level, RATIO_METHOD)
    options: dict[str, Any] = {"reason": BEYOND if found.lines else NO_OTHERS, **place}
    return OverdueAt(
        name=Text.of("All") if model is None else field.label("model", model),
        gap=_gap(field, time.intervals[model]) if model and time and time.meters is None else None,
        share=state.exact("overdue_time_share", late / days, **place),
        failures=state.exact("overdue_failures", n, **place),
        expected=state.exact(
            "overdue_failures_expected",
            whole(found.expected) if held.told else None,
            parts=expected,
            **options,
        ),
        ratio=state.exact(
            "overdue_failure_ratio", found.ratio if held.told else None, parts=ratio, **options
        ),
    )


@traced
def _excess(field: Field, cells: pd.DataFrame) -> Fact:
    held = _Held.of(cells, field.inputs.confidence)
    value, low, high = held.excess
    return field.state.between(
        "overdue_failures_excess",
        whole(value) if held.told else value,
        low,
        high,
        n=int(held.found.failures),
        method=RATIO_METHOD,
        reason=BEYOND,
    )


@traced
def _cost(field: Field, cells: pd.DataFrame, costs: pd.DataFrame | NotDone) -> Fact:
    """The excess at the mean direct cost of a failure of the last twelve months."""
    if isinstance(costs, NotDone):
        reason = of_what(Text.of("not computed"), costs.reason)
        return field.state.exact("overdue_failures_cost", None, reason=reason)
    held = _Held.of(cells, field.inputs.confidence)
    value, low, high = (money.unit_cost(costs).mean * part for part in held.excess)
    return field.state.between(
        "overdue_failures_cost",
        cents(value) if held.told else value,
        low,
        high,
        n=int(held.found.failures),
        method=COST_METHOD,
        reason=BEYOND,
    )
