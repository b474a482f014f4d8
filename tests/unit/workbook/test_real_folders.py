"""Real exports through the public path: map, proof, studies. The data lie beside the project; without them these tests are skipped."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import quality, retention, stats
from analysis.errors import MissingData, ParameterError
from analysis.metrics.study import facts_in
from analysis.params import project_root
from analysis.params.strict import bind
from analysis.report.agreement import undecided
from analysis.results import Fact
from analysis.sources import SourceMap, apply_map, load_map
from analysis.tables import contract
from analysis.workbook import MonthRun, prepare_run
from analysis.workbook.sections import SECTIONS

REAL = Path(__file__).parents[3].parent / "shared" / "real"
FOLDERS = {
    "shop": "online_retail_invoices",
    "telco": "telco_churn_ibm",
    "nyc311": "nyc311_animals",
    "cdnow": "cdnow",
}
TABLES = {name: tuple(table.columns) for name, table in contract().tables.items()}
INVOICES = """No,Day,Buyer
1,2026-10-01,A
1,2026-10-01,A
C2,2026-10-02,A
3,2026-10-03,(blank)
4,2026-10-04,B
"""
ORDERS = {
    "table": "orders",
    "file": "invoices.csv",
    "columns": {"order_id": "No", "customer_id": "Buyer", "ordered_at": "Day"},
    "constants": {"revenue": "1.00"},
    "numbered": {"line_no": ["order_id"]},
    "without": {"No": ["C*"], "Buyer": ["(blank)"]},
}
CUSTOMERS = {
    "table": "customers",
    "file": "invoices.csv",
    "columns": {"customer_id": "Buyer"},
    "first_of": ["customer_id"],
}


def mapped(tmp_path: Path, text: str, *entries: dict) -> tuple[list[tuple[int, int, int]], list[list[str]]]:
    """Rows read, written and left out by entry, and the lines written."""
    source_map = bind(SourceMap, {"about": "test", "tables": list(entries), "name": "test"}, "test")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "invoices.csv").write_text(text, encoding="utf-8")
    files = apply_map(source_map, tmp_path / "in", tmp_path / "out")
    lines = [
        path.read_text(encoding="utf-8").splitlines() for path in sorted((tmp_path / "out").rglob("*.csv"))
    ]
    return [(file.read, file.mapped, file.left_out) for file in files], lines


def test_rows_of_one_invoice_are_its_lines_and_what_a_rule_leaves_out_is_counted(tmp_path: Path):
    counts, (lines,) = mapped(tmp_path, INVOICES, ORDERS)
    assert counts == [(5, 3, 2)]
    assert lines == [
        "order_id,customer_id,ordered_at,revenue,line_no",
        "1,A,2026-10-01,1.00,1",
        "1,A,2026-10-01,1.00,2",
        "4,B,2026-10-04,1.00,1",
    ]


def test_customers_named_by_every_order_are_written_once(tmp_path: Path):
    counts, (lines,) = mapped(tmp_path, INVOICES, CUSTOMERS)
    assert counts == [(5, 3, 2)] and lines == ["customer_id", "A", "(blank)", "B"]


def test_a_file_without_a_header_and_with_runs_of_blanks_is_read_by_the_stated_names(tmp_path: Path):
    entry = {
        "table": "orders",
        "file": "invoices.csv",
        "separator": " ",
        "header": ["No", "Day", "Buyer"],
        "columns": ORDERS["columns"],
    }
    counts, (lines,) = mapped(tmp_path, " 1   2026-10-01  A\n 22 2026-10-02 B\n", entry)
    assert counts == [(2, 2, 0)] and lines[1:] == ["1,A,2026-10-01", "22,B,2026-10-02"]


def test_a_rule_about_a_column_that_is_not_written_is_refused(tmp_path: Path):
    path = tmp_path / "acme.yml"
    path.write_text(
        "about: x\ntables:\n  - {table: orders, file: a.csv, columns: {order_id: Number}, numbered: {line_no: [ordered_at]}}\n",
        encoding="utf-8",
    )
    with pytest.raises(ParameterError, match="'ordered_at' has a rule but no source"):
        load_map("acme", TABLES, path=path)


# ---------------------------------------------------------------- the four folders


@pytest.fixture
def open_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], MonthRun]:
    """The run of this name, in a project of our own."""

    def opened(name: str) -> MonthRun:
        folder = REAL / FOLDERS[name]
        if not folder.is_dir():
            pytest.skip(f"real data absent: {FOLDERS[name]}")
        shutil.copytree(project_root() / "params", tmp_path / "root" / "params")
        monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path / "root"))
        return prepare_run(name, data=str(folder), folder=tmp_path / "run")

    return opened


def mapped_rows(run: MonthRun) -> dict[str, tuple[int, int, int]]:
    return {entry.table: (entry.read, entry.mapped, entry.left_out) for entry in run.mapped}


def test_telco_churn_is_26_54_percent_of_7043_subscribers(open_real: Callable[[str], MonthRun]):
    run = open_real("telco")
    month = retention.study(run.inputs).contractual.month
    # IBM's sample: 1,869 of 7,043 customers left within the last month.
    assert (month.gross_churn.numerator, month.gross_churn.denominator) == (1869, 7043)
    assert round(float(month.gross_churn.value) * 100, 2) == 26.54
    assert {name: fact.value for name, fact in month.counts.items() if fact.value} == {
        "start": 7043,
        "retained": 5174,
        "lost": 1869,
        "end": 5174,
    }
    assert not run.tables.has("ledger") and not run.tables.has("tickets")


def test_cdnow_has_2357_customers_of_one_quarter_and_their_repeat_rates(open_real: Callable[[str], MonthRun]):
    run = open_real("cdnow")
    assert mapped_rows(run) == {"customers": (6919, 2357, 4562), "orders": (6919, 6919, 0)}
    raw = pd.read_csv(
        REAL / "cdnow" / "CDNOW_sample.txt",
        sep=r"\s+",
        names=["master", "customer", "day", "discs", "dollars"],
        dtype={"customer": str, "day": str, "dollars": str},
    )
    engine = run.inputs.engine
    whole = engine.query(
        "SELECT count(DISTINCT customer_id) AS customers, count(*) AS lines, sum(revenue) AS revenue, count(DISTINCT order_id) AS orders FROM orders"
    ).iloc[0]
    assert (whole.customers, whole.lines, whole.revenue) == (
        2357,
        6919,
        sum(map(Decimal, raw["dollars"]), Decimal(0)),
    )
    assert whole.orders == len(
        raw[["customer", "day"]].drop_duplicates()
    )  # baskets of one day are lines of one order
    # Eight customers only ever had baskets of nothing; a purchase has a price.
    paid = raw[raw["dollars"].astype(float) > 0].assign(
        quarter=lambda frame: pd.to_datetime(frame["day"]).dt.to_period("Q")
    )
    cohorts = retention.study(run.inputs).purchase_cohorts
    size, cells = paid["customer"].nunique(), cohorts.cells
    assert size == 2349 and {name: fact.value for name, fact in cohorts.sizes.items()} == {"1997Q1": size}
    for age, quarter in enumerate(pd.period_range("1997Q2", "1998Q2", freq="Q"), start=1):
        again = paid[paid["quarter"] == quarter]["customer"].nunique()
        assert cells[("1997Q1", age)].value == pytest.approx(again / size)


def test_the_shop_counts_an_invoice_once_and_a_cancellation_as_a_return(open_real: Callable[[str], MonthRun]):
    run = open_real("shop")
    raw = pd.read_csv(REAL / "online_retail_invoices" / "OnlineRetail.csv", dtype=str)
    number = raw["InvoiceNo"]
    bought = raw[~number.str.startswith(("C", "A")) & (raw["CustomerID"] != "(blank)")]
    assert mapped_rows(run) == {
        "customers": (25943, 4372, 21571),
        "orders": (25943, len(bought), 25943 - len(bought)),
        "tickets": (25943, 3836, 22107),
    }
    engine = run.inputs.engine
    orders = engine.query(
        "SELECT count(*) AS lines, count(DISTINCT order_id) AS invoices, max(line_no) AS most FROM orders WHERE month <= DATE '2011-11-01'"
    ).iloc[0]
    before = bought[pd.to_datetime(bought["InvoiceDate"], format="%m/%d/%Y %H:%M") < "2011-12-01"]
    assert (orders.lines, orders.invoices, orders.most) == (len(before), before["InvoiceNo"].nunique(), 2)
    # 3,837 cancellations, one of which stands twice; 3 bad-debt adjustments are nobody's.
    assert number[number.str.startswith("C")].nunique() == 3836
    opened = pd.to_datetime(
        raw[number.str.startswith("C")].drop_duplicates("InvoiceNo")["InvoiceDate"], format="%m/%d/%Y %H:%M"
    )
    assert (
        engine.fact("service_order_count", period=run.month).value
        == ((opened >= "2011-11-01") & (opened < "2011-12-01")).sum()
    )
    # November 2011 is the twelfth month of the record: nobody was there a year before, and nothing is made up for it.
    year = retention.study(run.inputs).non_contractual.year
    assert (
        year.counts["start"].value == 0
        and year.gross_churn.value is None
        and year.gross_churn.reason is not None
    )


def test_service_times_of_311_keep_the_requests_that_are_still_open(open_real: Callable[[str], MonthRun]):
    run = open_real("nyc311")
    raw = pd.read_csv(REAL / "nyc311_animals" / "311_Animals_short.csv", dtype=str)
    opened, closed = (
        pd.to_datetime(raw[name], format="%m/%d/%Y %H:%M") for name in ("Created Date", "Closed Date")
    )
    assert mapped_rows(run) == {"tickets": (4969, 4969, 0)} and int(closed.isna().sum()) == 277
    assert (
        run.inputs.engine.fact("service_order_count", period=run.month).value
        == ((opened >= "2025-02-01") & (opened < "2025-03-01")).sum()
    )
    # As known at the end of 10 March in New York; what was closed later was open then.
    close = pd.Timestamp("2025-03-11")
    frame = run.inputs.engine.query(
        "SELECT date_diff('minute', opened_at, coalesce(resolved_at, TIMESTAMP '2025-03-11 04:00:00')) / 60.0 AS hours, resolved_at IS NOT NULL AS done FROM tickets"
    )
    seen = opened < close
    assert len(frame) == seen.sum() and int(frame["done"].sum()) == (closed[seen] < close).sum()
    curve = stats.kaplan_meier(frame["hours"], frame["done"])
    by_hand = stats.kaplan_meier(
        (closed.where(closed < close).fillna(close) - opened)[seen].dt.total_seconds() / 3600,
        (closed < close)[seen],
    )
    assert curve.median.value == pytest.approx(
        by_hand.median.value, abs=1.01
    )  # the clocks went forward on 9 March
    assert curve.median.value > float(
        np.median(frame[frame["done"]]["hours"])
    )  # leaving the open ones out flatters


@pytest.mark.parametrize("name", FOLDERS)
def test_the_quality_page_accounts_for_every_row_of_a_real_folder(
    open_real: Callable[[str], MonthRun], name: str
):
    run = open_real(name)
    study = quality.study(run.inputs, mapped=run.mapped)
    failed = [check for check in study.checks if check.outcome == "failed"]
    assert not failed and {"rows_conserved", "exports_conserved"} <= {check.id for check in study.checks}
    assert (
        study.total["read"].value == sum(int(one.rows["mapped"].value or 0) for one in study.exports)
        and not study.quarantine
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDERS)
def test_a_real_folder_makes_a_pack_that_is_not_tied_out(
    open_real: Callable[[str], MonthRun], name: str, tmp_path: Path
):
    from analysis.report import make_report

    open_real(name)
    notebooks = Path(__file__).parents[3] / "notebooks"
    edition = make_report(
        name, data=str(REAL / FOLDERS[name]), reports=tmp_path / "reports", folder=notebooks, workers=1
    )
    assert edition.folder is not None and not edition.tied_out
    assert all(
        (edition.folder / f"after-sales-report.{language}.pdf").stat().st_size > 10_000
        for language in ("en", "zh")
    )
    assert "needs ledger" in (edition.folder / "notebooks" / "10_cost_decomposition.ipynb").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("name", FOLDERS)
def test_facts_of_another_company_have_one_name_and_every_estimate_its_interval(
    open_real: Callable[[str], MonthRun], name: str
):
    run = open_real(name)
    facts: dict[str, Fact] = {}
    for section in SECTIONS:
        with contextlib.suppress(MissingData):  # no ledger, no machines: that section is not there
            facts |= facts_in(section.load()(run.inputs))
    assert len(facts) > 20
    near = undecided([fact.as_json() for fact in facts.values()], run.registry)
    assert not near, "\n".join(map(str, near))
    assert run.registry.without_interval(facts.values()) == []
