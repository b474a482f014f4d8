"""The months ahead as facts: failures, their cost, what remaining warranty will cost beside the provision, and parts to hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.failures import forecasting, money
from analysis.failures.field import Field
from analysis.failures.forecasting import Forecast, ForecastTest
from analysis.failures.limits import interval_of, ratio_limits, whole
from analysis.failures.money import Prices, UnitCost
from analysis.failures.reporting import Delay, share_by_month
from analysis.locale import Text
from analysis.metrics import NotDone, Period, cents, traced
from analysis.metrics.backend import literal
from analysis.metrics.views import month_index
from analysis.metrics.views.selection import selected
from analysis.periods import Month
from analysis.results import Fact, lacking
from analysis.summaries import Summarised

COUNT_METHOD = "prediction: counting noise, month scatter, level"
COST_METHOD = "prediction of the count and standard error of the cost per failure"
COMPLETED_METHOD = "exact Poisson over share reported"
MONTH_METHOD = "ratio of sums over months, t"
NO_PROVISION = lacking("provision.closing")
NONE_OF_LINE = Text.of("not computed: no provision of this line")
DIRECT, FULL = "failure_cost_forecast", "failure_full_cost_forecast"
RUN_OFF: dict[str, Any] = {"warranty": "inside", "basis": "run_off"}
NOTHING_FAILED = Text.of("nothing failed in the last twelve months")


@dataclass(frozen=True, kw_only=True, eq=False)
class ObligationLine(Summarised):
    """Remaining warranty of one product line beside its provision."""

    name: Text
    cost: Fact
    full: Fact
    provision: Fact
    failures: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class ForecastFacts(Summarised):
    """Failures and cost of the months ahead, direct and with the hours of own staff (``full_…``), and what remaining warranty will cost beside the provision."""

    history: tuple[tuple[Month, Fact], ...]
    months: tuple[tuple[Month, Fact], ...]
    total: Fact
    under_warranty: Fact
    cost: Fact
    warranty_cost: Fact
    full_cost: Fact
    full_warranty_cost: Fact
    obligations: tuple[ObligationLine, ...]
    obligation_failures: Fact
    obligation: Fact
    full_obligation: Fact
    provision: Fact
    cover: Fact
    with_plan: bool

    @property
    def covered(self) -> bool:
        """Whether any failure is expected under warranty: where no machine has one, there is nothing to say of it."""
        limits = self.under_warranty.interval
        return bool(self.obligations or self.under_warranty.value or (limits and limits.high > 0))

    @property
    def evidence(self) -> pd.DataFrame:
        """Remaining warranty by product line: expected failures and cost, and the provision."""
        return pd.DataFrame(
            {
                "product_line": [line.name.en for line in self.obligations],
                "failures": [line.failures.value for line in self.obligations],
                "cost": [line.cost.value for line in self.obligations],
                "full_cost": [line.full.value for line in self.obligations],
                "provision": [line.provision.value for line in self.obligations],
            }
        )


@traced
def forecast_facts(field: Field, made: Forecast, delay: Delay) -> ForecastFacts | NotDone:
    """The forecast of the study, its money where a ledger prices failures; not done where nothing failed.

    Parameters
    ----------
    made : expected failures of the next months
    """
    if not money.failures_by(field, "component")["failures"].sum():
        return NotDone(reason=NOTHING_FAILED)
    direct, full = money.direct_prices(field), money.full_prices(field)
    lines, failures_inside, obligation, full_obligation = _obligations(field, made, direct, full)
    ahead = Period(made.months[0], made.months[-1])
    inside: dict[str, Any] = {"warranty": "inside"}
    held = _provision(field, lines)
    return ForecastFacts(
        history=_completed_counts(field, delay),
        months=_monthly(field, made),
        total=_count(field, made, made.total(), ahead),
        under_warranty=_count(field, made, made.total(warranty=True), ahead, **inside),
        cost=_cost(field, DIRECT, made, made.total(), _of_all(direct), ahead),
        warranty_cost=_cost(
            field, DIRECT, made, made.total(warranty=True), _covered(direct), ahead, **inside
        ),
        full_cost=_cost(field, FULL, made, made.total(), _of_all(full), ahead),
        full_warranty_cost=_cost(
            field, FULL, made, made.total(warranty=True), _covered(full), ahead, **inside
        ),
        obligations=lines,
        obligation_failures=failures_inside,
        obligation=obligation,
        full_obligation=full_obligation,
        provision=held,
        cover=field.state.derived("provision_cover", held, obligation, period=field.last),
        with_plan=made.with_plan,
    )


@traced
def _monthly(field: Field, made: Forecast) -> tuple[tuple[Month, Fact], ...]:
    sums = made.frame.groupby("month", sort=True)["failures"].sum()
    return tuple(
        (month, _count(field, made, float(sums.get(str(month), 0.0)), month, months=1))
        for month in made.months
    )


@traced
def _completed_counts(field: Field, delay: Delay) -> tuple[tuple[Month, Fact], ...]:
    """Failures of the months so far, completed for reports still to come."""
    counts = field.failure_counts.groupby("month_no")["failures"].sum()
    shares = share_by_month(delay, field.months, field.horizon)
    return tuple(
        (month, _completed(field, float(counts.get(month_index(month), 0)), float(share), month))
        for month, share in zip(field.months, shares, strict=True)
        if share > 0
    )


def _completed(field: Field, count: float, share: float, month: Month) -> Fact:
    """The count by its exact interval; the share taken as known (it rests on all failures)."""
    from analysis.stats import poisson_interval

    found = poisson_interval(count, share, level=field.inputs.confidence)
    limits = interval_of(whole(found.low), whole(found.high), found.level, COMPLETED_METHOD)
    parts = {"n": int(count), "interval": limits}
    return field.state.exact(
        "failure_forecast", whole(count / share), period=month, parts=parts, basis="completed"
    )


def _count(
    field: Field,
    made: Forecast,
    expected: float,
    period: Month | Period,
    *,
    months: int | None = None,
    **place: str,
) -> Fact:
    low, high = made.interval(expected, months=months or len(made.months), level=field.inputs.confidence)
    limits = interval_of(whole(low), whole(high), field.inputs.confidence, COUNT_METHOD)
    dimensions: dict[str, Any] = dict(place)
    parts = {"n": made.intensity.failures, "interval": limits}
    return field.state.exact("failure_forecast", whole(expected), period=period, parts=parts, **dimensions)


def _of_all(priced: Prices | NotDone) -> UnitCost | NotDone:
    return priced.all if isinstance(priced, Prices) else priced


def _covered(priced: Prices | NotDone) -> UnitCost | NotDone:
    return priced.covered if isinstance(priced, Prices) else priced


def _cost(
    field: Field,
    metric: str,
    made: Forecast,
    expected: float,
    cost: UnitCost | NotDone,
    period: Period,
    **place: str,
) -> Fact:
    """Count and cost per failure both uncertain; their relative errors add in quadrature."""
    from scipy.stats import norm

    dimensions: dict[str, Any] = dict(place)
    if isinstance(cost, NotDone):
        return field.state.exact(metric, None, reason=cost.unstated, period=period, **dimensions)
    low, high = made.interval(expected, months=len(made.months), level=field.inputs.confidence)
    z = float(norm.ppf(0.5 + field.inputs.confidence / 2))
    value = expected * cost.mean
    below, above = (1 - low / expected, high / expected - 1) if expected else (0.0, 0.0)
    money_part = z * cost.error / cost.mean if cost.mean else 0.0
    limits = interval_of(
        value * (1 - float(np.hypot(below, money_part))),
        value * (1 + float(np.hypot(above, money_part))),
        field.inputs.confidence,
        COST_METHOD,
    )
    parts = {"n": cost.failures, "interval": limits}
    return field.state.exact(metric, cents(value), period=period, parts=parts, **dimensions)


def remaining_warranty(field: Field, made: Forecast) -> tuple[Fact, Fact]:
    """The failures expected under the warranty that is left and their direct cost: the facts of the study, for whoever quotes them."""
    _, failures, cost, _ = _obligations(field, made, money.prices(field), money.full_prices(field))
    return failures, cost


@traced
def _obligations(
    field: Field, made: Forecast, direct: Prices | NotDone, full: Prices | NotDone
) -> tuple[tuple[ObligationLine, ...], Fact, Fact, Fact]:
    """Remaining warranty by product line beside the provision, and of all lines its failures and their cost direct and in full: machines shipped so far, no new ones."""
    months = int(field.assumed("longest_warranty_months"))
    run_off = forecasting.forecast(field, made.intensity, ahead=months, arrivals=forecasting.nobody())
    inside = run_off.frame[run_off.frame["warranty"]]
    due = {
        str(line): float(part["failures"].sum()) for line, part in inside.groupby("product_line", sort=True)
    }
    due = {line: expected for line, expected in due.items() if expected > 0}
    period, lines = Period(run_off.months[0], run_off.months[-1]), []
    for line, expected in due.items():
        place: dict[str, Any] = {"product_line": line} | RUN_OFF

        def cost(metric: str, priced: Prices | NotDone, line: str = line, expected: float = expected) -> Fact:
            each = priced.covered_in(line) if isinstance(priced, Prices) else priced
            return _cost(field, metric, run_off, expected, each, period, product_line=line)

        lines.append(
            ObligationLine(
                name=field.label("product_line", line),
                cost=cost("warranty_obligation", direct),
                full=cost("warranty_full_obligation", full),
                provision=_provision_of(field, line),
                failures=_count(field, run_off, expected, period, **place),
            )
        )
    failures = sum(due.values())

    def whole(metric: str, priced: Prices | NotDone, costs: list[Fact]) -> Fact:
        """All lines together, in the cents of the lines."""
        total = sum(float(one.value or 0) for one in costs)
        if isinstance(priced, NotDone):
            return _cost(field, metric, run_off, failures, priced, period)
        mean = replace(priced.covered, mean=total / failures if failures else 0.0)
        return _cost(field, metric, run_off, failures, mean, period)

    return (
        tuple(lines),
        _count(field, run_off, failures, period, **RUN_OFF),
        whole("warranty_obligation", direct, [line.cost for line in lines]),
        whole("warranty_full_obligation", full, [line.full for line in lines]),
    )


def _provision_of(field: Field, line: str) -> Fact:
    rows = selected("provisions", f"month = {literal(field.last.start)}").of(product_line=line)
    return field.state.measured(
        "provision_balance", rows, reason=NONE_OF_LINE, period=field.last, product_line=line
    )


def _provision(field: Field, lines: Sequence[ObligationLine]) -> Fact:
    """The provision of the lines whose warranty is forecast."""
    held = tuple(line.provision for line in lines if line.provision.value is not None)
    if held:
        return field.state.total("provision_balance", *held, period=field.last)
    return field.state.measured(
        "provision_balance", selected("provisions", "FALSE"), reason=NO_PROVISION, period=field.last
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ForecastTestFacts(Summarised):
    """How far the forecast of a year ago was off: over the year, and month by month on average."""

    total: Fact
    month: Fact


@traced
def forecast_test(field: Field, tested: ForecastTest) -> ForecastTestFacts:
    """The errors of a backtest as facts."""
    period, level = Period(tested.origin + 1, field.last), field.inputs.confidence
    expected, actual = float(tested.rows["expected"].sum()), float(tested.rows["actual"].sum())
    low, high = tested.forecast.interval(expected, months=len(tested.rows), level=level)
    # what the year would have been missed by had it come out at either end of the forecast's own interval, about the miss
    limits = interval_of(
        expected / actual - high / expected, expected / actual - low / expected, level, COUNT_METHOD
    )
    months = ratio_limits(
        (tested.rows["expected"] - tested.rows["actual"]).abs().to_numpy(dtype=float),
        tested.rows["actual"].to_numpy(dtype=float),
        level=level,
        method=MONTH_METHOD,
    )
    total: dict[str, Any] = {"n": tested.forecast.intensity.failures, "interval": limits}
    month: dict[str, Any] = {"n": len(tested.rows), **months}
    return ForecastTestFacts(
        total=field.state.exact("forecast_error", tested.error, period=period, parts=total, of="total"),
        month=field.state.exact(
            "forecast_error", tested.absolute_error, period=period, parts=month, of="month"
        ),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class PartFacts(Summarised):
    """Demand of the next three months for one part, the components it is used for, and the stock that covers it at the service level."""

    part: str
    used_for: Text
    demand: Fact
    stock: Fact


PARTS_MONTHS = 3


@traced
def part_facts(field: Field, made: Forecast) -> tuple[PartFacts, ...]:
    """Every part that confirmed failures used, the largest demand first."""
    found = []
    period, level = Period(made.months[0], made.months[PARTS_MONTHS - 1]), field.inputs.confidence
    service = field.assumed("part_service_level")
    for part, pieces in forecasting.part_demand(field, made, months=PARTS_MONTHS).items():
        demand = float(sum(pieces.values()))
        low, high = made.interval(demand, months=PARTS_MONTHS, level=level)
        limits = interval_of(whole(low), whole(high), level, "prediction of the count")
        stock = made.quantile(demand, service, months=PARTS_MONTHS)
        parts = {"n": made.intensity.failures, "interval": limits}
        found.append(
            PartFacts(
                part=part,
                used_for=_used_for(field, pieces),
                demand=field.state.exact(
                    "part_demand", whole(demand), period=period, parts=parts, part_no=part
                ),
                stock=field.state.exact("part_stock", stock, period=period, part_no=part),
            )
        )
    return tuple(sorted(found, key=lambda line: (-float(line.demand.value or 0), line.part)))


COMPONENTS_NAMED = 2


def _used_for(field: Field, pieces: Mapping[str, float]) -> Text:
    """The components that a part is used for, the most pieces first; of more than two their number. The data hold no name of a part."""
    found = sorted((name for name in pieces if pieces[name] > 0), key=lambda name: (-pieces[name], name))
    if len(found) > COMPONENTS_NAMED:
        return Text.filled("{number} components", number=str(len(found)))
    return Text.joined(field.label("component", name) for name in found)
