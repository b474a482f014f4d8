"""The natural chart of a fit, for a look in JupyterLab: ``fit.plot()``. The charts of studies and their parts are in `plots_of_studies`.

Nothing here is published; a report's figures are exhibits with facts. Drawn with the house's roles of colour and its font, in a figure of its
own, which JupyterLab shows.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from analysis.errors import ParameterError, suggestion
from analysis.exhibits.plots_of_studies import DRAWN_OF_STUDIES
from analysis.exhibits.sheets import MOST_ROWS, Draw, Sheet, band, control_lines, estimates, shortened
from analysis.exhibits.style import LIGHT, category_roles, colour, rc_params
from analysis.locale import LANGUAGES, Language
from analysis.summaries import PLOTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (6.4, 3.6)  # inches
MOST_CAUSES = 7  # lines that can be told apart
SCREEN = 100  # dots per inch as shown; drawn with twice as many
RATIOS = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.4,
    0.6,
    0.8,
    1,
    1.25,
    1.5,
    2,
    3,
    5,
    10,
    20,
    50,
    100,
)  # ticks of a log scale


def register() -> None:
    """Give results their charts; by name, so that nothing is imported before it is drawn."""
    for drawn in (_DRAWN, DRAWN_OF_STUDIES):
        for name, draw in drawn.items():
            PLOTS[f"analysis.{name}"] = _figure_of(draw)


def _figure_of(draw: Draw) -> Callable[..., Figure]:
    def plot(result: Any, *, language: str | None = None, unit: str = "") -> Figure:
        from matplotlib import rc_context

        with rc_context({**rc_params(), "axes.labelsize": 9, "figure.facecolor": LIGHT["paper"]}):
            figure = _shown()(figsize=SIZE, layout="constrained")
            axes = figure.subplots()
            axes.spines["left"].set_visible(True)
            draw(Sheet(axes, _known(language), unit), result)
        return figure

    return plot


@cache
def _shown() -> type[Figure]:
    """A figure that shows itself: JupyterLab knows how to show one of pyplot's only, and only once pyplot is imported."""
    from matplotlib.figure import Figure

    class Shown(Figure):
        def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
            buffer = io.BytesIO()
            self.savefig(buffer, format="png", dpi=2 * SCREEN)
            width, height = self.get_size_inches()
            return buffer.getvalue(), {"width": int(width * SCREEN), "height": int(height * SCREEN)}

    return Shown


def _known(language: str | None) -> Language:
    if language is None:
        return "zh" if os.environ.get("AFTER_SALES_LANGUAGE", "").lower().startswith("zh") else "en"
    for known in LANGUAGES:
        if known == language:
            return known
    raise ParameterError(
        f"plot: unknown language {language!r}; known: {', '.join(LANGUAGES)}.{suggestion(language, LANGUAGES)}"
    )


def _failed_by(
    sheet: Sheet, furthest: float, survival: Callable[[Any], Any], role: str = "focus", **options: Any
) -> None:
    import numpy as np

    age = np.linspace(furthest / 200, furthest, 200)
    sheet.axes.plot(age, 1 - survival(age), color=colour(role), **options)
    sheet.axes.set_xlim(0, furthest)


# ---------------------------------------------------------------- intervals and tests


def _interval(sheet: Sheet, interval: Any) -> None:
    import numpy as np

    value, low, high = (np.atleast_1d(part) for part in (interval.value, interval.low, interval.high))
    if value.ndim > 1:
        raise ParameterError(
            f"an interval of {value.ndim} dimensions has no picture; plot one row or column of it."
        )
    names = range(1, len(value) + 1) if len(value) > 1 else [sheet.say("estimate")]
    ends = (np.where(np.isfinite(low), low, value), np.where(np.isfinite(high), high, value))
    estimates(sheet, names, value, *ends)
    title = sheet.say("Estimate with {level} interval", level=f"{interval.level:.0%}")
    sheet.named(title, x=sheet.in_unit(sheet.say("value")))


def _log_rank(sheet: Sheet, test: Any) -> None:
    table = test.table.head(MOST_ROWS)
    for shift, column, role in ((-0.19, "observed", "actual"), (0.19, "expected", "expected")):
        places = [place + shift for place in range(len(table))]
        sheet.axes.barh(places, table[column], height=0.36, color=colour(role), label=sheet.say(column))
    sheet.rows(table["group"])
    sheet.legend()
    title = sheet.say("Events observed, and expected with equal hazards (p = {p})", p=f"{test.p_value:.3g}")
    sheet.named(title, x=sheet.say("events"))


# ---------------------------------------------------------------- survival, recurrence, life


def _survival(sheet: Sheet, curve: Any) -> None:
    time = curve.table["time"]
    band(sheet.axes, curve.table, time, step="post")
    sheet.axes.step(time, curve.table["survival"], where="post", color=colour("focus"))
    sheet.shares()
    title = sheet.say("Share without the event, with {level} interval", level=f"{curve.level:.0%}")
    sheet.named(title, x=sheet.in_unit(sheet.say("time")), y=sheet.say("share of subjects"))


def _incidence(sheet: Sheet, shares: Any) -> None:
    lines = list(shares.table.groupby("cause", sort=False))[:MOST_CAUSES]
    for (cause, part), role in zip(lines, category_roles(len(lines)), strict=True):
        sheet.axes.fill_between(
            part["time"], part["low"], part["high"], step="post", color=colour(role), alpha=0.12, lw=0
        )
        label = shortened(cause)
        sheet.axes.step(part["time"], part["incidence"], where="post", color=colour(role), label=label)
    sheet.legend()
    sheet.shares()
    title = sheet.say("Share with each kind of event, with {level} interval", level=f"{shares.level:.0%}")
    sheet.named(title, x=sheet.in_unit(sheet.say("time")), y=sheet.say("share of subjects"))


def _recurrence(sheet: Sheet, curve: Any) -> None:
    age = curve.table["age"]
    band(sheet.axes, curve.table, age, step="post")
    sheet.axes.step(age, curve.table["mcf"], where="post", color=colour("focus"))
    sheet.axes.set_ylim(bottom=0)
    title = sheet.say(
        "Events that a unit has had by each age, with {level} interval", level=f"{curve.level:.0%}"
    )
    sheet.named(title, x=sheet.in_unit(sheet.say("age")), y=sheet.say("events (or cost) per unit"))


def _name_life(sheet: Sheet, title: str) -> None:
    sheet.shares()
    sheet.named(title, x=sheet.in_unit(sheet.say("age")), y=sheet.say("share of units"))


def _life(sheet: Sheet, fit: Any) -> None:
    _failed_by(sheet, float(fit.b_life(0.99).value), fit.survival)
    _name_life(sheet, sheet.say("Share failed by each age ({family})", family=fit.family))


def _threshold(sheet: Sheet, fit: Any) -> None:
    furthest = fit.threshold + float(fit.after_threshold.b_life(0.99).value)
    _failed_by(sheet, furthest, fit.survival)
    interval = fit.threshold_interval
    sheet.axes.axvspan(interval.low, interval.high, color=colour("context"), alpha=0.4, lw=0)
    _name_life(
        sheet, sheet.say("Share failed by each age; grey: interval of the age before which nothing fails")
    )


def _mixture(sheet: Sheet, fit: Any) -> None:
    import numpy as np

    furthest = float(fit.b_life(0.99).value)
    _failed_by(sheet, furthest, fit.survival, label=sheet.say("all"))
    roles = category_roles(min(len(fit.components), 6) + 1)[1:]
    for (number, part), role in zip(fit.components.iterrows(), roles, strict=False):
        age = np.linspace(furthest / 200, furthest, 200)
        failed = 1 - np.exp(-((age / part["scale"]) ** part["shape"]))
        label = sheet.say(
            "population {number} ({share})", number=int(number) + 1, share=f"{part['share']:.0%}"
        )
        sheet.axes.plot(age, failed, color=colour(role), ls="--", lw=1.2, label=label)
    sheet.legend()
    _name_life(sheet, sheet.say("Share failed by each age, of all and of each population"))


def _rank_line(sheet: Sheet, line: Any) -> None:
    _failed_by(sheet, line.b_life(0.99), line.survival)
    _name_life(sheet, sheet.say("Share failed by each age ({family})", family=line.family))


def _cox(sheet: Sheet, fit: Any) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator, StrMethodFormatter

    table = fit.coefficients
    estimates(sheet, table.index, table["hazard_ratio"], table["low"], table["high"], nothing=1)
    sheet.axes.set_xscale("log")
    low, high = sheet.axes.get_xlim()
    sheet.axes.set_xticks([ratio for ratio in RATIOS if low <= ratio <= high])
    sheet.axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    sheet.axes.xaxis.set_minor_locator(NullLocator())
    sheet.axes.xaxis.set_minor_formatter(NullFormatter())
    title = sheet.say("Hazard ratios with {level} interval", level=f"{fit.level:.0%}")
    sheet.named(title, x=sheet.say("hazard ratio of one more unit of the covariate (log scale)"))


def _accelerated(sheet: Sheet, fit: Any) -> None:
    table = fit.table.iloc[1:] if len(fit.table) > 1 else fit.table
    estimates(sheet, table.index, table["time_ratio"], table["low"], table["high"], nothing=1)
    title = sheet.say("How many times as long, with {level} interval", level=f"{fit.level:.0%}")
    sheet.named(title, x=sheet.say("time ratio of one more unit of the covariate"))


# ---------------------------------------------------------------- series


def _forecast(sheet: Sheet, forecast: Any) -> None:
    table = forecast.table
    steps = range(len(table))
    band(sheet.axes, table, steps)
    sheet.axes.plot(steps, table["point"], color=colour("focus"), marker="o", ms=3)
    sheet.steps(table.index)
    title = sheet.say(
        "Forecast by {candidate}, with {level} interval",
        candidate=forecast.candidate,
        level=f"{forecast.level:.0%}",
    )
    sheet.named(title, y=sheet.in_unit(sheet.say("expected")))


def _smoothing(sheet: Sheet, found: Any) -> None:
    table = found.forecast
    steps = range(len(table))
    band(sheet.axes, table, steps)
    sheet.axes.plot(steps, table["point"], color=colour("focus"), marker="o", ms=3)
    sheet.steps(table.index)
    title = sheet.say(
        "Forecast by {candidate}, with {level} interval", candidate=found.model, level=f"{found.level:.0%}"
    )
    sheet.named(title, y=sheet.in_unit(sheet.say("expected")))


def _reconciled(sheet: Sheet, forecast: Any) -> None:
    table = forecast.table
    total = table[table["part"] == forecast.total_name]
    steps = range(len(total))
    band(sheet.axes, total, steps)
    sheet.axes.plot(steps, total["point"], color=colour("focus"), marker="o", ms=3, label=forecast.total_name)
    parts = [name for name in table["part"].unique() if name != forecast.total_name]
    roles = [role for role in category_roles(7) if role != "focus"]
    for name, role in zip(parts, roles, strict=False):
        points = table.loc[table["part"] == name, "point"]
        sheet.axes.plot(steps, points, color=colour(role), lw=1.2, label=shortened(name))
    sheet.steps(total["month"])
    sheet.axes.set_ylim(bottom=min(0.0, sheet.axes.get_ylim()[0]))
    sheet.legend()
    title = sheet.say(
        "Forecast of the total, with {level} interval, and of its parts", level=f"{forecast.level:.0%}"
    )
    sheet.named(title, y=sheet.in_unit(sheet.say("expected")))


def _intermittent(sheet: Sheet, fit: Any) -> None:
    periods = range(1, len(fit.fitted) + 1)
    fitted = sheet.say("expected before the period was seen")
    sheet.axes.step(periods, fit.fitted, where="mid", color=colour("actual"), label=fitted)
    sheet.axes.axhline(fit.expected, color=colour("focus"), ls="--", label=sheet.say("expected from now on"))
    sheet.axes.set_ylim(bottom=0)
    sheet.legend()
    title = sheet.say("Demand per period ({method})", method=fit.method)
    sheet.named(title, x=sheet.say("period"), y=sheet.in_unit(sheet.say("demand")))


def _control(sheet: Sheet, chart: Any) -> None:
    control_lines(sheet, chart.points)
    signals = int(chart.points["signal"].sum())
    title = sheet.say(
        "Control chart ({kind}); points with a signal: {signals}", kind=chart.kind, signals=signals
    )
    sheet.named(title, x=sheet.say("point, in time order"), y=sheet.in_unit(sheet.say("value")))


# ---------------------------------------------------------------- effects and causes


def _effect(sheet: Sheet, result: Any) -> None:
    naive = result.naive
    estimates(
        sheet,
        [sheet.say("adjusted for the covariates"), sheet.say("plain means")],
        [result.effect, naive.value],
        [result.low, naive.low],
        [result.high, naive.high],
        nothing=0,
    )
    title = sheet.say(
        "Effect of the treatment ({estimand}), with {level} interval",
        estimand=result.estimand,
        level=f"{result.level:.0%}",
    )
    sheet.named(title, x=sheet.in_unit(sheet.say("difference of mean outcomes")))


def _overlap(sheet: Sheet, overlap: Any) -> None:
    table = overlap.table
    for shift, column, role in ((0.03, "treated", "focus"), (0.07, "untreated", "actual")):
        share = table[column] / max(table[column].sum(), 1)
        sheet.axes.bar(table["low"] + shift, share, width=0.036, color=colour(role), label=sheet.say(column))
    sheet.axes.set_xlim(0, 1)
    sheet.legend()
    title = sheet.say("Were treated and untreated alike? Rows by chance of treatment")
    sheet.shares(most=float(max((table[c] / max(table[c].sum(), 1)).max() for c in ("treated", "untreated"))))
    sheet.named(
        title,
        x=sheet.say("chance of treatment, given the covariates"),
        y=sheet.say("share of the rows of each"),
    )


def _sensitivity(sheet: Sheet, sensitivity: Any) -> None:
    table = sensitivity.benchmarks.head(MOST_ROWS)
    sheet.axes.plot(table["effect_if_as_strong"], range(len(table)), "o", color=colour("focus"))
    sheet.axes.axvline(0, color=colour("muted"), lw=0.8)
    sheet.rows(table["covariate"])
    title = sheet.say("The effect, were a hidden cause as strong as each covariate")
    sheet.named(title, x=sheet.in_unit(sheet.say("difference of mean outcomes")))


def _causes(sheet: Sheet, found: Any) -> None:
    table = found.causes
    title = sheet.say("Causes found, with {level} interval", level=f"{found.level:.0%}")
    if not len(table):
        title = sheet.say("No cause was found among {tests} candidates", tests=f"{found.tests:,}")
    estimates(sheet, table["cause"], table["rate_ratio"], table["low"], table["high"], nothing=1)
    sheet.named(title, x=sheet.say("actual ÷ expected"))


# ---------------------------------------------------------------- customers


def _purchases(sheet: Sheet, summary: Any) -> None:
    import seaborn as sns

    frequency = summary.table["frequency"].clip(upper=20)
    sns.histplot(x=frequency, discrete=True, ax=sheet.axes, color=colour("actual"), alpha=1, shrink=0.8)
    title = sheet.say("Customers by number of repeat purchases")
    sheet.named(title, x=sheet.say("repeat purchases (20: so many or more)"), y=sheet.say("customers"))


def _expected_purchases(sheet: Sheet, model: Any) -> None:
    import numpy as np

    horizon = {"days": 730.0, "months": 24.0, "years": 2.0}.get(model.unit, 104.0)
    ahead = np.linspace(0, horizon, 105)
    sheet.axes.plot(ahead, model.expected_purchases_of_new(ahead), color=colour("focus"))
    sheet.axes.set_ylim(bottom=0)
    sheet.axes.set_xlim(0, horizon)
    unit = sheet.unit or model.unit
    axis = sheet.say("{what} ({unit})", what=sheet.say("time since the first purchase"), unit=unit)
    title = sheet.say("Repeat purchases expected of a new customer")
    sheet.named(title, x=axis, y=sheet.say("purchases per customer"))


def _opportunities(sheet: Sheet, model: Any) -> None:
    ahead = list(range(25))
    sheet.axes.plot(ahead, model.expected_purchases_of_new(ahead), color=colour("focus"))
    sheet.axes.set_ylim(bottom=0)
    title = sheet.say("Purchases expected of a new customer")
    sheet.named(title, x=sheet.say("opportunities"), y=sheet.say("purchases per customer"))


def _spend(sheet: Sheet, model: Any) -> None:
    import numpy as np
    from scipy.stats import invgamma

    law = invgamma(model.q, scale=model.p * model.v)
    value = np.linspace(float(law.ppf(0.001)), float(law.ppf(0.97)), 300)
    sheet.axes.fill_between(value, law.pdf(value), color=colour("context"), lw=0)
    if np.isfinite(model.mean):
        sheet.axes.axvline(model.mean, color=colour("focus"), label=sheet.say("mean"))
        sheet.legend()
    sheet.axes.set_ylim(bottom=0)
    sheet.axes.set_yticks([])
    title = sheet.say("How the mean value of a purchase differs between customers")
    sheet.named(
        title, x=sheet.in_unit(sheet.say("mean value of a purchase")), y=sheet.say("customers (density)")
    )


def _contract(sheet: Sheet, model: Any) -> None:
    import numpy as np

    renewals = np.arange(13)
    stays = sheet.say("share of a new cohort still there")
    sheet.axes.plot(renewals, model.survival(renewals), color=colour("focus"), marker="o", ms=3, label=stays)
    renews = sheet.say("share of those present that renews")
    sheet.axes.plot(
        renewals[1:], model.retention(renewals[1:]), color=colour("actual"), ls="--", label=renews
    )
    sheet.axes.legend(frameon=False, loc="lower left", fontsize=8)
    sheet.shares()
    sheet.named(
        sheet.say("Renewal after renewal"), x=sheet.say("renewals"), y=sheet.say("share of customers")
    )


def _delay(sheet: Sheet, delay: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    table = delay.table
    sheet.axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    sheet.axes.step(
        table["delay"], table["completeness"], where="post", color=colour("focus"), marker="o", ms=3
    )
    sheet.shares()
    title = sheet.say("How much of what happened is known, by time since")
    sheet.named(title, x=sheet.in_unit(sheet.say("delay")), y=sheet.say("share reported"))


_DRAWN: Mapping[str, Draw] = {
    "stats.accelerated_life.AcceleratedLife": _accelerated,
    "stats.causal.DoublyRobust": _effect,
    "stats.causal.Overlap": _overlap,
    "stats.causal.Sensitivity": _sensitivity,
    "stats.control.ControlChart": _control,
    "stats.discrete_purchases.OpportunityModel": _opportunities,
    "stats.exponential_smoothing.ChosenSmoothing": _smoothing,
    "stats.forecasting.Forecast": _forecast,
    "stats.forecasting.ReconciledForecast": _reconciled,
    "stats.hazards.CoxFit": _cox,
    "stats.intermittent.IntermittentFit": _intermittent,
    "stats.intervals.Interval": _interval,
    "stats.life.LifeFit": _life,
    "stats.life.MixtureFit": _mixture,
    "stats.life.RankRegression": _rank_line,
    "stats.life.ThresholdWeibullFit": _threshold,
    "stats.localisation.Localisation": _causes,
    "stats.purchases.ContractModel": _contract,
    "stats.purchases.GammaGammaModel": _spend,
    "stats.purchases.GeometricModel": _expected_purchases,
    "stats.purchases.ParetoModel": _expected_purchases,
    "stats.purchases.PurchaseSummary": _purchases,
    "stats.recurrence.MeanCumulativeFunction": _recurrence,
    "stats.reporting_delay.ReportingDelay": _delay,
    "stats.survival.CumulativeIncidence": _incidence,
    "stats.survival.Estimate": _interval,
    "stats.survival.LogRank": _log_rank,
    "stats.survival.SurvivalCurve": _survival,
}
