"""JSON that holds a table: one object a line, or one array of objects. Nested objects become columns with dots (``fields.status.name``).

Read twice, in bounded memory: first for the union of the keys, in the order in which they are met, then for the rows. Numbers keep their digits as
they are written; lists stay JSON. Objects are counted a third time by a simpler rule, as bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from analysis.errors import SourceError
from analysis.sources.cells import Cell

JSON = (".json", ".jsonl", ".ndjson")
PIECE = 1 << 20
LONGEST_OBJECT = 16_000_000
#: More columns than a table has show that keys are data (an object per identifier).
MOST_COLUMNS = 2_000
#: A number with an exponent beyond a double's would be written out with as many zeros.
MOST_EXPONENT = 400
_BLANK = " \t\r\n"
_HALF_SIGN = re.compile("[\ud800-\udfff]")
_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\]]', re.DOTALL)


class _Refused(ValueError):
    """What is wrong with a line, in words that follow its number."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


def json_rows(path: Path, name: str, encoding: str) -> tuple[list[str], Iterator[list[Cell]]]:
    """The header and the rows of a file of objects.

    Raises SourceError for a line or an object that is not whole, a key that stands twice, what is no object, a file without any, and where
    the objects are not as many as their marks in the file.
    """
    header: dict[str, None] = {}
    for row in _objects(path, name, encoding):
        header.update(dict.fromkeys(row))
        if len(header) > MOST_COLUMNS:
            raise SourceError(
                f"{name}: more than {MOST_COLUMNS:,} different keys ({', '.join(list(header)[-3:])}); keys seem to be data. Export a list of objects with the same keys."
            )
    if not header:
        raise SourceError(f"{name}: no object with a key in it. Export it again.")
    return list(header), _rows(path, name, encoding, tuple(header))


def _rows(path: Path, name: str, encoding: str, header: tuple[str, ...]) -> Iterator[list[Cell]]:
    count = 0
    for row in _objects(path, name, encoding):
        count += 1
        yield [row.get(column) for column in header]
    there = _marked_objects(path, encoding)
    if there not in (None, count):
        raise SourceError(
            f"{name}: {there:,} objects are in the file, {count:,} were read. Nothing was used. Export the list again."
        )


def _objects(path: Path, name: str, encoding: str) -> Iterator[dict[str, Cell]]:
    """The objects, flat: those of the array that the file begins with, or one on each line that is not blank."""
    line = 1
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding) as file:
        try:
            for number, value in _Array(file) if _is_array(file) else _in_lines(file):
                line = number
                yield _flat(value)
        except _Refused as error:
            raise SourceError(f"{name}: line {error.line or line:,} {error}. Export it again.") from None
        except UnicodeDecodeError as error:
            raise SourceError(
                f"{name}: not in {encoding} throughout ({error.reason}, after line {line:,}). Export it as UTF-8."
            ) from None
        except RecursionError:
            raise SourceError(
                f"{name}: an object after line {line:,} is nested too deep for a table."
            ) from None


def _is_array(file: TextIO) -> bool:
    """Whether the first sign is a bracket; the file stands at its beginning afterwards."""
    while (sign := file.read(1)) and sign in _BLANK:
        pass
    file.seek(0)
    return sign == "["


def _in_lines(file: TextIO) -> Iterator[tuple[int, Any]]:
    """(number of the line, value)."""
    number = 0
    while text := file.readline(LONGEST_OBJECT):
        number += 1
        if text.strip(_BLANK):
            try:
                yield number, _DECODER.decode(text.strip(_BLANK))
            except json.JSONDecodeError:
                shown = " ".join(text[:60].split())
                raise _Refused(
                    f"is no whole JSON object ('{shown}'); the file was cut or damaged, or is neither a list of objects nor one object a line",
                    number,
                ) from None
            except _Refused as error:
                raise _Refused(str(error), number) from None


class _Array:
    """(line on which it begins, value) of what stands in an array, as pieces of the file come in."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.text, self.at, self.line = file, "", 0, 1

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        self._next()
        self._pass(self.at + 1)
        if self._next() != "]":
            yield self._value()
            while self._next() == ",":
                self._pass(self.at + 1)
                self._next()
                yield self._value()
        if self._next() != "]":
            raise _Refused(
                "has no comma and no end of the array behind an object; the file was cut or damaged",
                self.line,
            )
        self._pass(self.at + 1)
        if self._next():
            raise _Refused("goes on behind the end of the array", self.line)

    def _next(self) -> str:
        """The next sign that is not blank; empty at the end of the file."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in _BLANK:
                self._pass(self.at + 1)
            if self.at < len(self.text):
                return self.text[self.at]
            if not self._more():
                return ""

    def _value(self) -> tuple[int, Any]:
        began = self.line
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except json.JSONDecodeError:
                if len(self.text) - self.at > LONGEST_OBJECT or not self._more():
                    shown = " ".join(self.text[self.at : self.at + 60].split())
                    raise _Refused(
                        f"begins no whole JSON object ('{shown}'); the file was cut or damaged", began
                    ) from None
            except _Refused as error:
                raise _Refused(str(error), began) from None
            else:
                self._pass(end)
                return began, value

    def _more(self) -> bool:
        piece = self.file.read(PIECE)
        self.text, self.at = self.text[self.at :] + piece, 0
        return bool(piece)

    def _pass(self, end: int) -> None:
        self.line += self.text.count("\n", self.at, end)
        self.at = end


# ---------------------------------------------------------------- one value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Refused(f"has the key '{twice}' twice")
    return found


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > MOST_EXPONENT:
        raise _Refused(f"holds the number {text[:30]}, which no system counts with")
    return number


def _no_number(text: str) -> None:
    raise _Refused(f"holds {text}, which is no value")


def _whole(text: str) -> int:
    if len(text) > MOST_EXPONENT:
        raise _Refused(f"holds a number of {len(text):,} digits")
    return int(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_number, parse_int=_whole, parse_constant=_no_number
)


# ---------------------------------------------------------------- an answer that holds a list

_MEMBER = re.compile(r'[\s,]*("(?:[^"\\]|\\.)*")\s*:\s*')
_ITEM = re.compile(r"[\s,]*(?=[^\s,\]])")
_LINE_BREAKS = str.maketrans("\r\n", "  ")


def decoded(text: str) -> Any:
    """The value of a text, by the same rules as rows; raises ValueError with what is wrong, in words that follow its place."""
    try:
        return _DECODER.decode(text.strip(_BLANK))
    except json.JSONDecodeError:
        shown = " ".join(text[:60].split())
        raise ValueError(f"is no whole JSON ('{shown}'); it was cut or damaged") from None
    except RecursionError:
        raise ValueError("is nested too deep for a table") from None


def value_at(value: Any, place: str) -> Any:
    """What stands at a place named with dots (``meta.next``), of keys that may have dots themselves; None where there is nothing."""
    if not place:
        return value
    if not isinstance(value, dict):
        return None
    if place in value:
        return value[place]
    deeper = (
        value_at(inner, place[len(key) + 1 :]) for key, inner in value.items() if place.startswith(f"{key}.")
    )
    return next((found for found in deeper if found is not None), None)


def items_at(text: str, place: str) -> list[str] | None:
    """What stands in the array at a place of a text that is JSON, each as it is written, on one line; None where there is no array."""
    at = _start_of(text, len(text) - len(text.lstrip(_BLANK)), place)
    if at is None or text[at] != "[":
        return None
    found, at = [], at + 1
    while item := _ITEM.match(text, at):
        _, at = _DECODER.raw_decode(text, item.end())
        found.append(text[item.end() : at].translate(_LINE_BREAKS))
    return found


def _start_of(text: str, at: int, place: str) -> int | None:
    if not place:
        return at
    if text[at] != "{":
        return None
    members = list(_members(text, at + 1))
    for key, start in members:
        if key == place:
            return start
    deeper = (
        _start_of(text, start, place[len(key) + 1 :]) for key, start in members if place.startswith(f"{key}.")
    )
    return next((found for found in deeper if found is not None), None)


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """(key, where its value begins) of an object."""
    while member := _MEMBER.match(text, at):
        yield json.loads(member[1]), member.end()
        _, at = _DECODER.raw_decode(text, member.end())


# ---------------------------------------------------------------- one row


def _flat(value: Any) -> dict[str, Cell]:
    if not isinstance(value, dict):
        raise _Refused("is JSON, but no object with keys; a row of a table should be one")
    row: dict[str, Cell] = {}
    _lay_flat(value, "", row)
    return row


def _lay_flat(value: dict[str, Any], before: str, row: dict[str, Cell]) -> None:
    for key, cell in value.items():
        name = before + key
        if isinstance(cell, dict):
            _lay_flat(cell, f"{name}.", row)
            continue
        if name in row:
            raise _Refused(f"has the key '{name}' twice, once by a name with a dot")
        row[name] = json.dumps(cell, ensure_ascii=False, default=float) if isinstance(cell, list) else cell
        if _HALF_SIGN.search(name) or isinstance(row[name], str) and _HALF_SIGN.search(row[name]):
            raise _Refused(f"holds half a sign (\\ud800 to \\udfff alone) under '{ascii(name)[1:-1]}'")


# ---------------------------------------------------------------- counted by another rule


def _marked_objects(path: Path, encoding: str) -> int | None:
    """Objects of a file by their marks alone: lines that are not blank, or brackets that open at the first level outside quotes.

    None for an array in an encoding in which a bracket's byte may be half a sign, and for UTF-16.
    """
    if encoding == "utf-16":
        return None
    with path.open(encoding="latin-1") as file:
        if file.read(3) != "\u00ef\u00bb\u00bf":
            file.seek(0)
        start = file.tell()
        while (sign := file.read(1)) and sign in _BLANK:
            pass
        file.seek(start)
        if sign != "[":
            return sum(1 for line in file if line.strip(_BLANK))
        return _brackets(file) if encoding == "utf-8" else None


def _brackets(file: TextIO) -> int:
    count = depth = 0
    rest = ""
    while piece := file.read(PIECE):
        text, rest = rest + piece, ""
        for mark in _MARK.finditer(text):
            sign = mark[0]
            if sign == '"':  # a text that goes on in the next piece
                rest = text[mark.start() :]
                break
            if sign in "[{":
                count += depth == 1 and sign == "{"
                depth += 1
            elif sign in "]}":
                depth -= 1
    return count
