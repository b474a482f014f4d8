"""Which exhibit is Table 13? Every block that a pack prints, with its number, its facts and the cells they stand in.

Numbers follow the printed order, the executive summary first, and are the same in both languages, on paper and on screen.
An edition keeps the index as ``exhibits.json``, so that ``make trace`` can answer from a number read on paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis.exhibits.markup import NUMBERED
from analysis.exhibits.record import MIME
from analysis.locale import LANGUAGES, Language, translate
from analysis.report.executed import SUMMARY_SECTIONS

EXHIBITS = "exhibits.json"
DROPPED_TAGS = frozenset({"parameters", "injected-parameters", "setup", "remove-cell"})
UNPRINTED = frozenset({"facts", "callout"})

Json = Mapping[str, Any]
Named = tuple[str, Json]


def in_reading_order(notebooks: Sequence[Named]) -> Sequence[Named]:
    """The summary first, the rest by the notebooks' own ``order``; as given when one of them has none."""
    places = [placed(notebook) for _, notebook in notebooks]
    if any(not isinstance(place.get("order"), int) for place in places):
        return notebooks
    keys = [(place.get("section") not in SUMMARY_SECTIONS, place["order"]) for place in places]
    return [pair for _, pair in sorted(zip(keys, notebooks, strict=True), key=lambda item: item[0])]


def placed(notebook: Json) -> Json:
    """What a notebook says of its place in the pack: ``section`` and ``order``."""
    place = notebook.get("metadata", {}).get("after_sales", {})
    return place if isinstance(place, Mapping) else {}


def exhibit_index(notebooks: Sequence[Named]) -> list[dict[str, Any]]:
    """One entry per block that is printed, in reading order.

    Parameters
    ----------
    notebooks : executed notebooks as (name, content), format 4

    Returns
    -------
    list of ``id``, ``kind``, ``notebook``, ``number`` (None for what is not numbered), ``title`` (both languages or None),
    ``facts`` (ids), ``csv`` (name of its file in ``evidence/`` or None), ``columns`` (key and label) and ``rows`` (the row's
    label and one fact id or None per column); a figure's rows are the numbers behind it.
    """
    counts = dict.fromkeys(NUMBERED, 0)
    entries: dict[str, dict[str, Any]] = {}
    for name, notebook in in_reading_order(notebooks):
        for record in _printed(notebook):
            if record["id"] in entries:  # shown again: the same exhibit, the same number
                continue
            if record["kind"] in counts:
                counts[record["kind"]] += 1
            entries[record["id"]] = _entry(name, record, counts.get(record["kind"]))
    return list(entries.values())


def exhibit_numbers(notebooks: Sequence[Named]) -> dict[str, int]:
    """The number of each table and figure, by its id."""
    return {entry["id"]: entry["number"] for entry in exhibit_index(notebooks) if entry["number"]}


def exhibit_label(kind: str, number: int | None, language: Language) -> str:
    """``Table 13`` or ``表 13``; nothing for an exhibit without a number."""
    return f"{translate(NUMBERED[kind], language)} {number}" if number else ""


def _printed(notebook: Json) -> Iterator[Json]:
    for cell in notebook["cells"]:
        if DROPPED_TAGS.isdisjoint(cell.get("metadata", {}).get("tags", ())):
            for output in cell.get("outputs", ()):
                record = output.get("data", {}).get(MIME)
                if record is not None and record["kind"] not in UNPRINTED:
                    yield record


def _entry(notebook: str, record: Json, number: int | None) -> dict[str, Any]:
    listing = record.get("data") or record
    title = record.get("title")
    return {
        "id": record["id"],
        "kind": record["kind"],
        "notebook": notebook,
        "number": number,
        "title": {language: "".join(piece["t"] for piece in title[language]) for language in LANGUAGES}
        if title
        else None,
        "facts": [fact["id"] for fact in record["facts"]],
        "csv": record.get("csv"),
        "columns": [
            {"key": column["key"], "label": column["label"]} for column in listing.get("columns", ())
        ],
        "rows": [
            {"label": row["cells"][0]["text"], "facts": [cell["fact"] for cell in row["cells"]]}
            for row in listing.get("rows", ())
        ],
    }
