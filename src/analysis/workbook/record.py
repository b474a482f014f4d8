"""The record of a run: facts with the SQL behind them, findings, checks and evidence rows, as files in the run's folder.

The report reads these files; an analyst who opens a notebook by hand gets them under ``build/explore/``.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.exhibits.listing import harmless, listing_csv
from analysis.exhibits.record import Block
from analysis.exhibits.statements import MASK, blank, personal_columns
from analysis.periods import in_business_zone

if TYPE_CHECKING:
    import pandas as pd

    from analysis.metrics import Engine
    from analysis.results import Finding


def safe_cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula, made harmless; numbers stay numbers."""
    return harmless(value) if isinstance(value, str) else value


class Record:
    """Writes one section's facts, findings, checks and evidence below ``folder``."""

    def __init__(self, folder: Path, section: str, engine: Engine) -> None:
        self.folder = folder
        self.section = section
        self._engine = engine
        # by id, a fact as it stands in the file: every block writes the file again, and making the text is what takes time
        self._facts: dict[str, str] = {}
        self._written: dict[str, bytes] = {}
        self._queries: dict[str, str] = {}
        self._made: dict[str, str] = {}
        # by block, so that a cell run twice records its findings once
        self._findings: dict[str, list[dict[str, Any]]] = {}
        self._checks: dict[str, list[dict[str, Any]]] = {}
        self._tiles: dict[str, list[dict[str, Any]]] = {}

    def keep(self, block: Block) -> None:
        """Everything a block publishes."""
        payload = block.payload
        for fact in payload["facts"]:
            if fact["id"] not in self._facts:
                self._facts[fact["id"]] = _entries([fact])
                self._keep_queries(fact["lineage"])
        # a summary repeats what other sections have recorded; it is theirs
        if not payload.get("gathered"):
            if payload["kind"] == "findings":
                self._findings[block.id] = payload["findings"]
            if payload["kind"] == "checks":
                self._checks[block.id] = payload["checks"]
            if payload["kind"] == "tiles":
                self._tiles[block.id] = payload["tiles"]
        if payload["kind"] in ("table", "figure"):
            _write_bytes(
                self.folder / "evidence" / f"{payload['csv']}.csv", listing_csv(payload).encode("utf-8-sig")
            )
        self._write()

    def _write(self) -> None:
        facts = ",\n".join(text for _, text in sorted(self._facts.items()))
        self._write_changed("facts", f"[\n{facts}\n]" if facts else "[]")
        self._write_changed("queries", _text({"queries": self._queries, "tables": self._made}))
        for kind, blocks in (("findings", self._findings), ("checks", self._checks), ("tiles", self._tiles)):
            self._write_changed(kind, _text([entry for listed in blocks.values() for entry in listed]))

    def _write_changed(self, kind: str, text: str) -> None:
        content = text.encode()
        if self._written.get(kind) != content:
            _write_bytes(self.folder / kind / f"{self.section}.json", content)
            self._written[kind] = content

    def _keep_queries(self, lineage: Mapping[str, Any] | None) -> None:
        """The text of every query a fact's lineage names, and of the tables computed on the way that it reads."""
        named = (lineage or {}).get("queries", ())
        for key in named.values() if isinstance(named, Mapping) else named:
            # what another section published has its queries in that section's record
            if key in self._engine.queries and key not in self._queries:
                self._queries[key] = self._engine.queries[key]
                self._made |= self._engine.made_tables(self._queries[key])

    def local(self, findings: Sequence[Finding]) -> list[Finding]:
        """Findings whose evidence tells moments on the company's clock; the store keeps them in UTC."""
        zone = self._engine.rules.time_zone
        return [
            finding
            if finding.evidence is None
            else replace(finding, evidence=in_business_zone(finding.evidence, zone))
            for finding in findings
        ]

    def write_evidence(self, stem: str, rows: pd.DataFrame) -> str:
        """Rows behind a finding as CSV, personal columns masked; returns the file's sha256."""
        masked = rows.assign(**{name: MASK for name in rows.columns if name in personal_columns()})
        return self.write_csv(stem, [list(masked.columns), *masked.itertuples(index=False, name=None)])

    def write_csv(self, stem: str, rows: Iterable[Iterable[Any]]) -> str:
        import csv
        import io

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in rows:
            writer.writerow(["" if blank(value) else safe_cell(value) for value in row])
        content = text.getvalue().encode("utf-8-sig")
        _write_bytes(self.folder / "evidence" / f"{stem}.csv", content)
        return hashlib.sha256(content).hexdigest()

    def of(self, kind: str) -> dict[str, list[dict[str, Any]]]:
        """What every section has recorded so far: ``facts``, ``findings``, ``checks`` or ``tiles`` by section."""
        return {
            path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((self.folder / kind).glob("*.json"))
        }

    def all_facts(self) -> list[dict[str, Any]]:
        """Every fact any section has recorded so far, once."""
        facts = {entry["id"]: entry for section in self.of("facts").values() for entry in section}
        return list(facts.values())


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)


def _entries(listed: list[dict[str, Any]]) -> str:
    """Entries of a list as they stand in its text, without the brackets."""
    return _text(listed)[2:-2]


def _write_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(temporary, path)
