"""A file's content as one short text: the same bytes give the same text, wherever and whenever they are."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from analysis.errors import SourceError

#: A file changed this shortly before it was looked at may change again within the same tick of its clock.
UNSETTLED_NS = 2_000_000_000


def fingerprint(path: Path) -> str:
    """SHA-256 of the file's bytes, in hexadecimal."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(
            f"{path.name}: cannot be read ({error.strerror}). Check that it exists and that you may open it."
        ) from error


def signature(path: Path) -> list[int] | None:
    """What changes whenever a file is written, taken before it is read; None while a change could still go unseen."""
    state = path.stat()
    if time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) < UNSETTLED_NS:
        return None
    return [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
