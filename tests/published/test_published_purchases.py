"""The literature's answers on buying and leaving. The CDNOW data are read where they lie and never copied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.stats import fit_bgnbd, fit_gamma_gamma, fit_mbgnbd, fit_pareto_nbd, fit_sbg, purchase_summary

CDNOW = Path(__file__).resolve().parents[2].parent / "shared" / "real" / "cdnow"
needs_cdnow = pytest.mark.skipif(not CDNOW.is_dir(), reason="the CDNOW data are not there")


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return pd.read_csv(CDNOW / "cdnow_customers_summary_with_transactions.csv").rename(
        columns={"x": "frequency", "t_x": "recency", "zbar": "monetary"}
    )


@pytest.fixture(scope="module")
def transactions() -> pd.DataFrame:
    rows = [line.split() for line in (CDNOW / "CDNOW_sample.txt").read_text().splitlines() if line.strip()]
    frame = pd.DataFrame(rows, columns=["master", "ID", "on", "disks", "value"])
    return frame.assign(
        ID=frame["ID"].astype(int), on=pd.to_datetime(frame["on"]), value=frame["value"].astype(float)
    )


@needs_cdnow
def test_bgnbd_on_cdnow(customers):
    # Fader, Hardie and Lee (2005), Marketing Science 24, table 2.
    model = fit_bgnbd(customers["frequency"], customers["recency"], customers["T"], unit="weeks")
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=5.1e-4)
    assert model.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert (model.customers, model.unit) == (2357, "weeks")
    # The same authors' note and workbook "Implementing the BG/NBD model ... in Excel" (2005): E[X(t)], and a customer
    # with x = 2, t_x = 30.43, T = 38.86 is expected to buy 1.226 times in the next 39 weeks.
    times = [0.1429, 1.0, 3.0, 31.8571, 32.0, 78.0]
    assert model.expected_purchases_of_new(times) == pytest.approx(
        [0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576], abs=4e-4
    )
    assert model.expected_purchases(39, 2, 30.43, 38.86)[0] == pytest.approx(1.226, abs=5e-4)


@needs_cdnow
def test_pareto_nbd_on_cdnow(customers):
    # Fader, Hardie and Lee (2005), table 2, second column.
    model = fit_pareto_nbd(customers["frequency"], customers["recency"], customers["T"], unit="weeks")
    assert (model.r, model.alpha, model.s, model.beta) == pytest.approx(
        (0.553, 10.578, 0.606, 11.669), rel=5e-4
    )
    assert model.log_likelihood == pytest.approx(-9595.0, abs=0.05)


@needs_cdnow
def test_mbgnbd_on_cdnow(customers):
    # R's BTYDplus and Python's lifetimes agree on these figures for the model of Batislam et al. (2007).
    model = fit_mbgnbd(customers["frequency"], customers["recency"], customers["T"], unit="weeks")
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.525, 6.183, 0.891, 1.614), abs=5.1e-4)


@needs_cdnow
def test_gamma_gamma_on_cdnow(customers):
    # Fader and Hardie (2013), "The gamma-gamma model of monetary value", section 5: 946 customers with a repeat
    # purchase, p = 6.25, q = 3.74, v = 15.44.
    model = fit_gamma_gamma(customers["frequency"], customers["monetary"])
    assert model.customers == 946
    assert (model.p, model.q, model.v) == pytest.approx((6.25, 3.74, 15.44), abs=0.009)
    assert model.correlation == pytest.approx(0.11, abs=5e-3)


@needs_cdnow
def test_cdnow_from_raw_transactions(transactions, customers):
    # Purchases of one day are one purchase (146 of them in the first 39 weeks); then the published summary comes out.
    summary = purchase_summary(
        transactions["ID"], transactions["on"], transactions["value"], end="1997-09-30", unit="weeks"
    )
    assert (summary.merged, len(summary.table)) == (146, 2357)
    known = customers.set_index("ID")
    assert summary.table["frequency"].tolist() == known["frequency"].tolist()
    for column in ("recency", "T", "monetary"):
        assert summary.table[column].fillna(0).to_numpy() == pytest.approx(known[column].to_numpy(), abs=6e-3)
    model = fit_bgnbd(summary.table["frequency"], summary.table["recency"], summary.table["T"])
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=1e-3)
    assert model.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    daily = purchase_summary(transactions["ID"], transactions["on"], end="1997-09-30", unit="days").table
    by_day = fit_bgnbd(daily["frequency"], daily["recency"], daily["T"], unit="days")
    assert by_day.alpha == pytest.approx(7 * model.alpha, rel=1e-5)
    assert (by_day.r, by_day.a, by_day.b) == pytest.approx((model.r, model.a, model.b), rel=1e-5)


@needs_cdnow
def test_cdnow_holdout(transactions, customers):
    # Their figure 2: by week 78 the BG/NBD model falls a few percent short of the cohort's repeat purchases.
    model = fit_bgnbd(customers["frequency"], customers["recency"], customers["T"], unit="weeks")
    later = purchase_summary(transactions["ID"], transactions["on"], end="1998-06-30", unit="weeks").table
    expected = model.expected_purchases_of_new(later["T"]).sum()
    assert later["frequency"].sum() == 4339
    assert 0.92 < expected / 4339 < 1.0
    # Conditional on what each customer did, the same shortfall lies in the holdout, and the ranking is right.
    ahead = model.expected_purchases(39, customers["frequency"], customers["recency"], customers["T"])
    actual = later["frequency"].to_numpy() - customers["frequency"].to_numpy()
    assert 0.8 < ahead.sum() / actual.sum() < 1.0
    tops = np.argsort(-ahead, kind="stable")[:236]
    assert actual[tops].sum() > 0.4 * actual.sum()


# Fader and Hardie (2007), Journal of Interactive Marketing 21, table 1: percent still there by year.
REGULAR = [100.0, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3]
HIGH_END = [100.0, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4]


@pytest.mark.parametrize(
    "percent, alpha, beta, log_likelihood",
    [(HIGH_END, 0.668, 3.806, -1611.2), (REGULAR, 0.704, 1.182, -1680.3)],
)
def test_shifted_beta_geometric(percent, alpha, beta, log_likelihood):
    # Section "Empirical analysis": fitted to the first seven years of 1,000 customers.
    model = fit_sbg([10 * share for share in percent[:8]])
    assert (model.alpha, model.beta) == pytest.approx((alpha, beta), abs=5e-4)
    assert model.log_likelihood == pytest.approx(log_likelihood, abs=0.05)
    # "Projections" to year 12 lie within a percentage point or two, where a constant churn rate is far off.
    forecast = 100 * model.survival(np.arange(8, 13))
    assert np.abs(forecast - percent[8:]).max() < 2.0
