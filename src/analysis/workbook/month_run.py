"""One month of one company, opened: the first line of every notebook.

``prepare_run`` makes the sample company when the run asks for it, proves the tables and builds the engine; it is idempotent and fast
when nothing has changed. ``open_run`` does the same inside a notebook and gives it a record to publish into.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import AnalysisError, ContractError, ParameterError, SourceError, suggestion
from analysis.exhibits.record import Block, flattened, show
from analysis.exhibits.statements import checks_block, evidence_stems, findings_block
from analysis.locale import Text
from analysis.metrics import Engine, Registry, StudyInputs
from analysis.metrics.inputs import ClaimsAhead, CostAhead, EarlierEdition, ExperienceMoney
from analysis.metrics.kept import drop_damaged
from analysis.metrics.whole_month import rows_begin, rows_end
from analysis.params import Assumptions, CostTree, RunParams, load_run, project_root
from analysis.params.places import is_folder, locked_by, use_own
from analysis.params.runs import params_hash
from analysis.periods import MONTH, QUARTER, YEAR, Month, Period
from analysis.results import Check, Finding, by_severity
from analysis.sources import MappedFile, apply_map, load_map, told_where
from analysis.summaries import Summarised
from analysis.tables import TableInfo, TableSet, contract, load_corrections, load_tables
from analysis.tables.slicing import SlicedTable, slice_tables
from analysis.workbook import injected
from analysis.workbook.earlier import earlier_edition
from analysis.workbook.record import Record

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class MonthRun(Summarised):
    """A prepared run. ``inputs`` goes to the studies; ``show…`` publish what they return.

    Attributes
    ----------
    params, tables, inputs : what the run states; its tables; what a study is given.
    section, folder : whose notebook this is; where it publishes.
    mapped : what a source map did.

    Examples
    --------
    >>> run.name, str(run.month), run.currency  # run = open_run("sample", section="costs")
    ('sample', '2026-10', 'CNY')
    """

    params: RunParams
    tables: TableSet
    inputs: StudyInputs
    section: str
    folder: Path
    mapped: tuple[MappedFile, ...] = ()

    @property
    def name(self) -> str:
        """Of the run: the file in ``params/runs``."""
        return self.params.name

    @property
    def month(self) -> Month:
        """The report month; of a quarter or a year, its last."""
        return self.params.month

    @property
    def period(self) -> Period:
        """What is reported: the month, or the quarter or year that ends with it."""
        return self.params.period

    @property
    def as_of(self) -> dt.date:
        """Last day whose records are seen."""
        return self.params.knowledge_day

    @property
    def company(self) -> Text:
        """Its name, in both languages; that of the part of it that is reported."""
        return self.params.reported

    @property
    def currency(self) -> str:
        """The reporting currency."""
        return self.params.currency

    @property
    def time_zone(self) -> str:
        """Whose days are counted."""
        return self.params.time_zone

    @property
    def registry(self) -> Registry:
        """Metrics, measures and labels."""
        return self.inputs.engine.registry

    @property
    def preparer(self) -> str:
        """Who prepares the report."""
        return self.params.sign_off.preparer

    @property
    def reviewer(self) -> str:
        """Who signs it."""
        return self.params.sign_off.reviewer

    @property
    def data_folder(self) -> Path:
        """Where the data lie."""
        return self.params.data_folder

    @property
    def earlier(self) -> EarlierEdition | None:
        """The last edition that was issued, if any."""
        return self.inputs.earlier

    @cached_property
    def params_hash(self) -> str:
        """One hash of every parameter file in force."""
        return params_hash()

    @cached_property
    def record(self) -> Record:
        """What this notebook has published."""
        return Record(self.folder, self.section, self.inputs.engine)

    def show(self, *blocks: Block | Iterable[Block] | None) -> None:
        """Display exhibits and record every fact they print.

        Parameters
        ----------
        blocks : blocks
            Nested sequences are flattened, None is skipped.
        """
        for block in flattened(blocks):
            self.record.keep(block)
            show(block)

    def show_findings(
        self, findings: Sequence[Finding], checks: Sequence[Check] = (), *, name: str = "findings"
    ) -> None:
        """Display findings, the gravest first, and write the rows that prove them.

        Parameters
        ----------
        findings : findings
            Of a study.
        checks : checks
            Of the study; those that failed are printed below the findings they weaken.
        name : str
            Of the block.
        """
        ordered = self.record.local(by_severity(findings))
        stems = evidence_stems(ordered)
        for finding, stem in zip(ordered, stems, strict=True):
            if stem is not None and finding.evidence is not None:
                self.record.write_evidence(stem, finding.evidence)
        self.show(
            findings_block(f"{self.section}.{name}", ordered, evidence=dict(enumerate(stems)), checks=checks)
        )

    def print_findings(self, findings: Sequence[Finding]) -> None:
        """The findings as plain lines, rounded as on the page: what the committed notebook keeps and nbval compares.

        Parameters
        ----------
        findings : findings
            Of a study.
        """
        for finding in by_severity(findings):
            print(f"{finding.severity:5} {finding.id}: {finding.statement}")

    def show_checks(self, checks: Sequence[Check], *, name: str = "checks") -> None:
        """Display checks and record them.

        Parameters
        ----------
        checks : checks
            Of a study.
        name : str
            Of the block.
        """
        self.show(checks_block(f"{self.section}.{name}", checks))

    def facts(self, pattern: str = "*", *, edition: str | Path | None = None) -> pd.DataFrame:
        """Facts as a frame, one per row.

        Parameters
        ----------
        pattern : str
            Glob over the metric or the whole id, e.g. ``churn*``, ``*@region=South*``.
        edition : str or Path, optional
            None for the facts recorded in this run's folder (by this notebook and those opened before it); else an issued edition: ``latest``, ``2026-10``,
            ``2026-10/edition-1`` or its folder.

        Returns
        -------
        DataFrame, one row per fact
            ``id``, ``metric``, ``label``, ``period``, ``dimensions``, ``value``, ``unit``, ``low``, ``high``, ``n``, ``formula``.

        Raises
        ------
        ParameterError
            Where no fact matches, with near ids, or no such edition was issued.
        """
        from analysis.workbook.facts import matching_facts, recorded_facts

        labels = {metric.id: metric.name.en for metric in self.registry}
        return matching_facts(recorded_facts(self.folder, edition), pattern, labels)


def prepare_run(
    run_name: str,
    *,
    month: str = "",
    data: str = "",
    as_of: str = "",
    section: str = "",
    folder: Path | None = None,
    reports: Path | None = None,
    progress: Progress | None = None,
) -> MonthRun:
    """Data read and proved, engine ready. Raises a refusal when the month cannot be reported at all.

    ``reports`` holds the editions issued so far; the project's own folder when left out.
    """
    params = load_run(run_name, month=month, data=data, as_of=as_of)
    use_own(params.own_params)
    if params.data == "sample":
        make_sample_company(params.data_folder, progress, template=params.template)
    if not is_folder(params.data_folder, name=f"data folder '{params.data}'", refusal=SourceError):
        raise SourceError(
            f"data folder '{params.data}': no such folder. Put files named after the tables there (tickets.csv, ledger.csv, "
            "customers.csv, …; see data/README.md), or use DATA=sample."
        )
    source, mapped = canonical_folder(params)
    tables, sliced = sliced_tables(
        params, read_tables(params, source, progress=progress, mapped=mapped), progress
    )
    expected = os.environ.get("AFTER_SALES_TABLES")
    if expected and expected != tables.content_hash:
        raise SourceError(
            "the data changed while the report was being made; wait until the extract is complete and run it again."
        )
    cache = project_root() / "data" / "cache"
    if progress and (damaged := drop_damaged(cache)):
        progress(f"{damaged:,} file{'s' if damaged > 1 else ''} in data/cache not as written; computed again")
    refuse_month_without_data(tables, params)
    inputs = inputs_of(params, tables, cache=cache, sliced=sliced, earlier=earlier_edition(params, reports))
    return MonthRun(
        params=params,
        tables=tables,
        inputs=inputs,
        section=section,
        folder=folder or _run_folder(params),
        mapped=mapped,
    )


def inputs_of(
    params: RunParams,
    tables: TableSet,
    *,
    cache: Path | None,
    sliced: tuple[SlicedTable, ...] = (),
    earlier: EarlierEdition | None = None,
) -> StudyInputs:
    """What a study is given: an engine on these tables under the settings and the params of a run; without a ``cache`` nothing is kept."""
    engine = Engine(
        tables,
        Registry.load(),
        cost_tree=CostTree.load(),
        as_of=params.knowledge_day,
        time_zone=params.time_zone,
        currency=params.currency,
        confidence=params.confidence,
        cache=cache,
        months=params.months,
    )
    assumptions = Assumptions.load()
    silent_days = float(assumptions.value("silent_days_limit", on=params.month.last_day))
    return StudyInputs(
        engine=engine,
        month=params.month,
        params=params,
        assumptions=assumptions,
        cost_tree=engine.cost_tree,
        sliced=sliced,
        rows_end=rows_end(engine, params.month, limit=silent_days),
        rows_begin=rows_begin(engine, params.month, limit=silent_days),
        earlier=earlier,
        claims_ahead=claims_ahead,
        cost_ahead=cost_ahead,
        experience_money=experience_money,
    )


def claims_ahead(inputs: StudyInputs, months: int) -> ClaimsAhead:
    """The failure study's forecast of machines under warranty, lent to the cost study; machines shipped later are left out."""
    from analysis import failures

    ahead: ClaimsAhead = failures.claims_forecast(inputs, months=months, with_plan=False)
    return ahead


def cost_ahead(inputs: StudyInputs) -> CostAhead:
    """The cost study's projection of twelve months, lent to whoever needs next year's cost."""
    from analysis.costs.outlook import cost_projection

    ahead: CostAhead = cost_projection(inputs)
    return ahead


def experience_money(inputs: StudyInputs) -> Mapping[str, ExperienceMoney]:
    """What the churn study says in money of experiences of service, lent to the value study, which prices the same ones otherwise."""
    from analysis.retention.experience_money import experience_money as found

    lent: Mapping[str, ExperienceMoney] = found(inputs)
    return lent


def open_run(run_name: str, *, month: str = "", data: str = "", as_of: str = "", section: str) -> MonthRun:
    """Open a run in a notebook; refusals are printed without a traceback unless ``AFTER_SALES_DEBUG`` is set.

    Parameters
    ----------
    run_name : str
        Of the file in ``params/runs``.
    month, data, as_of : str
        Replace the reported period (``2026-10``; a quarter ``2026-Q3``, a year ``2026``), the data folder and the last day whose records are seen (``2026-11-10``) where they are not blank.
    section : str
        Whose notebook this is, such as ``costs``.

    Returns
    -------
    MonthRun

    Raises
    ------
    ParameterError
        For an unknown run, month or parameter.
    SourceError
        For data that cannot be read.
    ContractError
        For data that cannot be mended, and a month without rows.

    Examples
    --------
    >>> from analysis.workbook import open_run
    >>> open_run("samples", section="costs")
    Traceback (most recent call last):
        ...
    analysis.errors.ParameterError: samples.yml: no such file in runs/. Did you mean 'sample'?
    """
    _quiet_refusals()
    warnings.formatwarning = _without_path
    injected.refuse_unknown(_executed_cells())
    return prepare_run(run_name, month=month, data=data, as_of=as_of, section=section)


def _run_folder(params: RunParams) -> Path:
    stated = os.environ.get("AFTER_SALES_RUN_DIR")
    return (
        Path(stated)
        if stated
        else project_root() / "build" / "explore" / f"{params.name}-{params.period.name}"
    )


def read_tables(
    params: RunParams,
    source: Path,
    *,
    store: Path | None = None,
    quarantine_limit: float | None = None,
    progress: Progress | None = None,
    mapped: Sequence[MappedFile] = (),
) -> TableSet:
    """The tables of a folder, read and proved under the rules of a run; ``mapped``: what a source map made them of."""
    with told_where(mapped):
        return load_tables(
            source,
            store or _store(params),
            reporting_currency=params.currency,
            time_zone=params.time_zone,
            exchange_rates={code: sorted(rates.items()) for code, rates in params.exchange_rates.items()},
            corrections=load_corrections(params.name),
            size_limit_mb=params.size_limit_mb,
            progress=progress,
            **({} if quarantine_limit is None else {"quarantine_limit": quarantine_limit}),
        )


def sliced_tables(
    params: RunParams, whole: TableSet, progress: Progress | None = None
) -> tuple[TableSet, tuple[SlicedTable, ...]]:
    """The tables of the run's slice and where the company's rows went; for a run of a whole company its tables, and nothing."""
    if not params.slice:
        return whole, ()
    if progress:
        progress(f"cutting {params.cut_name}")
    store = _store(params)
    folder = project_root() / "data" / "sliced" / f"{store.name}-{params.cut_name}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked_by(folder.parent / f".{folder.name}.lock"):
        sliced = slice_tables(whole, params.slice, folder)
    # corrected, converted and proved as a whole already; read once more like any tables, under the same rules
    tables = load_tables(
        folder,
        store.with_name(f"{store.name}-{params.cut_name}"),
        reporting_currency=params.currency,
        time_zone=params.time_zone,
        size_limit_mb=params.size_limit_mb,
        progress=progress,
    )
    return tables, sliced


def canonical_folder(params: RunParams) -> tuple[Path, tuple[MappedFile, ...]]:
    """The folder of canonical tables: the run's own, or what its source map makes of the exports there."""
    if not params.source_map:
        return params.data_folder, ()
    source_map = load_map(
        params.source_map, {name: tuple(table.columns) for name, table in contract().tables.items()}
    )
    target = project_root() / "data" / "mapped" / f"{_store(params).name}-{source_map.name}"
    mapped = apply_map(
        source_map,
        params.data_folder,
        target,
        business_zone=params.time_zone,
        size_limit_mb=params.size_limit_mb,
        reuse_queries="AFTER_SALES_TABLES" in os.environ,
    )
    return target, mapped


def _store(params: RunParams) -> Path:
    """A folder for the validated tables of these data under these conversion rules."""
    rules = f"{params.data_folder.resolve()}|{params.currency}|{params.time_zone}|{params.exchange_rates}|{params.source_map}"
    return (
        project_root()
        / "data"
        / "tables"
        / f"{params.data_folder.name}-{hashlib.sha256(rules.encode()).hexdigest()[:10]}"
    )


def make_sample_company(folder: Path, progress: Progress | None, *, template: str = "") -> None:
    """Make the sample company when it is absent or was made by another version of the generator.

    It is made beside its place and moved in whole, under a lock: two notebooks opened side by side find either the old or the new
    company, never half of one.
    """
    from analysis import sample

    source = Path(sample.__file__).parent
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(source.rglob("*.py")))).hexdigest()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked_by(folder.parent / f".{folder.name}.lock"):
        stamp = folder / "_made_by.txt"
        if stamp.is_file() and stamp.read_text() == digest:
            return
        if progress:
            progress("making the sample company")
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as temporary:
            making = Path(temporary) / "company"
            sample.make_sample(making, template=template)
            (making / "_made_by.txt").write_text(digest)
            shutil.rmtree(folder, ignore_errors=True)
            making.replace(folder)


def refuse_month_without_data(tables: TableSet, params: RunParams) -> None:
    """A period with a month without the rows its run stands on is refused; a report of nothing would look like a report of zero."""
    for name in params.needs:
        if name not in tables.tables:
            raise ParameterError(
                f"run '{params.name}': needs '{name}', which is no table.{suggestion(name, tables.tables)}"
            )
        info = tables.tables[name]
        if not info.present:
            raise ContractError(
                f"{name}: this table is needed by run '{params.name}' and was not found; see data/README.md for its columns. A run that can do "
                "without it says so in its file in params/runs (needs: […])."
            )
        if contract().tables[name].time is not None:
            _refuse_other_months(name, info, params.period)
        elif not info.rows:
            raise ContractError(
                f"{name}: there are no rows, and run '{params.name}' needs them. Add the missing file."
            )


def _refuse_other_months(name: str, info: TableInfo, period: Period) -> None:
    # of a quarter that is not over, what lacks last is what is missing
    month = next((each for each in reversed(period.each()) if each not in info.months), None)
    if month is None:
        return
    kind, option = _KINDS[period.months]
    span = f"they run from {info.months[0]} to {info.months[-1]}" if info.months else "there are none"
    whole = _newest_whole(period, info.months)
    choose = (
        f"The newest {kind} that they hold whole is {whole.name} ({option}={whole.name}); ask for that"
        if whole
        else f"They hold no whole {kind}; ask for a shorter period"
        if period.months > MONTH
        else f"Choose a {kind} in that range ({option}=…)"
    )
    raise ContractError(
        f"{name}: no rows in {month}{_of_which(period)}; {span}. {choose}, or add the missing file."
    )


def _newest_whole(period: Period, held: Sequence[Month]) -> Period | None:
    """The newest period of the same length, in step with this one, of whose months none is lacking."""
    if not held:
        return None
    length, known, newest = period.months, set(held), max(held)
    tried = period.back(-(newest.months_since(period.last) // length) * length)
    while tried.first >= min(held):
        if known.issuperset(tried.each()):
            return tried
        tried = tried.back(length)
    return None


_KINDS = {MONTH: ("month", "MONTH"), QUARTER: ("quarter", "QUARTER"), YEAR: ("year", "YEAR")}


def _of_which(period: Period) -> str:
    return "" if period.months == MONTH else f", which {period.name} holds"


def _executed_cells() -> Sequence[str]:
    """Sources of the cells that this kernel has run so far; none outside a notebook."""
    from IPython import get_ipython

    shell = get_ipython()
    return [] if shell is None else [str(cell) for cell in shell.user_ns.get("In", [])]


def _without_path(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> str:
    """A warning as a notebook keeps it: a file of the machine that ran it does not belong into a pack."""
    return f"{category.__name__}: {message}\n"


def _quiet_refusals() -> None:
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None or os.environ.get("AFTER_SALES_DEBUG") or os.environ.get("AFTER_SALES_RUN_DIR"):
        return

    def refuse(
        shell: Any, kind: type[BaseException], error: BaseException, *_traceback: Any, **_asked: Any
    ) -> None:
        # as an error, so that whoever runs the notebook (papermill, nbconvert) can say what stopped it
        shell._showtraceback(kind, error, [f"{kind.__name__}: {error}"])

    shell.set_custom_exc((AnalysisError,), refuse)
