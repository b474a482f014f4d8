"""Random numbers by name: every feature draws from a stream of its own.

A truth that is switched off, or a table that grows a column, leaves every other draw where it was, because
a stream depends on the seed and its name only, never on what was drawn before it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


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

    def choice(self, name: str, size: int, shares: tuple[float, ...]) -> Ints:
        """Indices drawn with these shares (which need not sum to one exactly)."""
        edges = np.cumsum(np.asarray(shares, dtype=float))
        return np.searchsorted(edges / edges[-1], self.uniform(name, size), side="right").astype(np.int64)


def pick(marks: Floats, shares: tuple[float, ...] | Floats) -> Ints:
    """The index that a uniform mark selects under ``shares``: one vector, or one row of shares for each mark."""
    table = np.asarray(shares, dtype=float)
    edges = np.cumsum(table, axis=-1)
    edges = edges / edges[..., -1:]
    if table.ndim == 1:
        return np.minimum(np.searchsorted(edges, marks, side="right"), table.size - 1).astype(np.int64)
    return np.minimum((marks[:, None] >= edges).sum(axis=1), table.shape[1] - 1).astype(np.int64)
