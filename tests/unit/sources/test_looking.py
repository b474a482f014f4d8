"""A folder nobody has described: what lies in its sub-folders and archives is looked at by a pattern that reads it again."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.errors import SourceError
from analysis.sources.jsonrows import json_rows
from analysis.sources.looking import look_through
from analysis.sources.reading import find_inputs

CSV = "Ticket ID,Opened At\nT1,2026-10-01 08:00\n"


def put(path: Path, text: str = CSV) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def part(path: Path, *columns: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({column: ["1"] for column in columns}), path)


def looked(folder: Path) -> list[tuple[str, str]]:
    """(name, pattern) of every look; each pattern names the files that were there."""
    found = look_through(folder)
    assert all(find_inputs(folder, look.pattern, "*") for look in found.looks)
    return [(look.name, look.pattern) for look in found.looks]


def test_files_in_sub_folders_by_month_are_one_table(exports: Path):
    for month in ("2026/09", "2026/10"):
        put(exports / "desk" / month / "tickets.csv")
        put(exports / "desk" / month / f"orders-{month.replace('/', '-')}.csv", "Order ID,Total\n1,2\n")
    assert looked(exports) == [("orders-*", "desk/**/orders-*.csv"), ("tickets", "desk/**/tickets.csv")]
    assert len(find_inputs(exports, "desk/**/tickets.csv", "")) == 2


def test_folders_of_parquet_parts_with_other_columns_are_other_tables(exports: Path):
    part(exports / "lake/tickets/month=2026-09/p.parquet", "id", "opened")
    part(exports / "lake/tickets/month=2026-10/p.parquet", "id", "opened")
    part(exports / "lake/customers/p.parquet", "id", "region")
    assert looked(exports) == [
        ("customers", "lake/customers/**/*.parquet"),
        ("tickets", "lake/tickets/**/*.parquet"),
    ]


def test_folders_of_parquet_parts_with_the_same_columns_are_one(exports: Path):
    part(exports / "tickets/europe/p.parquet", "id", "opened")
    part(exports / "tickets/asia/p.parquet", "id", "opened")
    assert looked(exports) == [("tickets", "tickets/**/*.parquet")]


def test_a_member_in_a_folder_of_an_archive_is_named_as_the_map_finds_it(exports: Path):
    with zipfile.ZipFile(exports / "export.zip", "w") as archive:
        archive.writestr("exp [1]/tickets.csv", CSV)
    (look,) = look_through(exports).looks
    (given,) = find_inputs(exports, look.pattern, str(look.form["member"]))
    assert given.member == "exp [1]/tickets.csv"


@pytest.mark.parametrize(
    "log", ["t/_delta_log/0.json", "t/.hoodie/hoodie.properties", "t/metadata/v1.metadata.json"]
)
def test_an_archive_with_a_lake_table_is_not_read_as_its_files(exports: Path, log: str):
    with zipfile.ZipFile(exports / "lake.zip", "w") as archive:
        archive.writestr("t/data/p.csv", CSV)
        archive.writestr(log, "{}")
    with pytest.raises(SourceError, match=r"lake\.zip: holds a table of the kind .*Unpack it"):
        find_inputs(exports, "lake.zip", "*")


def test_an_object_around_its_list_is_said(exports: Path):
    answer = {"tickets": [{"id": 1}, {"id": 2}], "next_page": None}
    put(exports / "tickets.json", json.dumps(answer))
    assert "one object around the list 'tickets'. Save the list itself" in look_through(exports).remarks[0]
    path = put(exports / "tickets.json", json.dumps(answer, indent=1))
    with pytest.raises(SourceError, match="line 1 .* or is neither a list of objects nor one object a line"):
        json_rows(path, "tickets.json", "utf-8")
