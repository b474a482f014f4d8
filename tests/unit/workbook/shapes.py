"""Any shape of history and table: companies that lack months, tables or columns, and what became of the report of each.

Beside the legal companies (``legal_companies``): histories of one month to two years, each optional table and each optional column
absent, the pairs that matter, and data that end within the month.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest import mock

import pandas as pd
from legal_companies import (
    LEGAL,
    MONTH,
    MONTHS,
    Change,
    Outcome,
    Tables,
    consistent,
    last_months,
    only,
    ordinary,
    own_project,
    study,
    together,
    without,
    write,
)

from analysis.tables import contract

#: The column that dates a row of a table with a day, and the day on which the data of a partial month end.
DAYS: Mapping[str, str] = {
    "tickets": "opened_at",
    "ledger": "posted_on",
    "orders": "ordered_at",
    "claims": "claimed_on",
    "surveys": "sent_at",
    "opportunities": "created_on",
    "invoices": "issued_on",
    "contracts": "starts_on",
    "ticket_history": "changed_at",
}
#: Tables whose absence together takes away what each alone could still stand on.
PAIRS: tuple[tuple[str, ...], ...] = (
    ("ledger", "claims"),
    ("ledger", "orders"),
    ("orders", "contracts"),
    ("units", "products"),
    ("units", "claims"),
    ("tickets", "units"),
    ("customers", "contracts"),
    ("staff", "calendar"),
    ("provision", "claims"),
)
TABLES = tuple(contract().tables)
#: Tables whose absence is among the legal companies already.
LEGAL_WITHOUT = frozenset(name.removeprefix("no ") for name in LEGAL) | {"orders", "units", "gl_totals"}


def _business_days(frame: pd.DataFrame, column: str) -> pd.Series:
    """The moments of a column on the company's clock; a day stays what it is."""
    moments = pd.to_datetime(frame[column])
    return moments + pd.Timedelta(hours=8) if column.endswith("_at") else moments


def ends_on(day: str) -> Change:
    """Nothing is known after this day, though its month is the one of the report."""

    def change(tables: Tables) -> None:
        after = pd.Timestamp(day) + pd.Timedelta(days=1)
        for table, column in DAYS.items():
            only(tables, table, ~(_business_days(tables[table], column) >= after))
        consistent(tables)

    return change


def silent(first: str, last: str, *names: str) -> Change:
    """No rows between two days, both included."""

    def change(tables: Tables) -> None:
        start, end = pd.Timestamp(first), pd.Timestamp(last) + pd.Timedelta(days=1)
        for table in names:
            days = _business_days(tables[table], DAYS[table])
            only(tables, table, ~((days >= start) & (days < end)))
        consistent(tables)

    return change


def one_product(tables: Tables) -> None:
    product = tables["products"]["product_id"].iloc[0]
    only(tables, "products", tables["products"]["product_id"] == product)
    line = tables["products"]["product_line"].iloc[0]
    for name in ("units", "orders", "tickets", "ledger"):
        given = tables[name]["product_id"]
        tables[name]["product_id"] = given.where(given.isna(), product)
    tables["ledger"]["product_line"] = tables["ledger"]["product_line"].where(
        tables["ledger"]["product_line"].isna(), line
    )
    tables["shipment_plan"] = (
        tables["shipment_plan"].assign(product_id=product).drop_duplicates("month", ignore_index=True)
    )


def one_region(tables: Tables) -> None:
    for name in ("customers", "units", "orders", "tickets", "ledger", "staff"):
        given = tables[name]["region"]
        tables[name]["region"] = given.where(given.isna(), "East")


def constant_months(tables: Tables) -> None:
    """Every month is the last one again: its tickets and postings, under keys of their own."""
    month = pd.Timestamp(f"{MONTH}-01")
    for name, keys in {"tickets": ("ticket_id",), "ledger": ("posting_id", "ticket_id")}.items():
        frame = tables[name].drop(columns="parent_ticket_id", errors="ignore")
        days = pd.to_datetime(frame[DAYS[name]])
        last = frame[(days >= month + pd.Timedelta(days=1)) & (days < month + pd.Timedelta(days=27))]
        moments = [column for column in last if str(column).endswith(("_at", "_on"))]
        copies = []
        for back in range(16):
            copy = last.copy()
            for column in moments:
                copy[column] = pd.to_datetime(copy[column]) - pd.DateOffset(months=back)
            for key in keys:
                copy[key] = copy[key].where(copy[key].isna(), copy[key].astype(str) + f"-{back}")
            copies.append(copy)
        tables[name] = pd.concat(copies, ignore_index=True)
    consistent(tables)


def no_returns(tables: Tables) -> None:
    only(tables, "tickets", ~tables["tickets"]["ticket_type"].isin(["return", "exchange"]))
    consistent(tables)


def several_currencies(tables: Tables) -> None:
    """Every third amount in dollars, for which the run has no rate."""
    for name in ("orders", "ledger", "claims", "contracts", "staff", "invoices", "gl_totals"):
        tables[name]["currency"] = [
            "USD" if number % 3 == 0 else "CNY" for number in range(len(tables[name]))
        ]


def own_currency(tables: Tables) -> None:
    for name in ("orders", "ledger", "claims", "contracts", "staff", "invoices", "gl_totals"):
        tables[name]["currency"] = "CNY"


def claims_only(tables: Tables) -> None:
    """A maker that knows its claims, machines and repairs and nothing else."""
    for name in set(tables) - {"tickets", "units", "products", "claims", "customers"}:
        tables.pop(name)


def purchases_only(tables: Tables) -> None:
    for name in set(tables) - {"orders", "customers"}:
        tables.pop(name)
    tables["orders"] = tables["orders"].drop(columns=["gross_margin", "product_id"])


def tickets_only(tables: Tables) -> None:
    for name in set(tables) - {"tickets"}:
        tables.pop(name)


def ledger_only(tables: Tables) -> None:
    for name in set(tables) - {"ledger"}:
        tables.pop(name)
    tables["ledger"] = tables["ledger"].drop(columns=["ticket_id", "product_id", "serial_no"])


def absent(table: str, *columns: str) -> Change:
    """The file has no such column."""

    def change(tables: Tables) -> None:
        tables[table] = tables[table].drop(columns=list(columns))

    return change


def optional_columns() -> dict[str, list[str]]:
    """Every column of the contract that a row may lack and the sample has, by table."""
    given = ordinary()
    return {
        name: [
            column.name
            for column in table.columns.values()
            if not column.required and column.name in given[name]
        ]
        for name, table in contract().tables.items()
        if name in given
    }


#: Months of the ordinary company, where they are others than sixteen.
MONTHS_MADE = {"24 months of history": 26}
SHAPES: Mapping[str, Change] = {
    **{f"{months} months of history": last_months(months) for months in (2, 6, 11, 13, 24)},
    **{f"without {name}": without(name) for name in TABLES if name not in LEGAL_WITHOUT},
    **{f"without {' and '.join(names)}": without(*names) for names in PAIRS},
    "one product": one_product,
    "one region": one_region,
    "constant months": constant_months,
    "no returns": no_returns,
    "data end on the 14th": ends_on(f"{MONTH}-14"),
    "data end on the 2nd": ends_on(f"{MONTH}-02"),
    "ledger ends on the 14th": silent(f"{MONTH}-15", f"{MONTH}-31", "ledger"),
    "a month without tickets": silent("2026-05-01", "2026-05-31", "tickets"),
    "two months without postings": silent("2026-05-01", "2026-06-30", "ledger"),
    "several currencies": several_currencies,
    "own currency stated": own_currency,
    "claims, machines and repairs": claims_only,
    "purchases only": purchases_only,
    "tickets only": tickets_only,
    "ledger only": ledger_only,
    "two months, partial": together(last_months(2), ends_on(f"{MONTH}-14")),
    "one month, no ledger": together(last_months(1), without("ledger")),
    "young fleet, one month": together(LEGAL["young fleet"], last_months(1)),
    "young fleet, no ledger": together(LEGAL["young fleet"], without("ledger")),
    "young fleet, no claims": together(LEGAL["young fleet"], without("claims")),
    "no margin, no contracts": together(LEGAL["no margin"], without("contracts")),
    "ledger without tickets, three months": together(LEGAL["ledger without tickets"], last_months(3)),
}
#: Legal companies that the matrix shows too.
SHOWN = (
    "ordinary",
    "one customer",
    "one ticket in all",
    "fleet of one",
    "young fleet",
    "no contracts",
    "no purchases",
    "no ledger",
    "no machines",
    "ledger without tickets",
    "no margin",
    "no revenue",
    "one month of history",
    "three months of history",
    "twelve months of history",
)


# ---------------------------------------------------------------- the page

PAGE = Path(__file__).parents[3] / "docs" / "MATRIX.md"
Row = tuple[str, str, str]


def summary(outcome: Outcome, *, known: Collection[str] = ()) -> Row:
    """What became of a company: in a word, the sections and parts that were not made, and why; ``known`` are those of the ordinary company."""
    if outcome.refused:
        return "refused", "", outcome.refused.partition(": ")[2].partition(". ")[0]
    missing = {f"section {section}": reason for section, reason in outcome.left_out.items()}
    missing |= {part: _reason(sentence) for part, sentence in outcome.not_computed.items()}
    missing = {part: reason for part, reason in missing.items() if part not in known}
    reasons = dict.fromkeys(missing.values())
    return "part refused" if missing else "pack", ", ".join(sorted(missing)), "; ".join(reasons)


def known_parts(rows: Mapping[str, Row], name: str) -> Collection[str]:
    """Parts that the ordinary company lacks as well, as it is too small for them; its own row shows them."""
    return () if name == "ordinary" else rows["ordinary"][1].split(", ")


def _reason(sentence: str) -> str:
    return sentence.removeprefix("Not tested: ").rstrip(".").partition("; ")[2]


def read_page() -> dict[str, Row]:
    """The rows of the page by situation."""
    if not PAGE.is_file():
        return {}
    cells = [
        [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| situation")
    ]
    return {name: (outcome, parts, reasons) for name, outcome, parts, reasons in cells}


def write_page(rows: Mapping[str, Row]) -> None:
    order = [name for name in (*SHOWN, *SHAPES) if name in rows]
    lines = [
        "| " + " | ".join(cell.replace("|", r"\|") for cell in (name, *rows[name])) + " |" for name in order
    ]
    counts = Counter(rows[name][0] for name in order)
    told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))
    PAGE.write_text(HEAD.format(count=len(order), told=told) + "\n".join(lines) + "\n", encoding="utf-8")


def absent_in(tables: Tables, name: str) -> bool:
    """Whether a table (``orders``) or column (``orders.revenue``) that a reason names holds nothing."""
    table, _, column = name.partition(".")
    frame = tables.get(table)
    if frame is None or frame.empty:
        return True
    return bool(column) and (column not in frame or bool(frame[column].isna().all()))


def false_reasons(outcome: Outcome, tables: Tables) -> dict[str, str]:
    """Parts that say what they need although the company has all of it."""
    found = {}
    for part, reason in (outcome.not_computed | outcome.left_out).items():
        needs = re.search(r"\bneeds ((?:[a-z_]+(?:\.[a-z_]+)?(?:, )?)+)\.?$", reason)
        names = [name for name in needs[1].split(", ") if name.split(".")[0] in TABLES] if needs else []
        if names and not any(absent_in(tables, name) for name in names):
            found[part] = reason
    return found


def compare(name: str, outcome: Outcome) -> None:
    """Hold an outcome against its row; a situation that is new has none until ``make matrix`` adds it."""
    page = read_page()
    if name in page:
        row = summary(outcome, known=known_parts(page, name))
        assert row[:2] == page[name][:2], "another outcome than docs/MATRIX.md says: make matrix ALL=1"


HEAD = """# Any shape of history and table

What becomes of the report of a small company (`tests/unit/workbook/legal_companies.py`, `shapes.py`) that lacks months, tables or columns, or has one of a thing only: a `pack` with every part of the
ordinary company, a pack with a `part refused` (the part or section says "not computed" and why), or `refused` by a rule, in words. Never an error. Parts that the ordinary company is too small for are
in its row and in no other. `make matrix` runs the situations that are not here yet and adds their rows; `make matrix ALL=1` runs all of them anew (an hour on two idle cores). The tests of
`test_shapes.py` run each of them, and each optional column absent, and compare.

{count} situations: {told}.

| situation | outcome | not computed | why |
|---|---|---|---|
"""


def run(name: str, folder: Path) -> Outcome:
    """One situation, in a project of its own below ``folder``."""
    tables = ordinary(months=MONTHS_MADE.get(name, 16))
    ({**LEGAL, **SHAPES})[name](tables)
    source = write(tables, folder / "in" / "company")
    return study(source, folder / "run", month=MONTHS.get(name, MONTH))


def _outcome_of(name: str) -> Outcome:
    with tempfile.TemporaryDirectory() as temporary:
        root = own_project(Path(temporary) / "root")
        with mock.patch.dict(os.environ, {"AFTER_SALES_ROOT": str(root)}):
            outcome = run(name, Path(temporary))
    if not outcome.whole:
        raise SystemExit(f"{name}: {outcome.failed or outcome.wrong_facts}")
    return outcome


def main(*, anew: bool) -> None:
    """Run the situations that the page lacks, two at a time, and write the page after each."""
    rows = {} if anew else read_page()
    if "ordinary" not in rows:
        rows["ordinary"] = summary(_outcome_of("ordinary"))
    missing = [name for name in (*SHOWN, *SHAPES) if name not in rows]
    with ProcessPoolExecutor(2) as pool:
        for name, outcome in zip(missing, pool.map(_outcome_of, missing), strict=True):
            rows[name] = summary(outcome, known=known_parts(rows, name))
            write_page(rows)
            print(name, rows[name][0], flush=True)


if __name__ == "__main__":
    main(anew="--all" in sys.argv[1:])
