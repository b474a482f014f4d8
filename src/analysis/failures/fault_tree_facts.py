"""Fault trees of ``params/fault_trees``, their events filled from the field where a component bears the event's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.failures.fault_tree import FaultTree
from analysis.failures.fault_tree_parts import BasicEvent
from analysis.failures.field import Field
from analysis.failures.limits import interval_of, of_what
from analysis.failures.lives import inside
from analysis.failures.lives_facts import OTHER, OTHER_MACHINES
from analysis.failures.localising import Cause
from analysis.failures.localising_facts import cause_name, cause_slice
from analysis.locale import Text
from analysis.metrics import NotDone, traced
from analysis.metrics.steady import exact_sum
from analysis.params.places import params_files
from analysis.params.strict import read_yaml
from analysis.results import Assumed, Fact
from analysis.summaries import Summarised

MISSION_MONTHS = 12
TOO_LARGE = Text.of("not computed: the tree is too large for it")


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
    """A solved tree: its top event, its events by importance, and the number of minimal cut sets.

    ``parts`` are the machines of each cause that the search named in one of its components, and all others; the rest of the tree is of all machines.
    """

    name: str
    title: Text
    top: Fact
    nodes: tuple[Node, ...]
    events: tuple[EventFacts, ...]
    cut_sets: Fact
    parts: tuple[TreePart, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class TreePart(Summarised):
    """The top event on some machines, and the events of the components in which a cause was found; ``top`` has no value where they cannot be counted."""

    name: Text
    top: Fact
    events: tuple[tuple[Text, Fact], ...] = ()


def trees(folder: Path | None = None) -> dict[Path, FaultTree]:
    """Every registered tree, by file name; a file of nothing but ``{}`` takes the place of one that ships and is none."""
    paths = sorted(folder.glob("*.yml")) if folder else params_files("fault_trees")
    return {path: FaultTree.from_yaml(path) for path in paths if read_yaml(path)}


@traced
def solved(
    field: Field, tree: FaultTree, causes: Sequence[Cause] = (), *, file: str, seed: int
) -> TreeFacts | NotDone:
    """A tree with its events filled from the field; not done where an event is left without a probability."""
    given, open_tree = {name for name in tree.events if name not in tree.missing_probabilities}, tree
    counted = {
        name: event for name, event in _from_field(field).items() if name in tree.missing_probabilities
    }
    tree = tree.with_probabilities(counted)
    if tree.missing_probabilities:
        return _uncounted(tree)
    state, level = field.state, field.inputs.confidence
    draws = int(field.assumed("failure_tree_draws"))
    limits = tree.top_interval(draws=draws, seed=seed, level=level)
    table = tree.importance().set_index("event")
    around = tree.event_intervals(draws=draws, seed=seed, level=level)
    chance = {
        name: state.exact(
            "event_probability",
            float(table.loc[name, "probability"]),
            lineage=Assumed(source=f"params/fault_trees/{file}", name=name)
            if _source_of(tree, str(name)) in given
            else None,
            parts=_around(table, around, str(name), "probability", "probability", level, draws),
            tree=tree.name,
            event=name,
        )
        for name in table.index
    }
    weight = {
        name: state.exact(
            "event_importance",
            float(table.loc[name, "fussell_vesely"])
            if np.isfinite(table.loc[name, "fussell_vesely"])
            else None,
            reason=TOO_LARGE,
            parts=_around(table, around, str(name), "fussell_vesely", "importance", level, draws),
            tree=tree.name,
            event=name,
        )
        for name in table.index
    }
    return TreeFacts(
        name=tree.name,
        title=tree.title or Text.same(tree.name),
        top=state.exact(
            "top_event_probability",
            float(limits.value),
            parts={"n": draws, "interval": interval_of(limits.low, limits.high, level, limits.method)},
            tree=tree.name,
        ),
        nodes=_nodes(tree, chance),
        events=tuple(
            EventFacts(
                name=_label(tree, name),
                probability=chance[name],
                importance=weight[name],
                counted=_source_of(tree, name) in counted,
            )
            for name in table.index
        ),
        cut_sets=state.exact("cut_sets", len(tree.minimal_cut_sets()), tree=tree.name),
        parts=_parts(field, open_tree, [one for one in causes if one.component in counted], seed=seed),
    )


def _source_of(tree: FaultTree, name: str) -> str:
    """The event whose probability this one has: one that is the same as another is counted where that one is."""
    same = tree.events[name].same_as
    return name if same is None else _source_of(tree, same)


def _around(
    table: Any, around: Any, name: str, column: str, kind: str, level: float, draws: int
) -> dict[str, Any]:
    """The draws' limits of an event's figure; none where nothing is said about the event, or the tree is too large."""
    value = float(table.loc[name, column])
    low, high = (float(around.loc[name, f"{kind}_{end}"]) for end in ("low", "high"))
    if low == high:
        return {}
    if not np.isfinite([value, low, high]).all():
        return {"reason": TOO_LARGE}
    # of an event that was never seen the draws lie above the counted zero
    limits = interval_of(min(low, value), max(high, value), level, f"propagation, {draws:,} draws")
    return {"n": draws, "interval": limits}


@traced
def _parts(field: Field, tree: FaultTree, causes: Sequence[Cause], *, seed: int) -> tuple[TreePart, ...]:
    """The tree with its events counted on the machines of each cause, and on the machines outside all of them."""
    if not causes:
        return ()
    explained = sorted({cause.component for cause in causes if cause.component})
    groups: list[tuple[Text, str, dict[str, Any]]] = [
        (cause_name(field, cause), inside(cause), cause_slice(cause)) for cause in causes
    ]
    others = " AND ".join(f"NOT {where}" for _, where, _ in groups)
    name = Text(en=OTHER_MACHINES.en[:1].upper() + OTHER_MACHINES.en[1:], zh=OTHER_MACHINES.zh)
    groups.append((name, others, {"machines": OTHER}))
    state, level, found = field.state, field.inputs.confidence, []
    for label, where, place in groups:
        events = _from_field(field, where)
        filled = tree.with_probabilities(
            {name: event for name, event in events.items() if name in tree.missing_probabilities}
        )
        if filled.missing_probabilities:
            reason = _uncounted(filled).unstated
            top = state.exact("top_event_probability", None, reason=reason, tree=tree.name, **place)
            found.append(TreePart(name=label, top=top))
            continue
        draws = int(field.assumed("failure_tree_draws"))
        table: Any = filled.importance().set_index("event")
        around = filled.event_intervals(draws=draws, seed=seed, level=level)
        limits = filled.top_interval(draws=draws, seed=seed, level=level)
        top = state.exact(
            "top_event_probability",
            float(limits.value),
            parts={"n": draws, "interval": interval_of(limits.low, limits.high, level, limits.method)},
            tree=tree.name,
            **place,
        )
        chance = [
            (
                _label(tree, name),
                state.exact(
                    "event_probability",
                    float(table.loc[name, "probability"]),
                    parts=_around(table, around, name, "probability", "probability", level, draws),
                    tree=tree.name,
                    event=name,
                    **place,
                ),
            )
            for name in explained
        ]
        found.append(TreePart(name=label, top=top, events=tuple(chance)))
    return tuple(found)


def _uncounted(tree: FaultTree) -> NotDone:
    names = Text.same(", ".join(sorted(tree.missing_probabilities)))
    return NotDone(reason=of_what(Text.of("no probability is given or counted"), names))


@traced
def _from_field(field: Field, where: str = "TRUE") -> dict[str, BasicEvent]:
    """Failures and exposure of each component in the first months in service, on the machines that meet a condition and carry it.

    A component that did not fail there has an event without failures: it is rare, not absent. One that none of these machines carries has none.
    """
    young = field.query(
        field.machines,
        field.exposure("product_line", "model", where=where),
        select=f"SELECT product_line, model, {exact_sum('unit_months')} AS held FROM grid WHERE age_months < {MISSION_MONTHS} GROUP BY ALL ORDER BY ALL",
    )
    counts = field.query(
        field.failures,
        select=f"SELECT component, count(*) FILTER (WHERE age_months < {MISSION_MONTHS} AND {where}) AS failures FROM failed "
        f"GROUP BY ALL HAVING count(*) FILTER (WHERE age_months < {MISSION_MONTHS}) > 0 ORDER BY ALL",
    ).set_index("component")["failures"]
    at_risk = {
        str(name): sum(
            float(held)
            for line, model, held in young.itertuples(index=False)
            if field.carriers.carries(str(name), line, model)
        )
        for name in counts.index
    }
    return {
        name: BasicEvent(failures=float(counts[name]), exposure=held, mission=float(MISSION_MONTHS))
        for name, held in at_risk.items()
        if held > 0
    }


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
