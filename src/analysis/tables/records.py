"""What the store remembers of each source file, so that an unchanged one is not read again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from analysis.tables.store import FileWaterfall


@dataclass(frozen=True, kw_only=True)
class FileRecord:
    """One file as it was last read.

    ``foreign`` and ``rates``: which exchange rates its money went through. ``orphaned``: rows quarantined because what they
    must refer to was not there. ``tangled``: other files that hold exact copies of some of its rows. ``corrected``: rows that each
    correction found; ``dropped`` of them were set aside by it (and are among ``quarantined``). ``stated``: lines of totals and of closing
    vouchers among ``quarantined``. ``hidden``: rows its sheet does not show. ``rewritten``: columns whose text came in another Unicode
    form, with rows and example.
    """

    name: str
    hash: str
    rows: int
    header: tuple[str, ...]
    columns: tuple[str, ...]
    foreign: Mapping[str, tuple[dt.date, dt.date]]
    rates: str
    converted_rows: int
    ends_without_line_break: bool
    accepted: int = 0
    quarantined: int = 0
    orphaned: int = 0
    exact_duplicates: int = 0
    tangled: tuple[str, ...] = ()
    corrected: Mapping[str, int] = field(default_factory=dict)
    dropped: int = 0
    encoding: str = "utf-8"
    stated: int = 0
    hidden: int = 0
    first_hidden: int = 0
    rewritten: tuple[tuple[str, int, str], ...] = ()

    @property
    def waterfall(self) -> FileWaterfall:
        return FileWaterfall(
            file=self.name,
            file_hash=self.hash,
            rows_read=self.rows,
            accepted=self.accepted,
            quarantined=self.quarantined,
            exact_duplicates=self.exact_duplicates,
        )

    def counted(self, **counts: Any) -> FileRecord:
        return replace(self, **counts)

    def as_json(self) -> dict[str, Any]:
        days = {
            currency: [day.isoformat() for day in span] for currency, span in sorted(self.foreign.items())
        }
        return asdict(self) | {"foreign": days}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> FileRecord:
        def day(text: str) -> dt.date:
            return dt.date.fromisoformat(text)

        return cls(
            **{
                **entry,
                "header": tuple(entry["header"]),
                "columns": tuple(entry["columns"]),
                "tangled": tuple(entry["tangled"]),
                "rewritten": tuple((column, count, example) for column, count, example in entry["rewritten"]),
                "foreign": {
                    currency: (day(span[0]), day(span[1])) for currency, span in entry["foreign"].items()
                },
            }
        )
