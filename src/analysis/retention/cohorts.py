"""Cohorts: who came when, and how many of them are still there at each age.

A long tidy table, because a wide one cannot say how large a cohort was, which cells are too young to be known, or how sure a rate is.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from analysis.errors import ContractError, ParameterError, suggestion
from analysis.metrics.lineage import traced
from analysis.metrics.views.days import Width

if TYPE_CHECKING:
    import pandas as pd

FREQUENCY = {"week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}


@traced
def cohort_matrix(
    events: pd.DataFrame,
    *,
    as_of: str | dt.date,
    period: Width = "month",
    customer: str = "customer_id",
    date: str = "date",
    cohort: str | None = None,
    revenue: str | None = None,
    margin: str | None = None,
    order: str | None = None,
    observed_until: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Customers active again, by cohort and age.

    Parameters
    ----------
    events : (events, columns) DataFrame
        One row per activity (an order line, a log-in): ``customer`` and ``date``; ``revenue`` and ``margin`` name columns of amounts, ``order`` the column
        that identifies an order (rows are counted without it). Rows after ``as_of`` are left out.
    as_of : str or date
        Last day that is observed completely.
    period : str
        Width of a cohort and of a step of age, in calendar periods.
    customer, date : str
        Names of the columns.
    cohort : str, optional
        Column of the date (or of a label such as the first product) that puts a customer into a cohort; the first event where left out. A label needs no
        order in time; age then runs from the customer's first event.
    revenue, margin, order : str, optional
        Names of the columns.
    observed_until : str, optional
        Column of the last day a customer could be seen, where it differs between customers.
    level : float, share 0 to 1
        Coverage of each interval.

    Returns
    -------
    DataFrame, one row per cohort x age
        ``cohort``, ``age`` (in periods; 0 is the period of entry), ``size`` (customers of the cohort), ``active``, ``orders``, ``revenue`` and ``margin``
        where asked, ``mature`` (the whole period was observed for the whole cohort), ``partial`` (the period that ``as_of`` cuts), ``rate`` (active ÷
        size), ``low``, ``high`` (Wilson). Immature cells have no rate: blank is not zero.

    Raises
    ------
    ContractError
        For columns that are missing, and events without customer or date.
    ParameterError
        For an unknown width.

    Examples
    --------
    Two customers of September, of whom one came back in October.

    >>> import pandas as pd
    >>> from analysis import retention
    >>> events = pd.DataFrame({"customer_id": ["a", "b", "a"], "date": pd.to_datetime(["2026-09-03", "2026-09-20", "2026-10-02"])})
    >>> matrix = retention.cohort_matrix(events, as_of="2026-10-31")
    >>> matrix[["age", "size", "active", "rate"]].values.tolist()
    [[0.0, 2.0, 2.0, 1.0], [1.0, 2.0, 1.0, 0.5]]
    """
    import pandas as pd

    if period not in FREQUENCY:
        raise ParameterError(
            f"cohort_matrix: period '{period}'.{suggestion(period, FREQUENCY)} Known: {', '.join(FREQUENCY)}."
        )
    _needed(
        events, [customer, date, *(name for name in (cohort, revenue, margin, order, observed_until) if name)]
    )
    frame, last = _known(events, customer, date, pd.Timestamp(as_of))
    step = frame[date].dt.to_period(FREQUENCY[period])
    first = step.groupby(frame[customer]).transform("min")
    label, start = first, first
    if cohort is not None:
        entered = frame.groupby(customer)[cohort].transform("first")
        if pd.api.types.is_datetime64_any_dtype(entered.dtype):
            label = start = entered.dt.to_period(FREQUENCY[period])
        else:
            label = entered
    age = _ordinal(step) - _ordinal(start)
    if (age < 0).any():
        raise ContractError(
            f"cohort_matrix: {int((age < 0).sum())} events lie before their customer's cohort date; mend the dates."
        )
    work = pd.DataFrame(
        {
            "customer": frame[customer].to_numpy(),
            "cohort": label.to_numpy(),
            "start": _ordinal(start).to_numpy(),
            "age": age.to_numpy(),
        }
    )
    measures: dict[str, Any] = {"active": ("customer", "nunique"), "orders": ("customer", "size")}
    if order is not None:
        work["order"] = frame[order].to_numpy()
        measures["orders"] = ("order", "nunique")
    for name, column in (("revenue", revenue), ("margin", margin)):
        if column is not None:
            work[name] = frame[column].to_numpy()
            measures[name] = (name, "sum")
    ends = _last_known(frame, observed_until, last)
    own_last = (
        pd.Series(ends.dt.to_period(FREQUENCY[period]).to_numpy(), index=work.index)
        if observed_until
        else None
    )
    last_step = last.to_period(FREQUENCY[period])
    whole = last_step.ordinal - (last.normalize() < last_step.end_time.normalize())
    members = work.drop_duplicates("customer")
    size = members.groupby("cohort", sort=True).agg(
        size=("customer", "size"), latest=("start", "max"), earliest=("start", "min")
    )
    if own_last is not None:
        size["whole"] = (
            own_last.groupby(work["cohort"].to_numpy()).min().map(lambda one: min(one.ordinal - 1, whole))
        )
    counts = work.groupby(["cohort", "age"], sort=True).agg(**measures).reset_index()
    return finished(counts, size, whole=whole, running=last_step.ordinal, level=level)


@traced
def finished(
    counts: pd.DataFrame, size: pd.DataFrame, *, whole: int, running: int, level: float
) -> pd.DataFrame:
    """Every cell up to the last period, with rates and intervals where it is mature.

    Parameters
    ----------
    counts : one row per cohort and age that has events: ``cohort``, ``age``, ``active`` and other sums.
    size : by cohort: ``size``, ``earliest`` and ``latest`` ordinal of its start, optionally ``whole``.
    whole, running : ordinal of the last period observed completely, and of the one ``as_of`` lies in.
    """
    import numpy as np
    import pandas as pd

    from analysis import stats

    rows = []
    for cohort, entry in size.to_dict("index").items():
        number, earliest, latest, last = (
            int(entry.get(name, whole)) for name in ("size", "earliest", "latest", "whole")
        )
        rows += [
            (cohort, age, number, latest + age <= last, latest + age > whole)
            for age in range(running - earliest + 1)
        ]
    grid = pd.DataFrame(rows, columns=["cohort", "age", "size", "mature", "partial"])
    grid["partial"] = grid["partial"] & ~grid["mature"]
    found = grid.merge(counts, on=["cohort", "age"], how="left", validate="one_to_one")
    for column in counts.columns.difference(["cohort", "age"]):
        found[column] = found[column].fillna(0)
    found["active"] = found["active"].astype("int64")
    interval = stats.proportion_interval(
        np.minimum(found["active"], found["size"]), found["size"], method="wilson", level=level
    )
    for column, values in (
        ("rate", found["active"] / found["size"]),
        ("low", interval.low),
        ("high", interval.high),
    ):
        found[column] = np.where(found["mature"], values, np.nan)
    order = [
        "cohort",
        "age",
        "size",
        "active",
        *[c for c in ("orders", "revenue", "margin") if c in found],
        "mature",
        "partial",
        "rate",
        "low",
        "high",
    ]
    return found[order].sort_values(["cohort", "age"], kind="stable").reset_index(drop=True)


@traced
def cohort_differences(matrix: pd.DataFrame, *, age: int, smallest: int = 20) -> pd.DataFrame:
    """Which cohorts differ from the others at one age, allowing for how many were looked at.

    Parameters
    ----------
    matrix : (cohorts and ages, columns) DataFrame
        As `cohort_matrix` returns it.
    age : int, in periods
        At which they are compared.
    smallest : int, customers
        A cohort must have.

    Returns
    -------
    DataFrame, one row per cohort that is mature at ``age`` and has at least ``smallest`` customers
        ``cohort``, ``size``, ``active``, ``rate``, ``others`` (rate of the other cohorts together), ``difference``, ``p_value`` (two-sided, two
        proportions pooled), ``adjusted`` (Holm).

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import retention
    >>> matrix = pd.DataFrame({"cohort": ["2026-07", "2026-08"], "age": 1, "size": 100, "active": [50, 30], "mature": True})
    >>> matrix["rate"] = matrix["active"] / matrix["size"]
    >>> retention.cohort_differences(matrix, age=1)["difference"].round(2).tolist()
    [0.2, -0.2]
    """
    import numpy as np
    from scipy.stats import norm

    from analysis import stats

    cells = matrix[(matrix["age"] == age) & matrix["mature"] & (matrix["size"] >= smallest)].copy()
    columns = ["cohort", "size", "active", "rate", "others", "difference", "p_value", "adjusted"]
    if len(cells) < 2:
        return cells.reindex(columns=columns).iloc[:0]
    total, active = cells["size"].sum(), cells["active"].sum()
    rest = total - cells["size"]
    cells["others"] = (active - cells["active"]) / rest
    cells["difference"] = cells["rate"] - cells["others"]
    pooled = active / total
    error = np.sqrt(pooled * (1 - pooled) * (1 / cells["size"] + 1 / rest))
    cells["p_value"] = 2 * norm.sf(np.abs(cells["difference"] / error)) if 0 < pooled < 1 else 1.0
    cells["adjusted"] = stats.adjust_p_values(cells["p_value"].to_numpy(), method="holm")
    return cells[columns].reset_index(drop=True)


def _needed(events: pd.DataFrame, columns: list[str]) -> None:
    absent = [name for name in columns if name not in events.columns]
    if absent:
        raise ContractError(
            f"cohort_matrix: no column '{absent[0]}' in the events.{suggestion(absent[0], map(str, events.columns))}"
        )


@traced
def _known(
    events: pd.DataFrame, customer: str, date: str, last: pd.Timestamp
) -> tuple[pd.DataFrame, pd.Timestamp]:
    import pandas as pd

    frame = events.assign(**{date: pd.to_datetime(events[date])})
    missing = frame[customer].isna() | frame[date].isna()
    if missing.any():
        raise ContractError(
            f"cohort_matrix: {int(missing.sum())} events lack a customer or a date; drop them and say so, they belong to no cohort."
        )
    frame = (
        frame[frame[date] < last.normalize() + pd.Timedelta(days=1)]
        .sort_values([date], kind="stable")
        .reset_index(drop=True)
    )
    if frame.empty:
        raise ContractError(f"cohort_matrix: no event up to {last.date()}.")
    return frame, last


@traced
def _last_known(frame: pd.DataFrame, column: str | None, last: pd.Timestamp) -> pd.Series:
    import pandas as pd

    if column is None:
        return pd.Series(last, index=frame.index)
    return pd.to_datetime(frame[column]).where(lambda day: day <= last, last)


@traced
def _ordinal(periods: pd.Series) -> pd.Series:
    import pandas as pd

    return pd.Series(pd.PeriodIndex(periods).asi8, index=periods.index)
