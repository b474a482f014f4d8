"""The HTML pack: one self-contained page a notebook and an index, per language, rendered from block records.

>>> write_html_pack(notebooks, edition / "html" / "zh", language="zh", pack=pack)

A page loads nothing: style, script, fonts and drawings stand in it, and a content security policy forbids the rest.
One notebook alone: ``jupyter nbconvert --to after_sales_html notebook.ipynb``.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from analysis.exhibits.markup import Markup, block_styles
from analysis.formats import cover_period, date_text, grouped
from analysis.locale import Language, translate
from analysis.report.executed import SUMMARY_SECTIONS, Notebook, read_notebook
from analysis.report.exhibit_index import exhibit_numbers
from analysis.report.folding import folded
from analysis.report.html_facts import (
    Definitions,
    Entry,
    fact_card,
    fact_entries,
    heading_entries,
    metric_entries,
    wording,
)
from analysis.report.html_fonts import Weight, page_font
from analysis.report.html_page import Content, page_content
from analysis.report.html_weights import printed_characters

__all__ = ["notebook_html", "write_html_pack"]

EVIDENCE = "../../evidence"
STATUS = {
    "issued": ("Issued", "good"),
    "not tied out": ("Not tied out", "alert"),
    "draft": ("Draft", "watch"),
    "incomplete": ("Incomplete", "alert"),
}
# What a pack's hashes are of; other names, such as those of files, are printed as they are.
HASHED = frozenset({"data", "environment lock", "program", "parameters", "definitions"})
LANGUAGE_TAG = {"en": "en", "zh": "zh-CN"}


def write_html_pack(
    notebooks: Sequence[Path], folder: Path, *, language: Language, pack: Mapping[str, Any]
) -> list[Path]:
    """``index.html`` and one page a notebook in ``folder``, which is the pack's ``html/<language>``; returns their paths.

    ``pack`` holds ``month``, ``as_of``, ``edition``, ``company`` (Text), ``currency``, ``status`` (issued, not tied out, draft),
    ``sources`` (rows of table, file, rows_read, accepted, quarantined, exact_duplicates, sha256), ``registry`` (metric entries),
    ``checks``, and optionally ``code_version``, ``preparer``, ``reviewer``, ``hashes``, ``restated``. The same notebooks and pack
    give the same bytes.
    """
    read = folded([(path.stem, read_notebook(path)) for path in notebooks])
    numbers = exhibit_numbers(read)
    contents = [
        page_content(name, notebook, language=language, evidence=EVIDENCE, numbers=numbers)
        for name, notebook in read
    ]
    site = _Site(contents, language=language, pack=pack)
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"index": site.index(), **{content.name: site.page(content) for content in contents}}
    written = []
    for name, html in pages.items():
        path = folder / f"{name}.html"
        path.write_text(html, encoding="utf-8", newline="\n")
        written.append(path)
    return written


def notebook_html(name: str, notebook: Notebook, *, language: Language) -> str:
    """One notebook as one page, without the pack around it."""
    numbers = exhibit_numbers([(name, notebook)])
    content = page_content(name, notebook, language=language, evidence=None, numbers=numbers)
    return _Site([content], language=language, pack=None).page(content)


class _Site:
    """All pages of one language: what they share, and the search over them."""

    def __init__(
        self, contents: Sequence[Content], *, language: Language, pack: Mapping[str, Any] | None
    ) -> None:
        self.contents = contents
        self.language: Language = language
        self.pack = pack
        self.definitions = Definitions.of(pack["registry"] if pack else (), language)
        self.metrics = sorted(
            {str(content.facts[id]["metric"]) for content in contents for id in content.used}
        )
        self._shared = self._shared_entries()

    def word(self, message: str, **values: Any) -> str:
        text = translate(message, self.language)
        return text.format(**values) if values else text

    def _shared_entries(self) -> list[Entry]:
        if self.pack is None:
            return []
        headings = [
            entry
            for content in self.contents
            for entry in heading_entries(content.name, content.title, content.headings)
        ]
        return metric_entries(self.definitions, self.metrics) + headings

    # ------------------------------------------------------------ pages

    def page(self, content: Content) -> str:
        """A notebook's page."""
        entries = self._shared + fact_entries(content.name, content.used, content.facts, self.definitions)
        cards = {id: fact_card(content.facts[id], self.definitions) for id in content.used}
        return self._html(
            "page.html.j2",
            page=content.name,
            content=content,
            title=content.title,
            cards=cards,
            entries=entries,
        )

    def index(self) -> str:
        """Cover, executive summary, contents, definitions, sources, checks, sign-off."""
        assert self.pack is not None
        entries, seen = list(self._shared), set[str]()
        for content in self.contents:  # a number that stands on several pages is found on the first
            first = {id: place for id, place in content.used.items() if id not in seen}
            entries += fact_entries(content.name, first, content.facts, self.definitions)
            seen.update(first)
        markup = Markup(language=self.language, evidence=EVIDENCE, interactive=True)
        headline = self._headline(markup)
        checks = markup.block(
            {
                "kind": "checks",
                "id": "pack.checks",
                "facts": self._check_facts(),
                "checks": self._ordered_checks(),
            }
        )
        cards = {
            id: fact_card(markup.facts[id], self.definitions) for id in markup.used if id in markup.facts
        }
        return self._html(
            "index.html.j2",
            page="index",
            title=self.word("After-sales finance report"),
            cards=cards,
            entries=entries,
            headline=headline,
            summary=self._summary,
            definitions=[
                self._definition(metric) for metric in self.metrics if metric in self.definitions.entries
            ],
            sources=self._sources(),
            checks=checks,
            restated=self._restated(),
        )

    @property
    def _summary(self) -> Content | None:
        return next((content for content in self.contents if content.section in SUMMARY_SECTIONS), None)

    def _headline(self, markup: Markup) -> str:
        """Tiles and findings of the executive summary, as they stand on its own page."""
        summary = self._summary
        return (
            "".join(
                markup.block(record) for record in summary.blocks if record["kind"] in ("tiles", "findings")
            )
            if summary
            else ""
        )

    # ------------------------------------------------------------ the pack around the pages

    def _check_facts(self) -> list[Any]:
        """Facts of the pages, and those that only the pack knows, for the sentences of its checks."""
        assert self.pack is not None
        known = {id: fact for content in self.contents for id, fact in content.facts.items()}
        known |= {id: fact for id, fact in dict(self.pack.get("facts") or {}).items() if id not in known}
        named = {
            segment["fact"]
            for check in self.pack["checks"]
            for segments in check["sentence"].values()
            for segment in segments
            if segment.get("fact")
        }
        return [known[id] for id in sorted(named & set(known))]

    def _ordered_checks(self) -> list[Any]:
        assert self.pack is not None
        order = {"failed": 0, "info": 1, "passed": 2}
        return sorted(self.pack["checks"], key=lambda check: order[check["outcome"]])

    def _definition(self, metric: str) -> dict[str, str]:
        entry = self.definitions.entries[metric]
        parts = ("name", "description", "numerator", "denominator", "owner")
        return {
            "id": metric,
            "version": str(entry.get("version", "1")),
            **{part: self.definitions.text(metric, part) for part in parts},
        }

    def _sources(self) -> list[dict[str, str]]:
        assert self.pack is not None
        counts = ("rows_read", "accepted", "quarantined", "exact_duplicates")
        ordered = sorted(self.pack["sources"], key=lambda source: (str(source["table"]), str(source["file"])))
        return [
            {
                "table": str(s["table"]),
                "file": str(s["file"]),
                "sha256": str(s["sha256"]),
                **{count: grouped(s[count], 0) for count in counts},
            }
            for s in ordered
        ]

    def _restated(self) -> list[dict[str, str]]:
        assert self.pack is not None
        names = ("name", "period", "before", "after", "change", "cause")
        return [
            {name: wording(row.get(name), self.language) for name in names}
            for row in self.pack.get("restated") or ()
        ]

    def _cover(self) -> dict[str, Any]:
        """Company, month, edition and state, in words."""
        if self.pack is None:
            return {}
        pack = self.pack
        status, tone = STATUS[pack["status"]]
        as_of = (
            pack["as_of"] if isinstance(pack["as_of"], dt.date) else dt.date.fromisoformat(str(pack["as_of"]))
        )
        return {
            "company": wording(pack["company"], self.language),
            "month": cover_period(pack["month"], pack.get("year_begins", 1), self.language),
            "as_of": date_text(as_of, self.language),
            "rows_end": date_text(dt.date.fromisoformat(pack["rows_end"]), self.language)
            if pack.get("rows_end")
            else "",
            "edition": self.word("Edition {edition}", edition=pack["edition"]),
            "status": self.word(status),
            "tone": tone,
            "currency": pack["currency"],
            "code": wording(pack.get("code_version") or pack.get("generated_from"), self.language),
            "hashes": [
                (self.word(name) if name in HASHED else name, digest)
                for name, digest in sorted((pack.get("hashes") or {}).items())
            ],
            "people": [
                (self.word(role), wording(pack.get(key), self.language))
                for role, key in (("Prepared by", "preparer"), ("For review by", "reviewer"))
            ],
            "issued": pack["status"] == "issued",
        }

    # ------------------------------------------------------------ assembling

    def _html(
        self,
        template: str,
        *,
        page: str,
        title: str,
        cards: Mapping[str, Any],
        entries: Sequence[Entry],
        **values: Any,
    ) -> str:
        from markupsafe import Markup as Safe

        style, script = block_styles() + "\n" + _asset("page.css"), _asset("page.js")
        data = {"facts": cards, "search": entries, "words": self._script_words()}
        html = (
            _environment()
            .get_template(template)
            .render(
                language=self.language,
                tag=LANGUAGE_TAG[self.language],
                other="en" if self.language == "zh" else "zh",
                page=page,
                title=title,
                cover=self._cover(),
                contents=self.contents,
                word=self.word,
                safe=Safe,
                style=Safe(style),
                fonts=Safe("@@fonts@@"),
                script=Safe(script),
                policy=content_policy(script),
                data={name: Safe(_json(value)) for name, value in data.items()},
                **values,
            )
        )
        titles = "".join([str(card["name"]) + str(card["value"]) for card in cards.values()])
        return str(html.replace("@@fonts@@", _font_faces(html, self.language, style=style, bold=titles), 1))

    def _script_words(self) -> dict[str, str]:
        """Wording that the page's script needs."""
        messages = {
            "value": "Value",
            "period": "Period",
            "slice": "Slice",
            "numerator": "Numerator",
            "denominator": "Denominator",
            "formula": "How it is made",
            "interval": "Interval",
            "method": "Method",
            "n": "Observations",
            "sources": "Tables",
            "trace": "Walk it back",
            "definition": "Definition",
            "none": "Nothing found. Try another word.",
            "copy": "Copy",
            "copied": "Copied",
            "found": "{count} found",
            "close": "Close",
            "d": "Definition",
            "f": "Number",
            "s": "Section",
        }
        return {key: self.word(message) for key, message in messages.items()}


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("analysis.report", "templates/html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _asset(name: str) -> str:
    text = (resources.files("analysis.report") / "templates" / "html" / name).read_text(encoding="utf-8")
    return (
        re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()
        if name.endswith(".css")
        else text.strip()
    )


def own_script() -> str:
    """The one script of a page."""
    return _asset("page.js")


def content_policy(script: str) -> str:
    """Nothing from outside, and no script but this page's own."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; font-src data:; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


# ---------------------------------------------------------------- fonts


def _font_faces(html: str, language: Language, *, style: str, bold: str) -> str:
    """The two weights, each with the characters it prints (``bold`` too, which the script writes); the common Latin ones are always there."""
    every, heavy = printed_characters(html[: html.rindex("<script>")], style)
    faces = []
    weights: tuple[tuple[Weight, int, set[str]], ...] = (
        ("Regular", 400, every),
        ("Bold", 700, heavy | set(bold)),
    )
    for weight, number, characters in weights:
        data = page_font(frozenset(char for char in characters if ord(char) > 0x7E), weight, language)
        faces.append(
            f'@font-face{{font-family:"Noto Sans SC";font-weight:{number};src:url(data:font/woff2;base64,{data}) format("woff2")}}'
        )
    return "\n".join(faces)
