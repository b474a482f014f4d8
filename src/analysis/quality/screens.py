"""Our totals beside the figures the source systems show on their own screens, where somebody has read and stated them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from analysis.formats import decimal
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs
from analysis.params.screen_figures import REGISTER, ScreenFigure
from analysis.results import Assumed, Fact
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


def reconciled(inputs: StudyInputs, figures: Sequence[ScreenFigure]) -> tuple[Reconciled, ...]:
    """Every stated figure of the report month or earlier, the newest period first."""
    known = [figure for figure in figures if figure.last <= inputs.month]
    return tuple(
        _compared(inputs, figure)
        for figure in sorted(known, key=lambda one: (str(one.last), one.system.en), reverse=True)
    )


def _compared(inputs: StudyInputs, figure: ScreenFigure) -> Reconciled:
    engine = inputs.engine
    ours = engine.fact(figure.figure, period=Period(figure.first, figure.last), dimensions=figure.dimensions)
    place: dict[str, Any] = {"of": figure.figure, "system": figure.system.en, **figure.dimensions}
    stated = Stating(inputs=inputs, period=Period(figure.first, figure.last))

    def written(metric: str, value: Decimal) -> Fact:
        read = Assumed(
            source=f"params/{REGISTER}", name=f"{figure.system.en}: {figure.figure} {figure.period}"
        )
        return replace(stated.exact(metric, value, lineage=read, **place), unit=ours.unit)

    theirs = written("screen_figure", figure.value)
    gap = replace(stated.derived("screen_difference", ours, theirs, **place), unit=ours.unit)
    return Reconciled(
        stated=figure,
        name=engine.registry[figure.figure].name,
        ours=ours,
        theirs=theirs,
        difference=gap,
        tolerance=written("screen_tolerance", figure.tolerance),
        agrees=gap.value is not None and abs(decimal(gap.value)) <= figure.tolerance,
    )
