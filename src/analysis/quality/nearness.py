"""Near duplicates: rows that differ in their key and hardly in anything else, as when somebody saves a form twice.

They are a suspicion and stay in: only the company can say whether two calls were one. A pair is named when customer (or ticket, or account)
and what is done are the same, the moments lie within minutes, or the days are the same where only a day is known, and the texts, where both have
one, say nearly the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd

from analysis.metrics import NotDone, Stating, StudyInputs
from analysis.metrics.backend import literal, quoted
from analysis.quality import views
from analysis.results import Derived, Fact, Sentence
from analysis.summaries import Summarised
from analysis.tables import contract

#: Letters of a text that are compared; a longer text is as its beginning.
COMPARED_LETTERS = 200
#: Pairs kept as evidence.
LISTED = 1000
NO_TABLE = "no table has the columns that two rows would have to share: {columns}"


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
    """Rows of one table that look like an earlier row. ``pairs``: both keys, the moments, what they share; without ``minutes`` on one day."""

    table: str
    rule: str
    minutes: Fact | None
    rows: Fact
    exact: Fact
    example: str
    pairs: pd.DataFrame


def near_duplicates(inputs: StudyInputs, copies: Mapping[str, Fact]) -> tuple[NearDuplicates, ...] | NotDone:
    """Each table of :data:`RULES` whose columns are given, in all months up to the report month.

    Parameters
    ----------
    copies : rows that were exact copies of another, by table; they count once and are no suspicion
    """
    found = []
    for rule in RULES:
        info, same = inputs.engine.tables.tables[rule.table], _given(inputs, rule)
        if info.rows and same:
            found.append(_near(inputs, rule, same, copies[rule.table]))
    return tuple(found) or NotDone(reason=Sentence(NO_TABLE, {"columns": needed_columns()}).text())


def _given(inputs: StudyInputs, rule: NearRule) -> tuple[str, ...]:
    present = inputs.engine.tables.tables[rule.table].columns_present
    if not set(rule.same) <= present:
        return ()
    chosen = next((name for name in rule.one_of if name in present), "")
    return () if rule.one_of and not chosen else (*rule.same, *([chosen] if chosen else []))


def _near(inputs: StudyInputs, rule: NearRule, same: tuple[str, ...], copies: Fact) -> NearDuplicates:
    rows = _pairs(inputs, rule, same)
    pairs = inputs.engine.query(f"{rows} ORDER BY {quoted(str(contract().tables[rule.table].time))} DESC, 2")
    stated, key = Stating(inputs=inputs), contract().tables[rule.table].key[0]
    first = f"{pairs.iloc[0]['earlier_key']} / {pairs.iloc[0][key]}" if len(pairs) else ""
    return NearDuplicates(
        table=rule.table,
        rule=", ".join(same),
        minutes=stated.assumed("near_duplicate_minutes") if _clocked(inputs, rule.table) else None,
        example=first,
        pairs=pairs.head(LISTED),
        rows=stated.measured("faulty_rows", views.faulty(rows), place=rule.table, fault="near_duplicate"),
        exact=stated.exact(
            "faulty_rows",
            copies.value,
            lineage=Derived(operation="copy", parents=(copies,)),
            place=rule.table,
            fault="exact_duplicate",
        ),
    )


def _clocked(inputs: StudyInputs, name: str) -> bool:
    """Whether the moments of a table's rows tell the time of day; else only rows of one day can be near each other."""
    table = contract().tables[name]
    days_only = f"{name}.{table.time}" in inputs.engine.tables.days_only
    return table.columns[str(table.time)].type == "timestamp" and not days_only


def _pairs(inputs: StudyInputs, rule: NearRule, same: tuple[str, ...]) -> str:
    """SQL of the suspected rows, each with the key and the moment of the earlier row beside it."""
    table = contract().tables[rule.table]
    key, time = quoted(table.key[0]), quoted(str(table.time))
    # neighbours among rows that share the columns; the key settles rows of one moment
    order = f"OVER (PARTITION BY {', '.join(map(quoted, same))} ORDER BY {time}, {key})"
    said, alike = _texts(inputs, rule, order)
    clocked = _clocked(inputs, rule.table)
    minutes = int(_assumed(inputs, "near_duplicate_minutes"))
    close = f"moment < before + INTERVAL {minutes} MINUTE" if clocked else "moment = before"
    held = " AND ".join(views.filled(name) for name in same)
    shared = ", ".join(quoted(name) for name in same)
    besides = ", ".join(quoted(name) for name in same if name != table.key[0])
    earlier = f"earlier_{str(table.time).rpartition('_')[2]}"  # _at or _on: a moment or a day, as the column beside it
    return (
        f"WITH beside AS (SELECT {key} AS row_key, lag({key}) {order} AS earlier_key, {time} AS moment, lag({time}) {order} AS before, "
        f"{shared}{said} FROM {quoted(rule.table)} WHERE {held} AND month <= {literal(inputs.month.start)}) "
        f"SELECT earlier_key, row_key AS {key}, before AS {earlier}, moment AS {time}, {besides} "
        f"FROM beside WHERE earlier_key <> row_key AND {close}{alike}"
    )


def _texts(inputs: StudyInputs, rule: NearRule, order: str) -> tuple[str, str]:
    """Columns of the texts of both rows and the condition that they say nearly the same; empty without texts."""
    if not rule.text or rule.text not in inputs.engine.tables.tables[rule.table].columns_present:
        return "", ""
    text = f"left({quoted(rule.text)}, {COMPARED_LETTERS})"
    share = _assumed(inputs, "near_duplicate_text_share")
    apart = f"levenshtein(said, said_before) <= {share} * greatest(length(said), length(said_before), 1)"
    return (
        f", {text} AS said, lag({text}) {order} AS said_before",
        f" AND (said IS NULL OR said_before IS NULL OR {apart})",
    )


def _assumed(inputs: StudyInputs, name: str) -> Decimal:
    return inputs.assumptions.value(name, on=inputs.month.last_day)
