"""Our totals beside the figures the source systems show on their own screens, where somebody has read and stated them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from analysis.formats import decimal
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.params.screen_figures import ScreenFigure
from analysis.results import Check, Fact, Sentence
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True)
class Reconciled(Summarised):
    """One stated figure: ``ours`` less ``theirs`` is ``difference``; ``agrees`` when it is within the stated tolerance."""

    stated: ScreenFigure
    name: Text
    ours: Fact
    theirs: Fact
    difference: Fact
    tolerance: Fact
    agrees: bool


@traced
def reconciled(inputs: StudyInputs, figures: Sequence[ScreenFigure]) -> tuple[Reconciled, ...]:
    """Every stated figure of the report month or earlier, the newest period first."""
    known = [figure for figure in figures if figure.last <= inputs.month]
    return tuple(
        _compared(inputs, figure)
        for figure in sorted(known, key=lambda one: (str(one.last), one.system), reverse=True)
    )


def screen_checks(lines: Sequence[Reconciled]) -> list[Check]:
    """One check a figure; a difference beyond its tolerance fails, and so does a figure we cannot compute."""
    return [_check(line, number) for number, line in enumerate(lines, start=1)]


@traced
def _compared(inputs: StudyInputs, figure: ScreenFigure) -> Reconciled:
    engine = inputs.engine
    ours = engine.fact(figure.figure, period=Period(figure.first, figure.last), dimensions=figure.dimensions)
    place = {"of": figure.figure, "system": figure.system, **figure.dimensions}

    def stated(metric: str, value: Decimal | None, **parts: object) -> Fact:
        return replace(
            engine.stated(metric, period=ours.period, value=value, dimensions=place, **parts), unit=ours.unit
        )

    gap = None if ours.value is None else decimal(ours.value) - figure.value
    return Reconciled(
        stated=figure,
        name=engine.registry[figure.figure].name,
        ours=ours,
        theirs=stated("screen_figure", figure.value),
        difference=stated("screen_difference", gap, reason=ours.reason if gap is None else None),
        tolerance=stated("screen_tolerance", figure.tolerance),
        agrees=gap is not None and abs(gap) <= figure.tolerance,
    )


@traced
def _check(line: Reconciled, number: int) -> Check:
    values: dict[str, Fact | Text | str] = {
        "figure": line.name,
        "system": line.stated.system,
        "ours": line.ours,
        "theirs": line.theirs,
        "difference": line.difference,
        "tolerance": line.tolerance,
    }
    if line.agrees:
        sentence = Sentence(
            "{figure}: {ours:exact} here and {theirs:exact} on the screen of {system}.",
            {name: values[name] for name in ("figure", "ours", "theirs", "system")},
        )
        return Check(id=f"screen_{number}", outcome="passed", sentence=sentence)
    if line.ours.value is None:
        sentence = Sentence(
            "{figure} of {system} cannot be compared: {ours}.",
            {name: values[name] for name in ("figure", "ours", "system")},
        )
        return Check(id=f"screen_{number}", outcome="failed", sentence=sentence)
    sentence = Sentence(
        "{figure}: {ours:exact} here, {theirs:exact} on the screen of {system}; the difference of {difference:exact} is beyond {tolerance:exact}.",
        values,
    )
    return Check(id=f"screen_{number}", outcome="failed", sentence=sentence)
