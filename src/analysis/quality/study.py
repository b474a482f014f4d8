"""The data-quality study: where the rows of every file went, what was wrong with them, and which doubts the rest of the report inherits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.locale import Text
from analysis.metrics import NotDone, Parts, StudyInputs
from analysis.metrics import study as study_of
from analysis.params.screen_figures import ScreenFigure, load_screen_figures
from analysis.periods import Month
from analysis.quality import findings as found
from analysis.quality.arrival import Arrival, arrivals
from analysis.quality.controls import ControlTotals, control_totals
from analysis.quality.coverage import ColumnCoverage, coverage
from analysis.quality.exports import ExportRows, MappedRows, Remark, exports, remarks
from analysis.quality.faults import AppliedCorrection, Fault, corrections, kept_faults, quarantined
from analysis.quality.freshness import Freshness, freshness, month_gaps
from analysis.quality.history import OwnHistory, histories
from analysis.quality.nearness import NearDuplicates, near_duplicates
from analysis.quality.screens import Reconciled, reconciled
from analysis.quality.slices import SliceRows, slices, tables_left_out
from analysis.quality.waterfall import FileRows, TableSpan, spans, waterfall
from analysis.results import Check, Fact, Finding
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True, eq=False)
class QualityStudy(Summarised):
    """What the data-quality notebook shows. Counts of rows are exact; a part that needs what the data do not hold is not done.

    Attributes
    ----------
    month : the report month.
    files, total, quarantined_share : rows by file and outcome; all together; share set aside.
    tables, absent : rows and months of each table; tables that are not there.
    exports, remarks : what a source map did.
    slices, not_sliced : where the company's rows went when only a part of it is reported; tables that are no part of it.
    quarantine, faults, near : why rows were set aside; doubts within rows; near duplicates.
    histories, freshness, arrivals : unusual months; how new the data are; how late records arrive.
    screens, controls, corrections : against the screens of the source systems; against control totals; known errors that were corrected.
    columns : how full each column is.
    findings, checks : what stands out, what is to be doubted.

    Examples
    --------
    >>> from analysis import quality
    >>> result = quality.study(run.inputs)  # run = open_run("sample", section="quality")
    >>> counted = {name: int(fact.value) for name, fact in result.total.items()}
    >>> counted["read"] == counted["accepted"] + counted["quarantined"] + counted["duplicate"]
    True
    """

    month: Month
    files: tuple[FileRows, ...]
    total: dict[str, Fact]
    quarantined_share: Fact
    tables: tuple[TableSpan, ...]
    absent: tuple[str, ...]
    exports: tuple[ExportRows, ...]
    slices: tuple[SliceRows, ...]
    not_sliced: tuple[str, ...]
    remarks: tuple[Remark, ...]
    quarantine: tuple[Fault, ...]
    faults: tuple[Fault, ...]
    near: tuple[NearDuplicates, ...] | NotDone
    histories: tuple[OwnHistory, ...] | NotDone
    freshness: tuple[Freshness, ...]
    screens: tuple[Reconciled, ...]
    controls: tuple[ControlTotals, ...] | NotDone
    corrections: tuple[AppliedCorrection, ...]
    columns: tuple[ColumnCoverage, ...]
    arrivals: tuple[Arrival, ...] | NotDone
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@study_of(section="quality")
def study(
    inputs: StudyInputs,
    *,
    mapped: Sequence[MappedRows] = (),
    screen_figures: Sequence[ScreenFigure] | None = None,
) -> QualityStudy:
    """Waterfall, coverage, faults and doubts of the tables the run was made from.

    Parameters
    ----------
    inputs : StudyInputs
        One month of one company: ``run.inputs``.
    mapped : what the run's source map did
        For a run that has one: ``run.mapped``.
    screen_figures : what the source systems show, optional
        Those stated for the run in ``params/screen_figures.yml`` when left out.

    Returns
    -------
    QualityStudy

    Examples
    --------
    >>> from analysis import quality
    >>> result = quality.study(run.inputs)  # run = open_run("sample", section="quality")
    >>> [file.table for file in result.files][:3]
    ['customers', 'products', 'orders']
    """
    tables, parts = inputs.engine.tables, Parts(section="quality")
    counts, gaps, columns = waterfall(inputs), month_gaps(inputs), coverage(inputs)
    near = parts.do("near", near_duplicates, inputs, counts.duplicate)
    past = parts.do("histories", histories, inputs)
    controls = parts.do("controls", control_totals, inputs)
    late = parts.do("arrivals", arrivals, inputs)
    faults = kept_faults(inputs, tables.checks, gaps, counts)
    fresh, through_map = freshness(inputs), exports(inputs, mapped)
    screens = reconciled(inputs, _stated_figures(inputs) if screen_figures is None else screen_figures)
    return QualityStudy(
        month=inputs.month,
        files=counts.files,
        total=counts.total,
        quarantined_share=counts.quarantined_share,
        tables=spans(inputs),
        absent=tuple(name for name, info in tables.tables.items() if not info.present),
        exports=through_map,
        slices=slices(inputs),
        not_sliced=tables_left_out(inputs),
        remarks=remarks(inputs, mapped),
        quarantine=quarantined(inputs, counts),
        faults=faults,
        near=near,
        histories=past,
        freshness=fresh,
        screens=screens,
        controls=controls,
        corrections=corrections(inputs),
        columns=columns,
        arrivals=late,
        findings=(
            *found.rows_set_aside(inputs, counts),
            *found.silences(inputs, columns),
            *found.late_rows(inputs, late or ()),
            *found.months_missing(gaps),
            *found.stopped_early(inputs, fresh),
            *found.out_of_line(inputs.month, past or ()),
            *found.twice_entered(near or ()),
        ),
        checks=(
            found.rows_conserved(counts),
            *found.exports_conserved(through_map),
            *found.month_whole(inputs, fresh),
            found.time_order(faults),
            *found.doubts(tables.checks),
            *found.controls_agree(controls or ()),
            *found.screens_agree(screens),
            *parts.not_tested({name: Text.of(what) for name, what in found.PARTS.items()}),
        ),
    )


def _stated_figures(inputs: StudyInputs) -> list[ScreenFigure]:
    """What somebody read on a screen for this run and these data."""
    return [
        figure
        for figure in load_screen_figures(inputs.params.name)
        if figure.data in ("", inputs.params.data)
    ]
