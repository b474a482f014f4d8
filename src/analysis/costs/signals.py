"""When a movement of cost is worth a sentence: tests that stay quiet when nothing happened.

Each function looks at many subjects (slices, inputs, teams) and controls the chance that any of them is named
without cause: Holm (1979) over all subjects tested, on p-values that allow for errors that hang together from
month to month. A study that makes several kinds of finding shares its level among them (three kinds at 5 % in
all: ``level=0.05 / 3`` each).

Thirty months cannot show whether errors correlate by 0 or by 0.3, and far out in the tail that matters; so
errors are taken to correlate by at least `LEAST_CORRELATION`. With correlations up to 0.5 the promised level
holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from analysis.costs.serial import contrast
from analysis.errors import ContractError, FitError, MissingData, ParameterError
from analysis.metrics import traced
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
Explained = Literal["volume", "trend", "season"]
LEAST_CORRELATION = 0.4
REFERENCE_CORRELATION = 0.5
LEAST_MONTHS = 15
LEAST_FREEDOM = 3  # months beyond one of each name that a season can be told from
LEAST_BEFORE = 3  # months before the first in which an idle team can have begun
FIRST_MONTH_LIMIT = 7.352  # -2 log(1 - sqrt(0.95)): Hansen (2000), Econometrica 68, 575-603, table I


@dataclass(frozen=True, eq=False, kw_only=True)
class Signals(Summarised):
    """What was tested, what stood out, what could not be tested.

    ``by_subject``: one row per subject tested, smallest p-value first: the subject's columns, the estimate
    with ``low`` and ``high`` (each interval on its own at ``confidence``), ``p_value`` (one-sided),
    ``p_adjusted`` (Holm) and ``signal``. ``not_tested``: the subject's columns and ``reason``.
    """

    by_subject: pd.DataFrame
    not_tested: pd.DataFrame
    level: float
    confidence: float

    @property
    def found(self) -> pd.DataFrame:
        """The subjects a finding may name."""
        return self.by_subject[self.by_subject["signal"]].reset_index(drop=True)


@traced
def cost_rises(
    costs: pd.DataFrame,
    *,
    by: Sequence[str],
    window: int,
    explained_by: Sequence[Explained],
    level: float,
    confidence: float = 0.95,
) -> Signals:
    """Slices whose cost in the last months lies above what volume (trend, season) explains.

    Parameters
    ----------
    costs : (months and slices, columns) DataFrame
        ``month`` (sortable, every slice over the same months), ``cost`` (money) and ``tickets``; both above zero.
    by : names of columns
        That name a slice.
    window : int, months
        The last ones; they are compared with all but as many months just before them.
    explained_by : names
        What may move cost without being a finding. ``volume``: cost follows tickets with an elasticity estimated for the slice, so that fixed cost does
        not look dearer when tickets fall. ``trend``: a straight line of its logarithm. ``season``: one sine and cosine of the year.
    level : float, share 0 to 1
        Chance that any slice is named without cause.
    confidence : float, share 0 to 1
        Coverage of each interval.

    Returns
    -------
    Signals
        With ``rise`` (0.18: 18 % above what was explained), its ``low`` and ``high``, ``excess`` (cost of the window - explained cost) and
        ``elasticity`` (NaN without volume).

    Raises
    ------
    ContractError
        For columns that are missing, gaps, or repeated months.
    ParameterError
        For an unknown explanation or an impossible option.
    MissingData
        Where there are too few months.

    Notes
    -----
    Logarithm of cost, regressed on the explained terms and the window; see `serial.contrast`.

    Examples
    --------
    Cost is 10 per ticket until the last three months, and 15 there.

    >>> import numpy as np, pandas as pd
    >>> from analysis import costs
    >>> tickets = 100 + 10 * np.sin(np.arange(36))
    >>> rate = np.where(np.arange(36) < 33, 10.0, 15.0) * (1 + 0.01 * np.cos(np.arange(36) * 2))
    >>> months = pd.period_range("2023-11", periods=36, freq="M").astype(str)
    >>> table = pd.DataFrame({"month": months, "team": "A", "tickets": tickets, "cost": rate * tickets})
    >>> found = costs.cost_rises(table, by=["team"], window=3, explained_by=["volume"], level=0.05)
    >>> found.found["team"].tolist(), found.by_subject["rise"].round(1).tolist()
    (['A'], [0.5])
    """
    table, months = _months_of(costs, by, ("cost", "tickets"))
    if not 1 <= window <= (len(months) - 8) // 2:
        raise ParameterError(
            f"cost_rises: a window of {window} in {len(months)} months leaves too little to compare with."
        )
    shared = _ordinary_terms(len(months), explained_by)
    recent, just_before = _last_months(len(months), window)
    rows, skipped = [], []
    for subject, series in table:
        cost, tickets = series["cost"], series["tickets"]
        reason = _untestable(cost, tickets if "volume" in explained_by else cost)
        if reason:
            skipped.append({**subject, "reason": reason})
            continue
        volume = (
            [np.log(tickets / tickets.mean())] if "volume" in explained_by and np.ptp(tickets) > 0 else []
        )
        design = np.column_stack([*shared, *volume, just_before, recent])
        weights = np.eye(design.shape[1])[-1]
        found = contrast(design, np.log(cost), weights, least_correlation=LEAST_CORRELATION)
        low, high = found.limits(confidence)
        rows.append(
            {
                **subject,
                "rise": float(np.expm1(found.estimate)),
                "low": float(np.expm1(low)),
                "high": float(np.expm1(high)),
                "excess": float(cost[-window:].sum() * -np.expm1(-found.estimate)),
                "elasticity": float(found.coefficients[len(shared)]) if volume else float("nan"),
                "p_value": found.tail(),
            }
        )
    return _signals(rows, skipped, by, level, confidence)


@traced
def cost_surges(
    costs: pd.DataFrame,
    *,
    by: Sequence[str],
    lengths: Sequence[int],
    within: int,
    explained_by: Sequence[Explained],
    level: float,
    confidence: float = 0.95,
    draws: int = 4999,
    seed: int = 20_260_102,
) -> Signals:
    """Slices with a run of months above what volume (trend, season) explains, over by now or not.

    Parameters
    ----------
    costs : (months and slices, columns) DataFrame
        As for `cost_rises`, like `by`, `explained_by`, `level` and `confidence`.
    by : names of columns
        That name a slice.
    lengths : whole numbers, months
        That a surge may last, such as (2, 3, 4).
    within : int, months
        A surge must begin in the last so many.
    explained_by : names
        What may move cost without being a finding.
    level : float, share 0 to 1
        Chance that any slice is named without cause.
    confidence : float, share 0 to 1
        Coverage of each interval.
    draws, seed : int
        Size and seed of the reference distribution.

    Returns
    -------
    Signals
        With ``from_month``, ``to_month`` (both in the surge), ``rise``, ``low``, ``high`` and ``excess``.

    Raises
    ------
    ContractError
        For columns that are missing, gaps, or repeated months.
    ParameterError
        For an unknown explanation or an impossible option.
    MissingData
        Where there are too few months.

    Notes
    -----
    Every run is tried; the largest t value of least squares is compared with the largest of series without a surge whose errors correlate by
    `REFERENCE_CORRELATION` (so trying many runs is paid for). Limits take the run as known.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from analysis import costs
    >>> tickets = 100 + 10 * np.sin(np.arange(36))
    >>> rate = np.where(np.isin(np.arange(36), [28, 29, 30]), 15.0, 10.0) * (1 + 0.01 * np.cos(np.arange(36) * 2))
    >>> months = pd.period_range("2023-11", periods=36, freq="M").astype(str)
    >>> table = pd.DataFrame({"month": months, "team": "A", "tickets": tickets, "cost": rate * tickets})
    >>> found = costs.cost_surges(
    ...     table, by=["team"], lengths=(2, 3), within=12, explained_by=["volume"], level=0.05, draws=199
    ... )
    >>> found.found[["from_month", "to_month"]].values.tolist()
    [['2026-03', '2026-05']]
    """
    table, months = _months_of(costs, by, ("cost", "tickets"))
    count = len(months)
    shared = np.column_stack(_ordinary_terms(count, explained_by))
    runs = [
        (start, start + length)
        for length in sorted(lengths)
        for start in range(max(8, count - within), count - length + 1)
    ]
    if not runs or min(lengths) < 1:
        raise ParameterError(
            f"cost_surges: no run of {list(lengths)} months within the last {within} of {count}."
        )
    marks = np.array(
        [(np.arange(count) >= start) & (np.arange(count) < end) for start, end in runs], dtype=float
    ).T
    reference = _largest_without_surge(shared.tobytes(), marks.tobytes(), count, draws, seed)
    rows, skipped = [], []
    for subject, series in table:
        cost, tickets = series["cost"], series["tickets"]
        reason = _untestable(cost, tickets if "volume" in explained_by else cost)
        if reason:
            skipped.append({**subject, "reason": reason})
            continue
        varied = "volume" in explained_by and np.ptp(tickets) > 0
        base = np.column_stack([shared, np.log(tickets / tickets.mean())]) if varied else shared
        ratios = _plain_ratios(base, marks, np.log(cost)[None, :])[0]
        start, end = runs[int(ratios.argmax())]
        design = np.column_stack([base, marks[:, int(ratios.argmax())]])
        found = contrast(
            design, np.log(cost), np.eye(design.shape[1])[-1], least_correlation=LEAST_CORRELATION
        )
        low, high = found.limits(confidence)
        rows.append(
            {
                **subject,
                "from_month": months[start],
                "to_month": months[end - 1],
                "rise": float(np.expm1(found.estimate)),
                "low": float(np.expm1(low)),
                "high": float(np.expm1(high)),
                "excess": float(cost[start:end].sum() * -np.expm1(-found.estimate)),
                "p_value": float(
                    (1 + draws - np.searchsorted(reference, ratios.max(), side="left")) / (draws + 1)
                ),
            }
        )
    return _signals(rows, skipped, by, level, confidence)


@dataclass(frozen=True, kw_only=True)
class Excess(Summarised):
    """Cost of a run of months less what volume and trend explain, with its limits (both may be negative)."""

    amount: float
    low: float
    high: float

    def plus(self, other: Excess) -> Excess:
        """Both together; judged apart on the same months, their errors add as if independent."""
        amount = self.amount + other.amount
        below = math.hypot(self.amount - self.low, other.amount - other.low)
        above = math.hypot(self.high - self.amount, other.high - other.amount)
        return Excess(amount=amount, low=amount - below, high=amount + above)


@traced
def excess_of_run(
    costs: pd.DataFrame, *, first: Any, last: Any, explained_by: Sequence[Explained], confidence: float
) -> Excess:
    """What one subject cost in a run of months beyond what explains it, in money, by the regression of `cost_surges`.

    Parameters
    ----------
    costs : one row per month: ``month``, ``cost`` and ``tickets``, both above zero
    first, last : the run, both months in it

    Raises
    ------
    FitError
        A month without cost or tickets, or too few months beside the run.
    """
    table = costs.sort_values("month", ignore_index=True)
    cost, tickets = table["cost"].to_numpy(float), table["tickets"].to_numpy(float)
    reason = _untestable(cost, tickets if "volume" in explained_by else cost)
    if reason:
        raise FitError(f"excess of a run: {reason}.")
    terms = _ordinary_terms(len(table), explained_by)
    if "volume" in explained_by and np.ptp(tickets) > 0:
        terms.append(np.log(tickets / tickets.mean()))
    run = ((table["month"] >= first) & (table["month"] <= last)).to_numpy()
    design = np.column_stack([*terms, run.astype(float)])
    found = contrast(design, np.log(cost), np.eye(design.shape[1])[-1], least_correlation=LEAST_CORRELATION)
    low, high = found.limits(confidence)
    spent = float(cost[run].sum())
    amount, least, most = (spent * -float(np.expm1(-each)) for each in (found.estimate, low, high))
    return Excess(amount=amount, low=least, high=most)


@traced
def price_steps(
    prices: pd.DataFrame,
    *,
    by: Sequence[str],
    least_change: float,
    level: float,
    confidence: float = 0.95,
    edge: int = 3,
    draws: int = 4999,
    seed: int = 20_260_101,
) -> Signals:
    """Input prices that stepped up, with the first month at the new price.

    Parameters
    ----------
    prices : (months and inputs, columns) DataFrame
        ``month`` (sortable, every input over the same months) and ``price`` of a unit of input (wage per hour, a part, a fee per order), above zero; at
        constant mix where the input is a group.
    by : names of columns
        That name an input.
    least_change : float, share of the price
        Smallest step worth naming (0.01); smaller ones stay without signal.
    level : float, share 0 to 1
        Chance that any input is named without cause.
    confidence : float, share 0 to 1
        Coverage of each interval.
    edge : int, months
        That must lie on either side of a step.
    draws, seed : int
        Size and seed of the reference distribution.

    Returns
    -------
    Signals
        With ``first_month`` and the months that could also be the first at 95 % (``first_month_low``, ``first_month_high``), ``change`` of the price
        with its ``low`` and ``high``.

    Raises
    ------
    ContractError
        For columns that are missing, gaps, or repeated months.
    ParameterError
        For an impossible option.
    MissingData
        Where there are too few months.

    Notes
    -----
    Every month is tried as the first one beside a straight trend of the log price; the largest t value is compared with the largest of series without a
    step whose errors correlate by `REFERENCE_CORRELATION` (a sup-t test; Andrews 1993, *Econometrica* 61, 821-856), so that trying many months is paid
    for. Months that could be the first: those whose likelihood ratio is below Hansen's (2000) 7.35. The interval of the change takes the first month as
    known.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from analysis import costs
    >>> months = pd.period_range("2024-11", periods=24, freq="M").astype(str)
    >>> price = np.where(np.arange(24) < 14, 10.0, 12.0) * (1 + 0.002 * np.cos(np.arange(24) * 2))
    >>> table = pd.DataFrame({"month": months, "part": "pump", "price": price})
    >>> found = costs.price_steps(table, by=["part"], least_change=0.01, level=0.05, draws=199)
    >>> found.found["first_month"].tolist(), found.found["change"].round(2).tolist()
    (['2026-01'], [0.2])
    """
    table, months = _months_of(prices, by, ("price",))
    count = len(months)
    starts = np.arange(edge, count - edge + 1)
    rows, skipped, values = [], [], []
    for subject, series in table:
        reason = _untestable(series["price"], series["price"])
        if reason:
            skipped.append({**subject, "reason": reason})
        else:
            rows.append(dict(subject))
            values.append(np.log(series["price"]))
    if rows:
        logs = np.array(values)
        tried = [_step(logs, int(start)) for start in starts]
        ratios = np.array([each.ratio for each in tried])
        best = ratios.argmax(axis=0)
        reference = _largest_without_step(count, edge, draws, seed)
        chance = (1 + draws - np.searchsorted(reference, ratios.max(axis=0), side="left")) / (draws + 1)
        for place, row in enumerate(rows):
            step = tried[best[place]]
            reach = float(stdtrit(step.freedom[place], (1 + confidence) / 2)) * step.error[place]
            possible = _possible_starts(np.array([each.squares[place] for each in tried]), count)
            row |= {
                "first_month": months[starts[best[place]]],
                "first_month_low": months[starts[possible[0]]],
                "first_month_high": months[starts[possible[-1]]],
                "change": float(np.expm1(step.change[place])),
                "low": float(np.expm1(step.change[place] - reach)),
                "high": float(np.expm1(step.change[place] + reach)),
                "p_value": float(chance[place]),
            }
    found = _signals(rows, skipped, by, level, confidence)
    if rows:
        large = found.by_subject["change"].to_numpy(float) >= least_change
        found.by_subject["signal"] = found.by_subject["signal"].to_numpy(bool) & large
    return found


@traced
def idle_teams(
    hours: pd.DataFrame,
    *,
    by: Sequence[str] = ("team",),
    window: int,
    allowed_share: float | None,
    level: float,
    confidence: float = 0.95,
) -> Signals:
    """Teams that were paid, in the last months, for more unused hours than is allowed.

    Parameters
    ----------
    hours : (months and teams, columns) DataFrame
        ``month`` (sortable, every team over the same months), ``hours_paid`` above zero and ``hours_worked``.
    by : names of columns
        That name a team.
    window : int, months
        The last ones, which are judged; the months before them tell how much the share varies.
    allowed_share : float, share of paid hours; optional
        Unused share that is normal (1 - practical share of capacity, such as 0.15); None compares each team with the median of the other teams in the
        same month.
    level : float, share 0 to 1
        Chance that any team is named without cause.
    confidence : float, share 0 to 1
        Coverage of each interval.

    Returns
    -------
    Signals
        With ``unused_share`` of the window, ``allowed`` (of the window), ``excess_share`` with its ``low`` and ``high``, ``unused_hours`` and
        ``excess_hours`` of the window; ``since``, the likeliest month in which the excess began, with ``since_low`` and ``since_high`` of its share
        from then on and ``since_hours``, and ``begun_first`` and ``begun_last``, between which it began.

    Raises
    ------
    ContractError
        For columns that are missing, gaps, or repeated months.
    ParameterError
        For an impossible option.
    MissingData
        Where there are too few months.

    Notes
    -----
    The monthly share beyond the allowed one, regressed on a level and the window; the test is of the window's mean, see `serial.contrast`. A team may be
    above the allowed share from the first month on.

    Examples
    --------
    Forty of a hundred paid hours unused in the last three months, where fifteen are normal.

    >>> import numpy as np, pandas as pd
    >>> from analysis import costs
    >>> months = pd.period_range("2024-11", periods=24, freq="M").astype(str)
    >>> worked = np.where(np.arange(24) < 21, 85.0, 60.0) + np.cos(np.arange(24) * 2)
    >>> table = pd.DataFrame({"month": months, "team": "A", "hours_paid": 100.0, "hours_worked": worked})
    >>> found = costs.idle_teams(table, window=3, allowed_share=0.15, level=0.05)
    >>> found.found["team"].tolist(), found.by_subject["unused_share"].round(1).tolist()
    (['A'], [0.4])
    """
    table, months = _months_of(hours, by, ("hours_paid", "hours_worked"))
    if not 1 <= window <= (len(months) - 8) // 2:
        raise ParameterError(
            f"idle_teams: a window of {window} in {len(months)} months leaves too little to compare with."
        )
    rows, skipped, kept = [], [], []
    for subject, series in table:
        paid, worked = series["hours_paid"], series["hours_worked"]
        known = np.isfinite(paid) & np.isfinite(worked) & (paid > 0)
        if not known.all():
            skipped.append({**subject, "reason": f"{int((~known).sum())} months without paid hours"})
        else:
            kept.append(subject)
            rows.append((paid, 1 - worked / paid))
    shares = np.array([share for _, share in rows])
    if allowed_share is None and len(kept) < 3:
        return _signals(
            [],
            [*skipped, *({**subject, "reason": "fewer than two other teams"} for subject in kept)],
            by,
            level,
            confidence,
        )
    design = np.column_stack([np.ones(len(months)), *_last_months(len(months), window)])
    tested = []
    for place, subject in enumerate(kept):
        others = (
            np.median(np.delete(shares, place, axis=0), axis=0)
            if allowed_share is None
            else np.full(len(months), allowed_share)
        )
        found = contrast(
            design, shares[place] - others, np.array([1.0, 1.0, 0.0]), least_correlation=LEAST_CORRELATION
        )
        low, high = found.limits(confidence)
        paid = rows[place][0][-window:]
        unused = float((paid * shares[place][-window:]).sum())
        tested.append(
            {
                **subject,
                "unused_share": unused / float(paid.sum()),
                "allowed": float((paid * others[-window:]).sum() / paid.sum()),
                "excess_share": found.estimate,
                "low": low,
                "high": high,
                "unused_hours": unused,
                "excess_hours": unused - float((paid * others[-window:]).sum()),
                "p_value": found.tail(),
                **_begun(
                    months, shares[place] - others, rows[place][0], window=window, confidence=confidence
                ),
            }
        )
    return _signals(tested, skipped, by, level, confidence)


@traced
def idle_months(
    hours: pd.DataFrame,
    *,
    by: Sequence[str] = ("team",),
    least_difference: float,
    level: float,
    confidence: float = 0.95,
) -> Signals:
    """Calendar months in which a team leaves more of its paid hours unused, year by year, than in its other months.

    Parameters
    ----------
    hours : (months and teams, columns) DataFrame
        ``month`` (text such as 2026-07), ``hours_paid`` above zero and ``hours_worked``; a team may be absent from any month.
    by : names of columns
        That name a team.
    least_difference : float, share of paid hours
        Smallest difference worth naming.
    level : float, share 0 to 1
        Chance that any month of any team is named without cause.
    confidence : float, share 0 to 1
        Coverage of each interval.

    Returns
    -------
    Signals
        One row per team and calendar month seen in two years or more: ``calendar_month`` (7), ``excess_share`` with ``low`` and ``high``.

    Raises
    ------
    ContractError
        For columns that are missing, gaps, or repeated months.
    ParameterError
        For a level that is no chance.
    MissingData
        Where there are too few months.

    Notes
    -----
    Mean share of the calendar month less that of the team's other calendar months, against the spread of the same calendar months between years: what
    lasts for some months and does not return is spread, and no season. Months of one name lie a year apart, so their errors are taken as independent.

    Examples
    --------
    Fifteen of a hundred hours unused, in July ninety.

    >>> import numpy as np, pandas as pd
    >>> from analysis import costs
    >>> months = pd.period_range("2023-11", periods=36, freq="M")
    >>> worked = np.where(months.month == 7, 10.0, 85.0) + np.cos(np.arange(36) * 2)
    >>> table = pd.DataFrame({"month": months.astype(str), "team": "A", "hours_paid": 100.0, "hours_worked": worked})
    >>> found = costs.idle_months(table, least_difference=0.1, level=0.05)
    >>> found.found[["team", "calendar_month"]].values.tolist(), found.found["excess_share"].round(2).tolist()
    ([['A', 7]], [0.75])
    """
    table, months = _months_of(hours, by, ("hours_paid", "hours_worked"))
    numbers = np.array([int(str(month)[5:7]) for month in months])
    rows, skipped = [], []
    for subject, series in table:
        paid, worked = series["hours_paid"], series["hours_worked"]
        known = np.isfinite(paid) & np.isfinite(worked) & (paid > 0)
        shares, of = 1 - worked[known] / paid[known], numbers[known]
        asked = [int(number) for number in np.unique(of) if (of == number).sum() > 1]
        if not asked or len(np.unique(of)) < 2 or len(of) - len(np.unique(of)) < LEAST_FREEDOM:
            skipped.append({**subject, "reason": "no calendar month in two years"})
            continue
        for number in asked:
            found = season_of(shares, of, [number], confidence=confidence)
            rows.append({**subject, "calendar_month": number, **found})
    signals = _signals(rows, skipped, by, level, confidence)
    if rows:
        large = signals.by_subject["excess_share"].to_numpy(float) >= least_difference
        signals.by_subject["signal"] = signals.by_subject["signal"].to_numpy(bool) & large
    return signals


@traced
def season_of(
    shares: Floats, numbers: NDArray[np.int_], chosen: Sequence[int], *, confidence: float
) -> dict[str, float]:
    """What the chosen calendar months lie above the others, each counting alike on its side: ``excess_share``, ``low``, ``high``, ``p_value``; see `idle_months`."""
    names, place, count = np.unique(numbers, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=shares) / count
    inside = np.isin(names, list(chosen))
    weights = np.where(inside, 1 / inside.sum(), -1 / (~inside).sum())
    freedom = len(shares) - len(names)
    spread = float(((shares - means[place]) ** 2).sum()) / freedom
    error = float(np.sqrt(spread * (weights**2 / count).sum()))
    estimate = float(weights @ means)
    reach = float(stdtrit(freedom, (1 + confidence) / 2)) * error
    ratio = estimate / error if error > 0 else np.inf * np.sign(estimate)
    return {
        "excess_share": estimate,
        "low": estimate - reach,
        "high": estimate + reach,
        "p_value": float(stdtr(freedom, -ratio)) if estimate else 1.0,
    }


def _begun(
    months: Sequence[Any], excess: Floats, paid: Floats, *, window: int, confidence: float
) -> dict[str, Any]:
    """When an excess that lasts to the end began, and its hours since: a step to the end, from any month up to the first of the window."""
    count = len(excess)
    starts = np.arange(LEAST_BEFORE, count - window + 1)
    squares = np.array([excess[:at].var() * at + excess[at:].var() * (count - at) for at in starts])
    first = int(starts[squares.argmin()])
    kept = starts[_possible_starts(squares, count)]
    after = (np.arange(count) >= first).astype(float)
    design, weights = np.column_stack([np.ones(count), after]), np.array([1.0, 1.0])
    found = contrast(design, excess, weights, least_correlation=LEAST_CORRELATION)
    low, high = found.limits(confidence)
    return {
        "since": months[first],
        "begun_first": months[kept[0]],
        "begun_last": months[kept[-1]],
        "since_share": found.estimate,
        "since_low": low,
        "since_high": high,
        "since_hours": float((paid[first:] * excess[first:]).sum()),
    }


def _signals(
    rows: list[dict[str, Any]],
    skipped: list[dict[str, Any]],
    by: Sequence[str],
    level: float,
    confidence: float,
) -> Signals:
    from analysis.stats.multiplicity import adjust_p_values

    if not 0 < level < 1:
        raise ParameterError(f"signals: level {level} must lie between 0 and 1, e.g. 0.05.")
    table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=[*by, "p_value"])
    adjusted = adjust_p_values(table["p_value"].astype(float), method="holm")
    table = table.assign(p_adjusted=adjusted, signal=np.asarray(adjusted) < level)
    table = table.sort_values(["p_value", *by], kind="stable", ignore_index=True)
    return Signals(
        by_subject=table,
        not_tested=pd.DataFrame(skipped, columns=[*by, "reason"]),
        level=level,
        confidence=confidence,
    )


@traced
def _months_of(
    frame: pd.DataFrame, by: Sequence[str], measures: Sequence[str]
) -> tuple[list[tuple[dict[str, Any], dict[str, Floats]]], list[Any]]:
    """([(subject, measure → values by month)], months); a month without a row is NaN."""
    absent = [name for name in ["month", *by, *measures] if name not in frame.columns]
    if absent:
        raise ContractError(f"signals: column {', '.join(absent)} is missing.")
    if frame.duplicated(["month", *by]).any():
        raise ContractError(
            f"signals: {int(frame.duplicated(['month', *by]).sum())} rows repeat a month of a subject."
        )
    months = sorted(frame["month"].unique())
    if len(months) < LEAST_MONTHS:
        raise MissingData(
            "months", message="{months} months; needs {least}", months=len(months), least=LEAST_MONTHS
        )
    place = {month: number for number, month in enumerate(months)}
    subjects = []
    for key, rows in frame.groupby(list(by), sort=True):
        at = rows["month"].map(place).to_numpy()
        series = {}
        for name in measures:
            series[name] = np.full(len(months), np.nan)
            series[name][at] = rows[name].astype(float).to_numpy()
        subjects.append((dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True)), series))
    return subjects, months


def _untestable(values: Floats, others: Floats) -> str:
    missing = int((~np.isfinite(values) | ~np.isfinite(others)).sum())
    if missing:
        return f"{missing} months without a value"
    small = int(((values <= 0) | (others <= 0)).sum())
    return f"{small} months with nothing or a credit" if small else ""


def _last_months(count: int, window: int) -> tuple[Floats, Floats]:
    """Marks of the window and of as many months just before it.

    What is judged often began a few months earlier; those months get a level of their own, so that they
    neither raise the level of comparison nor pass for noise.
    """
    time = np.arange(count)
    recent = time >= count - window
    return recent.astype(float), ((time >= count - 2 * window) & ~recent).astype(float)


def _ordinary_terms(count: int, explained_by: Sequence[str]) -> list[Floats]:
    unknown = [name for name in explained_by if name not in ("volume", "trend", "season")]
    if unknown:
        raise ParameterError(f"cost_rises: explained_by names '{unknown[0]}'; known: volume, trend, season.")
    time = np.arange(count, dtype=float)
    terms = [np.ones(count)]
    if "trend" in explained_by:
        terms.append(time - time.mean())
    if "season" in explained_by:
        if count < 24:
            raise ParameterError(f"cost_rises: {count} months do not show a season; leave it out or give 24.")
        terms += [np.sin(2 * np.pi * time / 12), np.cos(2 * np.pi * time / 12)]
    return terms


@traced
def _plain_ratios(base: Floats, marks: Floats, values: Floats) -> Floats:
    """Least-squares t value of each mark beside the base terms, by series (series × marks)."""
    basis, _ = np.linalg.qr(base)
    apart = marks - basis @ (basis.T @ marks)
    rest = values - (values @ basis) @ basis.T
    lengths = np.sqrt((apart**2).sum(axis=0))
    along = rest @ (apart / lengths)
    left = np.maximum((rest**2).sum(axis=1)[:, None] - along**2, 1e-30)
    return np.asarray(along / np.sqrt(left / (len(base) - base.shape[1] - 1)))


@lru_cache(maxsize=32)
def _largest_without_surge(base_bytes: bytes, mark_bytes: bytes, count: int, draws: int, seed: int) -> Floats:
    """Sorted largest t values over all runs of ``draws`` series without a surge."""
    base, marks = (np.frombuffer(data).reshape(count, -1) for data in (base_bytes, mark_bytes))
    return np.sort(_plain_ratios(base, marks, _plain_errors(count, draws, seed)).max(axis=1))


def _plain_errors(count: int, draws: int, seed: int) -> Floats:
    """Series of first-order errors that correlate by `REFERENCE_CORRELATION`."""
    errors = np.random.default_rng(seed).standard_normal((draws, count))
    errors[:, 0] /= np.sqrt(1 - REFERENCE_CORRELATION**2)
    for month in range(1, count):
        errors[:, month] += REFERENCE_CORRELATION * errors[:, month - 1]
    return errors


@dataclass(frozen=True, eq=False, kw_only=True)
class _Step:
    """A step at one month for every series: its size, error, t value and what it leaves unexplained."""

    change: Floats
    error: Floats
    freedom: Floats
    ratio: Floats
    squares: Floats


@traced
def _step(values: Floats, start: int) -> _Step:
    count = values.shape[1]
    time = np.arange(count, dtype=float)
    design = np.column_stack([np.ones(count), time - time.mean(), time >= start]).astype(float)
    found = contrast(design, values, np.array([0.0, 0.0, 1.0]), least_correlation=LEAST_CORRELATION)
    rest = values - found.coefficients @ design.T
    exact = found.standard_error == 0
    ratio = np.where(exact, np.where(found.estimate > 1e-12, np.inf, -np.inf), 0.0)
    np.divide(found.estimate, found.standard_error, out=ratio, where=~exact)
    return _Step(
        change=found.estimate,
        error=found.standard_error,
        freedom=found.degrees_of_freedom,
        ratio=ratio,
        squares=np.where(exact, 0.0, (rest**2).sum(axis=1)),
    )


@lru_cache(maxsize=32)
def _largest_without_step(count: int, edge: int, draws: int, seed: int) -> Floats:
    """Sorted largest t values of ``draws`` series without a step."""
    errors = _plain_errors(count, draws, seed)
    largest = np.max([_step(errors, start).ratio for start in range(edge, count - edge + 1)], axis=0)
    return np.sort(largest)


@traced
def _possible_starts(squares: Floats, count: int) -> NDArray[np.int_]:
    """Places whose likelihood ratio against the best one is below Hansen's limit."""
    least = squares.min()
    if least <= 0:
        return np.flatnonzero(squares <= 0)
    return np.flatnonzero(count * np.log(squares / least) <= FIRST_MONTH_LIMIT)
