"""What a proved file may hold that no single value shows: lines that sum the others, lists that overlap, days without a clock.

A doubt is a check with count, example, what was done and what to do. Rows are set aside only where the evidence is the row's own:
a line that says "total" or equals the sum of all others and names nothing, a voucher that empties every account of its month, a
copy under another number in a list that another file repeats. Everything else stays and is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from analysis.sources.rounds import is_round
from analysis.sources.sql import literal, quoted
from analysis.sources.words import MERGED_TEXT, TOTAL_WORDS
from analysis.tables import checks
from analysis.tables.contract import TableContract
from analysis.tables.proving import ProvedFile
from analysis.tables.records import FileRecord
from analysis.tables.rows import body_hash, key_columns
from analysis.tables.store import TableCheck

Ask = Callable[[str], list[tuple[Any, ...]]]

#: Other rows without which a line is not said to sum them, and without which a column of moments is not said to have no clock.
LEAST_SUMMED, LEAST_STAMPS = 2, 20
#: Rows of an overlap, and their share in the shorter list, from which two lists are taken for one.
LEAST_SHARED, SHARE_SHARED = 10, 0.9
#: Overlapping pairs of files that are compared; more are a sign of files by another dimension.
MOST_PAIRS = 60


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """Rows of one file, as SQL with ``_row``, and the reason they do not stay."""

    rows: str
    reason: str


def lines_to_set_aside(ask: Ask, table: TableContract, file: ProvedFile) -> Iterator[SetAside]:
    """Lines of totals, and of the voucher that carries a month's cost to profit."""
    if not file.raw.copied:
        return
    totals = _total_rows(ask, table, file)
    if totals:
        yield SetAside(rows=_listed(totals), reason="total_line")
    if table.name == "ledger" and {"account", "amount"} <= set(file.raw.columns):
        closing = ask(_closing_rows(_good(file, without=totals)))
        if closing:
            yield SetAside(rows=_listed([row for (row,) in closing]), reason="closing_entry")


def _listed(rows: Sequence[int]) -> str:
    return f"(SELECT unnest([{', '.join(map(str, rows))}]) AS _row)"


def _good(file: ProvedFile, *, without: Sequence[int] = ()) -> str:
    where = f" AND _row NOT IN ({', '.join(map(str, without))})" if without else ""
    return f"(SELECT * FROM {quoted(file.relation)} WHERE NOT _refused{where})"


def _is_word(column: str) -> str:
    words = ", ".join(map(literal, sorted(TOTAL_WORDS)))
    return f"coalesce(length({column}) <= 24 AND lower(translate(rtrim({column}, ':：'), ' 　-', '')) IN ({words}), false)"


def _total_rows(ask: Ask, table: TableContract, file: ProvedFile) -> list[int]:
    """Rows that say "total" in the place of an identifier, or say it or name nothing and sum the others."""
    present = [column for column in table.columns.values() if column.name in file.raw.columns]
    texts = [quoted(c.name) for c in present if c.type == "string" and not c.pii]
    keys = [
        quoted(name)
        for name in table.key
        if table.columns[name].type == "string" and name in file.raw.columns
    ]
    sums = [quoted(c.name) for c in present if c.type == "decimal"]
    if not sums or not keys:
        return []
    good = _good(file)
    heads = " OR ".join(map(_is_word, texts))
    found = [
        row
        for (row,) in ask(f"SELECT _row FROM {good} WHERE {' OR '.join(map(_is_word, keys))} ORDER BY _row")
    ]
    filled = [quoted(c.name) for c in present if c.type != "decimal" and c.name not in table.key]
    others = f"SELECT * FROM {good}" + (f" WHERE _row NOT IN ({', '.join(map(str, found))})" if found else "")
    ((rows, *totals),) = ask(f"SELECT count(*), {', '.join(f'sum({name})' for name in sums)} FROM ({others})")
    (always,) = ask(
        f"SELECT {', '.join(f'count(*) - count({name})' for name in filled) or 'count(*) * 0'} FROM ({others})"
    )
    if rows <= LEAST_SUMMED:
        return found
    edge = ask(
        f"SELECT _row, {heads or 'false'}, {', '.join(sums)}{''.join(f', {name} IS NULL' for name in filled)} "
        f"FROM ({others}) AS given WHERE _row IN (SELECT min(_row) FROM ({others})) OR _row IN (SELECT max(_row) FROM ({others})) ORDER BY _row"
    )
    for row, says, *values in edge:
        amounts, empty = values[: len(sums)], values[len(sums) :]
        summing = [
            a is not None and a != 0 and total is not None and 2 * a == total
            for a, total in zip(amounts, totals, strict=True)
        ]
        lacking = any(lacks and missing == 1 for lacks, missing in zip(empty, always, strict=False))
        if any(summing) and (says or lacking):
            found.append(row)
    return found


def _closing_rows(good: str) -> str:
    """Postings that bring every account of their month to zero, each on its account, all on the month's last day and in one journal."""
    return f"""
    WITH given AS (SELECT *, date_trunc('month', posted_on) AS of_month FROM {good} WHERE posting_basis = 'incurred' AND account IS NOT NULL),
    spent AS (
      SELECT of_month, account, sum(amount) AS net, count(*) AS postings, max(posted_on) AS last_on FROM given GROUP BY ALL),
    emptied AS (
      SELECT of_month FROM spent GROUP BY of_month HAVING bool_and(net = 0) AND sum(postings) >= count(*) * 2 AND sum(postings) > 3),
    lines AS (
      SELECT given._row, given.of_month, given.account, given.journal_id, given.posted_on,
             count(*) OVER (PARTITION BY given.of_month, given.account) AS for_account
      FROM given JOIN emptied USING (of_month) JOIN spent USING (of_month, account)
      WHERE given.posted_on = spent.last_on AND given.amount <> 0
        AND given.amount = -(SELECT sum(o.amount) FROM given AS o
                             WHERE o.of_month = given.of_month AND o.account = given.account AND o._row <> given._row)
        AND abs(given.amount) > 0
        AND given.amount = (SELECT CASE WHEN abs(min(o.amount)) >= abs(max(o.amount)) THEN min(o.amount) ELSE max(o.amount) END
                            FROM given AS o WHERE o.of_month = given.of_month AND o.account = given.account)
    )
    SELECT _row FROM lines
    WHERE of_month IN (
      SELECT of_month FROM lines GROUP BY of_month
      HAVING count(*) = count(DISTINCT account) AND count(DISTINCT coalesce(journal_id, '')) = 1 AND count(DISTINCT posted_on) = 1
         AND count(*) = (SELECT count(*) FROM spent WHERE spent.of_month = lines.of_month))
    ORDER BY _row"""


# ---------------------------------------------------------------- two lists of one thing


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Two files that hold the same rows under other numbers; ``rows`` are those of the second, as SQL with ``_file`` and ``_row``."""

    files: tuple[int, int]
    count: int
    rows: str


def overlaps(ask: Ask, table: TableContract, accepted: str, *, day: str) -> list[Overlap]:
    """Pairs of files whose rows of the same days are equal in all but the key, up to a tenth of the shorter list."""
    if len(table.key) != 1 or table.time is None:
        return []
    spans = ask(f"SELECT _file, min({day}), max({day}) FROM {accepted} GROUP BY _file ORDER BY _file")
    pairs = [(a, b) for a, b in combinations(spans, 2) if a[1] <= b[2] and b[1] <= a[2]]
    if not pairs or len(pairs) > MOST_PAIRS:
        return []
    found = []
    for (one, low, high), (other, start, end) in pairs:
        both = f"{day} BETWEEN DATE '{max(low, start)}' AND DATE '{min(high, end)}'"
        ask(
            f"CREATE OR REPLACE TEMP TABLE bodies AS SELECT _file, _row, md5({body_hash(table)}) AS body, "
            f"row_number() OVER (PARTITION BY _file, md5({body_hash(table)}) ORDER BY _row, {key_columns(table)}) AS turn "
            f"FROM {accepted} WHERE _file IN ({one}, {other}) AND {both}"
        )
        counts = {file: n for file, n in ask("SELECT _file, count(*) FROM bodies GROUP BY _file")}
        shorter, longer = sorted((one, other), key=lambda file: (counts.get(file, 0), -file))
        twice = (
            f"(SELECT _file, _row FROM bodies AS given SEMI JOIN (SELECT body, turn FROM bodies WHERE _file = {longer}) AS known "
            f"USING (body, turn) WHERE given._file = {shorter})"
        )
        ((count,),) = ask(f"SELECT count(*) FROM {twice}")
        if count >= LEAST_SHARED and count >= SHARE_SHARED * counts[shorter]:
            found.append(Overlap(files=(longer, shorter), count=count, rows=twice))
            break  # its rows are set aside before the next pair is looked at
    return found


# ---------------------------------------------------------------- what is only said


def file_doubts(table: TableContract, records: Sequence[FileRecord]) -> Iterator[TableCheck]:
    """What the books of the files show: a number of rows at which exports are cut, rows that a sheet hides."""
    sizes = [record.rows for record in records]
    for record in sorted(records, key=lambda one: one.name):
        is_page = sizes.count(record.rows) > 1 and any(size < record.rows for size in sizes)
        if is_round(record.rows) and not is_page:
            yield checks.round_check(table.name, record.name, record.rows)
        if record.hidden:
            yield checks.hidden_check(table.name, record.name, record.hidden, record.first_hidden)
        for column, count, example in record.rewritten:
            yield checks.form_check(table.name, record.name, column, count, example)


def table_doubts(
    ask: Ask, table: TableContract, kept: str, present: set[str], zone: str
) -> Iterator[TableCheck]:
    """What only the rows together show; ``kept`` are the rows as they were written."""
    asked = [*_clocks(table, present, zone), *_long_numbers(table, present)]
    if table.name == "tickets" and "text" in present:
        asked += [
            f"count(*) FILTER (regexp_matches(text, {literal(MERGED_TEXT)}, 'i'))",
            f"min(ticket_id) FILTER (regexp_matches(text, {literal(MERGED_TEXT)}, 'i'))",
        ]
    if asked:
        ((*counts,),) = ask(f"SELECT {', '.join(asked)} FROM {kept}")
        yield from _said(table, present, counts)
    if len(table.key) == 1 and table.time is not None and table.columns[table.key[0]].type == "string":
        yield from _copies_by_number(ask, table, kept)


def _said(table: TableContract, present: set[str], counts: list[Any]) -> Iterator[TableCheck]:
    answers = iter(counts)
    hours = len(_moments(table, set(table.columns))) > 1 or table.name == "ticket_history"
    for name in _moments(table, present):
        given, midnight = next(answers), next(answers)
        if given >= LEAST_STAMPS and midnight == given:
            yield checks.days_only_check(table.name, name, given, hours=hours)
    for name in _names(table, present):
        long, zeros, rows, example = (next(answers) for _ in range(4))
        if zeros >= 3 and zeros >= 0.5 * long:
            yield checks.lost_digits_check(table.name, name, rows, str(example))
    merged, example = next(answers, 0), next(answers, "")
    if merged:
        yield checks.merged_check(table.name, merged, str(example))


def _moments(table: TableContract, present: set[str]) -> list[str]:
    return [
        c.name
        for c in table.columns.values()
        if c.type == "timestamp" and c.name in present and c.name != "recorded_at"
    ]


def _clocks(table: TableContract, present: set[str], zone: str) -> list[str]:
    """How many moments a column has, and how many of them are the start of a day."""
    return [
        part
        for name in _moments(table, present)
        for part in (f"count({quoted(name)})", f"count(*) FILTER ({is_midnight(quoted(name), zone)})")
    ]


def _names(table: TableContract, present: set[str]) -> list[str]:
    return [c.name for c in table.columns.values() if c.is_identifier and c.name in present]


def _long_numbers(table: TableContract, present: set[str]) -> list[str]:
    """Long numbers, and those that end in zeros behind the 15th digit: a spreadsheet has stored them as numbers."""
    parts = []
    for name in map(quoted, _names(table, present)):
        long = f"length({name}) BETWEEN 16 AND 24"
        zeros = f"{long} AND regexp_full_match({name}, '[0-9]{{15}}0+')"
        parts += [
            f"count(DISTINCT {name}) FILTER ({long})",
            f"count(DISTINCT {name}) FILTER ({zeros})",
            f"count(*) FILTER ({zeros})",
            f"min({name}) FILTER ({zeros})",
        ]
    return parts


def is_midnight(moment: str, zone: str) -> str:
    """Whether a moment is the start of a day of the business time zone: what a bare date becomes."""
    local = f"timezone({literal(zone)}, timezone('UTC', {moment}))"
    return f"{local} = date_trunc('day', {local})"


def _copies_by_number(ask: Ask, table: TableContract, kept: str) -> Iterator[TableCheck]:
    """Rows that are equal in all but a key which only counts the rows of the file: the number hides a copy."""
    key = quoted(table.key[0])
    number = f"TRY_CAST(regexp_extract({key}, '([0-9]{{1,15}})$', 1) AS BIGINT)"
    invented = ask(
        f"SELECT source_file FROM {kept} GROUP BY source_file HAVING count(*) > 2 AND count({number}) = count(*) "
        f"AND min({number}) <= 1 AND max({number}) - min({number}) + 1 <= 1.01 * count(*) + 2"
    )
    if not invented:
        return
    files = ", ".join(literal(str(file)) for (file,) in invented)
    ((count, example, bare),) = ask(
        f"SELECT coalesce(sum(n - 1), 0)::BIGINT, min(first), coalesce(bool_and(regexp_full_match(first, '[0-9]+')), false) "
        f"FROM (SELECT count(*) AS n, min({key}) AS first FROM {kept} WHERE source_file IN ({files}) "
        f"GROUP BY md5({body_hash(table)}) HAVING count(*) > 1)"
    )
    if count:
        yield checks.copies_by_number_check(table.name, int(count), str(example), bare=bool(bare))


def rewritten(
    ask: Ask, table: TableContract, file: ProvedFile, values: Mapping[str, str]
) -> tuple[tuple[str, int, str], ...]:
    """Columns of text whose values the file writes in another Unicode form than the one kept: (column, rows, example)."""
    columns = table.columns.values()
    texts = [c.name for c in columns if c.type == "string" and not c.pii]
    names = [name for name in texts if name in file.casts and name in values and name not in file.plain]
    if not names:
        return ()
    given = {name: file.casts[name].text for name in names}
    differs = {
        name: f"strlen({given[name]}) <> length({given[name]}) AND {given[name]} <> {values[name]}"
        for name in names
    }
    parts = ", ".join(
        f"count(*) FILTER ({differs[n]}), min({values[n]}) FILTER ({differs[n]})" for n in names
    )
    (counts,) = ask(f"SELECT {parts} FROM {quoted(file.raw.relation)}")
    return tuple(
        (name, counts[2 * place], str(counts[2 * place + 1])[:60])
        for place, name in enumerate(names)
        if counts[2 * place]
    )
