"""Which machines carry a component: only these are at risk of its failure.

An excavator has no axle to break. There is no list of what a machine is made of, so the orders say it: a product line none of whose orders ever named a
component does not carry it. Nor does a model of a line that does, where at the line's rate it would have had ten failures or more by now; of fewer
it cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

EXPECTED = 10.0
"""Failures that a model would have had at its line's rate, from which none at all says that it has no such part: chance has none with 1 in 22,000."""
Machine = tuple[str, str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Carriers(Summarised):
    """What does not carry a component: product ``lines``, and ``models`` (with their line) of lines that do."""

    lines: Mapping[str, frozenset[str]]
    models: Mapping[str, frozenset[Machine]]

    @classmethod
    def of(cls, held: pd.DataFrame, named: pd.DataFrame, failed: pd.DataFrame) -> Carriers:
        """From unit-months (``held``), orders (``named``) and counted failures by product line, model and component."""
        known = set(zip(named["product_line"], named["component"], strict=True))
        own = set(zip(named["product_line"], named["model"], named["component"], strict=True))
        heard = {str(line) for line in named["product_line"]}
        # a line of which no order is known yet may carry anything
        lines = {
            str(component): frozenset(line for line in heard if (line, component) not in known)
            for component in sorted(failed["component"].unique())
        }
        return cls(
            lines={name: without for name, without in lines.items() if without},
            models=_models(held, failed, own),
        )

    def carries(self, component: str, line: str, model: str) -> bool:
        """Whether machines of a model carry a component; what is not known to lack it does."""
        return line not in self.lines.get(component, ()) and (line, model) not in self.models.get(
            component, ()
        )

    def where(self, component: str) -> str:
        """The condition that a machine carries a component."""
        return " AND ".join(self._conditions(component)) or "TRUE"

    def _conditions(self, component: str) -> Iterable[str]:
        lines, models = self.lines.get(component), self.models.get(component)
        if lines:
            yield f"product_line NOT IN ({', '.join(map(literal, sorted(lines)))})"
        if models:
            pairs = ", ".join(f"({literal(line)}, {literal(model)})" for line, model in sorted(models))
            yield f"(product_line, model) NOT IN ({pairs})"


@traced
def _models(
    held: pd.DataFrame, failed: pd.DataFrame, named: set[tuple[str, str, str]]
) -> dict[str, frozenset[Machine]]:
    """Models of which no order named a component although its line's other models would have given them enough failures."""
    found: dict[str, set[Machine]] = {}
    counts = failed.groupby(["product_line", "component"], sort=True)["failures"].sum()
    by_line = {line: part.set_index("model")["unit_months"] for line, part in held.groupby("product_line")}
    for line, component, failures in counts.reset_index().itertuples(index=False):
        months = by_line[line]
        silent = [model for model in months.index if (line, model, component) not in named]
        rate = failures / max(float(months.drop(silent).sum()), 1e-9)
        for model in silent:
            if rate * float(months[model]) >= EXPECTED:
                found.setdefault(str(component), set()).add((str(line), str(model)))
    return {component: frozenset(models) for component, models in sorted(found.items())}
