"""How the fallback fonts were made: letters that Noto Sans SC does not draw and that stand in names all the same.

``Fallback-*.ttf`` (family "After-Sales Fallback", one file a weight) gathers glyphs of five Noto families, all under the
SIL Open Font License 1.1 (``OFL-fallback.txt``), as static TrueType files, for instance from the npm packages
``@expo-google-fonts/noto-sans``, ``noto-sans-kr``, ``noto-sans-hk``, ``noto-sans-jp`` and ``noto-emoji``:

- Latin with any accent, Greek with accents, Cyrillic beyond Russian, combining marks: Noto Sans;
- the Hangul syllables of KS X 1001 and the jamo: Noto Sans KR (other syllables do not occur in names or words);
- Han characters beyond GBK and the General Standard table: Noto Sans HK and JP, as far as they draw them;
- faces, hands and the signs that shops put into their names: Noto Emoji, in black.

Glyphs are scaled to 1,000 units, composites and hints are resolved, so that the HTML pack can splice single glyphs into the
small font of a page. What is not here either is printed as ``SUBSTITUTE`` (see :mod:`analysis.fonts.coverage`).

Run: ``python -m analysis.fonts.fallback FOLDER Regular src/analysis/fonts/Fallback-Regular.ttf``, then the same for Bold.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FAMILY = "After-Sales Fallback"
UNITS = 1000
#: Drawn as nothing: joiners, direction marks, variation selectors, the byte-order mark.
INVISIBLE = (
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2065),
    *range(0xFE00, 0xFE10),
    0xFEFF,
)
#: Which code points are taken from which family, in order of preference.
TAKEN: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = (
    (
        "NotoSans",
        (
            (0xA0, 0x52F),  # Latin, phonetic signs, combining marks, Greek, Cyrillic
            (0x1AB0, 0x1AC0),
            (0x1D00, 0x1FFF),  # Latin and Greek with accents
            (0x2000, 0x218F),
            (0x2C60, 0x2C7F),
            (0x2DE0, 0x2DFF),
            (0xA640, 0xA69F),
            (0xA720, 0xA7FF),
            (0xFB00, 0xFB06),
        ),
    ),
    (
        "NotoSansKR",
        ((0x1100, 0x1112), (0x1161, 0x1175), (0x11A8, 0x11C2), (0x3131, 0x318E), (0xAC00, 0xD7A3)),
    ),
    ("NotoSansJP", ((0x2E80, 0x2FDF), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF61, 0xFF9F))),
    ("NotoSansHK", ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))),
    ("NotoSansJP", ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))),
    ("NotoEmoji", ((0x2600, 0x27BF), (0x2B00, 0x2BFF), (0x1F600, 0x1F64F))),
    (
        "NotoEmoji",
        tuple(
            (ord(sign), ord(sign))
            for sign in "👍👎👌👏🙏💪🔥💯🎉🎁📦📞📱📧💻🔧🔨🛠🚚🚗🏠🏢🏪🏭💰💡🔋🌟🌈🌸🌹🌞🌙🍀🐱🐶🐼🦄💎💔💕💖💗"
        ),
    ),
)


def is_syllable_in_use(code: int) -> bool:
    """One of the 2,350 syllables of KS X 1001."""
    try:
        return len(chr(code).encode("euc_kr")) == 2
    except UnicodeEncodeError:
        return False


def build(folder: Path, weight: str, target: Path) -> None:
    """Write one weight; the same sources give the same bytes."""
    from fontTools.fontBuilder import FontBuilder

    glyphs: dict[str, Any] = {".notdef": _empty()}
    metrics: dict[str, tuple[int, int]] = {".notdef": (UNITS // 2, 0)}
    cmap: dict[int, str] = {}
    for code, glyph, advance, bearing in _taken(folder, weight):
        name = f"u{code:05X}"
        glyphs[name], metrics[name], cmap[code] = glyph, (advance, bearing), name
    for code in INVISIBLE:
        name = f"u{code:05X}"
        glyphs[name], metrics[name], cmap[code] = _empty(), (0, 0), name
    builder = FontBuilder(UNITS, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(cmap)
    builder.setupGlyf(glyphs, calcGlyphBounds=True)
    builder.setupHorizontalMetrics(metrics)
    builder.setupHorizontalHeader(ascent=1160, descent=-288)
    builder.setupNameTable(
        {
            "copyright": "Copyright 2013-2026 Google LLC; 2014-2021 Adobe, with Reserved Font Name 'Source'; 2022 The Noto Project Authors",
            "familyName": FAMILY,
            "styleName": weight,
            "uniqueFontIdentifier": f"{FAMILY} {weight}",
            "fullName": f"{FAMILY} {weight}",
            "psName": f"AfterSalesFallback-{weight}",
            "version": "Version 1.000",
            "licenseDescription": "SIL Open Font License, Version 1.1",
            "licenseInfoURL": "https://scripts.sil.org/OFL",
        }
    )
    bold = weight == "Bold"
    builder.setupOS2(
        sTypoAscender=880,
        sTypoDescender=-120,
        usWinAscent=1160,
        usWinDescent=288,
        usWeightClass=700 if bold else 400,
        fsSelection=0x20 if bold else 0x40,
    )
    builder.setupPost(keepGlyphNames=False)
    builder.font["head"].macStyle = int(bold)
    builder.font["head"].created = builder.font["head"].modified = 3_786_825_600
    builder.font.recalcTimestamp = False
    builder.save(target)


def _taken(folder: Path, weight: str) -> Iterator[tuple[int, Any, int, int]]:
    """Code point, simple glyph, advance and left bearing, once each."""
    from fontTools.ttLib import TTFont
    from fontTools.ttLib.scaleUpem import scale_upem

    with TTFont(Path(__file__).with_name(f"NotoSansSC-{weight}.ttf"), lazy=True) as first:
        held = set(first.getBestCmap()) | set(INVISIBLE)
    fonts: dict[str, Any] = {}
    for family, ranges in TAKEN:
        if family not in fonts:
            path = next(folder.rglob(f"{family}_*{weight}.ttf"))
            fonts[family] = TTFont(path, recalcTimestamp=False)
            scale_upem(fonts[family], UNITS)
        font = fonts[family]
        names, set_of_glyphs = font.getBestCmap(), font.getGlyphSet()
        for code in (code for low, high in ranges for code in range(low, high + 1)):
            if (
                code in held
                or code not in names
                or (0xAC00 <= code <= 0xD7A3 and not is_syllable_in_use(code))
            ):
                continue
            held.add(code)
            glyph = _simple(set_of_glyphs, names[code])
            advance = font["hmtx"][names[code]][0]
            bearing = getattr(glyph, "xMin", 0) if glyph.numberOfContours else 0
            yield code, glyph, advance, bearing


def _simple(glyphs: Any, name: str) -> Any:
    """The outline with its components drawn in, without hints."""
    from fontTools.pens.recordingPen import DecomposingRecordingPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    recorded = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(recorded)
    pen = TTGlyphPen(None)
    recorded.replay(pen)
    glyph = pen.glyph(dropImpliedOnCurves=True)
    glyph.recalcBounds(None)
    return glyph


def _empty() -> Any:
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    return TTGlyphPen(None).glyph()


if __name__ == "__main__":
    build(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
