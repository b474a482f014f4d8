"""House style of charts: fonts, colours by role, how a figure becomes the same SVG twice."""

from __future__ import annotations

from pathlib import Path


def font_paths() -> tuple[Path, Path]:
    """Regular and Bold of Noto Sans SC, as shipped (see :mod:`analysis.fonts.subset`)."""
    folder = Path(__file__).resolve().parent.parent / "fonts"
    return folder / "NotoSansSC-Regular.ttf", folder / "NotoSansSC-Bold.ttf"
