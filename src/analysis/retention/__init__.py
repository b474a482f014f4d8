"""Who leaves, when, with what it goes together, and what is at risk.

Names are imported when first used.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "components": ["ChurnComponents", "churn_components", "components_of_spells"],
        "cohorts": ["cohort_differences", "cohort_matrix"],
        "scores": ["RiskScores", "risk_scores"],
        "study": ["RetentionStudy", "study"],
    },
)
