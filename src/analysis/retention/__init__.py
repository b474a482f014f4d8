"""Who leaves, when, with what it goes together, and what is at risk.

Names are imported when first used.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
