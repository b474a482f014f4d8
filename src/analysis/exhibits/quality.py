"""Exhibits of the data-quality section."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.statements import EvidenceFile, callout, evidence_block
from analysis.exhibits.tables import table
from analysis.exhibits.vocabulary import Column, Row, phrase
from analysis.locale import Text
from analysis.quality import Fault, QualityStudy
from analysis.quality.nearness import needed_columns
from analysis.results import Sentence

if TYPE_CHECKING:
    import pandas as pd

    from analysis.params.screen_figures import ScreenFigure


def waterfall_table(study: QualityStudy) -> Block:
    """Rows of every file by what became of them; the columns add up across and down."""
    columns = [
        Column(key="table", label=Text.of("Table")),
        Column(key="file", label=Text.of("File")),
        Column(key="read", label=Text.of("Read"), unit="rows", metric=("source_rows",)),
        Column(key="accepted", label=Text.of("Accepted"), unit="rows", metric=("source_rows",)),
        Column(key="quarantined", label=Text.of("Quarantined"), unit="rows", metric=("source_rows",)),
        Column(key="duplicate", label=Text.of("Duplicates"), unit="rows", metric=("source_rows",)),
    ]
    rows = [
        Row(
            cells={
                "table": file.table,
                "file": _export_name(file.file) if study.exports else file.file,
                **file.rows,
            }
        )
        for file in study.files
    ]
    rows.append(Row(cells={"table": Text.of("All files"), **study.total}, role="total"))
    return table(
        "quality.waterfall",
        title=Sentence("Every row read is accepted, quarantined with a reason, or an exact duplicate"),
        subtitle=Sentence("Rows by file. Read = accepted + quarantined + exact duplicates."),
        columns=columns,
        rows=rows,
    )


def _export_name(file: str) -> str:
    """The export behind a file that a map wrote: ``tickets/0-export.csv.csv``."""
    return re.sub(r"^\w+/\d+-(.+)\.csv$", r"\1", file)


def exports_table(study: QualityStudy) -> Block | None:
    """What the source map did with the rows of each export; nothing where the files are canonical tables already."""
    if not study.exports:
        return None
    columns = [
        Column(key="file", label=Text.of("Export"), wide=True),
        Column(key="table", label=Text.of("Feeds")),
        Column(key="read", label=Text.of("Read"), unit="rows"),
        Column(key="mapped", label=Text.of("Written"), unit="rows"),
        Column(key="left_out", label=Text.of("Left out"), unit="rows"),
    ]
    rows = [
        Row(cells={"file": export.file, "table": export.table, **export.rows}) for export in study.exports
    ]
    return table(
        "quality.exports",
        title=Sentence("Every row of an export is written to a table or left out by a stated rule"),
        subtitle=Sentence(
            "Rows by export and table. Read = written + left out; one export may feed several tables."
        ),
        columns=columns,
        rows=rows,
    )


def remarks_table(study: QualityStudy, *, top: int = 30) -> Block | None:
    """What the map took for granted on the way: words it does not list, columns that are not there, rules that keep nothing."""
    if not study.remarks:
        return None
    columns = [
        Column(key="file", label=Text.of("Export"), wide=True),
        Column(key="column", label=Text.of("Column")),
        Column(key="kind", label=Text.of("What the map did"), wide=True),
        Column(key="count", label=Text.of("Values"), unit="rows"),
        Column(key="example", label=Text.of("Example")),
    ]
    rows = [
        Row(
            cells={
                "file": one.file,
                "column": f"{one.table}.{one.column}" if one.column else one.table,
                "kind": one.kind,
                "count": one.count,
                "example": one.example,
            }
        )
        for one in study.remarks[:top]
    ]
    return table(
        "quality.remarks",
        title=Sentence("What the map took for granted, and where to look"),
        subtitle=Sentence(
            "Remarks by export and column, the most rows first; blank where a whole column or file is meant"
        ),
        columns=columns,
        rows=rows,
    )


def quarantine_table(study: QualityStudy, *, top: int = 30) -> Block:
    """What was set aside by place and reason, with an example and where it stands."""
    if not study.quarantine:
        return callout(
            "quality.quarantine",
            tone="info",
            title=Sentence("Nothing was set aside: every row and every value could be used."),
        )
    columns = [
        Column(key="place", label=Text.of("Table and column")),
        Column(key="reason", label=Text.of("Reason"), wide=True),
        Column(key="rows", label=Text.of("Rows"), unit="rows", metric=("faulty_rows",)),
        Column(key="share", label=Text.of("Share"), unit="share", places=3, metric=("faulty_share",)),
        Column(key="example", label=Text.of("Example")),
        Column(key="kept", label=Text.of("What was done")),
    ]
    return table(
        "quality.quarantine",
        title=Sentence("What was set aside, and why"),
        subtitle=Sentence(
            "Rows and their share of the rows read, the most first. Every row set aside is kept with its reason; file and row number are in the evidence."
        ),
        columns=columns,
        rows=[
            _fault_row(fault, "place", "reason", "rows", "share", "example", "kept")
            for fault in study.quarantine[:top]
        ],
        by=("fault", "place"),
    )


def _fault_row(fault: Fault, *parts: str) -> Row:
    return Row(cells={part: getattr(fault, part) for part in parts})


def faults_table(study: QualityStudy, *, top: int = 30) -> Block:
    """What the checks on the way in found, the most rows first."""
    if not study.faults:
        return callout(
            "quality.faults", tone="info", title=Sentence("The checks on the way in found no fault.")
        )
    columns = [
        Column(key="place", label=Text.of("Table and column")),
        Column(key="reason", label=Text.of("Fault"), wide=True),
        Column(key="rows", label=Text.of("Rows"), unit="rows", metric=("faulty_rows",)),
        Column(key="share", label=Text.of("Share"), unit="share", places=3, metric=("faulty_share",)),
        Column(key="example", label=Text.of("Example")),
        Column(key="kept", label=Text.of("What was done"), wide=True),
    ]
    rows = [
        _fault_row(fault, "place", "reason", "rows", "share", "example", "kept")
        for fault in study.faults[:top]
    ]
    return table(
        "quality.faults",
        title=Sentence("Every doubt is counted and named; its rows stay"),
        subtitle=Sentence("Rows and their share of the rows read, by kind of fault, the most first"),
        columns=columns,
        rows=rows,
        by=("fault", "place"),
    )


def near_table(study: QualityStudy) -> Block:
    """Exact copies, which count once, and near copies, which are a suspicion and stay."""
    if not study.near:
        return callout(
            "quality.near",
            tone="info",
            title=Sentence(
                "Near duplicates: not computed: no table has the columns that two rows would have to share."
            ),
            body=Sentence("Needed: {columns}.", {"columns": needed_columns()}),
        )
    columns = [
        Column(key="table", label=Text.of("Table")),
        Column(key="exact", label=Text.of("Exact copies"), unit="rows", metric=("faulty_rows",)),
        Column(key="rows", label=Text.of("Near copies"), unit="rows", metric=("faulty_rows",)),
        Column(key="rule", label=Text.of("The same within 30 minutes, or on the day"), wide=True),
        Column(key="example", label=Text.of("Example")),
    ]
    rows = [
        Row(
            cells={
                "table": near.table,
                "exact": near.exact,
                "rows": near.rows,
                "rule": near.rule,
                "example": near.example,
            }
        )
        for near in study.near
    ]
    return table(
        "quality.near",
        title=Sentence("Rows that look entered twice are named, not removed"),
        subtitle=Sentence(
            "Rows by table. An exact copy counts once. A near copy shares the columns named and differs in its key; texts may differ by a quarter of their letters."
        ),
        columns=columns,
        rows=rows,
        by=("place",),
    )


def history_table(study: QualityStudy, *, top: int = 12) -> Block:
    """The series that lie farthest from their own past, with what that past allows."""
    if not study.histories:
        return callout(
            "quality.history",
            tone="info",
            title=Sentence(
                "Comparison with the own past: not computed: needs two years of months with enough rows."
            ),
        )
    columns = [
        Column(key="series", label=Text.of("Series")),
        Column(key="what", label=Text.of("What")),
        Column(key="value", label=Text.of("This month"), metric=("monthly_level",)),
        Column(key="expected", label=Text.of("Expected"), metric=("expected_level",)),
        Column(
            key="interval", label=Text.of("Allowed by chance"), show="interval", metric=("expected_level",)
        ),
        Column(key="months", label=Text.of("Months compared"), show="n", metric=("expected_level",)),
        Column(key="verdict", label=Text.of("Verdict")),
    ]
    out, inside = Text.of("out of line"), Text.of("as ever")
    count, mean = Text.of("rows"), Text.of("mean")
    rows = [
        Row(
            cells={
                "series": one.name,
                "what": mean if one.column else count,
                "value": one.value,
                "expected": one.expected,
                "interval": one.expected,
                "months": one.expected,
                "verdict": out if one.out_of_line else inside,
            },
            tone="bad" if one.out_of_line else None,
        )
        for one in study.histories[:top]
    ]
    return table(
        "quality.history",
        title=Sentence("Each table and column against its own past"),
        subtitle=Sentence(
            "Rows and means of {month} beside the same month a year before moved by the usual yearly change; the series farthest from their past first",
            {"month": study.month},
        ),
        columns=columns,
        rows=rows,
        note=Sentence(
            "When nothing has happened, any series is called out of line in at most one run in twenty."
        ),
        by=("table",),
    )


def screens_table(study: QualityStudy) -> Block:
    """Our totals beside the figures on the source systems' own screens."""
    if not study.screens:
        return callout(
            "quality.screens",
            tone="info",
            title=Sentence("No figure of a source system's screen is stated for this run."),
            body=Sentence("State one in params/screen_figures.yml and it is compared here every month."),
        )
    columns = [
        Column(key="system", label=Text.of("System and screen"), wide=True),
        Column(key="figure", label=Text.of("Figure", context="screen")),
        Column(key="theirs", label=Text.of("On the screen"), scale="exact", metric=("screen_figure",)),
        Column(key="ours", label=Text.of("Here"), scale="exact"),  # any metric that the screen shows
        Column(key="difference", label=Text.of("Difference"), scale="exact", metric=("screen_difference",)),
        Column(key="tolerance", label=Text.of("Tolerated"), scale="exact", metric=("screen_tolerance",)),
    ]
    rows = [
        Row(
            cells={
                "system": _screen(line.stated),
                "figure": line.name,
                "theirs": line.theirs,
                "ours": line.ours,
                "difference": line.difference,
                "tolerance": line.tolerance,
            },
            tone=None if line.agrees else "bad",
        )
        for line in study.screens
    ]
    return table(
        "quality.screens",
        title=Sentence("Our totals beside the screens of the source systems"),
        subtitle=Sentence(
            "Figures as somebody read them in the system, with period and day of reading; a difference beyond the tolerance is a failed check"
        ),
        columns=columns,
        rows=rows,
    )


def _screen(figure: ScreenFigure) -> Text:
    """Which screen, for which months, and when it was read."""
    template = (
        "{system}; {first}, read {day}"
        if figure.last == figure.first
        else "{system}; {first} to {last}, read {day}"
    )
    return phrase(template, system=figure.system, first=figure.first, last=figure.last, day=figure.read_on)


def controls_table(study: QualityStudy) -> Block:
    """Control totals of the general ledger and our sums less them, month by month."""
    if not study.controls:
        return callout(
            "quality.controls", tone="info", title=Sentence("Control totals: not computed: needs gl_totals.")
        )
    columns = [Column(key="month", label=Text.of("Month"))]
    for one in study.controls:
        columns += [
            Column(key=one.measure, label=one.name),
            Column(key=f"{one.measure}_gap", label=Text.of("difference"), scale="exact", signed=True),
        ]
    months = sorted({month for one in study.controls for month in one.total})
    rows = [
        Row(
            cells={"month": month}
            | {one.measure: one.total.get(month) for one in study.controls}
            | {f"{one.measure}_gap": one.difference.get(month) for one in study.controls}
        )
        for month in months
    ]
    return table(
        "quality.controls",
        title=Sentence("Our tables beside the control totals of the general ledger"),
        subtitle=Sentence("Control total of the month, and the same sum of our tables less it"),
        columns=columns,
        rows=rows,
    )


def coverage_table(study: QualityStudy) -> Block:
    """Which months each table covers and which columns the source did not give."""
    columns = [
        Column(key="table", label=Text.of("Table")),
        Column(key="rows", label=Text.of("Rows"), unit="rows", metric=("source_rows",)),
        Column(key="first", label=Text.of("First month")),
        Column(key="last", label=Text.of("Last month")),
        Column(key="silent", label=Text.of("Silent"), unit="days", metric=("days_without_rows",)),
        Column(key="absent", label=Text.of("Columns not given"), wide=True),
    ]
    silent = {fresh.table: fresh.silent for fresh in study.freshness}
    rows = [
        Row(
            cells={
                "table": span.table,
                "rows": span.rows,
                "first": span.first,
                "last": span.last,
                "silent": silent.get(span.table),
                "absent": ", ".join(span.columns_absent),
            }
        )
        for span in study.tables
    ]
    note = (
        Sentence("Tables not given: {tables}. What needs them says so.", {"tables": ", ".join(study.absent)})
        if study.absent
        else None
    )
    return table(
        "quality.coverage",
        title=Sentence("What the data of this run cover"),
        subtitle=Sentence(
            "Accepted rows and months by table, days of {month} after the last row, and absent columns",
            {"month": study.month},
        ),
        columns=columns,
        rows=rows,
        note=note,
        by=("table",),
    )


def columns_figure(study: QualityStudy, *, top: int = 24) -> Block:
    """The columns filled most unevenly over the last months, as a grid of shares."""
    from analysis.exhibits.charts import heatmap

    uneven = sorted(
        (column for column in study.columns if column.spread >= 0.05),
        key=lambda column: (-column.spread, column.name),
    )[:top]
    if not uneven:
        return callout(
            "quality.columns", tone="info", title=Sentence("Every column is filled as evenly as ever.")
        )
    months = sorted({month for column in uneven for month in column.shares})
    return figure(
        "quality.columns",
        title=Sentence("{column} is filled most unevenly from month to month", {"column": uneven[0].name}),
        subtitle=Sentence(
            "Share of rows with a value, by column and month; columns that changed most. A column that ripens, such as one for resolution, is emptier in young months."
        ),
        foot=Sentence(
            "Optional columns of tables kept by month, accepted rows known on the as-of date. Blank: no rows."
        ),
        alt=Sentence(
            "Grid of the share of rows with a value by column and month; {column} varies most.",
            {"column": uneven[0].name},
        ),
        draw=heatmap(
            [(column.name, column.name) for column in uneven],
            [(str(month), str(month)) for month in months],
            {(column.name, str(month)): share for column in uneven for month, share in column.shares.items()},
            measure=Text.of("Rows with a value"),
            by=Text.of("Column"),
            span=(0.0, 1.0),
            places=0,
        ),
    )


def columns_table(study: QualityStudy, *, top: int = 12) -> Block:
    """Every optional column that is not always full: this month, its fullest and its emptiest month."""
    partly = [
        column for column in study.columns if any(filled < rows for filled, rows in column.counts.values())
    ]
    partly = sorted(partly, key=lambda column: (-column.spread, column.name))[:top]
    if not partly:
        return callout(
            "quality.filled", tone="info", title=Sentence("Every column has a value in every row.")
        )
    columns = [
        Column(key="table", label=Text.of("Table")),
        Column(key="column", label=Text.of("Column")),
        Column(key="latest", label=Text.of("Latest month"), unit="share", metric=("filled_share",)),
        Column(key="fullest", label=Text.of("Fullest month"), unit="share", metric=("filled_share",)),
        Column(key="emptiest", label=Text.of("Emptiest month"), unit="share", metric=("filled_share",)),
        Column(key="month", label=Text.of("Emptiest in")),
    ]
    rows = []
    for column in partly:
        ordered = sorted(column.shares.items(), key=lambda pair: (float(pair[1].value or 0), pair[0]))
        (month, emptiest), (_, fullest) = ordered[0], ordered[-1]
        latest = column.shares[max(column.shares)]
        rows.append(
            Row(
                cells={
                    "table": column.table,
                    "column": column.column,
                    "latest": latest,
                    "fullest": fullest,
                    "emptiest": emptiest,
                    "month": month,
                }
            )
        )
    return table(
        "quality.filled",
        title=Sentence("How full the columns are"),
        subtitle=Sentence(
            "Share of rows with a value over the last thirteen months, the most uneven first; every column and month is in the evidence"
        ),
        columns=columns,
        rows=rows,
        by=("column", "table"),
    )


def filled_evidence(study: QualityStudy) -> pd.DataFrame:
    """Rows with a value and rows of every optional column and month, for the evidence."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "table": column.table,
                "column": column.column,
                "month": str(month),
                "filled": count[0],
                "rows": count[1],
                "share": column.shares[month].value,
            }
            for column in study.columns
            for month, count in sorted(column.counts.items())
        ],
        columns=["table", "column", "month", "filled", "rows", "share"],
    )


def filled_file(study: QualityStudy, sha256: str) -> Block:
    """The link to :func:`filled_evidence`."""
    title = Sentence("Every optional column by month: rows, and rows with a value")
    rows = sum(len(column.counts) for column in study.columns)
    return evidence_block(
        "quality.filled_by_month",
        [EvidenceFile(stem="quality.filled_by_month", title=title, sha256=sha256, rows=rows)],
    )


def arrivals_table(study: QualityStudy) -> Block:
    """How late rows are recorded, and how much of the report month is still to come."""
    if not study.arrivals:
        return callout(
            "quality.arrivals",
            tone="info",
            title=Sentence(
                "Late arrival: not computed: needs recorded_at and enough earlier months in tickets or ledger."
            ),
        )
    columns = [
        Column(key="table", label=Text.of("Table")),
        Column(key="seen", label=Text.of("Known now"), unit="rows", metric=("source_rows",)),
        Column(key="median", label=Text.of("Median lag"), unit="days", metric=("recording_lag",)),
        Column(
            key="late", label=Text.of("Lag of the slowest twentieth"), unit="days", metric=("recording_lag",)
        ),
        Column(
            key="arrived", label=Text.of("Usually arrived by now"), unit="share", metric=("arrived_share",)
        ),
        Column(key="lowest", label=Text.of("Slowest month"), unit="share", metric=("arrived_share",)),
        Column(key="to_come", label=Text.of("Still to come"), unit="rows", metric=("rows_to_come",)),
    ]
    rows = [
        Row(
            cells={
                "table": arrival.table,
                "seen": arrival.seen,
                "median": arrival.median_lag,
                "late": arrival.late_lag,
                "arrived": arrival.arrived,
                "lowest": arrival.lowest,
                "to_come": arrival.to_come,
            }
        )
        for arrival in study.arrivals
    ]
    return table(
        "quality.arrivals",
        title=Sentence("How much of the month is still to come"),
        subtitle=Sentence(
            "Rows of {month} known now, how late rows are recorded, and what to expect if the month arrives as six earlier ones did",
            {"month": study.month},
        ),
        columns=columns,
        rows=rows,
        by=("table",),
    )


def corrections_table(study: QualityStudy) -> Block:
    """Every entry of the corrections register, with the rows it found."""
    if not study.corrections:
        return callout(
            "quality.corrections",
            tone="info",
            title=Sentence("The corrections register has no entry for this company."),
        )
    columns = [
        Column(key="id", label=Text.of("Correction")),
        Column(key="table", label=Text.of("Table")),
        Column(key="action", label=Text.of("What was done")),
        Column(key="rows", label=Text.of("Rows"), unit="rows"),
        Column(key="reason", label=Text.of("Reason"), wide=True),
        Column(key="reporter", label=Text.of("Reported by")),
    ]
    rows = [
        Row(
            cells={
                "id": entry.id,
                "table": entry.table,
                "action": entry.action,
                "rows": entry.rows,
                "reason": entry.reason,
                "reporter": entry.reporter,
            }
        )
        for entry in study.corrections
    ]
    return table(
        "quality.corrections",
        title=Sentence("What the corrections register put right"),
        subtitle=Sentence(
            "Applied before the checks; an entry that no longer finds its rows refuses the run"
        ),
        columns=columns,
        rows=rows,
    )
