"""The PDF pack: notebooks set in type by Typst, tagged (PDF/UA-1), for the archive (PDF/A-2a), the same bytes every time.

>>> write_pdf(notebooks, target, language="zh", pack=pack)  # the whole pack as one PDF

One notebook alone: ``jupyter nbconvert --to after_sales_pdf notebook.ipynb``.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from analysis.locale import Language
from analysis.periods import stated_epoch
from analysis.report.executed import Notebook, read_notebook
from analysis.report.folding import folded
from analysis.report.gates import GateRefused
from analysis.report.pdf_document import Document, day_of, document

__all__ = ["notebook_pdf", "write_pdf"]

STANDARDS = ["a-2a", "ua-1"]
UNDATED = 315_532_800  # 1 January 1980: an archive file must bear a date, and no clock is read


def write_pdf(
    notebooks: Sequence[Path], target: Path, *, language: Language, pack: Mapping[str, Any]
) -> Path:
    """The executed ``notebooks`` as one PDF with cover, contents, appendices and sign-off page; returns ``target``.

    Parameters
    ----------
    notebooks : paths of executed notebooks
        Printed with the executive summary first and the others by the ``order`` in their metadata, or as given when one has none.
    pack : what stands beside the notebooks
        ``month`` (2026-10), ``as_of``, ``edition``, ``company`` (Text), ``currency``, ``status`` (issued, not tied out, draft),
        ``code_version``, ``preparer``, ``reviewer``, ``sources`` (rows of table, file, rows_read, accepted, quarantined,
        exact_duplicates, sha256), ``registry`` (metric entries, of which the ones with a fact are printed), ``checks``,
        ``hashes`` (name → sha256) and ``restated`` (rows of name, period, before, after, change, cause; may be empty).
        ``SOURCE_DATE_EPOCH`` dates the file; without it the end of the ``as_of`` day does. The clock is never read.

    Raises
    ------
    GateRefused
        A glyph the fonts lack, a figure without alt text, a table that no page can hold, rows that are not conserved.
    NotebookFailed
        A cell holds an error.
    """
    contents = folded([(path.stem, read_notebook(path)) for path in notebooks])
    made = document(contents, language=language, pack=pack)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(_typeset(made, timestamp=_timestamp(day_of(pack["as_of"]))))
    return target


def notebook_pdf(name: str, notebook: Notebook, *, language: Language) -> bytes:
    """One notebook as a PDF without cover and appendices."""
    return _typeset(document([(name, notebook)], language=language, pack=None), timestamp=_timestamp(None))


def _timestamp(day: dt.date | None) -> int:
    stated = stated_epoch()
    if stated is not None:
        return stated
    if day is None:
        return UNDATED
    return int(dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC).timestamp())


def _typeset(made: Document, *, timestamp: int) -> bytes:
    import typst

    from analysis.exhibits.style import font_paths

    language = made.record["language"]
    files = {name: text.encode() for name, text in _templates().items()}
    files["document.json"] = json.dumps(made.record, ensure_ascii=False, sort_keys=True).encode()
    files |= {path: svg.encode() for path, svg in made.pictures.items()}
    try:
        pdf, warnings = typst.compile_with_warnings(  # type: ignore[call-overload]  # its stub forgets files in memory
            files,
            font_paths=[str(font_paths()[0].parent)],
            ignore_system_fonts=True,
            pdf_standards=STANDARDS,
            timestamp=timestamp,
        )
    except typst.TypstError as error:
        hints = " ".join(getattr(error, "hints", None) or ())
        raise GateRefused(
            f"PDF in {language}: {error.message}; {hints or 'correct the block it comes from'}.", "layout"
        ) from error
    if warnings:
        raise GateRefused(
            f"PDF in {language}: {len(warnings)} warnings of the typesetter, such as: {warnings[0].message}.",
            "layout",
        )
    assert isinstance(pdf, bytes)
    return pdf


def _templates() -> dict[str, str]:
    folder = resources.files("analysis.report") / "templates" / "typst"
    return {
        entry.name: entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".typ")
    }
