"""Companies in which nothing is planted: how often a study finds something all the same (``docs/NULLS.md``)."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
