"""What is stated of a run is wrong: it is refused in words before anything is made, with exit code 2."""

from __future__ import annotations

import re

import pytest

from mistreat.house import ROOT, House

RUN = (ROOT / "params" / "runs" / "sample.yml").read_text("utf-8")
BOMB = "\n".join(
    ["a0: &a0 [" + ", ".join(["lol"] * 10) + "]"]
    + [f"a{depth}: &a{depth} [" + ", ".join([f"*a{depth - 1}"] * 10) + "]" for depth in range(1, 9)]
)


def stated(house: House, content: str | bytes, name: str = "runs/sample.yml") -> None:
    """A file of the project's own under ``params/``."""
    path = house.root / "params" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


def line(name: str, value: str) -> str:
    """The run's file with another value for one of its keys."""
    changed = re.sub(rf"(?m)^{name}: .*$", lambda _: f"{name}: {value}", RUN)
    assert changed != RUN
    return changed


LINES = [
    ("tie_out_tolerance", "-1"), ("tie_out_tolerance", ".nan"), ("tie_out_tolerance", ".inf"), ("tie_out_tolerance", "much"),
    ("tie_out_tolerance", "[0]"), ("active_window_months", "0"), ("active_window_months", "-3"), ("active_window_months", "100000"),
    ("active_window_months", "1.5"), ("confidence", "1"), ("confidence", "0"), ("confidence", "95"), ("confidence", ".nan"),
    ("close_day", "0"), ("close_day", "32"), ("close_day", "ten"), ("month", '"2026-13"'), ("month", "2026"), ("month", '""'),
    ("month", '"99999-01"'), ("time_zone", "Mars/Olympus"), ("time_zone", "../../etc/passwd"), ("currency", "yuan"), ("currency", "[CNY]"),
    ("company", "{en: Lumen, fr: Lumen}"), ("company", "12"), ("company", '""'), ("sign_off", "{preparer: [x], reviewer: y}"),
    ("data", "[sample]"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), LINES, ids=[f"{name} {value}" for name, value in LINES])
def test_a_value_outside_its_domain(name: str, value: str, house: House) -> None:
    stated(house, line(name, value))
    house.judge(
        house.report("--notebooks", "10", "--draft"), code=2, words=(r"sample\.yml", rf"{name}|line \d")
    )
    house.latest_is(1)


FILES: dict[str, str | bytes] = {
    "empty": "",
    "only blanks": " \n\n",
    "a list": "- company\n- data\n",
    "one word": "sample",
    "two documents": RUN + "---\n" + RUN,
    "a tag": RUN + "x: !!python/object/apply:os.system ['true']\n",
    "a tag in a known key": line("confidence", "!!python/name:os.system"),
    "a doubled key": RUN + 'month: "2026-09"\n',
    "an unknown key": RUN + "confidense: 0.9\n",
    "an unhashable key": RUN + "[1, 2]: x\n",
    "a key that is nothing": RUN + "~: x\n",
    "a bomb": BOMB + "\n" + RUN,
    "a bomb in a known key": BOMB + "\n" + line("company", "*a8"),
    "an anchor in a circle": RUN + "x: &x [*x]\n",
    "nested": line("company", "[" * 5000 + "]" * 5000),
    "not UTF-8": line("company", "Lüftung").encode("latin-1"),
    "binary": b"\x00\x01\xff\xfe" * 100,
    "UTF-16": RUN.encode("utf-16"),
    "a tab": RUN + "\tx: 1\n",
    "not closed": RUN + "x: [1, 2\n",
    "a code of 100,000 letters": line("currency", "C" * 100_000),
    "a name of 100,000 letters": line("company", "C" * 100_000),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
def test_a_file_that_says_something_else(content: str | bytes, house: House) -> None:
    stated(house, content)
    house.judge(house.report("--notebooks", "10", "--draft"), code=2, words=r"sample\.yml")
    house.latest_is(1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics/costs.yml", "after_sales_cost: {}\n"),
        ("metrics/costs.yml", "- nothing\n"),
        ("cost_tree.yml", "version: one\ncategories: {}\naccounts: []\n"),
        ("cost_tree.yml", b"\xff\xfe"),
        ("assumptions.yml", "discount_rate_annual: 0.05\n"),
        ("corrections.yml", "- {fix: everything}\n"),
        ("treatments.yml", "x: 1\n"),
        ("what_ifs.yml", "{"),
        ("may_leave.yml", "texts: [anything]\n"),
        ("labels.yml", "[1]\n"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.endswith(".yml") else "",
)
def test_definitions_that_cannot_be_read(name: str, content: str | bytes, house: House) -> None:
    stated(house, content, name)
    house.judge(house.report(), code=2, words=re.escape(name.split("/")[-1].removesuffix(".yml")))
    house.latest_is(1)


OPTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "a month of its own": (("--month", "October"), "month"),
    "the 13th month": (("--month", "2026-13"), "month"),
    "a month far away": (("--month", "9999-12"), "9999"),
    "a month given and empty": (("--month", ""), "month|MONTH"),
    "as of before the month": (("--as-of", "2026-09-30"), "2026-09-30"),
    "as of inside the month": (("--as-of", "2026-10-15"), "2026-10-15"),
    "as of the end of time": (("--as-of", "9999-12-31"), "9999"),
    "as of no day": (("--as-of", "2026-02-30"), "2026-02-30"),
    "as of empty": (("--as-of", ""), "as.of|AS_OF"),
    "a run that is not there": (("--run", "sampel"), "sampel"),
    "a run elsewhere": (("--run", "../../etc/passwd"), "passwd"),
    "a run with a long name": (("--run", "x" * 5000), "xxx"),
    "a parameter misspelt": (("-p", "tpo=7"), "tpo"),
    "a parameter of another kind": (("-p", "top=many"), "top"),
    "a parameter without a value": (("-p", "top"), "top"),
    "no such notebook": (("--notebooks", "99"), "99"),
    "notebooks elsewhere": (("--notebooks", "../README.md"), "README"),
    "no workers": (("--workers", "0"), "workers"),
    "fewer than none": (("--workers", "-1"), "workers"),
    "workers in words": (("--workers", "two"), "workers"),
    "an unknown option": (("--mnth", "2026-10"), "mnth"),
    "a connection for a folder": (("--data", "postgres://joe:hunter2@db/books"), "data|folder"),
    "a folder with a long name": (("--data", "x" * 5000), "data|folder|xxx"),
    "a folder with a zero in its name": (("--data", "a\tb\nc"), "data|folder"),
}


@pytest.mark.parametrize(("options", "said"), OPTIONS.values(), ids=OPTIONS.keys())
def test_options_that_cannot_be_meant(options: tuple[str, ...], said: str, house: House) -> None:
    outcome = house.report(*options) if "--month" not in options else house.run("report", *options)
    house.judge(outcome, code=2, words=said)
    assert "hunter2" not in outcome.said
    house.latest_is(1)


@pytest.mark.parametrize("epoch", ["abc", "-5", "99999999999999", "1.5", " ", "1e9"])
def test_a_clock_that_is_none(epoch: str, house: House) -> None:
    outcome = house.report(SOURCE_DATE_EPOCH=epoch, within=30)
    house.judge(outcome, code=2, words="SOURCE_DATE_EPOCH")
    house.latest_is(1)


@pytest.mark.parametrize(
    "environment",
    [
        {"TZ": "America/St_Johns", "LANG": "C", "LC_ALL": "C"},
        {"TZ": "Nowhere/At_All"},
        {"HOME": "/nonexistent"},
        {"PYTHONWARNINGS": "error"},
        {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "5"},
        {"PYTHONOPTIMIZE": "2"},
        {"COLUMNS": "10", "TERM": "dumb", "NO_COLOR": "1"},
    ],
    ids=" ".join,
)
def test_an_environment_of_its_own_changes_no_fact(
    environment: dict[str, str], house: House, second: House
) -> None:
    house.judge(house.report(**environment), code=0, words="issued")
    assert house.facts(2) == second.facts(2)


def test_a_folder_for_scratch_with_a_long_name(house: House, second: House) -> None:
    place = house.root / ("t" * 120)
    place.mkdir()
    house.judge(house.report(TMPDIR=str(place)), code=0, words="issued")
    assert house.facts(2) == second.facts(2)
