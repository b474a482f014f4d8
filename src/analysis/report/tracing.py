"""Where does this number come from? The fact, its definition, the code that made it, and what it was made of, down to the rows.

>>> print(trace("Table 13"))  # its facts with value, definition and lineage
>>> print(trace("after_sales_cost@region=South#2026-10:1", out=Path("rows.csv")))  # one fact, its SQL and its rows
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from analysis.errors import ParameterError
from analysis.locale import LANGUAGES
from analysis.params import project_root
from analysis.params.places import frozen
from analysis.params.runs import state_for_this_report
from analysis.report import manifest
from analysis.report.html_facts import Definitions, period_text, value_text
from analysis.report.record import evidence_stem
from analysis.report.trace_lineage import SHOWN_ROWS, Rows, Step, Walk, same
from analysis.report.trace_lookup import IssuedPack, Listed, Meant, lookup

MOST_LISTED = 60  # facts of a metric; an exhibit is listed whole

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """One fact of an issued edition and what stands behind it.

    ``step`` is the tree from the fact down to its rows, as they are in the validated tables now, personal columns masked.
    ``data_changed`` names the tables that are no longer what the edition was made from.
    """

    pack: IssuedPack
    step: Step
    data_changed: Sequence[str] = ()

    @property
    def id(self) -> str:
        return self.step.id

    @property
    def fact(self) -> Json:
        assert self.step.fact is not None
        return self.step.fact

    def __str__(self) -> str:
        return "\n".join(
            [
                *self._fact_lines(),
                *_definition_lines(self.fact, self.pack.definitions),
                *self._lineage_lines(),
            ]
        )

    def _fact_lines(self) -> Iterator[str]:
        fact = self.fact
        yield self.id
        yield _line("edition", self.pack.name)
        yield _line("code", manifest.version_text(self.pack.stated["code"]))
        yield _line("section", fact["section"])
        yield _line("value", f"{fact['value']} {fact['unit']} ({value_text(fact, 'en')})")
        if interval := fact["interval"]:
            yield _line(
                "interval",
                f"{interval['low']} to {interval['high']} ({interval['level']:.0%}, {interval['method']})",
            )
        if fact["n"] is not None:
            yield _line("n", f"{fact['n']:,}")
        if fact["reason"]:
            yield _line("reason", fact["reason"]["en"])
        yield _line("period", period_text(fact["period"], "en"))
        if fact["dimensions"]:
            yield _line("slice", ", ".join(f"{name} = {value}" for name, value in fact["dimensions"].items()))
        for part in ("numerator", "denominator"):
            words = self.pack.definitions.text(fact["metric"], part)
            if fact[part] is not None or words:
                yield _line(
                    part, " = ".join(str(text) for text in (words, fact[part]) if text not in ("", None))
                )

    def _lineage_lines(self) -> Iterator[str]:
        step = self.step
        if step.kind == "unknown":
            yield _line("sql", "(none: computed by its study from other facts)")
            return
        if self.data_changed:
            yield f"  the data have changed since this edition ({', '.join(self.data_changed)}): the rows below may differ from those it was made of"
        if step.kind == "derived":
            yield from _tree(step, depth=0)
            leaves = list(step.leaves())
            if leaves:
                yield _line("rows of", leaves[0].id)
                yield from _row_lines(leaves[0].rows[0])
            return
        if step.kind == "assumed":
            assert step.lineage is not None
            yield _line("decided", f"{step.lineage['name']} in {step.lineage['source']}")
        if step.kind == "read":
            assert step.lineage is not None
            yield from _read_lines(step.lineage)
        if step.kind == "estimated":
            assert step.lineage is not None
            yield _line("estimated by", step.lineage["function"])
            yield _line("run by", f"{step.lineage.get('within') or step.lineage['function']}(run.inputs)")
            for name, value in step.lineage.get("parameters", {}).items():
                yield f"    {name} = {value}"
        for rows in step.rows:
            yield from _row_lines(rows)


@dataclass(frozen=True, kw_only=True, eq=False)
class Listing:
    """Several facts of an issued edition under the name that was asked for: an exhibit, a finding, a metric."""

    pack: IssuedPack
    meant: Meant

    def __str__(self) -> str:
        return "\n".join([*self._head(), *self._fact_lines(), *self._definition_lines()])

    def write(self, path: Path) -> None:
        """The facts as CSV, exactly."""
        parts = ("value", "unit", "numerator", "denominator", "n")
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["place", "fact", *parts])
            for listed in self.meant.facts:
                fact = self.pack.facts[listed.fact]
                writer.writerow([listed.place, listed.fact, *(fact[part] for part in parts)])

    def _head(self) -> Iterator[str]:
        meant = self.meant
        yield meant.title
        yield _line("edition", self.pack.name)
        yield _line("code", manifest.version_text(self.pack.stated["code"]))
        if exhibit := meant.exhibit:
            yield _line("notebook", exhibit["notebook"])
            yield from (
                _line(language, exhibit["title"][language]) for language in LANGUAGES if exhibit["title"]
            )
            if exhibit["csv"]:
                yield _line("evidence", f"evidence/{exhibit['csv']}.csv")
        for finding in meant.findings:
            yield _line("finding", f"{finding['id']} ({finding['section']}, {finding['severity']})")
            yield from (_line(language, finding["statement"][language]) for language in LANGUAGES)
            if stem := evidence_stem(finding):
                yield _line("evidence", f"evidence/{stem}.csv")
        for check in meant.checks:
            yield _line("check", f"{check['id']} ({check['outcome']})")
            yield from (
                _line(language, "".join(piece["t"] for piece in check["sentence"][language]))
                for language in LANGUAGES
            )
        if not (meant.exhibit or meant.findings):
            yield from (_line("evidence", f"evidence/{name}") for name in meant.files)

    @property
    def _shown(self) -> Sequence[Listed]:
        known = [listed for listed in self.meant.facts if listed.fact in self.pack.facts]
        return known if self.meant.exhibit else known[:MOST_LISTED]

    def _fact_lines(self) -> Iterator[str]:
        if not self._shown:
            return
        width = max(len(listed.place) for listed in self._shown)
        cell = f" or a cell, such as {self.meant.exhibit['id']}[3,2]," if self.meant.exhibit and width else ""
        yield f"  its facts    {len(self.meant.facts):,}; make trace ID='…' with one of them{cell} goes on to its rows"
        for listed in self._shown:
            fact = self.pack.facts[listed.fact]
            place = f"{listed.place:<{width}}  " if width else ""
            yield f"    {place}{listed.fact}"
            yield f"    {'':<{width}}    {value_text(fact, 'en')} · {period_text(fact['period'], 'en')} · {_made_of(fact)}"
        if (left := len(self.meant.facts) - len(self._shown)) > 0:
            yield f"    … and {left:,} more; add a slice or a period, or OUT=facts.csv for all of them"

    def _definition_lines(self) -> Iterator[str]:
        first = {self.pack.facts[listed.fact]["metric"]: listed.fact for listed in self._shown}
        for metric, id in first.items():
            yield f"  {metric}"
            yield from (f"  {line}" for line in _definition_lines(self.pack.facts[id], self.pack.definitions))
            for part in ("numerator", "denominator"):
                if words := self.pack.definitions.text(metric, part):
                    yield f"  {_line(part, words)}"


def trace(
    identity: str,
    *,
    edition: Path | None = None,
    out: Path | None = None,
    prepare: Callable[..., Any] | None = None,
) -> Trace | Listing:
    """Walk a number of an issued edition back to its rows.

    Parameters
    ----------
    identity : str
        What the report prints beside the number: the id of a fact (``after_sales_cost@region=South#2026-10:1``), finding or exhibit, ``Table 13``,
        ``costs.tie_out[3,2]``, a metric …: everything that :func:`analysis.report.trace_lookup.lookup` understands.
    edition : Path, optional
        Folder of an issued edition; ``reports/latest`` when left out.
    out : Path, optional
        Gets every row behind a fact, or every fact of a listing, as CSV.
    prepare : callable, optional
        Makes the run whose tables are read; :func:`analysis.workbook.prepare_run` when left out.

    Returns
    -------
    Trace or Listing
        For one fact, or for what has several; both print themselves.

    Raises
    ------
    ParameterError
        No such edition, or nothing of that name in it; the message lists what comes nearest.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analysis.report import trace
    >>> trace("after_sales_cost", edition=Path("reports/never-issued"))
    Traceback (most recent call last):
        ...
    analysis.errors.ParameterError: edition 'never-issued': holds no manifest.json; give the folder of an issued edition, e.g. reports/2026-10/edition-1.
    """
    folder = (edition or project_root() / "reports" / "latest").resolve()
    if not (folder / manifest.MANIFEST).is_file():
        raise ParameterError(
            f"edition '{folder.name}': holds no {manifest.MANIFEST}; give the folder of an issued edition, e.g. reports/2026-10/edition-1."
        )
    stated = manifest.read(folder)
    pack = IssuedPack.read(folder, _definitions(stated.get("currency", "")))
    meant = lookup(identity, pack)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
    if not meant.fact:
        listing = Listing(pack=pack, meant=meant)
        if out:
            listing.write(out)
        return listing
    walk = Walk(pack=pack, prepare=partial(_prepared, stated, prepare))
    step = walk.step(meant.fact)
    if out:
        if not any(step.leaves()):
            raise ParameterError(
                f"'{meant.fact}': this edition keeps no query for it, so there are no rows to write; leave out OUT."
            )
        walk.everything(step).to_csv(out, index=False, encoding="utf-8-sig", lineterminator="\n")
    return Trace(pack=pack, step=step, data_changed=_changed_tables(stated, walk) if walk.prepared else ())


def _definitions(currency: str) -> Definitions:
    from analysis.metrics.registry import Registry

    return Definitions.of(Registry.load().as_json(currency=currency), "en")


def _prepared(stated: Json, prepare: Callable[..., Any] | None) -> Any:
    from analysis.workbook import prepare_run

    asked = stated["run"]
    apart = {"source_map": asked.get("source_map", ""), "cut": asked.get("slice", {})}
    with frozen() if any(apart.values()) else nullcontext():
        if any(apart.values()):  # stated for that report alone: the project's run does not know of it
            state_for_this_report(asked["run_name"], **apart)
        return _as_asked(stated, prepare or prepare_run)


def _as_asked(stated: Json, prepare: Callable[..., Any]) -> Any:
    asked = stated["run"]
    # as_of is stated in full: a month that is asked for by name would otherwise be seen as of its usual closing day
    return prepare(
        asked["run_name"], month=stated["month"], data=manifest.data_of(stated), as_of=stated["as_of"]
    )


def _changed_tables(stated: Json, walk: Walk) -> tuple[str, ...]:
    now = {name: info.content_hash for name, info in walk.run.tables.tables.items() if info.content_hash}
    return tuple(manifest.changed_tables(stated["identity"], {"inputs": now}))


# ---------------------------------------------------------------- in words


def _line(name: str, text: Any) -> str:
    return f"  {name:<12} {text}".rstrip()


def _definition_lines(fact: Json, definitions: Definitions) -> Iterator[str]:
    """Name, meaning, formula and version of a fact's definition."""
    entry = definitions.entries.get(fact["metric"])
    if entry is not None:
        yield _line(
            "metric",
            f"{entry['name']['en']} ({entry['name']['zh']}): {definitions.text(fact['metric'], 'description')}",
        )
    yield _line("formula", fact["formula"] or "(computed by its study)")
    now = (
        ""
        if entry is None or str(entry["version"]) == fact["version"]
        else f"; the words above are of version {entry['version']}"
    )
    yield _line("definition", f"version {fact['version']}{now}")
    yield _line("tables", ", ".join(fact["sources"]) or "(none recorded)")


def _made_of(fact: Json) -> str:
    """A fact's lineage in a few words."""
    lineage = fact.get("lineage")
    if lineage is None:
        return f"from {', '.join(fact['sources'])}" if fact["sources"] else "computed by its study"
    if lineage["kind"] == "derived":
        return f"{lineage['operation']} of {', '.join(lineage['parents'][:3])}{' …' if len(lineage['parents']) > 3 else ''}"
    tables = ", ".join(fact["sources"])
    if lineage["kind"] == "estimated":
        return f"estimated by {lineage['function']} from {tables}"
    if lineage["kind"] == "read":
        return f"counted while reading {', '.join(lineage['files'])}"
    return f"{'decided in' if lineage['kind'] == 'assumed' else 'rows of'} {tables}"


def _tree(step: Step, *, depth: int) -> Iterator[str]:
    """A step and what it follows from, each below the other, the recomputed value beside the stated one."""
    indent = "    " * depth + "  "
    if depth:
        value = "" if step.fact is None else f"  {step.fact['value']} {step.fact['unit']}"
        yield f"{indent}{step.id}{value}"
    below = f"{indent}  " if depth else indent
    if step.kind == "derived":
        assert step.fact is not None and step.lineage is not None
        yield f"{below}{step.lineage['operation']} of{_agreement(step.recomputed, step.fact['value'])}"
        for parent in step.parents:
            yield from _tree(parent, depth=depth + 1)
        if step.more_parents:
            yield f"{indent}    … and {step.more_parents:,} more"
    elif step.kind == "estimated":
        assert step.lineage is not None
        yield f"{below}estimated by {step.lineage['function']}"
    elif step.kind == "assumed":
        assert step.lineage is not None
        yield f"{below}decided: {step.lineage['name']} in {step.lineage['source']}"
    elif step.kind == "read":
        assert step.lineage is not None
        yield f"{below}counted while reading {', '.join(step.lineage['files'])}"
    elif step.kind in _REMARKS:
        yield f"{below}({_REMARKS[step.kind]})"
    for rows in step.rows:
        yield f"{below}{rows.part}: {rows.aggregate or 'input'} over {rows.count:,} rows{_agreement(rows.recomputed, rows.stated)}"


def _read_lines(lineage: Json) -> Iterator[str]:
    """The files a number was counted in while they were read, each with its hash: what an auditor opens to count again."""
    yield _line("counted", f"{lineage['outcome']}, while the files of {lineage['table']} were read")
    for file, sha256 in lineage["files"].items():
        yield _line("file", f"{file}{f'  sha256 {sha256}' if sha256 else ''}")


_REMARKS = {
    "unknown": "computed by its study",
    "unpublished": "no fact of this edition",
    "repeated": "shown above",
}


def _agreement(recomputed: Any, stated: Any) -> str:
    if recomputed is None:
        return ""
    if stated is None:
        return f" = {recomputed}"
    return f" = {recomputed} ({'as stated' if same(recomputed, stated) else f'stated: {stated}'})"


def _row_lines(rows: Rows) -> Iterator[str]:
    yield _line("sql" if rows.part == "numerator" else f"{rows.part}, sql", "")
    yield from (f"    {line}" for line in rows.sql.splitlines())
    if rows.recomputed is not None:
        agrees = _agreement(rows.recomputed, rows.stated).removeprefix(" = ")
        yield _line("recomputed", f"{agrees}: {rows.aggregate}")
    yield _line(
        "rows", f"{rows.count:,}; the first {min(SHOWN_ROWS, len(rows.first))} (personal columns masked):"
    )
    yield rows.first.to_string(index=False)
