"""Where does this number come from? The fact, its definition, the code that made it, the SQL behind it and the rows it selects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import ParameterError, suggestion
from analysis.params import project_root
from analysis.report import manifest
from analysis.report.record import evidence_stem

if TYPE_CHECKING:
    import pandas as pd

SHOWN_ROWS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """One fact or finding of an issued edition and what stands behind it.

    ``rows`` are the first rows that the fact's SQL selects from the validated tables now, personal columns masked, and
    ``row_count`` all of them; both are None where a study computed the number from other facts. ``recomputed`` is the fact's
    numerator, computed again from exactly those rows. ``data_changed`` names the tables that are no longer what the edition was
    made from.
    """

    id: str
    edition: Path
    code: str
    fact: Mapping[str, Any] | None = None
    finding: Mapping[str, Any] | None = None
    sql: str | None = None
    rows: pd.DataFrame | None = None
    row_count: int | None = None
    recomputed: Any = None
    data_changed: tuple[str, ...] = ()
    related: Sequence[str] = field(default_factory=tuple)

    def __str__(self) -> str:
        return "\n".join([*(self._fact_lines() if self.fact else self._finding_lines()), *self._row_lines()])

    def _head(self) -> list[str]:
        return [
            self.id,
            f"  edition      {self.edition.parent.name}/{self.edition.name}",
            f"  code         {self.code}",
        ]

    def _fact_lines(self) -> list[str]:
        assert self.fact is not None
        fact = self.fact
        lines = [
            *self._head(),
            f"  section      {fact['section']}",
            f"  value        {fact['value']} {fact['unit']}",
        ]
        lines += [
            f"  {part:<12} {fact[part]}"
            for part in ("numerator", "denominator", "n")
            if fact[part] is not None
        ]
        if fact["interval"]:
            interval = fact["interval"]
            lines.append(
                f"  interval     {interval['low']} to {interval['high']} ({interval['level']:.0%}, {interval['method']})"
            )
        if fact["reason"]:
            lines.append(f"  reason       {fact['reason']['en']}")
        lines += [
            f"  formula      {fact['formula'] or '(computed by its study)'}",
            f"  definition   version {fact['version']}",
        ]
        lines.append(f"  tables       {', '.join(fact['sources']) or '(none recorded)'}")
        return lines

    def _finding_lines(self) -> list[str]:
        assert self.finding is not None
        finding = self.finding
        lines = [
            *self._head(),
            f"  section      {finding['section']}",
            f"  severity     {finding['severity']}",
        ]
        lines += [f"  {language:<12} {finding['statement'][language]}" for language in ("en", "zh")]
        if stem := evidence_stem(finding):
            lines.append(f"  evidence     evidence/{stem}.csv")
        return [*lines, "  its facts", *(f"    {related}" for related in self.related)]

    def _row_lines(self) -> list[str]:
        if self.fact is not None and self.sql is None:
            return ["  sql          (none: computed by its study from other facts)"]
        if self.sql is None or self.rows is None:
            return []
        lines = ["  sql", *(f"    {line}" for line in self.sql.splitlines())]
        if self.data_changed:
            lines.append(
                f"  the data have changed since this edition ({', '.join(self.data_changed)}): the rows below may differ from those it was made of"
            )
        if self.recomputed is not None and self.fact is not None:
            stated = self.fact["value"] if self.fact["numerator"] is None else self.fact["numerator"]
            agrees = "as stated" if _same(self.recomputed, stated) else f"stated: {stated}"
            lines.append(f"  recomputed   {self.recomputed} ({agrees})")
        lines.append(
            f"  rows         {self.row_count:,}; the first {min(SHOWN_ROWS, len(self.rows))} (personal columns masked):"
        )
        return [*lines, self.rows.head(SHOWN_ROWS).to_string(index=False)]


def trace(
    identity: str, *, edition: Path | None = None, out: Path | None = None, prepare: Any = None
) -> Trace:
    """Walk a fact or finding of ``edition`` (a folder; the latest when left out) back to its rows.

    ``out`` gets every row as CSV. The SQL runs again on the validated tables as they are now; a fact id is the one printed
    in ``facts.json`` and in the page (``after_sales_cost@region=South#2026-10:1``).
    """
    folder = (edition or project_root() / "reports" / "latest").resolve()
    if not (folder / manifest.MANIFEST).is_file():
        raise ParameterError(
            f"edition '{folder.name}': holds no {manifest.MANIFEST}; give the folder of an issued edition, e.g. reports/2026-10/edition-1."
        )
    stated = manifest.read(folder)
    listing = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    facts = {fact["id"]: fact for fact in listing["facts"]}
    code = manifest.version_text(stated["code"])
    if identity not in facts:
        return _finding(identity, folder, code, facts, month=stated["month"])
    fact = facts[identity]
    sql = listing["queries"].get(fact["query"])
    if sql is None:
        return Trace(id=identity, edition=folder, code=code, fact=fact)
    run = _prepared(stated, prepare)
    rows, count = _rows(run, sql, out)
    recomputed = _recomputed(run, fact["metric"], sql)
    now = {name: info.content_hash for name, info in run.tables.tables.items() if info.content_hash}
    changed = manifest.changed_tables(stated["identity"], {"inputs": now})
    return Trace(
        id=identity,
        edition=folder,
        code=code,
        fact=fact,
        sql=sql,
        rows=rows,
        row_count=count,
        recomputed=recomputed,
        data_changed=tuple(changed),
    )


def _finding(identity: str, folder: Path, code: str, facts: Mapping[str, Any], *, month: str) -> Trace:
    findings = json.loads((folder / "findings.json").read_text(encoding="utf-8"))["findings"]
    found = [finding for finding in findings if finding["id"] == identity]
    if not found:
        known = [*facts, *(finding["id"] for finding in findings)]
        beginning = sorted(
            (name for name in known if name.startswith(identity)),
            key=lambda name: (f"#{month}:" not in name, len(name), name),
        )
        more = (
            f" There are {len(beginning)} that begin with it, e.g. {beginning[0]}."
            if beginning
            else suggestion(identity, known)
        )
        raise ParameterError(
            f"'{identity}': no fact or finding of {folder.parent.name}/{folder.name} has this id.{more}"
        )
    related = tuple(dict.fromkeys(value["fact"] for finding in found for value in finding["values"].values()))
    return Trace(id=identity, edition=folder, code=code, finding=found[0], related=related)


def _prepared(stated: Mapping[str, Any], prepare: Any) -> Any:
    if prepare is None:
        from analysis.workbook import prepare_run as prepare
    asked = stated["run"]
    # as_of is stated in full: a month that is asked for by name would otherwise be seen as of its usual closing day
    return prepare(asked["run_name"], month=stated["month"], data=asked["data"], as_of=stated["as_of"])


def _rows(run: Any, sql: str, out: Path | None) -> tuple[pd.DataFrame, int]:
    engine = run.inputs.engine
    rows = engine.rows(sql) if out else engine.rows(sql, limit=SHOWN_ROWS)
    count = (
        len(rows)
        if out
        else int(engine.rows(f"SELECT count(*) AS rows FROM ({sql}) AS counted")["rows"].iloc[0])
    )
    rows = _masked(rows)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        rows.to_csv(out, index=False, encoding="utf-8-sig", lineterminator="\n")
    return rows, count


def _recomputed(run: Any, metric: str, sql: str) -> Any:
    """The numerator's own aggregate over the traced rows: the proof that they are the rows behind the number."""
    numerator = run.registry[metric].numerator
    if not isinstance(numerator, str):
        return None
    measure = run.registry.measure(numerator)
    return run.inputs.engine.rows(f"SELECT {measure.value} AS value FROM ({sql}) AS traced")["value"].iloc[0]


def _same(one: Any, other: Any) -> bool:
    """Equal as numbers; a float may differ in its last digits."""
    difference = abs(Decimal(str(one)) - Decimal(str(other)))
    return bool(difference <= Decimal("1e-9") * max(Decimal(1), abs(Decimal(str(other)))))


def _masked(rows: pd.DataFrame) -> pd.DataFrame:
    from analysis.exhibits.statements import MASK, personal_columns

    return rows.assign(**{name: MASK for name in rows.columns if name in personal_columns()})
