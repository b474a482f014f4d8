"""Exhibits of the data-quality section."""

from __future__ import annotations

from analysis.exhibits.blocks import Block, Column, Row, callout, figure, table
from analysis.locale import Text
from analysis.quality import QualityStudy
from analysis.results import Sentence


def waterfall_table(study: QualityStudy) -> Block:
    """Rows of every file by what became of them; the columns add up across and down."""
    columns = [
        Column(key="table", label=Text(en="Table", zh="表")),
        Column(key="file", label=Text(en="File", zh="文件")),
        Column(key="read", label=Text(en="Read", zh="读取"), unit="rows"),
        Column(key="accepted", label=Text(en="Accepted", zh="接受"), unit="rows"),
        Column(key="quarantined", label=Text(en="Quarantined", zh="隔离"), unit="rows"),
        Column(key="duplicate", label=Text(en="Duplicates", zh="重复"), unit="rows"),
    ]
    rows = [Row(cells={"table": file.table, "file": file.file, **file.rows}) for file in study.files]
    rows.append(Row(cells={"table": Text(en="All files", zh="全部文件"), **study.total}, role="total"))
    return table(
        "quality.waterfall",
        title=Sentence("Every row read is accepted, quarantined with a reason, or an exact duplicate"),
        subtitle=Sentence("Rows by file. Read = accepted + quarantined + exact duplicates."),
        columns=columns,
        rows=rows,
    )


def faults_table(study: QualityStudy, *, top: int = 30) -> Block:
    """What the checks on the way in found, the most rows first."""
    if not study.faults:
        return callout("quality.faults", tone="info", title=Sentence("The checks on the way in found no fault."))
    columns = [
        Column(key="place", label=Text(en="Table and column", zh="表与列")),
        Column(key="reason", label=Text(en="Fault", zh="问题"), wide=True),
        Column(key="rows", label=Text(en="Rows", zh="行数"), unit="rows"),
        Column(key="example", label=Text(en="Example", zh="示例")),
        Column(key="kept", label=Text(en="What was done", zh="处理"), wide=True),
    ]
    rows = [
        Row(cells={"place": fault.place, "reason": fault.reason, "rows": fault.rows, "example": fault.example, "kept": fault.kept})
        for fault in study.faults[:top]
    ]
    return table(
        "quality.faults", title=Sentence("What the checks on the way in found"), subtitle=Sentence("Rows by kind of fault, the most first"),
        columns=columns, rows=rows,
    )


def coverage_table(study: QualityStudy) -> Block:
    """Which months each table covers and which columns the source did not give."""
    columns = [
        Column(key="table", label=Text(en="Table", zh="表")),
        Column(key="rows", label=Text(en="Rows", zh="行数"), unit="rows"),
        Column(key="first", label=Text(en="First month", zh="首月")),
        Column(key="last", label=Text(en="Last month", zh="末月")),
        Column(key="absent", label=Text(en="Columns not given", zh="未提供的列"), wide=True),
    ]
    rows = [
        Row(cells={"table": span.table, "rows": span.rows, "first": span.first, "last": span.last, "absent": ", ".join(span.columns_absent)})
        for span in study.tables
    ]
    note = Sentence("Tables not given: {tables}. What needs them says so.", {"tables": ", ".join(study.absent)}) if study.absent else None
    return table(
        "quality.coverage", title=Sentence("What the data of this run cover"), subtitle=Sentence("Accepted rows, months and absent columns by table"),
        columns=columns, rows=rows, note=note,
    )


def columns_figure(study: QualityStudy, *, top: int = 24) -> Block:
    """The columns filled most unevenly over the last months, as a grid of shares."""
    from analysis.exhibits.charts import heatmap

    uneven = sorted((column for column in study.columns if column.spread >= 0.05), key=lambda column: (-column.spread, column.name))[:top]
    if not uneven:
        return callout("quality.columns", tone="info", title=Sentence("Every column is filled as evenly as ever."))
    months = sorted({month for column in uneven for month in column.shares})
    return figure(
        "quality.columns",
        title=Sentence("{column} is filled most unevenly from month to month", {"column": uneven[0].name}),
        subtitle=Sentence("Share of rows with a value, by column and month; columns that changed most. A column that ripens, such as one for resolution, is emptier in young months."),
        foot=Sentence("Optional columns of tables kept by month, accepted rows known on the as-of date. Blank: no rows."),
        alt=Sentence("Grid of the share of rows with a value by column and month; {column} varies most.", {"column": uneven[0].name}),
        draw=heatmap(
            [(column.name, column.name) for column in uneven],
            [(str(month), str(month)) for month in months],
            {(column.name, str(month)): share for column in uneven for month, share in column.shares.items()},
            measure=Text(en="Rows with a value", zh="有值行占比"), by=Text(en="Column", zh="列"), span=(0.0, 1.0), places=0,
        ),
    )  # fmt: skip


def columns_table(study: QualityStudy, *, top: int = 200) -> Block:
    """Every optional column that is not always full: this month, its fullest and its emptiest month."""
    partly = [column for column in study.columns if any(filled < rows for filled, rows in column.counts.values())][:top]
    if not partly:
        return callout("quality.filled", tone="info", title=Sentence("Every column has a value in every row."))
    columns = [
        Column(key="table", label=Text(en="Table", zh="表")),
        Column(key="column", label=Text(en="Column", zh="列")),
        Column(key="latest", label=Text(en="Latest month", zh="最近月份"), unit="share"),
        Column(key="fullest", label=Text(en="Fullest month", zh="最满月份"), unit="share"),
        Column(key="emptiest", label=Text(en="Emptiest month", zh="最空月份"), unit="share"),
        Column(key="month", label=Text(en="Emptiest in", zh="最空于")),
    ]
    rows = []
    for column in partly:
        ordered = sorted(column.shares.items(), key=lambda pair: (float(pair[1].value or 0), pair[0]))
        (month, emptiest), (_, fullest) = ordered[0], ordered[-1]
        latest = column.shares[max(column.shares)]
        rows.append(Row(cells={"table": column.table, "column": column.column, "latest": latest, "fullest": fullest, "emptiest": emptiest, "month": month}))
    return table(
        "quality.filled", title=Sentence("How full every column is"), subtitle=Sentence("Share of rows with a value over the last thirteen months; columns with a value in every row are left out"),
        columns=columns, rows=rows,
    )  # fmt: skip


def arrivals_table(study: QualityStudy) -> Block:
    """How late rows are recorded, and how much of the report month is still to come."""
    if not study.arrivals:
        return callout("quality.arrivals", tone="info", title=Sentence("Late arrival: not computed: needs recorded_at and enough earlier months in tickets or ledger."))
    columns = [
        Column(key="table", label=Text(en="Table", zh="表")),
        Column(key="seen", label=Text(en="Known now", zh="现有"), unit="rows"),
        Column(key="median", label=Text(en="Median lag", zh="时滞中位数"), unit="days"),
        Column(key="late", label=Text(en="Lag of the slowest twentieth", zh="最慢二十分之一的时滞"), unit="days"),
        Column(key="arrived", label=Text(en="Usually arrived by now", zh="通常此时已到"), unit="share"),
        Column(key="lowest", label=Text(en="Slowest month", zh="最慢月份"), unit="share"),
        Column(key="to_come", label=Text(en="Still to come", zh="尚未到达"), unit="rows"),
    ]
    rows = [
        Row(cells={
            "table": arrival.table, "seen": arrival.seen, "median": arrival.median_lag, "late": arrival.late_lag,
            "arrived": arrival.arrived, "lowest": arrival.lowest, "to_come": arrival.to_come,
        })
        for arrival in study.arrivals
    ]  # fmt: skip
    return table(
        "quality.arrivals", title=Sentence("How much of the month is still to come"),
        subtitle=Sentence("Rows of {month} known now, how late rows are recorded, and what to expect if the month arrives as six earlier ones did", {"month": study.month}),
        columns=columns, rows=rows,
    )  # fmt: skip


def corrections_table(study: QualityStudy) -> Block:
    """Every entry of the corrections register, with the rows it found."""
    if not study.corrections:
        return callout("quality.corrections", tone="info", title=Sentence("The corrections register has no entry for this company."))
    columns = [
        Column(key="id", label=Text(en="Correction", zh="更正")),
        Column(key="table", label=Text(en="Table", zh="表")),
        Column(key="action", label=Text(en="What was done", zh="处理")),
        Column(key="rows", label=Text(en="Rows", zh="行数"), unit="rows"),
        Column(key="reason", label=Text(en="Reason", zh="原因"), wide=True),
        Column(key="reporter", label=Text(en="Reported by", zh="报告人")),
    ]
    rows = [
        Row(cells={"id": entry.id, "table": entry.table, "action": entry.action, "rows": entry.rows, "reason": entry.reason, "reporter": entry.reporter})
        for entry in study.corrections
    ]
    return table(
        "quality.corrections", title=Sentence("What the corrections register put right"),
        subtitle=Sentence("Applied before the checks; an entry that no longer finds its rows refuses the run"), columns=columns, rows=rows,
    )
