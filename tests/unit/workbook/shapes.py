"""Any shape of history and table: companies that lack months, tables or columns, and what became of the report of each.

Beside the legal companies (``legal_companies``): histories of one month to two years, each optional table and each optional column
absent, the pairs that matter, and data that end within the month.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
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


def optional_columns() -> dict[str, Change]:
    """Every column of the contract that a row may lack and the sample has (``orders.revenue``), each absent alone."""
    given = ordinary()
    return {
        f"{name}.{column.name}": absent(name, column.name)
        for name, table in contract().tables.items()
        if name in given
        for column in table.columns.values()
        if not column.required and column.name in given[name]
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
COLUMNS: Mapping[str, Change] = optional_columns()
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


# ---------------------------------------------------------------- what became of each

KEPT = Path(__file__).parents[2] / "golden" / "matrix.json"
PAGE = Path(__file__).parents[3] / "docs" / "MATRIX.md"


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of a company: ``refused`` by a rule, in words, or made but for these parts (``costs.budget``, ``section costs``), each with its reason."""

    refused: str = ""
    missing: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, outcome: Outcome) -> Fate:
        if outcome.refused:
            return cls(refused=outcome.refused.partition(": ")[2].partition(". ")[0])
        missing = {f"section {section}": reason for section, reason in outcome.left_out.items()}
        missing |= {part: _reason(sentence) for part, sentence in outcome.not_computed.items()}
        return cls(missing=dict(sorted(missing.items())))

    def beyond(self, ordinary: Fate) -> Fate:
        """Without the parts that the ordinary company lacks as well, as it is too small for them; its own row shows them."""
        return replace(
            self, missing={part: why for part, why in self.missing.items() if part not in ordinary.missing}
        )


def _reason(sentence: str) -> str:
    return sentence.removeprefix("Not tested: ").rstrip(".").partition("; ")[2]


def read_kept() -> dict[str, Fate]:
    """What became of the situations when ``make matrix`` was last run."""
    if not KEPT.is_file():
        return {}
    return {name: Fate(**entry) for name, entry in json.loads(KEPT.read_text(encoding="utf-8")).items()}


def keep(fates: Mapping[str, Fate]) -> None:
    order = [name for name in (*SHOWN, *SHAPES, *COLUMNS) if name in fates]
    content = {name: asdict(fates[name]) for name in order}
    KEPT.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(fates), encoding="utf-8")


def compare(name: str, outcome: Outcome) -> None:
    """Hold an outcome against what is kept; a situation that is new has none until ``make matrix`` adds it."""
    kept = read_kept().get(name)
    assert kept is None or Fate.of(outcome) == kept, (
        "another outcome than docs/MATRIX.md says: make matrix ALL=1"
    )


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


# ---------------------------------------------------------------- the page

#: Sections as columns of the page, by how the ids of their parts begin.
SECTIONS = ("quality", "costs", "failures", "retention", "value", "executive")


def page(fates: Mapping[str, Fate]) -> str:
    """The page: a row per situation, a cell per section, the reasons numbered below."""
    ordinary = fates["ordinary"]
    shown = {name: fate if name == "ordinary" else fate.beyond(ordinary) for name, fate in fates.items()}
    reasons: dict[str, dict[str, None]] = {}
    for fate in shown.values():
        for part, why in fate.missing.items():
            reasons.setdefault(why, {})[part] = None
    numbers = {why: number for number, why in enumerate(reasons, start=1)}
    situations = [name for name in (*SHOWN, *SHAPES) if name in shown]
    columns = [name for name in COLUMNS if name in shown]
    telling = [name for name in columns if shown[name].refused or shown[name].missing]
    silent = [f"`{name}`" for name in columns if name not in telling]
    return PAGE_TEXT.format(
        count=len(situations),
        told=_told(shown[name] for name in situations),
        head=_line(("situation", *SECTIONS)) + "\n" + _line(["---"] * (len(SECTIONS) + 1)),
        rows="\n".join(_row(name, shown[name], numbers) for name in situations),
        more=_more((*SHOWN, *SHAPES), situations),
        columns=len(columns),
        more_columns=_more(COLUMNS, columns),
        column_told=_told(shown[name] for name in columns) or "none run yet",
        column_rows="\n".join(_row(f"`{name}`", shown[name], numbers) for name in telling),
        silent=", ".join(silent) or "none",
        reasons="\n".join(
            f"{numbers[why]}. {why}: {', '.join(sorted(parts))}" for why, parts in reasons.items()
        ),
    )


def _more(asked: Collection[str], run: Collection[str]) -> str:
    lacking = len(asked) - len(run)
    return f" {lacking} more are not run yet." if lacking else ""


def _told(fates: Iterable[Fate]) -> str:
    counts = Counter("refused" if one.refused else "part refused" if one.missing else "pack" for one in fates)
    return ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))


def _row(name: str, fate: Fate, numbers: Mapping[str, int]) -> str:
    if fate.refused:
        return _line((name, f"refused: {fate.refused}", *[""] * (len(SECTIONS) - 1)))
    return _line((name, *(_cell(section, fate.missing, numbers) for section in SECTIONS)))


def _cell(section: str, missing: Mapping[str, str], numbers: Mapping[str, int]) -> str:
    """``pack``, or how much is refused with the numbers of the reasons."""
    whole = missing.get(f"section {section}")
    if whole is not None:
        return f"refused ({numbers[whole]})"
    own = {part: why for part, why in missing.items() if part.startswith(f"{section}.")}
    listed = ", ".join(map(str, sorted({numbers[why] for why in own.values()})))
    return f"part refused ({listed})" if own else "pack"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


PAGE_TEXT = """# Any shape of history and table

What becomes of the report of a small company (`tests/unit/workbook/legal_companies.py`, `shapes.py`) that lacks months, tables or columns, or has one of a thing only. A cell is a section of the report: a
`pack` with every part of the ordinary company, `part refused` (it says "not computed" and why; the numbers are those of the reasons below), or `refused` as a whole, in words. Never an error. Parts that the
ordinary company is too small for are in its row and in no other. `make matrix` runs the situations that are not here yet; `make matrix ALL=1` runs all of them anew; `COLUMNS=1` the columns too. The slow tests
of `test_shapes.py` run every one of them and compare, the quick ones the likeliest.

## Histories, tables, odd companies

{count} situations: {told}.{more}

{head}
{rows}

## A column absent alone

{columns} optional columns of the contract, each absent by itself: {column_told}.{more_columns}

{head}
{column_rows}

Every part is made without: {silent}.

## Why

{reasons}
"""


def run(name: str, folder: Path, *, drawn: bool = True) -> Outcome:
    """One situation, in a project of its own below ``folder``."""
    tables = ordinary(months=MONTHS_MADE.get(name, 16))
    ({**LEGAL, **SHAPES, **COLUMNS})[name](tables)
    source = write(tables, folder / "in" / "company")
    return study(source, folder / "run", month=MONTHS.get(name, MONTH), drawn=drawn)


def _outcome_of(name: str) -> Outcome:
    with tempfile.TemporaryDirectory() as temporary:
        root = own_project(Path(temporary) / "root")
        with mock.patch.dict(os.environ, {"AFTER_SALES_ROOT": str(root)}):
            outcome = run(name, Path(temporary), drawn=name not in COLUMNS)
    return outcome


def main(*, anew: bool, columns: bool) -> None:
    """Run the situations that are not kept, two at a time, and write the page after each."""
    asked = (*SHOWN, *SHAPES, *(COLUMNS if columns else ()))
    fates = {name: fate for name, fate in read_kept().items() if not (anew and name in asked)}
    if "ordinary" not in fates:
        fates["ordinary"] = Fate.of(_outcome_of("ordinary"))
    lacking = [name for name in asked if name not in fates]
    wrong = {}
    with ProcessPoolExecutor(2) as pool:
        for name, outcome in zip(lacking, pool.map(_outcome_of, lacking), strict=True):
            if not outcome.whole:
                wrong[name] = outcome.failed or outcome.wrong_facts
                continue
            fates[name] = Fate.of(outcome)
            keep(fates)
            print(name, "refused" if outcome.refused else len(fates[name].missing), flush=True)
    keep(fates)
    if wrong:
        raise SystemExit("\n".join(f"{name}: {found}" for name, found in wrong.items()))


if __name__ == "__main__":
    main(anew="--all" in sys.argv[1:], columns="--columns" in sys.argv[1:])
