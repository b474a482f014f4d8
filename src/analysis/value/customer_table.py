"""From fitted models to money: one row per customer on the engine, and sums of it with their errors.

A *state* is what was known of the customers at a cutoff; *parameters* are what was learnt at a cutoff. Pricing one with the other is what lets a change of
value be split into what customers did and what the model came to think.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.errors import FitError, MissingData, NothingToCount
from analysis.locale import Text
from analysis.metrics import NotDone, Period, StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.views import NOT_STATED
from analysis.results import lacking
from analysis.summaries import Summarised
from analysis.value import purchase_models, renewal_models, views
from analysis.value.base import tuples
from analysis.value.settings import ValueSettings

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
NOT_COUNTED = Text.of("not counted: the basis is before service cost")


@dataclass(frozen=True, kw_only=True)
class Available(Summarised):
    """What the tables of the run hold: it decides what is counted."""

    contracts: bool
    service: bool
    margin: bool
    machines: bool = True  # what was sold still needs service when its buyer has left
    unserved: Text | None = None  # why there is no service cost of a year to count

    @classmethod
    def of(cls, inputs: StudyInputs) -> Available:
        def has(*needs: str) -> bool:
            return not inputs.engine.tables.missing(*needs)

        traced = has("ledger.ticket_id", "tickets.customer_id")
        year = Period(inputs.month - 11, inputs.month)
        # months of a ledger that began within the year would pass for all of it
        young = inputs.engine.unbegun(year, ("ledger",)) if traced else None
        return cls(
            contracts=has("contracts.starts_on", "contracts.ends_on", "contracts.amount"),
            service=traced and young is None,
            margin=has("orders.gross_margin"),
            machines=has("units.serial_no") or has("products.warranty_months"),
            unserved=young if traced else lacking("ledger.ticket_id"),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class State(Summarised):
    """Names of tables on the engine: what was known at ``cutoff``.

    ``everyone`` ever bought or held a contract; ``customers`` are those of them who have not left, all of them where ``machines`` were sold, which need
    service whoever owns them.
    """

    cutoff: dt.date
    purchases: str
    running: str | None
    service: str | None
    everyone: str
    customers: str
    machines: bool
    unserved: Text | None  # why no service cost is counted, which is not the same as none


@dataclass(frozen=True, kw_only=True, eq=False)
class Parameters(Summarised):
    """Everything learnt at a cutoff.

    ``spend`` : Gamma-Gamma by customer type; ``shares`` : margin on revenue of purchases by customer type, ``contract_shares`` by kind of contract;
    ``service`` : by customer type ``mean`` (net traced cost a year), ``error`` of it and ``carry`` (how much of a customer's own year carries over to the next).
    """

    buying: purchase_models.Buying
    spend: Mapping[str, Any]
    shares: Mapping[str, float]
    renewing: renewal_models.Renewing | None
    contract_shares: Mapping[str, float]
    service: Mapping[str, tuple[float, float, float]]


def purchase_types(settings: ValueSettings, available: Available) -> tuple[str, ...]:
    """Without a table of contracts, what would bill them counts as purchases."""
    return (
        settings.purchase_types
        if available.contracts
        else (*settings.purchase_types, *settings.contract_types)
    )


@traced
def state_at(inputs: StudyInputs, settings: ValueSettings, available: Available, cutoff: dt.date) -> State:
    bought = purchase_models.purchases_at(inputs, cutoff, purchase_types(settings, available))
    engine = inputs.engine
    running = (
        engine.materialise("value_running", views.running_contracts(cutoff)) if available.contracts else None
    )
    service = None
    if available.service and settings.basis == "contribution":
        counted = (*settings.purchase_types, *settings.contract_types)
        service = engine.materialise(
            "value_service", views.service_costs(cutoff, counted, margin=available.margin)
        )
    everyone = engine.materialise("value_everyone", views.customers(bought, running, cutoff))
    return State(
        cutoff=cutoff,
        purchases=bought,
        running=running,
        service=service,
        everyone=everyone,
        customers=everyone
        if available.machines
        else engine.materialise("value_today", views.customers_of_today(everyone, bought, cutoff)),
        machines=available.machines,
        unserved=None if service else _unserved(available),
    )


def _unserved(available: Available) -> Text:
    """Why no service cost is counted: there is none of a year, or the basis is before it."""
    return NOT_COUNTED if available.service else available.unserved or lacking("ledger.ticket_id")


@traced
def parameters_at(
    inputs: StudyInputs,
    settings: ValueSettings,
    available: Available,
    state: State,
    choice: purchase_models.Choice,
    lengths: Sequence[renewal_models.Terms] | None = None,
) -> Parameters:
    """Fit everything to the state. Purchases, spend and renewals need no margin; without one there are no shares (:func:`require_margin`).

    ``lengths`` : contracts whose renewals are modelled; see :func:`~analysis.value.renewal_models.fitted_at`.
    """
    engine = inputs.engine
    types = purchase_types(settings, available)
    shares: dict[str, float] = {}
    contract_shares: dict[str, float] = {}
    if settings.basis != "revenue" and available.margin:
        shares = margins(engine.query(views.margin_shares(state.cutoff, types)), "grp")
        if available.contracts:
            contract_shares = margins(
                engine.query(views.contract_margins(state.cutoff, settings.contract_types)), "kind"
            )
    return Parameters(
        buying=purchase_models.fitted_at(inputs, choice, state.purchases, settings.smallest_group),
        spend=_spend(inputs, state.purchases, settings.smallest_group),
        shares=shares,
        renewing=renewal_models.fitted_at(inputs, state.cutoff, settings, lengths) if state.running else None,
        contract_shares=contract_shares,
        service=_service(engine.query(views.service_moments(state.customers, state.service, state.cutoff)))
        if state.service
        else {},
    )


def require_margin(settings: ValueSettings, available: Available, parameters: Parameters) -> None:
    """Refuse (``MissingData``) to price purchases or contracts with a margin that is not in the data: it would read as all of the revenue."""
    unknown = not parameters.shares or (available.contracts and not parameters.contract_shares)
    if settings.basis != "revenue" and unknown:
        raise NothingToCount("orders.revenue") if available.margin else MissingData("orders.gross_margin")


def margins(frame: pd.DataFrame, key: str) -> dict[str, float]:
    """Margin on revenue by group; ``all`` for a group that sold nothing lately."""
    known = frame[frame["revenue"].notna() & frame["margin"].notna()]
    found = {
        str(getattr(row, key)): float(row.margin / row.revenue) for row in tuples(known) if row.revenue > 0
    }
    total = sum(known["revenue"], Decimal(0))
    if total <= 0:
        return {}
    return found | {ALL: float(sum(known["margin"], Decimal(0)) / total)}


@dataclass(frozen=True, kw_only=True, eq=False)
class SpendFit(Summarised):
    """Covariance of the logarithms of p, q and v."""

    log_covariance: Any


@dataclass(frozen=True, kw_only=True, eq=False)
class AlikeSpend(Summarised):
    """Where customers do not differ in what they spend (the Gamma-Gamma model then has no maximum): the mean of all for everyone.

    It is the limit of the model for a huge ``q``; only the mean, that is ``v``, is uncertain. ``refusal`` says why the model was not fitted.
    """

    p: float
    q: float
    v: float
    mean: float
    correlation: float
    customers: float
    fit: SpendFit
    refusal: NotDone


_HUGE = 1e12


@traced
def _spend(inputs: StudyInputs, purchases: str, smallest: int) -> dict[str, Any]:
    """Gamma-Gamma by customer type and for all together (used for a type that is too small)."""
    from analysis import stats

    frame = inputs.engine.query(views.spends(purchases))
    found: dict[str, Any] = {}
    for name, part in [*frame.groupby("grp", sort=True), (ALL, frame)]:
        if name != ALL and part["customers"].sum() < smallest:
            continue
        try:
            found[str(name)] = stats.fit_gamma_gamma(part["purchases"], part["mean_spend"], part["customers"])
        except FitError as refusal:
            found[str(name)] = alike_spend(part, NotDone.because(refusal))
    return found


def alike_spend(part: pd.DataFrame, refusal: NotDone) -> AlikeSpend:
    """Mean spend of a purchase and its error from the spread of customers' means around it."""
    import numpy as np

    purchases, mean, customers = (
        part[name].to_numpy(dtype=float) for name in ("purchases", "mean_spend", "customers")
    )
    weight = purchases * customers
    average = float(weight @ mean / weight.sum())
    spread = float(weight**2 / customers @ (mean - average) ** 2) / float(weight.sum()) ** 2
    covariance = np.zeros((3, 3))
    covariance[2, 2] = spread / average**2
    varied = len(mean) > 2 and np.ptp(purchases) > 0 and np.ptp(mean) > 0
    together = np.cov(purchases, mean, aweights=customers) if varied else np.zeros((2, 2))
    return AlikeSpend(
        p=1.0,
        q=_HUGE,
        v=average * _HUGE,
        mean=average,
        correlation=float(together[0, 1] / np.sqrt(together[0, 0] * together[1, 1])) if varied else math.nan,
        customers=float(customers.sum()),
        fit=SpendFit(log_covariance=covariance),
        refusal=refusal,
    )


def _service(moments: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    """(mean, its error, carry) of a year's net traced cost by customer type: the linear predictor of one year by the year before, carry between 0 and 1."""
    found = {}
    for row in tuples(moments):
        n, mean = float(row.n), float(row.y) / float(row.n)
        error = math.sqrt(max(float(row.yy) / n - mean**2, 0.0) / n)
        carry = 0.0
        if row.n2 and row.zz2 is not None and row.zz2 == row.zz2:
            n2 = float(row.n2)
            spread = float(row.zz2) / n2 - (float(row.z2) / n2) ** 2
            together = float(row.yz2) / n2 - float(row.z2) * float(row.y2) / n2**2
            carry = min(1.0, max(0.0, together / spread)) if spread > 0 else 0.0
        found[str(row.grp)] = (mean, error, carry)
    return found


def annuity(months: int, rate: float) -> float:
    """Years of a steady yearly cost, discounted month by month."""
    return sum(float((1 + rate) ** (-(month + 0.5) / 12)) for month in range(months)) / 12


# -- the table of customers ----------------------------------------------------------------------------------------------


def priced(
    inputs: StudyInputs,
    settings: ValueSettings,
    state: State,
    parameters: Parameters,
    *,
    name: str,
    months: int,
    rate: float,
    derivatives: bool = False,
) -> str:
    """A table of the engine, one row per customer, with the columns that :class:`~analysis.value.base.ValueBase` describes; with ``derivatives`` also those of the errors."""
    engine = inputs.engine
    grouping = parameters.buying.grouping()
    seen = engine.query(views.patterns(state.purchases, grouping))
    expected = purchase_models.expectations(
        seen, parameters.buying, months=months, rate=rate, derivatives=derivatives
    )
    expected["held"] = expected["held"] / annuity(months, rate)
    lent = {
        "expected": engine.lend(f"{name}_expected", _arrow(expected)),
        "spend": engine.lend(f"{name}_spend", _arrow(_spend_rows(inputs, state, parameters))),
        "service": engine.lend(f"{name}_service", _arrow(_service_rows(parameters))),
    }
    contract = _contracts(inputs, state, parameters, name, months, rate)
    slopes = (
        ", ".join(f"coalesce(e.d{place} * m.worth, 0.0) AS v{place}" for place in range(4))
        if derivatives
        else ", ".join(f"0.0 AS v{place}" for place in range(4))
    )
    years = annuity(months, rate)
    service = (
        """LEFT JOIN {table} s ON s.customer_id = k.customer_id LEFT JOIN {lent} w ON w.grp = k.customer_type""".format(
            table=state.service, lent=lent["service"]
        )
        if state.service
        else ""
    )
    own = "coalesce(s.cost_12m - s.paid_12m, 0.0)"
    next_service = (
        f"coalesce(w.average, 0.0) + coalesce(w.carry, 0.0) * ({own} - coalesce(w.average, 0.0))"
        if state.service
        else "0.0"
    )
    held, held_12m = (_held(state, name) for name in ("held", "held_12m"))
    sql = f"""WITH money AS (
  SELECT b.customer_id, b.customer_type AS s_grp, {views.group_of(grouping, "b.")} AS b_grp, b.x, b.recency, b.age,
         g.p * (g.v + (b.x + 1) * b.mean_spend) / (g.p * (b.x + 1) + g.q - 1) * g.share AS worth,
         1 - g.p * (b.x + 1) / (g.p * (b.x + 1) + g.q - 1) AS by_p, g.q / (g.p * (b.x + 1) + g.q - 1) AS by_q, g.v / (g.v + (b.x + 1) * b.mean_spend) AS by_v
  FROM {state.purchases} b LEFT JOIN {lent["spend"]} g ON g.grp = b.customer_type
), valued AS (
  SELECT k.*, coalesce(m.b_grp, 'none') AS b_grp, coalesce(m.s_grp, 'none') AS s_grp, coalesce(c.c_grp, 'none') AS c_grp, coalesce(m.worth, 0.0) AS worth, coalesce(m.x + 1, 0) AS purchases,
         CASE WHEN k.kind = 'contract' THEN coalesce(c.renew, e.p_alive, 0.0) ELSE coalesce(e.p_alive, 0.0) END AS p_alive,
         CASE WHEN k.kind = 'contract' THEN coalesce(c.stay_12m, e.stay_12m, 0.0) ELSE coalesce(e.stay_12m, 0.0) END AS stay_12m,
         round(coalesce(e.det * m.worth, 0.0), 2) AS clv_purchases, round(coalesce(c.clv, 0.0), 2) AS clv_contract, round(({next_service}) * {held} * {years!r}, 2) AS clv_service, {held} AS served,
         round(coalesce(e.next_12m * m.worth, 0.0) + coalesce(c.next_12m, 0.0), 2) AS margin_next_12m, round(({next_service}) * {held_12m}, 2) AS service_next_12m,
         {"round(coalesce(s.cost_12m, 0.0), 2)" if state.service else "0.0"} AS service_cost_12m, {"CAST(coalesce(s.orders_12m, 0) AS BIGINT)" if state.service else "0"} AS service_orders_12m,
         {slopes}, coalesce(e.det * m.worth * m.by_p, 0.0) AS g0, coalesce(-e.det * m.worth * m.by_q, 0.0) AS g1, coalesce(e.det * m.worth * m.by_v, 0.0) AS g2,
         coalesce(c.e0, 0.0) AS e0, coalesce(c.e1, 0.0) AS e1
  FROM {state.customers} k LEFT JOIN money m ON m.customer_id = k.customer_id
  LEFT JOIN {lent["expected"]} e ON e.grp = m.b_grp AND e.x = m.x AND e.recency = m.recency AND e.age = m.age
  LEFT JOIN ({contract}) c ON c.customer_id = k.customer_id {service}
), summed AS (SELECT *, round(clv_purchases + clv_contract - clv_service, 2) AS clv FROM valued), ranked AS (
  SELECT *, row_number() OVER (ORDER BY clv DESC, customer_id) AS place, count(*) OVER () AS everyone FROM summed
)
SELECT *, CASE WHEN place <= {settings.top_share!r} * everyone THEN 'top' WHEN place <= {settings.top_share + settings.middle_share!r} * everyone THEN 'middle' ELSE 'low' END AS tier FROM ranked"""
    return engine.materialise(name, sql)


def _held(state: State, name: str) -> str:
    """SQL of the share of the time in which a customer is expected to need service: what a machine needs, it needs whoever has left."""
    if state.machines:
        return "1.0"
    return f"CASE WHEN k.kind = 'contract' THEN coalesce(c.{name}, e.{name}, 0.0) ELSE coalesce(e.{name}, 0.0) END"


def _arrow(frame: pd.DataFrame) -> Any:
    import pyarrow as pa

    return pa.Table.from_pandas(frame, preserve_index=False)


@traced
def _spend_rows(inputs: StudyInputs, state: State, parameters: Parameters) -> pd.DataFrame:
    """A row per customer type of the state; one without a model of its own takes that of all."""
    import pandas as pd

    types = inputs.engine.query(f"SELECT DISTINCT customer_type AS grp FROM {state.purchases} ORDER BY 1")[
        "grp"
    ]
    rows = []
    for name in types:
        model = parameters.spend.get(str(name), parameters.spend[ALL])
        share = parameters.shares.get(str(name), parameters.shares.get(ALL, 1.0))
        rows.append((str(name), float(model.p), float(model.q), float(model.v), float(share)))
    return pd.DataFrame(rows, columns=["grp", "p", "q", "v", "share"])


def _service_rows(parameters: Parameters) -> pd.DataFrame:
    import pandas as pd

    rows = [(name, mean, carry) for name, (mean, _, carry) in sorted(parameters.service.items())] or [
        (NOT_STATED, 0.0, 0.0)
    ]
    return pd.DataFrame(rows, columns=["grp", "average", "carry"])


def _contracts(
    inputs: StudyInputs, state: State, parameters: Parameters, name: str, months: int, rate: float
) -> str:
    """SELECT of one row per customer with a running contract."""
    nothing = "SELECT CAST(NULL AS VARCHAR) AS customer_id, CAST(NULL AS VARCHAR) AS c_grp, 0.0 AS clv, 0.0 AS e0, 0.0 AS e1, 0.0 AS renew, 0.0 AS stay_12m, 0.0 AS next_12m, 0.0 AS held, 0.0 AS held_12m WHERE FALSE"
    if state.running is None or parameters.renewing is None:
        return nothing
    distinct = inputs.engine.query(
        f"SELECT DISTINCT kind, customer_type, renewals, ahead, term_months FROM {state.running} ORDER BY ALL"
    )
    if distinct.empty:
        return nothing
    known = renewal_models.factors(distinct, parameters.renewing, months=months, rate=rate)
    known["held"] = known["held"] / annuity(months, rate)
    margin = [
        parameters.contract_shares.get(kind, parameters.contract_shares.get(ALL, 1.0))
        for kind in known["kind"]
    ]
    table = inputs.engine.lend(f"{name}_terms", _arrow(known.assign(margin=margin)))

    def money(column: str) -> str:
        return f"CAST(sum(CAST(r.amount * f.margin * f.{column} AS {views.FINE})) AS DOUBLE)"

    return f"""SELECT r.customer_id, min(f.grp) AS c_grp, {money("terms")} AS clv, {money("e0")} AS e0, {money("e1")} AS e1,
       max(CASE WHEN f.renew > 0 THEN f.renew END) AS renew, max(CASE WHEN f.renew > 0 THEN f.stay_12m END) AS stay_12m, {money("next_12m")} AS next_12m,
       max(CASE WHEN r.renewable THEN f.held END) AS held, max(CASE WHEN r.renewable THEN f.held_12m END) AS held_12m
FROM {state.running} r JOIN {table} f ON f.kind = r.kind AND f.customer_type = r.customer_type AND f.renewals = r.renewals AND f.ahead = r.ahead AND f.term_months = r.term_months GROUP BY 1"""


# -- sums with errors ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Sum(Summarised):
    """Value of some customers: count, parts, and the standard errors of the whole and of each part (parameters and miss in the holdout)."""

    customers: int
    clv: Decimal
    purchases: Decimal
    contract: Decimal
    service: Decimal
    error: float
    errors: Mapping[str, float]
    revenue_12m: Decimal
    service_cost_12m: Decimal


@traced
def sums(
    inputs: StudyInputs, table: str, parameters: Parameters, *, by: str | None, years: float, where: str = ""
) -> dict[str, Sum]:
    """By value of the column ``by`` (or all together under ``all``), values in order."""
    import numpy as np

    key = f"CAST({by} AS VARCHAR)" if by else literal(ALL)
    columns = [
        f"CAST(sum(CAST({name} AS {views.FINE})) AS DOUBLE) AS {name}"
        for name in ("v0", "v1", "v2", "v3", "g0", "g1", "g2", "e0", "e1", "served")
    ]
    money = [
        f"sum(CAST({name} AS {views.CENTS})) AS {name}"
        for name in ("clv", "clv_purchases", "clv_contract", "clv_service", "revenue_12m", "service_cost_12m")
    ]
    frame = inputs.engine.query(
        f"""SELECT {key} AS slice, b_grp, s_grp, c_grp, customer_type, count(*) AS customers, {", ".join(money + columns)}
FROM {table} {f"WHERE {where}" if where else ""} GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"""
    )
    doubt = parameters.buying.choice.doubt
    found = {}
    for name, part in frame.groupby("slice", sort=True):
        bought, kept, served = 0.0, 0.0, 0.0
        for group, rows in part.groupby("b_grp", sort=True):
            if group in parameters.buying.models or (parameters.buying.choice.fallback and group != "none"):
                slope = rows[["v0", "v1", "v2", "v3"]].sum().to_numpy(dtype=float)
                bought += float(slope @ parameters.buying.covariance(str(group)) @ slope)
        for group, rows in part.groupby("s_grp", sort=True):
            if group != "none":
                slope = rows[["g0", "g1", "g2"]].sum().to_numpy(dtype=float)
                bought += float(
                    slope
                    @ np.asarray(parameters.spend.get(str(group), parameters.spend[ALL]).fit.log_covariance)
                    @ slope
                )
        if parameters.renewing is not None:
            for group, rows in part.groupby("c_grp", sort=True):
                if group in parameters.renewing.models:
                    slope = rows[["e0", "e1"]].sum().to_numpy(dtype=float)
                    kept += float(
                        slope @ np.asarray(parameters.renewing.models[str(group)].fit.log_covariance) @ slope
                    )
        for group, rows in part.groupby("customer_type", sort=True):
            _, error, carry = parameters.service.get(str(group), (0.0, 0.0, 0.0))
            served += (float(rows["served"].sum()) * years * error * (1 - carry)) ** 2
        total = {
            column: sum(part[column], Decimal(0))
            for column in (
                "clv",
                "clv_purchases",
                "clv_contract",
                "clv_service",
                "revenue_12m",
                "service_cost_12m",
            )
        }
        bought += (float(total["clv_purchases"]) * doubt) ** 2
        found[str(name)] = Sum(
            customers=int(part["customers"].sum()),
            clv=total["clv"],
            purchases=total["clv_purchases"],
            contract=total["clv_contract"],
            service=total["clv_service"],
            error=math.sqrt(bought + kept + served),
            errors={
                "purchases": math.sqrt(bought),
                "contract": math.sqrt(kept),
                "service": math.sqrt(served),
            },
            revenue_12m=total["revenue_12m"],
            service_cost_12m=total["service_cost_12m"],
        )
    return found


def levels(found: Sequence[str], names: Sequence[str]) -> list[str]:
    """Values in the order of ``names``, then the rest by name."""
    known = [name for name in names if name in found]
    return known + sorted(set(found) - set(known))
