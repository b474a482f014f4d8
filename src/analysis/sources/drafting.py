"""One entry of a proposed map, and how it is written: YAML that loads as it stands, with every doubt in a comment beside what it doubts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: Words shown of a column, and columns shown of a file, before "and n more".
MOST_WORDS, MOST_NAMES = 12, 20


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Something a person must settle. ``cost``: 3 where the report is wrong or lacks a section otherwise, 2 a column, 1 a detail."""

    cost: int
    said: str


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

    @property
    def canonical(self) -> list[str]:
        logged = [column for log in self.events for column in log["gives"]]  # type: ignore[attr-defined]
        return [*self.columns, *self.joined, *self.lookups, *self.constants, *self.numbered, *logged]

    def doubt(self, cost: int, said: str, *, beside: str = "") -> None:
        """Remember a doubt; ``beside``: the key or column beside which it is written again, in short."""
        self.doubts.append(Doubt(cost=cost, said=said))
        if beside:
            self.remarks[beside] = said

    def lines(self) -> list[str]:
        """The entry as YAML."""
        lines = [f"  - table: {self.table}"]
        lines += [f"    file: {quoted(self.pattern)}"] if self.pattern else []
        lines += [self._line(name, value) for name, value in self.form.items()]
        if self.columns:
            lines.append("    columns:")
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
            "dates",
            "local_times",
            "optional",
            "without",
            "first_of",
            "last_of",
            "missing",
        ]:
            value = getattr(self, name)
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
