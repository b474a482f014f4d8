"""What a proposal needs to know of the canonical tables: columns, words, keys, and which sections read what."""

from __future__ import annotations

from analysis.metrics import Registry
from analysis.sources import TableShape
from analysis.tables import contract


def table_shapes() -> dict[str, TableShape]:
    """What a proposal needs to know of our tables, with the sections that read each column."""
    used: dict[str, dict[str, set[str]]] = {}
    registry = Registry.load()
    for metric in registry:
        for part in (metric.numerator, metric.denominator):
            for name in registry.measure(part).needs if isinstance(part, str) else ():
                table, _, column = name.partition(".")
                used.setdefault(table, {}).setdefault(column, set()).add(metric.section)
    return {
        name: TableShape(
            columns={column.name: column.type for column in table.columns.values()},
            required=frozenset(
                column
                for column in table.columns
                if table.mandatory(column) and table.columns[column].default is None
            ),
            allowed={column.name: column.values for column in table.columns.values() if column.values},
            key=table.key,
            used={column: tuple(sorted(sections)) for column, sections in sorted(used.get(name, {}).items())},
        )
        for name, table in contract().tables.items()
    }
