"""The HTML pack in a real browser: layout at two widths, sorting, cards, search, keyboard. Needs Chromium; skipped without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import exhibit_gallery as gallery
import headless
import pytest
from test_html import faces

from analysis.exhibits.style import DARK, LIGHT
from analysis.locale import LANGUAGES
from analysis.report.html import write_html_pack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(headless.BROWSER is None, reason="no Chromium on this machine"),
]
COSTS = "10_cost_decomposition.html"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pack")
    notebooks = gallery.write_notebooks(root)
    for language in LANGUAGES:
        write_html_pack(notebooks, root / "html" / language, language=language, pack=gallery.pack())
    return root / "html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[headless.Browser]:
    with headless.Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened
        assert opened.troubles() == []


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_screen(browser: headless.Browser, folder: Path, width: int) -> None:
    for path in sorted(folder.rglob("*.html")):
        browser.open(path, width=width)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width, path.name
        outside = browser.evaluate(
            "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 1)"
            ".map(e => e.tagName + '.' + e.className)"
        )
        assert outside == [], path.name
        assert browser.evaluate("[...document.fonts].every(font => font.status === 'loaded')")


# Every character that is drawn, by the weight that it is drawn in.
DRAWN = """(() => {
  const found = {400: new Set(), 700: new Set()};
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode());) {
    if (["SCRIPT", "STYLE"].includes(node.parentElement.tagName)) continue;
    const weight = getComputedStyle(node.parentElement).fontWeight >= 600 ? 700 : 400;
    for (const char of node.data) found[weight].add(char);
  }
  return {400: [...found[400]].join(""), 700: [...found[700]].join("")};
})()"""


def test_each_weight_has_the_characters_that_are_drawn_in_it(browser: headless.Browser, folder: Path) -> None:
    for path in sorted(folder.rglob("*.html")):
        browser.open(path, width=1280)
        for weight, drawn, held in zip(
            ("400", "700"), browser.evaluate(DRAWN).values(), faces(path.read_text("utf-8")), strict=True
        ):
            assert drawn, (path.name, weight)
            assert not {char for char in drawn if ord(char) > 0x7E} - held, (path.name, weight)


@pytest.mark.parametrize(("scheme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_pages_and_figures_follow_light_and_dark(
    browser: headless.Browser, folder: Path, scheme: str, palette: dict[str, str]
) -> None:
    browser.open(folder / "en" / COSTS, width=1280, scheme=scheme)
    rgb = lambda role: "rgb(" + ", ".join(str(int(palette[role][i : i + 2], 16)) for i in (1, 3, 5)) + ")"  # noqa: E731
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == rgb("paper")
    fills = browser.evaluate(
        "[...new Set([...document.querySelectorAll('#gallery-waterfall path')].map(p => getComputedStyle(p).fill))]"
    )
    assert {rgb("bad"), rgb("good")} <= set(fills)
    other = DARK if palette is LIGHT else LIGHT
    browser.evaluate("document.getElementById('theme').click()")
    assert (
        browser.evaluate("getComputedStyle(document.body).backgroundColor")
        == "rgb(" + ", ".join(str(int(other["paper"][i : i + 2], 16)) for i in (1, 3, 5)) + ")"
    )
    browser.evaluate("localStorage.clear()")


def test_sorting_keeps_groups_and_totals_in_place(browser: headless.Browser, folder: Path) -> None:
    browser.open(folder / "en" / COSTS, width=1280)
    names = "[...document.querySelectorAll('#costs-table tbody tr')].map(r => r.cells[0].textContent)"
    before = browser.evaluate(names)
    browser.evaluate(
        "document.querySelectorAll('#costs-table button.sort')[2].click()"
    )  # change on last month, descending
    after = browser.evaluate(names)
    assert (
        [after[i] for i in (0, 4, 5, 10)]
        == [before[i] for i in (0, 4, 5, 10)]
        == ["Direct", "Subtotal", "Indirect", "Total"]
    )
    assert after[1:4] == ["Logistics", "Spare parts", "Labour"]  # +277,020, +92,340, −184,680
    assert after[9] == "Unallocated"  # blank goes last
    assert (
        browser.evaluate("document.querySelectorAll('#costs-table thead th')[2].getAttribute('aria-sort')")
        == "descending"
    )


def test_a_number_answers_to_the_keyboard(browser: headless.Browser, folder: Path) -> None:
    browser.open(folder / "en" / COSTS, width=1280)
    browser.evaluate("document.querySelector('.statement .n').focus()")
    browser.press("Enter", 13)
    assert (
        browser.evaluate(
            "document.querySelector('#card').open && document.querySelector('#card .amount').textContent"
        )
        == "3.10 times"
    )
    browser.press("Escape", 27)
    assert browser.evaluate("document.querySelector('#card').open") is False
    browser.evaluate("document.querySelector('#costs-table table .n[tabindex=\"0\"]').focus()")
    assert browser.evaluate("document.querySelectorAll('#costs-table table .n[tabindex=\"0\"]').length") == 1
    browser.press("ArrowDown", 40)
    browser.press("ArrowRight", 39)
    assert browser.evaluate("document.activeElement.textContent").startswith("−184")
    browser.evaluate(
        "document.querySelector('#gallery-ranked_bars svg [data-fact]').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    assert browser.evaluate("document.querySelector('#card').open") is True


def test_the_search_lists_what_holds_every_word(browser: headless.Browser, folder: Path) -> None:
    browser.open(folder / "zh" / "index.html", width=1280)
    browser.press("/", 191)
    assert browser.evaluate("document.querySelector('#search').open && document.activeElement.id") == "query"
    browser.evaluate(
        "(q => { q.value = '投诉率 south'; q.dispatchEvent(new Event('input')); })(document.querySelector('#query'))"
    )
    titles = browser.evaluate("[...document.querySelectorAll('#results .what')].map(e => e.textContent)")
    assert titles
    assert all("投诉率" in title and "South" in title for title in titles)
    assert browser.evaluate("document.querySelector('#results .detail').textContent").endswith(
        "2026年10月"
    )  # the latest first
    browser.press("Enter", 13)
    browser.evaluate("new Promise(done => setTimeout(done, 300))")
    assert browser.evaluate("location.pathname").endswith(COSTS)


def test_the_language_link_keeps_the_place(browser: headless.Browser, folder: Path) -> None:
    browser.open(folder / "en" / COSTS, width=1280)
    browser.evaluate("location.hash = 'what-to-doubt'")
    browser.evaluate("document.getElementById('language').addEventListener('click', e => e.preventDefault())")
    browser.evaluate("document.getElementById('language').click()")
    assert browser.evaluate("document.getElementById('language').href").endswith(f"/zh/{COSTS}#what-to-doubt")
