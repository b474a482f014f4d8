"""What is said of a month, said of a quarter and of a year: whole messages of the catalogue, by the length of what is reported.

Only what is counted over the reported period is worded by it; a window that a study takes for itself keeps its own words.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Message of a month → that of a quarter and that of a year.
OF_LENGTH: Mapping[str, tuple[str, str]] = {
    "the report month is not whole: no table has a row after {day}": (
        "the report quarter is not whole: no table has a row after {day}",
        "the report year is not whole: no table has a row after {day}",
    ),
    "This month": ("This quarter", "This year"),
    "Previous month": ("Previous quarter", "Previous year"),
    "Volume is the number of tickets, mix their spread over product lines and types, automation the share closed without a person, intensity hours or parts per ticket (which components and faults they are for is within it), utilisation hours paid for each hour worked, input price what an hour or a part costs; the cost per ticket of other categories is that of costs whose inputs are not counted, and capacity and period costs are those that do not depend on the tickets of the month. The order of the effects does not matter, and they add up to the change to the cent.": (
        "Volume is the number of tickets, mix their spread over product lines and types, automation the share closed without a person, intensity hours or parts per ticket (which components and faults they are for is within it), utilisation hours paid for each hour worked, input price what an hour or a part costs; the cost per ticket of other categories is that of costs whose inputs are not counted, and capacity and period costs are those that do not depend on the tickets of the quarter. The order of the effects does not matter, and they add up to the change to the cent.",
        "Volume is the number of tickets, mix their spread over product lines and types, automation the share closed without a person, intensity hours or parts per ticket (which components and faults they are for is within it), utilisation hours paid for each hour worked, input price what an hour or a part costs; the cost per ticket of other categories is that of costs whose inputs are not counted, and capacity and period costs are those that do not depend on the tickets of the year. The order of the effects does not matter, and they add up to the change to the cent.",
    ),
    "The month in figures, what needs a decision, and how far the numbers can be trusted.": (
        "The quarter in figures, what needs a decision, and how far the numbers can be trusted.",
        "The year in figures, what needs a decision, and how far the numbers can be trusted.",
    ),
    "How did the month go?": ("How did the quarter go?", "How did the year go?"),
    "Each figure of the month stands beside the month before and the same month a year before, where they are known; those of other spans name theirs. A change is coloured only when it is exact or clears its interval.": (
        "Each figure of the quarter stands beside the quarter before and the same quarter a year before, where they are known; those of other spans name theirs. A change is coloured only when it is exact or clears its interval.",
        "Each figure of the year stands beside the year before, where it is known; those of other spans name theirs. A change is coloured only when it is exact or clears its interval.",
    ),
    "Checks that failed, whether the ledger ties out and every row is accounted for, how far this summary is whole, and every question that could not be asked of this month's data. What needs an earlier edition says so in its own place. All checks are listed at the end of the report.": (
        "Checks that failed, whether the ledger ties out and every row is accounted for, how far this summary is whole, and every question that could not be asked of this quarter's data. What needs an earlier edition says so in its own place. All checks are listed at the end of the report.",
        "Checks that failed, whether the ledger ties out and every row is accounted for, how far this summary is whole, and every question that could not be asked of this year's data. What needs an earlier edition says so in its own place. All checks are listed at the end of the report.",
    ),
    "{count} {count:plural|question|questions} could not be asked this month; each is listed below with its reason and does not read as “nothing found”.": (
        "{count} {count:plural|question|questions} could not be asked this quarter; each is listed below with its reason and does not read as “nothing found”.",
        "{count} {count:plural|question|questions} could not be asked this year; each is listed below with its reason and does not read as “nothing found”.",
    ),
    "No section reports a finding this month.": (
        "No section reports a finding this quarter.",
        "No section reports a finding this year.",
    ),
    "Cost minus budget of the month": ("Cost minus budget of the quarter", "Cost minus budget of the year"),
    "driver {driver} is absent in the month": (
        "driver {driver} is absent in a month of the quarter",
        "driver {driver} is absent in a month of the year",
    ),
    "The provision movements posted in the ledger are those of the provision table, to the cent; the expense of the month is {expense:exact}.": (
        "The provision movements posted in the ledger are those of the provision table, to the cent; the expense of the quarter is {expense:exact}.",
        "The provision movements posted in the ledger are those of the provision table, to the cent; the expense of the year is {expense:exact}.",
    ),
    "The warranty provision of {line} is too small by {shortfall} ({shortfall:interval}): the closing balance of {closing} covers {coverage} ({coverage:interval}) of the claims expected from units under warranty, {expected}{expected:doubt}. All lines together are covered {together} ({together:interval}), {richest} alone {most} ({most:interval}). Proposed: move {moved} of the balance from {givers} to {line}; the expense of the month does not change.": (
        "The warranty provision of {line} is too small by {shortfall} ({shortfall:interval}): the closing balance of {closing} covers {coverage} ({coverage:interval}) of the claims expected from units under warranty, {expected}{expected:doubt}. All lines together are covered {together} ({together:interval}), {richest} alone {most} ({most:interval}). Proposed: move {moved} of the balance from {givers} to {line}; the expense of the quarter does not change.",
        "The warranty provision of {line} is too small by {shortfall} ({shortfall:interval}): the closing balance of {closing} covers {coverage} ({coverage:interval}) of the claims expected from units under warranty, {expected}{expected:doubt}. All lines together are covered {together} ({together:interval}), {richest} alone {most} ({most:interval}). Proposed: move {moved} of the balance from {givers} to {line}; the expense of the year does not change.",
    ),
    "The warranty provision of {line} is too small by {shortfall} ({shortfall:interval}): the closing balance of {closing} covers {coverage} ({coverage:interval}) of the claims expected from units under warranty, {expected}{expected:doubt}. In the span of its table it was accrued at {accrual:exact} of the line's product orders; claims took {claims:exact}, the rate that would have met them. All lines together are covered {together} ({together:interval}), {richest} alone {most} ({most:interval}). Proposed: move {moved} of the balance from {givers} to {line}; the expense of the month does not change.": (
        "The warranty provision of {line} is too small by {shortfall} ({shortfall:interval}): the closing balance of {closing} covers {coverage} ({coverage:interval}) of the claims expected from units under warranty, {expected}{expected:doubt}. In the span of its table it was accrued at {accrual:exact} of the line's product orders; claims took {claims:exact}, the rate that would have met them. All lines together are covered {together} ({together:interval}), {richest} alone {most} ({most:interval}). Proposed: move {moved} of the balance from {givers} to {line}; the expense of the quarter does not change.",
        "The warranty provision of {line} is too small by {shortfall} ({shortfall:interval}): the closing balance of {closing} covers {coverage} ({coverage:interval}) of the claims expected from units under warranty, {expected}{expected:doubt}. In the span of its table it was accrued at {accrual:exact} of the line's product orders; claims took {claims:exact}, the rate that would have met them. All lines together are covered {together} ({together:interval}), {richest} alone {most} ({most:interval}). Proposed: move {moved} of the balance from {givers} to {line}; the expense of the year does not change.",
    ),
    "Base: what the cost of the month is divided by. Ratios of accounting totals are exact; rates of tickets have an interval": (
        "Base: what the cost of the quarter is divided by. Ratios of accounting totals are exact; rates of tickets have an interval",
        "Base: what the cost of the year is divided by. Ratios of accounting totals are exact; rates of tickets have an interval",
    ),
    "No cost bridge: the month to compare with has no cost.": (
        "No cost bridge: the quarter to compare with has no cost, or the data do not cover it.",
        "No cost bridge: the year to compare with has no cost, or the data do not cover it.",
    ),
    "After-sales cost by category and month: the largest categories; the table by category has all of them for this month": (
        "After-sales cost by category and month: the largest categories; the table by category has all of them for this quarter",
        "After-sales cost by category and month: the largest categories; the table by category has all of them for this year",
    ),
    "One month is short: read the intervals before the numbers": (
        "One quarter is short: read the intervals before the numbers",
        "One year is short: read the intervals before the numbers",
    ),
    "The warranty provision over twelve months": (
        "The warranty provision over the quarter",
        "The warranty provision over twelve months",
    ),
    "Product orders of {unnamed} name no product line and are in no rate. Source: provision table and orders; twelve months to {month}.": (
        "Product orders of {unnamed} name no product line and are in no rate. Source: provision table and orders; three months to {month}.",
        "Product orders of {unnamed} name no product line and are in no rate. Source: provision table and orders; twelve months to {month}.",
    ),
    "Source: provision table and orders; twelve months to {month}.": (
        "Source: provision table and orders; three months to {month}.",
        "Source: provision table and orders; twelve months to {month}.",
    ),
}


def of_length(message: str, months: int) -> str:
    """The message for a report of so many months (1, 3 or 12), where it is another than that of a month."""
    quarter, year = OF_LENGTH.get(message, (message, message))
    return {3: quarter, 12: year}.get(months, message)
