"""The report: run the notebooks, check the record, export it in two languages, publish it by one rename, trace its numbers.

Names are imported when first used: the command line must answer ``--help`` before pandas is loaded.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
