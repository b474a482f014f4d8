"""Who leaves, when, with what it goes together, and what is at risk.

Names are imported when first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_EXPORTS: dict[str, str] = {
    "ChurnComponents": "components",
    "churn_components": "components",
    "components_of_spells": "components",
    "cohort_matrix": "cohorts",
    "cohort_differences": "cohorts",
    "risk_scores": "scores",
    "RiskScores": "scores",
    "study": "leaving",
    "RetentionStudy": "leaving",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
