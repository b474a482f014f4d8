"""Exporting the pack: each language and format is one task, and the tasks run side by side in warm processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from analysis.locale import LANGUAGES, Language, untranslated
from analysis.report.gates import GateRefused


def export_pack(notebooks: Sequence[Path], folder: Path, *, pack: Mapping[str, Any], pool: Executor) -> None:
    """HTML and PDF in both languages, from the executed notebooks; refused when a wording has no translation."""
    tasks = [
        pool.submit(task, list(notebooks), folder, language, dict(pack))
        for task in (export_pdf, export_html)  # the slower ones first
        for language in LANGUAGES
    ]
    missing = sorted({message for task in tasks for message in task.result()})
    if missing:
        listed = "\n".join(f"  “{message}”" for message in missing[:20])
        raise GateRefused(
            f"{len(missing)} wordings have no Chinese translation; add them to src/analysis/locale/zh/*.po:\n{listed}",
            "translated",
        )


def export_html(
    notebooks: Sequence[Path], folder: Path, language: Language, pack: Mapping[str, Any]
) -> tuple[str, ...]:
    """One page a notebook and an index, in ``html/<language>``; returns the wordings that the catalogue lacks."""
    from analysis.report.html import write_html_pack

    write_html_pack(notebooks, folder / "html" / language, language=language, pack=pack)
    return untranslated()


def export_pdf(
    notebooks: Sequence[Path], folder: Path, language: Language, pack: Mapping[str, Any]
) -> tuple[str, ...]:
    from analysis.report.pdf import write_pdf

    write_pdf(notebooks, folder / f"after-sales-report.{language}.pdf", language=language, pack=pack)
    return untranslated()
