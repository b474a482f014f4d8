"""Values no one would enter and text that is meant as a program: conserved and printed as what it is, or refused in words."""

from __future__ import annotations

import json
import math
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mistreat.house import House

AMOUNTS = [
    "1e308", "-1e308", "NaN", "inf", "-inf", "-0", "0.00", "1" * 40, "99999999999999.99", "-99999999999999.99", "0.001", "１２３.４５", "1,234.56",
    "1.234,56", "12,5", "(80.10)", "80.10-", "€ 80.10", "80.10 CNY", "USD 80.10", "=1+1", "1 000.00", "--5", "0x10", "1_000", "None", "#REF!", "",
]  # fmt: skip


def finite(house: House, edition: int) -> None:
    """Every fact has a finite number or none."""
    for identity, fact in house.facts(edition).items():
        value = fact["value"]  # type: ignore[index]
        assert value is None or math.isfinite(float(value)), identity


@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_of_the_ledger(amount: str, house: House) -> None:
    written = f'"{amount}"' if "," in amount else amount
    house.rewrite("ledger", "L5,2026-10-31,,80.10,", f"L5,2026-10-31,,{written},")
    outcome = house.report()
    house.judge(outcome, code=(0, 3, 4, 30), words="issued|ledger|tie|unchanged")
    if outcome.code == 0 and len(house.editions()) > 1:
        finite(house, 2)


DAYS = [
    "0001-01-01T00:00:00", "1899-12-30T00:00:00", "9999-12-31T23:59:59", "2026-02-30T00:00:00", "2026-13-01T00:00:00", "2026-10-05T25:00:00",
    "2026-10-05T02:00:00+14:00", "2026-10-05T02:00:00Z", "45935.5", "1791158400", "yesterday", "２０２６-10-05T02:00:00", "2027-01-01T00:00:00", "",
]  # fmt: skip


@pytest.mark.parametrize("day", DAYS)
def test_a_time_of_a_ticket(day: str, house: House) -> None:
    house.rewrite("tickets", "inquiry,2026-10-05T02:00:00,", f"inquiry,{day},")
    outcome = house.report()
    house.judge(outcome, code=(0, 3, 4), words="issued|tickets|unchanged")
    if outcome.code == 0 and len(house.editions()) > 1:
        finite(house, 2)


KEYS = [
    "",
    " ",
    "C1 ",
    "c1",
    "C９",
    "1.23E+11",
    "***",
    "'; DROP TABLE tickets; --",
    "../../etc",
    "x" * 10_000,
    "NULL",
    "0",
    "C1\u200b",
]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: repr(key)[:20])
def test_a_key_of_a_customer(key: str, house: House) -> None:
    house.rewrite("tickets", "T4,C2,", f"T4,{key},")
    outcome = house.report()
    house.judge(outcome, code=(0, 3, 4), words="issued|tickets|customer")
    if outcome.code == 0:
        finite(house, 2)


TEXTS = {
    "a script": "<script>alert(1)</script>",
    "an image": "<img src=x onerror=alert(1)>",
    "a drawing": '<svg onload="alert(1)"><a href="javascript:alert(1)">x</a></svg>',
    "an entity": "&lt;b&gt; &amp; &#x27;",
    "a comment": "--> <!-- ]]>",
    "Typst": '#import "@preview/x:0.1.0": * #eval("1+1") #read("/etc/passwd") $x$ @label <label>',
    "LaTeX": r"\input{/etc/passwd} $\frac{1}{2}$ \(x\) \[y\] $$z$$",
    "Jinja": "{{ 7*7 }}{% for x in y %}{# z #}",
    "a format": "{0} {x} {x:,.2f} %s %(x)s ${HOME}",
    "SQL": "'; DROP TABLE tickets; -- \"x\"",
    "a formula": "=HYPERLINK(\"x\";\"y\")",
    "a formula by plus": "+1+cmd|' /C calc'!A0",
    "a formula by at": "@SUM(1)",
    "a formula in full width": "＝1＋1",
    "a shell": "$(rm -rf /) `id` ; true | cat & ",
    "a path": "../../../../etc/passwd",
    "Markdown": "[x](y) **b** _i_ `c` # h | a | b | ![i](j)",
    "control characters": "a\x07b\x1b[31mc\x08d\x7f",
    "line breaks": "first\u2028second\u2029third\x85fourth",
    "the other way round": "abc\u202efed\u202c \u2067x\u2069",
    "no width": "a\u200bb\ufeffc\u2060d",
    "marks on marks": "Z" + "\u0301\u0300\u0302\u0303" * 30,
    "an emoji": "🧯 👩‍🔧 🇨🇳",
    "many scripts": "Łódź Київ İzmir 서울 𠮷野家 العربية עברית हिन्दी",
    "a word of 10,000 letters": "W" * 10_000,
    "many words": "word " * 2_000,
    "only a dash": "—",
    "a number": "12345",
    "the word for nothing": "nan",
    "total": "Total",
}  # fmt: skip


class Made(HTMLParser):
    """What a browser would run or load of a page, and the words it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers: list[str] = []
        self.loaded: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name.startswith("on"):
                self.handlers.append(f"{tag} {name}={value}")
            if name in ("src", "href", "data", "action") and (value or "").lower().startswith(
                ("javascript:", "http:", "https:", "//", "file:")
            ):
                self.loaded.append(f"{tag} {name}={value}")
            assert not (tag == "img" and value == "x"), "an image of the data's"

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: Path) -> Made:
    made = Made()
    made.feed(page.read_text("utf-8"))
    return made


def in_a_field(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_text_from_data_is_text(text: str, house: House) -> None:
    """In a label that reaches pages, charts, evidence and notebooks: the product line of most tickets."""
    house.rewrite("products", "Washers", in_a_field(text))
    outcome = house.report()
    house.judge(outcome, code=0, words="issued")
    finite(house, 2)
    for page in house.edition(2).rglob("*.html"):
        made = read(page)
        assert not made.handlers and not made.loaded, page
        code, data = scripts_of(page)
        assert "alert(1)" not in code, page
        assert "<" not in data, (
            page
        )  # what is no code may hold the data's words, and nothing that ends or begins an element
    for sheet in house.edition(2).rglob("*.csv"):
        for row in sheet.read_text("utf-8-sig").splitlines():
            assert not row.startswith(("=", "+1", "@", '"=', '"+1', '"@')), (sheet.name, row[:80])
    for notebook in house.edition(2).rglob("*.ipynb"):
        json.loads(notebook.read_text("utf-8"))


def scripts_of(page: Path) -> tuple[str, str]:
    """What the script elements of a page hold: code that runs, and data that no browser runs."""

    class Scripts(HTMLParser):
        kind = ""

        def __init__(self) -> None:
            super().__init__()
            self.found = {"code": "", "data": ""}

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            said = dict(attrs).get("type") or ""
            self.kind = "" if tag != "script" else "data" if said == "application/json" else "code"

        def handle_endtag(self, tag: str) -> None:
            self.kind = ""

        def handle_data(self, data: str) -> None:
            if self.kind:
                self.found[self.kind] += data

    scripts = Scripts()
    scripts.feed(page.read_text("utf-8"))
    return scripts.found["code"], scripts.found["data"]
