"""What a study is given: the engine, the month and the parameters it may use. It reads nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from analysis.errors import FitError, MissingData
from analysis.locale import Text
from analysis.locale.lengths import of_length
from analysis.metrics.engine import Engine
from analysis.metrics.whole_month import BEGUN, PARTIAL
from analysis.params import Assumptions, CostTree, RunParams
from analysis.periods import Month, Period
from analysis.results import Sentence, Value
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from analysis.results import Fact
    from analysis.tables.slicing import SlicedTable


@dataclass(frozen=True, kw_only=True, eq=False)
class EarlierEdition(Summarised):
    """The newest issued edition of an earlier month: what the last report said.

    ``facts_sha256`` is the hash of its facts as they lie there. An edition that was ``changed`` after it was issued says nothing.
    """

    month: Month
    number: int
    folder: Path
    facts_sha256: str
    read: Callable[[], Sequence[Mapping[str, Any]]]
    changed: bool = False

    def facts(self, metric: str) -> list[Mapping[str, Any]]:
        """Its facts of one metric, as records (see ``Fact.as_json``)."""
        return [] if self.changed else [fact for fact in self.read() if fact["metric"] == metric]

    @property
    def identity(self) -> dict[str, Any]:
        """What a report that was made beside it follows from."""
        return {
            "month": str(self.month),
            "edition": self.number,
            "facts": self.facts_sha256,
            "changed": self.changed,
        }


class ClaimsAhead(Protocol):
    """Claims to come on machines under warranty.

    ``rows``: one a ``product_line`` and ``month`` ahead, with the expected ``failures`` and their ``cost`` (direct) and ``full`` cost (hours of own staff as well; missing where not known); ``draws``: the whole sum in money, one value a
    simulated future, and ``counts`` its failures; ``remaining``: the failures and direct cost of all the warranty that is left, as their own section states them, whatever horizon was asked for.
    """

    @property
    def rows(self) -> pd.DataFrame: ...

    @property
    def draws(self) -> np.ndarray: ...

    @property
    def counts(self) -> np.ndarray: ...

    @property
    def remaining(self) -> tuple[Fact, ...]: ...


class CostAhead(Protocol):
    """After-sales cost of the twelve months ahead, as every section uses it.

    ``total``: the forecast that is printed; ``draws``: its simulated futures, one sum of twelve months each.
    """

    @property
    def total(self) -> Fact: ...

    @property
    def draws(self) -> np.ndarray: ...


class ExperienceMoney(Protocol):
    """What the churn section says in money of an experience of service.

    ``money``: the yearly margin that goes with ``difference``, the difference in loss; ``customers``: how many it is of.
    """

    @property
    def money(self) -> Fact: ...

    @property
    def difference(self) -> Fact: ...

    @property
    def customers(self) -> int: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyInputs(Summarised):
    """One period of one company, ready to be studied.

    ``month`` is the report month, of a quarter or a year its last: where every window of a study's own ends. ``period`` is what is reported.

    ``sliced`` says where the company's rows went when only a part of it is studied, by table. ``rows_end`` is the last day with a row where the rows end before the report month does (:mod:`analysis.metrics.whole_month`): such a month
    is not compared with a whole one; ``rows_begin`` is, by table, the first day with a row of a table that begins within a month. ``earlier`` is what the last report said; ``claims_ahead``, ``cost_ahead`` and ``experience_money`` lend what one study found to another that may
    not import it: called with these inputs (and a number of months). All may be absent.
    """

    engine: Engine
    month: Month
    params: RunParams
    assumptions: Assumptions
    cost_tree: CostTree
    sliced: tuple[SlicedTable, ...] = ()
    rows_end: dt.date | None = None
    rows_begin: Mapping[str, dt.date] = field(default_factory=dict)
    earlier: EarlierEdition | None = None
    claims_ahead: Callable[[StudyInputs, int], ClaimsAhead] | None = None
    cost_ahead: Callable[[StudyInputs], CostAhead] | None = None
    experience_money: Callable[[StudyInputs], Mapping[str, ExperienceMoney]] | None = None

    @property
    def period(self) -> Period:
        """What is reported: the month, or the quarter or year that ends with it."""
        return Period(self.month - (self.params.months - 1), self.month, self.params.year_begins)

    @property
    def company_year(self) -> Period:
        """The company's year in which the month lies: what a budget or a plan of the year is for."""
        return Period.year_of(self.month, year_begins=self.params.year_begins)

    def fact(
        self, metric: str, *, period: Period | None = None, dimensions: Mapping[str, str] | None = None
    ) -> Fact:
        """A metric over a period, the reported one where left out; of several months only what the data cover whole: half a quarter would pass for one."""
        period = period or self.period
        return self.engine.covered(
            self.engine.fact(metric, period=period, dimensions=dimensions), period=period
        )

    @property
    def as_of(self) -> dt.date:
        return self.engine.as_of

    def require_whole_month(self, before: Period | None = None, *tables: str) -> None:
        """Refuse (``FitError``) to hold a month whose rows end in its middle against a whole one, or an earlier period in which one of these tables begins."""
        if self.rows_end is not None:
            raise FitError(of_length(PARTIAL, self.params.months), day=self.rows_end)
        if before is not None and (table := self._begins(before, tables)):
            raise FitError(BEGUN, **self._beginning(table))

    def begins_within(self, period: Period, tables: Collection[str]) -> Text | None:
        """Why a period is held against no other: one of these tables begins within one of its months; None where all were there before it or from a first of the month on."""
        table = self._begins(period, tables)
        if table is None:
            return None
        reason = Sentence(BEGUN, self._beginning(table)).text()
        return Sentence("not computed: {reason}", {"reason": reason}).text()

    def _begins(self, period: Period, tables: Collection[str]) -> str | None:
        """The one of these tables that begins last within a month of the period."""
        within = {
            name: day
            for name, day in self.rows_begin.items()
            if name in tables and Month.parse(day) in period.each()
        }
        return max(within, key=lambda name: (within[name], name), default=None)

    def _beginning(self, table: str) -> dict[str, Value]:
        day = self.rows_begin[table]
        return {"month": Month.parse(day), "table": table, "day": day}

    @property
    def partial(self) -> Text | None:
        """Why the report month is compared with no other; None for a whole month."""
        if self.rows_end is None:
            return None
        reason = Sentence(of_length(PARTIAL, self.params.months), {"day": self.rows_end}).text()
        return Sentence("not computed: {reason}", {"reason": reason}).text()

    def projected_cost(self) -> CostAhead | None:
        """The report's one projection of cost; None where the ledger is too short for one, which the cost section says with the reason."""
        if self.cost_ahead is None:
            return None
        try:
            return self.cost_ahead(self)
        except (MissingData, FitError):
            return None

    @property
    def currency(self) -> str:
        return self.engine.currency

    @property
    def confidence(self) -> float:
        return self.params.confidence
