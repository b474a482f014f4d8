"""Companies studied one after the other, each kept as one line: a run that was stopped goes on where it stood."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import analysis
from analysis.errors import ParameterError, suggestion
from analysis.nulls.asking import STUDIES, Answer
from analysis.nulls.companies import Setting
from analysis.nulls.covering import COVERED, Coverage, Planted
from analysis.nulls.named import SIGNS, OfTemplate, Reported, studies_of
from analysis.params.places import with_own

if TYPE_CHECKING:
    from analysis.metrics import StudyInputs
    from analysis.sample import SampleTruth

#: The smallest company in which every test of the studies has the cases that it asks for; see ``docs/NULLS.md``.
SCALE = 0.12
FIRST_SEED = 1
#: What the answers of every study depend on.
SHARED = ("params", "tables", "metrics", "sample", "workbook")
Progress = Callable[[str], None]
WITHOUT_TRUTHS = " without truths"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What companies are made for: which they are, what each study is asked of them (``told``: knowing what is planted), and how an answer is kept."""

    name: str
    company: Callable[[float], Setting | OfTemplate]
    studies: Mapping[str, Callable[..., Any]]
    answer: type[Any]
    told: bool = False


class Confounded(Setting):
    """Nothing is planted but that better tiers are served faster and leave less: whoever takes a confounder for a cause is caught."""

    def company(self, seed: int) -> tuple[StudyInputs, SampleTruth]:
        from analysis.sample import TRUTHS, generate_arrow

        off = frozenset(TRUTHS) - {"tier_confounding"}
        made, truth = generate_arrow(seed=seed, off=off, scale=self.scale)
        return self.opened(made, f"confounded-{seed}"), truth


NULLS = Question(name="nulls", company=Setting, studies=STUDIES, answer=Answer)
CONFOUNDED = Question(name="confounded", company=Confounded, studies=STUDIES, answer=Answer)
PLANTED = Question(name="planted", company=Planted, studies=COVERED, answer=Coverage, told=True)
QUESTIONS = {one.name: one for one in (NULLS, CONFOUNDED, PLANTED)}


def question_of(name: str) -> Question:
    """A question by its name; ``saas`` and ``saas without truths`` ask a template's companies for what is planted in them.

    Raises
    ------
    ParameterError : no such question
    """
    if name in QUESTIONS:
        return QUESTIONS[name]
    template, _, without = name.partition(WITHOUT_TRUTHS)
    if template not in SIGNS:
        raise ParameterError(
            f"nulls: no template '{template}'.{suggestion(template, SIGNS)} Known: {', '.join(SIGNS)}."
        )
    null = name.endswith(WITHOUT_TRUTHS)
    # any study may raise a false alarm; what is planted is named by those that have a sign
    naming = {sign.section for sign in SIGNS[template].values()}
    return Question(
        name=name,
        company=lambda scale: OfTemplate(template, scale, null=null),
        studies={id_: study for id_, study in studies_of(template).items() if null or id_ in naming},
        answer=Reported,
        told=True,
    )


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the studies said of the company of one seed: by study, an ``Answer``, a ``Coverage`` or what was ``Reported``."""

    seed: int
    answers: Mapping[str, Any]

    def line(self, versions: Mapping[str, str]) -> str:
        answers = {name: asdict(one) | {"code": versions[name]} for name, one in self.answers.items()}
        return json.dumps({"seed": self.seed, "answers": answers})


def run(
    seeds: int,
    question: Question = NULLS,
    *,
    studies: Sequence[str] = (),
    workers: int = 1,
    scale: float = SCALE,
    folder: Path,
    progress: Progress = print,
) -> tuple[Record, ...]:
    """The records of seeds 1 to ``seeds``; what an earlier run of the same code kept in ``folder`` is not made again.

    Raises
    ------
    ParameterError : no such study, or fewer than one seed or worker
    """
    asked = chosen(studies, question)
    if seeds < 1 or workers < 1:
        raise ParameterError(f"nulls: {seeds} seeds and {workers} workers; at least one of each is needed.")
    versions = {name: code_version(name, question) for name in asked}
    kept = folder / f"{question.name}-{scale:g}.jsonl"
    known = kept_answers(kept, versions, question)
    every = range(FIRST_SEED, FIRST_SEED + seeds)
    lacking = {
        seed: names
        for seed in every
        if (names := tuple(name for name in asked if name not in known.get(seed, {})))
    }
    if len(lacking) < seeds:
        progress(f"{seeds - len(lacking)} of {seeds} companies are known from {kept.name}")
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with kept.open("a", encoding="utf-8") as lines:
        for done, record in enumerate(_studied(question, lacking, scale, workers), start=1):
            lines.write(record.line(versions) + "\n")
            lines.flush()
            known.setdefault(record.seed, {}).update(record.answers)
            progress(_said(record, done, len(lacking), time.monotonic() - begun))
    return tuple(Record(seed=seed, answers={name: known[seed][name] for name in asked}) for seed in every)


def chosen(studies: Sequence[str], question: Question) -> tuple[str, ...]:
    """The studies by name, all where none is named."""
    known = question.studies
    for name in studies:
        if name not in known:
            raise ParameterError(
                f"nulls: no study '{name}'.{suggestion(name, known)} Known: {', '.join(known)}."
            )
    return tuple(name for name in known if not studies or name in studies)


def kept_answers(file: Path, versions: Mapping[str, str], question: Question) -> dict[int, dict[str, Any]]:
    """By seed, the answers of studies whose code has not changed; a line that a killed run left half written is dropped."""
    known: dict[int, dict[str, Any]] = {}
    if not file.is_file():
        return known
    text = file.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        file.write_text(whole, encoding="utf-8")
    for line in whole.splitlines():
        record: Any = json.loads(line)
        for name, answer in record["answers"].items():
            if answer.pop("code") == versions.get(name):
                parts = {part: tuple(kinds) for part, kinds in answer.items()}
                known.setdefault(record["seed"], {})[name] = question.answer(**parts)
    return known


def code_version(study: str, question: Question = NULLS) -> str:
    """A hash of what the answers of a study depend on: its package, what all studies share, the estimators that it names, and the parameters."""
    from analysis.params import project_root

    package = Path(analysis.__file__).parent
    own = sorted((package / study).rglob("*.py"))
    shared = [path for name in SHARED for path in sorted((package / name).rglob("*"))]
    # the metrics of other studies are theirs alone
    others = set(STUDIES) - {study}
    params = [
        path
        for path in sorted((project_root() / "params").rglob("*.yml"))
        if path.parent.name != "metrics" or path.stem.split("_")[0] not in others
    ]
    digest = hashlib.sha256(inspect.getsource(question.studies[study]).encode())
    opening = package / "nulls" / "companies.py"
    for path in [*own, *shared, *_estimators(package / "stats", own), opening, *params]:
        if path.suffix in (".py", ".sql", ".yml"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _estimators(stats: Path, own: Sequence[Path]) -> list[Path]:
    """The modules of ``stats`` whose names a study uses, and those that they use in turn."""
    offered = dict(
        reversed(pair)
        for pair in re.findall(r"from \.(\w+) import (\w+)", (stats / "__init__.pyi").read_text())
    )
    modules = {path.stem for path in stats.glob("*.py")}

    def named(text: str) -> set[str]:
        return set(re.findall(r"analysis\.stats\.(\w+)", text)) & modules

    text = "\n".join(path.read_text(encoding="utf-8") for path in own)
    found = {module for name, module in offered.items() if re.search(rf"\b{name}\b", text)} | named(text)
    todo = list(found)
    while todo:
        more = named((stats / f"{todo.pop()}.py").read_text(encoding="utf-8")) - found
        found |= more
        todo += more
    return [stats / f"{name}.py" for name in sorted(found)]


def study_company(question: Question, scale: float, seed: int, studies: Sequence[str]) -> Record:
    """One company, made and studied."""
    setting = _setting(question.name, scale)
    with with_own(setting.params.own_params):
        inputs, truth = setting.company(seed)
        planted = (truth,) if question.told else ()
        return Record(seed=seed, answers={name: question.studies[name](inputs, *planted) for name in studies})


@cache
def _setting(question: str, scale: float) -> Setting | OfTemplate:
    return question_of(question).company(scale)


def _asked_of(name: str, scale: float, seed: int, studies: Sequence[str]) -> Record:
    """The same in a process of its own, to which functions do not travel."""
    return study_company(question_of(name), scale, seed, studies)


def _studied(
    question: Question, lacking: Mapping[int, Sequence[str]], scale: float, workers: int
) -> Iterator[Record]:
    if workers == 1:
        yield from (study_company(question, scale, seed, studies) for seed, studies in lacking.items())
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:  # they inherit ONE_THREAD
        tasks = [
            pool.submit(_asked_of, question.name, scale, seed, studies) for seed, studies in lacking.items()
        ]
        yield from (task.result() for task in as_completed(tasks))


def _said(record: Record, done: int, of: int, passed: float) -> str:
    each = passed / done
    found = [
        kind
        for answer in record.answers.values()
        for kind in (answer.missed if isinstance(answer, Coverage) else answer.alarms)
    ]
    return (
        f"{done}/{of}  seed {record.seed}: {', '.join(found) or 'nothing'}  "
        f"({each:.0f} s per company, {each * (of - done) / 60:.0f} min left)"
    )
