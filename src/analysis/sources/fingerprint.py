"""A file's content as one short text: the same bytes give the same text, wherever and whenever they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

from analysis.errors import SourceError


def fingerprint(path: Path) -> str:
    """SHA-256 of the file's bytes, in hexadecimal."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(
            f"{path.name}: cannot be read ({error.strerror}). Check that it exists and that you may open it."
        ) from error
