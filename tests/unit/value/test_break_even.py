"""Break-even of after-sales: what service revenue pays and what warranty is owed is set apart before margin is asked for the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import MissingData
from analysis.exhibits import value as exhibits
from analysis.metrics import NotDone, StudyInputs
from analysis.results import Fact
from analysis.value.break_even import break_even
from analysis.value.findings import _break_even
from analysis.value.portfolio import Portfolio
from analysis.value.results import ServiceBreakEven, ValueStudy
from analysis.value.study import service_of_year


@dataclass(frozen=True, kw_only=True)
class Claims:
    """Failures under warranty of two months ahead, by hand."""

    rows: pd.DataFrame
    draws: np.ndarray
    remaining: tuple[Fact, ...] = ()


def ahead(*full: float) -> Callable[[StudyInputs, int], Claims]:
    """A forecast of claims: one month each, at this full cost."""
    months = [f"2026-{11 + place:02d}" for place in range(len(full))]
    rows = pd.DataFrame(
        {"product_line": "a", "month": months, "failures": 10.0, "cost": 1.0, "full": list(full)}
    )
    return lambda inputs, months: Claims(rows=rows, draws=np.array([0.9, 1.0, 1.1]))


def found(studied: ValueStudy, inputs: StudyInputs, claims: Callable[..., Claims] | None) -> ServiceBreakEven:
    assert isinstance(studied.portfolio, Portfolio)
    lent = replace(inputs, claims_ahead=claims)
    return break_even(lent, studied.portfolio, service_of_year(lent), int(studied.horizon.value or 0))


def said(studied: ValueStudy, one: ServiceBreakEven) -> str:
    (finding,) = _break_even(replace(studied, break_even=one))
    for language in ("en", "zh"):
        assert finding.statement.plain(language)  # type: ignore[arg-type]
    return str(finding.statement)


def test_revenue_and_duty_are_taken_off_before_margin_is_asked_for_the_rest(
    studied: ValueStudy, sampled: StudyInputs, sample_folder: Path
):
    one = found(studied, sampled, ahead(12_000.0, 6_000.0))
    orders = pd.read_parquet(sample_folder / "sample" / "orders.parquet")
    paid = orders["order_type"].isin(["extended_warranty", "premium_service", "paid_repair", "other_service"])
    moment = orders["ordered_at"] + pd.Timedelta(hours=8)  # business days of Shanghai
    year = (moment >= "2025-11-01") & (moment < "2026-11-01")
    revenue = float(sum(map(Decimal, orders.loc[paid & year, "revenue"].astype(str))))
    rate, months = float(studied.rate.value or 0), int(studied.horizon.value or 0)
    years = sum((1 + rate) ** (-(month - 0.5) / 12) for month in range(1, months + 1)) / 12
    duty = 12_000 * (1 + rate) ** (-0.5 / 12) + 6_000 * (1 + rate) ** (-1.5 / 12)
    gross = float(one.level.value or 0) * years
    assert float(one.cost.value or 0) == pytest.approx(gross, abs=0.01)
    assert float(one.revenue.value or 0) == pytest.approx(revenue * years, abs=0.01)
    assert float(one.duty.value or 0) == pytest.approx(duty, abs=0.01)
    rest = gross - revenue * years - duty
    assert float(one.avoidable.value or 0) == pytest.approx(rest, abs=0.05)
    # the margin of contracts is within the revenue: only purchases stand against the rest
    purchases = float(studied.portfolio.parts["purchases"].value)  # type: ignore[union-attr]
    assert float(one.net_share.value or 0) == pytest.approx(rest / purchases, rel=1e-6)
    assert one.net_share.value < one.share.value  # type: ignore[operator]


def test_limits_of_the_rest_hold_those_of_its_parts(studied: ValueStudy, sampled: StudyInputs):
    one = found(studied, sampled, ahead(900_000.0))
    low, high = (0.9 - 1) * float(one.duty.value or 0), (1.1 - 1) * float(one.duty.value or 0)
    assert one.duty.interval is not None
    # quantiles of three draws at 2.5 and 97.5 percent
    assert one.duty.interval.low == pytest.approx(float(one.duty.value or 0) + low * 0.95, rel=1e-6)
    assert one.duty.interval.high == pytest.approx(float(one.duty.value or 0) + high * 0.95, rel=1e-6)


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        (ahead(1.0), "is earned back if without after-sales"),
        (ahead(10**9), "no purchases need be kept"),
        (ahead(0.0), "pay"),
        (ahead(float("nan")), "needs the hours and cost of own staff"),
        (None, "no forecast of failures was given"),
    ],
)
def test_each_branch_says_what_the_data_give(
    studied: ValueStudy, sampled: StudyInputs, claims: Callable[..., Claims] | None, words: str
):
    one = found(studied, sampled, claims)
    assert words in said(studied, one)
    # what is not owed is not spoken of
    assert ("warranty owed" in said(studied, one)) != one.no_duty
    known = one.duty.value is not None
    assert (one.net_share.value is None) != known and one.net.value is not None
    tile = exhibits.headline_tiles(replace(studied, break_even=one)).payload["tiles"][1]
    assert ("net" in tile["metric"][0]) == known
    table = exhibits.parts_table(replace(studied, break_even=one))
    assert table is not None and not table.payload["untranslated"]
    printed = {cell["fact"] for row in table.payload["rows"] for cell in row["cells"]}
    assert (one.duty.id in printed) != one.no_duty


def test_a_refused_forecast_and_contracts_without_a_table_are_said(
    studied: ValueStudy, sampled: StudyInputs, monkeypatch: pytest.MonkeyPatch
):
    def refused(inputs: StudyInputs, months: int) -> Claims:
        raise MissingData("units.shipped_on")

    one = found(studied, sampled, refused)
    assert one.duty.reason is not None and "needs units.shipped_on" in one.duty.reason.en
    missing = sampled.engine.tables.missing
    monkeypatch.setattr(
        type(sampled.engine.tables),
        "missing",
        lambda self, *names: names if "contracts.starts_on" in names else missing(*names),
    )
    one = found(studied, sampled, ahead(1.0))
    assert one.revenue.value is None and one.net_share.value is None and one.share.value is not None
    assert "without a table of contracts" in said(studied, one)


def test_the_study_lends_itself_the_failure_forecast(studied: ValueStudy):
    assert not isinstance(studied.break_even, NotDone)
    assert "no forecast of failures was given" in str(studied.break_even.duty.reason)


@pytest.mark.parametrize(
    ("types", "said"),
    [
        (("premium_service", "paid_repair"), "Contracts and paid repairs"),
        (("extended_warranty",), "Contracts"),
        (("paid_repair",), "Paid repairs"),
        (("other_service",), "Paid services"),
        (("other_service", "paid_repair", "premium_service"), "Contracts and paid services"),
    ],
)
def test_who_pays_is_named_by_what_was_sold(
    company: Path, inputs_of: Callable[..., StudyInputs], types: tuple[str, ...], said: str
):
    from analysis.value.break_even import _payers

    # onboarding and the like are billed beside the contract here
    (company / "orders.csv").write_text(
        "order_id,customer_id,product_id,ordered_at,order_type,revenue\n"
        + "".join(f"O{n},C1,P1,2026-0{n + 1}-05T02:00:00,{one},100.00\n" for n, one in enumerate(types))
    )
    inputs = inputs_of(company)
    assert _payers(inputs, contract_types=("product",)).en == said
    if types == ("other_service",):
        assert _payers(inputs, contract_types=("other_service",)).en == "Contracts"
