"""A table arrives damaged, in another form or as something else: read as what it is, row by row, or refused; never fewer rows unsaid."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile
from collections.abc import Callable

import pandas as pd
import pytest

from mistreat.house import House

Damage = Callable[[bytes], bytes]
SAME: dict[str, Damage] = {
    "UTF-16": lambda text: text.decode().encode("utf-16"),
    "UTF-8 with a mark": lambda text: b"\xef\xbb\xbf" + text,
    "lines of Windows": lambda text: text.replace(b"\n", b"\r\n"),
    "no last line break": lambda text: text.rstrip(b"\n"),
    "blank lines at its end": lambda text: text + b"\n\n\n",
    "every field quoted": lambda text: (
        b"\n".join(
            b",".join(b'"' + field + b'"' if field else b"" for field in row.split(b","))
            for row in text.splitlines()
        )
        + b"\n"
    ),
    "columns in another order": lambda text: (
        b"\n".join(b",".join(reversed(row.split(b","))) for row in text.splitlines()) + b"\n"
    ),
    "rows in another order": lambda text: (
        b"\n".join([text.splitlines()[0], *text.splitlines()[:0:-1]]) + b"\n"
    ),
}


def but_doubts(house: House, fault: str) -> dict[str, object]:
    """Facts of the second edition without the doubts of one kind about its files."""
    return {
        id: fact for id, fact in house.facts(2).items() if not id.startswith(f"faulty_rows@fault={fault},")
    }


@pytest.mark.parametrize("damage", SAME.values(), ids=SAME.keys())
def test_the_same_rows_in_another_form(damage: Damage, house: House, second: House) -> None:
    """The same facts, or a refusal: a form that cannot be read is no reason to guess."""
    path = house.table("tickets")
    path.write_bytes(damage(path.read_bytes()))
    outcome = house.report()
    house.judge(outcome, code=(0, 3, 4), words="issued|tickets")
    if outcome.code == 0:
        assert but_doubts(house, "last_line") == second.facts(2)  # the file could have been cut there


def quote_before(row: bytes, *, closed: bytes = b"") -> Damage:
    """A stray quote before one field, closed (or not) by another further down."""

    def damaged(text: bytes) -> bytes:
        assert row in text
        text = text.replace(row, b'"' + row, 1)
        return text.replace(closed, closed + b'"', 1) if closed else text

    return damaged


def _zipped(text: bytes, name: str = "tickets.csv") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


WRONG: dict[str, Damage] = {
    "a stray quote": quote_before(b"T2,"),
    "a stray quote closed two lines on": quote_before(b"T2,", closed=b"T4"),
    "a stray quote in the last line": quote_before(b"T99,"),
    "a stray quote within a line": lambda text: text.replace(b"repair", b'"repair', 1),
    "a quote in the head": lambda text: b'"' + text,
    "cut in a line": lambda text: text[: len(text) - 40],
    "cut in the head": lambda text: text[:15],
    "empty": lambda text: b"",
    "a head alone": lambda text: text.splitlines()[0] + b"\n",
    "one blank": lambda text: b" ",
    "zero bytes": lambda text: b"\x00" * len(text),
    "a zero byte within": lambda text: text.replace(b"T3", b"T\x003", 1),
    "invalid UTF-8": lambda text: text.replace(b"inquiry", b"inq\xff\xfeuiry", 1),
    "noise": lambda text: bytes(range(256)) * 20,
    "a column twice": lambda text: text.replace(b"product_id", b"customer_id", 1),
    "a column gone": lambda text: b"\n".join(b",".join(row.split(b",")[1:]) for row in text.splitlines())
    + b"\n",
    "a login page": lambda text: b"<!DOCTYPE html><html><body>Please sign in</body></html>",
    "an error message": lambda text: json.dumps({"error": "rate limit"}).encode(),
    "JSON": lambda text: json.dumps([{"ticket_id": "T1"}]).encode(),
    "zipped": _zipped,
    "packed": gzip.compress,
    "a zip that climbs out": lambda text: _zipped(text, "../../outside.csv"),
    "a pickle": lambda text: pickle.dumps({"rows": 3}),
    "Parquet in name": lambda text: b"PAR1" + text + b"PAR1",
    "a row too long": lambda text: text + b"T98,C1,P1,repair" + b",x" * 40 + b"\n",
    "a row too short": lambda text: text + b"T98,C1\n",
    "a total at its end": lambda text: text + b"Total,,,,,,,7.0,,,\n",
    "a head in its middle": lambda text: text + text.splitlines()[0] + b"\n",
    "a key twice, another row": lambda text: text + b"T1,C2,P2,repair,2026-09-01T02:00:00,,false,9.0,closed,false,\n",
    "days in another order": lambda text: text.replace(b"2026-10-05T02:00:00", b"05/10/2026 02:00", 1),
    "a merge conflict": lambda text: b"<<<<<<< HEAD\n" + text + b"=======\n>>>>>>> theirs\n",
}  # fmt: skip


@pytest.mark.parametrize("damage", WRONG.values(), ids=WRONG.keys())
def test_a_table_that_is_damaged(damage: Damage, house: House) -> None:
    """Refused, or every line that was there is accepted, set aside or a duplicate."""
    path = house.table("tickets")
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    outcome = house.report()
    house.judge(outcome, code=(0, 2, 3, 4, 5), words="issued|tickets")
    assert not (house.root.parent / "outside.csv").exists()
    if outcome.code == 0:
        inputs = json.loads((house.edition(2) / "manifest.json").read_text("utf-8"))["inputs"]
        (file,) = next(table["files"] for table in inputs if table["table"] == "tickets")
        assert file["rows_read"] == len(damaged.splitlines()) - 1
        assert file["rows_read"] == file["accepted"] + file["quarantined"] + file["exact_duplicates"]


def test_files_that_are_no_tables_change_nothing(house: House, second: House) -> None:
    for name, content in {
        "README.txt": b"hello",
        "~$tickets.xlsx": b"lock",
        ".DS_Store": b"\x00\x01",
        "Thumbs.db": b"\xd0\xcf",
        "notes.docx": b"PK\x03\x04",
    }.items():
        (house.company / name).write_bytes(content)
    outcome = house.report()
    house.judge(outcome, code=(0, 2, 3))
    if outcome.code == 0:
        assert but_doubts(house, "unknown_file") == second.facts(2)


def test_a_table_beside_a_file_of_its_name(house: House, second: House) -> None:
    """A file of another kind is not read, and the page on doubts names it."""
    (house.company / "tickets.tsv").write_bytes(house.table("tickets").read_bytes().replace(b",", b"\t"))
    house.judge(house.report(), code=0)
    assert but_doubts(house, "unknown_file") == second.facts(2)
    assert any("tickets.tsv" in id for id in house.facts(2).keys() - second.facts(2))


def test_a_table_in_two_files(house: House) -> None:
    """Which of the two is meant nobody can know."""
    rows = pd.read_csv(house.table("tickets"), dtype=str)
    rows.to_parquet(house.company / "tickets.parquet", index=False)
    house.judge(house.report(), code=(2, 3, 4), words="tickets")
