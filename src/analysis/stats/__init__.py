"""Estimators that know arrays and weights and no business word.

Names are imported when first used, so that a notebook that draws one interval does not pay for every model.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
