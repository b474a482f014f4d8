"""Key figures side by side: how many in a row, how large, and what stands beside what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.formats import number_and_unit
from analysis.locale import Language
from analysis.report.pdf_columns import TEXT_WIDTH, typeface

Node = dict[str, Any]

SIZES = (19.0, 18.0, 17.0, 16.0, 15.0, 14.0, 13.0, 12.0, 11.0, 10.0)
LEAST = 14.0  # points below which a value looks lost, and the tiles are set wider
MINOR = 8.5  # points of the unit beside the value
UNIT_ROOM = 60.0  # points kept for it; a longer unit runs on to a second line
SMALL = 7.5  # points of a comparison
GAP = 18.0  # between two tiles
SPARK = 92.0  # width of a spark line
AIR = 10.0  # between two things in a tile
COVER_ROWS = 2
COVER_TILES = 6


def value_nodes(value: Sequence[Node], language: Language) -> list[Node]:
    """A formatted number with its unit of count set apart: ``2,394`` large, then ``tickets`` small; other texts stay whole."""
    number, unit = number_and_unit("".join(piece["text"] for piece in value), language)
    if number is None:
        return list(value)
    node = {"type": "fact", "text": number}
    return [node, {"type": "minor", "text": f" {unit}"}] if unit else [node]


def tile_strip(tiles: Sequence[Node]) -> Node:
    """Tiles with the layout that all of them share.

    ``across`` stand in a row; ``size`` is the largest at which every value fits; ``beside`` says that spark lines fit to the
    right of the values, ``stacked`` that a comparison's label and value do not fit on one line.
    """
    made: Node = {}
    for across in _rows_that_fill(len(tiles)):
        room = (TEXT_WIDTH - GAP * (across - 1)) / across
        fitting = (size for size in SIZES if all(_fits(tile, size, room) for tile in tiles))
        size = next(fitting, SIZES[-1])
        made = {
            "across": across,
            "gap": GAP,
            "size": size,
            "beside": all(_value_width(tile, size) + AIR + SPARK <= room for tile in tiles if tile["spark"]),
            "stacked": any(_comparison_width(line) > room for tile in tiles for line in tile["comparisons"]),
            "tiles": tiles,
        }
        if size >= LEAST:
            break
    return made


def cover_strip(tiles: Sequence[Node]) -> Node | None:
    """The first tiles again, without spark lines, in as many as two rows of the cover."""
    plain = [tile | {"spark": None, "comparisons": tile["comparisons"][:3]} for tile in tiles[:COVER_TILES]]
    while plain:
        strip = tile_strip(plain)
        if len(plain) <= COVER_ROWS * strip["across"]:
            return strip
        plain.pop()
    return None


def _rows_that_fill(count: int) -> Sequence[int]:
    """Numbers of tiles in a row to try, the most first."""
    return {1: (2,), 2: (2,), 3: (3, 2), 4: (4, 2), 7: (4, 3, 2), 8: (4, 3, 2)}.get(count, (3, 2))


def _fits(tile: Node, size: float, room: float) -> bool:
    if tile["absent"]:
        return True
    unit = typeface().width(_text(tile, "minor"), MINOR)
    return typeface().width(_text(tile, "fact", "text"), size, bold=True) + min(unit, UNIT_ROOM) <= room


def _value_width(tile: Node, size: float) -> float:
    if tile["absent"]:
        return typeface().width(_text(tile, "fact", "text"), MINOR)
    return typeface().width(_text(tile, "fact", "text"), size, bold=True) + typeface().width(
        _text(tile, "minor"), MINOR
    )


def _text(tile: Node, *kinds: str) -> str:
    return "".join(piece["text"] for piece in tile["value"] if piece["type"] in kinds)


def _comparison_width(line: Node) -> float:
    value = "".join(piece["text"] for piece in line["value"])
    return typeface().width(line["label"], SMALL) + AIR + typeface().width(value, SMALL, bold=True)
