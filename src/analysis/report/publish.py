"""Publishing fails closed: a pack is built in a folder of its own and becomes visible by one rename, whole or not at all.

``reports/<period>/edition-n`` (a month ``2026-10``, a quarter ``2026-Q3``, a year ``2026``) is never changed once it is there. A draft goes to ``reports/_drafts/<month>-<n>``. A pack in which
a fault of the program left a part out goes to ``reports/_incomplete/<month>-<n>``, stamped. What fails goes to ``reports/_quarantine/<month>-<n>`` with a
message; what is interrupted leaves a hidden ``.building-…`` folder that no reader looks at and ``analysis clean`` removes.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import PublicationRefused

QUARANTINE = "_quarantine"
DRAFTS = "_drafts"
INCOMPLETE = "_incomplete"
LATEST = "latest"
MESSAGE = "message.txt"
_MONTH = re.compile(r"\d{4}-\d{2}")
_EDITION = re.compile(r"edition-[1-9][0-9]*")  # a folder "edition-²" is somebody else's


@dataclass(frozen=True, kw_only=True)
class Edition:
    """An issued pack. ``unchanged``: a run found that this edition already says all it would have said.

    ``note``: what could not be done after the edition was there; the edition stands all the same.
    A ``draft`` lies beside the editions and is none: it has the number the next edition would have, and never becomes ``latest``.
    """

    folder: Path
    month: str
    number: int
    unchanged: bool = False
    draft: bool = False
    tied_out: bool = True
    restated: int = 0
    note: str = ""


def editions(reports: Path, month: str) -> list[Path]:
    """The issued editions of a month, oldest first."""
    found = [
        path
        for path in (reports / month).glob("edition-*")
        if path.is_dir() and _EDITION.fullmatch(path.name)
    ]
    return sorted(found, key=edition_number)


def edition_number(folder: Path) -> int:
    return int(folder.name.removeprefix("edition-"))


def building_folder(reports: Path, month: str) -> Path:
    """A new hidden folder beside the issued months, on the same disk so that one rename can publish it."""
    reports.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".building-{month}-", dir=reports))
    folder.chmod(0o755)
    return folder


def issue(building: Path, reports: Path, month: str, number: int) -> Path:
    """Publish: files become read-only and are on the disk, then one rename makes the edition. ``latest`` follows by :func:`point_latest`."""
    for path in building.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o444)
        _to_disk(path)
    _to_disk(building)
    target = reports / month / f"edition-{number}"
    target.parent.mkdir(exist_ok=True)
    try:
        building.rename(target)
    except OSError as error:
        if target.exists():
            raise PublicationRefused(
                f"{month}: edition {number} was issued by another run meanwhile; run the report again to compare with it."
            ) from error
        raise
    _to_disk(target.parent)
    return target


def _to_disk(path: Path) -> None:
    """What a rename makes visible must survive a power cut as well as the rename does."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def follow_latest(reports: Path) -> str:
    """:func:`point_latest`, after the edition is there: what goes wrong now is told, and takes nothing back."""
    try:
        point_latest(reports)
    except OSError as error:
        return (
            f"{reports.name}/{LATEST} could not be moved to the newest edition ({error.strerror}). The edition is issued; "
            f"take {reports.name}/{LATEST} away, and the next run makes it again."
        )
    return ""


def point_latest(reports: Path) -> None:
    """``latest`` → the newest edition of the newest month, replaced in one step so that it always leads somewhere."""
    months = sorted(
        path.name
        for path in reports.iterdir()
        if path.is_dir() and _MONTH.fullmatch(path.name) and editions(reports, path.name)
    )
    if not months:
        return
    newest = editions(reports, months[-1])[-1]
    link = reports / f".{LATEST}-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(newest.relative_to(reports), target_is_directory=True)
    os.replace(link, reports / LATEST)


def quarantine(building: Path, reports: Path, month: str, message: str) -> Path:
    """Keep what was made of a refused pack, with the message, where nobody takes it for a report."""
    (building / MESSAGE).write_text(message.rstrip() + "\n", encoding="utf-8")
    return _shelved(building, reports / QUARANTINE, month)


def keep_draft(building: Path, reports: Path, month: str) -> Path:
    """Put a draft on a shelf of its own; editions and ``latest`` stay as they are."""
    return _shelved(building, reports / DRAFTS, month)


def keep_incomplete(building: Path, reports: Path, month: str) -> Path:
    """Put a stamped pack that lacks a part on a shelf of its own; editions and ``latest`` stay as they are."""
    return _shelved(building, reports / INCOMPLETE, month)


def _shelved(building: Path, shelf: Path, month: str) -> Path:
    """The next free number of the month on a shelf; another run may take it first."""
    shelf.mkdir(exist_ok=True)
    number = 1 + max((_shelf_number(path, month) for path in shelf.iterdir()), default=0)
    while True:
        target = shelf / f"{month}-{number}"
        try:
            building.rename(target)
        except OSError:
            if not target.exists():
                raise
            number += 1
        else:
            return target


def _shelf_number(path: Path, month: str) -> int:
    number = path.name.removeprefix(f"{month}-")
    return int(number) if number.isdigit() else 0


def remove_building(building: Path) -> None:
    shutil.rmtree(building, ignore_errors=True)


def unfinished(reports: Path) -> list[Path]:
    """Folders that interrupted runs left behind."""
    return sorted(reports.glob(".building-*"))
