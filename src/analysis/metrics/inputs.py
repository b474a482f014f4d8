"""What a study is given: the engine, the month and the parameters it may use. It reads nothing else."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from analysis.metrics.engine import Engine
from analysis.params import Assumptions, CostTree, RunParams
from analysis.periods import Month


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyInputs:
    """One month of one company, ready to be studied."""

    engine: Engine
    month: Month
    params: RunParams
    assumptions: Assumptions
    cost_tree: CostTree

    @property
    def as_of(self) -> dt.date:
        return self.engine.as_of

    @property
    def currency(self) -> str:
        return self.engine.currency

    @property
    def confidence(self) -> float:
        return self.params.confidence
