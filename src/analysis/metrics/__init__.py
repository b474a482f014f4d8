"""Metrics: what the company's figures mean, computed once, on the engine."""

from analysis.metrics.engine import Engine
from analysis.metrics.inputs import StudyInputs
from analysis.metrics.likelihood import Likelihood, likelihood, likelihood_check
from analysis.metrics.lineage import traced, traced_once, traced_property
from analysis.metrics.materiality import Materiality, materiality, materiality_check
from analysis.metrics.registry import Measure, Metric, Registry
from analysis.metrics.stating import Stating, cents
from analysis.metrics.study import NotDone, Parts, Study, facts_in, study
from analysis.metrics.views import VIEWS, View
from analysis.periods import Period

__all__ = [
    "VIEWS",
    "Engine",
    "Likelihood",
    "Materiality",
    "Measure",
    "Metric",
    "NotDone",
    "Parts",
    "Period",
    "Registry",
    "Stating",
    "Study",
    "StudyInputs",
    "View",
    "cents",
    "facts_in",
    "likelihood",
    "likelihood_check",
    "materiality",
    "materiality_check",
    "study",
    "traced",
    "traced_once",
    "traced_property",
]
