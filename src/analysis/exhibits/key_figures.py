"""Key figures side by side, as blocks: the number, what it is held against, its past as a spark line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.exhibits.record import Block, Gathered, value_sentence
from analysis.exhibits.sparks import sparkline
from analysis.exhibits.vocabulary import Tile
from analysis.results import Fact


def tiles(id: str, tiles: Sequence[Tile]) -> Block:
    """Key figures side by side."""
    gathered = Gathered(id)
    return gathered.record(
        "tiles", tiles=[_tile(gathered, tile, f"{id}.{index}") for index, tile in enumerate(tiles)]
    )


def _tile(gathered: Gathered, tile: Tile, name: str) -> dict[str, Any]:
    for fact in tile.history:
        gathered.fact(fact)
    comparisons = []
    for line in tile.comparisons:
        value = value_sentence(line.value, signed=line.signed) if isinstance(line.value, Fact) else line.value
        comparisons.append(
            {"label": gathered.text(line.label), "value": gathered.sentence(value), "tone": line.tone}
        )
    return {
        "label": gathered.text(tile.label),
        "value": gathered.sentence(value_sentence(tile.fact)),
        "status": tile.status,
        "comparisons": comparisons,
        "spark": sparkline(tile.history, label=tile.label) if len(tile.history) > 1 else None,
        "fact": gathered.fact(tile.fact),
    }
