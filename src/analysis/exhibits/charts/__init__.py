"""Charts of the house: facts in, a :class:`~analysis.exhibits.style.Drawing` out, to be passed to ``figure(draw=…)``.

Every chart brings the table of what it draws; intervals are drawn wherever facts have them; names stand beside their marks.
"""

from __future__ import annotations

from analysis.exhibits.charts.bars import histogram, pareto, ranked_bars, waterfall
from analysis.exhibits.charts.grids import composition, dot_interval, heatmap
from analysis.exhibits.charts.lines import Curve, control_chart, fan, lines, survival
from analysis.exhibits.charts.parts import Item, Series

__all__ = [
    "Curve",
    "Item",
    "Series",
    "composition",
    "control_chart",
    "dot_interval",
    "fan",
    "heatmap",
    "histogram",
    "lines",
    "pareto",
    "ranked_bars",
    "survival",
    "waterfall",
]
