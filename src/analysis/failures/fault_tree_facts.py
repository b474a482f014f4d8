"""Fault trees of ``params/fault_trees``, their events filled from the field where a component bears the event's name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.failures.fault_tree import BasicEvent, FaultTree
from analysis.failures.field import Field
from analysis.failures.limits import interval_of, of_what
from analysis.locale import Text
from analysis.metrics import NotDone, traced
from analysis.params.places import params_files
from analysis.results import Assumed, Fact
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
class EventFacts(Summarised):
    """A basic event: its probability (``counted`` in the field, or given) and its Fussell–Vesely importance."""

    name: Text
    probability: Fact
    importance: Fact
    counted: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class TreeFacts(Summarised):
    """A solved tree: its top event, its events by importance, and the number of minimal cut sets."""

    name: str
    title: Text
    top: Fact
    nodes: tuple[Node, ...]
    events: tuple[EventFacts, ...]
    cut_sets: Fact


def trees(folder: Path | None = None) -> dict[Path, FaultTree]:
    """Every registered tree, by file name."""
    paths = sorted(folder.glob("*.yml")) if folder else params_files("fault_trees")
    return {path: FaultTree.from_yaml(path) for path in paths}


@traced
def solved(field: Field, tree: FaultTree, *, file: str, seed: int) -> TreeFacts | NotDone:
    """A tree with its events filled from the field; not done where an event is left without a probability."""
    given = {name for name in tree.events if name not in tree.missing_probabilities}
    counted = {
        name: event for name, event in _from_field(field).items() if name in tree.missing_probabilities
    }
    tree = tree.with_probabilities(counted)
    if tree.missing_probabilities:
        names = Text.same(", ".join(sorted(tree.missing_probabilities)))
        return NotDone(reason=of_what(Text.of("no probability is given or counted"), names))
    state, level = field.state, field.inputs.confidence
    limits = tree.top_interval(draws=int(field.assumed("failure_tree_draws")), seed=seed, level=level)
    table = tree.importance().set_index("event")
    chance = {
        name: state.exact(
            "event_probability",
            float(table.loc[name, "probability"]),
            lineage=Assumed(source=f"params/fault_trees/{file}", name=name) if name in given else None,
            tree=tree.name,
            event=name,
        )
        for name in table.index
    }
    weight = {
        name: state.exact(
            "event_importance", float(table.loc[name, "fussell_vesely"]), tree=tree.name, event=name
        )
        for name in table.index
    }
    return TreeFacts(
        name=tree.name,
        title=tree.title or Text.same(tree.name),
        top=state.exact(
            "top_event_probability",
            float(limits.value),
            parts={"interval": interval_of(limits.low, limits.high, level, limits.method)},
            tree=tree.name,
        ),
        nodes=_nodes(tree, chance),
        events=tuple(
            EventFacts(
                name=_label(tree, name),
                probability=chance[name],
                importance=weight[name],
                counted=name in counted,
            )
            for name in table.index
        ),
        cut_sets=state.exact("cut_sets", len(tree.minimal_cut_sets()), tree=tree.name),
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


def _label(tree: FaultTree, name: str) -> Text:
    entry = tree.gates.get(name) or tree.events.get(name)
    return (entry.label if entry is not None else None) or Text.same(name)


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
