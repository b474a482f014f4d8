"""Sample companies: an invented maker of appliances, and one for each industry template, with a known truth in their tables.

``make_sample`` writes one file per canonical table; ``generate`` returns the same tables as pandas frames. Nothing heavy is
imported until one of them is called.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import ParameterError, suggestion
from analysis.sample.accounts import ACCOUNTS, POOLS, UNMAPPED_ACCOUNT, Account, Pool
from analysis.sample.truths import TRUTHS, SampleTruth

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = [
    "ACCOUNTS",
    "COMPANIES",
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
COMPANIES: dict[str, str] = {
    "": "analysis.sample.build",
    "saas": "analysis.sample.saas",
    "ecommerce": "analysis.sample.ecommerce",
    "hospital": "analysis.sample.hospital",
    "heavy": "analysis.sample.heavy",
}
"""By industry template, the module whose ``built`` makes its company; the maker of appliances has none."""


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
    template: str = "",
) -> SampleTruth:
    """Write a sample company into a folder: ``<table>.parquet`` (or ``.csv``) and ``_truth/truth.json``.

    The same arguments give the same bytes.

    Parameters
    ----------
    folder : Path
        Where it is written.
    seed : int
        Of the invented company.
    null : bool
        Leave out every planted truth.
    off : frozenset of names
        Planted truths to leave out (``TRUTHS`` lists them).
    last_month : str, month such as 2026-10
        With which the tables end.
    months : int, months
        That service orders, postings and totals cover; customers, units and orders reach back 36 more.
    scale : float, share of the usual size
        1 is about 120,000 units, 40,000 customers, 20,000 service orders and a billion yuan of revenue a year.
    format : str
        ``parquet`` or ``csv``.
    blemishes : bool
        With the small faults that real tables have.
    template : str
        The industry whose company it is (``COMPANIES`` lists them); blank, the maker of appliances.

    Returns
    -------
    SampleTruth
        What was planted: the answer sheet.

    Raises
    ------
    ParameterError
        For a template without a company, an unknown truth, and sizes beyond those that can be made.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from analysis.sample import make_sample
    >>> folder = Path(tempfile.mkdtemp())
    >>> truth = make_sample(folder, months=3, scale=0.01, format="csv")
    >>> (folder / "tickets.csv").is_file()
    True
    """
    from analysis.sample.build import write

    if template not in COMPANIES:
        raise ParameterError(
            f"sample: no company of template '{template}'.{suggestion(template, COMPANIES)} Known: {', '.join(filter(None, COMPANIES))}."
        )
    made, truth = import_module(COMPANIES[template]).built(
        seed=seed, null=null, off=off, last_month=last_month, months=months, scale=scale, blemishes=blemishes
    )
    write(Path(folder), made, truth, format=format)
    sheet: SampleTruth = truth
    return sheet


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
    """The tables of the sample company in memory as pandas frames. Without blemishes unless asked.

    Parameters
    ----------
    seed : int
        As in `make_sample`, like all others.
    null : bool
        Leave out every planted truth.
    off : frozenset of names
        Planted truths to leave out.
    last_month : str, month such as 2026-10
        With which the tables end.
    months : int, months
        That service orders, postings and totals cover.
    scale : float, share of the usual size
        Of the company.
    blemishes : bool
        With the small faults that real tables have.

    Returns
    -------
    dict of table to DataFrame
        On Arrow types: exact decimals, dates, nulls.

    Examples
    --------
    >>> from analysis.sample import generate
    >>> tables = generate(months=3, scale=0.01)
    >>> "tickets" in tables, tables["tickets"]["ticket_id"].is_unique
    (True, True)
    """
    from analysis.sample.build import as_frames

    made, _ = generate_arrow(
        seed=seed, null=null, off=off, last_month=last_month, months=months, scale=scale, blemishes=blemishes
    )
    return as_frames(made)
