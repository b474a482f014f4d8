"""One entry of a proposed map, and how it is written: YAML that loads as it stands, with every doubt in a comment beside what it doubts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

#: Words shown of a column, and columns shown of a file, before "and n more".
MOST_WORDS, MOST_NAMES = 12, 20
#: What every doubt about the clock of a file says.
CLOCK = "no time zone"


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Something a person must settle. ``cost``: 3 where the report is wrong or lacks a section otherwise, 2 a column, 1 a detail; ``share`` of the money or the
    rows that it concerns, where that was counted."""

    cost: int
    said: str
    share: float = 0.0


def dearest_first(doubts: Sequence[tuple[Doubt, str]]) -> list[tuple[Doubt, str]]:
    """Doubts, each with its place, by what they cost and by how much they concern."""
    return sorted(doubts, key=lambda one: (-one[0].cost, -one[0].share))


@dataclass(kw_only=True)
class TakenBack:
    """Rows that a column says were given back, called off or never held (``takenback``): each word's rows, money and an example; what is done and why.

    ``flag``: any value of the column says it. ``action``: one of ``actions``: ``leave out`` (a rule of the map), ``refund lines`` (their money counts as taken
    off), ``keep``.
    """

    column: str
    kind: str
    flag: bool
    words: dict[str, tuple[int, Decimal, str]]
    rows: int
    money: str
    action: str
    why: str
    actions: tuple[str, ...]

    @property
    def values(self) -> list[str]:
        """The words as a rule of the map states them."""
        return ["?*"] if self.flag else list(self.words)

    @property
    def found(self) -> str:
        """How many rows and how much money each word has, the most first, and an example."""
        ordered = sorted(self.words.items(), key=lambda one: (-abs(one[1][1]), -one[1][0], one[0]))
        said = []
        for number, (word, (rows, amount, example)) in enumerate(ordered[:MOST_WORDS]):
            money = f" with {amount:,.2f} of {self.money}" if self.money else ""
            first = (
                f"{rows:,} of {self.rows:,} rows{money}, e.g. {example}" if not number else f"{rows:,}{money}"
            )
            said.append(f"{word} ({first})" if word else f"not empty ({first})")
        more = f" and {len(ordered) - MOST_WORDS} more words" if len(ordered) > MOST_WORDS else ""
        return f"{', '.join(said)}{more}"

    @property
    def doubt(self) -> Doubt:
        """What is to be settled; the dearer, the more of the rows are concerned."""
        share = sum(rows for rows, _, _ in self.words.values()) / max(self.rows, 1)
        done = {
            "leave out": "left out (without)",
            "refund lines": "counted as refunds (signs)",
            "keep": "kept",
        }
        cost = 1 if self.action == "keep" and self.kind != "perhaps" else 3
        return Doubt(
            cost=cost, share=share, said=f"{self.column}: {self.found}: {done[self.action]}, as {self.why}"
        )


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Moments of a file that say no time zone: their columns, the first of these read as it stands, and the zone of the file's language (blank: none)."""

    columns: list[str]
    language: str
    moments: list[dt.datetime]

    def in_another_month(self, zone: str, other: str, business: str) -> int:
        """How many of the moments lie in another month of the business's clock when they are meant in one zone and in another."""
        return sum(
            1 for moment in self.moments if _month(moment, zone, business) != _month(moment, other, business)
        )


def _month(moment: dt.datetime, zone: str, business: str) -> tuple[int, int]:
    here = moment.replace(tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo(business))
    return here.year, here.month


UTC = "UTC"


@dataclass(kw_only=True)
class Entry:
    """A proposed entry; every field is the key of that name in a map, ``sure`` how sure each column is."""

    table: str
    file: str
    pattern: str
    form: dict[str, object] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    sure: dict[str, float] = field(default_factory=dict)
    joined: dict[str, list[str]] = field(default_factory=dict)
    lookups: dict[str, dict[str, str]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    numbered: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    decimal_mark: str = ""
    factors: dict[str, str] = field(default_factory=dict)
    less: dict[str, str] = field(default_factory=dict)
    signs: dict[str, dict[str, object]] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    local_times: dict[str, str] = field(default_factory=dict)
    optional: list[str] = field(default_factory=list)
    without: dict[str, list[str]] = field(default_factory=dict)
    first_of: list[str] = field(default_factory=list)
    last_of: list[str] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    remarks: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    taken_back: list[TakenBack] = field(default_factory=list)
    rounded: dict[str, str] = field(default_factory=dict)
    too_fine: dict[str, str] = field(default_factory=dict)
    above: tuple[str, ...] = ()
    clock: Clock | None = None
    clock_cost: int = 2

    @property
    def canonical(self) -> list[str]:
        logged = [column for log in self.events for column in log["gives"]]  # type: ignore[attr-defined]
        return [*self.columns, *self.joined, *self.lookups, *self.constants, *self.numbered, *logged]

    def doubt(self, cost: int, said: str, *, beside: str = "", share: float = 0.0) -> None:
        """Remember a doubt; ``beside``: the key or column beside which it is written again, in short."""
        self.doubts.append(Doubt(cost=cost, said=said, share=share))
        if beside:
            self.remarks[beside] = said

    def set_clock(self, zone: str, why: str, *, business: str = "") -> None:
        """Take the moments without a zone as meant in one; what was said of their clock before is replaced. ``business``: the company's own zone, where it is known."""
        if self.clock is None:
            return
        self.doubts = [one for one in self.doubts if CLOCK not in one.said]
        self.remarks.pop("local_times", None)
        self.local_times = {"zone": zone, "twice": "earlier", "skipped": "shifted"} if zone != UTC else {}
        unless = f" unless stated as local_times: {{zone: {business or 'Europe/Berlin'}}}"
        taken = f"{'read' if zone == UTC else 'taken'} as {zone}{f', {why}' if why else unless}"
        own, other = business or zone, (business if business not in ("", zone) else UTC)
        moved = self.clock.in_another_month(zone, other, own) if other != zone else 0
        effect = (
            f"; were it {other}, {moved:,} of {len(self.clock.moments):,} rows would lie in another month"
            if other != zone
            else ""
        )
        self.doubt(
            self.clock_cost,
            f"{', '.join(self.clock.columns)}: {CLOCK}; {taken}{effect}",
            beside="local_times" if self.local_times else "",
            share=moved / max(len(self.clock.moments), 1),
        )

    @property
    def clock_doubt(self) -> str:
        """What is doubted of the clock; blank where nothing is."""
        return next((one.said for one in self.doubts if CLOCK in one.said), "")

    @property
    def all_doubts(self) -> list[Doubt]:
        """Every doubt of the entry once, those about how its file is written among them."""
        said = {doubt.said for doubt in self.doubts}
        others = [Doubt(cost=1, said=one) for one in dict.fromkeys(self.remarks.values()) if one not in said]
        return [*self.doubts, *(one.doubt for one in self.taken_back), *others]

    def _rules(self) -> dict[str, list[str]]:
        """``without`` and the words of rows that were taken back and are left out."""
        rules = {column: list(words) for column, words in self.without.items()}
        for one in self.taken_back:
            if one.action == "leave out":
                rules.setdefault(one.column, []).extend(one.values)
        return rules

    def _turned(self) -> dict[str, dict[str, object]]:
        """``signs`` and the words of rows that count as refunds."""
        signs = dict(self.signs)
        money = {one.money for one in self.taken_back} | {"gross_margin"}
        for one in self.taken_back:
            for column in sorted(money & set(self.columns)) if one.action == "refund lines" else ():
                minus = [*signs.get(column, {}).get("minus", []), *one.values]  # type: ignore[misc]
                signs[column] = {"column": one.column, "plus": ["*"], "minus": minus}
        return signs

    def lines(self) -> list[str]:
        """The entry as YAML."""
        lines = [f"  - table: {self.table}"]
        lines += [f"    file: {quoted(self.pattern)}"] if self.pattern else []
        lines += [self._line(name, value) for name, value in self.form.items()]
        if self.columns:
            lines.append(self._beside("columns", "    columns:"))
            lines += [
                self._beside(column, f"      {column}: {quoted(source)}")
                for column, source in self.columns.items()
            ]
        for name in [
            "joined",
            "lookups",
            "constants",
            "numbered",
            "numbers",
            "decimal_mark",
            "factors",
            "less",
            "signs",
            "rounded",
            "dates",
            "local_times",
            "optional",
            "without",
            "first_of",
            "last_of",
            "missing",
        ]:
            value = {"signs": self._turned, "without": self._rules}.get(
                name, lambda name=name: getattr(self, name)
            )()
            if value:
                lines.append(self._line(name, value))
        if self.values:
            lines.append("    values:")
            lines += [
                self._beside(f"values.{column}", f"      {column}: {flow(words)}")
                for column, words in self.values.items()
            ]
        if self.events:
            lines.append(self._beside("events", "    events:"))
            lines += [f"      - {flow(log)}" for log in self.events]
        if self.empty:
            lines.append(f"    # empty in every row, so not taken: {listed(self.empty)}")
        if self.unread:
            lines.append(f"    # not read: {listed(self.unread)}")
        return lines

    def _line(self, name: str, value: object) -> str:
        return self._beside(name, f"    {name}: {flow(value)}")

    def _beside(self, name: str, line: str) -> str:
        return f"{line}  # doubt: {self.remarks[name]}" if name in self.remarks else line


def listed(names: Sequence[str]) -> str:
    """Names one after the other, of many the first."""
    text = ", ".join(names[:MOST_NAMES])
    return f"{text} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else text


def quoted(text: str) -> str:
    """A text as YAML takes it for one, whatever stands in it; what is not printed is written out."""
    return "".join(
        char if char.isprintable() else f"\\U{ord(char):08x}" for char in json.dumps(text, ensure_ascii=False)
    )


def printed(line: str) -> str:
    """A line as it may stand in a map: a name of the data's ends no line and no comment."""
    return "".join(char if char.isprintable() else "�" for char in line)


def flow(value: object) -> str:
    """A value in YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(name)}: {flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(one) for one in value) + "]"
    return quoted(value) if isinstance(value, str) else str(value)


def _key(name: object) -> str:
    text = str(name)
    return text if text.isidentifier() and text.lower() not in _YAML_WORDS else quoted(text)


#: Words that YAML takes for something else than text.
_YAML_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"])
