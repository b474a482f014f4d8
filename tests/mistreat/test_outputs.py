"""A notebook does what it should not: its cell is named, nothing is issued, or what it did changes nothing."""

from __future__ import annotations

import json
import shutil

import pytest

from mistreat.house import ROOT, House
from mistreat.test_gates import NOTEBOOK, code, displayed, own_notebook, prose

STOPS = {
    "divides by zero": "1 / 0",
    "leaves": "raise SystemExit",
    "leaves with a code": "import sys; sys.exit(0)",
    "is interrupted": "raise KeyboardInterrupt",
    "raises its own base": "class Odd(BaseException): pass\nraise Odd('odd')",
    "is no Python": "this is not python",
    "asks for an answer": "input('sure? ')",
    "finds no module": "import no_such_module",
    "goes too deep": "def f(): return f()\nf()",
    "ends its kernel": "import os; os._exit(1)",
    "kills its kernel": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "calls for a fault": "import ctypes; ctypes.string_at(0)",
    "asks for all memory": "x = bytearray(1 << 46)",
    "closes what it prints to": "import sys; sys.stdout.close(); print('x')",
    "says a long word": "raise ValueError('x' * 100_000)",
    "says it in control characters": r"raise ValueError('\x1b[31m\x00\x07')",
    "prints an error": "print('Traceback (most recent call last):\\n  File x\\nValueError: no')",
    "warns of an error": "import sys; print('ERROR: no rows', file=sys.stderr)",
}


@pytest.mark.parametrize("source", STOPS.values(), ids=STOPS.keys())
def test_a_cell_that_stops(source: str, house: House) -> None:
    own_notebook(house, code(source, "exhibit"))
    outcome = house.report("--notebooks", "10", "--draft")
    assert outcome.code in (6, 7, 9, 10, 20), outcome  # 9: without this section, in _incomplete
    assert NOTEBOOK in outcome.said or NOTEBOOK[:2] in outcome.said, outcome.said[-2000:]
    assert len(outcome.said) < 8_000 and "fault of the program" not in outcome.said
    assert "\x1b[31m\x00" not in outcome.said
    house.sound()
    assert not (house.reports / "_drafts").exists()


MEDDLES = {
    "goes elsewhere": "import os; os.chdir('/')",
    "changes the time zone": "import os, time; os.environ['TZ'] = 'America/New_York'; time.tzset()",
    "changes the locale": "import locale; locale.setlocale(locale.LC_ALL, 'C')",
    "sets a seed": "import random, numpy; random.seed(1); numpy.random.seed(1)",
    "changes how numbers look": "import pandas as pd; pd.set_option('display.precision', 1)",
    "changes how charts look": "import matplotlib; matplotlib.rcParams.update({'font.size': 40})",
    "leaves a thread": "import threading, time; threading.Thread(target=time.sleep, args=(600,), daemon=False).start()",
    "leaves a process": "import subprocess, sys; left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
    "changes a result": "study.engine.confidence = 0.5 if hasattr(study, 'engine') else None",
    "silences warnings": "import warnings; warnings.simplefilter('ignore')",
}


@pytest.mark.parametrize("source", MEDDLES.values(), ids=MEDDLES.keys())
def test_a_cell_that_meddles(source: str, house: House) -> None:
    """A draft is made or refused in words, and nothing that was issued is touched."""
    own_notebook(house, code(source, "setup"))
    house.judge(house.report("--notebooks", "10", "--draft", within=200), code=(0, 6, 7, 20))
    house.latest_is(1)


OUTPUTS = {
    "a program of the browser": (displayed("application/javascript", "alert(1)"), (0, 20, 24)),
    "a frame": (displayed("text/html", "<iframe src='https://example.com'></iframe>"), (24, 25)),
    "a picture from elsewhere": (displayed("text/html", "<img src='https://example.com/x.png'>"), (24, 25)),
    "a drawing with a program": (displayed("image/svg+xml", "<svg><script>alert(1)</script></svg>"), (24,)),
    "a style from elsewhere": (displayed("text/html", "<style>@import 'https://example.com/x'</style>"), (24, 25)),
    "a form": (displayed("text/html", "<form action='https://example.com'><input></form>"), (24, 25)),
    "an image in a text cell": (prose("![x](attachment:x.png)"), (25, 29)),
    "a formula in a text cell": (prose("Costs are $c^2$ of it."), (29,)),
    "a number in a text cell": (prose("Cost was CNY 4.1 million."), (26, 27, 29)),
    "an address in a comment": (prose("<!-- https://example.com -->"), (25, 29)),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "codes"), OUTPUTS.values(), ids=OUTPUTS.keys())
def test_an_output_that_must_not_leave(cell: dict[str, object], codes: tuple[int, ...], house: House) -> None:
    """Refused by its gate, or dropped: no file of a draft holds it."""
    own_notebook(house, cell)
    outcome = house.report("--notebooks", "10", "--draft")
    house.judge(outcome, code=codes)
    if outcome.code == 0:
        for path in (house.reports / "_drafts").rglob("*"):
            assert not path.is_file() or b"alert(1)" not in path.read_bytes(), path
    else:
        assert not (house.reports / "_drafts").exists()


NOTEBOOKS = {
    "empty": "",
    "cut": None,
    "a list": "[]",
    "no cells": json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}),
    "of another age": json.dumps({"worksheets": [], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}),
    "a merge conflict": "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n",
    "no JSON": "hello",
}


@pytest.mark.parametrize("text", NOTEBOOKS.values(), ids=NOTEBOOKS.keys())
def test_a_notebook_that_is_none(text: str | None, house: House) -> None:
    folder = house.root / "notebooks"
    folder.mkdir()
    shipped = (ROOT / "notebooks" / f"{NOTEBOOK}.ipynb").read_text("utf-8")
    (folder / f"{NOTEBOOK}.ipynb").write_text(shipped[:500] if text is None else text, "utf-8")
    house.judge(house.report(), code=(2, 6, 7, 20, 32), words=NOTEBOOK)
    house.latest_is(1)


def test_a_scratch_notebook_is_not_run(house: House, second: House) -> None:
    folder = house.root / "notebooks"
    (folder / "scratch").mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / f"{NOTEBOOK}.ipynb", folder / "Untitled.ipynb")
    (folder / "scratch" / "mine.ipynb").write_text("not a notebook")
    house.judge(house.report(), code=0, words="issued")
    assert house.facts(2) == second.facts(2)
