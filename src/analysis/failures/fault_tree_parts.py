"""What a fault tree is made of, read and checked: gates, basic events with the source of their probability, common causes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, gamma, norm

from analysis.errors import ParameterError, suggestion
from analysis.locale import Text
from analysis.metrics.lineage import traced
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
MOST_LETTERED = 8


@dataclass(frozen=True, kw_only=True)
class Gate(Summarised):
    """A consequence of its inputs: true when all are (``and``), any (``or``), at least `needed` (``at_least``), just one of two (``xor``), none
    (``nor``, and ``not`` of a single one), or not all (``nand``)."""

    kind: Literal["and", "or", "at_least", "not", "xor", "nand", "nor"]
    of: tuple[str, ...]
    needed: int | None = None
    label: Text | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class BasicEvent(Summarised):
    """Something that can happen by itself, with one source of its probability.

    probability : given, for the mission the tree is about; `error_factor` (95th percentile over median of a
        lognormal whose mean is the probability) or `low` and `high` (90 % limits) say how well it is known
    failures, demands : counted in data; the probability is failures / demands, its uncertainty Jeffreys' beta
    failures, exposure, mission : counted over an exposure; the rate is failures / exposure and the probability
        1 - exp(-rate x mission), its uncertainty Jeffreys' gamma
    same_as : has the probability of another event, and is known exactly as well as that one
    """

    probability: float | None = None
    error_factor: float | None = None
    low: float | None = None
    high: float | None = None
    failures: float | None = None
    demands: float | None = None
    exposure: float | None = None
    mission: float | None = None
    same_as: str | None = None
    label: Text | None = None
    source: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class CommonCause(Summarised):
    """Events that also fail together: a share `beta` of each one's probability is shared with others.

    `beyond`: the multiple Greek letters: of what is shared by two or more, the share shared by three or more (gamma), of that the share
    shared by four or more (delta), and so on. A letter that is not given is one: with `beta` alone all of them fail together (beta factor).
    Source: Mosleh et al. (1988), NUREG/CR-4780, section 3.
    """

    of: tuple[str, ...]
    beta: float
    beyond: tuple[float, ...] = ()
    label: Text | None = None
    source: str | None = None

    def parts(self, name: str) -> dict[tuple[str, ...], tuple[str, float]]:
        """Each set of events that can fail together: the name of that common event, and its share of one event's probability."""
        size = len(self.of)
        letters = [1.0, self.beta, *self.beyond, *[1.0] * (size - 2 - len(self.beyond)), 0.0]
        found = {}
        for together in range(2, size + 1):
            share = (
                float(np.prod(letters[:together])) * (1 - letters[together]) / comb(size - 1, together - 1)
            )
            for members in combinations(self.of, together) if share > 0 else ():
                label = name if together == size else f"{name}: {' + '.join(members)}"
                found[members] = (label, share)
        return found


@dataclass(frozen=True, kw_only=True)
class File(Summarised):
    """A file of ``params/fault_trees`` as it is written."""

    top: str
    gates: dict[str, Gate]
    events: dict[str, BasicEvent]
    title: Text | None = None
    house: dict[str, bool] = field(default_factory=dict)
    common_causes: dict[str, CommonCause] = field(default_factory=dict)
    owner: str | None = None
    source: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Described(Summarised):
    """What a tree says: its gates and events by name, from the top down."""

    name: str
    top: str
    gates: Mapping[str, Gate]
    events: Mapping[str, BasicEvent]
    house: Mapping[str, bool]
    common_causes: Mapping[str, CommonCause]
    title: Text | None = None

    def source_of(self, name: str) -> BasicEvent:
        """The event whose probability this one has: itself, or the last that ``same_as`` leads to.

        Parameters
        ----------
        name : str
            Of the event.

        Returns
        -------
        BasicEvent
        """
        event = self.events[name]
        while event.same_as is not None:
            event = self.events[event.same_as]
        return event


# -- reading --------------------------------------------------------------------------------------


def with_numbers(content: Mapping[str, Any]) -> dict[str, Any]:
    """YAML 1.1 reads 1e-3 as text (it wants 1.0e-3); probabilities are written like that all the time."""

    def number(value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"[0-9.]+[eE][-+]?[0-9]+", value):
            return float(value)
        return {key: number(one) for key, one in value.items()} if isinstance(value, Mapping) else value

    numeric = ("events", "common_causes")
    return {key: number(value) if key in numeric else value for key, value in content.items()}


def check(tree: Described, place: str) -> None:
    """Refuse a tree with unknown or unconnected names, circles, or a probability without one clear source."""
    names = [*tree.gates, *tree.events, *tree.house, *tree.common_causes]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ParameterError(
            f"{place}: '{doubled[0]}' is the name of two things; every gate, event and house event has its own."
        )
    if tree.top not in tree.gates:
        raise ParameterError(f"{place}: top: no gate '{tree.top}'.{suggestion(tree.top, tree.gates)}")
    known = {*tree.gates, *tree.events, *tree.house}
    for name, gate in tree.gates.items():
        _check_gate(gate, known, f"{place}: gates.{name}")
    for name, event in tree.events.items():
        _check_event(tree, event, f"{place}: events.{name}")
    for name, cause in tree.common_causes.items():
        _check_common(tree, cause, f"{place}: common_causes.{name}")
    _check_cycles(tree, place)
    below = set(reached(tree))
    unused = [name for name in (*tree.gates, *tree.events) if name not in below]
    tied = {event.same_as for event in tree.events.values()}
    unused = [name for name in unused if name not in tied]
    if unused:
        raise ParameterError(
            f"{place}: {len(unused)} entries do not lead to the top, e.g. '{unused[0]}'; connect or remove them."
        )


def _check_gate(gate: Gate, known: set[str], where: str) -> None:
    for child in gate.of:
        if child not in known:
            raise ParameterError(
                f"{where}: no gate, event or house event '{child}'.{suggestion(child, known)}"
            )
    if not gate.of or len(set(gate.of)) < len(gate.of):
        raise ParameterError(
            f"{where}: 'of' should name different inputs, at least one; it names {list(gate.of)}."
        )
    if gate.kind == "not" and len(gate.of) != 1:
        raise ParameterError(f"{where}: a 'not' gate has one input; this one has {len(gate.of)}.")
    if gate.kind == "xor" and len(gate.of) != 2:
        raise ParameterError(f"{where}: a 'xor' gate has two inputs; this one has {len(gate.of)}.")
    if (gate.kind == "at_least") != (gate.needed is not None):
        raise ParameterError(f"{where}: 'needed' belongs to an 'at_least' gate and to no other.")
    if gate.needed is not None and not 1 <= gate.needed <= len(gate.of):
        raise ParameterError(f"{where}: needs {gate.needed} of {len(gate.of)} inputs.")


def _check_event(tree: Described, event: BasicEvent, where: str) -> None:
    sources = [event.probability is not None, event.failures is not None, event.same_as is not None]
    if sum(sources) > 1:
        raise ParameterError(f"{where}: give one of probability, failures or same_as.")
    for name in ("probability", "low", "high"):
        value = getattr(event, name)
        if value is not None and not 0 <= value <= 1:
            raise ParameterError(f"{where}: {name} is {value:g}; it should lie between 0 and 1.")
    if (event.low is None) != (event.high is None) or (
        event.low is not None and event.error_factor is not None
    ):
        raise ParameterError(f"{where}: uncertainty is either an error_factor or both low and high.")
    known_about = event.low is not None or event.error_factor is not None
    if known_about and event.probability is None:
        raise ParameterError(f"{where}: low, high and error_factor belong to a given probability.")
    if event.low is not None and not 0 < event.low < event.high <= 1:  # type: ignore[operator]
        raise ParameterError(f"{where}: low and high should satisfy 0 < low < high <= 1.")
    if event.error_factor is not None and not event.error_factor >= 1:
        raise ParameterError(f"{where}: an error_factor is at least 1; got {event.error_factor:g}.")
    _check_evidence(event, where)
    if event.same_as is not None and (
        event.same_as not in tree.events or tree.events[event.same_as].same_as is not None
    ):
        raise ParameterError(
            f"{where}: same_as should name an event with a probability of its own, not '{event.same_as}'."
            + suggestion(event.same_as, tree.events)
        )


def _check_evidence(event: BasicEvent, where: str) -> None:
    over = event.exposure is not None or event.mission is not None
    if event.failures is None:
        if event.demands is not None or over:
            raise ParameterError(f"{where}: demands, exposure and mission go with failures.")
        return
    if (event.demands is None) == (not over) or (over and (event.exposure is None or event.mission is None)):
        raise ParameterError(f"{where}: failures go with demands, or with exposure and mission.")
    base = event.demands if event.demands is not None else event.exposure
    if (
        not event.failures >= 0
        or not base
        or not base > 0
        or (event.mission is not None and not event.mission > 0)
    ):
        raise ParameterError(
            f"{where}: failures should be zero or more, over a base (and mission) above zero."
        )
    if event.demands is not None and event.failures > event.demands:
        raise ParameterError(f"{where}: {event.failures:g} failures in {event.demands:g} demands.")


def _check_common(tree: Described, cause: CommonCause, where: str) -> None:
    if not 0 < cause.beta < 1 or len(cause.of) < 2:
        raise ParameterError(f"{where}: a common cause ties two events or more, with a beta between 0 and 1.")
    if len(cause.beyond) > len(cause.of) - 2 or not all(0 <= letter <= 1 for letter in cause.beyond):
        raise ParameterError(
            f"{where}: 'beyond' gives at most {len(cause.of) - 2} letters for {len(cause.of)} events, each between 0 and 1."
        )
    if cause.beyond and len(cause.of) > MOST_LETTERED:
        raise ParameterError(
            f"{where}: {len(cause.of)} events have too many sets that fail together; letters beyond beta serve up to {MOST_LETTERED}."
        )
    for name in cause.of:
        if name not in tree.events:
            raise ParameterError(f"{where}: no basic event '{name}'.{suggestion(name, tree.events)}")
    if sum(name in other.of for other in tree.common_causes.values() for name in cause.of) > len(cause.of):
        raise ParameterError(f"{where}: an event can belong to one common cause only.")
    values = {point_value(tree.source_of(name)) for name in cause.of}
    if len(values) > 1:
        raise ParameterError(
            f"{where}: its events should have one probability (same_as); they have {len(values)}."
        )


def _check_cycles(tree: Described, place: str) -> None:
    state: dict[str, int] = {}
    for start in tree.gates:
        stack = [(start, iter(tree.gates[start].of))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            name, children = stack[-1]
            child = next(children, None)
            if child is None:
                state[name] = 2
                stack.pop()
            elif child in tree.gates:
                if state.get(child) == 1:
                    loop = [one for one, _ in stack]
                    raise ParameterError(
                        f"{place}: gates form a circle: {' > '.join([*loop[loop.index(child) :], child])}."
                    )
                if child not in state:
                    state[child] = 1
                    stack.append((child, iter(tree.gates[child].of)))


@traced
def reached(tree: Described) -> list[str]:
    """Everything below the top, depth first, left to right."""
    seen: dict[str, None] = {}
    stack = [tree.top]
    while stack:
        name = stack.pop()
        if name not in seen:
            seen[name] = None
            gate = tree.gates.get(name)
            stack += list(reversed(gate.of)) if gate else []
    return list(seen)


# -- probabilities of basic events ----------------------------------------------------------------


@traced
def point_value(event: BasicEvent) -> float | None:
    """The probability itself; None where neither a probability nor counts are given."""
    if event.probability is not None:
        return event.probability
    if event.failures is None:
        return None
    if event.demands is not None:
        return event.failures / event.demands
    return float(-np.expm1(-event.failures / event.exposure * event.mission))  # type: ignore[operator]


@traced
def drawn_from(event: BasicEvent, draws: int, rng: np.random.Generator) -> Floats:
    """Draws from what is known of a probability; a constant where nothing is said about it."""
    if event.failures is not None:
        if event.demands is not None:
            return np.asarray(
                beta.rvs(
                    event.failures + 0.5, event.demands - event.failures + 0.5, size=draws, random_state=rng
                )
            )
        rate = gamma.rvs(event.failures + 0.5, size=draws, random_state=rng) / event.exposure
        return np.asarray(-np.expm1(-rate * event.mission))
    p = float(event.probability or 0.0)
    z = float(norm.ppf(0.95))
    if event.error_factor is not None and p > 0:
        # the given value is the mean of the lognormal, as in reliability data handbooks
        sigma = np.log(event.error_factor) / z
        return np.asarray(np.minimum(1.0, p * np.exp(sigma * rng.standard_normal(draws) - sigma**2 / 2)))
    if event.low is not None and event.high is not None:
        sigma = np.log(event.high / event.low) / (2 * z)
        middle = np.sqrt(event.low * event.high)
        return np.asarray(np.minimum(1.0, middle * np.exp(sigma * rng.standard_normal(draws))))
    return np.full(draws, p)
