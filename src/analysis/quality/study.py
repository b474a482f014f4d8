"""The data-quality study: the row waterfall of every file and the faults found on the way in, as facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.params.screen_figures import ScreenFigure, load_screen_figures
from analysis.periods import Month
from analysis.quality.arrival import Arrival, arrivals, late_rows
from analysis.quality.controls import ControlTotals, control_checks, control_totals
from analysis.quality.coverage import ColumnCoverage, coverage, silences
from analysis.quality.exports import ExportRows, MappedRows, Remark, exports, exports_conserved, remarks
from analysis.quality.freshness import (
    Freshness,
    MonthGaps,
    freshness,
    month_gaps,
    months_missing,
    stopped_early,
)
from analysis.quality.history import OwnHistory, histories, out_of_line
from analysis.quality.nearness import NearDuplicates, near_duplicates, twice_entered
from analysis.quality.screens import Reconciled, reconciled, screen_checks
from analysis.results import Check, Fact, Finding, Sentence
from analysis.summaries import Summarised
from analysis.tables import TableCheck, contract
from analysis.tables.checks import reason_words
from analysis.tables.store import FileWaterfall

OUTCOMES = ("read", "accepted", "quarantined", "duplicate")

# Beyond this share of quarantined rows the finding is an alert; below it a matter to watch.
ALERT_SHARE = 0.005


@dataclass(frozen=True, kw_only=True)
class FileRows(Summarised):
    """One file's rows by outcome."""

    table: str
    file: str
    sha256: str
    rows: dict[str, Fact]


@dataclass(frozen=True, kw_only=True)
class Fault(Summarised):
    """One kind of fault in one place: how many rows, what share of the table's rows, one example, and what was done with them.

    ``where`` is the place of the example in its file, for what was set aside.
    """

    place: str
    code: str
    reason: Text
    rows: Fact
    share: Fact | None
    example: str
    kept: Text
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class AppliedCorrection(Summarised):
    """An entry of the corrections register and the rows it found."""

    id: str
    table: str
    action: Text
    reason: str
    reporter: str
    rows: Fact


@dataclass(frozen=True, kw_only=True)
class TableSpan(Summarised):
    """A table's rows and the months they cover."""

    table: str
    rows: Fact
    first: Month | None
    last: Month | None
    columns_absent: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class QualityStudy(Summarised):
    """What the data-quality notebook shows. Counts of rows are exact."""

    month: Month
    files: tuple[FileRows, ...]
    total: dict[str, Fact]
    quarantined_share: Fact
    tables: tuple[TableSpan, ...]
    absent: tuple[str, ...]
    exports: tuple[ExportRows, ...]
    remarks: tuple[Remark, ...]
    quarantine: tuple[Fault, ...]
    faults: tuple[Fault, ...]
    near: tuple[NearDuplicates, ...]
    histories: tuple[OwnHistory, ...]
    freshness: tuple[Freshness, ...]
    screens: tuple[Reconciled, ...]
    controls: tuple[ControlTotals, ...]
    corrections: tuple[AppliedCorrection, ...]
    columns: tuple[ColumnCoverage, ...]
    arrivals: tuple[Arrival, ...]
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@traced
def study(
    inputs: StudyInputs,
    *,
    mapped: Sequence[MappedRows] = (),
    screen_figures: Sequence[ScreenFigure] | None = None,
) -> QualityStudy:
    """Waterfall, coverage, faults and doubts of the tables the run was made from.

    ``mapped``: what the run's source map did, for a run that has one. ``screen_figures``: what the source systems show; those stated
    for the run in ``params/screen_figures.yml`` when left out.
    """
    tables = inputs.engine.tables
    if screen_figures is None:
        screen_figures = [
            figure
            for figure in load_screen_figures(inputs.params.name)
            if figure.data in ("", inputs.params.data)
        ]
    through_map, near, past = exports(inputs, mapped), near_duplicates(inputs), histories(inputs)
    screens, controls, fresh, gaps = (
        reconciled(inputs, screen_figures),
        control_totals(inputs),
        freshness(inputs),
        month_gaps(inputs),
    )
    files = tuple(
        _file_rows(inputs, name, waterfall)
        for name, info in tables.tables.items()
        for waterfall in info.waterfall
    )
    total = {
        outcome: _rows(inputs, outcome, sum(int(file.rows[outcome].value or 0) for file in files))
        for outcome in OUTCOMES
    }
    share = _share(inputs, total)
    faults = (*_faults(inputs, tables.checks), *_ahead(inputs, gaps))
    columns, late = coverage(inputs), arrivals(inputs)
    return QualityStudy(
        month=inputs.month,
        files=files,
        total=total,
        quarantined_share=share,
        tables=tuple(_span(inputs, name) for name, info in tables.tables.items() if info.present),
        absent=tuple(name for name, info in tables.tables.items() if not info.present),
        exports=through_map,
        remarks=remarks(inputs, mapped),
        quarantine=tuple(_quarantine(inputs)),
        faults=faults,
        near=near,
        histories=past,
        freshness=fresh,
        screens=screens,
        controls=controls,
        corrections=tuple(_corrections(inputs)),
        columns=columns,
        arrivals=late,
        findings=(
            *_findings(inputs, total, share),
            *silences(inputs, columns),
            *late_rows(inputs, late),
            *months_missing(gaps),
            *stopped_early(inputs, fresh),
            *out_of_line(inputs, past),
            *twice_entered(inputs, near),
        ),
        checks=(
            _conserved(files, total),
            *exports_conserved(through_map),
            _time_order(faults),
            *control_checks(controls),
            *screen_checks(screens),
        ),
    )


def _rows(inputs: StudyInputs, outcome: str, rows: int, **dimensions: str) -> Fact:
    return inputs.engine.stated(
        "source_rows", period=inputs.month, value=rows, dimensions={"outcome": outcome, **dimensions}
    )


@traced
def _file_rows(inputs: StudyInputs, table: str, waterfall: FileWaterfall) -> FileRows:
    counts = dict(
        zip(
            OUTCOMES,
            (waterfall.rows_read, waterfall.accepted, waterfall.quarantined, waterfall.exact_duplicates),
            strict=True,
        )
    )
    file = waterfall.file
    rows = {
        outcome: _rows(inputs, outcome, count, table=table, file=file) for outcome, count in counts.items()
    }
    return FileRows(table=table, file=file, sha256=waterfall.file_hash, rows=rows)


def _share(inputs: StudyInputs, total: dict[str, Fact]) -> Fact:
    read, aside = int(total["read"].value or 0), int(total["quarantined"].value or 0)
    if not read:
        reason = Text(en="not computed: no rows were read", zh="未计算：未读取任何行")
        return inputs.engine.stated("quarantined_share", period=inputs.month, value=None, reason=reason)
    return inputs.engine.stated(
        "quarantined_share", period=inputs.month, value=aside / read, numerator=aside, denominator=read
    )


def _span(inputs: StudyInputs, name: str) -> TableSpan:
    info = inputs.engine.tables.tables[name]
    months = sorted(partition.month for partition in info.partitions if partition.month is not None)
    entry = contract().tables[name]
    return TableSpan(
        table=name,
        rows=inputs.engine.stated(
            "source_rows",
            period=inputs.month,
            value=info.rows,
            dimensions={"outcome": "accepted", "table": name},
        ),
        first=months[0] if months else None,
        last=months[-1] if months else None,
        columns_absent=tuple(column for column in entry.columns if column not in info.columns_present),
    )


_KEPT = {
    "time_order": Text(en="kept, left out of durations", zh="保留，不计入时长"),
    "references": Text(en="kept, left out where the reference is needed", zh="保留，涉及引用的计算不含"),
    "keys": Text(en="counted once", zh="只计一次"),
    "currency": Text(en="converted at the dated rate", zh="按当日汇率折算"),
}
_LABELS = {
    "time_order": Text(en="events out of order", zh="时间顺序有误"),
    "references": Text(en="refers to a row that is not there", zh="引用的记录不存在"),
    "keys": Text(en="exact copies of another row", zh="与其他行完全相同"),
    "currency": Text(en="in another currency", zh="外币金额"),
    "ahead": Text(en="in a month that has not come yet", zh="日期在未来月份"),
    "unknown_column": Text(en="column the contract does not know", zh="数据约定之外的列"),
    "unknown_file": Text(en="file no table is named after", zh="无对应表的文件"),
    "empty": Text(en="a table without rows", zh="空表"),
    "last_line": Text(en="last line without a line break", zh="末行无换行符"),
}
_COUNTED_ELSEWHERE = frozenset({"rows", "correction"})
_ASIDE = Text(en="quarantined or left empty", zh="隔离或按空值处理")
_NOT_YET = Text(en="kept, not seen until then", zh="保留，届时之前不予计入")
_NOT_READ = Text(en="not read", zh="未读取")


@traced
def _faults(inputs: StudyInputs, checks: Iterable[TableCheck]) -> list[Fault]:
    """What stays in and is doubtful, the most rows first. Examples of personal columns are not shown."""
    personal = {
        f"{table.name}.{column.name}"
        for table in contract().tables.values()
        for column in table.columns.values()
        if column.pii
    }
    aside = set(inputs.engine.tables.quarantine_by_reason["reason"])
    faults = []
    for check in checks:
        if check.outcome == "passed" or not check.count or check.reason_code in _COUNTED_ELSEWHERE | aside:
            continue
        place = check.id.removeprefix("tables.").replace(f".{check.reason_code}", "", 1)
        label = _LABELS.get(check.reason_code) or Text(*reason_words(check.reason_code))
        shown = place
        if check.reason_code == "time_order":
            early, _, late = place.rpartition(".")[2].partition("-")
            shown, label = (
                f"{check.table}.{late}",
                Text(en=f"{label.en}: before {early}", zh=f"{label.zh}：早于 {early}"),
            )
        kept = _KEPT.get(check.reason_code) or (
            _NOT_READ if check.reason_code.startswith("unknown") else _ASIDE
        )
        rows = inputs.engine.stated(
            "faulty_rows",
            period=inputs.month,
            value=check.count,
            dimensions={"place": place, "fault": check.reason_code},
        )
        share = _fault_share(inputs, check.table, check.reason_code, place, check.count)
        faults.append(
            Fault(
                place=shown,
                code=check.reason_code,
                reason=label,
                rows=rows,
                share=share,
                example="" if place in personal else check.example,
                kept=kept,
            )
        )
    return sorted(faults, key=lambda fault: (-int(fault.rows.value or 0), fault.place))


@traced
def _ahead(inputs: StudyInputs, gaps: Sequence[MonthGaps]) -> list[Fault]:
    """Rows dated in a month after the as-of day: kept, and not seen before their time."""
    return [
        Fault(
            place=gap.ahead.dimensions["place"],
            code="ahead",
            reason=_LABELS["ahead"],
            rows=gap.ahead,
            example="",
            kept=_NOT_YET,
            share=_fault_share(
                inputs, gap.table, "ahead", gap.ahead.dimensions["place"], int(gap.ahead.value or 0)
            ),
        )
        for gap in gaps
        if gap.ahead.value
    ]


def _quarantine(inputs: StudyInputs) -> list[Fault]:
    """What was set aside by table, column and reason, the most rows first; personal values are masked by the load."""
    tables = inputs.engine.tables
    if tables.quarantine.empty:
        return []
    first = tables.quarantine.sort_values(["table", "file", "row_number"], kind="stable").groupby(
        ["table", "column", "reason", "scope"], sort=True, dropna=False
    )
    found = []
    for (table, column, reason, scope), rows in first:
        if reason == "dropped":
            continue
        place, example = f"{table}.{column}" if column else str(table), rows.iloc[0]
        count = int(rows[["file", "row_number"]].drop_duplicates().shape[0])
        dimensions = {"place": place, "fault": str(reason), "scope": str(scope)}
        found.append(
            Fault(
                place=place,
                code=str(reason),
                reason=Text(*reason_words(str(reason))),
                example=_shown(example["example"]),
                kept=_SET_ASIDE[str(scope)],
                rows=inputs.engine.stated(
                    "faulty_rows", period=inputs.month, value=count, dimensions=dimensions
                ),
                share=_fault_share(inputs, str(table), str(reason), place, count),
                where=f"{example['file']}:{int(example['row_number'])}",
            )
        )
    return sorted(found, key=lambda fault: (-int(fault.rows.value or 0), fault.place))


def _shown(example: object) -> str:
    return example[:60] if isinstance(example, str) else ""


def _fault_share(inputs: StudyInputs, table: str, fault: str, place: str, count: int) -> Fact | None:
    """Rows with the fault among the rows read for the table; nothing for what is no row (a column, a file)."""
    read = (
        sum(file.rows_read for file in inputs.engine.tables.tables[table].waterfall)
        if table in inputs.engine.tables.tables
        else 0
    )
    if not read or fault.startswith("unknown") or fault in ("empty", "last_line"):
        return None
    dimensions = {"place": place, "fault": fault}
    return inputs.engine.stated(
        "faulty_share",
        period=inputs.month,
        value=count / read,
        numerator=count,
        denominator=read,
        dimensions=dimensions,
    )


_SET_ASIDE = {
    "row": Text(en="row set aside", zh="整行隔离"),
    "value": Text(en="value left empty", zh="该值按空值处理"),
}


def _findings(inputs: StudyInputs, total: dict[str, Fact], share: Fact) -> list[Finding]:
    if not total["quarantined"].value:
        return []
    return [
        Finding(
            id="quality.quarantined",
            section="quality",
            severity="alert" if float(share.value or 0) > ALERT_SHARE else "watch",
            statement=Sentence(
                "Of {read} read, {rows} could not be used and {rows:plural|was|were} set aside with the reason ({share:exact}).",
                {"rows": total["quarantined"], "read": total["read"], "share": share},
            ),
            method="Exact count over the files of this run",
            evidence=inputs.engine.tables.quarantine,
            rank=float(share.value or 0),
        )
    ]


_ACTIONS = {"drop": Text(en="dropped", zh="剔除"), "set": Text(en="put right", zh="改正")}


def _corrections(inputs: StudyInputs) -> list[AppliedCorrection]:
    """The register as this load applied it; a load whose corrections do not find what they expect never gets here."""
    return [
        AppliedCorrection(
            id=entry["id"],
            table=entry["table"],
            action=_ACTIONS[entry["action"]],
            reason=entry["reason"],
            reporter=entry["reporter"],
            rows=inputs.engine.stated(
                "corrected_rows",
                period=inputs.month,
                value=entry["expect"],
                dimensions={"correction": entry["id"]},
            ),
        )
        for entry in inputs.engine.tables.settings.get("corrections", ())
    ]


def _conserved(files: Sequence[FileRows], total: dict[str, Fact]) -> Check:
    """The law of the load, checked on the numbers that are printed."""
    lost = [
        file
        for file in files
        if file.rows["read"].value != sum(int(file.rows[outcome].value or 0) for outcome in OUTCOMES[1:])
    ]
    if lost:
        return Check(
            id="rows_conserved",
            outcome="failed",
            blocking=True,
            sentence=Sentence(
                "Rows of {file} do not add up: read is not accepted plus quarantined plus duplicates.",
                {"file": lost[0].file},
            ),
        )
    return Check(
        id="rows_conserved",
        outcome="passed",
        sentence=Sentence(
            "Every row is accounted for: {read} read, {accepted} accepted, {quarantined} quarantined, {duplicate} exact duplicates.",
            dict(total),
        ),
    )


def _time_order(faults: Sequence[Fault]) -> Check:
    disordered = [fault for fault in faults if fault.code == "time_order"]
    if not disordered:
        return Check(
            id="time_order",
            outcome="passed",
            sentence=Sentence("No ticket was answered or resolved before it was opened."),
        )
    return Check(
        id="time_order",
        outcome="failed",
        sentence=Sentence(
            "{rows} have events out of order ({place}); durations leave them out.",
            {"rows": disordered[0].rows, "place": disordered[0].place},
        ),
    )
