"""Where the after-sales cost comes from, why it moved, and what a saving was worth.

Names are imported when first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_EXPORTS: dict[str, str] = {
    "allocate": "allocation",
    "allocate_pools": "allocation",
    "allocation_sensitivity": "allocation",
    "bridge_by": "bridge",
    "cost_bridge": "bridge",
    "at_constant_mix": "savings",
    "break_even_volume": "sourcing",
    "cost_rises": "signals",
    "cost_surges": "signals",
    "drill_largest": "bridge",
    "expected_against_realised": "savings",
    "idle_teams": "signals",
    "journal_imbalances": "tie_out",
    "price_steps": "signals",
    "provision_roll_forward": "provision",
    "study": "decomposition",
    "time_driven_abc": "activity_costing",
    "CostStudy": "decomposition",
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
