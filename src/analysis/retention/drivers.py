"""What goes with leaving: Cox regression with service experience that changes over time, beside the answers naive methods give.

Total effects leave out what lies on the way: satisfaction never enters them, and for repeat repairs neither do the complaints that follow. A
model that holds satisfaction fixed is labelled a mediation model. All of it is association within strata of contract kind, customer type and segment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import FitError, MissingData
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.standing import contracts, felt, observed_from
from analysis.retention.stating import TOO_FEW, estimate
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from analysis.stats import CoxFit

STRATA = ("kind", "customer_type", "segment")
YEAR_DAYS = 366.0  # a yearly term may lapse on its last day
FEWEST = 10  # losses with the experience below which no ratio is stated

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
TESTED = (("slow", "total"), ("repeat", "total_repeat"), ("waited", "response"), ("followed", "resolution"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Drivers(Summarised):
    """Hazard ratios by (experience, model), p-values of the total effects, absolute differences, and tests of proportionality.

    ``diagnostics`` : by experience, statistic and p-value of whether its ratio changes with the age of the contract, in the model it is tested in;
    ``proportional`` the table of the total-effect model, all its experiences together last.
    """

    ratios: Mapping[tuple[str, str], Fact]
    p_values: Mapping[str, float]
    differences: Mapping[str, Fact]
    diagnostics: Mapping[str, tuple[Fact, Fact]]
    proportional: pd.DataFrame | None
    losses: int
    exposed: Mapping[str, int]


@traced
def drivers(inputs: StudyInputs) -> Drivers:
    """Hazard ratios of loss for late complaints, repeat repairs, late first responses and repairs that took several contacts."""
    inputs.engine.require(
        "contracts.starts_on",
        "contracts.ends_on",
        "tickets.first_response_at",
        "tickets.resolved_at",
        "tickets.serial_no",
    )
    rows = exposure_rows(inputs)
    period = Period(Month.parse(observed_from(inputs)), inputs.month)
    fits = {
        name: _fit(rows, covariates, strata, inputs.confidence)
        for name, (covariates, strata) in MODELS.items()
    }
    exposed = {
        name: int(rows.loc[rows[name] & rows["lost"], "customers"].sum())
        for name in ("slow", "prompt", "repeat", "low", "ever_slow")
    }
    held = {name: rows for name in MODELS}
    if not inputs.engine.tables.missing("tickets.contacts"):
        handled = exposure_rows(inputs, views.HANDLING)
        fits |= {
            name: _fit(handled, covariates, strata, inputs.confidence)
            for name, (covariates, strata) in HANDLING.items()
        }
        exposed |= {
            name: int(handled.loc[handled[name] & handled["lost"], "customers"].sum())
            for name in views.HANDLING
        }
        held |= {name: handled for name in HANDLING}
    ratios, p_values = {}, {}
    for model, fit in fits.items():
        for name in {**MODELS, **HANDLING}[model][0]:
            what = "slow" if name == "ever_slow" else name
            ratios[what, model] = _ratio(inputs, fit, name, what, model, period, exposed[name])
    for what, model in TESTED:
        fit = fits.get(model)
        if fit is not None and what in fit.coefficients.index:
            p_values[what] = float(fit.coefficients["p_value"].loc[what])
    return Drivers(
        ratios=ratios,
        p_values=p_values,
        differences={
            what: _difference(inputs, held[model], fits[model], what, period)
            for what, model in TESTED
            if model in fits
        },
        diagnostics={
            what: _diagnostics(inputs, fits[model], what, period) for what, model in TESTED if model in fits
        },
        proportional=_proportional(fits["total"]),
        losses=int(rows.loc[rows["lost"], "customers"].sum()),
        exposed=exposed,
    )


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
        raise MissingData("contracts.starts_on")
    return rows


@traced
def _fit(rows: pd.DataFrame, covariates: Sequence[str], strata: Sequence[str], level: float) -> CoxFit | None:
    """The model on the covariates that vary and have losses; None where none is left."""
    from analysis import stats

    used = [
        name
        for name in covariates
        if rows.loc[rows[name] & rows["lost"], "customers"].sum() >= FEWEST
        and rows.loc[~rows[name] & rows["lost"], "customers"].sum() >= FEWEST
    ]
    if not used:
        return None
    group = [*strata, *used, "entry", "stop", "lost"]
    counted: pd.DataFrame = rows.groupby(group, as_index=False, sort=False)[["customers"]].sum()
    labels = stratum_labels(counted, strata)
    try:
        return stats.cox(
            counted[used].astype(float),
            counted["stop"],
            counted["lost"],
            entry=counted["entry"].where(counted["entry"] > 0, -1),
            strata=labels,
            weights=counted["customers"],
            level=level,
        )
    except FitError:
        return None


@traced
def stratum_labels(rows: pd.DataFrame, strata: Sequence[str]) -> NDArray[np.int64] | None:
    """One number a combination, the same numbers for any rows that hold all combinations; None without strata."""
    import numpy as np

    return rows.groupby(list(strata), sort=True).ngroup().to_numpy().astype(np.int64) if strata else None


@traced
def _ratio(
    inputs: StudyInputs, fit: CoxFit | None, name: str, what: str, model: str, period: Period, losses: int
) -> Fact:
    place = {"exposure": what, "model": model}
    if fit is None or name not in fit.coefficients.index:
        return inputs.engine.stated(
            "loss_hazard_ratio", period=period, value=None, reason=TOO_FEW, dimensions=place
        )
    row: Any = fit.coefficients.loc[name]
    return estimate(
        inputs,
        "loss_hazard_ratio",
        row["hazard_ratio"],
        row["low"],
        row["high"],
        method="Cox, Efron ties",
        period=period,
        dimensions=place,
        n=losses,
    )


@traced
def _difference(
    inputs: StudyInputs, rows: pd.DataFrame, fit: CoxFit | None, what: str, period: Period
) -> Fact:
    """Share lost in the first twelve months with the experience minus without, averaged over strata by their customers."""
    from analysis import stats

    place = {"exposure": what}
    if fit is None or what not in fit.coefficients.index:
        return inputs.engine.stated(
            "loss_risk_difference", period=period, value=None, reason=TOO_FEW, dimensions=place
        )
    import pandas as pd

    labels = stratum_labels(rows, STRATA)
    sizes = rows.groupby(labels)["customers"].sum()
    beside = {"waited": "asked", "followed": "repaired"}.get(what)  # whoever waited had asked
    none = pd.DataFrame([{name: float(name == beside) for name in fit.coefficients.index}])
    found = stats.absolute_difference(
        fit,
        none,
        what,
        values=(0.0, 1.0),
        time=min(YEAR_DAYS, float(fit.baseline["time"].max())),
        stratum=sizes.to_dict(),
    )
    return estimate(
        inputs,
        "loss_risk_difference",
        found.value,
        found.low,
        found.high,
        method="Standardised Cox, delta method",
        period=period,
        dimensions=place,
        n=int(sizes.sum()),
    )


@traced
def _proportional(fit: CoxFit | None) -> pd.DataFrame | None:
    from analysis import stats

    return None if fit is None else stats.proportional_hazards(fit)


@traced
def _diagnostics(inputs: StudyInputs, fit: CoxFit | None, what: str, period: Period) -> tuple[Fact, Fact]:
    """Statistic and p-value of the Grambsch-Therneau test of one experience."""
    table = _proportional(fit)
    place = {"exposure": what}
    known = table is not None and what in table.index

    def fact(metric: str, column: str) -> Fact:
        value = float(table[column][what]) if table is not None and known else None
        reason = {} if known else {"reason": TOO_FEW}
        return inputs.engine.stated(metric, period=period, value=value, dimensions=place, **reason)

    return fact("proportionality_statistic", "statistic"), fact("proportionality_p_value", "p_value")
