"""What made a pack, as hashes: data, parameters, definitions, notebooks, code, environment. And the seals of its files.

Two packs with the same identity are the same pack. When a later one differs, the parts of the identity that changed are the
possible causes of every restated number.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import analysis
from analysis.params import params_root, project_root
from analysis.report.run import Notebook

MANIFEST = "manifest.json"
# Parts of an identity, in the order in which a restatement names them as causes.
CAUSES = ("inputs", "earlier", "params", "definitions", "notebooks", "code", "lock")
_DEFINITIONS = ("metrics", "cost_tree.yml", "labels.yml", "templates")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_files(paths: Iterable[Path], root: Path) -> str:
    """One hash over names and contents."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(root).as_posix()}\0{sha256(path)}\n".encode())
    return digest.hexdigest()


def source_hash() -> str:
    """Everything the package consists of: code, catalogues, templates, fonts, the table contract."""
    package = Path(analysis.__file__).parent
    return sha256_of_files(
        (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts), package
    )


def _params_hashes(run_name: str) -> dict[str, str]:
    """Parameters and definitions apart; the files of other runs do not count."""
    root = params_root()
    files = [path for path in root.rglob("*.yml") if path.parent.name != "runs" or path.stem == run_name]
    definitions = [path for path in files if path.relative_to(root).parts[0] in _DEFINITIONS]
    others = [path for path in files if path not in set(definitions)]
    return {"params": sha256_of_files(others, root), "definitions": sha256_of_files(definitions, root)}


def identity(run: Any, notebooks: Sequence[Notebook], *, extra: Mapping[str, str]) -> dict[str, Any]:
    """What the pack's bytes follow from. ``run`` is a prepared run (see ``analysis.workbook``)."""
    lock = project_root() / "requirements.lock"
    return {
        "month": str(run.month),
        "as_of": run.as_of.isoformat(),
        "run": run.name,
        "inputs": {
            name: info.content_hash for name, info in sorted(run.tables.tables.items()) if info.content_hash
        },
        "earlier": run.earlier.identity if run.earlier else None,
        **_params_hashes(run.name),
        "parameters": dict(sorted(extra.items())),
        "notebooks": {
            notebook.name: sha256(notebook.path) for notebook in sorted(notebooks, key=lambda n: n.name)
        },
        "code": source_hash(),
        "lock": sha256(lock) if lock.is_file() else "",
    }


def changed_parts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The causes that can have moved a number between two identities; asked parameters count as params."""
    parts = [part for part in CAUSES if before.get(part) != after.get(part)]
    asked = any(before.get(part) != after.get(part) for part in ("parameters", "as_of", "run"))
    return [part for part in CAUSES if part in parts or (part == "params" and asked)]


def changed_tables(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old, new = before.get("inputs", {}), after.get("inputs", {})
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def code_version(source: str) -> dict[str, Any]:
    """Package version, git commit where there is one, whether files differ from it, and the hash of the package itself."""
    root = project_root()
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(
        root,
        "status",
        "--porcelain",
        "--untracked-files=all",
        "--",
        "src",
        "params",
        "notebooks",
        "requirements.lock",
    )
    return {
        "version": analysis.__version__,
        "commit": commit or None,
        "uncommitted_changes": bool(changes) if commit else None,
        "source_sha256": source,
    }


def version_text(code: Mapping[str, Any]) -> str:
    """``0.1.0 (a2a95c8)``; a plus marks uncommitted changes; without git, the beginning of the source's hash."""
    if code["commit"]:
        return f"{code['version']} ({code['commit'][:10]}{'+' if code['uncommitted_changes'] else ''})"
    return f"{code['version']} (source {code['source_sha256'][:10]})"


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def inputs(run: Any) -> list[dict[str, Any]]:
    """One entry a table: content hash, rows, and the waterfall of each file it was read from."""
    return [
        {
            "table": name,
            "content_sha256": info.content_hash,
            "rows": info.rows,
            "files": [
                {
                    "file": part.file,
                    "sha256": part.file_hash,
                    "rows_read": part.rows_read,
                    "accepted": part.accepted,
                    "quarantined": part.quarantined,
                    "exact_duplicates": part.exact_duplicates,
                }
                for part in info.waterfall
            ],
        }
        for name, info in sorted(run.tables.tables.items())
        if info.present
    ]


def seals(folder: Path) -> dict[str, str]:
    """The hash of every file of a pack, the manifest aside."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def broken_seals(folder: Path) -> list[str]:
    """Files of an issued pack that were changed, taken away or added since; empty when it is as it was issued."""
    stated = read(folder).get("seals", {})
    found = seals(folder)
    return sorted(name for name in {*stated, *found} if stated.get(name) != found.get(name))


def read(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return content


def write_json(path: Path, content: Any) -> None:
    """Readable, the same bytes each time, and refusing what is no JSON number."""
    path.write_text(
        json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )


def python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
