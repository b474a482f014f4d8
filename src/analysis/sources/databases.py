"""Tables and queries of a company's databases, streamed; the address comes from the environment and goes nowhere else.

PostgreSQL, MySQL and MariaDB, and SQL Server through SQLAlchemy. All queries of one map share a read-only transaction, so that they see
one state of the data where the system can do that. Cursors stay on the server: a table of any size streams in bounded memory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from analysis.errors import HIDDEN, ParameterError, SourceError, without_credentials
from analysis.sources.cells import Cell

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

BATCH_ROWS = 10_000
CONNECT_SECONDS = 15
#: What an address may begin with, the driver behind it, and the extra that brings the driver.
DRIVERS: Mapping[str, tuple[str, str]] = {
    "postgresql": ("postgresql+psycopg", "postgresql"),
    "postgres": ("postgresql+psycopg", "postgresql"),
    "mysql": ("mysql+pymysql", "mysql"),
    "mariadb": ("mariadb+pymysql", "mysql"),
    "mssql": ("mssql+pyodbc", "sqlserver"),
}
_SYSTEM = re.compile(r"information_schema$|performance_schema$|mysql$|sys$|guest$|pg_|db_", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{2,}")
_READING = re.compile(r"\s*(--[^\n]*\n\s*|/\*.*?\*/\s*)*(select|with)\b", re.IGNORECASE | re.DOTALL)


def refuse_variable(
    name: str, place: str, *, key: str = "url_from", example: str = "AFTER_SALES_CRM_URL"
) -> None:
    """Refuse a name that is no environment variable's; an address or a token put there by mistake is not repeated."""
    if not _VARIABLE.fullmatch(name):
        address = key == "url_from" and ("://" in name or "@" in name)
        shown = "an address" if address else f"'{name}'" if key == "url_from" else "hold it"
        raise ParameterError(
            f"{place}: {key} should name an environment variable such as {example}, not {shown}; the {'address' if key == 'url_from' else 'token'} itself stays out of params."
        )


def refuse_writing(query: str, place: str) -> None:
    if not _READING.match(query):
        raise ParameterError(f"{place}: query should begin with SELECT or WITH; a source is only read.")


class Databases:
    """The connections of one reading, one a variable, opened when first needed and closed at its end."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Engine, Connection, tuple[str, ...]]] = {}

    def __enter__(self) -> Databases:
        return self

    def __exit__(self, *_: object) -> None:
        for engine, connection, _secrets in self._open.values():
            with suppress(Exception):
                connection.close()
            engine.dispose()
        self._open.clear()

    @contextmanager
    def rows(
        self, variable: str, name: str, *, query: str = "", table: str = ""
    ) -> Iterator[tuple[list[str], Iterator[list[Cell]]]]:
        """The columns and the rows of a query, or of a table (``table`` or ``schema.table``, quoted as names)."""
        engine, connection, secrets = self._connection(variable, name)
        with _plain_errors(name, secrets):
            statement = query or f"SELECT * FROM {_quoted(engine, table)}"
            result = connection.exec_driver_sql(
                statement,
                execution_options={
                    "stream_results": True,
                    "max_row_buffer": BATCH_ROWS,
                    "no_parameters": True,
                },
            )
        try:
            yield list(result.keys()), _streamed(result, name, secrets)
        finally:
            with suppress(Exception):
                result.close()

    def tables(self, variable: str) -> list[tuple[str, str]]:
        """(schema, name) of every table and view that the address may read, without the system's own."""
        from sqlalchemy import inspect

        _, connection, secrets = self._connection(variable, variable)
        with _plain_errors(variable, secrets):
            found = inspect(connection)
            schemas = [name for name in found.get_schema_names() if not _SYSTEM.match(name)]
            return [
                (schema, name)
                for schema in sorted(schemas)
                for name in sorted({*found.get_table_names(schema), *found.get_view_names(schema)})
            ]

    def first_rows(
        self, variable: str, schema: str, table: str, most: int
    ) -> tuple[list[str], list[list[Cell]]]:
        """The columns and the first rows of a table, in whatever order the database gives them."""
        from sqlalchemy import quoted_name, select, text
        from sqlalchemy import table as named

        _, connection, secrets = self._connection(variable, variable)
        place = named(quoted_name(table, True), schema=quoted_name(schema, True))
        with _plain_errors(f"{schema}.{table}", secrets):
            try:
                result = connection.execute(select(text("*")).select_from(place).limit(most))
                return list(result.keys()), [list(row) for row in result]
            finally:
                connection.rollback()  # a table that may not be read must not close the way to the next

    def _connection(self, variable: str, name: str) -> tuple[Engine, Connection, tuple[str, ...]]:
        if variable not in self._open:
            url, extra = _address(variable, name)
            secrets = _secrets(url, os.environ[variable])
            with _plain_errors(name, secrets, extra=extra):
                engine = _engine(url)
                self._open[variable] = (engine, _read_only(engine), secrets)
        return self._open[variable]


def _address(variable: str, name: str) -> tuple[URL, str]:
    try:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError
    except ImportError:
        raise SourceError(
            f"{name}: reading a database needs SQLAlchemy. Install the project with one of its extras postgresql, mysql or sqlserver."
        ) from None
    given = os.environ.get(variable, "").strip()
    if not given:
        raise SourceError(
            f"{name}: the environment variable {variable} is not set. Set it to the database's address, e.g. postgresql://user:password@host/database."
        )
    url = None
    with suppress(ArgumentError, ValueError):
        url = make_url(given)
    if url is None or url.drivername.partition("+")[0] not in DRIVERS:
        raise SourceError(
            f"{name}: {variable} holds no address of a database that can be read; it should begin with postgresql://, mysql://, mariadb:// or mssql://."
        )
    driver, extra = DRIVERS[url.drivername.partition("+")[0]]
    return url.set(drivername=driver), extra


def _secrets(url: URL, given: str) -> tuple[str, ...]:
    """Texts that must not be repeated, the longest first."""
    from urllib.parse import quote, quote_plus

    texts = {given, url.render_as_string(hide_password=False)}
    for value in (
        str(url.password or ""),
        *(
            str(value)
            for key, value in url.query.items()
            if "pass" in key.lower() or "pwd" in key.lower() or key == "odbc_connect"
        ),
    ):
        texts |= {value, quote(value, safe=""), quote_plus(value)}
    return tuple(sorted((text for text in texts if text), key=len, reverse=True))


def _engine(url: URL) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    kind = url.drivername.partition("+")[0]
    arguments: dict[str, Any] = (
        {"timeout": CONNECT_SECONDS} if kind == "mssql" else {"connect_timeout": CONNECT_SECONDS}
    )
    return create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)


def _read_only(engine: Engine) -> Connection:
    connection = engine.connect()
    kind = engine.dialect.name
    if kind == "postgresql":
        return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    if kind in ("mysql", "mariadb"):
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        connection.rollback()
        return connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def _quoted(engine: Engine, table: str) -> str:
    quote = engine.dialect.identifier_preparer.quote_identifier
    return ".".join(quote(part) for part in table.split(".", 1))


def _streamed(result: Any, name: str, secrets: tuple[str, ...]) -> Iterator[list[Cell]]:
    while True:
        with _plain_errors(name, secrets):
            batch = result.fetchmany(BATCH_ROWS)
        if not batch:
            return
        for row in batch:
            yield list(row)


@contextmanager
def _plain_errors(name: str, secrets: tuple[str, ...], *, extra: str = "") -> Iterator[None]:
    """A database's error as ours, without the address; raised apart from it, so that no traceback carries it either."""
    message = ""
    try:
        yield
    except ImportError:
        system = " and the system's unixODBC with Microsoft's driver" if extra == "sqlserver" else ""
        message = f"{name}: the driver for this database cannot be loaded. Install the project with its extra '{extra}'{system}."
    except Exception as error:
        message = f"{name}: the database refused ({redacted(str(getattr(error, 'orig', None) or error), secrets)}). Check the address, the rights and the query."
    if message:
        raise SourceError(message) from None


def redacted(text: str, secrets: tuple[str, ...]) -> str:
    """The gist of a message without what must not be repeated."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return " ".join(without_credentials(text).split())[:200]
