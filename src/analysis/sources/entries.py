"""From a file taken for a table to an entry of the map: dates, zones, numbers, units, words, keys, and what must stand in for what is missing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import Literal

from analysis.sources.amounts import ROUNDED, is_too_fine, plain_number
from analysis.sources.drafting import MOST_WORDS, UTC, Clock, Entry, listed
from analysis.sources.headings import similarity
from analysis.sources.looking import Look
from analysis.sources.matching import LABEL_COLUMNS, SURE, Export, Match, Matcher, out_of_order, refers_to
from analysis.sources.profiles import Profile, moments_between
from analysis.sources.takenback import called_off
from analysis.sources.words import is_one_of

#: Words in a heading that say its unit is not ours, and the factor that makes it so.
UNITS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "handling_hours": (("minute", "1/60"), ("min", "1/60"), ("分钟", "1/60"), ("second", "1/3600"), ("sec", "1/3600"), ("秒", "1/3600")),
    "amount": (("cents", "1/100"), ("分)", "1/100"), ("万元", "10000")),
    "revenue": (("cents", "1/100"), ("万元", "10000")),
}  # fmt: skip
#: Hours of one ticket above these, in the middle, are more likely seconds, or minutes.
SECONDS_FROM, MINUTES_FROM = 600.0, 24.0
#: Headings of grades, and how a map turns them round.
GRADES = frozenset(["note", "noten", "schulnote", "bewertungsnote", "gesamtnote"])
TURNED_ROUND = """values: {score: {"1": "5", "2": "4", "3": "3", "4": "2", "5": "1"}}"""
#: The zone in which people write who write so.
ZONES = ((r"[\u3040-\u30ff]", "Asia/Tokyo"), (r"[\uac00-\ud7af]", "Asia/Seoul"), (r"[\u4e00-\u9fff]", "Asia/Shanghai"),
    (r"[äöüß]|(?i:nummer|datum|kunde|vorgang|betrag)", "Europe/Berlin"))  # fmt: skip
#: What stands for a required column that a file lacks.
STANDING_IN: Mapping[tuple[str, str], str] = {
    ("ticket_history", "field"): "status",
    ("contracts", "kind"): "maintenance",
}
#: What a word that is not known is taken for; of other columns it is left as it is, and its row set aside.
REST: Mapping[tuple[str, str], str] = {
    ("tickets", "ticket_type"): "other",
    ("tickets", "status"): "open",
    ("orders", "order_type"): "product",
}
#: What a day in three columns is called, and the name given to a year that stands above the header.
PARTS_OF_A_DAY = (("年", "year", "jahr"), ("月", "month", "monat"), ("日", "day", "tag"))
YEAR = "year above the header"
#: Share of the lines from which a wording is that of the ledger and not of its closing.
CLOSING_LINES = 0.2
#: Signs and codes in a heading that name a currency.
CURRENCY_CODE = re.compile(r"\b(EUR|USD|CNY|GBP|CHF|JPY|HKD|AUD|CAD|SEK|NOK|DKK|PLN|CZK|HUF|INR|KRW)\b")


def entry_of(look: Look, export: Export, match: Match, matcher: Matcher, exports: Sequence[Export]) -> Entry:
    """The entry for a file taken for a table."""
    entry = Entry(
        table=match.table,
        file=look.file,
        pattern=look.pattern,
        form=dict(look.form),
        remarks=dict(look.remarks),
        above=look.above,
        columns={column: source for column, (source, _) in match.columns.items()},
        sure={column: score for column, (_, score) in match.columns.items()},
    )
    completed(entry, export, matcher, exports)
    for column, score in entry.sure.items():
        if column in match.by_values and column in entry.columns and score < SURE:
            entry.doubt(2, f"{entry.columns[column]} is taken for {column} by what it holds; its heading tells nothing", beside=column)  # fmt: skip
        elif score < SURE and column in entry.columns:
            entry.doubt(1, "by a similar name", beside=column)
    for earlier, later, share in out_of_order(export, match):
        entry.doubt(
            2,
            f"{later} lies before {earlier} in {share:.0%} of the rows that have both; perhaps one of them is another moment",
            share=share,
        )
    return entry


def zone_of_language(written: str) -> str:
    """The zone of those who write so; blank where the writing tells none."""
    return next((zone for pattern, zone in ZONES if re.search(pattern, written)), "")


def part_of(entry: Entry) -> str:
    """The sheet or table of the file that the entry reads; blank where there is only one."""
    return str(entry.form.get("sheet") or entry.form.get("database_table") or "")


def say_what_is_not_read(entries: Sequence[Entry], exports: Sequence[Export]) -> None:
    """Columns of a file that none of its entries reads, said at its first; the empty ones apart."""
    said: set[tuple[str, str]] = set()
    for entry in entries:
        if (entry.file, part_of(entry)) in said:
            continue
        said.add((entry.file, part_of(entry)))
        of_file = [one for one in entries if (one.file, part_of(one)) == (entry.file, part_of(entry))]
        used = set().union(*(_sources_used(one) for one in of_file))
        profiles = next(one.profiles for one in exports if set(entry.columns.values()) <= set(one.profiles) and one.file == entry.file)  # fmt: skip
        rest = [name for name in profiles if name not in used]
        entry.empty = [name for name in rest if profiles[name].is_empty]
        entry.unread = [name for name in rest if name not in entry.empty]


def completed(entry: Entry, export: Export, matcher: Matcher, exports: Sequence[Export]) -> None:
    """Everything that follows from the columns: how their values are written, what they mean, and what names a row."""
    profiles = {column: export.profiles[source] for column, source in entry.columns.items()}
    _day_in_parts(entry, export, matcher)
    _amounts(entry, export, matcher)
    _missing_words(entry, profiles, matcher)
    _dates(entry, export, profiles, matcher)
    _zone(entry, export, profiles, matcher)
    _numbers(entry, export, matcher)
    _units(entry, profiles)
    _too_fine(entry, export, matcher)
    _lookups(entry, export, matcher, exports)
    _borrowed(entry, export, matcher, exports)
    _standing_in(entry, export, matcher)
    _keys(entry, export, matcher)
    _closing(entry, export, matcher)
    _words(entry, export, matcher, exports)
    _grades(entry, matcher)


def _grades(entry: Entry, matcher: Matcher) -> None:
    """A score called a grade is best at 1 where German is written, and worst at 1 elsewhere."""
    source = entry.columns.get("score", "")
    if GRADES & set(matcher.words(source)):
        entry.doubt(3, f"{source}: of a German grade 1 is the best, and a score is read as better the higher it is; if so, turn it round: {TURNED_ROUND}", beside="score")  # fmt: skip


def _sources_used(entry: Entry) -> set[str]:
    counted = entry.form.get("counted", {})
    return {
        *entry.columns.values(),
        *entry.less.values(),
        *(str(sign["column"]) for sign in entry.signs.values()),
        *(one.column for one in entry.taken_back),
        *(name for names in entry.joined.values() for name in names),
        *(lookup["by"] for lookup in entry.lookups.values()),
        *(name for names in counted.values() for name in names),  # type: ignore[attr-defined]
    }


# ---------------------------------------------------------------- values


def _missing_words(entry: Entry, profiles: Mapping[str, Profile], matcher: Matcher) -> None:
    known = matcher.lexicon.vocabulary.missing
    met = {
        str(cell).strip()
        for column, profile in profiles.items()
        if column != "text"
        for cell in profile.cells
        if isinstance(cell, str)
    }
    entry.missing = [word for word in known if word in met]
    if entry.missing:
        entry.doubt(1, "words taken for nothing known", beside="missing")


def _dates(entry: Entry, export: Export, profiles: Mapping[str, Profile], matcher: Matcher) -> None:
    """Formats of the moments that are not written year first with dashes; an unclear order of day and month is told by the moments beside it."""
    days = matcher.shapes[entry.table].days
    clear = [
        profile.moments()
        for profile in export.profiles.values()
        if profile.dates is not None and not profile.dates.other
    ]
    for column, profile in profiles.items():
        if column not in days or column not in entry.columns:
            continue
        if column == "month" and profile.months:
            entry.dates[column] = profile.months
            continue
        if profile.is_day_of_year and not profile.real_dates and profile.length < 5:
            _day_of_year(entry, column, profile)
            continue
        if profile.dates is None:
            entry.dates[column] = profile.epochs
            continue
        form, other = profile.dates.form, profile.dates.other
        if other:
            nearer = _nearer(profile, (form, other), clear)
            form, other = (nearer, form if nearer == other else other) if nearer else (form, other)
            how = "as told by the other moments of the rows" if nearer else "nothing in the file tells which"
            example = next(iter(profile.words))
            entry.doubt(
                1 if nearer else 3,
                f'day and month of {column} cannot be told apart ({example}); taken as {form}, {how}; the other would be "{other}"',
            )
        if form:
            entry.dates[column] = form


def _day_in_parts(entry: Entry, export: Export, matcher: Matcher) -> None:
    """A required day that stands in three columns, of year, month and day."""
    shape = matcher.shapes[entry.table]
    parts = [_part_of_a_day(export, names) for names in PARTS_OF_A_DAY]
    lacking = sorted(shape.required & shape.days - set(entry.columns))
    if lacking and all(parts) and not set(parts) & set(entry.columns.values()):
        entry.joined[lacking[0]], entry.dates[lacking[0]] = parts, "%Y-%m-%d"
        entry.doubt(1, f"{lacking[0]} is put together of {', '.join(parts)}", beside="joined")


def _part_of_a_day(export: Export, names: Collection[str]) -> str:
    """The column of whole numbers that is called so; blank for none."""
    found = [
        name
        for name, profile in export.profiles.items()
        if name.strip().casefold() in names and not profile.is_empty and profile.numbers >= SURE
    ]
    return found[0] if len(found) == 1 else ""


def _day_of_year(entry: Entry, column: str, profile: Profile) -> None:
    """A day and month without a year: that of the line above the header, where its days are of one year."""
    year, pattern = _year_above(entry.above)
    if not year:
        del entry.columns[column]
        entry.doubt(
            3,
            f"{profile.name} says day and month and no year, and the lines above the header name none; {column} has no column",
        )
        return
    entry.form["stated_once"] = {YEAR: [pattern]}
    entry.joined[column] = [entry.columns.pop(column), YEAR]
    entry.dates[column] = "%d%m-%Y0101"
    entry.doubt(
        3,
        f"{profile.name} says day and month and no year; taken is that of the line above the header ({year})",
        beside="stated_once",
    )


def _year_above(above: Sequence[str]) -> tuple[str, str]:
    """The one year whose first day stands in a line above the header, and the pattern that finds it there; blank where there is none, and for two."""
    for line in above:
        days = re.findall(r"(?<!\d)((?:19|20)\d{2})(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)", line)
        first = re.search(r"(?<!\d)((?:19|20)\d{2})0101(?P<mark>\W)(?P<next>\w+)(?P<end>\W)", line)
        if first and len(set(days)) == 1:
            return first[1], "*{%Y%m%d}" + first["mark"] + first["next"] + first["end"] + "*"
    return "", ""


def _closing(entry: Entry, export: Export, matcher: Matcher) -> None:
    """Lines of a ledger that carry the cost of a period to profit, by their wording: they would cancel it."""
    if entry.table != "ledger":
        return
    for name, profile in export.profiles.items():
        words = [
            word
            for word in matcher.lexicon.vocabulary.closing
            if any(is_one_of(text.casefold(), (word,)) for text in profile.words)
        ]
        if not words or profile.numbers > 0:
            continue
        met = sum(count for text, count in profile.words.items() if is_one_of(text.casefold(), tuple(words)))
        if met < CLOSING_LINES * len(profile.texts):
            entry.without[name] = [*entry.without.get(name, []), *words]
            entry.doubt(
                3,
                f"{met:,} lines are worded as those that carry a period's cost to profit ({name}: {', '.join(words)}); they cancel the cost and are left out",
                beside="without",
            )


def _nearer(profile: Profile, forms: Sequence[str], clear: Sequence[Sequence[dt.datetime | None]]) -> str:
    """The format under which the moments lie nearer to those of their rows whose format is clear; blank where that tells nothing."""
    best: list[tuple[float, str]] = []
    for form in forms:
        read = profile.moments(form)
        apart = [abs(day) for other in clear for day in moments_between(read, other)]
        if apart:
            best.append((sum(apart) / len(apart), form))
    if len(best) < 2:
        return ""
    best.sort()
    return best[0][1] if best[0][0] < 0.7 * best[1][0] else ""


def _zone(entry: Entry, export: Export, profiles: Mapping[str, Profile], matcher: Matcher) -> None:
    """Moments with the time of day and no offset: nobody but a person knows where their clock hangs."""
    types = matcher.shapes[entry.table].columns
    local = [
        column
        for column, profile in profiles.items()
        if types[column] == "timestamp" and profile.is_moment and profile.has_clock and not profile.has_offset
    ]
    if not local:
        return
    written = " ".join(
        [export.file, *export.profiles, *(word for one in export.profiles.values() for word in list(one.words)[:20])]
    )  # fmt: skip
    zone = zone_of_language(written)
    entry.clock = Clock(
        columns=local,
        language=zone,
        moments=[one for one in profiles[local[0]].moments(entry.dates.get(local[0])) if one],
    )
    entry.set_clock(zone or UTC, "by the language of the file" if zone else "")


def _numbers(entry: Entry, export: Export, matcher: Matcher) -> None:
    """Numbers that are not written plainly, and the mark before their decimals."""
    numeric = [column for column in entry.columns if column in matcher.shapes[entry.table].numbers]
    sources = {
        column: [export.profiles[name] for name in (entry.columns[column], entry.less.get(column)) if name]
        for column in numeric
    }
    commas = {
        column: next((one.decimal_comma for one in profiles if one.decimal_comma), "")
        for column, profiles in sources.items()
    }
    entry.numbers = [
        column for column, profiles in sources.items() if commas[column] or any(one.is_marked for one in profiles)
    ]  # fmt: skip
    written = next((example for example in commas.values() if example), "")
    if written:
        entry.decimal_mark = ","
        entry.doubt(1, f"taken for a decimal comma, as in {written}", beside="decimal_mark")


def _units(entry: Entry, profiles: Mapping[str, Profile]) -> None:
    for column, profile in profiles.items():
        heading = profile.name.lower()
        factor = next((factor for word, factor in UNITS.get(column, ()) if word in heading), "")
        said = f"by the heading '{profile.name}'"
        if not factor and column == "handling_hours":
            hours = [float(text) for text in profile.texts if re.fullmatch(r"\d+(\.\d+)?", text)]
            middle = median(hours) if hours else 0.0
            factor = "1/3600" if middle > SECONDS_FROM else "1/60" if middle > MINUTES_FROM else ""
            said = f"by the size of its values ({middle:,.0f} in the middle)"
        if factor:
            entry.factors[column] = factor
            entry.doubt(1, f"{column}: times {factor}, {said}", beside="factors")


def _too_fine(entry: Entry, export: Export, matcher: Matcher) -> None:
    """Money with more than two decimals, which is never rounded unless the map says how."""
    mark: Literal[".", ","] = "," if entry.decimal_mark == "," else "."
    kinds = matcher.shapes[entry.table].columns
    for column in [name for name in entry.columns if kinds[name] == "decimal" and name not in entry.factors]:
        sources = [name for name in (entry.columns[column], entry.less.get(column)) if name]
        texts = [text for name in sources for text in export.profiles[name].texts]
        fine = [text for text in texts if is_too_fine(plain_number(text, mark))]
        if fine:
            said = f"{len(fine):,} of {len(texts):,} values have more than two decimals, e.g. {fine[0]}"
            entry.too_fine[column] = said
            share = len(fine) / len(texts)
            entry.doubt(3 if share > 0.01 else 2, f"{column}: {said}; such rows are set aside, and more than 1% of them refuse the table, unless the map states {ROUNDED.format(column=column)}", share=share)  # fmt: skip


def _amounts(entry: Entry, export: Export, matcher: Matcher) -> None:
    """An amount in two columns (debit and credit, paid and refunded), or in one with a column that gives its sign; and the currency in its heading."""
    known = matcher.lexicon.vocabulary.tables.get(entry.table)
    if known is None:
        return
    if entry.table == "ledger":
        _debit_and_credit(entry, export, matcher)
    for column, phrases in known.less.items():
        if column in entry.columns and (taken := _named(entry, export, matcher, phrases, numeric=True)):
            entry.less[column] = taken
            entry.doubt(1, f"{taken} is taken off {column}", beside="less")
    shape = matcher.shapes[entry.table]
    for column in ("amount", "revenue", "cost"):
        code = CURRENCY_CODE.search(entry.columns.get(column, ""))
        if code and "currency" in shape.columns and "currency" not in entry.columns:
            entry.constants["currency"] = code[1]


def _debit_and_credit(entry: Entry, export: Export, matcher: Matcher) -> None:
    known = matcher.lexicon.vocabulary.tables["ledger"]
    debit = _named(entry, export, matcher, known.debit, numeric=True)
    credit = _named(entry, export, matcher, known.credit, numeric=True)
    if debit and credit:
        entry.columns["amount"], entry.sure["amount"], entry.less["amount"] = debit, 1.0, credit
        return
    used = {source for column, source in entry.columns.items() if column != "amount"}
    sides = matcher.sides(export, used)
    if sides and entry.columns.get("amount", sides[0]) in sides:
        debit, credit = sides
        entry.columns["amount"], entry.less["amount"] = debit, credit
        entry.doubt(3, f"each row has one of {debit} and {credit}: {debit} is taken for the debit, which adds to cost, and {credit} is taken off", beside="less")  # fmt: skip
        return
    sign = _named(entry, export, matcher, known.sign, numeric=False)
    if sign and "amount" in entry.columns:
        words = sorted(export.profiles[sign].words)
        plus = [word for word in words if word.strip().lower() in ("借", "d", "dr", "debit", "s", "soll")]
        minus = [word for word in words if word not in plus]
        if plus and minus:
            entry.signs["amount"] = {"column": sign, "plus": plus, "minus": minus}
            entry.doubt(1, f"{sign}: {', '.join(minus)} is taken for less", beside="signs")


def _named(entry: Entry, export: Export, matcher: Matcher, phrases: Sequence[str], *, numeric: bool) -> str:
    """The column that is called so and not used yet; blank where there is none."""
    best = ("", 0.0)
    for name, profile in export.profiles.items():
        if name in entry.columns.values() and name != entry.columns.get("amount"):
            continue
        if profile.is_empty or (profile.numbers >= 0.9) != numeric:
            continue
        alike = max((similarity(matcher.words(name), matcher.words(one), ()) for one in phrases), default=0.0)
        if alike > best[1]:
            best = (name, alike)
    return best[0] if best[1] >= SURE else ""


# ---------------------------------------------------------------- other files, words, keys


def _lookups(entry: Entry, export: Export, matcher: Matcher, exports: Sequence[Export]) -> None:
    """Columns that hold the number of a name which stands in a list of another file."""
    for column in [name for name in entry.columns if name in LABEL_COLUMNS]:
        source = entry.columns[column]
        for other in exports:
            found = _list_for(export.profiles[source], other, matcher) if other is not export else None
            if found:
                key, take = found
                entry.lookups[column] = {**other.origin, "by": source, "key": key, "take": take}
                del entry.columns[column]
                break


def _list_for(profile: Profile, other: Export, matcher: Matcher) -> tuple[str, str] | None:
    """(key, name) columns of a file that lists what a column's values stand for."""
    stem = tuple(word for word in matcher.words(profile.name) if word not in ("id", "code", "key"))
    called = tuple(
        word for word in matcher.words(other.name) if word not in ("data", "list", "table", "export")
    )
    if similarity(stem, called, ()) < SURE:
        return None
    keys = [
        name for name, one in other.profiles.items() if one.is_key and set(profile.words) <= set(one.words)
    ]
    names = sorted(
        (-similarity(matcher.words(name), ("name",), ()), name)
        for name in other.profiles
        if name not in keys[:1] and not other.profiles[name].is_empty
    )
    return (keys[0], names[0][1]) if keys and names and names[0][0] < 0 else None


def _borrowed(entry: Entry, export: Export, matcher: Matcher, exports: Sequence[Export]) -> None:
    """Required columns that stand in the head of a document whose lines these are: found by the number that the lines repeat."""
    shape = matcher.shapes[entry.table]
    lacking = [column for column in sorted(shape.required - set(entry.canonical)) if column not in shape.key]
    for other in exports if lacking else ():
        if other is export:
            continue
        match = matcher.match(other, entry.table)
        for by, key in _pointing(export, other):
            for column in [name for name in lacking if name not in entry.lookups and match.source(name) not in (None, key)]:  # fmt: skip
                take = str(match.source(column))
                entry.lookups[column] = {**other.origin, "by": by, "key": key, "take": take}
                entry.doubt(1, f"{column} is looked up in {other.file}", beside="lookups")
                dates = other.profiles[take].dates
                if dates and dates.form:
                    entry.dates[column] = dates.form


def _pointing(export: Export, other: Export) -> list[tuple[str, str]]:
    """Columns of one file that hold the keys of the other, of the same name first."""
    keys = [name for name, profile in other.profiles.items() if profile.is_key and profile.names_things]
    found = [
        (name, key)
        for name, profile in export.profiles.items()
        if profile.names_things
        for key in keys
        if refers_to(profile, other.profiles[key])
        and (name == key or any(not word.isdigit() for word in list(profile.words)[:20]))
    ]
    return sorted(found, key=lambda pair: pair[0] != pair[1])


def _standing_in(entry: Entry, export: Export, matcher: Matcher) -> None:
    """What stands for a required column that no column was found for."""
    shape = matcher.shapes[entry.table]
    for column in sorted(shape.required - set(entry.canonical)):
        value = STANDING_IN.get((entry.table, column), "")
        if (entry.table, column) == ("tickets", "ticket_type"):
            value = _type_by_name(export, matcher)
        if (entry.table, column) == ("surveys", "kind") and "score" in entry.columns:
            scores = [float(text) for text in export.profiles[entry.columns["score"]].texts if re.fullmatch(r"\d+(\.\d+)?", text)]  # fmt: skip
            value = "nps" if scores and max(scores) > 7 else "csat"
        if value and (column not in shape.allowed or value in shape.allowed[column]):
            entry.constants[column] = value
            entry.doubt(2, f"no column for {column}: every row is taken as {value}", beside="constants")
        elif column not in shape.key:
            entry.doubt(
                3,
                f"{column} is required and no column was found for it; give it under columns, constants, joined or lookups",
            )


def _type_by_name(export: Export, matcher: Matcher) -> str:
    """The type of all tickets of a file that is called after one (returns.csv); else other."""
    meanings = matcher.meanings("tickets", "ticket_type")
    for word in matcher.words(export.name):
        for known in (word, word.removesuffix("s")):
            if known in meanings:
                return meanings[known]
    return "other"


def _keys(entry: Entry, export: Export, matcher: Matcher) -> None:
    """What names a row: where the key repeats, lines are counted, or the rows are a log."""
    key = matcher.shapes[entry.table].key
    if entry.table == "orders" and "order_id" in entry.columns and "line_no" not in entry.columns:
        if export.profiles[entry.columns["order_id"]].distinct < 1:
            entry.numbered["line_no"] = ["order_id"]
        return
    if entry.table == "ledger":
        _journal_lines(entry, export)
        return
    if len(key) != 1 or key[0] not in entry.columns:
        for column in key:
            if column not in entry.canonical:
                entry.doubt(3, f"{column} is required and no column was found for it; give it under columns, joined or numbered")  # fmt: skip
        return
    rows = export.profiles[entry.columns[key[0]]].words
    if sum(rows.values()) == len(rows) or entry.first_of:
        return
    said = f"{key[0]} stands several times ({sum(rows.values()):,} rows, {len(rows):,} values); a row should be one"
    if entry.table == "tickets":
        entry.last_of = [key[0]]
        entry.doubt(2, f"{said}: the last row of each is taken, as of a log", beside="last_of")
    else:
        entry.first_of = [key[0]]
        entry.doubt(2, f"{said}: the first row of each is taken", beside="first_of")


def _journal_lines(entry: Entry, export: Export) -> None:
    """A posting without a number of its own is a line of its voucher: date, voucher and the line counted within them."""
    given = entry.columns.get("posting_id")
    if given and export.profiles[given].distinct == 1:
        return
    within = [
        entry.columns[column]
        for column in ("posted_on", "posting_id" if given else "journal_id")
        if column in entry.columns
    ]
    within = [*entry.joined.get("posted_on", ()), *within] or [next(iter(entry.columns.values()))]
    entry.columns.pop("posting_id", None)
    if given:
        entry.columns["journal_id"] = given
    entry.form["counted"] = {"line_counted": within}
    entry.joined["posting_id"] = [*within, "line_counted"]
    entry.doubt(
        2, "no column names a posting: its lines are counted within date and voucher", beside="joined"
    )


def _words(entry: Entry, export: Export, matcher: Matcher, exports: Sequence[Export]) -> None:
    """Words of others to ours where their meaning is known; the rest is listed, and taken as the least that it can be."""
    allowed = matcher.shapes[entry.table].allowed
    for column in [name for name in (*entry.columns, *entry.lookups) if name in allowed]:
        profile = _looked_up(entry, export, column, exports)
        meanings = matcher.meanings(entry.table, column)
        unknown: list[str] = []
        likely: dict[str, str] = {}
        words: dict[str, str] = {}
        for word, _ in profile.words.most_common():
            ours = meanings.get(word.strip().lower(), "")
            if word in allowed[column]:
                continue
            if ours in allowed[column]:
                words[word] = ours
            elif ours := matcher.likely(entry.table, column, word) or called_off(column, word, matcher):
                words[word] = likely[word] = ours
            else:
                unknown.append(word)
        rest = REST.get((entry.table, column))
        if unknown and rest:
            words["*"] = rest
        if rest == "other" and profile.filled < 1:
            words[""] = "other"
        if words:
            entry.values[column] = words
        if unknown:
            more = f" and {len(unknown) - MOST_WORDS} more" if len(unknown) > MOST_WORDS else ""
            taken = f"taken as {rest}" if rest else "left as they are, so that their rows will be set aside"
            entry.doubt(
                2 if rest else 3,
                f"words of {column} that are not known ({taken}): {listed(unknown[:MOST_WORDS])}{more}; each is one of {', '.join(allowed[column])}",
                beside=f"values.{column}",
                share=_share(profile, unknown),
            )
        elif words:
            entry.doubt(1, "by the words' usual meaning", beside=f"values.{column}")
        if likely:
            said = listed([f"{word} as {ours}" for word, ours in likely.items()][:MOST_WORDS])
            entry.doubt(2, f"words of {column} that are taken by a part of them: {said}", share=_share(profile, likely))  # fmt: skip


def _share(profile: Profile, words: Collection[str]) -> float:
    """The share of a column's values that are one of the words."""
    return sum(profile.words[word] for word in words) / max(len(profile.texts), 1)


def _looked_up(entry: Entry, export: Export, column: str, exports: Sequence[Export]) -> Profile:
    """The words of a column; of one that is looked up, those of the list."""
    if column in entry.columns:
        return export.profiles[entry.columns[column]]
    lookup = entry.lookups[column]
    other = next(one for one in exports if one.origin.items() <= lookup.items())
    names = dict(zip(other.profiles[lookup["key"]].texts, other.profiles[lookup["take"]].cells, strict=False))
    source = export.profiles[lookup["by"]]
    return Profile(column, [names.get(text, "") for text in source.texts], source.missing)
