"""Cohorts of the run: contracts by their start, buyers by first order, first product and first service; and what of it is age, calendar or cohort."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.errors import MissingData
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.cohorts import cohort_differences, finished
from analysis.retention.settings import RetentionSettings, load_settings
from analysis.retention.standing import contracts
from analysis.retention.stating import estimate, plain
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 8  # cohorts and ages drawn
YEAR = {
    "week": 52,
    "month": 12,
    "quarter": 4,
    "year": 1,
}  # steps in a year: the age at which cohorts are compared
MEASURES = ("orders", "revenue", "margin")
SMALLEST = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class CohortLine(Summarised):
    """One cohort after a year: its customers, who was active in that step, and what each customer brought until then.

    ``per_customer`` : cumulative orders, revenue and margin a customer (those the data have); ``gap`` : activity minus that of the other cohorts,
    with an interval simultaneous over all of them.
    """

    cohort: str
    size: Fact
    rate: Fact
    per_customer: Mapping[str, Fact]
    gap: Fact | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Cohorts(Summarised):
    """Cohorts on one basis and grouping.

    ``matrix`` is the tidy table of :func:`analysis.retention.cohort_matrix`; ``cells`` the mature rates shown, by (cohort, age); ``sizes`` by
    cohort; ``margin`` cumulative margin a customer by (cohort, age), purchases with a margin only; ``lines`` the cohorts a year on; ``worst``
    the cohort that differs most surely; ``running`` the step that is not over (blank where the month ends one).
    """

    basis: str
    grouping: str
    period: str
    matrix: pd.DataFrame
    cells: Mapping[tuple[str, int], Fact]
    sizes: Mapping[str, Fact]
    margin: Mapping[tuple[str, int], Fact]
    lines: tuple[CohortLine, ...]
    differences: pd.DataFrame
    p_value: float | None
    worst: Fact | None
    running: str


@traced
def contract_cohorts(inputs: StudyInputs) -> Cohorts:
    """Share of each cohort of new contracts still running at the end of each later step."""
    import pandas as pd

    settings = load_settings()
    inputs.engine.require("contracts.customer_id", "contracts.starts_on", "contracts.ends_on")
    frame = inputs.engine.query(views.contract_cohorts(contracts(inputs), period=settings.cohort_period))
    if frame.empty:
        raise MissingData("contracts.starts_on")
    _, running = last_steps(inputs.month, settings.cohort_period)
    rows = []
    for cohort in map(int, frame["cohort"].unique()):
        group = frame[frame["cohort"] == cohort]
        size = int(group["customers"].sum())
        for age in range(running - cohort + 1):
            gone = int(group["customers"][group["lost_in"] <= cohort + age].sum())
            rows.append({"cohort": cohort, "age": age, "active": size - gone})
    sizes = frame.groupby("cohort")["customers"].sum()
    return _cohorts(inputs, settings, "contractual", "acquisition", pd.DataFrame(rows), sizes)


@traced
def purchase_cohorts(inputs: StudyInputs, grouping: views.Grouping = "acquisition") -> Cohorts:
    """Share of each cohort of buyers who ordered in each later step, and what each customer brought by then."""
    import pandas as pd

    settings = load_settings()
    needs = {"first_product": ["products.product_line"], "first_service": ["tickets.opened_at"]}.get(
        grouping, []
    )
    inputs.engine.require("orders.ordered_at", "orders.revenue", *needs)
    period = settings.cohort_period
    orders = inputs.engine.materialise("cohort_orders", views.cohort_orders(inputs.month.end, period=period))
    frame = inputs.engine.query(views.purchase_cohorts(orders, grouping, inputs.month.end, period=period))
    if frame.empty:
        raise MissingData("orders.ordered_at")
    for column in ("revenue", "margin"):
        frame[column] = pd.to_numeric(frame[column]).fillna(0.0)
    frame = frame.rename(columns={"entered": "cohort"})
    counts, members = frame[frame["age"].notna()].astype({"age": "int64"}), frame[frame["age"].isna()]
    if inputs.engine.tables.missing("orders.gross_margin"):
        counts = counts.drop(columns="margin")
    if grouping == "first_product":
        return _labelled(inputs, settings, counts, members)
    sizes = members.set_index("cohort")["active"]
    return _cohorts(inputs, settings, "non_contractual", grouping, counts.drop(columns="label"), sizes)


def last_steps(month: Month, period: str) -> tuple[int, int]:
    """Ordinal of the last whole step and of the one the month's last day lies in (equal when that day ends it)."""
    import pandas as pd

    from analysis.retention.cohorts import _FREQUENCY

    last = pd.Timestamp(month.end - dt.timedelta(days=1))
    running = last.to_period(_FREQUENCY[period])
    return running.ordinal - (last < running.end_time.normalize()), int(running.ordinal)


def step_name(ordinal: int, period: str) -> str:
    """How a step is written: 2026Q3, 2026-07, or the first day of a week."""
    import pandas as pd

    from analysis.retention.cohorts import _FREQUENCY

    found = pd.Period(ordinal=ordinal, freq=_FREQUENCY[period])
    return str(found.start_time.date()) if period == "week" else str(found)


@traced
def _cohorts(
    inputs: StudyInputs,
    settings: RetentionSettings,
    basis: str,
    grouping: str,
    counts: pd.DataFrame,
    sizes: pd.Series,
) -> Cohorts:
    import pandas as pd

    whole, running = last_steps(inputs.month, settings.cohort_period)
    index = sizes.index.astype("int64")
    size = pd.DataFrame(
        {"size": sizes.astype("int64").to_numpy(), "earliest": index, "latest": index}, index=index
    )
    matrix = finished(counts, size, whole=whole, running=running, level=inputs.confidence)
    matrix["cohort"] = [step_name(int(one), settings.cohort_period) for one in matrix["cohort"]]
    for name in MEASURES:
        if name in matrix:
            matrix[f"{name}_to_date"] = matrix.groupby("cohort")[name].cumsum()
    return _stated(
        inputs,
        settings,
        basis,
        grouping,
        matrix,
        running="" if whole == running else step_name(running, settings.cohort_period),
    )


@traced
def _labelled(
    inputs: StudyInputs, settings: RetentionSettings, counts: pd.DataFrame, members: pd.DataFrame
) -> Cohorts:
    """Cohorts by a label: each age counts the customers who are old enough for it, so that a group that still grows is not blank for ever."""
    import numpy as np
    import pandas as pd

    from analysis import stats

    whole, running = last_steps(inputs.month, settings.cohort_period)
    measures = [name for name in MEASURES if name in counts]
    rows = []
    for label, entered in members.groupby("label"):
        own = counts[counts["label"] == label]
        for age in range(running - int(entered["cohort"].min()) + 1):
            size = int(entered.loc[entered["cohort"] + age <= whole, "active"].sum())
            old = own[own["cohort"] + age <= whole]
            if size:
                now, to_date = old[old["age"] == age], old[old["age"] <= age]
                rows.append(
                    {"cohort": str(label), "age": age, "size": size, "active": int(now["active"].sum())}
                    | {name: float(now[name].sum()) for name in measures}
                    | {f"{name}_to_date": float(to_date[name].sum()) for name in measures}
                )
    if not rows:
        raise MissingData(message="not computed: no cohort is old enough yet")
    matrix = pd.DataFrame(rows).assign(mature=True, partial=False)
    found = stats.proportion_interval(
        np.minimum(matrix["active"], matrix["size"]), matrix["size"], method="wilson", level=inputs.confidence
    )
    matrix = matrix.assign(rate=matrix["active"] / matrix["size"], low=found.low, high=found.high)
    return _stated(inputs, settings, "non_contractual", "first_product", matrix, running="")


@traced
def _stated(
    inputs: StudyInputs,
    settings: RetentionSettings,
    basis: str,
    grouping: str,
    matrix: pd.DataFrame,
    *,
    running: str,
) -> Cohorts:
    """Facts of a matrix: the cells shown, and each cohort a year on."""
    period = Period(inputs.month - 12 * 5, inputs.month)
    every = list(dict.fromkeys(matrix["cohort"]))
    shown = every if grouping == "first_product" else every[-SHOWN - 1 :]
    drawn = matrix[matrix["cohort"].isin(shown) & (matrix["age"] <= SHOWN)]
    totals = drawn.assign(total=drawn["margin_to_date"] if "margin_to_date" in drawn else float("nan"))
    cells, margin = {}, {}
    for cohort, age, n, rate, low, high, total in totals.loc[
        totals["mature"], ["cohort", "age", "size", "rate", "low", "high", "total"]
    ].itertuples(index=False, name=None):
        place = {"churn_basis": basis, "cohort_by": grouping, "cohort": str(cohort), "age": str(age)}
        cells[str(cohort), int(age)] = estimate(
            inputs,
            "cohort_retention_rate",
            rate,
            low,
            high,
            method="Wilson",
            period=period,
            dimensions=place,
            n=int(n),
        )
        if total == total and grouping != "first_product":
            margin[str(cohort), int(age)] = plain(
                inputs, "cohort_revenue_per_customer", float(total) / int(n), period=period, dimensions=place
            )
    age = YEAR[settings.cohort_period]
    differences = cohort_differences(matrix, age=age, smallest=SMALLEST)
    gaps = _gaps(inputs, differences, basis, grouping, age, period)
    sizes = {
        one: plain(
            inputs,
            "cohort_size",
            int(drawn.loc[drawn["cohort"] == one, "size"].iloc[0]),
            period=period,
            dimensions={"churn_basis": basis, "cohort_by": grouping, "cohort": one},
        )
        for one in shown
    }
    surest = (
        None
        if differences.empty
        else str(differences.sort_values(["p_value", "cohort"], kind="stable")["cohort"].iloc[0])
    )
    return Cohorts(
        basis=basis,
        grouping=grouping,
        period=settings.cohort_period,
        matrix=matrix,
        cells=cells,
        margin=margin,
        sizes=sizes,
        lines=_lines(inputs, matrix, basis, grouping, age, gaps, period),
        differences=differences,
        p_value=None if differences.empty else float(differences["adjusted"].min()),
        worst=gaps.get(surest) if surest else None,
        running=running,
    )


@traced
def _lines(
    inputs: StudyInputs,
    matrix: pd.DataFrame,
    basis: str,
    grouping: str,
    age: int,
    gaps: Mapping[str, Fact],
    period: Period,
) -> tuple[CohortLine, ...]:
    """The cohorts that are a year old, oldest first (labels: largest first), at most as many as are shown."""
    at = matrix[(matrix["age"] == age) & matrix["mature"]]
    at = (
        at.sort_values(["size", "cohort"], ascending=[False, True], kind="stable").head(SHOWN)
        if grouping == "first_product"
        else at.tail(SHOWN)
    )
    measures = (
        [name for name in MEASURES if f"{name}_to_date" in matrix] if basis == "non_contractual" else []
    )
    made = []
    for row in at.to_dict("records"):
        cohort, n = str(row["cohort"]), int(row["size"])
        place = {"churn_basis": basis, "cohort_by": grouping, "cohort": cohort, "age": str(age)}
        brought = {
            name: plain(
                inputs,
                f"cohort_{name}_to_date",
                float(row[f"{name}_to_date"]) / n,
                numerator=float(row[f"{name}_to_date"]),
                denominator=n,
                period=period,
                dimensions=place,
            )
            for name in measures
        }
        made.append(
            CohortLine(
                cohort=cohort,
                size=plain(inputs, "cohort_size", n, period=period, dimensions=place),
                per_customer=brought,
                gap=gaps.get(cohort),
                rate=estimate(
                    inputs,
                    "cohort_retention_rate",
                    row["rate"],
                    row["low"],
                    row["high"],
                    method="Wilson",
                    n=n,
                    period=period,
                    dimensions=place,
                ),
            )
        )
    return tuple(made)


@traced
def _gaps(
    inputs: StudyInputs, differences: pd.DataFrame, basis: str, grouping: str, age: int, period: Period
) -> dict[str, Fact]:
    """Each cohort against the others, with an interval at the simultaneous (Bonferroni) level of all cohorts."""
    from scipy.stats import norm

    if differences.empty:
        return {}
    z = float(norm.ppf(1 - (1 - inputs.confidence) / (2 * len(differences))))
    total, gaps = differences["size"].sum(), {}
    for row in differences.to_dict("records"):
        rest = total - row["size"]
        reach = (
            z
            * (row["rate"] * (1 - row["rate"]) / row["size"] + row["others"] * (1 - row["others"]) / rest)
            ** 0.5
        )
        gaps[str(row["cohort"])] = estimate(
            inputs,
            "cohort_gap",
            row["difference"],
            row["difference"] - reach,
            row["difference"] + reach,
            method="Normal, simultaneous over cohorts",
            period=period,
            dimensions={
                "churn_basis": basis,
                "cohort_by": grouping,
                "cohort": str(row["cohort"]),
                "age": str(age),
            },
            n=int(row["size"]),
        )
    return gaps
