"""What a map states of files that are fetched before it is applied: lists of an interface (HTTP, JSON, page by page), and files at an address.

A file so stated lies beside the exports by its name, so that an entry, a lookup or a log names it like any other. Addresses that hold anything
secret, and every token, come from environment variables; a map names the variables.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from analysis.errors import AnalysisError, ParameterError, SourceError
from analysis.params.strict import Within
from analysis.sources.databases import refuse_variable

#: Schemes of object stores, and the driver that fsspec needs for each; ``memory`` holds what a test puts there.
STORES: Mapping[str, str] = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "oss": "ossfs",
    "memory": "fsspec",
}
#: For each way from page to page: the keys that it needs, and those that it may have besides ``more`` and ``last``.
_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "one_page": ((), ()),
    "link_header": ((), ("size", "size_as")),
    "next_link": (("at",), ("size", "size_as")),
    "cursor": (("at", "sent_as"), ("size", "size_as")),
    "page": (("sent_as",), ("size", "size_as", "first")),
    "offset": (("sent_as",), ("size", "size_as")),
}
_HERE = ("localhost", "127.0.0.1", "::1")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_SECRET = re.compile(
    r"(access|api|auth)[_-]?(token|key)|apikey|^(auth|key|sig|token)$|passw|pwd|secret|signature",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Pages:
    """How a list goes on.

    ``by``: ``next_link`` (the address of the next page stands in the answer, ``at`` this place), ``link_header`` (in the header Link, as
    rel="next"), ``cursor`` (what stands ``at`` this place is ``sent_as`` this parameter), ``page`` (the number of the page, from ``first``),
    ``offset`` (the number of the first row, from 0), ``one_page``. ``size`` rows a page are asked for by the parameter ``size_as``.
    Where it ends: without a link or a cursor, if a second sign (``size``, ``total``, ``more``, ``last``) does not speak against it; by number,
    once ``total`` is reached or at a page without rows. ``more`` names the place of a
    mark that is true while pages follow, ``last`` that of one which is true on the last page; they decide where they are stated.
    """

    by: Literal["next_link", "link_header", "cursor", "page", "offset", "one_page"]
    at: str = ""
    sent_as: str = ""
    size: Annotated[int, Within(low=0, high=1_000_000)] = 0
    size_as: str = ""
    first: Annotated[int, Within(low=0, high=1)] = 1
    more: str = ""
    last: str = ""


@dataclass(frozen=True, kw_only=True)
class Extract:
    """Where a file is fetched from: ``extracts`` of a map, by the name of the file.

    The address is ``url``, or what the environment variable ``url_from`` holds, with ``path`` and ``query`` behind it. ``token_from``: the
    variable with the token; ``token_as``: ``bearer``, ``basic`` (the variable holds ``user:password``), or the name of the header that
    carries it as it is. With ``pages`` it is a list: ``rows`` is the place of the list of objects in an answer (``result.items``; blank: the
    answer is the list), ``total`` the place of the number of rows in all, ``total_header`` the header with it; it must hold. Without
    ``pages`` it is a file; an object store's address may have ``*`` in its last part, and the extract is a folder then. ``plain_http``:
    whether the way may be unencrypted to another machine.
    """

    url: str = ""
    url_from: str = ""
    path: str = ""
    query: dict[str, str] = field(default_factory=dict)
    token_from: str = ""
    token_as: str = "bearer"
    rows: str = ""
    pages: Pages | None = None
    total: str = ""
    total_header: str = ""
    plain_http: bool = False


def named_in(pattern: str, extracts: Collection[str]) -> str:
    """The extract that a pattern of a map names (``tickets.jsonl``, ``exports/*.csv``); blank for files of the folder."""
    first = PurePosixPath(pattern).parts[:1]
    return first[0] if first and first[0] in extracts else ""


def check_extract(name: str, extract: Extract, place: str) -> None:
    """Refuse an extract that says something unknown, too little, or a secret."""
    if not re.fullmatch(r"[^\W_.][^/\\*?\[\]]*", name):
        raise ParameterError(
            f"{place}: should be the name of a file, such as tickets.jsonl, without folders and not beginning with '_' or '.'."
        )
    if bool(extract.url) == bool(extract.url_from):
        raise ParameterError(f"{place}: state one of url and url_from.")
    if extract.url:
        refuse_address(extract.url, extract, place, "url", refusal=ParameterError)
    else:
        refuse_variable(extract.url_from, place)
    if extract.token_from:
        refuse_variable(extract.token_from, place, key="token_from", example="AFTER_SALES_CRM_TOKEN")
    if not _HEADER.fullmatch(extract.token_as):
        raise ParameterError(
            f"{place}: token_as should be bearer, basic or the name of a header such as X-Api-Key."
        )
    for parameter in extract.query:
        if _SECRET.search(parameter):
            raise ParameterError(
                f"{place}: query: '{parameter}' seems to be a secret; take it out (and change it: it was written down), and state it with token_from."
            )
    _check_list(name, extract, place)


def _check_list(name: str, extract: Extract, place: str) -> None:
    pages = extract.pages
    if pages is None:
        stated = [key for key in ("rows", "total", "total_header") if getattr(extract, key)]
        if stated:
            raise ParameterError(
                f"{place}: {stated[0]} belongs to a list; state how it goes on, e.g. pages: {{by: one_page}}."
            )
        return
    if not name.endswith(".jsonl"):
        raise ParameterError(
            f"{place}: a list is kept as one object a line, so its name should end in .jsonl."
        )
    if extract.total and extract.total_header:
        raise ParameterError(f"{place}: state total or total_header, not both.")
    needed, allowed = _KEYS[pages.by]
    for key in ("at", "sent_as", "size", "size_as", "first"):
        given = getattr(pages, key) != getattr(Pages(by="one_page"), key)
        if key in needed and not given:
            raise ParameterError(f"{place}: pages by {pages.by} need '{key}'.")
        if given and key not in (*needed, *allowed):
            raise ParameterError(f"{place}: pages by {pages.by} have no '{key}'; take it out.")
    if bool(pages.size) != bool(pages.size_as):
        raise ParameterError(f"{place}: pages: state size and size_as together.")
    signs = (pages.size, pages.more, pages.last, extract.total, extract.total_header)
    if pages.by in ("next_link", "link_header", "cursor") and not any(signs):
        raise ParameterError(
            f"{place}: pages by {pages.by} need a second sign of the end, for a link looked for in the wrong place looks like none: state size and size_as, total, total_header, more or last."
        )
    if pages.more and pages.last:
        raise ParameterError(f"{place}: pages: state more or last, not both.")


def is_store(url: str) -> bool:
    """Whether an address is an object store's."""
    return url.partition("://")[0].lower() in STORES


def refuse_address(
    url: str, extract: Extract, place: str, said: str, *, refusal: type[AnalysisError] = SourceError
) -> None:
    """Refuse an address that cannot be read from, is not encrypted, or holds a secret; it is not repeated."""
    try:
        parts = urlsplit(url)
        host, user, _ = parts.hostname or "", parts.username or "", parts.port
    except ValueError:
        parts, host, user = urlsplit(""), "", ""
    scheme = parts.scheme.lower()
    if (
        "://" not in url
        or not host
        or (scheme in STORES and "::" in url)
        or (scheme not in ("http", "https") and scheme not in STORES)
    ):
        raise refusal(
            f"{place}: {said} holds no address that can be read; it should begin with https:// or with one of {', '.join(f'{name}://' for name in STORES if name != 'memory')}."
        )
    web = scheme in ("http", "https")
    if parts.password is not None or (web and user):
        raise refusal(
            f"{place}: {said} holds a user or a password. Take it out (and change it, if it was written down); {'state token_from and token_as: basic' if web else 'the driver takes it from the environment'}."
        )
    if (parts.query or parts.fragment) and (extract.pages or extract.url or not web):
        raise refusal(
            f"{place}: {said} should end before '?'; state parameters under query, and a token with token_from."
        )
    if extract.query and not web:
        raise refusal(f"{place}: an object store's address takes no query; take it out.")
    if extract.pages and not web:
        raise refusal(
            f"{place}: {said} is an object store's, which gives files and no lists; take pages out."
        )
    if scheme == "http" and host not in _HERE and not extract.plain_http:
        raise refusal(
            f"{place}: {said} begins with http://, so token and rows would travel unencrypted. Write https://, or state plain_http: true if the way is safe."
        )
