"""The sections of the report: their notebooks, their studies, and what the executive summary gathers from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from analysis.errors import MissingData
from analysis.exhibits.record import Block
from analysis.exhibits.statements import checks_block, evidence_stems, findings_block
from analysis.locale import Text
from analysis.metrics import NotDone, Study
from analysis.results import by_severity
from analysis.workbook.month_run import MonthRun
from analysis.workbook.record import Record


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section of the report.

    ``load`` imports its study when it is needed (a notebook needs one of them); ``key_figures`` makes the block of its key figures from
    the study's result. ``title`` is the heading of its notebook.
    """

    id: str
    title: str
    notebook: str
    load: Callable[[], Study]
    key_figures: Callable[[Any], Block | None] | None = None


def _quality() -> Study:
    from analysis import quality

    return quality.study


def _costs() -> Study:
    from analysis import costs

    return costs.study


def _failures() -> Study:
    from analysis import failures

    return failures.study


def _retention() -> Study:
    from analysis import retention

    return retention.study


def _value() -> Study:
    from analysis import value

    return value.study


def _cost_figures(result: Any) -> Block:
    from analysis.exhibits import costs

    return costs.cost_tiles(result)


def _failure_figures(result: Any) -> Block | None:
    from analysis.exhibits import failures

    return failures.failure_tiles(result)


def _retention_figures(result: Any) -> Block:
    from analysis.exhibits import retention

    return retention.headline_tiles(result)


def _value_figures(result: Any) -> Block:
    from analysis.exhibits import value

    return value.headline_tiles(result)


SECTIONS: tuple[Section, ...] = (
    Section(id="quality", title="Data quality", notebook="00_data_quality", load=_quality),
    Section(
        id="costs",
        title="Cost decomposition",
        notebook="10_cost_decomposition",
        load=_costs,
        key_figures=_cost_figures,
    ),
    Section(
        id="failures",
        title="Failure-rate root cause",
        notebook="20_failure_root_cause",
        load=_failures,
        key_figures=_failure_figures,
    ),
    Section(
        id="retention",
        title="Churn and retention",
        notebook="30_churn_retention",
        load=_retention,
        key_figures=_retention_figures,
    ),
    Section(
        id="value",
        title="Customer lifetime value and service",
        notebook="40_clv_impact",
        load=_value,
        key_figures=_value_figures,
    ),
)


# What a report runs; any other notebook beside them is somebody's scratch work. The summary reads what the sections publish.
NOTEBOOKS = (*(section.notebook for section in SECTIONS), "90_executive_summary")


@dataclass(frozen=True, eq=False)
class Gathered:
    """The record of all sections, and the title of each that is not there with the reason."""

    record: Record
    not_made: Mapping[str, Text] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, list[dict[str, Any]]]:
        """What every section has recorded: ``facts``, ``findings``, ``checks`` or ``tiles`` by section, in the order of the report."""
        found, order = self.record.of(kind), [section.id for section in SECTIONS]
        return {name: found[name] for name in (*order, *sorted(found.keys() - set(order))) if name in found}

    def all_facts(self) -> list[dict[str, Any]]:
        """Every fact any section has recorded, once."""
        return self.record.all_facts()


def gathered(run: MonthRun, sections: Sequence[Section] = SECTIONS) -> Gathered:
    """The run's record with every section in it.

    In a report run the other notebooks have written it before the summary runs. Opened by hand, what is not there is computed here, so
    that the summary is complete without any other step. A section in which the report met a fault is not computed again: the report says it.
    """
    not_made: dict[str, Text] = {}
    wanted = run.params.sections or [section.id for section in sections]
    for section in sections:
        if section.id not in wanted:
            continue  # the run does not ask for it
        if (run.folder / "faults" / f"{section.id}.txt").exists():
            not_made[section.title] = Text.of("a part of it could not be made")
        elif not (run.folder / "findings" / f"{section.id}.json").exists():
            missing = _record_section(run, section)
            if missing is not None:
                not_made[section.title] = NotDone.because(missing).reason
    return Gathered(run.record, not_made)


def _record_section(run: MonthRun, section: Section) -> MissingData | None:
    """Compute a section and record it; what it lacks where it cannot be."""
    try:
        result = section.load()(run.inputs)
    except MissingData as missing:
        return missing
    record = replace(run, section=section.id).record
    ordered = record.local(by_severity(result.findings))
    stems = evidence_stems(ordered)
    for finding, stem in zip(ordered, stems, strict=True):
        if stem is not None and finding.evidence is not None:
            record.write_evidence(stem, finding.evidence)
    record.keep(
        findings_block(
            f"{section.id}.findings", ordered, evidence=dict(enumerate(stems)), checks=result.checks
        )
    )
    record.keep(checks_block(f"{section.id}.checks", result.checks))
    figures = section.key_figures(result) if section.key_figures else None
    if figures is not None:
        record.keep(figures)
    return None
