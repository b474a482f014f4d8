"""Facts of a session or of an issued edition, picked by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import ParameterError, suggestion
from analysis.exhibits.frames import facts_frame
from analysis.params import project_root

if TYPE_CHECKING:
    import pandas as pd


def recorded_facts(folder: Path, edition: str | Path | None) -> list[Mapping[str, Any]]:
    """Records of facts: what a run's folder holds so far, or what an edition was issued with."""
    if edition is not None:
        read: list[Mapping[str, Any]] = json.loads(
            (_edition_folder(edition) / "facts.json").read_text(encoding="utf-8")
        )["facts"]
        return read
    found = {
        entry["id"]: entry
        for path in sorted((folder / "facts").glob("*.json"))
        for entry in json.loads(path.read_text(encoding="utf-8"))
    }
    return list(found.values())


def _edition_folder(edition: str | Path) -> Path:
    """``latest``, a month (its newest edition), ``2026-10/edition-1``, or a folder."""
    reports = project_root() / "reports"
    for folder in (Path(edition), reports / edition):
        if (folder / "facts.json").is_file():
            return folder
        numbered = [path for path in folder.glob("edition-*") if (path / "facts.json").is_file()]
        if numbered:
            return max(numbered, key=lambda path: int(path.name.removeprefix("edition-")))
    issued = sorted(
        path.parent.relative_to(reports).as_posix() for path in reports.glob("*/edition-*/facts.json")
    )
    raise ParameterError(
        f"edition '{edition}': no such edition was issued; there are {', '.join(issued) or 'none'}. "
        "Use latest, a month, or a folder that holds facts.json."
    )


def matching_facts(
    facts: Sequence[Mapping[str, Any]], pattern: str, labels: Mapping[str, str]
) -> pd.DataFrame:
    """The facts whose metric or id matches a glob, by id; refused where there are facts and none matches."""
    found = sorted(
        (fact for fact in facts if fnmatchcase(fact["metric"], pattern) or fnmatchcase(fact["id"], pattern)),
        key=lambda fact: str(fact["id"]),
    )
    if facts and not found:
        metrics = sorted({str(fact["metric"]) for fact in facts})
        raise ParameterError(
            f"no fact matches '{pattern}' among {len(facts):,} of {len(metrics)} metrics, e.g. {', '.join(metrics[:3])}."
            f"{suggestion(pattern.strip('*'), metrics)} A pattern such as 'churn*' or '*rate*' matches more."
        )
    return facts_frame(found, labels)
