"""Reference values from outside: what somebody published of a measure, with source, population and date."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from analysis.errors import ParameterError
from analysis.locale import Text
from analysis.params.places import params_file, shown
from analysis.params.strict import bind, read_yaml

REGISTER = "benchmarks.yml"


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One published value of one measure.

    metric : id of the metric that is the same thing here
    value : in the metric's unit; money in the currency of the run
    population : whose figure it is; source : where it was published; date : the last day it is of
    run : the run it is for; blank: every run
    """

    metric: str
    value: Decimal
    population: Text
    source: str
    date: dt.date
    run: str = ""

    def __post_init__(self) -> None:
        if not self.source.strip() or not self.population.en.strip():
            raise ParameterError(
                f"{REGISTER}: '{self.metric}': 'source' and 'population' should say who published it and of whom; a value without them is not drawn."
            )


@dataclass(frozen=True, kw_only=True)
class _Register:
    benchmarks: tuple[Benchmark, ...] = ()


def load_benchmarks(run: str, path: Path | None = None) -> tuple[Benchmark, ...]:
    """The values stated for this run, in the order of the file; none where there is no file.

    Raises
    ------
    ParameterError
        For an entry without source or population, and one that stands twice.
    """
    path = path or params_file(REGISTER)
    if not path.is_file():
        return ()
    entries = bind(_Register, read_yaml(path), shown(path)).benchmarks
    keys = [(one.run, one.metric, one.source, one.population.en, one.date) for one in entries]
    twice = next((one for one, key in zip(entries, keys, strict=True) if keys.count(key) > 1), None)
    if twice is not None:
        raise ParameterError(f"{shown(path)}: '{twice.metric}' of {twice.source} stands twice; keep one.")
    return tuple(one for one in entries if one.run in ("", run))
