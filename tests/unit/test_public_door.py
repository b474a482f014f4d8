"""The public door (`analysis.PUBLIC`): every function and class says what it takes, in which shape and unit, what it gives, what it refuses
and where it comes from, and shows it by an example that is run here."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import functools
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import analysis
from analysis.errors import AnalysisError
from analysis.metrics.study import Asked
from analysis.summaries import Summarised
from analysis.workbook import MonthRun

SECTIONS = ("Parameters", "Attributes", "Returns", "Raises", "Notes", "Source", "Examples")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# What an array, a column or a table is annotated as; each such parameter states its shape.
ARRAYS = re.compile(r"ArrayLike|DataFrame|Series|NDArray|Sequence\[float")
SHAPE = re.compile(r"\([a-z_+1 ]+,[a-z_+1, ]*\)")
CITED = re.compile(r"\((\d{4}|[^()]*,? \d{4})\)|own derivation", re.IGNORECASE)


def door() -> Iterator[tuple[str, Any]]:
    """Dotted name and object of everything public."""
    for package, listed in analysis.PUBLIC.items():
        module = importlib.import_module(package)
        for name in listed or module.__all__:
            yield f"{package}.{name}", functools.reduce(getattr, name.split("."), module)


DOOR = {
    name: thing
    for name, thing in door()
    if inspect.isclass(thing) or inspect.isroutine(thing) or isinstance(thing, Asked)
}
FUNCTIONS = {name: thing for name, thing in DOOR.items() if not inspect.isclass(thing)}
CLASSES = {name: thing for name, thing in DOOR.items() if inspect.isclass(thing)}


def plain(thing: Any) -> Any:
    """The function itself, without what it is wrapped in."""
    if isinstance(thing, Asked):
        thing = thing.function
    return inspect.unwrap(thing)


def sections(thing: Any) -> dict[str, str]:
    """Text of each section of a numpydoc docstring; what stands before the first is under ""."""
    text = inspect.cleandoc(thing.__doc__ or "")
    found, name = {"": ""}, ""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line and set(following) == {"-"} and len(following) >= 3:
            name = line
            assert name in SECTIONS, f"{thing}: no section is named {name}"
            found[name] = ""
        elif not (line and set(line) == {"-"}):
            found[name] += f"{line}\n"
    return found


def named(text: str) -> dict[str, str]:
    """Names of a section of ``a, b : type``, with what stands behind the colon."""
    pairs = [line.split(" : ", 1) for line in text.split("\n") if " : " in line and not line.startswith(" ")]
    return {name.strip(): kind for names, kind in pairs for name in names.split(",")}


def heads(text: str) -> set[str]:
    """Lines of a section that are not indented: names of exceptions."""
    return {
        name.strip()
        for line in text.split("\n")
        if line and not line.startswith(" ")
        for name in line.split(",")
    }


def raised(function: Any, package: str, seen: set[Any]) -> set[str]:
    """Names of our exceptions that a function raises by name, itself or in functions that it calls, as far as ``package`` reaches.

    What a study asks of its parts (``parts.do(name, function)``) becomes a part not done where it is refused.
    """
    function = plain(function)
    if function in seen or not function.__module__.startswith(package):
        return set()
    seen.add(function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    found: set[str] = set()
    asked = {
        given
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "do"
        for given in call.args
    }
    for node in ast.walk(tree):
        if node in asked:
            continue
        if isinstance(node, ast.Raise) and node.exc is not None:
            called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            kind = function.__globals__.get(called.id) if isinstance(called, ast.Name) else None
            if inspect.isclass(kind) and issubclass(kind, AnalysisError):
                # a WrongArgument is both a FitError and a ParameterError: a reader is told the latter
                found.add("ParameterError" if kind.__name__ == "WrongArgument" else kind.__name__)
        elif isinstance(node, ast.Name) and inspect.isfunction(
            plain_or_none(function.__globals__.get(node.id))
        ):
            found |= raised(function.__globals__[node.id], package, seen)
    return found


def plain_or_none(thing: Any) -> Any:
    return plain(thing) if inspect.isroutine(thing) or isinstance(thing, Asked) else None


def lacking(thing: Any, *, package: str, example: bool, source: bool) -> Iterator[str]:
    """What a function's docstring does not say."""
    function = plain(thing)
    said = sections(function)
    first = said[""].split("\n")[0]
    if not re.search(r"[.?:]$", first):
        yield f"a first line that ends: {first!r}"
    signature = inspect.signature(function)
    taken = {name: entry for name, entry in signature.parameters.items() if name not in ("self", "cls")}
    told = named(said.get("Parameters", ""))
    if set(told) != set(taken):
        yield f"Parameters {sorted(set(told) ^ set(taken))}"
    for name, kind in told.items():
        if name in taken and ARRAYS.search(str(taken[name].annotation)) and not SHAPE.search(kind):
            yield f"the shape of {name}"
        if name in taken and str(taken[name].annotation).startswith("float") and "," not in kind:
            yield f"the unit of {name}"
    if signature.return_annotation not in ("None", None) and not said.get("Returns", "").strip():
        yield "Returns"
    missing = raised(function, package, set()) - heads(said.get("Raises", ""))
    if missing:
        yield f"Raises {sorted(missing)}"
    if source and not CITED.search(said.get("Source", "")):
        yield "Source"
    if example and ">>> " not in said.get("Examples", ""):
        yield "Examples"


def reach(thing: Any) -> str:
    """How far refusals are followed: through the estimators; elsewhere a module, since what a part refuses may become "not done"."""
    module = str(plain(thing).__module__)
    return "analysis.stats." if module.startswith("analysis.stats.") else module


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_says_what_it_takes_gives_and_refuses(name):
    source = name.startswith("analysis.stats.")
    assert list(lacking(FUNCTIONS[name], package=reach(FUNCTIONS[name]), example=True, source=source)) == []


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties that are the class's own or its base's, save those that every result has."""
    for name, _ in inspect.getmembers(kind):
        if name.startswith("_") or hasattr(Summarised, name):
            continue
        found = inspect.getattr_static(kind, name)
        if isinstance(found, (classmethod, staticmethod)):
            found = found.__func__
        if isinstance(found, (property, functools.cached_property)) or inspect.isfunction(found):
            yield name, found


@pytest.mark.parametrize("name", CLASSES)
def test_a_public_class_says_what_it_holds_and_does(name):
    kind = CLASSES[name]
    said = sections(kind)
    problems = [] if said[""].split("\n")[0].endswith((".", "?")) else ["a first line that ends"]
    if dataclasses.is_dataclass(kind):
        told = named(said.get("Attributes", ""))
        fields = {field.name: field for field in dataclasses.fields(kind)}
        held = {name for name, field in fields.items() if field.repr and not name.startswith("_")}
        problems += [f"Attributes {sorted(held - set(told))}"] if held - set(told) else []
        problems += [
            f"no attribute {other}" for other in told if other not in fields and not hasattr(kind, other)
        ]
    if ">>> " not in said.get("Examples", ""):
        problems.append("Examples")
    for method, found in methods(kind):
        if inspect.isfunction(found):
            told_of = lacking(found, package=reach(found), example=False, source=False)
            problems += [f"{method}: {lack}" for lack in told_of]
        elif not (found.__doc__ or "").strip():
            problems.append(f"{method}: a first line")
    assert problems == []


@pytest.fixture(scope="module")
def run(tmp_path_factory: Any, company_in: Any, inputs_in: Any) -> MonthRun:
    """What examples call ``run``: October 2026 of the company that one can check on paper."""
    place = tmp_path_factory.mktemp("door")
    inputs = inputs_in(company_in(place), work=place)
    return MonthRun(
        params=inputs.params,
        tables=inputs.engine.tables,
        inputs=inputs,
        section="costs",
        folder=place / "run",
    )


@pytest.mark.parametrize("name", DOOR)
def test_the_example_holds(name, run):
    run_example(name, {"run": run})


def run_example(name: str, given: Mapping[str, Any]) -> None:
    function = DOOR[name] if inspect.isclass(DOOR[name]) else plain(DOOR[name])
    (test,) = doctest.DocTestFinder(recurse=False).find(function, name, globs=dict(given))
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=report.append)
    assert test.examples
    assert result.failed == 0, "".join(report)


def test_what_a_public_estimator_returns_is_public_too():
    """An editor that shows the type of a result can show its documentation."""
    stats = importlib.import_module("analysis.stats")
    returned = set()
    for name, function in FUNCTIONS.items():
        if not name.startswith("analysis.stats."):
            continue
        kind = plain(function).__globals__.get(str(inspect.signature(function).return_annotation))
        if inspect.isclass(kind) and kind.__module__.startswith("analysis."):
            returned.add(kind.__name__)
    assert returned - set(stats.__all__) == set()
    assert len(returned) > 20


def test_the_door_is_not_empty():
    assert len(DOOR) > 80
