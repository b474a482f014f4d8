"""How full every column is, month by month, and which columns went silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from analysis.metrics import Period, Stating, StudyInputs
from analysis.metrics.backend import quoted
from analysis.periods import Month, months_between
from analysis.quality import views
from analysis.results import Fact
from analysis.summaries import Summarised
from analysis.tables import TableContract, contract

MONTHS = 13
#: Months with a value before silence can be told from a column that was never kept.
BASE_MONTHS = 3
#: A column that fills as a row ripens (resolved, paid, decided) is empty in young months by nature.
RIPENING_SILENCE = 3
#: Counted up, or got back, while the row is open: not said in the contract's words.
_GROWING = frozenset({"reopened", "contacts", "recovered", "handling_hours", "resolved", "approved"})


@dataclass(frozen=True, kw_only=True)
class ColumnCoverage(Summarised):
    """One optional column: (rows with a value, rows) by month, months without rows left out."""

    table: str
    column: str
    ripens: bool
    counts: Mapping[Month, tuple[int, int]]
    shares: Mapping[Month, Fact]

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"

    @cached_property
    def spread(self) -> float:
        """The fullest month less the emptiest, as shares of rows."""
        shares = [filled / rows for filled, rows in self.counts.values()]
        return max(shares) - min(shares)

    @property
    def silent(self) -> tuple[Month, ...]:
        """The last months in which not one row had a value."""
        months: list[Month] = []
        for month in sorted(self.counts, reverse=True):
            if self.counts[month][0]:
                break
            months.insert(0, month)
        return tuple(months)

    def chance_of_silence(self) -> float:
        """Chance of the silent months had rows gone on being filled, one by one, as often as in the months before."""
        silent = self.silent
        before = [count for month, count in self.counts.items() if month not in silent]
        enough = len(before) >= BASE_MONTHS and all(filled for filled, _ in before)
        if not enough or len(silent) < (RIPENING_SILENCE if self.ripens else 1):
            return 1.0
        share = sum(filled for filled, _ in before) / sum(rows for _, rows in before)
        return float((1 - share) ** sum(self.counts[month][1] for month in silent))


def coverage(inputs: StudyInputs) -> tuple[ColumnCoverage, ...]:
    """Every optional column a source gave in a table kept by month, over the last thirteen months up to the report month."""
    found: list[ColumnCoverage] = []
    for name, info in inputs.engine.tables.tables.items():
        table = contract().tables[name]
        columns = [
            column
            for column in table.columns
            if column in info.columns_present and not table.mandatory(column)
        ]
        if info.present and info.rows and table.time is not None and columns:
            found += _table_coverage(inputs, table, columns)
    return tuple(found)


def _table_coverage(
    inputs: StudyInputs, table: TableContract, columns: Sequence[str]
) -> list[ColumnCoverage]:
    first = inputs.month - (MONTHS - 1)
    counted = ", ".join(f"count({quoted(column)}) AS c{index}" for index, column in enumerate(columns))
    frame = inputs.engine.query(
        f"SELECT month, count(*) AS rows_read, {counted} FROM {quoted(table.name)} "
        f"WHERE {views.in_months(first, inputs.month)} GROUP BY month ORDER BY month"
    )
    rows = {Month.parse(line["month"]): line for line in frame.to_dict(orient="records")}
    found = []
    for index, column in enumerate(columns):
        counts = {
            month: (int(rows[month][f"c{index}"]), int(rows[month]["rows_read"]))
            for month in months_between(first, inputs.month)
            if month in rows
        }
        if counts:
            shares = _shares(inputs, table.name, column)
            found.append(
                ColumnCoverage(
                    table=table.name,
                    column=column,
                    ripens=ripens(table, column),
                    counts=counts,
                    shares=shares,
                )
            )
    return found


def ripens(table: TableContract, column: str) -> bool:
    """Whether a column fills as its row ages (resolved, paid, decided): young months are poorer in it by nature."""
    return (
        column in {late for _, late in table.in_order}
        or "null while" in table.columns[column].about
        or column in _GROWING
    )


def share_filled(
    inputs: StudyInputs, table: str, column: str, counts: Mapping[Month, tuple[int, int]]
) -> Fact:
    """Rows with a value among the rows of the months counted, which follow one another."""
    within = Period(min(counts), max(counts))
    return Stating(inputs=inputs, period=within).measured(
        "filled_share",
        views.column_rows(table, column).where(views.in_months(within.first, within.last)),
        table=table,
        column=column,
    )


def _shares(inputs: StudyInputs, table: str, column: str) -> dict[Month, Fact]:
    """The same month by month."""
    rows = views.column_rows(table, column)
    found = Stating(inputs=inputs).measured_by(
        "filled_share",
        rows.where(views.in_months(inputs.month - (MONTHS - 1), inputs.month)),
        by=("month",),
        table=table,
        column=column,
    )
    return {Month.parse(month): fact for (month,), fact in found.items()}


def rows_silent(inputs: StudyInputs, column: ColumnCoverage) -> Fact:
    """Rows of the silent months: none has a value."""
    silent = column.silent
    rows = views.rows_where(quoted(column.table), views.in_months(min(silent), max(silent)))
    return Stating(inputs=inputs).measured(
        "faulty_rows", views.faulty(rows), place=column.name, fault="silent"
    )
