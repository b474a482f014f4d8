"""From what a file says to the canonical type, as SQL expressions: read strictly, never guessed.

For each column two expressions are made: the value (null where it cannot be read) and the reason why it cannot be read,
which is evaluated only for the few rows that need one.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from analysis.sources.amounts import CURRENCY_SIGNS
from analysis.sources.sql import literal, quoted
from analysis.sources.words import MASKED, NO_NAMES
from analysis.tables.contract import ColumnContract

#: A fraction below this is what binary floats leave behind when money is added up; it is rounded away.
FLOAT_NOISE = Decimal("0.000001")

INTEGER = r"[+-]?[0-9]{1,18}(\.0*)?"
CENTS = r"[+-]?([0-9]{1,16}(\.[0-9]{0,2}0*)?|\.[0-9]{1,2}0*)"
NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
SCIENTIFIC = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)[eE][+-]?[0-9]+"
DAY = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}"
MIDNIGHT = r"([T ]0{1,2}:00(:00(\.0+)?)?)?"
CLOCK = r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
OFFSET = r" ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"
THOUSANDS = r"[+-]?[0-9]{1,3}([,’'  ][0-9]{3})+(\.[0-9]+)?"
DECIMAL_COMMA = r"[+-]?[0-9.]+,[0-9]+"
BRACKETED = r"[(（].*[)）]"
TOO_FINE = r"[+-]?[0-9]{0,16}\.[0-9]+"
YEAR_LAST = r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}"
DAY_OR_MONTH_FIRST = r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}.*"
TRUE_WORDS, FALSE_WORDS = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")
#: Full-width forms of digits, letters and marks, and what an identifier is written in.
_WIDE = "".join(chr(code) for code in range(0xFF01, 0xFF5F)) + "\u3000\u00a0"
_NARROW = "".join(chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)) + "  "
_PLAIN_NAME = "[A-Za-z0-9_.:/-]*[0-9][A-Za-z0-9_.:/-]*"
_UNSEEN = "[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]"
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
#: What a page would not show, or would turn round: controls of the upper half, line separators, marks of direction, spaces without width.
_HIDDEN = "".join(
    chr(code)
    for codes in (
        range(0x80, 0xA0),
        (0xAD, 0x061C, 0x200B, 0x200E, 0x200F),
        range(0x2028, 0x202F),
        range(0x2060, 0x2070),
        (0xFEFF,),
    )
    for code in codes
)
_SHEET_ERROR = r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!)"
_SIGNS = "|".join(sorted((re.escape(sign) for sign in CURRENCY_SIGNS), key=len, reverse=True))
_SIGN_BEFORE = rf"^[-+]?\s*({_SIGNS})\.?\s*[-+]?[0-9.]"
_SIGN_BEHIND = rf"[0-9.]\s*({_SIGNS})$"
_SIGN_FIRST = rf"^([-+]?)\s*(?:{_SIGNS})\.?\s*"
_SIGN_LAST = rf"\s*(?:{_SIGNS})$"
NULL_WORDS = ("null", "none", "na", "n/a", "nan", "nat", "-", "--", "?", "#n/a", "\\n")


@dataclass(frozen=True, kw_only=True)
class Cast:
    """SQL for one column over the raw relation. ``text`` is what the file says, null where it says nothing."""

    text: str
    value: str
    reason: str


def cast(
    column: ColumnContract,
    source_type: str,
    *,
    time_zone: str,
    earliest: dt.date,
    latest: dt.date,
    currency: str = "NULL",
    plain: bool = False,
) -> Cast:
    """How ``column`` is read from a source column of type ``source_type``.

    A value outside the column's allowed values or range, or a date outside ``earliest``…``latest``, counts as unreadable.
    ``currency``: the ISO code of the row's currency, as SQL; money may carry its sign, and no other. ``plain``: no text of the column is
    :func:`peculiar`, so that it is taken as it stands.
    """
    text = _text(column, source_type)
    read = (
        _without_sign(text, currency) if column.is_money and source_type == "VARCHAR" and not plain else text
    )
    as_it_stands = text if plain and column.type == "string" else None
    value = as_it_stands or _direct(column, source_type) or _READERS[column.type](column, read, time_zone)
    limits = _limits(column, value, earliest, latest)
    allowed = " AND ".join(condition for condition, _ in limits)
    failing = "".join(f" WHEN NOT ({condition}) THEN {literal(reason)}" for condition, reason in limits)
    unreadable = _no_identifier(text) if column.is_identifier else _UNREADABLE[column.type](read)
    if read is not text:
        unreadable = f"CASE WHEN {_signed(read)} THEN 'other_currency' ELSE {unreadable} END"
    return Cast(
        text=text,
        value=f"CASE WHEN {allowed} THEN {value} END" if allowed else value,
        reason=f"CASE WHEN {text} IS NULL THEN 'missing' WHEN ({value}) IS NULL THEN ({unreadable}){failing} END",
    )


def default_value(column: ColumnContract) -> str:
    """The contract's default as SQL of the canonical type; null where it has none."""
    value = "NULL" if column.default is None else literal(str(column.default))
    return f"CAST({value} AS {column.engine_type})"


def _text(column: ColumnContract, source_type: str) -> str:
    """The value as text without surrounding blanks; an identifier kept as a float loses its ``.0``."""
    name = quoted(column.name)
    if source_type in ("DOUBLE", "FLOAT"):
        whole = f"CASE WHEN {name} = floor({name}) AND abs({name}) < 1e15 THEN CAST(CAST({name} AS BIGINT) AS VARCHAR) ELSE CAST({name} AS VARCHAR) END"
        return f"CASE WHEN isnan({name}) THEN NULL ELSE {whole} END"
    if source_type.startswith("TIMESTAMP WITH TIME ZONE"):
        return f"CAST(timezone('UTC', {name}) AS VARCHAR)"
    return f"nullif(trim(CAST({name} AS VARCHAR)), '')"


def _direct(column: ColumnContract, source_type: str) -> str | None:
    """The value where the source already has a type that cannot be misread."""
    name, kind = quoted(column.name), column.type
    if kind == "timestamp" and source_type == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {name})"
    if kind == "timestamp" and source_type == "TIMESTAMP_NS":
        # A cast would round the last nanosecond of a day into the next one.
        return f"make_timestamp(epoch_ns({name}) // 1000)"
    if kind == "timestamp" and source_type in ("TIMESTAMP", "TIMESTAMP_MS", "TIMESTAMP_S"):
        return f"CAST({name} AS TIMESTAMP)"
    if column.name == "month" and kind == source_type.lower() == "date":
        return f"CAST(date_trunc('month', {name}) AS DATE)"
    whole = source_type in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
    same = (kind, source_type) in {("date", "DATE"), ("boolean", "BOOLEAN"), ("decimal", "DECIMAL(18,2)")}
    if same or (whole and kind in ("integer", "decimal", "float")):
        return f"TRY_CAST({name} AS {column.engine_type})"
    if kind == "float" and source_type in ("DOUBLE", "FLOAT"):
        return f"CASE WHEN isfinite({name}) THEN CAST({name} AS DOUBLE) END"
    return None


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def _read_string(column: ColumnContract, text: str, _time_zone: str) -> str:
    """One form for one text: composed letters, no control characters; an identifier in plain digits and letters, or none at all."""
    composed = f"nfc_normalize({text})"
    if column.is_identifier:
        narrow = f"trim(translate({composed}, {literal(_WIDE)}, {literal(_NARROW)}))"
        composed = f"regexp_replace({narrow}, {literal(_UNSEEN)}, '', 'g')"
    else:
        composed = _with_hidden_shown(composed)
    form = f"nullif(trim(regexp_replace({composed}, {literal(_CONTROL)}, '', 'g')), '')"
    if column.is_identifier:
        form = f"CASE WHEN {_no_identifier(text)} IS NULL THEN {form} END"
    return f"CASE WHEN {_is_plain(column, text)} THEN {text} ELSE {form} END"


def _with_hidden_shown(text: str) -> str:
    r"""A word with each hidden character written out, such as ``\u202e``: what differs unseen is seen, and nothing turns a line round."""
    shown = text
    for hidden in _HIDDEN:
        written = f"\\u{ord(hidden):04x}"
        shown = f"replace({shown}, {literal(hidden)}, {literal(written)})"
    return f"CASE WHEN regexp_matches({text}, {literal(f'[{_HIDDEN}]')}) THEN {shown} ELSE {text} END"


def _is_plain(column: ColumnContract, text: str) -> str:
    """Whether one look shows that a text needs no other form: nearly every identifier is plain and holds a digit."""
    if not column.is_identifier:
        return _matches(text, "[ -~]*")
    return f"({_matches(text, _PLAIN_NAME)} AND NOT contains(lower({text}), 'xxxx'))"


def peculiar(column: ColumnContract, source_type: str) -> str:
    """Whether a text may have to be brought to another form, or names nothing, or money carries a sign, as SQL."""
    text = _text(column, source_type)
    if column.is_money:
        return _signed(text)
    if column.is_identifier:
        return f"NOT {_is_plain(column, text)}"
    composed = f"(strlen({text}) = length({text}) OR nfc_normalize({text}) = {text})"
    return f"(NOT {composed} OR regexp_matches({text}, {literal(f'{_CONTROL}|[{_HIDDEN}]')}))"


def _no_identifier(text: str) -> str:
    """Why a text names nothing: a word for nothing, masked, damaged by a spreadsheet. Null where it may name something."""
    masked = f"regexp_matches({text}, {literal(MASKED)})"
    damaged = f"(contains({text}, '#') AND regexp_full_match({text}, {literal(_SHEET_ERROR)})) OR (contains(upper({text}), 'E+') AND {_matches(text, SCIENTIFIC)})"
    return (
        f"CASE WHEN length({text}) <= 12 AND lower({text}) IN {_list((*NULL_WORDS, *NO_NAMES))} THEN 'no_identifier' "
        f"WHEN {masked} THEN 'masked_identifier' WHEN {damaged} THEN 'damaged_identifier' END"
    )


def _signed(text: str) -> str:
    return f"regexp_matches({text}, {literal(f'{_SIGN_BEFORE}|{_SIGN_BEHIND}')})"


def _without_sign(text: str, currency: str) -> str:
    """Money without the sign of the row's own currency; with another one it stays as it is, and is no number."""
    meant = ", ".join(
        f"{literal(sign)}: [{', '.join(map(literal, codes))}]" for sign, codes in CURRENCY_SIGNS.items()
    )
    before = f"regexp_extract({text}, {literal(_SIGN_BEFORE)}, 1)"
    sign = f"coalesce(nullif({before}, ''), regexp_extract({text}, {literal(_SIGN_BEHIND)}, 1))"
    own = f"coalesce(list_contains(MAP {{{meant}}}[{sign}], {currency}), false)"
    bare = f"regexp_replace(regexp_replace({text}, {literal(_SIGN_FIRST)}, '\\1'), {literal(_SIGN_LAST)}, '')"
    return f"CASE WHEN NOT {_signed(text)} THEN {text} WHEN {own} THEN {bare} ELSE {text} END"


def _read_integer(_column: ColumnContract, text: str, _time_zone: str) -> str:
    return f"CASE WHEN {_matches(text, INTEGER)} THEN TRY_CAST(split_part({text}, '.', 1) AS BIGINT) END"


def _read_decimal(_column: ColumnContract, text: str, _time_zone: str) -> str:
    exact = f"TRY_CAST({text} AS DECIMAL(38,15))"
    noise = f"abs({exact} - round({exact}, 2)) < {FLOAT_NOISE}"
    return (
        f"CASE WHEN {_matches(text, CENTS)} THEN TRY_CAST({text} AS DECIMAL(18,2)) "
        f"WHEN {_matches(text, NUMBER)} THEN CASE WHEN {noise} THEN TRY_CAST({exact} AS DECIMAL(18,2)) END END"
    )


def _read_float(_column: ColumnContract, text: str, _time_zone: str) -> str:
    number = f"TRY_CAST({text} AS DOUBLE)"
    return f"CASE WHEN {_matches(text, f'{NUMBER}|{SCIENTIFIC}')} AND isfinite({number}) THEN {number} END"


def _read_boolean(_column: ColumnContract, text: str, _time_zone: str) -> str:
    return f"CASE WHEN lower({text}) IN {_list(TRUE_WORDS)} THEN true WHEN lower({text}) IN {_list(FALSE_WORDS)} THEN false END"


def _read_date(column: ColumnContract, text: str, _time_zone: str) -> str:
    day = (
        f"CASE WHEN {text} LIKE '____-__-__' THEN TRY_CAST({text} AS DATE) "
        f"WHEN {_matches(text, f'({DAY}){MIDNIGHT}')} THEN TRY_CAST(regexp_extract({text}, {literal(DAY)}) AS DATE) END"
    )
    if column.name != "month":
        return day
    month = f"CASE WHEN {_matches(text, '[0-9]{4}-[0-9]{2}')} THEN TRY_CAST({text} || '-01' AS DATE) END"
    return f"CAST(date_trunc('month', coalesce({day}, {month})) AS DATE)"


def _read_timestamp(_column: ColumnContract, text: str, time_zone: str) -> str:
    """Without an offset the clock is UTC; a bare date is the start of that day in the business time zone."""
    with_offset = f"replace(replace(replace(replace({text}, 'UTC', 'Z'), ' Z', 'Z'), ' +', '+'), ' -', '-')"
    midnight = f"timezone('UTC', timezone({literal(time_zone)}, TRY_CAST({text} AS TIMESTAMP)))"
    return (
        f"CASE WHEN {text} LIKE '____-__-__ __:__:__' THEN TRY_CAST({text} AS TIMESTAMP) "
        f"WHEN {_matches(text, f'({DAY})[T ]{CLOCK}')} THEN TRY_CAST({text} AS TIMESTAMP) "
        f"WHEN {_matches(text, f'({DAY})[T ]{CLOCK}{OFFSET}')} THEN timezone('UTC', TRY_CAST({with_offset} AS TIMESTAMPTZ)) "
        f"WHEN {_matches(text, DAY)} THEN {midnight} END"
    )


_READERS = {
    "string": _read_string,
    "integer": _read_integer,
    "decimal": _read_decimal,
    "float": _read_float,
    "boolean": _read_boolean,
    "date": _read_date,
    "timestamp": _read_timestamp,
}


def _limits(column: ColumnContract, value: str, earliest: dt.date, latest: dt.date) -> list[tuple[str, str]]:
    limits: list[tuple[str, str]] = []
    if column.values:
        limits.append((f"({value}) IN {_list(column.values)}", "not_allowed"))
    if column.at_least is not None:
        limits.append((f"({value}) >= {column.at_least}", "below_least"))
    if column.at_most is not None:
        limits.append((f"({value}) <= {column.at_most}", "above_most"))
    if column.scale_by:
        chosen = f"trim(CAST({quoted(column.scale_by)} AS VARCHAR))"
        cases = " ".join(
            f"WHEN {literal(word)} THEN ({value}) BETWEEN {low} AND {high}"
            for word, (low, high) in column.scale_limits.items()
        )
        limits.append((f"(CASE {chosen} {cases} ELSE true END)", "outside_scale"))
    if column.type in ("date", "timestamp"):
        after = latest + dt.timedelta(days=1)
        limits.append((f"({value}) >= DATE '{earliest}' AND ({value}) < DATE '{after}'", "impossible_date"))
    return limits


def _list(values: tuple[Any, ...]) -> str:
    return "(" + ", ".join(literal(str(value)) for value in values) + ")"


def _unreadable_number(text: str) -> str:
    return (
        f"CASE WHEN lower({text}) IN {_list(NULL_WORDS)} THEN 'null_word' "
        f"WHEN {_matches(text, SCIENTIFIC)} THEN 'scientific_notation' "
        f"WHEN {_matches(text, THOUSANDS)} THEN 'thousands_mark' "
        f"WHEN {_matches(text, DECIMAL_COMMA)} THEN 'decimal_comma' "
        f"WHEN {_matches(text, BRACKETED)} THEN 'accounting_negative' "
        f"WHEN {_matches(text, NUMBER)} THEN 'too_large_or_too_fine' ELSE 'not_a_number' END"
    )


def _unreadable_decimal(text: str) -> str:
    too_fine = _matches(text, TOO_FINE)
    too_large = _matches(text, NUMBER)
    return f"CASE WHEN {too_fine} THEN 'more_than_two_decimals' WHEN {too_large} THEN 'too_large' ELSE {_unreadable_number(text)} END"


def _unreadable_integer(text: str) -> str:
    return f"CASE WHEN {_matches(text, NUMBER)} THEN 'not_a_whole_number' ELSE {_unreadable_number(text)} END"


def _unreadable_time(text: str) -> str:
    day = f"translate(regexp_extract({text}, '^{YEAR_LAST}'), '-.', '//')"
    return (
        f"CASE WHEN lower({text}) IN {_list(NULL_WORDS)} THEN 'null_word' "
        f"WHEN {_matches(text, f'({DAY}).*')} THEN 'no_such_time' "
        f"WHEN {_matches(text, f'{YEAR_LAST}.*')} AND try_strptime({day}, ['%d/%m/%Y', '%m/%d/%Y']) IS NULL THEN 'no_such_time' "
        f"WHEN {_matches(text, DAY_OR_MONTH_FIRST)} THEN 'day_and_month_unclear' ELSE 'not_a_date' END"
    )


def _unreadable_word(text: str) -> str:
    return f"CASE WHEN lower({text}) IN {_list(NULL_WORDS)} THEN 'null_word' ELSE 'not_true_or_false' END"


_UNREADABLE = {
    "string": lambda _text: "'not_text'",
    "integer": _unreadable_integer,
    "decimal": _unreadable_decimal,
    "float": _unreadable_number,
    "boolean": _unreadable_word,
    "date": _unreadable_time,
    "timestamp": _unreadable_time,
}
