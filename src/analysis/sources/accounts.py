"""Accounts of a general ledger by number and name, and which category of cost the name tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.sources.cells import cell_text
from analysis.sources.headings import Vocabulary, similarity, split
from analysis.sources.looking import Look
from analysis.sources.maps import SourceMap
from analysis.sources.matching import SURE


@dataclass(frozen=True, kw_only=True)
class AccountGuess:
    """What the name of an account tells: a category (blank where nothing does) and the word that told it."""

    name: str
    category: str
    word: str


def account_names(source_map: SourceMap, looks: Sequence[Look], vocabulary: Vocabulary) -> dict[str, str]:
    """The names of accounts, by what stands in the column that a map takes for the account; an account without a name of its own has itself."""
    found: dict[str, str] = {}
    for entry in source_map.tables:
        number = entry.columns.get("account") if entry.table == "ledger" else None
        for look in looks:
            if number is None or number not in look.header:
                continue
            at = look.header.index(number)
            named = _name_column(look.header, number, vocabulary)
            for row in look.rows:
                account = cell_text(row[at])
                found.setdefault(account, cell_text(row[named]) if named is not None else account)
    return found


def guess(name: str, vocabulary: Vocabulary) -> AccountGuess:
    """The category by the longest word of the vocabulary that stands in a name; a short word counts only as a word of its own."""
    best = AccountGuess(name=name, category="", word="")
    text = name.casefold()
    for category, words in vocabulary.cost_categories.items():
        for word in words:
            if len(word) > len(best.word) and _stands_in(word.casefold(), text):
                best = AccountGuess(name=name, category=category, word=word)
    return best


#: Letters from which on a Latin word may be a part of a longer one, as in Personalaufwand.
_PART_FROM = 6


def _stands_in(word: str, text: str) -> bool:
    if not word.isascii() and re.search(r"[\u3040-\u9fff\uac00-\ud7af]", word):
        return word in text
    if len(word) >= _PART_FROM and word in text:
        return True
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _name_column(header: Sequence[str], number: str, vocabulary: Vocabulary) -> int | None:
    """The place of the column that names the accounts; None where no heading says so."""
    scored = [
        (
            max(
                similarity(split(name, vocabulary.short), split(phrase, vocabulary.short), ())
                for phrase in vocabulary.account_names
            ),
            place,
        )
        for place, name in enumerate(header)
        if name and name != number
    ]
    score, place = max(scored, key=lambda one: (one[0], -one[1]), default=(0.0, 0))
    return place if score >= SURE else None
