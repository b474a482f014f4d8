"""SQL whose answer does not depend on the order in which the engine meets the rows.

Several threads add floats in an order that changes from run to run, and with it the last digits of a sum. Whole numbers and
decimals add up exactly in any order, so only floats need care:

- :func:`exact_sum` is the sum to write over the rows of large tables: it adds decimals, in parallel, at about three times the
  cost of a plain sum;
- :func:`steady` is the net below every query: aggregates that depend on order get an order, and so do the rows of the result.
  DuckDB drops an aggregate's order by itself where the type is exact, so only floats pay, by a sort.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# Aggregates whose value depends on the order of rows when their argument is a float, or by their nature (any_value).
_AGGREGATES = (
    "sum|avg|mean|product|fsum|favg|any_value|arbitrary|stddev|stddev_samp|stddev_pop|variance|var_samp|var_pop|"
    "corr|covar_samp|covar_pop|regr_[a-z0-9]+|skewness|kurtosis|entropy"
)
_TOKEN = re.compile(
    rf"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | \b(?P<aggregate>{_AGGREGATES})\s*\( | [()] |
    \b(?P<word>ORDER\s+BY|LIMIT|OFFSET)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_ORDER = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)
_NO_COLUMN = re.compile(r"[\s\d.*]*")
_OVER = re.compile(r"\s*OVER\b", re.IGNORECASE)
_DISTINCT = re.compile(r"\s*DISTINCT\b", re.IGNORECASE)


def exact_sum(expression: str, *, where: str = "") -> str:
    """SQL of a sum of floats that is the same to the last digit in whatever order the rows come.

    Parameters
    ----------
    expression : SQL of the value of a row, a number of any type
    where : SQL condition of the rows that count; all of them when empty

    Returns
    -------
    str
        An SQL expression of type DOUBLE; NULL where no row has a value. Whole units are added apart from fractions, both as
        decimals: sums up to 1e38, fractions to 1e-18.
    """
    rows = f" FILTER (WHERE {where})" if where else ""
    whole = f"sum(CAST(trunc({expression}) AS DECIMAL(38, 0))){rows}"
    fraction = f"sum(CAST(({expression}) - trunc({expression}) AS DECIMAL(38, 18))){rows}"
    return f"(CAST({whole} AS DOUBLE) + CAST({fraction} AS DOUBLE))"


def steady(sql: str, width: Callable[[str], int]) -> str:
    """The same query with an order in every aggregate that depends on one and a total order of its rows.

    Parameters
    ----------
    sql : one SELECT
    width : how many columns a query returns; asked only where the query has an order of its own, which is then completed
        by all columns, so that rows that are equal under it do not change places
    """
    sql = ordered_aggregates(sql)
    order, end = _tail(sql)
    head, tail = sql[:end].rstrip(), sql[end:]
    if order is None:
        return f"{head}\nORDER BY ALL {tail}".rstrip()
    if sql[order:end].split()[2:3] and sql[order:end].split()[2].upper() == "ALL":
        return sql
    places = ", ".join(str(place + 1) for place in range(width(sql)))
    return f"{head}\n, {places} {tail}".rstrip()


def ordered_aggregates(sql: str) -> str:
    """``sum(x)`` becomes ``sum(x ORDER BY x)``; window functions, whose order stands in their window, are left alone."""
    opened: list[tuple[bool, int]] = []
    orders: list[tuple[int, str]] = []
    for found in _tokens(sql):
        token = found.group()
        if token.endswith("("):
            opened.append((found["aggregate"] is not None, found.end()))
        elif token == ")" and opened:
            aggregate, start = opened.pop()
            values = sql[start : found.start()]
            if aggregate and _depends_on_order(values) and not _OVER.match(sql, found.end()):
                orders.append((found.start(), f" ORDER BY {_DISTINCT.sub('', values, count=1).strip()}"))
    for place, order in sorted(orders, reverse=True):
        sql = sql[:place] + order + sql[place:]
    return sql


def _depends_on_order(values: str) -> bool:
    return not _NO_COLUMN.fullmatch(values) and not _ORDER.search(values)


def _tokens(sql: str) -> Iterator[re.Match[str]]:
    """Parentheses, aggregates and clauses outside of text, quoted names and comments."""
    return (found for found in _TOKEN.finditer(sql) if found.group()[0] not in "'\"-")


def _tail(sql: str) -> tuple[int | None, int]:
    """Where the query's own ORDER BY begins, None without one, and where it would end: before LIMIT, or at the end."""
    depth, order, end = 0, None, len(sql)
    for found in _tokens(sql):
        token = found.group()
        if found["word"] and depth == 0:
            if _ORDER.match(token):
                order = found.start()
            else:
                end = min(end, found.start())
        elif token.endswith("("):
            depth += 1
        elif token == ")":
            depth -= 1
    return order, end
