"""Markdown cells: one key a paragraph, the same tree in both languages, nothing executed."""

from __future__ import annotations

import pytest
from prose_keys import prose_messages

from analysis.exhibits import prose
from analysis.exhibits.prose import prose_blocks, prose_text
from analysis.locale import Language

CELL = """# Executive summary

A paragraph over
two   lines with **bold**.[^1]

- one
- two
  - inner

| Word | 12 |
|---|--:|
| exact | 3.5 |

[^1]: A note.
"""


@pytest.fixture
def shouting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A catalogue that answers in capitals and keeps what it was asked."""
    asked: list[str] = []

    def translate(message: str, language: Language) -> str:
        asked.append(message)
        return message if language == "en" else message.upper()

    monkeypatch.setattr(prose, "translate", translate)
    return asked


def test_keys_are_paragraphs_with_their_marks_and_single_spaces() -> None:
    assert prose_messages(CELL) == [
        "Executive summary",
        "A paragraph over two lines with **bold**.[^1]",
        "A note.",
        "one",
        "two",
        "inner",
        "Word",
        "exact",
    ]


def test_the_translation_is_parsed_and_ids_stay_english(shouting: list[str]) -> None:
    heading, paragraph, items, table = prose_blocks(CELL, "zh")
    assert (heading["id"], prose_text(heading["children"])) == ("executive-summary", "EXECUTIVE SUMMARY")
    kinds = [node["type"] for node in paragraph["children"]]
    assert kinds == ["text", "strong", "text", "footnote"]
    assert prose_text(paragraph["children"][3]["children"]) == "A NOTE."
    assert prose_text(items["items"][1]) == "TWO INNER"
    assert [prose_text(cell) for cell in table["header"]] == ["WORD", "12"]
    assert table["align"] == [None, "right"]
    assert {"12", "3.5"}.isdisjoint(shouting)  # a message without a letter needs no translation


def test_markup_in_a_cell_is_text() -> None:
    (paragraph,) = prose_blocks("See <img src=x onerror=alert(1)> and [here](javascript:alert(1)).", "en")
    assert prose_text(paragraph["children"]) == "See <img src=x onerror=alert(1)> and here."
    assert {node["type"] for node in paragraph["children"]} == {"text"}
    (block,) = prose_blocks("<script>alert(1)</script>", "en")
    assert block == {"type": "paragraph", "children": [{"type": "text", "text": "<script>alert(1)</script>"}]}


@pytest.mark.parametrize(
    "url", ["https://example.org/a", "#method", "mailto:a@b.c", "00_data_quality.ipynb#method"]
)
def test_links_that_lead_somewhere_safe_are_kept(url: str) -> None:
    (paragraph,) = prose_blocks(f"[here]({url})", "en")
    assert paragraph["children"] == [
        {"type": "link", "url": url, "children": [{"type": "text", "text": "here"}]}
    ]


def test_a_note_that_refers_to_itself_ends() -> None:
    nodes = prose_blocks("Text.[^a]\n\n[^a]: Again.[^a]", "en")
    assert prose_text(nodes[0]["children"][1]["children"]) == "Again."


def test_quotes_code_rules_and_numbered_lists() -> None:
    nodes = prose_blocks("> said\n\n```sql\nselect 1\n```\n\n---\n\n3. three\n4. four\n", "en")
    assert [node["type"] for node in nodes] == ["quote", "code", "rule", "list"]
    assert (nodes[1]["text"], nodes[3]["ordered"], nodes[3]["start"]) == ("select 1", True, 3)
