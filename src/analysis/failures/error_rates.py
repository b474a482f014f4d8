"""How often the study may be wrong where there is nothing to find."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from analysis.params import Assumptions
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True)
class ErrorRates(Summarised):
    """Error rates of the statistical findings, from ``params/assumptions.yml``; together they stay below five percent.

    search : naming any cause when there is none; watch : any cell called new; fix : a wrong verdict on any fix;
    life : any component read as wearing out or failing early; words : any term called distinctive
    """

    search: float
    watch: float
    fix: float
    life: float
    words: float

    @classmethod
    def of(cls, assumptions: Assumptions, *, on: dt.date) -> ErrorRates:
        """The rates that hold on a day."""
        names = ("search", "watch", "fix", "life", "words")
        return cls(**{name: float(assumptions.value(f"failure_{name}_error", on=on)) for name in names})
