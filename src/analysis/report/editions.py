"""What a new edition says differently from the last one, number by number.

Numbers are compared by fact id without the definition's version, so a changed definition shows as a restatement too. The cause
is what can be told cheaply from hashes: the parts of the identity that changed. When more than one part changed the cause is
named as "one or more of" them; replaying the last edition one change at a time, so that the steps sum to the change, is the
restatement study's work and not done here.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from analysis.errors import ParameterError, PublicationRefused
from analysis.formats import NO_VALUE, Unit, month_text, number_text
from analysis.locale import LANGUAGES, Language, Text, translate
from analysis.periods import Month

MOST_LISTED = 60
# A float summed in another order is not a restatement.
NOISE = Decimal("1e-9")
_CAUSE_WORDS = {
    "inputs": "the data",
    "earlier": "the edition before",
    "params": "parameters or assumptions",
    "definitions": "definitions",
    "notebooks": "notebooks",
    "code": "the program",
    "lock": "the environment",
}


@dataclass(frozen=True, kw_only=True)
class Restated:
    """One number that reads differently. ``before`` and ``after`` are fact records; their ids differ when the definition did."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    causes: tuple[str, ...]

    @property
    def change(self) -> Decimal | None:
        old, new = _value(self.before), _value(self.after)
        return None if old is None or new is None else new - old

    @property
    def weight(self) -> Decimal:
        """Relative size of the change; a number that appeared or vanished weighs most."""
        old = _value(self.before)
        if self.change is None or not old:
            return Decimal("Infinity")
        return abs(self.change / old)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All restated numbers against one earlier edition, and how many facts are new or no longer there."""

    against: int
    restated: tuple[Restated, ...]
    added: int
    removed: int


def _value(fact: Mapping[str, Any]) -> Decimal | None:
    return None if fact["value"] is None else Decimal(str(fact["value"]))


def _unversioned(identity: str) -> str:
    return identity.rpartition(":")[0]


def compare(
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    *,
    against: int,
    causes: Sequence[str],
) -> Comparison:
    """Facts of two editions of the same month; the strongest causes are those whose part of the identity changed."""
    old = {_unversioned(fact["id"]): fact for fact in before}
    new = {_unversioned(fact["id"]): fact for fact in after}
    restated = [
        Restated(before=old[key], after=new[key], causes=_causes(old[key], new[key], causes))
        for key in new
        if key in old and _differs(old[key], new[key])
    ]
    restated.sort(key=lambda one: (bool(one.after["dimensions"]), -one.weight, one.after["id"]))
    return Comparison(
        against=against,
        restated=tuple(restated),
        added=len(new.keys() - old.keys()),
        removed=len(old.keys() - new.keys()),
    )


def _causes(before: Mapping[str, Any], after: Mapping[str, Any], causes: Sequence[str]) -> tuple[str, ...]:
    """A fact under another version of its definition was restated by the definition, whatever else changed."""
    return (
        ("definitions",)
        if before["version"] != after["version"] and "definitions" in causes
        else tuple(causes)
    )


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    old, new = _value(before), _value(after)
    if old is None or new is None:
        return (old is None) != (new is None)
    return before["unit"] != after["unit"] or abs(new - old) > NOISE * max(abs(old), abs(new))


# ---------------------------------------------------------------- in words


def restated_rows(comparison: Comparison, registry: Any) -> list[dict[str, Any]]:
    """Rows for the restatement page: ``name``, ``period``, ``before``, ``after``, ``change``, ``cause``, each in both languages."""
    return [
        {
            "name": _name(one.after, registry),
            "period": {language: _period(one.after["period"], language) for language in LANGUAGES},
            "before": _text(one.before),
            "after": _text(one.after),
            "change": _change(one),
            "cause": {language: cause_text(one.causes, language) for language in LANGUAGES},
        }
        for one in comparison.restated[:MOST_LISTED]
    ]


def _name(fact: Mapping[str, Any], registry: Any) -> dict[str, str]:
    try:
        name = registry[fact["metric"]].name
    except (ParameterError, KeyError):
        name = Text.same(fact["metric"])
    labels = [registry.value_label(dimension, value) for dimension, value in fact["dimensions"].items()]
    joined = {"en": ", ".join(label.en for label in labels), "zh": "，".join(label.zh for label in labels)}
    return {
        language: f"{name[language]} ({joined[language]})" if labels else name[language]
        for language in LANGUAGES
    }


def _period(period: str, language: Language) -> str:
    first, slash, end = period.partition("/")
    try:
        if slash:
            return (
                f"{month_text(Month.parse(first), language)} – {month_text(Month.parse(end) - 1, language)}"
            )
        return month_text(Month.parse(first), language)
    except ParameterError:  # a day
        return period


def _text(fact: Mapping[str, Any]) -> dict[str, str]:
    value = _value(fact)
    if value is None:
        reason = fact.get("reason") or {}
        return {language: reason.get(language, NO_VALUE) for language in LANGUAGES}
    return {language: number_text(value, fact["unit"], language) for language in LANGUAGES}


def _change(one: Restated) -> dict[str, str]:
    change = one.change
    if change is None or one.before["unit"] != one.after["unit"]:
        return dict.fromkeys(LANGUAGES, NO_VALUE)
    unit = Unit.parse(one.after["unit"])
    shown = "percentage_points" if unit.base in {"share", "chance"} else unit.id
    return {language: number_text(change, shown, language, signed=True) for language in LANGUAGES}


def cause_text(causes: Sequence[str], language: Language) -> str:
    """``the data``; with several, ``one or more of: the data, the program`` because they were not told apart."""
    words = [translate(_CAUSE_WORDS[cause], language) for cause in causes]
    if len(words) == 1:
        return words[0]
    if not words:
        return translate("not known", language)
    joined = ", ".join(words) if language == "en" else "、".join(words)
    return translate("one or more of: {causes}", language).format(causes=joined)


def write_restated_csv(comparison: Comparison, path: Path) -> None:
    """Every restated number, exactly, for machines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["fact", "fact_before", "unit", "before", "after", "change", "possible_causes"])
        for one in comparison.restated:
            change = one.change
            writer.writerow(
                [
                    one.after["id"],
                    one.before["id"],
                    one.after["unit"],
                    one.before["value"],
                    one.after["value"],
                    change,
                    " ".join(one.causes),
                ]
            )


def issued_facts(folder: Path) -> list[dict[str, Any]]:
    """The facts of an edition; refused in words where the file is damaged or gone."""
    try:
        facts: list[dict[str, Any]] = json.loads((folder / "facts.json").read_text(encoding="utf-8"))["facts"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise PublicationRefused(
            f"{folder.parent.name}/{folder.name}: facts.json is damaged or gone, so nothing can be compared with it. "
            "Restore the edition from a backup, or take its folder away; nothing was written there."
        ) from error
    return facts
