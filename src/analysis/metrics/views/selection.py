"""Rows that a study selects for the measures of its metrics, over the shared views.

A concept that one study alone knows (the customers of a movement, the claims that should not have been paid) is a *study view*: a function
that returns a SELECT, marked :func:`study_view`. A measure of the registry names it by its dotted name and says what is added up; the
study says of which day and period; the engine computes (:meth:`analysis.metrics.engine.Engine.measured`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ParamSpec

from analysis.metrics.backend import literal, quoted
from analysis.metrics.views.view import NOT_STATED
from analysis.periods import Month

P = ParamSpec("P")
_DAY = re.compile(r"_at_\d{8}$")


@dataclass(frozen=True)
class Selection:
    """The SELECT of a study view; as text it is its SQL, so that other queries can stand on it.

    ``parameters`` stand for the ``$name`` of a measure (which quantile, of what rate); ``origin`` is the SELECT before conditions narrowed it:
    both read the same tables.
    """

    view: str
    sql: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    origin: str = ""

    def __str__(self) -> str:
        return self.sql

    def where(self, *conditions: str) -> Selection:
        """The rows that meet every condition."""
        if not conditions:
            return self
        narrowed = f"SELECT * FROM ({self.sql}) AS listed WHERE {' AND '.join(conditions)}"
        return replace(self, sql=narrowed, origin=self.origin or self.sql)

    def of(self, **place: str) -> Selection:
        """The rows of one slice; ``month`` as text (``2026-10``)."""
        return self.where(*(_of_slice(name, value) for name, value in place.items()))

    def given(self, **parameters: float) -> Selection:
        """The same rows with numbers that the aggregate of the measure takes."""
        return replace(self, parameters={**self.parameters, **parameters})

    def filled(self, aggregate: str) -> str:
        """The aggregate of a measure with its parameters."""
        for name, value in self.parameters.items():
            aggregate = re.sub(
                rf"\${re.escape(name)}\b", repr(value), aggregate
            )  # $share is no part of $shares
        return aggregate


def _of_slice(column: str, value: str) -> str:
    if column == "month":
        return f"month = {literal(Month.parse(value).start)}"
    return f"{worded(column)} = {literal(value)}"


def worded(column: str) -> str:
    """A column as the text of a slice, what is missing included."""
    return f"coalesce(CAST({quoted(column)} AS VARCHAR), {literal(NOT_STATED)})"


def study_view(select: Callable[P, str]) -> Callable[P, Selection]:
    """A function of a study that writes the SELECT of a view, one row per thing that is counted."""
    name = f"{select.__module__}.{select.__qualname__}"

    @functools.wraps(select)
    def selected(*args: P.args, **kwargs: P.kwargs) -> Selection:
        return Selection(name, select(*args, **kwargs))

    return selected


def selected(view: str, *conditions: str) -> Selection:
    """Rows of a shared view that meet every condition; a dated view by its name with the day."""
    return Selection(_DAY.sub("", view), f"SELECT * FROM {view}").where(*conditions)
