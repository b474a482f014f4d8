"""Headlines of the period. A change is coloured only when it is exact, or when its interval leaves zero out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.executive.benchmarks import Benchmarked, benchmarked
from analysis.executive.changes import Change, change, crossed, limit_of
from analysis.executive.findings import complete
from analysis.executive.settings import load_headlines
from analysis.executive.years import Span, spans
from analysis.metrics import Metric, StudyInputs
from analysis.metrics import study as study_of
from analysis.params.benchmarks import Benchmark, load_benchmarks
from analysis.periods import AGAINST, Month, Period
from analysis.results import Check, Fact, Finding
from analysis.summaries import Summarised

HISTORY = 13  # months, quarters or years


@dataclass(frozen=True, kw_only=True, eq=False)
class Headline(Summarised):
    """One metric of the period with its changes and its last periods."""

    metric: Metric
    fact: Fact
    changes: tuple[Change, ...]
    history: tuple[Fact, ...]
    limit: Fact | None
    crossed: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class ExecutiveStudy(Summarised):
    """What the executive summary shows, besides the findings of the other sections.

    Attributes
    ----------
    month, period : the report month; what is reported, which is the month or ends with it.
    headlines : one metric each, with its changes and its last months, quarters or years.
    benchmarks : what others published of the same measures, beside ours.
    spans : the same metrics over the year so far and the last twelve months, against a year earlier.
    findings, checks : what stands out, what is to be doubted.

    Examples
    --------
    >>> from analysis import executive
    >>> result = executive.study(run.inputs)  # run = open_run("sample", section="executive")
    >>> result.headlines[0].metric.id, str(result.headlines[0].fact.value)
    ('after_sales_cost', '1600.00')
    """

    month: Month
    period: Period
    headlines: tuple[Headline, ...]
    spans: tuple[Span, ...]
    benchmarks: tuple[Benchmarked, ...]
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@study_of(section="executive")
def study(
    inputs: StudyInputs, *, metrics: Sequence[str] = (), benchmarks: Sequence[Benchmark] | None = None
) -> ExecutiveStudy:
    """The headlines; a metric whose data are absent says so in its place.

    Parameters
    ----------
    inputs : StudyInputs
        One period of one company: ``run.inputs``.
    metrics : ids of metrics
        That are computed from measures; none, those of ``params/headlines.yml``.
    benchmarks : values that others published
        Those of ``params/benchmarks.yml`` for the run when left out.

    Returns
    -------
    ExecutiveStudy

    Examples
    --------
    >>> from analysis import executive
    >>> result = executive.study(run.inputs, metrics=("after_sales_cost",))  # run = open_run("sample", section="executive")
    >>> str(result.headlines[0].fact.value)
    '1600.00'
    """
    metrics = metrics or load_headlines(inputs.engine.registry)
    headlines = tuple(_headline(inputs, metric) for metric in metrics)
    stated = load_benchmarks(inputs.params.name) if benchmarks is None else benchmarks
    missing = [headline.metric.id for headline in headlines if headline.fact.value is None]
    return ExecutiveStudy(
        month=inputs.month,
        period=inputs.period,
        headlines=headlines,
        spans=spans(
            inputs, [headline.metric.id for headline in headlines if headline.fact.value is not None]
        ),
        benchmarks=benchmarked(inputs, stated),
        findings=(),
        checks=(complete(missing),),
    )


def _headline(inputs: StudyInputs, name: str) -> Headline:
    metric, period = inputs.engine.registry[name], inputs.period
    history = tuple(
        inputs.fact(name, period=period.back(back * period.months)) for back in range(HISTORY - 1, -1, -1)
    )
    fact = history[-1]
    limit = None if fact.value is None else limit_of(inputs, metric)
    return Headline(
        metric=metric,
        fact=fact,
        changes=tuple(
            change(inputs, metric, fact, history[-1 - back // period.months], against, period=period)
            for against, back in AGAINST[period.months].items()
        ),
        history=tuple(one for one in history if one.value is not None),
        limit=limit,
        crossed=crossed(metric, fact, limit),
    )
