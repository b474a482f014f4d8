"""One row of an export into one row of a canonical table, as an entry of the map says."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from analysis.errors import SourceError
from analysis.sources.amounts import (
    MONEY,
    DecimalMarks,
    currency_sign,
    difference,
    factor_of,
    is_too_fine,
    marked,
    off_by,
    plain_number,
    scaled,
    to_cents,
)
from analysis.sources.cells import Cell, Fault, cell_text
from analysis.sources.closing import ClosingVouchers
from analysis.sources.comparing import compares
from analysis.sources.durations import Unit, clock_hours, later
from analysis.sources.keys import Keys, joined_key
from analysis.sources.maps import ANY_OTHER, NEWEST_FIRST, EventLog, MapEntry, Sign, several
from analysis.sources.moments import ISO, MomentReader
from analysis.sources.reading import require_columns
from analysis.sources.words import is_one_of, is_total_word

Take = Callable[[list[Cell]], str]
#: Notes on money with more than two decimals: refused, or rounded as the map says.
TOO_FINE = "money with more than two decimals"
ROUNDED_TO_CENTS = {
    "half_even": "money rounded to cents, a half to the even one",
    "half_up": "money rounded to cents, a half away from zero",
}


@dataclass(frozen=True, kw_only=True)
class MapNote:
    """Something out of the ordinary in one canonical column (or in none), with how often and one example."""

    kind: str
    column: str
    count: int
    example: str

    def __str__(self) -> str:
        shown = f", e.g. '{self.example}'" if self.example else ""
        return f"{self.column + ': ' if self.column else ''}{self.kind}{f' ({self.count:,}{shown})' if self.count else ''}"


class RowMapper:
    """Reads the rows of one file under one entry.

    ``written`` gives the canonical values of a row, or None for a row the rules leave out. ``seen`` is shared by the files of an entry:
    what ``first_of``, ``last_of`` and ``numbered`` have met so far; ``repeated``: of each key of ``first_of`` or ``last_of`` which of its rows is
    meant; ``sums``: codes whose rows are the sums of others. Cells that are faults (#N/A, merged) are collected and refused at the end.
    """

    def __init__(
        self,
        entry: MapEntry,
        header: Sequence[str],
        file: str,
        *,
        lookups: Mapping[str, Keys],
        known: Mapping[str, Keys],
        business_zone: str,
        seen: Keys,
        repeated: Keys | None = None,
        closing: ClosingVouchers | None = None,
        sums: Container[str] = (),
        today: dt.date | None = None,
        at: Callable[[], str] = str,
    ) -> None:
        self._at = at
        self.off: dict[str, Decimal] = {}
        self._closing, self.today, self._repeated, self._sums = closing, today, repeated, sums
        self.entry, self.file, self.seen, self.business_zone = entry, file, seen, business_zone
        self._known = known
        self.absent = _absent(entry, header)
        require_columns(file, needed_columns(entry, header), header)
        self.index = {name: header.index(name) for name in header}
        self.moments: dict[str, MomentReader] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], str] = {}
        self.faults: list[Fault] = []
        self.fault_count = 0
        self.left_out = LeftOut()
        self._factors: dict[str, Fraction] = {
            column: factor_of(text) for column, text in entry.factors.items()
        }
        self._marks: dict[str, DecimalMarks] = {}
        self._merged = {column: words for column, words in entry.merged.items() if column in header}
        self._reads = {
            column: self._read(column) for column in entry.canonical if column not in entry.collapsed
        }
        self._takes = self._all_takes(lookups)
        self._constants = tuple(entry.constants.values())
        self.columns = tuple(
            column
            for column in entry.canonical
            if column not in entry.collapsed and column not in self.absent
        )
        self._within = {column: within for column, within in entry.numbered.items()}
        named = {
            name for name in (*entry.columns.values(), *(n for names in entry.joined.values() for n in names))
        }
        numeric = {entry.columns[column] for column in entry.numbers if column in entry.columns}
        #: Places that every row so far has filled: what a line of totals lacks.
        self._always = [
            place
            for name, place in self.index.items()
            if name in named
            and name not in numeric
            and name not in entry.less.values()
            and name not in entry.counted
        ]
        #: Whether the map makes a key of rows that have none: a number cannot tell a copy from another row.
        self._invented = bool(entry.numbered) or any(
            name in entry.counted
            for names in (entry.columns.values(), *entry.joined.values())
            for name in names
        )
        self._personal = frozenset(
            entry.columns[column]
            for column in ("customer_name", "text", "agent_id")
            if column in entry.columns
        )

    def written(self, row: list[Cell]) -> list[str] | None:
        entry = self.entry
        if self._is_total(row):
            self._count("", "lines of totals left out", self._shown(row))
            return None
        if entry.only or entry.without or entry.where:
            rule = refused_by(entry, row, self.index, entry.decimal_mark)
            if rule:
                self.left_out.add(rule, row[self.index[rule]])
                return None
        if entry.lowest and cell_text(row[self.index[entry.lowest]]) in self._sums:
            self._count("", "rows that are the sums of others left out", self._shown(row))
            return None
        for column, found in self._known.items():
            if cell_text(row[self.index[column]]) not in found:
                self.left_out.add(column, row[self.index[column]])
                return None
        if self._closing is not None and self._closing.takes(row, self.index):
            how = (
                "told by the profit account"
                if self._closing.told_by_accounts
                else "told by their wording alone"
            )
            self._count("", f"lines of closing vouchers left out, {how}", self._shown(row))
            return None
        if self._merged and any(
            is_one_of(cell_text(row[self.index[column]]), words) for column, words in self._merged.items()
        ):
            self._count("", "tickets merged into another left out", self._shown(row))
            return None
        if self._invented and self.seen.count(joined_key(("=", self._digest(row)))) > 1:
            self._count(
                "", "rows equal to another in all but the number the map gives them; kept", self._shown(row)
            )
        values = [take(row) for take in self._takes]
        values += self._constants
        if entry.first_of or entry.last_of or self._within:
            named = dict(zip(self.columns, values, strict=False))
            if (entry.first_of or entry.last_of) and not self._is_chosen(named, row):
                return None
            values += [self._number(column, within, named) for column, within in self._within.items()]
        return values

    def finish(self, kept: int) -> tuple[MapNote, ...]:
        """Notes on the whole file, of which so many rows were kept; raises SourceError for faults and for dates that may have been misread."""
        if self.faults:
            raise SourceError(
                f"{self.file}: {self.fault_count:,} cells that the map reads are no values, e.g. {self.faults[0].why}. Mend the workbook, or state what they are in the map."
            )
        for reader in self.moments.values():
            reader.refuse_exchanged(self.file)
        self._judge_marks()
        notes = [
            MapNote(kind="not in the file", column=column, count=0, example="") for column in self.absent
        ]
        notes += [] if kept else self.left_out.notes()
        for column, off in self.off.items():
            self.examples[column, ROUNDED_TO_CENTS[self.entry.rounded[column]]] += f"; Σ {off:+f}"
        for (column, kind), count in sorted(self.counts.items()):
            notes.append(MapNote(kind=kind, column=column, count=count, example=self.examples[column, kind]))
        for column, reader in sorted(self.moments.items()):
            notes += [
                MapNote(kind=kind, column=column, count=count, example=reader.examples[kind])
                for kind, count in sorted(reader.counts.items())
            ]
        return tuple(notes)

    def _judge_marks(self) -> None:
        """Two decimal marks in one column are said; where some of its values can be read either way, it is refused."""
        for column, marks in self._marks.items():
            if not marks.other:
                continue
            stated, other = ("comma", "point") if marks.stated == "," else ("point", "comma")
            if marks.unclear:
                raise SourceError(
                    f"{self.file}: {column}: {marks.other:,} values such as '{marks.other_example}' have a decimal {other}, where the map says {stated}, and "
                    f"{marks.unclear:,} such as '{marks.unclear_example}' can be read either way. State decimal_mark, or have the export write one mark."
                )
            self.counts[column, "values with another decimal mark than stated"] = marks.other
            self.examples[column, "values with another decimal mark than stated"] = marks.other_example

    # -- one column -----------------------------------------------------------------------------------------------

    def _all_takes(self, lookups: Mapping[str, Keys]) -> list[Take]:
        entry, index = self.entry, self.index
        takes = [
            self._to_cents(column, self._take(column, index[name]))
            for column, name in entry.columns.items()
            if column not in self.absent
        ]
        for column, names in entry.either.items():
            places = [index[name] for name in names if name in index]
            if column not in self.absent:
                takes.append(self._to_cents(column, self._take_either(column, places)))
        # A day in a key is written as the table writes it, so that the key outlives a change of the date format.
        read_as = {
            name: column
            for column, name in entry.columns.items()
            if column in entry.dates and column not in entry.less
        }
        for column, names in entry.joined.items():
            if column not in self.absent:
                takes.append(self._take_joined(column, [(index[name], read_as.get(name)) for name in names]))
        for column, lookup in entry.lookups.items():
            if column not in self.absent:
                places = [index[name] for name in several(lookup.by)]
                takes.append(self._to_cents(column, self._take_lookup(column, places, lookups[column])))
        for column, later_by in entry.after.items():
            if column not in self.absent:
                takes.append(
                    self._take_later(column, index[later_by.start], index[later_by.lasts], later_by.unit)
                )
        return takes

    def _take(self, column: str, place: int) -> Take:
        less = self.entry.less.get(column)
        if less is not None:
            other = self.index[less]
            return lambda row: difference(self._value(column, row[place]), self._value(column, row[other]))
        read = self._reads[column]
        sign = self.entry.signs.get(column)
        if sign is not None:
            said = self.index[sign.column]
            return lambda row: _signed(read(row[place]), cell_text(row[said]), sign)
        return lambda row: read(row[place])

    def _to_cents(self, column: str, take: Take) -> Take:
        """Money with more than two decimals as the map says, counted with what it makes in all; without a word of the map it stays, for the proof to refuse."""
        rounding = self.entry.rounded.get(column)
        if column not in MONEY:
            return take

        def money(row: list[Cell]) -> str:
            text = take(row)
            if not is_too_fine(text):
                return text
            if rounding is None:
                self._count(column, TOO_FINE, f"{text}, {self._at()}".rstrip(", "))
                return text
            cents = to_cents(text, rounding)
            self.off[column] = self.off.get(column, Decimal(0)) + off_by(text, cents)
            self._count(column, ROUNDED_TO_CENTS[rounding], f"{text} → {cents}")
            return cents

        return money

    def _take_either(self, column: str, places: list[int]) -> Take:
        def take(row: list[Cell]) -> str:
            return self._value(column, next((row[place] for place in places if cell_text(row[place])), ""))

        return take

    def _take_joined(self, column: str, parts: list[tuple[int, str | None]]) -> Take:
        def part(cell: Cell, read_as: str | None) -> str:
            return self._plain(cell, column) if read_as is None else self._value(read_as, cell)

        return lambda row: self._value(
            column, "-".join(part(row[place], read_as) for place, read_as in parts)
        )

    def _take_lookup(self, column: str, places: list[int], found: Keys) -> Take:
        def take(row: list[Cell]) -> str:
            key = joined_key(self._plain(row[place], column) for place in places)
            return self._value(column, found.get(key, ""))

        return take

    def _take_later(self, column: str, start: int, lasts: int, unit: Unit) -> Take:
        def take(row: list[Cell]) -> str:
            given, of = row[lasts], unit
            if isinstance(given, dt.timedelta | dt.time):  # a workbook's 12:30 is half a day
                text, of = cell_text(_hours(given)), "hours"
            else:
                text = plain_number(self._plain(given, column), self.entry.decimal_mark)
            return later(self._value(column, row[start]), text, of)

        return take

    def _value(self, column: str, cell: Cell) -> str:
        return self._reads[column](cell)

    def _read(self, column: str) -> Callable[[Cell], str]:
        """How a cell becomes the value of a canonical column; what the entry does not state for it costs nothing a row."""
        entry, plain = self.entry, self._plain
        words, factor, formats = entry.values.get(column), self._factors.get(column), self._formats(column)
        numeric, mark, clock = column in entry.numbers, entry.decimal_mark, column in entry.clocks
        marks = self._marks.setdefault(column, DecimalMarks(mark))
        moments = self._reader(column) if formats else None

        def value(cell: Cell) -> str:
            if type(cell) is str:
                text = cell_text(cell)
            elif isinstance(cell, dt.date):
                return self._reader(column).cell(cell)
            elif clock and isinstance(cell, dt.time):
                text = cell_text(_hours(cell))
            else:
                text = plain(cell, column)
            if words is not None:
                text = self._word(column, words, text)
            if clock:
                text = clock_hours(text)
            sign = ""
            if numeric:
                given, text = text, plain_number(text, mark)
                if "," in given or "." in given:
                    marks.meet(given)
                if text != given:
                    sign = currency_sign(given)
            if factor is not None:
                text = scaled(text, factor)
            if sign:
                return marked(text, sign)
            return text if moments is None else moments.text(text)

        return value

    def _plain(self, cell: Cell, column: str) -> str:
        if isinstance(cell, Fault):
            if cell.startswith("#") and self.entry.error_cells == "empty":
                self._count(column, "error cells taken as empty", cell.why)
                return ""
            self.fault_count += 1
            if not self.faults:
                self.faults.append(cell)
            return ""
        if isinstance(cell, dt.datetime):
            return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
        return cell_text(cell)

    def _word(self, column: str, words: Mapping[str, str], text: str) -> str:
        if text in words:
            return words[text]
        if ANY_OTHER in words and text:
            self._count(column, f"words not listed, taken as '{words[ANY_OTHER]}'", text)
            return words[ANY_OTHER]
        return text

    def _formats(self, column: str) -> str:
        """Stated formats; where the entry's moments are local times, a moment without a stated format is written as ISO."""
        default = ISO if self.entry.local_times and column.endswith("_at") else ""
        return self.entry.dates.get(column, default)

    def _reader(self, column: str) -> MomentReader:
        reader = self.moments.get(column)
        if reader is None:
            reader = MomentReader(
                column,
                self._formats(column),
                local=self.entry.local_times,
                business_zone=self.business_zone,
                today=self.today,
            )
            self.moments[column] = reader
        return reader

    def _count(self, column: str, kind: str, example: str) -> None:
        self.counts[column, kind] += 1
        self.examples.setdefault((column, kind), example[:60])

    def _shown(self, row: list[Cell]) -> str:
        """A row as an example: the cells that the map reads, without those of people."""
        cells = (cell_text(row[place]) for name, place in self.index.items() if name not in self._personal)
        return " ".join(text for text in cells if text)

    # -- one row among others --------------------------------------------------------------------------------------

    def _is_total(self, row: list[Cell]) -> bool:
        """A line that says "total" and lacks what every row above it has."""
        lacking = [place for place in self._always if row[place] is None or row[place] == ""]
        if not lacking:
            return False
        if any(isinstance(cell, str) and is_total_word(cell) for cell in row):
            return True
        self._always = [place for place in self._always if place not in lacking]
        return False

    def _digest(self, row: list[Cell]) -> str:
        text = joined_key(
            cell_text(row[place]) for name, place in self.index.items() if name not in self.entry.counted
        )
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

    def _is_chosen(self, named: Mapping[str, str], row: list[Cell]) -> bool:
        """Whether this is the first or last row of its key; every row while they are still being looked through (``repeated`` is not known yet)."""
        entry = self.entry
        parts = [named[column] for column in (entry.first_of or entry.last_of)]
        if not any(parts):
            return False
        key = joined_key(("last" if entry.last_of else "", *parts))
        last = bool(entry.last_of) != (entry.order == NEWEST_FIRST)
        if entry.order in ("", NEWEST_FIRST):
            met = self.seen.count(key)
            return (
                met == 1 if not last else self._repeated is None or met == int(self._repeated.get(key, "0"))
            )
        place = self._place(row)
        if self._repeated is None:
            self.seen.keep(key, place, largest=last)
            return True
        return place == self._repeated.get(key) and self.seen.count(key) == 1

    def _place(self, row: list[Cell]) -> str:
        """Where a row stands by the column that puts rows in order, read as the map reads it."""
        column, cell = self.entry.order, row[self.index[self.entry.order]]
        read_as = next((ours for ours, name in self.entry.columns.items() if name == column), None)
        text = self._plain(cell, column) if read_as is None else self._value(read_as, cell)
        return in_order(text, column, self.file)

    def _number(self, column: str, within: tuple[str, ...], row: Mapping[str, str]) -> str:
        return str(self.seen.count(joined_key((column, *(row[name] for name in within)))))


def _hours(cell: dt.timedelta | dt.time) -> dt.timedelta:
    """The time that a workbook shows as 12:30."""
    if isinstance(cell, dt.timedelta):
        return cell
    return dt.timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second)


def _signed(amount: str, word: str, sign: Sign) -> str:
    """The amount with the sign that the word beside it means; beside an unknown word it is no number any more, and the proof says so."""
    if not amount or word in sign.plus:
        return amount
    if word in sign.minus:
        return difference("0", amount)
    return amount if ANY_OTHER in sign.plus else f"{amount} ({sign.column} '{word}')"


class LeftOut:
    """Which column's rule left rows out; told where none was kept, for then the rule rather than the rows is in doubt."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def add(self, column: str, cell: Cell) -> None:
        if column not in self.counts:
            self.examples[column] = cell_text(cell)[:60]
        self.counts[column] += 1

    def notes(self) -> list[MapNote]:
        return [
            MapNote(
                kind="no row fits the map's rule (only, without or found_in)",
                column=column,
                count=count,
                example=self.examples[column] or "(empty)",
            )
            for column, count in self.counts.items()
        ]


def refused_by(
    rules: MapEntry | EventLog, row: list[Cell], index: Mapping[str, int], decimal_mark: Literal[".", ","]
) -> str:
    """The column whose rule leaves the row out; blank where the rules keep it."""
    for column, allowed in rules.only.items():
        if not is_one_of(cell_text(row[index[column]]), allowed):
            return column
    for column, refused in rules.without.items():
        if is_one_of(cell_text(row[index[column]]), refused):
            return column
    for column, comparison in rules.where.items():
        if not compares(row[index[column]], comparison, column, decimal_mark):
            return column
    return ""


def in_order(text: str, column: str, file: str) -> str:
    """A number or a moment as a text that sorts as it does; raises SourceError for any other text."""
    if text.isascii() and text.isdigit():
        return text.zfill(20)
    try:
        return dt.datetime.fromisoformat(text).isoformat(sep=" ")
    except ValueError as error:
        raise SourceError(
            f"{file}: {column} '{text[:60]}' puts the rows in order (order), and is neither a whole number nor a moment written year first. State another column."
        ) from error


def _sources(entry: MapEntry, column: str) -> tuple[str, ...]:
    """Source columns without which a canonical column cannot be given."""
    if column in entry.columns:
        beside = (
            [entry.less[column]]
            if column in entry.less
            else [entry.signs[column].column]
            if column in entry.signs
            else []
        )
        return (entry.columns[column], *beside)
    if column in entry.joined:
        return entry.joined[column]
    if column in entry.after:
        return (entry.after[column].start, entry.after[column].lasts)
    return several(entry.lookups[column].by) if column in entry.lookups else ()


def _absent(entry: MapEntry, header: Sequence[str]) -> tuple[str, ...]:
    """Optional columns whose sources are not there; of alternatives one is enough."""
    absent = [column for column in entry.optional if not set(_sources(entry, column)) <= set(header)]
    absent += [
        column
        for column, names in entry.either.items()
        if column in entry.optional and not set(names) & set(header)
    ]
    return tuple(dict.fromkeys(absent))


def needed_columns(entry: MapEntry, header: Sequence[str]) -> list[str]:
    """Source columns without which a file with this header cannot be read under the entry."""
    absent = _absent(entry, header)
    canonical = [
        column
        for column in (*entry.columns, *entry.joined, *entry.lookups, *entry.after)
        if column not in absent
    ]
    needed = [name for column in canonical for name in _sources(entry, column)]
    for column, names in entry.either.items():
        if column not in absent and not set(names) & set(header):
            needed += names[:1]
    rules = [*entry.only, *entry.without, *entry.where, *entry.found_in]
    rules += [column for column in (entry.lowest, entry.order) if column and column != NEWEST_FIRST]
    return [*needed, *rules]
