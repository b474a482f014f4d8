"""What may be opened at all: files inside the folder, of a size we meant, and archives that cannot climb out or blow up."""

from __future__ import annotations

import gzip
import os
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO

from analysis.errors import SourceError

#: Megabytes a source file may have, and what an archive's member may unpack to; a run can raise it.
SIZE_LIMIT_MB = 8_192
#: Text exports shrink about twentyfold; a member that shrinks more than this was made to fill a disk.
MOST_SHRUNK = 200
#: Below this size a member may shrink as it likes.
SMALL = 10_000_000
PIECE = 1 << 20
MEGABYTE = 1_000_000


def refuse_outside(path: Path, folder: Path, name: str) -> None:
    """Refuse a file that a symbolic link takes out of the data folder."""
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise SourceError(
            f"{name}: a link that leaves the data folder, so it was not read. Copy the file itself into the folder."
        )


def refuse_large(path: Path, name: str, limit_mb: int) -> None:
    refuse_size(path.stat().st_size, name, limit_mb)


def refuse_size(size: int, name: str, limit_mb: int) -> None:
    """Refuse more bytes than a source file may have."""
    if size > limit_mb * MEGABYTE:
        raise SourceError(
            f"{name}: {size / MEGABYTE:,.0f} MB, more than the {limit_mb:,} MB a source file may have. "
            "If that is what you meant, raise size_limit_mb in the run's file."
        )


def zip_members(path: Path, name: str, pattern: str, limit_mb: int) -> list[str]:
    """Names of the members that match; the whole archive is judged first, members that are not wanted too."""
    try:
        with zipfile.ZipFile(path) as archive:
            files = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, LookupError, ValueError, OSError) as error:
        raise SourceError(
            f"{name}: not readable as a ZIP archive; it may have been cut ({error}). Export it again."
        ) from None
    for info in files:
        _refuse_member(info, name, limit_mb)
    if kind := _lake_among(info.filename for info in files):
        raise SourceError(
            f"{name}: holds a table of the kind {kind}, whose files are not its rows. Unpack it, and name the table's folder in the map."
        )
    names = sorted(info.filename for info in files if fnmatchcase(info.filename, pattern or "*"))
    if len(set(names)) != len(names):
        raise SourceError(
            f"{name}: member '{next(n for n in names if names.count(n) > 1)}' stands twice, so it is not clear which is meant. Pack it again."
        )
    if not names:
        held = ", ".join(info.filename for info in files[:8]) or "nothing"
        raise SourceError(f"{name}: no member '{pattern}'; it holds {held}.")
    if not pattern and len(names) > 1:
        raise SourceError(
            f"{name}: {len(names)} members ({', '.join(names[:4])} …); say which are meant with 'member' in the source map."
        )
    return names


def _lake_among(names: Iterable[str]) -> str:
    """The kind of lake table that an archive holds, by its log; empty where it holds none."""
    for name in names:
        parts = PurePosixPath(name).parts
        if "_delta_log" in parts:
            return "Delta Lake"
        if ".hoodie" in parts:
            return "Hudi"
        if "metadata" in parts[:-1] and parts[-1].endswith((".metadata.json", ".metadata.json.gz")):
            return "Iceberg"
    return ""


def _refuse_member(info: zipfile.ZipInfo, name: str, limit_mb: int) -> None:
    place = PurePosixPath(info.filename.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts or ":" in info.filename:
        raise SourceError(
            f"{name}: member '{info.filename}' climbs out of the archive, so nothing of it was read. Ask where this file comes from."
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise SourceError(
            f"{name}: member '{info.filename}' is a link, so nothing of it was read. Pack the file itself."
        )
    if info.flag_bits & 1:
        raise SourceError(
            f"{name}: member '{info.filename}' is locked with a password. Unlock the archive first."
        )
    if info.file_size > limit_mb * MEGABYTE:
        raise _too_large(f"{name}/{info.filename}", limit_mb)
    if info.file_size > SMALL and info.file_size > MOST_SHRUNK * max(info.compress_size, 1):
        raise _bomb(f"{name}/{info.filename}", info.file_size, info.compress_size)


@contextmanager
def unpacked(path: Path, name: str, member: str, work: Path, limit_mb: int) -> Iterator[Path]:
    """The member of a ``.zip``, or the content of a ``.gz``, as a file of its own for a while.

    What an archive says of its sizes is not believed: writing stops where the limits are passed.
    """
    work.mkdir(parents=True, exist_ok=True)
    target = work / (PurePosixPath(member).name if member else path.name.removesuffix(".gz"))
    try:
        with target.open("wb") as out:
            if member:
                with zipfile.ZipFile(path) as archive, archive.open(member) as source:
                    _pour(source, out, f"{name}/{member}", archive.getinfo(member).compress_size, limit_mb)
            else:
                with gzip.open(path) as source:
                    _pour(source, out, name, path.stat().st_size, limit_mb)
        yield target
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise SourceError(
            f"{name}: cannot be unpacked to its end ({str(error)[:80]}); it was cut or damaged. Export it again."
        ) from error
    finally:
        target.unlink(missing_ok=True)


def _pour(source: IO[bytes] | gzip.GzipFile, out: IO[bytes], name: str, packed: int, limit_mb: int) -> None:
    done = 0
    while piece := source.read(PIECE):
        done += len(piece)
        if done > limit_mb * MEGABYTE:
            raise _too_large(name, limit_mb)
        if done > SMALL and done > MOST_SHRUNK * max(packed, 1):
            raise _bomb(name, done, packed)
        out.write(piece)


def _too_large(name: str, limit_mb: int) -> SourceError:
    return SourceError(
        f"{name}: unpacks to more than the {limit_mb:,} MB a source file may have. If that is what you meant, raise size_limit_mb in the run's file."
    )


def _bomb(name: str, size: int, packed: int) -> SourceError:
    return SourceError(
        f"{name}: {packed:,} bytes unpack to {size:,} or more, over {MOST_SHRUNK} times as many; no export shrinks like that, so it was not read. Unpack it yourself if you trust it."
    )


@contextmanager
def plain_errors(name: str, kind: str, *of_kinds: type[Exception]) -> Iterator[None]:
    """What a package raises over a lake table it cannot read, as an error that says what to do; ``of_kinds`` are those that it may raise."""
    try:
        yield
    except SourceError:
        raise
    except of_kinds as error:
        raise SourceError(
            f"{name}: the {kind} table cannot be read ({' '.join(str(error).split())[:160]}). Export its rows as Parquet or CSV."
        ) from error
