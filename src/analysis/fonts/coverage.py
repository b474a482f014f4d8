"""What the shipped fonts can print, and what stands in for a character that none of them draws.

A name with one strange letter is no reason to withhold a report: the letter is printed as ``SUBSTITUTE`` and said in a check.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

#: A white square, the usual sign for a character that cannot be shown.
SUBSTITUTE = "\u25a1"
#: Set as space or break by whoever lays out text, never drawn.
LAID_OUT = "\n\t\r\u200b\u00ad"
FOLDER = Path(__file__).resolve().parent


def fallback_paths() -> tuple[Path, Path]:
    """Regular and Bold of the letters that Noto Sans SC lacks."""
    return FOLDER / "Fallback-Regular.ttf", FOLDER / "Fallback-Bold.ttf"


@cache
def covered() -> frozenset[int]:
    """Code points with a glyph; both weights hold the same."""
    from fontTools.ttLib import TTFont

    found: set[int] = set()
    for path in (FOLDER / "NotoSansSC-Regular.ttf", fallback_paths()[0]):
        with TTFont(str(path), lazy=True) as font:
            found.update(font.getBestCmap())
    return frozenset(found)


def unprintable(text: str) -> list[str]:
    """Characters that no shipped font draws, once each, in order of appearance."""
    if text.isascii() and text.isprintable():
        return []
    return [char for char in dict.fromkeys(text) if ord(char) not in covered() and char not in LAID_OUT]


def printable(text: str) -> str:
    """The text with every character drawn: composed where a composed letter exists, else its plain letter, else the substitute.

    Control characters go; they are no part of a name.
    """
    text = unicodedata.normalize("NFC", text)
    return "".join(map(_drawn, text)) if unprintable(text) else text


def _drawn(char: str) -> str:
    if ord(char) in covered() or char in LAID_OUT:
        return char
    if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Mn", "Me"):
        return ""
    plain = unicodedata.normalize("NFKC", char)
    if plain != char and all(ord(part) in covered() for part in plain):
        return plain
    return SUBSTITUTE
