"""How components age by use: the Weibull of :mod:`analysis.failures.lives` with the meter in place of the calendar, and which of the two tells more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from analysis.errors import FitError
from analysis.failures.comparing import BEYOND
from analysis.failures.field import Field
from analysis.failures.life_models import DAYS_PER_MONTH, VERY_STRONG
from analysis.failures.limits import all_reasons, interval_of, whole
from analysis.failures.lives import FEWEST_FAILURES, TOO_FEW
from analysis.failures.lives_facts import LIKELIHOOD_RATIO, NO_FAILURE, far_beyond
from analysis.failures.use import Meters
from analysis.failures.views import is_value
from analysis.locale import Text
from analysis.metrics import NotDone, traced
from analysis.metrics.backend import literal
from analysis.metrics.views import at
from analysis.results import Fact
from analysis.summaries import Summarised

if TYPE_CHECKING:
    from analysis.stats.life import WeibullFit

Axis = Literal["use", "months", "open"]
READ_WITH_FAILURE = 0.8
"""Share of a component's failures on whose day the meter was read, from which their use is known and not mostly interpolated."""
PACE_DAYS = 15
NOT_READ = NotDone(reason=Text.of("the meter was rarely read on the day of failure"))


@dataclass(frozen=True, kw_only=True, eq=False)
class UseLife(Summarised):
    """One component on both axes, the same failures and machines: ``evidence`` is twice the log-likelihood by use less that by months."""

    component: str
    fit: WeibullFit
    failures: int
    evidence: float
    oldest: float

    @property
    def axis(self) -> Axis:
        """What explains the failures better, where the evidence is very strong."""
        if abs(self.evidence) <= VERY_STRONG:
            return "open"
        return "use" if self.evidence > 0 else "months"


@dataclass(frozen=True, kw_only=True, eq=False)
class UseLifeFacts(Summarised):
    """The life of a component by use; ``direction`` is falling, rising or unclear, ``axis`` what explains its failures better."""

    component: str
    name: Text
    failures: Fact
    shape: Fact
    b10: Fact
    evidence: Fact
    direction: str
    axis: Axis
    beyond_data: bool
    rows: pd.DataFrame


@traced
def watched(meters: Meters, where: str) -> pd.DataFrame:
    """Machines by the use and the age in days between which they were watched: ``from_use``, ``until_use``, ``from_days``, ``until_days``."""
    field = meters.field
    first, end = literal(field.first.start), literal(field.last.end)
    before = f"greatest(date_diff('day', begins, {first}), 0)"
    inside = f"date_diff('day', begins, least(ends, {end}))"
    return field.inputs.engine.query(
        f"SELECT serial_no, min(read_at_begin + CAST(ran * {before} AS DOUBLE) / days) AS from_use, "
        f"max(read_at_begin + CAST(ran * {inside} AS DOUBLE) / days) AS until_use, "
        f"min(date_diff('day', started, greatest(begins, {first}))) AS from_days, max(date_diff('day', started, least(ends, {end}))) AS until_days "
        f"FROM ({meters.run(field.window, where)}) GROUP BY serial_no ORDER BY serial_no"
    )


@traced
def failed(meters: Meters) -> pd.DataFrame:
    """Counted failures of the window while use is known: ``component``, ``use`` and ``age_days`` in the middle of the day, ``pace`` (use a day, over a month about it), ``was_read``."""
    field = meters.field
    about = (
        f"greatest(0, date_diff('day', greatest(w.begins, CAST(b.event_on - INTERVAL {PACE_DAYS} DAY AS DATE)), "
        f"least(w.ends, CAST(b.event_on + INTERVAL {PACE_DAYS} DAY AS DATE))))"
    )
    return field.inputs.engine.query(
        f"""WITH broke AS (SELECT ticket_id, serial_no, component, event_on, started FROM ({meters.broken(field.window)})),
paced AS (
SELECT b.ticket_id, sum(CAST(w.ran * {about} AS DOUBLE) / w.days) / sum({about}) AS pace
FROM broke b JOIN {meters.stretches} w ON w.serial_no = b.serial_no AND w.begins < b.event_on + INTERVAL {PACE_DAYS} DAY AND w.ends > b.event_on - INTERVAL {PACE_DAYS} DAY
GROUP BY 1)
SELECT b.component, b.ticket_id, b.serial_no, b.event_on, date_diff('day', b.started, b.event_on) + 0.5 AS age_days,
       s.read_at_begin + s.ran * (date_diff('day', s.begins, b.event_on) + 0.5) / s.days AS use, p.pace, r.day IS NOT NULL AS was_read
FROM broke b JOIN {meters.stretches} s ON s.serial_no = b.serial_no AND b.event_on >= s.begins AND b.event_on < s.ends JOIN paced p ON p.ticket_id = b.ticket_id
LEFT JOIN (SELECT serial_no, day FROM {at("meter_readings", meters.day)} WHERE NOT assumed AND NOT doubted) r ON r.serial_no = b.serial_no AND r.day = b.event_on
ORDER BY b.component, b.ticket_id"""
    )


@traced
def use_lives(meters: Meters) -> tuple[list[UseLife], dict[str, NotDone]]:
    """A life by use for each component with enough failures, on the machines that carry it, and why there is none for the others."""
    fits: list[UseLife] = []
    without: dict[str, NotDone] = {}
    for component, part in failed(meters).groupby("component", sort=True):
        name = str(component)
        life = life_of(name, part, watched(meters, meters.field.carriers.where(name)))
        if isinstance(life, NotDone):
            without[name] = life
        else:
            fits.append(life)
    return sorted(fits, key=lambda one: (-one.fit.shape, one.component)), without


@traced
def life_of(component: str, part: pd.DataFrame, machines: pd.DataFrame) -> UseLife | NotDone:
    """One component from its failures (:func:`failed`) and the machines that carry it (:func:`watched`).

    Repairs are minimal on either axis. The likelihoods are of the same days of failure: by use, the intensity of a day is that of the meter times the
    pace at which it ran then, so the logarithm of the pace is added for each failure.
    """
    if len(part) < FEWEST_FAILURES:
        return TOO_FEW
    if part["was_read"].mean() < READ_WITH_FAILURE:
        return NOT_READ
    use, age = part["use"].to_numpy(dtype=float), part["age_days"].to_numpy(dtype=float) / DAYS_PER_MONTH
    # a machine that stood still in the month about a failure ran at least a thousandth of the others' pace
    pace = np.maximum(part["pace"].to_numpy(dtype=float), part["pace"].mean() / 1000) * DAYS_PER_MONTH
    try:
        by_use = _minimal_repair(use, machines["from_use"], machines["until_use"])
        months = _minimal_repair(
            age, machines["from_days"] / DAYS_PER_MONTH, machines["until_days"] / DAYS_PER_MONTH
        )
    except FitError as refusal:
        return NotDone.because(refusal)
    evidence = 2 * (by_use.log_likelihood + float(np.log(pace).sum()) - months.log_likelihood)
    return UseLife(
        component=component,
        fit=by_use,
        failures=len(part),
        evidence=evidence,
        oldest=float(machines["until_use"].max()),
    )


def _minimal_repair(failed_at: np.ndarray, begin: pd.Series, end: pd.Series) -> WeibullFit:
    """A failure is a unit that entered at its own age, a machine one that entered at ``begin`` and left alive at ``end``."""
    from analysis.stats import fit_weibull

    first, last = begin.to_numpy(dtype=float), end.to_numpy(dtype=float)
    first, last = first[last > first], last[last > first]
    least = float(last.max()) * 1e-6 if len(last) else 1.0  # a meter at zero is at the first turn
    failed_at = np.maximum(failed_at, least)
    return fit_weibull(
        np.r_[failed_at, last],
        np.r_[np.ones(len(failed_at)), np.zeros(len(last))],
        entry=np.r_[failed_at * (1 - 1e-9), first],
    )


@traced
def use_life_facts(field: Field, meters: Meters, *, error: float) -> tuple[UseLifeFacts, ...] | NotDone:
    """Lives by use as facts; not done where none could be fitted. ``error`` is shared by all readings of a direction."""
    lives, without = use_lives(meters)
    if not lives:
        return all_reasons([reason.reason for reason in without.values()] or [NO_FAILURE])
    rows = failed(meters)
    return tuple(_life(field, meters, life, rows, reading_level=1 - error / len(lives)) for life in lives)


@traced
def _life(
    field: Field, meters: Meters, life: UseLife, rows: pd.DataFrame, *, reading_level: float
) -> UseLifeFacts:
    level = field.inputs.confidence
    place: dict[str, Any] = {"component": life.component}
    shape, b10 = life.fit.shape_interval(level=level), life.fit.b_life(0.1, level=level)

    def estimate(
        metric: str, found: Any, *, scale: Callable[[float], float] = float, known: bool = True
    ) -> Fact:
        if not known:
            return field.state.exact(metric, None, reason=BEYOND, **place)
        parts: Mapping[str, Any] = {
            "interval": interval_of(scale(found.low), scale(found.high), level, LIKELIHOOD_RATIO),
            "n": life.failures,
        }
        return field.state.exact(metric, scale(found.value), parts=parts, **place)

    failures = meters.broken(field.window, is_value("component", life.component))
    return UseLifeFacts(
        component=life.component,
        name=field.label("component", life.component),
        failures=field.state.measured("use_breakdowns", failures, **place),
        shape=estimate("use_weibull_shape", shape),
        b10=estimate("use_b10_life", b10, scale=whole, known=not far_beyond(b10, life.oldest)),
        evidence=field.state.exact("use_axis_evidence", life.evidence, parts={"n": life.failures}, **place),
        direction=life.fit.hazard_direction(level=reading_level),
        axis=life.axis,
        beyond_data=b10.value > life.oldest,
        rows=rows[rows["component"] == life.component],
    )
