"""Columns whose heading tells nothing, told by what they hold: the number of a row, its moment, the two sides of an amount, words of a state."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from statistics import median

from analysis.sources.amounts import plain_number
from analysis.sources.cells import Cell, cell_text
from analysis.sources.profiles import Profile, moments_between

Profiles = Mapping[str, Profile]
#: Words of a heading, or endings of a Chinese one, that say it numbers something.
NUMBERS = frozenset(["number", "id", "key", "code", "no", "ref", "reference", "nummer", "kennung"])
NUMBERS_ENDING = ("号", "编码", "编号", "代码", "号码", "id", "nr")
#: A number that the system counts up behind letters (WO-00311870), whatever it is called.
_CODE = re.compile(r"[A-Za-z]{1,6}[-_ ]?\d{4,}")
#: Different values per row from which a column may be the number of a row: an export repeats some.
NEARLY_EACH = 0.97
#: Share of the rows in which a moment must stand for it to be the one that every row has, and in which it lies before the others.
NEARLY_ALL, BEFORE = 0.98, 0.97
#: Share of the rows that must have one side of an amount and not both; and rows from which that is no chance.
ONE_SIDE, ENOUGH = 0.97, 8
#: Share of a column's words whose meaning must be known.
KNOWN = 0.8


def row_number(profiles: Profiles, used: Collection[str], words: Callable[[str], Collection[str]]) -> str:
    """The first column that names nearly every row and whose heading, or the form of whose values, says that it numbers something; blank for none."""
    return next(
        (
            name
            for name, profile in _unused(profiles, used)
            if profile.filled == 1
            and profile.distinct >= NEARLY_EACH
            and profile.names_things
            and not profile.is_long
            and (
                NUMBERS & set(words(name))
                or name.casefold().endswith(NUMBERS_ENDING)
                or all(_CODE.fullmatch(text) for text in profile.words)
            )
        ),
        "",
    )


def first_moment(profiles: Profiles, used: Collection[str]) -> str:
    """The moment that every row has and that lies before every other of the file, used ones among them; blank for none and for two."""
    moments = {name: one.moments() for name, one in profiles.items() if one.is_moment}
    always = [
        name for name in moments if name not in used and profiles[name].filled >= NEARLY_ALL
    ]  # a row without its moment cannot be kept
    first = [
        name
        for name in always
        if all(_lies_before(moments[name], other) for key, other in moments.items() if key != name)
    ]
    return first[0] if len(first) == 1 else ""


def sides_of_an_amount(profiles: Profiles, used: Collection[str]) -> tuple[str, str] | None:
    """Two columns of numbers of which each row has one and not both, as debit and credit are written: the left one first; None for none and for several."""
    numeric = [
        (name, [_is_something(cell) for cell in profile.cells])
        for name, profile in _unused(profiles, used)
        if profile.numbers >= 0.9 and not profile.is_moment and profile.length > 1
    ]
    found = [
        (one, other)
        for place, (one, left) in enumerate(numeric)
        for other, right in numeric[place + 1 :]
        if _one_or_the_other(left, right)
    ]
    return found[0] if len(found) == 1 else None


def line_amount(profiles: Profiles, money: Collection[str], *, quantity: str, thing: str) -> str:
    """The amount of a line under a heading of a price: it grows with the quantity where the same thing is sold, the largest such one; blank for none."""
    pieces = [_value(cell) for cell in profiles[quantity].cells]
    things = [cell_text(cell) for cell in profiles[thing].cells]
    found: list[tuple[float, str]] = []
    for name in money:
        if profiles[name].numbers < NEARLY_ALL or profiles[name].is_empty:
            continue
        sold: dict[str, dict[float, list[float]]] = {}
        amounts = [_value(cell) for cell in profiles[name].cells]
        for what, count, amount in zip(things, pieces, amounts, strict=True):
            if what and count and amount and count > 0 and amount > 0:
                sold.setdefault(what, {}).setdefault(count, []).append(amount)
        several = [by_count for by_count in sold.values() if len(by_count) > 1]
        grows = [_grows(by_count) for by_count in several]
        if several and sum(grows) >= 0.9 * len(grows):
            found.append((sum(amount for amount in amounts if amount), name))
    return max(found, default=(0.0, ""))[1]


def _grows(by_count: Mapping[float, list[float]]) -> bool:
    """Whether the amounts of several quantities are the quantity times one price, within a tenth."""
    each = [median(amounts) / count for count, amounts in by_count.items()]
    return max(each) <= 1.1 * min(each)


def _value(cell: Cell) -> float | None:
    text = plain_number(cell_text(cell))
    try:
        return float(text) if text else None
    except ValueError:
        return None


def column_of_words(profiles: Profiles, used: Collection[str], known: Callable[[Profile], float]) -> str:
    """The one column of a few words nearly all of which have a meaning that is known; blank for none and for two."""
    found = [
        name
        for name, profile in _unused(profiles, used)
        if 2 <= len(profile.words) <= 40
        and len(profile.words) < len(profile.texts)
        and profile.numbers < 0.5
        and known(profile) >= KNOWN
    ]
    return found[0] if len(found) == 1 else ""


def _unused(profiles: Profiles, used: Collection[str]) -> Iterator[tuple[str, Profile]]:
    return ((name, one) for name, one in profiles.items() if name not in used and not one.is_empty)


def _lies_before(one: list[dt.datetime | None], other: list[dt.datetime | None]) -> bool:
    days = moments_between(one, other)
    return sum(1 for day in days if day >= 0) >= BEFORE * len(days)


def _is_something(cell: Cell) -> bool:
    text = cell_text(cell)
    return bool(text) and bool(plain_number(text).strip("0.,-+ "))


def _one_or_the_other(left: list[bool], right: list[bool]) -> bool:
    rows = sum(1 for one, other in zip(left, right, strict=True) if one or other)
    single = sum(1 for one, other in zip(left, right, strict=True) if one != other)
    return rows >= max(ENOUGH, 0.9 * len(left)) and single >= ONE_SIDE * rows and any(left) and any(right)
