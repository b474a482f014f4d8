"""Where the after-sales cost comes from, why it moved, and what a saving was worth.

The study is loaded with the package, because its module bears its name; other names are imported when first used.
"""

from __future__ import annotations

import lazy_loader

from analysis.costs.study import CostStudy, study

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "allocation": ["allocate", "allocate_pools", "allocation_sensitivity"],
        "bridge": ["bridge_by", "cost_bridge", "drill_largest"],
        "savings": ["at_constant_mix", "expected_against_realised"],
        "sourcing": ["break_even_volume"],
        "signals": ["cost_rises", "cost_surges", "idle_teams", "price_steps"],
        "tie_out": ["journal_imbalances"],
        "provision": ["provision_roll_forward"],
        "activity_costing": ["time_driven_abc"],
    },
)
__all__ += ["CostStudy", "study"]
