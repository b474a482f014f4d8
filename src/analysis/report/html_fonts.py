"""The small font of a page: only the glyphs it prints, as WOFF2, made in milliseconds.

fontTools' subsetter and its WOFF2 writer take seconds a page, most of it spent on glyph transforms that save a fifth of the size.
Here the Latin base (kerning included, ``fonts/latin-*.sfnt``) stays as it is and the page's other glyphs are appended byte by
byte: the shipped fonts hold no composite glyphs and no hinting, so a glyph is a slice of ``glyf``; what Noto Sans SC lacks comes
from the fallback font. The same characters give the
same bytes.
"""

from __future__ import annotations

import base64
import io
import struct
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal

from analysis.locale import Language

Weight = Literal["Regular", "Bold"]
# Punctuation that a Chinese face draws a full em wide; English text takes the narrow form.
_NARROW_IN_ENGLISH = "‘’“”…—―⋯"
# Middle dot and bullet have no narrow form: the same outline on a narrow advance (the left bearing shifts it).
_DOTS = (0xB7, 0x2022)
_DOT_METRICS = (300, 44)


class _Source:
    """Glyph data and advance of any character of the shipped font, read from the file's own tables."""

    def __init__(self, font: Any) -> None:
        self.cmap: dict[int, str] = font.getBestCmap()
        self.index = font.getReverseGlyphMap()
        long = font["head"].indexToLocFormat == 1
        locations = array("I" if long else "H", font.reader["loca"])
        locations.byteswap()
        self.locations = locations if long else [2 * half for half in locations]
        self.glyf: bytes = font.reader["glyf"]
        wide = font["hhea"].numberOfHMetrics
        data = font.reader["hmtx"]
        self.metrics = struct.unpack(f">{'Hh' * wide}", data[: 4 * wide])
        self.bearings = struct.unpack(f">{(len(data) - 4 * wide) // 2}h", data[4 * wide :])
        self.wide = wide

    def glyph(self, code: int) -> tuple[bytes, tuple[int, int]] | None:
        name = self.cmap.get(code)
        if name is None:
            return None
        index = self.index[name]
        data = self.glyf[self.locations[index] : self.locations[index + 1]]
        if index < self.wide:
            return data, (self.metrics[2 * index], self.metrics[2 * index + 1])
        return data, (self.metrics[2 * self.wide - 2], self.bearings[index - self.wide])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Face:
    """One weight: the Latin base ready to be extended, and where to find every other glyph."""

    tables: Mapping[str, bytes]
    glyphs: tuple[bytes, ...]
    metrics: tuple[tuple[int, int], ...]
    latin: Mapping[int, int]
    narrow: Mapping[int, int]
    source: _Source
    fallback: _Source


@cache
def _face(weight: Weight) -> _Face:
    from fontTools.ttLib import TTFont

    folder = resources.files("analysis.fonts")
    base = TTFont(io.BytesIO(folder.joinpath(f"latin-{weight}.sfnt").read_bytes()), lazy=True)
    whole = TTFont(io.BytesIO(folder.joinpath(f"NotoSansSC-{weight}.ttf").read_bytes()), lazy=True)
    rest = TTFont(io.BytesIO(folder.joinpath(f"Fallback-{weight}.ttf").read_bytes()), lazy=True)
    order = base.getGlyphOrder()
    index = {name: position for position, name in enumerate(order)}
    read = _Source(base)
    glyphs = tuple(read.glyf[read.locations[i] : read.locations[i + 1]] for i in range(len(order)))
    metrics = tuple((base["hmtx"][name][0], base["hmtx"][name][1]) for name in order)
    latin = {code: index[name] for code, name in base.getBestCmap().items()}
    narrow = _substitutions(base, "pwid")
    return _Face(
        tables={tag: base.reader[tag] for tag in ("GPOS", "OS/2", "head", "hhea", "maxp", "name")},
        glyphs=glyphs,
        metrics=metrics,
        latin=latin,
        narrow={
            ord(c): index[narrow[name]]
            for c in _NARROW_IN_ENGLISH
            if (name := base.getBestCmap().get(ord(c))) in narrow
        },
        source=_Source(whole),
        fallback=_Source(rest),
    )


def _substitutions(font: Any, feature: str) -> dict[str, str]:
    """Single substitutions of a GSUB feature, glyph name → glyph name."""
    table, found = font["GSUB"].table, dict[str, str]()
    for record in table.FeatureList.FeatureRecord:
        if record.FeatureTag == feature:
            for number in record.Feature.LookupListIndex:
                for subtable in table.LookupList.Lookup[number].SubTable:
                    found.update(getattr(getattr(subtable, "ExtSubTable", subtable), "mapping", {}))
    return found


@lru_cache(maxsize=64)
def page_font(characters: frozenset[str], weight: Weight, language: Language) -> str:
    """WOFF2 of the Latin base and ``characters``, as base64. Characters the font lacks are left to the reader's system."""
    return base64.b64encode(_woff2(_tables(characters, weight, language))).decode("ascii")


def _tables(characters: frozenset[str], weight: Weight, language: Language) -> dict[str, bytes]:
    face = _face(weight)
    glyphs, metrics, cmap = list(face.glyphs), list(face.metrics), dict(face.latin)
    if language == "en":
        cmap |= face.narrow
        for code in _DOTS:
            glyphs.append(face.glyphs[face.latin[code]])
            metrics.append(_DOT_METRICS)
            cmap[code] = len(glyphs) - 1
    for char in sorted(characters):
        if ord(char) in cmap:
            continue
        found = face.source.glyph(ord(char)) or face.fallback.glyph(ord(char))
        if found is not None:
            cmap[ord(char)] = len(glyphs)
            glyphs.append(found[0])
            metrics.append(found[1])
    offsets, place = array("I"), 0
    for glyph in glyphs:
        offsets.append(place)
        place += len(glyph)
    offsets.append(place)
    offsets.byteswap()
    head, hhea, maxp = (
        bytearray(face.tables["head"]),
        bytearray(face.tables["hhea"]),
        bytearray(face.tables["maxp"]),
    )
    head[50:52] = struct.pack(">h", 1)  # long offsets
    head[8:12] = b"\0\0\0\0"  # checksum: WOFF2 readers compute their own
    hhea[34:36] = struct.pack(">H", len(glyphs))
    maxp[4:6] = struct.pack(">H", len(glyphs))
    return {
        "GPOS": face.tables["GPOS"],
        "OS/2": face.tables["OS/2"],
        "cmap": _cmap(cmap),
        "glyf": b"".join(glyphs),
        "loca": offsets.tobytes(),
        "head": bytes(head),
        "hhea": bytes(hhea),
        "hmtx": b"".join(struct.pack(">Hh", *metric) for metric in metrics),
        "maxp": bytes(maxp),
        "name": face.tables["name"],
        "post": struct.pack(">IIhhIIIII", 0x00030000, 0, -150, 50, 0, 0, 0, 0, 0),
    }


def _cmap(codes: Mapping[int, int]) -> bytes:
    """A character map of format 12: one group a run of neighbours."""
    groups: list[list[int]] = []
    for code, glyph in sorted(codes.items()):
        if groups and code == groups[-1][1] + 1 and glyph == groups[-1][2] + code - groups[-1][0]:
            groups[-1][1] = code
        else:
            groups.append([code, code, glyph])
    body = struct.pack(">HHIII", 12, 0, 16 + 12 * len(groups), 0, len(groups)) + b"".join(
        struct.pack(">III", *group) for group in groups
    )
    return struct.pack(">HHHHI", 0, 1, 3, 10, 12) + body


_KNOWN_TAGS = (
    "cmap",
    "head",
    "hhea",
    "hmtx",
    "maxp",
    "name",
    "OS/2",
    "post",
    "cvt ",
    "fpgm",
    "glyf",
    "loca",
    "prep",
)
_NULL_TRANSFORM = 3 << 6  # glyf and loca as they are (WOFF2, 4.1)


def _woff2(tables: Mapping[str, bytes]) -> bytes:
    """The tables as a WOFF2 file without glyph transforms (W3C Recommendation WOFF File Format 2.0, section 4)."""
    import brotli  # type: ignore[import-untyped]

    directory, stream = bytearray(), bytearray()
    sfnt_size = 12 + 16 * len(tables)
    for tag, data in tables.items():
        flags = _KNOWN_TAGS.index(tag) if tag in _KNOWN_TAGS else 63
        directory.append(flags | (_NULL_TRANSFORM if tag in ("glyf", "loca") else 0))
        directory += tag.encode() if flags == 63 else b""
        directory += _base128(len(data))
        stream += data
        sfnt_size += (len(data) + 3) & ~3
    packed: bytes = brotli.compress(bytes(stream), mode=brotli.MODE_FONT, quality=9)
    length = 48 + len(directory) + len(packed)
    padding = -length % 4
    header = struct.pack(
        ">4sIIHHIIHHIIIII",
        b"wOF2",
        0x00010000,
        length + padding,
        len(tables),
        0,
        sfnt_size,
        len(packed),
        1,
        0,
        0,
        0,
        0,
        0,
        0,
    )
    return header + bytes(directory) + packed + b"\0" * padding


def _base128(number: int) -> bytes:
    """UIntBase128: seven bits a byte, the highest first."""
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F | 0x80)
    return bytes(reversed(parts))
