"""HTML of block records: the same fragments serve JupyterLab and the HTML pack.

Everything that comes from data passes :func:`html.escape`; the only markup taken as it is are the SVGs that this package
drew itself. Colours are exchanged for CSS variables, so that figures follow light and dark.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib import resources
from typing import Any

from analysis.exhibits.shape import references
from analysis.exhibits.style import DARK, LIGHT
from analysis.formats import number_and_unit, number_text
from analysis.locale import Language, translate

Record = Mapping[str, Any]

SEVERITY = {
    "alert": ("▲", "Alert"),
    "watch": ("◆", "Watch"),
    "info": ("●", "For information"),
    "good": ("✓", "Good"),
}
NUMBERED = {"table": "Table", "figure": "Figure"}
OUTCOME = {"passed": ("✓", "Passed"), "failed": ("×", "Failed"), "info": ("●", "For information")}


@dataclass(frozen=True, kw_only=True)
class Markup:
    """How a page wants its blocks: language, numbers as buttons (with a script) or plain, and where evidence lies."""

    language: Language
    evidence: str | None = None
    interactive: bool = False
    numbers: Mapping[str, int] = field(default_factory=dict)  # of tables and figures in the pack, by id
    facts: dict[str, Record] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)  # fact → anchor of the first block that prints it

    def words(self, message: str) -> str:
        return escape(translate(message, self.language))

    def block(self, record: Record) -> str:
        """One block; an empty string for what is only record."""
        self.facts.update({fact["id"]: fact for fact in record["facts"]})
        if record["kind"] not in ("facts", "evidence"):
            # a chart may annotate a level that is in neither its table nor its words
            printed = (
                [fact["id"] for fact in record["facts"]] if record["kind"] == "figure" else references(record)
            )
            for reference in printed:
                self.used.setdefault(reference, anchor(record["id"]))
        render: Callable[[Record], str] = getattr(self, f"_{record['kind']}")
        return render(record)

    # ------------------------------------------------------------ pieces

    def segments(self, segments: Mapping[str, Sequence[Record]] | None) -> str:
        if not segments:
            return ""
        return "".join(self._segment(segment) for segment in segments[self.language])

    def _segment(self, segment: Record) -> str:
        text = escape(segment["t"], quote=False)
        match segment.get("k"):
            case "fact":
                return self.number(text, segment["fact"])
            case "label":
                return f'<span class="label">{text}</span>'
        return text

    def number(self, text: str, fact: str, *, in_table: bool = False) -> str:
        """A number that can say where it comes from."""
        attributes = f'class="n" data-fact="{escape(fact)}" title="{escape(self._title(fact))}"'
        if not self.interactive:
            return f"<span {attributes}>{text}</span>"
        # a span, because a long interval must be able to break over lines and a button cannot
        reach = -1 if in_table else 0
        return f'<span role="button" tabindex="{reach}" {attributes} aria-haspopup="dialog">{text}</span>'

    def _title(self, fact: str) -> str:
        record = self.facts.get(fact, {})
        parts = [interval_words(record, self.language)] if record.get("interval") else []
        if record.get("n") is not None:
            parts.append(f"n = {record['n']:,}")
        if record.get("reason"):
            parts.append(record["reason"][self.language])
        return " · ".join([*parts, fact])

    # ------------------------------------------------------------ tables and figures

    def _table(self, record: Record) -> str:
        name = anchor(record["id"])
        note = f'<p class="foot">{self.segments(record["note"])}</p>' if record["note"] else ""
        return (
            f'<figure class="exhibit table" id="{name}">{self._caption(record, name)}'
            f"{self._listing(record, labelled=f'{name}-title')}{note}{self._csv(record)}</figure>"
        )

    def _figure(self, record: Record) -> str:
        name = anchor(record["id"])
        svg = themed(record["svg"][self.language])
        table = self._listing(record["data"], labelled=f"{name}-title")
        return (
            f'<figure class="exhibit chart" id="{name}">{self._caption(record, name)}'
            f'<div class="scroll canvas" role="img" tabindex="0" aria-label="{escape(record["alt"][self.language])}">{svg}</div>'
            f'<p class="foot">{self.segments(record["foot"])}</p>'
            f'<details class="numbers"><summary>{self.words("The numbers behind this chart")}</summary>'
            f"{table}{self._csv(record)}</details></figure>"
        )

    def _caption(self, record: Record, name: str) -> str:
        subtitle = f'<p class="measure">{self.segments(record["subtitle"])}</p>' if record["subtitle"] else ""
        return f'<figcaption>{self._tag(record)}<p class="message" id="{name}-title">{self.segments(record["title"])}</p>{subtitle}</figcaption>'

    def _tag(self, record: Record) -> str:
        """Number and id of an exhibit of the pack, to ask for it by; a notebook by itself has neither."""
        if not self.interactive:
            return ""
        kind = NUMBERED.get(record.get("kind", ""))  # a finding may bear the id of a table and has no number
        number = self.numbers.get(record["id"])
        label = f"{self.words(kind)} {number} " if kind and number else ""
        return f'<p class="tag">{label}<code>{escape(record["id"])}</code></p>'

    def _csv(self, record: Record) -> str:
        if self.evidence is None:
            return ""
        address = f"{self.evidence}/{record['csv']}.csv"
        return (
            f'<p class="source"><a href="{escape(address)}" download>{self.words("Download as CSV")}</a></p>'
        )

    def _listing(self, listing: Record, *, labelled: str) -> str:
        columns = listing["columns"]
        head = "".join(self._heading(column) for column in columns)
        bodies = "".join(self._body(role, rows, columns) for role, rows in _runs(listing["rows"]))
        return (
            f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{labelled}">'
            f"<table><thead><tr>{head}</tr></thead>{bodies}</table></div>"
        )

    def _heading(self, column: Record) -> str:
        label = escape(column["label"][self.language])
        unit = column["unit"][self.language]
        words = f"<span>{label}</span>" + (f' <span class="unit">{escape(unit)}</span>' if unit else "")
        if self.interactive:
            words = f'<button type="button" class="sort">{words}</button>'
            return f'<th scope="col" class="{_column_class(column)}" aria-sort="none">{words}</th>'
        return f'<th scope="col" class="{_column_class(column)}">{words}</th>'

    def _body(self, role: str, rows: Sequence[Record], columns: Sequence[Record]) -> str:
        return f'<tbody class="{role}">{"".join(self._row(row, columns) for row in rows)}</tbody>'

    def _row(self, row: Record, columns: Sequence[Record]) -> str:
        cells = row["cells"]
        if row["role"] == "group" and all(cell["kind"] == "empty" for cell in cells[1:]):
            text = escape(cells[0]["text"][self.language])
            return f'<tr class="group"><th scope="rowgroup" colspan="{len(cells)}">{text}</th></tr>'
        printed = "".join(
            self._cell(cell, column, first=index == 0)
            for index, (cell, column) in enumerate(zip(cells, columns, strict=True))
        )
        return f'<tr class="{row["role"]}">{printed}</tr>'

    def _cell(self, cell: Record, column: Record, *, first: bool) -> str:
        text = escape(cell["text"][self.language], quote=False)
        if cell["kind"] == "fact":
            text = self.number(text, cell["fact"], in_table=True)
        classes = " ".join(filter(None, (_column_class(column), cell["tone"])))
        sort = "" if cell["sort"] is None else f' data-sort="{escape(str(cell["sort"]))}"'
        if first and column["type"] == "text":
            return f'<th scope="row" class="{classes}"{sort}>{text}</th>'
        return f'<td class="{classes}"{sort}>{text}</td>'

    # ------------------------------------------------------------ tiles

    def _tiles(self, record: Record) -> str:
        return f'<ul class="tiles" id="{anchor(record["id"])}">{"".join(self._tile(tile) for tile in record["tiles"])}</ul>{self._tag(record)}'

    def _tile(self, tile: Record) -> str:
        status = ""
        if tile["status"]:
            mark, word = SEVERITY[tile["status"]]
            status = f'<span class="status"><span aria-hidden="true">{mark}</span> {self.words(word)}</span>'
        spark = ""
        if tile["spark"]:
            alt = escape(tile["spark"]["alt"][self.language])
            spark = f'<div class="spark" role="img" aria-label="{alt}">{themed(tile["spark"]["svg"])}</div>'
        lines = "".join(
            f'<div><dt>{escape(line["label"][self.language])}</dt><dd class="{line["tone"] or ""}">{self.segments(line["value"])}</dd></div>'
            for line in tile["comparisons"]
        )
        return (
            f'<li class="tile {tile["status"] or ""}"><p class="name">{escape(tile["label"][self.language])}{status}</p>'
            f'<p class="{self._figure_class(tile)}">{self._large(tile["value"][self.language])}</p>{spark}{f"<dl>{lines}</dl>" if lines else ""}</li>'
        )

    def _large(self, segments: Sequence[Record]) -> str:
        """A tile's number large and its unit small, as one thing to ask about; other texts stay whole."""
        number, unit = number_and_unit("".join(segment["t"] for segment in segments), self.language)
        if number is None or not unit or len(segments) != 1 or segments[0].get("k") != "fact":
            return "".join(self._segment(segment) for segment in segments)
        return self.number(
            f"{escape(number, quote=False)} <small>{escape(unit, quote=False)}</small>", segments[0]["fact"]
        )

    def _figure_class(self, tile: Record) -> str:
        return "figure none" if self.facts[tile["fact"]]["value"] is None else "figure"

    # ------------------------------------------------------------ findings, checks, callouts, evidence

    def _findings(self, record: Record) -> str:
        name = anchor(record["id"])
        if not record["findings"]:
            return f'<p class="nothing" id="{name}">{self.segments(record["empty"])}</p>'
        return f'<ol class="findings" id="{name}">{"".join(self._finding(finding) for finding in record["findings"])}</ol>'

    def _finding(self, finding: Record) -> str:
        mark, word = SEVERITY[finding["severity"]]
        method = (
            f'<p class="method">{escape(finding["method"][self.language])}</p>'
            if finding.get("method")
            else ""
        )
        words = self.words("Weakened by a failed check: {text}")
        weakened = "".join(
            f'<p class="weakened"><span class="mark" aria-hidden="true">{OUTCOME["failed"][0]}</span> {words.format(text=self.segments(sentence))}</p>'
            for sentence in finding.get("weakened", ())
        )
        return (
            f'<li class="finding {finding["severity"]}"><span class="severity"><span aria-hidden="true">{mark}</span> '
            f'{self.words(word)}</span>{self._tag(finding)}<p class="statement">{self.segments(finding["segments"])}</p>'
            f"{method}{weakened}{self._preview(finding)}</li>"
        )

    def _preview(self, finding: Record) -> str:
        """The first rows of the evidence, folded away, and the way to all of them."""
        preview, stem = finding.get("preview"), finding.get("evidence")
        if not preview and not stem:
            return ""
        link = ""
        if stem and self.evidence is not None:
            address = escape(f"{self.evidence}/{stem}.csv")
            link = f'<p class="source"><a href="{address}" download>{self.words("All rows as CSV")}</a></p>'
        if not preview:
            return link
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in preview["columns"])
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(self._value(value))}</td>" for value in row) + "</tr>"
            for row in preview["rows"]
        )
        shown = translate("{shown} of {total} rows", self.language).format(
            shown=f"{len(preview['rows']):,}", total=f"{preview['total']:,}"
        )
        return (
            f'<details class="evidence"><summary>{self.words("Evidence")} <span class="unit">{escape(shown)}</span></summary>'
            f'<div class="scroll" role="region" tabindex="0" aria-label="{self.words("Evidence")}">'
            f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{link}</details>'
        )

    def _value(self, value: str | Mapping[str, str]) -> str:
        """A value of the evidence, or its label."""
        return value if isinstance(value, str) else value[self.language]

    def _checks(self, record: Record) -> str:
        items = []
        for check in record["checks"]:
            mark, word = OUTCOME[check["outcome"]]
            items.append(
                f'<li class="check {check["outcome"]}"><span class="mark" aria-hidden="true">{mark}</span>'
                f'<span class="hidden">{self.words(word)}: </span><span>{self.segments(check["sentence"])}</span></li>'
            )
        return f'<ul class="checks" id="{anchor(record["id"])}">{"".join(items)}</ul>'

    def _callout(self, record: Record) -> str:
        body = f"<p>{self.segments(record['body'])}</p>" if record["body"] else ""
        return (
            f'<aside class="callout {escape(record["tone"])}" role="note" id="{anchor(record["id"])}">'
            f'<p class="message">{self.segments(record["title"])}</p>{body}</aside>'
        )

    def _facts(self, _record: Record) -> str:
        return ""

    def _evidence(self, record: Record) -> str:
        if self.evidence is None:
            return ""
        items = "".join(
            f'<li><a href="{escape(self.evidence)}/{escape(file["stem"])}.csv" download>{self.segments(file["title"])}</a> '
            f'<span class="unit">{escape(number_text(file["rows"], "rows", self.language))}</span></li>'
            for file in record["files"]
        )
        return f'<ul class="files" id="{anchor(record["id"])}">{items}</ul>'


def anchor(id: str) -> str:
    """A block's id as the page's anchor; the same in both languages."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", id)


def interval_words(fact: Record, language: Language) -> str:
    """``95% interval 2.4 to 4.0 times`` from a fact's record."""
    from analysis.results import Interval, interval_text

    return interval_text(Interval(**fact["interval"]), fact["unit"], language)


def _column_class(column: Record) -> str:
    return ("num" if column["align"] == "right" else "txt") + (" wide" if column["wide"] else "")


def _runs(rows: Sequence[Record]) -> Iterator[tuple[str, list[Record]]]:
    """Neighbouring body rows together (they sort among themselves); each other row alone."""
    run: list[Record] = []
    for row in rows:
        if row["role"] == "body":
            run.append(row)
            continue
        if run:
            yield "body", run
            run = []
        yield row["role"], [row]
    if run:
        yield "body", run


# ---------------------------------------------------------------- colours and the stand-alone fragment

_ROLE_OF = {hex_colour: role for role, hex_colour in LIGHT.items()}
_HEX = re.compile("|".join(_ROLE_OF))


def themed(svg: str) -> str:
    """The drawing with its colours as CSS variables, the light colour as fallback."""
    return _HEX.sub(lambda match: f"var(--{_ROLE_OF[match[0]]},{match[0]})", svg)


@cache
def block_styles() -> str:
    """Style sheet of the blocks, colours included."""
    light, dark = (
        ";".join(f"--{role}:{value}" for role, value in palette.items()) for palette in (LIGHT, DARK)
    )
    sheet = resources.files(__package__).joinpath("blocks.css").read_text(encoding="utf-8")
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    return (
        f".after-sales{{{light}}}"
        f"@media (prefers-color-scheme:dark){{.after-sales:not([data-theme=light]){{{dark}}}"
        f"[data-jp-theme-light=true] .after-sales.after-sales{{{light}}}}}"
        f".after-sales[data-theme=dark],[data-jp-theme-light=false] .after-sales{{{dark}}}"
        f"@media print{{.after-sales.after-sales.after-sales{{{light}}}}}\n"
        + re.sub(r"\s*\n\s*", "\n", sheet).strip()
    )


def standalone(record: Record, language: Language) -> str:
    """A block with its style, for a notebook: no script, no font, no link."""
    fragment = Markup(language=language).block(record)
    # a name with dollar signs is a name: JupyterLab must not set it as a formula (the class of MathJax 2, and of 3 and later)
    return (
        f'<div class="after-sales tex2jax_ignore mathjax_ignore"><style>{block_styles()}</style>{fragment}</div>'
        if fragment
        else ""
    )
