"""A first source map for exports nobody has described yet: what their headers suggest, with every doubt marked.

It is a draft for a person to finish: names are compared, a few hundred values are looked at, and whatever is not certain stands in a
comment that begins with ``doubt``. Nothing is read through it until someone has put it into ``params/sources``.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import SourceError

HEAD_BYTES = 1 << 18
SEPARATORS = (",", ";", "\t", "|")
#: What other systems call our columns; keys are canonical names, words are compared without case, blanks and marks.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "posting_id": ("journal line id", "entry no", "凭证号", "凭证字号"),
    "posted_on": ("posting date", "journal date", "记账日期", "凭证日期", "日期"),
    "account": ("account code", "gl account", "科目编码", "科目代码"),
    "amount": ("net amount", "total", "金额", "本币金额"),
    "order_id": ("order number", "订单编号", "订单号"),
    "ordered_at": ("order date", "created at", "订单付款时间", "订单创建时间"),
    "revenue": ("net sales", "order total", "买家实际支付金额"),
    "customer_id": ("requester id", "contact id", "account id", "买家会员名", "客户编码", "客户编号"),
    "customer_name": ("name", "客户名称"),
    "ticket_id": ("ticket number", "case number", "incident number", "issue key", "工单号", "工单编号"),
    "ticket_type": ("type", "issue type", "case type", "工单类型"),
    "opened_at": ("created at", "created", "opened", "created date", "创建时间"),
    "resolved_at": ("solved at", "resolved", "resolution date", "解决时间"),
    "closed_at": ("closed", "closed date", "关闭时间"),
    "agent_id": ("assignee id", "assigned to", "owner id", "处理人"),
    "product_id": ("sku", "item code", "商品编码", "物料编码"),
    "quantity": ("qty", "数量"),
    "currency": ("currency code", "币种", "币别"),
}
_DAY = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})( \d{1,2}:\d{2}(:\d{2})?)?")


@dataclass(frozen=True, kw_only=True)
class TableShape:
    """What the proposal needs to know of a canonical table."""

    columns: tuple[str, ...]
    required: frozenset[str]
    days: frozenset[str]
    allowed: Mapping[str, tuple[str, ...]]


def propose_map(folder: Path, tables: Mapping[str, TableShape]) -> str:
    """A source map in YAML for the CSV files of ``folder``; files that fit no table are listed in comments."""
    if not folder.is_dir():
        raise SourceError(f"{folder.name}: no such folder. Name the folder that holds the exports.")
    lines = ["# Proposed from headers and a few values. Settle every line marked 'doubt', then save as params/sources/<name>.yml."]
    entries: list[str] = []
    for path in sorted(folder.glob("*.csv")):
        entry, remark = _entry(path, tables)
        entries += entry
        lines += [f"# {path.name}: {remark}"] if remark else []
    if not entries:
        raise SourceError(f"{folder.name}: no CSV file in it looks like one of our tables. Write the map by hand; see params/sources.")
    return "\n".join([*lines, f"about: exports of {json.dumps(folder.name, ensure_ascii=False)}", "tables:", *entries]) + "\n"


def _entry(path: Path, tables: Mapping[str, TableShape]) -> tuple[list[str], str]:
    """The lines for one file, or why it has none."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    text, encoding = _decoded(head)
    if text is None:
        return [], "doubt: neither UTF-8 nor GB18030; not looked at"
    separator, rows = _parsed(text, whole=len(head) < HEAD_BYTES)
    if not rows:
        return [], "doubt: empty"
    header, values = rows[0], rows[1:]
    table, columns = max(
        ((name, _matched(name, shape, header, path.stem)) for name, shape in tables.items()),
        key=lambda pair: (len(set(pair[1]) & tables[pair[0]].required), _plain(pair[0]).rstrip("s") in _plain(path.stem), len(pair[1])),
    )
    shape = tables[table]
    # An event log or a list of comments shares names with a table; with two required columns absent it is not one.
    if not set(columns) & shape.required or len(columns) < 2 or len(shape.required - set(columns)) > 1:
        return [], "doubt: fits no table; its columns are " + ", ".join(header[:8])
    lines = [f"  - table: {table}", f"    file: {json.dumps(path.name, ensure_ascii=False)}"]
    lines += [f"    # doubt: {column} is required and no column was found for it" for column in sorted(shape.required - set(columns))]
    if encoding != "utf-8":
        lines.append(f"    encoding: {encoding}  # doubt: it is not UTF-8; check that the names read well")
    if separator != ",":
        lines.append(f"    separator: {json.dumps(separator)}")
    lines.append("    columns:")
    for column, (source, sure) in columns.items():
        remark = "" if sure else "  # doubt: by a similar name"
        lines.append(f"      {column}: {json.dumps(source, ensure_ascii=False)}{remark}")
    seen = {column: [row[header.index(source)].strip() for row in values] for column, (source, _) in columns.items()}
    return [*lines, *_dates(shape, seen), *_words(shape, seen)], ""


def _matched(table: str, shape: TableShape, header: Sequence[str], stem: str) -> dict[str, tuple[str, bool]]:
    """Canonical column to (source column, whether the names are the same)."""
    known = {_plain(name): name for name in reversed(header) if name}
    found: dict[str, tuple[str, bool]] = {}
    taken: set[str] = set()
    for column in shape.columns:
        words = [(column, True), *((word, False) for word in SYNONYMS.get(column, ()))]
        if column == f"{table.rstrip('s')}_id" and _plain(table).rstrip("s") in _plain(stem):
            words.append(("id", False))
        for word, sure in words:
            source = known.get(_plain(word))
            if source is not None and source not in taken:
                found[column] = (source, sure)
                taken.add(source)
                break
    return found


def _dates(shape: TableShape, seen: Mapping[str, Sequence[str]]) -> list[str]:
    """Formats of the columns whose days are not written year first."""
    lines: list[str] = []
    for column in shape.days & set(seen):
        matches = [match for text in seen[column] if (match := _DAY.fullmatch(text))]
        if not matches or len(matches[0][1]) == 4:
            continue
        mark, clock = matches[0][2], " %H:%M:%S" if matches[0][6] else " %H:%M" if matches[0][5] else ""
        day_first, month_first = (any(int(match[place]) > 12 for match in matches) for place in (1, 3))
        year = "%Y" if len(matches[0][4]) == 4 else "%y"
        order = ("%m", "%d") if month_first else ("%d", "%m")
        line = f"      {column}: {json.dumps(f'{order[0]}{mark}{order[1]}{mark}{year}{clock}')}"
        if day_first == month_first:
            line = f"      # doubt: day and month of {column} cannot be told apart ({matches[0][0]}); state one\n      # {line.strip()}"
        lines.append(line)
    stated = any(not line.lstrip().startswith("#") for line in lines)
    return [f"    dates:{'' if stated else ' {}'}", *sorted(lines)] if lines else []


def _words(shape: TableShape, seen: Mapping[str, Sequence[str]]) -> list[str]:
    """Words the contract does not know, each to be given one that it does."""
    lines = []
    for column in sorted(set(shape.allowed) & set(seen)):
        for word in sorted(set(seen[column]) - set(shape.allowed[column]))[:12]:
            lines.append(f"    # doubt: values of {column}: {json.dumps(word, ensure_ascii=False)} is one of {', '.join(shape.allowed[column])}")
    return lines


def _decoded(head: bytes) -> tuple[str | None, str]:
    whole = len(head) < HEAD_BYTES
    for encoding in ("utf-8", "gb18030"):
        body = head if whole else head[: head.rfind(b"\n") + 1]
        try:
            return body.decode("utf-8-sig" if encoding == "utf-8" else encoding), encoding
        except UnicodeDecodeError:
            continue
    return None, ""


def _parsed(text: str, *, whole: bool) -> tuple[str, list[list[str]]]:
    """The separator that splits the header into most names, and the rows as wide as the header."""
    first = text.split("\n", 1)[0]
    separator = max(SEPARATORS, key=lambda mark: len(first.split(mark)))
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
    width = len(rows[0]) if rows else 0
    rows = [[cell.strip() for cell in row] for row in rows if len(row) == width]
    return separator, rows if whole else rows[:-1]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())
