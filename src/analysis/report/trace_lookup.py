"""What did the reader mean? From what was typed, or copied off a page, to facts, findings and exhibits of an issued edition.

Understood are: a fact's id, with or without its version; the id of a finding, check or exhibit; ``Table 13`` and ``图 4``; a
cell, ``costs.tie_out[3,2]`` (row and column as printed below the headings, counted from 1, or their labels; either may be left
out); the name of an evidence file; a metric, by id or name; the beginning of a fact's id. Soft hyphens, line breaks, typographic
quotes and the like, which copying from a page leaves behind, do not matter.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from analysis.errors import ParameterError
from analysis.exhibits.markup import NUMBERED, anchor
from analysis.locale import LANGUAGES
from analysis.report import manifest
from analysis.report.exhibit_index import EXHIBITS, exhibit_label
from analysis.report.html_facts import Definitions
from analysis.report.record import evidence_stem

Json = Mapping[str, Any]
NEAR = 5  # near matches offered for what is not known
LABEL = 100  # characters of what a near match stands for

_CELL = re.compile(r"(.+?)\s*\[([^\[\]]*)\]\s*", re.DOTALL)
_NUMBERED = re.compile(r"(table|tab\.|figure|fig\.|表|图|圖)\s*(\d+)(?!\w)", re.IGNORECASE)
_QUOTES = str.maketrans("", "", "'\"`´‘’‚‛“”„‟«»‹›「」『』")
_DASHES = re.compile(r"[‐‑‒–—―−]")


@dataclass(frozen=True, kw_only=True)
class IssuedPack:
    """What an edition says of its numbers: facts, queries, findings, checks and exhibits, and today's definitions."""

    folder: Path
    stated: Json
    facts: Mapping[str, Json]
    queries: Mapping[str, str]
    tables: Mapping[str, str] = field(default_factory=dict)
    findings: Sequence[Json]
    checks: Sequence[Json] = ()
    exhibits: Sequence[Json] = ()
    definitions: Definitions = field(default_factory=lambda: Definitions(entries={}, language="en"))

    @classmethod
    def read(cls, folder: Path, definitions: Definitions) -> IssuedPack:
        """The edition in ``folder``; one issued before exhibits were indexed has none."""
        listing, said = _json(folder / "facts.json"), _json(folder / "findings.json")
        index = folder / EXHIBITS
        return cls(
            folder=folder,
            stated=manifest.read(folder),
            facts={fact["id"]: fact for fact in listing["facts"]},
            queries=listing["queries"],
            tables=listing.get("tables", {}),
            findings=said["findings"],
            checks=said["checks"],
            exhibits=_json(index)["exhibits"] if index.is_file() else (),
            definitions=definitions,
        )

    @property
    def name(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    @cached_property
    def by_key(self) -> Mapping[str, Sequence[str]]:
        """Fact ids by their loose key, with the version and without."""
        found: dict[str, list[str]] = {}
        for id in self.facts:
            for name in dict.fromkeys((id, id.rpartition(":")[0])):
                found.setdefault(loose(name), []).append(id)
        return found


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A fact and where it stands in what was asked for (``[3,2]``; empty where it has no place)."""

    fact: str
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Meant:
    """What was asked for: one fact (``fact``), or a ``title`` and the facts below it, with findings and checks of that name."""

    fact: str = ""
    title: str = ""
    exhibit: Json | None = None
    findings: Sequence[Json] = ()
    checks: Sequence[Json] = ()
    files: Sequence[str] = ()  # of the folder evidence/
    facts: Sequence[Listed] = ()


def loose(text: str) -> str:
    """The same for two texts that a reader would call the same: without blanks, quotes, invisible marks, case and kinds of dash."""
    text = _DASHES.sub("-", unicodedata.normalize("NFKC", text).casefold().translate(_QUOTES))
    return "".join(char for char in text if unicodedata.category(char)[0] not in "ZC")


def lookup(typed: str, pack: IssuedPack) -> Meant:
    """What ``typed`` means in ``pack``.

    Raises
    ------
    ParameterError
        Nothing of that name; the message lists what comes nearest.
    """
    if typed in pack.facts:
        return Meant(fact=typed)
    if not loose(typed):
        raise ParameterError("an empty id; give what the report prints beside the number, or 'Table 13'.")
    if len(same := pack.by_key.get(loose(typed), ())) == 1:
        return Meant(fact=same[0])
    meant = _cell(typed, pack) or _named(typed, pack) or _several(typed, same, pack)
    if meant is None:
        raise ParameterError(_unknown(typed, pack))
    return meant


# ---------------------------------------------------------------- exhibits, findings, checks, evidence


def _named(typed: str, pack: IssuedPack) -> Meant | None:
    """Exhibits, findings and checks of that id, number or evidence file; an exhibit and a finding may share an id."""
    key = loose(typed)
    if numbered := _NUMBERED.match(_visible(typed)):
        exhibits = [_numbered(numbered, pack)]
        findings: list[Json] = []
        checks: list[Json] = []
        files: list[Path] = []
    else:
        stem = key.rpartition("/")[2].removesuffix(".csv")
        place = key.rpartition("#")[2]  # of an address in the HTML pack
        exhibits = [
            e for e in pack.exhibits if stem in _names(e["id"], e["csv"]) or place == loose(anchor(e["id"]))
        ]
        findings = [f for f in pack.findings if stem in _names(f["id"], evidence_stem(f))]
        checks = [c for c in pack.checks if stem in _names(c["id"])]
        files = [
            path for path in sorted((pack.folder / "evidence").glob("*.csv")) if stem == loose(path.stem)
        ]
    if not (exhibits or findings or checks or files):
        return None
    exhibit = exhibits[0] if exhibits else None
    listed = _places(exhibit) if exhibit else []
    listed += [Listed(fact=id) for finding in findings for id in _values(finding)]
    listed += [Listed(fact=id) for check in checks for id in _spoken(check)]
    return Meant(
        title=_title(exhibit)
        if exhibit
        else (findings or checks)[0]["id"]
        if findings or checks
        else files[0].stem,
        exhibit=exhibit,
        findings=findings,
        checks=checks,
        files=[path.name for path in files],
        facts=_once(listed),
    )


def _names(*names: str | None) -> set[str]:
    return {loose(name) for name in names if name}


def _visible(typed: str) -> str:
    """As typed, without marks that nobody sees; blanks of every kind as one blank."""
    text = unicodedata.normalize("NFKC", typed)
    shown = (
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char)[0] != "C"
    )
    return re.sub(" +", " ", "".join(shown)).strip(" '\"‘’“”")


def _numbered(match: re.Match[str], pack: IssuedPack) -> Json:
    kind = "table" if match[1].casefold()[0] in "t表" else "figure"
    ofkind = {exhibit["number"]: exhibit for exhibit in pack.exhibits if exhibit["kind"] == kind}
    if not pack.exhibits:
        raise ParameterError(
            f"{pack.name} keeps no index of its {kind}s (it was issued before there was one); ask by an id, or by the name of a CSV in evidence/."
        )
    if int(match[2]) not in ofkind:
        run = f"they run from 1 to {max(ofkind)}" if ofkind else "it has none at all"
        raise ParameterError(f"{pack.name} has no {NUMBERED[kind]} {match[2]}; {run}.")
    return ofkind[int(match[2])]


def _title(exhibit: Json) -> str:
    label = exhibit_label(exhibit["kind"], exhibit["number"], "en")
    return f"{label} · {exhibit['id']}" if label else str(exhibit["id"])


def _places(exhibit: Json) -> list[Listed]:
    """The facts of an exhibit: cell by cell, then those that stand in its words only."""
    cells = [
        Listed(fact=fact, place=f"[{row},{column}]")
        for row, line in enumerate(exhibit["rows"], start=1)
        for column, fact in enumerate(line["facts"], start=1)
        if fact
    ]
    return [*cells, *(Listed(fact=fact) for fact in exhibit["facts"])]


def _once(listed: Iterable[Listed]) -> list[Listed]:
    """Each fact at its first place."""
    first: dict[str, Listed] = {}
    for entry in listed:
        first.setdefault(entry.fact, entry)
    return list(first.values())


def _values(finding: Json) -> list[str]:
    return [value["fact"] for value in finding["values"].values()]


def _spoken(check: Json) -> list[str]:
    return [piece["fact"] for piece in check["sentence"]["en"] if piece.get("fact")]


# ---------------------------------------------------------------- a cell of an exhibit


def _cell(typed: str, pack: IssuedPack) -> Meant | None:
    match = _CELL.fullmatch(_visible(typed))
    meant = _named(match[1], pack) if match else None
    if match is None or meant is None:
        return None
    exhibit = meant.exhibit
    if exhibit is None or not exhibit["rows"]:
        raise ParameterError(f"'{match[1]}' has no rows and columns; ask for it without [{match[2]}].")
    row, comma, column = match[2].rpartition(",") if "," in match[2] else (match[2], "", "")
    labels = [line["label"] for line in exhibit["rows"]]
    headings = [heading["label"] | {"key": heading["key"]} for heading in exhibit["columns"]]
    rows = _chosen(row, labels, "row", exhibit)
    columns = _chosen(column, headings, "column", exhibit)
    facts = [
        Listed(fact=fact, place=f"[{r},{c}]")
        for r in rows
        for c in columns
        if (fact := exhibit["rows"][r - 1]["facts"][c - 1])
    ]
    if not facts:
        raise ParameterError(
            f"{_title(exhibit)} [{match[2]}]: no number stands there, only words or nothing."
        )
    if len(facts) == 1:
        return Meant(fact=facts[0].fact)
    return Meant(title=f"{_title(exhibit)} [{match[2]}]", exhibit=exhibit, facts=facts)


def _chosen(asked: str, labels: Sequence[Json], what: str, exhibit: Json) -> list[int]:
    """Places, counted from 1, of a number or a label; all of them when nothing was asked."""
    asked = asked.strip()
    if not asked:
        return list(range(1, len(labels) + 1))
    if asked.isdigit() and 1 <= int(asked) <= len(labels):
        return [int(asked)]
    found = [place for place, label in enumerate(labels, start=1) if loose(asked) in _names(*label.values())]
    if not found:
        shown = "; ".join(
            f"{place} {label['en']}" for place, label in enumerate(labels, start=1) if label["en"]
        )
        raise ParameterError(f"{_title(exhibit)} has no {what} '{asked}'. Its {what}s: {shown}.")
    return found


# ---------------------------------------------------------------- metrics and beginnings of ids


def _several(typed: str, same: Sequence[str], pack: IssuedPack) -> Meant | None:
    """Facts of a metric, by id or name, or whose id begins so; newest first."""
    key = loose(typed)
    found = list(same) or [
        id for id in pack.facts if loose(id).startswith(key) and _ends(loose(id)[len(key) :], key)
    ]
    if not found:
        metrics = {
            metric
            for metric, entry in pack.definitions.entries.items()
            if key in _names(*_both(entry["name"]))
        }
        found = [id for id, fact in pack.facts.items() if fact["metric"] in metrics]
    if not found:
        return None
    if len(found) == 1:
        return Meant(fact=found[0])
    ordered = sorted(found, key=lambda id: (len(pack.facts[id]["dimensions"]), id))
    ordered.sort(key=lambda id: _until(pack.facts[id]["period"]), reverse=True)
    return Meant(title=_visible(typed), facts=[Listed(fact=id) for id in ordered])


def _ends(rest: str, key: str) -> bool:
    """Whether a part of an id ends here, so that ``cost`` does not mean ``cost_share``."""
    if "@" in key and rest[:1] == "=":
        return True
    return (
        rest[:1] in ("@", "#", ":", ",")
        or key[-1:] in ("@", "#", "=")
        or ("#" in key and rest[:1] in ("-", "/"))
    )


def _until(period: str) -> str:
    """The last day, month or year of a period, to sort by; a half-open range ends before its second half."""
    return period.partition("/")[2] or f"{period}~"


def _both(text: Any) -> list[str]:
    return [str(text[language]) for language in LANGUAGES] if isinstance(text, Mapping) else [str(text)]


# ---------------------------------------------------------------- nothing of that name


def _unknown(typed: str, pack: IssuedPack) -> str:
    named = _labels(pack, with_facts=any(mark in typed for mark in "@#="))
    keys = {key: name for name in reversed(named) for key in (loose(name), *_names(*named[name].synonyms))}
    near = difflib.get_close_matches(loose(typed), keys, n=NEAR, cutoff=0.6)
    near += sorted((key for key in keys if loose(typed) in key), key=len)
    lines = [
        f"  {name}  {named[name].label}" for name in list(dict.fromkeys(keys[key] for key in near))[:NEAR]
    ]
    nearest = (
        "\nNearest to it:\n" + "\n".join(lines)
        if lines
        else " Nothing comes near it; search the HTML report for the number."
    )
    return f"'{_visible(typed)}': no fact, finding, table, figure or evidence file of {pack.name} is called so.{nearest}"


@dataclass(frozen=True, kw_only=True)
class _Named:
    """What a name stands for, and by which other names one might look for it."""

    label: str
    synonyms: Sequence[str] = ()


def _labels(pack: IssuedPack, *, with_facts: bool) -> dict[str, _Named]:
    """Every name that would have been understood."""
    definitions = pack.definitions
    named: dict[str, _Named] = {}
    for metric in sorted({fact["metric"] for fact in pack.facts.values()}):
        synonyms = _both(definitions.entries.get(metric, {}).get("name", metric))
        named[metric] = _Named(label=f"metric: {definitions.name(metric)}", synonyms=synonyms)
    for exhibit in pack.exhibits:
        label = exhibit_label(exhibit["kind"], exhibit["number"], "en") or exhibit["kind"]
        title = f": {exhibit['title']['en']}" if exhibit["title"] else ""
        named[exhibit["id"]] = _Named(label=_short(label + title))
    for finding in pack.findings:
        named.setdefault(finding["id"], _Named(label=_short(f"finding: {finding['statement']['en']}")))
    for check in pack.checks:
        named.setdefault(check["id"], _Named(label=f"check: {check['outcome']}"))
    for path in sorted((pack.folder / "evidence").glob("*.csv")):
        named.setdefault(path.stem, _Named(label=f"evidence/{path.name}"))
    if with_facts:
        named |= {id: _Named(label=definitions.name(fact["metric"])) for id, fact in pack.facts.items()}
    return named


def _short(text: str) -> str:
    return text if len(text) <= LABEL else f"{text[: LABEL - 2]} …"


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
