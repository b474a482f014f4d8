"""Wording lives in the catalogues and in params; one English term has one Chinese term."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from babel.messages.pofile import read_po

from analysis.locale import catalogue

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "src" / "analysis"
CHINESE = re.compile(r"[\u4e00-\u9fff]")

# Where Chinese in code belongs: units and number words, the sample company's own data, words looked for in files of others.
BELONGS = ("formats.py", "locale/", "sample/", "sources/", "fonts/")
# Strings with Chinese that still stand in code, a count a file. The count may only fall; at zero the line goes.
STILL_THERE = {
    "exhibits/charts/labels.py": 1,
    "report/checks.py": 2,  # what a typed figure looks like
    "report/shown.py": 1,
    "report/trace_lookup.py": 2,  # what a reader types: 表 13, 图 4
}


def chinese_strings(path: Path) -> Iterator[str]:
    """String constants with Chinese in them, docstrings apart."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            if CHINESE.search(node.value):
                yield node.value


def names() -> list[str]:
    return [
        name
        for path in sorted(SOURCE.rglob("*.py"))
        if not (name := path.relative_to(SOURCE).as_posix()).startswith(BELONGS)
    ]


@pytest.mark.parametrize("name", names())
def test_no_bilingual_constant_is_added_to_code(name: str):
    found = list(chinese_strings(SOURCE / name))
    allowed = STILL_THERE.get(name, 0)
    assert len(found) <= allowed, f"wording belongs to src/analysis/locale/zh/*.po: {found}"
    assert len(found) == allowed, f"{name}: {len(found)} are left; lower its count in STILL_THERE to that."


def test_the_list_of_what_is_left_names_files_that_are_there():
    assert set(STILL_THERE) <= set(names())


# ---------------------------------------------------------------- one English term, one Chinese term

# One English word for two things of params, told apart by the dimension or the entry they stand in.
HOMOGRAPHS: dict[str, set[str]] = {
    "Maintenance": {"保养", "维保"}  # a visit; a contract
}


def catalogue_terms() -> Iterator[tuple[str, str, str]]:
    """Place, English and Chinese of every message without a context; a context says which homograph is meant."""
    for path in sorted((SOURCE / "locale" / "zh").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id and not message.context:
                    yield path.name, str(message.id), str(message.string)


def named_terms() -> Iterator[tuple[str, str, str]]:
    """Names of metrics, dimensions, values, accounts: every ``name`` and every label of a value in params."""
    for path in sorted((ROOT / "params").rglob("*.yml")):
        yield from _names(path.name, yaml.safe_load(path.read_text(encoding="utf-8")), "")


def _names(place: str, entry: Any, key: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(entry, dict):
        if set(entry) == {"en", "zh"} and key in ("name", "label"):
            yield place, str(entry["en"]), str(entry["zh"])
            return
        for name, part in entry.items():
            label = "label" if key == "values" and place == "labels.yml" else name
            yield from _names(place, part, label)
    elif isinstance(entry, list):
        for part in entry:
            yield from _names(place, part, key)


def test_one_english_term_has_one_chinese_term():
    wordings: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for place, english, chinese in (*catalogue_terms(), *named_terms()):
        wordings[english][chinese].add(place)
    torn = {
        english: {chinese: sorted(places) for chinese, places in found.items()}
        for english, found in wordings.items()
        if len(found) > 1 and set(found) != HOMOGRAPHS.get(english)
    }
    assert not torn


def test_no_homograph_is_kept_that_is_none():
    found = defaultdict(set)
    for _, english, chinese in (*catalogue_terms(), *named_terms()):
        found[english].add(chinese)
    assert {english: found[english] for english in HOMOGRAPHS} == HOMOGRAPHS


def test_a_message_stands_once_with_its_context():
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in sorted((SOURCE / "locale" / "zh").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id:
                    places[str(message.context or ""), str(message.id)].append(path.name)
    assert not {message: files for message, files in places.items() if len(files) > 1}


# ---------------------------------------------------------------- what a sentence claims

# "X because of Y" claims a cause. Only designs that are made to show one may say so, and names of things.
CAUSAL = re.compile(
    r"\b(?:because of|due to|caused by|causes (?:an?|the|it|this)\b|causes \{|leads to|drives|driven by|thanks to|results in)\b|导致|由于|引起|造成",
    re.IGNORECASE,
)
MAY_CLAIM = {
    "value_effects.po": "effects by doubly robust estimation with placebos; the section states what it assumes",
    "value.po": "a change split by what customers did, an identity",
}


def claims() -> list[tuple[str, str]]:
    found = []
    for path in sorted((SOURCE / "locale" / "zh").glob("*.po")):
        if path.name in MAY_CLAIM:
            continue
        with path.open("rb") as file:
            for message in read_po(file):
                for text in (str(message.id or ""), str(message.string or "")):
                    if CAUSAL.search(text) and "{" in text:
                        found.append((path.name, text))
    return found


def test_no_sentence_with_a_figure_claims_a_cause_outside_designs_that_show_one():
    assert not claims()


def test_a_sentence_that_claims_a_cause_would_be_found():
    assert CAUSAL.search("Cost fell by {change} because of {region}.")
    assert CAUSAL.search("{region}导致成本下降 {change}。")


# ---------------------------------------------------------------- methods of findings


def methods() -> Iterator[tuple[str, str]]:
    """What findings say of their method, where it stands in code as it is."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or "inding" not in ast.unparse(node.func):
                continue
            for keyword in node.keywords:
                if keyword.arg == "method" and isinstance(keyword.value, ast.Constant):
                    yield path.relative_to(SOURCE).as_posix(), str(keyword.value.value)


def test_the_method_of_every_finding_has_its_chinese_wording():
    known = catalogue("zh")
    found = list(methods())
    assert len(found) > 20
    assert not [(place, text) for place, text in found if text and text not in known]
