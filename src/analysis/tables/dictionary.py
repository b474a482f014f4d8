"""The data dictionary: the contract as a page for the person who fills a table."""

from __future__ import annotations

from pathlib import Path

from analysis.tables.contract import ColumnContract, Contract, TableContract, contract

_TYPES = {
    "string": "text",
    "date": "date",
    "timestamp": "time (UTC)",
    "integer": "whole number",
    "decimal": "money",
    "float": "number",
    "boolean": "true or false",
}

_HEAD = """# Data dictionary

The canonical tables, generated from `src/analysis/tables/contract.yml` (version {version}); do not edit this page by hand
(`analysis.tables.write_data_dictionary` writes it, a test compares). Everything else in this folder is yours and stays out of git.

**How to bring your own data.** Put one file a table into a folder, `tickets.csv`, `tickets.parquet` or `tickets.xlsx`, or a sub-folder `tickets/`
with as many files as you like, and name the columns as below. Exports in a system's own shape come in through a source map (`docs/SOURCES.md`). A table or an optional column may be absent: what needs it is
then shown as "not computed: needs surveys.score", and the rest of the report is made. Names that start with `_` or `.` are ignored.

**How values are written.** CSV is UTF-8 (a byte-order mark is fine), or GB18030 where the bytes are plausibly Chinese, with a header, separated by comma, semicolon, tab or bar,
text in double quotes where needed. Only an empty value is empty: `NULL`, `NA` or `-` is not.

| type | written as | not accepted |
|---|---|---|
| text | anything; blanks around it are removed | |
| date | `2026-10-31` or `2026/10/31` | `31/10/2026`: day and month could be swapped |
| time (UTC) | `2026-10-31 08:05:00`, with an offset (`+08:00`, `Z`) if it is not UTC; a bare date is the start of that day in the business time zone | local clock times without offset |
| money | `-1234.50`, at most two decimals, in the reporting currency unless `currency` names another | `1,234.50`, `(1234.50)`, `1.2e5`, `12.345` |
| whole number | `12` (`12.0` is read as 12) | `12.5` |
| number | `12.5`, `1.2e-3` | `1,234` |
| true or false | `true`/`false`, `yes`/`no`, `1`/`0` | |

Dates before {earliest} or after {latest} count as unreadable: they stand for nothing in most systems.

**What happens to a row.** Rows read = rows accepted + rows quarantined + exact duplicates, for each file. A row is
quarantined, with its reason, when a *required* value is missing or unreadable, when it refers (required) to a row that is not there,
or when its currency has no rate on its day. Any other unreadable value is left empty and listed. The load is refused when more
than 1 % of a table's rows would be quarantined, when two different rows share a key, when a required column is
missing, or when a file was cut. A validated table also has `month` (first day of the row's month in the business time zone, by the
column named under *kept by month of*), `source_file` and, for tickets, `time_order_fault` (a later moment of the row lies before an earlier one;
durations leave it out).

**Need**: *required*: every row must have it. *key*: identifies the row. *personal*: never printed, masked in examples.
"""


def data_dictionary(tables: Contract) -> str:
    """The dictionary as Markdown, one section a table in the order of the contract."""
    head = _HEAD.format(version=tables.version, earliest=tables.earliest, latest=tables.latest)
    sections = [_section(table) for table in tables.tables.values()]
    contents = "\n".join(f"- [{name}](#{name}): {table.grain}" for name, table in tables.tables.items())
    return "\n".join([head, contents, "", *sections])


def write_data_dictionary(path: Path) -> None:
    """Write the dictionary of the package's contract to ``path``."""
    path.write_text(data_dictionary(contract()), encoding="utf-8")


def _section(table: TableContract) -> str:
    lines = [
        f"## {table.name}",
        "",
        f"One row: {table.grain.removeprefix('one row per ')}. Key: {_names(table.key)}.",
    ]
    if table.time:
        lines.append(
            f"Kept by month of `{table.time}`"
            + (f" (`{table.time_else}` where that is empty)." if table.time_else else ".")
        )
    for early, late in table.in_order:
        lines.append(f"`{late}` should not be before `{early}`.")
    rows = [
        f"| `{column.name}` | {_TYPES[column.type]} | {_need(table, column)} | {_about(column)} |"
        for column in table.columns.values()
    ]
    return "\n".join([*lines, "", "| column | type | need | meaning |", "|---|---|---|---|", *rows, ""])


def _need(table: TableContract, column: ColumnContract) -> str:
    words = [
        word
        for word, holds in (
            ("key", column.name in table.key),
            ("required", column.required),
            ("personal", column.pii),
        )
        if holds
    ]
    return ", ".join(words)


def _about(column: ColumnContract) -> str:
    parts = [column.about]
    if column.unit:
        parts.append(f"in {column.unit}")
    if column.values:
        parts.append("one of " + ", ".join(f"`{value}`" for value in column.values))
    if column.refers:
        parts.append(f"refers to `{column.refers}`")
    if column.default is not None:
        parts.append(f"`{column.default}` where absent")
    if column.at_least is not None:
        parts.append(f"at least {column.at_least}")
    if column.at_most is not None:
        parts.append(f"at most {column.at_most}")
    if column.scale_by:
        parts += [f"{low} to {high} for {value}" for value, (low, high) in column.scale_limits.items()]
    return "; ".join(part for part in parts if part)


def _names(columns: tuple[str, ...]) -> str:
    return " x ".join(f"`{column}`" for column in columns)
