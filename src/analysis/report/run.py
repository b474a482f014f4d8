"""Running the notebooks: two side by side, each once for both languages, every parameter passed and recorded.

A notebook whose number is 90 or more reads what the others published, so it runs after all of them.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import MissingData, NotebookFailed, ParameterError, suggestion
from analysis.exhibits.record import MIME
from analysis.exhibits.statements import not_computed
from analysis.locale import Text
from analysis.report.progress import Progress

if TYPE_CHECKING:
    from analysis.report.kernels import Kernels

FIRST_READER = 90
STANDARD = ("run_name", "month", "data", "as_of")
Value = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class Notebook:
    """A notebook of the report: where it is, its place, and the parameters it declares with their defaults."""

    path: Path
    section: str
    order: float
    title: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    cells: int = 0

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def reads_others(self) -> bool:
        number = self.name.split("_")[0]
        return number.isdigit() and int(number) >= FIRST_READER

    @classmethod
    def read(cls, path: Path) -> Notebook:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            cells = content["cells"]
            if not all("id" in cell for cell in cells):
                raise ValueError("cells without an id")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ParameterError(
                f"{path.name}: not a readable notebook ({error}); open it in JupyterLab and save it again."
            ) from error
        place = content.get("metadata", {}).get("after_sales", {})
        number = path.stem.split("_")[0]
        return cls(
            path=path,
            section=str(place.get("section", path.stem)),
            order=float(place.get("order", number if number.isdigit() else 50)),
            title=_title(cells) or path.stem,
            parameters=_parameters(cells, path.name),
            cells=len(cells),
        )


def source_of(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _title(cells: Iterable[Mapping[str, Any]]) -> str:
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


def find_notebooks(folder: Path, wanted: Sequence[str] = ()) -> list[Notebook]:
    """The notebooks of ``folder`` in the order of the pack; ``wanted`` picks by file name, number or section."""
    notebooks = [Notebook.read(path) for path in sorted(folder.glob("*.ipynb"))]
    if not notebooks:
        raise ParameterError(f"{folder.name}/: holds no notebooks (*.ipynb); a report needs at least one.")
    if wanted:
        chosen = {_wanted(name, notebooks).path for name in wanted}
        notebooks = [notebook for notebook in notebooks if notebook.path in chosen]
    return sorted(notebooks, key=lambda notebook: (notebook.order, notebook.name))


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
    for name in extra:
        if name in STANDARD:
            raise ParameterError(
                f"parameter '{name}': set it with RUN=, MONTH=, DATA= or AS_OF= (--run, --month, --data, --as-of), not as a notebook parameter."
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
        if self.kind in ("DeadKernelError", "MemoryError"):
            return "The kernel died or ran out of memory: run fewer side by side (WORKERS=1) or on a machine with more memory."
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
) -> list[Path]:
    """Execute every notebook into ``target`` (same file names), in the order given; raise NotebookFailed naming each that stopped."""
    refuse_unknown_parameters(extra, notebooks)
    jobs = {notebook.name: passed_parameters(notebook, standard, extra) for notebook in notebooks}
    target.mkdir(parents=True, exist_ok=True)
    failures: list[Failure] = []
    for stage in ([n for n in notebooks if not n.reads_others], [n for n in notebooks if n.reads_others]):
        if failures:
            break
        bars = {notebook.name: progress.bar(notebook.name, notebook.cells) for notebook in stage}
        with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
            # the longest first, so that two workers end at about the same time
            order = sorted(stage, key=lambda notebook: -notebook.cells)
            try:
                done = [
                    pool.submit(_execute, n, target / n.path.name, jobs[n.name], kernels, bars[n.name])
                    for n in order
                ]
                failures += [failure for future in done if (failure := future.result()) is not None]
            except BaseException:  # interrupted: the pool would wait for its notebooks to end
                pool.shutdown(wait=False, cancel_futures=True)
                kernels.stop()
                raise
    if failures:
        failures.sort(key=lambda failure: failure.notebook)
        raise NotebookFailed("\n".join(failure.message for failure in failures))
    return [target / notebook.path.name for notebook in notebooks]


def _execute(
    notebook: Notebook,
    output: Path,
    parameters: Mapping[str, Value],
    kernels: Kernels,
    step: Callable[[], None],
) -> Failure | None:
    import logging

    import papermill
    from papermill.exceptions import PapermillExecutionError

    engine = _engine()
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what it would log of a failure is in ours
    try:
        papermill.execute_notebook(
            _no_placeholders(notebook.path),
            _no_placeholders(output),
            parameters=dict(parameters),
            engine_name=engine,
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            start_timeout=120,
            # for our engine and nbclient
            step=step,
            partial=output,
            kernel_manager_class=kernels.manager(folder=notebook.path.parent),
            shutdown_kernel="immediate",
            record_timing=False,
        )
    except PapermillExecutionError as error:
        if error.ename == MissingData.__name__ and _ends_not_computed(
            notebook, output, error.cell_index, error.evalue
        ):
            return None
        return _failure(notebook, output, error.cell_index, error.ename, error.evalue, error.source)
    except Exception as error:
        index = _last_started(output)
        return _failure(notebook, output, index, type(error).__name__, str(error), "")
    return None


def _ends_not_computed(notebook: Notebook, output: Path, index: int, text: str) -> bool:
    """A section whose data are absent as a whole ends at its setup cell, which then says what it needs; the other sections are still made.

    Only the setup cell may end a section so: further down a part says for itself what it lacks, and a refusal there is a fault.
    """
    executed = json.loads(output.read_text(encoding="utf-8"))
    cells = [
        cell
        for cell in executed["cells"]
        if "papermill-error-cell-tag" not in cell["metadata"].get("tags", [])
    ]
    tags = cells[index]["metadata"].get("tags", [])
    if "setup" not in tags:
        return False
    needs = text.removeprefix("not computed: needs ").split(", ")
    block = not_computed(
        MissingData(*needs), id=f"{notebook.section}.not_computed", what=Text.of(notebook.title)
    )
    data = {MIME: dict(block.payload), "text/html": block.html("en"), "text/plain": block.plain()}
    cells[index]["metadata"]["tags"] = [tag for tag in tags if tag not in ("setup", "remove-cell")]
    cells[index]["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]
    executed["cells"] = cells[: index + 1]
    output.write_text(json.dumps(executed, ensure_ascii=False, indent=1), encoding="utf-8")
    return True


def _no_placeholders(path: Path) -> str:
    """papermill reads {name} in a path as a parameter."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _engine() -> str:
    """papermill's own engine, with a step after each cell and the notebook kept when the kernel dies."""
    from papermill.engines import NBClientEngine, papermill_engines

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            import nbformat

            step, partial = options.pop("step"), options.pop("partial")
            complete = nb_man.cell_complete

            def cell_complete(cell: Any, cell_index: int | None = None, **rest: Any) -> None:
                complete(cell, cell_index=cell_index, **rest)
                step()

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
    cells = json.loads(output.read_text(encoding="utf-8"))["cells"]
    started = [i for i, cell in enumerate(cells) if cell["metadata"].get("papermill", {}).get("start_time")]
    return started[-1] if started else None


def _failure(
    notebook: Notebook, output: Path, index: int | None, kind: str, text: str, source: str
) -> Failure:
    heading = ""
    if index is not None and output.is_file():
        cells = json.loads(output.read_text(encoding="utf-8"))["cells"]
        cells = [cell for cell in cells if "papermill-error-cell-tag" not in cell["metadata"].get("tags", [])]
        headings = [
            line.lstrip("# ")
            for cell in cells[:index]
            if cell["cell_type"] == "markdown"
            for line in source_of(cell).splitlines()
            if line.startswith("#")
        ]
        heading = headings[-1] if headings else ""
        source = source or source_of(cells[index])
    return Failure(
        notebook=notebook.path.name,
        cell=None if index is None else index + 1,
        heading=heading,
        kind=kind,
        text=text,
        source=source,
    )
