"""The chain that the field believes in, link by link, each with the earlier thing measured before the later one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.drivers import Drivers
from analysis.retention.standing import observed_from
from analysis.retention.stating import estimate
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

NAMES = {
    "late_to_score": Text(en="Complaint answered late → score of 1 or 2", zh="投诉答复迟 → 满意度 1–2 分"),
    "score_to_loss": Text(en="Score of 1 or 2 → loss of the contract", zh="满意度 1–2 分 → 合同流失"),
    "response_to_backlog": Text(
        en="Response time doubled → open tickets next month", zh="首响时间翻倍 → 下月未结工单"
    ),
    "backlog_to_detractor": Text(
        en="More open tickets than usual → detractors next month", zh="未结工单高于常态 → 下月贬损者"
    ),
    "late_to_detractor": Text(
        en="Last ticket answered late → detractor (0–6)", zh="最近工单答复迟 → 贬损者（0–6 分）"
    ),
    "contacts_to_cost": Text(en="Repair needs follow-ups → direct cost", zh="维修需多次联系 → 直接成本"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Link(Summarised):
    """One link: its strength (ratio), its p-value, and, once judged among all links, whether it holds."""

    id: str
    label: Text
    strength: Fact
    p_value: float | None
    verdict: str  # holds | reversed | not_shown


@traced
def chain(inputs: StudyInputs, found: Drivers | None) -> tuple[Link, ...]:
    """Every link that the data allow, judged together (Holm)."""
    from analysis import stats

    since = observed_from(inputs)
    cutoff, period = inputs.month.end, Period(Month.parse(since), inputs.month)
    estimates: list[tuple[str, tuple[float, float, float, int] | None]] = []
    for name, sql, needs in (
        ("late_to_score", views.link_score(cutoff), ("surveys.score", "tickets.first_response_at")),
        (
            "late_to_detractor",
            views.link_recommendation(cutoff),
            ("surveys.score", "tickets.first_response_at"),
        ),
    ):
        frame = _frame(inputs, sql, needs)
        estimates.append((name, None if frame is None else risk_ratio(frame)))
    waits = _frame(
        inputs, views.link_backlog(cutoff, since), ("tickets.first_response_at", "tickets.resolved_at")
    )
    estimates.append(("response_to_backlog", None if waits is None else backlog_ratio(waits)))
    answers = _frame(inputs, views.link_answers(cutoff, since), ("surveys.score", "surveys.answered_at"))
    estimates.append(
        (
            "backlog_to_detractor",
            None if waits is None or answers is None else detractor_ratio(waits, answers),
        )
    )
    costs = _frame(inputs, views.link_cost(), ("tickets.contacts", "ledger.ticket_id"))
    estimates.append(("contacts_to_cost", None if costs is None else mean_ratio(costs)))
    low = found.ratios.get(("low", "mediation")) if found else None
    if low is not None and low.value is not None and low.interval is not None:
        error = (math.log(low.interval.high) - math.log(low.interval.low)) / (2 * _z(inputs.confidence))
        estimates.append(
            ("score_to_loss", (math.log(low.value), error, _p(math.log(low.value) / error), low.n or 0))
        )
    known = [(name, one) for name, one in estimates if one is not None and one[1] > 0]
    adjusted = stats.adjust_p_values([one[2] for _, one in known], method="holm")
    links = {}
    for (name, (value, error, p, n)), q in zip(known, adjusted, strict=True):
        reach = _z(inputs.confidence) * error
        fact = estimate(
            inputs,
            "chain_link_strength",
            math.exp(value),
            math.exp(value - reach),
            math.exp(value + reach),
            method="Stratified ratio",
            period=period,
            dimensions={"link": name},
            n=n,
        )
        verdict = "not_shown" if q >= 1 - inputs.confidence else "holds" if value > 0 else "reversed"
        links[name] = Link(id=name, label=NAMES[name], strength=fact, p_value=p, verdict=verdict)
    return tuple(links[name] for name in NAMES if name in links)


@traced
def _frame(inputs: StudyInputs, sql: str, needs: tuple[str, ...]) -> pd.DataFrame | None:
    try:
        return inputs.engine.query(sql, needs=needs)
    except MissingData:
        return None


@traced
def risk_ratio(counts: pd.DataFrame) -> tuple[float, float, float, int] | None:
    """Logarithm of the Mantel-Haenszel risk ratio, its error (Greenland and Robins 1985, Biometrics 41, 55-68), p-value and number.

    ``counts`` : one row per ``stratum``, ``exposed`` and ``hit`` with ``n``.
    """
    top = bottom = spread = 0.0
    for _, part in counts.groupby("stratum"):
        cell = {
            (bool(row.exposed), bool(row.hit)): float(row.n)
            for row in part.groupby(["exposed", "hit"], as_index=False)["n"].sum().itertuples()
        }
        a, b = cell.get((True, True), 0.0), cell.get((True, False), 0.0)
        c, d = cell.get((False, True), 0.0), cell.get((False, False), 0.0)
        n1, n0, n = a + b, c + d, a + b + c + d
        if not n1 or not n0:
            continue
        top += a * n0 / n
        bottom += c * n1 / n
        spread += (n1 * n0 * (a + c) - a * c * n) / n**2
    if not top or not bottom:
        return None
    value, error = math.log(top / bottom), math.sqrt(spread / (top * bottom))
    return value, error, _p(value / error), int(counts["n"].sum())


@traced
def mean_ratio(sums: pd.DataFrame) -> tuple[float, float, float, int] | None:
    """Logarithm of the ratio of two means, strata weighted by the exposed; delta method.

    ``sums`` : one row per ``stratum`` and ``exposed`` with ``n``, ``total`` and ``squares``.
    """
    import numpy as np

    wide = sums.pivot(index="stratum", columns="exposed", values=["n", "total", "squares"]).dropna()
    if wide.empty or wide.columns.get_level_values(1).nunique() < 2:
        return None
    weight = wide["n"][True] / wide["n"][True].sum()
    mean, error = {}, {}
    for arm in (True, False):
        n, average = wide["n"][arm], wide["total"][arm] / wide["n"][arm]
        variance = np.maximum(wide["squares"][arm] / n - average**2, 0) / np.maximum(n - 1, 1)
        mean[arm], error[arm] = float((weight * average).sum()), float(np.sqrt((weight**2 * variance).sum()))
    if min(mean.values()) <= 0:
        return None
    value = math.log(mean[True] / mean[False])
    spread = math.hypot(error[True] / mean[True], error[False] / mean[False])
    return value, spread, _p(value / spread), int(wide["n"].to_numpy().sum())


@traced
def backlog_ratio(waits: pd.DataFrame) -> tuple[float, float, float, int] | None:
    """Effect on next month's open tickets, per ticket opened, of a doubled response time: regions and months held fixed, errors by region-free residuals.

    ``waits`` : one row per ``region`` and ``first_day`` with ``hours`` (median), ``opened`` and ``still_open``.
    """
    import numpy as np
    import pandas as pd

    frame = waits.sort_values(["region", "first_day"]).copy()
    frame["later"] = frame.groupby("region")["still_open"].shift(-1)
    frame["later_opened"] = frame.groupby("region")["opened"].shift(-1)
    consecutive = (
        pd.to_datetime(frame["first_day"])
        .dt.to_period("M")
        .astype("int64")
        .groupby(frame["region"])
        .diff(-1)
        .eq(-1)
    )
    frame = frame[consecutive]
    frame = frame[(frame["hours"] > 0) & (frame["later_opened"] > 0)].dropna()
    regions, months = frame["region"].nunique(), frame["first_day"].nunique()
    degrees = len(frame) - regions - months
    if regions < 2 or degrees < 20:
        return None
    parts = {
        "x": np.log2(frame["hours"].astype(float)),
        "y": np.log((frame["later"].astype(float) + 0.5) / frame["later_opened"].astype(float)),
    }
    clean = {
        name: _within(pd.Series(values, index=frame.index), frame).to_numpy()
        for name, values in parts.items()
    }
    square = float(clean["x"] @ clean["x"])
    if square <= 0:
        return None
    value = float(clean["x"] @ clean["y"]) / square
    residual = clean["y"] - value * clean["x"]
    error = math.sqrt(float(residual @ residual) / degrees / square)
    return value, error, _p(value / error), len(frame)


@traced
def detractor_ratio(waits: pd.DataFrame, answers: pd.DataFrame) -> tuple[float, float, float, int] | None:
    """Detractors in months that follow more open tickets than usual for the region and the month, against other months of the same region.

    ``waits`` as in :func:`backlog_ratio`; ``answers`` : one row per ``region`` and ``first_day`` with ``answers`` and ``hits`` (detractors).
    """
    import numpy as np
    import pandas as pd

    frame = waits[waits["opened"] > 0].copy()
    if frame["region"].nunique() < 2:
        return None
    load = np.log((frame["still_open"].to_numpy(dtype=float) + 0.5) / frame["opened"].to_numpy(dtype=float))
    frame["load"] = _within(pd.Series(load, index=frame.index), frame)
    frame["first_day"] = pd.to_datetime(frame["first_day"]) + pd.DateOffset(months=1)
    both = answers.assign(first_day=pd.to_datetime(answers["first_day"])).merge(
        frame[["region", "first_day", "load"]], on=["region", "first_day"], validate="one_to_one"
    )
    both["exposed"] = both["load"] > 0
    if both.empty:
        return None
    long = pd.concat(
        [both.assign(hit=True, n=both["hits"]), both.assign(hit=False, n=both["answers"] - both["hits"])]
    )
    return risk_ratio(long.rename(columns={"region": "stratum"}))


@traced
def _within(values: pd.Series, frame: pd.DataFrame) -> pd.Series:
    """What is left when regions and months are held fixed (alternating projections)."""
    for _ in range(20):
        values = values - values.groupby(frame["region"]).transform("mean")
        values = values - values.groupby(frame["first_day"]).transform("mean")
    return values


def _z(level: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(0.5 + level / 2))


def _p(z: float) -> float:
    from scipy.stats import norm

    return float(2 * norm.sf(abs(z)))
