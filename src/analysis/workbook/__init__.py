"""What a notebook imports: open the run, show exhibits, keep the record."""

from analysis.exhibits import plots
from analysis.workbook.month_run import MonthRun, open_run, prepare_run

plots.register()

__all__ = ["MonthRun", "open_run", "prepare_run"]
