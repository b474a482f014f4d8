"""Column widths of a printed table: measured, so that no column is ever clipped.

The widths come from the fonts that ship with the project. A number is never broken over two lines; words wrap between
words. A table that does not fit is set smaller in steps, then with its words and headings on more lines, then on a
landscape page, then cut into panels that each repeat its first column, and refused when even one column is too wide.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from analysis.fonts.coverage import unprintable
from analysis.report.gates import GateRefused

# A4 in points; the text is as wide as the house style draws its charts (6.3 inches).
PAPER = (595.28, 841.89)
TEXT_WIDTH = 453.6
LANDSCAPE_WIDTH = PAPER[1] - (PAPER[0] - TEXT_WIDTH)
PORTRAIT_SIZES = (8.5, 8.0, 7.5, 7.0)
LANDSCAPE_SIZES = (8.0, 7.5, 7.0, 6.5, 6.0)

GUTTER = 1.0  # between two columns, in em
TEXT_COLUMN = 11.0  # em that a column of words gets before the table is set smaller
WIDE_COLUMN = 17.0
SNUG_COLUMN = 7.0  # the same before the page is turned for a few rows
SHORT_HEAD = 4.0  # em of a heading that stay on one line: Chinese could be broken after every character
LONGEST_WORD = 16.0  # em after which a word (a path, a hash) may be broken
SLACK = 0.75  # points that absorb rounding in the typesetter
NUMBER_COLUMN = 58.0  # points to which a narrow column of figures may be spread


class Typeface:
    """Advance widths and coverage of the shipped fonts."""

    def __init__(self) -> None:
        from fontTools.ttLib import TTFont

        from analysis.exhibits.style import font_paths
        from analysis.fonts.coverage import fallback_paths

        self._advances: list[Mapping[int, int]] = []
        for own, fallback in zip(font_paths(), fallback_paths(), strict=True):
            advances: dict[int, int] = {}
            for path in (fallback, own):
                with TTFont(str(path), lazy=True) as font:
                    metrics = font["hmtx"].metrics
                    self._per_em: int = font["head"].unitsPerEm
                    advances |= {code: metrics[glyph][0] for code, glyph in font.getBestCmap().items()}
            self._advances.append(advances)

    def missing(self, text: str) -> list[str]:
        """Characters that no shipped font can print, in order of appearance; the pack prints a substitute for them."""
        return unprintable(text)

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Points that ``text`` takes on one line, with the quarter em that is set between Chinese and Latin."""
        advances = self._advances[1 if bold else 0]
        total = sum(advances.get(ord(char), self._per_em) for char in text) / self._per_em
        seams = sum(
            _is_han(a) != _is_han(b) and (a.isalnum() and b.isalnum())
            for a, b in zip(text, text[1:], strict=False)
        )
        return (total + seams / 4) * size


@cache
def typeface() -> Typeface:
    """The shipped fonts, read once a process."""
    return Typeface()


def _is_han(char: str) -> bool:
    return char >= "\u2e80" and unicodedata.east_asian_width(char) in "WF"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Type size, whether the page is turned, and the width of each column without its gutter, in points.

    ``columns`` are the positions of the columns shown: all of them, or those of one panel.
    """

    columns: tuple[int, ...]
    size: float
    landscape: bool
    widths: tuple[float, ...]


Ask = Literal["floor", "snug", "comfort"]


@dataclass(frozen=True, kw_only=True)
class _Demand:
    """What one column asks for at one size: not less than ``floor``, no more than ``natural``, best from ``comfort``, well from ``snug``."""

    floor: float
    snug: float
    comfort: float
    natural: float
    number: bool


def panels(
    name: str, columns: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]
) -> tuple[Layout, ...]:
    """The whole table as one layout where it fits, else as few panels as needed.

    ``columns`` have label, unit, type and wide; ``rows`` have role and cells with text.
    """
    measured = _Measured(columns, rows)
    for count in range(1, max(len(columns), 2)):
        made = _same_size(measured, _cut(len(columns), count))
        if made:
            return made
    raise GateRefused(
        f"table {name}: a column is wider than a landscape page ({LANDSCAPE_WIDTH:.0f} points) even at "
        f"{LANDSCAPE_SIZES[-1]} points; shorten its numbers or its label.",
        "layout",
    )


def _cut(total: int, count: int) -> list[tuple[int, ...]]:
    """Positions of the columns in each of ``count`` panels; the first column stands in all of them."""
    if count == 1:
        return [tuple(range(total))]
    edges = [1 + (total - 1) * part // count for part in range(count + 1)]
    return [(0, *range(first, last)) for first, last in zip(edges, edges[1:], strict=False)]


def _same_size(measured: _Measured, cuts: Sequence[tuple[int, ...]]) -> tuple[Layout, ...]:
    """All panels at the size and on the page of the one that fits worst; none when one of them fits nowhere."""
    alone = [made for shown in cuts if (made := _layout(measured, shown))]
    if len(alone) < len(cuts):
        return ()
    worst = min(alone, key=lambda made: (not made.landscape, made.size))
    again = (_layout(measured, shown, only=(worst.size, worst.landscape)) for shown in cuts)
    return tuple(made for made in again if made)


def _layout(
    measured: _Measured, shown: tuple[int, ...], *, only: tuple[float, bool] | None = None
) -> Layout | None:
    """The largest type at which these columns fit; columns of words are squeezed only when nothing else helps."""
    tries: list[tuple[Ask, float, bool]] = [
        *(("comfort", size, False) for size in PORTRAIT_SIZES),
        *(("snug", size, False) for size in PORTRAIT_SIZES),
        *(("comfort", size, True) for size in LANDSCAPE_SIZES),
        *(("floor", size, True) for size in LANDSCAPE_SIZES),
    ]
    if only:
        tries = [(ask, *only) for ask in ("comfort", "snug", "floor")]
    for ask, size, landscape in tries:
        available = (LANDSCAPE_WIDTH if landscape else TEXT_WIDTH) - GUTTER * size * (len(shown) - 1)
        demands = [measured.demand(index, size) for index in shown]
        if sum(getattr(demand, ask) for demand in demands) <= available:
            return Layout(
                columns=shown, size=size, landscape=landscape, widths=_spread(demands, available, ask)
            )
    return None


class _Measured:
    """Widths in em of everything in a table, so that trying another size is a multiplication."""

    def __init__(self, columns: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> None:
        self._columns = columns
        spanned = [row for row in rows if not (row["role"] == "group" and _stands_alone(row))]
        self._cells = [
            [
                (cell["text"], row["role"] != "body")
                for row in spanned
                if (cell := row["cells"][index])["text"]
            ]
            for index in range(len(columns))
        ]
        self._em = [self._in_em(index) for index in range(len(columns))]

    def _in_em(self, index: int) -> tuple[float, float, float, float]:
        column, font = self._columns[index], typeface()
        natural = max((font.width(text, 1, bold=bold) for text, bold in self._cells[index]), default=0.0)
        if column["type"] == "number":
            floor = snug = comfort = natural
        else:
            words = ((word, bold) for text, bold in self._cells[index] for word in words_of(text))
            floor = max((font.width(word, 1, bold=bold) for word, bold in words), default=0.0)
            comfort = max(floor, min(natural, WIDE_COLUMN if column["wide"] else TEXT_COLUMN))
            snug = max(floor, min(natural, SNUG_COLUMN))
        heads = [(column["label"], True), (column["unit"], False)]
        word = max(
            (font.width(piece, 1, bold=bold) for text, bold in heads for piece in head_pieces(text)),
            default=0.0,
        )
        line = max(font.width(text, 1, bold=bold) for text, bold in heads)
        head = max(word, min(line, SHORT_HEAD))
        return (max(floor, word), max(snug, head, line / 3), max(comfort, head, line / 2), max(natural, line))

    def demand(self, index: int, size: float) -> _Demand:
        floor, snug, comfort, natural = (em * size + SLACK for em in self._em[index])
        number = self._columns[index]["type"] == "number"
        return _Demand(floor=floor, snug=snug, comfort=comfort, natural=natural, number=number)


def _spread(demands: Sequence[_Demand], available: float, ask: Ask) -> tuple[float, ...]:
    """Widths that fill the page: first towards what each column would like, the rest to the columns of words."""
    widths = [float(getattr(demand, ask)) for demand in demands]
    widths = _grown(widths, [demand.natural for demand in demands], available)
    widths = _grown(
        widths,
        [max(demand.natural, NUMBER_COLUMN) if demand.number else 0.0 for demand in demands],
        available,
    )
    words = [index for index, demand in enumerate(demands) if not demand.number] or list(range(len(demands)))
    rest, base = available - sum(widths), sum(widths[index] for index in words)
    return tuple(
        width + rest * width / base if index in words else width for index, width in enumerate(widths)
    )


def _grown(widths: Sequence[float], goals: Sequence[float], available: float) -> list[float]:
    """Each width moves the same fraction of the way to its goal, as far as the room allows."""
    wishes = [max(goal - width, 0.0) for width, goal in zip(widths, goals, strict=True)]
    fraction = min(1.0, max(available - sum(widths), 0.0) / (sum(wishes) or 1.0))
    return [width + fraction * wish for width, wish in zip(widths, wishes, strict=True)]


def _stands_alone(row: Mapping[str, Any]) -> bool:
    return all(not cell["text"] for cell in row["cells"][1:])


_OPENING = r"[\uff08\u201c\u300a\u3010]"
_HAN = rf"{_OPENING}*(?!{_OPENING})[\u2e80-\uffef][\uff0c\u3002\u3001\uff1b\uff1a\uff09\u201d]*"
_OTHER = rf"{_OPENING}*[^\s\u200b\u2e80-\uffef]+|{_OPENING}+"
_RUNS = re.compile(rf"{_HAN}(?:(?!{_OPENING}){_HAN})*|{_OTHER}|\s+")
_COUNT = re.compile(r"\d+\s+")


def words_of(text: str) -> Iterator[str]:
    """Pieces that the typesetter will not break: words between blanks, single Chinese characters with what clings to them."""
    return (match[0] for match in re.finditer(rf"{_HAN}|{_OTHER}", text))


def head_pieces(text: str) -> list[str]:
    """A heading in the pieces that stay whole: words, and Chinese by twos, the last by twos or threes, so that no line holds a single character.

    A single character clings to the word before it, a number to what it counts (``12 个月``). A blank is a piece of its own.
    """
    pieces: list[str] = []
    for run in _RUNS.findall(text):
        characters = re.findall(_HAN, run)
        if len(characters) == 1 and pieces and not re.match(_OPENING, run):
            word = len(pieces) - (2 if pieces[-1].isspace() and len(pieces) > 1 else 1)
            pieces[word:] = ["".join([*pieces[word:], run])]
        elif len(characters) > 1:
            starts = range(0, len(characters) - 1, 2)
            ends = [*starts[1:], len(characters)]
            pairs = ["".join(characters[a:b]) for a, b in zip(starts, ends, strict=True)]
            if _COUNT.fullmatch("".join(pieces[-2:])):
                pairs[0] = "".join([*pieces[-2:], pairs[0]])
                del pieces[-2:]
            pieces += pairs
        else:
            pieces.append(run)
    return pieces


def breakable(text: str) -> str:
    """The text with break opportunities inside words that no column could hold, such as paths and hashes; Chinese has its own."""
    font = typeface()
    return "".join(
        _opened(piece) if font.width(piece, 1) > LONGEST_WORD else piece
        for piece in re.split(r"([\s\u2e80-\uffef]+)", text)
        if piece
    )


def _opened(word: str) -> str:
    opened = re.sub(r"([_\-./\\:,;=&?])(?=\w)", "\\1\u200b", word)
    return "\u200b".join(part for piece in opened.split("\u200b") for part in _chunks(piece, 16))


def _chunks(text: str, length: int) -> Iterable[str]:
    return (text[start : start + length] for start in range(0, len(text), length))
