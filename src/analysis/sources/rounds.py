"""Numbers of rows at which systems and spreadsheets cut an export."""

from __future__ import annotations

#: The last row of a worksheet, old and new, with and without its header.
_SHEET_ENDS = frozenset((65_535, 65_536, 1_048_575, 1_048_576))
_LEADING = frozenset((1, 2, 3, 5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80))


def is_round(rows: int) -> bool:
    """Whether a file of so many rows may have been cut: 1,000, 2,000, 5,000 … 50,000, the end of a worksheet."""
    if rows in _SHEET_ENDS:
        return True
    for unit in (100_000, 10_000, 1_000):
        if rows >= unit and rows % unit == 0:
            return rows // unit in _LEADING
    return False
