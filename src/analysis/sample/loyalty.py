"""Who stays: contracts, their renewals and losses, and what bad service does to both and to later purchases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.sample import columns, company
from analysis.sample.customers import (
    CONTRACT_KINDS,
    EXTENDED_WARRANTY,
    MAINTENANCE_CONTRACT,
    NO_CONTRACT,
    SUBSCRIPTION,
    Customers,
)
from analysis.sample.service import LANDMARK_DAYS, Orders, first_time, repeat_repairs
from analysis.sample.streams import Flags, Floats, Identities, Ints, Streams, child, pick
from analysis.sample.timeline import DAYS_PER_MONTH, Timeline
from analysis.sample.truths import Planted

SBG_ALPHA, SBG_BETA = (
    0.9,
    3.6,
)  # shifted beta-geometric (Fader and Hardie, 2007): chance of not renewing a yearly maintenance term
TERM_MONTHS = 12
REASONS: tuple[str, ...] = ("price", "competitor", "moved", "closed business", "no longer needed", "service")
REASON_SHARE = (0.26, 0.22, 0.15, 0.09, 0.20, 0.08)
UNAVOIDABLE = (2, 3)


@dataclass(frozen=True, kw_only=True, eq=False)
class Experience:
    """The first bad moment of each kind, a customer: infinite where there was none. A slow complaint counts from 24 hours after it was opened."""

    slow_complaint: Floats
    repeat_repair: Floats

    @property
    def first(self) -> Floats:
        return np.minimum(self.slow_complaint, self.repeat_repair)


def experience(customers: Customers, orders: Orders) -> Experience:
    repeated = repeat_repairs(orders)
    return Experience(
        slow_complaint=first_time(
            customers.size, orders.customer[orders.slow], orders.opened[orders.slow] + LANDMARK_DAYS
        ),
        repeat_repair=first_time(customers.size, orders.customer[repeated], orders.opened[repeated]),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Loyalty:
    """One entry a customer: start of the contract, loss (infinite: still there or none), reason, and whether service cost us the customer."""

    starts: Floats
    churned: Floats
    reason: Ints
    renewals: Ints


def lose(
    streams: Streams, timeline: Timeline, planted: Planted, customers: Customers, bad: Experience
) -> Loyalty:
    """When each contract is lost: subscriptions by a hazard, yearly maintenance terms by a chance at each renewal, both multiplied by bad service."""
    size = customers.size
    marks = streams.uniform("contracts/marks", (size, 4))
    starts = np.where(
        customers.contract_kind == NO_CONTRACT, np.inf, np.floor(customers.acquired + 5 + 40 * marks[:, 0])
    )
    spent = -np.log1p(-marks[:, 1])  # a unit exponential: the integrated hazard at which the customer leaves
    cancelled, by_service = _cancellation(planted, customers, bad, starts, spent)
    lapsed, renewals = _lapse(streams, timeline, planted, customers, bad, starts)
    kind = customers.contract_kind
    churned = np.select(
        [kind == SUBSCRIPTION, kind == MAINTENANCE_CONTRACT], [np.floor(cancelled), lapsed], np.inf
    )
    churned = np.where(churned < timeline.end, churned, np.inf)
    reason = pick(marks[:, 2], REASON_SHARE)
    reason = np.where((marks[:, 3] < by_service) & np.isfinite(churned), REASONS.index("service"), reason)
    return Loyalty(starts=starts, churned=churned, reason=reason, renewals=renewals)


def _hazard_ratio(planted: Planted, bad: Experience, time: Floats) -> Floats:
    return np.where(time >= bad.slow_complaint, planted.slow_complaint_ratio, 1.0) * np.where(
        time >= bad.repeat_repair, planted.repeat_repair_ratio, 1.0
    )


def _cancellation(
    planted: Planted, customers: Customers, bad: Experience, starts: Floats, spent: Floats
) -> tuple[Floats, Floats]:
    """Invert the integrated hazard, which is constant between the breaks at which the tier changes or service fails.

    Also returns the chance that service is what the loss is put down to: the excess over the usual hazard.
    """
    usual = np.where(customers.business, planted.business_cancellation_ratio, 1.0) / DAYS_PER_MONTH
    far = 1e7
    breaks = np.sort(
        np.stack(
            [
                np.maximum(np.nan_to_num(t, nan=far, posinf=far), starts)
                for t in (starts, customers.tier_changed, bad.slow_complaint, bad.repeat_repair)
            ]
        ),
        axis=0,
    )
    everyone = np.arange(customers.size)
    left, when, ratio_then = spent.copy(), np.full(customers.size, np.inf), np.ones(customers.size)
    for piece in range(4):
        begin = breaks[piece]
        end = breaks[piece + 1] if piece < 3 else np.full(customers.size, np.inf)
        ratio = _hazard_ratio(planted, bad, begin)
        hazard = (
            usual
            * ratio
            * np.asarray(planted.monthly_cancellation_by_tier)[customers.tier_at(everyone, begin)]
        )
        with np.errstate(invalid="ignore"):
            length = np.where(np.isfinite(begin), end - begin, 0.0)
        ends_here = np.isinf(when) & (left <= hazard * length)
        when = np.where(ends_here, begin + left / hazard, when)
        ratio_then = np.where(ends_here, ratio, ratio_then)
        left = left - np.where(np.isinf(length), 0.0, hazard * length)
    return when, 1 - 1 / ratio_then


def _lapse(
    streams: Streams,
    timeline: Timeline,
    planted: Planted,
    customers: Customers,
    bad: Experience,
    starts: Floats,
) -> tuple[Floats, Ints]:
    """Yearly terms: each customer keeps one chance of not renewing, drawn once from a beta; bad service multiplies its hazard."""
    theta = streams.named("contracts/theta").beta(SBG_ALPHA, SBG_BETA, customers.size)
    years = len(timeline.months) // TERM_MONTHS + 1
    marks = streams.uniform("contracts/renewal", (customers.size, years))
    lapsed, renewals = np.full(customers.size, np.inf), np.zeros(customers.size, dtype=np.int64)
    for year in range(years):
        end = term_end(timeline, starts, year)
        leaves = 1 - (1 - theta) ** _hazard_ratio(planted, bad, end)
        alive = np.isinf(lapsed) & (end < timeline.end)
        gone = alive & (marks[:, year] < leaves)
        lapsed = np.where(gone, end, lapsed)
        renewals += alive & ~gone
    return lapsed, renewals


def term_end(timeline: Timeline, starts: Floats, term: int | Ints, months: int = TERM_MONTHS) -> Floats:
    """Last day of the ``term``-th (from 0) term of ``months`` months: the day before the anniversary."""
    known = np.isfinite(starts)
    days = timeline.dates(np.where(known, starts, 0.0))
    whole = days.astype("datetime64[M]")
    later = whole + (np.asarray(term) + 1) * np.timedelta64(months, "M")
    month_length = ((later + 1).astype("datetime64[D]") - later.astype("datetime64[D]")).astype(np.int64)
    day_of_month = np.minimum((days - whole.astype("datetime64[D]")).astype(np.int64), month_length - 1)
    end = (later.astype("datetime64[D]") - timeline.origin).astype(np.int64) + day_of_month - 1.0
    return np.where(known, end, np.inf)


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms:
    """One entry a contract term."""

    identity: Identities
    customer: Ints
    term: Ints
    starts: Floats
    ends: Floats
    renewed: Flags
    decided: Flags
    cancelled: Floats
    cents: Ints


def terms(streams: Streams, timeline: Timeline, customers: Customers, loyalty: Loyalty) -> Terms:
    """The terms that had begun by the end of the window."""
    marks = streams.uniform("contracts/price", customers.size)
    parts: list[tuple[np.ndarray, ...]] = []
    everyone = np.arange(customers.size)
    warranty = customers.contract_kind == EXTENDED_WARRANTY
    begins = loyalty.starts
    for term in range(len(timeline.months) // TERM_MONTHS + 1):
        ends = np.where(
            warranty, term_end(timeline, loyalty.starts, term, 24), term_end(timeline, loyalty.starts, term)
        )
        running = (begins < timeline.end) & (begins <= loyalty.churned) & ~(warranty & (term > 0))
        lost_here = running & (loyalty.churned <= ends)
        chosen = everyone[running]
        cancelled = np.where(lost_here & (loyalty.churned < ends), loyalty.churned, np.nan)
        decided = (ends < timeline.end) | lost_here
        parts.append(
            tuple(
                values[chosen]
                for values in (
                    everyone,
                    np.full(customers.size, term),
                    begins,
                    ends,
                    ~lost_here & ~warranty,
                    decided,
                    cancelled,
                )
            )
        )
        begins = np.where(lost_here, np.inf, ends + 1)
    customer, term_no, starts, ends, renewed, decided, cancelled = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    order = np.lexsort((term_no, customer))
    yearly = np.select(
        [customers.contract_kind == SUBSCRIPTION, customers.contract_kind == MAINTENANCE_CONTRACT],
        [np.where(customers.business, 1_980.0, 498.0), 6_400.0],
        np.where(customers.business, 4_200.0, 1_280.0),
    )
    cents = np.round(yearly * (0.85 + 0.3 * marks)).astype(np.int64) * 100
    return Terms(
        identity=child(customers.identity[customer[order]], "term", term_no[order]),
        customer=customer[order],
        term=term_no[order],
        starts=starts[order],
        ends=ends[order],
        renewed=renewed[order],
        decided=decided[order],
        cancelled=cancelled[order],
        cents=cents[customer[order]],
    )


def contracts_table(
    timeline: Timeline, customers: Customers, customer_ids: pa.Array, held: Terms
) -> pa.Table:
    kind = customers.contract_kind[held.customer]
    return columns.table(
        {
            "contract_id": columns.labels("K-", held.customer + 1, 6),
            "term_no": columns.counts(held.term + 1),
            "customer_id": columns.take(customer_ids, held.customer),
            "kind": columns.words(CONTRACT_KINDS, kind),
            "starts_on": columns.date_column(timeline.dates(held.starts)),
            "ends_on": columns.date_column(timeline.dates(held.ends)),
            "renewed": columns.flags(held.renewed, held.decided),
            "cancelled_on": columns.date_column(timeline.dates(held.cancelled)),
            "amount": columns.money(held.cents),
            "currency": columns.constant(company.CURRENCY, held.customer.size),
        }
    )
