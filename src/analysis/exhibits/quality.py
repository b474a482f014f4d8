"""Exhibits of the data-quality section."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.specification import (
    Field,
    change,
    count,
    estimate,
    interval,
    metric,
    row_of,
    table_of,
    words,
)
from analysis.exhibits.statements import EvidenceFile, callout, evidence_block, not_computed
from analysis.exhibits.vocabulary import Row, phrase
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.quality import QualityStudy
from analysis.quality.coverage import ColumnCoverage
from analysis.results import Sentence

if TYPE_CHECKING:
    import pandas as pd

    from analysis.params.screen_figures import ScreenFigure


def waterfall_table(study: QualityStudy) -> Block:
    """Rows of every file by what became of them; the columns add up across and down."""
    heads = {"read": "Read", "accepted": "Accepted", "quarantined": "Quarantined", "duplicate": "Duplicates"}
    columns = [
        words("table", "Table"),
        words(lambda file: _export_name(file.file) if study.exports else file.file, "File", key="file"),
        *(
            metric("source_rows", of=f"rows.{outcome}", head=head, slice={"outcome": outcome})
            for outcome, head in heads.items()
        ),
    ]
    return table_of(
        "quality.waterfall",
        title=Sentence("Every row read is accepted, quarantined with a reason, or an exact duplicate"),
        subtitle=Sentence("Rows by file. Read = accepted + quarantined + exact duplicates."),
        columns=columns,
        rows=[
            *(row_of(file, columns, by=("table", "file")) for file in study.files),
            Row(
                cells={"table": Text.of("All files"), **study.total},
                role="total",
                slice=dict.fromkeys(("table", "file")),
            ),
        ],
    )


def _export_name(file: str) -> str:
    """The export behind a file that a map wrote: ``tickets/0-export.csv.csv``."""
    return re.sub(r"^\w+/\d+-(.+)\.csv$", r"\1", file)


def exports_table(study: QualityStudy) -> Block | None:
    """What the source map did with the rows of each export; nothing where the files are canonical tables already."""
    if not study.exports:
        return None
    heads = {"read": "Read", "mapped": "Written", "left_out": "Left out"}
    return table_of(
        "quality.exports",
        title=Sentence("Every row of an export is written to a table or left out by a stated rule"),
        subtitle=Sentence(
            "Rows by export and table. Read = written + left out; one export may feed several tables."
        ),
        rows=study.exports,
        by=("table", "file"),
        columns=[
            words("file", "Export", wide=True),
            words("table", "Feeds"),
            *(
                metric("export_rows", of=f"rows.{outcome}", head=head, slice={"outcome": outcome})
                for outcome, head in heads.items()
            ),
        ],
    )


_PARTS = {"inside": "Inside", "elsewhere": "Elsewhere", "not_stated": "Not stated", "whole": "Whole company"}


def slice_table(study: QualityStudy) -> Block | None:
    """How the reported part and the rest of the company add up; nothing where the whole company is reported."""
    if not study.slices:
        return None
    note = None
    if study.not_sliced:
        note = Sentence(
            "Not cut, as no row says to which part it belongs, and so absent here: {tables}. What they control holds for the whole company only.",
            {"tables": ", ".join(study.not_sliced)},
        )
    return table_of(
        "quality.slices",
        title=Sentence("The reported part, the others and what nothing tells add up to the whole company"),
        subtitle=Sentence(
            "Rows and amounts of all months by table. A row belongs to the value that stands in it, else to that of the ticket, machine, product or customer that it names. Named: customers and products of elsewhere that rows inside name."
        ),
        rows=study.slices,
        by=("table",),
        columns=[
            words("table", "Table"),
            *(
                metric("slice_rows", of=f"rows.{part}", head=head, slice={"part": part})
                for part, head in _PARTS.items()
            ),
            metric("slice_rows", of="named", head="Named", slice={"part": "named"}),
            *(
                metric(
                    "slice_amount",
                    of=f"amounts.{part}",
                    key=f"amount_{part}",
                    head=head,
                    slice={"part": part},
                )
                for part, head in _PARTS.items()
            ),
        ],
        note=note,
    )


def remarks_table(study: QualityStudy, *, top: int = 30) -> Block | None:
    """What the map took for granted on the way: words it does not list, columns that are not there, rules that keep nothing."""
    if not study.remarks:
        return None
    return table_of(
        "quality.remarks",
        title=Sentence("What the map took for granted, and where to look"),
        subtitle=Sentence(
            "Remarks by export and column, the most rows first; blank where a whole column or file is meant"
        ),
        rows=study.remarks[:top],
        columns=[
            words("file", "Export", wide=True),
            words(
                lambda one: f"{one.table}.{one.column}" if one.column else one.table, "Column", key="column"
            ),
            words("kind", "What the map did", wide=True),
            metric("map_remarks", of="count", head="Values", unit="rows"),
            words("example", "Example"),
        ],
    )


def quarantine_table(study: QualityStudy, *, top: int = 30) -> Block:
    """What was set aside by place and reason, with an example and where it stands."""
    if not study.quarantine:
        return callout(
            "quality.quarantine",
            tone="info",
            title=Sentence("Nothing was set aside: every row and every value could be used."),
        )
    return table_of(
        "quality.quarantine",
        title=Sentence("Rows and single values that were set aside, and why"),
        subtitle=Sentence(
            "Rows and their share of the rows read, the most first. A row is set aside whole, or counts without the one value that could not be used. Every row set aside is kept with its reason; file and row number are in the evidence. Blank: there was no value to show."
        ),
        rows=study.quarantine[:top],
        by=("fault", "place"),
        columns=_fault_columns("Reason"),
    )


def _fault_columns(reason: str, *, wide: bool = False) -> list[Field]:
    """``wide``: what was done takes more words than a row set aside."""
    return [
        words("place", "Table and column"),
        words("reason", reason, wide=True),
        metric("faulty_rows", of="rows", head="Rows"),
        metric("faulty_share", of="share", head="Share", unit="share", places=3),
        words("example", "Example"),
        words("kept", "What was done", wide=wide),
    ]


def faults_table(study: QualityStudy, *, top: int = 30) -> Block:
    """What the checks on the way in found, the most rows first."""
    if not study.faults:
        return callout(
            "quality.faults", tone="info", title=Sentence("The checks on the way in found no fault.")
        )
    return table_of(
        "quality.faults",
        title=Sentence("Every fault found on the way in is counted and named, with what was done"),
        subtitle=Sentence(
            "Rows and their share of the rows read, by kind of fault, the most first; blank: no value is at fault, or there was none"
        ),
        rows=study.faults[:top],
        by=("fault", "place"),
        columns=_fault_columns("Fault", wide=True),
    )


def near_table(study: QualityStudy) -> Block:
    """Exact copies, which count once, and near copies, which are a suspicion and stay."""
    if isinstance(study.near, NotDone):
        return not_computed(study.near, id="quality.near", what=Text.of("Near duplicates"))
    return table_of(
        "quality.near",
        title=Sentence("Rows that look entered twice are named, not removed"),
        subtitle=Sentence(
            "Rows by table, of the tables in which near copies are looked for; exact copies in other tables are not listed here. An exact copy counts once. A near copy shares the columns named and differs in its key; texts may differ by a quarter of their letters. Blank: no near copy."
        ),
        rows=study.near,
        by=("place",),
        columns=[
            words("table", "Table"),
            metric("faulty_rows", of="exact", head="Exact copies", slice={"fault": "exact_duplicate"}),
            metric("faulty_rows", of="rows", head="Near copies", slice={"fault": "near_duplicate"}),
            words("rule", "The same within 30 minutes, or on the day", wide=True),
            words("example", "Example"),
        ],
    )


def history_table(study: QualityStudy, *, top: int = 12) -> Block:
    """The series that lie farthest from their own past, with what that past allows."""
    if isinstance(study.histories, NotDone):
        return not_computed(
            study.histories, id="quality.history", what=Text.of("Comparison with the own past")
        )
    columns = [
        words("name", "Series", key="series"),
        words(lambda one: Text.of("mean" if one.column else "rows"), "What", key="what"),
        metric("monthly_level", of="value", head="This month"),
        metric("expected_level", of="expected", head="Expected"),
        interval("expected_level", of="expected", head="Allowed by chance"),
        count("expected_level", of="expected", key="months", head="Months compared"),
        words(
            lambda one: Text.of("out of line" if one.out_of_line else "as usual"), "Verdict", key="verdict"
        ),
    ]
    return table_of(
        "quality.history",
        title=Sentence("Each table and column against its own past"),
        subtitle=Sentence(
            "Rows and means of {month}, each mean in the unit of its column, beside the same month a year before moved by the usual yearly change; the {shown} of {series} series that lie farthest from their past",
            {
                "month": study.month,
                "shown": str(len(study.histories[:top])),
                "series": str(len(study.histories)),
            },
        ),
        columns=columns,
        rows=[
            row_of(one, columns, by=("table",), tone="bad" if one.out_of_line else None)
            for one in study.histories[:top]
        ],
        note=Sentence(
            "When nothing has happened, any series is called out of line in at most one run in twenty. Rows as they are kept: an order has one for each line and each return, so there can be more rows than the orders that cost is divided by."
        ),
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
    shown = dict.fromkeys(line.ours.metric for line in study.screens)
    columns = [
        words(lambda line: _screen(line.stated), "System and screen", key="system", wide=True),
        words("name", "Figure", key="figure", context="screen"),
        metric("screen_figure", of="theirs", head="On the screen", scale="exact"),
        metric(*shown, of="ours", head="Here", scale="exact"),
        metric("screen_difference", of="difference", head="Difference", scale="exact"),
        metric("screen_tolerance", of="tolerance", head="Tolerated", scale="exact"),
    ]
    return table_of(
        "quality.screens",
        title=Sentence("Our totals beside the screens of the source systems"),
        subtitle=Sentence(
            "Figures as somebody read them in the system, with period and day of reading; a difference beyond the tolerance is a failed check"
        ),
        columns=columns,
        rows=[row_of(line, columns, tone=None if line.agrees else "bad") for line in study.screens],
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
    if isinstance(study.controls, NotDone):
        return not_computed(study.controls, id="quality.controls", what=Text.of("Control totals"))
    columns = [words("month", "Month")]
    for one in study.controls:
        of = {"measure": one.measure}
        columns += [
            metric("control_total", of=f"{one.measure}.total", key=one.measure, head=one.name, slice=of),
            change(
                "control_difference",
                of=f"{one.measure}.difference",
                key=f"{one.measure}_gap",
                head="Difference",
                slice=of,
                scale="exact",
            ),
        ]
    months = sorted({month for one in study.controls for month in one.total})
    return table_of(
        "quality.controls",
        title=Sentence("Our tables beside the control totals of the general ledger"),
        subtitle=Sentence("Control total of the month, and the same sum of our tables less it"),
        columns=columns,
        rows=[
            {
                "month": month,
                **{
                    one.measure: {"total": one.total.get(month), "difference": one.difference.get(month)}
                    for one in study.controls
                },
            }
            for month in months
        ],
    )


def coverage_table(study: QualityStudy) -> Block:
    """Which months each table covers and which columns the source did not give."""
    silent = {fresh.table: fresh.silent for fresh in study.freshness}
    absent = {"tables": ", ".join(study.absent)}
    return table_of(
        "quality.coverage",
        title=Sentence("What the data of this run cover"),
        subtitle=Sentence(
            "Accepted rows and months by table, days of {month} after the last row, and absent columns; blank: no day of a row to go by, rows of whole months, or nothing absent",
            {"month": study.month},
        ),
        rows=study.tables,
        by=("table",),
        columns=[
            words("table", "Table"),
            metric("source_rows", of="rows", head="Rows"),
            words("first", "First month"),
            words("last", "Last month"),
            metric(
                "days_without_rows",
                of=lambda span: silent.get(span.table),
                key="silent",
                head="Silent",
                unit="days",
            ),
            words(lambda span: ", ".join(span.columns_absent), "Columns not given", key="absent", wide=True),
        ],
        note=Sentence("Tables not given: {tables}. What needs them says so.", absent)
        if study.absent
        else None,
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
            "quality.columns", tone="info", title=Sentence("Every column is filled as evenly as before.")
        )
    months = sorted({month for column in uneven for month in column.shares})
    return figure(
        "quality.columns",
        title=Sentence("{column} is filled most unevenly from month to month", {"column": uneven[0].name}),
        subtitle=Sentence(
            "Rows with a value, % of all, by column and month; columns that changed most. A column that ripens, such as one for resolution, is emptier in young months."
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
    share = "filled_share"
    return table_of(
        "quality.filled",
        title=Sentence("How full the columns are"),
        subtitle=Sentence(
            "Share of rows with a value over the last thirteen months, the most uneven first; every column and month is in the evidence"
        ),
        rows=[_filled(column) for column in partly],
        by=("column", "table"),
        columns=[
            words("column.table", "Table", key="table"),
            words("column.column", "Column", key="column"),
            metric(share, of="latest", head="Latest month"),
            metric(share, of="fullest", head="Fullest month"),
            metric(share, of="emptiest", head="Emptiest month"),
            words("month", "Emptiest in"),
        ],
    )


def _filled(column: ColumnCoverage) -> dict[str, Any]:
    """A column's last, fullest and emptiest month."""
    ordered = sorted(column.shares.items(), key=lambda pair: (float(pair[1].value or 0), pair[0]))
    (month, emptiest), (_, fullest) = ordered[0], ordered[-1]
    latest = column.shares[max(column.shares)]
    return {"column": column, "month": month, "latest": latest, "fullest": fullest, "emptiest": emptiest}


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
    if isinstance(study.arrivals, NotDone):
        return not_computed(study.arrivals, id="quality.arrivals", what=Text.of("Late arrival"))
    if not any(one.late for one in study.arrivals):
        return callout(
            "quality.arrivals",
            tone="info",
            title=Sentence(
                "Nothing of {month} is still to come: of earlier months every row was known as many days after their close ({tables}).",
                {"month": study.month, "tables": ", ".join(one.table for one in study.arrivals)},
            ),
        )
    return table_of(
        "quality.arrivals",
        title=Sentence("How much of the month is still to come"),
        subtitle=Sentence(
            "Rows of {month} known now, how late rows are recorded, and what to expect if the month arrives as six earlier ones did; the interval is one that a single month keeps to",
            {"month": study.month},
        ),
        rows=study.arrivals,
        by=("table",),
        columns=[
            words("table", "Table"),
            metric("source_rows", of="seen", head="Known now"),
            metric(
                "recording_lag", of="median_lag", key="median", head="Median lag", slice={"basis": "median"}
            ),
            metric(
                "recording_lag",
                of="late_lag",
                key="late",
                head="Lag of the slowest twentieth",
                slice={"basis": "late"},
            ),
            metric("arrived_share", of="arrived", head="Usually arrived by now"),
            metric("arrived_share", of="lowest", head="Slowest month"),
            estimate("rows_to_come", of="to_come", head="Still to come"),
        ],
    )


def corrections_table(study: QualityStudy) -> Block:
    """Every entry of the corrections register, with the rows it found."""
    if not study.corrections:
        return callout(
            "quality.corrections",
            tone="info",
            title=Sentence("The corrections register has no entry for this company."),
        )
    return table_of(
        "quality.corrections",
        title=Sentence("What the corrections register put right"),
        subtitle=Sentence(
            "Applied before the checks; an entry that no longer finds its rows refuses the run"
        ),
        rows=study.corrections,
        by=("correction",),
        columns=[
            words("id", "Correction"),
            words("table", "Table"),
            words("action", "What was done"),
            metric("corrected_rows", of="rows", head="Rows"),
            words("reason", "Reason", wide=True),
            words("reporter", "Reported by"),
        ],
    )
