"""What a customer is worth, and what service experience does to it.

The study is loaded with the package, because its module bears its name; other names are imported when first used.
"""

from __future__ import annotations

import lazy_loader

from analysis.value.results import ValueStudy as ValueStudy
from analysis.value.study import study as study

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
