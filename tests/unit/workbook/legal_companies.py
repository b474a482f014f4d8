"""Small legal companies that differ from an ordinary one in one thing each, and all notebooks run on them in this process.

A company here keeps to the table contract; what it lacks or has too much of must end in words ("not computed: reason") or in a refusal
that is a rule, never in an error of the program's own. ``study`` says which cells failed and which facts cannot be printed.
"""

from __future__ import annotations

import json
import math
import shutil
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from analysis.exhibits.record import Block
from analysis.locale import LANGUAGES
from analysis.metrics.study import facts_in
from analysis.params import project_root
from analysis.sample import generate_arrow
from analysis.workbook import MonthRun, prepare_run

Tables = dict[str, pd.DataFrame]
Change = Callable[[Tables], object]
NOTEBOOKS = Path(__file__).parents[3] / "notebooks"
MONTH = "2026-10"
#: What names a thing and groups figures, by table.
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "tickets": (
        "product_id",
        "serial_no",
        "team",
        "channel",
        "region",
        "component",
        "customer_id",
        "fault_code",
        "severity",
        "priority",
        "activity",
        "agent_id",
    ),
    "customers": ("segment", "region", "channel", "churn_reason"),
    "products": ("product_line", "model", "category"),
    "units": ("batch", "supplier", "plant", "region"),
    "orders": ("channel", "region"),
    "ledger": ("cost_center", "cost_pool", "team", "region", "channel", "product_line", "supplier"),
    "staff": ("team", "region"),
}
#: Words that group rows and name nothing in another table: any text may stand in them.
WORDS: Mapping[str, tuple[str, ...]] = {
    "tickets": ("team", "channel", "region", "component", "fault_code", "severity", "priority", "activity"),
    "customers": ("customer_name", "segment", "region", "channel", "churn_reason"),
    "products": ("product_line", "model", "category"),
    "units": ("batch", "supplier", "plant", "region"),
    "orders": ("channel", "region"),
    "ledger": ("team", "region", "channel", "supplier"),
    "staff": ("team", "region"),
    "parts_used": ("part_no", "supplier"),
    "opportunities": ("channel", "stage"),
    "marketing_spend": ("channel",),
}


@cache
def _made(months: int, scale: float) -> Mapping[str, Any]:
    return generate_arrow(seed=1, months=months, scale=scale)[0]


def ordinary(*, months: int = 16, scale: float = 0.006) -> Tables:
    """The sample company, so small that a study of it takes seconds."""
    return {name: table.to_pandas() for name, table in _made(months, scale).items()}


def write(tables: Tables, folder: Path) -> Path:
    """One CSV file per table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8", date_format="%Y-%m-%dT%H:%M:%S")
    return folder


def own_project(folder: Path) -> Path:
    """A project whose run needs no table: by default a run without a ledger or without tickets is refused."""
    shutil.copytree(project_root() / "params", folder / "params")
    with (folder / "params" / "runs" / "sample.yml").open("a", encoding="utf-8") as stated:
        stated.write("needs: []\n")
    return folder


@dataclass
class Outcome:
    """What became of a company: the cells that failed, with the error, and the facts that no page can print.

    ``left_out`` holds the sections that the report leaves out, ``not_computed`` the parts of the others that were not made, with the reason.
    """

    refused: str = ""
    left_out: dict[str, str] = field(default_factory=dict)
    not_computed: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    wrong_facts: list[str] = field(default_factory=list)
    facts: int = 0
    traces: dict[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return not self.failed and not self.wrong_facts


def study(folder: Path, run_folder: Path, *, month: str = MONTH, drawn: bool = True) -> Outcome:
    """The notebooks of the report on one company, cell by cell, in the order of the report; not ``drawn``, without tables and figures."""
    from analysis.errors import AnalysisError

    outcome = Outcome()
    try:
        run = prepare_run("sample", month=month, data=str(folder), folder=run_folder)
    except AnalysisError as refusal:
        outcome.refused = f"{type(refusal).__name__}: {refusal}"
        return outcome
    for notebook in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        _execute(notebook, run, outcome, drawn)
    return outcome


def _wrong(fact: Mapping[str, Any]) -> Iterator[str]:
    numbers = {name: fact.get(name) for name in ("value", "numerator", "denominator")}
    interval = fact.get("interval") or {}
    numbers |= {name: interval.get(name) for name in ("low", "high")}
    for name, value in numbers.items():
        if value is not None and not math.isfinite(float(value)):
            yield f"{fact['id']}: {name} is {value}"
    low, high = numbers["low"], numbers["high"]
    if low is not None and high is not None and float(low) > float(high):
        yield f"{fact['id']}: {low} above {high}"
    if fact.get("value") is None and not fact.get("reason"):
        yield f"{fact['id']}: neither value nor reason"


def _section(notebook: Path) -> str:
    given: str = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["after_sales"]["section"]
    return given


def _execute(notebook: Path, run: MonthRun, outcome: Outcome, drawn: bool) -> None:
    from analysis.errors import MissingData

    def opened(*_: object, section: str, **__: object) -> MonthRun:
        return replace(run, section=section)

    def shown(block: Block) -> None:
        for language in LANGUAGES:
            block.html(language)

    cells = [
        cell
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    space: dict[str, Any] = {}
    with (
        mock.patch("analysis.workbook.open_run", opened),
        mock.patch("analysis.workbook.month_run.show", shown),
        mock.patch("builtins.print"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        for number, cell in enumerate(cells):
            source = "".join(cell["source"])
            if not drawn and "exhibit" in cell["metadata"].get("tags", []):
                continue
            try:
                exec(compile(source, f"{notebook.stem}[{number}]", "exec"), space)
            except MissingData as missing:
                if "setup" in cell["metadata"].get("tags", []):
                    outcome.left_out[_section(notebook)] = str(missing).removeprefix("not computed: ")
                    return  # the report leaves the section out and says what it needs
                outcome.failed[f"{notebook.stem}[{number}]"] = f"MissingData: {missing}"
            except Exception as error:
                outcome.failed[f"{notebook.stem}[{number}]"] = f"{type(error).__name__}: {error}"
                outcome.traces[f"{notebook.stem}[{number}]"] = traceback.format_exc()
                if "setup" in cell["metadata"].get("tags", []):
                    return
    for check in space["study"].checks:
        if check.id.startswith("not_tested."):
            part = check.id.removeprefix("not_tested.")
            outcome.not_computed[f"{_section(notebook)}.{part}"] = check.sentence.plain("en")
    for fact in facts_in(space["study"]).values():
        outcome.facts += 1
        outcome.wrong_facts += _wrong(fact.as_json())


# ---------------------------------------------------------------- what differs


def only(tables: Tables, table: str, keep: pd.Series) -> None:
    tables[table] = tables[table][keep.to_numpy(dtype=bool)].reset_index(drop=True)


def consistent(tables: Tables) -> None:
    """Rows that name a customer, machine or ticket that is no longer there go as well."""
    customers = set(tables["customers"]["customer_id"])
    for name in (
        "units",
        "orders",
        "contracts",
        "opportunities",
        "invoices",
        "surveys",
        "tickets",
        "customer_history",
    ):
        if name in tables:
            column = tables[name]["customer_id"]
            only(tables, name, column.isin(customers) | column.isna())
    tickets = set(tables["tickets"]["ticket_id"])
    for name in ("ticket_history", "parts_used", "claims", "surveys", "ledger"):
        if name in tables:
            column = tables[name]["ticket_id"]
            only(tables, name, column.isin(tickets) | column.isna())
    if "parent_ticket_id" in tables["tickets"]:
        tables["tickets"].loc[~tables["tickets"]["parent_ticket_id"].isin(tickets), "parent_ticket_id"] = None


def business_month(tables: Tables, table: str = "tickets", column: str = "opened_at") -> pd.Series:
    """The business month of each row, as text."""
    return (pd.to_datetime(tables[table][column]) + pd.Timedelta(hours=8)).dt.strftime("%Y-%m")


def one_customer(tables: Tables) -> None:
    busiest = tables["tickets"]["customer_id"].value_counts().index[0]
    only(tables, "customers", tables["customers"]["customer_id"] == busiest)
    consistent(tables)
    if not (business_month(tables) == MONTH).any():
        tables["tickets"].loc[tables["tickets"].index[-1], "opened_at"] = pd.Timestamp("2026-10-12T03:00:00")


def one_ticket(tables: Tables) -> None:
    month = business_month(tables)
    first = tables["tickets"][month == MONTH]["ticket_id"].iloc[0]
    only(tables, "tickets", tables["tickets"]["ticket_id"] == first)
    consistent(tables)


def one_ticket_in_the_month(tables: Tables) -> None:
    month = business_month(tables)
    first = tables["tickets"][month == MONTH]["ticket_id"].iloc[0]
    only(tables, "tickets", (month != MONTH) | (tables["tickets"]["ticket_id"] == first))
    consistent(tables)


def no_ticket_in_the_month(tables: Tables) -> None:
    only(tables, "tickets", business_month(tables) != MONTH)
    consistent(tables)


def no_ticket_before(tables: Tables) -> None:
    only(tables, "tickets", business_month(tables) >= MONTH)
    consistent(tables)


def blank(*names: str) -> Change:
    def change(tables: Tables) -> None:
        for name in names:
            table, column = name.split(".")
            tables[table][column] = None

    return change


def without(*names: str) -> Change:
    def change(tables: Tables) -> None:
        for name in names:
            tables.pop(name)

    return change


def all_blank(tables: Tables) -> None:
    for table, columns in DIMENSIONS.items():
        for column in columns:
            if column in tables[table]:
                tables[table][column] = None


def words(text: Callable[[str], str] | str) -> Change:
    """Every word that groups rows replaced: by one text, or by what a function makes of it."""

    def change(tables: Tables) -> None:
        for table, columns in WORDS.items():
            for column in columns:
                if column in tables.get(table, {}):
                    given = tables[table][column]
                    made = given.map(text if callable(text) else (lambda _: text), na_action="ignore")
                    tables[table][column] = made
        if not callable(text):
            for name, key in (
                ("parts_used", ["ticket_id", "part_no"]),
                ("marketing_spend", ["month", "channel"]),
            ):
                tables[name] = tables[name].drop_duplicates(key)

    return change


def case_variants(tables: Tables) -> None:
    """Every second row in other letters, or in the other form of the same accent."""
    for table, columns in WORDS.items():
        for column in columns:
            if column in tables.get(table, {}):
                given = tables[table][column]
                mark = np.arange(len(given)) % 3
                one = given.map(lambda text: f"{text} é", na_action="ignore")
                tables[table][column] = one.where(
                    mark == 0,
                    one.map(str.upper, na_action="ignore").where(
                        mark == 1, given.map(lambda text: f"{text} é", na_action="ignore")
                    ),
                )


def many(products: int = 0, models: int = 0, regions: int = 0) -> Change:
    def change(tables: Tables) -> None:
        rng = np.random.default_rng(1)
        if products:
            base = tables["products"]
            grown = base.loc[rng.integers(0, len(base), products)].reset_index(drop=True)
            grown["product_id"] = [f"P-{number:05d}" for number in range(products)]
            grown["model"] = [f"Model {number % (models or 1)}" for number in range(products)]
            grown["product_line"] = [f"Line {number % min(products, 2000)}" for number in range(products)]
            tables["products"] = grown
            for name in ("units", "orders", "tickets", "ledger"):
                column = tables[name]["product_id"]
                tables[name]["product_id"] = column.where(
                    column.isna(), [f"P-{number:05d}" for number in rng.integers(0, products, len(column))]
                )
            plan = tables["shipment_plan"]
            plan["product_id"] = [f"P-{number:05d}" for number in range(len(plan))]
            grown_plan = [
                plan.assign(product_id=f"P-{number:05d}").drop_duplicates("month") for number in range(200)
            ]
            tables["shipment_plan"] = pd.concat(grown_plan, ignore_index=True)
            tables["ledger"]["product_line"] = None
        if regions:
            for name in ("customers", "units", "orders", "tickets", "staff"):
                tables[name]["region"] = [
                    f"Region {number}" for number in rng.integers(0, regions, len(tables[name]))
                ]

    return change


def contract_kinds(tables: Tables) -> None:
    """A source that names its kinds itself; values outside the contract's list."""
    tables["contracts"]["kind"] = [f"Plan {number % 3}" for number in range(len(tables["contracts"]))]


def all_lost(tables: Tables) -> None:
    customers, contracts = tables["customers"], tables["contracts"]
    customers["churned_on"] = pd.Timestamp("2026-10-15").date()
    acquired = pd.to_datetime(customers["acquired_on"])
    customers["acquired_on"] = acquired.where(acquired < "2026-10-01", pd.Timestamp("2026-09-01")).dt.date
    starts = pd.to_datetime(contracts["starts_on"])
    only(tables, "contracts", starts < "2026-10-01")
    tables["contracts"]["cancelled_on"] = pd.Timestamp("2026-10-15").date()
    tables["contracts"]["renewed"] = False


def none_lost(tables: Tables) -> None:
    tables["customers"]["churned_on"] = None
    tables["customers"]["churn_reason"] = None
    contracts = tables["contracts"]
    contracts["cancelled_on"] = None
    contracts["renewed"] = contracts["renewed"].where(contracts["renewed"].isna(), True)
    last = contracts.groupby("contract_id")["term_no"].transform("max") == contracts["term_no"]
    contracts.loc[last, "ends_on"] = pd.Timestamp("2027-12-31").date()
    contracts.loc[last, "renewed"] = None


def one_start(tables: Tables) -> None:
    contracts = tables["contracts"]
    only(tables, "contracts", contracts["term_no"] == contracts["term_no"].min())
    tables["contracts"]["starts_on"] = pd.Timestamp("2025-11-01").date()
    tables["contracts"]["ends_on"] = pd.Timestamp("2026-11-01").date()


def amounts(value: Callable[[pd.Series], object]) -> Change:
    def change(tables: Tables) -> None:
        tables["ledger"]["amount"] = value(tables["ledger"]["amount"])

    return change


def vast_posting(tables: Tables) -> None:
    ledger = tables["ledger"]
    month = pd.to_datetime(ledger["posted_on"]).dt.strftime("%Y-%m") == MONTH
    traced = month & ledger["ticket_id"].notna()
    ledger.loc[ledger[traced].index[0], "amount"] = Decimal("99999999999999.99")


def vast_everywhere(tables: Tables) -> None:
    for table, column in (
        ("ledger", "amount"),
        ("orders", "revenue"),
        ("orders", "gross_margin"),
        ("claims", "amount"),
        ("parts_used", "unit_price"),
        ("contracts", "amount"),
        ("staff", "cost"),
        ("products", "unit_cost"),
        ("invoices", "amount"),
        ("provision", "opening"),
        ("provision", "accrued"),
        ("budget", "amount"),
    ):
        tables[table][column] = Decimal("99999999999999.99")


def mixed_signs(ledger: pd.Series) -> object:
    return [amount if number % 2 else -amount for number, amount in enumerate(ledger)]


def young_fleet(tables: Tables) -> None:
    units = tables["units"]
    for column in ("produced_on", "shipped_on", "in_service_on"):
        units[column] = pd.Timestamp({"produced_on": "2026-08-10"}.get(column, "2026-08-20")).date()
    units["retired_on"] = None
    units["warranty_end"] = pd.Timestamp("2028-08-20").date()


def fleet_of_one(tables: Tables) -> None:
    units = tables["units"]
    serial = tables["tickets"]["serial_no"].value_counts().index[0]
    only(tables, "units", units["serial_no"] == serial)
    tickets = tables["tickets"]
    tickets["serial_no"] = tickets["serial_no"].where(tickets["serial_no"].isna(), serial)
    tables["ledger"]["serial_no"] = None


def fail_on(day: str) -> Change:
    def change(tables: Tables) -> None:
        tickets = tables["tickets"]
        repairs = tickets["ticket_type"] == "repair"
        moment = pd.Timestamp(day)
        tickets.loc[repairs, "opened_at"] = moment
        for column in ("first_response_at", "resolved_at", "closed_at", "reopened_at"):
            tickets.loc[repairs & tickets[column].notna(), column] = moment + pd.Timedelta(hours=5)
        tickets["failed_on"] = None

    return change


def fail_on_day_nought(tables: Tables) -> None:
    tickets, units = tables["tickets"], tables["units"].set_index("serial_no")
    started = tickets["serial_no"].map(units["in_service_on"].fillna(units["shipped_on"]))
    repairs = (tickets["ticket_type"] == "repair") & started.notna()
    tickets.loc[repairs, "opened_at"] = pd.to_datetime(started[repairs]) + pd.Timedelta(hours=4)
    for column in ("first_response_at", "resolved_at", "closed_at", "reopened_at"):
        tickets.loc[repairs, column] = pd.to_datetime(started[repairs]) + pd.Timedelta(hours=6)
    tickets["failed_on"] = None


def resolved_after(hours: float) -> Change:
    def change(tables: Tables) -> None:
        tickets = tables["tickets"]
        for column in ("first_response_at", "resolved_at", "closed_at"):
            tickets[column] = pd.to_datetime(tickets["opened_at"]) + pd.Timedelta(hours=hours)
        tickets["reopened_at"] = None

    return change


def constant(name: str, value: object) -> Change:
    table, column = name.split(".")

    def change(tables: Tables) -> None:
        tables[table][column] = value

    return change


def together(*changes: Change) -> Change:
    def change(tables: Tables) -> None:
        for one in changes:
            one(tables)

    return change


def last_months(months: int) -> Change:
    """Nothing is known from before: a company whose systems were switched on then."""
    first = (pd.Timestamp(f"{MONTH}-01") - pd.DateOffset(months=months - 1)).date()

    def change(tables: Tables) -> None:
        for table, column in (
            ("tickets", "opened_at"),
            ("ledger", "posted_on"),
            ("orders", "ordered_at"),
            ("staff", "month"),
            ("gl_totals", "month"),
            ("provision", "month"),
            ("budget", "month"),
            ("drivers", "month"),
            ("marketing_spend", "month"),
            ("claims", "claimed_on"),
            ("surveys", "sent_at"),
            ("opportunities", "created_on"),
            ("invoices", "issued_on"),
            ("contracts", "starts_on"),
            ("ticket_history", "changed_at"),
        ):
            only(tables, table, pd.to_datetime(tables[table][column]) >= pd.Timestamp(first))
        consistent(tables)

    return change


def one_product_line(tables: Tables) -> None:
    tables["products"]["product_line"] = "Washers"
    tables["ledger"]["product_line"] = tables["ledger"]["product_line"].where(
        tables["ledger"]["product_line"].isna(), "Washers"
    )


def year_end(tables: Tables) -> None:
    """Everything of the month on the last second of the year, in the business zone."""
    moment = pd.Timestamp("2025-12-31T15:59:59")
    tickets = tables["tickets"]
    late = pd.to_datetime(tickets["opened_at"]) >= "2025-12-01"
    tickets.loc[late, "opened_at"] = moment
    for column in ("first_response_at", "resolved_at", "closed_at", "reopened_at"):
        given = late & tickets[column].notna()
        tickets.loc[given, column] = moment + pd.Timedelta(seconds=1)
    for table, column in (("ledger", "posted_on"), ("claims", "claimed_on")):
        days = pd.to_datetime(tables[table][column])
        tables[table][column] = days.where(days < "2025-12-01", pd.Timestamp("2025-12-31")).dt.date


def one_of_each_table() -> list[list[str]]:
    """Each dimension once, one of each table at a time: twelve companies instead of thirty."""
    most = max(map(len, DIMENSIONS.values()))
    return [
        [f"{table}.{columns[place]}" for table, columns in DIMENSIONS.items() if place < len(columns)]
        for place in range(most)
    ]


#: The month of the report, where it is another one.
MONTHS = {"year end": "2025-12"}
CONTROLS = "".join(map(chr, [*range(1, 9), 11, 12, *range(14, 32), 127, 0x85, 0x9B, 0x2028, 0x2029]))

LEGAL: Mapping[str, Change] = {
    "ordinary": lambda _: None,
    "one customer": one_customer,
    "one ticket in all": one_ticket,
    "one ticket in the month": one_ticket_in_the_month,
    "no ticket in the month": no_ticket_in_the_month,
    "no ticket before the month": no_ticket_before,
    "all dimensions blank": all_blank,
    **{f"blank {', '.join(columns)}": blank(*columns) for columns in one_of_each_table()},
    "5,000 products": many(products=5000, models=3000),
    "500 regions": many(regions=500),
    "own contract kinds": contract_kinds,
    "no contract kind": blank("contracts.kind"),
    "all lost": all_lost,
    "none lost": none_lost,
    "contracts start on one day": one_start,
    "no contracts": without("contracts"),
    "no purchases": without("orders"),
    "no surveys": without("surveys"),
    "no staff": without("staff"),
    "no ledger": without("ledger"),
    "no machines": without("units"),
    "no products": without("products"),
    "no totals": without("gl_totals"),
    "ledger without tickets": blank("ledger.ticket_id"),
    "vast posting": vast_posting,
    "vast everywhere": vast_everywhere,
    "all negative": amounts(lambda amount: -amount.abs()),
    "all zero": amounts(lambda amount: amount * 0),
    "mixed signs": amounts(mixed_signs),
    "one cent": amounts(lambda amount: [Decimal("0.01")] * len(amount)),
    "long words": words(lambda text: str(text) + "x" * 10_000),
    "blank words": words("   "),
    "emoji": words("🧯"),
    "quotes": words(lambda text: f"'\"`{text}''\"\"\\"),
    "percent": words(lambda text: f"%{text}%s %d 100%"),
    "braces": words(lambda text: f"{{}} {{x}} {{0}} {text} {{{text}}} {{n!r}}"),
    "line breaks": words(lambda text: f"\n{text}\r\n\t{text}\t"),
    "controls": words(lambda text: f"{CONTROLS}{text}"),
    "letters and accents": case_variants,
    "young fleet": young_fleet,
    "fleet of one": fleet_of_one,
    "all fail on one day": fail_on("2026-10-08T02:00:00"),
    "all fail on day nought": fail_on_day_nought,
    "resolved at opening": resolved_after(0),
    "resolved before opening": resolved_after(-3),
    "one team": together(constant("tickets.team", "A"), constant("staff.team", "A"), blank("ledger.team")),
    "no hours": blank("staff.hours_paid", "staff.hours_worked", "tickets.handling_hours"),
    "no paid hours": constant("staff.hours_paid", 0),
    "no wages": constant("staff.cost", 0),
    "one month of history": last_months(1),
    "three months of history": last_months(3),
    "twelve months of history": last_months(12),
    "one product line": one_product_line,
    "year end": year_end,
    "no revenue": together(constant("orders.revenue", 0), constant("orders.gross_margin", 0)),
    "no margin": blank("orders.gross_margin"),
    "only refunds": together(constant("orders.revenue", -5), constant("orders.gross_margin", -5)),
}
