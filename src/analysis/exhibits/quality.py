"""Exhibits of the data-quality section."""

from __future__ import annotations

from analysis.exhibits.blocks import Block, Column, Row, callout, table
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
