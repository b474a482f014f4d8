"""The words of the load: every check and every reason, as messages of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from analysis.locale import Text
from analysis.sources.encodings import LANGUAGE
from analysis.tables.store import FileWaterfall, TableCheck

#: Why a value or a row could not be kept; the word "orphan" and its like stand in files, these words on pages.
REASONS: Mapping[str, str] = {
    "missing": "no value where every row needs one",
    "not_allowed": "not one of the allowed values",
    "below_least": "below the least possible value",
    "above_most": "above the greatest possible value",
    "outside_scale": "outside its scale",
    "impossible_date": "a date that cannot be",
    "null_word": "a word for nothing; only an empty value is empty",
    "scientific_notation": "scientific notation, digits may be lost",
    "thousands_mark": "thousands marks",
    "decimal_comma": "a decimal comma",
    "accounting_negative": "a negative in brackets",
    "more_than_two_decimals": "money with more than two decimals",
    "too_large": "a number too large to be money",
    "too_large_or_too_fine": "a number too large or too fine to keep",
    "not_a_whole_number": "not a whole number",
    "not_a_number": "not a number",
    "not_a_date": "not a date such as 2026-10-31",
    "no_such_time": "no such day or time",
    "day_and_month_unclear": "day and month cannot be told apart",
    "not_true_or_false": "not true or false",
    "not_text": "not text",
    "no_exchange_rate": "no exchange rate for its day",
    "no_month": "no time, so no month",
    "other_currency": "an amount with the sign of another currency than its row's",
    "no_identifier": "a word for nothing where a name should stand",
    "masked_identifier": "a masked identifier",
    "damaged_identifier": "an identifier damaged by a spreadsheet",
    "total_line": "a line of totals",
    "closing_entry": "a line that carries the month's cost to profit",
    "orphan": "refers to a row that is not there",
    "too_few_columns": "a line with too few columns",
    "too_many_columns": "a line with too many columns",
    "broken_quotes": "a line with broken quotes",
    "line_too_long": "a line too long to be a row",
    "dropped": "dropped by the corrections register",
    "unreadable_line": "a line that cannot be read",
}

#: What to do about a fault whose reason does not say it.
REMEDIES: Mapping[str, str] = {
    "other_currency": "Have the currency exported in a column of its own and state its dated rate in the run's file.",
    "masked_identifier": "Export the identifiers unmasked, or under a code of their own for each.",
    "damaged_identifier": "Export the column as text.",
    "no_identifier": "Leave the field empty where nothing is named.",
    "more_than_two_decimals": "Have the export write two decimals; a source map can say how it is rounded (rounded, in docs/SOURCES.md).",
    "closing_entry": "Leave closing vouchers out of the export, or state them under closing in the source map.",
    "total_line": "Export the list without its totals.",
}

_LEFT_EMPTY = "the values were left empty"
Outcome = Literal["passed", "failed", "info"]
LOST = "lost_column"  # the reason code of a column of which no value can be read


def label(check: TableCheck) -> str:
    """What a terminal calls a check that is not passed: what became of the rows, not whether it failed; only a column that is lost has."""
    if check.outcome != "failed" or check.reason_code == LOST:
        return check.outcome
    if check.reason_code == "rows":
        return "set aside"
    if check.reason_code in REASONS:
        return "left empty" if _LEFT_EMPTY in check.message_en else "set aside"
    return "doubt"


def meaning(check: TableCheck, rows: int, *, limit: float) -> str:
    """A check as a terminal says it: of rows set aside what it means for the report. ``rows`` of its table were read; more than the share ``limit`` of them would refuse it."""
    if check.reason_code != "rows" or check.outcome != "failed":
        return check.message_en.removeprefix(f"{check.table}: ")
    return (
        f"{check.count:,} of {rows:,} rows ({check.count / max(rows, 1):.2%}) count nowhere, the report is made of the others; "
        f"more than {limit:.0%} would have refused the table"
    )


def reason_words(code: str) -> Text:
    """Why a row or a value was not kept, in both languages; a code of a later version stands for itself."""
    if code not in REASONS:
        return Text(en=code.replace("_", " "), zh=code)
    return Text.of(REASONS[code])


def _check(
    kind: str,
    table: str,
    outcome: Outcome,
    message: str,
    *,
    count: int = 0,
    example: str = "",
    place: str = "",
    **values: object,
) -> TableCheck:
    """``message`` may name the table, the count, the example and what else is given as ``values``."""
    said = Text.filled(message, table=table, count=count, example=example, place=place, **values)
    return TableCheck(
        id=".".join(part for part in ("tables", table, kind, place) if part),
        table=table,
        outcome=outcome,
        reason_code=kind,
        count=count,
        example=example,
        message_en=said.en,
        message_zh=said.zh,
    )


def rows_check(table: str, files: tuple[FileWaterfall, ...]) -> TableCheck:
    aside = sum(file.quarantined for file in files)
    return _check(
        "rows",
        table,
        "failed" if aside else "passed",
        "{table}: {read:,} rows read = {kept:,} accepted + {count:,} quarantined + {doubled:,} exact duplicates.",
        count=aside,
        read=sum(file.rows_read for file in files),
        kept=sum(file.accepted for file in files),
        doubled=sum(file.exact_duplicates for file in files),
    )


def empty_check(table: str) -> TableCheck:
    return _check("empty", table, "failed", "{table}: the file has a header and no rows.")


def duplicates_check(table: str, count: int) -> TableCheck:
    if not count:
        return _check("keys", table, "passed", "{table}: every key stands once.")
    message = "{table}: {count:,} rows were exact copies of another row and were counted once."
    return _check("keys", table, "info", message, count=count)


def fault_check(table: str, column: str, reason: str, scope: str, count: int, example: str) -> TableCheck:
    message = "{at}: {why} in {count:,} {rows}{shown}; {consequence}."
    if reason in REMEDIES:
        message = "{at}: {why} in {count:,} {rows}{shown}; {consequence}. {remedy}"
    done = "the rows were quarantined" if scope == "row" else _LEFT_EMPTY
    return _check(
        reason,
        table,
        "failed",
        message,
        count=count,
        example=example,
        place=column,
        at=f"{table}.{column}" if column else table,
        why=reason_words(reason),
        rows=_rows(count),
        shown=Text.filled(", e.g. '{example}'", example=example) if example else "",
        consequence=Text.of(done),
        remedy=Text.of(REMEDIES[reason]) if reason in REMEDIES else "",
    )


def lost_check(table: str, column: str, count: int) -> TableCheck:
    return _check(
        LOST,
        table,
        "failed",
        "{table}.{place}: none of its {count:,} values can be read, so the report is made as if the column were not there. State how they are written, or leave the column out.",
        count=count,
        place=column,
    )


def _rows(count: int) -> Text:
    return Text.of("row" if count == 1 else "rows", context="counted")


def correction_check(
    table: str, correction: str, action: str, rows: int, reason: str, reporter: str
) -> TableCheck:
    return _check(
        "correction",
        table,
        "info",
        "{table}: {count:,} {rows} {done} by correction '{place}' ({example}; reported by {reporter}).",
        count=rows,
        example=reason,
        place=correction,
        rows=_rows(rows),
        done=Text.of("dropped" if action == "drop" else "put right", context="correction"),
        reporter=reporter,
    )


def values_check(table: str) -> TableCheck:
    return _check("values", table, "passed", "{table}: every value could be read.")


def reference_check(table: str, column: str, target: str, orphans: int, example: str) -> TableCheck:
    found = "{table}.{place}: every value is found in {target}."
    lacking = (
        "{table}.{place}: {count:,} rows name a row that {target} does not have, e.g. '{example}'; "
        "kept, and left out where {target} is needed."
    )
    return _check(
        "references",
        table,
        "failed" if orphans else "passed",
        lacking if orphans else found,
        count=orphans,
        example=example if orphans else "",
        place=column,
        target=target,
    )


def unreferenced_check(table: str, column: str, target: str) -> TableCheck:
    message = "{table}.{place}: not checked, because there is no table {target}."
    return _check("references", table, "info", message, place=column, target=target)


def time_order_check(table: str, early: str, late: str, count: int, example: str) -> TableCheck:
    ordered = "{table}: {late} is never before {early}."
    wrong = "{table}: in {count:,} rows {late} lies before {early}, e.g. {example}; durations leave them out."
    return _check(
        "time_order",
        table,
        "failed" if count else "passed",
        wrong if count else ordered,
        count=count,
        example=example if count else "",
        place=f"{early}-{late}",
        early=early,
        late=late,
    )


def currency_check(table: str, count: int, currency: str) -> TableCheck:
    message = (
        "{table}: {count:,} rows in another currency were converted to {currency} at the rate of their day."
    )
    return _check("currency", table, "info", message, count=count, currency=currency)


def unknown_column_check(table: str, file: str, column: str, near: str) -> TableCheck:
    unknown = "{file}: column '{example}' is not in the contract and was not read."
    misspelt = "{file}: column '{example}' is not in the contract and was not read; did you mean '{near}'?"
    return _check(
        "unknown_column",
        table,
        "failed" if near else "info",
        misspelt if near else unknown,
        count=1,
        example=column,
        place=column,
        file=file,
        near=near,
    )


def line_break_check(table: str, file: str) -> TableCheck:
    message = "{example}: the last line has no line break; if the file was cut, its last value is incomplete."
    return _check("last_line", table, "info", message, count=1, example=file, place=file)


def encoding_check(table: str, file: str, encoding: str) -> TableCheck:
    message = "{example}: not UTF-8; read as {encoding}, in which it is plausible {language} text."
    return _check(
        "encoding",
        table,
        "info",
        message,
        count=1,
        example=file,
        place=file,
        encoding=encoding.upper(),
        language=Text.of(LANGUAGE.get(encoding, "Chinese")),
    )


def round_check(table: str, file: str, rows: int) -> TableCheck:
    message = (
        "{example}: exactly {count:,} rows, a number at which systems cut exports; all were kept, but rows behind them may be missing. "
        "Compare with the count in the system, or export in parts."
    )
    return _check("round_number", table, "failed", message, count=rows, example=file, place=file)


def hidden_check(table: str, file: str, rows: int, first: int) -> TableCheck:
    message = (
        "{file}: {count:,} rows that the sheet hides or filters out (the first is line {first:,}) were read like the others. "
        "If they should not count, delete them and export again."
    )
    return _check(
        "hidden_rows",
        table,
        "failed",
        message,
        count=rows,
        example=str(first),
        place=file,
        file=file,
        first=first,
    )


def form_check(table: str, file: str, column: str, count: int, example: str) -> TableCheck:
    message = (
        "{file}: {count:,} values of {column} came in another Unicode form or width, e.g. '{example}'; they were brought to one form, "
        "so that one name is one name."
    )
    return _check(
        "text_form",
        table,
        "info",
        message,
        count=count,
        example=example,
        place=f"{column}:{file}",
        file=file,
        column=column,
    )


def overlap_check(table: str, shorter: str, longer: str, count: int) -> TableCheck:
    message = (
        "{example}: {count:,} rows stand in {longer} as well, equal in all but their number; they were counted once. "
        "Export each period once, with one extent."
    )
    return _check(
        "overlap", table, "failed", message, count=count, example=shorter, place=shorter, longer=longer
    )


def days_only_check(table: str, column: str, count: int, *, hours: bool) -> TableCheck:
    """``hours``: the table holds several moments of one thing, between which hours are measured; a lone date is only told."""
    message = (
        "{table}.{place}: all {count:,} moments lie at 00:00, so only their day is known; order within a day is not judged, and "
        "hours from or to this moment are not computed. Export the time of day."
    )
    return _check("days_only", table, "failed" if hours else "info", message, count=count, place=column)


def lost_digits_check(table: str, column: str, count: int, example: str) -> TableCheck:
    message = (
        "{table}.{place}: {count:,} rows have a long number that ends in zeros behind its 15th digit, e.g. {example}: a spreadsheet has cut it, "
        "and different ones may look alike. Export the column as text."
    )
    return _check("lost_digits", table, "failed", message, count=count, example=example, place=column)


def merged_check(table: str, count: int, example: str) -> TableCheck:
    message = (
        "{table}: the text of {count:,} tickets says that they were merged into another, e.g. {example}; they were counted beside it. "
        "Leave them out in the source map (merged) or with an entry in params/corrections.yml."
    )
    return _check("merged", table, "failed", message, count=count, example=example)


def copies_by_number_check(table: str, count: int, example: str, *, bare: bool) -> TableCheck:
    """``bare``: the key is nothing but the row's number; with letters before it, it may be the system's own."""
    message = (
        "{table}: the key only numbers the rows of the file, and {count:,} rows equal another one in all else, e.g. {example}; they were kept. "
        "If they are copies, export the system's own number."
    )
    return _check(
        "copies_by_number", table, "failed" if bare else "info", message, count=count, example=example
    )


def unknown_file_check(name: str, near: str) -> TableCheck:
    unknown = "{example}: no table has this name, so it was not read."
    misspelt = "{example}: no table has this name, so it was not read; did you mean '{near}'?"
    return _check(
        "unknown_file",
        "",
        "failed" if near else "info",
        misspelt if near else unknown,
        count=1,
        example=name,
        place=name,
        near=near,
    )
