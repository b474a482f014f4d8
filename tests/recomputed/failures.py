"""Figures of the failure section: counts and money of confirmed failures, exposure, survival, lives and rate ratios."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import chi2
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from recomputed.raw import DAYS_PER_MONTH, END, OBSERVED, Raw, cents
from recomputed.register import COUNT, MODEL, MONEY, SHARE, Asked, Section

SECTION = Section("failures")
recomputes = SECTION.recomputes
YEAR = "2025-11/2026-11"
WINDOW = "2023-11/2026-11"
OPTIMISER = "the same likelihood maximised by another optimiser"
BANDS = [0, 1, 2, 3, 6, 9, 12, 18, 24, 36, 48, 60, 84, 120, 1000]  # months in service
BY_TURNS = "rates, months and ratio are fitted together here, and in turns of a search and a fit in the pack"


@lru_cache(maxsize=1)
def _judged(raw: Raw) -> pd.DataFrame:
    """Repairs with a technical fault, beside their machine, with the reason why one does not count.

    A failure happened on the day recorded, else on the day it was reported, and never after that. Two orders for one component of one machine on
    one day are one event. Left out: unknown machine, before shipment, after the day it left, outside the window, before service.
    """
    told = raw.tickets[
        (raw.tickets["ticket_type"] == "repair") & raw.tickets["fault_found"].astype(bool)
    ].copy()
    told["component"] = told["component"].fillna(told["fault_code"])
    told["event_on"] = told["failed_on"].fillna(told["opened_on"]).clip(upper=told["opened_on"])
    told = told.sort_values(["opened_at", "ticket_id"])
    told["again"] = told["serial_no"].notna() & told.duplicated(["serial_no", "component", "event_on"])
    machine = raw.units.set_index("serial_no")
    for name in ("shipped_on", "left_on", "started", "supplier", "batch", "produced_on"):
        told[name] = told["serial_no"].map(machine[name])
    happened = told["event_on"]
    told["verdict"] = np.select(
        [
            told["shipped_on"].isna(),
            happened < told["shipped_on"],
            happened >= told["left_on"],
            happened >= END,
            happened < OBSERVED,
            happened < told["started"],
            told["again"],
        ],
        [
            "unknown_serial",
            "before_shipment",
            "after_retirement",
            "after_the_month",
            "before_the_window",
            "before_service",
            "same_event",
        ],
        "counted",
    )
    return told


def _failures(raw: Raw, asked: Asked) -> pd.DataFrame:
    """The failures that count, of the period and slice of a figure."""
    rows = _judged(raw)
    rows = rows[
        (rows["verdict"] == "counted") & (rows["event_on"] >= asked.first) & (rows["event_on"] < asked.end)
    ]
    for name, value in asked.of.items():
        if name in ("component", "supplier", "batch"):
            rows = rows[rows[name] == value]
    return rows


@recomputes(
    f"failure_count@component=compressor#{WINDOW}",
    f"failure_count@batch=C200-2507S#{YEAR}",
    f"failure_count@supplier=Hengda#{YEAR}",
    f"cause_failures@batch=C200-2507S,component=control_board#{WINDOW}",
    f"cause_failures@component=fan_motor,supplier=Qiming#{WINDOW}",
    kind=COUNT,
)
def failure_count(raw: Raw, asked: Asked) -> int:
    """Confirmed failures that happened in the period on machines in the field. Source: params/metrics/failures.yml, failure_count."""
    return len(_failures(raw, asked))


@recomputes(f"excluded_failures@verdict=before_the_window#{WINDOW}", kind=COUNT)
def excluded_failures(raw: Raw, asked: Asked) -> int:
    """Confirmed failures that no rate can hold, by reason. Source: excluded_failures."""
    return int((_judged(raw)["verdict"] == asked.of["verdict"]).sum())


@recomputes(f"fix_failures@fix=fan-motor-bearing-qiming#{WINDOW}", kind=COUNT)
def fix_failures(raw: Raw, asked: Asked) -> int:
    """Failures of the fan motor on machines of Qiming produced from the fix on. Source: fix_failures and params/interventions.yml."""
    rows = _failures(raw, asked)
    fixed = (rows["supplier"] == "Qiming") & (rows["produced_on"] >= "2026-04-01")
    return int((fixed & (rows["component"] == "fan_motor")).sum())


def _unit_months(raw: Raw, first: pd.Timestamp, end: pd.Timestamp) -> float:
    """Months that machines were in the field, first and last month by days; the day a machine leaves is a day in the field."""
    total = 0.0
    for month in pd.period_range(first, end - pd.Timedelta(days=1), freq="M"):
        begins, ends = month.start_time, (month + 1).start_time
        days = raw.units["ended"].clip(upper=ends) - raw.units["started"].clip(lower=begins)
        total += float(days.dt.days.clip(lower=0).sum()) / month.days_in_month
    return total


@recomputes("failure_rate#2023-11", "failure_rate#2025-06", "failure_rate#2026-10", kind=SHARE, within=1e-8)
def failure_rate(raw: Raw, asked: Asked) -> float:
    """Confirmed failures reported so far per 1,000 unit-months in the field. Source: failure_rate."""
    return 1000 * len(_failures(raw, asked)) / _unit_months(raw, asked.first, asked.end)


@recomputes(
    "failure_rate#2026-10",
    part="high",
    kind=MODEL,
    within=1e-6,
    why="the same closed form in another library; only floating point may differ",
)
def upper_limit_of_the_failure_rate(raw: Raw, asked: Asked) -> float:
    """Garwood's exact 95 % interval of a Poisson count over its exposure, upper limit. Source: failure_rate, interval garwood."""
    failed = len(_failures(raw, asked))
    return 1000 * float(chi2.ppf(0.975, 2 * (failed + 1))) / 2 / _unit_months(raw, asked.first, asked.end)


def _repeats(raw: Raw, asked: Asked) -> tuple[int, int]:
    """Repairs of a machine resolved in the month, and those after which another was opened within 30 days of the resolution, the last moment excluded."""
    repairs = raw.tickets[(raw.tickets["ticket_type"] == "repair") & raw.tickets["serial_no"].notna()]
    own = repairs[(repairs["resolved_on"] >= asked.first) & (repairs["resolved_on"] < asked.end)]
    pairs = own[["ticket_id", "serial_no", "resolved_at"]].merge(
        repairs[["ticket_id", "serial_no", "opened_at"]], on="serial_no", suffixes=("", "_later")
    )
    gap = pairs["opened_at"] - pairs["resolved_at"]
    near = (gap >= pd.Timedelta(0)) & (gap < pd.Timedelta(days=30))
    again = pairs.loc[near & (pairs["ticket_id"] != pairs["ticket_id_later"]), "ticket_id"].nunique()
    return again, len(own)


@recomputes(
    "repeat_repair_rate_30d#2025-09",
    "repeat_repair_rate_30d#2026-08",
    "repeat_repair_rate_30d#2026-09",
    kind=SHARE,
)
def repeat_repair_rate(raw: Raw, asked: Asked) -> float:
    """Repairs followed within 30 days by another of the same machine, by month of resolution. Source: repeat_repair_rate_30d."""
    again, of = _repeats(raw, asked)
    return again / of


@recomputes(
    "repeat_repair_rate_30d#2026-09",
    part="high",
    kind=MODEL,
    within=1e-6,
    why="the same closed form in another library; only floating point may differ",
)
def upper_limit_of_repeats(raw: Raw, asked: Asked) -> float:
    """Wilson's 95 % interval, upper limit. Source: repeat_repair_rate_30d, interval wilson."""
    return float(proportion_confint(*_repeats(raw, asked), method="wilson")[1])


# -- money -------------------------------------------------------------------------------------------------------------


def _cost_cents(raw: Raw, asked: Asked) -> int:
    rows = raw.cost
    return int(rows.loc[rows["ticket_id"].isin(_failures(raw, asked)["ticket_id"]), "cents"].sum())


@recomputes(
    f"failure_cost#{YEAR}",
    f"failure_cost@supplier=Hengda#{YEAR}",
    f"failure_cost@batch=C200-2507S#{YEAR}",
    kind=MONEY,
)
def failure_cost(raw: Raw, asked: Asked) -> Decimal:
    """Incurred and recovered postings traced to the orders of confirmed failures, whenever posted. Source: failure_cost."""
    return Decimal(_cost_cents(raw, asked)) / 100


@recomputes(f"failure_unit_cost@component=compressor#{YEAR}", kind=MONEY)
def failure_unit_cost(raw: Raw, asked: Asked) -> Decimal:
    """Cost traced to failures of a component over these failures. Source: failure_unit_cost."""
    return (Decimal(_cost_cents(raw, asked)) / 100 / len(_failures(raw, asked))).quantize(Decimal("0.01"))


def _claims(raw: Raw) -> pd.DataFrame:
    rows = raw.table("claims", "claimed_on")
    return rows.assign(**{name: cents(rows[name]).fillna(0) for name in ("amount", "approved", "recovered")})


@recomputes(f"supplier_recovery_rate@supplier=Satoya#{YEAR}", kind=SHARE)
def supplier_recovery_rate(raw: Raw, asked: Asked) -> float:
    """Recovered over approved, of approved claims on failures of the last twelve months. Source: supplier_recovery_rate."""
    rows = _claims(raw)
    rows = rows[rows["ticket_id"].isin(_failures(raw, asked)["ticket_id"]) & (rows["approved"] > 0)]
    return int(rows["recovered"].sum()) / int(rows["approved"].sum())


def _leak(raw: Raw, asked: Asked) -> pd.DataFrame:
    """Approved claims of the last twelve months on machines out of warranty, or approved again for the same order and amount."""
    rows = _claims(raw)
    paid = rows[rows["approved"] > 0]
    if "duplicates" in (asked.metric + asked.of.get("of", "")):
        paid = paid[paid["ticket_id"].notna()].sort_values(["claimed_on", "claim_id"])
        paid = paid[paid.duplicated(["ticket_id", "amount"])]
    else:
        covered = raw.tickets.set_index("ticket_id")["in_warranty"]
        paid = paid[paid["ticket_id"].map(covered) == False]  # noqa: E712
    return paid[(paid["claimed_on"] >= asked.first) & (paid["claimed_on"] < asked.end)]


@recomputes(f"leakage_out_of_warranty#{YEAR}", f"leakage_duplicates#{YEAR}", kind=MONEY)
def leakage(raw: Raw, asked: Asked) -> Decimal:
    """Money approved although nothing was owed. Source: leakage_out_of_warranty, leakage_duplicates."""
    return Decimal(int(_leak(raw, asked)["approved"].sum())) / 100


@recomputes(f"leakage_claims@of=leakage_duplicates#{YEAR}", kind=COUNT)
def leakage_claims(raw: Raw, asked: Asked) -> int:
    """The claims behind a leak. Source: leakage_claims."""
    return len(_leak(raw, asked))


@recomputes(f"recovery_due@component=fan_motor,supplier=Qiming#{YEAR}", kind=MONEY)
def recovery_due(raw: Raw, asked: Asked) -> Decimal:
    """Approved less recovered, of claims on the failures of a supplier's component. Source: recovery_due."""
    rows = _claims(raw)
    rows = rows[rows["ticket_id"].isin(_failures(raw, asked)["ticket_id"])]
    return Decimal(int((rows["approved"] - rows["recovered"]).clip(lower=0).sum())) / 100


# -- estimates ---------------------------------------------------------------------------------------------------------


@recomputes(
    f"failure_free_share@by_month=6#{WINDOW}",
    f"failure_free_share@by_month=12#{WINDOW}",
    f"failure_free_share@by_month=24#{WINDOW}",
    kind=MODEL,
    within=1e-6,
    why="the same product limit in another library; only floating point may differ",
)
def failure_free_share(raw: Raw, asked: Asked) -> float:
    """Kaplan–Meier share of machines without any failure, of machines put into service within the window; age in months of 30.4375 days. Source: failure_free_share."""
    machines = raw.units[(raw.units["started"] >= OBSERVED) & (raw.units["started"] < raw.units["ended"])]
    every = Asked.parse(f"failure_count#{WINDOW}")
    failed_on = machines["serial_no"].map(_failures(raw, every).groupby("serial_no")["event_on"].min())
    days = (failed_on.fillna(machines["ended"]) - machines["started"]).dt.days
    # a failure on the day of start is at risk that day: statsmodels takes no time of zero, so all ages move by a thousandth of a day
    curve = SurvfuncRight(days.to_numpy() + 1e-3, failed_on.notna().to_numpy())
    mark = float(asked.of["by_month"]) * DAYS_PER_MONTH + 1e-3
    return float(curve.surv_prob[np.searchsorted(curve.surv_times, mark, side="right") - 1])


# the cause that the search names for a component: its machines have a life of their own beside the others'
NAMED = {"control_board": ("batch", "C200-2507S"), "fan_motor": ("supplier", "Qiming")}


def _of_life(rows: pd.DataFrame, component: str, machines: str) -> pd.DataFrame:
    """Rows of all machines of a component, of those of its named cause, or of the others."""
    if not machines:
        return rows
    column, cause = NAMED[component]
    return rows[(rows[column] == cause) == (machines == "named")]


def _carries(raw: Raw, component: str) -> pd.Series:
    """Machines whose product line any order ever named the component on: the others have no such part to fail."""
    orders, line = raw.tickets, raw.units["product_id"].map(raw.lines)
    named = orders["serial_no"].isin(raw.units["serial_no"]) & (
        orders["component"].fillna(orders["fault_code"]) == component
    )
    of_order = orders.loc[named, "serial_no"].map(line.set_axis(raw.units["serial_no"]))
    return line.isin(set(of_order))


def _ages(raw: Raw, component: str, machines: str = "") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ages at failure (the middle of the day) and the ages between which each machine was watched, in months."""
    rows = _failures(raw, Asked.parse(f"failure_count@component={component}#{WINDOW}"))
    rows = _of_life(rows, component, machines)
    failed = ((rows["event_on"] - rows["started"]).dt.days + 0.5) / DAYS_PER_MONTH
    seen = raw.units[(raw.units["started"] < raw.units["ended"]) & (raw.units["ended"] > OBSERVED)]
    seen = _of_life(seen[_carries(raw, component)[seen.index]], component, machines)
    begin = (OBSERVED - seen["started"]).dt.days.clip(lower=0) / DAYS_PER_MONTH
    end = (seen["ended"] - seen["started"]).dt.days / DAYS_PER_MONTH
    return failed.to_numpy(float), begin.to_numpy(float), end.to_numpy(float)


@lru_cache(maxsize=8)
def _weibull(raw: Raw, component: str, machines: str = "") -> tuple[float, float]:
    """Shape and scale of the Weibull intensity of a machine that is repaired and goes on ageing: Σ log h(age) − Σ (H(end) − H(begin)) maximised."""
    failed, begin, end = _ages(raw, component, machines)

    def loss(logs: np.ndarray) -> float:
        shape, scale = np.exp(logs)
        intensity = np.log(shape / scale) + (shape - 1) * np.log(failed / scale)
        hazard = (end / scale) ** shape - (begin / scale) ** shape
        return float(hazard.sum() - intensity.sum()) / len(failed)

    found = minimize(
        loss,
        [0.0, np.log(200.0)],
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 4000},
    )
    shape, scale = np.exp(found.x)
    return float(shape), float(scale)


@recomputes(
    f"weibull_shape@component=compressor#{WINDOW}",
    f"weibull_shape@component=control_board,machines=other#{WINDOW}",
    f"weibull_shape@component=fan_motor,supplier=Qiming#{WINDOW}",
    f"weibull_shape@component=temperature_sensor#{WINDOW}",
    kind=MODEL,
    within=1e-4,
    why=OPTIMISER,
)
def weibull_shape(raw: Raw, asked: Asked) -> float:
    """Shape of the Weibull intensity, delayed entry and repairs treated. Source: weibull_shape."""
    component = asked.of["component"]
    named = NAMED.get(component, ("", ""))[0] in asked.of
    return _weibull(raw, component, "named" if named else asked.of.get("machines", ""))[0]


@recomputes(
    f"b10_life@component=compressor#{WINDOW}",
    f"b10_life@component=temperature_sensor#{WINDOW}",
    kind=MODEL,
    within=2e-4,
    why=OPTIMISER,
)
def b10_life(raw: Raw, asked: Asked) -> float:
    """Age in months by which a tenth of machines had this failure: the cumulative hazard reaches −log 0.9. Source: b10_life."""
    shape, scale = _weibull(raw, asked.of["component"])
    return float(scale * (-np.log(0.9)) ** (1 / shape))


@recomputes(
    f"b10_life@component=compressor,life_model=exponential#{WINDOW}",
    kind=MODEL,
    within=2e-3,
    why="the pack groups ages by fortnight when it compares distributions",
)
def b10_life_exponential(raw: Raw, asked: Asked) -> float:
    """The same were the hazard constant: failures over the months watched. Source: b10_life."""
    failed, begin, end = _ages(raw, asked.of["component"])
    return float(-np.log(0.9) / (len(failed) / (end - begin).sum()))


@recomputes(
    f"repairs_per_machine@by_month=12#{WINDOW}",
    f"repairs_per_machine@by_month=60#{WINDOW}",
    kind=MODEL,
    within=1e-6,
    why="the same sum of failures over machines at risk; only floating point may differ",
)
def repairs_per_machine(raw: Raw, asked: Asked) -> float:
    """Mean cumulative function: over the ages of failures, failures divided by the machines then watched. Source: repairs_per_machine."""
    rows = _failures(raw, Asked.parse(f"failure_count#{WINDOW}"))
    days, failed = np.unique((rows["event_on"] - rows["started"]).dt.days, return_counts=True)
    seen = raw.units[(raw.units["started"] < raw.units["ended"]) & (raw.units["ended"] > OBSERVED)]
    begin = (OBSERVED - seen["started"]).dt.days.clip(lower=0).to_numpy()
    end = (seen["ended"] - seen["started"]).dt.days.to_numpy()
    at_risk = np.array([((begin <= day) & (end > day)).sum() for day in days])
    upto = days + 0.5 <= float(asked.of["by_month"]) * DAYS_PER_MONTH
    return float((failed / at_risk)[upto].sum())


def _by_age_and_month(raw: Raw, component: str, marked: pd.Series) -> pd.DataFrame:
    """Unit-months and failures of a component by product line, calendar month, months in service and whether a machine is marked."""
    units = raw.units.assign(marked=marked, line=raw.units["product_id"].map(raw.lines))
    units = units[_carries(raw, component)]
    rows = _failures(raw, Asked.parse(f"failure_count@component={component}#{WINDOW}"))
    known = units.set_index("serial_no")
    rows = rows.assign(**{name: rows["serial_no"].map(known[name]) for name in ("marked", "line")})
    born = rows["started"].dt.year * 12 + rows["started"].dt.month
    when = rows["event_on"].dt.year * 12 + rows["event_on"].dt.month
    rows = rows.assign(month=when, band=pd.cut(when - born, BANDS, right=False, labels=False))
    by = ["line", "month", "band", "marked"]
    failed = rows.groupby(by).size().rename("failed")
    held = []
    for month in pd.period_range(OBSERVED, END - pd.Timedelta(days=1), freq="M"):
        number = month.year * 12 + month.month
        days = units["ended"].clip(upper=(month + 1).start_time) - units["started"].clip(
            lower=month.start_time
        )
        part = units.assign(
            months=days.dt.days.clip(lower=0) / month.days_in_month,
            band=pd.cut(
                number - units["started"].dt.year * 12 - units["started"].dt.month,
                BANDS,
                right=False,
                labels=False,
            ),
            month=number,
        )
        held.append(part[part["months"] > 0].groupby(by)["months"].sum())
    return pd.concat(held).to_frame("months").join(failed).fillna(0.0).reset_index()


def _rate_ratio(raw: Raw, component: str, marked: pd.Series) -> float:
    """How many times as often marked machines fail in a component as the others of their line, age and month.

    Poisson likelihood of all components: unit-months × rate (line, component, months in service) × factor (line, calendar month), and × the ratio
    where machines are marked and the component is the one asked for. Each part in turn reproduces its own counts, until nothing moves.
    """
    parts = sorted(_failures(raw, Asked.parse(f"failure_count#{WINDOW}"))["component"].dropna().unique())
    cells = pd.concat(
        [_by_age_and_month(raw, part, marked).assign(component=part) for part in parts], ignore_index=True
    )
    own = cells["marked"].astype(bool) & (cells["component"] == component)
    ratio, due = 1.0, cells["months"]
    for _ in range(500):
        for by in (["line", "component", "band"], ["line", "month"]):
            margin = cells.assign(due=due).groupby(by)[["failed", "due"]].transform("sum")
            due = due * (margin["failed"] / margin["due"]).where(margin["due"] > 0, 0.0)
        step = float(cells.loc[own, "failed"].sum() / due[own].sum())
        ratio, due = ratio * step, due.where(~own, due * step)
        if abs(step - 1) < 1e-9:
            break
    return ratio


@recomputes(
    f"cause_rate_ratio@component=fan_motor,supplier=Qiming#{WINDOW}", kind=MODEL, within=0.01, why=BY_TURNS
)
def cause_rate_ratio_of_a_supplier(raw: Raw, asked: Asked) -> float:
    """How many times as often fan motors of the supplier fail as others of the same line, months in service and calendar month. Source: cause_rate_ratio."""
    return _rate_ratio(raw, asked.of["component"], raw.units["supplier"] == asked.of["supplier"])


@recomputes(
    f"cause_rate_ratio@batch=C200-2507S,component=control_board#{WINDOW}",
    kind=MODEL,
    within=0.01,
    why=BY_TURNS,
)
def cause_rate_ratio_of_a_batch(raw: Raw, asked: Asked) -> float:
    """The same of one batch and its control boards. Source: cause_rate_ratio."""
    return _rate_ratio(raw, asked.of["component"], raw.units["batch"] == asked.of["batch"])


@recomputes(
    "failure_reported_share#2026-10",
    kind=MODEL,
    within=1e-3,
    why="delays of more than a year are followed here and counted as a year in the pack",
)
def failure_reported_share(raw: Raw, asked: Asked) -> float:
    """Share of a month's failures reported by its end, from the delays between failure and report.

    A delay is only seen if it is no longer than the days since the failure (right truncation): in reversed time that is delayed entry, so the
    product limit of the reversed delays estimates the share. Where the day of the failure is not recorded the report stands for it, so it has no
    delay, in the count of the month as in the share. Source: failure_reported_share.
    """
    rows = _failures(raw, Asked.parse(f"failure_count#{WINDOW}"))
    delay = (rows["opened_on"] - rows["event_on"]).dt.days
    most = (END - pd.Timedelta(days=1) - rows["event_on"]).dt.days
    top = int(delay.max())
    share = np.ones(top + 2)  # share[d]: reported within d days
    for d in range(top, 0, -1):
        seen = int(((delay <= d) & (most >= d)).sum())
        share[d - 1] = share[d] * (1 - int(((delay == d) & (most >= d)).sum()) / seen) if seen else share[d]
    waited = [(END - pd.Timedelta(days=1) - day).days for day in pd.date_range(asked.first, periods=31)]
    return float(np.mean([share[min(days, top)] for days in waited]))
