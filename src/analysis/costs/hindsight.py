"""What the last edition forecast for the months since, held against what was booked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.costs.figures import amounts_by
from analysis.metrics import Period, Stating, StudyInputs, cents, traced
from analysis.metrics.backend import literal
from analysis.metrics.inputs import EarlierEdition
from analysis.metrics.views.selection import Selection, selected
from analysis.periods import Month, months_between
from analysis.results import Assumed, Check, Fact, Interval, Sentence, Value
from analysis.summaries import Summarised

TOTAL = "total"
REMAINING = "remaining"
MOST_MONTHS = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Promise(Summarised):
    """One month of the total or of a category: the forecast as it was issued, the cost as it is booked, and the distance."""

    month: Month
    part: str
    forecast: Fact
    actual: Fact
    error: Fact
    inside: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Hindsight(Summarised):
    """The last edition's forecast of the months up to this one. ``covered``: share of the promises whose cost lies inside the interval."""

    issued: Month
    promises: tuple[Promise, ...]
    covered: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class NoHindsight(Summarised):
    """Why no issued forecast can be held against the actual; ``doubt`` marks an edition that was tampered with."""

    reason: Sentence
    doubt: bool = False


@traced
def hindsight_of(inputs: StudyInputs) -> Hindsight | NoHindsight:
    """Every month since the last edition whose cost it forecast, in total and by category."""
    edition = inputs.earlier
    if edition is None:
        return NoHindsight(
            reason=Sentence(
                "No edition of an earlier month was issued, so no published forecast can be held against this month."
            )
        )
    values: dict[str, Value] = {"month": edition.month}
    if edition.changed:
        reason = "The edition of {month} no longer matches its seal: it was changed after it was issued, so nothing is read from it."
        return NoHindsight(reason=Sentence(reason, values), doubt=True)
    since = months_between(max(edition.month + 1, inputs.month - (MOST_MONTHS - 1)), inputs.month)
    version, currency = inputs.engine.registry["forecast_cost"].version, inputs.currency
    records = {
        (str(record["period"]), str(record["dimensions"].get("category", TOTAL))): record
        for record in edition.facts("forecast_cost")
        if record["version"] == version
        and record["unit"] == currency
        and record["value"] is not None
        and record["interval"]
    }
    promises = tuple(
        promise
        for month in since
        for part in sorted(
            (part for period, part in records if period == str(month)),
            key=lambda part: (part == TOTAL, part == REMAINING, part),
        )
        if (promise := _promise(inputs, month, part, records, edition)) is not None
    )
    if not promises:
        return NoHindsight(
            reason=Sentence("The edition of {month} holds no forecast of the months since.", values)
        )
    inside = sum(promise.inside for promise in promises)
    covered = inputs.engine.stated(
        "issued_forecast_covered",
        period=inputs.month,
        value=inside / len(promises),
        numerator=inside,
        denominator=len(promises),
        dimensions={"issued": str(edition.month)},
    )
    return Hindsight(issued=edition.month, promises=promises, covered=covered)


@traced
def _promise(
    inputs: StudyInputs,
    month: Month,
    part: str,
    records: Mapping[tuple[str, str], Mapping[str, Any]],
    edition: EarlierEdition,
) -> Promise | None:
    """The forecast and the cost of one part; None where no cost is booked to hold it against."""
    record = records[str(month), part]
    booked = amounts_by(inputs, "category", month)
    if not booked:
        return None
    named = {other for period, other in records if period == str(month)} - {TOTAL, REMAINING}
    interval = Interval(**record["interval"])
    state = Stating(inputs=inputs, period=month)
    place: dict[str, Any] = {"category": part, "issued": str(edition.month)}
    forecast = state.exact(
        "issued_forecast_cost",
        cents(float(record["value"])),
        lineage=Assumed(
            source=f"edition {edition.number} of {edition.month}, facts.json", name=str(record["id"])
        ),
        parts={"interval": interval, "n": record["n"]},
        **place,
    )
    booked_part = state.measured("issued_forecast_actual", _rows_of_part(month, part, named), **place)
    return Promise(
        month=month,
        part=part,
        forecast=forecast,
        actual=booked_part,
        error=state.derived("issued_forecast_error", forecast, booked_part, **place),
        inside=interval.low <= float(booked_part.value or 0) <= interval.high,
    )


def _rows_of_part(month: Month, part: str, named: set[str]) -> Selection:
    """The postings of the total, of one category, or of all that the edition did not name."""
    whole = selected("cost", Period.of(month).condition())
    if part == TOTAL:
        return whole
    names = ", ".join(literal(name) for name in sorted(named)) or "''"
    return whole.where(f"category NOT IN ({names})" if part == REMAINING else f"category = {literal(part)}")


def hindsight_checks(found: Hindsight | NoHindsight) -> list[Check]:
    """An issued edition that no longer matches its seal is a doubt that the reader sees."""
    if isinstance(found, NoHindsight) and found.doubt:
        return [Check(id="earlier_edition", outcome="failed", sentence=found.reason)]
    return []
