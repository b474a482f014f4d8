"""What a load depends on besides the files: the business time zone, the reporting currency, dated rates and corrections."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from analysis.errors import ParameterError
from analysis.params.strict import CurrencyCode, TimeZone
from analysis.tables.corrections import Correction

#: Goes up when the same file would be read differently, so that stores made before are not trusted.
READING_VERSION = 4

#: For each currency, from which day on one unit is worth how much in the reporting currency.
Rates = Mapping[str, Sequence[tuple[dt.date, Decimal]]]
#: For each foreign currency of a file, the first and the last day on which it occurs.
ForeignDays = Mapping[str, tuple[dt.date, dt.date]]


@dataclass(frozen=True, kw_only=True)
class LoadSettings:
    """How rows are read."""

    reporting_currency: str
    time_zone: str
    exchange_rates: Rates = field(default_factory=dict)
    quarantine_limit: float = 0.01
    corrections: tuple[Correction, ...] = ()

    def __post_init__(self) -> None:
        TimeZone().refuse_outside(self.time_zone, "time_zone")
        CurrencyCode().refuse_outside(self.reporting_currency, "reporting_currency")
        if not 0 <= self.quarantine_limit < 1:
            raise ParameterError(
                f"quarantine limit {self.quarantine_limit} should be a share from 0 up to 1, e.g. 0.01."
            )
        for currency, rates in self.exchange_rates.items():
            days = [day for day, _ in rates]
            if len(set(days)) != len(days) or any(not rate > 0 for _, rate in rates):
                raise ParameterError(
                    f"exchange rates of {currency}: each day once, and every rate above zero."
                )

    def as_json(self) -> dict[str, object]:
        """For the manifest. Rates are not here: each file records those that it used."""
        return {
            "reading_version": READING_VERSION,
            "reporting_currency": self.reporting_currency,
            "time_zone": self.time_zone,
            "quarantine_limit": self.quarantine_limit,
            "corrections": [correction.as_json() for correction in self.corrections],
        }

    def corrections_of(self, table: str) -> tuple[Correction, ...]:
        return tuple(correction for correction in self.corrections if correction.table == table)

    def rate_rows(self) -> list[tuple[str, dt.date, dt.date, Decimal]]:
        """(currency, from, until, rate): a rate holds from its day until the next one given."""
        rows = []
        for currency, rates in sorted(self.exchange_rates.items()):
            ordered = sorted(rates)
            for index, (day, rate) in enumerate(ordered):
                until = ordered[index + 1][0] if index + 1 < len(ordered) else dt.date.max
                rows.append((currency.upper(), day, until, Decimal(rate)))
        return rows

    def rates_used(self, foreign: ForeignDays) -> str:
        """Changes when a rate that these currencies need on these days comes, goes or moves; a later month's rate does not matter."""
        used = [
            f"{currency}:{max(start, foreign[currency][0])}:{rate}"
            for currency, start, until, rate in self.rate_rows()
            if currency in foreign and start <= foreign[currency][1] and until > foreign[currency][0]
        ]
        return hashlib.sha256("\n".join(used).encode()).hexdigest() if foreign else ""
