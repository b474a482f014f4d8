from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from analysis.errors import ContractError, ParameterError
from analysis.retention import churn_components, components_of_spells


def spells(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "begins", "ends"])
    return frame.assign(begins=pd.to_datetime(frame["begins"]), ends=pd.to_datetime(frame["ends"]))


def test_winning_as_many_as_were_lost_hides_total_churn_from_the_net_rate_only():
    found = churn_components(start=100, lost=100, new=100)
    assert (
        found.gross_churn_rate == 1.0 and found.net_customer_loss_rate == 0.0 and found.net_change_rate == 0.0
    )
    assert found.popular_retention_rate == 0.0 and found.retained == 0 and found.end == 100


def test_popular_retention_is_true_retention_plus_reactivated():
    found = churn_components(start=10, lost=4, new=2, reactivated=3)
    assert found.popular_retention_rate == pytest.approx(0.9)
    assert found.retention_rate == pytest.approx(0.6)
    assert found.popular_retention_gap == pytest.approx(0.3)


def test_each_kind_of_customer_is_counted_once_by_hand():
    rows = spells(
        ("stays", "2025-01-01", None),
        ("leaves", "2025-01-01", "2025-10-15"),
        ("returns", "2024-01-01", "2025-03-01"),
        ("returns", "2025-10-20", None),
        ("new", "2025-10-05", None),
        ("comes and goes", "2025-10-05", "2025-10-25"),
        ("pauses", "2025-01-01", "2025-10-10"),
        ("pauses", "2025-10-12", None),
        ("gone", "2024-01-01", "2025-09-30"),
        ("later", "2025-11-01", None),
    )
    found = components_of_spells(rows, start=dt.date(2025, 10, 1), end=dt.date(2025, 11, 1))
    assert (found.start, found.lost, found.new, found.reactivated, found.won_and_lost) == (3, 1, 1, 1, 1)
    assert found.retained == 2 and found.end == 4


def test_a_customer_lost_on_the_first_day_was_there_when_it_began():
    rows = spells(("A", "2025-01-01", "2025-10-01"), ("B", "2025-10-01", None))
    found = components_of_spells(rows, start=dt.date(2025, 10, 1), end=dt.date(2025, 11, 1))
    assert (found.start, found.lost, found.new) == (1, 1, 1)


@pytest.mark.parametrize("seed", range(20))
def test_end_of_one_period_is_the_start_of_the_next_and_the_identities_hold(seed: int):
    random = np.random.default_rng(seed)
    begins = pd.Timestamp("2025-01-01") + pd.to_timedelta(random.integers(0, 300, 80), unit="D")
    ends = begins + pd.to_timedelta(random.integers(1, 200, 80), unit="D")
    rows = pd.DataFrame(
        {
            "customer_id": random.integers(0, 40, 80),
            "begins": begins,
            "ends": pd.Series(ends).where(random.random(80) < 0.7),
        }
    )
    march, april, may = dt.date(2025, 3, 1), dt.date(2025, 4, 1), dt.date(2025, 5, 1)
    first, second = (
        components_of_spells(rows, start=march, end=april),
        components_of_spells(rows, start=april, end=may),
    )
    assert first.end == second.start
    assert first.retained + first.lost == first.start
    if first.start:
        assert first.gross_churn_rate == pytest.approx(1 - first.retained / first.start)


def test_impossible_counts_and_spells_are_refused():
    with pytest.raises(ParameterError, match="11 lost of 10 present"):
        churn_components(start=10, lost=11, new=0)
    with pytest.raises(ParameterError, match="new is -1"):
        churn_components(start=10, lost=1, new=-1)
    with pytest.raises(ContractError, match="1 rows end before they begin, e.g. customer A"):
        components_of_spells(
            spells(("A", "2025-02-01", "2025-01-01")), start=dt.date(2025, 1, 1), end=dt.date(2025, 2, 1)
        )
