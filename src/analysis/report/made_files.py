"""The finished files of a pack, read as whoever receives them would read them: what was made, not what was meant.

Scripts, network addresses, links, the same facts in both languages, nothing beyond a page, and everything of :mod:`analysis.report.leaks`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from analysis.exhibits.record import MIME
from analysis.locale import LANGUAGES
from analysis.report.exhibit_index import EXHIBITS
from analysis.report.gates import Problem
from analysis.report.pack_texts import Page
from analysis.report.record import Json
from analysis.report.shown import shows

# Points that a letter may stand over the edge of the page: side bearings, not words.
OVER_THE_EDGE = 2.0
_EMBEDS = frozenset({"iframe", "object", "embed", "base", "frame", "frameset", "applet", "portal"})
_LOADS = frozenset(
    (
        "href",
        "xlink:href",
        "src",
        "srcset",
        "action",
        "formaction",
        "poster",
        "data",
        "background",
        "ping",
        "cite",
        "manifest",
    )
)
# What a drawing may change an address to.
_CHANGES = frozenset(("to", "from", "by", "values"))
_IGNORED = re.compile(r"[\x00-\x20]")  # by browsers, within an address
_RUNS = re.compile(r"(?:javascript|vbscript|data:(?:text/html|application|image/svg))", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:|[/\\]{2}", re.IGNORECASE)
_HELD_WITHIN = re.compile(r"data:(?:image/(?:png|jpeg|gif|webp)|font/)", re.IGNORECASE)
# In the source of a cell; names of kinds of XML are no addresses.
_WRITTEN_ADDRESS = re.compile(r"\b(?:https?|ftps?|wss?)://(?!www\.w3\.org/)[\w.:/?#@%&=+~-]+", re.IGNORECASE)
_STYLE_LOADS = re.compile(
    r"@import\b|url\(\s*[\"']?\s*(?!data:(?:font|image/(?!svg))|#)[^)\s\"']+", re.IGNORECASE
)


# ---------------------------------------------------------------- scripts and addresses


def markup_problems(
    page: Page, place: str, *, own: str | None, allowed: Collection[str]
) -> Iterator[Problem]:
    """Scripts, what is embedded, and addresses outside the pack, in a page or an output of a notebook.

    Parameters
    ----------
    page : what was read
    place : where it stands
    own : the one script that may run; None where none may
    allowed : addresses that params allow
    """
    for attributes, text in page.scripts:
        kind = attributes.get("type", "")
        if "src" in attributes or not (
            own is not None and (kind == "application/json" or text.strip() == own)
        ):
            yield Problem(
                gate="scripts", place=place, text="holds a script that is not the page's own; take it out."
            )
    for tag, attributes in page.tags:
        yield from _tag_problems(tag, attributes, place, allowed)
    for style in page.styles:
        yield from _style_problems(style, place)


def _tag_problems(
    tag: str, attributes: Mapping[str, str], place: str, allowed: Collection[str]
) -> Iterator[Problem]:
    if tag in _EMBEDS or (tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh"):
        yield Problem(gate="scripts", place=place, text=f"embeds something (<{tag}>); show it as an exhibit.")
    for name, value in attributes.items():
        if name.startswith("on"):
            yield Problem(gate="scripts", place=place, text=f"<{tag}> runs a script ({name}=); take it out.")
        elif name == "style":
            yield from _style_problems(value, place)
        elif name in _LOADS or name in _CHANGES:
            address = _IGNORED.sub("", value)
            if _RUNS.match(address):
                yield Problem(
                    gate="scripts", place=place, text=f"<{tag}> runs a script ({name}=); take it out."
                )
            elif name in _LOADS and _leads_out(address) and address not in allowed:
                yield Problem(gate="network", place=place, text=_LEADS_OUT.format(f"<{tag}>", address[:12]))


_LEADS_OUT = "{} leads out of the pack (“{}…”); take it out, or say in params/may_leave.yml why it may stay."


def _leads_out(address: str) -> bool:
    return bool(_ADDRESS.match(address)) and not _HELD_WITHIN.match(address)


def _style_problems(style: str, place: str) -> Iterator[Problem]:
    if found := _STYLE_LOADS.search(style):
        yield Problem(
            gate="network", place=place, text=f"a style loads something (“{found[0][:12]}…”); take it out."
        )


def notebook_problems(name: str, notebook: Json, allowed: Collection[str]) -> Iterator[Problem]:
    """No output of an issued notebook runs a script or asks a network for anything; nor does a text cell."""
    for number, cell in enumerate(notebook["cells"], start=1):
        place = f"{name}, cell {number}"
        source = _joined(cell["source"])
        if cell["cell_type"] == "markdown":
            yield from _markdown_problems(source, place, allowed)
        for address in dict.fromkeys(match[0].rstrip(".") for match in _WRITTEN_ADDRESS.finditer(source)):
            if address not in allowed:
                yield Problem(gate="network", place=place, text=_LEADS_OUT.format("its source", address[:12]))
        for output in cell.get("outputs", []):
            for kind, data in output.get("data", {}).items():
                yield from _output_problems(kind, data, place, allowed)


def _output_problems(kind: str, data: Any, place: str, allowed: Collection[str]) -> Iterator[Problem]:
    if kind == MIME:
        for svg in _drawings(data):
            yield from markup_problems(Page.read(svg), place, own=None, allowed=allowed)
    elif kind in ("text/html", "image/svg+xml"):
        yield from markup_problems(Page.read(_joined(data)), place, own=None, allowed=allowed)
    elif kind == "text/markdown":
        yield from _markdown_problems(_joined(data), place, allowed)
    elif (
        "javascript" in kind
        or kind.startswith("application/vnd.jupyter.widget")
        or kind.endswith("load.v0+json")
    ):
        yield Problem(gate="scripts", place=place, text=f"holds a script ({kind}); show it as an exhibit.")


def _markdown_problems(text: str, place: str, allowed: Collection[str]) -> Iterator[Problem]:
    from analysis.exhibits.prose import prose_tokens

    tokens, links = prose_tokens(text)
    outside_code = re.sub(r"(?s)```.*?(?:```|$)|`[^`\n]*`", " ", text)
    page = Page.read(outside_code)
    page.tags += [("a", {"href": str(link["url"])}) for link in links]
    page.tags += [
        ("a", {"href": str(token["attrs"]["url"])}) for token in tokens if "url" in token.get("attrs", {})
    ]
    yield from markup_problems(page, place, own=None, allowed=allowed)


def _drawings(node: Any, *, drawn: bool = False) -> Iterator[str]:
    """The SVG of a record: what stands below a key of that name. A word of the data that begins like one is printed as a word."""
    if isinstance(node, str):
        if drawn:
            yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _drawings(value, drawn=drawn or key == "svg")
    elif isinstance(node, list):
        for value in node:
            yield from _drawings(value, drawn=drawn)


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def page_problems(pages: Mapping[str, Page], allowed: Collection[str]) -> Iterator[Problem]:
    """Pages run their own script alone, under a policy that names its hash and forbids all else."""
    from analysis.report.html import own_script

    own = own_script()
    digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
    for name, page in pages.items():
        yield from markup_problems(page, name, own=own, allowed=allowed)
        policies = [
            attributes.get("content", "")
            for tag, attributes in page.tags
            if tag == "meta" and attributes.get("http-equiv", "").lower() == "content-security-policy"
        ]
        if (
            len(policies) != 1
            or "default-src 'none'" not in policies[0]
            or f"script-src 'sha256-{digest}'" not in policies[0]
        ):
            yield Problem(
                gate="scripts",
                place=name,
                text="does not forbid all scripts but its own; make the pages again.",
            )


# ---------------------------------------------------------------- links


def link_problems(folder: Path, pages: Mapping[str, Page]) -> Iterator[Problem]:
    """Each link within the pack leads to a file that is there, and to a place that the file has."""
    anchors = {
        name: {attributes["id"] for _, attributes in page.tags if attributes.get("id")}
        for name, page in pages.items()
    }
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name, page in pages.items():
        for tag, attributes in page.tags:
            for key in ("href", "xlink:href", "src"):
                address = attributes.get(key, "")
                if address and not _ADDRESS.match(address) and not _leads(address, name, anchors, files):
                    yield Problem(gate="links", place=name, text=f"<{tag}> leads nowhere: {address[:80]}.")


def _leads(address: str, page: str, anchors: Mapping[str, Collection[str]], files: Collection[str]) -> bool:
    parts = urlsplit(address)
    target = page
    if parts.path:
        steps: list[str] = page.split("/")[:-1]
        for step in unquote(parts.path).split("/"):
            if step == "..":
                if not steps:
                    return False
                steps.pop()
            elif step not in ("", "."):
                steps.append(step)
        target = "/".join(steps)
    if target not in files:
        return False
    return not parts.fragment or target not in anchors or unquote(parts.fragment) in anchors[target]


# ---------------------------------------------------------------- languages


def language_problems(
    folder: Path, pages: Mapping[str, Page], documents: Mapping[str, Sequence[str]], facts: Mapping[str, Json]
) -> Iterator[Problem]:
    """Both languages show the same facts with the values they have, on pages and in documents."""
    for name in sorted(name for name in pages if name.startswith("html/en/")):
        other = name.replace("html/en/", "html/zh/")
        if other in pages:
            counts = [
                Counter(
                    attributes["data-fact"] for _, attributes in pages[one].tags if "data-fact" in attributes
                )
                for one in (name, other)
            ]
            if different := sorted({*(counts[0] - counts[1]), *(counts[1] - counts[0])}):
                yield Problem(
                    gate="languages",
                    place=f"{name} and {other}",
                    text=f"{len(different)} facts are shown in one and not as often in the other, such as {different[0]}.",
                )
    for language in LANGUAGES:
        for name, page in pages.items():
            if name.startswith(f"html/{language}/"):
                for id, text in dict.fromkeys(page.facts):
                    if id in facts and not shows(text, facts[id], language):
                        yield Problem(
                            gate="numbers", place=name, text=f"“{text}” does not agree with its fact {id}."
                        )
    yield from _document_problems(folder, documents)


def _document_problems(folder: Path, documents: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    texts = {name: re.sub(r"\s+", "", "".join(lines)) for name, lines in sorted(documents.items())}
    index = folder / EXHIBITS
    exhibits = json.loads(index.read_text(encoding="utf-8"))["exhibits"] if index.is_file() else []
    for exhibit in exhibits:
        stand = {name: exhibit["id"] in text for name, text in texts.items()}
        if len(set(stand.values())) > 1:
            lacking = ", ".join(name for name, there in stand.items() if not there)
            yield Problem(
                gate="languages",
                place=lacking,
                text=f"{exhibit['id']} stands in the other document and not here.",
            )


# ---------------------------------------------------------------- documents


def read_documents(folder: Path) -> tuple[dict[str, list[str]], list[Problem]]:
    """The lines of each PDF, and what is wrong with it as a document: not readable, words beyond the page, links out of the pack."""
    import pypdfium2

    documents: dict[str, list[str]] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.pdf")):
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError:
            problems.append(Problem(gate="files", place=path.name, text="cannot be opened as a PDF."))
            continue
        with document:
            lines = [str(value) for value in document.get_metadata_dict().values() if value]
            for number, page in enumerate(document, start=1):
                text = page.get_textpage()
                lines += text.get_text_range().splitlines()
                if beyond := _beyond(page, text):
                    problems.append(
                        Problem(
                            gate="layout",
                            place=f"{path.name}, page {number}",
                            text=f"“{beyond}” stands beyond the edge of the page.",
                        )
                    )
                problems += [
                    Problem(
                        gate="network",
                        place=f"{path.name}, page {number}",
                        text=f"leads out of the pack (“{address[:12]}…”).",
                    )
                    for address in _addresses(document, page)
                ]
            documents[path.name] = lines
    return documents, problems


def _beyond(page: Any, text: Any) -> str:
    width, height = page.get_size()
    for position in range(text.count_rects()):
        left, bottom, right, top = text.get_rect(position)
        inside = (
            min(left, bottom) >= -OVER_THE_EDGE
            and right <= width + OVER_THE_EDGE
            and top <= height + OVER_THE_EDGE
        )
        if not inside:
            return str(text.get_text_bounded(left, bottom, right, top)).strip()[:40] or "something"
    return ""


def _addresses(document: Any, page: Any) -> Iterator[str]:
    """Addresses of the links on a page."""
    import ctypes

    from pypdfium2 import raw

    position, link = ctypes.c_int(0), raw.FPDF_LINK()
    while raw.FPDFLink_Enumerate(page, position, link):
        action = raw.FPDFLink_GetAction(link)
        if action and raw.FPDFAction_GetType(action) in (
            raw.PDFACTION_URI,
            raw.PDFACTION_LAUNCH,
            raw.PDFACTION_REMOTEGOTO,
        ):
            size = raw.FPDFAction_GetURIPath(document, action, None, 0)
            buffer = ctypes.create_string_buffer(max(int(size), 1))
            raw.FPDFAction_GetURIPath(document, action, buffer, size)
            yield buffer.value.decode("utf-8", "replace") or "another file"
