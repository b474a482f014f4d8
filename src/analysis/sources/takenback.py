"""Rows that say they were given back, called off or never held: counted by the words that say so, with the money in them and what a map can do about it.

An order export lists refunded and cancelled orders beside the others, and a map that reads all its rows counts them as revenue. What is meant is
for a person to say; until then rows that would count too much are left out, and that is said. Rows that take something off already (negative
amounts, a posting and the one that reverses it) stay.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from analysis.sources.amounts import factor_of, plain_number
from analysis.sources.cells import Cell, cell_text
from analysis.sources.drafting import Entry, TakenBack
from analysis.sources.headings import TakenBackWords, similarity
from analysis.sources.matching import LABELS, MOST_LABELS, Matcher
from analysis.sources.profiles import Profile
from analysis.sources.words import is_total_word

#: Per table the kinds that make a row doubtful and the column with its money; of a ledger a refund is a cost like others.
TABLES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "orders": (("refunded", "cancelled", "draft", "perhaps"), "revenue"),
    "invoices": (("refunded", "cancelled", "draft", "perhaps"), "amount"),
    "ledger": (("cancelled", "draft"), "amount"),
    "tickets": (("cancelled", "draft"), ""),
}
#: Columns of a table that tell one row from another, shown of an example.
SHOWN = ("order_id", "invoice_id", "posting_id", "journal_id", "ticket_id", "ordered_at", "issued_on", "posted_on", "opened_at")  # fmt: skip
#: From this share on the doubtful rows are of one kind: taken off elsewhere, or refunds of orders that have another row.
MOSTLY = 0.8
#: A heading is one of a column of states from here on; a phrase says what the cell says from this share of its letters on.
ALIKE, HALF = 0.7, 0.5
#: Rows whose keys and amounts are remembered to look for their counterparts.
MOST_KEPT = 200_000
YES = frozenset(["true", "yes", "y", "1", "t", "ja", "j", "是", "x", "wahr", "oui", "o", "si", "sí", "s", "sim", "tak", "да", "はい", "有"])  # fmt: skip
NO = frozenset(["false", "no", "n", "0", "f", "nein", "否", "falsch", "non", "não", "nao", "nie", "нет", "いいえ", "无", "-"])  # fmt: skip
_EASTERN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
#: What a heading may say besides the phrase.
_BESIDE = frozenset(["is", "was", "has", "been", "flag", "reason", "datum", "grund", "kennzeichen", "ist", "wurde", "是否", "标志", "标记", "原因"])  # fmt: skip
Rows = Callable[[], Iterable[Sequence[Cell]]]


@dataclass(frozen=True)
class Words:
    """The vocabulary's words, asked what a cell says."""

    words: TakenBackWords

    @cached_property
    def _phrases(self) -> list[tuple[str, str]]:
        kinds = ("refunded", "cancelled", "draft", "perhaps", "stands")
        pairs = {phrase.casefold(): kind for kind in reversed(kinds) for phrase in getattr(self.words, kind)}
        return sorted(pairs.items(), key=lambda pair: -len(pair[0]))

    def said(self, text: str, *, whole: bool) -> tuple[str, str]:
        """(kind, phrase) of the longest phrase that stands in a cell, blank for none and for one that means the row stands; ``whole``: it must be most of the cell."""
        plain = " ".join(re.findall(r"\w+", text.casefold()))
        for phrase, kind in self._phrases:
            if not _stands_in(phrase, plain) or (whole and len(phrase) < HALF * len(plain)):
                continue
            return ("", "") if kind == "stands" else (kind, phrase)
        return "", ""


def _stands_in(phrase: str, text: str) -> bool:
    if _EASTERN.search(phrase):
        return phrase in text
    return f" {phrase} " in f" {text} "


@dataclass(kw_only=True)
class _Column:
    """A column that may say it. ``flag``: the kind that its heading says, and its cells say yes or, without ``yes_no``, anything; ``state``, ``type``: it is one of
    states, or of types of rows."""

    name: str
    place: int
    kinds: tuple[str, ...]
    words: Words
    state: bool = False
    type: bool = False
    flag: str = ""
    yes_no: bool = False
    known: dict[str, str] = field(default_factory=dict)

    def kind(self, text: str) -> str:
        if text not in self.known:
            found = self._flagged(text) if self.flag else self.words.said(text, whole=not self.state)[0]
            self.known[text] = found if found in self.kinds else ""
        return self.known[text]

    def _flagged(self, text: str) -> str:
        return self.flag if not self.yes_no or text.casefold() in YES else ""


def called_off(column: str, word: str, matcher: Matcher) -> str:
    """``cancelled`` for a word of a ticket's state that says so; blank for any other."""
    listed = matcher.lexicon.vocabulary.taken_back
    return (
        "cancelled" if column == "status" and Words(listed).said(word, whole=False)[0] == "cancelled" else ""
    )


def doubt_taken_back(
    entry: Entry, header: Sequence[str], profiles: Mapping[str, Profile], rows: Rows, matcher: Matcher
) -> None:
    """Remember for an entry which of its rows were taken back by their own words, and what is proposed about them.

    ``rows`` gives all rows of the files anew each time; ``profiles`` are of the first ones.
    """
    if entry.table not in TABLES or entry.first_of or entry.last_of:
        return  # of a log that repeats the whole ticket only its last row says what became of it
    columns = list(_columns(entry, header, profiles, matcher))
    if columns:
        nothing = frozenset(matcher.lexicon.vocabulary.missing)
        _Counted(entry=entry, header=header, columns=columns, rows=rows, nothing=nothing).add()


def _columns(
    entry: Entry, header: Sequence[str], profiles: Mapping[str, Profile], matcher: Matcher
) -> Iterator[_Column]:
    """Columns of few words that the entry reads as nothing else, those of states first."""
    listed, kinds = matcher.lexicon.vocabulary.taken_back, TABLES[entry.table][0]
    words, found = Words(listed), []
    named = matcher.lexicon.vocabulary.account_names if entry.table == "ledger" else ()
    for name in [one for one in profiles if one not in _read(entry) and not _called(one, named, matcher)]:
        profile, place = profiles[name], list(header).index(name)
        is_type, is_state = (_called(name, one, matcher) for one in (listed.types, listed.states))
        column = _Column(
            name=name, place=place, kinds=kinds, words=words, state=is_state or is_type, type=is_type
        )
        flag = "" if column.state else _flag(name, words, matcher)
        yes_no = _is_yes_no(profile)
        if flag and (yes_no or (profile.filled < HALF and profile.numbers < HALF)):
            found.append(replace(column, flag=flag, yes_no=yes_no))
        elif _is_label(profile) or (column.state and profile.is_empty):
            found.append(column)
    yield from sorted(found, key=lambda one: not one.state)


def _read(entry: Entry) -> set[str]:
    """Columns that say something else."""
    columns = {source for column, source in entry.columns.items() if column not in ("status", "order_type")}
    return columns | set(entry.less.values()) | {str(sign["column"]) for sign in entry.signs.values()}


def _called(name: str, phrases: Sequence[str], matcher: Matcher) -> bool:
    words = matcher.words(name)
    return any(similarity(words, matcher.words(one), ()) >= ALIKE for one in phrases)


def _is_yes_no(profile: Profile) -> bool:
    words = {word.casefold() for word in profile.words}
    return bool(words) and len(words) <= 3 and words <= YES | NO


def _is_label(profile: Profile) -> bool:
    few = len(profile.words) <= max(12, min(MOST_LABELS, LABELS * len(profile.texts)))
    return few and not profile.is_empty and not profile.is_moment and not profile.is_long and profile.numbers < HALF  # fmt: skip


def _flag(name: str, words: Words, matcher: Matcher) -> str:
    """The kind that a heading names (``Cancelled at``, ``是否退款``); blank for any other."""
    light = matcher.lexicon.light | _BESIDE
    rest = [word for word in matcher.words(name) if word not in light]
    text = " ".join(rest)
    for beside in sorted((one for one in light if _EASTERN.search(one)), key=len, reverse=True):
        text = text.replace(beside, "")
    kind, phrase = words.said(text, whole=True)
    return kind if phrase and len(phrase) >= MOSTLY * len(text) else ""


@dataclass(kw_only=True)
class _Tally:
    """Rows of one word: how many, their money, one of them, and of the first the keys and amounts."""

    rows: int = 0
    amount: Decimal = Decimal(0)
    example: str = ""
    keys: list[str] = field(default_factory=list)
    amounts: list[Decimal] = field(default_factory=list)


#: What is proposed about the rows of a word: the action, why, and the actions that make sense for them.
_Proposed = tuple[str, str, tuple[str, ...]]


@dataclass(kw_only=True)
class _Counted:
    """The rows of a file, counted by the words that say they were taken back."""

    entry: Entry
    header: Sequence[str]
    columns: Sequence[_Column]
    rows: Rows
    nothing: frozenset[str]
    total: int = 0
    tallies: dict[tuple[int, str, str], _Tally] = field(default_factory=dict)
    same_key: Counter[str] = field(default_factory=Counter)
    turned: Counter[Decimal] = field(default_factory=Counter)

    def add(self) -> None:
        """A doubt for every column and kind that rows were found for, words of which the same is proposed together."""
        for row in self._whole():
            self.total += 1
            if (found := self._of(row)) is not None:
                self._count(self.tallies.setdefault(found, _Tally()), row)
        self._look_beside()
        alike: dict[tuple[int, str, _Proposed], dict[str, _Tally]] = {}
        for (number, kind, word), tally in self.tallies.items():
            proposed = self._proposed(self.columns[number], kind, word, tally)
            alike.setdefault((number, kind, proposed), {})[word] = tally
        for (number, kind, (action, why, actions)), words in alike.items():
            column = self.columns[number]
            self.entry.taken_back.append(
                TakenBack(
                    column=column.name,
                    kind=kind,
                    flag=bool(column.flag) and not column.yes_no,
                    words={word: (one.rows, one.amount, one.example) for word, one in words.items()},
                    rows=self.total,
                    money=self.money,
                    action=action,
                    why=why,
                    actions=actions,
                )
            )

    def _count(self, tally: _Tally, row: Sequence[Cell]) -> None:
        amount = self._amount(row)
        tally.rows, tally.amount = tally.rows + 1, tally.amount + amount
        tally.example = tally.example or self._shown(row)
        if len(tally.amounts) < MOST_KEPT:
            tally.keys.append(self._key(row))
            tally.amounts.append(amount)

    @property
    def money(self) -> str:
        column = TABLES[self.entry.table][1]
        return column if column in self.entry.columns else ""

    def _proposed(self, column: _Column, kind: str, word: str, tally: _Tally) -> _Proposed:
        amounts, keys = tally.amounts, [key for key in set(tally.keys) if key]
        stated = self.money in self.entry.less or self.money in self.entry.signs or column.flag
        may_turn = self.entry.table == "orders" and kind in ("refunded", "perhaps") and not stated
        may_turn = may_turn and bool(self.money) and min(amounts) >= 0 < max(amounts)
        actions = ("leave out", *(("refund lines",) if may_turn else ()), "keep")
        if self.entry.columns.get("status") == column.name and kind == "cancelled":
            return "keep", "read as cancelled, which no count of service takes in", actions
        if self.money and sum(amounts) <= 0:
            return "keep", "their amounts are nothing or take off already", actions
        if kind == "perhaps":
            return "keep", "the word does not say that all of it went back", actions
        if self.money and _met(amounts, self.turned) >= MOSTLY * len(amounts):
            return "keep", "the same amounts stand beside them with the other sign", actions
        if may_turn and column.type and kind == "refunded":
            return "refund lines", "a row of that type is a refund by itself", actions
        if may_turn and keys and _met(keys, self.same_key) >= MOSTLY * len(keys):
            return "refund lines", "their orders have another row, the sale", actions
        if not column.state and not column.flag and column.words.said(word, whole=True)[1] != word.casefold():
            return "keep", "the column is none of states", actions
        return "leave out", _WHY[kind], actions

    def _look_beside(self) -> None:
        """What other rows have of the keys and of the amounts, with the other sign, of those that were found: one more look for all words."""
        keys = {key for tally in self.tallies.values() for key in tally.keys if key}
        amounts = {-amount for tally in self.tallies.values() for amount in tally.amounts}
        for row in self._whole() if self.money and self.tallies else ():
            if self._of(row) is None:
                key, amount = self._key(row), self._amount(row)
                self.same_key.update([key] if key in keys else [])
                self.turned.update([-amount] if amount in amounts else [])

    def _whole(self) -> Iterator[Sequence[Cell]]:
        """Rows as wide as the header that are no line of totals."""
        for row in self.rows():
            if len(row) >= len(self.header) and not any(isinstance(cell, str) and is_total_word(cell) for cell in row):  # fmt: skip
                yield row

    def _of(self, row: Sequence[Cell]) -> tuple[int, str, str] | None:
        """(column, kind, word) of the first column that says it; no word where any value does."""
        for number, column in enumerate(self.columns):
            text = cell_text(row[column.place])
            if text and text not in self.nothing and (kind := column.kind(text)):
                return number, kind, "" if column.flag and not column.yes_no else text
        return None

    def _amount(self, row: Sequence[Cell]) -> Decimal:
        """Its money in the entry's own writing; 0 where it has none."""
        entry = self.entry
        if not self.money:
            return Decimal(0)
        amount = self._number(row, entry.columns[self.money])
        if less := entry.less.get(self.money):
            amount -= self._number(row, less)
        sign = entry.signs.get(self.money)
        if sign and cell_text(row[self.header.index(str(sign["column"]))]) in sign["minus"]:  # type: ignore[operator]
            amount = -amount
        if factor := entry.factors.get(self.money):
            exact = factor_of(factor)
            amount = amount * exact.numerator / exact.denominator
        return amount

    def _number(self, row: Sequence[Cell], source: str) -> Decimal:
        text = plain_number(
            cell_text(row[self.header.index(source)]), "," if self.entry.decimal_mark == "," else "."
        )
        return Decimal(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text, re.ASCII) else Decimal(0)

    def _key(self, row: Sequence[Cell]) -> str:
        source = self.entry.columns.get("order_id")
        return cell_text(row[self.header.index(source)]) if source else ""

    def _shown(self, row: Sequence[Cell]) -> str:
        sources = [self.entry.columns[column] for column in SHOWN if column in self.entry.columns]
        cells = [cell_text(row[self.header.index(source)]) for source in sources[:2]]
        return " ".join([*cells, *([f"{self._amount(row):,.2f}"] if self.money else [])])


def _met(wanted: Sequence[Hashable], there: Counter[Any]) -> int:
    """How many of the wanted values are there, each as often as it is."""
    return sum(min(count, there[one]) for one, count in Counter(wanted).items())


_WHY = {
    "refunded": "money that went back is no revenue",
    "cancelled": "what was called off is none of it",
    "draft": "what does not hold yet is none of it",
}
