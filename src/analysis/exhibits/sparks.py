"""Spark lines: a few points drawn small, written as SVG by hand so that a tile costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from analysis.exhibits.style import colour
from analysis.formats import decimal
from analysis.locale import LANGUAGES, Text
from analysis.results import Fact, Sentence

WIDTH, HEIGHT, MARGIN = 96.0, 24.0, 3.0


def sparkline(facts: Sequence[Fact], *, label: Text) -> dict[str, Any]:
    """A line through the facts in the order given, the last one marked; a missing value leaves a gap.

    The vertical scale runs from the smallest to the largest value: it shows shape, not level.
    """
    values = [None if fact.value is None else float(decimal(fact.value)) for fact in facts]
    known = [value for value in values if value is not None]
    first, last = facts[0], facts[-1]
    template = Sentence(
        "{label}: {count} points, first {first}, last {last}.",
        {"label": label, "count": str(len(known)), "first": first, "last": last},
    )
    alt = {language: template.plain(language) for language in LANGUAGES}
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    span = (high - low) or 1.0
    step = (WIDTH - 2 * MARGIN) / max(len(values) - 1, 1)
    points = [
        None
        if value is None
        else (MARGIN + index * step, HEIGHT - MARGIN - (value - low) / span * (HEIGHT - 2 * MARGIN))
        for index, value in enumerate(values)
    ]
    path, pen_down = [], False
    for point in points:
        if point is not None:
            path.append(f"{'L' if pen_down else 'M'}{point[0]:.1f} {point[1]:.1f}")
        pen_down = point is not None
    dot = (
        f'<circle cx="{points[-1][0]:.1f}" cy="{points[-1][1]:.1f}" r="2.4" fill="{colour("focus")}"/>'
        if points[-1]
        else ""
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}">'
        f'<path d="{escape(" ".join(path))}" fill="none" stroke="{colour("actual")}" stroke-width="1.5" '
        f'stroke-linejoin="round" stroke-linecap="round"/>{dot}</svg>'
    )
    return {"svg": svg, "alt": alt}
