"""Boolean functions of many variables, exactly: decision diagrams, families of sets, probabilities.

A function is a number: a node of a reduced ordered diagram, shared between all functions of one `Diagram`.
Variables are numbered in the order in which they are tested. Our own: no library in the environment solves large fault trees
exactly, and importance measures and minimal cut sets need the families of sets beside the diagram.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FALSE, TRUE = 0, 1
EMPTY, UNIT = 0, 1  # of set families: no set at all, and the family of the empty set alone


_STEPS_PER_NODE = (
    5  # answers remembered per node allowed: work may grow without new nodes, and ends all the same
)


class DiagramTooLarge(Exception):
    """More nodes or steps than allowed; another order of the variables may need fewer."""


@contextmanager
def deep_recursion(levels: int) -> Iterator[None]:
    """Room for recursion as deep as there are variables."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 6 * levels + 1000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class Diagram:
    """Reduced ordered binary decision diagrams over `variables` variables (Bryant 1986, IEEE Trans. Comp. C-35, 677-691)."""

    def __init__(self, variables: int, *, most_nodes: int = 2_000_000) -> None:
        self.variables = variables
        self.most_nodes = most_nodes
        self._variable = [variables, variables]
        self._low, self._high = [FALSE, TRUE], [FALSE, TRUE]
        self._node: dict[tuple[int, int, int], int] = {}
        self._and: dict[tuple[int, int], int] = {}
        self._or: dict[tuple[int, int], int] = {}
        self._not: dict[int, int] = {FALSE: TRUE, TRUE: FALSE}

    def __len__(self) -> int:
        return len(self._variable)

    def variable(self, index: int) -> int:
        return self.node(index, FALSE, TRUE)

    def node(self, index: int, low: int, high: int) -> int:
        if low == high:
            return low
        key = (index, low, high)
        found = self._node.get(key)
        if found is None:
            found = len(self._variable)
            if found > self.most_nodes:
                raise DiagramTooLarge
            self._variable.append(index)
            self._low.append(low)
            self._high.append(high)
            self._node[key] = found
        return found

    def both(self, one: int, other: int) -> int:
        if one == FALSE or other == FALSE:
            return FALSE
        if one in (TRUE, other):
            return other
        if other == TRUE:
            return one
        key = (one, other) if one < other else (other, one)
        found = self._and.get(key)
        if found is None:
            index, low, high = self._split(one, other)
            found = self.node(index, self.both(*low), self.both(*high))
            self._and[key] = found
            if len(self._and) > _STEPS_PER_NODE * self.most_nodes:
                raise DiagramTooLarge
        return found

    def either(self, one: int, other: int) -> int:
        if one == TRUE or other == TRUE:
            return TRUE
        if one in (FALSE, other):
            return other
        if other == FALSE:
            return one
        key = (one, other) if one < other else (other, one)
        found = self._or.get(key)
        if found is None:
            index, low, high = self._split(one, other)
            found = self.node(index, self.either(*low), self.either(*high))
            self._or[key] = found
            if len(self._or) > _STEPS_PER_NODE * self.most_nodes:
                raise DiagramTooLarge
        return found

    def negation(self, one: int) -> int:
        found = self._not.get(one)
        if found is None:
            found = self.node(
                self._variable[one], self.negation(self._low[one]), self.negation(self._high[one])
            )
            self._not[one] = found
        return found

    def at_least(self, needed: int, parts: Sequence[int]) -> int:
        """True where `needed` or more of the parts are."""
        row = [TRUE] + [FALSE] * needed  # at least j of no parts
        for part in reversed(parts):
            row = [TRUE] + [self.either(row[j], self.both(part, row[j - 1])) for j in range(1, needed + 1)]
        return row[needed]

    def _split(self, one: int, other: int) -> tuple[int, tuple[int, int], tuple[int, int]]:
        first, second = self._variable[one], self._variable[other]
        index = min(first, second)
        a = (self._low[one], self._high[one]) if first == index else (one, one)
        b = (self._low[other], self._high[other]) if second == index else (other, other)
        return index, (a[0], b[0]), (a[1], b[1])

    def below(self, root: int) -> list[int]:
        """Inner nodes of a function, children first."""
        seen, stack = set(), [root]
        while stack:
            one = stack.pop()
            if one > TRUE and one not in seen:
                seen.add(one)
                stack += [self._low[one], self._high[one]]
        return sorted(seen)

    def support(self, root: int) -> set[int]:
        return {self._variable[one] for one in self.below(root)}

    def probability(self, root: int, chance: Sequence[float] | Sequence[Floats]) -> Floats:
        """Probability that the function is true, variables being independent.

        `chance` holds one entry a variable, a number or an array of draws (all of one length).
        """
        value: dict[int, Floats] = {FALSE: np.zeros(()), TRUE: np.ones(())}
        for one in self.below(root):
            p = np.asarray(chance[self._variable[one]])
            value[one] = value[self._low[one]] * (1 - p) + value[self._high[one]] * p
        return value[root]

    def sensitivity(self, root: int, chance: Sequence[float]) -> Floats:
        """Derivative of the probability in each variable's own probability (Birnbaum)."""
        nodes = self.below(root)
        value = np.zeros(max([*nodes, TRUE]) + 1)
        value[TRUE] = 1.0
        for one in nodes:
            p = chance[self._variable[one]]
            value[one] = value[self._low[one]] * (1 - p) + value[self._high[one]] * p
        reached = np.zeros(len(value))
        reached[root] = 1.0
        slope = np.zeros(self.variables)
        for one in reversed(nodes):
            index, low, high = self._variable[one], self._low[one], self._high[one]
            slope[index] += reached[one] * (value[high] - value[low])
            reached[low] += reached[one] * (1 - chance[index])
            reached[high] += reached[one] * chance[index]
        return slope

    def prime_implicants(self, root: int, family: SetFamily) -> int:
        """All minimal ways to make the function true, as sets of literals (2 v for true, 2 v + 1 for false).

        For a function that never turns false when a variable turns true these are its minimal cut sets.
        Source: Coudert and Madre (1992), 29th Design Automation Conference, 36-39; Rauzy (1993), Reliability
        Engineering and System Safety 40, 203-211.
        """
        known = {FALSE: EMPTY, TRUE: UNIT}

        def primes(one: int) -> int:
            found = known.get(one)
            if found is None:
                index, low, high = self._variable[one], self._low[one], self._high[one]
                without = primes(self.both(low, high))
                needs_true = family.difference(primes(high), without)
                needs_false = family.difference(primes(low), without)
                found = family.node(2 * index, family.node(2 * index + 1, without, needs_false), needs_true)
                known[one] = found
            return found

        return primes(root)

    def any_of(self, family: SetFamily, root: int) -> int:
        """The function that is true where all literals of at least one set hold."""
        known = {EMPTY: FALSE, UNIT: TRUE}

        def closed(one: int) -> int:
            found = known.get(one)
            if found is None:
                literal, low, high = family.parts(one)
                index, negative = divmod(literal, 2)
                test = self.node(index, TRUE, FALSE) if negative else self.variable(index)
                found = self.either(closed(low), self.both(test, closed(high)))
                known[one] = found
            return found

        return closed(root)


class SetFamily:
    """Zero-suppressed diagrams of families of sets of literals (Minato 1993, 30th Design Automation Conference, 272-277)."""

    def __init__(self, *, most_nodes: int = 2_000_000) -> None:
        self.most_nodes = most_nodes
        self._literal = [sys.maxsize, sys.maxsize]
        self._low, self._high = [EMPTY, EMPTY], [EMPTY, EMPTY]
        self._node: dict[tuple[int, int, int], int] = {}
        self._difference: dict[tuple[int, int], int] = {}

    def node(self, literal: int, low: int, high: int) -> int:
        if high == EMPTY:
            return low
        key = (literal, low, high)
        found = self._node.get(key)
        if found is None:
            found = len(self._literal)
            if found > self.most_nodes:
                raise DiagramTooLarge
            self._literal.append(literal)
            self._low.append(low)
            self._high.append(high)
            self._node[key] = found
        return found

    def parts(self, one: int) -> tuple[int, int, int]:
        return self._literal[one], self._low[one], self._high[one]

    def difference(self, one: int, other: int) -> int:
        """Sets of the first family that are not in the second."""
        if one in (EMPTY, other):
            return EMPTY
        if other == EMPTY:
            return one
        key = (one, other)
        found = self._difference.get(key)
        if found is None:
            first, second = self._literal[one], self._literal[other]
            if first < second:
                found = self.node(first, self.difference(self._low[one], other), self._high[one])
            elif first > second:
                found = self.difference(one, self._low[other])
            else:
                low = self.difference(self._low[one], self._low[other])
                found = self.node(first, low, self.difference(self._high[one], self._high[other]))
            self._difference[key] = found
            if len(self._difference) > _STEPS_PER_NODE * self.most_nodes:
                raise DiagramTooLarge
        return found

    def having(self, root: int, literal: int) -> int:
        """Sets that hold the literal."""
        known: dict[int, int] = {}

        def kept(one: int) -> int:
            if self._literal[one] > literal:
                return EMPTY
            if self._literal[one] == literal:
                return self.node(literal, EMPTY, self._high[one])
            found = known.get(one)
            if found is None:
                found = self.node(self._literal[one], kept(self._low[one]), kept(self._high[one]))
                known[one] = found
            return found

        return kept(root)

    def count_by_size(self, root: int) -> dict[int, int]:
        """How many sets of each size, counted without listing them."""
        known: dict[int, dict[int, int]] = {EMPTY: {}, UNIT: {0: 1}}

        def sizes(one: int) -> Mapping[int, int]:
            found = known.get(one)
            if found is None:
                found = dict(sizes(self._low[one]))
                for size, count in sizes(self._high[one]).items():
                    found[size + 1] = found.get(size + 1, 0) + count
                known[one] = found
            return found

        return dict(sorted(sizes(root).items()))

    def sets(self, root: int, *, largest: int | None = None) -> Iterator[tuple[int, ...]]:
        """The sets, of at most `largest` literals."""
        smallest: dict[int, float] = {EMPTY: float("inf"), UNIT: 0}

        def least(one: int) -> float:
            found = smallest.get(one)
            if found is None:
                found = min(least(self._low[one]), 1 + least(self._high[one]))
                smallest[one] = found
            return found

        limit = float("inf") if largest is None else largest
        stack: list[tuple[int, tuple[int, ...]]] = [(root, ())]
        while stack:
            one, so_far = stack.pop()
            if one == UNIT:
                yield so_far
            elif one != EMPTY:
                if least(self._low[one]) + len(so_far) <= limit:
                    stack.append((self._low[one], so_far))
                if least(self._high[one]) + 1 + len(so_far) <= limit:
                    stack.append((self._high[one], (*so_far, self._literal[one])))
