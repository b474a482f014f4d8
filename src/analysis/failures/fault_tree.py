"""Fault trees: which combinations of failures bring the top event about, how likely, and what matters most.

Solved exactly with binary decision diagrams: shared events, k-of-n, NOT and XOR gates are no approximation, and
probabilities are never added up as if rare, unless that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import MissingData, ParameterError, suggestion
from analysis.failures.fault_tree_parts import (
    BasicEvent,
    Described,
    File,
    Gate,
    check,
    drawn_from,
    point_value,
    reached,
    with_numbers,
)
from analysis.metrics.lineage import traced, traced_property
from analysis.params.places import shown
from analysis.params.strict import bind, read_yaml
from analysis.stats.decision_diagrams import Diagram, DiagramTooLarge, SetFamily, deep_recursion
from analysis.stats.intervals import Interval

Floats = NDArray[np.float64]
Method = Literal["exact", "rare_event", "min_cut_upper_bound"]
MOST_MORE_NODES, MOST_DRAWN = 2_000_000, 20_000_000
TOO_MANY = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class FaultTree(Described):
    """A checked tree; make one with `from_yaml` or `from_mapping`.

    Attributes
    ----------
    name, top, title : of the tree, of its top gate, and in words.
    gates, events, house, common_causes : by name.

    Examples
    --------
    The machine stops when the pump fails, or both sensors do.

    >>> from analysis import failures
    >>> tree = failures.FaultTree.from_mapping(
    ...     {
    ...         "top": "stops",
    ...         "gates": {"stops": {"kind": "or", "of": ["pump", "blind"]}, "blind": {"kind": "and", "of": ["left", "right"]}},
    ...         "events": {"pump": {"probability": 0.02}, "left": {"probability": 0.1}, "right": {"probability": 0.1}},
    ...     },
    ...     name="machine",
    ... )
    >>> round(tree.top_probability(), 4)  # 1 - 0.98 x (1 - 0.01)
    0.0298
    >>> tree.minimal_cut_sets()["events"].tolist()
    [('pump',), ('left', 'right')]
    """

    @classmethod
    def from_yaml(cls, path: Path | str) -> FaultTree:
        """A tree from a file such as ``params/fault_trees/*.yml``.

        Parameters
        ----------
        path : Path or str
            The file.

        Returns
        -------
        FaultTree

        Raises
        ------
        ParameterError
            For unknown keys, names and cycles.
        """
        file = Path(path)
        return cls.from_mapping(read_yaml(file), name=file.stem, where=shown(file))

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any], *, name: str, where: str | None = None) -> FaultTree:
        """A tree from its content.

        Parameters
        ----------
        content : mapping
            ``top``, ``gates``, ``events``, as in ``params/fault_trees/*.yml``.
        name : str
            Of the tree.
        where : str, optional
            Where the content stands, for messages.

        Returns
        -------
        FaultTree

        Raises
        ------
        ParameterError
            For unknown keys, names and cycles.
        """
        place = where or name
        read = bind(File, with_numbers(content), place)
        tree = cls(
            name=name,
            top=read.top,
            gates=read.gates,
            events=read.events,
            house=read.house,
            common_causes=read.common_causes,
            title=read.title,
        )
        check(tree, place)
        return tree

    def with_probabilities(self, known: Mapping[str, float | BasicEvent]) -> FaultTree:
        """The same tree with probabilities, or evidence, from data for some of its events.

        Parameters
        ----------
        known : mapping of name to number 0 to 1, or BasicEvent
            By event.

        Returns
        -------
        FaultTree

        Raises
        ------
        ParameterError
            For an unknown event or an impossible probability.
        """
        events = dict(self.events)
        for name, evidence in known.items():
            if name not in events:
                raise ParameterError(f"{self.name}: no basic event '{name}'.{suggestion(name, events)}")
            plain = BasicEvent(probability=evidence) if not isinstance(evidence, BasicEvent) else evidence
            events[name] = replace(plain, label=events[name].label)
        tree = replace(self, events=events)
        check(tree, self.name)
        return tree

    def with_house(self, **settings: bool) -> FaultTree:
        """The same tree with conditions switched on or off.

        Parameters
        ----------
        settings : bool by name
            Of house events.

        Returns
        -------
        FaultTree

        Raises
        ------
        ParameterError
            For an unknown condition.
        """
        unknown = [name for name in settings if name not in self.house]
        if unknown:
            raise ParameterError(
                f"{self.name}: no house event '{unknown[0]}'.{suggestion(unknown[0], self.house)}"
            )
        return replace(self, house={**self.house, **settings})

    @property
    def coherent(self) -> bool:
        """No gate turns a failure into a remedy (no NOT, XOR, NAND or NOR below the top)."""
        return all(self.gates[name].kind in ("and", "or", "at_least") for name in self._used_gates)

    # -- what brings the top event about

    def cut_set_counts(self) -> dict[int, int]:
        """Number of minimal cut sets by order, without listing them.

        Returns
        -------
        dict of order to number
        """
        solved = self._solved
        with deep_recursion(2 * len(solved.names)):
            counts: dict[int, int] = solved.family.count_by_size(solved.primes())
            return counts

    def minimal_cut_sets(self, *, max_order: int | None = None, limit: int = 200_000) -> pd.DataFrame:
        """Smallest combinations of basic events that bring the top event about, likeliest first.

        In a tree with NOT gates these are the prime implicants; an event that must not happen reads ``not name``.

        Parameters
        ----------
        max_order : int, optional
            Largest combination listed.
        limit : int
            Of sets listed; more are refused.

        Returns
        -------
        DataFrame, one row per minimal cut set
            `events` (tuple), `order`, `probability`, `share` (of their sum). Probabilities are missing where an event's is.

        Raises
        ------
        ParameterError
            Where there are more sets than `limit`.
        """
        solved = self._solved
        counts = self.cut_set_counts()
        wanted = sum(count for order, count in counts.items() if max_order is None or order <= max_order)
        if wanted > limit:
            raise ParameterError(
                f"{self.name}: {wanted:,} minimal cut sets (by order: {counts}); ask for max_order or raise limit."
            )
        chance = self._chances(missing=np.nan)
        rows = []
        with deep_recursion(2 * len(solved.names)):
            for literals in solved.family.sets(solved.primes(), largest=max_order):
                named = sorted(
                    ((solved.names[one // 2], one % 2) for one in literals), key=lambda pair: pair[::-1]
                )
                p = np.prod([1 - chance[name] if negative else chance[name] for name, negative in named])
                rows.append(
                    (
                        tuple(f"not {name}" if negative else name for name, negative in named),
                        len(named),
                        float(p),
                    )
                )
        table = pd.DataFrame(rows, columns=["events", "order", "probability"])
        total = table["probability"].sum(skipna=False)
        table["share"] = table["probability"] / total if total else np.nan
        return table.sort_values(
            ["probability", "order", "events"],
            ascending=[False, True, True],
            kind="stable",
            ignore_index=True,
        )

    # -- how likely it is

    def top_probability(self, *, method: Method = "exact") -> float:
        """Probability of the top event, basic events being independent (save for stated common causes).

        Parameters
        ----------
        method : str
            ``exact``; ``rare_event`` adds up the cut sets' probabilities (an upper bound that can exceed one); ``min_cut_upper_bound`` is one minus the
            product of their complements (an upper bound in coherent trees).

        Returns
        -------
        float
            0 to 1 (``rare_event``: 0 or more).

        Raises
        ------
        ParameterError
            Where a probability is missing, or the method is unknown.
        """
        chance = self._chances()
        solved = self._solved
        if method == "exact":
            return float(solved.diagram.probability(solved.top, [chance[name] for name in solved.names]))
        if method not in ("rare_event", "min_cut_upper_bound"):
            known = ("exact", "rare_event", "min_cut_upper_bound")
            raise ParameterError(
                f"unknown method '{method}'.{suggestion(method, known)} Known: {', '.join(known)}."
            )
        p = self.minimal_cut_sets()["probability"].to_numpy()
        return float(p.sum()) if method == "rare_event" else float(-np.expm1(np.log1p(-p).sum()))

    def top_interval(self, *, draws: int, seed: int, level: float = 0.9) -> Interval:
        """Interval of the top event's probability from what is known of the basic events.

        Each event is drawn from its own uncertainty (events without any are held), the tree solved exactly for every draw; `value` is the probability at the
        point values, not the mean of the draws.

        Parameters
        ----------
        draws, seed : int
            Of the simulation.
        level : float, share 0 to 1
            Coverage.

        Returns
        -------
        Interval
            A probability.

        Raises
        ------
        ParameterError
            Where a probability is missing.
        """
        tops, _ = self._drawn_tops(draws, seed)
        low, high = np.quantile(tops, [(1 - level) / 2, (1 + level) / 2])
        return Interval(
            value=self.top_probability(),
            low=float(low),
            high=float(high),
            level=level,
            method=f"propagation, {draws:,} draws",
        )

    def event_intervals(self, *, draws: int, seed: int, level: float = 0.9) -> pd.DataFrame:
        """Limits of every basic event's probability and Fussell-Vesely importance, from the same draws as `top_interval`.

        Parameters
        ----------
        draws, seed : int
            Of the simulation.
        level : float, share 0 to 1
            Coverage.

        Returns
        -------
        DataFrame, one row per event
            `probability_low`, `probability_high`, `importance_low`, `importance_high`; equal limits where nothing is said about an event, missing where the
            tree is too large for importances.
        """
        tops, chance = self._drawn_tops(draws, seed)
        edges = [(1 - level) / 2, (1 + level) / 2]
        rows = {}
        weights = self._fussell_vesely(chance, most=MOST_DRAWN // draws)
        for name, p, weight in zip(self._solved.names, chance, weights, strict=True):
            shares = np.divide(weight, tops, out=np.full(draws, np.nan), where=tops > 0)
            rows[name] = [*np.quantile(p, edges), *np.quantile(shares, edges)]
        columns = ["probability_low", "probability_high", "importance_low", "importance_high"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns)

    @traced
    def _drawn_tops(self, draws: int, seed: int) -> tuple[Floats, list[Floats]]:
        """The top event's probability by draw, and every event's in the diagram's order."""
        solved, drawn = self._solved, self._draws(draws, np.random.default_rng(seed))
        chance = [drawn[name] for name in solved.names]
        return np.broadcast_to(solved.diagram.probability(solved.top, chance), draws), chance

    # -- what matters most

    def importance(self) -> pd.DataFrame:
        """How much each basic event matters, the most important first.

        Returns
        -------
        DataFrame, one row per basic event
            `probability`; `birnbaum` (how much the top event's probability rises from the event certainly absent to certainly present); `criticality` (that,
            times its probability over the top's); `fussell_vesely` (probability that a minimal cut set with the event occurs, over the top's, exactly); `raw`
            (top with the event certain, over top); `rrw` (top over top with the event impossible). `fussell_vesely` is missing where the tree is too large for
            it.

        Raises
        ------
        ParameterError
            Where a probability is missing.
        """
        solved = self._solved
        chance = self._chances()
        p = np.array([chance[name] for name in solved.names])
        top = self.top_probability()
        birnbaum = solved.diagram.sensitivity(solved.top, [float(one) for one in p])
        with np.errstate(divide="ignore", invalid="ignore"):
            impossible, certain = top - p * birnbaum, top + (1 - p) * birnbaum
            table = pd.DataFrame(
                {
                    "event": solved.names,
                    "probability": p,
                    "birnbaum": birnbaum,
                    "criticality": p * birnbaum / top,
                    "fussell_vesely": np.array(self._fussell_vesely(list(p)), dtype=float) / top,
                    "raw": certain / top,
                    # rounding must not turn "the top event cannot happen without it" into a huge ratio
                    "rrw": np.where(impossible > 1e-12 * top, top / impossible, np.inf),
                }
            )
        return table.sort_values(
            ["criticality", "event"], ascending=[False, True], kind="stable", ignore_index=True
        )

    def _fussell_vesely(self, chance: Sequence[Any], *, most: int = MOST_MORE_NODES) -> list[Any]:
        """Probability by event that a minimal cut set with it occurs (of draws, by draw); missing beyond so many nodes."""
        solved = self._solved
        found: list[Any] = [np.nan] * len(solved.names)
        try:
            primes = solved.primes()
        except ParameterError:
            return found
        scratch, looked_at = solved.diagram, 0
        with deep_recursion(2 * len(solved.names)):
            for index in range(len(solved.names)):
                try:
                    having = solved.family.having(primes, 2 * index)
                    occurs = scratch.any_of(solved.family, having)
                except DiagramTooLarge:
                    break
                looked_at += len(scratch.below(occurs))
                if looked_at > most:
                    break
                found[index] = scratch.probability(occurs, list(chance))
        return found

    # -- for drawing

    def outline(self) -> pd.DataFrame:
        """The drawn tree, top down.

        Returns
        -------
        DataFrame, one row per place in the drawn tree
            `id`, `parent`, `depth`, `name`, `kind`, `needed`, `repeated`. A gate that stands in several places is opened once; later places are `repeated`.
        """
        rows: list[dict[str, Any]] = []
        opened: set[str] = set()
        stack: list[tuple[str, int | None, int]] = [(self.top, None, 0)]
        while stack:
            name, parent, depth = stack.pop()
            gate = self.gates.get(name)
            kind = gate.kind if gate else "house" if name in self.house else "event"
            rows.append(
                {
                    "id": len(rows),
                    "parent": parent,
                    "depth": depth,
                    "name": name,
                    "kind": kind,
                    "needed": gate.needed if gate else None,
                    "repeated": name in opened,
                }
            )
            if gate and name not in opened:
                stack += [(child, len(rows) - 1, depth + 1) for child in reversed(gate.of)]
            opened.add(name)
        return pd.DataFrame(rows).astype({"parent": "Int64", "needed": "Int64"})

    # -- inside

    @property
    def missing_probabilities(self) -> tuple[str, ...]:
        """Basic events the top depends on whose probability nobody has given."""
        return tuple(name for name in self._used_events if point_value(self.source_of(name)) is None)

    @traced_property
    def _used_gates(self) -> tuple[str, ...]:
        return tuple(name for name in reached(self) if name in self.gates)

    @traced_property
    def _used_events(self) -> tuple[str, ...]:
        return tuple(name for name in reached(self) if name in self.events)

    def _chances(self, *, missing: float | None = None) -> dict[str, float]:
        """Probability of every variable of the diagram, common causes included."""
        if missing is None and self.missing_probabilities:
            names = self.missing_probabilities
            raise MissingData(
                *names,
                message="{tree} needs the probability of {count} basic events, e.g. {first}",
                tree=self.name,
                count=len(names),
                first=names[0],
            )
        point = {name: point_value(self.source_of(name)) for name in self._used_events}
        plain = {name: np.asarray(missing if p is None else p) for name, p in point.items()}
        return {name: float(p) for name, p in self._split_common(plain).items()}

    def _draws(self, draws: int, rng: np.random.Generator) -> dict[str, Floats]:
        if self.missing_probabilities:
            self._chances()
        sources: dict[int, Floats] = {}
        drawn = {}
        for name in self._used_events:
            source = self.source_of(name)
            if id(source) not in sources:
                sources[id(source)] = drawn_from(source, draws, rng)
            drawn[name] = sources[id(source)]
        return self._split_common(drawn)

    def _split_common(self, chance: dict[str, Floats]) -> dict[str, Floats]:
        """Each event keeps a part of its own, the rest are events it shares with others."""
        split = dict(chance)
        for name, cause in self.common_causes.items():
            members = [one for one in cause.of if one in chance]
            for one in members:
                split[one] = (1 - cause.beta) * chance[one]
            for together, (label, share) in cause.parts(name).items():
                if members and not set(together).isdisjoint(members):
                    split[label] = share * chance[members[0]]
        return split

    def _shared(self) -> dict[str, list[str]]:
        """The common events that each basic event of a common cause is part of."""
        shared: dict[str, list[str]] = {}
        for name, cause in self.common_causes.items():
            for together, (label, _) in cause.parts(name).items():
                for one in together:
                    shared.setdefault(one, []).append(label)
        return shared

    @traced_property
    def _solved(self) -> _Solved:
        return _solve(self)


# -- solving --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Solved:
    """The diagram of the top event. Its minimal cut sets are built when somebody asks for them: a probability needs none."""

    tree: str
    names: list[str]
    diagram: Diagram
    top: int
    family: SetFamily
    known: dict[str, int] = field(default_factory=dict)

    def primes(self) -> int:
        if "primes" not in self.known:
            try:
                with deep_recursion(2 * len(self.names)):
                    self.known["primes"] = self.diagram.prime_implicants(self.top, self.family)
            except DiagramTooLarge:
                self.known["primes"] = TOO_MANY
        if self.known["primes"] == TOO_MANY:
            raise ParameterError(
                f"{self.tree}: its minimal cut sets need more than {self.family.most_nodes:,} nodes; probabilities and importance by "
                "sensitivity do not need them. Split the tree at an independent gate to list them."
            )
        return self.known["primes"]


@traced
def _solve(tree: FaultTree) -> _Solved:
    """The smallest diagram among several orders of the events; each attempt may use more nodes than the last."""
    orders = _orders(tree)
    for most_nodes in (20_000, 200_000, 3_000_000):
        best: tuple[int, list[str], Diagram, int] | None = None
        for names in orders:
            try:
                diagram, top = _built(tree, names, most_nodes)
            except DiagramTooLarge:
                continue
            size = len(diagram.below(top))
            if best is None or size < best[0]:
                best = (size, names, diagram, top)
        if best is not None:
            _, names, diagram, top = best
            # what cut sets and importance may add is bounded too, so that each ends: in an answer, or in a refusal
            most = min(len(diagram) + MOST_MORE_NODES, 10 * most_nodes)
            diagram.most_nodes = most
            return _Solved(tree.name, names, diagram, top, SetFamily(most_nodes=most))
    raise ParameterError(
        f"{tree.name}: the tree needs more than 3,000,000 nodes in every order tried; split it at an independent gate."
    )


@traced
def _built(tree: FaultTree, names: list[str], most_nodes: int) -> tuple[Diagram, int]:
    diagram = Diagram(len(names), most_nodes=most_nodes)
    shared = tree._shared()
    position = {name: index for index, name in enumerate(names)}
    node: dict[str, int] = {name: int(state) for name, state in tree.house.items()}
    for name in names:
        if name in tree.events:
            node[name] = diagram.variable(position[name])
            for common in shared.get(name, ()):
                node[name] = diagram.either(node[name], diagram.variable(position[common]))
    with deep_recursion(2 * len(names)):
        for name in _bottom_up(tree):
            gate = tree.gates[name]
            node[name] = _gate(diagram, gate, [node[child] for child in gate.of])
    return diagram, node[tree.top]


def _gate(diagram: Diagram, gate: Gate, inputs: list[int]) -> int:
    if gate.kind == "at_least":
        return diagram.at_least(int(gate.needed or 1), inputs)
    if gate.kind == "xor":
        one, other = inputs
        return diagram.either(
            diagram.both(one, diagram.negation(other)), diagram.both(diagram.negation(one), other)
        )
    join = diagram.both if gate.kind in ("and", "nand") else diagram.either
    value = inputs[-1]
    for one in reversed(inputs[:-1]):
        value = join(one, value)
    return diagram.negation(value) if gate.kind in ("not", "nand", "nor") else value


@traced
def _bottom_up(tree: FaultTree) -> list[str]:
    done: dict[str, None] = {}
    stack = [tree.top]
    while stack:
        name = stack[-1]
        waiting = [child for child in tree.gates[name].of if child in tree.gates and child not in done]
        if waiting:
            stack += waiting
        else:
            done[name] = None
            stack.pop()
    return list(done)


@traced
def _orders(tree: FaultTree) -> list[list[str]]:
    """Orders of the events to try: depth first as written, small subtrees first, large first, much-used first."""
    weight: dict[str, int] = {}
    for name in _bottom_up(tree):
        weight[name] = sum(weight.get(child, 1) for child in tree.gates[name].of)
    uses: dict[str, int] = {}
    for name in tree._used_gates:
        for child in tree.gates[name].of:
            uses[child] = uses.get(child, 0) + 1
    ways: tuple[Callable[[str], Any], ...] = (
        lambda _child: 0,
        lambda child: weight.get(child, 1),
        lambda child: -weight.get(child, 1),
        lambda child: -uses[child],
    )
    orders: list[list[str]] = []
    for way in ways:
        found = _depth_first(tree, way)
        if found not in orders:
            orders.append(found)
    return orders


@traced
def _depth_first(tree: FaultTree, way: Callable[[str], Any]) -> list[str]:
    shared = tree._shared()
    seen: set[str] = set()
    found: dict[str, None] = {}
    stack = [tree.top]
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in tree.gates:
            stack += list(reversed(sorted(tree.gates[name].of, key=way)))
        elif name in tree.events:
            found |= dict.fromkeys([*shared.get(name, ()), name])
    return list(found)
