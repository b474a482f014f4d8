"""Charts as blocks: drawn once per language, with the table of what they show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from analysis.exhibits.record import Block, Gathered
from analysis.exhibits.style import Drawing, render
from analysis.exhibits.tables import table_body, with_reasons
from analysis.exhibits.vocabulary import Column, Row
from analysis.locale import LANGUAGES, Language
from analysis.results import Sentence


def figure(
    id: str,
    *,
    title: Sentence,
    subtitle: Sentence,
    foot: Sentence,
    alt: Sentence,
    draw: Drawing | Callable[[Any, Language], None],
    data: tuple[Sequence[Column], Sequence[Row]] | None = None,
    size: tuple[float, float] | None = None,
) -> Block:
    """A chart, drawn once per language by ``draw(axes, language)``, with the table of what it shows.

    ``draw`` may be a :class:`~analysis.exhibits.style.Drawing` (what the functions of ``exhibits.charts`` return), which
    brings its ``data`` and its ``size`` in inches. Title, subtitle and foot are text of the block, never part of the drawing.
    """
    drawing = draw if isinstance(draw, Drawing) else Drawing.on_axes(draw, data=data, size=size)
    gathered = Gathered(id)
    parts: dict[str, Any] = {
        "title": gathered.sentence(title),
        "subtitle": gathered.sentence(subtitle),
        "foot": gathered.sentence(foot),
        "alt": {language: alt.plain(language) for language in LANGUAGES},
    }
    gathered.sentence(alt)
    columns, rows = data or drawing.data
    listing = table_body(gathered, columns, rows)
    reasons = listing.pop("reasons")
    # a chart has no place for a missing interval: its dash stands in the data alone, where the fact says why
    there = {id for id, fact in gathered.facts.items() if fact["value"] is not None}
    doubt = gathered.sentence(drawing.doubt) if drawing.doubt else None
    parts["foot"] = with_reasons(parts["foot"], doubt, reasons=reasons.without(there))
    picture = render(drawing, id, size=size)
    for fact in picture.facts:
        gathered.fact(fact)
    gathered.wordings(picture.messages)
    return gathered.record(
        "figure", **parts, svg=picture.svg, width=picture.width, height=picture.height, data=listing, csv=id
    )
