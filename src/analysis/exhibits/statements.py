"""Findings, checks, remarks and hidden records as blocks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import MissingData
from analysis.exhibits.record import Absent, Block, Gathered
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Check, Fact, Finding, Sentence, by_severity
from analysis.tables import contract

if TYPE_CHECKING:
    import pandas as pd

PREVIEW_ROWS = 20
MASK = "***"


def callout(
    id: str,
    *,
    tone: Literal["info", "watch", "alert"],
    title: Sentence,
    body: Sentence | None = None,
    instead_of: Absent | None = None,
) -> Block:
    """A remark set apart; with ``instead_of`` it stands in the place of a part that has no content."""
    gathered = Gathered(id)
    absent = {"instead_of": instead_of.record()} if instead_of else {}
    return gathered.record(
        "callout", tone=tone, title=gathered.sentence(title), body=gathered.optional(body), **absent
    )


def not_computed(
    missing: MissingData | NotDone, *, id: str, what: Text | None = None, told: bool = True
) -> Block:
    """Says which tables or columns a part of the report lacks, or why else it was not made; the rest of the page stands.

    Not ``told``: a pack leaves it out without naming it among what the company lacks.
    """
    title = Sentence("{what}: not computed", {"what": what}) if what else Sentence("Not computed")
    needs = ", ".join(missing.needs)
    body, why = None, getattr(missing, "reason", Text(en=needs, zh=needs))
    if needs:
        why = Text(en=needs, zh=needs)
        body = Sentence("This part needs {needs}, which the data of this run do not hold.", {"needs": needs})
    elif isinstance(missing, NotDone):
        reason = Text(en=f"{missing.reason.en}.", zh=f"{missing.reason.zh}。")
        body = Sentence("{reason}", {"reason": reason})
    absent = Absent(what or Text.of("Other parts of the section"), why, told)
    return callout(id, tone="info", title=title, body=body, instead_of=absent)


NO_FINDING = Sentence("No finding survives the checks against chance.")


def not_made(*, id: str, kind: str, notebook: str, cell: str) -> Block:
    """Says that a fault of the program kept one part from being made; the message and the traceback are no matter of the page."""
    return callout(
        id,
        tone="alert",
        title=Sentence("This part could not be made"),
        body=Sentence(
            "The program met a fault of its own ({kind}). Please report it with the notebook {notebook} and the cell {cell}; this pack is not for signature.",
            {"kind": kind, "notebook": notebook, "cell": cell},
        ),
    )


def sections_not_made(*, id: str, notebooks: Sequence[str]) -> Block:
    """Says at the head of a summary in which notebooks something could not be made."""
    return callout(
        id,
        tone="alert",
        title=Sentence("This pack is incomplete"),
        body=Sentence(
            "Parts of these notebooks could not be made and are missing from this summary: {notebooks}.",
            {"notebooks": ", ".join(notebooks)},
        ),
    )


def findings_block(
    id: str,
    findings: Sequence[Finding],
    *,
    evidence: Mapping[int, str | None] | None = None,
    checks: Sequence[Check] = (),
    empty: Sentence = NO_FINDING,
) -> Block:
    """Findings, the gravest first, each with the first rows of its evidence and the failed ones of ``checks`` that weaken it.

    ``evidence`` gives the file stem by position in severity order; by default :func:`evidence_stems` names them.
    """
    gathered = Gathered(id)
    ordered = by_severity(findings)
    stems = evidence_stems(ordered) if evidence is None else [evidence.get(i) for i in range(len(ordered))]
    failed = {check.id: check.sentence for check in checks if check.outcome == "failed"}
    records = []
    for finding, stem in zip(ordered, stems, strict=True):
        gathered.sentence(finding.statement)
        method = gathered.text(Text.of(finding.method)) if finding.method else None
        preview = None if finding.evidence is None else evidence_preview(finding.evidence)
        weakened = [gathered.sentence(failed[id]) for id in finding.checks if id in failed]
        records.append(
            finding.as_json(evidence=stem) | {"method": method, "preview": preview, "weakened": weakened}
        )
    return gathered.record("findings", findings=records, empty=gathered.sentence(empty))


def evidence_stems(findings: Sequence[Finding]) -> list[str | None]:
    """File stems of evidence: ``failures.excess-1``, ``-2`` … in the order given; None for a finding without rows."""
    counts: dict[str, int] = {}
    stems: list[str | None] = []
    for finding in findings:
        if finding.evidence is None:
            stems.append(None)
            continue
        counts[finding.id] = counts.get(finding.id, 0) + 1
        stems.append(f"{finding.id}-{counts[finding.id]}")
    return stems


def evidence_preview(rows: pd.DataFrame) -> dict[str, Any]:
    """The first rows as text, of a series of months the last: ``columns``, ``rows``, ``total``; blanks stay blank, personal columns are masked.

    A value that has a label in params/labels.yml is that label in both languages; names of the company's own stay as they are.
    """
    from pandas.api.types import is_bool_dtype

    head = _newest_first(rows).head(PREVIEW_ROWS)
    personal = personal_columns()
    columns = [str(name) for name in head.columns]
    labels = {name: _YES_OR_NO if is_bool_dtype(head[name]) else _labels(name) for name in columns}
    return {
        "columns": columns,
        "rows": [
            [
                MASK if name in personal else _worded(_plain_value(value), labels[name])
                for name, value in zip(columns, row, strict=True)
            ]
            for row in head.itertuples(index=False, name=None)
        ],
        "total": len(rows),
    }


def _newest_first(rows: pd.DataFrame) -> pd.DataFrame:
    """A series of months that is longer than what is shown, from its end: what a finding speaks of is seldom its beginning."""
    a_series = "month" in rows and rows["month"].is_monotonic_increasing and rows["month"].is_unique
    return rows.iloc[::-1] if a_series and len(rows) > PREVIEW_ROWS else rows


# Columns whose name says less than that of their dimension.
_DIMENSION_OF = {"kind": "contract_kind"}


def _labels(column: str) -> Mapping[str, Text]:
    """The labels of the values of a column that is a dimension."""
    from analysis.exhibits.specification import registry

    known = registry().dimensions.get(_DIMENSION_OF.get(column, column))
    return known.values if known else {}


def _worded(value: str, labels: Mapping[str, Text]) -> str | dict[str, str]:
    return labels[value].as_json() if value in labels else value


_YES_OR_NO = {"True": Text.of("yes"), "False": Text.of("no")}


def personal_columns() -> frozenset[str]:
    """Columns that the contract marks as personal; they never leave the workbook."""
    return frozenset(
        name for table in contract().tables.values() for name, column in table.columns.items() if column.pii
    )


def blank(value: Any) -> bool:
    """Whether a cell of a frame holds nothing: None, NaN, NaT or NA."""
    return value is None or (not isinstance(value, str) and str(value) in {"nan", "NaT", "<NA>"})


def _plain_value(value: Any) -> str:
    if blank(value):
        return ""
    if isinstance(value, (bool, str)):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, dt.datetime):
        return (
            value.isoformat(sep=" ", timespec="minutes")
            if value.time() != dt.time()
            else value.date().isoformat()
        )
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, int):
        return f"{value:,d}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.2f}"
    return str(value)


def checks_block(id: str, checks: Sequence[Check]) -> Block:
    """Checks: failed ones first, then what is for information, then passed."""
    order = {"failed": 0, "info": 1, "passed": 2}
    gathered = Gathered(id)
    for check in checks:
        gathered.sentence(check.sentence)
    return gathered.record(
        "checks", checks=[c.as_json() for c in sorted(checks, key=lambda c: order[c.outcome])]
    )


def facts_block(id: str, facts: Iterable[Fact]) -> Block:
    """Facts for the record only; nothing is shown."""
    gathered = Gathered(id)
    for fact in facts:
        gathered.fact(fact)
    return gathered.record("facts")


@dataclass(frozen=True, kw_only=True)
class EvidenceFile:
    """A CSV in the run's ``evidence`` folder."""

    stem: str
    title: Sentence
    sha256: str
    rows: int


def evidence_block(id: str, files: Sequence[EvidenceFile]) -> Block:
    """Evidence files, linked from the HTML pack."""
    gathered = Gathered(id)
    records = [
        {"stem": file.stem, "title": gathered.sentence(file.title), "sha256": file.sha256, "rows": file.rows}
        for file in files
    ]
    return gathered.record("evidence", files=records)
