"""YAML read safely and strictly: no doubled key, no unknown key, no value of another type.

A misspelt key that is silently ignored is a wrong number later; so every mapping is bound to a dataclass, and what does
not fit is refused with the file, the place and a suggestion.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import types
import typing
from collections.abc import Hashable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

import yaml

from analysis.errors import ParameterError, in_quotes, suggestion, without_credentials
from analysis.locale import Text
from analysis.params.places import is_plain, params_files, read_plain, shown
from analysis.periods import FIRST_YEAR, LAST_YEAR, Month

if typing.TYPE_CHECKING:
    from _typeshed import DataclassInstance

D = TypeVar("D", bound="DataclassInstance")


MOST_VALUES = 100_000  # of a file, after its aliases are written out
DEEPEST = 40  # mappings and lists inside each other
LARGEST_NUMBER = Decimal(10) ** 15
_YAML: Any = yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader


class _StrictLoader(_YAML):  # type: ignore[misc]
    """Safe loading that also refuses a key given twice and reads decimals exactly. ``file``: as messages name it."""

    file = ""
    depth = 0

    def descend_resolver(self, current_node: yaml.Node | None, current_index: Any) -> None:  # noqa: ARG002 - given by yaml
        """Called for each value before it is composed: libyaml composes by recursion in C, which ends the process when it is too deep."""
        self.depth += 1
        if self.depth > DEEPEST:
            line = current_node.start_mark.line + 1 if current_node else 1
            raise ParameterError(
                f"{self.file}: line {line}: lists and mappings stand in each other more than {DEEPEST} deep; nobody wrote that by hand."
            )

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise ParameterError(
                    f"{self.file}: line {line}: a key is a list or a mapping; a key should be a name, a number or a day."
                )
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise ParameterError(
                    f"{self.file}: key {in_quotes(key)} stands twice (lines {seen[key]} and {line}); keep one."
                )
            seen[key] = line
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def _exact_number(loader: _StrictLoader, node: yaml.ScalarNode) -> Decimal:
    text = str(loader.construct_scalar(node)).replace("_", "")
    try:
        number = Decimal(text)
    except InvalidOperation:  # .nan, .inf, or the sixties of 1:30.5
        number = Decimal("NaN")
    if not number.is_finite():
        raise ParameterError(
            f"{loader.file}: line {node.start_mark.line + 1}: {in_quotes(text)} is no number to compute with; write digits, e.g. 0.05."
        )
    return number


_StrictLoader.add_constructor("tag:yaml.org,2002:float", _exact_number)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; a missing file, broken YAML or a doubled key is refused by name."""
    name = shown(path)
    if not is_plain(path, name=name):
        beside = {file.stem for file in (*path.parent.glob("*.yml"), *params_files(path.parent.name))}
        raise ParameterError(
            f"{in_quotes(path.name)[1:-1]}: no such file in {path.parent.name}/.{suggestion(path.stem[:200], sorted(beside))}"
        )
    content = parse_yaml(read_plain(path, name=name), name)
    if content is None:
        raise ParameterError(f"{name}: the file is empty; it should hold keys and values, or {{}} for none.")
    if not isinstance(content, dict):
        raise ParameterError(f"{name}: should hold keys and values; it holds {_kind_of(content)}.")
    return content


def parse_yaml(written: bytes, name: str) -> Any:
    """What a YAML text says. Refused: what is not UTF-8 or not YAML, tags, doubled keys, and what unfolds into a mass of values.

    Parameters
    ----------
    name : of the file, as messages name it
    """
    try:
        text = written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(
            f"{name}: not a text in UTF-8 (byte {error.start + 1:,} is {written[error.start]:#04x}). Save it as UTF-8."
        ) from None
    if _CREDENTIALS.search(text):
        raise ParameterError(
            f"{name}: holds an address with a password. Take it out (and change it: it was written down), put it into an environment variable and name that in url_from of a source map."
        )
    try:
        if _UNFOLDS.search(text):
            _refuse_vast(text, name)
        loader = _StrictLoader(text)
        loader.file = name
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ParameterError(f"{name}: not readable as YAML: {_yaml_words(error)}") from None
    except (ValueError, OverflowError) as error:  # a day or a number that is none, such as 2026-13-45
        raise ParameterError(
            f"{name}: holds a day or a number that is none ({error}). Put text in quotes."
        ) from None


# where an anchor, an alias or a tag may stand; most files have none, and need no look at each value
_UNFOLDS = re.compile(r"(?:^|[\s\[{,])(?:[&*][\w-]|![^=\s])")
_CREDENTIALS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/@:]*:[^\s@]+@", re.IGNORECASE)


def _refuse_vast(text: str, name: str) -> None:
    """Count the values as if every alias were written out, before any is made: nine lines can stand for a thousand million values."""
    sizes: dict[str, int] = {}
    opened: list[tuple[str | None, int]] = []
    total = 0
    events: typing.Iterator[Any] = yaml.parse(text, Loader=_YAML)
    for event in events:
        line = f"{name}: line {event.start_mark.line + 1}"
        if (tag := getattr(event, "tag", None)) not in (None, "!"):
            raise ParameterError(
                f"{line}: {in_quotes(tag)} is a tag (!), and tags are not read. Write the value plainly, text in quotes."
            )
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise ParameterError(
                    f"{line}: alias {in_quotes(event.anchor)} names nothing before it, or what it stands in. Write the values out."
                )
            total += sizes[event.anchor]
        elif isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, total))
            total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            sizes |= {anchor: total - before} if anchor else {}
        elif isinstance(event, yaml.ScalarEvent):
            sizes |= {event.anchor: 1} if event.anchor else {}
            total += 1
        if total > MOST_VALUES:
            raise ParameterError(
                f"{line}: more than {MOST_VALUES:,} values once its aliases (*) are written out; nobody wrote that by hand."
            )


def _yaml_words(error: yaml.YAMLError) -> str:
    """The line and what is wrong there, without the address of the file."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or problem is None:
        return f"it holds a character that no text has ({' '.join(str(error).split())[:120]})."
    return f"line {mark.line + 1}: {problem}."


def _kind_of(value: object) -> str:
    """A value of YAML by its kind, in words."""
    kinds: dict[type, str] = {dict: "keys and values", list: "a list", str: "a text", type(None): "nothing"}
    return kinds.get(type(value), f"the value {in_quotes(value)}")


def bind(kind: type[D], data: Any, where: str) -> D:
    """``data`` as the dataclass ``kind``; every key known, every required key there, every value of its type."""
    if not isinstance(data, Mapping):
        raise ParameterError(f"{where}: should hold keys and values; it holds {_kind_of(data)}.")
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    for key in data:
        if key not in fields:
            raise ParameterError(
                f"{where}: unknown key {in_quotes(key)}.{suggestion(str(key)[:200], fields)} Known: {', '.join(fields)}."
            )
    missing = [
        name
        for name, field in fields.items()
        if name not in data
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ParameterError(f"{where}: '{missing[0]}' is missing; a value without it does not load.")
    return kind(**{name: convert(hints[name], value, f"{where}.{name}") for name, value in data.items()})


def convert(kind: Any, value: Any, where: str) -> Any:
    """``value`` as the annotated type ``kind``, or a refusal that says what was expected."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        found = convert(arguments[0], value, where)
        for domain in arguments[1:]:
            domain.refuse_outside(found, where)
        return found
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return convert(next(a for a in arguments if a is not type(None)), value, where)
    if origin is typing.Literal:
        if value not in arguments:
            raise ParameterError(
                f"{where}: {in_quotes(value)} is not allowed.{suggestion(str(value)[:200], map(str, arguments))} Allowed: {', '.join(map(str, arguments))}."
            )
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise ParameterError(f"{where}: should be a list.")
        return tuple(convert(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if origin in (dict, Mapping) or (origin is not None and issubclass(origin, Mapping)):
        if not isinstance(value, Mapping):
            raise ParameterError(f"{where}: should hold keys and values.")
        return {
            convert(arguments[0], key, where): convert(arguments[1], item, f"{where}.{key}")
            for key, item in value.items()
        }
    if kind is Text:
        return _text(value, where)
    if kind is Month:
        return _month(value, where)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return bind(kind, value, where)
    return _scalar(kind, value, where)


def _text(value: Any, where: str) -> Text:
    text = bind(Text, value, where) if isinstance(value, Mapping) else Text.same(convert(str, value, where))
    if not (text.en.strip() and text.zh.strip()):
        raise ParameterError(f"{where}: holds no text in {'Chinese' if text.en.strip() else 'English'}.")
    return text


def _month(value: Any, where: str) -> Month:
    try:
        return Month.parse(value)
    except ParameterError as error:
        raise ParameterError(f"{where}: {error}") from None


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if kind in (Decimal, float, int):
        return _number(kind, value, where)
    if kind is dt.date and isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return known_day(value, where)
    if kind in (str, bool) and isinstance(value, kind):
        if kind is str:
            Words().refuse_outside(value, where)
        return value
    raise _unfit(kind, value, where)


def _number(kind: Any, value: Any, where: str) -> Any:
    """A finite number of a size that can be computed with and printed."""
    kinds: dict[Any, tuple[type, ...]] = {
        Decimal: (int, Decimal, str),
        float: (int, float, Decimal),
        int: (int,),
    }
    if not isinstance(value, kinds[kind]) or isinstance(value, bool):
        raise _unfit(kind, value, where)
    try:
        exact = Decimal(typing.cast("Decimal", value))
    except InvalidOperation:
        raise _unfit(kind, value, where) from None
    if not exact.is_finite() or abs(exact) > LARGEST_NUMBER:
        raise ParameterError(
            f"{where}: {in_quotes(value)} is no number to compute with; it should be finite, and at most {LARGEST_NUMBER:,} either way."
        )
    return exact if kind is Decimal else kind(exact)


def _unfit(kind: Any, value: Any, where: str) -> ParameterError:
    names = {
        str: "text (put it in quotes)",
        bool: "true or false",
        dt.date: "a date such as 2026-10-31",
        Decimal: "a number",
        float: "a number",
        int: "a whole number",
    }
    return ParameterError(f"{where}: {in_quotes(value)} should be {names.get(kind, kind)}.")


# ---------------------------------------------------------------- what a value may be


@dataclasses.dataclass(frozen=True, kw_only=True)
class Within:
    """The numbers a value may have, as part of its type: ``Annotated[int, Within(low=1, high=600)]``.

    low, high : the ends, allowed themselves; above, below : ends that are not
    """

    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None

    def refuse_outside(self, value: Any, where: str) -> None:
        """Raise a ParameterError for a value outside."""
        outside = (
            (self.low is not None and value < self.low)
            or (self.high is not None and value > self.high)
            or (self.above is not None and value <= self.above)
            or (self.below is not None and value >= self.below)
        )
        if outside:
            raise ParameterError(f"{where}: {in_quotes(value)} should be {self}.")

    def __str__(self) -> str:
        ends = {"at least": self.low, "above": self.above, "at most": self.high, "below": self.below}
        return " and ".join(f"{word} {end:,}" for word, end in ends.items() if end is not None)


Share = typing.Annotated[float, Within(low=0, high=1)]
NotNegative = typing.Annotated[Decimal, Within(low=0)]
Seed = typing.Annotated[int, Within(low=0, high=2**32 - 1)]


def known_day(day: dt.date, where: str) -> dt.date:
    """A day on which something can have been known or planned; others (0001-01-01, 9999-12-31) stand for something that is not said."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ParameterError(f"{where}: {day} should be a day of the years {FIRST_YEAR} to {LAST_YEAR}.")
    return day


@dataclasses.dataclass(frozen=True, kw_only=True)
class Name:
    """A text that names a file or a folder: no control characters, and no longer than a file system takes."""

    longest: int = 200

    def refuse_outside(self, value: str, where: str) -> None:
        """Raise a ParameterError for a text that is no such name."""
        if len(value.encode("utf-8", "surrogatepass")) > self.longest:
            raise ParameterError(
                f"{where}: {in_quotes(value)} is too long; a name has at most {self.longest} letters."
            )
        if not value.isprintable():
            raise ParameterError(f"{where}: {in_quotes(value)} holds a character that no name has.")
        if without_credentials(value) != value or "://" in value:
            raise ParameterError(
                f"{where}: holds an address, and the name of a file or folder is expected. A database is named by url_from in a source map, a file or a list at an address under its extracts (docs/SOURCES.md)."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Words:
    """A text that is printed, no longer than its place on a page takes."""

    longest: int = 10_000

    def refuse_outside(self, value: str | Text, where: str) -> None:
        """Raise a ParameterError for a text that is longer."""
        letters = len(value) if isinstance(value, str) else max(len(value.en), len(value.zh))
        if letters > self.longest:
            raise ParameterError(
                f"{where}: a text of {letters:,} letters; it should have at most {self.longest:,}."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TimeZone:
    """A time zone by its name, with its summer time: ``Asia/Shanghai``."""

    def refuse_outside(self, value: str, where: str) -> None:
        """Raise a ParameterError for a name that no clock knows."""
        zone_of(value, where)


def zone_of(name: str, where: str) -> ZoneInfo:
    """The time zone of this name; ``where`` it is stated, for the refusal."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = suggestion(name[:200], sorted(available_timezones()))
        raise ParameterError(
            f"{where}: time zone {in_quotes(name)} is unknown; write it as Asia/Shanghai.{near}"
        ) from None


@dataclasses.dataclass(frozen=True, kw_only=True)
class CurrencyCode:
    """A currency by its code of ISO 4217: ``CNY``."""

    def refuse_outside(self, value: str, where: str) -> None:
        """Raise a ParameterError for what is no such code."""
        if not re.fullmatch(r"[A-Z]{3}", value):
            raise ParameterError(
                f"{where}: currency {in_quotes(value)} should be an ISO 4217 code such as CNY."
            )
