"""Parts without content fold away: a pack names them, and what would switch them on, in one table of the data-quality section.

The executed notebooks stay whole: who opens one sees each part in its place, with what it needs. Only what is printed is shorter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.exhibits.listing import listing_csv
from analysis.exhibits.record import MIME, Block
from analysis.exhibits.specification import table_of, words
from analysis.exhibits.vocabulary import paired
from analysis.locale import Text
from analysis.report.executed import SUMMARY_SECTIONS, Notebook, read_notebook
from analysis.report.exhibit_index import DROPPED_TAGS, Named, placed
from analysis.report.run import output_of, source_of, title_of
from analysis.results import Sentence

TABLE = "quality.left_out"
HEADING = "## What would switch more of this report on?"
LEAD = "Parts that the data or the settings of this company cannot fill are left out of the pages and named here."
_HEADING = re.compile(r"^## ", re.MULTILINE)
_UNSEEN = frozenset({"facts"})  # blocks of which a page prints nothing


@dataclass(frozen=True)
class LeftOut:
    """What parts lack, and the parts by section."""

    why: Text
    parts: Mapping[Text, Sequence[Text]]

    @property
    def listed(self) -> Text:
        return Text.joined(
            [paired(section, Text.joined(parts, en=", ", zh="、")) for section, parts in self.parts.items()],
            en="; ",
            zh="；",
        )


def left_out(notebooks: Sequence[Named]) -> list[LeftOut]:
    """What the parts without content lack, that which would switch on the most parts first."""
    found: dict[Text, dict[Text, list[Text]]] = {}
    for _, notebook in notebooks:
        section = Text.of(title_of(notebook["cells"]))
        for cell in notebook["cells"]:
            for record in _blocks(cell):
                named = [record["instead_of"]] if "instead_of" in record else record.get("without", ())
                for absent in named:
                    if not absent.get("told", True):
                        continue
                    part, why = (Text(**absent[name]) for name in ("part", "why"))
                    parts = found.setdefault(why, {}).setdefault(section, [])
                    if part not in parts:
                        parts.append(part)
    lines = [LeftOut(why, parts) for why, parts in found.items()]
    return sorted(lines, key=lambda line: (-sum(map(len, line.parts.values())), line.why.en))


def name_left_out(paths: Sequence[Path], evidence: Path) -> None:
    """Add the table of what is left out to the data-quality notebook, before its doubts; nothing where all has content or that section is not made."""
    notebooks = [(path.stem, read_notebook(path)) for path in paths]
    lines = left_out(notebooks)
    place = next(
        (n for n, (_, notebook) in enumerate(notebooks) if placed(notebook).get("section") == "quality"), None
    )
    if not lines or place is None:
        return
    block = left_out_table(lines)
    evidence.mkdir(parents=True, exist_ok=True)
    (evidence / f"{TABLE}.csv").write_text(listing_csv(block.payload), encoding="utf-8-sig", newline="")
    notebook = dict(notebooks[place][1])
    cells = list(notebook["cells"])
    at = next(
        (n for n, cell in enumerate(cells) if source_of(cell).startswith("## What to doubt")), len(cells)
    )
    notebook["cells"] = [*cells[:at], *_cells(block), *cells[at:]]
    paths[place].write_text(json.dumps(notebook, ensure_ascii=False, indent=1), encoding="utf-8")


def _cells(block: Block) -> list[dict[str, Any]]:
    return [
        {"cell_type": "markdown", "id": "left-out", "metadata": {}, "source": f"{HEADING}\n\n{LEAD}"},
        {
            "cell_type": "code",
            "execution_count": 0,
            "id": "left-out-table",
            "metadata": {"tags": ["exhibit"]},
            "outputs": [output_of(block)],
            "source": "# added by the report: what parts of all sections lack",
        },
    ]


def left_out_table(lines: Sequence[LeftOut]) -> Block:
    """What is lacking, and the parts that would have content with it."""
    return table_of(
        TABLE,
        title=Sentence("What would switch more of this report on"),
        subtitle=Sentence("Tables, columns and other needs by what they would add, the most parts first"),
        rows=lines,
        columns=[
            words("why", "What is lacking, or why", wide=True),
            words("listed", "What it would add", wide=True),
        ],
    )


def folded(notebooks: Sequence[Named]) -> list[Named]:
    """The notebooks as a pack prints them: without parts, and sections, that have no content.

    Where no table among them names what is left out, only parts that need no naming go.
    """
    told = any(
        record["id"] == TABLE
        for _, notebook in notebooks
        for cell in notebook["cells"]
        for record in _blocks(cell)
    )
    going = _stands_for_a_part if told else _needs_no_naming
    shorter: list[Named] = [
        (name, {**notebook, "cells": _folded(notebook["cells"], going)}) for name, notebook in notebooks
    ]
    if not told:
        return shorter
    return [
        (name, notebook)
        for name, notebook in shorter
        if placed(notebook).get("section") in SUMMARY_SECTIONS or any(map(_has_content, notebook["cells"]))
    ]


Going = Callable[[Mapping[str, Any]], bool]


def _stands_for_a_part(record: Mapping[str, Any]) -> bool:
    return "instead_of" in record


def _needs_no_naming(record: Mapping[str, Any]) -> bool:
    return not record.get("instead_of", {}).get("told", True)


def _folded(cells: Sequence[Notebook], going: Going) -> list[Notebook]:
    """Cells without remarks that stand in a part's place, and without the prose and headings that nothing then follows."""
    kept: list[Notebook] = []
    for part in _split(cells, by_heading=True):
        runs = [run for run in _split(part, by_heading=False) if not _is_empty(run, going)]
        if runs and not _is_empty(part, going):
            if part[0] is not runs[0][0] and _heads(part[0]):
                kept.append({**part[0], "source": source_of(part[0]).split("\n\n")[0]})
            kept += [_without_absent(cell, going) for run in runs for cell in run]
    return kept


def _split(cells: Sequence[Notebook], *, by_heading: bool) -> Iterator[list[Notebook]]:
    """Cells in runs: each begins with a heading, or with any prose."""
    run: list[Notebook] = []
    for cell in cells:
        if run and (_heads(cell) if by_heading else cell["cell_type"] == "markdown"):
            yield run
            run = []
        run.append(cell)
    if run:
        yield run


def _heads(cell: Notebook) -> bool:
    return cell["cell_type"] == "markdown" and _HEADING.match(source_of(cell)) is not None


def _is_empty(cells: Sequence[Notebook], going: Going) -> bool:
    """Whether a remark in a part's place is all that cells show."""
    blocks = [record for cell in cells for record in _blocks(cell)]
    return any(map(going, blocks)) and not any(
        not going(record) and record["kind"] not in _UNSEEN for record in blocks
    )


def _has_content(cell: Notebook) -> bool:
    return any("instead_of" not in record and record["kind"] not in _UNSEEN for record in _blocks(cell))


def _without_absent(cell: Notebook, going: Going) -> Notebook:
    if "outputs" not in cell:
        return cell
    outputs = [one for one in cell["outputs"] if not going(one.get("data", {}).get(MIME, {}))]
    return {**cell, "outputs": outputs}


def _blocks(cell: Notebook) -> Iterator[Mapping[str, Any]]:
    if DROPPED_TAGS.isdisjoint(cell.get("metadata", {}).get("tags", ())):
        for output in cell.get("outputs", ()):
            if (record := output.get("data", {}).get(MIME)) is not None:
                yield record
