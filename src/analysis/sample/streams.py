"""Random numbers that stay where they are when something else changes.

Two kinds. A *stream* belongs to a name: it depends on the seed and the name only, never on what was drawn before it. A *mark*
belongs to a thing (a purchase, a machine, a service order): everything about it is a hash of its identity and the name of the
question. So a truth that is switched off, or a table that grows a column, leaves every other draw as it was.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Identities = NDArray[np.uint64]

_GOLDEN = 0x9E3779B97F4A7C15  # SplitMix64 (Steele, Lea and Flood, 2014): increment and mixing constants
_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_ALL = (1 << 64) - 1


class Rows:
    """A dataclass of arrays of one length."""

    def kept(self, chosen: np.ndarray) -> Self:
        """The rows that are chosen, by flag or position."""
        taken: dict[str, Any] = {each.name: getattr(self, each.name)[chosen] for each in fields(self)}  # type: ignore[arg-type]
        return type(self)(**taken)

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """One after the other."""
        joined: dict[str, Any] = {
            each.name: np.concatenate([getattr(part, each.name) for part in parts])
            for each in fields(cls)  # type: ignore[arg-type]
        }
        return cls(**joined)


@dataclass(frozen=True)
class Streams:
    seed: int

    def named(self, name: str) -> np.random.Generator:
        """The generator of this name; asking twice starts it again from its beginning."""
        return np.random.default_rng(
            np.random.SeedSequence(self.seed, spawn_key=(zlib.crc32(name.encode()),))
        )

    def uniform(self, name: str, size: int | tuple[int, ...]) -> Floats:
        return self.named(name).random(size)

    def identities(self, name: str, size: int) -> Identities:
        return self.named(name).integers(0, 1 << 64, size, dtype=np.uint64)


def child(identity: Identities, name: str, number: Ints | int = 0) -> Identities:
    """The identity of something that belongs to something: the second machine of a purchase, the complaint after a repair."""
    salt = np.uint64((zlib.crc32(name.encode()) * _GOLDEN) & _ALL)
    steps = np.asarray(number, dtype=np.int64).astype(np.uint64) * np.uint64(_GOLDEN)
    return _mixed(_mixed(identity ^ salt) + steps)


def mark(identity: Identities, name: str) -> Floats:
    """One uniform number in [0, 1) for each thing and question."""
    return (child(identity, name) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(value: Identities) -> Identities:
    value = value + np.uint64(_GOLDEN)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(_MIX[0])
    value = (value ^ (value >> np.uint64(27))) * np.uint64(_MIX[1])
    return value ^ (value >> np.uint64(31))


def pick(marks: Floats, shares: tuple[float, ...] | Floats) -> Ints:
    """The index that a uniform mark selects under ``shares``: one vector, or one row of shares for each mark."""
    table = np.asarray(shares, dtype=float)
    edges = np.cumsum(table, axis=-1)
    edges = edges / edges[..., -1:]
    if table.ndim == 1:
        return np.minimum(np.searchsorted(edges, marks, side="right"), table.size - 1).astype(np.int64)
    chosen: Ints = np.minimum((marks[:, None] >= edges).sum(axis=1), table.shape[1] - 1).astype(np.int64)
    return chosen
