"""The newest issued edition of an earlier month, so that a study can hold what the last report said against what came.

Only an edition of the same run, company and currency counts, and only one that was made with no later knowledge than this run has. An
edition whose facts no longer match the seal in its manifest was changed after it was issued: it is named, and nothing is read from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from analysis.metrics.inputs import EarlierEdition
from analysis.params import RunParams, project_root
from analysis.periods import Month

# Set by the report for its notebooks, so that all of them read the same edition; empty where there is none.
VARIABLE = "AFTER_SALES_EARLIER"
_MONTH, _EDITION = re.compile(r"\d{4}-\d{2}"), re.compile(r"edition-(\d+)")


def earlier_edition(params: RunParams, reports: Path | None = None) -> EarlierEdition | None:
    """The edition before this run's month; None where there is none.

    Parameters
    ----------
    reports : the folder of issued editions; the project's own when left out
    """
    stated = os.environ.get(VARIABLE)
    if stated is not None:
        return _read(Path(stated)) if stated else None
    return next(
        (
            _read(folder)
            for folder in _editions(reports or project_root() / "reports", params.month)
            if _comparable(folder, params)
        ),
        None,
    )


def _editions(reports: Path, before: Month) -> list[Path]:
    """Issued editions of earlier months, the newest month and edition first."""
    months = [
        folder for folder in reports.glob("*") if _MONTH.fullmatch(folder.name) and folder.name < str(before)
    ]
    found = [
        (folder.name, int(match[1]), path)
        for folder in months
        for path in folder.iterdir()
        if (match := _EDITION.fullmatch(path.name))
    ]
    return [path for *_, path in sorted(found, reverse=True)]


def _manifest(folder: Path) -> Mapping[str, Any] | None:
    path = folder / "manifest.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _comparable(folder: Path, params: RunParams) -> bool:
    """Whether an edition speaks of the same company; one whose manifest cannot be read is taken up, to be named."""
    manifest = _manifest(folder)
    if manifest is None:
        return True
    ours = (params.name, params.reported.as_json(), params.currency)
    theirs = (manifest.get("identity", {}).get("run"), manifest.get("company"), manifest.get("currency"))
    return ours == theirs and str(manifest.get("as_of", "")) <= params.knowledge_day.isoformat()


def _read(folder: Path) -> EarlierEdition:
    path = folder / "facts.json"
    content = path.read_bytes() if path.is_file() else b""
    digest = hashlib.sha256(content).hexdigest()
    sealed = (_manifest(folder) or {}).get("seals", {}).get("facts.json")
    match = _EDITION.fullmatch(folder.name)

    @cache
    def facts() -> Sequence[Mapping[str, Any]]:
        read: Sequence[Mapping[str, Any]] = json.loads(content)["facts"]
        return read

    return EarlierEdition(
        month=Month.parse(folder.parent.name),
        number=int(match[1]) if match else 0,
        folder=folder,
        facts_sha256=digest,
        read=facts,
        changed=digest != sealed,
    )
