"""Few large accounts are managed one by one: who left, what they were worth, what comes up next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.metrics import StudyInputs
from analysis.metrics.backend import literal
from analysis.retention.movement import year_of
from analysis.retention.standing import contracts

if TYPE_CHECKING:
    import pandas as pd

LISTED = 50


def large_losses(inputs: StudyInputs) -> pd.DataFrame:
    """Business accounts lost in the year, the largest contract value first: ``customer_id``, ``segment``, ``region``, ``kind``, ``lost_on``, ``reason``, ``yearly_value``."""
    inputs.engine.require("contracts.starts_on", "contracts.ends_on", "contracts.amount", "customers.customer_type")
    first = year_of(inputs).first.start
    return inputs.engine.query(
        f"""WITH {contracts(inputs)}
SELECT s.customer_id, c.segment, c.region, s.kind, s.ends AS lost_on, c.churn_reason AS reason, sum(CAST(t.amount * 12 / t.term_months AS DECIMAL(18, 2))) AS yearly_value
FROM spells s JOIN customers c ON c.customer_id = s.customer_id AND c.customer_type = 'b2b'
JOIN terms t ON t.customer_id = s.customer_id AND t.starts_on < s.ends AND t.until >= s.ends
WHERE s.ends >= {literal(first)} AND s.begins < {literal(first)} GROUP BY ALL ORDER BY yearly_value DESC, s.customer_id LIMIT {LISTED}"""
    )
