"""How the shipped fonts were made, and how to make them again.

Noto Sans SC (SIL Open Font License 1.1, text in ``OFL.txt``) comes as static TrueType files of 10.5 MB a weight, for
instance in the npm package ``@expo-google-fonts/noto-sans-sc``. The copies here keep what a report can meet:

- every character of GBK: GB2312 lacks thousands of characters that occur in personal and place names;
- the characters of the Table of General Standard Chinese Characters (2013) that lie outside GBK;
- Latin with accents, Greek, punctuation, arrows, geometric and mathematical signs.

Features kept: ``kern``, ``palt``, ``halt``, ``pwid`` (English text switches it on, or curly quotes come out
full-width), ``liga``, ``ccmp``, ``mark``. Digits are of one width in this face, so tables need no ``tnum``.

Run: ``python -m analysis.fonts.subset NotoSansSC_400Regular.ttf NotoSansSC-Regular.ttf``, then
``python -m analysis.fonts.subset --latin NotoSansSC-Regular.ttf latin-Regular.sfnt`` for the Latin base on which the HTML
pack builds the small font of each page (its ending keeps it out of the way of programs that scan folders for fonts).
"""

from __future__ import annotations

import sys
from pathlib import Path

FEATURES = ["kern", "palt", "halt", "pwid", "liga", "ccmp", "mark", "mkmk", "tnum"]

# Members of the Table of General Standard Chinese Characters in CJK Extension A; GBK has none of them.
GENERAL_STANDARD_EXTENSION_A = (
    "㑇㑊㕮㘎㙍㙘㙦㛃㛚㛹㟃㠇㠓㤘㥄㧐㧑㧟㫰㬊㬎㬚㭎㭕㮾㰀㳇㳘㳚㴔㵐㶲㸆㸌㺄㻬㽏㿠䁖䂮䃅䃎䅟䌹䎃䎖䏝䏡䏲䐃䓖䓛䓨䓫䓬"
    "䗖䗛䗪䗴䜣䝙䢺䢼䣘䥽䦃䲟䲠䲢䴓䴔䴕䴖䴗䴘䴙䶮"
)
RANGES = (
    (0x20, 0x7E),  # Basic Latin
    (0xA0, 0x17F),  # Latin-1, Latin Extended-A
    (0x1CD, 0x1DC),  # pinyin tones
    (0x2B0, 0x2FF),
    (0x391, 0x3C9),  # Greek
    (0x1E00, 0x1EFF),
    (0x2010, 0x205F),  # general punctuation
    (0x2070, 0x20BF),  # superscripts, currency
    (0x2100, 0x22FF),  # letter-like, numbers, arrows, mathematical operators
    (0x2460, 0x24FF),  # circled numbers
    (0x25A0, 0x27BF),  # geometric shapes, signs, dingbats
    (0x3000, 0x303F),  # CJK punctuation
    (0x4E00, 0x9FFF),  # unified ideographs, also those newer than GBK
    (0xFF01, 0xFF5E),  # full-width forms
    (0x20000, 0x323AF),  # the handful of later extensions the font draws
)


def wanted_characters() -> set[int]:
    """Code points a report may print."""
    wanted = {ord(char) for char in GENERAL_STANDARD_EXTENSION_A}
    for first, last in RANGES:
        wanted.update(range(first, last + 1))
    for code in range(0x20, 0x10000):
        if not 0xD800 <= code < 0xE000:
            try:
                chr(code).encode("gbk")
            except UnicodeEncodeError:
                continue
            wanted.add(code)
    return wanted


def subset(source: Path, target: Path) -> None:
    """Write the subset of one static TrueType file; the same input gives the same bytes."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    options = Options(
        layout_features=FEATURES,
        hinting=False,
        name_languages=[0x409],
        notdef_outline=True,
        recalc_timestamp=False,
        drop_tables=["vhea", "vmtx", "BASE", "STAT", "prep", "gasp"],
    )
    font = TTFont(source, recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=wanted_characters())
    subsetter.subset(font)
    font.save(target, reorderTables=True)


LATIN = "".join(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x100)))) + "–—‘’“”•…‰′″←↑→↓−×÷±≈≠≤≥▲▼◆●✓·"


def latin_base(source: Path, target: Path) -> None:
    """Latin letters, digits and signs with their kerning, from a font made by :func:`subset`."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    font = TTFont(source, recalcTimestamp=False)
    subsetter = Subsetter(
        Options(layout_features=["kern", "pwid"], notdef_outline=True, recalc_timestamp=False)
    )
    subsetter.populate(text=LATIN)
    subsetter.subset(font)
    font.save(target, reorderTables=True)


if __name__ == "__main__":
    if sys.argv[1] == "--latin":
        latin_base(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        subset(Path(sys.argv[1]), Path(sys.argv[2]))
