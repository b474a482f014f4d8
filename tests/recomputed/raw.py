"""The sample's raw tables as they lie in ``data/sample``, with their blemishes, read with pandas alone.

What the data dictionary (data/README.md) says of a row is done here a second time, in other words: exact copies are dropped, a row that lacks
a required value or names one that is not allowed is set aside, what was recorded after the as-of day is not seen, and a moment in UTC falls on
the day of the business time zone (Asia/Shanghai, eight hours ahead all year).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

ZONE = "Asia/Shanghai"
AS_OF = pd.Timestamp("2026-11-10")  # the day on which the pack was made
MONTH = pd.Period("2026-10", "M")
START = pd.Timestamp("2026-10-01")
END = pd.Timestamp("2026-11-01")  # the day after the report month
OBSERVED = pd.Timestamp("2023-11-01")  # the first month of service records
TICKET_TYPES = (
    "repair",
    "complaint",
    "return",
    "exchange",
    "inquiry",
    "installation",
    "maintenance",
    "other",
)
DAYS_PER_MONTH = 365.25 / 12


def business_day(moments: pd.Series) -> pd.Series:
    """The day of the business time zone on which UTC moments fall."""
    return moments.dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.tz_localize(None).dt.normalize()


def cents(amounts: pd.Series) -> pd.Series:
    """Money as whole cents, so that sums are exact in any order; an empty amount stays empty."""
    return pd.Series(
        [pd.NA if pd.isna(amount) else round(amount * 100) for amount in amounts],
        index=amounts.index,
        dtype="Int64",
    )


def years_back(day: pd.Timestamp, years: int) -> pd.Timestamp:
    return day - pd.DateOffset(years=years)


class Raw:
    """The raw tables of one folder; each is read once."""

    def __init__(self, folder: Path, params: Path) -> None:
        self.folder, self.params = folder, params

    def file(self, table: str) -> pd.DataFrame:
        """A file as it lies there, exact copies and faults included."""
        return pd.read_parquet(self.folder / f"{table}.parquet")

    def table(self, name: str, *days: str) -> pd.DataFrame:
        """A file without exact copies and without what was recorded after the as-of day; columns of days as timestamps."""
        frame = self.file(name).drop_duplicates()
        if "recorded_at" in frame:
            day_after = (AS_OF + pd.Timedelta(days=1)).tz_localize(ZONE).tz_convert("UTC").tz_localize(None)
            frame = frame[~(frame["recorded_at"] >= day_after)]
        return frame.assign(**{day: pd.to_datetime(frame[day]) for day in days}).reset_index(drop=True)

    def assumption(self, name: str) -> float:
        """A dated assumption of params/assumptions.yml as it holds at the end of the report month."""
        values = yaml.safe_load((self.params / "assumptions.yml").read_text("utf-8"))[name]["values"]
        since = max(day for day in values if pd.Timestamp(day) < END)
        return float(values[since]["value"])

    @cached_property
    def tickets(self) -> pd.DataFrame:
        """Service orders: one row per order that was not cancelled, of a type that the dictionary knows.

        Rework is what was ticked as such or names an order before it. A fault was found where the technician says so, else where the fault
        code is not one of "no fault found". ``line`` is the product line of the order's product.
        """
        frame = self.table("tickets", "failed_on")
        frame = frame[frame["ticket_type"].isin(TICKET_TYPES) & (frame["status"] != "cancelled")].copy()
        frame["opened_on"] = business_day(frame["opened_at"])
        frame["resolved_on"] = business_day(frame["resolved_at"])
        frame["month"] = frame["opened_on"].dt.to_period("M")
        frame["reworked"] = frame["rework"].fillna(False).astype(bool) | frame["parent_ticket_id"].notna()
        told, coded = (
            frame["confirmed_failure"],
            frame["fault_code"].notna() & ~frame["fault_code"].isin(["NFF", "NTF", "NO_FAULT"]),
        )
        frame["fault_found"] = np.where(told.notna(), told == True, coded)  # noqa: E712
        frame["line"] = frame["product_id"].map(self.lines)
        return frame.reset_index(drop=True)

    @cached_property
    def lines(self) -> pd.Series:
        return self.table("products").set_index("product_id")["product_line"]

    @cached_property
    def customers(self) -> pd.DataFrame:
        return self.table("customers", "acquired_on", "churned_on").set_index("customer_id", drop=False)

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """Postings with whole cents; the category is the source's own word, else that of the account in params/cost_tree.yml."""
        frame = self.table("ledger", "posted_on")
        tree = yaml.safe_load((self.params / "cost_tree.yml").read_text("utf-8"))
        of_account = {rule["account"]: rule["category"] for rule in tree["accounts"]}
        frame["cents"] = cents(frame["amount"])
        frame["category"] = frame["category"].fillna(frame["account"].map(of_account)).fillna("unallocated")
        frame["month"] = frame["posted_on"].dt.to_period("M")
        orders = self.tickets.set_index("ticket_id")
        for name in ("ticket_type", "reworked", "customer_id", "line"):
            frame[f"order_{name}"] = frame["ticket_id"].map(orders[name])
        frame["product_line"] = (
            frame["product_line"].fillna(frame["product_id"].map(self.lines)).fillna(frame["order_line"])
        )
        for name in ("team", "region"):
            frame[name] = frame[name].fillna(frame["ticket_id"].map(orders[name]))
        return frame

    @cached_property
    def cost(self) -> pd.DataFrame:
        """The incurred basis: postings incurred and recovered; accruals, utilisation and adjustments of the provision are not in it."""
        return self.ledger[self.ledger["posting_basis"].isin(["incurred", "recovery"])]

    @cached_property
    def orders(self) -> pd.DataFrame:
        frame = self.table("orders")
        frame["ordered_on"] = business_day(frame["ordered_at"])
        frame["month"] = frame["ordered_on"].dt.to_period("M")
        frame["cents"], frame["margin_cents"] = cents(frame["revenue"]), cents(frame["gross_margin"])
        return frame

    @cached_property
    def staff(self) -> pd.DataFrame:
        frame = self.table("staff", "month")
        return frame.assign(cents=cents(frame["cost"]), month=frame["month"].dt.to_period("M"))

    @cached_property
    def units(self) -> pd.DataFrame:
        """Machines: in the field from being put into service (shipment where that is unknown) until the day after retirement."""
        frame = self.table(
            "units", "produced_on", "shipped_on", "in_service_on", "retired_on", "warranty_end"
        )
        frame["started"] = frame["in_service_on"].fillna(frame["shipped_on"])
        frame["left_on"] = frame["retired_on"] + pd.Timedelta(days=1)
        frame["ended"] = frame["left_on"].fillna(END).clip(upper=END)
        frame["line"] = frame["product_id"].map(self.lines)
        return frame

    @cached_property
    def contracts(self) -> pd.DataFrame:
        frame = self.table("contracts", "starts_on", "ends_on", "cancelled_on")
        return frame.assign(cents=cents(frame["amount"]))

    @cached_property
    def provision(self) -> pd.DataFrame:
        frame = self.table("provision", "month")
        money = ("opening", "accrued", "utilised", "adjusted", "closing")
        return frame.assign(
            month=frame["month"].dt.to_period("M"), **{name: cents(frame[name]) for name in money}
        )
