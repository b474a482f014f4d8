"""What goes with leaving: Cox regression with service experience that changes over time, beside the answers naive methods give.

Total effects leave out what lies on the way: satisfaction never enters them, and for repeat repairs neither do the complaints that follow. A
model that holds satisfaction fixed is labelled a mediation model. All of it is association within strata of contract kind, customer type and segment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import FitError, NothingToCount
from analysis.locale import Text
from analysis.metrics import NotDone, Parts, Period, Stating, StudyInputs, cents
from analysis.metrics.lineage import traced
from analysis.metrics.views.responses import CLOCKS
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.settings import limit
from analysis.retention.spells import contracts, felt, observed_from, year_of
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from analysis.stats import CoxFit

STRATA = ("kind", "customer_type", "segment")
YEAR_DAYS = 366.0  # a yearly term may lapse on its last day

# model: (experiences entered, strata). The total effect of a late complaint holds repeat repairs fixed, which come before it.
MODELS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "total": (("slow", "prompt", "repeat"), STRATA),
    "total_repeat": (("repeat",), STRATA),
    "mediation": (("slow", "prompt", "repeat", "low"), STRATA),
    "unadjusted": (("slow",), ()),
    "naive": (("ever_slow",), ()),
}
# Read against customers who asked, or were repaired, as well: how long the answer took, and whether one contact was enough.
HANDLING: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "response": (("asked", "waited"), STRATA),
    "resolution": (("repaired", "followed"), STRATA),
}
# Experiences that say whether an answer was late.
LATE_OR_NOT = {"slow", "prompt", "ever_slow", "asked", "waited"}
# Experiences of a machine that was repaired before.
REPAIRED_AGAIN = {"repeat"}
# Whoever waited had asked, and whoever needed more contacts was repaired: these are compared with others who asked, or were repaired.
BESIDE = {"waited": "asked", "followed": "repaired"}
TESTED = (("slow", "total"), ("repeat", "total_repeat"), ("waited", "response"), ("followed", "resolution"))

TOO_FEW_LOSSES = "too few losses with, or without, the experience"


@dataclass(frozen=True, kw_only=True, eq=False)
class Drivers(Summarised):
    """Hazard ratios by (experience, model), p-values of the total effects, absolute differences, and tests of proportionality.

    ``diagnostics`` : by experience, statistic and p-value of whether its ratio changes with the age of the contract, in the model it is tested in;
    ``proportional`` the table of the total-effect model, all its experiences together last; ``cells`` what a tested ratio compares: customers,
    time watched and losses with and without the experience, by stratum; ``stakes`` what a tested difference is worth in yearly margin; ``not_fitted`` the models that could not be fitted.
    """

    ratios: Mapping[tuple[str, str], Fact]
    p_values: Mapping[str, float]
    differences: Mapping[str, Fact]
    diagnostics: Mapping[str, tuple[Fact, Fact]]
    proportional: pd.DataFrame | None
    losses: int
    exposed: Mapping[str, int]
    cells: Mapping[str, pd.DataFrame]
    stakes: Mapping[str, Fact]
    not_fitted: Mapping[str, NotDone]


@traced
def drivers(inputs: StudyInputs) -> Drivers:
    """Hazard ratios of loss for late complaints, repeat repairs, late first responses and repairs that took several contacts."""
    inputs.engine.require(
        "contracts.starts_on", "contracts.ends_on", "tickets.first_response_at", "tickets.resolved_at"
    )
    state = Stating(inputs=inputs, period=Period(Month.parse(observed_from(inputs)), inputs.month))
    held = dict.fromkeys(MODELS, exposure_rows(inputs))
    models = dict(MODELS)
    if not inputs.engine.tables.missing("tickets.contacts"):
        held |= dict.fromkeys(HANDLING, exposure_rows(inputs, views.HANDLING))
        models |= HANDLING
    parts, fewest = Parts(section="retention"), int(limit(inputs, "retention_fewest_losses"))
    fits = {
        model: parts.do(f"{model}_model", _fitted, inputs, held[model], covariates, strata, fewest)
        for model, (covariates, strata) in models.items()
    }
    # every experience entered by a model, and the losses of customers who had it
    entered = [(name, model) for model, (covariates, _) in models.items() for name in covariates]
    exposed = {name: _losses(held[model], name) for name, model in entered}
    tested = [(what, model) for what, model in TESTED if model in fits]
    p_values = {
        what: float(fit.coefficients["p_value"].loc[what])
        for what, model in tested
        if not isinstance(fit := fits[model], NotDone) and what in fit.coefficients.index
    }
    total = fits["total"]
    differences = {what: _difference(state, held[model], fits[model], what) for what, model in tested}
    return Drivers(
        ratios={
            ("slow" if name == "ever_slow" else name, model): _ratio(
                state, fits[model], name, model, exposed[name]
            )
            for name, model in entered
        },
        p_values=p_values,
        differences=differences,
        stakes=_stakes(inputs, differences),
        diagnostics={what: _diagnostics(state, fits[model], what) for what, model in tested},
        proportional=None if isinstance(total, NotDone) else _proportional(total),
        losses=int(held["total"].loc[held["total"]["lost"], "customers"].sum()),
        exposed=exposed,
        cells={what: _cells(held[model], what) for what, model in tested},
        not_fitted=parts.skipped,
    )


@traced
def _stakes(inputs: StudyInputs, differences: Mapping[str, Fact]) -> dict[str, Fact]:
    """The yearly margin that goes with each difference: its share of the margin of the customers under contract who had the experience in the last twelve months.

    Empty where orders carry no margin.
    """
    if inputs.engine.tables.missing("orders.gross_margin", "orders.ordered_at"):
        return {}
    state, year = Stating(inputs=inputs, period=year_of(inputs)), year_of(inputs)
    names = list(differences)
    sql = views.margin_of_the_affected(
        contracts(inputs), felt(inputs), inputs.month.end, year.first.start, names
    )
    margins = inputs.engine.query(sql).set_index("exposure")["margin"]
    made = {}
    for what, difference in differences.items():
        if difference.value is None or difference.interval is None:
            continue
        margin = float(margins.get(what, 0.0))
        value, low, high = (
            margin * float(share)
            for share in (difference.value, difference.interval.low, difference.interval.high)
        )
        made[what] = state.between(
            "experience_margin_at_stake",
            cents(value),
            low,
            high,
            method=difference.interval.method,
            n=difference.n or 0,
            exposure=what,
        )
    return made


def _losses(rows: pd.DataFrame, name: str) -> int:
    return int(rows.loc[rows[name] & rows["lost"], "customers"].sum())


def _cells(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """What a ratio compares, by stratum: contract pieces, days watched and losses, with and without the experience."""
    counted = rows.assign(
        exposed=rows[name],
        days_watched=(rows["stop"] - rows["entry"]) * rows["customers"],
        losses=rows["customers"].where(rows["lost"], 0),
    )
    beside = BESIDE.get(name)
    if beside:
        counted = counted[counted[beside]]
    sums = ["customers", "days_watched", "losses"]
    cells: pd.DataFrame = counted.groupby([*STRATA, "exposed"], as_index=False)[sums].sum()
    return cells


@traced
def exposure_rows(inputs: StudyInputs, exposures: Sequence[str] = views.EXPOSURES) -> pd.DataFrame:
    """Start-stop rows with their number, from SQL; a contract older than the service records enters when these begin."""
    since: dt.date = observed_from(inputs)
    rows = inputs.engine.query(
        views.exposure_rows(
            contracts(inputs), felt(inputs), inputs.month.end, observed_from=since, exposures=exposures
        )
    )
    if rows.empty or not rows["lost"].any():
        raise NothingToCount("contracts.starts_on")
    return rows


def _fitted(
    inputs: StudyInputs, rows: pd.DataFrame, covariates: Sequence[str], strata: Sequence[str], fewest: int
) -> CoxFit:
    """The model; refused where it enters whether answers were late and stamps do not tell the time of day, or where all that it asks is whether a machine was repaired again and tickets name none."""
    if LATE_OR_NOT & set(covariates):
        inputs.engine.require_clock(*CLOCKS)
    if set(covariates) == REPAIRED_AGAIN:
        inputs.engine.require("tickets.serial_no")
    return _fit(rows, covariates, strata, fewest, inputs.confidence)


@traced
def _fit(
    rows: pd.DataFrame, covariates: Sequence[str], strata: Sequence[str], fewest: int, level: float
) -> CoxFit:
    """The model on the covariates that vary and have losses; refused (``FitError``) where none is left."""
    from analysis import stats

    used = [
        name
        for name in covariates
        if _losses(rows, name) >= fewest and rows.loc[~rows[name] & rows["lost"], "customers"].sum() >= fewest
    ]
    if not used:
        raise FitError(TOO_FEW_LOSSES)
    group = [*strata, *used, "entry", "stop", "lost", "several"]
    counted: pd.DataFrame = rows.groupby(group, as_index=False, sort=False, dropna=False)[["customers"]].sum()
    return stats.cox(
        counted[used].astype(float),
        counted["stop"],
        counted["lost"],
        entry=counted["entry"].where(counted["entry"] > 0, -1),
        strata=stratum_labels(counted, strata),
        weights=counted["customers"],
        level=level,
        **same_customer(counted),
    )


def same_customer(rows: pd.DataFrame) -> dict[str, Any]:
    """What tells the model that spells of one customer are not several customers (``several`` names it); nothing where every customer has one."""
    again = rows["several"].notna()
    if not again.any():
        return {}
    return {"clusters": rows["several"].fillna("").astype(str).to_numpy(), "apart": ~again.to_numpy()}


@traced
def stratum_labels(rows: pd.DataFrame, strata: Sequence[str]) -> NDArray[np.int64] | None:
    """One number a combination, the same numbers for any rows that hold all combinations; None without strata."""
    import numpy as np

    return rows.groupby(list(strata), sort=True).ngroup().to_numpy().astype(np.int64) if strata else None


@traced
def _ratio(state: Stating, fit: CoxFit | NotDone, name: str, model: str, losses: int) -> Fact:
    """How many times as often those with the experience leave; without a fit, the reason."""
    place: dict[str, Any] = {"exposure": "slow" if name == "ever_slow" else name, "loss_model": model}
    if isinstance(fit, NotDone) or name not in fit.coefficients.index:
        return state.exact("loss_hazard_ratio", None, reason=_why_not(fit), **place)
    row: Any = fit.coefficients.loc[name]
    return state.between(
        "loss_hazard_ratio",
        float(row["hazard_ratio"]),
        row["low"],
        row["high"],
        method="Cox, Efron ties" if fit.clusters is None else "Cox, Efron ties, errors by customer",
        n=losses,
        **place,
    )


def _why_not(fit: CoxFit | NotDone) -> Text:
    """Why a model says nothing of an experience: it was not fitted, or the experience was too seldom to enter it."""
    return fit.unstated if isinstance(fit, NotDone) else NotDone(reason=Text.of(TOO_FEW_LOSSES)).unstated


@traced
def _difference(state: Stating, rows: pd.DataFrame, fit: CoxFit | NotDone, what: str) -> Fact:
    """Share lost in the first twelve months with the experience minus without, averaged over strata by their customers."""
    import pandas as pd

    from analysis import stats

    if isinstance(fit, NotDone) or what not in fit.coefficients.index:
        return state.exact("loss_risk_difference", None, reason=_why_not(fit), exposure=what)
    sizes = rows.groupby(stratum_labels(rows, STRATA))["customers"].sum()
    none = pd.DataFrame([{name: float(name == BESIDE.get(what)) for name in fit.coefficients.index}])
    found = stats.absolute_difference(
        fit,
        none,
        what,
        values=(0.0, 1.0),
        time=min(YEAR_DAYS, float(fit.baseline["time"].max())),
        stratum=sizes.to_dict(),
    )
    return state.between(
        "loss_risk_difference",
        float(found.value),
        found.low,
        found.high,
        method="Standardised Cox, delta method",
        n=int(sizes.sum()),
        exposure=what,
    )


@traced
def _proportional(fit: CoxFit) -> pd.DataFrame:
    from analysis import stats

    table: pd.DataFrame = stats.proportional_hazards(fit)
    return table


@traced
def _diagnostics(state: Stating, fit: CoxFit | NotDone, what: str) -> tuple[Fact, Fact]:
    """Statistic and p-value of the Grambsch-Therneau test of one experience."""
    table = None if isinstance(fit, NotDone) else _proportional(fit)
    values: list[float | None] = [None, None]
    if table is not None and what in table.index:
        values = [float(table[column][what]) for column in ("statistic", "p_value")]
    statistic, p_value = values
    return (
        state.exact("proportionality_statistic", statistic, reason=_why_not(fit), exposure=what),
        state.exact("proportionality_p_value", p_value, reason=_why_not(fit), exposure=what),
    )
