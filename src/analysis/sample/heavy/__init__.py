"""A hirer of excavators and loaders at mines and quarries, with a known truth in its tables: the company of the template ``heavy``.

What is planted, and how strongly, is written down in :mod:`analysis.sample.heavy.truths`.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from analysis.periods import Month
from analysis.sample.heavy import books, company, work
from analysis.sample.heavy.fleet import Fleet, fleet
from analysis.sample.heavy.truths import TRUTHS, Plan
from analysis.sample.timeline import Timeline
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
    months : that jobs, hire, postings and totals cover; machines are up to eight years old when they begin
    scale : 1 is 200 machines in the field and about 11,000 jobs
    """
    return _tables_of(_made(seed, null, off, last_month, months, scale))


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
    every = _made(seed, null, off, last_month, months, scale)
    made = _tables_of(every)
    facts: dict[str, Any] = {
        "currency": company.CURRENCY,
        "time_zone": company.TIME_ZONE,
        "accounts": [entry._asdict() for entry in company.ACCOUNTS],
        "sites": [site._asdict() for site in company.SITES],
    }
    return made, SampleTruth(
        seed=seed,
        first_month=str(every.timeline.first),
        last_month=str(every.timeline.last),
        months=months,
        scale=scale,
        off=tuple(sorted(every.planted.off)),
        truths=every.planted.sheet(),
        company=facts,
        totals={"rows": {name: frame.num_rows for name, frame in made.items()}},
    )


def _made(seed: int, null: bool, off: frozenset[str], last_month: str, months: int, scale: float) -> Fleet:
    refuse_sizes(months, scale, "200 machines in the field")
    planted = Plan(
        last=Month.parse(last_month), off=frozenset(TRUTHS) if null else frozenset(off), window_months=months
    )
    timeline = Timeline(first=planted.last - (months - 1), last=planted.last)
    return fleet(seed=seed, planted=planted, timeline=timeline, scale=scale)


def _tables_of(every: Fleet) -> dict[str, pa.Table]:
    jobs = work.done(every)
    crew, used = work.staffed(every, jobs), books.parts_of(every, jobs)
    postings, names = books.posted(every, jobs, crew, used), books.serials(every)
    return {
        "customers": books.customers_table(every),
        "products": books.products_table(),
        "units": books.units_table(every, names),
        "orders": books.orders_table(every),
        "tickets": books.tickets_table(every, jobs, names),
        "parts_used": books.parts_table(every, jobs, used),
        "ledger": books.ledger_table(every, jobs, postings, names),
        "drivers": books.drivers_table(every, jobs, crew),
        "staff": books.staff_table(every, crew),
        "gl_totals": books.gl_totals_table(every, postings),
        "budget": books.budget_table(every, postings),
        "calendar": books.calendar_table(every),
    }
