"""Estimators that know arrays and weights and no business word.

Names are imported when first used, so that a notebook that draws one interval does not pay for every model.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "intervals": [
            "Interval",
            "poisson_interval",
            "proportion_difference_interval",
            "proportion_interval",
            "rate_ratio_interval",
            "rate_ratio_p_value",
        ],
        "multiplicity": ["adjust_p_values"],
        "control": ["ControlChart", "control_chart", "false_alarms_by_rule", "signal_performance"],
        "localisation": ["Localisation", "localise"],
        "reporting_delay": ["backtest_nowcast", "fit_reporting_delay", "nowcast"],
        "recurrence": ["MeanCumulativeFunction", "mean_cumulative_difference", "mean_cumulative_function"],
        "life": [
            "WeibullFit",
            "fit_competing_modes",
            "fit_exponential",
            "fit_lognormal",
            "fit_weibull",
            "fit_weibull_mixture",
            "fit_weibull_threshold",
            "probability_plot",
        ],
        "forecasting": ["Forecast", "ReconciledForecast", "forecast", "forecast_parts"],
        "survival": [
            "LogRank",
            "SurvivalCurve",
            "aalen_johansen",
            "kaplan_meier",
            "log_rank",
            "nelson_aalen",
            "restricted_mean_difference",
        ],
        "hazards": ["CoxFit", "absolute_difference", "cox", "proportional_hazards"],
        "causal": ["DoublyRobust", "confounded_estimate", "doubly_robust", "e_value", "robustness_value"],
        "purchases": [
            "ContractModel",
            "GammaGammaModel",
            "GeometricModel",
            "ParetoModel",
            "PurchaseSummary",
            "fit_bgnbd",
            "fit_gamma_gamma",
            "fit_mbgnbd",
            "fit_pareto_nbd",
            "fit_sbg",
            "purchase_summary",
        ],
    },
)
