"""A file's content as one short text: the same bytes give the same text, wherever and whenever they are."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.errors import SourceError

#: A file changed this shortly before it was looked at may change again within the same tick of its clock.
UNSETTLED_NS = 2_000_000_000


def fingerprint(path: Path) -> str:
    """SHA-256 of the file's bytes, in hexadecimal; of a folder's files, each with its name in the folder."""
    if path.is_dir():
        files = [[file.relative_to(path).as_posix(), fingerprint(file)] for file in _files_in(path)]
        return hashlib.sha256(json.dumps(files).encode()).hexdigest()
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(
            f"{path.name}: cannot be read ({error.strerror}). Check that it exists and that you may open it."
        ) from error


def signature(path: Path) -> list[int] | None:
    """What changes whenever a file, or any file of a folder, is written, taken before it is read; None while a change could still go unseen."""
    if path.is_dir():
        found = [signature(file) for file in _files_in(path)]
        settled = [looks for looks in found if looks is not None]
        return [number for looks in settled for number in looks] if len(settled) == len(found) else None
    state = path.stat()
    if time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) < UNSETTLED_NS:
        return None
    return [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.is_dir())


def with_seal(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with a hash of itself: what is changed afterwards by anybody shows."""
    return {**content, "seal": _seal(content)}


def unsealed(text: str) -> dict[str, Any] | None:
    """The content of a text in JSON whose seal holds; None for anything else."""
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    seal = content.pop("seal", None)
    return content if seal == _seal(content) else None


def _seal(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()
