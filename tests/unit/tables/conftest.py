"""Small folders of canonical tables, written by hand in the tests that use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analysis.tables import TableSet, load_tables

Load = Callable[..., TableSet]


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    return path


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def load(folder, store) -> Load:
    def run(**options: Any) -> TableSet:
        stated = {
            "reporting_currency": "CNY",
            "time_zone": "Asia/Shanghai",
            "quarantine_limit": 0.5,
        } | options
        return load_tables(folder, stated.pop("store", store), **stated)

    return run


@pytest.fixture
def write(folder) -> Callable[..., Path]:
    """``write("tickets.csv", "ticket_id,…", "T1,…")`` writes a file of lines."""

    def lines(name: str, *lines: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return path

    return lines


@pytest.fixture
def values() -> Callable[..., list[tuple[Any, ...]]]:
    """``values(tables, "tickets", "ticket_id")``: rows of a validated table, as they lie in the store."""

    def select(tables: TableSet, table: str, *columns: str) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            return connection.execute(f"SELECT {', '.join(columns)} FROM {tables.scan(table)}").fetchall()

    return select


@pytest.fixture
def failed() -> Callable[..., dict[str, str]]:
    """Failed checks of a table: id without the leading words, and the English sentence."""

    def of(tables: TableSet, table: str) -> dict[str, str]:
        return {
            check.id.removeprefix(f"tables.{table}."): check.message_en
            for check in tables.checks
            if check.table == table and check.outcome == "failed"
        }

    return of
