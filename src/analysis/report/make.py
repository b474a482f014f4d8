"""One period's report, from data to issued edition, or a refusal that issues nothing.

The stages: prepare data, run notebooks, check the record, export, publish. See ``docs/ARCHITECTURE.md`` for what a notebook
must look like and ``analysis.report.publish`` for why a half-made pack is never seen.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import (
    AnalysisError,
    PackIncomplete,
    ParameterError,
    PlaceError,
    PublicationRefused,
    suggestion,
)
from analysis.params import RunParams, load_run, project_root
from analysis.params.may_leave import load_may_leave
from analysis.params.places import FROZEN, frozen, is_folder, params_in_force, use_own
from analysis.params.runs import state_for_this_report
from analysis.periods import MONTH, stated_epoch
from analysis.report import manifest, publish
from analysis.report.executed import read_notebook
from analysis.report.exhibit_index import EXHIBITS, exhibit_index
from analysis.report.folding import folded, name_left_out
from analysis.report.kernels import Kernels, fitting_workers, free_memory, warm_kernels
from analysis.report.progress import Progress
from analysis.report.publish import Edition
from analysis.report.run import (
    STANDARD,
    Failure,
    Notebook,
    Value,
    chosen_notebooks,
    find_notebooks,
    passed_parameters,
    refuse_unknown_parameters,
    run_notebooks,
    scratch_notebooks,
)
from analysis.report.stated_params import read_stated_params
from analysis.report.whole import refuse_incomplete

if TYPE_CHECKING:
    from analysis.report.editions import Comparison
    from analysis.report.record import PackRecord

Prepare = Callable[..., Any]
Export = Callable[..., None]


@frozen()
def make_report(
    run_name: str = "sample",
    *,
    month: str = "",
    data: str = "",
    as_of: str = "",
    source_map: str = "",
    cut: Mapping[str, Sequence[str]] = {},
    notebooks: Sequence[str] = (),
    parameters: Mapping[str, str] = {},
    reports: Path | None = None,
    folder: Path | None = None,
    workers: int = 2,
    force: bool = False,
    draft: bool = False,
    progress: Progress | None = None,
    prepare: Prepare | None = None,
    export: Export | None = None,
    registered: Sequence[str] | None = None,
) -> Edition:
    """Make and issue the report of one month, quarter or year.

    Parameters
    ----------
    run_name, month, data, as_of : str
        The run in ``params/runs/``, and what replaces its period (``2026-10``, ``2026-Q3``, ``2026``), data folder and the last day whose records are seen (``2026-11-10``) when
        not blank.
    source_map : str
        A map in ``params/sources`` to read the data through, in place of the run's own, when not blank.
    cut : mapping of dimension to values
        The slice that is reported, in place of the run's own, when not empty.
    notebooks : names
        File names, numbers or sections; all when empty. A report without some of its notebooks is a draft.
    parameters : mapping of name to text
        Further notebook parameters; one that no notebook declares is refused.
    reports, folder : Path, optional
        Where editions are issued and where the notebooks are; the project's own when left out.
    workers : int
        Kernels side by side, at most; fewer when memory or processors are short.
    force : bool
        Issue a new edition even when nothing has changed.
    draft : bool
        Make a pack that is stamped "not for signature", is kept in ``reports/_drafts`` and is no edition.
    progress : Progress, optional
        Told what is being done.
    prepare, export : callable, optional
        Replace ``analysis.workbook.prepare_run`` and ``export_pack`` (tests, other front ends).
    registered : names, optional
        Of the notebooks that belong to the report; left out, those that the sections register, or every notebook of a ``folder`` that is not the
        project's own.

    Returns
    -------
    Edition
        The issued edition, or the standing one marked ``unchanged`` when data, parameters, code, notebooks and environment are the same as when it was
        issued.

    Raises
    ------
    ParameterError
        For an unknown run, map, slice, section or parameter.
    PackIncomplete
        A fault of the program left out a part. Nothing is issued; the stamped pack is kept in ``reports/_incomplete``.
    AnalysisError
        Of the kind that says why. Nothing is issued, the last edition stands, and what was made is kept in ``reports/_quarantine`` with the message,
        except when the run could not even be prepared.

    Notes
    -----
    Restated numbers are listed against the month's last edition with the causes that hashes can tell apart; replaying that edition one change at a time,
    so that the steps sum to each change, is left to the restatement study.

    Examples
    --------
    A misspelt parameter is refused before anything is computed.

    >>> from analysis.report import make_report
    >>> make_report("sample", parameters={"mnth": "2026-10"})
    Traceback (most recent call last):
        ...
    analysis.errors.ParameterError: parameter 'mnth': no notebook of this run has it; known: as_of, data, month, run_name. Did you mean 'month'?
    """
    stated_epoch()  # what is wrong with the place is told before anything is computed
    refuse_incomplete()
    given, reports = reports, reports_folder(reports)
    progress = progress or Progress()
    standard: dict[str, Value] = dict(zip(STANDARD, (run_name, month, data, as_of), strict=True))
    if registered is None and folder is None:
        registered = _registered()
    everything = find_notebooks(folder, registered=registered)
    chosen = chosen_notebooks(everything, notebooks)
    refuse_unknown_parameters(parameters, chosen)
    for notebook in chosen:
        passed_parameters(notebook, standard, parameters)
    memory = free_memory()
    workers = fitting_workers(workers, memory=memory)
    with warm_kernels({}, memory=None if memory is None else max(memory // workers, 1 << 31)) as kernels:
        with progress.stage("prepare data") as note:
            warming = threading.Thread(target=_import_papermill, daemon=True)
            warming.start()
            if source_map or cut:
                state_for_this_report(run_name, source_map=source_map, cut=cut)
            params = load_run(run_name)
            use_own(params.own_params)
            everything, chosen = _of_the_run(params, everything), _of_the_run(params, chosen)
            if params.slice and given is None:  # a part of the company has editions of its own
                reports = reports_folder(project_root() / "reports" / "slices" / params.cut_name)
            read_stated_params(run_name)
            run = (prepare or _prepare_run)(
                run_name, month=month, data=data, as_of=as_of, reports=reports, progress=note
            )
            made = _Making(
                run=run,
                notebooks=chosen,
                standard=standard,
                extra=dict(parameters),
                reports=reports,
                workers=workers,
                progress=progress,
                export=export or _export_pack,
                identity=(identity := manifest.identity(run, chosen, extra=parameters)),
                code=manifest.code_version(str(identity["code"])),
                draft=draft or len(chosen) < len(everything),
                apart={
                    name: given for name, given in (("source_map", source_map), ("slice", dict(cut))) if given
                },
                scratch=() if registered is None else scratch_notebooks(folder, registered),
            )
            made.refuse_other_company()
            made.refuse_what_params_tell()
            standing = None if force or made.draft else made.unchanged()
            warming.join()
        return standing or made.edition(kernels)


def _of_the_run(params: RunParams, notebooks: Sequence[Notebook]) -> list[Notebook]:
    """The notebooks of the sections that a run names, and those that belong to no section of their own (the summary)."""
    from analysis.workbook.sections import SECTIONS

    known = [section.id for section in SECTIONS]
    for name in params.sections:
        if name not in known:
            raise ParameterError(
                f"run '{params.name}': sections: '{name}' is none.{suggestion(name, known)} Known: {', '.join(known)}."
            )
    left_out = set(known) - set(params.sections) if params.sections else set()
    return [notebook for notebook in notebooks if notebook.section not in left_out]


def reports_folder(stated: Path | None) -> Path:
    """The folder of editions: the one that is stated, or the project's own. It need not exist; it may not be anything else."""
    folder = Path(os.path.realpath(stated or project_root() / "reports"))
    is_folder(folder, name=folder.name, refusal=PlaceError)
    return folder


def _registered() -> Sequence[str]:
    from analysis.workbook.sections import NOTEBOOKS

    return NOTEBOOKS


def _prepare_run(run_name: str, **options: Any) -> Any:
    from analysis.workbook import prepare_run

    return prepare_run(run_name, **options)


def _export_pack(*arguments: Any, **options: Any) -> None:
    from analysis.report.export import export_pack

    export_pack(*arguments, **options)


def _import_papermill() -> None:
    """Takes a second of its own, so it is done while the data are prepared.

    jsonschema, which comes with it, would spend another on the grammar of international web addresses, which notebooks do not
    hold; it does without when the grammar cannot be imported.
    """
    grammar = "rfc3987_syntax"
    hidden = grammar not in sys.modules
    if hidden:
        sys.modules[grammar] = None  # type: ignore[assignment]
    try:
        import papermill.execute  # noqa: F401
        from jupyter_client.provisioning.local_provisioner import LocalProvisioner  # noqa: F401
    finally:
        if hidden:
            del sys.modules[grammar]


@dataclass(kw_only=True, eq=False)
class _Making:
    """One attempt: everything that stays the same from the prepared data to the issued edition."""

    run: Any
    notebooks: Sequence[Notebook]
    standard: Mapping[str, Value]
    extra: Mapping[str, str]
    reports: Path
    workers: int
    progress: Progress
    export: Export
    identity: Mapping[str, Any]
    code: Mapping[
        str, Any
    ]  # as it was when the run began: a commit made meanwhile did not make these numbers
    draft: bool
    apart: Mapping[str, Any] = field(
        default_factory=dict
    )  # what was stated for this report and stands in no file of params
    scratch: Sequence[str] = ()
    faults: list[Failure] = field(default_factory=list)

    @property
    def month(self) -> str:
        """What the editions are called by: ``2026-10``, a quarter ``2026-Q3``, a year ``2026``."""
        return str(self.run.period.name)

    @property
    def last(self) -> Path | None:
        issued = publish.editions(self.reports, self.month)
        return issued[-1] if issued else None

    def refuse_other_company(self) -> None:
        """An edition belongs to a company and a month: another company's month is no next edition of it."""
        if self.last is None or self.draft:
            return
        stated = manifest.read(self.last, "identity", "status", "company", "currency")
        theirs, ours = stated["company"], self.run.company.as_json()
        if (theirs, stated["currency"]) != (ours, self.run.currency):
            raise PublicationRefused(
                f"{self.month}: {_place(self.last)} is of {theirs['en']} ({stated['currency']}), and run '{self.run.name}' is of "
                f"{ours['en']} ({self.run.currency}). Give each company a folder of its own: --reports FOLDER."
            )

    def refuse_what_params_tell(self) -> None:
        """Secrets and personal data in parameters would be printed; they are told before anything is computed."""
        from analysis.report.checks import run_problems
        from analysis.report.gates import refuse

        refuse(run_problems(self.run, params_in_force(), allowed=self.may_leave))

    @cached_property
    def may_leave(self) -> frozenset[str]:
        """What params let through the gates of what leaves."""
        return frozenset(one.text for one in load_may_leave())

    @cached_property
    def regions(self) -> frozenset[str]:
        from analysis.report.leaks import regions_of

        return regions_of(self.run.currency, self.run.time_zone)

    def machine_paths(self, building: Path) -> list[str]:
        """Folders of this machine that no file of a pack may name; the shortest say nothing."""
        stated = (os.environ[FROZEN], tempfile.gettempdir())
        places = [project_root(), Path.home(), building, self.run.data_folder, *map(Path, stated)]
        names = {str(form) for place in places for form in (place.absolute(), place.resolve())}
        return sorted(name for name in names if len(name) > 5)

    @property
    def stated(self) -> dict[str, Any]:
        """What was asked for, as the pack states it."""
        from analysis.report.scrub import stated_place

        return {
            **self.standard,
            "data": stated_place(str(self.standard["data"]), project_root()),
            **self.apart,
        }

    def refuse_moved_ground(self) -> None:
        """The package and the environment are still what the pack states. Params and notebooks need no look: the run has its own copy."""
        moved = manifest.changed_parts(self.identity, {**self.identity, **manifest.ground(self.notebooks)})
        if moved:
            raise PublicationRefused(
                f"{self.month}: {', '.join(moved)} changed while the report was being made, so its parts may not belong together. "
                "Run it again."
            )

    def unchanged(self) -> Edition | None:
        """The last edition when its manifest says that it was made of exactly the same things."""
        if self.last is None:
            return None
        stated = manifest.read(self.last)
        if stated["identity"] != self.identity:
            return None
        if broken := manifest.broken_seals(self.last):
            raise PublicationRefused(
                f"{self.month}: edition {publish.edition_number(self.last)} was changed after it was issued ({', '.join(broken[:5])}). "
                "Restore it from a backup, or make a new edition with FORCE=1."
            )
        return Edition(
            folder=self.last,
            month=self.month,
            number=publish.edition_number(self.last),
            unchanged=True,
            tied_out=stated["status"] == "issued",
            note=publish.follow_latest(self.reports) if self.run.period.months == MONTH else "",
        )

    def edition(self, kernels: Kernels) -> Edition:
        building = publish.building_folder(self.reports, self.month)
        try:
            edition = self._issued(building, kernels)
        except AnalysisError as error:
            raise self._refused(building, error) from error
        except Exception as error:
            # on a full disk even this may fail; what stopped the run is what must be told
            with contextlib.suppress(OSError):
                self._kept(building, "".join(traceback.format_exception(error)))
            raise
        except BaseException:  # interrupted by hand: nothing to keep
            publish.remove_building(building)
            raise
        if self.faults:
            raise PackIncomplete(
                "\n".join(fault.message for fault in self.faults)
                + f"\nNothing was issued. The pack without these parts, stamped, is in {_place(edition.folder)}/, with this message."
            )
        return edition

    def _refused(self, building: Path, error: AnalysisError) -> AnalysisError:
        try:
            kept = self._kept(building, str(error))
        except OSError:
            return error
        error.args = (
            f"{error}\nNothing was issued. What was made is in {_place(kept)}/, with this message.",
        )
        return error

    def _kept(self, building: Path, message: str) -> Path:
        return publish.quarantine(building, self.reports, self.month, message)

    def _issued(self, building: Path, kernels: Kernels) -> Edition:
        number = 1 + (publish.edition_number(self.last) if self.last else 0)
        kernels = replace(kernels, environment={**kernels.environment, **self._environment(building)})
        executed = self._execute(building, kernels)
        with kernels.pool(min(self.workers, 2)) as pool:
            record, comparison = self._checked(building, executed)
            with self.progress.stage("export"):
                pack = self._pack(number, record, comparison)
                self.export(
                    [building / "notebooks" / n.path.name for n in self.notebooks],
                    building,
                    pack=pack,
                    pool=pool,
                )
        with self.progress.stage("check files") as say:
            self.refuse_moved_ground()
            stated = self._sealed(building, number, pack)
            say(f"{self._checked_files(building, pack)} files as they leave")
        with self.progress.stage("publish"):
            manifest.remember_data(stated, self.run.data_folder)
            folder = self._publish(building, number)
            issued = not (self.draft or self.faults)
            # latest is the newest month: a quarter and a year have folders of their own
            note = publish.follow_latest(self.reports) if issued and self.run.period.months == MONTH else ""
        return Edition(
            folder=folder,
            month=self.month,
            number=number,
            draft=self.draft,
            tied_out=record.tied_out,
            restated=len(comparison.restated) if comparison else 0,
            note=note,
        )

    def _environment(self, building: Path) -> dict[str, str]:
        """Where the notebooks publish, and the one date that files of the pack may carry: the end of the as-of day."""
        day_end = dt.datetime.combine(self.run.as_of, dt.time(), dt.UTC) + dt.timedelta(days=1)
        stated = stated_epoch()
        return {
            "AFTER_SALES_RUN_DIR": str(building / "run"),
            "AFTER_SALES_ROOT": str(project_root()),
            FROZEN: os.environ[FROZEN],
            "AFTER_SALES_TABLES": self.run.tables.content_hash,  # a notebook that finds other data refuses
            "AFTER_SALES_EARLIER": str(self.run.earlier.folder)
            if self.run.earlier
            else "",  # all notebooks read the same edition
            "SOURCE_DATE_EPOCH": str(int(day_end.timestamp()) if stated is None else stated),
        }

    def _execute(self, building: Path, kernels: Kernels) -> dict[str, Any]:
        from analysis.report.scrub import scrub_file

        with self.progress.stage("run notebooks") as note:
            left = (
                f"; not run, as no section registers them: {', '.join(self.scratch)}" if self.scratch else ""
            )
            note(f"{len(self.notebooks)} notebooks, {self.workers} side by side{left}")
            paths = run_notebooks(
                self.notebooks,
                building / "notebooks",
                standard=self.standard,
                extra=self.extra,
                kernels=kernels,
                workers=self.workers,
                progress=self.progress,
                faults=self.faults,
            )
            name_left_out(paths, building / "run" / "evidence")
            data, months = str(self.stated["data"]), self.run.period.months
            return {path.stem: scrub_file(path, data=data, months=months) for path in paths}

    def _checked(self, building: Path, executed: Mapping[str, Any]) -> tuple[PackRecord, Comparison | None]:
        from analysis.report import checks, editions, gates
        from analysis.report.record import read_record

        with self.progress.stage("check") as note:
            self._refuse_changed_data()
            record = read_record(executed, building / "run")
            note(f"{len(record.facts):,} facts, {len(record.findings)} findings")
            signing = {self.run.preparer, self.run.reviewer}  # names that are meant to be read
            personal = checks.personal_values(self.run.tables) - signing
            gates.refuse(
                checks.record_problems(
                    record,
                    personal=personal,
                    paths=self.machine_paths(building),
                    regions=self.regions,
                    allowed=self.may_leave,
                )
            )
            comparison = self._comparison(record)
            self._lay_out(building, record, exhibit_index(folded(list(executed.items()))))
            if comparison and comparison.restated:
                editions.write_restated_csv(comparison, building / "evidence" / "restated.csv")
        return record, comparison

    def _refuse_changed_data(self) -> None:
        """Each notebook opens the run again; when a file was replaced meanwhile they would not all have read the same."""
        tables = self.run.tables
        now = type(tables).open(tables.store).content_hash
        if now != tables.content_hash:
            raise PublicationRefused(
                "the data changed while the notebooks ran, so they did not all read the same; run the report again."
            )

    def _lay_out(self, building: Path, record: PackRecord, exhibits: list[dict[str, Any]]) -> None:
        """The run's folder becomes the pack's: evidence beside the facts, the working files gone."""
        evidence = building / "run" / "evidence"
        if evidence.is_dir():
            evidence.rename(building / "evidence")
        (building / "evidence").mkdir(exist_ok=True)
        publish.remove_building(building / "run")
        manifest.write_json(building / "facts.json", record.facts_json())
        manifest.write_json(building / "findings.json", record.findings_json())
        manifest.write_json(building / EXHIBITS, {"version": 1, "exhibits": exhibits})

    def _comparison(self, record: PackRecord) -> Comparison | None:
        from analysis.report import editions

        if self.last is None or self.draft or self.faults:
            return None
        causes = manifest.changed_parts(manifest.read(self.last)["identity"], self.identity)
        return editions.compare(
            editions.issued_facts(self.last),
            list(record.facts.values()),
            against=publish.edition_number(self.last),
            causes=causes,
        )

    def _pack(self, number: int, record: PackRecord, comparison: Comparison | None) -> dict[str, Any]:
        """What the exporters print beside the notebooks."""
        from analysis.report.editions import restated_rows

        run, code = self.run, self.code
        return {
            "month": self.month,
            "year_begins": run.period.year_begins,
            "as_of": run.as_of.isoformat(),
            "rows_end": run.inputs.rows_end.isoformat() if run.inputs.rows_end else "",
            "edition": number,
            "company": run.company.as_json(),
            "currency": run.currency,
            "status": self._status(record),
            "code": code,
            "code_version": manifest.version_text(code),
            "preparer": run.registry.value_label("owner", run.preparer).as_json(),
            "reviewer": run.registry.value_label("owner", run.reviewer).as_json(),
            "sources": [
                {"table": entry["table"], **file} for entry in manifest.inputs(run) for file in entry["files"]
            ],
            "registry": run.registry.as_json(currency=run.currency),
            "checks": [
                *record.checks,
                *_own_checks(self.faults),
                *glyph_checks([block for _, block in record.blocks], run.company.as_json()),
            ],
            "hashes": self._hashes(),
            "restated": restated_rows(comparison, run.registry) if comparison else [],
            "restated_count": len(comparison.restated) if comparison else 0,
            "facts": record.facts,
            "findings": record.findings,
        }

    def _status(self, record: PackRecord) -> str:
        if self.faults:
            return "incomplete"
        return "draft" if self.draft else "issued" if record.tied_out else "not tied out"

    def _hashes(self) -> dict[str, str]:
        names = {
            "data": self.run.tables.content_hash,
            "environment lock": self.identity["lock"],
            "program": self.identity["code"],
        }
        return {
            name: str(digest)
            for name, digest in {
                **names,
                "parameters": self.identity["params"],
                "definitions": self.identity["definitions"],
            }.items()
        }

    def _sealed(self, building: Path, number: int, pack: Mapping[str, Any]) -> dict[str, Any]:
        """The manifest of the finished pack, and a seal for every other file."""
        if self.faults:
            message = "\n\n".join(f"{fault.message}\n{fault.trace}" for fault in self.faults)
            (building / publish.MESSAGE).write_text(message + "\n", encoding="utf-8")
        content = {
            "version": 1,
            "month": self.month,
            "edition": number,
            "status": pack["status"],
            "as_of": pack["as_of"],
            "company": pack["company"],
            "currency": pack["currency"],
            "run": self.stated,
            "inputs": manifest.inputs(self.run),
            "inputs_sha256": self.run.tables.content_hash,
            "code": pack["code"],
            "python": manifest.python_version(),
            "restated": pack["restated_count"],
            "identity": dict(self.identity),
            "seals": manifest.seals(building),
        }
        manifest.write_json(building / manifest.MANIFEST, content)
        return content

    def _checked_files(self, building: Path, pack: Mapping[str, Any]) -> int:
        """Ask the finished files what whoever receives them would ask; how many they are."""
        from analysis.report import checks, gates

        names = [notebook.name for notebook in self.notebooks]
        executed = [(name, read_notebook(building / "notebooks" / f"{name}.ipynb")) for name in names]
        gates.refuse(
            checks.pack_problems(
                building,
                names,
                pages=[name for name, _ in folded(executed)],
                facts=pack["facts"],
                paths=self.machine_paths(building),
                regions=self.regions,
                allowed=self.may_leave,
            )
        )
        return sum(path.is_file() for path in building.rglob("*"))

    def _publish(self, building: Path, number: int) -> Path:
        if self.faults:
            return publish.keep_incomplete(building, self.reports, self.month)
        if self.draft:
            return publish.keep_draft(building, self.reports, self.month)
        return publish.issue(building, self.reports, self.month, number)


def _place(folder: Path) -> str:
    """Where a pack lies, as a reader of the project says it: ``reports/_quarantine/2026-10-1``."""
    return "/".join(folder.parts[-3:])


def _own_checks(faults: Sequence[Failure]) -> list[dict[str, Any]]:
    """What the record had to pass before this pack could exist, as checks that the reader sees."""
    from analysis.results import Check, Sentence

    executed = Check(
        id="pack.executed",
        outcome="passed",
        sentence=Sentence("Every cell of every notebook ran, and none reported an error."),
    )
    if faults:
        names = ", ".join(dict.fromkeys(fault.notebook.removesuffix(".ipynb") for fault in faults))
        executed = Check(
            id="pack.executed",
            outcome="failed",
            sentence=Sentence(
                "A fault of the program kept parts of these notebooks from being made: {notebooks}.",
                {"notebooks": names},
            ),
        )
    sentences = {
        "pack.numbers": "Every number in sentences, tiles, tables and drawings is a recorded fact and agrees with it.",
        "pack.privacy": "No personal data, secret or path of a machine stands in a page or an evidence file.",
    }
    passed = [Check(id=id, outcome="passed", sentence=Sentence(text)) for id, text in sentences.items()]
    return [check.as_json() for check in (executed, *passed)]


def glyph_checks(*printed: Any) -> list[dict[str, Any]]:
    """One check where a name holds a character that no shipped font draws; none where all are drawn."""
    from analysis.fonts.coverage import SUBSTITUTE, printable, unprintable
    from analysis.results import Check, Sentence

    lacking = {char: text for text in _texts(printed) for char in unprintable(text)}
    if not lacking:
        return []
    codes = sorted(f"U+{ord(char):04X}" for char in lacking)
    example = printable(next(iter(lacking.values())))[:60]
    sentence = Sentence(
        "No shipped font draws {characters}; the PDF prints {sign} or a plain letter in their place, as in '{example}'.",
        {
            "characters": ", ".join(codes[:8]) + (" …" if len(codes) > 8 else ""),
            "sign": SUBSTITUTE,
            "example": example,
        },
    )
    return [Check(id="pack.glyphs", outcome="info", sentence=sentence).as_json()]


def _texts(value: Any) -> Iterator[str]:
    """Every text that a block may print; drawings and identifiers among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)
