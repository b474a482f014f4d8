"""The cost tree: categories with their names, and the dated map from general-ledger account to category."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from analysis.errors import ParameterError, suggestion
from analysis.locale import Text
from analysis.params.places import params_file, shown
from analysis.params.strict import bind, read_yaml

UNALLOCATED = "unallocated"


@dataclass(frozen=True, kw_only=True)
class Category:
    """A cost category. ``behaviour`` says what moves it: tickets, the capacity that is held, or neither (period)."""

    name: Text
    behaviour: Literal["variable", "capacity", "period"]


@dataclass(frozen=True, kw_only=True)
class AccountRule:
    """Postings on ``account`` (and ``cost_center``, ``*`` for any) belong to ``category`` from ``valid_from`` on."""

    account: str
    category: str
    cost_center: str = "*"
    valid_from: dt.date = dt.date(1900, 1, 1)
    name: Text | None = None


@dataclass(frozen=True, kw_only=True)
class AllocationRule:
    """The driver by which a pool is shared out, from a date on; other drivers are run beside it for comparison."""

    pool: str
    driver: Literal["seats", "area", "hours", "tickets", "headcount"]
    to: Literal["team", "product_line", "region", "channel", "activity"]
    valid_from: dt.date = dt.date(1900, 1, 1)
    name: Text | None = None


@dataclass(frozen=True, kw_only=True)
class CostTree:
    """Versioned account map. Accounts no rule knows stay visible as ``unallocated``."""

    version: int
    categories: dict[str, Category]
    accounts: tuple[AccountRule, ...]
    allocation: tuple[AllocationRule, ...] = field(default=())

    @classmethod
    def load(cls, path: Path | None = None) -> CostTree:
        path = path or params_file("cost_tree.yml")
        tree = bind(cls, read_yaml(path), shown(path))
        seen: set[tuple[str, str, dt.date]] = set()
        for rule in tree.accounts:
            if rule.category not in tree.categories:
                raise ParameterError(
                    f"{shown(path)}: account {rule.account}: unknown category '{rule.category}'.{suggestion(rule.category, tree.categories)} Known categories: {', '.join(tree.categories)}. Choose one, or add it under categories."
                )
            key = (rule.account, rule.cost_center, rule.valid_from)
            if key in seen:
                raise ParameterError(
                    f"{shown(path)}: account {rule.account}, cost centre {rule.cost_center}: two rules from {rule.valid_from}; keep one."
                )
            seen.add(key)
        return tree

    def account_rows(self) -> list[tuple[str, str, str, dt.date, dt.date]]:
        """(account, cost centre, category, valid from, valid until); ``until`` is the next rule's first day."""
        rows = []
        for rule in self.accounts:
            later = [
                r.valid_from
                for r in self.accounts
                if (r.account, r.cost_center) == (rule.account, rule.cost_center)
                and r.valid_from > rule.valid_from
            ]
            rows.append(
                (
                    rule.account,
                    rule.cost_center,
                    rule.category,
                    rule.valid_from,
                    min(later, default=dt.date(9999, 1, 1)),
                )
            )
        return rows
