"""Keys with a value each, however many: in memory while they are few, in a file of the run's work folder beyond that.

Five million keys of a lookup took 0.75 GB as a dictionary; a map that asks whether 20 million tickets are known must not.
"""

from __future__ import annotations

import itertools
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path

#: About 220 MB of a dictionary with keys of a ticket's length; a map seldom holds more than a few at once.
MOST_IN_MEMORY = 1_500_000
CACHE_MIB = 64
_BETWEEN = "\x1f"
_NUMBER = itertools.count()


def joined_key(parts: Iterable[str]) -> str:
    """One key of several parts, told apart by a character that no export holds."""
    return _BETWEEN.join(parts)


def shown_key(key: str) -> str:
    """A key of several parts as messages print it."""
    return key.replace(_BETWEEN, ", ")


class Keys:
    """Text to text; what is asked for is exact, only the place changes. ``close`` lets go of the file."""

    def __init__(self, work: Path, *, most: int = MOST_IN_MEMORY) -> None:
        self._work, self._most = work, most
        self._held: dict[str, str] = {}
        self._file: sqlite3.Connection | None = None

    def __contains__(self, key: str) -> bool:
        return self._found(key) is not None

    def get(self, key: str, default: str = "") -> str:
        value = self._found(key)
        return default if value is None else value

    def load(self, pairs: Iterable[tuple[str, str]]) -> tuple[str, str, str] | None:
        """Take pairs in, up to the first key that stands with two values: then the key and both."""
        for key, value in pairs:
            stands = self._held.setdefault(key, sys.intern(value))
            if stands != value:
                return key, stands, value
            if len(self._held) > self._most and (twice := self._lay_down()):
                return twice
        return self._lay_down() if self._file is not None else None

    def count(self, key: str) -> int:
        """How often the key was counted so far, this time included."""
        if self._file is None:
            number = int(self._held.get(key, "0")) + 1
            self._held[key] = sys.intern(str(number))
            if len(self._held) > self._most:
                self._lay_down()
            return number
        asked = "INSERT INTO held VALUES (?, '1') ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
        return int(self._file.execute(asked, (key,)).fetchone()[0])

    def keep(self, key: str, value: str, *, largest: bool) -> None:
        """Remember the value if none of this key stands before it in the order of texts, or after it where the largest is meant."""
        stands = self._found(key)
        if stands is not None and (stands >= value if largest else stands <= value):
            return
        if self._file is None:
            self._held[key] = value
            if len(self._held) > self._most:
                self._lay_down()
            return
        asked = "INSERT INTO held VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        self._file.execute(asked, (key, value))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._held.clear()

    def _found(self, key: str) -> str | None:
        if self._file is None:
            return self._held.get(key)
        row = self._file.execute("SELECT value FROM held WHERE name = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _lay_down(self) -> tuple[str, str, str] | None:
        """Move what is held to the file, in the order of the keys, so that its pages are met once; a key that stands there with another value."""
        file = self._file or self._open()
        file.executemany("INSERT INTO arriving VALUES (?, ?)", sorted(self._held.items()))
        self._held.clear()
        twice: tuple[str, str, str] | None = file.execute(
            "SELECT name, held.value, arriving.value FROM arriving JOIN held USING (name) WHERE held.value <> arriving.value LIMIT 1"
        ).fetchone()
        file.execute("INSERT OR IGNORE INTO held SELECT name, value FROM arriving ORDER BY arriving.rowid")
        file.execute("DELETE FROM arriving")
        return twice

    def _open(self) -> sqlite3.Connection:
        self._work.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(self._work / f"keys-{next(_NUMBER)}.sqlite", isolation_level=None)
        for setting in (
            "journal_mode = OFF",
            "synchronous = OFF",
            "locking_mode = EXCLUSIVE",
            f"cache_size = {-1024 * CACHE_MIB}",
        ):
            self._file.execute(f"PRAGMA {setting}")
        self._file.execute("CREATE TABLE held (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
        self._file.execute("CREATE TEMP TABLE arriving (name TEXT, value TEXT)")
        self._file.execute("BEGIN")
        return self._file
