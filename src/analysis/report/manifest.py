"""What made a pack, as hashes: data, parameters, definitions, notebooks, code, environment. And the seals of its files.

Two packs with the same identity are the same pack. When a later one differs, the parts of the identity that changed are the
possible causes of every restated number.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import analysis
from analysis.errors import PublicationRefused
from analysis.params import project_root
from analysis.params.places import is_plain, locked_by, params_in_force, shipped_root
from analysis.report.run import Notebook

MANIFEST = "manifest.json"
# Parts of an identity, in the order in which a restatement names them as causes.
CAUSES = ("inputs", "earlier", "params", "definitions", "notebooks", "code", "lock")
_DEFINITIONS = ("metrics", "cost_tree.yml", "labels.yml", "templates")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_files(files: Mapping[str, Path]) -> str:
    """One hash over names and contents."""
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        digest.update(f"{name}\0{sha256(path)}\n".encode())
    return digest.hexdigest()


def source_hash() -> str:
    """Everything the package consists of: code, catalogues, templates, fonts, the table contract; shipped params and notebooks have hashes of their own."""
    package = Path(analysis.__file__).parent
    files = {
        path.relative_to(package).as_posix(): path
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sha256_of_files({name: path for name, path in files.items() if not name.startswith("shipped/")})


def _params_hashes(run_name: str) -> dict[str, str]:
    """Parameters and definitions in force, apart; the files of other runs do not count."""
    parts: dict[str, dict[str, Path]] = {"params": {}, "definitions": {}}
    for name, path in params_in_force().items():
        folder = name.split("/")[0]
        # what a template or a run has of its own is in force under the name that it replaces
        if name == f"runs/{run_name}.yml" or folder not in ("runs", "templates"):
            parts["definitions" if folder in _DEFINITIONS else "params"][name] = path
    return {part: sha256_of_files(files) for part, files in parts.items()}


def _environment_hash() -> str:
    """The lock's hash; where the package was installed without it, that of the names and versions of all that is installed."""
    lock = project_root() / "requirements.lock"
    if lock.is_file():
        return sha256(lock)
    installed = {f"{found.name.lower()}=={found.version}" for found in distributions()}
    return hashlib.sha256("\n".join(sorted(installed)).encode()).hexdigest()


def identity(run: Any, notebooks: Sequence[Notebook], *, extra: Mapping[str, str]) -> dict[str, Any]:
    """What the pack's bytes follow from. ``run`` is a prepared run (see ``analysis.workbook``)."""
    return {
        "month": run.period.name,
        "as_of": run.as_of.isoformat(),
        "run": run.name,
        "inputs": {
            name: info.content_hash for name, info in sorted(run.tables.tables.items()) if info.content_hash
        },
        # what the pack prints of its files besides their rows: names, hashes, what was set aside or came twice, what a map left out
        "files": _files_hash(run),
        "earlier": run.earlier.identity if run.earlier else None,
        **_params_hashes(run.name),
        "parameters": dict(sorted(extra.items())),
        "notebooks": {
            notebook.name: hashlib.sha256(notebook.content).hexdigest()
            for notebook in sorted(notebooks, key=lambda n: n.name)
        },
        **ground(notebooks),
    }


def ground(notebooks: Sequence[Notebook]) -> dict[str, Any]:
    """What a run stands on and cannot take a copy of: the package, the environment, and modules that lie beside its notebooks."""
    beside = {
        f"{folder.name}/{path.relative_to(folder).as_posix()}": path
        for folder in sorted({notebook.path.parent for notebook in notebooks})
        for path in folder.rglob("*.py")
        if not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts) and is_plain(path)
    }
    own = {"modules": sha256_of_files(beside)} if beside else {}
    return {"code": source_hash(), "lock": _environment_hash(), **own}


def _files_hash(run: Any) -> str:
    read = [*inputs(run), *(asdict(one) for one in run.mapped)]
    return hashlib.sha256(json.dumps(read, sort_keys=True, default=str).encode()).hexdigest()


def changed_parts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The causes that can have moved a number between two identities; asked parameters count as params."""
    parts = [part for part in CAUSES if before.get(part) != after.get(part)]
    other = {"params": ("parameters", "as_of", "run"), "inputs": ("files",), "notebooks": ("modules",)}
    return [
        part
        for part in CAUSES
        if part in parts or any(before.get(one) != after.get(one) for one in other.get(part, ()))
    ]


def changed_tables(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old, new = before.get("inputs", {}), after.get("inputs", {})
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def code_version(source: str) -> dict[str, Any]:
    """Package version, git commit where there is one, whether files differ from it, and the hash of the package itself."""
    root = shipped_root()  # an installed package has no commit, whatever repository the project lies in
    commit = _git(root, "rev-parse", "HEAD") if (root / "pyproject.toml").is_file() else ""
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


def _places() -> Path:
    return project_root() / "data" / "places.json"


def remember_data(stated: Mapping[str, Any], folder: Path) -> None:
    """Keep on this machine, outside the pack, where the data lie that a pack names by their last name alone."""
    place = os.path.abspath(folder)
    if not stated["run"]["data"] or Path(place).is_relative_to(project_root()):
        return
    _places().parent.mkdir(parents=True, exist_ok=True)
    with locked_by(_places().with_suffix(".lock")):  # months may be made side by side
        known = _known_places() | {_asked(stated): place}
        temporary = _places().with_suffix(".new")
        write_json(temporary, known)
        os.replace(temporary, _places())


def data_of(stated: Mapping[str, Any]) -> str:
    """The data folder of an edition: as it says, or where this machine remembers it."""
    remembered = _known_places().get(_asked(stated), "")
    return remembered if remembered and Path(remembered).is_dir() else str(stated["run"]["data"])


def _asked(stated: Mapping[str, Any]) -> str:
    """Two folders of one name hold the same data, or are told apart by them."""
    return f"{stated['run']['data']} {stated.get('inputs_sha256', '')}"


def _known_places() -> dict[str, str]:
    """Nothing where the file is gone or damaged: it can be made again by a report."""
    try:
        known = json.loads(_places().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in known.items()} if isinstance(known, dict) else {}


def seals(folder: Path) -> dict[str, str]:
    """The hash of every file of a pack, the manifest aside."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def broken_seals(folder: Path) -> list[str]:
    """Files of an issued pack that were changed, taken away or added since; empty when it is as it was issued.

    A link, a pipe or a device is none of an issued pack, whatever it leads to.
    """
    stated = read(folder).get("seals", {})
    found = seals(folder)
    strange = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not (path.is_file() or path.is_dir())
    }
    return sorted(strange | {name for name in {*stated, *found} if stated.get(name) != found.get(name)})


def read(folder: Path, *needs: str) -> dict[str, Any]:
    """The manifest of an edition; refused in words where it is no longer one."""
    is_plain(
        folder / MANIFEST, name=f"{folder.parent.name}/{folder.name}/{MANIFEST}", refusal=PublicationRefused
    )
    try:
        content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if isinstance(content, dict) and set(needs) <= set(content):
            return content
        why = "it lacks a part"
    except (OSError, ValueError, TypeError) as error:
        why = str(error).splitlines()[0].replace(str(folder), folder.name)
    raise PublicationRefused(
        f"{folder.parent.name}/{folder.name}: {MANIFEST} is damaged ({why}). Restore the edition from a backup, or take its folder away; "
        "nothing was written there."
    )


def write_json(path: Path, content: Any) -> None:
    """Readable, the same bytes each time, and refusing what is no JSON number."""
    path.write_text(
        json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )


def python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
