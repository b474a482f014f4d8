"""The sections of the report: their notebooks, their studies, and what the executive summary gathers from them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from analysis.errors import MissingData
from analysis.exhibits.record import Block
from analysis.exhibits.statements import checks_block, evidence_stems, findings_block
from analysis.metrics import StudyInputs
from analysis.results import by_severity
from analysis.workbook.month_run import MonthRun
from analysis.workbook.record import Record


@dataclass(frozen=True)
class Section:
    """A section's id, its notebook, the study it stands on, and the block with its key figures."""

    id: str
    notebook: str
    study: str
    tiles: str = ""

    def load(self) -> Callable[[StudyInputs], Any]:
        return _named(self.study)

    def key_figures(self, result: Any) -> Block | None:
        return _named(self.tiles)(result) if self.tiles else None


def _named(place: str) -> Callable[..., Any]:
    module, _, name = place.rpartition(".")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


SECTIONS: tuple[Section, ...] = (
    Section("quality", "00_data_quality", "analysis.quality.study"),
    Section(
        "costs", "10_cost_decomposition", "analysis.costs.cost_study", "analysis.exhibits.costs.cost_tiles"
    ),
    Section(
        "failures",
        "20_failure_root_cause",
        "analysis.failures.study",
        "analysis.exhibits.failures.failure_tiles",
    ),
    Section(
        "retention",
        "30_churn_retention",
        "analysis.retention.study",
        "analysis.exhibits.retention.headline_tiles",
    ),
    Section("value", "40_clv_impact", "analysis.value.study", "analysis.exhibits.value.headline_tiles"),
)


# What a report runs; any other notebook beside them is somebody's scratch work. The summary reads what the sections publish.
NOTEBOOKS = (*(section.notebook for section in SECTIONS), "90_executive_summary")


def gathered(run: MonthRun) -> Record:
    """The run's record with every section in it.

    In a report run the other notebooks have written it before the summary runs. Opened by hand, what is not there is computed here, so
    that the summary is complete without any other step. A section in which the report met a fault is not computed again: the report says it.
    """
    for section in SECTIONS:
        recorded = run.folder / "findings" / f"{section.id}.json"
        if not recorded.exists() and not (run.folder / "faults" / f"{section.id}.txt").exists():
            _record_section(run, section)
    return run.record


def _record_section(run: MonthRun, section: Section) -> None:
    try:
        result = section.load()(run.inputs)
    except MissingData:
        return
    record = replace(run, section=section.id).record
    ordered = by_severity(result.findings)
    stems = evidence_stems(ordered)
    for finding, stem in zip(ordered, stems, strict=True):
        if stem is not None and finding.evidence is not None:
            record.write_evidence(stem, finding.evidence)
    record.keep(findings_block(f"{section.id}.findings", ordered, evidence=dict(enumerate(stems))))
    record.keep(checks_block(f"{section.id}.checks", result.checks))
    if (figures := section.key_figures(result)) is not None:
        record.keep(figures)
