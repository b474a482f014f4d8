"""Dated assumptions with an owner and a source: last year's report still rebuilds with last year's values."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from analysis.errors import ParameterError, suggestion
from analysis.locale import Text
from analysis.params.places import params_file, shipped_root, shown
from analysis.params.strict import Within, bind, read_yaml

# What a number of a unit can be; of any other unit it is not below zero.
_DOMAINS = {
    "share": Within(low=0, high=1),
    "probability": Within(low=0, high=1),
    "1/year": Within(above=-1, high=1),
    "draws": Within(low=100, high=1_000_000),
    "rankings": Within(low=100, high=1_000_000),
    "charts": Within(low=10, high=1_000_000),
    **dict.fromkeys(("minutes", "hours", "days"), Within(low=0, high=100_000)),
    **dict.fromkeys(("weeks", "months", "years"), Within(low=0, high=1_200)),
}
# Windows: nothing happens inside none.
_WINDOWS = (
    "late_answer_hours",
    "repeat_repair_days",
    "recommendation_lookback_days",
    "longest_warranty_months",
    "smallest_tenure_difference",
    "value_horizon_months",
    "value_observed_rates_months",
    "value_holdout_weeks",
)
# What finance may leave unstated: the figures that rest on it say that they are not computed.
_MAY_BE_UNSTATED = {"budget_tickets", "outsourcing_minimum_tickets"}


@dataclass(frozen=True, kw_only=True)
class DatedValue:
    value: Decimal
    source: str


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """One number finance answers for. ``values`` maps the first day it holds to the value and its source."""

    meaning: Text
    unit: str
    owner: str
    values: dict[dt.date, DatedValue]

    def on(self, day: dt.date, *, name: str) -> DatedValue:
        held = [start for start in self.values if start <= day]
        if not held:
            raise ParameterError(
                f"assumption '{name}': no value holds on {day}; the first starts on {min(self.values)}."
            )
        return self.values[max(held)]


@dataclass(frozen=True)
class Assumptions:
    """Every assumption under ``params/assumptions.yml``."""

    entries: dict[str, Assumption]

    @classmethod
    def load(cls, path: Path | None = None) -> Assumptions:
        path = path or params_file("assumptions.yml")
        where = shown(path)
        entries = {
            name: bind(Assumption, entry, f"{where}: {name}") for name, entry in read_yaml(path).items()
        }
        for name, entry in entries.items():
            domain = _DOMAINS.get(entry.unit, Within(low=0))
            if name in _WINDOWS:
                domain = replace(domain, low=None, above=0)
            for start, value in entry.values.items():
                domain.refuse_outside(value.value, f"{where}: {name}, {start} ({entry.unit})")
        return cls(entries)

    def refuse_incomplete(self) -> None:
        """Whatever the report asks for is stated, or what to add is told: a file of one's own may be older than the report.

        Raises
        ------
        ParameterError
            Naming each assumption that is not stated, with the entry that ships for the first of them.
        """
        path = shipped_root() / "params" / "assumptions.yml"
        if not (lacking := set(Assumptions.load(path).entries) - set(self.entries) - _MAY_BE_UNSTATED):
            return
        names = sorted(lacking)
        blocks = re.split(r"^(?=\w+:)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        entry = next(block for block in blocks if block.startswith(f"{names[0]}:"))
        raise ParameterError(
            f"{shown(params_file('assumptions.yml'))} does not state {', '.join(names)}, which this version of the report asks for. "
            f"Add what your company answers for; what ships for {names[0]}:\n{entry}"
        )

    def value(self, name: str, *, on: dt.date) -> Decimal:
        if name not in self.entries:
            raise ParameterError(
                f"assumption '{name}' is not in params/assumptions.yml.{suggestion(name, self.entries)}"
            )
        return self.entries[name].on(on, name=name).value
