"""What has not changed is not read again; a changed month replaces that month only; several files, one table, and the other way round."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analysis.sources import apply_map, mapping
from analysis.tables import load_tables

from .conftest import stated

LEDGER = {
    "table": "ledger",
    "file": "gl-*.csv",
    "columns": {"posting_id": "id", "posted_on": "day", "amount": "net"},
    "values": {"amount": {"zero": "0"}},
}


@pytest.fixture
def months(exports: Path) -> Path:
    for month in ("08", "09", "10"):
        (exports / f"gl-2026-{month}.csv").write_text(
            f"id,day,net\n{month}-1,2026-{month}-03,5.00\n{month}-2,2026-{month}-04,6.00\n", encoding="utf-8"
        )
    return exports


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the inputs that were read, in order."""
    names: list[str] = []
    whole = mapping.open_rows

    def watched(form, given, **options):
        names.append(given.name)
        return whole(form, given, **options)

    monkeypatch.setattr(mapping, "open_rows", watched)
    return names


def test_unchanged_exports_are_not_read_again(months: Path, tmp_path: Path, opened: list[str]):
    first = apply_map(stated(LEDGER), months, tmp_path / "out")
    assert opened == ["gl-2026-08.csv", "gl-2026-09.csv", "gl-2026-10.csv"]
    opened.clear()
    assert apply_map(stated(LEDGER), months, tmp_path / "out") == first and opened == []
    os.utime(months / "gl-2026-09.csv", (1, 1))  # touched, the same content
    assert apply_map(stated(LEDGER), months, tmp_path / "out") == first and opened == []


def test_a_changed_month_replaces_that_month_only(months: Path, tmp_path: Path, opened: list[str]):
    def load():
        apply_map(stated(LEDGER), months, tmp_path / "out")
        tables = load_tables(
            tmp_path / "out", tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai"
        )
        return {str(part.month): part.path for part in tables["ledger"].partitions}

    before = load()
    opened.clear()
    (months / "gl-2026-09.csv").write_text("id,day,net\n09-1,2026-09-03,7.00\n", encoding="utf-8")
    after = load()
    assert opened == ["gl-2026-09.csv"]
    assert {month for month in before if before[month] != after[month]} == {"2026-09"}
    opened.clear()
    (months / "gl-2026-08.csv").unlink()
    assert set(load()) == {"2026-09", "2026-10"} and opened == []


def test_a_changed_map_a_lost_output_and_another_business_zone_are_read_again(
    months: Path, tmp_path: Path, opened: list[str]
):
    apply_map(stated(LEDGER), months, tmp_path / "out")
    opened.clear()
    apply_map(stated(LEDGER | {"values": {"amount": {"zero": "0.00"}}}), months, tmp_path / "out")
    assert len(opened) == 3
    opened.clear()
    next((tmp_path / "out").rglob("*08.csv.csv")).unlink()
    apply_map(stated(LEDGER | {"values": {"amount": {"zero": "0.00"}}}), months, tmp_path / "out")
    assert opened == ["gl-2026-08.csv"]
    opened.clear()
    apply_map(
        stated(LEDGER | {"values": {"amount": {"zero": "0.00"}}}),
        months,
        tmp_path / "out",
        business_zone="Asia/Tokyo",
    )
    assert len(opened) == 3


def test_a_changed_lookup_reads_what_depends_on_it(months: Path, tmp_path: Path, opened: list[str]):
    (months / "teams.csv").write_text("id,team\n08-1,A\n", encoding="utf-8")
    entry = LEDGER | {"lookups": {"team": {"file": "teams.csv", "by": "id", "key": "id", "take": "team"}}}
    apply_map(stated(entry), months, tmp_path / "out")
    (months / "teams.csv").write_text("id,team\n08-1,B\n", encoding="utf-8")
    opened.clear()
    apply_map(stated(entry), months, tmp_path / "out")
    assert sorted(opened) == ["gl-2026-08.csv", "gl-2026-09.csv", "gl-2026-10.csv", "teams.csv"]
    assert "08-1,2026-08-03,5.00,B" in next((tmp_path / "out").rglob("*08.csv.csv")).read_text(
        encoding="utf-8"
    )


def test_rows_counted_across_files_are_read_together(months: Path, tmp_path: Path, opened: list[str]):
    """A customer named in two files is one customer, whichever file changes."""
    entry = {
        "table": "customers",
        "file": "gl-*.csv",
        "columns": {"customer_id": "net"},
        "first_of": ["customer_id"],
    }
    done = apply_map(stated(entry), months, tmp_path / "out")
    assert [one.mapped for one in done] == [2, 0, 0]
    opened.clear()
    (months / "gl-2026-08.csv").write_text("id,day,net\n1,2026-08-01,6.00\n", encoding="utf-8")
    assert [one.mapped for one in apply_map(stated(entry), months, tmp_path / "out")] == [1, 1, 0]
    assert len(opened) == 3


def test_one_file_feeds_several_tables(months: Path, tmp_path: Path):
    entry = {"table": "customers", "file": "gl-*.csv", "columns": {"customer_id": "id"}}
    done = apply_map(stated(LEDGER, entry), months, tmp_path / "out")
    assert [(one.table, one.read, one.mapped) for one in done] == [("ledger", 2, 2)] * 3 + [
        ("customers", 2, 2)
    ] * 3


def test_a_reading_that_fails_leaves_nothing_half_made(months: Path, tmp_path: Path):
    apply_map(stated(LEDGER), months, tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.csv")}
    (months / "gl-2026-09.csv").write_text('id,day,net\n1,2026-09-03,"5.0', encoding="utf-8")
    with pytest.raises(Exception, match="the file was cut"):
        apply_map(stated(LEDGER), months, tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.csv")} == before
    assert not (tmp_path / "out" / "_work").exists()


def half(path: Path) -> None:
    state = path.stat()
    content = path.read_bytes()
    # as many bytes and the same time, so that neither shows it
    path.write_bytes(content.replace(b"5.00", b"9.00"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def books(path: Path) -> None:
    state = path.parent / mapping.STATE
    state.write_text(state.read_text(encoding="utf-8").replace('"read": 2', '"read": 7'), encoding="utf-8")


@pytest.mark.parametrize("damage", [half, books])
def test_a_mapped_table_that_is_not_as_it_was_written_is_mapped_again(months: Path, tmp_path: Path, damage):
    out = tmp_path / "out"
    first = apply_map(stated(LEDGER), months, out)
    files = {path: path.read_bytes() for path in sorted(out.rglob("*.csv"))}
    damage(out / "x" if damage is books else next(iter(files)))
    assert apply_map(stated(LEDGER), months, out) == first
    assert {path: path.read_bytes() for path in sorted(out.rglob("*.csv"))} == files
