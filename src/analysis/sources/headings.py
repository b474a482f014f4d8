"""Names that other systems give to what our tables hold: headings split into words, and how alike two of them are.

The words come from ``params/vocabulary.yml``, from the contract's own names and from the maps in ``params/sources``; a user adds to the
first. Latin names are compared word by word; words of Chinese and long ones of German also by the part they have in common.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from analysis.errors import AnalysisError
from analysis.params.places import params_file, params_files, shown
from analysis.params.strict import bind, read_yaml
from analysis.sources.maps import MapEntry, SourceMap, load_map

Words = tuple[str, ...]

#: What a word that says little counts; and what a phrase of the vocabulary counts beside our own name, one of another system's map, and one that is only perhaps meant.
LIGHT, LISTED, OF_A_MAP, PERHAPS = 0.25, 0.99, 0.97, 0.74
#: What the same letters count, the words of one of the two not parted (resolutiondate).
RUN_TOGETHER = 0.97
#: A shorter word than this is never compared by its parts.
SHORTEST_PART = 4
LEAST_PART = 0.45
#: What anything may have.
OF_ANYTHING = frozenset(["type", "status", "state", "name", "owner", "group", "category"])

#: German writes what a thing has in one word with it (Meldungsdatum, Systemstatus).
#: German writes the number of a thing in one word with it, long or short: Kundennummer, Kundennr.
_COMPOUND = re.compile(r"(\w{3,}?)(?:nummer|nr)\b", re.IGNORECASE)
_GERMAN = re.compile(r"(\w{4,}?)(datum|status|text|zeitpunkt)\b", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-zà-ÿ0-9])(?=[A-ZÀ-Ý])|(?<=[A-Z])(?=[A-Z][a-z])")
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
#: Chinese writes the number of a thing with one of these behind it, and its moment with one of those: which of them says nothing.
_NUMBER_OF = re.compile(r"(编号|编码|号码|代码|代号|号|码)$")
_MOMENT_OF = re.compile(r"(时间|日期|时刻|日)$")
#: Rec'd is one word, and # is read as a number.
_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
#: How packages name what they add to a system (SVMXC__Order_Type__c, Product__r.ProductCode): whose it is and of which kind says nothing, nor does the name of what is referred to.
_OF_A_PACKAGE = re.compile(r"(?:(?<![^\W_])[A-Za-z][A-Za-z0-9]*__)?([A-Za-z]\w*?)__[cr](?![^\W_])")
_NAME_OF = re.compile(r"(?<=\w)\.name$", re.IGNORECASE)
#: What a heading writes for one thing under two words (Country/Region), each a word by itself.
_EITHER = re.compile(r"\s*[/／]\s*")
#: Endings of one verb: Install Date, Installed on and Installation date are the same.
_VERBAL = re.compile(r"(?:ation|ed|e)$")
SHORTEST_STEM = 4
#: A field that a company added: its name stands in brackets.
_OF_ONES_OWN = re.compile(
    r"^\s*(?:custom field|custom|benutzerdefiniertes feld|自定义字段)\s*[(（\[](.+)[)）\]]\s*$", re.IGNORECASE
)
_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")


@dataclass(frozen=True, kw_only=True)
class TableWords:
    """What others call a table and its columns. ``debit``, ``credit``, ``sign``: two columns of an amount, or the one that gives its sign."""

    called: tuple[str, ...] = ()
    surely: dict[str, tuple[str, ...]] = field(default_factory=dict)
    perhaps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    less: dict[str, tuple[str, ...]] = field(default_factory=dict)
    debit: tuple[str, ...] = ()
    credit: tuple[str, ...] = ()
    sign: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OtherThing:
    """Something that is none of our tables although it shares headings with them; ``said`` is how a reader is told."""

    said: dict[str, str]
    called: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TakenBackWords:
    """Phrases of rows that were given back, called off or never held, those that only sound so, and headings of columns of states and of types of rows."""

    states: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    refunded: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()
    draft: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    stands: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """``params/vocabulary.yml``."""

    short: dict[str, str]
    light: tuple[str, ...]
    systems: tuple[str, ...]
    machine: tuple[str, ...]
    tables: dict[str, TableWords]
    others: dict[str, OtherThing]
    words: dict[str, dict[str, tuple[str, ...]]]
    missing: tuple[str, ...]
    closing: tuple[str, ...] = ()
    account_names: tuple[str, ...] = ()
    cost_categories: dict[str, tuple[str, ...]] = field(default_factory=dict)
    taken_back: TakenBackWords = field(default_factory=TakenBackWords)


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """A name that something is known by, and how much it says."""

    words: Words
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """The vocabulary and the maps made ready to compare with: phrases by table and column."""

    vocabulary: Vocabulary
    columns: Mapping[tuple[str, str], tuple[Phrase, ...]]
    tables: Mapping[str, tuple[Words, ...]]
    light: frozenset[str]

    def light_for(self, table: str) -> frozenset[str]:
        """Words that say little in this table's headings: its own name among them."""
        return self.light | {word for words in self.tables.get(table, ()) for word in words}

    def names(self, heading: Words, table: str, column: str) -> bool:
        """Whether a heading is one of the phrases of a column."""
        return any(phrase.words == heading for phrase in self.columns.get((table, column), ()))

    def alike(
        self, heading: Words, table: str, column: str, also_light: Collection[str] = frozenset()
    ) -> float:
        """How surely a heading means a column of a table, 0 to 1."""
        light = self.light_for(table) | frozenset(also_light)
        bare = light | OF_ANYTHING
        return max(
            (
                phrase.weight * similarity(heading, phrase.words, light)
                for phrase in self.columns.get((table, column), ())
                # what one system calls so tells of another's heading only by a word that says something
                if phrase.weight != OF_A_MAP or phrase.words == heading or not bare.issuperset(phrase.words)
            ),
            default=0.0,
        )

    def without_thing(self, name: str, table: str) -> str:
        """A Chinese heading without the table's own thing at its beginning (售后状态 of a slip of 售后 is its 状态)."""
        for thing, *others in self.tables.get(table, ()):
            rest = name.removeprefix(thing)
            if not others and _HAN.fullmatch(thing) and rest != name and len(rest) >= 2:
                return rest
        return name


def load_vocabulary() -> Vocabulary:
    """``params/vocabulary.yml``."""
    path = params_file("vocabulary.yml")
    return bind(Vocabulary, read_yaml(path), shown(path))


def load_lexicon(tables: Mapping[str, Collection[str]], *, without: Collection[str] = ()) -> Lexicon:
    """The lexicon for these tables and columns; ``without``: names of maps whose words are left aside (to try what a stranger would meet)."""
    vocabulary = load_vocabulary()
    short = vocabulary.short
    columns: dict[tuple[str, str], list[Phrase]] = {}
    for table, names in tables.items():
        known = vocabulary.tables.get(table, TableWords())
        for column in names:
            own = [Phrase(words=split(column, short))]
            own += [Phrase(words=split(name, short), weight=LISTED) for name in known.surely.get(column, ())]
            own += [
                Phrase(words=split(name, short), weight=PERHAPS) for name in known.perhaps.get(column, ())
            ]
            columns[table, column] = own
    for table, column, name in _words_of_maps(tables, without):
        columns[table, column].append(Phrase(words=split(name, short), weight=OF_A_MAP))
    called = {
        table: (
            split(table, short),
            *(split(name, short) for name in vocabulary.tables.get(table, TableWords()).called),
        )
        for table in tables
    }
    return Lexicon(
        vocabulary=vocabulary,
        columns={key: tuple(phrases) for key, phrases in columns.items()},
        tables=called,
        light=frozenset((*vocabulary.light, *vocabulary.systems)),
    )


def _words_of_maps(
    tables: Mapping[str, Collection[str]], without: Collection[str]
) -> Iterable[tuple[str, str, str]]:
    """(table, column, source column) of every map that ships or was added; a name that also means other columns of that map is left aside."""
    for name, source_map in maps_there(tables):
        if name in without:
            continue
        for entry in source_map.tables:
            for column, source in _named(entry):
                if len(split(source, {})) > 1 or not source.isascii():
                    yield entry.table, column, source


def maps_there(tables: Mapping[str, Collection[str]]) -> Iterable[tuple[str, SourceMap]]:
    """The maps in ``params/sources`` that can be read."""
    columns = {name: tuple(one) for name, one in tables.items()}
    for path in params_files("sources"):
        try:
            yield path.stem, load_map(path.stem, columns)
        except AnalysisError:
            continue


def _named(entry: MapEntry) -> Iterable[tuple[str, str]]:
    for column, source in entry.columns.items():
        if column not in entry.constants and column not in entry.values:
            for name in (source, *entry.called.get(source, ())):
                yield column, name


@lru_cache(maxsize=100_000)
def _split(name: str) -> Words:
    name = _OF_ONES_OWN.sub(r"\1", name)
    bare = _BRACKETS.sub(" ", name) if _BRACKETS.sub(" ", name).strip() else name
    bare = _APOSTROPHE.sub("", bare).replace("#", " number ") if bare.strip("# ") else bare
    bare = _NAME_OF.sub("", _OF_A_PACKAGE.sub(r"\1", bare))
    parts = re.split(r"[\W_]+", _GERMAN.sub(r"\1 \2", _COMPOUND.sub(r"\1 nummer", _CAMEL.sub(" ", bare))))
    return tuple(part.casefold() for part in parts if part)


def split(name: str, short: Mapping[str, str]) -> Words:
    """The words of a name, short ones written out: ``CustNo``, ``cust_no`` and ``Customer number`` are the same two."""
    written = (short.get(word, word) for word in _split(name))
    return tuple(word for text in written for word in text.split())


def alternatives(name: str, short: Mapping[str, str]) -> tuple[Words, ...]:
    """The words of a heading, and each of the single words that it gives for one thing (``Country/Region``)."""
    either = [split(one, short) for one in _EITHER.split(name)]
    whole = split(name, short)
    return (whole, *either) if len(either) > 1 and all(len(one) == 1 for one in either) else (whole,)


def shared_words(headings: Sequence[Words]) -> frozenset[str]:
    """Words that most headings of a file begin with (``Ticket …``, ``fields.…``): they tell nothing apart."""
    if len(headings) < 4:
        return frozenset()
    first = [words[0] for words in headings if len(words) > 1]
    return frozenset(word for word in set(first) if first.count(word) >= 0.6 * len(headings))


def similarity(heading: Words, phrase: Words, light: Collection[str]) -> float:
    """1 for the same words, 0 for none in common: twice what is shared over both, words that say little counted less."""
    if heading == phrase:
        return 1.0
    if not heading or not phrase:
        return 0.0
    telling = [word for word in heading if word not in light] or list(heading)
    if len(telling) != len(phrase) and "".join(telling) == "".join(phrase):
        return RUN_TOGETHER
    ours, theirs = _weights(heading, light), _weights(phrase, light)
    shared = sum(weight * max(_same(word, other) for other in phrase) for word, weight in ours)
    shared += sum(weight * max(_same(word, other) for other in heading) for word, weight in theirs)
    return 0.98 * shared / (sum(weight for _, weight in ours) + sum(weight for _, weight in theirs))


def _weights(words: Words, light: Collection[str]) -> list[tuple[str, float]]:
    return [(word, LIGHT if word in light else 1.0) for word in words]


@cache
def _same(one: str, other: str) -> float:
    """1 for one word, less for its plural or a part of it."""
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    if long in (short + "s", short + "es", short + "n", short + "en", short[:-1] + "ies"):
        return 0.97
    han = bool(_HAN.fullmatch(short))
    if not han and (stem := _stem(one)) == _stem(other) and len(stem) >= SHORTEST_STEM:
        return 0.95
    if han and any(_same_but_for(ending, one, other) for ending in (_NUMBER_OF, _MOMENT_OF)):
        return 0.95
    if short in long and len(short) >= (2 if han else SHORTEST_PART) and len(short) >= LEAST_PART * len(long):
        return 0.92 * len(short) / len(long) if not han else 0.6 + 0.35 * len(short) / len(long)
    return 0.0


def _stem(word: str) -> str:
    """What is left of a word without the ending of a verb, and of two same letters at its end (shipped) one."""
    stem = _VERBAL.sub("", word)
    return stem[:-1] if stem[-2:-1] == stem[-1:] else stem


def _same_but_for(ending: re.Pattern[str], one: str, other: str) -> bool:
    """Whether two words are one thing, each with an ending of the same kind."""
    if not ending.search(one) or not ending.search(other):
        return False
    thing = ending.sub("", one)
    return len(thing) >= 2 and thing == ending.sub("", other)
