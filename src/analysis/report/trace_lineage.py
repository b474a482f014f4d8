"""From a fact to the rows it was made of: its queries, the facts it follows from, or the model that estimated it.

Everything is computed again where that can be done cheaply: a numerator from its rows, a difference from its parents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from analysis.metrics.backend import table_names
from analysis.metrics.engine import KEY
from analysis.metrics.views.prepared import view_named
from analysis.periods import in_business_zone
from analysis.report.trace_lookup import IssuedPack
from analysis.results import OPERATIONS

if TYPE_CHECKING:
    import pandas as pd

SHOWN_ROWS = 20
PARAMS_TABLES = ("account_map",)  # made of params, not of rows
MOST_PARENTS = 25  # shown and walked; what a fact sums over may be thousands

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """The rows that one query selects now: how many, the first of them, and the query's aggregate over all.

    ``part`` is ``numerator``, ``denominator`` or, for a model, ``input``; ``recomputed`` is None without an aggregate.
    """

    part: str
    sql: str
    count: int
    first: pd.DataFrame
    aggregate: str = ""
    recomputed: Any = None
    stated: Any = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One fact of the tree: what it was made of, and the steps below it.

    ``kind`` is ``rows``, ``derived``, ``estimated``, ``assumed``, ``read``, ``unknown`` (an edition that kept no lineage), ``unpublished`` (a parent that
    is no fact of the edition) or ``repeated`` (shown above).
    """

    id: str
    kind: str
    fact: Json | None = None
    lineage: Json | None = None
    rows: Sequence[Rows] = ()
    parents: Sequence[Step] = ()
    more_parents: int = 0
    recomputed: Decimal | None = None

    def leaves(self) -> Iterator[Step]:
        """The steps below this one, or itself, that have rows."""
        if self.rows:
            yield self
        for parent in self.parents:
            yield from parent.leaves()


@dataclass(frozen=True, kw_only=True, eq=False)
class Walk:
    """Walks facts of ``pack`` back; the run is prepared once, and only if there are rows to be read."""

    pack: IssuedPack
    prepare: Callable[[], Any]

    @cached_property
    def run(self) -> Any:
        return self.prepare()

    @cached_property
    def engine(self) -> Any:
        return self.run.inputs.engine

    def ready(self, sql: str) -> bool:
        """Make the tables computed on the way that a query names; False where a model lent it what no query gives again."""
        known = {*self.engine.tables.tables, *PARAMS_TABLES}
        for name in sorted(table_names(sql)):
            if name in self.pack.tables:
                if not self.ready(self.pack.tables[name]):
                    return False
                self.engine.materialise(name[: -len("_") - KEY], self.pack.tables[name])
            elif name not in known and view_named(name.lower()) is None and not self.engine.provides(name):
                return False
        return True

    @property
    def prepared(self) -> bool:
        return "run" in self.__dict__

    def step(self, id: str, above: frozenset[str] = frozenset()) -> Step:
        """The tree below a fact."""
        fact = self.pack.facts.get(id)
        if fact is None:
            return Step(id=id, kind="unpublished")
        if id in above:
            return Step(id=id, kind="repeated", fact=fact)
        lineage = fact.get("lineage") or self._kept_query(fact)
        if lineage is None:
            return Step(id=id, kind="unknown", fact=fact)
        if lineage["kind"] == "derived":
            return self._derived(fact, lineage, above | {id})
        return Step(id=id, kind=lineage["kind"], fact=fact, lineage=lineage, rows=self._rows(fact, lineage))

    def everything(self, step: Step) -> pd.DataFrame:
        """All rows of all leaves; with the fact and the part they belong to when there is more than one query."""
        import pandas as pd

        queries = {(leaf.id, rows.part): rows.sql for leaf in step.leaves() for rows in leaf.rows}
        frames = [
            (name, masked(in_business_zone(self.engine.rows(sql), self.engine.rules.time_zone)))
            for name, sql in queries.items()
        ]
        if len(frames) == 1:
            return frames[0][1]
        labelled = [frame.assign(traced_fact=id, traced_part=part) for (id, part), frame in frames]
        whole = pd.concat(labelled, ignore_index=True)
        first = ["traced_fact", "traced_part"]
        return whole[[*first, *(name for name in whole.columns if name not in first)]]

    def _kept_query(self, fact: Json) -> Json | None:
        """The lineage of a fact of an edition that kept only the query of its numerator."""
        if (key := fact.get("query")) is None:
            return None
        metric = self.run.registry[fact["metric"]].numerator
        values = {"numerator": self.run.registry.measure(metric).value} if isinstance(metric, str) else {}
        return {"kind": "rows", "queries": {"numerator": key}, "values": values, "tables": fact["sources"]}

    # ------------------------------------------------------------ rows

    def _rows(self, fact: Json, lineage: Json) -> list[Rows]:
        queries = lineage.get("queries", {})
        if not isinstance(queries, Mapping):
            queries = {
                f"input {place}" if len(queries) > 1 else "input": sql
                for place, sql in enumerate(queries, start=1)
            }
        values = lineage.get("values") or {}
        texts = {part: self.pack.queries.get(sql, sql) for part, sql in queries.items() if sql}
        return [
            self._read(part, sql, values.get(part, ""), _stated(fact, part))
            for part, sql in texts.items()
            if self.ready(sql)
        ]

    def _read(self, part: str, sql: str, aggregate: str, stated: Any) -> Rows:
        engine = self.engine
        first = masked(in_business_zone(engine.rows(sql, limit=SHOWN_ROWS), engine.rules.time_zone))
        count = int(engine.rows(f"SELECT count(*) AS rows FROM ({sql}) AS counted")["rows"].iloc[0])
        recomputed = None
        if aggregate:
            recomputed = engine.rows(f"SELECT {aggregate} AS value FROM ({sql}) AS traced")["value"].iloc[0]
        return Rows(
            part=part,
            sql=sql,
            count=count,
            first=first,
            aggregate=aggregate,
            recomputed=recomputed,
            stated=stated,
        )

    # ------------------------------------------------------------ parents

    def _derived(self, fact: Json, lineage: Json, above: frozenset[str]) -> Step:
        parents = lineage["parents"]
        values = [self.pack.facts[id]["value"] if id in self.pack.facts else None for id in parents]
        return Step(
            id=fact["id"],
            kind="derived",
            fact=fact,
            lineage=lineage,
            parents=[self.step(id, above) for id in parents[:MOST_PARENTS]],
            more_parents=max(0, len(parents) - MOST_PARENTS),
            recomputed=combined(lineage["operation"], values),
        )


def _stated(fact: Json, part: str) -> Any:
    """What the fact says of a part; a number that is no ratio states its value."""
    if part == "numerator":
        return fact["value"] if fact["numerator"] is None else fact["numerator"]
    return fact.get(part) if part == "denominator" else None


def combined(operation: str, values: Sequence[Any]) -> Decimal | None:
    """The operation over the parents' stated values; None where one is missing or the operation is none of ours."""
    if operation not in OPERATIONS or not values or any(value is None for value in values):
        return None
    try:
        return Decimal(str(OPERATIONS[operation]([Decimal(str(value)) for value in values])))
    except ArithmeticError:
        return None


def same(one: Any, other: Any) -> bool:
    """Equal as numbers; a float may differ in its last digits."""
    difference = abs(Decimal(str(one)) - Decimal(str(other)))
    return bool(difference <= Decimal("1e-9") * max(Decimal(1), abs(Decimal(str(other)))))


def masked(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with every personal column masked."""
    from analysis.exhibits.statements import MASK, personal_columns

    return rows.assign(**{name: MASK for name in rows.columns if name in personal_columns()})
