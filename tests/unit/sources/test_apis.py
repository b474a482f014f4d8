"""Lists and files over HTTP, from a server of our own: every way from page to page, every refusal, and the token in nothing that is kept."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
import logging
import shutil
import ssl
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import ParameterError, SourceError
from analysis.params.strict import bind
from analysis.sources import SourceMap, apis, apply_map, load_map
from analysis.sources.jsonrows import decoded, items_at, value_at
from analysis.sources.maps import _check_extracts, check_entry
from analysis.sources.taking import FOLDER

from .conftest import TABLES

URL, TOKEN = "AFTER_SALES_TEST_URL", "AFTER_SALES_TEST_TOKEN"
SECRET = "s3cr3t-T0ken/with+signs=="
TICKET_COLUMNS = {"ticket_id": "id", "opened_at": "created_at", "customer_id": "requester.id"}
TICKETS = {
    "table": "tickets",
    "file": "tickets.jsonl",
    "columns": TICKET_COLUMNS,
    "constants": {"ticket_type": "repair"},
}


@dataclass
class Reply:
    """What the server says: a status, headers, and a body (JSON where it is no text or bytes)."""

    body: Any = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0

    @property
    def sent(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Server:
    """A server on this machine; ``answers`` says what a request is answered."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: Callable[[Asked], Reply | Any] = lambda asked: Reply(status=404)

    def serve(self, context: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {
                    key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()
                }
                asked = Asked(parts.path, query, {key.lower(): value for key, value in self.headers.items()})
                server.asked.append(asked)
                found = server.answers(asked)
                reply = found if isinstance(found, Reply) else Reply(found)
                self.send_response(reply.status)
                headers = {"Content-Type": "application/json", "Content-Length": str(len(reply.sent))}
                for key, value in (headers | reply.headers).items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(reply.sent[: -reply.cut] if reply.cut else reply.sent)
                self.close_connection = self.close_connection or bool(reply.cut)

            def log_message(self, *_: object) -> None:
                pass

        running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        running.daemon_threads = True
        if context:
            running.socket = context.wrap_socket(running.socket, server_side=True)
        threading.Thread(target=running.serve_forever, daemon=True).start()
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{running.server_address[1]}"
        return running


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv(TOKEN, SECRET)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server()
    running = made.serve()
    monkeypatch.setenv(URL, made.url)
    yield made
    running.shutdown()
    running.server_close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses that would have been made; none is."""
    made: list[float] = []
    monkeypatch.setattr(apis.time, "sleep", made.append)
    return made


def ticket(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "created_at": "2026-10-03T09:15:00Z", "requester": {"id": f"C{number % 7}"}} | more


ALL = [ticket(number) for number in range(1, 251)]


def stated(extract: dict[str, Any], *entries: dict[str, Any], name: str = "tickets.jsonl") -> SourceMap:
    extract = {"url_from": URL, "token_from": TOKEN} | extract
    content = {"about": "x", "name": "x", "extracts": {name: extract}, "tables": list(entries or (TICKETS,))}
    found = bind(SourceMap, content, "test")
    _check_extracts(found, "test")
    for entry in found.tables:
        check_entry(entry, TABLES, "test")
    return found


def taken(tmp_path: Path, extract: dict[str, Any], **options: Any) -> list[str]:
    """The tickets that a list gives, by their numbers; what is written is proved to be what was read."""
    (mapped, *_) = apply_map(stated(extract), tmp_path / "none", tmp_path / "out", **options)
    (written,) = (tmp_path / "out" / "tickets").glob("*.csv")
    lines = written.read_text(encoding="utf-8").splitlines()[1:]
    assert mapped.read == mapped.mapped == len(lines)
    return [line.split(",")[0] for line in lines]


def refusal(tmp_path: Path, extract: dict[str, Any], **options: Any) -> str:
    with pytest.raises(SourceError) as caught:
        apply_map(stated(extract), tmp_path / "none", tmp_path / "out", **options)
    said = "".join(traceback.format_exception(caught.value))
    for secret in spellings():
        assert secret not in said
    return str(caught.value)


def spellings() -> tuple[str, ...]:
    coded = base64.b64encode(SECRET.encode()).decode()
    return SECRET, coded, "s3cr3t-T0ken"


NUMBERS = [str(one["id"]) for one in ALL]


# ---------------------------------------------------------------- every way from page to page


def by_next_link(server: Server) -> Callable[[Asked], Any]:
    """As Zendesk pages by cursor: a link that is there on the last page as well, and a mark that says whether it counts."""

    def answer(asked: Asked) -> Any:
        start, size = int(asked.query.get("page[after]", 0)), int(asked.query["page[size]"])
        link = f"{server.url}/api/v2/tickets.json?page[size]={size}&page[after]={start + size}"
        return {
            "tickets": ALL[start : start + size],
            "meta": {"has_more": start + size < len(ALL), "after_cursor": str(start + size)},
            "links": {"next": link, "prev": None},
        }

    return answer


def by_link_header(server: Server) -> Callable[[Asked], Any]:
    """As Freshdesk, Shopify and ServiceNow: the list alone, the next address in a header, relative or whole, among others."""

    def answer(asked: Asked) -> Any:
        page, size = int(asked.query.get("page", 1)), int(asked.query["per_page"])
        address = f"{server.url if page % 2 else ''}{asked.path}?page={page + 1}&per_page={size}&fields=id,created_at"
        link = f'<{server.url}{asked.path}?page=1>; rel="first", <{address}>; rel="next"'
        headers = {"Link": link} if page * size < len(ALL) else {}
        return Reply(ALL[(page - 1) * size : page * size], headers=headers | {"X-Total-Count": str(len(ALL))})

    return answer


def by_cursor(asked: Asked) -> Any:
    """As HubSpot: no paging at all on the last page."""
    start, size = int(asked.query.get("after", 0)), int(asked.query["limit"])
    paging = (
        {"paging": {"next": {"after": str(start + size), "link": "?"}}} if start + size < len(ALL) else {}
    )
    return {"results": ALL[start : start + size]} | paging


def by_number(asked: Asked) -> Any:
    page, size = int(asked.query["page"]), int(asked.query["per_page"])
    return {"data": {"items": ALL[(page - 1) * size : page * size]}, "meta": {"total": str(len(ALL))}}


def by_offset(asked: Asked) -> Any:
    """As Jira: where it starts, how many it gave at most, and how many there are."""
    start, size = int(asked.query["startAt"]), int(asked.query["maxResults"])
    return {"startAt": start, "maxResults": size, "total": len(ALL), "issues": ALL[start : start + size]}


NEXT_LINK = {"rows": "tickets", "pages": {"by": "next_link", "at": "links.next", "more": "meta.has_more", "size": 100, "size_as": "page[size]"}}  # fmt: skip
LINK_HEADER = {"pages": {"by": "link_header", "size": 100, "size_as": "per_page"}, "total_header": "X-Total-Count"}  # fmt: skip
CURSOR = {"rows": "results", "pages": {"by": "cursor", "at": "paging.next.after", "sent_as": "after", "size": 100, "size_as": "limit"}}  # fmt: skip
PAGE = {"rows": "data.items", "total": "meta.total", "pages": {"by": "page", "sent_as": "page", "size": 100, "size_as": "per_page"}}  # fmt: skip
OFFSET = {"rows": "issues", "total": "total", "pages": {"by": "offset", "sent_as": "startAt", "size": 100, "size_as": "maxResults"}}  # fmt: skip


@pytest.mark.parametrize(
    ("extract", "answers", "asked"),
    [
        (NEXT_LINK, by_next_link, 3),
        (LINK_HEADER, by_link_header, 3),
        (CURSOR, lambda _: by_cursor, 3),
        (PAGE, lambda _: by_number, 3),
        ({**PAGE, "total": ""}, lambda _: by_number, 4),
        (OFFSET, lambda _: by_offset, 3),
        ({**OFFSET, "total": ""}, lambda _: by_offset, 4),
    ],
)
def test_every_way_from_page_to_page_gives_every_row_once(
    server: Server, tmp_path: Path, extract: dict[str, Any], answers: Any, asked: int
):
    server.answers = answers(server)
    found = taken(tmp_path, extract | {"path": "/api/v2/tickets.json", "query": {"sort": "a b&c"}})
    assert found == NUMBERS
    assert len(server.asked) == asked
    assert server.asked[0].path == "/api/v2/tickets.json"
    assert server.asked[0].query["sort"] == "a b&c"


def test_a_last_page_that_is_full_ends_the_list_as_well(server: Server, tmp_path: Path):
    server.answers = by_cursor
    pages = CURSOR["pages"] | {"size": 125}
    assert taken(tmp_path, CURSOR | {"pages": pages}) == NUMBERS


def test_an_offset_without_a_size_goes_on_by_what_came(server: Server, tmp_path: Path):
    def answer(asked: Asked) -> Any:
        start = int(asked.query["start"])
        return ALL[start : start + (60 if start < 100 else 40)]

    server.answers = answer
    assert taken(tmp_path, {"pages": {"by": "offset", "sent_as": "start"}}) == NUMBERS


def test_a_list_may_end_by_a_mark_on_its_last_page(server: Server, tmp_path: Path):
    """As an incremental export: an address that is always there, and an end that is said."""

    def answer(asked: Asked) -> Any:
        start = int(asked.query.get("cursor", 0))
        rest = ALL[start : start + 90]
        return {"rows": rest, "after_url": f"/x?cursor={start + 90}", "end_of_stream": start + 90 >= len(ALL)}

    server.answers = answer
    pages = {"by": "next_link", "at": "after_url", "last": "end_of_stream"}
    assert taken(tmp_path, {"path": "x", "rows": "rows", "pages": pages}) == NUMBERS


def test_places_may_have_dots_in_their_names(server: Server, tmp_path: Path):
    """As OData: ``@odata.nextLink``, ``d.results``."""

    def answer(asked: Asked) -> Any:
        start = int(asked.query.get("$skiptoken", 0))
        more = {"@odata.nextLink": f"/odata?$skiptoken={start + 200}"} if start + 200 < len(ALL) else {}
        return {"@odata.count": 250, "d": {"results": ALL[start : start + 200]}} | more

    server.answers = answer
    extract = {"path": "odata", "rows": "d.results", "total": "@odata.count", "pages": {"by": "next_link", "at": "@odata.nextLink"}}  # fmt: skip
    assert taken(tmp_path, extract) == NUMBERS


def test_numbers_keep_the_digits_they_are_written_with(server: Server, tmp_path: Path):
    """Money goes through no binary fraction, in a body that is written over many lines and begins with a byte-order mark."""
    server.answers = lambda _: "\ufeff" + """{
        "next": null, "items": [
          {"id": 12345678901234567890, "day": "2026-10-03",
           "net": 12345678901234.56, "note": "a \\"]}[{\\u4f60 \\\\"},
          {"id": 2, "day": "2026-10-04", "net": 0.10, "tags": [{"a": [1]}]}],
        "after": {"items": [{"id": 99}]}}"""  # fmt: skip
    entry = {
        "table": "ledger",
        "file": "postings.jsonl",
        "columns": {"posting_id": "id", "posted_on": "day", "amount": "net"},
    }
    source_map = stated({"rows": "items", "pages": {"by": "one_page"}}, entry, name="postings.jsonl")
    apply_map(source_map, tmp_path / "none", tmp_path / "out")
    (written,) = (tmp_path / "out" / "ledger").glob("*.csv")
    assert written.read_text(encoding="utf-8").splitlines() == [
        "posting_id,posted_on,amount",
        "12345678901234567890,2026-10-03,12345678901234.56",
        "2,2026-10-04,0.10",
    ]


@pytest.mark.parametrize(
    ("token_as", "header", "sent"),
    [
        ("bearer", "authorization", f"Bearer {SECRET}"),
        (
            "basic",
            "authorization",
            "Basic " + base64.b64encode(f"agent@example.com/token:{SECRET}".encode()).decode(),
        ),
        ("X-Shopify-Access-Token", "x-shopify-access-token", SECRET),
    ],
)
def test_the_token_is_sent_as_stated(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token_as: str, header: str, sent: str
):
    if token_as == "basic":
        monkeypatch.setenv(TOKEN, f"agent@example.com/token:{SECRET}")
    server.answers = by_offset
    taken(tmp_path, OFFSET | {"token_as": token_as})
    assert {asked.headers[header] for asked in server.asked} == {sent}


def test_a_lookup_and_a_log_may_be_lists_of_their_own(server: Server, tmp_path: Path):
    """Users tell the team; two entries read one list, which is asked for once."""
    users = [{"id": f"C{number}", "team": {"name": f"Team {number}"}} for number in range(7)]
    server.answers = lambda asked: {"users": users} if asked.path == "/users" else by_offset(asked)
    content = {
        "about": "x",
        "name": "x",
        "extracts": {
            "tickets.jsonl": {"url_from": URL, "path": "/tickets"} | OFFSET,
            "users.jsonl": {"url_from": URL, "path": "/users", "rows": "users", "pages": {"by": "one_page"}},
        },
        "tables": [
            TICKETS
            | {"lookups": {"team": {"file": "users.jsonl", "by": "requester.id", "key": "id", "take": "team.name"}}},
            {"table": "customers", "file": "tickets.jsonl", "columns": {"customer_id": "requester.id"}, "first_of": ["customer_id"]},
        ],
    }  # fmt: skip
    mapped = apply_map(bind(SourceMap, content, "test"), tmp_path / "none", tmp_path / "out")
    assert [(one.table, one.read, one.mapped) for one in mapped] == [
        ("tickets", 250, 250),
        ("customers", 250, 7),
    ]
    assert [asked.path for asked in server.asked] == ["/tickets"] * 3 + ["/users"]
    rows = next((tmp_path / "out" / "tickets").glob("*.csv")).read_text().splitlines()
    assert rows[1].endswith("Team 1,repair")


def test_an_empty_list_may_be_absent_or_is_refused(server: Server, tmp_path: Path):
    server.answers = lambda _: {"total": 0, "issues": []}
    assert "nothing was fetched: the list has no rows" in refusal(tmp_path, OFFSET)
    source_map = stated(OFFSET, TICKETS | {"may_be_absent": True})
    (mapped,) = apply_map(source_map, tmp_path / "none", tmp_path / "out")
    assert (mapped.read, mapped.notes[0].kind) == (0, "no such file; made without it")


def test_a_report_takes_its_extract_once(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    server.answers = by_offset
    source_map = stated(OFFSET)
    first = apply_map(source_map, tmp_path / "none", tmp_path / "out")
    asked = len(server.asked)
    monkeypatch.delenv(URL)
    monkeypatch.delenv(TOKEN)
    assert apply_map(source_map, tmp_path / "none", tmp_path / "out", reuse_queries=True) == first
    assert len(server.asked) == asked
    with pytest.raises(SourceError, match=f"the environment variable {URL} is not set"):
        apply_map(source_map, tmp_path / "none", tmp_path / "out")
    monkeypatch.setenv(URL, server.url)
    with pytest.raises(SourceError, match=f"the environment variable {TOKEN} is not set"):
        apply_map(source_map, tmp_path / "none", tmp_path / "out")
    monkeypatch.setenv(TOKEN, SECRET)
    (tmp_path / "out" / FOLDER / "tickets.jsonl").write_text('{"id": 1}\n')  # changed by hand: taken anew
    assert apply_map(source_map, tmp_path / "none", tmp_path / "out", reuse_queries=True) == first
    assert len(server.asked) == 2 * asked


def test_what_no_map_fetches_any_more_goes(server: Server, tmp_path: Path):
    server.answers = by_offset
    apply_map(stated(OFFSET), tmp_path / "none", tmp_path / "out")
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "desk.csv").write_text("id,created_at\n1,2026-10-03T09:15:00Z\n")
    plain = {"about": "x", "name": "x", "tables": [TICKETS | {"file": "desk.csv", "columns": {"ticket_id": "id", "opened_at": "created_at"}}]}  # fmt: skip
    apply_map(bind(SourceMap, plain, "test"), tmp_path / "exports", tmp_path / "out")
    assert not (tmp_path / "out" / FOLDER).exists()


def test_a_file_of_the_folder_by_the_name_of_an_extract_is_refused(server: Server, tmp_path: Path):
    server.answers = by_offset
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "tickets.jsonl").write_text("{}\n")
    assert "lies in the folder, and the map fetches a file of that name" in refusal(tmp_path, OFFSET)


def test_rows_are_counted_by_two_rules(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(apis, "items_at", lambda text, place: items_at(text, place)[:-1])
    server.answers = by_offset
    assert "page 1: 100 rows are in the list, 99 were read. Nothing was used" in refusal(tmp_path, OFFSET)


NAMES = st.text(alphabet='ab."\\{[ ,:é', max_size=4)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(
    before=st.dictionaries(NAMES, ANYTHING, max_size=3),
    rows=st.lists(ANYTHING, max_size=5),
    path=st.lists(st.sampled_from(["rows", "d", "@o.x"]), max_size=3),
    indent=st.sampled_from([None, 2]),
)
def test_the_items_of_any_list_are_found_as_they_are_written(
    before: dict[str, Any], rows: list[Any], path: list[str], indent: int | None
):
    answer: Any = rows
    for name in reversed(path):
        answer = before | {name: answer}
    text, place = json.dumps(answer, indent=indent), ".".join(path)
    found = items_at(text, place)
    assert found is not None
    assert [json.loads(item) for item in found] == value_at(decoded(text), place) == rows
    assert not any("\n" in item or "\r" in item for item in found)


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_system_that_asks_to_wait_is_waited_for(
    server: Server, tmp_path: Path, pauses: list[float], status: int
):
    until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=40)
    waits = iter(["7", format_datetime(until, usegmt=True), "", None])

    def answer(asked: Asked) -> Any:
        wait = next(waits, None) if len(server.asked) in (2, 3, 4) else None
        return by_offset(asked) if wait is None else Reply("busy", status=status, headers={"Retry-After": wait} if wait else {})  # fmt: skip

    server.answers = answer
    assert taken(tmp_path, OFFSET) == NUMBERS
    assert pauses[0] == 7
    assert 35 < pauses[1] <= 40
    assert pauses[2:] == [4.0]


def test_patience_ends(server: Server, tmp_path: Path, pauses: list[float]):
    server.answers = lambda _: Reply(status=503)
    assert "page 1: the system failed (503), 6 times one after the other" in refusal(tmp_path, OFFSET)
    assert pauses == [1, 2, 4, 8, 16]
    server.answers = lambda _: Reply(status=429, headers={"Retry-After": "3600"})
    assert "page 1: the system asks to wait 3,600 seconds (too many requests (429))" in refusal(
        tmp_path, OFFSET
    )


def test_an_answer_that_breaks_off_is_asked_for_again_and_then_refused(
    server: Server, tmp_path: Path, pauses: list[float]
):
    server.answers = lambda asked: Reply(by_offset(asked), cut=40 if len(server.asked) == 2 else 0)
    assert taken(tmp_path, OFFSET) == NUMBERS
    server.answers = lambda asked: Reply(by_offset(asked), cut=40)
    assert "the answer broke off or was damaged, 6 times" in refusal(tmp_path, OFFSET)


def test_a_packed_answer_is_unpacked_and_a_damaged_one_is_not_used(
    server: Server, tmp_path: Path, pauses: list[float]
):
    def packed(asked: Asked, end: int | None = None) -> Reply:
        return Reply(gzip.compress(json.dumps(by_offset(asked)).encode())[:end], headers={"Content-Encoding": "gzip"})  # fmt: skip

    server.answers = packed
    assert taken(tmp_path, OFFSET) == NUMBERS
    server.answers = lambda asked: packed(asked, -30)
    assert "page 1" in refusal(tmp_path, OFFSET)


def test_a_system_that_is_silent_or_not_there_is_refused(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
):
    monkeypatch.setattr(apis, "READ_SECONDS", 0.05)
    monkeypatch.setattr(apis, "TRIES", 2)
    release = threading.Event()
    server.answers = lambda _: (release.wait(5), Reply([]))[1]
    assert "page 1: no answer in time, 2 times" in refusal(tmp_path, OFFSET)
    release.set()
    monkeypatch.setenv(URL, "http://127.0.0.1:1")
    assert "page 1: the system cannot be reached, 2 times" in refusal(tmp_path, OFFSET)


def test_sizes_are_bounded(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    long = [ticket(number, text="x" * 10_000) for number in range(250)]
    server.answers = lambda asked: {"total": 250, "issues": long[int(asked.query["startAt"]) :][:100]}
    assert "more than the 1 MB a source file may have" in refusal(tmp_path, OFFSET, size_limit_mb=1)
    monkeypatch.setattr(apis, "PAGE_MB", 0)
    assert "more than the 0 MB" in refusal(tmp_path, OFFSET)
    monkeypatch.setattr(apis, "MOST_PAGES", 2)
    monkeypatch.setattr(apis, "PAGE_MB", 10)
    assert "page 3 is more than the 2 pages" in refusal(tmp_path, OFFSET)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(status=401), f"page 1: the token was refused. Check that {TOKEN} holds a valid one and that token_as (bearer)"),
        (Reply(status=403), "page 1: the token may not read this. Ask for the right to read it"),
        (Reply(status=404), "page 1: nothing is there. Check the address and path"),
        (Reply(status=204), "page 1: an answer without content"),
        (Reply({"errors": "limit is 50"}, status=400), "page 1: the request was refused ({\"errors\": \"limit is 50\"})"),
        (Reply(f"no {SECRET}", status=422, headers={"Content-Type": "text/plain"}), "page 1: the request was refused. Check path"),
        (Reply({"error": f"unknown key {SECRET}", "at": "?after=CURSORSECRET"}, status=400), "unknown key •••"),
        (Reply("<!DOCTYPE html><p>Sign in", headers={"Content-Type": "text/html"}), "page 1 is a web page where JSON is expected"),
        (Reply("\n <html>Sign in"), "page 1 is a web page where JSON is expected"),
        (Reply('{"issues": [{"id": 1}, {"id"'), "page 1 is no whole JSON"),
        (Reply(f"sorry, {SECRET}"), "page 1 is no whole JSON ('sorry, •••')"),
        (Reply('{"total": 1, "issues": [{"id": 1, "id": 2}]}'), "page 1 has the key 'id' twice"),
        (Reply('{"total": 1, "issues": [{"id": NaN}]}'), "page 1 holds NaN"),
        (Reply("{\"issues\": \"\u00e4\"}".encode("latin-1")), "page 1 is not in UTF-8"),
        (Reply({"error": "x", "issue": []}), "page 1 holds no list at 'issues'. Did you mean 'issue'? It has: error, issue (a list)"),
        (Reply({"issues": {"1": {}}, "total": 1}), "page 1 holds no list at 'issues'. Did you mean 'issues'?"),
        (Reply([]), "page 1 holds no list at 'issues', but something else"),
        (Reply({"issues": [ticket(1)]}), "page 1: 'total' should be the number of all rows, and is none"),
        (Reply({"issues": [ticket(1)], "total": True}), "page 1: 'total' should be the number of all rows, and is none"),
        (Reply({"issues": [1], "total": 1}), "is JSON, but no object with keys"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_rows_is_refused_with_what_to_do(
    server: Server, tmp_path: Path, pauses: list[float], reply: Reply, message: str
):
    server.answers = lambda _: reply
    said = refusal(tmp_path, OFFSET | {"query": {"after": "CURSORSECRET"}})
    assert message in said
    assert "CURSORSECRET" not in said
    assert server.url not in said


def test_without_a_token_a_refused_list_asks_for_one(server: Server, tmp_path: Path):
    server.answers = lambda _: Reply(status=401)
    assert "a token is wanted. State token_from" in refusal(tmp_path, OFFSET | {"token_from": ""})


def test_the_end_passed_by_number_is_explained(server: Server, tmp_path: Path):
    server.answers = lambda asked: (
        by_offset(asked) if int(asked.query["startAt"]) < 250 else Reply(status=404)
    )
    assert "page 4: nothing is there" in refusal(tmp_path, {**OFFSET, "total": ""})


def test_a_cursor_that_leads_back_is_refused(server: Server, tmp_path: Path):
    order = {"": "a", "a": "b", "b": "a"}
    server.answers = lambda asked: {
        "results": [ticket(len(server.asked))],
        "paging": {"next": {"after": order[asked.query.get("after", "")]}},
    }
    assert "page 3 leads back to a page that was read before" in refusal(tmp_path, CURSOR)


@pytest.mark.parametrize("extract", [CURSOR, PAGE, OFFSET | {"total": ""}])
def test_a_page_that_comes_again_under_another_address_is_refused(
    server: Server, tmp_path: Path, extract: dict[str, Any]
):
    """A parameter that the system does not know is passed over, and the first page comes for ever."""
    server.answers = lambda _: {
        "results": ALL[:100],
        "issues": ALL[:100],
        "data": {"items": ALL[:100]},
        "meta": {"total": 250},
        "paging": {"next": {"after": len(server.asked)}},
    }
    assert "page 2 has the same 100 rows as page 1" in refusal(tmp_path, extract)


def test_a_list_that_changes_its_total_is_refused(server: Server, tmp_path: Path):
    server.answers = lambda asked: by_offset(asked) | {"total": 250 if len(server.asked) < 2 else 251}
    assert "page 2: the system counts 251 rows, and 250 before: the list changed while it was read" in refusal(tmp_path, OFFSET)  # fmt: skip


@pytest.mark.parametrize("total", [249, 251, 0])
def test_a_total_must_hold(server: Server, tmp_path: Path, total: int):
    def answer(asked: Asked) -> Any:
        reply = by_link_header(server)(asked)
        reply.headers["X-Total-Count"] = str(total)
        return reply

    server.answers = answer
    assert f"the system counts {total:,} rows, 250 came on 3 pages" in refusal(tmp_path, LINK_HEADER)


def test_a_link_looked_for_in_the_wrong_place_does_not_end_the_list(server: Server, tmp_path: Path):
    """The first page would be all there is, and the report would be of it."""
    server.answers = by_cursor
    pages = CURSOR["pages"] | {"at": "paging.next.afterwards"}
    assert "page 1 is full (100 rows) and does not say where the next one is" in refusal(tmp_path, CURSOR | {"pages": pages})  # fmt: skip
    server.answers = by_next_link(server)
    pages = NEXT_LINK["pages"] | {"at": "next_page"}
    assert "page 1 says that more follow, and does not say where" in refusal(tmp_path, NEXT_LINK | {"pages": pages})  # fmt: skip
    server.answers = by_link_header(server)
    assert "page 1 is not the only one" in refusal(tmp_path, {"pages": {"by": "one_page"}, "query": {"per_page": "100"}})  # fmt: skip


def test_a_system_that_gives_fewer_rows_than_asked_for_is_found_out(server: Server, tmp_path: Path):
    """Rows 50 to 99 would be passed over."""
    server.answers = lambda asked: {"issues": ALL[int(asked.query["startAt"]) :][:50]}
    assert "page 2 has rows, though the page before had only 50 of the 100 asked for" in refusal(tmp_path, {**OFFSET, "total": ""})  # fmt: skip
    server.answers = lambda asked: {"issues": ALL[int(asked.query["startAt"]) :][:150]}
    assert "page 1 has 150 rows where 100 were asked for: 'maxResults' is not heeded" in refusal(tmp_path, {**OFFSET, "total": ""})  # fmt: skip


def test_marks_that_are_none_are_refused(server: Server, tmp_path: Path):
    server.answers = lambda _: {"tickets": [ticket(1)], "meta": {"has_more": "yes"}}
    assert "page 1 has neither true nor false at 'meta.has_more'" in refusal(tmp_path, NEXT_LINK)
    server.answers = lambda _: {
        "tickets": [ticket(1)],
        "meta": {"has_more": True},
        "links": {"next": {"href": "x"}},
    }
    assert "page 1 has no link at 'links.next', but something else" in refusal(tmp_path, NEXT_LINK)
    server.answers = lambda _: {"issues": [], "more": True}
    pages = OFFSET["pages"] | {"more": "more"}
    assert "page 1 is empty, and says that more follow" in refusal(
        tmp_path, {"rows": "issues", "pages": pages}
    )


def test_rows_that_stand_on_two_pages_are_said(server: Server, tmp_path: Path):
    """A row that came while the list was read pushes the last of a page to the next."""
    server.answers = lambda asked: {
        "issues": ALL[: int(asked.query["startAt"]) + 100][max(int(asked.query["startAt"]) - 2, 0) :][:100]
        if int(asked.query["startAt"]) < 300
        else []
    }
    (_, moved) = apply_map(stated({**OFFSET, "total": ""}), tmp_path / "none", tmp_path / "out")[:2]
    assert [str(note) for note in moved.notes] == [
        "rows that stood on two pages, so the list moved while it was read and may lack others (2)"
    ]


@pytest.mark.parametrize(
    ("rows", "total", "said"), [(100, "", True), (100, "total", False), (99, "", False), (30, "", True)]
)
def test_a_single_page_with_as_many_rows_as_pages_have_is_said(
    server: Server, tmp_path: Path, rows: int, total: str, said: bool
):
    server.answers = lambda _: {"total": rows, "issues": ALL[:rows]}
    source_map = stated({"rows": "issues", "total": total, "pages": {"by": "one_page"}})
    _, *remarks = apply_map(source_map, tmp_path / "none", tmp_path / "out")
    notes = [str(note) for one in remarks for note in one.notes]
    assert notes == ([f"rows, a number at which systems cut exports ({rows})"] if said else [])


# ---------------------------------------------------------------- where the token goes, and where not


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    made = Server(answers=lambda _: {"issues": ALL, "total": 250})
    running = made.serve()
    yield made
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_token_elsewhere(
    server: Server, elsewhere: Server, tmp_path: Path, status: int
):
    server.answers = lambda _: Reply(
        status=status, headers={"Location": f"{elsewhere.url}/login?key={SECRET}"}
    )
    assert "page 1 is redirected to another port or scheme, and the token does not follow there" in refusal(tmp_path, OFFSET)  # fmt: skip
    server.answers = lambda _: Reply(
        status=status, headers={"Location": "https://login.example.invalid/?x=SECRETS"}
    )
    said = refusal(tmp_path, OFFSET)
    assert "redirected to another host (login.example.invalid)" in said
    assert "SECRETS" not in said
    assert not elsewhere.asked


def test_a_redirect_within_the_host_is_followed_and_one_in_a_circle_is_not(server: Server, tmp_path: Path):
    def answer(asked: Asked) -> Any:
        if asked.path == "/tickets":
            query = "&".join(f"{key}={value}" for key, value in asked.query.items())
            return Reply(status=308, headers={"Location": f"/tickets/?{query}"})
        return by_offset(asked)

    server.answers = answer
    assert taken(tmp_path, OFFSET | {"path": "tickets"}) == NUMBERS
    server.answers = lambda asked: Reply(status=302, headers={"Location": asked.path})
    assert "page 1 is redirected again and again" in refusal(tmp_path, OFFSET)


@pytest.mark.parametrize("form", ["header", "body"])
def test_no_link_to_the_next_page_takes_the_token_elsewhere(
    server: Server, elsewhere: Server, tmp_path: Path, form: str
):
    link = f"{elsewhere.url}/next?key=SIGNED"
    server.answers = lambda _: Reply({"tickets": ALL[:100], "meta": {"has_more": True}, "links": {"next": link}}, headers={"Link": f'<{link}>; rel="next"'})  # fmt: skip
    extract = NEXT_LINK if form == "body" else {"rows": "tickets", "pages": LINK_HEADER["pages"]}
    said = refusal(tmp_path, extract)
    assert (
        "page 1 links to another place (http://127.0.0.1) for the next page, and the token does not go there"
        in said
    )
    assert "SIGNED" not in said
    assert not elsewhere.asked


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://crm.example.com", "begins with http://, so token and rows would travel unencrypted"),
        ("https://reader:hunter22@crm.example.com", "holds a user or a password"),
        ("https://hunter22@crm.example.com", "holds a user or a password"),
        ("https://crm.example.com/x?key=hunter22", "should end before '?'"),
        ("crm.example.com/hunter22", "holds no address that can be read"),
        ("postgresql://crm.example.com/hunter22", "holds no address that can be read"),
        ("file:///hunter22", "holds no address that can be read"),
        ("https://[hunter22", "holds no address that can be read"),
        ("https://x:hunter22/", "holds no address that can be read"),
        ("s3://bucket/hunter22", "is an object store's, which gives files and no lists"),
    ],
)
def test_addresses_that_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, message: str):
    monkeypatch.setenv(URL, url)
    said = refusal(tmp_path, OFFSET)
    assert f"tickets.jsonl: {URL} {message}" in said
    assert "hunter22" not in said


def test_plain_http_may_be_stated(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]):  # fmt: skip
    monkeypatch.setenv(URL, "http://crm.example.invalid")
    monkeypatch.setattr(apis, "TRIES", 1)
    assert "cannot be reached" in refusal(tmp_path, OFFSET | {"plain_http": True})


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "is not set"),
        ("line\nbreak-hunter22", "holds a character that no token has"),
        ("ключ-hunter22", "holds a character that no token has"),
    ],
)
def test_tokens_that_are_refused(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str, message: str
):
    monkeypatch.setenv(TOKEN, token)
    said = refusal(tmp_path, OFFSET)
    assert f"{TOKEN} {message}" in said
    assert "hunter22" not in said
    assert not server.asked
    monkeypatch.setenv(TOKEN, "hunter22")
    assert f"{TOKEN} should hold user:password" in refusal(tmp_path, OFFSET | {"token_as": "basic"})


def test_a_certificate_that_is_not_trusted_is_refused_and_a_stated_authority_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = Server(answers=by_offset)
    running = server.serve(context)
    monkeypatch.setenv(URL, server.url)
    assert "page 1 cannot be asked for: the system's certificate is not trusted" in refusal(tmp_path, OFFSET)
    assert not server.asked
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert taken(tmp_path, OFFSET) == NUMBERS
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("fails", [False, True])
def test_token_and_cursors_are_in_no_file_no_log_and_no_output(
    server: Server,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    pauses: list[float],
    fails: bool,
):
    def answer(asked: Asked) -> Any:
        if fails and len(server.asked) == 3:
            return Reply({"error": f"{SECRET} {asked.headers['authorization']} {asked.query}"}, status=400)
        found = by_cursor(Asked("", {"limit": "100", "after": asked.query.get("after", "CURSOR-0")[7:]}, {}))
        if "paging" in found:
            found["paging"]["next"]["after"] = f"CURSOR-{found['paging']['next']['after']}"
        return found

    caplog.set_level(logging.DEBUG)
    server.answers = answer
    if fails:
        said = refusal(tmp_path, CURSOR)
        assert "page 3: the request was refused" in said
    else:
        said = repr(apply_map(stated(CURSOR), tmp_path / "none", tmp_path / "out"))
    assert server.asked[-1].query["after"] == "CURSOR-200"
    kept = "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file())
    assert fails or '"id": 250' in kept
    written = said + kept + caplog.text + "".join(capfd.readouterr())
    for secret in (*spellings(), "CURSOR-", server.url):
        assert secret not in written


# ---------------------------------------------------------------- files


def test_a_file_is_fetched_whole_and_read_like_any_other(server: Server, tmp_path: Path):
    export = "id,created_at,requester.id\n" + "".join(f"{n},2026-10-03T09:15:00Z,C1\n" for n in range(500))
    server.answers = lambda asked: Reply(export, headers={"Content-Type": "text/csv"})
    source_map = stated({"path": "export", "query": {"month": "2026-10"}}, TICKETS | {"file": "desk.csv"}, name="desk.csv")  # fmt: skip
    (mapped,) = apply_map(source_map, tmp_path / "none", tmp_path / "out")
    assert (mapped.file, mapped.read) == ("desk.csv", 500)
    assert (server.asked[0].path, server.asked[0].query) == ("/export", {"month": "2026-10"})
    assert server.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert (tmp_path / "out" / FOLDER / "desk.csv").read_text() == export


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply("id,created_at\n" * 99, cut=40), "the file: the answer broke off or was damaged, 6 times"),
        (Reply("<!doctype html><p>Sign in"), "a web page came where a file is expected"),
        (Reply("x" * 2_000_000), "more than the 1 MB a source file may have"),
        (Reply(status=403), "the file: the token may not read this"),
    ],
)
def test_a_file_that_is_not_whole_or_none_is_refused(
    server: Server, tmp_path: Path, pauses: list[float], reply: Reply, message: str
):
    server.answers = lambda _: reply
    source_map = stated({}, TICKETS | {"file": "desk.csv"}, name="desk.csv")
    with pytest.raises(SourceError, match="desk.csv") as caught:
        apply_map(source_map, tmp_path / "none", tmp_path / "out", size_limit_mb=1)
    assert message in str(caught.value)
    assert not (tmp_path / "out" / FOLDER / "desk.csv").exists()


# ---------------------------------------------------------------- what a map may state


@pytest.mark.parametrize(
    ("extract", "message"),
    [
        ({"url": "https://a.example.com"}, "state one of url and url_from"),
        ({"url_from": ""}, "state one of url and url_from"),
        ({"url_from": "", "url": "http://a.example.com"}, "unencrypted"),
        ({"url_from": "", "url": "https://hunter22@a.example.com"}, "holds a user or a password"),
        ({"url_from": "", "url": "https://a.example.com/?key=hunter22"}, "should end before '?'"),
        ({"url_from": "https://a.example.com"}, "url_from should name an environment variable such as AFTER_SALES_CRM_URL, not an address"),
        ({"token_from": "hunter22-hunter22"}, "token_from should name an environment variable such as AFTER_SALES_CRM_TOKEN, not hold it"),
        ({"token_as": "Token: x"}, "token_as should be bearer, basic or the name of a header"),
        ({"query": {"api_key": "hunter22"}}, "query: 'api_key' seems to be a secret"),
        ({"query": {"access_token": "hunter22"}}, "query: 'access_token' seems to be a secret"),
        ({"pages": None, "rows": "", "total": "total"}, "total belongs to a list"),
        ({"total_header": "X"}, "state total or total_header, not both"),
        ({"pages": {"by": "cursor", "at": "next", "size": 9, "size_as": "n"}}, "pages by cursor need 'sent_as'"),
        ({"pages": {"by": "link_header", "at": "next"}}, "pages by link_header have no 'at'"),
        ({"pages": {"by": "one_page", "size": 9, "size_as": "n"}}, "pages by one_page have no 'size'"),
        ({"pages": {"by": "offset", "sent_as": "o", "size": 9}}, "state size and size_as together"),
        ({"pages": {"by": "offset", "sent_as": "o", "more": "a", "last": "b"}}, "state more or last, not both"),
        ({"total": "", "pages": {"by": "next_link", "at": "next"}}, "need a second sign of the end"),
    ],
)  # fmt: skip
def test_extracts_that_do_not_load(extract: dict[str, Any], message: str):
    with pytest.raises(ParameterError) as caught:
        stated(OFFSET | extract)
    assert message in str(caught.value)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tickets.csv", "should end in .jsonl"),
        ("_tickets.jsonl", "should be the name of a file"),
        ("a/tickets.jsonl", "should be the name of a file"),
        ("..", "should be the name of a file"),
        ("other.jsonl", "nothing reads it"),
    ],
)
def test_names_of_extracts(name: str, message: str):
    with pytest.raises(ParameterError, match=message):
        stated(OFFSET, name=name)


def documented() -> list[str]:
    """The maps that docs/SOURCES.md shows for an API."""
    text = (Path(__file__).parents[3] / "docs" / "SOURCES.md").read_text(encoding="utf-8")
    section = text.partition("## An API")[2].partition("\n## ")[0]
    blocks, block = [], list[str]()
    for line in [*section.splitlines(), "end"]:
        if line.startswith("    ") or (not line.strip() and block):
            block.append(line[4:])
        elif block:
            blocks.append("\n".join(block))
            block = []
    return [block for block in blocks if "extracts:" in block and "tables:" in block]


def test_the_documented_maps_load_and_read_what_such_systems_send(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Zendesk and HubSpot, answered in the form of their documentation."""
    zendesk, hubspot = documented()
    users = [{"id": f"C{number}", "organization_id": f"O{number}"} for number in range(7)]
    rows = [
        {"id": str(one["id"]), "properties": {"createdate": one["created_at"], "closed_date": None, "hs_pipeline_stage": "1"}}
        for one in ALL
    ]  # fmt: skip

    def answer(asked: Asked) -> Any:
        if asked.path == "/api/v2/users.json":
            return {"users": users, "meta": {"has_more": False}, "links": {"next": None}}
        if asked.path == "/crm/v3/objects/tickets":
            found = by_cursor(asked)
            return found | {"results": [rows[int(one["id"]) - 1] for one in found["results"]]}
        found = by_next_link(server)(asked)
        for one in found["tickets"]:
            one.update(requester_id=one["requester"]["id"], status="closed", type="problem", subject="x")
        return found

    server.answers = answer
    for number, text in enumerate((zendesk, hubspot)):
        path = tmp_path / f"map{number}.yml"
        content = yaml.safe_load(text)
        path.write_text(text, encoding="utf-8")
        source_map = load_map(f"map{number}", TABLES, path=path)
        for extract in source_map.extracts.values():
            monkeypatch.setenv(extract.token_from, f"agent@example.com/token:{SECRET}")
        address = content.get("url_from") or next(iter(source_map.extracts.values())).url_from
        if address:
            monkeypatch.setenv(address, server.url)
        mapped = apply_map(source_map, tmp_path / "none", tmp_path / f"out{number}")
        assert [(one.table, one.read, one.mapped) for one in mapped] == [("tickets", 250, 250)]
