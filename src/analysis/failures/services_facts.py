"""Machines due for planned service as facts: by model, by machine, and where services come late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import MissingData
from analysis.failures.field import Field
from analysis.failures.services_due import Due, ServiceInterval, cost_of_services, due
from analysis.failures.use import Meters
from analysis.locale import Text
from analysis.metrics import NotDone, Period, cents, traced
from analysis.results import Fact
from analysis.summaries import Summarised

SHOWN = 20
SUMMED = "sum over machines, normal"
PROJECTED = "normal pace of a quarter"
KAPLAN_MEIER = "Kaplan–Meier"
PAST = Text.of("due at once")
NO_COST = Text.of("not computed: no planned service was costed in twelve months")


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelDue(Summarised):
    """What falls due on the machines of a model, and the use between its services."""

    name: Text
    interval: Fact | None
    machines: Fact
    overdue: Fact
    due: Fact
    services: Fact
    cost: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class MachineDue(Summarised):
    """A machine: where it is, its meter, what it ran since its last service, and the days to the next."""

    serial_no: str
    model: Text
    region: Text
    serviced_on: str
    meter: Fact
    since: Fact
    days: Fact
    overdue: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class LateAt(Summarised):
    """A region where services come late more often than chance has it: the share that was ``late``, and its machines that are ``overdue`` now."""

    name: Text
    late: Fact
    overdue: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class ServicesDue(Summarised):
    """What falls due in ``quarter``: of all models, by model, the first machines, and the regions where services come late."""

    quarter: Period
    whole: ModelDue
    models: tuple[ModelDue, ...]
    first: tuple[MachineDue, ...]
    regions: tuple[LateAt, ...]
    unknown: Fact
    evidence: pd.DataFrame


@traced
def services_facts(field: Field, meters: Meters) -> ServicesDue | NotDone:
    """Services that fall due next quarter; not done where planned services do not come by use."""
    ahead = due(meters)
    if isinstance(ahead, NotDone):
        return ahead
    try:
        costs: pd.DataFrame | NotDone = cost_of_services(meters, field)
    except MissingData as missing:
        costs = NotDone.because(missing)
    machines = ahead.machines
    models = tuple(_of_model(field, ahead, one, costs) for one in ahead.intervals)
    listed = machines[
        [
            "serial_no",
            "model",
            "region",
            "serviced_on",
            "reading",
            "since",
            "interval",
            "overdue",
            "due_in_days",
        ]
    ]
    return ServicesDue(
        quarter=ahead.quarter,
        whole=_whole(field, ahead, costs),
        models=models,
        first=tuple(
            _line(field, ahead, {str(name): value for name, value in row.items()})
            for row in machines.head(SHOWN).to_dict("records")
        ),
        regions=_regions(field, ahead),
        unknown=_number(field, "services_unknown", ahead.unknown),
        evidence=listed.round({"reading": 0, "since": 0, "interval": 0, "due_in_days": 0}),
    )


def _number(field: Field, metric: str, count: int, **place: Any) -> Fact:
    return field.state.exact(metric, count, period=field.last, **place)


@traced
def _expected(
    field: Field, metric: str, mean: pd.Series, variance: pd.Series, quarter: Period, **place: Any
) -> Fact:
    """An expected number over machines that are independent of each other; no fewer than none."""
    from scipy.stats import norm

    total = float(mean.sum())
    reach = float(norm.ppf(0.5 + field.inputs.confidence / 2)) * float(np.sqrt(variance.sum()))
    most = float(len(mean)) if metric == "machines_due" else np.inf
    return field.state.between(
        metric,
        total,
        max(total - reach, 0.0),
        min(total + reach, most),
        n=len(mean),
        method=SUMMED,
        period=quarter,
        **place,
    )


@traced
def _of_model(field: Field, ahead: Due, one: ServiceInterval, costs: pd.DataFrame | NotDone) -> ModelDue:
    own = ahead.machines[ahead.machines["model"] == one.model]
    place: dict[str, Any] = {"model": one.model}
    return ModelDue(
        name=field.label("model", one.model),
        interval=field.state.between(
            "service_interval", one.median, one.low, one.high, n=one.gaps, method=KAPLAN_MEIER, **place
        ),
        cost=_cost(field, ahead, costs, (one.model,), **place),
        **_counted(field, ahead, own, place),
    )


def _whole(field: Field, ahead: Due, costs: pd.DataFrame | NotDone) -> ModelDue:
    names = tuple(one.model for one in ahead.intervals)
    return ModelDue(
        name=Text.of("All"),
        interval=None,
        cost=_cost(field, ahead, costs, names),
        **_counted(field, ahead, ahead.machines, {}),
    )


def _counted(field: Field, ahead: Due, own: pd.DataFrame, place: Mapping[str, str]) -> dict[str, Fact]:
    return {
        "machines": _number(field, "services_machines", len(own), **place),
        "overdue": _number(field, "services_overdue", int(own["overdue"].sum()), **place),
        "due": _expected(
            field, "machines_due", own["chance"], own["chance"] * (1 - own["chance"]), ahead.quarter, **place
        ),
        "services": _expected(
            field, "services_due", own["services"], own["variance"], ahead.quarter, **place
        ),
    }


@traced
def _cost(
    field: Field, ahead: Due, costs: pd.DataFrame | NotDone, models: tuple[str, ...], **place: Any
) -> Fact:
    """Expected services of some models at the mean cost of one; the mean's own error, the number and single services scatter."""
    from scipy.stats import norm

    if isinstance(costs, NotDone):
        return field.state.exact(
            "services_due_cost", None, reason=costs.unstated, period=ahead.quarter, **place
        )
    total = variance = 0.0
    count = 0
    for model in models:
        own, paid = (
            ahead.machines[ahead.machines["model"] == model],
            costs.loc[costs["model"] == model, "amount"],
        )
        if len(paid) < 2:
            return field.state.exact("services_due_cost", None, reason=NO_COST, period=ahead.quarter, **place)
        services, mean, scatter = float(own["services"].sum()), float(paid.mean()), float(paid.var(ddof=1))
        total += services * mean
        variance += (
            services**2 * scatter / len(paid) + mean**2 * float(own["variance"].sum()) + services * scatter
        )
        count += len(paid)
    reach = float(norm.ppf(0.5 + field.inputs.confidence / 2) * np.sqrt(variance))
    return field.state.between(
        "services_due_cost",
        cents(total),
        max(total - reach, 0.0),
        total + reach,
        n=count,
        method=SUMMED,
        period=ahead.quarter,
        **place,
    )


@traced
def _line(field: Field, ahead: Due, row: Mapping[str, Any]) -> MachineDue:
    from scipy.stats import norm

    place: dict[str, Any] = {"serial_no": str(row["serial_no"])}
    reach = float(norm.ppf(0.5 + field.inputs.confidence / 2)) * ahead.spread
    days = float(round(row["due_in_days"]))
    return MachineDue(
        serial_no=str(row["serial_no"]),
        model=field.label("model", str(row["model"])),
        region=field.label("region", str(row["region"])),
        serviced_on=f"{row['serviced_on']:%Y-%m-%d}",
        meter=field.state.exact("machine_meter", float(row["reading"]), period=field.last, **place),
        since=field.state.exact("use_since_service", float(row["since"]), period=field.last, **place),
        days=field.state.between(
            "days_to_service",
            days,
            days / (1 + reach),
            days / max(1 - reach, 0.1),
            n=4,
            method=PROJECTED,
            period=field.last,
            **place,
        )
        if days > 0
        else field.state.exact(
            "days_to_service", 0, period=field.last, parts={"n": 4, "reason": PAST}, **place
        ),
        overdue=bool(row["overdue"]),
    )


@traced
def _regions(field: Field, ahead: Due) -> tuple[LateAt, ...]:
    """Regions where services come late more often than elsewhere beyond chance: hypergeometric, Holm over the regions."""
    from scipy.stats import hypergeom

    from analysis.stats import adjust_p_values

    counted = ahead.late
    every, late = int(counted["gaps"].sum()), int(counted["late"].sum())
    if not late or len(counted) < 2:
        return ()
    chance = hypergeom.sf(counted["late"] - 1, every, late, counted["gaps"])
    named = counted[np.asarray(adjust_p_values(chance, method="holm")) < 1 - field.inputs.confidence]
    named = named.sort_values(["late", "region"], ascending=[False, True], kind="stable")
    rows = zip(map(str, named["region"]), map(int, named["late"]), map(int, named["gaps"]), strict=True)
    return tuple(
        LateAt(
            name=field.label("region", region),
            late=_late(field, came_late, gaps, region),
            overdue=_number(field, "services_overdue", _overdue_at(ahead, region), region=region),
        )
        for region, came_late, gaps in rows
    )


def _overdue_at(ahead: Due, region: str) -> int:
    machines = ahead.machines
    return int((machines["overdue"] & (machines["region"] == region)).sum())


def _late(field: Field, late: int, gaps: int, region: str) -> Fact:
    return field.state.share("services_late_share", late, gaps, period=field.year, region=region)
