"""What must not leave is put where it would leave: each gate refuses it with its own code, and no message repeats it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
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


def words(untranslated: Sequence[str] = (), **body: str) -> dict[str, Any]:
    """A callout as the package publishes it, with a body of one's own."""
    texts = {language: [{"t": text}] for language, text in body.items()}
    block = {
        "version": 1,
        "kind": "callout",
        "id": "costs.note",
        "tone": "info",
        "facts": [],
        "untranslated": list(untranslated),
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


# One for each gate; the kinds of each are tried in tests/unit/report, where a case costs no report.
CELLS = {
    "an error written as text": ("executed", 20, code("print('OperationalError: no table')", "exhibit")),
    "a secret": ("secrets", 21, code("print('postgres://joe:hun' + 'ter2secret@db/x')", "setup")),
    "an address": ("personal", 22, code("print('li.wei' + '@example.com')", "setup")),
    "a home folder": ("paths", 23, code("print('/home' + '/anna/books')", "setup")),
    "a script": ("scripts", 24, displayed("text/html", "<script>fetch('x')</script>")),
    "a link in a text cell": ("network", 25, prose("See [this](https://example.com).")),
    "a wording without Chinese": ("translated", 26, words(untranslated=["Cost rose."], en="x", zh="x")),
    "a number in words": ("numbers", 27, words(en="Cost was 4.1 million.", zh="成本为 410 万元。")),
    "HTML in a text cell": ("prose", 29, prose("<div>Cost was as planned.</div>")),
}


@pytest.mark.parametrize(("gate", "code", "cell"), CELLS.values(), ids=CELLS.keys())
def test_a_cell_that_must_not_leave(house: House, gate: str, code: int, cell: dict[str, Any]) -> None:
    own_notebook(house, cell)
    refused(house, gate, code, NOTEBOOK)


@pytest.mark.parametrize(
    ("gate", "code", "old", "new"),
    [
        ("secrets", 21, "preparer: Service Finance", "preparer: password=hunter2secret"),
        ("personal", 22, "zh: 流明电器", "zh: 流明电器 138 1234 5678"),
    ],
)
def test_a_run_file_tells_before_anything_is_computed(
    house: House, gate: str, code: int, old: str, new: str
) -> None:
    stated(house, old, new)
    refused(house, gate, code)


def test_an_address_with_a_password_is_refused_where_params_are_read(house: House) -> None:
    stated(house, "preparer: Service Finance", 'preparer: "postgres://joe:hunter2Secret9@db/x"')
    outcome = draft(house)
    house.judge(outcome, code=2, words="params/runs/sample.yml: holds an address with a password")
    assert not SECRETS.search(outcome.said)


def test_a_column_of_the_data_that_reaches_a_page(house: House) -> None:
    house.rewrite("products", "Washers", "ask １３８ １２３４ ５６７８")
    refused(house, "personal", 22)


def test_a_team_of_tickets_that_is_a_telephone(house: House) -> None:
    lines = house.table("tickets").read_text("utf-8").splitlines()
    rows = [f"{line},{'team' if not number else '+86 138 1234 5678'}" for number, line in enumerate(lines)]
    house.table("tickets").write_text("\n".join(rows) + "\n", "utf-8")
    refused(house, "personal", 22)


def test_a_fact_that_one_language_shows(house: House) -> None:
    """The sentence is whole in English, and says nothing of the number in Chinese."""
    source = """
from IPython.display import display
kind = "application/vnd.after-sales.block+json"
told = exhibits.cost_tiles(study)._repr_mimebundle_()[kind]
fact = next(f for f in told["facts"] if f["unit"] == "CNY" and f["value"] is not None)
shown = {"t": f"CNY {float(fact['value']):,.2f}", "k": "fact", "fact": fact["id"]}
block = {"version": 1, "kind": "callout", "id": "costs.note", "tone": "info", "facts": [fact], "untranslated": [],
         "title": {"en": [{"t": "T"}], "zh": [{"t": "T"}]}, "body": {"en": [shown], "zh": [{"t": "x"}]}}
display({kind: block}, raw=True)
"""
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
