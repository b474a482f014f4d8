"""Whose machines fail early: of components whose failures fall with age, one attribute at a time over the first twelve months in service.

A part that fails young and then holds hides in a ratio over all ages; a supplier whose parts do is found where they do. Searched as causes are
(:func:`analysis.failures.localising.searched`), one attribute at a time, at the error rate of that search shared among these components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from analysis.failures.baseline import Baseline
from analysis.failures.comparing import BEYOND
from analysis.failures.error_rates import ErrorRates
from analysis.failures.field import Field
from analysis.failures.limits import interval_of, whole
from analysis.failures.lives_facts import LifeFacts
from analysis.failures.localising import Cause, Cells, cells_of, searched
from analysis.failures.localising_facts import EXPECTED_METHOD, SELECTED_METHOD, cause_name, cause_slice
from analysis.failures.money import where_of
from analysis.locale import Text
from analysis.metrics import NotDone, traced
from analysis.results import Fact
from analysis.summaries import Summarised

EARLY_MONTHS = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class EarlyCause(Summarised):
    """Machines whose component fails early more often than that of ``others``: in the first twelve months in service, over the months of observation."""

    name: Text
    others: Text
    ratio: Fact
    failures: Fact
    expected: Fact
    evidence: pd.DataFrame


def failing_early(lives: Sequence[LifeFacts] | NotDone) -> tuple[str, ...]:
    """Components whose failures fall with age: the interval of a Weibull shape lies below one."""
    return tuple(
        sorted(
            {life.component for life in lives or () if life.shape.interval and life.shape.interval.high < 1}
        )
    )


@traced
def early_causes(
    field: Field,
    baseline: Baseline,
    use: pd.DataFrame | None,
    lives: Sequence[LifeFacts] | NotDone,
    causes: Sequence[Cause],
    errors: ErrorRates,
) -> tuple[EarlyCause, ...]:
    """Nobody's where no component fails early. What the search over all ages named (``causes``) is said again only where it is more in the first months than
    it can be over all ages."""
    components = failing_early(lives)
    if not components:
        return ()
    cells = cells_of(field, baseline, use=use, before_age=EARLY_MONTHS)
    known = {_place(one): one.high for one in causes}
    found = [
        cause
        for component in components
        for cause in _searched(cells, component, errors.search / len(components), field)
        if cause.rate_ratio > known.get(_place(cause), 0.0)
    ]
    return tuple(_stated(field, cells, cause) for cause in found)


def _place(cause: Cause) -> tuple[object, ...]:
    return (cause.component, *sorted(cause.attributes.items()))


def _searched(cells: Cells, component: str, error: float, field: Field) -> list[Cause]:
    own = cells.frame[cells.frame["component"] == component]
    if own.empty or not own["failures"].any():
        return []
    search = searched(
        replace(cells, frame=own, modes=None),
        familywise=error,
        level=field.inputs.confidence,
        max_attributes=1,
        least_effect=field.assumed("failure_least_effect"),
    )
    return [replace(cause, component=component) for cause in search.causes if cause.known]


@traced
def _stated(field: Field, cells: Cells, cause: Cause) -> EarlyCause:
    from analysis.stats import poisson_interval

    state, level, place = field.state, field.inputs.confidence, cause_slice(cause)
    rests = poisson_interval(cause.outside, max(cause.outside, 0.5), level=level)
    due = cause.expected
    rows = field.rows(f"{where_of(cause)} AND age_months < {EARLY_MONTHS}")
    return EarlyCause(
        name=cause_name(field, cause),
        others=field.others(by_use=cells.by_use),
        ratio=state.between(
            "early_failure_ratio",
            cause.rate_ratio,
            cause.low,
            cause.high,
            n=int(cause.actual),
            method=SELECTED_METHOD,
            reason=BEYOND,
            **place,
        ),
        failures=state.measured("early_failures", rows, **place),
        expected=state.exact(
            "early_failures_expected",
            whole(due),
            parts={
                "n": round(cause.outside),
                "interval": interval_of(
                    whole(due * rests.low), whole(due * rests.high), level, EXPECTED_METHOD
                ),
            },
            **place,
        ),
        evidence=field.inputs.engine.query(
            f"SELECT ticket_id, serial_no, model, batch, supplier, region, component, event_on AS failed_on, age_months FROM ({rows}) ORDER BY event_on, ticket_id"
        ),
    )
