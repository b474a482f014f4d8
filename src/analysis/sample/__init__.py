"""The sample company: an invented maker of appliances with a known truth in its tables.

``make_sample`` writes one file per canonical table; ``generate`` returns the same tables as pandas frames. Nothing heavy is
imported until one of them is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analysis.sample.accounts import ACCOUNTS, POOLS, UNMAPPED_ACCOUNT, Account, Pool
from analysis.sample.truths import TRUTHS, SampleTruth

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = [
    "ACCOUNTS",
    "POOLS",
    "TRUTHS",
    "UNMAPPED_ACCOUNT",
    "Account",
    "Pool",
    "SampleTruth",
    "generate",
    "generate_arrow",
    "make_sample",
]

SEED = 20261031
LAST_MONTH = "2026-10"


def make_sample(
    folder: Path,
    *,
    seed: int = SEED,
    null: bool = False,
    off: frozenset[str] = frozenset(),
    last_month: str = LAST_MONTH,
    months: int = 36,
    scale: float = 1.0,
    format: str = "parquet",
    blemishes: bool = True,
) -> SampleTruth:
    """Write the sample company into ``folder``: ``<table>.parquet`` (or ``.csv``) and ``_truth/truth.json``.

    The same arguments give the same bytes. ``off`` names planted truths to leave out (``TRUTHS`` lists them), ``null`` leaves
    out all. Service orders, postings and totals cover ``months`` months that end with ``last_month``; customers, units and orders reach back 36 months more.
    ``scale`` 1 is about 120,000 units, 40,000 customers, 20,000 service orders and a billion yuan of revenue a year.
    """
    from analysis.sample.build import built, write

    made, truth = built(
        seed=seed, null=null, off=off, last_month=last_month, months=months, scale=scale, blemishes=blemishes
    )
    write(Path(folder), made, truth, format=format)
    return truth


def generate_arrow(
    *,
    seed: int = SEED,
    null: bool = False,
    off: frozenset[str] = frozenset(),
    last_month: str = LAST_MONTH,
    months: int = 36,
    scale: float = 1.0,
    blemishes: bool = False,
) -> tuple[dict[str, pa.Table], SampleTruth]:
    """The tables in memory as Arrow, with the answer sheet."""
    from analysis.sample.build import built

    return built(
        seed=seed, null=null, off=off, last_month=last_month, months=months, scale=scale, blemishes=blemishes
    )


def generate(
    *,
    seed: int = SEED,
    null: bool = False,
    off: frozenset[str] = frozenset(),
    last_month: str = LAST_MONTH,
    months: int = 36,
    scale: float = 1.0,
    blemishes: bool = False,
) -> dict[str, pd.DataFrame]:
    """The tables in memory as pandas frames on Arrow types (exact decimals, dates, nulls). Without blemishes unless asked."""
    from analysis.sample.build import as_frames

    made, _ = generate_arrow(
        seed=seed, null=null, off=off, last_month=last_month, months=months, scale=scale, blemishes=blemishes
    )
    return as_frames(made)
