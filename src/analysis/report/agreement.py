"""Quantities of a pack that lie near each other under different names: listed for a person.

Where one quantity has two names and two ways of being computed, its numbers drift apart by a cent, a day or a customer, and a reader meets
both. Such a pair cannot be told from two quantities that happen to be near by its numbers alone, so a person decides: the second is
made to follow from the first, or ``params/two_quantities.yml`` says why they are two. A pair nobody has decided about fails a test. No
reason covers one value with two intervals: that is one quantity estimated twice.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.metrics import Registry
from analysis.params.places import params_file, shown
from analysis.params.strict import bind, read_yaml
from analysis.periods import Month

#: Share of the larger number within which two numbers are near: of one slice, and where one slice is a part of the other.
NEAR = 0.02
NEAR_OF_A_PART = 0.005
#: A count below this is near too many others to say anything.
LEAST_COUNT = 20
#: Share of a number within which it is the same one: a cent of an amount that a table prints.
SAME = 1e-8
#: Words of a name that say what kind of number it is, or nothing.
_PLAIN_WORDS = frozenset(
    (
        *(
            "a",
            "an",
            "and",
            "at",
            "by",
            "for",
            "from",
            "in",
            "its",
            "not",
            "of",
            "on",
            "or",
            "over",
            "per",
            "that",
        ),
        *("the", "to", "with", "chance", "number", "rate", "ratio", "share", "value"),
    )
)


@dataclass(frozen=True, kw_only=True)
class TwoQuantities:
    """``metrics`` have numbers that may lie near each other, and ``because`` says why they are two quantities all the same."""

    metrics: tuple[str, ...]
    because: str


@dataclass(frozen=True, kw_only=True)
class _Decided:
    pairs: tuple[TwoQuantities, ...]


Case = tuple[Mapping[str, Any], Mapping[str, Any]]
Cases = list[Case]
Metrics = tuple[str, str]


@dataclass(frozen=True, order=True)
class NearPair:
    """Two metrics, how often their numbers are near without being told apart, and the closest case."""

    metrics: tuple[str, str]
    cases: int
    equal: int
    ids: tuple[str, str]
    values: tuple[float, float]

    def __str__(self) -> str:
        one, other = self.metrics
        return (
            f"{one} and {other}: {self.cases} near, {self.equal} of them equal; "
            f"{self.ids[0]} = {self.values[0]:,.10g}, {self.ids[1]} = {self.values[1]:,.10g}"
        )


def near_pairs(facts: Iterable[Mapping[str, Any]], registry: Registry) -> list[NearPair]:
    """Pairs of metrics that may be one quantity.

    Parameters
    ----------
    facts : entries of an edition's ``facts.json``.
    registry : the definitions, for the names.

    Returns
    -------
    list of NearPair
        Same unit, periods that begin or end with the same month or follow on each other, a word of the name in common or an amount
        equal to the cent, and numbers within `NEAR` in one slice, or within `NEAR_OF_A_PART` and not equal where one slice has one value
        more than the other (equal they are a total and the part that makes all of it). Left out are a fact and what its lineage says it follows from, and decided numbers
        (assumptions), which may be alike by decision.
    """
    return sorted(_closest(metrics, cases) for metrics, cases in _near_cases(facts, registry))


def _near_cases(facts: Iterable[Mapping[str, Any]], registry: Registry) -> Iterable[tuple[Metrics, Cases]]:
    found: dict[Metrics, Cases] = defaultdict(list)
    for alike in _comparable(facts).values():
        for one, other in _neighbours(sorted(alike, key=lambda fact: float(fact["value"]))):
            if (
                _same_slice(one, other)
                and _same_time(one, other)
                and not _follow(one, other)
                and _related(one, other, registry)
            ):
                first, second = sorted((one, other), key=lambda fact: str(fact["metric"]))
                found[first["metric"], second["metric"]].append((first, second))
    return found.items()


def _torn(case: Case) -> bool:
    """Whether both of a pair hold the same value with intervals that do not end at the same places."""
    one, other = case
    value, ends = float(one["value"]), [_ends(fact) for fact in case]
    told_apart = abs(value) >= 1000 and abs(value - float(other["value"])) <= SAME * abs(value)
    return told_apart and None not in ends and not _alike(*ends)  # type: ignore[arg-type]


def _ends(fact: Mapping[str, Any]) -> tuple[float, float] | None:
    interval = fact.get("interval")
    return interval and (float(interval["low"]), float(interval["high"]))


def _alike(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(a - b) <= SAME * max(abs(a), abs(b)) for a, b in zip(one, other, strict=True))


def undecided(facts: Iterable[Mapping[str, Any]], registry: Registry) -> list[NearPair]:
    """Pairs of one value with two intervals, and the near pairs that ``params/two_quantities.yml`` gives no reason for."""
    facts = list(facts)
    decided = {frozenset(pair.metrics) for pair in decided_pairs()}
    torn = torn_pairs(facts, registry)
    near = [pair for pair in near_pairs(facts, registry) if frozenset(pair.metrics) not in decided]
    return torn + [pair for pair in near if pair.metrics not in {one.metrics for one in torn}]


def torn_pairs(facts: Iterable[Mapping[str, Any]], registry: Registry) -> list[NearPair]:
    """Pairs of metrics with one value and two intervals: a quantity that was estimated twice, whatever was decided about its names.

    Small and round numbers meet by chance, so the value is an amount with cents, or a count of four digits under names with a word in common.
    """
    torn = [pair for pair in _near_cases(facts, registry) if any(map(_torn, pair[1]))]
    return sorted(_closest(metrics, [case for case in cases if _torn(case)]) for metrics, cases in torn)


def decided_pairs(path: Path | None = None) -> tuple[TwoQuantities, ...]:
    """What ``params/two_quantities.yml`` states."""
    path = path or params_file("two_quantities.yml")
    return bind(_Decided, read_yaml(path), shown(path)).pairs


def _comparable(facts: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    kept: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for fact in facts:
        value, unit = fact["value"], fact["unit"]
        if not isinstance(value, int | float) or (fact["lineage"] or {}).get("kind") == "assumed":
            continue
        if value and (isinstance(value, float) and value % 1 or abs(value) >= LEAST_COUNT):
            kept[unit].append(fact)
    return kept


def _same_slice(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    ours, theirs = (frozenset(map(str, fact["dimensions"].values())) for fact in (one, other))
    if ours == theirs:
        return True
    low, high = float(one["value"]), float(other["value"])
    part = (ours < theirs or theirs < ours) and len(ours ^ theirs) == 1
    return part and 0 < high - low <= NEAR_OF_A_PART * max(abs(low), abs(high))


def _same_time(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    (start, end), (other_start, other_end) = _bounds(one["period"]), _bounds(other["period"])
    return start in (other_start, other_end) or end in (other_start, other_end)


def _bounds(period: str) -> tuple[Month, Month]:
    first, _, end = str(period).partition("/")
    return Month.parse(first), Month.parse(end) if end else Month.parse(first) + 1


def _neighbours(by_value: list[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for place, one in enumerate(by_value):
        for other in by_value[place + 1 :]:
            low, high = float(one["value"]), float(other["value"])
            if high - low > NEAR * max(abs(low), abs(high)):
                break
            if one["metric"] != other["metric"]:
                yield one, other


def _follow(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return other["id"] in _parents(one) or one["id"] in _parents(other)


def _parents(fact: Mapping[str, Any]) -> Sequence[str]:
    return (fact["lineage"] or {}).get("parents") or ()


def _related(one: Mapping[str, Any], other: Mapping[str, Any], registry: Registry) -> bool:
    if _words(one["metric"], registry) & _words(other["metric"], registry):
        return True
    value = float(one["value"])
    return value == other["value"] and round(value * 100) % 100 != 0 and abs(value) >= 1000


def _words(metric: str, registry: Registry) -> frozenset[str]:
    words = re.findall(r"[a-z]+", registry[metric].name.en.lower())
    return frozenset(word.removesuffix("s") for word in words if word not in _PLAIN_WORDS)


def _closest(metrics: Metrics, cases: Sequence[Case]) -> NearPair:
    def gap(case: Case) -> float:
        return abs(float(case[0]["value"]) - float(case[1]["value"]))

    # the closest that differ say more than a pair that is equal
    one, other = min(cases, key=lambda case: (gap(case) == 0, gap(case), case[0]["id"], case[1]["id"]))
    equal = sum(gap(case) == 0 for case in cases)
    return NearPair(metrics, len(cases), equal, (one["id"], other["id"]), (one["value"], other["value"]))
