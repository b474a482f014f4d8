"""Every file of params is read when a report begins: what cannot be read is told before anything is computed, not by the notebook that needs it."""

from __future__ import annotations

from analysis.metrics import Registry
from analysis.params.assumptions import Assumptions
from analysis.params.benchmarks import load_benchmarks
from analysis.params.interventions import load_interventions
from analysis.params.may_leave import load_may_leave
from analysis.params.places import params_file
from analysis.params.screen_figures import load_screen_figures
from analysis.params.treatments import load_treatments
from analysis.params.what_ifs import load_what_ifs
from analysis.report.agreement import decided_pairs


def read_stated_params(run: str) -> None:
    """Read what the sections of a report read of params, each file with its own reader; metrics, labels, accounts and sources are read with the data.

    Parameters
    ----------
    run : name of the run, whose figures of other screens are read

    Raises
    ------
    ParameterError
        Of the first file that is missing, cannot be read or says something else than it should.
    """
    from analysis.executive.benchmarks import refuse_unfit
    from analysis.executive.settings import load_headlines
    from analysis.failures import simulated
    from analysis.failures.fault_tree_facts import trees
    from analysis.retention.settings import load_settings as retention_settings
    from analysis.value.settings import load_settings as value_settings

    load_may_leave()
    load_screen_figures(run)
    registry = Registry.load()
    load_headlines(registry)
    refuse_unfit(load_benchmarks(run), registry)
    load_interventions()
    load_treatments()
    load_what_ifs()
    decided_pairs()
    if (times := params_file("standard_times.yml")).is_file():
        Assumptions.load(times)
    retention_settings()
    assumptions = Assumptions.load()
    assumptions.refuse_incomplete()
    value_settings(assumptions)
    trees()
    simulated.kept()
