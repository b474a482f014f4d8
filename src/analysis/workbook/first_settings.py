"""Settings of a company's first run, proposed from its exports and tables: whose clock, which money, which month, and what tells it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analysis.metrics import Engine
from analysis.metrics.backend import quoted
from analysis.metrics.views import at
from analysis.metrics.whole_month import daily_tables, rows_end
from analysis.periods import Month
from analysis.sources.amounts import CURRENCY_SIGNS, currency_sign
from analysis.sources.cells import cell_text
from analysis.sources.entries import CURRENCY_CODE, zone_of_language
from analysis.sources.looking import Look
from analysis.tables import TableSet, contract

#: Tables a report stands on, most first: a run needs those that have rows in its month.
STANDS_ON = ("ledger", "tickets", "orders", "claims")
#: A month with less than this share of a usual month's rows is not yet one.
USUAL = 0.2
#: Rows of a file whose money is looked at.
LOOKED_AT = 500
#: What ISO 4217 says for no currency.
NO_CURRENCY = "XXX"
MOST = 0.5
#: Planned work is a part of the work from this share on, and a customer's way of buying is that of nearly all.
A_PART, NEARLY_ALL = 0.25, 0.8
NOTHING_TELLS = "nothing in the data tells another"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A proposed setting and what it was taken from."""

    value: str
    why: str


def proposed_zone(looks: Sequence[Look], stated: Iterable[str]) -> Setting:
    """The zone of the company's clock: the one that a map states, else that of the language of the files, else UTC.

    Parameters
    ----------
    looks : what was seen of the files
    stated : zones in which moments without an offset are meant, one an entry of the map
    """
    zones = Counter(stated)
    if zones:
        return Setting(value=zones.most_common(1)[0][0], why="as the map states local times")
    written = " ".join(text for look in looks for text in (look.file, *look.header, *_first_cells(look)))
    if zone := zone_of_language(written):
        return Setting(value=zone, why="by the language of the files")
    return Setting(value="UTC", why=NOTHING_TELLS)


def proposed_currency(looks: Sequence[Look], time_zone: str) -> Setting:
    """The currency that most amounts are in: by its code in a column or a heading, by its sign, else that of the time zone's country."""
    at_home = currency_of(time_zone)
    codes: Counter[str] = Counter()
    signs: Counter[str] = Counter()
    for look in looks:
        for place, name in enumerate(look.header):
            cells = [cell_text(row[place]) for row in look.rows]
            codes.update(_codes(name, cells))
            signs.update(_signs(cells[:LOOKED_AT], at_home))
    for found, why in ((codes, "by the codes in the files"), (signs, "by the signs beside amounts")):
        if found:
            others = ", ".join(code for code, _ in found.most_common()[1:])
            return Setting(
                value=found.most_common(1)[0][0], why=f"{why}{f'; there are {others} too' if others else ''}"
            )
    if at_home:
        return Setting(value=at_home, why=f"as paid in {time_zone}")
    return Setting(value=NO_CURRENCY, why=NOTHING_TELLS)


def named_currency(look: Look, at_home: str) -> str:
    """The currency that a file itself names, by a code or by signs beside amounts; blank where it names none. A sign of several is that of ``at_home`` where it may be."""
    codes: Counter[str] = Counter()
    signs: Counter[str] = Counter()
    for place, name in enumerate(look.header):
        cells = [cell_text(row[place]) for row in look.rows[:LOOKED_AT]]
        codes.update(_codes(name, cells))
        signs.update(_signs(cells, at_home))
    return next((code for found in (codes, signs) for code, _ in found.most_common(1)), "")


def currency_of(time_zone: str) -> str:
    """The currency of the country in which a time zone lies; blank for a zone of no country."""
    from babel.core import get_global
    from babel.numbers import get_territory_currencies

    territory = get_global("zone_territories").get(time_zone, "001")
    found: list[str] = get_territory_currencies(territory) if len(territory) == 2 else []
    return found[0] if found else ""


def proposed_month(engine: Engine, *, silent_days: float, today: dt.date) -> Setting | None:
    """The last month that is over and whole; None without a row that has a day.

    A last month whose rows end in its middle is not the one to begin with, nor is one that hardly has rows: plans, a wrong year.

    Parameters
    ----------
    engine : over the tables, as known on the last day there is
    silent_days : days without a row that are no end of the rows yet
    today : the clock's
    """
    names = daily_tables(engine)
    if not names:
        return None
    counted = " UNION ALL ".join(
        f"SELECT month, count(*) AS rows FROM {quoted(name)} GROUP BY 1" for name in names
    )
    rows = engine.query(
        f"SELECT month, sum(rows) AS rows FROM ({counted}) AS counted WHERE month IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    months = {
        Month.parse(start): int(count) for start, count in zip(rows["month"], rows["rows"], strict=True)
    }
    over = {month: count for month, count in months.items() if month.last_day < today} or months
    if not over:
        return None
    usual = sorted(over.values())[len(over) // 2]
    month = max(month for month, count in over.items() if count >= USUAL * usual)
    told = ", ".join(names)
    if (day := rows_end(engine, month, limit=silent_days)) is not None and month - 1 in over:
        return Setting(
            value=str(month - 1),
            why=f"{month} ends on {day} in {told}, so the last whole month is the one before",
        )
    return Setting(value=str(month), why=f"the last whole month of {told}")


def proposed_template(engine: Engine) -> Setting:
    """The industry template that a company is likest; blank for none.

    Machines that are read by the hour and mostly worked on as planned: ``heavy``. Machines of businesses under service contracts, with planned
    visits a part of the work: ``hospital``. No machines: ``saas`` by subscriptions, ``ecommerce`` by shops.

    Parameters
    ----------
    engine : over the tables, as known on the last day there is
    """
    tables = engine.tables
    if tables["units"].rows:
        return _with_machines(engine)
    if tables.has("contracts.kind") and _share(engine, "kind = 'subscription'", of=_terms(engine)) >= MOST:
        return Setting(value="saas", why="no machines, and most contracts are subscriptions")
    if any(tables.has(f"orders.{column}") for column in ("shop", "platform")) and tables["orders"].rows:
        return Setting(value="ecommerce", why="no machines, and orders name the shop or platform")
    return Setting(value="", why=NOTHING_TELLS)


def _with_machines(engine: Engine) -> Setting:
    tables = engine.tables
    work = "(SELECT ticket_type FROM service WHERE ticket_type IN ('repair', 'maintenance')) AS work"
    planned = (
        _share(engine, "ticket_type = 'maintenance'", of=work) if tables.has("tickets.ticket_type") else 0
    )
    if planned >= MOST and tables.has("units.usage"):
        return Setting(value="heavy", why="machines are read by the hour, and most work on them is planned")
    if planned >= A_PART and tables.has("customers.customer_type") and tables.has("contracts.customer_id"):
        businesses = _share(engine, "customer_type = 'b2b'", of="customers")
        covered = f"customer_id IN (SELECT customer_id FROM {_terms(engine)})"
        if min(businesses, _share(engine, covered, of="customers")) >= NEARLY_ALL:
            why = "machines of businesses under contract, with planned visits a part of the work"
            return Setting(value="hospital", why=why)
    return Setting(value="", why="it has machines, as the rules that ship expect")


def _terms(engine: Engine) -> str:
    return at("contract_terms", engine.as_of + dt.timedelta(days=1))


def _share(engine: Engine, condition: str, *, of: str) -> float:
    """The share of rows of which a condition holds; 0 without rows."""
    counted = engine.query(f"SELECT avg(CASE WHEN {condition} THEN 1.0 ELSE 0.0 END) AS share FROM {of}")
    return float(counted["share"].fillna(0).iloc[0])


def needed_tables(tables: TableSet, month: Month) -> tuple[str, ...]:
    """Tables without which a run of this month is to be refused: of those that a report stands on, the ones that have rows in it."""
    dated: Mapping[str, bool] = {
        name: month in info.months
        for name, info in tables.tables.items()
        if info.present and contract().tables[name].time is not None
    }
    needed = tuple(name for name in STANDS_ON if dated.get(name))
    return needed or tuple(name for name, has in dated.items() if has)[:1]


def _first_cells(look: Look) -> list[str]:
    return [cell_text(cell) for row in look.rows[:20] for cell in row]


def _codes(name: str, cells: Sequence[str]) -> Counter[str]:
    """Codes of currencies: of a column of nothing else, or in the heading of one with amounts."""
    from babel.core import get_global

    known = get_global("all_currencies")
    words = Counter(cell.upper() if "curr" in name.lower() else cell for cell in cells if cell)
    # ALL and TOP are currencies too; a column of codes has one that amounts are often in
    if all(word in known for word in words) and set(words) & set(CURRENCY_SIGNS):
        return words
    code = CURRENCY_CODE.search(name)
    return Counter({code[1]: sum(words.values())}) if code else Counter()


def _signs(cells: Sequence[str], at_home: str) -> Counter[str]:
    """Currencies by the signs beside amounts; a sign of several is that of the home currency where it may be."""
    found: Counter[str] = Counter()
    for cell in cells:
        sign = currency_sign(cell)
        codes = CURRENCY_SIGNS.get(sign, ()) if sign else ()
        if codes:
            found[at_home if at_home in codes else codes[0]] += 1
    return found
