"""What was wrong with rows: faults that stay in and are doubtful, what was set aside, and what the corrections register put right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.locale import Text
from analysis.metrics import Stating, StudyInputs
from analysis.metrics.backend import literal, quoted
from analysis.metrics.views.selection import Selection
from analysis.quality import views
from analysis.quality.freshness import MonthGaps
from analysis.quality.waterfall import Waterfall, files_of
from analysis.results import Derived, Fact, Lineage, Read, Rows, Sentence
from analysis.summaries import Summarised
from analysis.tables import TableCheck, contract
from analysis.tables.checks import reason_words


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


_KEPT = {
    "time_order": "kept, left out of durations",
    "references": "kept, left out where the reference is needed",
    "keys": "counted once",
    "currency": "converted at the dated rate",
    "round_number": "kept",
    "hidden_rows": "kept",
    "text_form": "brought to one form",
    "overlap": "counted once",
    "days_only": "kept, judged by the day",
    "lost_digits": "kept",
    "merged": "kept",
    "copies_by_number": "kept",
    "encoding": "kept",
}
#: Doubts about a whole file or column, said in a check with what to do.
DOUBTS = frozenset(
    (
        "round_number",
        "hidden_rows",
        "overlap",
        "days_only",
        "lost_digits",
        "merged",
        "copies_by_number",
        "other_currency",
        "masked_identifier",
        "damaged_identifier",
        "no_identifier",
        "total_line",
        "closing_entry",
    )
)
_LABELS = {
    "time_order": "events out of order",
    "references": "refers to a row that is not there",
    "keys": "exact copies of another row",
    "currency": "in another currency",
    "ahead": "in a month that has not come yet",
    "unknown_column": "column the contract does not know",
    "unknown_file": "file no table is named after",
    "empty": "a table without rows",
    "last_line": "last line without a line break",
}
_LABELS |= {
    "round_number": "a number of rows at which systems cut exports",
    "hidden_rows": "hidden or filtered out in its sheet",
    "text_form": "in another Unicode form or width",
    "overlap": "in two lists that overlap",
    "days_only": "a moment without a time of day",
    "lost_digits": "a long number cut by a spreadsheet",
    "merged": "merged into another ticket, by its text",
    "copies_by_number": "equal to another row in all but its number",
    "encoding": "read in another encoding than UTF-8",
}
_COUNTED_ELSEWHERE = frozenset({"rows", "correction"})
_ASIDE = "quarantined or left empty"
_NOT_YET = "kept, not seen until then"
_NOT_READ = "not read"
_SET_ASIDE = {"row": "row set aside", "value": "value left empty"}
_ACTIONS = {"drop": "dropped", "set": "put right"}
# Faults of a column, a file or a table: what is counted is no row of the table.
_NO_ROWS = ("unknown", "empty", "last_line", "round_number", "encoding")


def kept_faults(
    inputs: StudyInputs, checks: Iterable[TableCheck], gaps: Sequence[MonthGaps], counts: Waterfall
) -> tuple[Fault, ...]:
    """What stays in and is doubtful, the most rows first. Examples of personal columns are not shown."""
    aside = set(inputs.engine.tables.quarantine_by_reason["reason"])
    found = [
        _kept_fault(inputs, check, counts)
        for check in checks
        if check.outcome != "passed" and check.count and check.reason_code not in _COUNTED_ELSEWHERE | aside
    ]
    return (*_most_first(found), *_ahead(inputs, gaps, counts))


def _most_first(faults: Iterable[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: (-int(fault.rows.value or 0), fault.place))


def _kept_fault(inputs: StudyInputs, check: TableCheck, counts: Waterfall) -> Fault:
    place = check.id.removeprefix("tables.").replace(f".{check.reason_code}", "", 1)
    label = _label(check.reason_code)
    shown = place
    if check.reason_code == "time_order":
        early, _, late = place.rpartition(".")[2].partition("-")
        shown = f"{check.table}.{late}"
        label = Sentence("events out of order: before {event}", {"event": early}).text()
    kept = _KEPT.get(check.reason_code) or (_NOT_READ if check.reason_code.startswith("unknown") else _ASIDE)
    state, follows = Stating(inputs=inputs), _found_in(inputs, check, place, counts)
    where: dict[str, Any] = {"place": place, "fault": check.reason_code}
    rows = (
        state.measured("faulty_rows", follows, **where)
        if isinstance(follows, Selection)
        else state.exact("faulty_rows", check.count, lineage=follows, **where)
    )
    return Fault(
        place=shown,
        code=check.reason_code,
        reason=label,
        rows=rows,
        share=_share(inputs, rows, check.table, counts),
        example="" if place in _personal() else check.example,
        kept=Text.of(kept),
    )


def _label(code: str) -> Text:
    return Text.of(_LABELS[code]) if code in _LABELS else reason_words(code)


def _personal() -> frozenset[str]:
    return frozenset(
        f"{table.name}.{column.name}"
        for table in contract().tables.values()
        for column in table.columns.values()
        if column.pii
    )


def _found_in(inputs: StudyInputs, check: TableCheck, place: str, counts: Waterfall) -> Selection | Lineage:
    """The rows a check on the way in found, or the files in which it counted what is no row any more."""
    engine, column = inputs.engine, place.rpartition(".")[2]
    if check.reason_code == "time_order":
        early, _, late = column.partition("-")
        out_of_order = f"{quoted(late)} < {quoted(early)}"
        return views.faulty(views.rows_where(engine.accepted(check.table), out_of_order))
    if check.reason_code == "references":
        target = str(contract().tables[check.table].columns[column].refers)
        key = contract().tables[target].key[0]
        return views.faulty(views.orphans(engine.accepted(check.table), column, engine.accepted(target), key))
    if check.reason_code == "keys":
        return Derived(operation="copy", parents=(counts.duplicate[check.table],))
    return Read(table=check.table, files=files_of(inputs, check.table), outcome=check.reason_code)


def _ahead(inputs: StudyInputs, gaps: Sequence[MonthGaps], counts: Waterfall) -> list[Fault]:
    """Rows dated in a month after the as-of day: kept, and not seen before their time."""
    return [
        Fault(
            place=gap.ahead.dimensions["place"],
            code="ahead",
            reason=_label("ahead"),
            rows=gap.ahead,
            example="",
            kept=Text.of(_NOT_YET),
            share=_share(inputs, gap.ahead, gap.table, counts),
        )
        for gap in gaps
        if gap.ahead.value
    ]


def quarantined(inputs: StudyInputs, counts: Waterfall) -> tuple[Fault, ...]:
    """What was set aside by table, column and reason, the most rows first; personal values are masked by the load."""
    aside = inputs.engine.tables.quarantine
    if aside.empty:
        return ()
    first = aside.sort_values(["table", "file", "row_number"], kind="stable").groupby(
        ["table", "column", "reason", "scope"], sort=True, dropna=False
    )
    found = []
    for (table, column, reason, scope), rows in first:
        # what a correction dropped is listed with the corrections
        if reason == "dropped":
            continue
        name = column if isinstance(column, str) else ""
        place, example = f"{table}.{name}" if name else str(table), rows.iloc[0]
        listed = views.faulty(
            views.set_aside(
                inputs.engine.set_aside(str(table)),
                f"coalesce({quoted('column')}, '') = {literal(name)}",
                f"reason = {literal(str(reason))}",
                f"scope = {literal(str(scope))}",
            )
        )
        counted = Stating(inputs=inputs).measured(
            "faulty_rows", listed, place=place, fault=str(reason), scope=str(scope)
        )
        found.append(
            Fault(
                place=place,
                code=str(reason),
                reason=reason_words(str(reason)),
                example=_shown(example["example"]),
                kept=Text.of(_SET_ASIDE[str(scope)]),
                rows=counted,
                share=_share(inputs, counted, str(table), counts),
                where=f"{example['file']}:{int(example['row_number'])}",
            )
        )
    return tuple(_most_first(found))


def _shown(example: object) -> str:
    return example[:60] if isinstance(example, str) else ""


def _share(inputs: StudyInputs, rows: Fact, table: str, counts: Waterfall) -> Fact | None:
    """Rows with the fault among the rows read for the table; nothing for what is no row (a column, a file)."""
    read, fault = counts.read.get(table), rows.dimensions["fault"]
    if read is None or not read.value or fault.startswith(_NO_ROWS):
        return None
    return Stating(inputs=inputs).derived(
        "faulty_share", rows, read, place=rows.dimensions["place"], fault=fault
    )


def corrections(inputs: StudyInputs) -> tuple[AppliedCorrection, ...]:
    """The register as this load applied it; a load whose corrections do not find what they expect never gets here."""
    return tuple(
        AppliedCorrection(
            id=entry["id"],
            table=entry["table"],
            action=Text.of(_ACTIONS[entry["action"]]),
            reason=entry["reason"],
            reporter=entry["reporter"],
            rows=Stating(inputs=inputs).exact(
                "corrected_rows",
                entry["expect"],
                lineage=_corrected(inputs, entry["table"], entry["action"], entry["id"]),
                correction=entry["id"],
            ),
        )
        for entry in inputs.engine.tables.settings.get("corrections", ())
    )


def _corrected(inputs: StudyInputs, table: str, action: str, entry: str) -> Lineage:
    """Dropped rows are set aside under the entry's id; of rows put right the load keeps only how many they were."""
    if action == "drop":
        dropped = ("reason = 'dropped'", f"example = {literal(entry)}")
        return Rows(numerator=views.set_aside(inputs.engine.set_aside(table), *dropped))
    return Read(table=table, files=files_of(inputs, table), outcome=f"corrected by {entry}")
