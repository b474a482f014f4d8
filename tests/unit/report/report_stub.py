"""A company of three numbers: a prepared run and notebooks that cost a test nothing but a kernel."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import Executor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from analysis.exhibits.record import MIME
from analysis.locale import LANGUAGES, Text
from analysis.periods import Month, Period
from analysis.report.html import content_policy, own_script

BLANK_PDF = (
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
POLICY = f'<meta http-equiv="Content-Security-Policy" content="{content_policy(own_script())}">'
COST = "after_sales_cost#2026-10:1"
PARAMETERS = 'run_name: str = "sample"\nmonth: str = ""\ndata: str = ""\nas_of: str = ""\ntop: int = 5'


class Tables(SimpleNamespace):
    """The store keeps what it was given, unless a test says that it changed meanwhile."""

    changed = False

    @classmethod
    def open(cls, store: str) -> Tables:
        return cls(content_hash="0" * 64 if cls.changed else store)


class Registry(dict[str, Any]):
    def as_json(self, *, currency: str) -> list[dict[str, Any]]:
        return []

    def measure(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(value="sum(amount)")

    def value_label(self, dimension: str, value: str) -> Text:
        return Text.same(value)


def stub_run(*, tables: dict[str, Any] | None = None, content_hash: str = "d" * 64) -> SimpleNamespace:
    """What ``prepare_run`` gives, as far as the report looks at it."""
    waterfall = (
        SimpleNamespace(
            file="ledger.csv",
            file_hash="f" * 64,
            rows_read=12,
            accepted=10,
            quarantined=1,
            exact_duplicates=1,
        ),
    )
    ledger = SimpleNamespace(
        name="ledger",
        present=True,
        content_hash=content_hash,
        rows=10,
        waterfall=waterfall,
        personal=frozenset(),
        columns_present=frozenset({"amount"}),
    )
    return SimpleNamespace(
        inputs=SimpleNamespace(rows_end=None),
        name="sample",
        month=Month(2026, 10),
        period=Period.of("2026-10"),
        as_of=dt.date(2026, 11, 10),
        company=Text(en="Lumen Appliances", zh="流明电器"),
        currency="CNY",
        time_zone="Asia/Shanghai",
        tables=Tables(
            store=content_hash, content_hash=content_hash, tables=tables or {"ledger": ledger}, checks=()
        ),
        registry=Registry(
            after_sales_cost=SimpleNamespace(
                name=Text(en="After-sales cost", zh="售后成本"), numerator="incurred"
            )
        ),
        earlier=None,
        mapped=(),
        params_hash="p" * 64,
        preparer="A. Preparer",
        reviewer="R. Reviewer",
        data_folder=Path("data/sample"),
    )


def fact(value: float | None = 1200.5, *, id: str = COST, unit: str = "CNY", **parts: Any) -> dict[str, Any]:
    metric, _, rest = id.partition("#")
    period, _, version = rest.rpartition(":")
    record = {
        "id": id,
        "metric": metric.partition("@")[0],
        "version": version,
        "period": period,
        "dimensions": {},
        "value": value,
        "unit": unit,
        "numerator": None,
        "denominator": None,
        "interval": None,
        "n": None,
        "reason": None,
        "formula": "sum of postings",
        "sources": ["ledger"],
    }
    return record | parts


def words(text: str) -> list[dict[str, str]]:
    return [{"t": text}]


def shown(text: str, id: str = COST) -> list[dict[str, str]]:
    return [{"t": "x "}, {"t": text, "k": "fact", "fact": id}]


def callout(
    *,
    facts: list[dict[str, Any]] | None = None,
    en: Any = None,
    zh: Any = None,
    id: str = "costs.note",
    **parts: Any,
) -> dict[str, Any]:
    """A block with one sentence."""
    body = {"en": en or shown("CNY 1,200.50"), "zh": zh or shown("1,200.50元")}
    record = {
        "version": 1,
        "kind": "callout",
        "id": id,
        "tone": "info",
        "title": {"en": words("T"), "zh": words("T")},
        "body": body,
        "facts": [fact()] if facts is None else facts,
        "untranslated": [],
    }
    return record | parts


def checks_block(outcome: str = "passed", *, blocking: bool = False) -> dict[str, Any]:
    sentence = {language: words("The ledger agrees with the general ledger.") for language in LANGUAGES}
    return {
        "version": 1,
        "kind": "checks",
        "id": "costs.checks",
        "facts": [],
        "untranslated": [],
        "checks": [{"id": "ledger_tied_out", "outcome": outcome, "blocking": blocking, "sentence": sentence}],
    }


def code(source: str, *tags: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "execution_count": None,
    }


def prose(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def publish(*blocks: dict[str, Any]) -> dict[str, Any]:
    """A cell that shows blocks, as a notebook does, without the package."""
    literal = json.dumps(list(blocks), ensure_ascii=False)
    return code(
        "import json\nfrom IPython.display import display\n"
        f"for block in json.loads({literal!r}):\n    display({{{MIME!r}: block, 'text/plain': block['id']}}, raw=True)"
    )


def write_notebook(
    folder: Path, name: str, *cells: dict[str, Any], parameters: str = PARAMETERS, section: str = "costs"
) -> Path:
    """A notebook as it is committed: without outputs, every cell with an id."""
    contents = [prose(f"# {name}"), code(parameters, "parameters"), *cells]
    for number, cell in enumerate(contents):
        cell["id"] = f"c{number}"
    number = name.split("_")[0]
    metadata = {
        "after_sales": {"section": section, "order": int(number)},
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.ipynb"
    path.write_text(
        json.dumps({"cells": contents, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}),
        encoding="utf-8",
    )
    return path


def executed(*outputs_by_cell: list[dict[str, Any]], section: str = "costs") -> dict[str, Any]:
    """A notebook as it comes out of a kernel, for tests that need no kernel."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "source": "run",
            "metadata": {},
            "execution_count": n + 1,
            "outputs": outputs,
        }
        for n, outputs in enumerate(outputs_by_cell)
    ]
    return {
        "cells": cells,
        "metadata": {"after_sales": {"section": section, "order": 1}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def output(block: dict[str, Any]) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {MIME: block, "text/plain": block["id"]}}


def stub_export(notebooks: list[Path], folder: Path, *, pack: dict[str, Any], pool: Executor) -> None:
    """Files of the right names whose content follows from the notebooks and the pack alone."""
    for language in LANGUAGES:
        (folder / f"after-sales-report.{language}.pdf").write_text(
            f"{pack['status']} {pack['edition']} {pack['restated']}\n{BLANK_PDF}"
        )
        pages = folder / "html" / language
        pages.mkdir(parents=True)
        (pages / "checks.txt").write_text(
            "\n".join(f"{c['id']} {c['outcome']}" for c in pack["checks"]) or "-"
        )
        for name in ("index", *(path.stem for path in notebooks)):
            (pages / f"{name}.html").write_text(f"{POLICY}{name} {pack['month']} {pack['company'][language]}")
