"""The command line ``analysis``: what ``make`` calls.

Only the standard library is imported here; each command imports what it needs, so that ``--help`` answers at once. A
refusal is printed without a traceback and ends with the exit code of its kind (see ``analysis.errors``).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from analysis.metrics import Registry
    from analysis.params import RunParams
    from analysis.report.progress import TerminalProgress

UNEXPECTED = 70
INTERRUPTED = 130
ENGINE_INTERRUPTED = "Query interrupted"  # what DuckDB makes of Ctrl-C while a query runs
MOST_WORKERS = 256
MOST_NEEDS = 6  # shown by start of what would add the most
EXIT_CODES = """
exit codes: 0 done or unchanged · 2 parameter · 3 source cannot be read · 4 data break the contract · 5 data missing
            6 a notebook stopped · 7 the pack does not pass its checks · 8 a model cannot be fitted · 9 a fault left out a part · 10 the machine refused (disk, rights, memory)
            20 to 36 a gate of the pack refused (docs/GATES.md) · 70 fault of the program
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    if options.debug:
        os.environ["AFTER_SALES_DEBUG"] = "1"
    try:
        _end_in_order()
        return int(options.command(options) or 0)
    except KeyboardInterrupt:
        print("interrupted: nothing was issued.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if type(error) is RuntimeError and str(error) == ENGINE_INTERRUPTED:
            print("interrupted: nothing was issued.", file=sys.stderr)
            return INTERRUPTED
        if options.debug:
            raise
        return _refusal(error)


def _end_in_order() -> None:
    """A scheduler's stop is treated like Ctrl-C: kernels are stopped and the unfinished pack is removed."""
    import signal
    import threading

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, interrupt)


def _refusal(error: Exception) -> int:
    from analysis.errors import AnalysisError, of_the_machine, told
    from analysis.params import project_root

    near = Path.cwd()
    with contextlib.suppress(AnalysisError):  # the root itself may be what is wrong
        near = project_root()
    error = of_the_machine(error, near=near) or error
    if isinstance(error, AnalysisError):
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    print(
        f"a fault of the program: {type(error).__name__}: {told(error)}\nRun the same command with --debug for the traceback.",
        file=sys.stderr,
    )
    return UNEXPECTED


# ---------------------------------------------------------------- commands


def _report(options: argparse.Namespace) -> None:
    from analysis.report.make import make_report
    from analysis.report.progress import TerminalProgress

    run, folder = _run_or_folder(options)
    progress = TerminalProgress()
    try:
        edition = make_report(
            run,
            month=_period(options),
            data=folder or options.data,
            as_of=options.as_of,
            source_map=options.map,
            cut=_cut(options.slice),
            notebooks=_split(options.notebooks),
            parameters=_pairs(options.parameter),
            reports=options.reports,
            workers=options.workers,
            force=options.force,
            draft=options.draft,
            progress=progress,
        )
    finally:
        progress.close()
    folder = _shown(edition.folder)
    if edition.unchanged:
        print(
            f"unchanged: edition {edition.number} of {edition.month} stands: {folder} (FORCE=1 or --force issues a new one)"
        )
        if edition.note:
            print(f"  {edition.note}")
        return
    print(f"draft, not for signature: {folder}" if edition.draft else f"issued: {folder}")
    for language in ("en", "zh"):
        print(f"  {folder}/after-sales-report.{language}.pdf   {folder}/html/{language}/index.html")
    if edition.restated:
        print(
            f"  {edition.restated:,} numbers read differently from the last edition: see the page on restated figures and {folder}/evidence/restated.csv"
        )
    if edition.note:
        print(f"  {edition.note}")
    if not edition.tied_out:
        print(
            "  NOT TIED OUT: the ledger was not shown to agree with the general ledger; the pack has no sign-off page."
        )


def _start(options: argparse.Namespace) -> int:
    from analysis.errors import ParameterError, command
    from analysis.report.starting import start

    if not options.yes and not sys.stdin.isatty():
        raise ParameterError(
            "start asks as it goes, and nobody can answer here. Add --yes to take what it proposes."
        )
    progress = _terminal()
    stated = {
        "company": options.company,
        "currency": options.currency,
        "time_zone": options.time_zone,
        "month": options.month,
        "template": options.template,
    }
    try:
        started = start(
            options.folder,
            name=options.name,
            settings={name: value for name, value in stated.items() if value},
            ask=None if options.yes else _asked,
            say=print,
            workers=options.workers,
            progress=progress,
        )
    finally:
        progress.close()
    if started.draft is None:
        print("nothing was written")
        return 0
    folder = _shown(started.draft.folder)
    print(f"draft, not for signature: {folder}")
    for language in ("en", "zh"):
        print(f"  {folder}/after-sales-report.{language}.pdf   {folder}/html/{language}/index.html")
    if started.would_add:
        print("what would add the most next, with the parts of the report that wait for it:")
        for need in started.would_add[:MOST_NEEDS]:
            print(f"  {need.parts:>3}  {need.table}: {', '.join(need.columns) or 'the table'}")
    print(
        f"next: settle the doubts in params/sources/{started.name}.yml, then {command(f'check {started.name}')}, {command(f'report {started.name} --draft')} until the page reads right, "
        f"and {command(f'report {started.name}')} to issue the month"
    )
    return 0


def _asked(what: str, proposed: str, why: str) -> str:
    return input(f"{what} [{proposed}] ({why}): ").strip() or proposed


def _trace(options: argparse.Namespace) -> None:
    from analysis.report import trace

    found = trace(options.id, edition=options.edition, out=options.out)
    print(found)
    if options.out:
        print(f"  all          {_shown(options.out)}")


def _sample(options: argparse.Namespace) -> None:
    from analysis.params import project_root
    from analysis.sample import make_sample

    name = f"sample-{options.template}" if options.template else "sample"
    folder = options.out or project_root() / "data" / (f"{name}-null" if options.null else name)
    make_sample(
        folder,
        null=options.null,
        template=options.template,
        **({"seed": options.seed} if options.seed is not None else {}),
        format=options.format,
    )
    print(
        f"made: {_shown(folder)}"
        + (" (nothing planted)" if options.null else "; what is planted is in _truth/truth.json")
    )


def _check(options: argparse.Namespace) -> int:
    """Where every row went: through the map, through the proof. What is judged comes last, when all of it has been printed."""
    from analysis.errors import ContractError, SourceError, command
    from analysis.params import CostTree, project_root
    from analysis.params.places import is_folder
    from analysis.tables.checks import LOST, label, meaning
    from analysis.tables.settings import LoadSettings
    from analysis.workbook.month_run import (
        canonical_folder,
        make_sample_company,
        read_tables,
        refuse_month_without_data,
    )

    params, of_run = _checked_run(options)
    CostTree.load()
    progress = _terminal()
    try:
        with progress.stage("prepare data") as note:
            if params.data == "sample":
                make_sample_company(params.data_folder, note, template=params.template)
            if not is_folder(params.data_folder, name=f"data folder '{params.data}'", refusal=SourceError):
                raise SourceError(
                    f"data folder '{params.data}': no such folder below {project_root().name}. Name a folder of exports or tables."
                )
            source, mapped = canonical_folder(params)
        for file in mapped:
            print(
                f"{file.file} -> {file.table}: {file.read:,} rows read = {file.mapped:,} mapped + {file.left_out:,} left out by the map's rule"
            )
            for remark in file.notes:
                print(f"  doubt   {file.table}: {remark}")
        with progress.stage("prove tables") as note:
            tables = read_tables(
                params, source, quarantine_limit=options.forgive, progress=note, mapped=mapped
            )
    finally:
        progress.close()
    print(_waterfall(tables))
    failed = [check for check in tables.checks if check.outcome == "failed"]
    read = {name: sum(part.rows_read for part in info.waterfall) for name, info in tables.tables.items()}
    limit = LoadSettings.quarantine_limit if options.forgive is None else options.forgive
    for check in tables.checks:
        if check.outcome != "passed":
            print(
                f"  {label(check):<9} {check.table}: {meaning(check, read.get(check.table, 0), limit=limit)}"
            )
    print(
        f"{len(tables.checks)} checks, {len(failed)} of them found something; read in {params.currency}, by the clock of {params.time_zone}"
    )
    if not any(info.rows for info in tables.tables.values()):
        raise ContractError(
            f"{params.data_folder.name}: no row was read. Name the files after the tables (see data/README.md), or read them through a map: {command('map FOLDER')}."
        )
    if of_run:
        refuse_month_without_data(tables, params)
    lost = [f"{check.table}.{check.id.rpartition('.')[2]}" for check in failed if check.reason_code == LOST]
    if lost:
        raise ContractError(
            f"{', '.join(lost)}: no value of {'them' if len(lost) > 1 else 'it'} can be read. State the format in the source map (dates, numbers, values), or leave the column out."
        )
    return 0


def _checked_run(options: argparse.Namespace) -> tuple[RunParams, bool]:
    """The rules to read by, and whether a run's month is meant; a folder is read by the rules of ``--run``, whatever months it has."""
    from dataclasses import replace

    from analysis.params import load_run
    from analysis.params.places import use_own

    run, folder = _run_or_folder(options)
    params = load_run(run, month=_period(options), data=folder or options.data)
    use_own(params.own_params)
    # corrections are those of a run, not of its rules
    params = replace(params, name="", source_map=options.map) if folder else params
    return (replace(params, source_map=options.map) if options.map else params), not folder


def _run_or_folder(options: argparse.Namespace) -> tuple[str, str]:
    """What stands behind the command without a dash: a run's name, or (with the run of ``--run``) a folder in full."""
    from analysis.errors import ParameterError, suggestion
    from analysis.params import available_runs
    from analysis.params.strict import Name

    if not options.what or options.what in available_runs():
        return options.what or options.run, ""
    Name(longest=1_000).refuse_outside(options.what, "folder or run")
    if not Path(options.what).is_dir():
        raise ParameterError(
            f"'{options.what}': neither a folder nor a run in params/runs.{suggestion(options.what, available_runs())}"
        )
    return options.run, str(Path(options.what).resolve())


def _map(options: argparse.Namespace) -> None:
    from analysis.errors import ParameterError
    from analysis.sources import propose_for_database, propose_map
    from analysis.workbook.table_shapes import table_shapes

    if bool(options.folder) == bool(options.url_from):
        raise ParameterError(
            "map: name the folder of the exports, or the database by --url-from; one of them."
        )
    found = propose_for_database(options.url_from, table_shapes()) if options.url_from else propose_map(options.folder, table_shapes())  # fmt: skip
    print(found, end="")


def _waterfall(tables: Any) -> str:
    """Rows read, set aside, dropped and accepted for each file; what is absent by name."""
    lines = [f"{'table':<22}{'file':<34}{'read':>12}{'duplicates':>12}{'quarantined':>13}{'accepted':>12}"]
    for name, info in sorted(tables.tables.items()):
        for part in info.waterfall:
            lines.append(
                f"{name:<22}{part.file[:32]:<34}{part.rows_read:>12,}{part.exact_duplicates:>12,}{part.quarantined:>13,}{part.accepted:>12,}"
            )
    absent = [name for name, info in sorted(tables.tables.items()) if not info.present]
    return "\n".join([*lines, f"absent: {', '.join(absent) or 'none'}"])


def _metrics(options: argparse.Namespace) -> int:
    from analysis.metrics import Registry

    registry = Registry.load()
    if options.near:
        return _near(options.near, registry)
    if not options.metric:
        width = max(len(metric.id) for metric in registry)
        for metric in registry:
            print(
                f"{metric.id:<{width}}  {metric.section:<12} {metric.unit:<20} {metric.name.en} · {metric.name.zh}"
            )
        return 0
    metric = registry[options.metric]
    print(f"{metric.id} (version {metric.version}, from {metric.valid_from}, {metric.tier})")
    lines = {
        "name": f"{metric.name.en} · {metric.name.zh}",
        "description": metric.description.en,
        "": metric.description.zh,
        "formula": registry.formula(metric).en,
        "unit": metric.unit,
        "better": metric.better,
        "interval": metric.interval,
        "owner": metric.owner,
        "decision": metric.decision or "–",
    }
    for name, text in lines.items():
        print(f"  {name:<12} {text}")
    return 0


def _near(edition: Path, registry: Registry) -> int:
    """Quantities of an edition that may be one under two names, until a person says why they are two."""
    import json

    from analysis.errors import PublicationRefused, SourceError
    from analysis.report.agreement import undecided

    path = edition / "facts.json"
    if not path.is_file():
        raise SourceError(f"{edition}: no facts.json there; name an edition, e.g. reports/2026-10/edition-1.")
    pairs = undecided(json.loads(path.read_text(encoding="utf-8"))["facts"], registry)
    for pair in pairs:
        print(pair)
    if not pairs:
        print("no two quantities of this edition lie near each other without a reason")
        return 0
    print(
        f"{len(pairs)} pairs: let one follow from the other, or say in params/two_quantities.yml why they are two."
    )
    return PublicationRefused.exit_code


def _bench(options: argparse.Namespace) -> int:
    import subprocess

    from analysis.errors import ParameterError
    from analysis.params import project_root

    root = project_root()
    if not (root / "bench" / "__main__.py").is_file():
        raise ParameterError("bench: no bench/__main__.py in this project, so there is nothing to measure.")
    return subprocess.run(
        [sys.executable, "-m", "bench", *options.arguments], cwd=root, check=False
    ).returncode


def _nulls(options: argparse.Namespace) -> int:
    """The page is rewritten from runs of all studies only; else, and for companies with a confounder, the counts are printed alone."""
    from analysis import nulls
    from analysis.params import project_root

    root = project_root()
    os.environ.update(nulls.ONE_THREAD)  # before numpy is loaded
    if options.template:
        return _truths(options, root)
    records = nulls.run(
        options.seeds,
        nulls.PLANTED if options.planted else nulls.CONFOUNDED if options.confounded else nulls.NULLS,
        studies=_split(options.studies),
        workers=options.workers,
        scale=options.scale or nulls.SCALE,
        folder=root / "build" / "nulls",
        progress=lambda line: print(line, file=sys.stderr, flush=True),
    )
    holds = _print_covered(records) if options.planted else _print_tallied(records)
    if not options.studies and not options.confounded:
        page = root / "docs" / "NULLS.md"
        nulls.write_page(
            page, scale=options.scale or nulls.SCALE, **{"planted" if options.planted else "records": records}
        )
        print(f"written: {_shown(page)}")
    return 0 if holds else 1


def _truths(options: argparse.Namespace, root: Path) -> int:
    """Companies of a template with everything planted and with nothing; its part of the page is rewritten from runs of all studies only."""
    from analysis import nulls

    scale = options.scale or 1.0
    planted, without = (
        nulls.run(
            options.seeds,
            nulls.question_of(f"{options.template}{more}"),
            studies=_split(options.studies),
            workers=options.workers,
            scale=scale,
            folder=root / "build" / "nulls",
            progress=lambda line: print(line, file=sys.stderr, flush=True),
        )
        for more in ("", nulls.WITHOUT_TRUTHS)
    )
    for one in nulls.recovered(options.template, planted, without):
        held = f", {one.held} of {one.stated} intervals hold it" if one.stated else ""
        print(
            f"{one.truth:<20} named in {one.named} of {one.companies}{held}; without cause in {one.without_cause} of {one.companies_without}"
            if one.sign
            else f"{one.truth:<20} no finding names it yet"
        )
    if not options.studies:
        page = root / "docs" / "TRUTHS.md"
        nulls.write_truths(page, options.template, planted, without, scale=scale)
        print(f"written: {_shown(page)}")
    return 0


def _print_tallied(records: Any) -> bool:
    from analysis import nulls

    studies = [one for one in nulls.tallied(records, "alarms") if not one.kind]
    for one in studies:
        print(
            f"{one.study:<10} {one.found} of {one.companies} companies with a finding: {one.rate:.1%} ({one.low:.1%} to {one.high:.1%}), "
            f"at most {one.limit:.1%}: {'holds' if one.holds else 'FAILS'}"
        )
    return all(one.holds for one in studies)


def _print_covered(records: Any) -> bool:
    from analysis import nulls

    estimates = [one for one in nulls.covered(records) if one.stated]
    for one in estimates:
        print(
            f"{one.study:<10} {one.estimate}: {one.held} of {one.stated} intervals hold the truth: {one.rate:.1%}, at least {one.limit:.1%}: "
            f"{'holds' if one.holds else 'FAILS'}"
        )
    return all(one.holds for one in estimates)


def _golden(options: argparse.Namespace) -> None:
    if options.definitions:
        _golden_definitions(moved=options.moved)
        return
    from analysis.report.golden import rewrite_golden

    progress = _terminal()
    try:
        changed = rewrite_golden(workers=options.workers, progress=progress)
    finally:
        progress.close()
    print(
        f"rewritten: {', '.join(changed)}; look at the difference before you commit it"
        if changed
        else "unchanged: every kept output is as it was"
    )


def _golden_definitions(*, moved: bool) -> None:
    from analysis.report.definitions import rewrite_definitions

    changed = rewrite_definitions(moved=moved)
    print(f"kept: {', '.join(changed)}" if changed else "unchanged: every definition is as it was kept")


def _verify(options: argparse.Namespace) -> None:
    from analysis.errors import ParameterError, PublicationRefused
    from analysis.params import project_root
    from analysis.report import manifest

    folder = (options.edition or project_root() / "reports" / "latest").resolve()
    if not (folder / manifest.MANIFEST).is_file():
        if (folder / "facts.json").exists() or any(folder.glob("after-sales-*.pdf")):
            raise PublicationRefused(
                f"{_shown(folder)} is not as it was issued: its {manifest.MANIFEST} is gone. Restore it from a backup."
            )
        raise ParameterError(
            f"edition '{folder.name}': holds no {manifest.MANIFEST}; give the folder of an issued edition."
        )
    if broken := manifest.broken_seals(folder):
        raise PublicationRefused(
            f"{_shown(folder)} is not as it was issued: {', '.join(broken)}. Restore it from a backup."
        )
    print(f"{_shown(folder)}: {len(manifest.read(folder)['seals'])} files, all as they were issued")


def _clean(options: argparse.Namespace) -> None:
    import shutil

    from analysis.params import project_root
    from analysis.report.publish import DRAFTS, INCOMPLETE, QUARANTINE, unfinished
    from analysis.sample import COMPANIES

    root = project_root()
    doomed = [
        root / "build",
        root / "data" / "cache",
        root / "data" / "tables",
        root / "data" / "mapped",
        *unfinished(root / "reports"),
    ]
    if options.all:
        doomed += [
            *(root / "data" / (f"sample-{name}" if name else "sample") for name in COMPANIES),
            *(root / "reports" / shelf for shelf in (QUARANTINE, DRAFTS, INCOMPLETE)),
        ]
    for folder in doomed:
        if folder.exists():
            shutil.rmtree(folder)
            print(f"removed: {_shown(folder)}")
    print("issued editions are never removed by this command")


# ---------------------------------------------------------------- parser


def _terminal() -> TerminalProgress:
    from analysis.report.progress import TerminalProgress

    return TerminalProgress()


def _shown(path: Path) -> str:
    """A path as the reader would type it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _split(names: Sequence[str]) -> list[str]:
    """``10,20`` and ``10 20`` as well as one option each."""
    return [name for text in names for name in text.replace(",", " ").split()]


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    from analysis.errors import ParameterError

    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"parameter '{text}': should be name=value.")
        pairs[name.strip()] = value
    return pairs


def _period(options: argparse.Namespace) -> str:
    """The one period that was asked for, as a run reads it."""
    from analysis.periods import asked_period

    return asked_period(month=options.month, quarter=options.quarter, year=options.year)


def _cut(texts: Sequence[str]) -> dict[str, list[str]]:
    """Values by dimension, as often as each is named."""
    from analysis.errors import ParameterError

    cut: dict[str, list[str]] = {}
    for text in texts:
        dimension, equals, value = text.partition("=")
        if not equals or not value.strip():
            raise ParameterError(f"slice '{text}': should be dimension=value, such as region=South.")
        cut.setdefault(dimension.strip(), []).append(value.strip())
    return cut


class _Parser(argparse.ArgumentParser):
    """Its refusals, too, repeat no password and have an end."""

    def error(self, message: str) -> NoReturn:
        from analysis.errors import told

        super().error(told(message))


class _Stated(argparse.Action):
    """An option that is given holds something: an unset variable of a script must not ask for the sample, or for another month."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if not values.strip():
            parser.error(f"{option_string} is empty; say what is meant, or leave it out.")
        setattr(namespace, self.dest, values)


def _place(text: str) -> Path:
    """A path as it was typed; no address, and no name that a file cannot have."""
    from analysis.errors import ParameterError
    from analysis.params.strict import Name

    try:
        Name(longest=4_000).refuse_outside(text, "path")
    except ParameterError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return Path(text)


def _whole(low: int, high: int) -> Callable[[str], int]:
    """The type of an option: a whole number from ``low`` to ``high``."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(
                f"{text[:40]!r} should be a whole number from {low:,} to {high:,}"
            )
        return int(text)

    return number


def _size(text: str) -> float:
    """The type of an option: a share of the sample company's size, above 0 and at most 10."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number <= 10:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} should be a number above 0 and at most 10")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="analysis",
        description="After-sales finance: from a company's tables to a signed monthly report.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = parser.add_subparsers(metavar="command", required=True)

    report = _command(
        commands,
        "report",
        _report,
        "make and issue the report of a month, a quarter or a year",
        "analysis report\nanalysis report acme --month 2026-10\nanalysis report acme --quarter 2026-Q3\nanalysis report path/to/exports --map zendesk --draft\nanalysis report acme --slice region=South\nanalysis report acme --notebooks 10,90 -p top=10",
    )
    _what_options(report)
    _run_options(report)
    report.add_argument(
        "--as-of",
        action=_Stated,
        default="",
        metavar="DAY",
        help="last day whose records are seen, such as 2026-11-10 (default: the close of the month)",
    )
    report.add_argument(
        "--slice",
        action="append",
        default=[],
        metavar="DIMENSION=VALUE",
        help="only this part of the company, such as region=South or shop=Tmall; may be repeated (default: the run's own)",
    )
    report.add_argument(
        "--notebooks",
        nargs="+",
        default=[],
        metavar="NAME",
        help="only these, as a draft: file names, numbers or sections (default: all)",
    )
    report.add_argument(
        "--draft",
        action="store_true",
        help="a pack stamped not for signature, kept in reports/_drafts; no edition is issued",
    )
    report.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a further notebook parameter; may be repeated",
    )
    report.add_argument(
        "--workers",
        type=_whole(1, MOST_WORKERS),
        default=2,
        metavar="N",
        help="notebooks side by side, at most (default: 2)",
    )
    report.add_argument(
        "--force", action="store_true", help="issue a new edition even when nothing has changed"
    )
    report.add_argument(
        "--reports", type=_place, metavar="FOLDER", help="where editions are issued (default: reports)"
    )

    start = _command(
        commands,
        "start",
        _start,
        "from a folder of exports to a first draft: map, run, check, pack",
        "analysis start path/to/exports\nanalysis start path/to/exports --yes --company 'Acme Ltd' --month 2026-10",
    )
    start.add_argument("folder", type=_place, metavar="FOLDER", help="the folder that holds the exports")
    for option, metavar, meaning in (
        ("--name", "NAME", "of the run and its map (default: the folder's name)"),
        ("--company", "NAME", "as the report names it"),
        ("--currency", "CODE", "of the report, such as EUR"),
        ("--time-zone", "ZONE", "of the company's clock, such as Europe/Berlin"),
        ("--month", "MONTH", "such as 2026-10 (default: the last whole month)"),
        ("--template", "NAME", "a folder in params/templates, or none (default: by what is there)"),
    ):
        start.add_argument(option, action=_Stated, default="", metavar=metavar, help=meaning)
    start.add_argument("--yes", action="store_true", help="ask nothing, take what is proposed")
    start.add_argument(
        "--workers",
        type=_whole(1, MOST_WORKERS),
        default=2,
        metavar="N",
        help="notebooks side by side, at most (default: 2)",
    )

    trace = _command(
        commands,
        "trace",
        _trace,
        "where a number comes from: its definition, what it was made of, its rows",
        "analysis trace 'after_sales_cost#2026-10:1'\nanalysis trace 'after_sales_cost@region=South#2026-10:1' --out rows.csv\n"
        "analysis trace 'Table 13'\nanalysis trace 'costs.tie_out[3,2]'",
    )
    trace.add_argument(
        "id",
        help="what the report prints beside the number: an id, Table 13, costs.tie_out[3,2] (row, column), or a metric",
    )
    trace.add_argument(
        "--edition", type=_place, metavar="FOLDER", help="an issued edition (default: reports/latest)"
    )
    trace.add_argument("--out", type=_place, metavar="FILE", help="write every row as CSV")

    sample = _command(
        commands,
        "sample",
        _sample,
        "make the sample company",
        "analysis sample\nanalysis sample --null --out data/null\nanalysis sample --template saas",
    )
    sample.add_argument(
        "--template",
        action=_Stated,
        default="",
        metavar="NAME",
        help="the company of an industry template, such as saas",
    )
    sample.add_argument(
        "--out", type=_place, metavar="FOLDER", help="where (default: data/sample, or data/sample-TEMPLATE)"
    )
    sample.add_argument("--null", action="store_true", help="with nothing planted")
    sample.add_argument(
        "--seed", type=_whole(0, 2**32 - 1), metavar="N", help="another company of the same kind"
    )
    sample.add_argument(
        "--format", choices=("parquet", "csv"), default="parquet", help="file format (default: parquet)"
    )

    check = _command(
        commands,
        "check",
        _check,
        "read and prove the tables, print where their rows went",
        "analysis check acme\nanalysis check path/to/folder\nanalysis check path/to/exports --map zendesk",
    )
    _what_options(check)
    check.add_argument(
        "--forgive",
        type=float,
        default=None,
        metavar="SHARE",
        help="share of a table's rows that may be set aside before it is refused (default: 0.01)",
    )
    _run_options(check)

    proposal = _command(
        commands,
        "map",
        _map,
        "propose a source map for unknown exports, its doubts marked",
        "analysis map path/to/exports > params/sources/acme.yml\nanalysis map --url-from AFTER_SALES_CRM_URL > params/sources/acme.yml",
    )
    proposal.add_argument(
        "folder", type=_place, nargs="?", metavar="FOLDER", help="the folder that holds the exports"
    )
    proposal.add_argument(
        "--url-from",
        default="",
        metavar="VARIABLE",
        help="the environment variable with a database's address",
    )

    metrics = _command(
        commands,
        "metrics",
        _metrics,
        "list the metric registry, or describe one metric",
        "analysis metrics\nanalysis metrics labour_share\nanalysis metrics --near reports/2026-10/edition-1",
    )
    metrics.add_argument("metric", nargs="?", help="id of a metric")
    metrics.add_argument(
        "--near",
        type=_place,
        metavar="EDITION",
        help="list quantities of an edition that may be one under two names",
    )

    bench = _command(
        commands, "bench", _bench, "measure speed and memory as ratios", "analysis bench\nanalysis bench pack"
    )
    bench.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to bench/")

    nulls = _command(
        commands,
        "nulls",
        _nulls,
        "how often studies find something in companies where nothing is planted; rewrites docs/NULLS.md",
        "analysis nulls\nanalysis nulls --template saas --seeds 40\nanalysis nulls --seeds 40 --studies retention value\nanalysis nulls --seeds 400 --workers 2\nanalysis nulls --planted --seeds 100",
    )
    nulls.add_argument(
        "--template",
        default="",
        metavar="NAME",
        help="instead, companies of an industry template, with everything planted and with nothing: which truths the report names; rewrites its part of docs/TRUTHS.md",
    )
    nulls.add_argument(
        "--planted",
        action="store_true",
        help="instead, companies with truths planted: how often the intervals of estimates hold them",
    )
    nulls.add_argument(
        "--confounded",
        action="store_true",
        help="instead, companies in which better tiers are served faster and leave less, and nothing else; printed only (segments do differ there)",
    )
    nulls.add_argument(
        "--seeds",
        type=_whole(1, 1_000_000),
        default=400,
        metavar="N",
        help="companies, those known from an earlier run included (default: 400)",
    )
    nulls.add_argument(
        "--studies",
        nargs="+",
        default=[],
        metavar="NAME",
        help="only these: costs, failures, retention, value, quality; the page is then left as it is (default: all)",
    )
    nulls.add_argument(
        "--workers",
        type=_whole(1, MOST_WORKERS),
        default=1,
        metavar="N",
        help="companies side by side (default: 1)",
    )
    nulls.add_argument(
        "--scale",
        type=_size,
        default=None,
        metavar="SHARE",
        help="size against the sample company (default: 0.12; of a template 1)",
    )

    golden = _command(
        commands,
        "golden",
        _golden,
        "rewrite the kept outputs of the committed notebooks, or the kept definitions of the metrics",
        "analysis golden && git diff notebooks\nanalysis golden --definitions",
    )
    golden.add_argument(
        "--definitions",
        action="store_true",
        help="instead, keep the definitions that are new or whose version was raised and stands in CHANGELOG.md",
    )
    golden.add_argument(
        "--moved",
        action="store_true",
        help="with --definitions: also those whose code moved and whose meaning stayed",
    )
    golden.add_argument(
        "--workers",
        type=_whole(1, MOST_WORKERS),
        default=2,
        metavar="N",
        help="notebooks side by side, at most (default: 2)",
    )

    verify = _command(
        commands,
        "verify",
        _verify,
        "is an issued edition as it was issued?",
        "analysis verify reports/2026-10/edition-1",
    )
    verify.add_argument("edition", nargs="?", type=_place, help="an issued edition (default: reports/latest)")

    clean = _command(
        commands,
        "clean",
        _clean,
        "remove what can be made again; issued editions stay",
        "analysis clean\nanalysis clean --all",
    )
    clean.add_argument(
        "--all",
        action="store_true",
        help="the sample company, drafts, incomplete packs and the quarantine as well",
    )
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int | None], summary: str, examples: str
) -> argparse.ArgumentParser:
    listed = "\n".join(f"  {line}" for line in examples.splitlines())
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"examples:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=run)
    # stated after the command too, without undoing what stood before it
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks")
    return parser


def _what_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="?",
        default="",
        metavar="RUN|FOLDER",
        help="a file in params/runs/, or a folder (default: --run)",
    )
    parser.add_argument(
        "--map",
        action=_Stated,
        default="",
        metavar="NAME",
        help="a file in params/sources/ to read the folder through",
    )


_LONGER = {
    "quarter": "2026-Q3, of the company's own year, in place of a month",
    "year": "2026, the company's own, in place of a month",
}


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--run",
        action=_Stated,
        default="sample",
        metavar="NAME",
        help="a file in params/runs/ (default: sample)",
    )
    for name, example in (("month", "2026-10 (default: the run's own)"), *_LONGER.items()):
        parser.add_argument(
            f"--{name}", action=_Stated, default="", metavar=name.upper(), help=f"such as {example}"
        )
    parser.add_argument(
        "--data",
        action=_Stated,
        default="",
        metavar="FOLDER",
        help="folder of canonical tables, or sample (default: the run's own)",
    )


if __name__ == "__main__":
    sys.exit(main())
