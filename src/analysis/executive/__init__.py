"""The executive summary: the headlines of the period, each beside the period before and the year before, and what could not be asked."""

from analysis.executive.benchmarks import Benchmarked
from analysis.executive.changes import Change
from analysis.executive.findings import doubts, not_tested
from analysis.executive.order import in_one_order
from analysis.executive.study import ExecutiveStudy, Headline, study
from analysis.executive.years import SpanLine

__all__ = [
    "Benchmarked",
    "Change",
    "ExecutiveStudy",
    "Headline",
    "SpanLine",
    "doubts",
    "in_one_order",
    "not_tested",
    "study",
]
