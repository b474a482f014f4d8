"""Every message the package can print has its Chinese wording, and the wording names the same placeholders."""

from __future__ import annotations

import ast
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from prose_keys import prose_messages

from analysis.locale import catalogue, has_words, keyed

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "src" / "analysis"


# functions whose argument at this place is a message of the catalogue; so is every ``head=`` and ``total_head=``
MESSAGE_AT = {
    "Sentence": 0,
    "Text.of": 0,
    "named": 0,
    "phrase": 0,
    "words": 1,
    "absent": 2,
    "_absent": 2,
    "entry": 2,
    "line": 2,
}


def templates(path: Path) -> Iterator[str]:
    """Keys of the catalogue: constants that reach a message's place directly, or by either branch of a conditional."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        context = "".join(leaves(given["context"])) if "context" in given else ""
        place = MESSAGE_AT.get(ast.unparse(node.func), len(node.args))
        places = node.args[place : place + 1] + [
            given[name] for name in ("head", "total_head") if name in given
        ]
        for message in places:
            yield from (keyed(text, context) for text in leaves(message))


def leaves(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from leaves(node.body)
        yield from leaves(node.orelse)


def notebook_messages(path: Path) -> Iterator[str]:
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            yield from prose_messages(cell.source)


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.relative_to(SOURCE).as_posix()
)
def test_every_sentence_in_the_source_has_chinese_wording(path: Path):
    missing = [
        message for message in templates(path) if has_words(message) and message not in catalogue("zh")
    ]
    assert not missing


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_paragraph_of_a_notebook_has_chinese_wording(path: Path):
    assert not [message for message in notebook_messages(path) if message not in catalogue("zh")]


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_the_chinese_wording_names_only_the_placeholders_of_the_english():
    wrong = {
        message: found
        for message, found in catalogue("zh").items()
        if "{" in message and not fields(found) <= fields(message)
    }
    assert not wrong


WORDS = {"one": "1", "1,000": "千", "zero": "0"}


def typed_numbers(text: str) -> list[str]:
    """Numbers of the wording itself, a number word as its figure; thousands read 千 in Chinese."""
    plain = re.sub(r"{[^{}]*}", "", text)
    for word, figure in WORDS.items():
        plain = re.sub(rf"\b{word}\b", figure, plain)
    return sorted(re.findall(r"\d+", plain))


def test_no_number_is_typed_into_the_chinese_wording_only():
    """A figure in one language and not in the other would be a number nobody traces."""
    odd = {
        message: found
        for message, found in catalogue("zh").items()
        if set(typed_numbers(found)) - set(typed_numbers(message))
    }
    assert not odd


def test_no_figure_of_the_english_wording_is_lost_in_the_chinese():
    figures = {
        message: set(re.findall(r"\d+", re.sub(r"{[^{}]*}", "", message.replace("1,000", "千"))))
        for message in catalogue("zh")
    }
    assert not {
        message
        for message, found in catalogue("zh").items()
        if figures[message] - set(re.findall(r"\d+", found))
    }


def test_a_message_is_worded_once():
    """Of two wordings of one message the later would be printed everywhere, whoever reads the other."""
    files = sorted((SOURCE / "locale" / "zh").glob("*.po"))
    entries = [
        entry
        for path in files
        for entry in re.findall(
            r'^((?:msgctxt ".*"\n)?msgid ".*"(?:\n".*")*)', path.read_text(encoding="utf-8"), re.MULTILINE
        )
        if entry != 'msgid ""' and not entry.startswith('msgid ""\n"Project')
    ]
    assert len(entries) > 1_000
    assert [entry for entry, count in Counter(entries).items() if count > 1] == []
