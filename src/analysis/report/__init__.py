"""The report: run the notebooks, check the record, export it in two languages, publish it by one rename, trace its numbers.

Names are imported when first used: the command line must answer ``--help`` before pandas is loaded.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.report.make import make_report
    from analysis.report.publish import Edition
    from analysis.report.tracing import Trace, trace

_HOME = {"make_report": "make", "Edition": "publish", "Trace": "tracing", "trace": "tracing"}
__all__ = ["Edition", "Trace", "make_report", "trace"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
