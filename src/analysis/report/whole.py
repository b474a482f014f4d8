"""The package's own files besides its code: what a page is made of. One that is missing is told before anything is computed.

A font that is gone makes a page in another face, a catalogue that is gone an English page under a Chinese title: neither stops by itself.
"""

from __future__ import annotations

from pathlib import Path

import analysis
from analysis.errors import PlaceError
from analysis.locale import LANGUAGES

SECTIONS = "comebacks costs executive exhibits failures html metrics pdf quality report retention stats tables value value_effects"
FILES = (
    "exhibits/blocks.css",
    "tables/contract.yml",
    *(f"fonts/{face}-{weight}.ttf" for face in ("Fallback", "NotoSansSC") for weight in ("Bold", "Regular")),
    *(f"fonts/latin-{weight}.sfnt" for weight in ("Bold", "Regular")),
    *(f"locale/{language}/{name}.po" for language in LANGUAGES[1:] for name in SECTIONS.split()),
    *(
        f"report/templates/html/{name}"
        for name in ("base.html.j2", "index.html.j2", "page.html.j2", "page.css", "page.js")
    ),
    *(f"report/templates/typst/{name}.typ" for name in ("blocks", "front", "main", "style")),
)


def refuse_incomplete(package: Path | None = None) -> None:
    """Refuse a package that lacks a file, or has an empty one in its place.

    Parameters
    ----------
    package : the folder of the package; the installed one when left out
    """
    package = package or Path(analysis.__file__).parent
    lacking = [name for name in FILES if not _has(package / name)]
    if lacking:
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        raise PlaceError(
            f"{', '.join(lacking[:3])}{more}: missing or empty; they belong to the program. Install it again."
        )


def _has(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
