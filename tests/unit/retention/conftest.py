"""Companies that many tests of the retention study read: written, loaded and studied once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import retention
from analysis.metrics import StudyInputs
from analysis.retention import RetentionStudy
from analysis.sample import make_sample

CONTRACTS = """contract_id,term_no,customer_id,kind,starts_on,ends_on,renewed,cancelled_on,amount
K1,1,C1,subscription,2025-01-01,2025-12-31,true,,1200.00
K1,2,C1,subscription,2026-01-01,2026-12-31,,,600.00
K2,1,C2,maintenance,2025-03-01,2026-02-28,false,,2400.00
K3,1,C3,subscription,2026-05-01,2027-04-30,,,1000.00
K4,1,C4,subscription,2024-01-01,2024-12-31,false,,1000.00
K4,2,C4,subscription,2026-06-01,2027-05-31,,,1000.00
K5,1,C5,subscription,2026-01-10,2027-01-09,,2026-03-10,1000.00
K6,1,C6,subscription,2025-06-01,2026-05-31,,2026-12-24,1000.00
K7,1,C7,extended_warranty,2025-06-01,2026-05-31,false,,1000.00
"""
CUSTOMERS = """customer_id,customer_type,churned_on,churn_reason,churn_avoidable
C1,b2c,,,
C2,b2b,2026-02-28,price,true
C3,b2c,,,
C4,b2b,,,
C5,b2c,2026-03-10,moved,false
C6,b2b,,,
C7,b2c,,,
"""


@pytest.fixture(scope="session")
def tenth(
    tmp_path_factory: pytest.TempPathFactory, inputs_in: Callable[..., StudyInputs]
) -> tuple[StudyInputs, RetentionStudy]:
    """A tenth of the sample company: every part of the study is made."""
    place = tmp_path_factory.mktemp("tenth")
    make_sample(place / "sample", seed=3, scale=0.1, blemishes=False)
    inputs = inputs_in(place / "sample", work=place)
    return inputs, retention.study(inputs)


@pytest.fixture(scope="session")
def contractless(
    tmp_path_factory: pytest.TempPathFactory,
    company_in: Callable[[Path], Path],
    inputs_in: Callable[..., StudyInputs],
) -> RetentionStudy:
    """Two customers and two orders: hardly a part can be made."""
    place = tmp_path_factory.mktemp("contractless")
    return retention.study(inputs_in(company_in(place), work=place))


@pytest.fixture(scope="session")
def under_contract(
    tmp_path_factory: pytest.TempPathFactory,
    company_in: Callable[[Path], Path],
    inputs_in: Callable[..., StudyInputs],
) -> RetentionStudy:
    """Seven customers whose contracts can be followed by hand."""
    place = tmp_path_factory.mktemp("under_contract")
    folder = company_in(place)
    (folder / "customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    (folder / "contracts.csv").write_text(CONTRACTS, encoding="utf-8")
    return retention.study(inputs_in(folder, work=place))
