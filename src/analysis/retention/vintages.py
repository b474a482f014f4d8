"""Cohorts of the run: contracts by quarter of their start, buyers by quarter of their first product order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.errors import MissingData
from analysis.metrics import Period, StudyInputs
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.cohorts import cohort_differences, finished
from analysis.retention.standing import contracts, zone
from analysis.retention.stating import estimate, plain

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 12  # cohorts and ages drawn
TEST_AGE = 4  # quarters: a year after the cohort's quarter


@dataclass(frozen=True, kw_only=True, eq=False)
class Cohorts:
    """Cohorts on one basis.

    ``matrix`` is the tidy table of :func:`analysis.retention.cohort_matrix`; ``cells`` the mature rates shown, by (cohort, age); ``sizes`` by
    cohort; ``margin`` cumulative margin a customer by (cohort, age), purchases only; ``gaps`` cohorts that differ after Holm.
    """

    basis: str
    matrix: pd.DataFrame
    cells: Mapping[tuple[str, int], Fact]
    sizes: Mapping[str, Fact]
    margin: Mapping[tuple[str, int], Fact]
    differences: pd.DataFrame
    p_value: float | None
    worst: Fact | None
    running: str


def contract_cohorts(inputs: StudyInputs) -> Cohorts:
    """Share of each quarter's new contracts still running at the end of each later quarter."""
    import pandas as pd

    inputs.engine.require("contracts.customer_id", "contracts.starts_on", "contracts.ends_on")
    frame = inputs.engine.query(views.contract_cohorts(contracts(inputs)))
    if frame.empty:
        raise MissingData("contracts.starts_on")
    whole, running = _last_quarters(inputs.month)
    rows = []
    for cohort in map(int, frame["cohort"].unique()):
        group = frame[frame["cohort"] == cohort]
        size = int(group["customers"].sum())
        for age in range(running - cohort + 1):
            gone = int(group["customers"][group["lost_in"] <= cohort + age].sum())
            rows.append({"cohort": cohort, "age": age, "active": size - gone})
    sizes = frame.groupby("cohort")["customers"].sum()
    return _cohorts(inputs, "contractual", pd.DataFrame(rows), sizes, whole=whole, running=running)


def purchase_cohorts(inputs: StudyInputs) -> Cohorts:
    """Share of each quarter's new buyers who ordered in each later quarter, and their cumulative margin."""
    import pandas as pd

    inputs.engine.require("orders.ordered_at", "orders.revenue", "orders.gross_margin")
    frame = inputs.engine.query(views.purchase_cohorts(inputs.month.end, zone=zone(inputs)))
    if frame.empty:
        raise MissingData("orders.ordered_at")
    for column in ("revenue", "margin"):
        frame[column] = pd.to_numeric(frame[column]).fillna(0.0)
    whole, running = _last_quarters(inputs.month)
    sizes = frame[frame["age"] == 0].set_index("cohort")["active"]
    return _cohorts(inputs, "non_contractual", frame[frame["cohort"].isin(sizes.index)], sizes, whole=whole, running=running)


def _last_quarters(month: Month) -> tuple[int, int]:
    """Ordinal of the last whole quarter and of the one the month's end lies in."""
    running = month.year * 4 + (month.number - 1) // 3
    return (running if month.number % 3 == 0 else running - 1), running


def quarter_name(ordinal: int) -> str:
    return f"{ordinal // 4}Q{ordinal % 4 + 1}"


def _cohorts(inputs: StudyInputs, basis: str, counts: pd.DataFrame, sizes: pd.Series, *, whole: int, running: int) -> Cohorts:
    import pandas as pd

    size = pd.DataFrame({"size": sizes.astype("int64"), "earliest": sizes.index.astype("int64"), "latest": sizes.index.astype("int64")}, index=sizes.index)
    matrix = finished(counts, size, whole=whole, running=running, level=inputs.confidence)
    matrix["cohort"] = [quarter_name(int(one)) for one in matrix["cohort"]]
    period = Period(Month((running - 2 * SHOWN) // 4, 1), inputs.month)
    sources = ("contracts",) if basis == "contractual" else ("orders",)
    shown = list(dict.fromkeys(matrix["cohort"]))[-SHOWN - 1 :]
    cells, margin = {}, {}
    drawn = matrix[matrix["cohort"].isin(shown) & (matrix["age"] <= SHOWN)]
    totals = drawn.assign(total=drawn.groupby("cohort")["margin"].cumsum()) if "margin" in drawn else drawn.assign(total=float("nan"))
    mature = totals[totals["mature"]]
    for cohort, age, n, rate, low, high, total in mature[["cohort", "age", "size", "rate", "low", "high", "total"]].itertuples(index=False, name=None):
        place = {"churn_basis": basis, "cohort": str(cohort), "age": str(age)}
        cells[str(cohort), int(age)] = estimate(
            inputs, "cohort_retention_rate", rate, low, high, method="Wilson", period=period, dimensions=place, n=int(n), sources=sources
        )
        if total == total:
            margin[str(cohort), int(age)] = plain(inputs, "cohort_revenue_per_customer", float(total) / int(n), period=period, dimensions=place, sources=sources)
    differences = cohort_differences(matrix, age=TEST_AGE, smallest=50)
    return Cohorts(
        basis=basis, matrix=matrix, cells=cells, margin=margin,
        sizes={one: plain(inputs, "cohort_size", int(drawn.loc[drawn["cohort"] == one, "size"].iloc[0]), period=period, dimensions={"churn_basis": basis, "cohort": one}, sources=sources) for one in shown},
        differences=differences,
        p_value=None if differences.empty else float(differences["adjusted"].min()),
        worst=_worst(inputs, differences, basis, period, sources), running=quarter_name(running),
    )  # fmt: skip


def _worst(inputs: StudyInputs, differences: pd.DataFrame, basis: str, period: Period, sources: tuple[str, ...]) -> Fact | None:
    """The cohort that differs most surely, with an interval at the simultaneous (Bonferroni) level of all cohorts."""
    from scipy.stats import norm

    if differences.empty:
        return None
    row = differences.sort_values(["p_value", "cohort"], kind="stable").iloc[0]
    rest = differences["size"].sum() - row["size"]
    error = (row["rate"] * (1 - row["rate"]) / row["size"] + row["others"] * (1 - row["others"]) / rest) ** 0.5
    reach = float(norm.ppf(1 - (1 - inputs.confidence) / (2 * len(differences)))) * error
    return estimate(
        inputs, "cohort_gap", row["difference"], row["difference"] - reach, row["difference"] + reach, method="Normal, simultaneous over cohorts",
        period=period, dimensions={"churn_basis": basis, "cohort": str(row["cohort"]), "age": str(TEST_AGE)}, n=int(row["size"]), sources=sources,
    )
