"""Placing text so that nothing overlaps: labels pushed apart by the least total movement, long names wrapped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.exhibits.style import TEXT_SIZE, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINE_HEIGHT = 1.35  # of the type size


def spread(wanted: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Positions as near as possible (least squares) to ``wanted``, in the same order, at least ``gap`` apart, inside [low, high].

    With labels sorted and the i-th lowered by i·gap, "at least gap apart" becomes "not decreasing", so the pooled-adjacent-violators
    algorithm gives the answer (Barlow et al. 1972). When the room is too small the gap shrinks evenly.
    """
    count = len(wanted)
    if not count:
        return []
    if count > 1:
        gap = min(gap, (high - low) / (count - 1))
    order = sorted(range(count), key=lambda index: (wanted[index], index))
    pools: list[tuple[float, int]] = []  # (mean, members)
    for rank, index in enumerate(order):
        mean, size = wanted[index] - rank * gap, 1
        while pools and pools[-1][0] > mean:
            other, members = pools.pop()
            mean = (mean * size + other * members) / (size + members)
            size += members
        pools.append((mean, size))
    level = [mean for mean, size in pools for _ in range(size)]
    placed = [0.0] * count
    for rank, index in enumerate(order):
        placed[index] = min(max(level[rank], low), high - (count - 1) * gap) + rank * gap
    return placed


def wrapped(text: str, width: float, *, size: float = TEXT_SIZE, lines: int = 2) -> str:
    """The text in at most ``lines`` lines of ``width`` points; what does not fit ends in an ellipsis."""
    if text_width(text, size) <= width:
        return text
    done: list[str] = []
    rest = text
    while rest and len(done) < lines:
        cut = _fitting(rest, width, size)
        if len(done) == lines - 1 and cut < len(rest):
            while cut > 1 and text_width(rest[:cut].rstrip() + "…", size) > width:
                cut -= 1
            return "\n".join([*done, rest[:cut].rstrip() + "…"])
        done.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return "\n".join(done)


OPENING, CLOSING = "（([「『《【“‘", "）)]」』》】”’、，。；：？！,.;:?!"


def _fitting(text: str, width: float, size: float) -> int:
    """How many characters fit on a line; breaks before a bracket that fits on the next one, else after a space or between Chinese characters where it can."""
    fits = 1
    while fits < len(text) and text_width(text[: fits + 1], size) <= width:
        fits += 1
    if fits == len(text):
        return fits
    bracket = max(text.rfind(mark, 1, fits + 1) for mark in ("（", " ("))
    opens = bracket > 0 and text[bracket - 1] not in OPENING
    if opens and text_width(text[bracket:].strip(), size) <= width:
        return bracket
    for cut in range(fits, 0, -1):
        if text[cut] == " " or _may_break(text[cut - 1], text[cut]):
            return cut
    return fits


def _may_break(before: str, after: str) -> bool:
    """Whether a line may end between two characters: never before a closing mark, never after an opening one."""
    if after in CLOSING or before in OPENING:
        return False
    return before in " -/、，" or _wide(before) or _wide(after)


def _wide(char: str) -> bool:
    return "\u2e80" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef"


def overlaps(figure: Figure, *, tolerance: float = 0.5) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes overlap by more than ``tolerance`` points, and texts that leave the figure (with ``""``)."""
    from matplotlib.text import Text as DrawnText

    figure.draw_without_rendering()
    boxes = [
        (text.get_text(), text.get_window_extent())
        for text in figure.findobj(DrawnText)
        if text.get_visible() and text.get_text().strip()
    ]
    scale = figure.dpi / 72
    margin = tolerance * scale
    found = []
    for index, (name, box) in enumerate(boxes):
        if (
            box.x0 < -margin
            or box.y0 < -margin
            or box.x1 > figure.bbox.width + margin
            or box.y1 > figure.bbox.height + margin
        ):
            found.append((name, ""))
        for other, second in boxes[index + 1 :]:
            across = min(box.x1, second.x1) - max(box.x0, second.x0)
            down = min(box.y1, second.y1) - max(box.y0, second.y0)
            if across > margin and down > margin:
                found.append((name, other))
    return found
