"""Few large accounts are managed one by one: who is there, what each is worth, when it comes up, how likely it leaves; and who left."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.errors import MissingData
from analysis.metrics import Period, Stating, StudyInputs, cents
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.stating import NOBODY
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.scores_facts import LEVEL_METHOD, EarlyWarning, Level, bounded_chance
from analysis.retention.spells import contracts, year_of
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

    from analysis.metrics.views.selection import Selection

LISTED = 50
SHOWN = 8
HORIZON = 6  # months ahead for which the renewal calendar names accounts


@dataclass(frozen=True, kw_only=True)
class Account(Summarised):
    """One account by its rank: where it belongs, its yearly value a year ago and now, the share kept, the last day of the running term (None: lost), chance of loss (None: no score)."""

    rank: int
    segment: str
    region: str
    kind: str
    due_on: dt.date | None
    before: Fact
    value: Fact
    kept: Fact
    chance: Fact | None


@dataclass(frozen=True, kw_only=True)
class Due(Summarised):
    """An account whose term ends within the horizon: value that comes up and, where there is a score, value times chance of loss."""

    rank: int
    segment: str
    region: str
    due_on: dt.date
    value: Fact
    chance: Fact | None
    at_risk: Fact | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored(Summarised):
    """Scores of the customers under contract, and how far their level can be trusted."""

    customers: pd.DataFrame
    level: Level

    @classmethod
    def of(cls, found: EarlyWarning, confidence: float) -> Scored:
        return cls(customers=found.scores.customers, level=Level.of(found.scores, confidence))


@dataclass(frozen=True, kw_only=True, eq=False)
class Accounts(Summarised):
    """Accounts under contract: the largest, those up for renewal, all of them as evidence, and how concentrated their value is.

    ``top_share`` : held by the largest tenth; ``ten_share`` : by the ten largest; ``equal_accounts`` : as many accounts of one size would be as concentrated
    (one over the sum of squared shares, Adelman 1969, Review of Economics and Statistics 51, 99-101).
    """

    largest: tuple[Account, ...]
    due: tuple[Due, ...]
    due_number: Fact
    due_value: Fact
    due_at_risk: Fact | None
    listed: pd.DataFrame
    lost: pd.DataFrame
    number: Fact
    value: Fact
    top_share: Fact
    ten_share: Fact
    equal_accounts: Fact


@traced
def accounts(inputs: StudyInputs, found: EarlyWarning | None) -> Accounts:
    """Accounts at the end of the month beside a year ago, the largest contract value first: business customers, or all where no type is stated.

    Parameters
    ----------
    found : scores of the customers under contract; without them no account has a chance of loss

    Raises
    ------
    MissingData : no such contracts, or no account under one
    """
    inputs.engine.require("contracts.starts_on", "contracts.ends_on", "contracts.amount")
    typed = not inputs.engine.tables.missing("customers.customer_type")
    values = views.account_values(
        contracts(inputs),
        inputs.month.end,
        year_of(inputs).first.start,
        customer_type="b2b" if typed else None,
    )
    # many facts stand on it
    rows = replace(values, sql=f"SELECT * FROM {inputs.engine.materialise('account_values', str(values))}")
    held = inputs.engine.query(f"{rows} ORDER BY rank")
    if held["value_now"].isna().all():
        raise MissingData(message="no business customer is under contract")
    scored = None if found is None else Scored.of(found, inputs.confidence)
    frame = held.assign(chance_of_loss=_chances(held, scored))
    running = _running(frame)
    state = Stating(inputs=inputs)
    now = rows.where("value_now IS NOT NULL")
    due = _renewing(inputs, rows, held, scored)
    return Accounts(
        largest=_largest(state, frame, rows, scored),
        due=due.first,
        due_number=due.number,
        due_value=due.value,
        due_at_risk=due.at_risk,
        listed=_listed(frame),
        lost=large_losses(inputs),
        number=state.measured("accounts_under_contract", now),
        value=state.measured(
            "contract_value", views.yearly_values(str(now), "value_now"), customer_type="b2b", moment="end"
        ),
        top_share=_held_by(state, "top_account_share", now, max(1, len(running) // 10)),
        ten_share=_held_by(state, "ten_account_share", now, 10),
        equal_accounts=state.measured("equal_accounts", now),
    )


def _held_by(state: Stating, metric: str, now: Selection, count: int) -> Fact:
    """Share of the contract value that the largest accounts hold."""
    largest = replace(now, sql=f"{now} ORDER BY value_now DESC, customer_id LIMIT {count}")
    return state.measured(metric, largest, now)


def _chances(held: pd.DataFrame, scored: Scored | None) -> pd.Series:
    """Chance of loss of each account; missing without a score."""
    if scored is None:
        return held["customer_id"].map({}).astype(float)
    return held["customer_id"].map(scored.customers.set_index("customer_id")["score"]).astype(float).round(4)


def _running(frame: pd.DataFrame) -> pd.DataFrame:
    """The accounts under contract now, the largest value first."""
    return frame[frame["value_now"].notna()].sort_values(
        ["value_now", "customer_id"], ascending=[False, True], kind="stable"
    )


def _listed(frame: pd.DataFrame) -> pd.DataFrame:
    """The largest accounts as evidence, with what each kept of its value a year ago."""
    import numpy as np

    shown = frame.head(LISTED).drop(columns=["rank", "renews_on"])
    before, now = (shown[name].map(_amount).astype(float) for name in ("value_before", "value_now"))
    return shown.assign(
        kept_share=np.where(before > 0, np.minimum(before, now) / before.where(before > 0, 1), np.nan).round(
            4
        )
    )


def _largest(
    state: Stating, frame: pd.DataFrame, rows: Selection, scored: Scored | None
) -> tuple[Account, ...]:
    """The first accounts in the order of values, found by their rank, so no number of a customer is published."""
    first, by = rows.where(f"rank <= {SHOWN}"), ("rank",)
    before = state.measured_by(
        "account_contract_value", views.yearly_values(str(first), "value_before"), by=by, moment="start"
    )
    now = state.measured_by("account_contract_value", views.yearly_values(str(first), "value_now"), by=by)
    kept = state.measured_by("account_revenue_retention", first, by=by, reason=NOBODY)
    return tuple(
        Account(
            rank=int(row["rank"]),
            segment=str(row["segment"]),
            region=str(row["region"]),
            kind=str(row["kind"]),
            due_on=row["due_on"] if now[key].value else None,
            before=before[key],
            value=now[key],
            kept=kept[key],
            chance=_chance(state, row["chance_of_loss"], scored, {"rank": key[0]}),
        )
        for row in frame.head(SHOWN).to_dict("records")
        for key in ((str(row["rank"]),),)
    )


@dataclass(frozen=True, kw_only=True)
class _Renewing:
    """Accounts up for renewal: the first of them, and all of them together."""

    first: tuple[Due, ...]
    number: Fact
    value: Fact
    at_risk: Fact | None


@traced
def _renewing(inputs: StudyInputs, rows: Selection, held: pd.DataFrame, scored: Scored | None) -> _Renewing:
    """Accounts whose term ends within the horizon, the most value at risk first (the most value, without scores)."""
    import pandas as pd

    last = (inputs.month + HORIZON).end
    running = _running(held.assign(chance_of_loss=_chances(held, scored)))
    due = running[pd.to_datetime(running["renews_on"]) < pd.Timestamp(last)].copy()
    scored = scored if due["chance_of_loss"].notna().any() else None
    chance = due["chance_of_loss"].astype(float).fillna(0.0)
    risks = [cents(float(value) * share) for value, share in zip(due["value_now"], chance, strict=True)]
    due = due.assign(at_risk=pd.Series(risks, index=due.index, dtype=object))
    due = due.sort_values(
        ["at_risk", "value_now", "customer_id"], ascending=[False, False, True], kind="stable"
    )
    state = Stating(inputs=inputs, period=Period(inputs.month + 1, inputs.month + HORIZON))
    ending = rows.where("value_now IS NOT NULL", f"renews_on < {literal(last)}")
    return _Renewing(
        first=tuple(
            _due(state, rank, row, rows, scored)
            for rank, row in enumerate(due.head(SHOWN).to_dict("records"), start=1)
        ),
        number=state.measured("accounts_due", ending),
        value=state.measured("accounts_due_value", views.yearly_values(str(ending), "value_now")),
        at_risk=_at_risk(state, scored, due, {}),
    )


def _due(state: Stating, rank: int, row: dict[Any, Any], rows: Selection, scored: Scored | None) -> Due:
    import pandas as pd

    place: dict[str, Any] = {"due": str(rank)}
    one = views.yearly_values(str(rows.of(rank=str(row["rank"]))), "value_now")
    return Due(
        rank=rank,
        segment=str(row["segment"]),
        region=str(row["region"]),
        due_on=row["renews_on"],
        value=state.measured("account_contract_value", one, **place),
        chance=_chance(state, row["chance_of_loss"], scored, place),
        at_risk=_at_risk(state, scored, pd.DataFrame([row]), place),
    )


@traced
def _at_risk(state: Stating, scored: Scored | None, due: pd.DataFrame, place: dict[str, Any]) -> Fact | None:
    """Value times chance of loss, at the limits of each chance; an account without a score adds nothing."""
    if scored is None:
        return None
    known = due[due["chance_of_loss"].notna()]
    limits = [scored.level.around(float(chance)) for chance in known["chance_of_loss"]]
    low, high = (
        sum(float(value) * limit[end] for value, limit in zip(known["value_now"], limits, strict=True))
        for end in (0, 1)
    )
    value = sum(due["at_risk"], Decimal(0))
    return state.between(
        "contract_value_at_risk",
        value,
        min(low, float(value)),
        max(high, float(value)),
        n=scored.level.tested,
        method=LEVEL_METHOD,
        **place,
    )


@traced
def _chance(state: Stating, chance: float, scored: Scored | None, place: dict[str, Any]) -> Fact | None:
    """The score of one account, in the report month."""
    if scored is None or chance != chance:
        return None
    return bounded_chance(state, scored.level, float(chance), period=state.inputs.month, **place)


def _amount(value: object) -> Decimal:
    return value if isinstance(value, Decimal) and value.is_finite() else Decimal(0)


@traced
def large_losses(inputs: StudyInputs) -> pd.DataFrame:
    """Business accounts lost in the year, the largest contract value first: ``customer_id``, ``segment``, ``region``, ``kind``, ``lost_on``, ``reason``, ``yearly_value``."""
    first = year_of(inputs).first.start
    return inputs.engine.query(
        f"""WITH {contracts(inputs)}
SELECT s.customer_id, c.segment, c.region, s.kind, s.ends AS lost_on, c.churn_reason AS reason, sum(t.yearly_amount) AS yearly_value
FROM spells s JOIN customers c ON c.customer_id = s.customer_id AND c.customer_type = 'b2b'
JOIN terms t ON t.customer_id = s.customer_id AND t.starts_on < s.ends AND coalesce(t.stands_until >= s.ends, TRUE)
WHERE s.ends >= {literal(first)} AND s.begins < {literal(first)} GROUP BY ALL ORDER BY yearly_value DESC, s.customer_id LIMIT {LISTED}"""
    )
