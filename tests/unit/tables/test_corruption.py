"""Random damage to valid files: every load ends with books that add up or with a refusal a person can act on."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from analysis.errors import ContractError, SourceError
from analysis.tables import load_tables

ROWS = 300
LEDGER = ["posting_id,posted_on,category,amount,currency,team,recorded_at"] + [
    f'P{i},2026-{i % 3 + 1:02d}-{i % 28 + 1:02d},{("parts", "labour", "")[i % 3]},{i}.{i % 100:02d},,"team, {i % 4} 北",2026-03-01 08:00:00'
    for i in range(ROWS)
]


def damaged(content: bytes, chance: random.Random) -> bytes:
    """One of the ways in which files break on their way."""
    data, kind = bytearray(content), chance.randrange(8)
    at = chance.randrange(len(data))
    if kind == 0:
        return bytes(data[:at])
    if kind == 1:
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    elif kind == 2:
        del data[at : at + chance.randrange(1, 200)]
    elif kind == 3:
        data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 40)))
    elif kind == 4:
        data[at:at] = data[chance.randrange(len(data)) :][: chance.randrange(1, 400)]
    elif kind == 5:
        data[at:at] = chance.choice([b'"', b"\n", b"\r", b",", b"\x00", b"\xef\xbb\xbf", b"=cmd()", b";" * 9])
    elif kind == 6:
        data = data.replace(
            chance.choice([b",", b"\n", b"-", b"2026", b"P"]),
            chance.choice([b";", b"\r\n", b"/", b"", b"1,000"]),
        )
    else:
        data[at : at + 64] = bytes(64)
    return bytes(data)


def check_one(folder: Path, store: Path, content: bytes, name: str) -> str:
    """The outcome of one load; fails if the books do not add up or something else than a refusal comes out."""
    folder.mkdir()
    (folder / name).write_bytes(content)
    try:
        tables = load_tables(folder, store, reporting_currency="CNY", time_zone="Asia/Shanghai")
    except (SourceError, ContractError) as refusal:
        return "books wrong" if "report it" in str(refusal) else "refused"
    (books,) = tables["ledger"].waterfall
    with duckdb.connect() as connection:
        kept, keys, unread = connection.execute(
            f"SELECT count(*), count(DISTINCT posting_id), count_if(posted_on IS NULL OR amount IS NULL) FROM {tables.scan('ledger')}"
        ).fetchall()[0]
    assert kept == keys == books.accepted
    assert unread == 0
    assert books.rows_read == books.accepted + books.quarantined + books.exact_duplicates
    faulty = tables.quarantine
    assert faulty[faulty["scope"] == "row"]["row_number"].nunique() == books.quarantined
    return "loaded"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    "block",
    [
        range(12),
        *(pytest.param(range(start, start + 100), marks=pytest.mark.slow) for start in range(100, 1100, 100)),
    ],
    ids=str,
)
def test_damage_is_survived_or_refused(tmp_path, kind, block):
    content = ("\n".join(LEDGER) + "\n").encode()
    if kind == "parquet":
        plain = tmp_path / "plain.csv"
        plain.write_bytes(content)
        pq.write_table(pyarrow.csv.read_csv(plain), tmp_path / "plain.parquet", row_group_size=100)
        content = (tmp_path / "plain.parquet").read_bytes()
    outcomes = {
        check_one(
            tmp_path / f"{seed}",
            tmp_path / f"store{seed}",
            damaged(content, random.Random(seed)),
            f"ledger.{kind}",
        )
        for seed in block
    }
    assert "refused" in outcomes  # damage there was
    assert "books wrong" not in outcomes
