"""Days and moments as a source writes them: read in a stated format only, and put into UTC from a stated time zone.

Nothing is guessed. A text that does not fit is passed on as it is, for the proof to refuse with its reason; a column that fits its
stated format only with day and month exchanged is refused as a whole, because its other rows would be misread in silence.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from analysis.errors import SourceError
from analysis.params.strict import zone_of

BETWEEN_FORMATS = " | "
_FIELDS: Mapping[str, tuple[str, str]] = {
    "%Y": ("year", r"\d{4}"),
    "%y": ("short_year", r"\d{2}"),
    "%m": ("month", r"\d{1,2}"),
    "%d": ("day", r"\d{1,2}"),
    "%H": ("hour", r"\d{1,2}"),
    "%M": ("minute", r"\d{2}"),
    "%S": ("second", r"\d{2}"),
    "%f": ("fraction", r"\d{1,6}"),
}
_CLOCKS = ("%H", "%I", "%X", "%T", "%c")

#: Words that stand for a format: ISO 8601 with or without clock and offset, and seconds or milliseconds since 1970 in UTC.
ISO, SECONDS, MILLISECONDS = "iso", "epoch_s", "epoch_ms"

#: Columns that may name a day to come.
AHEAD = frozenset(
    (
        "ends_on",
        "warranty_end",
        "due_on",
        "response_due_at",
        "resolution_due_at",
        "valid_from",
        "launched_on",
        "month",
    )
)
AHEAD_NOTE = "days in the future under the stated date format"

Read = Callable[[str], "dt.datetime | None"]


@dataclass(frozen=True, kw_only=True)
class LocalTimes:
    """Moments without an offset are wall-clock times of ``zone``.

    ``twice``: which of the two is meant when clocks went back over a time; ``skipped``: whether a time that the clocks jumped over is
    moved on by the jump. ``refused`` (the default of both) passes such a moment on marked, so that the proof refuses it by name.
    """

    zone: str
    twice: Literal["refused", "earlier", "later"] = "refused"
    skipped: Literal["refused", "shifted"] = "refused"

    def __post_init__(self) -> None:
        zone_of(self.zone, "zone")


@cache
def reader_of(form: str, *, months: bool = False) -> Read:
    """How texts of one format (of ``datetime.strptime``) are read; None where a text does not fit. ``months``: a format without a day means the first.

    The usual directives are read by an expression of their own, several times faster than ``strptime``; all others by ``strptime``.
    """
    if form in _WORDS:
        return _WORDS[form]
    pattern, place, names = "", 0, []
    while place < len(form):
        mark = form[place : place + 2]
        if mark in _FIELDS and _FIELDS[mark][0] not in names:
            names.append(_FIELDS[mark][0])
            # behind another number without a mark between, a short one could not be told apart (111: 1 Nov or 11 Jan)
            behind = place >= 2 and form[place - 2 : place] in _FIELDS
            digits = _FIELDS[mark][1].replace("{1,2}", "{2}") if behind else _FIELDS[mark][1]
            pattern += f"(?P<{names[-1]}>{digits})"
            place += 2
        elif form[place] == "%":
            return _slow_reader(form)
        elif form[place].isspace():
            pattern += r"\s+"  # as strptime
            place += 1
        else:
            pattern += re.escape(form[place])
            place += 1
    return _fast_reader(re.compile(pattern, re.ASCII), names, months=months)


def _fast_reader(pattern: re.Pattern[str], names: list[str], *, months: bool) -> Read:
    if not {"day", "month"} <= {*names, *(["day"] if months else [])} or not {"year", "short_year"} & set(
        names
    ):
        return lambda _text: None

    def read(text: str) -> dt.datetime | None:
        match = pattern.fullmatch(text)
        if match is None:
            return None
        given = match.groupdict()
        fraction = given.pop("fraction", None)
        found = {"day": 1} | {name: int(value) for name, value in given.items()}
        if fraction is not None:
            found["microsecond"] = int(fraction.ljust(6, "0"))
        short = found.pop("short_year", None)
        if short is not None:
            found["year"] = short + (2000 if short < 69 else 1900)  # as POSIX and strptime
        try:
            return dt.datetime(**found)  # type: ignore[arg-type]
        except ValueError:
            return None

    return read


def _slow_reader(form: str) -> Read:
    def read(text: str) -> dt.datetime | None:
        try:
            return dt.datetime.strptime(text, form)
        except ValueError:
            return None

    return read


def _iso(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(
            text.removesuffix(" UTC") + ("+00:00" if text.endswith(" UTC") else "")
        )
    except ValueError:
        return None


def _since_1970(text: str, per_second: int) -> dt.datetime | None:
    if not re.fullmatch(r"\d{6,16}", text, re.ASCII):
        return None
    try:
        return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(
            microseconds=int(text) * 1_000_000 // per_second
        )
    except OverflowError:
        return None


_WORDS: Mapping[str, Read] = {
    ISO: _iso,
    SECONDS: lambda text: _since_1970(text, 1),
    MILLISECONDS: lambda text: _since_1970(text, 1000),
}


def _has_clock(form: str) -> bool | None:
    """Whether texts of the format tell the time of day; None where the text says."""
    return None if form == ISO else form in _WORDS or any(mark in form for mark in _CLOCKS)


def _exchanged(form: str) -> str:
    """The format with day and month in each other's place."""
    return re.sub("%[dm]", lambda mark: "%m" if mark[0] == "%d" else "%d", form)


class MomentReader:
    """Reads the moments of one canonical column; counts what was out of the ordinary.

    ``day`` columns keep the day: of a moment whose zone is known, its day in the business time zone; else the day as written. The column
    ``month`` keeps the first of its month, so that the days of a month are one.
    """

    def __init__(
        self,
        column: str,
        formats: str,
        *,
        local: LocalTimes | None,
        business_zone: str,
        today: dt.date | None = None,
    ) -> None:
        self.column = column
        # A row of an export is about something that has happened: a day ahead of tomorrow was misread, or mistyped.
        self._last = dt.datetime.max
        if today is not None and column not in AHEAD:
            self._last = dt.datetime.combine(today, dt.time.max) + dt.timedelta(days=1)
        self._day_told = self._exchanged_ahead = False
        self.day = column.endswith("_on") or column in ("valid_from", "month", "day")
        plain = unicodedata.normalize("NFKC", formats)  # as the texts are read
        self.formats = plain.split(BETWEEN_FORMATS) if formats else []
        self.local = local
        self.zone = zone_of(local.zone, "zone") if local else None
        self.business = zone_of(business_zone, "time_zone")
        self._offsets: dict[tuple[int, int, int, int], dt.timezone] = {}
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self._readers = [
            (reader_of(form, months=column == "month"), _has_clock(form)) for form in self.formats
        ]
        self._others = [reader_of(_exchanged(form)) for form in self.formats if "%d" in form and "%m" in form]

    def text(self, text: str) -> str:
        """A stated text as ISO; as it is where it fits no format, or fits two that say different things."""
        if not self._readers or not text:
            return text
        if not text.isascii():
            text = unicodedata.normalize("NFKC", text)  # digits and colons typed in full width
        if len(self._readers) == 1:
            read, clock = self._readers[0]
            only = read(text)
            if only is not None:
                if self._others:
                    self._weigh(only, text)
                return self._written(only, ":" in text if clock is None else clock)
        found = {
            self._written(moment, ":" in text if clock is None else clock)
            for read, clock in self._readers
            if (moment := read(text)) is not None
        }
        if len(found) == 1:
            return found.pop()
        if found:
            self._count("fits two formats", text)
        elif any(read(text) is not None for read in self._others):
            self._count("day and month exchanged", text)
        return text

    def cell(self, moment: dt.date) -> str:
        """A real date or moment of a workbook, a Parquet file or a database."""
        if not isinstance(moment, dt.datetime):
            return self._written(dt.datetime(moment.year, moment.month, moment.day), clock=False)
        midnight = moment.tzinfo is None and moment.time() == dt.time()
        return self._written(moment, clock=not (midnight and self.day))

    def _written(self, moment: dt.datetime, clock: bool) -> str:
        written = self._as_told(moment, clock)
        return f"{written[:8]}01" if self.column == "month" and len(written) == 10 else written

    def _as_told(self, moment: dt.datetime, clock: bool) -> str:
        if not clock and (self.day or self.zone is None):
            return moment.date().isoformat()
        if moment.tzinfo is None:
            if self.zone is None:
                return moment.date().isoformat() if self.day else moment.isoformat(sep=" ")
            known = self._placed(moment)
            if known is None:
                return f"{moment.isoformat(sep=' ')} in {self.zone.key}"
            moment = known
        if self.day:
            return moment.astimezone(self.business).date().isoformat()
        return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ")

    def _placed(self, moment: dt.datetime) -> dt.datetime | None:
        """The wall-clock time in its zone; None where it stands for two moments or none and the map does not say which."""
        assert self.local is not None
        hour = (moment.year, moment.month, moment.day, moment.hour)
        offset = self._offsets.get(hour)
        if offset is not None:
            return moment.replace(tzinfo=offset)
        first, second = moment.replace(tzinfo=self.zone, fold=0), moment.replace(tzinfo=self.zone, fold=1)
        before, after = first.utcoffset(), second.utcoffset()
        if before == after or before is None or after is None:
            self._settle_offset(hour, moment)
            return first
        if before > after:
            self._count("local time that occurs twice", str(moment))
            return {"earlier": first, "later": second}.get(self.local.twice)
        self._count("local time that the clocks skipped", str(moment))
        return first if self.local.skipped == "shifted" else None

    def _settle_offset(self, hour: tuple[int, int, int, int], moment: dt.datetime) -> None:
        """Remember the offset of an hour in which no clock changes; most rows share an hour with another."""
        edges = [
            moment.replace(minute=minute, second=0, microsecond=0, tzinfo=self.zone, fold=fold)
            for minute in (0, 59)
            for fold in (0, 1)
        ]
        offsets = {edge.utcoffset() for edge in edges}
        if len(offsets) == 1:
            self._offsets[hour] = dt.timezone(offsets.pop() or dt.timedelta())

    def _count(self, kind: str, text: str) -> None:
        self.counts[kind] += 1
        self.examples.setdefault(kind, text)

    def _weigh(self, moment: dt.datetime, text: str) -> None:
        """Whether the stated order of day and month holds: a day beyond the 12th proves it, a day ahead makes it doubtful."""
        naive = moment.replace(tzinfo=None)
        if naive.day > 12:
            self._day_told = True
        elif naive.replace(month=naive.day, day=naive.month) > self._last:
            self._exchanged_ahead = True
        if naive > self._last:
            self._count(AHEAD_NOTE, text)

    def refuse_exchanged(self, file: str) -> None:
        """Raise SourceError where some texts fit only with day and month exchanged: the rest may be misread.

        So where no text proves the stated order, days lie ahead under it, and none does with day and month exchanged.
        """
        ahead = self.counts[AHEAD_NOTE]
        if ahead and not self._day_told and not self._exchanged_ahead:
            raise SourceError(
                f"{file}: {self.column}: read as '{BETWEEN_FORMATS.join(self.formats)}', {ahead:,} days lie in the future, e.g. '{self.examples[AHEAD_NOTE]}'; "
                "with day and month exchanged none does, so the stated format is probably wrong. State the right one, or have the system write dates as 2026-10-31."
            )
        count = self.counts["day and month exchanged"]
        if count:
            raise SourceError(
                f"{file}: {self.column}: {count:,} values such as '{self.examples['day and month exchanged']}' fit '{BETWEEN_FORMATS.join(self.formats)}' "
                "only with day and month exchanged, so the others may be misread. State the right format, or have the system write dates as 2026-10-31."
            )
        if self.counts["fits two formats"]:
            raise SourceError(
                f"{file}: {self.column}: {self.counts['fits two formats']:,} values such as '{self.examples['fits two formats']}' fit two of the stated formats "
                f"({BETWEEN_FORMATS.join(self.formats)}) and mean different days. State formats that cannot be confused."
            )
