"""Failures: what fails, why, since when, and what it will cost."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "claims": ["ClaimsForecast", "claims_forecast"],
        "study": ["FailureStudy", "NotRated", "study"],
        "fault_tree": ["FaultTree"],
        "localising": ["localise"],
    },
)
