"""What a shared view is: its SQL with the run's rules left open, its grain and its columns.

A dated view shows what was known when a day began (``contract_spells`` on the first day of the next month). A query names it with that
day (:func:`at`); the name alone says which rows are meant, so a query of a fact can be run again later.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from analysis.locale import Text
from analysis.metrics.backend import literal
from analysis.params import Assumptions

NOT_STATED = "not_stated"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the business concepts of a run depend on besides its rows.

    Parameters
    ----------
    time_zone : name of the zone whose days are business days, summer time included
    grace_days : days after its end within which a renewed contract was not lost
    late_answer_hours : hours from the request after which a first answer is late
    repeat_repair_days : days from the resolution within which another repair of the machine is a repeat
    """

    time_zone: str
    grace_days: int
    late_answer_hours: int
    repeat_repair_days: int

    @classmethod
    def of(cls, assumptions: Assumptions, *, on: dt.date, time_zone: str) -> Rules:
        """The rules that hold on a day, from ``params/assumptions.yml``."""
        return cls(
            time_zone=time_zone,
            grace_days=int(assumptions.value("contract_grace_days", on=on)),
            late_answer_hours=int(assumptions.value("late_answer_hours", on=on)),
            repeat_repair_days=int(assumptions.value("repeat_repair_days", on=on)),
        )


@dataclass(frozen=True)
class Column:
    """A column of a view: what it means, and its unit where it has one."""

    name: str
    meaning: str
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class View:
    """One view: its SQL, the table whose months it follows, and the tables it looks things up in.

    Parameters
    ----------
    sql : a SELECT in the engine's dialect; ``$time_zone``, ``$grace_days``, ``$late_answer_hours`` and ``$repeat_repair_days`` stand for the
        run's rules, ``$cutoff`` and ``$tag`` for the day of a dated view (as a literal, and in the name of another dated view)
    monthly : lookups that hold rows of the same and earlier months only
    whole : lookups that may change as a whole (customers, products)
    stands_for : raw tables that a study reads through this view (tables it only looks things up in are not among them)
    kept : computed once for a run, because many queries stand on it and it sorts or joins
    """

    name: str
    sql: str
    table: str
    grain: Text
    columns: tuple[Column, ...] = ()
    monthly: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    stands_for: tuple[str, ...] = ()
    kept: bool = False

    @property
    def dated(self) -> bool:
        return "$cutoff" in self.sql or "$tag" in self.sql

    def text(self, rules: Rules, cutoff: dt.date | None = None) -> str:
        """The SQL with the rules, and the day of a dated view, filled in."""
        values = {
            "$time_zone": literal(rules.time_zone),
            "$grace_days": literal(rules.grace_days),
            "$late_answer_hours": literal(rules.late_answer_hours),
            "$repeat_repair_days": literal(rules.repeat_repair_days),
        }
        if cutoff is not None:
            values |= {"$cutoff": literal(cutoff), "$tag": f"{cutoff:%Y%m%d}"}
        sql = self.sql
        for name, value in values.items():
            sql = sql.replace(name, value)
        return sql


def at(view: str, cutoff: dt.date) -> str:
    """The name of a dated view as a query writes it: what was known when ``cutoff`` began."""
    return f"{view}_at_{cutoff:%Y%m%d}"
