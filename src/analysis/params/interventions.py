"""Registered measures and fixes: what was changed, where, from when, and what was promised. Judged by the studies, never assumed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

from analysis.errors import ParameterError
from analysis.locale import Text
from analysis.params.places import params_file, shown
from analysis.params.strict import bind, read_yaml


@dataclass(frozen=True, kw_only=True)
class Intervention:
    """One entry of ``params/interventions.yml``.

    kind : ``fix`` (a technical change of machines produced from ``starts`` on) or ``measure`` (a change of the service process)
    where : attributes it applies to; comparison : where it did not, for measures
    expected_reduction : share of failures (fix) or cost (measure) promised to go away
    """

    kind: Literal["fix", "measure"]
    name: Text
    owner: str
    starts: dt.date
    where: dict[str, str] = field(default_factory=dict)
    comparison: dict[str, tuple[str, ...]] = field(default_factory=dict)
    component: str = ""
    measure: str = ""
    cost: Decimal = Decimal(0)
    expected_reduction: float = 0.0
    id: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.expected_reduction < 1:
            raise ParameterError(
                f"intervention '{self.id or self.name.en}': expected_reduction {self.expected_reduction} is a share below one, e.g. 0.3."
            )


def load_interventions(path: Path | None = None, *, kind: str | None = None) -> tuple[Intervention, ...]:
    """Every registered intervention, or those of one kind, in order of their start; none when the file is absent."""
    path = path or params_file("interventions.yml")
    if not path.is_file():
        return ()
    entries = [
        replace(bind(Intervention, entry, f"{shown(path)}: {name}"), id=name)
        for name, entry in read_yaml(path).items()
    ]
    return tuple(
        sorted((one for one in entries if kind in (None, one.kind)), key=lambda one: (one.starts, one.id))
    )
