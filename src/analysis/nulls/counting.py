"""How many companies had a false finding, and whether that is more than promised."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from analysis.stats import proportion_interval
from analysis.summaries import Summarised

if TYPE_CHECKING:
    from analysis.nulls.running import Record

PROMISED = 0.05
STANDARD_ERRORS = 3.0
Count = Literal["alarms", "shown"]


@dataclass(frozen=True, kw_only=True)
class Tally(Summarised):
    """Companies with at least one false finding of a study, of one kind where ``kind`` is named.

    found, companies : companies with one, and companies studied
    low, high : Wilson interval at 95 %
    """

    study: str
    kind: str
    found: int
    companies: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        return self.found / self.companies

    @property
    def limit(self) -> float:
        """The highest rate that is still taken for the promised one: it plus three standard errors at this number of companies."""
        return at_most(self.companies)

    @property
    def holds(self) -> bool:
        return self.rate <= self.limit


def at_most(companies: int, *, promised: float = PROMISED) -> float:
    """``promised`` plus three standard errors of a share of so many companies."""
    return promised + STANDARD_ERRORS * math.sqrt(promised * (1 - promised) / companies)


def at_least(companies: int, *, promised: float) -> float:
    """``promised`` minus three standard errors: the lowest coverage that is still taken for it."""
    return promised - STANDARD_ERRORS * math.sqrt(promised * (1 - promised) / companies)


#: Tests that are corrected for their number by themselves, apart from the other tests of their study, by how their kinds begin.
APART = {"retention.chain.": "retention, chain", "value.group.": "value, groups"}


@dataclass(frozen=True, kw_only=True)
class Covered(Summarised):
    """Companies in which the interval of an estimate held the planted truth, of those in which it was stated.

    low, high : Wilson interval at 95 % of that share
    """

    study: str
    estimate: str
    held: int
    stated: int
    companies: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        return self.held / self.stated if self.stated else math.nan

    @property
    def limit(self) -> float:
        """The lowest share that is still taken for 95 %."""
        return at_least(self.stated, promised=1 - PROMISED) if self.stated else math.nan

    @property
    def holds(self) -> bool:
        return self.rate >= self.limit


def covered(records: Sequence[Record]) -> tuple[Covered, ...]:
    """By study and estimate, in the order in which they were asked for."""
    found = []
    for study in dict.fromkeys(name for record in records for name in record.answers):
        answers = [record.answers[study] for record in records if study in record.answers]
        for estimate in sorted(
            {name for one in answers for name in (*one.held, *one.missed, *one.not_stated)}
        ):
            held = sum(estimate in one.held for one in answers)
            stated = held + sum(estimate in one.missed for one in answers)
            limits = proportion_interval(held, max(stated, 1), method="wilson")
            found.append(
                Covered(
                    study=study,
                    estimate=estimate,
                    held=held,
                    stated=stated,
                    companies=len(answers),
                    low=float(limits.low),
                    high=float(limits.high),
                )
            )
    return tuple(found)


#: Kinds that are true of these companies although nothing is planted: listed, and not counted against a study.
TRUE_HERE = frozenset({"retention.chain.contacts_to_cost"})


def tallied(records: Sequence[Record], count: Count) -> tuple[Tally, ...]:
    """By study (and by tests that are corrected apart), first of any kind and then of each kind, the most frequent first."""
    found = []
    for study in dict.fromkeys(name for record in records for name in record.answers):
        kinds = [
            frozenset(getattr(record.answers[study], count)) for record in records if study in record.answers
        ]
        families = [study] + [name for name in APART.values() if count == "shown" and name.startswith(study)]
        for family in families:
            found += _family(
                family, [frozenset(k for k in one if _family_of(k, study) == family) for one in kinds]
            )
    return tuple(found)


def _family_of(kind: str, study: str) -> str:
    return next((name for begin, name in APART.items() if kind.startswith(begin)), study)


def _family(name: str, kinds: Sequence[frozenset[str]]) -> list[Tally]:
    every: Mapping[str, int] = Counter(kind for one in kinds for kind in one)
    return [
        _tally(name, "", (bool(one - TRUE_HERE) for one in kinds)),
        *(
            _tally(name, kind, (kind in one for one in kinds))
            for kind in sorted(every, key=lambda kind: (-every[kind], kind))
        ),
    ]


def _tally(study: str, kind: str, hits: Iterable[bool]) -> Tally:
    counted = list(hits)
    limits = proportion_interval(sum(counted), len(counted), method="wilson")
    return Tally(
        study=study,
        kind=kind,
        found=sum(counted),
        companies=len(counted),
        low=float(limits.low),
        high=float(limits.high),
    )
