"""What this section says in money of an experience of service, lent to a section that prices the same experience otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.drivers import drivers
from analysis.retention.spells import contracts, felt, year_of
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True, eq=False)
class ExperienceMoney(Summarised):
    """``money`` : the yearly margin that goes with ``difference`` , the difference in loss; ``customers`` : those it is of."""

    money: Fact
    difference: Fact
    customers: int


@traced
def experience_money(inputs: StudyInputs) -> dict[str, ExperienceMoney]:
    """By experience, where the difference in loss excludes zero; nothing where orders carry no margin.

    Raises
    ------
    MissingData
        As :func:`~analysis.retention.drivers.drivers`.
    """
    found = drivers(inputs)
    if not found.stakes:
        return {}
    sql = views.margin_of_the_affected(
        contracts(inputs), felt(inputs), inputs.month.end, year_of(inputs).first.start, list(found.stakes)
    )
    customers = inputs.engine.query(sql).set_index("exposure")["customers"]
    made = {}
    for name, money in found.stakes.items():
        difference = found.differences[name]
        limits = difference.interval
        if limits is None or limits.holds(0) or not int(customers.get(name, 0)):
            continue
        made[name] = ExperienceMoney(money=money, difference=difference, customers=int(customers[name]))
    return made
