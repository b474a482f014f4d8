"""What must not leave is put where it would leave: each gate refuses it with its own code, and no message repeats it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mistreat.house import MONTH, ROOT, House, Outcome

NOTEBOOK = "10_cost_decomposition"
SECRETS = re.compile(r"hunter2|1234 5678|12345678|li\.wei|anna|1111")


def code(source: str, *tags: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {"tags": list(tags)}, "outputs": []}


def prose(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def displayed(kind: str, data: Any) -> dict[str, Any]:
    return code(f"from IPython.display import display\ndisplay({{{kind!r}: {data!r}}}, raw=True)", "exhibit")


def words(**body: Any) -> dict[str, Any]:
    """A callout as the package publishes it, with a body of one's own."""
    texts = {language: [{"t": text}] if isinstance(text, str) else text for language, text in body.items()}
    block = {
        "version": 1,
        "kind": "callout",
        "id": "costs.note",
        "tone": "info",
        "facts": [],
        "untranslated": [],
    }
    title = {"en": [{"t": "T"}], "zh": [{"t": "T"}]}
    return displayed("application/vnd.after-sales.block+json", block | {"title": title, "body": texts})


def own_notebook(house: House, *cells: dict[str, Any]) -> None:
    """The section on costs with its tiles, and cells of one's own."""
    shipped = json.loads((ROOT / "notebooks" / f"{NOTEBOOK}.ipynb").read_text("utf-8"))
    contents = [{**cell, "id": f"c{number}"} for number, cell in enumerate([*shipped["cells"][:5], *cells])]
    for cell in contents:
        if cell["cell_type"] == "code":
            cell |= {"execution_count": None, "outputs": []}
    folder = house.root / "notebooks"
    folder.mkdir(exist_ok=True)
    (folder / f"{NOTEBOOK}.ipynb").write_text(json.dumps(shipped | {"cells": contents}), encoding="utf-8")


def stated(house: House, old: str, new: str) -> None:
    """Another run file in the project."""
    text = (ROOT / "params" / "runs" / "sample.yml").read_text("utf-8")
    assert old in text
    (house.root / "params" / "runs").mkdir(parents=True, exist_ok=True)
    (house.root / "params" / "runs" / "sample.yml").write_text(text.replace(old, new), encoding="utf-8")


def draft(house: House, *more: str) -> Outcome:
    return house.report("--notebooks", "10", "--draft", *more)


def refused(house: House, gate: str, code: int, *said: str) -> None:
    outcome = draft(house)
    house.judge(outcome, code=code, words=(f"gate “{gate}” \\({code}\\)", *said))
    assert not SECRETS.search(outcome.said), outcome.said
    assert not (house.reports / "_drafts").exists()


BLOCK_OF_HTML = "<div>Cost was as planned.</div>"
CELLS = {
    "an error written as text": (
        "executed",
        20,
        code("print('Traceback (most recent call last):')", "exhibit"),
    ),
    "a secret in a comment of a cell": ("secrets", 21, code("x = 1  # password=hunter2secret", "setup")),
    "a secret in an output": (
        "secrets",
        21,
        code("print('postgres://joe:hun' + 'ter2secret@db/x')", "setup"),
    ),
    "an address in an output": ("personal", 22, code("print('li.wei' + '@example.com')", "setup")),
    "a card in a text": ("personal", 22, words(en="Paid by 4111 1111 1111 1111.", zh="已付。")),
    "a home folder": ("paths", 23, code("print('/home' + '/anna/books')", "setup")),
    "a script in an output": ("scripts", 24, displayed("text/html", "<script>fetch('x')</script>")),
    "a drawing with a handler": ("scripts", 24, displayed("image/svg+xml", "<svg onload='x()'></svg>")),
    "a frame in an output": ("scripts", 24, displayed("text/html", "<iframe src='x'></iframe>")),
    "a picture from elsewhere": ("network", 25, displayed("text/html", "<img src='//example.com/x'>")),
    "a link in a text cell": ("network", 25, prose("See [this](https://example.com).")),
    "an address in code": ("network", 25, code("address = 'https://example.com/x.csv'", "setup")),
    "a wording without Chinese": ("translated", 26, prose("Nobody has put this sentence into Chinese.")),
    "a number in words": ("numbers", 27, words(en="Cost was 4.1 million.", zh="成本为 410 万元。")),
    "HTML in a text cell": ("prose", 29, prose(BLOCK_OF_HTML)),
    "a comment in a text cell": ("prose", 29, prose("<!-- cost was CNY 4.1 million -->")),
    "a picture in a text cell": ("prose", 29, prose("![cost](cost.png)")),
    "a formula in a text cell": ("prose", 29, prose("Cost was $41$ in all.")),
    "a figure in a text cell": ("prose", 29, prose("Cost was CNY 4.1 million.")),
}


@pytest.mark.parametrize(("gate", "code", "cell"), CELLS.values(), ids=CELLS.keys())
def test_a_cell_that_must_not_leave(house: House, gate: str, code: int, cell: dict[str, Any]) -> None:
    own_notebook(house, cell)
    refused(house, gate, code, NOTEBOOK)


@pytest.mark.parametrize(
    ("gate", "code", "old", "new"),
    [
        ("secrets", 21, "preparer: Service Finance", 'preparer: "postgres://joe:hunter2Secret9@db/x"'),
        ("secrets", 21, "preparer: Service Finance", "preparer: password=hunter2secret"),
        ("secrets", 21, "en: Lumen Appliances", "en: Lumen api_key=9f8e7hunter2"),
        ("personal", 22, "zh: 流明电器", "zh: 流明电器 138 1234 5678"),
        ("personal", 22, "reviewer: Group Controller", "reviewer: li.wei@example.com"),
    ],
)
def test_a_run_file_tells_before_anything_is_computed(
    house: House, gate: str, code: int, old: str, new: str
) -> None:
    stated(house, old, new)
    refused(house, gate, code)


@pytest.mark.parametrize(
    "text", ["+86 138 1234 5678", "１３８ １２３４ ５６７８", "ask li.wei@example.com", "4111 1111 1111 1111"]
)
def test_a_column_of_the_data_that_reaches_a_page(house: House, text: str) -> None:
    house.rewrite("products", "Washers", text)
    refused(house, "personal", 22)


def test_a_channel_of_tickets_that_is_a_telephone(house: House) -> None:
    lines = house.table("tickets").read_text("utf-8").splitlines()
    rows = [f"{line},{'channel' if not number else '+86 138 1234 5678'}" for number, line in enumerate(lines)]
    house.table("tickets").write_text("\n".join(rows) + "\n", "utf-8")
    refused(house, "personal", 22)


def test_a_fact_that_one_language_shows(house: House) -> None:
    """The sentence is whole in English, and says nothing of the number in Chinese."""
    source = (
        "tiles = exhibits.cost_tiles(study)\n"
        "from IPython.display import display\n"
        "kind = 'application/vnd.after-sales.block+json'\n"
        "fact = next(iter(run.facts('after_sales_cost')['id']))\n"
        "block = {'version': 1, 'kind': 'callout', 'id': 'costs.note', 'tone': 'info', 'facts': [], 'untranslated': [],\n"
        "         'title': {'en': [{'t': 'T'}], 'zh': [{'t': 'T'}]},\n"
        "         'body': {'en': [{'t': 'x', 'k': 'fact', 'fact': fact}], 'zh': [{'t': 'x'}]}}\n"
        "display({kind: block}, raw=True)"
    )
    own_notebook(house, code(source, "exhibit"))
    refused(house, "languages", 33)


# ---------------------------------------------------------------- what may leave


def test_a_text_that_params_allow_may_leave(house: House) -> None:
    stated(house, "reviewer: Group Controller", "reviewer: service@lumen.example")
    allowed = (
        "{text: service@lumen.example, because: public address, owner: Head of Service, since: 2026-11-01}"
    )
    (house.root / "params" / "may_leave.yml").write_text(f"texts:\n  - {allowed}\n", "utf-8")
    house.judge(draft(house), code=0, words="draft, not for signature")


def test_data_outside_the_project_leave_no_trace_of_where_they_lie(house: House, tmp_path: Path) -> None:
    elsewhere = tmp_path / "anna" / "books"
    elsewhere.parent.mkdir()
    house.company.rename(elsewhere)
    house.judge(house.report("--data", str(elsewhere)), code=0, words="issued: reports/2026-10/edition-2")
    for path in house.edition(2).rglob("*"):
        assert not path.is_file() or b"/anna" not in path.read_bytes(), path
    traced = house.run("trace", f"after_sales_cost#{MONTH}:1")
    house.judge(traced, code=0, words="ledger")
