"""Claims still to come on machines under warranty: what a provision has to cover.

From the forecast of failures where it is there: failures expected until the warranties end, each at the claims that were booked a
warranty failure in the last year. The ledger's claims hold more than the direct cost of confirmed failures (returns, exchanges, visits
that found no fault), so the forecast is brought to what is booked. Without it, from experience: claims per unit-month, constant over the
warranty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from analysis.costs.figures import rows_of
from analysis.costs.serial import Contrast, contrast
from analysis.costs.signals import LEAST_CORRELATION
from analysis.errors import FitError, MissingData
from analysis.metrics import Period, StudyInputs, traced
from analysis.metrics.backend import literal
from analysis.metrics.views import NOT_STATED, at
from analysis.periods import Month
from analysis.results import Fact
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
ALL = "all"
YEAR = 12
CLAIM_MONTHS = 24
DAYS_IN_MONTH = 30.4375
SEED = 20_261_130
# What the errors of claims per unit-month are taken to hang together at least: a season of more failures lasts, and the tail of five tests needs it.
EXPERIENCE_CORRELATION = 0.5


def simulated(times: int) -> str:
    """The method of limits over so many simulated futures of the failures."""
    return f"failures under warranty simulated {times:,} times"


@dataclass(frozen=True, kw_only=True, eq=False)
class ForecastClaims(Summarised):
    """Claims of one line (or all) by the forecast of failures; ``draws``: one value a simulated future."""

    expected: float
    draws: Floats
    months: int

    @property
    def method(self) -> str:
        return f"{simulated(len(self.draws))} at the claims booked a failure"

    def limits(self, confidence: float) -> tuple[float, float]:
        """Quantiles of the futures, to a cent: what lies beyond is noise of the simulation."""
        low, high = np.quantile(self.draws, [(1 - confidence) / 2, (1 + confidence) / 2])
        return round(float(low), 2), round(float(high), 2)

    def short(self, closing: float) -> float:
        """The share of futures whose claims ``closing`` would pay."""
        return float((1 + (self.draws <= closing).sum()) / (len(self.draws) + 1))


@dataclass(frozen=True, kw_only=True, eq=False)
class ClaimsExperience(Summarised):
    """Claims of one line (or all) by what each past month says of them."""

    method: ClassVar[str] = (
        "claims paid a unit-month under warranty over two years, serially correlated errors, t"
    )
    found: Contrast
    months: int

    @property
    def expected(self) -> float:
        return float(self.found.estimate)

    def limits(self, confidence: float) -> tuple[float, float]:
        low, high = self.found.limits(confidence)
        return float(low), float(high)

    def short(self, closing: float) -> float:
        """One-sided p-value for claims of at most ``closing``."""
        return float(self.found.tail(closing))


# -- from the forecast of failures -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class ForecastOfClaims(Summarised):
    """By product line and for `ALL`; ``booked`` claims and failures ``seen`` in the last year.

    ``rate_error`` is the relative standard error of claims per failure; ``remaining`` are the failures ahead and their direct cost as the
    failure section states them, of ``same`` product lines or of more.
    """

    claims: dict[str, ForecastClaims]
    booked: float
    seen: float
    rate_error: float
    remaining: tuple[Fact, ...]
    same: bool


@traced
def claims_forecast(inputs: StudyInputs, lines: Sequence[str]) -> ForecastOfClaims:
    """Claims of these lines from the failures to come.

    Raises
    ------
    MissingData, FitError
        Where no forecast of failures was given or can be made, or a line has no claims or no failures under warranty in the last year.
    """
    if inputs.claims_ahead is None:
        raise MissingData(message="no forecast of failures was given")
    months = int(inputs.assumptions.value("longest_warranty_months", on=inputs.month.last_day))
    ahead = inputs.claims_ahead(inputs, months)
    past = _warranty_failures(inputs)
    booked = _booked(inputs, inputs.month - (YEAR - 1))
    due = ahead.rows.groupby("product_line")["failures"].sum()
    rates = {}
    for line in lines:
        claims, failures = _by_month(booked, line, inputs.month), _by_month(past, line, inputs.month)
        if due.get(line, 0.0) <= 0 or failures.sum() <= 0 or claims.sum() <= 0:
            raise MissingData(
                message="a product line has no claims or no failures under warranty in the last year"
            )
        rates[line] = claims_per_failure(claims, failures)
    # failures that cost nothing (no posting names its order), or that earn, spread as their numbers do
    futures = ahead.draws if float(ahead.draws.mean()) > 0 else ahead.counts
    if float(ahead.counts.mean()) <= 0:
        raise FitError("no failure under warranty is expected")
    claims_by_line = simulated_claims({line: float(due[line]) for line in lines}, rates, futures)
    paid, seen = (
        np.sum([_by_month(frame, line, inputs.month) for line in lines], axis=0) for frame in (booked, past)
    )
    return ForecastOfClaims(
        claims=claims_by_line,
        booked=float(paid.sum()),
        seen=float(seen.sum()),
        rate_error=claims_per_failure(paid, seen)[1],
        remaining=ahead.remaining,
        same=set(due[due > 0].index) == set(lines),
    )


@traced
def claims_per_failure(claims: Floats, failures: Floats) -> tuple[float, float]:
    """Claims booked per warranty failure over the months, and the relative standard error of that ratio.

    Notes
    -----
    Ratio of sums; the error from the months' residuals (Cochran 1977, Sampling Techniques, 6.3), widened for months that hang together by
    `LEAST_CORRELATION`.
    """
    ratio = float(claims.sum() / failures.sum())
    rest = claims - ratio * failures
    count = len(claims)
    widening = np.sqrt((1 + LEAST_CORRELATION) / (1 - LEAST_CORRELATION))
    error = np.sqrt(count / (count - 1) * float(rest @ rest)) / float(failures.sum()) * widening
    return ratio, float(error / ratio)


@traced
def simulated_claims(
    due: dict[str, float], rates: dict[str, tuple[float, float]], draws: Floats
) -> dict[str, ForecastClaims]:
    """Claims by line and in all, one value a future.

    Parameters
    ----------
    due : failures expected by line
    rates : claims per failure by line, with the relative standard error
    draws : futures of the whole forecast (level, month scatter, counts, cost per failure); their spread is shared by every line

    Notes
    -----
    Each line adds the counting noise of its own failures and the error of its own rate. The counting noise of the whole is in the shared
    spread too, so limits are a little wide where failures are few.
    """
    random = np.random.default_rng(SEED)
    shared = draws / draws.mean()
    found, total, expected = {}, np.zeros(len(draws)), 0.0
    for line, failures in due.items():
        rate, error = rates[line]
        own_rate = np.exp(random.standard_normal(len(draws)) * error - error**2 / 2)
        counts = random.poisson(failures, len(draws))
        found[line] = ForecastClaims(
            expected=failures * rate, draws=counts * rate * shared * own_rate, months=YEAR
        )
        total += failures * rate * shared * own_rate
        expected += failures * rate
    return found | {ALL: ForecastClaims(expected=expected, draws=total, months=YEAR)}


@traced
def _warranty_failures(inputs: StudyInputs) -> pd.DataFrame:
    """Confirmed failures under warranty by product line and month of the report: ``product_line``, ``month``, ``amount``."""
    span = Period(inputs.month - (YEAR - 1), inputs.month)
    return inputs.engine.query(
        f"""
        SELECT s.product_line, strftime(s.month, '%Y-%m') AS month, count(*)::DOUBLE AS amount
        FROM service s
        WHERE {span.condition()} AND s.ticket_type = 'repair' AND s.product_line IS NOT NULL AND s.fault_found AND s.under_warranty
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        needs=("tickets.serial_no", "units.warranty_end", "products.product_line"),
    )


@traced
def _booked(inputs: StudyInputs, first: Month) -> pd.DataFrame:
    """Claims paid against the provision by product line and month: ``product_line``, ``month``, ``amount``."""
    return inputs.engine.query(
        "SELECT product_line, strftime(month, '%Y-%m') AS month, utilised::DOUBLE AS amount FROM provisions "
        f"WHERE {Period(first, inputs.month).condition()} ORDER BY 1, 2"
    )


@traced
def _by_month(frame: pd.DataFrame, line: str, last: Month) -> Floats:
    """The last year of one line; a month without a row is zero."""
    amounts = frame[frame["product_line"] == line].set_index("month")["amount"]
    return amounts.reindex([str(last - back) for back in range(YEAR - 1, -1, -1)]).fillna(0.0).to_numpy(float)


# -- from experience ---------------------------------------------------------------------------------------------------


@traced
def expected_claims(monthly: Floats) -> ClaimsExperience:
    """Expected cost of the warranty that is left, from what each past month says it would be.

    Parameters
    ----------
    monthly : one value a month, oldest first: claims paid ÷ unit-months under warranty × warranty months left

    Notes
    -----
    Their mean beside one sine and cosine of the year, with a t interval that lets neighbouring months hang together
    (`serial.contrast`). The rate is taken as constant over the warranty.
    """
    angle = 2 * np.pi * np.arange(len(monthly)) / 12
    design = np.column_stack([np.ones(len(monthly)), np.sin(angle), np.cos(angle)])
    found = contrast(design, monthly, np.array([1.0, 0.0, 0.0]), least_correlation=EXPERIENCE_CORRELATION)
    return ClaimsExperience(found=found, months=len(monthly))


@traced
def claims_experience(inputs: StudyInputs, lines: Sequence[str]) -> dict[str, ClaimsExperience]:
    """By product line, and for `ALL` where every line has its claims and exposure."""
    monthly = _monthly_claims(inputs)
    parts = [monthly[line] for line in lines if line in monthly]
    found = {line: expected_claims(monthly[line]) for line in lines if line in monthly}
    return found | (
        {ALL: expected_claims(np.sum(parts, axis=0))} if parts and len(parts) == len(lines) else {}
    )


@traced
def _monthly_claims(inputs: StudyInputs) -> dict[str, Floats]:
    """By product line: what each of the last two years' months (one year's, where there is no more) says the warranty that is left will cost."""
    try:
        inputs.engine.require("units.warranty_end", "products.product_line")
    except MissingData:
        return {}
    months = set(
        inputs.engine.query("SELECT DISTINCT strftime(month, '%Y-%m') AS month FROM provisions")["month"]
    )
    span = CLAIM_MONTHS if str(inputs.month - (CLAIM_MONTHS - 1)) in months else YEAR
    first = inputs.month - (span - 1)
    exposed = inputs.engine.query(_exposure_sql([first + step for step in range(span)]))
    paid = _booked(inputs, first)
    claims = {}
    for row in rows_of(exposed):
        amounts = paid.loc[paid["product_line"] == row["product_line"], "amount"].to_numpy(float)
        past = np.array([row[f"m{step}"] for step in range(span)], dtype=float)
        if len(amounts) == span and (past > 0).all():
            claims[str(row["product_line"])] = amounts / past * float(row["ahead"])
    return claims


def _exposure_sql(months: list[Month]) -> str:
    """Unit-months under warranty by product line, in each month and after the last one."""

    def inside(start: str, end: str) -> str:
        return f"sum(greatest(0, date_diff('day', greatest(starts, {start}), {end}))) / {DAYS_IN_MONTH}"

    past = ", ".join(
        f"{inside(literal(month.start), f'least(ends, {literal(month.end)})')} AS m{step}"
        for step, month in enumerate(months)
    )
    end = literal(months[-1].end)
    return f"""
    WITH field AS (
        SELECT product_line, started AS starts, least(warranty_end, coalesce(left_on, warranty_end)) AS ends
        FROM {at("machines", months[-1].end)} WHERE warranty_end IS NOT NULL AND shipped_on < {end} AND product_line <> '{NOT_STATED}'
    )
    SELECT product_line, {past}, {inside(end, "ends")} AS ahead FROM field GROUP BY 1 ORDER BY 1
    """
