"""Lists and files that a system gives over HTTP: asked page by page, counted twice, and written as they came.

The token goes to the host that the map means and to no other: neither a redirect nor a link to the next page takes it elsewhere. No message
holds it, nor an address or its parameters. What fails for a moment is asked again, as late as the system says; what stays doubtful is refused.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx

from analysis.errors import SourceError, suggestion
from analysis.sources.databases import redacted
from analysis.sources.extracts import Extract, refuse_address
from analysis.sources.jsonrows import decoded, items_at, value_at
from analysis.sources.safety import MEGABYTE

CONNECT_SECONDS, READ_SECONDS = 15, 60
#: An answer that is not whole by then comes too slowly to end; a file may take longer.
PAGE_SECONDS, FILE_SECONDS = 600, 14_400
#: How often one page is asked for, and the longest pause that a system may ask for.
TRIES, LONGEST_WAIT = 6, 300
MOST_PAGES = 100_000
PAGE_MB = 100
MOST_REDIRECTS = 5
#: Rows that systems give a page where they are not asked for a number, or for more than they give.
USUAL_PAGES = frozenset((10, 15, 20, 25, 30, 40, 50, 60, 75, 80, 100, 150, 200, 250, 300, 500, 1_000))
_FOR_A_MOMENT = (429, 500, 502, 503, 504)
#: Libraries that would write addresses or headers into a log.
_TALKERS = ("httpx", "httpcore", "fsspec", "botocore", "aiobotocore", "s3fs", "gcsfs", "adlfs", "azure")


@dataclass(kw_only=True)
class Fetched:
    """What came: pages, rows, rows that stood on two pages one after the other, and whether the list may go on behind its only page."""

    pages: int = 0
    rows: int = 0
    repeated: int = 0
    open_end: bool = False


@dataclass(frozen=True, kw_only=True)
class _Answer:
    content: Any
    rows: list[str]
    total: int | None
    link: str


class _Momentary(Exception):
    """What may be gone when it is asked again; ``wait``: seconds, where the system says so."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


def fetch_list(extract: Extract, name: str, out: Path, *, limit_mb: int) -> Fetched:
    """Write the objects of a list, one a line, each as it came.

    Raises SourceError for whatever cannot be read, for a list that repeats itself or changes while it is read, and where the rows are not as
    many as the system says.
    """
    done = Fetched()
    with _asking(extract, name) as system, out.open("w", encoding="utf-8", newline="\n") as file:
        for rows in _List(system, extract, done).pages():
            for row in rows:
                file.write(row + "\n")
            if file.tell() > limit_mb * MEGABYTE:
                raise _too_large(name, limit_mb)
    return done


def fetch_file(extract: Extract, name: str, out: Path, *, limit_mb: int) -> None:
    """Write a file that lies at an address."""
    with _asking(extract, name) as system:
        system.store(out, limit_mb)


def address_of(extract: Extract, name: str) -> str:
    """The whole address of an extract, without its query. It may be secret: no message repeats it."""
    said = extract.url_from or "url"
    base = extract.url or os.environ.get(extract.url_from, "").strip()
    if not base:
        raise SourceError(
            f"{name}: the environment variable {extract.url_from} is not set. Set it to the address, e.g. https://company.example.com."
        )
    refuse_address(base, extract, name, said)
    return f"{base.rstrip('/')}/{extract.path.lstrip('/')}" if extract.path else base


@contextmanager
def quiet() -> Iterator[None]:
    """No line in a log of what the libraries ask and are answered."""
    loggers = [logging.getLogger(name) for name in _TALKERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _asking(extract: Extract, name: str) -> Iterator[_System]:
    address = address_of(extract, name)
    headers, secrets = _token(extract, name)
    kind = {"Accept": "application/json"} if extract.pages else {"Accept-Encoding": "identity"}
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    with quiet(), httpx.Client(headers={**kind, **headers}, timeout=timeout) as client:
        try:
            first = httpx.URL(address)
            first = first.copy_merge_params(extract.query) if extract.query else first
        except httpx.InvalidURL:
            raise SourceError(
                f"{name}: {extract.url_from or 'url'} and path make no address. Check both."
            ) from None
        yield _System(client=client, extract=extract, name=name, first=first, secrets=(address, *secrets))


def _token(extract: Extract, name: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """The header that carries the token, and every spelling of it that must not be repeated."""
    if not extract.token_from:
        return {}, ()
    token = os.environ.get(extract.token_from, "").strip()
    if not token:
        raise SourceError(
            f"{name}: the environment variable {extract.token_from} is not set. Set it to the token."
        )
    if not (token.isascii() and token.isprintable()):
        raise SourceError(
            f"{name}: {extract.token_from} holds a character that no token has. Copy the token again, without line breaks."
        )
    coded = base64.b64encode(token.encode()).decode()
    if extract.token_as == "basic" and ":" not in token:
        raise SourceError(
            f"{name}: {extract.token_from} should hold user:password (or what the system wants in their place), for token_as is basic."
        )
    parts = [part for part in re.split(r"[\s:]", token) if len(part) > 3]
    texts = {
        spelt
        for text in (token, coded, *parts)
        for spelt in (text, quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1])
    }
    secrets = tuple(sorted(texts, key=len, reverse=True))
    if extract.token_as in ("bearer", "basic"):
        return {
            "Authorization": f"Basic {coded}" if extract.token_as == "basic" else f"Bearer {token}"
        }, secrets
    return {extract.token_as: token}, secrets


def _too_large(name: str, limit_mb: int) -> SourceError:
    return SourceError(
        f"{name}: more than the {limit_mb:,} MB a source file may have. Ask for less (query), or raise size_limit_mb in the run's file."
    )


# ---------------------------------------------------------------- one answer


@dataclass(kw_only=True)
class _System:
    """One system, asked with one token."""

    client: httpx.Client
    extract: Extract
    name: str
    first: httpx.URL
    secrets: tuple[str, ...]

    def text(self, url: httpx.URL, place: str) -> tuple[str, httpx.Headers, str]:
        """(body, headers, link to the next page) of an answer in JSON."""
        body, response = self._whole(url, place)
        kind = response.headers.get("content-type", "")
        if kind.startswith("text/html") or body.lstrip().startswith(b"<"):
            raise self.refusal(
                f"{place} is a web page where JSON is expected, mostly the page to sign in on. Check the address (path) and the token."
            )
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise self.refusal(
                f"{place} is not in UTF-8, as JSON must be. Ask the system's vendor."
            ) from None
        return text, response.headers, str(response.links.get("next", {}).get("url", ""))

    def store(self, out: Path, limit_mb: int) -> None:
        """Write a file as it comes."""

        def pour(response: httpx.Response) -> None:
            with out.open("wb") as file:
                for piece in self._pieces(response, limit_mb, FILE_SECONDS):
                    file.write(piece)
            with out.open("rb") as file:
                page = file.read(200).lstrip().lower()
            if page.startswith((b"<!doctype html", b"<html")):
                raise self.refusal(
                    "a web page came where a file is expected, mostly the page to sign in on. Check the address and the token."
                )

        self._ask(self.first, "the file", pour)

    def refusal(self, why: str) -> SourceError:
        return SourceError(f"{self.name}: {why}")

    def same_host(self, url: httpx.URL) -> bool:
        return _origin(url) == _origin(self.first)

    def _whole(self, url: httpx.URL, place: str) -> tuple[bytes, httpx.Response]:
        found: list[tuple[bytes, httpx.Response]] = []

        def read(response: httpx.Response) -> None:
            found.append((b"".join(self._pieces(response, PAGE_MB, PAGE_SECONDS)), response))

        self._ask(url, place, read)
        return found[-1]

    def _pieces(self, response: httpx.Response, limit_mb: int, seconds: int) -> Iterator[bytes]:
        size, begun = 0, time.monotonic()
        for piece in response.iter_bytes():
            size += len(piece)
            if size > limit_mb * MEGABYTE:
                raise _too_large(self.name, limit_mb)
            if time.monotonic() - begun > seconds:
                raise self.refusal(
                    f"an answer was not whole after {seconds:,} seconds. Ask for smaller pages, or try again later."
                )
            yield piece

    def _ask(self, url: httpx.URL, place: str, use: Callable[[httpx.Response], None]) -> None:
        """Ask until there is an answer to use, or a reason to refuse."""
        for number in range(1, TRIES + 1):
            try:
                self._ask_once(url, place, use)
                return
            except _Momentary as error:
                wait = 2.0 ** (number - 1) if error.wait is None else error.wait
                if wait > LONGEST_WAIT:
                    raise self.refusal(
                        f"{place}: the system asks to wait {wait:,.0f} seconds ({error}). Run it again after that."
                    ) from None
                if number == TRIES:
                    raise self.refusal(
                        f"{place}: {error}, {TRIES} times one after the other. Try again later; if it stays, ask who runs the system."
                    ) from None
            time.sleep(wait)

    def _ask_once(self, url: httpx.URL, place: str, use: Callable[[httpx.Response], None]) -> None:
        why = ""
        try:
            for _ in range(MOST_REDIRECTS):
                with self.client.stream("GET", url) as response:
                    if not response.has_redirect_location:
                        self._refuse_status(response, place)
                        use(response)
                        return
                    url = self._redirected(response, place)
        except httpx.InvalidURL:
            why = "leads to an address that is none; check the address (path)"
        except (httpx.TransportError, httpx.DecodingError) as error:
            why = self._unreached(error)
            if not why:
                raise _Momentary(_momentary(error)) from None
        raise self.refusal(f"{place} {why or 'is redirected again and again; check the address (path)'}.")

    def _redirected(self, response: httpx.Response, place: str) -> httpx.URL:
        url = response.url.join(response.headers["location"])
        if not self.same_host(url):
            other = f"another host ({url.host})" if url.host != self.first.host else "another port or scheme"
            raise self.refusal(
                f"{place} is redirected to {other}, and the token does not follow there. If that is the system's address, put it into {self.extract.url_from or 'url'}; else check path and token."
            )
        return url

    def _unreached(self, error: httpx.HTTPError) -> str:
        """Why asking again would not help; blank where it may."""
        text = str(error).lower()
        if "certificate" in text and "verif" in text:
            return "cannot be asked for: the system's certificate is not trusted. If your company has an authority of its own, name its file in the environment variable SSL_CERT_FILE; else somebody stands between, so ask who runs the network"
        if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
            return (
                "cannot be asked for: address or token hold a character that HTTP does not allow. Check both"
            )
        return ""

    def _refuse_status(self, response: httpx.Response, place: str) -> None:
        status = response.status_code
        if status == 200:
            return
        if status in _FOR_A_MOMENT:
            said = "too many requests" if status == 429 else "the system failed"
            raise _Momentary(f"{said} ({status})", _wait_of(response))
        variable = self.extract.token_from
        if status == 401 and variable:
            advice = f"the token was refused. Check that {variable} holds a valid one and that token_as ({self.extract.token_as}) is how the system wants it"
        elif status == 401:
            advice = "a token is wanted. State token_from, the environment variable that holds it"
        elif status == 403:
            advice = "the token may not read this. Ask for the right to read it, and for nothing more"
        elif status in (404, 410):
            advice = "nothing is there. Check the address and path; behind the first page, state total, more or last, so that the end is known before it is passed"
        elif status < 300:
            advice = "an answer without content. Check path and query"
        else:
            advice = (
                f"the request was refused{self._words(response)}. Check path, query and the size of pages"
            )
        raise self.refusal(f"{place}: {advice} ({status}).")

    def _words(self, response: httpx.Response) -> str:
        """What the system says of a request that it refuses, where that is JSON, without what must not be repeated."""
        body = b""
        with suppress(httpx.HTTPError):
            for piece in response.iter_bytes():
                body += piece
                if len(body) > 10_000:
                    break
        if "json" not in response.headers.get("content-type", ""):
            return ""
        parameters = [value for value in response.url.params.values() if len(value) > 5]
        spelt = [text for value in parameters for text in (value, quote(value, safe=""), quote_plus(value))]
        secrets = (*self.secrets, str(response.url), *sorted(spelt, key=len, reverse=True))
        return f" ({redacted(body.decode('utf-8', 'replace'), secrets)})"


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _momentary(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.DecodingError):
        return "the answer broke off or was damaged"
    if isinstance(error, httpx.ProxyError):
        return "the proxy refused"
    return "the system cannot be reached"


def _wait_of(response: httpx.Response) -> float | None:
    """Seconds that the header Retry-After asks for: a number, or a moment."""
    stated = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", stated):
        return float(stated)
    with suppress(ValueError, TypeError):
        until = parsedate_to_datetime(stated)
        return max((until - dt.datetime.now(until.tzinfo or dt.UTC)).total_seconds(), 0.0)
    return None


# ---------------------------------------------------------------- page after page


@dataclass(kw_only=True)
class _Seen:
    """What of the pages so far tells that a list repeats itself."""

    addresses: set[bytes] = field(default_factory=set)
    pages: dict[bytes, int] = field(default_factory=dict)
    last: frozenset[bytes] = frozenset()


class _List:
    """The pages of a list, one after the other."""

    def __init__(self, system: _System, extract: Extract, done: Fetched) -> None:
        assert extract.pages is not None
        self.system, self.extract, self.form, self.done = system, extract, extract.pages, done
        self.total: int | None = None
        self.short = 0

    @property
    def place(self) -> str:
        return f"page {self.done.pages:,}"

    def pages(self) -> Iterator[list[str]]:
        url, seen = self._numbered(self.system.first, 0), _Seen()
        following: httpx.URL | None = url
        while following is not None:
            url = following
            if _digest(str(url)) in seen.addresses:
                raise self._refusal("leads back to a page that was read before, so the list has no end")
            seen.addresses.add(_digest(str(url)))
            self.done.pages += 1
            if self.done.pages > MOST_PAGES:
                raise self._refusal(f"is more than the {MOST_PAGES:,} pages that a list may have")
            answer = self._answer(url)
            self._compare(answer, seen)
            self.done.rows += len(answer.rows)
            following = self._following(answer, url)
            yield answer.rows
        proved = self.total is not None or self.form.more or self.form.last
        self.done.open_end = self.done.pages == 1 and self.done.rows in USUAL_PAGES and not proved
        if self.total is not None and self.total != self.done.rows:
            raise SourceError(
                f"{self.system.name}: the system counts {self.total:,} rows, {self.done.rows:,} came on {self.done.pages:,} pages. Nothing was used. "
                "Take it again; if it stays, check pages, and whether the token may read every row."
            )

    def _refusal(self, why: str) -> SourceError:
        return self.system.refusal(f"{self.place} {why}. Nothing was used. Check pages in the map.")

    def _answer(self, url: httpx.URL) -> _Answer:
        text, headers, link = self.system.text(url, self.place)
        try:
            content = decoded(text)
        except ValueError as error:
            why = redacted(str(error), self.system.secrets)
            raise self.system.refusal(f"{self.place} {why}. Take it again.") from None
        listed = value_at(content, self.extract.rows)
        if not isinstance(listed, list):
            raise self._no_list(content)
        rows = items_at(text, self.extract.rows) or []
        if len(rows) != len(listed):
            raise self.system.refusal(
                f"{self.place}: {len(listed):,} rows are in the list, {len(rows):,} were read. Nothing was used. Take it again."
            )
        return _Answer(content=content, rows=rows, total=self._total(content, headers), link=link)

    def _no_list(self, content: Any) -> SourceError:
        wanted = f"no list at '{self.extract.rows}'" if self.extract.rows else "no list"
        if not isinstance(content, dict):
            return self.system.refusal(
                f"{self.place} holds {wanted}, but something else. Check path and rows."
            )
        keys = [f"{key} (a list)" if isinstance(value, list) else key for key, value in content.items()]
        near = suggestion(self.extract.rows, content)
        return self.system.refusal(
            f"{self.place} holds {wanted}.{near} It has: {', '.join(keys[:12]) or 'nothing'}. Check rows in the map."
        )

    def _total(self, content: Any, headers: Mapping[str, str]) -> int | None:
        """How many rows the system says there are; a page may leave it out, but not the first."""
        named = self.extract.total or self.extract.total_header
        if not named:
            return None
        found = value_at(content, named) if self.extract.total else headers.get(named)
        if found is None and self.done.pages > 1:
            return None
        if isinstance(found, bool) or not re.fullmatch(r"\d{1,15}", str(found)):
            raise self.system.refusal(
                f"{self.place}: '{named}' should be the number of all rows, and is none. Check total in the map."
            )
        return int(str(found))

    def _compare(self, answer: _Answer, seen: _Seen) -> None:
        """Refuse a page that says another total than those before, or has the very rows of one of them."""
        if answer.total is not None:
            if self.total not in (None, answer.total):
                raise self.system.refusal(
                    f"{self.place}: the system counts {answer.total:,} rows, and {self.total:,} before: the list changed while it was read. Nothing was used. "
                    "Take it again, or bound it (query) by a day before today."
                )
            self.total = answer.total
        if not answer.rows:
            return
        hashes = [_digest(row) for row in answer.rows]
        whole = _digest(b"".join(hashes))
        if whole in seen.pages:
            raise self._refusal(
                f"has the same {len(answer.rows):,} rows as page {seen.pages[whole]:,}, so the system does not heed how the next page is asked for"
            )
        seen.pages[whole] = self.done.pages
        self.done.repeated += sum(1 for one in hashes if one in seen.last)
        seen.last = frozenset(hashes)

    # -- what follows ------------------------------------------------------------------------------------------------

    def _following(self, answer: _Answer, url: httpx.URL) -> httpx.URL | None:
        """The address of the next page; None where there is none."""
        more = self._more(answer)
        if more is False:
            return None
        if self.form.by == "one_page":
            if more or answer.link:
                raise self._refusal("is not the only one: the answer says that more follow")
            return None
        if self.form.by in ("page", "offset"):
            return self._by_number(answer, more)
        found = answer.link if self.form.by == "link_header" else value_at(answer.content, self.form.at)
        if found in (None, "", False):
            self._refuse_end(more, len(answer.rows))
            return None
        if isinstance(found, bool | dict | list):
            raise self._refusal(
                f"has no {'cursor' if self.form.by == 'cursor' else 'link'} at '{self.form.at}', but something else"
            )
        if self.form.by == "cursor":
            return self._sized(self.system.first).copy_set_param(self.form.sent_as, str(found))
        return self._linked(str(found), url)

    def _refuse_end(self, more: bool | None, rows: int) -> None:
        """A list that ends with a first page as full as it was asked for has mostly not ended: the map looks in the wrong place."""
        if more:
            raise self._refusal("says that more follow, and does not say where")
        alone = self.done.pages == 1 and more is None and self.total is None
        if alone and self.form.size and rows >= self.form.size:
            raise self._refusal(
                f"is full ({rows:,} rows) and does not say where the next one is. If the list really ends there, ask for larger pages (size), or state total, more or last"
            )

    def _more(self, answer: _Answer) -> bool | None:
        """Whether the answer says that pages follow; None where it is not asked."""
        mark = self.form.more or self.form.last
        if not mark:
            return None
        said = value_at(answer.content, mark)
        if not isinstance(said, bool):
            raise self._refusal(f"has neither true nor false at '{mark}'")
        return said if self.form.more else not said

    def _by_number(self, answer: _Answer, more: bool | None) -> httpx.URL | None:
        rows, size = len(answer.rows), self.form.size
        if self.form.by == "offset" and size:
            if rows > size:
                raise self._refusal(
                    f"has {rows:,} rows where {size:,} were asked for: '{self.form.size_as}' is not heeded"
                )
            if rows and self.short:
                raise self._refusal(
                    f"has rows, though the page before had only {self.short:,} of the {size:,} asked for: the system gives fewer a page. Say size: {self.short} if that is its limit; else follow its links"
                )
            self.short = rows if rows < size else 0
        if more is None and (not rows or (self.total is not None and self.done.rows >= self.total)):
            return None
        if not rows:
            raise self._refusal("is empty, and says that more follow")
        return self._numbered(self.system.first, self.done.pages)

    def _numbered(self, url: httpx.URL, pages: int) -> httpx.URL:
        """The address of the page that follows so many."""
        form = self.form
        if form.by == "offset":
            number = pages * form.size if form.size else self.done.rows
            return self._sized(url).copy_set_param(form.sent_as, number)
        return (
            self._sized(url).copy_set_param(form.sent_as, form.first + pages)
            if form.by == "page"
            else self._sized(url)
        )

    def _sized(self, url: httpx.URL) -> httpx.URL:
        return url.copy_set_param(self.form.size_as, self.form.size) if self.form.size_as else url

    def _linked(self, link: str, url: httpx.URL) -> httpx.URL:
        try:
            found = url.join(link)
        except httpx.InvalidURL:
            raise self._refusal("has a link to the next page that is no address") from None
        if not self.system.same_host(found):
            raise self._refusal(
                f"links to another place ({found.scheme}://{found.host}) for the next page, and the token does not go there; state pages by page, offset or cursor instead"
            )
        return found


def _digest(text: str | bytes) -> bytes:
    return hashlib.sha256(
        text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    ).digest()[:16]
