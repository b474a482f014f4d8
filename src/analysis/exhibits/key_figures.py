"""Key figures side by side, as blocks: the number, what it is held against, its past as a spark line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.exhibits.record import Block, Gathered, absent_of, value_sentence
from analysis.exhibits.shape import misplaced_tiles
from analysis.exhibits.sparks import sparkline
from analysis.exhibits.tables import refuse_misplaced
from analysis.exhibits.vocabulary import Comparison, Tile
from analysis.results import Fact


def tiles(id: str, tiles: Sequence[Tile]) -> Block:
    """Key figures side by side."""
    gathered = Gathered(id)
    absent = {tile.label: found for tile in tiles if (found := absent_of(tile.label, [tile.fact]))}
    # where no figure is left the first reader of a section is told why
    shown = [tile for tile in tiles if tile.label not in absent] or tiles
    records = [_tile(gathered, tile) for tile in shown]
    refuse_misplaced(id, misplaced_tiles(records, gathered.facts))
    without = [one.record() for one in absent.values()] if len(shown) < len(tiles) else []
    return gathered.record("tiles", tiles=records, **({"without": without} if without else {}))


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
