"""Key figures side by side, as blocks: the number, what it is held against, its past as a spark line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.exhibits.record import Block, Gathered, value_sentence
from analysis.exhibits.shape import misplaced_tiles
from analysis.exhibits.sparks import sparkline
from analysis.exhibits.tables import refuse_misplaced
from analysis.exhibits.vocabulary import Comparison, Tile
from analysis.results import Fact


def tiles(id: str, tiles: Sequence[Tile]) -> Block:
    """Key figures side by side."""
    gathered = Gathered(id)
    records = [_tile(gathered, tile) for tile in tiles]
    refuse_misplaced(id, misplaced_tiles(records, gathered.facts))
    return gathered.record("tiles", tiles=records)


def _tile(gathered: Gathered, tile: Tile) -> dict[str, Any]:
    for fact in tile.history:
        gathered.fact(fact)
    comparisons = []
    for line in tile.comparisons:
        value = value_sentence(line.value, signed=line.signed) if isinstance(line.value, Fact) else line.value
        comparisons.append(
            {
                "label": gathered.text(line.label),
                "value": gathered.sentence(value),
                "tone": line.tone,
                **_stated(line),
            }
        )
    return {
        "label": gathered.text(tile.label),
        "value": gathered.sentence(value_sentence(tile.fact, signed=tile.signed)),
        "status": tile.status,
        "comparisons": comparisons,
        "spark": sparkline(tile.history, label=tile.label) if len(tile.history) > 1 else None,
        "fact": gathered.fact(tile.fact),
        **_stated(tile),
    }


def _stated(part: Tile | Comparison) -> dict[str, Any]:
    """What the facts of a tile or of a line below it must be of; nothing where nothing is stated."""
    stated = {"metric": list(part.metric), "slice": dict(sorted(part.slice.items()))}
    return {name: value for name, value in stated.items() if value}
