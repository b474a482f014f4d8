"""Data quality: what was read, what was kept out and why, and which doubts the rest of the report inherits."""

from analysis.quality.arrival import Arrival
from analysis.quality.controls import ControlTotals
from analysis.quality.coverage import ColumnCoverage
from analysis.quality.exports import ExportRows
from analysis.quality.faults import AppliedCorrection, Fault
from analysis.quality.freshness import Freshness
from analysis.quality.history import OwnHistory
from analysis.quality.nearness import NearDuplicates
from analysis.quality.screens import Reconciled
from analysis.quality.study import QualityStudy, study
from analysis.quality.waterfall import FileRows

__all__ = [
    "AppliedCorrection",
    "Arrival",
    "ColumnCoverage",
    "ControlTotals",
    "ExportRows",
    "Fault",
    "FileRows",
    "Freshness",
    "NearDuplicates",
    "OwnHistory",
    "QualityStudy",
    "Reconciled",
    "study",
]
