"""From validated tables to facts: monthly aggregates kept by content, and figures with their definition attached.

Aggregates are additive by month. They are kept on disk under the hash of everything they depend on (definition, dimensions,
rows of the month, lookups, as-of date), so the next month's run computes the new month only.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import MissingData, ParameterError, suggestion
from analysis.formats import Number, decimal
from analysis.locale import Text
from analysis.metrics import lineage
from analysis.metrics.backend import Database, DuckDB, literal, quoted, table_names
from analysis.metrics.kept import SUFFIX, keep, kept
from analysis.metrics.known import Knowledge
from analysis.metrics.lineage import here
from analysis.metrics.registry import Measure, Metric, Registry
from analysis.metrics.steady import exact_sum
from analysis.metrics.views import VIEWS, Rules, View
from analysis.metrics.views.prepared import Prepared, view_named
from analysis.metrics.views.selection import Selection, worded
from analysis.params import Assumptions, CostTree
from analysis.periods import Month, Period, day_end_utc
from analysis.results import (
    CENT,
    OPERATIONS,
    Assumed,
    Derived,
    Fact,
    Interval,
    Lineage,
    Read,
    Rows,
    Sentence,
    lacking,
    query_key,
)
from analysis.tables import TableSet, contract

if TYPE_CHECKING:
    import pandas as pd

# Raised by hand when the meaning of a kept aggregate changes without a change of its SQL.
AGGREGATE_VERSION = 3

_AGGREGATE = re.compile(r"(?:count|sum|min|max|avg)\((?:[^()]|\([^()]*\))*\)")
_SUM_OF_COLUMN = re.compile(r"sum\((\w+)\)")

# Characters of a query's key at the end of the name of a table computed on the way.
KEY = 12

# What a customer's history may tell of a column of the customers themselves.
_KEPT_IN_HISTORY = ("segment", "region")

# A table's rows as the load left them: all that were accepted, whenever they were recorded, and what was set aside.
_WHOLE = re.compile(r"(accepted|set_aside)_(\w+)")
_ASIDE_COLUMNS = ("file", "row_number", "scope", "column", "reason", "example")


class Engine:
    """Facts and frames of one run: validated tables, a registry, and the day up to which records are known.

    Parameters
    ----------
    tables : validated tables
    registry : measures, metrics and labels
    cost_tree : fills a posting's category from its account where the source has none
    as_of : last day whose records are seen
    time_zone : in which that day ends
    currency : reporting currency, part of money units
    cache : folder of kept aggregates; None computes everything each time
    confidence : coverage of every interval
    database : the engine behind it; DuckDB where none is given (:class:`analysis.metrics.spark.Spark` is the other)
    rules : grace days and other rules of the shared views; those of ``params/assumptions.yml`` where none are given
    months : how many months are reported; of several, a fact over so many is computed only where the data cover them, whoever asks
    """

    def __init__(
        self,
        tables: TableSet,
        registry: Registry,
        *,
        cost_tree: CostTree,
        as_of: dt.date,
        time_zone: str,
        currency: str,
        confidence: float,
        cache: Path | None,
        database: Database | None = None,
        rules: Rules | None = None,
        months: int = 1,
    ) -> None:
        self.tables = tables
        self.registry = registry
        self.cost_tree = cost_tree
        self.as_of = as_of
        self.currency = currency
        self.confidence = confidence
        self.months = months
        self.rules = rules or Rules.of(Assumptions.load(), on=as_of, time_zone=time_zone)
        self._knowledge = Knowledge(day=as_of, until=day_end_utc(as_of, time_zone))
        self._came_later: dict[str, frozenset[str]] = {}
        self._cache = cache
        self._database: Database = Prepared(database or DuckDB(), self.rules)
        self._remembered: dict[str, pd.DataFrame] = {}
        self._view_columns: dict[str, frozenset[str]] = {}
        self._made: dict[str, str] = {}
        self._lent: dict[str, tuple[str, ...]] = {}
        self._reads: dict[str, tuple[str, ...]] = {}
        self._whole_tables: set[str] = set()
        self.queries: dict[str, str] = {}
        self._register()

    # -- tables and views ------------------------------------------------------------------------------------------

    def _register(self) -> None:
        for name, info in self.tables.tables.items():
            files = [partition.path for partition in info.partitions]
            if files:
                table = contract().tables[name]
                self._database.register_parquet(
                    name,
                    files,
                    where=self._knowledge.rows(table),
                    replace_columns=self._knowledge.values(table),
                )
            else:
                self._database.create_view(name, _empty_select(name))
        self._as_they_were()
        self._database.register_frame("account_map", _account_map(self.cost_tree))

    def _as_they_were(self) -> None:
        """What only another table can say of the as-of date: whose customer or order was not there yet, and where a customer stood.

        Nothing is joined where nothing came later, which is every run of a month in its own time.
        """
        for name in self.tables.tables:
            if lacking := self._lacking(name):
                self._database.create_view(name, self._with_references(name, lacking))
        if self._filled("customers") and self._later("customer_history"):
            self._database.create_view("customers", self._customers_then())

    def _filled(self, table: str) -> bool:
        return table in self.tables.tables and bool(self.tables.tables[table].partitions)

    def _later(self, table: str) -> frozenset[str]:
        """The months (``None`` as text where a table is kept whole) in which rows or events stand that came after the as-of date."""
        if table not in self._came_later:
            found = (
                self._database.frame(" UNION ".join(asked))["month"]
                if (asked := self._ask_later(table))
                else ()
            )
            self._came_later[table] = frozenset(map(str, found))
        return self._came_later[table]

    def _ask_later(self, table: str) -> list[str]:
        """One column a query: the statistics of the files then tell that nothing needs to be read."""
        if not self._filled(table):
            return []
        entry, rows = contract().tables[table], self.accepted(table)
        month = "CAST(month AS VARCHAR)" if entry.time else "'None'"
        conditions = [
            *self._knowledge.later(entry),
            *(f"{quoted(column)} IN ({keys})" for column, keys in self._lacking(table).items()),
        ]
        return [f"SELECT DISTINCT {month} AS month FROM {rows} WHERE {one}" for one in conditions]

    def _lacking(self, table: str) -> dict[str, str]:
        """By column that must name a row of another table, the keys that were not there yet: such a row would have been set aside."""
        if not self._filled(table):
            return {}
        return {
            column.name: self._unknown(column.refers)
            for column in contract().tables[table].columns.values()
            if column.required and column.refers not in (None, table) and self._later(column.refers)
        }

    def _unknown(self, table: str) -> str:
        """The keys of the rows that were not there on the as-of date."""
        entry = contract().tables[table]
        known = self._knowledge.rows(entry) or "TRUE"
        return f"SELECT {quoted(entry.key[0])} FROM {self.accepted(table)} WHERE NOT coalesce({known}, FALSE)"

    def _with_references(self, table: str, lacking: Mapping[str, str]) -> str:
        entry = contract().tables[table]
        rows = self._cut(table)
        conditions = [f"{quoted(column)} NOT IN ({keys})" for column, keys in lacking.items()]
        if table == "parts_used":
            # parts are written down when the work is done
            moment = f"resolved_at >= {literal(self._knowledge.until)}"
            conditions.append(
                f"ticket_id NOT IN (SELECT ticket_id FROM {self.accepted('tickets')} WHERE {moment})"
            )
        return f"SELECT * FROM ({rows}) AS {quoted(entry.name)} WHERE {' AND '.join(conditions)}"

    def _cut(self, table: str) -> str:
        """The rows and values of a table that were known by themselves."""
        entry = contract().tables[table]
        known, values = self._knowledge.rows(entry), self._knowledge.values(entry)
        cut = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in values.items())
        return (
            f"SELECT * {f'REPLACE ({cut})' if cut else ''} FROM {self.accepted(table)}"
            f"{f' WHERE {known}' if known else ''}"
        )

    def _customers_then(self) -> str:
        """Customers with segment and region of the as-of date, where their history tells of a later change."""
        history, end = self.accepted("customer_history"), literal(self.as_of)
        moved = ", ".join(
            f"CASE WHEN {name}_moved THEN {name}_then ELSE {name} END AS {name}" for name in _KEPT_IN_HISTORY
        )
        told = ", ".join(
            f"max_by(value, valid_from) FILTER (WHERE attribute = '{name}' AND valid_from <= {end}) AS {name}_then, "
            f"coalesce(bool_or(attribute = '{name}' AND valid_from > {end}), FALSE) AS {name}_moved"
            for name in _KEPT_IN_HISTORY
        )
        return (
            f"WITH told AS (SELECT customer_id, {told} FROM {history} GROUP BY customer_id), "
            f"known AS ({self._cut('customers')}) "
            f"SELECT known.* REPLACE ({moved}) FROM known LEFT JOIN told USING (customer_id)"
        )

    def require(self, *needs: str) -> None:
        """Refuse (``MissingData``) when a table or a column such as ``surveys.score`` is absent."""
        self.tables.require(*needs)

    def require_clock(self, *columns: str) -> None:
        """Refuse (``MissingData``) when a column of moments is absent or carries days only: what is read in hours or minutes asks this."""
        self.tables.require_clock(*columns)

    def query(self, sql: str | Selection, *, needs: Sequence[str] = ()) -> pd.DataFrame:
        """A study's own query over views and tables.

        Parameters
        ----------
        sql : str or Selection
            A SELECT.
        needs : names
            Tables or columns such as ``surveys.score`` without which it is refused.

        Returns
        -------
        (rows, columns) DataFrame
            Money comes back as Decimal.

        Raises
        ------
        MissingData
            When something it needs is absent.

        Examples
        --------
        >>> run.inputs.engine.query("SELECT count(*) AS tickets FROM tickets")["tickets"].tolist()  # run = open_run(…)
        [6]
        """
        self.require(*needs)
        sql = str(sql)
        self._follow(sql)
        frame = self._database.frame(sql)
        # a function that is given this frame depends on this query and not on all that its caller asked
        lineage.remember(frame, (sql,))
        return frame

    def materialise(self, name: str, sql: str, *, needs: Sequence[str] = ()) -> str:
        """Compute ``sql`` once, keep it as a table of this engine, and return the (quoted) name to select from.

        For what many queries of a study stand on (machines in the field, spells of customers). The same text is computed once however
        often it is asked for; ``name`` only makes the table recognisable.
        """
        self.require(*needs)
        table = f"{name}_{query_key(sql)}"
        self._follow(sql)
        if table not in self._made:
            self._database.create_table(table, sql)
            self._made[table] = sql
        return quoted(table)

    def lend(self, name: str, frame: Any) -> str:
        """Put a small Arrow table of a study's own (what a model says of each pattern) beside the others; returns the quoted name to join to."""
        self._database.register_frame(name, frame)
        scope = lineage.innermost()
        self._lent[name] = tuple(scope.reads) if scope else ()
        return quoted(name)

    def accepted(self, table: str) -> str:
        """Every validated row of a table, also those recorded after the as-of date; returns the quoted name to select from."""
        return self._whole(f"accepted_{table}")

    def set_aside(self, table: str) -> str:
        """Rows and values of a table that were quarantined, personal values masked; returns the quoted name to select from."""
        return self._whole(f"set_aside_{table}")

    def _whole(self, name: str) -> str:
        if not self.provides(name):
            raise ParameterError(f"'{name}': no such table.")
        return quoted(name)

    def provides(self, name: str) -> bool:
        """Whether a name is that of a table as the load left it (``accepted_tickets``); from now on it can be queried."""
        kind, table = whole_table(name, self.tables)
        if not kind or name in self._whole_tables:
            return bool(kind)
        self._whole_tables.add(name)
        files = list(self.tables[table].paths)
        if kind == "set_aside":
            self._database.register_frame(name, _aside(self.tables, table))
        elif files:
            self._database.register_parquet(name, files)
        else:
            self._database.create_view(name, _empty_select(table))
        return True

    # -- what queries read ------------------------------------------------------------------------------------------

    def _follow(self, sql: str) -> None:
        """Everything computed now depends on this query; its text is kept under its key."""
        self.queries.setdefault(query_key(sql), sql)
        lineage.follow(sql)

    def tables_read(self, sql: str) -> tuple[str, ...]:
        """The source tables a query reads, through views, tables computed on the way and what models lent."""
        if sql not in self._reads:
            found: dict[str, None] = {}
            for name in table_names(sql):
                found.update(dict.fromkeys(self._source_tables(name)))
            self._reads[sql] = tuple(sorted(found))
        return self._reads[sql]

    def _source_tables(self, name: str) -> tuple[str, ...]:
        if (known := view_named(name.lower())) is not None:
            view, day = known
            return self.tables_read(view.text(self.rules, day))
        if name in self._made:
            return self.tables_read(self._made[name])
        if name in self._lent:
            return self._sources_of(self._lent[name])
        if whole := whole_table(name, self.tables)[1]:
            return (whole,)
        # the account map is a table of params, not a source
        return (name,) if name in self.tables.tables else ()

    def _sources_of(self, queries: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted({table for query in queries for table in self.tables_read(query)}))

    def made_tables(self, sql: str) -> dict[str, str]:
        """Tables computed on the way that a query names, each with its SQL, those that others stand on first."""
        found: dict[str, str] = {}
        for name in sorted(table_names(sql)):
            if name in self._made:
                found |= self.made_tables(self._made[name]) | {name: self._made[name]}
        return found

    # -- aggregates -------------------------------------------------------------------------------------------------

    def aggregate(self, *measures: str, by: Sequence[str] = (), period: Month | Period | str) -> pd.DataFrame:
        """Measures by month and slice.

        Parameters
        ----------
        measures : ids of measures
            All of one view.
        by : names of dimensions
            Columns of the view.
        period : Month, Period or str
            ``2026-10``, ``2026-01/2026-11``.

        Returns
        -------
        DataFrame, one row per ``month`` (text, ``2026-10``) and combination of ``by``
            Slices without rows are absent (not zero); a missing dimension value is ``not_stated``. Sums of money are Decimal.

        Raises
        ------
        MissingData
            When a table or column is absent.
        ParameterError
            For an unknown measure or dimension, and measures of several views.

        Examples
        --------
        >>> table = run.inputs.engine.aggregate("service_orders", by=["region"], period="2026-10")  # run = open_run(…)
        >>> table[["region", "service_orders"]].values.tolist()
        [['North', 1], ['South', 2]]
        """
        period = Period.of(period)
        entries = [self.registry.measure(name) for name in measures]
        view = self._view_of(entries)
        self.require(VIEWS[view].table, *(need for entry in entries for need in entry.needs))
        self._refuse_unknown_dimensions(view, by)
        sql = self._computed(view, entries, by, period.condition())
        self._follow(sql)
        if any(entry.merge == "none" for entry in entries):
            return self._frame(sql)
        return self._kept(VIEWS[view], entries, by, period)

    def _refuse_unknown_dimensions(self, view: str, names: Iterable[str]) -> None:
        known = self._columns(view)
        for name in names:
            if name not in known:
                raise ParameterError(
                    f"dimension '{name}': the view '{view}' has no such column.{suggestion(name, known)} "
                    f"Known: {', '.join(sorted(known))}."
                )

    def _view_of(self, measures: Sequence[Measure]) -> str:
        views = {measure.view for measure in measures}
        if len(views) != 1:
            raise ParameterError(
                f"measures {', '.join(m.id for m in measures)} are of several views: {', '.join(sorted(views))}; ask for each view apart."
            )
        return _shared(measures[0])

    def _computed(self, view: str, measures: Sequence[Measure], by: Sequence[str], where: str) -> str:
        dimensions = [f"{worded(name)} AS {quoted(name)}" for name in by]
        values = [f"{_aggregate(measure)} AS {quoted(measure.id)}" for measure in measures]
        columns = ["month", *dimensions]
        groups = ", ".join(str(index + 1) for index in range(len(columns)))
        return f"SELECT {', '.join(columns + values)} FROM {quoted(view)} WHERE {where} GROUP BY {groups} ORDER BY {groups}"

    def _frame(self, sql: str) -> pd.DataFrame:
        import pandas as pd

        frame = self._database.frame(sql)
        # text also where there is no row at all, so that months can still be compared
        return frame.assign(
            month=pd.Series([f"{day:%Y-%m}" for day in frame["month"]], index=frame.index, dtype="str")
        )

    def _kept(
        self, view: View, measures: Sequence[Measure], by: Sequence[str], period: Period
    ) -> pd.DataFrame:
        """All months of the view at once, so that a year of facts costs one query; then the months asked for."""
        definition = json.dumps(
            [AGGREGATE_VERSION, view.text(self.rules), [(m.id, m.value, m.where) for m in measures], list(by)]
        )
        name = f"{view.name}-{hashlib.sha256(definition.encode()).hexdigest()[:24]}{SUFFIX}"
        if name not in self._remembered:
            self._remembered[name] = (
                self._frame(self._computed(view.name, measures, by, "TRUE"))
                if self._cache is None
                else self._all_months(view, measures, by, self._cache / name)
            )
        whole = self._remembered[name]
        inside = (whole["month"] >= str(period.first)) & (whole["month"] <= str(period.last))
        return whole[inside].reset_index(drop=True)

    def _all_months(
        self, view: View, measures: Sequence[Measure], by: Sequence[str], path: Path
    ) -> pd.DataFrame:
        """From the cache where a month's inputs are unchanged; computed and kept where they are not."""
        import pandas as pd

        wanted = self._month_keys(view)
        frames = []
        if (before := kept(path)) is not None:
            frames.append(before[before["month_key"].isin(wanted.values())])
        have = set(frames[0]["month_key"]) if frames else set()
        missing = [month for month, key in wanted.items() if key not in have]
        if missing or not frames:
            days = ", ".join(literal(Month.parse(month).start) for month in missing) or "NULL"
            fresh = self._frame(self._computed(view.name, measures, by, f"month IN ({days})"))
            frames.append(fresh.assign(month_key=[wanted[month] for month in fresh["month"]]))
            keep(path, pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True))
        found = pd.concat([frame for frame in frames if len(frame)] or frames[-1:], ignore_index=True)
        return (
            found.drop(columns="month_key").sort_values(["month", *by], kind="stable").reset_index(drop=True)
        )

    def _month_keys(self, view: View) -> dict[str, str]:
        """For each month of the view's table, the hash of everything its aggregates depend on."""
        whole = "".join(self._whole_key(name) for name in view.whole if name in self.tables.tables)
        rules = json.dumps(self.cost_tree.account_rows(), default=str) if view.name == "cost" else ""
        base = f"{AGGREGATE_VERSION}{whole}{rules}"
        keys = {}
        for partition in self.tables.tables[view.table].partitions:
            month = partition.month
            digest = hashlib.sha256(base.encode())
            digest.update(f"{month}{self._partition_key(view.table, partition)}".encode())
            for lookup in view.monthly:
                for other in self.tables.tables[lookup].partitions:
                    if other.month is None or month is None or other.month <= month:
                        digest.update(self._partition_key(lookup, other).encode())
            keys[str(month)] = digest.hexdigest()[:32]
        return keys

    def _partition_key(self, table: str, partition: Any) -> str:
        """Content, and the as-of date only where something in the partition came after it."""
        late = str(partition.month and partition.month.start) in self._later(table)
        return f"{partition.content_hash}{self.as_of if late else ''}"

    def _whole_key(self, table: str) -> str:
        """The same for a table that is looked up as a whole; customers stand where their history says."""
        history = self._later("customer_history") if table == "customers" else ()
        late = self._later(table) or history
        also = self.tables.tables["customer_history"].content_hash if history else ""
        return f"{self.tables.tables[table].content_hash}{also}{self.as_of if late else ''}"

    # -- facts ------------------------------------------------------------------------------------------------------

    def value(
        self, measure: str, *, period: Month | Period | str, dimensions: Mapping[str, str] | None = None
    ) -> Number | None:
        """One measure over a period and slice; None where there is no row at all."""
        entry = self.registry.measure(measure)
        slice_ = dict(dimensions or {})
        if entry.merge == "none":
            self.require(VIEWS[_shared(entry)].table, *entry.needs)
            self._refuse_unknown_dimensions(entry.view, slice_)
            filtered = f" FILTER (WHERE {entry.where})" if entry.where else ""
            value, rows = self._database.one(
                f"SELECT {entry.value}{filtered}, count(*) FROM {quoted(entry.view)} WHERE {self._slice(Period.of(period), slice_)}"
            )
            return value if rows else None
        frame = self.aggregate(measure, by=tuple(sorted(slice_)), period=period)
        for name, wanted in slice_.items():
            frame = frame[frame[name] == wanted]
        values = [value for value in frame[measure] if value is not None and value == value]
        return sum(values[1:], values[0]) if values else None

    def fact(
        self, metric: str, *, period: Month | Period | str, dimensions: Mapping[str, str] | None = None
    ) -> Fact:
        """The metric as a fact, computed as the registry defines it. What it lacks is its reason.

        Measures are counted from rows; a derived metric is computed from the facts of its parents, same period and slice.

        Parameters
        ----------
        metric : str
            Its id.
        period : Month, Period or str
            ``2026-10``, ``2026-01/2026-11``.
        dimensions : mapping of dimension to value, optional
            The slice.

        Returns
        -------
        Fact
            With value, unit, interval, definition and lineage.

        Raises
        ------
        ParameterError
            A metric that a study's function estimates cannot be asked of the engine.

        Examples
        --------
        >>> fact = run.inputs.engine.fact("after_sales_cost", period="2026-10")  # run = open_run(…)
        >>> str(fact.value), fact.unit
        ('1600.00', 'CNY')
        """
        found = self._counted(metric, Period.of(period), dimensions)
        reported = self.months > 1 and Period.of(period).months == self.months
        return self.covered(found, period=Period.of(period)) if reported else found

    def covered(self, fact: Fact, *, period: Period) -> Fact:
        """The fact where the data cover its months whole, else why not; a single month is what it is."""
        reason = None if fact.value is None else self.uncovered(period, fact.sources)
        if reason is None:
            return fact
        return self.stated(fact.metric, period=period, dimensions=fact.dimensions, value=None, reason=reason)

    def uncovered(self, period: Period, tables: Sequence[str]) -> Text | None:
        """Why several months are not whole in some tables: a dated one begins after their start or ends before their end; None where all cover them."""
        if period.months == 1:
            return None
        ended = min((months[-1] for months in self._dated(tables)), default=period.last)
        if (begun := self.unbegun(period, tables)) is not None or ended >= period.last:
            return begun
        return Sentence("not computed: the data end in {month}", {"month": ended}).text()

    def unbegun(self, period: Period, tables: Sequence[str]) -> Text | None:
        """Why a period has no beginning in some tables: a dated one begins later; None where none does."""
        begun = max((months[0] for months in self._dated(tables)), default=period.first)
        if begun <= period.first:
            return None
        return Sentence("not computed: the data begin in {month}", {"month": begun}).text()

    def _dated(self, tables: Sequence[str]) -> list[tuple[Month, ...]]:
        """The months of those tables that have dated rows."""
        given = self.tables.tables
        return [
            given[name].months
            for name in tables
            if name in given and contract().tables[name].time is not None and given[name].months
        ]

    def _counted(self, metric: str, period: Period, dimensions: Mapping[str, str] | None) -> Fact:
        entry = self.registry[metric]
        if entry.derived is not None:
            parents = [self.fact(parent, period=period, dimensions=dimensions) for parent in entry.derived.of]
            return self.derived(metric, *parents, period=period, dimensions=dimensions)
        if not isinstance(entry.numerator, str):
            raise ParameterError(f"metric '{metric}' is made by {entry.made_by()}, not from measures.")
        try:
            numerator = self.value(entry.numerator, period=period, dimensions=dimensions)
            denominator = (
                self.value(
                    str(entry.denominator),
                    period=period,
                    dimensions=self._denominator_slice(entry, dimensions),
                )
                if entry.denominator
                else None
            )
        except MissingData as missing:
            return self.stated(
                metric, period=period, dimensions=dimensions, value=None, reason=lacking(*missing.needs)
            )
        return self.ratio(metric, numerator, denominator, period=period, dimensions=dimensions)

    def derived(
        self,
        metric: str,
        *parents: Fact,
        period: Month | Period | str,
        dimensions: Mapping[str, str] | None = None,
        lacks: Text | None = None,
        **parts: Any,
    ) -> Fact:
        """A fact computed from other facts by the operation its definition names; what a parent lacks, it lacks.

        Parameters
        ----------
        metric : str
            Its id.
        parents : facts
            In the order of the definition (what is counted, then what it is counted against).
        period : Month, Period or str
            ``2026-10``, ``2026-01/2026-11``.
        dimensions : mapping of dimension to value, optional
            The slice.
        lacks : Text, optional
            Why there is no value although every parent has one.
        parts : by name
            ``interval``, ``n`` where the study knows them; numerator and denominator follow from the operation.

        Returns
        -------
        Fact

        Raises
        ------
        ParameterError
            For a metric that is not derived, and other parents than those of its definition.

        Examples
        --------
        >>> engine = run.inputs.engine  # run = open_run(…)
        >>> now, before = (engine.fact("after_sales_cost", period=month) for month in ("2026-10", "2026-09"))
        >>> round(float(engine.derived("cost_change_rate", now, before, period="2026-10").value), 4)
        0.4545
        """
        entry = self.registry[metric]
        if entry.derived is None:
            raise ParameterError(f"metric '{metric}' is made by {entry.made_by()}, not derived from facts.")
        entry.derived.refuse_other(metric, parents)
        operation = entry.derived.operation
        follows = Derived(operation=operation, parents=parents)
        stated = functools.partial(
            self.stated, metric, period=period, dimensions=dimensions, lineage=follows, **parts
        )
        lacking = next((parent for parent in parents if parent.value is None), None)
        if lacking is not None:
            return stated(value=None, reason=lacking.reason)
        if lacks is not None:
            return stated(value=None, reason=lacks)
        values = [parent.value for parent in parents if parent.value is not None]
        if operation in ("quotient", "relative_change") and values[1] <= 0:
            return stated(value=None, reason=NOT_POSITIVE)
        if operation == "relative_change" and values[0] < 0:
            return stated(value=None, reason=TURNED)  # "down 186.4 %" says nothing that its reader can use
        value = OPERATIONS[operation](values)
        if operation == "quotient":
            stated = functools.partial(stated, numerator=values[0], denominator=values[1])
        elif operation == "relative_change":
            difference = OPERATIONS["difference"](values)
            stated = functools.partial(stated, numerator=difference, denominator=values[1])
        return stated(value=value)

    # -- facts over rows that a study selects -------------------------------------------------------------------------

    def measured_by(
        self,
        metric: str,
        rows: Selection,
        of: Selection | None = None,
        *,
        by: Sequence[str],
        of_by: Sequence[str] | None = None,
        period: Month | Period | str,
        dimensions: Mapping[str, str] | None = None,
        reason: Text | None = None,
        parts: Mapping[str, Any] | None = None,
    ) -> dict[tuple[str, ...], Fact]:
        """The metric over rows that a study selected, by every slice at once, as its measures define it.

        Parameters
        ----------
        rows : of the numerator, selected by the study view that the measure names
        of : rows of the denominator; those of the numerator where left out
        by : columns that cut the slices, in the order of the keys; ``month`` or ``period`` is the period of its facts, the others are dimensions
        of_by : those that cut the denominator, too; all of them where left out, none for a share of the whole
        dimensions : what else tells the facts apart
        reason : in words, why there is no value where nothing stands below
        parts : ``interval`` and ``n`` where the study knows better ones than the registry
        """
        entry, of_by = self.registry[metric], tuple(by if of_by is None else of_by)
        above, below = self._parts_of(entry, rows, of or rows)
        whole = of or rows
        try:
            self.require(*above.needs, *(below.needs if below else ()))
        except MissingData as missing:
            if by:
                raise
            stated = self.stated(
                metric, period=period, dimensions=dimensions, value=None, reason=lacking(*missing.needs)
            )
            return {(): stated}
        together = below is not None and of is None and of_by == tuple(by)
        if below and together and _bare(above) and _bare(below):
            tops, bottoms = self._sliced((above, below), rows, by)
        else:
            (tops,) = self._sliced((above,), rows, by)
            (bottoms,) = self._sliced((below,), whole, of_by) if below else ({},)
        modelled = self._of_a_model(rows.sql) or self._of_a_model(whole.sql)
        keys = sorted({*tops, *bottoms}) if of_by == tuple(by) else list(tops)
        found = {}
        for key in keys:
            place = dict(zip(by, key, strict=True))
            narrow = {name: place[name] for name in of_by}
            found[key] = self._measured(
                entry,
                tops.get(key, _of_nothing(above)),
                bottoms.get(tuple(narrow.values()), _of_nothing(below)) if below else None,
                # rows that a model's table cuts are no rows that a query could list again
                follows=None
                if modelled
                else self._selected(entry, above, below, rows.of(**place), whole.of(**narrow)),
                reason=reason,
                period=_period_of(place) or period,
                dimensions=place | dict(dimensions or {}),
                parts=parts or {},
            )
        return found

    def _parts_of(self, entry: Metric, rows: Selection, of: Selection) -> tuple[Measure, Measure | None]:
        """The measures of a metric, each over the view that it names."""
        if not isinstance(entry.numerator, str):
            raise ParameterError(f"metric '{entry.id}' is made by {entry.made_by()}, not from measures.")
        below = self.registry.measure(entry.denominator) if isinstance(entry.denominator, str) else None
        above = self.registry.measure(entry.numerator)
        for measure, selected in ((above, rows), *(((below, of),) if below else ())):
            if measure.view != selected.view:
                raise ParameterError(
                    f"measure '{measure.id}' is counted over {measure.view}, not over {selected.view}."
                )
        return above, below

    def _sliced(
        self, measures: Sequence[Measure], rows: Selection, by: Sequence[str]
    ) -> tuple[dict[tuple[str, ...], Number | None], ...]:
        """Each measure by slice, in one query; a measure alone may be any expression of aggregates."""
        if len(measures) == 1 and measures[0].where and not _bare(measures[0]):
            rows = rows.where(measures[0].where)
            measures = (replace(measures[0], where=""),)
        columns = [quoted(name) if name == "month" else f"{worded(name)} AS {quoted(name)}" for name in by]
        values = [
            f"{rows.filled(_filtered(measure))} AS {quoted(measure.id)}"
            for measure in dict.fromkeys(measures)
        ]
        groups = f" GROUP BY {', '.join(str(place + 1) for place in range(len(by)))}" if by else ""
        frame = self.query(f"SELECT {', '.join(columns + values)} FROM ({rows}) AS counted{groups}")
        words = [
            [f"{day:%Y-%m}" for day in frame[name]] if name == "month" else list(map(str, frame[name]))
            for name in by
        ]
        keys = list(zip(*words, strict=True)) if by else [()]
        return tuple(dict(zip(keys, map(_plain, frame[measure.id]), strict=True)) for measure in measures)

    def _selected(
        self, entry: Metric, above: Measure, below: Measure | None, rows: Selection, of: Selection
    ) -> Rows:
        numerator = self._listed(above, rows)
        follows = Rows(numerator=numerator, value=rows.filled(above.value), per=entry.per)
        if below is None:
            return follows
        return replace(follows, denominator=self._listed(below, of), of=of.filled(below.value))

    def _listed(self, measure: Measure, rows: Selection) -> str:
        """The rows of a measure in a slice; they read what the rows of all slices read."""
        counted = rows.where(measure.where) if measure.where else rows
        self._reads.setdefault(counted.sql, self.tables_read(rows.origin or rows.sql))
        return counted.sql

    def _measured(
        self,
        entry: Metric,
        numerator: Number | None,
        denominator: Number | None,
        *,
        follows: Rows | None,
        reason: Text | None,
        period: Month | Period | str,
        dimensions: Mapping[str, str],
        parts: Mapping[str, Any],
    ) -> Fact:
        stated = functools.partial(
            self.stated, entry.id, period=period, dimensions=dimensions, lineage=follows
        )
        if numerator is None or (entry.denominator and not denominator):
            missing = _no_rows(period) if numerator is None else ZERO
            return stated(value=None, reason=reason or missing, numerator=numerator, denominator=denominator)
        if denominator is None:
            return stated(value=numerator, **parts)
        value = _divided(numerator, denominator, entry.per)
        return stated(
            value=decimal(value).quantize(CENT) if entry.cents else value,
            numerator=numerator,
            denominator=denominator,
            **{
                "interval": None if "interval" in parts else self._interval(entry, numerator, denominator),
                "n": int(denominator) if entry.interval != "exact" else None,
                **parts,
            },
        )

    def _of_a_model(self, sql: str) -> bool:
        """Whether a query stands on a table that a model lent."""
        names = table_names(sql)
        return any(name in self._lent for name in names) or any(
            self._of_a_model(self._made[name]) for name in names if name in self._made
        )

    def _denominator_slice(
        self, entry: Metric, dimensions: Mapping[str, str] | None
    ) -> Mapping[str, str] | None:
        """A cost category slices the cost, not the tickets or the revenue it is divided by."""
        if not dimensions or not isinstance(entry.denominator, str) or not isinstance(entry.numerator, str):
            return dimensions
        numerator, denominator = (
            self.registry.measure(entry.numerator),
            self.registry.measure(entry.denominator),
        )
        if numerator.view == denominator.view:
            return dimensions
        known = self._columns(denominator.view)
        return {name: value for name, value in dimensions.items() if name in known}

    def _columns(self, view: str) -> frozenset[str]:
        if view not in self._view_columns:
            self._view_columns[view] = frozenset(
                self._database.arrow(f"SELECT * FROM {quoted(view)} LIMIT 0").column_names
            )
        return self._view_columns[view]

    def ratio(
        self,
        metric: str,
        numerator: Number | None,
        denominator: Number | None,
        *,
        period: Month | Period,
        dimensions: Mapping[str, str] | None = None,
        lineage: Lineage | None = None,
    ) -> Fact:
        """A fact of ``metric`` from its two parts, already summed; the interval is the one the registry names.

        ``lineage`` says where the parts come from where the metric's own measures do not.
        """
        entry = self.registry[metric]
        follows = lineage or self.rows_behind(entry, Period.of(period), dimensions or {})
        stated = functools.partial(self.stated, metric, period=period, dimensions=dimensions, lineage=follows)
        if numerator is None:
            return stated(value=None, reason=_no_rows(Period.of(period)))
        if entry.denominator is None:
            return stated(value=numerator, numerator=numerator)
        if not denominator:
            return stated(value=None, reason=ZERO, numerator=numerator, denominator=denominator)
        return stated(
            value=_divided(numerator, denominator, entry.per),
            numerator=numerator,
            denominator=denominator,
            interval=self._interval(entry, numerator, denominator),
            n=int(denominator) if entry.interval != "exact" else None,
        )

    def stated(
        self,
        metric: str,
        *,
        period: Month | Period | str,
        value: Number | None,
        dimensions: Mapping[str, str] | None = None,
        lineage: Lineage | None = None,
        **parts: Any,
    ) -> Fact:
        """A fact whose value a study computed; unit, version and formula come from the registry, tables from its lineage.

        Without ``lineage`` the fact follows from what the traced function that states it has read.
        """
        entry = self.registry[metric]
        follows = lineage or self.rows_behind(entry, period, dimensions or {}) or here()
        for query in follows.queries if follows else ():
            self.queries.setdefault(query_key(query), query)
        return Fact(
            metric=metric,
            period=str(period) if not isinstance(period, str) else period,
            unit=entry.unit_in(self.currency),
            value=value,
            dimensions=dict(dimensions or {}),
            version=entry.version,
            formula=self.registry.formula(entry).en,
            sources=self._sources(follows),
            lineage=follows,
            **parts,
        )

    def _sources(self, follows: Lineage | None) -> tuple[str, ...]:
        """The tables that the lineage's queries read; the table whose files were counted; the params file of an assumption."""
        if isinstance(follows, Assumed):
            return (follows.source,)
        if isinstance(follows, Read):
            # what the pack itself holds is counted in files that are no table
            return (follows.table,) if follows.table else tuple(follows.files)
        if isinstance(follows, Derived):
            behind = {name for parent in follows.parents for name in parent.sources}
            return tuple(sorted(behind & set(self.tables.tables)))
        return self._sources_of(follows.queries) if follows else ()

    def rows_behind(
        self, entry: Metric, period: Month | Period | str, dimensions: Mapping[str, str]
    ) -> Rows | None:
        """The rows that a metric's measures add up in a period and slice; None where they do not define it."""
        if not isinstance(entry.numerator, str):
            return None
        numerator = self.registry.measure(entry.numerator)
        if not _is_shared(numerator):
            return None
        within = Period.parse(period) if isinstance(period, str) else Period.of(period)
        if not set(dimensions) <= self._columns(numerator.view):
            return None
        rows = Rows(
            numerator=self._rows_of(numerator, within, dimensions), value=numerator.value, per=entry.per
        )
        if not isinstance(entry.denominator, str):
            return rows
        denominator = self.registry.measure(entry.denominator)
        place = self._denominator_slice(entry, dimensions) or {}
        if not set(place) <= self._columns(denominator.view):
            return None
        return replace(rows, denominator=self._rows_of(denominator, within, place), of=denominator.value)

    def _rows_of(self, measure: Measure, period: Period, dimensions: Mapping[str, str]) -> str:
        where = f" AND ({measure.where})" if measure.where else ""
        return f"SELECT * FROM {quoted(measure.view)} WHERE {self._slice(period, dimensions)}{where}"

    def _interval(self, entry: Metric, numerator: Number, denominator: Number) -> Interval | None:
        """The interval the registry names for a rate; exact accounting figures have none."""
        if entry.interval == "exact":
            return None
        from analysis import stats

        if entry.interval == "wilson":
            found = stats.proportion_interval(
                int(numerator), int(denominator), method="wilson", level=self.confidence
            )
        elif entry.interval == "garwood":
            found = stats.poisson_interval(
                int(numerator), float(denominator) / entry.per, level=self.confidence
            )
        else:
            raise ParameterError(
                f"metric '{entry.id}': interval '{entry.interval}' is computed by its study, not by the registry."
            )
        return Interval(
            low=float(found.low), high=float(found.high), level=self.confidence, method=found.method
        )

    # -- tracing ----------------------------------------------------------------------------------------------------

    def _slice(self, period: Period, dimensions: Mapping[str, str]) -> str:
        conditions = [period.condition()]
        for name, value in sorted(dimensions.items()):
            conditions.append(f"{worded(name)} = {literal(value)}")
        return " AND ".join(conditions)

    def rows(self, sql: str, *, limit: int | None = None) -> pd.DataFrame:
        """Rows behind a figure, in a stable order."""
        return self._database.frame(
            f"SELECT * FROM ({sql}) AS traced ORDER BY ALL{f' LIMIT {limit}' if limit else ''}"
        )


def _is_shared(measure: Measure) -> bool:
    """Whether month and slice alone say which rows a measure counts: of a study's own view, or of one day, its study says it."""
    return measure.view in VIEWS and not VIEWS[measure.view].dated


def _shared(measure: Measure) -> str:
    """The shared view of a measure; which rows of any other are meant only its study can say."""
    if not _is_shared(measure):
        raise ParameterError(
            f"measure '{measure.id}' is counted over rows that a study selects: {measure.view}."
        )
    return measure.view


def _period_of(place: dict[str, str]) -> Month | str | None:
    """The period that a slice names, taken out of its place."""
    month = place.pop("month", None)
    return Month.parse(month) if month else place.pop("period", None)


def _of_nothing(measure: Measure) -> Number | None:
    """What an aggregate of no rows is: nothing counts as zero, and sums up to nothing known."""
    return 0 if measure.value.startswith(("count(", "coalesce(")) else None


def _plain(value: Any) -> Number | None:
    """A number of a frame as Python's own: whole numbers as such, money as Decimal, a missing one as None."""
    if value is None or value != value:
        return None
    if isinstance(value, Decimal):
        return int(value) if value.as_tuple().exponent == 0 else value
    plain: Number = value.item() if hasattr(value, "item") else value
    return plain


def _divided(numerator: Number, denominator: Number, per: int) -> Number:
    """Money is divided as Decimal at the end; counts and hours as floats."""
    if isinstance(numerator, Decimal):
        return numerator * per / decimal(denominator)
    return float(numerator) * per / float(denominator)


ZERO = Text.of("not computed: the denominator is zero")
NOT_POSITIVE = Text.of("not computed: the base is not positive")
TURNED = Text.of("not computed: the amount has turned negative")


def _no_rows(period: Month | Period | str) -> Text:
    return Sentence("not computed: no rows in {period}", {"period": str(period)}).text()


_ARROW_TYPES = {
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "integer": "BIGINT",
    "decimal": "DECIMAL(18, 2)",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
}


def _aggregate(measure: Measure) -> str:
    """The measure as it is computed: a sum over a column of floats adds up exactly, in parallel."""
    summed = _SUM_OF_COLUMN.fullmatch(measure.value)
    column = contract().tables[VIEWS[measure.view].table].columns.get(summed[1]) if summed else None
    if summed and column is not None and column.type == "float":
        return exact_sum(summed[1], where=measure.where)
    return _filtered(measure)


def _bare(measure: Measure) -> bool:
    """Whether a measure is one aggregate and nothing around it, to which a condition of its own can be put."""
    return not measure.where or bool(_AGGREGATE.fullmatch(measure.value))


def _filtered(measure: Measure) -> str:
    return f"{measure.value}{f' FILTER (WHERE {measure.where})' if measure.where else ''}"


def _empty_select(table: str) -> str:
    """An absent table as a view without rows, so that joins still compile; ``require`` keeps it from being counted."""
    entry = contract().tables[table]
    columns = {name: _ARROW_TYPES[column.type] for name, column in entry.columns.items()}
    if entry.time:
        columns.setdefault("month", "DATE")
    if table == "tickets":
        columns.setdefault("time_order_fault", "BOOLEAN")
    columns["source_file"] = "VARCHAR"
    return (
        "SELECT "
        + ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in columns.items())
        + " WHERE FALSE"
    )


def whole_table(name: str, tables: TableSet) -> tuple[str, str]:
    """Kind and table of a name such as ``accepted_tickets`` or ``set_aside_tickets``; empty for any other name."""
    found = _WHOLE.fullmatch(name)
    return (found[1], found[2]) if found and found[2] in tables.tables else ("", "")


def _aside(tables: TableSet, table: str) -> Any:
    """One row per fault, as an Arrow table."""
    import pyarrow as pa

    kinds = {name: pa.int64() if name == "row_number" else pa.string() for name in _ASIDE_COLUMNS}
    frame = tables.quarantine
    rows = frame[frame["table"] == table]
    columns = {
        # a blank example is pandas' missing value: None for Arrow
        name: pa.array([None if value is None or value != value else value for value in rows[name]], kind)
        for name, kind in kinds.items()
    }
    return pa.table(columns)


def _account_map(tree: CostTree) -> Any:
    import pyarrow as pa

    rows = tree.account_rows()
    columns: Iterable[tuple[Any, ...]] = zip(*rows, strict=True) if rows else ((),) * 5
    account, cost_center, category, valid_from, valid_until = (list(column) for column in columns)
    text, day = pa.string(), pa.date32()
    return pa.table(
        {
            "account": pa.array(account, text),
            "cost_center": pa.array(cost_center, text),
            "category": pa.array(category, text),
            "valid_from": pa.array(valid_from, day),
            "valid_until": pa.array(valid_until, day),
        }
    )
