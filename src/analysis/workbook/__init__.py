"""What a notebook imports: open the run, show exhibits, keep the record."""

from analysis.workbook.month_run import MonthRun, open_run, prepare_run

__all__ = ["MonthRun", "open_run", "prepare_run"]
