"""Is the record fit to be issued? Every doubt here stops publication; each names its place and what to do.

What is asked: every cell ran and none hid an error in a stream; every wording has its translation; every number in words,
tiles, tables and drawings is a fact and agrees with it; no personal data, secret or machine path is in an output; every
evidence file a finding names is there; every number stands under its own heading.
"""

from __future__ import annotations

import csv
import re
import string
import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

from analysis.exhibits.record import MIME
from analysis.exhibits.shape import misplaced
from analysis.locale import LANGUAGES, Language
from analysis.report.exhibit_index import EXHIBITS
from analysis.report.gates import Problem
from analysis.report.leaks import leaks
from analysis.report.made_files import notebook_problems
from analysis.report.pack_texts import cells, json_strings, notebook_texts
from analysis.report.prose_gate import prose_problems
from analysis.report.record import Json, PackRecord, Place, evidence_stem
from analysis.report.run import source_of
from analysis.report.shown import shows


def record_problems(
    record: PackRecord,
    *,
    personal: frozenset[str],
    paths: Sequence[str],
    regions: Collection[str] = (),
    allowed: Collection[str] = (),
) -> list[Problem]:
    """Everything that can be said before the pack is exported.

    Parameters
    ----------
    record : what the notebooks published
    personal : values of the columns that the contract marks as personal
    paths : folders of this machine
    regions, allowed : see :func:`analysis.report.leaks.leaks`
    """
    problems = [
        problem
        for name, notebook in record.notebooks.items()
        for problem in (
            *_execution(name, notebook),
            *prose_problems(name, notebook),
            *notebook_problems(name, notebook, allowed),
        )
    ]
    for place, block in record.blocks:
        problems += _untranslated(place, block)
        problems += [
            Problem(gate="numbers", place=f"{place}, {block['id']}", text=text)
            for text in (*_numbers(block, record.facts), *_misplaced(block, record.facts))
        ]
        problems += [
            Problem(gate="direction", place=f"{place}, {block['id']}", text=text)
            for language in LANGUAGES
            for segments in _segment_lists(block, language)
            for text in _direction(segments, record.facts, language)
        ]
    problems += _blocking(record)
    problems += _evidence(record)
    problems += _private(record, personal, paths, regions, allowed)
    return list(dict.fromkeys(problems))


# ---------------------------------------------------------------- execution

_STREAM_ERROR = re.compile(
    r"Traceback \(most recent call last\)|^\s*(?:\w+\.)*[A-Z]\w*(?:Error|Exception)\b *:|^\s*(?:ERROR|CRITICAL|FATAL)\b",
    re.MULTILINE,
)


def _execution(name: str, notebook: Json) -> Iterator[Problem]:
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] != "code" or not source_of(cell).strip():
            continue
        place = str(Place(notebook=name, cell=number))
        if cell.get("execution_count") is None:
            yield Problem(gate="executed", place=place, text="this cell did not run; run the report again.")
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                yield Problem(
                    gate="executed",
                    place=place,
                    text=f"holds an error: {output['ename']}: {output['evalue']}",
                )
            elif output["output_type"] == "stream" and (
                match := _STREAM_ERROR.search(source_of({"source": output["text"]}))
            ):
                yield Problem(
                    gate="executed",
                    place=place,
                    text=f"wrote an error as text ({match[0].strip()}); find its cause, a report must not run over it.",
                )


def _untranslated(place: Place, block: Json) -> Iterator[Problem]:
    for message in block.get("untranslated", []):
        yield Problem(
            gate="translated",
            place=f"{place}, {block['id']}",
            text=f"no Chinese wording for “{message}”; add it to src/analysis/locale/zh/*.po.",
        )


# ---------------------------------------------------------------- numbers

_DIGIT = re.compile(r"\d")
# A label that is nothing but a quantity is a number that has lost its fact.
_QUANTITY = re.compile(
    r"\W*(?:[A-Z]{3} )?[+−-]?\d[\d,]*(?:\.\d+)?\s*(?:%|pp|个百分点|万元|亿元|元|thousand|million|billion)\W*"
)


@cache
def _template_pieces(language: Language) -> frozenset[str]:
    """Literal pieces of the catalogue's messages that hold a digit of their own (“within 30 days”)."""
    from analysis.locale import catalogue

    pieces: set[str] = set()
    for message, wording in catalogue("zh").items():
        template = message if language == "en" else wording
        try:
            for literal, _, specification, _ in string.Formatter().parse(template):
                pieces.update(
                    piece for piece in (literal, *(specification or "").split("|")) if _DIGIT.search(piece)
                )
        except ValueError:  # prose with a lone brace is no template
            pieces.add(template)
    return frozenset(pieces)


def _numbers(block: Json, facts: Mapping[str, Json]) -> Iterator[str]:
    """What is wrong with the numbers of one block."""
    for language in LANGUAGES:
        for segments in _segment_lists(block, language):
            for segment in segments:
                yield from _segment(segment, facts, language)
    for listing in (block, block.get("data") or {}):
        for row in listing.get("rows", []):
            for cell in row["cells"]:
                yield from _cell(cell, facts)
    for drawing, language in _drawings(block):
        yield from _drawing(drawing, facts, language)


def _misplaced(block: Json, facts: Mapping[str, Json]) -> Iterator[str]:
    """A right number under a wrong heading: not of the metric, slice or period that its column, row or tile states."""
    for text in misplaced(block, facts):
        yield f"{text} The number stands under a heading that is not its own; correct the exhibit."


def _segment_lists(node: Any, language: Language) -> Iterator[list[Json]]:
    """Every list of segments below ``node``: mappings with both languages whose values are lists."""
    if isinstance(node, dict):
        wording = node.get(language)
        if isinstance(wording, list) and all(
            isinstance(segment, dict) and "t" in segment for segment in wording
        ):
            yield wording
            return
        for key, value in node.items():
            if key not in ("facts", "svg"):
                yield from _segment_lists(value, language)
    elif isinstance(node, list):
        for value in node:
            yield from _segment_lists(value, language)


def _segment(segment: Json, facts: Mapping[str, Json], language: Language) -> Iterator[str]:
    text, kind = segment["t"], segment.get("k", "words")
    if kind == "fact":
        yield from _fact_text(text, segment.get("fact"), facts, language)
    elif kind == "words" and _DIGIT.search(text) and text not in _template_pieces(language):
        yield f"“{text.strip()}” ({language}) holds a number that is no fact: pass it to the sentence as a fact, or add the template that holds it to the catalogue."
    elif kind == "label" and _QUANTITY.fullmatch(text):
        yield f"“{text}” ({language}) is a quantity printed as a label; make it a fact."


_RISES = re.compile(
    r"\b(?:rose|risen|rises|grew|increased|climbed|up|higher) by $|(?:上升|增加|增长|上涨|高出)(?:了)?$"
)
_FALLS = re.compile(
    r"\b(?:fell|fallen|falls|dropped|decreased|declined|down|lower) by $|(?:下降|减少|降低|下跌|低)(?:了)?$"
)


def _direction(segments: Sequence[Json], facts: Mapping[str, Json], language: Language) -> Iterator[str]:
    """“rose by −3%”, “fell by +3%”, and a rise of what fell: the words before a number say another thing than its sign."""
    for words, segment in zip(segments, segments[1:], strict=False):
        fact = facts.get(segment.get("fact") or "")
        if segment.get("k") != "fact" or fact is None or not isinstance(fact["value"], int | float):
            continue
        before, text = words["t"].rstrip() + (" " if language == "en" else ""), segment["t"]
        up, down = _RISES.search(before), _FALLS.search(before)
        if (
            up
            and (fact["value"] < 0 or text.lstrip().startswith(("−", "-")))
            or down
            and text.lstrip().startswith("+")
        ):
            yield f"“{before.strip()[-40:]} {text}” ({language}): the words and the sign of {segment['fact']} say opposite things; choose the words by the fact."


def _fact_text(
    text: str, identity: str | None, facts: Mapping[str, Json], language: Language
) -> Iterator[str]:
    if identity is None or identity not in facts:
        yield f"“{text}” ({language}) names the fact {identity}, which no section published."
    elif not shows(text, facts[identity], language):
        yield f"“{text}” ({language}) does not agree with its fact {identity} = {facts[identity]['value']} {facts[identity]['unit']}."


def _cell(cell: Json, facts: Mapping[str, Json]) -> Iterator[str]:
    for language in LANGUAGES:
        text = cell["text"][language]
        if cell["kind"] == "fact":
            yield from _fact_text(text, cell["fact"], facts, language)
        elif cell["kind"] == "words" and _DIGIT.search(text) and text not in _template_pieces(language):
            yield f"table cell “{text}” ({language}) holds a number that is no fact."
        elif cell["kind"] == "label" and _QUANTITY.fullmatch(text):
            yield f"table cell “{text}” ({language}) is a quantity printed as a label; make it a fact."


def _drawings(block: Json) -> Iterator[tuple[str, Language]]:
    for language in LANGUAGES:
        if block["kind"] == "figure":
            yield block["svg"][language], language
        for tile in block.get("tiles", []):
            if tile.get("spark"):
                svg = tile["spark"]["svg"]
                yield svg if isinstance(svg, str) else svg[language], language


_AXIS = re.compile(r"(?:^|-)(?:matplotlib\.axis_\d+|[xy]tick_\d+)$")


def _drawing(svg: str, facts: Mapping[str, Json], language: Language) -> Iterator[str]:
    """Digits drawn: axis ticks are free, everything else is marked as a fact, a label or a wording of the catalogue."""
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        yield f"drawing ({language}) is not well-formed: {error}."
        return
    yield from _drawn(root, None, None, facts, language)


def _drawn(
    node: ElementTree.Element,
    kind: str | None,
    fact: str | None,
    facts: Mapping[str, Json],
    language: Language,
) -> Iterator[str]:
    if _AXIS.search(node.get("id", "")):
        kind = "axis"
    elif node.get("data-k"):
        kind, fact = node.get("data-k"), node.get("data-fact")
    if node.tag.rpartition("}")[2] == "text":
        text = "".join(node.itertext()).strip()
        if kind == "fact":
            yield from _fact_text(text, fact, facts, language)
        elif (
            _DIGIT.search(text)
            and kind not in ("axis", "label")
            and not (kind == "words" and text in _template_pieces(language))
        ):
            yield f"“{text}” in the drawing ({language}) is no fact; draw it with annotate(), label() or words()."
        return
    for child in node:
        yield from _drawn(child, kind, fact, facts, language)


# ---------------------------------------------------------------- checks and evidence


def _blocking(record: PackRecord) -> Iterator[Problem]:
    """A failed check that its study calls blocking: the numbers contradict themselves or the ledger."""
    for check in record.checks:
        if check["outcome"] == "failed" and check.get("blocking"):
            text = "".join(segment["t"] for segment in check["sentence"]["en"])
            yield Problem(
                gate="checks",
                place=f"check {check['id']}",
                text=f"{text} Nothing is issued while this is so.",
            )


def _evidence(record: PackRecord) -> Iterator[Problem]:
    for place, block in record.blocks:
        for finding in block.get("findings", []):
            stem = evidence_stem(finding)
            if stem and stem not in record.evidence:
                yield Problem(
                    gate="evidence",
                    place=str(place),
                    text=f"finding {finding['id']}: its evidence {stem}.csv was not written.",
                )
        for file in block.get("files", []):
            if file["stem"] not in record.evidence:
                yield Problem(
                    gate="evidence", place=str(place), text=f"evidence {file['stem']}.csv was not written."
                )


# ---------------------------------------------------------------- privacy

_WORD = re.compile(r"[^\s,;:|()\[\]{}<>\"'“”，；：（）、。]+")
LONGEST_NAME = 4


def personal_values(tables: Any) -> frozenset[str]:
    """Every value of the columns that the contract marks as personal, as it stands in the validated tables."""
    import duckdb

    values: set[str] = set()
    with duckdb.connect() as connection:
        for name, info in sorted(tables.tables.items()):
            for column in sorted(info.personal & info.columns_present):
                rows = connection.execute(
                    f'SELECT DISTINCT trim(CAST("{column}" AS VARCHAR)) FROM {tables.scan(name)}'
                ).fetchall()
                values.update(value for (value,) in rows if value and len(value) > 1)
    return frozenset(values)


def _private(
    record: PackRecord,
    personal: frozenset[str],
    paths: Sequence[str],
    regions: Collection[str],
    allowed: Collection[str],
) -> Iterator[Problem]:
    personal = personal - set(allowed)
    structured = frozenset(value for value in personal if re.search(r"[\s\d_-]", value) and len(value) > 3)
    for place, text in _public_texts(record):
        found = text if text in personal else next((run for run in _runs(text) if run in structured), None)
        if found:
            yield Problem(
                gate="personal",
                place=place,
                text=f"holds personal data (“{_masked(found)}”); group it or drop the column.",
            )
    texts: dict[str, str] = {}
    for name, notebook in record.notebooks.items():
        for place, text in notebook_texts(notebook, name):
            texts.setdefault(text, place)
    for stem, path in record.evidence.items():
        for text in cells(path):
            texts.setdefault(text, f"evidence/{stem}.csv")
    yield from leaving(texts, paths=paths, regions=regions, allowed=allowed)


def leaving(
    texts: Mapping[str, str], *, paths: Sequence[str], regions: Collection[str], allowed: Collection[str]
) -> Iterator[Problem]:
    """What must not leave among texts, each with its place."""
    for leak in leaks(texts, regions=regions, allowed=allowed):
        text = "holds a path of this machine; print names, not paths."
        if leak.kind != "paths":
            text = f"holds {leak.what} (“{leak.hint}”); take it out, or say in params/may_leave.yml why it may leave."
        yield Problem(gate=leak.kind, place=leak.place, text=text)
    for text, place in texts.items():
        if any(_within(path, text) for path in paths):
            yield Problem(
                gate="paths", place=place, text="holds a path of this machine; print names, not paths."
            )


_GOES_ON_BEFORE, _GOES_ON_AFTER = re.compile(r"[\w.~-]$"), re.compile(r"[\w~-]")


def _within(path: str, text: str) -> bool:
    """Whether a text names a folder or a place below it; a longer name that begins or ends alike is another."""
    start = text.find(path)
    while start >= 0:
        end = start + len(path)
        if not _GOES_ON_BEFORE.search(text[max(0, start - 1) : start]) and not _GOES_ON_AFTER.match(
            text[end:]
        ):
            return True
        start = text.find(path, start + 1)
    return False


def run_problems(run: Any, files: Mapping[str, Path], *, allowed: Collection[str]) -> list[Problem]:
    """What must not leave among the texts of a run's parameters, asked before anything is computed.

    Parameters
    ----------
    run : a prepared run
    files : parameter files in force, by name; those of other runs are not read
    allowed : see :func:`analysis.report.leaks.leaks`
    """
    from analysis.params import read_yaml
    from analysis.report.leaks import regions_of

    texts: dict[str, str] = {}
    for name, path in files.items():
        of_others = name.startswith(("runs/", "templates/")) and name != f"runs/{run.name}.yml"
        if name == "may_leave.yml" or of_others:
            continue
        for text in json_strings(read_yaml(path)):
            texts.setdefault(text, f"params/{name}")
    for text in (run.company.en, run.company.zh, run.preparer, run.reviewer):
        texts.setdefault(text, f"run '{run.name}'")
    regions = regions_of(run.currency, run.time_zone)
    told = leaving(texts, paths=(), regions=regions, allowed=allowed)
    return [problem for problem in told if problem.gate != "paths"]  # where the data lie may be said there


def _masked(text: str) -> str:
    return text[:2] + "…" if len(text) > 3 else "…"


def _runs(text: str) -> Iterator[str]:
    """Up to four neighbouring words of a text: a name or an id inside a sentence."""
    words = [(match.start(), match.end()) for match in _WORD.finditer(text)]
    for first in range(len(words)):
        for last in range(first, min(first + LONGEST_NAME, len(words))):
            yield text[words[first][0] : words[last][1]]


def _public_texts(record: PackRecord) -> Iterator[tuple[str, str]]:
    """Every piece of text that leaves the house, with its place."""
    for name, notebook in record.notebooks.items():
        for number, cell in enumerate(notebook["cells"], start=1):
            place = str(Place(notebook=name, cell=number))
            for output in cell.get("outputs", []):
                yield from ((place, text) for text in _output_texts(output))
    for stem, path in record.evidence.items():
        seen: set[str] = set()
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                seen.update(row)
        yield from ((f"evidence/{stem}.csv", text) for text in sorted(seen) if text and not text.isdecimal())


def _output_texts(output: Json) -> Iterable[str]:
    if output["output_type"] == "stream":
        return source_of({"source": output["text"]}).splitlines()
    data = output.get("data", {})
    if MIME in data:
        return list(dict.fromkeys(json_strings(data[MIME])))
    texts = [source_of({"source": value}) for kind, value in data.items() if kind.startswith("text/")]
    return [
        line.strip()
        for text in texts
        for line in unescape(re.sub(r"<[^>]*>", "\n", text)).splitlines()
        if line.strip()
    ]


# ---------------------------------------------------------------- the exported pack


def file_problems(folder: Path, notebooks: Sequence[str], pages: Sequence[str]) -> list[Problem]:
    """Files that a pack must have and has not, and files that are empty; ``pages``: the notebooks that it prints (:func:`analysis.report.folding.folded`)."""
    expected = [f"after-sales-report.{language}.pdf" for language in LANGUAGES]
    expected += [f"html/{language}/{page}.html" for language in LANGUAGES for page in ("index", *pages)]
    expected += [f"notebooks/{name}.ipynb" for name in notebooks]
    expected += ["facts.json", "findings.json", EXHIBITS]
    problems = [
        Problem(gate="files", place=name, text="this file of the pack was not made.")
        for name in expected
        if not (folder / name).is_file()
    ]
    problems += [
        Problem(gate="files", place=path.relative_to(folder).as_posix(), text="this file is empty.")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.stat().st_size == 0
    ]
    return problems


def pack_problems(
    folder: Path,
    notebooks: Sequence[str],
    *,
    pages: Sequence[str],
    facts: Mapping[str, Json],
    paths: Sequence[str],
    regions: Collection[str],
    allowed: Collection[str],
) -> list[Problem]:
    """Everything that can be said of the finished files.

    Parameters
    ----------
    folder : of the pack
    notebooks : names of those it was made of
    pages : of them those that it prints, because they have content
    facts : by id
    paths : folders of this machine
    regions, allowed : see :func:`analysis.report.leaks.leaks`
    """
    from analysis.report import made_files
    from analysis.report.pack_texts import Page, pack_texts

    missing = file_problems(folder, notebooks, pages)
    if missing:
        return missing
    made = {
        path.relative_to(folder).as_posix(): Page.read(path.read_text(encoding="utf-8"))
        for path in sorted((folder / "html").rglob("*.html"))
    }
    documents, problems = made_files.read_documents(folder)
    problems += made_files.page_problems(made, allowed)
    problems += made_files.link_problems(folder, made)
    problems += made_files.language_problems(folder, made, documents, facts)
    problems += leaving(pack_texts(folder, made, documents), paths=paths, regions=regions, allowed=allowed)
    return list(dict.fromkeys(problems))
