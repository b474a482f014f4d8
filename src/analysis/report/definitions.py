"""Fingerprints of the metrics' definitions: whoever changes what a number means raises its version and says so in the changelog.

A definition is more than its line in the registry. Its fingerprint covers the SQL of its measures with the text of the shared views they
stand on (of a study's view: its signature and the SQL of its module), the operation and the parents of a derived metric, the assumption's
name, and for a metric that functions make their signatures and the SQL in their modules. ``tests/golden/definitions.yml`` keeps version and fingerprint; ``analysis golden --definitions`` rewrites
it on purpose.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import ParameterError
from analysis.metrics.registry import Measure, Metric, Registry
from analysis.metrics.views import VIEWS
from analysis.params import project_root
from analysis.params.strict import read_yaml

KEPT = "tests/golden/definitions.yml"
_SQL = re.compile(r"\b(SELECT|FROM|WHERE|JOIN|GROUP BY|PARTITION BY|FILTER)\b")
# A shared view that the SQL of another reads; a dated one is followed by its day.
_VIEW = re.compile(
    rf"\b(?:FROM|JOIN)\s+({'|'.join(sorted(VIEWS, key=len, reverse=True))})(?:_at_|\b)", re.IGNORECASE
)
_LENGTH = 12


@dataclass(frozen=True)
class Definition:
    """A metric's version and the fingerprint of what it means."""

    version: str
    fingerprint: str


def definitions(registry: Registry) -> dict[str, Definition]:
    """Every metric of the registry by id, sorted."""
    return {
        metric.id: Definition(metric.version, _hash(_meaning(metric, registry)))
        for metric in sorted(registry, key=lambda metric: metric.id)
    }


def kept_definitions(path: Path) -> dict[str, Definition]:
    """What the file keeps; empty where there is none."""
    if not path.is_file():
        return {}
    return {
        name: Definition(str(entry["version"]), str(entry["fingerprint"]))
        for name, entry in read_yaml(path).items()
    }


def doubts(now: Mapping[str, Definition], kept: Mapping[str, Definition], changelog: str) -> list[str]:
    """What is wrong between the definitions and those kept, a sentence per metric.

    Parameters
    ----------
    changelog : text of ``CHANGELOG.md``, in which a raised version must be named
    """
    return [doubt for name in sorted({*now, *kept}) for doubt in _doubt(name, now, kept, changelog)]


def _doubt(
    name: str, now: Mapping[str, Definition], kept: Mapping[str, Definition], changelog: str
) -> Iterator[str]:
    if name not in now:
        yield f"{name}: is kept and no longer defined; make golden DEFINITIONS=1 takes it out."
        return
    if name not in kept:
        yield f"{name}: is new; make golden DEFINITIONS=1 keeps it."
        return
    new, old = now[name], kept[name]
    if new.version != old.version and not named(name, changelog):
        yield f"{name}: version {new.version} is not in CHANGELOG.md; say there what moved and why."
    elif new.version != old.version:
        yield f"{name}: version {new.version}; make golden DEFINITIONS=1 keeps it."
    elif new.fingerprint != old.fingerprint:
        yield f"{name}: its definition changed and its version {new.version} did not; raise it and write a line in CHANGELOG.md."


def named(metric: str, changelog: str) -> bool:
    """Whether a line of the changelog names the metric, alone or as one of a family (``what_if_*``)."""
    families = re.findall(r"\b(\w+_)\*", changelog)
    return bool(re.search(rf"\b{re.escape(metric)}\b", changelog)) or metric.startswith(tuple(families))


def rewrite_definitions(*, root: Path | None = None, moved: bool = False) -> list[str]:
    """Keep the definitions that are new or whose version was raised, and forget those that are gone.

    Parameters
    ----------
    root : of the project; the working one when left out
    moved : also those whose version stayed: code was moved and means what it meant. The review sees their fingerprints change.

    Returns
    -------
    list of str
        The metrics whose entry changed.

    Raises
    ------
    ParameterError
        A definition changed without a version, or a version without a line in the changelog.
    """
    root = root or project_root()
    path, registry = root / KEPT, Registry.load()
    now, kept = definitions(registry), kept_definitions(path)
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    raised = {name for name in now if name in kept and now[name].version != kept[name].version}
    unnamed = sorted(name for name in raised if not named(name, changelog))
    silent = sorted(name for name in now if name in kept and name not in raised and now[name] != kept[name])
    if unnamed or (silent and not moved):
        raise ParameterError("\n".join(doubts(now, kept, changelog)[:20]))
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "# Version and fingerprint of every definition; rewritten by make golden DEFINITIONS=1, never by hand.\n"
    lines = (
        f'{name}: {{version: "{entry.version}", fingerprint: "{entry.fingerprint}"}}\n'
        for name, entry in now.items()
    )
    path.write_text(head + "".join(lines), encoding="utf-8")
    return sorted(name for name in {*now, *kept} if now.get(name) != kept.get(name))


# ---------------------------------------------------------------- what a definition means


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_LENGTH]


def _meaning(metric: Metric, registry: Registry) -> dict[str, Any]:
    common: dict[str, Any] = {"unit": metric.unit, "per": metric.per, "interval": metric.interval}
    if metric.cents:
        common |= {"cents": True}
    if metric.derived:
        return common | {"operation": metric.derived.operation, "of": list(metric.derived.of)}
    if metric.assumption:
        return common | {"assumption": metric.assumption}
    if metric.function:
        return common | {"functions": [_function(name) for name in metric.function]}
    parts = [part for part in (metric.numerator, metric.denominator) if isinstance(part, str)]
    return common | {"measures": [_measure(registry.measure(part)) for part in parts]}


def _measure(measure: Measure) -> dict[str, Any]:
    return {
        "value": measure.value,
        "where": measure.where,
        "merge": measure.merge,
        "views": _views(measure.view) if measure.view in VIEWS else _function(measure.view),
    }


def _views(name: str) -> dict[str, str]:
    """A shared view and those it stands on, each with its SQL; the rules of a run stay open in it."""
    found: dict[str, str] = {}
    wanted = [name]
    while wanted:
        view = wanted.pop()
        if view not in found:
            found[view] = VIEWS[view].sql
            wanted += [other.lower() for other in _VIEW.findall(VIEWS[view].sql)]
    return found


def _function(dotted: str) -> list[Any]:
    found = resolved(dotted)
    if found is None:
        return [dotted, "not found"]
    plain = inspect.unwrap(found)
    return [dotted, str(inspect.signature(plain)), list(_sql_of(plain.__module__))]


def resolved(dotted: str) -> Any:
    """The function that a definition names (``analysis.costs.bridge.bridge``, or a method); None where there is none."""
    parts = dotted.split(".")
    for length in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:length])
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as missing:
            if missing.name and not module.startswith(missing.name):
                raise
            continue
        # a package may offer a study under the name of the module that holds it
        found: Any = sys.modules[module]
        for name in parts[length:]:
            found = getattr(found, name, None)
        return found if callable(found) else None
    return None


@functools.cache
def _sql_of(module: str) -> tuple[str, ...]:
    """The SQL a module writes, sorted: constants and templates, docstrings apart."""
    source = inspect.getsource(sys.modules[module])
    tree = ast.parse(source)
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    templates = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inside = {id(part) for template in templates for part in template.values}
    plain = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documents | inside
    ]
    texts = [*plain, *(ast.unparse(template) for template in templates)]
    return tuple(sorted({text for text in texts if _SQL.search(text)}))
