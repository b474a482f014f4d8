"""A fault tree drawn from left to right: the top event, its gates, and the basic events with their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.exhibits.charts.labels import wrapped
from analysis.exhibits.style import TEXT_SIZE, Drawing, annotate, colour, label, words
from analysis.exhibits.vocabulary import Column, Row
from analysis.formats import cell_text
from analysis.locale import LANGUAGES, Language, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.failures.fault_tree_facts import Node

WIDTH = 6.7
ROW = 0.27
LINE = 0.11  # of height, for each further line of a name
LINES = 3
SIZE = TEXT_SIZE - 0.5
# of the step from one level to the next, what a name may take before its gate word or its number
GATE, LEAF = 0.66, 0.88
_ACROSS, _MARGIN = 0.98, 1.35  # of the width, and levels to the right of the deepest
_GATES = {
    "and": "AND",
    "or": "OR",
    "not": "NOT",
    "xor": "XOR",
    "nand": "NAND",
    "nor": "NOR",
    "at_least": "at least",
}


def fault_tree(nodes: Sequence[Node], *, by: Text, measure: Text) -> Drawing:
    """``nodes`` in the order of the outline, a parent before its children; leaves take a row each, a gate the middle of its own."""
    rows = _rows(nodes)
    deepest = max(node.depth for node in nodes)
    leaves = sum(1 for node in nodes if not any(other.parent == node.id for other in nodes))
    step = WIDTH * _ACROSS * 72 / (deepest + _MARGIN)

    def named(node: Node, language: Language) -> str:
        share = GATE if node.kind in _GATES else LEAF
        return wrapped(node.name[language], share * step, size=SIZE, lines=LINES)

    most = max(named(node, language).count("\n") for node in nodes for language in LANGUAGES)

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_axes(((1 - _ACROSS) / 2, 0.02, _ACROSS, 0.96))
        axes.set_axis_off()
        axes.set_xlim(0, deepest + _MARGIN)
        axes.set_ylim(leaves - 0.4, -0.6)
        place = {node.id: (float(node.depth), rows[node.id]) for node in nodes}
        for node in nodes:
            if node.parent is not None:
                (x0, y0), (x1, y1) = place[node.parent], place[node.id]
                axes.plot(
                    [x0 + 0.1, x0 + 0.86, x0 + 0.86, x1],
                    [y0, y0, y1, y1],
                    color=colour("context"),
                    linewidth=0.9,
                    zorder=1,
                )
        for node in nodes:
            x, y = place[node.id]
            kind = _GATES.get(node.kind)
            tint = colour("focus" if node.parent is None else "ink")
            box = {
                "boxstyle": "round,pad=0.25",
                "facecolor": colour("paper"),
                "edgecolor": colour("actual" if kind else "context"),
                "linewidth": 0.9,
            }
            label(
                axes,
                x + 0.02,
                y,
                named(node, language),
                language,
                va="center",
                ha="left",
                color=tint,
                fontsize=SIZE,
                bbox=box,
            )
            if kind:
                words(
                    axes,
                    x + 0.74,
                    y - 0.28,
                    kind,
                    language,
                    va="center",
                    ha="left",
                    color=colour("actual"),
                    fontsize=TEXT_SIZE - 1.5,
                )
            elif node.probability is not None and node.probability.value is not None:
                number = f"{cell_text(node.probability.value, 'share', places=2)}%"
                annotate(
                    axes,
                    x + 0.98,
                    y,
                    node.probability,
                    language,
                    text=number,
                    va="center",
                    ha="left",
                    color=colour("muted"),
                    fontsize=SIZE,
                )

    columns = [Column(key="name", label=by), Column(key="value", label=measure, places=2)]
    listed = [
        Row(cells={"name": node.name, "value": node.probability})
        for node in nodes
        if node.probability is not None
    ]
    return Drawing(
        draw=draw, data=(columns, listed), size=(WIDTH, max(2.0, (ROW + LINE * most) * leaves + 0.4))
    )


def _rows(nodes: Sequence[Node]) -> dict[int, float]:
    children: dict[int, list[int]] = {}
    for node in nodes:
        if node.parent is not None:
            children.setdefault(node.parent, []).append(node.id)
    rows: dict[int, float] = {}
    for number, node in enumerate(one for one in nodes if one.id not in children):
        rows[node.id] = float(number)
    for node in reversed(nodes):
        if node.id in children:
            rows[node.id] = (rows[children[node.id][0]] + rows[children[node.id][-1]]) / 2
    return rows
