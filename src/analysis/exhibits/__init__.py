"""Exhibits: figures, tables, tiles and sentences as bilingual blocks. Names are imported when first used."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    **dict.fromkeys(
        ("Block", "Blocks", "Column", "Row", "Tile", "Comparison", "EvidenceFile", "table", "figure", "tiles", "findings_block",
         "checks_block", "callout", "not_computed", "facts_block", "evidence_block", "evidence_stems", "show"),
        "blocks",
    ),
    **dict.fromkeys(("Drawing", "annotate", "label", "words", "font_paths"), "style"),
    "prose_blocks": "prose",
    "charts": "charts",
}  # fmt: skip
__all__ = tuple(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOME[name]}")
    return module if name == _HOME[name] else getattr(module, name)
