"""What the warm process imports once: every kernel and exporter of a report is forked from it and finds this loaded.

A bare notebook spends seconds on starting a kernel and importing pandas, matplotlib and the analysis; forked, it spends
a tenth of one. Nothing here may start a thread or open a connection, because those do not survive a fork.
"""

from __future__ import annotations

import contextlib
import importlib
import logging

_MODULES = (
    "IPython.core.interactiveshell",
    "IPython.core.completer",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.pylab.backend_inline",
    "matplotlib_inline.backend_inline",
    "duckdb",
    "pandas",
    "pyarrow.parquet",
    "babel.messages.pofile",
    "matplotlib.figure",
    "matplotlib.backends.backend_svg",
    "matplotlib.font_manager",
    "scipy.stats",
    "analysis.workbook",
    "analysis.exhibits.statements",
    "analysis.exhibits.style",
    "analysis.exhibits.markup",
    "analysis.exhibits.charts",
    "analysis.stats",
    "analysis.costs",
    "analysis.failures",
    "analysis.retention",
    "analysis.value",
    "analysis.experience",
    "analysis.growth",
    "analysis.report.html",
    "analysis.report.pdf",
    "analysis.report.export",
    "typst",
)


def load() -> None:
    """Import what is there. A study without a module yet, or a broken one, is left to the notebook that needs it."""
    for name in _MODULES:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    logging.captureWarnings(False)


load()
