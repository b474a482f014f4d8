"""The shape of a block record: checked when a block is made and again when a pack is rendered from a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis.errors import ParameterError
from analysis.locale import LANGUAGES

_PARTS: dict[str, dict[str, str]] = {
    # kind: part → what it is ("?" may be null)
    "table": {
        "title": "segments",
        "subtitle": "segments?",
        "note": "segments?",
        "columns": "list",
        "rows": "list",
        "csv": "string",
    },
    "figure": {
        "title": "segments",
        "subtitle": "segments",
        "foot": "segments",
        "alt": "text",
        "svg": "text",
        "width": "number",
        "height": "number",
        "data": "mapping",
        "csv": "string",
    },
    "tiles": {"tiles": "list"},
    "findings": {"findings": "list", "empty": "segments"},
    "checks": {"checks": "list"},
    "callout": {"tone": "string", "title": "segments", "body": "segments?"},
    "facts": {},
    "evidence": {"files": "list"},
}
_ROLES = {"body", "subtotal", "total", "group"}
_CELL_KINDS = {"fact", "label", "words", "empty"}
_TONES = {None, "good", "bad", "muted"}
ALL = "all"  # how a fact over all values of a dimension may name it


def validate(record: Mapping[str, Any]) -> None:
    """Refuse a record that an exporter could not render, or that refers to a fact it does not carry."""
    name = str(record.get("id") or "?")
    kind = record.get("kind")
    if record.get("version") != 1 or kind not in _PARTS or name == "?":
        raise ParameterError(
            f"block {name}: version {record.get('version')}, kind {kind!r}; known: version 1 of {', '.join(_PARTS)}."
        )
    for part in ("facts", "untranslated"):
        _expect(isinstance(record.get(part), list), name, part, "a list")
    for part, shape in _PARTS[kind].items():
        _check_part(name, part, shape, record.get(part, "absent"))
    if kind == "table":
        _check_listing(name, record)
    elif kind == "figure":
        _check_listing(name, record["data"])
    known = {fact["id"] for fact in record["facts"]}
    for reference in references(record):
        if reference not in known:
            raise ParameterError(f"block {name}: refers to fact {reference}, which it does not carry.")


def _expect(holds: bool, name: str, part: str, what: str) -> None:
    if not holds:
        raise ParameterError(f"block {name}: '{part}' should be {what}.")


def _check_part(name: str, part: str, shape: str, value: Any) -> None:
    if shape.endswith("?") and value is None:
        return
    match shape.rstrip("?"):
        case "segments":
            holds = isinstance(value, Mapping) and all(
                isinstance(value.get(language), Sequence) and all("t" in piece for piece in value[language])
                for language in LANGUAGES
            )
            _expect(holds, name, part, f"segments in {' and '.join(LANGUAGES)}")
        case "text":
            holds = isinstance(value, Mapping) and all(
                isinstance(value.get(language), str) for language in LANGUAGES
            )
            _expect(holds, name, part, f"text in {' and '.join(LANGUAGES)}")
        case "list":
            _expect(isinstance(value, list), name, part, "a list")
        case "mapping":
            _expect(isinstance(value, Mapping), name, part, "a mapping")
        case "number":
            _expect(isinstance(value, (int, float)), name, part, "a number")
        case "string":
            _expect(isinstance(value, str) and value != "absent", name, part, "a string")


def _check_listing(name: str, listing: Mapping[str, Any]) -> None:
    columns = listing["columns"]
    for column in columns:
        _check_part(name, f"column {column.get('key')}", "text", column.get("label"))
        _check_part(name, f"unit of {column.get('key')}", "text", column.get("unit"))
    for number, row in enumerate(listing["rows"]):
        _expect(row["role"] in _ROLES, name, f"row {number}", f"of a role in {sorted(_ROLES)}")
        _expect(len(row["cells"]) == len(columns), name, f"row {number}", f"{len(columns)} cells wide")
        for cell in row["cells"]:
            _check_part(name, f"cell in row {number}", "text", cell["text"])
            _expect(
                cell["kind"] in _CELL_KINDS and cell["tone"] in _TONES,
                name,
                f"cell in row {number}",
                "of a known kind and tone",
            )
            _expect(
                (cell["kind"] == "fact") == (cell["fact"] is not None),
                name,
                f"cell in row {number}",
                "a fact exactly when it names one",
            )


def references(value: Any, key: str = "") -> Iterator[str]:
    """Every fact id that the record points to, wherever it stands."""
    if isinstance(value, Mapping):
        for inner, item in value.items():
            if inner == "fact" and isinstance(item, str):
                yield item
            elif inner not in ("facts", "svg"):
                yield from references(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from references(item, key)


# ---------------------------------------------------------------- the right number under the right heading


def misplaced(record: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[str]:
    """Every number of a record that is not of the metric, the slice or the period its column, row or tile states.

    ``facts``: records by id. A reference that they lack is another check's business.
    """
    for listing in (record, record.get("data") or {}):
        if "rows" in listing:
            yield from misplaced_cells(listing, facts)
    yield from misplaced_tiles(record.get("tiles", []), facts)


def misplaced_cells(listing: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[str]:
    """The same for the ``columns`` and ``rows`` of a table."""
    for number, row in enumerate(listing["rows"], start=1):
        for column, cell in zip(listing["columns"], row["cells"], strict=False):
            if cell["fact"] not in facts:
                continue
            stated = (column, row, cell)
            place = f"row {number}, column {column['key']}"
            yield from _foreign(place, facts[cell["fact"]], stated)


def misplaced_tiles(tiles: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> Iterator[str]:
    """The same for tiles and the lines below their numbers."""
    for tile in tiles:
        name = tile["label"]["en"]
        if tile["fact"] in facts:
            yield from _foreign(f"tile “{name}”", facts[tile["fact"]], (tile,))
        for line in tile["comparisons"]:
            for identity in sorted(set(references(line["value"])) & set(facts)):
                place = f"tile “{name}”, line “{line['label']['en']}”"
                yield from _foreign(place, facts[identity], (line,))


def _foreign(place: str, fact: Mapping[str, Any], stated: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What about the fact contradicts what is stated where it stands."""
    for part in stated:
        metrics = part.get("metric")
        if metrics and fact["metric"] not in metrics:
            yield f"{place}: {fact['id']} is no {' or '.join(metrics)}."
        for dimension, value in part.get("slice", {}).items():
            found = fact["dimensions"].get(dimension)
            if found != value and not (value is None and found == ALL):
                yield f"{place}: {fact['id']} is of {dimension} {found}, not {value or 'over all values'}."
        period = part.get("period")
        if period and fact["period"] != period:
            yield f"{place}: {fact['id']} is of {fact['period']}, not {period}."
