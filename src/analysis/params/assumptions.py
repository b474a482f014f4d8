"""Dated assumptions with an owner and a source: last year's report still rebuilds with last year's values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from analysis.errors import ParameterError, suggestion
from analysis.locale import Text
from analysis.params.places import params_file, shown
from analysis.params.strict import bind, read_yaml


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
        return cls(
            {
                name: bind(Assumption, entry, f"{shown(path)}: {name}")
                for name, entry in read_yaml(path).items()
            }
        )

    def value(self, name: str, *, on: dt.date) -> Decimal:
        if name not in self.entries:
            raise ParameterError(
                f"assumption '{name}' is not in params/assumptions.yml.{suggestion(name, self.entries)}"
            )
        return self.entries[name].on(on, name=name).value
