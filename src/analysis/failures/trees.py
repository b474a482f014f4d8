"""Fault trees of ``params/fault_trees``, their events filled from the field where a component bears the event's name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.failures.fault_tree import BasicEvent, FaultTree
from analysis.failures.field import Field
from analysis.failures.publishing import interval_of, window
from analysis.locale import Text
from analysis.metrics.lineage import traced
from analysis.params.places import params_files
from analysis.results import Fact
from analysis.summaries import Summarised

MISSION_MONTHS = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Node(Summarised):
    """A place in the drawn tree; ``probability`` of basic events only."""

    id: int
    parent: int | None
    depth: int
    name: Text
    kind: str
    needed: int | None
    probability: Fact | None


@dataclass(frozen=True, kw_only=True, eq=False)
class TreeFacts(Summarised):
    """A solved tree: its top event, its events by importance, and the number of minimal cut sets."""

    name: str
    title: Text
    top: Fact
    nodes: tuple[Node, ...]
    events: tuple[tuple[Text, Fact, Fact, bool], ...]
    cut_sets: Fact


@traced
def solved_trees(field: Field, *, seed: int, folder: Path | None = None) -> tuple[TreeFacts, ...]:
    """Every tree whose events all have a probability, by file name."""
    paths = sorted(folder.glob("*.yml")) if folder else params_files("fault_trees")
    found = [_solved(field, FaultTree.from_yaml(path), seed=seed) for path in paths]
    return tuple(tree for tree in found if tree is not None)


@traced
def _solved(field: Field, tree: FaultTree, *, seed: int) -> TreeFacts | None:
    counted = {
        name: event for name, event in _from_field(field).items() if name in tree.missing_probabilities
    }
    tree = tree.with_probabilities(counted)
    if tree.missing_probabilities:
        return None
    engine, period, level = field.inputs.engine, window(field), field.inputs.confidence
    limits = tree.top_interval(draws=2000, seed=seed, level=level)
    place = {"tree": tree.name}
    top = engine.stated(
        "top_event_probability",
        period=period,
        dimensions=place,
        value=float(limits.value),
        interval=interval_of(limits.low, limits.high, level, limits.method),
    )
    table = tree.importance().set_index("event")
    chance = {
        name: engine.stated(
            "event_probability",
            period=period,
            dimensions={**place, "event": name},
            value=float(table.loc[name, "probability"]),
        )
        for name in table.index
    }
    weight = {
        name: engine.stated(
            "event_importance",
            period=period,
            dimensions={**place, "event": name},
            value=float(table.loc[name, "fussell_vesely"]),
        )
        for name in table.index
    }
    return TreeFacts(
        name=tree.name,
        title=tree.title or Text.same(tree.name),
        top=top,
        nodes=_nodes(tree, chance),
        events=tuple(
            (_label(tree, name), chance[name], weight[name], name in counted) for name in table.index
        ),
        cut_sets=engine.stated(
            "cut_sets", period=period, dimensions=place, value=len(tree.minimal_cut_sets())
        ),
    )


@traced
def _from_field(field: Field) -> dict[str, BasicEvent]:
    """Failures and exposure of each component in the first months in service."""
    young = field.by_age[field.by_age["age_months"] < MISSION_MONTHS]["unit_months"].sum()
    counts = (
        field.failure_counts[field.failure_counts["age_months"] < MISSION_MONTHS]
        .groupby("component")["failures"]
        .sum()
    )
    return (
        {
            str(name): BasicEvent(failures=float(n), exposure=float(young), mission=float(MISSION_MONTHS))
            for name, n in counts.items()
        }
        if young > 0
        else {}
    )


@traced
def _label(tree: FaultTree, name: str) -> Text:
    entry = tree.gates.get(name) or tree.events.get(name)
    return (entry.label if entry is not None else None) or Text.same(name)


@traced
def _nodes(tree: FaultTree, chance: dict[str, Fact]) -> tuple[Node, ...]:
    import pandas as pd

    def number(value: Any) -> int | None:
        return None if pd.isna(value) else int(str(value))

    return tuple(
        Node(
            id=int(row["id"]),
            parent=number(row["parent"]),
            depth=int(row["depth"]),
            name=_label(tree, row["name"]),
            kind=row["kind"],
            needed=number(row["needed"]),
            probability=chance.get(row["name"]),
        )
        for row in tree.outline().to_dict("records")
    )
