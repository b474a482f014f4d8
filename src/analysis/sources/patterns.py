"""A part of a text, told by what stands around it: ``As at {%d %B %Y}`` names the day in a report's title, ``{#} *`` the number before an account's name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from analysis.errors import ParameterError

#: The part that is meant: any text, what begins with a digit and has no blank, or what a date's format fits.
_PART = re.compile(r"\{(#|%[^{}]+)?\}")
_DIRECTIVES: Mapping[str, str] = {
    "%Y": r"\d{4}",
    "%m": r"\d{1,2}",
    "%d": r"\d{1,2}",
    "%b": r"[^\W\d_]+\.?",
    "%B": r"[^\W\d_]+",
}


def part_of(text: str, patterns: Sequence[str]) -> str | None:
    """What stands where the first fitting pattern has its braces (``*`` is any text); None where none fits.

    Blanks and line breaks count as one blank, full-width signs as half-width ones.
    """
    plain = _plain(text)
    for pattern in patterns:
        if found := _expression(pattern).fullmatch(plain):
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
    known = all(mark in _DIRECTIVES for mark in re.findall("%.?", pattern))
    if len(_PART.findall(pattern)) != 1 or not known:
        raise ParameterError(
            f"{place}: pattern '{pattern}' should say once which part is meant: {{}} for any text, {{#}} for a number, or a date such as {{%Y-%m}} "
            f"(of {', '.join(_DIRECTIVES)}); * stands for any other text."
        )


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    plain = _plain(pattern)
    part = _PART.search(plain)
    assert part is not None  # the map was loaded, so its patterns were looked at
    before, after = plain[: part.start()], plain[part.end() :]
    return re.compile(f"{_written(before)}{_meant(part[1])}{_written(after)}", re.DOTALL | re.IGNORECASE)


def _meant(mark: str | None) -> str:
    if mark is None:
        return "(.+?)"
    if mark == "#":
        return r"(\d\S*?)"
    parts = re.split("(%.)", mark)
    written = "".join(_DIRECTIVES.get(part) or re.escape(part) for part in parts)
    return rf"(?<!\d)({written})(?!\d)"  # not a part of a longer number


def _written(text: str) -> str:
    return ".*".join(map(re.escape, text.split("*")))
