"""The warranty provision: opening + accrued − utilised ± adjusted = closing, and whether it is enough.

IAS 37 (paragraphs 14, 24, 39, 84) and ASC 460-10-50-8 ask for this roll-forward; paragraph 39 measures a
large population of warranties at its expected value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

from analysis.costs.cents import decimals, to_cents
from analysis.errors import ContractError
from analysis.metrics import traced
from analysis.summaries import Summarised

FLOWS = ("accrued", "utilised", "adjusted")


@dataclass(frozen=True, eq=False, kw_only=True)
class ProvisionRollForward(Summarised):
    """Movements of the provision and what they say.

    ``by_period``: one row per line and period, in order of time: ``opening``, ``accrued``, ``utilised``,
    ``adjusted``, ``closing``; ``opening_gap`` = opening − the closing before it and ``closing_gap`` =
    recorded − computed closing (0.00 when the roll-forward holds; gaps are shown, never spread); with sales
    also ``accrual_rate`` and ``claims_rate`` (accrued and utilised ÷ sales).
    ``total``: the same columns summed over lines by period. ``experience``: one row per line over all
    periods: accrued, utilised, ``utilised_to_accrued``. ``coverage``: see `coverage`; empty without expected
    claims.
    """

    by_period: pd.DataFrame
    total: pd.DataFrame
    experience: pd.DataFrame
    coverage: pd.DataFrame

    @property
    def holds(self) -> bool:
        """Whether every closing is explained by its movements and every opening by the closing before."""
        return bool((self.by_period["opening_gap"] == 0).all() and (self.by_period["closing_gap"] == 0).all())


@traced
def provision_roll_forward(
    movements: pd.DataFrame,
    *,
    opening: Decimal | dict[Any, Decimal] | None = None,
    by: Sequence[str] = (),
    period: str = "month",
    expected_claims: pd.DataFrame | None = None,
) -> ProvisionRollForward:
    """Roll the provision forward by period and line.

    Parameters
    ----------
    movements : (lines and periods, columns) DataFrame
        ``utilised`` (claims paid against the provision) and ``accrued``, or ``accrual_rate`` with ``sales`` (or ``units_sold`` and ``unit_price``), from
        which accrued = rate × sales, rounded half up to a cent. Optional ``adjusted`` (signed), ``opening`` and ``closing`` as recorded. Accrued and
        utilised are positive amounts.
    opening : Decimal, or one by line; money; optional
        Opening balance of the first period, where the movements do not record it.
    by : names of columns
        That name a line, such as ``("product_line",)``.
    period : str
        The column of time; its values must sort in order of time.
    expected_claims : (lines, columns) DataFrame, optional
        Passed to `coverage` with the last closing of each line.

    Returns
    -------
    ProvisionRollForward
        A recorded opening is used as it stands and its gap to the closing before is shown.

    Raises
    ------
    ContractError
        For columns that are missing, repeated periods, amounts that are none, or no opening balance.

    Examples
    --------
    500 + 50 - 40, and once more.

    >>> from decimal import Decimal
    >>> import pandas as pd
    >>> from analysis import costs
    >>> movements = pd.DataFrame({"month": ["2026-09", "2026-10"], "accrued": ["50.00"] * 2, "utilised": ["40.00"] * 2})
    >>> rolled = costs.provision_roll_forward(movements, opening=Decimal("500.00"))
    >>> rolled.total["closing"].astype(str).tolist()
    ['510.00', '520.00']
    """
    names = list(by)
    rows = _amounts(movements, names, period).sort_values([*names, period], kind="stable", ignore_index=True)
    groups = rows.groupby(names, sort=False) if names else [((), rows)]
    rolled = pd.concat(
        [_roll(group, _opening_of(opening, key, names)) for key, group in groups], ignore_index=True
    )
    frame = _money(rolled, names, period)
    last = frame.groupby(names, as_index=False).last() if names else frame.tail(1)
    return ProvisionRollForward(
        by_period=frame,
        total=_summed(rolled, period),
        experience=_experience(rolled, names),
        coverage=coverage(last, expected_claims, by=names) if expected_claims is not None else pd.DataFrame(),
    )


@traced
def coverage(closing: pd.DataFrame, expected_claims: pd.DataFrame, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """Whether the closing balance covers the claims expected from what is sold already.

    Parameters
    ----------
    closing : one row per line with ``closing``
    expected_claims : one row per line with ``expected`` and, where it is an estimate, ``low`` and ``high``

    Returns
    -------
    DataFrame, one row per line
        ``closing``, ``expected``, ``low``, ``high``, ``coverage`` = closing ÷ expected, ``shortfall`` =
        expected − closing (negative when there is more than enough) and ``status``: ``short`` when the
        balance lies below the whole interval, ``covered`` when not below its upper limit, else ``uncertain``.
        A line without a forecast stays blank and ``not computed``.
    """
    names = list(by)
    limits = expected_claims.assign(
        low=expected_claims.get("low", expected_claims["expected"]),
        high=expected_claims.get("high", expected_claims["expected"]),
    )[[*names, "expected", "low", "high"]]
    if names:
        table = closing[[*names, "closing"]].merge(limits, on=names, how="left", validate="one_to_one")
    else:
        table = pd.concat(
            [closing[["closing"]].reset_index(drop=True), limits.reset_index(drop=True)], axis=1
        )
    balance = table["closing"].astype(float)
    expected, low, high = (table[name].astype(float) for name in ("expected", "low", "high"))
    status = (
        pd.Series("uncertain", index=table.index)
        .mask(balance < low, "short")
        .mask(balance >= high, "covered")
    )
    return table.assign(
        coverage=balance / expected.where(expected != 0),
        shortfall=expected - balance,
        status=status.mask(expected.isna(), "not computed"),
    )


@traced
def _amounts(movements: pd.DataFrame, names: list[str], period: str) -> pd.DataFrame:
    """The movements in cents, accruals computed where a rate is given."""
    absent = [name for name in [*names, period, "utilised"] if name not in movements.columns]
    if absent:
        raise ContractError(
            f"provision: column {', '.join(absent)} is missing; a roll-forward needs claims by period."
        )
    if movements.duplicated([*names, period]).any():
        raise ContractError(
            f"provision: {int(movements.duplicated([*names, period]).sum())} rows repeat a period of a line; "
            f"one row should be one {' x '.join([*names, period])}."
        )
    sales = _sales(movements)
    rows = movements[[*names, period]].copy()
    rows["sales"] = sales if sales is not None else pd.NA
    rows["accrued"] = _accrued(movements, sales)
    for column in ("utilised", "adjusted", "opening", "closing"):
        known = column in movements.columns
        blank = 0 if column == "adjusted" else None
        rows[column] = pd.Series(
            [
                blank if not known or pd.isna(value) else to_cents(value, what=column)
                for value in (movements[column] if known else movements[period])
            ],
            index=movements.index,
            dtype=object,
        )
    for column in ("accrued", "utilised"):
        odd = [value for value in rows[column] if value is None or value < 0]
        if odd:
            raise ContractError(
                f"provision: {len(odd)} rows have no {column} amount or a negative one; "
                "a reversal is an adjustment (adjusted, negative)."
            )
    return rows


@traced
def _sales(movements: pd.DataFrame) -> pd.Series | None:
    if "sales" in movements.columns:
        return pd.Series(
            [to_cents(value, what="sales") for value in movements["sales"]],
            index=movements.index,
            dtype=object,
        )
    if {"units_sold", "unit_price"} <= set(movements.columns):
        pairs = zip(movements["units_sold"], movements["unit_price"], strict=True)
        amounts = [
            to_cents(Decimal(str(units)) * Decimal(str(price)), what="sales") for units, price in pairs
        ]
        return pd.Series(amounts, index=movements.index, dtype=object)
    return None


@traced
def _accrued(movements: pd.DataFrame, sales: pd.Series | None) -> pd.Series:
    if "accrued" in movements.columns:
        amounts = [
            None if pd.isna(value) else to_cents(value, what="accrued") for value in movements["accrued"]
        ]
    elif sales is not None and "accrual_rate" in movements.columns:
        pairs = zip(sales, movements["accrual_rate"], strict=True)
        amounts = [
            int((cents * Decimal(str(rate))).to_integral_value(ROUND_HALF_UP)) for cents, rate in pairs
        ]
    else:
        raise ContractError(
            "provision: needs accrued, or accrual_rate with sales (or units_sold and unit_price)."
        )
    return pd.Series(amounts, index=movements.index, dtype=object)


@traced
def _opening_of(opening: Decimal | dict[Any, Decimal] | None, key: Any, names: list[str]) -> int | None:
    if opening is None:
        return None
    if isinstance(opening, dict):
        label = key[0] if isinstance(key, tuple) and len(names) == 1 else key
        return to_cents(opening[label], what="opening") if label in opening else None
    if names:
        raise ContractError("provision: one opening for several lines; give it by line.")
    return to_cents(opening, what="opening")


@traced
def _roll(rows: pd.DataFrame, start: int | None) -> pd.DataFrame:
    balance = start
    lines = []
    for row in rows.to_dict("records"):
        opening = row["opening"] if row["opening"] is not None else balance
        if opening is None:
            raise ContractError(
                "provision: the first period has no opening balance; give opening, 0.00 for a new line."
            )
        closing = opening + row["accrued"] - row["utilised"] + row["adjusted"]
        lines.append(
            row
            | {
                "opening": opening,
                "closing": closing,
                "opening_gap": 0 if balance is None else opening - balance,
                "closing_gap": 0 if row["closing"] is None else row["closing"] - closing,
            }
        )
        balance = row["closing"] if row["closing"] is not None else closing
    return pd.DataFrame(lines, index=rows.index)


_BALANCES = ("opening", *FLOWS, "closing", "opening_gap", "closing_gap")


@traced
def _money(rolled: pd.DataFrame, names: list[str], period: str) -> pd.DataFrame:
    frame = rolled[[*names, period]].assign(**_shown(rolled, _BALANCES))
    if rolled["sales"].notna().all():
        sales = rolled["sales"].astype(float)
        base = sales.where(sales != 0)
        frame = frame.assign(
            sales=decimals(rolled["sales"], index=rolled.index),
            accrual_rate=rolled["accrued"].astype(float) / base,
            claims_rate=rolled["utilised"].astype(float) / base,
        )
    return frame


@traced
def _summed(rolled: pd.DataFrame, period: str) -> pd.DataFrame:
    cents = rolled.assign(**{name: rolled[name].astype("int64") for name in _BALANCES})
    summed = cents.groupby(period, as_index=False)[list(_BALANCES)].sum()
    return summed.assign(**_shown(summed, _BALANCES))


@traced
def _experience(rolled: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    cents = rolled.assign(
        accrued=rolled["accrued"].astype("int64"), utilised=rolled["utilised"].astype("int64"), line=0
    )
    summed = cents.groupby(names or ["line"], as_index=False)[["accrued", "utilised"]].sum()
    ratio = summed["utilised"] / summed["accrued"].where(summed["accrued"] != 0)
    return summed[names].assign(**_shown(summed, ("accrued", "utilised")), utilised_to_accrued=ratio)


@traced
def _shown(cents: pd.DataFrame, columns: Sequence[str]) -> dict[str, pd.Series]:
    return {name: decimals(cents[name], index=cents.index) for name in columns}
