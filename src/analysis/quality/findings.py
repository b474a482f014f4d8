"""Which doubts become findings, and which questions are answered by checks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import pandas as pd

from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.periods import Month
from analysis.quality import arrival, views
from analysis.quality.arrival import Arrival
from analysis.quality.controls import ControlTotals
from analysis.quality.coverage import ColumnCoverage, rows_silent, share_filled
from analysis.quality.exports import ExportRows
from analysis.quality.faults import DOUBTS, Fault
from analysis.quality.freshness import Freshness, MonthGaps
from analysis.quality.history import OwnHistory
from analysis.quality.nearness import NearDuplicates
from analysis.quality.screens import Reconciled
from analysis.quality.waterfall import OUTCOMES, FileRows, Waterfall
from analysis.results import Check, Fact, Finding, Sentence, Value
from analysis.tables import TableCheck

# What the parts would have shown, for those that could not be made.
PARTS = {
    "near": "near duplicates",
    "histories": "the month against its own past",
    "controls": "control totals of the general ledger",
    "arrivals": "rows still to come",
}


def _line(inputs: StudyInputs, name: str) -> float:
    """A dated assumption as it holds on the last day of the report month."""
    return float(inputs.assumptions.value(name, on=inputs.month.last_day))


# ---------------------------------------------------------------- findings


def rows_set_aside(inputs: StudyInputs, counts: Waterfall) -> list[Finding]:
    """What could not be used, judged by the table that lost the largest share: a lost dozen of products matters, of a million tickets it does not."""
    aside, share = counts.total["quarantined"], counts.quarantined_share
    if not aside.value or counts.worst_table is None:
        return []
    table, worst = counts.worst_table
    lost = float(worst.value or 0)
    watched = lost > _line(inputs, "quarantine_watch_share")
    beyond = lost > _line(inputs, "quarantine_alert_share")
    template = "Of {read} read, {rows} could not be used and {rows:plural|was|were} set aside with the reason ({share:exact})."
    values: dict[str, Value] = {"rows": aside, "read": counts.total["read"], "share": share}
    if watched:
        template += " The largest share is missing of {table}: {worst:exact}."
        values |= {"table": table, "worst": worst}
    return [
        Finding(
            id="quality.quarantined",
            section="quality",
            severity="alert" if beyond else "watch" if watched else "info",
            ground="limit" if beyond else "no_sum" if watched else "statement",
            statement=Sentence(template, values),
            method="Exact count over the files of this run",
            evidence=whole_rows(inputs.engine.tables.quarantine),
            rank=float(share.value or 0),
        )
    ]


def whole_rows(quarantine: pd.DataFrame) -> pd.DataFrame:
    """Rows that were set aside whole, each once; a row that lost one value counts without it and is none of them."""
    rows = quarantine[quarantine["scope"] == "row"]
    return rows.drop_duplicates(["table", "file", "row_number"])


def silences(inputs: StudyInputs, columns: Sequence[ColumnCoverage]) -> list[Finding]:
    """One finding for each column that stopped being filled; the chance of calling one silent by luck is shared among all columns."""
    chance = _line(inputs, "silent_column_chance")
    return [
        _silence(inputs, column) for column in columns if column.chance_of_silence() * len(columns) < chance
    ]


def _silence(inputs: StudyInputs, column: ColumnCoverage) -> Finding:
    before = {month: count for month, count in column.counts.items() if month not in column.silent}
    share = share_filled(inputs, column.table, column.column, before)
    return Finding(
        id=f"quality.silent.{column.name}",
        section="quality",
        severity="alert",
        ground="data",
        statement=Sentence(
            "{column} fell silent in {month}: filled in {share} of rows before, and in none of {rows} since.",
            {
                "column": column.name,
                "month": column.silent[0],
                "share": share,
                "rows": rows_silent(inputs, column),
            },
        ),
        subject={"table": column.table, "column": column.column},
        evidence=pd.DataFrame(
            [
                {"month": str(month), "filled": count[0], "rows": count[1]}
                for month, count in sorted(column.counts.items())
            ]
        ),
        method="Exact count by month; named when so many empty rows in a row would be less likely than one in a thousand, shared among all columns",
        rank=float(share.value or 0),
    )


def late_rows(inputs: StudyInputs, arrivals: Sequence[Arrival]) -> list[Finding]:
    """Tables of which a notable share of the report month is expected to arrive later."""
    notable = _line(inputs, "late_rows_watch_share")
    return [
        Finding(
            id=f"quality.late.{one.table}",
            section="quality",
            severity="watch",
            ground="no_sum",
            statement=Sentence(
                "About {rows} of {table} for {month} are still to come: of earlier months {share} had arrived this many days after their end.",
                {"rows": one.to_come, "table": one.table, "month": inputs.month, "share": one.arrived},
            ),
            subject={"table": one.table},
            method="Rows of six earlier months by the day they were recorded; the report month is taken to arrive as they did",
            evidence=arrival.by_month(inputs, one.table),
            rank=1 - float(one.arrived.value or 0),
        )
        for one in arrivals
        if one.arrived.value is not None and 1 - float(one.arrived.value) > notable
    ]


def _runs(months: Sequence[Month]) -> Text:
    """Months by name, those that follow one another as a span."""
    runs: list[list[Month]] = []
    for month in sorted(months):
        if runs and runs[-1][-1] + 1 == month:
            runs[-1].append(month)
        else:
            runs.append([month])
    return Text.joined(_span(run[0], run[-1]) for run in runs)


def _span(first: Month, last: Month) -> Text:
    if first == last:
        return Sentence("{month}", {"month": first}).text()
    return Sentence("{month} to {until}", {"month": first, "until": last}).text()


def months_missing(gaps: Sequence[MonthGaps]) -> list[Finding]:
    """One finding for each table that lacks whole months."""
    return [
        Finding(
            id=f"quality.gap.{gap.table}",
            section="quality",
            severity="watch",
            ground="no_sum",
            statement=Sentence(
                "{table} has no row in {month}; of the months since its first one {months} {months:plural|is|are} empty.",
                {"table": gap.table, "month": _runs(gap.empty), "months": gap.months},
            ),
            subject={"table": gap.table},
            method="Months between the first with a row and the report month; exact",
            evidence=pd.DataFrame({"month": [str(month) for month in gap.empty]}),
            rank=len(gap.empty) / 100,
        )
        for gap in gaps
        if gap.empty
    ]


def stopped_early(inputs: StudyInputs, tables: Sequence[Freshness]) -> list[Finding]:
    """Tables that fell silent before the month ended, longer than they ever did; where all of them did, one finding for the month."""
    if inputs.rows_end is not None:
        return [_month_not_whole(inputs, inputs.rows_end, tables)]
    return [_stopped(inputs, fresh) for fresh in tables if fresh.stopped]


NOT_WHOLE = "No table has a row after {day}, {silent} before the end of {month}: the month is not whole and is compared with no other. The extract may have been made too early."
STOPPED = "{table} stops {silent} before the end of {month}; the longest gap of the year before was {usual}. The extract may have been made too early."
STOPPED_WITHOUT_PAST = "{table} stops {silent} before the end of {month}, more than the {limit} allowed where too little of its past is known to tell its usual gaps. The extract may have been made too early."


def _month_not_whole(inputs: StudyInputs, day: dt.date, tables: Sequence[Freshness]) -> Finding:
    last = max(tables, key=lambda fresh: (fresh.reach.last_day, fresh.table))
    return Finding(
        id="quality.month_not_whole",
        section="quality",
        severity="alert",
        ground="data",
        statement=Sentence(NOT_WHOLE, {"day": day, "silent": last.silent, "month": inputs.month}),
        evidence=pd.DataFrame(
            [
                {"table": fresh.table, "last_day": fresh.reach.last_day, "silent_days": fresh.reach.silent}
                for fresh in tables
            ]
        ),
        method="Last day with a row in any table kept by day, against the longest run of days without one before, or a limit of days where the past is short; exact",
        rank=float(last.silent.value or 0) / 31,
    )


def _stopped(inputs: StudyInputs, fresh: Freshness) -> Finding:
    values: dict[str, Value] = {"table": fresh.table, "silent": fresh.silent, "month": inputs.month}
    past = fresh.reach.daily and fresh.usual is not None
    values |= {"usual": fresh.usual} if past and fresh.usual is not None else {"limit": fresh.limit}
    return Finding(
        id=f"quality.stopped.{fresh.table}",
        section="quality",
        severity="alert",
        ground="data",
        statement=Sentence(STOPPED if past else STOPPED_WITHOUT_PAST, values),
        subject={"table": fresh.table},
        method="Last day with a row against the longest run of days without one in twelve earlier months, or a limit of days where they are few; exact",
        evidence=views.listed(inputs, fresh.silent),
        rank=float(fresh.silent.value or 0) / 31,
    )


def out_of_line(month: Month, histories: Sequence[OwnHistory]) -> list[Finding]:
    """A finding for each series whose newest month chance does not explain."""
    return [
        Finding(
            id=f"quality.history.{history.name}",
            section="quality",
            severity="watch",
            ground="no_sum",
            statement=Sentence(
                "{series}: {value} in {month}, where its own past leads one to expect {expected} ({expected:interval}).",
                {
                    "series": _named(history),
                    "value": history.value,
                    "month": month,
                    "expected": history.expected,
                },
            ),
            subject={"table": history.table, "column": history.column}
            if history.column
            else {"table": history.table},
            evidence=pd.DataFrame(
                [{"month": str(month), "value": value} for month, value in sorted(history.series.items())]
            ),
            method="Newest yearly change against the median and spread of earlier ones; one chance in twenty shared among all series",
            rank=history.score / 1000,
        )
        for history in histories
        if history.out_of_line
    ]


def _named(history: OwnHistory) -> Text:
    if not history.column:
        return Sentence("Rows of {table}", {"table": history.table}).text()
    return Sentence("Mean of {column}", {"column": history.name}).text()


TWICE_WITHIN = "{rows} of {table} {rows:plural|looks|look} entered twice: the same {columns} within {minutes}. Nothing was removed; look at the pairs."
TWICE_ON_DAY = "{rows} of {table} {rows:plural|looks|look} entered twice: the same {columns} on one day. Nothing was removed; look at the pairs."


def _twice(near: NearDuplicates) -> Sentence:
    """Near in minutes where moments tell the time of day, else on one day."""
    values: dict[str, Value] = {"rows": near.rows, "table": near.table, "columns": near.rule}
    if near.minutes is None:
        return Sentence(TWICE_ON_DAY, values)
    return Sentence(TWICE_WITHIN, values | {"minutes": near.minutes})


def twice_entered(tables: Sequence[NearDuplicates]) -> list[Finding]:
    """One finding for each table that has suspected rows."""
    return [
        Finding(
            id=f"quality.near.{near.table}",
            section="quality",
            severity="info",
            statement=_twice(near),
            subject={"table": near.table},
            evidence=near.pairs,
            method="Rows next to each other in time that share these columns; texts, where both rows have one, at most a quarter of their letters apart",
            rank=float(near.rows.value or 0) / 1e6,
        )
        for near in tables
        if near.rows.value
    ]


# ---------------------------------------------------------------- checks


def rows_conserved(counts: Waterfall) -> Check:
    """The law of the load, checked on the numbers that are printed."""
    lost = [file for file in counts.files if not _adds_up(file)]
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
            "Every row is accounted for: {read} read, {accepted} accepted, {quarantined} quarantined, {duplicate} dropped as exact duplicates.",
            dict(counts.total),
        ),
    )


def _adds_up(file: FileRows) -> bool:
    parts = sum(int(file.rows[outcome].value or 0) for outcome in OUTCOMES[1:])
    return file.rows["read"].value == parts


def exports_conserved(exports: Sequence[ExportRows]) -> list[Check]:
    """The law of the map, on the numbers that are printed; nothing where there is no map."""
    lost = [
        one
        for one in exports
        if one.rows["read"].value != int(one.rows["mapped"].value or 0) + int(one.rows["left_out"].value or 0)
    ]
    if lost:
        sentence = Sentence(
            "Rows of {file} do not add up: read is not written plus left out by the map.",
            {"file": lost[0].file},
        )
        return [Check(id="exports_conserved", outcome="failed", blocking=True, sentence=sentence)]
    if not exports:
        return []
    sentence = Sentence(
        "Every row of the exports was written to a table or left out by a stated rule of the map."
    )
    return [Check(id="exports_conserved", outcome="passed", sentence=sentence)]


def month_whole(inputs: StudyInputs, tables: Sequence[Freshness]) -> list[Check]:
    """Whether the rows reach the end of the report month; nothing where no table is kept by day."""
    if not tables:
        return []
    last = max(fresh.reach.last_day for fresh in tables)
    values: dict[str, Value] = {"month": inputs.month, "day": inputs.rows_end or last}
    if inputs.rows_end is None:
        text = "The rows reach the end of {month}: the last day with one is {day}."
        return [Check(id="month_whole", outcome="passed", sentence=Sentence(text, values))]
    text = "The rows of {month} end on {day}: the month is not whole, its sums are of a part of it, and it is compared with no other."
    return [Check(id="month_whole", outcome="failed", sentence=Sentence(text, values))]


def time_order(faults: Sequence[Fault]) -> Check:
    """Whether any ticket was answered or resolved before it was opened."""
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


def doubts(given: Iterable[TableCheck]) -> list[Check]:
    """What the load doubts of a file or column as a whole, with count, example, what was done and what to do."""
    return [
        Check(
            id=check.id,
            outcome=check.outcome,
            sentence=Sentence("{said}", {"said": Text(en=check.message_en, zh=check.message_zh)}),
        )
        for check in given
        if check.reason_code in DOUBTS and check.outcome != "passed"
    ]


def controls_agree(totals: Sequence[ControlTotals]) -> list[Check]:
    """A measure whose months do not all agree is a failed check; whether the pack may be signed is judged by the cost section."""
    checks = []
    for one in totals:
        place = {"measure": one.name}
        if one.off:
            last = max(one.off)
            sentence = Sentence(
                "{measure} differs from the general ledger by {difference:exact} in {month}.",
                {**place, "difference": one.difference[last], "month": last},
            )
        else:
            sentence = Sentence(
                "{measure} agrees with the general ledger to the cent in every month shown.", place
            )
        checks.append(
            Check(id=f"control_{one.measure}", outcome="failed" if one.off else "passed", sentence=sentence)
        )
    return checks


def screens_agree(lines: Sequence[Reconciled]) -> list[Check]:
    """One check per figure; a difference beyond its tolerance fails, and so does a figure we cannot compute."""
    return [_screen(line, number) for number, line in enumerate(lines, start=1)]


def _screen(line: Reconciled, number: int) -> Check:
    values: dict[str, Fact | Text | str] = {
        "figure": line.name,
        "system": line.stated.system,
        "ours": line.ours,
        "theirs": line.theirs,
        "difference": line.difference,
        "tolerance": line.tolerance,
    }
    if line.agrees:
        sentence = Sentence(
            "{figure}: {ours:exact} here and {theirs:exact} on the screen of {system}.",
            {name: values[name] for name in ("figure", "ours", "theirs", "system")},
        )
        return Check(id=f"screen_{number}", outcome="passed", sentence=sentence)
    if line.ours.value is None:
        sentence = Sentence(
            "{figure} of {system} cannot be compared: {ours}.",
            {name: values[name] for name in ("figure", "ours", "system")},
        )
        return Check(id=f"screen_{number}", outcome="failed", sentence=sentence)
    sentence = Sentence(
        "{figure}: {ours:exact} here, {theirs:exact} on the screen of {system}; the difference of {difference:exact} is beyond {tolerance:exact}.",
        values,
    )
    return Check(id=f"screen_{number}", outcome="failed", sentence=sentence)
