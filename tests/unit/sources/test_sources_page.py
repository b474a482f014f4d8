"""docs/SOURCES.md names every key of a map and every map that ships, and its worked example runs as it is printed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.params import project_root
from analysis.params.places import params_files
from analysis.params.runs import RunParams
from analysis.params.strict import bind, parse_yaml
from analysis.sources import apply_map, load_map
from analysis.sources.maps import Closing, EventLog, KnownFrom, Later, Lookup, MapEntry, Sign
from analysis.sources.moments import LocalTimes
from analysis.sources.reading import Spread
from analysis.tables import load_tables

from .conftest import TABLES, Taken

PAGE = project_root() / "docs" / "SOURCES.md"
KINDS = (MapEntry, EventLog, Lookup, KnownFrom, Later, Sign, Closing, LocalTimes, Spread)


@pytest.fixture
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_key_of_a_map_is_on_the_page(page: str, kind: type):
    keys = {field.name for field in dataclasses.fields(kind)} - {"table"}
    lacking = {key for key in keys if not re.search(rf"`{key}`|\b{key}:", page)}
    assert not lacking


def test_every_map_that_ships_is_on_the_page(page: str):
    assert not {path.stem for path in params_files("sources") if f"`{path.stem}`" not in page}


def example(page: str, start: str) -> str:
    return next(
        block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if block.startswith(start)
    )


def test_the_worked_example_runs_as_it_is_printed(page: str, exports: Path, tmp_path: Path):
    written = tmp_path / "acme.yml"
    written.write_text(example(page, "about: Acme"), encoding="utf-8")
    run = bind(RunParams, parse_yaml(example(page, "company:").encode(), "acme"), "acme")
    (exports / "desk-2026-10.csv").write_text(
        "Number;Customer;Kind;Opened;State;Minutes to first reply;Version\n"
        "T1;K1;Störung;03.10.2026 09:15;erledigt;90;2\nT1;K1;Störung;03.10.2026 09:15;offen;90;1\nT2;?;Lob;25.10.2026 02:30;offen;n/a;1\n",
        encoding="utf-8",
    )
    (exports / "assignments.csv").write_text(
        "Number,Since,Team\nT1,03.10.2026 10:00,East\nT1,04.10.2026 10:00,West\n", encoding="utf-8"
    )
    (exports / "BKPF.csv").write_text("BUKRS,BELNR,GJAHR,BUDAT\n1000,7,2026,31.10.2026\n", encoding="utf-8")
    (exports / "BSEG.csv").write_text(
        "BUKRS;BELNR;GJAHR;BUZEI;HKONT;DMBTR;SHKZG;KOSTL\n1000;7;2026;1;620100;1.234,50;S;S1\n1000;7;2026;2;620100;34,50;H;S1\n1000;7;2026;3;160000;1.200,00;H;\n",
        encoding="utf-8",
    )
    (exports / "S_ALR_87012277.csv").write_text(
        "Reporting periods 10 - 10 2026\nG/L acct;Debit rept.period;Credit report per.\n620100;1.234,50;34,50\n160000;0,00;1.200,00\n",
        encoding="utf-8",
    )
    mapped = apply_map(
        load_map("acme", TABLES, path=written), exports, tmp_path / "mapped", business_zone=run.time_zone
    )
    tables = load_tables(
        tmp_path / "mapped", tmp_path / "store", reporting_currency=run.currency, time_zone=run.time_zone
    )
    taken = Taken(mapped, tables)
    assert taken.rows(
        "tickets", "ticket_id", "customer_id", "ticket_type", "first_response_at", "team", "status"
    ) == [
        ("T1", "K1", "repair", dt.datetime(2026, 10, 3, 8, 45), "West", "closed"),
        ("T2", None, "other", None, None, "open"),
    ]
    assert taken.rows("ledger", "posted_on", "amount") == [
        (dt.date(2026, 10, 31), Decimal("-34.50")),
        (dt.date(2026, 10, 31), Decimal("1234.50")),
    ]
    assert taken.rows("gl_totals", "account", "amount") == [("620100", Decimal("1200.00"))]
