"""Files in object stores: fsspec's own store in memory, and an S3 of our own where the driver s3fs is installed."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from analysis.errors import ParameterError, SourceError
from analysis.params.strict import bind
from analysis.sources import SourceMap, apply_map
from analysis.sources.extracts import check_extract
from analysis.sources.taking import FOLDER

fsspec = pytest.importorskip("fsspec")
URL = "AFTER_SALES_TEST_STORE"
SECRET = "hunter22hunter22hunter22hunter22hunter22"
EXPORT = "id,created_at\n" + "".join(f"{number},2026-10-03T09:15:00Z\n" for number in range(500))


def stated(extract: dict[str, Any], file: str, name: str) -> SourceMap:
    entry = {
        "table": "tickets",
        "file": file,
        "columns": {"ticket_id": "id", "opened_at": "created_at"},
        "constants": {"ticket_type": "repair"},
    }
    content = {"about": "x", "name": "x", "extracts": {name: extract}, "tables": [entry]}
    found = bind(SourceMap, content, "test")
    check_extract(name, found.extracts[name], "test")
    return found


@pytest.fixture
def memory() -> Iterator[Any]:
    store = fsspec.filesystem("memory")
    store.store.clear()
    yield store
    store.store.clear()


def put(store: Any, path: str, text: str) -> None:
    with store.open(path, "wb") as file:
        file.write(text.encode())


def refusal(tmp_path: Path, extract: dict[str, Any], file: str = "desk.csv", name: str = "desk.csv") -> str:
    with pytest.raises(SourceError) as caught:
        apply_map(stated(extract, file, name), tmp_path / "none", tmp_path / "out", size_limit_mb=1)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def test_a_file_is_copied_and_read(memory: Any, tmp_path: Path):
    put(memory, "/bucket/exports/desk.csv", EXPORT)
    source_map = stated({"url": "memory://bucket/exports/desk.csv"}, "desk.csv", "desk.csv")
    (mapped,) = apply_map(source_map, tmp_path / "none", tmp_path / "out")
    assert (mapped.file, mapped.read, mapped.mapped) == ("desk.csv", 500, 500)
    put(memory, "/bucket/exports/desk.csv", "id,created_at\n1,2026-10-03T09:15:00Z\n")
    (again,) = apply_map(source_map, tmp_path / "none", tmp_path / "out", reuse_queries=True)
    assert again == mapped
    (anew,) = apply_map(source_map, tmp_path / "none", tmp_path / "out")
    assert anew.read == 1


def test_a_star_fetches_a_folder_of_files(memory: Any, tmp_path: Path):
    for month in ("2026-09", "2026-10"):
        put(memory, f"/bucket/desk-{month}.csv", EXPORT)
    put(memory, "/bucket/other.csv", "x\n")
    source_map = stated({"url": "memory://bucket/desk-*.csv"}, "desk/*.csv", "desk")
    mapped = apply_map(source_map, tmp_path / "none", tmp_path / "out")
    assert [(one.file, one.read) for one in mapped] == [("desk/desk-2026-09.csv", 500), ("desk/desk-2026-10.csv", 500)]  # fmt: skip
    memory.rm("/bucket/desk-2026-09.csv")
    assert len(apply_map(source_map, tmp_path / "none", tmp_path / "out")) == 1
    assert sorted(path.name for path in (tmp_path / "out" / FOLDER / "desk").iterdir()) == [
        "desk-2026-10.csv"
    ]


def test_what_is_not_there_too_large_or_cut_is_refused(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert "desk.csv: no object by that name" in refusal(tmp_path, {"url": "memory://bucket/desk.csv"})
    assert "desk: no object by that name" in refusal(tmp_path, {"url": "memory://bucket/*.csv"}, "desk/*.csv", "desk")  # fmt: skip
    put(memory, "/bucket/desk.csv", "x" * 1_500_000)
    assert "more than the 1 MB a source file may have" in refusal(tmp_path, {"url": "memory://bucket/desk.csv"})  # fmt: skip
    put(memory, "/a/desk.csv", EXPORT)
    put(memory, "/b/desk.csv", EXPORT)
    assert "two objects are called desk.csv" in refusal(tmp_path, {"url": "memory://*/desk.csv"}, "desk/*.csv", "desk")  # fmt: skip
    monkeypatch.setattr(
        type(memory), "info", lambda self, path, **_: {"size": len(EXPORT) + 1, "type": "file"}
    )
    assert f"{len(EXPORT):,} of {len(EXPORT) + 1:,} bytes came" in refusal(tmp_path, {"url": "memory://a/desk.csv"})  # fmt: skip


def test_a_store_that_refuses_is_said_without_its_words(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(self: Any, path: str, **_: Any) -> Any:
        raise failure

    monkeypatch.setattr(type(memory), "info", fail)
    failure: Exception = RuntimeError(f"key {SECRET} is wrong")
    assert "the store refused (RuntimeError)" in refusal(tmp_path, {"url": "memory://a/desk.csv"})
    failure = PermissionError(f"key {SECRET}")
    assert "the store does not let these credentials read it" in refusal(tmp_path, {"url": "memory://a/desk.csv"})  # fmt: skip


@pytest.mark.parametrize(("scheme", "driver"), [("s3", "s3fs"), ("gs", "gcsfs"), ("abfss", "adlfs")])
def test_a_driver_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, driver: str
):
    monkeypatch.setitem(sys.modules, driver, None)
    said = refusal(tmp_path, {"url": f"{scheme}://bucket/desk.csv"})
    assert said == f"desk.csv: reading this address needs {driver}. Install it: pip install {driver}."


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"s3://key:{SECRET}@bucket/desk.csv", "holds a user or a password"),
        (f"az://container/desk.csv?sig={SECRET}", "should end before '?'"),
        (f"simplecache::s3://bucket/{SECRET}", "holds no address that can be read"),
        (f"memory://bucket/x::file:///{SECRET}", "holds no address that can be read"),
        (f"sftp://host/{SECRET}", "holds no address that can be read"),
    ],
)
def test_addresses_that_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, message: str):
    with pytest.raises(ParameterError, match="test: url") as caught:
        stated({"url": url}, "desk.csv", "desk.csv")
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)
    monkeypatch.setenv(URL, url)
    said = refusal(tmp_path, {"url_from": URL})
    assert message in said
    assert SECRET not in said


def test_an_azure_address_names_its_container_before_the_account():
    stated({"url": "abfss://exports@account.dfs.core.windows.net/desk.csv"}, "desk.csv", "desk.csv")


# ---------------------------------------------------------------- S3


OBJECTS = {"exports/desk-2026-09.csv": EXPORT, "exports/desk-2026-10.csv": EXPORT, "exports/old/x.csv": "x\n"}


class S3(BaseHTTPRequestHandler):
    """As much of S3 as reading needs: an object's head and bytes, and the list of a bucket."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        parts = urlsplit(self.path)
        _, bucket, key = (*unquote(parts.path).split("/", 2), "")[:3]
        found = OBJECTS.get(key) if bucket == "bucket" else None
        if "list-type" in parts.query:
            self._send(200, self._listed(parse_qs(parts.query)), "application/xml", body)
        elif found is None:
            self._send(404, "<Error><Code>NoSuchKey</Code></Error>", "application/xml", body)
        else:
            self._send(200, found, "text/csv", body)

    def _listed(self, query: dict[str, list[str]]) -> str:
        prefix, deep = query.get("prefix", [""])[0], "delimiter" not in query
        keys = [key for key in OBJECTS if key.startswith(prefix) and (deep or "/" not in key[len(prefix) :])]
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(OBJECTS[key])}</Size><LastModified>2026-10-01T00:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag></Contents>"
            for key in keys
        )
        return f"<ListBucketResult><Name>bucket</Name><Prefix>{prefix}</Prefix><KeyCount>{len(keys)}</KeyCount><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"

    def _send(self, status: int, text: str, kind: str, body: bool) -> None:
        first, last = 0, len(text)
        if status == 200 and (span := self.headers.get("Range")):
            start, _, end = span.removeprefix("bytes=").partition("-")
            first, last, status = int(start), min(int(end) + 1 if end else len(text), len(text)), 206
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(last - first))
        self.send_header("ETag", '"x"')
        self.send_header("Last-Modified", "Thu, 01 Oct 2026 00:00:00 GMT")
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last - 1}/{len(text)}")
        self.end_headers()
        if body:
            self.wfile.write(text[first:last].encode())

    def log_message(self, *_: object) -> None:
        pass


def test_s3_by_its_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    pytest.importorskip("s3fs")
    server = ThreadingHTTPServer(("127.0.0.1", 0), S3)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    caplog.set_level(logging.DEBUG)
    source_map = stated({"url": "s3://bucket/exports/desk-*.csv"}, "desk/*.csv", "desk")
    mapped = apply_map(source_map, tmp_path / "none", tmp_path / "out")
    assert [(one.file, one.read) for one in mapped] == [("desk/desk-2026-09.csv", 500), ("desk/desk-2026-10.csv", 500)]  # fmt: skip
    assert "no object by that name" in refusal(tmp_path, {"url": "s3://bucket/none.csv"})
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET.encode() not in kept
    assert SECRET not in caplog.text and "AKIDEXAMPLE" not in caplog.text
    server.shutdown()
    server.server_close()
