"""What the executed notebooks published: blocks, and from them facts, findings, checks and evidence, each with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.exhibits.record import MIME
from analysis.report.gates import GateRefused

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
    tables: Mapping[str, str] = field(default_factory=dict)
    findings: Sequence[Json] = ()
    checks: Sequence[Json] = ()
    evidence: Mapping[str, Path] = field(default_factory=dict)

    @property
    def tied_out(self) -> bool:
        """Whether the ledger was asked and agreed; unasked is not agreed."""
        outcomes = [check["outcome"] for check in self.checks if check["id"].split(".")[-1] == TIE_OUT]
        return bool(outcomes) and all(outcome == "passed" for outcome in outcomes)

    def facts_json(self) -> Json:
        """``facts.json``: every fact once with the section that published it.

        ``queries`` holds the SQL its lineage names by key, ``tables`` the SQL of what was computed on the way.
        """
        return {
            "version": 1,
            "facts": [self.facts[id] for id in sorted(self.facts)],
            "queries": dict(sorted(self.queries.items())),
            "tables": dict(self.tables),
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
    queries, tables = _queries_of(facts, run_folder / "queries")
    return PackRecord(
        notebooks=notebooks,
        blocks=blocks,
        facts=facts,
        queries=queries,
        tables=tables,
        findings=_once(
            finding for _, block in blocks if block["kind"] == "findings" for finding in block["findings"]
        ),
        checks=_once(check for _, block in blocks if block["kind"] == "checks" for check in block["checks"]),
        evidence={path.stem: path for path in sorted((run_folder / "evidence").glob("*.csv"))},
    )


def _refuse_contradiction(known: Json, fact: Json, first: Place, place: Place) -> None:
    for part in ("value", "unit", "interval", "n"):
        if known[part] != fact[part]:
            raise GateRefused(
                f"fact {fact['id']}: {part} is {known[part]!r} in {first} and {fact[part]!r} in {place}. One id is one number: "
                "compute it once, or give the slice or the definition an id of its own.",
                "numbers",
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


def _queries_of(facts: Mapping[str, Json], folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The texts of the queries that the facts' lineage names, by key, and of the tables computed on the way, by name."""
    queries: dict[str, str] = {}
    tables: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))
        queries |= kept["queries"]
        tables |= kept["tables"]
    for id, fact in facts.items():
        for key in query_keys(fact):
            if key not in queries:
                raise GateRefused(
                    f"fact {id}: the query {key} it was made by is not in the run's record; run the notebook again.",
                    "evidence",
                )
    named = {key for fact in facts.values() for key in query_keys(fact)}
    return {key: queries[key] for key in queries if key in named}, tables


def query_keys(fact: Mapping[str, Any]) -> list[str]:
    """Keys of the queries that a fact's own lineage names (its parents have theirs)."""
    named = (fact.get("lineage") or {}).get("queries", ())
    return list(named.values() if isinstance(named, Mapping) else named)
