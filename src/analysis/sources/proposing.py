"""A first source map for exports nobody has described yet: from names and values, with every doubt marked and ranked by what it costs.

It is a draft for a person to finish, but one that loads and can be tried as it stands. What a file is follows from its columns together
(see ``matching``); what it is not is said as well, and so is every file, sheet and reason for not looking at one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from analysis.errors import SourceError
from analysis.params.places import is_folder, project_root, shipped_root
from analysis.sources.cells import Cell
from analysis.sources.databases import refuse_variable
from analysis.sources.drafting import Doubt, Entry, dearest_first, listed, printed, quoted
from analysis.sources.entries import entry_of, say_what_is_not_read
from analysis.sources.headings import load_lexicon, maps_there
from analysis.sources.looking import LOOKED_AT, Look, Looked, look_into, look_through
from analysis.sources.maps import SourceMap
from analysis.sources.matching import (
    NAMES_ROWS_OF,
    Export,
    Match,
    Matcher,
    TableShape,
    names_rows_of,
    refers_to,
)
from analysis.sources.profiles import Profile
from analysis.sources.reading import FileForm, find_inputs, open_rows, require_columns
from analysis.sources.rowmapping import needed_columns
from analysis.sources.second_tables import second_entries, turns_of_logs
from analysis.sources.takenback import doubt_taken_back

#: Doubts from this cost on stand at the top of the map as well.
DEAR = 2
#: Share of a shipped map's columns that a file must have for the map to be worth naming.
NEAR = 0.6
LOADS = "# Proposed from headings and the first rows. It loads as it stands; settle every line marked 'doubt', then save as params/sources/<name>.yml."
FITS = "# The map '{name}' {whose} reads these files as they are: analysis check FOLDER --map {name}"


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What a folder of exports was taken for.

    Attributes
    ----------
    about : the head of the map: what it is of, and where a database is named
    entries : of the proposed map
    shipped : maps in ``params/sources`` that read the folder as it is
    looks : what was seen of each file
    remarks : lines on every file that was not taken, with its reason, and on shipped maps
    wanted : lines on what the report would also use
    """

    about: tuple[str, ...]
    entries: tuple[Entry, ...]
    shipped: tuple[str, ...]
    looks: tuple[Look, ...]
    remarks: tuple[str, ...]
    wanted: tuple[str, ...]

    @property
    def doubts(self) -> list[tuple[Doubt, str]]:
        """Every doubt with its place, the dearest first."""
        return dearest_first(
            [
                (doubt, f"{entry.table} of {entry.file}")
                for entry in self.entries
                for doubt in entry.all_doubts
            ]
        )

    def text(self, *, left_out: Mapping[str, str] = {}) -> str:
        """The proposal as a map in YAML; the entries of a table that is ``left_out`` stand in comments, with the reason."""
        dear = [(doubt, place) for doubt, place in self.doubts if doubt.cost >= DEAR]
        lines = [LOADS]
        if dear:
            lines.append("# To be settled first, what costs most at the top:")
            lines += [f"#   {place}: {doubt.said}" for doubt, place in dear]
        lines += [*self.remarks, *self.wanted]
        if self.entries:
            lines += [*self.about, "tables:"]
        for entry in self.entries:
            written = _entry_lines(entry)
            if entry.table in left_out:
                reason = " ".join(left_out[entry.table].split())
                written = [
                    f"  # left out, as it cannot be read so: {reason}",
                    *(f"  #{line}" for line in written),
                ]
            lines += written
        return "\n".join(map(printed, lines)) + "\n"


def propose_map(folder: Path, tables: Mapping[str, TableShape], *, without: Collection[str] = ()) -> str:
    """A source map in YAML for the exports of a folder; files that fit no table are listed in comments.

    Parameters
    ----------
    folder : Path
        Of the exports.
    tables : mapping of table to TableShape
        What there is to know of each canonical table.
    without : collection of str
        Maps in ``params/sources`` whose words are left aside, to try what a system nobody described would meet.

    Returns
    -------
    str
        YAML that loads, with every doubt marked as one.

    Raises
    ------
    SourceError
        For a folder that is not there, or in which no file looks like a table.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from analysis.sources import TableShape, propose_map
    >>> folder = Path(tempfile.mkdtemp())
    >>> export = pd.DataFrame({"ticket_id": ["T1"], "ticket_type": ["repair"], "opened_at": ["2026-10-03 09:15"]})
    >>> export.to_csv(folder / "tickets.csv", index=False)
    >>> columns = {"ticket_id": "string", "ticket_type": "string", "opened_at": "timestamp"}
    >>> shape = TableShape(columns=columns, required=frozenset(columns), key=("ticket_id",))
    >>> "table: tickets" in propose_map(folder, {"tickets": shape})
    True
    """
    return propose(folder, tables, without=without).text()


def propose_for_database(variable: str, tables: Mapping[str, TableShape]) -> str:
    """The same for the tables of a database, whose address the environment variable of this name holds.

    Raises SourceError where it cannot be reached or read, and where no table looks like one of ours.
    """
    refuse_variable(variable, "--url-from")
    about = (f"about: {quoted(f'tables of {variable}')}", f"url_from: {variable}")
    return _proposal(variable, tables, look_into(variable), about, ()).text()


def _nothing(place: str, said: Sequence[str]) -> SourceError:
    seen = next((line for line in said if "columns are" in line), next(iter(said), ""))
    return SourceError(
        f"{place}: no file in it looks like one of our tables{f' ({seen[2:]})' if seen else ''}. Write the map by hand; docs/SOURCES.md says how, params/sources has examples. Or add the words of these headings to params/vocabulary.yml and try again."
    )


def propose(folder: Path, tables: Mapping[str, TableShape], *, without: Collection[str] = ()) -> Proposal:
    """What the files of a folder are; see :func:`propose_map`."""
    if not is_folder(folder, name=folder.name, refusal=SourceError):
        raise SourceError(f"{folder.name}: no such folder. Name the folder that holds the exports.")
    draft = look_through(folder)
    about = (f"about: {quoted(f'exports of {folder.name}')}",)
    return _proposal(folder.name, tables, draft, about, without, folder=folder)


def _proposal(
    place: str,
    tables: Mapping[str, TableShape],
    draft: Looked,
    about: tuple[str, ...],
    without: Collection[str],
    *,
    folder: Path | None = None,
) -> Proposal:
    lexicon = load_lexicon({name: tuple(shape.columns) for name, shape in tables.items()}, without=without)
    matcher = Matcher(lexicon=lexicon, shapes=tables)
    exports = with_pointers(_exports(draft.looks, matcher), matcher)
    entries, said = _entries(draft.looks, exports, matcher, folder)
    shipped, near = _shipped(folder, tables, draft.looks) if folder else ([], [])
    if not entries and not shipped and not near:
        raise _nothing(place, [*said, *draft.remarks])
    return Proposal(
        about=about,
        entries=tuple(entries),
        shipped=tuple(shipped),
        looks=tuple(draft.looks),
        remarks=(
            *(FITS.format(name=name, whose=_whose(name)) for name in shipped),
            *near,
            *said,
            *draft.remarks,
        ),
        wanted=tuple(_would_add(tables, entries)),
    )


def _entry_lines(entry: Entry) -> list[str]:
    """The entry with each of its doubts once: beside what it doubts, else below its first line."""
    lines = entry.lines()
    written = "\n".join(lines)
    others = [f"    # doubt: {doubt.said}" for doubt in entry.all_doubts if doubt.said not in written]
    return [lines[0], *others, *lines[1:]]


def _would_add(tables: Mapping[str, TableShape], entries: Sequence[Entry]) -> list[str]:
    """Columns of the proposed tables that the report reads and that were not found, with the sections they would serve."""
    given: dict[str, set[str]] = {}
    for entry in entries:
        given.setdefault(entry.table, set()).update(entry.canonical)
    lines = []
    for table, columns in given.items():
        lacking = {
            column: sections for column, sections in tables[table].used.items() if column not in columns
        }
        if lacking:
            most = sorted(lacking, key=lambda column: (-len(lacking[column]), column))
            said = [f"{column} ({', '.join(lacking[column])})" for column in most]
            lines.append(f"# {table}: the report would also use {listed(said)}")
    absent = [name for name, shape in tables.items() if name not in given and shape.used]
    return [*lines, f"# no file for: {', '.join(absent)}"] if absent else lines


# ---------------------------------------------------------------- what the files are


def _exports(looks: Sequence[Look], matcher: Matcher) -> list[Export]:
    """The files with their columns' values, and which of them other files point at."""
    words = frozenset(matcher.lexicon.vocabulary.missing)
    exports = []
    for look in looks:
        profiles = {
            name: Profile(name, [row[place] for row in look.rows], words)
            for place, name in enumerate(look.header)
            if name and not _is_machine_column(name, matcher)
        }
        exports.append(Export(file=look.file, name=look.name, profiles=profiles, origin=look.origin))
    referred: dict[int, set[str]] = {}
    for number, export in enumerate(exports):
        keys = {
            name: profile
            for name, profile in export.profiles.items()
            if profile.is_key and profile.names_things
        }
        for other in exports:
            if other is export:
                continue
            pointing = [one for one in other.profiles.values() if one.names_things and not one.is_empty]
            for name, key in keys.items():
                if any(_points(one, key, matcher, export) for one in pointing):
                    referred.setdefault(number, set()).add(name)
    return [
        replace(export, referred=frozenset(referred.get(number, ()))) for number, export in enumerate(exports)
    ]


def _is_machine_column(name: str, matcher: Matcher) -> bool:
    """Whether a column is there for the system alone, by its heading (``(Do Not Modify) Row Checksum``)."""
    return any(word in name.casefold() for word in matcher.lexicon.vocabulary.machine)


def with_pointers(exports: Sequence[Export], matcher: Matcher) -> list[Export]:
    """The files with the columns that point at the rows of a file of another table: it tells whose number they are."""
    named: list[tuple[Export, str, Profile]] = []
    for export in exports:
        match, _ = matcher.best(export)
        for column, table in NAMES_ROWS_OF.items():
            if match is not None and match.table == table and (source := match.source(column)):
                named.append((export, table, export.profiles[source]))
    found = []
    for export in exports:
        points = {
            name: table
            for other, table, key in named
            if other is not export
            for name, profile in export.profiles.items()
            if profile.names_things and not profile.is_empty and names_rows_of(profile, key)
        }
        found.append(replace(export, points=points))
    return found


def _points(profile: Profile, key: Profile, matcher: Matcher, export: Export) -> bool:
    """A column points at a key when it holds its values and is called like its file, or when the values are no mere counting numbers."""
    if not refers_to(profile, key):
        return False
    if any(not word.isdigit() or len(word) > 4 for word in profile.words):
        return True
    return bool(set(matcher.words(profile.name)) & set(matcher.words(export.name)))


def _entries(
    looks: Sequence[Look], exports: Sequence[Export], matcher: Matcher, folder: Path | None
) -> tuple[list[Entry], list[str]]:
    """An entry for each file that is a table, further tables that the same files tell of, and what the others are."""
    held: list[tuple[Look, Export, Match]] = []
    said: list[str] = []
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for look, export in zip(looks, exports, strict=True):
        same = ((look.pattern or look.file) + look.part, tuple(look.header))
        if same in seen:
            continue
        seen.add(same)
        match, other = matcher.best(export)
        if match is None:
            said.append(_said_of(look, other, matcher))
        else:
            held.append((look, export, match))
    made = [(one, entry_of(*one, matcher, exports)) for one in held]
    kept, more = _without_rivals([entry for _, entry in made], matcher)
    held, entries = [one for one, entry in made if entry in kept], kept
    for (look, export, _), entry in zip(held, entries, strict=True):
        doubt_taken_back(entry, look.header, export.profiles, partial(_all_rows, look, folder), matcher)
    entries += second_entries(held, entries, matcher, looks, exports)
    for entry in entries:
        rivals = [one.file for one in entries if one.table == entry.table and one.file != entry.file]
        if rivals:
            entry.doubt(
                2,
                f"{entry.file} and {rivals[0]} are both proposed for {entry.table}; keep both only if their rows are different ones",
            )
    turns_of_logs(entries, matcher, exports)
    entries.sort(key=lambda one: list(matcher.shapes).index(one.table))
    say_what_is_not_read(entries, exports)
    for entry in entries:
        if not entry.pattern:
            _leave_to_a_query(entry)
    return entries, [*said, *more]


def _all_rows(look: Look, folder: Path | None) -> Iterator[Sequence[Cell]]:
    """Every row of the files that a look's pattern names; those looked at, where they are all there is or a database holds them."""
    inputs = (
        find_inputs(folder, look.pattern, str(look.form.get("member", "*")))
        if folder and look.pattern
        else []
    )
    if not inputs or (len(inputs) == 1 and len(look.rows) < LOOKED_AT):
        yield from look.rows
        return
    form = FileForm(**look.form)  # type: ignore[arg-type]
    for given in inputs:
        try:
            with tempfile.TemporaryDirectory() as work, open_rows(form, given, work=Path(work)) as rows:
                yield from rows.rows if rows.header == look.header else ()
        except SourceError:
            continue  # what cannot be read is refused, with its reason, when the map is applied


def _leave_to_a_query(entry: Entry) -> None:
    """What a map does with files and leaves to SQL with a database is a doubt and no rule."""
    if entry.last_of:
        entry.doubts = [doubt for doubt in entry.doubts if doubt.said != entry.remarks.get("last_of")]
        entry.doubt(
            3,
            f"{entry.last_of[0]} stands several times; a row should be one: state a query that keeps its last row (max, or row_number() over it)",
        )
        entry.last_of = []
    if "counted" in entry.form:
        del entry.form["counted"], entry.joined["posting_id"]
        entry.doubts = [doubt for doubt in entry.doubts if doubt.said != entry.remarks.get("joined")]
        entry.doubt(
            3,
            "no column names a posting: state a query that numbers the lines of a voucher (row_number() over them), and map posting_id",
        )


def _said_of(look: Look, other: str, matcher: Matcher) -> str:
    name = f"{look.file} ({look.part})" if look.part and look.pattern else look.file
    if not look.header or not look.rows:
        return f"# {name}: doubt: empty"
    if other:
        what = matcher.lexicon.vocabulary.others[other].said["en"]
        return f"# {name}: looks like {what}: none of our tables; its columns are {listed(look.header[:8])}"
    return f"# {name}: doubt: fits no table; its columns are {listed(look.header[:8])}"


def _without_rivals(entries: Sequence[Entry], matcher: Matcher) -> tuple[list[Entry], list[str]]:
    """A file that lacks what its table must have, beside one that has it, is another thing than that table."""
    lacking = {id(entry): _lacking(entry, matcher) for entry in entries}
    kept, said = [], []
    for entry in entries:
        whole = [one.file for one in entries if one.table == entry.table and not lacking[id(one)]]
        if lacking[id(entry)] and whole:
            said.append(
                f"# {entry.file}: doubt: has columns of {entry.table} but no {', '.join(lacking[id(entry)])}; {whole[0]} looks like that table. This may be a log of events, or a file to look values up in"
            )
        else:
            kept.append(entry)
    return kept, said


def _lacking(entry: Entry, matcher: Matcher) -> list[str]:
    """Required columns that no column of the file was found for, those that a constant stands for among them."""
    required = matcher.shapes[entry.table].required
    invented = set(entry.constants) - {"currency"} if entry.table == "tickets" else set()
    return sorted(required - (set(entry.canonical) - invented))


# ---------------------------------------------------------------- maps that ship


def _shipped(
    folder: Path, tables: Mapping[str, TableShape], looks: Sequence[Look]
) -> tuple[list[str], list[str]]:
    """Shipped maps that read the folder as it is; where there is none, the nearest two, with what differs."""
    there = list(maps_there({name: tuple(shape.columns) for name, shape in tables.items()}))
    fitting = [name for name, source_map in there if _fits(source_map, folder)]
    if fitting:
        return fitting, []
    near = [found for name, source_map in there if (found := _nearly(name, source_map, looks))]
    return [], [line for _, line in sorted(near, reverse=True)[:2]]


def _whose(name: str) -> str:
    own = project_root() / "params" / "sources" / f"{name}.yml"
    return "of this project" if project_root() != shipped_root() and own.is_file() else "that ships"


def _fits(source_map: SourceMap, folder: Path) -> bool:
    """Whether the folder has every file of the map, each with every column that is read."""
    try:
        for entry in source_map.tables:
            inputs = find_inputs(folder, entry.file, entry.member) if entry.file else []
            if not inputs and entry.file and entry.may_be_absent:
                continue
            if not inputs:
                return False
            optional = {log.file for log in entry.events if log.may_be_absent}
            if any(not find_inputs(folder, pattern, member) for pattern, member in entry.other_files if pattern not in optional):  # fmt: skip
                return False
            for given in inputs[:1]:
                with tempfile.TemporaryDirectory() as work, open_rows(entry, given, work=Path(work)) as rows:
                    header = [*rows.header, *entry.counted, *entry.found]
                    require_columns(given.name, needed_columns(entry, rows.header), header)
    except SourceError:
        return False
    return True


def _nearly(name: str, source_map: SourceMap, looks: Sequence[Look]) -> tuple[float, str] | None:
    """A map whose longest entry finds most of its columns in one of the files."""
    entry = max(source_map.tables, key=lambda one: len(one.columns))
    wanted = list(dict.fromkeys(entry.columns.values()))
    names = {source: (source, *entry.called.get(source, ())) for source in wanted}
    best: tuple[float, str] | None = None
    for look in looks:
        lacking = [source for source in wanted if not set(names[source]) & set(look.header)]
        share = 1 - len(lacking) / len(wanted) if wanted else 0.0
        if len(wanted) - len(lacking) >= 4 and share >= NEAR and (best is None or share > best[0]):
            differs = f"it lacks {listed(lacking)}; " if lacking else ""
            best = (
                share,
                f"# {look.file} is near the map '{name}' {_whose(name)} ({len(wanted) - len(lacking)} of its {len(wanted)} columns): {differs}that map reads files called {entry.file}",
            )
    return best
