"""Parameters: runs, assumptions, cost tree, labels. Facts a person owns, never logic."""

from analysis.params.assumptions import Assumptions
from analysis.params.cost_tree import CostTree
from analysis.params.runs import RunParams, available_runs, load_run
from analysis.params.strict import params_root, project_root, read_yaml

__all__ = ["Assumptions", "CostTree", "RunParams", "available_runs", "load_run", "params_root", "project_root", "read_yaml"]
