"""What most queries of the study stand on, computed once per run: contract terms and spells, purchase spells, and when service was felt.

Each function returns CTE text to begin a query with (``WITH {contracts(inputs)}, …``).
"""

from __future__ import annotations

import datetime as dt

from analysis.errors import MissingData, NothingToCount
from analysis.metrics import NotDone, Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.views.responses import CLOCKS
from analysis.periods import Month
from analysis.retention import views

YEAR = 12


def year_of(inputs: StudyInputs, month: Month | None = None) -> Period:
    """The twelve months that end with a month; with the report month where none is given."""
    month = month or inputs.month
    return Period(month - (YEAR - 1), month)


def contracts(inputs: StudyInputs) -> str:
    """CTEs ``terms`` and ``spells`` of contracts, as known at the end of the month."""
    inputs.engine.require("contracts.starts_on", "contracts.ends_on")
    return views.contract_spells(inputs.month.end)


def purchases(inputs: StudyInputs) -> str:
    """CTE ``spells`` of customers without a running kind of contract."""
    sql = views.purchase_spells(inputs.month.end, window_months=inputs.params.active_window_months)
    spells = inputs.engine.materialise(
        "purchase_spells", f"WITH {sql} SELECT * FROM spells", needs=["orders.ordered_at", "orders.revenue"]
    )
    return f"spells AS (SELECT * FROM {spells})"


def late_answers_known(inputs: StudyInputs) -> NotDone | None:
    """None where it can be told whether an answer was late; else why not."""
    try:
        inputs.engine.require_clock(*CLOCKS)
    except MissingData as refused:
        return NotDone.because(refused)
    return None


def felt(inputs: StudyInputs) -> str:
    """CTE ``felt``: by customer, the day from which each service experience could count."""
    surveys = not inputs.engine.tables.missing("surveys.score", "surveys.answered_at")
    late = late_answers_known(inputs) is None
    sql = views.experience(inputs.month.end, surveys=surveys, late=late)
    return f"felt AS (SELECT * FROM {inputs.engine.materialise('service_felt', f'WITH {sql} SELECT * FROM felt')})"


@traced
def losses_known_until(inputs: StudyInputs) -> dt.date:
    """The first day whose losses are not all known yet, because a contract that ran out may still be renewed late; else the end of the month."""
    found = inputs.engine.query(f"SELECT {views.known_until(inputs.month.end)} AS seen")["seen"].iloc[0]
    return found.date() if isinstance(found, dt.datetime) else found


@traced
def observed_from(inputs: StudyInputs) -> dt.date:
    """First day of the month in which service records begin; contracts older than that enter then."""
    frame = inputs.engine.query("SELECT min(month) AS first FROM service_orders")
    first = frame["first"].iloc[0]
    if first is None or first != first:
        raise NothingToCount("tickets.opened_at")
    return Month.parse(first).start
