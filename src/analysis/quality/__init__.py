"""Data quality: what was read, what was kept out and why, and which doubts the rest of the report inherits."""

from analysis.quality.study import Fault, FileRows, QualityStudy, study

__all__ = ["Fault", "FileRows", "QualityStudy", "study"]
