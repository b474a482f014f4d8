"""Purchases to come: models chosen on a holdout, and what is used instead when none is good enough.

Everything stands on sufficient statistics from the engine: distinct (group, repeat purchases, recency, age) with the number of customers.
Time is whole weeks of seven days, rounded up.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from analysis.errors import FitError, NothingToCount
from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.summaries import Summarised
from analysis.value import views
from analysis.value.settings import ValueSettings

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

WEEKS_PER_MONTH = 365.25 / 12 / 7
NORMAL_95 = 1.959963984540054
YEAR_WEEKS = 365.25 / 7
STEP_MONTHS = 3  # purchases to come are discounted from the middle of each quarter
CLASSES = (
    ("0", 0, 0),
    ("1", 1, 1),
    ("2", 2, 2),
    ("3", 3, 3),
    ("4–6", 4, 6),
    ("7+", 7, 10**9),
)  # repeat purchases
RECENCY_WEEKS = (26, 52, 104)  # classes of weeks since the last purchase, for the fallback
# what is said of a model without a fit; where its search stopped differs by machine in the last digits and is not for a page
NO_FIT = Text.of("no estimate: the data do not hold what the model describes")
GROUP_TOO_SMALL = Text.of("not fitted: a group has too few customers")
MODELS = ("bg_nbd", "mbg_nbd", "pareto_nbd")
TOLERANCE = (
    0.002  # forecasts whose errors differ by less than this share are called equal; the fewer parameters win
)
NAMES = {
    "bg_nbd": ("r", "alpha", "a", "b"),
    "mbg_nbd": ("r", "alpha", "a", "b"),
    "pareto_nbd": ("r", "alpha", "s", "beta"),
}


class GroupTooSmall(FitError):
    """A grouping leaves a group too few customers for a model of its own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate(Summarised):
    """One model under one grouping: fitted without the holdout and judged on it. ``problem`` says why there is no fit."""

    model: str
    grouping: str
    parameters: int
    log_likelihood: float
    bic: float
    predicted: float
    error: float  # root mean square of purchases a customer, forecast against actual
    problem: Text | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Holdout(Summarised):
    """The chosen model on the weeks it had not seen.

    ``classes`` : one row per class of repeat purchases: ``name``, ``customers``, ``actual``, ``predicted``, ``noise`` (standard error of the actual sum), ``good``.
    ``weeks`` : one row per week: ``week``, ``actual``, ``predicted`` (cumulative).
    """

    calibrated_to: dt.date
    customers: int
    actual: float
    predicted: float
    noise: float
    classes: pd.DataFrame
    weeks: pd.DataFrame
    good: bool
    material: bool = False  # beyond chance, and large enough to matter: the value is corrected for it

    @property
    def correction(self) -> float:
        """What forecasts are multiplied by: the known miss is taken out of them."""
        return self.actual / self.predicted if self.material and self.predicted else 1.0

    @property
    def doubt(self) -> float:
        """Relative error of forecasts, as a standard error: chance in the actual purchases, and the whole of the miss.

        The miss stays in it after a correction too: whether the next years are missed as the last one was is not known.
        """
        if not self.actual:
            return 0.0
        return math.hypot(self.miss * self.correction, self.noise * self.predicted / self.actual**2)

    @property
    def miss(self) -> float:
        """Forecast over actual, minus one."""
        return self.predicted / self.actual - 1 if self.actual else math.nan

    def of_class(self, name: str) -> tuple[float, float, float]:
        """Actual and predicted purchases and the standard error of the actual ones, of a class or of ``all``."""
        if name == "all":
            return self.actual, self.predicted, self.noise
        row = self.classes[self.classes["name"] == name]
        return float(row["actual"].sum()), float(row["predicted"].sum()), float(row["noise"].sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice(Summarised):
    """The model in use: a name of ``MODELS``, or ``observed_rates`` when none passed the holdout; ``judged``: the model that was held against it."""

    model: str
    grouping: str
    candidates: tuple[Candidate, ...]
    holdout: Holdout | None
    rates: pd.DataFrame | None = None  # observed rates by class, where they are used instead
    judged: str = ""

    @property
    def fallback(self) -> bool:
        return self.model == "observed_rates"

    @property
    def correction(self) -> float:
        """Of the model's forecasts; observed rates are those of the holdout itself."""
        return 1.0 if self.fallback or self.holdout is None else self.holdout.correction

    @property
    def doubt(self) -> float:
        return 0.0 if self.fallback or self.holdout is None else self.holdout.doubt


def purchases_at(inputs: StudyInputs, cutoff: dt.date, types: Sequence[str]) -> str:
    return inputs.engine.materialise(
        "value_purchases", views.purchases(cutoff, types), needs=["orders.ordered_at", "orders.revenue"]
    )


def holdout_start(inputs: StudyInputs, settings: ValueSettings) -> dt.date:
    """First day of the weeks that the models have not seen."""
    return inputs.month.end - dt.timedelta(days=7 * settings.holdout_weeks)


@traced
def chosen(inputs: StudyInputs, settings: ValueSettings, types: Sequence[str]) -> Choice:
    """Fit every candidate without the last weeks, judge it on them, and say what is used."""
    cutoff, end = inputs.month.end, holdout_start(inputs, settings)
    before = purchases_at(inputs, end, types)
    seen = inputs.engine.query(views.holdout(before, end, cutoff, types))
    if seen.empty or int((seen["x"] * seen["customers"]).sum()) < 50 or int(seen["bought"].sum()) < 30:
        raise FitError(
            "fewer than 50 repeat purchases before the holdout or 30 in it; the models of purchases need more history"
        )
    weekly = inputs.engine.query(views.holdout_weeks(before, end, cutoff, types))
    tried = [
        _candidate(seen, model, grouping, settings) for grouping in _groupings(seen) for model in MODELS[:2]
    ]
    usable = [one for one in tried if one[0].problem is None]
    if usable:
        grouping = _simplest(usable)[0].grouping
        tried.append(_candidate(seen, MODELS[2], grouping, settings))
        usable = [one for one in tried if one[0].problem is None]
    candidates = tuple(one[0] for one in tried)
    if not usable:
        return Choice(
            model="observed_rates",
            grouping="none",
            candidates=candidates,
            holdout=None,
            rates=observed_rates(seen, settings),
        )
    best, fitted = _simplest(usable)
    found = _judged(seen, weekly, best, fitted, settings, end)
    if not found.good:
        return Choice(
            model="observed_rates",
            grouping="none",
            candidates=candidates,
            holdout=found,
            rates=observed_rates(seen, settings),
            judged=best.model,
        )
    return Choice(
        model=best.model, grouping=best.grouping, candidates=candidates, holdout=found, judged=best.model
    )


def _simplest(usable: Sequence[tuple[Candidate, Any]]) -> tuple[Candidate, Any]:
    """Of the forecasts as good as the best, the one with the lowest information criterion."""
    least = min(one.error for one, _ in usable)
    near = [pair for pair in usable if pair[0].error <= least * (1 + TOLERANCE)]
    return min(near, key=lambda pair: (pair[0].bic, pair[0].parameters))


def _groupings(seen: pd.DataFrame) -> list[str]:
    """The groupings that divide these customers, each under its simplest name: with one type of customer, by type is no grouping of its own."""
    import pandas as pd

    names: dict[bytes, str] = {}
    for grouping in views.GROUPINGS:
        codes, _ = pd.factorize(_group_column(seen, grouping))
        names.setdefault(codes.tobytes(), grouping)
    return list(names.values())


def _group_column(frame: pd.DataFrame, grouping: str) -> pd.Series:
    names = list(views.GROUPINGS[grouping])
    if not names:
        import pandas as pd

        return pd.Series("all", index=frame.index)
    text = frame[names[0]].astype(str)
    for name in names[1:]:
        text = text + "|" + frame[name].astype(str)
    return text


def _candidate(
    seen: pd.DataFrame, model: str, grouping: str, settings: ValueSettings
) -> tuple[Candidate, dict[str, Any]]:
    frame = seen.assign(grp=_group_column(seen, grouping))
    try:
        fitted = fit_groups(frame, model, settings.smallest_group)
    except FitError as refusal:
        blank = Candidate(
            model=model,
            grouping=grouping,
            parameters=0,
            log_likelihood=math.nan,
            bic=math.nan,
            predicted=math.nan,
            error=math.nan,
            problem=GROUP_TOO_SMALL if isinstance(refusal, GroupTooSmall) else NO_FIT,
        )
        return blank, {}
    import numpy as np

    predicted = forecasts(frame, fitted, float(settings.holdout_weeks))
    customers = frame["customers"].to_numpy(dtype=float)
    likelihood = sum(one.log_likelihood for one in fitted.values())
    count = 4 * len(fitted)
    squares = (
        frame["squares"].to_numpy(dtype=float)
        - 2 * predicted * frame["bought"].to_numpy(dtype=float)
        + customers * predicted**2
    )
    return Candidate(
        model=model,
        grouping=grouping,
        parameters=count,
        log_likelihood=likelihood,
        bic=count * math.log(customers.sum()) - 2 * likelihood,
        predicted=float(customers @ predicted),
        error=float(np.sqrt(squares.sum() / customers.sum())),
    ), fitted


def fit_groups(frame: pd.DataFrame, model: str, smallest: int) -> dict[str, Any]:
    """One fit per group of ``grp``; a group of fewer than ``smallest`` customers refuses the grouping."""
    from analysis import stats

    fit = {"bg_nbd": stats.fit_bgnbd, "mbg_nbd": stats.fit_mbgnbd, "pareto_nbd": stats.fit_pareto_nbd}[model]
    fitted = {}
    for name, part in frame.groupby("grp", sort=True):
        if frame["grp"].nunique() > 1 and part["customers"].sum() < smallest:
            raise GroupTooSmall(
                "a group has {customers} customers; below {smallest} it gets no model of its own",
                customers=int(part["customers"].sum()),
                smallest=smallest,
            )
        fitted[str(name)] = fit(part["x"], part["recency"], part["age"], part["customers"], unit="weeks")
    return fitted


def forecasts(frame: pd.DataFrame, fitted: Mapping[str, Any], weeks: float) -> np.ndarray:
    """Purchases expected of a customer of each pattern in the ``weeks`` ahead."""
    import numpy as np

    found = np.zeros(len(frame))
    for model, rows, part in _by_group(frame, fitted):
        found[rows] = model.expected_purchases(weeks, *part)
    return found


def _by_group(
    frame: pd.DataFrame, fitted: Mapping[str, Any]
) -> list[tuple[Any, np.ndarray, list[np.ndarray]]]:
    """Each group's model with the places of its rows and their three numbers."""
    import numpy as np

    numbers = [frame[column].to_numpy(dtype=float) for column in ("x", "recency", "age")]
    names = frame["grp"].to_numpy()
    places = [(model, np.flatnonzero(names == name)) for name, model in fitted.items()]
    return [(model, rows, [column[rows] for column in numbers]) for model, rows in places]


def _judged(
    seen: pd.DataFrame,
    weekly: pd.DataFrame,
    best: Candidate,
    fitted: Mapping[str, Any],
    settings: ValueSettings,
    end: dt.date,
) -> Holdout:
    """Totals within the stated miss, and each class of frequency within its own or within chance."""
    import pandas as pd

    frame = seen.assign(grp=_group_column(seen, best.grouping))
    frame = frame.assign(
        predicted=forecasts(frame, fitted, float(settings.holdout_weeks)) * frame["customers"]
    )
    rows = []
    for name, low, high in CLASSES:
        part = frame[(frame["x"] >= low) & (frame["x"] <= high)]
        if not len(part):
            continue
        number, actual, squares = (float(part[column].sum()) for column in ("customers", "bought", "squares"))
        noise = math.sqrt(max(squares - actual**2 / number, actual, 1.0))
        predicted = float(part["predicted"].sum())
        good = abs(predicted - actual) <= max(settings.class_miss * actual, 1.96 * noise)
        rows.append(
            {
                "name": name,
                "customers": int(number),
                "actual": actual,
                "predicted": predicted,
                "noise": noise,
                "good": good,
            }
        )
    classes = pd.DataFrame(rows)
    actual, predicted = float(frame["bought"].sum()), float(frame["predicted"].sum())
    noise = float((classes["noise"] ** 2).sum() ** 0.5)
    counted = (
        weekly.set_index("week")["bought"].reindex(range(1, settings.holdout_weeks + 1)).fillna(0).cumsum()
    )
    parts, customers = _by_group(frame, fitted), frame["customers"].to_numpy(dtype=float)
    ahead = [
        sum(
            float(model.expected_purchases(float(week), *part) @ customers[rows])
            for model, rows, part in parts
        )
        for week in range(1, settings.holdout_weeks + 1)
    ]
    weeks = pd.DataFrame({"week": counted.index, "actual": counted.to_numpy(dtype=float), "predicted": ahead})
    within = abs(predicted - actual) <= max(settings.total_miss * actual, 1.96 * noise)
    return Holdout(
        calibrated_to=end - dt.timedelta(days=1),
        customers=int(frame["customers"].sum()),
        actual=actual,
        predicted=predicted,
        noise=noise,
        classes=classes,
        weeks=weeks,
        good=bool(within and classes["good"].all()),
        material=beyond(predicted, actual, noise, settings.material_miss),
    )


def beyond(predicted: float, actual: float, noise: float, least: float) -> bool:
    """Whether a forecast missed by more than chance (as the printed interval has it) and by more than the share that matters."""
    if actual <= 0:
        return False
    miss, error = predicted / actual - 1, noise * predicted / actual**2
    return abs(miss) > NORMAL_95 * error and abs(miss) > least


# -- what is expected of each pattern ----------------------------------------------------------------------------------


def observed_rates(seen: pd.DataFrame, settings: ValueSettings) -> pd.DataFrame:
    """Purchases of the holdout year by customer type, class of frequency and weeks since the last purchase: no model, no year beyond the next."""
    import pandas as pd

    frame = seen.assign(place=_places(seen))
    found = (
        frame.groupby(["customer_type", "place"], sort=True)[["customers", "bought", "squares", "buyers"]]
        .sum()
        .reset_index()
    )
    per_year = YEAR_WEEKS / settings.holdout_weeks
    return pd.DataFrame(
        {
            "grp": found["customer_type"],
            "place": found["place"],
            "rate": found["bought"] / found["customers"] * per_year,
            "share": found["buyers"] / found["customers"],
            "customers": found["customers"],
            "bought": found["bought"],
            "squares": found["squares"],
        }
    )


def _places(frame: pd.DataFrame) -> np.ndarray:
    """Class of frequency and of silence as one number."""
    import numpy as np

    silence = frame["age"].to_numpy() - frame["recency"].to_numpy()
    order = np.minimum(frame["x"].to_numpy(), 3)
    return np.asarray(order * 10 + np.searchsorted(RECENCY_WEEKS, silence, side="left"), dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Buying(Summarised):
    """Fitted purchases at one cutoff: per group a model, or observed rates. ``covariance`` is of the logarithms of each group's parameters."""

    choice: Choice
    models: Mapping[str, Any]
    customers: int
    patterns: int

    def grouping(self) -> str:
        return "customer_type" if self.choice.fallback else self.choice.grouping

    def covariance(self, group: str) -> np.ndarray:
        import numpy as np

        if not self.choice.fallback:
            return np.asarray(self.models[group].fit.log_covariance)
        assert self.choice.rates is not None
        rates = self.choice.rates[self.choice.rates["grp"] == group]
        bought = float(rates["bought"].sum())
        spread = float((rates["squares"] - rates["bought"] ** 2 / rates["customers"]).sum())
        found = np.zeros((4, 4))
        found[0, 0] = max(spread, bought, 1.0) / max(bought, 1.0) ** 2
        return found


@traced
def fitted_at(inputs: StudyInputs, choice: Choice, table: str, smallest: int) -> Buying:
    """The chosen model fitted to everything known in ``table``."""
    grouping = "customer_type" if choice.fallback else choice.grouping
    frame = inputs.engine.query(views.patterns(table, grouping))
    if frame.empty:
        raise NothingToCount("orders.ordered_at")
    models = {} if choice.fallback else fit_groups(frame, choice.model, smallest)
    return Buying(choice=choice, models=models, customers=int(frame["customers"].sum()), patterns=len(frame))


def horizon_of(choice: Choice, settings: ValueSettings) -> int:
    """Months over which value is counted: the stated horizon, or one year where only observed rates can be used."""
    return (
        min(settings.observed_rates_months, settings.horizon_months)
        if choice.fallback
        else settings.horizon_months
    )


def expectations(
    frame: pd.DataFrame, buying: Buying, *, months: int, rate: float, derivatives: bool
) -> pd.DataFrame:
    """For each pattern of ``frame`` (``grp``, ``x``, ``recency``, ``age``): what a customer like it will do.

    Adds ``p_alive``, ``next_12m`` (purchases in the next year), ``stay_12m``, ``held`` and ``held_12m`` (years as a customer: discounted over ``months``,
    and in the next year), ``det`` (discounted purchases over ``months``) and, where asked for,
    ``d0`` … ``d3``: its derivatives by the logarithms of the parameters. Purchases are corrected for a known miss in the holdout (:attr:`Choice.correction`). A pattern whose group has no model (it is new) takes the largest group's.
    """
    if buying.choice.fallback:
        return _observed(frame, buying.choice, months=months, rate=rate)
    import numpy as np

    known = frame.assign(
        **{
            name: 0.0
            for name in ("p_alive", "next_12m", "stay_12m", "held", "held_12m", "det", "d0", "d1", "d2", "d3")
        }
    )
    largest = max(buying.models, key=lambda name: buying.models[name].customers)
    for name in sorted(frame["grp"].unique()):
        model = buying.models.get(str(name), buying.models[largest])
        rows = np.flatnonzero((frame["grp"] == name).to_numpy())
        part = [frame[column].to_numpy(dtype=float)[rows] for column in ("x", "recency", "age")]
        whole = _discounted(model, part, months, rate)
        values = {
            "det": whole,
            "p_alive": model.probability_alive(*part),
            "next_12m": model.expected_purchases(YEAR_WEEKS, *part),
        }
        slope = [
            model.expected_purchases(weeks, *part) for weeks in (1.0, YEAR_WEEKS - 0.5, YEAR_WEEKS + 0.5)
        ]
        values["stay_12m"] = values["p_alive"] * np.clip(
            (slope[2] - slope[1]) / np.maximum(slope[0], 1e-12), 0, 1
        )
        values["held"] = values["p_alive"] * _held(model, part, months, rate)
        values["held_12m"] = values["p_alive"] * _held(model, part, 12, 0.0)
        if derivatives:
            names = NAMES[buying.choice.model]
            for place, parameter in enumerate(names):
                step = 1e-3
                moved = replace(model, **{parameter: getattr(model, parameter) * math.exp(step)})
                values[f"d{place}"] = (_discounted(moved, part, months, rate) - whole) / step
        for column, numbers in values.items():
            scale = 1.0 if column in ("p_alive", "stay_12m", "held", "held_12m") else buying.choice.correction
            known.loc[known.index[rows], column] = numbers * scale
    return known


def _held(model: Any, part: Sequence[np.ndarray], months: int, rate: float) -> np.ndarray:
    """Discounted years as a customer of one who is there now: by how much of today's purchases is still expected, quarter by quarter."""
    import numpy as np

    now = np.maximum(model.expected_purchases(1.0, *part), 1e-12)
    before, total, last = np.zeros(len(part[0])), np.zeros(len(part[0])), 0
    for edge in [min(step * STEP_MONTHS, months) for step in range(1, math.ceil(months / STEP_MONTHS) + 1)]:
        until = model.expected_purchases(edge * WEEKS_PER_MONTH, *part)
        weekly = (until - before) / ((edge - last) * WEEKS_PER_MONTH)
        total += np.clip(weekly / now, 0, 1) * (edge - last) / 12 * (1 + rate) ** (-(last + edge) / 24)
        before, last = until, edge
    return total


def _discounted(model: Any, part: Sequence[np.ndarray], months: int, rate: float) -> np.ndarray:
    import numpy as np

    edges = [min(step * STEP_MONTHS, months) for step in range(1, math.ceil(months / STEP_MONTHS) + 1)]
    before, total, last = np.zeros(len(part[0])), np.zeros(len(part[0])), 0
    for edge in edges:
        until = model.expected_purchases(edge * WEEKS_PER_MONTH, *part)
        total += (until - before) * (1 + rate) ** (-(last + edge) / 24)
        before, last = until, edge
    return total


def _observed(frame: pd.DataFrame, choice: Choice, *, months: int, rate: float) -> pd.DataFrame:
    import pandas as pd

    assert choice.rates is not None
    keys = pd.DataFrame({"grp": frame["grp"], "place": _places(frame)})
    found = (
        keys.merge(choice.rates, on=["grp", "place"], how="left")[["rate", "share"]].fillna(0.0).to_numpy()
    )
    det = found[:, 0] * months / 12 * (1 + rate) ** (-months / 24)
    return frame.assign(
        p_alive=found[:, 1],
        next_12m=found[:, 0],
        stay_12m=found[:, 1],
        held=found[:, 1] * months / 12 * (1 + rate) ** (-months / 24),
        held_12m=found[:, 1],
        det=det,
        d0=det,
        d1=0.0,
        d2=0.0,
        d3=0.0,
    )
