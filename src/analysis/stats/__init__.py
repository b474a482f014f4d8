"""Estimators that know arrays and weights and no business word.

Names are imported when first used, so that a notebook that draws one interval does not pay for every model.
"""

from __future__ import annotations

import importlib
from typing import Any

_EXPORTS: dict[str, str] = {
    # intervals, multiplicity, control charts
    "Interval": "intervals",
    "poisson_interval": "intervals",
    "proportion_difference_interval": "intervals",
    "proportion_interval": "intervals",
    "rate_ratio_interval": "intervals",
    "rate_ratio_p_value": "intervals",
    "adjust_p_values": "multiplicity",
    "ControlChart": "control",
    "control_chart": "control",
    "false_alarms_by_rule": "control",
    "signal_performance": "control",
    # localisation of an excess
    "localise": "localisation",
    "Localisation": "localisation",
    # reporting delay
    "backtest_nowcast": "reporting_delay",
    "fit_reporting_delay": "reporting_delay",
    "nowcast": "reporting_delay",
    # repeated events
    "mean_cumulative_difference": "recurrence",
    "mean_cumulative_function": "recurrence",
    "MeanCumulativeFunction": "recurrence",
    # life distributions
    "fit_competing_modes": "life",
    "fit_exponential": "life",
    "fit_lognormal": "life",
    "fit_weibull": "life",
    "fit_weibull_mixture": "life",
    "fit_weibull_threshold": "life",
    "probability_plot": "life",
    "WeibullFit": "life",
    # forecasting
    "forecast": "forecasting",
    "forecast_parts": "forecasting",
    "Forecast": "forecasting",
    "ReconciledForecast": "forecasting",
    # time to an event
    "kaplan_meier": "survival",
    "nelson_aalen": "survival",
    "log_rank": "survival",
    "aalen_johansen": "survival",
    "restricted_mean_difference": "survival",
    "SurvivalCurve": "survival",
    "LogRank": "survival",
    "cox": "hazards",
    "CoxFit": "hazards",
    "proportional_hazards": "hazards",
    "absolute_difference": "hazards",
    # causal effects
    "doubly_robust": "causal",
    "DoublyRobust": "causal",
    "e_value": "causal",
    "robustness_value": "causal",
    "confounded_estimate": "causal",
    # risk scores
    "fit_risk": "risk",
    "RiskModel": "risk",
    "area_under_curve": "risk",
    "calibration_line": "risk",
    # buy till you die
    "fit_bgnbd": "purchases",
    "fit_mbgnbd": "purchases",
    "fit_pareto_nbd": "purchases",
    "fit_gamma_gamma": "purchases",
    "fit_sbg": "purchases",
    "purchase_summary": "purchases",
    "GeometricModel": "purchases",
    "ParetoModel": "purchases",
    "GammaGammaModel": "purchases",
    "ContractModel": "purchases",
    "PurchaseSummary": "purchases",
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_EXPORTS)
