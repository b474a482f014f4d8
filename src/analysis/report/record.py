"""What the executed notebooks published: blocks, and from them facts, findings, checks and evidence, each with its place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.errors import PublicationRefused
from analysis.exhibits.record import MIME

Json = dict[str, Any]
TIE_OUT = "ledger_tied_out"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something stands: a notebook and the number of its cell, counted from 1."""

    notebook: str
    cell: int

    def __str__(self) -> str:
        return f"{self.notebook}, cell {self.cell}"


@dataclass(frozen=True, kw_only=True, eq=False)
class PackRecord:
    """Everything published by one execution of the notebooks."""

    notebooks: Mapping[str, Json]
    blocks: Sequence[tuple[Place, Json]]
    facts: Mapping[str, Json]
    queries: Mapping[str, str]
    findings: Sequence[Json] = ()
    checks: Sequence[Json] = ()
    evidence: Mapping[str, Path] = field(default_factory=dict)

    @property
    def tied_out(self) -> bool:
        """Whether the ledger was asked and agreed; unasked is not agreed."""
        outcomes = [check["outcome"] for check in self.checks if check["id"].split(".")[-1] == TIE_OUT]
        return bool(outcomes) and all(outcome == "passed" for outcome in outcomes)

    def facts_json(self) -> Json:
        """``facts.json``: every fact once with the section that published it and the key of its SQL in ``queries``."""
        return {
            "version": 1,
            "facts": [self.facts[id] for id in sorted(self.facts)],
            "queries": dict(sorted(self.queries.items())),
        }

    def findings_json(self) -> Json:
        return {"version": 1, "findings": list(self.findings), "checks": list(self.checks)}


def blocks_of(notebook: Json, name: str) -> Iterator[tuple[Place, Json]]:
    """The records in a notebook's outputs, in order."""
    for number, cell in enumerate(notebook["cells"], start=1):
        for output in cell.get("outputs", []):
            block = output.get("data", {}).get(MIME)
            if block is not None:
                yield Place(notebook=name, cell=number), block


def read_record(notebooks: Mapping[str, Json], run_folder: Path) -> PackRecord:
    """Collect what was published; one id with two different numbers is refused."""
    blocks = [found for name, notebook in notebooks.items() for found in blocks_of(notebook, name)]
    sections = {
        name: notebook["metadata"].get("after_sales", {}).get("section", name)
        for name, notebook in notebooks.items()
    }
    facts: dict[str, Json] = {}
    first: dict[str, Place] = {}
    for place, block in blocks:
        for fact in block.get("facts", []):
            known = facts.setdefault(fact["id"], {**fact, "section": sections[place.notebook]})
            first.setdefault(fact["id"], place)
            _refuse_contradiction(known, fact, first[fact["id"]], place)
    queries = _attach_queries(facts, run_folder / "facts")
    return PackRecord(
        notebooks=notebooks,
        blocks=blocks,
        facts=facts,
        queries=queries,
        findings=_once(
            finding for _, block in blocks if block["kind"] == "findings" for finding in block["findings"]
        ),
        checks=_once(check for _, block in blocks if block["kind"] == "checks" for check in block["checks"]),
        evidence={path.stem: path for path in sorted((run_folder / "evidence").glob("*.csv"))},
    )


def _refuse_contradiction(known: Json, fact: Json, first: Place, place: Place) -> None:
    for part in ("value", "unit", "interval", "n"):
        if known[part] != fact[part]:
            raise PublicationRefused(
                f"fact {fact['id']}: {part} is {known[part]!r} in {first} and {fact[part]!r} in {place}. One id is one number: "
                "compute it once, or give the slice or the definition an id of its own."
            )


def _once(items: Iterator[Json]) -> list[Json]:
    """The same finding or check shown in two sections counts once."""
    kept: list[Json] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return kept


def evidence_stem(finding: Mapping[str, Any]) -> str | None:
    """The name of a finding's evidence file without folder and ending (stems hold dots of their own)."""
    return (
        str(finding["evidence"]).rpartition("/")[2].removesuffix(".csv") if finding.get("evidence") else None
    )


def _attach_queries(facts: Mapping[str, Json], folder: Path) -> dict[str, str]:
    """Give each fact the key of the SQL that traces it (``query``); the texts, each once, are returned by key."""
    queries: dict[str, str] = {}
    for fact in facts.values():
        fact["query"] = None
    for path in sorted(folder.glob("*.json")):
        for entry in json.loads(path.read_text(encoding="utf-8")):
            published = facts.get(entry["fact"]["id"])
            if published is not None and entry.get("sql"):
                key = hashlib.sha256(entry["sql"].encode()).hexdigest()[:12]
                queries[key] = entry["sql"]
                published["query"] = key
    return queries
