"""Parameters: runs, assumptions, cost tree, labels. Facts a person owns, never logic."""

from analysis.params.assumptions import Assumptions
from analysis.params.cost_tree import CostTree
from analysis.params.places import params_file, project_root
from analysis.params.runs import RunParams, available_runs, load_run
from analysis.params.strict import read_yaml
from analysis.params.treatments import Treatment, load_treatments
from analysis.params.what_ifs import Range, Scenario, WhatIfPlan, load_what_ifs

__all__ = [
    "Assumptions",
    "CostTree",
    "Range",
    "RunParams",
    "Scenario",
    "Treatment",
    "WhatIfPlan",
    "available_runs",
    "load_run",
    "load_treatments",
    "load_what_ifs",
    "params_file",
    "project_root",
    "read_yaml",
]
