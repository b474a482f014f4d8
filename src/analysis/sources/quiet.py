"""DuckDB without its own progress bar; ours says what is being done."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def silence(connection: duckdb.DuckDBPyConnection) -> None:
    """No bar in a terminal. In a Jupyter kernel there is none, and asking for none fails where ipywidgets is not installed."""
    import duckdb

    with contextlib.suppress(duckdb.Error):
        connection.execute("SET enable_progress_bar = false")
