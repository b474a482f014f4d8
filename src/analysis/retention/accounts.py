"""Few large accounts are managed one by one: who is there, what each is worth, when it comes up, how likely it leaves; and who left."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.errors import MissingData
from analysis.metrics import Period, StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.movement import year_of
from analysis.retention.standing import contracts
from analysis.retention.stating import Common, plain
from analysis.retention.warning import Warning_
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

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
def accounts(inputs: StudyInputs, found: Warning_ | None) -> Accounts:
    """Accounts at the end of the month beside a year ago, the largest contract value first: business customers, or all where no type is stated."""
    inputs.engine.require("contracts.starts_on", "contracts.ends_on", "contracts.amount")
    typed = not inputs.engine.tables.missing("customers.customer_type")
    first = year_of(inputs).first.start
    frame = inputs.engine.query(
        views.account_values(
            contracts(inputs), inputs.month.end, first, customer_type="b2b" if typed else None
        )
    )
    running = frame[frame["value_now"].notna()]
    if running.empty:
        raise MissingData(message="not computed: no business customer is under contract")
    scores = None if found is None else found.scores.customers.set_index("customer_id")["score"]
    frame["chance_of_loss"] = (
        float("nan") if scores is None else frame["customer_id"].map(scores).astype(float).round(4)
    )
    running = frame[frame["value_now"].notna()].sort_values(
        ["value_now", "customer_id"], ascending=[False, True], kind="stable"
    )
    values = running["value_now"]
    total, top = values.sum(), max(1, len(values) // 10)
    shares = (values / total).astype(float)
    common: Common = {"period": inputs.month}

    def held(count: int) -> dict[str, Any]:
        return {
            "value": values.head(count).sum() / total,
            "numerator": values.head(count).sum(),
            "denominator": total,
            "dimensions": {},
            **common,
        }

    return Accounts(
        largest=tuple(
            _account(inputs, rank, row)
            for rank, row in enumerate(frame.head(SHOWN).to_dict("records"), start=1)
        ),
        **_renewing(inputs, running),
        listed=_listed(frame),
        lost=large_losses(inputs),
        number=plain(inputs, "accounts_under_contract", len(running), dimensions={}, **common),
        value=plain(
            inputs, "contract_value", total, dimensions={"customer_type": "b2b", "moment": "end"}, **common
        ),
        top_share=plain(inputs, "top_account_share", **held(top)),
        ten_share=plain(inputs, "ten_account_share", **held(10)),
        equal_accounts=plain(
            inputs, "equal_accounts", round(1 / float((shares**2).sum())), dimensions={}, **common
        ),
    )


@traced
def _listed(frame: pd.DataFrame) -> pd.DataFrame:
    """The largest accounts as evidence, with what each kept of its value a year ago."""
    import numpy as np

    shown = frame.head(LISTED).copy()
    before, now = (shown[name].map(_amount).astype(float) for name in ("value_before", "value_now"))
    return shown.assign(
        kept_share=np.where(before > 0, np.minimum(before, now) / before.where(before > 0, 1), np.nan).round(
            4
        )
    )


def _account(inputs: StudyInputs, rank: int, row: dict[Any, Any]) -> Account:
    common: Common = {"period": inputs.month}
    place = {"rank": str(rank)}
    before, now = _amount(row["value_before"]), _amount(row["value_now"])
    kept = min(before, now) if before else None
    return Account(
        rank=rank,
        segment=str(row["segment"]),
        region=str(row["region"]),
        kind=str(row["kind"]),
        due_on=row["due_on"] if now else None,
        before=plain(
            inputs, "account_contract_value", before, dimensions={**place, "moment": "start"}, **common
        ),
        value=plain(inputs, "account_contract_value", now, dimensions=place, **common),
        kept=plain(
            inputs,
            "account_revenue_retention",
            None if kept is None else kept / before,
            numerator=kept,
            denominator=before,
            dimensions=place,
            **common,
        ),
        chance=_chance(inputs, row["chance_of_loss"], place),
    )


@traced
def _renewing(inputs: StudyInputs, running: pd.DataFrame) -> dict[str, Any]:
    """Accounts whose term ends within the horizon, the most value at risk first (the most value, without scores)."""
    import pandas as pd

    last = (inputs.month + HORIZON).end
    due = running[pd.to_datetime(running["due_on"]) < pd.Timestamp(last)].copy()
    scored = due["chance_of_loss"].notna().any()
    chance = due["chance_of_loss"].astype(float).fillna(0.0)
    risks = [_money(float(value) * share) for value, share in zip(due["value_now"], chance, strict=True)]
    due = due.assign(at_risk=pd.Series(risks, index=due.index, dtype=object))
    due = due.sort_values(
        ["at_risk", "value_now", "customer_id"], ascending=[False, False, True], kind="stable"
    )
    common: Common = {"period": Period(inputs.month + 1, inputs.month + HORIZON)}

    def line(rank: int, row: dict[Any, Any]) -> Due:
        place = {"due": str(rank)}
        return Due(
            rank=rank,
            segment=str(row["segment"]),
            region=str(row["region"]),
            due_on=row["due_on"],
            value=plain(inputs, "account_contract_value", row["value_now"], dimensions=place, **common),
            chance=_chance(inputs, row["chance_of_loss"], place),
            at_risk=plain(inputs, "contract_value_at_risk", row["at_risk"], dimensions=place, **common)
            if scored
            else None,
        )

    return {
        "due": tuple(line(rank, row) for rank, row in enumerate(due.head(SHOWN).to_dict("records"), start=1)),
        "due_number": plain(inputs, "accounts_due", len(due), dimensions={}, **common),
        "due_value": plain(
            inputs, "accounts_due_value", sum(due["value_now"], Decimal(0)), dimensions={}, **common
        ),
        "due_at_risk": plain(
            inputs, "contract_value_at_risk", sum(due["at_risk"], Decimal(0)), dimensions={}, **common
        )
        if scored
        else None,
    }


def _chance(inputs: StudyInputs, chance: float, place: dict[str, str]) -> Fact | None:
    known = chance == chance
    return (
        plain(inputs, "account_loss_score", float(chance), period=inputs.month, dimensions=place)
        if known
        else None
    )


def _amount(value: object) -> Decimal:
    return value if isinstance(value, Decimal) and value.is_finite() else Decimal(0)


def _money(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.01"))


@traced
def large_losses(inputs: StudyInputs) -> pd.DataFrame:
    """Business accounts lost in the year, the largest contract value first: ``customer_id``, ``segment``, ``region``, ``kind``, ``lost_on``, ``reason``, ``yearly_value``."""
    first = year_of(inputs).first.start
    return inputs.engine.query(
        f"""WITH {contracts(inputs)}
SELECT s.customer_id, c.segment, c.region, s.kind, s.ends AS lost_on, c.churn_reason AS reason, sum(t.yearly_amount) AS yearly_value
FROM spells s JOIN customers c ON c.customer_id = s.customer_id AND c.customer_type = 'b2b'
JOIN terms t ON t.customer_id = s.customer_id AND t.starts_on < s.ends AND t.until >= s.ends
WHERE s.ends >= {literal(first)} AND s.begins < {literal(first)} GROUP BY ALL ORDER BY yearly_value DESC, s.customer_id LIMIT {LISTED}"""
    )
