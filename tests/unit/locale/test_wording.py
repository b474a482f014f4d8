"""Wording lives in the catalogues and in params; one English term has one Chinese term."""

from __future__ import annotations

import ast
import json
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
    "report/shown.py": 3,
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


# ---------------------------------------------------------------- who is first

SUPERLATIVE = re.compile(
    r"\b(?:most|least|highest|lowest|best|worst|largest|smallest|biggest|greatest|strongest|weakest)\b",
    re.IGNORECASE,
)
# Sentences that rank over accounting totals: these are exact, there is no chance in who is first.
EXACT = ("costs.po", "quality.po")
# Sentences that rank without showing an interval, and why they may.
MAY_RANK = {
    "Dots with intervals of actual to expected failures": "says what is drawn, with its intervals",
    "{first} costs most: {fact} in twelve months": "an accounting total",
    "The largest part up for renewal": "an accounting total of contract terms",
    "Stacked bars of contract value up for renewal": "an accounting total of contract terms",
    "Curves of cumulative loss by reason": "says what is drawn; the title carries the interval",
    "{number} under contract are businesses": "an accounting total of contract terms",
    "Contract value held by the ten largest": "an accounting total of contract terms",
    "Customers in a year, of today's": "a range of an assumption and its most likely value",
    "{scenario}: {input:lower} and {other:lower} decide most": "of inputs in one simulation, not of things in the world",
}


INTERVAL = re.compile(r":(?:interval|doubt)\}")


def rankings() -> Iterator[tuple[str, str]]:
    """Messages that name a first or last with a figure and show no interval."""
    for path in sorted((SOURCE / "locale" / "zh").glob("*.po")):
        if path.name in EXACT:
            continue
        with path.open("rb") as file:
            for message in read_po(file):
                text = str(message.id or "")
                plain = re.sub(r"\{[^}]*\}|at (?:most|least)", "", text)
                if SUPERLATIVE.search(plain) and "{" in text and not INTERVAL.search(text):
                    yield path.name, text


COUNTED_PLACES = re.compile(
    r"\{(?:months|number|smallest|needed|fewest|exposed|others|rows|folds|customers|error)[:}]"
)


def test_who_is_first_is_said_with_an_interval_or_for_a_reason():
    unsupported = {
        (name, text)
        for name, text in rankings()
        if not text.startswith(tuple(MAY_RANK)) and COUNTED_PLACES.sub("", text).count("{")
    }
    assert not unsupported


def test_every_reason_to_rank_is_still_needed():
    texts = [text for _, text in rankings()]
    assert not [start for start in MAY_RANK if not any(text.startswith(start) for text in texts)]


def prose() -> Iterator[tuple[str, str]]:
    """Paragraphs of the notebooks: they hold no figure of the month, so nothing in them may rank or claim a cause."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                yield path.name, "".join(cell["source"])


# What the notebooks ask or explain, and why the word is no ranking of the month's data.
PROSE_MAY = {
    "Which parts fail most and cost most?": "a question",
    "The second table leads to the expense": "where a table ends, no cause",
}


def test_prose_ranks_nothing_and_claims_no_cause():
    """Typed prose stands in every month's report: a ranking or a cause in it would be true of one month at best."""
    found = []
    for name, text in prose():
        for line in re.split(r"\n+|(?<=[.?!])\s+", text):
            ranks = SUPERLATIVE.search(re.sub(r"at (?:most|least)", "", line)) or CAUSAL.search(line)
            if ranks and not line.strip("# ").startswith(tuple(PROSE_MAY)):
                found.append((name, line))
    assert not found


# ---------------------------------------------------------------- messages nobody says any more


def said_in_code() -> set[str]:
    """String constants of the package and of the notebooks' code."""
    sources = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")]
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                sources.append("".join(line for line in cell["source"] if not line.startswith("%")))
    return {
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_message_of_the_catalogues_is_said_somewhere():
    """Part of a message is enough: some are put together from halves, each of them a constant."""
    said = said_in_code()
    halves = [text.strip().rstrip(".") for text in said if len(text.strip()) >= 14]
    files = [
        *SOURCE.rglob("*.yml"),
        *(ROOT / "params").rglob("*.yml"),
        *SOURCE.rglob("*.html"),
        *SOURCE.rglob("*.j2"),
    ]
    other = "\n".join(path.read_text(encoding="utf-8") for path in files)
    other += "\n".join(" ".join(text.split()) for _, text in prose())
    unsaid = [
        message
        for message in (
            key.rpartition("|")[2] if re.match(r"[a-z ]+\|", key) else key for key in catalogue("zh")
        )
        if not (
            message in said
            or message in other
            or any(half in message for half in halves)
            or any(message.rstrip(".") in half for half in halves)
        )
    ]
    assert not unsaid


# ---------------------------------------------------------------- what a definition says is counted


def meanings() -> Iterator[tuple[str, Any]]:
    """What each measure of the registry counts, in the words of a definition's numerator and denominator."""
    for path in sorted((ROOT / "params" / "metrics").glob("*.yml")):
        for name, measure in (yaml.safe_load(path.read_text(encoding="utf-8")).get("measures") or {}).items():
            yield f"{path.name}: {name}", measure.get("meaning")


def in_words(meaning: Any) -> bool:
    """Words in both languages: no placeholder of the code, no bare figure."""
    if not isinstance(meaning, dict) or set(meaning) != {"en", "zh"}:
        return False
    english, chinese = str(meaning["en"]), str(meaning["zh"])
    return english.casefold() not in {"none", "null", "one", ""} and bool(CHINESE.search(chinese))


def test_every_measure_says_in_words_what_it_counts():
    found = list(meanings())
    assert len(found) > 100
    assert not [place for place, meaning in found if not in_words(meaning)]


def test_a_measure_without_words_would_be_found():
    assert in_words({"en": "confirmed failures", "zh": "确认故障"})
    assert not any(map(in_words, (None, "None", {"en": "one", "zh": "1"}, {"en": "failures", "zh": "7"})))
