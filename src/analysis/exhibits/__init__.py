"""Exhibits: figures, tables, tiles and sentences as bilingual blocks. Names are imported when first used."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["charts"],
    submod_attrs={
        "figures": ["figure"],
        "key_figures": ["tiles"],
        "record": ["Block", "Blocks", "show"],
        "statements": [
            "EvidenceFile",
            "callout",
            "checks_block",
            "evidence_block",
            "evidence_stems",
            "facts_block",
            "findings_block",
            "not_computed",
        ],
        "tables": ["table"],
        "vocabulary": ["Column", "Comparison", "Row", "Tile"],
        "prose": ["prose_blocks"],
        "style": ["Drawing", "annotate", "font_paths", "label", "words"],
    },
)
