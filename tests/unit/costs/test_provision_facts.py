"""Claims expected from the warranty that is left: right on average, short only when the balance clearly is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis import failures
from analysis.costs.claims import (
    CLAIM_MONTHS,
    ClaimsExperience,
    claims_per_failure,
    expected_claims,
    simulated_claims,
)
from analysis.costs.provision_facts import ClaimsBridge, Provision, provision_findings, provision_of
from analysis.errors import MissingData
from analysis.failures.field import Field
from analysis.metrics import NotDone, StudyInputs
from analysis.sample import make_sample
from analysis.stats.multiplicity import adjust_p_values
from analysis.workbook.month_run import claims_ahead

TRUE = 1000.0
LEVEL = 0.01  # the chance of naming any line without cause


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
    inputs = inputs_of(company)
    provision = provision_of(inputs)
    (line,) = provision.lines
    # months of 28 to 31 days earn the same 100.00, so the rate a day wobbles by a per cent or two
    assert float(line.expected.value or 0) == pytest.approx(1400, rel=0.02)
    assert float(line.coverage.value or 0) == pytest.approx(500 / 1400, rel=0.02)
    assert {one.subject["product_line"] for one in provision_findings(inputs, provision)} == {
        "Washers",
        "all",
    }


def test_a_balance_below_zero_covers_less_than_nothing(
    company: Path, inputs_of: Callable[..., StudyInputs]
) -> None:
    units = "\n".join(f"S{place},P1,2024-12-15,2025-01-01,2028-01-01" for place in range(10))
    (company / "units.csv").write_text(UNITS.format(rows=units) + "\n", encoding="utf-8")
    rows = ["month,product_line,opening,accrued,utilised,adjusted,closing"]
    for step, month in enumerate(
        f"{year}-{number:02d}-01"
        for year in (2025, 2026)
        for number in range(1, 13)
        if (year, number) <= (2026, 10)
    ):
        rows.append(f"{month},Washers,{-10 * step}.00,90.00,100.00,0.00,{-10 * (step + 1)}.00")
    (company / "provision.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    inputs = inputs_of(company)
    provision = provision_of(inputs)
    (line,) = provision.lines
    interval = line.coverage.interval
    assert line.coverage.value is not None and interval is not None
    assert interval.low < line.coverage.value < interval.high < 0


# -- from the forecast of failures -------------------------------------------------------------------------------------


def test_claims_a_failure_by_hand() -> None:
    """1,300.00 booked on 13 failures: 100.00 each. Residuals −100, +100 over two months: error √(2 ÷ 1 × 20,000) ÷ 13 = 15.38 before widening."""
    ratio, error = claims_per_failure(np.array([500.0, 800.0]), np.array([6.0, 7.0]))
    assert ratio == 100.0
    assert error == pytest.approx(np.sqrt(2 * 20_000) / 13 / 100 * np.sqrt(1.4 / 0.6))


def test_equal_months_have_no_error_of_their_own() -> None:
    assert claims_per_failure(np.full(12, 300.0), np.full(12, 3.0)) == (100.0, 0.0)


def futures(
    rng: np.random.Generator, expected: float, *, level: float = 0.04, size: int = 2000
) -> np.ndarray:
    """Simulated sums whose level is uncertain, as the failure study gives them."""
    return rng.poisson(expected * np.exp(rng.normal(size=size) * level - level**2 / 2)) * 100.0


def test_simulated_claims_are_centred_and_lines_are_wider_than_their_sum() -> None:
    draws = futures(np.random.default_rng(1), 1000)
    found = simulated_claims({"A": 700.0, "B": 300.0}, {"A": (100.0, 0.02), "B": (50.0, 0.05)}, draws)
    assert {name: claims.expected for name, claims in found.items()} == {
        "A": 70_000.0,
        "B": 15_000.0,
        "all": 85_000.0,
    }
    for claims in found.values():
        assert claims.draws.mean() == pytest.approx(claims.expected, rel=0.01)
    relative = {name: claims.draws.std() / claims.expected for name, claims in found.items()}
    assert relative["B"] > relative["A"] > relative["all"] > 0.04


def forecast_short(seed: int, *, share: float) -> bool:
    """Whether a report calls any line short when the balances are ``share`` of the truth: level, counts and rate are all estimated."""
    rng = np.random.default_rng(seed)
    truth, rate, spread = {"A": 120.0, "B": 300.0, "C": 430.0}, 100.0, 0.04
    level = np.exp(rng.normal() * spread - spread**2 / 2)
    rates = {}
    for name in truth:
        seen = rng.poisson(truth[name] / 12, size=12) + 1.0
        rates[name] = claims_per_failure(seen * rate * np.exp(rng.normal(size=12) * 0.15 - 0.15**2 / 2), seen)
    due = {name: failures * level for name, failures in truth.items()}
    found = simulated_claims(due, rates, futures(rng, sum(due.values()), level=spread))
    held = {name: share * failures * rate for name, failures in truth.items()} | {
        "all": share * sum(truth.values()) * rate
    }
    chances = adjust_p_values([claims.short(held[name]) for name, claims in found.items()], method="holm")
    return bool((chances < LEVEL).any())


def test_a_balance_that_is_exactly_enough_is_rarely_called_short_by_the_forecast() -> None:
    alarms = np.mean([forecast_short(seed, share=1.0) for seed in range(200)])
    assert alarms <= LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / 200)


def test_a_balance_of_two_thirds_is_called_short_by_the_forecast() -> None:
    assert np.mean([forecast_short(seed, share=2 / 3) for seed in range(100)]) >= 0.95


@pytest.mark.slow
def test_a_balance_that_is_exactly_enough_for_the_forecast_over_2000_seeds() -> None:
    alarms = np.mean([forecast_short(seed, share=1.0) for seed in range(2000)])
    assert alarms <= LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / 2000)


@pytest.fixture(scope="module")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    make_sample(folder, seed=30_002, scale=0.1, blemishes=False)
    return folder


@pytest.mark.slow
def test_the_provision_and_the_failure_section_say_the_same(
    sample_folder: Path, inputs_of: Callable[..., StudyInputs]
) -> None:
    """The failures and the direct cost the note leads from are the failure section's own facts, to the ends of their intervals."""
    inputs = replace(inputs_of(sample_folder), claims_ahead=claims_ahead)
    provision, study = provision_of(inputs), failures.study(inputs)
    assert isinstance(provision.bridge, ClaimsBridge) and study.forecast is not None
    for ours, theirs in (
        (provision.bridge.direct, study.forecast.obligation),
        (provision.bridge.failures, study.forecast.obligation_failures),
    ):
        assert ours.value is not None and ours.interval is not None
        assert (ours.id, ours.value, ours.interval, ours.n) == (
            theirs.id,
            theirs.value,
            theirs.interval,
            theirs.n,
        )


def test_claims_of_a_line_are_its_failures_at_the_booked_rate(
    sample_folder: Path, inputs_of: Callable[..., StudyInputs]
) -> None:
    inputs = replace(inputs_of(sample_folder), claims_ahead=claims_ahead)
    provision = provision_of(inputs)
    assert isinstance(provision, Provision) and isinstance(provision.bridge, ClaimsBridge)
    line = provision.lines[0]
    name = line.expected.dimensions["product_line"]
    ahead = claims_ahead(inputs, 36).rows.groupby("product_line")["failures"].sum()[name]
    booked = inputs.engine.query(
        f"SELECT sum(utilised)::DOUBLE AS claims FROM provision WHERE product_line = '{name}' AND month BETWEEN DATE '2025-11-01' AND DATE '2026-10-01'"
    )["claims"].iloc[0]
    field = Field.of(inputs)
    counted = field.query(
        field.failures,
        select=f"SELECT count(*) AS n FROM failed WHERE product_line = '{name}' AND in_warranty AND event_on >= DATE '2025-11-01'",
    )["n"].iloc[0]
    # the failure study dates a failure by the day it happened, the claims booked follow the report
    assert float(line.expected.value or 0) == pytest.approx(ahead * booked / counted, rel=0.04)
    interval = line.expected.interval
    assert interval is not None and interval.low < float(line.expected.value or 0) < interval.high


def test_without_a_forecast_experience_stands_and_says_so(
    sample_folder: Path, inputs_of: Callable[..., StudyInputs]
) -> None:
    def refuse(inputs: StudyInputs, months: int):
        raise MissingData("units.shipped_on")

    for inputs, words in (
        (inputs_of(sample_folder), "no forecast"),
        (replace(inputs_of(sample_folder), claims_ahead=refuse), "units.shipped_on"),
    ):
        provision = provision_of(inputs)
        assert isinstance(provision.bridge, NotDone)
        assert words in provision.bridge.reason.en
        assert (
            isinstance(provision.total.claims, ClaimsExperience)
            and provision.total.expected.interval is not None
        )
