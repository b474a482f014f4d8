"""How often the study is right where the truth is known: the counts kept in params/simulated, as facts."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.failures import simulated
from analysis.failures.field import Field
from analysis.locale import Text
from analysis.results import Assumed, Fact
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True)
class SimulatedFact(Summarised):
    """How often the study was right in simulated fields with a fault ``planted`` at a rate ``ratio`` (one: nothing planted, how often it alarmed)."""

    planted: str
    name: Text
    ratio: float
    share: Fact


def simulated_facts(field: Field) -> tuple[SimulatedFact, ...]:
    """Kept counts of simulated fields, the same every month; tests hold them to the search as it is."""
    found = []
    for one in simulated.kept():
        kept = Assumed(source=simulated.SOURCE, name=f"{one.name}, ratio {one.ratio:g}")
        parts = {"numerator": one.hits, "denominator": one.seeds, "n": one.seeds, "interval": one.interval()}
        fact = field.state.exact(
            "simulated_right" if one.ratio > 1 else "simulated_alarms",
            one.hits / one.seeds,
            lineage=kept,
            parts=parts,
            planted=one.name,
            ratio=f"{one.ratio:g}",
        )
        found.append(
            SimulatedFact(
                planted=one.name, name=field.label("planted", one.name), ratio=one.ratio, share=fact
            )
        )
    return tuple(found)
