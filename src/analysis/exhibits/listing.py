"""CSV of a block: the table behind a chart, or a table itself, with full values and the ids of its facts.

Amounts are not scaled or rounded here; an interval gives two columns, beside its value if that is printed too; every column of numbers is followed by the
ids that ``make trace`` understands.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from analysis.errors import ParameterError

# A spreadsheet would run a cell that begins with one of these (CWE-1236); in East Asian ones the wide forms as well.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def listing_csv(record: Mapping[str, Any]) -> str:
    """CSV text of a ``table`` or ``figure`` record; rows end in a newline, the header names columns by key."""
    if record["kind"] not in ("table", "figure"):
        raise ParameterError(f"block {record['id']}: a {record['kind']} has no table to list.")
    listing = record["data"] if record["kind"] == "figure" else record
    facts = {fact["id"]: fact for fact in record["facts"]}
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["row", *_header(listing)])
    for row in listing["rows"]:
        writer.writerow([row["role"], *_values(listing, row, facts)])
    return buffer.getvalue()


def harmless(text: str) -> str:
    """Text that a spreadsheet shows instead of running."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def limits_of(listing: Mapping[str, Any], index: int) -> Literal["none", "alone", "beside"]:
    """Whether the column prints limits of intervals: alone (``2.4 – 4.0``), beside their values (``3.1 (2.4 – 4.0)``), or not."""
    cells = (row["cells"][index] for row in listing["rows"])
    printed = [cell["text"]["en"] for cell in cells if cell["kind"] == "fact" and " – " in cell["text"]["en"]]
    if not printed:
        return "none"
    return "beside" if any(text.endswith(")") for text in printed) else "alone"


def _header(listing: Mapping[str, Any]) -> Iterator[str]:
    for index, column in enumerate(listing["columns"]):
        key = column["key"]
        if column["type"] == "text":
            yield from (key, f"{key}_zh") if _two_languages(listing, index) else (key,)
        else:
            limits = limits_of(listing, index)
            yield from () if limits == "alone" else (key, f"{key}_unit")
            yield from () if limits == "none" else (f"{key}_low", f"{key}_high")
            yield f"{key}_fact"


def _two_languages(listing: Mapping[str, Any], index: int) -> bool:
    return any(
        row["cells"][index]["text"]["en"] != row["cells"][index]["text"]["zh"] for row in listing["rows"]
    )


def _values(listing: Mapping[str, Any], row: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[Any]:
    for index, (column, cell) in enumerate(zip(listing["columns"], row["cells"], strict=True)):
        fact = facts.get(cell["fact"])
        if column["type"] == "text":
            yield harmless(cell["text"]["en"])
            if _two_languages(listing, index):
                yield harmless(cell["text"]["zh"])
        else:
            limits = limits_of(listing, index)
            interval = (fact or {}).get("interval") or {}
            if limits != "alone":
                yield from value_shown(fact, cell) if fact else ("", "")
            if limits != "none":
                yield from (interval.get("low", ""), interval.get("high", ""))
            yield fact["id"] if fact else ""


def value_shown(fact: Mapping[str, Any], cell: Mapping[str, Any]) -> tuple[Any, str]:
    """Value and unit of the cell; what was printed may be n or a numerator, which ``sort`` keeps."""
    value, printed = fact["value"], cell["sort"]
    if value is None:
        return "", fact["unit"]
    if printed is None or float(value) == printed:
        return value, fact["unit"]
    return (int(printed) if float(printed).is_integer() else printed), ""
