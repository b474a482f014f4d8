"""Few large accounts are managed one by one: who is there, what each is worth, when it comes up, how likely it leaves; and who left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import MissingData
from analysis.metrics import StudyInputs
from analysis.metrics.backend import literal
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.movement import year_of
from analysis.retention.standing import contracts
from analysis.retention.stating import plain
from analysis.retention.warning import Warning_

if TYPE_CHECKING:
    import pandas as pd

LISTED = 50
SHOWN = 10
SOURCES = ("contracts", "customers")


@dataclass(frozen=True, kw_only=True)
class Account:
    """One large account by its rank: segment, region and contract, value, last day of the running term, chance of loss within the horizon (None: no score)."""

    rank: int
    segment: str
    region: str
    kind: str
    due_on: object
    value: Fact
    chance: Fact | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Accounts:
    """Business accounts under contract: the largest, all of them as evidence, and what the largest tenth holds of the value."""

    largest: tuple[Account, ...]
    listed: pd.DataFrame
    lost: pd.DataFrame
    number: Fact
    value: Fact
    top_share: Fact


def accounts(inputs: StudyInputs, found: Warning_ | None) -> Accounts:
    """Business accounts at the end of the month, the largest contract value first."""
    inputs.engine.require("contracts.starts_on", "contracts.ends_on", "contracts.amount", "customers.customer_type")
    frame = inputs.engine.query(_running(inputs))
    if frame.empty:
        raise MissingData(message="not computed: no business customer is under contract")
    scores = None if found is None else found.scores.customers.set_index("customer_id")["score"]
    frame["chance_of_loss"] = float("nan") if scores is None else frame["customer_id"].map(scores).astype(float).round(4)
    top = max(1, len(frame) // 10)
    total = frame["yearly_value"].sum()
    common = {"period": inputs.month, "sources": SOURCES}
    return Accounts(
        largest=tuple(_account(inputs, rank, row) for rank, row in enumerate(frame.head(SHOWN).to_dict("records"), start=1)),
        listed=frame.head(LISTED), lost=large_losses(inputs),
        number=plain(inputs, "accounts_under_contract", len(frame), dimensions={}, **common),  # type: ignore[arg-type]
        value=plain(inputs, "contract_value", total, dimensions={"customer_type": "b2b", "moment": "end"}, **common),  # type: ignore[arg-type]
        top_share=plain(inputs, "top_account_share", frame["yearly_value"].head(top).sum() / total if total else None, numerator=frame["yearly_value"].head(top).sum(), denominator=total, dimensions={}, **common),  # type: ignore[arg-type]
    )


def _account(inputs: StudyInputs, rank: int, row: dict[Any, Any]) -> Account:
    place, chance = {"rank": str(rank)}, row["chance_of_loss"]
    common = {"period": inputs.month, "sources": SOURCES, "dimensions": place}
    return Account(
        rank=rank, segment=str(row["segment"]), region=str(row["region"]), kind=str(row["kind"]), due_on=row["due_on"],
        value=plain(inputs, "account_contract_value", row["yearly_value"], **common),  # type: ignore[arg-type]
        chance=plain(inputs, "account_loss_score", chance, **common) if chance == chance else None,  # type: ignore[arg-type]  # noqa: PLR0124
    )


def _running(inputs: StudyInputs) -> str:
    """Business customers under contract: one row each with the yearly value of the running terms and the day the first of them ends."""
    end = literal(inputs.month.end)
    return f"""WITH {contracts(inputs)}
SELECT s.customer_id, coalesce(c.segment, '{views.NOT_STATED}') AS segment, coalesce(c.region, '{views.NOT_STATED}') AS region, min(s.kind) AS kind,
       min(s.begins) AS customer_since, min(t.ends_on) AS due_on, sum(CAST(t.amount * 12 / t.term_months AS DECIMAL(18, 2))) AS yearly_value
FROM spells s JOIN customers c ON c.customer_id = s.customer_id AND c.customer_type = 'b2b'
JOIN terms t ON t.customer_id = s.customer_id AND t.starts_on < {end} AND t.until >= {end}
WHERE s.ends IS NULL GROUP BY 1, 2, 3 ORDER BY yearly_value DESC, s.customer_id"""


def large_losses(inputs: StudyInputs) -> pd.DataFrame:
    """Business accounts lost in the year, the largest contract value first: ``customer_id``, ``segment``, ``region``, ``kind``, ``lost_on``, ``reason``, ``yearly_value``."""
    first = year_of(inputs).first.start
    return inputs.engine.query(
        f"""WITH {contracts(inputs)}
SELECT s.customer_id, c.segment, c.region, s.kind, s.ends AS lost_on, c.churn_reason AS reason, sum(CAST(t.amount * 12 / t.term_months AS DECIMAL(18, 2))) AS yearly_value
FROM spells s JOIN customers c ON c.customer_id = s.customer_id AND c.customer_type = 'b2b'
JOIN terms t ON t.customer_id = s.customer_id AND t.starts_on < s.ends AND t.until >= s.ends
WHERE s.ends >= {literal(first)} AND s.begins < {literal(first)} GROUP BY ALL ORDER BY yearly_value DESC, s.customer_id LIMIT {LISTED}"""
    )
