"""Failures above what a component's or a fault code's own past leads one to expect, for rankings by excess.

Along model, batch, supplier, plant and region the expected number comes from all other machines of the same age. Along component and fault code
there is no such comparison, so each is compared with itself: its rate by months in service in the whole years before the last twelve months.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import MissingData
from analysis.failures.reporting import delay_of, share_by_month
from analysis.metrics.lineage import traced
from analysis.metrics.views import month_index

if TYPE_CHECKING:
    import pandas as pd

    from analysis.failures.baseline import Baseline
    from analysis.failures.field import Field

RECENT, YEAR = 12, 12
OWN_PAST = ("component", "fault_code")


@traced
def above_own_past(field: Field, baseline: Baseline, dimension: str) -> pd.DataFrame:
    """One row a value of ``dimension``: ``failures`` of the last twelve months and those ``expected`` from its own past at the same ages.

    The past is the one or two whole years before, so that seasons weigh alike. Expected failures are taken down to the share reported by now.

    Raises
    ------
    MissingData
        Fewer than twelve months before the last twelve.
    """
    import pandas as pd

    years = min((len(field.months) - RECENT) // YEAR, 2)
    if years < 1:
        raise MissingData("tickets.opened_at (24 months)")
    months = [month_index(month) for month in field.months]
    recent, past = months[-RECENT:], months[-RECENT - years * YEAR : -RECENT]
    share = dict(
        zip(
            months,
            share_by_month(delay_of(field.delays, field.horizon), field.months, field.horizon),
            strict=True,
        )
    )
    held = field.by_age.assign(band=baseline.band_of(field.by_age["age_months"].to_numpy()))
    counts = field.query(
        field.failures,
        select=f"SELECT month_no, age_months, coalesce({dimension}, 'not_stated') AS value, count(*) AS failures FROM failed GROUP BY ALL ORDER BY ALL",
    )
    counts = counts.assign(band=baseline.band_of(counts["age_months"].to_numpy()))
    size = len(baseline.bands)
    before = _by_band(held[held["month_no"].isin(past)], "unit_months", size)
    now = held[held["month_no"].isin(recent)]
    due = _by_band(now.assign(weighted=now["unit_months"] * now["month_no"].map(share)), "weighted", size)
    rows = []
    for value, part in counts.groupby("value", sort=True):
        earlier = _by_band(part[part["month_no"].isin(past)], "failures", size)
        overall = earlier.sum() / before.sum() if before.sum() else 0.0
        # an age nobody had reached before takes the rate of all ages
        rate = np.where(before > 0, np.divide(earlier, before, out=np.zeros(size), where=before > 0), overall)
        rows.append(
            (str(value), int(part.loc[part["month_no"].isin(recent), "failures"].sum()), float(rate @ due))
        )
    return pd.DataFrame(rows, columns=["value", "failures", "expected"])


@traced
def _by_band(frame: pd.DataFrame, value: str, size: int) -> np.ndarray:
    return np.bincount(
        frame["band"].to_numpy(dtype=int), weights=frame[value].to_numpy(dtype=float), minlength=size
    )
