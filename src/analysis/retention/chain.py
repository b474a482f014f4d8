"""The chain that the field believes in, link by link, each with the earlier thing measured before the later one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.errors import FitError
from analysis.locale import Text
from analysis.metrics import NotDone, Parts, Period, Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.views.responses import CLOCKS
from analysis.periods import Month
from analysis.results import Derived, Fact
from analysis.retention import views
from analysis.retention.drivers import Drivers
from analysis.retention.settings import limit
from analysis.retention.spells import observed_from
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

NAMES = {
    "late_to_score": Text.of("Complaint answered late → score of 1 or 2"),
    "score_to_loss": Text.of("Score of 1 or 2 → loss of the contract"),
    "response_to_backlog": Text.of("Response time doubled → open tickets next month"),
    "backlog_to_detractor": Text.of("More open tickets than usual → detractors next month"),
    "late_to_detractor": Text.of("Last ticket answered late → detractor (0–6)"),
    "contacts_to_cost": Text.of("Fault needs follow-ups → direct cost"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Link(Summarised):
    """One link: its strength (ratio), its p-value, and, once judged among all links, whether it holds."""

    id: str
    label: Text
    strength: Fact
    p_value: float | None
    verdict: str  # holds | reversed | not_shown


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain(Summarised):
    """The links that the data allow, in the order of the chain, and why the others could not be tested."""

    links: tuple[Link, ...]
    not_tested: Mapping[str, NotDone]


@dataclass(frozen=True)
class LogRatio(Summarised):
    """Logarithm of a ratio, its standard error, the number of observations behind it, and the degrees of freedom of the error."""

    value: float
    error: float
    n: int
    freedom: float = math.inf

    @property
    def p_value(self) -> float:
        """Two-sided, of no difference."""
        from scipy.stats import t

        return float(2 * t.sf(abs(self.value / self.error), self.freedom))

    def reach(self, level: float) -> float:
        """Half the width of its interval."""
        from scipy.stats import t

        return float(t.ppf(0.5 + level / 2, self.freedom)) * self.error


NOTHING_TO_COMPARE = "too few observations with, or without, the earlier link"


@traced
def chain(inputs: StudyInputs, found: Drivers | None) -> Chain:
    """Every link that the data allow, judged together (Holm).

    Parameters
    ----------
    found : hazard ratios of loss, of which the link from a low score to the loss is one
    """
    from analysis import stats

    since, cutoff = observed_from(inputs), inputs.month.end
    state = Stating(inputs=inputs, period=Period(Month.parse(since), inputs.month))
    parts = Parts(section="retention")

    late = (
        "surveys.score",
        "tickets.first_response_at",
    )  # whether an answer was late, or how long it took, needs clocks
    waits = parts.do(
        "response_to_backlog",
        _frame,
        inputs,
        views.link_backlog(cutoff, since),
        ("tickets.first_response_at", "tickets.resolved_at"),
        CLOCKS,
    )
    scores = parts.do("late_to_score", _frame, inputs, views.link_score(cutoff), late, CLOCKS)
    last = parts.do(
        "late_to_detractor",
        _frame,
        inputs,
        views.link_recommendation(cutoff, lookback_days=int(limit(inputs, "recommendation_lookback_days"))),
        late,
        CLOCKS,
    )
    answers = parts.do(
        "backlog_to_detractor",
        _frame,
        inputs,
        views.link_answers(cutoff, since),
        ("surveys.score", "surveys.answered_at"),
    )
    costs = parts.do(
        "contacts_to_cost", _frame, inputs, views.link_cost(), ("tickets.contacts", "ledger.ticket_id")
    )
    low = found.ratios.get(("low", "mediation")) if found else None
    refused = found.not_fitted.get("mediation_model") if found else None
    ratios = {
        "late_to_score": parts.do("late_to_score", risk_ratio, scores),
        "score_to_loss": parts.do(
            "score_to_loss", log_ratio_of, low if refused is None else refused, inputs.confidence
        ),
        "response_to_backlog": parts.do("response_to_backlog", backlog_ratio, waits),
        "backlog_to_detractor": parts.do("backlog_to_detractor", detractor_ratio, waits, answers),
        "late_to_detractor": parts.do("late_to_detractor", risk_ratio, last),
        "contacts_to_cost": parts.do("contacts_to_cost", mean_ratio, costs),
    }
    known = {name: one for name, one in ratios.items() if not isinstance(one, NotDone)}
    if not known:
        return Chain(links=(), not_tested=parts.skipped)
    adjusted = stats.adjust_p_values([one.p_value for one in known.values()], method="holm")
    links = tuple(
        _link(state, name, one, float(q), low if name == "score_to_loss" else None)
        for (name, one), q in zip(known.items(), adjusted, strict=True)
    )
    return Chain(links=links, not_tested=parts.skipped)


@traced
def _link(state: Stating, name: str, ratio: LogRatio, adjusted: float, copied: Fact | None) -> Link:
    """A link with its verdict; the one that is a hazard ratio already is ``copied`` from it."""
    level = state.inputs.confidence
    reach = ratio.reach(level)
    strength = state.between(
        "chain_link_strength",
        math.exp(ratio.value),
        math.exp(ratio.value - reach),
        math.exp(ratio.value + reach),
        method="Stratified ratio",
        n=ratio.n,
        lineage=Derived(operation="copy", parents=(copied,)) if copied else None,
        link=name,
    )
    verdict = "not_shown" if adjusted >= 1 - level else "holds" if ratio.value > 0 else "reversed"
    return Link(id=name, label=NAMES[name], strength=strength, p_value=ratio.p_value, verdict=verdict)


@traced
def _frame(
    inputs: StudyInputs, sql: str, needs: tuple[str, ...], clocks: tuple[str, ...] = ()
) -> pd.DataFrame:
    inputs.engine.require_clock(*clocks)
    return inputs.engine.query(sql, needs=needs)


def log_ratio_of(fact: Fact | None, level: float) -> LogRatio:
    """The logarithm of a ratio that is a fact with an interval at ``level``."""
    if fact is None or fact.value is None or fact.interval is None:
        raise FitError(NOTHING_TO_COMPARE)
    error = (math.log(fact.interval.high) - math.log(fact.interval.low)) / (2 * _z(level))
    return LogRatio(math.log(fact.value), error, fact.n or 0)


@traced
def risk_ratio(counts: pd.DataFrame) -> LogRatio:
    """Logarithm of the Mantel-Haenszel risk ratio, its error and number.

    The error sums by group of ``customers`` what each adds to the estimating equation (Liang and Zeger 1986, *Biometrika* 73, 13-22): a customer with
    several answers is not several customers.

    ``counts`` : one row per ``stratum``, ``exposed``, ``hit`` and ``customers`` with ``n``.
    """
    hits = counts["n"].where(counts["hit"].astype(bool), 0)
    cells = _arms(counts.assign(total=hits))
    if cells.empty:
        raise FitError(NOTHING_TO_COMPARE)
    both = cells["n"] + cells["n_without"]
    top = float((cells["total"] * cells["n_without"] / both).sum())
    bottom = float((cells["total_without"] * cells["n"] / both).sum())
    if not top or not bottom:
        raise FitError(NOTHING_TO_COMPARE)
    ratio = top / bottom
    base = (cells["total"] + cells["total_without"]) / (cells["n_without"] + ratio * cells["n"])
    mean = {True: ratio * base, False: base}
    share = {True: cells["n_without"] / both / top, False: -ratio * cells["n"] / both / top}
    return _by_customers(counts.assign(total=hits), math.log(ratio), mean, share)


@traced
def mean_ratio(sums: pd.DataFrame) -> LogRatio:
    """Logarithm of the ratio of two means, strata weighted by the exposed; delta method, errors by group of ``customers``.

    ``sums`` : one row per ``stratum``, ``exposed`` and ``customers`` with ``n`` and ``total``.
    """
    cells = _arms(sums)
    if cells.empty:
        raise FitError(NOTHING_TO_COMPARE)
    weight = cells["n"] / cells["n"].sum()
    mean = {True: cells["total"] / cells["n"], False: cells["total_without"] / cells["n_without"]}
    average = {arm: float((weight * each).sum()) for arm, each in mean.items()}
    if min(average.values()) <= 0:
        raise FitError(NOTHING_TO_COMPARE)
    share = {True: weight / cells["n"] / average[True], False: -weight / cells["n_without"] / average[False]}
    return _by_customers(sums, math.log(average[True] / average[False]), mean, share)


def _arms(rows: pd.DataFrame) -> pd.DataFrame:
    """By stratum with both arms: ``n`` and ``total`` of the exposed, ``n_without`` and ``total_without`` of the others."""
    summed = rows.groupby(["stratum", "exposed"])[["n", "total"]].sum().astype(float)
    exposed = summed.index.get_level_values("exposed").to_numpy(dtype=bool)
    arms = summed.droplevel("exposed")
    return arms[exposed].join(arms[~exposed].add_suffix("_without"), how="inner")


def _by_customers(
    rows: pd.DataFrame, value: float, mean: Mapping[bool, pd.Series], share: Mapping[bool, pd.Series]
) -> LogRatio:
    """The ratio with its error: each row's total less what its arm's ``mean`` leads one to expect, times its ``share`` in the estimate, summed by customers."""
    told = rows[rows["stratum"].isin(mean[True].index)]
    exposed = told["exposed"].astype(bool)

    def of_arm(found: Mapping[bool, pd.Series]) -> pd.Series:
        arms = {arm: told["stratum"].map(one) for arm, one in found.items()}
        return arms[True].where(exposed, arms[False])

    influence = of_arm(share) * (told["total"].astype(float) - told["n"].astype(float) * of_arm(mean))
    summed = influence.groupby(told["customers"]).sum()
    groups = len(summed)
    if groups < 2:
        raise FitError(NOTHING_TO_COMPARE)
    error = math.sqrt(float((summed**2).sum()) * groups / (groups - 1))
    return _ratio(value, error, int(rows["n"].sum()), freedom=groups - 1)


@traced
def backlog_ratio(waits: pd.DataFrame) -> LogRatio:
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
        raise FitError(NOTHING_TO_COMPARE)
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
        raise FitError(NOTHING_TO_COMPARE)
    value = float(clean["x"] @ clean["y"]) / square
    residual = clean["y"] - value * clean["x"]
    error = math.sqrt(float(residual @ residual) / degrees / square)
    return _ratio(value, error, len(frame))


@traced
def detractor_ratio(waits: pd.DataFrame, answers: pd.DataFrame) -> LogRatio:
    """Detractors in months that follow more open tickets than usual for the region and the month, against other months of the same region.

    ``waits`` as in :func:`backlog_ratio`; ``answers`` : one row per ``region`` and ``first_day`` with ``answers`` and ``hits`` (detractors).
    """
    import numpy as np
    import pandas as pd

    frame = waits[waits["opened"] > 0].copy()
    if frame["region"].nunique() < 2:
        raise FitError(NOTHING_TO_COMPARE)
    load = np.log((frame["still_open"].to_numpy(dtype=float) + 0.5) / frame["opened"].to_numpy(dtype=float))
    frame["load"] = _within(pd.Series(load, index=frame.index), frame)
    frame["first_day"] = pd.to_datetime(frame["first_day"]) + pd.DateOffset(months=1)
    both = answers.assign(first_day=pd.to_datetime(answers["first_day"])).merge(
        frame[["region", "first_day", "load"]], on=["region", "first_day"], validate="one_to_one"
    )
    both["exposed"] = both["load"] > 0
    if both.empty:
        raise FitError(NOTHING_TO_COMPARE)
    long = pd.concat(
        [both.assign(hit=True, n=both["hits"]), both.assign(hit=False, n=both["answers"] - both["hits"])]
    )
    # answers of one region and month share whatever else happened there
    return risk_ratio(
        long.assign(customers=long["region"] + long["first_day"].astype(str)).rename(
            columns={"region": "stratum"}
        )
    )


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


def _ratio(value: float, error: float, n: int, *, freedom: float = math.inf) -> LogRatio:
    if not error > 0:
        raise FitError(NOTHING_TO_COMPARE)
    return LogRatio(value, error, n, freedom)
