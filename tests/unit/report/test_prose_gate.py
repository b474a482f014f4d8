"""Whatever of a text cell reaches a reader passes one gate, in both languages, however it is written."""

from __future__ import annotations

import pytest

from analysis.report.prose_gate import prose_problems

FIGURES = {
    "a paragraph": "Cost was CNY 4.1 million.",
    "a heading": "## Up 12%",
    "a list": "- a rise of 3.5 percentage points",
    "a quotation": "> about ¥ 300",
    "a head of a table": "| 12 % saved |\n|---|\n| yes |",
    "a cell of a table": "| saved |\n|---|\n| 2 billion |",
    "strong words": "It rose **by 12**% in all.",
    "words struck out": "It rose ~~by 12%~~ at once.",
    "the words of a link": "See [the 12% case](#x).",
    "the title of a link": 'See [the case](#x "up 12%").',
    "the title of a reference": 'See [the case][1].\n\n[1]: #x "up 12%"',
    "a footnote": "See the note.[^1]\n\n[^1]: It rose by 12%.",
    "full-width signs": "成本上升１２％。",
    "letters of HTML": "Cost rose by 12&#37;.",
    "a sign without width": "Cost rose by 12\u200b%.",
    "Chinese": "成本为 410 万元。",
    "Chinese words": "下降百分之十二。",
    "words": "Cost rose by twelve percent.",
    "code in a line": "Cost was `CNY 4.1 million`.",
    "a block of code": "```text\nCost: CNY 4,100,000\n```",
}
OTHER_WAYS = {
    "a block of HTML": ("<div>Cost was 41</div>", "is HTML"),
    "HTML in a line": ("Cost <b>rose</b>.", "is HTML"),
    "a comment": ("<!-- cost was CNY 4.1 million -->", "is HTML"),
    "a comment in a line": ("Cost <!-- 4.1 --> rose.", "is HTML"),
    "a picture": ("![cost rose](picture.png)", "holds a picture"),
    "a picture by reference": ("![cost rose][p]\n\n[p]: picture.png", "holds a picture"),
    "a formula in a line": ("Cost was $41$ in all.", "is a formula with a number"),
    "a formula of its own": ("$$\nx = 41\n$$", "is a formula with a number"),
    "a formula in brackets": (r"Cost was \(41\) in all.", "is a formula with a number"),
    "code without a language": ("```\nCost rose to 41.\n```", "is code without a language"),
    "code by its indent": ("Cost:\n\n    rose to 41", "is code without a language"),
}
PLAIN = [
    "Within 30 days of the repair, at most 200 rows; one report in a hundred.",
    "Source: ISO 3534, Kaplan (1958), PDF 1.7, page 12 of 30.",
    'Set `make report MONTH=2026-10 PARAMETERS="level=95%"`.',
    "```bash\nmake report MONTH=2026-10\n```",
    "Hours below a < b, and c > d; A & B.",
    "See [the costs](10_costs.ipynb) and [below](#below).",
    "Two costs, $x$ and $y$, are compared.",
]


def said(markdown: str) -> str:
    cells = [{"cell_type": "code", "source": "1"}, {"cell_type": "markdown", "source": markdown}]
    found = list(prose_problems("10_costs", {"cells": cells}))
    assert all(problem.gate == "prose" and problem.place == "10_costs, cell 2" for problem in found)
    return "\n".join(problem.text for problem in found)


@pytest.mark.parametrize("markdown", FIGURES.values(), ids=FIGURES.keys())
def test_a_figure_is_refused_wherever_it_is_typed(markdown: str) -> None:
    assert "is typed" in said(markdown)


@pytest.mark.parametrize(("markdown", "words"), OTHER_WAYS.values(), ids=OTHER_WAYS.keys())
def test_there_is_no_way_around(markdown: str, words: str) -> None:
    assert words in said(markdown)


def test_an_attached_picture_is_refused() -> None:
    cell = {"cell_type": "markdown", "source": "Text.", "attachments": {"a.png": {"image/png": "iVBO"}}}
    assert ["holds an attached picture" in one.text for one in prose_problems("n", {"cells": [cell]})] == [
        True
    ]


@pytest.mark.parametrize("markdown", PLAIN)
def test_plain_text_and_commands_pass(markdown: str) -> None:
    assert said(markdown) == ""
