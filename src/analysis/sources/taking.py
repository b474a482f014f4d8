"""The extracts of a map, taken once: fetched into a folder of their own, remembered with their hashes, and read from there like any file."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analysis.errors import SourceError
from analysis.sources.apis import Fetched, address_of, fetch_file, fetch_list
from analysis.sources.extracts import Extract, is_store
from analysis.sources.fingerprint import fingerprint, unsealed, with_seal
from analysis.sources.objectstores import copy_objects

FOLDER = "_extracts"
_BOOK, _WORK = "_taken.json", "_taking"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One extract as it was taken. ``bytes``: the hash of what lies there; of an empty list there is no file, and it is blank."""

    stated: str
    bytes: str
    pages: int
    rows: int
    repeated: int
    open_end: bool


def take_extracts(
    extracts: Mapping[str, Extract], folder: Path, *, limit_mb: int, reuse: bool
) -> dict[str, Taken]:
    """Fetch every extract into the folder; ``reuse``: what was fetched before stands, as long as map and file are the same."""
    if not extracts:
        shutil.rmtree(folder, ignore_errors=True)
        return {}
    before, taken = _book(folder), dict[str, Taken]()
    work = folder / _WORK
    for name, extract in extracts.items():
        stated = hashlib.sha256(json.dumps(asdict(extract), sort_keys=True).encode()).hexdigest()
        known = before.get(name)
        if reuse and known and known.stated == stated and known.bytes == _bytes(folder / name):
            taken[name] = known
            continue
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            done = _fetched(extract, name, work / name, limit_mb)
            _replace(work / name, folder / name)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        taken[name] = Taken(stated=stated, bytes=_bytes(folder / name), **asdict(done))
    for path in folder.iterdir():
        if path.name not in taken:
            _remove(path)
    content = {name: asdict(one) for name, one in taken.items()}
    (folder / _BOOK).write_text(json.dumps(with_seal({"extracts": content})), encoding="utf-8")
    return taken


def _fetched(extract: Extract, name: str, out: Path, limit_mb: int) -> Fetched:
    if extract.pages is not None:
        done = fetch_list(extract, name, out, limit_mb=limit_mb)
        if not done.rows:
            out.unlink()
        elif (written := _lines(out)) != done.rows:
            raise SourceError(
                f"{name}: {done.rows:,} rows came and {written:,} were written. Nothing was used. Take it again."
            )
        return done
    address = address_of(extract, name)
    if is_store(address):
        copy_objects(address, name, out, limit_mb=limit_mb)
    else:
        fetch_file(extract, name, out, limit_mb=limit_mb)
    return Fetched()


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _bytes(path: Path) -> str:
    return fingerprint(path) if path.exists() else ""


def _replace(made: Path, path: Path) -> None:
    _remove(path)
    if made.exists():
        made.replace(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _book(folder: Path) -> dict[str, Taken]:
    path = folder / _BOOK
    stored: Mapping[str, Any] | None = (
        unsealed(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else None
    )
    return {name: Taken(**one) for name, one in stored["extracts"].items()} if stored else {}
