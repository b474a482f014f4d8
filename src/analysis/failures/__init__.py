"""Failures: what fails, why, since when, and what it will cost."""

from __future__ import annotations

import importlib
from typing import Any

_EXPORTS: dict[str, str] = {
    "ClaimsForecast": "root_cause",
    "claims_forecast": "root_cause",
    "FailureStudy": "root_cause",
    "FaultTree": "fault_tree",
    "localise": "localising",
    "NotRated": "root_cause",
    "study": "root_cause",
    "study_or_gap": "root_cause",
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
