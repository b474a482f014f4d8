"""House style: the same bytes, colours that stay apart for every eye, numbers that are facts, glyphs that exist."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

import exhibit_gallery as gallery
import numpy as np
import pytest

from analysis.errors import ParameterError
from analysis.exhibits.markup import themed
from analysis.exhibits.style import (
    CATEGORIES,
    DARK,
    LIGHT,
    Drawing,
    annotate,
    category_roles,
    contrast,
    font_paths,
    label,
    readable_role,
    render,
    text_colour,
    text_width,
    tick_text,
    words,
)
from analysis.exhibits.vocabulary import Column, Row
from analysis.locale import Text
from analysis.results import Fact

FACT = Fact(metric="cost", period="2026-10", unit="share", value=0.31)
DATA = ([Column(key="value", label=Text("Cost", "成本"))], [Row(cells={"value": FACT})])


def drawing(paint: Callable[[Any, Any], None]) -> Drawing:
    return Drawing.on_axes(paint, data=DATA)


def test_the_same_drawing_gives_the_same_bytes_and_fresh_ids() -> None:
    made = gallery.drawings()["lines"]
    first, second, other = (
        render(made, "costs.lines"),
        render(made, "costs.lines"),
        render(made, "costs.others"),
    )
    assert first.svg == second.svg
    ids = {
        name: re.findall(r'\bid="([^"]+)"', picture.svg["zh"])
        for name, picture in (("first", first), ("other", other))
    }
    assert len(ids["first"]) == len(set(ids["first"]))
    assert all(identity.startswith("costs-lines-") for identity in ids["first"])
    assert set(ids["first"]).isdisjoint(ids["other"])
    referred = set(re.findall(r'(?:href="#|url\(#)([^")]+)', first.svg["zh"]))
    assert referred <= set(ids["first"])


def test_the_svg_is_one_element_with_text_as_text_and_no_style_of_its_own() -> None:
    picture = render(gallery.drawings()["composition"], "costs.composition")
    for svg in picture.svg.values():
        root = ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert not {"style", "metadata", "image", "script"} & {
            node.tag.rpartition("}")[2] for node in root.iter()
        }
    assert "供应商追偿" in picture.svg["zh"]
    assert "Supplier recoveries" in picture.svg["en"]


def test_every_colour_drawn_is_a_role_so_that_dark_pages_can_exchange_it() -> None:
    for name, made in gallery.drawings().items():
        left = re.findall(
            r"#[0-9a-f]{6}\b", re.sub(r"var\([^)]*\)", "", themed(render(made, name).svg["en"]))
        )
        assert not left, f"{name} draws {sorted(set(left))}, which is no role"


def test_a_bare_number_in_a_drawing_is_refused_and_marked_ones_are_not() -> None:
    with pytest.raises(ParameterError, match="annotation '31%' is no fact"):
        render(drawing(lambda axes, language: axes.text(0, 0, "31%")), "x")

    def honest(axes: Any, language: Any) -> None:
        annotate(axes, 0.1, 0.1, FACT, language)
        label(axes, 0.5, 0.5, "B-0412", language)
        words(axes, 0.2, 0.8, "Not computed", language)
        axes.set_xticks([0, 1], labels=["2026-09", "2026-10"])
        axes.set_xlabel("per 1,000 orders")

    picture = render(drawing(honest), "x")
    assert picture.facts == (FACT,)
    marked = re.findall(
        r'<g data-k="(\w+)"(?: data-fact="([^"]*)")?>\s*<text[^>]*>([^<]*)<', picture.svg["zh"]
    )
    assert marked == [("fact", FACT.id, "31.0%"), ("label", "", "B-0412"), ("words", "", "未计算")]


def test_a_letter_that_the_first_font_lacks_is_drawn_by_another() -> None:
    picture = render(drawing(lambda axes, language: axes.set_xlabel("Łódź 서울 😀")), "x")
    assert "Łódź 서울 😀" in picture.svg["en"]


def test_wording_that_the_catalogue_lacks_is_reported() -> None:
    picture = render(
        drawing(lambda axes, language: words(axes, 0, 0, "An annotation nobody translated", language)), "x"
    )
    assert picture.messages == {"An annotation nobody translated"}


def test_the_fonts_print_gbk() -> None:
    from fontTools.ttLib import TTFont

    for path in font_paths():
        cmap = TTFont(path, lazy=True).getBestCmap()
        gbk = {code for code in range(0x20, 0x10000) if not 0xD800 <= code < 0xE000 and _in_gbk(code)}
        assert {hex(code) for code in gbk - set(cmap)} == {
            "0x7f",
            "0x2252",
        }  # a control character and ≒, which the face lacks
        assert not {char for char in "䶮㛃㙘−–…→↓▲◆●✓×÷≥≤²" if ord(char) not in cmap}


def _in_gbk(code: int) -> bool:
    try:
        chr(code).encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


def test_text_is_measured_as_the_font_sets_it() -> None:
    from fontTools.ttLib import TTFont

    font = TTFont(font_paths()[0], lazy=True)
    cmap, metrics = font.getBestCmap(), font["hmtx"]
    advance = sum(metrics[cmap[ord(char)]][0] for char in "1234万元") / font["head"].unitsPerEm
    assert text_width("1234万元", 10) == pytest.approx(10 * advance, rel=0.02)
    assert text_width("a\n1234万元", 10) == text_width("1234万元", 10)


# ---------------------------------------------------------------- colour

# Machado, Oliveira, Fernandes (2009), "A physiologically-based model for simulation of color vision deficiency",
# matrices of severity 1.0, for linear RGB.
DEFICIENCIES = {
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def lab(hex_colour: str, deficiency: str) -> np.ndarray:
    """CIE L*a*b* (D65) of a colour as seen with a deficiency."""
    channels = np.array([int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(DEFICIENCIES[deficiency]) @ linear, 0, 1)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    ratio = to_xyz @ seen / np.array([0.95047, 1.0, 1.08883])
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_categories_stay_apart_for_every_eye(palette: dict[str, str], deficiency: str) -> None:
    for first, second in itertools.combinations(CATEGORIES, 2):
        distance = np.linalg.norm(lab(palette[first], deficiency) - lab(palette[second], deficiency))
        assert distance > 20, f"{first} and {second}: {distance:.1f}"
    assert np.linalg.norm(lab(palette["good"], deficiency) - lab(palette["bad"], deficiency)) > 15


def test_each_role_has_a_colour_of_its_own_in_both_palettes() -> None:
    assert set(LIGHT) == set(DARK)
    assert len(set(LIGHT.values())) == len(LIGHT)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_words_can_be_read(palette: dict[str, str]) -> None:
    role_of = {value: role for role, value in LIGHT.items()}
    for role in ("ink", "muted", "actual", "focus", "good", "bad", *CATEGORIES):
        if palette is DARK or role in ("ink", "muted"):
            colour = palette[role_of[text_colour(role)]]
        else:
            colour = text_colour(role)
        assert contrast(colour, palette["paper"]) >= 4.5, role
        if role in ("ink", "muted"):
            assert contrast(colour, palette["panel"]) >= 4.5


def test_contrast_is_wcag() -> None:
    # WCAG 2.1: black on white 21:1; #767676 is the lightest grey that passes 4.5:1 on white
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert readable_role("actual", 0.05) == "ink"
    assert readable_role("actual", 0.95) == "paper"


def test_more_categories_than_can_be_told_apart_are_refused() -> None:
    with pytest.raises(ParameterError, match="8 categories in one chart; at most 7"):
        category_roles(8)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1200.0, "1,200"), (-2.5, "−2.5"), (0.25, "0.25"), (0.30000000000000004, "0.3")],
)
def test_ticks_have_no_needless_decimals(value: float, text: str) -> None:
    assert tick_text(value) == text
