"""Iceberg tables that were copied: rows come from the folder as it lies here, and none that was deleted."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import shutil
import struct
import sys
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.errors import SourceError
from analysis.sources.looking import look_through
from analysis.tables import load_tables

TICKETS = {
    "table": "tickets",
    "file": "tickets",
    "columns": {"ticket_id": "id", "opened_at": "opened"},
    "constants": {"ticket_type": "repair"},
}
SCHEMA = pa.schema([("id", pa.string()), ("opened", pa.timestamp("us")), ("month", pa.string())])
Copied = Callable[..., Path]

pytest.importorskip("pyiceberg", reason="the extra 'lake' is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def rows(ids: Iterable[str], month: str = "2026-10") -> pa.Table:
    stated = [(one, dt.datetime(2026, 10, 3, 8), month) for one in ids]
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in stated], schema=SCHEMA)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return tmp_path / "warehouse"


@pytest.fixture
def catalog(warehouse: Path) -> Any:
    from pyiceberg.catalog.sql import SqlCatalog

    warehouse.mkdir()
    catalog = SqlCatalog("test", uri="sqlite:///:memory:", warehouse=warehouse.as_uri())
    catalog.create_namespace("desk")
    yield catalog
    catalog.close()


@pytest.fixture
def written(catalog: Any) -> Callable[..., Any]:
    """``written("tickets", schema, partition="month")``: an empty table by the package itself."""

    def write(
        name: str = "tickets", schema: pa.Schema = SCHEMA, *, partition: str = "", version: int = 2
    ) -> Any:
        table = catalog.create_table(f"desk.{name}", schema, properties={"format-version": str(version)})
        if partition:
            with table.update_spec() as spec:
                spec.add_identity(partition)
        return table

    return write


@pytest.fixture
def copied(exports: Path, warehouse: Path) -> Copied:
    """The table's folder among the exports, and nothing left of where it was written."""

    def copy(table: Any, to: str = "tickets") -> Path:
        place = Path(table.location().removeprefix("file://"))
        shutil.copytree(place, exports / to)
        shutil.rmtree(warehouse)
        return exports / to

    return copy


def ids(taken: Any) -> list[str]:
    return [row[0] for row in taken.rows("tickets", "ticket_id")]


# ---------------------------------------------------------------- rows of today


@pytest.mark.parametrize("version", [1, 2])
def test_a_copied_table_gives_its_newest_rows_and_no_deleted_one(written, copied: Copied, take, version: int):
    table = written(partition="month", version=version)
    table.append(rows([f"{n:04d}" for n in range(150)], "2026-09"))
    table.append(rows([f"{n:04d}" for n in range(150, 300)]))
    table.delete("id < '0100'")
    folder = copied(table)
    kept = sum(pq.read_metadata(path).num_rows for path in folder.rglob("*.parquet"))
    assert kept == 350  # what plain Parquet would give
    taken = take(TICKETS | {"either": {"product_id": ["month"]}})
    assert ids(taken) == [f"{n:04d}" for n in range(100, 300)]
    assert taken.counts("tickets") == [(200, 200, 0)]
    assert {row[0] for row in taken.rows("tickets", "product_id")} == {"2026-09", "2026-10"}


def test_an_empty_table_has_its_columns_and_no_row(written, copied: Copied, exports: Path):
    copied(written())
    (look,) = look_through(exports).looks
    assert (look.header, look.rows) == (SCHEMA.names, [])


def test_a_table_whose_rows_were_all_deleted_is_empty(written, copied: Copied, exports: Path):
    table = written()
    table.append(rows(["1", "2"]))
    table.delete("id >= '0'")
    copied(table)
    (look,) = look_through(exports).looks
    assert (look.header, look.rows) == (SCHEMA.names, [])


def test_a_renamed_column_an_added_one_and_one_that_became_wider(
    written, copied: Copied, take, exports: Path
):
    narrow = pa.schema([("id", pa.string()), ("opened", pa.timestamp("us")), ("count", pa.int32())])
    table = written(schema=narrow)
    opened = dt.datetime(2026, 10, 3, 8)
    table.append(pa.Table.from_pylist([{"id": "1", "opened": opened, "count": 7}], schema=narrow))
    with table.update_schema() as change:
        from pyiceberg.types import LongType, StringType

        change.rename_column("id", "number")
        change.update_column("count", LongType())
    with table.update_schema() as change:
        change.add_column("id", StringType())  # the old name, another column
    wide = pa.schema([("number", pa.string()), ("opened", pa.timestamp("us")), ("count", pa.int64()), ("id", pa.string())])  # fmt: skip
    table.append(
        pa.Table.from_pylist([{"number": "2", "opened": opened, "count": 2**40, "id": "x"}], schema=wide)
    )
    copied(table)
    (look,) = look_through(exports).looks
    assert look.header == ["number", "opened", "count", "id"]
    assert look.rows == [["1", opened, 7, None], ["2", opened, 2**40, "x"]]
    taken = take(TICKETS | {"columns": {"ticket_id": "number", "opened_at": "opened", "product_id": "id"}})
    assert taken.rows("tickets", "ticket_id", "product_id") == [("1", None), ("2", "x")]


def test_an_identity_partition_may_be_left_out_of_the_data_files(written, copied: Copied, take):
    table = written(partition="month")
    table.append(rows(["1"], "2026-09"))
    table.append(rows(["2"]))
    folder = copied(table)
    for path in folder.rglob("*.parquet"):
        pq.write_table(pq.read_table(path, partitioning=None).drop_columns("month"), path)
    taken = take(TICKETS | {"either": {"product_id": ["month"]}})
    assert taken.rows("tickets", "ticket_id", "product_id") == [("1", "2026-09"), ("2", "2026-10")]


def test_a_place_on_a_store_and_another_spelling_of_it_are_found_in_the_folder(written, copied: Copied, take):
    table = written()
    with table.transaction() as change:
        change.set_properties({"write.avro.compression-codec": "null"})
    table.append(rows(["1", "2"]))
    folder, old = copied(table), table.location()
    place = "s3a://lake-of-acme/".ljust(len(old), "x")
    for path in (folder / "metadata").iterdir():
        path.write_bytes(path.read_bytes().replace(old.encode(), place.encode()))
    state = newest(folder)
    content = json.loads(state.read_text())
    assert content["location"] == place and old.encode() not in b"".join(path.read_bytes() for path in folder.glob("metadata/*.avro"))  # fmt: skip
    state.write_text(json.dumps(content | {"location": place.replace("s3a:", "s3:")}))
    assert ids(take(TICKETS)) == ["1", "2"]


def test_an_iceberg_table_may_be_a_canonical_table(tmp_path: Path, written, copied: Copied, exports: Path):
    schema = pa.schema([("ticket_id", pa.string()), ("ticket_type", pa.string()), ("opened_at", pa.string())])
    table = written(schema=schema)
    stated = [("1", "repair", "2026-10-03 08:00"), ("2", "repair", "2026-10-03 08:00")]
    table.append(
        pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in stated], schema=schema)
    )
    table.delete("ticket_id = '2'")
    copied(table)
    tables = load_tables(exports, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai")
    assert tables["tickets"].rows == 1


# ---------------------------------------------------------------- which metadata holds


def newest(folder: Path) -> Path:
    return sorted((folder / "metadata").glob("*.metadata.json"))[-1]


def test_the_hint_is_followed_and_a_later_version_without_a_gap(written, copied: Copied, take):
    table = written()
    table.append(rows(["1"]))
    table.append(rows(["2"]))
    table.append(rows(["3"]))
    metadata = copied(table) / "metadata"
    for number, path in enumerate(sorted(metadata.glob("*.metadata.json"))):
        path.rename(metadata / f"v{number}.metadata.json")
    (metadata / "version-hint.text").write_text("1")
    assert ids(take(TICKETS)) == ["1", "2", "3"]
    (metadata / "v2.metadata.json").unlink()  # what follows a gap is left from another time
    assert ids(take(TICKETS)) == ["1"]
    (metadata / "version-hint.text").unlink()
    assert ids(take(TICKETS)) == ["1", "2", "3"]


def test_versions_are_numbers_and_may_be_packed(written, copied: Copied, take):
    table = written()
    for one in range(11):
        table.append(rows([str(one)]))
    metadata = copied(table) / "metadata"
    for number, path in enumerate(sorted(metadata.glob("*.metadata.json"))):
        (metadata / f"v{number}.gz.metadata.json").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert len(ids(take(TICKETS))) == 11  # v11, not v9


def test_two_newest_states_are_refused(written, copied: Copied, take):
    table = written()
    table.append(rows(["1"]))
    table.append(rows(["2"]))
    folder = copied(table)
    one, other = sorted((folder / "metadata").glob("*.metadata.json"))[-2:]
    twin = other.with_name("00002-aaaa.metadata.json")
    shutil.copy(one, twin)
    with pytest.raises(
        SourceError, match=r"00002-.* and metadata/00002-.* both claim to be the table's newest state"
    ):
        take(TICKETS)
    shutil.copy(other, twin)
    assert ids(take(TICKETS)) == ["1", "2"]


# ---------------------------------------------------------------- files of deletes, as Spark and Flink write them


def deleting(
    table: Any,
    kind: str,
    content: pa.Table,
    *,
    of: tuple[int, ...] = (),
    month: str | None = None,
    at: int = 0,
) -> None:
    """The next snapshot of the table, with one more file of deletes, of commit ``at``; the package itself writes none."""
    from pyiceberg.io.pyarrow import PyArrowFileIO
    from pyiceberg.manifest import (
        DataFile,
        DataFileContent,
        FileFormat,
        ManifestContent,
        ManifestEntry,
        ManifestEntryStatus,
        ManifestWriterV2,
        write_manifest_list,
    )
    from pyiceberg.typedef import Record

    class Deletes(ManifestWriterV2):
        def content(self) -> ManifestContent:
            return ManifestContent.DELETES

    table.refresh()
    place, io, metadata = Path(table.location().removeprefix("file://")), PyArrowFileIO(), table.metadata
    number, sequence = metadata.last_sequence_number + 1000, at or metadata.last_sequence_number + 1
    packed = isinstance(content, bytes)  # a deletion vector, of format 3
    path = place / f"data/deletes-{number}.{'puffin' if packed else 'parquet'}"
    path.write_bytes(content) if packed else pq.write_table(content, path)
    spec = metadata.spec() if month else metadata.specs()[0]
    file = DataFile.from_args(
        content=DataFileContent[kind],
        file_path=path.as_uri(),
        file_format=FileFormat.PUFFIN if packed else FileFormat.PARQUET,
        partition=Record(month) if month else Record(),
        record_count=1 if packed else content.num_rows,
        file_size_in_bytes=path.stat().st_size,
        equality_ids=list(of) or None,
        spec_id=spec.spec_id,
    )
    manifest = io.new_output((place / f"metadata/deletes-{number}.avro").as_uri())
    with Deletes(spec, metadata.schema(), manifest, number, "null") as writer_of_deletes:
        entry = ManifestEntry.from_args(status=ManifestEntryStatus.ADDED, snapshot_id=number, data_file=file)
        writer_of_deletes.add_entry(entry)
    listed = place / f"metadata/snap-{number}.avro"
    parent = table.current_snapshot()
    with write_manifest_list(2, io.new_output(listed.as_uri()), number, parent.snapshot_id, sequence, "null") as writer:  # fmt: skip
        writer.add_manifests([*parent.manifests(io), writer_of_deletes.to_manifest_file()])
    state = json.loads(newest(place).read_text())
    state["snapshots"].append({"snapshot-id": number, "sequence-number": sequence, "timestamp-ms": state["last-updated-ms"], "manifest-list": listed.as_uri(), "summary": {"operation": "delete"}, "schema-id": state["current-schema-id"]})  # fmt: skip
    state |= {"current-snapshot-id": number, "last-sequence-number": sequence}
    if packed:
        state |= {"format-version": 3, "next-row-id": 100}
        state["snapshots"][-1] |= {"first-row-id": 50, "added-rows": 0}
    state["refs"]["main"]["snapshot-id"] = number
    (place / f"metadata/{number:05d}-d.metadata.json").write_text(json.dumps(state))


def places(*of: tuple[str, int]) -> pa.Table:
    """Positions of deleted rows, with the ids of the columns that the specification gives."""
    columns = {
        "file_path": pa.array([path for path, _ in of]),
        "pos": pa.array([at for _, at in of], pa.int64()),
    }
    return numbered(pa.table(columns), 2147483546, 2147483545)


def numbered(table: pa.Table, *ids: int) -> pa.Table:
    stated = zip(table.schema, ids, strict=True)
    return table.cast(
        pa.schema([column.with_metadata({"PARQUET:field_id": str(one)}) for column, one in stated])
    )


def data_files(table: Any) -> list[str]:
    table.refresh()
    return [
        task.file.file_path
        for task in sorted(table.scan().plan_files(), key=lambda task: task.file.file_path)
    ]


def holding(table: Any, one: str) -> str:
    (path,) = (path for path in data_files(table) if one in pq.read_table(path.removeprefix("file://"), partitioning=None)["id"].to_pylist())  # fmt: skip
    return path


def deletion_vector(path: str, *at: int) -> bytes:
    """A Puffin file with one deletion vector, byte by byte (iceberg.apache.org/puffin-spec, "deletion-vector-v1")."""
    from pyroaring import BitMap

    bits = b"\xd1\xd3\x39\x64" + struct.pack("<QI", 1, 0) + BitMap(at).serialize()
    blob = struct.pack(">I", len(bits)) + bits + struct.pack(">I", zlib.crc32(bits))
    properties = {"referenced-data-file": path, "cardinality": str(len(at))}
    stated = {"type": "deletion-vector-v1", "fields": [2147483545], "snapshot-id": -1, "sequence-number": -1, "offset": 4, "length": len(blob), "properties": properties}  # fmt: skip
    footer = json.dumps({"blobs": [stated]}).encode()
    return b"PFA1" + blob + b"PFA1" + footer + struct.pack("<I", len(footer)) + bytes(4) + b"PFA1"


def test_rows_deleted_by_a_vector_do_not_come_back(written, copied: Copied, take):
    table = written()
    table.append(rows(["1", "2", "3"]))
    table.append(rows(["4", "5"]))
    deleting(table, "POSITION_DELETES", deletion_vector(holding(table, "1"), 0, 2))
    copied(table)
    assert ids(take(TICKETS)) == ["2", "4", "5"]


@pytest.mark.parametrize("kind", ["POSITION_DELETES", "EQUALITY_DELETES"])
def test_a_file_of_deletes_with_fewer_rows_than_counted_is_refused(written, copied: Copied, take, kind: str):
    table = written()
    table.append(rows(["1", "2", "3"]))
    path = holding(table, "1")
    equal = kind == "EQUALITY_DELETES"
    content = numbered(pa.table({"id": ["1", "2"]}), 1) if equal else places((path, 0), (path, 1))
    deleting(table, kind, content, of=(1,) if equal else ())
    folder = copied(table)
    (deletes,) = folder.glob("data/deletes-*.parquet")
    pq.write_table(content.slice(0, 1), deletes)
    with pytest.raises(SourceError, match=r"deletes-.*\.parquet names 1 deleted rows, the table counts 2"):
        take(TICKETS)


@pytest.mark.parametrize("spelled", ["file://", "file:", "s3://"])
def test_rows_deleted_by_their_position_do_not_come_back(written, copied: Copied, take, spelled: str):
    table = written(partition="month")
    table.append(rows(["1", "2", "3"], "2026-09"))
    table.append(rows(["4", "5"]))
    first, second = (holding(table, one).replace("file://", spelled) for one in ("1", "4"))
    deleting(
        table,
        "POSITION_DELETES",
        places((first, 0), (first, 2), (first, 2), (second, 1), (first, 99)),
        month="2026-09",
    )
    copied(table)
    assert ids(take(TICKETS)) == ["2", "4"]


def test_a_file_that_came_after_a_delete_keeps_its_rows(written, copied: Copied, take):
    table = written()
    table.append(rows(["1", "2"]))
    path = holding(table, "1")
    deleting(table, "POSITION_DELETES", places((path, 0)))
    folder = copied(table)
    assert ids(take(TICKETS)) == ["2"]
    state = newest(folder)
    content = json.loads(state.read_text())
    content["current-snapshot-id"] = content["snapshots"][0]["snapshot-id"]  # rolled back
    state.write_text(json.dumps(content))
    assert ids(take(TICKETS)) == ["1", "2"]


def test_rows_deleted_by_their_values_do_not_come_back_and_later_rows_stay(written, copied: Copied, take):
    table = written()
    table.append(rows(["1", "2", "3"], "2026-09"))
    table.append(
        pa.Table.from_pylist(
            [{"id": None, "opened": dt.datetime(2026, 10, 3, 8), "month": "x"}], schema=SCHEMA
        )
    )
    gone = pa.table({"id": ["1", "3", None], "month": ["2026-09", "2026-10", "x"]})
    deleting(table, "EQUALITY_DELETES", numbered(gone, 1, 3), of=(1, 3))
    copied(table)
    assert ids(take(TICKETS)) == ["2", "3"]  # 3 has another month; nothing equals nothing


@pytest.mark.parametrize(
    ("kind", "at", "left"),
    [
        (
            "EQUALITY_DELETES",
            2,
            [("1", "2026-11"), ("2", "2026-10"), ("3", "2026-11")],
        ),  # not in its own commit
        ("POSITION_DELETES", 2, [("1", "2026-10"), ("2", "2026-10"), ("3", "2026-11")]),  # in its own as well
        ("POSITION_DELETES", 1, [("1", "2026-10"), ("1", "2026-11"), ("2", "2026-10"), ("3", "2026-11")]),
    ],
)
def test_a_delete_holds_for_older_commits(
    written, copied: Copied, exports: Path, kind: str, at: int, left: list
):
    table = written()
    table.append(rows(["1", "2"]))
    table.append(rows(["1", "3"], "2026-11"))
    of, content = (), places((holding(table, "3"), 0))
    if kind == "EQUALITY_DELETES":
        of, content = (1,), numbered(pa.table({"id": ["1"]}), 1)
    deleting(table, kind, content, of=of, at=at)
    copied(table)
    (look,) = look_through(exports).looks
    assert sorted((row[0], row[2]) for row in look.rows) == left


def test_deletes_by_value_hold_in_their_partition_only(written, copied: Copied, exports: Path):
    table = written(partition="month")
    table.append(rows(["1", "2"], "2026-09"))
    table.append(rows(["1", "2"]))
    deleting(table, "EQUALITY_DELETES", numbered(pa.table({"id": ["1"]}), 1), of=(1,), month="2026-09")
    copied(table)
    (look,) = look_through(exports).looks
    assert sorted((row[2], row[0]) for row in look.rows) == [
        ("2026-09", "2"),
        ("2026-10", "1"),
        ("2026-10", "2"),
    ]


def test_deletes_by_a_column_that_the_table_no_longer_has_hold_as_well(
    written, copied: Copied, exports: Path
):
    table = written()
    table.append(rows(["1"], "2026-09"))
    table.append(rows(["2"]))
    with table.update_schema() as change:
        change.delete_column("month")
    deleting(table, "EQUALITY_DELETES", numbered(pa.table({"month": ["2026-09"]}), 3), of=(3,))
    copied(table)
    (look,) = look_through(exports).looks
    assert (look.header, [row[0] for row in look.rows]) == (["id", "opened"], ["2"])


# ---------------------------------------------------------------- what is refused


def test_a_lost_file_is_named(written, copied: Copied, take):
    table = written()
    table.append(rows(["1"]))
    table.append(rows(["2"]))
    folder = copied(table)
    (lost, _) = sorted((folder / "data").rglob("*.parquet"))
    lost.unlink()
    with pytest.raises(
        SourceError, match=rf"tickets/data/{lost.name} is not there, and the table's newest rows need it"
    ):
        take(TICKETS)


def test_a_lost_manifest_is_named(written, copied: Copied, take):
    table = written()
    table.append(rows(["1"]))
    folder = copied(table)
    for path in folder.glob("metadata/*-m0.avro"):
        path.unlink()
    with pytest.raises(SourceError, match=r"tickets/metadata/.*-m0\.avro is not there"):
        take(TICKETS)


def test_a_file_outside_the_table_is_not_read(written, copied: Copied, take, tmp_path: Path):
    table = written()
    table.append(rows(["1"]))
    folder = copied(table)
    state = newest(folder)
    state.write_text(state.read_text().replace(table.location(), table.location() + "/x"))
    with pytest.raises(SourceError, match="tickets: the table names a file outside its folder"):
        take(TICKETS)
    content = json.loads(state.read_text())
    outside = tmp_path / "secret.avro"
    outside.write_bytes(next(folder.glob("metadata/snap-*.avro")).read_bytes())
    content["location"] = "s3://b/t"
    content["snapshots"][0]["manifest-list"] = "s3://b/t/../../secret.avro"
    state.write_text(json.dumps(content))
    with pytest.raises(SourceError, match=r"secret\.avro is not there"):
        take(TICKETS)


@pytest.mark.parametrize(
    "cut", ["data/*.parquet", "metadata/*-m0.avro", "metadata/snap-*.avro", "metadata/*.metadata.json"]
)
def test_a_damaged_file_is_refused_in_words(written, copied: Copied, take, cut: str):
    table = written()
    table.append(rows(["1", "2"]))
    folder = copied(table)
    for path in folder.glob(cut):
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(SourceError, match="tickets: the Iceberg table cannot be read"):
        take(TICKETS)


def test_a_data_file_with_other_rows_than_the_manifest_counts_is_refused(written, copied: Copied, take):
    table = written()
    table.append(rows(["1", "2", "3"]))
    folder = copied(table)
    (path,) = folder.rglob("*.parquet")
    pq.write_table(pq.read_table(path, partitioning=None).slice(0, 2), path)
    with pytest.raises(SourceError, match=r"the table counts 3 rows in tickets/data/.*, 2 were read"):
        take(TICKETS)


def test_without_its_package_the_table_is_refused_with_what_to_install(
    written, copied: Copied, take, monkeypatch
):
    copied(written())
    monkeypatch.setitem(sys.modules, "pyiceberg", None)
    with pytest.raises(
        SourceError,
        match="tickets: the Iceberg table needs the package pyiceberg. Install the project with its extra 'lake'",
    ):
        take(TICKETS)


# ---------------------------------------------------------------- a folder nobody has described


def test_tables_of_a_warehouse_among_other_files_are_proposed_by_their_place(
    written, copied: Copied, exports: Path, take
):
    part = exports / "warehouse/loose/ledger.parquet"
    part.parent.mkdir(parents=True)
    pq.write_table(rows(["9"]), part)
    (exports / "customers.csv").write_text("customer_id,region\nC1,North\n", encoding="utf-8")
    table = written()
    table.append(rows(["1", "2"]))
    copied(table, "warehouse/desk.db/tickets")
    looked = look_through(exports)
    assert [(look.file, look.name, len(look.rows)) for look in looked.looks] == [
        ("customers.csv", "customers", 1),
        ("warehouse/desk.db/tickets", "tickets", 2),
        ("warehouse/loose/**/*.parquet", "loose", 1),
    ]
    assert looked.remarks == []
    assert ids(take(TICKETS | {"file": "warehouse/desk.db/tickets"})) == ["1", "2"]


def test_a_folder_that_is_itself_a_table_is_said(written, copied: Copied):
    with pytest.raises(
        SourceError, match="tickets: a table of the kind Iceberg itself. Name the folder in which it lies"
    ):
        look_through(copied(written()))


def test_a_table_with_the_logs_of_two_kinds_is_read_by_delta_s(written, copied: Copied, exports: Path, take):
    deltalake = pytest.importorskip("deltalake", reason="the extra 'lake' is not installed")
    table = written()
    table.append(rows(["1", "2"]))
    copied(table)
    deltalake.write_deltalake(str(exports / "tickets"), rows(["3"]))
    assert ids(take(TICKETS)) == ["3"]
