"""Data quality: what was read, what was kept out and why, and which doubts the rest of the report inherits."""

from analysis.quality.arrival import Arrival
from analysis.quality.coverage import ColumnCoverage
from analysis.quality.study import AppliedCorrection, Fault, FileRows, QualityStudy, study

__all__ = ["AppliedCorrection", "Arrival", "ColumnCoverage", "Fault", "FileRows", "QualityStudy", "study"]
