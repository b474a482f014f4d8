"""Claims expected from the warranty that is left: right on average, short only when the balance clearly is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.costs.reserve import (
    CLAIM_MONTHS,
    LEVEL,
    Provision,
    expected_claims,
    provision_findings,
    provision_of,
)
from analysis.metrics import StudyInputs
from analysis.stats.multiplicity import adjust_p_values

TRUE = 1000.0


def months(rng: np.random.Generator, *, rho: float, noise: float = 0.15) -> np.ndarray:
    """What each month says: the truth with a season and errors that hang together."""
    errors = rng.normal(size=CLAIM_MONTHS + 40)
    for month in range(1, len(errors)):
        errors[month] += rho * errors[month - 1]
    season = 0.2 * np.sin(2 * np.pi * np.arange(CLAIM_MONTHS) / 12)
    return TRUE * (1 + season + noise * errors[40:] * np.sqrt(1 - rho**2))


def any_short(seed: int, *, closing: float, rho: float, lines: int = 4) -> bool:
    """Whether any of the lines, or all together, would be called short."""
    rng = np.random.default_rng(seed)
    monthly = [months(rng, rho=rho) for _ in range(lines)]
    chances = [expected_claims(line).short(closing) for line in monthly]
    chances.append(expected_claims(np.sum(monthly, axis=0)).short(lines * closing))
    return bool((adjust_p_values(chances, method="holm") < LEVEL).any())


def rate(seeds: int, *, closing: float, rho: float) -> float:
    return float(np.mean([any_short(seed, closing=closing, rho=rho) for seed in range(seeds)]))


@pytest.mark.parametrize("rho", [0.0, 0.4])
def test_a_balance_that_is_exactly_enough_is_rarely_called_short(rho: float):
    assert rate(200, closing=TRUE, rho=rho) <= LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / 200)


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.3, 0.5])
def test_a_balance_that_is_exactly_enough_over_2000_seeds(rho: float):
    assert rate(2000, closing=TRUE, rho=rho) <= LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / 2000)


def test_a_balance_of_two_thirds_is_called_short():
    assert rate(100, closing=2 / 3 * TRUE, rho=0.3) >= 0.95


def test_the_expectation_and_its_interval_recover_the_truth():
    found = [expected_claims(months(np.random.default_rng(seed), rho=0.3)).found for seed in range(200)]
    assert np.mean([one.estimate for one in found]) == pytest.approx(TRUE, rel=0.02)
    inside = [low <= TRUE <= high for low, high in (one.limits(0.95) for one in found)]
    assert np.mean(inside) >= 0.93


UNITS = """serial_no,product_id,shipped_on,in_service_on,warranty_end
{rows}"""


def test_claims_a_unit_month_by_hand(company: Path, inputs_of: Callable[..., StudyInputs]) -> None:
    """Ten washers from January 2025 to December 2027 cost 100.00 a month; 14 months are left, so 1,400.00 is expected and 500.00 is short."""
    units = "\n".join(f"S{place},P1,2024-12-15,2025-01-01,2028-01-01" for place in range(10))
    (company / "units.csv").write_text(UNITS.format(rows=units) + "\n", encoding="utf-8")
    rows = ["month,product_line,opening,accrued,utilised,adjusted,closing"]
    balance = 500
    for month in (
        *(f"2025-{number:02d}-01" for number in range(1, 13)),
        *(f"2026-{number:02d}-01" for number in range(1, 11)),
    ):
        rows.append(f"{month},Washers,{balance}.00,100.00,100.00,0.00,{balance}.00")
    (company / "provision.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    provision = provision_of(inputs_of(company))
    assert isinstance(provision, Provision)
    (line,) = provision.lines
    # months of 28 to 31 days earn the same 100.00, so the rate a day wobbles by a per cent or two
    assert float(line.expected.value or 0) == pytest.approx(1400, rel=0.02)
    assert line.coverage.value == pytest.approx(500 / 1400, rel=0.02)
    assert {one.subject["product_line"] for one in provision_findings(provision)} == {"Washers", "all"}
