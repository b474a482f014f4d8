"""Cohorts of the run: contracts by their start, buyers by first order, first product and first service."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import MissingData, NothingToCount
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Fact, Sentence
from analysis.retention import views
from analysis.retention.cohorts import FREQUENCY, cohort_differences, finished
from analysis.retention.settings import RetentionSettings, limit, load_settings
from analysis.retention.spells import contracts, losses_known_until
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

    from analysis.metrics.views.selection import Selection

SHOWN = 8  # cohorts and ages drawn
YEAR = {
    "week": 52,
    "month": 12,
    "quarter": 4,
    "year": 1,
}  # steps in a year: the age at which cohorts are compared
MEASURES = ("orders", "revenue", "margin")
TO_DATE = {
    "orders": "cohort_orders_to_date",
    "revenue": "cohort_revenue_to_date",
    "margin": "cohort_margin_to_date",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class CohortLine(Summarised):
    """One cohort after a year: its customers, who was active in that step, and what each customer brought until then.

    ``per_customer`` : cumulative orders, revenue and margin a customer (those the data have); ``gap`` : activity minus that of the other cohorts,
    with an interval simultaneous over all of them.
    """

    cohort: Text
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


@dataclass(frozen=True, kw_only=True)
class ContractRows(Summarised):
    """Customers by the step of their first contract; ``steps`` are the ordinals of the cohorts by name."""

    lives: str
    steps: Mapping[str, int]

    def cells(self, ages: int) -> Selection:
        """The customers of every cohort at every age up to ``ages``, and who was active."""
        return views.cohort_cells(views.contract_cells(self.lives, _names(self.steps), ages))


@dataclass(frozen=True, kw_only=True)
class BuyerRows(Summarised):
    """Buyers by their step of entry (``steps`` by name), or by label where there are no steps: then up to the last ``whole`` step."""

    members: str
    activity: str
    whole: int
    steps: Mapping[str, int] | None = None

    def cells(self, ages: int) -> Selection:
        """The customers of every cohort at every age up to ``ages``, and who was active."""
        names = _names(self.steps) if self.steps else None
        return views.cohort_cells(
            views.buyer_cells(self.members, self.activity, names, ages, whole=self.whole)
        )

    def brought(self, ages: int) -> Selection:
        """What the cohorts ordered up to every age."""
        names = _names(self.steps) if self.steps else None
        return views.cohort_brought(self.activity, names, ages, whole=self.whole)


def _names(steps: Mapping[str, int]) -> views.Names:
    return [(step, name) for name, step in steps.items()]


@traced
def contract_cohorts(inputs: StudyInputs) -> Cohorts:
    """Share of each cohort of new contracts still running at the end of each later step.

    Raises
    ------
    MissingData : no contract that can be renewed
    """
    import pandas as pd

    settings = load_settings()
    inputs.engine.require("contracts.customer_id", "contracts.starts_on", "contracts.ends_on")
    lived = views.contract_lives(contracts(inputs), period=settings.cohort_period)
    lives = f"SELECT * FROM {inputs.engine.materialise('contract_lives', lived)}"
    frame = inputs.engine.query(views.contract_cohorts(lives))
    if frame.empty:
        raise NothingToCount("contracts.starts_on")
    last = losses_known_until(inputs) - dt.timedelta(days=1)
    _, running = last_steps(last, settings.cohort_period)
    frame = frame[frame["cohort"] <= running]
    rows = []
    for cohort in map(int, frame["cohort"].unique()):
        group = frame[frame["cohort"] == cohort]
        size = int(group["customers"].sum())
        for age in range(running - cohort + 1):
            gone = int(group["customers"][group["lost_in"] <= cohort + age].sum())
            rows.append({"cohort": cohort, "age": age, "active": size - gone})
    sizes = frame.groupby("cohort")["customers"].sum()
    matrix = _matrix(inputs, settings, pd.DataFrame(rows), sizes, last)
    listed = ContractRows(lives=lives, steps=_steps(frame["cohort"], settings))
    return _stated(inputs, settings, "contractual", "acquisition", matrix, listed, last)


@traced
def purchase_cohorts(inputs: StudyInputs, grouping: views.Grouping = "acquisition") -> Cohorts:
    """Share of each cohort of buyers who ordered in each later step, and what each customer brought by then.

    Raises
    ------
    MissingData : no orders, or no cohort that is old enough
    """
    import pandas as pd

    settings = load_settings()
    needs = {"first_product": ["products.product_line"], "first_service": ["tickets.opened_at"]}.get(
        grouping, []
    )
    inputs.engine.require("orders.ordered_at", "orders.revenue", *needs)
    bought: dict[str, Any] = {"period": settings.cohort_period, "types": settings.purchase_types}
    orders = inputs.engine.materialise("cohort_orders", views.cohort_orders(inputs.month.end, **bought))
    found = views.cohort_members(orders, grouping, inputs.month.end, **bought)
    members = f"SELECT * FROM {inputs.engine.materialise('cohort_members', found)}"
    ordered = inputs.engine.materialise("cohort_activity", views.cohort_activity(members, orders))
    activity = f"SELECT * FROM {ordered}"
    frame = inputs.engine.query(views.purchase_cohorts(members, activity))
    if frame.empty:
        raise NothingToCount("orders.ordered_at")
    for column in ("revenue", "margin"):
        frame[column] = pd.to_numeric(frame[column]).fillna(0.0)
    frame = frame.rename(columns={"entered": "cohort"})
    counts, entered = frame[frame["age"].notna()].astype({"age": "int64"}), frame[frame["age"].isna()]
    if inputs.engine.tables.missing("orders.gross_margin"):
        counts = counts.drop(columns="margin")
    labelled = grouping == "first_product"
    listed = BuyerRows(
        members=members,
        activity=activity,
        whole=last_steps(inputs.month.last_day, settings.cohort_period)[0],
        steps=None if labelled else _steps(entered["cohort"], settings),
    )
    if labelled:
        matrix = _labelled(inputs, settings, counts, entered)
    else:
        matrix = _matrix(
            inputs,
            settings,
            counts.drop(columns="label"),
            entered.set_index("cohort")["active"],
            inputs.month.last_day,
        )
    return _stated(inputs, settings, "non_contractual", grouping, matrix, listed, inputs.month.last_day)


def last_steps(day: dt.date, period: str) -> tuple[int, int]:
    """Ordinal of the last whole step and of the one that the last day seen lies in (equal when that day ends it)."""
    import pandas as pd

    last = pd.Timestamp(day)
    running = last.to_period(FREQUENCY[period])
    return running.ordinal - (last < running.end_time.normalize()), int(running.ordinal)


def step_name(ordinal: int, period: str) -> str:
    """How a step is written: 2026Q3, 2026-07, or the first day of a week."""
    import pandas as pd

    found = pd.Period(ordinal=ordinal, freq=FREQUENCY[period])
    return str(found.start_time.date()) if period == "week" else str(found)


def step_label(name: str) -> Text:
    """A step as a page reads it, by its name: Q4 2024, July 2026, the first day of a week; a year, and what is no step, as it stands."""
    if found := re.fullmatch(r"(?P<year>\d{4})Q(?P<quarter>[1-4])", name):
        return Sentence("Q{quarter} {year}", found.groupdict()).text()
    if re.fullmatch(r"\d{4}-\d{2}", name):
        return Sentence("{month}", {"month": Month.parse(name)}).text()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", name):
        return Sentence("{day}", {"day": dt.date.fromisoformat(name)}).text()
    return Text.same(name)


def _steps(cohorts: pd.Series, settings: RetentionSettings) -> dict[str, int]:
    """The ordinal of each cohort by the name it is shown under."""
    return {step_name(int(one), settings.cohort_period): int(one) for one in cohorts.unique()}


@traced
def _matrix(
    inputs: StudyInputs, settings: RetentionSettings, counts: pd.DataFrame, sizes: pd.Series, last: dt.date
) -> pd.DataFrame:
    """Every cell by cohort name and age, with what was brought up to it; ``last`` is the last day on which all that happened is known."""
    import pandas as pd

    whole, running = last_steps(last, settings.cohort_period)
    index = sizes.index.astype("int64")
    size = pd.DataFrame(
        {"size": sizes.astype("int64").to_numpy(), "earliest": index, "latest": index}, index=index
    )
    matrix = finished(counts, size, whole=whole, running=running, level=inputs.confidence)
    matrix["cohort"] = [step_name(int(one), settings.cohort_period) for one in matrix["cohort"]]
    for name in MEASURES:
        if name in matrix:
            matrix[f"{name}_to_date"] = matrix.groupby("cohort")[name].cumsum()
    return matrix


@traced
def _labelled(
    inputs: StudyInputs, settings: RetentionSettings, counts: pd.DataFrame, members: pd.DataFrame
) -> pd.DataFrame:
    """Cohorts by a label: each age counts the customers who are old enough for it, so that a group that still grows is not blank for ever."""
    import numpy as np
    import pandas as pd

    from analysis import stats

    whole, running = last_steps(inputs.month.last_day, settings.cohort_period)
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
        raise MissingData(message="no cohort is old enough yet")
    matrix = pd.DataFrame(rows).assign(mature=True, partial=False)
    found = stats.proportion_interval(
        np.minimum(matrix["active"], matrix["size"]), matrix["size"], method="wilson", level=inputs.confidence
    )
    return matrix.assign(rate=matrix["active"] / matrix["size"], low=found.low, high=found.high)


@traced
def _stated(
    inputs: StudyInputs,
    settings: RetentionSettings,
    basis: str,
    grouping: str,
    matrix: pd.DataFrame,
    rows: ContractRows | BuyerRows,
    last: dt.date,
) -> Cohorts:
    """Facts of a matrix: the cells shown, and each cohort a year on."""
    state = Stating(inputs=inputs, period=Period(inputs.month - 12 * 5, inputs.month))
    group: dict[str, Any] = {"churn_basis": basis, "cohort_by": grouping}
    every = list(dict.fromkeys(matrix["cohort"]))
    labelled = grouping == "first_product"
    shown = every if labelled else every[-SHOWN - 1 :]
    drawn = matrix[matrix["cohort"].isin(shown) & (matrix["age"] <= SHOWN)]
    age = YEAR[settings.cohort_period]
    differences = cohort_differences(
        matrix, age=age, smallest=int(limit(inputs, "retention_fewest_customers"))
    )
    # before anything is counted here: they follow from the matrix alone
    gaps = _gaps(inputs, differences, basis, grouping, age, state.period)
    listed = rows.cells(SHOWN).where(f"cohort IN ({', '.join(map(literal, shown))})")
    rates = state.measured_by("cohort_retention_rate", listed, by=("cohort", "age"), **group)
    places = [(str(cell["cohort"]), int(cell["age"])) for cell in drawn[drawn["mature"]].to_dict("records")]
    margin: dict[tuple[str, int], Fact] = {}
    if "margin_to_date" in matrix and isinstance(rows, BuyerRows) and not labelled:
        earned = state.measured_by(
            "cohort_revenue_per_customer", rows.brought(SHOWN), listed, by=("cohort", "age"), **group
        )
        margin = {(cohort, age): earned[cohort, str(age)] for cohort, age in places}
    sizes = state.measured_by("cohort_size", listed.where("age = 0"), by=("cohort",), **group)
    ordered = differences.sort_values(["p_value", "cohort"], kind="stable")["cohort"]
    whole, running = last_steps(last, settings.cohort_period)
    return Cohorts(
        basis=basis,
        grouping=grouping,
        period=settings.cohort_period,
        matrix=matrix,
        cells={(cohort, age): rates[cohort, str(age)] for cohort, age in places},
        margin=margin,
        sizes={one: sizes[one,] for one in shown},
        lines=_lines(state, matrix, group, age, gaps, rows),
        differences=differences,
        p_value=None if differences.empty else float(differences["adjusted"].min()),
        worst=None if differences.empty else gaps.get(str(ordered.iloc[0])),
        running="" if labelled or whole == running else step_name(running, settings.cohort_period),
    )


def _lines(
    state: Stating,
    matrix: pd.DataFrame,
    group: Mapping[str, Any],
    age: int,
    gaps: Mapping[str, Fact],
    rows: ContractRows | BuyerRows,
) -> tuple[CohortLine, ...]:
    """The cohorts that are a year old, oldest first (labels: largest first), at most as many as are shown."""
    at = matrix[(matrix["age"] == age) & matrix["mature"]]
    at = (
        at.sort_values(["size", "cohort"], ascending=[False, True], kind="stable").head(SHOWN)
        if group["cohort_by"] == "first_product"
        else at.tail(SHOWN)
    )
    place: dict[str, Any] = {**group, "age": str(age)}
    cells, by = rows.cells(age).where(f"age = {age}"), ("cohort",)
    label = state.inputs.engine.registry.value_label
    sizes = state.measured_by("cohort_size", cells, by=by, **place)
    rates = state.measured_by("cohort_retention_rate", cells, by=by, **place)
    brought: dict[str, dict[tuple[str, ...], Fact]] = {}
    if isinstance(rows, BuyerRows):
        until = rows.brought(age).where(f"age = {age}")
        brought = {
            name: state.measured_by(TO_DATE[name], until, cells, by=by, **place)
            for name in MEASURES
            if f"{name}_to_date" in matrix
        }
    return tuple(
        CohortLine(
            cohort=label("product_line", cohort)
            if group["cohort_by"] == "first_product"
            else step_label(cohort),
            size=sizes[cohort,],
            per_customer={name: facts[cohort,] for name, facts in brought.items()},
            gap=gaps.get(cohort),
            rate=rates[cohort,],
        )
        for cohort in map(str, at["cohort"])
    )


@traced
def _gaps(
    inputs: StudyInputs,
    differences: pd.DataFrame,
    basis: str,
    grouping: str,
    age: int,
    period: Month | Period | None,
) -> dict[str, Fact]:
    """Each cohort against the others, with an interval at the simultaneous (Bonferroni) level of all cohorts."""
    from scipy.stats import norm

    if differences.empty:
        return {}
    z = float(norm.ppf(1 - (1 - inputs.confidence) / (2 * len(differences))))
    state = Stating(inputs=inputs, period=period)
    total, gaps = differences["size"].sum(), {}
    for row in differences.to_dict("records"):
        rest = total - row["size"]
        own, others = (row[name] * (1 - row[name]) for name in ("rate", "others"))
        reach = z * (own / row["size"] + others / rest) ** 0.5
        gaps[str(row["cohort"])] = state.between(
            "cohort_gap",
            float(row["difference"]),
            row["difference"] - reach,
            row["difference"] + reach,
            method="Normal, simultaneous over cohorts",
            n=int(row["size"]),
            churn_basis=basis,
            cohort_by=grouping,
            cohort=str(row["cohort"]),
            age=str(age),
        )
    return gaps
