"""The register of recomputed figures: which printed fact, by which function, how near."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import pandas as pd

from recomputed.raw import Raw

MONEY, COUNT, SHARE, MODEL = "money", "count", "share", "model"
ROUNDING = 1e-9  # a ratio of two exact numbers: floating point may differ in its last digits


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a printed fact is of: metric, dimensions, first day and the day after the last."""

    metric: str
    of: dict[str, str]
    first: pd.Timestamp
    end: pd.Timestamp

    @classmethod
    def parse(cls, key: str) -> Asked:
        name, _, period = key.partition("#")
        metric, _, listed = name.partition("@")
        first, _, end = period.partition("/")
        begins = pd.Period(first, "M")
        return cls(
            metric=metric,
            of=dict(pair.split("=", 1) for pair in listed.split(",")) if listed else {},
            first=begins.start_time,
            end=pd.Period(end, "M").start_time if end else (begins + 1).start_time,
        )

    @property
    def months(self) -> pd.PeriodIndex:
        return pd.period_range(self.first, self.end - pd.Timedelta(days=1), freq="M")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A printed figure and how it is found again.

    fact : identity without the version: ``metric@dimension=value,…#period``; a span is ``first/end``, the end being the month after it
    part : ``value``, or ``low`` or ``high`` of its interval
    kind : ``money`` (equal to the cent), ``count`` (equal), ``share`` (a ratio of exact numbers), ``model`` (estimated; ``within`` says how near)
    within : relative difference allowed; ``why`` says why so much
    wrong : the pack is wrong: why, and what is right
    """

    fact: str
    section: str
    kind: str
    compute: Callable[[Raw, Asked], float | int | Decimal]
    part: str = "value"
    within: float = 0.0
    why: str = ""
    wrong: str = ""

    @property
    def name(self) -> str:
        return f"{self.section}: {self.fact}" + ("" if self.part == "value" else f" [{self.part}]")


@dataclass
class Section:
    """The figures of one section of the report; its methods are decorators."""

    name: str
    figures: list[Figure] = field(default_factory=list)

    def recomputes(
        self,
        *facts: str,
        kind: str,
        part: str = "value",
        within: float | None = None,
        why: str = "",
        wrong: str = "",
    ) -> Callable[[Callable[..., object]], Callable[..., object]]:
        """The decorated function ``(raw, asked)`` finds these printed figures again; several may be stacked."""
        near = {MONEY: 0.0, COUNT: 0.0, SHARE: ROUNDING}.get(kind, 0.0) if within is None else within

        def register(function: Callable[..., object]) -> Callable[..., object]:
            self.figures += [
                Figure(
                    fact=fact,
                    section=self.name,
                    kind=kind,
                    compute=function,  # type: ignore[arg-type]
                    part=part,
                    within=near,
                    why=why,
                    wrong=wrong,
                )
                for fact in facts
            ]
            return function

        return register


def difference(figure: Figure, printed: float | str, found: float | int | Decimal) -> str:
    """Empty where they agree; else the printed figure, the recomputed one and the difference."""
    if figure.kind == MONEY:
        shown, mine = (
            Decimal(str(printed)).quantize(Decimal("0.01")),
            Decimal(found).quantize(Decimal("0.01")),
        )
        agree = shown == mine
    else:
        shown, mine = float(printed), float(found)  # type: ignore[assignment]
        agree = abs(mine - shown) <= figure.within * max(abs(shown), abs(mine))
    if agree:
        return ""
    share = f", {float(mine - shown) / float(shown):+.3%} of it" if shown else ""
    return (
        f"{figure.name}: printed {shown}, recomputed {mine}, difference {mine - shown}{share} "
        f"(allowed {figure.within:g})"
    )
