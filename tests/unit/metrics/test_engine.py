from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from analysis.errors import MissingData, ParameterError
from analysis.locale import Language, Text
from analysis.metrics import Engine, Measure, Metric, Period, Registry
from analysis.metrics.backend import transpiled
from analysis.metrics.kept import HASH_BYTES, SUFFIX, drop_damaged, keep, kept
from analysis.metrics.views import VIEWS, Rules
from analysis.metrics.views.selection import selected, study_view
from analysis.params import Assumptions
from analysis.periods import Month
from analysis.results import FactId, Rows

OCTOBER = Month(2026, 10)
Build = Callable[..., Engine]


def test_cost_of_a_month_counts_incurred_and_recovery_once(company: Path, engine_of: Build):
    fact = engine_of(company).fact("after_sales_cost", period=OCTOBER)
    # 250.50 + 1200.00 + 80.10 - 30.50 + 99.90; the accrual is no cost of this basis, L9 was recorded after the close
    assert fact.value == Decimal("1600.00")
    assert fact.unit == "CNY"
    assert fact.id == "after_sales_cost#2026-10:1"
    assert fact.interval is None


def test_as_of_decides_which_postings_are_known(company: Path, engine_of: Build):
    assert engine_of(company, as_of="2026-11-30").fact("after_sales_cost", period=OCTOBER).value == Decimal(
        "1607.00"
    )
    assert engine_of(company, as_of="2026-11-10").fact("after_sales_cost", period=OCTOBER).value == Decimal(
        "1600.00"
    )


def test_category_comes_from_the_posting_then_from_the_account_map_and_else_stays_visible(
    company: Path, engine_of: Build
):
    frame = engine_of(company).aggregate("incurred_cost", by=("category",), period=OCTOBER)
    found = dict(zip(frame["category"], frame["incurred_cost"], strict=True))
    assert found == {
        "labour": Decimal("1200.00"),
        "parts": Decimal("220.00"),
        "compensation": Decimal("99.90"),
        "unallocated": Decimal("80.10"),
        "other": None,  # the accrual's account: no incurred posting, so no sum
    }


def test_months_end_at_midnight_of_the_business_time_zone(company: Path, engine_of: Build):
    engine = engine_of(company)
    # T2 was opened at 23:59:59.999 on 30 September in Shanghai, T3 one millisecond later in October
    assert engine.value("service_orders", period=Month(2026, 9)) == 2
    assert engine.value("service_orders", period=OCTOBER) == 3  # the cancelled T6 is no service order
    assert engine.fact("revenue", period=OCTOBER).value == Decimal("10000.00")


def test_unit_cost_is_decimal_and_keeps_its_parts(company: Path, engine_of: Build):
    fact = engine_of(company).fact("service_unit_cost", period=OCTOBER)
    assert fact.value == Decimal("1600.00") / 3
    assert (fact.numerator, fact.denominator) == (Decimal("1600.00"), 3)
    assert fact.unit == "CNY/ticket"


def test_rate_has_numerator_denominator_interval_and_n(company: Path, engine_of: Build):
    fact = engine_of(company).fact("automation_rate", period=OCTOBER)
    assert (fact.numerator, fact.denominator, fact.n) == (2, 3, 3)
    # Wilson limits of 2 of 3 at 95 %: 0.2077 to 0.9385 (Newcombe 1998, Statistics in Medicine 17, 857-872, formula 3)
    assert fact.interval is not None
    assert (fact.interval.low, fact.interval.high) == pytest.approx((0.20766, 0.93851), abs=1e-5)


def test_what_is_absent_is_said_not_zero(company: Path, engine_of: Build):
    (company / "orders.csv").unlink()
    fact = engine_of(company).fact("after_sales_cost_rate", period=OCTOBER)
    assert fact.value is None
    assert fact.reason is not None and fact.reason.en == "not computed: needs orders, orders.revenue"


def test_a_month_without_rows_is_said(company: Path, engine_of: Build):
    fact = engine_of(company).fact("after_sales_cost", period=Month(2020, 1))
    assert fact.value is None and fact.reason is not None and "no rows in 2020-01" in fact.reason.en


def test_slices_add_up_to_the_total_for_every_dimension(company: Path, engine_of: Build):
    engine = engine_of(company)
    for dimension in (
        "category",
        "product_line",
        "region",
        "ticket_type",
        "tracing",
        "cost_center",
        "account",
    ):
        frame = engine.aggregate("incurred_cost", by=(dimension,), period=OCTOBER)
        assert sum(value for value in frame["incurred_cost"] if value is not None) == Decimal("1600.00"), (
            dimension
        )


def test_kept_aggregates_equal_computed_ones_and_follow_a_changed_month(company: Path, engine_of: Build):
    span = Period(Month(2026, 9), OCTOBER)
    first = engine_of(company).aggregate("incurred_cost", by=("category",), period=span)
    again = engine_of(company).aggregate("incurred_cost", by=("category",), period=span)
    plain = engine_of(company, cached=False).aggregate("incurred_cost", by=("category",), period=span)
    assert first.equals(again) and first.equals(plain)
    ledger = company / "ledger.csv"
    ledger.write_text(ledger.read_text().replace("250.50", "250.51"))
    moved = engine_of(company).aggregate("incurred_cost", by=("category",), period=span)
    assert moved[moved["month"] == "2026-10"]["incurred_cost"].dropna().sum() == Decimal("1600.01")
    assert moved[moved["month"] == "2026-09"].equals(first[first["month"] == "2026-09"])


def half_of_it(path: Path) -> None:
    frame = kept(path)
    assert frame is not None
    buffer = io.BytesIO()
    frame.head(1).to_parquet(buffer)
    path.write_bytes(path.read_bytes()[:HASH_BYTES] + buffer.getvalue())


@pytest.mark.parametrize(
    "damage",
    [
        half_of_it,
        lambda path: path.write_bytes(path.read_bytes()[:-5]),
        lambda path: path.write_bytes(b""),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: path.chmod(0),
    ],
)
def test_a_kept_aggregate_that_is_not_as_it_was_written_is_computed_again(
    company: Path, engine_of: Build, tmp_path: Path, damage: Callable[[Path], object]
):
    span = Period(Month(2026, 9), OCTOBER)
    first = engine_of(company).aggregate("incurred_cost", by=("category",), period=span)
    files = sorted(tmp_path.rglob(f"*{SUFFIX}"))
    assert files
    for path in files:
        damage(path)
    assert engine_of(company).aggregate("incurred_cost", by=("category",), period=span).equals(first)


def test_damaged_aggregates_are_counted_and_dropped(company: Path, engine_of: Build, tmp_path: Path):
    engine_of(company).aggregate("incurred_cost", by=("category",), period=OCTOBER)
    (path,) = sorted(tmp_path.rglob(f"*{SUFFIX}"))
    assert drop_damaged(path.parent) == 0
    path.write_bytes(b"x" * 100)
    assert (drop_damaged(path.parent), path.exists()) == (1, False)
    assert drop_damaged(tmp_path / "nowhere") == 0


@pytest.mark.parametrize("made", [lambda path: path.write_text("a file"), lambda path: path.symlink_to(path)])
def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path, made: Callable[[Path], object]):
    place = tmp_path / "cache"
    made(place)
    frame = pd.DataFrame({"month": ["2026-10"], "value": [1.0]})
    keep(place / f"a{SUFFIX}", frame)
    assert kept(place / f"a{SUFFIX}") is None and drop_damaged(place) == 0


def test_a_ticket_resolved_after_the_as_of_date_was_open_then(company: Path, engine_of: Build):
    rows = engine_of(company).query("SELECT ticket_id, resolved_at FROM service WHERE ticket_id = 'T5'")
    assert rows["resolved_at"].isna().all()


def test_trace_gives_the_rows_behind_a_fact(company: Path, engine_of: Build):
    engine = engine_of(company)
    fact = engine.fact("after_sales_cost", period=OCTOBER, dimensions={"category": "parts"})
    assert isinstance(fact.lineage, Rows)
    rows = engine.rows(fact.lineage.numerator)
    assert fact.sources == engine.tables_read(fact.lineage.numerator)
    assert sorted(rows["posting_id"]) == ["L3", "L6"]
    assert sum(rows["amount"]) == fact.value == Decimal("220.00")
    assert FactId.parse(fact.id).dimensions == {"category": "parts"}


def test_text_from_data_never_becomes_sql(company: Path, engine_of: Build):
    engine = engine_of(company)
    assert (
        engine.fact("after_sales_cost", period=OCTOBER, dimensions={"category": "x' OR '1'='1"}).value is None
    )


def test_unknown_measures_and_metrics_are_refused_with_a_suggestion(company: Path, engine_of: Build):
    engine = engine_of(company)
    with pytest.raises(ParameterError, match="Did you mean 'after_sales_cost'"):
        engine.fact("after_sale_cost", period=OCTOBER)
    with pytest.raises(ParameterError, match="several views"):
        engine.aggregate("incurred_cost", "service_orders", period=OCTOBER)


def test_every_view_carries_over_to_spark():
    rules = Rules.of(Assumptions.load(), on=dt.date(2026, 11, 1), time_zone="Asia/Shanghai")
    for view in VIEWS.values():
        assert "FROM" in transpiled(view.text(rules, dt.date(2026, 11, 1)), "spark")


def test_a_materialised_table_is_computed_once_and_named_by_its_text(company: Path, engine_of: Build):
    engine = engine_of(company)
    first = engine.materialise("draws", "SELECT random() AS value")
    assert engine.materialise("draws", "SELECT random() AS value") == first
    assert (
        engine.query(f"SELECT value FROM {first}")["value"].tolist()
        == engine.query(f"SELECT value FROM {first}")["value"].tolist()
    )
    assert engine.materialise("draws", "SELECT 1 AS value") != first
    with pytest.raises(MissingData, match="budget"):
        engine.materialise("plans", "SELECT 1", needs=("budget",))


def test_what_an_analyst_mistypes_is_answered_with_near_matches(company: Path, engine_of: Build):
    engine = engine_of(company)
    with pytest.raises(ParameterError, match="dimension 'categry'.*Did you mean 'category'"):
        engine.aggregate("incurred_cost", by=("categry",), period=OCTOBER)
    with pytest.raises(ParameterError, match="dimension 'categry'.*Did you mean 'category'"):
        engine.fact("after_sales_cost", period=OCTOBER, dimensions={"categry": "parts"})
    with pytest.raises(ParameterError, match="metric 'after_sale_cost'.*Did you mean 'after_sales_cost'"):
        engine.fact("after_sale_cost", period=OCTOBER)
    with pytest.raises(ParameterError, match="month 'October': not a month; write it as 2026-10"):
        engine.fact("after_sales_cost", period="October")
    assert engine.fact("after_sales_cost", period="2026-10").value == Decimal("1600.00")


@study_view
def posted_on_tickets(basis: str) -> str:
    """Postings of one basis with the ticket that carries them."""
    return f"SELECT *, ticket_id IS NOT NULL AS traced FROM cost WHERE posting_basis = '{basis}'"


def with_measures(engine: Engine, **metric: object) -> Engine:
    """The engine with a metric ``posted`` over :func:`posted_on_tickets`."""
    view, words = f"{__name__}.posted_on_tickets", Text.same("postings")
    amount = Measure(view=view, value="sum(amount)", meaning=words, id="posted_amount")
    traced = replace(amount, value="count(*)", where="traced", id="posted_traced")
    every = replace(amount, value="count(*)", id="posted_every")
    high = replace(amount, value="quantile_disc(amount, $quantile)", id="posted_high")
    given = {"numerator": "posted_traced", "denominator": "posted_every", "interval": "wilson"} | metric
    entry = Metric(name=words, description=words, unit="share", owner="x", id="posted", **given)  # type: ignore[arg-type]
    registry = engine.registry
    engine.registry = replace(
        registry,
        measures=registry.measures | {m.id: m for m in (amount, traced, every, high)},
        metrics=registry.metrics | {"posted": entry},
    )
    return engine


def test_rows_that_a_study_selects_are_counted_as_the_measures_say(company: Path, engine_of: Build):
    engine = with_measures(engine_of(company))
    rows = posted_on_tickets("incurred").of(month="2026-10")
    fact = engine.measured_by("posted", rows, by=(), period=OCTOBER)[()]
    assert (fact.numerator, fact.denominator, fact.n) == (2, 4, 4)
    assert fact.interval is not None and fact.interval.method == "Wilson score"
    # its rows give it again
    assert isinstance(fact.lineage, Rows)
    assert len(engine.rows(fact.lineage.numerator)) == 2 and len(engine.rows(fact.lineage.denominator)) == 4
    assert fact.sources == engine.tables_read(fact.lineage.numerator)


def test_every_slice_is_counted_at_once_and_the_whole_where_it_is_a_share_of_it(
    company: Path, engine_of: Build
):
    engine = with_measures(engine_of(company))
    rows = posted_on_tickets("incurred")
    by = engine.measured_by("posted", rows, by=("month", "category"), period=OCTOBER)
    one = by["2026-10", "labour"]
    assert (one.period, dict(one.dimensions)) == ("2026-10", {"category": "labour"})
    single = rows.of(month="2026-10", category="labour")
    assert engine.measured_by("posted", single, by=(), period=OCTOBER)[()].value == one.value
    assert sum(fact.denominator or 0 for fact in by.values()) == len(engine.rows(rows.sql))
    whole = engine.measured_by("posted", rows, by=("category",), of_by=(), period=OCTOBER)
    assert {fact.denominator for fact in whole.values()} == {len(engine.rows(rows.sql))}


def test_nothing_selected_is_zero_counted_and_no_sum(company: Path, engine_of: Build):
    engine = with_measures(engine_of(company), numerator="posted_every", denominator=None, interval="exact")
    none = posted_on_tickets("utilisation")
    assert engine.measured_by("posted", none, by=(), period=OCTOBER)[()].value == 0
    assert engine.measured_by("posted", none, by=("category",), period=OCTOBER) == {}
    summed = with_measures(engine_of(company), numerator="posted_amount", denominator=None, interval="exact")
    fact = summed.measured_by("posted", none, by=(), period=OCTOBER, reason=Text.same("nothing"))[()]
    assert fact.value is None and fact.reason == Text.same("nothing")


def test_a_measure_takes_its_parameter_from_the_selection(company: Path, engine_of: Build):
    engine = with_measures(engine_of(company), numerator="posted_high", denominator=None, interval="exact")
    rows = posted_on_tickets("incurred").of(month="2026-10").given(quantile=1.0)
    fact = engine.measured_by("posted", rows, by=(), period=OCTOBER)[()]
    assert fact.value == Decimal("1200.00")
    assert isinstance(fact.lineage, Rows) and fact.lineage.value == "quantile_disc(amount, 1.0)"


def test_what_a_model_cut_is_no_row_to_list_and_another_view_is_refused(company: Path, engine_of: Build):
    engine = with_measures(engine_of(company))
    lent = engine.lend("scores", pa.table({"ticket_id": ["T1"], "score": [0.5]}))
    cut = replace(
        posted_on_tickets("incurred"), sql=f"SELECT *, TRUE AS traced FROM cost JOIN {lent} USING (ticket_id)"
    )
    assert not isinstance(engine.measured_by("posted", cut, by=(), period=OCTOBER)[()].lineage, Rows)
    with pytest.raises(ParameterError, match="posted_traced.*not over cost"):
        engine.measured_by("posted", selected("cost"), by=(), period=OCTOBER)
    for metric in ("posted", "field_machines"):  # of one day: which one, the study says
        with pytest.raises(ParameterError, match="rows that a study selects"):
            engine.fact(metric, period=OCTOBER)


def test_machines_that_are_not_recorded_are_said_not_zero(company: Path, engine_of: Build):
    (company / "units.csv").unlink(missing_ok=True)
    there = selected("machines_at_20261101")
    fact = engine_of(company).measured_by("field_machines", there, by=(), period=OCTOBER)[()]
    assert fact.value is None and fact.reason is not None
    assert fact.reason.en == "not computed: needs units.shipped_on"


def test_a_parameter_fills_its_own_name_and_no_longer_one():
    from analysis.metrics.views.selection import Selection

    rows = Selection("view", "SELECT 1").given(share=0.8)
    assert rows.filled("quantile_cont(x, $share) + $shares") == "quantile_cont(x, 0.8) + $shares"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_formula_is_read_in_one_way_only(language: Language):
    """Outside brackets a line holds the words of its own two parts, each whole, and the operators between them."""
    registry = Registry.load()
    for metric in registry:
        whole = registry.formula(metric)[language]
        outside = re.sub(r"[(（][^()（）]*[)）]", "", whole)
        if metric.denominator is not None or metric.per != 1:
            found = re.findall(r" (?:[÷×−+]|minus|plus) ", outside)
            wanted = [" ÷ "] * (metric.denominator is not None) + [" × "] * (metric.per != 1)
            assert found == wanted, whole
    assert (
        registry.formula(registry["cost_change_rate"])[language]
        == {
            "en": "(cost of the month − cost of the compared month) ÷ cost of the compared month",
            "zh": "（当月成本 − 对比月成本） ÷ 对比月成本",
        }[language]
    )


def test_a_change_to_less_than_nothing_has_no_rate(company: Path, engine_of: Build):
    """October is credited away: the difference stands, a rate of minus 186.4% is not stated."""
    engine = engine_of(company)
    now, before = (
        replace(engine.fact("after_sales_cost", period=month), value=Decimal(value))
        for month, value in (("2026-10", "-864.00"), ("2026-09", "1000.00"))
    )
    rate = engine.derived("cost_change_rate", now, before, period="2026-10")
    assert rate.value is None and rate.reason is not None and "turned negative" in rate.reason.en
    assert engine.derived("cost_change", now, before, period="2026-10").value == Decimal("-1864.00")
    less = engine.derived("cost_change_rate", replace(now, value=Decimal("0.00")), before, period="2026-10")
    assert less.value == -1
