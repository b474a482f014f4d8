"""Machines due for planned service next quarter: the use between services as the company's own orders have it, and how far each machine is.

A service is an order of maintenance that names no component (the exchange of one is no service of the machine). Nothing is said of models whose
services do not come by use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from analysis.failures.field import Field
from analysis.failures.use import Meters
from analysis.locale import Text
from analysis.metrics import NotDone, Period, traced
from analysis.metrics.backend import literal
from analysis.metrics.views import at
from analysis.summaries import Summarised

FEWEST_GAPS = 30
NEAR = 0.2
"""Services come by use where half of the uses between them lie within this share of their median; a machine is overdue beyond it."""
BY_USE = 0.5
SILENT_DAYS = 92
"""Days since its last reading from which a machine is too long unread to be projected: a quarter."""
NO_SERVICE = NotDone(reason=Text.of("too few planned services with a meter reading between them"))
NOT_BY_USE = NotDone(reason=Text.of("planned services do not come by use"))


@dataclass(frozen=True, kw_only=True, eq=False)
class ServiceInterval(Summarised):
    """Use between two services of a model's machines: the median with the uses that still run censored, of so many ``gaps``; ``regular`` is the share near it."""

    model: str
    median: float
    low: float
    high: float
    gaps: int
    regular: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Due(Summarised):
    """What falls due in ``quarter``, the three months after the report month.

    machines : one row per machine whose last service and pace are known: ``since`` (use since its last service), ``interval``, ``overdue``,
        ``chance`` that it is due within the quarter, ``services`` expected in it with their ``variance``, ``due_in_days``
    late : by ``region``, the uses between services that ended in the last twelve months or run beyond their interval by more than a fifth (``gaps``), and how
        many of them are so long (``late``)
    unknown : machines of these models that are in the field and of which no service or no recent reading is known
    spread : relative standard deviation of a machine's use of a quarter about its pace
    """

    quarter: Period
    intervals: tuple[ServiceInterval, ...]
    machines: pd.DataFrame
    late: pd.DataFrame
    unknown: int
    spread: float


@traced
def services(meters: Meters) -> pd.DataFrame:
    """Services of the window while use is known, one a machine and day: ``serial_no``, ``model``, ``region``, ``serviced_on``, ``use``."""
    field = meters.field
    return field.inputs.engine.query(
        f"SELECT o.serial_no, o.model, o.region, o.opened_on AS serviced_on, max(s.read_at_begin + s.ran * (date_diff('day', s.begins, o.opened_on) + 0.5) / s.days) AS use "
        f"FROM ({meters.worked(field.window)}) o JOIN {meters.stretches} s ON s.serial_no = o.serial_no AND o.opened_on >= s.begins AND o.opened_on < s.ends "
        "WHERE o.ticket_type = 'maintenance' AND o.component IS NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 4"
    )


@traced
def standing(meters: Meters) -> pd.DataFrame:
    """Machines that are still there, with the ``reading`` and day (``read_until``) up to which their use is known at the end of the window."""
    field = meters.field
    end = literal(field.last.end)
    return field.inputs.engine.query(
        f"SELECT m.serial_no, m.model, m.region, r.read_until, r.reading FROM {at('machines', field.last.end)} m LEFT JOIN ("
        f"SELECT serial_no, max(least(ends, {end})) AS read_until, max(read_at_begin + CAST(ran * date_diff('day', begins, least(ends, {end})) AS DOUBLE) / days) AS reading "
        f"FROM {meters.stretches} WHERE begins < {end} GROUP BY 1) r ON r.serial_no = m.serial_no WHERE m.still_there ORDER BY m.serial_no"
    )


@traced
def quarters(meters: Meters) -> pd.DataFrame:
    """What each machine ran in the quarters of the last twelve months: ``serial_no``, ``quarter``, ``read_days``, ``run``."""
    last = meters.field.last
    parts = [
        Period(last - (3 * k + 2), last - 3 * k) for k in range(4) if last - (3 * k + 2) >= meters.field.first
    ]
    return meters.field.inputs.engine.query(
        " UNION ALL ".join(
            f"SELECT serial_no, {k} AS quarter, CAST(sum(read_days) AS DOUBLE) AS read_days, sum(run) AS run FROM ({meters.run(part)}) GROUP BY 1"
            for k, part in enumerate(parts)
        )
        + " ORDER BY 1, 2"
    )


@traced
def due(meters: Meters) -> Due | NotDone:
    """The services of the quarter ahead; not done where planned services do not come by use."""
    field = meters.field
    done, now = services(meters), standing(meters)
    intervals, reasons = {}, []
    for model, part in done.groupby("model", sort=True):
        found = interval_of_model(str(model), part, now, level=field.inputs.confidence)
        if isinstance(found, NotDone):
            reasons.append(found)
        else:
            intervals[found.model] = found
    if not intervals:
        return NOT_BY_USE if any(reason is NOT_BY_USE for reason in reasons) else NO_SERVICE
    paces, spread = paced(quarters(meters))
    ahead = Period(field.last + 1, field.last + 3)
    last = done.groupby("serial_no").agg(serviced_on=("serviced_on", "max"), serviced_at=("use", "max"))
    fleet = (
        now[now["model"].isin(intervals)]
        .merge(last, on="serial_no", how="left")
        .merge(paces, on="serial_no", how="left")
    )
    end, horizon = pd.Timestamp(field.last.end), pd.Timestamp(ahead.last.end)
    recent = (end - pd.to_datetime(fleet["read_until"])).dt.days <= SILENT_DAYS
    told = fleet[
        recent & fleet["serviced_at"].notna() & fleet["pace"].notna() & (fleet["pace"] > 0)
    ].reset_index(drop=True)
    ahead_days = (horizon - pd.to_datetime(told["read_until"])).dt.days.to_numpy(dtype=float)
    usual = {name: one.median for name, one in intervals.items()}
    machines = projected(told, usual, ahead_days, spread)
    return Due(
        quarter=ahead,
        intervals=tuple(intervals.values()),
        machines=machines,
        late=late_by_region(done, machines, usual, pd.Timestamp(field.year.first.start)),
        unknown=len(fleet) - len(told),
        spread=spread,
    )


def interval_of_model(
    model: str, done: pd.DataFrame, now: pd.DataFrame, *, level: float
) -> ServiceInterval | NotDone:
    """The usual use between services of one model: Kaplan–Meier over the uses between services and those since the last one."""
    from analysis.stats import kaplan_meier

    ordered = done.sort_values(["serial_no", "serviced_on"], kind="stable")
    gaps = ordered.groupby("serial_no")["use"].diff().dropna()
    made = gaps[gaps > 0].to_numpy(dtype=float)
    if len(made) < FEWEST_GAPS:
        return NO_SERVICE
    reading = now.set_index("serial_no")["reading"]
    since = reading.reindex(ordered["serial_no"].unique()) - ordered.groupby("serial_no")["use"].max()
    running = since[since > 0].to_numpy(dtype=float)
    curve = kaplan_meier(
        np.r_[made, running], np.r_[np.ones(len(made), bool), np.zeros(len(running), bool)], level=level
    )
    median = curve.median
    regular = float(np.mean(np.abs(made / median.value - 1) <= NEAR)) if np.isfinite(median.value) else 0.0
    if regular < BY_USE:
        return NOT_BY_USE
    return ServiceInterval(
        model=model, median=median.value, low=median.low, high=median.high, gaps=len(made), regular=regular
    )


def paced(ran: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Each machine's ``pace`` (use a day over the last twelve months), and how far a quarter of a machine scatters about it, as a share.

    A quarter to come departs from a mean of four by more than these do: by the square root of (1 + 1/4) over (1 - 1/4).
    """
    total = ran.groupby("serial_no")[["read_days", "run"]].sum()
    pace = (total["run"] / total["read_days"]).rename("pace").reset_index()
    whole = ran[ran["read_days"] >= SILENT_DAYS // 2].merge(pace, on="serial_no")
    whole = whole[whole.groupby("serial_no")["quarter"].transform("size") == 4]
    ratio = whole["run"] / (whole["pace"] * whole["read_days"]).where(lambda expected: expected > 0)
    seen = float(np.sqrt(np.mean((ratio.dropna() - 1) ** 2))) if len(ratio.dropna()) else 0.0
    return pace, seen * float(np.sqrt((1 + 1 / 4) / (1 - 1 / 4)))


def projected(
    told: pd.DataFrame, intervals: Mapping[str, float], ahead_days: Any, spread: float
) -> pd.DataFrame:
    """Machines with what is to come, the longest overdue first, then the soonest due.

    The use until the end of the quarter is normal about the machine's pace. A machine past its interval is due at once, and again an interval later.
    """
    interval = told["model"].map(intervals).to_numpy(dtype=float)
    since = (told["reading"] - told["serviced_at"]).clip(lower=0).to_numpy(dtype=float)
    mean = told["pace"].to_numpy(dtype=float) * ahead_days
    sigma = np.maximum(spread * mean, 1e-9)
    past = since >= interval
    start = np.where(past, 0.0, since)  # a service that is due is made, and the count begins again
    most = int(np.ceil(np.max((start + mean + 5 * sigma) / interval, initial=1.0)))
    times = np.arange(1, most + 1)[:, None]
    chances = ndtr((start + mean - times * interval) / sigma)
    expected = past + chances.sum(axis=0)
    squares = np.where(
        past, 1 + ((2 * times + 1) * chances).sum(axis=0), ((2 * times - 1) * chances).sum(axis=0)
    )
    frame = told.assign(
        interval=interval,
        since=since,
        overdue=since > interval * (1 + NEAR),
        chance=np.where(past, 1.0, chances[0]),
        services=expected,
        variance=np.maximum(squares - expected**2, 0.0),
        over=since - interval,
        due_in_days=np.where(past, 0.0, (interval - since) / told["pace"].to_numpy(dtype=float)),
    )
    return frame.assign(over=np.where(past, frame["over"], 0.0)).sort_values(
        ["over", "due_in_days", "serial_no"], ascending=[False, True, True], kind="stable", ignore_index=True
    )


def late_by_region(
    done: pd.DataFrame, machines: pd.DataFrame, usual: Mapping[str, float], since: pd.Timestamp
) -> pd.DataFrame:
    """Services by region, and how many of them came late: made since a day, or not made yet by machines that are overdue."""
    gaps = done.assign(gap=done.groupby("serial_no")["use"].diff(), usual=done["model"].map(usual)).dropna(
        subset=["gap", "usual"]
    )
    made = gaps[pd.to_datetime(gaps["serviced_on"]) >= since]
    ended = made.assign(late=made["gap"] > made["usual"] * (1 + NEAR))[["region", "late"]]
    running = machines.loc[machines["overdue"], ["region"]].assign(late=True)
    counted = pd.concat([ended, running]).groupby("region", sort=True)["late"].agg(["size", "sum"])
    return counted.reset_index().rename(columns={"size": "gaps", "sum": "late"}).astype({"late": int})


@traced
def cost_of_services(meters: Meters, field: Field) -> pd.DataFrame:
    """What was posted to each service of the last twelve months: one row per order, ``model`` and ``amount``."""
    year = field.year
    return field.inputs.engine.query(
        f"SELECT o.ticket_id, o.model, coalesce(CAST(sum(c.amount) AS DOUBLE), 0.0) AS amount FROM ({meters.worked(year)}) o "
        f"LEFT JOIN (SELECT ticket_id, amount FROM cost WHERE ticket_id IS NOT NULL AND posting_basis IN ('incurred', 'recovery')) c ON c.ticket_id = o.ticket_id "
        "WHERE o.ticket_type = 'maintenance' AND o.component IS NULL GROUP BY 1, 2 ORDER BY 1",
        needs=("ledger.amount", "ledger.ticket_id"),
    )
