"""How much of a source map ``analysis map`` finds by itself: tables right, columns right, wrong and missed, folder by folder.

A folder of exports with a ``right.yml`` (table, file, our column, source column) is proposed and compared; a folder that a shipped map reads
is proposed without that map and its words, as a system that nobody described, and compared with the map. Where a ``right.yml`` says what is
``arguable`` (table, file, our column, source columns that a person may take or leave), every other column that is proposed and not right is wrong.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from analysis.errors import AnalysisError
from analysis.sources import load_map, propose_map
from analysis.sources.reading import find_inputs
from analysis.workbook.table_shapes import table_shapes

ROOT = Path(__file__).parents[1]
#: Where folders of exports lie: the project's own, and those beside it where they are.
PLACES = (ROOT / "tests" / "exports", ROOT.parent / "shared" / "cases" / "exports")
#: Public data that a shipped map reads.
READ_BY = {
    "telco_churn_ibm": "telco",
    "cdnow": "cdnow",
    "xero_gl_fivetran_seeds": "xero",
    "nyc311_animals": "nyc311",
    "online_retail_invoices": "shop",
    "zendesk_fivetran_seeds": "zendesk",
}
#: Folders with a right map for which a map ships as well: it is left aside, as a system that nobody described.
SHIPPED_FOR = {
    "incident_log": ("incident_log",),
    "tracker": ("jira_tables",),
    "jira_service_csv": ("jira", "jira_tables"),
}
Wanted = Mapping[str, Mapping[str, Mapping[str, str]]]
Arguable = Mapping[str, Mapping[str, Mapping[str, list[str]]]]


@dataclass(frozen=True)
class Score:
    """Columns of one folder, and its tables: how many there are and how many were named."""

    right: int
    wrong: int
    missed: int
    tables: int
    tables_right: int

    def __str__(self) -> str:
        of = self.right + self.wrong + self.missed
        return f"tables {self.tables_right} of {self.tables}, columns right {self.right} of {of} ({self.right / max(of, 1):.0%}), wrong {self.wrong}, missed {self.missed}"


def folders() -> Iterator[tuple[str, Path, Wanted, Arguable | None, tuple[str, ...]]]:
    """Every folder with what a right proposal holds, what may stand in it besides (None: anything), and the maps to be left aside."""
    for place in PLACES:
        for right in sorted(place.glob("*/right.yml")):
            wanted = yaml.safe_load(right.read_text("utf-8"))
            arguable = wanted.pop("arguable", None)
            yield right.parent.name, right.parent, wanted, arguable, SHIPPED_FOR.get(right.parent.name, ())
    columns = {name: tuple(shape.columns) for name, shape in table_shapes().items()}
    for folder, name in READ_BY.items():
        path = ROOT.parent / "shared" / "real" / folder
        if path.is_dir():
            wanted = dict[str, dict[str, dict[str, str]]]()
            for entry in load_map(name, columns).tables:
                if not find_inputs(path, entry.file, entry.member):
                    continue  # a file that not every company has
                wanted.setdefault(entry.table, {}).setdefault(entry.file, {}).update(entry.columns)
            yield f"{folder} without its map", path, wanted, None, (name,)


def score(folder: Path, wanted: Wanted, arguable: Arguable | None, without: tuple[str, ...] = ()) -> Score:
    """What the proposal for a folder gets right."""
    given = _proposed(folder, without)
    right = wrong = missed = named = 0
    for table, files in wanted.items():
        named += any(_of(given, table, file) for file in files)
        for file, columns in files.items():
            found = _of(given, table, file)
            for column, source in columns.items():
                if column not in found:
                    missed += 1
                elif found[column] == source.split(",")[0]:
                    right += 1
                else:
                    wrong += 1
    if arguable is not None:
        wrong += len(_unasked(given, wanted, arguable))
    return Score(right, wrong, missed, len(wanted), named)


Given = Mapping[tuple[str, str], Mapping[str, str]]


def _of(given: Given, table: str, file: str) -> Mapping[str, str]:
    """What is proposed for a table from a file, by its name or by a pattern that fits it."""
    patterns = [one for name, one in given if name == table and (one == file or fnmatchcase(file, one))]
    return given[table, patterns[0]] if patterns else {}


def _unasked(given: Given, wanted: Wanted, arguable: Arguable) -> list[tuple[str, str, str, str]]:
    """Columns (table, pattern, column, source) that are proposed and that nobody would take."""

    def known(table: str, pattern: str, column: str, source: str) -> bool:
        judged = [files for name, files in wanted.get(table, {}).items() if fnmatchcase(name, pattern)]
        allowed = [files for name, files in arguable.get(table, {}).items() if fnmatchcase(name, pattern)]
        return any(column in one for one in judged) or any(source in one.get(column, ()) for one in allowed)

    return [
        (table, pattern, column, source)
        for (table, pattern), columns in given.items()
        for column, source in columns.items()
        if not known(table, pattern, column, source)
    ]


def _proposed(folder: Path, without: tuple[str, ...]) -> dict[tuple[str, str], dict[str, str]]:
    with tempfile.TemporaryDirectory() as work:
        place = Path(work) / folder.name
        shutil.copytree(folder, place, ignore=shutil.ignore_patterns("right.yml"))
        try:
            text = propose_map(place, table_shapes(), without=without)
        except AnalysisError:
            return {}
    found: dict[tuple[str, str], dict[str, str]] = {}
    for entry in (yaml.safe_load(text) or {}).get("tables", ()):
        columns: dict[str, Any] = dict(entry.get("columns", {}))
        for column, taken in entry.get("less", {}).items():
            columns[column] = f"{columns[column]} less {taken}"
        for column, parts in entry.get("joined", {}).items():
            if not set(parts) & set(entry.get("counted", {})):  # a made-up key is no column
                columns[column] = parts[0]  # as the first of the parts in a right map
        for column, lookup in entry.get("lookups", {}).items():
            columns[column] = f"lookup {lookup['file']} {lookup['key']} -> {lookup['take']}"
        found.setdefault((entry["table"], entry["file"]), {}).update(columns)
    return found


def main() -> None:
    scores = []
    for name, folder, wanted, arguable, without in folders():
        scores.append(score(folder, wanted, arguable, without))
        print(f"  {name:<44}{scores[-1]}", flush=True)
    whole = Score(*(sum(getattr(one, part) for one in scores) for part in Score.__dataclass_fields__))
    print(f"  {'together':<44}{whole}")


if __name__ == "__main__":
    main()
