"""Running the notebooks: two side by side, each once for both languages, every parameter passed and recorded.

A notebook whose number is 90 or more reads what the others published, so it runs after all of them.

A refusal (data, parameters) stops the run. A fault of the program in one cell does not: the cell says in its place that this part could
not be made, what only repeats the fault is left blank, and the caller is given the faults, so that the pack is never issued as if whole.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import (
    ContractError,
    MissingData,
    NotebookFailed,
    ParameterError,
    PlaceError,
    PublicationRefused,
    SourceError,
    of_the_machine,
    of_the_machine_in_a_cell,
    suggestion,
    without_credentials,
)
from analysis.exhibits.record import MIME, Block
from analysis.exhibits.statements import not_computed, not_made, sections_not_made
from analysis.locale import Text
from analysis.params.places import notebook_files, notebooks_in, read_plain, shown
from analysis.report.progress import Progress

if TYPE_CHECKING:
    from analysis.report.kernels import Kernels

FIRST_READER = 90
LARGEST_NOTEBOOK = 50_000_000  # bytes
# Below a run's folder: one file for each section in which something could not be made; the summary computes none of them again.
FAULTS = "faults"
# What concerns the whole run, wherever it is raised; anything else that a cell raises is a fault of the program in that cell.
STOPPING = frozenset(
    kind.__name__
    for kind in (
        ContractError,
        KeyboardInterrupt,
        MemoryError,
        NotebookFailed,
        ParameterError,
        PublicationRefused,
        SourceError,
    )
)
STANDARD = ("run_name", "month", "data", "as_of")
Value = str | int | float | bool
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, kw_only=True)
class Notebook:
    """A notebook of the report: where it is, its place, and the parameters it declares with their defaults."""

    path: Path
    section: str
    order: float
    title: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    cells: int = 0
    # as it was read: what is run and what is stated, whatever becomes of the file meanwhile
    content: bytes = field(default=b"", repr=False)

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def reads_others(self) -> bool:
        number = self.name.split("_")[0]
        return number.isdigit() and int(number) >= FIRST_READER

    @classmethod
    def read(cls, path: Path) -> Notebook:
        content = read_plain(path, largest=LARGEST_NOTEBOOK)
        try:
            read = json.loads(content)
            cells = _sound_cells(read)
            place = read["metadata"].get("after_sales", {})
            number = path.stem.split("_")[0]
            order = float(place.get("order", number if number.isdecimal() else 50))
            return cls(
                path=path,
                section=str(place.get("section", path.stem)),
                order=order if math.isfinite(order) else 50,
                title=title_of(cells) or path.stem,
                parameters=_parameters(cells, shown(path)),
                cells=len(cells),
                content=content,
            )
        except (ValueError, KeyError, TypeError, AttributeError, SyntaxError, RecursionError) as error:
            raise ParameterError(
                f"{shown(path)}: not a readable notebook ({type(error).__name__}: {str(error)[:200]}); open it in JupyterLab and save it again."
            ) from error


def _sound_cells(notebook: Any) -> list[Mapping[str, Any]]:
    """The cells, each with an id, a kind and a text; anything else is no notebook."""
    cells = notebook["cells"]
    if not isinstance(cells, list) or not cells:
        raise ValueError("it has no cells")
    if not isinstance(notebook["metadata"], dict):
        raise TypeError("its metadata are none")
    for cell in cells:
        if "id" not in cell:
            raise ValueError("cells without an id")
        if not isinstance(cell["cell_type"], str) or not isinstance(cell["metadata"].get("tags", []), list):
            raise TypeError("a cell without a kind, or with tags that are none")
        if not isinstance(source_of(cell), str):
            raise TypeError("a cell without a text")
    return cells


def source_of(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def title_of(cells: Iterable[Mapping[str, Any]]) -> str:
    """The first heading of a notebook; blank where there is none."""
    for cell in cells:
        if cell["cell_type"] == "markdown":
            for line in source_of(cell).splitlines():
                if line.startswith("# "):
                    return line[2:].strip()
    return ""


def _parameters(cells: Iterable[Mapping[str, Any]], name: str) -> dict[str, Value]:
    """Names and defaults of the cell tagged ``parameters``; each line there is ``name: type = literal``."""
    found: dict[str, Value] = {}
    for cell in cells:
        if "parameters" not in cell.get("metadata", {}).get("tags", []):
            continue
        for node in ast.parse(source_of(cell)).body:
            target = (
                node.target
                if isinstance(node, ast.AnnAssign)
                else node.targets[0]
                if isinstance(node, ast.Assign)
                else None
            )
            value = getattr(node, "value", None)
            if (
                isinstance(target, ast.Name)
                and isinstance(value, ast.Constant)
                and isinstance(value.value, (str, int, float, bool))
            ):
                found[target.id] = value.value
            elif not (isinstance(node, ast.Expr) and isinstance(value, ast.Constant)):
                raise ParameterError(
                    f"{name}: the parameters cell should hold lines like `month: str = "
                    "`, not `{ast.unparse(node)}`."
                )
    return found


def find_notebooks(
    folder: Path | None = None, wanted: Sequence[str] = (), *, registered: Sequence[str] | None = None
) -> list[Notebook]:
    """The notebooks of ``folder`` (or the project's and the shipped ones) in the order of the pack; ``wanted`` picks by file name, number or section.

    ``registered`` names those that belong to the report (file names without ending); others in the folder are scratch work and are not
    even read. None: every notebook there belongs to it.
    """
    there = notebooks_in(folder) if folder else notebook_files()
    paths = [path for path in there if registered is None or path.stem in registered]
    notebooks = [Notebook.read(path) for path in paths]
    if not notebooks:
        raise ParameterError(
            f"{folder.name if folder else 'notebooks'}/: holds no notebook of the report"
            f"{'' if registered is None else f' ({chr(44).join(registered)})'}; a report needs at least one."
        )
    return chosen_notebooks(sorted(notebooks, key=lambda notebook: (notebook.order, notebook.name)), wanted)


def chosen_notebooks(notebooks: Sequence[Notebook], wanted: Sequence[str]) -> list[Notebook]:
    """Those that are named by file, number or section, in the order given; all where none is named."""
    chosen = {_wanted(name, notebooks).path for name in wanted}
    return [notebook for notebook in notebooks if not wanted or notebook.path in chosen]


def scratch_notebooks(folder: Path | None, registered: Sequence[str]) -> list[str]:
    """Names of notebooks in ``folder`` that no section registers: the report does not run them."""
    there = notebooks_in(folder) if folder else notebook_files()
    return sorted(path.name for path in there if path.stem not in registered)


def _wanted(name: str, notebooks: Sequence[Notebook]) -> Notebook:
    stem = Path(name).name.removesuffix(".ipynb")
    for notebook in notebooks:
        if stem in (notebook.name, notebook.section, notebook.name.split("_")[0]):
            return notebook
    known = [name for notebook in notebooks for name in (notebook.name, notebook.section)]
    names = ", ".join(notebook.name for notebook in notebooks)
    raise ParameterError(f"notebook '{name}': no such notebook; there are {names}.{suggestion(stem, known)}")


def passed_parameters(
    notebook: Notebook, standard: Mapping[str, Value], extra: Mapping[str, str]
) -> dict[str, Value]:
    """Everything passed to one notebook: its defaults, the run's own, and what the user asked for, in the type of the default."""
    for name in standard:
        if name not in notebook.parameters:
            raise ParameterError(
                f"{notebook.path.name}: has no parameter '{name}'; its cell tagged 'parameters' must declare {', '.join(STANDARD)}."
            )
    own = {
        name: _typed(name, text, notebook.parameters[name])
        for name, text in extra.items()
        if name in notebook.parameters
    }
    return {**notebook.parameters, **own, **standard}


def refuse_unknown_parameters(extra: Mapping[str, str], notebooks: Sequence[Notebook]) -> None:
    """papermill only warns of a parameter that no notebook has, and the default is reported as if it had been asked for."""
    known = sorted({name for notebook in notebooks for name in notebook.parameters})
    for name, text in extra.items():
        if without_credentials(text) != text:
            raise ParameterError(
                f"parameter '{name}': holds an address with who connects, and parameters stand in the pack. Leave it out."
            )
        if name in STANDARD:
            raise ParameterError(
                f"parameter '{name}': set it with RUN=, MONTH= (QUARTER=, YEAR=), DATA= or AS_OF= (--run, --month, --quarter, --year, --data, --as-of), not as a notebook parameter."
            )
        if name not in known:
            raise ParameterError(
                f"parameter '{name}': no notebook of this run has it; known: {', '.join(known)}.{suggestion(name, known)}"
            )


def _typed(name: str, text: str, default: Value) -> Value:
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[text.lower()]
        return type(default)(text)
    except (KeyError, ValueError) as error:
        raise ParameterError(
            f"parameter '{name}': '{text}' should be {type(default).__name__}, like its default {default!r}."
        ) from error


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why one notebook stopped."""

    notebook: str
    cell: int | None
    heading: str
    kind: str
    text: str
    source: str
    cell_id: str = ""
    section: str = ""
    trace: str = ""
    # whether the notebook ended there, so that nothing of its section was made
    ended: bool = False

    @property
    def message(self) -> str:
        place = f"cell {self.cell}" if self.cell is not None else "before its first cell"
        under = f" (under “{self.heading}”)" if self.heading else ""
        source = "".join(f"\n    {line}" for line in self.source.strip().splitlines()[:12])
        return f"{self.notebook}: stopped at {place}{under}.\n  {self.kind}: {self.text}{source}\n  {self.advice}"

    @property
    def advice(self) -> str:
        if self.kind in ("ParameterError", "SourceError", "ContractError", "MissingData", "FitError"):
            return "Do what the message says, then run the report again."
        never_began = self.kind == "RuntimeError" and self.text.startswith("Kernel")
        if self.kind in ("DeadKernelError", "MemoryError") or never_began:
            return "The kernel did not start, died or ran out of memory: run fewer side by side (WORKERS=1) or on a machine with more memory."
        return "A fault in the notebook or the package: open the executed notebook at the marked cell, or run it in `make lab`."


def run_notebooks(
    notebooks: Sequence[Notebook],
    target: Path,
    *,
    standard: Mapping[str, Value],
    extra: Mapping[str, str],
    kernels: Kernels,
    workers: int,
    progress: Progress,
    faults: list[Failure] | None = None,
) -> list[Path]:
    """Execute every notebook into ``target`` (same file names), in the order given; raise NotebookFailed naming each that stopped.

    ``faults`` is a list to which faults of the program in single cells are added, the rest of the notebook being made; None: every fault
    stops its notebook.
    """
    refuse_unknown_parameters(extra, notebooks)
    jobs = {notebook.name: passed_parameters(notebook, standard, extra) for notebook in notebooks}
    target.mkdir(parents=True, exist_ok=True)
    failures: list[Failure] = []
    for stage in ([n for n in notebooks if not n.reads_others], [n for n in notebooks if n.reads_others]):
        if failures:
            break
        bars = {notebook.name: progress.bar(notebook.name, notebook.cells) for notebook in stage}
        before = list(faults or ())
        with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
            # the longest first, so that two workers end at about the same time
            order = sorted(stage, key=lambda notebook: -notebook.cells)
            try:
                done = [
                    pool.submit(
                        _execute, n, target / n.path.name, jobs[n.name], kernels, bars[n.name], faults
                    )
                    for n in order
                ]
                failures += [failure for future in done if (failure := future.result()) is not None]
            except BaseException:  # interrupted: the pool would wait for its notebooks to end
                pool.shutdown(wait=False, cancel_futures=True)
                kernels.stop()
                raise
        if faults is None:
            continue
        faults.sort(key=lambda fault: (fault.notebook, fault.cell or 0))
        _mark(faults, kernels)
        if before:
            for notebook in stage:
                _say_what_is_missing(notebook, target / notebook.path.name, before)
    if faults and {fault.notebook for fault in faults if fault.ended} == {n.path.name for n in notebooks}:
        failures, faults[:] = [*failures, *faults], []  # nothing could be made: that is no pack
    if failures:
        failures.sort(key=lambda failure: failure.notebook)
        raise NotebookFailed("\n".join(failure.message for failure in failures))
    return [target / notebook.path.name for notebook in notebooks]


def _mark(faults: Sequence[Failure], kernels: Kernels) -> None:
    """Leave a file for each section with a fault in the run's folder, where the notebooks that read the others look."""
    run_folder = kernels.environment.get("AFTER_SALES_RUN_DIR")
    if run_folder is None or not faults:
        return
    folder = Path(run_folder) / FAULTS
    folder.mkdir(parents=True, exist_ok=True)
    for fault in faults:
        (folder / f"{fault.section}.txt").write_text(f"{fault.cell_id}: {fault.kind}\n", encoding="utf-8")


def _execute(
    notebook: Notebook,
    output: Path,
    parameters: Mapping[str, Value],
    kernels: Kernels,
    step: Callable[[], None],
    faults: list[Failure] | None,
) -> Failure | None:
    import logging

    import papermill
    from papermill.exceptions import PapermillExecutionError

    engine = _engine()
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what it would log of a failure is in ours
    watch = None if faults is None else _Watch(notebook=notebook, faults=faults, near=output.parents[2])
    try:
        output.write_bytes(notebook.content)
        papermill.execute_notebook(
            _no_placeholders(output),
            _no_placeholders(output),
            parameters=dict(parameters),
            engine_name=engine,
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            start_timeout=120,
            iopub_timeout=600,  # nbclient gives up after four seconds, which a busy machine needs for one large table
            # for our engine and nbclient
            step=step,
            partial=output,
            watch=watch,
            allow_errors=watch is not None,
            kernel_manager_class=kernels.manager(folder=notebook.path.parent),
            shutdown_kernel="immediate",
            record_timing=False,
        )
    except PapermillExecutionError as error:
        machine = of_the_machine_in_a_cell(error.ename, error.evalue, near=output.parents[2])
        if machine is not None:
            raise machine from error
        ending = _ending(notebook, output, error, faults)
        if ending is not None:
            _end_section(output, error.cell_index, ending)
            return None
        return _failure(notebook, output, error.cell_index, error.ename, error.evalue, error.source)
    except Exception as error:
        if (machine := of_the_machine(error, near=output.parents[2])) is not None:
            raise machine from error
        index = _last_started(output)
        return _failure(notebook, output, index, type(error).__name__, str(error), "")
    finally:
        from jupyter_core.utils import ensure_event_loop

        ensure_event_loop().close()  # nbclient leaves this thread's loop open
    return None


# ---------------------------------------------------------------- a fault in one cell


@dataclass(kw_only=True)
class _Watch:
    """What one notebook could not make, cell by cell.

    ``lost`` holds the names that failed cells would have defined: a later cell that only misses one of them repeats a fault already told.
    """

    notebook: Notebook
    faults: list[Failure]
    near: Path
    lost: set[str] = field(default_factory=set)

    def settle(self, cells: Sequence[Any], index: int) -> None:
        """Put “this part could not be made” in the place of a cell's error; raise where the error ends the notebook."""
        cell = cells[index]
        errors = [output for output in cell.get("outputs", []) if output["output_type"] == "error"]
        if not errors:
            return
        error, tags = errors[0], cell["metadata"].get("tags", [])
        machine = of_the_machine_in_a_cell(error["ename"], error["evalue"], near=self.near)
        if (
            machine is not None
            or error["ename"] in STOPPING
            or {"setup", "parameters", "injected-parameters"} & set(tags)
        ):
            raise _stopped_by(error, cell, index)
        made = [output for output in cell["outputs"] if output["output_type"] != "error"]
        repeats = error["ename"] == "NameError" and any(f"'{name}'" in error["evalue"] for name in self.lost)
        if not repeats:
            fault = _fault(self.notebook, cells, index, error)
            self.faults.append(fault)
            made.append(output_of(_fault_block(self.notebook, fault)))
            # the remark is for the reader, whatever the cell was
            cell["metadata"]["tags"] = [tag for tag in tags if tag != "remove-cell"]
        self.lost |= _defined(cell["source"])
        cell["outputs"] = made


def _stopped_by(error: Mapping[str, Any], cell: Mapping[str, Any], index: int) -> Exception:
    from papermill.exceptions import PapermillExecutionError

    stopped: Exception = PapermillExecutionError(
        cell_index=index,
        exec_count=cell.get("execution_count"),
        source=cell["source"],
        ename=error["ename"],
        evalue=error["evalue"],
        traceback=error["traceback"],
    )
    return stopped


def _fault(
    notebook: Notebook,
    cells: Sequence[Mapping[str, Any]],
    index: int,
    error: Mapping[str, Any],
    *,
    ended: bool = False,
) -> Failure:
    return Failure(
        notebook=notebook.path.name,
        cell=index + 1,
        heading=_heading(cells, index),
        kind=error["ename"],
        text=error["evalue"],
        source=source_of(cells[index]),
        cell_id=str(cells[index].get("id", "")),
        section=notebook.section,
        trace=_ANSI.sub("", "\n".join(error["traceback"])),
        ended=ended,
    )


def _defined(source: str) -> set[str]:
    """Names that a cell assigns or imports, at its top level."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return set()
    found: set[str] = set()
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            found |= {
                name.id
                for name in ast.walk(node)
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            }
    return found


def _fault_block(notebook: Notebook, fault: Failure) -> Block:
    return not_made(
        id=f"{notebook.section}.not_made.{fault.cell_id}",
        kind=fault.kind,
        notebook=notebook.name,
        cell=fault.cell_id,
    )


def _ending(notebook: Notebook, output: Path, error: Any, faults: list[Failure] | None) -> Block | None:
    """What a notebook says whose setup cell ends it while the other sections are still made; None when the run must stop.

    Data absent as a whole are no fault: the section says what it needs. Only the setup cell may end a section so; further down a part says
    for itself what it lacks. A fault of the program in the setup cell is told, where the caller takes faults.
    """
    cells = _cells_of(output)
    if "setup" not in cells[error.cell_index]["metadata"].get("tags", []) or error.ename in STOPPING:
        return None
    if error.ename == MissingData.__name__:
        needs = error.evalue.removeprefix("not computed: needs ").split(", ")
        return not_computed(
            MissingData(*needs), id=f"{notebook.section}.not_computed", what=Text.of(notebook.title)
        )
    if faults is None:
        return None
    told = {"ename": error.ename, "evalue": error.evalue, "traceback": error.traceback}
    fault = _fault(notebook, cells, error.cell_index, told, ended=True)
    faults.append(fault)
    return _fault_block(notebook, fault)


def _end_section(output: Path, index: int, block: Block) -> None:
    """The executed notebook ends at ``index``, with the block as what that cell shows."""
    executed = _executed(output)
    executed["cells"] = _cells_of(output)[: index + 1]
    _show_in(executed["cells"][index], [output_of(block)])
    output.write_text(json.dumps(executed, ensure_ascii=False, indent=1), encoding="utf-8")


def _say_what_is_missing(notebook: Notebook, output: Path, faults: Sequence[Failure]) -> None:
    """A notebook that reads the others says, before anything else, in which of them something could not be made."""
    executed = _executed(output)
    setup = [cell for cell in executed["cells"] if "setup" in cell["metadata"].get("tags", [])]
    if not setup:
        return
    names = list(dict.fromkeys(fault.notebook.removesuffix(".ipynb") for fault in faults))
    block = sections_not_made(id=f"{notebook.section}.not_made", notebooks=names)
    _show_in(setup[0], [*setup[0]["outputs"], output_of(block)])
    output.write_text(json.dumps(executed, ensure_ascii=False, indent=1), encoding="utf-8")


def _show_in(cell: dict[str, Any], outputs: list[Any]) -> None:
    tags = cell["metadata"].get("tags", [])
    cell["metadata"]["tags"] = [tag for tag in tags if tag not in ("setup", "remove-cell")]
    cell["outputs"] = outputs


def output_of(block: Block) -> Any:
    """A block as the output of a cell, as the notebook itself would show it."""
    from nbformat.v4 import new_output

    data = {MIME: dict(block.payload), "text/html": block.html("en"), "text/plain": block.plain()}
    return new_output("display_data", data=data)


def _executed(output: Path) -> dict[str, Any]:
    """An executed notebook as it was written; a file that ends early was cut by the machine."""
    try:
        written: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    except ValueError as error:
        raise PlaceError(
            f"{output.name}: could not be written whole. Free some space, see that nothing else writes there, and run it again."
        ) from error
    return written


def _cells_of(output: Path) -> list[dict[str, Any]]:
    """The cells of an executed notebook without papermill's own remarks."""
    cells = _executed(output)["cells"]
    return [cell for cell in cells if "papermill-error-cell-tag" not in cell["metadata"].get("tags", [])]


# ---------------------------------------------------------------- papermill


def _no_placeholders(path: Path) -> str:
    """papermill reads {name} in a path as a parameter."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _engine() -> str:
    """papermill's own engine, with a step after each cell and the notebook kept when the kernel dies."""
    from papermill.engines import NBClientEngine, papermill_engines

    class Engine(NBClientEngine):  # type: ignore[misc]
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            import nbformat

            step, partial, watch = options.pop("step"), options.pop("partial"), options.pop("watch")
            complete = nb_man.cell_complete

            def cell_complete(cell: Any, cell_index: int | None = None, **rest: Any) -> None:
                complete(cell, cell_index=cell_index, **rest)
                step()
                if watch is not None and cell_index is not None and cell.cell_type == "code":
                    watch.settle(nb_man.nb.cells, cell_index)

            nb_man.cell_complete = cell_complete
            try:
                return super().execute_managed_notebook(nb_man, kernel_name, **options)
            except Exception:
                nbformat.write(nb_man.nb, partial)
                raise

    name = "after-sales"
    papermill_engines.register(name, Engine)
    return name


def _last_started(output: Path) -> int | None:
    """The cell that a dead kernel was in, from papermill's marks in the partial notebook."""
    if not output.is_file():
        return None
    cells = _executed(output)["cells"]
    started = [i for i, cell in enumerate(cells) if cell["metadata"].get("papermill", {}).get("start_time")]
    return started[-1] if started else None


def _heading(cells: Sequence[Mapping[str, Any]], index: int) -> str:
    """The heading under which a cell stands."""
    headings = [
        line.lstrip("# ")
        for cell in cells[:index]
        if cell["cell_type"] == "markdown"
        for line in source_of(cell).splitlines()
        if line.startswith("#")
    ]
    return headings[-1] if headings else ""


def _failure(
    notebook: Notebook, output: Path, index: int | None, kind: str, text: str, source: str
) -> Failure:
    heading = ""
    if index is not None and output.is_file():
        cells = _cells_of(output)
        heading = _heading(cells, index)
        source = source or source_of(cells[index])
    return Failure(
        notebook=notebook.path.name,
        cell=None if index is None else index + 1,
        heading=heading,
        kind=kind,
        text=text,
        source=source,
    )
