"""What a study returns: facts, the sentences made of them, findings and checks.

A :class:`Fact` is one published number. Sentences, tables and charts are rendered from facts, so a number on
the page can always be walked back; nothing in a report is typed by hand.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import quote, unquote

from analysis.errors import ParameterError
from analysis.formats import (
    NO_VALUE,
    PRINTED_AS_BOUNDS,
    Number,
    Unit,
    cell_text,
    date_text,
    decimal,
    is_bound,
    month_text,
    number_text,
    period_text,
)
from analysis.locale import LANGUAGES, Language, Text, spaced, translate
from analysis.periods import Month, Period
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

Severity = Literal["alert", "watch", "info", "good"]
Outcome = Literal["passed", "failed", "info"]
# By which part of the printed rule of severity (metrics/materiality.py) a finding is graded.
Ground = Literal[
    "loss",  # a loss that stands out from chance, by its sum
    "risk",  # money that is only at risk
    "unasked",  # money whose hidden causes were not asked for, or an ordinary one could explain it
    "limit",  # a stated limit broken
    "data",  # data that stop or do not tie
    "fix",  # a fix after which failures rose
    "no_sum",  # any other without a sum
    "small",  # an effect that does not reach the smallest that matters
    "statement",  # neither a loss nor a risk
    "good",  # for the better
]
CENT = Decimal("0.01")
SEVERITIES: tuple[Severity, ...] = ("alert", "watch", "info", "good")


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Lower and upper limit of an estimate, its coverage and how it was made."""

    low: float
    high: float
    level: float
    method: str

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ParameterError(f"interval: low {self.low} is above high {self.high} ({self.method}).")
        if not 0 < self.level < 1:
            raise ParameterError(f"interval: level {self.level} must lie between 0 and 1, e.g. 0.95.")

    @classmethod
    def spanning(cls, *, low: float, high: float, level: float, method: str) -> Interval:
        """The interval between two limits that may be turned round: multiplied by a cost below zero, the upper one is the smaller."""
        # comparing keeps what is not a number where it is, and it is refused
        ends = (high, low) if high < low else (low, high)
        return cls(low=ends[0], high=ends[1], level=level, method=method)

    def spanned(self, *, low: float, high: float) -> Interval:
        """The same statement between other limits, which may be turned round (:meth:`spanning`)."""
        return Interval.spanning(low=low, high=high, level=self.level, method=self.method)

    def holds(self, number: float) -> bool:
        """Whether a number lies within the limits or on one of them: no difference, where it is that number."""
        return self.low <= number <= self.high

    def as_json(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high, "level": self.level, "method": self.method}


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A number counted or summed from rows.

    ``numerator`` and ``denominator`` are SELECTs of the rows; ``value`` and ``of`` the SQL aggregates over them. The number is
    ``value`` over ``of`` times ``per``, or ``value`` alone.
    """

    numerator: str
    value: str = "count(*)"
    denominator: str = ""
    of: str = "count(*)"
    per: int = 1

    kind: ClassVar[str] = "rows"

    @property
    def queries(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.numerator, self.denominator)))

    def as_json(self) -> dict[str, Any]:
        parts = {"numerator": query_key(self.numerator)}
        values = {"numerator": self.value}
        if self.denominator:
            parts["denominator"], values["denominator"] = query_key(self.denominator), self.of
        packed: dict[str, Any] = {"kind": self.kind, "queries": parts, "values": values}
        return packed | {"per": self.per} if self.per != 1 else packed


@dataclass(frozen=True, kw_only=True, eq=False)
class Derived:
    """A number computed from other facts by one of :data:`OPERATIONS`."""

    operation: str
    parents: tuple[Fact, ...]

    kind: ClassVar[str] = "derived"

    def __post_init__(self) -> None:
        if self.operation not in OPERATIONS:
            raise ParameterError(f"lineage: no operation '{self.operation}'; known: {', '.join(OPERATIONS)}.")
        if not self.parents:
            raise ParameterError(f"lineage: '{self.operation}' of no facts.")

    @property
    def queries(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(q for parent in self.parents for q in parent.lineage_queries))

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "operation": self.operation,
            "parents": [parent.id for parent in self.parents],
        }


@dataclass(frozen=True, kw_only=True)
class Estimated:
    """A number that a function made of the rows its queries read.

    ``function`` states it, ``within`` is the study's entry that runs it (calling that again gives the number again), ``queries``
    are the frames it was given or asked for, ``parameters`` its scalar arguments as text.
    """

    function: str
    within: str = ""
    queries: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)

    kind: ClassVar[str] = "estimated"

    def as_json(self) -> dict[str, Any]:
        packed = {
            "kind": self.kind,
            "function": self.function,
            "within": self.within,
            "queries": [query_key(query) for query in self.queries],
        }
        return packed | {"parameters": dict(sorted(self.parameters.items()))} if self.parameters else packed


@dataclass(frozen=True, kw_only=True)
class Assumed:
    """A number that somebody decided: where it stands (a file of params) and under which name."""

    source: str
    name: str

    kind: ClassVar[str] = "assumed"
    queries: ClassVar[tuple[str, ...]] = ()

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "source": self.source, "name": self.name}


@dataclass(frozen=True, kw_only=True)
class Read:
    """A number counted while files were read, before there were rows that a query could list.

    ``files`` are the files counted, each with the SHA-256 of what was read (empty where the reader kept none); ``outcome`` is what became
    of the rows counted (``read``, ``duplicate``, ``left_out`` …).
    """

    table: str
    files: Mapping[str, str]
    outcome: str

    kind: ClassVar[str] = "read"
    queries: ClassVar[tuple[str, ...]] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "table": self.table,
            "files": dict(sorted(self.files.items())),
            "outcome": self.outcome,
        }


Lineage = Rows | Derived | Estimated | Assumed | Read


def query_key(sql: str) -> str:
    """The name under which a query's text is kept beside the facts."""
    return hashlib.sha256(sql.encode()).hexdigest()[:12]


def _alike(values: Sequence[Number]) -> Sequence[Number]:
    """Money beside a float is compared as decimals; else the numbers as they are."""
    mixed = any(isinstance(v, Decimal) for v in values) and any(isinstance(v, float) for v in values)
    return [decimal(value) for value in values] if mixed else values


def _total(values: Sequence[Number]) -> Number:
    values = _alike(values)
    return sum(values[1:], values[0])


def _difference(values: Sequence[Number]) -> Number:
    values = _alike(values)
    return values[0] - _total(values[1:])  # type: ignore[operator]


def _quotient(values: Sequence[Number]) -> Number:
    if isinstance(values[0], float) or isinstance(values[1], float):
        return float(values[0]) / float(values[1])
    return (
        decimal(values[0]) / decimal(values[1]) if isinstance(values[0], Decimal) else values[0] / values[1]
    )


def _product(values: Sequence[Number]) -> Number:
    result = values[0]
    for value in values[1:]:
        mixed = isinstance(result, float) or isinstance(value, float)
        result = float(result) * float(value) if mixed else result * value  # type: ignore[operator]
    return result


# What a derived fact may be of its parents; the first parent is what is counted, the second what it is counted against.
OPERATIONS: dict[str, Callable[[Sequence[Number]], Number]] = {
    "sum": _total,
    "difference": _difference,
    "quotient": _quotient,
    "product": _product,
    # money per head, as it is printed and paid
    "quotient_in_cents": lambda values: decimal(_quotient(values)).quantize(CENT),
    # what comes in, less what it costs (the last)
    "net": lambda values: _total(values[:-1]) - values[-1],  # type: ignore[operator]
    "complement": lambda values: 1 - values[0],
    "relative_change": lambda values: _quotient((_difference(values[:2]), values[1])),
    "copy": lambda values: values[0],
    "count": len,
    "largest": max,
    "smallest": min,
}


def _escaped(text: str) -> str:
    return quote(text, safe=" -_.~/()+&").replace("~", "%7E") if text.isascii() else _escaped_wide(text)


def _escaped_wide(text: str) -> str:
    """Chinese stays readable in an id; only the characters that structure an id are escaped."""
    return "".join(quote(char, safe="") if char in "%@=,#:" else char for char in text)


@dataclass(frozen=True, kw_only=True)
class Fact(Summarised):
    """One published number.

    ``value`` is in ``unit`` (shares from 0 to 1, money as Decimal in the currency the unit names). ``value`` is
    None only with a ``reason``, in words. An exact accounting total has no interval; an estimate has one and ``n``.
    ``period`` is a month (``2026-10``), a half-open range (``2026-01/2026-11``) or a day.
    """

    metric: str
    period: str
    unit: str
    value: Number | None
    dimensions: Mapping[str, str] = field(default_factory=dict)
    version: str = "1"
    numerator: Number | None = None
    denominator: Number | None = None
    interval: Interval | None = None
    n: int | None = None
    reason: Text | None = None
    formula: str = ""
    sources: tuple[str, ...] = ()
    lineage: Lineage | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        Unit.parse(self.unit)
        if self.value is None and self.reason is None:
            raise ParameterError(
                f"fact {self.id}: no value and no reason; a figure that cannot be computed says why."
            )
        if self.value is not None and not decimal(self.value).is_finite():
            raise ParameterError(f"fact {self.id}: value {self.value} is not finite; give a reason instead.")

    @property
    def id(self) -> str:
        """``metric[@dimension=value,…]#period:definition-version``; dimensions sorted, values escaped."""
        pairs = ",".join(f"{name}={_escaped(str(value))}" for name, value in sorted(self.dimensions.items()))
        return f"{self.metric}{'@' + pairs if pairs else ''}#{self.period}:{self.version}"

    def in_brief(self) -> str:
        return f"{self.id} = {self.value} {self.unit}"

    @property
    def parents(self) -> tuple[Fact, ...]:
        """The facts it was computed from; none for what came from rows, a model or an assumption."""
        return self.lineage.parents if isinstance(self.lineage, Derived) else ()

    @property
    def lineage_queries(self) -> tuple[str, ...]:
        """Every query that stands behind it, its parents' included."""
        return self.lineage.queries if self.lineage is not None else ()

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "metric": self.metric,
            "version": self.version,
            "period": self.period,
            "dimensions": dict(sorted(self.dimensions.items())),
            "value": json_number(self.value),
            "unit": self.unit,
            "numerator": json_number(self.numerator),
            "denominator": json_number(self.denominator),
            "interval": self.interval.as_json() if self.interval else None,
            "n": self.n,
            "reason": self.reason.as_json() if self.reason else None,
            "formula": self.formula,
            "sources": list(self.sources),
            "lineage": self.lineage.as_json() if self.lineage else None,
        }


@dataclass(frozen=True, kw_only=True)
class FactId:
    """The parts of a fact's id, as ``make trace`` reads them."""

    metric: str
    dimensions: Mapping[str, str]
    period: str
    version: str

    @classmethod
    def parse(cls, text: str) -> FactId:
        head, mark, tail = text.partition("#")
        period, colon, version = tail.rpartition(":")
        if not (mark and colon and period and version):
            raise ParameterError(
                f"'{text}' is no fact id; it looks like after_sales_cost@region=South#2026-10:1."
            )
        metric, _, pairs = head.partition("@")
        dimensions = {}
        for pair in filter(None, pairs.split(",")):
            name, equals, value = pair.partition("=")
            if not equals:
                raise ParameterError(f"'{text}': '{pair}' should be dimension=value.")
            dimensions[name] = unquote(value)
        return cls(metric=metric, dimensions=dimensions, period=period, version=version)


def json_number(value: Number | None) -> int | float | str | None:
    """A JSON number that reads back as the same decimal; text where a float could not hold it."""
    if not isinstance(value, Decimal):
        return value
    number, exponent = float(value), value.as_tuple().exponent
    if exponent == 0 and abs(value) < 2**53:
        return int(value)
    quotient = (
        isinstance(exponent, int) and exponent < -6
    )  # a ratio of amounts: no finite decimal, so a float says as much
    return number if quotient or Decimal(repr(number)) == value else str(value)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A piece of rendered text and what stands behind it: words, a fact, or a label taken from the data."""

    text: str
    kind: Literal["words", "fact", "label", "period"] = "words"
    fact: str | None = None

    def as_json(self) -> dict[str, str]:
        packed = {"t": self.text}
        if self.kind != "words":
            packed["k"] = self.kind
        if self.fact:
            packed["fact"] = self.fact
        return packed


@dataclass(frozen=True)
class Lacking(Text):
    """Why a fact has no value where tables or columns are absent: in words, and by their names."""

    needs: tuple[str, ...] = ()


Value = Fact | Month | Period | dt.date | Text | str


@dataclass(frozen=True)
class Sentence(Summarised):
    """A template of the message catalogue and the values of its placeholders.

    ``Sentence("Cost {cost:word|rose|fell|did not change} to {cost}.", {"cost": fact})``. After the colon: nothing
    (the unit's usual wording), ``abs``, ``signed``, ``exact``, ``interval``, ``doubt`` (the interval in brackets, nothing where there is none),
    ``level``, ``n``, ``numerator``, ``denominator``, ``word|up|down|same`` by the sign, ``plural|one|many``. A plain string is a label from the data; it is never translated.
    """

    template: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def segments(self, language: Language) -> list[Segment]:
        pieces: list[Segment] = []
        for literal, name, specification, _ in string.Formatter().parse(translate(self.template, language)):
            if literal:
                pieces.append(Segment(text=literal))
            if name is not None:
                if name not in self.values:
                    raise ParameterError(f"sentence '{self.template}': no value for {{{name}}}.")
                pieces.append(_placed(self.values[name], specification or "", language))
        if language == "zh":
            texts = spaced([piece.text for piece in pieces], own=[piece.kind == "words" for piece in pieces])
            pieces = [replace(piece, text=text) for piece, text in zip(pieces, texts, strict=True)]
        return [piece for piece in pieces if piece.text]

    def plain(self, language: Language = "en") -> str:
        return "".join(segment.text for segment in self.segments(language))

    def text(self) -> Text:
        """The sentence as a label in both languages; what facts it names is not kept."""
        return Text(en=self.plain("en"), zh=self.plain("zh"))

    def facts(self) -> Iterator[Fact]:
        return (value for value in self.values.values() if isinstance(value, Fact))

    def as_json(self) -> dict[str, list[dict[str, str]]]:
        return {language: [s.as_json() for s in self.segments(language)] for language in LANGUAGES}

    def __str__(self) -> str:
        return self.plain("en")

    def in_brief(self) -> str:
        return str(self)


def lacking(*needs: str) -> Lacking:
    """The reason of a fact whose tables or columns are absent."""
    said = Sentence("not computed: needs {names}", {"names": ", ".join(needs)}).text()
    return Lacking(said.en, said.zh, needs)


def _placed(value: Value, specification: str, language: Language) -> Segment:
    if isinstance(value, Fact):
        return _fact_segment(value, specification, language)
    if isinstance(value, Month):
        return Segment(text=month_text(value, language), kind="period")
    if isinstance(value, Period):
        return Segment(text=period_text(value, language), kind="period")
    if isinstance(value, dt.date):
        return Segment(text=date_text(value, language), kind="period")
    if isinstance(value, Text):
        text = value[language]
        if specification == "lower" and language == "en":
            text = text[:1].lower() + text[1:]
        return Segment(text=text, kind="label")
    if isinstance(value, str):
        return Segment(text=value, kind="label")
    raise ParameterError(f"a sentence cannot hold a bare {type(value).__name__}; make it a fact first.")


def _fact_segment(fact: Fact, specification: str, language: Language) -> Segment:
    kind, *words = specification.split("|")
    if kind == "doubt":
        return Segment(text=_bracketed(fact, language), kind="fact", fact=fact.id)
    if fact.value is None:
        assert fact.reason is not None  # __post_init__ holds it
        return Segment(text=fact.reason[language], kind="fact", fact=fact.id)
    if kind == "word":
        up, down, same = words
        return Segment(text=up if fact.value > 0 else down if fact.value < 0 else same)
    if kind == "plural":
        one, many = words
        return Segment(text=one if abs(fact.value) == 1 else many)
    return Segment(text=_fact_text(fact, kind, language), kind="fact", fact=fact.id)


def _bracketed(fact: Fact, language: Language) -> str:
    """The interval after its number; nothing where there is none."""
    if fact.value is None or fact.interval is None:
        return ""
    found = interval_text(fact.interval, fact.unit, language)
    if fact.value is not None and one_bound((fact.value, fact.interval.low, fact.interval.high), fact.unit):
        return ""
    return f" ({found})" if language == "en" else f"（{found}）"


def _fact_text(fact: Fact, kind: str, language: Language) -> str:
    assert fact.value is not None
    match kind:
        case "":
            return number_text(fact.value, fact.unit, language, exact=_is_narrow(fact.interval, fact.unit))
        case "abs":
            return number_text(abs(decimal(fact.value)), fact.unit, language)
        case "signed":
            return number_text(fact.value, fact.unit, language, signed=True)
        case "exact":
            return number_text(fact.value, fact.unit, language, exact=True)
        case "n":
            return number_text(_needed(fact, fact.n, "n"), "count", language)
        case "numerator" | "denominator":
            unit = Unit.parse(fact.unit)
            number: Number = _needed(fact, fact.numerator if kind == "numerator" else fact.denominator, kind)
            return number_text(
                number, unit.base if unit.is_money and kind == "numerator" else "count", language
            )
        case "level":
            interval = _needed(fact, fact.interval, "interval")
            return f"{interval.level * 100:g}%"
        case "interval":
            return (
                interval_text(fact.interval, fact.unit, language) if fact.interval else NO_INTERVAL[language]
            )
    raise ParameterError(
        f"fact {fact.id}: no format '{kind}'; known: abs, signed, exact, n, interval, doubt, level, word, plural."
    )


def _needed(fact: Fact, part: Any, name: str) -> Any:
    if part is None:
        raise ParameterError(f"fact {fact.id} has no {name}, but a sentence prints it.")
    return part


# A sign before the currency, and per cent, belong to the number.
_NUMBER_IN_UNIT = re.compile(r"(?P<unit>[^\d−+]*)[−+]?\d[\d,.]*%?(?P<tail>.*)")
# Of one claim, or where all came back alike, there is an estimate without limits: a sentence says so.
NO_INTERVAL = Text.of("no interval")


def interval_text(interval: Interval, unit: str, language: Language) -> str:
    """``95% interval 2.4 to 4.0 times``, ``CNY 1.5 to 2.4 million``; a unit that both limits share stands once."""
    exact = _is_narrow(interval, unit)
    low, high = unit_once(
        number_text(interval.low, unit, language, exact=exact),
        number_text(interval.high, unit, language, exact=exact),
        unit,
    )
    level = f"{interval.level * 100:g}%"
    if one_bound((interval.low, interval.high), unit):
        return Text.filled("{level} interval {low}", level=level, low=low)[language]
    return Text.filled("{level} interval {low} to {high}", level=level, low=low, high=high)[language]


# Limits nearer to each other than this would be printed as the chance itself, in whole per cent.
_NARROW_CHANCE = 0.02


def _is_narrow(interval: Interval | None, unit: str) -> bool:
    """Whether a chance needs a decimal, so that its limits are seen apart from it."""
    return unit == "chance" and interval is not None and interval.high - interval.low < _NARROW_CHANCE


def one_bound(numbers: Sequence[Number], unit: str) -> bool:
    """Whether all numbers lie beyond the same bound, which then says all there is to say of them."""
    return all(is_bound(number, unit) for number in numbers) and (
        len({number_text(number, unit, "en") for number in numbers}) == 1
    )


def unit_once(low: str, high: str, unit: str) -> tuple[str, str]:
    """Two printed limits without the unit between them, where both end or begin with the same: ``CNY 1.5``, ``2.4 million``.

    The word of a bound is no unit: it stays with its number, as in ``over 99% to over 99%``.
    """
    if unit in PRINTED_AS_BOUNDS:
        return low, high
    first, last = _NUMBER_IN_UNIT.fullmatch(low), _NUMBER_IN_UNIT.fullmatch(high)
    if first and last and first.group("unit", "tail") == last.group("unit", "tail"):
        return low.removesuffix(first["tail"]), high.removeprefix(last["unit"])
    return low, high


def interval_cell(fact: Fact, *, places: int | None = None, factor: int = 1) -> str:
    """``2.4 – 4.0`` for a table; a dash where the fact has no interval."""
    if fact.interval is None or fact.value is None:
        return NO_VALUE
    from analysis.formats import Scale

    scale = Scale(factor, "", "")
    return " – ".join(
        cell_text(edge, fact.unit, places=places, scale=scale)
        for edge in (fact.interval.low, fact.interval.high)
    )


@dataclass(frozen=True, kw_only=True)
class Check(Summarised):
    """A doubt made visible: one question to the data and its answer in a sentence.

    A failed check that is ``blocking`` keeps the pack from being issued (a ledger that does not tie out); any other failed
    check is printed beside the result it weakens.
    """

    id: str
    outcome: Outcome
    sentence: Sentence
    blocking: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "outcome": self.outcome,
            "blocking": self.blocking,
            "sentence": self.sentence.as_json(),
        }


YEAR = 12  # months


@dataclass(frozen=True, kw_only=True)
class Stake(Summarised):
    """The money a finding is about, in the reporting currency; its sign says nothing.

    amount, low, high : the sum and the ends of its interval; where it is exact, all three are the sum
    months : how many the sum covers; a balance counts as a year
    yearly : the least per year, where parts of the sum cover different spans
    """

    amount: float
    low: float
    high: float
    months: int = YEAR
    yearly: float | None = None

    @classmethod
    def of(cls, money: Fact, *, months: int | None = None) -> Stake | None:
        """What a fact of money says, over the months of its period unless others are given; None where it has no value."""
        if money.value is None:
            return None
        amount, limits = float(money.value), money.interval
        low, high = (amount, amount) if limits is None else (float(limits.low), float(limits.high))
        return cls(amount=amount, low=low, high=high, months=months or _months_of(money.period))

    @property
    def least(self) -> float:
        """The least it may be: the nearer end of the interval, nothing where it holds zero."""
        return 0.0 if self.low <= 0 <= self.high else min(abs(self.low), abs(self.high))

    @property
    def per_year(self) -> float:
        """Money at stake per year: the least it may be; a sum over more than a year is divided to one, a shorter one is not carried on."""
        return self.least * min(1.0, YEAR / self.months) if self.yearly is None else self.yearly

    def as_json(self) -> dict[str, float]:
        return {
            "amount": self.amount,
            "low": self.low,
            "high": self.high,
            "months": self.months,
            "per_year": self.per_year,
        }


def _months_of(period: str) -> int:
    """Months of a period as facts print it: one, or a half-open range of months."""
    first, ranged, end = period.partition("/")
    return Month.parse(end).months_since(Month.parse(first)) if ranged else 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Finding(Summarised):
    """A sentence the report stands behind, the facts it is made of and the rows that prove it.

    ``ground`` is the part of the printed rule that gives the severity, ``stake`` the money it weighs (None: no sum). ``rank`` orders findings
    of one severity inside their own section, in whatever unit the section takes; across sections money does (:attr:`Stake.per_year`).
    """

    id: str
    section: str
    severity: Severity
    statement: Sentence
    subject: Mapping[str, str] = field(default_factory=dict)
    evidence: pd.DataFrame | None = None
    method: str = ""
    checks: tuple[str, ...] = ()
    rank: float = 0.0
    ground: Ground = "statement"
    stake: Stake | None = None

    def facts(self) -> tuple[Fact, ...]:
        return tuple(self.statement.facts())

    def as_json(self, *, evidence: str | None = None) -> dict[str, Any]:
        """The record of DESIGN; ``evidence`` is where its rows were written."""
        return {
            "id": self.id,
            "section": self.section,
            "severity": self.severity,
            "subject": dict(self.subject),
            "values": {
                name: _value_json(fact)
                for name, fact in self.statement.values.items()
                if isinstance(fact, Fact)
            },
            "statement": {language: self.statement.plain(language) for language in LANGUAGES},
            "segments": self.statement.as_json(),
            "evidence": evidence,
            "method": Text.of(self.method).as_json() if self.method else None,
            "checks": list(self.checks),
            "rank": self.rank,
            "ground": self.ground,
            "stake": self.stake.as_json() if self.stake else None,
        }


def _value_json(fact: Fact) -> dict[str, Any]:
    value: dict[str, Any] = {"fact": fact.id, "value": json_number(fact.value), "unit": fact.unit}
    if fact.interval:
        value |= {"low": fact.interval.low, "high": fact.interval.high, "level": fact.interval.level}
    return value


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Findings of one section: alerts first; inside a severity the weightiest first (``rank``), then by id."""
    return sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), -f.rank, f.id))
