"""The corrections register: errors of the source that are known, put right in the open until the source is fixed.

A correction is applied between reading and proving, to the values as the file gives them. It says how many rows it expects; the
day the source is fixed it finds fewer, and the run is refused until the entry is taken out. Nothing is corrected in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import ContractError, ParameterError, suggestion
from analysis.params.places import params_file, shown
from analysis.params.strict import bind, read_yaml
from analysis.sources.readers import RawFile, first_line
from analysis.sources.sql import literal, quoted
from analysis.tables.contract import contract

if TYPE_CHECKING:
    import duckdb

REGISTER = "corrections.yml"


@dataclass(frozen=True, kw_only=True)
class Correction:
    """One known error of one company's source.

    ``match`` holds the values, as the file gives them, that a row must have in every named column ("" matches an empty value).
    ``drop`` sets the row aside; ``set`` puts the values of ``to`` in place ("" empties the value). ``expect``: rows it must find.
    """

    id: str
    run: str
    table: str
    match: Mapping[str, str]
    action: Literal["set", "drop"]
    reason: str
    reporter: str
    expect: int
    to: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        place = f"{REGISTER}: '{self.id}'"
        tables = contract().tables
        if self.table not in tables:
            raise ParameterError(
                f"{place}: table '{self.table}' is not in the contract.{suggestion(self.table, tables)}"
            )
        for column in (*self.match, *self.to):
            contract().column(f"{self.table}.{column}")
        if not self.match:
            raise ParameterError(
                f"{place}: 'match' is empty, so every row would be meant; name the rows by their values."
            )
        if (self.action == "set") != bool(self.to):
            raise ParameterError(
                f"{place}: action 'set' needs 'to' with the right values, and 'drop' has none."
            )
        if self.expect < 1:
            raise ParameterError(
                f"{place}: expect {self.expect} should be the number of rows that are wrong, at least 1."
            )
        if not self.reason.strip() or not self.reporter.strip():
            raise ParameterError(f"{place}: 'reason' and 'reporter' should say why, and who found it.")

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "match": dict(self.match), "to": dict(self.to)}


@dataclass(frozen=True, kw_only=True)
class _Register:
    corrections: tuple[Correction, ...] = ()


def load_corrections(run: str, path: Path | None = None) -> tuple[Correction, ...]:
    """The corrections of this run, in the order of the register; a project without a register has none."""
    path = path or params_file(REGISTER)
    if not path.is_file():
        return ()
    entries = bind(_Register, read_yaml(path), shown(path)).corrections
    names = [entry.id for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"{shown(path)}: id '{name}' stands twice; give every correction its own.")
    return tuple(entry for entry in entries if entry.run == run)


@dataclass(frozen=True, kw_only=True)
class CorrectedFile:
    """What the register did to one file: rows found by correction, and how many of them were dropped."""

    rows: Mapping[str, int] = field(default_factory=dict)
    dropped: int = 0


def correct(
    connection: duckdb.DuckDBPyConnection, raw: RawFile, corrections: Sequence[Correction]
) -> CorrectedFile:
    """Apply ``corrections`` to a file that was read, in place: the relation of ``raw`` shows the corrected rows.

    Every correction looks at the values of the file, never at another correction's; two that touch the same row are refused.
    Dropped rows lie in ``<relation>_dropped`` (``row``, ``id``, ``original``).
    """
    usable = [entry for entry in corrections if set(entry.match) <= set(raw.columns)]
    found = {entry.id: _count(connection, raw, _matches(entry)) for entry in usable}
    applied = [entry for entry in usable if found[entry.id]]
    if not applied:
        return CorrectedFile()
    _refuse_overlap(connection, raw, applied)
    _refuse_unfit(connection, raw, applied)
    read, dropped = quoted(raw.relation + "_read"), quoted(raw.relation + "_dropped")
    connection.execute(f"ALTER VIEW {quoted(raw.relation)} RENAME TO {read}")
    drops = [entry for entry in applied if entry.action == "drop"]
    leaving = " OR ".join(f"({_matches(entry)})" for entry in drops) or "false"
    cases = " ".join(f"WHEN {_matches(entry)} THEN {literal(entry.id)}" for entry in drops)
    fields = ", ".join(f"{quoted(name)} := CAST({quoted(name)} AS VARCHAR)" for name in raw.columns)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {dropped} AS SELECT _row AS row, {f'CASE {cases} END' if drops else 'NULL'} AS id, "
        f"CAST(to_json(struct_pack({fields})) AS VARCHAR) AS original FROM {read} WHERE {leaving}"
    )
    columns = ", ".join(["_row", *(_corrected(name, kind, applied) for name, kind in raw.columns.items())])
    connection.execute(
        f"CREATE TEMP VIEW {quoted(raw.relation)} AS SELECT {columns} FROM {read} WHERE NOT ({leaving})"
    )
    return CorrectedFile(
        rows={entry.id: found[entry.id] for entry in applied}, dropped=sum(found[entry.id] for entry in drops)
    )


def drop_corrected(connection: duckdb.DuckDBPyConnection, raw: RawFile) -> None:
    """Give back what :func:`correct` made beside the relation."""
    connection.execute(f"DROP VIEW IF EXISTS {quoted(raw.relation + '_read')}")
    connection.execute(f"DROP TABLE IF EXISTS {quoted(raw.relation + '_dropped')}")


def refuse_unexpected(corrections: Sequence[Correction], found: Mapping[str, int]) -> None:
    """Refuse the run when a correction does not find the rows it was written for."""
    for entry in corrections:
        count = found.get(entry.id, 0)
        if count == entry.expect:
            continue
        cause = (
            "the source seems to be fixed; take the entry out"
            if not count
            else "look at the rows and set 'expect', or take the entry out"
        )
        raise ContractError(
            f"{REGISTER}: '{entry.id}' expects {entry.expect:,} rows of {entry.table} and found {count:,} "
            f"({', '.join(entry.match)}; {entry.reason}): {cause}."
        )


def _text(column: str) -> str:
    return f"coalesce(trim(CAST({quoted(column)} AS VARCHAR)), '')"


def _matches(entry: Correction) -> str:
    return " AND ".join(f"{_text(column)} = {literal(value)}" for column, value in entry.match.items())


def _count(connection: duckdb.DuckDBPyConnection, raw: RawFile, where: str) -> int:
    return int(
        connection.execute(f"SELECT count(*) FROM {quoted(raw.relation)} WHERE {where}").fetchall()[0][0]
    )


def _value(value: str, kind: str) -> str:
    return f"CAST({literal(value)} AS {kind})" if value else f"CAST(NULL AS {kind})"


def _corrected(column: str, kind: str, applied: Sequence[Correction]) -> str:
    cases = " ".join(
        f"WHEN {_matches(entry)} THEN {_value(entry.to[column], kind)}"
        for entry in applied
        if column in entry.to
    )
    return f"CASE {cases} ELSE {quoted(column)} END AS {quoted(column)}" if cases else quoted(column)


def _refuse_overlap(
    connection: duckdb.DuckDBPyConnection, raw: RawFile, applied: Sequence[Correction]
) -> None:
    """The order of two corrections of one row would change the result; it must not matter."""
    for index, first in enumerate(applied):
        for second in applied[index + 1 :]:
            rows = _count(connection, raw, f"({_matches(first)}) AND ({_matches(second)})")
            if rows:
                raise ParameterError(
                    f"{REGISTER}: '{first.id}' and '{second.id}' both match {rows:,} rows of {raw.name}. Write one correction for them."
                )


def _refuse_unfit(connection: duckdb.DuckDBPyConnection, raw: RawFile, applied: Sequence[Correction]) -> None:
    import duckdb

    for entry in applied:
        for column, value in entry.to.items():
            if column not in raw.columns:
                raise ParameterError(
                    f"{REGISTER}: '{entry.id}' sets {entry.table}.{column}, but {raw.name} has no such column. Leave it out."
                )
            try:
                connection.execute(f"SELECT {_value(value, raw.columns[column])}").fetchall()
            except duckdb.Error as error:
                raise ParameterError(
                    f"{REGISTER}: '{entry.id}' sets {entry.table}.{column} to '{value}', which {raw.name} cannot hold ({first_line(error)})."
                ) from error
