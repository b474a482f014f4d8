"""Where the after-sales cost comes from, why it moved, and what a saving was worth.

Names are imported when first used.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
