"""Figures a source system shows on its own screen, as somebody read them there: what our totals are compared with."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from analysis.errors import ParameterError
from analysis.locale import Text
from analysis.params.places import params_file, shown
from analysis.params.strict import NotNegative, bind, read_yaml
from analysis.periods import Month

REGISTER = "screen_figures.yml"


@dataclass(frozen=True, kw_only=True)
class ScreenFigure:
    """One figure of one system's screen.

    system : the system and the screen that shows it, in one wording or in both languages
    figure : id of the metric that is the same thing here; ``dimensions`` a slice of it
    period : a month (``2026-10``) or half-open months (``2026-01/2026-11``)
    value : as the screen shows it, in the unit of the metric; tolerance : the largest difference that needs no explanation
    source, read_on : who read it where, and when
    data : the data it belongs to, as the run's file names them; blank: whatever the run reads
    """

    run: str
    system: Text
    figure: str
    period: str
    value: Decimal
    tolerance: NotNegative
    source: str
    read_on: dt.date
    data: str = ""
    dimensions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        place = f"{REGISTER}: '{self.figure}' of {self.period}"
        if not self.source.strip() or not self.system.en.strip():
            raise ParameterError(
                f"{place}: 'system' and 'source' should say which screen showed it and who read it."
            )
        if self.last < self.first:
            raise ParameterError(
                f"{place}: the period ends before it begins; write half-open months such as 2026-01/2026-11."
            )

    @property
    def first(self) -> Month:
        return Month.parse(self.period.partition("/")[0])

    @property
    def last(self) -> Month:
        """The last month inside the period."""
        _, slash, end = self.period.partition("/")
        return Month.parse(end) - 1 if slash else self.first


@dataclass(frozen=True, kw_only=True)
class _Register:
    screen_figures: tuple[ScreenFigure, ...] = ()


def load_screen_figures(run: str, path: Path | None = None) -> tuple[ScreenFigure, ...]:
    """The figures stated for this run, in the order of the file; none where there is no file. A figure stated twice is refused."""
    path = path or params_file(REGISTER)
    if not path.is_file():
        return ()
    entries = bind(_Register, read_yaml(path), shown(path)).screen_figures
    seen: set[tuple[object, ...]] = set()
    for entry in entries:
        key = (entry.run, entry.system.en, entry.figure, entry.period, *sorted(entry.dimensions.items()))
        if key in seen:
            raise ParameterError(
                f"{shown(path)}: '{entry.figure}' of {entry.period} by {entry.system.en} stands twice; keep the one last read."
            )
        seen.add(key)
    return tuple(entry for entry in entries if entry.run == run)
