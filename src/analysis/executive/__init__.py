"""The executive summary: the headlines of the month, each beside last month and the year before."""

from analysis.executive.study import ExecutiveStudy, Headline, study

__all__ = ["ExecutiveStudy", "Headline", "study"]
