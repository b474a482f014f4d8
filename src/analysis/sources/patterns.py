"""A part of a text, told by what stands around it: ``Reporting periods * - {}`` names the month in a report's title; so does ``%B %Y``, a date's format."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from analysis.errors import ParameterError
from analysis.sources.moments import reader_of

#: How the part that is meant is marked, and what it may be: any text, or what begins with a digit and has no blank (an account's number).
PARTS: Mapping[str, str] = {"{}": "(.+?)", "{#}": r"(\d\S*?)"}


def part_of(text: str, patterns: Sequence[str]) -> str | None:
    """What stands where the first fitting pattern has ``{}``, or ``{#}`` (``*`` is any text), or the whole text that a date's format fits; None where none does.

    Blanks and line breaks count as one blank, full-width signs as half-width ones.
    """
    plain = _plain(text)
    for pattern in patterns:
        if not _marks(pattern):
            if reader_of(_plain(pattern), months=True)(plain) is not None:
                return plain
        elif found := _expression(pattern).fullmatch(plain):
            return str(found[1]).strip()
    return None


def parts_in(texts: Iterable[str], patterns: Sequence[str]) -> tuple[str, ...]:
    """The different parts that the first pattern finds which finds any in these texts."""
    given = list(texts)
    for pattern in patterns:
        found = [part for text in given if (part := part_of(text, (pattern,)))]
        if found:
            return tuple(dict.fromkeys(found))
    return ()


def refuse_pattern(pattern: str, place: str) -> None:
    """Raise ParameterError for a pattern that does not say once which part is meant."""
    if _marks(pattern) > 1 or not (_marks(pattern) or "%" in pattern):
        raise ParameterError(
            f"{place}: pattern '{pattern}' should hold {{}} (or {{#}} for a number) once, where the part stands that is meant, and * for any other text; or be a date's format."
        )


def _marks(pattern: str) -> int:
    return sum(pattern.count(mark) for mark in PARTS)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    mark = next(mark for mark in PARTS if mark in pattern)
    before, _, after = _plain(pattern).partition(mark)
    return re.compile(f"{_written(before)}{PARTS[mark]}{_written(after)}", re.DOTALL)


def _written(text: str) -> str:
    return ".*".join(map(re.escape, text.split("*")))
