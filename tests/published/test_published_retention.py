"""Real data through the public functions. The data lie beside the project and are not part of it; without them these tests skip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import stats
from analysis.retention import churn_components, cohort_matrix

REAL = Path(__file__).parents[2].parent / "shared" / "real"


def real(*parts: str) -> Path:
    path = REAL.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"real data absent: {'/'.join(parts)}")
    return path


@pytest.fixture(scope="module")
def telco() -> pd.DataFrame:
    frame = pd.read_csv(real("telco_churn_ibm", "Telco-Customer-Churn.csv"))
    return frame.assign(lost=frame["Churn"] == "Yes")


def test_telco_churn_is_26_54_percent(telco: pd.DataFrame):
    # IBM's sample: 1,869 of 7,043 customers left in the last month.
    found = churn_components(start=len(telco), lost=int(telco["lost"].sum()), new=0)
    assert (found.start, found.lost) == (7043, 1869)
    assert round(found.gross_churn_rate * 100, 2) == 26.54


def test_telco_survival_weighted_rows_give_the_curve_of_single_rows(telco: pd.DataFrame):
    counted = telco.groupby(["tenure", "lost"], as_index=False).size()
    curve = stats.kaplan_meier(counted["tenure"], counted["lost"], weights=counted["size"])
    alone = stats.kaplan_meier(telco["tenure"], telco["lost"])
    months = [1, 12, 24, 60, 72]
    assert curve.at(months)["survival"].to_numpy() == pytest.approx(alone.at(months)["survival"].to_numpy())
    assert alone.events == 1869 and np.isnan(alone.median.value)  # more than half stay beyond 72 months
    by_hand, at_risk = 1.0, len(telco)
    for tenure, group in telco.groupby("tenure"):
        by_hand *= 1 - group["lost"].sum() / at_risk
        at_risk -= len(group)
        if tenure == 12:
            assert alone.at([12])["survival"].iloc[0] == pytest.approx(by_hand)


def test_telco_tech_support_goes_with_less_after_the_contract_is_allowed_for(telco: pd.DataFrame):
    internet = telco[(telco["InternetService"] != "No") & (telco["tenure"] > 0)]
    support = pd.DataFrame({"tech_support": (internet["TechSupport"] == "Yes").astype(float)}).reset_index(
        drop=True
    )
    crude = stats.cox(support, internet["tenure"], internet["lost"]).coefficients.loc["tech_support"]
    adjusted = stats.cox(
        support, internet["tenure"], internet["lost"], strata=internet["Contract"].to_numpy(dtype=str)
    ).coefficients.loc["tech_support"]
    assert crude["hazard_ratio"] < 0.5 and crude["high"] < 0.55
    assert crude["hazard_ratio"] + 0.15 < adjusted["hazard_ratio"] < 0.9  # much of it is the contract
    assert adjusted["high"] < 1


def test_cdnow_cohorts_are_the_first_quarter_of_1997():
    # Fader and Hardie: 23,570 customers who first bought in the first quarter of 1997, 69,659 purchases to the end of June 1998.
    text = real("cdnow", "CDNOW_master.txt")
    frame = pd.read_csv(
        text,
        sep=r"\s+",
        names=["customer_id", "date", "cds", "value"],
        dtype={"customer_id": str, "date": str},
        skiprows=0,
    )
    frame = frame[frame["date"].str.fullmatch(r"\d{8}")]
    frame = frame.assign(date=pd.to_datetime(frame["date"]), value=frame["value"].astype(float))
    assert len(frame) == 69_659
    # Exact duplicate rows stay: two equal baskets on one day are possible and nothing tells them from an error.
    matrix = cohort_matrix(frame, as_of="1998-06-30", revenue="value")
    sizes = matrix[matrix["age"] == 0].set_index(matrix.loc[matrix["age"] == 0, "cohort"].astype(str))["size"]
    assert list(sizes.index) == ["1997-01", "1997-02", "1997-03"] and sizes.sum() == 23_570
    assert matrix["orders"].sum() == 69_659
    assert matrix["revenue"].sum() == pytest.approx(frame["value"].sum())
    assert matrix["mature"].all()  # June 1998 is complete on its last day
    cut = cohort_matrix(frame, as_of="1998-06-29", revenue="value")
    last = cut.groupby(cut["cohort"].astype(str))["age"].idxmax()
    assert cut.loc[last, "rate"].isna().all() and cut.loc[last, "partial"].all()


def test_online_retail_cohorts_with_cancellations_and_doubled_invoices_treated():
    frame = pd.read_csv(
        real("online_retail_invoices", "OnlineRetail.csv"), dtype={"InvoiceNo": str, "CustomerID": str}
    )
    frame = frame.assign(date=pd.to_datetime(frame["InvoiceDate"], format="%m/%d/%Y %H:%M"))
    cancelled, adjusted = frame["InvoiceNo"].str.startswith("C"), frame["InvoiceNo"].str.startswith("A")
    assert (int(cancelled.sum()), int(adjusted.sum())) == (3837, 3)
    # A cancellation is no purchase and opens no cohort; bad-debt adjustments are no customer's; rows without a customer belong to no
    # cohort; a number that stands twice is one order (its rows differ by a minute), counted once.
    bought = frame[~cancelled & ~adjusted & frame["CustomerID"].notna() & (frame["Quantity"] > 0)]
    doubled = int(bought["InvoiceNo"].duplicated().sum())
    matrix = cohort_matrix(bought, as_of="2011-12-09", customer="CustomerID", order="InvoiceNo")
    assert doubled > 0
    assert matrix["orders"].sum() <= bought["InvoiceNo"].nunique() + doubled
    first = matrix[(matrix["cohort"].astype(str) == "2010-12")]
    assert first["rate"].iloc[0] == 1.0
    # The last month ends on the ninth: blank for every cohort, also for the youngest.
    last = matrix.groupby(matrix["cohort"].astype(str))["age"].idxmax()
    assert matrix.loc[last, "rate"].isna().all() and matrix.loc[last, "partial"].all()
    assert matrix[matrix["age"] == 0]["size"].sum() == bought["CustomerID"].nunique()


# -- the public path: source map, validated tables, study -----------------------------------------------------------------


def studied(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """The retention study of a run of ``params/runs``, as its notebook makes it."""
    from analysis import retention
    from analysis.workbook import open_run

    monkeypatch.setenv("AFTER_SALES_RUN_DIR", str(folder))
    return retention.study(open_run(name, section="retention").inputs)


def test_cdnow_by_its_source_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real("cdnow", "CDNOW_sample.txt")
    found = studied("cdnow", tmp_path, monkeypatch).purchase_cohorts
    # Fader and Hardie's tenth: 2,357 customers first seen in the first quarter of 1997; eight of them never paid anything.
    first = found.matrix.set_index(["cohort", "age"]).loc[("1997Q1", 0)]
    assert (first["size"], first["active"]) == (2349, 2349)
    assert found.matrix["rate"].notna().all() and found.running == ""  # June 1998 ends a quarter


def test_telco_by_its_source_map_says_that_earlier_losses_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    real("telco_churn_ibm", "Telco-Customer-Churn.csv")
    found = studied("telco", tmp_path, monkeypatch)
    month = found.contractual.month
    assert month.components.lost + month.components.won_and_lost <= 1869
    assert [one.outcome for one in found.checks if one.id == "losses_recorded"] == ["failed"]
    assert not any(one.id == "retention.contract_cohorts" for one in found.findings)


def test_telco_curves_by_its_source_map_are_those_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, telco: pd.DataFrame
):
    """Without service records contracts are followed from their start: the curve that everyone draws of this file, by hand from its rows, and the study says what it assumes."""
    found = studied("telco", tmp_path, monkeypatch)
    assert found.survival.from_start
    assert [one.outcome for one in found.checks if one.id == "observed_from"] == ["info"]
    curves = {one.value: dict(one.points) for one in found.survival.by["segment"]}
    assert set(curves) == {"Month-to-month", "One year", "Two year"}
    for kind, points in curves.items():
        rows = telco[telco["Contract"] == kind]
        alive = 1.0
        for month in range(36 + 1):
            lost, at_risk = (
                int(((rows["tenure"] == month) & rows["lost"]).sum()),
                int((rows["tenure"] >= month).sum()),
            )
            if month in (
                12,
                24,
                35,
            ):  # a tenure of t months ends in the middle of the month after: t full months are behind it
                assert float(points[month].value) == pytest.approx(alive, abs=0.004)
            alive *= 1 - lost / at_risk
