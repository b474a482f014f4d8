"""What the values of a column look like, apart from its name: moments, numbers, codes, labels, sentences, or nothing at all."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from analysis.sources.amounts import plain_number
from analysis.sources.cells import Cell, cell_text
from analysis.sources.moments import reader_of

#: Values beyond which a column's words are not counted one by one.
MOST_SHOWN = 12
#: The share of a column's values that must be of a kind for it to be of that kind.
OF_A_KIND = 0.9
#: Different moments from which it is no chance that each is the first of a month.
SEVERAL = 3
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d{1,4}", re.ASCII)
_CLOCK = re.compile(r"\d{1,2}:\d{2}")
_OFFSET = re.compile(r"(Z|UTC|[+-]\d{2}:?\d{2})$")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?)?")
_EPOCH = re.compile(r"(1[0-9]{9}|1[0-9]{12})")
_YES_NO = frozenset(
    ["true", "false", "yes", "no", "y", "n", "1", "0", "t", "f", "ja", "nein", "是", "否", "x"]
)

_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
#: Days whose order is written in them: the year first, or the month as a word.
_DAYS = ("%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%d", "%Y年%m月%d日", "%Y%m%d", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y",
    "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d/%b/%Y", "%d/%b/%y", "%d%m%Y")  # fmt: skip
#: Months without a day.
_MONTHS = (
    "%Y-%m",
    "%Y/%m",
    "%Y.%m",
    "%Y年%m月",
    "%Y%m",
    "%m/%Y",
    "%m.%Y",
    "%m-%Y",
    "%b %Y",
    "%B %Y",
    "%b-%Y",
    "%b-%y",
    "%b %y",
    "%Y-%b",
)
#: An account by number and name; and different ones per posting below which they are accounts.
_ACCOUNT = re.compile(r"\d{3,8}(?:[.\-]\d{1,6})*\s*[-–·:]?\s+[^\W\d].*")
FEW_ACCOUNTS = 0.1
_MARKS = (".", "/", "-")


@dataclass(frozen=True, kw_only=True)
class DateForm:
    """How a column's moments are written. ``other``: the format with day and month exchanged, where the values fit both."""

    form: str
    other: str = ""


@dataclass(frozen=True)
class Profile:
    """A column's name and values; ``missing``: words of the file that stand for nothing."""

    name: str
    cells: Sequence[Cell]
    missing: frozenset[str] = frozenset()

    @cached_property
    def texts(self) -> list[str]:
        """The values that are there, as text; days of a workbook in ISO."""
        texts = (str(cell) if isinstance(cell, dt.date) else cell_text(cell) for cell in self.cells)
        return [text for text in texts if text and text not in self.missing]

    @cached_property
    def words(self) -> Counter[str]:
        return Counter(self.texts)

    @property
    def is_empty(self) -> bool:
        return not self.texts

    @cached_property
    def filled(self) -> float:
        """Share of the rows with a value."""
        return len(self.texts) / len(self.cells) if self.cells else 0.0

    @cached_property
    def distinct(self) -> float:
        """Different values per value."""
        return len(self.words) / len(self.texts) if self.texts else 0.0

    @cached_property
    def is_key(self) -> bool:
        return self.filled == 1.0 and len(self.words) == len(self.texts) and not self.is_long

    @property
    def names_things(self) -> bool:
        """Whether its values may be the numbers or names of things: days and amounts that happen to stand once name nothing."""
        return not self.is_moment and self.fractions < OF_A_KIND

    @cached_property
    def real_dates(self) -> bool:
        return any(isinstance(cell, dt.date) for cell in self.cells)

    @cached_property
    def length(self) -> float:
        """Mean number of signs."""
        return sum(map(len, self.texts)) / len(self.texts) if self.texts else 0.0

    @property
    def is_long(self) -> bool:
        return self.length > 60

    @cached_property
    def numbers(self) -> float:
        """Share of the values that are numbers, in whichever writing."""
        return self._share(_is_number)

    @cached_property
    def fractions(self) -> float:
        """Share of the values that are numbers with digits behind a mark; an account such as 6601.02.01 is none."""
        return self._share(lambda text: bool(re.search(r"[.,]\d{1,2}\D*$", text)) and _is_number(text))

    @cached_property
    def decimal_comma(self) -> str:
        """A value that can only be read with a comma as its decimal mark; blank where there is none."""
        commas = [text for text in self.words if _DECIMAL_COMMA.fullmatch(text)]
        points = any(re.search(r",\d{3}\.\d+$|^[+-]?\d+\.\d{1,2}$", text) for text in self.words)
        return commas[0] if commas and not points else ""

    @cached_property
    def is_marked(self) -> bool:
        """Whether its numbers are not all written plainly."""
        return any(plain_number(text) != text for text in self.words)

    @cached_property
    def is_yes_no(self) -> bool:
        return (
            bool(self.words) and len(self.words) <= 3 and all(word.lower() in _YES_NO for word in self.words)
        )

    @cached_property
    def is_list(self) -> bool:
        """Whether a cell holds a list of things rather than one."""
        return self._share(lambda text: text.startswith("[") and text.endswith("]")) >= OF_A_KIND

    @cached_property
    def dates(self) -> DateForm | None:
        """How its moments are written; None for a column of other things."""
        if self.real_dates:
            return DateForm(form="")
        sample = list(self.words)[:2_000]
        if not sample:
            return None
        if _fits(sample, lambda text: bool(_ISO.fullmatch(text))):
            return DateForm(form="")
        for day in _DAYS:
            for clock in _CLOCKS:
                if _reads(sample, day + clock):
                    return DateForm(form=day + clock)
        return _day_or_month_first(sample)

    @cached_property
    def epochs(self) -> str:
        """``epoch_s`` or ``epoch_ms`` where every value counts from 1970; blank otherwise."""
        if not self.words or not all(_EPOCH.fullmatch(text) for text in self.words):
            return ""
        return "epoch_ms" if len(next(iter(self.words))) == 13 else "epoch_s"

    @cached_property
    def is_masked(self) -> bool:
        """Whether most of its values were masked by whoever exported them (``李*``, ``1**********``)."""
        return self._share(lambda text: bool(re.search(r"[*＊•●]{2,}|^[*＊•●]|[*＊•●]$", text))) >= 0.5

    @cached_property
    def is_day_of_year(self) -> bool:
        """Whether its values are days and months without a year and without a mark between, by the heading as well (Belegdatum: 401, 3112)."""
        names_day = any(word in self.name.casefold() for word in ("dat", "tag", "day", "日期"))
        sample = list(self.words)[:2_000]
        return (
            names_day
            and bool(sample)
            and all(re.fullmatch(r"\d{3,4}", text, re.ASCII) for text in sample)
            and _reads([f"{text.zfill(4)}2024" for text in sample], "%d%m%Y")
        )

    @cached_property
    def months(self) -> str:
        """How its months are written, where its values name months and no days (2026-10, Oct 2026); blank otherwise."""
        sample = list(self.words)[:2_000]
        if not sample or self.real_dates:
            return ""
        return next((form for form in _MONTHS if _reads(sample, form, months=True)), "")

    @cached_property
    def is_chart(self) -> bool:
        """Whether it holds numbers of accounts with their names behind (6010 Service wages), the same ones again and again."""
        return (
            self.distinct < FEW_ACCOUNTS and self._share(lambda text: bool(_ACCOUNT.fullmatch(text))) >= 0.8
        )

    @property
    def is_moment(self) -> bool:
        return self.dates is not None

    @cached_property
    def has_clock(self) -> bool:
        return any(_CLOCK.search(text) for text in list(self.words)[:200])

    @cached_property
    def has_offset(self) -> bool:
        return all(_OFFSET.search(text) for text in list(self.words)[:200])

    def moments(self, form: str | None = None) -> list[dt.datetime | None]:
        """The cells read as moments, None where they are none, as they stand: offsets left out."""
        read = reader_of(form or (self.dates.form if self.dates else "") or "iso")
        found = []
        for cell in self.cells:
            if isinstance(cell, dt.datetime):
                moment: dt.datetime | None = cell
            elif isinstance(cell, dt.date):
                moment = dt.datetime.combine(cell, dt.time())
            else:
                moment = read(cell_text(cell))
            found.append(moment.replace(tzinfo=None) if moment else None)
        return found

    def _share(self, holds: Callable[[str], bool]) -> float:
        """Share of the values of which something holds."""
        met = sum(count for text, count in self.words.items() if holds(text))
        return met / len(self.texts) if self.texts else 0.0


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(plain_number(text)) or _DECIMAL_COMMA.fullmatch(text))


def _fits(sample: Collection[str], holds: Callable[[str], bool]) -> bool:
    return sum(1 for text in sample if holds(text)) >= OF_A_KIND * len(sample)


def _reads(sample: Collection[str], form: str, *, months: bool = False) -> bool:
    read = reader_of(form, months=months)
    first = next(iter(sample))
    if read(first) is None and all(read(text) is None for text in list(sample)[:20]):
        return False
    return _fits(sample, lambda text: (moment := read(text)) is not None and 1970 <= moment.year <= 2100)


def _day_or_month_first(sample: Collection[str]) -> DateForm | None:
    """Formats with the year behind; where every value fits both orders, both are told."""
    for mark in _MARKS:
        for year in ("%Y", "%y"):
            for clock in _CLOCKS[:-1]:
                day_first, month_first = (
                    f"{one}{mark}{two}{mark}{year}{clock}" for one, two in (("%d", "%m"), ("%m", "%d"))
                )
                fits = [form for form in (day_first, month_first) if _reads(sample, form)]
                whole = [form for form in fits if all(reader_of(form)(text) for text in sample)]
                if len(whole) == 2 and (form := _first_of_months(whole, sample)):
                    return DateForm(form=form)
                if len(whole) == 2:
                    return DateForm(form=whole[mark != "."], other=whole[mark == "."])
                if fits:
                    return DateForm(form=(whole or fits)[0])
    return None


def _first_of_months(forms: Sequence[str], sample: Collection[str]) -> str:
    """The order of day and month under which every moment is the first of a month, of several months; blank where neither or both do."""
    firsts = []
    for form in forms:
        read = [moment for text in sample if (moment := reader_of(form)(text)) is not None]
        if len(read) >= SEVERAL and all(moment.day == 1 for moment in read):
            firsts.append(form)
    return firsts[0] if len(firsts) == 1 else ""


def moments_between(
    earlier: Iterable[dt.datetime | None], later: Iterable[dt.datetime | None]
) -> list[float]:
    """Days from one moment to the other, of the rows that have both."""
    return [
        (two - one).total_seconds() / 86_400
        for one, two in zip(earlier, later, strict=True)
        if one is not None and two is not None
    ]
