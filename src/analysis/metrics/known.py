"""What was known on the as-of day: the rows of each table, and what had become of them by then.

A study reads tables that are already cut (:class:`~analysis.metrics.engine.Engine`), so a month that is made again later equals what was
made then. Each column of the contract that holds a day or a moment is decided here: it says when its row came, or what happened later, or
it was agreed beforehand. A test refuses one that is none of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from analysis.metrics.backend import literal, quoted
from analysis.tables.contract import ColumnContract, TableContract


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When the rows of a table are known, and which of their values only later.

    Parameters
    ----------
    since : day on which a row is known, where it is not the contract's ``time`` (or ``recorded_at``, which always comes first)
    later : what was not known before a moment, by the column of that moment
    was : what a value that was not known yet stood at until then, where that is no secret: a ticket not yet resolved was open
    whole_months : a row adds up a month and is known when the month is over
    plan : made for times to come: a row is known although its time lies ahead
    """

    since: str = ""
    later: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    was: Mapping[str, str] = field(default_factory=dict)
    whole_months: bool = False
    plan: bool = False


#: What the technician finds and works is written down when the work is done.
_DONE = (
    "resolved_at",
    "resolved",
    "contacts",
    "handling_hours",
    "fault_code",
    "component",
    "confirmed_failure",
)

RULES: Mapping[str, Rule] = {
    "customers": Rule(later={"churned_on": ("churned_on", "churn_reason", "churn_avoidable")}),
    "customer_history": Rule(since="valid_from"),
    "products": Rule(),
    "units": Rule(
        since="shipped_on", later={"retired_on": ("retired_on",), "usage_as_of": ("usage", "usage_as_of")}
    ),
    "orders": Rule(),
    # what became of a term is judged by ``contract_terms`` on the day that it is asked for
    "contracts": Rule(plan=True),
    "tickets": Rule(
        later={
            "first_response_at": ("first_response_at",),
            "resolved_at": (*_DONE, "status"),
            "closed_at": ("closed_at", "status"),
            "reopened_at": ("reopened_at", "reopened"),
        },
        was={"status": "open"},
    ),
    "ticket_history": Rule(),
    "parts_used": Rule(),
    "claims": Rule(later={"decided_on": ("decided_on", "approved", "recovered")}),
    "surveys": Rule(later={"answered_at": ("answered_at", "score")}),
    "ledger": Rule(),
    "drivers": Rule(whole_months=True),
    "staff": Rule(whole_months=True),
    "gl_totals": Rule(whole_months=True),
    "provision": Rule(whole_months=True),
    "budget": Rule(plan=True),
    "opportunities": Rule(later={"closed_on": ("closed_on", "won", "stage")}, was={"stage": "open"}),
    "marketing_spend": Rule(whole_months=True),
    "shipment_plan": Rule(plan=True),
    "calendar": Rule(plan=True),
    "invoices": Rule(later={"paid_on": ("paid_on",)}),
}

#: Made for months to come: known although their month lies after the as-of date.
PLANS = frozenset(name for name, rule in RULES.items() if rule.plan)

#: Days and moments that are set beforehand or with the row itself, such as a due date or the day on which a machine is to be installed.
AGREED: Mapping[str, tuple[str, ...]] = {
    "customers": ("acquired_on",),
    "products": ("launched_on",),
    "units": ("produced_on", "in_service_on", "warranty_end"),
    "contracts": ("starts_on", "ends_on", "cancelled_on"),
    "tickets": ("failed_on", "response_due_at", "resolution_due_at"),
    "ledger": ("incurred_on",),
    "invoices": ("due_on",),
    "calendar": ("day",),
}


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """The as-of day of a run, and the moment (UTC) at which it ended in the business time zone."""

    day: dt.date
    until: dt.datetime

    def rows(self, table: TableContract) -> str:
        """The condition on a row that it was known; blank where every row was."""
        rule = RULES[table.name]
        if rule.plan:
            return ""
        own = self._own(table, rule)
        recorded = "recorded_at" in table.columns
        if recorded and own:
            return f"CASE WHEN recorded_at IS NULL THEN {own} ELSE recorded_at < {literal(self.until)} END"
        if recorded:
            return f"recorded_at IS NULL OR recorded_at < {literal(self.until)}"
        return own

    def values(self, table: TableContract) -> dict[str, str]:
        """The columns that show only what had happened by then, each with its expression."""
        moments: dict[str, list[str]] = {}
        for moment, names in RULES[table.name].later.items():
            for name in names:
                moments.setdefault(name, []).append(moment)
        shown = {name: self._value(table, table.columns[name], after) for name, after in moments.items()}
        if table.name == "tickets":
            order = ((shown.get(late, late), shown.get(early, early)) for early, late in table.in_order)
            shown["time_order_fault"] = " OR ".join(
                f"coalesce(({late}) < ({early}), FALSE)" for late, early in order
            )
        return shown

    def later(self, table: TableContract) -> Iterator[str]:
        """Conditions of which a row that is not known whole meets at least one; each reads one column only.

        Kept figures of a month in which such a row stands are those of this as-of day alone.
        """
        rule = RULES[table.name]
        if rule.whole_months:
            yield f"NOT {self._own(table, rule)}"
            return
        names = [name for name in (table.time, table.time_else, rule.since, "recorded_at") if name]
        known = [] if rule.plan else [name for name in names if name in table.columns]
        for name in dict.fromkeys((*known, *rule.later)):
            yield f"NOT {self._by_then(table, name)}"

    def _own(self, table: TableContract, rule: Rule) -> str:
        if rule.whole_months and table.time:
            # the month is over when its last day is
            after = f"CAST({quoted(table.time)} + INTERVAL 1 MONTH AS DATE)"
            return f"{after} <= {literal(self.day + dt.timedelta(days=1))}"
        names = [name for name in (rule.since or table.time, table.time_else) if name]
        return self._by_then(table, *names) if names else ""

    def _by_then(self, table: TableContract, *names: str) -> str:
        """That the first of these columns that is filled lies on the as-of day or before."""
        column = quoted(names[0]) if len(names) == 1 else f"coalesce({', '.join(map(quoted, names))})"
        # a date is a business day already: only instants are compared with the moment at which the day ended
        if table.columns[names[0]].type == "timestamp":
            return f"{column} < {literal(self.until)}"
        return f"{column} <= {literal(self.day)}"

    def _value(self, table: TableContract, column: ColumnContract, moments: list[str]) -> str:
        later = " OR ".join(f"NOT {self._by_then(table, moment)}" for moment in moments)
        was = RULES[table.name].was.get(column.name)
        if was is not None:  # a row that never said it does not say it then
            before = f"CASE WHEN {quoted(column.name)} IS NOT NULL THEN {literal(was)} END"
        else:
            before = "NULL" if column.default is None else literal(column.default)
        # a moment that is empty is not later: the comparison is then unknown, and what stands there is kept
        return f"CASE WHEN {later} THEN {before} ELSE {quoted(column.name)} END"
