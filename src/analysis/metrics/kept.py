"""Aggregates kept between runs: each file carries the hash of its own content, and one that is not as it was written counts for nothing.

A cache only saves time. It may be deleted, damaged, be a file, belong to somebody else or stand on a full disk: then its numbers
are computed again, and no run fails for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SUFFIX = ".kept"
HASH_BYTES = hashlib.sha256().digest_size


def keep(path: Path, frame: pd.DataFrame) -> None:
    """Write the frame behind the hash of its bytes. Merging with what another request kept meanwhile is not needed: a lost entry is computed again."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    content = buffer.getvalue()
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(temporary, path)
    except OSError:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def kept(path: Path) -> pd.DataFrame | None:
    """The frame as it was kept; None where there is none, or other bytes than were written."""
    content = _content(path)
    if content is None:
        return None
    import pandas as pd

    return pd.read_parquet(io.BytesIO(content))


def drop_damaged(cache: Path) -> int:
    """Delete the files of a cache that are not as they were written; how many there were."""
    damaged = 0
    with contextlib.suppress(OSError):
        for path in cache.glob(f"*{SUFFIX}"):
            if _content(path) is None:
                damaged += 1
                with contextlib.suppress(OSError):
                    path.unlink()
    return damaged


def _content(path: Path) -> bytes | None:
    try:
        written = path.read_bytes() if path.is_file() else b""
    except OSError:
        return None
    content = written[HASH_BYTES:]
    return content if content and hashlib.sha256(content).digest() == written[:HASH_BYTES] else None
