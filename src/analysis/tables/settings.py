"""What a load depends on besides the files: the business time zone, the reporting currency and dated rates."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from analysis.errors import ParameterError

#: Goes up when the same file would be read differently, so that stores made before are not trusted.
READING_VERSION = 1

Rates = Mapping[str, Sequence[tuple[dt.date, Decimal]]]


@dataclass(frozen=True, kw_only=True)
class LoadSettings:
    """How rows are read. ``exchange_rates``: for each currency, from which day one unit is worth how much of ours."""

    reporting_currency: str
    time_zone: str
    exchange_rates: Rates = field(default_factory=dict)
    quarantine_limit: float = 0.01

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError) as error:
            raise ParameterError(f"time zone '{self.time_zone}' is unknown; write it as Asia/Shanghai.") from error
        if not (len(self.reporting_currency) == 3 and self.reporting_currency.isascii() and self.reporting_currency.isupper()):
            raise ParameterError(f"reporting currency '{self.reporting_currency}' should be an ISO 4217 code such as CNY.")
        for currency, rates in self.exchange_rates.items():
            days = [day for day, _ in rates]
            if len(set(days)) != len(days) or any(not rate > 0 for _, rate in rates):
                raise ParameterError(f"exchange rates of {currency}: each day once and every rate above zero.")

    def as_json(self) -> dict[str, object]:
        """For the manifest; two loads with equal settings read a file alike."""
        return {
            "reading_version": READING_VERSION,
            "reporting_currency": self.reporting_currency,
            "time_zone": self.time_zone,
            "quarantine_limit": self.quarantine_limit,
            "exchange_rates": {
                currency.upper(): [[day.isoformat(), str(rate)] for day, rate in sorted(rates)]
                for currency, rates in sorted(self.exchange_rates.items())
            },
        }

    @property
    def content_hash(self) -> str:
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    def rate_rows(self) -> list[tuple[str, dt.date, dt.date, Decimal]]:
        """(currency, from, until, rate): a rate holds from its day until the next one given."""
        rows = []
        for currency, rates in sorted(self.exchange_rates.items()):
            ordered = sorted(rates)
            for index, (day, rate) in enumerate(ordered):
                until = ordered[index + 1][0] if index + 1 < len(ordered) else dt.date.max
                rows.append((currency.upper(), day, until, Decimal(rate)))
        return rows
