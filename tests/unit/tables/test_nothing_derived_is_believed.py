"""The store may be damaged in any way between two runs: what is loaded is what the sources hold, and it is said that it was made again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analysis.errors import SourceError
from analysis.tables import TableSet

LEDGER = "posting_id,posted_on,category,amount"


def quiet(path: Path, change: Callable[[Path], None]) -> None:
    """Change a file and leave its name and its time as they were."""
    before = path.stat()
    change(path)
    if path.exists():
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def half_the_rows(path: Path) -> None:
    table = pq.read_table(path)
    pq.write_table(table.slice(0, max(1, table.num_rows // 2)), path)


def first_of(store: Path, pattern: str) -> Path:
    return sorted(store.glob(pattern))[0]


def other_numbers(path: Path) -> None:
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["tables"]["ledger"]["waterfall"][0]["accepted"] = 2
    manifest["tables"]["ledger"]["waterfall"][0]["rows_read"] = 3
    path.write_text(json.dumps(manifest), encoding="utf-8")


def swapped(store: Path) -> None:
    one, other = sorted(store.glob("ledger/*.parquet"))[:2]
    held = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(held)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "half the rows": lambda store: quiet(first_of(store, "ledger/*.parquet"), half_the_rows),
    "cut": lambda store: quiet(
        first_of(store, "ledger/*.parquet"), lambda path: path.write_bytes(path.read_bytes()[:-9])
    ),
    "empty": lambda store: quiet(first_of(store, "ledger/*.parquet"), lambda path: path.write_bytes(b"")),
    "gone": lambda store: first_of(store, "ledger/*.parquet").unlink(),
    "two months changed places": swapped,
    "a table gone": lambda store: shutil.rmtree(store / "ledger"),
    "what was set aside gone": lambda store: first_of(store, "_quarantine/*.parquet").unlink(),
    "what was set aside shortened": lambda store: quiet(
        first_of(store, "_quarantine/*.parquet"), half_the_rows
    ),
    "other numbers in the manifest": lambda store: other_numbers(store / "tables.json"),
    "a manifest that is a list": lambda store: (store / "tables.json").write_text("[1]") and None,
    "a manifest cut in the middle": lambda store: quiet(
        store / "tables.json", lambda path: path.write_bytes(path.read_bytes()[:200])
    ),
    "a manifest that is no text": lambda store: (store / "tables.json").write_bytes(b"\xff\xfe\x00") and None,
}


@pytest.fixture
def filled(write) -> None:
    write(
        "ledger.csv",
        LEDGER,
        "P1,2026-01-05,parts,1.00",
        "P2,2026-01-06,parts,2.00",
        "P3,2026-02-05,parts,3.00",
        "P4,2026-02-06,labour,4.00",
        "P5,2026-02-07,labour,much",
        "P6,2026-02-08,labour,more",
    )


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_store_is_made_again_and_said(damage, filled, load, store, values):
    first = load()
    rows = values(first, "ledger", "posting_id", "amount")
    damage(store)
    said: list[str] = []
    again = load(progress=said.append)
    assert values(again, "ledger", "posting_id", "amount") == rows
    assert again.content_hash == first.content_hash
    assert again["ledger"].waterfall == first["ledger"].waterfall
    assert list(again.quarantine["row_number"]) == list(first.quarantine["row_number"]) == [5, 6]
    assert any("made again" in line for line in said)
    quiet_again: list[str] = []
    load(progress=quiet_again.append)
    assert quiet_again == []  # it stands now


@pytest.mark.parametrize(
    "damage", [DAMAGE["half the rows"], DAMAGE["other numbers in the manifest"], DAMAGE["gone"]]
)
def test_a_damaged_store_is_not_opened_without_its_sources(damage, filled, load, store):
    load()
    damage(store)
    with pytest.raises(SourceError, match="holds no validated tables"):
        TableSet.open(store)
