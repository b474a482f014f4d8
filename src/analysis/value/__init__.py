"""What a customer is worth, and what service experience does to it.

Names are imported when first used.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "lifetime": ["CustomerValues", "clv"],
        "base": ["ValueBase"],
        "worth": ["ValueStudy", "study"],
        "effects": ["service_effects"],
        "scenarios": ["what_if", "what_ifs"],
    },
)
