"""A first source map for exports nobody has described yet: what their headers suggest, with every doubt marked.

It is a draft for a person to finish: names are compared, the first rows are looked at, and whatever is not certain stands in a
comment that begins with ``doubt``. Nothing is read through it until someone has put it into ``params/sources``.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from analysis.errors import AnalysisError, SourceError
from analysis.params.places import is_folder, params_files
from analysis.sources.amounts import plain_number
from analysis.sources.cells import Cell, cell_text
from analysis.sources.encodings import find_encoding
from analysis.sources.excel import WORKBOOKS, sheet_names
from analysis.sources.maps import SourceMap, load_map
from analysis.sources.reading import FileForm, Input, find_inputs, open_rows
from analysis.sources.rowmapping import needed_columns, require_columns

#: Rows looked at: enough for days behind the twelfth, which tell day from month.
LOOKED_AT = 20_000
MOST_TITLES = 10
MOST_WORDS = 12
KINDS = (".csv", ".txt", ".tsv", ".parquet", ".gz", ".zip", *WORKBOOKS)
#: What other systems call our columns; keys are canonical names, words are compared without case, blanks and marks.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "posting_id": ("journal line id", "entry no", "凭证号", "凭证字号"),
    "posted_on": ("posting date", "journal date", "记账日期", "凭证日期", "日期"),
    "account": ("account code", "gl account", "科目编码", "科目代码"),
    "amount": ("net amount", "total", "金额", "本币金额"),
    "order_id": ("order number", "invoice no", "订单编号", "订单号"),
    "ordered_at": ("order date", "invoice date", "created at", "订单付款时间", "订单创建时间"),
    "revenue": ("net sales", "order total", "买家实际支付金额"),
    "customer_id": ("requester id", "contact id", "account id", "买家会员名", "客户编码", "客户编号"),
    "customer_name": ("name", "客户名称"),
    "ticket_id": (
        "ticket number",
        "case number",
        "incident number",
        "issue key",
        "unique key",
        "工单号",
        "工单编号",
    ),
    "ticket_type": ("type", "issue type", "case type", "complaint type", "工单类型"),
    "opened_at": ("created at", "created", "opened", "created date", "创建时间"),
    "resolved_at": ("solved at", "resolved", "resolution date", "解决时间"),
    "closed_at": ("closed", "closed date", "关闭时间"),
    "agent_id": ("assignee id", "assigned to", "owner id", "处理人"),
    "product_id": ("sku", "item code", "商品编码", "物料编码"),
    "quantity": ("qty", "数量"),
    "issued_on": ("invoice date", "issue date", "date", "开票日期"),
    "due_on": ("due date", "到期日"),
    "paid_on": ("paid date", "fully paid on date", "付款日期"),
    "currency": ("currency code", "币种", "币别"),
    "cost_center": ("cost centre", "department", "部门"),
    "changed_at": ("updated", "changed", "created date", "时间"),
    "field": ("field name", "字段"),
    "handling_hours": (
        "time spent",
        "minutes",
        "handling minutes",
        "handling time",
        "work minutes",
        "处理时长",
    ),
}
#: What a log of a ticket's states is known by: the words of its column for the new state.
STATES = ("status", "new status", "new value", "newvalue", "to string", "value", "to", "状态")
#: Words in a heading that say its unit is not ours, and the factor that makes it so.
UNITS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "handling_hours": (
        ("minute", "1/60"),
        ("min", "1/60"),
        ("分钟", "1/60"),
        ("second", "1/3600"),
        ("秒", "1/3600"),
    ),
    "amount": (("cents", "1/100"), ("分)", "1/100"), ("万元", "10000")),
    "revenue": (("cents", "1/100"), ("万元", "10000")),
}
_CHINESE_DAY = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日( \d{1,2}:\d{2})?")
_CLOCK = re.compile(r"\d{1,2}:\d{2}")
_OFFSET = re.compile(r"(Z|UTC|[+-]\d{2}:?\d{2})$")
_DAY = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})( \d{1,2}:\d{2}(:\d{2})?)?")


@dataclass(frozen=True, kw_only=True)
class TableShape:
    """What the proposal needs to know of a canonical table."""

    columns: tuple[str, ...]
    required: frozenset[str]
    days: frozenset[str]
    allowed: Mapping[str, tuple[str, ...]]
    numbers: frozenset[str] = frozenset()
    key: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Look:
    """What was seen of a file: how it is written, its header, and the first rows below it."""

    form: list[str]
    header: list[str]
    rows: list[list[Cell]]
    pattern: str
    member: bool = False

    def texts(self, source: str) -> list[str]:
        place = self.header.index(source)
        return [cell_text(row[place]) for row in self.rows if not isinstance(row[place], dt.date)]


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """The proposed entry for one file; ``missing``: required columns nothing was found for."""

    file: str
    table: str
    missing: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(kw_only=True)
class _Draft:
    entries: list[_Entry] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def propose_map(folder: Path, tables: Mapping[str, TableShape]) -> str:
    """A source map in YAML for the exports of a folder; files that fit no table are listed in comments.

    Parameters
    ----------
    folder : Path
        Of the exports.
    tables : mapping of table to TableShape
        What there is to know of each canonical table.

    Returns
    -------
    str
        YAML, with every doubt marked as one.

    Raises
    ------
    SourceError
        For a folder that is not there, or in which no file looks like a table.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from analysis.sources import TableShape, propose_map
    >>> folder = Path(tempfile.mkdtemp())
    >>> export = pd.DataFrame({"ticket_id": ["T1"], "ticket_type": ["repair"], "opened_at": ["2026-10-03 09:15"]})
    >>> export.to_csv(folder / "tickets.csv", index=False)
    >>> columns = ("ticket_id", "ticket_type", "opened_at")
    >>> shape = TableShape(columns=columns, required=frozenset(columns), days=frozenset(), allowed={})
    >>> "table: tickets" in propose_map(folder, {"tickets": shape})
    True
    """
    if not is_folder(folder, name=folder.name, refusal=SourceError):
        raise SourceError(f"{folder.name}: no such folder. Name the folder that holds the exports.")
    draft = _Draft()
    proposed: set[tuple[str, tuple[str, ...]]] = set()
    for path in sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in KINDS and not path.name.startswith((".", "_"))
    ):
        try:
            for look in _looks(path, folder):
                if (look.pattern, tuple(look.header)) not in proposed:
                    proposed.add((look.pattern, tuple(look.header)))
                    _propose(path.name, look, tables, draft)
        except SourceError as error:
            draft.remarks.append(f"# {path.name}: doubt: not looked at: {error}")
    shipped = [
        f"# The map '{name}' that ships reads these files as they are: analysis check FOLDER --map {name}"
        for name in _fitting(folder, tables)
    ]
    _demote(draft)
    if not draft.entries and not shipped:
        seen = next((remark for remark in draft.remarks if "columns are" in remark), "")
        raise SourceError(
            f"{folder.name}: no file in it looks like one of our tables{f' ({seen[2:]})' if seen else ''}. Write the map by hand; docs/SOURCES.md says how, params/sources has examples."
        )
    lines = [
        "# Proposed from headers and the first rows. Settle every line marked 'doubt', then save as params/sources/<name>.yml.",
        *shipped,
        *draft.remarks,
    ]
    if draft.entries:
        lines += [
            f"about: exports of {json.dumps(folder.name, ensure_ascii=False)}",
            "tables:",
            *(line for entry in draft.entries for line in entry.lines),
        ]
    return "\n".join(lines) + "\n"


def _demote(draft: _Draft) -> None:
    """A file that lacks what its table must have, beside one that has it, is another thing than that table; of two whole ones a person chooses."""
    kept: list[_Entry] = []
    for entry in draft.entries:
        others = [one for one in draft.entries if one.table == entry.table and one is not entry]
        whole = [one.file for one in others if not one.missing]
        if entry.missing and whole:
            draft.remarks.append(
                f"# {entry.file}: doubt: has columns of {entry.table} but no {', '.join(entry.missing)}; {whole[0]} looks like that table. This may be a log of events, or a file to look values up in"
            )
        elif whole:
            kept.append(
                replace(
                    entry,
                    lines=(
                        entry.lines[0],
                        f"    # doubt: {entry.file} and {whole[0]} are both proposed for {entry.table}; keep both only if their rows are different ones",
                        *entry.lines[1:],
                    ),
                )
            )
        else:
            kept.append(entry)
    draft.entries = kept


def _fitting(folder: Path, tables: Mapping[str, TableShape]) -> list[str]:
    """Shipped maps for which the folder has every file, each with every column that is read."""
    columns = {name: shape.columns for name, shape in tables.items()}
    fitting = []
    for path in params_files("sources"):
        try:
            if _fits(load_map(path.stem, columns), folder):
                fitting.append(path.stem)
        except AnalysisError:
            continue
    return fitting


def _fits(source_map: SourceMap, folder: Path) -> bool:
    for entry in source_map.tables:
        inputs = find_inputs(folder, entry.file, entry.member) if entry.file else []
        if not inputs and not (entry.file and entry.may_be_absent):
            return False
        if any(
            not find_inputs(folder, pattern, member)
            for pattern, member in entry.other_files
            if pattern not in {log.file for log in entry.events if log.may_be_absent}
        ):
            return False
        for given in inputs[:1]:
            with tempfile.TemporaryDirectory() as work, open_rows(entry, given, work=Path(work)) as rows:
                require_columns(
                    given.name, needed_columns(entry, rows.header), [*rows.header, *entry.counted]
                )
    return True


def _looks(path: Path, folder: Path) -> Iterable[_Look]:
    """One look a file, a sheet or a member of an archive."""
    inputs = find_inputs(folder, _escaped(path.name), "*")
    for given in inputs:
        sheets = sheet_names(path, path.name) if path.suffix.lower() in WORKBOOKS else ("",)
        for sheet in sheets:
            yield _look(given, sheet if len(sheets) > 1 else "")


def _escaped(name: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", name)


def _look(given: Input, sheet: str) -> _Look:
    form: list[str] = []
    kind = given.path.suffix.lower()
    if given.member:
        form.append(
            f"    member: {json.dumps(Path(given.member).name, ensure_ascii=False)}  # doubt: say which members are meant; *.csv means all of them"
        )
    elif kind not in (*WORKBOOKS, ".parquet", ".gz"):
        encoding = find_encoding(given.path, given.name)
        if encoding != "utf-8":
            form.append(f"    encoding: {encoding}  # doubt: it is not UTF-8; check that the names read well")
    if sheet:
        form.append(f"    sheet: {json.dumps(sheet, ensure_ascii=False)}")
    skip, separator = _first_line(given, sheet)
    if skip:
        form.append(f"    skip_lines: {skip}  # doubt: what stands above is taken for a title")
    if separator not in ("", ","):
        form.append(f"    separator: {json.dumps(separator)}")
    with tempfile.TemporaryDirectory() as work:
        with open_rows(
            FileForm(sheet=sheet, skip_lines=skip, separator=separator), given, work=Path(work)
        ) as rows:
            found = [row for row in itertools.islice(rows.rows, LOOKED_AT) if len(row) == len(rows.header)]
            return _Look(
                form=form,
                header=rows.header,
                rows=found,
                pattern=_pattern(given.path.name),
                member=bool(given.member),
            )


def _first_line(given: Input, sheet: str) -> tuple[int, str]:
    """(lines above the header, separator): the header is the first line with nearly as many cells as any of the first lines has."""
    if given.path.suffix.lower() == ".parquet":
        return 0, ""
    workbook = given.path.suffix.lower() in WORKBOOKS
    best: tuple[int, int, str] = (0, 0, "")
    for separator in ("",) if workbook else (",", ";", "\t", "|"):
        with tempfile.TemporaryDirectory() as work:
            form = FileForm(
                sheet=sheet, header=tuple(f"c{number}" for number in range(200)), separator=separator
            )
            try:
                with open_rows(form, given, work=Path(work)) as rows:
                    counts = [
                        sum(1 for cell in row if cell_text(cell))
                        for row in itertools.islice(rows.rows, MOST_TITLES)
                    ]
            except SourceError:
                continue
        if counts and max(counts) > best[0]:
            skip = next(number for number, count in enumerate(counts) if count >= 0.6 * max(counts))
            best = (max(counts), skip, separator)
    return best[1], best[2]


def _pattern(name: str) -> str:
    """The name with its dates and numbers left open, so that next month's file is read too."""
    stem, dot, rest = name.partition(".")
    opened = re.sub(r"\d{4}[-_]?\d{0,2}[-_]?\d{0,2}", "*", stem)
    return f"{opened}{dot}{rest}"


def _propose(name: str, look: _Look, tables: Mapping[str, TableShape], draft: _Draft) -> None:
    """Add the entry for one file to the draft, or why it has none."""
    if not look.header or not look.rows:
        draft.remarks.append(f"# {name}: doubt: empty")
        return
    stem = Path(name).stem
    table, columns = max(
        ((candidate, _matched(candidate, shape, look.header, stem)) for candidate, shape in tables.items()),
        key=lambda pair: (
            len(set(pair[1]) & tables[pair[0]].required),
            _plain(pair[0]).rstrip("s") in _plain(stem),
            len(pair[1]),
        ),
    )
    shape = tables[table]
    log = _event_log(name, look)
    if log:
        draft.remarks += log
    # A list of comments shares names with a table; with two required columns absent it is not one.
    if not set(columns) & shape.required or len(columns) < 2 or len(shape.required - set(columns)) > 1:
        if not log:
            draft.remarks.append(
                f"# {name}: doubt: fits no table; its columns are " + ", ".join(look.header[:8])
            )
        return
    lines = [f"  - table: {table}", f"    file: {json.dumps(look.pattern, ensure_ascii=False)}", *look.form]
    missing = tuple(sorted(shape.required - set(columns)))
    lines += [
        f"    # doubt: {column} is required and no column was found for it; give it under columns, constants, joined or lookups"
        for column in missing
    ]
    lines.append("    columns:")
    for column, (source, sure) in columns.items():
        remark = "" if sure else "  # doubt: by a similar name"
        lines.append(f"      {column}: {json.dumps(source, ensure_ascii=False)}{remark}")
    seen = {column: look.texts(source) for column, (source, _) in columns.items()}
    lines += [
        *_dates(shape, seen),
        *_zone(shape, seen),
        *_numbers(shape, seen),
        *_units(columns),
        *_words(shape, seen),
    ]
    if len(shape.key) == 1 and shape.key[0] in seen:
        rows = Counter(seen[shape.key[0]])
        if sum(rows.values()) > len(rows):
            lines.append(
                f"    # doubt: {shape.key[0]} stands several times ({sum(rows.values()):,} rows, {len(rows):,} values); a row should be one. Perhaps first_of: [{shape.key[0]}], or a log of events"
            )
    unread = [
        column
        for column in look.header
        if column and column not in {source for source, _ in columns.values()}
    ]
    if unread:
        lines.append(f"    # not read: {', '.join(unread[:20])}{' …' if len(unread) > 20 else ''}")
    draft.entries.append(_Entry(file=name, table=table, missing=missing, lines=tuple(lines)))


def _event_log(name: str, look: _Look) -> list[str]:
    """Lines to put under an entry of tickets where a file looks like a log: many rows a ticket, a moment, a new state."""
    known = {_plain(column): column for column in reversed(look.header)}
    ticket = next(
        (
            known[_plain(word)]
            for word in (
                "ticket_id",
                "ticket",
                "issue id",
                "issue key",
                "case id",
                "caseid",
                *SYNONYMS["ticket_id"],
            )
            if _plain(word) in known
        ),
        None,
    )
    moment = next(
        (
            known[_plain(word)]
            for word in (
                "changed_at",
                "created date",
                "createddate",
                "created at",
                "created",
                "updated",
                "at",
                "time",
                "时间",
            )
            if _plain(word) in known
        ),
        None,
    )
    state = next((known[_plain(word)] for word in STATES if _plain(word) in known), None)
    if ticket is None or moment is None or state is None:
        return []
    rows = Counter(look.texts(ticket))
    if len(rows) == sum(rows.values()):
        return []
    column = next(
        (known[_plain(word)] for word in ("field", "field name", "字段") if _plain(word) in known), None
    )
    only = f" only: {{{json.dumps(column, ensure_ascii=False)}: [status]}}," if column else ""
    words = sorted(set(look.texts(state)))[:8]
    return [
        f"# {name}: doubt: looks like a log of events ({sum(rows.values()):,} rows of {len(rows):,} tickets were looked at); an event is not a ticket. Under the entry for tickets:",
        f"#   events: [{{file: {json.dumps(look.pattern, ensure_ascii=False)}, ticket: {json.dumps(ticket, ensure_ascii=False)}, at: {json.dumps(moment, ensure_ascii=False)},{only} status: {json.dumps(state, ensure_ascii=False)},",
        "#     open: [], resolved: [], closed: [], gives: {resolved_at: resolved_at, closed_at: closed_at, reopened: reopened, reopened_at: reopened_at}}]",
        f"#   doubt: put each status word under open, resolved or closed; seen there: {json.dumps(words, ensure_ascii=False)}",
    ]


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
    unclear: list[str] = []
    for column in shape.days & set(seen):
        matches = [match for text in seen[column] if (match := _DAY.fullmatch(text))]
        form = _CHINESE_DAY.fullmatch(next((text for text in seen[column] if text), ""))
        if form:
            lines.append(f'      {column}: "%Y年%m月%d日{" %H:%M" if form[1] else ""}"')
            continue
        if not matches or len(matches[0][1]) == 4:
            continue
        mark, clock = matches[0][2], " %H:%M:%S" if matches[0][6] else " %H:%M" if matches[0][5] else ""
        day_first, month_first = (any(int(match[place]) > 12 for match in matches) for place in (1, 3))
        year = "%Y" if len(matches[0][4]) == 4 else "%y"
        order = ("%m", "%d") if month_first else ("%d", "%m")
        written = f"{order[0]}{mark}{order[1]}{mark}{year}{clock}"
        if day_first == month_first:
            other = f"{order[1]}{mark}{order[0]}{mark}{year}{clock}"
            unclear.append(
                f"    # doubt: day and month of {column} cannot be told apart ({matches[0][0]}); state under dates either {column}: {json.dumps(written)} or {column}: {json.dumps(other)}"
            )
        else:
            lines.append(f"      {column}: {json.dumps(written)}")
    return [*sorted(unclear), *(["    dates:", *sorted(lines)] if lines else [])]


def _words(shape: TableShape, seen: Mapping[str, Sequence[str]]) -> list[str]:
    """Words the contract does not know, each to be given one that it does; written so that they only have to be filled in."""
    lines = []
    for column in sorted(set(shape.allowed) & set(seen)):
        unknown = [
            word
            for word, _ in Counter(seen[column]).most_common()
            if word not in shape.allowed[column] and (word or column in shape.required)
        ]
        if not unknown:
            continue
        known = {word.lower(): word for word in shape.allowed[column]}
        pairs = ", ".join(
            f"{json.dumps(word, ensure_ascii=False)}: {known.get(word.lower(), '?')}"
            for word in unknown[:MOST_WORDS]
        )
        more = f" and {len(unknown) - MOST_WORDS} more" if len(unknown) > MOST_WORDS else ""
        lines.append(f"    #   {column}: {{{pairs}}}{more}  # each one of {', '.join(shape.allowed[column])}")
    return (
        [
            "    # doubt: words our tables do not know; put one of ours for each '?' and take the mark # away",
            "    # values:",
            *lines,
        ]
        if lines
        else []
    )


def _zone(shape: TableShape, seen: Mapping[str, Sequence[str]]) -> list[str]:
    """Columns with the time of day and no offset: nobody but a person knows where their clock hangs."""
    local = [
        column
        for column in sorted(shape.days & set(seen))
        if column.endswith("_at")
        and any(_CLOCK.search(text) and not _OFFSET.search(text) for text in seen[column])
    ]
    if not local:
        return []
    return [
        f"    # doubt: {', '.join(local)}: no time zone; read as UTC unless stated as",
        "    # local_times: {zone: Asia/Shanghai}",
    ]


def _numbers(shape: TableShape, seen: Mapping[str, Sequence[str]]) -> list[str]:
    """Numbers that are not written plainly."""
    marked = [
        column
        for column in sorted(shape.numbers & set(seen))
        if any(plain_number(text) != text for text in seen[column])
    ]
    lines = [f"    numbers: [{', '.join(marked)}]"] if marked else []
    for column in sorted(shape.numbers & set(seen)):
        commas = [text for text in seen[column] if re.fullmatch(r"-?[\d.]*,\d{1,2}", text)]
        if commas:
            lines.append(
                f"    # doubt: {column}: '{commas[0]}' may have a decimal comma; then state numbers: [{column}] and decimal_mark: \",\""
            )
    return lines


def _units(columns: Mapping[str, tuple[str, bool]]) -> list[str]:
    lines = []
    for column, (source, _) in columns.items():
        factor = next((factor for word, factor in UNITS.get(column, ()) if word in source.lower()), None)
        if factor is not None:
            lines.append(f"    factors: {{{column}: {factor}}}  # doubt: by the heading '{source}'")
    return lines[:1]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())
