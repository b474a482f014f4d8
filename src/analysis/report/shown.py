"""Does a printed number agree with its fact? An independent reading of the text, not the formatter run twice."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from analysis.formats import NO_VALUE
from analysis.locale import Language

_NUMBER = re.compile(
    r"(?P<bound>[<>]|\bover |\bunder |不足 )?(?P<sign>[+−-])?(?P<digits>\d[\d,]*(?:\.\d+)?)(?P<more>% 以上)?"
)
_BELOW, _ABOVE = ("<", "under ", "不足 "), (">", "over ")
# 1,000 in “per 1,000 orders” belongs to the unit.
_PER_THOUSAND = re.compile(r"per 1,000 [\w-]+|每千\w")
# Percent, and thousand, 万, million, 亿, billion.
_FACTORS = (1.0, 100.0, 1e-3, 1e-4, 1e-6, 1e-8, 1e-9)


def shows(text: str, fact: dict[str, Any], language: Language) -> bool:
    """Whether every number in ``text`` is the fact's value, an edge or level of its interval, n, numerator or denominator.

    A number agrees when the fact's, scaled by percent or a power of ten in use, rounds to it at the printed places. A fact
    without a value is shown by its reason or a dash.
    """
    if fact["value"] is None:
        reason = (fact.get("reason") or {}).get(language, "")
        return text.strip() == reason or text.strip(f"{NO_VALUE}* ") == ""
    stripped = _PER_THOUSAND.sub("", text)
    numbers = list(_NUMBER.finditer(stripped))
    known = [number for part in _parts(fact) if (number := _float(part)) is not None]
    percent = 1.0 if fact["unit"] == "p_value" else 100.0
    return all(_agrees(match, known, percent) for match in numbers) and _sign_agrees(stripped, numbers, fact)


def _parts(fact: dict[str, Any]) -> Iterator[Any]:
    yield from (fact.get(part) for part in ("value", "numerator", "denominator", "n"))
    interval = fact.get("interval") or {}
    yield from (interval.get(part) for part in ("low", "high", "level"))


def _float(part: Any) -> float | None:
    return None if part is None else float(part)


def _agrees(match: re.Match[str], known: list[float], percent: float) -> bool:
    """A number as it stands, or a bound of a probability (``<0.001``, ``over 99%``) that one of the fact's keeps to."""
    if match["bound"] in _BELOW or match["bound"] in _ABOVE or match["more"]:
        printed = float(match["digits"].replace(",", ""))
        sense = -1 if match["bound"] in _BELOW else 1
        return any(sense * (number * percent - printed) >= -1e-9 for number in known)
    return _is_one_of(match["digits"], known)


def _is_one_of(digits: str, known: list[float]) -> bool:
    printed = float(digits.replace(",", ""))
    places = len(digits.partition(".")[2])
    # half a unit of the last printed place, and what a float cannot hold
    slack = 0.5 * 10**-places
    return any(
        abs(abs(number) * factor - printed) <= slack * (1 + 1e-9) + abs(printed) * 1e-12
        for number in known
        for factor in _FACTORS
    )


def _sign_agrees(text: str, numbers: list[re.Match[str]], fact: dict[str, Any]) -> bool:
    """A single number printed with a sign has the sign of the value (a sentence may print “fell by 3%” unsigned)."""
    if len(numbers) != 1:
        return True
    before = text[: numbers[0].end()]
    value = float(fact["value"])
    if value == 0 or math.isnan(value):
        return True
    negative = "−" in before or numbers[0]["sign"] == "-"
    return not (negative and value > 0 and not _other_negative(fact)) and not ("+" in before and value < 0)


def _other_negative(fact: dict[str, Any]) -> bool:
    return any(part is not None and float(part) < 0 for part in _parts(fact))
