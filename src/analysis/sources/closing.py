"""Closing vouchers of a ledger, known by the account they post against, whatever their wording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analysis.errors import SourceError
from analysis.sources.cells import Cell, cell_text
from analysis.sources.keys import Keys, joined_key
from analysis.sources.maps import Closing
from analysis.sources.words import is_one_of


@dataclass(frozen=True, kw_only=True)
class ClosingVouchers:
    """The closing vouchers of one file. ``told_by_accounts``: whether the file has lines on the profit account at all."""

    rule: Closing
    vouchers: Keys
    told_by_accounts: bool

    def takes(self, row: Sequence[Cell], index: Mapping[str, int]) -> bool:
        """Whether a line belongs to a closing voucher."""
        if self.told_by_accounts:
            return _voucher(self.rule, row, index) in self.vouchers
        return any(
            is_one_of(cell_text(row[index[column]]), words)
            for column, words in self.rule.words.items()
            if column in index
        )


def closing_vouchers(
    rule: Closing, file: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], vouchers: Keys
) -> ClosingVouchers:
    """Read a file once for the vouchers that post to profit. Raises SourceError where it has none of the columns that tell."""
    index = {name: place for place, name in enumerate(header)}
    asked = {column: words for column, words in rule.accounts.items() if column in index}
    lacking = [column for column in rule.of if column not in index]
    if not asked or lacking:
        raise SourceError(
            f"{file}: column '{lacking[0] if lacking else next(iter(rule.accounts))}' is not there; without it closing vouchers "
            "cannot be told from cost. Export it as well, or correct 'closing' in the map."
        )
    met = False
    for row in rows:
        if len(row) == len(header) and any(
            is_one_of(cell_text(row[index[column]]), words) for column, words in asked.items()
        ):
            met = True
            vouchers.count(_voucher(rule, row, index))
    return ClosingVouchers(rule=rule, vouchers=vouchers, told_by_accounts=met)


def _voucher(rule: Closing, row: Sequence[Cell], index: Mapping[str, int]) -> str:
    return joined_key(cell_text(row[index[column]]) for column in rule.of)
