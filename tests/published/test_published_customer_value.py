"""Value of the CDNOW customers from raw transactions, against the literature; the data are read where they lie and never copied.

Transactions of one customer on one day are merged into one purchase of their summed value (146 of them in the first 39 weeks), as in the published summary.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.stats import PurchaseSummary, fit_gamma_gamma, fit_pareto_nbd, purchase_summary
from analysis.value import clv

CDNOW = Path(__file__).resolve().parents[2].parent / "shared" / "real" / "cdnow"
pytestmark = pytest.mark.skipif(not CDNOW.is_dir(), reason="the CDNOW data are not there")


@pytest.fixture(scope="module")
def summary() -> PurchaseSummary:
    rows = [line.split() for line in (CDNOW / "CDNOW_sample.txt").read_text().splitlines() if line.strip()]
    frame = pd.DataFrame(rows, columns=["master", "ID", "on", "disks", "value"])
    return purchase_summary(
        frame["ID"], pd.to_datetime(frame["on"]), frame["value"].astype(float), end="1997-09-30", unit="weeks"
    )


def test_pareto_nbd_from_raw_transactions(summary: PurchaseSummary):
    # Fader, Hardie and Lee (2005), Marketing Science 24, table 2, second column.
    model = fit_pareto_nbd(
        summary.table["frequency"], summary.table["recency"], summary.table["T"], unit="weeks"
    )
    assert (model.r, model.alpha, model.s, model.beta) == pytest.approx(
        (0.553, 10.578, 0.606, 11.669), rel=3e-3
    )
    assert model.log_likelihood == pytest.approx(-9595.0, abs=0.05)


def test_gamma_gamma_from_raw_transactions(summary: PurchaseSummary):
    # Fader and Hardie (2013), section 5: p = 6.25, q = 3.74, v = 15.44 over 946 customers.
    model = fit_gamma_gamma(summary.table["frequency"], summary.table["monetary"].fillna(0.0))
    assert model.customers == 946
    assert (model.p, model.q, model.v) == pytest.approx((6.25, 3.74, 15.44), abs=0.02)
    # their population mean of a transaction is p v / (q - 1), some 35 dollars
    assert model.mean == pytest.approx(6.25 * 15.44 / 2.74, rel=5e-3)


def test_value_of_the_cohort(summary: PurchaseSummary):
    """The two published models put together: holdout spend of the same customers, undiscounted, against what they went on to spend."""
    table = summary.table
    found = clv(
        table["frequency"],
        table["recency"],
        table["T"],
        table["monetary"].fillna(0.0),
        unit="weeks",
        horizon=39,
        discount_rate=0.0,
    )
    assert (found.purchases.r, found.purchases.alpha, found.purchases.a, found.purchases.b) == pytest.approx(
        (0.243, 4.414, 0.793, 2.426), abs=1e-3
    )
    assert found.purchases.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    later = pd.read_csv(
        CDNOW / "CDNOW_sample.txt", sep=r"\s+", header=None, names=["master", "ID", "on", "disks", "value"]
    )
    spent = later.loc[(later["on"] > 19970930) & (later["on"] <= 19980630), "value"].sum()
    # The authors' figure 2 falls short of the holdout by some 6 to 12 %; the sum of spend inherits it.
    assert 0.75 < found.total / spent < 1.05
    # ten percent of the customers hold much of the value: the ranking is what the model is good for
    top = np.argsort(-found.table["clv"].to_numpy(), kind="stable")[:236]
    assert found.table["clv"].to_numpy()[top].sum() > 0.4 * found.total
