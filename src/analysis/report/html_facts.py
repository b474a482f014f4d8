"""What a number says when asked where it comes from, and what the search of the HTML pack finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from analysis.exhibits.markup import anchor, interval_words
from analysis.formats import NO_VALUE, Unit, date_text, grouped, month_text, number_text
from analysis.locale import Language
from analysis.periods import Month

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """The metric registry's entries by id, in one language."""

    entries: Mapping[str, Record]
    language: Language

    @classmethod
    def of(cls, registry: Iterable[Record], language: Language) -> Definitions:
        return cls(entries={str(entry["id"]): entry for entry in registry}, language=language)

    def text(self, metric: str, part: str) -> str:
        """A wording of the entry; an empty string when the registry has none."""
        value = self.entries.get(metric, {}).get(part)
        return wording(value, self.language)

    def name(self, metric: str) -> str:
        return self.text(metric, "name") or metric.replace("_", " ").capitalize()


def wording(value: Any, language: Language) -> str:
    """A Text, its JSON, plain text or nothing, as a string."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return str(value[language])
    if hasattr(value, "as_json"):
        return str(value[language])
    return str(value)


def fact_card(fact: Record, definitions: Definitions) -> dict[str, Any]:
    """The card behind a number: short keys, empty parts left out; the page's script lays it out."""
    language = definitions.language
    metric = str(fact["metric"])
    card = {
        "name": definitions.name(metric),
        "value": value_text(fact, language),
        "period": period_text(str(fact["period"]), language),
        "slice": [[name, str(value)] for name, value in fact["dimensions"].items()],
        "numerator": _part(fact, "numerator", definitions),
        "denominator": _part(fact, "denominator", definitions),
        "formula": definitions.text(metric, "formula") or fact["formula"],
        "interval": interval_words(fact, language) if fact["interval"] else "",
        "method": fact["interval"]["method"] if fact["interval"] else "",
        "n": "" if fact["n"] is None else grouped(_decimal(fact["n"]), 0),
        "sources": [str(source) for source in fact["sources"]],
        "metric": metric if metric in definitions.entries else "",
        "meaning": definitions.text(metric, "description"),
    }
    return {key: value for key, value in card.items() if value}


def value_text(fact: Record, language: Language) -> str:
    """The value in full, or why there is none."""
    if fact["value"] is None:
        return str(fact["reason"][language])
    return number_text(_decimal(fact["value"]), fact["unit"], language, exact=True)


def _part(fact: Record, part: str, definitions: Definitions) -> list[str]:
    """Words of the definition and the amount, for a numerator or a denominator."""
    words = definitions.text(str(fact["metric"]), part)
    if fact[part] is None:
        return [words, ""] if words else []
    number, unit = _decimal(fact[part]), Unit.parse(fact["unit"])
    if unit.is_money and part == "numerator":
        return [words, number_text(number, unit.base, definitions.language, exact=True)]
    return [words, grouped(number, 0 if number == number.to_integral_value() else 2)]


def _decimal(value: Any) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def period_text(period: str, language: Language) -> str:
    """``October 2026``, ``January 2026 – October 2026`` for a half-open range, a day, or the text as it is."""
    import datetime as dt

    first, slash, after = period.partition("/")
    try:
        if slash:
            start, last = Month.parse(first), Month.parse(after) - 1
            return (
                month_text(start, language)
                if start == last
                else f"{month_text(start, language)} – {month_text(last, language)}"
            )
        if len(period) == 10:
            return date_text(dt.date.fromisoformat(period), language)
        return month_text(Month.parse(period), language)
    except Exception:  # a period of another kind is printed as it stands
        return period


def short_value(fact: Record, language: Language) -> str:
    return NO_VALUE if fact["value"] is None else number_text(_decimal(fact["value"]), fact["unit"], language)


# ---------------------------------------------------------------- search

Entry = list[str]  # title, detail, kind (d definition, f figure, s section), address, further words to match


def metric_entries(definitions: Definitions, used: Iterable[str]) -> list[Entry]:
    """Definitions of the metrics that the pack prints."""
    entries = []
    for metric in sorted(set(used) & set(definitions.entries)):
        more = " ".join(
            (metric, *(definitions.text(metric, part) for part in ("numerator", "denominator", "owner")))
        )
        place = f"index.html#metric-{anchor(metric)}"
        entries.append([definitions.name(metric), definitions.text(metric, "description"), "d", place, more])
    return entries


def fact_entries(
    page: str, used: Mapping[str, str], facts: Mapping[str, Record], definitions: Definitions
) -> list[Entry]:
    """The numbers a page prints, each with the exhibit where it stands; the latest period first."""
    language = definitions.language
    entries = []
    for identity in sorted(used, key=lambda id: str(facts[id]["period"]), reverse=True):
        fact, place = facts[identity], used[identity]
        slices = ", ".join(str(value) for value in fact["dimensions"].values())
        name = definitions.name(str(fact["metric"]))
        detail = f"{short_value(fact, language)} · {period_text(str(fact['period']), language)}"
        entries.append(
            [f"{name} · {slices}" if slices else name, detail, "f", f"{page}.html#{place}", identity]
        )
    return entries


def heading_entries(page: str, title: str, headings: Sequence[tuple[str, str]]) -> list[Entry]:
    """A page and its headings."""
    return [
        [title, "", "s", f"{page}.html", ""],
        *([text, title, "s", f"{page}.html#{place}", ""] for place, text in headings),
    ]
