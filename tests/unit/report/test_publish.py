"""A pack is seen whole or not at all; what was issued stays as it was."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from analysis.errors import PublicationRefused
from analysis.report import publish


def build(reports: Path, month: str = "2026-10", text: str = "x") -> Path:
    folder = publish.building_folder(reports, month)
    (folder / "html").mkdir()
    (folder / "html" / "index.html").write_text(text)
    return folder


def issue(building: Path, reports: Path, month: str, number: int) -> Path:
    """As a run does it: the edition, then ``latest``."""
    folder = publish.issue(building, reports, month, number)
    assert publish.follow_latest(reports) == ""
    return folder


def test_issuing_is_one_rename_and_latest_follows(tmp_path):
    building = build(tmp_path, text="first")
    assert publish.editions(tmp_path, "2026-10") == []
    issued = issue(building, tmp_path, "2026-10", 1)
    assert issued == tmp_path / "2026-10" / "edition-1"
    assert not building.exists()
    assert (tmp_path / "latest" / "html" / "index.html").read_text() == "first"
    assert os.readlink(tmp_path / "latest") == "2026-10/edition-1"
    issue(build(tmp_path, text="second"), tmp_path, "2026-10", 2)
    assert (tmp_path / "latest" / "html" / "index.html").read_text() == "second"
    assert (issued / "html" / "index.html").read_text() == "first"
    assert [publish.edition_number(path) for path in publish.editions(tmp_path, "2026-10")] == [1, 2]


def test_an_issued_file_is_read_only(tmp_path):
    issued = issue(build(tmp_path), tmp_path, "2026-10", 1)
    assert stat.S_IMODE((issued / "html" / "index.html").stat().st_mode) == 0o444


def test_latest_is_the_newest_month_even_when_an_older_one_is_issued_again(tmp_path):
    for month, number in (("2026-10", 1), ("2026-09", 1), ("2026-09", 10)):
        issue(build(tmp_path, month), tmp_path, month, number)
    assert os.readlink(tmp_path / "latest") == "2026-10/edition-1"
    issue(build(tmp_path, "2026-10"), tmp_path, "2026-10", 2)
    assert os.readlink(tmp_path / "latest") == "2026-10/edition-2"


def test_an_edition_issued_meanwhile_is_never_overwritten(tmp_path):
    issue(build(tmp_path, text="theirs"), tmp_path, "2026-10", 1)
    with pytest.raises(PublicationRefused, match="edition 1 was issued by another run meanwhile"):
        issue(build(tmp_path, text="ours"), tmp_path, "2026-10", 1)
    assert (tmp_path / "2026-10" / "edition-1" / "html" / "index.html").read_text() == "theirs"


def _build_and_be_killed(reports: Path) -> None:
    folder = build(reports, text="half")
    (folder / "facts.json").write_text("{")
    os.kill(os.getpid(), 9)


def test_a_process_killed_before_the_rename_leaves_nothing_to_be_taken_for_a_report(tmp_path):
    issue(build(tmp_path, text="whole"), tmp_path, "2026-10", 1)
    killed = multiprocessing.get_context("fork").Process(target=_build_and_be_killed, args=(tmp_path,))
    killed.start()
    killed.join()
    assert killed.exitcode == -9
    assert [path.name for path in publish.editions(tmp_path, "2026-10")] == ["edition-1"]
    assert (tmp_path / "latest" / "html" / "index.html").read_text() == "whole"
    visible = sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("."))
    assert visible == ["2026-10", "latest"]
    assert len(publish.unfinished(tmp_path)) == 1


def test_a_failing_rename_leaves_the_last_edition_and_latest_alone(tmp_path, monkeypatch):
    issue(build(tmp_path, text="whole"), tmp_path, "2026-10", 1)
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        issue(build(tmp_path, text="half"), tmp_path, "2026-10", 2)
    assert os.readlink(tmp_path / "latest") == "2026-10/edition-1"
    assert len(publish.editions(tmp_path, "2026-10")) == 1


def test_quarantine_keeps_what_was_made_with_the_message_and_counts_up(tmp_path):
    first = publish.quarantine(build(tmp_path), tmp_path, "2026-10", "the ledger is short")
    second = publish.quarantine(build(tmp_path), tmp_path, "2026-10", "again")
    other = publish.quarantine(build(tmp_path, "2026-09"), tmp_path, "2026-09", "another month")
    assert [path.name for path in (first, second, other)] == ["2026-10-1", "2026-10-2", "2026-09-1"]
    assert (first / "message.txt").read_text() == "the ledger is short\n"
    assert (first / "html" / "index.html").exists()
    assert publish.editions(tmp_path, "2026-10") == []
    assert not (tmp_path / "latest").exists()


def test_what_is_issued_lies_on_the_disk_before_it_can_be_seen(tmp_path, monkeypatch):
    """A rename may outlive a power cut that the files do not."""
    building, synced = build(tmp_path), []
    rename, fsync = Path.rename, os.fsync

    def watched(path, target):
        synced.append("renamed")
        return rename(path, target)

    monkeypatch.setattr(
        os, "fsync", lambda handle: (synced.append(os.readlink(f"/proc/self/fd/{handle}")), fsync(handle))
    )
    monkeypatch.setattr(Path, "rename", watched)
    issue(building, tmp_path, "2026-10", 1)
    before = synced[: synced.index("renamed")]
    assert {str(building), str(building / "html"), str(building / "html" / "index.html")} <= set(before)


@pytest.mark.parametrize(
    "there", [lambda link: link.mkdir(), lambda link: (link.mkdir(), (link / "x").touch())]
)
def test_latest_that_cannot_be_moved_takes_no_edition_back(tmp_path, there):
    there(tmp_path / "latest")
    folder = publish.issue(build(tmp_path), tmp_path, "2026-10", 1)
    said = publish.follow_latest(tmp_path)
    assert folder.is_dir() and "The edition is issued" in said and str(tmp_path) not in said
    for path in (tmp_path / "latest").glob("*"):
        path.unlink()
    (tmp_path / "latest").rmdir()
    assert publish.follow_latest(tmp_path) == ""
    assert os.readlink(tmp_path / "latest") == "2026-10/edition-1"


@pytest.mark.parametrize(
    "name", ["edition-²", "edition-٣", "edition-0", "edition-01", "edition-1x", "edition-"]
)
def test_a_folder_that_only_looks_like_an_edition_is_none(tmp_path, name):
    (tmp_path / "2026-10" / name).mkdir(parents=True)
    (tmp_path / "2026-10" / "edition-12").mkdir()
    assert [path.name for path in publish.editions(tmp_path, "2026-10")] == ["edition-12"]
