"""Metrics: what the company's figures mean, computed once, on the engine."""

from analysis.metrics.engine import Engine
from analysis.metrics.registry import Measure, Metric, Registry
from analysis.metrics.views import VIEWS, View

__all__ = ["VIEWS", "Engine", "Measure", "Metric", "Registry", "View"]
