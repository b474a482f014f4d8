"""A vendor of subscription software in Berlin, with a known truth in its tables: the company of the template ``saas``.

What is planted, and how strongly, is written down in :mod:`analysis.sample.saas.truths`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.periods import Month
from analysis.sample import columns
from analysis.sample.saas import books, company, desk
from analysis.sample.saas.life import Life, lived
from analysis.sample.saas.truths import TRUTHS, Plan
from analysis.sample.truths import SampleTruth, refuse_sizes

__all__ = ["TRUTHS", "built", "tables"]


def tables(
    *,
    seed: int,
    null: bool = False,
    off: frozenset[str] = frozenset(),
    last_month: str = "2026-10",
    months: int = 36,
    scale: float = 1.0,
) -> dict[str, pa.Table]:
    """Every canonical table of the company, rows in a stable order; the same arguments give the same bytes.

    Parameters
    ----------
    null, off : leave out every planted truth, or those named
    months : that tickets, postings and totals cover; accounts, contracts and orders reach back 36 more
    scale : 1 is about 3,000 accounts and 45,000 tickets
    """
    made, _ = _made(seed, null, off, last_month, months, scale)
    return made


def built(
    *,
    seed: int,
    null: bool,
    off: frozenset[str],
    last_month: str,
    months: int,
    scale: float,
    blemishes: bool,  # noqa: ARG001 (as every company takes it; this one's tables have no faults)
) -> tuple[dict[str, pa.Table], SampleTruth]:
    """The tables and the answer sheet."""
    made, life = _made(seed, null, off, last_month, months, scale)
    return made, _sheet(life, made, seed)


def _made(
    seed: int, null: bool, off: frozenset[str], last_month: str, months: int, scale: float
) -> tuple[dict[str, pa.Table], Life]:
    refuse_sizes(months, scale, "3,040 accounts")
    planted = Plan(
        last=Month.parse(last_month), off=frozenset(TRUTHS) if null else frozenset(off), window_months=months
    )
    timeline = company.BerlinTimeline(first=planted.last - (months - 1), last=planted.last)
    life = lived(seed=seed, planted=planted, timeline=timeline, scale=scale)
    return _tables_of(life), life


def _tables_of(life: Life) -> dict[str, pa.Table]:
    ids = columns.labels("C-", np.arange(1, life.accounts.identity.size + 1), 5)
    work = desk.worked(life)
    crew = desk.staffed(life, work)
    sales, postings = books.sold(life), books.posted(life, work, crew)
    return {
        "customers": books.customers_table(life, ids),
        "customer_history": books.customer_history_table(life, ids),
        "products": books.products_table(),
        "orders": books.orders_table(life, sales, ids),
        "contracts": books.contracts_table(life, ids),
        "tickets": desk.tickets_table(life, work, ids, books.product_ids()),
        "surveys": desk.surveys_table(life, work, ids),
        "ledger": books.ledger_table(life, postings),
        "drivers": books.drivers_table(life, work, crew),
        "staff": desk.staff_table(life, crew),
        "gl_totals": books.gl_totals_table(life, sales, postings),
        "budget": books.budget_table(life, postings),
        "opportunities": books.opportunities_table(life, ids),
        "marketing_spend": books.marketing_table(life),
        "calendar": books.calendar_table(life),
        "invoices": books.invoices_table(life, ids),
    }


def _sheet(life: Life, made: Mapping[str, pa.Table], seed: int) -> SampleTruth:
    facts: dict[str, Any] = {
        "currency": company.CURRENCY,
        "time_zone": company.TIME_ZONE,
        "accounts": [entry._asdict() for entry in company.ACCOUNTS],
        "exchange_rates": {company.FOREIGN: company.RATES},
    }
    return SampleTruth(
        seed=seed,
        first_month=str(life.timeline.first),
        last_month=str(life.timeline.last),
        months=len(life.timeline.window_months),
        scale=life.scale,
        off=tuple(sorted(life.planted.off)),
        truths=life.planted.sheet(),
        company=facts,
        totals={"rows": {name: frame.num_rows for name, frame in made.items()}},
    )
