"""Folders of Parquet: parts by month, and lake tables, whose deleted rows must not come back."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.errors import SourceError
from analysis.sources import apply_map, mapping, scan_folder
from analysis.sources.fingerprint import fingerprint, signature
from analysis.sources.lakes import partitions_of
from analysis.tables import load_tables

from .conftest import stated

TICKETS = {
    "table": "tickets",
    "columns": {"ticket_id": "id", "opened_at": "opened"},
    "constants": {"ticket_type": "repair"},
}


def part(path: Path, *ids: str, **columns: list) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = [dt.datetime(2026, 10, 3, 8)] * len(ids)
    pq.write_table(pa.table({"id": list(ids), "opened": opened, **columns}), path)
    return path


# ---------------------------------------------------------------- parts


def test_folders_of_parts_are_read_and_state_a_column(exports: Path, take):
    part(exports / "tickets/month=2026-09/part-0.parquet", "007", "8")
    part(exports / "tickets/month=2026-10/team=A%2FB/part-0.parquet", "9")
    entry = TICKETS | {"file": "tickets/**/*.parquet"}
    taken = take(entry | {"either": {"product_id": ["month"]}})
    assert taken.rows("tickets", "ticket_id", "product_id") == [
        ("007", "2026-09"),
        ("8", "2026-09"),
        ("9", "2026-10"),
    ]
    assert [one.file for one in taken.mapped] == [
        "tickets/month=2026-09/part-0.parquet",
        "tickets/month=2026-10/team=A%2FB/part-0.parquet",
    ]
    assert taken.counts("tickets") == [(2, 2, 0), (1, 1, 0)]


def test_what_a_folder_s_name_states():
    assert partitions_of("t/month=2026-10/team=A%2FB=C/x=1.parquet") == {"month": "2026-10", "team": "A/B=C"}
    assert partitions_of("t/team=__HIVE_DEFAULT_PARTITION__/p.parquet") == {"team": ""}
    assert partitions_of("tickets.parquet") == {}


def test_a_part_that_says_another_value_than_its_folder_is_refused(exports: Path, take):
    entry = TICKETS | {"file": "t/**/*.parquet", "either": {"product_id": ["line"]}}
    part(exports / "t/line=3/p.parquet", "1", line=[3])
    assert take(entry).rows("tickets", "product_id") == [("3",)]
    part(exports / "t/line=3/p.parquet", "1", "2", line=[3, 4])
    with pytest.raises(
        SourceError, match=r"t/line=3/p\.parquet: line is '4' in the file and '3' in its folder's name"
    ):
        take(entry)


def test_short_floating_point_money_is_what_was_written(exports: Path, take):
    ledger = {"table": "ledger", "columns": {"posting_id": "id", "posted_on": "opened", "amount": "net"}}
    part(exports / "gl.parquet", "1", "2", net=pa.array([1.1, 12345.67], pa.float32()))
    taken = take(ledger | {"file": "gl.parquet"})
    assert [str(row[0]) for row in taken.rows("ledger", "amount")] == ["1.10", "12345.67"]


def test_working_files_of_a_lake_are_no_parts(exports: Path, take):
    part(exports / "t/month=2026-10/p.parquet", "1")
    part(exports / "t/_temporary/0/p.parquet", "2")
    part(exports / "t/month=2026-10/._p.parquet", "3")
    assert take(TICKETS | {"file": "t/**/*.parquet"}).rows("tickets", "ticket_id") == [("1",)]


def test_links_out_of_the_folder_and_links_that_are_not_followed_are_refused(
    exports: Path, tmp_path: Path, take
):
    outside = part(tmp_path / "elsewhere/month=2026-09/p.parquet", "1").parent
    inside = part(exports / "t/month=2026-10/p.parquet", "2")
    (exports / "t/month=2026-09").symlink_to(outside, target_is_directory=True)
    with pytest.raises(SourceError, match=r"t/month=2026-09: a link to a folder, which .* does not follow"):
        take(TICKETS | {"file": "t/**/*.parquet"})
    with pytest.raises(SourceError, match="a link that leaves the data folder"):
        take(TICKETS | {"file": "t/*/*.parquet"})
    (exports / "t/month=2026-09").unlink()
    (inside.parent / "q.parquet").symlink_to(outside / "p.parquet")
    with pytest.raises(SourceError, match="a link that leaves the data folder"):
        take(TICKETS | {"file": "t/**/*.parquet"})


def test_parts_of_a_canonical_table_state_a_column(tmp_path: Path):
    folder = tmp_path / "data"
    one = part(folder / "tickets/product_id=P%201/p.parquet", "1")
    two = part(folder / "tickets/product_id=__HIVE_DEFAULT_PARTITION__/p.parquet", "2")
    for path in (one, two):
        table = pq.read_table(path, partitioning=None).rename_columns(["ticket_id", "opened_at"])
        pq.write_table(table.append_column("ticket_type", pa.array(["repair"])), path)
    tables = load_tables(folder, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai")
    import duckdb

    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT ticket_id, product_id FROM {tables.scan('tickets')} ORDER BY 1"
        ).fetchall()
    assert found == [("1", "P 1"), ("2", None)]


# ---------------------------------------------------------------- lake tables are no folders of Parquet


def signs(kind: str, folder: Path) -> None:
    place = {"Delta Lake": "_delta_log/00000000000000000000.json", "Hudi": ".hoodie/hoodie.properties"}
    path = folder / place.get(kind, "metadata/00001-a.metadata.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}", encoding="utf-8")


@pytest.mark.parametrize("kind", ["Delta Lake", "Hudi", "Iceberg"])
@pytest.mark.parametrize(
    "pattern", ["lake/tickets/*.parquet", "lake/tickets/p.parquet", "**/*.parquet", "lake/**/*.parquet", "lake/*/*/*.parquet", "*/*/*.parquet"]
)  # fmt: skip
def test_files_of_a_lake_table_are_not_read_by_themselves(exports: Path, take, kind: str, pattern: str):
    part(exports / "lake/tickets/p.parquet", "1")
    part(exports / "lake/tickets/month=2026-10/q.parquet", "2")
    signs(kind, exports / "lake/tickets")
    with pytest.raises(
        SourceError,
        match=rf"a file of the {kind} table 'tickets', which keeps files of rows that were deleted",
    ):
        take(TICKETS | {"file": pattern})


def test_a_data_folder_inside_a_lake_table_a_link_and_an_archive_do_not_hide_it(
    exports: Path, tmp_path: Path, take
):
    part(exports / "p.parquet", "1")
    signs("Delta Lake", tmp_path)  # the table begins above the folder of exports
    with pytest.raises(SourceError, match="a file of the Delta Lake table"):
        take(TICKETS | {"file": "p.parquet"})
    (tmp_path / "_delta_log").rename(exports / "log")
    lake = exports / "lake"
    part(lake / "q.parquet", "2")
    signs("Delta Lake", lake)
    (exports / "p.parquet").unlink()
    (exports / "p.parquet").symlink_to(lake / "q.parquet")
    with pytest.raises(SourceError, match="a file of the Delta Lake table 'lake'"):
        take(TICKETS | {"file": "p.parquet"})
    with zipfile.ZipFile(exports / "lake.zip", "w") as archive:
        archive.write(lake / "q.parquet", "lake/q.parquet")
        archive.writestr("lake/_delta_log/00000000000000000000.json", "{}")
    with pytest.raises(SourceError, match=r"lake\.zip: holds a table of the kind Delta Lake"):
        take(TICKETS | {"file": "lake.zip", "member": "*.parquet"})


def test_a_lake_table_of_another_kind_is_refused_in_words(exports: Path, take):
    part(exports / "tickets/data/p.parquet", "1")
    signs("Hudi", exports / "tickets")
    with pytest.raises(
        SourceError,
        match="tickets: a table of the kind Hudi, which is not read.*Export the table's rows as Parquet",
    ):
        take(TICKETS | {"file": "tickets"})


def test_without_its_package_a_delta_table_is_refused_with_what_to_install(exports: Path, take, monkeypatch):
    part(exports / "tickets/p.parquet", "1")
    signs("Delta Lake", exports / "tickets")
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(SourceError, match="Install the project with its extra 'lake'"):
        take(TICKETS | {"file": "tickets"})


@pytest.mark.parametrize("place", ["tickets", "tickets/2026", ""])
def test_a_canonical_folder_does_not_read_a_lake_table_as_parquet(tmp_path: Path, monkeypatch, place: str):
    monkeypatch.setitem(sys.modules, "deltalake", None)
    folder = tmp_path / "data"
    part(folder / place / ("p.parquet" if place else "tickets.parquet"), "1")
    signs("Delta Lake", folder / place)
    with pytest.raises(SourceError, match="Delta Lake table"):
        load_tables(folder, tmp_path / "store", reporting_currency="CNY", time_zone="UTC")


def test_the_fingerprint_of_a_folder_covers_all_its_files(tmp_path: Path):
    folder = tmp_path / "lake"
    part(folder / "a/p.parquet", "1")
    signs("Delta Lake", folder)
    first = fingerprint(folder)
    assert fingerprint(folder) == first and signature(folder) is None  # just written
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        os.utime(path, (1, 1))
    (folder / "a/p.parquet").rename(folder / "a/q.parquet")
    assert (renamed := fingerprint(folder)) != first
    (folder / "_delta_log/00000000000000000000.json").write_text('{"a": 1}', encoding="utf-8")
    assert (changed := fingerprint(folder)) not in (first, renamed)
    (folder / "empty").touch()
    assert fingerprint(folder) not in (first, renamed, changed)


# ---------------------------------------------------------------- Delta tables, with their package


@pytest.fixture
def delta(exports: Path) -> Path:
    """Three hundred tickets in two months, of which a hundred were deleted: their file still lies there."""
    deltalake = pytest.importorskip("deltalake", reason="the extra 'lake' is not installed")
    ids = [f"{n:04d}" for n in range(300)]
    table = pa.table(
        {
            "id": ids,
            "opened": [dt.datetime(2026, 10, 3, 8)] * 300,
            "month": ["2026-09"] * 150 + ["2026-10"] * 150,
        }
    )
    path = exports / "tickets"
    deltalake.write_deltalake(str(path), table, partition_by=["month"])
    deltalake.DeltaTable(str(path)).delete("id < '0100'")
    return path


def test_a_hundred_deleted_rows_do_not_come_back(delta: Path, take):
    files = [path for path in delta.rglob("*.parquet") if "_delta_log" not in path.parts]
    assert sum(pq.read_metadata(path).num_rows for path in files) == 350  # what plain Parquet would give
    taken = take(TICKETS | {"file": "tickets", "either": {"product_id": ["month"]}})
    assert [row[0] for row in taken.rows("tickets", "ticket_id")] == [f"{n:04d}" for n in range(100, 300)]
    assert taken.counts("tickets") == [(200, 200, 0)]
    assert {row[0] for row in taken.rows("tickets", "product_id")} == {"2026-09", "2026-10"}


def test_a_change_in_the_log_is_read_and_nothing_else_is(
    delta: Path, exports: Path, tmp_path: Path, monkeypatch
):
    import deltalake

    opened: list[str] = []
    whole = mapping.open_rows
    monkeypatch.setattr(
        mapping,
        "open_rows",
        lambda form, given, **rest: opened.append(given.name) or whole(form, given, **rest),
    )
    entry = stated(TICKETS | {"file": "tickets"})
    assert [one.read for one in apply_map(entry, exports, tmp_path / "out")] == [200]
    assert [one.read for one in apply_map(entry, exports, tmp_path / "out")] == [200] and opened == [
        "tickets"
    ]
    deltalake.DeltaTable(str(delta)).delete("id = '0100'")
    assert [one.read for one in apply_map(entry, exports, tmp_path / "out")] == [199] and len(opened) == 2


def test_a_delta_table_may_be_a_canonical_table(tmp_path: Path):
    deltalake = pytest.importorskip("deltalake", reason="the extra 'lake' is not installed")
    folder = tmp_path / "data"
    folder.mkdir()
    rows = {
        "ticket_id": ["1", "2", "3"],
        "ticket_type": ["repair"] * 3,
        "opened_at": ["2026-10-03 08:00"] * 3,
    }
    deltalake.write_deltalake(str(folder / "tickets"), pa.table(rows))
    deltalake.DeltaTable(str(folder / "tickets")).delete("ticket_id = '2'")
    assert [file.name for file in scan_folder(folder, ["tickets"]).files] == ["tickets"]
    tables = load_tables(folder, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai")
    assert tables["tickets"].rows == 2
    deltalake.DeltaTable(str(folder / "tickets")).delete("ticket_id = '3'")
    tables = load_tables(folder, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai")
    assert tables["tickets"].rows == 1


def log_entries(delta: Path) -> tuple[Path, list[dict]]:
    log = sorted((delta / "_delta_log").glob("*.json"))[-1]
    return log, [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def test_a_log_that_names_files_elsewhere_is_refused(delta: Path, tmp_path: Path, take):
    other = part(tmp_path / "secret.parquet", "1")
    log, entries = log_entries(delta)
    for entry in entries:
        if "add" in entry:
            entry["add"]["path"] = other.as_uri()
    log.write_text("\n".join(map(json.dumps, entries)), encoding="utf-8")
    with pytest.raises(SourceError, match="the table's log names a file outside its folder|cannot be read"):
        take(TICKETS | {"file": "tickets"})


def test_a_log_that_counts_other_rows_than_there_are_is_refused(delta: Path, take):
    log, entries = log_entries(delta)
    for entry in entries:
        if "add" in entry:
            entry["add"]["stats"] = entry["add"]["stats"].replace('"numRecords":50', '"numRecords":51')
    log.write_text("\n".join(map(json.dumps, entries)), encoding="utf-8")
    with pytest.raises(SourceError, match="the table's log counts 201 rows, 200 were read"):
        take(TICKETS | {"file": "tickets"})


def test_a_lake_table_that_was_cut_is_refused(delta: Path, take):
    log, _ = log_entries(delta)
    log.write_bytes(log.read_bytes()[:-40])
    with pytest.raises(SourceError, match="tickets: the Delta Lake table cannot be read"):
        take(TICKETS | {"file": "tickets"})


def test_a_lake_table_whose_file_is_lost_is_refused(delta: Path, take):
    next(iter(sorted((delta / "month=2026-10").glob("*.parquet")))).unlink()
    with pytest.raises(SourceError, match="tickets: the Delta Lake table cannot be read"):
        take(TICKETS | {"file": "tickets"})
