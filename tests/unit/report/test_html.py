"""The HTML pack: self-contained, escaped, walkable, the same bytes; and, where a browser is at hand, working."""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import exhibit_gallery as gallery
import pytest

from analysis.errors import NotebookFailed, ParameterError, SourceError
from analysis.exhibits.style import DARK, LIGHT
from analysis.locale import LANGUAGES, Language, translate, untranslated
from analysis.report import html as report_html
from analysis.report.exhibit_index import exhibit_numbers
from analysis.report.html import notebook_html, write_html_pack
from analysis.report.html_facts import Definitions, fact_card, period_text
from analysis.report.html_fonts import page_font
from analysis.report.html_weights import printed_characters
from analysis.results import Fact, Interval

Pages = dict[tuple[str, str], str]
NAMES = ("index", "10_cost_decomposition", "90_executive_summary")


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return gallery.write_notebooks(tmp_path_factory.mktemp("notebooks"))


@pytest.fixture(scope="module")
def folder(notebooks: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("edition") / "html"
    for language in LANGUAGES:
        write_html_pack(notebooks, root / language, language=language, pack=gallery.pack())
    return root


@pytest.fixture(scope="module")
def pages(folder: Path) -> Pages:
    return {
        (language, name): (folder / language / f"{name}.html").read_text(encoding="utf-8")
        for language in LANGUAGES
        for name in NAMES
    }


def data(page: str, name: str) -> Any:
    match = re.search(rf'<script type="application/json" id="data-{name}">(.*?)</script>', page, re.DOTALL)
    assert match
    return json.loads(match[1])


def body(page: str) -> str:
    return page[page.index("<body") :]


# ---------------------------------------------------------------- self-contained and safe


def test_a_page_loads_nothing_and_forbids_it(pages: Pages) -> None:
    for page in pages.values():
        assert not re.search(r"<(?:link|img|iframe|object|embed|video|audio|base)\b", page)
        tags = "".join(re.findall(r"<[a-zA-Z][^>]*>", page))
        assert not re.search(r"\b(?:src|srcset|poster|background)\s*=", tags)
        assert not re.search(r"@import|url\((?!data:font/woff2;base64,|#)", page)
        hosts = set(re.findall(r"""https?://[^\s"'<)]+""", page))
        assert hosts <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink", "http://x&quot;"}, (
            hosts
        )
        assert not re.search(r"<[^>]+\son\w+\s*=", page)


def test_the_policy_lets_this_script_run_and_no_other(pages: Pages) -> None:
    for page in pages.values():
        policy = unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])  # type: ignore[index]
        script = page[page.rindex("<script>") + 8 : page.rindex("</script>")]
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in policy
        assert policy.startswith("default-src 'none'")
        assert "unsafe-eval" not in policy
        assert "unsafe-inline" not in policy.replace("style-src 'unsafe-inline'", "")


def test_text_from_data_is_never_markup(pages: Pages) -> None:
    for (_, name), page in pages.items():
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        if name == "10_cost_decomposition":
            assert "&lt;script&gt;alert(" in page
            assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_json_in_a_page_cannot_close_its_element() -> None:
    assert report_html._json({"a": "</script><b>\u2028"}) == '{"a":"\\u003c/script>\\u003cb>\\u2028"}'


# ---------------------------------------------------------------- deterministic


def test_the_same_pack_gives_the_same_bytes_whatever_papermill_injected(
    notebooks: list[Path], pages: Pages, tmp_path: Path
) -> None:
    again = []
    for path in notebooks:
        content = json.loads(path.read_text(encoding="utf-8"))
        for cell in content["cells"]:
            cell["id"] = "0badcafe"
            if "injected-parameters" in cell["metadata"].get("tags", []):
                cell["source"] = "month = 'another'"
            cell["metadata"]["execution"] = {"iopub.execute_input": "2026-11-21T03:00:00"}
        again.append(tmp_path / path.name)
        again[-1].write_text(json.dumps(content), encoding="utf-8")
    write_html_pack(again, tmp_path / "zh", language="zh", pack=gallery.pack())
    for name in NAMES:
        assert (tmp_path / "zh" / f"{name}.html").read_text(encoding="utf-8") == pages["zh", name]


# ---------------------------------------------------------------- walkable


def test_every_number_can_be_asked_where_it_comes_from(pages: Pages) -> None:
    for key, page in pages.items():
        asked = {unescape(identity) for identity in re.findall(r'data-fact="([^"]+)"', body(page))}
        assert asked <= set(data(page, "facts")), key
    card = data(pages["zh", "10_cost_decomposition"], "facts")[
        "complaint_ticket_rate@category=Labour#2026-10:1"
    ]
    assert (card["name"], card["value"], card["period"]) == ("投诉率", "6.000%", "2026年10月")
    assert card["numerator"] == ["投诉工单", "54"]
    assert card["denominator"] == ["非投诉、非咨询的服务工单", "900"]
    assert card["interval"] == "95% 区间 4.4% 至 7.6%"
    assert (card["n"], card["sources"]) == ("900", ["tickets"])


def test_captions_carry_the_numbers_of_the_printed_report(notebooks: list[Path], pages: Pages) -> None:
    numbers = exhibit_numbers(
        [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in notebooks]
    )
    for language, words in (("en", {"Table", "Figure"}), ("zh", {"表", "图"})):
        tags = [
            match
            for name in NAMES
            for match in re.findall(r'<p class="tag">(\S+) (\d+) <code>([^<]+)</code>', pages[language, name])
        ]
        assert {id: int(number) for _, number, id in tags} == numbers
        assert {word for word, _, _ in tags} == words
        assert '<p class="tag"><code>summary.tiles</code></p>' in pages[language, NAMES[1]]
        assert '<p class="tag"><code>failures.excess</code></p>' in pages[language, NAMES[1]]


def test_a_finding_with_the_id_of_a_table_has_no_number() -> None:
    from analysis.exhibits.markup import Markup

    block = next(dict(block.payload) for block in gallery.all_blocks() if block.id == "summary.findings")
    ids = [finding["id"] for finding in block["findings"]]
    page = Markup(language="en", interactive=True, numbers=dict.fromkeys(ids, 7)).block(block)
    assert re.findall(r'<p class="tag">(.*?)</p>', page) == [f"<code>{id}</code>" for id in ids]


def test_links_inside_the_pack_arrive(pages: Pages) -> None:
    places = {key: set(re.findall(r'\bid="([^"]+)"', page)) for key, page in pages.items()}
    for (language, name), page in pages.items():
        links = re.findall(r'href="([^"]+)"', body(page)) + [entry[3] for entry in data(page, "search")]
        for link in links:
            address, _, place = unescape(link).partition("#")
            if (
                address.startswith("../../evidence/") or address == "00_data_quality.html"
            ):  # not part of this small pack
                continue
            other, target = re.fullmatch(r"(?:\.\./(\w+)/)?([\w.-]*?)(?:\.html)?", address).groups()  # type: ignore[union-attr]
            key = (other or language, target or name)
            assert key in places, link
            assert not place or place in places[key], f"{name}: {link}"


def test_ids_are_unique_and_the_same_in_both_languages(pages: Pages) -> None:
    for name in NAMES:
        ids = {
            language: re.findall(r'(?<![\w-])id="([^"]+)"', pages[language, name]) for language in LANGUAGES
        }
        assert len(ids["en"]) == len(set(ids["en"]))
        headings = {
            language: re.findall(r'<h2 id="([^"]+)"', pages[language, name]) for language in LANGUAGES
        }
        assert headings["en"] == headings["zh"]


def test_the_search_finds_definitions_numbers_and_sections(pages: Pages) -> None:
    for language, name, title in (
        ("en", "After-sales cost", "Cost decomposition"),
        ("zh", "售后成本", "成本分解"),
    ):
        entries = data(pages[language, "index"], "search")
        assert [name, "d", "index.html#metric-after_sales_cost"] in [
            [entry[0], entry[2], entry[3]] for entry in entries
        ]
        assert [title, "s"] in [[entry[0], entry[2]] for entry in entries]
        numbers = [entry for entry in entries if entry[2] == "f"]
        assert len({entry[4] for entry in numbers}) == len(numbers)  # each number once over the whole pack
        own = {
            entry[4] for entry in data(pages[language, "90_executive_summary"], "search") if entry[2] == "f"
        }
        assert own <= {entry[4] for entry in numbers}


def test_a_finding_leads_to_its_rows(pages: Pages) -> None:
    page = pages["en", "10_cost_decomposition"]
    details = re.search(r'<details class="evidence">.*?</details>', page, re.DOTALL)
    assert details
    assert details[0].count("<tr>") == 21
    assert 'href="../../evidence/failures.excess-1.csv"' in details[0]
    assert "20 of 34 rows" in details[0]


# ---------------------------------------------------------------- for everybody


def test_landmarks_language_and_headings(pages: Pages) -> None:
    for (language, name), page in pages.items():
        assert f'<html lang="{"en" if language == "en" else "zh-CN"}"' in page
        assert page.index('class="skip" href="#content"') < page.index("<header")
        for mark in ("<main id=", "<nav class=", "<footer", 'name="viewport"'):
            assert mark in page
        levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", body(page))]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(later <= earlier + 1 for earlier, later in zip(levels, levels[1:], strict=False))
        other = "zh" if language == "en" else "en"
        assert f'href="../{other}/{name}.html"' in page


def test_tables_say_what_heads_what_and_how_they_are_sorted(pages: Pages) -> None:
    page = pages["en", "10_cost_decomposition"]
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        head = table[: table.index("</thead>")]
        assert len(re.findall(r"<th\b", head)) == len(re.findall(r'<th scope="col"', head)) > 0
    main = page[page.index('id="costs-table"') :]
    main = main[: main.index("</figure>")]
    assert main.count('aria-sort="none"') == main.count('<button type="button" class="sort">') == 5
    assert re.findall(r'<tbody class="(\w+)">', main) == [
        "group",
        "body",
        "subtotal",
        "group",
        "body",
        "total",
    ]
    assert '<th scope="rowgroup" colspan="5">Direct</th>' in main
    # every scrolling part can be reached and has a name
    assert all("tabindex" in tag for tag in re.findall(r'<div class="scroll[^>]*>', page))


def test_every_drawing_has_alt_text_and_both_palettes(pages: Pages) -> None:
    page = pages["zh", "10_cost_decomposition"]
    drawings = re.findall(
        r'<div class="scroll canvas" role="img" tabindex="0" aria-label="([^"]*)"><svg', page
    )
    assert len(drawings) == len(gallery.drawings())
    assert all(drawings)
    for role in LIGHT:
        assert f"--{role}:{LIGHT[role]}" in page
        assert f"--{role}:{DARK[role]}" in page


def faces(page: str) -> tuple[set[str], set[str]]:
    """The characters of the two faces that stand in a page."""
    from fontTools.ttLib import TTFont

    found = re.findall(r"font-weight:(\d+);src:url\(data:font/woff2;base64,([^)]+)\)", page)
    assert [weight for weight, _ in found] == ["400", "700"]
    regular, bold = (TTFont(io.BytesIO(base64.b64decode(code))).getBestCmap() for _, code in found)
    return set(map(chr, regular)), set(map(chr, bold))


def set_in_bold(page: str) -> str:
    """The text of a page that its own style sheet sets in bold: of the elements around it, the nearest that a rule weighs decides."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(page, "html.parser")
    style = re.sub(r"@font-face\{[^}]*\}", "", page[page.index("<style>") + 7 : page.index("</style>")])
    weighed = {id(element): True for element in soup.select("h1,h2,h3,h4,strong,b,th")}
    rules = re.findall(r"([^{}]+)\{[^{}]*font-weight:(\d+)[^{}]*\}", style)
    for selectors, weight in sorted(
        rules, key=lambda rule: int(rule[1])
    ):  # the heavier of two rules is taken
        weighed |= {id(element): int(weight) >= 600 for element in soup.select(selectors)}
    weighed |= {id(element): True for element in soup.select("[style*='font-weight: 700']")}
    texts = []
    for text in soup.find_all(string=True):
        around = (weighed[id(parent)] for parent in text.parents if id(parent) in weighed)
        texts += [str(text)] if next(around, False) else []
    assert len(texts) > 10
    return "".join(texts)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fonts_of_a_page_hold_what_it_prints(pages: Pages, language: str, name: str) -> None:
    page = pages[language, name]
    regular, bold = faces(page)
    main = unescape(re.sub(r"<[^>]*>", "", body(page)[: body(page).index("<dialog")]))
    assert not {char for char in main if ord(char) > 0x7E} - regular
    assert not {char for char in set_in_bold(page) if ord(char) > 0x7E} - bold


STYLE = """
.turn a{font-weight:700;max-width:48%} .turn span{font-weight:400}
@media print{.list>a:hover,#card p{font:700 1rem/1.5 serif}}
th{font-weight:400} tr.total>*{font-weight:700} .a .b{font-weight:bold} a[href] + i{font-weight:600}
"""


@pytest.mark.parametrize(
    ("html", "bold"),
    [
        ('<div class="turn"><a href="x">根<span>轻</span>析</a></div>', "根析"),
        ('<div class="turn"><p><a>根</a></p></div><a>轻</a>', "根"),
        ('<div class="list"><a>停</a></div>', "停"),  # what depends on the pointer counts
        ('<div id="card"><p>卡</p></div><div><p>轻</p></div>', "卡"),
        ('<table><tr><th>轻</th></tr><tr class="total last"><th>合</th><td>计</td></tr></table>', "合计"),
        ('<div class="b"><p class="a">轻</p></div><div class="a x"><p><em class="b">重</em></p></div>', "重"),
        (
            '<h2>题<span style="font-weight: 400">轻</span></h2><svg><text style="font-weight: 700">图</text></svg>',
            "题图",
        ),
        ('<p><a href="x">轻</a><i>邻</i></p>', "邻"),  # and what depends on a neighbour
        ('<p data-id="card">轻<br>轻</p><b>粗&amp;</b>', "粗&"),
    ],
)
def test_the_style_sheet_says_what_stands_in_bold(html: str, bold: str) -> None:
    every, heavy = printed_characters(html, STYLE)
    assert heavy == set(bold) and heavy <= every and ("轻" in every) == ("轻" in html)


def test_a_page_font_draws_the_glyphs_of_the_shipped_one() -> None:
    from fontTools.ttLib import TTFont

    from analysis.exhibits.style import font_paths

    made = TTFont(io.BytesIO(base64.b64decode(page_font(frozenset("压缩机䶮元"), "Regular", "zh"))))
    whole = TTFont(font_paths()[0], lazy=True)
    for char in "压缩机䶮元A9%é":
        names = [font.getBestCmap()[ord(char)] for font in (made, whole)]
        assert made["glyf"][names[0]] == whole["glyf"][names[1]]
        assert made["hmtx"][names[0]] == whole["hmtx"][names[1]]
    english = TTFont(io.BytesIO(base64.b64decode(page_font(frozenset(), "Regular", "en"))))
    assert (
        english["hmtx"][english.getBestCmap()[ord("“")]][0] < 600
    )  # full width in Chinese, narrow in English
    assert page_font(frozenset("ab"), "Bold", "zh") == page_font(frozenset("ab"), "Bold", "zh")


# ---------------------------------------------------------------- the state of the pack


@pytest.mark.parametrize(("status", "word"), [("not tied out", "NOT"), ("draft", "DRAFT")])
def test_what_may_not_be_signed_says_so_on_every_page(
    notebooks: list[Path], tmp_path: Path, status: str, word: str
) -> None:
    for path in write_html_pack(notebooks, tmp_path, language="en", pack=gallery.pack(status)):
        page = path.read_text(encoding="utf-8")
        assert re.search(r'<p class="stamp \w+">[^<]*not for signature</p>', page)
    assert "The page for signature" not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_an_issued_pack_shows_cover_sources_checks_and_restatements(
    notebooks: list[Path], tmp_path: Path
) -> None:
    pack = gallery.pack() | {
        "restated": [
            {
                "name": "After-sales cost",
                "period": "September 2026",
                "before": "1",
                "after": "2",
                "change": "+1",
                "cause": "late postings",
            }
        ]
    }
    index = write_html_pack(notebooks, tmp_path, language="en", pack=pack)[0].read_text(encoding="utf-8")
    for text in (
        "Northwind Appliances",
        "October 2026",
        "5 November 2026",
        "Edition 1",
        "60,012",
        "tickets.csv",
        "late postings",
        "The page for signature",
        "CNY 0.00",
    ):
        assert text in index
    assert 'class="stamp' not in index


def test_wording_around_the_notebooks_is_translated(notebooks: list[Path], tmp_path: Path) -> None:
    known = set(untranslated())
    for status in ("issued", "not tied out", "draft"):
        write_html_pack(notebooks, tmp_path, language="zh", pack=gallery.pack(status))
    templates = Path(report_html.__file__).parent / "templates" / "html"
    asked = {
        message
        for path in templates.glob("*.j2")
        for message in re.findall(r'word\(["\']([^"\']+)["\']', path.read_text(encoding="utf-8"))
    }
    source = Path(report_html.__file__).read_text(encoding="utf-8")
    asked |= set(
        re.findall(
            r'": "([A-Z][^"]+)"',
            source[source.index("def _script_words") : source.index("@cache\ndef _environment")],
        )
    )
    assert len(asked) > 40
    assert not {message for message in asked if translate(message, "zh") == message}
    assert set(untranslated()) - known <= {m for m in untranslated() if m not in asked}


# ---------------------------------------------------------------- one notebook, refusals


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_nbconvert_exporter_makes_one_page(notebooks: list[Path], language: Language) -> None:
    from nbconvert.exporters import get_exporter

    exporter = get_exporter("after_sales_html")(language=language)
    page, resources = exporter.from_filename(str(notebooks[0]))
    assert resources["output_extension"] == ".html"
    assert page == notebook_html(
        "10_cost_decomposition", json.loads(notebooks[0].read_text(encoding="utf-8")), language=language
    )
    assert "../../evidence" not in page
    assert "index.html" not in page[: page.index("<dialog")]


@pytest.mark.parametrize("kind", ["html", "pdf"])
def test_a_notebook_that_has_not_been_run_is_refused_in_words(notebooks: list[Path], kind: str) -> None:
    import nbformat
    from nbconvert.exporters import get_exporter

    notebook = nbformat.reads(notebooks[0].read_text(encoding="utf-8"), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code[-1].execution_count, code[-1].outputs = None, []
    with pytest.raises(ParameterError, match=r"1 of \d+ code cells have not been run, e\.g\. .*--execute"):
        get_exporter(f"after_sales_{kind}")().from_notebook_node(notebook)


def test_an_error_a_broken_record_and_a_broken_file_are_refused(
    notebooks: list[Path], tmp_path: Path
) -> None:
    broken = json.loads(notebooks[0].read_text(encoding="utf-8"))
    broken["cells"][3]["outputs"].append(
        {"output_type": "error", "ename": "ValueError", "evalue": "no rows", "traceback": []}
    )
    with pytest.raises(NotebookFailed, match="a cell ended in ValueError: no rows"):
        notebook_html("x", broken, language="en")
    other = copy.deepcopy(gallery.summary_notebook())
    other["cells"][1]["outputs"][0]["data"]["application/vnd.after-sales.block+json"]["facts"] = []
    with pytest.raises(ParameterError, match="which it does not carry"):
        notebook_html("x", other, language="en")
    (tmp_path / "bad.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(SourceError, match=r"bad\.ipynb: cannot be read"):
        write_html_pack([tmp_path / "bad.ipynb"], tmp_path, language="en", pack=gallery.pack())


def test_code_and_streams_are_not_printed() -> None:
    notebook = gallery.summary_notebook()
    notebook["cells"].append(
        {
            "cell_type": "code",
            "metadata": {},
            "source": "secret_code()",
            "execution_count": 1,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "chatter"}],
        }
    )
    page = notebook_html("x", notebook, language="en")
    assert "secret_code" not in page
    assert "chatter" not in page


# ---------------------------------------------------------------- cards


@pytest.mark.parametrize(
    ("language", "formula"), [("en", "(new − old) ÷ old"), ("zh", "（新 − 旧） ÷ 旧"), (None, "new less old")]
)
def test_a_card_prints_the_formula_of_the_definition_in_its_language(
    language: Language | None, formula: str
) -> None:
    fact = Fact(metric="growth", period="2026-10", unit="share", value=0.1, formula="new less old")
    entry = {"id": "growth", "formula": {"en": "(new − old) ÷ old", "zh": "（新 − 旧） ÷ 旧"}}
    known = Definitions.of([entry] if language else [], language or "en")
    assert fact_card(fact.as_json(), known)["formula"] == formula


def test_a_card_prints_the_exact_value_and_the_reason_of_a_missing_one() -> None:
    definitions = Definitions.of([], "en")
    exact = Fact(
        metric="tie_out_gap",
        period="2026-01/2026-11",
        unit="CNY",
        value=1234567.89,
        dimensions={"region": "South"},
    )
    assert fact_card(exact.as_json(), definitions) == {
        "name": "Tie out gap",
        "value": "CNY 1,234,567.89",
        "period": "January 2026 – October 2026",
        "slice": [["region", "South"]],
    }
    lost = gallery.without_value("csat", "2026-10", "share", "surveys.score")
    assert fact_card(lost.as_json(), Definitions.of([], "zh"))["value"] == "未计算：缺少 surveys.score"
    rated = Fact(
        metric="r",
        period="2026-10-31",
        unit="ratio",
        value=3.1,
        interval=Interval(low=2.0, high=4.0, level=0.9, method="Garwood"),
    )
    card = fact_card(rated.as_json(), definitions)
    assert (card["interval"], card["method"], card["period"]) == (
        "90% interval 2.00 to 4.00 times",
        "Garwood",
        "31 October 2026",
    )


@pytest.mark.parametrize(
    ("period", "text"),
    [
        ("2026-10/2026-11", "October 2026"),
        ("2025-11/2026-11", "November 2025 – October 2026"),
        ("run", "run"),
    ],
)
def test_half_open_periods_end_before_their_end(period: str, text: str) -> None:
    assert period_text(period, "en") == text
