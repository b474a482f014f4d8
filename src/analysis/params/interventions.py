"""Registered measures and fixes: what was changed, where, from when, and what was promised. Judged by the studies, never assumed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from analysis.locale import Text
from analysis.params.places import params_file, shown
from analysis.params.strict import NotNegative, Within, bind, read_yaml


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
    cost: NotNegative = Decimal(0)
    expected_reduction: Annotated[float, Within(low=0, below=1)] = 0.0
    id: str = ""

    @property
    def ticket_type(self) -> str:
        """Tickets of which type it is judged on; empty for all. What a category costs is judged on repairs where nothing else is registered."""
        return self.where.get("ticket_type", "repair" if "category" in self.where else "")


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
