"""Use, breakdowns by use, time to repair, availability, cost by use and planned work as facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import FitError, MissingData
from analysis.failures.field import Field
from analysis.failures.limits import interval_of, jointly
from analysis.failures.use import Meters, by_machines
from analysis.failures.views import is_value
from analysis.locale import Text
from analysis.metrics import NotDone, Period, traced
from analysis.metrics.lineage import traced_property
from analysis.periods import day_end_utc
from analysis.results import Fact
from analysis.summaries import Summarised

SLICES = ("model", "product_line", "region")
PARTS = ("median", "p90", "mean")
FEWEST_REPAIRS = 5
FEW_REPAIRS = Text.of("not computed: too few repairs")
NOT_REACHED = Text.of("not computed: not reached by the repairs seen")
NO_OTHER_MODEL = Text.of("not computed: too few machines of other models of its line")
KAPLAN_MEIER = "Kaplan–Meier"
_CLOCK = ("tickets.opened_at", "tickets.resolved_at")
INVERTED = "exact Poisson (Garwood), inverted"
DELTA = "delta method on the logarithm, by machines"


@dataclass(frozen=True, kw_only=True, eq=False)
class SpanUse(Summarised):
    """Use and breakdowns of one period, of the fleet or of a slice; ``availability`` is missing where downtime belongs to no slice (a component).

    ``repair`` holds the median, the 90% point and the restricted mean of the hours to repair.
    """

    name: Text
    period: Period
    use: Fact
    breakdowns: Fact
    rate: Fact
    between: Fact
    repair: Mapping[str, Fact]
    per_machine: Fact | None = None
    availability: Fact | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelCost(Summarised):
    """Cost of a model's machines in the last twelve months: traced, by use (of planned, unplanned and all work) and by machine-month.

    ``against`` is its planned cost by use over that of the other models of its line, ``least`` the lower limit of that which holds for all models together
    (None where it has none).
    """

    model: str
    name: Text
    traced: Fact
    by_use: Mapping[str, Fact]
    by_month: Fact
    against: Fact
    least: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class UseCost(Summarised):
    """Cost by model, of the ``fleet``, and how it ties to the after-sales cost of the year (``whole``)."""

    models: tuple[ModelCost, ...]
    fleet: Mapping[str, Fact]
    whole: Fact
    elsewhere: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannedShare(Summarised):
    """The planned share of orders, of hours or of cost, in the last twelve months and the twelve before."""

    name: Text
    now: Fact
    before: Fact | None


@dataclass(frozen=True, kw_only=True, eq=False)
class UseFacts(Summarised):
    """What meters tell of the fleet: by period (``spans``: the reported one, the last twelve months, the twelve before), by slice and component."""

    coverage: Fact
    readings: Fact
    doubted: Fact
    left_out: Fact
    example: tuple[str, str, str] | None
    spans: tuple[SpanUse, ...]
    slices: Mapping[str, tuple[SpanUse, ...]]
    components: tuple[SpanUse, ...]
    change: Fact | None
    cost: UseCost | NotDone
    planned: tuple[PlannedShare, ...]
    doubts: pd.DataFrame

    @property
    def year(self) -> SpanUse:
        """The fleet in the last twelve months."""
        return self.spans[1]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Asked(Summarised):
    """The meters of a period, with the frames by machine that its intervals stand on."""

    meters: Meters
    period: Period

    @property
    def field(self) -> Field:
        return self.meters.field

    @traced_property
    def machines(self) -> pd.DataFrame:
        """One row per machine: :meth:`Meters.by_machine`."""
        return self.meters.by_machine(self.period)

    @traced_property
    def stood(self) -> pd.DataFrame:
        """One row per machine: ``held_hours`` and ``down_hours``; refused (``MissingData``) where only the days of orders are known."""
        self.field.inputs.engine.require_clock(*_CLOCK)
        return self.field.inputs.engine.query(
            f"SELECT serial_no, model, product_line, region, held_hours, down_hours FROM ({self.meters.stood(self.period)}) ORDER BY serial_no"
        )

    @traced_property
    def repairs(self) -> pd.DataFrame:
        """One row per breakdown of the period: its slices, hours until it was resolved or until the last day known, and which of the two."""
        field, zone = self.field, self.field.inputs.params.time_zone
        field.inputs.engine.require_clock(*_CLOCK)
        until = day_end_utc(field.horizon, zone)
        frame = field.inputs.engine.query(
            f"SELECT model, product_line, region, component, opened_at, resolved_at FROM ({self.meters.broken(self.period)}) ORDER BY ticket_id"
        )
        hours = (
            frame["resolved_at"].fillna(pd.Timestamp(until)) - frame["opened_at"]
        ).dt.total_seconds() / 3600
        return frame.assign(hours=hours, done=frame["resolved_at"].notna())[hours >= 0]


@traced
def use_facts(field: Field, meters: Meters) -> UseFacts:
    """Everything that is said by use."""
    year, reported = field.year, field.inputs.period
    asked = _Asked(meters=meters, period=year)
    spans = [_fleet(_Asked(meters=meters, period=reported)), _fleet(asked)]
    if meters.before is not None:
        spans.append(_fleet(_Asked(meters=meters, period=meters.before)))
    doubts = meters.doubts
    first = next(iter(doubts.itertuples(index=False)), None)
    return UseFacts(
        coverage=field.state.measured("use_coverage", meters.run(year), meters.held(year), period=year),
        readings=field.state.measured("meter_readings", meters.readings()),
        doubted=field.state.measured("meter_readings_doubted", meters.readings()),
        left_out=field.state.measured("machines_without_use", meters.readings()),
        example=None
        if first is None
        else (str(first.serial_no), f"{first.day:%Y-%m-%d}", f"{first.reading:g}"),
        spans=tuple(spans),
        slices={name: _slices(asked, name) for name in SLICES},
        components=_components(asked),
        change=_change(field, spans[1].rate, spans[2].rate) if len(spans) > 2 else None,
        cost=_cost_or_not(asked),
        planned=_planned(meters),
        doubts=doubts,
    )


def _span(
    asked: _Asked, name: Text, where: str, repairs: pd.DataFrame | NotDone, *, carried: str = "", **place: Any
) -> dict[str, Any]:
    """The parts of a :class:`SpanUse`; ``carried`` narrows the machines whose use counts where ``where`` narrows breakdowns only."""
    state, meters, period = asked.field.state, asked.meters, asked.period
    ran, broken = meters.run(period, carried or where), meters.broken(period, where)
    extra: dict[str, Any] = {"period": period, **place}
    use, breakdowns = (
        state.measured("fleet_use", ran, **extra),
        state.measured("use_breakdowns", broken, **extra),
    )
    rate = state.measured("breakdown_rate_by_use", broken, ran, **extra)
    return {
        "name": name,
        "period": period,
        "use": use,
        "breakdowns": breakdowns,
        "rate": rate,
        "between": _between(state.derived, use, breakdowns, rate, **extra),
        "repair": repair_times(asked.field, repairs, period, place),
    }


def _between(derived: Callable[..., Fact], use: Fact, breakdowns: Fact, rate: Fact, **place: Any) -> Fact:
    """Mean use between breakdowns with the limits of the rate turned over; without a breakdown the longest it may be is not known."""
    limits = None
    if rate.interval is not None and rate.interval.low > 0:
        limits = interval_of(
            1000 / rate.interval.high, 1000 / rate.interval.low, rate.interval.level, INVERTED
        )
    return derived(
        "use_between_breakdowns", use, breakdowns, parts={"interval": limits, "n": breakdowns.value}, **place
    )


def _fleet(asked: _Asked) -> SpanUse:
    state, meters, period = asked.field.state, asked.meters, asked.period
    ran = meters.run(period)
    return SpanUse(
        **_span(asked, Text.of("The fleet"), "TRUE", _repairs(asked)),
        per_machine=state.measured("use_per_machine", ran, period=period),
        availability=_availability(asked, "TRUE", _stood(asked)),
    )


@traced
def _repairs(asked: _Asked) -> pd.DataFrame | NotDone:
    try:
        return asked.repairs
    except MissingData as missing:
        return NotDone.because(missing)


@traced
def _stood(asked: _Asked) -> pd.DataFrame | NotDone:
    try:
        return asked.stood
    except MissingData as missing:
        return NotDone.because(missing)


@traced
def _availability(asked: _Asked, where: str, stood: pd.DataFrame | NotDone, **place: Any) -> Fact:
    """The share of hours without a breakdown open, with its interval by machines."""
    if isinstance(stood, NotDone):
        lacking: dict[str, Any] = {"reason": stood.unstated, "period": asked.period, **place}
        return asked.field.state.exact("machine_availability", None, **lacking)
    limits = by_machines(
        stood["held_hours"] - stood["down_hours"],
        stood["held_hours"],
        asked.field.inputs.confidence,
        share=True,
    )
    extra: dict[str, Any] = {"period": asked.period, "parts": limits, **place}
    return asked.field.state.measured(
        "machine_availability", asked.meters.stood(asked.period, where), **extra
    )


@traced
def _slices(asked: _Asked, dimension: str) -> tuple[SpanUse, ...]:
    """Every value of a dimension that ran, the most use first."""
    ran = asked.machines.groupby(dimension)["run"].sum()
    values = [str(value) for value in ran[ran > 0].sort_values(ascending=False, kind="stable").index]
    repairs, stood = _repairs(asked), _stood(asked)
    found = []
    for value in values:
        where, name = is_value(dimension, value), asked.field.label(dimension, value)
        own, own_stood = (
            part if isinstance(part, NotDone) else part[part[dimension] == value] for part in (repairs, stood)
        )
        place: dict[str, Any] = {dimension: value}
        found.append(
            SpanUse(
                **_span(asked, name, where, own, **place),
                availability=_availability(asked, where, own_stood, **place),
            )
        )
    return tuple(found)


@traced
def _components(asked: _Asked) -> tuple[SpanUse, ...]:
    """Every component that broke down, the most often first, over the use of the machines that carry it."""
    field, repairs = asked.field, _repairs(asked)
    counted = field.inputs.engine.query(
        f"SELECT component, count(*) AS failures FROM ({asked.meters.broken(asked.period)}) GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return tuple(
        SpanUse(
            **_span(
                asked,
                field.label("component", component),
                is_value("component", component),
                repairs if isinstance(repairs, NotDone) else repairs[repairs["component"] == component],
                carried=field.carriers.where(component),
                component=component,
            )
        )
        for component in map(str, counted["component"])
    )


@traced
def repair_times(
    field: Field, repairs: pd.DataFrame | NotDone, period: Period, place: Mapping[str, str]
) -> dict[str, Fact]:
    """Median, 90% point and restricted mean of the hours to repair; breakdowns that are still open are censored."""
    from analysis.stats import kaplan_meier

    level = field.inputs.confidence

    def stated(part: str, found: Any, n: int, reason: Text = NOT_REACHED) -> Fact:
        extra: dict[str, Any] = {"period": period, "part": part, **place}
        if found is None or not np.isfinite(found.value):
            return field.state.exact("repair_time", None, reason=reason, **extra)
        limits = interval_of(found.low, found.high, level, KAPLAN_MEIER)
        known = {"interval": limits, "n": n} if limits else {"n": n, "reason": NOT_REACHED}
        return field.state.exact("repair_time", found.value, parts=known, **extra)

    if isinstance(repairs, NotDone):
        return {part: stated(part, None, 0, repairs.unstated) for part in PARTS}
    if repairs["done"].sum() < FEWEST_REPAIRS:
        return {part: stated(part, None, 0, FEW_REPAIRS) for part in PARTS}
    curve = kaplan_meier(
        repairs["hours"].to_numpy(dtype=float), repairs["done"].to_numpy(dtype=bool), level=level
    )
    n = len(repairs)
    return {
        "median": stated("median", curve.median, n),
        "p90": stated("p90", curve.quantile(0.9), n),
        "mean": stated("mean", _restricted(curve), n),
    }


def _restricted(curve: Any) -> Any:
    try:
        return curve.restricted_mean(curve.last_time)
    except FitError:
        return None


@traced
def _change(field: Field, now: Fact, before: Fact) -> Fact:
    """The rate of the last twelve months over that of the twelve before."""
    from analysis.stats import rate_ratio_interval

    known = now.numerator is not None and before.numerator
    found = (
        rate_ratio_interval(
            float(now.numerator or 0),
            float(now.denominator or 0),
            float(before.numerator or 0),
            float(before.denominator or 0),
            level=field.inputs.confidence,
        )
        if known
        else None
    )
    limits = found and interval_of(float(found.low), float(found.high), field.inputs.confidence, found.method)
    parts = {"interval": limits, "n": int(now.numerator or 0) + int(before.numerator or 0)}
    return field.state.derived("breakdown_rate_change", now, before, period=field.year, parts=parts)


# ---------------------------------------------------------------- cost


def _cost_or_not(asked: _Asked) -> UseCost | NotDone:
    try:
        return _cost(asked)
    except MissingData as missing:
        return NotDone.because(missing)


@traced
def _cost(asked: _Asked) -> UseCost:
    meters, field, period = asked.meters, asked.field, asked.period
    spent = meters.cost_by_machine(period)
    machines = asked.machines[asked.machines["run"] > 0]
    ran = machines.groupby("model")["run"].sum().sort_values(ascending=False, kind="stable")
    joint = jointly(field.inputs.confidence, len(ran))
    frames = {
        work: spent[spent["work"] == work].groupby("serial_no")[["amount", "metered"]].sum()
        for work in ("planned", "unplanned")
    } | {"all": spent.groupby("serial_no")[["amount", "metered"]].sum()}
    whole = field.inputs.fact("after_sales_cost", period=period)
    total = field.state.measured("machine_cost", meters.posted(period), period=period)
    return UseCost(
        models=tuple(_model_cost(asked, frames, str(model), joint=joint) for model in ran.index),
        fleet={
            "traced": total,
            "by_month": _by_month(asked, frames["all"], "TRUE", asked.machines),
            **{work: _by_use(asked, frames[work], "TRUE", asked.machines, work) for work in frames},
        },
        whole=whole,
        elsewhere=field.state.derived("machine_cost_elsewhere", whole, total, period=period),
    )


@traced
def _model_cost(asked: _Asked, frames: Mapping[str, pd.DataFrame], model: str, *, joint: float) -> ModelCost:
    field, meters, period = asked.field, asked.meters, asked.period
    where = is_value("model", model)
    place: dict[str, Any] = {"model": model}
    own = asked.machines[asked.machines["model"] == model]
    compared = _compared(asked, frames["planned"], model)
    return ModelCost(
        model=model,
        name=field.label("model", model),
        traced=field.state.measured("machine_cost", meters.posted(period, where), period=period, **place),
        by_use={work: _by_use(asked, frames[work], where, own, work, **place) for work in frames},
        by_month=_by_month(asked, frames["all"], where, own, **place),
        against=_against_line(asked, compared, model),
        least=None if compared is None else compared.limits(joint)[0],
    )


def _by_use(
    asked: _Asked, spent: pd.DataFrame, where: str, machines: pd.DataFrame, work: str, **place: Any
) -> Fact:
    limits = by_machines(_of(spent, "metered", machines), machines["run"], asked.field.inputs.confidence)
    extra: dict[str, Any] = {"period": asked.period, "parts": limits, "work": work, **place}
    narrowed = where if work == "all" else f"{where} AND work = '{work}'"
    return asked.field.state.measured(
        "cost_by_use",
        asked.meters.posted(asked.period, narrowed),
        asked.meters.run(asked.period, where),
        **extra,
    )


def _by_month(asked: _Asked, spent: pd.DataFrame, where: str, machines: pd.DataFrame, **place: Any) -> Fact:
    months = machines["held_days"] / 30.4375
    limits = by_machines(_of(spent, "amount", machines), months, asked.field.inputs.confidence)
    extra: dict[str, Any] = {"period": asked.period, "parts": limits, **place}
    return asked.field.state.measured(
        "cost_by_machine_month",
        asked.meters.posted(asked.period, where),
        asked.meters.held(asked.period, where),
        **extra,
    )


def _of(spent: pd.DataFrame, column: str, machines: pd.DataFrame) -> pd.Series:
    """What was spent on each of the machines, in their order; on most of them something, on some nothing."""
    return spent[column].reindex(machines["serial_no"]).fillna(0.0).reset_index(drop=True)


@dataclass(frozen=True, kw_only=True)
class _LogRatio(Summarised):
    """The logarithm of a ratio of two ratios of sums over machines, its standard error, and the number of machines."""

    middle: float
    error: float
    machines: int

    def limits(self, level: float) -> tuple[float, float]:
        """Limits of the ratio itself."""
        from scipy.stats import norm

        reach = float(norm.ppf(0.5 + level / 2)) * self.error
        return float(np.exp(self.middle - reach)), float(np.exp(self.middle + reach))


@traced
def _compared(asked: _Asked, planned: pd.DataFrame, model: str) -> _LogRatio | None:
    """Planned cost by use of a model against the other models of its lines; None where either side has too few machines."""
    machines = asked.machines[asked.machines["run"] > 0]
    lines = machines.loc[machines["model"] == model, "product_line"].unique()
    machines = machines[machines["product_line"].isin(lines)].reset_index(drop=True)
    spent, own = _of(planned, "metered", machines), machines["model"] == model
    ours, others = (_log_ratio(spent[part], machines.loc[part, "run"]) for part in (own, ~own))
    if ours is None or others is None:
        return None
    return _LogRatio(
        middle=ours[0] - others[0], error=float(np.hypot(ours[1], others[1])), machines=len(machines)
    )


@traced
def _against_line(asked: _Asked, compared: _LogRatio | None, model: str) -> Fact:
    """Planned cost by use of a model over that of the other models of its line."""
    state = asked.field.state
    if compared is None:
        return state.exact(
            "planned_cost_ratio", None, reason=NO_OTHER_MODEL, period=asked.period, model=model
        )
    low, high = compared.limits(asked.field.inputs.confidence)
    return state.between(
        "planned_cost_ratio",
        float(np.exp(compared.middle)),
        low,
        high,
        n=compared.machines,
        method=DELTA,
        period=asked.period,
        model=model,
    )


def _log_ratio(above: pd.Series, below: pd.Series) -> tuple[float, float] | None:
    """The logarithm of a ratio of sums over machines and its standard error; None where it has none."""
    top, base = above.to_numpy(dtype=float), below.to_numpy(dtype=float)
    if len(top) < 3 or top.sum() <= 0:
        return None
    rest = top - top.sum() / base.sum() * base
    error = np.sqrt(len(top) / (len(top) - 1) * float(rest @ rest)) / top.sum()
    return float(np.log(top.sum() / base.sum())), float(error)


# ---------------------------------------------------------------- planned and unplanned work

_SHARES = (
    ("planned_order_share", "Tickets"),
    ("planned_hours_share", "Hours worked"),
    ("planned_cost_share", "Cost traced"),
)


@traced
def _planned(meters: Meters) -> tuple[PlannedShare, ...]:
    found = []
    for metric, name in _SHARES:
        now = _planned_share(meters, metric, meters.field.year)
        before = _planned_share(meters, metric, meters.before) if meters.before else None
        if now is not None:
            found.append(PlannedShare(name=Text.of(name), now=now, before=before))
    return tuple(found)


@traced
def _planned_share(meters: Meters, metric: str, period: Period) -> Fact | None:
    """One share of one period; None where its columns are absent."""
    if metric == "planned_order_share":
        return meters.field.state.measured(metric, meters.worked(period), period=period)
    try:
        if metric == "planned_cost_share":
            frame, rows = _wide(meters.cost_by_machine(period), "amount"), meters.posted(period)
        else:
            frame, rows = _wide(_hours_by_machine(meters, period), "hours"), meters.worked(period)
    except MissingData:
        return None
    both, level = frame["planned"] + frame["unplanned"], meters.field.inputs.confidence
    limits = by_machines(frame["planned"], both, level, share=True)
    return meters.field.state.measured(metric, rows, period=period, parts=limits)


@traced
def _hours_by_machine(meters: Meters, period: Period) -> pd.DataFrame:
    return meters.field.inputs.engine.query(
        f"SELECT serial_no, work, coalesce(sum(handling_hours), 0) AS hours FROM ({meters.worked(period)}) GROUP BY 1, 2 ORDER BY 1, 2",
        needs=("tickets.handling_hours",),
    )


def _wide(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """One row per machine with the two kinds of work as columns."""
    wide = frame.pivot_table(index="serial_no", columns="work", values=value, aggfunc="sum", fill_value=0.0)
    kinds: Sequence[str] = ("planned", "unplanned")
    return wide.reindex(columns=list(kinds), fill_value=0.0)
