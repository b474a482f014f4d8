"""A database on which the shared views exist as soon as a query names them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.metrics.backend import Database
from analysis.metrics.views import VIEWS, Rules, View

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# longest name first, or ``service`` would hide ``service_orders``
_NAMES = "|".join(sorted(VIEWS, key=len, reverse=True))
_NAMED = re.compile(rf"""\b(?:FROM|JOIN)\s+"?((?:{_NAMES})(?:_at_\d{{8}})?)\b""", re.IGNORECASE)
_DATED = re.compile(r"_at_(\d{8})$")


def view_named(name: str) -> tuple[View, dt.date | None] | None:
    """The view that a name stands for, and the day of a dated one; None for any other table."""
    day = _DATED.search(name)
    view = VIEWS.get(name.removesuffix(day[0]) if day else name)
    # the name of a dated view without its day is a name of the query's own
    if view is None or view.dated != bool(day):
        return None
    return view, dt.datetime.strptime(day[1], "%Y%m%d").date() if day else None


class Prepared:
    """Makes the views that a query names, and those they stand on, before the query runs.

    Opening a run so costs nothing for what it does not ask for; a view that is ``kept`` is computed once.

    Parameters
    ----------
    database : the engine behind it
    rules : what the views depend on besides rows
    """

    def __init__(self, database: Database, rules: Rules) -> None:
        self._database = database
        self._rules = rules
        self._made: set[str] = set()

    def _prepare(self, sql: str) -> None:
        for found in _NAMED.findall(sql):
            name = found.lower()
            known = view_named(name)
            if name in self._made or known is None:
                continue
            self._made.add(name)
            view, day = known
            text = view.text(self._rules, day)
            if view.kept:
                self.create_table(name, text)
            else:
                self.create_view(name, text)

    def register_parquet(
        self,
        name: str,
        files: Sequence[Path],
        *,
        where: str = "",
        replace_columns: dict[str, str] | None = None,
    ) -> None:
        self._database.register_parquet(name, files, where=where, replace_columns=replace_columns)

    def register_frame(self, name: str, frame: pa.Table) -> None:
        self._database.register_frame(name, frame)

    def create_view(self, name: str, sql: str) -> None:
        self._prepare(sql)
        self._database.create_view(name, sql)

    def create_table(self, name: str, sql: str) -> None:
        self._prepare(sql)
        self._database.create_table(name, sql)

    def arrow(self, sql: str) -> pa.Table:
        self._prepare(sql)
        return self._database.arrow(sql)

    def frame(self, sql: str) -> pd.DataFrame:
        self._prepare(sql)
        return self._database.frame(sql)

    def one(self, sql: str) -> tuple[Any, ...]:
        self._prepare(sql)
        return self._database.one(sql)
