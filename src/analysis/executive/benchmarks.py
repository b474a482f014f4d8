"""Our figures of the last twelve months beside what others published of the same measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from analysis.errors import ParameterError, suggestion
from analysis.executive.settings import counted
from analysis.formats import decimal
from analysis.metrics import Metric, Period, Registry, Stating, StudyInputs, traced
from analysis.params.benchmarks import REGISTER, Benchmark
from analysis.periods import Month
from analysis.results import Assumed, Fact
from analysis.summaries import Summarised

Standing = Literal["above", "below", "same", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Benchmarked(Summarised):
    """One published value (``theirs``) and our figure; ``standing`` is "same" where our interval holds theirs."""

    stated: Benchmark
    metric: Metric
    ours: Fact
    theirs: Fact
    standing: Standing


def refuse_unfit(benchmarks: Sequence[Benchmark], registry: Registry) -> None:
    """A benchmark is held against a figure that is counted from tables.

    Raises
    ------
    ParameterError
        For a metric that the registry lacks or that is made otherwise, by its name.
    """
    for one in benchmarks:
        if one.metric not in registry.metrics:
            raise ParameterError(
                f"params/{REGISTER}: '{one.metric}' is no metric.{suggestion(one.metric, registry.metrics)} They stand in params/metrics/."
            )
        if not counted(one.metric, registry):
            raise ParameterError(
                f"params/{REGISTER}: '{one.metric}' is made by {registry[one.metric].made_by()}; what is compared is counted from tables."
            )


def benchmarked(inputs: StudyInputs, benchmarks: Sequence[Benchmark]) -> tuple[Benchmarked, ...]:
    """Every stated value beside ours, in the order of the file.

    Raises
    ------
    ParameterError
        For a metric that cannot be compared.
    """
    refuse_unfit(benchmarks, inputs.engine.registry)
    return tuple(_compared(inputs, one) for one in benchmarks)


@traced
def _compared(inputs: StudyInputs, one: Benchmark) -> Benchmarked:
    year = Period(inputs.month - 11, inputs.month)
    ours = inputs.engine.fact(one.metric, period=year)
    read = Assumed(source=f"params/{REGISTER}", name=f"{one.metric}: {one.source}")
    theirs = Stating(inputs=inputs, period=Month.parse(one.date)).exact(
        "benchmark", one.value, lineage=read, of=one.metric, source=one.source, population=one.population.en
    )
    return Benchmarked(
        stated=one,
        metric=inputs.engine.registry[one.metric],
        ours=ours,
        theirs=replace(theirs, unit=ours.unit),
        standing=_standing(ours, theirs),
    )


def _standing(ours: Fact, theirs: Fact) -> Standing:
    if ours.value is None or theirs.value is None:
        return "unknown"
    value = decimal(theirs.value)
    low, high = (ours.interval.low, ours.interval.high) if ours.interval else (ours.value, ours.value)
    if decimal(low) > value:
        return "above"
    return "below" if decimal(high) < value else "same"
