"""Exports that are broken, cut, empty or strange, through the whole path: a load that is true, or a refusal a person can act on.

The random damage has two lengths. Forty runs are always on; a thousand and more are marked slow:

    python -m pytest -n0 -m slow tests/unit/tables/test_bad_exports.py
"""

from __future__ import annotations

import collections
import csv
import datetime as dt
import io
import random
import re
import shutil
import time
import traceback
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

import duckdb
import pytest

from analysis.errors import AnalysisError, ContractError, MissingData, SourceError
from analysis.metrics import Engine, Registry, StudyInputs
from analysis.params import Assumptions, CostTree, load_run
from analysis.tables import TableSet, contract, load_tables
from analysis.workbook import prepare_run
from analysis.workbook.sections import SECTIONS

CUSTOMERS, TICKETS, POSTINGS = 40, 160, 200
KINDS = ("repair", "complaint", "inquiry", "return")
MONTHS = ("2026-08", "2026-09", "2026-10")


def exports() -> dict[str, str]:
    """A small company in text: every reference leads somewhere and every amount is known."""
    tables = {
        "customers": ["customer_id,customer_name,customer_type,region"]
        + [
            f'C{i},"Name, {i} 北",{("b2b", "b2c")[i % 2]},{("North", "South")[i % 3 > 0]}'
            for i in range(CUSTOMERS)
        ],
        "products": ["product_id,product_line", "P1,Washers", "P2,Dryers"],
        "tickets": [
            "ticket_id,customer_id,product_id,ticket_type,opened_at,resolved_at,automated,handling_hours,status,recorded_at"
        ],
        "ledger": ["posting_id,posted_on,category,amount,ticket_id,account,posting_basis,recorded_at"],
        "orders": ["order_id,customer_id,product_id,ordered_at,revenue"],
        "gl_totals": ["month,measure,account,amount"],
    }
    for i in range(TICKETS):
        month, day = MONTHS[i % 3], i % 27 + 1
        done = f"{month}-{day + 1:02d}T09:00:00" if i % 5 else ""
        tables["tickets"].append(
            f"T{i},C{i % CUSTOMERS},P{i % 2 + 1},{KINDS[i % 4]},{month}-{day:02d}T02:{i % 60:02d}:00,{done},{('true', 'false')[i % 2]},{i % 7}.5,closed,{month}-{day:02d}T03:00:00"
        )
    totals: dict[str, Decimal] = collections.defaultdict(Decimal)
    for i in range(POSTINGS):
        month, amount = MONTHS[i % 3], Decimal(i * 137 % 9000) + Decimal(i % 100) / 100
        totals[month] += amount
        tables["ledger"].append(
            f"L{i},{month}-{i % 28 + 1:02d},{('labour', 'parts')[i % 2]},{amount},{f'T{i % TICKETS}' if i % 2 else ''},,incurred,{month}-28T08:00:00"
        )
        tables["orders"].append(
            f"O{i},C{i * 7 % CUSTOMERS},P{i % 2 + 1},{month}-{i % 28 + 1:02d}T05:00:00,{i * 11 % 500}.00"
        )
    tables["gl_totals"] += [
        f"{month}-01,after_sales_cost,all,{amount}" for month, amount in sorted(totals.items())
    ]
    return {name: "\n".join(lines) + "\n" for name, lines in tables.items()}


EXPORTS = exports()


def written(folder: Path, **changes: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (EXPORTS | changes).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def loaded(folder: Path, store: Path) -> TableSet:
    return load_tables(folder, store, reporting_currency="CNY", time_zone="Asia/Shanghai")


@cache
def parameters() -> tuple[Registry, CostTree, Assumptions]:
    """Read once: a thousand runs share them."""
    return Registry.load(), CostTree.load(), Assumptions.load()


def inputs(tables: TableSet) -> StudyInputs:
    params = load_run("sample", month="2026-10")
    registry, cost_tree, assumptions = parameters()
    engine = Engine(
        tables,
        registry,
        cost_tree=cost_tree,
        as_of=params.knowledge_day,
        time_zone="Asia/Shanghai",
        currency="CNY",
        confidence=0.95,
        cache=None,
    )
    return StudyInputs(
        engine=engine, month=params.month, params=params, assumptions=assumptions, cost_tree=cost_tree
    )


@pytest.fixture
def own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of our own, so that stores and caches of a test stay out of the real one."""
    from analysis.params import project_root

    shutil.copytree(project_root() / "params", tmp_path / "root" / "params")
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path / "root"))
    return tmp_path / "root"


# ---------------------------------------------------------------- what must be shown


def test_a_missing_column_is_refused_by_file_and_name(tmp_path: Path):
    text = EXPORTS["ledger"].replace(
        "posting_id,posted_on,category,amount", "posting_id,posted_on,category,total"
    )
    with pytest.raises(
        ContractError, match=r"ledger\.csv: column 'amount' is missing; ledger needs it in every row"
    ):
        loaded(written(tmp_path / "data", ledger=text), tmp_path / "store")


def test_a_doubled_key_with_two_stories_is_refused_with_both_places(tmp_path: Path):
    text = EXPORTS["tickets"] + "T1,C2,P1,repair,2026-10-03T02:00:00,,false,1.0,open,\n"
    with pytest.raises(
        ContractError,
        match=rf"tickets: 2 rows share a key and say different things.*e\.g\. T1 \(tickets\.csv row 2 and tickets\.csv row {TICKETS + 1}\)",
    ):
        loaded(written(tmp_path / "data", tickets=text), tmp_path / "store")


def garbage(kind: str) -> bytes:
    """A hundred thousand lines of it."""
    chance = random.Random(1)
    if kind == "bytes":
        return b"\n".join(chance.randbytes(40) for _ in range(100_000))
    words = [chance.randbytes(6).hex() for _ in range(1000)]
    head = EXPORTS["ledger"].split("\n", 1)[0] if kind == "under our header" else "a,b,c,d,e,f,g,h"
    return (
        head + "\n" + "".join(",".join(chance.choices(words, k=8)) + "\n" for _ in range(100_000))
    ).encode()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("bytes", "Export it again|Export it as CSV|not a text file|not UTF-8"),
        ("text", "column 'posting_id' is missing"),
        (
            "under our header",
            "100,000 of 100,000 rows cannot be used, more than the 1% that may be set aside",
        ),
    ],
)
def test_a_hundred_thousand_rows_of_garbage_are_refused_clearly_and_fast(
    tmp_path: Path, kind: str, message: str
):
    folder = written(tmp_path / "data")
    (folder / "ledger.csv").write_bytes(garbage(kind))
    started = time.monotonic()
    with pytest.raises(AnalysisError, match=message) as refused:
        loaded(folder, tmp_path / "store")
    assert time.monotonic() - started < 20  # about a second on a machine with nothing else to do
    assert len(str(refused.value)) < 1000  # the garbage itself is not recited


def test_an_empty_table_is_said_to_be_empty_and_a_month_without_postings_is_refused(
    tmp_path: Path, own_root: Path
):
    head = EXPORTS["ledger"].split("\n", 1)[0] + "\n"
    folder = written(tmp_path / "data", ledger=head)
    tables = loaded(folder, tmp_path / "store")
    assert tables["ledger"].rows == 0 and tables["tickets"].rows == TICKETS
    assert [check.message_en for check in tables.checks if check.reason_code == "empty"] == [
        "ledger: the file has a header and no rows."
    ]
    with pytest.raises(ContractError, match=r"ledger: no rows in 2026-10; there are none"):
        prepare_run("sample", month="2026-10", data=str(folder))


def test_one_row_of_everything_makes_every_section_or_says_what_it_needs(tmp_path: Path, own_root: Path):
    one = {name: "\n".join(text.split("\n", 2)[:2]) + "\n" for name, text in EXPORTS.items()}
    folder = written(tmp_path / "data", **one)
    for name in ("tickets", "ledger"):
        path = folder / f"{name}.csv"
        path.write_text(path.read_text(encoding="utf-8").replace("2026-08-", "2026-10-"), encoding="utf-8")
    run = prepare_run("sample", month="2026-10", data=str(folder))
    assert outcomes(run.inputs) <= FINE


def test_a_month_without_data_and_one_in_the_future_leave_the_others_true(tmp_path: Path):
    without = "".join(
        line for line in EXPORTS["tickets"].splitlines(keepends=True) if ",2026-09-" not in line
    )
    ahead = EXPORTS["ledger"] + "L999,2031-01-05,parts,99.00,,,incurred,\n"
    plain = inputs(loaded(written(tmp_path / "plain"), tmp_path / "s1"))
    strange = inputs(loaded(written(tmp_path / "strange", tickets=without, ledger=ahead), tmp_path / "s2"))
    for name, month in (
        ("after_sales_cost", plain.month),
        ("service_order_count", plain.month),
        ("after_sales_cost", plain.month - 1),
    ):
        assert strange.engine.fact(name, period=month).value == plain.engine.fact(name, period=month).value
    assert strange.engine.fact("service_order_count", period=plain.month - 1).value is None  # not zero
    assert outcomes(strange) <= FINE


@pytest.mark.parametrize("name", ["ledger", "tickets", "orders"])
def test_a_file_cut_in_the_middle_of_a_row_is_refused(tmp_path: Path, name: str):
    folder = written(tmp_path / "data")
    lines = (folder / f"{name}.csv").read_bytes().split(b"\n")
    half = len(lines) // 2
    cut = b",".join(lines[half].split(b",")[:2])
    (folder / f"{name}.csv").write_bytes(b"\n".join([*lines[:half], cut]))
    with pytest.raises(
        SourceError,
        match=rf"{name}\.csv: ends in the middle of row {half} .*; the file was cut\. Export it again",
    ):
        loaded(folder, tmp_path / "store")


def test_a_file_cut_within_its_last_value_keeps_the_row_and_says_so(tmp_path: Path):
    folder = written(tmp_path / "data")
    path = folder / "ledger.csv"
    path.write_bytes(path.read_bytes()[:-8])  # 2026-… 08:00:00 without its minutes
    tables = loaded(folder, tmp_path / "store")
    assert tables["ledger"].rows == POSTINGS
    said = {
        check.reason_code for check in tables.checks if check.table == "ledger" and check.outcome != "passed"
    }
    assert {
        "last_line",
        "no_such_time",
    } <= said  # the value is left empty, and the missing line break is named


# ---------------------------------------------------------------- random damage


def damaged(content: bytes, chance: random.Random) -> bytes:
    """One of the ways in which files break on their way, or are broken by well-meaning hands."""
    data = bytearray(content)
    lines = content.split(b"\n")
    at, kind = chance.randrange(len(data)), chance.randrange(14)
    row = chance.randrange(1, len(lines) - 1)
    if kind == 0:
        return bytes(data[:at])
    if kind == 1:
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    elif kind == 2:
        del data[at : at + chance.randrange(1, 200)]
    elif kind == 3:
        data[at:at] = chance.randbytes(chance.randrange(1, 40))
    elif kind == 4:
        data[at:at] = data[chance.randrange(len(data)) :][: chance.randrange(1, 400)]
    elif kind == 5:
        data[at:at] = chance.choice([b'"', b"\n", b"\r", b",", b"\x00", b"\xef\xbb\xbf", b"=cmd()", b";" * 9])
    elif kind == 6:
        data = data.replace(
            chance.choice([b",", b"\n", b"-", b"2026", b"T"]),
            chance.choice([b";", b"\r\n", b"/", b"", b"1,000"]),
        )
    elif kind == 7:
        data[at : at + 64] = bytes(64)
    elif kind == 8:  # a digit becomes another: a legal value changes
        places = [place for place in range(len(data)) if 48 <= data[place] <= 57]
        data[chance.choice(places)] = 48 + chance.randrange(10)
    elif kind == 9:
        lines.insert(row, lines[row])
    elif kind == 10:
        del lines[row]
    elif kind == 11:
        lines[row], lines[-2] = lines[-2], lines[row]
    elif kind == 12:  # a column is renamed or given twice
        names = lines[0].split(b",")
        names[chance.randrange(len(names))] = chance.choice([b"x", names[0], b"", names[-1].upper()])
        lines[0] = b",".join(names)
    else:  # saved again by a spreadsheet
        lines = [line.replace(b"2026-", b"26/") if index >= row else line for index, line in enumerate(lines)]
    return b"\n".join(lines) if kind >= 9 else bytes(data)


def values_of(content: bytes) -> set[tuple[str, ...]]:
    """The rows of a damaged CSV file as Python's own reader sees them, by every separator; what a true load kept must be among them."""
    text = content.decode("utf-8-sig", errors="replace").replace("\x00", "\ufffd")
    found: set[tuple[str, ...]] = set()
    for separator in ",;\t|":
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        names = [name.strip() for name in rows[0]] if rows else []
        for row in rows[1:]:
            cells = dict(zip(names, (cell.strip() for cell in row), strict=False))
            found.add(
                tuple(
                    plain(cells.get(name, ""))
                    for name in ("posting_id", "posted_on", "amount", "posting_basis")
                )
            )
    return found


def plain(text: str) -> str:
    """Amounts and days in one way of writing."""
    try:
        return f"{Decimal(text):.2f}" if re.fullmatch(r"[+-]?[\d.]+", text) else day(text)
    except InvalidOperation:
        return text


def day(text: str) -> str:
    match = re.match(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", text)
    try:
        return dt.date(*map(int, match.groups())).isoformat() if match else text
    except ValueError:
        return text


def outcomes(run: StudyInputs) -> set[str]:
    """What the sections of the report make of these tables; anything but a result, a stated need or a refusal is a fault, named with its place."""
    found = set()
    for section in SECTIONS:
        try:
            section.load()(run)
            found.add("made")
        except MissingData:
            found.add("needs more")
        except AnalysisError:
            found.add("refused")
        except Exception as error:
            place = [
                frame
                for frame in traceback.extract_tb(error.__traceback__)
                if "analysis" in Path(frame.filename).parts
            ][-1]
            found.add(
                f"{section.id}: {type(error).__name__} at {Path(place.filename).name}:{place.lineno} ({error})"[
                    :200
                ]
            )
    return found


FINE = {"made", "needs more", "refused"}


def one_run(seed: int, folder: Path, plain_hash: str, *, sections: bool) -> str:
    """Damage one file, load, and hold the result against the rules; the kind of outcome."""
    chance = random.Random(seed)
    written(folder / "data")
    name = chance.choice(sorted(EXPORTS))
    path = folder / "data" / f"{name}.csv"
    path.write_bytes(damaged(path.read_bytes(), chance))
    try:
        tables = loaded(folder / "data", folder / "store")
        run = inputs(tables)
    except AnalysisError as refusal:
        return "refused" if clear(str(refusal)) else f"seed {seed}: {refusal}"
    if sections and (faults := outcomes(run) - FINE):
        return f"seed {seed}: {'; '.join(sorted(faults))}"
    books_add_up(tables)
    if tables.content_hash == plain_hash:
        return "unchanged"
    if name == "ledger":
        nothing_is_invented(tables, path.read_bytes())
    cost_is_the_sum_of_what_was_kept(run)
    return "true with a changed or lost value"


def clear(refusal: str) -> bool:
    """Said in words, and no fault of the books of the load itself."""
    return bool(refusal.strip()) and "report it" not in refusal and "Traceback" not in refusal


def books_add_up(tables: TableSet) -> None:
    counts = []
    for name, info in tables.tables.items():
        for file in info.waterfall:
            assert file.rows_read == file.accepted + file.quarantined + file.exact_duplicates, (name, file)
        assert info.rows == sum(file.accepted for file in info.waterfall), name
        if info.rows:
            key = ", ".join(contract().tables[name].key)
            counts.append(f"SELECT '{name}', count(*), count(DISTINCT ({key})) FROM {tables.scan(name)}")
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, rows, keys in connection.execute(" UNION ALL ".join(counts)).fetchall():
            assert rows == keys == tables[name].rows, name
    aside = tables.quarantine
    whole = aside[aside["scope"] == "row"].drop_duplicates(["table", "file", "row_number"])
    assert len(whole) == sum(file.quarantined for info in tables.tables.values() for file in info.waterfall)


def nothing_is_invented(tables: TableSet, content: bytes) -> None:
    """Every posting kept stands in the damaged file with the same day and amount."""
    with duckdb.connect() as connection:
        kept = connection.execute(
            f"SELECT posting_id, CAST(posted_on AS VARCHAR), CAST(amount AS VARCHAR) FROM {tables.scan('ledger')}"
        ).fetchall()
    given = {row[:3] for row in values_of(content)}
    missing = [row for row in kept if tuple(plain(str(cell)) for cell in row) not in given]
    assert not missing, missing[:3]


def cost_is_the_sum_of_what_was_kept(run: StudyInputs) -> None:
    """The headline against the rows of the store, added up here."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT amount, posting_basis, recorded_at, posted_on FROM {run.engine.tables.scan('ledger')} WHERE month = DATE '2026-10-01'"
        ).fetchall()
    until = dt.datetime(2026, 11, 10, 16)  # the end of 10 November in Shanghai
    seen = [
        amount
        for amount, basis, recorded, posted in rows
        if basis in ("incurred", "recovery") and (recorded or dt.datetime.combine(posted, dt.time())) < until
    ]
    fact = run.engine.fact("after_sales_cost", period=run.month)
    assert (fact.value or Decimal(0)) == sum(seen, Decimal(0))


RUNS = [
    range(40),
    *(pytest.param(range(start, start + 100), marks=pytest.mark.slow) for start in range(1000, 2000, 100)),
]


@pytest.mark.parametrize("seeds", RUNS, ids=str)
def test_every_damaged_export_is_loaded_truly_or_refused(
    tmp_path: Path, seeds: range, record_property: Callable[[str, object], None]
):
    untouched = loaded(written(tmp_path / "untouched"), tmp_path / "store").content_hash
    found = collections.Counter(
        one_run(seed, tmp_path / str(seed), untouched, sections=seed % 100 == 0) for seed in seeds
    )
    for outcome, count in found.items():
        record_property(outcome, count)
    print(dict(found))
    assert set(found) <= {"refused", "unchanged", "true with a changed or lost value"}, found
    assert (
        found["refused"] and found["true with a changed or lost value"]
    )  # damage there was, and not all of it was fatal


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3000, 3006))
def test_a_pack_of_a_damaged_export_is_issued_or_refused(tmp_path: Path, own_root: Path, seed: int):
    from analysis.params import project_root as root
    from analysis.report import make_report

    chance = random.Random(seed)
    folder = written(tmp_path / "data")
    path = folder / f"{chance.choice(['tickets', 'ledger', 'customers'])}.csv"
    lines = path.read_bytes().split(b"\n")
    row = chance.randrange(1, len(lines) - 1)
    lines[row] = damaged(b"\n".join([lines[0], lines[row], b""]), chance)
    path.write_bytes(b"\n".join(lines))
    notebooks = Path(__file__).parents[3] / "notebooks"
    assert root() == own_root
    refused = ""
    try:
        edition = make_report(
            "sample",
            month="2026-10",
            data=str(folder),
            reports=tmp_path / "reports",
            folder=notebooks,
            workers=1,
        )
    except AnalysisError as refusal:
        refused = str(refusal)
    if not refused:
        assert (edition.folder / "after-sales-report.zh.pdf").stat().st_size > 10_000
        return
    # Of the data, or of a ledger that no longer ties out; never a fault of a notebook, and never half a pack.
    assert clear(refused) and "A fault in the notebook" not in refused, refused
    assert not list((tmp_path / "reports").glob("2026-10/edition-*"))
