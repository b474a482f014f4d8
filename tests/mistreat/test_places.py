"""Places: full, read-only, of another kind, too long, in a circle. Each is said in words, with exit code 10 or 2, and nothing is issued."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mistreat.house import MONTH, House


def _a_file(house: House, *names: str) -> None:
    for name in names:
        path = house.root / name
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a file, not a folder")


@pytest.mark.parametrize("kind", ["file", "fifo", "loop"])
def test_reports_is_no_folder(kind: str, house: House) -> None:
    place = house.root / "elsewhere"
    if kind == "file":
        place.write_text("a file")
    elif kind == "fifo":
        os.mkfifo(place)
    else:
        place.symlink_to(house.root / "other")
        (house.root / "other").symlink_to(place)
    house.judge(house.report("--reports", "elsewhere"), code=(2, 10), words="elsewhere|other")


def test_the_month_is_a_file(house: House) -> None:
    (house.root / "elsewhere").mkdir()
    (house.root / "elsewhere" / MONTH).write_text("a file")
    house.judge(house.report("--reports", "elsewhere"), code=10, words=MONTH)


@pytest.mark.parametrize("number", ["²", "1x", "-1", "0"])
def test_a_folder_that_only_looks_like_an_edition(number: str, house: House) -> None:
    """It is no edition: it stays as it is, and the next is 2."""
    strange = house.reports / MONTH / f"edition-{number}"
    strange.mkdir()
    (strange / "kept.txt").write_text("kept")
    outcome = house.report()
    assert (strange / "kept.txt").read_text() == "kept"
    shutil.rmtree(strange)
    house.judge(outcome, code=(0, 10))


@pytest.mark.parametrize("name", ["data/tables", "data/cache", "data/mapped", "data/quarantine"])
def test_a_file_where_a_working_folder_belongs(name: str, house: House) -> None:
    """The cache and the stores can be made elsewhere or again; what cannot is said."""
    _a_file(house, name)
    outcome = house.report()
    house.judge(outcome, code=(0, 10))
    if outcome.code:
        assert Path(name).name in outcome.said
    else:
        house.latest_is(2)


def test_data_is_a_file(house: House) -> None:
    _a_file(house, "data")
    house.judge(house.report(), code=10, words="data")


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_latest_is_no_link(kind: str, house: House) -> None:
    """The edition is issued all the same, and what to do about latest is said."""
    latest = house.reports / "latest"
    latest.unlink()
    if kind == "folder":
        latest.mkdir()
        (latest / "mine.txt").write_text("mine")
    else:
        latest.write_text("mine")
    outcome = house.report()
    house.judge(outcome, code=0, words="edition-2")
    if kind == "folder":
        assert (latest / "mine.txt").read_text() == "mine"
        shutil.rmtree(latest)
        house.judge(house.report(), code=0, words="stands")
    house.latest_is(2)


@pytest.mark.parametrize("where", ["nowhere", "2026-10/edition-1", "2026-10/edition-7"])
def test_latest_stayed_behind(where: str, house: House) -> None:
    """As a kill between the rename and the link leaves it: the next run mends it, also when nothing is new."""
    house.judge(house.report(), code=0)
    latest = house.reports / "latest"
    latest.unlink()
    latest.symlink_to(where)
    house.judge(house.report(), code=0, words="stands")
    house.latest_is(2)


def test_latest_is_gone(house: House) -> None:
    (house.reports / "latest").unlink()
    house.judge(house.report(), code=0)
    house.latest_is(2)


@pytest.mark.parametrize("name", ["company", "nowhere", "company/tickets.csv", "", "."])
def test_data_that_is_no_folder_of_tables(name: str, house: House) -> None:
    if name == "company":
        shutil.rmtree(house.company)
    house.judge(house.report("--data", name), code=(2, 3, 4, 5), words=r"\w{4,}")
    house.latest_is(1)


@pytest.mark.parametrize("kind", ["loop", "out", "device", "fifo", "socket", "folder"])
def test_a_table_that_is_no_file(kind: str, house: House) -> None:
    """A report that hangs is worse than one that is refused."""
    path = house.table("tickets")
    path.unlink()
    if kind == "loop":
        path.symlink_to(house.company / "other.csv")
        (house.company / "other.csv").symlink_to(path)
    elif kind == "out":
        (house.root / "outside.csv").write_text("ticket_id\nT1\n")
        path.symlink_to("/etc/hostname")
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        import socket

        here = Path.cwd()
        os.chdir(path.parent)
        try:
            socket.socket(socket.AF_UNIX).bind(path.name)
        finally:
            os.chdir(here)
    else:
        path.mkdir()
    house.judge(house.report(within=60), code=(2, 3, 4, 5, 10), words="tickets")
    house.latest_is(1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of a few megabytes, where the machine allows it."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("needs the right to mount a disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.mark.parametrize("percent", [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 96])
def test_the_disk_of_the_reports_is_full(percent: int, house: House, small_disk: Path) -> None:
    kept = 3 * 1024 * 1024 * (100 - percent) // 100
    (small_disk / "filled").write_bytes(b"x" * max(kept - 8192, 0))
    (house.root / "elsewhere").symlink_to(small_disk, target_is_directory=True)
    house.judge(house.report("--reports", "elsewhere"), code=10, words="space")
    assert not list(small_disk.glob(f"{MONTH}/edition-*"))


def test_the_disk_of_the_data_is_full(house: House, small_disk: Path) -> None:
    (small_disk / "filled").write_bytes(b"x" * (3 * 1024 * 1024 - 8192))
    shutil.rmtree(house.root / "data")
    (house.root / "data").symlink_to(small_disk, target_is_directory=True)
    house.judge(house.report(), code=10, words="space")
    house.latest_is(1)


def test_the_reports_are_read_only(house: House, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    house.judge(house.report("--reports", str(small_disk)), code=10, words="read.only|write")


def test_names_of_the_house_that_programs_trip_over(house: House, tmp_path: Path, second: House) -> None:
    strange = tmp_path / "a b $HOME #1 'q' \"d\" 售后 é"
    house.root.rename(strange)
    moved = House(root=strange)
    moved.judge(moved.report(), code=0)
    assert moved.facts(2) == second.facts(2)
