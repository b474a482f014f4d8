"""What a person says of a proposed map before it is written: whose clock and which money each file means, rows that were taken back, money too fine.

Without a person every proposal stands, and is said as a doubt with what it moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Literal, Protocol

from analysis.errors import ParameterError, in_quotes
from analysis.params.strict import CurrencyCode, TimeZone
from analysis.sources.amounts import MONEY, is_plain_number, plain_number
from analysis.sources.cells import Cell, cell_text
from analysis.sources.drafting import UTC, Entry
from analysis.sources.entries import part_of, zone_of_language
from analysis.sources.looking import Look
from analysis.sources.proposing import Proposal
from analysis.sources.words import is_total_word
from analysis.workbook.first_settings import currency_of, named_currency
from analysis.workbook.table_shapes import table_shapes

ROUNDINGS = ("no", "half_even", "half_up")
#: Characters of a question's reason; the map holds all of it.
LONGEST_REASON = 600


class Refuse(Protocol):
    """Raises `ParameterError` for an answer, given the name of what is asked, that cannot be meant."""

    def __call__(self, name: str, answer: str, /) -> object: ...


class Answer(Protocol):
    """Asks for something and returns the answer, or the proposal where nobody is asked; of ``choices`` the beginning of one is enough."""

    def __call__(
        self, what: str, proposed: str, why: str, *, refuse: Refuse | None = None, choices: Sequence[str] = ()
    ) -> str: ...


@dataclass(kw_only=True)
class Settled:
    """What was said besides the map: worth of one unit of other currencies in that of the report; and of each file by which clock and in which money it is read."""

    rates: dict[str, Decimal] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


def settle(proposal: Proposal, *, zone: str, currency: str, answer: Answer) -> Settled:
    """Ask for what no file tells, file by file, and put the answers into the entries of the proposal.

    Parameters
    ----------
    proposal : whose entries are changed
    zone, currency : the company's own clock and the currency of the report
    answer : asks, or gives back what is proposed
    """
    settled = Settled()
    for look, entries in _by_file(proposal):
        said = [_clock(entries, zone, answer), _currency(look, entries, currency, answer, settled)]
        if any(said):
            settled.files.append(f"{look.file}: {'; '.join(filter(None, said))}")
    for entry in proposal.entries:
        _taken_back(entry, answer)
        _too_fine(entry, answer)
    return settled


def _by_file(proposal: Proposal) -> Iterator[tuple[Look, list[Entry]]]:
    """Each file or sheet that is read, with its entries."""
    for look in proposal.looks:
        entries = [one for one in proposal.entries if (one.file, part_of(one)) == (look.file, look.part or part_of(one))]  # fmt: skip
        if entries:
            yield look, entries


def _named(look: Look) -> str:
    return f"{look.file} ({look.part})" if look.part and look.pattern else look.file


def _clock(entries: Sequence[Entry], zone: str, answer: Answer) -> str:
    """The clock of moments without a zone; asked where it would be another than the company's own, and rows would lie in another month."""
    local = [entry for entry in entries if entry.clock]
    if not local or local[0].clock is None:
        return ""
    clock, own = local[0].clock, local[0].local_times.get("zone", UTC)
    why = "by the language of the file" if own == clock.language else "as nothing in it tells"
    if own == zone:
        chosen, why = own, "the company's own clock"
    else:
        moved = clock.in_another_month(own, zone, zone)
        effect = f"were it {zone}, {moved:,} of {len(clock.moments):,} rows would lie in another month"
        chosen = own if not moved else answer(f"clock of {local[0].file}", own, f"no time zone in it; {own} {why}; {effect}", refuse=lambda name, text: TimeZone().refuse_outside(text, name))  # fmt: skip
        why = why if chosen == own else "as answered"
    for entry in local:
        entry.set_clock(chosen, why, business=zone)
    return local[0].clock_doubt


def _currency(look: Look, entries: Sequence[Entry], currency: str, answer: Answer, settled: Settled) -> str:
    """The currency of amounts that name none; asked where signs or the language of the file speak for another than the report's."""
    shapes = table_shapes()
    bare = [
        entry
        for entry in entries
        if "currency" in shapes[entry.table].columns
        and "currency" not in entry.canonical
        and MONEY & set(entry.columns)
    ]
    if not bare:
        return ""
    signed = named_currency(look, currency)
    language = entries[0].clock.language if entries[0].clock else _language(look)
    other = signed or (currency_of(language) if language else "")
    amount = _money(look, bare[0])
    if other in ("", currency):
        for entry in bare:
            entry.doubt(1, f"no currency is named; amounts are read as {currency}: {amount}")
        return f"no currency is named; read as {currency}: {amount}"
    reason = f"its amounts carry the sign of {signed}" if signed else f"by its language it may be {other}"
    chosen = answer(f"currency of {look.file}", signed or currency, f"none is named in it; {reason}; {amount}", refuse=lambda name, text: CurrencyCode().refuse_outside(text, name))  # fmt: skip
    for entry in bare:
        if chosen != currency:
            entry.constants["currency"] = chosen
        entry.doubt(
            3, f"no currency is named; amounts are read as {chosen}, and {reason}: {amount}", share=1.0
        )
    if chosen != currency and chosen not in settled.rates:
        rate = answer(f"worth of one {chosen} in {currency}", "", f"rows in {chosen} are set aside without it; dated rates go into exchange_rates of the run", refuse=_rate)  # fmt: skip
        if rate:
            settled.rates[chosen] = Decimal(rate)
    return f"no currency is named; read as {chosen}: {amount}"


def _language(look: Look) -> str:
    """The zone of those who write as a file is written."""
    cells = (cell_text(cell) for row in look.rows[:20] for cell in row)
    return zone_of_language(" ".join([look.file, *look.header, *cells]))


def _rate(name: str, text: str) -> None:
    try:
        rate = Decimal(text or "1")
    except InvalidOperation:
        rate = Decimal(0)
    if not 0 < rate < 1_000_000:
        raise ParameterError(f"{name} {in_quotes(text)}: should be a number above 0, such as 0.128.")


def _money(look: Look, entry: Entry) -> str:
    """The sum of an entry's money over the rows that were looked at, in words."""
    column = next(name for name in entry.columns if name in MONEY)
    mark: Literal[".", ","] = "," if entry.decimal_mark == "," else "."
    rows = [row for row in look.rows if not any(map(_is_total, row))]
    total = Decimal(0)
    for source, sign in ((entry.columns[column], 1), (entry.less.get(column, ""), -1)):
        place = look.header.index(source) if source in look.header else None
        texts = [plain_number(cell_text(row[place]), mark) for row in rows] if place is not None else []
        total += sign * sum((Decimal(text) for text in texts if is_plain_number(text)), Decimal(0))
    return f"its {column} is {total:,.2f} in {len(rows):,} rows"


def _is_total(cell: Cell) -> bool:
    return isinstance(cell, str) and is_total_word(cell)


def _taken_back(entry: Entry, answer: Answer) -> None:
    """Rows that a word marks as refunded, cancelled or draft: left out, counted as refunds, or kept."""
    for one in entry.taken_back:
        if one.doubt.cost < 3:
            continue
        chosen = answer(
            f"{entry.table} of {entry.file}, {one.column}",
            one.action,
            f"{one.found[:LONGEST_REASON]}; {one.action}, as {one.why}",
            choices=one.actions,
        )
        if chosen != one.action:
            one.action, one.why = chosen, "answered"


def _too_fine(entry: Entry, answer: Answer) -> None:
    """Money with more than two decimals is rounded only where a person says so."""
    for column, said in entry.too_fine.items():
        chosen = answer(
            f"round {column} of {entry.table} of {entry.file}",
            "no",
            f"{said}; without it such rows are set aside, and more than 1% of them refuse the table; half_even: a half to the even cent, half_up: away from zero",
            choices=ROUNDINGS,
        )
        if chosen != "no":
            entry.doubts = [one for one in entry.doubts if said not in one.said]
            entry.rounded[column] = chosen
            entry.doubt(1, f"{column}: {said}; rounded, as answered", beside="rounded")
