"""Companies studied one after the other, each kept as one line: a run that was stopped goes on where it stood."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import analysis
from analysis.errors import ParameterError, suggestion
from analysis.nulls.asking import STUDIES, Answer
from analysis.nulls.companies import Setting

#: The smallest company in which every test of the studies has the cases that it asks for; see ``docs/NULLS.md``.
SCALE = 0.12
FIRST_SEED = 1
#: One thread in the kernels and in the engine: the answers are the same, and companies run side by side instead.
ONE_THREAD = {
    name: "1"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "AFTER_SALES_THREADS")
}
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the studies said of the company of one seed, and how long it took."""

    seed: int
    answers: Mapping[str, Answer]
    seconds: float

    def line(self) -> str:
        answers = {name: asdict(answer) for name, answer in self.answers.items()}
        return json.dumps({"seed": self.seed, "seconds": round(self.seconds, 1), "answers": answers})

    @classmethod
    def parse(cls, line: str) -> Record:
        read: Any = json.loads(line)
        answers = {
            name: Answer(**{part: tuple(kinds) for part, kinds in answer.items()})
            for name, answer in read["answers"].items()
        }
        return cls(seed=read["seed"], seconds=read["seconds"], answers=answers)


def run(
    seeds: int,
    *,
    studies: Sequence[str] = (),
    workers: int = 1,
    scale: float = SCALE,
    folder: Path,
    progress: Progress = print,
) -> tuple[Record, ...]:
    """The records of seeds 1 to ``seeds``, with those of an earlier run of the same code that were kept in ``folder``.

    Raises
    ------
    ParameterError : no such study, or fewer than one seed or worker
    """
    asked = chosen(studies)
    if seeds < 1 or workers < 1:
        raise ParameterError(f"nulls: {seeds} seeds and {workers} workers; at least one of each is needed.")
    kept = folder / f"nulls-{scale:g}-{code_version()}.jsonl"
    known = {record.seed: record for record in kept_records(kept) if set(asked) <= set(record.answers)}
    open_seeds = [seed for seed in range(FIRST_SEED, FIRST_SEED + seeds) if seed not in known]
    if known:
        progress(f"{seeds - len(open_seeds)} of {seeds} companies are known from {kept.name}")
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with kept.open("a", encoding="utf-8") as lines:
        for done, record in enumerate(_studied(open_seeds, asked, scale, workers), start=1):
            lines.write(record.line() + "\n")
            lines.flush()
            known[record.seed] = record
            progress(_said(record, done, len(open_seeds), time.monotonic() - begun))
    return tuple(known[seed] for seed in range(FIRST_SEED, FIRST_SEED + seeds))


def chosen(studies: Sequence[str]) -> tuple[str, ...]:
    """The studies by name, all where none is named."""
    for name in studies:
        if name not in STUDIES:
            raise ParameterError(
                f"nulls: no study '{name}'.{suggestion(name, STUDIES)} Known: {', '.join(STUDIES)}."
            )
    return tuple(name for name in STUDIES if not studies or name in studies)


def kept_records(file: Path) -> list[Record]:
    """The records of a file, without the line that a killed run may have left half written."""
    if not file.is_file():
        return []
    whole = file.read_text(encoding="utf-8")
    if whole and not whole.endswith("\n"):
        whole = whole[: whole.rfind("\n") + 1]
        file.write_text(whole, encoding="utf-8")
    return [Record.parse(line) for line in whole.splitlines()]


def code_version() -> str:
    """A hash of the package and its parameters: what was found by other code is not counted."""
    from analysis.params import project_root

    package = Path(analysis.__file__).parent
    files = [*package.rglob("*.py"), *package.rglob("*.sql"), *(project_root() / "params").rglob("*.yml")]
    digest = hashlib.sha256()
    for path in sorted(files):
        if path.parts[-2] != "nulls" and "report" not in path.parts and "exhibits" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def study_company(setting: Setting, seed: int, studies: Sequence[str]) -> Record:
    """One company, made and studied."""
    begun = time.monotonic()
    inputs, _ = setting.company(seed)
    answers = {name: STUDIES[name](inputs) for name in studies}
    return Record(seed=seed, answers=answers, seconds=time.monotonic() - begun)


def _studied(seeds: Sequence[int], studies: Sequence[str], scale: float, workers: int) -> Iterator[Record]:
    setting = Setting(scale)
    if workers == 1:
        yield from (study_company(setting, seed, studies) for seed in seeds)
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=os.environ.update, initargs=(ONE_THREAD,)
    ) as pool:
        tasks = [pool.submit(study_company, setting, seed, studies) for seed in seeds]
        yield from (task.result() for task in as_completed(tasks))


def _said(record: Record, done: int, of: int, passed: float) -> str:
    left = passed / done * (of - done) / 60
    found = [kind for answer in record.answers.values() for kind in answer.alarms]
    return f"{done}/{of}  seed {record.seed}: {', '.join(found) or 'nothing'}  ({record.seconds:.0f} s, {left:.0f} min left)"
