"""A maker and servicer of hospital equipment in New York, with a known truth in its tables: the company of the template ``hospital``.

What is planted, and how strongly, is written down in :mod:`analysis.sample.hospital.truths`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from analysis.periods import Month
from analysis.sample import columns
from analysis.sample.hospital import books, company, desk
from analysis.sample.hospital.life import Life, lived
from analysis.sample.hospital.truths import TRUTHS, Plan
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
    months : that tickets, postings and totals cover; hospitals, machines, contracts and orders reach back 36 more
    scale : 1 is about 124 hospitals with 750 machines and 10,000 tickets
    """
    made, _ = built(
        seed=seed, null=null, off=off, last_month=last_month, months=months, scale=scale, blemishes=False
    )
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
    refuse_sizes(months, scale, "124 hospitals")
    planted = Plan(
        last=Month.parse(last_month), off=frozenset(TRUTHS) if null else frozenset(off), window_months=months
    )
    timeline = company.NewYorkTimeline(first=planted.last - (months - 1), last=planted.last)
    life = lived(seed=seed, planted=planted, timeline=timeline, scale=scale)
    made = _tables_of(life)
    facts: dict[str, Any] = {
        "currency": company.CURRENCY,
        "time_zone": company.TIME_ZONE,
        "accounts": [entry._asdict() for entry in company.ACCOUNTS],
    }
    truth = SampleTruth(
        seed=seed,
        first_month=str(timeline.first),
        last_month=str(timeline.last),
        months=months,
        scale=scale,
        off=tuple(sorted(planted.off)),
        truths=planted.sheet(),
        company=facts,
        totals={"rows": {name: frame.num_rows for name, frame in made.items()}},
    )
    return made, truth


def _tables_of(life: Life) -> dict[str, pa.Table]:
    ids = columns.labels("H-", np.arange(1, life.hospitals.identity.size + 1), 4)
    work = desk.worked(life)
    crew, parts, due = desk.staffed(life, work), desk.fitted(life), desk.penalties(life)
    held = books.terms(life)
    sales, postings = books.sold(life, held), books.posted(life, work, crew, parts, due)
    return {
        "customers": books.customers_table(life, ids),
        "customer_history": books.customer_history_table(life, ids),
        "products": books.products_table(),
        "units": books.units_table(life, ids),
        "orders": books.orders_table(life, sales, ids),
        "contracts": books.contracts_table(life, held, ids),
        "tickets": desk.tickets_table(life, work, ids),
        "parts_used": desk.parts_table(life, parts),
        "claims": desk.claims_table(life, due),
        "surveys": desk.surveys_table(life, ids),
        "ledger": books.ledger_table(life, postings),
        "drivers": books.drivers_table(life, work, crew),
        "staff": desk.staff_table(life, crew),
        "gl_totals": books.gl_totals_table(life, sales, postings),
        "budget": books.budget_table(life, postings),
        "opportunities": books.opportunities_table(life, ids),
        "marketing_spend": books.marketing_table(life),
        "shipment_plan": books.shipment_plan_table(life),
        "calendar": books.calendar_table(life),
        "invoices": books.invoices_table(life, held, ids),
    }
