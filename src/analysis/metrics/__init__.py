"""Metrics: what the company's figures mean, computed once, on the engine."""

from analysis.metrics.engine import Engine, Period
from analysis.metrics.inputs import StudyInputs
from analysis.metrics.registry import Measure, Metric, Registry
from analysis.metrics.views import VIEWS, View

__all__ = ["VIEWS", "Engine", "Measure", "Metric", "Period", "Registry", "StudyInputs", "View"]
