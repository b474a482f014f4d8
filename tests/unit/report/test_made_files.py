"""The finished files are read as whoever receives them would: what must not leave is refused by its own gate, and never repeated."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from report_stub import COST, POLICY, executed, fact

from analysis.locale import LANGUAGES
from analysis.report.checks import pack_problems
from analysis.report.gates import GATES, GateRefused, refuse
from analysis.report.html import own_script
from analysis.report.made_files import notebook_problems
from analysis.report.pack_texts import cells

GROUND = "/srv/books/lumen"
SHOWN = {"en": "CNY 1,200.50", "zh": "1,200.50元"}
Change = Callable[[Path], None]


def document(place: Path, text: str) -> bytes:
    import typst

    (place / "document.typ").write_text(text, encoding="utf-8")
    made = typst.compile(place / "document.typ")
    assert isinstance(made, bytes)
    return made


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished pack of one notebook and one number."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "evidence").mkdir()
    (folder / "evidence" / "costs.rows.csv").write_text(
        "ticket_id,note\n13812345678,fan\n", encoding="utf-8-sig"
    )
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "10_costs.ipynb").write_text(json.dumps(executed([])))
    for name in ("facts", "findings", "manifest"):
        (folder / f"{name}.json").write_text(json.dumps({"version": 1, "text": "the fan is worn"}))
    (folder / "exhibits.json").write_text(json.dumps({"exhibits": [{"id": "costs.note"}]}))
    pdf = document(tmp_path_factory.mktemp("typst"), "costs.note \n #lorem(50)")
    for language in LANGUAGES:
        (folder / f"after-sales-report.{language}.pdf").write_bytes(pdf)
        (folder / "html" / language).mkdir(parents=True)
        for name, other in (("index", "10_costs"), ("10_costs", "index")):
            (folder / "html" / language / f"{name}.html").write_text(
                f'{POLICY}<p id="top">Cost was <span data-fact="{COST}">{SHOWN[language]}</span>.</p>'
                f'<a href="{other}.html#top">on</a> <a href="../../evidence/costs.rows.csv">rows</a>'
                f'<script type="application/json">{{"a": "b"}}</script><script>{own_script()}</script>',
                encoding="utf-8",
            )
    return folder


@pytest.fixture
def pack(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "pack")


def asked(pack: Path, *allowed: str) -> None:
    refuse(
        pack_problems(
            pack,
            ["10_costs"],
            pages=["10_costs"],
            facts={COST: fact()},
            paths=[GROUND],
            regions={"CN", "US", "GB"},
            allowed=allowed,
        )
    )


def added(name: str, text: str) -> Change:
    def change(folder: Path) -> None:
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def replaced(name: str, old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


def stated(name: str, **values: Any) -> Change:
    """A key of a JSON file."""

    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text("utf-8"))
        (folder / name).write_text(json.dumps(content | values), encoding="utf-8")

    return change


def typeset(text: str) -> Change:
    def change(folder: Path) -> None:
        (folder / "after-sales-report.zh.pdf").write_bytes(document(folder.parent, f"costs.note \n {text}"))

    return change


EN = "html/en/10_costs.html"
OFFENDERS: dict[str, tuple[str, Change]] = {
    "a secret in the manifest": ("secrets", stated("manifest.json", run={"x": "password=hunter2secret"})),
    "a secret in a notebook's parameters": (
        "secrets",
        stated(
            "notebooks/10_costs.ipynb", metadata={"papermill": {"p": "postgres://joe:hunter2secret@db/x"}}
        ),
    ),
    "a secret in a document": (
        "secrets",
        typeset("token: ghp\\_a1B2c3D4e5F6g7H8i9J0hunter2secretN4o5P6q7R8"),
    ),
    "a secret in a data island": ("secrets", replaced(EN, '"b"', '"api_key: 9f8e7hunter2secret"')),
    "a secret in a comment": ("secrets", added(EN, "<!-- pwd=hunter2secret1 -->")),
    "a telephone in evidence": ("personal", added("evidence/costs.rows.csv", "T-2,+86 138 1234 5678\n")),
    "a telephone without spaces in evidence": (
        "personal",
        added("evidence/costs.rows.csv", "T-2,13812345678\n"),
    ),
    "an address on a page": ("personal", added(EN, "<p>li.wei@example.com</p>")),
    "an address in a title": ("personal", added(EN, '<p title="li.wei@example.com">x</p>')),
    "a card in findings": ("personal", stated("findings.json", text="paid by 4111 1111 1111 1111")),
    "an identity number in a document": ("personal", typeset("110101199003070038")),
    "the name of a file": ("personal", added("evidence/li.wei@example.com.csv", "a\n")),
    "the project's folder": ("paths", stated("manifest.json", data=f"{GROUND}/company")),
    "a home folder": ("paths", stated("notebooks/10_costs.ipynb", metadata={"data": "/home/anna/books"})),
    "another script": ("scripts", added(EN, "<script>alert(1)</script>")),
    "a script from elsewhere": ("scripts", added(EN, '<script src="x.js"></script>')),
    "a handler": ("scripts", added(EN, '<img alt="" onerror="alert(1)">')),
    "a link that runs": ("scripts", added(EN, '<a href="java&#9;script:alert(1)">x</a>')),
    "a drawing that changes to one": (
        "scripts",
        added(EN, '<svg><a><animate attributeName="href" values="javascript:alert(1)"/></a></svg>'),
    ),
    "a frame": ("scripts", added(EN, '<iframe srcdoc="x"></iframe>')),
    "a page that leads on": ("scripts", added(EN, '<meta http-equiv="refresh" content="0;x">')),
    "no policy": ("scripts", replaced(EN, "default-src 'none'", "default-src *")),
    "a picture from elsewhere": ("network", added(EN, '<img src="//example.com/x.png">')),
    "a link out": ("network", added(EN, '<a href=" https://example.com">x</a>')),
    "a link out in disguise": ("network", added(EN, '<a href="/\\example.com">x</a>')),
    "a style that loads": ("network", added(EN, '<p style="background:url(//example.com/x)">x</p>')),
    "a style that imports": ("network", added(EN, "<style>@import 'x.css';</style>")),
    "a link out of a document": ("network", typeset('#link("https://example.com")[x]')),
    "another number": ("numbers", replaced(EN, SHOWN["en"], "CNY 1,300.50")),
    "a file that was not made": ("files", lambda folder: (folder / "facts.json").unlink()),
    "an empty file": ("files", lambda folder: (folder / "evidence" / "none.csv").touch()),
    "a document that is none": (
        "files",
        lambda folder: (folder / "after-sales-report.zh.pdf").write_text("nothing"),
    ),
    "a fact in one language": ("languages", replaced(EN, f' data-fact="{COST}"', "")),
    "a drawn fact in one language": (
        "languages",
        added(EN, f'<svg><g data-k="fact" data-fact="{COST}"/></svg>'),
    ),
    "an exhibit in one document": (
        "languages",
        lambda folder: typeset("")(folder) or _without_exhibit(folder),
    ),
    "a link to nowhere": ("links", added(EN, '<a href="11_costs.html">x</a>')),
    "a place that is not there": ("links", added(EN, '<a href="index.html#bottom">x</a>')),
    "a link out of the pack": ("links", added(EN, '<a href="../../../x.html">x</a>')),
    "a picture that is not there": ("links", added(EN, '<img alt="" src="x.png">')),
    "words beyond the page": ("layout", typeset("#place(dx: 18cm)[gonegonegone]")),
}


def _without_exhibit(folder: Path) -> None:
    (folder / "after-sales-report.zh.pdf").write_bytes(document(folder.parent, "nothing"))


def test_a_sound_pack_passes(pack: Path) -> None:
    asked(pack)


@pytest.mark.parametrize(("gate", "change"), OFFENDERS.values(), ids=OFFENDERS.keys())
def test_an_offender_is_refused_by_its_gate_and_not_repeated(pack: Path, gate: str, change: Change) -> None:
    change(pack)
    with pytest.raises(GateRefused) as refused:
        asked(pack)
    assert (refused.value.gate, refused.value.exit_code) == (gate, GATES[refused.value.gate].code)
    said = str(refused.value)
    assert not re.search(r"hunter2|1234 ?5678|li\.wei|1111|0307003|/srv|anna", said), said


def test_what_params_allow_passes(pack: Path) -> None:
    added(EN, '<p>service@lumen.example</p><a href="https://lumen.example">x</a>')(pack)
    asked(pack, "service@lumen.example", "https://lumen.example")
    with pytest.raises(GateRefused, match="leads out of the pack"):
        asked(pack, "service@lumen.example")


def test_hostile_words_of_the_data_are_text_and_no_offence(pack: Path) -> None:
    words = "&lt;script&gt;fetch('http://example.com')&lt;/script&gt; javascript:alert(1) onerror=x"
    added(EN, f'<p title="javascript:alert(1)">{words}</p>')(pack)
    stated("findings.json", text="<svg onload=alert(1)>")(pack)
    asked(pack)


# ---------------------------------------------------------------- notebooks


@pytest.mark.parametrize(
    ("gate", "kind", "data"),
    [
        ("scripts", "text/html", "<b>x</b><script>fetch('http://example.com')</script>"),
        ("scripts", "text/html", ["<p onclick=", "'x()'>x</p>"]),
        ("scripts", "text/html", "<object data='x'></object>"),
        ("scripts", "text/html", "<a href='javascript:x()'>x</a>"),
        ("scripts", "text/html", "<SCRIPT/x>1</SCRIPT>"),
        ("scripts", "image/svg+xml", "<svg onload='x()'></svg>"),
        ("scripts", "image/svg+xml", "<svg><script>x()</script></svg>"),
        ("scripts", "text/markdown", "<iframe src='x'></iframe>"),
        ("scripts", "application/javascript", "x()"),
        ("scripts", "application/vnd.jupyter.widget-view+json", {"model_id": "1"}),
        ("network", "text/html", "<img src='https://example.com/x.png'>"),
        ("network", "text/html", "<style>p {background: url(https://example.com)}</style>"),
        ("network", "text/html", "<link rel='stylesheet' href='//example.com/x.css'>"),
        ("network", "text/markdown", "![x](https://example.com/x.png)"),
        ("network", "image/svg+xml", "<svg><image xlink:href='http://example.com/x'/></svg>"),
    ],
)
def test_an_output_runs_and_loads_nothing(gate: str, kind: str, data: Any) -> None:
    shown = [{"output_type": "display_data", "metadata": {}, "data": {kind: data}}]
    found = list(notebook_problems("10_costs", executed([], shown), ()))
    assert {(problem.gate, problem.place) for problem in found} == {(gate, "10_costs, cell 2")}


@pytest.mark.parametrize(
    "cell",
    [
        {"cell_type": "markdown", "source": "See [this](https://example.com)."},
        {"cell_type": "markdown", "source": "See <https://example.com>."},
        {"cell_type": "markdown", "source": "See https://example.com."},
        {"cell_type": "markdown", "source": "See [this][1].\n\n[1]: ftp://example.com"},
        {"cell_type": "code", "source": "read('http://example.com/x.csv')", "outputs": []},
    ],
)
def test_a_cell_names_no_address(cell: dict[str, Any]) -> None:
    found = list(notebook_problems("10_costs", {"cells": [cell]}, ()))
    assert {problem.gate for problem in found} == {"network"}


def test_a_frame_of_rows_and_a_drawing_are_sound() -> None:
    frame = "<div><style scoped>.dataframe {color: red}</style><table><tr><td>&lt;script&gt;</td></tr></table></div>"
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"><use xlink:href="#m"/><image href="data:image/png;base64,AA"/></svg>'
    data = {"text/html": frame, "image/svg+xml": drawing, "text/plain": "x"}
    shown = [{"output_type": "display_data", "metadata": {}, "data": data}]
    assert list(notebook_problems("10_costs", executed(shown), ())) == []


# ---------------------------------------------------------------- tables


def test_digits_count_as_a_telephone_unless_their_column_counts_things(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("ticket_id,mobile,note\n13812345678,010 6234 5678,13912345678\n")
    assert "13812345678" not in cells(table)
    assert {"phone 010 6234 5678", "13912345678"} <= set(cells(table))
