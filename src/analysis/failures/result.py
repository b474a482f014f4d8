"""What the failure study returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.failures import (
    early_causes,
    fixes_facts,
    forecasting_facts,
    lives_facts,
    localising_facts,
    missed_services_facts,
    money_facts,
    monitoring_facts,
    ranking_facts,
    reporting_facts,
    services_facts,
    simulated_facts,
    triangles,
    use_facts,
    use_lives,
    words_facts,
)
from analysis.failures import fault_tree_facts as trees
from analysis.locale import Text
from analysis.metrics import NotDone, Period
from analysis.periods import Month
from analysis.results import Check, Fact, Finding
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True, eq=False)
class FailureStudy(Summarised):
    """What the failure notebook shows. A part that could not be made is ``NotDone`` and says why; so does a check.

    Attributes
    ----------
    month, window : the report month; the months that are searched.
    others : what machines are compared with, in words.
    rates, triangle : failure rates by months in service; the triangle of cohorts and delays.
    reporting_test : how well late reports were foreseen in the past.
    chart, rules, phases, watch : control chart of the failure rate, its rules, its phases, and what is watched.
    words : what technicians wrote.
    causes, candidates, search_error, ratios : causes of an excess, how many were looked at, at which error rate; rate ratios by slice.
    paretos, excluded, impossible, dispersion : rankings; what was left out and why; how counts scatter.
    lives, early, survival, repairs, repeats : life models; whose machines fail early; survival of machines; repeated repairs.
    fixes, forecast, forecast_test : whether fixes worked; failures to come, and how that worked in the past.
    money, recovery, leaks, due, spare_parts : cost of failures, what suppliers owe, and the parts needed.
    use, use_lives, services : what meters tell: use, breakdowns, downtime and cost by use; lives by use; machines due for service.
    missed : failures of machines that were overdue for planned service.
    trees, power, simulated : fault trees; what could have been found; error rates by simulation.
    findings, checks : what stands out, what is to be doubted.

    Examples
    --------
    A company without units shipped has failures that can be counted, not rated.

    >>> from analysis import failures
    >>> result = failures.study(run.inputs)  # run = open_run("sample", section="failures")
    >>> isinstance(result, failures.FailureStudy)
    False
    """

    month: Month
    window: Period
    others: Text
    rates: reporting_facts.Rates
    reporting_test: reporting_facts.ReportingTest | NotDone
    chart: monitoring_facts.ChartFacts
    rules: tuple[monitoring_facts.RuleFacts, ...]
    phases: tuple[monitoring_facts.PhaseFacts, ...]
    words: words_facts.Words | NotDone
    causes: tuple[localising_facts.CauseFacts, ...]
    candidates: Fact
    search_error: Fact
    ratios: Mapping[str, tuple[reporting_facts.Labelled, ...]]
    triangle: triangles.Triangle
    paretos: Mapping[tuple[str, str], ranking_facts.Ranking]
    lives: tuple[lives_facts.LifeFacts, ...] | NotDone
    early: tuple[early_causes.EarlyCause, ...]
    survival: lives_facts.Curve | NotDone
    repairs: lives_facts.Curve | NotDone
    repeats: tuple[Fact, ...] | NotDone
    watch: monitoring_facts.WatchFacts | NotDone
    fixes: tuple[fixes_facts.FixFacts, ...] | NotDone
    forecast: forecasting_facts.ForecastFacts | NotDone
    forecast_test: forecasting_facts.ForecastTestFacts | NotDone
    money: money_facts.MoneyFacts | NotDone
    recovery: tuple[money_facts.Recovery, ...] | NotDone
    leaks: money_facts.LeakFacts | NotDone
    due: tuple[money_facts.DueFacts, ...] | NotDone
    spare_parts: tuple[forecasting_facts.PartFacts, ...] | NotDone
    use: use_facts.UseFacts | NotDone
    use_lives: tuple[use_lives.UseLifeFacts, ...] | NotDone
    services: services_facts.ServicesDue | NotDone
    missed: missed_services_facts.MissedServices | NotDone
    trees: tuple[trees.TreeFacts, ...] | NotDone
    power: Mapping[tuple[float, float], Fact]
    simulated: tuple[simulated_facts.SimulatedFact, ...]
    excluded: tuple[reporting_facts.Labelled, ...]
    impossible: Fact
    dispersion: Fact
    findings: tuple[Finding, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class NotRated(Summarised):
    """What is left to say where failures cannot be rated: which data are missing.

    Attributes
    ----------
    month : the report month.
    reason : which data are missing.
    findings, checks : the same, for the page.

    Examples
    --------
    >>> from analysis import failures
    >>> print(failures.study(run.inputs).reason.reason.en)
    needs units.shipped_on, tickets.serial_no
    """

    month: Month
    reason: NotDone
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...] = ()
