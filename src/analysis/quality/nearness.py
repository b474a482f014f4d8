"""Near duplicates: rows that differ in their key and hardly in anything else, as when somebody saves a form twice.

They are a suspicion and stay in: only the company can say whether two calls were one. A pair is named when customer (or ticket, or account)
and what is done are the same, the moments lie within minutes, or the days are the same where only a day is known, and the texts, where both have
one, say nearly the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import Fact, Finding, Sentence
from analysis.sources.sql import quoted
from analysis.summaries import Summarised
from analysis.tables import contract

MINUTES = 30
#: Of the letters of the longer text, the share that may differ.
TEXT_DIFFERENCE = 0.25
COMPARED_LETTERS = 200
LISTED = 1000


@dataclass(frozen=True)
class NearRule(Summarised):
    """What two rows of a table must share to be suspected; columns in brackets of one another: the first that the data give."""

    table: str
    same: tuple[str, ...]
    one_of: tuple[str, ...] = ()
    text: str = ""


RULES = (
    NearRule("tickets", ("customer_id", "ticket_type"), one_of=("serial_no", "product_id"), text="text"),
    NearRule("orders", ("customer_id", "product_id", "quantity", "revenue")),
    NearRule("claims", ("ticket_id", "amount")),
    NearRule("ledger", ("ticket_id", "account", "amount", "posting_basis")),
    NearRule("invoices", ("customer_id", "amount")),
)


def needed_columns() -> str:
    """What each table needs to be looked at, as names: ``claims (ticket_id, amount)``."""
    return "; ".join(
        f"{rule.table} ({', '.join([*rule.same, *(['/'.join(rule.one_of)] if rule.one_of else [])])})"
        for rule in RULES
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class NearDuplicates(Summarised):
    """Rows of one table that look like an earlier row. ``pairs``: both keys, the moments, what they share."""

    table: str
    rule: str
    rows: Fact
    exact: Fact
    example: str
    pairs: pd.DataFrame


@traced
def near_duplicates(inputs: StudyInputs) -> tuple[NearDuplicates, ...]:
    """Each table of :data:`RULES` whose columns are given, in all months up to the report month."""
    found = []
    for rule in RULES:
        info, same = inputs.engine.tables.tables[rule.table], _given(inputs, rule)
        if info.rows and same:
            found.append(_near(inputs, rule, same))
    return tuple(found)


def twice_entered(inputs: StudyInputs, tables: Sequence[NearDuplicates]) -> list[Finding]:
    """One finding for each table that has suspected rows."""
    return [
        Finding(
            id=f"quality.near.{near.table}",
            section="quality",
            severity="info",
            statement=Sentence(
                "{rows} of {table} {rows:plural|looks|look} entered twice: the same {columns} within 30 minutes. Nothing was removed; look at the pairs.",
                {"rows": near.rows, "table": near.table, "columns": near.rule},
            ),
            subject={"table": near.table},
            evidence=near.pairs,
            method="Rows next to each other in time that share these columns; texts, where both rows have one, at most a quarter of their letters apart",
            rank=float(near.rows.value or 0) / 1e6,
        )
        for near in tables
        if near.rows.value
    ]


@traced
def _given(inputs: StudyInputs, rule: NearRule) -> tuple[str, ...]:
    present = inputs.engine.tables.tables[rule.table].columns_present
    if not set(rule.same) <= present:
        return ()
    chosen = next((name for name in rule.one_of if name in present), "")
    return () if rule.one_of and not chosen else (*rule.same, *([chosen] if chosen else []))


@traced
def _near(inputs: StudyInputs, rule: NearRule, same: tuple[str, ...]) -> NearDuplicates:
    table = contract().tables[rule.table]
    key, time = table.key[0], str(table.time)
    clocked = table.columns[time].type == "timestamp"
    order = f"OVER (PARTITION BY {', '.join(map(quoted, same))} ORDER BY {quoted(time)}, {quoted(key)})"
    has_text = rule.text and rule.text in inputs.engine.tables.tables[rule.table].columns_present
    said = (
        f", left({quoted(rule.text)}, {COMPARED_LETTERS}) AS said, lag(left({quoted(rule.text)}, {COMPARED_LETTERS})) {order} AS said_before"
        if has_text
        else ""
    )
    alike = (
        f" AND (said IS NULL OR said_before IS NULL OR levenshtein(said, said_before) <= {TEXT_DIFFERENCE} * greatest(length(said), length(said_before), 1))"
        if has_text
        else ""
    )
    close = f"moment < before + INTERVAL {MINUTES} MINUTE" if clocked else "moment = before"
    held = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in same)
    pairs = inputs.engine.query(
        f"WITH beside AS (SELECT {quoted(key)} AS row_key, lag({quoted(key)}) {order} AS earlier_key, {quoted(time)} AS moment, lag({quoted(time)}) {order} AS before, "
        f"{', '.join(map(quoted, same))}{said} FROM {quoted(rule.table)} WHERE {held} AND month <= DATE '{inputs.month.start}') "
        f"SELECT earlier_key, row_key AS {quoted(key)}, before AS earlier, moment AS {quoted(time)}, {', '.join(map(quoted, [name for name in same if name != key]))} "
        f"FROM beside WHERE earlier_key <> row_key AND {close}{alike} ORDER BY moment DESC, row_key"
    )
    exact = sum(file.exact_duplicates for file in inputs.engine.tables.tables[rule.table].waterfall)
    stated = inputs.engine.stated
    first = f"{pairs.iloc[0]['earlier_key']} / {pairs.iloc[0][key]}" if len(pairs) else ""
    return NearDuplicates(
        table=rule.table,
        rule=", ".join(same),
        example=first,
        pairs=pairs.head(LISTED),
        rows=stated(
            "faulty_rows",
            period=inputs.month,
            value=len(pairs),
            dimensions={"place": rule.table, "fault": "near_duplicate"},
        ),
        exact=stated(
            "faulty_rows",
            period=inputs.month,
            value=exact,
            dimensions={"place": rule.table, "fault": "exact_duplicate"},
        ),
    )
