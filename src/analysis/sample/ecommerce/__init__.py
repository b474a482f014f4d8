"""The sample e-commerce seller: four shops on three platforms, without serial numbers, contracts or postings by ticket.

What is planted stands in `truths`; plain data in `shops`; then who buys (`buyers`), what is asked (`desk`), what it costs (`books`) and
the canonical tables (`canonical`). Nothing heavy is imported until a company is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.sample.truths import SampleTruth


def tables(
    *,
    seed: int,
    null: bool = False,
    off: frozenset[str] = frozenset(),
    last_month: str = "2026-10",
    months: int = 36,
    scale: float = 1.0,
) -> dict[str, pa.Table]:
    """The canonical tables; arguments as in `analysis.sample.make_sample`. At scale 1 about 100,000 orders a year."""
    made, _ = built(
        seed=seed, null=null, off=off, last_month=last_month, months=months, scale=scale, blemishes=False
    )
    return made


def built(
    *,
    seed: int,
    null: bool,
    off: frozenset[str],
    last_month: str,
    months: int,
    scale: float,
    blemishes: bool,  # noqa: ARG001 (as every company takes it; the tables of this one have no faults)
) -> tuple[dict[str, pa.Table], SampleTruth]:
    """The tables and the answer sheet."""
    from analysis.sample.ecommerce import canonical

    return canonical.built(seed=seed, null=null, off=off, last_month=last_month, months=months, scale=scale)
