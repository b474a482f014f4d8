"""Where the company's rows went when only a part of it is reported: inside, elsewhere, or told by nothing; together the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from analysis.metrics import Stating, StudyInputs
from analysis.results import Derived, Fact, Read
from analysis.summaries import Summarised
from analysis.tables.slicing import PARTS, SlicedTable

WHOLE = "whole"


@dataclass(frozen=True, kw_only=True)
class SliceRows(Summarised):
    """One table of the company: its ``rows`` and, where it has an amount, ``amounts``, each by part and in all; ``named`` rows were taken in from elsewhere."""

    table: str
    rows: dict[str, Fact]
    amounts: dict[str, Fact]
    named: Fact | None = None


def slices(inputs: StudyInputs) -> tuple[SliceRows, ...]:
    """The tables that are cut, with their sums; empty for a whole company.

    Returns
    -------
    tuple of SliceRows
        Rows, and amounts in the reporting currency; exact, so without an interval. ``inside + elsewhere + not_stated = whole``.
    """
    return tuple(_slice_rows(inputs, one) for one in inputs.sliced if one.rows)


def tables_left_out(inputs: StudyInputs) -> tuple[str, ...]:
    """Tables of the company of which no row tells the part that it belongs to."""
    return tuple(one.table for one in inputs.sliced if one.left_out)


def _slice_rows(inputs: StudyInputs, one: SlicedTable) -> SliceRows:
    state = Stating(inputs=inputs)

    def counted(part: str) -> Read:
        return Read(table=one.table, files={}, outcome=f"slice {part}")

    def by_part(metric: str, values: Mapping[str, int | Decimal]) -> dict[str, Fact]:
        facts = {
            part: state.exact(metric, values[part], lineage=counted(part), table=one.table, part=part)
            for part in PARTS
        }
        whole = sum((fact.value or 0 for fact in facts.values()), start=0)
        facts[WHOLE] = state.exact(
            metric,
            whole,
            lineage=Derived(operation="sum", parents=tuple(facts.values())),
            table=one.table,
            part=WHOLE,
        )
        return facts

    return SliceRows(
        table=one.table,
        rows=by_part("slice_rows", one.rows),
        amounts=by_part("slice_amount", one.amounts) if one.amounts else {},
        named=state.exact("slice_rows", one.named, lineage=counted("named"), table=one.table, part="named")
        if one.named
        else None,
    )
