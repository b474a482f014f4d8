"""What may be opened: nothing outside the folder, nothing that climbs out of an archive, nothing that blows up."""

from __future__ import annotations

import gzip
import os
import stat
import zipfile
from pathlib import Path

import pytest

from analysis.errors import ParameterError, SourceError
from analysis.sources import apply_map, scan_folder
from analysis.tables import load_tables

from .conftest import stated

ENTRY = {
    "table": "ledger",
    "file": "gl.*",
    "columns": {"posting_id": "id", "posted_on": "day", "amount": "net"},
}
LINES = "id,day,net\n1,2026-10-03,5.00\n"


def pack(path: Path, *members: tuple[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_members_of_an_archive_and_packed_files_are_read(exports, take):
    pack(
        exports / "gl.zip",
        ("2026/gl-09.csv", "id,day,net\n9,2026-09-03,5.00\n"),
        ("2026/gl-10.csv", LINES),
        ("readme.txt", "hello"),
    )
    taken = take(ENTRY | {"member": "*.csv"})
    assert taken.rows("ledger", "posting_id") == [("1",), ("9",)]
    assert [one.file for one in taken.mapped] == ["gl.zip/2026/gl-09.csv", "gl.zip/2026/gl-10.csv"]
    (exports / "gl.zip").unlink()
    with gzip.open(exports / "gl.csv.gz", "wt") as file:
        file.write(LINES)
    assert take(ENTRY).rows("ledger", "posting_id") == [("1",)]


@pytest.mark.parametrize(
    "name", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "..\\evil.csv", "C:\\evil.csv"]
)
def test_an_archive_that_climbs_out_is_refused_whole(exports, tmp_path: Path, take, name: str):
    pack(exports / "gl.zip", ("gl.csv", LINES), (name, LINES))
    with pytest.raises(SourceError, match="climbs out of the archive, so nothing of it was read"):
        take(ENTRY | {"member": "*.csv"})
    assert not list(tmp_path.rglob("evil*"))


def test_links_and_passwords_in_archives_are_refused(exports, take):
    link = zipfile.ZipInfo("gl.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(exports / "gl.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(SourceError, match=r"member 'gl\.csv' is a link"):
        take(ENTRY)


def test_bombs_are_refused_by_what_they_say_and_by_what_they_do(exports, take):
    pack(exports / "gl.zip", ("gl.csv", b"0" * 30_000_000))
    with pytest.raises(SourceError, match=r"unpack to 30,000,000 or more, over 200 times as many"):
        take(ENTRY)
    (exports / "gl.zip").unlink()
    with gzip.open(exports / "gl.csv.gz", "wb") as file:
        file.write(b"0" * 30_000_000)
    with pytest.raises(
        SourceError, match=r"gl\.csv\.gz: .* over 200 times as many; no export shrinks like that"
    ):
        take(ENTRY)


def test_a_doubled_an_unnamed_and_a_cut_archive_are_refused(exports, take):
    with pytest.warns(UserWarning, match="Duplicate name"):
        pack(exports / "gl.zip", ("gl.csv", LINES), ("gl.csv", LINES))
    with pytest.raises(SourceError, match=r"member 'gl\.csv' stands twice"):
        take(ENTRY)
    pack(exports / "gl.zip", ("a.csv", LINES), ("b.csv", LINES))
    with pytest.raises(
        SourceError, match=r"2 members \(a\.csv, b\.csv …\); say which are meant with 'member'"
    ):
        take(ENTRY)
    path = pack(exports / "gl.zip", ("gl.csv", LINES * 5000))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SourceError, match="it may have been cut"):
        take(ENTRY)
    path.unlink()
    (exports / "gl.csv.gz").write_bytes(gzip.compress(LINES.encode() * 5000)[:-40])
    with pytest.raises(SourceError, match="cannot be unpacked to its end"):
        take(ENTRY)


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_not(exports, tmp_path: Path, take):
    (tmp_path / "secret.csv").write_text(LINES, encoding="utf-8")
    (exports / "gl.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(SourceError, match=r"gl\.csv: a link that leaves the data folder"):
        take(ENTRY)
    (exports / "gl.csv").unlink()
    (exports / "october.txt").write_text(LINES, encoding="utf-8")
    (exports / "gl.csv").symlink_to(exports / "october.txt")
    assert take(ENTRY).counts("ledger") == [(1, 1, 0)]


def test_a_canonical_folder_refuses_links_that_leave_it(tmp_path: Path):
    folder = tmp_path / "data"
    (folder / "ledger").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("x", encoding="utf-8")
    (folder / "ledger" / "a.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(SourceError, match=r"ledger/a\.csv: a link that leaves the data folder"):
        scan_folder(folder, ("ledger",))


def test_the_size_limit_holds_and_can_be_raised(exports, tmp_path: Path):
    (exports / "gl.csv").write_text("id,day,net\n" + "1,2026-10-03,5.00\n" * 70_000, encoding="utf-8")
    with pytest.raises(
        SourceError, match=r"gl\.csv: 1 MB, more than the 1 MB a source file may have\. .*raise size_limit_mb"
    ):
        apply_map(stated(ENTRY), exports, tmp_path / "out", size_limit_mb=1)
    assert apply_map(stated(ENTRY), exports, tmp_path / "out", size_limit_mb=2)[0].read == 70_000
    (exports / "gl.csv").rename(exports / "ledger.csv")
    with pytest.raises(SourceError, match=r"ledger\.csv: 1 MB, more than the 1 MB"):
        load_tables(
            exports, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai", size_limit_mb=1
        )
    (exports / "ledger.csv").unlink()
    pack(exports / "gl.zip", ("gl.csv", "".join(f"{n},2026-10-03,{n}.00\n" for n in range(80_000))))
    with pytest.raises(SourceError, match=r"gl\.zip/gl\.csv: unpacks to more than the 1 MB"):
        apply_map(stated(ENTRY), exports, tmp_path / "out", size_limit_mb=1)


@pytest.mark.parametrize("pattern", ["../gl.csv", "/etc/passwd", "a/../../gl.csv"])
def test_a_map_cannot_name_a_file_outside(pattern: str):
    with pytest.raises(ParameterError, match="leaves the data folder"):
        stated(ENTRY | {"file": pattern})


def test_names_and_texts_are_data(exports, take):
    """Headings and values that look like SQL or formulas arrive as they are."""
    (exports / "gl.csv").write_text(
        'id,"day""; DROP TABLE x; --",net\n"=cmd|\'/c calc\'!A1",2026-10-03,5.00\n\'; DROP TABLE ledger; --,2026-10-03,6.00\n',
        encoding="utf-8",
    )
    taken = take(
        ENTRY | {"columns": {"posting_id": "id", "posted_on": 'day"; DROP TABLE x; --', "amount": "net"}}
    )
    assert [row[0] for row in taken.rows("ledger", "posting_id")] == [
        "'; DROP TABLE ledger; --",
        "=cmd|'/c calc'!A1",
    ]


PLACES = {
    "is a pipe": os.mkfifo,
    "is a device": lambda path: path.symlink_to("/dev/zero"),
    "is a folder": lambda path: path.mkdir(),
    "leads nowhere": lambda path: path.symlink_to("gone.csv"),
    "links lead in a circle": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("words", PLACES)
def test_what_is_no_file_is_refused_and_never_waited_for(exports, take, tmp_path: Path, words: str):
    PLACES[words](exports / "gl.csv")
    with pytest.raises(SourceError, match=rf"^gl.csv: .*{words}"):
        take(ENTRY)
    folder = tmp_path / "tables"
    for name in ("ledger.csv", "tickets/part.csv"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        PLACES[words](path)
        with pytest.raises(SourceError, match=rf"^{name}: .*{words}"):
            scan_folder(folder, ("ledger", "tickets"))
        path.rmdir() if path.is_dir() else path.unlink()


def test_a_tables_folder_that_is_no_folder_is_refused(tmp_path: Path):
    (tmp_path / "tickets").symlink_to("tickets")
    with pytest.raises(SourceError, match="links lead in a circle"):
        scan_folder(tmp_path, ("tickets",))
    (tmp_path / "tickets").unlink()
    os.mkfifo(tmp_path / "tickets")
    with pytest.raises(SourceError, match="is a pipe, and a folder is expected"):
        scan_folder(tmp_path, ("tickets",))
    with pytest.raises(SourceError, match="is a pipe, and a folder is expected"):
        scan_folder(tmp_path / "tickets", ("tickets",))


@pytest.mark.parametrize("pattern", ["**x", "", "/gl.csv"])
def test_a_pattern_that_is_none_is_refused(exports, take, pattern: str):
    with pytest.raises(ParameterError):
        take(ENTRY | {"file": pattern})
