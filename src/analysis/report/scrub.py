"""The same notebook, executed again, is the same file: no clock, no random id, no address of this machine's memory.

What is taken out says when and where a notebook ran, never what it computed.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from analysis.locale.lengths import of_length

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,16}\b")
_KEPT_METADATA = ("after_sales", "kernelspec", "language_info")


def scrub(notebook: dict[str, Any]) -> dict[str, Any]:
    """The executed notebook (nbformat JSON) without run times, papermill's marks and random ids; the argument is not changed."""
    metadata = {name: notebook["metadata"][name] for name in _KEPT_METADATA if name in notebook["metadata"]}
    metadata["language_info"] = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
    cells = [_cell(cell, position) for position, cell in enumerate(notebook["cells"], start=1)]
    return {
        "cells": cells,
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": max(5, notebook.get("nbformat_minor", 5)),
    }


def _cell(cell: dict[str, Any], position: int) -> dict[str, Any]:
    tags = cell["metadata"].get("tags", [])
    metadata = {
        name: value
        for name, value in cell["metadata"].items()
        if name not in ("papermill", "execution", "collapsed")
    }
    if not tags:
        metadata.pop("tags", None)
    kept = {**cell, "metadata": metadata}
    if "injected-parameters" in tags:
        kept["id"] = "injected-parameters"
    kept.setdefault("id", f"cell-{position}")
    if cell["cell_type"] == "code":
        kept["outputs"] = [_output(output) for output in _joined(cell.get("outputs", []))]
    return kept


def _joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring pieces of one stream as one: where a stream is cut depends on timing."""
    joined: list[dict[str, Any]] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if (
            last
            and output["output_type"] == "stream" == last["output_type"]
            and output["name"] == last["name"]
        ):
            joined[-1] = {**last, "text": _text(last["text"]) + _text(output["text"])}
        else:
            joined.append(output)
    return joined


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def _output(output: dict[str, Any]) -> dict[str, Any]:
    """Addresses hidden in what Python prints of an object; figures and records stay as they are."""
    if output["output_type"] == "stream":
        return {**output, "text": _ADDRESS.sub("0x…", _text(output["text"]))}
    data = output.get("data")
    if data and "text/plain" in data:
        return {**output, "data": {**data, "text/plain": _ADDRESS.sub("0x…", _text(data["text/plain"]))}}
    return output


_DATA = re.compile(r"^data = .*$", re.MULTILINE)


def stated_place(data: str, root: Path) -> str:
    """How a pack names the data folder it was asked for: from the project, or by its last name alone where it lies elsewhere."""
    if not data or data == "sample":
        return data
    place = Path(os.path.abspath(root / data))
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else place.name


def _stating(cell: dict[str, Any], data: str) -> dict[str, Any]:
    """The cell of passed parameters with the data folder as the pack names it."""
    if "injected-parameters" not in cell["metadata"].get("tags", []):
        return cell
    line = f"data = {json.dumps(data, ensure_ascii=False)}"
    return {**cell, "source": _DATA.sub(lambda _: line, _text(cell["source"]))}


def said_of(notebook: dict[str, Any], months: int) -> dict[str, Any]:
    """The notebook with the paragraphs and headings that say "month" as they are said of a report of so many months."""
    return {**notebook, "cells": [_said_of(cell, months) for cell in notebook["cells"]]}


def _said_of(cell: dict[str, Any], months: int) -> dict[str, Any]:
    if cell["cell_type"] != "markdown":
        return cell
    paragraphs = [
        f"{mark}{of_length(words, months)}"
        for mark, words in (
            _HEADED.match(text).groups()  # type: ignore[union-attr]
            for text in _text(cell["source"]).split("\n\n")
        )
    ]
    return {**cell, "source": "\n\n".join(paragraphs)}


# The mark of a heading, and its words; of a paragraph all of it is words.
_HEADED = re.compile(r"(#+ +|)(.*)", re.DOTALL)


def scrub_file(path: Path, *, data: str, months: int = 1) -> dict[str, Any]:
    """Scrub an executed notebook in place and return it; ``data`` is the data folder as the pack names it."""
    notebook = scrub(json.loads(path.read_text(encoding="utf-8")))
    if months > 1:
        notebook = said_of(notebook, months)
    notebook["cells"] = [_stating(cell, data) for cell in notebook["cells"]]
    path.write_text(
        json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
    return notebook
