"""Which of our tables a file holds, and which of its columns is which of ours: names and values weighed together, column by column.

A column is taken for one of ours by how alike the names are, by whether its values can be that (a moment, an amount, a key), and by the
words in it. What a file is follows from several columns at once and from its name; what is known not to be ours (people, articles, bills
of vendors) is weighed against it in the same way.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from analysis.sources.byvalues import (
    NEARLY_EACH,
    column_of_words,
    first_moment,
    line_amount,
    row_number,
    sides_of_an_amount,
)
from analysis.sources.headings import Lexicon, Words, alternatives, shared_words, similarity, split
from analysis.sources.profiles import Profile, moments_between

#: From here on a column is taken for one of ours; from the second on without a doubt.
TAKEN, SURE = 0.63, 0.85
#: Different values per value below which numbers with a mark may be codes.
CODES = 0.1
#: From here on a file is taken for one of our tables; and where nothing else is known of a file whose rows one of our keys names.
A_TABLE, AT_LEAST = 3.0, 0.8
#: What a required column counts, what one that is missing costs, and what the name of a file counts.
REQUIRED, MISSING, NAMED = 1.5, 1.5, 2.5
#: Headings, the file's name among them, that must speak for a table before a column of it is told by its values; and columns whose words tell what they are.
AT_LEAST_NAMED = 3
TOLD_BY_WORDS: Mapping[str, tuple[str, ...]] = {"tickets": ("status", "ticket_type")}
#: What accounts by number and name in row after row say for a ledger.
A_CHART = 2.0
#: Words of a file's name behind which stands how it is sorted and not what it holds.
SORTED_BY = ("by", "per", "nach")
#: Columns of another file that name rows of this one.
REFERRED = 0.35
#: Our columns that name rows of a table, and what is left of the doubt of a column that points at a file of that table, or of the score of one that does not where another does.
NAMES_ROWS_OF: Mapping[str, str] = {
    "customer_id": "customers",
    "ticket_id": "tickets",
    "product_id": "products",
    "order_id": "orders",
}
POINTS_AT, POINTS_NOWHERE = 0.35, 0.6
#: What is left of the score of a column whose heading, or whose values, are another thing's.
NOT_OURS = 0.6
#: Share of the values of which that must hold; exports have a few rows twice and a few without their partner.
MOSTLY = 0.9
#: Headings of a row's own number in any file, and words by which any file may call a column, so that they tell little of what it holds.
OWN_NUMBER: frozenset[Words] = frozenset([("id",), ("number",), ("record", "id"), ("unique", "id")])
ANY_FILE = frozenset(["id", "name", "number", "code", "type", "status", "date", "description", "编号", "名称", "类型", "状态", "日期"])  # fmt: skip
TELLS_LITTLE = 0.5
#: What a heading scores whose only word is the name of anything, beside a name of something.
BARE_NAME = 0.5
#: A moment at which something is to be done, by the last word of its heading.
UNTIL = frozenset(["by", "until", "bis"])
MAY_BE_DEADLINES = frozenset(
    ["opened_at", "first_response_at", "resolved_at", "closed_at", "response_due_at", "resolution_due_at"]
)
DEADLINE = ("due", "deadline", "target", "sla", "frist", "fällig", "soll", "时限", "到期", "截止")
#: Columns of which a file may hold another thing's as well (the state of the order on a slip of its return).
OF_ANOTHER_THING = frozenset(["status", "ticket_type"])
#: A column with more different words than this, and more than a share of its rows, is no label.
MOST_LABELS, LABELS = 80, 0.25
#: Labels by which rows are sorted, and rows from which on all different values are none.
KINDS_OF_A_ROW, NO_LABELS = (
    frozenset(["fault_code", "ticket_type", "status", "priority", "severity", "channel"]),
    20,
)
#: Letters from which on a word may be a part of a German compound.
COMPOUND = 6
#: Words of any file's name, and those of a period in it (2026, fy26, q3).
OF_ANY_FILE = ("data", "export", "list", "table", "log", "extract", "report", "dump", "导出", "表", "清单")
_PERIOD = re.compile(r"(fy|gj|q|h|w|kw|v)?\d+")
_EASTERN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
#: What turns the word behind it into its opposite.
_NO = re.compile(
    r"\b(un\w{4,}|no|not|non|never|nicht|kein|keine|ohne|nie|pas|sin|senza|niet)\b|[未不非无待拒]"
)
#: Required columns that a constant may stand for.
REPLACEABLE = frozenset(
    (("tickets", "ticket_type"), ("ticket_history", "field"), ("surveys", "kind"), ("ledger", "posting_id"))
)
#: How alike a heading and ours of revenue must be for its values to be weighed.
LIKE_MONEY = 0.25
#: Headings of the money of a whole order, which stands again on each of its lines, and of one line.
OF_THE_ORDER = re.compile(r"\border\b|订单|bestell|auftrag", re.IGNORECASE)
OF_AN_ITEM = re.compile(r"\b(line|item|lineitem|product)\b|商品|宝贝|position|artikel", re.IGNORECASE)
#: Words of a moment at which a row was last written, which says nothing of what it tells.
WRITTEN = frozenset(
    ["updated", "update", "modified", "changed", "change", "last", "更新", "修改", "geändert"]
)
LABEL_COLUMNS = frozenset(
    [
        "ticket_type",
        "status",
        "priority",
        "severity",
        "channel",
        "team",
        "region",
        "component",
        "fault_code",
        "segment",
        "customer_type",
        "kind",
        "category",
        "product_line",
        "order_type",
        "currency",
        "stage",
        "sourcing",
        "churn_reason",
        "plant",
        "supplier",
        "cost_center",
        "cost_pool",
        "account",
        "measure",
    ]
)
#: Moments of one row in the order in which they happen.
IN_ORDER: Mapping[str, tuple[str, ...]] = {
    "tickets": ("opened_at", "first_response_at", "resolved_at", "closed_at"),
    "units": ("produced_on", "shipped_on", "in_service_on", "retired_on"),
    "contracts": ("starts_on", "ends_on"),
    "claims": ("claimed_on", "decided_on"),
    "invoices": ("issued_on", "due_on"),
    "customers": ("acquired_on", "churned_on"),
    "surveys": ("sent_at", "answered_at"),
    "opportunities": ("created_on", "closed_on"),
}


@dataclass(frozen=True, kw_only=True)
class TableShape:
    """What the proposal needs to know of a canonical table.

    Parameters
    ----------
    columns : mapping of column to its type in the contract
    required : columns without which a row is refused
    allowed : the words that a column may hold, where they are limited
    key : columns that name a row
    used : column to the sections of the report that read it
    """

    columns: Mapping[str, str]
    required: frozenset[str] = frozenset()
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    used: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def days(self) -> frozenset[str]:
        return frozenset(name for name, kind in self.columns.items() if kind in ("date", "timestamp"))

    @property
    def numbers(self) -> frozenset[str]:
        return frozenset(
            name for name, kind in self.columns.items() if kind in ("decimal", "float", "integer")
        )


@dataclass(frozen=True, kw_only=True)
class Export:
    """One file (or sheet, or member) as it was looked at.

    ``origin``: how a lookup names it; ``referred``: columns that columns of other files point at; ``points``: columns to the table at whose file they point.
    """

    file: str
    name: str
    profiles: Mapping[str, Profile]
    origin: Mapping[str, str] = field(default_factory=dict)
    referred: frozenset[str] = frozenset()
    points: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return max((len(profile.cells) for profile in self.profiles.values()), default=0)


@dataclass(frozen=True, kw_only=True)
class Match:
    """A file taken for a table: our columns, each with the source column and how sure it is; ``evidence`` is what speaks for the table.

    ``by_values``: columns whose name told nothing and that were taken for what they hold.
    """

    table: str
    columns: Mapping[str, tuple[str, float]]
    evidence: float
    missing: tuple[str, ...]
    by_values: frozenset[str] = frozenset()

    def source(self, column: str) -> str | None:
        return self.columns[column][0] if column in self.columns else None


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """Compares exports with tables."""

    lexicon: Lexicon
    shapes: Mapping[str, TableShape]

    @cached_property
    def _short(self) -> Mapping[str, str]:
        return self.lexicon.vocabulary.short

    def words(self, name: str) -> Words:
        return split(name, self._short)

    def best(self, export: Export) -> tuple[Match | None, str]:
        """The table that the file holds, or the name of the other thing that it is (blank: nothing known)."""
        matches = sorted((self.match(export, table) for table in self.shapes), key=lambda one: -one.evidence)
        other, against = self.other(export)
        if matches[0].evidence >= max(A_TABLE, against):
            return matches[0], ""
        if against >= A_TABLE:
            return None, other
        least = next((one for one in matches if self._is_named(export, one)), None)
        return least, ""

    def _is_named(self, export: Export, match: Match) -> bool:
        """Whether the file has a row for each of our keys and all that its table must have: little, but a beginning."""
        sources = [match.source(column) for column in self.shapes[match.table].key]
        whole = not match.missing and match.evidence >= AT_LEAST
        return whole and all(source is not None and export.profiles[source].is_key for source in sources)

    def match(self, export: Export, table: str) -> Match:
        """The columns of one table in this file, each source column used once, so that all together are likest."""
        from scipy.optimize import linear_sum_assignment

        if table not in self.shapes:
            return Match(table=table, columns={}, evidence=0.0, missing=())
        shape, sources = self.shapes[table], list(export.profiles)
        scores = np.array(
            [[self.score(export, source, table, column) for column in shape.columns] for source in sources]
        ).reshape(len(sources), len(shape.columns))
        for place, column in enumerate(shape.columns):
            if (
                column in shape.key and scores.size and scores[:, place].max() >= SURE
            ):  # an Id beside it is the system's own
                own = [self.words(source) in OWN_NUMBER for source in sources]
                scores[own, place] = np.where(scores[own, place] < SURE, 0.0, scores[own, place])
        # what lies above the least counts, squared, so that two poor ones never weigh more than a sure one
        gains = np.where(scores >= TAKEN, (scores - TAKEN) ** 2 + 0.001, 0.0)
        rows, columns = linear_sum_assignment(gains, maximize=True)
        names = list(shape.columns)
        found = {
            names[column]: (sources[row], float(scores[row, column]))
            for row, column in zip(rows, columns, strict=True)
            if scores[row, column] >= TAKEN
        }
        if table == "customers" and "customer_id" not in found and (name := self._named_by(export, found)):
            found["customer_id"] = (name, TAKEN)
        if table == "orders" and (source := self._of_a_line(export, found)):
            found["revenue"] = (source, TAKEN)
        held = {
            column: (source, TAKEN)
            for column, source in self._by_values(
                export, table, {name: source for name, (source, _) in found.items()}
            ).items()
        }
        evidence = self._evidence(export, table, found, frozenset(held))
        found = {name: (found | held)[name] for name in shape.columns if name in found or name in held}
        return Match(
            table=table,
            columns=found,
            missing=tuple(sorted(shape.required - set(found))),
            evidence=evidence,
            by_values=frozenset(held),
        )

    def _by_values(self, export: Export, table: str, found: Mapping[str, str]) -> dict[str, str]:
        """What a table must have and no heading tells, told by what columns hold; only where other headings speak for the table."""
        shape = self.shapes[table]
        if len(found) + (self.named(export.name, self.lexicon.tables[table]) > 0) < AT_LEAST_NAMED:
            return {}
        held: dict[str, str] = {}
        if table == "ledger" and "amount" not in found and (sides := self.sides(export, found.values())):
            held["amount"] = sides[0]
        for column in sorted(shape.required - set(found) - set(held)):
            used = {*found.values(), *held.values()}
            source = ""
            if column in shape.days:
                source = first_moment(export.profiles, used)
            elif column == shape.key[0] and (table, column) not in REPLACEABLE:
                source = row_number(export.profiles, {*used, *export.points}, self.words)
            if source:
                held[column] = source
        for column in sorted(set(TOLD_BY_WORDS.get(table, ())) - set(found)):
            known = partial(self.known_words, table=table, column=column)
            if source := column_of_words(export.profiles, {*found.values(), *held.values()}, known):
                held[column] = source
        return held

    def _of_a_line(self, export: Export, found: Mapping[str, tuple[str, float]]) -> str:
        """The money of a line, where no heading tells it or the one that was taken is the whole order's: it grows with the quantity; blank for none."""
        if not {"quantity", "product_id"} <= set(found):
            return ""
        taken = found.get("revenue", ("", 0.0))[0]
        if taken and not OF_THE_ORDER.search(taken):
            return ""
        used = {source for source, _ in found.values()}
        money = [
            name
            for name in export.profiles
            if name not in used
            and (
                OF_AN_ITEM.search(name)
                if taken
                else self._alike(export, name, "orders", "revenue") >= LIKE_MONEY
            )
        ]
        return line_amount(
            export.profiles, money, quantity=found["quantity"][0], thing=found["product_id"][0]
        )

    def _named_by(self, export: Export, found: Mapping[str, tuple[str, float]]) -> str:
        """The name of customers, by which others name them, where a list that is called after them has no number; blank where it is no name of each."""
        name = found.get("customer_name", ("", 0.0))[0]
        called = self.named(export.name, self.lexicon.tables["customers"])
        return name if called and name and export.profiles[name].distinct >= NEARLY_EACH else ""

    def sides(self, export: Export, used: Collection[str]) -> tuple[str, str] | None:
        """Debit and credit of a ledger whose headings tell neither: by the words for them, else by what they hold."""
        known = self.lexicon.vocabulary.tables.get("ledger")
        sides = sides_of_an_amount(export.profiles, used)
        if sides is None or known is None:
            return sides
        left, right = (
            max((similarity(self.words(name), self.words(one), ()) for one in known.credit), default=0.0)
            for name in sides
        )
        return sides if right >= left else (sides[1], sides[0])

    def _evidence(
        self, export: Export, table: str, found: Mapping[str, tuple[str, float]], held: Collection[str]
    ) -> float:
        """What speaks for the table: a column that is known by its values alone only takes away most of what its lack would cost."""
        shape = self.shapes[table]
        called = self.named(export.name, self.lexicon.tables[table])
        told = {
            name: score * (1.0 if called or not set(self.words(source)) <= ANY_FILE else TELLS_LITTLE)
            for name, (source, score) in found.items()
        }
        required = sum(REQUIRED * score for name, score in told.items() if name in shape.required)
        others = sum(self._tells(name) * score for name, score in told.items() if name not in shape.required)
        filled = sum(1 for profile in export.profiles.values() if not profile.is_empty)
        explained = len(found) / max(filled, 1)
        named = NAMED * called
        if table == "ledger" and "account" in found and export.profiles[found["account"][0]].is_chart:
            named += A_CHART
        lacking = MISSING * sum(
            0.4 if (table, name) in REPLACEABLE or name in held else 1.0
            for name in shape.required - set(found)
        )
        return required + min(others, 5.0) + 2 * explained + named - lacking

    def _tells(self, column: str) -> float:
        """What a column says of the table: much where no other table has one of its name."""
        return 1.0 / math.sqrt(sum(1 for shape in self.shapes.values() if column in shape.columns))

    def other(self, export: Export) -> tuple[str, float]:
        """The thing that is none of our tables and that the file is likest, with what speaks for it."""
        best = ("", 0.0)
        headings = [self.words(name) for name in export.profiles]
        for name, thing in self.lexicon.vocabulary.others.items():
            phrases = [self.words(column) for column in thing.columns]
            alike = [max((similarity(words, phrase, self.lexicon.light) for phrase in phrases), default=0.0) for words in headings]  # fmt: skip
            met = [score for score in alike if score >= SURE]
            named = NAMED * self.named(export.name, [self.words(one) for one in thing.called])
            evidence = min(sum(met), 5.0) + 3 * len(met) / max(len(headings), 1) + 1.2 * named
            if evidence > best[1]:
                best = (name, evidence)
        return best

    def named(self, name: str, phrases: Sequence[Words]) -> float:
        """How surely a file's name says what it holds; the last word says most."""
        words = tuple(word for word in self.words(name) if not _PERIOD.fullmatch(word))
        words = tuple(itertools.takewhile(lambda word: word not in SORTED_BY, words)) or words
        if not words:
            return 0.0
        found = 0.0
        for phrase in phrases:
            whole = similarity(words, phrase, OF_ANY_FILE)
            tail = similarity(words[-len(phrase) :], phrase, ()) if len(words) > len(phrase) else 0.0
            found = max(found, whole, 0.9 * tail)
        return found if found >= 0.5 else 0.0

    def score(self, export: Export, source: str, table: str, column: str) -> float:
        """How surely one source column is one of ours, 0 to 1."""
        profile, shape = export.profiles[source], self.shapes[table]
        fits = _fits(profile, column, shape)
        if not fits:
            return 0.0
        named = self._alike(export, source, table, column)
        own = f"{table.rstrip('s')}_id"
        if column == own and self.words(source) in OWN_NUMBER and len(shape.key) == 1:
            named = max(named, 0.9 if self.named(export.name, self.lexicon.tables[table]) else named)
        if profile.is_chart:
            named = max(named, SURE) if (table, column) == ("ledger", "account") else 0.3 * named
        score = named * fits
        known = self.known_words(profile, table, column)
        if column in shape.days and named < SURE and WRITTEN & set(self.words(source)):
            score *= 0.6
        if column == "region" and self.known_words(profile, "tickets", "status") > 0.5:
            score *= 0.3  # a state of work, not of the country
        if column in shape.allowed and table != "tickets" and not known:
            score *= 0.5
        if column in MAY_BE_DEADLINES and column.endswith("_due_at") != self._is_deadline(source):
            score *= 0.5
        doubted = (1 - score) * (1 - 0.5 * known) if named > 0.2 else 1 - score
        listed = self.lexicon.names(self.words(source), table, column)
        if column in OF_ANOTHER_THING and not listed and self._is_of_another(source, table):
            doubted = 1 - NOT_OURS * (1 - doubted)
        target = NAMES_ROWS_OF.get(column, table)
        pointed = export.points.get(source, target)
        if column in shape.key and pointed not in (table, target):
            doubted = 1 - NOT_OURS * (1 - doubted)
        if target != table and target in export.points.values():
            points = export.points.get(source) == target
            doubted = (
                doubted * (POINTS_AT if named >= 0.25 else 1.0) if points else 1 - POINTS_NOWHERE * score
            )
        if column in shape.key and source in export.referred and named >= 0.25:
            doubted *= 1 - REFERRED
        return 1 - doubted

    def _alike(self, export: Export, source: str, table: str, column: str) -> float:
        """How alike a heading and a column are, by the likest of the names that it gives."""
        shared = self._shared(export)
        found = 0.0
        bare = self.lexicon.without_thing(source, table)
        for words in (*alternatives(source, self._short), *([self.words(bare)] if bare != source else [])):
            alike = self.lexicon.alike(words, table, column, shared)
            if words == ("name",) and not self.lexicon.names(("name",), table, column):
                alike = min(alike, BARE_NAME)
            found = max(found, alike)
        return found

    def _is_deadline(self, source: str) -> bool:
        """Whether a heading says until when something is to be done, and not when it was."""
        words = self.words(source)
        return bool(
            UNTIL & set(words[-1:])
            or any(word.startswith(DEADLINE) or word.endswith(DEADLINE) for word in words)
        )

    def _is_of_another(self, source: str, table: str) -> bool:
        """Whether a heading names another table's things and none of this one's."""
        of = [name for name, phrases in self.lexicon.tables.items() if self._has_part(source, phrases)]
        return bool(of) and table not in of

    def _has_part(self, source: str, phrases: Sequence[Words]) -> bool:
        words = self.words(source)
        return any(
            phrase[0] in words or (_EASTERN.search(phrase[0]) and phrase[0] in source)
            for phrase in phrases
            if len(phrase) == 1
        )

    def _shared(self, export: Export) -> frozenset[str]:
        return shared_words([self.words(name) for name in export.profiles])

    def known_words(self, profile: Profile, table: str, column: str) -> float:
        """Share of a column's values whose meaning for one of ours is known."""
        meanings = self.meanings(table, column)
        if not meanings or profile.is_empty:
            return 0.0
        known = sum(count for word, count in profile.words.items() if word.strip().lower() in meanings)
        return known / len(profile.texts)

    def likely(self, table: str, column: str, word: str) -> str:
        """The meaning of the longest known word that is a part of another (Garantiereparatur, 上门维修单, "Closed by bot"); blank for none, for two, and behind a no."""
        text = " ".join(re.findall(r"\w+", word.casefold()))
        if not text or _NO.search(text):
            return ""
        found = {
            (len(known), ours)
            for known, ours in self.meanings(table, column).items()
            if _is_part(known, text)
        }
        longest = [ours for length, ours in found if length == max(found)[0]]
        return longest[0] if len(longest) == 1 else ""

    def meanings(self, table: str, column: str) -> dict[str, str]:
        """Words of other systems to the words of ours that they mean."""
        listed = self.lexicon.vocabulary.words.get(f"{table}.{column}", {})
        found = {word.lower(): ours for ours, words in listed.items() for word in words}
        return found | {word: word for word in self.shapes[table].allowed.get(column, ())}


def _is_part(known: str, text: str) -> bool:
    """Whether a word stands in a text: whole; of Chinese anywhere; a long one as the beginning or the end of a German compound."""
    if _EASTERN.search(known):
        return len(known) >= 2 and known in text
    if f" {known} " in f" {text} ":
        return len(known) >= 3
    return len(known) >= COMPOUND and any(
        one.startswith(known) or one.endswith(known) for one in text.split()
    )


def _fits(profile: Profile, column: str, shape: TableShape) -> float:
    """Whether a column's values can be what one of ours holds: 0 for no, 1 for yes, less where they are unusual for it."""
    if profile.is_empty:
        return 0.0  # told apart: what an empty column holds nobody has seen
    kind = shape.columns[column]
    if column == "month" and profile.months:
        return 1.0
    if kind in ("date", "timestamp") and profile.is_day_of_year:
        return 1.0
    if kind in ("date", "timestamp"):
        if profile.is_moment and (profile.length >= 8 or profile.numbers < 0.9 or column == "month"):
            return 1.0
        return 0.95 if profile.epochs else 0.0
    if kind in ("decimal", "float", "integer"):
        if profile.real_dates or profile.numbers < 0.9:
            return 0.0
        return 0.9 if kind == "integer" and profile.fractions > 0.05 else 1.0
    if kind == "boolean":
        return 1.0 if profile.is_yes_no else 0.0
    return _fits_text(profile, column, shape)


def _fits_text(profile: Profile, column: str, shape: TableShape) -> float:
    if profile.is_moment and not (profile.numbers >= 1.0 and profile.length < 8):
        return 0.0
    if column == "text":
        return 0.2 if profile.numbers > 0.5 or profile.length < 4 else 1.0
    if profile.is_long or profile.is_list:
        return 0.1
    if profile.is_masked and column.endswith(("_id", "_name", "_no")):
        return 0.0  # whose name was blotted out is named by nothing
    if column in LABEL_COLUMNS:
        few = len(profile.words) <= max(MOST_LABELS, LABELS * len(profile.texts))
        if profile.fractions > 0.5:  # amounts; or codes in two parts (6601.02), which stand again and again
            return 0.8 if profile.distinct < CODES else 0.1
        if column in KINDS_OF_A_ROW and profile.distinct == 1 and len(profile.texts) >= NO_LABELS:
            return 0.3  # a number of each row, whatever it is called
        return 1.0 if few else 0.5
    if shape.key == (column,):
        if profile.distinct < 0.5 and not any(char.isdigit() for word in profile.words for char in word):
            return 0.3  # words that stand again and again name no row
        return 0.9 if profile.distinct < 1 or profile.filled < 1 else 1.0
    return 0.1 if profile.fractions > 0.5 else 1.0


def out_of_order(export: Export, match: Match) -> list[tuple[str, str, float]]:
    """Moments of a row that come the other way round: (earlier, later, share of the rows that have both)."""
    named = [column for column in IN_ORDER.get(match.table, ()) if column in match.columns]
    found = []
    for earlier, later in zip(named, named[1:], strict=False):
        one, two = (export.profiles[match.columns[column][0]].moments() for column in (earlier, later))
        days = moments_between(one, two)
        if days and (share := sum(1 for day in days if day < 0) / len(days)) > 0.02:
            found.append((earlier, later, share))
    return found


def refers_to(profile: Profile, key: Profile) -> bool:
    """Whether the values of a column name rows of another file."""
    values, known = set(profile.words), set(key.words)
    if len(values) < 3 or not key.is_key:
        return False
    return len(values & known) >= 0.95 * len(values)


def names_rows_of(profile: Profile, key: Profile) -> bool:
    """Whether most values of a column are keys of another file, which may hold a row twice, and are no mere counting numbers."""
    values, known = set(profile.words), set(key.words)
    if len(values) < 3 or key.distinct < MOSTLY or key.filled < MOSTLY:
        return False
    telling = any(not word.isdigit() or len(word) > 4 for word in values)
    return telling and len(values & known) >= MOSTLY * len(values)
